"""A finished run answers for new pictures, and is scored on labelled ones."""

import csv
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

import heldout as library
from heldout.errors import DataError, UnreadablePictures, UsageError
from heldout.verbs.predicting import write_predictions
from journeys.command_line import Outcome, fine, heldout, is_told
from journeys.conftest import Trained
from make import broken, class_folders, picture


@pytest.fixture
def run(trained: Trained, tmp_path: Path) -> Path:
    """A copy of the run, which a test may open again."""
    return Path(shutil.copytree(trained.folder, tmp_path / "run"))


def _test_part(run: Path) -> dict[str, list[float]]:
    rows = pq.read_table(run / "predictions.parquet", filters=[("part", "=", "test")])
    return dict(zip(rows["id"].to_pylist(), rows["probabilities"].to_pylist(), strict=True))


def _told(outcome: Outcome) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(outcome.out)))


def test_predict_gives_the_very_probabilities_that_were_scored(trained: Trained, tmp_path: Path) -> None:
    known = _test_part(trained.folder)
    outcome = fine(heldout("predict", trained.folder, *(trained.photos / name for name in known), cwd=tmp_path))
    rows = _told(outcome)
    assert [row["path"] for row in rows] == [str(trained.photos / name) for name in known]
    classes = trained.printed["scores"]["data"]["classes"]
    assert [[float(row[f"p:{name}"]) for name in classes] for row in rows] == list(known.values())


def test_predict_takes_files_folders_and_stdin_in_the_order_named(trained: Trained, tmp_path: Path) -> None:
    single = picture(tmp_path / "one, with a comma.png", "blobs", 90)
    folder = class_folders(tmp_path / "folder", 2, start=95)
    names = [picture(tmp_path / f"{number} näme.jpg", "meadow", number) for number in (91, 92)]
    listed = b"\0".join(os.fsencode(name) for name in names)
    outcome = fine(heldout("predict", trained.folder, single, folder, "-", cwd=tmp_path, stdin=listed))
    rows = _told(outcome)
    inside = sorted(str(path) for path in folder.rglob("*.*"))
    assert [row["path"] for row in rows] == [str(single), *inside, *map(str, names)]
    assert [row["label"] for row in rows] == ["blobs", *(Path(name).parent.name for name in inside), "meadow", "meadow"]
    assert all(float(row["confidence"]) == max(float(row[key]) for key in row if key[:2] == "p:") for row in rows)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_an_unreadable_file_is_a_row_that_says_why(trained: Trained, tmp_path: Path, suffix: str) -> None:
    good, bad = picture(tmp_path / "good.jpg", "stripes", 90), broken(tmp_path / "bad.jpg")
    absent = tmp_path / "absent.jpg"
    out = tmp_path / f"answers.{suffix}"
    outcome = heldout("predict", trained.folder, bad, good, absent, "--out", out, cwd=tmp_path)
    assert outcome.code == 1
    assert outcome.out == ""
    assert "2 of 3 files cannot be read" in outcome.err
    assert "Traceback" not in outcome.err
    if suffix == "csv":
        rows = list(csv.DictReader(io.StringIO(out.read_text())))
    elif suffix == "jsonl":
        rows = [json.loads(line) for line in out.read_text().splitlines()]
    else:
        rows = pq.read_table(out).to_pylist()
    assert [row["path"] for row in rows] == [str(bad), str(good), str(absent)]
    assert [bool(row["error"]) for row in rows] == [True, False, True]
    assert [row["label"] or "" for row in rows] == ["", "stripes", ""]


def test_predict_as_json_is_one_object(trained: Trained, tmp_path: Path) -> None:
    good = picture(tmp_path / "good.jpg", "stripes", 90)
    content = fine(heldout("predict", trained.folder, good, "--json", cwd=tmp_path)).json()
    assert content["classes"] == ["blobs", "meadow", "stripes"]
    assert [one["label"] for one in content["predictions"]] == ["stripes"]
    assert sum(content["predictions"][0]["probabilities"].values()) == pytest.approx(1, abs=1e-9)


