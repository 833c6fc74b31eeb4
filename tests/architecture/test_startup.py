"""What starts fast stays fast: nothing large is imported before it is needed, and much never needs torch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from heldout.cli.main import COMMANDS
from journeys.command_line import Outcome
from make import class_folders

LARGE = {"torch", "scipy", "sklearn", "matplotlib", "numpy", "openvino", "pyarrow", "PIL", "pydantic", "jinja2"}
# Runs the command line, then says on the last line of stderr which modules it left behind.
THEN_TELL = """
import json, sys
code = 0
try:
    {statement}
except SystemExit as end:
    code = end.code or 0
print(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})), file=sys.stderr)
sys.exit(code)
"""
# With None in its place, `import torch` raises ModuleNotFoundError.
WITHOUT_TORCH = 'import sys; sys.modules["torch"] = None; from heldout.cli.main import main; main(sys.argv[1:])'


def _python(code: str, *arguments: str | Path, cwd: Path) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=cwd,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def _modules_after(statement: str, cwd: Path) -> tuple[Outcome, set[str]]:
    outcome = _python(THEN_TELL.format(statement=statement), cwd=cwd)
    return outcome, set(json.loads(outcome.err.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join
)
def test_help_imports_nothing_large(arguments: list[str], tmp_path: Path) -> None:
    outcome, modules = _modules_after(f"from heldout.cli.main import main; main({arguments!r})", tmp_path)
    assert outcome.code == 0, outcome.err
    assert outcome.out.strip()
    assert modules & LARGE == set()


def test_importing_the_library_imports_nothing_large(tmp_path: Path) -> None:
    _, modules = _modules_after("import heldout", tmp_path)
    assert "heldout" in modules
    assert modules & (LARGE | {"typer", "rich", "click"}) == set()


def test_the_library_does_not_bring_the_command_line(tmp_path: Path) -> None:
    _, modules = _modules_after("from heldout import train, check, predict, evaluate, report", tmp_path)
    assert "numpy" in modules
    assert modules & {"torch", "sklearn", "matplotlib", "typer", "rich"} == set()


def test_a_frozen_run_and_its_use_need_no_torch(tmp_path: Path, lite0_ready: Path) -> None:
    photos = class_folders(tmp_path / "photos", 8, start=500)
    trained = _python(WITHOUT_TORCH, "train", "photos", "--json", cwd=tmp_path)
    assert trained.code == 0, trained.err
    run = json.loads(trained.out)["run"]
    predicted = _python(WITHOUT_TORCH, "predict", run, photos, "--json", cwd=tmp_path)
    assert predicted.code == 0, predicted.err
    new = class_folders(tmp_path / "new", 4, start=600)
    evaluated = _python(WITHOUT_TORCH, "evaluate", run, new, "--json", cwd=tmp_path)
    assert evaluated.code == 0, evaluated.err
    checked = _python(WITHOUT_TORCH, "check", new, cwd=tmp_path)
    assert checked.code == 0, checked.err


def test_a_table_is_trained_on_and_reported_without_what_takes_long_to_import(tmp_path: Path) -> None:
    points = np.random.default_rng(0).normal(size=(200, 2))
    labels = (points.sum(axis=1) > 0).astype(int)
    lines = [f"{x:.6f} {y:.6f} {label}" for (x, y), label in zip(points, labels, strict=True)]
    (tmp_path / "points.txt").write_text("\n".join(lines))
    arguments = ["train", "points.txt", "--target", "last"]
    outcome, modules = _modules_after(f"from heldout.cli.main import main; main({arguments!r})", tmp_path)
    assert outcome.code == 0, outcome.err
    assert {"pyarrow", "jinja2"} <= modules  # it was read, and there is a page
    # pyarrow imports pandas, where that is installed, as soon as it is given a list or a numpy array.
    assert modules & {"pandas", "torch", "scipy", "sklearn", "matplotlib", "openvino"} == set()


def test_torch_is_gone_indeed_where_these_tests_say_so(tmp_path: Path) -> None:
    outcome = _python(WITHOUT_TORCH.replace("main(sys.argv[1:])", "import torch"), cwd=tmp_path)
    assert "ModuleNotFoundError" in outcome.err
