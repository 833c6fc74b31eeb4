"""The record of a run -> what each section below the headline says, ready for the templates."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heldout.findings import SEVERITIES
from heldout.reporting.choose import Choice
from heldout.reporting.headline import find_score
from heldout.reporting.imbalance_sections import helped_words, told_here
from heldout.reporting.results import Results, Sample, SummaryRecord
from heldout.reporting.rules import StyleRules
from heldout.reporting.wording import (
    NOT_DEFINED,
    bracket,
    count,
    decimal,
    duration,
    file_size,
    interval_of,
    is_number,
    listing,
    percent,
    value_of,
    words_of,
)

# Below this many pictures of a class its interval is too wide to rank by (assumed: 34 points wide at n = 29 near 50 %).
FEW_PICTURES = 30
N_PASSED_OVER = 20


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """A line of the score table."""

    title: str
    meaning: str
    value: str
    interval: str
    n: int
    method: str
    on_validation: str


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A line of the class table; `*_key` are what the column sorts by."""

    name: str
    n: int
    few: bool
    recall: str
    recall_interval: str
    recall_key: float
    bar: str
    precision: str
    precision_interval: str
    precision_key: float
    f1: str
    f1_key: float


@dataclass(frozen=True, slots=True)
class Picture:
    """A held-out picture with what was answered; `source` is a data: address, or empty if none was kept."""

    index: int
    id: str
    true: str
    predicted: str
    confidence: str
    right: bool
    source: str


@dataclass(frozen=True, slots=True)
class SamplePicture:
    """A training picture twice: as it is, and as the network is given it."""

    id: str
    label: str
    original: str
    seen: str


@dataclass(frozen=True, slots=True)
class SuspectPicture:
    """A doubted label: its picture between clear ones of both classes; addresses are empty where none was kept."""

    id: str
    part: str
    label: str
    suggested: str
    p_label: str
    p_suggested: str
    source: str
    like_label: str
    like_suggested: str


@dataclass(frozen=True, slots=True)
class TimeRow:
    """Where time went: `bar` is a style class."""

    name: str
    seconds: str
    share: str
    bar: str


@dataclass(frozen=True, slots=True)
class Fact:
    """A name and what stands behind it; `is_code` where it is to be read letter by letter."""

    name: str
    value: str
    is_code: bool = False


def image_address(data: bytes, kind: str = "jpeg") -> str:
    """The picture as a data: address, which needs no network.

    Example:
        >>> image_address(b"abc")
        'data:image/jpeg;base64,YWJj'
    """
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"


