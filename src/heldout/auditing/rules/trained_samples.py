"""H101 and H102: samples that a model was evaluated on, and had learned from."""

from collections.abc import Iterable, Iterator

import numpy as np

from heldout.auditing.facts import HELD_OUT, MOSTLY_DIFFERENT, Facts, Loop
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.seen.data import Asking, Samples
from heldout.auditing.watch.held_samples import n_distinct

# An overlap below this share is told as a note: a few equal pictures are in most data sets.
SMALL_SHARE = 0.01
FEW_SHARED = 3
# Calls with tensors made by hand that held learned samples: from this share on nothing else was asked (assumed).
NEARLY_ALL_CALLS = 0.9
# Samples that the model had been asked about before they were put into a data set: from this share on they are its own
# experience, as an agent's, and nobody takes an answer about them for one about unseen samples (assumed).
NEARLY_ALL_SAMPLES = 0.9


def find_whole(facts: Facts) -> Iterator[Hit]:
    """Evaluations all of whose samples were trained on, where nothing else was evaluated or it is called held-out."""
    judged = [(loop, *shared) for loop in _one_of_each(facts) if (shared := _shared(facts, loop)) is not None]
    for loop, n_trained, n in judged:
        clean = any(other.family == loop.family and _is_mild(shared, n_all) for other, shared, n_all in judged)
        if n_trained == n and (loop.is_held_out or not clean):
            told = f"100 % of the {n:,} samples evaluated here ({loop.called}) had been trained on."
            yield Hit(loop.source, told, more=loop.further)
    for asking in _judged_by_hand(facts):
        if asking.n_whole == asking.n_calls and (_is_held_out(asking) or _stands_for_held_out(facts, asking)):
            told = f"100 % of the {asking.n_distinct:,} samples evaluated here ({_called(asking)}) had been trained on."
            yield Hit(asking.place, told)


def find_part(facts: Facts) -> Iterator[Hit]:
    """Evaluations some of whose samples were trained on."""
    for loop in _one_of_each(facts):
        shared = _shared(facts, loop)
        if shared is None or not 0 < shared[0] < shared[1]:
            continue
        n_trained, n = shared
        observed = (
            f"{n_trained:,} of the {n:,} samples evaluated here ({loop.called}), {100 * n_trained / n:.2g} "
            f"%, had been trained on."
        )
        is_mild = _is_mild(n_trained, n) or _is_guessed(facts, loop) or _is_training_part(facts, loop, n_trained / n)
        yield Hit(loop.source, observed, severity="note" if is_mild else None, more=loop.further)
    yield from _part_by_hand(facts)


def _part_by_hand(facts: Facts) -> Iterator[Hit]:
    for asking in _judged_by_hand(facts):
        if not asking.n_part:
            continue
        share = asking.n_learned / asking.n_samples
        is_small = _is_few(asking)
        # Where some calls hold none, the same line may be asked about the training part and about the other in turn.
        in_all = asking.n_part + asking.n_whole >= NEARLY_ALL_CALLS * asking.n_calls
        is_wrong = in_all and (_is_held_out(asking) or _stands_for_held_out(facts, asking))
        yield Hit(
            asking.place,
            f"Of the samples evaluated here ({_called(asking)}; {asking.n_distinct:,} in {asking.n_calls:,} calls) "
            f"{100 * share:.2g} % had been trained on.",
            severity=None if is_wrong and not is_small else "note",
        )


def _is_training_part(facts: Facts, loop: Loop, share: float) -> bool:
    """Whether nearly all was trained on, beside unseen samples: the training part, of which a batch was dropped."""
    others = [other for other in _one_of_each(facts) if other.family == loop.family]
    shares = [shared for other in others if (shared := _shared(facts, other)) is not None]
    return not loop.is_held_out and share >= NEARLY_ALL_SAMPLES and any(_is_mild(*each) for each in shares)


def _is_guessed(facts: Facts, loop: Loop) -> bool:
    """Whether samples without labels are answered, as to label them, and the numbers are made of others."""
    others = [other for other in _one_of_each(facts) if other.family == loop.family]
    shares = [shared for other in others if (shared := _shared(facts, other)) is not None and other.n_right is not None]
    return not loop.is_held_out and loop.n_right is None and any(n_trained == 0 for n_trained, _ in shares)


def _is_mild(n_trained: int, n: int) -> bool:
    """Whether so few samples of so many were learned from that the part still is one of unseen samples."""
    return n_trained < SMALL_SHARE * n or n_trained < min(FEW_SHARED, n)


def _is_few(asking: Asking) -> bool:
    """As `_is_mild`, of tensors made by hand."""
    few = min(FEW_SHARED, asking.most_at_once)
    return asking.n_learned < SMALL_SHARE * asking.n_samples or asking.most_shared < few


