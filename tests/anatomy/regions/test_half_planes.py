"""Half-planes and their lines."""

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.regions.half_planes import (
    HalfPlane,
    check_number_of,
    opposite_half_planes,
    same_half_planes,
    whole,
)
from heldout.errors import UsageError
from make_regions import half_plane, lines_of


@given(st.integers(-9, 9), st.integers(1, 9), st.integers(-9, 9), st.fractions(min_value="0.1", max_value=9))
@settings(max_examples=40, deadline=None)
def test_a_positive_multiple_is_the_same_half_plane_and_a_negative_one_the_other_side(
    first: int, second: int, bias: int, factor: Fraction
) -> None:
    one = half_plane(first, second, bias)
    more = HalfPlane((factor * first, factor * second), factor * bias)
    less = HalfPlane((-factor * first, -factor * second), -factor * bias)
    assert (one.line, one.side) == (more.line, more.side) == (less.line, -less.side)


def test_pairs_of_one_line_are_found() -> None:
    lines = lines_of("x1 >= 0; 2 x1 >= 0; x1 <= 0; x2 >= 0")
    assert same_half_planes(lines) == [(0, 1)]
    assert opposite_half_planes(lines) == [(0, 2), (1, 2)]


def test_whole_numbers_keep_ratio_and_signs() -> None:
    assert whole((Fraction("0.5"), Fraction(0), Fraction("-0.75"))) == (2, 0, -3)


def test_weights_of_nothing_have_no_line() -> None:
    with pytest.raises(UsageError, match="the weights 0, 0 and the bias 1 has no line"):
        HalfPlane((Fraction(0), Fraction(0)), Fraction(1))


@pytest.mark.parametrize("n_lines", [0, 25])
def test_none_and_too_many_are_refused(n_lines: int) -> None:
    with pytest.raises(UsageError, match=f"there are {n_lines} lines"):
        check_number_of([half_plane(1, 0, position) for position in range(n_lines)])
