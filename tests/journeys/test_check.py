"""`heldout check` finds what was planted in the data."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import heldout as library
from journeys.command_line import Outcome, content_of, fine, heldout, is_told
from make import broken, class_folders, picture, split_folders


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Split folders with a leak, a torn label, a broken file, a grey picture and things that are no pictures."""
    root = split_folders(tmp_path_factory.mktemp("data") / "planted", {"train": 5, "val": 2, "test": 3})
    picture(root / "train" / "blobs" / "leak.png", "blobs", 70)
    picture(root / "test" / "blobs" / "leak.bmp", "blobs", 70)
    picture(root / "train" / "meadow" / "torn.png", "meadow", 71)
    picture(root / "train" / "stripes" / "torn-too.png", "meadow", 71)
    Image.fromarray(np.full((80, 96), 130, np.uint8)).save(root / "val" / "meadow" / "grey.png")
    broken(root / "val" / "stripes" / "bad.jpg")
    (root / "train" / ".thumbs").mkdir()
    (root / "train" / "blobs" / "notes.txt").write_text("not a picture")
    return root


@pytest.fixture(scope="module")
def checked(planted: Path, tmp_path_factory: pytest.TempPathFactory, session_cache: Path) -> tuple[Outcome, Path]:
    """What the command said about it, and where it wrote."""
    home = tmp_path_factory.mktemp("home")
    return heldout("check", planted, "--json", cwd=home, environment={"HELDOUT_CACHE": str(session_cache)}), home


def test_the_exit_code_says_that_something_must_be_done(checked: tuple[Outcome, Path]) -> None:
    outcome, _ = checked
    assert outcome.code == 1, outcome.err
    assert outcome.json()["must_act"] is True
    assert "Traceback" not in outcome.err


def test_a_copy_across_parts_is_found_by_its_pixels(checked: tuple[Outcome, Path], planted: Path) -> None:
    one, other = (planted / name for name in ("train/blobs/leak.png", "test/blobs/leak.bmp"))
    assert one.read_bytes() != other.read_bytes()
    finding = _finding(checked[0], "duplicate-across-splits")
    assert finding["severity"] == "error"
    assert sorted(finding["where"]) == ["test/blobs/leak.bmp", "train/blobs/leak.png"]
    assert "1 of 10 test examples" in finding["what"]


def test_one_picture_under_two_labels_is_found(checked: tuple[Outcome, Path]) -> None:
    finding = _finding(checked[0], "one-picture-two-labels")
    assert finding["severity"] == "error"
    assert sorted(finding["where"]) == ["train/meadow/torn.png", "train/stripes/torn-too.png"]


def test_an_unreadable_file_is_listed_with_its_reason(checked: tuple[Outcome, Path]) -> None:
    (bad,) = checked[0].json()["unreadable"]
    assert bad["id"] == "val/stripes/bad.jpg"
    assert len(bad["reason"]) > 10


def test_what_is_passed_over_is_named(checked: tuple[Outcome, Path]) -> None:
    names = {thing["name"] for thing in checked[0].json()["passed_over"]}
    assert names == {"train/.thumbs", "train/blobs/notes.txt"}


def test_counts_sizes_and_modes_are_those_of_the_folder(checked: tuple[Outcome, Path], planted: Path) -> None:
    content = checked[0].json()
    assert content["n"] == 36  # 30 drawn, four planted copies, one grey, one broken
    assert content["classes"] == ["blobs", "meadow", "stripes"]
    on_disk = {
        part: [len([*(planted / folder / kind).glob("*.[jpb][pnm]*")]) for kind in content["classes"]]
        for part, folder in (("train", "train"), ("validation", "val"), ("test", "test"))
    }
    assert content["counts"] == on_disk
    assert content["sizes"] == {"smallest": [96, 80], "median": [96, 80], "largest": [96, 80], "n_different": 1}
    assert content["modes"] == {"RGB": 34, "L": 1}


