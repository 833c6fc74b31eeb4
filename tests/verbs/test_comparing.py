"""Two fitted models on the same held-out pictures: numbers, doubts, and what is written and what is not."""

import json
from pathlib import Path

import numpy as np
import pytest

import heldout as library
from heldout.errors import UsageError
from heldout.measuring.comparison import Difference, compare_paired
from heldout.verbs.comparing import Compared, better_of, compare
from journeys.command_line import content_of
from make_runs import Answered, answered_run, answers


def _difference(low: float, high: float, p: float) -> Difference:
    return Difference((low + high) / 2, low, high, p, 100, "")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """90 pictures: A right on all but 6, B on all but 24, of which 3 are A's too."""
    home = tmp_path_factory.mktemp("runs")
    right_a, right_b = np.ones((2, 90), dtype=bool)
    right_a[:6] = right_b[3:27] = False
    return answered_run(home / "a", answers(right_a)), answered_run(home / "b", answers(right_b), openings=4)


@pytest.fixture(scope="module")
def compared(runs: tuple[Path, Path]) -> Compared:
    return compare(*runs, out=None)


def test_the_numbers_are_those_of_the_paired_comparison(compared: Compared) -> None:
    found = compared.comparison
    plain = compare_paired(compared.a.correct, compared.b.correct, generator=np.random.default_rng(0))
    assert found == plain
    assert (found.n_both, found.n_only_a, found.n_only_b, found.n_neither) == (63, 21, 3, 3)
    assert compared.better == "a"
    assert compared.balanced is None  # the classes are of one size


def test_the_other_way_round_is_the_mirror_image(runs: tuple[Path, Path], compared: Compared) -> None:
    mirrored = compare(runs[1], runs[0], out=None)
    assert mirrored.better == "b"
    assert mirrored.comparison.difference.value == -compared.comparison.difference.value
    assert (mirrored.only_a, mirrored.only_b) == (compared.only_b, compared.only_a)


def test_the_classes_add_up(compared: Compared) -> None:
    assert [line.name for line in compared.per_class] == ["cat", "dog", "emu"]
    assert sum(line.n for line in compared.per_class) == compared.comparison.n
    assert sum(line.n_only_a for line in compared.per_class) == compared.comparison.n_only_a
    assert sum(line.n_only_b for line in compared.per_class) == compared.comparison.n_only_b


def test_those_pictures_stand_first_of_which_the_wrong_one_was_surest(tmp_path: Path) -> None:
    right = [Answered(f"{n}.jpg", f"{n}", "cat", "cat", 0.9) for n in range(4)]
    wrong = [Answered(f"{n}.jpg", f"{n}", "cat", "dog", sure) for n, sure in enumerate((0.5, 0.9, 0.7, 0.9))]
    found = compare(answered_run(tmp_path / "a", right), answered_run(tmp_path / "b", wrong), out=None)
    assert found.only_a == (1, 3, 2, 0)
    first = found.as_dict()["only_a"][0]
    assert (first["id"], first["label"]) == ("1.jpg", "cat")
    assert (first["a"]["predicted"], first["b"]) == ("cat", {"predicted": "dog", "confidence": 0.9})


@pytest.mark.parametrize(
    ("difference", "better"),
    [
        (_difference(0.01, 0.1, 0.01), "a"),
        (_difference(-0.1, -0.01, 0.01), "b"),
        (_difference(0.01, 0.1, 0.06), ""),  # the interval alone says so
        (_difference(-0.01, 0.1, 0.04), ""),  # the test alone does
        (_difference(0.0, 0.1, 0.04), ""),
    ],
)
def test_one_is_better_only_where_test_and_interval_say_so(difference: Difference, better: str) -> None:
    assert better_of(difference) == better


def test_classes_of_unequal_size_are_also_compared_as_equals(tmp_path: Path) -> None:
    labels = ("cat",) * 9 + ("dog",)
    common = np.arange(100) % 10 < 9
    a = answered_run(tmp_path / "a", answers([True] * 100, labels))
    b = answered_run(tmp_path / "b", answers(common, labels))  # the rare class is lost on it
    found = compare(a, b, out=None)
    assert found.balanced is not None
    assert found.balanced.value == pytest.approx(0.5)
    assert found.comparison.difference.value == pytest.approx(0.1)
    assert found.as_dict()["balanced_accuracy"]["value"] == pytest.approx(0.5)
    assert [line.n for line in found.per_class] == [90, 10, 0]
    assert found.per_class[2].difference is None


