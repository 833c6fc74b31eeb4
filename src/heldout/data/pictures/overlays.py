"""A mark that lies at the same place in the pictures of one class (a watermark, a name, a ruler) -> a Finding.

Where a mark lies, the picture changes in the same direction in picture after picture; elsewhere light and dark come
as they come. So at every pixel of the thumbnails the signs of the local change (the Laplacian) are averaged over the
pictures of a class: near 0 without a mark, near 1 or -1 under one, also where it is hardly visible.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from io import BytesIO

import numpy as np
from jaxtyping import Bool, Float, Int
from PIL import Image

from heldout.data.examples import Examples, some_of
from heldout.findings import MAX_NAMED, Finding

# Pictures that are looked at, a class, and in all where that leaves every class `FEW`; more make no difference.
MAX_PICTURES = 100
MAX_IN_ALL = 4_000
# With fewer the same sign comes about by chance at one of some 10,000 pixels.
FEW = 40
# Mean sign at which a pixel is marked. Without a mark it stays below 0.43 in 100 photos of a class; under white writing
# that lets 69 % through it reaches 0.85 and more (measured here, 2026-11-22).
MARKED = 0.65
# The mean of n random signs deviates by 1 / sqrt(n); at 5 of these one pixel in two million is marked by chance.
_DEVIATIONS = 5.0
# The other classes must differ by as much, or the mark lies in all pictures and tells no class.
_APART = 0.5
# Fewer marked pixels are no mark (assumed).
_LEAST_PIXELS = 8

_TAGS = 'Lapuschkin and others, "Unmasking Clever Hans predictors", 2019'

_Signs = Float[np.ndarray, "height width"]


def find_overlays(
    examples: Examples, thumbnail: Callable[[int], bytes | None], *, generator: np.random.Generator
) -> list[Finding]:
    """A Finding where the pictures of a class have a mark at one place that those of other classes have not.

    Only thumbnails of the commonest size are compared, so a mark in pictures of many sizes goes unseen, and so does
    one in a class of fewer than `FEW` of them.

    Args:
        examples: The pictures.
        thumbnail: The small JPEG of one example; None where there is none.
        generator: Chooses which pictures of a large class are looked at.
    """
    n_classes = len(examples.classes)
    n_each = int(np.clip(MAX_IN_ALL // n_classes, FEW, MAX_PICTURES))
    chosen = [generator.permutation(np.flatnonzero(examples.labels == c))[:n_each].tolist() for c in range(n_classes)]
    # Opened is not decoded yet, and only those of the right size ever are.
    opened = [[Image.open(BytesIO(data)) for index in indices if (data := thumbnail(index))] for indices in chosen]
    sizes = Counter(image.size for images in opened for image in images)
    size = sizes.most_common(1)[0][0] if sizes else (0, 0)
    if min(size) < 3:
        return []
    means, n_pictures = {}, {}
    for label, images in enumerate(opened):
        alike = [image for image in images if image.size == size]
        if len(alike) >= FEW:
            means[label], n_pictures[label] = _sum_of_signs(alike, size) / len(alike), len(alike)
    marks = {label: _mark(label, means, n_pictures) for label in means}
    found = {label: mark for label, mark in marks.items() if mark.sum() >= _LEAST_PIXELS}
    return [_finding(examples, found)] if found else []


def _sum_of_signs(images: Iterable[Image.Image], size: tuple[int, int]) -> Int[np.ndarray, "height width"]:
    """The signs of the Laplacian summed over thumbnails, all of that size."""
    width, height = size
    total = np.zeros((height - 2, width - 2), np.int64)
    for image in images:
        image.draft("L", None)  # a JPEG holds its luma by itself
        values = np.asarray(image.convert("L"), np.int16)
        around = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:]
        total += np.sign(4 * values[1:-1, 1:-1] - around)
    return total


def _mark(label: int, means: dict[int, _Signs], n_pictures: dict[int, int]) -> Bool[np.ndarray, "height width"]:
    own = means[label]
    mark = np.abs(own) >= max(MARKED, _DEVIATIONS / np.sqrt(n_pictures[label]))
    if len(means) < 2 or not mark.any():
        return np.zeros_like(mark)
    others = np.mean([signs for other, signs in means.items() if other != label], axis=0)
    return np.asarray(mark & (np.abs(own - others) >= _APART))


def _finding(examples: Examples, found: dict[int, Bool[np.ndarray, "height width"]]) -> Finding:
    names = [examples.classes[label] for label in found]
    first = next(iter(found.values()))
    rows, columns = np.flatnonzero(first.any(axis=1)).tolist(), np.flatnonzero(first.any(axis=0)).tolist()
    return Finding(
        code="overlay-by-class",
        severity="warning",
        what=f"pictures of {len(names):,} of {len(examples.classes):,} classes carry a mark that is the same in all "
        f"pictures of the class: {some_of(names)}; in {names[0]!r} it lies "
        f"{_percent(columns[0], first.shape[1])} to {_percent(columns[-1] + 1, first.shape[1])} from the left and "
        f"{_percent(rows[0], first.shape[0])} to {_percent(rows[-1] + 1, first.shape[0])} from the top",
        why="A watermark, a name or a frame tells the class without a look at what is shown: the score comes out too "
        "high for pictures without it.",
        fix="Look at that place; cut it off or paint it over in all pictures, or take pictures without it.",
        where=tuple(names[:MAX_NAMED]),
        source=_TAGS,
    )


def _percent(place: int, length: int) -> str:
    return f"{place / length:.0%}"
