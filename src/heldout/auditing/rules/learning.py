"""H212 and H213: models that do not learn, and models with outputs for which there are no labels."""

from collections import Counter
from collections.abc import Iterator
from math import sqrt

from heldout.auditing.facts import Facts, Loop
from heldout.auditing.rule import Hit, Rule

# Passes after which a model should know something of its own training samples, and samples that can show it (assumed).
N_PASSES = 3
N_SAMPLES = 100
N_DEVIATIONS = 2.5
# The share of samples by which another setting does clearly better (assumed).
CLEARLY = 0.1
# Outputs to labels from which on a head was made for another task.
TOO_WIDE = 1.5
# Samples of each label that there is, from which on further classes would have shown themselves (assumed).
N_OF_EACH = 20


def find_chance(facts: Facts) -> Iterator[Hit]:
    """Models that after several passes name their own training samples no better than the commonest label."""
    for family in sorted(facts.trained_families):
        loops = [loop for loop in facts.trainings if loop.family == family and loop.passed]
        if len(loops) < N_PASSES:
            continue
        last = loops[-1]
        labels, n, right = _labels(last), last.n_samples, last.n_right
        n_calls, n_losses = (
            sum(each) for each in zip(*((len(s.sizes), s.n_label_losses) for s in last.stretches), strict=True)
        )
        if n_losses < n_calls or right is None or len(labels) < 2 or n < N_SAMPLES or sum(labels.values()) != n:
            continue
        common = max(labels.values()) / n
        if right / n < common + N_DEVIATIONS * sqrt(common * (1 - common) / n) and not _tells_apart(last):
            yield Hit(
                last.place,
                f"After {len(loops)} passes {facts.name_of(family)} names {100 * right / n:.1f} "
                f"% of its own {n:,} training "
                f"samples rightly; always the commonest label would name {100 * common:.1f} %.",
                # One setting of several that are tried may well be a bad one.
                severity="note" if _others_learn(facts, family, last) else None,
            )


def _tells_apart(last: Loop) -> bool:
    """Whether the mean share of each label that is named rightly is above that of any constant answer.

    With a loss that weighs rare labels more, fewer samples are named rightly than the commonest label has.
    """
    labels = _labels(last)
    hits = sum((each.hits for each in last.stretches), Counter[float]())
    mean = sum(hits[label] / n for label, n in labels.items()) / len(labels)
    # A share of n samples has at most this standard error.
    error = sqrt(sum(0.25 / n for n in labels.values())) / len(labels)
    return mean > 1 / len(labels) + N_DEVIATIONS * error


def _others_learn(facts: Facts, family: int, last: Loop) -> bool:
    """Whether other models that are trained at the same line name many more of the same samples rightly."""
    others = (each for each in facts.trainings if each.family != family and each.place == last.place)
    alike = (each for each in others if each.n_samples == last.n_samples and each.n_right is not None)
    return any((each.n_right or 0) > (last.n_right or 0) + CLEARLY * last.n_samples for each in alike)


def find_wide(facts: Facts) -> Iterator[Hit]:
    """Heads with many more outputs than there are labels."""
    for family in sorted(facts.trained_families):
        loops = [loop for loop in facts.trainings if loop.family == family]
        # Calls whose loss was taken against something else give features, or a picture: those are no head's outputs.
        heads = [each for loop in loops for each in loop.stretches if each.n_label_losses == len(each.sizes)]
        labels = sum((each.labels for each in heads), Counter[float]())
        n_outputs = max((each.n_outputs for each in heads), default=0)
        n = sum(labels.values())
        if len(labels) < 2 or n_outputs < 2 or n < max(n_outputs, N_OF_EACH * len(labels)) or min(labels) < 0:
            continue
        highest = int(max(labels))
        if n_outputs >= TOO_WIDE * (highest + 1):
            yield Hit(
                loops[0].place,
                f"{facts.name_of(family)} has {n_outputs:,} outputs; the {n:,} labels it learned from are all between "
                f"{int(min(labels))} and {highest}.",
            )


def _labels(loop: Loop) -> Counter[float]:
    return sum((each.labels for each in loop.stretches), Counter[float]())


RULES = (
    Rule(
        code="H212",
        name="learning-at-chance",
        severity="warning",
        believed="The model has learned from its training samples.",
        effect="It does no better than always giving the commonest label: later numbers say nothing about the data.",
        fix="look at the learning rate, the loss and the labels before comparing anything",
        find=find_chance,
    ),
    Rule(
        code="H213",
        name="head-wider-than-labels",
        severity="warning",
        believed="The model has one output for each class.",
        effect=(
            "Outputs without a class take probability and answers away from the classes there are: the number is lower."
        ),
        fix="replace the last layer by one with as many outputs as there are classes, before the optimiser is made",
        find=find_wide,
    ),
)
