"""One look at every picture file: what it is, and everything that a run needs of its pixels.

Each file is read once, hashed, and, where the stores do not know it already, decoded once; facts, thumbnail, features,
trunk maps and canvases are then made from the same pixels in the same thread. So decoding and the network share the
cores without a queue between them, and a second run on the same photos decodes nothing.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from heldout.data.pictures.decoding import (
    MAX_PIXELS,
    Decoded,
    PictureFacts,
    PixelPath,
    UnreadablePicture,
    decode,
    pictures_guarded,
    reason_too_large,
    to_pixels,
)
from heldout.data.pictures.impressions import Glimpse, glimpse
from heldout.data.pictures.survey import Survey, in_order, n_decoding_threads, read_file
from heldout.data.storage.sources import Source
from heldout.errors import OutOfMemory, Unreadable
from heldout.memory_limits import can_be_refused
from heldout.models.engines import Engine
from heldout.training.stores import ArrayStore, FactStore


@dataclass(frozen=True)
class Product:
    """An array that is made of each picture and kept.

    Attributes:
        store: Where it is kept.
        path: Which pixels it is made from.
        engine: What makes it; None keeps the pixels themselves.
    """

    store: ArrayStore
    path: PixelPath
    engine: Engine | None


@dataclass(frozen=True)
class Look:
    """What a look found, in the order of the files.

    Attributes:
        survey: Facts or the reason why there are none, a file.
        n_decoded: How many files had to be decoded; the others were known.
    """

    survey: Survey
    n_decoded: int


@dataclass(frozen=True, slots=True)
class _Seen:
    """One file as it came out of a thread."""

    sha256: str = ""
    reason: str = ""
    is_doubtful: bool = False  # whether want of memory could have been the reason
    known: tuple[PictureFacts, Glimpse] | None = None
    rows: tuple[np.ndarray | None, ...] = ()


Progress = Callable[[int, int, float], None]


def look_at(
    source: Source,
    ids: Sequence[str],
    products: Sequence[Product],
    facts: FactStore,
    *,
    max_pixels: int = MAX_PIXELS,
    progress: Progress | None = None,
) -> Look:
    """Read every file and leave in the stores what is wanted of it.

    Args:
        source: Where the files are.
        ids: The files.
        products: What is wanted of each picture.
        facts: Keeps what is known of each, and its thumbnail.
        max_pixels: Pictures with more are unreadable.
        progress: Called now and then with how many files are done, of how many, and files a second.

    Raises:
        DataError: Nothing can be read from the source any more.
        StorageError: A store cannot be written.
        OutOfMemory: There is not enough to decode them, so nothing can be said of the files.
    """
    size = max((product.engine.batch_size for product in products if product.engine), default=1)
    looker = _Looker(source, ids, products, facts, size, max_pixels)
    shas: list[str] = []
    reasons: dict[int, str] = {}
    doubtful: list[str] = []
    n_decoded, start = 0, time.monotonic()
    with _memory_told(), pictures_guarded():
        for group in in_order(looker.group, -(-len(ids) // size), n_threads=looker.n_threads):
            for seen in group:
                if seen.reason:
                    reasons[len(shas)] = seen.reason
                if seen.is_doubtful:
                    doubtful.append(ids[len(shas)])
                _keep(seen, products, facts)
                n_decoded += seen.known is not None
                shas.append(seen.sha256)
            if progress:
                progress(len(shas), len(ids), len(shas) / max(time.monotonic() - start, 1e-9))
        looker.check_blame(doubtful)
    for product in products:
        product.store.flush()
    return Look(_survey(ids, shas, reasons, facts, max_pixels), n_decoded)


@contextmanager
def _memory_told() -> Iterator[None]:
    try:
        yield
    except MemoryError as error:
        raise OutOfMemory(
            "there is not enough memory to decode the pictures",
            expected=f"room for {n_decoding_threads() + 1} of them at a time, up to 24 bytes a pixel",
            fix="allow more memory, end other programs, or store the pictures smaller; no file was judged by this",
        ) from error


def _survey(
    ids: Sequence[str], shas: Sequence[str], reasons: dict[int, str], facts: FactStore, max_pixels: int
) -> Survey:
    """Facts or a reason, a file. What was decoded under a higher limit of pixels is refused as it would be anew."""
    known = facts.facts([sha256 for sha256 in shas if sha256])
    found = [next(known) if sha256 else None for sha256 in shas]
    for index, one in enumerate(found):
        if one and (reason := reason_too_large(one.width, one.height, max_pixels)):
            found[index], reasons[index] = None, reason
    return Survey(tuple(found), tuple(Unreadable(ids[index], reasons[index]) for index in sorted(reasons)))


def _keep(seen: _Seen, products: Sequence[Product], facts: FactStore) -> None:
    for product, row in zip(products, seen.rows, strict=False):
        if row is not None:
            product.store.add(seen.sha256, row)
    if seen.known is not None:
        facts.add(*seen.known)


@dataclass(frozen=True)
class _Looker:
    """The work of the threads: groups of neighbouring files, as many as an engine takes at once."""

    source: Source
    ids: Sequence[str]
    products: Sequence[Product]
    facts: FactStore
    size: int
    max_pixels: int

    @property
    def n_threads(self) -> int:
        # One thread more than processors: while one waits for a file or for the engine, the others work.
        return n_decoding_threads() + 1

    def group(self, number: int) -> list[_Seen]:
        """The files of one group: read, and where something is missing decoded and run through the engines."""
        begin = number * self.size
        opened = [self._open(name) for name in self.ids[begin : begin + self.size]]
        rows: list[list[np.ndarray | None]] = [[None] * len(self.products) for _ in opened]
        for place, product in enumerate(self.products):
            wanted = [
                index
                for index, (seen, decoded) in enumerate(opened)
                if decoded is not None and seen.sha256 not in product.store
            ]
            if wanted:
                made = self._make(product, [opened[index][1] for index in wanted])
                for index, row in zip(wanted, made, strict=True):
                    rows[index][place] = row
        return [
            seen if decoded is None else _Seen(seen.sha256, known=(decoded.facts, glimpse(decoded)), rows=tuple(row))
            for (seen, decoded), row in zip(opened, rows, strict=True)
        ]

    def check_blame(self, names: Sequence[str]) -> None:
        """Open again, one by one, the files that failed while others were decoded beside them, where memory is limited.

        Those others may have had the memory. They are gone now, so what fails again fails by its own fault.

        Raises:
            MemoryError: One is readable after all.
        """
        for name in names if can_be_refused() else ():
            if not self._open(name)[0].reason:
                raise MemoryError(f"{name} could not be decoded beside others, and can be alone")

    def _open(self, name: str) -> tuple[_Seen, Decoded | None]:
        try:
            data, sha256 = read_file(self.source, name)
            if sha256 in self.facts and all(sha256 in product.store for product in self.products):
                return _Seen(sha256), None
            picture = decode(data, sha256=sha256, short_side=self.facts.short_side, max_pixels=self.max_pixels)
            return _Seen(sha256), picture
        except UnreadablePicture as error:
            return _Seen(reason=str(error), is_doubtful=error.may_be_memory), None

    def _make(self, product: Product, pictures: Sequence[Decoded | None]) -> np.ndarray:
        pixels = np.stack([to_pixels(picture.image, product.path) for picture in pictures if picture])
        if product.engine is None:
            return pixels
        size = product.engine.batch_size  # a group can hold more: as many as the largest engine takes
        made = []
        for begin in range(0, len(pixels), size):
            part = pixels[begin : begin + size]
            full = np.zeros((size, *pixels.shape[1:]), np.uint8)
            full[: len(part)] = part
            made.append(product.engine(full)[: len(part)])
        return np.concatenate(made)
