import json
import multiprocessing
import os
import signal
import time
from pathlib import Path
from threading import Thread

import pytest

from heldout.errors import DamagedRun, Locked, RunFolderError, StorageError, UsageError
from heldout.locking import LOCK_NAME, locked
from heldout.manifest import MANIFEST, write_manifest
from heldout.run_folders import fresh_folder, fresh_run_folder, is_finished, run_folder, started_run


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def made(out: Path, name: str) -> str:
    with fresh_run_folder(out, name) as folder:
        return folder.name


def test_run_folders_are_numbered_after_the_highest(tmp_path: Path) -> None:
    out = tmp_path / "runs"
    assert made(out, "a.b") == "a.b-001"
    (out / "a.b-007").touch()
    (out / "axb-030").mkdir()
    (out / "a.b-1x").mkdir()
    assert made(out, "a.b") == "a.b-008"
    (out / "a.b-999").mkdir()
    assert [made(out, "a.b") for _ in range(2)] == ["a.b-1000", "a.b-1001"]


def test_a_run_folder_has_its_first_files_and_its_lock_from_the_first_moment(tmp_path: Path) -> None:
    with fresh_run_folder(tmp_path, "a", first={"plan.toml": b"x = 1\n"}) as folder:
        assert names(tmp_path) == ["a-001"]
        assert names(folder) == [LOCK_NAME, "plan.toml"]
        with pytest.raises(Locked, match=f"in use by process {os.getpid()} on "), locked(folder):
            pass
    assert names(folder) == ["plan.toml"]


def test_an_output_that_cannot_be_is_an_error_of_ours_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot write"), fresh_run_folder(tmp_path / "file", "run"):
        pass
    with pytest.raises(StorageError, match="File name too long"):
        made(tmp_path / "new" / ("n" * 300), "run")
    assert names(tmp_path) == ["file"]


def _make_folders(out: Path, told: "multiprocessing.SimpleQueue[str]") -> None:
    for _ in range(5):
        with fresh_run_folder(out, "run", first={"plan.toml": b""}) as folder:
            told.put(folder.name)


