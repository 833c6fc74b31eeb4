"""A region beside what its network answers: lines, names and sides on the left, the evaluated network on the right."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float

from heldout.anatomy.regions.checks import Checked, View, answers_many, patterns_many, wrong_points
from heldout.anatomy.regions.rules import InPolygon, code_of, codes_of, written
from heldout.anatomy.regions.threshold_layers import Layers
from heldout.anatomy.regions.threshold_units import Pattern
from heldout.reporting.style import (
    ACCENT,
    BAND,
    CLASS_COLOURS,
    INK,
    LINE,
    MUTED,
    PAPER,
    WARM,
    Ticks,
    draw_scales,
    frame,
    new_figure,
    numbers,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# All in inches.
_PANEL = 3.3
_RIGHT, _TOP, _BOTTOM = 0.12, 0.36, 0.62
_ARROW, _LABEL_ROOM = 0.2, 0.13
_LABEL = (0.25, 0.12)  # width and height of a name
_N_GRID = 301
_MOST_NAMED_CELLS, _MOST_DIGITS = 24, 7
_TITLE: Any = {
    "xycoords": "axes fraction",
    "textcoords": "offset points",
    "va": "bottom",
    "weight": "bold",
    "fontsize": 9.5,
}


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of the plane on paper.

    Attributes:
        view: The rectangle.
        size: Its width and height in inches.
    """

    view: View
    size: tuple[float, float]

    def of(self, inches: Float[np.ndarray, "points 2"]) -> Float[np.ndarray, "points 2"]:
        """Points of the plane from inches on the panel."""
        low = np.array([self.view.x[0], self.view.y[0]])
        return np.asarray(low + inches / np.array(self.size) * np.array([float(side) for side in self.view.sides]))


def region_figure(checked: Checked) -> "Figure":
    """Two panels on the same scales: the wanted region, and what the network answers on a grid.

    Args:
        checked: What was found.
    """
    across, along = (float(side) for side in checked.view.sides)
    larger = max(across, along)
    size = (_PANEL * across / larger, _PANEL * along / larger)
    x_scale, y_scale = _scale(*checked.view.x), _scale(*checked.view.y)
    before = 0.27 + 0.07 * max(map(len, y_scale[1]), default=0)
    width, height = 2 * before + 2 * size[0] + _RIGHT, _TOP + size[1] + _BOTTOM
    figure, (left, right) = new_figure(width, height, ncols=2, gridspec_kw={"wspace": before / size[0]})
    place = Place(checked.view, size)
    for axes in (left, right):
        axes.set_xlim(*checked.view.x)
        axes.set_ylim(*checked.view.y)
    _draw_left(left, checked, place)
    n_wrong = _draw_right(right, checked, place)
    for axes in (left, right):
        draw_scales(axes, x=Ticks(*x_scale), y=Ticks(*y_scale))
        (x_low, x_high), (y_low, y_high) = checked.view.x, checked.view.y
        edge = ([x_low, x_high, x_high, x_low, x_low], [y_low, y_low, y_high, y_high, y_low])
        axes.plot(*edge, color=LINE, linewidth=1, zorder=2.5, clip_on=False)
    figure.text(0.06 / width, 0.05 / height, _note(checked, n_wrong), color=MUTED, fontsize=8, ha="left", va="bottom")
    frame(figure, left=before, right=_RIGHT, bottom=_BOTTOM, top=_TOP)
    return figure


def _draw_left(axes: "Axes", checked: Checked, place: Place) -> None:
    lines = _lines(checked, place.size)
    _draw_wanted(axes, checked, place)
    taken = _draw_lines(axes, lines, place)
    _name_cells(axes, checked, place, lines, taken)
    axes.annotate("Wanted", (0, 1), (0, 6), **_TITLE)


def _draw_right(axes: "Axes", checked: Checked, place: Place) -> int:
    """What the network answers; gives at how many points it is wrong."""
    n_wrong = _draw_answers(axes, checked, place)
    _draw_plain_lines(axes, _lines(checked, place.size), place)
    network = checked.answer.networks[0]
    fired = {cell.pattern for cell in checked.answer.arrangement.cells if network.answers(cell.pattern)}
    _draw_thin(axes, checked, place, fired)
    pieces = _shown_pieces(checked)
    if pieces is not None:
        _draw_pieces(axes, checked, place, pieces)
    axes.annotate("What the network answers", (0, 1), (0, 6), **_TITLE)
    return n_wrong


