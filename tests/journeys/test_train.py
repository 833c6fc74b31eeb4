"""A folder of photos becomes a run folder whose files agree with each other, and the same again the second time."""

import csv
import json
import os
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score, log_loss

import heldout as library
from heldout.data.examples import PARTS
from journeys.command_line import content_of, fine, heldout
from journeys.conftest import Trained
from make import class_folders, split_folders


def test_every_file_of_the_run_is_there_and_nothing_half_written(trained: Trained) -> None:
    names = set(content_of(trained.folder))
    expected = {"plan.toml", "environment.json", "findings.json", "head_path.csv", "scores.json", "openings.jsonl"}
    expected |= {"predictions.parquet", "split.parquet", "thumbnails.parquet", "report.html"}
    expected |= {f"model/{name}" for name in ("weights.safetensors", "preprocess.json", "classes.json")}
    assert names >= expected
    assert not [name for name in names if ".heldout-tmp-" in name]
    assert {Path(name).suffix for name in names if name.startswith("figures/")} == {".svg", ".png"}
    assert "history.csv" not in names  # a frozen backbone has no epochs


def test_stdout_is_one_json_object_that_agrees_with_the_files(trained: Trained) -> None:
    assert set(trained.printed) == {"run", "scores", "findings"}
    assert trained.printed["run"] == "runs/photos-001"
    assert trained.printed["scores"] == json.loads((trained.folder / "scores.json").read_bytes())
    assert trained.printed["findings"] == json.loads((trained.folder / "findings.json").read_bytes())


@pytest.mark.parametrize("part", ["validation", "test"])
def test_scores_follow_from_predictions_as_scikit_learn_computes_them(trained: Trained, part: str) -> None:
    rows = pq.read_table(trained.folder / "predictions.parquet", filters=[("part", "=", part)])
    labels, predicted = rows["label"].to_pylist(), rows["predicted"].to_pylist()
    classes = trained.printed["scores"]["data"]["classes"]
    probabilities = np.array(rows["probabilities"].to_pylist())
    summary = trained.printed["scores"][part]
    told = {score["name"]: score for score in summary["scores"]}
    assert told["accuracy"]["value"] == pytest.approx(accuracy_score(labels, predicted), abs=1e-12)
    assert told["balanced_accuracy"]["value"] == pytest.approx(balanced_accuracy_score(labels, predicted), abs=1e-12)
    assert told["macro_f1"]["value"] == pytest.approx(f1_score(labels, predicted, average="macro"), abs=1e-12)
    nll = next(score for name, score in told.items() if name in {"nll", "negative_log_likelihood"})
    assert nll["value"] == pytest.approx(log_loss(labels, probabilities, labels=classes), abs=1e-6)
    assert summary["confusion"] == confusion_matrix(labels, predicted, labels=classes).tolist()
    assert summary["n"] == rows.num_rows == trained.printed["scores"]["data"][f"n_{part}"]
    assert all(score["low"] <= score["value"] <= score["high"] for score in summary["scores"])
    assert [classes[row.argmax()] for row in probabilities] == predicted
    assert rows["confidence"].to_pylist() == probabilities.max(axis=1).tolist()
    assert rows["correct"].to_pylist() == [a == b for a, b in zip(labels, predicted, strict=True)]


def test_pictures_that_look_so_different_are_told_apart(trained: Trained) -> None:
    test = trained.printed["scores"]["test"]["scores"]
    assert next(score["value"] for score in test if score["name"] == "accuracy") >= 0.9


def test_split_covers_each_picture_once(trained: Trained) -> None:
    rows = pq.read_table(trained.folder / "split.parquet")
    on_disk = sorted(path.relative_to(trained.photos).as_posix() for path in trained.photos.glob("*/*.*"))
    assert sorted(rows["id"].to_pylist()) == on_disk
    assert rows["class"].to_pylist() == [name.partition("/")[0] for name in rows["id"].to_pylist()]
    counts = {part: rows["part"].to_pylist().count(part) for part in PARTS}
    assert counts == {part: trained.printed["scores"]["data"][f"n_{part}"] for part in PARTS}
    assert min(counts.values()) >= 9
    predicted = pq.read_table(trained.folder / "predictions.parquet", columns=["id", "part"]).to_pylist()
    split = {row["id"]: row["part"] for row in rows.to_pylist() if row["part"] != "train"}
    assert {row["id"]: row["part"] for row in predicted} == split


def test_the_held_out_part_is_opened_once_and_logged(trained: Trained) -> None:
    # Other journeys evaluate copies of the run, never the run itself.
    lines = [json.loads(line) for line in (trained.folder / "openings.jsonl").read_text().splitlines()]
    environment = json.loads((trained.folder / "environment.json").read_bytes())
    assert len(lines) == 1
    assert lines[0]["run"] == trained.folder.name
    assert lines[0]["n"] == trained.printed["scores"]["data"]["n_test"]
    assert lines[0]["fingerprint"] == environment["fingerprints"]["test"]
    assert trained.printed["scores"]["data"]["test_openings"] == 1


