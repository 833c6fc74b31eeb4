import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from heldout.errors import DamagedRun, RunFolderError, StorageError
from heldout.records import (
    append_line,
    atomic_file,
    cache_folder,
    read_json,
    read_parquet,
    remove_if_ownerless,
    remove_strays,
    to_json,
    write_atomic,
    write_csv,
    write_parquet,
)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


# Atomic files


def test_a_file_is_written_whole_into_a_new_folder(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a" / "b" / "file", b"new")
    assert (tmp_path / "a" / "b" / "file").read_bytes() == b"new"
    assert names(tmp_path / "a" / "b") == ["file"]


@pytest.mark.parametrize("error", [ValueError("mine"), KeyboardInterrupt("mine")])
def test_an_error_leaves_the_old_content_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    write_atomic(tmp_path / "file", b"old")
    with pytest.raises(type(error), match="mine"), atomic_file(tmp_path / "file") as file:  # noqa: PT012
        file.write(b"half")
        raise error
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_folder_in_the_place_of_a_file_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(StorageError, match=r"cannot write .*Is a directory"):
        write_atomic(tmp_path / "file", b"x")
    assert names(tmp_path) == ["file"]


def test_a_file_in_the_place_of_a_folder_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError, match="cannot write"):
        write_atomic(tmp_path / "file" / "inner", b"x")


def test_a_full_disk_is_an_error_of_ours_and_leaves_the_old_content(tmp_path: Path) -> None:
    script = """
import resource, signal, sys
from pathlib import Path
from heldout.errors import StorageError
from heldout.records import append_line, write_atomic, write_parquet
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
folder = Path(sys.argv[1])
write_atomic(folder / "file", b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
for write in (
    lambda: write_atomic(folder / "file", bytes(100_000)),
    lambda: write_parquet(folder / "table", {"a": [str(i) for i in range(100_000)]}),
    lambda: append_line(folder / "lines", {"a": "x" * 20_000}),
):
    try:
        write()
    except StorageError as error:
        print(error.exit_code, error.what.rpartition(": ")[2], error.fix)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.count("74 File too large raise the file-size limit") == 3, done.stdout + done.stderr
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file", "lines"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_an_error_of_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StorageError, match="Permission denied"):
        write_atomic(tmp_path / "file", b"x")


# What killed processes leave


def test_strays_are_removed_and_what_is_being_written_is_not(tmp_path: Path) -> None:
    stray = tmp_path / "inner" / ".heldout-tmp-file-0123"
    stray.parent.mkdir()
    stray.write_bytes(b"half")
    (tmp_path / "mine.txt").touch()
    with atomic_file(tmp_path / "inner" / "whole") as file:
        file.write(b"x")
        assert remove_strays(tmp_path) == 1
    assert names(tmp_path / "inner") == ["whole"]
    assert names(tmp_path) == ["inner", "mine.txt"]


def test_a_file_that_turned_out_to_be_wanted_stays(tmp_path: Path) -> None:
    for name in ("rows", "keys"):
        (tmp_path / name).touch()
    assert not remove_if_ownerless(tmp_path / "rows", unless=tmp_path / "keys")
    (tmp_path / "keys").unlink()
    assert remove_if_ownerless(tmp_path / "rows", unless=tmp_path / "keys")
    assert not remove_if_ownerless(tmp_path / "rows")


# Lines


def test_lines_are_appended(tmp_path: Path) -> None:
    for number in range(3):
        append_line(tmp_path / "log", {"number": number, "text": "a\nb"})
    lines = (tmp_path / "log").read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == [0, 1, 2]


def test_a_line_after_a_torn_one_stands_by_itself(tmp_path: Path) -> None:
    log = tmp_path / "log"
    append_line(log, {"number": 0})
    with log.open("ab") as file:
        file.write(b'{"numb')
    append_line(log, {"number": 2})
    append_line(log, {"number": 3})
    assert log.read_text().splitlines() == ['{"number": 0}', '{"numb', '{"number": 2}', '{"number": 3}']


def test_a_line_that_is_no_json_changes_nothing(tmp_path: Path) -> None:
    append_line(tmp_path / "log", {"number": 0})
    with pytest.raises(ValueError, match="not JSON compliant"):
        append_line(tmp_path / "log", {"number": float("nan")})
    assert (tmp_path / "log").read_text() == '{"number": 0}\n'


def test_a_line_into_an_absent_folder_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="No such file"):
        append_line(tmp_path / "absent" / "log", {})


# Contents


def test_json_comes_back(tmp_path: Path) -> None:
    value = {"b": [1, 0.1, "\N{SNOWMAN}\u2028"], "a": None}
    write_atomic(tmp_path / "file", to_json(value))
    assert read_json(tmp_path / "file") == value
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json(float("inf"))


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe", b"[" * 100_000, b"1" * 5000])
def test_damaged_json_is_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(DamagedRun, match="cannot be read"):
        read_json(tmp_path / "file")
    with pytest.raises(RunFolderError, match="is absent"):
        read_json(tmp_path / "absent")


def test_parquet_whose_strings_are_no_utf8_is_an_error_of_ours(tmp_path: Path) -> None:
    import pyarrow as pa

    write_parquet(tmp_path / "a.parquet", {"id": pa.array([b"\xff"]).view(pa.string())})
    with pytest.raises(DamagedRun, match=r"cannot be read: .*UTF8"):
        read_parquet(tmp_path / "a.parquet", ["id"])


def test_parquet_comes_back_and_damaged_parquet_is_an_error_of_ours(tmp_path: Path) -> None:
    write_parquet(tmp_path / "file", {"a": [1, 2], "b": ["x", None]})
    assert read_parquet(tmp_path / "file", ["b", "a"]).to_pydict() == {"b": ["x", None], "a": [1, 2]}
    (tmp_path / "cut").write_bytes((tmp_path / "file").read_bytes()[:-9])
    for name, columns in (("cut", ["a"]), ("absent", ["a"]), ("file", ["c"])):
        with pytest.raises(RunFolderError, match="cannot be read"):
            read_parquet(tmp_path / name, columns)


def test_csv_quotes_what_needs_it(tmp_path: Path) -> None:
    write_csv(tmp_path / "file", [{"a": 'x,"y"', "b": 1}, {"a": "z\n", "b": None}])
    assert (tmp_path / "file").read_text() == 'a,b\n"x,""y""",1\n"z\n",\n'


def test_the_cache_lies_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELDOUT_CACHE", "/own")
    assert cache_folder().parent == Path("/own")
    monkeypatch.delenv("HELDOUT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/base")
    assert cache_folder().parent == Path("/base/heldout")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/of")
    assert cache_folder().parent == Path("/home/of/.cache/heldout")
