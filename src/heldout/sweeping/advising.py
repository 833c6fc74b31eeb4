"""A judgement -> one plain recommendation with its evidence, and the Findings that weaken it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from heldout.findings import MAX_NAMED, Finding
from heldout.measuring.comparison import Difference
from heldout.sweeping.choosing import Judgement, Standing, compare_regimes
from heldout.sweeping.ledger import TrialResult

# Fewer seeds than this say little about a recipe (Bouthillier et al., 2021, as the field has taken it up).
ENOUGH_SEEDS = 5
_SEEDS_SOURCE = 'Bouthillier et al., "Accounting for Variance in Machine Learning Benchmarks", 2021'


@dataclass(frozen=True, slots=True)
class Recommendation:
    """What to do, in words.

    Attributes:
        name: Of the setting.
        text: One sentence or two.
        evidence: A sentence each.
    """

    name: str
    text: str
    evidence: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {"name": self.name, "text": self.text, "evidence": list(self.evidence)}


def recommend(judgement: Judgement) -> Recommendation | None:
    """The setting to take, and why; None where no setting has a score for every seed."""
    best = judgement.best
    if best is None:
        return None
    tied = [one for one in judgement.standings if one.tied_with_best and one is not best]
    cheapest = min([best, *tied], key=lambda one: one.seconds)
    text = f"Take {best.name}."
    if cheapest is not best and cheapest.seconds < best.seconds / 1.2 and cheapest.versus_best is not None:
        text = (
            f"{_capital(best.name)} leads, but the data cannot tell it from {cheapest.name}, which takes "
            f"{_ratio(cheapest.seconds, best.seconds)} of the time: where time matters, take that."
        )
    elif tied:
        text = (
            f"Take {best.name}; the data cannot tell it from {_some([one.name for one in tied])}, none of which "
            "takes clearly less time."
        )
    return Recommendation(best.name, text, tuple(_evidence(best, cheapest, judgement)))


def _evidence(best: Standing, cheapest: Standing, judgement: Judgement) -> Iterator[str]:
    pairs = [pair for pair in compare_regimes(judgement) if pair[0] is best]
    if cheapest.versus_best is not None and cheapest not in [worse for _, worse, _ in pairs]:
        verb = "against" if judgement.measure.is_cost else "minus"
        yield f"{_capital(best.name)} {verb} {cheapest.name}: {_gain(cheapest.versus_best, judgement)}."
    for _, worse, by_itself in pairs:
        difference = worse.versus_best or by_itself  # as the ranking has it, which allows for how many are compared
        verb = "cannot be told from" if worse.tied_with_best else "beats"
        time = _times(best.seconds, worse.seconds)
        yield f"{_capital(best.name)} {verb} {worse.name}: {_gain(difference, judgement)}; it takes {time}."
    others = [one.versus_best for one in judgement.standings if one.versus_best is not None and one.tied_with_best]
    if any(one.low > 0 for one in others):
        n = sum(one.versus_best is not None for one in judgement.standings)
        yield f"p allows for {n} comparisons with the best (Holm), each interval for its own pair alone."
    if judgement.optimism is not None:
        value = judgement.optimism.value
        better = f"{value:.3g} cheaper" if judgement.measure.is_cost else f"{100 * value:.1f} points better"
        n_settings = judgement.optimism.n_settings
        yield f"The best of {n_settings} settings is expected to look {better} on validation than it is."


def find_doubts(judgement: Judgement, results: Sequence[TrialResult], *, n_seeds: int) -> list[Finding]:
    """What weakens the ranking."""
    return [
        *_about_ends(judgement, results, n_seeds),
        *_about_edge(judgement),
        *_about_noise(judgement),
        *_about_seeds(n_seeds),
        *_about_learning(judgement),
        *_about_weights(judgement),
    ]


def _about_ends(judgement: Judgement, results: Sequence[TrialResult], n_seeds: int) -> Iterator[Finding]:
    failed = [result for result in results if result.outcome == "failed"]
    if failed:
        yield Finding(
            code="trials-failed",
            severity="warning",
            what=f"{len(failed):,} of {len(results):,} trials gave no result; the first: {failed[0].why}",
            why="Their settings are not ranked, so a better one than the winner may be among them.",
            fix="Mend the cause and run the same command again: only these trials are done.",
            where=_names(judgement, "failed"),
        )
    diverged = [result for result in results if result.outcome == "diverged"]
    if diverged:
        yield Finding(
            code="trials-diverged",
            severity="note",
            what=f"the loss of {len(diverged):,} of {len(results):,} trials became no number",
            why="That is a result: these settings cannot be trained so. They are not ranked, not even by the seeds "
            "that went well, which would flatter them.",
            fix="Nothing, unless the winner is beside them: then try rates in between.",
            where=_names(judgement, "diverged"),
        )
    if judgement.best is None:
        yield Finding(
            code="nothing-to-choose",
            severity="error",
            what="no setting has a score for every seed",
            why="Without one there is nothing to choose from, and the held-out part stays sealed.",
            fix="Lower the learning rates, or mend what made the trials fail.",
        )


def _about_edge(judgement: Judgement) -> Iterator[Finding]:
    """The best rate is the lowest or highest that was tried for its regime."""
    best = judgement.best
    if best is None or best.setting.learning_rate is None:
        return
    tried = sorted(
        one.setting.learning_rate
        for one in judgement.standings
        if one.setting.learning_rate is not None and one.setting.kind == best.setting.kind
    )
    rate = best.setting.learning_rate
    if tried[0] == tried[-1] or tried[0] < rate < tried[-1]:
        return
    end, beyond = ("lowest", rate / 10) if rate == tried[0] else ("highest", rate * 10)
    yield Finding(
        code="winner-at-the-edge",
        severity="warning",
        what=f"the winner's learning rate, {rate:g}, is the {end} that was tried for {best.setting.regime!r}",
        why="The best rate may lie beyond: this regime is judged by less than it can do, and so is every comparison "
        "with it.",
        fix=f"Add {beyond:g} to --learning-rates and run again: trials that were done are not done again.",
        where=(best.name,),
    )


def _about_noise(judgement: Judgement) -> Iterator[Finding]:
    best = judgement.best
    tied = [one.name for one in judgement.standings if one.tied_with_best and one is not best]
    if best is None or not tied:
        return
    yield Finding(
        code="winner-within-the-noise",
        severity="note",
        what=f"the data cannot tell the winner, {best.name}, from {len(tied):,} of {len(judgement.standings) - 1:,} "
        f"other settings: {_some(tied)}",
        why="Another draw of folds and seeds may well put one of them first: the order among them says nothing.",
        fix="Choose among them by the time they take, or raise --seeds.",
        where=tuple(tied[:MAX_NAMED]),
        source='Nadeau and Bengio, "Inference for the Generalization Error", 2003',
    )


def _about_seeds(n_seeds: int) -> Iterator[Finding]:
    if n_seeds >= ENOUGH_SEEDS:
        return
    few = "one seed is one draw" if n_seeds == 1 else f"{n_seeds} seeds are few draws"
    yield Finding(
        code="few-seeds",
        severity="warning" if n_seeds == 1 else "note",
        what=f"{few} of split, initial weights and order",
        why="How much a score scatters cannot be told from so few, so that hardly any difference can be shown.",
        fix=f"Use --seeds {ENOUGH_SEEDS}.",
        source=_SEEDS_SOURCE,
    )


def _about_learning(judgement: Judgement) -> Iterator[Finding]:
    """Settings whose training never made anything better."""
    vain = [one for one in judgement.standings if one.rank is not None and one.n_in_vain == len(one.results)]
    if not vain:
        return
    yield Finding(
        code="trained-in-vain",
        severity="warning" if judgement.best in vain else "note",
        what=f"no epoch of any trial of {_some([one.name for one in vain])} was better than what it began with",
        why="The weights that were kept, and the score, are those from before the training: for partial and full the "
        "fitted head's, which is the regime frozen under another name.",
        fix="Read these scores as those of the start; try other learning rates.",
        where=tuple(one.name for one in vain)[:MAX_NAMED],
    )


def _about_weights(judgement: Judgement) -> Iterator[Finding]:
    """Trials that ought to differ and are equal, or the reverse, by the fingerprints of all their tensors."""
    finished = [
        (one, result)
        for one in judgement.standings
        for result in one.results
        if result and result.outcome == "finished"
    ]
    yield from _about_equal_ends(finished)
    yield from _about_unequal_starts(finished)


_Trial = tuple[Standing, TrialResult]


def _about_equal_ends(finished: Sequence[_Trial]) -> Iterator[Finding]:
    seen: dict[str, _Trial] = {}
    kept: list[tuple[_Trial, _Trial]] = []
    cut: list[tuple[_Trial, _Trial]] = []
    wrong: list[tuple[_Trial, _Trial]] = []
    for one, result in finished:
        before = seen.setdefault(result.final, (one, result))
        if before[1] is result:
            continue
        if result.best_epoch == before[1].best_epoch == 0:
            kept.append((before, (one, result)))
        elif replace(one.setting, batch_size=None) == replace(before[0].setting, batch_size=None):
            cut.append((before, (one, result)))
        else:
            wrong.append((before, (one, result)))
    if wrong:
        yield Finding(
            code="equal-weights",
            severity="error",
            what=_told_equal(wrong),
            why="They ought to differ: what was meant to vary between them did not.",
            fix="Report it as a fault of heldout, with ledger.jsonl.",
            where=_settings_of(wrong),
        )
    if cut:
        yield Finding(
            code="equal-batches",
            severity="note",
            what=_told_equal(cut),
            why="So few examples make the same batches of both sizes, which are therefore one setting.",
            fix="Leave one of the batch sizes out.",
            where=_settings_of(cut),
        )
    if kept:
        yield Finding(
            code="equal-starts-kept",
            severity="note",
            what=_told_equal(kept),
            why="No epoch of theirs was better than the fitted head that they began with, so that is what was kept: "
            "they are one model, not several.",
            fix="Try other learning rates for them; as they are, prefer the frozen backbone, which costs less.",
            where=_settings_of(kept),
        )


def _told_equal(pairs: Sequence[tuple[_Trial, _Trial]]) -> str:
    (first, a), (second, b) = pairs[0]
    return (
        f"{len(pairs):,} trials ended with the weights of another, bit for bit; the first: {second.name} with seed "
        f"{b.seed} and {first.name} with seed {a.seed}"
    )


def _settings_of(pairs: Sequence[tuple[_Trial, _Trial]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.name for pair in pairs for one, _ in pair))[:MAX_NAMED]


def _about_unequal_starts(finished: Sequence[_Trial]) -> Iterator[Finding]:
    """The same regime, network and seed begin with the same weights, and with another seed with others."""
    starts: dict[tuple[str, str, bool, int], dict[str, str]] = {}
    for one, result in finished:
        kind = (one.setting.regime, one.setting.backbone, one.setting.learning_rate is None, result.seed)
        starts.setdefault(kind, {}).setdefault(result.initial, one.name)
    differing = [tuple(names.values()) for names in starts.values() if len(names) > 1]
    if differing:
        yield Finding(
            code="unequal-starts",
            severity="error",
            what=f"trials that ought to begin with the same weights do not, such as {' and '.join(differing[0][:2])}",
            why="Their difference is then not that of what was meant to vary.",
            fix="Report it as a fault of heldout, with ledger.jsonl.",
            where=tuple(dict.fromkeys(name for names in differing for name in names))[:MAX_NAMED],
        )
    seeds: dict[tuple[str, str, str], set[int]] = {}
    for one, result in finished:
        if one.setting.learning_rate is not None:  # a fitted head begins at zero, whatever the seed
            key = (one.setting.regime, one.setting.backbone, result.initial)
            seeds.setdefault(key, set()).add(result.seed)
    if shared := [key for key, own in seeds.items() if len(own) > 1]:
        yield Finding(
            code="equal-starts",
            severity="error",
            what=f"trials of {shared[0][0]!r} with different seeds began with the same weights",
            why="The seeds then vary less than they ought to, and the spread comes out too small.",
            fix="Report it as a fault of heldout, with ledger.jsonl.",
            where=tuple(dict.fromkeys(key[0] for key in shared)),
        )


def _names(judgement: Judgement, outcome: str) -> tuple[str, ...]:
    return tuple(one.name for one in judgement.standings if one.n_of(outcome))[:MAX_NAMED]


def _gain(difference: Difference, judgement: Judgement) -> str:
    """By how much the best is better: in points, or by what it saves."""
    if judgement.measure.is_cost:
        value, low, high = (round(each, 9) for each in (difference.value, difference.low, difference.high))
        return f"saves {value:.3g} an answer [{low:.3g}, {high:.3g}], p = {difference.p:.2g}"
    low, high = 100 * difference.low, 100 * difference.high
    return f"{100 * difference.value:+.1f} points [{low:.1f}, {high:.1f}], p = {difference.p:.2g}"


def _times(a: float, b: float) -> str:
    if b <= 0 or a <= 0:
        return "an unknown time"
    if 1 / 1.2 < a / b < 1.2:
        return "about the same time"
    return f"{_rounded(a / b)} times the time" if a > b else f"{_ratio(a, b)} of the time"


def _ratio(a: float, b: float) -> str:
    return f"1/{_rounded(b / a)}" if a and b / a >= 2 else f"{a / b:.0%}"


def _rounded(ratio: float) -> str:
    """To two digits, as far as they stand behind the point.

    Example:
        >>> _rounded(1.44), _rounded(14.4), _rounded(144.4)
        ('1.4', '14', '144')
    """
    return f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:,.0f}"


def _some(names: Sequence[str], n_shown: int = 3) -> str:
    shown = "; ".join(names[:n_shown])
    return shown + (f"; and {len(names) - n_shown:,} more" if len(names) > n_shown else "")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
