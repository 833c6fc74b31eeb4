"""What a sweep tries: settings on a grid, or drawn at random, each with the plan of its runs."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from heldout.errors import UsageError
from heldout.models.table_models import TABLE_MODELS
from heldout.plan import Plan
from heldout.plan_sections import ModelPlan
from heldout.randomness import stream
from heldout.training.settings import NEEDS_BATCHES

# The word for what heldout itself would take: the regime's own learning rate, and for `frozen` no rate at all, for its
# head is then fitted to its optimum.
DEFAULT_RATE = "default"
# A sweep of more trials than this is a slip: a rate list that was pasted twice, or seeds in place of epochs (assumed).
MOST_TRIALS = 100_000


@dataclass(frozen=True, slots=True)
class Setting:
    """What distinguishes one recipe of a sweep from the others.

    Attributes:
        regime: What learns; of a table, which model.
        backbone: Which network; empty for a table.
        learning_rate: The highest of the schedule; None where the head of a frozen backbone, or a linear model, is
            fitted to its optimum, and for boosting.
        batch_size: Examples a step; None likewise.
        imbalance: How rare classes are helped.
    """

    regime: str
    backbone: str
    learning_rate: float | None
    batch_size: int | None
    imbalance: str = "none"

    @property
    def kind(self) -> tuple[str, str, str]:
        """What stays the same where only the training by mini-batches is set otherwise."""
        return self.regime, self.backbone, self.imbalance

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {
            "regime": self.regime,
            "backbone": self.backbone,
            "learning_rate": self.learning_rate,
            "batch_size": self.batch_size,
            "imbalance": self.imbalance,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The values that are combined.

    Attributes:
        regimes: Of `models.regimes`.
        models: Of `models.table_models`, where the data is a table; there are no regimes and backbones then.
        backbones: Names; empty for the one of the plan.
        learning_rates: Numbers, or the word `default`; empty for `default` alone.
        batch_sizes: Empty for the one of the plan.
        imbalances: Of `none`, `weights`, `balanced-batch` and `focal`; empty for the one of the plan.
        n_drawn: Draw so many settings at random instead, the rates evenly in their logarithm between the lowest and the
            highest; None takes every combination.
    """

    regimes: tuple[str, ...] = ("frozen", "partial", "full")
    backbones: tuple[str, ...] = ()
    learning_rates: tuple[float | str, ...] = ()
    batch_sizes: tuple[int, ...] = ()
    imbalances: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    n_drawn: int | None = None

    def __post_init__(self) -> None:
        if not self.regimes and not self.models:
            raise UsageError("no regime is named", expected="one at least", fix="such as --regimes frozen,full")
        for name in ("regimes", "models", "backbones", "learning_rates", "batch_sizes", "imbalances"):
            counts = Counter(getattr(self, name))
            if twice := [value for value, n in counts.items() if n > 1]:
                raise UsageError(
                    f"{name} has {twice[0]!r} twice",
                    expected="each value once",
                    fix=f"write it once in --{_flag(name)}",
                )
        if self.n_drawn is not None:
            self._check_drawn()

    def _check_drawn(self) -> None:
        assert self.n_drawn is not None
        if not 1 <= self.n_drawn <= MOST_TRIALS:
            raise UsageError(
                f"trials is {self.n_drawn}", expected=f"from 1 to {MOST_TRIALS:,}", fix="such as --trials 20"
            )
        if len(self._rates) < 2 or DEFAULT_RATE in self.learning_rates:
            raise UsageError(
                f"trials are drawn between two learning rates, and learning_rates is {list(self.learning_rates)}",
                expected="the lowest and the highest rate, as numbers",
                fix="such as --learning-rates 0.0001,0.1 --trials 20, or leave --trials out",
            )

    @property
    def _rates(self) -> list[float]:
        return [rate for rate in self.learning_rates if not isinstance(rate, str)]


def make_space(
    *,
    regimes: Sequence[str] | None = None,
    backbones: Sequence[str] | None = None,
    learning_rates: Sequence[float | str] | None = None,
    batch_sizes: Sequence[int] | None = None,
    imbalances: Sequence[str] | None = None,
    models: Sequence[str] | None = None,
    is_table: bool = False,
    n_drawn: int | None = None,
) -> Space:
    """The space of these values; what is None is left as `Space` has it, and for a table all models are tried.

    Raises:
        UsageError: Values that cannot be meant, or that are for pictures where the data is a table, or the reverse.
    """
    _check_kind(models=models, regimes=regimes, backbones=backbones, is_table=is_table)
    given = Space() if regimes is None else Space(regimes=tuple(regimes))
    if is_table:
        given = Space(regimes=(), models=TABLE_MODELS if models is None else tuple(models))
    return replace(
        given,
        imbalances=tuple(imbalances or ()),
        backbones=tuple(backbones or ()),
        learning_rates=tuple(learning_rates or ()),
        batch_sizes=tuple(batch_sizes or ()),
        n_drawn=n_drawn,
    )


def _check_kind(*, is_table: bool, **given: Sequence[str] | None) -> None:
    foreign = ("regimes", "backbones") if is_table else ("models",)
    if met := [name for name in foreign if given[name] is not None]:
        raise UsageError(
            f"{met[0]} are named, which are for {'pictures' if is_table else 'tables'}, and the data is "
            + ("a table" if is_table else "no table: no target is named"),
            expected="models for a table; regimes and backbones for pictures",
            fix=f"leave --{met[0]} out" + ("" if is_table else ", or name the column of the labels with --target"),
        )


