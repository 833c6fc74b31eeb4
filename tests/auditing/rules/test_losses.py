"""H210 and H211: losses of numbers that they are not made for, and losses made smaller twice."""

import pytest

from auditing.rules.judged import found, plain

DIVIDED = "mean loss divided by the data set"


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("probabilities into cross-entropy", "cross_entropy was given probabilities"),
        ("no logarithms into nll_loss", "nll_loss was given numbers above 0"),
        ("probabilities into logits loss", "binary_cross_entropy_with_logits was given numbers between 0 and 1"),
    ],
)
def test_losses_of_the_wrong_numbers(kind: str, told: str) -> None:
    made = plain("train_loader")
    made.remarks(kind, n=1234, line=26)
    (finding,) = found(made, "H210")
    assert (finding.severity, finding.place.line) == ("error", 26)
    assert finding.observed.startswith(told)
    assert finding.observed.endswith("in all 1,234 calls.")


@pytest.mark.parametrize("kind", ["probabilities into cross-entropy", DIVIDED])
@pytest.mark.parametrize(("n", "n_chances"), [(3, 3), (20, 21), (0, 20)])
def test_what_may_be_chance_is_silent(kind: str, n: int, n_chances: int) -> None:
    made = plain("train_loader")
    made.remarks(kind, n=n)
    made.log.remarks[-1].n_chances = n_chances
    assert found(made, "H210") == found(made, "H211") == []


def test_a_mean_loss_that_is_divided_again() -> None:
    made = plain("train_loader")
    made.remarks(DIVIDED, n=40, line=27)
    made.log.remarks[-1].facts.update(n=5000, value=0.0002, loss=1.0)
    (finding,) = found(made, "H211")
    assert (finding.severity, finding.place.line) == ("error", 27)
    assert "divided by 5,000, the length of the data set, in all 40 backward passes: 0.0002" in finding.observed
