"""Run folders that were damaged, or put together by somebody else: with and without a manifest that agrees."""

import json
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hostile.folders import Argument, Case, photos

_SETTINGS = {
    "format": 1,
    "backbone": "efficientnet-lite0",
    "regime": "frozen",
    "head": "classifier",
    "resize": 256,
    "crop": 224,
    "interpolation": "bicubic",
    "mean": [0.5, 0.5, 0.5],
    "std": [0.5, 0.5, 0.5],
    "temperature": 1.0,
}


def run(folder: Path, *, n_features: int = 1280) -> Path:
    """A run folder that is whole as far as its files go; its weights are those of no network."""
    from safetensors.numpy import save_file

    from heldout.models.weights import fingerprint

    tensors = {"classifier.weight": np.ones((2, n_features), np.float32), "classifier.bias": np.zeros(2, np.float32)}
    (folder / "model").mkdir(parents=True)
    save_file(tensors, folder / "model" / "weights.safetensors")
    _write(folder / "model" / "preprocess.json", _SETTINGS | {"fingerprint": fingerprint(tensors)})
    _write(folder / "model" / "classes.json", ["cat", "dog"])
    _write(folder / "scores.json", {"format": 1, "manifest": "manifest.json"})
    (folder / "plan.toml").write_text('[data]\npath = "photos"\n')
    sealed(folder)
    return folder


def sealed(folder: Path) -> None:
    """Write down what its files are now, as whoever changes a run on purpose would."""
    from heldout.manifest import write_manifest

    write_manifest(folder)


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))


def _case(name: str, change: Callable[[Path], object], code: int, *says: str) -> Case:
    def make(home: Path) -> Sequence[Argument]:
        photos(home / "photos")
        change(run(home / "run"))
        return ["predict", "run", "photos"]

    return Case(name, make, ["run", *says], code)


def _resealed(name: str, content: Any, *says: str, code: int = 2) -> Case:
    """One file exchanged, and a manifest that agrees."""

    def change(folder: Path) -> None:
        path = folder / name
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            _write(path, json.loads(path.read_text()) | content if isinstance(content, dict) else content)
        sealed(folder)

    return _case(f"{name}: {str(content)[:40]}", change, code, f"run/{name}", *says)


def _flipped(folder: Path) -> None:
    path = folder / "model" / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def _cut(name: str) -> Callable[[Path], object]:
    return lambda folder: os.truncate(folder / name, (folder / name).stat().st_size // 2)


def _without_manifest(content: bytes) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        (folder / "manifest.json").unlink()
        (folder / "scores.json").write_bytes(content)

    return change


def _narrow_head(folder: Path) -> None:
    shutil.rmtree(folder)
    run(folder, n_features=8)


def _three_classes(folder: Path) -> None:
    _write(folder / "model" / "classes.json", ["cat", "dog", "eel"])
    sealed(folder)


_DEEP = b"[" * 200_000 + b"]" * 200_000
_WEIGHTS = "run/model/weights.safetensors"
RUNS = (
    _case("one bit of the weights", _flipped, 76, _WEIGHTS, "its SHA-256 differs"),
    _case("weights cut in half", _cut("model/weights.safetensors"), 76, _WEIGHTS, "were written"),
    _case("classes cut in half", _cut("model/classes.json"), 76, "run/model/classes.json"),
    _case("scores cut in half", _cut("scores.json"), 76, "run/scores.json"),
    _case("plan cut in half", _cut("plan.toml"), 76, "run/plan.toml"),
    _case("manifest cut in half", _cut("manifest.json"), 76, "run/manifest.json"),
    _case("weights that are gone", lambda run: (run / "model" / "weights.safetensors").unlink(), 76, "is absent"),
    _case("no manifest", lambda run: (run / "manifest.json").unlink(), 76, "run/manifest.json is absent"),
    _case("a manifest of depth 200,000", lambda run: (run / "manifest.json").write_bytes(_DEEP), 76, "manifest.json"),
    _case("a manifest of another format", lambda run: _write(run / "manifest.json", {"format": 9}), 2, "format 9"),
    _case("scores of depth 200,000", _without_manifest(_DEEP), 76, "run/scores.json cannot be read"),
    _case("scores that are no text", _without_manifest(b"\xff\xfe"), 76, "run/scores.json cannot be read"),
    _resealed("model/classes.json", b'["cat", NaN', "cannot be read", code=76),
    _resealed("model/classes.json", [1, 2], "it is no list of names"),
    _resealed("model/preprocess.json", {"format": 2}, "it is not of format 1"),
    _resealed("model/preprocess.json", {"backbone": 5}, "backbone absent or of another kind"),
    _resealed("model/preprocess.json", {"temperature": "1"}, "temperature absent or of another kind"),
    _resealed("model/weights.safetensors", b"PK\3\4", "cannot be used"),
    _case("a head of fewer classes", _three_classes, 2, _WEIGHTS, "2 rows, and classes.json 3 names"),
    _case("a head of other features", _narrow_head, 2, _WEIGHTS, "its head is of shape (2, 8)"),
    _case("weights of another network", lambda run: None, 2, "weights of the run are not those of efficientnet-lite0"),
)
