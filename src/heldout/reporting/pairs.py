"""Which pairs of near copies are worth showing: every kind of them, every cluster before any cluster twice.

A kind is what a pair does to a score: copies in two parts leak, copies under two labels contradict each other, copies
within a part count twice.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Int

from heldout.data.examples import PARTS, Examples
from heldout.data.pictures.near_duplicates import Pairs
from heldout.data.pictures.near_problems import same_pixels
from heldout.data.pictures.survey import Survey

KINDS = ("across-parts", "two-labels", "within-part")
# Of the pairs in check.json (assumed: 1,000 make 200 kB, and nobody looks at more).
MAX_IN_RECORD = 1000


def pair_record(
    examples: Examples, survey: Survey, pairs: Pairs, *, clusters: Int[np.ndarray, " examples"]
) -> dict[str, Any]:
    """How many pairs there are of each kind, and at most 1,000 of them, for JSON.

    Args:
        examples: What the pairs are of.
        survey: Facts for each of them.
        pairs: Near copies, by index.
        clusters: A number an example, equal where a chain of pairs joins them.

    Returns:
        `n`; `n_exact`, how many of them are equal pixel by pixel; `n_dropped`, at least so many more were found and
        left out before; `n_of_kind`; and `shown`: the gravest kind first, in it the most alike of each cluster first.
    """
    kinds = kinds_of(examples, pairs)
    n_of_kind = np.bincount(kinds, minlength=len(KINDS)).tolist()
    exact = same_pixels(survey, pairs)
    chosen = choose_pairs(kinds, pairs, clusters, room=MAX_IN_RECORD)
    shown = Pairs(pairs.first[chosen], pairs.second[chosen], pairs.likeness[chosen])
    ends = zip(shown.first.tolist(), shown.second.tolist(), strict=True)
    return {
        "n": len(pairs),
        "n_exact": int(np.count_nonzero(exact)),
        "n_dropped": pairs.n_dropped,
        "n_of_kind": dict(zip(KINDS, n_of_kind, strict=True)),
        "shown": [
            {
                "first": examples.ids[one],
                "second": examples.ids[other],
                "kind": KINDS[kind],
                "likeness": likeness,
                "exact": is_exact,
                "classes": [examples.classes[examples.labels[end]] for end in (one, other)],
                "parts": [part_of(examples, end) for end in (one, other)],
            }
            for (one, other), kind, likeness, is_exact in zip(
                ends,
                kinds[chosen].tolist(),
                shown.likeness.tolist(),
                exact[chosen].tolist(),
                strict=True,
            )
        ],
    }


def part_of(examples: Examples, index: int) -> str:
    """The part that the data puts an example in; "free" where it does not say."""
    given = int(examples.given[index])
    return PARTS[given] if given >= 0 else "free"


def kinds_of(examples: Examples, pairs: Pairs) -> Int[np.ndarray, " pairs"]:
    """For each pair its gravest kind, an index into `KINDS`."""
    first, second = examples.given[pairs.first], examples.given[pairs.second]
    across = (first != second) & (first >= 0) & (second >= 0)
    torn = examples.labels[pairs.first] != examples.labels[pairs.second]
    return np.where(across, 0, np.where(torn, 1, 2))


def choose_pairs(
    kinds: Int[np.ndarray, " pairs"], pairs: Pairs, clusters: Int[np.ndarray, " examples"], *, room: int
) -> Int[np.ndarray, " chosen"]:
    """At most `room` pairs: kind by kind; in a kind first the most alike of each cluster, then the next of each.

    So a hundred copies of one picture, which make 4,950 pairs, leave room for the others.

    Example:
        >>> pairs = Pairs(np.array([0, 0, 1, 3]), np.array([1, 2, 2, 4]), np.array([1.0, 0.99, 0.98, 0.97]))
        >>> choose_pairs(np.array([2, 2, 2, 2]), pairs, np.array([0, 0, 0, 3, 3]), room=3)
        array([0, 3, 1])
    """
    cluster = clusters[pairs.first]
    grouped = np.lexsort((-pairs.likeness, cluster, kinds))
    is_first = np.append(True, (np.diff(kinds[grouped]) != 0) | (np.diff(cluster[grouped]) != 0))[: len(grouped)]
    places = np.arange(len(grouped))
    rank = places - np.maximum.accumulate(np.where(is_first, places, 0))
    order = grouped[np.lexsort((-pairs.likeness[grouped], rank, kinds[grouped]))]
    n_of_kind = np.bincount(kinds, minlength=len(KINDS)).tolist()
    begins = np.concatenate([[0], np.cumsum(n_of_kind)[:-1]])
    shares = allotted(n_of_kind, room)
    return np.concatenate([order[start : start + n] for start, n in zip(begins, shares, strict=True)])


def allotted(n_of_kind: Sequence[int], room: int) -> list[int]:
    """How many of each kind are shown: the first kinds take what there is, but a quarter of the room is left to each.

    Example:
        >>> allotted([100, 3, 50], 60)
        [42, 3, 15]
    """
    shares = [min(n, room // 4) for n in n_of_kind]
    for kind, n in enumerate(n_of_kind):
        shares[kind] += min(n - shares[kind], room - sum(shares))
    return shares
