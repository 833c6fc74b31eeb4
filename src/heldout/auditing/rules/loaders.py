"""H104, H105, H107 and H108: loaders whose batches, samplers or lengths are not those that the loop is about."""

from collections import Counter
from collections.abc import Iterator

from heldout.auditing.facts import HELD_OUT, TRAIN, Facts, Loop
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.labels import are_independent
from heldout.auditing.seen.data import Pass
from heldout.auditing.seen.place import Place

# Batches that were fetched for nothing, and the share of calls meanwhile that are of other loaders (assumed).
N_FETCHED = 8
MOSTLY_OF_OTHERS = 0.8
# Samples of each label, each counted once, from which on it shows whether weights and labels belong together (assumed).
N_WEIGHED = 20


def find_unshown(facts: Facts) -> Iterator[Hit]:
    """Held-out loaders of which batches were fetched to measure a number, and none ever reached a model."""
    learned = min((loop.start for loop in facts.trainings), default=None)
    for every in _by_line(facts).values():
        # What is fetched before anything was learned is looked at: its shape, a picture, how many there are.
        passes = [each for each in every if learned is not None and each.start > learned]
        fetched, reached = sum(each.fetched for each in passes), sum(each.reached for each in every)
        names = _names(facts, every[0])
        is_held_out = any(HELD_OUT.search(name) for name in names)
        if fetched and not reached and is_held_out and _measures(facts, passes) and not _goes_along(facts, passes):
            others = _shown_meanwhile(facts, passes)
            told = f" The model was shown {others} meanwhile." if others else ""
            yield Hit(
                passes[0].place,
                f"{fetched:,} batches of {names[-1]} were fetched here in {len(passes)} passes, "
                f"and none reached a model.{told}",
            )


def _goes_along(facts: Facts, passes: list[Pass]) -> bool:
    """Whether the same line fetches from another loader as well, and shows that one: these are its labels."""
    beside = [each for each in facts.log.passes if each.place == passes[0].place and each.reached]
    return sum(each.fetched for each in beside) == sum(each.fetched for each in passes)


def _measures(facts: Facts, passes: list[Pass]) -> bool:
    """Whether a number was to come of these passes, and not a look at a batch or a list of the labels."""
    asked = [each for each in passes if _asked_meanwhile(facts, each)]
    is_shown_elsewhere = any(each.reached for each in facts.log.passes if each.data_set == passes[0].data_set)
    if is_shown_elsewhere:
        return any(each.ended for each in asked)
    return bool(asked) or any(each.ended for each in passes)


def _asked_meanwhile(facts: Facts, passed: Pass) -> bool:
    """Whether a model was asked about something as often as this pass gave a batch, before another pass began."""
    following = min((each.start for each in facts.log.passes if each.start > passed.start), default=facts.log.moments)
    n = sum(
        passed.start < moment <= following
        for stretch in facts.log.stretches
        if not stretch.trained and facts.family(stretch.model) in facts.trained_families
        for moment in stretch.moments
    )
    return 0 < passed.fetched <= n


def find_idle_batches(facts: Facts) -> Iterator[Hit]:
    """Loaders whose batches were fetched while a model was trained, on batches of other loaders alone."""
    for passes in _by_line(facts).values():
        names = _names(facts, passes[0])
        if any(each.reached or not each.n_values for each in passes) or any(HELD_OUT.search(name) for name in names):
            continue
        if sum(each.fetched for each in passes) < N_FETCHED or not all(each.ended for each in passes[:-1]):
            continue
        (n_calls, n_others), fetched = _trained_meanwhile(facts, passes), sum(each.fetched for each in passes)
        # What is fetched to look at it, as for a mean, is fetched before anything is trained.
        if 2 * n_calls >= fetched and n_others >= MOSTLY_OF_OTHERS * n_calls:
            yield Hit(
                passes[0].place,
                f"{fetched:,} batches of {names[-1] if names else 'this loop'} were fetched here in {len(passes)} "
                f"passes, and none reached a model, which was trained in {n_calls:,} calls meanwhile.",
                severity="warning",
            )


def _trained_meanwhile(facts: Facts, passes: list[Pass]) -> tuple[int, int]:
    """Calls that were trained between the first batch of a pass and its last, and how many saw batches of others."""
    n_calls = n_others = 0
    for stretch in (stretch for stretch in facts.log.stretches if stretch.trained):
        n = sum(each.start < moment <= each.last for each in passes for moment in stretch.moments)
        n_calls += n
        n_others += n * (stretch.passed is not None and stretch.n_values == passes[0].n_values)
    return n_calls, n_others


def find_never_shown(facts: Facts) -> Iterator[Hit]:
    """Loaders whose batches were fetched for nothing."""
    yield from find_unshown(facts)
    yield from find_idle_batches(facts)


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
                and _is_after(stretch.moments[0], loop, facts)
            ):
                yield Hit(
                    stretch.place,
                    f"{stretch.n_samples:,} samples were evaluated here that are the last batch "
                    f"of {loop.called}, which the "
                    "model had just learned from.",
                )


def _is_after(moment: int, loop: Loop, facts: Facts) -> bool:
    """Whether a loop was over by a moment: its pass had ended, and after its last training another had begun."""
    passed = loop.passed
    assert passed is not None
    last = max(each.moments[-1] for each in loop.stretches if each.trained)
    later = [each for each in facts.log.passes if last < each.start < moment and each.data_set != passed.data_set]
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
                more=(first.loader_made,) * (first.loader_made.line > 0),
            )


def find_foreign_weights(facts: Facts) -> Iterator[Hit]:
    """Samplers with a weight for each label, of which the labels that they draw know nothing."""
    for passes in _by_line(facts).values():
        pairs = sum((each.weighed for each in passes), Counter[tuple[int, int]]())
        n_labels, n_weights = len({label for _, label in pairs}), passes[0].n_weights
        # Labels that are as frequent as others have the same weight.
        is_of_labels = 1 < n_weights <= n_labels <= 2 * n_weights and pairs.total() >= N_WEIGHED * n_labels
        if is_of_labels and are_independent(pairs):
            names = _names(facts, passes[0])
            yield Hit(
                passes[0].place,
                f"The sampler of {names[-1] if names else 'this loop'} has {n_weights} weights for {n_labels} labels, "
                f"and which of them a sample has says nothing about its label ({pairs.total():,} of them): they "
                "were made of other samples' labels, or in another order.",
                severity="warning",
                more=(passes[0].loader_made,) * (passes[0].loader_made.line > 0),
            )


def find_foreign(facts: Facts) -> Iterator[Hit]:
    """Samplers that were made for other samples than those that they draw."""
    yield from find_foreign_sampler(facts)
    yield from find_foreign_weights(facts)


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
        find=find_never_shown,
    ),
    Rule(
        code="H107",
        name="sampler-of-another-data-set",
        severity="error",
        believed="The samples are drawn as the sampler is meant to draw them: balanced, or the whole part.",
        effect="It numbers another data set's samples: classes come in wrong proportions, and part is never drawn.",
        fix="make a sampler of its own for each data set; for evaluation none at all",
        find=find_foreign,
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