def test_racing_processes_and_threads_never_share_a_folder(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    told: multiprocessing.SimpleQueue[str] = context.SimpleQueue()
    racers = [context.Process(target=_make_folders, args=(tmp_path, told)) for _ in range(10)]
    threads = [Thread(target=_make_folders, args=(tmp_path, told)) for _ in range(10)]
    for racer in racers:
        racer.start()
    for thread in threads:
        thread.start()
    found = [told.get() for _ in range(100)]
    for racer in racers:
        racer.join()
    for thread in threads:
        thread.join()
    assert sorted(found) == [f"run-{number:03d}" for number in range(1, 101)]
    assert names(tmp_path) == sorted(found)


def test_of_twenty_that_start_at_once_in_one_folder_exactly_one_wins(tmp_path: Path) -> None:
    gate, children = tmp_path / "gate", []
    for _ in range(20):
        child = os.fork()
        if not child:
            while not gate.exists():
                time.sleep(0.0005)
            try:
                with locked(tmp_path):
                    time.sleep(2)
                os._exit(0)
            except Locked as error:
                os._exit(error.exit_code)
        children.append(child)
    gate.touch()
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [0] + [75] * 19
    assert names(tmp_path) == ["gate"]


def test_what_a_killed_process_was_about_to_make_goes_at_the_next_start(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        Path.rename = lambda self, target: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment,method-assign,return-value]
        with fresh_run_folder(tmp_path, "run", first={"plan.toml": b""}):
            os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(names(tmp_path)) == 1
    assert made(tmp_path, "run") == "run-001"
    assert names(tmp_path) == ["run-001"]


def test_a_run_that_fails_by_an_error_of_ours_leaves_no_folder_unless_something_was_learned(tmp_path: Path) -> None:
    error = UsageError("mine", expected="", fix="")
    with pytest.raises(UsageError, match="mine"), fresh_run_folder(tmp_path / "runs", "a"):
        raise error
    assert not (tmp_path / "runs").exists()
    for kept in ("history.csv", "checkpoints"):
        with pytest.raises(UsageError, match="mine"), fresh_run_folder(tmp_path / "runs", "a") as folder:  # noqa: PT012
            (folder / kept).mkdir()
            raise error
    assert names(tmp_path / "runs") == ["a-001", "a-002"]


def test_nor_does_one_that_fails_for_want_of_memory(tmp_path: Path) -> None:
    with pytest.raises(MemoryError), fresh_run_folder(tmp_path / "runs", "a"):
        raise MemoryError
    assert not (tmp_path / "runs").exists()


def test_only_finished_runs_are_runs(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError, match=r"plan\.toml, scores\.json are absent"):
        run_folder(tmp_path)
    with pytest.raises(RunFolderError, match=r"is no run: plan\.toml is absent"):
        started_run(tmp_path)
    (tmp_path / "plan.toml").touch()
    with pytest.raises(RunFolderError, match=r": scores\.json is absent") as caught:
        run_folder(tmp_path)
    assert caught.value.fix == f"heldout resume {tmp_path}"
    assert started_run(tmp_path) == tmp_path
    (tmp_path / "scores.json").write_text("{}")
    assert run_folder(tmp_path) == tmp_path  # of a version without manifests
    assert is_finished(tmp_path)


def test_a_run_that_should_have_a_manifest_is_no_run_without_it(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").touch()
    (tmp_path / "scores.json").write_text(json.dumps({"manifest": MANIFEST}))
    assert not is_finished(tmp_path)
    with pytest.raises(DamagedRun, match=r"manifest\.json is absent"):
        run_folder(tmp_path)
    write_manifest(tmp_path)
    assert is_finished(tmp_path)
    assert run_folder(tmp_path) == tmp_path
    (tmp_path / "plan.toml").unlink()
    for check in (run_folder, started_run):
        with pytest.raises(DamagedRun, match=r"plan\.toml is absent"):
            check(tmp_path)


def _left_by_a_killed_process(folder: Path, *files: str) -> Path:
    folder.mkdir(parents=True)
    for name in (LOCK_NAME, *files):
        (folder / name).touch()
    return folder


def test_a_folder_of_one_go_stays_only_with_all_of_its_files(tmp_path: Path) -> None:
    out = tmp_path / "checks"
    with fresh_folder(out, "a", files=["x", "y"]) as folder:
        for name in ("x", "y"):
            (folder / name).touch()
    assert names(folder) == ["x", "y"]
    for error in (KeyboardInterrupt, ValueError):
        with pytest.raises(error), fresh_folder(out, "a", files=["x", "y"]) as second:  # noqa: PT012
            (second / "x").touch()
            raise error
    assert names(out) == ["a-001"]
    with pytest.raises(ValueError, match="new"), fresh_folder(tmp_path / "new", "a", files=["x"]):
        raise ValueError("new")
    assert names(tmp_path) == ["checks"]


def test_what_killed_processes_left_of_such_folders_goes_and_nothing_else(tmp_path: Path) -> None:
    kept = {
        "run-001": ("plan.toml", "environment.json"),
        "theirs-001": ("x", "notes.txt"),
        "done-001": ("x", "y"),
        "used-001": ("x",),
    }
    for name, files in kept.items():
        _left_by_a_killed_process(tmp_path / name, *files)
    (tmp_path / "plain-001").mkdir()
    _left_by_a_killed_process(tmp_path / "left-001", "x")
    _left_by_a_killed_process(tmp_path / "left-002", ".heldout-tmp-y-0123")
    with locked(tmp_path / "used-001"), fresh_folder(tmp_path, "left", files=["x", "y"]) as folder:
        for name in ("x", "y"):
            (folder / name).touch()
        assert sorted({*names(tmp_path)}) == sorted([*kept, "plain-001", "left-001"])
    assert folder.name == "left-001"
    assert names(tmp_path / "done-001") == ["x", "y"]
    assert names(tmp_path / "run-001") == [LOCK_NAME, "environment.json", "plan.toml"]