def test_names_that_are_no_unicode_are_predicted_and_written(trained: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    odd = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jpg"))
    picture(odd, "blobs", 90)
    for arguments in (("--json",), (), ("--out", "answers.jsonl"), ("--out", "answers.parquet")):
        fine(heldout("predict", trained.folder, "-", *arguments, cwd=tmp_path, stdin=os.fsencode(odd)))
    assert json.loads((tmp_path / "answers.jsonl").read_text())["path"] == str(odd)
    assert pq.read_table(tmp_path / "answers.parquet")["path"].to_pylist() == [f"{folder}/caf\\xe9.jpg"]


def test_predict_in_python_is_the_same(trained: Trained, tmp_path: Path) -> None:
    good = picture(tmp_path / "good.jpg", "stripes", 90)
    by_run = library.open_run(trained.folder).predict([good])
    assert by_run == library.predict(trained.folder, [str(good)])
    assert by_run[0].label == "stripes"


def test_predict_says_what_is_sure_and_what_cannot_be_excluded(trained: Trained, tmp_path: Path) -> None:
    good, bad = picture(tmp_path / "good.jpg", "stripes", 90), broken(tmp_path / "bad.jpg")
    told = library.predict(trained.folder, [good, bad], not_sure=0.1, prediction_sets=0.2)
    assert (told[0].sure, told[0].prediction_set) == (True, ("stripes",))
    assert (told[1].sure, told[1].prediction_set) == (None, None)
    assert told[0].as_dict()["prediction_set"] == ["stripes"]
    out = write_predictions(told, ["blobs", "meadow", "stripes"], tmp_path / "answers.parquet")
    assert pq.read_table(out).select(["sure", "prediction_set"]).to_pylist() == [
        {"sure": True, "prediction_set": ["stripes"]},
        {"sure": None, "prediction_set": None},
    ]


def test_predict_refuses_what_it_cannot_write_before_the_work(trained: Trained, tmp_path: Path) -> None:
    is_told(heldout("predict", trained.folder, "x.jpg", "--out", "answers.xlsx", cwd=tmp_path))
    is_told(heldout("predict", trained.folder, cwd=tmp_path))
    is_told(heldout("predict", tmp_path, "x.jpg", cwd=tmp_path))


def _own_test_folder(trained: Trained, root: Path) -> Path:
    """The test part of the run as a split folder, its classes in folders that sort as they like."""
    for name in _test_part(trained.folder):
        target = root / "test" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(trained.photos / name, target)
    return class_folders(root / "train", 1, start=60).parent


def test_evaluating_the_test_part_gives_the_score_of_the_run_and_logs_it(
    trained: Trained, run: Path, tmp_path: Path
) -> None:
    data = _own_test_folder(trained, tmp_path / "again")
    outcome = heldout("evaluate", run, data, "--part", "test", "--json", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    content = outcome.json()
    expected = trained.printed["scores"]["test"]
    for name in ("n", "confusion", "per_class", "ece", "temperature"):
        assert content["summary"][name] == expected[name], name
    values = [
        {score["name"]: score["value"] for score in summary["scores"]} for summary in (content["summary"], expected)
    ]
    assert values[0] == values[1]
    assert [finding["code"] for finding in content["findings"]] == ["held-out-part-opened-again"]
    lines = [json.loads(line) for line in (run / "openings.jsonl").read_text().splitlines()]
    assert [line["n"] for line in lines] == [expected["n"]] * 2
    assert lines[0]["fingerprint"] == lines[1]["fingerprint"]


def test_classes_are_matched_by_name_where_some_are_absent(trained: Trained, run: Path, tmp_path: Path) -> None:
    # Numbered in the order of the folders, stripes would be class 1 here; in the run it is class 2.
    data = class_folders(tmp_path / "new", 4, kinds=("meadow", "stripes"), start=40)
    found = library.evaluate(run, data)
    assert found.summary.as_dict()["scores"][0]["value"] == 1.0
    assert [row["n"] for row in found.summary.as_dict()["per_class"]] == [0, 4, 4]
    assert found.findings == ()
    outcome = fine(heldout("evaluate", run, data, cwd=tmp_path))
    assert "accuracy 100.0 %" in outcome.out
    assert len((run / "openings.jsonl").read_text().splitlines()) == 1  # none of these is of the held-out part


def test_an_unknown_class_is_refused_with_the_nearest_name(run: Path, tmp_path: Path) -> None:
    data = class_folders(tmp_path / "new", 2, start=40)
    (data / "stripes").rename(data / "strypes")
    outcome = heldout("evaluate", run, data, cwd=tmp_path)
    is_told(outcome)
    assert "strypes" in outcome.err
    assert 'did you mean "stripes"?' in outcome.err
    with pytest.raises(DataError, match="unknown to the run: 'strypes'"):
        library.evaluate(run, data)


def test_overlap_with_the_training_data_is_an_error_that_is_told(trained: Trained, run: Path, tmp_path: Path) -> None:
    outcome = heldout("evaluate", run, trained.photos, "--json", cwd=tmp_path)
    assert outcome.code == 1
    codes = {finding["code"]: finding["severity"] for finding in outcome.json()["findings"]}
    assert codes == {"evaluated-on-training-data": "error", "held-out-part-opened-again": "warning"}


def test_a_broken_picture_is_refused_or_left_out(run: Path, tmp_path: Path) -> None:
    data = class_folders(tmp_path / "new", 2, start=40)
    broken(data / "blobs" / "bad.jpg")
    with pytest.raises(UnreadablePictures, match=r"bad\.jpg"):
        library.evaluate(run, data)
    found = library.evaluate(run, data, skip_bad=True)
    assert (found.n_left_out, len(found.predictions)) == (1, 6)


def test_data_in_which_nothing_is_readable_is_refused(run: Path, tmp_path: Path) -> None:
    for kind in ("blobs", "stripes"):
        broken(tmp_path / "new" / kind / "bad.jpg")
    is_told(heldout("evaluate", run, tmp_path / "new", "--skip-bad", cwd=tmp_path))


def test_a_part_that_is_not_there_is_refused(run: Path, tmp_path: Path) -> None:
    data = class_folders(tmp_path / "new", 2, start=40)
    with pytest.raises(DataError, match="has no part 'test'"):
        library.evaluate(run, data, part="test")
    with pytest.raises(UsageError, match='did you mean "test"'):
        library.evaluate(run, data, part="tset")


def test_a_device_that_is_none_is_refused_by_its_name(run: Path, tmp_path: Path) -> None:
    outcome = heldout("predict", run, picture(tmp_path / "a.jpg", "blobs", 1), "--device", "cpx", cwd=tmp_path)
    is_told(outcome)
    assert "cpx" in outcome.err


def test_a_changed_model_is_refused(run: Path, tmp_path: Path) -> None:
    weights = run / "model" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-5] ^= 1
    weights.write_bytes(content)
    outcome = heldout("predict", run, picture(tmp_path / "a.jpg", "blobs", 1), cwd=tmp_path)
    is_told(outcome, 76)
    assert "weights.safetensors is not the file that was written" in outcome.err


def test_a_grey_and_a_transparent_picture_are_answered(trained: Trained, tmp_path: Path) -> None:
    Image.fromarray(np.full((50, 70), 90, np.uint8)).save(tmp_path / "grey.png")
    Image.fromarray(np.full((50, 70, 4), 90, np.uint8)).save(tmp_path / "clear.png")
    found = library.predict(trained.folder, [tmp_path / "grey.png", tmp_path / "clear.png"])
    assert [one.error for one in found] == ["", ""]
