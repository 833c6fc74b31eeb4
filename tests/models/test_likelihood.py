"""The likelihood against its definition, and its optimum against scikit-learn's where that is hard to find."""

from collections.abc import Callable

import numpy as np
import pytest

from heldout.models import likelihood as module
from heldout.models.heads import fit_heads
from heldout.models.likelihood import likelihood_of


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [0.1, 3.0, 300.0])
def test_loss_and_slope_are_those_of_the_definition(kind: type, scale: float) -> None:
    generator = np.random.default_rng(0)
    rows: np.ndarray = generator.normal(size=(40, 3)).astype(kind)
    labels = generator.integers(0, 4, 40)
    weights, bias = scale * generator.normal(size=(4, 3)), generator.normal(size=4)
    counts = np.array([0.5, 1.0, 2.0, 1.0])
    found = likelihood_of(rows, np.ones(3), labels, 4, counts)
    loss, slope, bias_slope = found.loss_and_slope(weights, bias)
    exact = rows.astype(np.float64)
    logits = exact @ weights.T + bias
    logits -= logits.max(axis=1, keepdims=True)
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    residual = (np.exp(log_p) - np.eye(4)[labels]) * counts[labels][:, None] / 40
    share = 1e-3 if kind is np.float32 else 1e-9
    assert loss == pytest.approx(-(log_p[np.arange(40), labels] * counts[labels]).mean(), rel=share)
    np.testing.assert_allclose(slope, residual.T @ exact, atol=share)
    np.testing.assert_allclose(bias_slope, residual.sum(axis=0), atol=share)


def test_what_is_almost_certain_is_not_rounded_away() -> None:
    rows = np.array([[1.0], [-1.0]], np.float32)
    found = likelihood_of(rows, np.ones(1), np.array([0, 1]), 2)
    loss, slope, _ = found.loss_and_slope(np.array([[10.0], [-10.0]]), np.zeros(2))
    assert loss == pytest.approx(np.exp(-20.0), rel=1e-5)
    assert slope[0, 0] == pytest.approx(-np.exp(-20.0), rel=1e-5)


def separable(n: int = 300) -> tuple[np.ndarray, np.ndarray, int]:
    generator = np.random.default_rng(0)
    labels = np.arange(n) % 3
    return np.eye(3)[labels] * 10 + generator.normal(size=(n, 3)), labels, 3


def collinear(n: int = 300) -> tuple[np.ndarray, np.ndarray, int]:
    generator = np.random.default_rng(1)
    rows = generator.normal(size=(n, 4))
    rows = np.concatenate([rows, rows[:, :2], rows.sum(axis=1, keepdims=True), np.ones((n, 1))], axis=1)
    return rows, (rows[:, 0] + generator.normal(size=n) > 0).astype(np.int64), 2


def rare(n: int = 4000) -> tuple[np.ndarray, np.ndarray, int]:
    generator = np.random.default_rng(2)
    rows = generator.normal(size=(n, 5))
    labels = np.zeros(n, np.int64)
    labels[:7] = 1
    rows[:7] += 2
    return rows, labels, 2


def unlike_scales(n: int = 500) -> tuple[np.ndarray, np.ndarray, int]:
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(n, 4)) * np.array([1e-3, 1.0, 30.0, 1e3])
    logits = (rows / rows.std(axis=0)) @ generator.normal(size=(4, 3))
    return rows, (logits + generator.gumbel(size=(n, 3))).argmax(axis=1), 3


def objective_by_scikit_learn(rows: np.ndarray, labels: np.ndarray, l2: float, counts: np.ndarray | None) -> float:
    from sklearn.linear_model import LogisticRegression

    n_classes = int(labels.max()) + 1
    centred = (rows - rows.mean(axis=0)) / np.sqrt(np.mean((rows - rows.mean(axis=0)) ** 2))
    factor = 2 if n_classes == 2 else 1  # of two classes it has one logit: see test_heads.py
    model = LogisticRegression(C=factor / (len(labels) * l2), tol=1e-10, max_iter=100_000, solver="newton-cg")
    model.fit(centred, labels, sample_weight=None if counts is None else counts[labels])
    weight, bias = model.coef_, model.intercept_
    if n_classes == 2:
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    logits = centred @ weight.T + bias
    logits -= logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(len(labels)), labels]
    return float(np.mean(losses * (1 if counts is None else counts[labels])) + l2 / 2 * np.sum(weight**2))


@pytest.mark.parametrize("most_exact", [10**6, 0], ids=["exact", "kronecker"])
@pytest.mark.parametrize("data", [separable, collinear, rare, unlike_scales])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:Line Search failed")
@pytest.mark.filterwarnings("ignore:.*line search.*")
def test_the_optimum_is_scikit_learns_where_it_is_hard_to_find(
    monkeypatch: pytest.MonkeyPatch,
    most_exact: int,
    data: Callable[[], tuple[np.ndarray, np.ndarray, int]],
    weighted: bool,
) -> None:
    monkeypatch.setattr(module, "_MOST_EXACT", most_exact)
    monkeypatch.setattr(module, "_EXAMPLES_EACH", 1)
    rows, labels, n_classes = data()
    counts = None
    if weighted:
        counts = len(labels) / (n_classes * np.bincount(labels, minlength=n_classes))
    for head in fit_heads(rows, labels, n_classes, l2_grid=(1.0, 1e-3, 1e-5), class_weights=counts):
        assert head.objective <= objective_by_scikit_learn(rows, labels, head.l2, counts) + 1e-6


def test_a_thousandth_or_a_thousandfold_of_the_features_is_the_same_problem() -> None:
    rows, labels, n_classes = unlike_scales()
    found = [[head.objective for head in fit_heads(factor * rows, labels, n_classes)] for factor in (1e-3, 1.0, 1e3)]
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
    np.testing.assert_allclose(found[2], found[1], atol=1e-6)


def test_the_same_fit_twice_is_the_same_to_the_last_bit() -> None:
    for rows, labels, n_classes in (collinear(), separable()):
        first, second = (list(fit_heads(rows, labels, n_classes)) for _ in range(2))
        for one, other in zip(first, second, strict=True):
            assert one.weight.tobytes() == other.weight.tobytes()
            assert one.bias.tobytes() == other.bias.tobytes()


def test_in_32_bits_the_gradient_is_as_small_as_in_64(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heldout.models.heads._MAX_DOUBLES", 0)
    generator = np.random.default_rng(4)
    labels = np.arange(600) % 5
    rows = (generator.normal(size=(5, 80))[labels] * 0.5 + generator.normal(size=(600, 80))).astype(np.float32)
    for head in fit_heads(rows, labels, 5):
        exact = (rows - rows.mean(axis=0, dtype=np.float64)).astype(np.float64)
        scale = np.sqrt(np.mean(exact**2))
        logits = head.logits(rows)
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
        residual = (chances - np.eye(5)[labels]) / 600
        slope = residual.T @ exact / scale + head.l2 * head.weight * scale
        # By the bound on the curvature, 1/2 of the second moments: below what another step of Newton's could bring.
        squares, turned = np.linalg.eigh(exact.T @ exact / scale**2 / 600)
        assert np.abs(slope @ turned / np.sqrt(squares / 2 + head.l2)).max() < 2e-5
