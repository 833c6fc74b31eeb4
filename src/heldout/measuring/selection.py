"""What choosing among settings does to numbers: a ranking with ties, and how much too good the best one looks.

"Tied" says "these data cannot tell", never "equal": more seeds or more examples may part what shares a rank here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from heldout.errors import UsageError
from heldout.measuring.comparison import Difference, corrected_t
from heldout.measuring.intervals import BLOCK_NUMBERS, N_RESAMPLES, normal_quantile

# How good each answer is: whether it is right, or a number.
Gains = Bool[np.ndarray, "settings validation"] | Float[np.ndarray, "settings validation"]
# Two settings are told apart where p, after Holm's correction, is below it.
_LEVEL = 0.05
# Examples, or groups, beyond that number are put together at random into so many before they are resampled: their
# sums vary as much, known to 1.6 %, 1 / sqrt(2 x 2000).
_MOST_UNITS = 2000


@dataclass(frozen=True, slots=True)
class Rank:
    """Where one setting stands.

    Attributes:
        index: Its row of the scores.
        rank: 1 is best; settings that the data cannot tell from the best one of their rank share it.
        versus_best: Score of the best setting of all less this one's, over the seeds that both have. Its p is after
            Holm's correction over all such comparisons, its interval stands by itself. None for the best itself and
            where they share fewer than two seeds.
        p_better: In which share of these seeds it beats the best one, half for an equal score; None for the best
            itself and where they share no seed.
        tied_with_best: Whether it shares rank 1 with the best; False for the best itself.
    """

    index: int
    rank: int
    versus_best: Difference | None
    p_better: float | None
    tied_with_best: bool


@dataclass(frozen=True, slots=True)
class Optimism:
    """How much better than it is the best of several settings is expected to look.

    Attributes:
        value: To be taken off its score, 0 and up; of a cost, to be added to it.
        n_settings: Among how many it was chosen.
        method: What made the number.
    """

    value: float
    n_settings: int
    method: str


def rank_with_ties(scores: Float[np.ndarray, "settings seeds"], *, n_train: int, n_validation: int) -> tuple[Rank, ...]:
    """The settings from best to worst by mean score, those that the data cannot tell apart on one rank.

    The best heads rank 1. Every other is compared with it by `corrected_t` over the seeds that both have; those whose p
    is not below .05 after Holm's correction share its rank, as do those that share fewer than two seeds with it. The
    best of the rest heads rank 2 and is compared with the rest in the same way, and so on. So a setting may be tied
    with the best while a better one is not, where its scores scatter more.

    Args:
        scores: One row a setting, one column a seed, 0 to 1; nan where that trial has none. A mean is over the scores
            that are there. Settings without any come last, on a rank of their own.
        n_train: Examples that each trial was trained on.
        n_validation: Examples that each score was taken on.

    Raises:
        UsageError: There is no setting or no seed, a score is beyond 0 to 1, or a number of examples is below 1.

    Assumes: as `corrected_t`; a column is one split, one order, one initialisation for all settings.
    Breaks when: trials diverge: the mean over the seeds that are left is too good.
    Checked by: tests/measuring/test_selection.py::test_equal_settings_are_seldom_told_apart

    Source:
        Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Stat. 6 (1979) 65.

    Example:
        >>> scores = np.array([[0.70, 0.71, 0.70], [0.91, 0.90, 0.92], [0.90, 0.91, 0.91]])
        >>> [(each.index, each.rank) for each in rank_with_ties(scores, n_train=800, n_validation=200)]
        [(1, 1), (2, 1), (0, 2)]
    """
    scores = _checked_scores(scores)
    order = _best_first(scores)
    against = _against(scores, order, n_train=n_train, n_validation=n_validation)
    ranks = _ranks(scores, order, n_train=n_train, n_validation=n_validation)
    best = order[0]
    return tuple(
        Rank(
            index,
            ranks[index],
            versus_best=against.get(index),
            p_better=None if index == best else _share_better(scores[index], scores[best]),
            tied_with_best=index != best and ranks[index] == 1 and not np.isnan(scores[index]).all(),
        )
        for index in order
    )


def expected_optimism(
    gains: Sequence[Gains],
    *,
    groups: Sequence[Int[np.ndarray, " validation"]] | None = None,
    generator: np.random.Generator,
) -> Optimism:
    """How much the best of K settings, chosen by its mean score on these examples, looks better than it is.

    The correlated bootstrap: examples, or whole groups, are resampled, the same ones for all settings. In each resample
    the setting with the best mean over seeds is chosen, and what counts is how much that mean exceeds its mean on all
    examples. As it stands this finds 70 % of the optimism where settings are equal, for their means on all examples lie
    apart by chance already. So the means of all settings that cannot be told from the best (two-sided p of .05 over
    K - 1 comparisons) are first drawn together, by the share of their variance that chance explains.

    Args:
        gains: One array for each seed: how good the answer of each setting to each of its validation examples is, such
            as whether it is right; the mean over examples is the score that chooses. All hold the same settings in the
            same order; examples may differ in number.
        groups: For each seed, examples with the same number belong together; None where each is by itself.
        generator: Where the random numbers come from.

    Raises:
        UsageError: There is no seed, setting or example, or sizes do not fit.

    Assumes: examples, or groups, drawn independently; a setting is chosen by its mean gain.
    Breaks when: one setting is the best in truth and others come close: it is then up to four times too large, which
        is careful. A tenth too small for two or three equal settings. What initialisation and order add by chance is
        not in it.
    Checked by: tests/measuring/test_selection.py::test_the_optimism_is_near_the_true_one, and for costs and balanced
        accuracy tests/sweeping/test_measure.py

    Source:
        Efron, Tibshirani, "An Introduction to the Bootstrap" (1993), 17.6, for the optimism; Hansen, JBES 23 (2005)
        365, for drawing together only what is not clearly worse; James, Stein (1961) for by how much.

    Example:
        >>> correct = np.random.default_rng(0).random((10, 500)) < 0.9
        >>> found = expected_optimism([correct], generator=np.random.default_rng(1))
        >>> 0.015 < found.value < 0.025, found.n_settings
        (True, 10)
    """
    _check_gains(gains, groups)
    n_settings, n_seeds = len(gains[0]), len(gains)
    means = np.mean([each.mean(axis=1, dtype=np.float64) for each in gains], axis=0)
    chance = np.zeros((N_RESAMPLES, n_settings))
    for seed, each in enumerate(gains):
        chance += _resampled(each, None if groups is None else groups[seed], generator) / n_seeds
    chance -= chance.mean(axis=0)
    chosen = (_drawn_together(means, chance) + chance).argmax(axis=1)
    gained = float(chance[np.arange(N_RESAMPLES), chosen].mean())
    what = "examples" if groups is None else "groups"
    return Optimism(max(gained, 0.0), n_settings, f"correlated bootstrap over {what}, {N_RESAMPLES} resamples")


# --- ranks ---


def _best_first(scores: Float[np.ndarray, "settings seeds"]) -> list[int]:
    """Rows by falling mean, those without a score last; equal ones in the order given."""
    there = ~np.isnan(scores)
    n_there = there.sum(axis=1)
    means = np.where(there, scores, 0.0).sum(axis=1) / np.maximum(n_there, 1)
    order: list[int] = np.argsort(np.where(n_there > 0, -means, np.inf), kind="stable").tolist()
    return order


def _ranks(
    scores: Float[np.ndarray, "settings seeds"], order: list[int], *, n_train: int, n_validation: int
) -> dict[int, int]:
    """The rank of each row."""
    without = [index for index in order if np.isnan(scores[index]).all()]
    left = [index for index in order if index not in without]
    ranks: dict[int, int] = {}
    rank = 0
    while left:
        rank += 1
        against = _against(scores, left, n_train=n_train, n_validation=n_validation)
        worse = [index for index in left if index in against and _told(against[index])]
        ranks |= dict.fromkeys([index for index in left if index not in worse], rank)
        left = worse
    return ranks | dict.fromkeys(without, rank + 1)


def _told(difference: Difference) -> bool:
    """Whether the first of two is better beyond doubt."""
    return difference.value > 0 and difference.p < _LEVEL


def _against(
    scores: Float[np.ndarray, "settings seeds"], order: list[int], *, n_train: int, n_validation: int
) -> dict[int, Difference]:
    """The first of `order` less each of the others, p corrected; without those that share fewer than two seeds."""
    first = scores[order[0]]
    found = {
        index: corrected_t(first - scores[index], n_train=n_train, n_validation=n_validation)
        for index in order[1:]
        if np.count_nonzero(~np.isnan(first - scores[index])) >= 2
    }
    corrected = _holm([each.p for each in found.values()])
    note = f"; p after Holm's correction over {len(found)}" if len(found) > 1 else ""
    return {
        index: replace(each, p=p, method=each.method + note)
        for (index, each), p in zip(found.items(), corrected, strict=True)
    }


def _holm(p_values: list[float]) -> list[float]:
    """Each p times the number of those that are not smaller, and never below that of a smaller one."""
    corrected, highest = [0.0] * len(p_values), 0.0
    for place, position in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, p_values[position] * (len(p_values) - place)))
        corrected[position] = highest
    return corrected


def _share_better(scores: Float[np.ndarray, " seeds"], of_best: Float[np.ndarray, " seeds"]) -> float | None:
    """In which share of the seeds that both have the first beats the second, half for an equal score."""
    differences = (scores - of_best)[~np.isnan(scores - of_best)]
    return float((np.sign(differences) + 1).mean() / 2) if len(differences) else None


def _checked_scores(scores: Float[np.ndarray, "settings seeds"]) -> Float[np.ndarray, "settings seeds"]:
    """The scores as float64; raise unless there is a row and a column."""
    scores = np.asarray(scores, np.float64)
    if scores.ndim != 2 or not scores.size:
        raise UsageError(
            f"scores of shape {scores.shape}",
            expected="one row for each setting and one column for each seed, at least one of both",
            fix="put nan where a trial has no score",
        )
    return scores


# --- optimism ---


def _resampled(
    gains: Gains,
    groups: Int[np.ndarray, " validation"] | None,
    generator: np.random.Generator,
) -> Float[np.ndarray, "resamples settings"]:
    """By how much the mean gains of each resample differ from those of all examples."""
    sums, sizes = _units(gains, groups, generator)
    n_units = len(sizes)
    excess = (
        sums - gains.mean(axis=1, keepdims=True, dtype=np.float64) * sizes
    )  # of each unit: sums, less what the mean would give
    return np.concatenate([weights @ excess.T / (weights @ sizes)[:, None] for weights in _draws(n_units, generator)])


def _units(
    gains: Gains,
    groups: Int[np.ndarray, " validation"] | None,
    generator: np.random.Generator,
) -> tuple[Float[np.ndarray, "settings units"], Float[np.ndarray, " units"]]:
    """What is resampled: the gains and examples of each group, put together at random where there are very many."""
    unit = np.arange(gains.shape[1]) if groups is None else np.unique(groups, return_inverse=True)[1]
    n_units = int(unit.max()) + 1
    if n_units > _MOST_UNITS:
        unit = generator.permutation(np.arange(n_units) % _MOST_UNITS)[unit]
        n_units = _MOST_UNITS
    sums = np.stack([np.bincount(unit, row, minlength=n_units) for row in gains])
    return sums, np.bincount(unit, minlength=n_units).astype(np.float64)


def _draws(n_units: int, generator: np.random.Generator) -> Iterator[Float[np.ndarray, "resamples units"]]:
    """How often each unit is drawn, a block of resamples at a time; one fewer than there are (Rao, Wu, 1988)."""
    block = max(1, BLOCK_NUMBERS // n_units)
    for start in range(0, N_RESAMPLES, block):
        n_rows = min(block, N_RESAMPLES - start)
        drawn = generator.integers(n_units, size=(n_rows, max(n_units - 1, 1)))
        drawn += np.arange(n_rows)[:, None] * n_units
        yield np.bincount(drawn.ravel(), minlength=n_rows * n_units).reshape(n_rows, n_units).astype(np.float64)


def _drawn_together(
    means: Float[np.ndarray, " settings"], chance: Float[np.ndarray, "resamples settings"]
) -> Float[np.ndarray, " settings"]:
    """The means, those that may be the best drawn towards their mean as far as chance explains that they differ."""
    best = int(means.argmax())
    reach = normal_quantile(1 - _LEVEL / max(len(means) - 1, 1))
    near = means[best] - means <= reach * (chance - chance[:, [best]]).std(axis=0)
    if near.sum() < 2:
        return means
    among = chance[:, near] - chance[:, near].mean(axis=1, keepdims=True)
    by_chance = float((among**2).mean(axis=0).sum()) / (int(near.sum()) - 1)
    seen = float(means[near].var(ddof=1))
    kept = max(1 - by_chance / seen, 0.0) if seen > 0 else 0.0
    moved = means.copy()
    moved[near] = means[near].mean() + kept * (means[near] - means[near].mean())
    return moved


def _check_gains(gains: Sequence[np.ndarray], groups: Sequence[np.ndarray] | None) -> None:
    """Raise unless all seeds hold the same number of settings, examples, and a group for each of these."""
    shapes = [each.shape for each in gains]
    fits = bool(shapes) and all(len(each) == 2 and 0 not in each and each[0] == shapes[0][0] for each in shapes)
    lengths = None if groups is None else [len(each) for each in groups]
    if not fits or (lengths is not None and lengths != [each[1] for each in shapes]):
        of_groups = "" if lengths is None else f", groups of lengths {lengths}"
        raise UsageError(
            f"answers of shapes {shapes}{of_groups}",
            expected="for each seed one row a setting, the same in all, and one column and one group an example",
            fix="leave out settings that lack a seed",
        )
