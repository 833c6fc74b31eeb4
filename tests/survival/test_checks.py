"""`heldout check` and `heldout demo`, killed: the next one works, and nothing of the killed one stays behind."""

import os
import signal
from pathlib import Path

import pytest

from heldout.verbs.digits import write_digits
from journeys.command_line import heldout
from make import class_folders
from survival.command_line import signalled_at
from survival.forks import fork, wait_at_most

FILES = ["check.html", "check.json", "samples.png"]


def _all_names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("moment", "number"), [("checks/*/.lock", signal.SIGKILL), ("checks/*/samples.png", signal.SIGTERM)]
)
def test_the_next_check_finds_no_trace_of_a_killed_one(moment: str, number: int, tmp_path: Path) -> None:
    photos = class_folders(tmp_path / "photos", 8)
    code, err = signalled_at(moment, "check", photos, cwd=tmp_path, number=number)
    assert code == (-number if number == signal.SIGKILL else 143), err
    left = _all_names(tmp_path / "checks")
    assert left if number == signal.SIGKILL else not left
    assert heldout("check", photos, cwd=tmp_path).code in (0, 1)
    assert _all_names(tmp_path / "checks") == [f"photos-001/{name}" for name in FILES]


def test_digits_that_were_being_written_when_a_demo_was_killed_are_completed(tmp_path: Path) -> None:
    child = fork(lambda: _write(tmp_path), tmp_path)
    while not (tmp_path / "digits" / "3" / "0003.png").exists():
        assert wait_at_most(child, 0.01) is None
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    stray = tmp_path / "digits" / "0" / ".heldout-tmp-0000.png-0123"
    stray.write_bytes(b"half")
    _write(tmp_path)
    assert len(_all_names(tmp_path / "digits")) == 1797
    assert not stray.exists()


def _write(home: Path) -> None:
    write_digits(home / "digits")
