"""What `heldout explain neuron` is asked beside its expression: numbers of names, and points."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from heldout.anatomy.neurons.facts import ExactPoint
from heldout.anatomy.neurons.parsing import parse_number
from heldout.anatomy.neurons.reading import bounded
from heldout.errors import UsageError

Number = int | float | str | Fraction
PointLike = str | Sequence[Number]
_MOST_POINTS = 100
_LONGEST = 80


def read_numbers(at: str | Mapping[str, Number] | None) -> dict[str, Fraction]:
    """The numbers that names are given, exactly.

    Raises:
        UsageError: It is not of the form name=number,name=number.

    Example:
        >>> read_numbers("w1=1, b=-0.5")
        {'w1': Fraction(1, 1), 'b': Fraction(-1, 2)}
    """
    if at is None:
        return {}
    pairs = [tuple(pair.partition("=")[::2]) for pair in at.split(",")] if isinstance(at, str) else list(at.items())
    found: dict[str, Fraction] = {}
    for word, value in pairs:
        name = str(word).strip()
        if not name.isidentifier() or (isinstance(value, str) and not value.strip()) or name in found:
            reason = "it is given twice" if name in found else "that is no name with a number"
            raise UsageError(
                f"at is {shortened(str(at))!r}: {reason} ({shortened(name)!r})",
                expected="names with a number each, such as w1=1,w2=2,b=-0.5",
                fix="write it so",
            )
        found[name] = read_number(value, name)
    return found


def read_number(value: Number, what: str) -> Fraction:
    """A number, exactly: a float as the decimal that is shown for it.

    Args:
        value: Such as -0.5, "1/3" or "-1 + 1e-12".
        what: What it is a number of.

    Raises:
        UsageError: It is none, is not finite, or is beyond 10^-100 to 10^100.

    Example:
        >>> read_number(0.1, "b")
        Fraction(1, 10)
    """
    if isinstance(value, str):
        return parse_number(value, what=what)
    try:
        if isinstance(value, bool):
            raise ValueError
        # A numpy number is made a float; a fraction and an integer stay what they are.
        exact = value if isinstance(value, int | Fraction) else Fraction(Decimal(repr(float(value))))
        return bounded(Fraction(exact))
    except (ValueError, TypeError, OverflowError, ArithmeticError):
        raise UsageError(
            f"{what} is {shortened(repr(value))}",
            expected="a finite number, 0 or between 10^-100 and 10^100 in size",
            fix=f"give {what} such a number",
        ) from None


def read_point(given: PointLike, what: str) -> ExactPoint:
    """A point, exactly.

    Args:
        given: Two numbers, or `1,2`.
        what: What it is a point of.

    Raises:
        UsageError: It is not two numbers.

    Example:
        >>> read_point("1, -0.5", "point")
        (Fraction(1, 1), Fraction(-1, 2))
    """
    try:
        parts = given.split(",") if isinstance(given, str) else list(given)
    except TypeError:
        raise _no_point(given, what) from None
    if len(parts) != 2:
        raise _no_point(given, what)
    return read_number(parts[0], what), read_number(parts[1], what)


def read_points(given: PointLike | Sequence[PointLike] | None) -> tuple[ExactPoint, ...]:
    """One point or several.

    Raises:
        UsageError: One is none, or there are more than 100.
    """
    if given is None:
        return ()
    try:
        is_one = isinstance(given, str) or not any(hasattr(each, "__len__") for each in given)
        points: Sequence[Any] = [given] if is_one else given
        n_points = len(points)
    except TypeError:
        raise _no_point(given, "point") from None
    if n_points > _MOST_POINTS:
        raise UsageError(
            f"{n_points:,} points are given", expected=f"at most {_MOST_POINTS}", fix="ask for fewer at once"
        )
    return tuple(read_point(each, "point") for each in points)


def shortened(text: str) -> str:
    """A text as messages and titles show it."""
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."


def _no_point(given: object, what: str) -> UsageError:
    return UsageError(
        f"{what} is {shortened(str(given))!r}",
        expected="two numbers, such as 1,2",
        fix="write x1, a comma, and x2",
    )
