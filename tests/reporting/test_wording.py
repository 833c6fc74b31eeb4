"""Numbers in words: the right digits, and a dash where there is no number."""

import math

import pytest

from heldout.reporting.results import ScoreRecord
from heldout.reporting.wording import (
    bracket,
    count,
    decimal,
    duration,
    file_size,
    interval_of,
    is_number,
    listing,
    percent,
    times,
    value_of,
    words_of,
)


def score(name: str, value: float | None, low: float | None = 0.0, high: float | None = 1.0) -> ScoreRecord:
    return {"name": name, "value": value, "low": low, "high": high, "n": 10, "method": "Wilson, 95%"}


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_what_is_not_defined_is_a_dash(value: float | None) -> None:
    assert percent(value) == decimal(value) == bracket(value, 1.0) == bracket(0.0, value) == "–"
    assert not is_number(value)


def test_shares_read_as_percent_and_losses_as_decimals() -> None:
    assert value_of(score("accuracy", 0.91349)) == "91.3\u202f%"
    assert value_of(score("brier", 0.91349)) == "0.913"
    assert interval_of(score("balanced_accuracy", 0.5, 0.4, 0.6)) == "[40.0, 60.0]"
    assert interval_of(score("macro_f1", 0.5, 0.4, 0.6)) == "[0.400, 0.600]"


def test_a_score_nobody_described_still_has_a_title() -> None:
    assert words_of("matthews_correlation").title == "Matthews correlation"
    assert value_of(score("matthews_correlation", 0.5)) == "0.500"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.9994, "999 ms"), (0.9996, "1.0 s"), (59.94, "59.9 s"), (59.96, "1 min 0 s"), (3599.6, "1 h 0 min")],
)
def test_durations_never_round_up_into_the_next_unit(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_small_words() -> None:
    assert count(0, "picture") == "0 pictures"
    assert listing([]) == ""
    assert times(1234) == "1,234 times"
    assert file_size(2_500_000_000_000) == "2500.0 GB"