def _lines(checked: Checked, size: tuple[float, float]) -> Float[np.ndarray, "units 3"]:
    """Each half-plane in inches on the panel, its weights one inch long: sums are distances."""
    view, rows = checked.view, []
    for each in checked.answer.arrangement.half_planes:
        row = [each.weights[0] * view.sides[0], each.weights[1] * view.sides[1], each.at(view.low)]
        largest = max(map(abs, row))
        first, second, constant = (float(number / largest) for number in row)
        scaled = np.array([first / size[0], second / size[1], constant])
        rows.append(scaled / np.hypot(*scaled[:2]))
    return np.array(rows)


def _clipped(lines: Float[np.ndarray, "units 3"], pattern: Sequence[bool | None], size: tuple[float, float]) -> Any:
    """The part of the panel where units are on or off as a pattern says; None leaves a unit free. May be empty."""
    corners = np.array([(0, 0), (size[0], 0), size, (0, size[1])], dtype=float)
    for line, fires in zip(lines, pattern, strict=True):
        if fires is None or not len(corners):
            continue
        depth = (corners @ line[:2] + line[2]) * (1 if fires else -1)
        kept: list[Any] = []
        for at in range(len(corners)):
            before, here = depth[at - 1], depth[at]
            if (before < 0) != (here < 0):
                kept.append(corners[at - 1] + before / (before - here) * (corners[at] - corners[at - 1]))
            if here >= 0:
                kept.append(corners[at])
        corners = np.array(kept)
    return corners


def _draw_wanted(axes: "Axes", checked: Checked, place: Place) -> None:
    answer = checked.answer
    if isinstance(answer.rule, InPolygon):
        corners = np.array([[float(number) for number in corner] for corner in answer.rule.polygon.corners])
        axes.fill(corners[:, 0], corners[:, 1], facecolor=BAND, edgecolor=ACCENT, linewidth=1.6, zorder=1)
        return
    lines, wanted = _lines(checked, place.size), set(answer.wanted)
    for cell in answer.arrangement.cells:
        corners = _clipped(lines, cell.pattern, place.size)
        if cell.pattern in wanted and cell.dimension == 2 and len(corners):
            shown = place.of(corners)
            axes.fill(shown[:, 0], shown[:, 1], facecolor=BAND, edgecolor="none", zorder=1)
    _draw_thin(axes, checked, place, wanted)


def _draw_thin(axes: "Axes", checked: Checked, place: Place, chosen: Collection[Pattern]) -> None:
    """Chosen cells without an area: pieces of a line, and points."""
    lines = _lines(checked, place.size)
    for cell in checked.answer.arrangement.cells:
        if cell.pattern not in chosen or cell.dimension == 2:
            continue
        if cell.dimension == 0:
            axes.plot([float(cell.point[0])], [float(cell.point[1])], marker="o", markersize=6, color=ACCENT, zorder=3)
        elif len(corners := _clipped(lines, cell.pattern, place.size)):
            shown = place.of(corners)
            axes.plot(shown[:, 0], shown[:, 1], color=ACCENT, linewidth=4, zorder=2.2)


def _ends(line: Float[np.ndarray, "3"], size: tuple[float, float]) -> Float[np.ndarray, "ends 2"] | None:
    """Where a line enters and leaves the panel, in inches; None where it passes by."""
    foot, along = -line[2] * line[:2], np.array([-line[1], line[0]])
    low, high = -np.inf, np.inf
    for axis in (0, 1):
        if abs(along[axis]) < 1e-12:
            if not 0 <= foot[axis] <= size[axis]:
                return None
            continue
        bounds = sorted(((0 - foot[axis]) / along[axis], (size[axis] - foot[axis]) / along[axis]))
        low, high = max(low, bounds[0]), min(high, bounds[1])
    return foot + np.outer([low, high], along) if low < high else None


def _draw_plain_lines(axes: "Axes", lines: Float[np.ndarray, "units 3"], place: Place) -> None:
    for line in lines:
        ends = _ends(line, place.size)
        if ends is not None:
            shown = place.of(ends)
            axes.plot(shown[:, 0], shown[:, 1], color=INK, linewidth=0.7, alpha=0.45, zorder=2)