def test_the_environment_says_what_made_the_numbers(trained: Trained) -> None:
    environment = json.loads((trained.folder / "environment.json").read_bytes())
    assert set(environment["fingerprints"]) >= {"initial_weights", "final_weights", "test"}
    assert all(len(value) == 64 and int(value, 16) for value in environment["fingerprints"].values())
    assert shlex.split(environment["command"]) == ["heldout", "train", str(trained.photos), "--json"]
    assert environment["device"] in {"cpu", "cuda"}
    assert sum(environment["seconds"].values()) > 0
    preprocess = json.loads((trained.folder / "model" / "preprocess.json").read_bytes())
    assert preprocess["fingerprint"] == environment["fingerprints"]["final_weights"]
    plan = tomllib.loads((trained.folder / "plan.toml").read_text())
    assert plan["data"]["path"] == str(trained.photos)
    assert plan["model"]["regime"] == "frozen"
    assert "training" not in plan


def test_the_chosen_strength_is_one_of_those_tried(trained: Trained) -> None:
    with (trained.folder / "head_path.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0]) >= {"l2", "train_loss", "validation_loss", "validation_accuracy", "chosen"}
    assert [row["chosen"].lower() for row in rows].count("true") == 1


def test_a_second_run_gives_the_same_numbers_and_decodes_nothing(trained: Trained, tmp_path: Path) -> None:
    cache = Path(os.environ["HELDOUT_CACHE"])
    before = content_of(cache)
    run = library.train(trained.photos, out=tmp_path / "runs")
    assert content_of(cache) == before  # whatever is decoded leaves something there
    first, second = (
        json.loads((folder / "environment.json").read_bytes())["fingerprints"]
        for folder in (trained.folder, run.folder)
    )
    assert first == second
    assert run.scores == trained.printed["scores"]
    assert run.findings == trained.printed["findings"]
    for name in ("split.parquet", "predictions.parquet"):
        assert pq.read_table(run.folder / name).equals(pq.read_table(trained.folder / name))


def test_another_seed_makes_another_split(trained: Trained, tmp_path: Path) -> None:
    fine(heldout("train", trained.photos, "--seed", "1", "--out", tmp_path / "runs", "--json", cwd=tmp_path))
    first, second = (
        dict(zip(*(pq.read_table(folder / "split.parquet")[name].to_pylist() for name in ("id", "part")), strict=True))
        for folder in (trained.folder, tmp_path / "runs" / "photos-001")
    )
    assert set(first) == set(second)
    assert first != second
    assert sorted(first.values()) == sorted(second.values())


def test_a_given_split_is_kept_and_a_person_reads_what_came_of_it(tmp_path: Path, lite0_ready: Path) -> None:
    data = split_folders(tmp_path / "given", {"train": 6, "val": 2, "test": 3})
    outcome = fine(heldout("train", data, "--out", tmp_path / "runs", cwd=tmp_path))
    run = library.open_run(tmp_path / "runs" / "given-001")
    assert run.scores["data"]["made"] == []
    rows = pq.read_table(run.folder / "split.parquet").to_pylist()
    assert all(
        {"val": "validation"}.get(row["id"].split("/")[0], row["id"].split("/")[0]) == row["part"] for row in rows
    )
    assert "held-out test: accuracy" in outcome.out
    assert "95 % interval" in outcome.out
    assert "optimistic" in outcome.out
    assert f"report   {run.folder / 'report.html'}" in outcome.out
    assert "Traceback" not in outcome.err


def test_the_report_is_made_again_after_the_pictures_are_gone(trained: Trained, tmp_path: Path) -> None:
    import shutil

    run = tmp_path / "moved"
    shutil.copytree(trained.folder, run)
    page = (run / "report.html").read_text()
    (run / "report.html").unlink()
    trained.photos.rename(tmp_path / "gone")
    try:
        outcome = heldout("report", run, "--json", cwd=tmp_path, environment={"HELDOUT_CACHE": str(tmp_path / "none")})
    finally:
        (tmp_path / "gone").rename(trained.photos)
    fine(outcome)
    assert outcome.json() == {"report": str(run / "report.html")}
    again = (run / "report.html").read_text()
    assert again.count("data:image") == page.count("data:image") > 0


def test_a_class_with_one_picture_is_learned_and_told(tmp_path: Path) -> None:
    class_folders(tmp_path / "photos", {"blobs": 6, "meadow": 6, "stripes": 1})
    found = fine(heldout("train", tmp_path / "photos", "--json", cwd=tmp_path)).json()
    (doubt,) = [finding for finding in found["findings"] if finding["code"] == "class-too-small-for-split"]
    assert doubt["severity"] == "error"
    assert doubt["where"] == ["stripes"]
    assert found["scores"]["data"]["counts"]["test"][found["scores"]["data"]["classes"].index("stripes")] == 0


def test_doctor_tells_what_works_here(tmp_path: Path) -> None:
    found = fine(heldout("doctor", "--json", cwd=tmp_path)).json()
    assert {path["name"] for path in found["fast_paths"]} >= {"OpenVINO", "CUDA"}
    assert {backbone["name"] for backbone in found["backbones"]} >= {"efficientnet-lite0", "resnet18"}
    weights = {backbone["name"]: backbone["weights"] for backbone in found["backbones"]}
    assert weights["efficientnet-lite0"].startswith("package ")
    assert "--download" in weights["resnet50"]
    assert found["cache"].startswith(os.environ["HELDOUT_CACHE"])
