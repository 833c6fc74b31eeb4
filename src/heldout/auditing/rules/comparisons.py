"""H401, H402 and H406: runs that are compared, and are not what they are compared as."""

import re
from collections import defaultdict
from collections.abc import Iterator

from heldout.auditing.facts import Facts
from heldout.auditing.log import Optimiser, Place
from heldout.auditing.rule import Hit, Rule

N_TOLD = 5
# What people call a model that begins with random weights.
FRESH = re.compile(r"(?i)(?:^|[^a-z])(?:scratch|untrained|empty|random_?init|not?_?pretrained)(?:[^a-z]|$)")


def find_goes_on(facts: Facts) -> Iterator[Hit]:
    """Optimisers made by one line with different settings, of which later ones went on with trained weights."""
    for place, made in _by_line(facts).items():
        rates = [each.learning_rate for each in made]
        later = [each for each in made[1:] if each.n_updates_before]
        # Falling rates on the same weights are a schedule made by hand: that is meant.
        is_falling = rates == sorted(rates, reverse=True)
        differing = len({tuple(sorted(each.settings.items())) for each in made}) > 1
        if later and differing and all(each.n_steps for each in made):
            told = ", ".join(f"{rate:g}" for rate in rates[:N_TOLD])
            before = ", ".join(f"{each.n_updates_before:,}" for each in made[:N_TOLD])
            yield Hit(
                place,
                f"{len(made)} optimisers were made here, with learning rates {told}; when each "
                f"began, its weights had taken "
                f"{before} steps.",
                severity="note" if is_falling else None,
            )


def _by_line(facts: Facts) -> dict[Place, list[Optimiser]]:
    found: dict[Place, list[Optimiser]] = defaultdict(list)
    for each in facts.log.optimisers:
        if each.n_steps:
            found[each.place].append(each)
    return {place: made for place, made in found.items() if len(made) > 1 and place.line}


def find_same(facts: Facts) -> Iterator[Hit]:
    """Trainings that began alike, were set alike and learned from the same samples, under different names."""
    kin: dict[tuple[object, ...], list[Optimiser]] = defaultdict(list)
    for each in facts.log.optimisers:
        if each.n_steps and each.trained_data:
            settings = tuple(sorted(each.settings.items()))
            kin[each.fingerprint, settings, each.trained_data, each.n_steps].append(each)
    for alike in kin.values():
        names = [_name(facts, each) for each in alike]
        if len(alike) > 1:
            same_end = len({each.last_fingerprint for each in alike}) == 1
            ends = " and ended with the same weights" if same_end else ""
            yield Hit(
                alike[1].place,
                f"{len(alike)} trainings ({', '.join(dict.fromkeys(names))}) began with the same "
                f"weights and settings (learning "
                f"rate {alike[0].learning_rate:g}), learned from the same samples{ends}.",
                more=(alike[0].place,),
            )


def find_not_fresh(facts: Facts) -> Iterator[Hit]:
    """Trainings that are called untrained and began with loaded weights, where others are called pretrained."""
    made = [each for each in facts.log.optimisers if each.n_steps and each.n_parameters > 1]
    called_fresh = [each for each in made if any(FRESH.search(word) for word in each.called)]
    for each in called_fresh:
        word = next(word for word in each.called if FRESH.search(word))
        others = [other for other in made if other is not each and not any(FRESH.search(word) for word in other.called)]
        if each.n_loaded and any(other.n_loaded for other in others):
            yield Hit(
                each.place,
                f"The training called {word!r} began with {each.n_loaded} of {each.n_parameters} parameters out of a "
                "state dict, as those did that it is compared with.",
            )


def _name(facts: Facts, optimiser: Optimiser) -> str:
    return facts.name_of(min(optimiser.models)) if optimiser.models else f"line {optimiser.place.line}"


def find_no_seed(facts: Facts) -> Iterator[Hit]:
    """Scripts that train and set no seed."""
    if facts.trained_families and not any(event.kind == "seed" for event in facts.log.events):
        first = facts.trainings[0]
        yield Hit(first.place, "No seed was set before or during training: the next run prints other numbers.")


RULES = (
    Rule(
        code="H401",
        name="sweep-goes-on",
        severity="error",
        believed="Each setting is tried on a fresh model, so that the settings can be compared.",
        effect="Each goes on where the one before stopped: later settings look better for being trained longer.",
        fix="make a new model inside the loop, before its optimiser",
        find=find_goes_on,
    ),
    Rule(
        code="H402",
        name="variants-are-one-model",
        severity="error",
        believed="Different models are compared.",
        effect="They are one model under several names: what differs between their numbers is chance.",
        fix="call the function that makes the variant, and look at fingerprints of the first weights",
        find=lambda facts: (*find_same(facts), *find_not_fresh(facts)),
    ),
    Rule(
        code="H406",
        name="no-seed",
        severity="note",
        believed="Running the script again gives these numbers.",
        effect="It gives others, by as much as chance moves them.",
        fix="call torch.manual_seed(0) at the beginning, and say how much the numbers vary over seeds",
        find=find_no_seed,
    ),
)
