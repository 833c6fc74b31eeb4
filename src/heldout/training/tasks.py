"""What a network learns from: pixels, or what was kept of them. The one difference between the regimes here.

pixels     `scratch` and `full`
trunk      `partial`: the kept output of the trunk
features   `frozen`, where its head is trained by mini-batches: the kept features
rows       of a table: encoded once, kept in memory
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from heldout.data.batches import Batch
from heldout.data.pictures.augment import for_evaluation, for_training
from heldout.data.pictures.decoding import PixelPath
from heldout.models.network import Network
from heldout.models.regimes import set_mode
from heldout.models.table_network import TableNetwork
from heldout.randomness import stream
from heldout.training.balancing import EVEN, Balance


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A network, and how it gets from a batch to class scores.

    Attributes:
        net: On `device`, its convolutions channels last.
        regime: Decides which of its parts learn.
        device: Where it computes.
        example: Two inputs of noise, for trying the network out.
        logits: The network and a batch of inputs -> class scores.
        training_inputs: A batch as read -> inputs on the device, augmented.
        evaluation_inputs: The same, as they are in predicting.
        balance: How much examples count in the loss, and how logits become answers.
        is_linear: Whether the inputs go through the network's head and nothing else.
        is_small: Whether a step is too small for two threads: on busy cores they wait for one another for longer than
            they work, 84 s instead of 2 for 20 epochs on 8,000 points (measured here, 2026-11-22).
    """

    net: Network
    regime: str
    device: torch.device
    example: Tensor
    logits: Callable[[Network, Tensor], Float[Tensor, "batch classes"]]
    training_inputs: Callable[[Batch], Tensor]
    evaluation_inputs: Callable[[Batch], Tensor]
    balance: Balance = EVEN
    is_linear: bool = False
    is_small: bool = False


def put_in_mode(task: Task, *, training: bool) -> None:
    """Put the network into training or evaluation mode, but for a linear layer, which computes the same in both."""
    if not task.is_linear:
        set_mode(task.net, task.regime, training)


@contextmanager
def threads_for(task: Task) -> Iterator[None]:
    """Within: torch computes with one thread where the steps of the task are small."""
    before = torch.get_num_threads()
    if task.is_small:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def pixel_task(
    net: Network,
    regime: str,
    *,
    path: PixelPath,
    augmentation: str,
    seed: int,
    device: torch.device,
    balance: Balance = EVEN,
) -> Task:
    """Learning from pixels: `scratch` and `full`, or any regime whose trunk's output was not kept.

    Args:
        net: Is moved to the device.
        regime: Decides which of its parts learn.
        path: The pixel path of the backbone; the batches hold canvases of its `resize`.
        augmentation: As in `TrainingSettings`.
        seed: The seed of the run.
        device: Where to compute.
        balance: As in `Task`.
    """

    def training_inputs(batch: Batch) -> Tensor:
        generator = stream(seed, "augment", batch.epoch, batch.step)
        return for_training(
            batch.inputs, path, augmentation=augmentation, generator=generator, device=device, first=batch.first
        )

    return Task(
        net=net.to(device=device, memory_format=torch.channels_last),  # type: ignore[call-overload]
        regime=regime,
        device=device,
        example=_noise(path.crop, device),
        logits=lambda net, inputs: net(inputs),
        training_inputs=training_inputs,
        evaluation_inputs=lambda batch: for_evaluation(batch.inputs, path, device=device),
        balance=balance,
    )


def trunk_task(net: Network, *, path: PixelPath, device: torch.device, balance: Balance = EVEN) -> Task:
    """Learning from the kept output of the trunk, in the regime `partial`: an epoch costs only what learns.

    The kept output is of pictures as they are, so there is no augmentation.

    Args:
        net: Is moved to the device.
        path: The pixel path of the backbone, by which the kept output was made.
        device: Where to compute.
        balance: As in `Task`.
    """
    net = net.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    with torch.no_grad():
        example = net.eval().trunk(_noise(path.crop, device))

    def inputs(batch: Batch) -> Tensor:
        maps = torch.from_numpy(batch.inputs.astype(np.float32, copy=False)).to(device)
        return maps.contiguous(memory_format=torch.channels_last)

    return Task(
        net=net,
        regime="partial",
        device=device,
        example=example,
        logits=lambda net, maps: net.head(net.rest(maps)),
        training_inputs=inputs,
        evaluation_inputs=inputs,
        balance=balance,
    )


def feature_task(net: Network, *, device: torch.device, balance: Balance = EVEN) -> Task:
    """Learning from kept features, in the regime `frozen`: only the head is computed.

    Args:
        net: Its head is moved to the device.
        device: Where to compute.
        balance: As in `Task`.
    """
    net.head.to(device)

    def inputs(batch: Batch) -> Tensor:
        return torch.from_numpy(batch.inputs.astype(np.float32, copy=False)).to(device)

    return Task(
        net=net,
        regime="frozen",
        device=device,
        example=torch.rand(2, net.n_features, generator=torch.Generator().manual_seed(0)).to(device),
        logits=lambda net, features: linear_logits(net.head, features),
        training_inputs=inputs,
        evaluation_inputs=inputs,
        balance=balance,
        is_linear=True,
        is_small=True,
    )


def linear_logits(head: nn.Linear, features: Float[Tensor, "batch features"]) -> Float[Tensor, "batch classes"]:
    """What the layer computes, the other way round: MKL takes 0.5 to 0.9 of the time (measured 2026-11-23)."""
    return (head.weight @ features.t()).t() + head.bias


def row_task(net: TableNetwork, *, device: torch.device, balance: Balance = EVEN) -> Task:
    """Learning from the encoded rows of a table: all layers learn, from random weights.

    Args:
        net: Is moved to the device.
        device: Where to compute.
        balance: As in `Task`.
    """
    net.to(device)

    def inputs(batch: Batch) -> Tensor:
        return torch.from_numpy(batch.inputs.astype(np.float32, copy=False)).to(device)

    return Task(
        net=net,
        regime="scratch",
        device=device,
        example=torch.rand(2, net.n_inputs, generator=torch.Generator().manual_seed(0)).to(device),
        logits=lambda net, rows: linear_logits(net.head, net.trunk(rows)),
        training_inputs=inputs,
        evaluation_inputs=inputs,
        balance=balance,
        is_linear=not net.hidden,
        is_small=True,
    )


def _noise(side: int, device: torch.device) -> Float[Tensor, "2 3 side side"]:
    noise = torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    return noise.to(device).contiguous(memory_format=torch.channels_last)
