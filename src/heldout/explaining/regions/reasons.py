"""Why a region's network is right: its biases, which half-planes it needs, and why it needs a layer more."""

from collections.abc import Sequence
from fractions import Fraction

from heldout.anatomy.regions.answers import Answer
from heldout.anatomy.regions.numbers import latex, plain
from heldout.anatomy.regions.polygons import Polygon, point_text
from heldout.anatomy.regions.rules import written
from heldout.anatomy.regions.threshold_layers import Layers
from heldout.anatomy.regions.threshold_readouts import Readout
from heldout.anatomy.regions.threshold_separation import SEPARABLE_FUNCTIONS, Certificate
from heldout.anatomy.regions.threshold_units import Step
from heldout.explaining.document import Cell as TableCell
from heldout.explaining.document import Formula, Part, Section, Table, Text
from heldout.explaining.regions.words import (
    area_words,
    inequality,
    interval_formula,
    listed,
    sum_formula,
    term_words,
    unit_names,
)


def why_these_biases(answer: Answer, readout: Readout) -> Section:
    """Where the ends of the interval come from.

    Args:
        answer: What was found.
        readout: Its one neuron over the units.
    """
    parts: list[Part] = [Text(_weights_words(answer, readout))]
    at_zero = answer.arrangement.step is Step.AT_ZERO
    if readout.lowest_wanted is not None:
        cell = _extreme_cell(answer, readout, readout.lowest_wanted, answer.wanted)
        parts.append(
            Text(f"The lowest sum of a wanted cell is {plain(readout.lowest_wanted)}, in {cell}; it has to fire:")
        )
        parts.append(_condition(readout.lowest_wanted, ">=" if at_zero else ">"))
    if readout.highest_unwanted is not None:
        cell = _extreme_cell(answer, readout, readout.highest_unwanted, answer.unwanted)
        parts.append(
            Text(f"The highest sum of another cell is {plain(readout.highest_unwanted)}, in {cell}; it must not:")
        )
        parts.append(_condition(readout.highest_unwanted, "<" if at_zero else "<="))
    if answer.nominal is not None and len(answer.arrangement.cells) < 2 ** len(answer.arrangement.half_planes):
        parts.append(Text(_nominal_words(answer, readout)))
    if readout.tolerance is not None:
        parts.append(
            Text(
                f"With b = {plain(readout.neuron.bias)} no answer changes as long as every unit's output is off by "
                f"less than {plain(readout.tolerance)}."
            )
        )
    return Section("Why these biases", tuple(parts))


def _weights_words(answer: Answer, readout: Readout) -> str:
    if not any(readout.neuron.weights):
        return "The answer is the same everywhere: no weight is needed."
    if answer.k:
        n_units = len(answer.arrangement.half_planes)
        which = {n_units: "all units are on", 1: "any unit is on"}.get(answer.k, f"at least {answer.k} units are on")
        weight = "1" if answer.values.difference > 0 else "-1, as a unit that is on gives out less,"
        region = "the unit is on" if n_units == 1 else which
        return f"The region is where {region}. With weights of {weight} the sum counts them."
    return (
        f"The weights come from linear programming over the {len(answer.arrangement.cells)} cells, the smallest "
        "in total size; they and the interval are then verified in exact arithmetic."
    )


def _extreme_cell(answer: Answer, readout: Readout, total: Fraction, patterns: Sequence[tuple[bool, ...]]) -> str:
    """The cells that have a sum."""
    cells = [
        written(pattern)
        for pattern in patterns
        if sum(w * v for w, v in zip(readout.neuron.weights, answer.values.of(pattern), strict=True)) == total
    ]
    shown = listed(cells) if len(cells) <= 4 else f"{len(cells)} cells such as {cells[0]}"
    return f"{'cell ' if len(cells) == 1 else 'cells ' if len(cells) <= 4 else ''}{shown}"


def _condition(total: Fraction, mark: str) -> Formula:
    tex = {">=": r"\geq", "<=": r"\leq"}.get(mark, mark)
    return Formula(
        f"{plain(total)} + b {mark} 0,  so  b {mark} {plain(-total)}",
        rf"{latex(total)} + b {tex} 0 \quad \Rightarrow \quad b {tex} {latex(-total)}",
    )


def _nominal_words(answer: Answer, readout: Readout) -> str:
    n_units = len(answer.arrangement.half_planes)
    every = f"If each of the 2^{n_units} = {2**n_units:,} patterns could come, the interval would be {answer.nominal}"
    if answer.nominal == readout.interval:
        return f"{every}: the same, though only {len(answer.arrangement.cells):,} of them have a point."
    return f"{every}. It is wider here, because the patterns that would forbid more have no point."


