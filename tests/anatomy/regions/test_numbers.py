"""Exact numbers, against the decimal module."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.regions.numbers import bounded, decimals, exact, latex, plain
from heldout.errors import UsageError


@given(st.decimals(min_value=-1000, max_value=1000, places=7))
@settings(max_examples=60, deadline=None)
def test_a_decimal_is_read_and_written_without_a_rounding(number: Decimal) -> None:
    text = format(number, "f")
    assert exact(text) == Fraction(number)
    assert exact(plain(exact(text))) == exact(text)
    assert Decimal(decimals(exact(text)) or "nan") == number


@given(st.fractions(-(10**6), 10**6, max_denominator=999))
@settings(max_examples=60, deadline=None)
def test_a_quotient_survives_being_written(number: Fraction) -> None:
    assert exact(plain(number)) == number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.2", Fraction(1, 5)),
        ("1e-3", Fraction(1, 1000)),
        ("-1/3", Fraction(-1, 3)),
        (".5", Fraction(1, 2)),
        ("−2", -2),
    ],
)
def test_numbers_as_people_write_them(text: str, value: Fraction) -> None:
    assert exact(text) == value


def test_a_float_is_what_it_is_printed_as() -> None:
    assert exact(0.1) == Fraction(1, 10) != Fraction(0.1)


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "1e400", "1e999999999", "1/0", "0x10", "1_000", "1" * 60, "٣", "1/2/3"]
)
def test_what_is_no_number_is_refused_at_once(text: str) -> None:
    with pytest.raises(UsageError, match="expected: a decimal such as"):
        exact(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_float_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(UsageError, match="the number is"):
        exact(value)


def test_a_number_beyond_the_plane_is_refused_with_its_size() -> None:
    with pytest.raises(UsageError, match="a weight is about -1e30"):
        bounded(Fraction(-(10**30)), name="a weight")


def test_quotients_in_latex() -> None:
    assert latex(Fraction(-2, 3)) == r"-\frac{2}{3}"
    assert latex(Fraction(5, 2)) == "2.5"
