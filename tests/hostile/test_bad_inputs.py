"""What anybody may put before heldout: it is refused in one clear message, or used by a rule that is written down.

Every case goes through the real command line, with a limit on memory and on time. What must be said stands in the
tables of the builders: pictures.py, folders.py, models.py, archives.py and configuration.py. Tables of numbers and the
server have no cases here, because heldout has neither.
"""

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hostile import pictures
from hostile.archives import ARCHIVES, many_entries
from hostile.configuration import CONFIGURATION
from hostile.folders import FOLDERS, ODD_CLASSES, ODD_NAMES, PASSED_OVER, Case, photos, with_no_files, with_odd_names
from hostile.limited import MAX_RESIDENT_BYTES, SECONDS, Commands, Ended, Limits, state_of
from hostile.models import MODELS
from hostile.runs import RUNS
from journeys.command_line import heldout, is_told
from make import pixels


def is_bounded(ended: Ended, home: Path) -> None:
    """No traceback, no time-out, little memory, and nothing left where temporary files lie."""
    assert "Traceback" not in ended.outcome.err, ended.outcome.err
    assert ended.outcome.code != -9, f"killed after {ended.seconds:.0f} s: {ended.outcome.err}"
    assert ended.seconds < SECONDS
    assert ended.resident_bytes < MAX_RESIDENT_BYTES
    assert list((home / "tmp").iterdir()) == []


def met(case: Case, commands: Commands, home: Path) -> None:
    """Run a case, and see that all is as its row of the table says."""
    arguments = case.make(home)
    (home / "tmp").mkdir()
    before = state_of(home)
    ended = commands.run(*arguments, home=home, limits=case.limits)
    is_bounded(ended, home)
    made = str(home / "checks")
    after = {name: what for name, what in state_of(home).items() if case.code > 1 or not name.startswith(made)}
    assert after == before
    if case.code > 1:
        is_told(ended.outcome, case.code)
        assert ended.outcome.err.count("error: ") == 1
    else:
        assert ended.outcome.code == case.code, ended.outcome.err
    said = ended.outcome.err if case.code > 1 else ended.outcome.out
    for words in case.says:
        assert words in said, said


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: case.name)
def test_folders(case: Case, checking: Commands, tmp_path: Path) -> None:
    met(case, checking, tmp_path)


@pytest.mark.parametrize("case", ARCHIVES, ids=lambda case: case.name)
def test_archives(case: Case, checking: Commands, tmp_path: Path) -> None:
    met(case, checking, tmp_path)


@pytest.mark.parametrize("case", CONFIGURATION, ids=lambda case: case.name)
def test_configuration(case: Case, training: Commands, tmp_path: Path) -> None:
    met(case, training, tmp_path)


@pytest.mark.parametrize("case", MODELS, ids=lambda case: case.name)
def test_weights(case: Case, training: Commands, tmp_path: Path) -> None:
    met(case, training, tmp_path)


@pytest.mark.parametrize("case", RUNS, ids=lambda case: case.name)
def test_run_folders(case: Case, training: Commands, tmp_path: Path) -> None:
    met(case, training, tmp_path)


# Pictures: all in one folder, looked at once.


@pytest.fixture(scope="module")
def looked(tmp_path_factory: pytest.TempPathFactory, checking: Commands) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("pictures")
    pictures.write_all(home / "photos")
    before = state_of(home / "photos")
    ended = checking.run("check", "photos", "--json", home=home)
    is_bounded(ended, home)
    assert ended.outcome.code == 1, ended.outcome.err
    assert state_of(home / "photos") == before
    assert {path.name for path in home.iterdir()} == {"photos", "checks", "tmp"}
    content = ended.outcome.json()
    assert content["n"] == len(pictures.BAD) + len(pictures.ODD)
    return content


def test_no_picture_but_the_bad_ones_is_refused(looked: dict[str, Any]) -> None:
    refused = [one["id"] for one in looked["unreadable"]]
    assert refused == sorted(f"bad/{file.name}" for file in pictures.BAD)


