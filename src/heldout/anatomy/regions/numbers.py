"""Exact numbers: decimals and fractions as they were typed, without a rounding, and back into text."""

import re
from fractions import Fraction

from heldout.errors import UsageError

Point = tuple[Fraction, Fraction]

# Far beyond what a plane is drawn in, and small enough that exact arithmetic stays quick and floats can hold it.
_MOST_DIGITS = 40
_MOST_EXPONENT = 20
_DECIMAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,3}))?")


def exact(number: str | float | Fraction, *, name: str = "the number") -> Fraction:
    """The number itself: `"0.2"` is one fifth, not the float beside it. A float counts as what it is printed as.

    Args:
        number: A decimal such as 0.2, -3 or 1e-3, or a quotient of two such as 1/3.
        name: What it is, for the message.

    Raises:
        UsageError: It is no such number, is not finite, or has more digits than can be meant.

    Example:
        >>> exact("0.2") + exact("1/3")
        Fraction(8, 15)
    """
    if isinstance(number, Fraction):
        return bounded(number, name=name)
    text = number.strip().replace("−", "-") if isinstance(number, str) else repr(float(number))
    above, slash, below = text.partition("/")
    parts = [_decimal(part.strip()) for part in ((above, below) if slash else (above,))]
    if any(part is None for part in parts) or (slash and not parts[1]):
        raise UsageError(
            f"{name} is {number!r}",
            expected=f"a decimal such as 0.2, -3 or 1e-3, or a quotient such as 1/3, of at most {_MOST_DIGITS} digits "
            f"and an exponent of at most {_MOST_EXPONENT}",
            fix="write it that way",
        )
    first, *second = [part for part in parts if part is not None]
    return bounded(first / second[0] if second else first, name=name)


def _decimal(text: str) -> Fraction | None:
    found = _DECIMAL.fullmatch(text) if len(text) <= _MOST_DIGITS + 5 and text.isascii() else None
    return Fraction(text) if found and abs(int(found[1] or 0)) <= _MOST_EXPONENT else None


def bounded(number: Fraction, *, name: str) -> Fraction:
    """The same number, if it is one that a plane can hold.

    Args:
        number: Any.
        name: What it is, for the message.

    Raises:
        UsageError: It is larger, or nearer to 0, than can be meant.
    """
    if number and not Fraction(1, 10**_MOST_EXPONENT) <= abs(number) <= 10**_MOST_EXPONENT:
        raise UsageError(
            f"{name} is about {'-' if number < 0 else ''}1e{_magnitude(number)}",
            expected=f"0, or a number between 1e-{_MOST_EXPONENT} and 1e{_MOST_EXPONENT} in size",
            fix="measure in another unit",
        )
    return number


def _magnitude(number: Fraction) -> int:
    return len(str(abs(number.numerator))) - len(str(number.denominator))


def decimals(number: Fraction) -> str | None:
    """The number as a decimal that ends, or None where there is none.

    Example:
        >>> decimals(Fraction(-5, 2)), decimals(Fraction(1, 3))
        ('-2.5', None)
    """
    rest, n_twos, n_fives = number.denominator, 0, 0
    while rest % 2 == 0:
        rest, n_twos = rest // 2, n_twos + 1
    while rest % 5 == 0:
        rest, n_fives = rest // 5, n_fives + 1
    if rest != 1:
        return None
    n_places = max(n_twos, n_fives)
    digits = str(abs(number.numerator) * 10**n_places // number.denominator).rjust(n_places + 1, "0")
    sign = "-" if number < 0 else ""
    return f"{sign}{digits[:-n_places]}.{digits[-n_places:]}" if n_places else f"{sign}{digits}"


def plain(number: Fraction) -> str:
    """The exact number as text: a decimal where one ends, else a quotient.

    Example:
        >>> plain(Fraction(1, 4)), plain(Fraction(-2, 3)), plain(Fraction(7))
        ('0.25', '-2/3', '7')
    """
    return decimals(number) or str(number)


def latex(number: Fraction) -> str:
    r"""The exact number as LaTeX.

    Example:
        >>> print(latex(Fraction(-2, 3)))
        -\frac{2}{3}
    """
    sign = "-" if number < 0 else ""
    return decimals(number) or rf"{sign}\frac{{{abs(number.numerator)}}}{{{number.denominator}}}"
