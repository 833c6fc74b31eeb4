"""What a page shows of a table."""

from typing import Any

from heldout.data.tabular.encoding import fit_encoder
from heldout.data.tabular.table_looks import MAX_COLUMNS, MAX_UNSEEN, TableLook, UnseenWord, look_at_table
from heldout.data.tabular.table_problems import find_table_problems, judged_of
from heldout.data.tabular.tables import TableSource, find_table
from heldout.findings import Finding


def look(train: dict[str, Any], test: dict[str, Any] | None = None) -> tuple[TableLook, list[Finding]]:
    examples = find_table(train, "kind", test=test)
    assert isinstance(examples.source, TableSource)
    encoder = fit_encoder(examples.source.table, (examples.given < 1).nonzero()[0])
    findings = find_table_problems(examples, None, encoder)
    return look_at_table(judged_of(examples, None, encoder), findings), findings


def test_words_that_train_has_not_are_counted_by_column_and_part() -> None:
    train: dict[str, Any] = {
        "hue": ["red", "blue"] * 5,
        "shape": ["o", "x"] * 5,
        "kind": list("abba") * 2 + ["a", "b"],
    }
    test: dict[str, Any] = {"hue": ["red", "green", "grey", "green"], "shape": ["o"] * 4, "kind": list("abab")}
    found, _ = look(train, test)
    assert found.unseen == (UnseenWord("hue", "green", 0, 2), UnseenWord("hue", "grey", 0, 1))
    assert found.n_unseen == 2


def test_of_many_columns_those_that_a_finding_names_are_shown() -> None:
    columns: dict[str, Any] = {f"c{i:04d}": [(7 * row * i) % 11 for row in range(40)] for i in range(1, 300)}
    kinds: list[Any] = [("no", "yes")[row % 3 == 0] for row in range(40)]
    columns["zz told"] = [("n", "y")[kind == "yes"] for kind in kinds]
    found, findings = look({**columns, "kind": kinds})
    assert {"target-leak"} <= {finding.code for finding in findings}
    assert len(found.columns) == MAX_COLUMNS
    assert found.n_columns == 300
    names = [column.name for column in found.columns]
    assert names == sorted(names)
    assert "zz told" in names


def test_the_unseen_words_are_bounded_and_the_commonest_come_first() -> None:
    train: dict[str, Any] = {"hue": ["red", "blue"] * 500, "kind": list("ab") * 500}
    words: list[Any] = [f"new {i}" for i in range(400)] + ["often"] * 9
    found, _ = look(train, {"hue": words, "kind": (list("ab") * 205)[:409]})
    assert (found.n_unseen, len(found.unseen)) == (401, MAX_UNSEEN)
    assert found.unseen[0] == UnseenWord("hue", "often", 0, 9)
