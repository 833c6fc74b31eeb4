"""The tables of `heldout explain region RUN`: units, cells, and the pieces of the boundary."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from heldout.anatomy.regions.cell_counts import UnitFacts
from heldout.anatomy.regions.convex_polygons import centre_of
from heldout.explaining.document import Part, Table, Text
from heldout.explaining.regions.cells_facts import RegionCells
from heldout.reporting.style import label_text
from heldout.reporting.wording import count, listing

# Rows of a table that a reader still reads; all of them are in the record.
_MOST_ROWS = 12
_MOST_UNITS = 24
# With more units than these a pattern is told by how many are on.
_MOST_BITS = 24
_MOST_NAMED = 8


def affine_words(slope: Float[np.ndarray, " two"], constant: float, columns: tuple[str, str]) -> str:
    """An affine function of the two columns, with four digits.

    Example:
        >>> affine_words(np.array([2.0, -0.5]), 1.25, ("width", "height"))
        '1.25 + 2 × width − 0.5 × height'
    """
    terms = [_signed(float(weight), name) for weight, name in zip(slope, columns, strict=True) if weight]
    return " ".join([number_words(constant), *terms])


def side_words(slope: Float[np.ndarray, " two"], constant: float, facts: RegionCells, *, relation: str = ">") -> str:
    """Where an affine function of the two columns is above 0, or is 0, solved for the column that moves it most."""
    moved = slope * facts.units.scale
    first = int(np.abs(moved).argmax())
    if not moved[first]:
        return "everywhere" if constant > 0 else "nowhere"
    names = [label_text(name, 30) for name in facts.columns]
    if relation != "=":
        relation = ">" if slope[first] > 0 else "<"
    other = -float(slope[1 - first] / slope[first])
    tail = f" {_signed(other, names[1 - first])}" if other else ""
    return f"{names[first]} {relation} {number_words(-constant / float(slope[first]))}{tail}"


def number_words(value: float) -> str:
    """A number with four digits.

    Example:
        >>> number_words(-1234.56), number_words(0.5)
        ('−1235', '0.5')
    """
    return f"{value:.4g}".replace("-", "−") if value else "0"


def _signed(weight: float, name: str) -> str:
    return f"{'−' if weight < 0 else '+'} {number_words(abs(weight))} × {name}"


def units_told(facts: RegionCells) -> tuple[Part, ...]:
    """What each hidden unit does: where it is on, and what its line is."""
    parts: list[Part] = [
        Text(
            "Unit 1.3 is the third of hidden layer 1. A unit of the first layer is on to one side of a straight line; "
            + (
                "the line of a later one bends wherever it crosses the line of a unit before it."
                if len(facts.cells.widths) > 1
                else "the network bends along that line, and nowhere else."
            )
        )
    ]
    rows = tuple(_unit_row(facts, place, unit) for place, unit in enumerate(facts.hidden[:_MOST_UNITS]))
    parts.append(Table(("unit", "is on where", "share on", "its line"), rows, numeric=frozenset({2})))
    if len(facts.hidden) > _MOST_UNITS:
        parts.append(Text(f"The other {len(facts.hidden) - _MOST_UNITS:,} units are in the JSON."))
    for state, meaning in (
        ("always off", "it adds nothing to any logit here"),
        ("always on", "here it is part of a linear layer"),
    ):
        names = [unit.name for unit in facts.hidden if unit.state == state]
        if names:
            each = meaning if len(names) == 1 else meaning.replace("it adds", "they add").replace("it is", "they are")
            parts.append(Text(f"{state.capitalize()} in this window: {_some(names)}; {each}."))
    return tuple(parts)


def _unit_row(facts: RegionCells, place: int, unit: UnitFacts) -> tuple[str, ...]:
    share = f"{100 * unit.share_on:.1f} %"
    if unit.layer == 1:
        weight, bias = facts.cells.weights[0][place], float(facts.cells.biases[0][place])
        where = side_words(*facts.units.plane(weight, bias), facts)
    else:
        where = {"always on": "everywhere here", "always off": "nowhere here"}.get(unit.state, "beyond a bent line")
    if unit.same_as:
        line = f"that of {unit.layer}.{unit.same_as}"
    elif unit.state != "cuts":
        line = "outside the window" if unit.layer == 1 and facts.cells.weights[0][place].any() else "none here"
    elif unit.layer == 1:
        line = "straight"
    else:
        line = count(unit.n_pieces, "piece") if unit.n_pieces else "along earlier lines"
    return unit.name, where, share, line


def _some(names: Sequence[str]) -> str:
    if len(names) <= _MOST_NAMED:
        return listing(list(names))
    return f"{', '.join(names[:_MOST_NAMED])} and {len(names) - _MOST_NAMED:,} more"


def cells_told(facts: RegionCells) -> tuple[Part, ...]:
    """The largest cells: area, pattern, answer, examples, and the score as a function of the two columns."""
    n_shown = min(len(facts.cells), _MOST_ROWS)
    columns, numeric = ["cell", "area", "on", "answer"], {0, 1}
    n_bits = sum(facts.cells.widths)
    if not n_bits:
        columns.remove("on")
    if facts.examples is not None:
        names = [label_text(name, 10) for name in facts.classes] if len(facts.classes) == 2 else ["examples"]
        numeric |= set(range(len(columns), len(columns) + len(names)))
        columns += names
    columns.append("score")
    rows = []
    for cell in range(n_shown):
        row = [f"{cell + 1:,}", f"{100 * facts.shares[cell]:.1f} %"]
        row += [_pattern_words(facts, cell)] if n_bits else []
        row += [_answers_in(facts, cell), *_examples_in(facts, cell), _score_words(facts, cell)]
        rows.append(tuple(row))
    parts: list[Part] = [Text(_score_told(facts)), Table(tuple(columns), tuple(rows), numeric=frozenset(numeric))]
    notes = []
    if len(facts.cells) > n_shown:
        covered = 100 * float(facts.shares[:n_shown].sum())
        notes.append(
            f"The {n_shown} largest of {len(facts.cells):,}; together they are {covered:.0f} % of the window. All are "
            "in the JSON."
        )
    if n_bits:
        notes.append(
            "On: 1 for a unit that is on, layer by layer."
            if n_bits <= _MOST_BITS
            else "On: how many units of each layer are on."
        )
    if facts.examples is not None:
        notes.append(_examples_words(facts))
    if notes:
        parts.append(Text(" ".join(notes)))
    return tuple(parts)


def _pattern_words(facts: RegionCells, cell: int) -> str:
    """Which units are on in a cell: as bits, layers apart, or of many how many, such as `41/64 30/64`."""
    widths = facts.cells.widths
    layers = np.split(facts.cells.patterns[cell], np.cumsum(widths)[:-1])
    if sum(widths) <= _MOST_BITS:
        return " ".join("".join("01"[int(is_on)] for is_on in each) for each in layers)
    return " ".join(f"{int(each.sum())}/{len(each)}" for each in layers)


def _answers_in(facts: RegionCells, cell: int) -> str:
    found = sorted((part for part in facts.boundary.parts if part.cell == cell), key=lambda part: -part.area)
    names = [label_text(facts.classes[part.answer], 12) for part in found]
    if len(found) == 1:
        return names[0]
    shares = [part.area / float(facts.cells.areas[cell]) for part in found]
    told = [f"{name} {_share_words(share)}" for name, share in zip(names, shares, strict=True)]
    return ", ".join(told) if len(facts.classes) == 2 else f"{told[0]}, …"


def _share_words(share: float) -> str:
    """A whole number of percent; what is part of a whole is neither none nor all of it."""
    if share < 0.005:
        return "< 1 %"
    return "> 99 %" if share > 0.995 else f"{100 * share:.0f} %"


def _examples_in(facts: RegionCells, cell: int) -> list[str]:
    if facts.examples is None:
        return []
    labels = facts.examples.labels[facts.examples.cells == cell]
    if len(facts.classes) > 2:
        return [f"{len(labels):,}"]
    return [f"{n:,}" for n in np.bincount(labels, minlength=len(facts.classes)).tolist()]


def _examples_words(facts: RegionCells) -> str:
    examples = facts.examples
    assert examples is not None, "there are examples"
    n, n_outside = len(examples.labels), int((examples.cells < 0).sum())
    of = f"the {n:,}" if n == examples.n_all else f"{n:,} of the {examples.n_all:,}"
    beyond = f"; {n_outside:,} lie outside the window" if n_outside else ""
    return f"The examples are {of} of the {examples.part} part that the run's own figure shows{beyond}."


def _score_told(facts: RegionCells) -> str:
    if facts.score(0) is not None:
        first, second = (label_text(name, 24) for name in facts.classes)
        moved = float(facts.rule.shift[1] - facts.rule.shift[0])
        rule = "" if not moved else f", moved by {number_words(moved)} for the rule of the run: {facts.rule.words}"
        return f"Score: the logit of {second} less that of {first}{rule}. Above 0 the answer is {second}."
    return (
        "Score: in the middle of the cell the largest logit"
        + (" (with what the run's rule adds)" if facts.rule.shift.any() else "")
        + " less the next one; it falls to 0 where the answer changes."
        if np.isfinite(facts.rule.shift).sum() > 1
        else f"The run's rule always answers the same: {facts.rule.words}."
    )


def _score_words(facts: RegionCells, cell: int) -> str:
    names = (label_text(facts.columns[0], 16), label_text(facts.columns[1], 16))
    score = facts.score(cell)
    if score is not None:
        return affine_words(*score, names)
    able = np.flatnonzero(np.isfinite(facts.rule.shift))
    if len(able) < 2:
        return "–"
    scores = facts.cells.slopes[cell][able] @ centre_of(facts.cells.polygons[cell])
    scores += facts.cells.constants[cell][able] + facts.rule.shift[able]
    best, rival = able[np.argsort(-scores, kind="stable")[:2]].tolist()
    between = f"{label_text(facts.classes[best], 10)} less {label_text(facts.classes[rival], 10)}: "
    return between + affine_words(*lead_of(facts, cell, best, rival), names)


def boundary_told(facts: RegionCells) -> tuple[Part, ...]:
    """The straight pieces of the boundary, line by line."""
    rows: list[tuple[str, ...]] = []
    n_pieces, has_many = 0, len(facts.classes) > 2
    for number, line in enumerate(facts.boundary.lines, start=1):
        n_pieces += len(line.cells)
        points = facts.units.points(line.points)
        for cell, begin, end in zip(line.cells, points[:-1], points[1:], strict=True):
            if len(rows) == _MOST_ROWS:
                break
            between = " and ".join(label_text(facts.classes[one], 14) for one in line.answers)
            equation = side_words(*lead_of(facts, cell, *line.answers), facts, relation="=")
            row = (f"{number:,}", between, f"{cell + 1:,}", _point_words(begin), _point_words(end), equation)
            rows.append(row if has_many else (row[0], *row[2:]))
    columns = ("line", *(("between",) if has_many else ()), "cell", "from", "to", "along")
    parts: list[Part] = [Table(columns, tuple(rows), numeric=frozenset({0, 2 if has_many else 1}))]
    if n_pieces > len(rows):
        parts.append(Text(f"The first {len(rows)} of {n_pieces:,} pieces, from the longest line on."))
    return tuple(parts)


def lead_of(facts: RegionCells, cell: int, first: int, second: int) -> tuple[Float[np.ndarray, " two"], float]:
    """By how much the score of one class is above that of another in a cell, in the units of the columns."""
    slopes, constants = facts.cells.slopes[cell], facts.cells.constants[cell] + facts.rule.shift
    return facts.units.plane(slopes[first] - slopes[second], float(constants[first] - constants[second]))


def _point_words(point: Float[np.ndarray, " two"]) -> str:
    return f"({number_words(float(point[0]))}, {number_words(float(point[1]))})"
