"""What the log counted: for any moment, how many samples of each loop had been named rightly, and at what loss.

A *tally* is the calls of one loop in one role: those that were learned from, or those that were not. A *chain* is the
tallies of the same loop in the code, pass after pass, of the same model over the same data set.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int

from heldout.auditing.seen.models import Stretch
from heldout.auditing.seen.place import Place

if TYPE_CHECKING:
    from heldout.auditing.facts import Loop

# Tallies that a number is looked for in, the latest first: a report at the end goes back over all epochs.
MOST_TALLIES = 600
# Kinds of loops whose latest pass a number may be about.
MOST_FRESH = 12
Key = tuple[int, bool, Place, int]


@dataclass(frozen=True, slots=True)
class Count:
    """What some calls that follow one another come to.

    Attributes:
        n_right: Samples that the highest output names rightly.
        n: Samples.
        n_batches: Calls.
        mean_of_shares: The mean over the calls of the share that is right in each.
        loss: The mean over the samples; NaN where a call had none.
        mean_of_losses: The mean over the calls.
    """

    n_right: int
    n: int
    n_batches: int
    mean_of_shares: float
    loss: float
    mean_of_losses: float

    @property
    def share(self) -> float:
        """Right of all."""
        return self.n_right / self.n


@dataclass(frozen=True, eq=False)
class Tally:
    """The calls of one loop in one role.

    Attributes:
        loop: Which.
        trained: Whether these were learned from.
        stretches: Its calls in this role.
    """

    loop: "Loop"
    trained: bool
    stretches: tuple[Stretch, ...]

    @cached_property
    def key(self) -> Key:
        """What the tallies of a chain have in common."""
        data_set = self.loop.data_set.number if self.loop.data_set else -1
        return self.loop.family, self.trained, self.stretches[0].place, data_set

    @cached_property
    def moments(self) -> Int[np.ndarray, " calls"]:
        """Of each call."""
        return np.concatenate([np.asarray(each.moments, np.int64) for each in self.stretches])

    @cached_property
    def sizes(self) -> Int[np.ndarray, " calls"]:
        """Samples of each call."""
        return np.concatenate([np.asarray(each.sizes, np.int64) for each in self.stretches])

    @cached_property
    def rights(self) -> Int[np.ndarray, " calls"]:
        """Samples of each call that were named rightly."""
        return np.concatenate([np.asarray(each.rights, np.int64) for each in self.stretches])

    @cached_property
    def losses(self) -> Float[np.ndarray, " calls"]:
        """The loss of each call."""
        return np.concatenate([np.asarray(each.losses, np.float64) for each in self.stretches])

    @cached_property
    def is_counted(self) -> bool:
        """Whether every call came with labels."""
        return bool(len(self.rights)) and bool((self.rights >= 0).all()) and bool((self.sizes > 0).all())

    @cached_property
    def labels(self) -> Counter[float]:
        """How often each label came."""
        return sum((each.labels for each in self.stretches), Counter[float]())

    @cached_property
    def hits(self) -> Counter[float]:
        """How often each label was named rightly."""
        return sum((each.hits for each in self.stretches), Counter[float]())

    @cached_property
    def n_to_name(self) -> int:
        """Samples with a label; one below 0 means a sample that does not count."""
        return sum(n for label, n in self.labels.items() if label >= 0)

    @cached_property
    def n_outputs(self) -> int:
        """Of a sample."""
        return max(each.n_outputs for each in self.stretches)

    @cached_property
    def has_label_losses(self) -> bool:
        """Whether each call's loss was taken against the labels that were counted."""
        return all(each.n_label_losses == len(each.sizes) for each in self.stretches)

    @cached_property
    def start(self) -> int:
        """The moment of the first call."""
        return int(self.moments[0])

    @cached_property
    def end(self) -> int:
        """The moment of the last call."""
        return int(self.moments[-1])

    def count(self, until: int, since: int = -1) -> Count | None:
        """What the calls before a moment, and after another, come to; None without any, or without labels.

        Args:
            until: Calls from here on are left out.
            since: Calls up to here are left out.
        """
        if not self.is_counted or (since < self.start and self.end < until):
            return self.whole
        start, stop = (int(np.searchsorted(self.moments, moment)) for moment in (since + 1, until))
        return self._between(start, stop) if stop > start else None

    def last(self, until: int, *, back: int = 0) -> Count | None:
        """What one call comes to: the last before a moment, or one some calls further back."""
        stop = int(np.searchsorted(self.moments, until)) - back
        return self._between(stop - 1, stop) if self.is_counted and stop > 0 else None

    def _between(self, start: int, stop: int) -> Count:
        sizes, rights, losses = self.sizes[start:stop], self.rights[start:stop], self.losses[start:stop]
        n, n_batches = int(sizes.sum()), stop - start
        return Count(
            int(rights.sum()),
            n,
            n_batches,
            float((rights / sizes).mean()),
            float((losses * sizes).sum()) / n,
            float(losses.mean()),
        )

    @cached_property
    def whole(self) -> Count | None:
        """What all its calls come to."""
        return self._between(0, len(self.moments)) if self.is_counted else None


