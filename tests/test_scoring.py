"""Every number of a part comes from the same calibrated, decided predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from heldout.data.tabular.tables import TableSource, find_table
from heldout.plan import make_plan
from heldout.scoring import Judging
from heldout.training.fitted import Job
from heldout.training.fitting import fit_head, fitted_at_once
from heldout.training.materials import Part
from heldout.training.table_materials import TableMaterials


def judged(tmp_path: Path, **settings: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Validation and test of a linear model on an overlapping, imbalanced table, and what is said of the decision."""
    generator = np.random.default_rng(1)
    labels = generator.random(900) < 0.2
    columns = {"x": generator.normal(size=900) + 1.5 * labels, "y": generator.normal(size=900), "kind": labels}
    examples = find_table(columns, "kind")
    source = examples.source
    assert isinstance(source, TableSource)
    parts = [examples.take(np.flatnonzero(np.arange(900) % 3 == number)) for number in range(3)]
    train, validation, test = (Part(part, tuple(source.sha256s(part.ids))) for part in parts)
    plan = make_plan({"data.path": "rows", "data.target": "kind", **settings})
    materials = TableMaterials(source, "cpu", tmp_path).fitted_to(train)
    job = Job("linear", None, 0, imbalance=plan.imbalance)
    fitted = fitted_at_once(job, fit_head(job, train, validation, materials), (train, validation), materials)
    judging = Judging(plan, materials, examples.classes, np.bincount(train.labels), lambda part: np.arange(len(part)))
    classifier, on_validation, curve = judging.calibrate(fitted.classifier, validation)
    on_test = judging.score(classifier, test, name="test")
    return (
        classifier,
        on_test,
        judging.about_decision(classifier.decision, curve, validation=on_validation, test=on_test),
    )


@pytest.mark.parametrize("settings", [{"imbalance": "weights"}, {"decision.threshold": "f1"}])
def test_weighted_accuracy_is_that_of_the_confusion_matrix(tmp_path: Path, settings: dict[str, Any]) -> None:
    _, test, facts = judged(tmp_path, **settings, **{"decision.positive_weight": 4.0})
    (no, alarms), (missed, yes) = test.summary.confusion
    weighted = next(score for score in test.summary.scores if score.name == "weighted_accuracy")
    assert weighted.value == pytest.approx((no + 4 * yes) / (no + alarms + 4 * (missed + yes)))
    (no, alarms), (missed, yes) = facts["at_likeliest"]["confusion"]
    other = next(score for score in facts["at_likeliest"]["scores"] if score["name"] == "weighted_accuracy")
    assert other["value"] == pytest.approx((no + 4 * yes) / (no + alarms + 4 * (missed + yes)))


def test_weights_move_the_decision_and_not_the_probabilities(tmp_path: Path) -> None:
    plain, test, facts = judged(tmp_path)
    weighted, weighted_test, weighted_facts = judged(tmp_path, imbalance="weights")
    assert plain.decision is None
    assert facts["at_likeliest"] is None
    assert weighted.decision.rule == "balanced"
    assert weighted_facts["at_likeliest"] is not None
    probabilities = test.predictions.probabilities[:, 1], weighted_test.predictions.probabilities[:, 1]
    assert np.abs(probabilities[0] - probabilities[1]).max() < 0.08
    assert weighted_test.summary.per_class[1].recall.value > test.summary.per_class[1].recall.value + 0.2
