"""Ctrl-C at any moment: exit code 130, no traceback, only whole files, and a later run works."""

import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from journeys import forked
from journeys.command_line import COMMAND, content_of, fine, heldout
from make import class_folders

# Python names each module on stderr as its import ends, which says where the command is.
TALKATIVE = (sys.executable, "-X", "importtime", *COMMAND[1:])
IMPORTED = {
    "as the command line itself is imported": "heldout.errors",
    "as the option parser is imported": "typer.core",
    "as numpy is imported": "numpy._core.numeric",
    "as the plan is imported": "heldout.models.regimes",
    "as the stores are imported": "pyarrow.lib",
}


def _interrupted(command: list[str], home: Path, now: Callable[[str], bool]) -> tuple[int, str]:
    """Run a command with SIGINT after the first line of stderr for which `now` is true; its code and other lines."""
    lines = []
    sent = False
    with subprocess.Popen(
        command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if not line.startswith("import time:"):
                lines.append(line)
            if not sent and now(line):
                process.send_signal(signal.SIGINT)
                sent = True
        code = process.wait(timeout=60)
    assert sent, "the moment never came: " + "".join(lines)
    return code, "".join(lines)


def _is_clean(code: int, err: str) -> None:
    assert code == 130, err
    assert "interrupted" in err
    assert "Traceback" not in err
    assert "KeyboardInterrupt" not in err


def _is_whole(folder: Path) -> None:
    """Every file below the folder can be read to its end."""
    assert not [name for name in content_of(folder) if ".heldout-tmp-" in name]
    for path in folder.rglob("*"):
        if path.suffix == ".json":
            json.loads(path.read_bytes())
        elif path.suffix == ".jsonl":
            [json.loads(line) for line in path.read_text().splitlines()]
        elif path.suffix == ".toml":
            tomllib.loads(path.read_text())
        elif path.suffix == ".png":
            with Image.open(path) as image:
                image.load()


@pytest.mark.parametrize("module", IMPORTED.values(), ids=IMPORTED.keys())
def test_at_start_up(module: str, photos: Path, tmp_path: Path) -> None:
    code, err = _interrupted(
        [*TALKATIVE, "train", str(photos)], tmp_path, lambda line: line.rstrip().endswith(f" {module}")
    )
    _is_clean(code, err)
    _is_whole(tmp_path)


def test_in_the_help(tmp_path: Path) -> None:
    code, err = _interrupted(
        [*TALKATIVE, "train", "--help"], tmp_path, lambda line: line.rstrip().endswith(" typer.core")
    )
    _is_clean(code, err)


def test_while_the_pictures_are_looked_at(tmp_path: Path, lite0_ready: Path) -> None:
    # New pictures, so that there is something to decode: more than are done in the time a signal takes.
    data = class_folders(tmp_path / "photos", 30, start=1000)
    home = tmp_path / "home"
    home.mkdir()
    code, err = _interrupted_by_file(["train", str(data)], home, "runs/*/plan.toml")
    _is_clean(code, err)
    _is_whole(home)
    fine(heldout("train", data, "--json", cwd=home))


@pytest.mark.parametrize(
    "file", ["split.parquet", "model/weights.safetensors", "openings.jsonl", "scores.json", "thumbnails.parquet"]
)
def test_while_it_is_written(file: str, photos: Path, tmp_path: Path, trained: object) -> None:
    code, err = _interrupted_by_file(["train", str(photos)], tmp_path, f"runs/*/{file}")
    _is_clean(code, err)
    _is_whole(tmp_path)
    assert len(list((tmp_path / "runs").glob("*/plan.toml"))) == 1


def test_a_run_beside_an_interrupted_one_works(photos: Path, tmp_path: Path, trained: object) -> None:
    _interrupted_by_file(["train", str(photos)], tmp_path, "runs/*/model/weights.safetensors")
    content = fine(heldout("train", photos, "--json", cwd=tmp_path)).json()
    assert content["run"] == "runs/photos-002"


def _interrupted_by_file(arguments: list[str], home: Path, pattern: str) -> tuple[int, str]:
    """Run a command and send SIGINT as soon as a file is there."""
    with forked.start(arguments, cwd=home, environment=os.environ) as process:
        while process.poll() is None and not list(home.glob(pattern)):
            pass
        assert process.poll() is None, f"ended before {pattern} was there"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    return process.wait(0), err
