"""What can be set about training by mini-batches: checked when it is made, with good values for each regime.

Imports no torch: a plan is checked before anything large is loaded.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, Literal

from heldout.errors import UsageError, nearest, one_of
from heldout.models.table_models import TABLE_MODELS

FIND = "find"  # instead of a learning rate: a range test finds one (rate_finding.py)
ENGINES = ("local", "ray")  # where the workers are: `launching.py` and `on_ray.py` say how they are begun
OPTIMISERS = ("sgd", "adamw")
IMBALANCES = ("none", "weights", "balanced-batch", "focal")  # what helps rare classes: balancing.py says how
LEVELLING = ("weights", "balanced-batch")  # those after which a model answers as if all classes were equally common
NEEDS_BATCHES = ("balanced-batch", "focal")  # a fitted optimum knows neither batches nor a loss that is not convex
AUGMENTATIONS = ("none", "light", "strong")  # data/pictures/augment.py says what they do
PRECISIONS = ("auto", "float32", "winograd", "bfloat16", "selective", "float16")  # arithmetic.py says what they do


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """How a network is trained by mini-batches.

    Attributes:
        epochs: How often every training example is seen, 1 to 100,000.
        batch_size: Examples in the largest batch, 1 to 65,536.
        learning_rate: The highest of the schedule, above 0, at most 100; or `find`, which a range test replaces by a
            number before the first step.
        optimiser: `sgd` or `adamw`.
        momentum: Of `sgd`, 0 to below 1; `adamw` has its own.
        weight_decay: On weights with two or more axes; biases and normalisation are never decayed. 0 to 10.
        warmup_share: The share of all steps in which the learning rate rises, 0 to below 1.
        label_smoothing: The share of a label that is spread over all classes, 0 to below 1.
        patience: Stop after so many epochs without a better validation loss; None never stops early.
        augment: `none`, `light` or `strong`.
        precision: `auto` measures what is fastest here.

    Raises:
        UsageError: A value that cannot be meant.

    Example:
        >>> defaults("full", {"epochs": 0})
        Traceback (most recent call last):
        heldout.errors.UsageError: epochs is 0
          expected: a whole number from 1 to 100,000
          fix: set training.epochs to such a number
    """

    epochs: int
    batch_size: int = 32
    learning_rate: float | Literal["find"]
    optimiser: str = "sgd"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    warmup_share: float = 0.1
    label_smoothing: float = 0.0
    patience: int | None = None
    augment: str = "light"
    precision: str = "auto"

    def __post_init__(self) -> None:
        _check_whole("epochs", self.epochs, 100_000)
        _check_whole("batch_size", self.batch_size, 65_536)
        _check_rate(self.learning_rate)
        _check_number("weight_decay", self.weight_decay, 0 <= _number(self.weight_decay) <= 10, "from 0 to 10")
        for name in ("momentum", "warmup_share", "label_smoothing"):
            share = getattr(self, name)
            _check_number(name, share, 0 <= _number(share) < 1, "from 0 to below 1")
        if self.patience is not None:
            _check_whole("patience", self.patience, 100_000)
        _check_word("optimiser", self.optimiser, OPTIMISERS)
        _check_word("augment", self.augment, AUGMENTATIONS)
        _check_word("precision", self.precision, PRECISIONS)

    @property
    def rate(self) -> float:
        """The learning rate, which is a number by now."""
        assert not isinstance(self.learning_rate, str), "the learning rate is yet to be found"
        return self.learning_rate


# What each regime starts from. The learning rates hold for batches of about 32.
_DEFAULTS: dict[str, dict[str, Any]] = {
    # The head alone, on kept features and from a drawn start: the regime's own way is to fit it to its optimum, without
    # any of these. Here for those who ask what a learning rate does. On 320 flower photos the fitted head has a
    # validation loss of 0.296; with this decay 20 epochs came to 0.313, 0.282, 0.287, 0.288, 0.56, 0.84 and 1.65 at
    # rates of 0.01, 0.03, 0.1, 0.3, 1, 3 and 10, with a decay of 1e-4 to 0.306, 0.280, 0.382, 0.428, 0.62, 1.65 and
    # 1.65; 50 epochs at 0.1 came to 0.283 (EfficientNet-Lite0, 2026-11-22).
    "frozen": {"epochs": 20, "learning_rate": 0.1, "weight_decay": 0.01, "augment": "none"},
    # A table's rows are few numbers and a step takes less than a millisecond: larger batches. On 8,000 points of the
    # plane 20 epochs of `linear` end with the validation loss of the fitted optimum, 0.3900 (2026-11-22).
    "linear": {"epochs": 20, "batch_size": 128, "learning_rate": 0.1, "weight_decay": 0.0},
    "mlp": {"epochs": 60, "batch_size": 128, "learning_rate": 0.05, "weight_decay": 1e-4, "patience": 10},
    # The head is fitted already and the backbone is close to good: a few epochs at a rate that moves it gently. On 320
    # flower photos the validation loss was 0.305, 0.304, 0.376 and 1.6 at rates of 0.0003, 0.001, 0.003 and 0.01, from
    # 0.307 (EfficientNet-Lite0, 3 epochs, 2026-11-22).
    "full": {"epochs": 5, "learning_rate": 0.001},
    # An epoch costs a small part of a full one, since the trunk's output is kept, and cannot be augmented for the
    # same reason. 0.298, 0.296 and 0.301 at rates of 0.001, 0.003 and 0.01, as above.
    "partial": {"epochs": 10, "learning_rate": 0.003, "augment": "none"},
    # From random weights everything must be learnt: many epochs, a high rate with a longer rise, and pictures that
    # never look the same twice. 0.1 per 256 examples of the ResNet recipes, scaled to a batch of 32 and then raised
    # fourfold, for small data sees few steps; 5e-4 and 0.1 are those recipes' decay and smoothing.
    "scratch": {
        "epochs": 60,
        "learning_rate": 0.05,
        "weight_decay": 5e-4,
        "label_smoothing": 0.1,
        "augment": "strong",
    },
}
# AdamW's steps do not shrink with the gradient; these are the customary rates for fine-tuning and from scratch.
_ADAMW_RATES = {"linear": 1e-2, "mlp": 3e-3, "frozen": 1e-3, "full": 1e-4, "partial": 3e-4, "scratch": 1e-3}
_ADAMW_DECAY = 0.05


def defaults(regime: str, changes: Mapping[str, Any] | None = None) -> TrainingSettings:
    """The settings that a regime starts from, with some of them changed.

    Args:
        regime: `scratch`, `frozen`, `partial` or `full`; of a table `linear` or `mlp`.
        changes: Settings by name.

    Raises:
        UsageError: Not such a regime, no such setting, or a value that cannot be meant.

    Example:
        >>> defaults("full").epochs, defaults("full", {"epochs": 2}).epochs
        (5, 2)
    """
    if regime not in _DEFAULTS:
        raise one_of("regime", regime, _DEFAULTS)
    changes = dict(changes or {})
    known = [field.name for field in fields(TrainingSettings)]
    for name in changes:
        if name not in known:
            raise UsageError(
                f"training has no setting {name!r}{nearest(name, known)}",
                expected=f"one of {', '.join(known)}",
                fix=f"remove training.{name}, or write one of these names",
            )
    chosen = dict(_DEFAULTS[regime])
    if regime in TABLE_MODELS:
        chosen |= {"augment": "none", "precision": "float32"}
    if changes.get("optimiser") == "adamw":
        chosen |= {"learning_rate": _ADAMW_RATES[regime], "weight_decay": _ADAMW_DECAY}
    return TrainingSettings(**(chosen | changes))


def _number(value: object) -> float:
    """The value as a float; nan, which is within no limits, where it is no number."""
    return math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)


def _check_whole(name: str, value: object, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, Integral) or not 1 <= int(value) <= most:
        raise UsageError(
            f"{name} is {value!r}",
            expected=f"a whole number from 1 to {most:,}",
            fix=f"set training.{name} to such a number",
        )


def _check_number(name: str, value: object, is_within: bool, limits: str) -> None:
    if not is_within:
        raise UsageError(
            f"{name} is {value!r}", expected=f"a number {limits}", fix=f"set training.{name} to such a number"
        )


def _check_rate(value: object) -> None:
    """The learning rate is a number within its limits, or the one word that stands for a number to be found."""
    if value != FIND and not 0 < _number(value) <= 100:
        raise UsageError(
            f"learning_rate is {value!r}{nearest(value, [FIND]) if isinstance(value, str) else ''}",
            expected=f"a number above 0, up to 100, or {FIND}",
            fix=f"set training.learning_rate to such a number, or to {FIND} to have a range test choose it",
        )


def _check_word(name: str, value: object, known: Sequence[str]) -> None:
    if value not in known:
        raise one_of(f"training.{name}", value, known)
