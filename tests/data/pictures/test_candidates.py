import numpy as np
import pytest
from jaxtyping import UInt8
from PIL import ImageOps

from heldout.data.pictures import candidates
from heldout.data.pictures.candidates import find_candidates
from make_textures import reencoded, signed, texture


def proposed(rows: UInt8[np.ndarray, "pictures bytes"], pictures: list[int] | None = None) -> set[tuple[int, int]]:
    indices = np.arange(len(rows)) if pictures is None else np.array(pictures, np.int64)
    return {
        (int(min(i, j)), int(max(i, j)))
        for found in find_candidates(rows, indices)
        for i, j in zip(found.one, found.other, strict=True)
    }


def test_copies_are_proposed_and_few_others() -> None:
    photos = [texture(number) for number in range(40)]
    rows = signed(*photos, ImageOps.mirror(photos[3]), photos[5].resize((100, 75)))
    found = proposed(rows)
    assert {(3, 40), (5, 41)} <= found
    assert len(found) < 12


def test_only_the_pictures_asked_for_are_proposed() -> None:
    rows = signed(*[texture(1)] * 4)
    assert proposed(rows, [0, 2]) == {(0, 2)}
    assert proposed(rows, []) == set()
    assert proposed(rows, [1]) == set()


def test_no_picture_is_proposed_with_itself() -> None:
    rows = signed(*[texture(1)] * 30, *(texture(number) for number in range(30)))
    assert all(i != j for i, j in proposed(rows))


def test_the_work_on_a_crowd_is_linear() -> None:
    rows = np.repeat(signed(texture(4)), 4000, axis=0)
    found = proposed(rows)
    assert len(found) < 6 * len(rows)
    assert {i for pair in found for i in pair} == set(range(len(rows)))


def test_a_crowd_with_hashes_of_its_own_is_bounded_too() -> None:
    # Copies of one picture whose noise differs have hashes a few bits apart: no crowd of equal hashes.
    generator = np.random.default_rng(0)
    noise = generator.normal(0, 25, (1500, rows_bytes := signed(texture(4)).shape[1]))
    rows = np.clip(signed(texture(4)) + noise, 0, 255).astype(np.uint8)
    assert rows.shape[1] == rows_bytes
    n = sum(len(found) for found in find_candidates(rows, np.arange(len(rows))))
    assert 1500 < n <= 12 * 8 * 1500


def test_wider_bands_among_more_pictures_find_copies_too(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [candidates.band_bits(n) for n in (0, 1, 262_144, 262_145, 1_000_000, 10**9)] == [16, 16, 16, 17, 18, 24]
    monkeypatch.setattr(candidates, "_LEAST_BAND_BITS", 20)
    photos = [texture(number) for number in range(8)]
    rows = signed(*photos, ImageOps.mirror(photos[3]), photos[5].resize((100, 75)), reencoded(photos[6]))
    assert {(3, 8), (5, 9), (6, 10)} <= proposed(rows)
