"""A table from the command line to a trained classifier, and everything that can be done with the run."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heldout.cli.compare import sweep_lines
from heldout.data.batches import Batches, epoch_order
from journeys.command_line import heldout, is_told


@pytest.fixture(scope="module")
def points(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of a rare and a common kind, with a word, a gap here and there, and the number of every row."""
    folder = tmp_path_factory.mktemp("points")
    generator = np.random.default_rng(0)
    for name, n in (("train", 400), ("test", 300)):
        lines = ["number,size,colour,kind"]
        for row in range(n):
            rare = generator.random() < 0.15
            size = generator.normal(1.5 if rare else 0.0)
            colour = "red" if generator.random() < (0.7 if rare else 0.2) else "blue"
            lines.append(f"{row},{size:.5f},{'' if row % 50 == 7 else colour},{'yes' if rare else 'no'}")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    return folder


def scores_of(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "scores.json").read_text())
    return content


@pytest.mark.parametrize(
    "flags",
    [
        ("--model", "boosting", "--costs", "yes:no=5"),
        pytest.param(("--model", "mlp", "--imbalance", "balanced-batch", "--epochs", "3"), marks=pytest.mark.slow),
        pytest.param((), marks=pytest.mark.slow),
        pytest.param(("--imbalance", "focal", "--threshold", "f1", "--epochs", "3"), marks=pytest.mark.slow),
    ],
)
def test_every_model_ends_in_a_whole_run_that_a_replay_repeats(
    points: Path, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    data = ["train", str(points / "train.csv"), "--target", "kind", "--test", str(points / "test.csv")]
    done = heldout(*data, *flags, cwd=tmp_path)
    assert done.code == 0, done.err
    run = next((tmp_path / "runs").iterdir())
    scores = scores_of(run)
    assert scores["test"]["scores"][0]["name"] == "balanced_accuracy"
    assert scores["data"]["n_test"] == 300
    assert [one["kind"] for one in scores["data"]["columns"]] == ["number", "category", "not used"]
    assert "row-number-column" in {one["code"] for one in json.loads((run / "findings.json").read_text())}
    assert (run / "report.html").stat().st_size > 50_000
    again = heldout("resume", run, "--verify", cwd=tmp_path)
    assert again.code == 0, again.err
    assert "same weights, history, predictions and scores" in again.err + again.out


def test_a_look_at_a_table_ends_with_the_name_of_its_page(points: Path, tmp_path: Path) -> None:
    done = heldout("check", points / "train.csv", "--target", "kind", "--test", points / "test.csv", cwd=tmp_path)
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1] == "page  checks/train-001/check.html"
    assert (tmp_path / "checks" / "train-001" / "check.html").stat().st_size > 20_000


def test_what_is_scored_of_two_classes_is_of_the_runs_positive_one_though_others_are_rare_now(
    points: Path, tmp_path: Path
) -> None:
    data = ["train", str(points / "train.csv"), "--target", "kind", "--test", str(points / "test.csv")]
    assert heldout(*data, cwd=tmp_path).code == 0
    header, *lines = (points / "test.csv").read_text().splitlines()
    chosen = [line for line in lines if line.endswith("yes")] + [line for line in lines if line.endswith("no")][:9]
    (tmp_path / "other.csv").write_text("\n".join([header, *chosen]) + "\n")
    scored = heldout("evaluate", tmp_path / "runs" / "train-001", tmp_path / "other.csv", "--json", cwd=tmp_path)
    assert scored.code == 0, scored.err
    baseline = scored.json()["summary"]["average_precision_baseline"]
    assert baseline == pytest.approx((len(chosen) - 9) / len(chosen))


def test_a_column_without_a_single_value_is_left_out(tmp_path: Path) -> None:
    rows = [f"{number % 7},,{'yes' if number % 3 else 'no'}" for number in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["size,empty,kind", *rows]) + "\n")
    done = heldout("train", "t.csv", "--target", "kind", cwd=tmp_path)
    assert done.code == 0, done.err
    assert "empty" in done.out + done.err
    scored = heldout("evaluate", "runs/t-001", "t.csv", cwd=tmp_path)
    assert scored.code == 0, scored.err


