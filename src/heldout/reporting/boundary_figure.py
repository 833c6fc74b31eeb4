"""The decision boundary: what is answered where, the examples over it, mistakes as crosses; one run, or several."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from heldout.measuring.boundary import Boundary, Line
from heldout.records import write_atomic
from heldout.reporting.style import (
    CLASS_COLOURS,
    INK,
    KEY_ROW,
    MUTED,
    PAPER,
    Ticks,
    draw_scales,
    figure_style,
    frame,
    key_in_rows,
    key_rows,
    label_text,
    new_figure,
    numbers,
    saved,
    title_beside,
)
from heldout.reporting.wording import count, listing, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

# One class has a shade of its own from each of these probabilities on.
SHADE_STEPS = (0.75, 0.95)
_SHADE = 0.11
# In cells of the grid, from the middle of a region to its edge: a name needs so much room.
_NARROWEST_NAMED = 6
# More dots than these are stored as a picture: as shapes they would take 100 bytes each (measured 2026-11-22).
_MOST_SHAPES = 1500
# All in inches.
_WIDTH, _PLOT_HEIGHT = 5.6, 3.2
_PANEL_WIDTH, _PANEL_HEIGHT = 3.3, 2.5
_LEFT = 0.72
_NOTE_ROW = 0.155


@dataclass(frozen=True, slots=True)
class Panel:
    """One run of several beside each other: `note` stands under the title, such as its scores."""

    title: str
    boundary: Boundary
    note: str = ""


def boundary_figure(boundary: Boundary) -> "Figure":
    """The regions of one run, its examples over them, and below how many of them are drawn."""
    notes = _footnotes([boundary])
    entries = _key_entries(boundary)
    n_rows = key_rows(entries, _WIDTH)
    top, bottom = 0.12 + KEY_ROW * n_rows, 0.58 + _NOTE_ROW * len(notes)
    height = top + _PLOT_HEIGHT + bottom
    figure, (axes,) = new_figure(_WIDTH, height)
    _draw(axes, boundary, (boundary.x[0], boundary.x[-1]), (boundary.y[0], boundary.y[-1]))
    _scales(axes, boundary, with_titles=(True, True))
    key_in_rows(figure, entries, n_rows)
    _notes(figure, notes)
    frame(figure, left=_LEFT, right=0.12, bottom=bottom, top=top)
    return figure


def boundaries_figure(panels: Sequence[Panel]) -> "Figure":
    """Several runs on the same axes, up to three in a row.

    Args:
        panels: At least one; of the same plane and the same classes.
    """
    n_columns = 2 if len(panels) == 4 else min(len(panels), 3)
    n_rows = ceil(len(panels) / n_columns)
    first = panels[0].boundary
    notes = _footnotes([panel.boundary for panel in panels])
    n_lines = max(panel.note.count("\n") + bool(panel.note) for panel in panels)
    title = 0.26 + 0.16 * n_lines
    entries = _key_entries(first)
    width = _LEFT + n_columns * _PANEL_WIDTH
    n_key_rows = key_rows(entries, width)
    top, bottom = 0.16 + KEY_ROW * n_key_rows + title, 0.58 + _NOTE_ROW * len(notes)
    between = title + 0.3
    height = top + n_rows * _PANEL_HEIGHT + (n_rows - 1) * between + bottom
    spaces = {"wspace": 0.06, "hspace": between / _PANEL_HEIGHT}
    figure, every = new_figure(width, height, nrows=n_rows, ncols=n_columns, gridspec_kw=spaces)
    x_range, y_range = (_common(panels, name) for name in ("x", "y"))
    for place, axes in enumerate(every):
        if place >= len(panels):
            axes.set_axis_off()
            continue
        panel = panels[place]
        _draw(axes, panel.boundary, x_range, y_range)
        is_lowest = place + n_columns >= len(panels)
        _scales(axes, panel.boundary, with_titles=(is_lowest, place % n_columns == 0))
        _titles(axes, panel, n_lines)
    key_in_rows(figure, entries, n_key_rows)
    _notes(figure, notes)
    frame(figure, left=_LEFT, right=0.1, bottom=bottom, top=top)
    return figure


def write_boundaries(panels: Sequence[Panel], target: Path) -> tuple[Path, Path]:
    """The paths of the SVG and the PNG that show several runs beside each other.

    Args:
        panels: As in `boundaries_figure`.
        target: Where they go, without an ending.

    Raises:
        StorageError: The disk refused.
    """
    with figure_style():
        figure = boundaries_figure(panels)
        svg, png = saved(figure, "svg"), saved(figure, "png")
    return (
        write_atomic(target.with_name(f"{target.name}.svg"), svg),
        write_atomic(target.with_name(f"{target.name}.png"), png),
    )


def told_boundary(boundary: Boundary) -> str:
    """What the figure shows, in words for those who do not see it."""
    shares = np.bincount(boundary.decided.ravel(), minlength=len(boundary.classes)) / boundary.decided.size
    named = [
        f"{label_text(boundary.classes[index], 40)} on {percent(float(shares[index]))}"
        for index in np.argsort(-shares, kind="stable")[:5]
        if shares[index]
    ]
    return (
        f"Regions of the answers: {', '.join(named)} of the plane drawn. {boundary.words} "
        f"{equation_of(boundary)}{' '.join(_footnotes([boundary]))}"
    )


def equation_of(boundary: Boundary) -> str:
    """The exact line as an equation in the names of its axes, with a full stop and a space; empty where there is none.

    It is scaled so that the larger weight is 1.
    """
    line = boundary.line
    if line is None:
        return ""
    x_name, y_name = (label_text(title, 40) for title in boundary.titles)
    by = max(abs(line.x_weight), abs(line.y_weight))
    if abs(line.x_weight) < by:
        by, names, other = line.y_weight, (y_name, x_name), line.x_weight
    else:
        by, names, other = line.x_weight, (x_name, y_name), line.y_weight
    slope, constant = -other / by, -line.constant / by
    tail = f" {'−' if slope < 0 else '+'} {abs(slope):.4g} × {names[1]}" if slope else ""
    return f"The answer changes where {names[0]} = {constant:.4g}{tail}. ".replace("= -", "= −")


def _draw(axes: "Axes", boundary: Boundary, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
    axes.set_xlim(*x_range)
    axes.set_ylim(*y_range)
    colours = _colours(len(boundary.classes))
    for index in np.unique(boundary.decided):
        field = _region(boundary, int(index))
        sure = np.where(boundary.decided == index, boundary.probability, 1 - boundary.probability)
        for depth in (None, *SHADE_STEPS):
            shown = field if depth is None else np.minimum(field, sure - depth)
            if (shown > 0).any():
                top = float(shown.max()) + 1
                axes.contourf(
                    boundary.x, boundary.y, shown, [0, top], colors=[colours[index]], alpha=_SHADE, zorder=0.5
                )
    _edges(axes, boundary)
    _points(axes, boundary, colours)
    if len(boundary.classes) > 2:
        _name_regions(axes, boundary)


def _region(boundary: Boundary, index: int) -> Float[np.ndarray, "rows columns"]:
    """A field above 0 where the class is answered, and continuous where the answer changes."""
    if boundary.line is not None:
        side = _distance(boundary.line, boundary)
        return side if index == 1 else -side
    return np.where(boundary.decided == index, boundary.margin, -boundary.margin)


def _distance(line: Line, boundary: Boundary) -> Float[np.ndarray, "rows columns"]:
    return np.asarray(line.x_weight * boundary.x[None, :] + line.y_weight * boundary.y[:, None] + line.constant)


def _edges(axes: "Axes", boundary: Boundary) -> None:
    if boundary.line is not None:
        line = boundary.line
        (x_low, x_high), (y_low, y_high) = axes.get_xlim(), axes.get_ylim()
        centre = np.array([(x_low + x_high) / 2, (y_low + y_high) / 2])
        normal = np.array([line.x_weight, line.y_weight])
        foot = centre - (centre @ normal + line.constant) * normal
        reach = 2 * (x_high - x_low + y_high - y_low + abs(float((centre - foot) @ normal)))
        ends = np.array([foot - reach * normal[::-1] * (1, -1), foot + reach * normal[::-1] * (1, -1)])
        axes.plot(ends[:, 0], ends[:, 1], color=INK, linewidth=1.6, zorder=4.5)
        return
    shown = np.unique(boundary.decided)
    for index in shown if len(shown) > 2 else shown[1:]:
        field = _region(boundary, int(index))
        axes.contour(boundary.x, boundary.y, field, [0.0], colors=[INK], linewidths=1.0, zorder=4.5)


def _name_regions(axes: "Axes", boundary: Boundary) -> None:
    """The class of each region at the place in it that is farthest from its edge; of small slivers none."""
    from scipy.ndimage import distance_transform_edt

    for index in np.unique(boundary.decided):
        depth = distance_transform_edt(np.pad(boundary.decided == index, 1))[1:-1, 1:-1]
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        if depth[row, column] < _NARROWEST_NAMED:
            continue
        axes.text(
            float(boundary.x[column]),
            float(boundary.y[row]),
            label_text(boundary.classes[index], 18),
            ha="center",
            va="center",
            fontsize=8.5,
            color=INK,
            zorder=5,
            bbox={"boxstyle": "round,pad=0.2", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.75},
        )


def _points(axes: "Axes", boundary: Boundary, colours: Sequence[str]) -> None:
    """Right answers as dots, mistakes as crosses on top, each in the colour of the true class."""
    wrong = boundary.labels != boundary.predicted
    as_picture = len(boundary.labels) > _MOST_SHAPES
    # Dots shrink as they grow in number, so that a dense middle still shows where it is densest.
    size = float(np.clip(260 / np.sqrt(len(boundary.labels) + 1), 1.6, 14))
    # The commonest class first, so that it does not bury the others.
    for index in np.argsort(-np.bincount(boundary.labels, minlength=len(boundary.classes)), kind="stable"):
        own = boundary.labels == index
        for chosen, marker, scale, strength in ((own & ~wrong, "o", 1.0, 0.55), (own & wrong, "x", 2.2, 0.95)):
            x, y = boundary.points[chosen, 0], boundary.points[chosen, 1]
            if marker == "x":
                axes.scatter(
                    x, y, s=size * scale, marker="x", color=PAPER, linewidths=1.5, zorder=4, rasterized=as_picture
                )
                axes.scatter(
                    x,
                    y,
                    s=size * scale,
                    marker="x",
                    color=colours[index],
                    linewidths=0.8,
                    alpha=strength,
                    zorder=4.1,
                    rasterized=as_picture,
                )
            else:
                axes.scatter(
                    x,
                    y,
                    s=size,
                    marker="o",
                    color=colours[index],
                    linewidths=0,
                    alpha=strength,
                    zorder=2,
                    rasterized=as_picture,
                )


def _scales(axes: "Axes", boundary: Boundary, *, with_titles: tuple[bool, bool]) -> None:
    x_places, y_places = numbers(*axes.get_xlim()), numbers(*axes.get_ylim())
    x_title = label_text(boundary.titles[0], 60) if with_titles[0] else ""
    x_words = [f"{place:g}".replace("-", "−") for place in x_places]
    y_words = [f"{place:g}".replace("-", "−") if with_titles[1] else "" for place in y_places]
    draw_scales(axes, x=Ticks(x_places, x_words, x_title), y=Ticks(y_places, y_words))
    if with_titles[1]:
        longest = max((len(word) for word in y_words), default=0)
        title_beside(axes, label_text(boundary.titles[1], 44), 14 + 5.2 * longest)


def _key_entries(boundary: Boundary) -> "list[Line2D]":
    """The classes, what a cross is, and the line."""
    from matplotlib.lines import Line2D

    names = [label_text(name, 18) for name in boundary.classes]
    if len(names) > len(CLASS_COLOURS):
        names = [*names[: len(CLASS_COLOURS)], f"{len(names) - len(CLASS_COLOURS):,} more"]
    colours = [*CLASS_COLOURS, MUTED]
    entries = [
        Line2D([], [], marker="o", linestyle="none", color=colour, markersize=5, label=name)
        for name, colour in zip(names, colours, strict=False)
    ]
    entries.append(Line2D([], [], marker="x", linestyle="none", color=INK, markersize=5, label="answered wrong"))
    if boundary.line is not None or len(np.unique(boundary.decided)) > 1:
        entries.append(Line2D([], [], color=INK, linewidth=1.4, label="where the answer changes"))
    return entries


def _notes(figure: "Figure", notes: Sequence[str]) -> None:
    width, height = figure.get_size_inches()
    figure.text(0.06 / width, 0.05 / height, "\n".join(notes), color=MUTED, fontsize=8, ha="left", va="bottom")


def _titles(axes: "Axes", panel: Panel, n_lines: int) -> None:
    """Title and note of a panel, above it; notes have up to `n_lines`."""
    place: Any = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "bottom"}
    axes.annotate(panel.title, (0, 1), (0, 5 + 11.5 * n_lines), weight="bold", fontsize=9.5, **place)
    axes.annotate(panel.note, (0, 1), (0, 5), fontsize=8.5, color=MUTED, **place)


def _footnotes(boundaries: Sequence[Boundary]) -> list[str]:
    """What a reader must know to read the figure: shades, how many are drawn, how many lie outside."""
    steps = " and ".join(f"{100 * step:g} %" for step in SHADE_STEPS)
    lines = [f"Shades deepen where the probability passes {steps}."]
    first = boundaries[0]
    if all((each.n, each.n_drawn, each.n_outside) == (first.n, first.n_drawn, first.n_outside) for each in boundaries):
        wrong = listing([f"{each.n_mistakes:,}" for each in boundaries])
        drawn = listing([f"{each.n_mistakes_drawn:,}" for each in boundaries])
        if first.n_drawn < first.n:
            told = (
                f"Drawn are {first.n_drawn:,} of {count(first.n, f'{first.part} example')}, at random; "
                f"{drawn} of {wrong} mistakes."
            )
        else:
            told = f"All {count(first.n, f'{first.part} example')} are drawn, {wrong} of them answered wrong."
        lines.append(told + (f" {first.n_outside:,} lie outside." if first.n_outside else ""))
    if first.kind != "inputs":
        agreement = listing([percent(each.agreement) for each in boundaries])
        lines.append(f"Of the drawn, {agreement} were answered as the plane shows beneath them.")
    return lines


def _colours(n_classes: int) -> list[str]:
    """A colour a class; those beyond the palette share the muted one."""
    return [*CLASS_COLOURS, *[MUTED] * n_classes][:n_classes]


def _common(panels: Sequence[Panel], name: str) -> tuple[float, float]:
    every = [getattr(panel.boundary, name) for panel in panels]
    return min(float(each[0]) for each in every), max(float(each[-1]) for each in every)
