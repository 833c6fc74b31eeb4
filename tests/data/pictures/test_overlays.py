import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from heldout.data.examples import Examples, gather
from heldout.data.pictures.impressions import thumbnail
from heldout.data.pictures.overlays import FEW, find_overlays
from heldout.data.storage.sources import FolderSource
from heldout.findings import Finding

Draw = Callable[[Image.Image], Image.Image]


def scene(seed: int, size: tuple[int, int] = (128, 96)) -> Image.Image:
    """Soft light and coloured ellipses, different in every picture."""
    random = np.random.default_rng(seed)
    image = Image.fromarray(random.integers(40, 216, (6, 8, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    draw = ImageDraw.Draw(image)
    for _ in range(30):
        x, y = int(random.integers(-10, size[0])), int(random.integers(-10, size[1]))
        draw.ellipse((x, y, x + 20, y + 14), fill=tuple(random.integers(0, 256, 3).tolist()))
    return image


def marked(opacity: float) -> Draw:
    def draw(image: Image.Image) -> Image.Image:
        writing = image.copy()
        ImageDraw.Draw(writing).text((80, 82), "(c) abc", fill="white")
        return Image.blend(image, writing, opacity)

    return draw


def plain(image: Image.Image) -> Image.Image:
    return image


def look(draws: Sequence[Draw], n: int = 60, size: tuple[int, int] = (128, 96)) -> tuple[Examples, list[Finding]]:
    rows = [(f"{label}/{i:03d}", f"class {label}", -1) for label in range(len(draws)) for i in range(n)]
    examples = gather(FolderSource(Path("/d")), rows, layout="class folders")
    small = [thumbnail(draws[label](scene(number, size))) for number, label in enumerate(examples.labels.tolist())]
    return examples, find_overlays(examples, lambda index: small[index], generator=np.random.default_rng(0))


@pytest.mark.parametrize("opacity", [1.0, 0.5])
def test_a_watermark_in_one_class_is_found_with_its_place(opacity: float) -> None:
    _, (found,) = look([plain, marked(opacity), plain])
    assert (found.code, found.severity, found.where) == ("overlay-by-class", "warning", ("class 1",))
    assert "'class 1' it lies 6" in found.what
    assert "from the left and 8" in found.what


def test_pictures_without_a_mark_have_no_finding() -> None:
    for n in (FEW, 90):
        assert look([plain, plain, plain], n)[1] == []


def test_a_mark_in_all_classes_tells_none() -> None:
    assert look([marked(1.0), marked(1.0)])[1] == []


def test_the_names_of_the_classes_written_in_the_pictures_are_found() -> None:
    def named(name: str) -> Draw:
        def draw(image: Image.Image) -> Image.Image:
            ImageDraw.Draw(image).text((40, 40), name, fill="black")
            return image

        return draw

    _, (found,) = look([named("CAT"), named("DOG")])
    assert found.where == ("class 0", "class 1")


def test_too_few_pictures_say_nothing() -> None:
    assert look([plain, marked(1.0)], FEW - 1)[1] == []


def test_pictures_without_a_thumbnail_and_of_other_sizes_are_left_out() -> None:
    rows = [(f"{label}/{i:03d}", f"class {label}", -1) for label in range(2) for i in range(60)]
    examples = gather(FolderSource(Path("/d")), rows, layout="class folders")

    def small(index: int) -> bytes | None:
        if index % 6 == 0:
            return None
        size = (96, 128) if index % 6 == 1 else (128, 96)
        return thumbnail((marked(1.0) if index >= 60 else plain)(scene(index, size)))

    (found,) = find_overlays(examples, small, generator=np.random.default_rng(0))
    assert found.where == ("class 1",)
    assert find_overlays(examples, lambda index: None, generator=np.random.default_rng(0)) == []


def test_tiny_pictures_do_no_harm() -> None:
    rows = [(f"{label}/{i:03d}", f"class {label}", -1) for label in range(2) for i in range(60)]
    examples = gather(FolderSource(Path("/d")), rows, layout="class folders")
    out = io.BytesIO()
    Image.new("RGB", (1, 2)).save(out, "JPEG")
    assert find_overlays(examples, lambda index: out.getvalue(), generator=np.random.default_rng(0)) == []
