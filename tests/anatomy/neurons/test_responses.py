"""What an activation makes of z, against its definition and a numerical search."""

import math
from collections.abc import Callable
from fractions import Fraction

import pytest
from scipy.optimize import brentq

from heldout.anatomy.neurons.responses import response_of

F = Fraction
FUNCTIONS: dict[str, Callable[[float], float]] = {
    "step": lambda z: float(z >= 0),
    "sign": lambda z: (z > 0) - (z < 0),
    "sigmoid": lambda z: 1 / (1 + math.exp(-z)),
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
@pytest.mark.parametrize(
    ("scale", "shift"), [(F(1), F(0)), (F(3, 10), F(1, 5)), (F(-2), F(1)), (F(1), F(-1, 4)), (F(1), F(1))]
)
def test_values_on_both_sides_and_on_the_line(kind: str, scale: F, shift: F) -> None:
    found = response_of(kind, scale, shift)

    def value(z: float) -> float:
        return float(scale) * FUNCTIONS[kind](z) + float(shift)

    assert found.low == pytest.approx(value(-50))
    if kind == "relu":
        assert found.high is None
    else:
        assert found.high == pytest.approx(value(50))
    if kind != "step":
        assert found.on_line == pytest.approx(value(0))
    if found.steepness is not None:
        assert found.steepness == pytest.approx((value(1e-6) - value(-1e-6)) / 2e-6)
    if found.zero is not None and kind != "sign":
        assert value(-40) * value(40) <= 0
        assert found.zero == pytest.approx(brentq(value, -40, 40) if found.zero else 0.0, abs=1e-9)
    if found.zero_side:
        assert value(found.zero_side * 3) == value(found.zero_side * 7) == 0
    if found.zero is None and not found.zero_side:
        assert all(value(z / 10) != 0 for z in range(-100, 101))


def test_the_values_of_the_two_tenths() -> None:
    found = response_of("step", F(3, 10), F(1, 5))
    assert (found.low, found.high, found.zero, found.zero_side) == (0.2, 0.5, None, 0)


def test_zeros_near_the_ends_are_not_lost() -> None:
    tiny = F(1, 10**40)
    assert response_of("sigmoid", F(1), -tiny).zero == pytest.approx(-40 * math.log(10))
    assert response_of("sigmoid", F(1), tiny - 1).zero == pytest.approx(40 * math.log(10))
    assert response_of("tanh", F(1), -tiny).zero == pytest.approx(1e-40)
    assert response_of("sigmoid", F(1), F(0)).zero is None
    assert response_of("sigmoid", F(1), F(-1)).zero_side == 0
