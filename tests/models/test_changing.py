"""Changes of variables against the Hessian by differences, and as linear maps."""

import numpy as np
import pytest

from heldout.models.changing import Change, exact_change, kronecker_change, rows_for_exact
from heldout.models.likelihood import Likelihood, likelihood_of


def drawn(n_classes: int = 3, rank: int = 4, n: int = 200, *, weights: bool = False) -> tuple[Likelihood, np.ndarray]:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, n_classes, n)
    rows = generator.normal(size=(n, rank)) * np.geomspace(3, 0.1, rank)
    squares, turned = np.linalg.eigh((rows - rows.mean(0)).T @ (rows - rows.mean(0)))
    rows = (rows - rows.mean(0)) @ turned
    counts = np.linspace(0.5, 2, n_classes) if weights else None
    likelihood = likelihood_of(rows, np.sqrt(squares), labels, n_classes, counts)
    return likelihood, generator.normal(size=(n_classes, rank + 1)) * 0.5


def change_of(kind: str, likelihood: Likelihood, at: np.ndarray, l2: float) -> Change:
    chances = likelihood.chances(at[:, :-1], at[:, -1], slice(None))
    if kind == "exact":
        return exact_change(likelihood.coordinates, chances, l2)
    return kronecker_change(likelihood.singular, chances, l2)


@pytest.mark.parametrize("kind", ["exact", "kronecker"])
def test_there_and_back_is_the_same_and_slopes_follow(kind: str) -> None:
    likelihood, at = drawn()
    change = change_of(kind, likelihood, at, 0.1)
    point = change.to_point(at[:, :-1], at[:, -1])
    weights, bias = change.to_layer(point)
    np.testing.assert_allclose(weights, at[:, :-1], atol=1e-10)
    np.testing.assert_allclose(bias, at[:, -1], atol=1e-10)
    generator = np.random.default_rng(1)
    slope, bias_slope, step = generator.normal(size=(3, 4)), generator.normal(size=3), generator.normal(size=point.size)
    moved, moved_bias = change.to_layer(step)
    there = float(np.vdot(slope, moved) + bias_slope @ moved_bias)
    assert float(change.of_slope(slope, bias_slope) @ step) == pytest.approx(there, rel=1e-10)


@pytest.mark.parametrize("weights", [False, True])
def test_after_the_exact_change_the_curvature_is_one(weights: bool) -> None:
    likelihood, at = drawn(weights=weights)
    change = change_of("exact", likelihood, at, 0.1)
    point = change.to_point(at[:, :-1], at[:, -1])

    def slope_at(where: np.ndarray) -> np.ndarray:
        layer, bias = change.to_layer(where)
        _, slope, bias_slope = likelihood.loss_and_slope(layer, bias)
        return change.of_slope(slope + 0.1 * layer, bias_slope)

    axes = 1e-5 * np.eye(point.size)
    hessian = np.array([(slope_at(point + axis) - slope_at(point - axis)) / 2e-5 for axis in axes])
    # One direction is flat: the same number added to all biases.
    assert np.sort(np.linalg.eigvalsh(hessian))[1:] == pytest.approx(1, abs=0.005)


def test_of_even_chances_the_product_of_the_means_is_exact() -> None:
    likelihood, at = drawn()
    exact, product = (change_of(kind, likelihood, 0 * at, 0.1) for kind in ("exact", "kronecker"))
    basis = np.eye(at.size)
    inner = [
        np.array([[float(left @ right) for left in mapped] for right in mapped])
        for mapped in (
            [change.to_point(*(one.reshape(at.shape)[:, :-1], 0 * at[:, -1])) for one in basis]
            for change in (exact, product)
        )
    ]
    np.testing.assert_allclose(inner[0], inner[1], atol=1e-9)


def test_rows_for_the_hessian_are_enough_and_not_too_many() -> None:
    assert len(range(*rows_for_exact(500, 42).indices(500))) == 500
    n = len(range(*rows_for_exact(10_000_000, 42).indices(10_000_000)))
    assert 20 * 42 <= n <= 2_000_000


def test_certain_answers_leave_a_change_that_can_be_used() -> None:
    likelihood, at = drawn()
    for kind in ("exact", "kronecker"):
        change = change_of(kind, likelihood, 1e4 * at, 1e-5)
        assert np.isfinite(change.to_layer(np.ones(at.size))[0]).all()
        assert np.isfinite(change.to_point(at[:, :-1], at[:, -1])).all()
