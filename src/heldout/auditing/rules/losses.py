"""H210 and H211: losses of numbers that they are not made for, and losses made smaller twice."""

from collections.abc import Iterator

from heldout.auditing.facts import Facts
from heldout.auditing.rule import Hit, Rule

# Calls from which on "every time" is no accident (assumed).
N_CALLS = 4
_WORDS = {
    "probabilities into cross-entropy": (
        "cross_entropy was given probabilities (each row sums to 1), and takes a softmax itself"
    ),
    "no logarithms into nll_loss": "nll_loss was given numbers above 0, which are no logarithms of probabilities",
    "probabilities as logits": (
        "a distribution was given probabilities (each row sums to 1) as its logits, and takes a softmax itself"
    ),
    "probabilities into logits loss": (
        "binary_cross_entropy_with_logits was given numbers between 0 and 1 only, and takes a sigmoid itself"
    ),
}


def find_softmax(facts: Facts) -> Iterator[Hit]:
    """Losses that were given probabilities where they want scores, in every call."""
    for remark in facts.log.remarks:
        if remark.kind in _WORDS and remark.n >= N_CALLS and remark.n == remark.n_chances:
            yield Hit(remark.place, f"{_WORDS[remark.kind]}: in all {remark.n:,} calls.")


def find_divided(facts: Facts) -> Iterator[Hit]:
    """Mean losses that are divided by the length of the data set once more."""
    for remark in facts.log.remarks:
        if remark.kind == "mean loss divided by the data set" and remark.n >= N_CALLS and remark.n == remark.n_chances:
            n = remark.facts["n"]
            yield Hit(
                remark.place,
                f"What is differentiated is the mean loss of a batch divided by {n:,}, the "
                f"length of the data set, in all "
                f"{remark.n:,} backward passes: {remark.facts['value']:.3g} where the mean loss "
                f"is {remark.facts['loss']:.3g}.",
            )


def find_divided_by_batch(facts: Facts) -> Iterator[Hit]:
    """Mean losses that are divided by the batch size once more, or twice by the number of batches of a step."""
    n_steps = max((each.n_steps for each in facts.log.optimisers), default=0)
    for remark in facts.log.remarks:
        if remark.n < N_CALLS or remark.n < remark.n_chances or not n_steps:
            continue
        n_of_step, by = max(1, round(remark.n_chances / n_steps)), remark.facts.get("by", 0)
        told = f"in all {remark.n:,} backward passes, {n_of_step:,} for each step of the optimiser."
        if remark.kind == "mean loss divided by the batch" and n_of_step != by:
            yield Hit(
                remark.place,
                f"What is differentiated is the mean loss of a batch divided by the batch size ({by:,} at first) "
                f"{told}",
            )
        if remark.kind == "mean loss divided" and n_of_step > 1 and by == n_of_step**2:
            yield Hit(
                remark.place,
                f"What is differentiated is the mean loss of a batch divided by {by:,}, {n_of_step:,} times "
                f"{n_of_step:,}, {told}",
            )


def find_divided_twice(facts: Facts) -> Iterator[Hit]:
    """Mean losses that are divided by what they are a mean over."""
    yield from find_divided(facts)
    yield from find_divided_by_batch(facts)


RULES = (
    Rule(
        code="H210",
        name="softmax-before-cross-entropy",
        severity="error",
        believed="The loss is the cross-entropy of the model's probabilities.",
        effect=(
            "A softmax of a softmax is nearly flat: gradients shrink, the loss cannot come near 0, "
            "training stays behind."
        ),
        fix="give the loss the raw scores, and take the softmax only for showing probabilities",
        find=find_softmax,
    ),
    Rule(
        code="H211",
        name="loss-divided-twice",
        severity="error",
        believed="The learning rate is the one that is named.",
        effect="The steps are as many times smaller as the data set is long: a rate of 0.1 may stand for 0.00001.",
        fix="differentiate the mean loss as it is, and divide only what is summed up for printing",
        find=find_divided_twice,
    ),
)
