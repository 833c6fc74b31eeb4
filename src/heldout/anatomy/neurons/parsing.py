"""Text -> `Neuron`: Python's own parser makes a tree of it, and nothing of it is ever run."""

import ast
import warnings
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from heldout.anatomy.neurons.neurons import Activation, Bell, Neuron, Quadratic, quadratic_of
from heldout.anatomy.neurons.polynomials import Polynomial
from heldout.anatomy.neurons.reading import CONSTANTS, FUNCTIONS, Reading, Value, bounded
from heldout.errors import UsageError, nearest

MAX_LENGTH = 500
UNDERSTOOD = (
    "exp(-(w1*x1^2 + w2*x2^2)) + b, also shifted, turned or scaled; w1*x1 + w2*x2 + b; a polynomial of second degree "
    "in x1 and x2; each alone or within step, sign, sigmoid, tanh or relu, such as 0.3*step(x1 - 2*x2 + 1) + 0.2"
)
# How formulas are set elsewhere -> how they are typed.
_TYPED = str.maketrans(
    {"−": "-", "–": "-", "·": "*", "×": "*", "^": "**", "²": "**2", "₁": "1", "₂": "2", "\n": " ", "\t": " "}
)
_PAIRS = (("x1", "x2"), ("x", "y"))


def parse_neuron(text: str, *, at: Mapping[str, Fraction] | None = None) -> Neuron:
    """The neuron that an expression says.

    Args:
        text: Such as `exp(-(w1*x1^2 + w2*x2^2)) + b`. Inputs are x1 and x2, or x and y; every other name is a
            parameter. `^` is a power. `z = ...` may stand before it, and `left = right` is left - right.
        at: The numbers of parameters.

    Raises:
        UsageError: It is none of the neurons that are understood, or `at` names what is not in it.

    Example:
        >>> neuron = parse_neuron("exp(-(x1^2 + w*x2^2)) + b", at={"b": Fraction(-1, 2)})
        >>> neuron.kind, neuron.names
        ('bell', ('w',))
    """
    at = at or {}
    try:
        typed = _one_side(_checked(text).translate(_TYPED).strip())
        tree = _tree_of(typed)
        names = _names_in(tree)
        inputs = next((pair for pair in _PAIRS if names & set(pair)), None)
        if inputs is None:
            raise ValueError("there is neither x1 nor x2 in it" + _glued(names))
        reading = Reading(typed, inputs, dict(at))
        value = reading.value(tree)
        neuron = _neuron_of(value, text, inputs)
    except ValueError as error:
        if isinstance(error, UsageError):
            raise
        raise _not_understood(text, str(error)) from None
    _check_given(at, names, inputs)
    nonzero = frozenset(reading.divisors)
    return replace(neuron, at=tuple(sorted(at.items())), nonzero=nonzero, is_rounded=reading.is_rounded)


def parse_number(text: str, *, what: str) -> Fraction:
    """The number that a text says, exactly: 0.1 is one tenth; sums, fractions and exp(1) may be written too.

    Args:
        text: Such as `-0.5`, `1/3` or `-1 + 1e-12`.
        what: What it is a number of, for the message.

    Raises:
        UsageError: It is none, or one beyond 10^-100 to 10^100.

    Example:
        >>> parse_number("-1 + 1e-3", what="b")
        Fraction(-999, 1000)
    """
    reason = "there is a name in it"
    try:
        typed = _checked(text).translate(_TYPED).strip()
        value = Reading(typed, ("", ""), {}).value(_tree_of(typed))
        if value.is_plain and value.rest.is_number:
            return bounded(value.rest.value)
    except ValueError as error:
        reason = error.what if isinstance(error, UsageError) else str(error)
    raise UsageError(
        f"{what} is {_short(text)!r}: {reason}",
        expected="a number, such as -0.5, 1/3 or 2e-3",
        fix=f"write a number for {what}",
    )


