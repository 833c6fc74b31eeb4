"""What is asked of a region, out of the words of the command line or of Python."""

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from heldout.anatomy.regions.half_planes import HalfPlane, opposite_half_planes, same_half_planes
from heldout.anatomy.regions.line_arrangements import arrangement_of
from heldout.anatomy.regions.polygons import Polygon, edge_half_planes, point_text, polygon_of
from heldout.anatomy.regions.rules import InPolygon, OneOf, Rule, read_count, read_formula, read_patterns, written
from heldout.anatomy.regions.text import read_points, read_shape
from heldout.anatomy.regions.threshold_units import Step
from heldout.errors import UsageError
from heldout.explaining.regions.words import listed, unit_names

_MOST_NAMED = 8


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Attributes:
        title: In words.
        half_planes: A unit each.
        step: Whether the points of a line count to its positive side.
        rule: Which points are wanted.
        polygon: What was given, if it was one.
        notes: What a reader has to know about what was given.
    """

    title: str
    half_planes: tuple[HalfPlane, ...]
    step: Step
    rule: Rule
    polygon: Polygon | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """How the wanted cells were named; at most one of these is given."""

    combine: str | None = None
    formula: str | None = None
    positive: str | None = None
    inside: str | None = None

    def __post_init__(self) -> None:
        if len(self.given) > 1:
            raise UsageError(f"{listed(self.given)} were given", expected="one of them", fix="leave the others out")

    @property
    def given(self) -> list[str]:
        """The options that were given, as they are written on the command line."""
        names = ("combine", "formula", "positive", "inside")
        return [f"--{name}" for name in names if getattr(self, name) is not None]


def read_question(shape: str, choice: Choice, step: Step) -> Question:
    """What is asked; a polygon without a choice stands for itself, lines for what they have in common.

    Args:
        shape: The polygon or the lines.
        choice: How the wanted cells were named.
        step: Whether the points of a line count to its positive side.

    Raises:
        UsageError: Something in it cannot be meant.
    """
    found = read_shape(shape)
    first = found[0]
    polygon = None if isinstance(first, HalfPlane) else polygon_of([each for each in found if isinstance(each, tuple)])
    lines = edge_half_planes(polygon) if polygon else [each for each in found if isinstance(each, HalfPlane)]
    notes = [*(polygon.notes if polygon else _strictness(shape, step)), *_shared_lines(lines, polygon)]
    if polygon is not None and not choice.given:
        title, rule = _polygon_title(polygon), InPolygon(polygon, with_edge=step is Step.AT_ZERO)
        return Question(title, tuple(lines), step, rule, polygon, tuple(notes))
    return Question(*_chosen(lines, choice, step), polygon, tuple(notes))


def read_step(text: str) -> Step:
    """The convention of the threshold function: `>=0` or `>0`.

    Raises:
        UsageError: It is something else.

    Example:
        >>> read_step("> 0").value
        '>0'
    """
    word = text.replace(" ", "").replace("≥", ">=").removeprefix("z")
    word = f"{word}0" if word in {">=", ">"} else word
    if word not in set(Step):
        raise UsageError(f"the step is {text!r}", expected="one of >=0, >0", fix='such as --step ">=0", in quotes')
    return Step(word)


def _chosen(lines: Sequence[HalfPlane], choice: Choice, step: Step) -> tuple[str, tuple[HalfPlane, ...], Step, Rule]:
    n_units = len(lines)
    rule: Rule
    if choice.formula is not None:
        rule = read_formula(choice.formula, n_units)
        return f"The region {textwrap.shorten(rule.text, 80, placeholder=' ...')}", tuple(lines), step, rule
    if choice.positive is not None:
        rule = read_patterns(choice.positive, [cell.pattern for cell in arrangement_of(lines, step).cells])
        title = _cells_title(sorted(map(written, rule.patterns), reverse=True))
        return title, tuple(lines), step, rule
    if choice.inside is not None:
        points = read_points(choice.inside)
        rule = OneOf(frozenset(tuple(step.fires(line.at(point)) for line in lines) for point in points))
        title = (
            f"The cell{'s' * (len(points) > 1)} around {listed([point_text(each) for each in points[:_MOST_NAMED]])}"
        )
        return title, tuple(lines), step, rule
    rule = read_count(choice.combine or "and", n_units)
    word = {n_units: "All", 1: "Any"}.get(rule.k, f"At least {rule.k}")
    return f"{word} of {n_units} half-planes" if n_units > 1 else "One half-plane", tuple(lines), step, rule


def _polygon_title(polygon: Polygon) -> str:
    corners = polygon.corners
    if len(corners) > _MOST_NAMED:
        return f"A polygon with {len(corners)} corners"
    return f"The polygon {' '.join(point_text(corner) for corner in corners)}"


def _cells_title(patterns: Sequence[str]) -> str:
    if len(patterns) > _MOST_NAMED:
        return f"{len(patterns)} cells"
    return f"The cell{'s' * (len(patterns) > 1)} {listed(patterns)}"


def _strictness(text: str, step: Step) -> list[str]:
    """A note where the inequalities say otherwise about the points of a line than the step does."""
    is_strict = re.search(r"[<>](?!\s*=)", text.replace("≤", "<=").replace("≥", ">="))
    is_wide = re.search(r"[<>]\s*=|[≤≥]", text)
    other = (
        "< and >" if step is Step.AT_ZERO and is_strict else "<= and >=" if step is Step.ABOVE_ZERO and is_wide else ""
    )
    if not other:
        return []
    belongs = "belong" if step is Step.AT_ZERO else "do not belong"
    return [
        f"some lines were given with {other}; the threshold function decides about the points of a line, and with "
        f"--step {step} they {belongs} to the side where the unit fires"
    ]


def _shared_lines(lines: Sequence[HalfPlane], polygon: Polygon | None) -> list[str]:
    names = unit_names(len(lines))
    notes = [f"{names[second]} is the same half-plane as {names[first]}" for first, second in same_half_planes(lines)]
    notes += [
        f"{names[first]} and {names[second]} look to the two sides of one line"
        for first, second in opposite_half_planes(lines)
    ]
    if polygon is not None and len(lines) < len(polygon.corners):
        notes.append(
            f"{len(polygon.corners)} edges lie on {len(lines)} lines and sides: edges of one line share a unit"
        )
    return notes
