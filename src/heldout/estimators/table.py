"""`TableClassifier`: the models of rows as a scikit-learn classifier."""

import logging
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike

from heldout.data.examples import Examples
from heldout.data.tabular.encoding import Column, Encoder, fit_encoder
from heldout.data.tabular.table_problems import row_clusters
from heldout.data.tabular.tables import LAYOUT, TableSource, table_of
from heldout.deciding import check_decision
from heldout.devices import chosen_device
from heldout.errors import DataError
from heldout.estimators.answers import answers_on
from heldout.estimators.base import HeldoutClassifier
from heldout.estimators.choosing import joined_groups, parted
from heldout.estimators.inputs import rows_and_labels_of, rows_of
from heldout.estimators.labels import ClassMap, numbered
from heldout.experiment import job_of
from heldout.measuring.prior import prior_of
from heldout.models.table_models import Layers
from heldout.plan import Plan
from heldout.provenance import Silent
from heldout.randomness import stream
from heldout.records import cache_folder
from heldout.scoring import calibrated
from heldout.training.fitting import fit
from heldout.training.materials import Part
from heldout.training.row_classifier import RowClassifier
from heldout.training.table_materials import TableMaterials

if TYPE_CHECKING:
    import pyarrow as pa

log = logging.getLogger(__name__)
_TARGET = "y"


