"""DATA may be an archive or an address: the same numbers as from the folder, nothing unpacked, no secret written."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from archived import SUFFIXES, pack, patched, tar_entry, tar_of, zip_of
from journeys.command_line import content_of, fine, heldout, is_told
from journeys.conftest import Trained
from make import picture
from s3_server import KEY, SECRET, Served, serving


@pytest.fixture(scope="module")
def packed(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one archive of the photos of each kind; the folder is a bucket too."""
    root = tmp_path_factory.mktemp("buckets") / "bucket"
    for suffix in SUFFIXES:
        pack(photos, root / f"photos{suffix}", top="photos/")
    return root


@pytest.fixture(scope="module")
def served(packed: Path) -> Iterator[Served]:
    with serving(packed.parent) as server:
        yield server


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_archive_trains_to_the_same_answers_as_its_folder(
    trained: Trained, packed: Path, tmp_path: Path, suffix: str
) -> None:
    before = content_of(packed)
    content = fine(heldout("train", packed / f"photos{suffix}", "--json", cwd=tmp_path)).json()
    assert content["run"] == "runs/photos-001"
    one, other = (pq.read_table(run / "predictions.parquet") for run in (trained.folder, tmp_path / content["run"]))
    assert one.equals(other)
    assert content["scores"]["test"] == trained.printed["scores"]["test"]
    assert content_of(packed) == before
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_run_from_an_address_keeps_no_secret(trained: Trained, served: Served, tmp_path: Path) -> None:
    address = served.address("bucket/photos.zip")
    outcome = fine(heldout("train", address, "--json", cwd=tmp_path))
    content = outcome.json()
    assert content["scores"]["test"] == trained.printed["scores"]["test"]
    assert content["run"] == "runs/photos-001"
    secrets = [word.encode() for word in (KEY, SECRET, SECRET.replace("+", "%2B").split("%")[0], "s3cr3t")]
    texts = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    texts |= {Path("stdout"): outcome.out.encode(), Path("stderr"): outcome.err.encode()}
    assert len(texts) > 10
    assert not [(path, word) for path, data in texts.items() for word in secrets if word in data]
    plan = (tmp_path / content["run"] / "plan.toml").read_text()
    assert f'path = "s3://bucket/photos.zip?{served.options}"' in plan


def test_a_plan_from_an_address_works_with_credentials_in_the_environment(served: Served, tmp_path: Path) -> None:
    environment = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    address = f"s3://bucket/photos.tar?{served.options}"
    outcome = fine(heldout("check", address, "--json", cwd=tmp_path, environment=environment))
    assert outcome.json()["n"] == 60


def test_check_and_evaluate_take_archives_and_addresses(
    trained: Trained, packed: Path, served: Served, tmp_path: Path
) -> None:
    found = fine(heldout("check", packed / "photos.tar.gz", "--json", cwd=tmp_path)).json()
    assert (found["n"], found["unreadable"], found["samples"]) == (60, [], "checks/photos-001/samples.png")
    run = Path(shutil.copytree(trained.folder, tmp_path / "run"))  # where its held-out part is opened again
    outcome = heldout("evaluate", run, served.address("bucket/photos.zip"), "--json", cwd=tmp_path)
    assert outcome.code == 1  # they are the pictures that it was trained on, which it says
    assert outcome.json()["summary"]["n"] == 60
    assert SECRET not in outcome.out + outcome.err


def test_predict_takes_archives_and_addresses_beside_files(
    trained: Trained, packed: Path, served: Served, tmp_path: Path
) -> None:
    picture = trained.photos / "blobs" / "000.jpg"
    paths: list[str | Path] = [picture, packed / "photos.tar.gz", served.address("bucket/photos.zip"), picture]
    rows = fine(heldout("predict", trained.folder, *paths, "--json", cwd=tmp_path)).json()["predictions"]
    names = [path.relative_to(trained.photos).as_posix() for path in sorted(trained.photos.rglob("*.*"))]
    expected = [f"{packed}/photos.tar.gz/photos/{name}" for name in names]
    expected += [f"s3://bucket/photos.zip/photos/{name}" for name in names]
    assert [row["path"] for row in rows] == [str(picture), *expected, str(picture)]
    assert rows[0]["probabilities"] == rows[1]["probabilities"] == rows[61]["probabilities"]
    assert SECRET not in str(rows)


def _slip(data: Path) -> None:
    zip_of(data, [("cat/a.jpg", b"x"), ("../../escaped.jpg", b"x")])


def _bomb(data: Path) -> None:
    zip_of(data, [("cat/a.jpg", bytes(100_000_000)), ("dog/b.jpg", b"x")])


def _lie(data: Path) -> None:
    patched(zip_of(data, [("cat/a.jpg", b"x" * 9999), ("dog/b.jpg", b"x")]), "cat/a.jpg", "size", 99)


def _locked(data: Path) -> None:
    patched(zip_of(data, [("cat/a.jpg", b"x"), ("dog/b.jpg", b"x")]), "cat/a.jpg", "flags", 1)


def _cut(data: Path) -> None:
    tar_of(data, [("cat/a.jpg", bytes(range(256)) * 99), ("dog/b.jpg", b"x")])
    data.write_bytes(data.read_bytes()[:-30])


def _device(data: Path) -> None:
    tar_of(data, [("cat/a.jpg", b"x"), (tar_entry("dog/b.jpg", b"3"), b"")])


def _nested(data: Path) -> None:
    picture(data.parent / "inside" / "cat" / "a.png", "blobs", 0)
    zip_of(
        data, [("cat/in.zip", pack(data.parent / "inside", data.parent / "in.zip").read_bytes()), ("dog/b.tar", b"")]
    )


@dataclass(frozen=True, slots=True)
class Case:
    """A hostile archive, and what is said of it."""

    name: str
    make: Callable[[Path], None]
    says: str


CASES = [
    Case("slip.zip", _slip, "leads out of a folder"),
    Case("bomb.zip", _bomb, "100,000,000 bytes"),
    Case("lie.zip", _lie, "claims 99 bytes"),
    Case("locked.zip", _locked, "is encrypted"),
    Case("cut.tar.gz", _cut, "cut short"),
    Case("device.tar", _device, "a character device"),
    Case("nested.zip", _nested, "but no picture"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_archive_is_told_and_leaves_nothing(case: Case, tmp_path: Path) -> None:
    case.make(tmp_path / case.name)
    before = content_of(tmp_path)
    outcome = heldout("check", case.name, cwd=tmp_path)
    is_told(outcome)
    assert case.says in outcome.err
    assert case.name in outcome.err
    assert content_of(tmp_path) == before


@pytest.mark.parametrize("address", ["https://user:s3cr3t@example.org/photos.zip", "nosuch://key:s3cr3t@host/photos"])
def test_an_address_that_is_not_opened_is_told_without_its_secret(address: str, tmp_path: Path) -> None:
    outcome = heldout("train", address, cwd=tmp_path)
    is_told(outcome)
    assert "s3cr3t" not in outcome.err
    assert list(tmp_path.iterdir()) == []
