"""The cells of a run as a record for JSON; every number in the units of the columns."""

from typing import Any

import numpy as np
from jaxtyping import Float

from heldout.anatomy.regions.cell_counts import most_cells, reached_cells
from heldout.explaining.regions.cells_facts import RegionCells


def record_of(facts: RegionCells) -> dict[str, Any]:
    """The record; cells and units are numbered from 1."""
    cells, boundary = facts.cells, facts.boundary
    (x_low, y_low), (x_high, y_high) = facts.window.tolist()
    return {
        "run": facts.run,
        "model": facts.model,
        "columns": list(facts.columns),
        "classes": list(facts.classes),
        "rule": {"words": facts.rule.words, "shift": facts.rule.shift.tolist(), "is_exact": facts.rule.is_exact},
        "window": {"x_low": x_low, "x_high": x_high, "y_low": y_low, "y_high": y_high},
        "widths": list(cells.widths),
        "n_cells": len(cells),
        "n_cells_after_each_layer": list(cells.n_after),
        "most_cells": most_cells(cells.widths),
        "reached_cells": reached_cells(cells.widths),
        "first_layer": None
        if facts.lines is None
        else {"n_lines": facts.lines.n_lines, "n_crossings": facts.lines.n_crossings, "n_cells": facts.lines.n_cells},
        "n_units_that_cut": sum(unit.state == "cuts" for unit in facts.hidden),
        "units": [_unit(facts, place) for place in range(len(facts.hidden))],
        "cells": _cells(facts),
        "boundary": {
            "n_cells": boundary.n_cells,
            "n_pieces": boundary.n_pieces,
            "lines": [
                {
                    "between": [facts.classes[answer] for answer in line.answers],
                    "is_closed": line.is_closed,
                    "points": _points(facts, line.points),
                    "cells": [cell + 1 for cell in line.cells],
                }
                for line in boundary.lines
            ],
        },
        "tied_cells": [cell + 1 for cell in boundary.tied],
        "examples": None
        if facts.examples is None
        else {
            "part": facts.examples.part,
            "n": facts.examples.n_all,
            "n_placed": len(facts.examples.labels),
            "n_outside": int((facts.examples.cells < 0).sum()),
        },
        "check": {
            "n": facts.check.n,
            "largest_difference": facts.check.largest_difference,
            "n_same_answer": facts.check.n_same,
        },
    }


def _points(facts: RegionCells, points: Float[np.ndarray, "points two"]) -> list[list[float]]:
    found: list[list[float]] = facts.units.points(points).tolist()
    return found


def _plane(slope: Float[np.ndarray, " two"], constant: float) -> dict[str, Any]:
    return {"gradient": slope.tolist(), "constant": constant}


def _unit(facts: RegionCells, place: int) -> dict[str, Any]:
    unit, cells = facts.hidden[place], facts.cells
    is_first = unit.layer == 1
    line = _plane(*facts.units.plane(cells.weights[0][place], float(cells.biases[0][place]))) if is_first else None
    return {
        "name": unit.name,
        "layer": unit.layer,
        "number": unit.number,
        "state": unit.state,
        "share_on": unit.share_on,
        "same_as": unit.same_as or None,
        "sum": line,
        "pieces": [_points(facts, piece) for piece in cells.unit_lines[place]],
    }


def _cells(facts: RegionCells) -> list[dict[str, Any]]:
    cells, n_classes = facts.cells, len(facts.classes)
    area = float(facts.units.scale[0]) * float(facts.units.scale[1])
    answers: list[list[dict[str, Any]]] = [[] for _ in range(len(cells))]
    for part in facts.boundary.parts:
        answers[part.cell].append(
            {
                "class": facts.classes[part.answer],
                "share": part.area / float(cells.areas[part.cell]),
                "polygon": _points(facts, part.polygon),
            }
        )
    counts = np.zeros((len(cells), n_classes), np.int64)
    if facts.examples is not None:
        inside = facts.examples.cells >= 0
        np.add.at(counts, (facts.examples.cells[inside], facts.examples.labels[inside]), 1)
    found = []
    for cell in range(len(cells)):
        score = facts.score(cell)
        logits = [
            {
                "class": name,
                **_plane(*facts.units.plane(cells.slopes[cell, place], float(cells.constants[cell, place]))),
            }
            for place, name in enumerate(facts.classes)
        ]
        found.append(
            {
                "number": cell + 1,
                "area": area * float(cells.areas[cell]),
                "share": float(facts.shares[cell]),
                "pattern": _pattern(facts, cell),
                "polygon": _points(facts, cells.polygons[cell]),
                "logits": logits,
                "score": None if score is None else _plane(*score),
                "answers": answers[cell],
                "examples": None
                if facts.examples is None
                else dict(zip(facts.classes, counts[cell].tolist(), strict=True)),
            }
        )
    return found


def _pattern(facts: RegionCells, cell: int) -> list[str]:
    """A text of 0 and 1 for each hidden layer."""
    bits = (facts.cells.patterns[cell] + np.uint8(ord("0"))).tobytes().decode()
    starts = np.cumsum([0, *facts.cells.widths]).tolist()
    return [bits[start : start + width] for start, width in zip(starts, facts.cells.widths, strict=False)]
