"""Groups: examples that must not be parted, such as the pictures of one patient, one camera or one burst.

`group_by` says how they are told apart. It is either

- the name of a column of the listing: `patient`; or
- a regular expression that is searched for in each id: its first group, or the whole match where it has none, names
  the example's group. `^(p[0-9]+)_` makes one group of `p12_left.jpg` and `p12_right.jpg`.

A plain word is taken for a column: as an expression it could match nothing but itself and so name one group only.
Everything but `with_groups` works on names and numbers, whatever the examples are.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from heldout.data.examples import PARTS, Examples, some_of
from heldout.errors import DataError, UsageError
from heldout.findings import MAX_NAMED, Finding

# Bootstraps over fewer groups than about ten cover less than they say (Cameron, Gelbach and Miller, 2008).
_FEW_FOR_TEST = 10
_PLAIN = re.compile(r"[^\\.^$*+?{}\[\]|()]+")
_SOURCE = 'Kapoor and Narayanan, "Leakage and the reproducibility crisis in ML-based science", Patterns 2023'


def is_column(group_by: str) -> bool:
    """Whether it can only be meant as the name of a column: it has no sign that a regular expression has.

    Example:
        >>> is_column("patient"), is_column("^p[0-9]+")
        (True, False)
    """
    return _PLAIN.fullmatch(group_by) is not None


def pattern_of(group_by: str) -> re.Pattern[str]:
    """The regular expression, compiled.

    Raises:
        UsageError: It is none.
    """
    try:
        return re.compile(group_by)
    except (re.error, OverflowError, RecursionError) as error:
        raise UsageError(
            f"group_by is {group_by!r}, which is no regular expression: {error}",
            expected="the name of a column of the listing, or a regular expression whose first group names the group",
            fix=r"such as --group-by patient, or --group-by '^(patient\d+)_'",
        ) from error


def distinct(numbers: Int[np.ndarray, " examples"]) -> Int[np.ndarray, " distinct"]:
    """The different numbers, ascending: `np.unique`, which hashes whole numbers since numpy 2.3, but by sorting.

    A million different ones took 0.78 s hashed and 0.02 s sorted (measured here, 2026-11-23).

    Example:
        >>> distinct(np.array([7, 3, 7])).tolist()
        [3, 7]
    """
    ordered = np.sort(numbers)
    is_new = np.ones(len(ordered), bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return np.asarray(ordered[is_new])


def group_numbers(names: Sequence[str]) -> Int[np.ndarray, " examples"]:
    """A number an example, equal where the names are; each empty name is a group of its own.

    Example:
        >>> group_numbers(["p1", "", "p1", ""]).tolist()
        [0, 1, 0, 2]
    """
    known: dict[object, int] = {}
    return np.array([known.setdefault(name or index, len(known)) for index, name in enumerate(names)], dtype=np.int64)


def names_by_pattern(ids: Sequence[str], pattern: re.Pattern[str]) -> tuple[str, ...]:
    """What the first group of the pattern (or all of it) matches in each id; empty where nothing does.

    Example:
        >>> names_by_pattern(["cat/p1_a.jpg", "cat/x.jpg"], re.compile(r"(p[0-9]+)_"))
        ('p1', '')
    """
    wanted = 1 if pattern.groups else 0
    found = (pattern.search(name) for name in ids)
    return tuple((match[wanted] or "") if match else "" for match in found)


def with_groups(examples: Examples, group_by: str) -> Examples:
    """The same examples with the name of each one's group; an empty name where it is a group of its own.

    Args:
        examples: Those of a listing that was read with this `group_by` have the cells of its column already.
        group_by: The name of a column, or a regular expression on the id; empty for no groups.

    Raises:
        UsageError: A regular expression that is none.
        DataError: A column where there are none, no name for any example, or all examples in one group.
    """
    if not group_by:
        return examples
    names = examples.groups or _by_pattern(examples, group_by)
    if not any(names):
        raise DataError(
            f"{group_by!r} names no group for any of {len(names):,} examples, the first: {some_of(examples.ids, 3)}",
            expected="a name for at least some of them",
            fix="fill the column"
            if examples.groups
            else "mend the expression: it is searched for in paths such as these",
        )
    if all(name == names[0] for name in names):
        raise DataError(
            f"{group_by!r} puts all {len(names):,} examples into one group, {names[0]!r}: nothing can be held out",
            expected="several groups of every class",
            fix="group by what differs between them, such as the patient and not the hospital",
        )
    return replace(examples, groups=names)


def _by_pattern(examples: Examples, group_by: str) -> tuple[str, ...]:
    if is_column(group_by):
        raise DataError(
            f"{group_by!r} can only be the name of a column, and the data ({examples.layout}) has no columns",
            expected="a listing (.csv, .tsv, .parquet) with that column, or a regular expression on the path",
            fix=rf"such as --group-by '({group_by}\d+)', if {group_by!r} and a number stand in the paths",
        )
    return names_by_pattern(examples.ids, pattern_of(group_by))


def joined(first: Int[np.ndarray, " examples"], second: Int[np.ndarray, " examples"]) -> Int[np.ndarray, " examples"]:
    """Clusters in which belongs together what belongs together in either: the components of both.

    Args:
        first: Examples with the same number belong together.
        second: The same by another measure; the numbers of the two have nothing to do with each other.

    Returns:
        0, 1, ... in the order of first appearance.

    Example:
        >>> joined(np.array([0, 0, 1, 2]), np.array([5, 6, 6, 7])).tolist()
        [0, 0, 0, 1]
    """
    assert len(first) == len(second), f"{len(first)} and {len(second)} examples"
    edges = [(np.arange(len(numbers)), _first_of_each(numbers)) for numbers in (first, second)]
    ends = (np.concatenate(side) for side in zip(*edges, strict=True))
    return np.unique(components(len(first), *ends), return_inverse=True)[1]


def components(
    n: int, first: Int[np.ndarray, " edges"], second: Int[np.ndarray, " edges"]
) -> Int[np.ndarray, " examples"]:
    """What hangs together by a chain of edges: for each of `n` examples the index of the first one it hangs with.

    Example:
        >>> components(5, np.array([0, 1]), np.array([1, 4])).tolist()
        [0, 0, 2, 3, 0]
    """
    leader = list(range(n))

    def root(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]  # halves the way for whoever comes after
            i = leader[i]
        return i

    apart = first != second
    for one, other in zip(first[apart].tolist(), second[apart].tolist(), strict=True):
        low, high = sorted((root(one), root(other)))
        leader[high] = low
    return np.fromiter((root(i) for i in range(n)), np.int64, n)


def group_problems(names: Sequence[str], parts: Int[np.ndarray, " examples"], *, group_by: str) -> list[Finding]:
    """What the groups say against a score: groups that are parted, examples without a group, few groups in test.

    Args:
        names: The group of each example, empty where it has none.
        parts: Index into `PARTS`; negative where the data does not say.
        group_by: What named the groups.
    """
    found = (_parted(names, parts, group_by), _unnamed(names, group_by), _few_in_test(names, parts, group_by))
    return [finding for finding in found if finding is not None]


def _parted(names: Sequence[str], parts: Int[np.ndarray, " examples"], group_by: str) -> Finding | None:
    numbers = group_numbers(names)
    is_there = np.zeros((int(numbers.max(initial=-1)) + 1, len(PARTS)), bool)
    is_there[numbers[parts >= 0], parts[parts >= 0]] = True
    parted = is_there.sum(axis=1) > 1
    if not parted.any():
        return None
    shares = []
    for later, earlier in ((2, 0), (2, 1), (1, 0)):
        inside = numbers[parts == later]
        n = int(np.count_nonzero(is_there[inside, earlier]))
        if n:
            shares.append(
                f"{n:,} of {len(inside):,} {PARTS[later]} examples are of groups that are also in {PARTS[earlier]}"
            )
    name_of = dict(zip(numbers.tolist(), names, strict=True))
    return Finding(
        code="group-across-splits",
        severity="error",
        what=f"{int(parted.sum()):,} of {len(parted):,} groups by {group_by!r} are parted by the parts that came with "
        f"the data: {'; '.join(shares)}",
        why="What the network learns of a patient, a camera or a burst helps it on the rest of that group and not on "
        "new ones: the score comes out too high.",
        fix="Put each group into one part, or do not give the parts: heldout keeps groups whole.",
        where=tuple(name_of[number] for number in np.flatnonzero(parted)[:MAX_NAMED].tolist()),
        source=_SOURCE,
    )


def _unnamed(names: Sequence[str], group_by: str) -> Finding | None:
    n = sum(not name for name in names)
    if not n:
        return None
    return Finding(
        code="examples-without-group",
        severity="warning",
        what=f"{group_by!r} names no group for {n:,} of {len(names):,} examples; each of them is a group of its own",
        why="If some of them belong together, they may stand in train and in test, and the score comes out too high.",
        fix="Fill the column, or widen the expression, if they have a group.",
    )


def _few_in_test(names: Sequence[str], parts: Int[np.ndarray, " examples"], group_by: str) -> Finding | None:
    inside = group_numbers(names)[parts == PARTS.index("test")]
    n_groups = len(np.unique(inside))
    if not 0 < n_groups < _FEW_FOR_TEST:
        return None
    return Finding(
        code="few-groups",
        severity="warning",
        what=f"the {len(inside):,} test examples are of {n_groups} {'group' if n_groups == 1 else 'groups'} "
        f"by {group_by!r}",
        why="New groups are what the score is claimed for, and so few say little of others: the interval is wide and "
        "rests on a rough approximation.",
        fix="Add other groups rather than examples of the same ones; where heldout makes the split, --set "
        "data.test_share=0.4 holds out more of them.",
        source="Cameron, Gelbach and Miller, Bootstrap-based improvements for inference with clustered errors, 2008",
    )


def _first_of_each(numbers: Int[np.ndarray, " examples"]) -> Int[np.ndarray, " examples"]:
    """For each example the index of the first one with its number."""
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    return first[inverse]
