"""Intervals for examples that come in groups (patients, cameras, bursts, near-duplicates): whole groups are resampled.

The examples of a group rise and fall together, so that n examples tell less than n independent ones, and intervals
that count examples are too narrow. Here a group is what was drawn independently. What is kept of a group are sums,
so memory is bounded by the groups and the classes in each, shards merge, and no example is touched twice.

Assumes: groups drawn independently from the population of groups that the number is claimed for.
Covers: 94 % with 40 groups of 10 or 15 of 20 whose examples are alike, where Wilson covers 64 to 70 % (measured
    2026-11-22, 2,000 data sets each); 97 to 99.5 % where they are hardly alike or hardly one is wrong.
Breaks when: there are fewer than about ten groups (the interval is then very wide, and still only as good as the
    normal approximation), or a class occurs in one or two groups only.
Checked by: tests/measuring/test_grouped.py::test_the_interval_covers_where_wilson_does_not
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int, Real

from heldout.measuring.intervals import BLOCK_NUMBERS, N_RESAMPLES, Interval, normal_quantile, wilson

# Beyond so many numbers in all resamples together there are fewer of them, but 400 at least: their ends scatter by 3 %
# of the interval's width, which is small itself then. 100,000 examples take 3 s so (measured 2026-11-22).
_MOST_WORK, _LEAST_RESAMPLES = 40_000_000, 400
# Name of a statistic -> its value in each of several tables.
_Values = dict[str, Float[np.ndarray, " tables"]]


@dataclass(frozen=True, slots=True, eq=False)
class GroupSums:
    """What is kept of labelled and answered examples, group by group.

    A cell is a group and a class that meet in it, by label or by answer.

    Attributes:
        keys: The number of each group, ascending; what is summed elsewhere under the same number is the same group.
        n: Examples of each group.
        losses: Sums of each loss, by name.
        cell_group: The position of each cell's group in `keys`.
        cell_class: The class of each cell.
        hits: Examples of the cell's class that were answered right.
        labelled: Examples of the cell's class.
        predicted: Examples answered with the cell's class.
        n_classes: How many classes there are.
    """

    keys: Int[np.ndarray, " groups"]
    n: Int[np.ndarray, " groups"]
    losses: dict[str, Float[np.ndarray, " groups"]]
    cell_group: Int[np.ndarray, " cells"]
    cell_class: Int[np.ndarray, " cells"]
    hits: Int[np.ndarray, " cells"]
    labelled: Int[np.ndarray, " cells"]
    predicted: Int[np.ndarray, " cells"]
    n_classes: int

    @property
    def right(self) -> Int[np.ndarray, " groups"]:
        """Examples of each group that were answered right."""
        return np.bincount(self.cell_group, weights=self.hits, minlength=len(self.keys)).astype(np.int64)


def sums_by_group(
    groups: Int[np.ndarray, " examples"],
    labels: Int[np.ndarray, " examples"],
    *,
    predicted: Int[np.ndarray, " examples"],
    losses: Mapping[str, Float[np.ndarray, " examples"]],
    n_classes: int,
) -> GroupSums:
    """The sums of examples.

    Args:
        groups: Examples with the same number belong together.
        labels: The class of each, below `n_classes`.
        predicted: The answer for each.
        losses: Of each example, by name.
        n_classes: How many classes there are.

    Example:
        >>> groups, labels = np.array([7, 7, 9]), np.array([0, 1, 1])
        >>> sums = sums_by_group(groups, labels, predicted=np.array([0, 0, 1]), losses={}, n_classes=2)
        >>> sums.keys.tolist(), sums.n.tolist(), sums.right.tolist()
        ([7, 9], [2, 1], [1, 1])
    """
    keys, position = np.unique(groups, return_inverse=True)
    by_label, by_answer = position * n_classes + labels, position * n_classes + predicted
    cells = np.union1d(by_label, by_answer)

    def counted(chosen: Int[np.ndarray, " chosen"]) -> Int[np.ndarray, " cells"]:
        return np.bincount(np.searchsorted(cells, chosen), minlength=len(cells))

    return GroupSums(
        keys=keys,
        n=np.bincount(position, minlength=len(keys)),
        losses={name: np.bincount(position, weights=each, minlength=len(keys)) for name, each in losses.items()},
        cell_group=cells // n_classes,
        cell_class=cells % n_classes,
        hits=counted(by_label[labels == predicted]),
        labelled=counted(by_label),
        predicted=counted(by_answer),
        n_classes=n_classes,
    )


def merged(parts: Sequence[GroupSums]) -> GroupSums:
    """The sums of all shards together; a group may lie in several of them.

    Args:
        parts: At least one, with the same classes and losses.
    """
    first = parts[0]
    keys, position = np.unique(np.concatenate([part.keys for part in parts]), return_inverse=True)
    starts = np.cumsum([0, *(len(part.keys) for part in parts)])
    group = np.concatenate([position[start + part.cell_group] for start, part in zip(starts, parts, strict=False)])
    codes = group * first.n_classes + np.concatenate([part.cell_class for part in parts])
    cells, cell = np.unique(codes, return_inverse=True)

    def added(name: str) -> Int[np.ndarray, " cells"]:
        values = np.concatenate([getattr(part, name) for part in parts])
        return np.bincount(cell, weights=values, minlength=len(cells)).astype(np.int64)

    def of_groups(values: Sequence[np.ndarray]) -> Float[np.ndarray, " groups"]:
        return np.bincount(position, weights=np.concatenate(values), minlength=len(keys))

    return GroupSums(
        keys=keys,
        n=of_groups([part.n for part in parts]).astype(np.int64),
        losses={name: of_groups([part.losses[name] for part in parts]) for name in first.losses},
        cell_group=cells // first.n_classes,
        cell_class=cells % first.n_classes,
        hits=added("hits"),
        labelled=added("labelled"),
        predicted=added("predicted"),
        n_classes=first.n_classes,
    )


def grouped_intervals(
    sums: GroupSums,
    ungrouped: Mapping[str, Interval],
    *,
    generator: np.random.Generator,
    n_resamples: int | None = None,
) -> dict[str, Interval]:
    """95 % intervals of accuracy, balanced accuracy, macro-F1 and mean losses, from one set of resampled groups.

    The percentile bootstrap over G groups lies where groups are few or hardly an example is wrong, so

    - G - 1 groups are drawn each time: Rao, Wu (1988);
    - the distance of each end from the value is stretched by Student's t over the normal quantile, with the
      number of equal groups that would tell as much, (sum n)^2 / sum n^2, less 1 as degrees of freedom;
    - and the interval holds the one for independent examples (`ungrouped`), widened by what groups could cost at most
      as far as too few groups with an error were seen to tell: their design effect is taken as
      1 + (sum n^2 / sum n - 1) / (1 + k) with k such groups. The form of that is assumed; its coverage is measured.

    With one group alone nothing can be said about others: the interval holds everything that is possible.

    Args:
        sums: Of the examples of the part.
        ungrouped: Intervals of the same statistics as if all examples were independent: `accuracy`,
            `balanced_accuracy`, `macro_f1` and the names of the losses; those that are asked for.
        generator: Where the random numbers come from.
        n_resamples: How often the groups are drawn; None for 2,000, or fewer where there are very many of them.

    Source:
        Field, Welsh, "Bootstrapping clustered data", JRSS B 69 (2007); Rao, Wu, JASA 83 (1988) 231; Kish, "Survey
        Sampling" (1965) for the design effect.
    """
    if n_resamples is None:
        n_resamples = int(np.clip(_MOST_WORK // len(sums.cell_group), _LEAST_RESAMPLES, N_RESAMPLES))
    value = {name: float(each[0]) for name, each in _statistics(sums, np.ones((1, len(sums.keys)))).items()}
    drawn = [_statistics(sums, weights) for weights in _weights(sums, n_resamples, generator)]
    method = f"bootstrap over {len(sums.keys):,} groups, {n_resamples} resamples, 95%"
    stretch = t_quantile(n_equal_groups(sums.n) - 1) / normal_quantile(0.95)
    intervals = {}
    for name, plain in ungrouped.items():
        guard = _guard(sums, name, value[name], plain)
        low, high = np.quantile(np.concatenate([each[name] for each in drawn]), [0.025, 0.975])
        low, high = (value[name] + stretch * float(end - value[name]) for end in (low, high))
        floor, ceiling = 0.0, {"brier": 2.0, "negative_log_likelihood": np.inf}.get(name, 1.0)
        if len(sums.keys) == 1:
            low, high = floor, ceiling
        intervals[name] = Interval(max(min(low, guard.low), floor), min(max(high, guard.high), ceiling), method)
    return intervals


def grouped_share(hits: Int[np.ndarray, " groups"], n: Int[np.ndarray, " groups"]) -> Interval:
    """Wilson's interval of a share whose examples come in groups, for as many examples as these tell.

    The number of examples is divided by the design effect: what the groups' residuals show, or, where fewer groups
    than that can show it, the same guard as in `grouped_intervals`.

    Args:
        hits: Of each group.
        n: Of each group; groups without an example do not count.

    Source:
        Kish, "Survey Sampling" (1965); Dean, Pagano, J. Surv. Stat. Methodol. 3 (2015) 484 for Wilson with it.

    Example:
        >>> alone, together = np.ones(20, int), np.array([20])
        >>> round(grouped_share(alone, alone).low, 3), round(grouped_share(together, together).low, 3)
        (0.839, 0.207)
    """
    hits, n = hits[n > 0].astype(np.float64), n[n > 0].astype(np.float64)
    total, right = float(n.sum()), float(hits.sum())
    if not total:
        return wilson(0, 0)
    share, n_groups = right / total, len(n)
    spread = float(((hits - share * n) ** 2).sum()) * n_groups / max(n_groups - 1, 1)
    seen = spread / (total * share * (1 - share)) if 0 < right < total else 1.0
    effect = max(seen, _least_effect(hits, n))
    interval = wilson(right / effect, total / effect)
    return Interval(interval.low, interval.high, f"Wilson, 95%, {total:,.0f} examples counted as {total / effect:,.0f}")


def t_quantile(n_free: float) -> float:
    """How many standard errors hold 95 % of Student's distribution; `n_free` below 1 counts as 1.

    Within 1 % of the exact value from 2 degrees of freedom on, and exact for 1.

    Source:
        Abramowitz, Stegun, Handbook of Mathematical Functions, 26.7.5.

    Example:
        >>> round(t_quantile(1), 2), round(t_quantile(10), 3)
        (12.71, 2.228)
    """
    z, n = normal_quantile(0.95), max(n_free, 1.0)
    if n < 2:
        # Between the two closed ends; 1 is the Cauchy distribution.
        at_two = 0.95 * np.sqrt(2 / (1 - 0.95**2))
        return float(np.tan(np.pi * 0.475) ** (2 - n) * at_two ** (n - 1))
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / n**power for power, term in enumerate(terms, start=1)))


def n_equal_groups(n: Real[np.ndarray, " groups"]) -> float:
    """As many groups of one size would tell as much as these."""
    return float(n.sum()) ** 2 / float((n.astype(np.float64) ** 2).sum())


def _least_effect(right: Real[np.ndarray, " groups"], n: Real[np.ndarray, " groups"]) -> float:
    """The design effect that has to be feared as long as few groups have an error (or few have a right answer)."""
    return feared_effect(n, min(int(np.count_nonzero(right < n)), int(np.count_nonzero(right))))


def feared_effect(n: Real[np.ndarray, " groups"], n_telling: int) -> float:
    """The design effect that has to be feared as long as few groups tell anything about it.

    Args:
        n: Examples of each group.
        n_telling: How many groups do.
    """
    largest = float(n.sum()) / n_equal_groups(n)  # what it is if all examples of a group are alike
    return 1 + (largest - 1) / (1 + n_telling)


def _guard(sums: GroupSums, name: str, value: float, plain: Interval) -> Interval:
    """The interval for independent examples, widened as far as the groups could not show what they cost."""
    right, n = sums.right, sums.n
    effect = _least_effect(right, n)
    if name == "accuracy":
        return wilson(float(right.sum() / effect), float(n.sum() / effect))
    # Where nothing wrong was seen the arms shrink with n, elsewhere with its root.
    factor = effect if right.sum() in {0, n.sum()} else float(np.sqrt(effect))
    return Interval(value - factor * (value - plain.low), value + factor * (plain.high - value), plain.method)


def _weights(
    sums: GroupSums, n_resamples: int, generator: np.random.Generator
) -> Iterator[Float[np.ndarray, "resamples groups"]]:
    """How often each group was drawn, a block of resamples at a time, so that memory is bounded."""
    n_groups = len(sums.keys)
    block = max(1, BLOCK_NUMBERS // max(n_groups, len(sums.cell_group)))
    for start in range(0, n_resamples, block):
        n_rows = min(block, n_resamples - start)
        drawn = generator.integers(n_groups, size=(n_rows, max(n_groups - 1, 1)))
        drawn += np.arange(n_rows)[:, None] * n_groups
        yield np.bincount(drawn.ravel(), minlength=n_rows * n_groups).reshape(n_rows, n_groups).astype(np.float64)


def _statistics(sums: GroupSums, weights: Float[np.ndarray, "tables groups"]) -> _Values:
    """Every statistic of tables in which each group counts so often."""
    n = weights @ sums.n
    order = np.argsort(sums.cell_class, kind="stable")
    _, first = np.unique(sums.cell_class[order], return_index=True)
    by_cell = weights[:, sums.cell_group[order]]

    def a_class(counts: Int[np.ndarray, " cells"]) -> Float[np.ndarray, "tables classes"]:
        return np.asarray(np.add.reduceat(by_cell * counts[order], first, axis=1))

    hits, labelled, predicted = a_class(sums.hits), a_class(sums.labelled), a_class(sums.predicted)
    there = labelled > 0  # a class whose groups were not drawn is left out, as one without examples is
    n_there = np.maximum(there.sum(axis=1), 1)
    recall = np.divide(hits, labelled, out=np.zeros_like(hits), where=there)
    f1 = np.divide(2 * hits, labelled + predicted, out=np.zeros_like(hits), where=there)
    values = {"accuracy": hits.sum(axis=1) / n}
    values |= {"balanced_accuracy": recall.sum(axis=1) / n_there, "macro_f1": f1.sum(axis=1) / n_there}
    return values | {name: weights @ each / n for name, each in sums.losses.items()}
