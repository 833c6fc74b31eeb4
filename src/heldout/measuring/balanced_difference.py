"""The paired difference of two balanced accuracies: every class counts the same, however few examples it has."""

import numpy as np
from jaxtyping import Float, Int

from heldout.errors import UsageError
from heldout.measuring.comparison import Difference
from heldout.measuring.grouped import t_quantile
from heldout.measuring.paired import N_FLIPS


def balanced_difference(
    labels: Int[np.ndarray, " examples"],
    gains: Int[np.ndarray, " examples"],
    *,
    n_classes: int,
    groups: Int[np.ndarray, " examples"] | None = None,
    generator: np.random.Generator,
) -> Difference:
    """Balanced accuracy of A less that of B on the same examples, with an interval and a p-value.

    An example weighs 1 / (classes x examples of its class). The interval is normal, with the variance of the weighted
    gains around the mean of their class, summed over groups, and two more disagreements, one on each side, of the
    heaviest group: without them it has no width where the two never disagree (as in `paired_interval`). Its reach is
    Student's t for as many groups as these weights tell. For p the two models are exchanged in whole groups by a coin.

    Args:
        labels: The class of each example, below `n_classes`; a class without examples is left out.
        gains: 1 where only A is right, -1 where only B is, else 0.
        n_classes: How many classes there are.
        groups: Examples with the same number belong together; None where each is by itself.
        generator: Where the random numbers come from.

    Raises:
        UsageError: There is no example.

    Assumes: examples, or groups, drawn independently; classes in the shares seen here.
    Covers: 95 to 99 %, most where few examples are disagreed on (classes of 10 to 400 examples, alone and in groups of
        five; measured 2026-11-22, 2,000 test sets each).
    Breaks when: a class has so few examples that none of them is disagreed on by chance.
    Checked by: tests/measuring/test_balanced_difference.py::test_the_interval_covers

    Source:
        Linearised (sandwich) variance over clusters: Liang, Zeger, Biometrika 73 (1986) 13. Exchanging whole
        groups: Winkler et al., NeuroImage 123 (2015) 253.

    Example:
        >>> labels, gains = np.repeat([0, 1], [90, 10]), np.zeros(100, int)
        >>> gains[90:95] = 1
        >>> found = balanced_difference(labels, gains, n_classes=2, generator=np.random.default_rng(0))
        >>> round(found.value, 3), found.low > 0, found.p < 0.1
        (0.25, True, True)
    """
    if not len(labels):
        raise UsageError("there is no example", expected="at least one", fix="compare runs that have a test part")
    n_of = np.bincount(labels, minlength=n_classes)
    n_present = int(np.count_nonzero(n_of))
    weights = 1 / (n_present * n_of[labels])
    mean_of = np.bincount(labels, weights=gains, minlength=n_classes) / np.maximum(n_of, 1)
    value = float(mean_of.sum()) / n_present
    position = np.arange(len(labels)) if groups is None else np.unique(groups, return_inverse=True)[1]
    heaviness, net, around = (
        np.bincount(position, weights=weights * each) for each in (np.ones(len(labels)), gains, gains - mean_of[labels])
    )
    n_groups = len(heaviness)
    if n_groups == 1:
        return Difference(value, -1.0, 1.0, 1.0, len(labels), "one group: nothing to judge by")
    variance = n_groups / (n_groups - 1) * float((around**2).sum()) + 2 * float(heaviness.max()) ** 2
    reach = t_quantile(1 / float((heaviness**2).sum()) - 1) * float(np.sqrt(variance))
    what = "examples" if n_groups == len(labels) else f"{n_groups:,} groups"
    return Difference(
        value,
        max(value - reach, -1.0),
        min(value + reach, 1.0),
        flipped(net, generator),
        len(labels),
        f"weighted paired difference over {what}, 95%; p: signs of {what} flipped {N_FLIPS:,} times",
    )


def flipped(net: Float[np.ndarray, " groups"], generator: np.random.Generator) -> float:
    """How often random signs of the groups' sums give a total as far from 0; what was seen counts as one draw."""
    sizes, counts = np.unique(np.round(np.abs(net), 12), return_counts=True)
    sums = np.zeros(N_FLIPS)
    for size, count in zip(sizes.tolist(), counts.tolist(), strict=True):
        if size:
            sums += size * (2 * generator.binomial(count, 0.5, size=N_FLIPS) - count)
    # Sums of the same terms in another order differ in their last digits.
    n_as_far = int((np.abs(sums) >= abs(float(net.sum())) - 1e-9).sum())
    return (n_as_far + 1) / (N_FLIPS + 1)
