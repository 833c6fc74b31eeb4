from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heldout.data.examples import PARTS, Examples, Row, gather
from heldout.data.splits import Split, make_split
from heldout.data.storage.sources import FolderSource
from heldout.errors import DataError, UsageError

TRAIN, VALIDATION, TEST = range(3)
COUNTS = st.lists(st.integers(3, 40), min_size=2, max_size=6)
SHARES = st.floats(0.01, 0.99)

# A busy machine is no fault of the code.
unhurried = settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])


def examples_of(counts: list[int], part: int = -1, more: tuple[Row, ...] = ()) -> Examples:
    rows: list[Row] = [(f"{c:02d}/{i:04d}.jpg", f"{c:02d}", part) for c, n in enumerate(counts) for i in range(n)]
    return gather(FolderSource(Path("/d")), [*rows, *more], layout="class folders")


def counts_of(examples: Examples, split: Split, part: int) -> list[int]:
    counts: list[int] = np.bincount(examples.labels[split.parts == part], minlength=len(examples.classes)).tolist()
    return counts


def shared_clusters(clusters: np.ndarray, parts: np.ndarray) -> list[int]:
    """Clusters that stand in more than one part."""
    pairs = {(int(c), int(p)) for c, p in zip(clusters, parts, strict=True)}
    return sorted(c for c, n in zip(*np.unique([c for c, _ in pairs], return_counts=True), strict=True) if n > 1)


@unhurried
@given(COUNTS, st.integers(), SHARES, SHARES)
def test_every_class_gives_its_share_and_the_totals_are_near(
    counts: list[int], seed: int, test_share: float, validation_share: float
) -> None:
    examples = examples_of(counts)
    split = make_split(examples, seed=seed, test_share=test_share, validation_share=validation_share)
    assert split.made == PARTS
    assert split.parts.dtype == np.int8
    left, later = np.array(counts), 2
    for part, share in ((TEST, test_share), (VALIDATION, validation_share)):
        taken = np.array(counts_of(examples, split, part))
        bounded = (taken == 1) | (taken == left - later)
        assert np.all((np.abs(taken - left * share) < 1) | bounded)
        assert np.all(taken >= 1)
        if not bounded.any():
            assert taken.sum() == int(np.floor((left * share).sum() + 0.5))
        left, later = left - taken, 1
    assert np.all(left >= 1)


def test_the_sizes_of_a_plain_folder() -> None:
    examples = examples_of([100, 50, 10, 3])
    split = make_split(examples, seed=0)
    assert counts_of(examples, split, TEST) == [20, 10, 2, 1]
    assert counts_of(examples, split, VALIDATION) == [16, 8, 2, 1]
    assert counts_of(examples, split, TRAIN) == [64, 32, 6, 1]


@unhurried
@given(COUNTS, st.integers(), st.randoms(use_true_random=False))
def test_a_split_is_a_function_of_the_seed_and_not_of_the_order(counts: list[int], seed: int, random: object) -> None:
    examples = examples_of(counts)
    rows: list[Row] = [
        (id_, examples.classes[label], -1) for id_, label in zip(examples.ids, examples.labels, strict=True)
    ]
    random.shuffle(rows)  # type: ignore[attr-defined]
    shuffled = gather(FolderSource(Path("/elsewhere")), rows, layout="listing")
    parts = make_split(examples, seed=seed).parts
    assert np.array_equal(parts, make_split(shuffled, seed=seed).parts)
    assert np.array_equal(parts, make_split(examples, seed=seed).parts)


def test_another_seed_gives_another_split_of_the_same_sizes() -> None:
    examples = examples_of([50, 50])
    one, two = make_split(examples, seed=1), make_split(examples, seed=2)
    assert not np.array_equal(one.parts, two.parts)
    assert np.array_equal(np.bincount(one.parts), np.bincount(two.parts))


def test_every_example_is_as_likely_in_the_test_part() -> None:
    examples = examples_of([10, 5])
    n_seeds = 600
    n_test = np.sum([make_split(examples, seed=seed).parts == TEST for seed in range(n_seeds)], axis=0)
    # Binomial with 600 draws at 0.2: 120 with standard deviation 9.8; the largest of 15 stays within 4 of them.
    assert np.all(np.abs(n_test - 0.2 * n_seeds) < 4 * 9.8)


