"""Steps, intervals, neurons and networks by hand."""

from fractions import Fraction

import pytest

from heldout.anatomy.regions.threshold_units import Interval, Network, Neuron, Step
from make_regions import WRITE_UP, ZERO_ONE, lines_of

HALF = Fraction(1, 2)


def test_the_two_conventions_differ_at_zero_alone() -> None:
    assert [Step.AT_ZERO.fires(Fraction(z)) for z in (-1, 0, 1)] == [False, True, True]
    assert [Step.ABOVE_ZERO.fires(Fraction(z)) for z in (-1, 0, 1)] == [False, False, True]


@pytest.mark.parametrize("low_closed", [True, False])
@pytest.mark.parametrize("high_closed", [True, False])
def test_the_ends_of_an_interval(low_closed: bool, high_closed: bool) -> None:
    ends = Interval(-HALF, HALF, low_closed=low_closed, high_closed=high_closed)
    assert (-HALF in ends, HALF in ends) == (low_closed, high_closed)
    assert all(number in ends for number in (Fraction(0), Fraction(499, 1000), Fraction(-499, 1000)))
    assert not any(number in ends for number in (Fraction(501, 1000), Fraction(-501, 1000)))
    assert ends.middle == 0
    assert ends.length == 1


def test_an_interval_may_go_on_for_ever() -> None:
    below = Interval(None, HALF, low_closed=False, high_closed=True)
    above = Interval(HALF, None, low_closed=True, high_closed=False)
    assert (str(below), str(above)) == ("(-infinity, 0.5]", "[0.5, infinity)")
    assert (below.middle, above.length) == (None, None)
    assert Fraction(-(10**9)) in below
    assert Fraction(10**9) in above
    assert Fraction(1) not in below


def test_a_network_of_two_layers_by_hand() -> None:
    band = Network(
        lines_of("x1 >= 0; x1 >= 1"),
        ZERO_ONE,
        Step.AT_ZERO,
        ((Neuron((Fraction(2), Fraction(-2)), Fraction(-1)),),),
    )
    answers = [band.answers_at((Fraction(x), Fraction(7))) for x in ("-0.1", "0", "0.999", "1", "2")]
    assert answers == [False, True, True, False, False]


def test_a_hidden_layer_gives_out_the_values_of_its_units() -> None:
    # Two neurons in between: h1 alone, h2 alone; then one of them.
    one, other = (
        Neuron((Fraction(1), Fraction(-1)), Fraction("-0.15")),
        Neuron((Fraction(-1), Fraction(1)), Fraction("-0.15")),
    )
    last = Neuron((Fraction(1), Fraction(1)), Fraction("-0.55"))
    exclusive = Network(lines_of("x1 >= 0; x2 >= 0"), WRITE_UP, Step.ABOVE_ZERO, ((one, other), (last,)))
    answers = {
        pattern: exclusive.answers(pattern) for pattern in [(False, False), (True, False), (False, True), (True, True)]
    }
    assert list(answers.values()) == [False, True, True, False]
