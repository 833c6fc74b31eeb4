"""Points along a zero set: the neuron is 0 there, and changes its sign across."""

import math
import random

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.neurons.parsing import parse_neuron
from heldout.anatomy.neurons.zero_set_curves import curves_of, sides_of
from heldout.anatomy.neurons.zero_sets import zero_set_of

EXPRESSIONS = {
    "exp(-(x1^2 + 2*x2^2)) - 0.5": 1,
    "exp(-((x1-1)^2 + x1*x2 + 3*x2^2)) - 0.25": 1,
    "exp(-(x1^2 - 2*x2^2)) - 2": 2,
    "exp(-(x1^2 + 4*x1*x2 + x2^2 - x1)) - 0.5": 2,
    "exp(-(x1^2 - x2^2)) - 1": 2,
    "exp(-x2^2) - 0.5": 2,
    "exp(-(x1 + 2*x2)^2) - 0.5": 2,
    "exp(-(x1 + x2)) - 2": 1,
    "exp(-(x1^2 + x2)) - 2": 1,
    "x1^2 + 2*x1*x2 + x2^2 + x1 - 3": 1,
    "x1 - 3*x2 + 1": 1,
    "exp(-(x1^2 + x2^2)) - 1": 1,
}


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_the_neuron_is_0_along_its_curve(text: str) -> None:
    zero_set = zero_set_of(parse_neuron(text))
    curves = curves_of(zero_set, (0.0, 0.0), 3.0)
    assert len(curves) == EXPRESSIONS[text]
    source = text.replace("^", "**")
    for curve in curves:
        for x1, x2 in curve[:: max(len(curve) // 40, 1)]:
            value = eval(source, {"exp": math.exp, "x1": x1, "x2": x2})
            slope = max(abs(x1), abs(x2), 1.0) ** 2
            assert abs(value) < 1e-13 * slope * 10, (x1, x2)


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_curves_without_an_end_leave_the_view(text: str) -> None:
    zero_set = zero_set_of(parse_neuron(text))
    for curve in curves_of(zero_set, (0.0, 0.0), 3.0):
        if zero_set.kind not in {"circle", "ellipse", "point"}:
            assert np.hypot(*curve[0]) > 2.99
            assert np.hypot(*curve[-1]) > 2.99
        elif zero_set.kind != "point":
            np.testing.assert_allclose(curve[0], curve[-1], atol=1e-12)


@pytest.mark.parametrize("text", ["exp(-x1^2) + 1", "exp(-(x1^2+x2^2)) - 2", "x1 - x1 + 0*x2"])
def test_nothing_and_everything_have_no_curve(text: str) -> None:
    assert curves_of(zero_set_of(parse_neuron(text)), (0.0, 0.0), 3.0) == []


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    st.sampled_from([*EXPRESSIONS, "exp(-x1^2) + 1", "exp(-(x1^2+x2^2)) - 2", "-1 - x1^2", "1 + 0*x1"]),
    st.integers(0, 10**6),
)
def test_the_shade_has_the_sign_of_the_neuron(text: str, seed: int) -> None:
    zero_set, generator = zero_set_of(parse_neuron(text)), random.Random(seed)
    centre = zero_set.centre or (0.0, 0.0)
    points = [(generator.gauss(0, 2), generator.gauss(0, 2)) for _ in range(20)]
    found = sides_of(zero_set, *(np.array(points) - centre).T)
    source = text.replace("^", "**")
    with mpmath.workdps(30):
        for side, (x1, x2) in zip(found, points, strict=True):
            value = eval(source, {"exp": mpmath.exp, "x1": mpmath.mpf(x1), "x2": mpmath.mpf(x2)})
            assert np.sign(side) == int(mpmath.sign(value))
