"""Two runs are paired by content and label, or refused with what differs."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from heldout.errors import DamagedRun, RunFolderError, UsageError
from heldout.verbs.pairing import clusters_of_pair, read_pair, read_side
from make_runs import Answered, answered_run, answers, sha256_of


def test_examples_are_matched_by_content_whatever_their_names_and_order(tmp_path: Path) -> None:
    first = [Answered("a/1.jpg", "one", "cat", "cat"), Answered("a/2.jpg", "two", "dog", "cat", 0.6)]
    second = [Answered("b/x.jpg", "two", "dog", "dog", 0.7), Answered("b/y.jpg", "one", "cat", "emu", 0.8)]
    a, b = read_pair(answered_run(tmp_path / "a", first), answered_run(tmp_path / "b", second))
    assert a.ids == ("a/1.jpg", "a/2.jpg")
    assert b.ids == ("b/y.jpg", "b/x.jpg")
    assert a.sha256s == b.sha256s == (sha256_of("one"), sha256_of("two"))
    assert (a.correct.tolist(), b.correct.tolist()) == ([True, False], [False, True])
    assert b.confidence.tolist() == [0.8, 0.7]


def test_the_same_content_twice_is_two_examples(tmp_path: Path) -> None:
    twice = [Answered(f"{name}.jpg", "one", "cat", "cat") for name in "ab"]
    a, b = read_pair(answered_run(tmp_path / "a", twice), answered_run(tmp_path / "b", twice[::-1]))
    assert a.ids == b.ids == ("a.jpg", "b.jpg")
    clusters, is_looked_up = clusters_of_pair(a, b, [])
    assert clusters[0] == clusters[1]
    assert not is_looked_up
    with pytest.raises(UsageError, match="1 are common, 1 are only in"):
        read_pair(tmp_path / "a", answered_run(tmp_path / "c", twice[:1]))


def test_the_groups_of_either_run_count_together(tmp_path: Path) -> None:
    right = [True] * 6
    a = answered_run(tmp_path / "a", answers(right, groups=["p", "p", "", "", "q", ""]))
    b = answered_run(tmp_path / "b", answers(right, groups=["", "x", "x", "", "", ""]))
    clusters, _ = clusters_of_pair(*read_pair(a, b), [])
    assert clusters.tolist() == [0, 0, 0, 1, 2, 3]


@pytest.mark.parametrize("spelling", ["run", "run/../run", "link"])
def test_a_run_is_not_compared_with_itself(tmp_path: Path, spelling: str) -> None:
    answered_run(tmp_path / "run", answers([True] * 3))
    (tmp_path / "link").symlink_to("run")
    with pytest.raises(UsageError, match="compared with itself"):
        read_pair(tmp_path / "run", tmp_path / spelling)


def test_other_classes_are_refused_by_name(tmp_path: Path) -> None:
    a = answered_run(tmp_path / "a", answers([True] * 3))
    b = answered_run(tmp_path / "b", answers([True] * 3), classes=("cat", "dog", "emu", "fox"))
    with pytest.raises(UsageError, match=r"other classes apart: 'fox' only in .*/b\n"):
        read_pair(a, b)


def test_other_test_parts_are_refused_with_what_differs(tmp_path: Path) -> None:
    test = answers([True] * 5)
    other = [*test[:3], Answered("test/new.jpg", "new", "cat", "cat"), Answered("x", test[4].content, "cat", "cat")]
    a = answered_run(tmp_path / "a", test)
    b = answered_run(tmp_path / "b", other, learned=("train a", test[3].content))
    with pytest.raises(UsageError, match="not scored on the same held-out pictures") as told:
        read_pair(a, b)
    for words in (
        f"3 are common, 2 are only in {a}, and 2 only in {b}",
        "1 pictures bear another label in each",
        f"{b} has learned from 1 of the test pictures of {a}",
        "--seed",
    ):
        assert words in str(told.value)


def test_files_that_do_not_fit_together_are_damage(tmp_path: Path) -> None:
    run = answered_run(tmp_path / "run", answers([True] * 4))
    table = pq.read_table(run / "predictions.parquet")
    pq.write_table(table.slice(1), run / "predictions.parquet")
    with pytest.raises(DamagedRun, match="name other test examples"):
        read_side(run)
    unknown = table.set_column(table.column_names.index("predicted"), "predicted", pa.array(["yak"] * 4))
    pq.write_table(unknown, run / "predictions.parquet")
    with pytest.raises(DamagedRun, match="yak"):
        read_side(run)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("scores.json", []),
        ("scores.json", {"format": 1, "test": {}}),
        ("scores.json", {"format": 1, "test": {}, "data": {"classes": 3}}),
        ("scores.json", {"test": {"scores": [], "per_class": []}, "data": {"classes": []}, "model": {}}),
        ("environment.json", {"fingerprints": {}}),
    ],
)
def test_records_of_another_shape_are_damage(tmp_path: Path, file: str, content: object) -> None:
    run = answered_run(tmp_path / "run", answers([True] * 4))
    (run / file).write_text(json.dumps(content))
    with pytest.raises(DamagedRun, match="do not fit together"):
        read_side(run)


def test_a_run_without_a_held_out_score_is_refused(tmp_path: Path) -> None:
    run = answered_run(tmp_path / "run", answers([True] * 4))
    scores = json.loads((run / "scores.json").read_text())
    (run / "scores.json").write_text(json.dumps(scores | {"test": None}))
    with pytest.raises(RunFolderError, match="has no held-out score"):
        read_side(run)


def test_what_was_learned_from_is_known(tmp_path: Path) -> None:
    side = read_side(answered_run(tmp_path / "run", answers([True] * 3), learned=("train a", "picture 1")))
    assert side.has_learned.tolist() == [False, True, False]
    assert np.issubdtype(side.labels.dtype, np.integer)
