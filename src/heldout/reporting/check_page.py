"""What a look at the data found -> check.html: one file, no network, nothing in the data can run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from heldout.data.examples import Examples
from heldout.findings import SEVERITIES
from heldout.provenance import version
from heldout.reporting.pairs import KINDS, allotted, part_of
from heldout.reporting.rendering import render
from heldout.reporting.sections import Fact, SamplePicture, findings_of, image_address
from heldout.reporting.wording import count, listing

# All bounds are assumed: with them a page has at most about 450 small pictures, 3 MB of photos.
MAX_PAIRS = 60
MAX_OF_FINDING = 12
MAX_UNREADABLE = 5000
MAX_PASSED_OVER = 1000
MAX_CLASSES = 2000
N_FIRST_SIGHT = 8
# So many classes are read at once; a longer table is folded away.
N_CLASSES_OPEN = 16

_STYLES = ("base.css", "parts.css", "answers.css", "print.css", "check.css")
_SCRIPTS = ("reading.js",)
_PART_TITLES = {"free": "In no part", "train": "Train", "validation": "Validation", "test": "Test"}
# Doubts about how the pictures of a class look: where such a finding names classes, some pictures of each are shown.
_ABOUT_LOOKS = ("-by-class", "-per-class")


@dataclass(frozen=True, slots=True)
class ExamplePicture:
    """A picture of the data; `source` is a data: address, `part` is empty where the data gives no parts at all."""

    id: str
    label: str
    part: str
    source: str


@dataclass(frozen=True, slots=True)
class PairShown:
    """Two pictures that look like copies of each other."""

    first: ExamplePicture
    second: ExamplePicture
    likeness: str
    exact: bool
    across: bool
    torn: bool


@dataclass(frozen=True, slots=True)
class PairsOfKind:
    """What is shown of one kind of pairs: what they do to a score, how many there are, and some of them."""

    title: str
    meaning: str
    n: int
    shown: tuple[PairShown, ...]


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


@dataclass(frozen=True, slots=True, eq=False)
class Album:
    """The pictures of the data, to be looked up by id.

    Attributes:
        examples: All of them.
        thumbnail: The small JPEG of the example at an index; None where it is unreadable.
        index_of: The index of each id.
    """

    examples: Examples
    thumbnail: Callable[[int], bytes | None]
    index_of: Mapping[str, int]


def check_page(
    content: Mapping[str, Any],
    examples: Examples,
    *,
    name: str,
    samples: Sequence[SamplePicture],
    thumbnail: Callable[[int], bytes | None],
) -> bytes:
    """The page as UTF-8, a few megabytes at most however many pictures there are.

    Args:
        content: What is written to check.json.
        examples: What it is about.
        name: What the page is called.
        samples: Some pictures as the eye sees them and as the network does.
        thumbnail: The small JPEG of the example at an index; None where it is unreadable.
    """
    album = Album(examples, thumbnail, {example: index for index, example in enumerate(examples.ids)})
    view = {
        "name": name,
        "version": version(),
        "verdict": verdict_of(content),
        "summary": f"{count(content['n'], 'picture')} of {count(len(content['classes']), 'class', 'classes')}, as "
        f"{content['layout']}",
        "first_sight": [samples[i] for i in _spread(len(samples), N_FIRST_SIGHT)],
        "count_titles": _count_titles(content["counts"]),
        "counts": _count_rows(content),
        "n_classes": len(content["classes"]),
        "class_words": _class_words(content),
        "n_classes_open": N_CLASSES_OPEN,
        "findings": [
            {**finding, "pictures": list(finding_pictures(finding, album))}
            for finding in findings_of(content["findings"])
        ],
        "pairs": content["pairs"],
        "pair_kinds": pairs_shown(content["pairs"], album),
        "unreadable": content["unreadable"][:MAX_UNREADABLE],
        "n_unreadable": len(content["unreadable"]),
        "passed_over": content["passed_over"][:MAX_PASSED_OVER],
        "n_passed_over": len(content["passed_over"]),
        "facts": _facts(content),
        "samples": samples,
    }
    return render("check.html.j2", view, styles=_STYLES, scripts=_SCRIPTS)


def verdict_of(content: Mapping[str, Any]) -> Verdict:
    """What the top of the page says; unreadable files count as one thing."""
    findings = findings_of(content["findings"])
    at = {severity: [i for i, each in enumerate(findings) if each["severity"] == severity] for severity in SEVERITIES}
    points = [(f"#finding-{i + 1}", findings[i]["what"]) for i in at["error"]]
    if content["unreadable"]:
        points.append(("#unreadable", f"{count(len(content['unreadable']), 'file')} cannot be read as pictures"))
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
        rest=f"{rest}." if rest else "" if findings or n else "No check raised a doubt about these pictures.",
    )


def _title(n_must: int, n_should: int) -> str:
    if n_must:
        return f"{count(n_must, 'thing')} must be acted on before a score can be trusted"
    if n_should:
        return f"Nothing must be acted on, but {count(n_should, 'thing')} should be looked at"
    return "Nothing must be acted on"


def finding_pictures(finding: Mapping[str, Any], album: Album) -> Iterator[ExamplePicture]:
    """At most 12 of the pictures that a finding names; some of each class where it is about how classes look."""
    examples = album.examples
    named = [album.index_of[place] for place in finding["where"] if place in album.index_of]
    code = finding["code"]
    if not named and finding["severity"] != "note" and (code.endswith(_ABOUT_LOOKS) or code.startswith("shortcut-")):
        named = _some_of_classes(finding["where"], examples)
    n_left = MAX_OF_FINDING
    for index in named:
        picture = _picture(index, album) if n_left else None
        if picture is not None:
            n_left -= 1
            yield picture


def _some_of_classes(names: Sequence[str], examples: Examples) -> list[int]:
    """The same number of each of the first classes, 6 in all where that goes, spread over each."""
    labels = [examples.classes.index(name) for name in names if name in examples.classes][:MAX_OF_FINDING]
    chosen: list[int] = []
    for label in labels:
        members = np.flatnonzero(examples.labels == label)
        chosen += members[_spread(len(members), max(1, MAX_OF_FINDING // 2 // len(labels)))].tolist()
    return chosen


def pairs_shown(record: Mapping[str, Any], album: Album) -> list[PairsOfKind]:
    """At most 60 pairs, by kind, the gravest kind first; a kind of which there are none is left out."""
    numbers = [record["n_of_kind"][kind] for kind in KINDS]
    shown = []
    for kind, n, room in zip(KINDS, numbers, allotted(numbers, MAX_PAIRS), strict=True):
        of_kind = [pair for pair in record["shown"] if pair["kind"] == kind][:room]
        title, meaning = _KIND_WORDS[kind]
        if n:
            shown.append(PairsOfKind(title, meaning, n, tuple(filter(None, (_pair(each, album) for each in of_kind)))))
    return shown


_KIND_WORDS = {
    "across-parts": (
        "In two parts",
        "One of the two was there to learn from: a score on the other comes out too high.",
    ),
    "two-labels": (
        "Under two labels",
        "If both show the same thing, at most one of the labels is right.",
    ),
    "within-part": (
        "Under one label, not in two parts",
        "They count twice and tell little new. A split that is made here keeps them together.",
    ),
}


def _pair(pair: Mapping[str, Any], album: Album) -> PairShown | None:
    first, second = (_picture(album.index_of[pair[end]], album) for end in ("first", "second"))
    if first is None or second is None:
        return None
    return PairShown(
        first=first,
        second=second,
        likeness="exact copy" if pair["exact"] else _likeness(pair["likeness"]),
        exact=pair["exact"],
        across=pair["kind"] == "across-parts",
        torn=first.label != second.label,
    )


def _likeness(share: float) -> str:
    """In three digits; what would round to equality is shown as almost that."""
    return "likeness > 0.999" if share >= 0.9995 else f"likeness {share:.3f}"


def _picture(index: int, album: Album) -> ExamplePicture | None:
    jpeg = album.thumbnail(index)
    if jpeg is None:
        return None
    examples = album.examples
    part = part_of(examples, index) if np.any(examples.given >= 0) else ""
    return ExamplePicture(
        id=examples.ids[index],
        label=examples.classes[examples.labels[index]],
        part="in no part" if part == "free" else part,
        source=image_address(jpeg),
    )


def _spread(n: int, n_wanted: int) -> list[int]:
    """Up to so many places, spread evenly over `n`."""
    places: list[int] = np.linspace(0, n - 1, min(n, n_wanted)).astype(np.int64).tolist()
    return places


def _count_titles(counts: Mapping[str, Sequence[int]]) -> list[str]:
    if list(counts) == ["free"]:
        return ["Pictures"]
    return [*(_PART_TITLES[part] for part in counts), *(["In all"] if len(counts) > 1 else [])]


def _count_rows(content: Mapping[str, Any]) -> list[tuple[str, list[int]]]:
    """For each class, and for all of them last, the numbers under `_count_titles`."""
    columns = list(content["counts"].values())
    if len(columns) > 1:
        columns.append([sum(numbers) for numbers in zip(*columns, strict=True)])
    rows = [(name, [column[i] for column in columns]) for i, name in enumerate(content["classes"][:MAX_CLASSES])]
    return [*rows, ("", [sum(column) for column in columns])]


def _class_words(content: Mapping[str, Any]) -> str:
    """How large the classes are."""
    sizes = [sum(numbers) for numbers in zip(*content["counts"].values(), strict=True)]
    if min(sizes) == max(sizes):
        return f"Each has {count(sizes[0], 'picture')}."
    return f"The smallest has {count(min(sizes), 'picture')}, the largest {max(sizes):,}."


def _facts(content: Mapping[str, Any]) -> list[Fact]:
    sizes = content["sizes"]
    facts = [Fact("Layout", content["layout"])]
    if groups := content["groups"]:
        facts.append(Fact("Groups", f"{groups['n']:,}, the largest of {count(groups['largest'], 'picture')}"))
    if sizes["median"]:
        smallest, median, largest = (" × ".join(map(str, sizes[key])) for key in ("smallest", "median", "largest"))
        n = sizes["n_different"]
        spread = f"{median} (median), from {smallest} to {largest}, {n:,} different" if n > 1 else f"all {median}"
        facts.append(Fact("Size", f"{spread}, in pixels"))
    for title, key in (("Colour modes", "modes"), ("Formats", "formats")):
        facts.append(Fact(title, ", ".join(f"{name} {n:,}" for name, n in content[key].items()) or "none"))
    return facts
