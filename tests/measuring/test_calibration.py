import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from heldout.measuring.calibration import (
    HIGHEST_TEMPERATURE,
    LOWEST_TEMPERATURE,
    ReliabilityBin,
    ece_null_band,
    expected_calibration_error,
    fit_temperature,
    reliability_bins,
    widened_null_band,
)
from heldout.measuring.intervals import wilson
from heldout.measuring.predictions import Predictions


def with_confidence(confidence: np.ndarray, correct: np.ndarray) -> Predictions:
    """Two classes, the first always predicted, with these confidences (above one half)."""
    logits = np.stack([np.log(confidence / (1 - confidence)), np.zeros(len(confidence))], axis=1)
    ids = tuple(str(position) for position in range(len(confidence)))
    return Predictions(ids, np.where(correct, 0, 1), logits, ("x", "y"))


def sampled(n: int, n_classes: int, *, sharpness: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits whose softmax at temperature `sharpness` is the true distribution of the labels."""
    generator = np.random.default_rng(seed)
    calibrated = 2 * generator.normal(size=(n, n_classes))
    gumbel = generator.gumbel(size=calibrated.shape)
    return calibrated * sharpness, (calibrated + gumbel).argmax(axis=1)


def mean_nll(logits: np.ndarray, labels: np.ndarray, temperature: float) -> float:
    return float(-log_softmax(logits / temperature, axis=1)[np.arange(len(labels)), labels].mean())


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 2.5, 8.0])
@pytest.mark.parametrize("n", [20, 300, 3000])
def test_temperature_is_where_scipy_finds_the_minimum(n: int, sharpness: float) -> None:
    logits, labels = sampled(n, 5, sharpness=sharpness)
    found = minimize_scalar(
        lambda log_temperature: mean_nll(logits, labels, np.exp(log_temperature)),
        bounds=np.log([LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE]),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert fit_temperature(logits.astype(np.float32), labels) == pytest.approx(np.exp(found.x), rel=1e-5)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_temperature_recovers_the_one_that_was_put_in(sharpness: float) -> None:
    logits, labels = sampled(20_000, 10, sharpness=sharpness)
    assert fit_temperature(logits, labels) == pytest.approx(sharpness, rel=0.03)


def test_logits_that_say_nothing_keep_temperature_one() -> None:
    assert fit_temperature(np.full((6, 3), 4.0), np.array([0, 1, 2, 0, 1, 2])) == 1.0


def test_where_every_answer_is_right_confidence_is_what_n_examples_are_worth() -> None:
    # two classes, one margin: the fitted confidence must be 1 - 1 / (n + 2), at whatever scale
    for n, margin in ((8, 1.0), (98, 1.0), (98, 10.0)):
        logits = np.tile([margin, 0.0], (n, 1))
        temperature = fit_temperature(logits, np.zeros(n, dtype=np.int64))
        confidence = 1 / (1 + np.exp(-margin / temperature))
        assert confidence == pytest.approx(1 - 1 / (n + 2), rel=1e-9)


@pytest.mark.parametrize(
    ("logits", "labels", "bound"),
    [
        (np.tile([0.01, 0.0], (20, 1)), np.zeros(20, dtype=np.int64), LOWEST_TEMPERATURE),
        (np.array([[5.0, 0.0], [0.0, 5.0]]), np.array([1, 0]), HIGHEST_TEMPERATURE),
    ],
    ids=["right by hair's breadth", "all wrong"],
)
def test_temperature_is_bounded(logits: np.ndarray, labels: np.ndarray, bound: float) -> None:
    assert fit_temperature(logits, labels) == pytest.approx(bound)


def test_temperature_survives_a_step_that_leaves_the_bracket() -> None:
    # nearly flat at 1: Newton's first step goes far outside, and halving has to bring it back
    logits = np.array([[60.0, 0.0]] * 9 + [[1.0, 0.0]])
    labels = np.array([0] * 9 + [1])
    logits = np.vstack([logits, [[0.4, 0.0]] * 6])
    labels = np.concatenate([labels, [0] * 6])
    temperature = fit_temperature(logits, labels)
    step = 1e-3
    best = mean_nll(logits, labels, temperature)
    assert best < mean_nll(logits, labels, temperature * (1 + step))
    assert best < mean_nll(logits, labels, temperature * (1 - step))


def test_blocks_of_rows_give_the_temperature_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    logits, labels = sampled(500, 5, sharpness=2.0)
    whole = fit_temperature(logits, labels)
    monkeypatch.setattr("heldout.measuring.calibration.BLOCK_ROWS", 7)
    assert fit_temperature(logits, labels) == pytest.approx(whole, rel=1e-9)


def test_ece_is_the_sum_worked_by_hand() -> None:
    predictions = with_confidence(np.array([0.9, 0.92, 0.7, 0.55]), np.array([True, False, True, True]))
    # bins of 1/15: .9 is in (.8667, .9333] with .92; .7 in (.6667, .7333]; .55 in (.5333, .6]
    assert expected_calibration_error(predictions) == pytest.approx((0.82 + 0.3 + 0.45) / 4)
    assert expected_calibration_error(predictions, n_bins=1) == pytest.approx(abs(0.9 + 0.92 + 0.7 + 0.55 - 3) / 4)


def test_a_confidence_on_an_edge_belongs_to_the_lower_bin() -> None:
    four_equal = Predictions(("a",), np.array([0]), np.zeros((1, 4)), ("w", "x", "y", "z"))
    (only,) = reliability_bins(four_equal, n_bins=4)
    assert (only.low, only.high, only.mean_confidence) == (0.0, 0.25, 0.25)


@pytest.mark.parametrize(
    ("n", "known", "n_data_sets"), [(100, 0.0336, 1000), (1000, 0.0108, 300), (10_000, 0.0036, 60)]
)
def test_ece_of_a_perfectly_calibrated_model_is_the_known_bias(n: int, known: float, n_data_sets: int) -> None:
    # Confidences of a good classifier, density 18 c^17, mean .947: the bias depends on them.
    generator = np.random.default_rng(0)
    errors = []
    for _ in range(n_data_sets):
        confidence = np.maximum(generator.random(n) ** (1 / 18), 0.5 + 1e-9)
        errors.append(expected_calibration_error(with_confidence(confidence, generator.random(n) < confidence)))
    assert np.mean(errors) == pytest.approx(known, rel=0.1)


def test_the_null_band_is_that_of_simulating_every_example() -> None:
    generator = np.random.default_rng(0)
    confidence = np.sort(np.maximum(generator.random(1000) ** (1 / 10), 0.501))
    starts = np.flatnonzero(np.diff(np.ceil(confidence * 15), prepend=0))
    gaps = [
        np.add.reduceat((generator.random((500, 1000)) < confidence) - confidence, starts, axis=1) for _ in range(16)
    ]
    theirs = np.quantile(np.abs(np.concatenate(gaps)).sum(axis=1) / 1000, [0.025, 0.975])
    predictions = with_confidence(confidence, confidence > 0)
    ours = ece_null_band(predictions, generator=generator, n_simulations=8000)
    assert ours == pytest.approx(tuple(theirs), rel=0.04)


def test_an_overconfident_model_leaves_the_null_band() -> None:
    logits, labels = sampled(1000, 5, sharpness=3.0)
    predictions = Predictions(tuple(map(str, range(1000))), labels, logits, tuple("abcde"))
    low, high = ece_null_band(predictions, generator=np.random.default_rng(0))
    assert expected_calibration_error(predictions) > 2 * high
    mended = predictions.with_temperature(fit_temperature(logits, labels))
    low, high = ece_null_band(mended, generator=np.random.default_rng(0))
    assert low * 0.8 < expected_calibration_error(mended) < high


def test_certainty_that_is_right_has_a_null_band_of_nothing() -> None:
    predictions = Predictions(("a", "b"), np.array([0, 1]), np.array([[2e3, 0.0], [0.0, 2e3]]), ("x", "y"))
    assert ece_null_band(predictions, generator=np.random.default_rng(0)) == (0.0, 0.0)
    assert expected_calibration_error(predictions) == 0.0


def test_reliability_bins_hold_every_example_and_have_wilson_intervals() -> None:
    predictions = with_confidence(np.array([0.91, 0.92, 0.93, 0.55]), np.array([True, False, True, True]))
    low_bin, high_bin = reliability_bins(predictions)
    interval = wilson(2, 3)
    assert low_bin.n == 1
    assert high_bin.mean_confidence == pytest.approx(0.92)
    assert high_bin == ReliabilityBin(
        low=13 / 15,
        high=14 / 15,
        n=3,
        mean_confidence=high_bin.mean_confidence,
        accuracy=2 / 3,
        accuracy_low=interval.low,
        accuracy_high=interval.high,
    )
    assert high_bin.as_dict()["n"] == 3


def in_groups(n_groups: int, n_each: int, generator: np.random.Generator, *, too_sure: float = 0.0) -> Predictions:
    """Answers that are calibrated, or too sure by so much, and whose examples rise and fall together in groups."""
    confidence = generator.uniform(0.6, 0.85, n_groups)
    strength = 1 / 0.3 - 1  # an intra-group correlation of 0.3
    of_group = generator.beta(confidence * strength, (1 - confidence) * strength)
    right = generator.random(n_groups * n_each) < np.repeat(of_group, n_each)
    return with_confidence(np.repeat(confidence + too_sure, n_each), right)


def test_the_null_band_of_groups_holds_calibrated_models() -> None:
    generator, n_sets = np.random.default_rng(0), 100
    groups, held, held_by_plain = np.repeat(np.arange(40), 10), 0, 0
    for _ in range(n_sets):
        predictions = in_groups(40, 10, generator)
        error = expected_calibration_error(predictions)
        plain = ece_null_band(predictions, generator=generator, n_simulations=200)
        low, high = widened_null_band(predictions, groups, plain, generator=generator)
        held += low <= error <= high
        held_by_plain += plain[0] <= error <= plain[1]
    assert held / n_sets == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / n_sets))
    assert held_by_plain / n_sets < 0.75


def test_a_model_that_is_too_sure_lies_above_the_band_of_groups() -> None:
    generator, groups = np.random.default_rng(1), np.repeat(np.arange(100), 5)
    predictions = in_groups(100, 5, generator, too_sure=0.14)
    plain = ece_null_band(predictions, generator=generator)
    _, high = widened_null_band(predictions, groups, plain, generator=generator)
    assert plain[1] < high < expected_calibration_error(predictions)


def test_reliability_bins_of_groups_have_wider_intervals_where_a_group_goes_wrong_together() -> None:
    predictions = in_groups(40, 10, np.random.default_rng(2))
    plain, grouped = reliability_bins(predictions), reliability_bins(predictions, groups=np.repeat(np.arange(40), 10))
    assert [bin.n for bin in plain] == [bin.n for bin in grouped]
    widths = [sum(bin.accuracy_high - bin.accuracy_low for bin in bins) for bins in (plain, grouped)]
    assert widths[1] > 1.3 * widths[0]
    assert reliability_bins(predictions, groups=np.arange(400)) == plain
