"""One step of training, and one pass of evaluation."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from heldout.data.batches import Batch
from heldout.models.regimes import has_fixed_statistics, learning_parts, set_mode
from heldout.randomness import torch_seed
from heldout.training.arithmetic import Arithmetic, computing_by, make_arithmetic
from heldout.training.linear_steps import linear_step
from heldout.training.losses import StepSums, Tally, count_correct, cross_entropy
from heldout.training.norms import DecayAlone
from heldout.training.parallel import ALONE, Group
from heldout.training.settings import TrainingSettings
from heldout.training.tasks import Task, put_in_mode

# AdamW's own decay rates of its two moments, as its paper and torch have them.
_BETAS = (0.9, 0.999)
# What one piece of a batch may keep for its backward pass, on a CPU: 12 pictures of EfficientNet-Lite0, 25
# of ResNet-18.
# With the weights, the canvases and torch itself that stays below 1.5 GB (measured here, 2026-11-22).
_BACKWARD_BYTES = 768 * 2**20


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
        group: Who trains it together with this process.
        decay_alone: What the optimiser's decay would have left of a weight by itself.
        linear: The head, where a step is that of one linear layer in 32 bits on a CPU, which needs no autograd for its
            gradient; None elsewhere.
    """

    task: Task
    arithmetic: Arithmetic
    label_smoothing: float
    optimiser: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    n_at_once: int | None
    group: Group = ALONE
    decay_alone: DecayAlone = field(default_factory=DecayAlone)
    linear: nn.Linear | None = None


