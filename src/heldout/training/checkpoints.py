"""Checkpoints: a training on disk, between two steps, so that a killed run goes on bit for bit as if it never stopped.

    RUN/checkpoints/000012.json                 position, sums, history, and the SHA-256 of the two files; written last
    RUN/checkpoints/000012-state.safetensors    weights and optimiser
    RUN/checkpoints/000010-best.safetensors     weights of the best epoch so far

Two generations are kept; where the newer one is damaged, the older one serves. Generations are counted, never dated.
"""

import hashlib
import json
import logging
import math
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from heldout.data.batches import Batch
from heldout.errors import RunFolderError, StorageError
from heldout.interrupting import Stop
from heldout.provenance import processor
from heldout.records import remove_strays, to_json, write_atomic
from heldout.training.course import Course
from heldout.training.history import EpochRecord
from heldout.training.losses import Tally
from heldout.training.parallel import ALONE, Group

log = logging.getLogger(__name__)
_FORMAT = 1
_N_KEPT = 2
# Inside an epoch a checkpoint is written so often, seconds (assumed: what a person minds losing), ...
EVERY_SECONDS = 10.0
# ... but writing takes at most this share of the time, so that slow disks and large networks are saved less often.
SHARE = 0.02
# Before the first has been timed: what a checkpoint is assumed to write, hash and see on the disk, bytes a second.
_ASSUMED_SPEED = 100e6


@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint that was found whole.

    Attributes:
        generation: Counted from 1.
        content: The JSON.
        state: Weights and optimiser, by name.
        best: Weights of the best epoch.
    """

    generation: int
    content: Mapping[str, Any]
    state: Mapping[str, Tensor]
    best: Mapping[str, Tensor]

    @property
    def precision(self) -> str:
        """What the training was computed in."""
        return str(self.content["circumstances"]["precision"])

    @property
    def history(self) -> list[EpochRecord]:
        """The epochs that had ended."""
        return [_record(**values) for values in self.content["history"]]


class Checkpoints:
    """Saves a training and brings it back.

    Args:
        folder: Where the files lie; made when something is saved.
        job: A hash of everything that decides the numbers: another job's checkpoint is refused.
        stop: Asks the training to stop; it is saved first.
        extra: What else must be the same for the same bits, such as the engine of the features.
        group: Who trains together: all go on from the same checkpoint, and rank 0 alone writes.

    Attributes:
        saved: What was found in the folder; None where there was nothing that could be used.
        elsewhere: In what the circumstances of an earlier part of the training differ from those here.
        circumstances: On what the bits depend besides the plan and the data; empty before `restore`.
    """

    def __init__(
        self, folder: Path, job: str, stop: Stop, extra: Mapping[str, Any] | None = None, group: Group = ALONE
    ) -> None:
        self.folder = folder
        self.group = group
        self.saved = _same_for_all(folder, group)
        self.elsewhere: list[str] = []
        self.seconds = 0.0
        self.circumstances: dict[str, Any] = {}
        self._job, self._stop, self._extra = job, stop, {"workers": group.world, **(extra or {})}
        self._best: tuple[dict[str, Tensor], dict[str, Any]] | None = None
        self._kept: list[int] = []
        self._generation = max([0, *_generations(folder)])
        self._cost: float | None = None
        self._last = time.monotonic()
        if self.saved is not None and self.saved.content["job"] != job:
            raise RunFolderError(
                f"the checkpoint in {folder} belongs to another plan, other data or other weights",
                expected="the plan.toml, pictures and weights that the run was started with",
                fix="put them back as they were, or start a new run with `heldout train`",
            )

    def restore(self, course: Course) -> None:
        """Bring a course that has just begun to where the training was saved, if it was."""
        self._last = time.monotonic()
        here = self.circumstances = _circumstances(course, self._extra)
        if self.saved is None:
            return
        content = self.saved.content
        _put_back(course, self.saved)
        differences = [
            f"{name} {here.get(name)}, was {value}"
            for name, value in content["circumstances"].items()
            if here.get(name) != value
        ]
        self.elsewhere = list(dict.fromkeys([*content["elsewhere"], *differences]))
        self._kept = [self.saved.generation]
        self._best = (course.best_state, content["best"])
        if here["workers"] == self.group.world:  # else a group has trained, and this process takes its weights
            log.info("going on after epoch %d, step %d", max(0, course.epoch - 1), course.step)
        if differences:
            log.warning("not bit-identical: %s", "; ".join(differences))
        self.saved = None  # gives the memory back

    def after_step(self, course: Course) -> None:
        """Save if it is time, or if the run is to stop.

        Raises:
            KeyboardInterrupt: The run was asked to stop; it is saved.
            StorageError: The disk refused.
        """
        self._stop_if_asked(course)
        if self._is_time(course, EVERY_SECONDS):
            self.save(course)

    def before_first_step(self) -> None:
        """Where there is nothing to save yet.

        Raises:
            KeyboardInterrupt: The run was asked to stop.
        """
        if self._stop.is_asked:
            raise self._stop.error()

    def after_epoch(self, course: Course) -> None:
        """Save unless that would take too large a share of the time; otherwise as `after_step`."""
        self._stop_if_asked(course)
        if self._is_time(course, 0.0):
            self.save(course)

    def at_the_end(self, course: Course) -> None:
        """Save a training that is over, unless it would be quickly done again; a group's, always."""
        if self.group.world > 1 or time.monotonic() - self._last >= EVERY_SECONDS:
            self.save(course)

    def watching(self, batches: Iterator[Batch], course: Course) -> Iterator[Batch]:
        """The same batches, for as long as nobody asks to stop.

        Raises:
            KeyboardInterrupt: Somebody did; the training is saved.
        """
        for batch in batches:
            self._stop_if_asked(course)
            yield batch

    def save(self, course: Course) -> None:
        """Write a checkpoint, as rank 0; the one before it stays.

        Raises:
            StorageError: The disk refused; the checkpoints that were there are as they were.
        """
        if self.group.rank > 0:
            return
        began = time.monotonic()
        self._generation += 1
        state, content = _taken(course)
        name = f"{self._generation:06d}"
        _check_room(self.folder, 2 * _n_bytes(state))
        if self._best is None or self._best[0] is not course.best_state:
            facts = _write_tensors(self.folder / f"{name}-best.safetensors", course.best_state)
            self._best = (course.best_state, facts)
        content |= {
            "generation": self._generation,
            "job": self._job,
            "circumstances": self.circumstances or _circumstances(course, self._extra),
            "elsewhere": self.elsewhere,
            "state": _write_tensors(self.folder / f"{name}-state.safetensors", state),
            "best": self._best[1],
        }
        content["checksum"] = _checksum(content)
        write_atomic(self.folder / f"{name}.json", to_json(content))
        self._kept = [*self._kept, self._generation][-_N_KEPT:]
        _prune(self.folder, self._kept)
        self._last = time.monotonic()
        self._cost = self._last - began
        self.seconds += self._cost

    def _is_time(self, course: Course, least: float) -> bool:
        if self.group.rank > 0:
            return False
        if self._cost is None:
            self._cost = 2 * _n_bytes(_taken(course)[0]) / _ASSUMED_SPEED
        return time.monotonic() - self._last >= max(least, self._cost / SHARE)

    def _stop_if_asked(self, course: Course) -> None:
        if self.group.any(self._stop.is_asked) if self.group.world > 1 else self._stop.is_asked:
            self.save(course)
            raise self._stop.error()


