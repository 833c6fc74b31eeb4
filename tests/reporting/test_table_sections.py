"""What the page of a table says instead of showing pictures."""

from dataclasses import replace
from pathlib import Path

import pytest

from heldout.reporting.results import Results, read_results
from heldout.reporting.sections import data_facts, model_facts
from heldout.reporting.table_sections import N_COLUMNS, N_WEIGHTS, boundary_words, table_of


@pytest.fixture
def table(run_folders: dict[str, Path]) -> Results:
    return read_results(run_folders["table"])


def test_columns_and_weights_are_listed(table: Results) -> None:
    view = table_of(table)
    assert [(row.name, row.kind, row.missing) for row in view.columns] == [
        ("age", "number", "none"),
        ("dose <b>", "number", "12"),
    ]
    assert [(row.name, row.weights) for row in view.weights] == [("age", ("+1.5",)), ("dose <b>", ("−0.8",))]


def test_a_run_on_pictures_has_neither(run_folders: dict[str, Path]) -> None:
    view = table_of(read_results(run_folders["flowers"]))
    assert (view.columns, view.weights, boundary_words(read_results(run_folders["flowers"]))) == ((), (), [])


def test_very_many_columns_are_cut_off_and_counted(table: Results) -> None:
    columns = [{"name": f"c{n}", "kind": "number", "n_missing": 0, "words": ""} for n in range(N_COLUMNS + 3)]
    weights = [{"feature": f"c{n}", "values": [0.1 * n]} for n in range(N_WEIGHTS + 5)]
    model = {**table.model, "coefficients": {"heads": ["x"], "weights": weights, "words": ""}}
    view = table_of(replace(table, data={**table.data, "columns": columns}, model=model))
    assert (len(view.columns), view.n_more_columns) == (N_COLUMNS, 3)
    assert (len(view.weights), view.n_more_weights) == (N_WEIGHTS, 5)
    assert view.weights[0].name == f"c{N_WEIGHTS + 4}"


def test_the_boundary_is_told_with_the_line_and_the_mistakes(table: Results) -> None:
    told = boundary_words(table)
    assert told[0] == "The two inputs, in their own units; the model has no others."
    assert told[1].startswith("The line is exact. The answer changes where dose <b> = ")
    assert "All 700 test rows are drawn; " in told[2]


def test_a_thinned_boundary_says_so(table: Results) -> None:
    assert table.boundary is not None
    thinned = replace(table.boundary, n=50_000, n_mistakes=9000, kind="columns")
    told = " ".join(boundary_words(replace(table, boundary=thinned)))
    assert "Drawn are 700 of 50,000 test rows" in told
    assert "of 9,000 mistakes" in told
    assert "were answered as the plane shows beneath them" in told


def test_facts_speak_of_rows_and_of_no_backbone(table: Results) -> None:
    assert next(fact.name for fact in data_facts(table)) == "Rows"
    facts = {fact.name: fact.value for fact in model_facts(table)}
    assert "Backbone" not in facts
    assert (facts["Kind"], facts["Input"]) == ("linear", "2 features of 2 columns")
