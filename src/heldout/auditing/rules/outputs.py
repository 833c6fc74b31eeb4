"""H301: the highest of a single output."""

from collections.abc import Iterator

from heldout.auditing.facts import Facts
from heldout.auditing.rule import Hit, Rule


def find_single(facts: Facts) -> Iterator[Hit]:
    """Lines that take the highest of one output, which is always the first, or its share, which is always all."""
    for remark in facts.log.remarks:
        if remark.kind == "argmax over one output" and remark.n:
            yield Hit(
                remark.place,
                f"The highest of one output was taken in {remark.n:,} calls (first of "
                f"{remark.facts['n_samples']:,} samples): "
                "it is always output 0.",
            )
        if remark.kind == "softmax over one output" and remark.n:
            yield Hit(
                remark.place,
                f"A softmax over one output was taken in {remark.n:,} calls (first of {remark.facts['n_samples']:,} "
                "samples): it is always 1.",
            )


RULES = (
    Rule(
        code="H301",
        name="argmax-over-one-output",
        severity="error",
        believed="The answers are the model's.",
        effect="The answer is class 0 whatever the model says: the accuracy is the share of class 0.",
        fix="with one output, answer 1 where it is above 0 (a logit) or above 0.5 (a probability)",
        find=find_single,
    ),
)
