"""H110: labels that are not those of their samples."""

from collections import Counter
from collections.abc import Iterator
from math import sqrt

from heldout.auditing.facts import Facts, Loop, distinct_places
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.scales import find_other_scale
from heldout.auditing.seen.data import Labelling
from heldout.auditing.seen.models import Stretch
from heldout.auditing.seen.place import Place

# Samples with both labels from which on it shows whether these go together (assumed).
N_COMPARED = 40
N_DEVIATIONS = 2.5
# Deviations of a chi-square from its mean that many runs of independent labels stay within (measured: 3.9 of 2,000).
N_CHI_DEVIATIONS = 6
# Held-out samples, and how far above chance the training is, before held-out answers at chance are odd (assumed).
N_HELD_OUT = 150
MEMORISED = 0.5
AT_MOST_ABOVE = 0.3
ONE_ANSWER = 0.9


def find_other_samples(facts: Facts) -> Iterator[Hit]:
    """Labels that come out of another loader than their samples, which draws other numbers."""
    for remark in facts.log.remarks:
        if remark.kind == "labels of other samples" and 2 * remark.n > remark.n_chances:
            samples, labels = ((names or ["a loader"])[-1] for names in remark.facts["loaders"])
            yield Hit(
                remark.place,
                f"In {remark.n:,} of {remark.n_chances:,} batches the samples come from {samples} and the labels from "
                f"{labels}, and they have other numbers among the {remark.facts['n']:,}: each loader draws for itself.",
            )


def find_contradictions(facts: Facts) -> Iterator[Hit]:
    """Samples that have a label here and another there, the one saying nothing about the other."""
    for each in facts.log.labellings:
        n, n_same = each.pairs.total(), sum(count for (one, other), count in each.pairs.items() if one == other)
        if each.is_steady and each.n_samples >= N_COMPARED and are_independent(each.pairs):
            when = (
                "when it learned from them again"
                if each.kind == "again"
                else "when it was evaluated on them as when it learned from them"
            )
            yield Hit(
                each.place,
                f"{facts.name_of(each.model)} was given {each.n_samples:,} samples with the same label "
                f"{when} in {100 * n_same / n:.1f} % of {n:,} cases; labels dealt out at random would agree in "
                f"{100 * _chance(each.pairs):.1f} %.",
                more=_lines_of(facts, each),
            )


def _lines_of(facts: Facts, labelling: Labelling) -> tuple[Place, ...]:
    loops = [loop for loop in facts.loops if loop.place in (labelling.place, labelling.before) and loop.passed]
    found = distinct_places([labelling.before, *(loop.passed.place for loop in loops if loop.passed)])
    return tuple(each for each in found if each != labelling.place)


def are_independent(pairs: Counter[tuple[int, int]]) -> bool:
    """Whether a label says nothing about the other of the same sample."""
    n, before, after = pairs.total(), *_margins(pairs)
    if n < N_COMPARED or len(before) < 2 or len(after) < 2:
        return False
    chance, same = _chance(pairs), sum(count for (one, other), count in pairs.items() if one == other)
    if same > n * chance + N_DEVIATIONS * sqrt(n * chance * (1 - chance)):
        return False
    expected = {(one, other): n_one * n_other / n for one, n_one in before.items() for other, n_other in after.items()}
    chi_square = sum((pairs.get(pair, 0) - value) ** 2 / value for pair, value in expected.items())
    freedom = (len(before) - 1) * (len(after) - 1)
    return chi_square <= freedom + N_CHI_DEVIATIONS * sqrt(2 * freedom)


def _margins(pairs: Counter[tuple[int, int]]) -> tuple[Counter[int], Counter[int]]:
    before, after = Counter[int](), Counter[int]()
    for (one, other), count in pairs.items():
        before[one] += count
        after[other] += count
    return before, after


def _chance(pairs: Counter[tuple[int, int]]) -> float:
    """The share in which independent labels of these frequencies agree."""
    before, after = _margins(pairs)
    return sum(count * after[label] for label, count in before.items()) / pairs.total() ** 2


