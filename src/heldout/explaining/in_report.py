"""The arithmetic of a run, as a section of its report: what its network computes, and what decay did to its weights.

It is written into the run folder as words, formulas and tables, so that the page needs neither torch nor the model.
"""

import sys
from pathlib import Path
from typing import Any

from heldout.errors import UsageError
from heldout.explaining.document import Formula, Part, Section, Table, Text
from heldout.plan import Plan
from heldout.records import to_json, write_atomic

ARITHMETIC_FILE = "arithmetic.json"
# Rows of the table of layers: a block each of a deep network.
_DEPTH = 2


def keep_arithmetic(folder: Path, plan: Plan) -> None:
    """Write what can be said of a run's arithmetic beside its other records.

    The layers are counted where torch is loaded already. A run that does without it is not held up: there the command
    that counts them is named.

    Args:
        folder: The run folder, with its model.
        plan: Of the run.
    """
    sections = [*_count(folder), *_decay(folder, plan)]
    content = [{"title": each.title, "parts": [_part(part) for part in each.parts]} for each in sections]
    write_atomic(folder / ARITHMETIC_FILE, to_json(content))


def _count(folder: Path) -> list[Section]:
    if sys.modules.get("torch") is None:
        return []
    from heldout.anatomy.counting.counting import count
    from heldout.explaining.counting.explained import explained
    from heldout.explaining.models_named import network_in

    try:
        named = network_in(folder, called=folder.name)
    except UsageError:  # trees
        return []
    told = explained(count(named.module, named.input_shape, name=folder.name), named, depth=_DEPTH)
    wanted = {"Answer": "What the network computes", "Layer by layer": "Layer by layer"}
    return [Section(wanted[each.title], each.parts) for each in told.sections if each.title in wanted]


def _decay(folder: Path, plan: Plan) -> list[Section]:
    from heldout.explaining.decay.head import explain_head
    from heldout.explaining.decay.run import explain_training

    if plan.training is not None:
        told = explain_training(folder, plan.training).sections
    elif (folder / "head_path.csv").is_file() and getattr(plan.model, "name", "") != "boosting":
        told = explain_head(folder).sections[:2]
    else:
        return []
    titles = {"In short": "Weight decay", "Layer by layer": "Weight decay, layer by layer"}
    return [Section(titles.get(each.title, each.title), each.parts) for each in told]


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"text": part.words}
    if isinstance(part, Formula):
        return {"formula": part.plain}
    assert isinstance(part, Table)
    rows = [[cell.plain if isinstance(cell, Formula) else cell for cell in row] for row in part.rows]
    return {"columns": list(part.columns), "rows": rows, "numeric": sorted(part.numeric), "total": part.total}
