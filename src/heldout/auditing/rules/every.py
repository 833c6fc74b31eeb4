"""All rules, in the order of their codes."""

from heldout.auditing.rule import Rule
from heldout.auditing.rules import (
    claims,
    class_order,
    comparisons,
    gradients,
    labels,
    learning,
    loaders,
    losses,
    modes,
    numbers_batches,
    numbers_counters,
    numbers_divisor,
    numbers_splits,
    numbers_test,
    numbers_training,
    numbers_unexplained,
    outputs,
    parameters,
    scales,
    schedules,
    static_only,
    trained_samples,
    views,
    weights_loaded,
)

_SUBJECTS = (
    trained_samples,
    loaders,
    labels,
    class_order,
    scales,
    outputs,
    gradients,
    parameters,
    schedules,
    modes,
    losses,
    learning,
    comparisons,
    claims,
    weights_loaded,
    views,
    numbers_divisor,
    numbers_counters,
    numbers_batches,
    numbers_training,
    numbers_splits,
    numbers_unexplained,
    numbers_test,
)
_watched = [rule for subject in _SUBJECTS for rule in subject.RULES]
# What reading alone can tell; a case that a watch sees too keeps the words of the rule that sees it.
_read = [rule for rule in static_only.RULES if rule.code not in {each.code for each in _watched}]
RULES: tuple[Rule, ...] = tuple(sorted((*_watched, *_read), key=lambda rule: rule.code))
