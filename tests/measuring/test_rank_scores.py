from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pytest

from heldout.errors import UsageError
from heldout.measuring.intervals import wilson
from heldout.measuring.predictions import Predictions
from heldout.measuring.rank_scores import (
    average_precision,
    correlation_of,
    macro_average_precision,
    mcc,
    roc_auc,
    weighted_accuracy,
    weighted_interval,
)
from heldout.measuring.scores import Score


def two_kinds(generator: np.random.Generator, n: tuple[int, int], distance: float) -> tuple[np.ndarray, np.ndarray]:
    """Normal values of negatives around 0 and of positives around `distance`."""
    is_positive = np.repeat([True, False], n)
    return generator.normal(size=sum(n)) + distance * is_positive, is_positive


def answers_of(confusion: np.ndarray) -> Predictions:
    """Predictions with this table."""
    n_classes = len(confusion)
    labels = np.repeat(np.arange(n_classes), confusion.sum(axis=1))
    answers = np.concatenate([np.repeat(np.arange(n_classes), row) for row in confusion])
    ids = tuple(map(str, range(len(labels))))
    return Predictions(ids, labels, 2.0 * np.eye(n_classes)[answers], tuple(map(str, range(n_classes))))


# average precision and area under the curve of the population, by integration, and how often their intervals held them
# in 3,000 data sets (measured 2026-11-22)
TRUTH = {
    ((30, 100), 1.2): ((0.5730, 0.931), (0.8019, 0.949)),
    ((10, 200), 2.3): ((0.6449, 0.952), (0.9481, 0.979)),
    ((30, 100), 3.3): ((0.9728, 0.977), (0.9902, 0.977)),
}


@pytest.mark.parametrize(("n", "distance"), list(TRUTH))
@pytest.mark.parametrize(("score_of", "place"), [(average_precision, 0), (roc_auc, 1)], ids=["AP", "AUC"])
def test_intervals_cover(score_of: Callable[..., Score], place: int, n: tuple[int, int], distance: float) -> None:
    generator, (truth, stated) = np.random.default_rng(3), TRUTH[n, distance][place]
    scores = [score_of(*two_kinds(generator, n, distance)) for _ in range(400)]
    covered = np.mean([score.low <= truth <= score.high for score in scores])
    assert covered == pytest.approx(stated, abs=3 * np.sqrt(stated * (1 - stated) / 400))


def test_the_auc_of_normal_values_is_the_known_one() -> None:
    score = roc_auc(*two_kinds(np.random.default_rng(0), (20000, 20000), 1.0))
    assert score.value == pytest.approx(NormalDist().cdf(1 / np.sqrt(2)), abs=0.005)


@pytest.mark.parametrize("score_of", [average_precision, roc_auc])
def test_a_perfect_order_has_the_interval_of_a_share_of_the_positives(score_of: Callable[..., Score]) -> None:
    score = score_of(np.arange(40.0), np.arange(40) >= 30)
    assert (score.value, score.high) == (1.0, 1.0)
    assert score.low == pytest.approx(wilson(10, 10).low)
    reverse = roc_auc(np.arange(40.0), np.arange(40) < 10)
    assert (reverse.value, reverse.low) == (0.0, 0.0)
    assert reverse.high == pytest.approx(wilson(0, 10).high)


@pytest.mark.parametrize("score_of", [average_precision, roc_auc])
def test_copies_of_every_example_say_no_more_than_one(score_of: Callable[..., Score]) -> None:
    values, is_positive = two_kinds(np.random.default_rng(5), (40, 160), 1.5)
    alone = score_of(values, is_positive)
    copied = [np.repeat(each, 6) for each in (values, is_positive)]
    naive, honest = score_of(*copied), score_of(*copied, groups=np.repeat(np.arange(200), 6))
    assert honest.value == pytest.approx(alone.value)
    assert honest.high - honest.low == pytest.approx(alone.high - alone.low, rel=0.1)
    assert naive.high - naive.low < 0.5 * (alone.high - alone.low)
    assert "200 groups" in honest.method


