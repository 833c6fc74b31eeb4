"""The cells of a network over the plane of its two columns: tinted by the answer, the exact boundary on top."""

from typing import TYPE_CHECKING

import numpy as np

from heldout.explaining.regions.cells_facts import RegionCells
from heldout.reporting.style import (
    CLASS_COLOURS,
    INK,
    KEY_ROW,
    MUTED,
    PAPER,
    Ticks,
    draw_scales,
    frame,
    key_in_rows,
    key_rows,
    label_text,
    new_figure,
    numbers,
    title_beside,
)
from heldout.reporting.wording import count

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# In inches.
_WIDTH, _PLOT_HEIGHT, _LEFT, _RIGHT, _BOTTOM = 5.6, 3.7, 0.72, 0.42, 0.78
_NAMES_ROW = 0.2
# With more units than these their names would hide each other, and no one could follow their lines.
_MOST_NAMED = 12
# More dots than these hide the cells.
_MOST_DOTS = 600
# More pieces than these are stored as a picture: as shapes they would take 100 bytes each.
_MOST_SHAPES = 3000
_SHADE = 0.16


def region_cells_figure(facts: RegionCells) -> "Figure":
    """Cells in light ink, tinted by the class that is answered, the boundary in strong ink, examples as dots."""
    entries = _key(facts)
    n_rows = key_rows(entries, _WIDTH)
    has_names = 0 < _n_named(facts) <= _MOST_NAMED
    top = 0.12 + KEY_ROW * n_rows + (_NAMES_ROW if has_names else 0.0)
    figure, (axes,) = new_figure(_WIDTH, top + _PLOT_HEIGHT + _BOTTOM)
    (x_low, y_low), (x_high, y_high) = facts.window
    axes.set_xlim(x_low, x_high)
    axes.set_ylim(y_low, y_high)
    _tint(axes, facts)
    _cell_lines(axes, facts)
    n_dots = _dots(axes, facts)
    for line in facts.boundary.lines:
        points = facts.units.points(line.points)
        axes.plot(points[:, 0], points[:, 1], color=INK, linewidth=1.7, zorder=3, solid_joinstyle="round")
    if has_names:
        _unit_names(axes, facts)
    _scales(axes, facts)
    key_in_rows(figure, entries, n_rows)
    _note(figure, facts, n_dots)
    frame(figure, left=_LEFT, right=_RIGHT, bottom=_BOTTOM, top=top)
    return figure


def _colours(n_classes: int) -> list[str]:
    return [*CLASS_COLOURS, *[MUTED] * n_classes][:n_classes]


def _tint(axes: "Axes", facts: RegionCells) -> None:
    from matplotlib.collections import PolyCollection

    colours = _colours(len(facts.classes))
    parts = facts.boundary.parts
    for answer in sorted({part.answer for part in parts}):
        shapes = [facts.units.points(part.polygon) for part in parts if part.answer == answer]
        axes.add_collection(
            PolyCollection(
                shapes,
                facecolors=[(colours[answer], _SHADE)],
                edgecolors="none",
                # Neighbours of one tint show no seam between them.
                antialiased=False,
                rasterized=len(parts) > _MOST_SHAPES,
                zorder=0.5,
            ),
            autolim=False,
        )


def _cell_lines(axes: "Axes", facts: RegionCells) -> None:
    """The straight pieces on which units change sides; those of the first layer a little stronger."""
    from matplotlib.collections import LineCollection

    lines, n_first = facts.cells.unit_lines, facts.cells.widths[0] if facts.cells.widths else 0
    n_pieces = sum(len(pieces) for pieces in lines)
    thinner = float(np.clip((60 / max(n_pieces, 1)) ** 0.4, 0.3, 1.0))
    for some, width in ((lines[:n_first], 0.9), (lines[n_first:], 0.6)):
        ends = [facts.units.points(piece) for pieces in some for piece in pieces]
        if ends:
            axes.add_collection(
                LineCollection(
                    ends,
                    colors=[(MUTED, 0.65)],
                    linewidths=width * thinner,
                    rasterized=n_pieces > _MOST_SHAPES,
                    zorder=1,
                ),
                autolim=False,
            )


def _dots(axes: "Axes", facts: RegionCells) -> int:
    """Examples as dots, mistakes as crosses, each in the colour of the true class; how many are drawn."""
    examples = facts.examples
    if examples is None:
        return 0
    colours = _colours(len(facts.classes))
    inside = np.flatnonzero(examples.cells >= 0)
    # Evenly from their order, which is that of the table: always the same ones.
    kept = inside[np.unique(np.linspace(0, len(inside) - 1, min(len(inside), _MOST_DOTS)).round().astype(int))]
    wrong = examples.labels != examples.predicted
    size = float(np.clip(260 / np.sqrt(len(kept) + 1), 5, 14))
    for index, colour in enumerate(colours):
        own = kept[examples.labels[kept] == index]
        for some, marker, scale, ink, width, order in (
            (own[~wrong[own]], "o", 1.0, colour, 0.0, 2.0),
            (own[wrong[own]], "x", 2.2, PAPER, 1.7, 4.0),
            (own[wrong[own]], "x", 2.2, colour, 0.9, 4.1),
        ):
            x, y = examples.points[some].T
            alpha = 0.7 if marker == "o" else 1.0
            axes.scatter(x, y, s=size * scale, marker=marker, color=ink, linewidths=width, alpha=alpha, zorder=order)
    return len(kept)


