import json

import numpy as np
import pytest

from heldout.measuring.decisions import Decision, at_threshold, balanced, least_cost
from heldout.measuring.imbalance_facts import imbalance_facts
from heldout.measuring.predictions import Predictions
from heldout.measuring.scores import accuracy, confusion_matrix
from heldout.measuring.thresholds import choose_threshold


def part(counts: list[int], seed: int, signal: float = 1.5) -> Predictions:
    generator = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts)), counts)
    logits = generator.normal(size=(len(labels), len(counts)))
    logits[np.arange(len(labels)), labels] += signal
    logits += np.log(np.maximum(counts, 1))
    classes = tuple(f"class {index}" for index in range(len(counts)))
    return Predictions(tuple(map(str, range(len(labels)))), labels, logits, classes, temperature=1.2)


VALIDATION, TEST = part([160, 40], 1), part([200, 50], 2)


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_the_shape_is_the_one_that_the_page_reads() -> None:
    decision, curve = choose_threshold(VALIDATION, metric="f1", positive=1)
    facts = imbalance_facts(VALIDATION, TEST, decision=decision, curve=curve, generator=generator())
    read = json.loads(json.dumps(facts, allow_nan=False))
    assert list(read) == ["decision", "at_likeliest", "curves", "coverage", "conformal"]
    assert set(read["decision"]) == {"rule", "words", "positive", "threshold", "costs", "metric", "curve"}
    assert (read["decision"]["positive"], read["decision"]["metric"]) == ("class 1", "f1")
    assert read["decision"]["curve"]["chosen"] == decision.threshold
    assert list(read["at_likeliest"]) == ["scores", "per_class", "confusion"]
    (line,) = read["curves"]["classes"]
    assert list(line) == ["name", "average_precision", "prevalence", "roc_auc", "pr", "roc"]
    assert (line["name"], line["prevalence"]) == ("class 1", 0.2)
    assert list(line["pr"]) == ["recall", "precision", "low", "high"]
    assert list(line["roc"]) == ["fpr", "tpr", "low", "high"]
    assert set(read["coverage"]["points"][0]) == {"confidence", "n", "coverage", "accuracy", "low", "high"}
    assert set(read["coverage"]["chosen"]) == {*read["coverage"]["points"][0], "wished_accuracy"}
    assert [(each["alpha"], each["by_class"]) for each in read["conformal"]] == [(0.1, True), (0.05, True)]


def test_at_the_likeliest_is_what_the_largest_probability_scores() -> None:
    facts = imbalance_facts(VALIDATION, TEST, decision=at_threshold(0.2, 1), generator=generator())
    table = confusion_matrix(TEST)
    assert facts["at_likeliest"]["confusion"] == table.tolist()
    assert accuracy(table).as_dict() in facts["at_likeliest"]["scores"]
    assert imbalance_facts(VALIDATION, TEST, decision=None, generator=generator())["at_likeliest"] is None


@pytest.mark.parametrize(
    ("decision", "metric"),
    [
        (None, None),
        (balanced(np.array([0.8, 0.2])), "balanced_accuracy"),
        (at_threshold(0.3, 1), "balanced_accuracy"),
        (least_cost(np.array([[0.0, 1.0], [5.0, 0.0]])), "cost"),
    ],
    ids=["likeliest", "balanced", "threshold", "costs"],
)
def test_a_rule_that_was_stated_has_the_curve_of_its_metric(decision: Decision | None, metric: str | None) -> None:
    told = imbalance_facts(VALIDATION, TEST, decision=decision, generator=generator())["decision"]
    assert (told["curve"] and told["curve"]["metric"]) == metric
    assert told["threshold"] == (0.5 if decision is None else decision.threshold)
    assert told["positive"] == "class 1"


def test_a_validation_part_of_one_class_has_no_curve() -> None:
    alone = Predictions(("a",), np.array([0]), np.zeros((1, 2)), TEST.classes)
    told = imbalance_facts(alone, TEST, decision=balanced(np.array([0.8, 0.2])), generator=generator())
    assert told["decision"]["curve"] is None
    assert told["conformal"][0]["by_class"] is False
    assert told["coverage"]["chosen"] is None  # nothing was wrong


def test_of_many_classes_the_rarest_are_shown_and_groups_are_heard() -> None:
    counts = [0, *range(4, 16)]
    validation, test = part(counts, 3), part(counts, 4)
    decision = least_cost(1.0 - np.eye(13))
    groups = np.arange(len(test)) // 3
    facts = imbalance_facts(validation, test, decision=decision, generator=generator(), groups=groups)
    assert [line["name"] for line in facts["curves"]["classes"]] == [f"class {index}" for index in range(1, 11)]
    assert (facts["decision"]["positive"], facts["decision"]["curve"]) == (None, None)
    assert facts["conformal"][0]["by_class"] is False
    assert "groups" in facts["curves"]["classes"][0]["roc_auc"]["method"]
    assert facts["at_likeliest"]["confusion"] == confusion_matrix(test).tolist()
