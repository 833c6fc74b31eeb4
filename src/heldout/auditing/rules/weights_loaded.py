"""H401, H403 and H404 by what was loaded: into nothing that is asked, from another model, or from the model itself."""

from collections.abc import Iterator

from heldout.auditing.facts import Facts, Loop
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.seen.log import Event
from heldout.auditing.seen.models import Optimiser

# A model must have been put back to its beginning so often to be a sweep.
FEWEST_RESTARTS = 2


def loads(facts: Facts) -> list[Event]:
    """Every time that a state dict was put into a model."""
    return [each for each in facts.log.events if each.kind == "load_state"]


def find_not_used(facts: Facts) -> Iterator[Hit]:
    """Weights of which no name is the model's, and weights in a model that was let go before it was asked."""
    for event in loads(facts):
        n, seen = event.facts.get("n_keys", 0), event.facts
        if seen.get("n_parameters") and n == seen.get("n_unexpected", -1) and not seen.get("strict"):
            names = [*seen["unexpected"][:1], *seen["missing"][:1]]
            such = f" ({' and not '.join(map(repr, names))})" if len(names) > 1 else ""
            observed = f"None of the {n} weights that are loaded here has a name of the model's{such}"
            yield Hit(event.place, f"{observed}: it keeps its own.", severity="error")
        elif "lost_to" in seen:
            other = facts.log.models[seen["lost_to"]]
            yield Hit(
                event.place,
                f"The model that {n} weights were loaded into ({seen['kind']}) was let go before anything was asked of "
                f"it; {facts.name_of(other.family)}, which holds parameters of the same shapes, began with others.",
                more=(other.place,),
            )


def find_live_restart(facts: Facts) -> Iterator[Hit]:
    """Trainings that begin with a state dict that is put back, and that holds the model's present weights."""
    for event, before, after in _live(facts):
        if after:
            steps = sum(each.n_steps for each in before)
            yield Hit(
                event.place,
                f"The state dict that is put back here holds the model's own parameters and no copies: after {steps:,} "
                "steps it changes nothing, and the training that follows goes on with the trained weights.",
            )


def find_live_best(facts: Facts) -> Iterator[Hit]:
    """State dicts that are put back at the end, and that hold the model's present weights."""
    for event, _, after in _live(facts):
        if not after:
            yield Hit(
                event.place,
                "The state dict that is put back here holds the model's own parameters and no copies: it changes "
                "nothing, and the weights are those of the last step, whichever were to be kept.",
                severity="error",
            )


def _live(facts: Facts) -> Iterator[tuple[Event, list[Optimiser], list[Optimiser]]]:
    """Loads of a model's own parameters, with the optimisers that changed them since they were taken, and after."""
    for event in loads(facts):
        if event.facts.get("is_live"):
            own = [each for each in facts.log.optimisers if each.n_steps and each.models & set(event.facts["families"])]
            before = [each for each in own if each.first_step < event.moment and each.last_step > event.facts["taken"]]
            if before:
                yield event, before, [each for each in own if each.last_step > event.moment]


def find_carried_over(facts: Facts) -> Iterator[Hit]:
    """Optimisers with a memory that go on after the model was put back to its beginning."""
    others = [each.moment for each in facts.log.events if each.kind == "load_optimiser"]
    for optimiser in facts.log.optimisers:
        if not _has_memory(optimiser) or len(optimiser.models) != 1:
            continue
        if 0 < optimiser.n_parameters == optimiser.n_without_grad:  # it changes nothing: the weights are the first ones
            continue
        family = min(optimiser.models)
        first = {model.fingerprint for model in facts.models_of(family)}
        back = [
            each
            for each in loads(facts)
            if each.facts.get("fingerprint") in first
            and not each.facts.get("is_live")
            and optimiser.first_step < each.moment < optimiser.last_step
        ]
        is_put_back = any(optimiser.first_step < each < optimiser.last_step for each in others)
        if len(back) >= FEWEST_RESTARTS and not is_put_back:
            yield Hit(
                back[0].place,
                f"{facts.name_of(family)} was put back to its first weights {len(back)} times here, and one "
                f"{optimiser.kind} went on: each training begins with the averages, the step count and the learning "
                "rate that the one before left.",
                severity="warning",
                more=(optimiser.place,),
            )


def _has_memory(optimiser: Optimiser) -> bool:
    return "Adam" in optimiser.kind or optimiser.settings.get("momentum", "0") not in {"0", "0.0"}


def find_other_weights(facts: Facts) -> Iterator[Hit]:
    """Two models that were trained apart, and are compared with the weights of one of them."""
    asked = [each for each in facts.evaluations if each.data_set is not None and each.stretches[0].fingerprint]
    for event in loads(facts):
        families = event.facts.get("families", [])
        if len(families) != 1 or not _was_trained(facts, families[0], event):
            continue
        own = _asked_with(asked, event, families[0])
        for loop in asked if own is not None else ():
            other = loop.family
            if (
                own is not None
                and other != families[0]
                and loop.data_set == own.data_set
                and loop.stretches[0].fingerprint == event.facts["fingerprint"]
                and _was_trained(facts, other, event)
            ):
                yield Hit(
                    event.place,
                    f"{facts.name_of(families[0])} was given weights here that {facts.name_of(other)} has too: both "
                    f"had been trained apart, and were evaluated on {own.called} with the very same weights.",
                    severity="error",
                    more=(own.place,),
                )
                break


def _asked_with(asked: list[Loop], event: Event, family: int) -> Loop | None:
    """The evaluation of a model with the weights that it was given."""
    fingerprint = event.facts["fingerprint"]
    own = (each for each in asked if each.family == family and each.start > event.moment)
    return next((each for each in own if each.stretches[0].fingerprint == fingerprint), None)


def _was_trained(facts: Facts, family: int, event: Event) -> bool:
    """Whether a model was trained by an optimiser of its own before a moment, and not after."""
    own = [each for each in facts.optimisers_of(family) if each.n_steps]
    return bool(own) and all(each.last_step < event.moment and each.models == {family} for each in own)


RULES = (
    Rule(
        code="H403",
        name="pretrained-weights-not-used",
        severity="warning",
        believed="The model starts from pre-trained weights.",
        effect="It starts from random ones: what is called the gain of pre-training is something else.",
        fix="load the weights, and print a weight before and after to see that they changed",
        find=find_not_used,
    ),
    Rule(
        code="H404",
        name="state-dict-of-another-model",
        severity="warning",
        believed="The weights that are kept are those of the model that the name says.",
        effect="They are another model's: whoever loads them starts, or reports, from the wrong one.",
        fix="take state_dict() of the model that the name says",
        find=lambda facts: (*find_live_best(facts), *find_other_weights(facts)),
    ),
)
