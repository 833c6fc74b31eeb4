"""Watches what frameworks do in ways of their own: fastai has a loader of its own, and timm schedules of its own."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

from heldout.auditing.seen.data import Pass
from heldout.auditing.watch.calls import Batch, tensors_in
from heldout.auditing.watch.data import LoaderWatch
from heldout.auditing.watch.identities import glimpse_of
from heldout.auditing.watch.patching import after_import, quietly
from heldout.auditing.watch.training import TrainingWatch
from heldout.auditing.watch.watcher import Watcher

# What fastai calls the parts of its data by their number.
_PARTS: dict[object, str] = {0: "train", 1: "valid"}
# Where fastai's loader keeps the numbers of the samples of an iteration.
_NUMBERS = "_DataLoader__idxs"


class FrameworkWatch:
    """Follows fastai's loaders as torch's are followed, and timm's schedules likewise, once they are imported."""

    def __init__(self, watcher: Watcher, loaders: LoaderWatch, training: TrainingWatch) -> None:
        self._watcher, self._loaders, self._training = watcher, loaders, training
        after_import("fastai.data.load", self._with_fastai, watcher.patches)
        after_import("timm.scheduler.scheduler", self._with_timm, watcher.patches)

    def _with_fastai(self, module: ModuleType) -> None:
        kind = module.DataLoader
        self._create_item = kind.create_item
        self._watcher.patches.wrap(kind, "__init__", self._loader_made)
        self._watcher.patches.wrap(kind, "__iter__", self._iter)

    def _loader_made(self, original: Any, loader: Any, *arguments: Any, **named: Any) -> Any:
        quietly(self._loaders.made)(loader)
        return original(loader, *arguments, **named)

    def _iter(self, original: Any, loader: Any) -> Iterator[Any]:
        iterator = original(loader)
        passes: list[Pass] = []
        try:
            # The first batch is asked for here: where the loop stands is seen on the stack now, and not before.
            self._watcher.settle()
            quietly(self._begin)(loader, passes)
            for given in iterator:
                quietly(self._given)(loader, passes, given)
                yield given
        finally:
            iterator.close()
        for passed in passes:
            passed.ended = True
        self._watcher.settle()

    def _begin(self, loader: Any, passes: list[Pass]) -> None:
        data_set = loader.dataset
        passed = self._loaders.begin(loader, data_set)
        passed.in_order = not loader.shuffle
        part = _PARTS.get(getattr(data_set, "split_idx", None), "")
        passed.names = [*passed.names, *([part] if part and part not in passed.names else [])]
        passes.append(passed)

    def _given(self, loader: Any, passes: list[Pass], given: Any) -> None:
        for passed in passes:
            batch = Batch(passed, [glimpse_of(each) for each in tensors_in(given)])
            numbers = self._numbers(loader, passed.fetched)
            if batch.tensors and len(numbers) == batch.tensors[0].n_rows:
                self._watcher.locate(batch, loader.dataset, numbers)
            passed.fetched += 1
            self._watcher.recent.append(batch)

    def _numbers(self, loader: Any, n_before: int) -> list[int]:
        """The numbers of the samples of a batch; none where a loader makes its items up in a way of its own."""
        numbers, size = vars(loader).get(_NUMBERS), loader.bs
        is_plain = getattr(type(loader), "create_item", None) is self._create_item
        if not is_plain or "create_item" in vars(loader) or not isinstance(numbers, list) or not size:
            return []
        found = numbers[n_before * size : (n_before + 1) * size]
        return found if all(isinstance(each, int) for each in found) else []

    def _with_timm(self, module: ModuleType) -> None:
        self._watcher.patches.wrap(module.Scheduler, "__init__", self._schedule_made)

    def _schedule_made(self, original: Any, schedule: Any, *arguments: Any, **named: Any) -> Any:
        result = original(schedule, *arguments, **named)
        quietly(self._training.met_schedule)(schedule)
        return result
