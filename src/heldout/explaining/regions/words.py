"""Sums, inequalities and intervals of threshold networks, as a terminal and as LaTeX show them."""

import re
import textwrap
from collections.abc import Sequence
from fractions import Fraction

from heldout.anatomy.regions.half_planes import HalfPlane
from heldout.anatomy.regions.line_arrangements import Cell
from heldout.anatomy.regions.numbers import latex, plain
from heldout.anatomy.regions.threshold_layers import Term
from heldout.anatomy.regions.threshold_units import Interval, Step, UnitValues
from heldout.explaining.document import Formula

# Sums of equal terms are cut short from so many on; other sums go on in the next line.
_MOST_TERMS = 8
_LINE = 90
INPUTS = ("x1", "x2")


def sum_formula(weights: Sequence[Fraction], names: Sequence[str], constant: Fraction | str = "") -> Formula:
    """A weighted sum; terms with a weight of 0 are left out.

    Args:
        weights: Any.
        names: One a weight, such as `h1`.
        constant: Added at the end: a number, a name, or nothing.

    Example:
        >>> sum_formula([Fraction(1), Fraction(-2)], ["h1", "h2"], "b")
        Formula(plain='h1 - 2 h2 + b', latex='h_{1} - 2 h_{2} + b')
    """
    terms = [(weight, name) for weight, name in zip(weights, names, strict=True) if weight]
    shown: list[tuple[str, str, bool]] = []
    for place, (weight, name) in enumerate(terms):
        if len(terms) > _MOST_TERMS and len({weight for weight, _ in terms}) == 1 and 2 <= place < len(terms) - 1:
            if place == 2:
                shown.append(("...", r"\ldots", weight < 0))
            continue
        size = abs(weight)
        factors = ("", "") if size == 1 else (f"{plain(size)} ", f"{latex(size)} ")
        shown.append((factors[0] + name, factors[1] + _symbol(name), weight < 0))
    if isinstance(constant, Fraction) and (constant or not shown):
        shown.append((plain(abs(constant)), latex(abs(constant)), constant < 0))
    elif isinstance(constant, str) and constant:
        shown.append((constant, constant, False))
    return Formula(_joined([(text, sign) for text, _, sign in shown]), _joined([(tex, sign) for _, tex, sign in shown]))


def _joined(terms: Sequence[tuple[str, bool]]) -> str:
    text = ""
    for term, is_negative in terms:
        if text:
            text += f" {'-' if is_negative else '+'} {term}"
        else:
            text = f"-{term}" if is_negative else term
    return text or "0"


def _symbol(name: str) -> str:
    return re.sub(r"^([a-z])(\d+)$", r"\1_{\2}", name)


def inequality(half_plane: HalfPlane, step: Step) -> Formula:
    """Where a unit fires, with the number on the right and the first weight above 0.

    Args:
        half_plane: Any.
        step: Whether the line itself counts.

    Example:
        >>> inequality(HalfPlane((Fraction(-1), Fraction(0)), Fraction(1)), Step.AT_ZERO).plain
        'x1 <= 1'
    """
    sign = half_plane.side
    left = sum_formula([sign * weight for weight in half_plane.weights], INPUTS)
    right = -sign * half_plane.bias
    mark = (">" if sign > 0 else "<") + ("=" if step is Step.AT_ZERO else "")
    tex = {">=": r"\geq", "<=": r"\leq"}.get(mark, mark)
    return Formula(f"{left.plain} {mark} {plain(right)}", f"{left.latex} {tex} {latex(right)}")


def interval_formula(interval: Interval, name: str = "b") -> Formula:
    """A number lies in an interval.

    Args:
        interval: Any.
        name: Of the number.
    """
    low = r"-\infty" if interval.low is None else latex(interval.low)
    high = r"\infty" if interval.high is None else latex(interval.high)
    opening, closing = "[" if interval.low_closed else "(", "]" if interval.high_closed else ")"
    return Formula(f"{name} in {interval}", rf"{name} \in {opening}{low},\, {high}{closing}")


def neuron_formula(name: str, inner: Formula) -> Formula:
    """A neuron as H of its sum; a long sum goes on in the next lines.

    Args:
        name: Such as `y`.
        inner: The sum.
    """
    text = f"{name} = H({inner.plain})"
    indent = " " * (len(name) + 5)
    lines = textwrap.wrap(text, _LINE, subsequent_indent=indent, break_long_words=False)
    return Formula("\n".join(lines), f"{_symbol(name)} = H({inner.latex})")


def unit_words(values: UnitValues) -> str:
    """What a hidden unit gives out, such as `0.2 + 0.3 H(z)`."""
    if not values.off and values.on == 1:
        return "H(z)"
    return f"{plain(values.off)} {'+' if values.difference > 0 else '-'} {plain(abs(values.difference))} H(z)"


def term_words(term: Term, names: Sequence[str]) -> str:
    """The conditions of a piece, such as `h1 and not h2`.

    Args:
        term: Any.
        names: One a unit.
    """
    signed = sorted([*((unit, "") for unit in term.on), *((unit, "not ") for unit in term.off)])
    return " and ".join(f"{word}{names[unit]}" for unit, word in signed) or "always"


def listed(words: Sequence[str], last: str = "and") -> str:
    """Words in a row.

    Args:
        words: At least one.
        last: What stands before the last.

    Example:
        >>> listed(["h1", "h2", "h3"])
        'h1, h2 and h3'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def counted(number: int, noun: str) -> str:
    """A number of things.

    Args:
        number: How many.
        noun: One of them; an s is added for more.

    Example:
        >>> counted(1, "line"), counted(2, "line")
        ('1 line', '2 lines')
    """
    return f"{number:,} {noun}{'s' * (number != 1)}"


def unit_names(n_units: int) -> list[str]:
    """Names h1, h2, ... of the units."""
    return [f"h{unit + 1}" for unit in range(n_units)]


def step_words(step: Step) -> str:
    """The convention of the threshold function, as part of a sentence."""
    return "H(z) is 1 for z >= 0 and 0 below" if step is Step.AT_ZERO else "H(z) is 1 for z > 0 and 0 else"


def area_words(cell: Cell) -> str:
    """The area of a cell, or why it has none."""
    if cell.dimension < 2:
        return "on a line alone" if cell.dimension else "a point alone"
    return "unbounded" if cell.area is None else plain(cell.area)
