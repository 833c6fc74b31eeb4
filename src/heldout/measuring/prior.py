"""From what a net learned on changed frequencies, or with the focal loss, to probabilities of the data as they are.

A net that learned with class weights or on balanced batches answers for a world in which all classes are equally
frequent. By Bayes' rule only the prior of that world is wrong in its answer, so one number a class, added to its logit,
mends it. The focal loss is not proper: its minimiser is no probability, but a known function of it.
"""

import numpy as np
from jaxtyping import Float, Shaped

from heldout.measuring.predictions import log_softmax

# What stands in for the count of a class that train has no example of. With 0 its log prior would be minus infinity: no
# evidence could ever speak for it. One half is what Jeffreys' prior adds to a count.
ABSENT_COUNT = 0.5
# A class above this share is the likeliest by far, and what it leaves to the others is summed over them: 1 - p would
# lose all digits near 1. Below it, 1 - p is exact to the last digit or two.
SURELY_LARGEST = 0.6


def prior_of(counts: Shaped[np.ndarray, " classes"]) -> Float[np.ndarray, " classes"]:
    """The share of each class, all above 0, summing to 1; a class without an example counts as half an example.

    Args:
        counts: Examples of each class in train, or their summed weights; at least one in all.

    Example:
        >>> prior_of(np.array([6, 2])).tolist(), prior_of(np.array([4, 0])).round(3).tolist()
        ([0.75, 0.25], [0.889, 0.111])
    """
    assert np.sum(counts) > 0, "there is no example to take the shares from"
    filled = np.where(counts > 0, counts, ABSENT_COUNT)
    return np.asarray(filled / filled.sum(), dtype=np.float64)


def prior_shift(
    counts: Shaped[np.ndarray, " classes"], effective: Float[np.ndarray, " classes"] | None = None
) -> Float[np.ndarray, " classes"]:
    """What to add to the logits of a net that learned on other frequencies than the true ones: finite, in nats.

    It is log prior - log effective prior. Softmax of logits + shift is then the posterior under the true prior; and
    minus the shift, added to those, is what the net itself would say.

    Args:
        counts: Examples of each class in train, as frequent as the data have them.
        effective: The share of each class that the net learned from, all above 0; None for equal shares of all classes
            that have an example, which is what class weights and balanced batches make. A class without one was
            absent from both worlds, and its logit is left as it is.

    Assumes: within each class the same examples were learned from, only their frequency was changed; and the net says
        what it learned from well.
    Breaks when: the loss was not the log loss, or the examples of a class were chosen by more than their class.
    Checked by: tests/measuring/test_prior.py::test_weights_and_balanced_batches_moved_back_meet_the_known_posterior

    Source:
        Elkan, "The foundations of cost-sensitive learning" (2001), theorem 2; for more than two classes Saerens,
        Latinne, Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities" (2002), eq. 2.4.

    Example:
        >>> prior_shift(np.array([8, 2])).round(3).tolist()
        [0.47, -0.916]
    """
    if effective is None:
        present = counts > 0
        equal = np.where(present, np.sum(counts) / max(1, np.count_nonzero(present)), 0.0)
        effective = prior_of(equal)
    assert np.min(effective) > 0, f"an effective prior of {np.min(effective)} cannot be divided by"
    return np.asarray(np.log(prior_of(counts)) - np.log(effective))


def from_focal(logits: Float[np.ndarray, "examples classes"], gamma: float) -> Float[np.ndarray, "examples classes"]:
    """Logits whose softmax is the posterior that a net trained by the focal loss stands for, in float64.

    Let v be the softmax of the logits. Where the expected focal loss is smallest, the true probability of class i times
    the slope of the loss at v_i is the same for all i; so it is proportional to v_i / phi(v_i), where
    phi(v) = (1 - v)^gamma - gamma (1 - v)^(gamma - 1) v log v. Which class has the largest logit stays the same, not
    even rounding changes it; with gamma 0, the log loss, probabilities stay too.

    Args:
        logits: Finite outputs of the net.
        gamma: The exponent it was trained with, at least 0.

    Assumes: the net minimises -(1 - v_y)^gamma log v_y with v the softmax of its logits.
    Breaks when: a class weight was in the loss as well (move by `prior_shift` afterwards), or the net is far from the
        minimum.
    Checked by: tests/measuring/test_prior.py::test_the_minimiser_of_the_focal_loss_becomes_the_posterior

    Source:
        Charoenphakdee, Vongkulbhisal, Chairatanakul, Sugiyama, "On focal loss for class-posterior probability
        estimation: a theoretical perspective" (2021).

    Example:
        >>> moved = from_focal(np.array([[1.0, 0.0]]), gamma=2.0)
        >>> (moved[:, 0] - moved[:, 1]).round(3).tolist()
        [2.682]
    """
    assert gamma >= 0, f"gamma is {gamma}"
    log_share = log_softmax(logits)
    log_rest = _log_rest(log_share)
    rest = np.exp(log_rest)
    # -v log v / (1 - v), whose limit is 1 as v goes to 1; there v is known by what it leaves.
    large = log_share > np.log(SURELY_LARGEST)
    surprise = np.where(large, -np.log1p(-np.where(large, rest, 0.5)), -log_share)
    ratio = np.where(rest > 0, np.exp(log_share) * surprise / np.where(rest > 0, rest, 1.0), 1.0)
    moved = log_share - gamma * log_rest - np.log1p(gamma * ratio)
    return _with_largest(moved, logits.argmax(axis=1))


def _log_rest(log_share: Float[np.ndarray, "examples classes"]) -> Float[np.ndarray, "examples classes"]:
    """log(1 - p) of each probability, without loss where p is close to 1."""
    largest = log_share.argmax(axis=1)[:, None]
    others = log_share.copy()
    np.put_along_axis(others, largest, -np.inf, axis=1)
    top = others.max(axis=1, keepdims=True)
    left = top + np.log(np.exp(others - top).sum(axis=1, keepdims=True))
    large = log_share > np.log(SURELY_LARGEST)
    return np.where(large, left, np.log1p(-np.exp(np.where(large, -1.0, log_share))))


def _with_largest(
    logits: Float[np.ndarray, "examples classes"], largest: Shaped[np.ndarray, " examples"]
) -> Float[np.ndarray, "examples classes"]:
    """Logits of which rounding may have made another one the first of the largest, put right by the last digit."""
    rows = np.flatnonzero(logits.argmax(axis=1) != largest)
    logits[rows, largest[rows]] = np.nextafter(logits[rows].max(axis=1), np.inf)
    return logits
