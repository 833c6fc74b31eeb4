"""Watches loaders: which samples each batch holds, and what becomes of it."""

from collections import deque
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from heldout.auditing.seen.data import Pass
from heldout.auditing.seen.place import Place
from heldout.auditing.watch.calls import Batch, tensors_in
from heldout.auditing.watch.hashing import distinct
from heldout.auditing.watch.identities import as_array, glimpse_of, is_data_set
from heldout.auditing.watch.patching import quietly
from heldout.auditing.watch.places import function_here, is_asked_here, names_of, place, users_names_of
from heldout.auditing.watch.watcher import Watcher

# Items by which two data sets are told apart, and the share of equal ones from which on they hold the same (assumed).
_N_COMPARED = 64
_SAME = 0.5
# Weights of a sampler that are told apart: there are as many as there are classes.
_MOST_WEIGHTS = 100


class LoaderWatch:
    """Follows every iteration of every DataLoader."""

    def __init__(self, watcher: Watcher) -> None:
        from torch.utils.data import DataLoader
        from torch.utils.data.dataloader import _BaseDataLoaderIter

        self._watcher = watcher
        self._passes: WeakKeyDictionary[Any, Pass] = WeakKeyDictionary()
        self._data_sets: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        # The numbers of the samples of batches that were asked for and not given out yet.
        self._asked: WeakKeyDictionary[Any, deque[Any]] = WeakKeyDictionary()
        # Of a sampler with a few weights: which of them each number has.
        self._weights: WeakKeyDictionary[Any, np.ndarray] = WeakKeyDictionary()
        self._not_weighed: dict[int, np.ndarray] = {}
        # Where each loader was made, and by which function of the user's.
        self._made: WeakKeyDictionary[Any, tuple[Place, str]] = WeakKeyDictionary()
        # Samplers that were made from the samples of a data set, and what they drew from first.
        self._drawn_from: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
        watcher.patches.wrap(DataLoader, "__iter__", self._iter)
        # Called by the constructor at its end; that itself is left alone, for frameworks replace it.
        watcher.patches.wrap(DataLoader, "check_worker_number_rationality", self._constructed)
        watcher.patches.wrap(_BaseDataLoaderIter, "_next_index", self._next_index)
        watcher.patches.wrap(_BaseDataLoaderIter, "__next__", self._next)

    def _constructed(self, original: Any, loader: Any) -> Any:
        quietly(self.made)(loader)
        return original(loader)

    def made(self, loader: Any) -> None:
        """A loader is being made."""
        self._made.setdefault(loader, (place(), function_here()))

    def _iter(self, original: Any, loader: Any) -> Iterator[Any]:
        kept = getattr(loader, "_iterator", None)
        if kept is not None:
            self._asked[kept] = deque()
        self._watcher.settle()
        iterator: Iterator[Any] = original(loader)
        quietly(self._begin)(loader, iterator)
        return iterator

    def begin(self, loader: Any, data_set: Any) -> Pass:
        """The record of an iteration that begins.

        Args:
            loader: What is iterated over.
            data_set: What it draws from.
        """
        watcher = self._watcher
        number = watcher.data_set(data_set).number
        names, declared = watcher.names(loader), _declared(loader)
        passed = Pass(len(watcher.log.passes), watcher.tick(), number, names, place(), declared=declared)
        passed.loader_made, function = self._made.get(loader, (Place(), ""))
        if passed.loader_made.line and not is_asked_here():
            passed.made = passed.loader_made
            passed.made_by = function if self._makes_one(function, data_set) else ""
            # A framework calls `eval_dataset` whatever it is told to evaluate, the training samples too.
            if users_names_of(data_set) and not users_names_of(loader):
                passed.names = []
        watcher.log.passes.append(passed)
        return passed

    def _makes_one(self, function: str, data_set: Any) -> bool:
        """Whether all loaders that a function made draw from this data set."""
        made = [loader for loader, (_, name) in self._made.items() if name == function]
        return all(each.dataset is data_set for each in made)

    def _begin(self, loader: Any, iterator: Any) -> None:
        data_set = loader.dataset
        passed = self.begin(loader, data_set)
        passed.in_order = _in_order(loader)
        passed.replaces = bool(getattr(loader.sampler, "replacement", False))
        passed.sampler_of = tuple(
            name for sampler in (loader.sampler, loader.batch_sampler) for name in _foreign(sampler, data_set)
        ) or self._drawn_before(loader.sampler, data_set)
        self._passes[iterator], self._data_sets[iterator] = passed, data_set
        weights = as_array(getattr(loader.sampler, "weights", ())).reshape(-1)
        if len(weights) and len(different := distinct(weights)) <= _MOST_WEIGHTS:
            passed.n_weights, self._weights[iterator] = len(different), np.searchsorted(different, weights)

    def _drawn_before(self, sampler: Any, data_set: Any) -> tuple[str, ...]:
        """What the user calls the data set of other samples that this sampler drew from before, by its numbers."""
        held = vars(sampler).values() if hasattr(sampler, "__dict__") else ()
        if not any(hasattr(each, "__len__") and not is_data_set(each) for each in held):
            return ()  # it knows no more than how many there are, if that
        first = self._drawn_from.setdefault(sampler, data_set)
        if first is data_set or _is_part(first, data_set):
            return ()
        n = min(len(first), len(data_set), _N_COMPARED)
        hashes = [self._first_items(each, n) for each in (first, data_set)]
        if len(hashes[0]) < n or len(hashes[1]) < n or (hashes[0] == hashes[1]).mean() > _SAME:
            return ()
        return (next(iter(self._watcher.data_set(first).names), type(first).__name__),)

    def _first_items(self, data_set: Any, n: int) -> np.ndarray:
        """The hashes of its first items; none where they are known by number alone."""
        located = self._watcher.located(data_set, range(n))
        known = located and all(population.has_content for population, _, _ in located)
        found = [population.items(numbers) for population, _, numbers in located] if known else []
        return np.concatenate(found) if found else np.zeros(0, np.uint64)

    def _next_index(self, original: Any, iterator: Any) -> Any:
        numbers = original(iterator)
        self._asked.setdefault(iterator, deque()).append(numbers)
        return numbers

    def _next(self, original: Any, iterator: Any) -> Any:
        try:
            given = original(iterator)
        except StopIteration:
            if (passed := self._passes.get(iterator)) is not None:
                passed.ended = True
            self._watcher.settle()
            raise
        quietly(self._given)(iterator, given)
        return given

    def _given(self, iterator: Any, given: Any) -> None:
        passed = self._passes.get(iterator)
        if passed is None:
            return
        asked = self._asked.get(iterator)
        numbers = asked.popleft() if asked else None
        passed.fetched += 1
        passed.last = self._watcher.moment
        tensors = tensors_in(given)
        if passed.fetched == 1 and tensors and tensors[0].is_floating_point():
            passed.n_values = tensors[0].numel() // len(tensors[0])
        batch = Batch(passed, [glimpse_of(each) for each in tensors])
        if isinstance(numbers, list | tuple) and numbers and isinstance(numbers[0], int):
            self._watcher.locate(batch, self._data_sets[iterator], numbers)
        elif isinstance(numbers, int):
            self._watcher.locate(batch, self._data_sets[iterator], [numbers])
        self._watcher.recent.append(batch)
        if iterator in self._weights and isinstance(numbers, list):
            self._weigh(passed, self._weights[iterator], np.asarray(numbers), batch)

    def _weigh(self, passed: Pass, weights: np.ndarray, numbers: np.ndarray, batch: Batch) -> None:
        """Count which labels samples of which weight have, each sample once."""
        held = [each.labels for each in batch.tensors[1:] if each.labels is not None]
        if not held or len(held[0]) != len(numbers) or not bool((held[0] == np.round(held[0])).all()):
            return
        fresh = self._not_weighed.setdefault(passed.data_set, np.ones(len(weights), bool))
        numbers, at = np.unique(numbers, return_index=True)
        if len(fresh) == len(weights):
            at, numbers = at[fresh[numbers]], numbers[fresh[numbers]]
            fresh[numbers] = False
            labels = held[0][at].astype(np.int64)
            passed.weighed.update(zip(weights[numbers].tolist(), labels.tolist(), strict=True))


def _declared(loader: Any) -> int | None:
    try:
        return len(loader)
    except Exception:  # a user's own data set may raise whatever it likes
        return None


def _in_order(loader: Any) -> bool:
    """Whether the loader's samples come as the data set has them."""
    sampler = getattr(loader.batch_sampler, "sampler", loader.sampler)
    is_plain = loader.batch_sampler is None or type(loader.batch_sampler).__name__ == "BatchSampler"
    return is_plain and type(sampler).__name__ == "SequentialSampler"


def _foreign(sampler: Any, data_set: Any) -> list[str]:
    """What the user calls another data set that a sampler holds."""
    held = vars(sampler).values() if hasattr(sampler, "__dict__") else ()
    found = []
    for value in held:
        if is_data_set(value) and value is not data_set and not _is_part(data_set, value):
            found += names_of(value)[:1] or [type(value).__name__]
    return found


def _is_part(part: Any, whole: Any) -> bool:
    """Whether one data set is held by the other, at any depth."""
    for outer, inner in ((part, whole), (whole, part)):
        held = getattr(outer, "dataset", None)
        while held is not None:
            if held is inner:
                return True
            held = getattr(held, "dataset", None)
    return False
