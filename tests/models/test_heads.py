"""The fitted head against scikit-learn's, and against the conditions that an optimum meets."""

import warnings

import numpy as np
import pytest

from heldout.models.heads import L2_GRID, Head, fit_heads, fit_without_folds


def blobs(n_examples: int, n_features: int, n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    labels = np.arange(n_examples) % n_classes
    centres = generator.normal(size=(n_classes, n_features))
    return (centres[labels] + 2 * generator.normal(size=(n_examples, n_features))).astype(np.float32), labels


def objective(head: Head, features: np.ndarray, labels: np.ndarray) -> float:
    logits = head.logits(features)
    log_sums = np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1)) + logits.max(1)
    scale = np.sqrt(np.mean((features - features.mean(0)) ** 2))
    nll = np.mean(log_sums - logits[np.arange(len(labels)), labels])
    return float(nll + head.l2 / 2 * np.sum((head.weight * scale) ** 2))


@pytest.mark.parametrize(("n_examples", "n_features", "n_classes"), [(60, 100, 3), (300, 20, 5), (80, 80, 2)])
@pytest.mark.parametrize("l2", [1.0, 0.01, 1e-4])
def test_it_is_the_head_that_scikit_learn_finds(n_examples: int, n_features: int, n_classes: int, l2: float) -> None:
    from sklearn.linear_model import LogisticRegression

    features, labels = blobs(n_examples, n_features, n_classes)
    (head,) = fit_heads(features, labels, n_classes, l2_grid=[l2])
    scale = np.sqrt(np.mean((features - features.mean(0)) ** 2))
    # scikit-learn models two classes by one logit w x: two opposite rows of w / 2 give the same probabilities at half
    # the penalty.
    strength = 1 / (n_examples * l2) * (2 if n_classes == 2 else 1)
    other = LogisticRegression(C=strength, tol=1e-9, max_iter=20_000).fit(features / scale, labels)
    logits = head.logits(features)
    ours = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(ours, other.predict_proba(features / scale), atol=2e-3)


def test_the_objective_told_is_the_objective_reached() -> None:
    features, labels = blobs(120, 300, 4)
    for head in fit_heads(features, labels, 4):
        assert head.objective == pytest.approx(objective(head, features, labels), abs=2e-6)


def test_no_small_step_away_is_better() -> None:
    features, labels = blobs(90, 40, 3)
    (head,) = fit_heads(features, labels, 3, l2_grid=[0.01])
    best = objective(head, features, labels)
    generator = np.random.default_rng(1)
    for _ in range(50):
        moved = Head(
            head.weight + 1e-2 * generator.normal(size=head.weight.shape).astype(np.float32), head.bias, 0.01, 0.0, 0
        )
        assert objective(moved, features, labels) > best


def test_a_path_ends_where_a_fresh_fit_ends() -> None:
    features, labels = blobs(100, 60, 3)
    *_, last = fit_heads(features, labels, 3, l2_grid=L2_GRID[:7])
    (fresh,) = fit_heads(features, labels, 3, l2_grid=[L2_GRID[6]])
    assert last.objective == pytest.approx(fresh.objective, abs=1e-6)


def test_many_examples_are_fitted_in_32_bits_to_the_same_optimum(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = blobs(500, 30, 3)
    (double,) = fit_heads(features, labels, 3, l2_grid=[0.1])
    monkeypatch.setattr("heldout.models.heads._MAX_DOUBLES", 0)
    (single,) = fit_heads(features, labels, 3, l2_grid=[0.1])
    assert single.objective == pytest.approx(double.objective, abs=1e-5)


def test_logits_of_an_example_do_not_depend_on_its_neighbours() -> None:
    features, labels = blobs(40, 50, 3)
    (head,) = fit_heads(features, labels, 3, l2_grid=[0.1])
    assert np.array_equal(head.logits(features)[7], head.logits(features[7:8])[0])
    assert head.logits(features[:0]).shape == (0, 3)


def test_a_class_without_example_and_a_constant_feature_are_no_trouble() -> None:
    features, labels = blobs(40, 10, 2)
    features[:, 3] = 5.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (head,) = fit_heads(features, labels, 3, l2_grid=[0.1])
    assert np.isfinite(head.logits(features)).all()
    assert (head.logits(features).argmax(1) != 2).all()


def test_features_that_say_nothing_give_the_class_shares() -> None:
    labels = np.array([0, 0, 0, 1])
    (head,) = fit_heads(np.ones((4, 6), np.float32), labels, 2, l2_grid=[0.1])
    logits = head.logits(np.ones((1, 6), np.float32))[0]
    assert 1 / (1 + np.exp(logits[1] - logits[0])) == pytest.approx(0.75, abs=1e-3)


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        (np.zeros((0, 3)), np.zeros(0, int), "at least one"),
        (np.zeros((2, 3)), np.zeros(3, int), "as many labels"),
        (np.zeros((2, 3)), np.array([0, 5]), "labels must lie in 0 to 1"),
        (np.full((2, 3), np.inf), np.array([0, 1]), "finite"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_what_cannot_be_fitted_is_refused(features: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        next(fit_heads(features, labels, 2))


@pytest.mark.parametrize(("n_examples", "n_features"), [(60, 100), (200, 20)])
def test_heads_without_a_fold_are_those_fitted_to_the_other_folds_alone(n_examples: int, n_features: int) -> None:
    features, labels = blobs(n_examples, n_features, 3)
    folds = np.arange(n_examples) // 3 % 4
    heads = dict(fit_without_folds(features, labels, 3, folds=folds, l2=0.01))
    assert sorted(heads) == [0, 1, 2, 3]
    for fold, head in heads.items():
        others = folds != fold
        # In 32 bits the minimiser ends a little earlier: 0.008 was the largest difference (measured 2026-11-22).
        # The penalty is scaled by all examples there, by those of the other folds here.
        scales = [np.sqrt(np.mean((rows - rows.mean(0)) ** 2)) for rows in (features, features[others])]
        (alone,) = fit_heads(features[others], labels[others], 3, l2_grid=[0.01 * (scales[0] / scales[1]) ** 2])
        odds, expected = (np.exp(each.logits(features)) for each in (head, alone))
        np.testing.assert_allclose(odds / odds.sum(1)[:, None], expected / expected.sum(1)[:, None], atol=0.02)
