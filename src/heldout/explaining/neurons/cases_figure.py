"""Every case of a neuron as a small drawing: a row of the table beside the other."""

import math
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from heldout.anatomy.neurons.facts import with_bias
from heldout.anatomy.neurons.lines import line_of
from heldout.anatomy.neurons.neurons import Bell, Neuron, Quadratic
from heldout.anatomy.neurons.polynomials import ONE, ZERO, number
from heldout.anatomy.neurons.zero_set_cases import Case, Cases, Signs
from heldout.anatomy.neurons.zero_sets import ZeroSet, zero_set_of
from heldout.explaining.neurons.conditions import (
    level_condition,
    level_formula,
    quadratic_of_body,
    shape_name,
    size_formula,
    weights_condition,
)
from heldout.explaining.neurons.drawing import View, draw_asymptotes, draw_zero_set, label, set_view, shade
from heldout.explaining.neurons.formulas import polynomial_formula, quadratic_formula
from heldout.reporting.style import ACCENT, BAND, INK, KEY_ROW, LINE, MUTED, frame, key_in_rows, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# In inches: of a panel in a large table, and in one of a single row or column.
_SMALL, _LARGE = 1.02, 1.7
_REACH = 1.9
# Characters below a large panel.
_LONGEST = 28
_N_CELLS = 60
_LEVELS = {1: Fraction(1), 0: Fraction(0), -1: Fraction(-1)}


