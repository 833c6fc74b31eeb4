"""H401, H402 and H406: runs that are compared, and are not what they are compared as."""

import pytest

from auditing.make_logs import FILE, LogMaker
from auditing.rules.judged import found, plain
from heldout.auditing.seen.models import Optimiser, Scheduler
from heldout.auditing.seen.place import Place


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
    ("text", "severity"),
    [
        ("0.1   val acc 0.91", "error"),
        ("best learning rate: 0.001", "error"),
        ("1e-3: done, test acc 0.91", "note"),
        ("best epoch 12 of 20", "note"),
        ("10.1 seconds", "note"),
    ],
)
def test_falling_rates_that_are_compared_in_the_end_are_an_error(text: str, severity: str) -> None:
    made = _sweep([0.1, 0.01, 0.001], goes_on=True)
    made.says(text)
    assert [each.severity for each in found(made, "H401")] == [severity]


@pytest.mark.parametrize(("frozen", "severity"), [((8, 4, 0), "note"), ((0, 0, 0), "error"), ((0, 4, 8), "error")])
def test_layers_that_are_freed_by_turns_are_a_note(frozen: tuple[int, ...], severity: str) -> None:
    made = _sweep([0.001, 0.01, 0.1], goes_on=True)
    for optimiser, n_frozen in zip(made.log.optimisers, frozen, strict=True):
        optimiser.n_without_grad = n_frozen
    assert [each.severity for each in found(made, "H401")] == [severity]


def test_rates_that_fall_and_rise_again_are_told() -> None:
    assert [each.severity for each in found(_sweep([0.01, 0.001, 0.1], goes_on=True), "H401")] == ["error"]


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


def _one_after_the_other(*, seeds: tuple[int, int], ends: tuple[int, int], teacher: bool = False) -> LogMaker:
    """Two trainings that begin alike, each with a seed of its own, and models that end with these fingerprints."""
    made = plain()
    made.model("deep")
    made.model("teacher")
    for model, (seed, end) in enumerate(zip(seeds, ends, strict=True)):
        made.happens("seed", value=seed)
        optimiser = _made(made, 0.1, line=12)
        optimiser.models, optimiser.last_fingerprint, optimiser.first_step = {model}, 0, made.tick()
        made.log.models[model].last_fingerprint = end
        if teacher and model:
            made.shows(None, [-1] * 3, [10] * 3, model=2)
        optimiser.last_step = made.tick()
    return made


@pytest.mark.parametrize(
    ("seeds", "ends", "teacher", "n_told"),
    [
        ((0, 0), (5, 6), False, 0),  # something in the steps differs, and not the order of the samples
        ((0, 0), (5, 5), False, 1),
        ((0, 0), (0, 0), False, 1),
        ((0, 1), (5, 6), False, 1),
        ((0, 1), (5, 6), True, 0),
    ],
)
def test_trainings_that_begin_alike_and_are_set_apart(
    seeds: tuple[int, int], ends: tuple[int, int], teacher: bool, n_told: int
) -> None:
    findings = found(_one_after_the_other(seeds=seeds, ends=ends, teacher=teacher), "H402")
    assert len(findings) == n_told
    assert all(each.observed.endswith("ended with the same weights.") == (ends == (5, 5)) for each in findings)


@pytest.mark.parametrize("differs", ["fingerprint", "trained_data", "n_steps"])
def test_variants_that_differ_in_one_thing_are_silent(differs: str) -> None:
    made = _variants()
    setattr(made.log.optimisers[1], differs, 1234)
    assert found(made, "H402") == []


@pytest.mark.parametrize(
    ("kinds", "rates", "n_told"), [("aa", (1.0, 1.0), 1), ("ab", (1.0, 1.0), 0), ("aa", (1.0, 0.1), 0)]
)
def test_variants_with_other_schedules_are_silent(kinds: str, rates: tuple[float, float], n_told: int) -> None:
    made = _variants()
    for optimiser, kind, rate in zip(made.log.optimisers, kinds, rates, strict=True):
        made.log.schedulers.append(Scheduler(optimiser.number, kind, Place(FILE, 14), optimiser.number))
        optimiser.last_learning_rate = rate
    assert len(found(made, "H402")) == n_told


def test_variants_with_other_losses_are_silent() -> None:
    made = _variants()
    made.log.optimisers[0].differentiated = ("NllLossBackward0", "LogSoftmaxBackward0")
    made.log.optimisers[1].differentiated = ("MeanBackward0", "MulBackward0")
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


def test_a_new_head_for_other_samples_is_a_note() -> None:
    for n_fresh, trained_data, severity in ((2, 1, "note"), (2, 99, "error"), (0, 1, "error"), (10, 1, "error")):
        made = _sweep([0.001, 0.01], goes_on=True)
        later = made.log.optimisers[1]
        later.n_fresh, later.trained_data = n_fresh, trained_data
        assert [each.severity for each in found(made, "H401")] == [severity]


def test_a_sweep_in_a_hook_of_a_framework_is_told_where_that_was_called() -> None:
    made = _sweep([0.001, 0.01, 0.1], goes_on=True)
    for optimiser in made.log.optimisers:
        optimiser.asked_from = Place(FILE, 33)
    (finding,) = found(made, "H401")
    assert (finding.place.line, [each.line for each in finding.more]) == (33, [12])
