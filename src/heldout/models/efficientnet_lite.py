"""EfficientNet-Lite0, -1 and -2. State-dict keys are those of timm's `tf_efficientnet_lite0`, `1`, `2`.

Source: Tan and Le 2019, arXiv:1905.11946 (the B0 stages and the scaling); Google's `efficientnet/lite`
(no squeeze-and-excitation, ReLU6 for swish, stem, head and the outer stages not scaled). The published
weights come from TensorFlow: its "SAME" padding and a batch-normalisation epsilon of 1e-3 are part of them.
"""

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from heldout.models.network import Network, drawn


@dataclass(frozen=True, slots=True)
class Scale:
    """How much larger a variant is than Lite0."""

    width: float
    depth: float


LITES = {
    "efficientnet-lite0": Scale(width=1.0, depth=1.0),
    "efficientnet-lite1": Scale(width=1.0, depth=1.1),
    "efficientnet-lite2": Scale(width=1.1, depth=1.2),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Blocks of one stage at scale 1 (table 1 of the paper)."""

    n_blocks: int
    kernel: int
    stride: int
    expansion: int
    n_out: int


STAGES = (
    Stage(n_blocks=1, kernel=3, stride=1, expansion=1, n_out=16),
    Stage(n_blocks=2, kernel=3, stride=2, expansion=6, n_out=24),
    Stage(n_blocks=2, kernel=5, stride=2, expansion=6, n_out=40),
    Stage(n_blocks=3, kernel=3, stride=2, expansion=6, n_out=80),
    Stage(n_blocks=3, kernel=5, stride=1, expansion=6, n_out=112),
    Stage(n_blocks=4, kernel=5, stride=2, expansion=6, n_out=192),
    Stage(n_blocks=1, kernel=3, stride=1, expansion=6, n_out=320),
)
N_STEM = 32  # channels after the first convolution, at every scale
N_FEATURES = 1280  # channels after the last convolution, at every scale
EPSILON = 1e-3  # TensorFlow's batch-normalisation default, with which the published weights were trained


def efficientnet_lite(name: str, n_classes: int, *, generator: torch.Generator) -> "EfficientNetLite":
    """An EfficientNet-Lite on the CPU with random weights drawn from `generator`.

    Args:
        name: A key of `LITES`.
        n_classes: Outputs of the head.
        generator: A CPU generator; the same seed gives the same weights.

    Example:
        >>> net = efficientnet_lite("efficientnet-lite0", 5, generator=torch.Generator().manual_seed(0))
        >>> net.n_features, tuple(net.eval()(torch.zeros(1, 3, 64, 64)).shape)
        (1280, (1, 5))
    """
    return drawn(lambda: EfficientNetLite(LITES[name], n_classes), generator)


def scaled_channels(n_channels: int, width: float) -> int:
    """The multiple of 8 nearest to `width * n_channels`, raised where it falls more than 10 % short.

    Source:
        `round_filters` of Google's EfficientNet.

    Example:
        >>> [scaled_channels(n, 1.1) for n in (16, 24, 40, 112)]
        [16, 24, 48, 120]
    """
    wanted = width * n_channels
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def scaled_depth(stage: int, depth: float) -> int:
    """Blocks of stage `stage` (counted from 0); the first and the last stage are never deepened."""
    n_blocks = STAGES[stage].n_blocks
    return n_blocks if stage in (0, len(STAGES) - 1) else math.ceil(depth * n_blocks)


@final
class EfficientNetLite(Network):
    """Inverted-residual network: stem, seven stages, 1x1 convolution, mean over the map, `classifier`."""

    head_name = "classifier"
    late_names = ("blocks.6", "conv_head", "bn2")

    def __init__(self, scale: Scale, n_classes: int) -> None:
        super().__init__()
        self.n_features = N_FEATURES
        self.conv_stem = nn.Conv2d(3, N_STEM, 3, stride=2, bias=False)  # padded in `trunk`
        self.bn1 = nn.BatchNorm2d(N_STEM, eps=EPSILON)
        self.act = nn.ReLU6(inplace=True)
        stages: list[nn.Sequential] = []
        n_in = N_STEM
        for index, stage in enumerate(STAGES):
            n_out = scaled_channels(stage.n_out, scale.width)
            stages.append(_stage(stage, scaled_depth(index, scale.depth), n_in=n_in, n_out=n_out))
            n_in = n_out
        self.blocks = nn.Sequential(*stages)
        self.conv_head = nn.Conv2d(n_in, N_FEATURES, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(N_FEATURES, eps=EPSILON)
        self.classifier = nn.Linear(N_FEATURES, n_classes)

    def trunk(self, x: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch channels rows columns"]:
        """The map before the last stage, at 1/32 of the input's height and width, rounded up."""
        x = self.act(self.bn1(self.conv_stem(same_padded(x, 3, 2))))
        return self._through(x, 0, len(STAGES) - 1)

    def rest(self, x: Float[Tensor, "batch channels rows columns"]) -> Float[Tensor, "batch n_features"]:
        """The last stage, the 1x1 convolution and the mean over its map."""
        x = self._through(x, len(STAGES) - 1, len(STAGES))
        x = self.act(self.bn2(self.conv_head(x)))
        return functional.adaptive_avg_pool2d(x, 1).flatten(1)

    def _through(
        self, x: Float[Tensor, "batch n_in rows columns"], first: int, end: int
    ) -> Float[Tensor, "batch n_out _ _"]:
        for index in range(first, end):
            x = self.blocks[index](x)
        return x


def _stage(stage: Stage, n_blocks: int, *, n_in: int, n_out: int) -> nn.Sequential:
    """The blocks of one stage; its first block carries the stride and the change of channels."""
    if stage.expansion == 1:
        assert n_blocks == 1, f"a stage without expansion has one block, not {n_blocks}"
        return nn.Sequential(SeparableBlock(n_in, n_out, stage.kernel))
    first = InvertedResidual(n_in, n_out, stage, stride=stage.stride)
    others = [InvertedResidual(n_out, n_out, stage, stride=1) for _ in range(n_blocks - 1)]
    return nn.Sequential(first, *others)


def _depthwise(n_channels: int, kernel: int, *, stride: int) -> nn.Conv2d:
    """One filter a channel. With a stride it pads nothing: `same_padded` does, before it."""
    padding = kernel // 2 if stride == 1 else 0
    return nn.Conv2d(n_channels, n_channels, kernel, stride=stride, padding=padding, groups=n_channels, bias=False)


def same_padded(
    x: Float[Tensor, "batch channels rows columns"], kernel: int, stride: int
) -> Float[Tensor, "batch channels _ _"]:
    """The map with zeros around it, as TensorFlow's "SAME" pads it before a convolution with a stride.

    The convolution then gives ceil(size / stride) rows and columns. The odd line goes right and below:
    no `padding=` of a torch convolution can say that. With stride 1 the padding is the usual symmetric
    one, which the convolution brings along, and the map comes back as it is.

    Example:
        >>> tuple(same_padded(torch.zeros(1, 1, 64, 65), 3, 2).shape)
        (1, 1, 65, 67)
    """
    if stride == 1:
        return x
    below, right = (max((math.ceil(n / stride) - 1) * stride + kernel - n, 0) for n in x.shape[-2:])
    return functional.pad(x, (right // 2, right - right // 2, below // 2, below - below // 2))


@final
class SeparableBlock(nn.Module):
    """A depthwise and a 1x1 convolution: the first stage. It changes the channels, so it has no shortcut."""

    def __init__(self, n_in: int, n_out: int, kernel: int) -> None:
        super().__init__()
        self.conv_dw = _depthwise(n_in, kernel, stride=1)
        self.bn1 = nn.BatchNorm2d(n_in, eps=EPSILON)
        self.act = nn.ReLU6(inplace=True)
        self.conv_pw = nn.Conv2d(n_in, n_out, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out, eps=EPSILON)

    def forward(self, x: Float[Tensor, "batch n_in rows columns"]) -> Float[Tensor, "batch n_out rows columns"]:
        """The block's map, linear at the end."""
        x = self.act(self.bn1(self.conv_dw(x)))
        out: Tensor = self.bn2(self.conv_pw(x))
        return out


@final
class InvertedResidual(nn.Module):
    """Widen by a 1x1, filter each channel, narrow by a 1x1; a shortcut where the shape stays."""

    def __init__(self, n_in: int, n_out: int, stage: Stage, *, stride: int) -> None:
        super().__init__()
        n_wide = n_in * stage.expansion
        self.kernel, self.stride = stage.kernel, stride
        self.has_shortcut = stride == 1 and n_in == n_out
        self.conv_pw = nn.Conv2d(n_in, n_wide, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_wide, eps=EPSILON)
        self.act = nn.ReLU6(inplace=True)
        self.conv_dw = _depthwise(n_wide, stage.kernel, stride=stride)
        self.bn2 = nn.BatchNorm2d(n_wide, eps=EPSILON)
        self.conv_pwl = nn.Conv2d(n_wide, n_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(n_out, eps=EPSILON)

    def forward(self, x: Float[Tensor, "batch n_in rows columns"]) -> Float[Tensor, "batch n_out _ _"]:
        """The block's map, linear at the end; rows and columns are divided by the stride, rounded up."""
        wide = self.act(self.bn1(self.conv_pw(x)))
        wide = same_padded(wide, self.kernel, self.stride)
        wide = self.act(self.bn2(self.conv_dw(wide)))
        out: Tensor = self.bn3(self.conv_pwl(wide))
        return out + x if self.has_shortcut else out
