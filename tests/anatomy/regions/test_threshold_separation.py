"""Separation by one neuron, against all small whole weights, hand values, and the counts of the literature."""

from fractions import Fraction
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from heldout.anatomy.regions.threshold_separation import (
    SEPARABLE_FUNCTIONS,
    Certificate,
    certificate_of,
    certifies,
    count_separable,
    separating_weights,
)
from heldout.anatomy.regions.threshold_units import Pattern
from heldout.errors import HeldoutError

OFF_OFF, OFF_ON, ON_OFF, ON_ON = product((False, True), repeat=2)


def _sum(weights: tuple[Fraction, ...], pattern: Pattern) -> Fraction:
    return sum((weight for weight, fires in zip(weights, pattern, strict=True) if fires), Fraction(0))


def test_the_strip() -> None:
    assert separating_weights([ON_OFF], [OFF_OFF, ON_ON]) == (Fraction(2), Fraction(-2))


def test_exclusive_or_is_impossible_and_proved() -> None:
    wanted, unwanted = [ON_OFF, OFF_ON], [OFF_OFF, ON_ON]
    assert separating_weights(wanted, unwanted) is None
    found = certificate_of(wanted, unwanted)
    assert dict(found.wanted) == {ON_OFF: 1, OFF_ON: 1}
    assert dict(found.unwanted) == {OFF_OFF: 1, ON_ON: 1}
    assert (found.total, found.n_taken) == ((1, 1), 2)


def test_nothing_wanted_needs_no_weight() -> None:
    for wanted, unwanted in (([], [ON_ON]), ([ON_ON], [])):
        assert separating_weights(wanted, unwanted) == (Fraction(0), Fraction(0))


@pytest.mark.parametrize(("n_units", "most"), [(1, 1), (2, 1), (3, 2)])
def test_the_count_agrees_with_all_small_whole_weights(n_units: int, most: int) -> None:
    patterns = list(product((0, 1), repeat=n_units))
    functions = set()
    for weights in product(range(-most, most + 1), repeat=n_units):
        sums = [sum(w * v for w, v in zip(weights, pattern, strict=True)) for pattern in patterns]
        for doubled_bias in range(-2 * most * n_units - 1, 2 * most * n_units + 2, 2):
            functions.add(tuple(2 * total + doubled_bias > 0 for total in sums))
    assert count_separable(n_units) == len(functions) == SEPARABLE_FUNCTIONS[n_units - 1]


@pytest.mark.slow
def test_four_units_have_1882_separable_functions() -> None:
    assert count_separable(4) == 1882 == SEPARABLE_FUNCTIONS[3]


@given(
    st.integers(2, 5).flatmap(
        lambda n: st.dictionaries(st.tuples(*[st.booleans()] * n), st.booleans(), min_size=2, max_size=12)
    )
)
@settings(max_examples=25, deadline=None)
def test_either_weights_or_a_certificate_hold(answers: dict[Pattern, bool]) -> None:
    wanted = [pattern for pattern, answer in answers.items() if answer]
    unwanted = [pattern for pattern, answer in answers.items() if not answer]
    assume(wanted and unwanted)
    weights = separating_weights(wanted, unwanted)
    if weights is None:
        found = certificate_of(wanted, unwanted)
        # By hand: as many patterns on both sides, and each unit on equally often.
        left = [pattern for pattern, times in found.wanted for _ in range(times)]
        right = [pattern for pattern, times in found.unwanted for _ in range(times)]
        assert len(left) == len(right) >= 1
        assert [sum(column) for column in zip(*left, strict=True)] == [
            sum(column) for column in zip(*right, strict=True)
        ]
        assert set(left) <= set(wanted)
        assert set(right) <= set(unwanted)
    else:
        assert min(_sum(weights, pattern) for pattern in wanted) > max(_sum(weights, pattern) for pattern in unwanted)
        assert all(weight.denominator == 1 for weight in weights)
        with pytest.raises(HeldoutError, match="could not be verified"):
            certificate_of(wanted, unwanted)


def test_a_proof_that_needs_more_than_two_patterns_a_side() -> None:
    # Over all patterns of 9 units there are functions that are 2-summable no more; a small partial one is enough here:
    # three patterns with one unit each have the sum of 111 and of twice 000, and no two of them that of two others.
    wanted: list[Pattern] = [(True, False, False), (False, True, False), (False, False, True)]
    unwanted: list[Pattern] = [(True, True, True), (False, False, False)]
    assert separating_weights(wanted, unwanted) is None
    found = certificate_of(wanted, unwanted)
    assert dict(found.wanted) == dict.fromkeys(wanted, 1)
    assert dict(found.unwanted) == {unwanted[0]: 1, unwanted[1]: 2}


def test_large_weights_are_found_exactly() -> None:
    # A chain: unit k outweighs all before it together when they are on; weights grow like Fibonacci's numbers.
    patterns = list(product((False, True), repeat=5))
    weights = (1, 2, 4, 8, 16)
    wanted = [p for p in patterns if sum(w for w, fires in zip(weights, p, strict=True) if fires) >= 11]
    unwanted = [p for p in patterns if p not in wanted]
    found = separating_weights(wanted, unwanted)
    assert found is not None
    assert min(_sum(found, p) for p in wanted) - max(_sum(found, p) for p in unwanted) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        Certificate(((ON_OFF, 1),), ((OFF_OFF, 1),), (1, 0)),  # sums differ
        Certificate(((ON_OFF, 1), (OFF_ON, 1)), ((ON_ON, 1),), (1, 1)),  # not as many biases
        Certificate(((ON_OFF, 0),), ((OFF_OFF, 0),), (0, 0)),  # nothing taken
        Certificate(((ON_ON, 1), (OFF_OFF, 1)), ((ON_OFF, 1), (OFF_ON, 1)), (1, 1)),  # the sides are exchanged
        Certificate(((ON_OFF, 1), (OFF_ON, 1)), ((OFF_OFF, 1), (ON_ON, 1)), (1, 2)),  # a wrong total
    ],
)
def test_what_proves_nothing_is_no_certificate(wrong: Certificate) -> None:
    assert not certifies(wrong, [ON_OFF, OFF_ON], [OFF_OFF, ON_ON])
