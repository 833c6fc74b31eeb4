"""A trained classifier and the examples of one part -> every number that is said of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from jaxtyping import Float, Int

from heldout.data.examples import PARTS, Examples
from heldout.data.groups import distinct
from heldout.deciding import class_weights_of, decide, decision_words, positive_of
from heldout.measuring.baselines import majority, nearest_centroid
from heldout.measuring.calibration import fit_temperature
from heldout.measuring.decisions import Decision, likeliest
from heldout.measuring.imbalance_facts import imbalance_facts
from heldout.measuring.mean_costs import mean_cost
from heldout.measuring.predictions import Predictions
from heldout.measuring.rank_scores import weighted_accuracy, weighted_interval
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
SomeClassifier = TypeVar("SomeClassifier", bound=AnyClassifier)


@dataclass(frozen=True)
class Scored:
    """One part with the classifier's answers and every number that follows from them."""

    part: Part
    predictions: Predictions
    summary: Summary


def calibrated(
    classifier: SomeClassifier,
    plan: Plan,
    logits: Float[np.ndarray, "validation classes"],
    labels: Int[np.ndarray, " validation"],
    *,
    counts: Int[np.ndarray, " classes"],
) -> tuple[SomeClassifier, ThresholdCurve | None]:
    """The classifier with the temperature and the decision that fit the validation part.

    The curve says how the threshold was chosen, where it was.

    Args:
        classifier: Fitted.
        plan: Says how to decide.
        logits: Its answers about the validation part.
        labels: Of the validation part.
        counts: Training examples of each class.

    Raises:
        UsageError: A threshold is to be chosen, and the validation part holds one class only.
    """
    temperature = fit_temperature(logits, labels)
    names = tuple(map(str, range(len(labels))))
    decision, curve = decide(plan, Predictions(names, labels, logits, classifier.classes, temperature), counts)
    return replace(classifier, temperature=temperature, decision=decision), curve


@dataclass(frozen=True)
class Judging:
    """How the classifiers of a run are judged: the same for every part.

    Attributes:
        plan: Its seed and decision count.
        materials: What the classifier reads.
        classes: Names of the classes.
        counts: Training examples of each class.
        groups: Examples -> a number each, equal where they must not be parted.
    """

    plan: Plan
    materials: Materials | TableMaterials
    classes: tuple[str, ...]
    counts: Int[np.ndarray, " classes"]
    groups: Callable[[Examples], Int[np.ndarray, " examples"]]

    def calibrate(
        self, classifier: AnyClassifier, validation: Part
    ) -> tuple[AnyClassifier, Scored, ThresholdCurve | None]:
        """The classifier with the temperature and the decision that fit the validation part, and its scores there.

        The curve says how the threshold was chosen, where it was.
        """
        logits = self._logits(classifier, validation)
        classifier, curve = calibrated(classifier, self.plan, logits, validation.labels, counts=self.counts)
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
        generator, groups = stream(self.plan.seed, "bootstrap", PARTS.index(name)), self._kin(examples)
        summary = summarise(
            predictions,
            temperature=classifier.temperature,
            generator=generator,
            groups=groups,
            positive=self._positive,
        )
        summary = replace(summary, scores=(*summary.scores, *self._asked_for(predictions, generator, groups)))
        return Scored(part, predictions, summary)

    def about_decision(
        self, decision: Decision | None, curve: ThresholdCurve | None, *, validation: Scored, test: Scored
    ) -> dict[str, Any]:
        """What was decided by and what it comes to: curves, coverage and prediction sets, for scores.json."""
        groups = self._kin(test.part.examples)
        facts = imbalance_facts(
            validation.predictions,
            test.predictions,
            decision=decision,
            curve=curve,
            positive=self._positive,
            generator=stream(self.plan.seed, "bootstrap", len(PARTS)),
            groups=groups,
        )
        if facts["at_likeliest"] is not None:
            generator = stream(self.plan.seed, "bootstrap", len(PARTS), 1)
            plain = test.predictions.with_decision(likeliest(len(self.counts)))
            costs = decision.costs if decision and decision.rule == "costs" else None
            more = self._asked_for(plain, generator, groups, costs=costs)
            facts["at_likeliest"]["scores"] += [score.as_dict() for score in more]
        return decision_words(self.plan) | facts

    def _asked_for(
        self,
        predictions: Predictions,
        generator: np.random.Generator,
        groups: Int[np.ndarray, " examples"] | None,
        *,
        costs: Float[np.ndarray, "classes classes"] | None = None,
    ) -> list[Score]:
        """The mean cost and the weighted accuracy, where the plan asks for them."""
        used, decision = predictions.decision, self.plan.decision
        if used is not None and used.rule == "costs":
            costs = used.costs
        found = [] if costs is None else [mean_cost(predictions, costs, groups=groups)]
        if not decision.positive_weight:
            return found
        weights = class_weights_of(decision, predictions.classes, self.counts)
        plain = weighted_accuracy(confusion_matrix(predictions), weights, generator=generator)
        if groups is None:
            return [*found, plain]
        interval = weighted_interval(predictions.correct, weights[predictions.labels], groups)
        return [*found, replace(plain, low=interval.low, high=interval.high, method=interval.method)]

    @property
    def _positive(self) -> int | None:
        """The positive class of two, by the plan or by how common they are in train."""
        return positive_of(self.plan.decision, self.classes, self.counts) if len(self.classes) == 2 else None

    def _kin(self, examples: Examples) -> Int[np.ndarray, " examples"] | None:
        """The groups of examples; None where each is by itself."""
        groups = self.groups(examples)
        return None if len(distinct(groups)) == len(groups) else groups

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
