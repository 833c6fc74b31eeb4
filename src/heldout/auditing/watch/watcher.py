"""The state of a watch: what was met so far, by identity, and the log that is being written.

The `watch_*` files put it to work: each wraps a few functions of torch and tells the watcher what it saw. Nothing here
draws a random number, changes a tensor or keeps one alive.
"""

import os
import time
from array import array
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np

from heldout.auditing.seen.data import Asking, DataSet, Held, Labelling, Pass, Samples
from heldout.auditing.seen.log import Event, Log, Remark, write_log
from heldout.auditing.seen.place import Place
from heldout.auditing.watch.asked_by_hand import AskedByHand
from heldout.auditing.watch.hashing import HashSet, row_hashes
from heldout.auditing.watch.identities import Glimpse, Population, as_array, order_of, root_of, weakly
from heldout.auditing.watch.labels_told import LabelBook, Role
from heldout.auditing.watch.patching import Patches, quietly
from heldout.auditing.watch.places import names_of, place, stack_of_lines
from heldout.auditing.watch.stretches import StretchBook

# Calls that are counted at once, and samples of such calls.
_COUNTED_AT_ONCE = 64
_MOST_WAITING = 64
_MOST_UNCOUNTED = 2**16
SECONDS_BETWEEN_WRITES = 2.0
N_RECENT = 8
# What data sets call their classes, or the table of their numbers; and wrappers that are looked through.
_CALLED_CLASSES = ("classes", "class_names", "label_names", "class_to_idx", "label_to_idx", "label2id", "label_map")
_MOST_DEEP = 8


