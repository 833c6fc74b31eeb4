"""How the commands speak: progress on stderr, results on stdout, JSON for programs."""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heldout.errors import UsageError

if TYPE_CHECKING:
    from heldout.explaining.document import Explanation

_PATIENCE = 10.0  # seconds between plain progress lines


class Progress:
    """Tells a person how a run goes: one bar a stage on a terminal, plain lines elsewhere. Writes to stderr."""

    def __init__(self) -> None:
        self._stage = ""
        self._is_terminal = sys.stderr.isatty()
        self._last = 0.0
        self._bar_shown = False

    def stage(self, name: str) -> None:
        """A stage begins."""
        self._clear()
        self._stage, self._last = name, time.monotonic()

    def progress(self, done: int, total: int, per_second: float) -> None:
        """So many pictures of the stage are done."""
        now = time.monotonic()
        is_end = done >= total
        if not is_end and now - self._last < (0.1 if self._is_terminal else _PATIENCE):
            return
        self._last = now
        left = f", {(total - done) / per_second:,.0f} s left" if per_second > 0 and not is_end else ""
        line = f"{self._stage}: {done:,} of {total:,}, {per_second:,.0f} a second{left}"
        if is_end and self._stage.startswith("epoch"):
            return  # the epoch's own line follows
        if not self._is_terminal:
            print(line, file=sys.stderr, flush=True)
            return
        n_filled = round(24 * done / total) if total else 24
        self._draw(f"{'█' * n_filled}{'░' * (24 - n_filled)}  {line}")
        if is_end:
            self._clear()
            print(line, file=sys.stderr, flush=True)

    def epoch(self, record: Any) -> None:
        """One line for an epoch."""
        from heldout.measuring.intervals import wilson

        self._clear()
        interval = wilson(record.validation_correct, record.n_validation)
        train = "" if record.epoch == 0 else f"train loss {record.train_loss:.4f}, "
        speed = "" if record.epoch == 0 else f", {record.pictures_per_second:,.0f} a second"
        print(
            f"epoch {record.epoch}: {train}validation loss {record.validation_loss:.4f}, "
            f"accuracy {percent(record.validation_accuracy)} "
            f"[{percent(interval.low)}, {percent(interval.high)}] of {record.n_validation:,}{speed}, "
            f"{record.seconds:.1f} s",
            file=sys.stderr,
            flush=True,
        )

    def _draw(self, text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()
        self._bar_shown = True

    def _clear(self) -> None:
        if self._bar_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._bar_shown = False


def percent(share: float | None) -> str:
    """A share as percent with one digit.

    Example:
        >>> percent(0.9133), percent(None)
        ('91.3 %', '-')
    """
    return "-" if share is None else f"{100 * share:.1f} %"


def number(value: float | None) -> str:
    """A number that is no share, with three digits."""
    return "-" if value is None else f"{value:.3f}"


def score_line(name: str, score: Mapping[str, Any]) -> str:
    """A score with its interval and n, for a person."""
    shown = number if score["name"] in {"nll", "negative_log_likelihood", "brier", "mcc", "mean_cost"} else percent
    value, low, high = (shown(score[key]) for key in ("value", "low", "high"))
    return f"{name} {value}  95 % interval [{low}, {high}]  n = {score['n']:,}"


def finding_lines(findings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Findings for a person, the gravest first: what, why, fix."""
    lines = []
    for finding in findings:
        lines += [f"{finding['severity']}: {finding['what']}", f"  why it matters: {finding['why']}"]
        lines.append(f"  fix: {finding['fix']}")
        if finding["where"] and finding["severity"] != "note":
            shown = ", ".join(map(str, finding["where"][:4]))
            lines.append(f"  where: {shown}{' ...' if len(finding['where']) > 4 else ''}")
    return lines


def print_json(content: Any) -> None:
    """One JSON object on stdout; letters that stdout cannot take are written as JSON's own escapes."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(content, indent=1, allow_nan=False)
    print(text)


def print_lines(lines: Sequence[str]) -> None:
    """Lines on stdout; what the terminal cannot show is shown escaped, and control characters do nothing."""
    for line in lines:
        safe = "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in line)
        encoding = sys.stdout.encoding or "utf-8"
        print(safe.encode(encoding, "backslashreplace").decode(encoding))


def show_explanation(make: Callable[[], "Explanation[Any]"], *, as_json: bool, latex: bool, plot: Path | None) -> None:
    """Make an explanation and show it in the form that was asked for.

    Raises:
        UsageError: Two forms were asked for, or the plot cannot be written where it is to be.
    """
    from heldout.explaining.document import plot_file

    if as_json and latex:
        raise UsageError("--json and --latex were both given", expected="one of them", fix="leave one out")
    if plot is not None:
        plot_file(plot)  # before the work
    explanation = make()
    if as_json:
        print_json(explanation.as_record())
    elif latex:
        print_lines(explanation.as_latex().splitlines())
    else:
        print_lines(str(explanation).splitlines())
    if plot is not None:
        print(f"drawn into {explanation.plot(plot)}", file=sys.stderr)
