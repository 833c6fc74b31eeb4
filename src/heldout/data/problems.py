"""What in the data weakens a score -> Findings.

Copies are found by decoded pixels and size, so that a picture saved again as PNG is the same picture. Nothing
is removed or changed here: a Finding says what was seen, which way it moves the number and what to do.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np
from jaxtyping import Int

from heldout.data.class_problems import class_problems
from heldout.data.examples import PARTS, Examples
from heldout.data.groups import group_numbers
from heldout.data.pictures.survey import Survey
from heldout.data.splits import Split
from heldout.findings import MAX_NAMED, Finding

DUPLICATES = 'Barz and Denzler, "Do We Train on Test Data? Purging CIFAR of Near-Duplicates", 2020'
LABEL_ERRORS = 'Northcutt, Athalye and Mueller, "Pervasive Label Errors in Test Sets", 2021'

_Groups = list[list[int]]


def find_problems(examples: Examples, survey: Survey, split: Split | None) -> list[Finding]:
    """Everything about the data that a reader of its scores should know.

    Args:
        examples: What the scores are about.
        survey: Facts for each of these examples (None for an unreadable one), and the unreadable files, which
            may be left out of `examples` already.
        split: Of these examples; None judges the parts that come with the data, if any.

    Returns:
        Findings in a fixed order, none where nothing was found.
    """
    assert len(survey.facts) == len(examples), f"{len(survey.facts)} facts for {len(examples)} examples"
    parts = examples.given if split is None else split.parts
    copies = _copies(survey)
    found = (
        _across_parts(examples, parts, copies),
        _within_parts(examples, parts, copies),
        _two_labels(examples, copies),
        *class_problems(examples, parts, () if split is None else split.made),
        _left_out(survey),
        _mixed_modes(examples, survey),
        _passed_over(examples),
    )
    return [finding for finding in found if finding is not None]


def pixel_numbers(survey: Survey) -> Int[np.ndarray, " examples"]:
    """A number an example, equal where the pictures are equal pixel by pixel; an unreadable one has its own."""
    return group_numbers([f"{one.pixels} {one.width} x {one.height}" if one else "" for one in survey.facts])


def _copies(survey: Survey) -> _Groups:
    """Groups of two or more examples with the same pixels, in the order of their first."""
    groups: dict[int, list[int]] = {}
    for i, number in enumerate(pixel_numbers(survey).tolist()):
        groups.setdefault(number, []).append(i)
    return [group for group in groups.values() if len(group) > 1]


def _across_parts(examples: Examples, parts: Int[np.ndarray, " examples"], copies: _Groups) -> Finding | None:
    leaking = [group for group in copies if len({int(parts[i]) for i in group if parts[i] >= 0}) > 1]
    if not leaking:
        return None
    return Finding(
        code="duplicate-across-splits",
        severity="error",
        what=f"{len(leaking):,} pictures stand in more than one part: {'; '.join(_leaks(parts, leaking))}",
        why="A score on pictures that the network has learned by heart comes out too high.",
        fix="Remove the copies from one of the parts, or do not give the parts: heldout keeps copies together.",
        where=_ids(examples, leaking),
        source=DUPLICATES,
    )


def _leaks(parts: Int[np.ndarray, " examples"], groups: _Groups) -> Iterable[str]:
    """How many examples of each later part stand in an earlier one too."""
    by_part = [Counter(int(parts[i]) for i in group) for group in groups]
    for later, earlier in ((2, 0), (2, 1), (1, 0)):
        n = sum(counts[later] for counts in by_part if counts[earlier])
        if n:
            total = np.count_nonzero(parts == later)
            yield f"{n:,} of {total:,} {PARTS[later]} examples also stand in {PARTS[earlier]}"


def _within_parts(examples: Examples, parts: Int[np.ndarray, " examples"], copies: _Groups) -> Finding | None:
    inside = [
        [i for i in group if parts[i] == part] for group in copies for part in sorted({int(parts[i]) for i in group})
    ]
    inside = [group for group in inside if len(group) > 1]
    if not inside:
        return None
    n_extra = sum(len(group) - 1 for group in inside)
    return Finding(
        code="duplicate-within-split",
        severity="note",
        what=f"{len(inside):,} pictures have copies in the same part, {n_extra:,} examples more than pictures",
        why="A copy tells nothing new: n counts it all the same, so an interval comes out a little too narrow.",
        fix="Keep one of each.",
        where=_ids(examples, inside),
        source=DUPLICATES,
    )


def _two_labels(examples: Examples, copies: _Groups) -> Finding | None:
    torn = [group for group in copies if len({int(examples.labels[i]) for i in group}) > 1]
    if not torn:
        return None
    first = [f"{examples.ids[i]!r} is {examples.classes[examples.labels[i]]!r}" for i in torn[0][:3]]
    return Finding(
        code="one-picture-two-labels",
        severity="error",
        what=f"{len(torn):,} pictures stand under two or more classes; the first: {', '.join(first)}",
        why="At most one of the labels is right: no model can reach 100 %, and in train they teach a contradiction.",
        fix="Look at them, keep the right one of each and remove the others.",
        where=_ids(examples, torn),
        source=LABEL_ERRORS,
    )


def _left_out(survey: Survey) -> Finding | None:
    n = len(survey.unreadable)
    if not n:
        return None
    n_files = n + sum(facts is not None for facts in survey.facts)
    reasons = Counter(file.reason for file in survey.unreadable)
    return Finding(
        code="pictures-left-out",
        severity="warning",
        what=f"{n:,} of {n_files:,} files cannot be read and are in no part: {_tally(reasons)}",
        why="The score holds for the others. If one class or one source is hit more, its share is off.",
        fix="Repair the files or fetch them again; heldout check lists every one with its reason.",
        where=tuple(file.id for file in survey.unreadable[:MAX_NAMED]),
    )


def _mixed_modes(examples: Examples, survey: Survey) -> Finding | None:
    modes = Counter(facts.mode for facts in survey.facts if facts is not None)
    if len(modes) < 2:
        return None
    usual = modes.most_common(1)[0][0]
    odd = [i for i, facts in enumerate(survey.facts) if facts is not None and facts.mode != usual]
    return Finding(
        code="mixed-modes",
        severity="note",
        what=f"the pictures are stored in {len(modes)} colour modes: {_tally(modes)}",
        why="All become RGB by one rule, but grey or transparent pictures stay recognisable: where they go with a "
        "class, the network can answer by the mode.",
        fix=f"See whether those that are not {usual} belong to one class or one part.",
        where=tuple(examples.ids[i] for i in odd[:MAX_NAMED]),
    )


def _passed_over(examples: Examples) -> Finding | None:
    if not examples.passed_over:
        return None
    reasons = Counter(thing.reason for thing in examples.passed_over)
    return Finding(
        code="passed-over",
        severity="note",
        what=f"{len(examples.passed_over):,} things that stand with the data were not used: {_tally(reasons)}",
        why="What was meant as an example and is not used is missing from every number.",
        fix="Rename or move what was meant to be used.",
        where=tuple(thing.name for thing in examples.passed_over[:MAX_NAMED]),
    )


def _ids(examples: Examples, groups: _Groups) -> tuple[str, ...]:
    return tuple(examples.ids[i] for group in groups for i in group)[:MAX_NAMED]


def _tally(counter: Counter[str], n_shown: int = 5) -> str:
    shown = ", ".join(f"{name} ({n:,})" for name, n in counter.most_common(n_shown))
    return shown + (f" and {len(counter) - n_shown:,} other" if len(counter) > n_shown else "")