def newest(folder: Path) -> Saved | None:
    """The newest checkpoint of a folder that is whole; None where there is none. Damaged ones are told of."""
    for generation in sorted(_generations(folder), reverse=True):
        try:
            return _load(folder, generation)
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("checkpoint %d in %s is damaged (%s): trying the one before it", generation, folder, error)
    return None


def _same_for_all(folder: Path, group: Group) -> Saved | None:
    """The checkpoint that rank 0 finds to be the newest whole one, read by each; on a shared disk a listing may be old.

    Raises:
        RunFolderError: Rank 0 alone can read it.
    """
    own = newest(folder) if group.rank == 0 else None
    generation = group.first(lambda: own.generation if own else 0)
    if group.rank == 0 or generation == 0:
        return own
    try:
        return _load(folder, generation)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunFolderError(
            f"worker {group.rank} cannot read checkpoint {generation} in {folder}: {error}",
            expected="a run folder that every worker sees",
            fix="put it on a disk that all machines of the cluster share, with --out",
        ) from error


def _generations(folder: Path) -> list[int]:
    return [int(path.stem) for path in folder.glob("*.json") if path.stem.isdecimal()]


def _load(folder: Path, generation: int) -> Saved:
    content = json.loads((folder / f"{generation:06d}.json").read_bytes())
    if content["format"] != _FORMAT or content["checksum"] != _checksum(content):
        raise ValueError("its checksum does not fit")
    return Saved(generation, content, _read_tensors(folder, content["state"]), _read_tensors(folder, content["best"]))


