"""The tree of an expression -> what it comes to: rest + scale * function(inside), exactly; anything else is refused.

Faults of the expression are `ValueError`s with a reason; `neuron_parsing` makes the message of them.
"""

import ast
import math
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Optional

from heldout.anatomy.neurons.polynomials import MAX_POWER, ONE, ZERO, Polynomial, name, number
from heldout.errors import nearest

MAX_DEPTH = 60
# A number is 0 or lies between 10^-100 and 10^100: its square and its inverse are floats then.
MAX_TEN = 100
_ACTIVATIONS = {
    "step": "step",
    "heaviside": "step",
    "H": "step",
    "sign": "sign",
    "sgn": "sign",
    "sigmoid": "sigmoid",
    "logistic": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "ReLU": "relu",
}
_OF_NUMBERS = {"exp": math.exp, "ln": math.log, "log": math.log, "sqrt": math.sqrt}
FUNCTIONS = frozenset({*_ACTIVATIONS, *_OF_NUMBERS, "max"})
CONSTANTS = {"pi": math.pi, "e": math.e}
_NO_NUMBERS = {"nan", "inf", "infinity"}


@dataclass(frozen=True, slots=True)
class Value:
    """What a part of an expression comes to: rest + scale * function(inside).

    Attributes:
        rest: What is added.
        scale: 0 where there is no function.
        function: `exp`, an activation, or empty.
        inside: What the function is of.
    """

    rest: Polynomial
    scale: Polynomial = ZERO
    function: str = ""
    inside: Optional["Value"] = None

    @property
    def is_plain(self) -> bool:
        """Whether it is a polynomial alone."""
        return not self.function


_MINUS, _NOTHING = Value(number(-1)), Value(ZERO)


