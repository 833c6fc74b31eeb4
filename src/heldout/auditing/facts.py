"""A log -> what it comes to: who was trained on what, who was evaluated on what, and what was printed. No torch.

A *family* is a model with all that shares its parameters (a wrapper, a part, a compiled copy). An *evaluation* is what
one loop showed to a family without learning from it, after or before it was trained; a *training* the same with
learning. Rules read these; none of them needs to know how they were seen.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from heldout.auditing.counted import Counts, tallies_of
from heldout.auditing.printed import Series, series_of
from heldout.auditing.seen.data import DataSet, Pass, Samples
from heldout.auditing.seen.log import Log
from heldout.auditing.seen.models import Model, Optimiser, Stretch
from heldout.auditing.seen.place import Place
from heldout.auditing.watch.held_samples import n_shared, together

# What people call the part that a model does not learn from, and the part that it does.
HELD_OUT = re.compile(
    r"(?i)(?:^|[^a-z])(?:val|valid|validation|test|tst|dev|eval|evaluation|hold|held)(?:[^a-z]|$|set|load|data|_)"
)
TRAIN = re.compile(r"(?i)(?:^|[^a-z])(?:train|trn|tr|training|fit)(?:[^a-z]|$|set|load|data|_)")
# Rows that are mostly different can be recognised elsewhere; equal rows of a few discrete values say nothing.
MOSTLY_DIFFERENT = 0.5


@dataclass(frozen=True, slots=True)
class Loop:
    """What one loop showed to one family: the calls of one pass, or of one line for tensors made by hand.

    Attributes:
        family: The number of the family.
        stretches: Its calls, in order.
        passed: The pass whose batches it saw; None for tensors made by hand.
        data_set: What the pass went over.
        trained: Whether it learned from any of them.
    """

    family: int
    stretches: tuple[Stretch, ...]
    passed: Pass | None
    data_set: DataSet | None
    trained: bool

    @property
    def place(self) -> Place:
        """The line of the first call."""
        return self.stretches[0].place

    @property
    def source(self) -> Place:
        """The line that says what it is shown: that of the loader where a framework has the loop, or its own."""
        return self.passed.made if self.passed is not None and self.passed.made.line else self.place

    @property
    def further(self) -> tuple[Place, ...]:
        """The line of the first call, where that is not what `source` says."""
        return () if self.source == self.place else (self.place,)

    @property
    def start(self) -> int:
        """The moment of the first call."""
        return int(self.stretches[0].moments[0])

    @property
    def end(self) -> int:
        """The moment of the last call."""
        return int(self.stretches[-1].moments[-1])

    @property
    def n_samples(self) -> int:
        """Shown in it, repetitions counted."""
        return sum(each.n_samples for each in self.stretches)

    @property
    def n_right(self) -> int | None:
        """Named rightly; None where labels are lacking."""
        rights = [each.n_right for each in self.stretches]
        return None if any(right is None for right in rights) else sum(right for right in rights if right is not None)

    @property
    def names(self) -> list[str]:
        """What the user calls the loader and its data set."""
        loader = [*self.passed.names, *_hook(self.passed)] if self.passed else []
        data_set = self.data_set.names if self.data_set else []
        return list(dict.fromkeys([*loader, *data_set]))

    @property
    def called(self) -> str:
        """The most telling of the names, or the line."""
        telling = [name for name in self.names if HELD_OUT.search(name) or TRAIN.search(name)]
        names = telling or self.names
        return names[-1] if names else f"the tensors of line {self.place.line}"

    @property
    def is_held_out(self) -> bool:
        """Whether the user calls it validation or test."""
        return any(HELD_OUT.search(name) for name in self.names)


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line.

    Attributes:
        moment: When its last letter was written.
        place: The statement that wrote it.
        text: Without the line's end.
        stream: `stdout` or `stderr`.
    """

    moment: int
    place: Place
    text: str
    stream: str


