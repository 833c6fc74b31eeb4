"""One step of training, and one pass of evaluation."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heldout.data.batches import Batch
from heldout.errors import UsageError
from heldout.models.regimes import learning_parts, set_mode
from heldout.randomness import torch_seed
from heldout.training.losses import StepSums, Tally, count_correct, cross_entropy
from heldout.training.precision import computing_in
from heldout.training.settings import TrainingSettings
from heldout.training.tasks import Task

# AdamW's own decay rates of its two moments, as its paper and torch have them.
_BETAS = (0.9, 0.999)


class Diverged(UsageError):
    """The loss is no longer a number."""

    def __init__(self, loss: float, *, epoch: int, step: int, learning_rate: float) -> None:
        super().__init__(
            f"the training loss is {loss} at epoch {epoch}, step {step + 1}: the weights have diverged",
            expected="a finite loss in every step",
            fix=f"lower the learning rate, such as to {learning_rate / 10:g} (it is {learning_rate:g})",
        )


@dataclass(slots=True, eq=False)
class Learner:
    """A network in training: it changes with every step.

    Attributes:
        task: The network and what it learns from.
        precision: As in `precision.py`.
        label_smoothing: As in `TrainingSettings`.
        optimiser: Of the parts that learn.
        scaler: Scales the loss of `float16`; does nothing in other precisions.
    """

    task: Task
    precision: str
    label_smoothing: float
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler


def make_learner(task: Task, settings: TrainingSettings, *, precision: str) -> Learner:
    """The network with a new optimiser for what its regime lets learn."""
    learning = learning_parts(task.net, task.regime).values()
    groups = [
        {"params": [one for one in learning if one.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [one for one in learning if one.ndim < 2], "weight_decay": 0.0},
    ]
    optimiser: torch.optim.Optimizer
    if settings.optimiser == "adamw":
        optimiser = torch.optim.AdamW(groups, lr=settings.learning_rate, betas=_BETAS, foreach=True)
    else:
        optimiser = torch.optim.SGD(groups, lr=settings.learning_rate, momentum=settings.momentum, foreach=True)
    scaler = torch.amp.GradScaler(task.device.type, enabled=precision == "float16")
    return Learner(task, precision, settings.label_smoothing, optimiser, scaler)


def train_step(
    learner: Learner, inputs: Float[Tensor, "batch ..."], labels: Int[Tensor, " batch"], *, learning_rate: float
) -> StepSums:
    """What the step adds to the sums of its epoch, after it has moved the weights.

    The network must be in training mode (`regimes.set_mode`). Does not wait for the device.
    """
    task, optimiser = learner.task, learner.optimiser
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
    optimiser.zero_grad(set_to_none=True)
    with computing_in(learner.precision, task.net, task.device):
        logits = task.logits(task.net, inputs)
    loss = cross_entropy(logits, labels, label_smoothing=learner.label_smoothing)
    learner.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
    learner.scaler.step(optimiser)
    learner.scaler.update()
    return StepSums(loss.detach(), count_correct(logits.detach(), labels), len(labels))


def evaluate(task: Task, batches: Iterable[Batch], *, precision: str) -> Tally:
    """Sums over all examples of the batches, in evaluation mode and without gradients.

    The loss is the plain negative log-likelihood. The network is left in evaluation mode.
    """
    set_mode(task.net, task.regime, training=False)
    tally = Tally()
    with torch.inference_mode():
        for batch in batches:
            labels = torch.from_numpy(batch.labels).to(task.device)
            with computing_in(precision, task.net, task.device):
                logits = task.logits(task.net, task.evaluation_inputs(batch))
            tally = tally.plus(StepSums(cross_entropy(logits, labels), count_correct(logits, labels), len(labels)))
    return tally


@contextmanager
def private_draws(device: torch.device, *, seed: int, epoch: int, step: int) -> Iterator[None]:
    """Within: what layers such as dropout draw depends on the position alone; torch's own generators stay."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(torch_seed(seed, "dropout", epoch, step))
        yield
