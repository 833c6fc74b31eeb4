"""A sweep whose driver and workers are killed ends with the ledger of one that was left alone."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from heldout.sweeping.ledger import LEDGER, read_ledger
from journeys.command_line import COMMAND, fine, heldout
from journeys.conftest import lite0_ready, photos

__all__ = ["lite0_ready", "photos"]
FOLDER = Path("runs/photos-sweep-001")
# Long enough, trial by trial, to be killed within.
FLAGS = ("--regimes", "frozen", "--learning-rates", "0.01,0.03,0.1", "--seeds", "2", "--epochs", "40", "--workers", "2")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, photos: Path, lite0_ready: Path) -> Path:
    """A sweep that was left alone; no test changes it."""
    home = tmp_path_factory.mktemp("sweep")
    os.environ["HELDOUT_CACHE"] = str(lite0_ready)
    fine(heldout("sweep", photos, *FLAGS, cwd=home))
    return home / FOLDER


def contents(folder: Path) -> dict[str, dict[str, Any]]:
    return {one.key: one.content() for one in read_ledger(folder / LEDGER)}


def started(photos: Path, home: Path) -> "subprocess.Popen[bytes]":
    command = [*COMMAND, "sweep", str(photos), *FLAGS]
    return subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def workers_of(driver: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            command, status = (entry / "cmdline").read_bytes(), (entry / "stat").read_text()
        except OSError:
            continue
        if b"heldout.sweeping.worker" in command and int(status.rpartition(")")[2].split()[1]) == driver:
            yield int(entry.name)


def until_lines(driver: "subprocess.Popen[bytes]", home: Path, n: int) -> None:
    deadline = time.monotonic() + 200
    while driver.poll() is None and len(read_ledger(home / FOLDER / LEDGER)) < n:
        assert time.monotonic() < deadline, f"the ledger did not come to {n} lines"
        time.sleep(0.01)


@pytest.mark.parametrize("moments", [(1,), (0, 1, 3)], ids=len)
@pytest.mark.slow
def test_killing_driver_and_workers_changes_nothing_but_the_time(
    moments: tuple[int, ...], photos: Path, undisturbed: Path, tmp_path: Path
) -> None:
    for n_lines in moments:
        driver = started(photos, tmp_path)
        until_lines(driver, tmp_path, n_lines)
        while not (workers := list(workers_of(driver.pid))) and driver.poll() is None:
            time.sleep(0.01)
        driver.kill()
        assert driver.wait() == -signal.SIGKILL
        assert n_lines <= len(read_ledger(tmp_path / FOLDER / LEDGER)) < 6
        _have_ended(workers)
    driver = started(photos, tmp_path)
    while not (workers := list(workers_of(driver.pid))):
        assert driver.poll() is None, "it had nothing left to do"
        time.sleep(0.01)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    assert driver.wait(timeout=200) == 0
    assert contents(tmp_path / FOLDER) == contents(undisturbed)
    assert len((tmp_path / FOLDER / LEDGER).read_text().splitlines()) == 6, "no trial was written down twice"
    folders = [sorted(path.name for path in home.iterdir()) for home in (tmp_path / "runs", undisturbed.parent)]
    assert folders[0] == folders[1]
    winner = tmp_path / "runs" / "photos-sweep-001-winner-001"
    assert len((winner / "openings.jsonl").read_text().splitlines()) == 1


def _have_ended(workers: list[int]) -> None:
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived its driver"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_winner_is_taken_up_and_its_look_counts_once(photos: Path, undisturbed: Path, tmp_path: Path) -> None:
    driver = started(photos, tmp_path)
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("runs/*-winner-001/openings.jsonl")):
        assert driver.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.005)
    driver.kill()
    driver.wait()
    outcome = fine(heldout("sweep", photos, *FLAGS, "--json", cwd=tmp_path))
    printed = outcome.json()
    assert printed["winner"]["test_openings"] == 1
    assert [path.name for path in sorted((tmp_path / "runs").iterdir())] == [
        path.name for path in sorted(undisturbed.parent.iterdir())
    ]
    assert contents(tmp_path / FOLDER) == contents(undisturbed)