@dataclass(frozen=True)
class Facts:
    """Everything that rules ask about a log."""

    log: Log
    _memory: dict[tuple[int, bool], np.ndarray] = field(default_factory=dict, repr=False)

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """All loops, in the order in which they began."""
        found: list[list[Stretch]] = []
        keys: dict[tuple[int, object, object], int] = {}
        for stretch in self.log.stretches:
            family = self.family(stretch.model)
            by_hand = (stretch.place, stretch.trained, stretch.training_mode)
            key = (family, stretch.passed, None if stretch.passed is not None else by_hand)
            last = keys.get(key)
            if last is not None and (stretch.passed is not None or self._goes_on(found[last][-1], stretch)):
                found[last].append(stretch)
            else:
                keys[key] = len(found)
                found.append([stretch])
        return tuple(self._loop(each) for each in found)

    def _goes_on(self, before: Stretch, after: Stretch) -> bool:
        """Whether calls with tensors made by hand belong to one loop: nothing else was called between them."""
        return after.number == before.number + 1

    def _loop(self, stretches: Sequence[Stretch]) -> Loop:
        number = stretches[0].passed
        passed = self.log.passes[number] if number is not None else None
        data_set = self.log.data_sets[passed.data_set] if passed else None
        trained = any(each.trained for each in stretches)
        return Loop(self.family(stretches[0].model), tuple(stretches), passed, data_set, trained)

    def family(self, model: int) -> int:
        """The family of a model."""
        return self.log.models[model].family

    @cached_property
    def trained_families(self) -> frozenset[int]:
        """Those that learned."""
        return frozenset(loop.family for loop in self.loops if loop.trained)

    @cached_property
    def trainings(self) -> tuple[Loop, ...]:
        """Loops that learned."""
        return tuple(loop for loop in self.loops if loop.trained)

    @cached_property
    def evaluations(self) -> tuple[Loop, ...]:
        """Loops of families that learn, at some time, in which they did not."""
        return tuple(loop for loop in self.loops if not loop.trained and loop.family in self.trained_families)

    def models_of(self, family: int) -> list[Model]:
        """The models of a family, the first met first."""
        return [model for model in self.log.models if model.family == family]

    def name_of(self, family: int) -> str:
        """What the user calls it; its class where nothing is known."""
        names = [name for model in self.models_of(family) for name in model.names]
        return names[0] if names else self.log.models[family].kind

    def optimisers_of(self, family: int) -> list[Optimiser]:
        """The optimisers that changed it."""
        return [each for each in self.log.optimisers if family in each.models]

    def samples_of(self, family: int, *, trained: bool, data_set: int | None = None) -> list[Samples]:
        """Which samples it was given in a role, a data set each."""
        return [
            each
            for each in self.log.samples
            if each.model == family and each.trained == trained and (data_set is None or each.data_set == data_set)
        ]

    def seen_by(self, family: int) -> np.ndarray:
        """The hashes of all samples that it learned from, sorted."""
        key = (family, True)
        if key not in self._memory:
            held = [each.items for each in self.samples_of(family, trained=True)]
            self._memory[key] = together(held)
        return self._memory[key]

    def share_trained(self, family: int, samples: Samples) -> tuple[int, int]:
        """How many of a family's evaluated samples it learned from too, and how many there are."""
        seen = self.seen_by(family)
        if not len(seen) or not len(samples.items):
            return 0, len(samples.items)
        return n_shared(seen, samples.items), len(samples.items)

    def share_alike(self, family: int, samples: Samples) -> tuple[int, int]:
        """How many of a family's evaluated samples look in every value like one that it learned from, of how many.

        For data sets that know their samples by name alone: a copy under another name has the same values.
        """
        held = [each.views for each in self.samples_of(family, trained=True) if each.views.dtype == np.uint32]
        if samples.views.dtype != np.uint32 or not len(samples.views) or not held:
            return 0, len(samples.items)
        return int(np.isin(samples.views, np.concatenate(held)).sum()), len(samples.views)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """What was printed, line by line; a line that is written in pieces comes whole."""
        found: list[Line] = []
        open_lines: dict[str, Line] = {}
        for each in self.log.printed:
            pieces = re.split(r"[\n\r]", each.text)
            fresh = [Line(each.moment, each.place, text, each.stream) for text in pieces]
            if (before := open_lines.pop(each.stream, None)) is not None:
                # The end of a line of a progress bar is written with the next line: it was said before.
                at = fresh[0] if pieces[0].strip() else before
                fresh[0] = Line(at.moment, at.place, before.text + pieces[0], each.stream)
            *whole, rest = fresh
            found += [line for line in whole if line.text.strip()]
            if rest.text:
                open_lines[each.stream] = rest
        return (*found, *(line for line in open_lines.values() if line.text.strip()))

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """The accuracies and losses that were printed."""
        return series_of(self.lines)

    @cached_property
    def counts(self) -> Counts:
        """What was counted of them."""
        return tallies_of(self.loops)


def _hook(passed: Pass) -> list[str]:
    """The function that a framework asks for its loader, where its name tells of a part: `val_dataloader`."""
    name = passed.made_by
    tells = "load" in name and (HELD_OUT.search(name) is None) != (TRAIN.search(name) is None)
    return [name] if tells else []


def distinct_places(places: Iterable[Place]) -> tuple[Place, ...]:
    """Places, each once, in their order."""
    return tuple(dict.fromkeys(each for each in places if each.line))