@st.composite
def clustered(draw: st.DrawFn) -> tuple[list[int], np.ndarray]:
    """Counts and clusters that go through classes; three examples of each class stand alone."""
    counts = draw(COUNTS)
    clusters = np.array(draw(st.lists(st.integers(0, 8), min_size=sum(counts), max_size=sum(counts))))
    first = np.cumsum(counts) - counts
    alone = np.concatenate([first, first + 1, first + 2])
    clusters[alone] = 100 + np.arange(len(alone))
    return counts, clusters


@unhurried
@given(clustered(), st.integers(0, 99), SHARES, SHARES)
def test_clusters_are_never_parted(
    data: tuple[list[int], np.ndarray], seed: int, test_share: float, validation_share: float
) -> None:
    examples, clusters = examples_of(data[0]), data[1]
    split = make_split(examples, seed=seed, clusters=clusters, test_share=test_share, validation_share=validation_share)
    assert shared_clusters(clusters, split.parts) == []
    for part in range(3):
        assert min(counts_of(examples, split, part)) >= 1


@unhurried
@given(clustered(), st.integers(0, 99), st.integers(1, 10**6))
def test_the_numbers_of_clusters_do_not_matter(data: tuple[list[int], np.ndarray], seed: int, factor: int) -> None:
    examples, clusters = examples_of(data[0]), data[1]
    renamed = -factor * (clusters % 7 * 1000 + clusters)
    split, other = (make_split(examples, seed=seed, clusters=numbers) for numbers in (clusters, renamed))
    assert np.array_equal(split.parts, other.parts)


@unhurried
@given(clustered(), st.integers(0, 99), st.data())
def test_given_parts_stay_and_what_is_made_leaks_nothing(
    data: tuple[list[int], np.ndarray], seed: int, more: st.DataObject
) -> None:
    examples, clusters = examples_of(data[0]), data[1]
    n = len(examples)
    given_parts = np.array(more.draw(st.lists(st.sampled_from([-1, TRAIN, TEST]), min_size=n, max_size=n)), np.int8)
    given_parts[clusters >= 100] = TRAIN
    given_parts[0] = TEST
    examples = replace(examples, given=given_parts)
    # The first example of class 0 is in test, so two of its single ones are left: enough for train and validation.
    split = make_split(examples, seed=seed, clusters=clusters)
    assert split.made == ("validation",)
    assert np.all(split.parts[given_parts == TEST] == TEST)
    assert np.all(split.parts[given_parts == TRAIN] != TEST)
    for cluster in shared_clusters(clusters, split.parts):
        members = clusters == cluster
        # Only a leak between train and test that the data brought along.
        assert set(split.parts[members].tolist()) == {TRAIN, TEST}
        assert set(given_parts[members].tolist()) >= {TRAIN, TEST}
        assert np.all(split.parts[members & (given_parts == -1)] == TEST)


def test_an_open_example_of_a_cluster_in_two_given_parts_joins_test() -> None:
    more: tuple[Row, ...] = (("00/v.jpg", "00", VALIDATION), ("00/t.jpg", "00", TEST), ("01/v.jpg", "01", VALIDATION))
    examples = examples_of([10, 10], -1, more)
    clusters = np.arange(len(examples))
    clusters[[0, examples.ids.index("00/v.jpg")]] = examples.ids.index("00/t.jpg")
    clusters[1] = examples.ids.index("01/v.jpg")
    parts = make_split(examples, seed=0, clusters=clusters).parts
    assert parts[:2].tolist() == [TEST, VALIDATION]
    assert np.bincount(parts).tolist() == [18, 3, 2]


def test_large_clusters_are_as_likely_in_test_as_their_share_says() -> None:
    examples = examples_of([100, 20])
    clusters = np.arange(120)
    clusters[:10] = 0
    n_seeds = 400
    n_in_test = sum(int(make_split(examples, seed=seed, clusters=clusters).parts[0] == TEST) for seed in range(n_seeds))
    # Binomial with 400 draws at 0.2: 80 with standard deviation 8.
    assert abs(n_in_test - 80) < 4 * 8


