"""H401, H403 and H404 by what was loaded."""

import pytest

from auditing.make_logs import FILE, LogMaker
from auditing.rules.judged import found
from heldout.auditing.seen.log import Event
from heldout.auditing.seen.models import Optimiser
from heldout.auditing.seen.place import Place


def _trained(made: LogMaker, *, model: int = 0, n: int = 10) -> Optimiser:
    """A pass that is learned from, with its optimiser's steps."""
    optimiser = made.steps(model=model, n=n)
    optimiser.first_step = made.tick()
    made.loop(0, [5, 5], [10, 10], trained=True, model=model)
    optimiser.last_step = made.tick()
    return optimiser


def _loads(made: LogMaker, **facts: object) -> None:
    usual = {"module": ["model"], "kind": "Net", "n_keys": 4, "n_parameters": 4, "n_missing": 0, "n_unexpected": 0}
    rest = {"missing": [], "unexpected": [], "strict": True, "fingerprint": 5, "families": [0], "is_live": False}
    made.log.events.append(Event(made.tick(), "load_state", Place(FILE, 1), {**usual, **rest, "taken": -1, **facts}))


def _begun() -> LogMaker:
    made = LogMaker()
    made.data_set("train_loader")
    made.data_set("test_loader")
    made.model("first")
    return made


def test_weights_of_which_no_name_is_the_models() -> None:
    made = _begun()
    _loads(made, n_unexpected=4, strict=False, unexpected=["module.fc.weight"], missing=["fc.weight"])
    (finding,) = found(made, "H403")
    assert finding.severity == "error"
    assert finding.observed == (
        "None of the 4 weights that are loaded here has a name of the model's "
        "('module.fc.weight' and not 'fc.weight'): it keeps its own."
    )


@pytest.mark.parametrize("facts", [{"n_unexpected": 2, "strict": False}, {"n_keys": 0, "n_parameters": 0}, {}])
def test_weights_of_which_some_names_match_are_silent(facts: dict[str, object]) -> None:
    made = _begun()
    _loads(made, **facts)
    assert found(made, "H403") == []


def test_weights_in_a_model_that_was_let_go() -> None:
    made = _begun()
    _loads(made, lost_to=0)
    (finding,) = found(made, "H403")
    assert (finding.severity, finding.more[0].line) == ("warning", 9)
    assert "was let go before anything was asked of it; first" in finding.observed


def test_the_models_own_parameters_before_more_training_are_a_sweep() -> None:
    made = _begun()
    _trained(made)
    _loads(made, is_live=True)
    _trained(made)
    (finding,) = found(made, "H401")
    assert finding.severity == "error"
    assert "after 10 steps it changes nothing" in finding.observed
    assert found(made, "H404") == []


def test_the_models_own_parameters_at_the_end_are_not_the_best() -> None:
    made = _begun()
    _trained(made)
    _loads(made, is_live=True)
    assert [each.severity for each in found(made, "H404")] == ["error"]
    assert found(made, "H401") == []


def test_the_models_own_parameters_taken_just_now_are_silent() -> None:
    made = _begun()
    _trained(made)
    _loads(made, is_live=True, taken=made.tick())
    assert found(made, "H401") == found(made, "H404") == []


def _restarted(*, kind: str = "Adam", times: int = 2, puts_back: bool = False) -> LogMaker:
    made = _begun()
    optimiser = _trained(made)
    optimiser.kind = kind
    for _ in range(times):
        _loads(made, fingerprint=made.log.models[0].fingerprint)
        if puts_back:
            made.happens("load_optimiser")
        optimiser.last_step = made.tick()
    return made


def test_an_optimiser_with_a_memory_that_goes_on() -> None:
    (finding,) = found(_restarted(), "H401")
    assert finding.severity == "warning"
    assert "put back to its first weights 2 times here, and one Adam went on" in finding.observed


@pytest.mark.parametrize("case", [{"kind": "SGD"}, {"times": 1}, {"puts_back": True}])
def test_an_optimiser_that_remembers_nothing_is_silent(case: dict[str, bool]) -> None:
    assert found(_restarted(**case), "H401") == []  # type: ignore[arg-type]


def _two(*, goes_on: bool = False, fingerprint: int = 5) -> LogMaker:
    made = _begun()
    made.model("second")
    _trained(made)
    _trained(made, model=1)
    for model in (0, 1):
        _loads(made, families=[model])
        made.loop(1, [7], [10], model=model).fingerprint = 5 if model else fingerprint
    if goes_on:
        _trained(made)
        _trained(made, model=1)
    return made


def test_two_models_with_the_weights_of_one() -> None:
    findings = found(_two(), "H404")
    assert [each.severity for each in findings] == ["error"]
    assert "both had been trained apart, and were evaluated on test_loader with the very same weights" in (
        findings[0].observed
    )


@pytest.mark.parametrize("case", [{"goes_on": True}, {"fingerprint": 6}])
def test_rounds_of_averaging_and_weights_of_their_own_are_silent(case: dict[str, int]) -> None:
    assert found(_two(**case), "H404") == []  # type: ignore[arg-type]
