"""Scores with their intervals: accuracy, balanced accuracy, macro-F1, NLL, Brier, the per-class table."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Real

from heldout.measuring.intervals import (
    N_RESAMPLES,
    Interval,
    Statistic,
    bootstrap_from_confusion,
    loss_interval,
    statistic_of,
    wilson,
)
from heldout.measuring.predictions import Predictions


@dataclass(frozen=True, slots=True)
class Score:
    """One number that may be shown: never without its interval and n.

    Attributes:
        name: Such as `accuracy`.
        value: The number itself; nan where it is not defined (a share of no examples).
        low: Lower end of the 95 % interval; 0 for a share of no examples.
        high: Upper end; 1 for a share of no examples; infinite for the NLL of a single example.
        n: How many examples the number rests on.
        method: What made the interval.
    """

    name: str
    value: float
    low: float
    high: float
    n: int
    method: str

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON; None where a number is not finite."""
        return {
            "name": self.name,
            "value": finite_or_none(self.value),
            "low": finite_or_none(self.low),
            "high": finite_or_none(self.high),
            "n": self.n,
            "method": self.method,
        }


@dataclass(frozen=True, slots=True)
class ClassScore:
    """How one class fares.

    Attributes:
        name: The class.
        n: Examples that belong to it.
        recall: Share of its examples that are found, of n.
        precision: Share of predictions of it that are right, of the number of such predictions.
        f1: Harmonic mean of both, 2 hits / (n + predicted); nan where it has no example.
    """

    name: str
    n: int
    recall: Score
    precision: Score
    f1: float

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON; None where a number is not defined."""
        return {
            "name": self.name,
            "n": self.n,
            "recall": self.recall.as_dict(),
            "precision": self.precision.as_dict(),
            "f1": finite_or_none(self.f1),
        }


def finite_or_none(number: float) -> float | None:
    """The number, or None where JSON has no word for it (nan, infinity).

    Example:
        >>> finite_or_none(0.5), finite_or_none(float("nan"))
        (0.5, None)
    """
    return float(number) if np.isfinite(number) else None


def share(name: str, n_successes: int, n: int) -> Score:
    """A share of n as a score with its Wilson interval; nan, 0 to 1, where n is 0.

    Assumes, breaks when, checked by: as `heldout.measuring.intervals.wilson`.

    Example:
        >>> share("recall", 0, 0)
        Score(name='recall', value=nan, low=0.0, high=1.0, n=0, method='Wilson, 95%')
    """
    return _score(name, n_successes / n if n else float("nan"), n, interval=wilson(n_successes, n))


def confusion_matrix(predictions: Predictions) -> Int[np.ndarray, "classes classes"]:
    """Counts of examples, rows by label, columns by predicted class; tables of shards may be added."""
    n_classes = len(predictions.classes)
    cells = predictions.labels.astype(np.int64) * n_classes + predictions.predicted
    return np.bincount(cells, minlength=n_classes**2).reshape(n_classes, n_classes)


def accuracy(confusion: Int[np.ndarray, "classes classes"]) -> Score:
    """Share of examples predicted right, 0 to 1, with its Wilson interval.

    Assumes: independent examples from the population the number is claimed for.
    Breaks when: near-duplicates; with rare classes it says little (then read balanced accuracy).
    Checked by: tests/reference/test_scores_against_sklearn.py::test_accuracy_is_scikit_learns

    Example:
        >>> accuracy(np.array([[90, 0], [5, 5]])).value
        0.95
    """
    return share("accuracy", int(confusion.trace()), int(confusion.sum()))


def balanced_accuracy(
    confusion: Int[np.ndarray, "classes classes"],
    *,
    generator: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
) -> Score:
    """Mean of the classes' recalls, 0 to 1, with a stratified bootstrap interval.

    Classes without an example are left out, and `method` says how many.

    Assumes: independent examples; every class counts the same.
    Breaks when: classes have one or two examples each.
    Checked by: tests/reference/test_scores_against_sklearn.py::test_balanced_accuracy_is_scikit_learns,
        tests/measuring/test_interval_coverage.py::test_bootstrap_intervals_cover

    Example:
        >>> score = balanced_accuracy(np.array([[90, 0], [5, 5]]), generator=np.random.default_rng(0))
        >>> score.value
        0.75
    """
    return _bootstrapped("balanced_accuracy", confusion, mean_recall, generator, n_resamples)


def macro_f1(
    confusion: Int[np.ndarray, "classes classes"],
    *,
    generator: np.random.Generator,
    n_resamples: int = N_RESAMPLES,
) -> Score:
    """Mean of the classes' F1, 0 to 1, with a stratified bootstrap interval.

    Classes without an example are left out, and `method` says how many; predictions of such a class
    count as misses of the true class.

    Assumes: independent examples; the shares of the classes are those of this part (F1 depends on them).
    Breaks when: classes have one or two examples each; the classes' shares will differ in use.
    Checked by: tests/reference/test_scores_against_sklearn.py::test_macro_f1_is_scikit_learns,
        tests/measuring/test_interval_coverage.py::test_bootstrap_intervals_cover

    Example:
        >>> score = macro_f1(np.array([[8, 2], [0, 10]]), generator=np.random.default_rng(0))
        >>> round(score.value, 4)
        0.899
    """
    return _bootstrapped("macro_f1", confusion, mean_f1, generator, n_resamples)


def negative_log_likelihood(predictions: Predictions) -> Score:
    """Mean over examples of -ln(probability of the label), 0 and up, with an interval of the mean.

    Assumes: independent examples; see `heldout.measuring.intervals.loss_interval`.
    Breaks when: a very overconfident model and hardly an error seen.
    Checked by: tests/reference/test_scores_against_sklearn.py::test_nll_is_scikit_learns_log_loss,
        tests/measuring/test_interval_coverage.py::test_loss_intervals_cover

    Example:
        >>> predictions = Predictions(("a",), np.array([0]), np.array([[0.0, 0.0]]), ("x", "y"))
        >>> round(negative_log_likelihood(predictions).value, 4)
        0.6931
    """
    return _mean_loss("negative_log_likelihood", predictions, -predictions.log_probabilities, highest=np.inf)


def losses_of(predictions: Predictions) -> dict[str, Float[np.ndarray, " examples"]]:
    """What each example adds to the NLL and to the Brier score, by the names of these scores.

    Example:
        >>> predictions = Predictions(("a",), np.array([0]), np.array([[0.0, 0.0]]), ("x", "y"))
        >>> {name: losses.round(4).tolist() for name, losses in losses_of(predictions).items()}
        {'negative_log_likelihood': [0.6931], 'brier': [0.5]}
    """
    rows = np.arange(len(predictions))
    return {
        "negative_log_likelihood": -predictions.log_probabilities[rows, predictions.labels],
        "brier": _brier_if_label(predictions)[rows, predictions.labels],
    }


def brier(predictions: Predictions) -> Score:
    """Mean over examples of the squared error of the probabilities, summed over classes, 0 to 2.

    The multi-class convention of Brier (1950); for two classes it is twice scikit-learn's default.

    Assumes: independent examples; see `heldout.measuring.intervals.loss_interval`.
    Breaks when: as for the NLL, but bounded, so it errs by less.
    Checked by: tests/reference/test_scores_against_sklearn.py::test_brier_is_scikit_learns_unscaled,
        tests/measuring/test_interval_coverage.py::test_loss_intervals_cover

    Example:
        >>> predictions = Predictions(("a",), np.array([0]), np.array([[0.0, 0.0]]), ("x", "y"))
        >>> brier(predictions).value
        0.5
    """
    return _mean_loss("brier", predictions, _brier_if_label(predictions), highest=2.0)


def per_class(confusion: Int[np.ndarray, "classes classes"], classes: tuple[str, ...]) -> tuple[ClassScore, ...]:
    """Recall, precision and F1 of each class, in the order given, shares with Wilson intervals.

    Recall and F1 are nan for a class without an example, precision for one that was never predicted.

    Assumes: independent examples; for precision, that the classes' shares are those of this part.
    Breaks when: intervals of many classes are read at once: 1 in 20 misses. Under 30 examples rank nothing.
    Checked by: tests/reference/test_scores_against_sklearn.py::test_per_class_table_is_scikit_learns

    Example:
        >>> table = per_class(np.array([[8, 2], [0, 10]]), ("cat", "dog"))
        >>> [(row.name, row.n, row.recall.value, row.precision.n) for row in table]
        [('cat', 10, 0.8, 8), ('dog', 10, 1.0, 12)]
    """
    examples, predicted = confusion.sum(axis=1).tolist(), confusion.sum(axis=0).tolist()
    return tuple(
        ClassScore(
            name,
            n,
            recall=share("recall", hits, n),
            precision=share("precision", hits, n_predicted),
            f1=2 * hits / (n + n_predicted) if n else float("nan"),
        )
        for name, n, hits, n_predicted in zip(classes, examples, confusion.diagonal().tolist(), predicted, strict=True)
    )


def mean_recall(
    hits: Real[np.ndarray, "tables classes"],
    predicted: Real[np.ndarray, "tables classes"],
    examples: Real[np.ndarray, " classes"],
) -> Float[np.ndarray, " tables"]:
    """Balanced accuracy of each table, from the counts of each class; `predicted` plays no part."""
    return np.asarray((hits / examples).mean(axis=1))


def mean_f1(
    hits: Real[np.ndarray, "tables classes"],
    predicted: Real[np.ndarray, "tables classes"],
    examples: Real[np.ndarray, " classes"],
) -> Float[np.ndarray, " tables"]:
    """Macro-F1 of each table, from the counts of each class."""
    return np.asarray((2 * hits / (examples + predicted)).mean(axis=1))


def _bootstrapped(
    name: str,
    confusion: Int[np.ndarray, "classes classes"],
    statistic: Statistic,
    generator: np.random.Generator,
    n_resamples: int,
) -> Score:
    """A statistic of the table with its bootstrap interval."""
    interval = bootstrap_from_confusion(confusion, statistic, generator=generator, n_resamples=n_resamples)
    return _score(name, statistic_of(confusion, statistic), int(confusion.sum()), interval=interval)


def _mean_loss(
    name: str,
    predictions: Predictions,
    if_label: Float[np.ndarray, "examples classes"],
    *,
    highest: float,
) -> Score:
    """The mean loss with its interval; `if_label` holds the loss each label would have given.

    What is decided is no matter to a loss of probabilities: here an error is one of the likeliest class.
    """
    if predictions.decision is not None:
        predictions = predictions.with_decision(None)
    losses = if_label[np.arange(len(predictions)), predictions.labels]
    interval = loss_interval(
        losses,
        ~predictions.correct,
        loss_if_wrong=_expected_if_wrong(predictions, if_label),
        highest=highest,
    )
    return _score(name, float(losses.mean()), len(predictions), interval=interval)


def _brier_if_label(predictions: Predictions) -> Float[np.ndarray, "examples classes"]:
    """The squared error of each example's probabilities for every label that it might have had."""
    probabilities = predictions.probabilities
    # sum_k (p_k - y_k)^2 = sum_k p_k^2 - 2 p_label + 1
    if_label = (probabilities**2).sum(axis=1, keepdims=True) - 2 * probabilities + 1
    return np.asarray(np.maximum(if_label, 0.0))


def _expected_if_wrong(predictions: Predictions, if_label: Float[np.ndarray, "examples classes"]) -> float:
    """The mean loss of an error as the model itself expects it: its own probabilities, errors only."""
    log_weights = predictions.log_probabilities
    log_weights[np.arange(len(predictions)), predictions.predicted] = -np.inf
    # Taken relative to the largest, so that a model which leaves errors no probability still has an answer.
    weights = np.exp(log_weights - log_weights.max())
    return float((weights * if_label).sum() / weights.sum())


def _score(name: str, value: float, n: int, *, interval: Interval) -> Score:
    """A score from a value and its interval."""
    return Score(name, value, interval.low, interval.high, n, interval.method)
