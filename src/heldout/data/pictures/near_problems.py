"""What near copies in the data do to a score -> Findings.

Copies that are equal pixel by pixel are the matter of `problems.py` and left out here, so that no pair is told twice.
Nothing is removed or changed: a pair is a reason to look, and the files are named so that one can.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Int

from heldout.data.examples import PARTS, Examples
from heldout.data.pictures.near_duplicates import Pairs, clusters
from heldout.data.pictures.survey import Survey
from heldout.data.problems import DUPLICATES, LABEL_ERRORS, pixel_numbers
from heldout.findings import MAX_NAMED, Finding


def near_duplicate_findings(
    examples: Examples, parts: Int[np.ndarray, " examples"], pairs: Pairs, *, survey: Survey | None = None
) -> list[Finding]:
    """What a reader of the scores should know of pictures that look like copies of each other.

    Args:
        examples: What the scores are about.
        parts: Of each example, index into `PARTS`; -1 where it is in none yet.
        pairs: Of these examples, by their indices.
        survey: Facts for each of these examples; pairs that are equal pixel by pixel are then left out.

    Returns:
        Findings in a fixed order, none where nothing was found.
    """
    assert len(parts) == len(examples), f"{len(parts)} parts for {len(examples)} examples"
    if survey is not None:
        pairs = pairs.keep(~same_pixels(survey, pairs))
    first, second = parts[pairs.first], parts[pairs.second]
    found = (
        _across_parts(examples, parts, pairs.keep((first != second) & (first >= 0) & (second >= 0))),
        _within_parts(examples, pairs.keep(first == second)),
        _two_labels(examples, pairs.keep(examples.labels[pairs.first] != examples.labels[pairs.second])),
    )
    return [finding for finding in found if finding is not None]


def same_pixels(survey: Survey, pairs: Pairs) -> Bool[np.ndarray, " pairs"]:
    """Which pairs are equal pixel by pixel, so that they are exact copies and not near ones."""
    numbers = pixel_numbers(survey)
    equal: Bool[np.ndarray, " pairs"] = numbers[pairs.first] == numbers[pairs.second]
    return equal


def leaked(parts: Int[np.ndarray, " examples"], pairs: Pairs, *, part: str) -> Bool[np.ndarray, " examples"]:
    """Which examples of a part have a near copy in an earlier one: what a score without leaks leaves out.

    Example:
        >>> pairs = Pairs(np.array([0, 1]), np.array([2, 3]), np.array([0.99, 0.97]))
        >>> leaked(np.array([0, 2, 2, 2]), pairs, part="test")
        array([False, False,  True, False])
    """
    later = PARTS.index(part)
    is_leaked = np.zeros(len(parts), bool)
    for one, other in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
        is_leaked[one[(parts[one] == later) & (parts[other] >= 0) & (parts[other] < later)]] = True
    return is_leaked


def _across_parts(examples: Examples, parts: Int[np.ndarray, " examples"], pairs: Pairs) -> Finding | None:
    if not len(pairs):
        return None
    return Finding(
        code="near-duplicate-across-splits",
        severity="error",
        what=f"{len(pairs):,} pairs of near copies stand in two parts: {'; '.join(_leaks(parts, pairs))}",
        why="A score on pictures that the network has nearly seen in training comes out too high.",
        fix="Look at them and remove the copies from one of the parts, or do not give the parts: heldout keeps near "
        "copies together.",
        where=_ids(examples, pairs),
        source=DUPLICATES,
    )


def _leaks(parts: Int[np.ndarray, " examples"], pairs: Pairs) -> Iterator[str]:
    """How many examples of each later part have a near copy in an earlier one."""
    ends = ((pairs.first, pairs.second), (pairs.second, pairs.first))
    for later, earlier in ((2, 0), (2, 1), (1, 0)):
        n = len({int(i) for one, other in ends for i in one[(parts[one] == later) & (parts[other] == earlier)]})
        if n:
            total = np.count_nonzero(parts == later)
            yield f"{n:,} of {total:,} {PARTS[later]} examples have a near copy in {PARTS[earlier]}"


def _within_parts(examples: Examples, pairs: Pairs) -> Finding | None:
    if not len(pairs):
        return None
    n_together = np.bincount(clusters(len(examples), pairs))
    n_groups, n_extra = np.count_nonzero(n_together > 1), np.sum(n_together[n_together > 1] - 1)
    return Finding(
        code="near-duplicate-within-split",
        severity="note",
        what=f"{n_groups:,} groups of near copies stand within a part, the largest of {n_together.max():,} pictures; "
        f"{n_extra:,} examples more than groups",
        why="A near copy tells little new: n counts it all the same, so an interval comes out a little too narrow.",
        fix="Keep one of each.",
        where=_ids(examples, pairs),
        source=DUPLICATES,
    )


def _two_labels(examples: Examples, pairs: Pairs) -> Finding | None:
    if not len(pairs):
        return None
    best = int(np.argmax(pairs.likeness))
    i, j = int(pairs.first[best]), int(pairs.second[best])
    of_i, of_j = (f"{examples.ids[example]!r} is {examples.classes[examples.labels[example]]!r}" for example in (i, j))
    return Finding(
        code="near-copies-two-labels",
        severity="warning",
        what=f"{len(pairs):,} pairs of near copies stand under two classes; the most alike: {of_i}, {of_j}",
        why="If both show the same thing, at most one label is right, and no model can be right about both.",
        fix="Look at them, and correct or remove those that are wrong.",
        where=_ids(examples, pairs),
        source=LABEL_ERRORS,
    )


def _ids(examples: Examples, pairs: Pairs) -> tuple[str, ...]:
    """Both files of each pair, the most alike first."""
    order = np.argsort(-pairs.likeness, kind="stable")
    ends = np.stack([pairs.first[order], pairs.second[order]], axis=1).ravel()
    return tuple(examples.ids[i] for i in dict.fromkeys(ends.tolist()))[:MAX_NAMED]
