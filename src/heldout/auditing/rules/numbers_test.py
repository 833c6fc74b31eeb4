"""H405: the best of many looks at the test part, where no other part was there to choose by."""

from collections.abc import Iterator, Sequence

from heldout.auditing.counted import Tally
from heldout.auditing.facts import Facts
from heldout.auditing.printed import Series
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.numbers_explained import Told, told
from heldout.auditing.rules.numbers_splits import named_part
from heldout.auditing.rules.weights_loaded import loads
from heldout.auditing.seen.log import Event

# Fewer looks are no choice: before and after, or two models side by side.
FEWEST_LOOKS = 3


def find_best_on_test(facts: Facts) -> Iterator[Hit]:
    """Test accuracies that are the highest of several, and weights that are put back because they were."""
    if _has_other_part(facts):
        return
    yield from _told_best(facts)
    yield from _put_back(facts)


def _has_other_part(facts: Facts) -> bool:
    """Whether anything was evaluated that is neither the test part nor what was learned from."""
    learned = {loop.data_set.number for loop in facts.trainings if loop.data_set is not None}
    asked = [tally for tally in facts.counts.tallies if not tally.trained]
    return any(
        tally.loop.data_set is None or (named_part(tally) != "test" and tally.loop.data_set.number not in learned)
        for tally in asked
    )


def _looks(facts: Facts, until: int) -> list[Tally]:
    """Whole evaluations on the test part up to a moment, in their order."""
    before = facts.counts.before(until)
    return [each for each in before if not each.trained and each.end < until and named_part(each) == "test"]


def _weights(tally: Tally) -> tuple[int, int]:
    return tally.loop.family, tally.stretches[0].fingerprint


def _told_best(facts: Facts) -> Iterator[Hit]:
    for series in facts.series:
        first = series.first
        is_test = first.part == "test" or (not first.part and "best" in series.words)
        if first.metric != "accuracy" or not is_test or first.in_bar:
            continue
        chosen = [(each, looks) for each in told(facts, series) if (looks := _chosen(facts, each))]
        if chosen and len(chosen) == len(series.claims):
            yield _hit(series, *chosen[-1])


def _chosen(facts: Facts, each: Told) -> list[Tally]:
    """The looks of which a number is the best, and not the last; none where it is not."""
    looks = [tally for tally in _looks(facts, each.claim.moment) if tally.whole is not None]
    shares = [tally.whole.share for tally in looks if tally.whole is not None]
    if len({_weights(tally) for tally in looks}) < FEWEST_LOOKS or len(set(shares)) < FEWEST_LOOKS:
        return []
    return looks if each.claim.agrees(max(shares)) and not each.claim.agrees(shares[-1]) else []


def _hit(series: Series, each: Told, looks: Sequence[Tally]) -> Hit:
    shares = [tally.whole.share for tally in looks if tally.whole is not None]
    return Hit(
        each.claim.place,
        f"{each.claim.text}, printed as {series.called}, is the highest of {len(shares)} evaluations on "
        f"{looks[-1].loop.called} (the last came to {shares[-1]:.4f}), and nothing else was there to choose by.",
        more=(looks[-1].loop.place,),
    )


def _put_back(facts: Facts) -> Iterator[Hit]:
    """Weights that are loaded before the last look, and that were the best at an earlier one."""
    for event in loads(facts):
        before = [each for each in _looks(facts, event.moment) if each.loop.family in event.facts.get("families", ())]
        tried = {_weights(each): each for each in before}
        again = next((tried[key] for key in tried if key[1] == event.facts.get("fingerprint")), None)
        after = [each for each in facts.counts.tallies if each.start > event.moment and named_part(each) == "test"]
        if again is None or len(tried) <= FEWEST_LOOKS or again is before[-1] or not after or after[0].trained:
            continue
        if _weights(after[0]) == _weights(again) and _is_best(again, list(tried.values())):
            yield _put_back_hit(event, again, n=len(tried))


def _is_best(look: Tally, looks: Sequence[Tally]) -> bool:
    wholes = [each.whole for each in looks if each.whole is not None]
    own = look.whole
    if own is None or len(wholes) < len(looks):
        return False
    return own.share == max(each.share for each in wholes) or own.loss == min(each.loss for each in wholes)


def _put_back_hit(event: Event, look: Tally, *, n: int) -> Hit:
    return Hit(
        event.place,
        f"The weights that are put back here did best of {n} that were tried on {look.loop.called}, and the last "
        "number is measured on the same samples: nothing else was there to choose by.",
        more=(look.loop.place,),
    )


RULES = (
    Rule(
        code="H405",
        name="best-of-many-on-test",
        severity="warning",
        believed="The test number is that of a model that was chosen without it.",
        effect="The best of many looks at the test part is kept: it is too high, the more so the more looks there are.",
        fix="choose on a validation part, and look at the test part once at the end",
        find=find_best_on_test,
    ),
)
