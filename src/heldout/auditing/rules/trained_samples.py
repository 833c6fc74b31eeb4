"""H101 and H102: samples that a model was evaluated on, and had learned from."""

from collections.abc import Iterator

import numpy as np

from heldout.auditing.facts import MOSTLY_DIFFERENT, Facts, Loop
from heldout.auditing.log import Samples
from heldout.auditing.rule import Hit, Rule

# An overlap below this share is told as a note: a few equal pictures are in most data sets.
SMALL_SHARE = 0.01


def find_whole(facts: Facts) -> Iterator[Hit]:
    """Evaluations all of whose samples were trained on, where nothing else was evaluated or it is called held-out."""
    judged = [(loop, *shared) for loop in _one_of_each(facts) if (shared := _shared(facts, loop)) is not None]
    for loop, n_trained, n in judged:
        clean = any(other.family == loop.family and n_other == 0 for other, n_other, _ in judged)
        if n_trained == n and (loop.is_held_out or not clean) and _shows_all(loop, n):
            yield Hit(loop.place, f"100 % of the {n:,} samples evaluated here ({loop.called}) had been trained on.")


def find_part(facts: Facts) -> Iterator[Hit]:
    """Evaluations some of whose samples were trained on."""
    for loop in _one_of_each(facts):
        shared = _shared(facts, loop)
        if shared is None or not 0 < shared[0] < shared[1]:
            continue
        n_trained, n = shared
        share = n_trained / n
        observed = (
            f"{n_trained:,} of the {n:,} samples evaluated here ({loop.called}), {100 * share:.2g} "
            f"%, had been trained on."
        )
        # Tensors made by hand are counted together: the shared ones may be the training part, shown beside the other.
        is_mild = share < SMALL_SHARE or loop.data_set is None
        yield Hit(loop.place, observed, severity="note" if is_mild else None)


def _shows_all(loop: Loop, n: int) -> bool:
    """Whether tensors made by hand are an evaluation of all `n` samples: an agent that acts is shown new states."""
    n_calls = sum(len(each.sizes) for each in loop.stretches)
    return loop.data_set is not None or n_calls < loop.n_samples >= n


def _one_of_each(facts: Facts) -> list[Loop]:
    """The first evaluation of each data set by each family at each line."""
    found = {
        (loop.family, loop.data_set.number if loop.data_set else -1, loop.place): loop
        for loop in reversed(facts.evaluations)
    }
    return list(reversed(found.values()))


def _shared(facts: Facts, loop: Loop) -> tuple[int, int] | None:
    """How many distinct samples of a loop's data set were trained on, of how many; None where it cannot be told."""
    counts = [
        facts.share_trained(loop.family, samples)
        for samples in _samples_of(facts, loop)
        if _are_told_apart(samples) and len(samples.items)
    ]
    return (sum(n for n, _ in counts), sum(n for _, n in counts)) if counts else None


def _samples_of(facts: Facts, loop: Loop) -> list[Samples]:
    number = loop.data_set.number if loop.data_set else -1
    given = facts.samples_of(loop.family, trained=False)
    roots = {each.number for each in facts.log.data_sets if number in (each.number, each.root)}
    own = [each for each in given if each.data_set in roots | {number}]
    if own or loop.data_set is None:
        return own
    return [each for each in given if each.data_set == loop.data_set.root]


def _are_told_apart(samples: Samples) -> bool:
    """Whether samples are mostly different, so that an equal one is the same one."""
    n_given = max(samples.n_given, 1)
    return len(np.unique(samples.items)) >= MOSTLY_DIFFERENT * min(n_given, len(samples.items))


RULES = (
    Rule(
        code="H101",
        name="evaluated-on-trained-samples",
        severity="error",
        believed="The number tells how the model does on samples it has never seen.",
        effect="It tells how well the samples were learned by heart: it is too high, and rises with every epoch.",
        fix="evaluate on a part that no optimiser step has used, split off before anything else is done",
        find=find_whole,
    ),
    Rule(
        code="H102",
        name="evaluation-overlaps-training",
        severity="error",
        believed="None of the evaluated samples was used for training.",
        effect="The shared samples are answered from memory: the number is too high, by up to their share.",
        fix=(
            "split first, by sample and not by row after oversampling or copying, and check that "
            "the parts share nothing"
        ),
        find=find_part,
    ),
)
