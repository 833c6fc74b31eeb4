"""The results of all trials -> which setting is best, and how sure that is.

Only complete settings are ranked: one whose trials diverged, failed or were stopped early has fewer scores, and the
mean of those that are left would flatter it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from jaxtyping import Float

from heldout.measuring.comparison import Difference, corrected_t
from heldout.measuring.selection import Optimism, Rank, expected_optimism, rank_with_ties
from heldout.sweeping.ledger import TrialResult
from heldout.sweeping.measure import JudgedOn, Measure
from heldout.sweeping.space import Setting, names_of


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """How one setting did.

    Attributes:
        setting: Which.
        name: What it is called.
        results: Its trials, by seed; None where there is none.
        rank: 1 is best; None where it is not complete.
        tied_with_best: Whether the data cannot tell it from the best.
        versus_best: The best minus this one, over the seeds both have; of costs what the best saves.
        p_better: In which share of the seeds it beats the best.
    """

    setting: Setting
    name: str
    results: tuple[TrialResult | None, ...]
    rank: int | None
    tied_with_best: bool
    versus_best: Difference | None
    p_better: float | None

    @property
    def scores(self) -> Float[np.ndarray, " seeds"]:
        """One a seed; nan where there is none."""
        scores = [result.score if result else None for result in self.results]
        return np.array([np.nan if score is None else score for score in scores])

    @property
    def seconds(self) -> float:
        """What a trial of it took: the median, which one that was disturbed does not move."""
        return float(np.median([result.seconds for result in self.results if result] or [0.0]))

    @property
    def n_in_vain(self) -> int:
        """How many of its trials ended with the weights that they began with: no epoch made them better."""
        return sum(result is not None and result.n_epochs > 0 and result.best_epoch == 0 for result in self.results)

    def n_of(self, outcome: str) -> int:
        """How many of its trials ended so."""
        return sum(result is not None and result.outcome == outcome for result in self.results)


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """All settings in their order.

    Attributes:
        standings: Best first; incomplete settings last.
        optimism: How much better than it is the best is expected to look, in the units of the score; None where nothing
            was chosen, or where an older version did not keep the answers.
        n_train: Examples that a trial learned from, on average.
        n_validation: Examples that a trial was judged on, on average.
        measure: Of the scores.
    """

    standings: tuple[Standing, ...]
    optimism: Optimism | None
    n_train: int
    n_validation: int
    measure: Measure

    @property
    def best(self) -> Standing | None:
        """The setting with the best mean; None where none is complete."""
        return self.standings[0] if self.standings and self.standings[0].rank is not None else None


def judge(
    settings: Sequence[Setting],
    results: Sequence[TrialResult],
    *,
    measure: Measure,
    n_seeds: int,
    judged_on: Sequence[JudgedOn],
    generator: np.random.Generator,
) -> Judgement:
    """Rank the settings.

    Args:
        settings: All of them.
        results: Of their trials; the weights of each are those of its best epoch, and so is its score.
        measure: Of their scores.
        n_seeds: That each complete setting has.
        judged_on: The validation examples of each seed.
        generator: For the bootstrap.
    """
    names = names_of(settings)
    there = {(result.setting, result.seed): result for result in results}
    by_setting = {one: tuple(there.get((one, seed)) for seed in range(n_seeds)) for one in settings}
    complete = [one for one in settings if all(result and result.score is not None for result in by_setting[one])]
    judged = [result for result in results if result.n_validation]
    n_train, n_validation = (
        round(np.mean([getattr(result, name) for result in judged] or [1])) for name in ("n_train", "n_validation")
    )
    ranks: tuple[Rank, ...] = ()
    optimism = None
    if complete:
        scores = np.array([[result.score for result in by_setting[one] if result] for one in complete], np.float64)
        ranks = rank_with_ties(measure.as_shares(scores), n_train=n_train, n_validation=n_validation)
    if len(complete) > 1:
        chosen = [tuple(result for one in complete if (result := by_setting[one][seed])) for seed in range(n_seeds)]
        optimism = _optimism(chosen, measure, judged_on, generator)
    standings = [
        Standing(
            complete[rank.index],
            names[complete[rank.index]],
            by_setting[complete[rank.index]],
            rank.rank,
            rank.tied_with_best,
            measure.in_units(rank.versus_best) if rank.versus_best else None,
            rank.p_better,
        )
        for rank in ranks
    ]
    rest = [
        Standing(one, names[one], by_setting[one], None, False, None, None) for one in settings if one not in complete
    ]
    rest.sort(key=lambda one: (-np.isfinite(one.scores).sum(), -np.nan_to_num(measure.as_shares(one.scores)).sum()))
    return Judgement((*standings, *rest), optimism, n_train, n_validation, measure)


def _optimism(
    results: Sequence[Sequence[TrialResult]],
    measure: Measure,
    judged_on: Sequence[JudgedOn],
    generator: np.random.Generator,
) -> Optimism | None:
    """In the units of the score; None where the answers were not kept."""
    if not all(measure.is_told_by(result) for of_seed in results for result in of_seed):
        return None
    gains = [measure.gains(of_seed, part) for of_seed, part in zip(results, judged_on, strict=True)]
    found = expected_optimism(gains, groups=[part.groups for part in judged_on], generator=generator)
    return replace(found, value=measure.highest * found.value) if measure.is_cost else found


def compare_regimes(judgement: Judgement) -> list[tuple[Standing, Standing, Difference]]:
    """The best setting of each regime (backbone, imbalance) against that of each other, the better one first."""
    best: dict[tuple[str, str, str], Standing] = {}
    for standing in judgement.standings:
        if standing.rank is not None:
            best.setdefault(standing.setting.kind, standing)
    return [(a, b, difference_of(a, b, judgement)) for a, b in combinations(best.values(), 2)]


def difference_of(a: Standing, b: Standing, judgement: Judgement) -> Difference:
    """A minus B, paired over the seeds; of costs what A saves."""
    measure = judgement.measure
    gained = measure.as_shares(a.scores) - measure.as_shares(b.scores)
    return measure.in_units(corrected_t(gained, n_train=judgement.n_train, n_validation=judgement.n_validation))


def standing_record(standing: Standing, judgement: Judgement) -> dict[str, Any]:
    """A plain dictionary for sweep.json."""
    scores = standing.scores
    there = scores[np.isfinite(scores)]
    mean = None
    if len(there):
        mean = judgement.measure.mean(there, n_train=judgement.n_train, n_validation=judgement.n_validation)
    known = [result for result in standing.results if result and result.n_parameters]
    return {
        "name": standing.name,
        "setting": standing.setting.as_dict(),
        "scores": [float(score) if np.isfinite(score) else None for score in scores],
        "mean": mean.value if mean else None,
        "sd": float(there.std(ddof=1)) if len(there) > 1 else None,
        "low": mean.low if mean else None,
        "high": mean.high if mean else None,
        "rank": standing.rank,
        "tied_with_best": standing.tied_with_best,
        "versus_best": standing.versus_best.as_dict() if standing.versus_best else None,
        "p_better": standing.p_better,
        "seconds": standing.seconds,
        "multiply_adds": round(np.mean([result.multiply_adds for result in known])) if known else 0,
        "n_parameters": known[0].n_parameters if known else 0,
        "n_trained": known[0].n_trained if known else 0,
        "n_in_vain": standing.n_in_vain,
        "n_diverged": standing.n_of("diverged"),
        "n_failed": standing.n_of("failed"),
    }
