"""Polynomials of names with exact coefficients: what is left of a neuron's expression once it is multiplied out.

A power may be negative, as in 1 / (2 s^2); then the name is not 0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from heldout.errors import UsageError

# A name and its power, in the order of the names; powers are not 0.
Monomial = tuple[tuple[str, int], ...]
# Of one expression: what a person writes stays far below (assumed).
MAX_POWER, MAX_TERMS, MAX_BITS = 8, 200, 4096


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A sum of products of names.

    Attributes:
        terms: Coefficients other than 0 by what they stand before; () is what stands before nothing.

    Example:
        >>> x = name("x")
        >>> (x + number(1)).power(2) == x * x + number(2) * x + number(1)
        True
    """

    terms: Mapping[Monomial, Fraction]

    @property
    def is_number(self) -> bool:
        """Whether no name is left."""
        return all(not monomial for monomial in self.terms)

    @property
    def is_zero(self) -> bool:
        """Whether it is 0 whatever the names are."""
        return not self.terms

    @property
    def value(self) -> Fraction:
        """The number that it is; ask `is_number` before."""
        assert self.is_number, f"names are left: {self.names}"
        return self.terms.get((), Fraction(0))

    @property
    def names(self) -> frozenset[str]:
        """Every name in it."""
        return frozenset(each for monomial in self.terms for each, _ in monomial)

    @property
    def denominators(self) -> frozenset[str]:
        """The names below a fraction line."""
        return frozenset(each for monomial in self.terms for each, power in monomial if power < 0)

    def __add__(self, other: "Polynomial") -> "Polynomial":
        return _made([*self.terms.items(), *other.terms.items()])

    def __sub__(self, other: "Polynomial") -> "Polynomial":
        return self + -other

    def __neg__(self) -> "Polynomial":
        return Polynomial({monomial: -factor for monomial, factor in self.terms.items()})

    def __mul__(self, other: "Polynomial") -> "Polynomial":
        if len(self.terms) * len(other.terms) > MAX_TERMS * MAX_TERMS:
            raise _too_large()
        return _made(
            (_product(first, second), factor * other_factor)
            for first, factor in self.terms.items()
            for second, other_factor in other.terms.items()
        )

    def power(self, exponent: int) -> "Polynomial":
        """Itself so many times; 0 and more.

        Raises:
            UsageError: The power is too large to be multiplied out.
        """
        if exponent > MAX_POWER:
            raise _too_large()
        found = number(1)
        for _ in range(exponent):
            found = found * self
        return found

    def divided_by(self, other: "Polynomial") -> "Polynomial | None":
        """The quotient; None where the divisor is 0 or a sum."""
        if len(other.terms) != 1:
            return None
        ((monomial, factor),) = other.terms.items()
        return self * Polynomial({tuple((each, -power) for each, power in monomial): 1 / factor})

    def degree(self, inputs: Iterable[str]) -> int:
        """The highest power of these names together; of a negative one it is 0."""
        chosen = set(inputs)
        return max((sum(power for each, power in monomial if each in chosen) for monomial in self.terms), default=0)

    def coefficient(self, inputs: tuple[str, str], powers: tuple[int, int]) -> "Polynomial":
        """What stands before these powers of the two inputs."""
        wanted = dict(zip(inputs, powers, strict=True))
        found: dict[Monomial, Fraction] = {}
        for monomial, factor in self.terms.items():
            given = dict(monomial)
            if all(given.pop(each, 0) == power for each, power in wanted.items()):
                found[tuple(given.items())] = factor
        return Polynomial(found)

    def signs(self, nonzero: frozenset[str] = frozenset()) -> frozenset[int]:
        """Which of -1, 0 and 1 its sign can be, as far as even powers tell.

        Args:
            nonzero: Names that are not 0.

        Example:
            >>> s = name("s")
            >>> sorted(s.signs()), sorted((s * s).signs()), sorted((s * s + number(1)).signs())
            ([-1, 0, 1], [0, 1], [1])
        """
        if self.is_zero:
            return frozenset({0})
        directions = {_direction(monomial, factor) for monomial, factor in self.terms.items()}
        if len(directions) > 1 or 0 in directions:
            never_zero = len(self.terms) == 1 and {each for each, _ in next(iter(self.terms))} <= nonzero
            return frozenset({-1, 1}) if never_zero else frozenset({-1, 0, 1})
        is_sure = any({each for each, _ in monomial} <= nonzero for monomial in self.terms)
        return frozenset(directions) if is_sure else frozenset({0, *directions})

    def ratio_to(self, other: "Polynomial") -> Fraction | None:
        """By which number it is the other one multiplied; None where by none, or where the other is 0."""
        if other.is_zero or self.terms.keys() != other.terms.keys():
            return None
        ratios = {factor / other.terms[monomial] for monomial, factor in self.terms.items()}
        return ratios.pop() if len(ratios) == 1 else None


def number(value: Fraction | int) -> Polynomial:
    """A number as a polynomial."""
    return Polynomial({(): Fraction(value)} if value else {})


def name(word: str) -> Polynomial:
    """A name as a polynomial."""
    return Polynomial({((word, 1),): Fraction(1)})


ZERO, ONE, HALF = number(0), number(1), number(Fraction(1, 2))


def _direction(monomial: Monomial, factor: Fraction) -> int:
    """The sign of a term; 0 where an odd power leaves it open."""
    return (1 if factor > 0 else -1) * all(power % 2 == 0 for _, power in monomial)


def _product(first: Monomial, second: Monomial) -> Monomial:
    powers = dict(first)
    for each, power in second:
        powers[each] = powers.get(each, 0) + power
    if any(abs(power) > MAX_POWER for power in powers.values()):
        raise _too_large()
    return tuple((each, power) for each, power in sorted(powers.items()) if power)


def _made(terms: Iterable[tuple[Monomial, Fraction]]) -> Polynomial:
    found: dict[Monomial, Fraction] = {}
    for monomial, factor in terms:
        found[monomial] = found.get(monomial, Fraction(0)) + factor
    kept = {monomial: factor for monomial, factor in found.items() if factor}
    n_bits = max((max(abs(each.numerator), each.denominator).bit_length() for each in kept.values()), default=0)
    if len(kept) > MAX_TERMS or n_bits > MAX_BITS:
        raise _too_large()
    return Polynomial(kept)


def _too_large() -> UsageError:
    return UsageError(
        "the expression is too large once it is multiplied out",
        expected=f"at most {MAX_TERMS} terms, powers up to {MAX_POWER}, and numbers below about 10^1200",
        fix="write it more simply, or put numbers for some of its names",
    )
