"""H303: printed numbers over counters that are never set back, so that they go over ever more passes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod

from heldout.auditing.counted import Count, Key, Tally
from heldout.auditing.facts import Facts
from heldout.auditing.printed import Series
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.numbers_explained import Told, own_count, told
from heldout.auditing.wording import CUMULATIVE

# Numbers that the sum over passes explains and the last pass does not: fewer may be chance.
FEWEST = 2
# Means over passes lie within a range of about this around the last one (assumed).
SPREAD = 0.05
CHANCE = 0.05


@dataclass(frozen=True, slots=True)
class _Way:
    """A way to forget to set counters back: which of them, and what is divided by what."""

    words: str
    numerator: Callable[[list[Count]], float]
    divisor: Callable[[list[Count]], float]


def _n_right(counts: list[Count]) -> float:
    return sum(count.n_right for count in counts)


def _n(counts: list[Count]) -> float:
    return sum(count.n for count in counts)


def _loss_of_samples(counts: list[Count]) -> float:
    return sum(count.loss * count.n for count in counts)


def _loss_of_batches(counts: list[Count]) -> float:
    return sum(count.mean_of_losses * count.n_batches for count in counts)


_WAYS = {
    "accuracy": (
        _Way("the counters were", _n_right, _n),
        _Way("the counter of right answers was", _n_right, lambda counts: counts[-1].n),
        _Way("the counter of samples was", lambda counts: counts[-1].n_right, _n),
    ),
    "loss": (
        _Way("the sum of losses was", _loss_of_batches, lambda counts: counts[-1].n_batches),
        _Way("the sum of losses was", _loss_of_samples, lambda counts: counts[-1].n),
        _Way("the counters were", _loss_of_batches, lambda counts: sum(count.n_batches for count in counts)),
        _Way("the counters were", _loss_of_samples, _n),
    ),
}


@dataclass(frozen=True, slots=True)
class Summed:
    """A series that goes over ever more passes.

    Attributes:
        series: The printed numbers.
        way: Which counters were not set back.
        last: The last of them that is not its own pass's.
        counts: Of the passes that the last one goes over.
        key: Of the loop that they are passes of.
        n_odd: How many of the numbers are not their own pass's.
    """

    series: Series
    way: _Way
    last: Told
    counts: list[Count]
    key: Key
    n_odd: int


def summed(facts: Facts) -> list[Summed]:
    """The series that go over ever more passes, and numbers by themselves that go over the same passes."""
    growing = [found for series in facts.series if (found := _growing(facts, series)) is not None]
    alone = [
        found
        for series in facts.series
        if all(series is not each.series for each in growing)
        for found in _of_same_passes(facts, series, growing)
    ]
    return growing + alone


def _growing(facts: Facts, series: Series) -> Summed | None:
    first = series.first
    if series.words & CUMULATIVE or len(series.claims) < FEWEST:
        return None
    everything = told(facts, series)
    scales = [1.0] if first.counted or first.has_percent or first.metric == "loss" else [1.0, 0.01]
    for way in _WAYS[first.metric]:
        for scale in scales:
            found = _goes_over(facts, series, way=way, everything=_scaled(everything, scale))
            if found is not None:
                return found
    return None


def _scaled(everything: list[Told], scale: float) -> list[Told]:
    """As they are, or as shares that were taken for percentages because some are above 1."""
    if scale == 1:
        return everything
    return [Told(each.claim.divided(scale), each.since, each.fresh) for each in everything]


def _goes_over(facts: Facts, series: Series, *, way: _Way, everything: list[Told]) -> Summed | None:
    """The series as sums over passes; None where one of its numbers is none, or too few differ from their own pass."""
    starts: dict[Key, set[int]] = {}
    odd: list[tuple[Told, list[Count], Key]] = []
    for each in everything:
        over = [(tally, found) for tally in each if (found := _passes(facts, each, tally, way=way, starts=starts))]
        if not over:
            return None
        tally, counts = max(over, key=lambda pair: len(pair[1]))
        if len(counts) > 1 and not any(own_count(each, tally) for tally in each):
            odd.append((each, counts, tally.key))
    if len(odd) < FEWEST or prod(_chance(each) for each, _, _ in odd) > CHANCE:
        return None
    last, counts, key = odd[-1]
    return Summed(series, way, last, counts, key, len(odd))


def _chance(each: Told) -> float:
    """That a number of another kind would agree with a sum over passes; of so many of so many, both must."""
    return 0.1 if each.claim.counted else min(1.0, each.claim.width / SPREAD)


def _passes(facts: Facts, each: Told, tally: Tally, *, way: _Way, starts: dict[Key, set[int]]) -> list[Count] | None:
    """The passes that a number goes over, the last of which is this; it begins where the number before it began."""
    counts = _counts(facts, each, tally)
    if counts is None:
        return None
    here = len(counts) - 1
    possible = {*starts.get(tally.key, {0}), here}
    fitting = {start for start in possible if _agrees(each, counts[start:], way)}
    starts[tally.key] = fitting
    return counts[min(fitting) :] if fitting else None


def _counts(facts: Facts, each: Told, tally: Tally) -> list[Count] | None:
    """What the passes of a chain came to, up to the moment of a number; None where one lacks labels."""
    chain = facts.counts.chain(tally)
    if all(before.loop.passed is not None and before.loop.passed.fetched < 2 for before in chain):
        return None  # passes of a single batch are steps of something, such as the episodes of a test
    counts = [before.whole for before in chain[:-1]] + [tally.count(each.claim.moment)]
    whole = [count for count in counts if count is not None]
    return whole if len(whole) == len(counts) else None


def _agrees(each: Told, counts: list[Count], way: _Way) -> bool:
    return each.claim.agrees_with_count(way.numerator(counts), way.divisor(counts))


def _of_same_passes(facts: Facts, series: Series, growing: list[Summed]) -> Iterator[Summed]:
    """Numbers of a series, such as one at the end, that go over the passes of one that was found."""
    if series.first.metric != "accuracy" or series.words & CUMULATIVE:
        return
    for each in told(facts, series):
        for tally in each:
            same = [found for found in growing if found.key == tally.key]
            counts = _counts(facts, each, tally) if same and not own_count(each, tally) else None
            if counts and len(counts) > 1 and _agrees(each, counts, same[0].way):
                yield Summed(series, same[0].way, each, counts, tally.key, 1)
                return


def find_accumulated(facts: Facts) -> Iterator[Hit]:
    """Statements whose numbers go over ever more passes, each pass with all before it."""
    for found in summed(facts):
        claim, own = found.last.claim, found.counts[-1]
        over, passes = found.way.numerator(found.counts), f"over {len(found.counts)} passes; the last pass alone has"
        if claim.metric == "accuracy":
            n = found.way.divisor(found.counts)
            of_how_many = f"is {over:,.0f} of {n:,.0f} {passes} {own.n_right:,} of {own.n:,} ({own.share:.4f})"
        else:
            of_how_many = f"comes of {over:.4g} {passes} {own.loss:.4f}"
        told_first = (
            f"{found.n_odd} of the printed numbers ({found.series.called}) go over all passes so far"
            if found.n_odd > 1
            else f"The printed number ({found.series.called}) goes over all passes"
        )
        yield Hit(
            claim.place,
            f"{told_first}, because {found.way.words} never set back: the last, {claim.text}, {of_how_many}.",
        )


RULES = (
    Rule(
        code="H303",
        name="accumulated-counters",
        severity="error",
        believed="The number is that of the epoch beside which it is printed.",
        effect="It is a mean over all epochs so far: it lags behind, smooths every change away, and hides overfitting.",
        fix="set the counters to 0 (or call metric.reset()) at the beginning of each pass",
        find=find_accumulated,
    ),
)
