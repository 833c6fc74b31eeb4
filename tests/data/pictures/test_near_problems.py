from pathlib import Path

import numpy as np
import pytest

from heldout.data.examples import Examples, Row, gather
from heldout.data.pictures.decoding import PictureFacts
from heldout.data.pictures.near_duplicates import Pairs
from heldout.data.pictures.near_problems import leaked, near_duplicate_findings, same_pixels
from heldout.data.pictures.survey import Survey
from heldout.data.storage.sources import FolderSource
from heldout.findings import MAX_NAMED, Finding

ROWS: list[Row] = [
    ("a0", "cat", 0),
    ("a1", "cat", 0),
    ("b0", "cat", 1),
    ("c0", "cat", 2),
    ("c1", "dog", 2),
    ("d0", "dog", -1),
]
EXAMPLES: Examples = gather(FolderSource(Path("/d")), ROWS, layout="split folders")


def pairs_of(*ends: tuple[int, int, float]) -> Pairs:
    return Pairs(
        np.array([e[0] for e in ends], np.int64),
        np.array([e[1] for e in ends], np.int64),
        np.array([e[2] for e in ends]),
    )


def survey_of(*pixels: str | None) -> Survey:
    def facts(name: str) -> PictureFacts:
        return PictureFacts(width=8, height=8, mode="RGB", format="JPEG", n_bytes=100, sha256="", pixels=name)

    return Survey(tuple(None if name is None else facts(name) for name in pixels), ())


def by_code(pairs: Pairs, survey: Survey | None = None) -> dict[str, Finding]:
    found = near_duplicate_findings(EXAMPLES, EXAMPLES.given, pairs, survey=survey)
    assert len({finding.code for finding in found}) == len(found)
    return {finding.code: finding for finding in found}


def test_without_pairs_there_is_nothing_to_find() -> None:
    assert by_code(pairs_of()) == {}


def test_near_copies_across_parts_are_an_error_with_counts() -> None:
    found = by_code(pairs_of((0, 3, 0.97), (1, 3, 0.98), (2, 3, 0.99), (0, 2, 0.97)))
    leak = found.pop("near-duplicate-across-splits")
    assert found == {}
    assert leak.severity == "error"
    assert leak.what == (
        "4 pairs of near copies stand in two parts: 1 of 2 test examples have a near copy in train; "
        "1 of 2 test examples have a near copy in validation; 1 of 1 validation examples have a near copy in train"
    )
    # The most alike first, each once.
    assert leak.where == ("b0", "c0", "a1", "a0")


def test_near_copies_within_a_part_are_a_note() -> None:
    found = by_code(pairs_of((0, 1, 0.97)))
    assert list(found) == ["near-duplicate-within-split"]
    note = found["near-duplicate-within-split"]
    assert note.severity == "note"
    assert note.what == (
        "1 groups of near copies stand within a part, the largest of 2 pictures; 1 examples more than groups"
    )


def test_near_copies_under_two_classes_are_a_warning() -> None:
    found = by_code(pairs_of((3, 4, 0.97)))
    assert set(found) == {"near-duplicate-within-split", "near-copies-two-labels"}
    torn = found["near-copies-two-labels"]
    assert torn.severity == "warning"
    assert torn.what == ("1 pairs of near copies stand under two classes; the most alike: 'c0' is 'cat', 'c1' is 'dog'")
    assert torn.where == ("c0", "c1")


def test_what_is_in_no_part_yet_leaks_into_none() -> None:
    assert set(by_code(pairs_of((4, 5, 0.97)))) == set()


def test_pairs_equal_pixel_by_pixel_are_told_elsewhere() -> None:
    survey = survey_of("p", "q", "p", "q", None, None)
    pairs = pairs_of((0, 2, 1.0), (1, 2, 0.97), (4, 5, 1.0))
    assert same_pixels(survey, pairs).tolist() == [True, False, False]
    leak = by_code(pairs, survey)["near-duplicate-across-splits"]
    assert leak.where == ("a1", "b0")


def test_leaked_examples_are_those_with_a_copy_in_an_earlier_part() -> None:
    pairs = pairs_of((0, 2, 0.97), (1, 3, 0.97), (3, 4, 0.97), (4, 5, 0.97))
    assert np.flatnonzero(leaked(EXAMPLES.given, pairs, part="test")).tolist() == [3]
    assert np.flatnonzero(leaked(EXAMPLES.given, pairs, part="validation")).tolist() == [2]
    assert not leaked(EXAMPLES.given, pairs, part="train").any()
    # Whichever of the two stands first.
    turned = np.array([2, 0, 0, 0, 0, 0])
    assert np.flatnonzero(leaked(turned, pairs, part="test")).tolist() == [0]


def test_no_finding_names_more_files_than_can_be_read() -> None:
    rows: list[Row] = [(f"{part}/{i:02d}", "xy"[i % 2], part) for part in (0, 2) for i in range(40)]
    examples = gather(FolderSource(Path("/d")), rows, layout="split folders")
    pairs = pairs_of(*((i, i + 40, 0.97) for i in range(40)))
    (leak,) = near_duplicate_findings(examples, examples.given, pairs)
    assert "40 of 40 test examples" in leak.what
    assert len(leak.where) == MAX_NAMED


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(AssertionError, match="5 parts for 6 examples"):
        near_duplicate_findings(EXAMPLES, EXAMPLES.given[:5], pairs_of())
