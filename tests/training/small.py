"""A network and data that are small enough to train in a test."""

import math
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from heldout.data.batches import Batches
from heldout.data.pictures.decoding import PixelPath
from heldout.models.network import Network, drawn
from heldout.training.loop import Parts
from heldout.training.tasks import Task, pixel_task, trunk_task

PATH = PixelPath(10, 8, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
CPU = torch.device("cpu")


class SmallNetwork(Network):
    """Every kind of layer that training treats apart: plain, 3x3 and depthwise convolutions, dropout."""

    n_features = 64
    head_name = "fc"
    late_names = ("last", "norm")

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 3, stride=2, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(64)
        self.depthwise = nn.Conv2d(64, 64, 3, padding=1, groups=64, bias=False)
        self.last = nn.Conv2d(64, 64, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(64)
        self.drop = nn.Dropout(0.1)
        self.fc = nn.Linear(64, 3)

    def trunk(self, x: Tensor) -> Tensor:
        return functional.relu(self.depthwise(functional.relu(self.bn(self.stem(x)))))

    def rest(self, x: Tensor) -> Tensor:
        x = functional.relu(self.norm(self.last(x)))
        features: Tensor = self.drop(x.mean(dim=(2, 3)))
        return features


def random_statistics(net: nn.Module) -> None:
    """Normalisations that are no identity."""
    generator = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor, low, high in (
                (module.weight.data, 0.5, 1.5),
                (module.bias.data, -0.2, 0.2),
                (module.running_mean, -0.2, 0.2),
                (module.running_var, 0.5, 1.5),
            ):
                assert tensor is not None
                tensor.uniform_(low, high, generator=generator)


class ArrayRows:
    """Rows in memory."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def take(self, indices: Iterable[int]) -> np.ndarray:
        return self.values[list(indices)]


def small_network(seed: int = 0) -> SmallNetwork:
    """A network whose statistics of batch normalisation fit its pictures, as those of a pretrained one do."""
    net = drawn(SmallNetwork, torch.Generator().manual_seed(seed))
    pictures = torch.from_numpy(colours(64, size=8)[0]).permute(0, 3, 1, 2) / 127.5 - 1
    for norm in (net.bn, net.norm):
        norm.momentum = None  # the plain mean
    with torch.random.fork_rng(), torch.no_grad():
        net.train()(pictures)
    for norm in (net.bn, net.norm):
        norm.momentum = 0.1
    return net


def small_task(regime: str = "full", *, seed: int = 0, augmentation: str = "light") -> Task:
    net = small_network()
    if regime == "partial":
        return trunk_task(net, path=PATH, device=CPU)
    return pixel_task(net, regime, path=PATH, augmentation=augmentation, seed=seed, device=CPU)


def colours(n: int, *, size: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Noisy pictures of three classes: red, green and blue ones."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 3, n)
    pictures = generator.integers(0, 160, (n, size, size, 3))
    pictures[np.arange(n), :, :, labels] += 60
    return pictures.astype(np.uint8), labels


def small_parts(regime: str = "full", *, n_train: int = 26, n_validation: int = 13, batch_size: int = 8) -> Parts:
    n = n_train + n_validation
    pictures, labels = colours(n)
    values = pictures
    if regime == "partial":
        net = small_network().eval()
        with torch.no_grad():
            values = net.trunk(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255).contiguous().numpy()
    rows = ArrayRows(values)
    return Parts(
        train=Batches(rows, labels, np.arange(n_train), batch_size),
        validation=Batches(rows, labels, np.arange(n_train, n), batch_size),
    )


def state_of(net: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in net.state_dict().items()}


def equal_states(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def is_finite(values: Iterable[float]) -> bool:
    return all(math.isfinite(value) for value in values)
