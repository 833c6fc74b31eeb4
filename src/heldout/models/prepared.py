"""Backbones made ready for an engine, once: their weights without the head, where they open without torch.

    <cache>/backbones/<name>-<fingerprint>/    weights.safetensors, and what `conversion` puts beside it (`kept_files`)
    <cache>/backbones/sources/<name>-<file>.json   which fingerprint the weights of a file have

Everything is keyed by content and can be deleted at any time; what is damaged is made again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from heldout.errors import RunFolderError
from heldout.models.backbones import Backbone
from heldout.models.kept_files import is_whole, keep
from heldout.models.weights import fingerprint
from heldout.records import read_json, to_json, write_atomic

if TYPE_CHECKING:
    from torch import Tensor

    from heldout.models.network import Network


@dataclass(frozen=True, slots=True)
class Prepared:
    """A backbone whose weights lie ready in the cache.

    Attributes:
        backbone: Its name and its numbers.
        fingerprint: Of its weights without the head, hexadecimal.
        folder: Where they lie.
    """

    backbone: Backbone
    fingerprint: str
    folder: Path

    @property
    def weights(self) -> Path:
        """The safetensors file of all tensors but the head's."""
        return self.folder / "weights.safetensors"

    @property
    def head_name(self) -> str:
        """What the head is called among the network's tensors."""
        from safetensors import safe_open

        with safe_open(self.weights, framework="numpy") as file:
            return str(file.metadata()["head"])

    @property
    def n_parameters(self) -> int:
        """How many numbers can learn: all but the statistics of batch normalisation."""
        statistics = ("running_mean", "running_var", "num_batches_tracked")
        return sum(value.size for key, value in self.tensors().items() if not key.endswith(statistics))

    def tensors(self) -> dict[str, np.ndarray]:
        """The tensors by name, read without torch."""
        from safetensors.numpy import load_file

        return load_file(self.weights)


def prepare(backbone: Backbone, *, source_sha256: str, load: Callable[[], "Network"], cache: Path) -> Prepared:
    """The backbone with the weights of one source, from the cache or put there now.

    Args:
        backbone: Which network.
        source_sha256: Of the file that the weights come from.
        load: Gives the network with those weights; called (and torch imported) only when the cache has it not.
        cache: The cache folder of heldout.
    """
    known = cache / "backbones" / "sources" / f"{file_name(backbone)}-{source_sha256[:32]}.json"
    if (known_fingerprint := _known_fingerprint(known)) is not None:
        prepared = _prepared(backbone, known_fingerprint, cache)
        if is_whole(prepared.weights):
            return prepared
    prepared = store(load(), backbone, cache)
    write_atomic(known, to_json({"fingerprint": prepared.fingerprint}))
    return prepared


def _known_fingerprint(known: Path) -> str | None:
    if not known.is_file():
        return None
    try:
        return str(read_json(known)["fingerprint"])
    except (RunFolderError, KeyError, TypeError):
        return None  # damaged: it is found again


def store(net: "Network", backbone: Backbone, cache: Path) -> Prepared:
    """Put the weights of a network, without its head, into the cache."""
    head = f"{net.head_name}."
    tensors = {
        key: value.detach().cpu().contiguous().numpy()
        for key, value in net.state_dict().items()
        if not key.startswith(head)
    }
    return prepared_from_tensors(backbone, tensors, net.head_name, cache)


def prepared_from_tensors(
    backbone: Backbone, tensors: Mapping[str, np.ndarray], head_name: str, cache: Path
) -> Prepared:
    """Put tensors, the head's not among them, into the cache where they are not there yet."""
    from safetensors.numpy import save

    prepared = _prepared(backbone, fingerprint(tensors), cache)
    if not is_whole(prepared.weights):
        keep(prepared.weights, save(dict(tensors), metadata={"head": head_name}))
    return prepared


def _prepared(backbone: Backbone, fingerprint: str, cache: Path) -> Prepared:
    return Prepared(backbone, fingerprint, cache / "backbones" / f"{file_name(backbone)}-{fingerprint[:32]}")


def file_name(backbone: Backbone) -> str:
    """The backbone's name as part of a file name."""
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in backbone.name)


def network_of(prepared: Prepared) -> "Network":
    """The backbone as a torch network in evaluation mode; its head is no one's: two classes at zero.

    Raises:
        RunFolderError: The tensors, which came with a run, are not those of this backbone.
    """
    import torch

    from heldout.models.build import random_network

    net = random_network(prepared.backbone.name, 2, generator=torch.Generator())
    tensors = {key: torch.from_numpy(value) for key, value in prepared.tensors().items()}
    _check_keys(prepared, {key: value.shape for key, value in net.state_dict().items()}, tensors, net.head_name)
    net.load_state_dict(tensors, strict=False)
    torch.nn.init.zeros_(net.head.weight)
    torch.nn.init.zeros_(net.head.bias)
    return net.eval()


def _check_keys(
    prepared: Prepared, wanted: Mapping[str, tuple[int, ...]], given: Mapping[str, "Tensor"], head_name: str
) -> None:
    """Refuse what a run folder says is this backbone and is not: it may have been put together by anybody."""
    needed = {key: shape for key, shape in wanted.items() if not key.startswith(f"{head_name}.")}
    wrong = sorted(needed.keys() ^ given.keys()) or [key for key in needed if needed[key] != given[key].shape]
    if wrong:
        raise RunFolderError(
            f"the weights of the run are not those of {prepared.backbone.name}: {len(wrong):,} tensors are missing, "
            f"unknown or of another shape, such as {wrong[0][:200]!r}",
            expected=f"model/weights.safetensors with the {len(needed)} tensors of {prepared.backbone.name}",
            fix="copy the run folder again from where it is whole, or train again",
        )
