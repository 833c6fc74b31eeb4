"""The figure of `heldout explain neuron`: one zero set with its measures, a line with its normal, or all cases."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from heldout.anatomy.neurons.facts import NeuronFacts
from heldout.anatomy.neurons.forms import Point
from heldout.anatomy.neurons.lines import NeuronLine
from heldout.anatomy.neurons.zero_sets import ZeroSet
from heldout.explaining.neurons.drawing import (
    View,
    draw_asymptotes,
    draw_zero_set,
    label,
    scales,
    set_view,
    shade,
    view_of,
)
from heldout.explaining.neurons.formulas import shown
from heldout.reporting.style import (
    ACCENT,
    BAND,
    INK,
    KEY_ROW,
    MUTED,
    PAPER,
    WARM,
    frame,
    key_in_rows,
    key_rows,
    label_text,
    new_figure,
)

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# All in inches.
_SIDE, _LEFT, _RIGHT, _BOTTOM = 4.0, 0.8, 0.12, 0.55
_WIDE = 5.6
# A point farther away than so many times the shape is left out: with it the shape would be a dot.
_FARTHEST = 6
# Of the narrower side of what is drawn.
_ARROW = 0.14


def neuron_figure(facts: NeuronFacts) -> "Figure":
    """The drawing of a neuron, whatever it is and whatever of it is known."""
    if facts.zero_set is None:
        from heldout.explaining.neurons.cases_figure import cases_figure, line_cases_figure

        return line_cases_figure(facts.neuron) if facts.cases is None else cases_figure(facts.neuron, facts.cases)
    if facts.line is not None:
        return line_figure(facts)
    return shape_figure(facts, facts.zero_set)


def shape_figure(facts: NeuronFacts, zero_set: ZeroSet) -> "Figure":
    """A zero set of second degree: its sides, centre, semi-axes and asymptotes, and the points that were asked for."""
    name = "z" if facts.neuron.activation else "y"
    view = _view_of_shape(facts, zero_set)
    entries = _key(name, zero_set)
    if facts.changed is not None:
        entries.append(_line_entry(f"with b = {shown(facts.changed.bias)}".replace("-", "−"), dashed=True))
    figure, axes = _square(entries)
    set_view(axes, view)
    shade(axes, view, zero_set)
    if facts.changed is not None:
        draw_zero_set(axes, view, facts.changed.zero_set, linestyle=(0, (4, 2)), linewidth=1.4)
    draw_asymptotes(axes, view, zero_set)
    draw_zero_set(axes, view, zero_set)
    _draw_measures(axes, view, zero_set)
    _draw_points(axes, view, facts)
    scales(axes, view, facts.neuron.inputs)
    return figure


def line_figure(
    facts: NeuronFacts,
    *,
    titles: tuple[str, str] | None = None,
    ranges: tuple[Point, Point] | None = None,
    classes: tuple[str, ...] = (),
) -> "Figure":
    """A line with its normal, the side where z is above 0, and where it goes when the bias grows.

    Args:
        facts: Of a linear neuron with numbers.
        titles: Of the two scales; None for the names of the inputs.
        ranges: What is drawn of both; None for what shows the line, the origin and the points.
        classes: Of a run: what is answered below 0 and above.
    """
    line, zero_set = facts.line, facts.zero_set
    assert line is not None, "asked of a line"
    assert zero_set is not None, "asked of a line"
    view = _with_arrow(View((0.0, 0.0), 1.0, *ranges) if ranges else _view_of_line(facts, line), line, zero_set)
    entries = _key("z", zero_set, classes=classes)
    change = _change(facts, line, view)
    if change:
        entries.append(_line_entry(f"with b {'+' if change > 0 else '−'} {shown(abs(change))}", dashed=True))
    figure, axes = _square(entries, is_equal=ranges is None)
    set_view(axes, view)
    shade(axes, view, zero_set)
    if change and line.normal is not None:
        distance = -change / line.length
        moved = _shifted(zero_set, (distance * line.normal[0], distance * line.normal[1]))
        draw_zero_set(axes, view, moved, linestyle=(0, (4, 2)), linewidth=1.4)
    draw_zero_set(axes, view, zero_set)
    _draw_normal(axes, view, line, zero_set)
    _draw_crossings(axes, view, line)
    _draw_points(axes, view, facts)
    scales(axes, view, titles or facts.neuron.inputs)
    return figure


def _square(entries: "list[Artist]", *, is_equal: bool = True) -> "tuple[Figure, Axes]":
    """A figure with one pair of axes below its key; square where both scales are alike."""
    width = (_SIDE if is_equal else _WIDE - _LEFT - _RIGHT) + _LEFT + _RIGHT
    n_rows = key_rows(entries, width)
    top = 0.12 + KEY_ROW * n_rows
    figure, (axes,) = new_figure(width, (_SIDE if is_equal else 3.2) + top + _BOTTOM)
    key_in_rows(figure, entries, n_rows)
    frame(figure, left=_LEFT, right=_RIGHT, bottom=_BOTTOM, top=top)
    return figure, axes


def _key(name: str, zero_set: ZeroSet, *, classes: tuple[str, ...] = ()) -> "list[Artist]":
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    told = [f"{name} below 0", f"{name} above 0"]
    if classes:
        told = [f"{label_text(each, 18)}: {words}" for words, each in zip(told, classes, strict=True)]
    entries: list[Artist] = [
        Patch(facecolor=PAPER, edgecolor=MUTED, linewidth=0.6, label=told[0]),
        Patch(facecolor=BAND, edgecolor=MUTED, linewidth=0.6, label=told[1]),
    ]
    if zero_set.kind == "plane":
        return [Patch(facecolor=ACCENT, alpha=0.45, label=f"{name} = 0")]
    if zero_set.kind == "point":
        entries.append(Line2D([], [], marker="o", linestyle="none", color=ACCENT, label=f"{name} = 0"))
    elif zero_set.kind != "empty":
        entries.append(_line_entry(f"{name} = 0"))
    if zero_set.kind == "hyperbola":
        entries.append(Line2D([], [], color=MUTED, linewidth=0.9, linestyle=(0, (5, 3)), label="asymptotes"))
    return entries


def _line_entry(words: str, *, dashed: bool = False) -> "Artist":
    from matplotlib.lines import Line2D

    if dashed:
        return Line2D([], [], color=ACCENT, linewidth=1.4, linestyle=(0, (4, 2)), label=words)
    return Line2D([], [], color=ACCENT, linewidth=2.0, label=words)


def _view_of_shape(facts: NeuronFacts, zero_set: ZeroSet) -> View:
    """A square that shows the shape and the points beside it."""
    first, second = (0.0 if each is None else each for each in zero_set.semi_axes)
    middle = zero_set.centre or (0.0, 0.0)
    reach = {
        "circle": 1.5 * first,
        "ellipse": 1.35 * max(first, second),
        "parallel lines": 2.5 * max(first, second),
        "parabola": 8 * (zero_set.focal_length or 0.0),
    }.get(zero_set.kind, 0.0)
    if zero_set.kind == "hyperbola":
        along, across = (first, second) if zero_set.axis == 0 else (second, first)
        reach = 3 * max(along, min(across, 3 * along))
    if zero_set.kind == "parabola":
        u, v = zero_set.axes[1]
        middle = (middle[0] + 0.6 * reach * u, middle[1] + 0.6 * reach * v)
    if not reach:
        # A unit of the form, or where a line is.
        weight = max(map(abs, zero_set.weights))
        reach = 2 / math.sqrt(weight) if weight else 2.0
    return _with_points(facts, middle, reach)


def _view_of_line(facts: NeuronFacts, line: NeuronLine) -> View:
    """A square with the origin, where the line crosses, and the points beside it."""
    crossings = [abs(each) for each in line.intercepts if each is not None]
    distance = abs(line.origin_distance or 0.0)
    # Of a crossing far away the foot is shown instead.
    reach = max([each for each in crossings if each < 6 * distance] or [distance]) * 1.4
    return _with_points(facts, (0.0, 0.0), reach or 2.0)


def _with_points(facts: NeuronFacts, middle: Point, reach: float) -> View:
    asked = [each.point for each in facts.points] + ([facts.through.point] if facts.through else [])
    for point in asked:
        distance = max(abs(place - at) for place, at in zip(point, middle, strict=True))
        if distance < _FARTHEST * reach:
            reach = max(reach, 1.15 * distance)
    return view_of(middle, reach)


def _change(facts: NeuronFacts, line: NeuronLine, view: View) -> float:
    """By how much the other bias differs that is drawn: as asked for, or so that the line moves a sixth of the view."""
    if line.normal is None:
        return 0.0
    if facts.changed is not None:
        return facts.changed.change
    if facts.through is not None:
        return facts.through.change or 0.0
    wanted = line.length * view.unit * min(view.x[1] - view.x[0], view.y[1] - view.y[0]) / 6
    power = 10.0 ** math.floor(math.log10(wanted))
    return max(each for each in (1, 2, 5) if each * power <= wanted * (1 + 1e-9)) * power


def _shifted(zero_set: ZeroSet, by: Point) -> ZeroSet:
    assert zero_set.centre is not None, "a line has a point"
    return replace(zero_set, centre=(zero_set.centre[0] + by[0], zero_set.centre[1] + by[1]))


def _arrow(view: View, line: NeuronLine, zero_set: ZeroSet) -> tuple[Point, Point] | None:
    """From where to where the normal is drawn, in the view: from the point of the line nearest to its middle."""
    if line.normal is None or zero_set.centre is None:
        return None
    (x, y), (dx, dy) = view.middle, line.normal
    away = (x - zero_set.centre[0]) * dx + (y - zero_set.centre[1]) * dy
    start_x, start_y = view.drawn(np.array([[x - away * dx, y - away * dy]]))[0]
    size = _ARROW * min(view.x[1] - view.x[0], view.y[1] - view.y[0])
    return (float(start_x), float(start_y)), (float(start_x + size * dx), float(start_y + size * dy))


def _with_arrow(view: View, line: NeuronLine, zero_set: ZeroSet) -> View:
    """The view, wide enough for the normal."""
    arrow = _arrow(view, line, zero_set)
    if arrow is None:
        return view
    ranges = []
    for (low, high), start, tip in zip((view.x, view.y), *arrow, strict=True):
        end = tip + 0.5 * (tip - start)
        ranges.append((min(low, end), max(high, end)))
    grown = max((high - low) / (old[1] - old[0]) for (low, high), old in zip(ranges, (view.x, view.y), strict=True))
    if grown == 1 or view.x[1] - view.x[0] != view.y[1] - view.y[0]:
        return replace(view, x=ranges[0], y=ranges[1])
    # Both scales stay alike.
    half, (x, y) = grown * (view.x[1] - view.x[0]) / 2, (sum(view.x) / 2, sum(view.y) / 2)
    return replace(view, x=(x - half * 1.1, x + half * 1.1), y=(y - half * 1.1, y + half * 1.1))


def _draw_normal(axes: "Axes", view: View, line: NeuronLine, zero_set: ZeroSet) -> None:
    """An arrow from the line towards z above 0."""
    arrow = _arrow(view, line, zero_set)
    if arrow is None:
        return
    start, tip = arrow
    axes.annotate("", tip, start, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.3}, zorder=5)
    label(axes, "w", (tip[0] + 0.3 * (tip[0] - start[0]), tip[1] + 0.3 * (tip[1] - start[1])), weight="bold")


def _draw_crossings(axes: "Axes", view: View, line: NeuronLine) -> None:
    """Where the line crosses the axes of the plane."""
    for axis, crossing in enumerate(line.intercepts):
        if crossing is None:
            continue
        place = (crossing, 0.0) if axis == 0 else (0.0, crossing)
        (x, y), *_ = view.drawn(np.array([place]))
        if view.x[0] <= x <= view.x[1] and view.y[0] <= y <= view.y[1]:
            axes.plot([x], [y], marker="o", markersize=4, color=ACCENT, zorder=4)
            label(axes, shown(crossing).replace("-", "−"), (x, y), (10.0, 9.0))


def _draw_measures(axes: "Axes", view: View, zero_set: ZeroSet) -> None:
    """The centre, and the semi-axes with their lengths."""
    if zero_set.centre is None or zero_set.kind == "point":
        return
    centre = np.array(zero_set.centre)
    (cx, cy), *_ = view.drawn(centre[None, :])
    axes.plot([cx], [cy], marker="+", markersize=8, color=INK, markeredgewidth=1.2, zorder=4)
    shown_axes = {"circle": (0,), "ellipse": (0, 1)}.get(
        zero_set.kind, () if zero_set.axis is None else (zero_set.axis,)
    )
    if zero_set.kind in {"line", "crossing lines", "parabola"}:
        return
    for axis in shown_axes:
        length = zero_set.semi_axes[axis] or 0.0
        end = centre + length * np.array(zero_set.axes[axis])
        (ex, ey), *_ = view.drawn(end[None, :])
        axes.plot([cx, ex], [cy, ey], color=INK, linewidth=1.1, zorder=3.5)
        is_level = abs(ex - cx) >= abs(ey - cy)
        beside: dict[str, str] = {"ha": "center"} if is_level else {"ha": "left"}
        label(axes, shown(length), ((cx + ex) / 2, (cy + ey) / 2), (0.0, 9.0) if is_level else (5.0, 0.0), **beside)


def _draw_points(axes: "Axes", view: View, facts: NeuronFacts) -> None:
    """The points that were asked for, and the one that it is to go through."""
    asked = [(each.point, "o") for each in facts.points]
    if facts.through is not None:
        asked.append((facts.through.point, "D"))
    for point, marker in asked:
        (x, y), *_ = view.drawn(np.array([point]))
        if view.x[0] <= x <= view.x[1] and view.y[0] <= y <= view.y[1]:
            axes.plot([x], [y], marker=marker, markersize=5, color=WARM, zorder=5)
            words = f"({shown(point[0])}, {shown(point[1])})".replace("-", "−")
            label(axes, words, (x, y), (0.0, 11.0), color=WARM)