def _judged_by_hand(facts: Facts) -> Iterable[Asking]:
    """Evaluations of tensors made by hand whose rows can be told apart."""
    return (each for each in facts.log.askings if each.n_distinct >= MOSTLY_DIFFERENT * each.most_at_once)


def _is_held_out(asking: Asking) -> bool:
    return any(HELD_OUT.search(name) for name in asking.names)


def _called(asking: Asking) -> str:
    telling = [name for name in asking.names if HELD_OUT.search(name)] or list(asking.names)
    return telling[-1] if telling else f"the tensors of line {asking.place.line}"


def _stands_for_held_out(facts: Facts, asking: Asking) -> bool:
    """Whether a number is printed as held-out, and the family was asked about no other samples than learned ones."""
    if not any(each.first.part not in {"", "train"} for each in facts.series):
        return False
    # A graph is shown whole, in training and afterwards: what is held out of it are the labels of some nodes.
    learned = [s for loop in facts.trainings if loop.family == asking.model and not loop.passed for s in loop.stretches]
    if max((max(each.sizes) for each in learned), default=0) == asking.most_at_once == asking.n_distinct:
        return False
    loops = [loop for loop in _one_of_each(facts) if loop.family == asking.model and loop.data_set is not None]
    shares = [shared for loop in loops if (shared := _shared(facts, loop)) is not None]
    others = [each for each in facts.log.askings if each.model == asking.model]
    if any(n_trained == 0 for n_trained, _ in _shares_of_kin(facts, asking.model)):
        return False
    return not any(_is_mild(*each) for each in shares) and not any(_is_few(each) for each in others)


def _shares_of_kin(facts: Facts, family: int) -> list[tuple[int, int]]:
    """Of models that learn by the same optimiser, as two encoders do, what loaders gave them to be evaluated on."""
    kin = set[int]().union(*(each.models for each in facts.log.optimisers if family in each.models)) - {family}
    loops = [loop for loop in _one_of_each(facts) if loop.family in kin]
    return [shared for loop in loops if (shared := _shared(facts, loop)) is not None]


def _one_of_each(facts: Facts) -> list[Loop]:
    """The first evaluation of each data set by each family at each line."""
    found = {
        (loop.family, loop.data_set.number, loop.place): loop
        for loop in reversed(facts.evaluations)
        if loop.data_set is not None and (loop.is_held_out or not _is_experience(facts, loop))
    }
    return list(reversed(found.values()))


def _is_experience(facts: Facts, loop: Loop) -> bool:
    """Whether the model was asked about these samples, as tensors made by hand, before it learned from them."""
    asked = [each.items for each in facts.samples_of(loop.family, trained=False, data_set=-1)]
    learned = [other for other in facts.trainings if other.family == loop.family and other.data_set is loop.data_set]
    acted = [other.start for other in facts.evaluations if other.family == loop.family and other.data_set is None]
    if not asked or not acted or not learned or min(acted) > learned[0].start:
        return False
    items = np.concatenate([samples.items for samples in _samples_of(facts, loop)] or [np.zeros(0, np.uint64)])
    return len(items) > 0 and bool(np.isin(items, np.concatenate(asked)).mean() >= NEARLY_ALL_SAMPLES)


def _shared(facts: Facts, loop: Loop) -> tuple[int, int] | None:
    """How many distinct samples of a loop's data set were trained on, of how many; None where it cannot be told."""
    told = [each for each in _samples_of(facts, loop) if _are_told_apart(each) and len(each.items)]
    counts = [max(facts.share_trained(loop.family, each), _share_alike(facts, loop.family, each)) for each in told]
    return (sum(n for n, _ in counts), sum(n for _, n in counts)) if counts else None


def _share_alike(facts: Facts, family: int, samples: Samples) -> tuple[int, int]:
    """Samples that look like learned ones, unless so few that their short hashes may be equal by chance."""
    n_alike, n = facts.share_alike(family, samples)
    is_told = n_distinct(samples.views) >= MOSTLY_DIFFERENT * len(samples.views)
    return (n_alike, n) if is_told and n_alike > SMALL_SHARE * n else (0, n)


def _samples_of(facts: Facts, loop: Loop) -> list[Samples]:
    assert loop.data_set is not None
    number, root = loop.data_set.number, loop.data_set.root
    given = facts.samples_of(loop.family, trained=False)
    own = [each for each in given if each.shown_as == number]
    own = own or [each for each in given if each.data_set == number and each.shown_as < 0]
    return own or [each for each in given if each.data_set == root and each.shown_as < 0]


def _are_told_apart(samples: Samples) -> bool:
    """Whether samples are mostly different, so that an equal one is the same one."""
    n_given = max(samples.n_given, 1)
    return n_distinct(samples.items) >= MOSTLY_DIFFERENT * min(n_given, len(samples.items))


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
