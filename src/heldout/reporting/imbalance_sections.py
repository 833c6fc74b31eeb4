"""Decision, curves, coverage and sets of a run -> what their sections say, ready for the templates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from typing import Any

from heldout.reporting.headline import find_score
from heldout.reporting.results import Results, ScoreRecord
from heldout.reporting.rules import StyleRules
from heldout.reporting.wording import bracket, decimal, interval_of, listing, percent, value_of, words_of

# Of more classes the rarest are shown: they are what a decision is about.
N_CLASSES_BESIDE = 10
N_COVERAGE_ROWS = 6
_HELPED = {
    "weights": "weighted in the loss by the inverse of their number",
    "balanced-batch": "as many of each class in every batch",
    "focal": "focal loss, γ = {gamma:g}",
}


@dataclass(frozen=True, slots=True)
class BesideRow:
    """A score as decided, and as the likeliest class would have it; the latter is empty where it is the same."""

    title: str
    n: int
    decided: str
    decided_interval: str
    decided_bar: str
    likeliest: str
    likeliest_interval: str


@dataclass(frozen=True, slots=True)
class RankedRow:
    """A class against all others, by the order of its probability alone."""

    name: str
    n: int
    precision: str
    precision_interval: str
    prevalence: str
    bar: str
    area: str
    area_interval: str


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """How many are answered above a confidence, and how many of those are right."""

    confidence: str
    share: str
    accuracy: str
    interval: str
    bar: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class SetRow:
    """How often a set of answers held the true class, and how large it had to be."""

    name: str
    asked: str
    got: str
    interval: str
    n: int
    bar: str
    verdict: str
    sizes: str


@dataclass(frozen=True, slots=True)
class DecisionView:
    """What the section on the decision says."""

    facts: tuple[tuple[str, str], ...]
    costs: tuple[tuple[str, ...], ...]
    has_curve: bool
    rows: tuple[BesideRow, ...]
    is_beside: bool


@dataclass(frozen=True, slots=True)
class ImbalanceView:
    """What the sections on imbalance say; an empty part is left out of the page.

    `shown` says which classes are shown, where not all are.
    """

    decision: DecisionView | None
    ranked: tuple[RankedRow, ...]
    coverage: tuple[CoverageRow, ...]
    coverage_words: str
    sets: tuple[SetRow, ...]
    shown: str


def imbalance_of(results: Results, rules: StyleRules) -> ImbalanceView:
    """All of it; every part is empty for a run that has none."""
    record = results.imbalance or {}
    coverage = record.get("coverage") or {}
    n = len(results.classes)
    return ImbalanceView(
        decision=_decision(results, record, rules) if _is_told(record.get("decision")) else None,
        ranked=_ranked(record, rules),
        coverage=_coverage(coverage, rules),
        coverage_words=_coverage_words(coverage, results),
        sets=_sets(results, record.get("conformal") or (), rules),
        shown=f"Of the {n:,} classes the {N_CLASSES_BESIDE} rarest are shown." if n > N_CLASSES_BESIDE else "",
    )


def told_here(results: Results, name: str) -> str:
    """What a score's meaning needs of this run: what guessing scores, or what an example counts; often nothing."""
    guessing = results.leading.get("average_precision_baseline")
    if name == "average_precision" and guessing is not None:
        return f" Here that is {percent(guessing)}."
    record = results.imbalance or {}
    if name == "weighted_accuracy" and record.get("positive_weight"):
        return f" Here one of {record['decision']['positive']} counts {record['positive_weight']:g} times."
    return ""


def helped_words(results: Results) -> str:
    """How rare classes were helped in training, and that the probabilities know; empty where they were not."""
    record = results.imbalance or {}
    if (how := record.get("imbalance") or "none") not in _HELPED:
        return ""
    told = _HELPED[how].format(gamma=record.get("focal_gamma") or 0.0)
    return f"{told}; probabilities are moved back to what the classes' true shares ask for"


def _is_told(decision: Mapping[str, Any] | None) -> bool:
    """Whether there is more to say than that the likeliest class is answered."""
    return bool(decision and (decision["rule"] != "likeliest" or decision.get("curve")))


