"""Which tensors made by hand a model was asked about at which line, and how many of their samples it had learned from.

An evaluation without a loader is known by the call and by where its function was called from: one function may be
called for the training part and for the test part. Whether a sample was learned from is asked when it comes.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from heldout.auditing.seen.data import Asking
from heldout.auditing.watch.hashing import HashSet, distinct, held_by
from heldout.auditing.watch.identities import Population

if TYPE_CHECKING:
    from heldout.auditing.watch.calls import Call

# Samples of a call from which on it is an evaluation, and no agent that acts on what it sees (assumed).
LEAST_ASKED = 8
# Calls of one line that are looked at: what is so of these is so of those that follow (assumed).
MOST_CALLS = 2_000
# How often what was learned out of data sets is put together anew: it only grows.
_MOST_GATHERED = 100


@dataclass(slots=True)
class _Gathered:
    """What a family learned out of data sets, sorted, as of a number of samples given."""

    n_given: int = -1
    n_times: int = 0
    items: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint64))


class AskedByHand:
    """Follows the evaluations of tensors made by hand.

    Args:
        populations: Gives the samples of all data sets that were met.
        by_hand: Gives the tensors made by hand that a family learned from, where it did.
    """

    def __init__(
        self, populations: Callable[[], Iterable[Population]], by_hand: Callable[[int], Sequence[HashSet]]
    ) -> None:
        self._populations, self._by_hand = populations, by_hand
        self._left_out: dict[int, HashSet] = {}
        self._gathered: dict[int, _Gathered] = {}
        self._askings: dict[tuple[int, int], Asking] = {}
        self._distinct: dict[tuple[int, int], HashSet] = {}
        self._n_given: dict[int, int] = {}

    def learned(self, call: "Call", items: np.ndarray) -> None:
        """A model learned from these samples."""
        if call.batch is None or not call.batch.populations:
            rows = np.ones(len(items), bool) if call.rows is None else call.rows
            if not rows.all():
                self._left_out.setdefault(call.family, HashSet()).add(items[~rows])
        else:
            self._n_given[call.family] = self._n_given.get(call.family, 0) + call.n_samples

    def asked(self, call: "Call") -> None:
        """A model was asked about the tensors of a call, without learning from them."""
        views, is_plain = call.views, not (call.training_mode and call.grad)
        if views is None or call.batch is not None or len(views) < LEAST_ASKED or not is_plain:
            return
        if not self._by_hand(call.family) and call.family not in self._n_given:
            return
        if self._is_masked(call.family, views):
            return
        key = (call.family, call.site)
        asking = self._askings.setdefault(key, Asking(call.family, call.place))
        asking.names = asking.names or call.names
        if asking.n_calls >= MOST_CALLS:
            return
        known = self._holds(call.family, views)
        n_learned = int(known.sum())
        asking.n_calls += 1
        asking.n_whole += n_learned == len(views)
        asking.n_part += 0 < n_learned < len(views)
        asking.n_samples += len(views)
        asking.n_learned += n_learned
        asking.most_shared = max(asking.most_shared, n_learned)
        asking.most_at_once = max(asking.most_at_once, len(views))
        self._distinct.setdefault(key, HashSet()).add(views)

    def askings(self) -> list[Asking]:
        """What was asked, a line each."""
        for key, asking in self._askings.items():
            asking.n_distinct = len(self._distinct[key])
        return list(self._askings.values())

    def _is_masked(self, family: int, views: np.ndarray) -> bool:
        """Whether a mask says which rows count, as on a graph: which of the answers are used is not seen then."""
        if family not in self._left_out:
            return False
        return bool((self._left_out[family].holds(views) & ~self._learned_by_hand(family, views)).any())

    def _learned_by_hand(self, family: int, views: np.ndarray) -> np.ndarray:
        known = np.zeros(len(views), bool)
        for each in self._by_hand(family):
            known |= each.holds(views)
        return known

    def _holds(self, family: int, views: np.ndarray) -> np.ndarray:
        known = self._learned_by_hand(family, views)
        if family not in self._n_given:
            return known
        gathered = self._gathered.setdefault(family, _Gathered())
        if gathered.n_given != self._n_given[family] and gathered.n_times < _MOST_GATHERED:
            gathered.n_given, gathered.n_times = self._n_given[family], gathered.n_times + 1
            gathered.items = self._of_data_sets(family)
        return np.asarray(known | held_by(gathered.items, views))

    def _of_data_sets(self, family: int) -> np.ndarray:
        held = [
            population.items(np.flatnonzero(given))
            for population in self._populations()
            for (whose, trained, _), given in population.given.items()
            if whose == family and trained and population.has_content
        ]
        return distinct(np.concatenate(held)) if held else np.zeros(0, np.uint64)
