"""Classes with too few examples for every part that heldout makes -> a Finding."""

import numpy as np
from jaxtyping import Bool, Int

from heldout.data.examples import PARTS, Examples, some_of
from heldout.data.groups import distinct
from heldout.data.splits import Split
from heldout.findings import MAX_NAMED, Finding

_TRAIN, _VALIDATION, _TEST = range(3)  # as in PARTS


def find_small_classes(
    examples: Examples, split: Split | None, clusters: Int[np.ndarray, " examples"] | None = None
) -> list[Finding]:
    """One Finding where a class is missing from a part that heldout makes, for lack of examples.

    Args:
        examples: What is split.
        split: Of these examples; None judges what a split would have to do.
        clusters: As for `make_split`; None where each example is by itself.
    """
    clusters = np.arange(len(examples)) if clusters is None else clusters
    parts = examples.given if split is None else split.parts
    made = _wanted(examples) if split is None else [part for part in (_VALIDATION, _TEST) if PARTS[part] in split.made]
    n_clusters = _n_clusters(examples, clusters, examples.given <= 0)
    lacks = _will_lack(n_clusters, made) if split is None else _do_lack(examples, parts, made)
    small = np.flatnonzero(lacks.any(axis=0)).tolist()
    if not small:
        return []
    all_parts = [PARTS[part] for part in (_TRAIN, *made)]
    named = [
        f"{examples.classes[c]} ({_how_many(examples, clusters, c)}: none in "
        f"{' and '.join(PARTS[part] for part in (_VALIDATION, _TEST) if lacks[part, c])})"
        for c in small
    ]
    return [
        Finding(
            code="class-too-small-for-split",
            severity="error",
            what=f"{len(small):,} of {len(examples.classes):,} classes have too few examples for "
            f"{', '.join(all_parts[:-1])} and {all_parts[-1]}: {some_of(named)}",
            why="A score says nothing of a class that is not in its part: it is an average over the others. What is "
            "chosen on validation is chosen without the classes that are not in there.",
            fix=f"Give each of them at least {len(all_parts)} examples, no copies and not all of one group; or remove "
            "the class, or make it one with another.",
            where=tuple(examples.classes[c] for c in small[:MAX_NAMED]),
        )
    ]


def _wanted(examples: Examples) -> list[int]:
    return [part for part in (_VALIDATION, _TEST) if not np.any(examples.given == part)]


def _will_lack(n_clusters: Int[np.ndarray, " classes"], made: list[int]) -> Bool[np.ndarray, "3 classes"]:
    """What is left after train has one of each class goes to test, then to validation."""
    lacks = np.zeros((len(PARTS), len(n_clusters)), bool)
    for n_before, part in enumerate(sorted(made, reverse=True), start=1):
        lacks[part] = (n_clusters > 0) & (n_clusters <= n_before)
    return lacks


def _do_lack(examples: Examples, parts: Int[np.ndarray, " examples"], made: list[int]) -> Bool[np.ndarray, "3 classes"]:
    n_classes = len(examples.classes)
    counts = np.stack([np.bincount(examples.labels[parts == part], minlength=n_classes) for part in range(len(PARTS))])
    lacks = np.zeros(counts.shape, bool)
    lacks[made] = (counts[made] == 0) & (counts[_TRAIN] > 0)
    return lacks


def _n_clusters(
    examples: Examples, clusters: Int[np.ndarray, " examples"], chosen: Bool[np.ndarray, " examples"]
) -> Int[np.ndarray, " classes"]:
    _, cluster = np.unique(clusters[chosen], return_inverse=True)
    n_classes = len(examples.classes)
    pairs = distinct(cluster.astype(np.int64) * n_classes + examples.labels[chosen])
    return np.bincount(pairs % n_classes, minlength=n_classes)


def _how_many(examples: Examples, clusters: Int[np.ndarray, " examples"], c: int) -> str:
    free = (examples.labels == c) & (examples.given <= 0)
    n_clusters = int(_n_clusters(examples, clusters, free)[c])
    return f"{free.sum():,}" + ("" if n_clusters == free.sum() else f" in {n_clusters:,} clusters")