def needed_half_planes(answer: Answer) -> Section:
    """Which half-planes of an AND could be left out, or contradict each other."""
    both = answer.conjunction
    half_planes, step = answer.arrangement.half_planes, answer.arrangement.step
    names = unit_names(len(half_planes))
    if both.contradiction:
        shown = listed([f"{names[unit]} ({inequality(half_planes[unit], step).plain})" for unit in both.contradiction])
        return Section(
            "Which half-planes are needed",
            (Text(f"None can hold together with all others: {shown} have no common point."),),
        )
    if not both.redundant:
        words = "All of them: without any one of them the region grows."
        return Section("Which half-planes are needed", (Text(words),))
    parts: list[Part] = [
        Text(
            f"{names[unit]} is redundant: where the others hold, {inequality(half_planes[unit], step).plain} holds too."
        )
        for unit in both.redundant
    ]
    if len(both.redundant) > len(half_planes) - len(both.kept):
        parts.append(Text("Each can be left out by itself, but not all of them together."))
    kept = listed([names[unit] for unit in both.kept])
    parts.append(Text(f"Enough {'is' if len(both.kept) == 1 else 'are'} {kept}, with weights of 1 and"))
    parts.append(interval_formula(both.interval))
    return Section("Which half-planes are needed", tuple(parts))


def why_and_is_not_enough(polygon: Polygon, answer: Answer) -> Section:
    """What the AND of the half-planes of a concave polygon is instead.

    Args:
        polygon: What is wanted.
        answer: What was found.
    """
    corners = [point_text(corner) for corner in polygon.reflex_corners]
    shown = listed(corners) if len(corners) <= 6 else f"{len(corners)} corners"
    both = answer.conjunction
    names = unit_names(len(answer.arrangement.half_planes))
    if both.cell is None:
        common = f"empty, since {listed([names[unit] for unit in both.contradiction])} have no common point"
    else:
        common = f"a piece of area {area_words(both.cell)}"
    end = (
        "One neuron with other weights can do it all the same."
        if answer.readout is not None
        else "No other weights of one neuron can do it either."
    )
    return Section(
        "Why AND is not enough",
        (
            Text(
                f"The polygon turns inwards at {shown}. An AND of half-planes is always convex: that of these "
                f"{len(names)} is {common}, while the polygon has the area {plain(polygon.area)}. {end}"
            ),
        ),
    )


def why_one_neuron_is_not_enough(certificate: Certificate, n_units: int) -> Section:
    """The proof.

    Args:
        certificate: Two sums of patterns that are the same.
        n_units: How many units there are.
    """
    sides = [
        " + ".join(f"{times} * {written(pattern)}" if times > 1 else written(pattern) for pattern, times in side)
        for side in (certificate.wanted, certificate.unwanted)
    ]
    total = f"({', '.join(map(str, certificate.total))})"
    tex = [side.replace("*", r"\cdot") for side in sides]
    few = n_units <= len(SEPARABLE_FUNCTIONS)
    rarely = (
        f" Of all {2**2**n_units:,} Boolean functions of {n_units} units, {SEPARABLE_FUNCTIONS[n_units - 1]:,} are one "
        "threshold neuron."
        if few
        else ""
    )
    return Section(
        "Why one neuron is not enough",
        (
            Text("Add up how often each unit is on, over wanted cells on the left and other cells on the right:"),
            Formula(f"{sides[0]}  =  {sides[1]}  =  {total}", f"{tex[0]} = {tex[1]} = {total}"),
            Text(
                f"Both sides take {certificate.n_taken} cells and have each unit on equally often. So whatever the "
                "weights, the bias and the two values of a unit, the neuron's sums add up to the same number on both "
                "sides. But each on the left would have to fire and each on the right not to, so that the left would "
                f"be the larger: a contradiction.{rarely}"
            ),
        ),
    )


def layer_between(answer: Answer, layers: Layers) -> Section:
    """The OR of ANDs, neuron by neuron.

    Args:
        answer: What was found.
        layers: Its layers.
    """
    names = unit_names(len(answer.arrangement.half_planes))
    ands = [f"g{number + 1}" for number in range(len(layers.terms))]
    rows: list[tuple[TableCell, ...]] = [
        (name, term_words(term, names), _sum_cell(each, names), str(each.interval), plain(each.neuron.bias))
        for name, term, each in zip(ands, layers.terms, layers.ands, strict=True)
    ]
    last = layers.last
    rows.append(("y", " or ".join(ands), _sum_cell(last, ands), str(last.interval), plain(last.neuron.bias)))
    return Section(
        "With a layer between: an OR of ANDs",
        (
            Text(
                "Each AND neuron is one convex piece, and the last neuron fires where any of them does. The pieces are "
                "found greedily; they may overlap. Neurons between give out the same two values as the units."
            ),
            Table(("neuron", "fires where", "sum", "every bias b", "safest b"), tuple(rows), numeric=frozenset({4})),
        ),
    )


def _sum_cell(readout: Readout, names: Sequence[str]) -> Formula:
    return sum_formula(readout.neuron.weights, names, "b")
