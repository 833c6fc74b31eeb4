import json

import numpy as np
import pytest

from heldout.measuring.calibration import ece_null_band, expected_calibration_error
from heldout.measuring.predictions import Predictions
from heldout.measuring.scores import negative_log_likelihood
from heldout.measuring.summary import summarise

NAMES = ("accuracy", "balanced_accuracy", "macro_f1", "negative_log_likelihood", "brier")


def predictions_with(counts: list[int], seed: int = 0) -> Predictions:
    """Some right and some wrong answers on so many examples of each class."""
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    logits = generator.normal(size=(len(labels), len(counts))).astype(np.float32)
    logits[np.arange(len(labels)), labels] += 2
    ids = tuple(f"{position}.jpg" for position in range(len(labels)))
    return Predictions(ids, labels, logits, tuple("abcdef"[: len(counts)]))


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("counts", "leader"),
    [
        ([30, 10], "accuracy"),
        ([31, 10], "balanced_accuracy"),
        ([30, 0, 10], "accuracy"),
        ([31, 0, 10], "balanced_accuracy"),
    ],
)
def test_balanced_accuracy_leads_where_class_sizes_differ_more_than_threefold(counts: list[int], leader: str) -> None:
    names = [score.name for score in summarise(predictions_with(counts), temperature=1.0, generator=generator()).scores]
    assert names[0] == leader
    assert set(names) == set(NAMES)
    assert names[2:] == list(NAMES[2:])


def test_the_dictionary_is_strict_json_with_the_keys_of_the_run_folder() -> None:
    summary = summarise(predictions_with([12, 0, 9]), temperature=1.3, generator=generator())
    read = json.loads(json.dumps(summary.as_dict(), allow_nan=False))
    assert list(read) == [
        "n",
        "scores",
        "per_class",
        "confusion",
        "reliability",
        "ece",
        "ece_null",
        "temperature",
    ]
    assert read["n"] == 21
    assert read["temperature"] == 1.3
    assert list(read["scores"][0]) == ["name", "value", "low", "high", "n", "method"]
    assert list(read["per_class"][0]) == ["name", "n", "recall", "precision", "f1"]
    assert list(read["reliability"][0]) == [
        "low",
        "high",
        "n",
        "mean_confidence",
        "accuracy",
        "accuracy_low",
        "accuracy_high",
    ]
    assert read["per_class"][1]["f1"] is None
    assert sum(map(sum, read["confusion"])) == sum(bin["n"] for bin in read["reliability"]) == 21
    assert read["ece_null"][0] <= read["ece_null"][1]


def test_probabilities_are_read_at_the_temperature_given_and_answers_are_not() -> None:
    predictions = predictions_with([40, 40])
    plain = summarise(predictions, temperature=1.0, generator=generator())
    softened = summarise(predictions, temperature=3.0, generator=generator())
    calibrated = predictions.with_temperature(3.0)
    assert softened.scores[3] == negative_log_likelihood(calibrated) != plain.scores[3]
    assert softened.ece == expected_calibration_error(calibrated) != plain.ece
    assert softened.scores[:3] == plain.scores[:3]
    assert softened.confusion == plain.confusion


def test_a_temperature_already_set_is_not_applied_a_second_time() -> None:
    predictions = predictions_with([40, 40])
    once = summarise(predictions, temperature=3.0, generator=generator())
    again = summarise(predictions.with_temperature(3.0), temperature=3.0, generator=generator())
    assert once == again


def test_every_score_has_an_interval_around_it_and_its_n() -> None:
    summary = summarise(predictions_with([25, 25, 25]), temperature=1.0, generator=generator())
    for score in summary.scores:
        assert score.low < score.value < score.high
        assert score.n == 75
        assert "95%" in score.method


def test_the_null_band_is_that_of_calibration() -> None:
    predictions = predictions_with([40, 40])
    low, high = summarise(predictions, temperature=1.0, generator=generator()).ece_null
    assert (low, high) == pytest.approx(ece_null_band(predictions, generator=generator()), rel=0.2)
