"""Which points are wanted: rules on the units that fire, as AND, OR, k of n, a formula, or chosen patterns.

Every rule tells of one exact point, and of many points at once in floats.
"""

import ast
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float

from heldout.anatomy.regions.numbers import Point
from heldout.anatomy.regions.polygons import Polygon, holds_point, holds_points
from heldout.anatomy.regions.threshold_units import Pattern
from heldout.errors import UsageError, nearest

_MOST_CHARACTERS = 400


@runtime_checkable
class Rule(Protocol):
    """Says of a point whether it is wanted; which units fire there is known."""

    def holds(self, pattern: Pattern, point: Point) -> bool:
        """Whether one point is wanted."""

    def holds_many(
        self, patterns: Bool[np.ndarray, "points units"], points: Float[np.ndarray, "points 2"]
    ) -> Bool[np.ndarray, " points"]:
        """Whether each of many points is wanted."""


@dataclass(frozen=True, slots=True)
class AtLeast:
    """At least `k` of the units fire: all of them for AND, one for OR."""

    k: int

    def holds(self, pattern: Pattern, point: Point) -> bool:
        """Whether enough units fire."""
        return sum(pattern) >= self.k

    def holds_many(
        self,
        patterns: Bool[np.ndarray, "points units"],
        points: Float[np.ndarray, "points 2"],
    ) -> Bool[np.ndarray, " points"]:
        """Whether enough units fire at each point."""
        return np.asarray(patterns.sum(axis=1) >= self.k)


@dataclass(frozen=True, slots=True)
class OneOf:
    """The units that fire are one of these patterns."""

    patterns: frozenset[Pattern]

    def holds(self, pattern: Pattern, point: Point) -> bool:
        """Whether the pattern is one of them."""
        return pattern in self.patterns

    def holds_many(
        self,
        patterns: Bool[np.ndarray, "points units"],
        points: Float[np.ndarray, "points 2"],
    ) -> Bool[np.ndarray, " points"]:
        """Whether the pattern at each point is one of them."""
        wanted = np.array([code_of(pattern) for pattern in self.patterns], dtype=np.int64)
        return np.isin(codes_of(patterns), wanted)


@dataclass(frozen=True, slots=True)
class InPolygon:
    """The point lies in a polygon, whatever fires.

    Attributes:
        polygon: Any.
        with_edge: Whether its edge belongs to it.
    """

    polygon: Polygon
    with_edge: bool

    def holds(self, pattern: Pattern, point: Point) -> bool:
        """Whether the point lies in it, exactly."""
        return holds_point(self.polygon, point, with_edge=self.with_edge)

    def holds_many(
        self,
        patterns: Bool[np.ndarray, "points units"],
        points: Float[np.ndarray, "points 2"],
    ) -> Bool[np.ndarray, " points"]:
        """Whether each point lies in it."""
        return holds_points(self.polygon, points)


@dataclass(frozen=True, slots=True)
class BooleanFormula:
    """A formula of h1, h2, ... with and, or, not, xor.

    Attributes:
        text: As it was written.
        tree: The parsed formula: names, constants and the allowed operators alone.
    """

    text: str
    tree: ast.expr

    def holds(self, pattern: Pattern, point: Point) -> bool:
        """What the formula says of these units."""
        return bool(_value(self.tree, np.array([pattern], dtype=bool))[0])

    def holds_many(
        self,
        patterns: Bool[np.ndarray, "points units"],
        points: Float[np.ndarray, "points 2"],
    ) -> Bool[np.ndarray, " points"]:
        """What the formula says at each point."""
        return _value(self.tree, patterns)


def read_formula(text: str, n_units: int) -> BooleanFormula:
    """A formula such as `(h1 and not h2) or h3`; also with `& | ~ ^ xor == !=`, in small letters or capitals.

    Args:
        text: The formula; it is parsed and checked, never executed.
        n_units: How many units there are.

    Raises:
        UsageError: It cannot be read, holds something else, or names a unit that is not there.

    Example:
        >>> read_formula("h1 xor h2", 2).holds((True, False), (0, 0))
        True
    """
    written = re.sub(r"\bxor\b", "^", text.lower().strip())
    try:
        if len(text) > _MOST_CHARACTERS:
            raise ValueError
        tree = ast.parse(written, mode="eval").body
        _check(tree, [f"h{unit + 1}" for unit in range(n_units)])
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, UsageError):
            raise
        raise _no_formula(text, "it cannot be read", n_units) from None
    return BooleanFormula(text.strip(), tree)


