"""H401, H402 and H406: runs that are compared, and are not what they are compared as."""

import pytest

from auditing.make_logs import FILE, LogMaker
from auditing.rules.judged import found, plain
from heldout.auditing.log import Optimiser, Place


def _made(made: LogMaker, rate: float, *, before: int = 0, fingerprint: int = 7, line: int = 12) -> Optimiser:
    """An optimiser that takes ten steps, at weights that had taken some before."""
    optimiser = made.steps()
    optimiser.learning_rate, optimiser.settings["lr"] = rate, str(rate)
    optimiser.n_updates_before, optimiser.place = before, Place(FILE, line)
    optimiser.fingerprint, optimiser.trained_data, optimiser.last_fingerprint = fingerprint, 99, fingerprint + 1
    optimiser.n_parameters = 10
    return optimiser


def _sweep(rates: list[float], *, goes_on: bool) -> LogMaker:
    made = plain()
    for number, rate in enumerate(rates):
        _made(made, rate, before=10 * number if goes_on else 0, fingerprint=number + 1)
    return made


def test_a_sweep_that_goes_on_with_the_same_weights() -> None:
    (finding,) = found(_sweep([0.001, 0.01, 0.1], goes_on=True), "H401")
    assert (finding.severity, finding.place.line) == ("error", 12)
    assert finding.observed == (
        "3 optimisers were made here, with learning rates 0.001, 0.01, 0.1; "
        "when each began, its weights had taken 0, 10, 20 steps."
    )


def test_falling_rates_are_a_note() -> None:
    assert [each.severity for each in found(_sweep([0.1, 0.01, 0.001], goes_on=True), "H401")] == ["note"]


@pytest.mark.parametrize(
    ("rates", "goes_on"),
    [
        ([0.001, 0.01, 0.1], False),  # a fresh model each
        ([0.1, 0.1, 0.1], True),  # rounds of active learning, or of federated averaging
        ([0.1], True),  # a second stage
    ],
)
def test_fresh_models_equal_settings_and_single_optimisers_are_silent(rates: list[float], goes_on: bool) -> None:
    assert found(_sweep(rates, goes_on=goes_on), "H401") == []


def test_stages_at_lines_of_their_own_are_silent() -> None:
    made = plain()
    _made(made, 0.001, line=12)
    _made(made, 0.1, before=10, line=30, fingerprint=8)
    assert found(made, "H401") == found(made, "H402") == []


def test_an_optimiser_that_never_stepped_is_silent() -> None:
    made = _sweep([0.001, 0.01], goes_on=True)
    made.log.optimisers[0].n_steps = 0
    assert found(made, "H401") == []


def _variants() -> LogMaker:
    made = plain()
    made.model("deep")
    _made(made, 0.1, line=12)
    _made(made, 0.1, line=13).models = {1}
    return made


def test_variants_that_are_one_model() -> None:
    (finding,) = found(_variants(), "H402")
    assert (finding.severity, finding.place.line) == ("error", 13)
    assert finding.observed == (
        "2 trainings (model, deep) began with the same weights and settings (learning rate 0.1), "
        "learned from the same samples and ended with the same weights."
    )
    assert [each.line for each in finding.more] == [12]


def test_variants_that_end_differently_are_not_said_to_end_alike() -> None:
    made = _variants()
    made.log.optimisers[1].last_fingerprint = 1000
    (finding,) = found(made, "H402")
    assert finding.observed.endswith("learned from the same samples.")


@pytest.mark.parametrize("differs", ["fingerprint", "trained_data", "n_steps"])
def test_variants_that_differ_in_one_thing_are_silent(differs: str) -> None:
    made = _variants()
    setattr(made.log.optimisers[1], differs, 1234)
    assert found(made, "H402") == []


def test_variants_with_other_settings_are_silent() -> None:
    made = _variants()
    made.log.optimisers[1].settings["weight_decay"] = "0.01"
    assert found(made, "H402") == []


def _called(fresh_loads: int, other_loads: int) -> LogMaker:
    made = plain()
    first = _made(made, 0.1, line=12, fingerprint=1)
    second = _made(made, 0.1, line=13, fingerprint=2)
    first.called, first.n_loaded = ("pretrained",), other_loads
    second.called, second.n_loaded = ("from_scratch",), fresh_loads
    return made


def test_a_model_from_scratch_that_began_with_loaded_weights() -> None:
    (finding,) = found(_called(10, 10), "H402")
    assert (finding.severity, finding.place.line) == ("error", 13)
    assert finding.observed.startswith("The training called 'from_scratch' began with 10 of 10 parameters out of")


@pytest.mark.parametrize(("fresh_loads", "other_loads"), [(0, 10), (0, 0), (10, 0)])
def test_a_model_from_scratch_beside_a_pretrained_one_is_silent(fresh_loads: int, other_loads: int) -> None:
    assert found(_called(fresh_loads, other_loads), "H402") == []


def test_no_seed_is_a_note() -> None:
    made = LogMaker()
    made.model()
    made.data_set("train_loader")
    made.loop(0, [5], [10], trained=True)
    (finding,) = found(made, "H406")
    assert (finding.severity, finding.place.line) == ("note", 25)
    made.happens("seed", value=0)
    assert found(made, "H406") == []


def test_no_seed_is_needed_where_nothing_is_trained() -> None:
    made = LogMaker()
    made.model()
    made.data_set("test_loader")
    made.loop(0, [5], [10])
    assert found(made, "H406") == []
