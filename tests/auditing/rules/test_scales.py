"""H112: inputs on another scale where a model is used than where it learned."""

import pytest

from auditing.make_logs import LogMaker
from auditing.rules.judged import found, plain
from heldout.auditing.seen.models import Stretch


def _scaled(stretch: Stretch, low: float, high: float, mean: float, std: float) -> None:
    stretch.input_low, stretch.input_high, stretch.input_mean = low, high, mean
    stretch.least_std = stretch.most_std = stretch.input_std = std
    stretch.n_values = 64


UNIT, BYTES, STANDARDISED = (0.0, 1.0, 0.45, 0.25), (0.0, 255.0, 115.0, 64.0), (-1.8, 2.2, 0.0, 1.0)
NOISY, DARK, OTHER = (-3.0, 4.0, 0.45, 1.0), (0.0, 1.0, 0.1, 0.1), (-9.0, 9.0, 2.0, 3.0)


def _made(there: tuple[float, ...], *here: tuple[float, ...], n: int = 100, right: int = 20) -> LogMaker:
    made = plain("train_loader", "test_loader")
    _scaled(made.loop(0, [90], [100], trained=True), *there)
    for each in here:
        _scaled(made.loop(1, [right], [n]), *each)
    return made


@pytest.mark.parametrize(
    ("there", "here"),
    [(UNIT, BYTES), (BYTES, UNIT), (STANDARDISED, UNIT), (UNIT, STANDARDISED), (STANDARDISED, BYTES)],
)
def test_another_scale(there: tuple[float, ...], here: tuple[float, ...]) -> None:
    (finding,) = found(_made(there, here), "H112")
    assert (finding.severity, finding.place.line) == ("error", 45)


def test_it_is_told_in_numbers() -> None:
    (finding,) = found(_made(UNIT, BYTES), "H112")
    assert finding.observed == (
        "The 100 samples of test_loader are numbers from 0 to 255, standard deviation 64; model learned from numbers "
        "from 0 to 1, standard deviation 0.25."
    )


@pytest.mark.parametrize(
    ("there", "here"),
    [(UNIT, UNIT), (NOISY, UNIT), (UNIT, NOISY), (UNIT, DARK), (STANDARDISED, OTHER), (OTHER, STANDARDISED)],
)
def test_noise_and_true_shifts_are_silent(there: tuple[float, ...], here: tuple[float, ...]) -> None:
    assert found(_made(there, here), "H112") == []


def test_a_part_that_is_given_as_it_was_learned_too_was_changed_on_purpose() -> None:
    assert found(_made(UNIT, UNIT, BYTES), "H112") == []


def test_few_samples_and_inputs_that_are_all_alike_are_silent() -> None:
    assert found(_made(UNIT, BYTES, n=10, right=2), "H112") == []
    assert found(_made(UNIT, (0.0, 0.0, 0.0, 0.0)), "H112") == []


def test_what_is_not_counted_against_labels_is_a_warning() -> None:
    (finding,) = found(_made(UNIT, BYTES, right=-1), "H112")
    assert finding.severity == "warning"


@pytest.mark.parametrize(("width", "n_found"), [(8.0, 0), (30.0, 1)])
def test_tensors_made_by_hand_may_go_further(width: float, n_found: int) -> None:
    made = plain("train_loader")
    _scaled(made.loop(0, [90], [100], trained=True), *STANDARDISED)
    _scaled(made.shows(None, [-1], [100]), -3 * width, 3 * width, 0.0, width)
    assert len(found(made, "H112")) == n_found
