"""What both estimators do alike: answer by a fitted classifier, and be saved and opened again."""

from abc import ABCMeta, abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Bool, Float, Shaped
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from heldout.doubting import in_sets, is_sure, least_in_sets, sure_from
from heldout.errors import UsageError
from heldout.estimators.answers import read_answers, write_answers
from heldout.estimators.keeping import forget_estimator, plain, read_estimator, write_estimator
from heldout.estimators.labels import ClassMap, class_map_of
from heldout.measuring.predictions import Predictions, log_softmax
from heldout.plan import Plan, make_plan
from heldout.records import cache_folder
from heldout.training.model_files import unknown_content
from heldout.training.opening import open_classifier, save_classifier

# A threshold of 0 or 1 has no finite logit; this close to them no probability of float64 lies between.
_LEAST = 1e-300


class HeldoutClassifier(ClassifierMixin, BaseEstimator, metaclass=ABCMeta):  # type: ignore[misc]  # scikit-learn has no types
    """A classifier of heldout behind scikit-learn's methods; abstract."""

    classes_: Shaped[np.ndarray, " classes"]
    classifier_: Any
    validation_answers_: Predictions | None

    @abstractmethod
    def _logits(self, X: Any) -> Float[np.ndarray, "examples classes"]:
        """What `classifier_` says, its classes in its own order."""

    @abstractmethod
    def _settings(self, classes: ClassMap) -> dict[str, Any]:
        """The parameters as settings of a plan, by full name; what is None is not set."""

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "classifier_")

    def predict(self, X: Any) -> Shaped[np.ndarray, " examples"]:
        """The class that is decided for, of each example: the likeliest, unless `threshold` or `costs` say otherwise.

        Args:
            X: As for `fit`.
        """
        logs, decision = self._log_probabilities(X), self.classifier_.decision
        chosen = logs.argmax(axis=1) if decision is None else decision.decide(logs)
        place = np.argsort(class_map_of(self.classes_).columns)
        return np.asarray(self.classes_[place[chosen]])

    def predict_proba(self, X: Any) -> Float[np.ndarray, "examples classes"]:
        """The calibrated probability of each class, in the order of `classes_`, under the prior of the training data.

        Args:
            X: As for `fit`.
        """
        return np.asarray(np.exp(self._log_probabilities(X))[:, class_map_of(self.classes_).columns])

    def decision_function(self, X: Any) -> Float[np.ndarray, "..."]:
        """How clearly each example is decided.

        Of two classes, one number an example: the log odds of the second class of `classes_`, less those at which it
        is decided for, so that it is above 0 where `predict` says that class. Of more, one number a class, the largest
        where `predict` decides: the log probability, or with another rule than the likeliest minus the expected cost.

        Args:
            X: As for `fit`.
        """
        logs, decision = self._log_probabilities(X), self.classifier_.decision
        columns = class_map_of(self.classes_).columns
        if len(columns) == 2:
            first, second = columns.tolist()
            return np.asarray(logs[:, second] - logs[:, first] - self._log_odds_to_decide(second))
        values = logs if decision is None else -(np.exp(logs) @ decision.costs)
        return np.asarray(values[:, columns] if len(columns) > 2 else values[:, 0])

    def predict_sets(self, X: Any, share: float = 0.1) -> Bool[np.ndarray, "examples classes"]:
        """The classes that cannot be excluded, of each example: whether each class of `classes_` is among them.

        Split-conformal sets, sized on the validation part of `fit`: of new examples like those this share of the sets
        is expected to miss the true class; of each class by itself where validation has enough of it. A set may hold
        every class, and none where no class is likely enough. `predict` is the same whatever is asked here.

        Args:
            X: As for `fit`.
            share: Of the sets that may miss the true class, above 0, up to 0.5.

        Raises:
            UsageError: The share is out of range, or validation is too small for it.

        Source:
            As `measuring.conformal.least_probabilities`, which says what this assumes and when it breaks.

        Example:
            >>> from heldout import TableClassifier
            >>> X = [[number / 400] for number in range(400)]
            >>> y = ["high" if number > 200 or number % 40 == 7 else "low" for number in range(400)]
            >>> classifier = TableClassifier().fit(X, y)
            >>> sets = classifier.predict_sets([[0.0], [0.999]], share=0.1)
            >>> [classifier.classes_[held].tolist() for held in sets]
            [['low'], ['high']]
        """
        check_is_fitted(self)
        if len(self.classes_) == 1:
            return np.ones(self.predict_proba(X).shape, bool)
        least = least_in_sets(self._judged(), share, asked="share=")
        return in_sets(np.exp(self._log_probabilities(X)), least)[:, class_map_of(self.classes_).columns]

    def not_sure(self, X: Any, share: float = 0.05) -> Bool[np.ndarray, " examples"]:
        """Which answers of `predict` are better left open, so that of the others only a share is wrong.

        From which confidence on an answer is sure is chosen on the validation part of `fit`: it answers most of those
        whose answers there are right often enough. `predict` is the same whatever is asked here.

        Args:
            X: As for `fit`.
            share: Of the sure answers that may be wrong, above 0, up to 0.5.

        Raises:
            UsageError: The share is out of range, or so few answers on validation are right that none can be sure.

        Source:
            As `measuring.coverage.confidence_for`, which says what this assumes and when it breaks.
        """
        check_is_fitted(self)
        if len(self.classes_) == 1:
            return np.zeros(len(self.predict_proba(X)), bool)
        confidence = sure_from(self._judged(), share, asked="share=")
        return ~is_sure(np.exp(self._log_probabilities(X)), self.classifier_.decision, confidence)

    def save(self, folder: str | Path) -> Path:
        """Write the fitted classifier into a folder, without pickle; `load` opens it. Gives the folder.

        Args:
            folder: Made where it is not there.

        Raises:
            NotFittedError: There is nothing to save yet.
            UsageError: Classes or parameters are of a type that a file cannot hold.
            StorageError: The disk refused.
        """
        check_is_fitted(self)
        folder = Path(folder)
        forget_estimator(folder)
        params = self.get_params(deep=False)
        if not isinstance(params["random_state"], int | None):
            params["random_state"] = self.seed_
        regime = params.get("regime") or params["model"]
        save_classifier(self.classifier_, folder / "model", regime=regime)
        write_answers(folder, self.validation_answers_)
        write_estimator(folder, type(self).__name__, params=params, fitted=vars(self))
        return folder

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The fitted classifier that `save` wrote. Which examples were its validation part is not known any more.

        Args:
            folder: As it was given to `save`.

        Raises:
            RunFolderError: A file is absent, damaged or of another estimator.
        """
        folder = Path(folder)
        params, classes, columns = read_estimator(folder, cls.__name__)
        try:
            loaded = cls(**params)
        except TypeError as error:
            raise unknown_content(folder / "estimator.json", str(error)) from error
        loaded.classifier_ = open_classifier(folder, cache=cache_folder())
        if loaded.classifier_.classes != classes.classes:
            raise unknown_content(folder / "estimator.json", "its classes are not those of the model")
        loaded.classes_ = classes.values
        loaded.validation_answers_ = read_answers(folder, loaded.classifier_)
        for name, value in columns.items():
            setattr(loaded, name, value)
        return loaded

    def _planned(self, classes: ClassMap) -> Plan:
        """The plan that the parameters make; its seed is drawn where `random_state` is no number.

        Raises:
            UsageError: A parameter that cannot be meant.
        """
        state = plain(self.random_state)
        is_seed = isinstance(state, int) and not isinstance(state, bool)
        seed = state if is_seed else int(check_random_state(state).randint(2**31 - 1))
        positive = None if self.positive is None else classes.name_of(plain(self.positive))
        further = {f"training.{name}": value for name, value in dict(self.training or {}).items()}
        shared = {
            "data.path": "X",
            "data.validation_share": self.validation_share,
            "training.epochs": self.epochs,
            "training.batch_size": self.batch_size,
            "training.learning_rate": self.learning_rate,
            "imbalance": self.imbalance,
            "focal_gamma": self.focal_gamma,
            "decision.threshold": self.threshold,
            "decision.costs": self.costs,
            "decision.positive": positive,
            "seed": seed,
            "device": self.device,
        }
        return make_plan({name: plain(value) for name, value in (shared | further | self._settings(classes)).items()})

    def _judged(self) -> Predictions:
        """The answers on validation.

        Raises:
            UsageError: There are none.
        """
        if self.validation_answers_ is None:
            raise UsageError(
                "no answers on a validation part are known that would say how sure this classifier may be",
                expected="rows or pictures that `fit` could spare for validation, and a folder that this version saved",
                fix="fit it again, with more examples of each class",
            )
        return self.validation_answers_

    def _log_probabilities(self, X: Any) -> Float[np.ndarray, "examples classes"]:
        """In the order of the classifier's own classes."""
        check_is_fitted(self)
        return log_softmax(self._logits(X), self.classifier_.temperature)

    def _log_odds_to_decide(self, second: int) -> float:
        """The log odds of a class, of two, from which on it is decided for."""
        decision = self.classifier_.decision
        if decision is None:
            return 0.0
        threshold = decision.threshold if decision.positive == second else 1 - decision.threshold
        return float(np.log(max(threshold, _LEAST)) - np.log(max(1 - threshold, _LEAST)))
