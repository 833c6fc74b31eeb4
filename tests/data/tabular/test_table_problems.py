from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from heldout.data.examples import Examples
from heldout.data.splits import Split, make_split
from heldout.data.tabular.encoding import fit_encoder
from heldout.data.tabular.table_problems import find_table_problems, leaked_rows, row_clusters
from heldout.data.tabular.tables import TableSource, find_table
from heldout.findings import Finding

N = 400
GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=N)
Y = np.where(X + GENERATOR.normal(size=N) > 0, "yes", "no")


def source_of(examples: Examples) -> TableSource:
    assert isinstance(examples.source, TableSource)
    return examples.source


def split_of(examples: Examples) -> Split:
    return make_split(examples, seed=0, clusters=row_clusters(source_of(examples), examples.ids))


def problems(data: Mapping[str, object], **options: object) -> dict[str, Finding]:
    examples = find_table(data, "label", test=options.pop("test", None), skip_bad=bool(options.pop("skip_bad", False)))
    source, split = source_of(examples), split_of(examples)
    encoder = fit_encoder(source.table, source.rows_of(examples.ids)[split.indices("train")])
    found = find_table_problems(examples, split, encoder)
    assert len({finding.code for finding in found}) == len(found)
    return {finding.code: finding for finding in found}


def test_a_good_table_has_no_problems() -> None:
    assert problems({"x": X, "z": GENERATOR.normal(size=N), "k": [f"k{i % 3}" for i in range(N)], "label": Y}) == {}


def test_a_recoded_label_is_an_error_that_names_the_column() -> None:
    found = problems({"x": X, "code": np.where(Y == "yes", 7, 3), "word": np.where(Y == "yes", "b", "a"), "label": Y})
    assert found["target-leak"].severity == "error"
    assert found["target-leak"].where == ("code", "word")
    assert "column-predicts-alone" not in found


def test_a_column_that_nearly_says_the_label_is_named_with_its_score_on_validation() -> None:
    late = np.where(Y == "yes", 5.0, -5.0) + GENERATOR.normal(size=N)
    late[7] = np.nan
    found = problems({"x": X, "late": late, "label": Y})
    assert found["column-predicts-alone"].where == ("late",)
    assert found["column-predicts-alone"].severity == "warning"
    assert "balanced accuracy 100.0% on 64 rows) of validation" in found["column-predicts-alone"].what


def test_labels_of_test_change_no_finding_but_the_count_of_equal_rows() -> None:
    data = {"x": X, "code": np.where(Y == "yes", 7, 3), "label": Y}
    right = {"x": X[:50] + 9, "code": np.where(Y[:50] == "yes", 7, 3), "label": Y[:50]}
    wrong = {**right, "label": Y[:50][::-1]}
    assert problems(data, test=right) == problems(data, test=wrong)


def test_columns_that_are_no_features_are_told() -> None:
    found = problems(
        {
            "x": X,
            "row": np.arange(N),
            "name": [f"p{i}" for i in range(N)],
            "number": GENERATOR.permutation(N),
            "same": [1] * N,
            "day": [f"{1 + i % 28:02d}.{1 + i % 12:02d}.{1900 + i}" for i in range(N)],
            "label": Y,
        }
    )
    assert set(found) == {"row-number-column", "id-column", "unique-numbers", "constant-column", "date-as-text"}
    assert found["row-number-column"].where == ("row",)
    assert found["id-column"].where == ("name", "day")
    assert found["unique-numbers"].where == ("number",)
    assert found["constant-column"].where == ("same",)
    assert found["date-as-text"].where == ("day",)


def test_missing_infinite_and_strange_cells_are_counted() -> None:
    found = problems(
        {
            "x": X,
            "often": [None if i % 4 else X[i] for i in range(N)],
            "inf": np.where(np.arange(N) % 100, X, np.inf),
            "odd": [f"{value:.3f}" if i % 20 else "?" for i, value in enumerate(X.tolist())],
            "label": Y,
        }
    )
    assert set(found) == {"missing-values", "infinite-values", "words-among-numbers"}
    assert found["missing-values"].severity == "warning"
    assert found["missing-values"].where[0] == "often"
    assert "'inf' (4 rows)" in found["infinite-values"].what
    assert "such as '?': 'odd' (20 rows)" in found["words-among-numbers"].what


def test_a_part_with_more_missing_cells_is_told() -> None:
    test = {"x": [None if i % 2 else X[i] + 9 for i in range(100)], "z": X[100:200], "label": Y[:100]}
    found = problems({"x": X, "z": X**2, "label": Y}, test=test)
    assert "'x' (0% in train, 50% in test)" in found["missing-differs"].what