def test_runs_that_decided_by_the_same_costs_are_compared_by_them(tmp_path: Path) -> None:
    # Of cat, dog, emu in turn A loses five emus, each taken for a cat, and B ten dogs, each taken for an emu.
    right_a, right_b = np.ones((2, 90), dtype=bool)
    right_a[2:17:3] = right_b[1:30:3] = False
    runs = [answered_run(tmp_path / name, answers(right)) for name, right in (("a", right_a), ("b", right_b))]
    costs: list[list[float]] = [[0, 1, 1], [1, 0, 1], [30, 1, 0]]
    for run in runs:
        decide_by(run, costs)
    found = compare(*runs, out=tmp_path / "compared")
    assert found.comparison.difference.value > 0, "A is right more often"
    assert found.costs is not None
    assert found.costs.value == pytest.approx((10 * 1 - 5 * 30) / 90)
    told = found.as_dict()
    assert "B saves 1.56 an answer" in told["words"]["difference"]
    assert found.folder is not None
    page = (found.folder / "compare.html").read_text()
    assert "B saves 1.56 an answer" in page
    assert "other-costs" not in {finding.code for finding in found.findings}
    axis = page.split("By the costs that both decided by, A saves", 1)[1].partition("</p>")[0]
    assert "<strong>−1.56</strong>" in axis
    assert "an answer" in axis
    assert "<span>+5 an answer</span>" in page, "the axis holds both ends of the interval"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            [[0, 1, 1], [1, 0, 2], [31, 1, 0]],
            "of 2 kinds of mistake: 'dog' taken for 'emu' costs 1 for A and 2 for B",
        ),
        (None, "A decided by stated costs and B did not"),
    ],
)
def test_different_costs_are_told_and_not_compared(tmp_path: Path, other: list[list[float]] | None, words: str) -> None:
    a, b = (answered_run(tmp_path / name, answers(np.arange(90) > n)) for name, n in (("a", 2), ("b", 20)))
    decide_by(a, [[0, 1, 1], [1, 0, 1], [30, 1, 0]])
    if other:
        decide_by(b, other)
    found = compare(a, b, out=tmp_path / "compared")
    assert found.costs is None
    told = next(finding for finding in found.findings if finding.code == "other-costs")
    assert words in told.what
    assert found.folder is not None
    assert "By the costs that both decided by" not in (found.folder / "compare.html").read_text()


def decide_by(run: Path, costs: list[list[float]]) -> None:
    """Let a run have decided by these costs."""
    scores = json.loads((run / "scores.json").read_text())
    scores["imbalance"] = {"decision": {"rule": "costs", "costs": costs}}
    (run / "scores.json").write_text(json.dumps(scores))


def test_groups_count_together(tmp_path: Path) -> None:
    groups = [f"patient {number // 10}" for number in range(90)]
    right_b = np.arange(90) >= 20
    a = answered_run(tmp_path / "a", answers([True] * 90, groups=groups))
    b = answered_run(tmp_path / "b", answers(right_b))
    found = compare(a, b, out=None).comparison
    assert found.n_groups == 9
    assert found.difference.p > 0.05  # two patients, not twenty pictures


def test_pictures_that_a_run_has_learned_from_are_an_error(tmp_path: Path) -> None:
    test = answers([True] * 12)
    a = answered_run(tmp_path / "a", test)
    b = answered_run(tmp_path / "b", test, learned=("train a", "picture 3", "picture 5"))
    finding = compare(a, b, out=None).findings[0]
    assert (finding.code, finding.severity) == ("compared-on-training-data", "error")
    assert "2 of 12 held-out pictures" in finding.what
    assert "(0 for A, 2 for B)" in finding.what
    assert finding.where == ("test/003.jpg", "test/005.jpg")


def test_one_model_twice_and_other_training_data_are_told(tmp_path: Path) -> None:
    test = answers([True] * 6)
    a = answered_run(tmp_path / "a", test, weights="w")
    b = answered_run(tmp_path / "b", test, weights="w")
    c = answered_run(tmp_path / "c", test, learned=("train a", "train c"))
    codes = [[finding.code for finding in compare(a, other, out=None).findings] for other in (b, c)]
    assert codes == [
        ["equal-models", "near-copies-not-looked-for"],
        ["other-training-data", "near-copies-not-looked-for"],
    ]


def test_what_is_written_is_one_folder_and_the_runs_stay_as_they_are(runs: tuple[Path, Path], tmp_path: Path) -> None:
    before = content_of(runs[0].parent)
    found = [compare(*runs, out=tmp_path / "out") for _ in range(2)]
    folders = [each.folder for each in found]
    assert folders == [tmp_path / "out" / f"a-with-b-00{number}" for number in (1, 2)]
    assert content_of(runs[0].parent) == before
    assert [sorted(path.name for path in (tmp_path / "out" / "a-with-b-001").iterdir())] == [
        ["compare.html", "compare.json"]
    ]
    record = json.loads((tmp_path / "out" / "a-with-b-001" / "compare.json").read_text())
    assert record == json.loads(json.dumps(found[0].as_dict()))
    assert record["test_openings"] == 4
    pages = [(tmp_path / "out" / f"a-with-b-00{n}" / "compare.html").read_text() for n in (1, 2)]
    assert pages[0].replace("a-with-b-001", "") == pages[1].replace("a-with-b-002", "")


def test_one_run_alone_and_a_sweep_with_something_are_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is compared with nothing"):
        library.compare(runs[0])
    (tmp_path / "sweep.json").write_text("{}")
    with pytest.raises(UsageError, match="a sweep is compared with something else"):
        library.compare(runs[0], tmp_path)
