"""What a plan may say: each check refuses values that cannot be meant, or that contradict each other."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from heldout.data.groups import pattern_of
from heldout.devices import DEVICES
from heldout.errors import UsageError, one_of
from heldout.models.backbones import TIMM, find_backbone
from heldout.models.regimes import REGIMES
from heldout.models.table_models import TABLE_MODELS
from heldout.plan_sections import DataPlan, DecisionPlan, ModelPlan, TableModelPlan
from heldout.training.settings import ENGINES, IMBALANCES, NEEDS_BATCHES, TrainingSettings, defaults

# What a threshold may be chosen by on validation, and what else `decision.threshold` may say besides a number.
METRICS = ("balanced_accuracy", "f1", "mcc")
THRESHOLDS = ("likeliest", "balanced", *METRICS)


def check_storable(name: str, value: Any) -> None:
    """Refuse what the TOML file of the run could not hold."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise UsageError(
            f"{name} is a number of {value.bit_length()} bits",
            expected="a whole number of at most 64 bits",
            fix=f"set {name} to a smaller number",
        )
    if isinstance(value, str) and "\0" in value:
        raise UsageError(
            f"{name} is {value!r}, in which a NUL stands",
            expected="a text without it",
            fix=f"set {name} to another text",
        )
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{name} is {str(value)!r}, which is no Unicode text",
            expected="names whose bytes are UTF-8",
            fix="rename the file or folder, or reach it through a link with another name",
        ) from None


def training_of(merged: Mapping[str, Any], regime: str, imbalance: str) -> TrainingSettings | None:
    """How the model is trained by mini-batches; None where it is fitted at once.

    Args:
        merged: All settings by dotted name.
        regime: The regime, or the name of a model of rows.
        imbalance: As in the plan.

    Raises:
        UsageError: Such a model has no such settings.
    """
    changes = {name.removeprefix("training."): value for name, value in merged.items() if name.startswith("training.")}
    by_batches = bool(changes) or imbalance in NEEDS_BATCHES
    if regime == "boosting":
        if by_batches:
            raise UsageError(
                f"the model is 'boosting', yet {_first_of(changes, imbalance)} is asked for",
                expected="a training by mini-batches for linear and mlp alone; boosting is fitted at once, and its "
                "imbalance is none or weights",
                fix="leave it out, or choose --model linear or --model mlp",
            )
        return None
    if regime in ("frozen", "partial", *TABLE_MODELS) and changes.get("augment", "none") != "none":
        raise UsageError(
            f"training.augment is {changes['augment']!r}, but "
            + (f"a {regime} model" if regime in TABLE_MODELS else f"the regime {regime!r}")
            + " learns from what was kept of the examples as they are",
            expected="augmentation with the regimes full and scratch alone",
            fix="leave training.augment out, or choose --regime full",
        )
    if regime in TABLE_MODELS and changes.get("precision", "float32") != "float32":
        raise UsageError(
            f"training.precision is {changes['precision']!r}, but rows are computed in float32",
            expected="float32 for a table",
            fix="leave training.precision out",
        )
    return defaults(regime, changes) if by_batches or regime not in ("frozen", "linear") else None


def _first_of(changes: Mapping[str, Any], imbalance: str) -> str:
    return f"training.{next(iter(changes))}" if changes else f"imbalance {imbalance!r}"


def check_model(model: ModelPlan, *, asked_for_weights: bool) -> None:
    """Refuse an unknown regime or backbone, and weights that contradict the regime.

    Raises:
        UsageError: As said.
    """
    if model.regime not in REGIMES:
        raise one_of("regime", model.regime, REGIMES)
    if not model.backbone.startswith(TIMM):
        find_backbone(model.backbone)
    if model.regime == "scratch" and asked_for_weights and model.weights != "none":
        raise UsageError(
            f"regime is 'scratch', yet weights are {model.weights!r}",
            expected="random weights for the regime scratch",
            fix="leave --weights out, or choose --regime full to start from them",
        )
    if model.regime != "scratch" and model.weights == "none":
        raise UsageError(
            f"regime is {model.regime!r}, yet weights are 'none'",
            expected="pretrained weights for the regimes frozen, partial and full",
            fix="choose --regime scratch to learn everything from random weights",
        )