def test_words_that_train_has_not_are_counted() -> None:
    kinds = [f"k{i % 3}" for i in range(N)]
    found = problems({"x": X, "k": kinds, "label": Y}, test={"x": X[:60] + 9, "k": ["k0", "new"] * 30, "label": Y[:60]})
    assert set(found) == {"unseen-categories"}
    assert "such as 'new': 'k' (30 rows)" in found["unseen-categories"].what


def test_more_categories_than_have_features_are_told() -> None:
    words = [f"w{i}" for i in GENERATOR.integers(0, 150, N)]
    found = problems({"x": X, "k": words, "label": Y})
    assert found["rare-categories"].where == ("k",)


def test_copies_of_test_rows_in_train_are_an_error_and_stay_where_they_are() -> None:
    test = {"x": np.concatenate([X[:20], X[:30] + 9]), "label": Y[:50]}
    found = problems({"x": X, "label": Y}, test=test)
    assert found["duplicate-across-splits"].severity == "error"
    assert "20 of 50 test rows also stand in train" in found["duplicate-across-splits"].what
    assert found["duplicate-across-splits"].where[0] == "test:001"
    examples = find_table({"x": X, "label": Y}, "label", test=test)
    leaked = leaked_rows(source_of(examples), examples.ids, split_of(examples).parts)
    assert [examples.ids[i] for i in leaked] == [f"test:{row:03d}" for row in range(1, 21)]


def test_a_split_that_is_made_parts_no_equal_rows() -> None:
    found = problems({"x": np.concatenate([X[:300], X[:100]]), "label": np.concatenate([Y[:300], Y[:100]])})
    assert set(found) == {"duplicate-within-split"}
    assert "100 rows come again in the same part, 100 rows more" in found["duplicate-within-split"].what


def test_equal_rows_with_two_labels_bound_every_score() -> None:
    x = np.concatenate([X[:300], X[:100]])
    found = problems({"x": x, "label": np.concatenate([Y[:300], np.where(Y[:100] == "yes", "no", "yes")])})
    assert "200 of 400 rows" in found["equal-rows-two-labels"].what
    assert "right for 75.0% of all rows at most" in found["equal-rows-two-labels"].what


def test_equal_rows_of_a_few_discrete_values_are_no_copies() -> None:
    data = {"a": GENERATOR.integers(0, 2, N), "b": GENERATOR.integers(0, 3, N), "label": Y}
    found = problems(data)
    assert set(found) == {"few-different-rows", "equal-rows-two-labels"}
    assert {finding.severity for finding in found.values()} == {"note"}
    examples = find_table(data, "label")
    assert row_clusters(source_of(examples), examples.ids).tolist() == list(range(N))
    assert len(leaked_rows(source_of(examples), examples.ids, split_of(examples).parts)) == 0


def test_rows_that_are_sorted_or_alike_to_their_neighbours_are_told() -> None:
    order = np.argsort(Y, kind="stable")
    assert set(problems({"x": X[order], "label": Y[order]})) == {"rows-sorted-by-label"}
    bursts = np.repeat(Y[:40], 10)
    assert "neighbours-share-labels" in problems({"x": X, "label": bursts})


def test_classes_that_differ_in_case_alone_are_told() -> None:
    found = problems({"x": X, "label": [["Yes", "yes", "no"][i % 3] for i in range(N)]})
    assert found["classes-alike"].where == ("Yes", "yes")


def test_rows_that_were_left_out_are_told() -> None:
    labels = [None if i < 3 else str(label) for i, label in enumerate(Y)]
    found = problems({"x": X, "label": labels}, skip_bad=True)
    assert found["rows-left-out"].where == ("table:001", "table:002", "table:003")


def test_findings_without_a_split_judge_the_given_parts(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("x,label\n" + "".join(f"{x},{y}\n" for x, y in zip(X[:50], Y[:50], strict=True)))
    examples = find_table(path, "label", test=path)
    encoder = fit_encoder(source_of(examples).table)
    (finding,) = find_table_problems(examples, None, encoder)
    assert finding.code == "duplicate-across-splits"
    assert finding.what.endswith("50 of 50 test rows also stand in train")


@pytest.mark.parametrize("n_columns", [1, 3])
def test_every_finding_says_what_to_do(n_columns: int) -> None:
    data: dict[str, object] = {f"c{i}": np.where(Y == "yes", i, 9) for i in range(n_columns)}
    for finding in problems({**data, "x": X, "same": [1] * N, "label": Y}).values():
        assert finding.why.endswith(".")
        assert finding.fix.endswith(".")
