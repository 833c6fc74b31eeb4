"""What a printed number equals that it should not: which loop, by which count, and how likely that is by chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from heldout.auditing.counted import Count, Tally
from heldout.auditing.facts import Facts
from heldout.auditing.printed import Series
from heldout.auditing.rules.numbers_explained import Told
from heldout.findings import Severity

# Accuracies on other samples lie within a range of about this (assumed): a number that is exact to a hundredth of it
# equals one of them by chance in one case of a hundred.
SPREAD = 0.3
CHANCE_OF_ERROR, CHANCE_OF_WARNING = 0.05, 0.15
# Where nothing else was evaluated that a number could be about, this is enough.
CHANCE_ALONE = 0.3
# Where something was evaluated without labels, which a number may be the value of, nothing less is.
CHANCE_BESIDE_UNKNOWN = 1e-4


@dataclass(frozen=True, slots=True)
class Match:
    """A printed number, the loop whose value it is, that value, and of how many loops it was looked for."""

    each: Told
    tally: Tally
    count: Count
    n_candidates: int = 1

    @property
    def chance(self) -> float:
        """That some other accuracy would be printed like one of the candidates."""
        return min(1.0, max(self.each.claim.width, 1 / self.count.n) * self.n_candidates / SPREAD)


def severity_of(matches: Sequence[Match], rest: Sequence[Tally]) -> Severity | None:
    """How sure it is that numbers are not equal by chance; None where they may well be.

    Args:
        matches: The numbers; equal ones count once.
        rest: What else was evaluated, which they could be about.
    """
    chance = 1.0
    for match in {match.each.claim.value: match for match in matches}.values():
        chance *= match.chance
    if not all(tally.is_counted for tally in rest) and chance >= CHANCE_BESIDE_UNKNOWN:
        return None
    if chance < (CHANCE_OF_ERROR if rest else CHANCE_ALONE):
        return "error"
    return "warning" if chance < CHANCE_OF_WARNING else None


def is_about(series: Series, parts: set[str]) -> bool:
    """Whether a series says that it is the accuracy on one of these parts, and nothing besides."""
    first = series.first
    return first.metric == "accuracy" and first.part in parts and first.is_plain and not first.in_bar


def tallies_before(facts: Facts, each: Told, *, trained: bool) -> list[Tally]:
    """Those of one role that had begun when a number was printed."""
    return [tally for tally in facts.counts.before(each.claim.moment) if tally.trained == trained]
