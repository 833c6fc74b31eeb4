"""H307: printed accuracies that nothing that was counted explains."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from heldout.auditing.counted import Tally
from heldout.auditing.facts import Facts
from heldout.auditing.printed import Claim, Series
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.numbers_batches import find_unequal
from heldout.auditing.rules.numbers_counters import summed
from heldout.auditing.rules.numbers_divisor import find_fixed_divisor
from heldout.auditing.rules.numbers_explained import Told, explains, told, worth_asking
from heldout.auditing.rules.numbers_odd import find_odd
from heldout.auditing.rules.numbers_splits import find_other_split
from heldout.auditing.rules.numbers_training import find_training_number
from heldout.auditing.seen.place import Place
from heldout.auditing.wording import CUMULATIVE

# Fewer numbers may be of something that was not seen.
FEWEST = 3
# The share of the numbers that some count explains by chance, at most (assumed).
CHANCE = 0.25
N_TOLD = 3


@dataclass(frozen=True)
class _Learned:
    """What each model was trained to name, as far as that was counted."""

    facts: Facts
    _memory: dict[int, tuple[bool, frozenset[int]]] = field(default_factory=dict)

    def is_named_by(self, tally: Tally) -> bool:
        """Whether the labels that were counted are those that the model is trained to name, all of them."""
        family = tally.loop.family
        if family not in self._memory:
            learned = [each for each in self.facts.counts.tallies if each.trained]
            own = [each for each in learned if each.loop.family == family] or learned
            is_known = bool(own) and all(each.has_label_losses for each in own)
            self._memory[family] = is_known, frozenset(each.n_outputs for each in own)
        is_known, n_outputs = self._memory[family]
        # Labels below 0 mean samples that do not count.
        return (
            is_known and n_outputs == {tally.n_outputs} and all(0 <= label < max(n_outputs) for label in tally.labels)
        )


def find_unexplained(facts: Facts) -> Iterator[Hit]:
    """Series of accuracies of which no number is what was counted, though all was."""
    learned = _Learned(facts)
    hits = [hit for series in facts.series if (hit := _hit_of(learned, series)) is not None]
    explained = _explained_elsewhere(facts) if hits else set()
    yield from (hit for hit in hits if hit.place not in explained)


def _explained_elsewhere(facts: Facts) -> set[Place]:
    """Statements of which another rule tells what their numbers are."""
    if any(each.kind == "argmax over one output" and each.n for each in facts.log.remarks):
        return {claim.place for series in facts.series for claim in series.claims}
    found = {each.last.claim.place for each in summed(facts)}
    for find in (find_odd, find_fixed_divisor, find_unequal, find_training_number, find_other_split):
        for hit in find(facts):
            found |= {hit.place, *hit.more}
    return found


def _hit_of(learned: _Learned, series: Series) -> Hit | None:
    first = series.first
    is_told = first.metric == "accuracy" and first.is_plain and not first.in_bar
    if not is_told or series.words & CUMULATIVE:
        return None
    if (too_high := _too_high(series)) is not None:
        return Hit(too_high.place, f"{too_high.text} is printed as {series.called}: more than all were right.")
    everything = told(learned.facts, series)
    if not all(_is_counted(learned, each) for each in everything):
        return None
    odd = [each for each in everything if not _is_explained(learned.facts, series, each)]
    return _hit(series, odd) if odd and len(everything) - len(odd) <= CHANCE * len(everything) else None


def _too_high(series: Series) -> Claim | None:
    """A number above 1, or above 100 percent."""
    return next((claim for claim in series.claims if claim.value - claim.below > 1.005), None)


def _hit(series: Series, odd: list[Told]) -> Hit:
    n_values = len({each.claim.value for each in odd})
    # A single output may be judged by another threshold than the usual one.
    is_sure = n_values >= FEWEST and all(tally.n_outputs > 1 for each in odd for tally in each)
    last, which = odd[-1], f"{len(odd)} numbers" if len(odd) > 1 else "The number"
    counts = [(tally, last.count(tally)) for tally in last.fresh[:N_TOLD]]
    counted = " or ".join(
        f"{count.n_right:,} of {count.n:,} ({count.share:.4f}, {tally.loop.called})" for tally, count in counts
    )
    is_not = "are not" if len(odd) > 1 else "is not"
    return Hit(
        last.claim.place,
        f"{which} printed as {series.called} {is_not} what was counted: the last is {last.claim.text}, where the "
        f"highest output was right for {counted}.",
        severity="warning" if is_sure else "note",
    )


def _is_counted(learned: _Learned, each: Told) -> bool:
    """Whether all that a number may be about was counted, once."""
    run = learned.facts.counts.between(each.claim.moment, each.since)
    return bool(run) and all(tally.is_counted and learned.is_named_by(tally) for tally in run) and not _is_repeated(run)


def _is_explained(facts: Facts, series: Series, each: Told) -> bool:
    return explains(each.claim, worth_asking(facts.counts.before(each.claim.moment), series), each.since)


def _is_repeated(run: list[Tally]) -> bool:
    """Whether samples were shown several times without learning between: to be averaged, or to several models."""
    shown = Counter(each.key[3] for each in run if not each.trained)
    calls: Counter[int] = Counter()
    fetched: dict[int, int] = {}
    for each in run:
        if each.loop.passed is not None:
            calls[each.loop.passed.number] += len(each.sizes)
            fetched[each.loop.passed.number] = each.loop.passed.fetched
    return any(n > 1 for n in shown.values()) or any(n > fetched[number] for number, n in calls.items())


RULES = (
    Rule(
        code="H307",
        name="unexplained-accuracy",
        severity="warning",
        believed="The number is the share of samples whose label is the model's highest output.",
        effect="It is not: it was computed from something else, and may be off by any amount.",
        fix="compare out.argmax(1) with the labels of the same batch, shapes alike, and add up over the loop",
        find=lambda facts: (*find_odd(facts), *find_unexplained(facts)),
    ),
)
