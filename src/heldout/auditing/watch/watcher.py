"""The state of a watch: what was met so far, by identity, and the log that is being written.

The files beside it put it to work: each wraps a few functions of torch and tells the watcher what it saw. Nothing here
draws a random number, changes a tensor or keeps one alive.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from weakref import ref

import numpy as np

from heldout.auditing.seen.data import DataSet
from heldout.auditing.seen.log import Event, Log, Remark, write_log
from heldout.auditing.seen.place import Place
from heldout.auditing.watch.answers import AnswerBook
from heldout.auditing.watch.calls import Batch, Call
from heldout.auditing.watch.class_names import class_names
from heldout.auditing.watch.identities import Population, order_of, root_of, weakly
from heldout.auditing.watch.inputs import measure_inputs
from heldout.auditing.watch.patching import Patches, quietly
from heldout.auditing.watch.places import names_of, place, stack_of_lines
from heldout.auditing.watch.sample_book import SampleBook
from heldout.auditing.watch.stretches import StretchBook

# Calls that are counted at once, and samples of such calls.
_COUNTED_AT_ONCE = 64
_MOST_WAITING = 64
_MOST_UNCOUNTED = 2**16
SECONDS_BETWEEN_WRITES = 2.0
N_RECENT = 8


class Watcher:
    """Everything that is known while a script runs.

    Attributes:
        log: What will be read afterwards.
        patches: What is wrapped.
        samples: Which samples each model was given.
        answers: What models answered.
    """

    def __init__(self, script: str, file: Path | None = None) -> None:
        self.log = Log(script=script)
        self.patches = Patches()
        self.moment = 0
        self.pid = os.getpid()
        self.begun = time.monotonic()
        self.waiting: list[Call] = []
        self._settled: list[Call] = []
        self._stretches = StretchBook()
        self.samples = SampleBook()
        self.answers = AnswerBook()
        self.recent: deque[Batch] = deque(maxlen=N_RECENT)
        self.last_call: Call | None = None
        self._file, self._written = file, 0.0
        self._populations: dict[int, tuple[Callable[[], Any], int, Population]] = {}
        self._remarks: dict[tuple[str, Place], Remark] = {}
        # What a thing is called, and the stacks that were looked through for it.
        self._names: dict[int, tuple[Callable[[], Any], list[str], set[int]]] = {}
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
        if known is None or known[0]() is not thing:
            known = self._names[id(thing)] = (weakly(thing), [], set())
        _, found, looked_at = known
        if len(found) < 3 and (stack := stack_of_lines()) not in looked_at:
            looked_at.add(stack)
            found += [name for name in names_of(thing) if name not in found]
        return list(found)

    def data_set(self, thing: Any, *, ask_again: bool = True) -> DataSet:
        """The record of a data set, made when it is first met.

        Args:
            thing: The data set.
            ask_again: Whether to look for more names of one that has one.
        """
        known = self._populations.get(id(thing))
        if known is not None and known[0]() is thing:
            record = self.log.data_sets[known[1]]
        else:
            number = len(self.log.data_sets)
            n = _length(thing)
            record = DataSet(number, [], type(thing).__name__, n, class_names(thing), place(), number)
            self.log.data_sets.append(record)
            population = Population(thing, n or 0, salt=number + 1)
            self.samples.begin(number, population)
            held = weakly(thing, then=population.let_go)
            if held() is None:  # of a kind that must be kept alive, lest another gets its identity
                held = partial(_same, thing)
            self._populations[id(thing)] = (held, number, population)
        if not record.names or (ask_again and len(record.names) < 3):
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
            record, population = self.data_set(root, ask_again=False), self._populations[id(root)][2]
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
        n_samples = sum([each.n_samples for each in self.waiting])
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
        if len(self._settled) >= _COUNTED_AT_ONCE or sum([each.n_samples for each in self._settled]) > _MOST_UNCOUNTED:
            self.count()
        self.write()

    @quietly
    def count(self) -> None:
        """Count what is settled: many calls at once, for each by itself would cost as much as a small model's step."""
        calls, self._settled = self._settled, []
        self.answers.judge()
        measure_inputs(calls)
        self._stretches.add(calls, self.log)
        self.samples.add(calls)
        for call in calls:  # it may be kept for a while, and large batches are large
            call.views = call.items = call.predicted = call.optimiser = None

    def write(self) -> None:
        """Keep the log on disk, every few seconds: a script that is killed leaves the last one."""
        if self._file is None or os.getpid() != self.pid:
            return
        seconds = time.monotonic()
        if seconds - self._written > SECONDS_BETWEEN_WRITES:
            self.count()
            self.log.moments, self.log.seconds = self.moment, seconds - self.begun
            self.samples.tell(self.log)
            write_log(self._file, self.log)
            # A log that takes long to write is written less often.
            self._written = time.monotonic() + 10 * (time.monotonic() - seconds)


def _same(thing: Any) -> Any:
    return thing


def _length(thing: Any) -> int | None:
    try:
        return len(thing)
    except Exception:  # a user's own may raise whatever it likes
        return None
