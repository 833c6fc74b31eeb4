"""The operations that a computation graph is made of: what each does to numbers, and under which name it is counted."""

import math
from collections.abc import Callable
from dataclasses import dataclass

Number = int | float


@dataclass(frozen=True, slots=True)
class Operation:
    """One elementary operation.

    Attributes:
        name: Short and stable: `multiply`.
        words: As a table names it: `multiplication`.
        kind: Under which it is counted: `multiplications`; a function is counted under its own name.
        value: What it does to numbers.
        is_function: Whether an expression calls it by its name.
        kinks_at_zero: Whether it has no derivative where its operand is 0.
    """

    name: str
    words: str
    kind: str
    value: Callable[..., Number]
    is_function: bool = False
    kinks_at_zero: bool = False


def handy(number: Number) -> Number:
    """The same number; a whole one that a double cannot hold exactly becomes a double, so that none grows without end.

    Example:
        >>> handy(3), handy(10**20), handy(10**400)
        (3, 1e+20, inf)
    """
    if isinstance(number, float) or abs(number) <= 2**53:
        return number
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def sigmoid(z: float) -> float:
    """1 / (1 + e^-z), without overflow on either side.

    Example:
        >>> sigmoid(0), sigmoid(-1000.0)
        (0.5, 0.0)
    """
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def softplus(z: float) -> float:
    """The logarithm of 1 + e^z, without overflow.

    Example:
        >>> softplus(1000.0)
        1000.0
    """
    return max(z, 0.0) + math.log1p(math.exp(-abs(z)))


def _power(base: float, exponent: float) -> float:
    # Floats throughout: whole numbers would be computed to any length.
    result: float | complex = float(base) ** float(exponent)
    if isinstance(result, complex):
        raise ValueError("a negative number has no real power with a broken exponent")
    return result


def _function(name: str, value: Callable[[float], Number], *, kinks_at_zero: bool = False) -> Operation:
    return Operation(name, name, name, value, is_function=True, kinks_at_zero=kinks_at_zero)


_ALL = (
    Operation("add", "addition", "additions", lambda a, b: a + b),
    Operation("subtract", "subtraction", "subtractions", lambda a, b: a - b),
    Operation("multiply", "multiplication", "multiplications", lambda a, b: a * b),
    # A square is the product of a number with itself: one multiplication.
    Operation("square", "square", "multiplications", lambda a: a * a),
    Operation("divide", "division", "divisions", lambda a, b: a / b),
    Operation("power", "power", "powers", _power),
    Operation("negate", "sign change", "sign changes", lambda a: -a),
    # The slopes of relu and abs; at the kink both are 0, as in torch.
    Operation("step", "comparison with 0", "comparisons", lambda a: 1 if a > 0 else 0),
    Operation("sign", "sign", "comparisons", lambda a: (a > 0) - (a < 0)),
    _function("exp", math.exp),
    _function("log", math.log),
    _function("sqrt", math.sqrt),
    _function("sin", math.sin),
    _function("cos", math.cos),
    _function("tan", math.tan),
    _function("tanh", math.tanh),
    _function("sigmoid", sigmoid),
    _function("softplus", softplus),
    _function("relu", lambda a: a if a > 0 else 0, kinks_at_zero=True),
    _function("abs", abs, kinks_at_zero=True),
)
OPERATIONS = {each.name: each for each in _ALL}
# In the order in which tables show them.
KINDS = tuple(dict.fromkeys(each.kind for each in _ALL))
ALIASES = {"ln": "log", "logistic": "sigmoid", "σ": "sigmoid", "ReLU": "relu", "Abs": "abs"}
FUNCTIONS = tuple(sorted(each.name for each in _ALL if each.is_function))
CONSTANTS = {"pi": math.pi, "π": math.pi}
