"""What a sweep varies and what its settings have in common -> a plan for each setting, all of them checked."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from heldout.errors import UsageError
from heldout.plan import Plan, make_plan
from heldout.plan_text import merged_settings
from heldout.sweeping.space import Space, settings_of
from heldout.sweeping.sweep import SweepPlan
from heldout.training.settings import NEEDS_BATCHES

# A setting by its name in a plan -> the flag that names several values of it.
_FLAGS = {
    "model.regime": "--regimes",
    "model.name": "--models",
    "imbalance": "--imbalance",
    "model.backbone": "--backbones",
    "training.learning_rate": "--learning-rates",
    "training.batch_size": "--batch-sizes",
}


def plan_sweep(
    space: Space,
    named: Mapping[str, Any],
    *,
    file: Path | None = None,
    assignments: Sequence[str] = (),
    n_seeds: int | None = None,
    halving: bool = False,
    engine: str = "local",
    n_workers: int | None = None,
) -> SweepPlan:
    """The plan of a sweep, every setting of it checked.

    Args:
        space: What is varied.
        named: What all settings have in common, by its name in a plan.
        file: A plan in TOML with the same names.
        assignments: As `make_plan` takes them.
        n_seeds: Trials a setting.
        halving: Drop the worse half now and then.
        engine: `local` or `ray`.
        n_workers: Trials at a time.

    Raises:
        UsageError: A name or value that cannot be meant.
    """
    common = merged_settings(named, file=file, assignments=assignments)
    for name in _varied(space):
        if name in common:
            flag = _FLAGS[name]
            raise UsageError(
                f"{name} is set to {common[name]!r} for all settings, and is what the sweep varies",
                expected="one or the other",
                fix=f"take {name} out of the plan or --set, and name its values with {flag}",
            )

    plans = settings_of(space, partial(_plan_of, common), seed=int(common.get("seed", 0)))
    n_seeds = 5 if n_seeds is None else n_seeds
    return SweepPlan(space=space, plans=plans, n_seeds=n_seeds, halving=halving, engine=engine, n_workers=n_workers)


def _plan_of(common: Mapping[str, Any], values: Mapping[str, Any]) -> Plan:
    """The plan of one setting: its own values, and of the common ones those that are meant for such a model."""
    meant_for_others: str | None = None
    kind = values.get("model.name") or values["model.regime"]
    needs_batches = values.get("imbalance", common.get("imbalance")) in NEEDS_BATCHES
    is_fitted = kind in ("frozen", "linear") and "training.learning_rate" not in values and not needs_batches
    if is_fitted or kind == "boosting":
        meant_for_others = "training."  # without mini-batches
    elif kind == "scratch":
        meant_for_others = "model.weights"
    own = {
        name: value for name, value in common.items() if not (meant_for_others and name.startswith(meant_for_others))
    }
    return make_plan({**own, **values})


def _varied(space: Space) -> list[str]:
    """The settings, by their names in a plan, that the space has values for."""
    axes = (
        space.regimes,
        space.models,
        space.imbalances,
        space.backbones,
        space.learning_rates,
        space.batch_sizes,
    )
    return [name for name, values in zip(_FLAGS, axes, strict=True) if values]