def test_intervals_of_groups_cover_where_those_of_examples_do_not() -> None:
    generator, n_groups, size = np.random.default_rng(6), 40, 10
    truth = NormalDist().cdf(1.2 / np.sqrt(2))
    groups, held = np.repeat(np.arange(n_groups), size), np.zeros(2)
    for _ in range(150):
        is_positive = np.repeat(np.arange(n_groups) % 4 == 0, size)
        shared = np.repeat(generator.normal(size=n_groups), size) * np.sqrt(0.7)
        values = shared + generator.normal(size=n_groups * size) * np.sqrt(0.3) + 1.2 * is_positive
        for place, each in enumerate((roc_auc(values, is_positive, groups=groups), roc_auc(values, is_positive))):
            held[place] += each.low <= truth <= each.high
    assert held[0] / 150 > 0.9
    assert held[1] / 150 < 0.8


def test_where_one_kind_is_absent_there_is_no_score() -> None:
    for score in (average_precision(np.arange(3.0), np.zeros(3, bool)), roc_auc(np.arange(3.0), np.ones(3, bool))):
        assert np.isnan(score.value)
        assert (score.low, score.high, score.n) == (0.0, 1.0, 3)
    assert average_precision(np.arange(3.0), np.ones(3, bool)).value == 1.0


def test_classes_without_examples_are_left_out_and_told() -> None:
    probabilities = np.array([[0.6, 0.3, 0.1], [0.2, 0.7, 0.1], [0.5, 0.4, 0.1]])
    score = macro_average_precision(probabilities, np.array([0, 1, 1]))
    assert score.value == pytest.approx((1 + 1) / 2)
    assert score.method.endswith("1 of 3 classes have no example and are left out")


TABLES = [
    ((200, 20), [[0.9, 0.1], [0.3, 0.7]]),
    ((200, 10), [[0.99, 0.01], [0.05, 0.95]]),
    ((100, 30, 10), [[0.9, 0.08, 0.02], [0.1, 0.8, 0.1], [0.2, 0.2, 0.6]]),
]


@pytest.mark.parametrize(("n", "rows"), TABLES)
def test_the_interval_of_mcc_covers(n: tuple[int, ...], rows: list[list[float]]) -> None:
    generator = np.random.default_rng(7)
    truth = correlation_of(np.array(n)[:, None] * np.array(rows))
    held = []
    for _ in range(150):
        table = np.stack([generator.multinomial(size, row) for size, row in zip(n, rows, strict=True)])
        score = mcc(answers_of(table))
        held.append(score.low <= truth <= score.high)
    assert np.mean(held) >= 0.93


def test_mcc_is_zero_for_one_answer_and_has_a_width_where_nothing_is_wrong() -> None:
    same = mcc(answers_of(np.array([[30, 0], [10, 0]])))
    assert (same.value, same.low < 0 < same.high) == (0.0, True)
    perfect = mcc(answers_of(np.array([[30, 0], [0, 10]])))
    assert (perfect.value, perfect.high) == (1.0, 1.0)
    assert perfect.low < 0.9
    alone = mcc(answers_of(np.array([[5, 0], [0, 0]])))
    assert (alone.value, alone.low, alone.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("table", [[[60, 10], [4, 16]], [[70, 0], [0, 20]]], ids=["some wrong", "none wrong"])
def test_groups_widen_the_interval_of_mcc(table: list[list[int]]) -> None:
    predictions = answers_of(np.array(table))
    alone = mcc(predictions)
    grouped = mcc(predictions, groups=np.arange(90) // 5)
    assert grouped.value == alone.value
    assert grouped.low < alone.low
    assert grouped.high >= alone.high
    assert "18 groups" in grouped.method
    assert mcc(predictions, groups=np.arange(90)) == alone


@pytest.mark.parametrize(
    "weights", [[1.0], [1.0, -1.0], [1.0, np.nan], [0.0, 0.0]], ids=["too few", "negative", "nan", "nothing"]
)
def test_weights_that_cannot_be_meant_are_refused(weights: list[float]) -> None:
    with pytest.raises(UsageError, match="the weights of 2 classes are"):
        weighted_accuracy(np.array([[3, 1], [1, 3]]), np.array(weights), generator=np.random.default_rng(0))


def test_groups_widen_the_interval_of_a_weighted_accuracy() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(40), 25)
    correct = generator.random(40)[groups] < 0.6  # all of a group alike
    weights = np.where(generator.random(1000) < 0.2, 4.0, 1.0)
    alone = weighted_interval(correct, weights, np.arange(1000))
    together = weighted_interval(correct, weights, groups)
    value = float(weights @ correct / weights.sum())
    assert alone.low < value < alone.high
    assert together.high - together.low > 3 * (alone.high - alone.low)
    assert "40 groups" in together.method