@dataclass(frozen=True)
class Counts:
    """The tallies of a log, in the order in which they began."""

    tallies: tuple[Tally, ...]
    _fresh: dict[tuple[int, int], list[Tally]] = field(default_factory=dict, repr=False)

    def before(self, moment: int) -> tuple[Tally, ...]:
        """Those that had begun by a moment; of very many, the latest."""
        stop = int(np.searchsorted(self._starts, moment))
        return self.tallies[max(0, stop - MOST_TALLIES) : stop]

    @cached_property
    def _starts(self) -> Int[np.ndarray, " tallies"]:
        return np.array([each.start for each in self.tallies], np.int64)

    @cached_property
    def _chains(self) -> dict[Key, list[Tally]]:
        found: dict[Key, list[Tally]] = {}
        for each in self.tallies:
            found.setdefault(each.key, []).append(each)
        return found

    @cached_property
    def _chain_numbers(self) -> dict[Tally, int]:
        """Keys are slow to compare, and are compared for each number that is printed."""
        return {tally: number for number, chain in enumerate(self._chains.values()) for tally in chain}

    def chain(self, tally: Tally) -> list[Tally]:
        """The passes of the same loop up to this one."""
        chain = self._chains[tally.key]
        return chain[: chain.index(tally) + 1]

    def fresh(self, until: int, since: int = -1) -> list[Tally]:
        """The latest of each chain with calls between two moments; where there are none, the latest of any.

        Args:
            until: The moment when a number was printed.
            since: The moment when the number before it was.
        """
        if (until, since) in self._fresh:
            return self._fresh[until, since]
        latest: dict[int, Tally] = {}
        for each in reversed(self.before(until)):
            latest.setdefault(self._chain_numbers[each], each)
        ordered = sorted(latest.values(), key=lambda each: -_last_before(each, until))
        given = [each for each in ordered if _last_before(each, until) > since]
        self._fresh[until, since] = (given or ordered)[:MOST_FRESH]
        return self._fresh[until, since]

    def between(self, until: int, since: int) -> list[Tally]:
        """All that have calls between two moments."""
        return [each for each in self.before(until) if since < _last_before(each, until)]


def _last_before(tally: Tally, until: int) -> int:
    if tally.end < until:
        return tally.end
    at = int(np.searchsorted(tally.moments, until))
    return int(tally.moments[at - 1]) if at else -1


def tallies_of(loops: Sequence["Loop"]) -> Counts:
    """The tallies of loops: one each, or two where a loop learned from some of its batches and not from others."""
    found = []
    for loop in loops:
        for trained in (True, False):
            stretches = tuple(each for each in loop.stretches if each.trained == trained and len(each.moments))
            if stretches:
                found.append(Tally(loop, trained, stretches))
    return Counts(tuple(sorted(found, key=lambda each: each.start)))


def share_named(tally: Tally, label: float) -> float | None:
    """The share of one label among the samples: the accuracy of an answer that is always this one."""
    n = sum(tally.labels.values())
    return tally.labels[label] / n if n else None


def balanced(tally: Tally) -> float | None:
    """The mean over the labels of the share of each that was named rightly; None where labels are lacking."""
    if not tally.is_counted or not tally.labels:
        return None
    return float(np.mean([tally.hits[label] / n for label, n in tally.labels.items()]))
