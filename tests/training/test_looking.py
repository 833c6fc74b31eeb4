import hashlib
import io
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heldout.data.pictures import survey
from heldout.data.pictures.decoding import Decoded, PixelPath, decode, to_pixels
from heldout.data.pictures.survey import read_file
from heldout.data.storage.sources import FolderSource
from heldout.errors import OutOfMemory
from heldout.training import looking
from heldout.training.looking import Product, look_at
from heldout.training.stores import ArrayStore, FactStore

PATH = PixelPath(12, 8, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


class MeanColour:
    """An engine that can be computed by hand, and watches its own calls."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size = batch_size
        self.key = f"mean-{batch_size}"
        self.sizes: list[int] = []
        self._lock = threading.Lock()

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        with self._lock:
            self.sizes.append(len(pixels))
        assert pixels.dtype == np.uint8
        means: np.ndarray = pixels.mean(axis=(1, 2), dtype=np.float64).astype(np.float32)
        return means


def wanted_row(data: bytes) -> np.ndarray:
    means: np.ndarray = to_pixels(decode(data).image, PATH).mean(axis=(0, 1), dtype=np.float64).astype(np.float32)
    return means


@pytest.fixture
def photos(tmp_path: Path) -> dict[str, bytes]:
    """Eleven files; the third, the sixth and the last are no pictures."""
    found = {}
    for number in range(11):
        pixels = np.random.default_rng(number).integers(0, 256, (20 + number, 17, 3), dtype=np.uint8)
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "PNG")
        data = {2: b"", 5: b"<html>", 10: out.getvalue()[:100]}.get(number, out.getvalue())
        found[f"{number:02d}.png"] = data
        (tmp_path / "photos").mkdir(exist_ok=True)
        (tmp_path / "photos" / f"{number:02d}.png").write_bytes(data)
    return found


def product(folder: Path, engine: MeanColour) -> Product:
    return Product(ArrayStore(folder / engine.key, (3,), "float32"), PATH, engine)


def canvases(folder: Path) -> Product:
    return Product(ArrayStore(folder / "canvases", (12, 12, 3), "uint8"), PATH.canvas, None)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_every_picture_gets_its_own_row_whatever_the_batch(
    tmp_path: Path, photos: dict[str, bytes], batch_size: int
) -> None:
    engine = MeanColour(batch_size)
    products = [product(tmp_path, engine), canvases(tmp_path)]
    facts = FactStore(tmp_path / "facts", 12)
    look = look_at(FolderSource(tmp_path / "photos"), list(photos), products, facts)
    assert look.n_decoded == 8
    assert set(engine.sizes) == {batch_size}
    for known, data in zip(look.survey.facts, photos.values(), strict=True):
        if known:
            np.testing.assert_array_equal(products[0].store.rows([known.sha256]).all()[0], wanted_row(data))
            canvas = products[1].store.rows([known.sha256]).all()[0]
            np.testing.assert_array_equal(canvas, to_pixels(decode(data).image, PATH.canvas))
            with Image.open(io.BytesIO(facts.thumbnail(known.sha256))) as small:
                assert small.size == (known.width, known.height)


def test_bad_files_are_told_in_order_and_leave_a_gap(tmp_path: Path, photos: dict[str, bytes]) -> None:
    look = look_at(FolderSource(tmp_path / "photos"), [*photos, "absent.png"], [], FactStore(tmp_path / "facts", 12))
    assert [file.id for file in look.survey.unreadable] == ["02.png", "05.png", "10.png", "absent.png"]
    assert [index for index, facts in enumerate(look.survey.facts) if facts is None] == [2, 5, 10, 11]
    assert [facts.height for facts in look.survey.facts if facts] == [20, 21, 23, 24, 26, 27, 28, 29]


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_second_look_decodes_nothing_and_finds_the_same(
    tmp_path: Path, photos: dict[str, bytes], batch_size: int
) -> None:
    first = look_at(
        FolderSource(tmp_path / "photos"),
        list(photos),
        [product(tmp_path, MeanColour(batch_size))],
        FactStore(tmp_path / "facts", 12),
    )
    engine = MeanColour(batch_size)
    second = look_at(
        FolderSource(tmp_path / "photos"), list(photos), [product(tmp_path, engine)], FactStore(tmp_path / "facts", 12)
    )
    assert (second.n_decoded, engine.sizes) == (0, [])
    assert second.survey == first.survey


def test_only_what_is_missing_is_made(tmp_path: Path, photos: dict[str, bytes]) -> None:
    names = list(photos)
    look_at(
        FolderSource(tmp_path / "photos"),
        names[:5],
        [product(tmp_path, MeanColour(1))],
        FactStore(tmp_path / "facts", 12),
    )
    engine = MeanColour(1)
    look = look_at(
        FolderSource(tmp_path / "photos"), names, [product(tmp_path, engine)], FactStore(tmp_path / "facts", 12)
    )
    assert look.n_decoded == len(engine.sizes) == 4
    both = [product(tmp_path, engine), canvases(tmp_path)]
    assert look_at(FolderSource(tmp_path / "photos"), names, both, FactStore(tmp_path / "facts", 12)).n_decoded == 8
    assert len(engine.sizes) == 4


def test_engines_of_different_batches_work_side_by_side(tmp_path: Path, photos: dict[str, bytes]) -> None:
    engines = [MeanColour(3), MeanColour(1), MeanColour(2)]
    products = [product(tmp_path, engine) for engine in engines]
    look = look_at(FolderSource(tmp_path / "photos"), list(photos), products, FactStore(tmp_path / "facts", 12))
    keys = [facts.sha256 for facts in look.survey.facts if facts]
    rows = [one.store.rows(keys).all() for one in products]
    np.testing.assert_array_equal(rows[0], rows[1])
    np.testing.assert_array_equal(rows[0], rows[2])
    assert [set(engine.sizes) for engine in engines] == [{3}, {1}, {2}]


def test_results_do_not_depend_on_the_number_of_threads(
    tmp_path: Path, photos: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for n_threads in (1, 6):
        monkeypatch.setattr("heldout.training.looking.n_decoding_threads", lambda n=n_threads: n)
        folder = tmp_path / str(n_threads)
        products = [product(folder, MeanColour(2)), canvases(folder)]
        look = look_at(FolderSource(tmp_path / "photos"), list(photos), products, FactStore(folder / "facts", 12))
        keys = [facts.sha256 for facts in look.survey.facts if facts]
        found.append((look.survey, *(one.store.rows(keys).all().tobytes() for one in products)))
    assert found[0] == found[1]
    assert survey.n_decoding_threads() >= 1


def test_the_limit_of_pixels_holds_for_known_pictures_too(tmp_path: Path, photos: dict[str, bytes]) -> None:
    anew = look_at(
        FolderSource(tmp_path / "photos"), list(photos), [], FactStore(tmp_path / "new", 12), max_pixels=17 * 24
    )
    look_at(FolderSource(tmp_path / "photos"), list(photos), [], FactStore(tmp_path / "facts", 12))
    again = look_at(
        FolderSource(tmp_path / "photos"), list(photos), [], FactStore(tmp_path / "facts", 12), max_pixels=17 * 24
    )
    assert again.survey == anew.survey
    assert [file.id for file in again.survey.unreadable] == [f"{n:02d}.png" for n in (2, 5, 6, 7, 8, 9, 10)]


def test_one_picture_in_two_files_has_one_row(tmp_path: Path, photos: dict[str, bytes]) -> None:
    look = look_at(
        FolderSource(tmp_path / "photos"),
        ["00.png", "01.png", "00.png"],
        [canvases(tmp_path)],
        FactStore(tmp_path / "facts", 12),
    )
    assert look.survey.facts[0] == look.survey.facts[2] != look.survey.facts[1]


def test_progress_ends_at_all_files(tmp_path: Path, photos: dict[str, bytes]) -> None:
    told: list[tuple[int, int, float]] = []
    engine = MeanColour(4)
    look_at(
        FolderSource(tmp_path / "photos"),
        list(photos),
        [product(tmp_path, engine)],
        FactStore(tmp_path / "facts", 12),
        progress=lambda *words: told.append(words),
    )
    assert [done for done, _, _ in told] == [4, 8, 11]
    assert all(total == 11 and speed > 0 for _, total, speed in told)


def test_what_fails_beside_others_and_not_alone_is_want_of_memory(
    tmp_path: Path, photos: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    n_asked: Counter[str] = Counter()

    def refused_once(data: bytes, *, sha256: str, short_side: int, max_pixels: int) -> Decoded:
        n_asked[sha256] += 1
        if sha256 == hashlib.sha256(photos["03.png"]).hexdigest() and n_asked[sha256] == 1:
            data = data[:-30]
        return decode(data, sha256=sha256, short_side=short_side, max_pixels=max_pixels)

    monkeypatch.setattr(looking, "decode", refused_once)
    monkeypatch.setattr(looking, "can_be_refused", lambda: True)
    with pytest.raises(OutOfMemory, match="not enough memory to decode the pictures") as told:
        look_at(FolderSource(tmp_path / "photos"), list(photos), [], FactStore(tmp_path / "facts", 12))
    assert str(told.value.__cause__) == "03.png could not be decoded beside others, and can be alone"


def test_damaged_files_are_opened_again_only_where_memory_is_limited(
    tmp_path: Path, photos: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    for is_limited, n_wanted in ((False, 11), (True, 12)):
        n_read: list[str] = []
        monkeypatch.setattr(looking, "can_be_refused", lambda is_limited=is_limited: is_limited)
        monkeypatch.setattr(
            looking, "read_file", lambda source, name, n=n_read: n.append(name) or read_file(source, name)
        )
        facts = FactStore(tmp_path / f"facts {is_limited}", 12)
        look = look_at(FolderSource(tmp_path / "photos"), list(photos), [], facts)
        assert [file.id for file in look.survey.unreadable] == ["02.png", "05.png", "10.png"]
        assert len(n_read) == n_wanted  # of the three, one is cut; the others are no pictures whatever the memory


def test_no_files_are_no_trouble(tmp_path: Path) -> None:
    look = look_at(FolderSource(tmp_path), [], [], FactStore(tmp_path / "facts", 12))
    assert look.survey == survey.Survey((), ())
