import hashlib
import multiprocessing
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from heldout.data.pictures.appearance import tones
from heldout.data.pictures.decoding import PictureFacts
from heldout.data.pictures.impressions import Glimpse, Impression, impressions
from heldout.data.pictures.likeness import SIGNATURE_BYTES, square
from heldout.errors import StorageError
from heldout.training import stores
from heldout.training.stores import ArrayStore, FactStore

SHAPE = (3, 2)


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def row(number: int) -> np.ndarray:
    return np.random.default_rng(number).normal(size=SHAPE).astype(np.float32)


def facts_of(number: int) -> PictureFacts:
    return PictureFacts(100 + number, 80, "RGB", "JPEG", 5000 + number, key(number), key(number)[:32])


def filled(folder: Path, numbers: range) -> ArrayStore:
    store = ArrayStore(folder, SHAPE, "float32")
    for number in numbers:
        store.add(key(number), row(number))
    store.flush()
    return store


def one(folder: Path, pattern: str) -> Path:
    (file,) = folder.glob(pattern)
    return file


# Arrays


def test_what_is_added_is_found_by_a_new_object(tmp_path: Path) -> None:
    filled(tmp_path / "new" / "store", range(5))
    store = ArrayStore(tmp_path / "new" / "store", SHAPE, "float32")
    assert all(key(number) in store for number in range(5))
    assert key(5) not in store
    rows = store.rows([key(3), key(0), key(3)])
    assert len(rows) == 3
    np.testing.assert_array_equal(rows.all(), [row(3), row(0), row(3)])
    np.testing.assert_array_equal(rows.take([1]), [row(0)])
    assert rows.take([]).shape == (0, *SHAPE)


def test_what_waits_is_known_and_is_written_when_rows_are_asked_for(tmp_path: Path) -> None:
    store = ArrayStore(tmp_path, SHAPE, "float32")
    store.add(key(1), row(1))
    assert key(1) in store
    assert not list(tmp_path.iterdir())
    np.testing.assert_array_equal(store.rows([key(1)]).all(), [row(1)])


def test_an_unknown_key_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="x"):
        filled(tmp_path, range(1)).rows([key(9)])


def test_files_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stores, "FLUSH_BYTES", 4 * row(0).nbytes)
    filled(tmp_path, range(10))
    assert len(list(tmp_path.glob("*.keys"))) == 3
    np.testing.assert_array_equal(
        ArrayStore(tmp_path, SHAPE, "float32").rows([key(n) for n in range(10)]).all(), [row(n) for n in range(10)]
    )


