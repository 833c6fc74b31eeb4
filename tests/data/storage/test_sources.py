import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from heldout.data.pictures.decoding import UnreadablePicture
from heldout.data.storage.sources import MAX_FILE_BYTES, FolderSource


def n_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture(autouse=True)
def _no_handle_left() -> Iterator[None]:
    before = n_open_files()
    yield
    assert n_open_files() == before


@pytest.mark.timeout(10)
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(UnreadablePicture, match="not a regular file"):
        FolderSource(tmp_path).read("a.jpg")


def test_endless_devices_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").symlink_to("/dev/zero")
    with pytest.raises(UnreadablePicture, match="not a regular file"):
        FolderSource(tmp_path).read("a.jpg")


def test_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePicture, match="not a regular file"):
        FolderSource(tmp_path).read("")


@pytest.mark.parametrize(
    ("name", "reason"), [("absent.jpg", "No such file"), ("a\0b", "null"), ("n" * 300, "too long")]
)
def test_what_cannot_be_opened_is_told(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(UnreadablePicture, match=f"cannot be opened: .*{reason}"):
        FolderSource(tmp_path).read(name)


def test_loops_of_links_are_told(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UnreadablePicture, match="cannot be opened: Too many levels"):
        FolderSource(tmp_path).read("loop")


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
            FolderSource(tmp_path).read("a.jpg")


def test_files_too_large_are_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "a.jpg"
    with file.open("wb") as sparse:
        sparse.truncate(MAX_FILE_BYTES + 1)
    with pytest.raises(UnreadablePicture, match="536,870,913 bytes, more than the limit"):
        FolderSource(tmp_path).read("a.jpg")
