"""H305: accuracies on training samples, printed as those of the validation or test part."""

from collections.abc import Iterator, Sequence

from heldout.auditing.counted import Count, Key, Tally
from heldout.auditing.facts import HELD_OUT, TRAIN, Facts
from heldout.auditing.printed import Series
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.numbers_counters import summed
from heldout.auditing.rules.numbers_explained import (
    Told,
    explains,
    found_count,
    n_values,
    own_count,
    told,
    worth_asking,
)
from heldout.auditing.rules.numbers_matches import Match, is_about, severity_of
from heldout.findings import Severity


def find_training_number(facts: Facts) -> Iterator[Hit]:
    """Numbers that are called validation or test, and are what training samples came to, and nothing else."""
    accumulated = {found.key for found in summed(facts)}
    for series in facts.series:
        if is_about(series, {"validation", "test", "held-out"}):
            matches = _matches(facts, series, accumulated)
            last = series.claims[-1].moment
            rest = [tally for tally in facts.counts.before(last) if not _is_of_training(tally)]
            severity = severity_of(matches, rest) if matches else None
            if severity is not None:
                yield _hit(series, matches, _milder(facts, series, matches) or severity)


def _milder(facts: Facts, series: Series, matches: Sequence[Match]) -> Severity | None:
    """A note, where one statement prints what it is given, the held-out part too: its words are loose, that is all."""
    is_evaluated = not any(match.tally.trained or match.tally.loop.trained for match in matches)
    for each in told(facts, series) if is_evaluated else ():
        if any(own_count(each, tally) for tally in each if not _is_of_training(tally)):
            return "note"
    return "warning" if series.first.part == "held-out" else None


def _matches(facts: Facts, series: Series, accumulated: set[Key]) -> list[Match]:
    """The numbers that training samples alone explain; none where something explains neither them nor the others."""
    matches = []
    for each in told(facts, series):
        others = [tally for tally in facts.counts.before(each.claim.moment) if not _is_of_training(tally)]
        if not explains(each.claim, worth_asking(others, series), each.since):
            match = _match(facts, series, each, accumulated=accumulated)
            if match is None:
                return []
            matches.append(match)
    return matches


def _is_of_training(tally: Tally) -> bool:
    """Whether a tally is of samples that were learned from: in a training pass, or in one over its loader."""
    names = tally.loop.names
    is_held_out = any(HELD_OUT.search(name) for name in names)
    return not is_held_out and (tally.trained or tally.loop.trained or any(TRAIN.search(name) for name in names))


def _match(facts: Facts, series: Series, each: Told, *, accumulated: set[Key]) -> Match | None:
    """The training loop whose value a number is, or whose passes so far come to it where these are summed elsewhere."""
    learned = [tally for tally in each if _is_of_training(tally)]
    for tally in learned:
        if (count := own_count(each, tally)) is not None:
            return Match(each, tally, count, len(learned))
    for tally in learned:
        if tally.key in accumulated and (count := _sum(facts.counts.chain(tally), each)) is not None:
            return Match(each, tally, count, len(learned))
    before = [tally for tally in facts.counts.before(each.claim.moment) if _is_of_training(tally)]
    asked = worth_asking(before, series)
    match = found_count(each, asked)  # such as the best pass so far
    return Match(each, *match, n_values(asked)) if match is not None else None


def _sum(chain: Sequence[Tally], each: Told) -> Count | None:
    """What all passes come to together, where a number is that."""
    counts = [count for tally in chain if (count := tally.count(each.claim.moment)) is not None]
    n_right, n = sum(count.n_right for count in counts), sum(count.n for count in counts)
    nothing = float("nan")
    is_it = each.claim.agrees_with_count(n_right, n)
    return Count(n_right, n, sum(count.n_batches for count in counts), nothing, nothing, nothing) if is_it else None


def _hit(series: Series, matches: Sequence[Match], severity: Severity) -> Hit:
    last, n = matches[-1], len(matches)
    which = f"{n} numbers printed as {series.called} are" if n > 1 else f"The number printed as {series.called} is"
    the_last = f"the last, {last.each.claim.text}," if n > 1 else last.each.claim.text
    samples = "that the model had learned from" if last.tally.trained else "of the training part"
    observed = (
        f"{which} measured on {last.tally.loop.called}: {the_last} is {last.count.n_right:,} of {last.count.n:,} "
        f"samples {samples}, and no held-out loop comes to it."
    )
    return Hit(last.each.claim.place, observed, severity=severity)


RULES = (
    Rule(
        code="H305",
        name="training-number-as-held-out",
        severity="error",
        believed="The number tells how the model does on samples it has never seen.",
        effect="It is the accuracy on training samples: too high, the more so the longer the model learns.",
        fix="print the number that the held-out loop counted, in variables with names of their own",
        find=find_training_number,
    ),
)
