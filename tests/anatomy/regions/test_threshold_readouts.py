"""Intervals of biases: the table of formulas, both sides of every end exactly, and redundancy by linear programming."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from heldout.anatomy.regions.half_planes import HalfPlane
from heldout.anatomy.regions.line_arrangements import arrangement_of
from heldout.anatomy.regions.threshold_readouts import (
    contradicting_units,
    counting_interval,
    readout_of,
    redundant_units,
    units_to_keep,
)
from heldout.anatomy.regions.threshold_units import Neuron, Step, UnitValues
from make_regions import MINUS_PLUS, WRITE_UP, ZERO_ONE, has_room, lines_of, some_lines

TINY = Fraction(1, 10**12)


@pytest.mark.parametrize("n_units", [1, 2, 5])
def test_the_formulas_for_counting(n_units: int) -> None:
    for k in range(1, n_units + 1):
        closed = counting_interval(n_units, k, values=ZERO_ONE, step=Step.AT_ZERO)
        opened = counting_interval(n_units, k, values=ZERO_ONE, step=Step.ABOVE_ZERO)
        assert str(closed) == f"[{-k}, {-(k - 1)})"
        assert str(opened) == f"({-k}, {-(k - 1)}]"
        assert closed.middle == -k + Fraction(1, 2)
        # With -1 and 1 a sum of n units of which k fire is 2 k - n; for AND that is [-n, -(n - 2)).
        turned = counting_interval(n_units, k, values=MINUS_PLUS, step=Step.AT_ZERO)
        assert str(turned) == f"[{n_units - 2 * k}, {n_units - 2 * k + 2})"


def test_the_write_up() -> None:
    assert str(counting_interval(5, 5, values=WRITE_UP, step=Step.ABOVE_ZERO)) == "(-2.5, -2.2]"
    assert str(counting_interval(5, 5, values=WRITE_UP, step=Step.AT_ZERO)) == "[-2.5, -2.2)"


values_of = st.tuples(st.fractions(-3, 3, max_denominator=9), st.fractions(-3, 3, max_denominator=9))


@given(
    st.lists(st.fractions(-4, 4, max_denominator=5), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=8, max_size=8),
    values_of,
    st.sampled_from(Step),
)
@settings(max_examples=25, deadline=None)
def test_every_bias_of_the_interval_is_right_and_none_outside(
    weights: list[Fraction], answers: list[bool], ends: tuple[Fraction, Fraction], step: Step
) -> None:
    assume(ends[0] != ends[1])
    values = UnitValues(*ends)
    patterns = list(product((False, True), repeat=3))
    wanted = [pattern for pattern, answer in zip(patterns, answers, strict=True) if answer]
    unwanted = [pattern for pattern, answer in zip(patterns, answers, strict=True) if not answer]
    found = readout_of(weights, wanted, unwanted, values=values, step=step)

    def is_right(bias: Fraction) -> bool:
        neuron = Neuron(tuple(weights), bias)
        return [step.fires(neuron.sum_of(values.of(pattern))) for pattern in patterns] == answers

    if found is None:
        # Only at a sum itself the answer of a pattern changes.
        ends_of_cells = {-Neuron(tuple(weights), Fraction(0)).sum_of(values.of(pattern)) for pattern in patterns}
        assert not any(is_right(bias + near) for bias in ends_of_cells for near in (-TINY, 0, TINY))
        return
    assert is_right(found.neuron.bias)
    for end, is_closed, outwards in (
        (found.interval.low, found.interval.low_closed, -1),
        (found.interval.high, found.interval.high_closed, 1),
    ):
        if end is not None:
            assert is_right(end) is is_closed
            assert is_right(end - outwards * TINY)
            assert not is_right(end + outwards * TINY)
        else:
            assert is_right(Fraction(outwards * 10**6))
    sums = [Neuron(tuple(weights), found.neuron.bias).sum_of(values.of(pattern)) for pattern in patterns]
    assert min(map(abs, sums)) >= found.margin > 0


def test_the_tolerance_is_shared_by_all_units() -> None:
    three_of_four = (True, True, True, False)
    found = readout_of((Fraction(1),) * 4, [(True,) * 4], [three_of_four], values=ZERO_ONE, step=Step.AT_ZERO)
    assert found is not None
    assert (found.margin, found.tolerance) == (Fraction(1, 2), Fraction(1, 8))
    nothing = readout_of((Fraction(0),), [(True,)], [], values=ZERO_ONE, step=Step.AT_ZERO)
    assert nothing is not None
    assert nothing.tolerance is None


def _is_implied(lines: tuple[HalfPlane, ...], unit: int) -> bool:
    """Whether the smallest value of a half-plane over the others' common part is 0 or more, by linear programming."""
    others = [line for place, line in enumerate(lines) if place != unit]
    rows = np.array([[-float(w) for w in line.weights] for line in others]).reshape(-1, 2)
    right = [float(line.bias) for line in others]
    goal = [float(w) for w in lines[unit].weights]
    solved = linprog(goal, A_ub=rows, b_ub=right, bounds=[(None, None)] * 2, method="highs")
    return bool(solved.status == 2 or (solved.status == 0 and solved.fun + float(lines[unit].bias) >= -1e-9))


@given(some_lines(most=6))
@settings(max_examples=20, deadline=None)
def test_redundant_half_planes_are_those_that_linear_programming_finds(lines: tuple[HalfPlane, ...]) -> None:
    patterns = {cell.pattern for cell in arrangement_of(lines).cells}
    assert redundant_units(patterns) == tuple(unit for unit in range(len(lines)) if _is_implied(lines, unit))
    kept = units_to_keep(patterns)
    # The kept ones have the same common part as all: no cell of theirs is missed by another.
    assert all(all(pattern) for pattern in patterns if all(pattern[unit] for unit in kept))
    small = {tuple(pattern[unit] for unit in kept) for pattern in patterns}
    assert len(kept) == 1 or redundant_units(small) == ()


@given(some_lines(most=6))
@settings(max_examples=20, deadline=None)
def test_half_planes_without_a_common_point_are_named(lines: tuple[HalfPlane, ...]) -> None:
    patterns = {cell.pattern for cell in arrangement_of(lines, Step.ABOVE_ZERO).cells}
    named = contradicting_units(patterns)
    assert bool(named) is not has_room(lines, (True,) * len(lines))
    if named:
        assert not has_room([lines[unit] for unit in named], (True,) * len(named))
        for left_out in named:
            others = [lines[unit] for unit in named if unit != left_out]
            assert has_room(others, (True,) * len(others))


def test_a_square_with_more_lines_than_it_needs() -> None:
    lines = lines_of("0 <= x1 <= 1; 0 <= x2 <= 1; x1 + x2 <= 5; x1 <= 1")
    patterns = {cell.pattern for cell in arrangement_of(lines).cells}
    assert redundant_units(patterns) == (1, 4, 5)
    assert units_to_keep(patterns) == (0, 1, 2, 3)
    assert contradicting_units(patterns) == ()
