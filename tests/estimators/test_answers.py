"""Doubt in scikit-learn's manner: sets that hold the true class as often as they say, and answers left open."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.exceptions import NotFittedError

from heldout.errors import RunFolderError, UsageError
from heldout.estimators.table import TableClassifier

# As words "10" stands before "2": the classifier's own order is not that of the labels.
KINDS = np.array([2, 10])


def drawn(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of two features whose labels are drawn by a known logit."""
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(n, 2))
    return X, KINDS[(generator.random(n) < 1 / (1 + np.exp(-(1.5 * X @ [1.0, -0.5] + 0.4)))).astype(int)]


@pytest.fixture(scope="module")
def fitted() -> TableClassifier:
    return TableClassifier(random_state=1).fit(*drawn(4000, 0))


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3])
def test_sets_of_new_rows_miss_as_seldom_as_they_say(fitted: TableClassifier, share: float) -> None:
    X, y = drawn(20_000, 1)
    sets = fitted.predict_sets(X, share=share)
    assert sets.shape == (20_000, 2)
    assert sets.dtype == np.dtype(bool)
    held = sets[np.arange(len(y)), np.searchsorted(fitted.classes_, y)]
    # 800 rows of validation: of what another draw would give, two standard deviations.
    assert held.mean() == pytest.approx(1 - share, abs=2.5 * np.sqrt(share * (1 - share) / 800))
    for kind in KINDS:
        assert held[y == kind].mean() == pytest.approx(1 - share, abs=4 * np.sqrt(share * (1 - share) / 400))


def test_a_smaller_share_of_misses_takes_larger_sets(fitted: TableClassifier) -> None:
    X, _ = drawn(500, 2)
    small, large = fitted.predict_sets(X, share=0.3), fitted.predict_sets(X, share=0.02)
    assert np.all(large >= small)
    assert large.sum() > small.sum()
    np.testing.assert_array_equal(fitted.predict_sets(X), fitted.predict_sets(X, share=0.1))


def test_of_the_sure_answers_about_so_many_are_wrong_as_were_asked_for(fitted: TableClassifier) -> None:
    X, y = drawn(20_000, 3)
    answered = fitted.predict(X)
    sure = ~fitted.not_sure(X, share=0.1)
    assert (answered != y).mean() > 0.2
    assert 0.2 < sure.mean() < 0.9
    assert (answered[sure] != y[sure]).mean() == pytest.approx(0.1, abs=0.03)
    surest = fitted.predict_proba(X).max(axis=1)
    assert surest[sure].min() >= surest[~sure].max()


def test_answers_are_the_same_whatever_doubt_is_asked_for(fitted: TableClassifier) -> None:
    X, _ = drawn(100, 4)
    before = fitted.predict(X), fitted.predict_proba(X)
    fitted.predict_sets(X)
    fitted.not_sure(X, share=0.2)
    np.testing.assert_array_equal(fitted.predict(X), before[0])
    np.testing.assert_array_equal(fitted.predict_proba(X), before[1])


def test_what_was_answered_on_validation_is_that_of_its_rows(fitted: TableClassifier) -> None:
    X, y = drawn(4000, 0)
    rows = fitted.validation_indices_
    answers = fitted.validation_answers_
    assert answers is not None
    assert [int(answers.classes[label]) for label in answers.labels] == y[rows].tolist()
    columns = [answers.classes.index(str(kind)) for kind in fitted.classes_]
    np.testing.assert_allclose(answers.probabilities[:, columns], fitted.predict_proba(X[rows]), rtol=1e-5)


def test_a_rule_of_costs_says_what_is_sure_by_its_own_answers() -> None:
    X, y = drawn(3000, 5)
    classifier = TableClassifier(costs="2:10=6").fit(X, y)
    new, truth = drawn(10_000, 6)
    sure = ~classifier.not_sure(new, share=0.2)
    assert 0.05 < sure.mean() < 1
    assert (classifier.predict(new)[sure] != truth[sure]).mean() == pytest.approx(0.2, abs=0.05)


def test_a_saved_classifier_doubts_alike(fitted: TableClassifier, tmp_path: Path) -> None:
    X, _ = drawn(200, 7)
    loaded = TableClassifier.load(fitted.save(tmp_path / "saved"))
    np.testing.assert_array_equal(loaded.predict_sets(X, share=0.05), fitted.predict_sets(X, share=0.05))
    np.testing.assert_array_equal(loaded.not_sure(X, share=0.1), fitted.not_sure(X, share=0.1))
    (tmp_path / "saved" / "validation.parquet").unlink()  # as an earlier version saved it
    earlier = TableClassifier.load(tmp_path / "saved")
    np.testing.assert_array_equal(earlier.predict(X), fitted.predict(X))
    with pytest.raises(UsageError, match="no answers on a validation part are known"):
        earlier.predict_sets(X)


def test_a_folder_that_is_used_again_has_no_answers_of_the_one_before(fitted: TableClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    TableClassifier().fit([[1.0], [2.0]], ["a", "b"]).save(tmp_path)
    assert not (tmp_path / "validation.parquet").exists()
    assert TableClassifier.load(tmp_path).predict([[1.0]]).tolist() == ["a"]


def test_damaged_answers_are_told(fitted: TableClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path)
    (tmp_path / "validation.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(RunFolderError, match=r"validation\.parquet"):
        TableClassifier.load(tmp_path)


@pytest.mark.parametrize("ask", ["predict_sets", "not_sure"])
def test_what_cannot_be_promised_is_refused(fitted: TableClassifier, ask: str) -> None:
    X = drawn(40, 8)[0]
    for share in (0.0, 0.9, float("nan")):
        with pytest.raises(UsageError, match="share is"):
            getattr(fitted, ask)(X, share=share)
    with pytest.raises(NotFittedError):
        getattr(TableClassifier(), ask)(X)
    two = TableClassifier().fit([[1.0], [2.0]], ["a", "b"])
    with pytest.raises(UsageError, match="no answers on a validation part"):
        getattr(two, ask)([[1.0]])


def test_a_promise_that_takes_more_rows_is_refused_with_what_they_can_promise() -> None:
    X, y = drawn(40, 8)
    with pytest.raises(UsageError, match="8 validation examples cannot say") as told:
        TableClassifier().fit(X, y).predict_sets(X)
    assert "such as share=0.12" in told.value.fix


def test_where_there_is_but_one_class_nothing_is_doubted() -> None:
    one = TableClassifier().fit([[1.0], [2.0]], ["a", "a"])
    assert one.predict_sets([[1.0], [3.0], [4.0]]).tolist() == [[True]] * 3
    assert one.not_sure([[1.0], [3.0]]).tolist() == [False] * 2


def test_columns_can_be_asked() -> None:
    X, y = drawn(600, 9)
    columns: dict[str, Any] = {"a": X[:, 0], "b": X[:, 1]}
    classifier = TableClassifier().fit(pa.table(columns), y)
    assert classifier.predict_sets(pa.table(columns)).shape == (600, 2)
