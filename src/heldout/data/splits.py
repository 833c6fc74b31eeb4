"""Examples -> train, validation and test: stratified, seeded, and never through a cluster.

What the data says stays. A part that it does not give is drawn (`drawing.py`) from the examples that it leaves
open or puts into train: first test, then validation from what remains.

Clusters (near-copies, bursts, patients) are drawn whole, so a part that is made here shares no cluster with
another part. A cluster that reaches into a given validation or test part takes no part in the draw: what the
data puts into train stays in train, for a leak that comes with the data is a Finding and not ours to hide;
what the data leaves open joins the given part, so that no new leak comes about.

A class with too few examples (or clusters) for all parts is in train first, then in test, then in validation;
`small_classes.py` says which classes that concerns.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from heldout.data.drawing import Pool, draw
from heldout.data.examples import PARTS, Examples, some_of
from heldout.errors import DataError, UsageError, one_of
from heldout.randomness import stream

_TRAIN, _VALIDATION, _TEST = range(3)  # as in PARTS


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Which part each example is in.

    Attributes:
        parts: int8, index into `PARTS`, in the order of the examples.
        made: The parts that heldout made, in the order of `PARTS`; empty where all came with the data.
        seed: What the made parts were drawn with.
    """

    parts: Int[np.ndarray, " examples"]
    made: tuple[str, ...]
    seed: int

    def indices(self, part: str) -> Int[np.ndarray, " chosen"]:
        """The examples of one part, ascending.

        Raises:
            UsageError: `part` is not one of `PARTS`.
        """
        if part not in PARTS:
            raise one_of("part", part, PARTS)
        return np.flatnonzero(self.parts == PARTS.index(part))


def make_split(
    examples: Examples,
    *,
    seed: int,
    clusters: Int[np.ndarray, " examples"] | None = None,
    test_share: float = 0.2,
    validation_share: float = 0.2,
) -> Split:
    """A part for every example: what the data says, and for the rest a stratified, seeded draw.

    Without clusters a part that is made has its share of all examples rounded to the nearest, and of each
    class its share rounded up or down, but at least one example of each, and one is left for every other
    part where there are enough; the sizes do not depend on the seed. With clusters it comes as near as whole
    clusters allow.

    Args:
        examples: What to split.
        seed: Any integer; the same ids, labels, clusters and seed give the same split.
        clusters: Examples with the same number belong together; the numbers themselves do not matter.
        test_share: Of the examples that the data puts neither into validation nor into test; between 0 and 1.
        validation_share: Of those that are left after test has been taken out; between 0 and 1.

    Raises:
        DataError: Only one class, nothing to train on, a class without any example, or no way to put anything
            into validation, or two classes into test.
        UsageError: A share is not between 0 and 1.

    Example:
        >>> from pathlib import Path
        >>> from heldout.data.examples import gather
        >>> from heldout.data.storage.sources import FolderSource
        >>> rows = [(f"{name}/{i}.jpg", name, -1) for name in ("cat", "dog") for i in range(10)]
        >>> split = make_split(gather(FolderSource(Path(".")), rows, layout="class folders"), seed=0)
        >>> [len(split.indices(part)) for part in PARTS], split.made
        ([13, 3, 4], ('train', 'validation', 'test'))
    """
    shares = {_TEST: test_share, _VALIDATION: validation_share}
    for part, share in shares.items():
        _check_share(part, share)
    is_given = np.bincount(examples.given[examples.given >= 0], minlength=len(PARTS)) > 0
    wanted = [part for part in shares if not is_given[part]]
    clusters = np.arange(len(examples)) if clusters is None else clusters
    parts, is_open = _settle_given(examples.given, clusters)
    _check_training(examples, parts)
    # Classes that are in train whatever is drawn need not be left any example.
    needs_train = ~_has_class(examples, (parts == _TRAIN) & ~is_open)
    pool = Pool.of(np.flatnonzero(is_open), examples.labels[is_open], clusters[is_open], len(examples.classes))
    if wanted:
        _check_no_class_is_empty(examples)
    for n_made, part in enumerate(wanted, start=1):
        # One for train and for each part to come, but not for those at the cost of this one.
        reserve = np.minimum(len(wanted) - n_made + needs_train, np.maximum(needs_train, pool.n_clusters_a_class - 1))
        chosen = draw(pool, shares[part], reserve=reserve, generator=stream(seed, "split", part))
        _check_part(examples, pool, chosen, part)
        parts[pool.indices[chosen]] = part
        pool = pool.without(chosen)
    made = tuple(name for part, name in enumerate(PARTS) if part in wanted or not is_given[part])
    return Split(parts=parts, made=made, seed=seed)