def _decision(results: Results, record: Mapping[str, Any], rules: StyleRules) -> DecisionView:
    decision = record["decision"]
    facts = [("Decided for", decision["words"])]
    if decision["metric"]:
        facts.append(("Chosen on validation by", words_of(decision["metric"]).title))
    elif decision["rule"] != "likeliest":
        facts.append(("Chosen on validation by", "nothing: it was stated"))
    costs: tuple[tuple[str, ...], ...] = ()
    if decision["rule"] == "costs" and len(results.classes) <= N_CLASSES_BESIDE:
        costs = tuple(
            (name, *(f"{cost:g}" for cost in row)) for name, row in zip(results.classes, decision["costs"], strict=True)
        )
    rows = _beside(results, record.get("at_likeliest"), rules)
    return DecisionView(
        facts=tuple(facts),
        costs=costs,
        has_curve=bool(decision.get("curve")),
        rows=rows,
        is_beside=bool(record.get("at_likeliest")),
    )


def _beside(results: Results, other: Mapping[str, Any] | None, rules: StyleRules) -> tuple[BesideRow, ...]:
    """The scores that a decision can move, then the recall of the rarest classes."""
    leading = results.leading
    rows = []
    for name in ("balanced_accuracy", "macro_f1", "mcc", "weighted_accuracy", "mean_cost", "accuracy"):
        score = find_score(leading, name)
        if score is not None:
            at_likeliest = next((each for each in (other or {}).get("scores", ()) if each["name"] == name), None)
            rows.append(_beside_row(words_of(name).title, score, at_likeliest, rules))
    before = {line["name"]: line["recall"] for line in (other or {}).get("per_class", ())}
    for line in _rarest(leading["per_class"]):
        rows.append(_beside_row(f"Recall of {line['name']}", line["recall"], before.get(line["name"]), rules))
    return tuple(rows)


def _rarest(lines: Sequence[Any]) -> list[Any]:
    """The lines of the rarest classes that have an example, the rarest first."""
    return sorted((line for line in lines if line["n"]), key=lambda line: line["n"])[:N_CLASSES_BESIDE]


def _beside_row(title: str, score: ScoreRecord, other: ScoreRecord | None, rules: StyleRules) -> BesideRow:
    is_share = score["name"] == "recall" or words_of(score["name"]).as_percent
    shown, interval = (
        (percent(score["value"]), bracket(score["low"], score["high"]))
        if is_share
        else (value_of(score), interval_of(score))
    )
    before, before_interval = "", ""
    if other is not None:
        before = percent(other["value"]) if is_share else value_of(other)
        before_interval = bracket(other["low"], other["high"], as_percent=is_share)
    return BesideRow(
        title=title,
        n=score["n"],
        decided=shown,
        decided_interval=interval,
        decided_bar=rules.bar(score["low"], score["value"], score["high"]) if is_share else "",
        likeliest=before,
        likeliest_interval=before_interval,
    )


def _ranked(record: Mapping[str, Any], rules: StyleRules) -> tuple[RankedRow, ...]:
    rows = []
    for each in (record.get("curves") or {}).get("classes") or ():
        precision, area = each["average_precision"], each["roc_auc"]
        rows.append(
            RankedRow(
                name=each["name"],
                n=precision["n"],
                precision=percent(precision["value"]),
                precision_interval=bracket(precision["low"], precision["high"]),
                prevalence=percent(each["prevalence"]),
                bar=rules.bar(precision["low"], precision["value"], precision["high"]),
                area=decimal(area["value"]),
                area_interval=bracket(area["low"], area["high"], as_percent=False),
            )
        )
    return tuple(rows)


def _coverage(coverage: Mapping[str, Any], rules: StyleRules) -> tuple[CoverageRow, ...]:
    """A few points of the curve, evenly apart, and the chosen one."""
    points: Sequence[Mapping[str, Any]] = coverage.get("points") or ()
    shown = [
        min(points, key=lambda each: abs(each["coverage"] - wanted)) for wanted in (1.0, 0.95, 0.9, 0.8, 0.5) if points
    ]
    chosen = coverage.get("chosen")
    every = {each["coverage"]: (each, False) for each in shown}
    if chosen:
        every[chosen["coverage"]] = (chosen, True)
    rows = [every[share] for share in sorted(every, reverse=True)]
    return tuple(
        CoverageRow(
            confidence=percent(each["confidence"]),
            share=percent(each["coverage"]),
            accuracy=percent(each["accuracy"]),
            interval=bracket(each["low"], each["high"]),
            bar=rules.bar(each["low"], each["accuracy"], each["high"]),
            is_chosen=is_chosen,
        )
        for each, is_chosen in rows
    )


