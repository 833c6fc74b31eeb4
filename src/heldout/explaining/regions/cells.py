"""`heldout explain region RUN`: the cells that the units of a network cut the plane into, in words and tables."""

from collections.abc import Sequence
from math import comb
from pathlib import Path
from typing import TYPE_CHECKING

from heldout.anatomy.regions.cell_counts import most_cells, reached_cells
from heldout.anatomy.regions.relu_cells import MOST_CELLS
from heldout.explaining.document import Explanation, Formula, Part, Section, Table, Text
from heldout.explaining.regions.cells_facts import RegionCells, region_cells
from heldout.explaining.regions.cells_record import record_of
from heldout.explaining.regions.cells_tables import (
    boundary_told,
    cells_told,
    lead_of,
    number_words,
    side_words,
    units_told,
)
from heldout.reporting.style import label_text
from heldout.reporting.wording import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def explain_cells(
    run_folder: str | Path, *, window: Sequence[float] | None = None, most: int = MOST_CELLS
) -> Explanation[RegionCells]:
    """The cells of the network of a run, exactly, and the exact line where its answer changes.

    Args:
        run_folder: A finished run on a table with two columns of numbers, model `mlp` or `linear`.
        window: Left, right, low and high, in the units of the columns (a date in days, as the explanation says); None
            for the range of its data.
        most: More cells than these are refused.

    Raises:
        RunFolderError: It is no finished run, or is damaged.
        UsageError: Its model has no such cells, or the window cannot be meant.
    """
    facts = region_cells(Path(run_folder), window=window, most=most)

    def draw() -> "Figure":
        from heldout.explaining.regions.cells_figure import region_cells_figure

        return region_cells_figure(facts)

    sections = [Section("Answer", _answer(facts))]
    if facts.cells.widths:
        sections += [Section("How many cells", _how_many(facts)), Section("Units", units_told(facts))]
    sections += [Section("Cells" if len(facts.cells) > 1 else "The one cell", cells_told(facts))]
    if facts.boundary.lines:
        sections.append(Section("Boundary", boundary_told(facts)))
    sections.append(Section("How it is computed", _method(facts)))
    return Explanation(
        f"The {count(len(facts.cells), 'cell')} of {facts.run}",
        facts,
        tuple(sections),
        record_of(facts),
        sources=_sources(facts),
        draw=draw,
    )


def _answer(facts: RegionCells) -> tuple[Part, ...]:
    cells, boundary = facts.cells, facts.boundary
    n_units = sum(cells.widths)
    where = _window_words(facts)
    if not cells.widths:
        told = (
            f"Without a hidden layer a network cuts nothing: {where} is one cell, and every logit is a plane over it."
        )
    else:
        layers = "one hidden layer" if len(cells.widths) == 1 else f"{len(cells.widths)} hidden layers"
        n_cutting = sum(unit.state == "cuts" for unit in facts.hidden)
        told = (
            f"The {count(n_units, 'unit')} in {layers} cut {where} into {count(len(cells), 'cell')}. Within a cell "
            f"each unit is either on or off all over, so every logit is a plane; {n_cutting:,} of the units change "
            "sides somewhere in this window."
        )
    parts: list[Part] = [Text(told), Text(_boundary_words(facts))]
    if not facts.rule.is_exact:
        parts.append(
            Text(
                f"Mind: the run decides for {facts.rule.words}. What such costs ask for changes along curves, which "
                "are not computed here; all of this page is about the class with the largest logit."
            )
        )
    if boundary.tied:
        parts.append(
            Text(
                f"In {count(len(boundary.tied), 'cell')} two classes have exactly the same score all over; where no "
                "other is larger the first of them is answered."
            )
        )
    if facts.has_gaps:
        parts.append(Text("The cells are those of rows without a gap: a missing value switches a feature of its own."))
    return tuple(parts)


def _window_words(facts: RegionCells) -> str:
    (x_low, y_low), (x_high, y_high) = facts.window
    x, y = (label_text(name, 30) for name in facts.columns)
    return (
        f"the window {x} {number_words(x_low)} to {number_words(x_high)}, "
        f"{y} {number_words(y_low)} to {number_words(y_high)}"
    )


def _boundary_words(facts: RegionCells) -> str:
    boundary = facts.boundary
    if not boundary.lines:
        answers = sorted({label_text(facts.classes[part.answer], 30) for part in boundary.parts})
        return f"The answer is {' or '.join(answers)} all over the window; there is no boundary in it."
    within = f" in {boundary.n_cells:,} of the cells," if len(facts.cells) > 1 else ""
    if boundary.n_pieces == 1:
        line = boundary.lines[0]
        equation = side_words(*lead_of(facts, line.cells[0], *line.answers), facts, relation="=")
        return f"The answer changes{within} along one straight line, {equation}."
    n_lines, n_closed = len(boundary.lines), sum(line.is_closed for line in boundary.lines)
    lines = "one line" if n_lines == 1 else f"{n_lines:,} lines"
    closed = f" ({'closed' if n_lines == 1 else f'{n_closed:,} closed'})" if n_closed else ""
    bends = " A line can bend only where it crosses that of a unit." if len(facts.classes) == 2 else ""
    return f"The answer changes{within} along {lines}{closed} of {boundary.n_pieces:,} straight pieces.{bends}"


