"""How programs of the user's are run; what is told of their failures stands in `test_models_of_users.py` too."""

import sys
from pathlib import Path

import pytest
import torch

from heldout.errors import UsageError
from heldout.explaining.users_programs import made_by, program_of, users_code


def test_a_program_finds_what_lies_beside_it_and_speaks_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "lying_beside.py").write_text("WORD = 'said'\n")
    (tmp_path / "speaks.py").write_text("from lying_beside import WORD\nprint(WORD)\n")
    path_before = list(sys.path)
    assert program_of(str(tmp_path / "speaks.py")).WORD == "said"
    assert sys.path == path_before
    assert capsys.readouterr() == ("", "said\n")


def test_want_of_memory_is_no_fault_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "large.py").write_text("raise MemoryError\n")
    with pytest.raises(MemoryError):
        program_of(str(tmp_path / "large.py"))


def test_a_failure_deeper_down_is_told_with_the_line_of_the_program(tmp_path: Path) -> None:
    (tmp_path / "reads.py").write_text("import json\n\ndef net():\n    return json.loads('{')\n")
    place = str(tmp_path / "reads.py")
    with pytest.raises(UsageError, match=r"reads\.py fails in line 4: JSONDecodeError: "):
        made_by(program_of(place).net, "net", place)


def test_what_comes_from_a_running_program_fails_there(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        made_by(lambda: 1 / 0, "net", "")


def test_random_numbers_are_nobody_elses() -> None:
    before = torch.get_rng_state()
    with users_code(""):
        torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
