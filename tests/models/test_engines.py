import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from heldout.models.choosing import _recorded_choice, machine, open_engine
from heldout.models.conversion import Output, make_engine
from heldout.models.engines import Engine, EngineChoice
from heldout.models.kept_files import is_whole
from heldout.models.prepared import Prepared, network_of
from heldout.records import to_json

CHOICES = [EngineChoice("openvino", "f32", "cpu"), EngineChoice("torch", "f32", "cpu")]


def pictures(n: int) -> np.ndarray:
    """Smooth pictures, unlike each other."""
    rng = np.random.default_rng(n)
    coarse = rng.integers(0, 256, (n, 7, 7, 3)).repeat(32, axis=1).repeat(32, axis=2)
    pixels: np.ndarray = np.clip(coarse + rng.integers(-20, 21, coarse.shape), 0, 255).astype(np.uint8)
    return pixels


def run(engine: Engine, pixels: np.ndarray) -> np.ndarray:
    """In full batches; the last is filled with the first picture."""
    size = engine.batch_size
    full = np.concatenate([pixels, pixels[:1].repeat(-len(pixels) % size, axis=0)])
    out = np.concatenate([engine(full[start : start + size]) for start in range(0, len(full), size)])
    return np.asarray(out[: len(pixels)])


@pytest.fixture(scope="module", params=CHOICES, ids=str)
def choice(request: pytest.FixtureRequest) -> EngineChoice:
    chosen: EngineChoice = request.param
    if chosen.program == "openvino":
        pytest.importorskip("openvino")
    return chosen


@pytest.fixture(scope="module")
def engine(lite0: Prepared, choice: EngineChoice) -> Engine:
    return make_engine(lite0, "features", choice)


def by_the_plain_network(lite0: Prepared, pixels: np.ndarray, output: Output) -> np.ndarray:
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (lite0.backbone.mean, lite0.backbone.std))
    inputs = (torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255 - mean) / std
    with torch.no_grad():
        out: np.ndarray = getattr(network_of(lite0), output)(inputs).numpy()
    return out


def assert_equal_but_for_rounding(got: np.ndarray, wanted: np.ndarray) -> None:
    assert got.shape == wanted.shape
    assert got.dtype == np.float32
    assert np.abs(got - wanted).max() <= 1e-3 * np.abs(wanted).max()
    flat, wanted = got.reshape(len(got), -1), wanted.reshape(len(wanted), -1)
    norms = np.linalg.norm(flat, axis=1) * np.linalg.norm(wanted, axis=1)
    assert ((flat * wanted).sum(axis=1) / norms).min() > 0.9999


def test_an_engine_computes_the_plain_network(lite0: Prepared, engine: Engine) -> None:
    pixels = pictures(3)
    assert_equal_but_for_rounding(run(engine, pixels), by_the_plain_network(lite0, pixels, "features"))


def test_the_torch_engine_computes_the_trunk_too(lite0: Prepared) -> None:
    engine = make_engine(lite0, "trunk", EngineChoice("torch", "f32", "cpu"))
    pixels = pictures(2)
    assert_equal_but_for_rounding(run(engine, pixels), by_the_plain_network(lite0, pixels, "trunk"))


def test_features_do_not_depend_on_neighbours(engine: Engine) -> None:
    pixels = pictures(engine.batch_size + 2)
    first = run(engine, pixels)
    for order in (np.arange(len(pixels))[::-1], np.roll(np.arange(len(pixels)), 1)):
        np.testing.assert_array_equal(run(engine, pixels[order]), first[order])
    np.testing.assert_array_equal(run(engine, pixels[1:2]), first[1:2])