def make_learner(task: Task, settings: TrainingSettings, *, precision: str, group: Group = ALONE) -> Learner:
    """The network with a new optimiser for what its regime lets learn."""
    learning = learning_parts(task.net, task.regime).values()
    groups = [
        {"params": [one for one in learning if one.ndim >= 2], "weight_decay": settings.weight_decay},
        {"params": [one for one in learning if one.ndim < 2], "weight_decay": 0.0},
    ]
    # Every step brings its own learning rate.
    optimiser: torch.optim.Optimizer
    if settings.optimiser == "adamw":
        optimiser = torch.optim.AdamW(groups, lr=0.0, betas=_BETAS, foreach=True)
    else:
        optimiser = torch.optim.SGD(groups, lr=0.0, momentum=settings.momentum, foreach=True)
    scaler = torch.amp.GradScaler(task.device.type, enabled=precision == "float16")
    arithmetic = make_arithmetic(precision, task)
    n_at_once = _n_at_once(task, arithmetic)
    is_alone = task.is_linear and not arithmetic.is_mixed and group.world == 1 and task.device.type == "cpu"
    linear = task.net.head if is_alone else None
    return Learner(task, arithmetic, settings.label_smoothing, optimiser, scaler, n_at_once, group, linear=linear)


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
    learner: Learner,
    inputs: Float[Tensor, "batch ..."],
    labels: Int[Tensor, " batch"],
    *,
    learning_rate: float,
    n_whole: int | None = None,
) -> StepSums:
    """What the step adds to the sums of its epoch, after it has moved the weights.

    The gradient is that of the mean loss over the whole batch, whether it goes through the network at once, in pieces,
    or in the processes of a group. The network must be in training mode (`regimes.set_mode`). Alone, it does not wait
    for the device.

    Args:
        learner: The network and its optimiser.
        inputs: The batch, or this process's piece of it, which may be empty.
        labels: Of these inputs.
        learning_rate: Of this step.
        n_whole: Examples of the whole batch; None where `inputs` are all.
    """
    n = len(labels) if n_whole is None else n_whole
    task, optimiser = learner.task, learner.optimiser
    for group in optimiser.param_groups:
        group["lr"] = learning_rate
    is_whole = len(labels) == n and (learner.n_at_once is None or n <= learner.n_at_once)
    if learner.linear is not None and is_whole:
        sums = linear_step(task, learner.linear, optimiser, inputs, labels, label_smoothing=learner.label_smoothing)
        learner.decay_alone.step(optimiser)
        return sums
    optimiser.zero_grad(set_to_none=True)
    n_pieces = 1 if learner.n_at_once is None else max(1, -(-len(labels) // learner.n_at_once))
    losses, n_correct = [], []
    for some, own in zip(inputs.tensor_split(n_pieces), labels.tensor_split(n_pieces), strict=True):
        if not len(own):
            continue  # a group has more processes than the batch has examples
        with computing_by(learner.arithmetic):
            logits = task.logits(task.net, some)
        loss = task.balance.loss(logits, own, label_smoothing=learner.label_smoothing) * (len(own) / n)
        learner.scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        losses.append(loss.detach())
        n_correct.append(count_correct(logits.detach(), own))
    if learner.group.world == 1:
        sums = StepSums(torch.stack(losses).sum(), torch.stack(n_correct).sum(), n)
    else:
        sums = _added_up(learner, losses, n_correct, share=len(labels) / n, n=n)
    scale = learner.scaler.get_scale()
    learner.scaler.step(optimiser)
    learner.scaler.update()
    if learner.scaler.get_scale() >= scale:  # else a gradient of float16 overflowed, and the step was left out
        learner.decay_alone.step(optimiser)
    return sums


def _added_up(
    learner: Learner, losses: Sequence[Tensor], n_correct: Sequence[Tensor], *, share: float, n: int
) -> StepSums:
    """The sums of the whole group; its gradients, and what it learnt of statistics, are then those of the group too."""
    learning = [parameter for group in learner.optimiser.param_groups for parameter in group["params"]]
    gradients = []
    for parameter in learning:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
        gradients.append(parameter.grad)
    moving = [] if has_fixed_statistics(learner.task.regime) else _moving(learner.task.net)
    for statistics in moving:
        statistics.mul_(share)  # the sum over the group is then the mean, weighted by examples
    # Counts are whole numbers that 32 bits hold exactly up to 2^24, far more than a batch has.
    numbers = torch.zeros(2, device=learner.task.device)
    for index, values in enumerate((losses, n_correct)):
        for value in values:
            numbers[index] += value
    learner.group.add_up([*gradients, *moving, numbers])
    return StepSums(numbers[0], numbers[1].long(), n)


def _moving(net: nn.Module) -> list[Tensor]:
    """The statistics that a forward pass in training mode moves."""
    return [
        buffer
        for module in net.modules()
        if module.training
        for buffer in module.buffers(recurse=False)
        if buffer.is_floating_point()
    ]


def evaluate(task: Task, batches: Iterable[Batch], *, arithmetic: Arithmetic, group: Group = ALONE) -> Tally:
    """Sums over all examples of the batches, of which a group has a piece each, in evaluation mode, without gradients.

    The loss is the plain negative log-likelihood under the true prior, whatever was learnt by. The network is left in
    evaluation mode.
    """
    put_in_mode(task, training=False)
    tally = Tally()
    with torch.inference_mode():
        for batch in batches:
            if not len(batch.labels):
                continue  # a group has more processes than the batch has examples
            labels = torch.from_numpy(batch.labels).to(task.device)
            with computing_by(arithmetic):
                logits = task.balance.answers(task.logits(task.net, task.evaluation_inputs(batch)))
            tally = tally.plus(StepSums(cross_entropy(logits, labels), count_correct(logits, labels), len(labels)))
    if group.world == 1:
        return tally
    sums = torch.tensor([tally.loss_sum, tally.n_correct, tally.n], dtype=torch.float64)
    group.add_up([sums])
    return Tally(float(sums[0]), int(sums[1]), int(sums[2]))


@contextmanager
def private_draws(device: torch.device, *, seed: int, epoch: int, step: int, rank: int = 0) -> Iterator[None]:
    """Within: what layers such as dropout draw depends on the position alone; torch's own generators stay.

    Each process of a group draws its own numbers for its piece of the batch.
    """
    own = torch_seed(seed, "dropout", epoch, step, *([rank] if rank else []))
    # torch.manual_seed seeds every kind of device, and where one is not in use writes down a traceback for later: 2 ms.
    generators = [torch.default_generator]
    if device.type == "cuda":
        generators.append(torch.cuda.default_generators[device.index or 0])
    states = [generator.get_state() for generator in generators]
    try:
        for generator in generators:
            generator.manual_seed(own)
        yield
    finally:
        for generator, state in zip(generators, states, strict=True):
            generator.set_state(state)