def _neuron_of(value: Value, text: str, inputs: tuple[str, str]) -> Neuron:
    if value.function in {"", "exp"}:
        return Neuron(text, inputs, _body_of(value, inputs))
    if value.rest.names & set(inputs):
        raise ValueError(f"something with inputs in it is added to {value.function}(...)")
    assert value.inside is not None, "a function is of something"
    return Neuron(text, inputs, _body_of(value.inside, inputs), Activation(value.function, value.scale, value.rest))


def _body_of(value: Value, inputs: tuple[str, str]) -> Quadratic | Bell:
    if value.is_plain:
        return _second_degree(value.rest, inputs, "it is a polynomial of a higher degree than the second")
    assert value.inside is not None, "exp is of something"
    exponent = _second_degree(-value.inside.rest, inputs, "exp is of a polynomial of a higher degree than the second")
    if value.rest.names & set(inputs):
        raise ValueError("something with inputs in it is added to exp(...)")
    return Bell(value.scale, exponent, value.rest)


def _second_degree(polynomial: Polynomial, inputs: tuple[str, str], otherwise: str) -> Quadratic:
    found = quadratic_of(polynomial, inputs)
    if found is None:
        raise ValueError(otherwise)
    return found


def _checked(text: str) -> str:
    if not text.strip():
        raise ValueError("nothing is written")
    if len(text) > MAX_LENGTH:
        raise ValueError(f"{len(text):,} characters are more than {MAX_LENGTH}")
    return text


def _one_side(typed: str) -> str:
    """The expression without the `z =` before it; of `left = right` the difference."""
    left, equals, right = (part.strip() for part in typed.partition("="))
    if not equals:
        return typed
    right = right.removeprefix("=")
    sides = _tree_of(left), _tree_of(right)  # alone, so that no bracket reaches over
    is_output = isinstance(sides[0], ast.Name) and left not in _inputs_beside(_names_in(sides[1]))
    return right if is_output else f"({left}) - ({right})"


def _inputs_beside(names: frozenset[str]) -> set[str]:
    """What the left side of an equation may not be to be the name of the output, given the names on the right."""
    return {"x1", "x2"} if names & {"x1", "x2"} else {"x1", "x2", "x", "y"}


def _tree_of(typed: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as of `2or 3`, which is refused later
            return ast.parse(typed.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ValueError("it is no formula; every product needs its *, every ( its )") from None


def _names_in(tree: ast.expr) -> frozenset[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return frozenset(names - FUNCTIONS - CONSTANTS.keys())


def _glued(names: frozenset[str]) -> str:
    """What to say of names that look like products."""
    glued = sorted(each for each in names if len(each) > 2 and (each.endswith(("x1", "x2"))))
    return f" ({', '.join(glued[:3])}: a product is written with *, such as w1*x1)" if glued else ""


def _check_given(at: Mapping[str, Fraction], names: frozenset[str], inputs: tuple[str, str]) -> None:
    parameters = names - set(inputs)
    for each in at:
        if each in inputs:
            raise UsageError(
                f"{each} is given a number, and it is an input",
                expected="numbers for parameters alone",
                fix="name a point of the plane by --point (`point=` in Python), such as --point 1,2",
            )
        if each not in parameters:
            raise UsageError(
                f"{_short(each)!r} is given a number, and it is not in the expression{nearest(each, parameters)}",
                expected=f"one of {', '.join(sorted(parameters))}" if parameters else "no numbers: no name is left",
                fix="leave it out, or write it into the expression",
            )
        try:
            bounded(at[each])
        except ValueError as error:
            raise UsageError(
                f"{each} is about 10^{len(str(abs(at[each].numerator))) - len(str(at[each].denominator))}: {error}",
                expected="0, or a number between 10^-100 and 10^100 in size",
                fix=f"give {each} such a number",
            ) from None


def _not_understood(text: str, reason: str) -> UsageError:
    return UsageError(
        f"{_short(text)!r} is not understood: {reason}",
        expected=UNDERSTOOD,
        fix="rewrite it as one of these, or name the folder of a run on a table of two columns of numbers",
    )


def _short(text: str) -> str:
    return text if len(text) <= 100 else text[:97] + "..."
