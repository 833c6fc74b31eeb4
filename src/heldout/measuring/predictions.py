"""What a model said about labelled examples, and what follows from it example by example."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.errors import UsageError
from heldout.measuring.decisions import Decision


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Logits beside the labels they should have met, checked once on creation.

    The temperature is kept apart from the logits: it changes probabilities, and without a decision it cannot
    change which class is predicted, not even by rounding.

    Attributes:
        ids: One name an example.
        labels: The true class of each example, as an index into `classes`.
        logits: The model's outputs before softmax, finite.
        classes: Names of the classes, at least two, in the order of the columns of `logits`.
        temperature: Logits are divided by it before softmax; above 1 softens, below 1 sharpens.
        decision: How probabilities become an answer; None for the largest logit.

    Raises:
        UsageError: Sizes disagree, there is no example, fewer than two classes, a label is out of range,
            a logit is not finite in single precision, the temperature is not above 0, or the decision is
            about another number of classes.

    Example:
        >>> predictions = Predictions(("a", "b"), np.array([0, 1]), np.array([[2.0, 0.0], [1.0, 0.0]]), ("x", "y"))
        >>> predictions.predicted.tolist(), predictions.correct.tolist()
        ([0, 0], [True, False])
        >>> predictions.with_temperature(2.0).confidence.round(3).tolist()
        [0.731, 0.622]
    """

    ids: tuple[str, ...]
    labels: Int[np.ndarray, " examples"]
    logits: Float[np.ndarray, "examples classes"]
    classes: tuple[str, ...]
    temperature: float = 1.0
    decision: Decision | None = None

    def __post_init__(self) -> None:
        _check_sizes(self)
        _check_values(self)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def log_probabilities(self) -> Float[np.ndarray, "examples classes"]:
        """Natural logarithm of `probabilities`, in float64; finite where a probability underflows to 0."""
        return log_softmax(self.logits, self.temperature)

    @property
    def probabilities(self) -> Float[np.ndarray, "examples classes"]:
        """Softmax of logits / temperature, in float64; rows sum to 1."""
        return np.asarray(np.exp(self.log_probabilities))

    @property
    def predicted(self) -> Int[np.ndarray, " examples"]:
        """The class decided for; without a decision that with the largest logit, of equal ones the first."""
        if self.decision is None or self.decision.rule == "likeliest":
            return np.asarray(self.logits.argmax(axis=1))
        return self.decision.decide(self.log_probabilities)

    @property
    def confidence(self) -> Float[np.ndarray, " examples"]:
        """Probability of the predicted class, 0 to 1; without a decision it is the largest, 1 / n_classes at least."""
        if self.decision is None or self.decision.rule == "likeliest":
            return np.asarray(self.probabilities.max(axis=1))
        return np.asarray(self.probabilities[np.arange(len(self)), self.predicted])

    @property
    def correct(self) -> Bool[np.ndarray, " examples"]:
        """Whether the predicted class is the label."""
        return np.asarray(self.predicted == self.labels)

    def with_temperature(self, temperature: float) -> "Predictions":
        """The same predictions read at this temperature, whatever theirs was: applying it twice is safe."""
        return replace(self, temperature=temperature)

    def with_decision(self, decision: Decision | None) -> "Predictions":
        """The same probabilities answered by this decision, whatever theirs was; None for the largest logit."""
        return replace(self, decision=decision)


def log_softmax(
    logits: Float[np.ndarray, "examples classes"], temperature: float = 1.0
) -> Float[np.ndarray, "examples classes"]:
    """Natural logarithms of the probabilities that softmax of logits / temperature gives, in float64, all finite.

    Example:
        >>> np.exp(log_softmax(np.array([[0.0, 0.0]]))).tolist()
        [[0.5, 0.5]]
    """
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    scaled -= np.log(np.exp(scaled).sum(axis=1, keepdims=True))
    return scaled


def _check_sizes(predictions: Predictions) -> None:
    """Raise unless ids, labels, logits and classes belong together."""
    n, n_classes = len(predictions.ids), len(predictions.classes)
    shapes = (predictions.labels.shape, predictions.logits.shape)
    if n < 1 or n_classes < 2 or shapes != ((n,), (n, n_classes)):
        raise UsageError(
            f"predictions of {n} ids and {n_classes} classes have labels of shape {shapes[0]} "
            f"and logits of shape {shapes[1]}",
            expected="labels (examples,) and logits (examples, classes), at least 1 example and 2 classes",
            fix="pass one id, one label and one row of logits for each example, one column for each class",
        )


def _check_values(predictions: Predictions) -> None:
    """Raise unless labels, logits and temperature are usable."""
    n_classes = len(predictions.classes)
    labels = predictions.labels
    outside = np.flatnonzero((labels < 0) | (labels >= n_classes))
    if outside.size:
        raise UsageError(
            f"{outside.size} of {len(labels)} labels are no class index, first {labels[outside[0]]} "
            f"of {predictions.ids[outside[0]]!r}",
            expected=f"integers from 0 to {n_classes - 1}",
            fix="make the labels with the class order the model was trained with",
        )
    # Up to single precision's largest number no sum, square or cube in this folder can overflow.
    usable = np.abs(predictions.logits) <= np.finfo(np.float32).max
    broken = np.flatnonzero(~usable.all(axis=1))
    if broken.size:
        raise UsageError(
            f"the logits of {broken.size} of {len(labels)} examples are not finite, "
            f"first {predictions.ids[broken[0]]!r}",
            expected="finite numbers in the range of single precision",
            fix="if training diverged, lower the learning rate; else look at the pixels of that example",
        )
    if not 0 < predictions.temperature < np.inf:
        raise UsageError(
            f"temperature is {predictions.temperature!r}",
            expected="a finite number above 0",
            fix="use fit_temperature on validation logits, or 1.0 for none",
        )
    if predictions.decision is not None and predictions.decision.n_classes != n_classes:
        raise UsageError(
            f"the decision is about {predictions.decision.n_classes} classes, the predictions about {n_classes}",
            expected="the same classes in the same order",
            fix="use the decision that was made with these classes",
        )