@dataclass(slots=True)
class Reading:
    """Goes through one tree.

    Attributes:
        typed: The text that the tree was made of.
        inputs: The names of the inputs.
        at: The numbers of other names.
        is_rounded: Whether a constant such as pi was met, which is no fraction.
        divisors: The names that something is divided by.
    """

    typed: str
    inputs: tuple[str, str]
    at: dict[str, Fraction]
    is_rounded: bool = False
    divisors: set[str] = field(default_factory=set)

    def value(self, node: ast.expr, depth: int = 0) -> Value:
        """What a node comes to.

        Raises:
            ValueError: It is not understood; says why.
        """
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
        match node:
            case ast.Constant():
                return Value(number(_literal(node, self.typed)))
            case ast.Name():
                return self._name(node.id)
            case ast.UnaryOp(op=ast.UAdd()):
                return self.value(node.operand, depth + 1)
            case ast.UnaryOp(op=ast.USub()):
                return self._product(_MINUS, self.value(node.operand, depth + 1))
            case ast.BinOp():
                left, right = (self.value(each, depth + 1) for each in (node.left, node.right))
                return self._combined(node.op, left, right)
            case ast.Call(func=ast.Name(id=word), keywords=[]):
                names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
                has_inputs = bool(names & set(self.inputs))
                return self._call(word, [self.value(each, depth + 1) for each in node.args], has_inputs=has_inputs)
        raise ValueError(f"{ast.unparse(node)[:40]!r} is no part of a formula")

    def _name(self, word: str) -> Value:
        if word in FUNCTIONS:
            raise ValueError(f"{word} is a function: write {word}(...)")
        if word in self.at:
            return Value(number(self.at[word]))
        if word in CONSTANTS:
            self.is_rounded = True
            return Value(number(Fraction(CONSTANTS[word])))
        if word.lower() in _NO_NUMBERS:
            raise ValueError(f"{word} is no number that can be used")
        return Value(name(word))

    def _combined(self, operation: ast.operator, left: Value, right: Value) -> Value:
        match operation:
            case ast.Add():
                return self._sum(left, right)
            case ast.Sub():
                return self._sum(left, self._product(_MINUS, right))
            case ast.Mult():
                return self._product(left, right)
            case ast.Div():
                return self._quotient(left, right)
            case ast.Pow():
                return self._power(left, right)
        raise ValueError("only + - * / and ^ are understood between two things")

    def _sum(self, left: Value, right: Value) -> Value:
        rest = left.rest + right.rest
        if left.is_plain or right.is_plain:
            return replace(right if left.is_plain else left, rest=rest)
        if (left.function, left.inside) != (right.function, right.inside):
            raise ValueError(f"{left.function}(...) and another {right.function}(...) are added")
        return _tidied(replace(left, rest=rest, scale=left.scale + right.scale))

    def _product(self, left: Value, right: Value) -> Value:
        if left.is_plain and right.is_plain:
            return Value(left.rest * right.rest)
        if _is_exponential(left) and _is_exponential(right):
            inside = self._sum(left.inside or _NOTHING, right.inside or _NOTHING)
            return replace(left, scale=left.scale * right.scale, inside=inside)
        by, value = (left, right) if left.is_plain else (right, left)
        if not by.is_plain or by.rest.names & set(self.inputs):
            raise ValueError(f"{value.function}(...) is multiplied by something with inputs in it")
        return _tidied(replace(value, rest=by.rest * value.rest, scale=by.rest * value.scale))

    def _quotient(self, left: Value, right: Value) -> Value:
        if right == _NOTHING:
            raise ValueError("something is divided by 0")
        if right.function == "exp" and (right.rest, right.scale) == (ONE, ONE) and right.inside is not None:
            # 1 / (1 + exp(-z)) is the sigmoid of z.
            return self._product(left, Value(ZERO, ONE, "sigmoid", self._product(_MINUS, right.inside)))
        if not right.is_plain or right.rest.names & set(self.inputs):
            raise ValueError("something is divided by what has inputs in it")
        self.divisors |= right.rest.names
        inverse = ONE.divided_by(right.rest)
        if inverse is None:
            raise ValueError("something is divided by a sum of names")
        return self._product(left, Value(inverse))

    def _power(self, base: Value, exponent: Value) -> Value:
        is_whole = exponent.is_plain and exponent.rest.is_number and exponent.rest.value.denominator == 1
        if not is_whole or abs(exponent.rest.value) > MAX_POWER:
            raise ValueError(f"a power is no whole number from -{MAX_POWER} to {MAX_POWER}")
        times = int(exponent.rest.value)
        found = Value(ONE)
        for _ in range(abs(times)):
            found = self._product(found, base)
        return self._quotient(Value(ONE), found) if times < 0 else found

    def _call(self, word: str, values: list[Value], *, has_inputs: bool) -> Value:
        if word == "max" and len(values) == 2 and _NOTHING in values:  # relu, as it is often written
            values.remove(_NOTHING)
            word = "relu"
        if word not in FUNCTIONS - {"max"}:
            raise ValueError(f"there is no function {word[:40]!r} here{nearest(word, FUNCTIONS)}")
        if len(values) != 1:
            raise ValueError(f"{word} is of one thing, not of {len(values)}")
        (inside,) = values
        if word in _ACTIVATIONS:
            if inside.is_plain or inside.function == "exp":
                return Value(ZERO, ONE, _ACTIVATIONS[word], inside)
            raise ValueError(f"{word} is of {inside.function}(...)")
        if word == "exp" and inside.is_plain and has_inputs:
            return Value(ZERO, ONE, "exp", inside)  # also where weights of 0 have taken the inputs out
        if inside.is_plain and inside.rest.is_number:
            return Value(number(self._of_number(word, inside.rest.value)))
        raise ValueError(
            f"{word} is of something else than {'a polynomial of inputs' if word == 'exp' else 'a number'}"
        )

    def _of_number(self, word: str, value: Fraction) -> Fraction:
        if word == "sqrt" and value >= 0:
            root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
            if root**2 == value:
                return root
        if value == (word != "exp"):  # exp(0) and ln(1)
            return Fraction(1 - value)
        try:
            found = bounded(Fraction(_OF_NUMBERS[word](float(value))))
        except (ValueError, OverflowError):
            raise ValueError(f"{word}({float(value):.6g}) is no number that can be used") from None
        self.is_rounded = True
        return found


def bounded(value: Fraction) -> Fraction:
    """The number itself.

    Raises:
        ValueError: It is not 0, and beyond 10^-100 to 10^100.
    """
    if value and not Fraction(1, 10**MAX_TEN) <= abs(value) <= 10**MAX_TEN:
        raise ValueError(f"a number is beyond 10^-{MAX_TEN} to 10^{MAX_TEN}")
    return value


def _literal(node: ast.Constant, typed: str) -> Fraction:
    """A number as it was typed: 0.1 is one tenth, and no digit is lost."""
    if isinstance(node.value, bool) or not isinstance(node.value, int | float):
        raise ValueError(f"{str(node.value)[:40]!r} is no number")
    try:
        found = Decimal(ast.get_source_segment(typed, node) or "")
    except InvalidOperation:
        raise ValueError("a number is not written in decimals") from None
    # Asked of the exponent: 1e999999999 as a fraction would have so many digits.
    if found and abs(found.adjusted()) > MAX_TEN:
        raise ValueError(f"a number is beyond 10^-{MAX_TEN} to 10^{MAX_TEN}")
    return Fraction(found)


def _is_exponential(value: Value) -> bool:
    return value.function == "exp" and value.rest.is_zero


def _tidied(value: Value) -> Value:
    """The value without a function that is multiplied by 0."""
    return Value(value.rest) if value.scale.is_zero else value
