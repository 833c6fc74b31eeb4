"""What a run is sure of, and its prediction sets, come from its answers on validation alone and keep what they say."""

from pathlib import Path

import numpy as np
import pytest

from heldout.doubting import Doubt, doubt_of, read_answers
from heldout.errors import RunFolderError, UsageError
from heldout.measuring.conformal import least_needed, least_probabilities
from heldout.measuring.decisions import least_cost
from heldout.measuring.predictions import Predictions
from heldout.records import write_parquet

CLASSES = ("ill", "well")


def _part(part: str, n: int, generator: np.random.Generator) -> dict[str, list[object]]:
    """Rows whose probabilities are true: the label is drawn by them."""
    ill = generator.random(n)
    labels = [CLASSES[0] if each else CLASSES[1] for each in generator.random(n) < ill]
    ids = [f"{part}-{number}" for number in range(n)]
    return {"id": [*ids], "part": [part] * n, "label": [*labels], "probabilities": [[p, 1 - p] for p in ill.tolist()]}


def _run(folder: Path, *, n_validation: int = 400, n_test: int = 400, copies: int = 1) -> Path:
    """The files of a finished run that are read here."""
    generator = np.random.default_rng(3)
    folder.mkdir()
    parts = [_part("validation", n_validation, generator), _part("test", n_test, generator)]
    rows = {name: parts[0][name] + parts[1][name] for name in parts[0]}
    write_parquet(folder / "predictions.parquet", rows)
    contents = [f"content {number // copies}" for number in range(len(rows["id"]))]
    split = {"id": rows["id"], "sha256": contents, "part": rows["part"], "group": [""] * len(contents)}
    write_parquet(folder / "split.parquet", split)
    return folder


def test_what_was_chosen_on_validation_is_met_there_and_checked_on_the_held_out_part(tmp_path: Path) -> None:
    run = _run(tmp_path / "run")
    validation = read_answers(run, "validation", CLASSES, None)
    doubt = doubt_of(run, CLASSES, None, not_sure=0.1, prediction_sets=0.1)
    assert doubt.not_sure is not None
    assert doubt.sets is not None
    sure = doubt.not_sure.is_sure(validation.probabilities)
    assert validation.correct[sure].mean() >= 0.9
    assert (int(sure.sum()), 400) == (doubt.not_sure.on_validation.n, len(validation))
    assert validation.correct.mean() < 0.8, "something had to be left out"
    in_set = doubt.sets.in_set(validation.probabilities)
    assert in_set[np.arange(400), validation.labels].mean() >= 0.9
    assert doubt.sets.least.tolist() == least_probabilities(validation, alpha=0.1).tolist()
    for low, high, true in (
        (doubt.not_sure.on_test.low, doubt.not_sure.on_test.high, 0.9),
        (doubt.sets.on_test.coverage.low, doubt.sets.on_test.coverage.high, 0.9),
    ):
        assert low - 0.03 < true < high + 0.03
    assert set(doubt.as_dict()) == {"not_sure", "prediction_sets"}
    assert doubt_of(run, CLASSES, None) == Doubt()


def test_an_interval_of_copies_is_wider_than_one_of_single_examples(tmp_path: Path) -> None:
    widths = []
    for copies in (1, 2):
        found = doubt_of(_run(tmp_path / str(copies), copies=copies), CLASSES, None, prediction_sets=0.2).sets
        assert found is not None
        widths.append(found.on_test.coverage.high - found.on_test.coverage.low)
    assert widths[1] > widths[0]


def test_with_costs_sure_is_by_the_costs_and_wrong_is_what_was_decided(tmp_path: Path) -> None:
    run, decision = _run(tmp_path / "run"), least_cost(np.array([[0.0, 9.0], [1.0, 0.0]]))
    found = doubt_of(run, CLASSES, decision, not_sure=0.1).not_sure
    assert found is not None
    # Probability 0.1 is the toss-up: there the two answers cost the same.
    sure = found.is_sure(np.array([[0.99, 0.01], [0.1, 0.9], [0.001, 0.999]]))
    assert sure.tolist() == [True, False, True]
    validation = read_answers(run, "validation", CLASSES, decision)
    assert validation.correct[found.is_sure(validation.probabilities)].mean() >= 0.9


@pytest.mark.parametrize("share", [0.0, -0.1, 0.51, 0.9, 1.0, 2.0, float("nan")])
@pytest.mark.parametrize("name", ["not_sure", "prediction_sets"])
def test_a_share_out_of_range_is_told(tmp_path: Path, name: str, share: float) -> None:
    with pytest.raises(UsageError, match=f"{name} is"):
        doubt_of(tmp_path, CLASSES, None, **{name: share})


def test_validation_that_cannot_keep_the_share_is_told(tmp_path: Path) -> None:
    small = _run(tmp_path / "small", n_validation=8)
    with pytest.raises(UsageError, match="every set would hold every class") as told:
        doubt_of(small, CLASSES, None, prediction_sets=0.1)
    assert "9 validation examples at least" in str(told.value.expected)
    assert doubt_of(small, CLASSES, None, prediction_sets=0.12).sets is not None
    wrong = Predictions(("a", "b"), np.array([1, 1]), np.log([[0.9, 0.1], [0.8, 0.2]]), CLASSES)
    content = {"id": ["a", "b"], "part": ["validation"] * 2, "label": ["well"] * 2}
    write_parquet(small / "predictions.parquet", content | {"probabilities": wrong.probabilities.tolist()})
    with pytest.raises(RunFolderError, match="test part"):
        doubt_of(small, CLASSES, None, not_sure=0.1)


def test_answers_that_are_never_so_often_right_are_told_with_what_is(tmp_path: Path) -> None:
    run = _run(tmp_path / "run", n_validation=50)
    never = least_cost(np.array([[0.0, 1e-6], [1.0, 0.0]]))  # always well
    with pytest.raises(UsageError, match=r"at no confidence are only 0\.001") as told:
        doubt_of(run, ("well", "ill"), never, not_sure=0.001)
    assert "such as --not-sure" in told.value.fix


@pytest.mark.parametrize("absent", ["file", "column", "validation"])
def test_a_run_of_an_earlier_version_is_told_what_it_lacks(tmp_path: Path, absent: str) -> None:
    run = _run(tmp_path / "run")
    file = run / "predictions.parquet"
    file.unlink()
    if absent == "column":
        write_parquet(file, {"id": ["a"], "part": ["validation"], "label": ["ill"]})
    elif absent == "validation":
        rows = {"id": ["a"], "part": ["test"], "label": ["ill"], "probabilities": [[0.5, 0.5]]}
        write_parquet(file, rows)
    with pytest.raises(RunFolderError, match="what it answered on its validation part") as told:
        doubt_of(run, CLASSES, None, not_sure=0.1)
    assert "plan.toml" in told.value.fix


def test_as_many_examples_as_needed_leave_a_class_out() -> None:
    for alpha in (0.01, 0.05, 0.1, 0.2, 0.3):
        n = least_needed(alpha)
        for n_there, is_left_out in ((n - 1, False), (n, True)):
            logits = np.log(np.tile([0.9, 0.1], (n_there, 1)))
            part = Predictions(tuple(map(str, range(n_there))), np.zeros(n_there, int), logits, CLASSES)
            assert bool(least_probabilities(part, alpha=alpha)[0] > 0) is is_left_out
