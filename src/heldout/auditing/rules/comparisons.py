"""H401, H402 and H406: runs that are compared, and are not what they are compared as."""

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from heldout.auditing.facts import Facts
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.weights_loaded import find_carried_over, find_live_restart
from heldout.auditing.seen.models import Optimiser
from heldout.auditing.seen.place import Place

N_TOLD = 5
# What people call the setting that they go on with.
BEST = re.compile(r"(?i)\b(?:best|optimal|winner|winning|chosen|choose|picked)\b")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d*)?(?:e[+-]?\d+)?|(?<![\w.])\.\d+", re.IGNORECASE)
# What people call a model that begins with random weights.
FRESH = re.compile(r"(?i)(?:^|[^a-z])(?:scratch|untrained|empty|random_?init|not?_?pretrained)(?:[^a-z]|$)")


def find_goes_on(facts: Facts) -> Iterator[Hit]:
    """Optimisers made by one line with different settings, of which later ones went on with trained weights."""
    for place, made in _by_line(facts).items():
        rates = [each.learning_rate for each in made]
        later = [each for each in made[1:] if each.n_updates_before]
        pairs = [pair for pair in pairwise(made) if pair[1].n_updates_before]
        are_stages = all(_is_stage(*pair) or _is_transfer(pair[1], made[0]) for pair in pairs)
        is_meant = are_stages and not _are_compared(facts, made)
        differing = len({tuple(sorted(each.settings.items())) for each in made}) > 1
        if later and differing and all(each.n_steps for each in made):
            told = ", ".join(f"{rate:g}" for rate in rates[:N_TOLD])
            before = ", ".join(f"{each.n_updates_before:,}" for each in made[:N_TOLD])
            asked_from = made[1].asked_from
            yield Hit(
                asked_from if asked_from.line else place,
                f"{len(made)} optimisers were made here, with learning rates {told}; when each "
                f"began, its weights had taken "
                f"{before} steps.",
                severity="note" if is_meant else None,
                more=(place,) if asked_from.line else (),
            )


def _are_compared(facts: Facts, made: list[Optimiser]) -> bool:
    """Whether an earlier rate is printed when all trainings are over, or one of the rates as the best of them."""
    n_moved = {each.n_parameters - each.n_without_grad for each in made}
    rates = {each.learning_rate for each in made}
    after = [line.text for line in facts.lines if line.moment > made[-1].last_step]
    told = [(text, {float(number) for number in _NUMBER.findall(text)} & rates) for text in after]
    earlier = rates - {made[-1].learning_rate}
    return len(n_moved) == 1 and any(named & earlier or (named and BEST.search(text)) for text, named in told)


def _is_stage(before: Optimiser, later: Optimiser) -> bool:
    """Whether a training is a stage after another: at a falling rate, as in a schedule, or with more layers freed."""
    n_moved, n_moved_before = (each.n_parameters - each.n_without_grad for each in (later, before))
    return later.learning_rate <= before.learning_rate or n_moved > n_moved_before


def _is_transfer(later: Optimiser, first: Optimiser) -> bool:
    """Whether a body goes on under a new head: some parameters are new, and other samples are learned from."""
    return 0 < later.n_fresh < later.n_parameters and later.trained_data != first.trained_data


def find_twins(facts: Facts) -> Iterator[Hit]:
    """Models made anew for each training that hold the very parameters of the one before."""
    for place, made in _by_line(facts).items():
        later = [each for each in made[1:] if each.n_updates_before and len(each.models) == 1]
        twins = [each for each in later if _is_twin(facts, each, made[0])]
        if twins and len(twins) == len(made) - 1:
            steps = ", ".join(f"{each.n_updates_before:,}" for each in made[:N_TOLD])
            asked_from = made[1].asked_from
            yield Hit(
                asked_from if asked_from.line else place,
                f"{len(made)} models were trained and evaluated with optimisers made here, and all hold the same "
                f"parameters; when each began, these had taken {steps} steps.",
                more=(place,) if asked_from.line else (),
            )


