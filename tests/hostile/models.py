"""Weights files that nobody should trust: damaged, hostile, or of another network."""

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from hostile.folders import Argument, Case, photos

CANARY = Path("PWNED")


class Canary:
    """Touches a file in the working folder when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return (Path.touch, (CANARY,))


def saved(content: object, *, legacy: bool = False) -> bytes:
    """What torch.save writes."""
    import torch

    out = io.BytesIO()
    torch.save(content, out, _use_new_zipfile_serialization=not legacy)
    return out.getvalue()


def small() -> dict[str, Any]:
    """Some tensors of no known network, one of which is easily found in a file."""
    import torch

    return {"a.weight": torch.full((40, 40), 1.5), "a.bias": torch.arange(40.0)}


@cache
def lite0() -> Mapping[str, Any]:
    """Random weights of the default backbone, with a head of two classes."""
    import torch

    from heldout.models.build import random_network

    net = random_network("efficientnet-lite0", 2, generator=torch.Generator().manual_seed(0))
    return dict(net.state_dict())


def safetensors(header: object, body: bytes = b"", *, length: int | None = None) -> bytes:
    """A file with a header and a body as they are given."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def tensor(start: int, end: int, shape: Sequence[int] = (1,), kind: str = "F32") -> dict[str, object]:
    """What a header says of one tensor."""
    return {"dtype": kind, "shape": list(shape), "data_offsets": [start, end]}


def saved_as_safetensors(state: Mapping[str, Any]) -> bytes:
    """What safetensors writes."""
    from safetensors.torch import save

    return bytes(save({name: value.contiguous() for name, value in state.items()}))


def _flipped() -> bytes:
    """A checkpoint with one bit of a number turned over."""
    data = bytearray(saved(small()))
    data[data.index(np.full(4, 1.5, np.float32).tobytes()) + 2] ^= 1
    return bytes(data)


def _deflated(extra_bytes: int = 0) -> bytes:
    """A checkpoint packed again with deflate, with a member of zeros if asked for."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(saved(small()))) as plain,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
    ):
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
        if extra_bytes:
            with packed.open("archive/data/9", "w", force_zip64=True) as member:
                piece = bytes(2**24)
                for _ in range(extra_bytes // len(piece)):
                    member.write(piece)
    return out.getvalue()


def _objects() -> bytes:
    out = io.BytesIO()
    np.save(out, np.array([Canary()], dtype=object), allow_pickle=True)
    return out.getvalue()


def _changed(**changes: Any) -> bytes:
    """Lite0 with some tensors exchanged, or left out where they are None."""
    state = {**lite0(), **changes}
    return saved({name: value for name, value in state.items() if value is not None})


def _nan() -> bytes:
    weight = lite0()["bn1.weight"].clone()
    weight[3] = float("nan")
    return saved_as_safetensors({**lite0(), "bn1.weight": weight})


def _transposed() -> bytes:
    return _changed(**{"conv_stem.weight": lite0()["conv_stem.weight"].transpose(0, 1).contiguous()})


def _extra() -> bytes:
    import torch

    return _changed(**{"blocks.9.weight": torch.zeros(3)})


def _case(name: str, suffix: str, data: Callable[[], bytes], *says: str) -> Case:
    file = f"weights{suffix}"

    def make(home: Path) -> Sequence[Argument]:
        photos(home / "photos")
        (home / file).write_bytes(data())
        return ["train", "photos", "--weights", file]

    return Case(name, make, [f"weights file '{file}' ", *says])


_NO_KIND = "is no weights file: it starts with"
_NO_TORCH = "cannot be read as plain weights: "
_NO_SAFE = "cannot be read as safetensors: "
PAIR = {"a": tensor(0, 4), "b": tensor(4, 8)}

MODELS = (
    _case("code in a .pt", ".pt", lambda: saved({"w": Canary()}), _NO_TORCH),
    _case("code in an old .pt", ".pt", lambda: saved({"w": Canary()}, legacy=True), _NO_TORCH),
    _case("code in a pickle", ".pt", lambda: pickle.dumps(Canary()), _NO_TORCH),
    _case("code in a .npy", ".npy", _objects, _NO_KIND),
    _case("an empty .pt", ".pt", lambda: b"", "is empty"),
    _case("a text called .pt", ".pt", lambda: b"resnet18\n", _NO_KIND),
    _case("a .pt cut in half", ".pt", lambda: saved(small())[: len(saved(small())) // 2], _NO_TORCH),
    _case("a .pt cut by 1 byte", ".pt", lambda: saved(small())[:-1], _NO_TORCH),
    _case("an old .pt cut in half", ".pt", lambda: saved(small(), legacy=True)[:3000], _NO_TORCH),
    _case("a .pt with one bit wrong", ".pt", _flipped, "is damaged: the checksum of ", "data/0"),
    _case("a .pt packed again", ".pt", _deflated, "does not belong to this backbone"),
    _case("100 MB of zeros in a .pt", ".pt", lambda: _deflated(96 * 2**20), "inflates to 100,"),
    _case("an empty .safetensors", ".safetensors", lambda: b"", "is empty"),
    _case("a header of 2^63 bytes", ".safetensors", lambda: safetensors({}, length=2**63), _NO_KIND),
    _case(
        "a header of 101 MB",
        ".safetensors",
        lambda: safetensors({"a": tensor(0, 4)}, length=101_000_000) + b" " * 101_000_000,
        _NO_SAFE,
    ),
    _case(
        "one name twice",
        ".safetensors",
        lambda: safetensors(
            b'{"a":%b,"a":%b}' % tuple(json.dumps(tensor(at, at + 4)).encode() for at in (0, 4)), bytes(8)
        ),
        _NO_SAFE,
    ),
    _case("an overlap", ".safetensors", lambda: safetensors(PAIR | {"b": tensor(2, 6)}, bytes(8)), _NO_SAFE),
    _case("a hole", ".safetensors", lambda: safetensors({"a": tensor(4, 8)}, bytes(8)), _NO_SAFE),
    _case(
        "a shape beyond 64 bits",
        ".safetensors",
        lambda: safetensors({"a": tensor(0, 8, (2**62, 4))}, bytes(8)),
        _NO_SAFE,
    ),
    _case("a .safetensors cut by 1 byte", ".safetensors", lambda: safetensors(PAIR, bytes(7)), _NO_SAFE),
    _case(
        "a header that nests deeply",
        ".safetensors",
        lambda: safetensors(b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}"),
        _NO_SAFE,
    ),
    _case(
        "a huge shape of nothing",
        ".safetensors",
        lambda: safetensors({"bn1.weight": tensor(0, 0, (2**40, 0))}),
        "does not belong to this backbone",
    ),
    _case("NaN among the weights", ".safetensors", _nan, "1 key with NaN or infinity: bn1.weight"),
    _case("a tensor that is missing", ".pt", lambda: _changed(**{"bn1.bias": None}), "1 key missing: bn1.bias"),
    _case("a tensor too many", ".pt", _extra, "1 key unexpected: blocks.9.weight"),
    _case("a tensor on its side", ".pt", _transposed, "conv_stem.weight (3x32x3x3 in the file, 32x3x3x3"),
)
