"""The paired difference of two mean costs: what the answers of one model save against those of another."""

import numpy as np
from jaxtyping import Float, Int

from heldout.errors import UsageError
from heldout.measuring.balanced_difference import flipped
from heldout.measuring.comparison import Difference
from heldout.measuring.grouped import t_quantile
from heldout.measuring.paired import N_FLIPS


def cost_difference(
    saved: Float[np.ndarray, " examples"],
    *,
    highest: float,
    groups: Int[np.ndarray, " examples"] | None = None,
    generator: np.random.Generator,
) -> Difference:
    """What A saves an example against B, with an interval and a p-value; above 0 A is the cheaper.

    The interval is Student's t of the mean over examples, or over groups, with two more disagreements of the highest
    cost, one on each side, of the largest group: without them it has no width where the two never disagree (as in
    `balanced_difference`). For p the two models are exchanged in whole groups by a coin.

    Args:
        saved: The cost of B's answer less that of A's, for each example.
        highest: The highest cost that there is.
        groups: Examples with the same number belong together; None where each is by itself.
        generator: Where the random numbers come from.

    Raises:
        UsageError: There is no example.

    Assumes: examples, or groups, drawn independently; classes as common as in this part.
    Breaks when: a dear mistake is so rare that neither made it here.
    Checked by: tests/measuring/test_cost_difference.py::test_the_interval_covers

    Source:
        Linearised (sandwich) variance over clusters: Liang, Zeger, Biometrika 73 (1986) 13. Exchanging whole
        groups: Winkler et al., NeuroImage 123 (2015) 253.

    Example:
        >>> saved = np.zeros(200)
        >>> saved[:20] = 5.0
        >>> found = cost_difference(saved, highest=5.0, generator=np.random.default_rng(0))
        >>> found.value, found.low > 0, found.p < 0.01
        (0.5, True, True)
    """
    n = len(saved)
    if not n:
        raise UsageError("there is no example", expected="at least one", fix="compare runs that have a test part")
    value = float(saved.mean())
    position = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    share, net, around = (np.bincount(position, weights=each) / n for each in (np.ones(n), saved, saved - value))
    n_groups = len(share)
    if n_groups == 1:
        return Difference(value, -highest, highest, 1.0, n, "one group: nothing to judge by")
    variance = n_groups / (n_groups - 1) * float((around**2).sum()) + 2 * (highest * float(share.max())) ** 2
    reach = t_quantile(1 / float((share**2).sum()) - 1) * float(np.sqrt(variance))
    what = "examples" if n_groups == n else f"{n_groups:,} groups"
    method = f"paired difference of means over {what}, 95%; p: signs of {what} flipped {N_FLIPS:,} times"
    low, high = max(value - reach, -highest), min(value + reach, highest)
    return Difference(value, low, high, flipped(net, generator), n, method)
