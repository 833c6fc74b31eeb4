"""H202 to H204: parameters that ought to learn and do not, and those that ought not and do."""

from auditing.make_logs import LogMaker
from auditing.rules.judged import found, plain


def test_a_head_that_no_optimiser_holds() -> None:
    made = plain("train_loader")
    made.log.models[0].last_parameter = "fc.bias"
    made.steps().unknown = ("fc.weight", "fc.bias")
    (finding,) = found(made, "H202")
    assert (finding.severity, finding.place.line) == ("error", 12)
    assert finding.observed == "fc.weight, fc.bias got gradients in every step, and no optimiser holds them."


def test_an_optimiser_of_layers_that_were_replaced() -> None:
    made = plain("train_loader")
    optimiser = made.steps()
    optimiser.unknown, optimiser.n_without_grad, optimiser.n_parameters = ("a", "b", "c", "d", "e"), 2, 10
    (finding,) = found(made, "H202")
    assert finding.severity == "error"
    assert finding.observed.startswith("a, b, c and 2 more got gradients in every step")
    assert finding.observed.endswith("; 2 of the 10 it holds never had one.")


def test_training_the_head_alone_is_a_note() -> None:
    made = plain("train_loader")
    made.log.models[0].last_parameter = "fc.bias"
    made.steps().unknown = ("conv.weight", "conv.bias")
    (finding,) = found(made, "H202")
    assert finding.severity == "note"


def test_an_optimiser_of_all_parameters_is_silent() -> None:
    made = plain("train_loader")
    made.steps().n_without_grad = 2
    assert found(made, "H202") == []


def _misspelt(n: int) -> LogMaker:
    made = plain("train_loader")
    made.remarks("misspelt attribute", n=n, line=8)
    made.log.remarks[-1].facts["name"] = "require_grad"
    return made


def test_a_misspelt_freeze() -> None:
    (finding,) = found(_misspelt(60), "H203")
    assert (finding.severity, finding.place.line) == ("error", 8)
    assert finding.observed.startswith("60 parameters of this optimiser have an attribute 'require_grad'")


def test_a_misspelt_freeze_of_nothing_is_silent() -> None:
    assert found(_misspelt(0), "H203") == []


def test_frozen_parameters_that_moved() -> None:
    made = plain("train_loader")
    made.steps().n_moved_frozen = 4
    (finding,) = found(made, "H204")
    assert (finding.severity, finding.place.line) == ("error", 12)
    assert finding.observed == "4 parameters with requires_grad=False changed while this SGD stepped."


def test_frozen_normalisation_that_goes_on_is_a_note() -> None:
    made = plain("train_loader", "val_loader")
    made.loop(0, [5, 5, 5, 5], [10] * 4, trained=True).n_frozen_norm_live = 3
    (finding,) = found(made, "H204")
    assert (finding.severity, finding.place.line) == ("note", 25)
    assert finding.observed.startswith("In 3 of 4 training calls of model a batch normalisation with frozen weights")


def test_frozen_normalisation_of_an_evaluation_is_silent() -> None:
    made = plain("train_loader", "val_loader")
    made.loop(0, [5], [10], trained=True)
    made.loop(1, [5], [10]).n_frozen_norm_live = 1
    assert found(made, "H204") == []
