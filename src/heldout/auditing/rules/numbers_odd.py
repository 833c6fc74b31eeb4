"""H307 where it can be told what the number is instead: of one batch, of one fold, a hundredth, a comparison of all."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from heldout.auditing.counted import Count, Tally
from heldout.auditing.facts import Facts
from heldout.auditing.printed import Series
from heldout.auditing.rule import Hit
from heldout.auditing.rules.numbers_explained import Told, explains, told, worth_asking
from heldout.auditing.rules.numbers_matches import Match, is_about, severity_of

_OVER = frozenset(["fold", "folds", "seeds", "runs", "cv", "splits", "repeats", "restarts"])
_MEAN = frozenset(["mean", "average", "avg", "averaged", "cross", "cv", "overall"])
# Fewer folds are no cross-validation.
FEWEST_FOLDS = 3
PARTS = {"validation", "test", "held-out"}
# What a number would be, where it is that of a loop that just ran.
_Reading = Callable[[Told, Tally], Count | None]


def find_odd(facts: Facts) -> Iterator[Hit]:
    """Held-out numbers that are something else of what was counted than the share of right answers."""
    for series in facts.series:
        if series.first.metric != "accuracy" or series.first.in_bar:
            continue
        if (hit := _of_one_fold(facts, series)) is not None:
            yield hit
        elif is_about(series, PARTS):
            for reading, words in _READINGS:
                matches = _all(facts, series, reading)
                severity = severity_of(matches, []) if matches else None
                if severity is not None:
                    yield _hit(series, matches[-1], words)
                    break


def _all(facts: Facts, series: Series, reading: _Reading) -> list[Match]:
    """The numbers of a series, where all are what this reading makes of them and nothing honest explains one."""
    found = []
    everything = told(facts, series)
    # The answers to single samples are kept of the latest pass alone.
    for each in everything[-1:] if reading is _all_against_all else everything:
        if explains(each.claim, _honest(facts, series, each, reading), each.since):
            return []
        held_out = [tally for tally in each if not tally.trained]
        pairs = ((tally, count) for tally in held_out if (count := reading(each, tally)) is not None)
        match = next((Match(each, *pair, len(held_out)) for pair in pairs), None)
        if match is None:
            return []
        found.append(match)
    return found


def _honest(facts: Facts, series: Series, each: Told, reading: _Reading) -> Sequence[Tally]:
    asked = worth_asking(facts.counts.before(each.claim.moment), series)
    return asked if reading is not _last_batch else ()


def _last_batch(each: Told, tally: Tally) -> Count | None:
    """The last batch of a loop that is over, where that is not what the loop comes to."""
    last, whole = tally.last(each.claim.moment), tally.whole
    passed = tally.loop.passed
    is_over = tally.end < each.claim.moment and passed is not None and passed.ended
    if last is None or whole is None or not is_over or whole.n_batches < 2:
        return None
    is_whole = each.claim.agrees_with_count(whole.n_right, whole.n) or each.claim.agrees(whole.mean_of_shares)
    return last if each.claim.agrees_with_count(last.n_right, last.n) and not is_whole else None


def _hundredth(each: Told, tally: Tally) -> Count | None:
    """What a loop comes to, where a hundredth of it is printed with a percent sign."""
    count = each.count(tally)
    is_it = each.claim.has_percent and each.claim.divided(0.01).agrees(count.share) and count.n_right > 0
    return count if is_it else None


def _all_against_all(each: Told, tally: Tally) -> Count | None:
    """What a loop comes to, where each answer was compared with every label of its batch."""
    answers, truths = (
        np.frombuffer(b"".join(getattr(stretch, name) for stretch in tally.stretches), np.uint8)
        for name in ("answers", "truths")
    )
    count = each.count(tally)
    if not len(answers) or len(answers) != int(tally.sizes.sum()) or tally.end >= each.claim.moment:
        return None
    ends = np.cumsum(tally.sizes)[:-1]
    pairs = zip(np.split(answers, ends), np.split(truths, ends), strict=True)
    shares = np.array([float((answer[:, None] == truth).mean()) for answer, truth in pairs])
    means = (float((shares * tally.sizes).sum() / tally.sizes.sum()), float(shares.mean()))
    is_it = any(each.claim.agrees(mean) for mean in means) and not each.claim.agrees(count.share)
    return count if is_it else None


_READINGS: tuple[tuple[_Reading, str], ...] = (
    (_last_batch, "is that of the last batch alone, {k} of {n}: the whole of {name} comes to {whole}"),
    (_hundredth, "is a hundredth of what was counted: {k} of {n} samples of {name} are {whole}"),
    (
        _all_against_all,
        "is what comes out where each answer is compared with every label of its batch (shapes N x 1 and N); "
        "{k} of {n} samples of {name} were named rightly, {whole}",
    ),
)


def _hit(series: Series, match: Match, words: str) -> Hit:
    whole = match.tally.whole
    assert whole is not None, f"{match.tally.loop.called} was not counted"
    what = words.format(
        k=f"{match.count.n_right:,}",
        n=f"{match.count.n:,}",
        name=match.tally.loop.called,
        whole=f"{whole.n_right:,} of {whole.n:,} ({whole.share:.4f})"
        if match.count is not whole
        else f"{whole.share:.4f}",
    )
    claim = match.each.claim
    return Hit(claim.place, f"{claim.text}, printed as {series.called}, {what}.", more=(match.tally.loop.place,))


def _of_one_fold(facts: Facts, series: Series) -> Hit | None:
    """A mean over folds or runs that is the number of the last of them."""
    words = series.words
    if len(series.claims) != 1 or not words & _OVER or not words & _MEAN:
        return None
    (each,) = told(facts, series)
    asked = [tally for tally in facts.counts.before(each.claim.moment) if not tally.trained and tally.is_counted]
    last = {(tally.loop.family, tally.key[3]): tally for tally in asked if tally.key[2] == asked[-1].key[2]}
    shares = [tally.whole.share for tally in last.values() if tally.whole is not None]
    if len(shares) < FEWEST_FOLDS or len(set(shares)) < FEWEST_FOLDS or not each.claim.agrees(shares[-1]):
        return None
    mean = float(np.mean(shares))
    if each.claim.agrees(mean):
        return None
    return Hit(
        each.claim.place,
        f"{each.claim.text}, printed as {series.called}, is the last of {len(shares)}: their mean is {mean:.4f}.",
    )
