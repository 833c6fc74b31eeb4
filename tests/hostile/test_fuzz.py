"""Good files of each kind with bytes changed at random: what reads them gives an answer or an error of ours, soon."""

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from archived import tar_of, zip_of
from heldout.data.layouts.photos import find_photos
from heldout.data.pictures.decoding import PixelPath, UnreadablePicture, decode, pictures_guarded, to_pixels
from heldout.data.pictures.impressions import impression
from heldout.errors import DataError, HeldoutError, UsageError, WeightsError
from heldout.manifest import find_damages, write_manifest
from heldout.models.state_files import read_state
from heldout.plan import make_plan
from heldout.records import read_json, read_parquet, to_json
from heldout.run_folders import run_folder
from hostile.models import saved as checkpoint
from hostile.models import saved_as_safetensors, small
from hostile.mutations import mutations
from hostile.pictures import drawn, saved

SECONDS = 5.0  # of processor time for one changed file of a few kilobytes; they take milliseconds
PATH = PixelPath(64, 56, "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: a good one, what reads it, and how it may refuse.

    Attributes:
        name: Of the file.
        make: Gives the good file.
        read: Reads a file, at a path; for a folder of files, the path of the one that was changed.
        refusals: The errors that it may raise.
        n: How many changed files are tried by default: as many as take half a second.
    """

    name: str
    make: Callable[[Path], bytes]
    read: Callable[[Path], object]
    refusals: tuple[type[Exception], ...]
    n: int


def _look_at(path: Path) -> None:
    with pictures_guarded():
        decoded = decode(path.read_bytes(), short_side=64, max_pixels=10**6)
        assert decoded.image.mode == "RGB"
        impression(decoded)
        to_pixels(decoded.image, PATH)


def _read_everything(path: Path) -> None:
    examples = find_photos(path)
    for name in examples.ids:
        try:
            examples.source.read(name)
        except UnreadablePicture:
            continue


def _picture(kind: str, image_mode: str = "RGB", **options: object) -> Callable[[Path], bytes]:
    return lambda folder: saved(drawn(48, 40).convert(image_mode), kind, **options)


def _entries() -> list[tuple[str, bytes]]:
    return [(f"{kind}/{number}.png", b"some bytes" * 9) for kind in ("cat", "dog") for number in range(3)]


def _packed(suffix: str) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        path = folder / f"good{suffix}"
        return (zip_of(path, _entries()) if suffix == ".zip" else tar_of(path, list(_entries()))).read_bytes()

    return make


def _with_pictures(folder: Path) -> list[str]:
    names = [f"{number}.png" for number in range(6)]
    for name in names:
        (folder / name).write_bytes(b"x")
    return names


def _csv(folder: Path) -> bytes:
    rows = [f'"{name}",{"cat" if number % 2 else "dog"},train' for number, name in enumerate(_with_pictures(folder))]
    return "\n".join(["path,label,split", *rows, ""]).encode()


def _text(folder: Path) -> bytes:
    return "".join(f"{name} {number % 2}\n" for number, name in enumerate(_with_pictures(folder))).encode()


def _parquet(folder: Path) -> bytes:
    names = _with_pictures(folder)
    out = io.BytesIO()
    pq.write_table(pa.table({"path": names, "label": [number % 2 for number in range(len(names))]}), out)
    return out.getvalue()


def _plan(folder: Path) -> bytes:
    settings = {
        "data.path": "photos",
        "model.regime": "full",
        "training.epochs": 3,
        "name": "a",
        "data.group_by": "^(p)",
    }
    return make_plan(settings).to_toml().encode()


def _predictions(folder: Path) -> bytes:
    out = io.BytesIO()
    logits = np.random.default_rng(0).normal(size=(40, 3)).tolist()
    pq.write_table(
        pa.table({"id": [f"{number}.png" for number in range(40)], "label": [1] * 40, "logits": logits}), out
    )
    return out.getvalue()


def _run(folder: Path) -> None:
    """Something that has the form of a run folder, with a manifest."""
    for name, content in (
        ("plan.toml", _plan(folder)),
        ("scores.json", to_json({"format": 1, "manifest": "manifest.json", "test": {"n": 9}})),
        ("openings.jsonl", b'{"why": "score"}\n'),
        ("predictions.parquet", _predictions(folder)),
        ("model/classes.json", to_json(["cat", "dog"])),
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    write_manifest(folder)


def _file_of_run(name: str) -> Callable[[Path], bytes]:
    def make(folder: Path) -> bytes:
        _run(folder)
        return (folder / name).read_bytes()

    return make


def _open_run(path: Path) -> None:
    run_folder(path.parent, check=("",))


PICTURES = (
    Kind("good.jpg", _picture("JPEG", quality=90), _look_at, (UnreadablePicture,), 300),
    Kind("progressive.jpg", _picture("JPEG", "CMYK", progressive=True), _look_at, (UnreadablePicture,), 300),
    Kind("good.png", _picture("PNG"), _look_at, (UnreadablePicture,), 300),
    Kind("palette.png", _picture("PNG", "P", transparency=b"\0\x80"), _look_at, (UnreadablePicture,), 300),
    Kind("good.webp", _picture("WEBP"), _look_at, (UnreadablePicture,), 300),
    Kind("good.gif", _picture("GIF", "P"), _look_at, (UnreadablePicture,), 300),
    Kind("good.bmp", _picture("BMP"), _look_at, (UnreadablePicture,), 300),
    Kind("good.tif", _picture("TIFF"), _look_at, (UnreadablePicture,), 300),
    Kind("deflated.tif", _picture("TIFF", compression="tiff_adobe_deflate"), _look_at, (UnreadablePicture,), 300),
)
OTHERS = (
    Kind("w.safetensors", lambda folder: saved_as_safetensors(small()), read_state, (WeightsError,), 100),
    Kind("w.pth", lambda folder: checkpoint(small()), read_state, (WeightsError,), 100),
    Kind("old.pth", lambda folder: checkpoint(small(), legacy=True), read_state, (WeightsError,), 100),
    Kind("plan.toml", _plan, lambda path: make_plan({}, file=path), (UsageError,), 200),
    Kind("scores.json", _file_of_run("scores.json"), read_json, (HeldoutError,), 300),
    Kind(
        "predictions.parquet",
        _predictions,
        lambda path: read_parquet(path, ["id", "label", "logits"]).to_pydict(),
        (HeldoutError,),
        200,
    ),
    Kind("manifest.json", _file_of_run("manifest.json"), _open_run, (HeldoutError,), 200),
    Kind("listing.csv", _csv, find_photos, (DataError,), 200),
    Kind("listing.txt", _text, find_photos, (DataError,), 200),
    Kind("listing.parquet", _parquet, find_photos, (DataError,), 200),
    Kind("good.zip", _packed(".zip"), _read_everything, (DataError,), 200),
    Kind("good.tar", _packed(".tar"), _read_everything, (DataError,), 200),
    Kind("good.tar.gz", _packed(".tar.gz"), _read_everything, (DataError,), 200),
)


def _tried(kind: Kind, folder: Path, *, n: int, seed: int) -> int:
    """How many of so many changed files were refused."""
    good = kind.make(folder)
    path = folder / kind.name
    path.write_bytes(good)
    kind.read(path)
    n_refused = 0
    for number, data in enumerate(mutations(good, n=n, seed=seed)):
        path.write_bytes(data)
        began = time.process_time()
        try:
            kind.read(path)
        except kind.refusals:
            n_refused += 1
        except Exception as error:
            raise AssertionError(f"{kind.name}, change {number} of seed {seed}: {data[:300]!r}") from error
        assert time.process_time() - began < SECONDS, f"{kind.name}, change {number} of seed {seed}"
    return n_refused


@pytest.mark.parametrize("kind", PICTURES + OTHERS, ids=lambda kind: kind.name)
def test_changed_files_are_read_or_refused(kind: Kind, tmp_path: Path) -> None:
    n_refused = _tried(kind, tmp_path, n=kind.n, seed=1)
    assert n_refused > kind.n // 20, "the changes never reach what is read"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", PICTURES + OTHERS, ids=lambda kind: kind.name)
def test_many_more_changed_files_are_read_or_refused(kind: Kind, tmp_path: Path) -> None:
    _tried(kind, tmp_path, n=50 * kind.n, seed=2)


@pytest.mark.parametrize(
    "name", ["plan.toml", "scores.json", "predictions.parquet", "model/classes.json", "openings.jsonl"]
)
def test_no_change_of_a_file_of_a_run_goes_unseen(name: str, tmp_path: Path) -> None:
    _run(tmp_path)
    good = (tmp_path / name).read_bytes()
    for data in mutations(good, n=200, seed=3):
        (tmp_path / name).write_bytes(data)
        is_longer_log = name.endswith(".jsonl") and data.startswith(good)
        assert bool(find_damages(tmp_path)) == (data != good and not is_longer_log), data
