"""The sentences of a comparison say what its numbers say."""

from typing import Any

import numpy as np
import pytest

from heldout.measuring.comparison import compare_paired
from heldout.reporting.compare_words import words_of_comparison
from heldout.verbs.comparing import better_of


def _words(n_both: int, n_only_a: int, n_only_b: int, n_neither: int = 0, **changes: Any) -> dict[str, str]:
    counts = [n_both, n_only_a, n_only_b, n_neither]
    a, b = np.repeat([True, True, False, False], counts), np.repeat([True, False, True, False], counts)
    found = compare_paired(a, b, generator=np.random.default_rng(0))
    content = {"comparison": found.as_dict() | changes, "better": better_of(found.difference), "test_openings": 2}
    return words_of_comparison(content)


def test_a_difference_that_is_shown() -> None:
    words = _words(80, 2, 16, 2)
    assert words["verdict"] == "B is better by 14.0 points"
    assert words["difference"].startswith("B gets 14.0 points more right than A, 95 % interval ")
    assert "p = 0.001" in words["difference"]
    assert "On 18 of 100 pictures only one of the two is right." in words["difference"]
    assert words["table"] == "both right 80, only A 2, only B 16, neither 2"
    assert words["needed"].endswith("these are enough.")
    assert "opened twice" in words["opened"]


def test_a_difference_that_is_not_shown_and_how_many_pictures_would_do() -> None:
    words = _words(190, 6, 3, 1)
    assert words["verdict"] == "This test set cannot tell which is better"
    assert "interval -" in words["difference"]
    assert words["needed"].endswith("more than there are.")
    assert "The smallest true difference that such a test set shows in 4 of 5 tries is" in words["power"]


def test_no_difference_and_no_disagreement() -> None:
    assert "Both get equally many right" in _words(80, 5, 5)["difference"]
    assert _words(80, 5, 5)["needed"] == "No difference was seen that more pictures could settle."
    assert _words(80, 0, 0)["verdict"] == "Both get the very same pictures right"


def test_too_few_pictures_for_any_difference() -> None:
    assert _words(2, 1, 0, detectable=1.0)["power"] == "3 pictures are too few to show any difference in 4 of 5 tries."


def test_a_test_and_an_interval_that_do_not_agree_are_told() -> None:
    difference = {"value": 0.05, "low": -0.001, "high": 0.1, "p": 0.04, "n": 100, "method": ""}
    words = _words(88, 10, 2, difference=difference)
    content = {"comparison": {"n": 100, "n_only_a": 10, "n_only_b": 5, "n_groups": 7, "difference": difference}}
    assert "too close to call" not in words["difference"]  # where one is called better
    assert words["verdict"].startswith("A is better")
    rest = {"n_both": 80, "n_neither": 5, "detectable": 0.1, "n_needed": 120}
    close = words_of_comparison({"comparison": content["comparison"] | rest, "better": None, "test_openings": 1})
    assert close["verdict"] == "This test set cannot tell which is better"
    assert "too close to call" in close["difference"]
    assert "(in 7 groups)" in close["difference"]
    assert "opened once" in close["opened"]


@pytest.mark.parametrize("counts", [(50, 3, 3, 4), (1, 0, 0, 0), (0, 5, 0, 0), (0, 0, 0, 5), (10, 30, 2, 0)])
def test_every_table_has_all_its_sentences(counts: tuple[int, int, int, int]) -> None:
    words = _words(*counts)
    assert set(words) == {"verdict", "difference", "table", "power", "needed", "meaning", "opened"}
    assert all(sentence and "nan" not in sentence and "None" not in sentence for sentence in words.values())


def test_a_comparison_on_a_table_speaks_of_rows() -> None:
    found = compare_paired(np.ones(9, bool), np.ones(9, bool), generator=np.random.default_rng(0))
    content = {"comparison": found.as_dict(), "better": "", "test_openings": 1, "things": "rows"}
    words = words_of_comparison(content)
    assert words["verdict"] == "Both get the very same rows right"
    assert "picture" not in " ".join(words.values())
