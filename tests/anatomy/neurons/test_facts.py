"""Points beside a neuron and what moves it, by putting the numbers in."""

import math
import random
from fractions import Fraction

import mpmath
import pytest

from heldout.anatomy.neurons.facts import NeuronFacts, facts_of
from heldout.anatomy.neurons.parsing import parse_neuron
from heldout.errors import UsageError

F = Fraction
BELL = "2*exp(-((x1-1)^2 + x1*x2 + 3*x2^2)) - 0.5"


def facts(text: str, **asked: object) -> NeuronFacts:
    return facts_of(parse_neuron(text), **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [BELL, "x1^2 - x2^2 - 1", "3*x1 - 4*x2 + 1"])
def test_points_have_the_value_and_the_sign_of_the_neuron(text: str) -> None:
    generator = random.Random(1)
    points = [(F(generator.randint(-30, 30), 10), F(generator.randint(-30, 30), 10)) for _ in range(20)]
    for (x1, x2), found in zip(points, facts(text, points=points).points, strict=True):
        value = eval(text.replace("^", "**"), {"exp": math.exp, "x1": float(x1), "x2": float(x2)})
        assert found.value == pytest.approx(value, abs=1e-12)
        assert found.side == (value > 0) - (value < 0)


def test_a_side_that_floats_cannot_show_is_told() -> None:
    (far,) = facts("exp(-(x1^2 + x2^2)) - 1e-80", points=[(F(20), F(0))]).points
    with mpmath.workdps(200):
        assert mpmath.exp(-400) - mpmath.mpf(10) ** -80 < 0
    assert far.value == pytest.approx(-1e-80)
    assert far.side == -1
    (on,) = facts("exp(-(x1^2 + x2^2)) - 1", points=[(F(0), F(0))]).points
    assert on.side == 0


@pytest.mark.parametrize("text", [BELL, "x1^2 - x2^2 - 1", "3*x1 - 4*x2 + 1"])
def test_the_bias_leads_through_the_point(text: str) -> None:
    point = (F(1, 2), F(-3, 4))
    found = facts(text, through=point).through
    assert found is not None
    assert found.change is not None
    again = facts(f"{text} + ({found.change!r})", points=[point]).points[0]
    assert again.value == pytest.approx(0, abs=1e-15)


def test_a_point_may_decide_a_bias_without_a_number() -> None:
    found = facts("exp(-(x1^2 + x2^2)) + b", through=(F(1), F(0))).through
    assert found is not None
    assert found.bias == pytest.approx(-math.exp(-1))
    assert found.change is None
    assert found.zero_set.semi_axes[0] == pytest.approx(1)


def test_a_changed_bias_is_that_neuron() -> None:
    found = facts("exp(-(x1^2 + x2^2)) - 0.5", change=F(1, 4)).changed
    assert found is not None
    assert (found.bias, found.move) == (-0.25, None)
    assert found.zero_set == facts("exp(-(x1^2 + x2^2)) - 0.25").zero_set
    line = facts("3*x1 - 4*x2 + 1", change=F(5)).changed
    assert line is not None
    assert line.move is not None
    assert line.move.upwards == 1.25


@pytest.mark.parametrize(
    ("text", "asked", "match"),
    [
        ("x1 + b", {"points": [(F(1), F(2))]}, "a point is to be placed, and b has no number"),
        ("x1 + b", {"change": F(1)}, "its bias is to be changed, and b"),
        ("w1*x1 + w2*x2 + b", {"through": (F(1), F(2))}, "through a point, and w1, w2 have no numbers"),
        ("exp(-(x1^2 + x2^2)) - 0.5", {"through": (F(1000), F(0))}, "the bell is 0 in floats"),
        ("exp(x1^2) - 0.5", {"through": (F(1000), F(0))}, "the bell is inf in floats"),
    ],
)
def test_what_is_missing_is_said(text: str, asked: dict[str, object], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        facts(text, **asked)
