"""The record of a sweep -> what each section of its page says, ready for the template."""

from collections import Counter
from dataclasses import dataclass
from math import floor, log10

from heldout.reporting.headline import ComparedRow
from heldout.reporting.results import ScoreRecord, noun_of
from heldout.reporting.rules import StyleRules
from heldout.reporting.sections import Fact
from heldout.reporting.sweep_measure import ToldMeasure
from heldout.reporting.sweep_results import DifferenceRecord, SettingRecord, Sweep, WinnerRecord, varied
from heldout.reporting.wording import (
    NOT_DEFINED,
    count,
    decimal,
    duration,
    interval_of,
    percent,
    power_of_ten,
    times,
    value_of,
    words_of,
)

# More trials without a score are no longer read one by one (assumed); the ledger has all.
MAX_LOST = 40
_LAST = 1e12  # sorts behind every score


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A line of the table of settings; `*_key` are what the column sorts by."""

    place: int
    name: str
    rank: str
    standing: str
    is_best: bool
    mean: str
    interval: str
    mean_key: float
    sd: str
    sd_key: float
    behind: str
    behind_interval: str
    behind_key: float
    seconds: str
    seconds_key: float
    multiply_adds: str
    multiply_adds_key: float
    lost: str
    lost_key: int


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two settings against each other: `said` tells whether the data tell them apart."""

    a: str
    b: str
    difference: str
    interval: str
    p: str
    said: str


@dataclass(frozen=True, slots=True)
class LostRow:
    """A trial without a score."""

    name: str
    seed: int
    outcome: str
    why: str


@dataclass(frozen=True, slots=True)
class WinnerWords:
    """What became of the best setting, in words.

    Attributes:
        name: The setting.
        run: The folder of its run.
        title: Which score of the held-out part; empty where none was opened.
        value: That score.
        interval: Its 95 % interval as a range.
        n: How many pictures it rests on, with the noun.
        validation: The mean score that it was chosen by, too good to be true.
        expected: That score less the expected optimism; empty where the optimism is not known.
        taken_off: The expected optimism, and which way it moves the score.
        optimism: Why the one is struck through, in a sentence.
        openings: How often the held-out part has been looked at.
        is_doubtful: Whether those words are a warning.
        rows: The scores on one scale.
    """

    name: str
    run: str
    title: str
    value: str
    interval: str
    n: str
    validation: str
    expected: str
    taken_off: str
    optimism: str
    openings: str
    is_doubtful: bool
    rows: tuple[ComparedRow, ...]


def metric_title(sweep: Sweep) -> str:
    """How the score that ranks is called within a sentence.

    Example:
        >>> from types import SimpleNamespace
        >>> metric_title(SimpleNamespace(metric="balanced_accuracy"))
        'balanced accuracy'
    """
    if sweep.metric == "mean_cost":
        return "cost of an answer"  # of which the mean is taken, as of other scores
    return words_of(sweep.metric).title.lower()


def setting_rows(sweep: Sweep) -> list[SettingRow]:
    """Every setting, best first; the reader chooses another order by a click."""
    n_of_rank = Counter(each["rank"] for each in sweep.settings)
    return [_setting_row(place, each, n_of_rank, sweep.measure) for place, each in enumerate(sweep.settings)]


def _setting_row(place: int, each: SettingRecord, n_of_rank: Counter[int | None], measure: ToldMeasure) -> SettingRow:
    is_ranked = each["rank"] is not None
    behind = each["versus_best"]
    n_lost = each["n_diverged"] + each["n_failed"]
    counts = ((each["n_diverged"], "diverged"), (each["n_failed"], "failed"))
    lost = [f"{n} {word}" for n, word in counts if n]
    return SettingRow(
        place=place,
        name=each["name"],
        rank=str(each["rank"]) if is_ranked else NOT_DEFINED,
        standing=" · ".join(filter(None, (_standing(place, each, n_of_rank, measure), _in_vain(each)))),
        is_best=is_ranked and (place == 0 or each["tied_with_best"]),
        mean=measure.value(each["mean"]),
        interval=measure.interval(each["low"], each["high"]) if each["low"] is not None else "",
        mean_key=each["mean"] if each["mean"] is not None else _LAST if measure.is_cost else -1.0,
        sd=measure.difference(each["sd"]).removeprefix("+"),
        sd_key=_key(each["sd"]),
        behind=measure.difference(behind["value"]).removeprefix("+") if behind else "",
        behind_interval=_bracket(behind, measure).replace("+", "") if behind else "",
        behind_key=behind["value"] if behind else (0.0 if place == 0 and is_ranked else _LAST),
        seconds=duration(each["seconds"]) if each["seconds"] is not None else NOT_DEFINED,
        seconds_key=_key(each["seconds"]),
        multiply_adds=power_of_ten(each["multiply_adds"]) if each["multiply_adds"] else NOT_DEFINED,
        multiply_adds_key=_key(each["multiply_adds"]),
        lost=f"{' · '.join(lost)} of {len(each['scores'])}" if lost else "",
        lost_key=n_lost,
    )


