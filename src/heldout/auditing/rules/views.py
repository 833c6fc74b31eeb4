"""H106: held-out samples that look different each time they are evaluated."""

from collections.abc import Iterator

from heldout.auditing.facts import Facts, Loop
from heldout.auditing.rule import Hit, Rule

# A share of changed samples from which on it is no accident (assumed).
MOSTLY_CHANGED = 0.5
N_AGAIN = 8


def find_random(facts: Facts) -> Iterator[Hit]:
    """Evaluated data sets whose samples came several times and mostly looked different."""
    for loop in _evaluated(facts):
        assert loop.data_set is not None
        for samples in facts.samples_of(loop.family, trained=False, data_set=loop.data_set.root):
            if samples.n_again >= N_AGAIN and samples.n_changed > MOSTLY_CHANGED * samples.n_again:
                yield Hit(
                    loop.place,
                    f"Of {samples.n_again:,} samples of {loop.called} that were evaluated again, "
                    f"{samples.n_changed:,} looked "
                    "different from the time before.",
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
        find=find_random,
    ),
)
