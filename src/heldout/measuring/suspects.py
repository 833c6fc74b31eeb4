"""Labels that are probably wrong, by confident learning: where a model that never saw a label doubts it most.

An example of class i counts as class j with confidence when its probability of j is at least the mean probability of j
among the examples labelled j. Examples that so count as another class than their label are suspects. The thresholds
come from the classes themselves, so that neither a class of which the model is never sure nor one of which it
always is makes suspects by that alone.

A suspect is a question to a person: of such flags 51 % were confirmed on ten well-known data sets.

Assumes: probabilities from models that did not see the label; label errors that depend on the classes, not on the
    picture; far more right labels than wrong ones in each class.
Breaks when: a class has few examples, or the features cannot tell two classes apart: hard pictures are flagged then.
Checked by: tests/measuring/test_suspects.py, on an example worked by hand from the published definition.

Source:
    Northcutt, Jiang, Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels", JAIR 70 (2021), eq. 1 and
    2; Northcutt, Athalye, Mueller, "Pervasive Label Errors in Test Sets", NeurIPS 2021, for the 51 %.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

# Of the flags of confident learning on ten test sets, the share that people confirmed (Northcutt et al., 2021).
CONFIRMED_SHARE = 0.51


@dataclass(frozen=True, slots=True, eq=False)
class Suspects:
    """Examples whose label is doubted, the most doubted first.

    Attributes:
        indices: Where they stand among all examples.
        given: The label of each.
        suggested: The class that it is taken for instead.
        margin: Probability of `suggested` less that of `given`, above 0 to 1; descending.
        thresholds: From which probability on an example counts as each class; nan for a class without an example.
        confident_joint: Examples by label (rows) and by the class that they count as; those that count as none are
            in no cell.
    """

    indices: Int[np.ndarray, " suspects"]
    given: Int[np.ndarray, " suspects"]
    suggested: Int[np.ndarray, " suspects"]
    margin: Float[np.ndarray, " suspects"]
    thresholds: Float[np.ndarray, " classes"]
    confident_joint: Int[np.ndarray, "classes classes"]

    def __len__(self) -> int:
        return len(self.indices)


def find_suspects(
    probabilities: Float[np.ndarray, "examples classes"], labels: Int[np.ndarray, " examples"]
) -> Suspects:
    """The examples off the diagonal of the confident joint that the model itself would label otherwise.

    Where an example reaches the thresholds of several classes it counts as the one with the largest probability. As
    in the authors' own program (cleanlab), an example whose label is the model's first choice is no suspect, even
    where it reaches the threshold of another class alone.

    Args:
        probabilities: Of each example, from a model that was fitted without it; rows sum to 1.
        labels: The given class of each, below the number of classes.

    Example:
        >>> probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.1, 0.9]])
        >>> found = find_suspects(probabilities, np.array([0, 0, 0, 1, 1, 1]))
        >>> found.indices.tolist(), found.suggested.tolist(), found.thresholds.round(2).tolist()
        ([2], [1], [0.6, 0.8])
    """
    n, n_classes = probabilities.shape
    rows = np.arange(n)
    n_labelled = np.bincount(labels, minlength=n_classes)
    own = probabilities[rows, labels]
    sums = np.bincount(labels, weights=own, minlength=n_classes)
    thresholds = np.divide(sums, n_labelled, out=np.full(n_classes, np.nan), where=n_labelled > 0)
    # A mean of equal numbers can lie a rounding above them; a class without an example has no threshold to reach.
    reached = probabilities >= thresholds - 1e-9
    counts_as = np.where(reached, probabilities, -1.0).argmax(axis=1)
    is_counted = reached.any(axis=1)
    joint = np.bincount(labels[is_counted] * n_classes + counts_as[is_counted], minlength=n_classes**2)
    margin = probabilities[rows, counts_as] - own
    doubted = is_counted & (counts_as != labels) & (probabilities.argmax(axis=1) != labels) & (margin > 0)
    indices = np.flatnonzero(doubted)
    indices = indices[np.argsort(-margin[indices], kind="stable")]
    return Suspects(
        indices=indices,
        given=labels[indices],
        suggested=counts_as[indices],
        margin=margin[indices],
        thresholds=thresholds,
        confident_joint=joint.reshape(n_classes, n_classes),
    )


def clearest_of_classes(
    probabilities: Float[np.ndarray, "examples classes"],
    labels: Int[np.ndarray, " examples"],
    suspects: Suspects,
) -> Int[np.ndarray, " classes"]:
    """For each class the example with its label that the model is surest of, no suspect; -1 where there is none.

    Example:
        >>> probabilities, labels = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]), np.array([0, 0, 1])
        >>> clearest_of_classes(probabilities, labels, find_suspects(probabilities, labels)).tolist()
        [0, 2]
    """
    own = probabilities[np.arange(len(labels)), labels].copy()
    own[suspects.indices] = -1
    clearest = np.full(probabilities.shape[1], -1, dtype=np.int64)
    order = np.argsort(own, kind="stable")
    order = order[own[order] >= 0]
    clearest[labels[order]] = order  # of several entries for one class the last one stays
    return clearest
