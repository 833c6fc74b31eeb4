"""Which pictures the page shows: a bounded, repeatable choice, whatever the size of the data."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

# All bounds are assumed: 400 thumbnails of 128 pixels make a page of about 3 MB, which still opens at once.
N_MISTAKES = 24
N_LEAST_SURE = 24
N_SAMPLES = 24
N_IN_CELLS = 328
N_PER_MISTAKEN_CELL = 12
N_PER_RIGHT_CELL = 6
# Right answers get at least this share of the room for cells, so that a bad model still shows what it can.
N_KEPT_FOR_RIGHT = 96


@dataclass(frozen=True, slots=True)
class Choice:
    """The held-out pictures worth looking at, by id; no more than 376 different ones.

    Attributes:
        mistakes: The most confident mistakes, most confident first.
        least_sure: The pictures with the smallest confidence, least sure first.
        cells: For each cell (true class, predicted class) of the confusion matrix that shows pictures,
            some of them: mistakes with the most confident first, right answers with the least sure first.
    """

    mistakes: tuple[str, ...]
    least_sure: tuple[str, ...]
    cells: dict[tuple[int, int], tuple[str, ...]]

    @property
    def ids(self) -> tuple[str, ...]:
        """Every chosen id once, sorted."""
        everywhere = {*self.mistakes, *self.least_sure}
        return tuple(sorted(everywhere.union(*self.cells.values())))


def choose_pictures(
    ids: Sequence[str],
    labels: Int[np.ndarray, " examples"],
    *,
    predicted: Int[np.ndarray, " examples"],
    confidence: Float[np.ndarray, " examples"],
    n_classes: int,
) -> Choice:
    """The held-out pictures a reader should see: confident mistakes, doubts, and some of each cell.

    The pictures of a cell are taken in rounds (the first of every cell, then the second of every cell), the
    fullest cells first, so that each cell shows fewer as the classes grow. Ties go by position.

    Args:
        ids: One id an example, unique.
        labels: The true class of each, an index below `n_classes`.
        predicted: The predicted class of each, an index below `n_classes`.
        confidence: The probability of the predicted class, 0 to 1.
        n_classes: How many classes there are.

    Example:
        >>> chosen = choose_pictures(
        ...     ["a", "b", "c"], np.array([0, 0, 1]),
        ...     predicted=np.array([0, 1, 1]), confidence=np.array([0.9, 0.8, 0.6]), n_classes=2,
        ... )
        >>> chosen.mistakes, chosen.least_sure
        (('b',), ('c', 'b', 'a'))
        >>> chosen.cells
        {(0, 0): ('a',), (0, 1): ('b',), (1, 1): ('c',)}
    """
    wrong = predicted != labels
    mistakes = np.flatnonzero(wrong)
    right = np.flatnonzero(~wrong)
    cell = labels.astype(np.int64) * n_classes + predicted
    most_sure_first = np.argsort(-confidence[mistakes], kind="stable")
    least_sure_first = np.argsort(confidence[right], kind="stable")
    room_for_right = min(N_KEPT_FOR_RIGHT, len(right))
    shown_wrong = _in_rounds(
        mistakes[most_sure_first], cell, n_each=N_PER_MISTAKEN_CELL, room=N_IN_CELLS - room_for_right
    )
    shown_right = _in_rounds(right[least_sure_first], cell, n_each=N_PER_RIGHT_CELL, room=N_IN_CELLS - len(shown_wrong))
    return Choice(
        mistakes=tuple(ids[i] for i in mistakes[most_sure_first][:N_MISTAKES]),
        least_sure=tuple(ids[i] for i in np.argsort(confidence, kind="stable")[:N_LEAST_SURE]),
        cells=_by_cell(np.concatenate([shown_wrong, shown_right]), ids, cell, n_classes),
    )


def choose_samples(ids: Sequence[str], labels: Int[np.ndarray, " examples"], *, n_classes: int) -> tuple[str, ...]:
    """Up to 24 ids that show what the classes look like, class by class: 3 a class, fewer with many classes.

    Within a class they are spread evenly over the order of `ids`, so that a burst of pictures gives one, not
    all. With more than 24 classes, 24 of them, spread evenly, give one picture each.

    Args:
        ids: One id an example; the training part, so that the sample shows what was learnt from.
        labels: The class of each, an index below `n_classes`.
        n_classes: How many classes there are.

    Example:
        >>> choose_samples(["a", "b", "c", "d", "e"], np.array([0, 0, 0, 0, 1]), n_classes=2)
        ('a', 'b', 'd', 'e')
    """
    n_each = int(np.clip(N_SAMPLES // max(n_classes, 1), 1, 3))
    shown_classes = np.unique(np.linspace(0, n_classes - 1, min(n_classes, N_SAMPLES)).astype(np.int64))
    chosen: list[int] = []
    for wanted in shown_classes:
        members = np.flatnonzero(labels == wanted)
        if len(members):
            spread = np.linspace(0, len(members) - 1, min(n_each, len(members))).astype(np.int64)
            chosen.extend(members[spread].tolist())
    return tuple(ids[i] for i in chosen)


def _in_rounds(
    order: Int[np.ndarray, " candidates"], cell: Int[np.ndarray, " examples"], *, n_each: int, room: int
) -> Int[np.ndarray, " chosen"]:
    """At most `n_each` a cell and `room` in all, best rank first, then fullest cell, in the order given."""
    grouped = order[np.argsort(cell[order], kind="stable")]
    _, first, n_in_cell = np.unique(cell[grouped], return_index=True, return_counts=True)
    rank = np.arange(len(grouped)) - np.repeat(first, n_in_cell)
    size = np.repeat(n_in_cell, n_in_cell)
    by_round = np.lexsort((cell[grouped], -size, rank))
    by_round = by_round[rank[by_round] < n_each][: max(room, 0)]
    return grouped[np.sort(by_round)]


def _by_cell(
    chosen: Int[np.ndarray, " chosen"],
    ids: Sequence[str],
    cell: Int[np.ndarray, " examples"],
    n_classes: int,
) -> dict[tuple[int, int], tuple[str, ...]]:
    """The chosen ids gathered by cell, the cells in order."""
    gathered: dict[int, list[str]] = {}
    for i in chosen:
        gathered.setdefault(int(cell[i]), []).append(ids[i])
    return {divmod(code, n_classes): tuple(gathered[code]) for code in sorted(gathered)}
