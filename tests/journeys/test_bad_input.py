"""Every kind of bad input, through the real command line: three lines, an exit code, and nothing touched or left."""

import ctypes
import os
import resource
import signal
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from journeys.command_line import content_of, fine, heldout, is_told
from make import broken, class_folders, picture


def _photos(data: Path) -> None:
    class_folders(data, 4)


def _empty(data: Path) -> None:
    data.mkdir()


def _absent(data: Path) -> None:
    assert not data.exists()


def _one_class(data: Path) -> None:
    class_folders(data, 4, kinds=("blobs",))


def _all_broken(data: Path) -> None:
    for kind in ("blobs", "meadow"):
        for number in range(5):
            broken(data / kind / f"{number}.jpg")


def _one_broken(data: Path) -> None:
    broken(class_folders(data, 4) / "blobs" / "bad one.jpg")


def _fifo(data: Path) -> None:
    os.mkfifo(data)


def _flat(data: Path) -> None:
    picture(data / "a.jpg", "blobs", 1)


def _text(data: Path) -> None:
    data.write_text("these are no labels\n")


def _weights(data: Path) -> None:
    class_folders(data, 4)
    save_file({"layer.weight": np.zeros((2, 3), np.float32)}, data.parent / "other.safetensors")
    (data.parent / "text.pth").write_text("no weights")


@dataclass(frozen=True, slots=True)
class Case:
    """What is wrong, and which words the error has."""

    name: str
    make: Callable[[Path], None]
    flags: Sequence[str]
    says: Sequence[str]


CASES = [
    Case("an empty folder", _empty, [], ["empty"]),
    Case("a folder that is not there", _absent, [], ["photos"]),
    Case("one class only", _one_class, [], ["class"]),
    Case("no picture is readable", _all_broken, [], ["10 of 10", "0.jpg"]),
    Case("no picture is readable and all are skipped", _all_broken, ["--skip-bad"], []),
    Case("one picture is not readable", _one_broken, [], ["1 of 13", "bad one.jpg", "--skip-bad"]),
    Case("a FIFO", _fifo, [], ["photos"]),
    Case("pictures without class folders", _flat, [], ["class"]),
    Case("a text that is no listing", _text, [], ["photos"]),
    Case("a flag that is unknown", _photos, ["--regmie", "full"], ["--regmie"]),
    Case("a regime misspelt", _photos, ["--regime", "frosen"], ['did you mean "frozen"?']),
    Case("a backbone misspelt", _photos, ["--backbone", "resnet8"], ['did you mean "resnet18"?']),
    Case("a setting misspelt", _photos, ["--set", "training.learing_rate=1"], ['"training.learning_rate"?']),
    Case("a setting that is no assignment", _photos, ["--set", "seed"], ["NAME=VALUE"]),
    Case("a precision misspelt", _photos, ["--regime", "full", "--set", "training.precision=float23"], ["float32"]),
    Case("a device misspelt", _photos, ["--set", "device=cpuu"], ['did you mean "cpu"?']),
    Case("a learning rate of nan", _photos, ["--regime", "full", "--learning-rate", "nan"], ["learning_rate is nan"]),
    Case("a negative learning rate", _photos, ["--regime", "full", "--learning-rate", "-1"], ["learning_rate is -1"]),
    Case("a learning rate of zero", _photos, ["--regime", "full", "--learning-rate", "0"], ["learning_rate is 0"]),
    Case("a learning rate of letters", _photos, ["--regime", "full", "--learning-rate", "abc"], ["abc"]),
    Case("a learning rate to be found, misspelt", _photos, ["--learning-rate", "fnd"], ['did you mean "find"?']),
    Case("augmentation of kept features", _photos, ["--set", "training.augment=light"], ["frozen", "--regime full"]),
    Case("epochs without end", _photos, ["--regime", "full", "--epochs", "1000000000"], ["1000000000", "100,000"]),
    Case("a seed of letters", _photos, ["--seed", "abc"], ["abc"]),
    Case("a share of nan", _photos, ["--set", "data.test_share=nan"], ["test_share"]),
    Case("weights that are not there", _weights, ["--weights", "absent.pth"], ["absent.pth"]),
    Case("weights of another model", _weights, ["--weights", "other.safetensors"], ["layer.weight"]),
    Case("weights that are none", _weights, ["--weights", "text.pth"], ["text.pth"]),
    Case("weights that must be fetched", _photos, ["--backbone", "resnet18"], ["--download"]),
    Case("no weights for a frozen backbone", _photos, ["--weights", "none"], ["scratch"]),
    Case("a plan that is not there", _photos, ["--plan", "absent.toml"], ["absent.toml"]),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_input_is_told_and_touches_nothing(case: Case, tmp_path: Path, lite0_ready: Path) -> None:
    data = tmp_path / "photos"
    case.make(data)
    before = content_of(tmp_path)
    outcome = heldout("train", "photos", *case.flags, cwd=tmp_path)
    is_told(outcome)
    for words in case.says:
        assert words in outcome.err, outcome.err
    assert content_of(tmp_path) == before


@pytest.mark.parametrize("out", ["photos", "photos/runs", "photos/blobs"])
def test_a_run_is_not_written_among_the_pictures(tmp_path: Path, out: str) -> None:
    _photos(tmp_path / "photos")
    before = content_of(tmp_path)
    outcome = heldout("train", "photos", "--out", out, cwd=tmp_path)
    is_told(outcome)
    assert "--out" in outcome.err
    assert content_of(tmp_path) == before


def test_an_error_is_json_where_json_was_asked_for(tmp_path: Path) -> None:
    outcome = heldout("train", "absent", "--json", cwd=tmp_path)
    assert outcome.code == 2
    error = outcome.json()["error"]
    assert error["exit_code"] == 2
    assert "absent" in error["what"]
    assert error["expected"]
    assert error["fix"]


def test_an_unknown_command_is_told_with_the_nearest(tmp_path: Path) -> None:
    outcome = heldout("trian", "photos", cwd=tmp_path)
    is_told(outcome)
    assert 'did you mean "train"?' in outcome.err


def test_broken_pictures_are_left_out_and_recorded_where_that_is_asked_for(tmp_path: Path, lite0_ready: Path) -> None:
    _one_broken(tmp_path / "photos")
    content = fine(heldout("train", "photos", "--skip-bad", "--json", cwd=tmp_path)).json()
    assert content["scores"]["data"]["n"] == 12
    assert content["scores"]["data"]["n_left_out"] == 1
    finding = next(finding for finding in content["findings"] if finding["code"] == "pictures-left-out")
    assert finding["where"] == ["blobs/bad one.jpg"]


def _without_privilege() -> None:
    """Take from root what lets it read everything: CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH, before Python starts."""
    drop = 24  # PR_CAPBSET_DROP
    libc = ctypes.CDLL(None)
    for capability in (1, 2):
        libc.prctl(drop, capability, 0, 0, 0)


def test_pictures_that_may_not_be_read_are_refused(tmp_path: Path, lite0_ready: Path) -> None:
    data = tmp_path / "photos"
    _photos(data)
    before = content_of(data)
    (data / "blobs").chmod(0)
    can_read = subprocess.run(["ls", data / "blobs"], preexec_fn=_without_privilege, capture_output=True, check=False)
    outcome = heldout("train", "photos", cwd=tmp_path, before=_without_privilege)
    (data / "blobs").chmod(0o755)
    if can_read.returncode == 0:
        pytest.skip("this user reads everything, and the privilege cannot be dropped")
    is_told(outcome)
    assert "no permission to read" in outcome.err
    assert "blobs" in outcome.err
    assert content_of(data) == before
    assert not (tmp_path / "runs").exists()


def test_a_picture_that_may_not_be_read_is_listed(tmp_path: Path, lite0_ready: Path) -> None:
    data = tmp_path / "photos"
    _photos(data)
    (data / "blobs" / "001.jpg").chmod(0)
    can_read = subprocess.run(
        ["cat", data / "blobs" / "001.jpg"], preexec_fn=_without_privilege, capture_output=True, check=False
    )
    if can_read.returncode == 0:
        pytest.skip("this user reads everything, and the privilege cannot be dropped")
    outcome = heldout("train", "photos", cwd=tmp_path, before=_without_privilege)
    is_told(outcome)
    assert "'blobs/001.jpg': " in outcome.err
    assert "1 of 12 files" in outcome.err
    assert not (tmp_path / "runs").exists()


def test_an_output_that_may_not_be_written_is_refused(tmp_path: Path, lite0_ready: Path) -> None:
    _photos(tmp_path / "photos")
    (tmp_path / "taken").write_text("a file where the folder should be")
    before = content_of(tmp_path)
    outcome = heldout("train", "photos", "--out", "taken", cwd=tmp_path)
    is_told(outcome, 74)
    assert "--out" in outcome.err
    assert content_of(tmp_path) == before


def _small_files() -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))


