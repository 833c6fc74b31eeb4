import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from heldout.data.pictures.appearance import Appearance, appearance, appearances, jpeg_quality, tones
from heldout.data.pictures.oddities import BLURRED


def scene(width: int = 128, height: int = 96, seed: int = 0) -> Image.Image:
    """Coloured boxes on a slope of light: edges, plain places and no symmetry."""
    random = np.random.default_rng(seed)
    slope = np.linspace(60, 180, width)[None, :, None] * np.ones((height, 1, 3))
    image = Image.fromarray(slope.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(40):
        x, y = int(random.integers(-10, width)), int(random.integers(-10, height))
        draw.rectangle((x, y, x + 14, y + 11), fill=tuple(random.integers(0, 256, 3).tolist()))
    return image


def changed(image: Image.Image, change: Callable[[np.ndarray], np.ndarray]) -> Image.Image:
    return Image.fromarray(np.clip(change(np.asarray(image, np.float64)), 0, 255).astype(np.uint8))


def test_light_and_colour_are_those_of_the_pixels() -> None:
    image = scene(64, 48)
    found = appearance(image)
    pixels = np.asarray(image, float) / 255
    luma = np.asarray(image.convert("L"), float) / 255
    assert found.brightness == pytest.approx(luma.mean(), abs=1e-9)
    assert found.contrast == pytest.approx(luma.std(), abs=1e-9)
    assert (found.red, found.green, found.blue) == pytest.approx(tuple(pixels.mean(axis=(0, 1))), abs=0.004)
    assert found.dark_end == pytest.approx(np.quantile(luma, 0.01, method="inverted_cdf"))
    assert found.light_end == pytest.approx(np.quantile(luma, 0.99, method="inverted_cdf"))


def test_every_field_is_a_plain_value() -> None:
    found = appearance(scene())
    kinds = {name: type(getattr(found, name)) for name in Appearance.__slots__}
    assert kinds.pop("jpeg_quality") is type(None)
    assert kinds.pop("is_grey") is bool
    assert kinds.pop("is_flat") is bool
    assert set(kinds.values()) == {float}


def test_the_appearances_of_many_are_those_of_each() -> None:
    framed = Image.new("RGB", (128, 96), "white")
    framed.paste(scene(100, 80), (14, 8))
    grey = scene(seed=1).convert("L").convert("RGB")
    pictures = [
        scene(),
        framed,
        scene(96, 128),
        Image.new("RGB", (128, 96)),
        grey,
        Image.new("RGB", (1, 1)),
        scene(9, 9),
    ]
    assert appearances([tones(one) for one in pictures]) == [appearance(one) for one in pictures]


def test_sharpness_falls_with_every_blur() -> None:
    image = scene()
    values = [
        appearance(image.filter(ImageFilter.GaussianBlur(radius)) if radius else image).sharpness
        for radius in (0, 0.7, 1.5, 3)
    ]
    assert values == sorted(values, reverse=True)
    assert values[0] > 2 * values[-1]


def test_sharpness_does_not_depend_on_contrast_light_or_size() -> None:
    image, plain = scene(), appearance(scene()).sharpness
    for other in (changed(image, lambda p: 0.4 * p), changed(image, lambda p: 80 + 0.5 * p)):
        assert appearance(other).sharpness == pytest.approx(plain, rel=0.1)
    assert appearance(image.reduce(2)).sharpness == plain


def test_a_sharp_thing_before_a_blurred_ground_is_sharp() -> None:
    image = scene()
    ground = image.filter(ImageFilter.GaussianBlur(3))
    assert appearance(ground).sharpness < BLURRED
    ground.paste(image.crop((40, 30, 80, 60)), (40, 30))
    assert appearance(ground).sharpness > BLURRED


def test_grey_survives_a_jpeg_and_a_tint_is_colour() -> None:
    grey = scene().convert("L").convert("RGB")
    stored = io.BytesIO()
    grey.save(stored, "JPEG", quality=40)
    assert appearance(Image.open(stored).convert("RGB")).is_grey
    assert not appearance(changed(grey, lambda p: p * [1.0, 0.97, 0.9])).is_grey
    assert not appearance(scene()).is_grey


def test_flat_is_equal_pixels_only() -> None:
    flat = Image.new("RGB", (128, 96), (200, 30, 90))
    assert appearance(flat).is_flat
    assert appearance(flat).contrast == 0
    flat.putpixel((64, 40), (201, 30, 90))
    assert not appearance(changed(flat, lambda p: p + (p == 201) * 40)).is_flat
    # Another colour of the same luma.
    odd = Image.new("RGB", (16, 16), (100, 100, 100))
    odd.paste((255, 35, 30), (0, 0, 8, 16))
    assert not appearance(odd).is_flat


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ((8, 8, 120, 88), 1 - 112 * 80 / (128 * 96)),
        ((0, 12, 128, 84), 24 / 96),
        ((16, 0, 128, 96), 16 / 128),
        ((0, 0, 128, 96), 0.0),
    ],
)
def test_a_border_is_measured_on_every_side(box: tuple[int, int, int, int], share: float) -> None:
    framed = Image.new("RGB", (128, 96), (30, 30, 30))
    noise = np.random.default_rng(0).integers(60, 255, (96, 128, 3), dtype=np.uint8)
    framed.paste(Image.fromarray(noise).crop(box), box[:2])
    found = appearance(framed)
    assert found.border == pytest.approx(share)
    assert found.border_luma == pytest.approx(30 / 255 if share else 0.0)


@pytest.mark.parametrize("size", [(1, 1), (1, 128), (128, 1), (3, 2), (13, 13), (128, 4)])
def test_tiny_pictures_have_an_appearance_too(size: tuple[int, int]) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    found = appearance(Image.fromarray(noise))
    assert 0 <= found.border <= 1
    assert 0 <= found.sharpness <= 4
    assert found.is_flat == (size == (1, 1))


@pytest.mark.parametrize("quality", [1, 10, 35, 50, 75, 90, 95, 100])
def test_the_quality_of_a_jpeg_is_read_from_its_tables(quality: int) -> None:
    stored = io.BytesIO()
    scene().save(stored, "JPEG", quality=quality)
    with Image.open(stored) as image:
        assert appearance(scene(), image).jpeg_quality == quality


def test_other_tables_get_the_nearest_quality_and_other_formats_none() -> None:
    stored = io.BytesIO()
    scene().save(stored, "JPEG", quality=80)
    with Image.open(stored) as image:
        tables = {0: [value + (number % 3 == 0) for number, value in enumerate(image.quantization[0])]}  # type: ignore[attr-defined]
    found = jpeg_quality(tables)
    assert found is not None
    assert 76 <= found <= 80
    stored = io.BytesIO()
    scene().save(stored, "PNG")
    with Image.open(stored) as image:
        assert appearance(scene(), image).jpeg_quality is None
    assert jpeg_quality({0: [1, 2, 3]}) is None
