"""H106: held-out samples that look different each time they are evaluated."""

from collections.abc import Iterator
from math import isnan

from heldout.auditing.facts import Facts, Loop
from heldout.auditing.rule import Hit, Rule

# A share of changed samples from which on it is no accident (assumed).
MOSTLY_CHANGED = 0.5
N_AGAIN = 8
# Calls from which on "every time" is no accident (assumed).
N_CALLS = 4


def find_random(facts: Facts) -> Iterator[Hit]:
    """Evaluated data sets whose samples came several times and mostly looked different."""
    for loop in _evaluated(facts):
        assert loop.data_set is not None
        number, root = loop.data_set.number, loop.data_set.root
        given = facts.samples_of(loop.family, trained=False)
        own = [each for each in given if each.shown_as == number]
        for samples in own or [each for each in given if each.data_set == root]:
            if samples.n_again >= N_AGAIN and samples.n_changed > MOSTLY_CHANGED * samples.n_again:
                yield Hit(
                    loop.source,
                    f"Of {samples.n_again:,} samples of {loop.called} that were evaluated again, "
                    f"{samples.n_changed:,} looked "
                    "different from the time before.",
                    severity=None if _is_labelled(loop) else "note",
                    more=loop.further,
                )


def find_random_inside(facts: Facts) -> Iterator[Hit]:
    """Models in evaluation mode that draw random numbers before their first layer, as an augmentation does."""
    for remark in facts.log.remarks:
        if remark.kind != "random numbers before the first layer" or remark.n < N_CALLS or remark.n < remark.n_chances:
            continue
        loops = [loop for loop in facts.evaluations if loop.place == remark.place and loop.is_held_out]
        if loops and not _is_repeated(facts, loops[0]):
            yield Hit(
                remark.place,
                f"In all {remark.n:,} calls of {facts.name_of(loops[0].family)} in evaluation mode random numbers were "
                f"drawn before its first layer was called ({loops[0].called}).",
                severity="warning",
            )


def _is_repeated(facts: Facts, loop: Loop) -> bool:
    """Whether the same samples are answered twice on end, without training between: the answers are averaged then."""
    at = facts.loops.index(loop)
    after = facts.loops[at + 1 : at + 2]
    return any(other.data_set == loop.data_set and not other.trained for other in after)


def find_altered(facts: Facts) -> Iterator[Hit]:
    """Held-out samples that are altered at random, before a model or in it."""
    yield from find_random(facts)
    yield from find_random_inside(facts)


def _is_labelled(loop: Loop) -> bool:
    """Whether the answers are held against labels: what is masked or made noisy is to be guessed itself otherwise."""
    return all(
        sum(each.labels.values()) == each.n_samples and (each.n_label_losses or all(map(isnan, each.losses)))
        for each in loop.stretches
    )


def _evaluated(facts: Facts) -> list[Loop]:
    """One evaluation of each data set at each line, in which the model is in evaluation mode."""
    learned = {(loop.family, loop.data_set.number) for loop in facts.trainings if loop.data_set}
    found = {
        (loop.data_set.number, loop.place): loop
        for loop in reversed(facts.evaluations)
        if loop.data_set is not None and (loop.family, loop.data_set.number) not in learned
    }
    return list(reversed(found.values()))


RULES = (
    Rule(
        code="H106",
        name="random-augmentation-in-evaluation",
        severity="error",
        believed="The number is measured on the held-out samples as they are.",
        effect="It is measured on altered copies, others each time: it is lower than the model's, and moves by chance.",
        fix="give the held-out data set its own transform, without anything random",
        find=find_altered,
    ),
)
