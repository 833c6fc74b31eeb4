"""H110: labels that are not those of their samples."""

from collections import Counter

import numpy as np
import pytest

from auditing.make_logs import FILE, LogMaker
from auditing.rules.judged import found, keeps, plain
from heldout.auditing.rules.labels import are_independent
from heldout.auditing.seen.data import Labelling
from heldout.auditing.seen.log import Remark
from heldout.auditing.seen.place import Place
from heldout.auditing.watch.labels_told import LabelBook, Role

PLACE = Place(FILE, 30)
TRAINED = Role(0, 0, True, "loss")


def _book(*rounds: tuple[np.ndarray, np.ndarray], role: Role = TRAINED) -> LabelBook:
    book = LabelBook()
    for samples, labels in rounds:
        for start in range(0, len(samples), 50):
            part = slice(start, start + 50)
            book.told(role, lambda part=part, samples=samples: samples[part], labels[part], PLACE)  # type: ignore[misc]
    return book


def _made(labelling: Labelling) -> LogMaker:
    made = plain("train_loader")
    made.loop(0, [90], [100], trained=True)
    made.log.labellings.append(labelling)
    return made


def test_samples_permuted_in_each_pass_have_labels_dealt_at_random() -> None:
    random = np.random.default_rng(0)
    samples, labels = np.arange(400, dtype=np.uint64), random.integers(0, 4, 400)
    (labelling,) = _book(*((random.permutation(samples), labels) for _ in range(3))).labellings()
    assert (labelling.kind, labelling.is_steady, labelling.n_samples) == ("again", True, 400)
    (finding,) = found(_made(labelling), "H110")
    assert finding.severity == "error"
    assert "400 samples with the same label when it learned from them again in 2" in finding.observed


@pytest.mark.parametrize("case", ["pairs", "guessed", "drawn", "tasks"])
def test_labels_that_change_otherwise_are_silent(case: str) -> None:
    random = np.random.default_rng(0)
    samples, labels = np.arange(400, dtype=np.uint64), random.integers(0, 4, 400)
    later = {
        "pairs": labels,
        "guessed": np.where(random.random(400) < 0.3, (labels + 1) % 4, labels),
        "drawn": random.integers(0, 4, 400),  # a rotation, a class in an episode
        "tasks": labels % 2,
    }[case]
    order = random.permutation(400)
    made = plain("train_loader")
    made.log.labellings = _book((samples, labels), (samples[order], later[order])).labellings()
    assert found(made, "H110") == []


def test_an_evaluation_with_other_labels_than_the_training() -> None:
    random = np.random.default_rng(1)
    samples, labels = np.arange(200, dtype=np.uint64), random.integers(0, 3, 200)
    book = _book((samples, labels))
    book.told(Role(0, 1, False, "loss"), lambda: samples, random.permutation(labels), Place(FILE, 40))
    (labelling,) = book.labellings()
    assert labelling.kind == "evaluated"
    (finding,) = found(_made(labelling), "H110")
    assert (finding.place.line, finding.more) == (40, (PLACE,))


def test_labels_of_a_loader_are_not_compared_with_those_of_a_loss() -> None:
    samples, labels = np.arange(200, dtype=np.uint64), np.arange(200) % 3
    book = _book((samples, labels))
    book.told(Role(0, 1, False, "loader"), lambda: samples, labels + 1, PLACE)
    assert book.labellings() == []


def test_a_book_keeps_no_more_than_the_first_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heldout.auditing.watch.labels_told.MOST_SAMPLES", 100)
    samples, labels = np.arange(400, dtype=np.uint64), np.arange(400) % 4
    (labelling,) = _book((samples, labels), (samples, labels[::-1])).labellings()
    assert (labelling.n_samples, labelling.is_steady) == (100, False)


def test_labels_are_independent_where_neither_says_anything_about_the_other() -> None:
    assert are_independent(Counter({(0, 0): 25, (0, 1): 25, (1, 0): 25, (1, 1): 25}))
    assert not are_independent(Counter({(0, 0): 40, (0, 1): 10, (1, 0): 10, (1, 1): 40}))
    assert not are_independent(Counter({(0, 1): 50, (1, 0): 50}))  # renumbered
    assert not are_independent(Counter({(0, 0): 100}))


@pytest.mark.parametrize(("n", "n_found"), [(20, 1), (4, 0)])
def test_two_loaders_that_draw_for_themselves(n: int, n_found: int) -> None:
    made = plain("pictures", "numbers")
    facts = {"n": 600, "loaders": [["pictures"], ["numbers"]]}
    made.log.remarks.append(Remark("labels of other samples", Place(FILE, 20), n, 20, facts))
    assert len(found(made, "H110")) == n_found


def _learned_by_heart(held_out: list[int], *, answers: tuple[int, int] = (100, 100)) -> LogMaker:
    made = plain("train_loader", "val_loader")
    made.loop(0, [190], [200], trained=True).predicted.update({0: 100, 1: 100})
    for right in held_out:
        made.loop(1, [right], [200]).predicted.update(dict(enumerate(answers)))
    keeps(made, 0, range(200), trained=True)
    keeps(made, 1, range(500, 700), trained=False)
    return made


def test_a_model_that_knows_its_training_samples_and_nothing_else() -> None:
    (finding,) = found(_learned_by_heart([98, 103]), "H110")
    assert (finding.severity, finding.place.line, finding.more) == ("warning", 45, (Place(FILE, 40),))
    assert finding.observed == (
        "model names 51.5 % of 200 samples rightly (val_loader), where the same answers in any order would name "
        "50.0 %; its own training samples it knows."
    )


def test_answers_that_are_right_at_some_time_or_all_the_same_are_silent() -> None:
    assert found(_learned_by_heart([140]), "H110") == []
    assert found(_learned_by_heart([100, 140]), "H110") == []
    assert found(_learned_by_heart([100], answers=(200, 0)), "H110") == []


def test_training_samples_shown_again_are_no_held_out_ones() -> None:
    made = _learned_by_heart([100])
    made.log.samples.clear()
    keeps(made, 0, range(200), trained=True)
    keeps(made, 1, range(200), trained=False)
    assert found(made, "H110") == []
