"""In which precision a network trains fastest on this machine: measured once, then remembered.

<cache>/precisions/<name>.json    what was measured on which machine, and what was chosen
"""

import copy
import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from heldout.allocator import give_back_freed_memory
from heldout.errors import UsageError
from heldout.models.choosing import machine
from heldout.models.regimes import set_mode
from heldout.records import read_json, to_json, write_atomic
from heldout.training.arithmetic import candidates
from heldout.training.settings import TrainingSettings
from heldout.training.steps import make_learner, private_draws, train_step
from heldout.training.tasks import Task

log = logging.getLogger(__name__)
# A step is timed so often after one that is not counted, and the fastest counts: noise only adds.
_N_TIMED = 2


@dataclass(frozen=True, slots=True)
class PrecisionChoice:
    """In which precision a network is trained, and why.

    Attributes:
        name: As in `arithmetic.py`.
        reason: `asked for`, `the only one here`, `measured` or `remembered`.
        seconds: Of one step in each precision that was measured, by name.
    """

    name: str
    reason: str
    seconds: Mapping[str, float]


def choose_precision(
    task: Task, settings: TrainingSettings, *, inputs: Tensor, backbone: str, cache: Path | None
) -> PrecisionChoice:
    """The precision for this network, this size of batch and this machine.

    What was measured is written down and taken again by later runs, which therefore compute the same numbers.

    Args:
        task: Its network is copied, not changed.
        settings: `precision` is `auto`, or what to take.
        inputs: One batch of the training, on the device.
        backbone: Names the network in what is written down.
        cache: The cache folder of heldout; None measures every time.

    Raises:
        UsageError: `float16` was asked for on a CPU, or `winograd` elsewhere.
        StorageError: The cache cannot be written.
    """
    if settings.precision != "auto":
        _check_possible(settings.precision, task.device)
        return PrecisionChoice(settings.precision, "asked for", {})
    # A head alone has nothing to win.
    names = ("float32",) if task.regime == "frozen" else candidates(task.net, task.device)
    if len(names) == 1:
        return PrecisionChoice(names[0], "the only one here", {})
    record = None if cache is None else cache / "precisions" / _record_name(task, inputs, backbone)
    if record is not None and record.is_file():
        content = read_json(record)
        if content["machine"] == machine() and content["choice"] in names:
            return PrecisionChoice(content["choice"], "remembered", content["seconds"])
    seconds = {}
    for name in names:
        seconds[name] = _step_seconds(task, settings, inputs, name)
        give_back_freed_memory()  # the next one needs pieces of other sizes
    best = min(names, key=lambda name: seconds[name])
    log.info("seconds a training step: %s; chosen: %s", seconds, best)
    if record is not None:
        write_atomic(record, to_json({"machine": machine(), "choice": best, "seconds": seconds}))
    return PrecisionChoice(best, "measured", seconds)


def _check_possible(precision: str, device: torch.device) -> None:
    impossible = "float16" if device.type == "cpu" else "winograd"
    if precision == impossible:
        raise UsageError(
            f"training.precision is {precision!r} on {device.type}",
            expected="float16 on a GPU alone, winograd on a CPU alone",
            fix="set training.precision to auto",
        )


def _step_seconds(task: Task, settings: TrainingSettings, inputs: Tensor, precision: str) -> float:
    """The time of one training step, on a copy of the network."""
    tried = replace(task, net=copy.deepcopy(task.net))
    learner = make_learner(tried, settings, precision=precision)
    set_mode(tried.net, tried.regime, training=True)
    labels = torch.zeros(len(inputs), dtype=torch.int64, device=task.device)
    times = []
    for step in range(1 + _N_TIMED):
        start = time.perf_counter()
        with private_draws(task.device, seed=0, epoch=0, step=step):
            float(train_step(learner, inputs, labels, learning_rate=0.0).loss)
        times.append(time.perf_counter() - start)
    return min(times[1:])


def _record_name(task: Task, inputs: Tensor, backbone: str) -> str:
    sizes = "x".join(str(size) for size in inputs.shape)
    text = f"{backbone}:{task.regime}:{sizes}:{task.device.type}"
    return f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
