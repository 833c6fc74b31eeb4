"""The state of a watch: what was met so far, by identity, and the log that is being written.

The `watch_*` files put it to work: each wraps a few functions of torch and tells the watcher what it saw. Nothing here
draws a random number, changes a tensor or keeps one alive.
"""

import os
import time
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from inspect import getattr_static
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np

from heldout.auditing.hashing import HashSet, row_hashes
from heldout.auditing.identities import Glimpse, Population, as_array, root_of, weakly
from heldout.auditing.log import DataSet, Event, Log, Pass, Place, Remark, Samples, Stretch, write_log
from heldout.auditing.patching import Patches, quietly
from heldout.auditing.places import names_of, place

# Stretches that are kept: more than these says no more.
MOST_STRETCHES = 100_000
# Answers of one evaluation that are kept, a byte each with their labels.
MOST_ANSWERS = 2**20
SECONDS_BETWEEN_WRITES = 2.0
N_RECENT = 8


@dataclass(slots=True, eq=False)
class Batch:
    """What a loader gave out at once.

    Attributes:
        passed: In which pass.
        tensors: What is remembered of its tensors with a first axis, in their order.
        populations: Where its samples come from, and their numbers there; empty where that is not known.
    """

    passed: Pass
    tensors: list[Glimpse]
    populations: list[tuple[Population, int, np.ndarray]] = field(default_factory=list)

    @property
    def n_samples(self) -> int:
        """Of the batch; 0 where it holds no tensor."""
        known = sum(len(numbers) for _, _, numbers in self.populations)
        return known or (self.tensors[0].n_rows if self.tensors else 0)


@dataclass(slots=True, eq=False)
class Call:
    """A call of a model that is not counted yet: whether it was trained on shows later."""

    moment: int
    model: int
    family: int
    place: Place
    training_mode: bool
    grad: bool
    n_samples: int
    batch: Batch | None
    trained: bool = False
    right: int = -1
    n_outputs: int = 0
    loss: float = float("nan")
    is_label_loss: bool = False
    dropout_live: bool = False
    norm_live: bool = False
    frozen_norm_live: bool = False
    labels: np.ndarray | None = None
    predicted: np.ndarray | None = None
    input_mean: float = float("nan")
    input_std: float = float("nan")
    items: np.ndarray | None = None
    views: np.ndarray | None = None
    fingerprint: int = 0


