"""Arithmetic that writes nothing that costs nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.graphs.arithmetic import Signed, divided, number, plus, times, whole
from heldout.anatomy.graphs.graph import Tape, values_of


def _tape() -> tuple[Tape, Signed, Signed]:
    tape = Tape()
    return tape, Signed(tape.input("a")), Signed(tape.input("b"))


def test_ones_and_zeros_and_numbers_cost_nothing() -> None:
    tape, a, _ = _tape()
    one, zero, two = number(tape, 1), number(tape, 0), number(tape, -2)
    assert times(tape, a, one) == times(tape, one, a) == divided(tape, a, one) == plus(tape, a, zero) == a
    assert times(tape, a, -one) == -a
    assert plus(tape, zero, -a) == -a
    assert times(tape, a, zero) == divided(tape, zero, a) == plus(tape, a, -a) == zero
    assert times(tape, two, two) == number(tape, 4)
    assert plus(tape, two, one) == number(tape, -1)
    assert not [node for node in tape.nodes if node.is_operation]


def test_a_sign_is_moved_along_until_it_has_to_be_computed() -> None:
    tape, a, b = _tape()
    product = times(tape, -a, b)
    assert product.negative
    assert plus(tape, product, a) == Signed(tape.apply("subtract", a.place, product.place))
    assert plus(tape, product, -a).negative
    assert [node.operation for node in tape.nodes if node.is_operation] == ["multiply", "subtract", "add"]
    assert tape.nodes[whole(tape, product)].operation == "negate"
    assert tape.nodes[whole(tape, number(tape, -3))].number == -3
    assert whole(tape, a) == a.place


def test_what_is_added_to_itself_is_doubled() -> None:
    tape, a, _ = _tape()
    assert tape.nodes[plus(tape, a, a).place].operation == "multiply"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.tuples(st.sampled_from("*/+"), st.sampled_from([-2, -1, 0, 1, 3, "a", "b"]), st.booleans()), max_size=6)
)
def test_whatever_is_left_out_the_value_is_right(steps: list[tuple[str, int | str, bool]]) -> None:
    tape, a, b = _tape()
    point = {"a": 1.7, "b": -0.6}
    result, value = a, point["a"]
    for sign, operand, is_negated in steps:
        term = {"a": a, "b": b}[operand] if isinstance(operand, str) else number(tape, operand)
        amount = point[operand] if isinstance(operand, str) else float(operand)
        term, amount = (-term, -amount) if is_negated else (term, amount)
        if sign == "*":
            result, value = times(tape, result, term), value * amount
        elif sign == "+":
            result, value = plus(tape, result, term), value + amount
        elif amount:
            result, value = divided(tape, result, term), value / amount
    place = whole(tape, result)
    assert abs(values_of(tape.nodes, point)[place] - value) <= 1e-12 * max(1.0, abs(value))
