"""What each section says, from the record of a run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heldout.reporting.choose import choose_pictures
from heldout.reporting.results import Results, read_results
from heldout.reporting.rules import StyleRules
from heldout.reporting.sections import (
    calibration_words,
    class_rows,
    count_rows,
    data_facts,
    environment_facts,
    few_of,
    findings_of,
    model_facts,
    page_data,
    pictures_of,
    score_rows,
    time_rows,
)


@pytest.fixture
def flowers(run_folders: dict[str, Path]) -> Results:
    return read_results(run_folders["flowers"])


def chosen(results: Results) -> Any:
    answers = results.answers
    return choose_pictures(
        answers.ids,
        answers.labels,
        predicted=answers.predicted,
        confidence=answers.confidence,
        n_classes=len(results.classes),
    )


def test_the_gravest_finding_comes_first(flowers: Results) -> None:
    assert [each["severity"] for each in findings_of(flowers.findings)] == ["error", "warning", "note"]


def test_scores_stand_beside_validation(flowers: Results) -> None:
    rows = score_rows(flowers)
    assert [row.title for row in rows][:3] == ["Accuracy", "Balanced accuracy", "Macro F1"]
    assert all("[" in row.on_validation for row in rows)
    assert {row.on_validation for row in score_rows(replace(flowers, test=None))} == {""}


def test_a_class_without_pictures_sorts_below_all_and_has_no_bar(flowers: Results) -> None:
    empty: Any = {"name": "recall", "value": None, "low": 0.0, "high": 1.0, "n": 0, "method": "Wilson, 95%"}
    per_class: Any = [{"name": "peony", "n": 0, "recall": empty, "precision": empty, "f1": None}]
    (row,) = class_rows({**flowers.leading, "per_class": per_class}, StyleRules())
    assert (row.recall, row.f1, row.bar, row.recall_key, row.few) == ("–", "–", "", -1.0, True)


@pytest.mark.parametrize(("counts", "few"), [((30, 40), "none"), ((29, 30), "some"), ((1, 2), "all")])
def test_few_pictures_are_told_once_when_it_holds_for_all(flowers: Results, counts: tuple[int, int], few: str) -> None:
    classes: Any = [{**record, "n": n} for record, n in zip(flowers.leading["per_class"], counts, strict=False)]
    assert few_of({**flowers.leading, "per_class": classes}) == few


def test_pictures_carry_what_was_answered(flowers: Results) -> None:
    choice = chosen(flowers)
    pictures = pictures_of(flowers, choice)
    assert set(pictures) == set(choice.ids)
    for name in choice.mistakes:
        row = flowers.answers.ids.index(name)
        assert pictures[name].true == flowers.classes[flowers.answers.labels[row]]
        assert pictures[name].predicted == flowers.classes[flowers.answers.predicted[row]]
        assert not pictures[name].right


def test_a_picture_without_thumbnail_has_no_source(flowers: Results) -> None:
    pictures = pictures_of(replace(flowers, thumbnails={}), chosen(flowers))
    assert {each.source for each in pictures.values()} == {""}


def test_near_certainty_is_not_shown_as_certainty(flowers: Results) -> None:
    sure = replace(flowers.answers, confidence=np.where(np.arange(150) % 2, 0.99999, 1.0))
    pictures = pictures_of(replace(flowers, answers=sure), chosen(flowers))
    shown = {(flowers.answers.ids.index(name) % 2, each.confidence) for name, each in pictures.items()}
    assert shown == {(1, "> 99.9\u202f%"), (0, "100.0\u202f%")}


def test_each_picture_is_carried_once(flowers: Results) -> None:
    choice = chosen(flowers)
    pictures = pictures_of(flowers, choice)
    data = page_data(flowers, choice, pictures)
    on_page = {pictures[name].index for name in (*choice.mistakes, *choice.least_sure)}
    assert not on_page & set(data["sources"])
    assert on_page | set(data["sources"]) == set(range(len(pictures)))
    shown = [index for indices in data["cells"].values() for index in indices]
    assert len(shown) == len(set(shown))
    assert [data["pictures"][index][0] for index in shown] == [
        name for names in choice.cells.values() for name in names
    ]


@pytest.mark.parametrize(
    ("ece", "says"), [(0.03, "is inside that band"), (0.005, "is below that band"), (0.09, "is above that band")]
)
def test_calibration_is_read_against_its_null_band(flowers: Results, ece: float, says: str) -> None:
    words = calibration_words({**flowers.leading, "ece": ece, "ece_null": (0.01, 0.05)})
    assert says in words[0]
    assert "1.0\u202f% to 5.0\u202f%" in words[0]


@pytest.mark.parametrize(
    ("temperature", "says"), [(1.4, "too sure of itself"), (0.6, "not sure enough"), (1.0, "about right")]
)
def test_the_temperature_is_told_in_words(flowers: Results, temperature: float, says: str) -> None:
    words = calibration_words({**flowers.leading, "temperature": temperature})
    assert f"was {says}" in words[1]


def test_data_facts_name_parts_and_what_was_passed_over(flowers: Results) -> None:
    facts = {fact.name: fact.value for fact in data_facts(flowers)}
    assert facts["Pictures"] == "600 (300 train · 150 validation · 150 test)"
    assert facts["Parts made here"].startswith("validation: ")
    assert facts["Passed over"] == ".ipynb_checkpoints (the name begins with a dot)"


def test_many_files_passed_over_are_counted(flowers: Results) -> None:
    passed = [[f".file-{n}", "no picture"] for n in range(50)]
    data = {**flowers.data, "passed_over": passed, "made": [], "n_left_out": 2}
    facts = {fact.name: fact.value for fact in data_facts(replace(flowers, data=data))}
    assert facts["Passed over"].endswith("; 30 more")
    assert facts["Parts made here"] == "none: all came with the data"
    assert facts["Unreadable"] == "2 files, left out before the split"


def test_counts_go_by_class_and_part(flowers: Results) -> None:
    rows = count_rows(flowers)
    assert [row[0] for row in rows] == list(flowers.classes)
    assert sum(row[3] for row in rows) == 150


def test_model_facts_say_what_was_trained(flowers: Results) -> None:
    facts = {fact.name: fact.value for fact in model_facts(flowers)}
    assert facts["Parameters"] == "3,376,901"
    assert facts["Trained here"] == "6,405 (0.2\u202f%)"
    assert facts["Engine"] == "openvino bf16"


def test_time_adds_up(flowers: Results) -> None:
    rows, total = time_rows(flowers, StyleRules())
    assert total == "3.5 s"
    assert [row.name for row in rows] == list(flowers.environment["seconds"])
    assert rows[1].share == "68.1\u202f%"
    assert time_rows(replace(flowers, environment={"seconds": {}}), StyleRules()) == ([], "0 ms")


def test_fingerprints_that_are_absent_are_left_out(flowers: Results) -> None:
    prints = {"initial_weights": None, "split": "ab12"}
    facts = environment_facts(replace(flowers, environment={**flowers.environment, "fingerprints": prints}))
    assert [(fact.name, fact.value) for fact in facts if fact.is_code] == [("Split", "ab12")]
    assert {fact.name: fact.value for fact in facts}["Started"] == "2026-11-22 08:15:02 UTC"
