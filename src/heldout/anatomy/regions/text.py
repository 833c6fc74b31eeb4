"""Text -> points, half-planes and the values of a unit, as people write them. Nothing in it is ever executed."""

import ast
import re
from collections.abc import Sequence
from fractions import Fraction

from heldout.anatomy.regions.half_planes import HalfPlane, check_number_of
from heldout.anatomy.regions.numbers import Point, bounded, exact
from heldout.anatomy.regions.threshold_units import UnitValues
from heldout.errors import UsageError

Linear = tuple[Fraction, Fraction, Fraction]  # of x1, of x2, and the constant

_MOST_CHARACTERS = 4000
_MOST_IN_ONE = 200
_SHAPES = (
    'the corners of a polygon, such as "0,0 1,0 1,1 0,1"; inequalities, such as "x1 >= 0; x1 + 2 x2 <= 3"; '
    'weights and bias of each line, such as "1,0,0; -1,-2,3"; or the folder of a run'
)
_NO_SIDE = "it has no side: one of <=, >=, <, > is needed"
_POINTS = 'two numbers a point, such as "0.5,0.5; 2,2"'
_COMPARISONS: dict[type[ast.cmpop], int] = {ast.GtE: 1, ast.Gt: 1, ast.LtE: -1, ast.Lt: -1}


def read_shape(text: str) -> tuple[Point, ...] | tuple[HalfPlane, ...]:
    """The corners of a polygon, or half-planes: whichever the text holds.

    Raises:
        UsageError: It holds neither, or a mixture.

    Example:
        >>> read_shape("x1 + x2 <= 2")[0].weights
        (Fraction(-1, 1), Fraction(-1, 1))
        >>> read_shape("0,0 1,0 0,1/3")[2]
        (Fraction(0, 1), Fraction(1, 3))
    """
    text = _checked(text)
    if re.search("[<>=]", text):
        return _half_planes(tuple(half for part in _parts(text) for half in _inequality(part)))
    rows = _rows(text, "the shape", _SHAPES)
    lengths = {len(row) for row in rows}
    if lengths == {2}:
        return tuple((row[0], row[1]) for row in rows)
    if lengths == {3}:
        return _half_planes(tuple(HalfPlane((row[0], row[1]), row[2]) for row in rows))
    raise UsageError(f"the shape is {_shown(text)}", expected=_SHAPES, fix="write it that way")


def read_points(text: str) -> tuple[Point, ...]:
    """Points such as `0.5,0.5; 2,2`.

    Raises:
        UsageError: It holds something else, or nothing.
    """
    rows = _rows(_checked(text), "the list of points", _POINTS)
    if {len(row) for row in rows} != {2}:
        raise UsageError(f"the list of points is {_shown(text)}", expected=_POINTS, fix="write it that way")
    return tuple((row[0], row[1]) for row in rows)


def read_values(text: str) -> UnitValues:
    """The two values of a unit, off and on, such as `0,1` or `0.2,0.5`.

    Raises:
        UsageError: They are not two different numbers.

    Example:
        >>> read_values("0.2,0.5").on
        Fraction(1, 2)
    """
    numbers = [exact(part, name="the value of a unit") for part in _checked(text).split(",")]
    if len(numbers) != 2 or numbers[0] == numbers[1]:
        raise UsageError(
            f"the values of the units are {text!r}",
            expected="two different numbers, off and on, such as 0,1 or -1,1 or 0.2,0.5",
            fix='such as --units "0.2,0.5"',
        )
    return UnitValues(numbers[0], numbers[1])


def _checked(text: str) -> str:
    if len(text) > _MOST_CHARACTERS:
        raise UsageError(
            f"the text has {len(text):,} characters", expected=f"at most {_MOST_CHARACTERS:,}", fix="draw it coarser"
        )
    for written, meant in (("≤", "<="), ("≥", ">="), ("−", "-"), ("·", "*"), ("×", "*"), ("₁", "1"), ("₂", "2")):
        text = text.replace(written, meant)
    return text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]


def _rows(text: str, name: str, expected: str) -> list[tuple[Fraction, ...]]:
    """Numbers with commas between them; rows end at a semicolon or a gap, and may stand in brackets."""
    joined = re.sub(r"\s*,\s*", ",", re.sub(r"[()\[\]]", " ", text))
    words = [word for word in re.split(r"[;\s]+", joined) if word]
    if not words:
        raise UsageError(f"{name} is empty", expected=expected, fix="write one")
    if any("," not in word for word in words):
        raise UsageError(f"{name} is {_shown(text)}", expected=expected, fix="write it that way")
    return [tuple(exact(part, name=f"a number of {_shown(word)}") for part in word.split(",")) for word in words]


