import os
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from archived import SUFFIXES, pack, zip_of
from heldout.data.examples import Examples
from heldout.data.layouts.photos import find_photos
from heldout.data.pictures.decoding import UnreadablePicture
from heldout.data.storage.archives import ArchiveSource, is_archive, open_archive
from heldout.data.storage.random_access import LocalFile
from heldout.data.storage.sources import MAX_FILE_BYTES
from heldout.errors import DataError
from heldout.training.looking import look_at
from heldout.training.stores import FactStore
from make import class_folders


def write(root: Path, *names: str) -> Path:
    """Files with a content of their own."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode() * 50)
    return root


def _classes(root: Path) -> None:
    write(root, "cat/a.jpg", "cat/burst 1/b.JPG", "dog/c.png", "dog/notes.txt", "dog/.DS_Store", "loose.jpg", "READ.me")
    write(root, "inner.zip", "cat/inner.tar.gz", "new\nline/\x1b[31m<script>.jpg")
    (root / "empty").mkdir()


def _parts(root: Path) -> None:
    write(root, "train/cat/a.jpg", "train/dog/b.jpg", "val/cat/c.jpg", "test/dog/d.jpg", "beside/x.jpg")
    (root / "test/cat").mkdir()


def _listings(root: Path) -> None:
    write(root, *(f"jpg/image_{number}.jpg" for number in range(6)))
    for part, numbers in (("train", (0, 1)), ("val", (2, 3)), ("test", (4, 5))):
        lines = [f"{'jpg/' * (number % 2)}image_{number}.jpg {number % 2}\n" for number in numbers]
        (root / f"{part}file.txt").write_text("".join(lines))


def _flowers102(root: Path) -> None:
    write(root, *(f"jpg/image_{number:05d}.jpg" for number in range(1, 7)))
    savemat(root / "imagelabels.mat", {"labels": [2, 10, 1, 2, 10, 1]})
    savemat(root / "setid.mat", {"trnid": [6, 1, 2], "valid": [3], "tstid": [4, 5]})


LAYOUTS = {"class folders": _classes, "split folders": _parts, "listing": _listings, "flowers-102": _flowers102}


def content(examples: Examples) -> tuple[object, ...]:
    lists = (examples.labels.tolist(), examples.given.tolist())
    return (examples.ids, examples.classes, *lists, examples.layout, examples.passed_over)


@pytest.mark.parametrize("top", ["", "data/", "./", "./one/two/"])
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_archive_is_read_as_the_folder_that_it_was_made_of(
    tmp_path: Path, layout: str, suffix: str, top: str
) -> None:
    LAYOUTS[layout](tmp_path / "folder")
    folder = find_photos(tmp_path / "folder")
    archive = find_photos(pack(tmp_path / "folder", tmp_path / f"packed{suffix}", top=top))
    assert content(archive) == content(folder)
    assert archive.layout == layout
    for name in folder.ids:
        assert archive.source.read(name) == folder.source.read(name)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_looking_at_an_archive_finds_what_looking_at_the_folder_does_and_writes_nothing(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = find_photos(class_folders(tmp_path / "photos", 3))
    archive = find_photos(pack(tmp_path / "photos", tmp_path / f"photos{suffix}"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "here"))
    looks = [
        look_at(examples.source, examples.ids, [], FactStore(tmp_path / f"facts-{number}", 64))
        for number, examples in enumerate((folder, archive))
    ]
    assert looks[0].survey == looks[1].survey
    assert looks[0].n_decoded == 9
    assert list((tmp_path / "here").iterdir()) == []


def large(tmp_path: Path, suffix: str) -> tuple[ArchiveSource, dict[str, bytes]]:
    """An archive of 6 MB, so that a gzip file's states are needed."""
    generator = np.random.default_rng(0)
    files = {f"{'ab'[i % 2]}/{i}.jpg": generator.bytes(int(generator.integers(1, 100_000))) for i in range(120)}
    for name, data in files.items():
        (tmp_path / "large" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "large" / name).write_bytes(data)
    archive = pack(tmp_path / "large", tmp_path / f"large{suffix}")
    return open_archive(LocalFile(archive), str(archive)), files


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_threads_read_at_once_in_any_order(tmp_path: Path, suffix: str) -> None:
    source, files = large(tmp_path, suffix)
    names = [name for seed in range(6) for name in np.random.default_rng(seed).permutation(list(files)).tolist()]
    with ThreadPoolExecutor(6) as pool:
        for name, data in zip(names, pool.map(source.read, names), strict=True):
            assert data == files[name]


