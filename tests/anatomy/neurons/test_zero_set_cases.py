"""The table of cases: numbers of the signs that a case names make the shape that it names."""

import random
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.neurons.neurons import Bell, Quadratic
from heldout.anatomy.neurons.parsing import parse_neuron
from heldout.anatomy.neurons.zero_levels import level_of_bell
from heldout.anatomy.neurons.zero_set_cases import Cases, Signs, cases_of
from heldout.anatomy.neurons.zero_sets import kind_of, zero_set_of
from heldout.errors import UsageError

FAMILY = "exp(-(w1*x1^2 + w2*x2^2)) + b"
# The table: by the signs of w1 and w2, what -1 < b < 0, b = -1 and b < -1 make. Nothing is 0 where b >= 0.
TABLE = {
    (1, 1): ("ellipse", "point", "empty"),
    (-1, -1): ("empty", "point", "ellipse"),
    (1, -1): ("hyperbola", "crossing lines", "hyperbola"),
    (-1, 1): ("hyperbola", "crossing lines", "hyperbola"),
    (1, 0): ("parallel lines", "line", "empty"),
    (0, 1): ("parallel lines", "line", "empty"),
    (-1, 0): ("empty", "line", "parallel lines"),
    (0, -1): ("empty", "line", "parallel lines"),
    (0, 0): ("empty", "plane", "empty"),
}


def of(text: str) -> Cases:
    return cases_of(parse_neuron(text))


def test_the_whole_table() -> None:
    found = of(FAMILY)
    assert set(found.signs) == set(TABLE)
    assert found.levels == (1, 0, -1, None)
    for signs, kinds in TABLE.items():
        assert tuple(found.at(signs, level).kind for level in (1, 0, -1)) == kinds
        assert found.at(signs, None).kind == "empty"
    assert [found.at((1, -1), level).axis for level in (1, -1)] == [0, 1]
    assert [found.at((-1, 1), level).axis for level in (1, -1)] == [1, 0]
    assert [found.at(signs, 0).axis for signs in ((1, 0), (0, 1))] == [0, 1]


@pytest.mark.parametrize("level", [1, 0, -1, None])
def test_the_shapes_of_the_signs_are_those_of_a_swap(level: int | None) -> None:
    for first, second in TABLE:
        kind, axis = kind_of(first, second, level)
        swapped, other = kind_of(second, first, level)
        assert kind == swapped
        assert axis is None or (first == second == 0) or other == 1 - axis


SYMBOLIC = {
    FAMILY: ("w1", "w2", "b"),
    "exp(-(w*x1^2 + w*x2^2)) + b": ("w", "b"),
    "exp(-(x1^2 - 3*x2^2)) + b": ("b",),
    "-2*exp(-(x1^2 + w*x2^2)) + b": ("w", "b"),
    "a*exp(-(w1*x1^2 + x2^2)) + b": ("a", "w1", "b"),
    "exp(-(w1*x1^2 + w2*x2^2)) - 0.5": ("w1", "w2"),
    "exp(-(w1*(x1 - c)^2 + x2^2)) + b": ("w1", "c", "b"),
    "exp(-(x1^2 + x2^2)/(2*s^2)) + b": ("s", "b"),
    "exp(-(p*x1^2 + 2*q*x1*x2 + r*x2^2)) + b": ("p", "q", "r", "b"),
    "exp(-(x1^2 + x1*x2 + x2^2 + x1)) + b": ("b",),
    "exp(-(x1^2 + 2*x1*x2 + x2^2)) + b": ("b",),
    "exp(-(x1^2 + x2)) + b": ("b",),
    "exp(-(x1 + x2)) + b": ("b",),
    "exp(-(x1^2 + x2^2 + k)) - 0.5": ("k",),
    "x1^2 + x2^2 - r^2": ("r",),
    "w1*x1^2 + w2*x2^2 + c": ("w1", "w2", "c"),
    "x1^2 + x2 + c": ("c",),
    "x1^2/a^2 + x2^2/d^2 - 1": ("a", "d"),
    "a*exp(-x1^2) - a": ("a",),
}


