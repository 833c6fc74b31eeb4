"""H112: inputs on another scale where a model is used than where it learned."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np

from heldout.auditing.facts import Facts
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.seen.models import Stretch
from heldout.auditing.seen.place import Place

# So many times as wide as any batch of the training, or as narrow: no shift of what the samples show does that.
# Pixels of 0-255 and of 0-1 differ 255 times; see the page for what was measured on correct scripts.
TOO_WIDE = 5.0
# The same of tensors made by hand, which may be a probe of how far a model can be trusted.
TOO_WIDE_BY_HAND = 10.0
# A range of 0 to 1 against numbers of both signs: what standardising does to pictures is 2 to 5 times (assumed 1.8).
WIDER_AS_STANDARDISED = 1.8
SHIFTED = 0.1
SLACK = 1e-3
N_SAMPLES = 20


@dataclass(frozen=True, slots=True)
class _Scale:
    """What the inputs of some calls were like.

    Attributes:
        low: The least number.
        high: The greatest.
        mean: Of the calls' means.
        least: The least standard deviation of a call.
        most: The greatest.
    """

    low: float
    high: float
    mean: float
    least: float
    most: float

    @property
    def is_unit(self) -> bool:
        """Whether the numbers go from 0 to 1, as pixels do."""
        return -SLACK <= self.low < 0.2 and 0.6 < self.high <= 1 + SLACK

    @property
    def words(self) -> str:
        return f"{self.low:.3g} to {self.high:.3g}, standard deviation {_between(self.least, self.most)}"


def find_other_scale(facts: Facts) -> Iterator[Hit]:
    """Evaluations whose inputs are far wider or narrower than any batch of the training, or standardised otherwise."""
    by_model: dict[int, list[Stretch]] = defaultdict(list)
    for each in facts.log.stretches:
        if each.n_values and not isnan(each.input_mean) and each.n_samples:
            by_model[each.model].append(each)
    for model, stretches in by_model.items():
        trained = [each for each in stretches if each.trained]
        if trained:
            learned = _scale_of(trained)
            for group in _evaluated(facts, [each for each in stretches if not each.trained]):
                yield from _judged(facts, facts.family(model), learned, group)


def _evaluated(facts: Facts, stretches: list[Stretch]) -> list[list[Stretch]]:
    """Calls over one data set, or at one line with tensors made by hand."""
    groups: dict[int | Place, list[Stretch]] = defaultdict(list)
    for each in stretches:
        groups[facts.log.passes[each.passed].data_set if each.passed is not None else each.place].append(each)
    return list(groups.values())


def _judged(facts: Facts, family: int, learned: _Scale, group: list[Stretch]) -> Iterator[Hit]:
    by_hand = group[0].passed is None
    # A data set that the model was also given on its own scale is changed on purpose: a test of how much it takes.
    if sum(each.n_samples for each in group) < N_SAMPLES or not all(
        _is_other(learned, _scale_of([each]), by_hand=by_hand) for each in group
    ):
        return
    here, n = _scale_of(group), sum(each.n_samples for each in group)
    passes = [facts.log.passes[each.passed] for each in group if each.passed is not None]
    names = passes[0].names if passes else []
    called = names[-1] if names else f"the tensors of line {group[0].place.line}"
    counted = all(each.n_right is not None for each in group)
    yield Hit(
        group[0].place,
        f"The {n:,} samples of {called} are numbers from {here.words}; {facts.name_of(family)} learned from numbers "
        f"from {learned.words}.",
        severity=None if counted else "warning",
        more=(passes[0].place,) if passes else (),
    )


def _scale_of(stretches: Sequence[Stretch]) -> _Scale:
    return _Scale(
        min(each.input_low for each in stretches),
        max(each.input_high for each in stretches),
        float(np.mean([each.input_mean for each in stretches])),
        min(each.least_std for each in stretches),
        max(each.most_std for each in stretches),
    )


def _is_other(learned: _Scale, here: _Scale, *, by_hand: bool) -> bool:
    """Whether no input here is as wide as any there, by a lot; or one are pixels and the other standardised ones."""
    if learned.least <= 0 or here.least <= 0:
        return False
    ratio = here.least / learned.most if here.least > learned.most else learned.least / here.most
    if ratio >= (TOO_WIDE_BY_HAND if by_hand else TOO_WIDE):
        return True
    unit, other = (here, learned) if here.is_unit else (learned, here)
    shift = abs(unit.mean - other.mean) / other.most
    both_signs = other.low < -SHIFTED and other.high > SHIFTED
    return unit.is_unit and both_signs and ratio >= WIDER_AS_STANDARDISED and shift >= SHIFTED


def _between(least: float, most: float) -> str:
    return f"{least:.3g}" if most < 1.1 * least else f"{least:.3g} to {most:.3g}"


RULES = (
    Rule(
        code="H112",
        name="inputs-on-another-scale",
        severity="error",
        believed="The model is given what it learned to read: the same numbers for the same thing.",
        effect="It is given numbers that it never saw: its answers are nearly those of chance, and the number too low.",
        fix="put scaling into one function, or into the model, and use it in training and everywhere else",
        find=find_other_scale,
    ),
)
