"""Pictures that are unlike pictures should be, and looks that go with one class -> Findings.

A single odd picture is a note: it may well be meant. A look that one class has and the others have not is a
warning, for a network learns it sooner than what the class is about. Where the thresholds come from stands in
docs/oddities.md.
"""

from collections.abc import Sequence
from itertools import compress

import numpy as np
from jaxtyping import Bool, Int

from heldout.data.examples import Examples, some_of
from heldout.data.pictures.appearance import Appearance
from heldout.data.pictures.decoding import PictureFacts
from heldout.data.pictures.survey import Survey
from heldout.findings import MAX_NAMED, Finding, Severity

# Nothing in the picture is lighter than this. The darkest of 3,050 real photos has 0.28; a photo whose light is
# divided by five or more falls below (measured here, 2026-11-22).
DARK = 0.25
# Nothing is darker than this. The palest of 3,050 real photos has 0.70; with the contrast divided by five, four in
# five lie above (measured here, 2026-11-22).
BRIGHT = 0.75
# The least sharp of 3,050 real photos has 1.11. A blur with a standard deviation of 1.5 % of the longer side brings 95
# in 100 of them below 0.95, one of 2 % all (measured here, 2026-11-22).
BLURRED = 0.95
# The square in the middle shows a third of such a picture, or less.
LONG = 3.0
# Less of the area in uniform rows and columns is an accident of the edge (assumed).
FRAMED = 0.02
# A look belongs to a class that has it in at least this share, where the others have it in at most the rest ...
TYPICAL = 0.8
# ... and of fewer pictures in the class or outside of it nothing is said (assumed).
FEW = 10

_SHORTCUTS = 'Geirhos and others, "Shortcut Learning in Deep Neural Networks", 2020'
_TAGS = 'Lapuschkin and others, "Unmasking Clever Hans predictors", 2019'


def find_oddities(examples: Examples, appearances: Sequence[Appearance | None], survey: Survey) -> list[Finding]:
    """What is odd about single pictures, and which looks go with a class.

    Args:
        examples: The pictures.
        appearances: How each looks; None where it is not known.
        survey: What is known of each file.

    Returns:
        Findings in a fixed order, none where nothing is odd.
    """
    n = len(examples)
    assert len(appearances) == len(survey.facts) == n, (
        f"{n} examples, {len(appearances)} appearances, {len(survey.facts)} facts"
    )
    found = (
        _all_equal(examples, appearances),
        *_by_light(examples, appearances),
        _blurred(examples, appearances),
        _long(examples, survey.facts),
        _grey_among_colour(examples, appearances),
        _one_size_a_class(examples, survey.facts),
        *_looks_of_classes(examples, appearances),
    )
    return [finding for finding in found if finding is not None]


def _all_equal(examples: Examples, appearances: Sequence[Appearance | None]) -> Finding | None:
    return _about(
        examples,
        [look is not None and look.is_flat for look in appearances],
        code="one-colour-only",
        severity="warning",
        what="of one colour, every pixel the same",
        why="There is nothing to see: in train they teach nothing, in test they are right or wrong by chance.",
        fix="Remove them, or fetch the files again if they were damaged.",
    )


def _by_light(examples: Examples, appearances: Sequence[Appearance | None]) -> tuple[Finding | None, Finding | None]:
    dark = [look is not None and not look.is_flat and look.light_end < DARK for look in appearances]
    bright = [look is not None and not look.is_flat and look.dark_end > BRIGHT for look in appearances]
    why = "Little can be told apart in them; whether they belong to what will be predicted later is yours to say."
    fix = "Look at them; keep them if such pictures will come in use, otherwise remove them from every part."
    return (
        _about(
            examples,
            dark,
            code="too-dark",
            severity="note",
            what=f"nowhere lighter than {DARK:.0%} of white",
            why=why,
            fix=fix,
        ),
        _about(
            examples,
            bright,
            code="too-bright",
            severity="note",
            what=f"nowhere darker than {BRIGHT:.0%} of white",
            why=why,
            fix=fix,
        ),
    )


def _blurred(examples: Examples, appearances: Sequence[Appearance | None]) -> Finding | None:
    # In the dark or the pale ones there is too little to call it sharp or not, and they are named already.
    blurred = [
        look is not None
        and not look.is_flat
        and look.light_end >= DARK
        and look.dark_end <= BRIGHT
        and 0 < look.sharpness < BLURRED
        for look in appearances
    ]
    return _about(
        examples,
        blurred,
        code="blurred",
        severity="note",
        what="blurred all over",
        why="What tells the classes apart may be gone; a score on them says how well one can guess.",
        fix="Look at them; keep them if such pictures will come in use, otherwise remove them from every part.",
    )