def _draw_lines(axes: "Axes", lines: Float[np.ndarray, "units 3"], place: Place) -> list[Any]:
    """Lines with arrows to the side where the unit is on, and names where they do not cover each other.

    Gives the places that are taken, in inches.
    """
    taken: list[Any] = []
    names: list[Any] = []
    for unit, line in enumerate(lines):
        ends = _ends(line, place.size)
        if ends is None:
            continue
        shown = place.of(ends)
        axes.plot(shown[:, 0], shown[:, 1], color=INK, linewidth=1.1, zorder=2)
        mark = _best_mark(ends, line, lines, [*taken], place.size)
        name, tip = mark - _LABEL_ROOM * line[:2], mark + _ARROW * line[:2]
        taken += [name, mark + _ARROW / 2 * line[:2]]
        foot, head = place.of(np.array([mark, tip]))
        axes.annotate(
            "", head, foot, arrowprops={"arrowstyle": "-|>", "color": ACCENT, "shrinkA": 0, "shrinkB": 0}, zorder=4
        )
        if any(abs(name[0] - x) < _LABEL[0] and abs(name[1] - y) < _LABEL[1] for x, y in names):
            continue
        names.append(name)
        x, y = place.of(name[None, :])[0]
        axes.text(x, y, f"h{unit + 1}", ha="center", va="center", fontsize=8.5, color=ACCENT, weight="bold", zorder=4)
    return taken


def _best_mark(ends: Any, line: Any, lines: Any, taken: Sequence[Any], size: tuple[float, float]) -> Any:
    """Where on a line its name stands: far from other lines, other names and the edge of the panel."""
    candidates = ends[0] + np.linspace(0.04, 0.96, 47)[:, None] * (ends[1] - ends[0])
    room = np.full(len(candidates), 0.5)
    for spot in (candidates - _LABEL_ROOM * line[:2], candidates + _ARROW * line[:2]):
        inner = np.minimum(spot, np.array(size) - spot).min(axis=1)
        room = np.minimum(room, 2 * inner)
        for other in lines:
            if abs(other[0] * line[1] - other[1] * line[0]) > 1e-9:
                room = np.minimum(room, np.abs(spot @ other[:2] + other[2]))
        for each in taken:
            room = np.minimum(room, 0.7 * np.hypot(*(spot - each).T))
    # Of places with as much room, the one nearest to an end: names in the middle would stand in the region.
    return candidates[int(np.argmax(np.minimum(room, 0.3) + 0.02 * np.abs(np.linspace(-1, 1, 47))))]


def _name_cells(axes: "Axes", checked: Checked, place: Place, lines: Any, taken: Sequence[Any]) -> None:
    """The pattern of each cell where it has most room; of slivers none."""
    plane = checked.answer.arrangement
    if not _are_cells_named(checked):
        return
    unit_points = _grid(120)
    spots = unit_points * np.array(place.size)
    codes = codes_of(patterns_many(plane.half_planes, plane.step, unit_points, checked.view))
    half_width = 0.033 * len(lines) + 0.03
    reach = np.array([half_width, 0.07])
    # How far the nearest line is beyond the corner of the name's box.
    room = np.min(np.abs(spots @ lines[:, :2].T + lines[:, 2]) - np.abs(lines[:, :2]) @ reach, axis=1)
    room = np.minimum(room, np.min(np.minimum(spots, np.array(place.size) - spots) - reach, axis=1))
    for each in taken:
        room = np.minimum(room, np.max(np.abs(spots - each) - reach - 0.07, axis=1))
    for cell in plane.cells:
        inside = np.flatnonzero(codes == code_of(cell.pattern))
        if cell.dimension < 2 or not len(inside) or room[inside].max() < 0:
            continue
        # Of places with room enough, the one nearest to the middle of what is seen of the cell.
        off_middle = np.hypot(*(spots[inside] - spots[inside].mean(axis=0)).T)
        best = inside[int((np.minimum(room[inside], 0.06) - 0.05 * off_middle).argmax())]
        x, y = place.of(spots[best][None, :])[0]
        axes.text(x, y, written(cell.pattern), ha="center", va="center", fontsize=7.5, color=MUTED, zorder=3)


