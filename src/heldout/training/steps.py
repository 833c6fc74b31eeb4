"""One step of training, and one pass of evaluation."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heldout.data.batches import Batch
from heldout.errors import UsageError
from heldout.models.regimes import has_fixed_statistics, learning_parts, set_mode
from heldout.randomness import torch_seed
from heldout.training.arithmetic import Arithmetic, computing_by, make_arithmetic
from heldout.training.losses import StepSums, Tally, count_correct, cross_entropy
from heldout.training.settings import TrainingSettings
from heldout.training.tasks import Task

# AdamW's own decay rates of its two moments, as its paper and torch have them.
_BETAS = (0.9, 0.999)
# What one piece of a batch may keep for its backward pass, on a CPU: 12 pictures of EfficientNet-Lite0, 25
# of ResNet-18.
# With the weights, the canvases and torch itself that stays below 1.5 GB (measured here, 2026-11-22).
_BACKWARD_BYTES = 768 * 2**20


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
        arithmetic: How the network computes.
        label_smoothing: As in `TrainingSettings`.
        optimiser: Of the parts that learn.
        scaler: Scales the loss of `float16`; does nothing in other precisions.
        n_at_once: Examples of a batch that go through the network together; None is the whole batch.
    """

    task: Task
    arithmetic: Arithmetic
    label_smoothing: float
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    n_at_once: int | None


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
    arithmetic = make_arithmetic(precision, task)
    return Learner(task, arithmetic, settings.label_smoothing, optimiser, scaler, _n_at_once(task, arithmetic))


def _n_at_once(task: Task, arithmetic: Arithmetic) -> int | None:
    """As many examples as the memory for a backward pass holds.

    Only where the statistics of batch normalisation stay: the gradients of the pieces then add up to those of the
    batch. A GPU has its own memory, of which nothing else is in need.
    """
    if task.device.type != "cpu" or not has_fixed_statistics(task.regime):
        return None
    one, two = (_kept_bytes(task, arithmetic, n) for n in (1, 2))  # the weights are in both
    return max(1, _BACKWARD_BYTES // max(1, two - one))


def _kept_bytes(task: Task, arithmetic: Arithmetic, n: int) -> int:
    """What the forward pass of `n` examples keeps for the backward pass, bytes."""
    kept: dict[int, int] = {}

    def count(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor.detach()  # the tensor itself would hold what made it, and that the tensor: for ever

    set_mode(task.net, task.regime, training=True)
    counting = torch.autograd.graph.saved_tensors_hooks(count, lambda tensor: tensor)
    with private_draws(task.device, seed=0, epoch=0, step=0), computing_by(arithmetic), counting:
        logits = task.logits(task.net, task.example[:n])
    del logits  # until here nothing that was kept gave its place away
    return sum(kept.values())


def train_step(
    learner: Learner, inputs: Float[Tensor, "batch ..."], labels: Int[Tensor, " batch"], *, learning_rate: float
) -> StepSums:
    """What the step adds to the sums of its epoch, after it has moved the weights.

    The gradient is that of the mean loss over the batch, whether the batch goes through the network at once or in
    pieces. The network must be in training mode (`regimes.set_mode`). Does not wait for the device.
    """
    task, optimiser = learner.task, learner.optimiser
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
    optimiser.zero_grad(set_to_none=True)
    n_pieces = 1 if learner.n_at_once is None else -(-len(labels) // learner.n_at_once)
    losses, n_correct = [], []
    for some, own in zip(inputs.tensor_split(n_pieces), labels.tensor_split(n_pieces), strict=True):
        with computing_by(learner.arithmetic):
            logits = task.logits(task.net, some)
        loss = cross_entropy(logits, own, label_smoothing=learner.label_smoothing) * (len(own) / len(labels))
        learner.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())
        n_correct.append(count_correct(logits.detach(), own))
    learner.scaler.step(optimiser)
    learner.scaler.update()
    return StepSums(torch.stack(losses).sum(), torch.stack(n_correct).sum(), len(labels))


def evaluate(task: Task, batches: Iterable[Batch], *, arithmetic: Arithmetic) -> Tally:
    """Sums over all examples of the batches, in evaluation mode and without gradients.

    The loss is the plain negative log-likelihood. The network is left in evaluation mode.
    """
    set_mode(task.net, task.regime, training=False)
    tally = Tally()
    with torch.inference_mode():
        for batch in batches:
            labels = torch.from_numpy(batch.labels).to(task.device)
            with computing_by(arithmetic):
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
