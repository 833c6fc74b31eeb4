"""A frozen backbone as a function from pixels to features, run by what is fastest on this machine.

An engine takes uint8 pixels in fixed batches and gives 32-bit floats. What it computes for a picture does not depend on
the pictures beside it, on timing, or on how many threads call it. Normalising is part of the engine. Nothing here
imports torch except where a torch engine is opened, so that a backbone which was converted once starts in a fraction
of a second.

Measured here, 2026-11-22 (2 cores of Zen 3, EfficientNet-Lite0, pictures a second): OpenVINO in batches of 1 on two
streams 140, of 8 82, of 32 45: small batches stay in the caches. So OpenVINO's batch is one picture.
"""

import queue
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float32, UInt8

from heldout.errors import is_want_of_memory
from heldout.provenance import n_cores

# How many pictures the torch engine takes at once: on CPU the smallest batch at which channels-last pays, on CUDA
# enough to fill the device (assumed).
TORCH_CPU_BATCH = 8
TORCH_CUDA_BATCH = 64
# Mean and standard deviation of each colour, in units where white is 1.
Normalisation = tuple[tuple[float, float, float], tuple[float, float, float]]


@runtime_checkable
class Engine(Protocol):
    """Pixels in, features (or a trunk's map) out; safe to call from many threads.

    Attributes:
        key: A short text that differs whenever the numbers could: program, version and precision.
        batch_size: How many pictures each call takes, always.
    """

    key: str
    batch_size: int

    def __call__(self, pixels: UInt8[np.ndarray, "batch crop crop 3"]) -> Float32[np.ndarray, "batch ..."]:
        """What the network makes of the pictures."""


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which program runs a network and in which precision.

    Attributes:
        program: `openvino` or `torch`.
        precision: `f32`, `bf16` or `f16`.
        device: `cpu` or `cuda`.
    """

    program: str
    precision: str
    device: str

    def __str__(self) -> str:
        return f"{self.program} {self.precision} on {self.device}"


@contextmanager
def silent_openvino() -> Iterator[Any]:
    """The module `openvino`, imported without its telemetry: nothing is sent, nothing is asked.

    OpenVINO reports each import and each conversion through the package `openvino_telemetry`, and does without where
    that cannot be imported. It is made unimportable for as long as this lasts.

    Raises:
        ImportError: OpenVINO is not installed.
    """
    name = "openvino_telemetry"
    before = {key: sys.modules[key] for key in sys.modules if key.split(".")[0] == name}
    sys.modules.update(dict.fromkeys(before, None))  # type: ignore[arg-type]  # None makes an import fail
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import openvino

            yield openvino
    finally:
        del sys.modules[name]
        sys.modules.update(before)


def openvino_precisions() -> tuple[str, ...]:
    """The precisions that OpenVINO computes in on this machine, or none where it is not installed."""
    try:
        with silent_openvino() as openvino:
            able = openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    except ImportError as error:
        if is_want_of_memory(error):
            raise  # or another engine would be chosen, and remembered
        return ()
    return ("bf16", "f32") if "BF16" in able else ("f32",)


class OpenVinoEngine:
    """A network in OpenVINO's format, one picture a call, one thread a call.

    It is compiled when it is first called: the thread that does it lets others decode meanwhile, and where every
    feature is known already, OpenVINO is not even imported.
    """

    batch_size = 1

    def __init__(self, model: Path, precision: str) -> None:
        self._model, self._precision = model, precision
        self._compiling = threading.Lock()
        self._requests: queue.SimpleQueue[Any] | None = None
        self.key = f"openvino-{metadata.version('openvino')}-{precision}"

    def __call__(self, pixels: UInt8[np.ndarray, "1 crop crop 3"]) -> Float32[np.ndarray, "1 ..."]:
        """What the network makes of the picture."""
        with self._compiling:
            if self._requests is None:
                self._requests = self._compiled()
                # OpenVINO's bindings deadlock where their very first call comes from two threads at once.
                self._infer(self._requests, pixels)
        return self._infer(self._requests, pixels)

    @staticmethod
    def _infer(requests: "queue.SimpleQueue[Any]", pixels: np.ndarray) -> np.ndarray:
        request = requests.get()
        try:
            # The request's output lies in its own memory, which the next call overwrites: hence the copy.
            return np.array(next(iter(request.infer({0: pixels}).values())), dtype=np.float32)
        finally:
            requests.put(request)

    def _compiled(self) -> "queue.SimpleQueue[Any]":
        requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with silent_openvino() as openvino:
            core = openvino.Core()
            settings = {
                "NUM_STREAMS": str(n_cores()),
                "INFERENCE_NUM_THREADS": str(n_cores()),
                "INFERENCE_PRECISION_HINT": self._precision,
            }
            compiled = core.compile_model(core.read_model(self._model), "CPU", settings)
        for _ in range(n_cores()):
            requests.put(compiled.create_infer_request())
        return requests


class TorchEngine:
    """A network run by torch: batch normalisation folded, channels-last, one call at a time on all threads."""

    def __init__(self, function: Any, normalisation: Normalisation, choice: EngineChoice) -> None:
        import torch

        self.batch_size = TORCH_CUDA_BATCH if choice.device == "cuda" else TORCH_CPU_BATCH
        self.key = f"torch-{torch.__version__.split('+')[0]}-{choice.device}-{choice.precision}"
        self._dtype = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[choice.precision]
        self._device = torch.device(choice.device)
        self._function = function
        mean, std = (torch.tensor(value, device=self._device).view(1, 3, 1, 1) for value in normalisation)
        self._scale, self._shift = 1 / (255 * std), mean / std
        self._lock = threading.Lock()

    def __call__(self, pixels: UInt8[np.ndarray, "batch crop crop 3"]) -> Float32[np.ndarray, "batch ..."]:
        """What the network makes of the pictures."""
        import torch

        with self._lock, torch.inference_mode():
            batch = torch.from_numpy(pixels).to(self._device, non_blocking=True).permute(0, 3, 1, 2)
            batch = (batch.float() * self._scale - self._shift).to(self._dtype)
            out = self._function(batch.contiguous(memory_format=torch.channels_last))
            return out.float().contiguous().cpu().numpy()  # type: ignore[no-any-return]