def _n_named(facts: RegionCells) -> int:
    return sum(unit.layer == 1 and unit.state == "cuts" for unit in facts.hidden)


def _unit_names(axes: "Axes", facts: RegionCells) -> None:
    """The names of the first layer's units where their lines leave the window: above it, or right of it."""
    above: list[tuple[float, str]] = []
    beside: list[tuple[float, str]] = []
    low, high = facts.window
    for unit, pieces in zip(facts.hidden, facts.cells.unit_lines, strict=True):
        if unit.layer > 1 or not len(pieces) or unit.same_as:
            continue
        ends = (facts.units.points(pieces[0]) - low) / (high - low)
        x, y = max(ends.tolist(), key=max)
        (above if y >= x else beside).append((x if y >= x else y, unit.name))
    for places, room, is_above in ((above, 0.05, True), (beside, 0.042, False)):
        last = -np.inf
        for place, name in sorted(places):
            last = max(place, last + room)  # where two lines leave close together the later name moves on
            _name(axes, name, place, last, is_above=is_above)


def _name(axes: "Axes", name: str, place: float, moved: float, *, is_above: bool) -> None:
    """A name beside the window, and a tick from where its line leaves it at `place` to the name at `moved`."""
    # Shares of the window, so that the names stand a fixed way off it whatever the units are.
    across = 0.018
    line = [(place, 1.0), (moved, 1.0 + across)] if is_above else [(1.0, place), (1.0 + 0.7 * across, moved)]
    axes.plot(*zip(*line, strict=True), transform=axes.transAxes, color=MUTED, alpha=0.65, linewidth=0.6, clip_on=False)
    axes.annotate(
        name,
        line[1],
        (0, 1) if is_above else (2, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="center" if is_above else "left",
        va="bottom" if is_above else "center",
        fontsize=7.5,
        color=MUTED,
        annotation_clip=False,
    )


def _scales(axes: "Axes", facts: RegionCells) -> None:
    x_places, y_places = numbers(*axes.get_xlim()), numbers(*axes.get_ylim())
    x_words, y_words = ([f"{place:g}".replace("-", "−") for place in places] for places in (x_places, y_places))
    draw_scales(axes, x=Ticks(x_places, x_words, label_text(facts.columns[0], 60)), y=Ticks(y_places, y_words))
    title_beside(axes, label_text(facts.columns[1], 44), 14 + 5.2 * max((len(word) for word in y_words), default=0))


def _key(facts: RegionCells) -> "list[Artist]":
    from matplotlib.lines import Line2D

    names = [label_text(name, 18) for name in facts.classes]
    if len(names) > len(CLASS_COLOURS):
        names = [*names[: len(CLASS_COLOURS)], f"{len(names) - len(CLASS_COLOURS):,} more"]
    marker = "o" if facts.examples is not None else "s"
    entries: list[Artist] = [
        Line2D([], [], marker=marker, linestyle="none", color=colour, markersize=5, label=name)
        for name, colour in zip(names, [*CLASS_COLOURS, MUTED], strict=False)
    ]
    if facts.examples is not None:
        entries.append(Line2D([], [], marker="x", linestyle="none", color=INK, markersize=5, label="answered wrong"))
    if facts.boundary.lines:
        entries.append(Line2D([], [], color=INK, linewidth=1.7, label="the answer changes"))
    if len(facts.cells) > 1:
        entries.append(Line2D([], [], color=MUTED, alpha=0.65, linewidth=0.9, label="a unit changes sides"))
    return entries


def _note(figure: "Figure", facts: RegionCells, n_dots: int) -> None:
    """How many cells there are, and how many examples are drawn."""
    notes = [f"{count(len(facts.cells), 'cell')}; the answer changes in {facts.boundary.n_cells:,}."]
    examples = facts.examples
    if examples is not None:
        n_outside = int((examples.cells < 0).sum())
        all_of = (
            f"All {examples.n_all:,}" if n_dots + n_outside == examples.n_all else f"{n_dots:,} of {examples.n_all:,}"
        )
        beyond = f", {n_outside:,} of them outside" if n_outside else ""
        notes.append(f"{all_of} {examples.part} examples{beyond}.")
    width, height = figure.get_size_inches()
    figure.text(0.06 / width, 0.06 / height, " ".join(notes), color=MUTED, fontsize=8, ha="left", va="bottom")
