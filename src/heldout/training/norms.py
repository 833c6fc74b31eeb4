"""The norm of every tensor that learns, at the start and after each epoch, and what decay alone would have left of it.

A network is not changed by this, and an epoch costs one norm a tensor. Decay alone is the same optimiser with the same
learning rates where the loss has no gradient: each decayed weight is then its first value times one number, as both
rules of `steps.make_learner` are linear there.

    sgd     v <- b v + wd w,  w <- w - lr v     coupled: momentum carries the decay on, about 1 / (1 - b) times as far
    adamw   w <- (1 - lr wd) w                  decoupled: a product

Biases and normalisation are not decayed: of them all would be left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor, nn

from heldout.training.norm_files import NORM_COLUMNS

_PREFIX = "norms."


@dataclass(slots=True)
class DecayAlone:
    """A decayed weight that was 1 at first, where the loss has no gradient.

    Attributes:
        weight: What is left of it.
        velocity: Its momentum.
    """

    weight: float = 1.0
    velocity: float = 0.0

    def step(self, optimiser: torch.optim.Optimizer) -> None:
        """Take the step that the optimiser took, with its first group's settings."""
        group = optimiser.param_groups[0]
        if isinstance(optimiser, torch.optim.AdamW):
            self.weight *= 1 - group["lr"] * group["weight_decay"]
            return
        self.velocity = group["momentum"] * self.velocity + group["weight_decay"] * self.weight
        self.weight -= group["lr"] * self.velocity


@dataclass(slots=True, eq=False)
class Norms:
    """What is written down of a training's weights.

    Attributes:
        parameters: What learns, by name.
        decayed: Which of them the optimiser decays.
        alone_now: What decay alone has left of a weight; moves with the training.
        epochs: Of the rows: 0 is before the first step. Empty where an older version, which wrote nothing down, had
            begun the training.
        values: The norms, one row an epoch.
        alone: What decay alone had left of a weight by then.
    """

    parameters: Mapping[str, nn.Parameter]
    decayed: frozenset[str]
    alone_now: DecayAlone
    epochs: list[int] = field(default_factory=list)
    values: list[Float[Tensor, " parameters"]] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)

    def write_down(self, epoch: int) -> None:
        """The norms as they are now, after an epoch."""
        if epoch > 0 and not self.epochs:
            return  # without its beginning, the rest tells nothing
        with torch.no_grad():
            norms = [torch.linalg.vector_norm(one, dtype=torch.float64) for one in self.parameters.values()]
        self.epochs.append(epoch)
        self.values.append(torch.stack(norms).cpu())
        self.alone.append(self.alone_now.weight)

    def rows(self) -> list[dict[str, str]]:
        """The rows of norms.csv under `NORM_COLUMNS`; numbers are read back as exactly what they were."""
        rows = [
            (str(epoch), name, repr(norm), repr(alone if name in self.decayed else 1.0))
            for epoch, norms, alone in zip(self.epochs, self.values, self.alone, strict=True)
            for name, norm in zip(self.parameters, norms.tolist(), strict=True)
        ]
        return [dict(zip(NORM_COLUMNS, row, strict=True)) for row in rows]

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint holds of it."""
        if not self.epochs:
            return {}
        now = [self.alone_now.weight, self.alone_now.velocity]
        return {
            f"{_PREFIX}epochs": torch.tensor(self.epochs),
            f"{_PREFIX}values": torch.stack(self.values),
            f"{_PREFIX}alone": torch.tensor([*self.alone, *now], dtype=torch.float64),
        }

    def put_back(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what a checkpoint held.

        Args:
            tensors: By name, others among them.
        """
        is_there = f"{_PREFIX}epochs" in tensors
        self.epochs = tensors[f"{_PREFIX}epochs"].tolist() if is_there else []
        self.values = list(tensors[f"{_PREFIX}values"]) if is_there else []
        *self.alone, weight, velocity = tensors[f"{_PREFIX}alone"].tolist() if is_there else (1.0, 0.0)
        self.alone_now.weight, self.alone_now.velocity = weight, velocity


def norms_of(parameters: Mapping[str, nn.Parameter], optimiser: torch.optim.Optimizer, alone: DecayAlone) -> Norms:
    """The record of a training before its first step.

    Args:
        parameters: What learns, by name.
        optimiser: Its first group is the one that is decayed.
        alone: What moves with each of its steps.
    """
    group = optimiser.param_groups[0]
    ids = {id(one) for one in group["params"]} if group["weight_decay"] else set()
    norms = Norms(parameters, frozenset(name for name, one in parameters.items() if id(one) in ids), alone)
    norms.write_down(0)
    return norms
