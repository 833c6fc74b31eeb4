"""An OR of ANDs, asked about every pattern."""

from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from heldout.anatomy.regions.threshold_layers import covering_terms, layers_for
from heldout.anatomy.regions.threshold_units import Network, Pattern, Step, UnitValues
from make_regions import MINUS_PLUS, WRITE_UP, ZERO_ONE

answers_of = st.integers(1, 5).flatmap(
    lambda n: st.dictionaries(st.tuples(*[st.booleans()] * n), st.booleans(), min_size=1, max_size=20)
)


@given(answers_of, st.sampled_from([ZERO_ONE, MINUS_PLUS, WRITE_UP]), st.sampled_from(Step))
@settings(max_examples=40, deadline=None)
def test_the_layers_answer_as_they_should(answers: dict[Pattern, bool], values: UnitValues, step: Step) -> None:
    wanted = [pattern for pattern, answer in answers.items() if answer]
    unwanted = [pattern for pattern, answer in answers.items() if not answer]
    assume(wanted)
    found = layers_for(wanted, unwanted, values=values, step=step)
    assert len(found.terms) <= len(wanted)
    network = Network((), values, step, found.neurons)
    assert {pattern: network.answers(pattern) for pattern in answers} == answers


def test_neighbouring_cells_become_one_piece() -> None:
    patterns = list(product((True, False), repeat=3))
    wanted = [pattern for pattern in patterns if pattern[0]]
    (only,) = covering_terms(wanted, [pattern for pattern in patterns if not pattern[0]])
    assert (only.on, only.off) == ((0,), ())


def test_a_piece_that_the_others_hold_is_left_out() -> None:
    # Minato's classic: of the consensus ab + a'c + bc the last is not needed.
    patterns = list(product((True, False), repeat=3))
    wanted = [(a, b, c) for a, b, c in patterns if (a and b) or (not a and c)]
    terms = covering_terms(wanted, [pattern for pattern in patterns if pattern not in wanted])
    assert {(term.on, term.off) for term in terms} == {((0, 1), ()), ((2,), (0,))}


@pytest.mark.parametrize("step", Step)
def test_every_bias_of_an_and_is_right(step: Step) -> None:
    cells: list[Pattern] = [(True, False), (False, True), (True, True), (False, False)]
    found = layers_for(cells[:2], cells[2:], values=WRITE_UP, step=step)
    for term, readout in zip(found.terms, found.ands, strict=True):
        low, high = readout.interval.low, readout.interval.high
        assert low is not None
        assert high is not None
        sums = {pattern: readout.neuron.sum_of(WRITE_UP.of(pattern)) - readout.neuron.bias for pattern in cells}
        for bias in (low, (low + high) / 2, high):
            right = all(step.fires(total + bias) == term.holds(pattern) for pattern, total in sums.items())
            assert right == (bias in readout.interval)
