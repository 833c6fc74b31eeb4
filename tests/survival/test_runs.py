"""A whole run through the command line, killed at one moment after the other, and taken up each time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from heldout.locking import locked
from heldout.manifest import MANIFEST
from journeys.command_line import Outcome, fine, heldout, is_told
from journeys.conftest import lite0_ready
from make import class_folders
from survival.command_line import numbers_of, signalled_at, start

__all__ = ["lite0_ready"]

# In the order in which a run writes them.
EVERY_MOMENT = [
    "runs/photos-*/plan.toml",
    "runs/photos-*/split.parquet",
    "runs/photos-*/checkpoints/*.json",
    "runs/photos-*/checkpoints/*.json",
    "runs/photos-*/model/weights.safetensors",
    "runs/photos-*/openings.jsonl",
    "runs/photos-*/scores.json",
    "runs/photos-*/report.html",
]
FEW_MOMENTS = ["runs/photos-*/checkpoints/*.json", "runs/photos-*/openings.jsonl"]
RUN = Path("runs/photos-001")


def _arguments(photos: Path, regime: str) -> list[str | Path]:
    settings = ["--set", "training.epochs=2", "--set", "training.precision=float32"]
    return ["train", photos, "--regime", regime, "--batch-size", "8", *settings]


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four pictures of three classes, two steps an epoch; no test changes them."""
    return class_folders(tmp_path_factory.mktemp("data") / "photos", 8)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, photos: Path, lite0_ready: Path) -> Path:
    """A run of the regime partial that was left alone; no test changes it."""
    home = tmp_path_factory.mktemp("undisturbed")
    os.environ["HELDOUT_CACHE"] = str(lite0_ready)
    fine(heldout(*_arguments(photos, "partial"), cwd=home))
    return home / RUN


def _resumed(run: Path) -> Outcome:
    return fine(heldout("resume", run, "--json", cwd=run.parent.parent))


def _is_as(run: Path, undisturbed: Path) -> None:
    found, wanted = numbers_of(run), numbers_of(undisturbed)
    assert [name for name in wanted if found.get(name) != wanted[name]] == []
    names = [sorted(path.name for path in folder.iterdir()) for folder in (run, undisturbed)]
    assert names[0] == names[1]


@pytest.mark.parametrize("moments", [FEW_MOMENTS, pytest.param(EVERY_MOMENT, marks=pytest.mark.slow)], ids=len)
def test_a_run_that_is_killed_at_stage_after_stage_ends_as_one_that_was_left_alone(
    moments: list[str], photos: Path, undisturbed: Path, tmp_path: Path
) -> None:
    arguments = _arguments(photos, "partial")
    for number, moment in enumerate(moments):
        code, err = signalled_at(moment, *arguments, cwd=tmp_path)
        assert code == -signal.SIGKILL, err
        arguments = ["resume", RUN]
        assert (tmp_path / RUN / "plan.toml").is_file(), f"kill {number}"
    _resumed(tmp_path / RUN)
    _is_as(tmp_path / RUN, undisturbed)
    openings = (tmp_path / RUN / "openings.jsonl").read_text().splitlines()
    assert len(openings) == 1, "a look that was killed and went on is one look"


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("regime", ["frozen", "full", "scratch"])
def test_the_other_regimes_too(regime: str, photos: Path, lite0_ready: Path, tmp_path: Path) -> None:
    settings = [] if regime == "frozen" else _arguments(photos, regime)[4:]
    arguments: list[str | Path] = ["train", photos, "--regime", regime, *settings]
    (tmp_path / "alone").mkdir()
    fine(heldout(*arguments, cwd=tmp_path / "alone"))
    moments = [moment for moment in EVERY_MOMENT if regime != "frozen" or "checkpoints" not in moment]
    for moment in moments:
        code, err = signalled_at(moment, *arguments, cwd=tmp_path)
        assert code == -signal.SIGKILL, err
        arguments = ["resume", RUN]
    _resumed(tmp_path / RUN)
    if regime == "frozen":
        for folder in (tmp_path, tmp_path / "alone"):
            (folder / RUN / "history.csv").write_text("epoch\n")
    _is_as(tmp_path / RUN, tmp_path / "alone" / RUN)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow)]
)
def test_a_signal_in_training_saves_and_says_how_to_go_on(
    number: int, code: int, photos: Path, undisturbed: Path, tmp_path: Path
) -> None:
    found, err = signalled_at(
        "runs/photos-*/checkpoints/*.json", *_arguments(photos, "partial"), cwd=tmp_path, number=number, at_least=2
    )
    assert found == code, err
    assert f"heldout resume {RUN}" in err
    assert "Traceback" not in err
    if number == signal.SIGINT:
        (tmp_path / "elsewhere").mkdir()
        fine(heldout("resume", tmp_path / RUN, cwd=tmp_path / "elsewhere"))
        _is_as(tmp_path / RUN, undisturbed)