def check_table_model(model: TableModelPlan) -> None:
    """Refuse an unknown model of rows, and layers that nobody wants.

    Raises:
        UsageError: As said.
    """
    if model.name not in TABLE_MODELS:
        raise one_of("model.name", model.name, TABLE_MODELS)
    for name, most in (("width", 65_536), ("layers", 100)):
        if not 1 <= getattr(model, name) <= most:
            raise UsageError(
                f"model.{name} is {getattr(model, name)}",
                expected=f"a whole number from 1 to {most:,}",
                fix=f"set model.{name} to such a number",
            )


def check_data(data: DataPlan) -> None:
    """Refuse shares that part nothing, patterns that are none, and files that only a table can have.

    Raises:
        UsageError: As said.
    """
    for name in ("test_share", "validation_share"):
        share = getattr(data, name)
        if not (math.isfinite(share) and 0 < share < 1):
            raise UsageError(f"data.{name} is {share!r}", expected="a share above 0 and below 1", fix="such as 0.2")
    if data.max_pixels < 1:
        raise UsageError(f"data.max_pixels is {data.max_pixels}", expected="at least 1", fix="leave it out")
    if data.target:
        return
    pattern_of(data.group_by)
    if named := [name for name in ("test", "validation") if getattr(data, name)]:
        raise UsageError(
            f"data.{named[0]} names a file, but data.target names no column",
            expected="a given test or validation file beside a table, whose labels a column holds",
            fix="name that column with --target; pictures have their parts as folders or in the listing",
        )


def check_place(*, device: str, engine: str, workers: int, is_fitted: bool, is_table: bool) -> None:
    """Refuse a place to compute that is not known, or that such a training has no use for.

    Raises:
        UsageError: As said.
    """
    if device not in DEVICES:
        raise one_of("device", device, DEVICES)
    if engine not in ENGINES:
        raise one_of("engine", engine, ENGINES)
    if not 1 <= workers <= 1024:
        raise UsageError(
            f"workers is {workers}", expected="a whole number from 1 to 1,024", fix="leave --workers out for one"
        )
    if is_table and (engine != "local" or workers > 1):
        raise UsageError(
            f"a table is asked to be trained with workers {workers} and engine {engine!r}",
            expected="one process of this machine: a step on rows takes less time than two processes need to meet",
            fix="leave --workers and --engine out; a sweep of tables may use many workers",
        )
    if workers > 1 and is_fitted:
        raise UsageError(
            f"workers is {workers}, yet the head of a frozen backbone is fitted at once, and not by mini-batches",
            expected="one worker, or a training by mini-batches",
            fix="leave --workers out; or choose --regime partial, full or scratch",
        )


def check_imbalance(imbalance: str, focal_gamma: float) -> None:
    """Refuse an unknown remedy for rare classes.

    Raises:
        UsageError: As said.
    """
    if imbalance not in IMBALANCES:
        raise one_of("imbalance", imbalance, IMBALANCES)
    if not 0 < focal_gamma <= 10:
        raise UsageError(
            f"focal_gamma is {focal_gamma!r}", expected="a number above 0, up to 10", fix="leave it out for 2"
        )


def check_decision(decision: DecisionPlan) -> None:
    """Refuse a threshold that is none, and two ways to decide at once; what the classes say is looked at later.

    Raises:
        UsageError: As said.
    """
    text = decision.threshold
    if text and text not in THRESHOLDS:
        try:
            share = float(text)
        except ValueError:
            raise one_of("threshold", text, THRESHOLDS) from None
        if not 0 < share < 1:
            raise UsageError(
                f"threshold is {text}", expected="a probability above 0 and below 1", fix="such as --threshold 0.3"
            )
    if decision.costs and text:
        raise UsageError(
            f"threshold is {text!r}, and costs are {decision.costs!r}",
            expected="one of them: costs already say where to decide",
            fix="leave --threshold or --costs out",
        )
    if not (math.isfinite(decision.positive_weight) and decision.positive_weight >= 0):
        raise UsageError(
            f"decision.positive_weight is {decision.positive_weight!r}",
            expected="how often an example of the positive class counts, above 0; 0 for no such score",
            fix="such as --set decision.positive_weight=4",
        )


def check_name(name: str) -> None:
    """Refuse what is no plain name of a folder.

    Raises:
        UsageError: As said.
    """
    is_plain = name.isprintable() and Path(name).name == name
    if not name or not is_plain or name.startswith("."):
        raise UsageError(
            f"name is {name!r}", expected="a plain folder name", fix="choose letters, digits, - and _ for --name"
        )
