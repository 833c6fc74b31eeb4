import pytest
from hypothesis import given
from hypothesis import strategies as st

from heldout.training.schedules import learning_rate
from heldout.training.settings import defaults


@given(n_steps=st.integers(1, 400), warmup_share=st.floats(0, 0.99), rate=st.floats(1e-6, 100))
def test_the_rate_rises_then_falls_and_is_never_zero_nor_above_its_highest(
    n_steps: int, warmup_share: float, rate: float
) -> None:
    settings = defaults("full", {"warmup_share": warmup_share, "learning_rate": rate})
    rates = [learning_rate(step, n_steps, settings) for step in range(n_steps)]
    highest = rates.index(max(rates))
    assert all(0 < one <= rate for one in rates)
    assert rates[: highest + 1] == sorted(rates[: highest + 1])
    assert rates[highest:] == sorted(rates[highest:], reverse=True)
    assert max(rates) == pytest.approx(rate)


def test_the_rise_takes_its_share_of_the_steps() -> None:
    settings = defaults("full", {"warmup_share": 0.25, "learning_rate": 1.0})
    assert [learning_rate(step, 16, settings) for step in range(5)] == [0.25, 0.5, 0.75, 1.0, 1.0]


def test_halfway_down_the_cosine_the_rate_is_half() -> None:
    settings = defaults("full", {"warmup_share": 0.0, "learning_rate": 0.2})
    assert learning_rate(50, 100, settings) == pytest.approx(0.1)


def test_a_step_beyond_the_last_is_a_fault() -> None:
    with pytest.raises(AssertionError, match="step 10 of 10"):
        learning_rate(10, 10, defaults("full"))