def test_counts_are_exact_where_single_examples_can_fill_up() -> None:
    examples = examples_of([100, 100])
    clusters = np.arange(200)
    clusters[:30] = np.arange(30) // 3
    clusters[90:110] = 1000 + np.arange(20) % 10  # pairs of one example of each class
    for seed in range(20):
        split = make_split(examples, seed=seed, clusters=clusters)
        assert counts_of(examples, split, TEST) == [20, 20]
        assert counts_of(examples, split, VALIDATION) == [16, 16]


def test_counts_come_near_where_all_are_in_clusters() -> None:
    examples = examples_of([60, 60])
    clusters = np.arange(120) // 4
    for seed in range(20):
        split = make_split(examples, seed=seed, clusters=clusters)
        assert counts_of(examples, split, TEST) == [12, 12]
        # 9.6 of 48 are wanted, which is 10 and 9; whole clusters of 4 give 8 or 12.
        assert all(n in {8, 12} for n in counts_of(examples, split, VALIDATION))


def test_two_clusters_too_large_for_the_share_still_give_both_parts() -> None:
    examples = examples_of([20, 20])
    clusters = np.arange(40) // 7
    split = make_split(examples, seed=0, clusters=clusters)
    assert shared_clusters(clusters, split.parts) == []
    assert all(min(counts_of(examples, split, part)) >= 1 for part in range(3))


@pytest.mark.parametrize(
    ("given_", "made"),
    [
        ((TRAIN,), ("validation", "test")),
        ((TRAIN, VALIDATION), ("test",)),
        ((TRAIN, TEST), ("validation",)),
        ((TRAIN, VALIDATION, TEST), ()),
        ((-1, TEST), ("train", "validation")),
        ((-1, VALIDATION, TEST), ("train",)),
        ((-1, TRAIN, VALIDATION, TEST), ()),
    ],
)
def test_only_parts_that_the_data_does_not_give_are_made(given_: tuple[int, ...], made: tuple[str, ...]) -> None:
    rows: list[Row] = [(f"{c}{p}{i}", c, p) for c in "xy" for p in given_ for i in range(20)]
    examples = gather(FolderSource(Path("/d")), rows, layout="split folders")
    split = make_split(examples, seed=0)
    assert split.made == made
    assert split.seed == 0
    for part in (VALIDATION, TEST):
        if part in given_:
            assert np.array_equal(split.parts == part, examples.given == part)
    assert all(len(split.indices(part)) for part in PARTS)
    assert sorted(np.concatenate([split.indices(part) for part in PARTS])) == list(range(len(examples)))


def test_a_class_that_only_given_parts_have_is_left_to_the_findings() -> None:
    examples = examples_of([10, 10], TRAIN, more=(("02/t.jpg", "02", TEST), ("00/t.jpg", "00", TEST)))
    split = make_split(examples, seed=0)
    assert counts_of(examples, split, VALIDATION) == [2, 2, 0]
    assert counts_of(examples, split, TRAIN) == [8, 8, 0]


def test_a_class_that_stays_in_train_anyway_may_give_its_last_open_example() -> None:
    more: tuple[Row, ...] = (("02/a.jpg", "02", TRAIN), ("02/b.jpg", "02", TRAIN), ("02/c.jpg", "02", TEST))
    examples = examples_of([10, 10], TRAIN, more)
    clusters = np.arange(len(examples))
    clusters[examples.ids.index("02/a.jpg")] = clusters[examples.ids.index("02/c.jpg")]
    split = make_split(examples, seed=0, clusters=clusters)
    assert split.parts[-3:].tolist() == [TRAIN, VALIDATION, TEST]


@pytest.mark.parametrize(("n", "in_parts"), [(1, [1, 0, 0]), (2, [1, 0, 1]), (3, [1, 1, 1])])
def test_a_class_with_few_examples_is_in_train_first_then_in_test(n: int, in_parts: list[int]) -> None:
    examples = examples_of([n, 10, 10])
    for seed in range(5):
        split = make_split(examples, seed=seed)
        assert [counts_of(examples, split, part)[0] for part in range(3)] == in_parts
        assert counts_of(examples, split, TEST)[1:] == [2, 2]


