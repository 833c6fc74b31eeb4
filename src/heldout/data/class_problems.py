"""Classes that are missing from a part, too few, unlike in size, or otherwise common in test than in train."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Int

from heldout.data.examples import PARTS, Examples, some_of
from heldout.findings import MAX_NAMED, Finding

# Below this many examples a class gets an interval and no rank: near 50 % the 95 % Wilson interval of 29 examples is
# 34 points wide (computed 2026-11-22).
FEW_FOR_TEST = 30
# Frozen features do well on Flowers-102 with 10 a class; below that the choice of examples decides (assumed).
FEW_FOR_TRAIN = 10
# From here on balanced accuracy leads and the majority baseline is far from 1 / number of classes (assumed).
MAX_BALANCED_RATIO = 3
_INTERVALS = 'Brown, Cai and DasGupta, "Interval Estimation for a Binomial Proportion", 2001'
# Of classes whose share differs by more than this factor, and by more than chance does once in a thousand times.
_SHIFTED = 1.5
_CHANCE_IN_1000 = 3.09  # standard deviations of a normal distribution


def class_problems(examples: Examples, parts: Int[np.ndarray, " examples"], made: Sequence[str]) -> list[Finding]:
    """What the counts of the classes say against a score.

    Args:
        examples: What the scores are about.
        parts: Index into `PARTS` for each, -1 where it is in none yet.
        made: The parts that heldout made.
    """
    found = (
        *_missing_classes(examples, parts, made),
        _few_in_test(examples, parts),
        _few_in_train(examples, parts),
        _imbalance(examples),
        _shift(examples, parts, made),
    )
    return [finding for finding in found if finding is not None]


def _missing_classes(examples: Examples, parts: Int[np.ndarray, " examples"], made: Sequence[str]) -> Iterable[Finding]:
    # What no part names yet may still become train.
    in_train = _counts(examples, parts <= 0)
    for part in np.unique(parts[parts >= 0]).tolist():
        if part > 0 and PARTS[part] in made:
            continue  # `small_classes.py` tells of those
        n_examples = _counts(examples, parts == part)
        missing = np.flatnonzero(in_train == 0 if part == 0 else (n_examples == 0) & (in_train > 0))
        if len(missing):
            yield _missing(examples, part, missing.tolist())


def _missing(examples: Examples, part: int, classes: Sequence[int]) -> Finding:
    names = [examples.classes[c] for c in classes]
    return Finding(
        code="class-missing-from-part",
        severity="error",
        what=f"{len(names):,} of {len(examples.classes):,} classes have no example in {PARTS[part]}: {some_of(names)}",
        why="What is trained never sees the class, so every example of it counts as a mistake."
        if part == 0
        else f"The {PARTS[part]} score says nothing about the class and is an average over the others.",
        fix=f"Add examples of it to {PARTS[part]}, or take the class out of every part.",
        where=tuple(names[:MAX_NAMED]),
    )


def _few_in_test(examples: Examples, parts: Int[np.ndarray, " examples"]) -> Finding | None:
    counts = _counts(examples, parts == PARTS.index("test"))
    return _few(
        examples,
        counts,
        FEW_FOR_TEST,
        "test",
        why="The 95 % interval of such a class is wide (34 points at n = 29 near 50 %): it is shown, a ranking of the "
        "classes is not.",
        fix=f"Add test {examples.things} of these classes, or read the score of all classes together.",
        source=_INTERVALS,
    )


def _few_in_train(examples: Examples, parts: Int[np.ndarray, " examples"]) -> Finding | None:
    return _few(
        examples,
        _counts(examples, parts <= 0),
        FEW_FOR_TRAIN,
        "train" if np.any(parts >= 0) else "all",
        why="With so few, which of them happen to be in train moves the score of the class by a lot.",
        fix=f"Add training {examples.things} of these classes, or repeat the run with several seeds.",
        source="",
    )


def _few(
    examples: Examples, counts: Int[np.ndarray, " classes"], limit: int, part: str, *, why: str, fix: str, source: str
) -> Finding | None:
    few = [c for c in np.argsort(counts, kind="stable").tolist() if 0 < counts[c] < limit]
    if not few:
        return None
    return Finding(
        code="few-examples",
        severity="warning",
        what=f"{len(few):,} of {len(counts):,} classes have fewer than {limit} examples in {part}; "
        f"the fewest: {examples.classes[few[0]]!r} with {counts[few[0]]}",
        why=why,
        fix=fix,
        where=tuple(examples.classes[c] for c in few[:MAX_NAMED]),
        source=source,
    )


def _imbalance(examples: Examples) -> Finding | None:
    counts = np.bincount(examples.labels, minlength=len(examples.classes))
    there = np.flatnonzero(counts)
    if not len(there):
        return None
    least, most = there[np.argmin(counts[there])], int(np.argmax(counts))
    if counts[most] <= MAX_BALANCED_RATIO * counts[least]:
        return None
    return Finding(
        code="imbalanced-classes",
        severity="warning",
        what=f"the largest class, {examples.classes[most]!r}, has {counts[most]:,} examples, the smallest, "
        f"{examples.classes[least]!r}, {counts[least]:,}: {counts[most] / counts[least]:.1f} to 1",
        why=f"Always answering {examples.classes[most]!r} is right for {counts[most] / counts.sum():.0%} of all "
        "examples, so accuracy flatters; balanced accuracy does not.",
        fix="Read balanced accuracy, the numbers for each class and the majority baseline.",
        where=(examples.classes[most], examples.classes[least]),
    )


def _shift(examples: Examples, parts: Int[np.ndarray, " examples"], made: Sequence[str]) -> Finding | None:
    """A given test part in which classes are not as common as in train."""
    test = PARTS.index("test")
    if PARTS[test] in made:
        return None  # drawn in the shares of the classes
    n_train, n_test = _counts(examples, parts == 0), _counts(examples, parts == test)
    there = (n_train > 0) & (n_test > 0)
    if there.sum() < 2:
        return None
    n_train, n_test = n_train[there], n_test[there]
    shares = n_train / n_train.sum(), n_test / n_test.sum()
    together = (n_train + n_test) / (n_train.sum() + n_test.sum())
    squares = sum(float(((n - n.sum() * together) ** 2 / (n.sum() * together)).sum()) for n in (n_train, n_test))
    ratios = np.maximum(shares[0] / shares[1], shares[1] / shares[0])
    if ratios.max() < _SHIFTED or _as_normal(squares, len(together) - 1) < _CHANCE_IN_1000:
        return None
    names = [name for name, is_there in zip(examples.classes, there.tolist(), strict=True) if is_there]
    worst = int(ratios.argmax())
    return Finding(
        code="prior-shift",
        severity="warning",
        what=f"the classes are not as common in test as in train: {names[worst]!r} is {shares[0][worst]:.1%} of train "
        f"and {shares[1][worst]:.1%} of test",
        why="Probabilities and thresholds hold for classes as common as in train; where they are not, probabilities "
        "are off by that factor, and accuracy and average precision are those of the test part alone.",
        fix="Read the recalls of the classes, which do not depend on it; or train on what is as common as in use.",
        where=(names[worst],),
        source="Saerens, Latinne, Decaestecker, Adjusting the outputs of a classifier to new a priori probabilities "
        "(2002)",
    )


def _as_normal(squares: float, freedom: int) -> float:
    """A chi-square value as standard deviations of a normal distribution (Wilson and Hilferty, 1931)."""
    spread = 2 / (9 * freedom)
    return float((np.cbrt(squares / freedom) - (1 - spread)) / np.sqrt(spread))


def _counts(examples: Examples, chosen: np.ndarray) -> Int[np.ndarray, " classes"]:
    return np.bincount(examples.labels[chosen], minlength=len(examples.classes))
