"""The decay of a training run: what became of each layer's norm, beside what decay alone would have done."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heldout.anatomy.decay.measured import MeasuredDecay, TensorDecay
from heldout.errors import RunFolderError, UsageError
from heldout.explaining.decay.head import HeadPenalty, explain_head
from heldout.explaining.decay.numbers import shown
from heldout.explaining.document import Explanation, Formula, Part, Section, Table, Text
from heldout.run_folders import ALWAYS_CHECKED, run_folder
from heldout.training.norm_files import NORMS_FILE, decay_record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from heldout.training.settings import TrainingSettings

_SOURCES = (
    "Weights before a normalisation: T. van Laarhoven, “L2 regularization versus batch and weight normalization”, "
    "2017, arXiv:1706.05350.",
)


RunFacts = MeasuredDecay | HeadPenalty


def explain_run(folder: Path) -> Explanation[RunFacts]:
    """What decay did in a run that was trained by epochs, or means in one whose head was fitted.

    Args:
        folder: Of a finished run.

    Raises:
        RunFolderError: No finished run, or one of an older version, which wrote down no norms.
        DamagedRun: Its files are not those that were written.
        UsageError: The run has no weights that could decay.
    """
    from heldout.plan import plan_of

    run_folder(folder, check=(*ALWAYS_CHECKED, NORMS_FILE, "history.csv", "head_path.csv"))
    plan = plan_of(folder)
    if plan.training is not None:
        return explain_training(folder, plan.training)
    if getattr(plan.model, "name", "") == "boosting":
        raise UsageError(
            f"{folder} is a run of boosted trees, which have no weights to decay",
            expected="a run of a network or of a linear model",
            fix="heldout train with --model mlp or linear, and explain that run",
        )
    return explain_head(folder)


def explain_training(folder: Path, settings: "TrainingSettings") -> Explanation[RunFacts]:
    """What decay did in a run that was trained by epochs; the run may be unfinished otherwise.

    Args:
        folder: The run folder.
        settings: What it was trained with.

    Raises:
        RunFolderError: It is of an older version, which wrote down no norms.
    """
    facts = decay_record(folder)
    if facts is None:
        raise RunFolderError(
            f"{folder} has no {NORMS_FILE}: a version of heldout that wrote down no norms began it",
            expected="a run whose norms were written down while it trained",
            fix="train again",
        )
    title = f"Weight decay in {folder.name}"
    sections = (
        Section("In short", tuple(Text(words) for words in _in_short(facts, settings))),
        Section("What was done", tuple(_rule(settings))),
        Section("Layer by layer", tuple(_layers(facts))),
    )
    return Explanation(
        title=title,
        facts=facts,
        sections=sections,
        record=_record(facts, settings),
        sources=_SOURCES,
        draw=lambda: _figure(facts),
    )


def _in_short(facts: MeasuredDecay, settings: "TrainingSettings") -> list[str]:
    whose = "whose weights were kept" if facts.kept else "none was better than the weights before it, which were kept"
    when = f"after epoch {facts.epochs[facts.row]} ({whose})"
    learned = facts.decayed or facts.tensors
    first, last = _together(learned, 0), _together(learned, facts.row)
    together = f"{_change(last / first if first else None)} (norm {shown(first, 4)} -> {shown(last, 4)})"
    if not facts.is_decayed:
        return [f"There was no decay: weight_decay is {settings.weight_decay:g}. All that learned, {when}: {together}."]
    told = [
        f"By decay alone every decayed weight would have changed by {_change(facts.decayed[0].alone[facts.row])} "
        f"{when}. All of them together did by {together}."
    ]
    shares = [share for tensor in facts.decayed if (share := tensor.by_gradient(facts.row)) is not None]
    if shares:
        larger = sum(share > 1 for share in shares)
        span = _change(shares[0]) if len(shares) == 1 else f"{_change(min(shares))} to {_change(max(shares))}"
        told.append(
            f"The gradient of the loss left {larger} of {_tensors(len(shares))} larger than decay alone would have: "
            f"{span}."
        )
    return told


def _change(share: float | None) -> str:
    """A share of what was as a change in percent.

    Example:
        >>> _change(0.8345), _change(3.234), _change(1.0), _change(None)
        ('-16.5 %', '+223 %', '0 %', '-')
    """
    if share is None:
        return "-"
    return "0 %" if share == 1 else f"{100 * (share - 1):+.3g} %"


def _rule(settings: "TrainingSettings") -> list[Part]:
    decay = settings.weight_decay
    rate = settings.learning_rate
    told = f"at most {rate:g}" if not isinstance(rate, str) else "found by a range test"
    scheme = f"The learning rate, {told}, changes from step to step; weight_decay is {decay:g}, so L = {decay / 2:g}."
    if settings.optimiser == "adamw":
        parts: list[Part] = [
            Text(f"AdamW, decoupled. {scheme} Decay alone is the product over the steps:"),
            Formula("w <- (1 - lr wd) w", r"w \leftarrow (1 - \alpha_t\, d)\, w"),
        ]
    elif settings.momentum:
        parts = [
            Text(
                f"SGD with momentum {settings.momentum:g}, coupled. {scheme} Decay alone is this, step by step, from "
                "w = 1; the momentum carries the decay on, about 1 / (1 - b) times as far:"
            ),
            Formula(
                "v <- b v + wd w,  w <- w - lr v", r"v \leftarrow \beta v + d\, w,\quad w \leftarrow w - \alpha_t v"
            ),
        ]
    else:
        parts = [
            Text(f"SGD, coupled. {scheme} Decay alone is the product over the steps:"),
            Formula("w <- (1 - lr wd) w", r"w \leftarrow (1 - \alpha_t\, d)\, w"),
        ]
    if not isinstance(rate, str) and decay:
        limit = 2 * (1 + settings.momentum) if settings.optimiser != "adamw" else 2.0
        parts.append(
            Text(
                f"At its highest lr wd = {shown(rate * decay)}; by itself the decay is stable below {shown(limit)}. "
                "Biases and normalisation are not decayed."
            )
        )
    return parts


def _layers(facts: MeasuredDecay) -> list[Part]:
    tensors = facts.decayed or facts.tensors
    epoch = facts.epochs[facts.row]
    columns = ("parameter", "norm at first", f"after epoch {epoch}", "measured", "decay alone", "gradient")
    rows = [
        (
            tensor.name,
            shown(tensor.norms[0], 4),
            shown(tensor.norms[facts.row], 4),
            _change(tensor.ratio(facts.row)),
            _change(tensor.alone[facts.row]),
            _change(tensor.by_gradient(facts.row)),
        )
        for tensor in tensors
    ]
    parts: list[Part] = [
        Table(columns, tuple(rows), numeric=frozenset(range(1, 6))),
        Text(
            "Gradient is what was measured beside what decay alone would have left: above 0 the gradient of the loss "
            "pushed outwards, below it inwards too."
        ),
    ]
    if facts.decayed and (others := [tensor for tensor in facts.tensors if not tensor.is_decayed]):
        shares = [share for tensor in others if (share := tensor.ratio(facts.row)) is not None]
        span = f": {_change(min(shares))} to {_change(max(shares))}" if shares else ""
        parts.append(Text(f"Not decayed: {_tensors(len(others))} (biases, normalisation){span}."))
    parts.append(
        Text(
            "A weight that a normalisation follows can be scaled without any effect on what the network says. Its "
            "gradient stands at right angles to it, so a plain step can only lengthen it, and the decay there does not "
            "make the function simpler: it keeps the steps from becoming small beside the weight."
        )
    )
    return parts


def _together(tensors: Sequence[TensorDecay], row: int) -> float:
    """The norm of several tensors as one."""
    return math.sqrt(math.fsum(tensor.norms[row] ** 2 for tensor in tensors))


def _tensors(n: int) -> str:
    return f"{n:,} tensor{'' if n == 1 else 's'}"


def _record(facts: MeasuredDecay, settings: "TrainingSettings") -> dict[str, Any]:
    return {
        "kind": "training",
        "optimiser": settings.optimiser,
        "momentum": settings.momentum if settings.optimiser == "sgd" else None,
        "weight_decay": settings.weight_decay,
        "decoupled": settings.optimiser == "adamw",
        "kept_epoch": facts.kept,
        "told_epoch": facts.epochs[facts.row],
        "epochs": facts.epochs,
        "parameters": [
            {
                "name": tensor.name,
                "is_decayed": tensor.is_decayed,
                "norm_at_first": tensor.norms[0],
                "norm": tensor.norms[facts.row],
                "norm_at_last": tensor.norms[-1],
                "measured": tensor.ratio(facts.row),
                "decay_alone": tensor.alone[facts.row],
                "by_gradient": tensor.by_gradient(facts.row),
                "norms": tensor.norms,
            }
            for tensor in facts.tensors
        ],
    }


def _figure(facts: MeasuredDecay) -> "Figure":
    from heldout.explaining.decay.run_figure import norms_figure

    return norms_figure(facts)
