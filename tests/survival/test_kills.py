"""kill -9 at any moment of a training: it goes on bit for bit as if it had never stopped.

A child trains with a checkpoint after every step and is killed after a random time, again and again until it comes to
its end; then its weights and history are compared with those of a training that was left alone.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from heldout import records
from survival.conftest import REGIMES
from survival.forks import ERROR, fork, result, train, wait, wait_at_most

TEMPORARY = ".heldout-tmp-"


def _killed_until_done(folder: Path, regime: str, rng: random.Random, longest: float) -> int:
    """How often a training was killed before it came to its end."""
    for n_kills in count():
        child = fork(partial(train, folder, regime), folder)
        code = wait_at_most(child, rng.uniform(0, longest))
        if code is None:
            os.kill(child, signal.SIGKILL)
            code = wait(child)
        if code != -signal.SIGKILL:
            assert code == 0, (folder / ERROR).read_text()
            return n_kills
    raise AssertionError


def _survives(n_kills: int, regime: str, wanted: Any, tmp_path: Path, seed: int) -> None:
    rng, done, n_runs = random.Random(seed), 0, 0
    alone = tmp_path / "alone"
    alone.mkdir()
    began = time.monotonic()
    assert wait(fork(partial(train, alone, regime), alone)) == 0
    longest = 0.6 * (time.monotonic() - began)
    while done < n_kills:
        n_runs += 1
        folder = tmp_path / f"run-{n_runs}"
        folder.mkdir()
        done += _killed_until_done(folder, regime, rng, longest)
        assert result(folder) == wanted, f"run {n_runs} after {done} kills"
        assert not list(folder.rglob(f"{TEMPORARY}*")), "a killed process left something that nobody removed"


@pytest.mark.parametrize(
    "regime", ["full", *(pytest.param(each, marks=pytest.mark.slow) for each in REGIMES if each != "full")]
)
def test_a_killed_training_ends_bit_for_bit_as_one_that_was_left_alone(
    regime: str, undisturbed: dict[str, Any], in_memory: Path
) -> None:
    _survives(67, regime, undisturbed[regime], in_memory, seed=1)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("regime", REGIMES)
def test_two_thousand_kills(regime: str, undisturbed: dict[str, Any], in_memory: Path) -> None:
    _survives(667, regime, undisturbed[regime], in_memory, seed=2)


def _crash_at(number: int, *, torn: random.Random | None = None) -> None:
    """Make this process kill itself at its `number`-th write, sync, rename or removal of a file.

    Args:
        number: Counted from 0.
        torn: Also cut the file that is being written to a random length, as a power failure may.
    """
    counter = count()

    def crashing(operation: Callable[..., Any], file_of: Callable[..., str | int | None]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if next(counter) == number:
                file = file_of(*arguments)
                if torn is not None and file is not None:
                    size = os.stat(file).st_size  # noqa: PTH116 -- a name or a handle
                    os.truncate(file, torn.randint(0, size))
                os.kill(os.getpid(), signal.SIGKILL)
            return operation(*arguments, **named)

        return call

    def temporary(self: Path, *_: Any) -> str | None:
        return str(self) if TEMPORARY in self.name else None

    os.fsync = crashing(os.fsync, lambda handle: handle if _is_file(handle) else None)
    Path.replace = crashing(Path.replace, temporary)  # type: ignore[method-assign]
    Path.unlink = crashing(Path.unlink, temporary)  # type: ignore[method-assign]
    own_file = records._own_file
    records._own_file = crashing(own_file, lambda path: None)
    records.write_atomic.__globals__["sync_folder"] = crashing(records.sync_folder, lambda folder: None)


def _is_file(handle: int) -> bool:
    return Path(f"/proc/self/fd/{handle}").is_file()


@pytest.mark.parametrize(("is_torn", "apart"), [(False, 1), (True, 3)], ids=["whole", "torn"])
def test_a_crash_at_every_single_operation_on_files_changes_nothing(
    is_torn: bool, apart: int, undisturbed: dict[str, Any], in_memory: Path
) -> None:
    rng = random.Random(3)
    short = partial(train, regime="full", n_train=16, epochs=1)  # two steps: all operations that there are, some twice
    alone = in_memory / "alone"
    alone.mkdir()
    short(alone)
    for number in range(0, 200, apart):
        folder = in_memory / f"run-{number}"
        folder.mkdir()

        def work(folder: Path = folder, number: int = number) -> None:
            _crash_at(number, torn=rng if is_torn else None)
            short(folder)

        code = wait(fork(work, folder))
        if code == 0:
            assert number > 30
            break
        assert code == -signal.SIGKILL, (folder / ERROR).read_text()
        assert wait(fork(partial(short, folder), folder)) == 0, (folder / ERROR).read_text()
        assert result(folder) == result(alone), f"after a crash at operation {number}"
        assert not list((folder / "checkpoints").glob(f"{TEMPORARY}*"))
    else:
        pytest.fail("there were more operations than that")
