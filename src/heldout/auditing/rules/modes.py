"""H207 to H209: layers that behave as in training while a model is evaluated, or the reverse."""

from collections.abc import Iterator

from heldout.auditing.facts import Facts, Loop
from heldout.auditing.rule import Hit, Rule

# Passes over the same samples without a step between them, from which on random answers are meant (MC dropout).
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
    for loop in facts.evaluations:
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
        yield Hit(
            loop.place,
            f"{n:,} of {n_calls:,} evaluation calls of {facts.name_of(loop.family)} on {loop.called} ran in training "
            f"mode: {' and '.join(what)}.",
        )


def _is_judged(facts: Facts, loop: Loop) -> bool:
    """Whether a number is made of it: it is called held-out, or is labelled and nothing that the model learns from."""
    if loop.is_held_out:
        return True
    learned = {other.data_set.number for other in facts.trainings if other.family == loop.family and other.data_set}
    return loop.data_set is not None and loop.data_set.number not in learned and loop.n_right is not None


def find_dropout(facts: Facts) -> Iterator[Hit]:
    """Functional dropout that is on although its model is in evaluation mode."""
    repeated = _is_repeated(facts)
    for remark in facts.log.remarks:
        if remark.kind == "dropout while evaluating" and remark.n:
            yield Hit(
                remark.place,
                f"Dropout with p = {remark.facts['p']:g} was at work in {remark.n:,} calls while "
                f"its model was in evaluation "
                "mode.",
                severity="note" if repeated else None,
            )


def _is_repeated(facts: Facts) -> bool:
    """Whether the same samples were answered several times on end: random answers are meant then."""
    run: dict[tuple[int, int], int] = {}
    for loop in facts.loops:
        key = (loop.family, loop.data_set.number if loop.data_set else -1)
        run[key] = 0 if loop.trained else run.get(key, 0) + 1
        if run[key] >= N_REPEATED and not loop.trained and all(not each.grad for each in loop.stretches):
            return _no_training_between(facts, loop)
    return False


def _no_training_between(facts: Facts, loop: Loop) -> bool:
    before = [other for other in facts.loops if other.start < loop.start][-(N_REPEATED - 1) :]
    return all(not other.trained and other.family == loop.family for other in before)


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