class Watcher:
    """Everything that is known while a script runs.

    Attributes:
        log: What will be read afterwards.
        patches: What is wrapped.
    """

    def __init__(self, script: str, file: Path | None = None) -> None:
        self.log = Log(script=script)
        self.patches = Patches()
        self.moment = 0
        self.pid = os.getpid()
        self.begun = time.monotonic()
        self.waiting: list[Call] = []
        self.recent: deque[Batch] = deque(maxlen=N_RECENT)
        self.last_call: Call | None = None
        self._file, self._written = file, 0.0
        self._populations: dict[int, tuple[Callable[[], Any], int, Population]] = {}
        self._all_populations: list[tuple[int, Population]] = []
        self._by_hand: dict[tuple[int, bool], HashSet] = {}
        self._by_hand_items: dict[tuple[int, int, bool], HashSet] = {}
        self._n_given: dict[tuple[int, int, bool], int] = {}
        self._changed: dict[tuple[int, int], tuple[int, int]] = {}
        self._remarks: dict[tuple[str, Place], Remark] = {}
        self._spoken: dict[tuple[int, Place, int], Stretch] = {}
        self._names: dict[int, tuple[Callable[[], Any], list[str]]] = {}
        self._loaded: dict[int, Any] = {}

    def tick(self) -> int:
        """The number of this moment; every event has one of its own."""
        self.moment += 1
        return self.moment

    def loaded(self, parameter: Any) -> None:
        """The values of a parameter came out of a state dict."""
        self._loaded[id(parameter)] = ref(parameter)

    def was_loaded(self, parameter: Any) -> bool:
        """Whether they did."""
        known = self._loaded.get(id(parameter))
        return known is not None and known() is parameter

    def event(self, kind: str, **facts: Any) -> None:
        """Something happened once."""
        self.log.events.append(Event(self.tick(), kind, place(), facts))

    def remark(self, kind: str, *, hit: bool = True, at: Place | None = None, **facts: Any) -> None:
        """Something was seen at the user's line, or could have been seen there and was not.

        Args:
            kind: What.
            hit: Whether it was.
            at: The line; None for the innermost of the user's.
            facts: Kept of the first time.
        """
        where = at or place()
        found = self._remarks.get((kind, where))
        if found is None:
            found = self._remarks[kind, where] = Remark(kind, where)
            self.log.remarks.append(found)
        found.n_chances += 1
        if hit:
            found.n += 1
            found.facts = found.facts or facts

    def names(self, thing: Any) -> list[str]:
        """What the user calls a thing, as far as the stack showed it up to now."""
        known = self._names.get(id(thing))
        found = known[1] if known is not None and known[0]() is thing else []
        if len(found) < 3:
            found = list(dict.fromkeys([*found, *names_of(thing)]))
            self._names[id(thing)] = (weakly(thing), found)
        return found

    def data_set(self, thing: Any, root: int = -1) -> DataSet:
        """The record of a data set, made when it is first met."""
        known = self._populations.get(id(thing))
        if known is not None and known[0]() is thing:
            record = self.log.data_sets[known[1]]
        else:
            number = len(self.log.data_sets)
            n = _length(thing)
            record = DataSet(
                number, [], type(thing).__name__, n, _classes(thing), place(), root if root >= 0 else number
            )
            self.log.data_sets.append(record)
            population = Population(thing, n or 0, salt=number + 1)
            self._all_populations.append((number, population))
            held = weakly(thing, then=population.let_go)
            if held() is None:  # of a kind that must be kept alive, lest another gets its identity
                held = partial(_same, thing)
            self._populations[id(thing)] = (held, number, population)
        record.names = list(dict.fromkeys([*record.names, *self.names(thing)]))
        return record

    def population(self, thing: Any) -> Population:
        """The samples of a data set that was met."""
        self.data_set(thing)
        return self._populations[id(thing)][2]

    def located(self, data_set: Any, numbers: Sequence[int]) -> list[tuple[Population, int, np.ndarray]]:
        """Where samples of a data set are held in the end: population, its data set's number, their numbers there."""
        found = []
        for root, there in root_of(data_set, numbers):
            record = self.data_set(root)
            population = self.population(root)
            if len(there) and (there.min() < 0 or there.max() >= population.n_samples):
                return []
            found.append((population, record.number, there))
        return found

    @quietly
    def settle(self) -> None:
        """Count the calls that wait: whether they were trained on is known now."""
        calls, self.waiting = self.waiting, []
        for call in calls:
            self._count(call)
        self.write()

    def _count(self, call: Call) -> None:
        self._stretch(call)
        if call.n_samples == 0:
            return
        data_set = -1
        if call.batch is not None and call.batch.populations:
            start = 0
            for population, number, numbers in call.batch.populations:
                population.mark(numbers, call.family, trained=call.trained)
                data_set = number
                key = (call.family, number, call.trained)
                self._n_given[key] = self._n_given.get(key, 0) + len(numbers)
                if call.views is not None and len(call.views) == call.n_samples and not call.trained:
                    again, changed = population.changed(numbers, call.views[start : start + len(numbers)])
                    before = self._changed.get((call.family, number), (0, 0))
                    self._changed[call.family, number] = (before[0] + again, before[1] + changed)
                start += len(numbers)
        elif call.batch is not None:
            data_set = call.batch.passed.data_set
        if call.views is not None and (call.batch is None or not call.batch.populations):
            self._by_hand.setdefault((call.family, call.trained), HashSet()).add(call.views)
            held = self._by_hand_items.setdefault((call.family, data_set, call.trained), HashSet())
            held.add(call.views)
            key = (call.family, data_set, call.trained)
            self._n_given[key] = self._n_given.get(key, 0) + call.n_samples

    def _stretch(self, call: Call) -> None:
        passed = call.batch.passed.number if call.batch else None
        last = self.log.stretches[-1] if self.log.stretches else None
        alike = last is not None and (
            last.model == call.model
            and last.place == call.place
            and last.passed == passed
            and last.trained == call.trained
            and last.training_mode == call.training_mode
            and last.grad == call.grad
        )
        if last is None or not alike:
            if len(self.log.stretches) >= MOST_STRETCHES:
                self.log.truncated = {**self.log.truncated, "stretches": self.log.truncated.get("stretches", 0) + 1}
                return
            last = Stretch(
                len(self.log.stretches),
                call.model,
                call.place,
                passed,
                call.trained,
                call.training_mode,
                call.grad,
                fingerprint=call.fingerprint,
            )
            self.log.stretches.append(last)
        _grow(last, call)
        if not call.trained and call.right >= 0:
            self._keep_answers(last, call)

    def _keep_answers(self, stretch: Stretch, call: Call) -> None:
        """Keep the answers and labels of the latest evaluation of a data set at a line, two bytes a sample."""
        data_set = call.batch.passed.data_set if call.batch else -1
        before = self._spoken.setdefault((call.family, call.place, data_set), stretch)
        if before.passed != stretch.passed:
            before.answers, before.truths = bytearray(), bytearray()
        self._spoken[call.family, call.place, data_set] = stretch
        spoken = (call.predicted, call.labels)
        if len(stretch.truths) + call.n_samples <= MOST_ANSWERS and all(
            each is not None and len(each) and each.min() >= 0 and each.max() <= 255 for each in spoken
        ):
            for kept, given in zip((stretch.answers, stretch.truths), spoken, strict=True):
                kept.extend(np.asarray(given).astype(np.uint8).tobytes())

    def write(self) -> None:
        """Keep the log on disk, every few seconds: a script that is killed leaves the last one."""
        if self._file is None or os.getpid() != self.pid:
            return
        seconds = time.monotonic()
        if seconds - self._written > SECONDS_BETWEEN_WRITES:
            self.log.moments, self.log.seconds = self.moment, seconds - self.begun
            self.log.samples = self.samples()
            write_log(self._file, self.log)
            # A log that takes long to write is written less often.
            self._written = time.monotonic() + 10 * (time.monotonic() - seconds)

    def samples(self) -> list[Samples]:
        """Which samples each model was given, in either role."""
        found = []
        for number, population in self._all_populations:
            for (family, trained), given in population.given.items():
                items = np.sort(population.items(np.flatnonzero(given)))
                again, changed = self._changed.get((family, number), (0, 0)) if not trained else (0, 0)
                n_given = self._n_given.get((family, number, trained), 0)
                found.append(Samples(family, number, trained, items, items[:0], n_given, changed, again))
        for (family, number, trained), held in self._by_hand_items.items():
            n_given = self._n_given.get((family, number, trained), 0)
            found.append(Samples(family, number, trained, held.sorted(), held.sorted(), n_given))
        return found

    def items_of(self, call: Call) -> np.ndarray:
        """The hashes of a call's samples, as their data sets hold them; of the inputs where they came by hand."""
        if call.batch is not None and call.batch.populations:
            return np.concatenate([population.items(numbers) for population, _, numbers in call.batch.populations])
        return call.views if call.views is not None else np.zeros(0, np.uint64)


