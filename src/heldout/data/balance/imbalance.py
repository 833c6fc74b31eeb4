"""How much an example counts in the loss, where some classes have many more examples than others."""

import numpy as np
from jaxtyping import Float, Int


def class_weights(counts: Int[np.ndarray, " classes"]) -> Float[np.ndarray, " classes"]:
    """The weight of an example of each class with which all classes together weigh the same: n / (K n_c).

    n is the number of examples, n_c that of class c, and K counts the classes that have any. Over the examples that
    were counted the mean weight is 1, so the loss keeps its scale, and a learning rate its meaning. A class without
    an example gets 0. Probabilities learned with these weights are those of a world in which all classes are equally
    frequent; `measuring.prior.prior_shift` takes them back.

    Args:
        counts: Examples of each class in train; at least one in all.

    Source:
        King, Zeng, "Logistic regression in rare events data" (2001): weighting, for a wished share of 1 / K a class.

    Example:
        >>> class_weights(np.array([8, 2, 0])).tolist()
        [0.625, 2.5, 0.0]
    """
    present = counts > 0
    assert present.any(), "there is no example to weigh"
    weights = np.zeros(len(counts))
    weights[present] = counts.sum() / (np.count_nonzero(present) * counts[present])
    return weights
