"""What is said about a region: the network first, then why it is right, and last the cells."""

from collections.abc import Sequence

from heldout.anatomy.regions.answers import Answer
from heldout.anatomy.regions.checks import Check, Checked
from heldout.anatomy.regions.line_arrangements import Arrangement, Cell
from heldout.anatomy.regions.numbers import latex, plain
from heldout.anatomy.regions.polygons import point_text
from heldout.anatomy.regions.rules import InPolygon, written
from heldout.anatomy.regions.threshold_readouts import Readout
from heldout.explaining.document import Cell as TableCell
from heldout.explaining.document import Formula, Part, Section, Table, Text
from heldout.explaining.regions.question import Question
from heldout.explaining.regions.reasons import (
    layer_between,
    needed_half_planes,
    why_and_is_not_enough,
    why_one_neuron_is_not_enough,
    why_these_biases,
)
from heldout.explaining.regions.words import (
    area_words,
    counted,
    inequality,
    interval_formula,
    listed,
    neuron_formula,
    step_words,
    sum_formula,
    unit_names,
    unit_words,
)

_MOST_ROWS = 24


def region_sections(question: Question, checked: Checked) -> tuple[Section, ...]:
    """The sections that the answer gives cause for.

    Args:
        question: What was asked.
        checked: What was found.
    """
    answer = checked.answer
    n_units = len(question.half_planes)
    sections = [_answer(question, checked), _units(answer)]
    if isinstance(answer.rule, InPolygon) and not answer.rule.polygon.is_convex:
        sections.append(why_and_is_not_enough(answer.rule.polygon, answer))
    if answer.readout is not None:
        sections.append(why_these_biases(answer, answer.readout))
    if answer.k == n_units > 1:
        sections.append(needed_half_planes(answer))
    if answer.certificate is not None:
        sections.append(why_one_neuron_is_not_enough(answer.certificate, n_units))
    if answer.layers is not None:
        sections.append(layer_between(answer, answer.layers))
    return (*sections, _cells(answer))


def _answer(question: Question, checked: Checked) -> Section:
    answer = checked.answer
    values, step = answer.values, answer.arrangement.step
    off_on = f"A hidden unit gives out {unit_words(values)}: {plain(values.off)} when off, {plain(values.on)} when on."
    parts: list[Part] = [*_network(answer), Text(f"{step_words(step)}. {off_on}"), _told_check(checked.checks)]
    parts += [Text(f"Note: {note}.") for note in question.notes]
    return Section("Answer", tuple(parts))


def _network(answer: Answer) -> list[Part]:
    """The network with the fewest layers, in formulas."""
    n_units = len(answer.arrangement.half_planes)
    units = counted(n_units, "hidden unit")
    names = unit_names(n_units)
    if answer.readout is None and answer.layers is not None:
        ands = [f"g{number + 1}" for number in range(len(answer.layers.terms))]
        inner = zip(ands, answer.layers.ands, strict=True)
        return [
            Text(
                f"No single neuron over the {units} has this region; the proof is below. With a layer between, "
                f"{counted(len(ands), 'AND neuron')} and an OR have exactly this region:"
            ),
            *(neuron_formula(name, _sum(each, names)) for name, each in inner),
            neuron_formula("y", _sum(answer.layers.last, ands)),
        ]
    assert answer.readout is not None, "there is a network"
    readout = answer.readout
    return [
        Text(_extreme(answer) or f"{units} and one readout neuron have exactly this region, with any of these biases:"),
        neuron_formula("y", sum_formula(readout.neuron.weights, names, "b")),
        interval_formula(readout.interval),
        Text(
            f"The safest is b = {plain(readout.neuron.bias)}: the sum then stays {plain(readout.margin)} or more away "
            "from 0 in every cell."
        ),
    ]


def _extreme(answer: Answer) -> str:
    """What is said first where nothing, or everything, is wanted; else nothing."""
    if not answer.wanted:
        names = [unit_names(len(answer.arrangement.half_planes))[unit] for unit in answer.conjunction.contradiction]
        why = (
            f": {listed(names)} have no common point"
            if names and answer.k == len(answer.arrangement.half_planes)
            else ""
        )
        return f"The region is empty{why}. The network must never fire, as with any of these biases:"
    if not answer.unwanted:
        return "The region is the whole plane. The network must always fire, as with any of these biases:"
    return ""


def _sum(readout: Readout, names: Sequence[str]) -> Formula:
    return sum_formula(readout.neuron.weights, names, readout.neuron.bias)


