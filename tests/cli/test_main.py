"""The entry point, called in this process."""

import json
import os
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path

import pytest

from heldout.cli.main import COMMANDS, main, run, say_error
from heldout.cli.showing import finding_lines, print_json, print_lines, score_line
from heldout.errors import StorageError
from journeys.command_line import COMMAND


def _code(arguments: list[str]) -> int:
    with pytest.raises(SystemExit, match=r"^\d+$") as end:
        main(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"], ["help"]])
def test_the_list_of_commands_names_each_with_its_words(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _code(arguments) == 0
    out = capsys.readouterr().out
    for name, words in COMMANDS.items():
        assert f"  heldout {name}" in out
        assert words in out
    assert "exit codes:" in out


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"heldout {metadata.version('heldout')}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_a_file_and_tells_its_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert import_module(f"heldout.cli.{name}").app is not None
    assert run([name, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"heldout {name}" in out
    assert "--json" in out


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert _code(["evalute"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "there is no command 'evalute'; did you mean \"evaluate\"?" in captured.err
    assert "\n  expected: one of demo, check, train" in captured.err
    assert "\n  fix: heldout --help" in captured.err


@pytest.mark.parametrize("arguments", [["train"], ["report"], ["evaluate", "run"], ["train", "a", "b"]])
def test_arguments_that_are_missing_or_too_many_are_usage_errors(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _code(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: heldout {arguments[0]}: ")
    assert f"  fix: heldout {arguments[0]} --help" in err


def test_an_error_has_the_exit_code_of_its_kind(capsys: pytest.CaptureFixture[str]) -> None:
    error = StorageError("the disk is full", expected="room", fix="make some")
    assert say_error(error, as_json=True) == 74
    captured = capsys.readouterr()
    assert captured.err == "error: the disk is full\n  expected: room\n  fix: make some\n"
    told = {"what": "the disk is full", "expected": "room", "fix": "make some", "exit_code": 74}
    assert json.loads(captured.out) == {"error": told}


def test_a_reader_that_goes_away_is_no_error_of_ours() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*COMMAND, "--help"], stdout=write, stderr=subprocess.PIPE, timeout=60, check=False)
    os.close(write)
    assert done.returncode == 1
    assert done.stderr == b""


def test_control_characters_of_names_do_nothing_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    print_lines(["a\x1b[31mred\nnew \udcff"])
    assert capsys.readouterr().out == "a\\x1b[31mred\\nnew \\udcff\n"


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_json_is_whole_whatever_the_terminal_can_show(encoding: str, tmp_path: Path) -> None:
    code = "from heldout.cli.showing import print_json; print_json({'name': 'caf\\xe9 \\u65e5 \\udcff'})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
    )
    assert json.loads(done.stdout.decode(encoding)) == {"name": "café 日 \udcff"}


def test_numbers_that_are_none_are_no_json() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        print_json({"value": float("nan")})


def test_a_score_for_a_person_has_its_interval_and_n() -> None:
    score = {"name": "accuracy", "value": 0.875, "low": 0.5291, "high": 0.9776, "n": 1234}
    assert score_line("test", score) == "test 87.5 %  95 % interval [52.9 %, 97.8 %]  n = 1,234"
    loss = {"name": "brier", "value": 0.25, "low": None, "high": None, "n": 1}
    assert score_line("loss", loss) == "loss 0.250  95 % interval [-, -]  n = 1"


def test_a_finding_names_at_most_four_places() -> None:
    finding = {"severity": "warning", "what": "w", "why": "y", "fix": "f", "where": list("abcde")}
    assert finding_lines([finding])[-1] == "  where: a, b, c, d ..."
    assert not any("where" in line for line in finding_lines([finding | {"severity": "note"}]))
