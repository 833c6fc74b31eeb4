"""Watches loaders: which samples each batch holds, and what becomes of it."""

from collections import deque
from collections.abc import Iterator
from typing import Any
from weakref import WeakKeyDictionary

from heldout.auditing.identities import glimpse_of
from heldout.auditing.log import Pass
from heldout.auditing.patching import quietly
from heldout.auditing.places import names_of, place
from heldout.auditing.watcher import Batch, Watcher, tensors_in


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
        watcher.patches.wrap(DataLoader, "__iter__", self._iter)
        watcher.patches.wrap(_BaseDataLoaderIter, "_next_index", self._next_index)
        watcher.patches.wrap(_BaseDataLoaderIter, "__next__", self._next)

    def _iter(self, original: Any, loader: Any) -> Iterator[Any]:
        kept = getattr(loader, "_iterator", None)
        if kept is not None:
            self._asked[kept] = deque()
        self._watcher.settle()
        iterator: Iterator[Any] = original(loader)
        quietly(self._begin)(loader, iterator)
        return iterator

    def _begin(self, loader: Any, iterator: Any) -> None:
        watcher = self._watcher
        data_set = loader.dataset
        record = watcher.data_set(data_set)
        passed = Pass(
            len(watcher.log.passes),
            watcher.tick(),
            record.number,
            watcher.names(loader),
            place(),
            declared=_declared(loader),
        )
        passed.in_order = _in_order(loader)
        passed.replaces = bool(getattr(loader.sampler, "replacement", False))
        passed.sampler_of = tuple(
            name for sampler in (loader.sampler, loader.batch_sampler) for name in _foreign(sampler, data_set)
        )
        watcher.log.passes.append(passed)
        self._passes[iterator], self._data_sets[iterator] = passed, data_set

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
        tensors = tensors_in(given)
        batch = Batch(passed, [glimpse_of(each) for each in tensors])
        if isinstance(numbers, list | tuple) and numbers and isinstance(numbers[0], int):
            batch.populations = self._watcher.located(self._data_sets[iterator], numbers)
        elif isinstance(numbers, int):
            batch.populations = self._watcher.located(self._data_sets[iterator], [numbers])
        self._watcher.recent.append(batch)


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
        is_data_set = any(base.__name__ == "Dataset" for base in type(value).__mro__)
        if is_data_set and value is not data_set and not _is_part(data_set, value):
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
