"""H106: held-out samples that look different each time they are evaluated."""

import pytest

from auditing.make_logs import FILE, LogMaker
from auditing.rules.judged import found, keeps, plain
from heldout.auditing.seen.place import Place


def _evaluated_twice(n_changed: int, n_again: int) -> LogMaker:
    made = plain("train_loader", "val_loader")
    made.loop(0, [5], [10], trained=True)
    for _ in range(2):
        made.loop(1, [5], [10]).n_label_losses = 1
    samples = keeps(made, 1, range(1000, 1100), trained=False)
    samples.n_changed, samples.n_again = n_changed, n_again
    return made


def test_held_out_samples_that_change() -> None:
    (finding,) = found(_evaluated_twice(95, 100), "H106")
    assert (finding.severity, finding.place.line) == ("error", 45)
    assert finding.observed == (
        "Of 100 samples of val_loader that were evaluated again, 95 looked different from the time before."
    )


def test_samples_with_a_part_masked_that_is_to_be_guessed_are_a_note() -> None:
    made = _evaluated_twice(95, 100)
    for stretch in made.log.stretches[1:]:
        stretch.n_label_losses = 0  # the loss was taken against something else
    assert [each.severity for each in found(made, "H106")] == ["note"]
    for stretch in made.log.stretches[1:]:
        stretch.losses[0] = float("nan")  # none was
    assert [each.severity for each in found(made, "H106")] == ["error"]
    for stretch in made.log.stretches[1:]:
        stretch.labels.clear()
    assert [each.severity for each in found(made, "H106")] == ["note"]


def test_a_loader_that_a_framework_goes_over_is_told_where_it_was_made() -> None:
    made = _evaluated_twice(95, 100)
    for passed in made.log.passes:
        passed.made = Place(FILE, 15)
    (finding,) = found(made, "H106")
    assert (finding.place.line, [each.line for each in finding.more]) == (15, [45])


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
