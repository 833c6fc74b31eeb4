"""A training in a forked child, to be killed: torch is imported once, in the parent."""

import hashlib
import json
import os
import signal
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from heldout.interrupting import finishing_steps
from heldout.records import remove_strays, to_json, write_atomic
from heldout.training import checkpoints as module
from heldout.training.checkpoints import Checkpoints
from heldout.training.history import EpochRecord
from heldout.training.loop import fit_network
from heldout.training.settings import TrainingSettings, defaults
from training.small import small_parts, small_task

RESULT = "result.json"
ERROR = "error.txt"
EPOCHS = 2  # of 4 steps: long enough for many kills, short enough for many runs
MEASURED = ("seconds", "pictures_per_second")


def settings(regime: str, **changes: object) -> TrainingSettings:
    return defaults(regime, {"epochs": EPOCHS, "learning_rate": 0.05, **changes})


def train(folder: Path, regime: str, *, n_train: int = 26, **changes: object) -> None:
    """Train to the end, from where the folder's checkpoints say, and write down what came of it."""
    remove_strays(folder)  # as `verbs.resume` does
    with pytest.MonkeyPatch.context() as patch, finishing_steps() as stop:
        patch.setattr(module, "EVERY_SECONDS", 0.0)  # a checkpoint after every step
        patch.setattr(module, "SHARE", 1e9)
        fitted = fit_network(
            small_task(regime),
            settings(regime, **changes),
            parts=small_parts(regime, n_train=n_train),
            precision="float32",
            seed=0,
            checkpoints=Checkpoints(folder / "checkpoints", f"{regime} {changes}", stop),
        )
    weights = hashlib.sha256(b"".join(value.numpy().tobytes() for value in fitted.state.values())).hexdigest()
    history = [_unmeasured(one) for one in fitted.history]
    content = {"weights": weights, "best": fitted.best_epoch, "history": history, "norms": fitted.norms.rows()}
    write_atomic(folder / RESULT, to_json(content))


def _unmeasured(record: EpochRecord) -> dict[str, str]:
    return {name: repr(getattr(record, name)) for name in record.__slots__ if name not in MEASURED}


def result(folder: Path) -> dict[str, object]:
    content: dict[str, object] = json.loads((folder / RESULT).read_bytes())
    return content


def fork(work: Callable[[], None], folder: Path) -> int:
    """The process number of a child that does the work, and writes down what goes wrong."""
    child = os.fork()
    if child:
        return child
    try:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        work()
        os._exit(0)
    except KeyboardInterrupt:
        os._exit(130)
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 3)
    except BaseException:
        (folder / ERROR).write_text(traceback.format_exc())
        os._exit(3)


def wait(child: int) -> int:
    """The exit code of a child; minus the signal's number where one ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def wait_at_most(child: int, seconds: float) -> int | None:
    """The exit code of a child, or None where it still runs after so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.0005)
    return None
