"""H304: means of batch means, where the batches are not equally large."""

from collections.abc import Iterator

from heldout.auditing.counted import Count, Tally
from heldout.auditing.facts import Facts
from heldout.auditing.printed import Series
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.numbers_explained import Told, is_honest, told
from heldout.findings import Severity

# Accuracies of one loop that differ for another reason differ by about this (assumed).
SPREAD = 0.05
CHANCE = 0.02
ERROR_FROM, WARNING_FROM = 0.01, 0.001


def find_unequal(facts: Facts) -> Iterator[Hit]:
    """Series of accuracies that are means over the batches of a loop, and not over its samples."""
    for series in facts.series:
        if series.first.metric != "accuracy":
            continue
        means = [(each, _mean_of(each)) for each in told(facts, series) if not each.claim.counted]
        odd = [(each, tally) for each, tally in means if tally is not None and not is_honest(each)]
        if not odd or any(tally is None and not is_honest(each) for each, tally in means):
            continue
        chance = 1.0
        for value, each in {each.claim.value: each for each, _ in odd}.items():
            chance *= min(1.0, max(each.claim.width, 0.5e-6 * value) / SPREAD * len(each.fresh))
        if chance < CHANCE:
            yield _hit(series, odd)


def _mean_of(each: Told) -> Tally | None:
    """The fresh tally whose batches have this mean, and are of different sizes."""
    for tally in each:
        count = each.count(tally)
        if count.n_batches > 1 and each.claim.agrees(count.mean_of_shares):
            return tally
    return None


def _hit(series: Series, odd: list[tuple[Told, Tally]]) -> Hit:
    differences = [abs(_difference(each.count(tally))) for each, tally in odd]
    last, tally = odd[-1]
    count, sizes = last.count(tally), tally.sizes
    observed = (
        f"{_numbers(len(odd), series.called)} the mean of the accuracies of batches, of which the last had "
        f"{int(sizes[-1]):,} samples and the largest {int(sizes.max()):,}: the last of them, {last.claim.text}, is "
        f"{count.n_right:,} of {count.n:,}, which is {count.share:.4f} ({100 * max(differences):.2g} points apart)."
    )
    return Hit(last.claim.place, observed, severity=_severity(max(differences), is_learned=tally.trained))


def _numbers(n: int, called: str) -> str:
    return f"{n:,} printed numbers ({called}) are each" if n > 1 else f"A printed number ({called}) is"


def _difference(count: Count) -> float:
    return count.mean_of_shares - count.share


def _severity(difference: float, *, is_learned: bool) -> Severity:
    """While a model learns its accuracy moves from batch to batch: nobody takes that mean to be exact."""
    if is_learned or difference < WARNING_FROM:
        return "note"
    return "error" if difference >= ERROR_FROM else "warning"


RULES = (
    Rule(
        code="H304",
        name="mean-of-unequal-batches",
        severity="warning",
        believed="Each sample counts alike.",
        effect="The samples of a small last batch count for more: the number is off, either way, by what they differ.",
        fix="add up right answers and samples, and divide once at the end",
        find=find_unequal,
    ),
)
