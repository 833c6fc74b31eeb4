"""What the figures of a sweep show, in plain sentences: they stand under the figures and are their alt texts."""

from collections.abc import Sequence

from heldout.reporting.sweep_measure import SHARES, ToldMeasure
from heldout.reporting.sweep_results import SettingRecord, Sweep, regimes_of
from heldout.reporting.wording import count, duration, listing, power_of_ten

# More rates than this are told as a range.
_N_NAMED = 3


def told_rates(settings: Sequence[SettingRecord], measure: ToldMeasure = SHARES) -> str:
    """Which learning rate each regime did best at, and where trials have no score."""
    sentences = []
    for regime in regimes_of(settings):
        of_regime = [each for each in settings if each["setting"]["regime"] == regime]
        scored = [each for each in of_regime if each["mean"] is not None]
        if not scored:
            sentences.append(f"{_capital(regime)} has no score.")
            continue
        best = max(scored, key=lambda each: measure.goodness(each["mean"]))
        rate = best["setting"]["learning_rate"]
        where = "fitted to its optimum" if rate is None else f"at {rate:g}"
        interval = "" if best["low"] is None else f" {measure.interval(best['low'], best['high'])}"
        sentences.append(f"{_capital(regime)} is {measure.leads} {where}: {measure.value(best['mean'])}{interval}.")
    return " ".join([*sentences, _told_lost(settings)]).strip()


def told_cost(sweep: Sweep, cost: str) -> str:
    """What the best and the cheapest setting cost, and what they score."""
    key = "seconds" if cost == "time" else "multiply_adds"
    known = [(value, each) for each in sweep.settings if (value := _cost(each, key)) and each["mean"] is not None]
    n_without = sum(_cost(each, key) is None for each in sweep.settings)
    without = f" For {count(n_without, 'setting')} it is not known." if n_without else ""
    if not known:
        return f"No setting has both a score and a cost.{without}"
    words = duration if cost == "time" else power_of_ten
    measure = sweep.measure
    best_cost, best = max(known, key=lambda pair: measure.goodness(pair[1]["mean"]))
    cheapest_cost, cheapest = min(known, key=lambda pair: pair[0])
    leader = f"The {measure.leads} mean, {measure.value(best['mean'])}, is that of {best['name']}"
    highest = f"{leader}, at {words(best_cost)} a trial"
    if best is cheapest:
        return f"{highest}, which is also the cheapest.{without}"
    return (
        f"{highest}; the cheapest, {cheapest['name']}, reaches {measure.value(cheapest['mean'])} at "
        f"{words(cheapest_cost)}.{without}"
    )


def _cost(setting: SettingRecord, key: str) -> float | None:
    value = setting["seconds"] if key == "seconds" else setting["multiply_adds"]
    return value if value is not None and value > 0 else None


def _told_lost(settings: Sequence[SettingRecord]) -> str:
    """How many trials of each regime have no score, and at which rates."""
    sentences = []
    for key, said in (("n_diverged", "diverged"), ("n_failed", "failed")):
        parts, total = [], 0
        for regime in regimes_of(settings):
            of_regime = [each for each in settings if each["setting"]["regime"] == regime and _n_of(each, key)]
            if of_regime:
                n = sum(_n_of(each, key) for each in of_regime)
                total += n
                parts.append(f"{n} of {regime}{_told_places(of_regime)}")
        if parts:
            sentences.append(f"{count(total, 'trial')} {said}: {listing(parts)}.")
    return " ".join(sentences)


def _n_of(setting: SettingRecord, key: str) -> int:
    return setting["n_diverged"] if key == "n_diverged" else setting["n_failed"]


def _told_places(settings: Sequence[SettingRecord]) -> str:
    rates = sorted({rate for each in settings if (rate := each["setting"]["learning_rate"]) is not None})
    if not rates:
        return ""
    if len(rates) <= _N_NAMED:
        return f" at {listing([f'{rate:g}' for rate in rates])}"
    return f" at {len(rates)} rates from {rates[0]:g} to {rates[-1]:g}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
