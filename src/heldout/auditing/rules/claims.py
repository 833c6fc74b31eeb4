"""H407: a winner that is named after one training each, by less than other samples of the same kind would change."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, comb, erfc, sqrt

from heldout.auditing.facts import Facts, Line, Loop, distinct_places
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.seen.place import Place
from heldout.findings import Severity

# Says that one is better than another.
_COMPARES = re.compile(
    r"(?i)\b(?:better|beats?|beaten|outperform\w*|wins?|winner|won|superior|surpass\w*|stronger|worse|helps?|hurts?"
    r"|improve(?:s|d|ment)? (?:\w+ )?(?:by|of|over|on|upon)|gains?)\b"
)
# Says which is the first of several: a choice rather than a claim.
_CHOOSES = re.compile(r"(?i)\b(?:best|highest|top|rank(?:s|ed|ing)?|choose|chosen|select(?:ed)?)\b")
_NO_CLAIM = re.compile(
    r"(?i)\b(?:lower|higher|smaller|larger|bigger|more|less|fewer) is (?:better|worse)|chance|majority"
)
# A script that tells its noise is believed to know it.
_TELLS_NOISE = re.compile(
    r"(?i)\+/-|\+-|±|\b(?:std|stdev|sd|sem|stderr|ci|confidence|intervals?|mcnemar|bootstrap\w*|signific\w*|p-?value"
    r"|noise|inconclusive|tie|tied|standard (?:error|deviation))\b|\b95 ?%|\bp ?[=<]"
)
_SAYS_NOTHING = frozenset(
    {"model", "net", "opt", "optim", "optimizer", "optimiser", "train", "val", "test", "acc", "m"}
)
N_SAMPLES = 20
LIKELY = 0.05
# Deviations for a level of 5 % on two sides, and for a power of 80 %.
_LEVEL, _POWER = 1.96, 0.84


@dataclass(frozen=True, slots=True, eq=False)
class _Variant:
    """A model that was trained once, and how it did in the end.

    Attributes:
        family: Its number.
        words: What it is called.
        loop: Its last evaluation.
        answers: To each sample.
        truths: The labels.
    """

    family: int
    words: frozenset[str]
    loop: Loop
    answers: bytes
    truths: bytes

    @property
    def n_right(self) -> int:
        return sum(one == other for one, other in zip(self.answers, self.truths, strict=True))


@dataclass(frozen=True, slots=True)
class _Difference:
    """How two variants differ, in samples: `more` that the first alone names rightly, `fewer` that the second does."""

    n: int
    more: int
    fewer: int
    is_paired: bool

    @property
    def share(self) -> float:
        return (self.more - self.fewer) / self.n

    @property
    def variance(self) -> float:
        """Of the share, times the number of samples."""
        return (self.more + self.fewer) / self.n - self.share**2

    @property
    def chance(self) -> float:
        """How often two equally good variants would differ as much."""
        if self.is_paired:
            n, k = self.more + self.fewer, min(self.more, self.fewer)
            if n <= 1000:
                return min(1.0, float(2 * sum(comb(n, i) for i in range(k + 1)) / 2**n))
        error = sqrt(self.variance / self.n)
        return float(erfc(abs(self.share) / error / sqrt(2))) if error else 1.0

    @property
    def n_needed(self) -> int | None:
        """Samples that would tell this difference in four of five cases; None where there is none to tell."""
        return ceil((_LEVEL + _POWER) ** 2 * self.variance / self.share**2) if self.share else None


def find_one_seed(facts: Facts) -> Iterator[Hit]:
    """Lines that name a winner among models that were trained once each and differ by less than chance does."""
    if any(_TELLS_NOISE.search(line.text) for line in facts.lines):
        return
    for variants in _compared(facts):
        end = max(each.loop.end for each in variants)
        said_before = {line.place for line in facts.lines if line.moment <= end}
        for line in facts.lines:
            if line.moment <= end or line.place in said_before or _NO_CLAIM.search(line.text):
                continue
            pair = _pair(variants, line)
            compares = _COMPARES.search(line.text) is not None
            if not compares and not (_CHOOSES.search(line.text) and _named(variants, line)):
                continue
            difference = _difference(*pair)
            if difference.chance > LIKELY:
                yield _hit(facts, line, pair, difference, severity="warning" if compares else "note")
                return


def _compared(facts: Facts) -> Iterator[list[_Variant]]:
    """Two or more variants, each of another recipe, that were evaluated on the same samples; the last ones first."""
    groups: dict[object, dict[int, _Variant]] = defaultdict(dict)
    for loop in facts.evaluations:
        truths = b"".join(bytes(each.truths) for each in loop.stretches)
        answers = b"".join(bytes(each.answers) for each in loop.stretches)
        if len(truths) == loop.n_samples >= N_SAMPLES and loop.data_set is not None:
            variant = _Variant(loop.family, _words(facts, loop.family), loop, answers, truths)
            same = tuple(sorted(Counter(truths).items()))
            for key in ((loop.data_set.number, same), truths):
                groups[key].pop(loop.family, None)
                groups[key][loop.family] = variant
    for group in sorted(groups.values(), key=lambda each: -max(one.loop.end for one in each.values())):
        recipes = [_recipe(facts, family) for family in group]
        # One recipe twice: several seeds, folds or members.
        if len(group) > 1 and len(set(recipes)) == len(recipes):
            yield list(group.values())


def _recipe(facts: Facts, family: int) -> tuple[object, ...]:
    """What makes a variant what it is, as far as it was seen; two trainings that differ in their seed have the same."""
    models, optimisers = facts.models_of(family), facts.optimisers_of(family)
    first = models[0]
    settings = tuple((each.kind, tuple(sorted(each.settings.items()))) for each in optimisers)
    return first.kind, first.n_parameters, first.layers, settings, _words(facts, family)


def _words(facts: Facts, family: int) -> frozenset[str]:
    """What the user calls a variant, without numbers: those tell runs apart."""
    called = [word for each in facts.optimisers_of(family) for word in each.called]
    names = [name for model in facts.models_of(family) for name in model.names]
    parts = {re.sub(r"[\d_]+$", "", word.lower()) for word in [*called, *names]}
    said = frozenset(word for word in parts if len(word) > 1 and word not in _SAYS_NOTHING)
    return frozenset(word for word in said if not _CHOOSES.search(word) and not _COMPARES.search(word))


def _named(variants: list[_Variant], line: Line) -> list[_Variant]:
    """The variants that a line names by a word that others do not have."""
    text, found = line.text.lower(), []
    for each in variants:
        others = frozenset(word for other in variants if other is not each for word in other.words)
        if any(re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text) for word in each.words - others):
            found.append(each)
    return found


def _pair(variants: list[_Variant], line: Line) -> tuple[_Variant, _Variant]:
    """The two that a line is about: those that it names, or the best two; the better one first."""
    named = _named(variants, line)
    first, second = sorted(named if len(named) == 2 else variants, key=lambda each: -each.n_right)[:2]
    return first, second


def _difference(first: _Variant, second: _Variant) -> _Difference:
    n = len(first.truths)
    if first.truths == second.truths:
        rights = [[a == t for a, t in zip(each.answers, each.truths, strict=True)] for each in (first, second)]
        more = sum(one and not other for one, other in zip(*rights, strict=True))
        return _Difference(n, more, more - (first.n_right - second.n_right), is_paired=True)
    # Not in the same order: as if the two had nothing in common.
    wrong = [n - each.n_right for each in (first, second)]
    more, fewer = round(first.n_right * wrong[1] / n), round(second.n_right * wrong[0] / n)
    return _Difference(n, more, fewer, is_paired=False)


def _hit(
    facts: Facts, line: Line, pair: tuple[_Variant, _Variant], difference: _Difference, *, severity: Severity
) -> Hit:
    first, second = pair
    n, needed = difference.n, difference.n_needed
    alone = f"where one of them alone is right it is the first {difference.more} times, the second {difference.fewer}"
    how = alone if difference.is_paired else "the samples came in another order each"
    settled = f"about {needed:,} would tell it" if needed else "no number of them would tell a difference of 0"
    margin = 100 * _LEVEL * sqrt(difference.variance / n)
    names = [_name(facts, each, other) for each, other in (pair, pair[::-1])]
    return Hit(
        line.place,
        f"{names[0]} names {100 * first.n_right / n:.1f} % and {names[1]} {100 * second.n_right / n:.1f} % of {n:,} "
        f"samples rightly, each trained once: {100 * difference.share:.1f} points, {how} (p = "
        f"{difference.chance:.2f}). As many other samples would move that by up to {margin:.1f} points; {settled}.",
        severity=severity,
        more=_lines(facts, pair),
    )


def _name(facts: Facts, variant: _Variant, other: _Variant) -> str:
    own = sorted(variant.words - other.words, key=lambda word: (len(word), word))
    return own[0] if own else f"{facts.name_of(variant.family)} (model {variant.family})"


def _lines(facts: Facts, pair: tuple[_Variant, _Variant]) -> tuple[Place, ...]:
    made = [optimiser.place for each in pair for optimiser in facts.optimisers_of(each.family)]
    return distinct_places([*(each.loop.place for each in pair), *made])


RULES = (
    Rule(
        code="H407",
        name="one-seed-claim",
        severity="warning",
        believed="The winner is better, and would win again.",
        effect="Another seed, or as many other samples, would often name another winner: the difference is chance.",
        fix="train each with several seeds, compare on the same samples, and tell the difference with its interval",
        find=find_one_seed,
    ),
)
