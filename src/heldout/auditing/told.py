"""An audit in words, for a person at a terminal."""

import re
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap
from typing import TYPE_CHECKING

from heldout.auditing.rule import AuditFinding
from heldout.auditing.seen.place import Place
from heldout.findings import SEVERITIES

if TYPE_CHECKING:
    from heldout.auditing.audited import Audit, Watched

_INDENT = "  "
# Further places of a finding that are named.
_MOST_MORE = 4
# What the hundreds of the codes are about.
_SUBJECTS = {"1": "data", "2": "training", "3": "printed numbers", "4": "comparisons"}


def lines_of(audit: "Audit", *, width: int = 100) -> list[str]:
    """The findings, what they do not cover, and last of all how many there are and of how much.

    Args:
        audit: What is told.
        width: Of a line.
    """
    lines: list[str] = []
    for _, findings in groupby(audit.findings, key=lambda each: (each.severity, each.code)):
        lines += [*_case_lines(audit, list(findings), width), ""]
    for sentence in _caveats(audit):
        lines += _wrapped(sentence, width)
    return [*lines, _last_line(audit)]


def _case_lines(audit: "Audit", findings: list[AuditFinding], width: int) -> list[str]:
    """One case, at all its places: what was seen at each, and once what it means."""
    first = findings[0]
    lines = [f"{first.severity} {first.code} {first.name}"]
    for observed, alike in groupby(findings, key=lambda each: each.observed):
        for finding in alike:
            lines += _place_lines(audit, finding, width)
        lines += _told("observed", observed, width)
    told = {"believed": first.believed, "effect": first.effect, "fix": first.fix, "page": first.page}
    for name, words in told.items():
        lines += _told(name, words, width)
    return lines


def _place_lines(audit: "Audit", finding: AuditFinding, width: int) -> list[str]:
    place = finding.place
    if not place.line:
        return [f"{_INDENT}{audit.script}, no line of its own"]
    also = ", ".join(where(audit, each) for each in finding.more[:_MOST_MORE])
    n_more = len(finding.more) - _MOST_MORE
    rest = f" (and {also}{f' and {n_more:,} more' if n_more > 0 else ''})" if also else ""
    lines = [f"{_INDENT}{where(audit, place)}{rest}"]
    if source := audit.lines.get(place, "").strip():
        line = f"{_INDENT}  {place.line} | {source}"
        lines.append(line if len(line) <= width else f"{line[: width - 4]} ...")
    return lines


def _told(name: str, words: str, width: int) -> list[str]:
    return _wrapped(words, width, start=f"{_INDENT}{name:8}  ", rest=" " * (len(_INDENT) + 10))


def _wrapped(words: str, width: int, *, start: str = "", rest: str = "") -> list[str]:
    return wrap(
        words, width, initial_indent=start, subsequent_indent=rest, break_on_hyphens=False, break_long_words=False
    )


def where(audit: "Audit", place: Place) -> str:
    """A place as `train.py:85`, or as the cell and line of a notebook."""
    from heldout.auditing.audited import cell_of, shown_file

    cell = cell_of(place)
    return f"{audit.script}, cell {cell}, line {place.line}" if cell else f"{shown_file(place.file)}:{place.line}"


def _caveats(audit: "Audit") -> Iterator[str]:
    """What a reader must know before believing the last line."""
    watched = audit.watched
    if watched is None:
        yield "The script was read and not run: most of what can be wrong shows only while it runs."
    else:
        yield from _ending(audit)
        yield from _little_seen(watched, is_whole=audit.outcome == "finished", found=bool(audit.findings))
        if watched.faults:
            yield (
                f"The watch itself stumbled, so that something may be missing: {watched.faults[0]}"
                f"{f' (and {len(watched.faults) - 1} more)' if len(watched.faults) > 1 else ''}."
            )
        for what, n in watched.left_out.items():
            yield f"{n:,} {what} in the middle were not kept."
    if not audit.findings and (watched is None or watched.n_steps):
        yield f"No finding: {_checked()} found nothing. That is no proof that the numbers are right."


def _ending(audit: "Audit") -> Iterator[str]:
    if audit.outcome.startswith("stopped"):
        yield f"The script was {audit.outcome}, as asked: what it would have done later is not judged."
    elif audit.outcome == "interrupted":
        yield "The script was interrupted: what it would have done later is not judged."
    elif audit.outcome.startswith("killed"):
        yield f"The script was {audit.outcome}: the last seconds before that may be missing."
    elif not re.fullmatch(r"finished|exit -?\d+", audit.outcome):
        error = audit.outcome.partition("\n")[0]
        yield f"The script ended by an error of its own ({error}): what stands here is what was seen till then."
    elif audit.exit_code:
        yield f"The script itself ended with exit code {audit.exit_code}."


def _little_seen(watched: "Watched", *, is_whole: bool, found: bool) -> Iterator[str]:
    if not watched.n_steps:
        models = f"{counted(watched.n_models, 'model')} {'was' if watched.n_models == 1 else 'were'} called"
        why = f"no optimiser took a step, {models}" if watched.torch else "the script never imported torch"
        elsewhere = " What other processes do, such as those of a launcher, is not seen." if is_whole else ""
        yield f"No training was seen: {why}.{elsewhere}"
    elif not watched.n_evaluations and not found:
        yield "No evaluation was seen: nothing says whether a held-out number can be trusted."


def _checked() -> str:
    """How many rules were asked, and about what."""
    from heldout.auditing.rules.every import RULES

    by_subject = {words: sum(rule.code[1] == digit for rule in RULES) for digit, words in _SUBJECTS.items()}
    *most, last = [f"{n} on {words}" for words, n in by_subject.items() if n]
    return f"{counted(len(RULES), 'rule')} ({', '.join(most)}{' and ' if most else ''}{last})"


def _last_line(audit: "Audit") -> str:
    counts = ", ".join(counted(audit.count(severity), severity) for severity in SEVERITIES)
    watched = audit.watched
    if watched is None:
        return f"{counts} in {audit.script}, read and not run"
    seen = [
        counted(watched.n_models, "model"),
        counted(watched.n_steps, "optimiser step"),
        counted(watched.n_evaluations, "evaluation"),
        counted(watched.n_samples, "sample"),
    ]
    return f"{counts} in {audit.script}; watched {', '.join(seen)} in {audit.seconds:,.1f} s"


def counted(n: int, word: str) -> str:
    """A number with its word.

    Example:
        >>> counted(1, "model"), counted(2000, "model")
        ('1 model', '2,000 models')
    """
    return f"{n:,} {word}{'' if n == 1 else 's'}"
