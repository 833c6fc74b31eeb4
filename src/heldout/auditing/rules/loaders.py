"""H104, H105, H107 and H108: loaders whose batches, samplers or lengths are not those that the loop is about."""

from collections import Counter
from collections.abc import Iterator

from heldout.auditing.facts import HELD_OUT, TRAIN, Facts
from heldout.auditing.log import Pass, Place
from heldout.auditing.rule import Hit, Rule


def find_unshown(facts: Facts) -> Iterator[Hit]:
    """Held-out loaders of which batches were fetched, and none ever reached a model."""
    for passes in _by_line(facts).values():
        fetched, reached = sum(each.fetched for each in passes), sum(each.reached for each in passes)
        names = _names(facts, passes[0])
        if fetched and not reached and any(HELD_OUT.search(name) for name in names) and facts.trained_families:
            others = _shown_meanwhile(facts, passes)
            told = f" The model was shown {others} meanwhile." if others else ""
            yield Hit(
                passes[0].place,
                f"{fetched:,} batches of {names[-1]} were fetched here in {len(passes)} passes, "
                f"and none reached a model.{told}",
            )


def _shown_meanwhile(facts: Facts, passes: list[Pass]) -> str:
    """What was evaluated between the beginning of one of these passes and the next, that is not theirs."""
    own = {each.data_set for each in passes}
    shown: Counter[str] = Counter()
    for each in passes:
        following = [loop for loop in facts.loops if loop.end > each.start]
        for stretch in (stretch for loop in following[:1] for stretch in loop.stretches):
            loop = following[0]
            if loop.data_set is not None and loop.data_set.number not in own and not stretch.trained:
                shown[loop.called] += 1
    return f"a batch of {shown.most_common(1)[0][0]}" if shown else ""


def find_other_batches(facts: Facts) -> Iterator[Hit]:
    """Evaluations of a batch that another loop had been trained on: its variable was still bound."""
    for loop in facts.loops:
        for stretch in loop.stretches:
            if (
                loop.trained
                and not stretch.trained
                and loop.passed is not None
                and _is_after(stretch.moments[0], loop.passed, facts)
            ):
                yield Hit(
                    stretch.place,
                    f"{stretch.n_samples:,} samples were evaluated here that are the last batch "
                    f"of {loop.called}, which the "
                    "model had just learned from.",
                )


def _is_after(moment: int, passed: Pass, facts: Facts) -> bool:
    """Whether a pass was over by a moment: it had ended, and another had begun."""
    later = [
        each for each in facts.log.passes if passed.start < each.start < moment and each.data_set != passed.data_set
    ]
    return passed.ended and bool(later)


def find_foreign_sampler(facts: Facts) -> Iterator[Hit]:
    """Loaders that draw with a sampler made for another data set."""
    for passes in _by_line(facts).values():
        wrong = [each for each in passes if each.sampler_of]
        if wrong:
            first, names = wrong[0], _names(facts, wrong[0])
            yield Hit(
                first.place,
                f"{names[-1] if names else 'This data set'} is drawn from with a sampler that holds "
                f"{first.sampler_of[0]}: its numbers are those of other samples ({len(wrong)} passes).",
            )


def find_lengths(facts: Facts) -> Iterator[Hit]:
    """Loaders that say they have another number of batches than they give."""
    for passes in _by_line(facts).values():
        wrong = [each for each in passes if each.ended and each.declared is not None and each.declared != each.fetched]
        if wrong:
            yield Hit(
                wrong[0].place,
                f"The loader of {(_names(facts, wrong[0]) or ['this loop'])[-1]} says it has "
                f"{wrong[0].declared:,} batches and gave "
                f"{wrong[0].fetched:,} ({len(wrong)} passes).",
            )


def find_sorted(facts: Facts) -> Iterator[Hit]:
    """Training passes in the order of the data set, which comes sorted by label."""
    for loop in facts.trainings:
        if loop.passed is None or not loop.passed.in_order:
            continue
        n = loop.n_samples
        labels = sum((each.labels for each in loop.stretches), Counter[float]())
        changes = sum(each.n_label_changes for each in loop.stretches)
        # Of shuffled labels nearly as many neighbours differ as two drawn at random would.
        expected = n * (1 - sum((count / n) ** 2 for count in labels.values())) if n else 0
        if len(labels) > 1 and sum(labels.values()) == n and expected > 20 and changes < 0.1 * expected:
            yield Hit(
                loop.place,
                f"The {n:,} training samples of {loop.called} come in the order of their labels: "
                f"{changes} of the neighbours in "
                f"a batch differ, where {expected:.0f} would in a shuffled order.",
                more=(loop.passed.place,),
            )
            return


def _by_line(facts: Facts) -> dict[tuple[Place, int], list[Pass]]:
    found: dict[tuple[Place, int], list[Pass]] = {}
    for each in facts.log.passes:
        found.setdefault((each.place, each.data_set), []).append(each)
    return found


def _names(facts: Facts, passed: Pass) -> list[str]:
    names = [*passed.names, *facts.log.data_sets[passed.data_set].names]
    telling = [name for name in names if HELD_OUT.search(name) or TRAIN.search(name)]
    return [*(name for name in names if name not in telling), *telling]


RULES = (
    Rule(
        code="H104",
        name="batches-of-another-loader",
        severity="error",
        believed="The number is measured on the loader of this loop.",
        effect="It is measured on a training batch that was left over: too high, and on a handful of samples.",
        fix="use the loop's own variables in its body, and name those of training and validation differently",
        find=find_other_batches,
    ),
    Rule(
        code="H105",
        name="batches-never-shown",
        severity="error",
        believed="The number is measured on the held-out part.",
        effect="Its samples were loaded and no model saw them: whatever was printed was measured on something else.",
        fix="give the model the batch that this loop fetches",
        find=find_unshown,
    ),
    Rule(
        code="H107",
        name="sampler-of-another-data-set",
        severity="error",
        believed="The samples are drawn as the sampler is meant to draw them: balanced, or the whole part.",
        effect="It numbers another data set's samples: classes come in wrong proportions, and part is never drawn.",
        fix="make a sampler of its own for each data set; for evaluation none at all",
        find=find_foreign_sampler,
    ),
    Rule(
        code="H108",
        name="wrong-length",
        severity="error",
        believed="len(loader) is the number of batches, and what is divided by it is a mean.",
        effect="Means over batches, progress and schedules are off by the ratio of the two numbers.",
        fix="let __len__ return how many batches __iter__ yields",
        find=find_lengths,
    ),
    Rule(
        code="H109",
        name="sorted-training-batches",
        severity="warning",
        believed="Each batch is a fair sample of the training part.",
        effect="The model learns one class after the other and forgets the first: its number depends on the order.",
        fix="pass shuffle=True to the training loader",
        find=find_sorted,
    ),
)
