"""Sums and inequalities, read back as Python reads them."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.regions.threshold_layers import Term
from heldout.anatomy.regions.threshold_units import Interval, Step
from heldout.explaining.regions.words import (
    inequality,
    interval_formula,
    neuron_formula,
    sum_formula,
    term_words,
    unit_words,
)
from make_regions import MINUS_PLUS, WRITE_UP, ZERO_ONE, half_plane

numbers = st.fractions(-9, 9, max_denominator=4)


@given(st.lists(numbers, min_size=2, max_size=2), numbers)
@settings(max_examples=40, deadline=None)
def test_a_sum_says_its_weights(weights: list[Fraction], constant: Fraction) -> None:
    text = sum_formula(weights, ["u", "v"], constant).plain
    read = text.replace(" u", "*u").replace(" v", "*v").replace("-*", "-").replace("+*", "+")
    for u, v in ((0, 0), (1, 0), (3, -7)):
        expected = weights[0] * u + weights[1] * v + constant
        assert abs(eval(read, {"u": u, "v": v}) - float(expected)) < 1e-9


@given(st.integers(-5, 5), st.integers(-5, 5), st.integers(-5, 5))
@settings(max_examples=40, deadline=None)
def test_an_inequality_is_that_of_its_half_plane(first: int, second: int, bias: int) -> None:
    if not (first or second):
        return
    for step in Step:
        one = half_plane(first, second, bias)
        text = inequality(one, step).plain
        for a, b in ((0, 0), (1, 2), (-3, 1), (5, -5)):
            read = text.replace(" x1", "*x1").replace(" x2", "*x2").replace("+*", "+").replace("-*", "-")
            assert eval(read, {"x1": a, "x2": b}) == step.fires(one.at((Fraction(a), Fraction(b))))


def test_long_sums_of_equal_terms_are_cut_short_and_others_wrapped() -> None:
    names = [f"h{number}" for number in range(1, 25)]
    equal = sum_formula([Fraction(-1)] * 24, names, "b")
    assert equal.plain == "-h1 - h2 - ... - h24 + b"
    assert equal.latex == r"-h_{1} - h_{2} - \ldots - h_{24} + b"
    wrapped = neuron_formula("y", sum_formula([Fraction(number) for number in range(1, 25)], names, "b")).plain
    assert max(map(len, wrapped.splitlines())) <= 90
    assert " ".join(wrapped.split()).count("h") == 24


def test_intervals_units_and_terms() -> None:
    assert interval_formula(Interval(None, Fraction(-1, 3), low_closed=False, high_closed=True)).latex == (
        r"b \in (-\infty,\, -\frac{1}{3}]"
    )
    assert [unit_words(values) for values in (ZERO_ONE, MINUS_PLUS, WRITE_UP)] == [
        "H(z)",
        "-1 + 2 H(z)",
        "0.2 + 0.3 H(z)",
    ]
    assert term_words(Term((1,), (0, 2)), ["h1", "h2", "h3"]) == "not h1 and h2 and not h3"
    assert term_words(Term((), ()), []) == "always"
    assert sum_formula([Fraction(0)], ["h1"]).plain == "0"