@pytest.mark.parametrize("file", pictures.BAD, ids=lambda file: file.name)
def test_a_bad_picture_is_refused_with_the_reason(file: pictures.Bad, looked: dict[str, Any]) -> None:
    (reason,) = (one["reason"] for one in looked["unreadable"] if one["id"] == f"bad/{file.name}")
    assert re.search(file.reason, reason), reason
    assert "\n" not in reason


def test_odd_pictures_are_read_as_what_they_are(looked: dict[str, Any]) -> None:
    assert looked["modes"] == Counter(file.mode for file in pictures.ODD)
    assert looked["formats"] == Counter(file.format for file in pictures.ODD)
    assert looked["sizes"]["n_different"] == len({file.size for file in pictures.ODD})


def test_every_bad_picture_is_named_to_a_person_too(looked: dict[str, Any], checking: Commands, tmp_path: Path) -> None:
    for file in pictures.BAD[:4]:
        (tmp_path / "photos" / "bad").mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / "bad" / file.name).write_bytes(file.make())
    photos(tmp_path / "photos")
    ended = checking.run("check", "photos", home=tmp_path)
    assert ended.outcome.code == 1
    lines = ended.outcome.out.splitlines()
    begin = lines.index("error: 4 files cannot be read as pictures")
    assert [line.partition(": ")[0].strip() for line in lines[begin + 1 : begin + 5]] == sorted(
        f"bad/{file.name}" for file in pictures.BAD[:4]
    )


# Folders in which much is odd at once.


def test_what_is_no_file_is_passed_over_with_the_reason(checking: Commands, tmp_path: Path) -> None:
    with_no_files(tmp_path / "photos")
    before = state_of(tmp_path / "photos")
    ended = checking.run("check", "photos", "--json", home=tmp_path)
    is_bounded(ended, tmp_path)
    content = ended.outcome.json()
    assert state_of(tmp_path / "photos") == before
    found = {thing["name"]: thing["reason"] for thing in content["passed_over"]}
    assert found.keys() == PASSED_OVER.keys()
    assert [name for name, reason in PASSED_OVER.items() if not found[name].startswith(reason)] == []
    assert content["unreadable"] == []
    assert content["n"] == 9  # the four of each class, and the link to a picture elsewhere


def test_odd_names_are_accepted_and_harmless(checking: Commands, tmp_path: Path) -> None:
    with_odd_names(tmp_path / "photos")
    ended = checking.run("check", "photos", "--json", home=tmp_path)
    is_bounded(ended, tmp_path)
    content = ended.outcome.json()
    assert content["classes"] == sorted(ODD_CLASSES)
    assert content["counts"]["free"][content["classes"].index("no")] == 3 + len(ODD_NAMES)
    assert content["unreadable"] == []
    ended = checking.run("check", "photos", home=tmp_path)
    is_bounded(ended, tmp_path)
    for letter in ("\x1b", "\x07", "\u202e"):
        assert letter not in ended.outcome.out + ended.outcome.err
    for page in (tmp_path / "checks").rglob("*.html"):
        text = page.read_text()
        assert not re.search(r"<script>alert|<img src=x|<b>bold|\b49\.png", text)


