"""A formula as a quotient of products, in the order in which the chain rule multiplies: 2(phi - y) w2 u(1 - u) x.

A computer algebra system would sort the factors; here each stands where the path through the graph puts it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd

from heldout.anatomy.graphs.notation import Notation
from heldout.anatomy.graphs.operations import Number, handy


@dataclass(frozen=True, slots=True)
class Factor:
    """A part of a product.

    Attributes:
        text: As it is written, without an exponent.
        is_sum: Whether it needs brackets beside other factors.
        is_tall: Whether it needs brackets below an exponent, as a power does.
        exponent: How often it is multiplied.
    """

    text: str
    is_sum: bool = False
    is_tall: bool = False
    exponent: int = 1


@dataclass(frozen=True, slots=True)
class Product:
    """A formula.

    Attributes:
        number: The product of all numbers above the bar; it alone may be negative.
        above: The other factors above the bar, in the order of the chain rule.
        number_below: The product of all numbers below the bar.
        below: The other factors below the bar.
    """

    number: Number = 1
    above: tuple[Factor, ...] = ()
    number_below: Number = 1
    below: tuple[Factor, ...] = ()

    @property
    def is_sum(self) -> bool:
        """Whether it is a sum and nothing else."""
        return self.is_one and self.above[0].is_sum and self.above[0].exponent == 1

    @property
    def is_one(self) -> bool:
        """Whether it is one factor above the bar and nothing else."""
        return len(self.above) == 1 and self.number == 1 and not self.has_bar

    @property
    def is_number(self) -> bool:
        """Whether it is a number and nothing else."""
        return not self.above and not self.has_bar

    @property
    def has_bar(self) -> bool:
        """Whether something stands below the bar."""
        return bool(self.below) or self.number_below != 1


def single(text: str, *, is_sum: bool = False, is_tall: bool = False) -> Product:
    """A formula of one factor."""
    return Product(above=(Factor(text, is_sum, is_tall),))


def multiplied(left: Product, right: Product) -> Product:
    """The product, with the factors of the left one first."""
    return _reduced(
        Product(
            left.number * right.number,
            left.above + right.above,
            left.number_below * right.number_below,
            left.below + right.below,
        )
    )


def divided(left: Product, right: Product) -> Product:
    """The quotient."""
    sign = -1 if right.number < 0 else 1
    return multiplied(left, Product(sign * right.number_below, right.below, abs(right.number), right.above))


def negated(product: Product) -> Product:
    """The negative of it."""
    return replace(product, number=-product.number)


def raised(base: Product, exponent: int, notation: Notation) -> Product:
    """A whole power: factors are raised one by one where that is how one writes it."""
    if base.is_one and not base.above[0].is_tall:
        factor = base.above[0]
        return Product(above=(replace(factor, exponent=factor.exponent * exponent),))
    return Product(above=(Factor(written(base, notation), is_sum=True, exponent=exponent),))


def written(product: Product, notation: Notation) -> str:
    """As it is written, without brackets around it."""
    sign = "-" if product.number < 0 else ""
    is_alone = notation.has_bars if product.has_bar else not sign
    above = _row(abs(product.number), product.above, notation, is_alone=is_alone)
    if not product.has_bar:
        return sign + above
    below = _row(product.number_below, product.below, notation, is_alone=notation.has_bars)
    n_below = len(_merged(product.below)) + (product.number_below != 1)
    return sign + notation.fraction(above, below, is_one=n_below == 1)


def added(left: Product, right: Product, notation: Notation, *, minus: bool = False) -> Product:
    """The sum or the difference, as one factor."""
    is_minus = minus != (right.number < 0)
    right = replace(right, number=abs(right.number))
    second = written(right, notation)
    if is_minus and right.is_sum:
        second = notation.bracket(second)
    return single(f"{written(left, notation)} {'-' if is_minus else '+'} {second}", is_sum=True)


def _reduced(product: Product) -> Product:
    above, below = handy(product.number), handy(product.number_below)
    if isinstance(above, int) and isinstance(below, int) and below:
        common = gcd(above, below)
        above, below = above // common, below // common
    return replace(product, number=above, number_below=below)


def _merged(factors: Sequence[Factor]) -> list[Factor]:
    """The factors with equal ones as powers, where the first of them stood."""
    merged: dict[str, Factor] = {}
    for factor in factors:
        known = merged.get(factor.text)
        merged[factor.text] = replace(known, exponent=known.exponent + factor.exponent) if known else factor
    return list(merged.values())


def _row(number: Number, factors: Sequence[Factor], notation: Notation, *, is_alone: bool) -> str:
    """A product as it is written; `is_alone` where a single sum in it needs no brackets."""
    merged = _merged(factors)
    if not merged:
        return notation.number(number)
    if is_alone and number == 1 and len(merged) == 1 and merged[0].exponent == 1:
        return merged[0].text
    row = "" if number == 1 else notation.number(number)
    for factor in merged:
        text = notation.bracket(factor.text) if factor.is_sum else factor.text
        if factor.exponent != 1:
            base = notation.bracket(text) if factor.is_tall else text
            text = notation.power(base, str(factor.exponent))
        if not row:
            row = text
        elif factor.is_sum:
            row += text
        else:
            row += (notation.sign_of_product if text[0].isdigit() else notation.gap) + text
    return row
