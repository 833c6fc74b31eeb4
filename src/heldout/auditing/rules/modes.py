"""H207 to H209: layers that behave as in training while a model is evaluated, or the reverse."""

from collections.abc import Iterator
from itertools import groupby

from heldout.auditing.facts import HELD_OUT, Facts, Loop
from heldout.auditing.rule import Hit, Rule

# Answers to the same samples without a step between them, from which on random ones are meant (MC dropout; assumed).
N_REPEATED = 3


def find_stuck(facts: Facts) -> Iterator[Hit]:
    """Models that began to train in training mode, and went on in evaluation mode."""
    for family in sorted(facts.trained_families):
        models = facts.models_of(family)
        if not any(model.has_dropout or model.has_norm for model in models):
            continue
        loops = [loop for loop in facts.trainings if loop.family == family]
        live = [_is_live(loop) for loop in loops]
        if len(loops) > 1 and live[0] and not any(live[len(live) // 2 :]):
            stuck = loops[live.index(False)]
            n = sum(len(each.sizes) for loop, on in zip(loops, live, strict=True) for each in loop.stretches if not on)
            yield Hit(
                stuck.place,
                f"{facts.name_of(family)} was trained in evaluation mode in {n:,} calls, after {live.index(False)} "
                f"of {len(loops)} passes in training mode.",
            )


def _is_live(loop: Loop) -> bool:
    return any(each.n_dropout_live or each.n_norm_live for each in loop.stretches)


def find_training_mode(facts: Facts) -> Iterator[Hit]:
    """Evaluations in which dropout drops, or batch normalisation learns from what it is evaluated on."""
    meant = _meant_random(facts)
    # A copy of a model, such as an average of its weights, learns from nothing by itself and is evaluated all the same.
    copies = [loop for loop in facts.loops if not loop.trained and loop.family not in facts.trained_families]
    for loop in (*facts.evaluations, *(each for each in copies if each.is_held_out and facts.trained_families)):
        stretches = [each for each in loop.stretches if each.training_mode or each.n_norm_live]
        n = sum(max(each.n_dropout_live, each.n_norm_live) for each in stretches)
        if not n or not _is_judged(facts, loop):
            continue
        n_calls = sum(len(each.sizes) for each in loop.stretches)
        what = [
            *(["dropout was at work"] if any(each.n_dropout_live for each in stretches) else []),
            *(
                ["batch normalisation used and learned batch statistics"]
                if any(e.n_norm_live for e in stretches)
                else []
            ),
        ]
        is_meant = loop.start in meant and not any(each.n_norm_live for each in stretches)
        yield Hit(
            loop.place,
            f"{n:,} of {n_calls:,} evaluation calls of {facts.name_of(loop.family)} on {loop.called} ran in training "
            f"mode: {' and '.join(what)}.",
            severity="note" if is_meant else None,
        )


def _is_judged(facts: Facts, loop: Loop) -> bool:
    """Whether a number is made of it: it is called held-out, or is labelled and nothing that the model learns from."""
    if loop.is_held_out:
        return True
    if loop.data_set is None:
        return _is_asked_by_hand(facts, loop)
    learned = {other.data_set.number for other in facts.trainings if other.family == loop.family and other.data_set}
    return loop.data_set is not None and loop.data_set.number not in learned and loop.n_right is not None


def _is_asked_by_hand(facts: Facts, loop: Loop) -> bool:
    """Whether tensors made by hand are held-out by their name, and are asked about once between two trainings."""
    asked = [each for each in facts.log.askings if each.model == loop.family and each.place == loop.place]
    named = any(HELD_OUT.search(name) for each in asked for name in each.names)
    is_plain = all(not each.grad for each in loop.stretches)
    return named and is_plain and sum(len(each.sizes) for each in loop.stretches) < N_REPEATED


def find_dropout(facts: Facts) -> Iterator[Hit]:
    """Functional dropout that is on although its model is in evaluation mode."""
    repeated = bool(_meant_random(facts))
    for remark in facts.log.remarks:
        if remark.kind == "dropout while evaluating" and remark.n:
            yield Hit(
                remark.place,
                f"Dropout with p = {remark.facts['p']:g} was at work in {remark.n:,} calls while "
                f"its model was in evaluation "
                "mode.",
                severity="note" if repeated else None,
            )


def _meant_random(facts: Facts) -> frozenset[int]:
    """The first moments of loops that answer samples several times on end, by batch or by pass, as MC dropout does."""
    found: set[int] = set()
    for family in {loop.family for loop in facts.loops}:
        loops = [loop for loop in facts.loops if loop.family == family]
        for is_asked, group in groupby(loops, key=_asked_about):
            alike = list(group)
            if is_asked is not None:
                again = len(alike) >= N_REPEATED
                found.update(loop.start for loop in alike if again or _n_answers(loop) >= N_REPEATED)
    return frozenset(found)


def _asked_about(loop: Loop) -> int | None:
    """The data set whose samples are only answered in a loop; None where it is learned from, or there is none."""
    learns = loop.trained or any(each.grad for each in loop.stretches)
    return None if learns or loop.data_set is None else loop.data_set.number


def _n_answers(loop: Loop) -> float:
    """How often each batch of a pass was answered, on the average."""
    n_batches = loop.passed.fetched if loop.passed is not None else 0
    return sum(len(each.sizes) for each in loop.stretches) / max(n_batches, 1)


RULES = (
    Rule(
        code="H207",
        name="training-in-evaluation-mode",
        severity="error",
        believed="The model is trained with dropout and batch normalisation, as it is written.",
        effect=(
            "From the first evaluation on both are off in training: another model is trained than the one described."
        ),
        fix="call model.train() at the beginning of every training epoch",
        find=find_stuck,
    ),
    Rule(
        code="H208",
        name="evaluation-in-training-mode",
        severity="error",
        believed="The number is that of the finished model, the same each time.",
        effect=(
            "Dropout lowers it and makes it random; batch normalisation makes it depend on the "
            "batch, and learns from the test."
        ),
        fix="call model.eval() before evaluating, and model.train() before training again",
        find=find_training_mode,
    ),
    Rule(
        code="H209",
        name="dropout-ignores-evaluation",
        severity="error",
        believed="model.eval() switches dropout off.",
        effect=(
            "A functional dropout does not know of it: the number is lower than the model's, and another one each time."
        ),
        fix="write dropout(x, p, training=self.training), or use nn.Dropout",
        find=find_dropout,
    ),
)
