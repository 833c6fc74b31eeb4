"""Every exit code: the real command line, its code, and the first line that it says on standard error."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from heldout.cli.main import broken
from heldout.locking import locked
from heldout.manifest import write_manifest
from journeys.command_line import heldout

BROKEN = "from heldout.cli import doctor, main; doctor.app = None; main.main(['doctor'])"


def _first_line(err: str) -> str:
    return next(line for line in err.splitlines() if line.strip())


def _run(folder: Path) -> Path:
    folder.mkdir()
    (folder / "plan.toml").write_text('[data]\npath = "photos"\n')
    (folder / "scores.json").write_text("{}")
    return folder


def test_fine(tmp_path: Path) -> None:
    assert heldout("--version", cwd=tmp_path).code == 0


def test_2_usage_or_bad_input(tmp_path: Path) -> None:
    outcome = heldout("resume", "nothing", cwd=tmp_path)
    assert outcome.code == 2
    assert _first_line(outcome.err) == "error: nothing is no run: plan.toml is absent"


def test_70_a_fault_of_ours(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 70
    assert _first_line(done.stderr) == "error: a fault of heldout itself: TypeError: 'NoneType' object is not callable"


def test_71_memory(capsys: pytest.CaptureFixture[str]) -> None:
    assert broken(MemoryError()) == 71
    assert _first_line(capsys.readouterr().err) == "error: there is not enough memory"


def test_74_the_disk(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    write_manifest(run)
    (run / ".lock").mkdir()
    outcome = heldout("resume", run, cwd=tmp_path)
    assert outcome.code == 74
    assert _first_line(outcome.err) == f"error: cannot lock {run / '.lock'}: Is a directory"


def test_75_in_use(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    with locked(run):
        outcome = heldout("resume", run, cwd=tmp_path)
    assert outcome.code == 75
    assert _first_line(outcome.err) == f"error: {run} is in use by process {os.getpid()} on {os.uname().nodename}"


@pytest.mark.parametrize("command", [["resume"], ["report"], ["predict"], ["evaluate"]])
def test_76_a_damaged_run(command: list[str], tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    write_manifest(run)
    (run / "plan.toml").write_text('[data]\npath = "phones"\n')
    outcome = heldout(*command, run, *([tmp_path] if command[0] in {"predict", "evaluate"} else []), cwd=tmp_path)
    assert outcome.code == 76
    words = f"error: {run / 'plan.toml'} is not the file that was written: its SHA-256 differs"
    assert _first_line(outcome.err) == words


def test_every_code_is_in_the_help_and_in_the_readme(tmp_path: Path) -> None:
    printed = heldout("--help", cwd=tmp_path).out
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    for code in (0, 1, 2, 70, 71, 74, 75, 76, 130, 143):
        assert f" {code} " in printed
        assert f"| {code} |" in readme


def test_training_that_has_not_the_memory_says_which_batch_to_try(tmp_path: Path) -> None:
    script = """
import resource, sys
from training.small import small_parts, small_task
from heldout.training.by_batches import _memory_told
import torch
torch.ones(1)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 200 * 2**20, -1))
try:
    with _memory_told(32):
        torch.ones(2**30)
except MemoryError as error:
    print(error.exit_code, error.what, error.fix)
"""
    tests = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), os.environ.get("PYTHONPATH", "")])},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "71 there is not enough memory to train with batches of 32 heldout train with --batch-size 16" in (
        done.stdout
    ), done.stderr
