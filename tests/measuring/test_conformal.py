import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.errors import UsageError
from heldout.measuring.conformal import conformal_sets, least_probabilities, sets_of
from heldout.measuring.predictions import Predictions


def predictions_of(n: int, seed: int, shares: tuple[float, ...] = (0.7, 0.25, 0.05)) -> Predictions:
    """Exchangeable examples of classes of unlike size, judged by a model that thinks they are equally frequent."""
    generator = np.random.default_rng(seed)
    labels = generator.choice(len(shares), size=n, p=shares)
    logits = generator.normal(size=(n, len(shares)))
    logits[np.arange(n), labels] += 1
    return Predictions(tuple(map(str, range(n))), labels, logits, tuple("abc"))


def test_the_least_probability_is_the_one_counted_by_hand() -> None:
    logits = np.log([[p, 1 - p] for p in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)])
    validation = Predictions(tuple("abcdefghi"), np.zeros(9, int), logits, ("x", "y"))
    # (9 + 1) x 0.9 is the 9th largest; one more is not there
    assert least_probabilities(validation, alpha=0.1) == pytest.approx([0.1, 0.1])
    assert least_probabilities(validation, alpha=0.5) == pytest.approx([0.5, 0.5])
    assert least_probabilities(validation, alpha=0.05).tolist() == [0, 0]
    by_class = least_probabilities(validation, alpha=0.5, by_class=True)
    assert by_class == pytest.approx([0.5, 0])
    assert sets_of(validation, by_class).sum(axis=1).tolist() == [2] * 5 + [1] * 4


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 200), alpha=st.floats(0.01, 0.99), seed=st.integers(0, 1000), by_class=st.booleans())
def test_on_validation_itself_sets_hold_the_label_as_often_as_they_say(
    n: int, alpha: float, seed: int, by_class: bool
) -> None:
    validation = predictions_of(n, seed)
    found = conformal_sets(validation, validation, alpha=alpha, by_class=by_class)
    assert found.coverage.value >= 1 - alpha - 1e-9
    assert sum(count for _, count in found.sizes) == n
    assert sum(size * count for size, count in found.sizes) / n == pytest.approx(found.mean_size)


@pytest.mark.parametrize("alpha", [0.1, 0.3])
@pytest.mark.parametrize("by_class", [False, True])
def test_sets_hold_the_true_class_as_often_as_they_say(alpha: float, by_class: bool) -> None:
    n_runs, held = 60, []
    for seed in range(n_runs):
        validation, test = predictions_of(200, 2 * seed), predictions_of(400, 2 * seed + 1)
        found = conformal_sets(validation, test, alpha=alpha, by_class=by_class)
        held.append([found.coverage.value, *(line.coverage.value for line in found.per_class)])
    overall, _, _, of_rarest = np.nanmean(held, axis=0)
    # coverage scatters by sqrt(alpha (1 - alpha) (1 / 200 + 1 / 400)); promised is 1 - alpha, and 1 / 201 more at most
    slack = 3 * np.sqrt(alpha * (1 - alpha) * (1 / 200 + 1 / 400) / n_runs)
    assert overall >= 1 - alpha - slack
    if by_class:
        # the rarest has about ten examples in validation, 20 in test
        assert of_rarest >= 1 - alpha - 3 * np.sqrt(alpha * (1 - alpha) * (1 / 10 + 1 / 20) / n_runs)
    else:
        assert overall <= 1 - alpha + 1 / 201 + slack


def test_what_is_like_nothing_of_validation_has_an_empty_set() -> None:
    sure = Predictions(tuple("ab"), np.array([0, 1]), np.log([[0.99, 0.01], [0.02, 0.98]]), ("x", "y"))
    odd = Predictions(("c",), np.array([0]), np.zeros((1, 2)), ("x", "y"))
    found = conformal_sets(sure, odd, alpha=0.5)
    assert (found.n_empty, found.sizes, found.coverage.value) == (1, ((0, 1),), 0.0)


def test_the_dictionary_is_strict_json() -> None:
    validation = predictions_of(100, 1, (0.6, 0.4, 0.0))
    found = conformal_sets(validation, validation, alpha=0.1, groups=np.arange(100) // 4)
    read = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert list(read) == ["alpha", "by_class", "coverage", "mean_size", "n_empty", "sizes", "per_class"]
    assert [line["name"] for line in read["per_class"]] == ["a", "b", "c"]
    assert read["per_class"][2]["mean_size"] is None
    assert "examples counted as" in read["coverage"]["method"]
    full = predictions_of(100, 1)
    apart = conformal_sets(full, full, alpha=0.1, groups=np.arange(100))
    assert apart == conformal_sets(full, full, alpha=0.1)


@pytest.mark.parametrize("alpha", [0.0, 1.0, float("nan")])
def test_an_alpha_that_cannot_be_meant_is_refused(alpha: float) -> None:
    with pytest.raises(UsageError, match="alpha is"):
        least_probabilities(predictions_of(5, 0), alpha=alpha)
