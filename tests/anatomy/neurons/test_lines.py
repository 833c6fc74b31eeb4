"""The line of a linear neuron, against geometry done otherwise."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from heldout.anatomy.neurons.lines import beside, line_of, moved

F = Fraction
QUICK = settings(max_examples=30, deadline=None, derandomize=True)


def test_a_line_by_hand() -> None:
    line = line_of(F(3), F(4), F(-10))
    assert line.slope == -0.75
    assert line.intercepts == (float(F(10, 3)), 2.5)
    assert (line.length, line.origin_distance, line.normal) == (5.0, -2.0, (0.6, 0.8))
    assert line.angle == pytest.approx(math.degrees(math.atan2(4, 3)))


def test_upright_level_and_no_lines() -> None:
    upright, level = line_of(F(-2), F(0), F(6)), line_of(F(0), F(2), F(6))
    assert (upright.slope, upright.intercepts, upright.foot) == (None, (3.0, None), (3.0, 0.0))
    assert (level.slope, level.intercepts, level.foot) == (0.0, (None, -3.0), (0.0, -3.0))
    assert line_of(F(0), F(0), F(1)).kind == "empty"
    assert line_of(F(0), F(0), F(0)).kind == "plane"
    assert line_of(F(0), F(0), F(0)).normal is None


def some(generator: random.Random, n: int) -> list[F]:
    return [F(generator.randint(-50, 50), generator.randint(1, 9)) for _ in range(n)]


@QUICK
@given(st.integers(0, 10**9))
def test_the_nearest_point_of_the_line_is_the_nearest(seed: int) -> None:
    w1, w2, b, x, y = some(random.Random(seed), 5)
    w2 = w2 or F(1)
    facts, line = beside(w1, w2, b, (x, y)), line_of(w1, w2, b)
    assert facts.value == pytest.approx(float(w1 * x + w2 * y + b))
    assert facts.side == np.sign(float(w1 * x + w2 * y + b))

    def away(s: float) -> float:
        return math.dist((float(x), float(y)), (s, -(float(w1) * s + float(b)) / float(w2)))

    nearest = minimize_scalar(away, bracket=(-1, 1))
    assert facts.distance is not None
    assert abs(facts.distance) == pytest.approx(nearest.fun, abs=1e-6)
    assert np.sign(facts.distance) == facts.side
    assert facts.foot is not None
    assert float(w1) * facts.foot[0] + float(w2) * facts.foot[1] + float(b) == pytest.approx(0, abs=1e-9)
    assert line.slope == pytest.approx(-float(w1) / float(w2))


@QUICK
@given(st.integers(0, 10**9))
def test_a_change_of_the_bias_moves_the_line_as_it_is_told(seed: int) -> None:
    w1, w2, b, change = some(random.Random(seed), 4)
    w1 = w1 or F(1)
    before, after, move = line_of(w1, w2, b), line_of(w1, w2, b + change), moved(w1, w2, b, change=change)
    assert before.foot is not None
    assert after.foot is not None
    assert move.shift == pytest.approx((after.foot[0] - before.foot[0], after.foot[1] - before.foot[1]), abs=1e-9)
    assert before.normal == after.normal
    for crossing, then, step in zip(before.intercepts, after.intercepts, (move.rightwards, move.upwards), strict=True):
        if crossing is None:
            assert step is None
        else:
            assert then is not None
            assert step == pytest.approx(then - crossing, abs=1e-9)


@pytest.mark.parametrize(("w2", "sign"), [(2, -1), (-2, 1)])
def test_the_line_moves_down_as_the_bias_grows_only_where_its_second_weight_is_above_0(w2: int, sign: int) -> None:
    for w1 in (-3, 0, 3):
        upwards = moved(F(w1), F(w2), F(1), change=F(1)).upwards
        assert upwards is not None
        assert np.sign(upwards) == sign


@QUICK
@given(st.integers(0, 10**9), st.integers(1, 40))
def test_a_factor_of_all_weights_leaves_the_line_where_it_is(seed: int, factor: int) -> None:
    w1, w2, b = some(random.Random(seed), 3)
    w1 = w1 or F(1)
    one, other, turned = (line_of(k * w1, k * w2, k * b) for k in (F(1), F(factor), F(-factor)))
    assert (one.slope, one.intercepts, one.foot) == (other.slope, other.intercepts, other.foot)
    assert other.length == pytest.approx(factor * one.length)
    assert one.normal is not None
    assert turned.normal is not None
    assert turned.normal == pytest.approx((-one.normal[0], -one.normal[1]))
    assert (turned.slope, turned.foot) == (one.slope, one.foot)


@pytest.mark.parametrize("power", [-90, 90])
def test_tiny_and_huge_lines(power: int) -> None:
    scale = F(10) ** power
    line = line_of(3 * scale, 4 * scale, -10 * scale)
    assert line.origin_distance == pytest.approx(-2)
    assert line.foot == pytest.approx((1.2, 1.6))
    assert beside(3 * scale, 4 * scale, -10 * scale, (F(2), F(1))).side == 0
    assert beside(3 * scale, 4 * scale, -10 * scale, (F(2), F(1) + F(1, 10**40))).side == 1
