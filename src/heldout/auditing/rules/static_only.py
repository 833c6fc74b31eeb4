"""Cases that the text of a script tells and no watch sees: these rules have words, and find nothing in a log."""

from collections.abc import Iterable

from heldout.auditing.facts import Facts
from heldout.auditing.rule import Hit, Rule


def find_nothing(_: Facts) -> Iterable[Hit]:
    """No hits: the case is found by reading."""
    return ()


RULES = (
    Rule(
        code="H214",
        name="loss-summed-with-graph",
        severity="warning",
        believed="Only a number is added up.",
        effect="Every batch's graph hangs on the sum: memory grows with each batch until the run is killed.",
        fix="add loss.item(), or loss.detach()",
        find=find_nothing,
    ),
    Rule(
        code="H302",
        name="fixed-divisor",
        severity="warning",
        believed="The count is divided by the number of samples that were counted.",
        effect="It is divided by a number that was typed in: with another data set, batch or last batch it is off.",
        fix="count the samples in the same loop (total += len(labels)) and divide by that",
        find=find_nothing,
    ),
    Rule(
        code="H303",
        name="accumulated-counters",
        severity="warning",
        believed="The accuracy of an epoch is that of its own answers.",
        effect="It is the mean over all epochs so far: it hides the early ones' errors late and lags behind the model.",
        fix="set the counters to 0 at the beginning of every epoch",
        find=find_nothing,
    ),
    Rule(
        code="H305",
        name="training-number-as-held-out",
        severity="error",
        believed="The number was measured on held-out samples.",
        effect="It was counted on the samples that the model was learning from: it is too high.",
        fix="count on the held-out loader, in its own loop and with its own counters",
        find=find_nothing,
    ),
)
