"""Everything about one formula at one point, and what is told where the point does not suit it."""

import pytest

from heldout.anatomy.graphs.facts import explain_expression, words_of
from heldout.errors import UsageError

WRITE_UP = "(w2*sigmoid(w1*x) - y)**2"


def test_what_was_chosen_is_known() -> None:
    facts = explain_expression(WRITE_UP)
    assert facts.point_is_chosen
    assert facts.parameters_are_chosen
    assert facts.parameters == ("w1", "w2")
    facts = explain_expression(WRITE_UP, at="w1=0,w2=1,x=1,y=0", wrt="y")
    assert not facts.point_is_chosen
    assert not facts.parameters_are_chosen
    assert facts.gradient == {"y": -1.0}
    assert facts.value == 0.25


@pytest.mark.parametrize(
    ("text", "at", "words"),
    [
        ("log(x - 2)", "x=1", r"L = log\(x - 2\) cannot be computed at this point: .* above 0 only \(x - 2 = -1\)"),
        ("log(x)", "x=0", r"L = log\(x\) cannot be computed .* \(x = 0\)"),
        ("1/(x - y) + y", "x=1,y=1", r"v2 = 1/\(x - y\) cannot be computed .* divides by zero \(x - y = 0\)"),
        ("x/0", "x=1", "divides by zero"),
        ("sqrt(x)", "x=-1", "numbers from 0 on only"),
        ("x**0.5", "x=-1", "a base above 0 or a whole exponent"),
        ("x**-1", "x=0", "divides by zero"),
        ("exp(x)", "x=1000", "too large for a double"),
        ("x*x", "x=1e200", "too large for a double"),
        ("9**9**9*x", None, r"9\^9\^9|9\^\(9\^9\)|9\^v1.*too large for a double"),
        ("sqrt(x)", "x=0", r"the derivative through L = sqrt\(x\) is not finite at this point: that divides by zero"),
        ("abs(x)**0.5", "x=0", "the derivative through L"),
        ("x**y", "x=-2,y=3", r"the derivative through L = x\^y is not finite .* log is defined"),
        ("log(-x**2 - 1)", None, "cannot be computed at this point"),
    ],
)
def test_a_point_that_does_not_suit_the_formula_is_told_with_the_node(text: str, at: str | None, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        explain_expression(text, at=at)


def test_only_derivatives_that_are_asked_for_have_to_exist() -> None:
    assert explain_expression("sqrt(x)*y", at="x=0,y=2", wrt="y").gradient == {"y": 0.0}
    assert explain_expression("x**y", at="x=-2,y=3", wrt="x").gradient == {"x": 12.0}


def test_a_central_difference_is_left_out_where_the_formula_ends_beside_the_point() -> None:
    facts = explain_expression("sqrt(x)**3", at="x=1e-8")
    assert facts.central == {"x": None}
    facts = explain_expression("relu(x)", at="x=0")
    assert facts.central["x"] == pytest.approx(0.5)
    assert facts.gradient["x"] == 0
    assert facts.kinks == (1,)


def test_an_operand_that_is_used_twice_has_one_slope() -> None:
    facts = explain_expression("x*x", at="x=3")
    assert facts.local.value(1, 0) == 6


def test_operations_have_words() -> None:
    assert [words_of(name) for name in ("multiply", "sigmoid", "input")] == ["multiplication", "sigmoid", "input"]
