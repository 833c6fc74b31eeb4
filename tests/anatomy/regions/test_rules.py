"""Rules, against Python's own `and`, `or`, `not`."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.regions.polygons import polygon_of
from heldout.anatomy.regions.rules import (
    AtLeast,
    InPolygon,
    OneOf,
    code_of,
    codes_of,
    read_count,
    read_formula,
    read_patterns,
    written,
)
from heldout.errors import UsageError
from make_regions import SQUARE, corners_of

ORIGIN = (Fraction(0), Fraction(0))
PATTERNS = list(product((False, True), repeat=3))
TABLE = np.array(PATTERNS)
NOWHERE = np.zeros((len(PATTERNS), 2))


def _formulas(depth: int = 3) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["h1", "h2", "h3", "True"])
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(lambda text: f"not ({text})"),
            st.tuples(inner, st.sampled_from(["and", "or", "^", "==", "!="]), inner).map(
                lambda parts: f"(({parts[0]}) {parts[1]} ({parts[2]}))"
            ),
        ),
        max_leaves=2**depth,
    )


@given(_formulas())
@settings(max_examples=80, deadline=None)
def test_a_formula_says_what_python_says(text: str) -> None:
    formula = read_formula(text.replace("True", "1"), 3)
    expected = [bool(eval(text, dict(zip(("h1", "h2", "h3"), pattern, strict=True)))) for pattern in PATTERNS]
    assert [formula.holds(pattern, ORIGIN) for pattern in PATTERNS] == expected
    assert formula.holds_many(TABLE, NOWHERE).tolist() == expected


def test_words_in_capitals_and_signs() -> None:
    for text in ("H1 AND NOT H2 OR H3", "h1 & ~h2 | h3"):
        formula = read_formula(text, 3)
        assert [formula.holds(p, ORIGIN) for p in PATTERNS] == [(p[0] and not p[1]) or p[2] for p in PATTERNS]
    assert [read_formula("h1 xor h2", 3).holds(p, ORIGIN) for p in PATTERNS] == [p[0] != p[1] for p in PATTERNS]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "it cannot be read"),
        ("h1 and", "it cannot be read"),
        ("h1 and h4", "there is no unit 'h4'"),
        ("x1", "there is no unit 'x1'"),
        ("h1 + h2", "no and, or, not, xor"),
        ("h1 if h2 else h3", "no and, or, not, xor"),
        ("exec('1')", "no and, or, not, xor"),
        ("h1.__class__", "no and, or, not, xor"),
        ("h1 < h2", "no and, or, not, xor"),
        ("2", "no and, or, not, xor"),
        ("'a'", "no and, or, not, xor"),
        ("h1" + " and h1" * 100, "it cannot be read"),  # too long
        ("(" * 199 + "h1", "it cannot be read"),
    ],
)
def test_a_formula_that_cannot_be_meant_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        read_formula(text, 3)


def test_counts() -> None:
    assert [read_count(word, 3) for word in ("and", "OR", "2", 3)] == [AtLeast(3), AtLeast(1), AtLeast(2), AtLeast(3)]
    assert AtLeast(2).holds_many(TABLE, NOWHERE).tolist() == [sum(pattern) >= 2 for pattern in PATTERNS]
    assert [AtLeast(2).holds(pattern, ORIGIN) for pattern in PATTERNS] == [sum(pattern) >= 2 for pattern in PATTERNS]


@pytest.mark.parametrize("word", ["0", "4", "-1", "nand", "", "1.5", "²"])
def test_a_count_that_cannot_be_meant_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="from 1 to 3"):
        read_count(word, 3)


def test_patterns() -> None:
    rule = read_patterns("100, 110", PATTERNS)
    assert rule == OneOf(frozenset({(True, False, False), (True, True, False)}))
    assert rule.holds_many(TABLE, NOWHERE).tolist() == [p in rule.patterns for p in PATTERNS]
    assert rule.holds((True, False, False), ORIGIN)


@pytest.mark.parametrize(("text", "what"), [("", "a pattern is ''"), ("10", "a pattern is '10'"), ("012", "a pattern")])
def test_a_pattern_of_another_form_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        read_patterns(text, PATTERNS)


def test_a_pattern_without_a_point_is_refused_with_those_that_have_one() -> None:
    with pytest.raises(UsageError, match=r"no point of the plane has the pattern 01(.|\n)*one of 00, 10, 11"):
        read_patterns("01", [(True, True), (True, False), (False, False)])


def test_a_polygon_knows_nothing_of_patterns() -> None:
    rule = InPolygon(polygon_of(corners_of(SQUARE)), with_edge=True)
    assert rule.holds((), (Fraction(1, 2), Fraction(1)))
    assert not InPolygon(rule.polygon, with_edge=False).holds((), (Fraction(1, 2), Fraction(1)))
    points = np.array([[0.5, 0.5], [1.5, 0.5]])
    assert rule.holds_many(np.zeros((2, 4), dtype=bool), points).tolist() == [True, False]


@given(st.lists(st.booleans(), min_size=1, max_size=24))
@settings(max_examples=30, deadline=None)
def test_a_pattern_has_one_number(bits: list[bool]) -> None:
    pattern = tuple(bits)
    assert codes_of(np.array([pattern])).tolist() == [code_of(pattern)] == [int(written(pattern)[::-1], 2)]