def _standing(place: int, each: SettingRecord, n_of_rank: Counter[int | None], measure: ToldMeasure) -> str:
    """What the rank is worth, in words."""
    if each["rank"] is None:
        n = sum(score is not None for score in each["scores"])
        return f"not ranked: {count(n, 'score')} of {len(each['scores'])}" if n else "no score"
    n_others = n_of_rank[each["rank"]] - 1
    if place == 0:
        return f"{measure.leads} mean, tied with {n_others}" if n_others else "best"
    if each["tied_with_best"]:
        return "tied with the best"
    return f"tied with {count(n_others, 'other')}" if n_others else ""


def _in_vain(each: SettingRecord) -> str:
    """How often no epoch was better than the start, whose score it then is."""
    return f"kept its start in {each['n_in_vain']} of {len(each['scores'])}" if each["n_in_vain"] else ""


def _key(value: float | None) -> float:
    return value if value is not None else -1.0


def _bracket(difference: DifferenceRecord, measure: ToldMeasure) -> str:
    return f"[{measure.difference(difference['low'])}, {measure.difference(difference['high'])}]"


def pair_rows(sweep: Sweep) -> list[PairRow]:
    """The best setting of each regime against each other."""
    rows = []
    for each in sweep.compared:
        difference = each["difference"]
        ahead = difference["low"] > 0
        behind = difference["high"] < 0
        rows.append(
            PairRow(
                a=each["a"],
                b=each["b"],
                difference=sweep.measure.difference(difference["value"]),
                interval=_bracket(difference, sweep.measure),
                p="< 0.001" if difference["p"] < 0.001 else f"{difference['p']:.3f}",
                said="the first is better" if ahead else "the second is better" if behind else "cannot be told apart",
            )
        )
    return rows


def tie_words(sweep: Sweep) -> str:
    """How many settings the data cannot tell from the best."""
    scored = [each for each in sweep.settings if each["mean"] is not None]
    if not scored:
        return "Not one setting has a score: every trial diverged or failed."
    if len(scored) == 1:
        return "Only one setting has a score, so there is nothing to rank it against."
    tied = sum(each["tied_with_best"] for each in scored[1:])
    if tied:
        return (
            f"{count(tied, 'setting')} cannot be told from the best by these seeds: "
            f"{'its' if tied == 1 else 'their'} order among each other and to the best may be chance."
        )
    return "The best is told from every other setting by these seeds."


def winner_words(sweep: Sweep, rules: StyleRules) -> WinnerWords | None:
    """What became of the best setting; None where there is no winner."""
    winner = sweep.winner
    if winner is None:
        return None
    test, metric = winner["test"], metric_title(sweep)
    openings, is_doubtful = _openings(winner, _noun(sweep))
    return WinnerWords(
        name=winner["name"],
        run=winner["run"],
        title=f"Test {words_of(test['name']).title.lower()}" if test else "",
        value=value_of(test) if test else "",
        interval=_range_of(test) if test else "",
        n=count(test["n"], _noun(sweep)) if test else "",
        validation=sweep.measure.value(winner["validation_mean"]),
        expected=sweep.measure.value(winner["expected"]) if sweep.optimism and winner["expected"] is not None else "",
        taken_off=sweep.measure.taken_off(sweep.optimism["value"]) if sweep.optimism else "",
        optimism=_optimism(sweep, winner, metric),
        openings=openings,
        is_doubtful=is_doubtful,
        rows=_winner_rows(sweep, winner, rules),
    )


def _noun(sweep: Sweep) -> str:
    return noun_of(sweep.content["data"])


def _range_of(score: ScoreRecord) -> str:
    if score["low"] is None or score["high"] is None:
        return "not defined"
    if not words_of(score["name"]).as_percent:
        return f"{decimal(score['low'])} to {decimal(score['high'])}"
    return f"{100 * score['low']:.1f} to {percent(score['high'])}"


def _optimism(sweep: Sweep, winner: WinnerRecord, metric: str) -> str:
    if len(sweep.settings) == 1:
        return (
            "Only one setting was tried, so none was chosen; but within each trial something was, on these same "
            f"{_noun(sweep)}s, which makes the mean validation {metric} a little too good."
        )
    if sweep.optimism is None or winner["expected"] is None:
        return (
            f"The mean validation {metric} chose this setting, so it is too good; by how much is not known here. "
            "Do not quote it."
        )
    optimism = sweep.optimism
    return (
        f"The best of {count(optimism['n_settings'], 'setting')} looks better than it is: by "
        f"{sweep.measure.amount_of(optimism['value'])}, as expected for scores like these "
        f"({optimism['method']}). Do not quote the struck-out number."
    )


def _openings(winner: WinnerRecord, noun: str) -> tuple[str, bool]:
    n = winner["test_openings"]
    if winner["test"] is None:
        return (
            f"No held-out test part was opened. All numbers here come from {noun}s that were used to choose: keep "
            "some apart and score them once before you rely on them."
        ), True
    if n <= 1:
        return "The held-out part has been opened once, for this one model, after the choice was made.", False
    return (
        f"The held-out part has been opened {times(n)}, this one included. Every look that leads to a change makes "
        f"its score a little too good; fresh {noun}s would settle it."
    ), True


