"""Arithmetic on the places of a tape, as the rules of differentiation need it.

Nothing is written that costs nothing: a product with 1, a sum with 0, arithmetic between numbers. A sign is kept beside
a place and moved along for free; it costs an operation only where a result has to be negative in the end.
"""

from dataclasses import dataclass

from heldout.anatomy.graphs.graph import Tape
from heldout.anatomy.graphs.operations import Number


@dataclass(frozen=True, slots=True)
class Signed:
    """What stands at a place of a tape, or the negative of it."""

    place: int
    negative: bool = False

    def __neg__(self) -> "Signed":
        return Signed(self.place, not self.negative)


def number(tape: Tape, value: Number) -> Signed:
    """A number."""
    return Signed(tape.number(abs(value)), value < 0)


def times(tape: Tape, left: Signed, right: Signed) -> Signed:
    """The product."""
    negative = left.negative != right.negative
    a, b = _number_at(tape, left), _number_at(tape, right)
    if a is not None and b is not None:
        return Signed(tape.number(a * b), negative)
    if 0 in (a, b):
        return Signed(tape.number(0))
    if a == 1 or b == 1:
        return Signed(right.place if a == 1 else left.place, negative)
    return Signed(tape.apply("multiply", left.place, right.place), negative)


def divided(tape: Tape, above: Signed, below: Signed) -> Signed:
    """The quotient."""
    negative = above.negative != below.negative
    a, b = _number_at(tape, above), _number_at(tape, below)
    if a == 0:
        return Signed(tape.number(0))
    if b == 1:
        return Signed(above.place, negative)
    return Signed(tape.apply("divide", above.place, below.place), negative)


def plus(tape: Tape, left: Signed, right: Signed) -> Signed:
    """The sum; of opposite signs it is one subtraction."""
    a, b = _number_at(tape, left), _number_at(tape, right)
    if a == 0 or b == 0:
        return right if a == 0 else left
    if a is not None and b is not None:
        return number(tape, (-a if left.negative else a) + (-b if right.negative else b))
    if left.place == right.place:
        return times(tape, number(tape, 2 if left.negative == right.negative else 0), left)
    if left.negative == right.negative:
        return Signed(tape.apply("add", left.place, right.place), left.negative)
    first, second = (right, left) if left.negative else (left, right)
    return Signed(tape.apply("subtract", first.place, second.place))


def whole(tape: Tape, signed: Signed) -> int:
    """A place with the value, sign and all: here a sign costs an operation."""
    if not signed.negative:
        return signed.place
    value = _number_at(tape, signed)
    return tape.apply("negate", signed.place) if value is None else tape.number(-value)


def _number_at(tape: Tape, signed: Signed) -> Number | None:
    node = tape.nodes[signed.place]
    return node.number if node.operation == "number" else None
