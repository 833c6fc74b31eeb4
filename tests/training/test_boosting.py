"""Boosted trees: as scikit-learn grows them, as many as validation asks for."""

import numpy as np
import pytest

from heldout.training.boosting import grow


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_answers_are_scikit_learns(n_classes: int) -> None:
    from sklearn.ensemble import HistGradientBoostingClassifier

    generator = np.random.default_rng(0)
    rows = generator.normal(size=(400, 4)).astype(np.float32)
    labels = np.digitize(rows[:, 0] + rows[:, 1] ** 2, np.linspace(0, 2, n_classes + 1)[1:-1])
    weights = generator.uniform(0.5, 2, 400)
    trees = grow(rows, labels, weights, n_classes=n_classes, seed=3, n_iterations=8)
    known = HistGradientBoostingClassifier(max_iter=8, early_stopping=False, random_state=3)
    known.fit(rows, labels, sample_weight=weights)
    fresh = generator.normal(size=(200, 4)).astype(np.float32)
    odds = np.exp(trees.logits(fresh))
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), known.predict_proba(fresh), atol=1e-9)


def test_a_class_without_a_row_is_hardly_ever_answered() -> None:
    rows = np.random.default_rng(1).normal(size=(60, 2)).astype(np.float32)
    trees = grow(rows, np.where(rows[:, 0] > 0, 2, 0), None, n_classes=4, seed=0, n_iterations=3)
    logits = trees.logits(rows)
    assert logits.shape == (60, 4)
    assert (logits[:, [1, 3]] < logits[:, [0, 2]].min(axis=1, keepdims=True) - 20).all()
