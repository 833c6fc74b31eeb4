import json
import random
from pathlib import Path

import pytest

from heldout.errors import DamagedRun, RunFolderError
from heldout.manifest import MANIFEST, check_whole, find_damages, renew_manifest, write_manifest
from heldout.records import append_line, to_json, write_atomic


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder with files of several kinds, and a manifest."""
    rng = random.Random(0)
    for name, content in {
        "scores.json": to_json({"value": 0.5}),
        "model/weights.safetensors": rng.randbytes(3000),
        "empty.csv": b"",
        "report.html": b"<html></html>",
    }.items():
        write_atomic(tmp_path / name, content)
    append_line(tmp_path / "openings.jsonl", {"n": 1})
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "000001.json").touch()
    write_manifest(tmp_path)
    return tmp_path


def files(run: Path) -> list[Path]:
    return [path for path in sorted(run.rglob("*")) if path.is_file() and path.parent.name != "checkpoints"]


def test_a_run_that_was_left_alone_is_whole_and_own_notes_are_of_no_matter(run: Path) -> None:
    (run / "notes.txt").write_text("mine")
    assert find_damages(run) == []


def test_every_flipped_bit_of_every_file_is_found(run: Path) -> None:
    rng, n_found = random.Random(1), 0
    for path in files(run):
        content = path.read_bytes()
        for _ in range(100 if content else 0):
            place, bit = rng.randrange(len(content)), 1 << rng.randrange(8)
            path.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
            with pytest.raises(DamagedRun, match=path.name):
                check_whole(run)
            n_found += 1
        path.write_bytes(content)
    assert n_found == 500
    assert find_damages(run) == []


def test_every_truncation_and_every_deletion_is_found(run: Path) -> None:
    rng = random.Random(2)
    for path in files(run):
        content = path.read_bytes()
        for length in {rng.randrange(len(content)) for _ in range(50)} if content else ():
            path.write_bytes(content[:length])
            with pytest.raises(DamagedRun, match=path.name):
                check_whole(run)
        if path.name != MANIFEST:  # whose absence `run_folder` tells
            path.unlink()
            with pytest.raises(DamagedRun, match=rf"{path.name} is absent"):
                check_whole(run)
        path.write_bytes(content)
    assert find_damages(run) == []


def test_a_file_that_grew_is_found_but_a_log_may_grow(run: Path) -> None:
    append_line(run / "openings.jsonl", {"n": 2})
    assert find_damages(run) == []
    with (run / "report.html").open("ab") as file:
        file.write(b" ")
    assert [damage.name for damage in find_damages(run)] == ["report.html"]


def test_only_what_is_asked_for_is_looked_at(run: Path) -> None:
    (run / "report.html").unlink()
    check_whole(run, ["scores.json", "model/"])
    (run / "model" / "weights.safetensors").write_bytes(b"")
    with pytest.raises(DamagedRun, match=r"weights\.safetensors has 0 bytes, and 3,000 were written"):
        check_whole(run, ["scores.json", "model/"])
    assert len(find_damages(run)) == 2


def test_what_was_written_again_on_purpose_is_the_new_truth_and_nothing_else(run: Path) -> None:
    (run / "report.html").write_text("new")
    (run / "scores.json").write_text("{}")
    renew_manifest(run, ["report.html", "figures/"])
    assert [damage.name for damage in find_damages(run)] == ["scores.json"]
    (run / MANIFEST).unlink()
    renew_manifest(run, ["report.html"])
    assert not (run / MANIFEST).exists()


@pytest.mark.parametrize("content", [b"[]", b"{}", b'{"format": 0, "files": {}}', b'{"format": 1, "files": {"a": 1}}'])
def test_a_manifest_of_another_form_is_refused(run: Path, content: bytes) -> None:
    (run / MANIFEST).write_bytes(content)
    with pytest.raises(DamagedRun, match="is damaged"):
        find_damages(run)


def test_a_run_of_a_later_format_is_refused_by_its_number(run: Path) -> None:
    content = json.loads((run / MANIFEST).read_bytes())
    (run / MANIFEST).write_text(json.dumps(content | {"format": 2}))
    with pytest.raises(
        RunFolderError, match=r"is a run of format 2, which a newer heldout wrote(.|\n)*upgrade heldout"
    ):
        find_damages(run)
