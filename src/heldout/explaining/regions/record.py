"""A region's network as one JSON object: every number as JSON has it, and beside it exactly."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from heldout.anatomy.regions.answers import Answer
from heldout.anatomy.regions.checks import Check, Checked
from heldout.anatomy.regions.line_arrangements import Cell
from heldout.anatomy.regions.numbers import plain
from heldout.anatomy.regions.rules import written
from heldout.anatomy.regions.threshold_layers import Layers
from heldout.anatomy.regions.threshold_readouts import Readout
from heldout.anatomy.regions.threshold_separation import Certificate
from heldout.anatomy.regions.threshold_units import Interval
from heldout.explaining.regions.question import Question
from heldout.explaining.regions.words import inequality, unit_names


def region_record(question: Question, checked: Checked) -> dict[str, Any]:
    """What was asked and what was found.

    Args:
        question: What was asked.
        checked: What was found.
    """
    answer, plane = checked.answer, checked.answer.arrangement
    corners = None if question.polygon is None else [_numbers(corner) for corner in question.polygon.corners]
    return {
        "polygon": corners,
        "is_convex": None if question.polygon is None else question.polygon.is_convex,
        "notes": list(question.notes),
        "step": str(plane.step),
        "unit_values": {"off": number(answer.values.off), "on": number(answer.values.on)},
        "half_planes": _half_planes(answer),
        "at_least": answer.k,
        "area": None if answer.area is None else number(answer.area),
        "is_one_neuron_enough": answer.readout is not None,
        "readout": None if answer.readout is None else _readout(answer.readout),
        "nominal_interval": None if answer.nominal is None else _interval(answer.nominal),
        "certificate": None if answer.certificate is None else _certificate(answer.certificate),
        "layers": None if answer.layers is None else _layers(answer.layers),
        "redundant": _named(answer.conjunction.redundant) if answer.k == len(plane.half_planes) else None,
        "contradiction": _named(answer.conjunction.contradiction),
        "cells": [_cell(cell, answer) for cell in plane.cells],
        "n_cells": plane.n_pieces,
        "checks": [_check(check) for check in checked.checks],
    }


def number(value: Fraction) -> int | float:
    """A number as JSON has it: a whole one stays whole.

    Example:
        >>> number(Fraction(4)), number(Fraction(-5, 2))
        (4, -2.5)
    """
    return int(value) if value.denominator == 1 else float(value)


def _numbers(values: Sequence[Fraction]) -> list[int | float]:
    return [number(value) for value in values]


def _half_planes(answer: Answer) -> list[dict[str, Any]]:
    plane = answer.arrangement
    return [
        {
            "name": name,
            "weights": _numbers(each.weights),
            "bias": number(each.bias),
            "exact": [plain(value) for value in (*each.weights, each.bias)],
            "on_where": inequality(each, plane.step).plain,
            "from": each.origin,
        }
        for name, each in zip(unit_names(len(plane.half_planes)), plane.half_planes, strict=True)
    ]


def _readout(readout: Readout) -> dict[str, Any]:
    return {
        "weights": _numbers(readout.neuron.weights),
        "bias": number(readout.neuron.bias),
        "exact": [plain(value) for value in (*readout.neuron.weights, readout.neuron.bias)],
        "interval": _interval(readout.interval),
        "margin": number(readout.margin),
    }


def _interval(interval: Interval) -> dict[str, Any]:
    return {
        "text": str(interval),
        "low": None if interval.low is None else number(interval.low),
        "high": None if interval.high is None else number(interval.high),
        "low_closed": interval.low_closed,
        "high_closed": interval.high_closed,
    }


def _certificate(certificate: Certificate) -> dict[str, Any]:
    sides = {"wanted": certificate.wanted, "unwanted": certificate.unwanted}
    return {
        **{name: {written(pattern): times for pattern, times in side} for name, side in sides.items()},
        "total": list(certificate.total),
    }


def _layers(layers: Layers) -> dict[str, Any]:
    ands = [
        {"on": _named(term.on), "off": _named(term.off), **_readout(each)}
        for term, each in zip(layers.terms, layers.ands, strict=True)
    ]
    return {"ands": ands, "or": _readout(layers.last)}


def _named(units: Sequence[int]) -> list[str]:
    return [f"h{unit + 1}" for unit in units]


def _cell(cell: Cell, answer: Answer) -> dict[str, Any]:
    return {
        "pattern": written(cell.pattern),
        "wanted": cell.pattern in answer.wanted,
        "dimension": cell.dimension,
        "area": None if cell.area is None else number(cell.area),
        "point": _numbers(cell.point),
    }


def _check(check: Check) -> dict[str, int]:
    return {
        "n_cells": check.n_cells,
        "n_wrong_cells": check.n_wrong_cells,
        "n_random": check.n_random,
        "n_wrong": check.n_wrong,
    }