class TableClassifier(HeldoutClassifier):
    """Rows of numbers, words and dates -> classes with calibrated probabilities, as a scikit-learn classifier.

    It is what `heldout.train` makes of a table: the same encoder, models, choices and files, without a held-out part
    and a report. Missing values are welcome (infinite numbers count as such), words become categories, numbers are
    standardised. A stratified part of the rows of `fit` is kept for validation; equal rows are never parted by it. The
    penalty of `linear`, the epoch of training by mini-batches, the number of trees, the temperature and a threshold are
    chosen on it; the weights learn from the other rows alone.

    Args:
        model: `linear` (logistic regression), `mlp` or `boosting`.
        width: Of each hidden layer of an `mlp`.
        layers: Hidden layers of an `mlp`.
        imbalance: How rare classes are helped: `none`, `weights`, `balanced-batch` or `focal`.
        focal_gamma: Of the focal loss.
        threshold: Where to decide: `likeliest`, `balanced`, `balanced_accuracy`, `f1`, `mcc`, or a probability; empty
            for what suits `imbalance`.
        costs: What mistakes cost, such as `sick:well=10`, or a file; classes as they are printed.
        positive: The class that a threshold is about; None for the rarer of two.
        validation_share: Of the rows.
        epochs: How often every training row is seen; this or another setting of training has `linear` trained by
            mini-batches instead of fitted to its optimum.
        learning_rate: The highest of the schedule, or `find`.
        batch_size: Rows a step.
        training: Further settings of training by name, such as `{"weight_decay": 0.01}`.
        device: `auto`, `cpu` or `cuda`.
        random_state: Of the draw of the validation part, of weights and of batches.

    Attributes:
        classes_: The labels, each once, sorted.
        n_features_in_: How many columns there are.
        feature_names_in_: Their names, where X has names.
        classifier_: What answers (`training.row_classifier.RowClassifier`): encoder, model, temperature, decision.
        validation_indices_: Which rows of `fit` choices were made on, ascending: all rows where none could be spared,
            none where there is but one class.
        validation_answers_: What was answered there (`measuring.predictions.Predictions`), by which `predict_sets` and
            `not_sure` go; None where the weights learned from the same rows.
        seed_: What `random_state` came to.

    Example:
        >>> X = [[number / 10, number % 3] for number in range(40)]
        >>> y = ["high" if number >= 20 else "low" for number in range(40)]
        >>> classifier = TableClassifier().fit(X, y)
        >>> classifier.predict([[0.3, 1], [3.7, 0]]).tolist()
        ['low', 'high']
        >>> len(classifier.validation_indices_), classifier.predict_proba([[3.7, 0]]).shape
        (8, (1, 2))
    """

    n_features_in_: int

    def __init__(  # noqa: PLR0913 -- scikit-learn wants every parameter by name
        self,
        model: str = "linear",
        *,
        width: int = 64,
        layers: int = 2,
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
        self.model = model
        self.width = width
        self.layers = layers
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
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        return tags

    def fit(self, X: Any, y: Any, groups: ArrayLike | None = None) -> Self:
        """The classifier, fitted.

        Args:
            X: An array or a list of lists of numbers or words; or a data frame (pandas, polars) or an Arrow table,
                whose columns keep their types.
            y: One label a row: words, whole numbers or truth values.
            groups: One a row: rows of one group are not parted between training and validation.

        Raises:
            UsageError: A parameter that cannot be meant.
            ValueError: Rows or labels that cannot be used.
        """
        table, y = rows_and_labels_of(self, X, y)
        classes, labels = numbered(y)
        plan = self._planned(classes)
        if len(classes.classes) == 1:
            validation, self.validation_answers_ = np.arange(0), None
            self.classifier_ = _prior_alone(table, classes.classes, np.bincount(labels))
        else:
            check_decision(plan.decision, classes.classes)
            examples = _examples_of(table, classes, labels)
            clusters = joined_groups(row_clusters(_source(examples), examples.ids), groups)
            train, validation = parted(labels, clusters, plan=plan, has_groups=groups is not None)
            self.classifier_, logits = _fitted(plan, examples, train, validation)
            self.validation_answers_ = answers_on(self.classifier_, logits, labels, validation)
        self.classes_ = classes.values
        self.validation_indices_ = validation
        self.seed_ = plan.seed
        return self

    def _logits(self, X: Any) -> Float[np.ndarray, "examples classes"]:
        encoder = self.classifier_.encoder
        rows = table_of(rows_of(self, X), encoder)
        return np.asarray(self.classifier_.logits(encoder.encode(rows.table)))

    def _settings(self, classes: ClassMap) -> dict[str, Any]:
        return {
            "data.target": _TARGET,
            "model.name": self.model,
            "model.width": self.width,
            "model.layers": self.layers,
        }


def _examples_of(table: "pa.Table", classes: ClassMap, labels: Int[np.ndarray, " rows"]) -> Examples:
    import pyarrow as pa

    words = pa.chunked_array([pa.array(classes.classes, pa.large_string()).take(pa.array(labels))])
    source = TableSource("X", table, words, _TARGET, (("row:", 0),), len(str(table.num_rows)))
    return Examples(source, source.ids, labels, classes.classes, np.full(len(labels), -1, np.int8), LAYOUT)


def _source(examples: Examples) -> TableSource:
    assert isinstance(examples.source, TableSource), f"{examples.source.name} is no table"
    return examples.source


def _fitted(
    plan: Plan, examples: Examples, train: Int[np.ndarray, " train"], validation: Int[np.ndarray, " validation"]
) -> tuple[RowClassifier, Float[np.ndarray, "validation classes"]]:
    """The chosen and calibrated classifier of the rows, and what it says of validation."""
    source, n_classes = _source(examples), len(examples.classes)
    counts = np.bincount(examples.labels[train], minlength=n_classes)
    encoder = _encoder_of(source.table, train, seed=plan.seed)
    if encoder is None:
        classifier = _prior_alone(source.table, examples.classes, counts)
        logits = classifier.logits(classifier.encoder.encode(source.table, validation))
        return calibrated(classifier, plan, logits, examples.labels[validation], counts=counts)[0], logits
    materials = TableMaterials(source, chosen_device(plan.device), cache_folder(), encoder)
    # Nothing is kept that would have to be known again by the content of the rows.
    learned, judged = (Part(examples.take(rows), ()) for rows in (train, validation))
    with TemporaryDirectory(prefix="heldout-") as folder:
        found = fit(job_of(plan), learned, judged, materials, folder=Path(folder), watcher=Silent())
    assert isinstance(found.classifier, RowClassifier), "a model of rows"
    logits = materials.logits(found.classifier, judged)
    return calibrated(found.classifier, plan, logits, judged.labels, counts=counts)[0], logits


def _encoder_of(table: "pa.Table", train: Int[np.ndarray, " train"], *, seed: int) -> Encoder | None:
    """The encoder of the training rows; None where no column says anything.

    The rows are shuffled: here their order says nothing, and a column that rises with it is no row number.
    """
    try:
        return fit_encoder(table, stream(seed, "sample").permutation(train))
    except DataError as error:
        log.warning("the shares of the classes are all that can be learned: %s", error.what)
        return None


def _prior_alone(table: "pa.Table", classes: tuple[str, ...], counts: Int[np.ndarray, " classes"]) -> RowClassifier:
    """A classifier that knows the shares of the classes and nothing else: of one class, or of columns that say nothing.

    An encoder has a column at least; whatever it says, its weight is 0.
    """
    encoder = Encoder((Column(table.schema.names[0], "category", categories=("nothing",)),), (), int(counts.sum()))
    layers = Layers((np.zeros((len(classes), 1), np.float32),), (np.log(prior_of(counts)).astype(np.float32),))
    return RowClassifier("linear", _TARGET, encoder, layers, classes)