def _how_many(facts: RegionCells) -> tuple[Part, ...]:
    cells, widths = facts.cells, facts.cells.widths
    assert facts.lines is not None, "there is a hidden layer"
    rows = []
    for number, width in enumerate(widths, start=1):
        own = [unit for unit in facts.hidden if unit.layer == number]
        states = [sum(unit.state == state for unit in own) for state in ("cuts", "always on", "always off")]
        rows.append(
            (
                str(number),
                f"{width:,}",
                *(f"{n:,}" for n in states),
                f"{cells.n_after[number - 1]:,}",
                f"{most_cells(widths[:number]):,}",
            )
        )
    columns = ("hidden layer", "units", "change sides", "always on", "always off", "cells so far", "at most")
    parts: list[Part] = [Table(columns, tuple(rows), numeric=frozenset(range(1, 7)))]
    lines = facts.lines
    if lines.n_cells == cells.n_after[0]:
        words = (
            f"The first layer, counted another way: {count(lines.n_lines, 'different line')} in the window, "
            f"{count(lines.n_crossings, 'crossing')} inside it. Each line adds one cell, and one more at each crossing."
        )
        parts += [
            Text(words),
            Formula(
                f"1 + lines + crossings = 1 + {lines.n_lines:,} + {lines.n_crossings:,} = {lines.n_cells:,}",
                rf"1 + \mathrm{{lines}} + \mathrm{{crossings}} = 1 + {lines.n_lines} + {lines.n_crossings}"
                rf" = {lines.n_cells}",
            ),
        ]
    parts += [Text(_bound_words(widths)), _bound(widths)]
    reached = reached_cells(widths)
    if len(widths) > 1 and reached is not None:
        parts.append(
            Text(
                f"Weights made for it would reach {reached:,} at least (Montúfar et al., 2014); training does not look "
                "for cells, it looks for answers."
            )
        )
    return tuple(parts)


def _bound_words(widths: tuple[int, ...]) -> str:
    if len(widths) == 1:
        return "No window has more than n lines in general position make, each crossing every other once:"
    return "No window has more than the lines of n units make in each cell before them, layer by layer:"


def _bound(widths: tuple[int, ...]) -> Formula:
    """The largest number of cells, with the numbers filled in; behind a layer of one unit lines cut a line."""
    plain, latex, dimension = [], [], 2
    for width in widths:
        is_plane = dimension == 2
        plain.append(f"1 + {width:,}" + (f" + {comb(width, 2):,}" if is_plane else ""))
        latex.append(f"1 + {width}" + (rf" + {comb(width, 2)}" if is_plane else ""))
        dimension = min(dimension, width)
    general = "1 + n + n(n-1)/2"
    if len(widths) == 1:
        return Formula(
            f"{general} = {plain[0]} = {most_cells(widths):,}",
            rf"1 + n + \frac{{n(n-1)}}{{2}} = {latex[0]} = {most_cells(widths)}",
        )
    return Formula(
        f"{' · '.join(f'({each})' for each in plain)} = {most_cells(widths):,}",
        r" \cdot ".join(f"({each})" for each in latex) + f" = {most_cells(widths)}",
    )


def _method(facts: RegionCells) -> tuple[Part, ...]:
    n_layers = len(facts.cells.weights)
    parts: list[Part] = []
    if n_layers > 1:
        parts += [
            Text(
                "In a cell each hidden layer is a fixed choice D of its units (1 on the diagonal for on, 0 for off), "
                "so the logits are"
            ),
            _product(n_layers),
            Text(
                "which is one matrix and one constant. The window is cut by the line of each unit of the first layer; "
                "in each piece the sums of the next layer are affine, so their lines cut it further; and so on. The "
                "boundary is where two scores are equal in a cell. Nothing is sampled."
            ),
        ]
    else:
        parts += [Text("The logits are"), _product(1), Text("and the boundary is where two scores are equal.")]
    check = facts.check
    odd = check.n - check.n_same
    beyond = f" (the other {odd:,} lie closer to the boundary than float32 can tell)" if odd else ""
    parts.append(
        Text(
            f"Checked at {check.n:,} random points of the window: the planes of the cells and the layers of the "
            f"network differ by at most {check.largest_difference:.1g} in any logit, and "
            + ("the run gives the same answer" if facts.rule.is_exact else "the run's largest logit is the same")
            + f" at {check.n_same:,}{beyond}."
        )
    )
    return tuple(parts)


def _product(n_layers: int) -> Formula:
    plain, latex = "x'", "x'"
    for number in range(1, n_layers + 1):
        open_, close = ("", "") if number == 1 else ("(", ")")
        chosen, chosen_latex = ("", "") if number == 1 else (f" D{number - 1} ", f" D_{{{number - 1}}} ")
        plain = f"W{number}{chosen or ' '}{open_}{plain}{close} + b{number}"
        latex = f"W_{{{number}}}{chosen_latex or ' '}{open_}{latex}{close} + b_{{{number}}}"
    return Formula(
        f"z(x) = {plain},  x' = (x - mean) / standard deviation of each column",
        rf"z(x) = {latex}, \quad x' = (x - \mathrm{{mean}}) / \mathrm{{standard\ deviation}}",
    )


def _sources(facts: RegionCells) -> tuple[str, ...]:
    if not facts.cells.widths:
        return ()
    first = "T. Zaslavsky, Facing up to Arrangements, 1975 (cells of lines; in the plane already J. Steiner, 1826)."
    deep = (
        "G. Montúfar, R. Pascanu, K. Cho, Y. Bengio, On the Number of Linear Regions of Deep Neural Networks, 2014.",
        "G. Montúfar, Notes on the Number of Linear Regions of Deep Neural Networks, 2017 (the bound).",
        "M. Raghu et al., On the Expressive Power of Deep Neural Networks, 2017 (theorem 2: the cells are convex).",
    )
    return (first, *deep) if len(facts.cells.widths) > 1 else (first,)