def _checksum(content: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in content.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _write_tensors(path: Path, tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    from safetensors.torch import save

    # Contiguous on disk; how each lay in memory is kept beside it, because it decides which kernel computes with it.
    data = save({name: value.contiguous() for name, value in tensors.items()})
    write_atomic(path, data)
    return {
        "file": path.name,
        "n_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "strides": {name: list(value.stride()) for name, value in tensors.items() if not _is_plain(value)},
    }


def _is_plain(tensor: Tensor) -> bool:
    """Whether a tensor lies in memory as a new one of its shape would."""
    return tensor.stride() == torch.empty(tensor.shape, device="meta").stride()


def _read_tensors(folder: Path, facts: Mapping[str, Any]) -> dict[str, Tensor]:
    from safetensors.torch import load

    data = (folder / facts["file"]).read_bytes()
    if len(data) != facts["n_bytes"] or hashlib.sha256(data).hexdigest() != facts["sha256"]:
        raise ValueError(f"{facts['file']} is not the file that was written")
    tensors = load(data)
    for name, strides in facts["strides"].items():
        laid = torch.empty_strided(tensors[name].shape, strides, dtype=tensors[name].dtype)
        tensors[name] = laid.copy_(tensors[name])
    return tensors


def _taken(course: Course) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What of a course changes from step to step: tensors by name, and the rest as JSON."""
    learner = course.learner
    tensors = {f"network.{name}": value.detach().cpu() for name, value in learner.task.net.state_dict().items()}
    others: dict[str, Any] = {}
    for index, slots in learner.optimiser.state_dict()["state"].items():
        for slot, value in slots.items():
            if isinstance(value, Tensor):
                tensors[f"optimiser.{index}.{slot}"] = value.detach().cpu()
            else:
                others[f"{index}.{slot}"] = value
    tensors |= course.norms.tensors()
    return tensors, {
        "format": _FORMAT,
        "epoch": course.epoch,
        "step": course.step,
        "tally": asdict(course.tally),
        "seconds": course.seconds,
        "history": [_values(record) for record in course.history],
        "optimiser": others,
        "scaler": learner.scaler.state_dict(),
    }


def _put_back(course: Course, saved: Saved) -> None:
    learner, content, prefix = course.learner, saved.content, "network."
    weights = {name.removeprefix(prefix): value for name, value in saved.state.items() if name.startswith(prefix)}
    learner.task.net.load_state_dict(weights)
    slots: dict[int, dict[str, Any]] = {}
    others = {f"optimiser.{name}": value for name, value in content["optimiser"].items()}
    for name, value in {**saved.state, **others}.items():
        if name.startswith("optimiser."):
            _, index, slot = name.split(".", 2)
            slots.setdefault(int(index), {})[slot] = value
    groups = learner.optimiser.state_dict()["param_groups"]
    learner.optimiser.load_state_dict({"state": slots, "param_groups": groups})
    learner.scaler.load_state_dict(content["scaler"])
    course.epoch, course.step, course.seconds = content["epoch"], content["step"], content["seconds"]
    course.tally = Tally(**content["tally"])
    course.history = saved.history
    course.norms.put_back(saved.state)
    course.best_state = {name: saved.best[name] for name in learner.task.net.state_dict()}


def _circumstances(course: Course, extra: Mapping[str, str]) -> dict[str, Any]:
    """On what the bits of a result depend, besides the plan and the data."""
    device = course.learner.task.device
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "processor": processor(),
        "device": name,
        "precision": course.learner.arithmetic.precision,
        **extra,
    }


def _values(record: EpochRecord) -> dict[str, Any]:
    """A record as strict JSON, which knows neither nan nor inf."""
    return {
        name: str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in asdict(record).items()
    }


def _record(**values: Any) -> EpochRecord:
    numbers: dict[str, Any] = {
        name: float(value) if isinstance(value, str) else value for name, value in values.items()
    }
    return EpochRecord(**numbers)


def _n_bytes(tensors: Mapping[str, Tensor]) -> int:
    return sum(value.nbytes for value in tensors.values())


def _check_room(folder: Path, n_bytes: int) -> None:
    """Refuse before anything is written, where the disk says how much is free."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        usage = shutil.disk_usage(folder)
    except OSError:
        return  # what is wrong shows when it is written
    if usage.total and usage.free < n_bytes:
        raise StorageError(
            f"cannot write a checkpoint to {folder}: it needs {n_bytes:,} bytes, and {usage.free:,} are free",
            expected="room for the weights, the optimiser and the best weights",
            fix=f"free some space, then go on with `heldout resume {folder.parent}`",
        )


def _prune(folder: Path, kept: list[int]) -> None:
    """Remove what no kept generation needs: first the JSON, so that none names a file that is gone."""
    wanted = {f"{generation:06d}.json" for generation in kept}
    for name in sorted(wanted):
        content = json.loads((folder / name).read_bytes())
        wanted |= {content["state"]["file"], content["best"]["file"]}
    unwanted = [entry.name for entry in os.scandir(folder) if entry.name not in wanted]
    for name in sorted(unwanted, key=lambda name: not name.endswith(".json")):
        if name.endswith((".json", ".safetensors")):
            (folder / name).unlink(missing_ok=True)
    remove_strays(folder)