@pytest.mark.parametrize(
    ("shape", "dtype"), [((2, 3), "float32"), (SHAPE, "float16"), (SHAPE, ">f4"), ((6,), "float32")]
)
def test_rows_of_another_shape_or_type_are_not_used(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    filled(tmp_path, range(2))
    assert key(0) not in ArrayStore(tmp_path, shape, dtype)


@pytest.mark.parametrize("suffix", [".npy", ".keys"])
def test_no_shortened_file_is_used(tmp_path: Path, suffix: str) -> None:
    filled(tmp_path, range(3))
    file = one(tmp_path, f"*{suffix}")
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        assert key(0) not in ArrayStore(tmp_path, SHAPE, "float32")


@pytest.mark.parametrize("suffix", [".npy", ".keys"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_no_flipped_bit_changes_a_row(tmp_path: Path, suffix: str) -> None:
    filled(tmp_path, range(2))
    file = one(tmp_path, f"*{suffix}")
    whole = file.read_bytes()
    n_noticed = 0
    for bit in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        file.write_bytes(flipped)
        store = ArrayStore(tmp_path, SHAPE, "float32")
        for number in range(2):
            if key(number) not in store:
                n_noticed += 1
                continue
            try:
                got = store.rows([key(number)]).all()
            except StorageError:
                n_noticed += 1
                continue
            np.testing.assert_array_equal(got, [row(number)])
    assert n_noticed >= 8 * 2 * row(0).nbytes * (suffix == ".npy") + 8 * 2 * 36 * (suffix == ".keys")


def test_rows_without_keys_are_passed_over_and_made_again(tmp_path: Path) -> None:
    filled(tmp_path, range(3))
    one(tmp_path, "*.keys").unlink()  # as if the process had ended between the two
    store = ArrayStore(tmp_path, SHAPE, "float32")
    assert key(0) not in store
    store.add(key(0), row(0))
    np.testing.assert_array_equal(store.rows([key(0)]).all(), [row(0)])


def test_keys_without_rows_are_passed_over(tmp_path: Path) -> None:
    filled(tmp_path, range(3))
    one(tmp_path, "*.npy").unlink()
    assert key(0) not in ArrayStore(tmp_path, SHAPE, "float32")


def test_a_store_deleted_under_a_reader_is_an_error_of_ours(tmp_path: Path) -> None:
    rows = filled(tmp_path / "store", range(3)).rows([key(0)])
    shutil.rmtree(tmp_path / "store")
    with pytest.raises(StorageError, match="No such file"):
        rows.all()


def _write(folder: Path, begin: int) -> None:
    for start in range(begin, begin + 20, 5):
        filled(folder, range(start, start + 5))


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write, args=(tmp_path, begin)) for begin in (0, 15)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    store = ArrayStore(tmp_path, SHAPE, "float32")
    np.testing.assert_array_equal(store.rows([key(n) for n in range(35)]).all(), [row(n) for n in range(35)])


def test_a_full_disk_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    store = ArrayStore(tmp_path / "file" / "store", SHAPE, "float32")
    store.add(key(0), row(0))
    with pytest.raises(StorageError, match="cannot write"):
        store.flush()


# Facts


def glimpse_of(number: int) -> Glimpse:
    picture = Image.new("RGB", (8, 8 + number % 2), (number, 0, 0))
    return Glimpse(b"JPEG" * 20 + bytes([number]), square(picture), tones(picture))


def impression_of(number: int) -> Impression:
    return impressions([glimpse_of(number)])[0]


def filled_facts(folder: Path, numbers: range) -> FactStore:
    store = FactStore(folder, 256)
    for number in numbers:
        store.add(facts_of(number), glimpse_of(number))
    store.flush()
    return store


def test_facts_and_thumbnails_are_found_by_a_new_object(tmp_path: Path) -> None:
    filled_facts(tmp_path, range(3))
    filled_facts(tmp_path, range(3, 6))
    store = FactStore(tmp_path, 256)
    assert key(5) in store
    assert key(6) not in store
    assert list(store.facts([key(4), key(0), key(4)])) == [facts_of(4), facts_of(0), facts_of(4)]
    assert list(store.appearances([key(5), key(2)])) == [impression_of(5).appearance, impression_of(2).appearance]
    signatures = [row.tobytes() for row in store.signatures([key(5), key(0), key(5)])]
    assert signatures == [impression_of(number).signature for number in (5, 0, 5)]
    assert store.thumbnail(key(5))[-1] == 5
    assert list(store.facts([])) == []
    assert store.signatures([]).shape == (0, SIGNATURE_BYTES)
    with pytest.raises(KeyError, match=key(6)):
        store.facts([key(6)])


def test_facts_that_wait_are_known(tmp_path: Path) -> None:
    store = FactStore(tmp_path, 256)
    store.add(facts_of(1), glimpse_of(1))
    assert key(1) in store
    assert list(store.facts([key(1)])) == [facts_of(1)]
    assert store.thumbnail(key(1)) == impression_of(1).thumbnail


def test_damaged_facts_are_never_believed(tmp_path: Path) -> None:
    filled_facts(tmp_path, range(2))
    file = one(tmp_path, "facts-*.arrow")
    whole = file.read_bytes()
    n_noticed = 0
    for number, place in enumerate(range(0, len(whole), 3)):
        flipped = bytearray(whole)
        flipped[place] ^= 1 << number % 8
        # Another file each time: the last one is still mapped into memory.
        file.unlink()
        file = tmp_path / f"facts-{place}.arrow"
        file.write_bytes(flipped)
        store = FactStore(tmp_path, 256)
        for known in range(2):
            if key(known) not in store:
                n_noticed += 1
                continue
            try:
                (got,) = store.facts([key(known)])
                (look,) = store.appearances([key(known)])
                (signature,) = store.signatures([key(known)])
                thumbnail = store.thumbnail(key(known))
            except StorageError:
                n_noticed += 1
                continue
            assert got == facts_of(known)
            assert Impression(thumbnail, signature.tobytes(), look) == impression_of(known)
    assert n_noticed > 50


def test_facts_cut_short_are_not_used(tmp_path: Path) -> None:
    filled_facts(tmp_path, range(2))
    file = one(tmp_path, "facts-*.arrow")
    whole = file.read_bytes()
    file.unlink()
    for length in range(0, len(whole), 37):
        short = tmp_path / f"facts-{length}.arrow"
        short.write_bytes(whole[:length])
        assert key(0) not in FactStore(tmp_path, 256)
        short.unlink()
