"""The top of the page: the one number, how sure it is, and what it must be read beside."""

from dataclasses import dataclass

from heldout.reporting.results import Results, ScoreRecord, SummaryRecord
from heldout.reporting.rules import StyleRules
from heldout.reporting.wording import bracket, count, interval_of, is_number, percent, times, value_of, words_of


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One line of the comparison under the headline: `bar` is the style class of its interval."""

    label: str
    note: str
    value: str
    interval: str
    n: int
    bar: str
    kind: str


@dataclass(frozen=True, slots=True)
class Headline:
    """The headline in words.

    Attributes:
        title: Which score of which part.
        value: The score.
        interval: Its 95 % interval as a range.
        n: How many examples it rests on, with the noun.
        meaning: One plain sentence of what the number says.
        verdict: How it stands to the baselines.
        openings: How often the held-out part has been looked at, and what that does to the number.
        is_test: Whether the number comes from the held-out test part.
        rows: The score, the validation score and the baselines on one scale.
    """

    title: str
    value: str
    interval: str
    n: str
    meaning: str
    verdict: str
    openings: str
    is_test: bool
    rows: tuple[ComparedRow, ...]


def headline_of(results: Results, rules: StyleRules) -> Headline:
    """What the top of the page says."""
    leading = results.leading
    leader = leading["scores"][0]
    title = words_of(leader["name"]).title
    return Headline(
        title=f"Test {_lower(title)}" if results.test else f"Validation {_lower(title)}",
        value=value_of(leader),
        interval=_range_of(leader),
        n=count(leader["n"], results.noun),
        meaning=_meaning(results, leader),
        verdict=_verdict(results, leading),
        openings=_openings(results),
        is_test=results.test is not None,
        rows=_rows(results, leader, rules),
    )


def find_score(summary: SummaryRecord, name: str) -> ScoreRecord | None:
    """The score of that name; None where the summary has none."""
    return next((score for score in summary["scores"] if score["name"] == name), None)


def _lower(title: str) -> str:
    return title[0].lower() + title[1:]


def _range_of(score: ScoreRecord) -> str:
    low, high = score["low"], score["high"]
    if low is None or high is None:
        return "not defined"
    if words_of(score["name"]).as_percent:
        return f"{100 * low:.1f} to {percent(high)}"
    return f"{low:.3f} to {high:.3f}"


def _meaning(results: Results, leader: ScoreRecord) -> str:
    leading = results.leading
    n_right = sum(row[index] for index, row in enumerate(leading["confusion"]))
    n, things = leading["n"], f"{results.noun}s"
    right = f"all {n:,}" if n_right == n else f"{n_right:,} of {n:,}"
    if results.test is None:
        return (
            f"The model named {right} {things} right, but it was chosen on these same {things}. The interval covers "
            "chance alone, not the choosing."
        )
    first = f"The model named {right} {things} right; neither training nor choosing had seen them."
    measured = words_of(leader["name"]).title.lower()
    likely = (
        f"On ever more {things} like these its {measured} would settle, with 95\u202f% confidence, "
        f"between {_range_of(leader).replace(' to ', ' and ')}."
    )
    if leader["name"] == "balanced_accuracy":
        return (
            f"{first} The classes are of very unequal size, so the mean of their recalls leads, where "
            f"always giving one answer reaches {percent(1 / len(results.classes))}. {likely}"
        )
    return f"{first} {likely}"


def _verdict(results: Results, leading: SummaryRecord) -> str:
    """How the score stands to what anyone could have had for nothing."""
    if leading["scores"][0]["name"] == "balanced_accuracy":
        return f"{_balanced_verdict(leading)} {_accuracy_verdict(results, leading)}".strip()
    return _accuracy_verdict(results, leading)


def _balanced_verdict(leading: SummaryRecord) -> str:
    """Balanced accuracy beside that of always giving one answer, which is known exactly."""
    score = leading["scores"][0]
    value, low = score["value"], score["low"]
    n_present = sum(line["n"] > 0 for line in leading["per_class"])
    if value is None or low is None or n_present == 0:
        return ""
    nothing = f"the {percent(1 / n_present)} of always giving one answer"
    if value <= 1 / n_present:
        return f"Its balanced accuracy is not above {nothing}."
    if low <= 1 / n_present:
        return f"Its balanced accuracy is above {nothing}, but its interval holds that too: it may be chance."
    return f"Its balanced accuracy is clear of {nothing}."


def _accuracy_verdict(results: Results, leading: SummaryRecord) -> str:
    accuracy = find_score(leading, "accuracy")
    known = [(words_of(key).title, score) for key, score in results.baselines.items() if is_number(score["value"])]
    if accuracy is None or not known:
        return ""
    name, best = max(known, key=lambda entry: entry[1]["value"] or 0.0)
    value, low, best_value, best_high = accuracy["value"], accuracy["low"], best["value"], best["high"]
    if value is None or low is None or best_value is None or best_high is None:
        return ""
    shown = f"the {_lower(name)} baseline at {percent(best_value)}"
    subject = "Its accuracy" if leading["scores"][0]["name"] == "accuracy" else f"Its accuracy, {percent(value)},"
    if value <= best_value and _is_moved(results):
        return f"{subject} is not above {shown}: the decision gives some up to find the rarer classes."
    if value <= best_value:
        return f"{subject} is not above {shown}: what the model adds is not shown by these {results.noun}s."
    if low <= best_high:
        return (
            f"{subject} is above {shown}, but the two intervals overlap: on {count(accuracy['n'], results.noun)} "
            "the difference may be chance."
        )
    return f"{subject} is clear of {shown}: the two intervals do not touch."


def _is_moved(results: Results) -> bool:
    """Whether something else is answered than the likeliest class."""
    return bool((results.imbalance or {}).get("at_likeliest"))


def _openings(results: Results) -> str:
    if results.test is None:
        return (
            "No held-out test part was opened. This is a validation score: it was used to choose, so it is "
            f"optimistic. Keep some {results.noun}s apart and score them once before you rely on it."
        )
    n = int(results.data["test_openings"])
    if n <= 1:
        return "This held-out part has been opened once, by this run, after every choice was made."
    return (
        f"This held-out part has been opened {times(n)}, this run included. Every look that leads to a change "
        f"makes its score a little too good; fresh {results.noun}s would settle it."
    )


def _rows(results: Results, leader: ScoreRecord, rules: StyleRules) -> tuple[ComparedRow, ...]:
    part = "Test" if results.test else "Validation"
    rows = [_row(f"{part} {_lower(words_of(leader['name']).title)}", "", leader, "leader", rules)]
    if _is_moved(results):
        rows.extend(_at_likeliest(results, leader, f"{part} {_lower(words_of(leader['name']).title)}", rules))
    accuracy = find_score(results.leading, "accuracy")
    if accuracy is not None and accuracy["name"] != leader["name"]:
        rows.append(_row(f"{part} accuracy", "", accuracy, "leader", rules))
    if results.test is not None and results.without_leaks is not None:
        clean = find_score(results.without_leaks, leader["name"])
        if clean is not None:
            n_leaked = results.test["n"] - results.without_leaks["n"]
            have = "has" if n_leaked == 1 else "have"
            note = f"without the {count(n_leaked, results.noun)} that {have} a copy in training"
            rows.append(_row(f"Test {_lower(words_of(leader['name']).title)}", note, clean, "leader", rules))
    if results.test is not None and (chosen_on := find_score(results.validation, leader["name"])):
        title = f"Validation {_lower(words_of(leader['name']).title)}"
        rows.append(_row(title, "optimistic: used to choose", chosen_on, "optimistic", rules))
    for key in ("nearest_centroid", "majority"):
        if key in results.baselines:
            rows.append(_row(words_of(key).title, "baseline, accuracy", results.baselines[key], "baseline", rules))
    return tuple(rows)


def _at_likeliest(results: Results, leader: ScoreRecord, label: str, rules: StyleRules) -> list[ComparedRow]:
    """The leading score of the likeliest class, where something else is answered."""
    scores = (results.imbalance or {})["at_likeliest"]["scores"]
    score = next((each for each in scores if each["name"] == leader["name"]), None)
    note = "at a threshold of 0.5" if len(results.classes) == 2 else "if the likeliest class were answered"
    return [_row(label, note, score, "baseline", rules)] if score else []


def _row(label: str, note: str, score: ScoreRecord, kind: str, rules: StyleRules) -> ComparedRow:
    as_percent = score["name"] in ("majority", "nearest_centroid") or words_of(score["name"]).as_percent
    return ComparedRow(
        label=label,
        note=note,
        value=percent(score["value"]) if as_percent else value_of(score),
        interval=bracket(score["low"], score["high"]) if as_percent else interval_of(score),
        n=score["n"],
        bar=rules.bar(score["low"], score["value"], score["high"]),
        kind=kind,
    )