def cases_figure(neuron: Neuron, cases: Cases) -> "Figure":
    """The table of cases as drawings: each with weights and a level of its signs, about its centre."""
    signs, levels = cases.signs, cases.levels
    upright = len(signs) > len(levels)
    rows, columns = (levels, signs) if upright else (signs, levels)
    side = _LARGE if len(columns) * len(rows) <= 8 else _SMALL
    n_lines = max(1, *(_heading(neuron, cases, each).count("\n") + 1 for each in columns))
    left = 1.15 if len(rows) > 1 else 0.1
    below = 0.26 if len(rows) > 1 else 0.58
    top = 0.2 + KEY_ROW + 0.155 * n_lines
    width, height = left + len(columns) * (side + 0.08) + 0.06, top + len(rows) * (side + below) + 0.04
    grid = {"wspace": 0.08 / side, "hspace": below / side}
    figure, every = new_figure(width, height, nrows=len(rows), ncols=len(columns), gridspec_kw=grid)
    amplitude = cases.amplitude or ONE
    _key(figure, note="" if amplitude.is_number else f"drawn for {polynomial_formula(amplitude).plain} > 0")
    for place, axes in enumerate(every):
        row, column = rows[place // len(columns)], columns[place % len(columns)]
        sign, level = (column, row) if upright else (row, column)
        assert isinstance(sign, tuple), "weights have two signs"
        assert not isinstance(level, tuple), "a level has one"
        case = cases.at(sign, level)
        size = _size_words(neuron, cases, case) if side == _LARGE else ""
        _panel(axes, _example(neuron, cases, case), shape_name(cases, case), size)
        if place < len(columns):
            axes.annotate(_heading(neuron, cases, column), (0.5, 1), (0, 4), **_beside(), ha="center", va="bottom")
        if len(rows) > 1 and place % len(columns) == 0:
            axes.annotate(_heading(neuron, cases, row), (0, 0.5), (-6, 0), **_beside(), ha="right", va="center")
    frame(figure, left=left, right=0.06, bottom=below, top=top)
    return figure


def line_cases_figure(neuron: Neuron) -> "Figure":
    """Which way a line moves when its bias grows, for each sign of the weights that can be."""
    panels = _line_panels(neuron)
    side, top, below = 1.9, 0.36 + KEY_ROW, 0.3
    width = len(panels) * (side + 0.12) + 0.1
    width = max(width, 3.6)
    figure, every = new_figure(width, top + side + below, ncols=len(panels), gridspec_kw={"wspace": 0.12 / side})
    _key(figure, with_change=True)
    for axes, (title, below_title, weights) in zip(every, panels, strict=True):
        _line_panel(axes, weights)
        axes.annotate(title, (0.5, 1), (0, 4), **_beside(), ha="center", va="bottom")
        axes.annotate(below_title, (0.5, 0), (0, -4), **_beside(), ha="center", va="top")
    frame(figure, left=0.1, right=width - 0.1 - len(panels) * side - (len(panels) - 1) * 0.12, bottom=below, top=top)
    return figure


def _beside() -> dict[str, Any]:
    return {"xycoords": "axes fraction", "textcoords": "offset points", "fontsize": 8, "color": INK}


def _key(figure: "Figure", *, with_change: bool = False, note: str = "") -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    name = "z" if with_change else "y"
    entries = [
        Line2D([], [], color=ACCENT, linewidth=2, label=f"{name} = 0"),
        Patch(facecolor=BAND, edgecolor=MUTED, linewidth=0.6, label=f"{name} above 0"),
    ]
    if with_change:
        entries.append(Line2D([], [], color=ACCENT, linewidth=1.4, linestyle=(0, (4, 2)), label="with a larger b"))
    if note:
        entries.append(Line2D([], [], linestyle="none", label=note))
    key_in_rows(figure, entries, 1)


def _heading(neuron: Neuron, cases: Cases, each: Signs | int | None) -> str:
    """The condition of a row or a column; a line a weight."""
    if isinstance(each, tuple):
        return weights_condition(cases, each).plain.replace(", ", "\n").replace("-", "−")
    return level_condition(neuron, cases, each).plain.replace("-", "−")


def _size_words(neuron: Neuron, cases: Cases, case: Case) -> str:
    """How large the shape is, a line a part; nothing where that is too long for a panel."""
    if case.kind in {"empty", "plane"}:
        return ""
    words = size_formula(neuron, cases, case, level=level_formula(cases)).plain
    lines = words.removeprefix("semi-axes ").split(", ")
    if case.kind == "point":
        lines = [", ".join(lines)]
    return "\n".join(lines).replace("-", "−") if max(map(len, lines)) <= _LONGEST and len(lines) <= 2 else ""


def _panel(axes: "Axes", zero_set: ZeroSet, name: str, size: str) -> None:
    view = View((0.0, 0.0), 1.0, (-_REACH, _REACH), (-_REACH, _REACH))
    _empty_panel(axes, view)
    shade(axes, view, zero_set, n_cells=_N_CELLS)
    draw_asymptotes(axes, view, zero_set)
    draw_zero_set(axes, view, zero_set, linewidth=1.8)
    words = {"empty": "no point", "plane": "whole plane"}.get(name, name)
    colour = MUTED if name == "empty" else INK
    axes.annotate(words, (0.5, 0), (0, -4), **_beside() | {"color": colour}, ha="center", va="top")
    axes.annotate(size, (0.5, 0), (0, -16), **_beside() | {"color": MUTED}, ha="center", va="top")


def _empty_panel(axes: "Axes", view: View) -> None:
    """A frame with a cross at the centre."""
    set_view(axes, view)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color(LINE)
    axes.axhline(0, color=LINE, linewidth=0.7, zorder=0.5)
    axes.axvline(0, color=LINE, linewidth=0.7, zorder=0.5)


def _example(neuron: Neuron, cases: Cases, case: Case) -> ZeroSet:
    """A zero set of these signs with simple numbers, around the origin."""
    form = _example_form(neuron, cases, case)
    if cases.amplitude is None:
        level = _LEVELS[case.level or 0]
        return zero_set_of(Neuron("", neuron.inputs, replace(form, constant=number(-level))))
    up = not cases.amplitude.is_number or cases.amplitude.value > 0
    bias = {None: 0.5, 1: -math.exp(-1), 0: -1.0, -1: -math.e}[case.level]
    amplitude = ONE if up else -ONE
    bell = Bell(amplitude, form, number(Fraction(bias if up else -bias)))
    return zero_set_of(Neuron("", neuron.inputs, bell))


def _example_form(neuron: Neuron, cases: Cases, case: Case) -> Quadratic:
    quadratic = quadratic_of_body(neuron)
    if cases.shape != "central":
        return replace(quadratic, constant=ZERO)
    if all(each.is_number for each in cases.form):
        return _scaled(Quadratic(*cases.form, ZERO, ZERO, ZERO))
    first, second = (Fraction(sign * size) for sign, size in zip(case.signs, _sizes(cases), strict=True))
    if cases.weights is not None:
        return Quadratic(number(first), ZERO, number(second), ZERO, ZERO, ZERO)
    # Turned by an eighth of a circle.
    half = Fraction(1, 2)
    return Quadratic(
        number((first + second) * half), number(first - second), number((first + second) * half), ZERO, ZERO, ZERO
    )


def _sizes(cases: Cases) -> tuple[int, int]:
    return (1, 1) if cases.is_circle else (1, 3)


def _scaled(form: Quadratic) -> Quadratic:
    """The form with numbers of the size of 1, so that its shapes are of the size of a panel."""
    largest = max(abs(each.value) for each in form.parts)
    share = number(1 / largest) if largest else ONE
    return Quadratic(*(each * share for each in form.parts))


def _line_panels(neuron: Neuron) -> list[tuple[str, str, tuple[Fraction, Fraction]]]:
    """Title, what happens, and weights of a line of these signs."""
    body = neuron.body
    assert isinstance(body, Quadratic), "a line is a polynomial"
    first, second = polynomial_formula(body.first).plain, polynomial_formula(body.second).plain
    if body.first.is_number and body.second.is_number:
        title = quadratic_formula(body, neuron.inputs).plain.replace("-", "−")
        return [(f"z = {title}", "", (body.first.value, body.second.value))]
    found: list[tuple[str, str, tuple[Fraction, Fraction]]] = []
    for sign, way in ((1, "down"), (-1, "up")):
        if sign in body.second.signs(neuron.nonzero):
            found.append(
                (f"{second} {'>' if sign > 0 else '<'} 0", f"b grows: {way}", (Fraction(1), Fraction(2 * sign)))
            )
    for sign, way in ((1, "left"), (-1, "right")):
        if 0 in body.second.signs(neuron.nonzero) and sign in body.first.signs(neuron.nonzero):
            title = f"{second} = 0, {first} {'>' if sign > 0 else '<'} 0"
            found.append((title, f"b grows: {way}", (Fraction(sign), Fraction(0))))
    return found


def _line_panel(axes: "Axes", weights: tuple[Fraction, Fraction]) -> None:
    first, second = weights
    view = View((0.0, 0.0), 1.0, (-2.0, 2.0), (-2.0, 2.0))
    _empty_panel(axes, view)
    body = Quadratic(ZERO, ZERO, ZERO, number(first), number(second), ZERO)
    neuron = Neuron("", ("x1", "x2"), body)
    zero_set, line = zero_set_of(neuron), line_of(first, second, Fraction(0))
    shade(axes, view, zero_set, n_cells=_N_CELLS)
    grown = with_bias(neuron, number(Fraction(line.length * 0.7)))
    draw_zero_set(axes, view, zero_set_of(grown), linestyle=(0, (4, 2)), linewidth=1.4)
    draw_zero_set(axes, view, zero_set)
    assert line.normal is not None, "one of the weights is not 0"
    normal = np.array(line.normal)
    tip = 0.75 * normal
    axes.annotate("", tuple(tip), (0, 0), arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.2}, zorder=5)
    label(axes, "w", tuple(1.0 * normal))
    along = np.array([-normal[1], normal[0]]) * 1.2
    axes.annotate(
        "",
        tuple(along - 0.7 * normal),
        tuple(along),
        arrowprops={"arrowstyle": "-|>", "color": ACCENT, "linewidth": 1.2},
        zorder=5,
    )