def _coverage_words(coverage: Mapping[str, Any], results: Results) -> str:
    chosen = coverage.get("chosen")
    if not chosen:
        return ""
    part, things = results.answers.part, f"{results.noun}s"
    wished = f", to be right in {percent(chosen['wished_accuracy'])} there" if "wished_accuracy" in chosen else ""
    rule = (results.imbalance or {}).get("decision", {}).get("rule", "likeliest")
    first = (
        ""
        if rule == "likeliest"
        else "Confidence is here how cheap the answer is beside the next best: 50 % is a toss-up. "
    )
    first += (
        f"On validation a confidence of {percent(chosen['confidence'])} was chosen{wished}. Below it the model would "
        "say “not sure”"
    )
    if chosen["accuracy"] is None:
        return f"{first}; on {part} it answers none of the {things}."
    return (
        f"{first}: of the {part} {things} it then answers {percent(chosen['coverage'])}, and is right in "
        f"{percent(chosen['accuracy'])} {bracket(chosen['low'], chosen['high'])} of them (n = {chosen['n']:,})."
    )


def _sets(results: Results, conformal: Sequence[Mapping[str, Any]], rules: StyleRules) -> tuple[SetRow, ...]:
    n_of = dict(zip(results.classes, results.data["counts"]["validation"], strict=True))
    rows = []
    for each in conformal:
        asked, by_class = 1 - each["alpha"], each.get("by_class")
        n_all = sum(n_of.values())
        rows.append(_set_row("all", asked, each["coverage"], rules, n_sized_on=n_all, sizes=_set_words(each)))
        for line in _rarest(each.get("per_class") or ()):
            # What is promised to all examples together is not promised to one class.
            n_sized_on = n_of[line["name"]] if by_class else 0
            rows.append(_set_row(line["name"], asked, line["coverage"], rules, n_sized_on=n_sized_on))
    return tuple(rows)


def _set_words(each: Mapping[str, Any]) -> str:
    """How large the sets are.

    Example:
        >>> _set_words({"mean_size": 1.1, "sizes": [[0, 2], [1, 85], [2, 13]], "by_class": True})
        '1.10 classes on average: 2 sets of none, 85 of 1 and 13 of 2; sized for each class by itself'
    """
    told = [f"{n:,} of {size or 'none'}" for size, n in each["sizes"][:4]]
    if len(each["sizes"]) > 4:
        told.append(f"{sum(n for _, n in each['sizes'][4:]):,} of more")
    first = told[0].replace(" of", " sets of", 1) if each["sizes"][0][1] != 1 else told[0].replace(" of", " set of", 1)
    by_class = "; sized for each class by itself" if each.get("by_class") else ""
    return f"{each['mean_size']:.2f} classes on average: {listing([first, *told[1:]])}{by_class}"


def _set_row(
    name: str, asked: float, score: ScoreRecord, rules: StyleRules, *, n_sized_on: int, sizes: str = ""
) -> SetRow:
    low, value, high = score["low"], score["value"], score["high"]
    verdict = ""
    if low is not None and high is not None and value is not None:
        # Other validation examples would have made other sets: their coverage scatters by this standard deviation.
        scatter = 1.96 * sqrt(asked * (1 - asked) / n_sized_on) if n_sized_on else 0.0
        least, most = value - hypot(value - low, scatter), value + hypot(high - value, scatter)
        is_below, is_above = most < asked, least > asked
        verdict = (
            "below what was asked" if is_below else "above what was asked" if is_above else "as asked, within chance"
        )
    return SetRow(
        name=name,
        asked=percent(asked),
        got=percent(value),
        interval=bracket(low, high),
        n=score["n"],
        bar=rules.bar(low, value, high),
        verdict=verdict,
        sizes=sizes,
    )
