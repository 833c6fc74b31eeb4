"""What a look at the data found -> check.html: one file, no network, nothing in the data can run."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from heldout.data.examples import Examples
from heldout.reporting.check_parts import shared_view
from heldout.reporting.pairs import KINDS, allotted, part_of
from heldout.reporting.rendering import render
from heldout.reporting.sections import Fact, SamplePicture, findings_of, image_address
from heldout.reporting.wording import count

# All bounds are assumed: with them a page has at most about 450 small pictures, 3 MB of photos.
MAX_PAIRS = 60
MAX_OF_FINDING = 12
MAX_UNREADABLE = 5000
N_FIRST_SIGHT = 8

_STYLES = ("base.css", "parts.css", "answers.css", "print.css", "check.css")
_SCRIPTS = ("reading.js",)
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
        **shared_view(content, name, "picture"),
        "first_sight": [samples[i] for i in _spread(len(samples), N_FIRST_SIGHT)],
        "findings": [
            {**finding, "pictures": list(finding_pictures(finding, album))}
            for finding in findings_of(content["findings"])
        ],
        "pairs": content["pairs"],
        "pair_kinds": pairs_shown(content["pairs"], album),
        "unreadable": content["unreadable"][:MAX_UNREADABLE],
        "n_unreadable": len(content["unreadable"]),
        "facts": _facts(content),
        "samples": samples,
    }
    return render("check.html.j2", view, styles=_STYLES, scripts=_SCRIPTS)


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
