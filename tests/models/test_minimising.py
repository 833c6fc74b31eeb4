"""The minimiser against scipy's, and on functions whose minimum is known."""

import numpy as np
import pytest

from heldout.models.minimising import minimise


def quadratic(curvatures: np.ndarray, centre: np.ndarray):  # type: ignore[no-untyped-def]
    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        away = x - centre
        return float(0.5 * np.sum(curvatures * away**2)), curvatures * away

    return function


@pytest.mark.parametrize("spread", [1.0, 1e2, 1e4])
def test_it_finds_the_centre_of_a_bowl(spread: float) -> None:
    generator = np.random.default_rng(0)
    curvatures, centre = np.geomspace(1, spread, 30), generator.normal(size=30)
    found = minimise(quadratic(curvatures, centre), np.zeros(30), tolerance=1e-8, max_steps=2000)
    assert found.gradient <= 1e-8
    np.testing.assert_allclose(found.point, centre, atol=1e-7)


def test_it_ends_as_low_as_scipy() -> None:
    from scipy.optimize import minimize

    generator = np.random.default_rng(1)
    rows, signs = generator.normal(size=(80, 12)), np.sign(generator.normal(size=80))

    def logistic(x: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (rows @ x)
        value = float(np.sum(np.logaddexp(0, -margins)) + 0.05 * x @ x)
        return value, -(rows.T @ (signs / (1 + np.exp(margins)))) + 0.1 * x

    found = minimise(logistic, np.zeros(12), tolerance=1e-7, max_steps=500)
    other = minimize(logistic, np.zeros(12), jac=True, method="L-BFGS-B", options={"ftol": 0, "gtol": 1e-8})
    assert found.value == pytest.approx(other.fun, abs=1e-9)


def test_at_the_minimum_it_stays() -> None:
    found = minimise(quadratic(np.ones(3), np.ones(3)), np.ones(3), tolerance=1e-12, max_steps=10)
    assert found.n_steps == 0
    assert found.point.tolist() == [1, 1, 1]


def test_it_gives_up_after_the_steps_it_was_given_and_tells_how_far_it_came() -> None:
    curvatures = np.geomspace(1, 1e6, 50)
    found = minimise(quadratic(curvatures, np.ones(50)), np.zeros(50), tolerance=1e-12, max_steps=5)
    assert found.n_steps == 5
    assert found.gradient > 1e-12
    assert found.value < quadratic(curvatures, np.ones(50))(np.zeros(50))[0]


def test_where_rounding_hides_every_decrease_it_ends_there() -> None:
    def flat(x: np.ndarray) -> tuple[float, np.ndarray]:
        return 1e16 + float(x @ x), 2 * x

    found = minimise(flat, np.full(3, 0.1), tolerance=0.0, max_steps=100)
    assert found.n_steps < 100


def test_values_that_are_rounded_do_not_end_it_before_the_gradient_is_small() -> None:
    curvatures, centre = np.geomspace(1, 100, 20), np.ones(20)
    exact = quadratic(curvatures, centre)

    def rounded(x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = exact(x)
        return value + 1 + 1e-6 * np.sin(1e9 * float(x.sum())), gradient

    found = minimise(rounded, np.zeros(20), tolerance=1e-7, max_steps=200, rounding=3e-6)
    assert found.gradient <= 1e-7
    without = minimise(rounded, np.zeros(20), tolerance=1e-7, max_steps=200)
    assert without.gradient > 1e-7
