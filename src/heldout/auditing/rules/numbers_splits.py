"""H306: numbers that are called after one held-out part and were measured on the other, or half on it."""

import re
from collections.abc import Iterator, Sequence
from itertools import permutations

import numpy as np

from heldout.auditing.counted import Tally
from heldout.auditing.facts import Facts
from heldout.auditing.printed import Claim, Series
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.numbers_explained import Told, explains, found_count, n_values, told, worth_asking
from heldout.auditing.rules.numbers_matches import (
    CHANCE_OF_WARNING,
    SPREAD,
    Match,
    is_about,
    severity_of,
    tallies_before,
)
from heldout.findings import Severity

_ENDS = r"(?:[^a-z]|$|set|load|data|dl|ds)"
_NAMES = {
    "validation": re.compile(rf"(?i)(?:^|[^a-z])(?:val|valid|validation|dev){_ENDS}"),
    "test": re.compile(rf"(?i)(?:^|[^a-z])(?:test|tst){_ENDS}"),
}
# Evaluations whose answers are held against each other's labels, the latest.
MOST_SPOKEN = 8


def find_other_split(facts: Facts) -> Iterator[Hit]:
    """Numbers that are called validation and were measured on the test part, or the other way round."""
    measured = [(series, told(facts, series)) for series in facts.series if is_about(series, set(_NAMES))]
    for series, everything in measured:
        swapped, rest = _swapped(facts, series, everything)
        severity = severity_of(swapped, rest) if swapped else None
        if severity is not None:
            yield _swapped_hit(series, swapped, severity)
        elif (mixed := _mixed(facts, everything[-1])) is not None:
            yield mixed
    yield from _under_two_names(facts, measured)


def named_part(tally: Tally) -> str:
    """`validation` or `test`, where that and nothing else is what the user calls a tally's samples."""
    found = [part for part, known in _NAMES.items() if any(known.search(name) for name in tally.loop.names)]
    return found[0] if len(found) == 1 and not tally.trained else ""


def _swapped(facts: Facts, series: Series, everything: Sequence[Told]) -> tuple[list[Match], list[Tally]]:
    """The numbers that are what the other part came to, while their own was evaluated too; and what else was."""
    found, rest, own = [], list[Tally](), series.first.part
    for each in everything:
        evaluated = tallies_before(facts, each, trained=False)
        rest = [tally for tally in evaluated if named_part(tally) in {"", own}]
        theirs = worth_asking([tally for tally in evaluated if named_part(tally) not in {"", own}], series)
        is_there = any(tally.end > each.since and named_part(tally) == own for tally in each)
        if is_there and not explains(each.claim, worth_asking(rest, series), each.since):
            match = found_count(each, theirs)
            found += [Match(each, *match, n_values(theirs))] if match is not None else []
    return found, rest


def _swapped_hit(series: Series, matches: Sequence[Match], severity: Severity) -> Hit:
    last, n = matches[-1], len(matches)
    rightful = next(tally for tally in last.each if named_part(tally) == series.first.part)
    count = last.each.count(rightful)
    which = f"{n} numbers printed as {series.called} are" if n > 1 else f"The number printed as {series.called} is"
    the_last = f"the last, {last.each.claim.text}," if n > 1 else last.each.claim.text
    return Hit(
        last.each.claim.place,
        f"{which} measured on {last.tally.loop.called}: {the_last} is {last.count.n_right:,} of its {last.count.n:,} "
        f"samples, where {rightful.loop.called} came to {count.n_right:,} of {count.n:,} ({count.share:.4f}).",
        severity=severity,
    )