def test_rows_are_predicted_and_scored_as_in_the_run(points: Path, tmp_path: Path) -> None:
    data = ["train", str(points / "train.csv"), "--target", "kind", "--test", str(points / "test.csv")]
    assert heldout(*data, "--imbalance", "weights", cwd=tmp_path).code == 0
    run = tmp_path / "runs" / "train-001"
    told = heldout("predict", run, points / "test.csv", "--json", cwd=tmp_path)
    assert told.code == 0, told.err
    answers = told.json()["predictions"]
    assert [one["path"] for one in answers[:2]] == ["test.csv:001", "test.csv:002"]
    scored = heldout("evaluate", run, points / "test.csv", "--json", cwd=tmp_path)
    assert scored.code == 0, scored.err
    summary = scored.json()["summary"]
    assert summary["confusion"] == scores_of(run)["test"]["confusion"]
    said = [one["label"] for one in answers]
    lines = (points / "test.csv").read_text().splitlines()[1:]
    n_right = sum(line.endswith(f",{word}") for line, word in zip(lines, said, strict=True))
    assert n_right == np.trace(summary["confusion"])
    # The rule after weights is not the likeliest class, and probabilities are of the true prior.
    assert any(one["confidence"] < 0.5 for one in answers)
    assert np.mean([one["probabilities"]["yes"] for one in answers]) == pytest.approx(0.15, abs=0.05)
    doubting = heldout(
        "predict", run, points / "test.csv", "--not-sure", "0.1", "--prediction-sets", "0.2", cwd=tmp_path
    )
    assert doubting.code == 0, doubting.err
    rows = list(csv.DictReader(io.StringIO(doubting.out)))
    assert list(rows[0])[:5] == ["path", "label", "confidence", "sure", "prediction_set"]
    assert [row["label"] for row in rows] == said
    # The held-out part of the run itself: what is told of it on stderr is what can be counted here.
    kinds = [line.rpartition(",")[2] for line in lines]
    sure = [kind == row["label"] for kind, row in zip(kinds, rows, strict=True) if row["sure"] == "true"]
    assert f"not sure of {300 - len(sure)} of 300" in doubting.err
    assert f"{100 * np.mean(sure):.1f} %" in doubting.err
    held = [kind in json.loads(row["prediction_set"]) for kind, row in zip(kinds, rows, strict=True)]
    assert f"they do in {100 * np.mean(held):.1f} %" in doubting.err
    is_told(heldout("predict", run, points / "test.csv", "--not-sure", "1.5", cwd=tmp_path))


@pytest.mark.slow
def test_a_sweep_with_costs_is_ranked_by_them_and_compare_says_so(points: Path, tmp_path: Path) -> None:
    data = ["sweep", str(points / "train.csv"), "--target", "kind", "--test", str(points / "test.csv")]
    asked = [
        "--models",
        "linear",
        "--imbalance",
        "none,weights",
        "--seeds",
        "2",
        "--halving",
        "--costs",
        "yes:no=5",
        "--workers",
        "1",
    ]
    done = heldout(*data, *asked, "--json", cwd=tmp_path)
    assert done.code == 0, done.err
    content = done.json()
    best, dropped = content["settings"]
    assert (content["metric"], content["highest"]) == ("mean_cost", 5.0)
    assert [len([score for score in each["scores"] if score is not None]) for each in (best, dropped)] == [2, 1]
    assert best["scores"][0] <= dropped["scores"][0], "the dearer half was dropped after the first seed"
    test = content["winner"]["test"]
    assert test["name"] == "mean_cost"
    assert test in scores_of(tmp_path / "runs" / content["winner"]["run"])["test"]["scores"]
    told = sweep_lines(content)
    assert "cost of an answer on validation, lowest first; = where nothing tells them apart" in told
    assert any(line.endswith("was chosen for being low") for line in told)
    assert not any("%" in line for line in told if line.startswith("     "))


def test_columns_that_are_missing_are_named(points: Path, tmp_path: Path) -> None:
    data = ["train", str(points / "train.csv"), "--target", "kind"]
    assert heldout(*data, cwd=tmp_path).code == 0
    (tmp_path / "other.csv").write_text("size,shape\n1,round\n")
    told = heldout("predict", "runs/train-001", "other.csv", cwd=tmp_path)
    assert told.code == 2
    assert "lacks 1 of 2 columns: 'colour'" in told.err
    assert "Traceback" not in told.err


def test_balanced_batches_hold_equally_many_of_each_class_in_training() -> None:
    labels = np.array([0] * 90 + [1] * 8)
    batches = Batches(np.zeros((98, 1)), labels, np.arange(98), 10, is_balanced=True)  # type: ignore[arg-type]
    order = epoch_order(batches, seed=0, epoch=1)
    assert len(order) == batches.n_batches == 18
    assert all(np.bincount(labels[rows]).tolist() == [5, 5] for rows in order)
