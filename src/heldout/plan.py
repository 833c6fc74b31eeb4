"""The plan of a run: everything that decides its numbers, merged from defaults, a TOML file and flags.

    [data]      path, skip_bad, test_share, validation_share, max_pixels, group_by; of a table also target, test and
                validation
    [model]     backbone, weights, regime, download; of a table name, width and layers
    [training]  as `training.settings.TrainingSettings`; absent where the head of a frozen backbone is fitted to its
                optimum, which needs none
    [decision]  threshold, costs, positive, positive_weight
    imbalance, focal_gamma, seed, device, workers, engine, out, name at the top

Flags beat the file, the file beats the defaults. The merged plan is written into the run.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from heldout.data.storage.remote import name_of, without_secrets
from heldout.errors import RunFolderError, UsageError, nearest
from heldout.measuring.costs import costs_as_json, is_costs_file
from heldout.plan_checks import (
    check_data,
    check_decision,
    check_imbalance,
    check_model,
    check_name,
    check_place,
    check_storable,
    check_table_model,
    training_of,
)
from heldout.plan_sections import DataPlan, DecisionPlan, ModelPlan, TableModelPlan
from heldout.plan_text import merged_settings, toml_value
from heldout.records import read_json
from heldout.training.settings import TrainingSettings

_SECTIONS = ("data", "model", "training", "decision")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides the numbers of one run.

    Attributes:
        data: Which examples.
        model: Which network, or which model of rows.
        training: How it is trained by mini-batches; None where the head of a frozen backbone, or a linear model, is
            fitted to its optimum, as it is unless one of these settings is named, and for boosting.
        decision: How a class is decided on.
        imbalance: How rare classes are helped: `none`, `weights`, `balanced-batch` or `focal`.
        focal_gamma: How much less the focal loss counts what is already right, above 0 to 10.
        seed: Of every random number.
        device: `auto`, `cpu` or `cuda`.
        workers: Processes that train the network together, 1 to 1,024; more than one is for training by mini-batches.
        engine: Where they are: `local`, this machine; or `ray`, a cluster, which looks at the pictures too.
        out: The folder in which the run folder is made.
        name: What the run folder's name starts with.
    """

    data: DataPlan
    model: ModelPlan | TableModelPlan = field(default_factory=ModelPlan)
    training: TrainingSettings | None = None
    decision: DecisionPlan = field(default_factory=DecisionPlan)
    imbalance: str = "none"
    focal_gamma: float = 2.0
    seed: int = 0
    device: str = "auto"
    workers: int = 1
    engine: str = "local"
    out: str = "runs"
    name: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionaries; what is None is left out, and so are passwords in the address of the data."""
        plan = asdict(self)
        plan["data"]["path"] = without_secrets(self.data.path)
        if not self.data.target:
            for name in ("target", "test", "validation"):  # of tables alone
                del plan["data"][name]
        if self.training is None:
            del plan["training"]
        else:
            plan["training"] = {key: value for key, value in plan["training"].items() if value is not None}
        return plan

    def to_toml(self) -> str:
        """The plan as a TOML file that `make_plan` reads back to an equal plan, but for passwords."""
        top = {key: value for key, value in self.as_dict().items() if key not in _SECTIONS}
        lines = [f"{key} = {toml_value(value)}" for key, value in top.items()]
        for section in _SECTIONS:
            if values := self.as_dict().get(section):
                lines += ["", f"[{section}]", *(f"{key} = {toml_value(value)}" for key, value in values.items())]
        return "\n".join(lines) + "\n"


def make_plan(settings: Mapping[str, Any], *, file: Path | None = None, assignments: Iterable[str] = ()) -> Plan:
    """The plan that settings, a file and `--set` assignments make together.

    Args:
        settings: By dotted name, such as `model.regime`; what is None is not set.
        file: A TOML file with the same names.
        assignments: Such as `training.weight_decay=0.01`, which beat both.

    Raises:
        UsageError: An unknown name (the nearest known one is suggested), a value of the wrong kind or out of
            range, or values that contradict each other.

    Example:
        >>> make_plan({"data.path": "photos", "model.regime": "full"}).training.epochs
        5
    """
    merged = merged_settings(settings, file=file, assignments=assignments)
    known = _known_names()
    for name in merged:
        if name not in known:
            raise UsageError(
                f"the plan has no setting {name!r}{nearest(name, known)}",
                expected=f"one of {', '.join(known)}",
                fix=f"remove {name}, or write one of these names",
            )
        check_storable(name, merged[name])
    if not merged.get("data.path"):
        raise UsageError("no data is named", expected="a folder of photos or a listing", fix="heldout train DATA")
    data = DataPlan(**_section(merged, "data", DataPlan))
    model = _model_of(merged, is_table=bool(data.target))
    top = {name: _typed(name, value, Plan) for name, value in merged.items() if "." not in name}
    decision = DecisionPlan(**_section(merged, "decision", DecisionPlan))
    if is_costs_file(decision.costs):  # what it says now, and not what it may say when the run is taken up again
        decision = replace(decision, costs=costs_as_json(decision.costs))
    plan = Plan(
        data=data,
        model=model,
        training=training_of(merged, model.regime, str(top.get("imbalance", "none"))),
        decision=decision,
        **(top | {"name": _name(top.get("name", ""), data.path)}),
    )
    check_data(data)
    check_decision(plan.decision)
    check_imbalance(plan.imbalance, plan.focal_gamma)
    check_place(
        device=plan.device,
        engine=plan.engine,
        workers=plan.workers,
        is_fitted=plan.training is None,
        is_table=bool(data.target),
    )
    check_name(plan.name)
    return plan


def _known_names() -> list[str]:
    top = [part.name for part in fields(Plan) if part.name not in _SECTIONS]
    kinds = [
        ("data", DataPlan),
        ("model", ModelPlan),
        ("model", TableModelPlan),
        ("training", TrainingSettings),
        ("decision", DecisionPlan),
    ]
    return [*top, *(f"{section}.{part.name}" for section, kind in kinds for part in fields(kind))]


def _model_of(merged: Mapping[str, Any], *, is_table: bool) -> ModelPlan | TableModelPlan:
    """The section `model`, of the kind that the data asks for.

    Raises:
        UsageError: A setting of the other kind, or one that cannot be meant.
    """
    kind, other = (TableModelPlan, ModelPlan) if is_table else (ModelPlan, TableModelPlan)
    foreign = {f"model.{part.name}" for part in fields(other)} - {f"model.{part.name}" for part in fields(kind)}
    if met := sorted(foreign & merged.keys()):
        raise UsageError(
            f"{met[0]} is set, which is for {'pictures' if is_table else 'tables'}, and data.target names "
            + (f"the column {merged['data.target']!r} of a table" if is_table else "no column of a table"),
            expected="model.name, model.width and model.layers for a table; model.backbone, model.weights and "
            "model.regime for pictures",
            fix=f"leave {met[0]} out" + ("" if is_table else ", or name the column of the labels with --target"),
        )
    if is_table:
        table_model = TableModelPlan(**_section(merged, "model", TableModelPlan))
        check_table_model(table_model)
        return table_model
    model = ModelPlan(**_section(merged, "model", ModelPlan))
    check_model(model, asked_for_weights="model.weights" in merged)
    return replace(model, weights="none") if model.regime == "scratch" else model


def _section(merged: Mapping[str, Any], section: str, kind: type) -> dict[str, Any]:
    prefix = f"{section}."
    return {
        name.removeprefix(prefix): _typed(name, value, kind)
        for name, value in merged.items()
        if name.startswith(prefix)
    }


def _typed(name: str, value: Any, kind: type) -> Any:
    """The value, if it is of the kind that the field's default has."""
    by_name = {part.name: part for part in fields(kind)}
    part = by_name[name.rpartition(".")[2]]
    wanted = str if part.default is MISSING else type(part.default)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted is str and (isinstance(value, Path) or (name == "decision.threshold" and isinstance(value, float))):
        return str(value)
    if type(value) is not wanted:
        words = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
        raise UsageError(f"{name} is {value!r}", expected=words[wanted], fix=f"set {name} to {words[wanted]}")
    return value


def _name(name: str, data: str) -> str:
    """The run's name: as given, or after the data."""
    if name:
        return name
    return name_of(data) or "run"


def plan_of(folder: Path) -> Plan:
    """The plan of a run, as it was when the run began.

    Raises:
        RunFolderError: It was changed since.
    """
    text, record = (folder / "plan.toml").read_bytes(), read_json(folder / "environment.json")
    known = record.get("plan_sha256")
    if known is not None and hashlib.sha256(text).hexdigest() != known:
        raise RunFolderError(
            f"{folder / 'plan.toml'} was changed since the run began",
            expected="the plan that the run was started with",
            fix="put it back as it was, or start a new run with `heldout train --plan`",
        )
    return make_plan({}, file=folder / "plan.toml")
