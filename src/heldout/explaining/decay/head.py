"""The penalty of a head that was fitted to its optimum: no steps, no learning rate, and what it means all the same."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heldout.anatomy.decay.measured import MeasuredDecay
from heldout.errors import DamagedRun
from heldout.explaining.decay.numbers import shown
from heldout.explaining.document import Explanation, Formula, Part, Section, Table, Text

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class HeadPenalty:
    """The penalty of a head that was fitted to its optimum.

    Attributes:
        l2: The one that was chosen: half of it times the squared norm is added to the loss.
        path: Each one tried: the penalty, the loss on train and on validation.
    """

    l2: float
    path: tuple[tuple[float, float, float], ...]


def explain_head(folder: Path) -> "Explanation[MeasuredDecay | HeadPenalty]":
    """What the penalty of a fitted head means.

    Args:
        folder: Of a finished run.

    Raises:
        DamagedRun: The file of the penalties is not one that heldout wrote.
    """
    facts = _head_penalty(folder / "head_path.csv")
    l2 = facts.l2
    rows = tuple(
        (shown(tried), shown(tried / 2), f"{train:.4f}", f"{validation:.4f}", "<- chosen" if tried == l2 else "")
        for tried, train, validation in facts.path
    )
    sections = (
        Section(
            "In short",
            (
                Text(
                    f"The head was fitted to its optimum under a penalty of L = {shown(l2 / 2)} (weight_decay "
                    f"{shown(l2)}): there are no steps and no learning rate, so nothing decays on the way and nothing "
                    "can be unstable. The penalty decides where it ends."
                ),
            ),
        ),
        Section("What was minimised", _minimised(l2)),
        Section(
            "The penalties that were tried",
            (Table(("l2", "L", "train loss", "validation loss", ""), rows, numeric=frozenset(range(4))),),
        ),
    )
    record = {
        "run": folder.name,
        "kind": "fitted head",
        "l2": l2 / 2,
        "weight_decay": l2,
        "path": [
            {"weight_decay": tried, "train_loss": train, "validation_loss": validation}
            for tried, train, validation in facts.path
        ],
    }
    return Explanation(
        title=f"Weight decay in {folder.name}",
        facts=facts,
        sections=sections,
        record=record,
        draw=lambda: _head_figure(l2),
    )


def _minimised(l2: float) -> tuple[Part, ...]:
    return (
        Formula(
            "J(W, b) = mean of -log p(label) + l2/2 |W|^2",
            r"J(W, b) = \frac{1}{n} \sum_i -\log p(y_i \mid x_i) + \frac{l_2}{2} \|W\|^2",
        ),
        Text(
            f"l2 = 2 L = {shown(l2)}, for features that are centred and scaled to a root mean square of 1; the bias is "
            "free. The gradient of the penalty is l2 W, so l2 is what torch calls weight_decay. Along a direction in "
            "which the loss has the curvature h, near the optimum:"
        ),
        Formula("w* = h / (h + l2) m,  m where the loss alone would have it", r"w^* = \frac{h}{h + l_2}\, m"),
        Text(
            f"{_kept(10 * l2, l2)} is left where h is {shown(10 * l2, 4)}, half where it is {shown(l2, 4)}, and "
            f"{_kept(l2 / 10, l2)} where it is {shown(l2 / 10, 4)}."
        ),
    )


def _head_penalty(path: Path) -> HeadPenalty:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        tried = tuple((float(row["l2"]), float(row["train_loss"]), float(row["validation_loss"])) for row in rows)
        return HeadPenalty(next(float(row["l2"]) for row in rows if row["chosen"] == "true"), tried)
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise DamagedRun(
            f"{path} cannot be read: {error}", expected="a whole run folder, as heldout wrote it", fix="train again"
        ) from error


def _kept(curvature: float, l2: float) -> str:
    return shown(curvature / (curvature + l2), 3)


def _head_figure(l2: float) -> "Figure":
    from heldout.explaining.decay.run_figure import penalty_figure

    return penalty_figure(l2)
