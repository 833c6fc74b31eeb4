from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from sklearn.utils.estimator_checks import parametrize_with_checks

from heldout.data.tabular.tables import find_table
from heldout.devices import chosen_device
from heldout.errors import DataError, RunFolderError, UsageError
from heldout.estimators.table import TableClassifier
from heldout.experiment import job_of
from heldout.plan import make_plan
from heldout.provenance import Silent
from heldout.training.fitting import fit
from heldout.training.materials import Part
from heldout.training.table_materials import TableMaterials

Check = Callable[[Any], None]


def imbalanced(n: int = 1000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two features, one in eight of class 1, whose logit is 2 x - 1.2 y - 2.6."""
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(n, 2))
    logit = X @ [2.0, -1.2] - 2.6
    return X, (generator.random(n) < 1 / (1 + np.exp(-logit))).astype(int)


@parametrize_with_checks([TableClassifier()])  # type: ignore[untyped-decorator]
def test_linear_passes_every_check_of_scikit_learn(estimator: Any, check: Check) -> None:
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [
        TableClassifier("boosting"),
        TableClassifier("mlp"),
        TableClassifier(imbalance="weights"),
        TableClassifier(imbalance="balanced-batch"),
        TableClassifier(imbalance="focal", epochs=30),
    ]
)
def test_the_other_models_pass_every_check_of_scikit_learn(estimator: Any, check: Check) -> None:
    check(estimator)


def test_the_model_is_that_of_a_run_on_the_same_parts(tmp_path: Path) -> None:
    X, y = load_iris(return_X_y=True)
    ours = TableClassifier().fit(X, y)
    rows = np.arange(len(y))
    is_validation = np.isin(rows, ours.validation_indices_)

    def columns(chosen: np.ndarray) -> dict[str, Any]:
        return {f"x{n}": X[chosen, n] for n in range(X.shape[1])} | {"y": y[chosen]}

    examples = find_table(columns(~is_validation), "y", validation=columns(is_validation))
    train, validation = (Part(examples.take(np.flatnonzero(examples.given == part)), ()) for part in (0, 1))
    materials = TableMaterials(examples.source, chosen_device("cpu"), tmp_path)  # type: ignore[arg-type]
    plan = make_plan({"data.path": "iris.csv", "data.target": "y"})
    materials = materials.fitted_to(train)
    theirs = fit(job_of(plan), train, validation, materials, folder=tmp_path, watcher=Silent()).classifier
    np.testing.assert_allclose(
        ours.classifier_.scorer.tensors()["output.weight"],
        theirs.scorer.tensors()["output.weight"],  # type: ignore[union-attr]
        rtol=1e-4,
        atol=1e-6,
    )
    assert ours.score(X, y) > 0.93


def test_it_works_where_scikit_learns_own_classifiers_do() -> None:
    X, y = load_iris(return_X_y=True)
    piped = make_pipeline(PolynomialFeatures(2), TableClassifier())
    assert cross_val_score(piped, X, y, cv=3).mean() > 0.9
    search = GridSearchCV(TableClassifier(), {"imbalance": ["none", "weights"]}, cv=2)
    search.fit(X, y)
    assert search.best_score_ > 0.9
    copy = clone(search.best_estimator_)
    assert copy.get_params() == search.best_estimator_.get_params()
    assert not hasattr(copy, "classifier_")
    np.testing.assert_array_equal(copy.fit(X, y).predict(X), search.predict(X))


def frame(n: int = 60) -> tuple[pa.Table, list[str]]:
    generator = np.random.default_rng(0)
    colour = generator.choice(["red", "green", "blue"], n)
    size = generator.normal(size=n)
    # No labels of noise: red ones are ripe, others where they are large.
    y = ["ripe" if c == "red" or s > 0.5 else "raw" for c, s in zip(colour, size, strict=True)]
    columns = {
        "size": pa.array([None if i % 10 == 0 else s for i, s in enumerate(size.tolist())]),
        "colour": pa.array(colour.tolist()),
        "is wet": pa.array((generator.random(n) < 0.5).tolist()),
        "day": pa.array((np.datetime64("2026-01-01") + np.arange(n)).astype("datetime64[D]")),
    }
    return pa.table(columns), y


def test_columns_of_a_frame_keep_their_types_and_names() -> None:
    table, y = frame()
    classifier = TableClassifier().fit(table, y)
    assert classifier.feature_names_in_.tolist() == ["size", "colour", "is wet", "day"]
    kinds = {column.name: column.kind for column in classifier.classifier_.encoder.columns}
    assert kinds == {"size": "number", "colour": "category", "is wet": "number", "day": "date"}
    assert classifier.classifier_.encoder.columns[0].has_missing
    assert classifier.score(table, y) > 0.85
    with pytest.raises(ValueError, match="feature names should match"):
        classifier.predict(table.rename_columns(["size", "color", "is wet", "day"]))


def test_a_frame_of_pandas_is_read_as_its_arrow_table() -> None:
    pytest.importorskip("pandas", reason="statsmodels brings it along")
    table, y = frame()
    data = table.to_pandas()
    of_pandas = TableClassifier().fit(data.set_index(np.arange(len(y)) + 7), y)
    of_arrow = TableClassifier().fit(table, y)
    np.testing.assert_array_equal(of_pandas.predict_proba(data), of_arrow.predict_proba(table))


@pytest.mark.parametrize(
    "values",
    [
        np.array([9, 10, 11]),
        np.array([9.0, 10.0, 11.0]),
        np.array(["b", "a", "C"]),
        np.array(["b", "a", "C"], object),
        np.array([-1, 1]),
        np.array([False, True]),
    ],
    ids=str,
)
def test_labels_of_any_type_come_back_in_scikit_learns_order(values: np.ndarray) -> None:
    generator = np.random.default_rng(0)
    places = np.arange(60) % len(values)
    y = values[places]
    X = np.eye(3)[places] + generator.normal(0, 0.1, (60, 3))
    classifier = TableClassifier().fit(X, y)
    np.testing.assert_array_equal(classifier.classes_, np.unique(values))
    predicted, probabilities = classifier.predict(X), classifier.predict_proba(X)
    np.testing.assert_array_equal(predicted, y)
    assert predicted.dtype == classifier.classes_.dtype
    np.testing.assert_array_equal(classifier.classes_[probabilities.argmax(axis=1)], y)


def test_copies_and_groups_are_not_parted() -> None:
    X, y = imbalanced(200)
    twice, labels = np.concatenate([X, X]), np.concatenate([y, y])
    chosen = TableClassifier().fit(twice, labels).validation_indices_
    assert 0 < len(chosen) < 400
    assert set(chosen % 200) & set(np.setdiff1d(np.arange(400), chosen) % 200) == set()
    groups = np.array([f"patient {row % 20}" for row in range(200)])
    chosen = TableClassifier().fit(X, y, groups=groups).validation_indices_
    assert 0 < len(chosen) < 200
    assert set(groups[chosen]) & set(np.delete(groups, chosen)) == set()


def test_groups_that_leave_no_validation_part_are_refused() -> None:
    X, y = imbalanced(40)
    with pytest.raises(DataError, match="groups leave no example for the validation part"):
        TableClassifier().fit(X, y, groups=["all"] * 40)
    with pytest.raises(DataError, match="40 examples, and groups of shape"):
        TableClassifier().fit(X, y, groups=["a", "b", "c"])


@pytest.mark.parametrize("imbalance", ["none", "weights", "balanced-batch"])
def test_probabilities_are_of_the_true_prior_whatever_helps_rare_classes(imbalance: str) -> None:
    X, y = imbalanced(2000)
    classifier = TableClassifier(imbalance=imbalance, epochs=5 if imbalance == "balanced-batch" else None).fit(X, y)
    unseen, labels = imbalanced(3000, seed=1)
    # The standard error of the share of 3,000 labels is 0.006.
    assert classifier.predict_proba(unseen)[:, 1].mean() == pytest.approx(labels.mean(), abs=0.025)
    recall = (classifier.predict(unseen) == 1)[labels == 1].mean()
    assert recall < 0.6 if imbalance == "none" else recall > 0.75


@pytest.mark.parametrize("positive", [0, 1])
@pytest.mark.parametrize(
    "rule", [{"threshold": 0.2}, {"threshold": "f1"}, {"threshold": "balanced"}, {"costs": "1:0=10"}]
)
def test_the_decision_function_is_above_0_where_the_second_class_is_decided_for(
    rule: dict[str, Any], positive: int
) -> None:
    X, y = imbalanced()
    classifier = TableClassifier(positive=positive, **rule).fit(X, y)
    predicted = classifier.predict(X)
    np.testing.assert_array_equal(classifier.decision_function(X) > 0, predicted == 1)
    if rule == {"threshold": 0.2}:
        np.testing.assert_array_equal(classifier.predict_proba(X)[:, positive] >= 0.2, predicted == positive)
    else:
        assert (predicted != TableClassifier().fit(X, y).predict(X)).any()


def test_costs_of_three_classes_move_the_decision_and_no_probability() -> None:
    X, y = load_iris(return_X_y=True)
    plain, careful = (TableClassifier(costs=costs).fit(X[:, :2], y) for costs in (None, "2:1=50"))
    np.testing.assert_array_equal(plain.predict_proba(X[:, :2]), careful.predict_proba(X[:, :2]))
    predicted = careful.predict(X[:, :2])
    np.testing.assert_array_equal(careful.decision_function(X[:, :2]).argmax(axis=1), predicted)
    assert (predicted == 2).sum() > (plain.predict(X[:, :2]) == 2).sum()


def test_a_column_that_rises_with_the_rows_is_learned_from() -> None:
    X = np.arange(100)[:, None]
    assert TableClassifier().fit(X, X[:, 0] >= 60).score(X, X[:, 0] >= 60) > 0.95


@pytest.mark.parametrize("model", ["linear", "mlp", "boosting"])
def test_next_to_nothing_is_enough_to_answer(model: str, tmp_path: Path) -> None:
    constant = TableClassifier(model).fit(np.ones((8, 2)), [0, 0, 0, 0, 0, 0, 1, 1])
    assert constant.predict([[1, 1], [5, 5]]).tolist() == [0, 0]
    one_class = TableClassifier(model).fit([[1.0], [2.0]], ["a", "a"])
    assert one_class.predict([[3.0]]).tolist() == ["a"]
    assert one_class.predict_proba([[3.0]]).tolist() == [[1.0]]
    assert len(one_class.validation_indices_) == 0
    two_rows = TableClassifier(model).fit([[1.0], [2.0]], ["a", "b"])
    assert two_rows.validation_indices_.tolist() == [0, 1]
    for classifier in (constant, one_class):
        X = np.ones((2, classifier.n_features_in_))
        loaded = TableClassifier.load(classifier.save(tmp_path / str(len(classifier.classes_))))
        np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize("model", ["linear", "mlp", "boosting"])
def test_what_was_saved_answers_as_before_and_is_no_pickle(model: str, tmp_path: Path) -> None:
    table, y = frame()
    settings: dict[str, Any] = {"epochs": 3, "training": {"weight_decay": np.float64(0.01)}} if model == "mlp" else {}
    classifier = TableClassifier(model, threshold=np.float64(0.4), positive="ripe", **settings).fit(table, y)
    loaded = TableClassifier.load(classifier.save(tmp_path / "kept"))
    np.testing.assert_array_equal(loaded.predict_proba(table), classifier.predict_proba(table))
    np.testing.assert_array_equal(loaded.predict(table), classifier.predict(table))
    assert loaded.get_params() == classifier.get_params()
    assert (loaded.n_features_in_, loaded.classes_.dtype) == (4, classifier.classes_.dtype)
    assert loaded.feature_names_in_.tolist() == table.column_names
    files = sorted(path.name for path in (tmp_path / "kept").rglob("*.*"))
    assert files == ["classes.json", "estimator.json", "preprocess.json", "validation.parquet", "weights.safetensors"]
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.predict(table.rename_columns(["size", "color", "is wet", "day"]))


def test_a_flipped_bit_in_what_was_saved_is_noticed(tmp_path: Path) -> None:
    X, y = imbalanced(100)
    file = TableClassifier().fit(X, y).save(tmp_path) / "model" / "weights.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(RunFolderError, match="fingerprint is not the one"):
        TableClassifier.load(tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "liner"}, 'did you mean "linear"'),
        ({"imbalance": "some"}, "imbalance is 'some'"),
        ({"model": "boosting", "epochs": 3}, "a training by mini-batches for linear and mlp alone"),
        ({"training": {"weight_decai": 0.1}}, 'did you mean "training.weight_decay"'),
        ({"threshold": 1.5}, "a probability above 0 and below 1"),
        ({"threshold": 0.3, "costs": "1:0=10"}, "costs already say where to decide"),
        ({"positive": "sick"}, "the positive class is 'sick'"),
        ({"costs": "1:well=3"}, "costs name the class 'well'"),
        ({"validation_share": 0}, "data.validation_share is 0"),
        ({"device": "tpu"}, "device is 'tpu'"),
    ],
)
def test_a_parameter_that_cannot_be_meant_is_refused_by_fit(settings: dict[str, Any], message: str) -> None:
    X, y = imbalanced(50)
    classifier = TableClassifier(**settings)
    with pytest.raises(UsageError, match=message):
        classifier.fit(X, y)


def test_a_threshold_is_for_two_classes() -> None:
    with pytest.raises(UsageError, match="the data has 3 classes"):
        TableClassifier(threshold=0.3).fit(*load_iris(return_X_y=True))


def test_a_seed_is_drawn_where_none_is_given_and_kept(tmp_path: Path) -> None:
    X, y = imbalanced(100)
    classifier = TableClassifier(random_state=np.random.RandomState(3)).fit(X, y)
    assert classifier.seed_ == np.random.RandomState(3).randint(2**31 - 1)
    again = TableClassifier.load(classifier.save(tmp_path)).fit(X, y)
    np.testing.assert_array_equal(again.validation_indices_, classifier.validation_indices_)
    np.testing.assert_array_equal(
        TableClassifier(random_state=np.int64(7)).fit(X, y).validation_indices_,
        TableClassifier(random_state=7).fit(X, y).validation_indices_,
    )
