"""The official distribution of Oxford Flowers-102 -> Examples.

`imagelabels.mat` holds the class 1 to 102 of every picture, `setid.mat` the numbers of the pictures in
`trnid`, `valid` and `tstid`. Both count from 1; picture 1 is `jpg/image_00001.jpg`.

Source: Nilsback and Zisserman, "Automated flower classification over a large number of classes", 2008.
"""

import io

import numpy as np
from jaxtyping import Int

from heldout.data.examples import PARTS, Examples, gather, some_of
from heldout.data.storage.sources import Source
from heldout.errors import DataError

LABELS_FILE = "imagelabels.mat"
PARTS_FILE = "setid.mat"
_PART_KEYS = ("trnid", "valid", "tstid")  # in the order of PARTS
_LAYOUT = f"the official layout: jpg/ with image_00001.jpg and so on, {LABELS_FILE} and {PARTS_FILE}"


def read_flowers102(source: Source) -> Examples:
    """The examples of data with `jpg/`, `imagelabels.mat` and `setid.mat`.

    Class names are the numbers 1 to 102 as strings, sorted as strings.

    Raises:
        DataError: A file is missing or is not what it should be, or pictures are absent.
    """
    labels = _numbers(source, LABELS_FILE, ("labels",))["labels"]
    parts = _parts(source, len(labels))
    names = [f"jpg/image_{number:05d}.jpg" for number in range(1, len(labels) + 1)]
    absent = [name for name in names if source.why_no_file(name)]
    if absent:
        raise DataError(
            f"{len(absent):,} of {len(names):,} pictures of {source.name!r} are absent: {some_of(absent)}",
            expected=_LAYOUT,
            fix="unpack 102flowers.tgz beside the two .mat files",
        )
    rows = [(name, str(label), int(part)) for name, label, part in zip(names, labels, parts, strict=True)]
    return gather(source, rows, layout="flowers-102")


def _parts(source: Source, n_pictures: int) -> Int[np.ndarray, " pictures"]:
    """For each picture the index into PARTS, -1 where no part names it."""
    numbers = _numbers(source, PARTS_FILE, _PART_KEYS)
    where = source.path_of(PARTS_FILE)
    parts = np.full(n_pictures, -1, np.int8)
    for part, key in enumerate(_PART_KEYS):
        chosen = numbers[key]
        outside = chosen[(chosen < 1) | (chosen > n_pictures)]
        if len(outside):
            raise DataError(
                f"{key} of {where!r} names picture {outside[0]}, but {LABELS_FILE} has labels for 1 to {n_pictures:,}",
                expected="two files of the same distribution, counting from 1",
                fix="download both again from the same place",
            )
        twice = chosen[parts[chosen - 1] >= 0]
        if len(twice):
            raise DataError(
                f"{len(twice):,} pictures of {where!r} stand in two parts, the first is "
                f"{twice[0]} in {PARTS[parts[twice[0] - 1]]} and {PARTS[part]}",
                expected="trnid, valid and tstid without a number in common",
                fix="download the file again",
            )
        parts[chosen - 1] = part
    return parts


def _numbers(source: Source, name: str, keys: tuple[str, ...]) -> dict[str, Int[np.ndarray, " numbers"]]:
    """The vectors of whole numbers under `keys` of a MATLAB file."""
    from scipy.io import loadmat

    path = source.path_of(name)
    reason = source.why_no_file(name)
    if reason:
        raise DataError(f"{path!r} is {reason}", expected=_LAYOUT, fix="download the missing file")
    with source.open(name) as file:
        content = file.read()
    try:
        stored = loadmat(io.BytesIO(content))
    except Exception as error:  # scipy raises OSError, ValueError, TypeError, NotImplementedError, zlib.error ...
        raise DataError(
            f"{path!r} cannot be read as a MATLAB file: {error}",
            expected="a MATLAB file of version 7.2 or older, as distributed",
            fix="download the file again",
        ) from error
    vectors = {key: np.ravel(stored[key]) for key in keys if key in stored}
    for key in keys:
        vector = vectors.get(key)
        if vector is None or vector.dtype.kind not in "iuf" or not np.array_equal(vector, np.floor(vector)):
            seen = some_of([name for name in stored if not name.startswith("__")])
            raise DataError(
                f"{path!r} has no whole numbers under {key!r}; it holds {seen or 'nothing'}",
                expected=f"a vector for each of {', '.join(keys)}",
                fix="download the official file again",
            )
    return {key: vector.astype(np.int64) for key, vector in vectors.items()}
