"""H201: steps that use the gradients of steps before."""

from collections.abc import Iterator

from heldout.auditing.facts import Facts
from heldout.auditing.rule import Hit, Rule


def find_stale(facts: Facts) -> Iterator[Hit]:
    """Backward passes that added to gradients which a step had used already."""
    for optimiser in facts.log.optimisers:
        if optimiser.n_stale > 1:
            yield Hit(
                optimiser.stale_place if optimiser.stale_place.line else optimiser.place,
                f"{optimiser.n_stale:,} of {optimiser.n_steps:,} steps of this {optimiser.kind} "
                f"used a gradient that held "
                "those of earlier steps too: this backward pass added to them.",
                more=(optimiser.place,),
            )


RULES = (
    Rule(
        code="H201",
        name="gradients-never-cleared",
        severity="error",
        believed="Each step follows the gradient of its own batch.",
        effect=(
            "Each step follows the sum of all gradients so far: a momentum without end, that "
            "overshoots and may diverge."
        ),
        fix="call optimizer.zero_grad() once before the backward pass of every step",
        find=find_stale,
    ),
)
