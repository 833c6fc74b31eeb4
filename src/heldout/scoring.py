"""A trained classifier and the examples of one part -> every number that is said of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from heldout.data.examples import PARTS, Examples
from heldout.deciding import class_weights_of, decide, decision_words
from heldout.measuring.baselines import majority, nearest_centroid
from heldout.measuring.calibration import fit_temperature
from heldout.measuring.decisions import Decision
from heldout.measuring.imbalance_facts import imbalance_facts
from heldout.measuring.predictions import Predictions
from heldout.measuring.rank_scores import weighted_accuracy
from heldout.measuring.scores import Score, confusion_matrix
from heldout.measuring.summary import Summary, summarise
from heldout.measuring.thresholds import ThresholdCurve
from heldout.plan import Plan
from heldout.randomness import stream
from heldout.training.classifier import Classifier
from heldout.training.materials import Materials, Part
from heldout.training.row_classifier import RowClassifier
from heldout.training.table_materials import TableMaterials

AnyClassifier = Classifier | RowClassifier


@dataclass(frozen=True)
class Scored:
    """One part with the classifier's answers and every number that follows from them."""

    part: Part
    predictions: Predictions
    summary: Summary


@dataclass(frozen=True)
class Judging:
    """How the classifiers of a run are judged: the same for every part.

    Attributes:
        plan: Its seed and decision count.
        materials: What the classifier reads.
        counts: Training examples of each class.
        groups: Examples -> a number each, equal where they must not be parted.
    """

    plan: Plan
    materials: Materials | TableMaterials
    counts: Int[np.ndarray, " classes"]
    groups: Callable[[Examples], Int[np.ndarray, " examples"]]

    def calibrate(
        self, classifier: AnyClassifier, validation: Part
    ) -> tuple[AnyClassifier, Scored, ThresholdCurve | None]:
        """The classifier with the temperature and the decision that fit the validation part, and its scores there.

        The curve says how the threshold was chosen, where it was.
        """
        logits = self._logits(classifier, validation)
        temperature = fit_temperature(logits, validation.labels)
        examples = validation.examples
        predictions = Predictions(examples.ids, validation.labels, logits, examples.classes, temperature)
        decision, curve = decide(self.plan, predictions, self.counts)
        classifier = replace(classifier, temperature=temperature, decision=decision)
        return classifier, self.score(classifier, validation, name="validation"), curve

    def score(self, classifier: AnyClassifier, part: Part, *, name: str) -> Scored:
        """Every number of one part.

        Args:
            classifier: Calibrated.
            part: What it is judged on.
            name: `validation` or `test`.
        """
        examples = part.examples
        logits = self._logits(classifier, part)
        predictions = Predictions(examples.ids, part.labels, logits, examples.classes, classifier.temperature)
        predictions = predictions.with_decision(classifier.decision)
        generator = stream(self.plan.seed, "bootstrap", PARTS.index(name))
        summary = summarise(
            predictions, temperature=classifier.temperature, generator=generator, groups=self.groups(examples)
        )
        summary = replace(summary, scores=(*summary.scores, *self._weighted(predictions, generator)))
        return Scored(part, predictions, summary)

    def about_decision(
        self, decision: Decision | None, curve: ThresholdCurve | None, *, validation: Scored, test: Scored
    ) -> dict[str, Any]:
        """What was decided by and what it comes to: curves, coverage and prediction sets, for scores.json."""
        facts = imbalance_facts(
            validation.predictions,
            test.predictions,
            decision=decision,
            curve=curve,
            generator=stream(self.plan.seed, "bootstrap", len(PARTS)),
            groups=self.groups(test.part.examples),
        )
        if facts["at_likeliest"] is not None:
            generator = stream(self.plan.seed, "bootstrap", len(PARTS), 1)
            weighted = self._weighted(test.predictions.with_decision(None), generator)
            facts["at_likeliest"]["scores"] += [score.as_dict() for score in weighted]
        return decision_words(self.plan) | facts

    def _weighted(self, predictions: Predictions, generator: np.random.Generator) -> list[Score]:
        """The weighted accuracy, where the plan asks for it."""
        decision = self.plan.decision
        if not decision.positive_weight:
            return []
        weights = class_weights_of(decision, predictions.classes, self.counts)
        return [weighted_accuracy(confusion_matrix(predictions), weights, generator=generator)]

    def _logits(self, classifier: AnyClassifier, part: Part) -> Float[np.ndarray, "examples classes"]:
        return self.materials.logits(classifier, part)  # type: ignore[arg-type]  # each is asked by its own kind


def score_baselines(
    train: Part, test: Part, materials: Materials | TableMaterials, *, groups: Int[np.ndarray, " examples"]
) -> dict[str, Any]:
    """What anyone could have had for nothing: the majority class, and the nearest mean of features."""
    scores: dict[str, Any] = {
        "majority": majority(train.labels, test.labels, len(train.examples.classes), groups=groups).as_dict(),
        "nearest_centroid": None,
    }
    if materials.has_features:
        train_features, features = (materials.features(part) for part in (train, test))
        nearest = nearest_centroid(train_features, train.labels, features, test.labels, groups=groups)
        scores["nearest_centroid"] = nearest.as_dict()
    return scores
