import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.data.tabular.encoding import Dropped, Encoder, fit_encoder, kind_of
from heldout.data.tabular.table_files import read_table
from heldout.errors import DataError

MIXED = {
    "age": [10.0, 30.0, None, 20.0],
    "fee": [1, 1, 1, 5],
    "colour": ["red", "blue", "red", None],
    "paid": [True, False, True, True],
    "when": pa.array([0, 86_400, 0, 0], pa.timestamp("s")),
    "same": ["x"] * 4,
}


def fit(data: object, rows: list[int] | None = None) -> Encoder:
    return fit_encoder(read_table(data), None if rows is None else np.array(rows))


def test_features_stand_in_the_order_of_the_columns_and_have_names() -> None:
    encoder = fit(MIXED)
    names = ("age", "age is missing", "fee", "colour = blue", "colour = red", "colour is missing", "paid", "when")
    assert encoder.feature_names == names
    assert [column.kind for column in encoder.columns] == ["number", "number", "category", "number", "date"]
    assert encoder.dropped == (Dropped("same", "constant"),)
    assert encoder.n_rows == 4


def test_numbers_are_standardised_and_missing_ones_are_the_median() -> None:
    features = fit(MIXED).encode(read_table(MIXED))
    assert features.dtype == np.float32
    assert features[:, 0] == pytest.approx(np.array([-10, 10, 0, 0]) / np.sqrt(50), abs=1e-6)
    assert features[:, 1].tolist() == [0, 0, 1, 0]
    for column in (2, 6, 7):
        assert features[:, column].mean() == pytest.approx(0, abs=1e-6)
        assert features[:, column].std() == pytest.approx(1, abs=1e-6)
    assert features[:, 3:6].tolist() == [[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_only_the_rows_of_train_are_learned_from() -> None:
    other = {**MIXED, "age": [10.0, 30.0, 1e9, np.inf], "colour": ["red", "blue", "green", "green"]}
    assert fit(MIXED, [0, 1]) == fit(other, [0, 1])
    assert fit(MIXED, [0, 1]).encode(read_table(MIXED), np.array([1, 0]))[:, 0].tolist() == [1.0, -1.0]


def test_unseen_and_missing_words_without_a_feature_are_all_zero() -> None:
    encoder = fit({"colour": ["red", "blue"]})
    assert encoder.encode(read_table({"colour": ["green", None, "red"]})).tolist() == [[0, 0], [0, 0], [0, 1]]


def test_the_hundred_commonest_words_have_features_and_the_others_share_one() -> None:
    words = [f"w{i:03d}" for i in range(150)] * 2 + ["w149"]
    encoder = fit({"word": words})
    (column,) = encoder.columns
    assert len(column.categories) == 100
    assert column.n_others == 50
    assert "w149" in column.categories
    assert encoder.feature_names[-1] == "word = (other)"
    features = encoder.encode(read_table({"word": ["w149", "w120", "new"]}))
    assert features.sum(axis=1).tolist() == [1, 1, 1]
    assert features[:, -1].tolist() == [0, 1, 1]


def test_many_columns_of_words_do_not_make_a_million_features() -> None:
    words = [f"w{i % 7}" for i in range(14)]
    encoder = fit({f"c{i}": words for i in range(2_900)})
    assert len(encoder.feature_names) == 2_900 * (6 + 1)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "2.5", "NA", "1e400"], "number"),
        (["1"] * 19 + ["?"], "number"),
        (["1", "?", "?", "2"], "category"),
        (["true", "false"], "number"),
        (["2020-01-31", "2020-02-01T10:00:00+02:00"], "date"),
        (["31.01.2020", "01.02.2020"], "category"),
        (["NA", "null"], "category"),
        ([1, 2], "number"),
    ],
    ids=str,
)
def test_words_that_are_numbers_or_dates_are_those(cells: list[object], kind: str) -> None:
    assert kind_of(read_table({"x": cells}).column("x")) == kind


