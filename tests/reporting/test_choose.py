"""Which pictures the page shows: bounded, repeatable, mistakes first."""

import time

import numpy as np

from heldout.reporting.choose import Choice, choose_pictures, choose_samples


def guesses(n: int, n_classes: int, *, share_right: float, seed: int = 0) -> tuple[tuple[str, ...], Choice]:
    generator = np.random.default_rng(seed)
    labels = generator.integers(n_classes, size=n)
    other = (labels + generator.integers(1, n_classes, size=n)) % n_classes
    predicted = np.where(generator.random(n) < share_right, labels, other)
    ids = tuple(f"{i:07d}.jpg" for i in range(n))
    confidence = generator.uniform(1 / n_classes, 1, size=n)
    return ids, choose_pictures(ids, labels, predicted=predicted, confidence=confidence, n_classes=n_classes)


def test_the_choice_stays_bounded_whatever_the_size() -> None:
    for n, n_classes, share_right in [(150, 5, 0.9), (6149, 102, 0.8), (20_000, 1000, 0.1), (3, 2, 0.0)]:
        _, choice = guesses(n, n_classes, share_right=share_right)
        assert len(choice.ids) <= 376
        assert len(choice.mistakes) <= 24
        assert len(choice.least_sure) == min(24, n)
        assert sum(map(len, choice.cells.values())) <= 328


def test_every_mistake_is_shown_when_there_is_room() -> None:
    ids = [f"{i}" for i in range(40)]
    labels = np.zeros(40, np.int64)
    predicted = np.array([0] * 30 + [1] * 7 + [2] * 3)
    choice = choose_pictures(ids, labels, predicted=predicted, confidence=np.linspace(0.4, 0.9, 40), n_classes=3)
    assert {key: len(shown) for key, shown in choice.cells.items()} == {(0, 0): 6, (0, 1): 7, (0, 2): 3}
    assert choice.mistakes == tuple(ids[30:][::-1])


def test_mistakes_come_most_confident_first_and_right_answers_least_sure_first() -> None:
    choice = choose_pictures(
        list("abcdef"),
        np.array([0, 0, 0, 0, 1, 1]),
        predicted=np.array([0, 0, 1, 1, 0, 1]),
        confidence=np.array([0.9, 0.6, 0.7, 0.8, 0.95, 0.5]),
        n_classes=2,
    )
    assert choice.mistakes == ("e", "d", "c")
    assert choice.cells[0, 0] == ("b", "a")
    assert choice.cells[0, 1] == ("d", "c")
    assert choice.least_sure == ("f", "b", "c", "d", "a", "e")


def test_the_room_of_a_cell_shrinks_as_classes_grow_and_no_mistaken_cell_is_starved() -> None:
    _, few = guesses(2000, 4, share_right=0.5)
    _, many = guesses(2000, 12, share_right=0.5)
    shown_few = [len(shown) for (true, predicted), shown in few.cells.items() if true != predicted]
    shown_many = [len(shown) for (true, predicted), shown in many.cells.items() if true != predicted]
    assert set(shown_few) == {12}
    assert len(shown_many) == 132
    assert set(shown_many) <= {1, 2}
    assert all((c, c) in many.cells for c in range(12))


def test_a_perfect_model_shows_right_answers_only() -> None:
    _, choice = guesses(300, 5, share_right=1.1)
    assert choice.mistakes == ()
    assert {true == predicted for true, predicted in choice.cells} == {True}
    assert {len(shown) for shown in choice.cells.values()} == {6}


def test_the_same_input_gives_the_same_choice() -> None:
    assert guesses(500, 7, share_right=0.6)[1] == guesses(500, 7, share_right=0.6)[1]


def test_choosing_from_very_many_pictures_is_quick() -> None:
    started = time.perf_counter()
    _, choice = guesses(200_000, 1000, share_right=0.9)
    assert len(choice.cells) > 300
    # A quarter of a second on a quiet machine: the limit is for a slip into work by the cell or the picture.
    assert time.perf_counter() - started < 10


def test_samples_are_three_a_class_for_few_classes() -> None:
    labels = np.repeat(np.arange(5), 20)
    samples = choose_samples([f"{i}" for i in range(100)], labels, n_classes=5)
    assert len(samples) == 15
    assert [labels[int(name)] for name in samples] == [c for c in range(5) for _ in range(3)]


def test_samples_stay_below_their_bound_for_many_classes() -> None:
    for n_classes, wanted in [(2, 6), (12, 24), (13, 13), (24, 24), (102, 24), (1000, 24)]:
        labels = np.repeat(np.arange(n_classes), 4)
        samples = choose_samples([f"{i}" for i in range(len(labels))], labels, n_classes=n_classes)
        assert len(samples) == wanted
        assert len(set(samples)) == wanted


def test_samples_pass_over_a_class_without_pictures() -> None:
    assert choose_samples(["a", "b"], np.array([0, 2]), n_classes=3) == ("a", "b")
