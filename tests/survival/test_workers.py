"""`heldout train --workers 2`, stopped or killed from outside, and taken up again."""

import signal
import time
from pathlib import Path

import psutil
import pytest

from make import class_folders
from survival.command_line import numbers_of, signalled_at, start

ARGUMENTS = [
    *("--regime", "scratch", "--backbone", "timm:test_efficientnet", "--batch-size", "8", "--workers", "2"),
    *("--epochs", "8", "--set", "training.precision=float32"),
]


def workers_in(folder: Path) -> list[psutil.Process]:
    """The workers of a run below a folder."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or ()
        if "heldout.training.group_worker" in words and any(str(folder) in word for word in words):
            found.append(process)
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is left alone, beside its pictures."""
    folder = tmp_path_factory.mktemp("alone")
    class_folders(folder / "photos", 12)
    with start("train", folder / "photos", *ARGUMENTS, cwd=folder) as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    return folder


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_a_run_by_two_workers_goes_on_bit_for_bit(number: int, code: int, alone: Path, tmp_path: Path) -> None:
    arguments: tuple[str | Path, ...] = ("train", alone / "photos", *ARGUMENTS)
    found, err = signalled_at("runs/*/history.csv", *arguments, cwd=tmp_path, number=number)
    assert found == code, err
    end = time.monotonic() + 20
    while time.monotonic() < end and workers_in(tmp_path):
        time.sleep(0.1)
    assert workers_in(tmp_path) == []
    run = tmp_path / "runs" / "photos-001"
    assert bool(list(run.glob("checkpoints/0*.json"))) or number == signal.SIGKILL, "it was not saved"
    with start("resume", run, cwd=tmp_path) as process:
        _, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert "not bit-identical" not in err
    assert numbers_of(run) == numbers_of(alone / "runs" / "photos-001")
