"""H205 and H206: learning rate schedules that are never stepped, or not when they are made for."""

from collections.abc import Iterator

from heldout.auditing.facts import Facts
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.seen.models import Scheduler

# How near a count of steps has to be to a horizon to be what it was made for (assumed).
NEAR = 0.1
# Steps at a rate that moves no weight any more: from this share on the schedule ended long before the training. One
# that is to end at 0 has it at its last steps only (assumed).
MUCH = 0.25
# Steps of a schedule from which on what is so in all of them is no accident, and loops one of which its metric is of.
N_METRICS = 3
N_LOOPS = 4


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


def find_of_another(facts: Facts) -> Iterator[Hit]:
    """Schedules whose optimiser has done its work already, while another one trains the same model."""
    for schedule in facts.log.schedulers:
        if schedule.is_part or schedule.optimiser < 0 or len(schedule.step_moments) < N_METRICS:
            continue
        own, first, last = facts.log.optimisers[schedule.optimiser], schedule.step_moments[0], schedule.step_moments[-1]
        others = [
            each
            for each in facts.log.optimisers
            if each.number != own.number and each.models & own.models and first < each.last_step and each.n_steps > 1
        ]
        if 0 <= own.last_step < first and any(each.last_step > last or each.n_steps > 1 for each in others):
            yield Hit(
                schedule.place,
                f"This {schedule.kind} was stepped {schedule.n_steps:,} times, and its {own.kind} took no step any "
                f"more: the model was trained by another optimiser, at a rate of {others[0].last_learning_rate:g}.",
                more=(own.place, others[0].place),
            )


def find_never_or_of_another(facts: Facts) -> Iterator[Hit]:
    """Schedules that change no rate that anything is trained with."""
    yield from find_never(facts)
    yield from find_of_another(facts)


def find_wrong(facts: Facts) -> Iterator[Hit]:
    """Schedules stepped before their optimiser, or a batch where an epoch was meant, or the reverse."""
    for schedule in facts.log.schedulers:
        if schedule.is_part or schedule.optimiser < 0 or not schedule.n_steps:
            continue
        where = schedule.step_places[0] if schedule.step_places else schedule.place
        if where == facts.log.optimisers[schedule.optimiser].step_place:  # a framework steps both, as it was told to
            where = schedule.place
        told = _told(facts, schedule) or _upside_down(facts, schedule)
        if told:
            yield Hit(where, told, more=(schedule.place,) * (where != schedule.place))


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
    if not horizon and optimiser.n_at_rest > MUCH * n_steps:
        return (
            f"The learning rate fell from {optimiser.learning_rate:g} to {optimiser.last_learning_rate:.2g} in "
            f"{schedule.n_steps:,} steps of this {schedule.kind}: {optimiser.n_at_rest:,} of {n_steps:,} steps of the "
            "optimiser moved nothing."
        )
    return ""


def _upside_down(facts: Facts, schedule: Scheduler) -> str:
    """Whether a schedule that waits for a metric to fall is given an accuracy."""
    if schedule.mode != "min" or len(schedule.metrics) < N_METRICS:
        return ""
    n_found = 0
    for moment, value in zip(schedule.step_moments, schedule.metrics, strict=False):
        counted = [loop for loop in facts.loops if loop.end < moment and loop.n_right and loop.n_samples][-N_LOOPS:]
        shares = [(loop.n_right or 0) / loop.n_samples for loop in counted]
        n_found += any(abs(value - scale * share) < 1e-4 * scale for share in shares for scale in (1, 100))
    if n_found < len(schedule.metrics):
        return ""
    return (
        f"This {schedule.kind} waits for its metric to fall (mode 'min'), and was given an accuracy in all {n_found:,} "
        f"steps: {schedule.metrics[0]:.4g} first, {schedule.metrics[-1]:.4g} last."
    )


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
        find=find_never_or_of_another,
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
