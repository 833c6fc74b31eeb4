"""What the sections on imbalance say: each number beside what it must be read beside."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from heldout.reporting.headline import headline_of
from heldout.reporting.imbalance_sections import ImbalanceView, helped_words, imbalance_of
from heldout.reporting.results import Results, read_results
from heldout.reporting.rules import StyleRules


@pytest.fixture
def table(run_folders: dict[str, Path]) -> Results:
    return read_results(run_folders["table"])


def view_of(results: Results, **changed: Any) -> ImbalanceView:
    return imbalance_of(replace(results, imbalance={**(results.imbalance or {}), **changed}), StyleRules())


def test_a_run_without_it_has_none(run_folders: dict[str, Path]) -> None:
    view = imbalance_of(read_results(run_folders["flowers"]), StyleRules())
    assert (view.decision, view.ranked, view.coverage, view.sets, view.shown) == (None, (), (), (), "")


def test_the_scores_as_decided_stand_beside_those_at_one_half(table: Results) -> None:
    decision = view_of(table).decision
    assert decision is not None
    assert decision.has_curve
    assert [row.title for row in decision.rows] == [
        "Balanced accuracy",
        "Macro F1",
        "Matthews correlation",
        "Accuracy",
        "Recall of sick",
        "Recall of healthy",
    ]
    assert all(row.decided_interval and row.likeliest_interval for row in decision.rows)
    assert decision.rows[-2].decided > decision.rows[-2].likeliest
    assert dict(decision.facts)["Chosen on validation by"] == "Balanced accuracy"


def test_the_likeliest_class_alone_needs_no_section(table: Results) -> None:
    assert table.imbalance is not None
    plain = table.imbalance["decision"] | {"rule": "likeliest", "threshold": 0.5, "metric": ""}
    assert view_of(table, decision=plain | {"curve": None}, at_likeliest=None).decision is None
    decision = view_of(table, decision=plain, at_likeliest=None).decision
    assert decision is not None
    assert not decision.is_beside
    assert {row.likeliest for row in decision.rows} == {""}
    assert decision.facts == (("Decided for", decision.facts[0][1]),)


def test_stated_costs_are_shown(table: Results) -> None:
    assert table.imbalance is not None
    stated = table.imbalance["decision"] | {"rule": "costs", "metric": "", "costs": [[0.0, 1.0], [10.0, 0.0]]}
    decision = view_of(table, decision=stated).decision
    assert decision is not None
    assert decision.costs == (("healthy", "0", "1"), ("sick", "10", "0"))
    assert dict(decision.facts)["Chosen on validation by"] == "nothing: it was stated"


def test_every_average_precision_stands_beside_its_prevalence(run_folders: dict[str, Path]) -> None:
    view = imbalance_of(read_results(run_folders["rare"]), StyleRules())
    assert len(view.ranked) == 10
    assert all(row.prevalence.endswith("%") and row.precision_interval.startswith("[") for row in view.ranked)
    assert view.shown == "Of the 12 classes the 10 rarest are shown."


def test_the_chosen_confidence_is_a_row_of_its_own(table: Results) -> None:
    view = view_of(table)
    assert [row.is_chosen for row in view.coverage].count(True) == 1
    assert view.coverage[0].share == "100.0\u202f%"
    assert "On validation a confidence of " in view.coverage_words
    assert " of the test rows it then answers " in view.coverage_words


def test_a_confidence_that_answers_nothing_has_no_accuracy(table: Results) -> None:
    nothing = {"confidence": 0.99, "n": 0, "coverage": 0.0, "accuracy": None, "low": 0.0, "high": 1.0}
    assert table.imbalance is not None
    view = view_of(table, coverage={"points": table.imbalance["coverage"]["points"], "chosen": nothing})
    assert view.coverage[-1].accuracy == "–"
    assert view.coverage_words.endswith("Below it the model would say “not sure”; on test it answers none of the rows.")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.8, 0.85, "below what was asked"),
        (0.85, 0.93, "as asked, within chance"),
        (0.92, 0.95, "above what was asked"),
    ],
)
def test_sets_are_read_against_what_was_asked(table: Results, low: float, high: float, verdict: str) -> None:
    score = {"name": "coverage", "value": (low + high) / 2, "low": low, "high": high, "n": 700, "method": "Wilson"}
    one = {"alpha": 0.1, "coverage": score, "mean_size": 1.2, "n_empty": 1, "sizes": [[0, 1], [1, 99]], "per_class": []}
    (row,) = view_of(table, conformal=[one]).sets
    assert (row.asked, row.n, row.verdict) == ("90.0\u202f%", 700, verdict)
    assert row.sizes == "1.20 classes on average: 1 set of none and 99 of 1"


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("none", ""),
        ("weights", "weighted in the loss"),
        ("balanced-batch", "as many of each class in every batch"),
        ("focal", "focal loss, γ = 2;"),
    ],
)
def test_how_rare_classes_were_helped_is_told(table: Results, how: str, words: str) -> None:
    told = helped_words(replace(table, imbalance={"imbalance": how, "focal_gamma": 2.0}))
    assert told.startswith(words)
    assert bool(told) == (how != "none") == ("moved back" in told)


def test_the_headline_shows_the_score_at_one_half_and_the_baselines(table: Results) -> None:
    headline = headline_of(table, StyleRules())
    assert [(row.label, row.note) for row in headline.rows[:3]] == [
        ("Test balanced accuracy", ""),
        ("Test balanced accuracy", "at a threshold of 0.5"),
        ("Test accuracy", ""),
    ]
    assert [row.label for row in headline.rows[-2:]] == ["Nearest centroid", "Majority class"]
    assert "the decision gives some up to find the rarer classes" in headline.verdict
