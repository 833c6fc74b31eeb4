import math
from itertools import pairwise
from pathlib import Path

import pytest

from heldout.training.rates import N_STEPS, Try, choose, has_diverged, range_of, read_test, smoothed, write_test
from heldout.training.settings import OPTIMISERS, defaults


def valley(lowest: float, *, fall: float = 1.0, noise: float = 0.0) -> list[Try]:
    """Losses of a made test: 2 at the start, lowest at one rate, and beyond it rising with the square."""
    tries = []
    for step, rate in enumerate(range_of("sgd")):
        distance = math.log10(rate / lowest)
        depth = fall / (1 + 10 ** (-2 * distance - 1)) if distance <= 0 else fall / 1.1 - 4 * distance**2
        start = 2 + noise * math.cos(1.7 * step)
        tries.append(Try(rate, start - depth, start))
        if has_diverged(tries):
            break
    return tries


@pytest.mark.parametrize("lowest", [1e-3, 1e-2, 0.1, 1.0])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_the_rate_is_a_tenth_of_that_at_which_the_loss_rises_however_batches_differ(
    lowest: float, noise: float
) -> None:
    test = choose(valley(lowest, noise=noise), regime="full", optimiser="sgd")
    assert test.is_told
    assert lowest / 5 < test.learning_rate < lowest / 2  # the loss has risen by half at twice the lowest's rate
    assert test.learning_rate in test.rates
    assert f"a tenth of {test.rates[-1]:g}" in test.reason
    assert test.finding() is None
    assert len(test.rates) < N_STEPS, "it ends where the network has come apart"


def test_a_loss_that_never_falls_tells_nothing() -> None:
    tries = [Try(rate, 1 + rate, 1.0) for rate in range_of("sgd")]
    test = choose(tries, regime="partial", optimiser="sgd")
    found = test.finding()
    assert (test.learning_rate, test.is_told) == (defaults("partial").rate, False)
    assert found is not None
    assert (found.code, found.severity) == ("learning-rate-not-found", "note")
    assert "never fell" in found.what
    assert "0.003 is what partial starts from" in found.what


def test_a_loss_that_never_falls_still_keeps_from_rates_that_tear_the_network_apart() -> None:
    test = choose([Try(rate, 1 + 3e3 * rate, 1.0) for rate in range_of("sgd")[:42]], regime="partial", optimiser="sgd")
    assert not test.is_told
    assert test.learning_rate == test.rates[-17] < defaults("partial").rate
    assert "a tenth of where" in test.reason


def test_a_network_that_never_comes_apart_tells_nothing() -> None:
    tries = [Try(rate, 2 - step / N_STEPS, 2.0) for step, rate in enumerate(range_of("adamw"))]
    test = choose(tries, regime="scratch", optimiser="adamw")
    assert (test.learning_rate, test.is_told) == (defaults("scratch", {"optimiser": "adamw"}).rate, False)
    assert "at no rate from 1e-06 to 1 did the network come apart" in test.reason


def test_a_loss_that_is_no_number_ends_the_test_and_one_small_rise_does_not() -> None:
    calm = [Try(rate, 1.0, 1.0) for rate in range_of("sgd")[:20]]
    assert not has_diverged(calm)
    assert not has_diverged([*calm, Try(1e-3, 1.2, 1.0)])
    assert has_diverged([*calm, Try(1e-3, math.inf, 1.0)])
    # Half of a large fall is lost again.
    assert has_diverged([Try(1, 3.0, 3.0)] * 9 + [Try(1, 0.0, 3.0)] * 9 + [Try(1, 2.0, 3.0)] * 9)


def test_a_network_that_comes_apart_at_once_is_told_and_nothing_breaks() -> None:
    test = choose([Try(1e-5, math.inf, 1.0)], regime="full", optimiser="sgd")
    assert (test.learning_rate, test.is_told) == (1e-5, False)


def test_smoothing_takes_out_what_differs_from_batch_to_batch() -> None:
    starts = [1.0, 5.0, 2.0, 8.0]
    assert smoothed([start - 0.5 for start in starts], starts) == pytest.approx([3.5] * 4)


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_the_rates_rise_by_one_factor_over_six_powers_of_ten(optimiser: str) -> None:
    rates = range_of(optimiser)
    assert len(rates) == N_STEPS
    assert rates[-1] / rates[0] == pytest.approx(1e6)
    assert all(second / first == pytest.approx(10 ** (1 / 16), rel=0.01) for first, second in pairwise(rates))


def test_what_is_written_is_read_as_the_same_test(tmp_path: Path) -> None:
    path = tmp_path / "learning_rate.csv"
    broken = [*valley(0.1)[:70], Try(range_of("sgd")[70], math.inf, 2.0)]
    for tries in (valley(0.1), broken, [Try(rate, 1.0, 1.0) for rate in range_of("sgd")]):
        test = choose(tries, regime="full", optimiser="sgd")
        write_test(path, test)
        assert read_test(path, regime="full", optimiser="sgd") == test
        rows = path.read_text().splitlines()
        assert rows[0] == "rate,loss,start_loss,smoothed,chosen"
        assert [row.split(",")[0] for row in rows if row.endswith(",true")] == [f"{test.learning_rate}"] * test.is_told


@pytest.mark.parametrize(
    "text", ["", "rate,loss\n1,2\n", "rate,loss,start_loss\n1e-05,x,1\n", "rate,loss,start_loss\n2,1,1\n"]
)
def test_a_damaged_file_is_no_test(tmp_path: Path, text: str) -> None:
    assert read_test(tmp_path / "absent.csv", regime="full", optimiser="sgd") is None
    (tmp_path / "learning_rate.csv").write_text(text)
    assert read_test(tmp_path / "learning_rate.csv", regime="full", optimiser="sgd") is None
