"""H106: held-out samples that look different each time they are evaluated."""

import pytest

from auditing.make_logs import LogMaker
from auditing.rules.judged import found, keeps, plain


def _evaluated_twice(n_changed: int, n_again: int) -> LogMaker:
    made = plain("train_loader", "val_loader")
    made.loop(0, [5], [10], trained=True)
    for _ in range(2):
        made.loop(1, [5], [10])
    samples = keeps(made, 1, range(1000, 1100), trained=False)
    samples.n_changed, samples.n_again = n_changed, n_again
    return made


def test_held_out_samples_that_change() -> None:
    (finding,) = found(_evaluated_twice(95, 100), "H106")
    assert (finding.severity, finding.place.line) == ("error", 45)
    assert finding.observed == (
        "Of 100 samples of val_loader that were evaluated again, 95 looked different from the time before."
    )


@pytest.mark.parametrize(("n_changed", "n_again"), [(0, 100), (50, 100), (0, 0), (7, 7)])
def test_samples_that_stay_or_hardly_came_again_are_silent(n_changed: int, n_again: int) -> None:
    assert found(_evaluated_twice(n_changed, n_again), "H106") == []


def test_augmented_training_samples_that_are_looked_at_again_are_silent() -> None:
    made = plain("train_loader")
    made.loop(0, [5], [10], trained=True)
    made.loop(0, [5], [10])
    samples = keeps(made, 0, range(100), trained=False)
    samples.n_changed, samples.n_again = 100, 100
    assert found(made, "H106") == []
