"""What cannot be audited is refused, with the place and what to do, before anything is run."""

import json
from pathlib import Path

import pytest

from heldout.auditing.process.targets import MOST_BYTES, find_target
from heldout.errors import UsageError


def _refused(name: str | Path, *, module: bool = False) -> str:
    with pytest.raises(UsageError) as refused:
        find_target(name, module=module)
    return str(refused.value)


def test_a_script_is_found_with_its_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("train.py").write_text("x = 1\ny = '\\d'\n")
    target = find_target("train.py")
    assert (target.kind, target.name, target.file) == ("script", "train.py", Path("train.py"))
    assert target.lines == {str(tmp_path / "train.py"): ("x = 1", "y = '\\d'")}


def test_a_missing_script_is_told_with_its_like(tmp_path: Path) -> None:
    (tmp_path / "train.py").touch()
    assert 'did you mean "train.py"?' in _refused(tmp_path / "tran.py")
    assert "there is no file" in _refused(tmp_path / "no folder" / "train.py")


def test_a_folder_is_told_with_the_script_in_it(tmp_path: Path) -> None:
    assert _refused(tmp_path).startswith(f"{tmp_path} is a folder")
    (tmp_path / "run.py").touch()
    assert f"heldout audit {tmp_path / 'run.py'}" in _refused(tmp_path)
    (tmp_path / "train.py").touch()
    assert f"heldout audit {tmp_path / 'train.py'}" in _refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x = 1\n  y = 2\n", "line 2\n    y = 2\nIndentationError: unexpected indent"),
        (b"Dear reader,\nthis is text.\n", "SyntaxError: invalid syntax"),
        (b"\x7fELF\x00\x01", "cannot contain null bytes"),
        (b"print('\xff')\n", "SyntaxError: (unicode error) 'utf-8' codec can't decode"),
        (b"(" * 500 + b")" * 500, "too many nested parentheses"),
        (b"x = \x1b[31m1\n", "SyntaxError: invalid non-printable character"),
        (b"await x\n", "'await' outside function"),
    ],
)
def test_what_is_no_python_is_told_as_python_tells_it(content: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_bytes(content)
    told = _refused(tmp_path / "train.py")
    assert words in told
    assert "\x1b" not in told
    assert "fix: mend " in told


def test_what_is_no_file_or_no_script_of_a_person_is_refused(tmp_path: Path) -> None:
    assert "is no ordinary file" in _refused("/dev/null")
    with (tmp_path / "large.py").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert f"has {MOST_BYTES + 1:,} bytes" in _refused(tmp_path / "large.py")


def test_a_notebook_is_found_with_the_lines_of_its_cells(tmp_path: Path) -> None:
    cells = [{"cell_type": "markdown", "source": "# Hi"}, {"cell_type": "code", "source": ["%pip list\n", "await x"]}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    target = find_target(tmp_path / "a.ipynb")
    assert (target.kind, target.lines) == ("notebook", {"<cell 2>": ("pass", "await x")})


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no notebook", "is no notebook that can be read: Expecting value"),
        ("[1]", "it holds no notebook"),
        ("{}", "it has no cells"),
        ('{"cells": [1]}', "it has no cells"),
        ('{"cells": [{"cell_type": "code", "source": ["x = (1\\n"]}]}', 'File "<cell 1>", line 1'),
        ('{"cells": [{"cell_type": "code", "source": ["x = (1\\n"]}]}', "mend line 1 of cell 1 of "),
    ],
)
def test_a_notebook_that_cannot_be_run_is_told(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(content)
    assert words in _refused(tmp_path / "a.ipynb")


def test_modules_are_found_without_importing_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pack", "sub").mkdir(parents=True)
    for name in ("pack/__init__.py", "pack/train.py", "pack/sub/__init__.py", "pack/sub/__main__.py", "alone.py"):
        Path(name).write_text("raise SystemExit('imported')\n")
    assert find_target("alone", module=True).file == tmp_path / "alone.py"
    assert find_target("pack.train", module=True).file == tmp_path / "pack" / "train.py"
    assert find_target("pack.sub", module=True).file == tmp_path / "pack" / "sub" / "__main__.py"
    assert find_target("json.tool", module=True).kind == "module"
    assert "there is no module pack that can be run" in _refused("pack", module=True)
    assert 'did you mean "alone"?' in _refused("alon", module=True)
    assert "there is no module pack.no" in _refused("pack.no", module=True)
    assert "fix: heldout audit alone.py" in _refused("alone.py", module=True)
