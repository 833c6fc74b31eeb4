"""Which engine is fastest for a backbone on this machine: measured once, then remembered.

<cache>/engines/<name>-<output>.json    what was measured on which machine, and what was chosen
"""

import hashlib
import logging
import platform
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache as remembered
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from heldout.errors import RunFolderError
from heldout.models.conversion import Output, make_engine
from heldout.models.engines import Engine, EngineChoice, openvino_precisions
from heldout.models.prepared import Prepared, file_name
from heldout.provenance import n_cores
from heldout.records import read_json, to_json, write_atomic

log = logging.getLogger(__name__)
# Engines that compute in 16 bits must agree with 32 bits to this cosine on every picture tried. Known: 0.9992 for
# bf16 on EfficientNet-Lite0 at equal accuracy of the head; int8 at 0.92 lost accuracy.
_LEAST_COSINE = 0.99
_N_ROUNDS = 4  # the best round of each counts: noise only slows


def open_engine(prepared: Prepared, output: Output, *, cache: Path, device: str = "cpu") -> Engine:
    """The fastest engine for this backbone on this machine.

    Which one that is gets measured once for each backbone, output and machine, and is written down; so is OpenVINO's
    form of the network. Only where one of them is missing is torch imported, which is logged with the reason.

    Args:
        prepared: The backbone.
        output: `features` for the pooled features, `trunk` for the map before the last blocks.
        cache: The cache folder of heldout.
        device: `cpu`, or `cuda` for torch on the first GPU.
    """
    if device == "cuda":
        return make_engine(prepared, output, EngineChoice("torch", _cuda_precision(), "cuda"))
    record = cache / "engines" / f"{file_name(prepared.backbone)}-{output}.json"
    choice = _recorded_choice(record)
    if choice is None:
        log.info("measuring which engine is fastest for %s here (once)", prepared.backbone.name)
        choice = _measured_choice(prepared, output, record)
    return make_engine(prepared, output, choice)


@remembered
def machine() -> dict[str, Any]:
    """What a measured choice depends on: processor, threads, and the versions of the programs."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    wanted = ("model name", "flags", "Features")
    processor = sorted({line for line in lines if line.split("\t")[0].strip() in wanted})
    versions = {}
    for package in ("openvino", "torch"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "absent"
    text = "\n".join([platform.machine(), platform.processor(), *processor])
    return {"processor": hashlib.sha256(text.encode()).hexdigest()[:16], "n_threads": n_cores(), **versions}


def _recorded_choice(record: Path) -> EngineChoice | None:
    if not record.is_file():
        return None
    try:
        content = read_json(record)
        return EngineChoice(**content["choice"]) if content["machine"] == machine() else None
    except (RunFolderError, KeyError, TypeError):
        return None  # damaged: it is measured again


def _measured_choice(prepared: Prepared, output: Output, record: Path) -> EngineChoice:
    candidates = [EngineChoice("openvino", precision, "cpu") for precision in openvino_precisions()]
    candidates += [EngineChoice("torch", precision, "cpu") for precision in _torch_cpu_precisions()]
    engines = {choice: make_engine(prepared, output, choice) for choice in candidates}
    exact = next(engine for choice, engine in engines.items() if choice.precision == "f32")
    pixels = _sample_pixels(prepared.backbone.crop)
    wanted = _run(exact, pixels)
    fit = {
        choice: engine
        for choice, engine in engines.items()
        if _least_cosine(_run(engine, pixels), wanted) >= _LEAST_COSINE
    }
    speeds = dict.fromkeys(fit, 0.0)
    for _ in range(_N_ROUNDS):  # in turn, so that what else the machine does meets all of them
        for choice, engine in fit.items():
            speeds[choice] = max(speeds[choice], _pictures_a_second(engine, pixels))
    best = max(speeds, key=lambda choice: speeds[choice])
    measured = {str(choice): round(speed, 1) for choice, speed in speeds.items()}
    log.info("pictures a second: %s; chosen: %s", measured, best)
    chosen = {"program": best.program, "precision": best.precision, "device": best.device}
    write_atomic(record, to_json({"machine": machine(), "choice": chosen, "pictures_a_second": measured}))
    return best


def _sample_pixels(crop: int) -> np.ndarray:
    """Eight pictures of noise at several scales, which exercises every layer."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 256, size=(8, crop // 16 + 1, crop // 16 + 1, 3))
    large = coarse.repeat(16, axis=1).repeat(16, axis=2)[:, :crop, :crop]
    fine = generator.integers(0, 64, size=large.shape)
    pixels: np.ndarray = np.clip(large + fine - 32, 0, 255).astype(np.uint8)
    return pixels


def _run(engine: Engine, pixels: np.ndarray) -> np.ndarray:
    size = engine.batch_size
    repeated = np.resize(pixels, (-(-len(pixels) // size) * size, *pixels.shape[1:]))
    parts = [engine(repeated[start : start + size]) for start in range(0, len(repeated), size)]
    features = np.concatenate(parts)[: len(pixels)]
    return np.reshape(features, (len(pixels), -1))


def _least_cosine(got: np.ndarray, wanted: np.ndarray) -> float:
    products = np.sum(got * wanted, axis=1)
    return float(np.min(products / (np.linalg.norm(got, axis=1) * np.linalg.norm(wanted, axis=1) + 1e-12)))


def _pictures_a_second(engine: Engine, pixels: np.ndarray, *, seconds: float = 0.25) -> float:
    """The speed of a short round, called from as many threads as a look at pictures calls it from."""
    start = time.monotonic()

    def work(_: int) -> int:
        n_done = 0
        while time.monotonic() < start + seconds:
            _run(engine, pixels[: engine.batch_size])
            n_done += engine.batch_size
        return n_done

    with ThreadPoolExecutor(n_cores()) as pool:
        n_done = sum(pool.map(work, range(n_cores())))
    return n_done / (time.monotonic() - start)


def _torch_cpu_precisions() -> tuple[str, ...]:
    import torch

    return ("bf16", "f32") if torch.cpu._is_avx512_bf16_supported() else ("f32",)


def _cuda_precision() -> str:
    import torch

    return "bf16" if torch.cuda.is_bf16_supported() else "f16"
