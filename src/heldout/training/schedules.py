"""The learning rate of a step, as a pure function of its position."""

import math

from heldout.training.settings import TrainingSettings


def learning_rate(step: int, n_steps: int, settings: TrainingSettings) -> float:
    """The rate for step `step`, counted from 0, of a training of `n_steps`.

    It rises in a straight line to `settings.rate` over the first `warmup_share` of the steps, then falls along
    half a cosine towards 0, which it would reach one step after the last: no step is without effect.

    Source:
        Loshchilov and Hutter 2016, arXiv:1608.03983, equation 5, one period; the warm-up of Goyal et al. 2017,
        arXiv:1706.02677, section 2.2.

    Example:
        >>> from heldout.training.settings import defaults
        >>> settings = defaults("full", {"learning_rate": 1.0, "warmup_share": 0.2})
        >>> [round(learning_rate(step, 10, settings), 2) for step in range(10)]
        [0.5, 1.0, 1.0, 0.96, 0.85, 0.69, 0.5, 0.31, 0.15, 0.04]
    """
    assert 0 <= step < n_steps, f"step {step} of {n_steps}"
    n_warmup = math.floor(settings.warmup_share * n_steps)
    if step < n_warmup:
        return settings.rate * ((step + 1) / n_warmup)
    done = (step - n_warmup) / (n_steps - n_warmup)
    return settings.rate * 0.5 * (1 + math.cos(math.pi * done))
