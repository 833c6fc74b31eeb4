"""Batches of canvases -> batches of network inputs: the crop, what augmentation changes, and normalising.

    canvas (uint8, resize x resize)  --cut-->  uint8, crop x crop  --colour, normalise-->  float, channels last

Evaluation cuts the exact centre: the pixels that `decoding.to_pixels` gives, but for one grey level in a few of 100,000
values, where Pillow's rounding feels that it resampled a larger box. Training draws
from a generator that its caller makes for one batch (`randomness.stream(seed, "augment", epoch, step)`): any batch of
any epoch can be made again alone, on any device. This is the one file of the folder that imports torch.
"""

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor
from torch.nn import functional

from heldout.data.pictures.decoding import PixelPath
from heldout.errors import one_of

Augmentation = Literal["none", "light", "strong"]
AUGMENTATIONS: tuple[Augmentation, ...] = get_args(Augmentation)

# Weights of red, green and blue in grey (ITU-R BT.601), as Pillow's mode L has them.
_GREY = (0.299, 0.587, 0.114)


@dataclass(frozen=True, slots=True)
class Strength:
    """How far a picture may be changed.

    Attributes:
        least_area: The smallest share of the canvas that a cut may show; None cuts squares of the network's own size,
            which are not resampled.
        colour: Brightness, contrast and saturation are multiplied by a factor within 1 ± this.
    """

    least_area: float | None
    colour: float


# `light` keeps the objects whole, for pretrained networks and few examples; `strong` has the smallest area at which
# ResNets are trained on small data in the literature (0.35, between 0.08 of ImageNet recipes and no scaling at all).
# Both assumed, not tuned here.
STRENGTHS = {"light": Strength(None, 0.1), "strong": Strength(0.35, 0.3)}


def centre_cut(canvases: UInt8[Tensor, "batch size size 3"], crop: int) -> UInt8[Tensor, "batch crop crop 3"]:
    """The centre of each canvas, without a copy; offsets as in `decoding.to_pixels`."""
    offset = round((canvases.shape[1] - crop) / 2)
    return canvases[:, offset : offset + crop, offset : offset + crop]


def normalised(
    pixels: UInt8[Tensor, "batch rows columns 3"], path: PixelPath
) -> Float32[Tensor, "batch 3 rows columns"]:
    """The input of the network for these pixels, channels last in memory.

    Example:
        >>> path = PixelPath(2, 2, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
        >>> normalised(torch.full((1, 2, 2, 3), 255, dtype=torch.uint8), path).unique()
        tensor([1.])
    """
    mean, std = (torch.tensor(values, device=pixels.device) for values in (path.mean, path.std))
    scaled = pixels.float().contiguous().mul_(1 / (255 * std)).sub_(mean / std)
    return scaled.permute(0, 3, 1, 2)


def for_evaluation(
    canvases: UInt8[np.ndarray, "batch size size 3"], path: PixelPath, *, device: torch.device
) -> Float32[Tensor, "batch 3 crop crop"]:
    """Network inputs as they are in predicting: nothing is drawn."""
    return normalised(_sent(centre_cut(torch.from_numpy(canvases), path.crop), device), path)


def for_training(
    canvases: UInt8[np.ndarray, "batch size size 3"],
    path: PixelPath,
    *,
    augmentation: str,
    generator: np.random.Generator,
    device: torch.device,
    first: int = 0,
) -> Float32[Tensor, "batch 3 crop crop"]:
    """Network inputs, each cut at random, mirrored by a coin, and changed a little in colour.

    Args:
        canvases: Pictures of the resized path.
        path: Gives the crop, the mean and the standard deviation.
        augmentation: One of `AUGMENTATIONS`; `none` is `for_evaluation`.
        generator: For this batch alone.
        device: Where the network is. Drawing and cutting happen on the CPU, so that every device gets the same pixels.
        first: How many pictures of the batch stand before these, where they are a piece of it: what is drawn for a
            picture depends on its place in the whole batch.

    Raises:
        UsageError: No such augmentation.
    """
    if augmentation == "none":
        return for_evaluation(canvases, path, device=device)
    if augmentation not in STRENGTHS:
        raise one_of("augment", augmentation, AUGMENTATIONS)
    strength = STRENGTHS[augmentation]
    # Eight a picture, whether all are used or not.
    draws = generator.random((first + len(canvases), 8), dtype=np.float32)[first:]
    cut = torch.empty((len(canvases), path.crop, path.crop, 3), dtype=torch.uint8)
    for picture, canvas, draw in zip(cut, torch.from_numpy(canvases), draws, strict=True):
        part = _cut(canvas, path.crop, draw, strength.least_area)
        picture.copy_(part.flip(1) if draw[4] < 0.5 else part)
    return _coloured(_sent(cut, device), path, draws=torch.from_numpy(draws[:, 5:8]), reach=strength.colour)