def findings_of(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The findings, the gravest first; among equals the order stays."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding["severity"]))


def score_rows(results: Results) -> list[ScoreRow]:
    """Every score of the leading part, beside the same score on validation."""
    rows = []
    for score in results.leading["scores"]:
        words = words_of(score["name"])
        other = find_score(results.validation, score["name"]) if results.test else None
        rows.append(
            ScoreRow(
                title=words.title,
                meaning=words.meaning + told_here(results, score["name"]),
                value=value_of(score),
                interval=interval_of(score),
                n=score["n"],
                method=score["method"],
                on_validation=f"{value_of(other)} {interval_of(other)}" if other else "",
            )
        )
    return rows


def class_rows(summary: SummaryRecord, rules: StyleRules) -> list[ClassRow]:
    """Every class in the order of the class map; the reader chooses another order by a click."""
    rows = []
    for record in summary["per_class"]:
        recall, precision = record["recall"], record["precision"]
        rows.append(
            ClassRow(
                name=record["name"],
                n=record["n"],
                few=record["n"] < FEW_PICTURES,
                recall=percent(recall["value"]),
                recall_interval=bracket(recall["low"], recall["high"]),
                recall_key=_key(recall["value"]),
                bar=rules.bar(recall["low"], recall["value"], recall["high"]),
                precision=percent(precision["value"]),
                precision_interval=bracket(precision["low"], precision["high"]),
                precision_key=_key(precision["value"]),
                f1=decimal(record["f1"]),
                f1_key=_key(record["f1"]),
            )
        )
    return rows


def few_of(summary: SummaryRecord) -> str:
    """Whether "none", "some" or "all" classes have too few pictures for their intervals to rank them."""
    n_few = sum(record["n"] < FEW_PICTURES for record in summary["per_class"])
    return "none" if n_few == 0 else "all" if n_few == len(summary["per_class"]) else "some"


def _key(value: float | None) -> float:
    """What a column sorts by: what is not defined comes below everything."""
    return value if value is not None and is_number(value) else -1.0


def pictures_of(results: Results, choice: Choice) -> dict[str, Picture]:
    """The chosen held-out pictures by id, with what the model answered."""
    wanted = set(choice.ids)
    answers = results.answers
    rows = [row for row, name in enumerate(answers.ids) if name in wanted]
    pictures = {}
    for index, row in enumerate(rows):
        name = answers.ids[row]
        true, predicted = int(answers.labels[row]), int(answers.predicted[row])
        jpeg = results.thumbnails.get(name)
        pictures[name] = Picture(
            index=index,
            id=name,
            true=results.classes[true],
            predicted=results.classes[predicted],
            confidence=_confidence(float(answers.confidence[row])),
            right=true == predicted,
            source=image_address(jpeg) if jpeg is not None else "",
        )
    return pictures


def _confidence(share: float) -> str:
    """A probability in percent; what would round to certainty is shown as almost that."""
    return f"> {percent(0.999)}" if 0.9995 <= share < 1 else percent(share)


def page_data(results: Results, choice: Choice, pictures: Mapping[str, Picture]) -> dict[str, Any]:
    """What the page's script needs to show the pictures of a cell.

    Pictures that stand in the page anyway (the most confident mistakes, the least sure) are left out of `sources`:
    the script takes them from there.
    """
    on_page = {*choice.mistakes, *choice.least_sure}
    return {
        "classes": list(results.classes),
        "pictures": [[each.id, each.confidence] for each in pictures.values()],
        "sources": {each.index: each.source for each in pictures.values() if each.id not in on_page},
        "cells": {
            f"{true}-{predicted}": [pictures[name].index for name in shown]
            for (true, predicted), shown in choice.cells.items()
        },
    }


def sample_pictures(samples: Sequence[Sample]) -> list[SamplePicture]:
    """The sample grid."""
    return [
        SamplePicture(each.id, each.label, image_address(each.original), image_address(each.seen)) for each in samples
    ]


def suspect_pictures(results: Results) -> list[SuspectPicture]:
    """The doubted labels whose pictures were kept, the most doubted first."""
    return [
        SuspectPicture(
            id=each.id,
            part=each.part,
            label=each.label,
            suggested=each.suggested,
            p_label=_confidence(each.p_label),
            p_suggested=_confidence(each.p_suggested),
            source=image_address(each.jpeg),
            like_label=image_address(each.jpeg_like_label) if each.jpeg_like_label else "",
            like_suggested=image_address(each.jpeg_like_suggested) if each.jpeg_like_suggested else "",
        )
        for each in results.suspects
    ]


def suspicion_words(results: Results) -> list[str]:
    """How many labels are doubted, what that means, and which score they put out of reach."""
    record = results.suspicion
    if record is None:
        return [
            "Not looked for: it takes features that were learned elsewhere, and this run started from random weights. "
            "A run with --regime frozen on the same data looks for them."
        ]
    n, n_suspects = record["n"], record["n_suspects"]
    judged = f"Each of the {n:,} labels of train and validation was judged by a head that was fitted without it"
    left_out = record["n_not_judged"]
    note = f" ({left_out:,} more could not be judged: their class is too small)" if left_out else ""
    if not n_suspects:
        return [f"{judged}{note}. None is doubted. Wrong labels that look right would not be found this way."]
    ceiling = record["ceiling"]
    about = round(n_suspects * record["confirmed_share"])
    return [
        f"{judged}{note}; {count(n_suspects, 'label')} ({percent(n_suspects / n)}) looks wrong."
        if n_suspects == 1
        else f"{judged}{note}; {count(n_suspects, 'label')} ({percent(n_suspects / n)}) look wrong.",
        f"If all {n_suspects:,} are wrong, a model that is always right would still score only "
        f"{percent(ceiling['value'])} {interval_of(ceiling)} on labels like these (n = {n:,}). But only about half of "
        f"such flags are confirmed by people ({record['confirmed_share']:.0%}, Northcutt et al., 2021); with "
        f"{about:,} wrong it would be {percent(1 - about / n)}. The others are likely right, and hard to tell.",
        "Nothing was removed or changed, and test labels were not looked at.",
    ]


def calibration_words(summary: SummaryRecord, noun: str = "picture") -> tuple[str, str]:
    """What the calibration error says beside its null band, and what the temperature says."""
    model = "network" if noun == "picture" else "model"
    low, high = summary["ece_null"]
    ece, temperature = summary["ece"], summary["temperature"]
    where = "inside" if low <= ece <= high else "below" if ece < low else "above"
    says = {
        "inside": "nothing here speaks against its confidence",
        "below": f"its confidence fits these {noun}s even better than expected",
        "above": "its confidence cannot be taken at its word",
    }[where]
    first = (
        f"The expected calibration error is {percent(ece)}. A perfectly calibrated model would score "
        f"{percent(low)} to {percent(high)} on {count(summary['n'], noun)} by chance alone (95\u202f% null band); "
        f"this one is {where} that band: {says}."
    )
    # A temperature fitted to 100 pictures scatters by 13 % and more (measuring/calibration.py).
    leaning = "too sure of itself" if temperature > 1.1 else "not sure enough" if temperature < 0.9 else "about right"
    second = (
        f"The {model}'s outputs are divided by the temperature {temperature:.2f} before they become probabilities; "
        f"it was fitted on the validation part. By it the {model} alone was {leaning} (above 1 means too sure). "
        "Dividing changes no class that is likeliest."
    )
    return first, second


def data_facts(results: Results) -> list[Fact]:
    """How many examples, in which layout, split by whom, and what was passed over."""
    data = results.data
    parts = " · ".join(f"{data[f'n_{part}']:,} {part}" for part in ("train", "validation", "test"))
    made = listing(data["made"])
    facts = [
        Fact(f"{results.noun.capitalize()}s", f"{data['n']:,} ({parts})"),
        Fact("Classes", f"{len(results.classes):,}"),
        Fact("Layout", data["layout"]),
        Fact(
            "Parts made here", f"{made}: drawn by seed, stratified by class" if made else "none: all came with the data"
        ),
    ]
    if groups := data.get("groups"):
        facts.append(Fact("Groups", f"{groups['n']:,}, the largest of {count(groups['largest'], results.noun)}"))
    passed_over = data["passed_over"]
    names = [f"{name} ({reason})" for name, reason in passed_over[:N_PASSED_OVER]]
    if len(passed_over) > N_PASSED_OVER:
        names.append(f"{len(passed_over) - N_PASSED_OVER} more")
    facts.append(Fact("Passed over", "; ".join(names) or "nothing"))
    if data["n_left_out"]:
        facts.append(Fact("Unreadable", f"{count(data['n_left_out'], 'file')}, left out before the split"))
    return facts


def count_rows(results: Results) -> list[tuple[str, int, int, int]]:
    """For each class its number of training, validation and test examples."""
    counts = results.data["counts"]
    columns = (counts["train"], counts["validation"], counts["test"])
    return list(zip(results.classes, *columns, strict=True))


def model_facts(results: Results) -> list[Fact]:
    """Which network, from where, what of it was trained, and how large it is."""
    model, environment = results.model, results.environment
    n, trained, rate = model["n_parameters"], model["n_trained"], model.get("learning_rate")
    trained_share = percent(trained / n) if n else NOT_DEFINED
    is_picture = results.noun == "picture"
    return [
        *([Fact("Backbone", model["backbone"])] if model["backbone"] else []),
        Fact("Regime" if is_picture else "Kind", model["regime"]),
        *([Fact("Starting weights", model["weights"])] if model["backbone"] else []),
        *([Fact("Learning rate", f"{rate:g}, {model['learning_rate_reason']}")] if rate is not None else []),
        *([Fact("Rare classes", helped)] if (helped := helped_words(results)) else []),
        Fact("Parameters", f"{n:,}"),
        Fact("Trained here", f"{trained:,} ({trained_share})"),
        Fact("Size", file_size(model["n_bytes"])),
        Fact("Input", model["input"].replace("x", " × ") if is_picture else model["input"]),
        Fact("Engine", environment["engine"] or NOT_DEFINED),
        Fact("Fitted in", environment["precision"]),
    ]


def time_rows(results: Results, rules: StyleRules) -> tuple[list[TimeRow], str]:
    """Where the time went, in the order it was spent, and the sum."""
    seconds: dict[str, float] = results.environment["seconds"]
    total = sum(seconds.values())
    rows = [
        TimeRow(name, duration(spent), percent(spent / total), rules.bar(0.0, spent / total, spent / total))
        for name, spent in seconds.items()
        if total > 0
    ]
    return rows, duration(total)


def _moment(stamp: str) -> str:
    """An ISO time stamp as a reader writes it."""
    return stamp.replace("T", " ").replace("+00:00", " UTC").replace("Z", " UTC")


def environment_facts(results: Results) -> list[Fact]:
    """What the run ran on, and the fingerprints that tell whether two runs are the same."""
    environment = results.environment
    facts = [
        Fact("heldout", environment["heldout"]),
        Fact("Python", environment["python"]),
        Fact("Platform", environment["platform"]),
        Fact("Processor", f"{environment['cpu']}, {count(environment['n_cores'], 'core')}"),
        Fact("Device", environment["device"]),
        Fact("Started", _moment(environment["started"])),
        Fact("Packages", ", ".join(f"{name} {version}" for name, version in environment["packages"].items())),
    ]
    prints = environment["fingerprints"].items()
    return facts + [Fact(name.replace("_", " ").capitalize(), mark, is_code=True) for name, mark in prints if mark]
