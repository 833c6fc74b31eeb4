"""The regimes that train by mini-batches, on very little data: the same files, the same numbers from the same seed."""

import csv
import json
from pathlib import Path

import pytest
import safetensors.numpy
from safetensors import safe_open

import heldout as library
from heldout.verbs.running import Run
from journeys.command_line import fine, heldout
from make import class_folders

COLUMNS = [
    "epoch",
    "learning_rate",
    "train_loss",
    "validation_loss",
    "validation_accuracy",
    "validation_accuracy_low",
    "validation_accuracy_high",
    "n_validation",
    "pictures_per_second",
    "seconds",
    "best",
]


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty-four pictures of three classes."""
    return class_folders(tmp_path_factory.mktemp("data") / "few", 8)


def _train(few: Path, out: Path, regime: str, backbone: str, n_epochs: int) -> Run:
    return library.train(few, regime=regime, backbone=backbone, epochs=n_epochs, batch_size=8, out=out)


def _history(run: Run) -> list[dict[str, str]]:
    with (run.folder / "history.csv").open() as file:
        return list(csv.DictReader(file))


def _fingerprints(run: Run) -> dict[str, str]:
    content: dict[str, str] = json.loads((run.folder / "environment.json").read_bytes())["fingerprints"]
    return content


def _check(run: Run, regime: str, n_epochs: int) -> None:
    rows = _history(run)
    assert list(rows[0]) == COLUMNS
    assert [int(row["epoch"]) for row in rows if int(row["epoch"])] == list(range(1, n_epochs + 1))
    assert [row["best"].lower() for row in rows].count("true") >= 1
    assert all(
        float(row["validation_accuracy_low"])
        <= float(row["validation_accuracy"])
        <= float(row["validation_accuracy_high"])
        for row in rows
    )
    assert run.scores["model"]["regime"] == regime
    assert 0 < run.scores["model"]["n_trained"] <= run.scores["model"]["n_parameters"]
    assert (run.folder / "head_path.csv").exists() == (regime != "scratch")  # the others start from a fitted head
    assert (run.folder / "report.html").stat().st_size > 10_000
    for part in ("validation", "test"):
        assert run.scores[part]["n"] == run.scores["data"][f"n_{part}"] > 0


@pytest.mark.slow
def test_partial_in_python(few: Path, tmp_path: Path, lite0_ready: Path) -> None:
    run = _train(few, tmp_path / "runs", "partial", "efficientnet-lite0", 1)
    _check(run, "partial", 1)
    assert run.scores["model"]["n_trained"] < run.scores["model"]["n_parameters"]


def test_full_through_the_command_line(few: Path, tmp_path: Path, lite0_ready: Path) -> None:
    flags = ["--regime", "full", "--epochs", "1", "--batch-size", "8", "--json"]
    outcome = fine(heldout("train", few, *flags, cwd=tmp_path))
    run = library.open_run(tmp_path / outcome.json()["run"])
    _check(run, "full", 1)
    assert "epoch 1: train loss " in outcome.err
    assert run.scores["model"]["n_trained"] == run.scores["model"]["n_parameters"]
    # The same answers from the model that was written down, which another process opens.
    name = next(few.glob("blobs/*"))
    assert library.predict(run.folder, [name]) == library.predict(run.folder, [name])
    with safe_open(run.folder / "model" / "weights.safetensors", framework="numpy") as file:
        assert len(list(file.keys())) > 100


@pytest.mark.slow
@pytest.mark.parametrize(
    ("regime", "backbone"),
    [("partial", "efficientnet-lite0"), ("full", "efficientnet-lite0"), ("scratch", "resnet18")],
)
def test_the_same_seed_gives_the_same_weights(regime: str, backbone: str, few: Path, tmp_path: Path) -> None:
    first, second = (_train(few, tmp_path / name, regime, backbone, 2) for name in ("one", "two"))
    _check(first, regime, 2)
    assert _fingerprints(first) == _fingerprints(second)
    timeless = [
        [{key: row[key] for key in COLUMNS if key not in {"seconds", "pictures_per_second"}} for row in _history(run)]
        for run in (first, second)
    ]
    assert timeless[0] == timeless[1]
    tensors = [safetensors.numpy.load_file(run.folder / "model" / "weights.safetensors") for run in (first, second)]
    assert all((tensors[0][key] == tensors[1][key]).all() for key in tensors[0])


@pytest.mark.slow
def test_another_seed_gives_other_weights(few: Path, tmp_path: Path) -> None:
    first, second = (
        library.train(few, regime="partial", epochs=1, batch_size=8, seed=seed, out=tmp_path / str(seed))
        for seed in (1, 2)
    )
    assert _fingerprints(first)["final_weights"] != _fingerprints(second)["final_weights"]
