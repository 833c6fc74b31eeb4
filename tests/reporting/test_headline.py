"""The top of the page says no more than the numbers bear."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from heldout.reporting.headline import find_score, headline_of
from heldout.reporting.results import Results, ScoreRecord, read_results
from heldout.reporting.rules import StyleRules


def scored(value: float, low: float, high: float, name: str = "accuracy") -> ScoreRecord:
    return {"name": name, "value": value, "low": low, "high": high, "n": 150, "method": "Wilson, 95%"}


def with_accuracy(results: Results, accuracy: ScoreRecord, **baselines: ScoreRecord) -> Results:
    test: Any = {**results.leading, "scores": [accuracy]}
    return replace(results, test=test, baselines=baselines)


def test_the_test_score_leads_with_interval_and_n(run_folders: dict[str, Path]) -> None:
    results = with_accuracy(read_results(run_folders["flowers"]), scored(0.9267, 0.8734, 0.9587))
    headline = headline_of(results, StyleRules())
    assert headline.title == "Test accuracy"
    assert headline.value == "92.7\u202f%"
    assert headline.interval == "87.3 to 95.9\u202f%"
    assert headline.n == "150 pictures"
    assert "neither training nor choosing had seen them" in headline.meaning
    assert "between 87.3 and 95.9" in headline.meaning
    assert headline.openings == "This held-out part has been opened once, by this run, after every choice was made."


def test_validation_stands_beside_it_as_optimistic(run_folders: dict[str, Path]) -> None:
    headline = headline_of(read_results(run_folders["flowers"]), StyleRules())
    assert [(row.kind, row.note) for row in headline.rows] == [
        ("leader", ""),
        ("optimistic", "optimistic: used to choose"),
        ("baseline", "baseline, accuracy"),
        ("baseline", "baseline, accuracy"),
    ]
    assert [row.label for row in headline.rows][2:] == ["Nearest centroid", "Majority class"]
    assert all(row.bar for row in headline.rows)


def test_without_a_test_part_the_page_says_so(run_folders: dict[str, Path]) -> None:
    headline = headline_of(read_results(run_folders["untested"]), StyleRules())
    assert headline.title == "Validation accuracy"
    assert not headline.is_test
    assert "chosen on these same pictures" in headline.meaning
    assert "No held-out test part was opened" in headline.openings
    assert [row.kind for row in headline.rows] == ["leader", "baseline", "baseline"]


def test_balanced_accuracy_leads_when_the_summary_says_so(run_folders: dict[str, Path]) -> None:
    headline = headline_of(read_results(run_folders["unequal"]), StyleRules())
    assert headline.title == "Test balanced accuracy"
    assert "always giving one answer reaches 50.0\u202f%" in headline.meaning
    assert [row.label for row in headline.rows][:3] == [
        "Test balanced accuracy",
        "Test accuracy",
        "Validation balanced accuracy",
    ]
    assert headline.verdict.startswith("Its balanced accuracy is clear of the 50.0\u202f% of always giving one answer.")
    assert "Its accuracy, " in headline.verdict


def test_many_openings_are_told(run_folders: dict[str, Path]) -> None:
    headline = headline_of(read_results(run_folders["unequal"]), StyleRules())
    assert headline.openings.startswith("This held-out part has been opened 3 times, this run included.")


def test_a_model_clear_of_its_baselines_is_told_so(run_folders: dict[str, Path]) -> None:
    results = read_results(run_folders["flowers"])
    headline = headline_of(
        with_accuracy(results, scored(0.9, 0.85, 0.94), majority=scored(0.2, 0.15, 0.3, "majority")), StyleRules()
    )
    assert "is clear of the majority class baseline at 20.0\u202f%" in headline.verdict


def test_overlapping_intervals_are_no_proof(run_folders: dict[str, Path]) -> None:
    results = read_results(run_folders["flowers"])
    near = scored(0.86, 0.8, 0.9, "nearest_centroid")
    low = scored(0.2, 0.15, 0.3, "majority")
    headline = headline_of(
        with_accuracy(results, scored(0.9, 0.85, 0.94), majority=low, nearest_centroid=near), StyleRules()
    )
    assert "nearest centroid baseline at 86.0" in headline.verdict
    assert "the difference may be chance" in headline.verdict


def test_a_model_no_better_than_a_baseline_is_told_so(run_folders: dict[str, Path]) -> None:
    results = read_results(run_folders["flowers"])
    headline = headline_of(
        with_accuracy(results, scored(0.5, 0.4, 0.6), majority=scored(0.5, 0.4, 0.6, "majority")), StyleRules()
    )
    assert "is not above the majority class baseline" in headline.verdict


def test_without_baselines_there_is_no_verdict(run_folders: dict[str, Path]) -> None:
    results = replace(read_results(run_folders["flowers"]), baselines={})
    assert headline_of(results, StyleRules()).verdict == ""
    assert find_score(results.leading, "top_5") is None


def test_all_right_is_told_as_all(run_folders: dict[str, Path]) -> None:
    headline = headline_of(read_results(run_folders["perfect"]), StyleRules())
    assert headline.value == "100.0\u202f%"
    assert headline.meaning.startswith("The model named all 80 pictures right")
