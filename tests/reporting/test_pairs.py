"""Which pairs are shown: every kind, every cluster before any twice, and never more than asked for."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.data.examples import Examples, gather
from heldout.data.pictures.decoding import PictureFacts
from heldout.data.pictures.near_duplicates import Pairs, clusters
from heldout.data.pictures.survey import Survey
from heldout.data.storage.sources import FolderSource
from heldout.reporting.pairs import KINDS, MAX_IN_RECORD, allotted, choose_pairs, kinds_of, pair_record


def example_data(rows: list[tuple[str, str, int]]) -> Examples:
    return gather(FolderSource(Path()), rows, layout="listing")


def pairs_of(ends: list[tuple[int, int]], likeness: list[float]) -> Pairs:
    first, second = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    return Pairs(first, second, np.array(likeness, dtype=np.float64))


def facts_of(pixels: str) -> PictureFacts:
    return PictureFacts(sha256=pixels, n_bytes=1, format="JPEG", mode="RGB", width=8, height=8, pixels=pixels)


def test_a_pair_in_two_parts_is_that_first_even_under_two_labels() -> None:
    examples = example_data([("0", "cat", 0), ("1", "dog", 2), ("2", "dog", 0), ("3", "cat", 0), ("4", "cat", -1)])
    pairs = pairs_of([(0, 1), (0, 2), (0, 3), (0, 4), (1, 4)], [1.0] * 5)
    assert [KINDS[kind] for kind in kinds_of(examples, pairs)] == [
        "across-parts",
        "two-labels",
        "within-part",
        "within-part",
        "two-labels",
    ]


def test_a_hundred_copies_of_one_picture_leave_room_for_other_pairs() -> None:
    ends = [*combinations(range(100), 2), (100, 101), (102, 103)]
    pairs = pairs_of(ends, [1.0] * (len(ends) - 2) + [0.97, 0.96])
    kinds = np.full(len(pairs), 2)
    chosen = choose_pairs(kinds, pairs, clusters(104, pairs), room=60)
    assert len(chosen) == 60
    shown = [ends[i] for i in chosen]
    assert shown[:3] == [(0, 1), (100, 101), (102, 103)]


@given(st.lists(st.integers(0, 200), min_size=3, max_size=3), st.integers(0, 100))
def test_the_room_is_filled_and_never_more(n_of_kind: list[int], room: int) -> None:
    shares = allotted(n_of_kind, room)
    assert sum(shares) == min(room, sum(n_of_kind))
    assert all(0 <= share <= n for share, n in zip(shares, n_of_kind, strict=True))
    assert all(share >= min(n, room // 4) for share, n in zip(shares, n_of_kind, strict=True))


@pytest.mark.parametrize("n", [0, 1, 3000])
def test_the_record_tells_the_whole_number_and_shows_a_thousand(n: int) -> None:
    examples = example_data([(f"{i:05}", "cat" if i % 2 else "dog", 0) for i in range(n + 2)])
    survey = Survey(tuple(facts_of("same" if i < 2 else str(i)) for i in range(n + 2)), ())
    pairs = pairs_of([(i, i + 1) for i in range(n)], [1.0] * min(n, 1) + [0.97] * (n - 1))
    record = pair_record(examples, survey, pairs, clusters=np.arange(n + 2))
    assert record["n"] == n
    assert (record["n_exact"], record["n_dropped"]) == (min(n, 1), 0)
    assert record["n_of_kind"] == {"across-parts": 0, "two-labels": n, "within-part": 0}
    assert len(record["shown"]) == min(n, MAX_IN_RECORD)
    if n:
        assert record["shown"][0] == {
            "first": "00000",
            "second": "00001",
            "kind": "two-labels",
            "likeness": 1.0,
            "exact": True,
            "classes": ["dog", "cat"],
            "parts": ["train", "train"],
        }
    assert not any(pair["exact"] for pair in record["shown"][1:])


def test_what_was_left_out_before_is_told() -> None:
    examples = example_data([("0", "cat", -1), ("1", "dog", -1)])
    pairs = Pairs(np.array([0]), np.array([1]), np.array([0.97]), n_dropped=7)
    record = pair_record(examples, Survey((facts_of("a"), facts_of("b")), ()), pairs, clusters=np.zeros(2, np.int64))
    assert record["n_dropped"] == 7
    assert record["shown"][0]["parts"] == ["free", "free"]