def _settle_given(
    given: Int[np.ndarray, " examples"], clusters: Int[np.ndarray, " examples"]
) -> tuple[Int[np.ndarray, " examples"], Bool[np.ndarray, " examples"]]:
    """The parts as far as the data settles them, and which examples may still be drawn (in train for now)."""
    parts = np.where(given < 0, _TRAIN, given).astype(np.int8)
    is_open = np.ones(len(given), bool)
    for part in (_VALIDATION, _TEST):  # test last: a cluster in both draws what is open into test
        reached = np.isin(clusters, clusters[given == part])
        parts[reached & (given < 0)] = part
        is_open &= ~reached
    return parts, is_open


def _has_class(examples: Examples, chosen: Bool[np.ndarray, " examples"]) -> Bool[np.ndarray, " classes"]:
    return np.bincount(examples.labels[chosen], minlength=len(examples.classes)) > 0


def _check_share(part: int, share: float) -> None:
    if not 0 < share < 1:
        raise UsageError(
            f"{PARTS[part]}_share is {share!r}",
            expected="a number between 0 and 1, both excluded",
            fix="use 0.2 for a fifth",
        )


def _check_training(examples: Examples, parts: Int[np.ndarray, " examples"]) -> None:
    n_classes = np.count_nonzero(_has_class(examples, np.ones(len(examples), bool)))
    if n_classes < 2:
        raise DataError(
            f"the {len(examples):,} examples are of {n_classes} class",
            expected="at least two classes with examples",
            fix="add examples of another class",
        )
    if not np.any(parts == _TRAIN):
        raise DataError(
            f"all {len(examples):,} examples are in given validation or test parts, none is left for train",
            expected="examples for training",
            fix="add training examples, or do not give the parts: heldout makes them",
        )


def _check_no_class_is_empty(examples: Examples) -> None:
    empty = np.flatnonzero(~_has_class(examples, np.ones(len(examples), bool)))
    if len(empty):
        raise DataError(
            f"{len(empty):,} of {len(examples.classes):,} classes have no example that can be used: "
            f"{some_of([examples.classes[c] for c in empty])}",
            expected="at least three examples a class",
            fix="add examples to these classes, or remove the classes",
        )


def _check_part(examples: Examples, pool: Pool, chosen: Bool[np.ndarray, " pool"], part: int) -> None:
    """Refuses a part that could tell nothing: without examples, or a test part of one class."""
    n_classes = len(np.unique(pool.labels[chosen]))
    least = 2 if part == _TEST else 1
    if n_classes >= least:
        return
    names = [f"{name} ({_how_many(pool, c)})" for c, name in enumerate(examples.classes)]
    raise DataError(
        f"examples of {n_classes} of {len(names):,} classes can be spared for {PARTS[part]} without parting a cluster "
        f"or taking the last ones of a class: {some_of(names)}",
        expected=f"at least {least} classes with three examples or more, which are no copies of each other and not "
        "all of one group",
        fix="add examples (of other groups), or give the parts in the data",
    )


def _how_many(pool: Pool, c: int) -> str:
    n_examples = int(np.count_nonzero(pool.labels == c))
    n_clusters = int(pool.n_clusters_a_class[c])
    return f"{n_examples}" + ("" if n_clusters == n_examples else f" in {n_clusters} clusters")