def _are_cells_named(checked: Checked) -> bool:
    plane = checked.answer.arrangement
    return plane.n_pieces <= _MOST_NAMED_CELLS and len(plane.half_planes) <= _MOST_DIGITS


def _draw_answers(axes: "Axes", checked: Checked, place: Place) -> int:
    """What the network says on a grid, wrong points as crosses; gives how many are wrong."""
    from matplotlib.colors import ListedColormap

    network = checked.answer.networks[0]
    unit_points = _grid(_N_GRID)
    answers: Bool[np.ndarray, " points"] = answers_many(network, unit_points, checked.view)
    axes.imshow(
        answers.reshape(_N_GRID, _N_GRID),
        origin="lower",
        extent=(*checked.view.x, *checked.view.y),
        cmap=ListedColormap([PAPER, BAND]),
        vmin=0,
        vmax=1,
        interpolation="nearest",
        aspect="auto",
        zorder=0.5,
    )
    wrong = wrong_points(checked.answer, network, unit_points, checked.view)
    if wrong.any():
        spots = place.of(unit_points[wrong] * np.array(place.size))
        axes.plot(spots[:, 0], spots[:, 1], "x", color=WARM, markersize=3, linestyle="none", zorder=5)
    return int(wrong.sum())


def _shown_pieces(checked: Checked) -> Layers | None:
    layers = checked.answer.layers
    is_shown = checked.answer.readout is None and layers is not None and len(layers.terms) <= len(CLASS_COLOURS)
    return layers if is_shown else None


def _draw_pieces(axes: "Axes", checked: Checked, place: Place, layers: Layers) -> None:
    """The outline and the name of each AND's piece."""
    lines, plane = _lines(checked, place.size), checked.answer.arrangement
    unit_points = _grid(80)
    spots = unit_points * np.array(place.size)
    patterns = patterns_many(plane.half_planes, plane.step, unit_points, checked.view)
    held = np.array(
        [patterns[:, list(term.on)].all(axis=1) & ~patterns[:, list(term.off)].any(axis=1) for term in layers.terms]
    )
    room = np.min(np.abs(spots @ lines[:, :2].T + lines[:, 2]), axis=1)
    for number, (term, colour) in enumerate(zip(layers.terms, CLASS_COLOURS, strict=False)):
        pattern = [True if unit in term.on else False if unit in term.off else None for unit in range(len(lines))]
        corners = _clipped(lines, pattern, place.size)
        if not len(corners) or not held[number].any():
            continue
        shown = place.of(corners)
        axes.fill(shown[:, 0], shown[:, 1], facecolor="none", edgecolor=colour, linewidth=1.5, zorder=3)
        # Where as few other pieces as can be lie over it, and then where there is most room.
        inside = np.flatnonzero(held[number])
        best = inside[int((room[inside] - 10 * held[:, inside].sum(axis=0)).argmax())]
        x, y = place.of(spots[best][None, :])[0]
        axes.text(x, y, f"g{number + 1}", ha="center", va="center", fontsize=9, color=colour, weight="bold", zorder=4)


def _grid(n_steps: int) -> Float[np.ndarray, "points 2"]:
    """The middles of squares that fill the view, row by row from the bottom; 0 to 1 along both sides."""
    steps = (np.arange(n_steps) + 0.5) / n_steps
    return np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)


def _note(checked: Checked, n_wrong: int) -> str:
    names = " Cells are named by the units that are on, h1 first." if _are_cells_named(checked) else ""
    pieces = " Outlined are the pieces of the AND neurons." if _shown_pieces(checked) else ""
    told = "none wrong" if not n_wrong else f"{n_wrong:,} wrong, marked by crosses"
    return (
        f"Arrows point to the side where a unit is on.{names}\n"
        f"The network was asked at {_N_GRID:,} × {_N_GRID:,} points: {told}.{pieces}"
    )


def _scale(low: float, high: float) -> tuple[list[float], list[str]]:
    """Places and words of a scale; far from 0 few with all their digits."""
    places = numbers(low, high, n_most=5)
    words = [f"{place:g}" for place in places]
    if len(set(words)) < len(words):
        places = [low + (high - low) / 4, high - (high - low) / 4]
        words = [f"{place:.15g}" for place in places]
    return places, [word.replace("-", "−") for word in words]
