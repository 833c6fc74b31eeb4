"""What both estimators do alike: answer by a fitted classifier, and be saved and opened again."""

from abc import ABCMeta, abstractmethod
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float, Shaped
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from heldout.estimators.keeping import forget_estimator, plain, read_estimator, write_estimator
from heldout.estimators.labels import ClassMap, class_map_of
from heldout.measuring.predictions import log_softmax
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
