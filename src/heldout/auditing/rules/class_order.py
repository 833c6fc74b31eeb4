"""H111: classes that have one number in training and another where the model is used."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from heldout.auditing.facts import Facts, Loop, distinct_places
from heldout.auditing.rule import Hit, Rule
from heldout.auditing.rules.labels import N_COMPARED
from heldout.auditing.seen.data import DataSet
from heldout.auditing.seen.place import Place

# Of samples of a class: how many have the same other label, before it is the class that is renumbered (assumed).
NEARLY_ALL = 0.95
MOST = 0.6
# The same of a class that is answered by one that does not occur here: no other class bears it out.
MOST_ALONE = 0.9
# Share that a model names rightly once its answers are renumbered, and how much less than of its training samples.
WELL = 0.7
AS_WELL = 0.12
# By so much renumbering has to mend the share.
GAIN = 0.05
LEAST_OF_A_CLASS = 6


def find_other_names(facts: Facts) -> Iterator[Hit]:
    """Evaluated data sets whose classes have other numbers than those of the training."""
    for loop in _latest(facts):
        here = loop.data_set.classes if loop.data_set else ()
        learned = [
            each.data_set
            for each in facts.trainings
            if each.family == loop.family and each.data_set and each.data_set.classes
        ]
        if not here or not learned or any(_moved(each, here) == () for each in learned):
            continue
        there = learned[-1].classes
        name = _moved(learned[-1], here)[0]
        if _named_rightly(loop, [here.index(each) for each in _moved(learned[-1], here)]):
            continue  # what the data set calls its classes is not what its labels are
        yield Hit(
            loop.place,
            f"The class {name!r} has number {there.index(name)} in training ({_called(learned[-1])}: "
            f"{_listed(there)}) and {here.index(name)} where it is evaluated ({_called(loop.data_set)}: "
            f"{_listed(here)}).",
            more=_lines(loop),
        )


def _moved(learned: DataSet, here: tuple[str, ...]) -> tuple[str, ...]:
    """The names that have another number here."""
    known = {name: number for number, name in enumerate(learned.classes)}
    return tuple(name for number, name in enumerate(here) if known.get(name, number) != number)


def _named_rightly(loop: Loop, labels: list[int]) -> bool:
    """Whether the samples with these labels are named rightly all the same."""
    hits, counts = Counter[float](), Counter[float]()
    for each in loop.stretches:
        hits.update(each.hits)
        counts.update(each.labels)
    n = sum(counts[label] for label in labels)
    return n > 0 and sum(hits[label] for label in labels) > n / 2


def find_renumbered(facts: Facts) -> Iterator[Hit]:
    """Samples that have one label in training, and in evaluation the label that all of their class have there."""
    for each in facts.log.labellings:
        if each.kind != "evaluated" or not each.is_steady or each.n_samples < N_COMPARED:
            continue
        table = renumbering(each.pairs, least=NEARLY_ALL)
        if table and any(one != other for one, other in table.items()):
            yield Hit(
                each.place,
                f"{each.n_samples:,} samples were learned with some labels and evaluated with others: "
                f"{_in_words(table)}.",
                more=(each.before,),
            )


def find_answers_renumbered(facts: Facts) -> Iterator[Hit]:
    """Evaluations in which the answers are right once they are renumbered, and wrong as they are."""
    best = _best_by_family(facts)
    judged = [(loop, confusion) for loop in _latest(facts) if (confusion := _confusion(loop)) is not None]
    fine = {(loop.family, loop.data_set.number if loop.data_set else -1) for loop, table in judged if _is_fine(table)}
    for loop, confusion in judged:
        key = (loop.family, loop.data_set.number if loop.data_set else -1)
        table = renumbering(confusion, least=MOST)
        if not table or key in fine or not set(table) <= best[loop.family].labels:
            continue
        if not _are_borne_out(table, confusion):
            continue
        n, right = confusion.total(), _same(confusion)
        mended = sum(confusion[one, other] for one, other in table.items())
        share = mended / n
        if share >= max(WELL, best[loop.family].share - AS_WELL) and (mended - right) / n >= GAIN:
            yield Hit(
                loop.place,
                f"{facts.name_of(loop.family)} names {100 * right / n:.1f} % of {n:,} samples rightly ({loop.called}), "
                f"and {100 * share:.1f} % once the classes are renumbered: {_in_words(table)}.",
                more=_lines(loop),
            )


@dataclass(frozen=True, slots=True)
class _Best:
    """What a family learned: the labels, and the share of its training samples that it named rightly at best."""

    share: float
    labels: frozenset[int]


def _best_by_family(facts: Facts) -> dict[int, _Best]:
    shares: dict[int, float] = defaultdict(lambda: 1.0)
    labels: dict[int, set[int]] = defaultdict(set)
    for loop in facts.trainings:
        if loop.n_right is not None and loop.n_samples:
            shares[loop.family] = max(shares.get(loop.family, 0.0), loop.n_right / loop.n_samples)
            labels[loop.family] |= {int(label) for each in loop.stretches for label in each.labels}
    return {family: _Best(shares[family], frozenset(labels[family])) for family in facts.trained_families}


def renumbering(pairs: Counter[tuple[int, int]], *, least: float) -> dict[int, int]:
    """Which label the samples of each label have otherwise, one to one; empty where that is not so.

    Args:
        pairs: How often a label goes with another.
        least: The share of a label's samples that go with the same other one, at least.

    Example:
        >>> renumbering(Counter({(0, 1): 20, (1, 0): 19, (1, 1): 1}), least=0.9)
        {0: 1, 1: 0}
    """
    found: dict[int, int] = {}
    for label in sorted({one for one, _ in pairs}):
        row = Counter({other: count for (one, other), count in pairs.items() if one == label})
        (other, count), n = row.most_common(1)[0], row.total()
        if count < least * n or (other != label and n < LEAST_OF_A_CLASS):
            return {}
        found[label] = other
    return found if len(set(found.values())) == len(found) > 1 else {}


def _confusion(loop: Loop) -> Counter[tuple[int, int]] | None:
    """How often each label was given each answer; None where that was not kept."""
    pairs = Counter[tuple[int, int]]()
    for each in loop.stretches:
        pairs.update(zip(each.truths, each.answers, strict=False))
    return pairs if pairs.total() >= N_COMPARED else None


def _is_fine(confusion: Counter[tuple[int, int]]) -> bool:
    """Whether most answers are right, and no class is taken for another throughout."""
    table = renumbering(confusion, least=MOST)
    return _same(confusion) >= WELL * confusion.total() and all(one == other for one, other in table.items())


def _are_borne_out(table: dict[int, int], confusion: Counter[tuple[int, int]]) -> bool:
    """Whether each label that is answered by one that does not occur here is so nearly always."""
    alone = [(one, other) for one, other in table.items() if other not in table]
    rows = {one: sum(count for (label, _), count in confusion.items() if label == one) for one, _ in alone}
    return all(confusion[one, other] >= MOST_ALONE * rows[one] for one, other in alone)


def _same(pairs: Counter[tuple[int, int]]) -> int:
    return sum(count for (one, other), count in pairs.items() if one == other)


def _latest(facts: Facts) -> list[Loop]:
    """The last evaluation of each data set by each family at each line."""
    return list({(loop.family, _number(loop), loop.place): loop for loop in facts.evaluations}.values())


def _number(loop: Loop) -> int:
    return loop.data_set.number if loop.data_set else -1


def _lines(loop: Loop) -> tuple[Place, ...]:
    return tuple(each for each in distinct_places([loop.passed.place] if loop.passed else []) if each != loop.place)


def _called(data_set: DataSet | None) -> str:
    return data_set.names[-1] if data_set is not None and data_set.names else "a data set"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")


def _in_words(table: dict[int, int]) -> str:
    moved = [f"{one} for {other}" for one, other in table.items() if one != other]
    return ", ".join(moved[:4]) + (f" and {len(moved) - 4:,} more" if len(moved) > 4 else "")


RULES = (
    Rule(
        code="H111",
        name="class-order-differs",
        severity="error",
        believed="A number means the same class wherever the model is used.",
        effect="Right answers are counted or told as another class: the number is far too low, or the names are wrong.",
        fix="make the table of classes once, keep it with the model, and use it everywhere",
        find=lambda facts: (*find_other_names(facts), *find_renumbered(facts), *find_answers_renumbered(facts)),
    ),
)