def find_no_relation(facts: Facts) -> Iterator[Hit]:
    """Models that know their training samples, and whose answers to held-out ones have nothing to do with labels."""
    known = {loop.family for loop in facts.trainings if (above := _above(loop)) is not None and above >= MEMORISED}
    judged = [(loop, _above(loop)) for loop in facts.evaluations if loop.family in known]
    # A model that learned permuted labels on purpose stands beside one that did not.
    for family in sorted(known):
        seen = facts.seen_by(family)
        own = [
            (loop, above)
            for loop, above in judged
            if loop.family == family and above is not None and not _was_learned(facts, loop)
        ]
        largest = [(loop, above) for loop, above in own if loop.n_samples >= N_HELD_OUT]
        well = [above for _, above in judged if above is not None and above > MEMORISED]
        if not largest or not len(seen) or (len(known) > 1 and well):
            continue
        loop = largest[-1][0]
        # Inputs on another scale are answered at chance too, and so is everything by one answer.
        explained = any(hit.place == loop.place for hit in find_other_scale(facts))
        if all(_is_at_chance(loop) for loop, _ in own) and not explained and not _is_one_answer(loop):
            n_right, expected = loop.n_right or 0, _expected(loop)
            yield Hit(
                loop.place,
                f"{facts.name_of(family)} names {100 * n_right / loop.n_samples:.1f} % of {loop.n_samples:,} samples "
                f"rightly ({loop.called}), where the same answers in any order would name "
                f"{100 * expected / loop.n_samples:.1f} %; its own training samples it knows.",
                severity="warning",
                more=(loop.passed.place,) if loop.passed else (),
            )


def _was_learned(facts: Facts, loop: Loop) -> bool:
    """Whether the samples of a loop were learned from: their labels were learned by heart."""
    number = loop.data_set.number if loop.data_set else -1
    roots = {number, loop.data_set.root if loop.data_set else -1}
    given = [each for each in facts.samples_of(loop.family, trained=False) if each.data_set in roots]
    shares = [facts.share_trained(loop.family, each) for each in given]
    return any(2 * n_trained > n for n_trained, n in shares)


def _above(loop: Loop) -> float | None:
    """How far the answers are above chance, of what is possible: 0 at chance, 1 where all are right."""
    expected = _expected(loop)
    return None if expected < 0 else ((loop.n_right or 0) - expected) / max(loop.n_samples - expected, 1e-9)


def _is_at_chance(loop: Loop) -> bool:
    n, expected, n_right = loop.n_samples, _expected(loop), loop.n_right or 0
    spread = sqrt(max(expected * (1 - expected / n), 0.0))
    highest = (n_right + 2 * spread - expected) / max(n - expected, 1e-9)
    small = n < N_HELD_OUT
    return abs(n_right - expected) <= N_DEVIATIONS * spread and (small or highest <= AT_MOST_ABOVE)


def _is_one_answer(loop: Loop) -> bool:
    predicted = _all_of(loop.stretches, "predicted")
    return max(predicted.values()) > ONE_ANSWER * predicted.total()


def _expected(loop: Loop) -> float:
    """How many answers would be right if they came in any order; below 0 where that is not known."""
    n, labels = loop.n_samples, _all_of(loop.stretches, "labels")
    predicted = _all_of(loop.stretches, "predicted")
    if loop.n_right is None or not n or labels.total() != n or predicted.total() != n or len(labels) < 2:
        return -1.0
    return sum(count * predicted[int(label)] for label, count in labels.items()) / n


def _all_of(stretches: tuple[Stretch, ...], name: str) -> Counter[float]:
    return sum((getattr(each, name) for each in stretches), Counter[float]())


RULES = (
    Rule(
        code="H110",
        name="labels-permuted",
        severity="error",
        believed="Each sample comes with its own label.",
        effect="Samples come with the labels of others: the number tells how well chance was learned by heart.",
        fix="permute samples and labels by one and the same permutation, or draw pairs",
        find=lambda facts: (*find_other_samples(facts), *find_contradictions(facts), *find_no_relation(facts)),
    ),
)