def _half_planes(half_planes: tuple[HalfPlane, ...]) -> tuple[HalfPlane, ...]:
    check_number_of(half_planes)
    return half_planes


def _inequality(text: str) -> list[HalfPlane]:
    """One half-plane, or two of a chain such as `0 <= x1 <= 1`."""
    tree, source = _tree(text)
    if not isinstance(tree, ast.Compare) or not all(type(kind) in _COMPARISONS for kind in tree.ops):
        raise _no_inequality(text, _NO_SIDE)
    sides = [_linear(each, source) for each in (tree.left, *tree.comparators)]
    found = []
    for left, kind, right in zip(sides, tree.ops, sides[1:], strict=False):
        sign = _COMPARISONS[type(kind)]
        first, second, bias = (
            bounded(sign * (a - b), name=f"a weight of {_shown(text)}") for a, b in zip(left, right, strict=True)
        )
        found.append(HalfPlane((first, second), bias, text if len(tree.ops) == 1 else f"part of {text}"))
    return found


def _tree(text: str) -> tuple[ast.expr, str]:
    """The parsed inequality, and the text that its places refer to."""
    if re.search("(?<![<>=!])=(?!=)", text):
        raise _no_inequality(text, _NO_SIDE)
    # "2x1" and "2 (x1 + x2)" mean a product; "0x1" would be read as a number of base 16.
    multiplied = re.sub(r"(?<![\w.])(\d+\.?\d*|\.\d+)\s*(?=[xy(])", r"\1*", text)
    try:
        if len(text) > _MOST_IN_ONE:
            raise ValueError
        return ast.parse(multiplied, mode="eval").body, multiplied
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise _no_inequality(text, "it cannot be read") from None


def _linear(node: ast.expr, text: str) -> Linear:
    """The weights and the constant of an expression that is linear in x1 and x2."""
    if isinstance(node, ast.Name):
        names = {"x1": 0, "x": 0, "x2": 1, "y": 1}
        if node.id not in names:
            raise _no_inequality(text, f"{node.id!r} is not known: the inputs are x1 and x2")
        return _constant(int(names[node.id] == 0), int(names[node.id] == 1), 0)
    if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
        typed = ast.get_source_segment(text, node)  # a float would have lost digits
        return _constant(0, 0, exact(typed or "", name=f"a number of {_shown(text)}"))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        return _scaled(_linear(node.operand, text), Fraction(-1 if isinstance(node.op, ast.USub) else 1))
    if isinstance(node, ast.BinOp):
        return _combined(node, text)
    raise _no_inequality(text, "only sums of multiples of x1, x2 and numbers are read")


def _combined(node: ast.BinOp, text: str) -> Linear:
    left, right = _linear(node.left, text), _linear(node.right, text)
    if isinstance(node.op, ast.Add | ast.Sub):
        sign = -1 if isinstance(node.op, ast.Sub) else 1
        return left[0] + sign * right[0], left[1] + sign * right[1], left[2] + sign * right[2]
    if isinstance(node.op, ast.Mult) and not any(left[:2]):
        return _scaled(right, left[2])
    if isinstance(node.op, ast.Mult) and not any(right[:2]):
        return _scaled(left, right[2])
    if isinstance(node.op, ast.Div) and not any(right[:2]):
        if not right[2]:
            raise _no_inequality(text, "it divides by 0")
        return _scaled(left, 1 / right[2])
    raise _no_inequality(text, "it is not linear: a line has multiples of x1 and x2, and a number")


def _constant(first: int, second: int, number: Fraction | int) -> Linear:
    return Fraction(first), Fraction(second), Fraction(number)


def _scaled(linear: Linear, factor: Fraction) -> Linear:
    return linear[0] * factor, linear[1] * factor, linear[2] * factor


def _no_inequality(text: str, why: str) -> UsageError:
    return UsageError(
        f"the line {_shown(text)} cannot be used: {why}",
        expected='a linear inequality, such as "x1 + 2 x2 <= 3" or "0 <= x1 <= 1"',
        fix="write it that way; lines are parted by semicolons",
    )


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")


def points_of(rows: Sequence[Sequence[float | int]]) -> str:
    """Rows of numbers as the text that `read_shape` reads.

    Example:
        >>> points_of([(0, 0), (1, 0.5)])
        '0,0 1,0.5'
    """
    return " ".join(
        ",".join(repr(number.item() if hasattr(number, "item") else number) for number in row) for row in rows
    )
