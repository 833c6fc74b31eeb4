import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from heldout.data.pictures.near_duplicates import MIN_LIKENESS, Pairs, clusters, find_pairs
from make_textures import cut, reencoded, signed, texture

N = 40
PHOTOS = [texture(number) for number in range(N)]
PLAIN = signed(*PHOTOS)


def as_set(pairs: Pairs) -> set[tuple[int, int]]:
    return set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


def gradient(low: int, high: int) -> Image.Image:
    levels = np.linspace(low, high, 96).astype(np.uint8)
    return Image.fromarray(np.tile(levels[:, None, None], (1, 128, 3)))


@pytest.mark.parametrize(
    "change",
    [
        reencoded,
        lambda image: image.resize((image.width // 2, image.height // 2)),
        lambda image: cut(image, 0.025, 0.025, 0.025, 0.025),
        lambda image: cut(image, 0.05, 0, 0, 0),
        lambda image: cut(image, 0, 0, 0, 0.05),
        ImageOps.mirror,
        lambda image: ImageOps.mirror(cut(image, 0, 0.05, 0, 0)),
        lambda image: image.point(lambda level: round(level * 0.8)),
        lambda image: image.point(lambda level: min(255, round(level * 1.25))),
    ],
    ids=["quality 50", "half size", "cut", "left cut", "bottom cut", "flipped", "cut and flipped", "dark", "bright"],
)
def test_a_changed_picture_is_found_and_nothing_else(change) -> None:  # type: ignore[no-untyped-def]
    found = as_set(find_pairs(np.concatenate([PLAIN, signed(*(change(photo) for photo in PHOTOS))])))
    true = {(i, i + N) for i in range(N)}
    assert len(found & true) >= 0.95 * N
    assert found <= true


def test_different_pictures_are_no_pairs() -> None:
    assert len(find_pairs(signed(*(texture(number) for number in range(300, 500))))) == 0


def test_none_and_one_picture_have_no_pairs() -> None:
    assert len(find_pairs(PLAIN[:0])) == len(find_pairs(PLAIN[:1])) == 0
    assert clusters(0, find_pairs(PLAIN[:0])).tolist() == []


def test_pairs_are_sorted_once_each_and_within_their_range() -> None:
    pairs = find_pairs(np.concatenate([PLAIN, PLAIN[:7], signed(ImageOps.mirror(PHOTOS[0]))]))
    ends = list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert ends == sorted(set(ends))
    assert len(pairs) == 7 + 2
    assert (pairs.first < pairs.second).all()
    assert pairs.likeness.min() >= MIN_LIKENESS
    assert pairs.likeness.max() == 1.0


def test_the_order_of_the_pictures_does_not_matter() -> None:
    rows = np.concatenate([PLAIN, signed(*(reencoded(cut(photo, 0.02, 0, 0, 0.01)) for photo in PHOTOS[:20]))])
    order = np.random.default_rng(0).permutation(len(rows))
    shuffled = find_pairs(rows[order])
    back = {tuple(sorted((int(order[i]), int(order[j])))) for i, j in as_set(shuffled)}
    assert back == as_set(find_pairs(rows))
    assert len(back) >= 19


def test_blank_pictures_are_chained_by_colour() -> None:
    white, black = (signed(Image.new("RGB", (64, 48), colour)) for colour in ("white", "black"))
    rows = np.concatenate([np.repeat(white, 2000, axis=0), PLAIN[:5], np.repeat(black, 1000, axis=0)])
    pairs = find_pairs(rows)
    assert len(pairs) == 1999 + 999
    numbers = clusters(len(rows), pairs)
    assert len(set(numbers[:2000])) == len(set(numbers[2005:])) == 1
    assert len(set(numbers)) == 2 + 5


def test_a_crowd_of_one_picture_is_one_cluster_of_few_pairs() -> None:
    pairs = find_pairs(np.concatenate([np.repeat(PLAIN[3:4], 5000, axis=0), PLAIN]))
    assert 5000 <= len(pairs) < 6 * 5000
    numbers = clusters(5000 + N, pairs)
    assert set(numbers[:5000]) == {0}
    assert numbers[5003] == 0
    assert len(set(numbers)) == N


def test_a_crowd_with_noise_of_its_own_is_one_cluster() -> None:
    noise = np.random.default_rng(0).normal(0, 5, (600, PLAIN.shape[1]))
    rows = np.clip(PLAIN[3] + noise, 0, 255).astype(np.uint8)
    assert set(clusters(600, find_pairs(rows))) == {0}


def test_gradients_are_alike_only_where_their_levels_are_too() -> None:
    rows = signed(gradient(20, 150), gradient(60, 230), gradient(20, 150), reencoded(gradient(20, 150), 80))
    assert as_set(find_pairs(rows)) == {(0, 2), (0, 3), (2, 3)}


def test_the_least_alike_are_left_out_first_and_counted() -> None:
    changed = [cut(photo, 0.02, 0, 0, 0.01) for photo in PHOTOS[:10]]
    rows = np.concatenate([PLAIN[:20], PLAIN[10:15], signed(*changed)])
    everything, some = find_pairs(rows), find_pairs(rows, max_pairs=5)
    assert len(everything) >= 14
    assert as_set(some) == {(10 + i, 20 + i) for i in range(5)}
    assert everything.n_dropped == 0
    assert 0 < some.n_dropped <= len(everything) - 5


def test_kept_pairs_stay_together() -> None:
    pairs = Pairs(np.array([0, 1, 2]), np.array([5, 6, 7]), np.array([0.97, 0.98, 0.99]))
    kept = pairs.keep(np.array([True, False, True]))
    assert as_set(kept) == {(0, 5), (2, 7)}
    assert kept.likeness.tolist() == [0.97, 0.99]


@settings(deadline=None)  # the first call imports scipy
@given(st.lists(st.tuples(st.integers(0, 29), st.integers(0, 29)), max_size=40))
def test_clusters_are_what_the_pairs_join(ends: list[tuple[int, int]]) -> None:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    one, other = np.array([e[0] for e in ends], np.int64), np.array([e[1] for e in ends], np.int64)
    numbers = clusters(30, Pairs(one, other, np.ones(len(ends))))
    _, theirs = connected_components(coo_array((np.ones(len(ends)), (one, other)), shape=(30, 30)), directed=False)
    assert np.array_equal(numbers[:, None] == numbers, theirs[:, None] == theirs)
    assert all(numbers[numbers[i]] == numbers[i] <= i for i in range(30))
