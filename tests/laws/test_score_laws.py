"""What holds for every score, whatever the data: one list of laws over one list of scores."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from heldout.measuring.calibration import expected_calibration_error, fit_temperature
from heldout.measuring.intervals import clopper_pearson, wilson
from heldout.measuring.predictions import Predictions
from heldout.measuring.scores import (
    Score,
    accuracy,
    balanced_accuracy,
    brier,
    confusion_matrix,
    macro_f1,
    negative_log_likelihood,
    per_class,
)

N_RESAMPLES = 60


def balanced_accuracy_of(predictions: Predictions) -> Score:
    confusion = confusion_matrix(predictions)
    return balanced_accuracy(confusion, generator=np.random.default_rng(0), n_resamples=N_RESAMPLES)


def macro_f1_of(predictions: Predictions) -> Score:
    confusion = confusion_matrix(predictions)
    return macro_f1(confusion, generator=np.random.default_rng(0), n_resamples=N_RESAMPLES)


# name -> function, value when perfect, highest value possible
SCORES: dict[str, tuple[Callable[[Predictions], Score], float, float]] = {
    "accuracy": (lambda predictions: accuracy(confusion_matrix(predictions)), 1.0, 1.0),
    "balanced_accuracy": (balanced_accuracy_of, 1.0, 1.0),
    "macro_f1": (macro_f1_of, 1.0, 1.0),
    "negative_log_likelihood": (negative_log_likelihood, 0.0, np.inf),
    "brier": (brier, 0.0, 2.0),
}
every_score = pytest.mark.parametrize("name", SCORES)
law = settings(max_examples=40, deadline=None, derandomize=True)


@dataclass(frozen=True)
class Recipe:
    """How to make some predictions; hypothesis draws this, so that a failure prints as one line."""

    n: int
    n_classes: int
    seed: int
    spread: float
    signal: float

    def predictions(self) -> Predictions:
        """Examples of classes not all of which need have one, from hopeless to certain."""
        generator = np.random.default_rng(self.seed)
        labels = generator.integers(0, self.n_classes, self.n)
        logits = generator.normal(size=(self.n, self.n_classes)) * self.spread
        logits[np.arange(self.n), labels] += self.signal
        ids = tuple(f"{position}" for position in range(self.n))
        return Predictions(ids, labels, logits, tuple("abcdef"[: self.n_classes]))


def recipes(least: int = 1) -> st.SearchStrategy[Recipe]:
    """Up to 40 examples of 2 to 6 classes."""
    return st.builds(
        Recipe,
        n=st.integers(least, 40),
        n_classes=st.integers(2, 6),
        seed=st.integers(0, 2**32 - 1),
        spread=st.sampled_from([0.1, 1.0, 10.0]),
        signal=st.sampled_from([-3.0, 0.0, 3.0, 100.0]),
    )


def reordered(predictions: Predictions, order: np.ndarray) -> Predictions:
    ids = tuple(predictions.ids[position] for position in order)
    return Predictions(ids, predictions.labels[order], predictions.logits[order], predictions.classes)


def renamed(predictions: Predictions, order: np.ndarray) -> Predictions:
    """The same classes in another order."""
    classes = tuple(predictions.classes[index] for index in order)
    return Predictions(predictions.ids, np.argsort(order)[predictions.labels], predictions.logits[:, order], classes)


@every_score
@law
@given(recipe=recipes(), seed=st.integers(0, 99))
def test_the_order_of_examples_changes_nothing(name: str, recipe: Recipe, seed: int) -> None:
    predictions = recipe.predictions()
    score_of = SCORES[name][0]
    order = np.random.default_rng(seed).permutation(len(predictions))
    here, there = score_of(predictions), score_of(reordered(predictions, order))
    assert there.value == pytest.approx(here.value, rel=1e-9, abs=1e-12)
    assert (there.low, there.high) == pytest.approx((here.low, here.high), rel=1e-6, abs=1e-9)


@every_score
@law
@given(recipe=recipes(), seed=st.integers(0, 99))
def test_the_order_of_classes_changes_no_value(name: str, recipe: Recipe, seed: int) -> None:
    predictions = recipe.predictions()
    score_of = SCORES[name][0]
    order = np.random.default_rng(seed).permutation(len(predictions.classes))
    there = score_of(renamed(predictions, order))
    assert there.value == pytest.approx(score_of(predictions).value, rel=1e-9, abs=1e-12)


@every_score
@law
@given(recipe=recipes())
def test_a_score_lies_in_its_interval_and_its_interval_in_its_range(name: str, recipe: Recipe) -> None:
    predictions = recipe.predictions()
    score_of, _, highest = SCORES[name]
    score = score_of(predictions)
    assert score.name == name
    assert 0.0 <= score.low <= score.value <= score.high <= highest
    assert score.low < score.high
    assert score.n == len(predictions)


@every_score
@law
@given(labels=st.lists(st.integers(0, 3), min_size=1, max_size=30))
def test_perfect_predictions_get_the_best_value(name: str, labels: list[int]) -> None:
    score_of, perfect, _ = SCORES[name]
    ids = tuple(f"{position}" for position in range(len(labels)))
    score = score_of(Predictions(ids, np.array(labels), 1e4 * np.eye(4)[labels], tuple("abcd")))
    assert score.value == perfect
    assert score.low < score.high


@law
@given(recipe=recipes(), seed=st.integers(0, 99))
def test_calibration_error_is_bounded_and_free_of_order(recipe: Recipe, seed: int) -> None:
    predictions = recipe.predictions()
    error = expected_calibration_error(predictions)
    assert 0.0 <= error <= 1.0
    generator = np.random.default_rng(seed)
    shuffled = reordered(predictions, generator.permutation(len(predictions)))
    assert expected_calibration_error(shuffled) == pytest.approx(error, abs=1e-9)
    other_names = renamed(predictions, generator.permutation(len(predictions.classes)))
    assert expected_calibration_error(other_names) == pytest.approx(error, abs=1e-9)


@law
@given(recipe=recipes(least=2), cut=st.integers(0, 99))
def test_confusion_matrices_of_shards_add_up(recipe: Recipe, cut: int) -> None:
    predictions = recipe.predictions()
    n_first = 1 + cut % (len(predictions) - 1)
    order = np.arange(len(predictions))
    shards = (reordered(predictions, order[:n_first]), reordered(predictions, order[n_first:]))
    total = confusion_matrix(shards[0]) + confusion_matrix(shards[1])
    assert total.tolist() == confusion_matrix(predictions).tolist()
    assert total.sum() == len(predictions)


@law
@given(recipe=recipes())
def test_the_per_class_table_adds_up_to_accuracy(recipe: Recipe) -> None:
    predictions = recipe.predictions()
    table = per_class(confusion_matrix(predictions), predictions.classes)
    hits = sum(line.recall.value * line.n for line in table if line.n)
    assert hits == pytest.approx(int(predictions.correct.sum()))
    assert sum(line.precision.n for line in table) == sum(line.n for line in table) == len(predictions)
    for line in table:
        assert line.recall.low <= line.recall.high
        assert not line.n or 0.0 <= line.f1 <= 1.0


@law
@given(
    logits=arrays(np.float32, (6, 3), elements=st.floats(-(2.0**100), 2.0**100, width=32)),
    temperature=st.floats(0.05, 20.0),
)
def test_no_temperature_changes_an_answer(logits: np.ndarray, temperature: float) -> None:
    predictions = Predictions(tuple("uvwxyz"), np.zeros(6, dtype=np.int64), logits, tuple("abc"))
    softened = predictions.with_temperature(temperature)
    assert softened.predicted.tolist() == predictions.predicted.tolist() == logits.argmax(axis=1).tolist()
    assert (softened.probabilities.max(axis=1) == softened.probabilities[range(6), softened.predicted]).all()


@law
@given(recipe=recipes())
def test_the_fitted_temperature_is_bounded_and_keeps_every_answer(recipe: Recipe) -> None:
    predictions = recipe.predictions()
    temperature = fit_temperature(predictions.logits, predictions.labels)
    assert 0.05 <= temperature <= 20.0
    calibrated = predictions.with_temperature(temperature)
    assert calibrated.predicted.tolist() == predictions.predicted.tolist()


@law
@given(recipe=recipes())
def test_where_errors_were_seen_the_fitted_temperature_lowers_the_nll(recipe: Recipe) -> None:
    predictions = recipe.predictions()
    fitted = predictions.with_temperature(fit_temperature(predictions.logits, predictions.labels))
    before, after = negative_log_likelihood(predictions).value, negative_log_likelihood(fitted).value
    assert predictions.correct.all() or after <= before + 1e-9


@law
@given(n=st.integers(1, 3000), part=st.floats(0, 1))
def test_intervals_of_shares_hold_the_share_and_mirror_failures(n: int, part: float) -> None:
    n_successes = round(part * n)
    for interval_of in (wilson, clopper_pearson):
        interval, mirrored = interval_of(n_successes, n), interval_of(n - n_successes, n)
        assert 0.0 <= interval.low <= n_successes / n <= interval.high <= 1.0
        assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((interval.low, interval.high), abs=1e-9)
        wider = interval_of(n_successes, n, 0.99)
        assert wider.low <= interval.low < interval.high <= wider.high