def _winner_rows(sweep: Sweep, winner: WinnerRecord, rules: StyleRules) -> tuple[ComparedRow, ...]:
    rows, measure, most = [], sweep.measure, scale_of(sweep)
    if (test := winner["test"]) is not None:
        title = f"Test {words_of(test['name']).title.lower()}"
        bar = _bar(rules, most, test["low"], test["value"], test["high"])
        note = f"one model, {_noun(sweep)}s never used"
        rows.append(ComparedRow(title, note, value_of(test), interval_of(test), test["n"], bar, "leader"))
    name = metric_title(sweep)
    best = next((each for each in sweep.settings if each["name"] == winner["name"]), None)
    n_seeds = len(best["scores"]) if best else 0
    if sweep.optimism is not None and (expected := winner["expected"]) is not None:
        bar, note = _bar(rules, most, expected, expected, expected), "without the optimism"
        rows.append(ComparedRow(f"Expected {name}", note, measure.value(expected), "", 0, bar, "baseline"))
    low, high = (best["low"], best["high"]) if best else (None, None)
    mean = winner["validation_mean"]
    bar = _bar(rules, most, low if low is not None else mean, mean, high if high is not None else mean)
    interval = measure.interval(low, high) if low is not None else ""
    note = f"mean of {count(n_seeds, 'seed')}: used to choose" if n_seeds else "used to choose"
    rows.append(ComparedRow(f"Validation {name}", note, measure.value(mean), interval, 0, bar, "optimistic"))
    return tuple(rows)


def scale_of(sweep: Sweep) -> float:
    """Where the scale of the winner's scores ends: at 1, or at a round cost that holds them all."""
    winner = sweep.winner
    if winner is None or not sweep.measure.is_cost:
        return 1.0
    best = next((each for each in sweep.settings if each["name"] == winner["name"]), None)
    ends = [winner["validation_mean"], best["high"] if best else None]
    ends += [winner["test"]["value"], winner["test"]["high"]] if winner["test"] else []
    most = max((end for end in ends if end is not None), default=0.0) or sweep.measure.highest
    power = 10.0 ** floor(log10(most))
    return next(float(f"{step * power:.3g}") for step in (1, 2, 4, 5, 6, 8, 10) if step * power >= most * (1 - 1e-9))


def _bar(rules: StyleRules, most: float, low: float | None, value: float | None, high: float | None) -> str:
    """The bar of a score on a scale from 0 to `most`."""
    return rules.bar(*(None if each is None else each / most for each in (low, value, high)))


def lost_rows(sweep: Sweep) -> list[LostRow]:
    """The trials without a score, in the order of the ledger."""
    names = {
        (place["regime"], place["backbone"], place["learning_rate"], place["batch_size"]): each["name"]
        for each in sweep.settings
        for place in (each["setting"],)
    }
    return [
        LostRow(names.get(each.place, each.place[0]), each.seed, each.outcome, each.why)
        for each in sweep.trials
        if each.outcome != "finished"
    ]


def done_facts(sweep: Sweep) -> list[Fact]:
    """What was tried, on what, with what, and how long that took."""
    content, data = sweep.content, sweep.content["data"]
    parts = " · ".join(f"{data[f'n_{part}']:,} {part}" for part in ("train", "validation", "test"))
    ended = [
        f"{content[key]:,} {word}"
        for key, word in (("n_finished", "finished"), ("n_diverged", "diverged"), ("n_failed", "failed"))
        if content[key] or key == "n_finished"
    ]
    by_backbone, by_size = varied(sweep.settings)
    places = [each["setting"] for each in sweep.settings]
    backbones = sorted({place["backbone"] for place in places})
    sizes = sorted({size for place in places if (size := place["batch_size"]) is not None})
    return [
        Fact("Settings", f"{len(sweep.settings):,}"),
        Fact("Trials", f"{content['n_trials']:,} ({', '.join(ended)})"),
        Fact("Seeds", f"{content['n_seeds']:,}, each with its own fold, initial weights and order"),
        Fact("Folds", f"{content['n_folds']:,} of the {_noun(sweep)}s outside the test part"),
        *([Fact("Backbones" if by_backbone else "Backbone", ", ".join(backbones))] if any(backbones) else []),
        Fact("Batch sizes" if by_size else "Batch size", ", ".join(map(str, sizes)) or NOT_DEFINED),
        Fact(f"{_noun(sweep).capitalize()}s", f"{data['n']:,} ({parts})"),
        Fact("Classes", f"{len(data['classes']):,}"),
        Fact("Ranked by", f"mean validation {metric_title(sweep)}"),
        Fact("Engine", content["engine"]),
        Fact("Workers", f"{count(content['workers'], 'worker')} of {count(content['threads'], 'thread')} each"),
        Fact("Wall time", f"{duration(content['seconds'])} for {duration(content['trial_seconds'])} of trials"),
    ]


def version_facts(sweep: Sweep) -> list[Fact]:
    """The versions that the numbers hang on."""
    versions = sweep.content["versions"]
    return [Fact("Packages", ", ".join(f"{name} {version}" for name, version in versions.items()) or NOT_DEFINED)]