def test_a_finished_run_is_said_to_be_finished(undisturbed: Path, tmp_path: Path) -> None:
    before = sorted(path.stat().st_mtime_ns for path in undisturbed.rglob("*"))
    assert "is finished" in fine(heldout("resume", undisturbed, cwd=tmp_path)).out
    assert sorted(path.stat().st_mtime_ns for path in undisturbed.rglob("*")) == before


def test_a_replay_gives_the_same_bits_and_finds_a_run_that_was_changed(undisturbed: Path, tmp_path: Path) -> None:
    assert "gives the same weights" in fine(heldout("resume", undisturbed, "--verify", cwd=tmp_path)).out
    changed = tmp_path / "changed"
    shutil.copytree(undisturbed, changed)
    scores = json.loads((changed / "scores.json").read_bytes())
    scores["test"]["scores"][0]["value"] = 0.999
    del scores["manifest"]  # as a run of an older version, which no manifest protects
    (changed / "scores.json").write_text(json.dumps(scores))
    (changed / MANIFEST).unlink()
    outcome = heldout("resume", changed, "--verify", cwd=tmp_path)
    assert outcome.code == 1, outcome.err
    assert "a replay of the run gives other numbers in scores.json" in outcome.out


@pytest.fixture(scope="session")
def killed(tmp_path_factory: pytest.TempPathFactory, photos: Path, undisturbed: Path) -> Path:
    """A folder with pictures, and with a run on them that was killed at its first checkpoint; no test changes it."""
    home = tmp_path_factory.mktemp("killed")
    shutil.copytree(photos, home / "photos")
    code, err = signalled_at("runs/photos-*/checkpoints/*.json", *_arguments(Path("photos"), "partial"), cwd=home)
    assert code == -signal.SIGKILL, err
    return home


def test_a_run_whose_pictures_or_plan_were_changed_is_not_gone_on_with(killed: Path, tmp_path: Path) -> None:
    home = shutil.copytree(killed, tmp_path / "home")
    picture = home / "photos" / "blobs" / "000.jpg"
    content = picture.read_bytes()
    picture.write_bytes((home / "photos" / "meadow" / "000.jpg").read_bytes())
    outcome = heldout("resume", RUN, cwd=home)
    is_told(outcome)
    assert "the data was changed since the run began" in outcome.err
    assert "blobs/000.jpg" in outcome.err
    picture.write_bytes(content)
    plan = home / RUN / "plan.toml"
    plan.write_text(plan.read_text().replace("epochs = 2", "epochs = 3"))
    outcome = heldout("resume", RUN, cwd=home)
    is_told(outcome)
    assert "plan.toml was changed since the run began" in outcome.err


@pytest.mark.slow
def test_other_threads_are_told_and_stamped_on_the_report(killed: Path, tmp_path: Path) -> None:
    home = shutil.copytree(killed, tmp_path / "moved")
    outcome = fine(heldout("resume", home / RUN, "--json", cwd=tmp_path, environment={"OMP_NUM_THREADS": "2"}))
    assert "not bit-identical: threads 2, was 1" in outcome.err
    finding = next(one for one in outcome.json()["findings"] if one["code"] == "resumed-elsewhere")
    assert finding["where"] == ["threads 2, was 1"]
    assert "threads 2, was 1" in (home / RUN / "report.html").read_text()


def test_a_second_process_is_refused_at_once_and_a_killed_one_frees_the_folder(
    photos: Path, undisturbed: Path, tmp_path: Path
) -> None:
    with start(*_arguments(photos, "partial"), cwd=tmp_path) as process:
        while not (tmp_path / RUN / "split.parquet").exists():
            time.sleep(0.01)
            assert process.poll() is None
        process.send_signal(signal.SIGSTOP)
        outcome = heldout("resume", RUN, cwd=tmp_path)
        is_told(outcome, 75)
        assert f"is in use by process {process.pid} on {os.uname().nodename}" in outcome.err
        process.kill()
        process.communicate()
    with locked(tmp_path / RUN):
        pass


CLOCK = """
import random, sys, time
real, rng = time.time, random.Random(0)
time.time = lambda: real() + rng.uniform(-3e8, 3e8)
time.time_ns = lambda: int(time.time() * 1e9)
from heldout.cli.main import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_a_clock_that_jumps_by_years_changes_no_number(photos: Path, undisturbed: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CLOCK, *map(str, _arguments(photos, "partial"))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    _is_as(tmp_path / RUN, undisturbed)