def _sent(pixels: Tensor, device: torch.device) -> Tensor:
    """The pixels on the device; to a GPU from pinned memory, so that copying overlaps computing."""
    if device.type != "cuda":
        return pixels.to(device)
    return pixels.contiguous().pin_memory().to(device, non_blocking=True)


def _cut(
    canvas: UInt8[Tensor, "size size 3"], crop: int, draw: Float32[np.ndarray, "8"], least_area: float | None
) -> UInt8[Tensor, "crop crop 3"]:
    size = canvas.shape[0]
    height, width = (crop, crop) if least_area is None else _box_size(size, draw, least_area)
    top, left = int(draw[2] * (size - height + 1)), int(draw[3] * (size - width + 1))
    part = canvas[top : top + height, left : left + width]
    if (height, width) == (crop, crop):
        return part
    resized = functional.interpolate(
        part.permute(2, 0, 1)[None], (crop, crop), mode="bilinear", antialias=True, align_corners=False
    )
    return resized[0].permute(1, 2, 0)


def _box_size(size: int, draw: Float32[np.ndarray, "8"], least_area: float) -> tuple[int, int]:
    """Height and width of a box whose share of the canvas is uniform and whose ratio is log-uniform in 3/4 to 4/3.

    Source: "Inception-style" crops, Szegedy et al. 2014, arXiv:1409.4842, section 6; a side that would leave the
    canvas is cut to it instead of drawn again, so that the number of draws is fixed.
    """
    area = (least_area + (1 - least_area) * float(draw[0])) * size * size
    ratio = (4 / 3) ** (2 * float(draw[1]) - 1)
    height, width = (round((area * factor) ** 0.5) for factor in (1 / ratio, ratio))
    return min(max(height, 1), size), min(max(width, 1), size)


def _coloured(
    pixels: UInt8[Tensor, "batch crop crop 3"],
    path: PixelPath,
    *,
    draws: Float32[Tensor, "batch 3"],
    reach: float,
) -> Float[Tensor, "batch 3 crop crop"]:
    """Brightness, contrast, saturation and normalising as one 3x3 matrix and one shift a picture.

    All four are linear in the colours, so one multiplication does them. Nothing is clipped at black and white.
    """
    device = pixels.device
    brightness, contrast, saturation = (1 + reach * (2 * draws.to(device) - 1)).unbind(1)
    grey = torch.tensor(_GREY, device=device)
    mean, std = (torch.tensor(values, device=device) for values in (path.mean, path.std))
    flat = pixels.flatten(1, 2).float()
    mean_grey = flat.mean(1) @ grey / 255
    # Colours as rows: out = (in * saturation + grey of in * (1 - saturation)) * contrast * brightness + shift.
    mix = saturation[:, None, None] * torch.eye(3, device=device)
    mix = mix + (1 - saturation)[:, None, None] * grey[:, None].expand(3, 3)
    matrix = mix * (contrast * brightness)[:, None, None] / (255 * std)
    shift = (((1 - contrast) * brightness * mean_grey)[:, None] - mean) / std
    out = torch.baddbmm(shift[:, None, :], flat, matrix)
    return out.view(pixels.shape).permute(0, 3, 1, 2)
