"""Which label each sample had each time it came: of the first some thousand samples of each role, so memory is bounded.

A sample is known by its hash, as the watcher has it. That the same sample has another label the next time is no fault
by itself: tasks, episodes and guessed labels do that. The rules judge, by how the labels before and after go together.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from operator import ne

import numpy as np

from heldout.auditing.seen.data import Labelling
from heldout.auditing.seen.place import Place

# Samples of a role whose labels are kept: a hundred or so bytes each.
MOST_SAMPLES = 20_000
# Times that a sample is looked at: later ones tell what the first few told.
MOST_TIMES = 4


@dataclass(frozen=True, slots=True)
class Role:
    """What a family did with the samples of a data set: it learned from them, or it did not.

    Attributes:
        source: Where the labels stood: in a `loss`, or in what the `loader` gave out. Scripts count classes from 1 in
            one of them and from 0 in the other, so these are never compared with each other.
    """

    family: int
    data_set: int
    trained: bool
    source: str


@dataclass(slots=True)
class _Kept:
    """What is kept of a role.

    Attributes:
        last: The label that a sample had last, and how often it came.
        rounds: How often each label came the first time that samples came, the second time, and so on.
        pairs: How often a label came after another, of the same sample.
        places: Of the first call, and of the first in which a sample came again.
        n_otherwise: Times that a sample had another label than before.
        n_left: Samples that were not kept.
    """

    last: dict[int, tuple[int, int]] = field(default_factory=dict)
    rounds: list[Counter[int]] = field(default_factory=lambda: [Counter() for _ in range(MOST_TIMES)])
    pairs: Counter[tuple[int, int]] = field(default_factory=Counter)
    places: list[Place] = field(default_factory=list)
    n_otherwise: int = 0
    n_left: int = 0
    n_told: int = 0

    @property
    def is_done(self) -> bool:
        """Whether more of the same tells nothing new."""
        return self.n_told > (MOST_TIMES + 1) * max(len(self.last) + self.n_left, 256)

    def add(self, samples: list[int], labels: list[int], place: Place) -> None:
        if not self.places:
            self.places.append(place)
        if not self._add_at_once(samples, labels, place):
            self._add_each(samples, labels, place)

    def _add_at_once(self, samples: list[int], labels: list[int], place: Place) -> bool:
        """Add samples that all came equally often, as those of most batches did; False where they did not."""
        if len(set(samples)) < len(samples):
            return False
        before = [self.last.get(sample) for sample in samples]
        times = {0 if known is None else known[1] for known in before}
        if len(times) > 1 or len(self.last) + len(samples) > MOST_SAMPLES:
            return False
        n_times = times.pop() if times else 0
        if n_times < MOST_TIMES:
            self.last.update(zip(samples, zip(labels, repeat(n_times + 1)), strict=False))
            self.rounds[n_times].update(labels)
            if n_times:
                self.places += [place][: 2 - len(self.places)]
                earlier = [known[0] for known in before if known is not None]
                self.pairs.update(zip(earlier, labels, strict=True))
                self.n_otherwise += sum(map(ne, earlier, labels))
        return True

    def _add_each(self, samples: list[int], labels: list[int], place: Place) -> None:
        for sample, label in zip(samples, labels, strict=True):
            before = self.last.get(sample)
            if before is None:
                if len(self.last) >= MOST_SAMPLES:
                    self.n_left += 1
                    continue
                self.last[sample] = (label, 1)
                self.rounds[0][label] += 1
            elif before[1] < MOST_TIMES:
                if len(self.places) == 1:
                    self.places.append(place)
                self.last[sample] = (label, before[1] + 1)
                self.rounds[before[1]][label] += 1
                self.pairs[before[0], label] += 1
                self.n_otherwise += before[0] != label

    @property
    def has_rounds(self) -> bool:
        """Whether all samples came twice, with the same labels altogether."""
        first, second = self.rounds[:2]
        return not self.n_left and first.total() == len(self.last) and first == second


class LabelBook:
    """Keeps which labels samples had."""

    def __init__(self) -> None:
        self._kept: dict[Role, _Kept] = {}

    def told(self, role: Role, samples: Callable[[], np.ndarray], labels: np.ndarray, place: Place) -> None:
        """Some samples have labels now.

        Args:
            role: What the model does with them.
            samples: Gives their hashes; is called where they are looked at.
            labels: Whole numbers, one each.
            place: The call.
        """
        kept = self._kept.get(role)
        if kept is None:
            kept = self._kept[role] = _Kept()
        if not kept.is_done:
            hashes = samples()
            if len(hashes) == len(labels):
                kept.n_told += len(hashes)
                kept.add(hashes.tolist(), np.asarray(labels).astype(np.int64).tolist(), place)

    def labellings(self) -> list[Labelling]:
        """What was kept, compared."""
        return [*self._again(), *self._evaluated()]

    def _again(self) -> Iterator[Labelling]:
        for role, kept in self._kept.items():
            if role.trained and kept.n_otherwise and role.source == "loss":
                first, later = kept.places
                yield Labelling(
                    role.family, "again", later, first, len(kept.last), Counter(kept.pairs), kept.has_rounds
                )

    def _evaluated(self) -> Iterator[Labelling]:
        for role, kept in self._kept.items():
            for learned in self._learned(role) if not role.trained else ():
                shared = kept.last.keys() & learned.last.keys()
                if shared:
                    pairs = Counter((learned.last[sample][0], kept.last[sample][0]) for sample in shared)
                    steady = not learned.n_otherwise and not kept.n_otherwise
                    first, later = learned.places[0], kept.places[0]
                    yield Labelling(role.family, "evaluated", later, first, len(shared), pairs, steady)

    def _learned(self, role: Role) -> list[_Kept]:
        """What the same family learned from, where the labels stood likewise."""
        return [
            kept
            for other, kept in self._kept.items()
            if other.trained and (other.family, other.source) == (role.family, role.source)
        ]