@pytest.mark.parametrize("text", SYMBOLIC)
@settings(max_examples=8, deadline=None, derandomize=True)
@given(st.integers(0, 10**9))
def test_numbers_make_the_shape_of_their_case(text: str, seed: int) -> None:
    generator = random.Random(seed)
    neuron, cases = parse_neuron(text), of(text)
    at = {
        each: Fraction(generator.choice([-2, -1, -1, 0, 1, 1, 3]), generator.choice([1, 1, 2, 3]))
        for each in SYMBOLIC[text]
    }
    for each in neuron.nonzero | ({"a"} if "a*exp" in text else set()):
        at[each] = at[each] or Fraction(1)
    known = parse_neuron(text, at=at)
    zero_set = zero_set_of(known)
    signs, level = signs_of(cases, known.body)
    case = cases.at(signs, level)
    assert zero_set.kind in {case.kind, "circle" if case.kind == "ellipse" else case.kind}, (at, case)
    if cases.weights is not None:
        assert case.axis == zero_set.axis
    if case.kind == "ellipse" and cases.is_circle is not None:
        assert cases.is_circle == (zero_set.kind == "circle")
    if cases.amplitude is None or (cases.amplitude.is_number and cases.amplitude.value > 0):
        assert case.positive in {"", zero_set.positive} or (cases.amplitude is None and neuron.kind == "conic")


def signs_of(cases: Cases, body: Quadratic | Bell) -> tuple[Signs, int | None]:
    """The case that numbers belong to, from the numbers themselves."""
    quadratic = body.exponent if isinstance(body, Bell) else body
    a, b, c, d, e, f = (float(each.value) for each in quadratic.parts)
    matrix, slope = np.array([[a, b / 2], [b / 2, c]]), np.array([d, e])
    first, second = (a, c) if cases.weights is not None else np.round(np.linalg.eigvalsh(matrix), 12)[::-1]
    is_central = cases.shape == "central"
    signs = (int(np.sign(first)), int(np.sign(second))) if is_central else (0, 0)
    if isinstance(body, Quadratic):
        return signs, int(np.sign(-f)) if is_central else 1
    ratio = -body.bias.value / body.amplitude.value
    if ratio <= 0 or not is_central:
        return signs, None if ratio <= 0 else 1
    # What the exponent is at its centre, by the pseudoinverse.
    constant = Fraction(f - float(slope @ np.linalg.pinv(matrix) @ slope) / 4).limit_denominator(1000)
    return signs, level_of_bell(ratio, constant).sign


@pytest.mark.parametrize(
    ("text", "n_cases"),
    [
        (FAMILY, 36),
        ("exp(-(x1^2 + x2^2)) + b", 4),
        ("exp(-(x1^2 + x2^2)) + b^2 + 1", 1),
        ("exp(-(x1^2 + x2^2)) - b^2", 4),
        ("exp(-(w*x1^2 + 2*w*x2^2)) - 1", 3),
        ("x1^2 + x2^2 + r^2 + 1", 1),
        ("x1^2 + x2^2 + r", 3),
        ("exp(-(w1*x1^2 + w2*x2^2)) + 1", 9),
    ],
)
def test_only_cases_that_can_be_are_listed(text: str, n_cases: int) -> None:
    assert len(of(text).cases) == n_cases


@pytest.mark.parametrize(
    "text",
    [
        "w*x1^2 + x1 + x2^2 + b",
        "exp(-(w1*x1 + w2*x2)) + b",
        "exp(-(p*x1^2 + 2*q*x1*x2 + x2^2 + x1)) + b",
        "exp(-(x1^2 + 2*x1*x2 + x2^2 + p*x1)) + b",
    ],
)
def test_what_has_no_one_table_is_said(text: str) -> None:
    with pytest.raises(UsageError, match=r"where no table|where its shape would turn") as caught:
        of(text)
    assert "--at" in caught.value.fix
