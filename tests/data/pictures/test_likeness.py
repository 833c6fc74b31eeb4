import hashlib

import numpy as np
import pytest
from jaxtyping import Float
from PIL import Image, ImageOps

from heldout.data.pictures.likeness import (
    N_VIEWS,
    SIGNATURE_BYTES,
    contrasts,
    flipped_bits,
    hashes,
    mean_colours,
    n_details,
    signature,
    signatures_of,
    spectra,
    square,
)
from make_textures import cut, reencoded, signed, texture


def likeness(one: Image.Image, other: Image.Image, view: int = 0) -> float:
    """Of a view of one picture with another as it is."""
    return float(np.sum(spectra(signed(one), view) * spectra(signed(other), 0)))


def bits_apart(one: Image.Image, other: Image.Image, view: int = 0) -> int:
    return int(np.bitwise_count(hashes(signed(one), view) ^ hashes(signed(other), 0))[0])


def waves(n_across: float) -> Image.Image:
    """Upright waves, so many over the width."""
    levels = 128 + 100 * np.cos(2 * np.pi * n_across * (np.arange(128) + 0.5) / 128)
    return Image.fromarray(np.tile(levels.astype(np.uint8)[None, :, None], (96, 1, 3)))


def test_a_signature_has_one_length_whatever_the_picture() -> None:
    for size in ((128, 96), (20, 128), (1, 1), (128, 1), (7, 5)):
        assert len(signature(Image.new("RGB", size, "red"))) == SIGNATURE_BYTES <= 404


def test_the_signatures_of_many_are_those_of_each() -> None:
    pictures = [texture(0), Image.new("RGB", (30, 20), "red"), waves(2), texture(1), Image.new("RGB", (1, 1))]
    rows = signatures_of([square(picture) for picture in pictures])
    assert [row.tobytes() for row in rows] == [signature(picture) for picture in pictures]
    assert signatures_of([]).shape == (0, SIGNATURE_BYTES)


def test_signatures_are_those_that_stores_hold_already() -> None:
    # Made by the first code of this version, one picture at a time. Where it has to change, SIGNATURE_VERSION goes up.
    generator = np.random.default_rng(5)
    noise = generator.integers(0, 256, (400, 20, 20, 3), np.uint8)
    dull = noise * generator.integers(1, 256, (400, 1, 1, 3)) // 256
    is_one = noise[..., :1] < generator.integers(0, 256, (400, 1, 1, 1))
    of_two = np.where(is_one, generator.integers(0, 256, (400, 1, 1, 3)), generator.integers(0, 256, (400, 1, 1, 3)))
    slopes = np.arange(20)[:, None, None] * generator.integers(0, 13, (400, 1, 1, 3)) + np.zeros((20, 20, 3), int)
    squares = [content.tobytes() for content in np.concatenate([noise, dull, of_two, slopes]).astype(np.uint8)]
    digest = hashlib.sha256(signatures_of(squares).tobytes()).hexdigest()
    assert digest == "7565d53a1d1944de516f7d482ad0d0333c07f3efcf89b8a4e1f3f55a847bb68f"


def test_colour_and_contrast_are_kept_beside_the_square() -> None:
    rows = signed(Image.new("RGB", (40, 30), (200, 100, 7)), waves(1))
    assert mean_colours(rows)[0].tolist() == [200, 100, 7]
    assert contrasts(rows)[0] == 0
    assert contrasts(rows)[1] == 63.75  # at most, of 70.7


def test_contrast_is_measured_in_grey_levels() -> None:
    halves = np.full((60, 80, 3), 100, np.uint8)
    halves[:, 40:] = 120
    assert contrasts(signed(Image.fromarray(halves))) == pytest.approx(10, abs=0.3)


@pytest.mark.parametrize("number", range(3))
def test_reencoding_resizing_and_brightness_hardly_move_a_signature(number: int) -> None:
    photo = texture(number)
    for changed in (
        reencoded(photo),
        photo.resize((photo.width // 2, photo.height // 2)),
        photo.point(lambda level: round(level * 0.8)),
        photo.point(lambda level: min(255, round(level * 1.25))),
    ):
        assert likeness(photo, changed) > 0.98
        assert bits_apart(photo, changed) <= 5


def test_different_pictures_are_not_alike_under_any_view() -> None:
    photos = [texture(number) for number in range(12)]
    plain = spectra(signed(*photos), 0)
    for view in range(N_VIEWS):
        product: Float[np.ndarray, "12 12"] = spectra(signed(*photos), view) @ plain.T
        assert np.abs(product[~np.eye(12, dtype=bool)]).max() < 0.7


def test_the_odd_views_are_those_of_the_flipped_picture() -> None:
    photo = texture(1)
    assert bits_apart(photo, ImageOps.mirror(photo), view=1) <= 1
    assert likeness(photo, ImageOps.mirror(photo), view=1) > 0.999
    assert likeness(photo, ImageOps.mirror(photo)) < 0.5


def test_the_same_bits_flip_in_every_hash() -> None:
    rows = signed(*(texture(number) for number in range(9)))
    for view in range(0, N_VIEWS, 2):
        apart = hashes(rows, view) ^ hashes(rows, view + 1)
        assert set(apart.tolist()) == {int(flipped_bits(view))} == {int(flipped_bits(view + 1))}


@pytest.mark.parametrize(
    ("view", "sides"),
    [
        (2, (0.025, 0.025, 0.025, 0.025)),
        (4, (0.05, 0, 0, 0)),
        (6, (0, 0.05, 0, 0)),
        (8, (0, 0, 0.05, 0)),
        (10, (0, 0, 0, 0.05)),
    ],
)
def test_the_other_views_are_those_of_the_cut_picture(view: int, sides: tuple[float, float, float, float]) -> None:
    photo = texture(2)
    piece = cut(photo, *sides)
    assert likeness(photo, piece, view) > 0.99
    assert 1 - likeness(photo, piece, view) < (1 - likeness(photo, piece)) / 4
    assert likeness(photo, ImageOps.mirror(piece), view + 1) > 0.97


def test_hashes_do_not_depend_on_who_else_is_hashed() -> None:
    # One row and many go through different kernels, whose sums run in different orders; the extreme squares have the
    # largest sums.
    extreme = np.random.default_rng(0).choice(np.array([0, 255], np.uint8), (50, SIGNATURE_BYTES))
    rows = np.concatenate([signed(*(texture(number) for number in range(9))), extreme])
    for view in range(N_VIEWS):
        alone = [int(hashes(rows[i : i + 1], view)[0]) for i in range(len(rows))]
        assert hashes(rows, view).tolist() == alone


def test_details_are_few_in_a_wave_and_many_in_a_texture() -> None:
    few = n_details(spectra(signed(waves(0.5), waves(3)), 0))
    many = n_details(spectra(signed(texture(0), texture(1)), 0))
    assert few.tolist() == pytest.approx([1, 1], abs=0.2)
    assert many.min() > 8


def test_a_constant_picture_has_no_spectrum() -> None:
    assert not spectra(signed(Image.new("RGB", (50, 50), "blue")), 0).any()