def test_copies_are_told_and_equal_pixels_are_no_crash(checking: Commands, tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for part in ("train", "test"):
        photos(root / part, start=0 if part == "train" else 500)
    one = Image.fromarray(pixels("blobs", 7)).resize((400, 333))
    (root / "train" / "cat" / "one.png").write_bytes(pictures.saved(one, "PNG"))
    (root / "train" / "dog" / "one.png").write_bytes(pictures.saved(one, "PNG"))
    (root / "test" / "cat" / "again.jpg").write_bytes(pictures.saved(one, "JPEG", quality=50))
    for part, number in (("train", 1), ("train", 2), ("test", 3)):
        grey = Image.new("RGB", (40 + number, 40), (128, 128, 128))
        (root / part / "cat" / f"grey{number}.png").write_bytes(pictures.saved(grey, "PNG"))
    ended = checking.run("check", "photos", "--json", home=tmp_path)
    is_bounded(ended, tmp_path)
    assert ended.outcome.code == 1
    findings = {finding["code"]: finding for finding in ended.outcome.json()["findings"]}
    assert "one-picture-two-labels" in findings
    where = [name for code, finding in findings.items() if "duplicate" in code for name in finding["where"]]
    assert "test/cat/again.jpg" in where


def test_files_that_change_between_two_looks_are_looked_at_again(checking: Commands, tmp_path: Path) -> None:
    root = photos(tmp_path / "photos", n=6)
    assert checking.run("check", "photos", "--json", home=tmp_path).outcome.json()["unreadable"] == []
    (root / "cat" / "000.png").unlink()
    cut, grown, other = (root / "cat" / f"00{number}.png" for number in (1, 2, 3))
    times = {path: path.stat().st_mtime_ns for path in (cut, grown, other)}
    whole = cut.read_bytes()
    cut.write_bytes(whole[: len(whole) // 2])
    grown.write_bytes(grown.read_bytes() + b"more")
    flipped = bytearray(other.read_bytes())
    flipped[flipped.index(b"IDAT") + 40] ^= 1
    other.write_bytes(flipped)
    for path, mtime in times.items():
        os.utime(path, ns=(mtime, mtime))
    ended = checking.run("check", "photos", "--json", home=tmp_path)
    is_bounded(ended, tmp_path)
    content = ended.outcome.json()
    assert content["n"] == 11
    assert [one["id"] for one in content["unreadable"]] == ["cat/001.png", "cat/003.png"]


def test_the_forked_command_says_what_the_command_says(checking: Commands, tmp_path: Path) -> None:
    (photos(tmp_path / "photos") / "cat" / "bad.jpg").write_text("no picture")
    forked = checking.run("check", "photos", home=tmp_path).outcome
    alone = heldout("check", "photos", cwd=tmp_path)
    assert (forked.code, forked.out.replace("photos-001", "photos-002")) == (alone.code, alone.out)


def test_little_memory_is_enough_for_small_pictures(checking: Commands, tmp_path: Path) -> None:
    photos(tmp_path / "photos", n=40)
    ended = checking.run("check", "photos", home=tmp_path, limits=Limits(address_bytes=3 * 2**29))
    assert (ended.outcome.code, ended.outcome.err.count("error")) == (0, 0), ended.outcome.err


@pytest.mark.slow
@pytest.mark.timeout(700)
def test_half_a_million_files_are_bounded(checking: Commands, tmp_path: Path) -> None:
    first = photos(tmp_path / "photos") / "cat" / "000.png"
    data = first.read_bytes()
    for number in range(500):
        folder = tmp_path / "photos" / "dog" / f"{number:03d}"
        folder.mkdir()
        (folder / "one.png").write_bytes(data)
        for copy in range(999):
            (folder / f"{copy:03d}.png").hardlink_to(folder / "one.png")
    ended = checking.run("check", "photos", "--json", home=tmp_path, limits=Limits(seconds=550))
    assert "Traceback" not in ended.outcome.err
    assert ended.outcome.json()["n"] == 500_008
    assert ended.resident_bytes < MAX_RESIDENT_BYTES


@pytest.mark.slow
def test_two_hundred_thousand_entries_of_a_zip_are_bounded(checking: Commands, tmp_path: Path) -> None:
    many_entries(tmp_path / "x.zip", 200_000)
    ended = checking.run("check", "x.zip", home=tmp_path)
    is_bounded(ended, tmp_path)
    is_told(ended.outcome)
    assert "200,000 other files, but no picture" in ended.outcome.err


@pytest.mark.slow
def test_ten_thousand_classes_are_bounded(checking: Commands, tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for number in range(10_000):
        folder = root / f"{number:05d}"
        folder.mkdir(parents=True)
        (folder / "empty.jpg").touch()
    ended = checking.run("check", "photos", "--json", home=tmp_path)
    is_bounded(ended, tmp_path)
    assert len(ended.outcome.json()["unreadable"]) == 10_000
