"""A run whose learning rate is found: what it writes down, and that it is the run that names the rate."""

import json
import shutil
from pathlib import Path

import pytest

import heldout as library
from heldout.verbs.replaying import replay
from heldout.verbs.running import Run, resume
from make import class_folders


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four pictures of three classes."""
    return class_folders(tmp_path_factory.mktemp("data") / "few", 8)


def _final(run: Run) -> str:
    content = json.loads((run.folder / "environment.json").read_bytes())
    return str(content["fingerprints"]["final_weights"])


def test_a_run_that_finds_its_rate_is_the_run_that_names_it(few: Path, tmp_path: Path, lite0_ready: Path) -> None:
    run = library.train(few, learning_rate="find", epochs=2, out=tmp_path / "found")
    model = run.scores["model"]
    rows = (run.folder / "learning_rate.csv").read_text().splitlines()
    chosen = [float(row.split(",")[0]) for row in rows if row.endswith(",true")]
    assert [model["learning_rate"]] == chosen
    assert "a tenth of" in model["learning_rate_reason"]
    assert (run.folder / "figures" / "learning_rate.svg").is_file()
    page = (run.folder / "report.html").read_text()
    assert f"{chosen[0]:g}, found: a tenth of" in page
    assert "Loss against a learning rate that rises from 1e-05" in page

    named = library.train(few, learning_rate=chosen[0], epochs=2, out=tmp_path / "named")
    assert _final(named) == _final(run)
    assert named.scores["test"] == run.scores["test"]
    assert named.scores["model"]["learning_rate_reason"] == "as planned"
    assert not (named.folder / "learning_rate.csv").exists()

    assert replay(run.folder).differing == ()

    # Killed after its rate was found, and after the first epochs: the rate that the folder has serves.
    before = (run.folder / "learning_rate.csv").read_bytes()
    for name in ("manifest.json", "scores.json", "history.csv", "report.html"):
        (run.folder / name).unlink()
    shutil.rmtree(run.folder / "model")
    assert _final(resume(run.folder)) == _final(named)
    assert (run.folder / "learning_rate.csv").read_bytes() == before
