import hashlib
import threading
import time
from pathlib import Path

import pytest

from heldout.data.pictures.survey import in_order, read_file
from heldout.data.storage.sources import FolderSource


def test_the_bytes_and_their_hash(tmp_path: Path) -> None:
    file = tmp_path / "a b\N{SNOWMAN}.jpg"
    file.write_bytes(b"content")
    assert read_file(FolderSource(tmp_path), file.name) == (b"content", hashlib.sha256(b"content").hexdigest())


@pytest.mark.parametrize("n_threads", [1, 3])
def test_results_come_in_order_whoever_is_first(n_threads: int) -> None:
    def job(index: int) -> int:
        time.sleep(0.002 * (index % 3 == 0))
        return index

    assert list(in_order(job, 40, n_threads=n_threads)) == list(range(40))
    assert list(in_order(job, 0, n_threads=n_threads)) == []


def test_what_is_begun_is_bounded() -> None:
    begun: list[int] = []
    results = in_order(begun.append, 1000, n_threads=2)
    next(results)
    time.sleep(0.05)
    assert len(begun) <= 4 * 2
    results.close()  # type: ignore[attr-defined]
    assert len(begun) <= 4 * 2


def test_an_error_is_raised_in_its_turn_and_ends_the_work() -> None:
    begun: list[int] = []

    def job(index: int) -> int:
        begun.append(index)
        if index == 5:
            raise ValueError("the fifth")
        return index

    results = in_order(job, 1000, n_threads=2)
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="the fifth"):
        next(results)
    assert max(begun) < 20


def test_no_thread_is_left_when_the_reader_stops_early() -> None:
    results = in_order(lambda index: index, 100, n_threads=2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("heldout-decode")]
