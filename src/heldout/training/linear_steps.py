"""A step of training where all there is is one linear layer: a head on kept features, or `linear` on rows.

Such a step is next to no arithmetic, and most of what torch takes for it is going about it: 1.1 ms of autograd and of a
general optimiser at 128 x 1,280 features, 0.6 ms as it is written down here (measured 2026-11-23). The numbers are
those of the general way, up to the rounding of 32 bits.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from heldout.training.losses import StepSums, count_correct
from heldout.training.tasks import Task, linear_logits


def linear_step(
    task: Task,
    optimiser: torch.optim.Optimizer,
    inputs: Float[Tensor, "batch features"],
    labels: Int[Tensor, " batch"],
    *,
    label_smoothing: float,
) -> StepSums:
    """What the step adds to the sums of its epoch, after it has moved weights and biases.

    Args:
        task: Its network's head is all that `inputs` go through.
        optimiser: Of that head; its groups hold the learning rate of this step.
        inputs: The whole batch, as the head reads it.
        labels: Of the batch.
        label_smoothing: As in `TrainingSettings`.
    """
    head = task.net.head
    with torch.no_grad():
        logits = linear_logits(head, inputs)
    if task.balance.gamma or label_smoothing:
        logits.requires_grad_()
        loss = task.balance.loss(logits, labels, label_smoothing=label_smoothing)
        (slope,) = torch.autograd.grad(loss, logits)
    with torch.no_grad():
        if not task.balance.gamma and not label_smoothing:
            loss, slope = _loss_and_slope(logits, labels, task.balance.weights)
        head.weight.grad, head.bias.grad = slope.t() @ inputs, slope.sum(0)
        if isinstance(optimiser, torch.optim.SGD):
            _descend(optimiser)
        else:
            optimiser.step()
        return StepSums(loss.detach(), count_correct(logits.detach(), labels), len(labels))


def _loss_and_slope(
    logits: Float[Tensor, "batch classes"], labels: Int[Tensor, " batch"], weights: Float[Tensor, " classes"] | None
) -> tuple[Float[Tensor, ""], Float[Tensor, "batch classes"]]:
    """The mean of the negative log-likelihoods, weighted by class, and its gradient: (p - one-hot label) / n."""
    log_p, own = torch.log_softmax(logits, dim=1), labels[:, None]
    losses = -log_p.gather(1, own)
    slope = log_p.exp_()
    slope.scatter_add_(1, own, torch.full_like(losses, -1.0))
    if weights is not None:
        weight = weights[own]
        losses, slope = losses * weight, slope * weight
    return losses.mean(), slope.div_(len(labels))


def _descend(optimiser: torch.optim.SGD) -> None:
    """The step of torch's own rule, with momentum and coupled decay, and the state that it would leave."""
    for group in optimiser.param_groups:
        for weight in group["params"]:
            direction = weight.grad
            if group["weight_decay"]:
                direction = direction.add(weight, alpha=group["weight_decay"])
            if group["momentum"]:
                state = optimiser.state[weight]
                if state.get("momentum_buffer") is None:
                    state["momentum_buffer"] = direction.clone()
                else:
                    state["momentum_buffer"].mul_(group["momentum"]).add_(direction)
                direction = state["momentum_buffer"]
            weight.add_(direction, alpha=-group["lr"])
