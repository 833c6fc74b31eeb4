"""A look at a table before anything is trained."""

import json
from pathlib import Path

import numpy as np

from heldout.verbs.checking_tables import check_table


def test_a_table_is_told_column_by_column_and_its_leaks_are_errors(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    kind = np.array(["no", "yes"])[(generator.random(200) < 0.3).astype(int)]
    table = {
        "size": generator.normal(size=200),
        "told": np.where(kind == "yes", "y", "n"),
        "same": ["x"] * 200,
        "kind": kind,
    }
    found = check_table(table, "kind", out=tmp_path / "checks")
    content = json.loads((tmp_path / "checks" / "table-001" / "check.json").read_text())
    assert content == json.loads(json.dumps(found.as_dict()))
    assert [(one["name"], one["kind"]) for one in content["columns"]] == [
        ("size", "number"),
        ("told", "category"),
        ("same", "not used"),
    ]
    assert content["must_act"]
    assert found.page == str(tmp_path / "checks" / "table-001" / "check.html")
    assert "page" not in content
    assert {"target-leak", "constant-column"} <= {one["code"] for one in content["findings"]}
    assert sum(content["counts"]["free"]) == 200


def test_without_parts_a_column_is_tried_on_rows_that_were_held_back() -> None:
    generator = np.random.default_rng(0)
    kind = np.array(["no", "yes"])[(generator.random(2000) < 0.3).astype(int)]
    table = {
        "size": generator.normal(size=2000),
        "late": np.where(kind == "yes", 9.0, 0.0) + generator.normal(size=2000),
        "kind": kind,
    }
    alone = [one for one in check_table(table, "kind", out=None).findings if one.code == "column-predicts-alone"]
    assert [one.where for one in alone] == [("late",)]
    assert "on 1,000 rows) of train, learned from the others" in alone[0].what


def test_nothing_is_written_where_nothing_is_asked_for() -> None:
    table = {"size": [row * 7 % 31 for row in range(30)], "kind": list("ab") * 15}
    found = check_table(table, "kind", out=None)
    assert (found.folder, found.page) == (None, None)
