"""The files of a run folder become one record, or an error that says which file is at fault."""

import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from heldout.errors import RunFolderError
from heldout.reporting.results import read_results


@pytest.fixture
def run(run_folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy of a run that a test may damage."""
    return Path(shutil.copytree(run_folders["flowers"], tmp_path / "flowers-001"))


def test_a_run_becomes_one_record(run: Path) -> None:
    results = read_results(run)
    assert results.name == "flowers-001"
    assert results.classes == ("daisy", "dandelion", "rose", "sunflower", "tulip")
    assert results.answers.part == "test"
    assert len(results.answers.ids) == results.leading["n"] == 150
    assert results.history is None
    assert results.head_path is not None
    assert sum(results.head_path["chosen"]) == 1
    assert len(results.samples) == 15
    assert {sample.id for sample in results.samples} <= set(results.thumbnails)


def test_answers_agree_with_the_confusion_matrix(run: Path) -> None:
    results = read_results(run)
    confusion = results.leading["confusion"]
    for true in range(5):
        for predicted in range(5):
            n = int(((results.answers.labels == true) & (results.answers.predicted == predicted)).sum())
            assert n == confusion[true][predicted]


def test_without_a_test_part_validation_leads(run_folders: dict[str, Path]) -> None:
    results = read_results(run_folders["untested"])
    assert results.test is None
    assert results.leading is results.validation
    assert results.answers.part == "validation"
    assert results.history is not None
    assert results.head_path is None


@pytest.mark.parametrize(
    "name",
    ["scores.json", "environment.json", "findings.json", "plan.toml", "predictions.parquet", "thumbnails.parquet"],
)
def test_an_absent_file_is_named(run: Path, name: str) -> None:
    (run / name).unlink()
    with pytest.raises(RunFolderError, match=rf"{name} (is absent|cannot be read)"):
        read_results(run)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("predictions.parquet", "no parquet"),
        ("thumbnails.parquet", ""),
        ("head_path.csv", "l2,train_loss,validation_loss,validation_accuracy,chosen\n0.1,1,1,0.5,perhaps\n"),
        ("head_path.csv", "l2,train_loss,validation_loss,validation_accuracy,chosen\n0.1,1\n"),
        ("head_path.csv", "l2,train_loss,validation_loss,chosen\n0.1,1,1,true\n"),
    ],
)
def test_a_damaged_file_is_named(run: Path, name: str, text: str) -> None:
    (run / name).write_text(text)
    with pytest.raises(RunFolderError, match=rf"{name} (is damaged|cannot be read)"):
        read_results(run)


def test_a_table_without_a_column_is_damaged(run: Path) -> None:
    table = pq.read_table(run / "predictions.parquet")
    pq.write_table(table.drop_columns(["confidence"]), run / "predictions.parquet")
    with pytest.raises(RunFolderError, match=r"predictions\.parquet cannot be read"):
        read_results(run)


def test_an_empty_curve_counts_as_none(run: Path) -> None:
    (run / "head_path.csv").write_text("l2,train_loss\n")
    assert read_results(run).head_path is None


def test_a_later_format_is_refused(run: Path) -> None:
    scores = json.loads((run / "scores.json").read_text())
    (run / "scores.json").write_text(json.dumps({**scores, "format": 99}))
    with pytest.raises(RunFolderError, match="format 99"):
        read_results(run)


def test_a_class_that_the_scores_do_not_know_is_refused(run: Path) -> None:
    scores = json.loads((run / "scores.json").read_text())
    scores["data"]["classes"][0] = "peony"
    (run / "scores.json").write_text(json.dumps(scores))
    with pytest.raises(RunFolderError, match=r"a class that scores\.json does not have"):
        read_results(run)