def _long(examples: Examples, facts: Sequence[PictureFacts | None]) -> Finding | None:
    odd = [one is not None and max(one.width, one.height) >= LONG * min(one.width, one.height) for one in facts]
    return _about(
        examples,
        odd,
        code="extreme-aspect",
        severity="note",
        what=f"at least {LONG:g} times as long as wide",
        why="The network gets the square in the middle, a third of such a picture or less.",
        fix="Cut them to what matters, or into squares that stay in one part.",
    )


def _grey_among_colour(examples: Examples, appearances: Sequence[Appearance | None]) -> Finding | None:
    known = [look is not None for look in appearances]
    grey = [look is not None and look.is_grey for look in appearances]
    if sum(grey) == sum(known):
        return None
    if 2 * sum(grey) > sum(known):
        odd = [there and not is_grey for there, is_grey in zip(known, grey, strict=True)]
        return _about(
            examples,
            odd,
            code="colour-among-grey",
            severity="note",
            what="in colour, the others are grey",
            why="A network sees at once whether there is colour; where it goes with a class, that is a shortcut.",
            fix="See whether they come from another source; make all grey if colour means nothing.",
        )
    return _about(
        examples,
        grey,
        code="grey-among-colour",
        severity="note",
        what="without colour, the others have it",
        why="A network sees at once whether there is colour; where it goes with a class, that is a shortcut.",
        fix="See whether they come from another source or belong to one class.",
    )


def _about(
    examples: Examples, odd: Sequence[bool], *, code: str, severity: Severity, what: str, why: str, fix: str
) -> Finding | None:
    n = sum(odd)
    if not n:
        return None
    return Finding(
        code=code,
        severity=severity,
        what=f"{n:,} of {len(examples):,} pictures are {what}",
        why=why,
        fix=fix,
        where=tuple(compress(examples.ids, odd))[:MAX_NAMED],
    )


def _one_size_a_class(examples: Examples, facts: Sequence[PictureFacts | None]) -> Finding | None:
    known = np.array([one is not None for one in facts], bool)
    sides = np.array([(one.width, one.height) for one in facts if one is not None]).reshape(-1, 2)
    sizes, size_of = np.unique(sides, axis=0, return_inverse=True)
    labels = examples.labels[known]
    typical: dict[int, int] = {}
    for number in np.unique([np.bincount(size_of[labels == c]).argmax() for c in np.unique(labels)]).tolist():
        for label in _classes_with(labels, size_of == number, len(examples.classes)):
            typical[label] = number
    if not typical:
        return None
    names = [examples.classes[label] for label in typical]
    first = next(iter(typical))
    width, height = sizes[typical[first]].tolist()
    return Finding(
        code="one-size-per-class",
        severity="warning",
        what=f"{len(names):,} of {len(examples.classes):,} classes have a size of their own: {some_of(names)}; "
        f"{examples.classes[first]!r} is {width} x {height} pixels, other classes hardly ever",
        why="Traces of a size survive the resize (sharpness, proportions), so the class can be told without looking "
        "at what is shown: the score comes out too high for pictures from elsewhere.",
        fix="Find out why the sizes differ; bring all pictures to one size from the same kind of originals.",
        where=tuple(names[:MAX_NAMED]),
        source=_SHORTCUTS,
    )


def _looks_of_classes(examples: Examples, appearances: Sequence[Appearance | None]) -> list[Finding]:
    known = np.array([look is not None for look in appearances], bool)
    looks = [look for look in appearances if look is not None]
    framed = np.array([not look.is_flat and look.border > FRAMED for look in looks], bool)
    grey = np.array([look.is_grey for look in looks], bool)
    found = []
    for code, has, words in (
        ("border-by-class", framed, "a border of one colour"),
        ("grey-by-class", grey, "no colour"),
    ):
        classes = _classes_with(examples.labels[known], has, len(examples.classes))
        if not classes:
            continue
        names = [examples.classes[label] for label in classes]
        found.append(
            Finding(
                code=code,
                severity="warning",
                what=f"pictures of {some_of(names)} have {words}, those of other classes hardly ever",
                why="The class can be told by that alone: the score comes out too high for pictures without it.",
                fix="Remove it from all pictures (crop, or make all grey), or give every class pictures of both kinds.",
                where=tuple(names[:MAX_NAMED]),
                source=_TAGS,
            )
        )
    return found


def _classes_with(
    labels: Int[np.ndarray, " examples"], has: Bool[np.ndarray, " examples"], n_classes: int
) -> list[int]:
    """The classes of which nearly all have it, if hardly any example of the other classes has."""
    n = np.bincount(labels, minlength=n_classes)
    n_with = np.bincount(labels[has], minlength=n_classes)
    typical = (n >= FEW) & (n_with >= TYPICAL * n)
    n_others = n[~typical].sum()
    if n_others < FEW or n_with[~typical].sum() > (1 - TYPICAL) * n_others:
        return []
    found: list[int] = np.flatnonzero(typical).tolist()
    return found