def test_words_among_numbers_are_missing() -> None:
    encoder = fit({"x": [str(i * i) for i in range(19)] + ["?"]})
    assert encoder.feature_names == ("x", "x is missing")
    assert encoder.columns[0].n_missing == 1
    assert encoder.encode(read_table({"x": [9]})).tolist() == encoder.encode(read_table({"x": ["9"]})).tolist()


def test_a_column_that_counts_rows_and_one_of_names_are_dropped() -> None:
    n = 60
    data = {
        "row": list(range(n)),
        "name": [f"p{i}" for i in range(n)],
        "shuffled": np.random.default_rng(0).permutation(n),
        "year": [1990 + i // 2 for i in range(n)],
    }
    encoder = fit(data, [i for i in range(n) if i % 5])
    assert encoder.dropped == (Dropped("row", "row number"), Dropped("name", "names"))
    assert [column.name for column in encoder.columns] == ["shuffled", "year"]


def test_a_table_without_features_is_refused_with_the_reasons() -> None:
    with pytest.raises(DataError, match="no column can be learned from: 'a: constant', 'b: constant'"):
        fit({"a": [1, 1], "b": [None, None]})


@pytest.mark.parametrize("values", [[1e308, -1e308, 0.0], [1e-320, 0.0, 2e-320], [1e300, 1.0, 2.0], [0.1, 0.1, 0.3]])
def test_numbers_of_any_size_make_finite_features(values: list[float]) -> None:
    encoder = fit({"x": values})
    features = encoder.encode(read_table({"x": [*values, np.inf, -1.7e308]}))
    assert np.isfinite(features).all()
    assert np.abs(features).max() <= 1e6


def test_an_encoder_comes_back_from_json_as_it_was() -> None:
    encoder = fit(MIXED)
    again = Encoder.from_dict(json.loads(json.dumps(encoder.as_dict())))
    assert again == encoder
    assert np.array_equal(again.encode(read_table(MIXED)), encoder.encode(read_table(MIXED)))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("columns",), []),
        (("columns",), {}),
        (("n_rows",), -1),
        (("n_rows",), True),
        (("more",), 1),
        (("columns", 0, "scale"), 0.0),
        (("columns", 0, "scale"), "1"),
        (("columns", 0, "mean"), float("nan")),
        (("columns", 0, "kind"), "word"),
        (("columns", 0, "kind"), ["number"]),
        (("columns", 0, "name"), "fee"),
        (("columns", 0, "name"), None),
        (("columns", 0, "categories"), ["a"]),
        (("columns", 2, "categories"), ["red", "blue"]),
        (("columns", 2, "categories"), [1]),
        (("columns", 2), None),
        (("dropped", 0), {"name": "x"}),
        (("dropped", 0, "reason"), 1),
    ],
    ids=str,
)
def test_a_record_that_was_changed_is_refused(path: tuple[Any, ...], value: object) -> None:
    record = json.loads(json.dumps(fit(MIXED).as_dict()))
    place = record
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(ValueError, match=r"cannot be meant|should have"):
        Encoder.from_dict(record)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-(2**62), 2**62).map(float)), min_size=2, max_size=30))
def test_any_column_of_numbers_makes_finite_features_or_none(values: list[float | None]) -> None:
    table = read_table({"x": pa.array(values, pa.float64()), "y": range(len(values))})
    encoder = fit_encoder(table)
    features = encoder.encode(table)
    assert np.isfinite(features).all()
    order = np.arange(len(values))[::-1]
    assert np.array_equal(encoder.encode(table, order), features[::-1])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=5)), min_size=2, max_size=30))
def test_any_column_of_words_makes_finite_features_or_none(words: list[str | None]) -> None:
    table = read_table({"x": pa.array(words, pa.string()), "y": range(len(words))})
    encoder = fit_encoder(table)
    assert np.isfinite(encoder.encode(table)).all()
    assert Encoder.from_dict(json.loads(json.dumps(encoder.as_dict()))) == encoder