def test_the_only_example_of_a_class_stays_in_a_given_train_part() -> None:
    examples = examples_of([1, 10], TRAIN, more=(("00/t.jpg", "00", TEST), ("01/t.jpg", "01", TEST)))
    split = make_split(examples, seed=0)
    assert [counts_of(examples, split, part) for part in range(3)] == [[1, 8], [0, 2], [1, 1]]


@unhurried
@given(st.lists(st.integers(1, 6), min_size=2, max_size=6), st.integers(0, 99), SHARES, SHARES)
def test_no_class_is_missing_from_a_part_that_its_examples_could_fill(
    counts: list[int], seed: int, test_share: float, validation_share: float
) -> None:
    examples = examples_of([*counts, 8, 8])
    split = make_split(examples, seed=seed, test_share=test_share, validation_share=validation_share)
    for part, least in ((TRAIN, 1), (TEST, 2), (VALIDATION, 3)):
        assert [n > 0 for n in counts_of(examples, split, part)] == [n >= least for n in [*counts, 8, 8]]


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ([1, 10], r"examples of 1 of 2 classes can be spared for test .*: '00 \(1\)', '01 \(10\)'"),
        ([1, 1, 1], r"examples of 0 of 3 classes can be spared for test"),
        ([2, 2], r"examples of 0 of 2 classes can be spared for validation"),
    ],
)
def test_a_part_that_could_tell_nothing_is_refused(counts: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make_split(examples_of(counts), seed=0)


def test_two_examples_are_enough_for_train_and_one_part() -> None:
    examples = examples_of([2, 10], TRAIN, more=(("00/t.jpg", "00", TEST), ("01/t.jpg", "01", TEST)))
    assert counts_of(examples, make_split(examples, seed=0), VALIDATION)[0] == 1


def test_a_class_of_copies_counts_by_its_clusters() -> None:
    examples = examples_of([6, 10])
    clusters = np.arange(16)
    clusters[:5] = 0
    split = make_split(examples, seed=0, clusters=clusters)
    assert [counts_of(examples, split, part)[0] for part in range(3)] == [5, 0, 1]
    clusters[5] = 0
    with pytest.raises(DataError, match=r"1 of 2 classes can be spared for test .*'00 \(6 in 1 clusters\)'"):
        make_split(examples, seed=0, clusters=clusters)


def test_clusters_that_chain_all_classes_together_give_what_they_can() -> None:
    # Three classes, three clusters, each of two classes: no one cluster holds all three, and two leave but two.
    rows: list[Row] = [(f"{c}{i}", c, TRAIN) for c in "xyz" for i in range(2)]
    rows += [(f"{c}t", c, TEST) for c in "xyz"]
    examples = gather(FolderSource(Path("/d")), rows, layout="split folders")
    numbers = {"x0": 1, "x1": 2, "y0": 1, "y1": 3, "z0": 2, "z1": 3}
    clusters = np.array([numbers.get(id_, 10 + i) for i, id_ in enumerate(examples.ids)])
    split = make_split(examples, seed=0, clusters=clusters)
    assert shared_clusters(clusters, split.parts) == []
    assert sorted(counts_of(examples, split, VALIDATION)) == [0, 1, 1]
    assert min(counts_of(examples, split, TRAIN)) == 1


def test_one_class_is_refused() -> None:
    examples = examples_of([10, 10]).take(np.arange(10))
    with pytest.raises(DataError, match="the 10 examples are of 1 class"):
        make_split(examples, seed=0)


def test_a_class_without_any_example_is_refused() -> None:
    examples = examples_of([10, 10, 10]).take(np.arange(20))
    with pytest.raises(DataError, match=r"1 of 3 classes have no example that can be used: '02'"):
        make_split(examples, seed=0)


def test_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(DataError, match="all 20 examples are in given validation or test parts"):
        make_split(examples_of([10, 10], TEST), seed=0)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, float("nan")])
@pytest.mark.parametrize("name", ["test_share", "validation_share"])
def test_shares_outside_of_0_to_1_are_refused(name: str, share: float) -> None:
    with pytest.raises(UsageError, match=f"{name} is {share!r}"):
        make_split(examples_of([10, 10]), seed=0, **{name: share})  # type: ignore[arg-type]


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(UsageError, match=r"part is 'tset', which is not known; did you mean \"test\"\?"):
        make_split(examples_of([10, 10]), seed=0).indices("tset")