def test_the_file_is_closed_when_nobody_needs_it_any_more(tmp_path: Path) -> None:
    handles = Path("/proc/self/fd")
    before = len(list(handles.iterdir()))
    source, _ = large(tmp_path, ".zip")
    assert len(list(handles.iterdir())) == before + 1
    del source
    assert len(list(handles.iterdir())) == before


def test_an_archive_that_is_removed_meanwhile_is_read_to_its_end(tmp_path: Path) -> None:
    source, files = large(tmp_path, ".tar")
    (tmp_path / "large.tar").unlink()
    assert all(source.read(name) == data for name, data in files.items())


def test_train_alone_is_a_part_and_no_wrapping(tmp_path: Path) -> None:
    examples = find_photos(pack(write(tmp_path / "d", "train/cat/a.jpg", "train/dog/b.jpg"), tmp_path / "d.zip"))
    assert (examples.layout, examples.ids) == ("split folders", ("train/cat/a.jpg", "train/dog/b.jpg"))


def test_one_folder_of_pictures_is_one_class(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="one class only, 'cat', with 2 pictures"):
        find_photos(pack(write(tmp_path / "d", "cat/a.jpg", "cat/b.jpg"), tmp_path / "d.zip"))


def test_what_macos_adds_is_passed_over(tmp_path: Path) -> None:
    names = ["photos/cat/a.jpg", "photos/dog/b.jpg", "__MACOSX/photos/cat/._a.jpg", "__MACOSX/photos/dog/._b.jpg"]
    examples = find_photos(pack(write(tmp_path / "d", *names), tmp_path / "d.zip"))
    assert examples.ids == ("cat/a.jpg", "dog/b.jpg")
    assert examples.source.name == str(tmp_path / "d.zip/photos")


def test_messages_name_the_archive_and_the_place_inside(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_photos(pack(write(tmp_path / "d", "x/a/1.jpg", "x/A/1.jpg"), tmp_path / "d.tar"))
    assert f"{tmp_path}/d.tar/x" in caught.value.what
    with pytest.raises(DataError, match="is empty"):
        find_photos(zip_of(tmp_path / "e.zip", []))


def test_a_member_that_is_absent_or_too_large_is_unreadable(tmp_path: Path) -> None:
    with (tmp_path / "big.tar").open("wb") as tar:  # a header and a hole
        entry = tarfile.TarInfo("cat/a.jpg")
        entry.size = MAX_FILE_BYTES + 512
        tar.write(entry.tobuf())
        tar.truncate(512 + entry.size + 1024)
    source = open_archive(LocalFile(tmp_path / "big.tar"), "big.tar")
    with pytest.raises(UnreadablePicture, match="more than the limit"):
        source.read("cat/a.jpg")
    with pytest.raises(UnreadablePicture, match="not in the archive"):
        source.read("cat/b.jpg")


def test_a_damaged_listing_inside_is_told(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "d.zip", [("trainfile.txt", b"a.jpg 0\n" * 50)])
    data = archive.read_bytes()
    at = data.index(b"trainfile.txt") + 20
    archive.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    with pytest.raises(DataError, match=r"cannot read .*d.zip/trainfile.txt': damaged in the archive"):
        find_photos(archive)


@pytest.mark.parametrize("name", ["photos.zip", "photos.tar", "photos.tar.gz", "photos.tgz", "photos.ZIP"])
def test_a_file_that_only_is_called_an_archive_is_refused(tmp_path: Path, name: str) -> None:
    assert is_archive(name)
    for data in (b"", b"<html>404</html>", bytes(4096), os.urandom(5000)):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(DataError, match=r"cannot be read: |\.tar' is empty") as caught:
            find_photos(tmp_path / name)
        assert str(tmp_path / name) in caught.value.what
