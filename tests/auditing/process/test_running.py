"""Limits, signals and ends of a watched script, by the command line."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from heldout.auditing.process.running import Limits, run_watched
from heldout.auditing.process.targets import find_target
from heldout.errors import StorageError

FOR_EVER = """import time
print("begun", flush=True)
try:
    while True: time.sleep(0.05)
finally:
    print("tidy")
"""
SAVES = """import sys, time
print("begun", flush=True)
try:
    while True: time.sleep(0.05)
except KeyboardInterrupt:
    sys.exit("saved")
"""
DEAF = """import time
print("begun", flush=True)
while True:
    try: time.sleep(0.05)
    except BaseException as error: print(type(error).__name__, flush=True)
"""


def _signalled(text: str, signals: Sequence[int], folder: Path) -> tuple[int, str]:
    """The exit code of `heldout audit` and what came out, when these signals were sent to it, and to no other."""
    (folder / "script.py").write_text(text)
    process = subprocess.Popen(
        [sys.executable, "-m", "heldout.cli.main", "audit", "script.py"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    for number, each in enumerate(signals):
        time.sleep(0.3 if number else 0.05)
        process.send_signal(each)
    out, _ = process.communicate(timeout=60)
    return process.returncode, out


def test_ctrl_c_ends_the_script_and_what_was_seen_is_told(tmp_path: Path) -> None:
    code, out = _signalled(FOR_EVER, [signal.SIGINT], tmp_path)
    assert code == 130
    assert out.startswith("tidy\nTraceback")
    assert "KeyboardInterrupt\n\nheldout audit of script.py" in out
    assert "The script was interrupted" in out
    assert "resume" not in out


def test_a_script_that_handles_ctrl_c_keeps_its_exit_code(tmp_path: Path) -> None:
    code, out = _signalled(SAVES, [signal.SIGINT], tmp_path)
    assert code == 1
    assert out.startswith("saved\n")


def test_sigterm_is_handed_on(tmp_path: Path) -> None:
    code, out = _signalled(FOR_EVER, [signal.SIGTERM], tmp_path)
    assert code == 143
    assert "killed by SIGTERM" in out


@pytest.mark.slow
def test_the_third_ctrl_c_kills_a_script_that_hears_none(tmp_path: Path) -> None:
    code, out = _signalled(DEAF, [signal.SIGINT] * 3, tmp_path)
    assert code == 137
    assert out.startswith("KeyboardInterrupt\nKeyboardInterrupt\n")
    assert "killed by SIGKILL" in out


def test_a_script_is_stopped_when_its_time_is_up(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "script.py").write_text(FOR_EVER)
    log, code = run_watched(find_target(tmp_path / "script.py"), [], Limits(seconds=0.2))
    assert (log.outcome, code) == ("stopped after 0.2 s", 0)
    assert capfd.readouterr() == ("begun\ntidy\n", "")


def test_a_script_that_hangs_where_python_cannot_stop_it_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heldout.auditing.process.running._SECONDS_TO_STOP", 0.3)
    (tmp_path / "script.py").write_text("sum(range(10**15))\n")
    log, code = run_watched(find_target(tmp_path / "script.py"), [], Limits(seconds=0.3))
    assert (log.outcome, code) == ("stopped after 0.3 s", 0)


def test_a_script_that_puts_another_in_its_place_is_said_to_have_left_no_log(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import os, sys\nos.execv(sys.executable, [sys.executable, '-c', 'pass'])\n")
    log, code = run_watched(find_target(tmp_path / "script.py"), [], Limits())
    assert (log.outcome, code) == ("finished", 0)
    assert log.faults[0].startswith("the script left no log")


@pytest.mark.slow
def test_a_script_that_swallows_the_stop_is_ended(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "script.py").write_text(DEAF)
    log, code = run_watched(find_target(tmp_path / "script.py"), [], Limits(seconds=0.2))
    assert (log.outcome, code) == ("stopped after 0.2 s", 0)
    assert capfd.readouterr() == ("begun\nStopped\n", "")


@pytest.mark.slow
def test_training_is_stopped_after_so_many_steps_even_if_that_is_swallowed(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("""import torch
model = torch.nn.Linear(2, 2)
optimiser = torch.optim.SGD(model.parameters(), 0.1)
while True:
    try:
        optimiser.zero_grad()
        model(torch.ones(3, 2)).sum().backward()
        optimiser.step()
    except BaseException: pass
""")
    log, code = run_watched(find_target(tmp_path / "script.py"), [], Limits(steps=5))
    assert (log.outcome, code) == ("stopped after 5 steps", 0)
    assert log.optimisers[0].n_steps >= 5


@pytest.mark.slow
def test_a_script_that_is_killed_leaves_what_was_seen_up_to_then(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("""import os, signal, time, torch
model = torch.nn.Linear(2, 2)
optimiser = torch.optim.SGD(model.parameters(), 0.1)
for _ in range(6):
    optimiser.zero_grad()
    model(torch.rand(3, 2)).sum().backward()
    optimiser.step()
    time.sleep(1)
os.kill(os.getpid(), signal.SIGKILL)
""")
    log, code = run_watched(find_target(tmp_path / "script.py"), [], Limits())
    assert (log.outcome, code) == ("killed by SIGKILL", 137)
    assert log.optimisers[0].n_steps >= 3
    assert log.samples[0].n_given >= 9


def test_what_the_caller_left_open_is_open_for_the_script(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    read, write = os.pipe()
    os.set_inheritable(read, True)  # as `<(command)` of a shell is
    os.write(write, b"handed over")
    os.close(write)
    (tmp_path / "script.py").write_text("import sys\nprint(open(int(sys.argv[1])).read())\n")
    try:
        _, code = run_watched(find_target(tmp_path / "script.py"), [str(read)], Limits())
    finally:
        os.close(read)
    assert (code, capfd.readouterr().out) == (0, "handed over\n")


def test_without_a_place_for_temporary_files_it_is_said_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "script.py").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    with pytest.raises(StorageError, match=r"no temporary file can be written.*\n.*\n.*TMPDIR="):
        run_watched(find_target(tmp_path / "script.py"), [], Limits())