@dataclass(slots=True, eq=False)
class Batch:
    """What a loader gave out at once.

    Attributes:
        passed: In which pass.
        tensors: What is remembered of its tensors with a first axis, in their order.
        populations: Where its samples come from, and their numbers there; empty where that is not known.
        order: At which places of the batch these samples stand; None where they stand as they are told.
    """

    passed: Pass
    tensors: list[Glimpse]
    populations: list[tuple[Population, int, np.ndarray]] = field(default_factory=list)
    order: np.ndarray | None = None

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
    is_settled: bool = False
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
    input_low: float = float("nan")
    input_high: float = float("nan")
    is_whole: bool = False
    n_values: int = 0
    told: np.ndarray | None = None
    items: np.ndarray | None = None
    views: np.ndarray | None = None
    rows: np.ndarray | None = None
    is_given: bool = True
    fingerprint: int = 0
    site: int = 0
    names: tuple[str, ...] = ()
    given: Callable[[], Any] = lambda: None


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
        self._settled: list[Call] = []
        self._book = StretchBook()
        self.recent: deque[Batch] = deque(maxlen=N_RECENT)
        self.last_call: Call | None = None
        self._file, self._written = file, 0.0
        self._populations: dict[int, tuple[Callable[[], Any], int, Population]] = {}
        self._all_populations: list[tuple[int, Population]] = []
        self._by_hand_items: dict[tuple[int, int, bool], HashSet] = {}
        self._asked = AskedByHand(
            lambda: [population for _, population in self._all_populations],
            lambda family: [held for key, held in self._by_hand_items.items() if (key[0], key[2]) == (family, True)],
        )
        self._n_given: dict[tuple[int, int, bool, int], int] = {}
        self._changed: dict[tuple[int, int, int], tuple[int, int]] = {}
        # Calls that a family learned from; and when samples were evaluated last: the pass, and the calls by then.
        self._n_learned: dict[int, int] = {}
        self._asked_at: dict[tuple[int, int, int], tuple[int, int, bool]] = {}
        self._remarks: dict[tuple[str, Place], Remark] = {}
        # What a thing is called, and the stacks that were looked through for it.
        self._names: dict[int, tuple[Callable[[], Any], list[str], set[int]]] = {}
        self._loaded: dict[int, Any] = {}
        self._labels = LabelBook()

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
        if known is None or known[0]() is not thing:
            known = self._names[id(thing)] = (weakly(thing), [], set())
        _, found, looked_at = known
        if len(found) < 3 and (stack := stack_of_lines()) not in looked_at:
            looked_at.add(stack)
            found += [name for name in names_of(thing) if name not in found]
        return list(found)

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
        record.names += [name for name in self.names(thing) if name not in record.names]
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
            population.items(there)  # now: the data may be gone when its calls are counted
            found.append((population, record.number, there))
        return found

    def locate(self, batch: Batch, data_set: Any, numbers: Sequence[int]) -> None:
        """Tell a batch where its samples are held: those of several data sets that are joined stand in any order."""
        batch.populations = self.located(data_set, numbers)
        if len(batch.populations) > 1:
            batch.order = order_of(data_set, numbers)

    def settle_if_many(self) -> None:
        """Count the calls that wait where they are many, or hold many samples and nothing can be learned from them."""
        n_samples = sum(each.n_samples for each in self.waiting)
        if len(self.waiting) > _MOST_WAITING or (
            n_samples > _MOST_UNCOUNTED and not any(each.grad for each in self.waiting)
        ):
            self.settle()

    @quietly
    def settle(self) -> None:
        """Count the calls that wait: whether they were trained on is known now."""
        for call in self.waiting:
            call.is_settled = True
        self._settled += self.waiting
        self.waiting = []
        if len(self._settled) >= _COUNTED_AT_ONCE or sum(each.n_samples for each in self._settled) > _MOST_UNCOUNTED:
            self.count()
        self.write()

    @quietly
    def count(self) -> None:
        """Count what is settled: many calls at once, for each by itself would cost as much as a small model's step."""
        calls, self._settled = self._settled, []
        self._book.add(calls, self.log)
        for call in calls:
            self._count(call)
            call.views = call.items = call.predicted = None  # it may be kept for a while, and large batches are large

    def _count(self, call: Call) -> None:
        if call.n_samples == 0:
            return
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
            held = self._by_hand_items.setdefault((call.family, data_set, call.trained), HashSet())
            held.add(call.views if call.rows is None else call.views[call.rows])
            key = (call.family, data_set, call.trained, data_set)
            self._n_given[key] = self._n_given.get(key, 0) + call.n_samples
        if call.trained:
            self._asked.learned(call, self.items_of(call))
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

    def write(self) -> None:
        """Keep the log on disk, every few seconds: a script that is killed leaves the last one."""
        if self._file is None or os.getpid() != self.pid:
            return
        seconds = time.monotonic()
        if seconds - self._written > SECONDS_BETWEEN_WRITES:
            self.count()
            self.log.moments, self.log.seconds = self.moment, seconds - self.begun
            self.log.held, self.log.labellings = self.held(), self.labellings()
            self.log.askings = self.askings()
            write_log(self._file, self.log)
            # A log that takes long to write is written less often.
            self._written = time.monotonic() + 10 * (time.monotonic() - seconds)

    def askings(self) -> list[Asking]:
        """Evaluations of tensors made by hand, a line each."""
        return self._asked.askings()

    def labellings(self) -> list[Labelling]:
        """Which labels the same samples had at two times."""
        return self._labels.labellings()

    def held(self) -> list[Held]:
        """Which samples each model was given, in either role, as they lie here."""
        found = []
        for number, population in self._all_populations:
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
        for (family, number, trained), hashes in self._by_hand_items.items():
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
    """The names of the classes in the order of their numbers, as a data set holds them, or what it is a part of."""
    for _ in range(_MOST_DEEP):
        held = [_held_by(thing, name) for name in _CALLED_CLASSES]
        for found in held:
            names = found
            if isinstance(found, dict) and sorted(map(str, found.values())) == sorted(map(str, range(len(found)))):
                names = sorted(found, key=found.__getitem__)
            is_list = isinstance(names, list | tuple) and 1 < len(names) <= 10_000
            if is_list and all(isinstance(each, str) for each in names):
                return tuple(names)
        thing = _held_by(thing, "dataset")
    return ()


def _held_by(thing: Any, name: str) -> Any:
    """What an object or its class holds under a name, without asking it anything; None where there is nothing."""
    with suppress(AttributeError):
        own = object.__getattribute__(thing, "__dict__")
        if isinstance(own, dict) and name in own:
            return own[name]
    return next((vars(kind)[name] for kind in type(thing).__mro__ if name in vars(kind)), None)
