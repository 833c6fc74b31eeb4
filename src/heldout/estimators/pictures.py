"""Pictures that a program holds, as paths or as pixels -> a source of files, so that all take the one pixel path.

An array becomes the bytes of a BMP file, which holds the same pixels without loss; from there on it is a picture file
like any other, known by the hash of its bytes.
"""

import io
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike, fsdecode
from pathlib import Path
from typing import Any, BinaryIO, final

import numpy as np
from PIL import Image

from heldout.data.pictures.survey import Survey
from heldout.data.storage.sources import FolderSource
from heldout.data.storage.walking import Contents
from heldout.errors import DataError, UnreadablePictures

_EXPECTED = (
    "a list of paths; or pixels from 0 to 255 as uint8: an array (n, height, width, 3), or a list of arrays "
    "(height, width, 3) or (height, width) for grey"
)
_FILES = FolderSource(Path())


@final
@dataclass(frozen=True, eq=False)
class PictureSource:
    """Pictures in the order in which they were given, the same one as often as it was.

    Attributes:
        pictures: Paths, or pixels as uint8.
    """

    pictures: tuple[str | np.ndarray, ...]

    name = "X"

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """A name for each: its number, padded, so that the order of names is that of the pictures."""
        width = len(str(len(self.pictures)))
        return tuple(f"{number:0{width}d}" for number in range(len(self.pictures)))

    def path_of(self, name: str) -> str:
        """How messages call a picture: by its path, or its place in X."""
        picture = self.pictures[int(name)] if name else self.name
        return picture if isinstance(picture, str) else f"X[{int(name)}]"

    def look_into(self, prefix: str = "") -> Contents:
        """Nothing: there are no folders."""
        return Contents()

    def why_no_file(self, name: str) -> str:
        """Why there is no file of that path, or an empty string if there is one, or pixels."""
        picture = self.pictures[int(name)]
        return _FILES.why_no_file(picture) if isinstance(picture, str) else ""

    def read(self, name: str) -> bytes:
        """The bytes of a file.

        Raises:
            UnreadablePicture: It cannot be read.
        """
        picture = self.pictures[int(name)]
        if isinstance(picture, str):
            return _FILES.read(picture)
        content = io.BytesIO()
        Image.fromarray(picture).save(content, "BMP")
        return content.getvalue()

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """The bytes of a file, as a file."""
        return io.BytesIO(self.read(name))


def pictures_of(X: Any) -> PictureSource:
    """The pictures of an estimator's X.

    Args:
        X: Paths, or arrays of uint8 with three colours or of grey.

    Raises:
        DataError: No pictures, or something else.

    Example:
        >>> source = pictures_of([np.zeros((4, 5, 3), np.uint8), "cat.jpg"])
        >>> source.ids, source.path_of("0"), source.path_of("1")
        (('0', '1'), 'X[0]', 'cat.jpg')
    """
    if isinstance(X, str | PathLike | bytes) or not hasattr(X, "__len__") or getattr(X, "ndim", 1) == 0:
        raise DataError(f"X is {str(X)[:100]!r}", expected=_EXPECTED, fix="put a single picture into a list")
    pictures = tuple(_picture(one, number) for number, one in enumerate(X))
    if not pictures:
        raise DataError("X has no pictures", expected=_EXPECTED, fix="pass one at least")
    return PictureSource(pictures)


def refuse_unreadable(survey: Survey, source: PictureSource) -> None:
    """Raise where some pictures cannot be read.

    Raises:
        UnreadablePictures: Says which, by path or place in X.
    """
    if survey.unreadable:
        files = [replace(one, id=source.path_of(one.id)) for one in survey.unreadable]
        raise UnreadablePictures(files, n_examples=len(source.pictures))


def _picture(one: Any, number: int) -> str | np.ndarray:
    if isinstance(one, str | PathLike):
        return fsdecode(one)
    pixels = np.asarray(one)
    is_grey, is_colour = pixels.ndim == 2, pixels.ndim == 3 and pixels.shape[-1] == 3
    if pixels.dtype != np.uint8 or not (is_grey or is_colour) or not pixels.size:
        raise DataError(
            f"X[{number}] is of type {type(one).__name__}, with shape {pixels.shape} of {pixels.dtype}",
            expected=_EXPECTED,
            fix="convert it, such as np.round(255 * picture).astype(np.uint8) where white is 1.0",
        )
    return np.ascontiguousarray(pixels)
