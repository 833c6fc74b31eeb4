import numpy as np
import pytest
from jaxtyping import Float
from PIL import Image, ImageOps

from heldout.data.likeness import (
    N_VIEWS,
    SIGNATURE_BYTES,
    contrasts,
    hashes,
    mean_colours,
    n_details,
    signature,
    spectra,
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
