"""H205 and H206: learning rate schedules that are never stepped, or not when they are made for."""

from collections.abc import Iterator

from heldout.auditing.facts import Facts
from heldout.auditing.log import Scheduler
from heldout.auditing.rule import Hit, Rule

# How near a count of steps has to be to a horizon to be what it was made for (assumed).
NEAR = 0.1
# A rate that has fallen by so much moves no weight any more (assumed).
VANISHED = 1e-6


def find_never(facts: Facts) -> Iterator[Hit]:
    """Schedules that were made and never stepped, though their optimiser was."""
    for schedule in facts.log.schedulers:
        if schedule.is_part or schedule.optimiser < 0 or schedule.n_steps:
            continue
        optimiser = facts.log.optimisers[schedule.optimiser]
        if optimiser.n_steps > 1:
            yield Hit(
                schedule.place,
                f"This {schedule.kind} was never stepped, while its optimiser took {optimiser.n_steps:,} steps, all of "
                f"them at a learning rate of {optimiser.last_learning_rate:g}.",
            )


def find_wrong(facts: Facts) -> Iterator[Hit]:
    """Schedules stepped before their optimiser, or a batch where an epoch was meant, or the reverse."""
    for schedule in facts.log.schedulers:
        if schedule.is_part or schedule.optimiser < 0 or not schedule.n_steps:
            continue
        where = schedule.step_places[0] if schedule.step_places else schedule.place
        told = _told(facts, schedule)
        if told:
            yield Hit(where, told, more=(schedule.place,))


def _told(facts: Facts, schedule: Scheduler) -> str:
    optimiser = facts.log.optimisers[schedule.optimiser]
    n_steps, horizon = optimiser.n_steps, schedule.horizon
    if schedule.n_before_optimiser and n_steps:
        return (
            f"This {schedule.kind} was stepped before the optimiser's first step: its first learning "
            f"rate was never used."
        )
    n_epochs = _n_passes(facts, schedule)
    if horizon and n_epochs and n_steps >= 4 * n_epochs:
        if _near(horizon, n_steps) and schedule.n_steps <= n_steps / 2:
            return (
                f"This {schedule.kind} is made for {horizon:,} steps, as many as the optimiser takes, and was stepped "
                f"{schedule.n_steps:,} times: once an epoch where once a batch was meant."
            )
        if _near(horizon, n_epochs) and _near(schedule.n_steps, n_steps):
            return (
                f"This {schedule.kind} is made for {horizon:,} steps, as many as there are epochs, and was stepped "
                f"{schedule.n_steps:,} times: once a batch where once an epoch was meant."
            )
    first, last = optimiser.learning_rate, optimiser.last_learning_rate
    if first > 0 and last < VANISHED * first and not horizon:
        return (
            f"The learning rate fell from {first:g} to {last:.2g} in {schedule.n_steps:,} steps of "
            f"this {schedule.kind}."
        )
    return ""


def _n_passes(facts: Facts, schedule: Scheduler) -> int:
    families = facts.log.optimisers[schedule.optimiser].models
    return len({loop.passed.number for loop in facts.trainings if loop.family in families and loop.passed})


def _near(value: float, other: float) -> bool:
    return abs(value - other) <= NEAR * max(value, other)


RULES = (
    Rule(
        code="H205",
        name="scheduler-never-stepped",
        severity="error",
        believed="The learning rate follows the schedule.",
        effect="It stays what it was at first: the result is that of a constant rate, often too high at the end.",
        fix="call scheduler.step() after each epoch (or batch), as the schedule is made for",
        find=find_never,
    ),
    Rule(
        code="H206",
        name="scheduler-stepped-wrongly",
        severity="warning",
        believed="The learning rate follows the schedule.",
        effect=(
            "It runs through the schedule too soon or too slowly: the model is trained less well "
            "than the setting could."
        ),
        fix="step the scheduler after optimizer.step(), as often as its length counts: batches or epochs",
        find=find_wrong,
    ),
)
