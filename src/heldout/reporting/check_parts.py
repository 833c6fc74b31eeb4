"""What the pages of a check have in common, of pictures or of rows: verdict, classes, what is passed over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heldout.findings import SEVERITIES
from heldout.provenance import version
from heldout.reporting.sections import findings_of
from heldout.reporting.wording import count, listing

MAX_PASSED_OVER = 1000
MAX_CLASSES = 2000
# So many classes are read at once; a longer table is folded away.
N_CLASSES_OPEN = 16
_PART_TITLES = {"free": "In no part", "train": "Train", "validation": "Validation", "test": "Test"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The headline in words: what must be acted on, or what is worth a look where nothing must.

    Attributes:
        title: How much must be acted on.
        kind: "grave" where something must, "doubtful" where something should be looked at, otherwise "clear".
        points: What it is: an address on the page, and words.
        rest: What else there is, in a sentence.
    """

    title: str
    kind: str
    points: tuple[tuple[str, str], ...]
    rest: str


def shared_view(content: Mapping[str, Any], name: str, thing: str) -> dict[str, Any]:
    """What the templates of both pages name.

    Args:
        content: What is written to check.json.
        name: What the page is called.
        thing: What an example is: picture or row.
    """
    return {
        "name": name,
        "version": version(),
        "things": f"{thing}s",
        "verdict": verdict_of(content, f"{thing}s"),
        "summary": f"{count(content['n'], thing)} of {count(len(content['classes']), 'class', 'classes')}, as "
        f"{content['layout']}",
        "count_titles": _count_titles(content["counts"], thing),
        "counts": _count_rows(content),
        "n_classes": len(content["classes"]),
        "class_words": _class_words(content, thing),
        "n_classes_open": N_CLASSES_OPEN,
        "passed_over": content["passed_over"][:MAX_PASSED_OVER],
        "n_passed_over": len(content["passed_over"]),
    }


def verdict_of(content: Mapping[str, Any], things: str = "pictures") -> Verdict:
    """What the top of the page says; unreadable files count as one thing."""
    n_unreadable = len(content.get("unreadable", ()))
    findings = findings_of(content["findings"])
    at = {severity: [i for i, each in enumerate(findings) if each["severity"] == severity] for severity in SEVERITIES}
    points = [(f"#finding-{i + 1}", findings[i]["what"]) for i in at["error"]]
    if n_unreadable:
        points.append(("#unreadable", f"{count(n_unreadable, 'file')} cannot be read as pictures"))
    n, n_warnings, n_notes = len(points), len(at["warning"]), len(at["note"])
    others = [
        f"{count(n_warnings, 'warning')} should be looked at" if n and n_warnings else "",
        f"{count(n_notes, 'note')} {'is' if n_notes == 1 else 'are'} good to know" if n_notes else "",
    ]
    rest = listing([words for words in others if words])
    return Verdict(
        title=_title(n, n_warnings),
        kind="grave" if n else "doubtful" if n_warnings else "clear",
        points=tuple(points or [(f"#finding-{i + 1}", findings[i]["what"]) for i in at["warning"]]),
        rest=f"{rest}." if rest else "" if findings or n else f"No check raised a doubt about these {things}.",
    )


def _title(n_must: int, n_should: int) -> str:
    if n_must:
        return f"{count(n_must, 'thing')} must be acted on before a score can be trusted"
    if n_should:
        return f"Nothing must be acted on, but {count(n_should, 'thing')} should be looked at"
    return "Nothing must be acted on"


def _count_titles(counts: Mapping[str, Sequence[int]], thing: str) -> list[str]:
    if list(counts) == ["free"]:
        return [f"{thing.capitalize()}s"]
    return [*(_PART_TITLES[part] for part in counts), *(["In all"] if len(counts) > 1 else [])]


def _count_rows(content: Mapping[str, Any]) -> list[tuple[str, list[int]]]:
    """For each class, and for all of them last, the numbers under `_count_titles`."""
    columns = list(content["counts"].values())
    if len(columns) > 1:
        columns.append([sum(numbers) for numbers in zip(*columns, strict=True)])
    rows = [(name, [column[i] for column in columns]) for i, name in enumerate(content["classes"][:MAX_CLASSES])]
    return [*rows, ("", [sum(column) for column in columns])]


def _class_words(content: Mapping[str, Any], thing: str) -> str:
    """How large the classes are."""
    sizes = [sum(numbers) for numbers in zip(*content["counts"].values(), strict=True)]
    if min(sizes) == max(sizes):
        return f"Each has {count(sizes[0], thing)}."
    return f"The smallest has {count(min(sizes), thing)}, the largest {max(sizes):,}."
