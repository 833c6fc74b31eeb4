import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from heldout.data import survey
from heldout.data.decoding import UnreadablePicture
from heldout.data.survey import in_order, read_file


def n_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(autouse=True)
def _no_handle_left() -> Iterator[None]:
    before = n_open_files()
    yield
    assert n_open_files() == before


def test_the_bytes_and_their_hash(tmp_path: Path) -> None:
    file = tmp_path / "a b\N{SNOWMAN}.jpg"
    file.write_bytes(b"content")
    assert read_file(file) == (b"content", hashlib.sha256(b"content").hexdigest())


@pytest.mark.timeout(10)
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(UnreadablePicture, match="not a regular file"):
        read_file(tmp_path / "a.jpg")


def test_endless_devices_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("/dev/zero")
    with pytest.raises(UnreadablePicture, match="not a regular file"):
        read_file(tmp_path / "a.jpg")


def test_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePicture, match="not a regular file"):
        read_file(tmp_path)


@pytest.mark.parametrize(
    ("name", "reason"), [("absent.jpg", "No such file"), ("a\0b", "null"), ("n" * 300, "too long")]
)
def test_what_cannot_be_opened_is_told(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(UnreadablePicture, match=f"cannot be opened: .*{reason}"):
        read_file(tmp_path / name)


def test_loops_of_links_are_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UnreadablePicture, match="cannot be opened: Too many levels"):
        read_file(tmp_path / "loop")


def test_files_without_permission_are_told(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    file.write_bytes(b"x")
    file.chmod(0)
    with contextlib.ExitStack() as stack:
        if os.geteuid() == 0:
            for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
                folder.chmod(0o755)
            os.seteuid(65534)
            stack.callback(os.seteuid, 0)
        with pytest.raises(UnreadablePicture, match="cannot be opened: Permission denied"):
            read_file(file)


def test_files_too_large_are_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    with file.open("wb") as sparse:
        sparse.truncate(survey.MAX_FILE_BYTES + 1)
    with pytest.raises(UnreadablePicture, match="536,870,913 bytes, more than the limit"):
        read_file(file)


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_order_whoever_is_first(n_threads: int) -> None:
    def job(index: int) -> int:
        time.sleep(0.002 * (index % 3 == 0))
        return index

    assert list(in_order(job, 40, n_threads=n_threads)) == list(range(40))
    assert list(in_order(job, 0, n_threads=n_threads)) == []


def test_what_is_begun_is_bounded() -> None:
    begun: list[int] = []
    results = in_order(begun.append, 1000, n_threads=2)
    next(results)
    time.sleep(0.05)
    assert len(begun) <= 4 * 2
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 4 * 2


def test_an_error_is_raised_in_its_turn_and_ends_the_work() -> None:
    begun: list[int] = []

    def job(index: int) -> int:
        begun.append(index)
        if index == 5:
            raise ValueError("the fifth")
        return index

    results = in_order(job, 1000, n_threads=2)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="the fifth"):
        next(results)
    assert max(begun) < 20


def test_no_thread_is_left_when_the_reader_stops_early() -> None:
    results = in_order(lambda index: index, 100, n_threads=2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("heldout-decode")]
