import pickle
import resource
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from heldout.errors import Diverged, StorageError
from heldout.manifest import CHECKPOINTS
from heldout.training import checkpoints
from heldout.training.group_worker import EXIT_PEER_LOST, take_part, train_by
from heldout.training.launching import ANSWER, PROGRESS, Answer, Order, threads_each
from heldout.training.parallel import Group
from training import tiny_runs
from training.groups import together


def worker(rank: int) -> psutil.Process | None:
    """The worker of that rank which this process began; None where there is none."""
    for child in psutil.Process().children(recursive=True):
        try:
            if "heldout.training.group_worker" in child.cmdline() and child.environ().get("RANK") == str(rank):
                return child
        except psutil.Error:
            continue
    return None


def kill_once(rank: int, is_time: Callable[[], bool], killed: list[int]) -> None:
    """Wait until it is time, then end a worker as the system would."""
    end = time.monotonic() + 120
    while time.monotonic() < end and not is_time():
        time.sleep(0.002)
    if process := worker(rank):
        killed.append(process.pid)
        process.send_signal(signal.SIGKILL)


def change(order: Path, **settings: object) -> None:
    """Give an order other settings."""
    before: Order = pickle.loads(order.read_bytes())
    assert before.job.settings is not None
    job = replace(before.job, settings=replace(before.job.settings, **settings))  # type: ignore[arg-type]
    order.write_bytes(pickle.dumps(replace(before, job=job)))


def has_ended_an_epoch(place: Path) -> bool:
    return (place / PROGRESS).exists() and '"epoch"' in (place / PROGRESS).read_text()


def has_saved(place: Path) -> bool:
    return bool(list(place.glob("*.json")))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("epochs", "is_time"),
    [
        (4, has_ended_an_epoch),
        (24, has_saved),  # so many that it saves before the last
    ],
)
def test_a_worker_that_is_killed_changes_no_bit_of_the_result(
    epochs: int, is_time: Callable[[Path], bool], tmp_path: Path
) -> None:
    materials, parts = tiny_runs.prepared(tmp_path / "photos", tmp_path / "cache", 4)
    run, watcher, killed = tmp_path / "run", tiny_runs.Listening(), list[int]()
    hand = threading.Thread(target=kill_once, args=(1, lambda: is_time(run / CHECKPOINTS), killed))
    hand.start()
    fitted = tiny_runs.fitted(materials, parts, run, watcher=watcher, epochs=epochs)
    hand.join()
    assert len(killed) == 1, "the training was over before it could be disturbed"
    assert worker(0) is None
    order = tiny_runs.order_of(run, tmp_path / "undisturbed")
    together(2, lambda group: train_by(pickle.loads(order.read_bytes()), group), tmp_path)
    assert tiny_runs.final_weights(run) == tiny_runs.final_weights(tmp_path / "undisturbed")
    assert [one.epoch for one in fitted.history] == list(range(1, epochs + 1))
    assert {one.epoch for one in watcher.epochs} == set(range(1, epochs + 1))
    assert fitted.elsewhere == ()
    check_errors_end_all(run, tmp_path)


def check_errors_end_all(run: Path, folder: Path) -> None:
    """What ends the whole group is written down by who has it, and nobody asks to begin again."""
    diverging = tiny_runs.order_of(run, folder / "diverging")
    change(diverging, learning_rate=100.0, weight_decay=10.0, warmup_share=0.0, epochs=20)
    assert together(2, lambda group: take_part(diverging, group.rank, group.world), folder) == [0, 0]
    answer: Answer = pickle.loads((diverging.parent / ANSWER).read_bytes())
    assert isinstance(answer.error, Diverged)
    full = tiny_runs.order_of(run, folder / "full")

    def on_a_full_disk(group: Group) -> int:
        checkpoints.EVERY_SECONDS, checkpoints.SHARE = 0.0, 1e9  # after every step, in this process alone
        if group.rank == 0:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))
        return take_part(full, group.rank, group.world)

    assert together(2, on_a_full_disk, folder) == [0, 0]
    answer = pickle.loads((full.parent / ANSWER).read_bytes())
    assert isinstance(answer.error, StorageError)
    # Where nobody had an error, who lost the other asks to begin again.
    lost = tiny_runs.order_of(run, folder / "lost")
    assert together(2, lambda group: 9 if group.rank else take_part(lost, 0, 2), folder) == [EXIT_PEER_LOST, 9]


def test_each_worker_has_its_share_of_the_cores_or_what_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert [threads_each(2, 8), threads_each(3, 8), threads_each(9, 8)] == [4, 2, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads_each(2, 8) == 3
