"""Text of people -> half-planes and points."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.regions.text import points_of, read_points, read_shape, read_values
from heldout.errors import UsageError
from make_regions import lines_of


def _numbers(text: str) -> list[tuple[Fraction, ...]]:
    return [(*each.weights, each.bias) for each in lines_of(text)]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("x1 >= 0", [(1, 0, 0)]),
        ("x1 + x2 <= 2", [(-1, -1, 2)]),
        ("2x1 - 3 x2 > 4", [(2, -3, -4)]),
        ("2(x1 + x2)/4 ≥ 1/3", [(Fraction(1, 2), Fraction(1, 2), Fraction(-1, 3))]),
        ("0x1 + x2 >= 1", [(0, 1, -1)]),  # not a number of base 16
        ("0 <= x1 <= 1", [(1, 0, 0), (-1, 0, 1)]),
        ("y < 2x", [(2, -1, 0)]),
        ("-x1 >= -(x2 - 1)", [(-1, 1, -1)]),
        ("1,2,-3; 0.5,0,1", [(1, 2, -3), (Fraction(1, 2), 0, 1)]),
        ("(1, 2, -3)", [(1, 2, -3)]),
        ("0.12345678901234567890123 x1 >= 0", [(Fraction("0.12345678901234567890123"), 0, 0)]),
    ],
)
def test_lines_as_people_write_them(text: str, numbers: list[tuple[Fraction, ...]]) -> None:
    assert _numbers(text) == numbers


@pytest.mark.parametrize("text", ["0,0 1,0 1,0.5", "(0,0) (1,0) (1,0.5)", "0, 0; 1, 0; 1, 0.5", "[0,0],\n[1,0] [1,.5]"])
def test_corners_as_people_write_them(text: str) -> None:
    text = text.replace("],", "]")
    found = read_shape(text)
    assert found == read_points(text)
    assert [str(number) for corner in read_points(text) for number in corner] == ["0", "0", "1", "0", "1", "1/2"]


@given(*[st.integers(-99, 99)] * 6)
@settings(max_examples=50, deadline=None)
def test_an_inequality_says_what_python_says(a: int, b: int, c: int, d: int, e: int, f: int) -> None:
    if (a, b) == (d, e):
        return
    text = f"{a}*x1 + {b}*x2 + {c} <= {d}*x1 - ({-e})*x2 + {f}"
    (line,) = lines_of(text)
    for x1, x2 in [(0, 0), (1, 3), (-7, 2), (50, -99)]:
        assert (line.at((Fraction(x1), Fraction(x2))) >= 0) == eval(text, {"x1": x1, "x2": x2})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "the shape is empty"),
        ("nonsense", "the shape is 'nonsense'"),
        ("0,0 1,0,0", "the shape is"),
        ("x1 = 0", "it has no side"),
        ("x1 == 0", "it has no side"),
        ("x1 != 0", "it has no side"),
        ("x1 * x2 >= 0", "it is not linear"),
        ("x1 ** 9999999 >= 0", "it is not linear"),
        ("1/x1 >= 0", "it is not linear"),
        ("x1 >= 1/0", "it divides by 0"),
        ("x3 >= 0", "'x3' is not known: the inputs are x1 and x2"),
        ("x1 >= True", "only sums"),
        ("x1 >= 'a'", "only sums"),
        ("x1 >= 1j", "only sums"),
        ("x1 >=", "it cannot be read"),
        ("(" * 300 + "x1" + ")" * 300 + " >= 0", "it cannot be read"),
        ("-" * 190 + "x1 >= \0", "it cannot be read"),
        ("0 x1 >= 1", "has no line"),
        ("0,0,1", "has no line"),
        ("x1 >= 1e999999999", "a number of"),
        ("x1 >= 1e20 * 1e20", "a weight of"),
        ("x1 >= 0;" * 800, "the text has 6,400 characters"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        read_shape(text)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('pathlib').Path('made').touch() >= 0",
        "(lambda: open('made', 'w'))() >= 0",
        "[open('made', 'w') for x1 in (1,)] >= 0",
        "(x1 := open('made', 'w')) >= 0",
        "f'{open(chr(109), chr(119))}' >= 0",
        "x1.real >= 0",
    ],
)
def test_nothing_is_ever_executed(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"only sums of multiples|it has no side"):
        read_shape(text)
    assert list(tmp_path.iterdir()) == []


def test_the_values_of_a_unit() -> None:
    values = read_values("0.2, 0.5")
    assert (values.off, values.on, values.difference, values.direction) == (
        Fraction(1, 5),
        Fraction(1, 2),
        Fraction(3, 10),
        1,
    )
    assert read_values("1,-1").direction == -1


@pytest.mark.parametrize("text", ["1", "1,1", "0,1,2", "a,b", ""])
def test_values_that_are_not_two_different_numbers_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the value"):
        read_values(text)


@pytest.mark.parametrize("text", ["", "1", "1,2,3"])
def test_points_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="the list of points"):
        read_points(text)


def test_rows_of_numbers_become_the_same_text() -> None:
    assert read_shape(points_of(np.array([[0.0, 0.1], [1.0, 0.0], [0.0, 1.0]]).tolist()))[0] == (
        Fraction(0),
        Fraction(1, 10),
    )
    assert points_of([tuple(np.array([1.5, 2.0]))]) == "1.5,2.0"