# Values by their name in a plan -> the plan.
MakePlan = Callable[[Mapping[str, Any]], Plan]


def settings_of(space: Space, make: MakePlan, *, seed: int) -> dict[Setting, Plan]:
    """Every setting of the space with its plan, in the order in which they are told; what comes out equal stands once.

    Args:
        space: The values.
        make: Makes a plan of some values and of all that the sweep has in common.
        seed: Of the draws.

    Raises:
        UsageError: A value that cannot be meant, or more settings than anybody wants.
    """
    combinations = _grid(space) if space.n_drawn is None else _drawn(space, seed)
    found: dict[Setting, Plan] = {}
    for values in combinations:
        plan = make({name: value for name, value in values.items() if value is not None})
        training = plan.training
        if training is not None and isinstance(training.learning_rate, str):
            raise UsageError(
                f"the learning rate of a sweep is {training.learning_rate!r}",
                expected="numbers, or the word default: a sweep compares rates, it does not look for one by itself",
                fix="such as --learning-rates 0.001,0.01",
            )
        setting = Setting(
            regime=plan.model.regime,
            backbone=plan.model.backbone if isinstance(plan.model, ModelPlan) else "",
            learning_rate=float(training.learning_rate) if training else None,
            batch_size=training.batch_size if training else None,
            imbalance=plan.imbalance,
        )
        found.setdefault(setting, plan)
    return found


def _grid(space: Space) -> list[dict[str, Any]]:
    kinds = space.models or space.regimes
    axes = (kinds, space.backbones, space.learning_rates, space.batch_sizes, space.imbalances)
    sizes = [len(values) or 1 for values in axes]
    if math.prod(sizes) > MOST_TRIALS:
        raise UsageError(
            f"the grid has {math.prod(sizes):,} settings",
            expected=f"at most {MOST_TRIALS:,}",
            fix="name fewer values, or draw some with --trials 50",
        )
    rates = space.learning_rates or (DEFAULT_RATE,)
    values = product(
        kinds, space.backbones or (None,), rates, space.batch_sizes or (None,), space.imbalances or (None,)
    )
    found = [_values(space, *combination) for combination in values]
    return [one for one in found if not _is_impossible(one)]


def _is_impossible(values: Mapping[str, Any]) -> bool:
    """Trees know no mini-batches: what else is tried does without them, and nobody has to name it apart."""
    return values.get("model.name") == "boosting" and values["imbalance"] in NEEDS_BATCHES


def _values(
    space: Space, kind: str, backbone: str | None, rate: float | str, batch_size: int | None, imbalance: str | None
) -> dict[str, Any]:
    needs_batches = imbalance in NEEDS_BATCHES
    is_fitted = kind == "boosting" or (kind in ("frozen", "linear") and rate == DEFAULT_RATE and not needs_batches)
    return {
        "model.name" if space.models else "model.regime": kind,
        "model.backbone": backbone,
        "training.learning_rate": None if is_fitted or rate == DEFAULT_RATE else rate,
        "training.batch_size": None if is_fitted else batch_size,
        "imbalance": imbalance,
    }


def _drawn(space: Space, seed: int) -> list[dict[str, Any]]:
    assert space.n_drawn is not None
    kinds = space.models or space.regimes
    rates = [math.log(rate) for rate in space._rates if rate > 0]
    drawn = []
    for number in range(space.n_drawn):
        generator = stream(seed, "settings", number)
        rate = float(f"{math.exp(generator.uniform(min(rates, default=0.0), max(rates, default=0.0))):.3g}")
        drawn.append(
            _values(
                space,
                kinds[generator.integers(len(kinds))],
                _one_of(space.backbones, generator.random()),
                rate,
                _one_of(space.batch_sizes, generator.random()),
                _one_of(space.imbalances, generator.random()),
            )
        )
    return [one for one in drawn if not _is_impossible(one)]


def _one_of(values: Sequence[Any], share: float) -> Any:
    return values[int(share * len(values))] if values else None


def names_of(settings: Sequence[Setting]) -> dict[Setting, str]:
    """What each setting is called: its regime, and what else differs among them.

    Example:
        >>> fitted, trained = Setting("frozen", "resnet18", None, None), Setting("full", "resnet18", 0.01, 32)
        >>> list(names_of([fitted, trained]).values())
        ['frozen, fitted', 'full, learning rate 0.01']
    """
    has_backbones = len({setting.backbone for setting in settings}) > 1
    has_sizes = len({setting.batch_size for setting in settings if setting.batch_size}) > 1
    has_imbalances = len({setting.imbalance for setting in settings}) > 1
    return {setting: _name(setting, has_backbones, has_sizes, has_imbalances) for setting in settings}


def _name(setting: Setting, has_backbone: bool, has_size: bool, has_imbalance: bool) -> str:
    parts = [setting.regime]
    if has_imbalance:
        parts.append("no balancing" if setting.imbalance == "none" else setting.imbalance)
    if has_backbone:
        parts.append(setting.backbone)
    parts.append("fitted" if setting.learning_rate is None else f"learning rate {setting.learning_rate:g}")
    if has_size and setting.batch_size:
        parts.append(f"batches of {setting.batch_size}")
    return ", ".join(parts)


def _flag(name: str) -> str:
    return name.replace("_", "-")