def _mixed(facts: Facts, each: Told) -> Hit | None:
    """A number that is the answers to one part held against the labels of another."""
    ended = [tally for tally in tallies_before(facts, each, trained=False) if tally.end < each.claim.moment]
    spoken = [tally for tally in ended if _answers(tally)[0].size][-MOST_SPOKEN:]
    if len(spoken) < 2 or not all(tally.is_counted for tally in ended):
        return None
    # The share of a label, which explains elsewhere, is what answers to other samples come to anyway.
    if any(_is_own(each.claim, tally) for tally in facts.counts.before(each.claim.moment)):
        return None
    for answered, labelled in permutations(spoken, 2):
        answers, truths = _answers(answered)[0], _answers(labelled)[1]
        n = len(answers)
        if n != len(truths) or np.array_equal(truths, _answers(answered)[1]):
            continue
        n_right = int((answers == truths).sum())
        chance = max(each.claim.width, 1 / n) * len(spoken) / SPREAD
        if each.claim.agrees_with_count(n_right, n) and chance < CHANCE_OF_WARNING:
            return _mixed_hit(each.claim, answered, labelled=labelled, n_right=n_right)
    return None


def _is_own(claim: Claim, tally: Tally) -> bool:
    """Whether a number is what a loop came to."""
    count = tally.count(claim.moment) if tally.is_counted else None
    return count is not None and (
        claim.agrees_with_count(count.n_right, count.n) or (not claim.counted and claim.agrees(count.mean_of_shares))
    )


def _answers(tally: Tally) -> tuple[np.ndarray, np.ndarray]:
    """The answers and the labels of a tally, sample by sample; empty where they were not kept."""
    answers, truths = (b"".join(getattr(each, name) for each in tally.stretches) for name in ("answers", "truths"))
    return np.frombuffer(answers, np.uint8), np.frombuffer(truths, np.uint8)


def _mixed_hit(claim: Claim, answered: Tally, *, labelled: Tally, n_right: int) -> Hit:
    own = answered.whole
    assert own is not None, f"{answered.loop.called} gave answers and was not counted"
    return Hit(
        claim.place,
        f"The number printed as {claim.label!r}, {claim.text}, is {n_right:,} of {own.n:,}: the answers to "
        f"{answered.loop.called} held against the labels of {labelled.loop.called}. Against its own labels "
        f"{answered.loop.called} has {own.n_right:,} right ({own.share:.4f}).",
    )


def _under_two_names(facts: Facts, measured: Sequence[tuple[Series, list[Told]]]) -> Iterator[Hit]:
    """Numbers called validation and numbers called test that were measured on the same samples."""
    named = {named_part(tally) for tally in facts.counts.tallies}
    on = [(series, _measured_on(facts, series, everything)) for series, everything in measured]
    for series, tally in on:
        if tally is None or series.first.part in named or not named_part(tally):
            continue
        for rightful, other in on:
            if rightful.first.part == named_part(tally) and other is not None and other.key[3] == tally.key[3]:
                yield Hit(
                    series.claims[-1].place,
                    f"{_numbers(len(series.claims))} called {series.called} and measured on {tally.loop.called}, "
                    f"the same samples as what is printed as {rightful.called}.",
                    severity="warning",
                    more=(rightful.claims[-1].place,),
                )
                break


def _numbers(n: int) -> str:
    return f"{n:,} numbers are" if n > 1 else "The number is"


def _measured_on(facts: Facts, series: Series, everything: Sequence[Told]) -> Tally | None:
    """The loop whose value each of the numbers is, always over the same data set."""
    found = []
    for each in everything:
        evaluated = worth_asking(tallies_before(facts, each, trained=False), series)
        match = found_count(each, evaluated) if all(tally.is_counted for tally in evaluated) else None
        if match is None:
            return None
        found.append(match[0])
    return found[-1] if len({tally.key[3] for tally in found}) == 1 else None


RULES = (
    Rule(
        code="H306",
        name="metric-of-another-split",
        severity="error",
        believed="The number was measured on the part that it is called after.",
        effect="It was measured on another part: it is neither's estimate, and a choice made by it spoils the test.",
        fix="take answers and labels from the same loop, and name the result after that loop's loader",
        find=find_other_split,
    ),
)
