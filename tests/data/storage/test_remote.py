from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from archived import SUFFIXES, pack
from heldout.data.examples import Examples
from heldout.data.layouts.photos import find_photos
from heldout.data.pictures.decoding import UnreadablePicture
from heldout.data.storage.remote import (
    Place,
    RemoteSource,
    is_address,
    local_path,
    name_of,
    open_address,
    scrubbed,
    without_secrets,
)
from heldout.errors import DataError
from heldout.training.looking import look_at
from heldout.training.stores import FactStore
from make import class_folders
from s3_server import KEY, SECRET, Served, serving


@pytest.fixture(scope="module")
def buckets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One bucket with pictures in class folders, archives of them, and listings."""
    root = tmp_path_factory.mktemp("buckets")
    photos = class_folders(root / "bucket" / "photos", 3)
    (photos / "blobs" / "a b#?%+.jpg").write_bytes((photos / "blobs" / "000.jpg").read_bytes())
    (photos / "meadow" / "notes.txt").write_text("notes")
    for suffix in SUFFIXES:
        pack(photos, root / "bucket" / "packed" / f"photos{suffix}", top="photos/")
    names = sorted(path.relative_to(root / "bucket").as_posix() for path in photos.rglob("*.jpg"))
    labels = [name.split("/")[1] for name in names]
    (root / "bucket" / "labels.csv").write_text("path,label\n" + "".join(map("{},{}\n".format, names, labels)))
    pq.write_table(pa.table({"path": names, "label": labels}), root / "bucket" / "labels.parquet")
    return root


@pytest.fixture(scope="module")
def served(buckets: Path) -> Iterator[Served]:
    with serving(buckets) as server:
        yield server


def content(examples: Examples) -> tuple[object, ...]:
    return (examples.ids, examples.classes, examples.labels.tolist(), examples.layout, examples.passed_over)


def same_pictures(found: Examples, expected: Examples) -> None:
    assert content(found) == content(expected)
    assert all(found.source.read(name) == expected.source.read(name) for name in found.ids)
    assert KEY not in repr(found)
    assert SECRET not in repr(found)


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_folder_is_read_as_the_one_on_disk(buckets: Path, served: Served, slash: str) -> None:
    found = find_photos(served.address(f"bucket/photos{slash}"))
    same_pictures(found, find_photos(buckets / "bucket" / "photos"))
    assert found.source.name == "s3://bucket/photos"
    assert "blobs/a b#?%+.jpg" in found.ids


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_archive_is_read_as_the_one_on_disk(buckets: Path, served: Served, suffix: str) -> None:
    found = find_photos(served.address(f"bucket/packed/photos{suffix}"))
    same_pictures(found, find_photos(buckets / "bucket" / "packed" / f"photos{suffix}"))
    assert found.source.name == f"s3://bucket/packed/photos{suffix}/photos"


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_listing_is_read_as_the_one_on_disk(buckets: Path, served: Served, suffix: str) -> None:
    found = find_photos(served.address(f"bucket/labels{suffix}"))
    same_pictures(found, find_photos(buckets / "bucket" / f"labels{suffix}"))


def test_a_file_address_is_the_path(buckets: Path) -> None:
    path = buckets / "bucket" / "photos"
    same_pictures(find_photos(path.as_uri()), find_photos(path))
    assert local_path("file:///a%20b") == Path("/a b")


def test_a_look_reads_each_picture_once_and_in_threads(tmp_path: Path, served: Served) -> None:
    examples = find_photos(served.address("bucket/photos"))
    before = len(served.requests)
    look = look_at(examples.source, examples.ids, [], FactStore(tmp_path, 64))
    assert (look.n_decoded, len(examples)) == (9, 10)  # two files are the same
    fetched = [request for request in served.requests[before:] if request.startswith("GET ")]
    assert len(fetched) == len(set(fetched)) == len(examples)


def test_threads_read_an_archive_at_once(served: Served) -> None:
    examples = find_photos(served.address("bucket/packed/photos.zip"))
    names = list(examples.ids) * 2
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(examples.source.read, names))
    assert found == [examples.source.read(name) for name in names]


def test_a_file_that_vanished_is_unreadable(buckets: Path, served: Served) -> None:
    source = RemoteSource(open_address(served.address("bucket/photos")))
    with pytest.raises(UnreadablePicture, match="not there"):
        source.read("blobs/none.jpg")
    assert source.why_no_file("blobs/none.jpg") == "not there"
    assert source.why_no_file("blobs") == "a folder"


def test_a_file_that_is_too_large_is_unreadable(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heldout.data.storage.sources.MAX_FILE_BYTES", 100)
    with pytest.raises(UnreadablePicture, match="more than the limit of 100"):
        RemoteSource(open_address(served.address("bucket/photos"))).read("blobs/000.jpg")


def test_what_does_not_exist_is_told(served: Served) -> None:
    for path in ("bucket/none", "none/photos"):
        with pytest.raises(DataError, match=f"'s3://{path}' does not exist"):
            find_photos(served.address(path))


@pytest.mark.parametrize("path", ["bucket/photos", "bucket/packed/photos.tar"])
def test_a_service_that_refuses_all_at_once_is_an_error_and_no_unreadable_picture(buckets: Path, path: str) -> None:
    with serving(buckets) as server:
        examples = find_photos(server.address(path))
        assert len(examples.source.read(examples.ids[0])) > 1000
        server.refuses = True
        with pytest.raises(DataError, match=f"cannot read 's3://{path}': ") as caught:
            examples.source.read(examples.ids[0])
        with pytest.raises(DataError, match="ACCESS_DENIED"):
            find_photos(server.address(path))
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


ADDRESSES = [
    ("s3://key:secret@bucket/a/b", "s3://bucket/a/b"),
    ("s3://key@bucket/a", "s3://bucket/a"),
    ("s3://bucket/me@home/photos", "s3://bucket/me@home/photos"),
    ("s3://key:sec/ret@bucket/a", "s3://bucket/a"),
    ("s3://key:sec?ret@bucket/a", "s3://bucket/a"),
    ("s3://key:sec@ret@bucket/a", "s3://bucket/a"),
    ("S3://key:secret@bucket/a?scheme=http&session_token=secret", "S3://bucket/a?scheme=http"),
    ("gs://anonymous@bucket/a", "gs://anonymous@bucket/a"),
    ("abfs://container:secret@host/a?client_secret=secret&tenant_id=1", "abfs://container@host/a?tenant_id=1"),
    ("hdfs://host:9000/me@home", "hdfs://host:9000/me@home"),
    ("https://user:secret@host/a.zip?token=secret", "https://user@host/a.zip"),
    ("photos/key:secret@bucket", "photos/key:secret@bucket"),
]


@pytest.mark.parametrize(("address", "shown"), ADDRESSES)
def test_secrets_are_left_out(address: str, shown: str) -> None:
    assert without_secrets(address) == shown
    assert without_secrets(shown) == shown
    assert "sec" not in Place(address, None, "").shown or not is_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "s3://key:s3cr3t/x@bucket/photos?scheme=http",
        "s3://key:s3cr3t%2Fx@bucket/photos?secret_access_key=s3cr3t",
        "s3://key:s3cr3t%2Fx@bucket/ph otos",
        "nosuch://key:s3cr3t@bucket/photos",
        "https://key:s3cr3t@host/photos.zip",
        "s3://key:s3cr3t@",
    ],
)
def test_no_error_shows_a_secret(address: str) -> None:
    with pytest.raises(DataError) as caught:
        open_address(address)
    assert "s3cr3t" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_secrets_that_a_service_repeats_are_taken_out() -> None:
    address = "s3://key-one:pass%2Fword@bucket/x?token=hidden"
    text = f"403 for {address}: key-one with pass/word or pass%2Fword and hidden"
    assert scrubbed(text, address) == "403 for s3://bucket/x: *** with *** or *** and ***"


def test_names_of_runs_have_nothing_of_an_address_but_its_last_part() -> None:
    assert name_of("s3://key:secret@bucket/a/flowers.v2/?x=1") == "flowers"
    assert name_of("s3://key:secret@bucket") == "bucket"
    assert name_of("/x/photos.tar.gz") == "photos"
    assert name_of("file:///x/photos") == "photos"


def test_addresses_and_paths_are_told_apart() -> None:
    assert is_address("gs://a")
    assert not any(is_address(path) for path in ("a", "/a", "C:/a", "a:b", Path("s3://a")))
