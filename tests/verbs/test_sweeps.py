"""The ranking of a finished sweep is read whole, or refused."""

import json
from pathlib import Path
from typing import Any

import pytest

import heldout as library
from heldout.errors import DamagedRun, RunFolderError
from heldout.manifest import write_manifest
from heldout.verbs.sweeps import read_sweep, sweep_folder
from make_sweeps import DIFFERENCE, record, setting, sweep


def test_a_sweep_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "sweep", record())
    found = read_sweep(folder)
    assert [setting["rank"] for setting in found.settings] == [1, 2, None]
    assert found.between_regimes == record()["compared"]
    assert found.as_dict() == {"sweep": str(folder), **record(), "findings": []}
    assert library.compare(folder) == found


@pytest.mark.parametrize("name", ["", "sweep.json", "ledger.jsonl"])
def test_a_sweep_may_be_named_by_its_folder_or_a_file_in_it(tmp_path: Path, name: str) -> None:
    folder = sweep(tmp_path / "sweep", record())
    (folder / "ledger.jsonl").touch()
    assert sweep_folder(folder / name) == folder
    assert sweep_folder(tmp_path) is None


def test_a_sweep_that_is_not_finished_is_told_how_to_go_on(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "sweep", record())
    (folder / "sweep.json").unlink()
    with pytest.raises(RunFolderError, match="not finished") as told:
        library.compare(folder)
    assert "the same `heldout sweep` command" in told.value.fix


def test_a_record_that_was_changed_is_damage_where_there_is_a_manifest(tmp_path: Path) -> None:
    folder = sweep(tmp_path / "sweep", record())
    write_manifest(folder)
    assert read_sweep(folder).content["n_trials"] == 9
    (folder / "sweep.json").write_text(json.dumps(record() | {"n_trials": 8}))
    with pytest.raises(DamagedRun, match=r"sweep\.json"):
        read_sweep(folder)


def _without(path: list[str | int]) -> Any:
    content: Any = record()
    inner = content
    for key in path[:-1]:
        inner = inner[key]
    del inner[path[-1]]
    return content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ([], "format 1"),
        (record() | {"format": 2}, "format 1"),
        (record() | {"settings": []}, "settings are not whole"),
        (record() | {"settings": [3]}, "settings are not whole"),
        (_without(["settings", 1, "mean"]), "settings are not whole"),
        (_without(["settings", 1, "versus_best", "p"]), "a difference in it"),
        (_without(["compared", 0, "b"]), "comparisons are not whole"),
        (record() | {"compared": [{"a": "", "b": "", "difference": None}]}, "a difference in it"),
        (record() | {"compared": [{"a": "", "b": "", "difference": DIFFERENCE | {"p": "0"}}]}, "a difference in it"),
        (record() | {"settings": [setting("full", 1, [0.9]) | {"low": "x"}]}, "no number"),
        (record() | {"settings": [setting("full", 1, [0.9]) | {"scores": 0.9}]}, "no number"),
        (_without(["winner"]), "'winner' is absent"),
    ],
)
def test_a_record_of_another_shape_is_damage(tmp_path: Path, content: object, why: str) -> None:
    with pytest.raises(DamagedRun, match=why):
        read_sweep(sweep(tmp_path / "sweep", content))
