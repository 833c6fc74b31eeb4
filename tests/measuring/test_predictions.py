import numpy as np
import pytest
from scipy import special

from heldout.errors import UsageError
from heldout.measuring.predictions import Predictions, log_softmax

IDS = ("a", "b", "c")
LABELS = np.array([0, 1, 1])
LOGITS = np.array([[2.0, 0.0], [1.0, 0.0], [-1.0, 3.0]], dtype=np.float32)
CLASSES = ("cat", "dog")


def test_probabilities_are_softmax_worked_by_hand() -> None:
    predictions = Predictions(IDS, LABELS, LOGITS, CLASSES)
    e = np.e
    assert predictions.probabilities[:, 0] == pytest.approx([e**2 / (e**2 + 1), e / (e + 1), 1 / (1 + e**4)])
    assert predictions.probabilities.dtype == np.float64
    assert predictions.predicted.tolist() == [0, 0, 1]
    assert predictions.correct.tolist() == [True, False, True]
    assert predictions.confidence == pytest.approx([e**2 / (e**2 + 1), e / (e + 1), e**4 / (1 + e**4)])
    assert len(predictions) == 3


def test_log_softmax_is_scipys_and_leaves_the_logits_alone() -> None:
    logits = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    before = logits.copy()
    theirs = special.log_softmax(logits.astype(np.float64) / 2.5, axis=1)
    assert log_softmax(logits, 2.5) == pytest.approx(theirs)
    doubles = before.astype(np.float64)
    assert log_softmax(doubles) == pytest.approx(special.log_softmax(doubles, axis=1))
    assert (logits == before).all()
    assert (doubles == before).all()


def test_temperature_divides_the_logits() -> None:
    halved = Predictions(IDS, LABELS, LOGITS / 2, CLASSES)
    cooled = Predictions(IDS, LABELS, LOGITS, CLASSES).with_temperature(2.0)
    assert cooled.probabilities == pytest.approx(halved.probabilities)
    assert cooled.logits is LOGITS


def test_a_temperature_set_twice_is_applied_once() -> None:
    once = Predictions(IDS, LABELS, LOGITS, CLASSES).with_temperature(3.0)
    assert once.with_temperature(3.0).probabilities.tolist() == once.probabilities.tolist()


def test_huge_logits_neither_overflow_nor_give_nan() -> None:
    logits = np.array([[3e38, -3e38]], dtype=np.float32)
    predictions = Predictions(("a",), np.array([1]), logits, CLASSES, temperature=0.05)
    assert predictions.probabilities.tolist() == [[1.0, 0.0]]
    assert np.isfinite(predictions.log_probabilities).all()


@pytest.mark.parametrize(
    ("ids", "labels", "logits", "classes"),
    [
        (IDS[:2], LABELS, LOGITS, CLASSES),
        (IDS, LABELS[:2], LOGITS, CLASSES),
        (IDS, LABELS, LOGITS[:2], CLASSES),
        (IDS, LABELS, LOGITS, (*CLASSES, "cow")),
        (IDS, LABELS, LOGITS[:, :1], CLASSES[:1]),
        ((), LABELS[:0], LOGITS[:0], CLASSES),
    ],
    ids=["ids", "labels", "logits", "classes", "one class", "no example"],
)
def test_sizes_that_disagree_are_refused(
    ids: tuple[str, ...], labels: np.ndarray, logits: np.ndarray, classes: tuple[str, ...]
) -> None:
    with pytest.raises(UsageError, match=r"have labels of shape .* and logits of shape"):
        Predictions(ids, labels, logits, classes)


@pytest.mark.parametrize("label", [-1, 2])
def test_a_label_that_is_no_class_is_refused_by_name(label: int) -> None:
    with pytest.raises(UsageError, match=f"1 of 3 labels are no class index, first {label} of 'b'"):
        Predictions(IDS, np.array([0, label, 1]), LOGITS, CLASSES)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf, 1e39])
def test_logits_that_are_not_finite_are_refused_by_name(broken: float) -> None:
    logits = LOGITS.astype(np.float64)
    logits[1:, 0] = broken
    with pytest.raises(UsageError, match="logits of 2 of 3 examples are not finite, first 'b'"):
        Predictions(IDS, LABELS, logits, CLASSES)


@pytest.mark.parametrize("temperature", [0.0, -1.0, np.inf, np.nan])
def test_a_temperature_that_is_not_above_zero_is_refused(temperature: float) -> None:
    predictions = Predictions(IDS, LABELS, LOGITS, CLASSES)
    with pytest.raises(UsageError, match="temperature is"):
        predictions.with_temperature(temperature)