def _told_check(checks: Sequence[Check]) -> Text:
    first = checks[0]
    n_wrong = sum(check.n_wrong + check.n_wrong_cells for check in checks)
    which = "Both networks checked" if len(checks) > 1 else "Checked"
    asked = f"exactly in all {counted(first.n_cells, 'cell')}, and at {first.n_random:,} random points"
    return Text(f"{which} {asked}: {'all right' if not n_wrong else f'{n_wrong:,} WRONG'}.")


def _units(answer: Answer) -> Section:
    unit = Formula(
        f"h = {unit_words(answer.values)},  z = w1 x1 + w2 x2 + c",
        rf"h = {_unit_latex(answer)},\quad z = w_1 x_1 + w_2 x_2 + c",
    )
    told = Text(
        "(w1, w2) points to the side where the unit is on. A larger c lets that side grow: the line moves against "
        "(w1, w2), by the change of c over the length of (w1, w2). A positive multiple of all three numbers is the "
        "same unit."
    )
    return Section("The hidden units", (unit, _unit_table(answer), told))


def _unit_table(answer: Answer) -> Table:
    half_planes, step = answer.arrangement.half_planes, answer.arrangement.step
    rows: list[tuple[TableCell, ...]] = [
        (
            Formula(name, name.replace("h", "h_{") + "}"),
            *(plain(number) for number in (*each.weights, each.bias)),
            inequality(each, step),
            each.origin,
        )
        for name, each in zip(unit_names(len(half_planes)), half_planes, strict=True)
    ]
    with_origin = any(each.origin.startswith("edge") for each in half_planes)
    columns: tuple[str, ...] = ("unit", "w1", "w2", "c", "on where", "from")
    if not with_origin:
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Table(columns, tuple(rows), numeric=frozenset({1, 2, 3}))


def _unit_latex(answer: Answer) -> str:
    off, more = answer.values.off, answer.values.difference
    if not off and more == 1:
        return "H(z)"
    return f"{latex(off)} {'+' if more > 0 else '-'} {latex(abs(more))} H(z)"


def _cells(answer: Answer) -> Section:
    plane = answer.arrangement
    parts: list[Part] = [*_cell_count(plane)]
    wanted = set(answer.wanted)
    columns = ("cell", "wanted", "sum with b" if answer.readout else "pieces", "area", "a point in it")
    rows = tuple(
        (
            written(cell.pattern),
            "yes" if cell.pattern in wanted else "no",
            _outcome(answer, cell),
            area_words(cell),
            point_text(cell.point),
        )
        for cell in plane.cells[:_MOST_ROWS]
    )
    parts.append(Table(columns, rows, numeric=frozenset({2, 3} if answer.readout else {3})))
    if len(plane.cells) > _MOST_ROWS:
        parts.append(Text(f"{len(plane.cells) - _MOST_ROWS:,} more cells are in --json."))
    return Section("The cells", tuple(parts))


def _cell_count(plane: Arrangement) -> list[Part]:
    n_lines, n_units = len(plane.lines), len(plane.half_planes)
    n_crossings = sum(n_meeting - 1 for _, n_meeting in plane.crossings)
    terms = [counted(n_lines, "line"), counted(n_crossings, "crossing")]
    parts: list[Part] = [
        Text("A cell is named after the units that are on in it: 1 on, 0 off, h1 first. The plane has"),
        Formula(
            f"1 + {' + '.join(terms)} = {plane.n_pieces} cells",
            rf"1 + {n_lines} + {n_crossings} = {plane.n_pieces}",
        ),
    ]
    if plane.n_pieces < 2**n_units:
        n_others = 2**n_units - plane.n_pieces
        has = "has" if n_others == 1 else "have"
        parts.append(Text(f"The other {counted(n_others, 'pattern')} of 2^{n_units} = {2**n_units:,} {has} no area."))
    most = 1 + n_lines + n_lines * (n_lines - 1) // 2
    if plane.n_pieces < most:
        parts.append(
            Text(f"{n_lines} lines make up to {most:,} cells; parallels, or three through a point, make fewer.")
        )
    if any(n_meeting > 2 for _, n_meeting in plane.crossings):
        parts.append(Text("A point where k lines meet counts as k - 1 crossings."))
    n_thin = len(plane.cells) - plane.n_pieces
    if n_thin:
        parts.append(Text(f"{counted(n_thin, 'pattern')} more {'are' if n_thin > 1 else 'is'} found on lines alone."))
    return parts


def _outcome(answer: Answer, cell: Cell) -> str:
    """The readout's sum in a cell, or the pieces that hold it."""
    if answer.readout is not None:
        return plain(answer.readout.neuron.sum_of(answer.values.of(cell.pattern)))
    assert answer.layers is not None, "there is a network"
    holding = [f"g{number + 1}" for number, term in enumerate(answer.layers.terms) if term.holds(cell.pattern)]
    return ", ".join(holding)
