"""H302: accuracies that are right answers divided by one fixed number, which is not how many there were."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, floor, prod

from heldout.auditing.counted import Tally
from heldout.auditing.facts import Facts
from heldout.auditing.printed import Series
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.numbers_explained import FEW, Told, explains, is_honest, told
from heldout.auditing.rules.numbers_lines import divisions
from heldout.auditing.seen.place import Place
from heldout.findings import Severity

# Where accuracies differ from the true ones for another reason, the divisors that would explain them spread over a
# range as wide as this share of them (assumed); so wide a match by chance may be.
SPREAD = 0.1
# The chance of a match that is believed: of any whole number, and of one that is met in the script.
CHANCE_OF_ANY = 0.005
CHANCE_OF_KNOWN = 0.05
# Whole numbers that are tried where nothing in the script names the divisor.
MOST_TRIED = 3
# A divisor that is spelt out is that of an accuracy where it is not further from the samples than this many times.
MOST_TIMES = 20
# A difference is told as an error from one point on, and below a tenth of one as a note.
ERROR_FROM, WARNING_FROM = 0.01, 0.001


@dataclass(frozen=True, slots=True)
class _Divided:
    """A printed number, what it would be the numerator of, and the divisors that would give it."""

    each: Told
    tally: Tally
    n_right: int
    n: int

    @property
    def low(self) -> float:
        return self.n_right / (self.each.claim.value + self.each.claim.above)

    @property
    def high(self) -> float:
        return self.n_right / max(self.each.claim.value - self.each.claim.below, 1e-12)

    def is_by(self, divisor: float) -> bool:
        return self.low <= divisor <= self.high and divisor != self.n


@dataclass(frozen=True, slots=True)
class _Divisor:
    """A number that might have been divided by, what it is, the line where it stands, and how many such are tried."""

    value: float
    words: str = ""
    place: Place | None = None
    n_tried: int = 1


def find_fixed_divisor(facts: Facts) -> Iterator[Hit]:
    """Accuracies that one wrong divisor explains, where no count does; those of one divisor are told together."""
    odd = [(series, found) for series in facts.series if (found := _divided(facts, series))]
    pairs = [pair for _, found in odd for each in found for pair in each]
    by_divisor: dict[tuple[Place, float], tuple[_Divisor, list[_Divided]]] = {}
    for _, found in odd:
        divisor = next((each for each in _divisors(facts, found) if _fits(each, found, pairs)), None)
        if divisor is not None:
            place = divisor.place or found[-1][0].each.claim.place
            _, held = by_divisor.setdefault((place, divisor.value), (divisor, []))
            held += [next(each for each in readings if each.is_by(divisor.value)) for readings in found]
    for (place, _), (divisor, held) in by_divisor.items():
        yield _hit(place, divisor, held)


def _divided(facts: Facts, series: Series) -> list[list[_Divided]]:
    """Each number that no count explains, with what it may be a quotient of; nothing where one has no such reading."""
    if series.first.metric != "accuracy" or all(claim.counted for claim in series.claims):
        return []
    everything = [each for each in told(facts, series) if not each.claim.counted and each.claim.value > 0]
    odd = [each for each in everything if not (is_honest(each) or _is_constant(facts, each))]
    if len(odd) <= FEW:  # over many passes one or the other count agrees with anything
        before = facts.counts.before
        odd = [each for each in odd if not explains(each.claim, before(each.claim.moment), each.since)]
    found = [_readings(facts, each) for each in odd]
    return found if all(found) and 2 * len(found) >= len(everything) else []


def _readings(facts: Facts, each: Told) -> list[_Divided]:
    ended = [tally for tally in each if tally.end < each.claim.moment]
    counts = [(tally, tally.whole) for tally in ended]
    found = [
        _Divided(each, tally, count.n_right, tally.n_to_name)
        for tally, count in counts
        if count and count.n_right and tally.n_to_name
    ]
    if _takes_the_first(facts):
        found += [
            _Divided(each, tally, tally.labels[0], tally.n_to_name)
            for tally, count in counts
            if count and tally.n_outputs == 1 and tally.labels[0]
        ]
    return found


def _takes_the_first(facts: Facts) -> bool:
    """Whether the script takes the highest of one output: then every answer is 0."""
    return any(each.kind == "argmax over one output" and each.n for each in facts.log.remarks)


def _is_constant(facts: Facts, each: Told) -> bool:
    return _takes_the_first(facts) and any(
        each.claim.agrees_with_count(tally.labels[0], n) for tally in each if (n := sum(tally.labels.values()))
    )


def _divisors(facts: Facts, found: list[list[_Divided]]) -> Iterator[_Divisor]:
    """Divisors worth trying: those that the code spells out, those that are the size of something, and any other."""
    first = found[0][0]
    spelt = {value: (words, place) for place, value, words in divisions(first.each.claim.place.file)}
    spelt = {value: each for value, each in spelt.items() if 1 / MOST_TIMES < value / first.n < MOST_TIMES}
    yield from (
        _Divisor(value, f"{value:,.0f} ({words})", place, len(spelt)) for value, (words, place) in spelt.items()
    )
    sizes: dict[float, str] = {}
    for tally in {id(each.tally): each.tally for readings in found for each in readings}.values():
        sizes = {**_sizes(facts, tally), **sizes}
    yield from (_Divisor(value, words, None, len(sizes)) for value, words in sizes.items())
    for each in found[0]:
        whole = range(ceil(each.low), floor(each.high) + 1)
        if len(whole) <= MOST_TRIED:
            yield from (_Divisor(value, n_tried=len(whole)) for value in whole)


def _sizes(facts: Facts, tally: Tally) -> dict[float, str]:
    """What has the size of something that the loop goes over, or might be taken for it."""
    found: dict[float, str] = {}
    for data_set in facts.log.data_sets:
        if data_set.n_samples:
            name = (data_set.names or [data_set.kind])[-1]
            found.setdefault(data_set.n_samples, f"{data_set.n_samples:,}, the length of {name}")
    passed = tally.loop.passed
    for batches in (len(tally.sizes), (passed.declared if passed else None) or len(tally.sizes)):
        largest = int(tally.sizes.max())
        found.setdefault(batches * largest, f"{batches * largest:,}, which is {batches:,} batches of {largest:,}")
        # An accuracy that is divided by the number of batches is above 1, and reads like a percentage.
        for scale in (1, 100):
            found.setdefault(batches * scale, f"{batches:,}, the number of batches")
    return found


def _fits(divisor: _Divisor, found: list[list[_Divided]], pairs: list[_Divided]) -> bool:
    """Whether a divisor explains each number of a series, and the numbers are too exact for that to be chance."""
    if not all(any(each.is_by(divisor.value) for each in readings) for readings in found):
        return False
    # Numbers of other series that the same divisor explains speak for it too.
    distinct = {(each.n_right, each.each.claim.value): each for each in pairs if each.is_by(divisor.value)}
    chances = sorted(min(1.0, (each.high - each.low) / each.low / SPREAD) for each in distinct.values())
    is_known = bool(divisor.words)
    n_readings = len({each.n_right for each in found[0]})
    chance = divisor.n_tried * n_readings * prod(chances if is_known else chances[:-1])
    return chance < (CHANCE_OF_KNOWN if is_known else CHANCE_OF_ANY)


def _hit(place: Place, divisor: _Divisor, held: list[_Divided]) -> Hit:
    last = held[-1]
    difference = max(abs(each.each.claim.value - each.n_right / each.n) for each in held)
    severity: Severity = "error" if difference >= ERROR_FROM else "warning" if difference >= WARNING_FROM else "note"
    if not divisor.words and severity == "error":
        severity = "warning"  # nothing in the script is known to be so many
    by = divisor.words or f"{divisor.value:,.0f}"
    labels = ", ".join(dict.fromkeys(repr(each.each.claim.label) for each in held))
    observed = (
        f"{_numbers(len(held), labels)} right answers divided by {by}, and not by the samples: "
        f"the last, {last.each.claim.text}, is {last.n_right:,} right of {last.n:,}, which is "
        f"{last.n_right / last.n:.4f}."
    )
    prints = tuple(dict.fromkeys(each.each.claim.place for each in held))
    return Hit(place, observed, severity=severity, more=tuple(each for each in prints if each != place))


def _numbers(n: int, labels: str) -> str:
    return f"{n:,} printed numbers ({labels}) are" if n > 1 else f"A printed number ({labels}) is"


RULES = (
    Rule(
        code="H302",
        name="fixed-divisor",
        severity="error",
        believed="The number is the share of right answers among the samples that were shown.",
        effect="It is that share times the samples shown over the divisor: too low where the divisor is the larger.",
        fix="count the samples in the loop, total += len(labels), and divide by that",
        find=find_fixed_divisor,
    ),
)
