"""ResNet-18, -34 and -50. State-dict keys are torchvision's, so its `.pth` files load as they are.

Source: He et al. 2015, arXiv:1512.03385, table 1. As in torchvision, the stride of a bottleneck sits on
its 3x3 convolution, not on the first 1x1 (the paper's place).
"""

from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from heldout.models.network import Network, drawn

# Channels inside the blocks of the four stages (table 1 of the paper).
WIDTHS = (64, 128, 256, 512)


@dataclass(frozen=True, slots=True)
class ResNetPlan:
    """The numbers that tell one ResNet from another.

    Attributes:
        n_blocks: Blocks in each of the four stages.
        bottleneck: 1x1, 3x3, 1x1 convolutions in a block instead of two 3x3; four times as wide outside.
    """

    n_blocks: tuple[int, int, int, int]
    bottleneck: bool = False

    @property
    def expansion(self) -> int:
        """Channels that leave a block, per channel inside it."""
        return 4 if self.bottleneck else 1


RESNETS = {
    "resnet18": ResNetPlan((2, 2, 2, 2)),
    "resnet34": ResNetPlan((3, 4, 6, 3)),
    "resnet50": ResNetPlan((3, 4, 6, 3), bottleneck=True),
}


def resnet(name: str, n_classes: int, *, generator: torch.Generator) -> "ResNet":
    """A ResNet on the CPU with random weights drawn from `generator`.

    Args:
        name: A key of `RESNETS`.
        n_classes: Outputs of the head.
        generator: A CPU generator; the same seed gives the same weights.

    Example:
        >>> net = resnet("resnet18", 5, generator=torch.Generator().manual_seed(0))
        >>> net.n_features, tuple(net(torch.zeros(1, 3, 64, 64)).shape)
        (512, (1, 5))
    """
    return drawn(lambda: ResNet(RESNETS[name], n_classes), generator)


@final
class ResNet(Network):
    """Residual network: stem, four stages of blocks, mean over the map, linear head `fc`."""

    head_name = "fc"
    late_names = ("layer4",)

    def __init__(self, plan: ResNetPlan, n_classes: int) -> None:
        super().__init__()
        self.n_features = WIDTHS[-1] * plan.expansion
        self.conv1 = nn.Conv2d(3, WIDTHS[0], 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = _stage(plan, 0, n_in=WIDTHS[0])
        self.layer2 = _stage(plan, 1, n_in=WIDTHS[0] * plan.expansion)
        self.layer3 = _stage(plan, 2, n_in=WIDTHS[1] * plan.expansion)
        self.layer4 = _stage(plan, 3, n_in=WIDTHS[2] * plan.expansion)
        self.fc = nn.Linear(self.n_features, n_classes)

    def trunk(self, x: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch channels rows columns"]:
        """The map after the third stage, at a sixteenth of the input's height and width."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        out: Tensor = self.layer3(self.layer2(self.layer1(x)))
        return out

    def rest(self, x: Float[Tensor, "batch channels rows columns"]) -> Float[Tensor, "batch n_features"]:
        """The fourth stage and the mean over its map."""
        return functional.adaptive_avg_pool2d(self.layer4(x), 1).flatten(1)


def _stage(plan: ResNetPlan, stage: int, *, n_in: int) -> nn.Sequential:
    """The blocks of one stage; all but the first stage halve height and width once."""
    block = Bottleneck if plan.bottleneck else BasicBlock
    n_out = WIDTHS[stage] * plan.expansion
    stride = 1 if stage == 0 else 2
    blocks = [block(n_in, WIDTHS[stage], stride)]
    blocks += [block(n_out, WIDTHS[stage], 1) for _ in range(plan.n_blocks[stage] - 1)]
    return nn.Sequential(*blocks)


def _shortcut(n_in: int, n_out: int, stride: int) -> nn.Sequential | None:
    """The projection beside a block that changes the shape; None where the input itself fits."""
    if stride == 1 and n_in == n_out:
        return None
    return nn.Sequential(nn.Conv2d(n_in, n_out, 1, stride=stride, bias=False), nn.BatchNorm2d(n_out))


@final
class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut."""

    def __init__(self, n_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = _shortcut(n_in, width, stride)

    def forward(self, x: Float[Tensor, "batch n_in rows columns"]) -> Float[Tensor, "batch width _ _"]:
        """The block's map; rows and columns are divided by the stride."""
        short = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += short
        activated: Tensor = self.relu(out)
        return activated


@final
class Bottleneck(nn.Module):
    """A 1x1, a 3x3 and a 1x1 convolution to four times the width, and a shortcut."""

    def __init__(self, n_in: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = _shortcut(n_in, 4 * width, stride)

    def forward(self, x: Float[Tensor, "batch n_in rows columns"]) -> Float[Tensor, "batch n_out _ _"]:
        """The block's map; rows and columns are divided by the stride."""
        short = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out += short
        activated: Tensor = self.relu(out)
        return activated
