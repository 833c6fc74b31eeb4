from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from heldout.data.examples import PARTS
from heldout.data.layouts.photos import find_photos
from heldout.errors import DataError

REAL = Path(__file__).parents[4] / "shared" / "data"
LABELS = [2, 10, 1, 2, 10, 1]
PARTS_OF = {"trnid": [6, 1, 2], "valid": [3], "tstid": [4, 5]}


def official(root: Path, labels: object = LABELS, parts: dict[str, list[int]] = PARTS_OF, n_pictures: int = 6) -> Path:
    (root / "jpg").mkdir()
    for number in range(1, n_pictures + 1):
        (root / f"jpg/image_{number:05d}.jpg").write_bytes(b"")
    savemat(root / "imagelabels.mat", {"labels": labels})
    savemat(root / "setid.mat", parts)
    return root


def test_numbers_count_from_one(tmp_path: Path) -> None:
    examples = find_photos(official(tmp_path))
    assert examples.layout == "flowers-102"
    assert examples.ids == tuple(f"jpg/image_{number:05d}.jpg" for number in range(1, 7))
    assert examples.classes == ("1", "10", "2")
    assert [examples.classes[label] for label in examples.labels] == [str(label) for label in LABELS]
    assert [PARTS[part] for part in examples.given] == ["train", "train", "validation", "test", "test", "train"]


@pytest.mark.parametrize(
    ("labels", "parts", "n_pictures", "message"),
    [
        (LABELS, PARTS_OF, 5, "1 of 6 pictures of .* are absent: 'jpg/image_00006.jpg'"),
        (LABELS, {"trnid": [1]}, 6, "no whole numbers under 'valid'; it holds 'trnid'"),
        (["a", "b"], PARTS_OF, 6, "no whole numbers under 'labels'"),
        ([1.5] * 6, PARTS_OF, 6, "no whole numbers under 'labels'"),
        (
            LABELS,
            PARTS_OF | {"tstid": [0, 4]},
            6,
            "tstid of .* names picture 0, but imagelabels.mat has labels for 1 to 6",
        ),
        (LABELS, PARTS_OF | {"tstid": [4, 7]}, 6, "names picture 7"),
        (
            LABELS,
            PARTS_OF | {"tstid": [4, 1]},
            6,
            "1 pictures of .* stand in two parts, the first is 1 in train and test",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tmp_path: Path, labels: object, parts: dict[str, list[int]], n_pictures: int, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        find_photos(official(tmp_path, labels, parts, n_pictures))


@pytest.mark.parametrize("name", ["imagelabels.mat", "setid.mat"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (official(tmp_path) / name).unlink()
    with pytest.raises(DataError, match=f"{name}' is not there"):
        find_photos(tmp_path)


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = official(tmp_path) / "setid.mat"
    path.write_bytes(path.read_bytes()[:150])
    with pytest.raises(DataError, match=r"setid.mat' cannot be read as a MATLAB file"):
        find_photos(tmp_path)


def test_the_official_files(tmp_path: Path) -> None:
    if not (REAL / "flowers102_official").is_dir():
        pytest.skip(f"{REAL / 'flowers102_official'} is not here")
    for name in ("imagelabels.mat", "setid.mat"):
        (tmp_path / name).symlink_to(REAL / "flowers102_official" / name)
    (tmp_path / "jpg").mkdir()
    for picture in (REAL / "flowers102_64").glob("*/*/*.jpg"):
        (tmp_path / "jpg" / picture.name).symlink_to(picture)
    examples = find_photos(tmp_path)
    assert np.bincount(examples.given).tolist() == [1020, 1020, 6149]
    assert len(examples.classes) == 102
    # The same pictures lie in class folders named by the official numbers: both readings must agree.
    by_folder = find_photos(REAL / "flowers102_64")
    expected = {
        Path(id_).name: (by_folder.classes[c], p)
        for id_, c, p in zip(by_folder.ids, by_folder.labels, by_folder.given, strict=True)
    }
    got = {
        Path(id_).name: (examples.classes[c], p)
        for id_, c, p in zip(examples.ids, examples.labels, examples.given, strict=True)
    }
    assert got == expected
    assert loadmat(tmp_path / "imagelabels.mat")["labels"][0, 0] == int(examples.classes[examples.labels[0]])