def test_features_do_not_depend_on_how_many_threads_ask(engine: Engine) -> None:
    batches = [pictures(engine.batch_size + index)[index:] for index in range(3)]
    alone = [engine(batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(engine, batches * 2))
    for got, wanted in zip(together, alone * 2, strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_what_an_engine_gave_stays_when_it_is_asked_again(engine: Engine) -> None:
    first = engine(pictures(engine.batch_size))
    kept = first.copy()
    engine(pictures(engine.batch_size + 1)[1:])
    np.testing.assert_array_equal(first, kept)


def test_keys_tell_program_version_and_precision(engine: Engine, choice: EngineChoice) -> None:
    assert engine.key.startswith(choice.program)
    assert choice.precision in engine.key
    assert any(letter.isdigit() for letter in engine.key.removesuffix(choice.precision))


# Opening


def with_choice(cache: Path, lite0: Prepared, choice: EngineChoice) -> Path:
    record = cache / "engines" / f"{lite0.backbone.name}-features.json"
    record.parent.mkdir(parents=True, exist_ok=True)
    chosen = {"program": choice.program, "precision": choice.precision, "device": choice.device}
    record.write_bytes(to_json({"machine": machine(), "choice": chosen, "pictures_a_second": {}}))
    return record


def test_a_new_machine_measures_and_then_remembers(lite0: Prepared, tmp_path: Path) -> None:
    record = with_choice(tmp_path, lite0, CHOICES[1])
    assert open_engine(lite0, "features", cache=tmp_path).key.startswith("torch")
    record.write_bytes(to_json(json.loads(record.read_bytes()) | {"machine": {"processor": "another"}}))
    first = open_engine(lite0, "features", cache=tmp_path)
    content = json.loads(record.read_bytes())
    assert content["machine"] == machine()
    speeds = content["pictures_a_second"]
    assert str(EngineChoice(**content["choice"])) == max(speeds, key=lambda name: speeds[name])
    before = record.read_bytes()
    assert open_engine(lite0, "features", cache=tmp_path).key == first.key
    assert record.read_bytes() == before


OPEN = """
import json, sys
from pathlib import Path
import numpy as np
{prelude}
from heldout.models.backbones import find_backbone
from heldout.models.choosing import open_engine
from heldout.models.conversion import make_engine
from heldout.models.engines import EngineChoice
from heldout.models.prepared import Prepared
folder = Path(sys.argv[1])
prepared = Prepared(find_backbone("efficientnet-lite0"), "x", folder)
engine = {engine}
pixels = np.zeros((1, 224, 224, 3), np.uint8)
telemetry = [name for name, module in sys.modules.items() if "openvino_telemetry" in name and module is not None]
print(json.dumps({{"torch": "torch" in sys.modules and sys.modules["torch"] is not None,
                   "telemetry": telemetry, "shape": engine(pixels).shape}}))
"""
OFFLINE = """
import socket
def refuse(*_, **__):
    raise AssertionError("a socket was used")
socket.socket.connect = socket.socket.connect_ex = socket.socket.sendto = refuse
socket.create_connection = socket.getaddrinfo = socket.gethostbyname = refuse
"""


def opened_elsewhere(script: str, *arguments: object) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return answer


def test_a_converted_network_opens_without_torch(lite0: Prepared, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    make_engine(lite0, "features", CHOICES[0])
    with_choice(tmp_path, lite0, CHOICES[0])
    script = OPEN.format(
        prelude='sys.modules["torch"] = None',
        engine='open_engine(prepared, "features", cache=Path(sys.argv[2]))',
    )
    answer = opened_elsewhere(script, lite0.folder, tmp_path)
    assert answer == {"torch": False, "telemetry": [], "shape": [1, 1280]}


def test_importing_and_converting_opens_no_connection_and_loads_no_telemetry(lite0: Prepared, tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    shutil.copy(lite0.weights, tmp_path)
    (tmp_path / "features.xml").touch()  # half of an older conversion: no use without the other half
    script = OPEN.format(
        prelude=OFFLINE, engine='make_engine(prepared, "features", EngineChoice("openvino", "f32", "cpu"))'
    )
    answer = opened_elsewhere(script, tmp_path)
    assert answer == {"torch": True, "telemetry": [], "shape": [1, 1280]}
    kept = {"features.xml", "features.bin"}
    names = {"weights.safetensors", *kept, *(f"{name}.sha256" for name in kept)}
    assert {file.name for file in tmp_path.iterdir()} == names


@pytest.mark.parametrize("name", ["features.bin", "features.xml"])
def test_a_flipped_bit_in_what_was_converted_is_found_and_it_is_made_again(
    name: str, lite0: Prepared, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("openvino")
    make_engine(lite0, "features", CHOICES[0])
    folder = tmp_path / "copy"
    shutil.copytree(lite0.folder, folder)
    copy = Prepared(lite0.backbone, lite0.fingerprint, folder)
    pixels = pictures(1)
    wanted = make_engine(copy, "features", CHOICES[0])(pixels)
    assert caplog.messages == []
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    stamp = (folder / name).stat()
    (folder / name).write_bytes(content)
    os.utime(folder / name, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    with caplog.at_level("INFO", "heldout"):
        found = make_engine(copy, "features", CHOICES[0])(pixels)
    np.testing.assert_array_equal(found, wanted)
    assert [line for line in caplog.messages if "damaged" in line] == [f"{folder / name} was damaged and is made again"]
    assert is_whole(folder / name)


@pytest.mark.parametrize("content", [b"", b'{"machine"', b"[]", b'{"machine": 1}'])
def test_a_damaged_record_counts_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "record.json").write_bytes(content)
    assert _recorded_choice(tmp_path / "record.json") is None