def test_the_sample_grid_is_a_picture_and_the_same_is_written_down(checked: tuple[Outcome, Path]) -> None:
    outcome, home = checked
    content = outcome.json()
    with Image.open(home / content["samples"]) as sheet:
        sheet.load()
        assert sheet.width > 1000
        assert len(np.unique(np.asarray(sheet).reshape(-1, 3), axis=0)) > 1000
    assert json.loads((home / "checks" / "planted-001" / "check.json").read_bytes()) == content


def test_pairs_are_told_with_what_they_do_to_a_score(checked: tuple[Outcome, Path]) -> None:
    pairs = checked[0].json()["pairs"]
    assert pairs["n"] == sum(pairs["n_of_kind"].values()) == len(pairs["shown"])
    leak = next(pair for pair in pairs["shown"] if pair["second"] == "train/blobs/leak.png")
    assert leak == {
        "first": "test/blobs/leak.bmp",
        "second": "train/blobs/leak.png",
        "kind": "across-parts",
        "likeness": 1.0,
        "exact": True,
        "classes": ["blobs", "blobs"],
        "parts": ["test", "train"],
    }
    torn = next(pair for pair in pairs["shown"] if pair["second"] == "train/stripes/torn-too.png")
    assert (torn["kind"], torn["exact"], torn["classes"]) == ("two-labels", True, ["meadow", "stripes"])
    kinds = [pair["kind"] for pair in pairs["shown"]]
    assert kinds == sorted(kinds)  # the alphabet happens to have them by gravity


def test_the_page_stands_beside_the_record_and_shows_what_was_planted(checked: tuple[Outcome, Path]) -> None:
    outcome, home = checked
    page = Path(outcome.json()["page"])
    assert page == Path("checks/planted-001/check.html")
    html = (home / page).read_text(encoding="utf-8")
    for words in ("must be acted on", "exact copy", "test/blobs/leak.bmp", "val/stripes/bad.jpg", "train/.thumbs"):
        assert words in html
    assert sorted(path.name for path in (home / page).parent.iterdir()) == ["check.html", "check.json", "samples.png"]


def test_a_person_reads_the_same(planted: Path, tmp_path: Path) -> None:
    outcome = heldout("check", planted, cwd=tmp_path)
    assert outcome.code == 1
    for words in ("val/stripes/bad.jpg: ", "error: 1 pictures stand in more than one part", "fix: ", "samples  "):
        assert words in outcome.out
    for line in (
        r"pairs of near copies: \d+ \(\d+ in two parts, .*\), 2 of them exact$",
        "page  checks/planted-001/check.html$",
    ):
        assert re.search(line, outcome.out, re.MULTILINE)


def test_clean_pictures_pass(photos: Path, tmp_path: Path) -> None:
    outcome = fine(heldout("check", photos, "--json", cwd=tmp_path))
    assert outcome.json()["must_act"] is False
    assert outcome.json()["unreadable"] == []


def test_in_python_nothing_needs_to_be_written(photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = library.check(photos, out=None)
    assert (found.folder, found.must_act) == (None, False)
    assert list(tmp_path.iterdir()) == []


def test_data_in_which_nothing_is_readable_is_still_told_about(tmp_path: Path) -> None:
    for kind in ("blobs", "stripes"):
        broken(tmp_path / "data" / kind / "bad.jpg")
    outcome = heldout("check", tmp_path / "data", "--json", cwd=tmp_path)
    assert outcome.code == 1, outcome.err
    assert len(outcome.json()["unreadable"]) == 2


def test_nothing_is_written_among_the_pictures(tmp_path: Path) -> None:
    data = class_folders(tmp_path / "data", 2)
    before = content_of(data)
    is_told(heldout("check", data, "--out", data / "checks", cwd=tmp_path))
    is_told(heldout("check", ".", cwd=data))
    assert content_of(data) == before


def _finding(outcome: Outcome, code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(finding for finding in outcome.json()["findings"] if finding["code"] == code)
    return found
