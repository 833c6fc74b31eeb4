"""H202 to H204: parameters that ought to learn and do not, and those that ought not and do."""

from collections.abc import Iterator

from heldout.auditing.facts import Facts
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.seen.models import Optimiser

N_NAMED = 3
# Backward passes after which an optimiser ought to have stepped once (assumed).
N_IDLE = 8


def find_forgotten(facts: Facts) -> Iterator[Hit]:
    """Parameters that get gradients and that no optimiser holds."""
    for optimiser in facts.log.optimisers:
        if not optimiser.unknown:
            continue
        held = f"{optimiser.n_without_grad} of the {optimiser.n_parameters} it holds never had one" * (
            optimiser.n_without_grad > 0
        )
        named = ", ".join(optimiser.unknown[:N_NAMED])
        more = f" and {len(optimiser.unknown) - N_NAMED} more" if len(optimiser.unknown) > N_NAMED else ""
        observed = f"{named}{more} got gradients in every step, and no optimiser holds them"
        yield Hit(
            optimiser.place,
            f"{observed}; {held}." if held else f"{observed}.",
            # To hand an optimiser the head alone is a way to train the head alone; a head left out never is meant.
            severity=None if held or _lacks_the_end(facts, optimiser) else "note",
        )
    yield from _unlisted(facts)
    yield from _idle(facts)


def _unlisted(facts: Facts) -> Iterator[Hit]:
    """Layers that a model calls and holds in a plain list: it does not tell their parameters to an optimiser."""
    for optimiser in facts.log.optimisers:
        if optimiser.unlisted:
            named = ", ".join(optimiser.unlisted[:N_NAMED])
            yield Hit(
                optimiser.unlisted_place if optimiser.unlisted_place.line else optimiser.place,
                f"{len(optimiser.unlisted):,} parameters ({named}) got gradients, and no optimiser holds them: the "
                "layers are in a plain list or dict, where parameters() does not find them.",
                more=(optimiser.place,),
            )


def _idle(facts: Facts) -> Iterator[Hit]:
    """Optimisers that never step, though backward passes give their parameters gradients."""
    for optimiser in facts.log.optimisers:
        if not optimiser.n_steps and optimiser.n_idle >= N_IDLE and facts.log.outcome == "finished":
            yield Hit(
                optimiser.place,
                f"This {optimiser.kind} never stepped, while {optimiser.n_idle:,} backward passes gave its parameters "
                "gradients, and nothing else changed them.",
            )


def _lacks_the_end(facts: Facts, optimiser: Optimiser) -> bool:
    """Whether what is left out is the end of the model: parameters are named from the input to the output."""
    return any(optimiser.unknown[-1] == model.last_parameter for f in optimiser.models for model in facts.models_of(f))


def find_misspelt(facts: Facts) -> Iterator[Hit]:
    """Attributes set on parameters that look like `requires_grad` and are not."""
    for remark in facts.log.remarks:
        if remark.kind == "misspelt attribute" and remark.n:
            yield Hit(
                remark.place,
                f"{remark.n:,} parameters of this optimiser have an attribute "
                f"{remark.facts['name']!r}, which torch does not "
                "know; their requires_grad is untouched.",
            )


def find_moving(facts: Facts) -> Iterator[Hit]:
    """Frozen parameters that changed, and frozen batch normalisations whose statistics go on."""
    for optimiser in facts.log.optimisers:
        if optimiser.n_moved_frozen:
            yield Hit(
                optimiser.place,
                f"{optimiser.n_moved_frozen:,} parameters with requires_grad=False changed while "
                f"this {optimiser.kind} stepped.",
                severity="error",
            )
    for family in sorted(facts.trained_families):
        live = [each for loop in facts.trainings if loop.family == family for each in loop.stretches]
        n, of = sum(each.n_frozen_norm_live for each in live), sum(len(each.sizes) for each in live)
        if n:
            yield Hit(
                live[0].place,
                f"In {n:,} of {of:,} training calls of {facts.name_of(family)} a batch "
                f"normalisation with frozen weights "
                "went on learning its running mean and variance.",
            )


RULES = (
    Rule(
        code="H202",
        name="parameters-without-optimiser",
        severity="error",
        believed="The whole model is trained.",
        effect="What no optimiser holds stays as it was drawn: the number is that of a model with untrained layers.",
        fix="make the optimiser after the last layer is replaced, of all parameters that are to learn",
        find=find_forgotten,
    ),
    Rule(
        code="H203",
        name="misspelt-freeze",
        severity="error",
        believed="The layers are frozen.",
        effect=(
            "Python sets any attribute without a word: the layers train on, and the regime is not "
            "the one that is named."
        ),
        fix="write parameter.requires_grad = False, or module.requires_grad_(False)",
        find=find_misspelt,
    ),
    Rule(
        code="H204",
        name="frozen-that-trains",
        severity="note",
        believed="The frozen part stays as it was.",
        effect="It drifts towards the new data: results of 'frozen' and 'trained' are not what their names say.",
        fix="put frozen modules into evaluation mode (module.eval()) after every model.train()",
        find=find_moving,
    ),
)
