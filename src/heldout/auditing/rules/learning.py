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
# Outputs to labels from which on a head was made for another task.
TOO_WIDE = 1.5


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
        if right / n < common + N_DEVIATIONS * sqrt(common * (1 - common) / n):
            yield Hit(
                last.place,
                f"After {len(loops)} passes {facts.name_of(family)} names {100 * right / n:.1f} "
                f"% of its own {n:,} training "
                f"samples rightly; always the commonest label would name {100 * common:.1f} %.",
            )


def find_wide(facts: Facts) -> Iterator[Hit]:
    """Heads with many more outputs than there are labels."""
    for family in sorted(facts.trained_families):
        loops = [loop for loop in facts.trainings if loop.family == family]
        labels = sum((_labels(loop) for loop in loops), Counter[float]())
        n_outputs = max((each.n_outputs for loop in loops for each in loop.stretches), default=0)
        n = sum(labels.values())
        if len(labels) < 2 or n_outputs < 2 or n < 5 * n_outputs or min(labels) < 0:
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