def _is_twin(facts: Facts, later: Optimiser, first: Optimiser) -> bool:
    """Whether an optimiser trained a model of its own that has the parameters of a model trained and asked before."""
    one, other = (_learner(facts, each) for each in (first, later))
    if one is None or other is None or one == other:
        return False
    models = facts.log.models
    between = (each for each in facts.log.stretches if first.last_step < each.moments[0] < later.first_step)
    is_asked = any(each.model == one and not each.trained for each in between)
    return models[one].twin == models[other].twin and models[one].kind == models[other].kind and is_asked


def _learner(facts: Facts, optimiser: Optimiser) -> int | None:
    """The model that was called when an optimiser first stepped."""
    before = [each for each in facts.log.stretches if each.trained and each.moments[0] < optimiser.first_step]
    return before[-1].model if before else None


def _first_loss(facts: Facts, optimiser: Optimiser) -> float | None:
    """The loss that an optimiser's first step was made from; None where none was seen."""
    before = [
        (moment, loss)
        for each in facts.log.stretches
        if each.trained and facts.family(each.model) in optimiser.models
        for moment, loss in zip(each.moments, each.losses, strict=False)
        if moment < optimiser.first_step
    ]
    loss = max(before)[1] if before else math.nan
    return None if math.isnan(loss) else loss


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
            way = (*_schedule(facts, each), each.differentiated)
            kin[each.fingerprint, settings, each.trained_data, each.n_steps, way].append(each)
    for alike in kin.values():
        names = [_name(facts, each) for each in alike]
        if len(alike) > 1 and not _are_set_apart(facts, alike):
            known = {_end(facts, each) for each in alike}
            same_end = len(known) == 1 and 0 not in known
            ends = " and ended with the same weights" if same_end else ""
            yield Hit(
                alike[1].place,
                f"{len(alike)} trainings ({', '.join(dict.fromkeys(names))}) began with the same "
                f"weights and settings (learning "
                f"rate {alike[0].learning_rate:g}), learned from the same samples{ends}.",
                more=(alike[0].place,),
            )


def _schedule(facts: Facts, optimiser: Optimiser) -> tuple[object, ...]:
    """How an optimiser's rate goes: the kinds of its schedules and where it ends, unless that hangs on a metric."""
    kinds = tuple(each.kind for each in facts.log.schedulers if each.optimiser == optimiser.number)
    return kinds, 0.0 if "ReduceLROnPlateau" in kinds else optimiser.last_learning_rate


def _are_set_apart(facts: Facts, alike: list[Optimiser]) -> bool:
    """Whether something in the steps differs: another model is asked in one, or one seed has two losses or ends."""
    own = set[int]().union(*(each.models for each in alike))
    helped = {frozenset(_asked_meanwhile(facts, each) - own) for each in alike}
    ends = [_end(facts, each) for each in alike]
    are_seeds = [each.first_step for each in alike if _was_seeded_alike(facts, each, alike[0])]
    n_losses, n_ends = len({_first_loss(facts, each) for each in alike} - {None}), len({*ends} - {0})
    return len(helped) > 1 or (len(are_seeds) == len(alike) and len(alike) in (n_ends, n_losses))


def _asked_meanwhile(facts: Facts, optimiser: Optimiser) -> set[int]:
    """The families that were asked between an optimiser's first step and its last."""
    stretches = (each for each in facts.log.stretches if each.moments[-1] > optimiser.first_step)
    return {facts.family(each.model) for each in stretches if each.moments[0] < optimiser.last_step}


def _was_seeded_alike(facts: Facts, optimiser: Optimiser, first: Optimiser) -> bool:
    """Whether a seed was set for this training, and the same one for the first: the order of samples is the same."""
    seeds = [each for each in facts.log.events if each.kind == "seed"]
    own = [each for each in seeds if each.moment < optimiser.first_step]
    before = [each for each in seeds if each.moment < first.first_step]
    is_own = optimiser is first or (bool(own) and own[-1].moment > first.last_step)
    return bool(own) and bool(before) and is_own and own[-1].facts == before[-1].facts


def _end(facts: Facts, optimiser: Optimiser) -> int:
    """The fingerprint of what an optimiser trained, at the end; 0 where that is not known."""
    models = [facts.log.models[number].last_fingerprint for number in sorted(optimiser.models)]
    return optimiser.last_fingerprint or next(iter(models), 0)


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
        find=lambda facts: (
            *find_twins(facts),
            *find_live_restart(facts),
            *find_carried_over(facts),
            *find_goes_on(facts),
        ),
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