def _grow(stretch: Stretch, call: Call) -> None:
    n_before = len(stretch.sizes)
    stretch.moments.append(call.moment)
    stretch.sizes.append(call.n_samples)
    stretch.rights.append(call.right)
    stretch.losses.append(call.loss)
    stretch.n_dropout_live += call.dropout_live
    stretch.n_norm_live += call.norm_live
    stretch.n_frozen_norm_live += call.frozen_norm_live
    stretch.n_label_losses += call.is_label_loss
    stretch.n_outputs = max(stretch.n_outputs, call.n_outputs)
    if call.labels is not None and len(call.labels):
        values, counts = np.unique(call.labels, return_counts=True)
        for value, number in zip(values.tolist(), counts.tolist(), strict=True):
            stretch.labels[value] += number
        stretch.n_label_changes += int((call.labels[1:] != call.labels[:-1]).sum())
        if call.right > 0:
            stretch.hits.update(call.labels[call.predicted == call.labels].tolist())
    if call.predicted is not None:
        for value, number in zip(
            *(each.tolist() for each in np.unique(call.predicted, return_counts=True)), strict=True
        ):
            stretch.predicted[value] += number
    for name in ("input_mean", "input_std"):
        fresh, before = getattr(call, name), getattr(stretch, name)
        setattr(stretch, name, fresh if n_before == 0 else (before * n_before + fresh) / (n_before + 1))


def tensors_in(thing: Any, depth: int = 4) -> list[Any]:
    """The tensors with at least one row in nested lists, tuples, dicts and records, in their order."""
    if hasattr(type(thing), "data_ptr") and hasattr(type(thing), "ndim"):  # not what only records what is asked of it
        return [thing] if thing.ndim and not thing.is_meta and len(thing) else []
    if depth == 0 or isinstance(thing, str | bytes):
        return []
    if isinstance(thing, dict) or hasattr(thing, "items"):
        values = list(thing.values()) if hasattr(thing, "values") else []
    elif isinstance(thing, list | tuple):
        values = list(thing[:64])
    else:
        return []
    return [found for value in values for found in tensors_in(value, depth - 1)]


def hashed_rows(tensor: Any) -> np.ndarray:
    """The hash of each row of a tensor."""
    return row_hashes(as_array(tensor))


def fresh_array() -> "array[int]":
    """An empty array of whole numbers."""
    return array("q")


def _same(thing: Any) -> Any:
    return thing


def _length(thing: Any) -> int | None:
    try:
        return len(thing)
    except Exception:  # a user's own may raise whatever it likes
        return None


def _classes(thing: Any) -> tuple[str, ...]:
    found = getattr_static(thing, "classes", None)  # what it holds, without asking it anything
    if isinstance(found, list | tuple) and 1 < len(found) <= 10_000 and all(isinstance(each, str) for each in found):
        return tuple(found)
    return ()
