"""`ImageClassifier`: the classifiers of pictures as a scikit-learn classifier."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike

from heldout.data.examples import Examples
from heldout.deciding import check_decision
from heldout.devices import chosen_device
from heldout.errors import DataError
from heldout.estimators.answers import answers_on
from heldout.estimators.base import HeldoutClassifier
from heldout.estimators.choosing import joined_groups, parted
from heldout.estimators.inputs import labels_of
from heldout.estimators.labels import ClassMap, numbered
from heldout.estimators.pictures import pictures_of, refuse_unreadable
from heldout.experiment import job_of
from heldout.models.backbones import DEFAULT
from heldout.plan import Plan
from heldout.plan_sections import ModelPlan
from heldout.provenance import Silent
from heldout.records import cache_folder
from heldout.scoring import calibrated
from heldout.training.classifier import Classifier, ask
from heldout.training.fitting import fit
from heldout.training.judging import kinship
from heldout.training.looking import look_at
from heldout.training.materials import Materials, Part, gather_materials


class ImageClassifier(HeldoutClassifier):
    """Pictures -> classes with calibrated probabilities, as a scikit-learn classifier.

    It is what `heldout.train` makes of pictures: the same pixels, backbones, regimes, choices and files, without a
    held-out part and a report. What the backbone makes of a picture is kept in the cache by its content, whether it
    came as a path or as pixels, so a search or a cross-validation decodes and computes each picture once. A stratified
    part of the pictures of `fit` is kept for validation; near copies are never parted by it. The penalty of the head,
    the epoch, the temperature and a threshold are chosen on it; the weights learn from the other pictures alone.

    Args:
        backbone: A name of `heldout doctor`, or `timm:NAME`.
        regime: `frozen`, `partial`, `full` or `scratch`.
        weights: `imagenet`, `none` or a file.
        download: Whether published weights may be fetched.
        imbalance: How rare classes are helped: `none`, `weights`, `balanced-batch` or `focal`.
        focal_gamma: Of the focal loss.
        threshold: Where to decide: `likeliest`, `balanced`, `balanced_accuracy`, `f1`, `mcc`, or a probability; empty
            for what suits `imbalance`.
        costs: What mistakes cost, such as `sick:well=10`, or a file; classes as they are printed.
        positive: The class that a threshold is about; None for the rarer of two.
        validation_share: Of the pictures.
        epochs: How often every training picture is seen; with `frozen` this or another setting of training has the head
            trained by mini-batches instead of fitted to its optimum.
        learning_rate: The highest of the schedule, or `find`.
        batch_size: Pictures a step.
        training: Further settings of training by name, such as `{"augment": "strong"}`.
        device: `auto`, `cpu` or `cuda`.
        random_state: Of the draw of the validation part, of weights, batches and augmentation.

    Attributes:
        classes_: The labels, each once, sorted.
        classifier_: What answers (`training.classifier.Classifier`).
        validation_indices_: Which pictures of `fit` choices were made on, ascending; all where none could be spared.
        validation_answers_: What was answered there (`measuring.predictions.Predictions`), by which `predict_sets` and
            `not_sure` go; None where the weights learned from the same pictures.
        seed_: What `random_state` came to.

    Example:
        >>> from sklearn.model_selection import cross_val_score
        >>> paths, labels = ["cat/1.jpg", "dog/1.jpg", "..."], ["cat", "dog", "..."]
        >>> classifier = ImageClassifier().fit(paths, labels)  # doctest: +SKIP
        >>> classifier.predict(["new.jpg"])  # doctest: +SKIP
        array(['cat'], dtype='<U3')
        >>> cross_val_score(ImageClassifier(), paths, labels, cv=3)  # doctest: +SKIP
        array([0.98, 1.  , 0.99])
    """

    def __init__(  # noqa: PLR0913 -- scikit-learn wants every parameter by name
        self,
        backbone: str = DEFAULT,
        regime: str = "frozen",
        *,
        weights: str = "imagenet",
        download: bool = False,
        imbalance: str = "none",
        focal_gamma: float = 2.0,
        threshold: str | float = "",
        costs: str | Path | None = None,
        positive: Any = None,
        validation_share: float = 0.2,
        epochs: int | None = None,
        learning_rate: float | str | None = None,
        batch_size: int | None = None,
        training: Mapping[str, Any] | None = None,
        device: str = "auto",
        random_state: Any = 0,
    ) -> None:
        self.backbone = backbone
        self.regime = regime
        self.weights = weights
        self.download = download
        self.imbalance = imbalance
        self.focal_gamma = focal_gamma
        self.threshold = threshold
        self.costs = costs
        self.positive = positive
        self.validation_share = validation_share
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.training = training
        self.device = device
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        tags.input_tags.string = True
        return tags

    def fit(self, X: Any, y: Any, groups: ArrayLike | None = None) -> Self:
        """The classifier, fitted.

        Args:
            X: Paths; or pixels as uint8: an array (n, height, width, 3), or a list of arrays of any sizes.
            y: One label a picture: words, whole numbers or truth values.
            groups: One a picture: pictures of one group are not parted between training and validation.

        Raises:
            UsageError: A parameter that cannot be meant.
            UnreadablePictures: Some are no pictures.
            ValueError: Pictures or labels that cannot be used.
        """
        source = pictures_of(X)
        classes, labels = numbered(labels_of(y, n=len(source.pictures)))
        if len(classes.classes) < 2:
            raise DataError(
                f"all {len(labels):,} labels are {classes.classes[0]!r}",
                expected="at least two classes: with one there is nothing to tell apart",
                fix="add pictures of another class",
            )
        plan = self._planned(classes)
        check_decision(plan.decision, classes.classes)
        materials = _materials_of(plan)
        products = list(materials.products.values())
        survey = look_at(source, source.ids, products, materials.facts, max_pixels=plan.data.max_pixels).survey
        refuse_unreadable(survey, source)
        given = np.full(len(labels), -1, np.int8)
        examples = Examples(source, source.ids, labels, classes.classes, given, "pictures")
        whole = Part(examples, tuple(known.sha256 for known in survey.facts if known))
        clusters = joined_groups(kinship(examples, survey, materials.facts).clusters, groups)
        train, validation = parted(labels, clusters, plan=plan, has_groups=groups is not None)
        parts = [Part(examples.take(rows), tuple(whole.sha256s[row] for row in rows)) for rows in (train, validation)]
        self.classifier_, logits = _fitted(plan, parts, materials)
        self.validation_answers_ = answers_on(self.classifier_, logits, labels, validation)
        self.classes_ = classes.values
        self.validation_indices_ = validation
        self.seed_ = plan.seed
        return self

    def _logits(self, X: Any) -> Float[np.ndarray, "examples classes"]:
        source = pictures_of(X)
        cache, device = cache_folder(), chosen_device(self.device)
        answers = ask(self.classifier_, source, source.ids, cache=cache, device=device)
        refuse_unreadable(answers.survey, source)
        return np.asarray(answers.logits)

    def _settings(self, classes: ClassMap) -> dict[str, Any]:
        # Random weights are what the regime scratch is for; naming the default beside it would contradict it.
        is_default = self.regime == "scratch" and self.weights == "imagenet"
        return {
            "model.backbone": self.backbone,
            "model.regime": self.regime,
            "model.weights": None if is_default else self.weights,
            "model.download": self.download,
        }


def _materials_of(plan: Plan) -> Materials:
    model = plan.model
    assert isinstance(model, ModelPlan), "a plan of pictures"
    return gather_materials(
        model.backbone,
        weights=model.weights,
        regime=model.regime,
        download=model.download,
        cache=cache_folder(),
        device=chosen_device(plan.device),
    )


def _fitted(
    plan: Plan, parts: Sequence[Part], materials: Materials
) -> tuple[Classifier, Float[np.ndarray, "validation classes"]]:
    """The chosen and calibrated classifier of the pictures, and what it says of validation."""
    train, validation = parts
    with TemporaryDirectory(prefix="heldout-") as folder:
        found = fit(job_of(plan), train, validation, materials, folder=Path(folder), watcher=Silent())
    assert isinstance(found.classifier, Classifier), "a classifier of pictures"
    counts = np.bincount(train.labels, minlength=len(train.examples.classes))
    logits = materials.logits(found.classifier, validation)
    return calibrated(found.classifier, plan, logits, validation.labels, counts=counts)[0], logits