def read_count(text: str | int, n_units: int) -> AtLeast:
    """`and`, `or`, or a number k for "at least k of them".

    Args:
        text: One of these.
        n_units: How many units there are.

    Raises:
        UsageError: It is something else, or k is not one of 1 to n.
    """
    word = str(text).strip().lower()
    if word in {"and", "or"}:
        return AtLeast(n_units if word == "and" else 1)
    if re.fullmatch(r"\d{1,3}", word) and 1 <= int(word) <= n_units:
        return AtLeast(int(word))
    raise UsageError(
        f"the units are to be combined by {text!r}",
        expected=f"and, or, or a number k from 1 to {n_units} for `at least k of them`",
        fix="such as --combine and; other combinations are written with --formula",
    )


def read_patterns(text: str, realised: Collection[Pattern]) -> OneOf:
    """Patterns such as `100,110`: a digit a unit, 1 where it fires.

    Args:
        text: The patterns, parted by commas or gaps.
        realised: The patterns that a point of the plane has.

    Raises:
        UsageError: One has another form, or no point of the plane has it.
    """
    n_units = len(next(iter(realised)))
    words = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
    for word in words or [""]:
        if not re.fullmatch(f"[01]{{{n_units}}}", word):
            raise UsageError(
                f"a pattern is {word[:60]!r}",
                expected=f"{n_units} digits, one a unit: 1 where it fires, 0 where it does not",
                fix=f"such as --positive {'1' * n_units}",
            )
    chosen = frozenset(tuple(digit == "1" for digit in word) for word in words)
    absent = sorted(written(pattern) for pattern in chosen - set(realised))
    if absent:
        known = ", ".join(sorted(written(pattern) for pattern in realised)[:40])
        raise UsageError(
            f"no point of the plane has the pattern {absent[0]}{nearest(absent[0], map(written, realised))}",
            expected=f"one of {known}" + (", ..." if len(realised) > 40 else ""),
            fix="leave it out, or move a line",
        )
    return OneOf(chosen)


def written(pattern: Pattern) -> str:
    """A pattern as digits.

    Example:
        >>> written((True, False))
        '10'
    """
    return "".join("1" if fires else "0" for fires in pattern)


def code_of(pattern: Pattern) -> int:
    """A pattern as one number, the first unit its lowest bit."""
    return sum(1 << unit for unit, fires in enumerate(pattern) if fires)


def codes_of(patterns: Bool[np.ndarray, "points units"]) -> np.ndarray:
    """Many patterns as numbers, as `code_of` gives them."""
    return np.asarray(patterns @ (1 << np.arange(patterns.shape[1], dtype=np.int64)))


def _check(node: ast.expr, names: Collection[str]) -> None:
    if isinstance(node, ast.Name):
        if node.id not in names:
            raise _no_formula(node.id, f"there is no unit {node.id!r}{nearest(node.id, names)}", len(names))
        return
    if isinstance(node, ast.Constant) and node.value in {0, 1}:
        return
    if not (operands := _operands(node)):
        raise _no_formula(ast.unparse(node)[:60], "it holds something that is no and, or, not, xor", len(names))
    for child in operands:
        _check(child, names)


def _operands(node: ast.expr) -> list[ast.expr]:
    """What an allowed operator works on; nothing where it is none."""
    if isinstance(node, ast.BoolOp):
        return list(node.values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.Invert):
        return [node.operand]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor):
        return [node.left, node.right]
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.NotEq):
        return [node.left, *node.comparators]
    return []


def _value(node: ast.expr, patterns: Bool[np.ndarray, "points units"]) -> Bool[np.ndarray, " points"]:
    if isinstance(node, ast.Name):
        return patterns[:, int(node.id[1:]) - 1]
    if isinstance(node, ast.Constant):
        return np.full(len(patterns), bool(node.value))
    values = [_value(child, patterns) for child in _operands(node)]
    if isinstance(node, ast.UnaryOp):
        return ~values[0]
    operator = node.ops[0] if isinstance(node, ast.Compare) else getattr(node, "op", None)
    if isinstance(operator, ast.And | ast.BitAnd):
        return np.asarray(np.logical_and.reduce(values))
    if isinstance(operator, ast.Or | ast.BitOr):
        return np.asarray(np.logical_or.reduce(values))
    return np.asarray(values[0] == values[1] if isinstance(operator, ast.Eq) else values[0] != values[1])


def _no_formula(text: str, why: str, n_units: int) -> UsageError:
    return UsageError(
        f"the formula {text[:60]!r} cannot be used: {why}",
        expected=f"a formula of {'h1 to ' * (n_units > 1)}h{n_units} with and, or, not, xor and brackets",
        fix='such as --formula "(h1 and not h2) or h3"',
    )
