"""What honestly explains a printed accuracy: the counts of a loop, of part of it, or of several."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heldout.auditing.counted import Count, Key, Tally, balanced, share_named
from heldout.auditing.facts import Facts
from heldout.auditing.printed import Claim, Series

# Of a long series the first and the last are judged, so many of either.
MOST_CLAIMS = 80
# Loops that a number may be the mean of, or be taken over together: folds, loaders, seeds.
MOST_TOGETHER = 30
MOST_LABELS = 20
# A series is long with more numbers than this; then the latest loops are asked, so many.
FEW = 3
N_LATEST = 12


@dataclass(frozen=True, slots=True)
class Told:
    """A printed number, and what had been counted when it was printed.

    Attributes:
        claim: The number.
        since: The moment when the one before it in its series was printed; -1 for the first.
        fresh: The latest pass of each loop that ran since then.
    """

    claim: Claim
    since: int
    fresh: tuple[Tally, ...]

    def __iter__(self) -> Iterator[Tally]:
        """The fresh tallies that came with labels."""
        return (each for each in self.fresh if each.is_counted)

    def count(self, tally: Tally) -> Count:
        """What a fresh tally came to when the number was printed."""
        found = tally.count(self.claim.moment)
        assert found is not None, f"{tally.loop.called} was counted, and has no call before {self.claim.moment}"
        return found


def told(facts: Facts, series: Series) -> list[Told]:
    """The numbers of a series with what was counted; the middle of a long one is left out."""
    claims = series.claims
    moments = [-1, *(claim.moment for claim in claims)]
    found = []
    for number, (before, claim) in enumerate(zip(moments, claims, strict=False)):
        if MOST_CLAIMS <= number < len(claims) - MOST_CLAIMS:
            continue
        found.append(Told(claim, before, tuple(facts.counts.fresh(claim.moment, before))))
    return found


def is_honest(each: Told) -> bool:
    """Whether a number is what a loop came to that just ran, all or part of it, or the best of its passes so far."""
    return any(own_count(each, tally) for tally in each)


def own_count(each: Told, tally: Tally) -> Count | None:
    """The count of a fresh tally that a number is: up to now, since the last number, in its last batch."""
    claim = each.claim
    until = claim.moment
    counts = [
        tally.count(until),
        tally.count(until, each.since),
        tally.last(until),
        tally.last(until, back=1),
        tally.count(int(tally.moments[-1])) if claim.in_bar else None,
    ]
    return next((each for each in counts if each is not None and _agrees(claim, each)), None)


def _agrees(claim: Claim, count: Count) -> bool:
    if claim.metric == "accuracy":
        return claim.agrees_with_count(count.n_right, count.n)
    return claim.agrees(count.loss) or claim.agrees(count.mean_of_losses)


def found_count(each: Told, tallies: Sequence[Tally]) -> tuple[Tally, Count] | None:
    """The first of some tallies whose value a number is: up to now, or the whole of one that has ended."""
    fresh = [(tally, own_count(each, tally)) for tally in each if tally in tallies]
    ended = [(tally, tally.whole) for tally in tallies if tally.end < each.claim.moment]
    ended = [(tally, count) for tally, count in ended if count is not None and _agrees(each.claim, count)]
    return next(((tally, count) for tally, count in (*fresh, *ended) if count is not None), None)


def n_values(tallies: Sequence[Tally]) -> int:
    """How many different accuracies they have: each is a chance for a number to be equal."""
    return len({tally.whole.n_right / tally.whole.n for tally in tallies if tally.whole is not None})


def worth_asking(tallies: Sequence[Tally], series: Series) -> Sequence[Tally]:
    """Which of the tallies a number may be about; of a long series the latest, and the best of each chain.

    Over a hundred passes one count or the other agrees with any number, and a series does not choose among them freely.
    """
    if len(series.claims) <= FEW:
        return tallies
    best: dict[Key, Tally] = {}
    for each in tallies:
        if each.whole is not None:
            before = best.setdefault(each.key, each)
            if before.whole is None or each.whole.share >= before.whole.share:
                best[each.key] = each
    return [*best.values(), *tallies[-N_LATEST:]]


def explains(claim: Claim, tallies: Sequence[Tally], since: int) -> bool:
    """Whether any of these tallies explains a number honestly, by itself or with others.

    Args:
        claim: The number.
        tallies: Those that had begun before it.
        since: When the number before it in its series was printed.
    """
    counted = [each for each in tallies if each.is_counted]
    counts = [count for each in counted if (count := each.count(claim.moment)) is not None]
    parts = [count for each in counted for count in _parts(each, claim.moment, since)]
    return (
        any(claim.agrees_with_count(count.n_right, count.n) for count in (*counts, *parts))
        or any(claim.agrees(count.mean_of_shares) for count in counts if not claim.counted)
        or _is_together(claim, counted)
        or any(_is_of_labels(claim, each) for each in counted)
    )


def _parts(tally: Tally, until: int, since: int) -> list[Count]:
    if tally.end < since:
        return []
    found = [tally.last(until), tally.last(until, back=1), tally.count(until, since), tally.count(tally.end)]
    return [each for each in found if each is not None]


def _is_together(claim: Claim, tallies: Sequence[Tally]) -> bool:
    """Whether a number is the mean over the latest of these, or their samples taken together."""
    for role in (True, False):
        counts = [count for each in tallies if each.trained == role and (count := each.count(claim.moment))]
        n_right = n = 0
        total = 0.0
        for number, count in enumerate(reversed(counts[-MOST_TOGETHER:]), 1):
            n_right, n, total = n_right + count.n_right, n + count.n, total + count.share
            if claim.agrees_with_count(n_right, n) or (not claim.counted and claim.agrees(total / number)):
                return True
    return False


def _is_of_labels(claim: Claim, tally: Tally) -> bool:
    """Whether a number is the mean accuracy of the labels, or that of one, or the share of one."""
    if claim.counted or tally.end >= claim.moment:
        return False
    n_right = sum(tally.hits.values())
    if tally.n_to_name and claim.agrees(n_right / tally.n_to_name):
        return True
    mean = balanced(tally)
    if mean is not None and claim.agrees(mean):
        return True
    labels = [label for label, _ in tally.labels.most_common(MOST_LABELS)]
    shares = [share_named(tally, label) for label in labels]
    recalls = [tally.hits[label] / tally.labels[label] for label in labels]
    return any(each is not None and claim.agrees(each) for each in (*shares, *recalls))