def test_a_disk_that_is_full_is_told_and_leaves_nothing_half_written(
    tmp_path: Path, photos: Path, trained: object
) -> None:
    before = content_of(photos)
    outcome = heldout("train", photos, cwd=tmp_path, before=_small_files)
    is_told(outcome, 74)
    assert "ulimit -f" in outcome.err
    assert content_of(photos) == before
    assert list(tmp_path.iterdir()) == []  # the model is larger than that, and the run goes with it


def test_a_disk_that_is_full_for_the_cache_is_told(tmp_path: Path, photos: Path) -> None:
    cache = tmp_path / "cache"
    outcome = heldout("train", photos, cwd=tmp_path, before=_small_files, environment={"HELDOUT_CACHE": str(cache)})
    is_told(outcome, 74)
    assert not (tmp_path / "runs").exists()
    assert not [path for path in cache.rglob("*") if ".heldout-tmp-" in path.name]


ODD_NAMES = ["<script>alert(1)</script>", "quo\"te 's", "new\nline", "日本 ünï ★", "-dash"]


def test_odd_names_are_accepted_and_harmless(tmp_path: Path, lite0_ready: Path) -> None:
    data = tmp_path / "photos"
    for number, name in enumerate(ODD_NAMES):
        folder = name.replace("/", "\u2215")
        kind = ("blobs", "meadow", "stripes")[number % 3]
        for copy in range(5):
            picture(data / folder / f"{folder} {copy}.jpg", kind, 10 * number + copy)
    before = content_of(data)
    content = fine(heldout("train", "photos", "--json", cwd=tmp_path)).json()
    assert content["scores"]["data"]["classes"] == sorted(name.replace("/", "\u2215") for name in ODD_NAMES)
    page = (tmp_path / content["run"] / "report.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert content_of(data) == before
    outcome = fine(heldout("check", "photos", cwd=tmp_path))
    assert "new\\nline" in outcome.out
