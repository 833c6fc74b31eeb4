"""H201: gradients that are never cleared."""

from auditing.make_logs import FILE, LogMaker
from auditing.rules.judged import found
from heldout.auditing.seen.place import Place


def test_gradients_that_are_never_cleared() -> None:
    made = LogMaker()
    made.model()
    optimiser = made.steps(n=1200)
    optimiser.n_stale, optimiser.stale_place = 1199, Place(FILE, 33)
    (finding,) = found(made, "H201")
    assert (finding.severity, finding.place.line) == ("error", 33)
    assert finding.observed.startswith("1,199 of 1,200 steps of this SGD used a gradient")
    assert finding.more == (Place(FILE, 12),)


def test_where_the_backward_pass_is_unknown_the_optimiser_is_named() -> None:
    made = LogMaker()
    made.model()
    made.steps(n=10).n_stale = 9
    (finding,) = found(made, "H201")
    assert finding.place.line == 12


def test_one_leftover_gradient_is_silent() -> None:
    made = LogMaker()
    made.model()
    made.steps(n=10).n_stale = 1
    assert found(made, "H201") == []
