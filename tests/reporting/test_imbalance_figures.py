"""Curves of a decision: what is marked on them lies on them, and odd ones are drawn."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heldout.reporting.imbalance_figures import (
    coverage_figure,
    operating_points,
    precision_recall_figure,
    roc_figure,
    threshold_figure,
    told_coverage,
    told_curves,
    told_threshold,
)
from heldout.reporting.results import Drawable, read_drawable
from heldout.reporting.style import figure_style, saved

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def two(run_folders: dict[str, Path]) -> Drawable:
    return read_drawable(run_folders["table"])


@pytest.fixture
def many(run_folders: dict[str, Path]) -> Drawable:
    return read_drawable(run_folders["rare"])


def facts_of(results: Drawable) -> dict[str, Any]:
    assert results.imbalance is not None
    return json.loads(json.dumps(results.imbalance))  # type: ignore[no-any-return]


def text_of(svg: bytes) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("kind", ["table", "rare"])
def test_a_run_with_unequal_classes_has_the_curves(run_folders: dict[str, Path], kind: str) -> None:
    names = {path.stem for path in (run_folders[kind] / "figures").glob("*.svg")}
    assert {"precision_recall", "roc", "coverage", "boundary"} <= names
    assert ("threshold" in names) == (kind == "table")


def test_the_points_of_the_decisions_lie_on_their_curves(two: Drawable) -> None:
    points = operating_points(two)
    (curve,) = facts_of(two)["curves"]["classes"]
    assert len(points) == 2
    for recall, precision, false_alarms in points:
        assert np.interp(false_alarms, curve["roc"]["fpr"], curve["roc"]["tpr"]) == pytest.approx(recall, abs=0.03)
        assert np.interp(recall, curve["pr"]["recall"], curve["pr"]["precision"]) == pytest.approx(precision, abs=0.04)
    # The threshold is below 0.5: more are found, and fewer of those called positive are.
    assert points[0][0] > points[1][0]
    assert points[0][1] < points[1][1]


def test_more_classes_have_no_single_point(many: Drawable) -> None:
    assert operating_points(many) == []


def test_guessing_stands_beside_the_curves(two: Drawable, many: Drawable) -> None:
    with figure_style():
        assert {"guessing: the prevalence", "95 % band", "as decided", "at 0.5"} <= set(
            text_of(saved(precision_recall_figure(two), "svg"))
        )
        assert "guessing" in text_of(saved(roc_figure(many), "svg"))
        assert "4 more" in text_of(saved(precision_recall_figure(many), "svg"))


def test_the_chosen_threshold_and_one_half_are_marked(two: Drawable) -> None:
    decision = facts_of(two)["decision"]
    with figure_style():
        assert {"chosen", "0.5", "Balanced accuracy"} <= set(text_of(saved(threshold_figure(decision), "svg")))
        stated = decision | {"metric": ""}
        assert "stated" in text_of(saved(threshold_figure(stated), "svg"))
    assert f"at {decision['threshold']:.3g}, which was chosen, and" in told_threshold(decision)
    assert "which was stated" in told_threshold(stated)


@pytest.mark.parametrize("n", [1, 2])
def test_a_curve_of_hardly_any_point_is_drawn(two: Drawable, n: int) -> None:
    facts = facts_of(two)
    decision, coverage = facts["decision"], facts["coverage"]
    for name in ("thresholds", "values", "low", "high"):
        decision["curve"][name] = decision["curve"][name][:n]
    coverage["points"] = coverage["points"][:n]
    coverage["chosen"] = None
    with figure_style():
        saved(threshold_figure(decision), "svg")
        saved(coverage_figure(coverage), "svg")
    assert "Accuracy against" in told_coverage(coverage)


def test_what_is_not_defined_leaves_a_gap(two: Drawable) -> None:
    facts = facts_of(two)
    (curve,) = facts["curves"]["classes"]
    curve["pr"]["precision"][0] = curve["pr"]["low"][0] = curve["pr"]["high"][0] = None
    facts["coverage"]["points"][0]["accuracy"] = None
    facts["decision"]["curve"]["values"][0] = None
    with figure_style():
        assert b"nan" not in saved(precision_recall_figure(replace(two, imbalance=facts)), "svg")
        assert b"nan" not in saved(coverage_figure(facts["coverage"]), "svg")
        assert b"nan" not in saved(threshold_figure(facts["decision"]), "svg")


def test_an_answer_that_is_never_positive_has_no_precision(two: Drawable) -> None:
    leading: Any = {**two.leading, "confusion": [[10, 0], [5, 0]]}
    recall, precision, false_alarms = operating_points(replace(two, leading=leading))[0]
    assert (recall, false_alarms) == (0.0, 0.0)
    assert np.isnan(precision)
    with figure_style():
        saved(precision_recall_figure(replace(two, leading=leading)), "svg")


def test_curves_are_told_with_their_intervals(two: Drawable) -> None:
    precision, area = told_curves(two)
    assert "sick: average precision 64.2\u202f% [57.1, 70.8], guessing 20.4\u202f%" in precision
    assert "sick: area 0.859 [0.8" in area
