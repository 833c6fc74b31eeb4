import numpy as np
import pytest

from heldout.measuring.baselines import majority, nearest_centroid
from heldout.measuring.grouped import grouped_share
from heldout.measuring.intervals import wilson
from heldout.measuring.scores import Score


def test_majority_names_the_class_most_frequent_in_train_not_in_test() -> None:
    score = majority(np.array([0, 0, 1]), np.array([1, 1, 1, 0]), 3)
    interval = wilson(1, 4)
    assert score == Score("majority", 0.25, interval.low, interval.high, 4, "Wilson, 95%")


def test_of_equally_frequent_classes_majority_names_the_first() -> None:
    assert majority(np.array([2, 2, 1, 1]), np.array([1]), 3).value == 1.0


def test_nearest_centroid_is_the_one_worked_by_hand() -> None:
    train = np.array([[0.0, 0.0], [2.0, 0.0], [10.0, 0.0]], dtype=np.float32)
    features = np.array([[5.0, 0.0], [5.6, 0.0], [-3.0, 4.0]], dtype=np.float32)
    # means at 1 and 10, so the border is 5.5
    score = nearest_centroid(train, np.array([0, 0, 2]), features, np.array([0, 2, 2]))
    interval = wilson(2, 3)
    assert score == Score("nearest_centroid", 2 / 3, interval.low, interval.high, 3, "Wilson, 95%")


def test_a_class_without_train_examples_is_never_named() -> None:
    train = np.array([[-1.0], [1.0]], dtype=np.float32)
    assert nearest_centroid(train, np.array([0, 2]), np.zeros((1, 1), dtype=np.float32), np.array([1])).value == 0


def test_features_far_from_zero_lose_no_precision() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat([0, 1], 200)
    features = (generator.normal(size=(400, 8)) * 0.1 + labels[:, None]).astype(np.float32)
    near = nearest_centroid(features[::2], labels[::2], features[1::2], labels[1::2])
    shifted = (features.astype(np.float64) + 3000).astype(np.float32)
    far = nearest_centroid(shifted[::2], labels[::2], shifted[1::2], labels[1::2])
    assert near.value == far.value == 1.0


def test_more_rows_than_a_block_are_all_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(50, 3)).astype(np.float32)
    labels = generator.integers(0, 4, 50)
    whole = nearest_centroid(features, labels, features, labels)
    monkeypatch.setattr("heldout.measuring.baselines.BLOCK_ROWS", 7)
    assert nearest_centroid(features, labels, features, labels) == whole


def test_baselines_of_examples_in_groups_have_the_interval_of_groups() -> None:
    labels = np.repeat([0, 1, 0, 0, 1], 8)
    groups = np.repeat(np.arange(5) + 100, 8)
    features = labels[:, None].astype(np.float32)
    hits = np.array([8, 0, 8, 8, 0])
    wanted = grouped_share(hits, np.full(5, 8))
    score = majority(np.array([0, 0, 1]), labels, 2, groups=groups)
    assert (score.value, score.low, score.high, score.method) == (0.6, wanted.low, wanted.high, wanted.method)
    assert wanted.high - wanted.low > 2 * (wilson(24, 40).high - wilson(24, 40).low)
    flipped = 1 - labels  # learned the wrong way round: all wrong
    nearest = nearest_centroid(features, flipped, features, labels, groups=groups)
    all_wrong = grouped_share(np.zeros(5, int), np.full(5, 8))
    assert (nearest.value, nearest.n, nearest.high) == (0.0, 40, all_wrong.high)
    assert nearest.high > wilson(0, 40).high


def test_groups_of_one_change_no_baseline() -> None:
    labels = np.array([0, 1, 1, 0, 1])
    assert majority(labels, labels, 2, groups=np.arange(5)) == majority(labels, labels, 2)
