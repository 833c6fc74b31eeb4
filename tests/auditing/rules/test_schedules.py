"""H205 and H206: schedules that are never stepped, or not when they are made for."""

import pytest

from auditing.make_logs import FILE, LogMaker
from auditing.rules.judged import found, plain
from heldout.auditing.seen.models import Scheduler
from heldout.auditing.seen.place import Place

N_EPOCHS = 5
N_BATCHES = 20


def _trained(*, stepped: int, horizon: int | None = None) -> tuple[LogMaker, Scheduler]:
    """Five epochs of 20 batches with a schedule that was stepped so many times."""
    made = plain("train_loader")
    made.steps(n=N_EPOCHS * N_BATCHES).last_learning_rate = 0.1
    for _ in range(N_EPOCHS):
        made.loop(0, [5] * N_BATCHES, [10] * N_BATCHES, trained=True)
    schedule = Scheduler(0, "StepLR", Place(FILE, 14), 0, stepped, [Place(FILE, 28)] if stepped else [])
    schedule.horizon = horizon
    made.log.schedulers.append(schedule)
    return made, schedule


def test_a_schedule_that_is_never_stepped() -> None:
    made, _ = _trained(stepped=0)
    (finding,) = found(made, "H205")
    assert (finding.severity, finding.place.line) == ("error", 14)
    assert (
        "never stepped, while its optimiser took 100 steps, all of them at a learning rate of 0.1" in finding.observed
    )


def test_a_part_of_another_schedule_is_silent() -> None:
    for stepped in (0, 1):
        made, schedule = _trained(stepped=stepped)
        schedule.is_part, schedule.n_before_optimiser = True, 1
        assert found(made, "H205") == found(made, "H206") == []


def test_a_schedule_of_an_unknown_optimiser_is_silent() -> None:
    for stepped in (0, 1):
        made, schedule = _trained(stepped=stepped)
        schedule.optimiser = -1
        assert found(made, "H205") == found(made, "H206") == []


def test_a_schedule_of_an_optimiser_that_hardly_stepped_is_silent() -> None:
    made, _ = _trained(stepped=0)
    made.log.optimisers[0].n_steps = 1
    assert found(made, "H205") == []


def test_stepped_before_the_optimiser() -> None:
    made, schedule = _trained(stepped=5)
    schedule.n_before_optimiser = 1
    (finding,) = found(made, "H206")
    assert (finding.severity, finding.place.line) == ("warning", 28)
    assert "before the optimiser's first step" in finding.observed
    assert finding.more == (Place(FILE, 14),)


@pytest.mark.parametrize(
    ("stepped", "horizon", "told"),
    [
        (5, 100, "made for 100 steps, as many as the optimiser takes, and was stepped 5 times: once an epoch"),
        (100, 5, "made for 5 steps, as many as there are epochs, and was stepped 100 times: once a batch"),
    ],
)
def test_epochs_and_batches_confused(stepped: int, horizon: int, told: str) -> None:
    made, _ = _trained(stepped=stepped, horizon=horizon)
    (finding,) = found(made, "H206")
    assert finding.severity == "warning"
    assert told in finding.observed


@pytest.mark.parametrize(
    ("stepped", "horizon"),
    [(5, 5), (100, 100), (5, None), (100, None), (99, 100), (5, 30), (100, 20)],
)
def test_a_schedule_stepped_as_it_is_made_for_is_silent(stepped: int, horizon: int | None) -> None:
    made, _ = _trained(stepped=stepped, horizon=horizon)
    assert found(made, "H205") == found(made, "H206") == []


def test_a_rate_that_vanished() -> None:
    made, schedule = _trained(stepped=100)
    optimiser = made.log.optimisers[0]
    optimiser.last_learning_rate, optimiser.n_at_rest = 1e-11, 60
    (finding,) = found(made, "H206")
    assert "The learning rate fell from 0.1 to 1e-11 in 100 steps of this StepLR" in finding.observed
    assert "60 of 100 steps of the optimiser moved nothing" in finding.observed
    schedule.horizon = 100  # such as a cosine, whose end is near 0
    assert found(made, "H206") == []


@pytest.mark.parametrize("n_at_rest", [1, N_BATCHES])
def test_a_rate_that_ends_at_nought_with_the_training_is_silent(n_at_rest: int) -> None:
    made, _ = _trained(stepped=N_EPOCHS)
    optimiser = made.log.optimisers[0]
    optimiser.last_learning_rate, optimiser.n_at_rest = 0.0, n_at_rest
    assert found(made, "H206") == []


def test_a_schedule_that_a_framework_steps_is_told_where_it_was_made() -> None:
    made, _ = _trained(stepped=N_EPOCHS, horizon=N_EPOCHS * N_BATCHES)
    made.log.optimisers[0].step_place = Place(FILE, 28)  # one line, `trainer.fit()`, steps both
    (finding,) = found(made, "H206")
    assert (finding.place.line, finding.more) == (14, ())
