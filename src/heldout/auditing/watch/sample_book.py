"""Keeps which samples each model was given, learned from and was asked about."""

from collections.abc import Sequence

import numpy as np

from heldout.auditing.seen.data import Held, Samples
from heldout.auditing.seen.log import Log
from heldout.auditing.seen.models import Optimiser
from heldout.auditing.watch.asked_by_hand import AskedByHand
from heldout.auditing.watch.calls import Call
from heldout.auditing.watch.hashing import HashSet, mixed
from heldout.auditing.watch.identities import Population
from heldout.auditing.watch.labels_told import LabelBook, Role

# A sum of hashes wraps around.
_SAMPLES_MASK = 2**64 - 1


class SampleBook:
    """The samples of all calls, by model, data set and role."""

    def __init__(self) -> None:
        self._populations: list[tuple[int, Population]] = []
        self._by_hand: dict[tuple[int, int, bool], HashSet] = {}
        self._asked = AskedByHand(
            lambda: [population for _, population in self._populations],
            lambda family: [held for key, held in self._by_hand.items() if (key[0], key[2]) == (family, True)],
        )
        self._n_given: dict[tuple[int, int, bool, int], int] = {}
        self._changed: dict[tuple[int, int, int], tuple[int, int]] = {}
        # Calls that a family learned from; and when samples were evaluated last: the pass, and the calls by then.
        self._n_learned: dict[int, int] = {}
        self._asked_at: dict[tuple[int, int, int], tuple[int, int, bool]] = {}
        self._labels = LabelBook()
        # What each optimiser was given and has not been told yet.
        self._trained: dict[int, tuple[Optimiser, list[np.ndarray]]] = {}

    def begin(self, data_set: int, population: Population) -> None:
        """Samples of this data set will be given."""
        self._populations.append((data_set, population))

    def add(self, calls: Sequence[Call]) -> None:
        """Count calls of which it is known whether they were trained on."""
        for call in calls:
            self._add(call)
        for optimiser, items in self._trained.values():
            fresh = int(np.add.reduce(mixed(np.concatenate(items))))
            optimiser.trained_data = (optimiser.trained_data + fresh) & _SAMPLES_MASK
        self._trained.clear()

    def _add(self, call: Call) -> None:
        for source, labels in (("loss", call.told), ("loader", call.labels)):
            if labels is not None and len(labels) == call.n_samples:
                data_set = call.batch.passed.data_set if call.batch else -1
                role = Role(call.family, data_set, call.trained, source)
                self._labels.told(role, lambda: self.items_of(call), labels, call.place)
        data_set = -1
        if call.batch is not None and call.batch.populations:
            start, views = 0, call.views
            if views is not None and call.batch.order is not None and len(views) == call.n_samples:
                views = views[call.batch.order]
            for population, number, numbers in call.batch.populations:
                shown = population.mark(numbers, call.family, trained=call.trained, shown_as=call.batch.passed.data_set)
                data_set = number
                key = (call.family, number, call.trained, shown)
                self._n_given[key] = self._n_given.get(key, 0) + len(numbers)
                if views is not None and len(views) == call.n_samples:
                    own = (call.family, number, shown)
                    self._compare(call, population, numbers, views[start : start + len(numbers)], own)
                start += len(numbers)
        elif call.batch is not None:
            data_set = call.batch.passed.data_set
        if call.views is not None and (call.batch is None or not call.batch.populations):
            held = self._by_hand.setdefault((call.family, data_set, call.trained), HashSet())
            held.add(call.views if call.rows is None else call.views[call.rows])
            key = (call.family, data_set, call.trained, data_set)
            self._n_given[key] = self._n_given.get(key, 0) + call.n_samples
        if call.trained:
            items = self.items_of(call)
            if call.optimiser is not None:
                self._trained.setdefault(call.optimiser.number, (call.optimiser, []))[1].append(items)
            self._asked.learned(call, items)
            self._n_learned[call.family] = self._n_learned.get(call.family, 0) + 1
        else:
            self._asked.asked(call)

    def _compare(
        self, call: Call, population: Population, numbers: np.ndarray, views: np.ndarray, key: tuple[int, int, int]
    ) -> None:
        """Keep what samples look like to a model, and count those that looked different before."""
        if call.trained:
            population.learned_as(numbers, views)
        elif call.is_given:
            again, changed = population.changed(numbers, views)
            before = self._changed.get(key, (0, 0))
            # Twice with the same weights: it is altered on purpose, as to see what noise does.
            if self._has_learned_since(call, key):
                self._changed[key] = (before[0] + again, before[1] + changed)

    def _has_learned_since(self, call: Call, key: tuple[int, int, int]) -> bool:
        """Whether the model has learned anything between the last pass over these samples and the one of a call."""
        assert call.batch is not None
        passed, now = call.batch.passed.number, self._n_learned.get(call.family, 0)
        known = self._asked_at.get(key, (passed, now, True))
        if known[0] != passed or key not in self._asked_at:
            known = self._asked_at[key] = (passed, now, now > known[1])
        return known[2]

    def tell(self, log: Log) -> None:
        """Put into a log what is known by now."""
        log.held, log.labellings, log.askings = self._held(), self._labels.labellings(), self._asked.askings()

    def _held(self) -> list[Held]:
        """Which samples each model was given, in either role, as they lie here."""
        found = []
        for number, population in self._populations:
            roles: list[tuple[np.ndarray | None, Samples]] = []
            for (family, trained, shown), given in population.given.items():
                again, changed = self._changed.get((family, number, shown), (0, 0)) if not trained else (0, 0)
                n_given = self._n_given.get((family, number, trained, shown), 0)
                views = population.learned_views if trained else population.views
                views = views if views is not None else np.zeros(0, np.uint32)
                nothing = np.zeros(0, np.uint64)
                roles.append((given, Samples(family, number, trained, nothing, views, n_given, changed, again, shown)))
            if roles:
                found.append(Held([population.all_items], roles))
        for (family, number, trained), hashes in self._by_hand.items():
            n_given, parts = self._n_given.get((family, number, trained, number), 0), hashes.parts()
            samples = Samples(family, number, trained, parts[0][:0], parts[0][:0], n_given, shown_as=number)
            found.append(Held(list(parts), [(None, samples)]))
        return found

    def items_of(self, call: Call) -> np.ndarray:
        """The hashes of a call's samples, as their data sets hold them; of the inputs where they came by hand."""
        if call.items is None:
            parts = call.batch.populations if call.batch is not None else []
            found = [population.items(numbers) for population, _, numbers in parts]
            call.items = _as_given(np.concatenate(found), call.batch.order) if call.batch and found else call.views
        return call.items if call.items is not None else np.zeros(0, np.uint64)


def _as_given(rows: np.ndarray, order: np.ndarray | None) -> np.ndarray:
    """Rows in the order of the batch."""
    if order is None:
        return rows
    given = np.empty_like(rows)
    given[order] = rows
    return given
