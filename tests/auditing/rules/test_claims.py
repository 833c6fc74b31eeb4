"""H407: a winner that is named after one training each, by less than chance would change."""

import pytest

from auditing.make_logs import LogMaker
from auditing.rules.judged import found, plain
from heldout.auditing.rules.claims import _Difference

TRUTHS = [0, 1] * 60


def _made(*wrong: int, layers: tuple[int, ...] = (1, 2, 3), line: str = "wide is better than deep") -> LogMaker:
    """Models called wide, deep and flat, with so many answers that are wrong, each at samples of its own."""
    made = plain("train_loader", "test_loader")
    made.log.models.clear()
    start = 0
    for number, (n_wrong, name) in enumerate(zip(wrong, ("wide", "deep", "flat"), strict=False)):
        made.model(name)
        made.log.models[number].layers = layers[number]
        made.steps(model=number).called = (name,)
        made.loop(0, [90], [100], trained=True, model=number)
        stretch = made.loop(1, [120 - n_wrong], [120], model=number)
        stretch.truths = bytearray(TRUTHS)
        stretch.answers = bytearray(
            1 - label if start <= at < start + n_wrong else label for at, label in enumerate(TRUTHS)
        )
        start += n_wrong
        made.says(f"{name} test acc {(120 - n_wrong) / 120:.3f}", line=50)
    made.says(line, line=60)
    return made


def test_a_winner_by_chance() -> None:
    (finding,) = found(_made(4, 8), "H407")
    assert (finding.severity, finding.place.line) == ("warning", 60)
    assert finding.observed == (
        "wide names 96.7 % and deep 93.3 % of 120 samples rightly, each trained once: 3.3 points, where one of them "
        "alone is right it is the first 8 times, the second 4 (p = 0.39). As many other samples would move that by up "
        "to 5.6 points; about 698 would tell it."
    )


def test_a_winner_by_more_than_chance_is_silent() -> None:
    assert found(_made(2, 30), "H407") == []


def test_the_two_that_the_line_names_are_compared() -> None:
    assert found(_made(2, 30, 3), "H407") == []
    assert len(found(_made(2, 30, 3, line="wide wins"), "H407")) == 1


def test_a_choice_is_a_note_where_it_names_one() -> None:
    (finding,) = found(_made(4, 8, line="best model: wide"), "H407")
    assert finding.severity == "note"
    assert found(_made(4, 8, line="best val_acc 0.967"), "H407") == []


@pytest.mark.parametrize(
    "line", ["wide is better, p = 0.39", "wide is better by 0.03 ± 0.05", "lower is better", "done", "wide 0.967"]
)
def test_noise_that_is_told_and_no_claim_are_silent(line: str) -> None:
    assert found(_made(4, 8, line=line), "H407") == []


def test_one_recipe_trained_twice_is_several_seeds() -> None:
    made = _made(4, 8, layers=(1, 1, 1), line="the first is better")
    for model, optimiser in zip(made.log.models, made.log.optimisers, strict=True):
        model.names, optimiser.called = ["net"], (f"seed{model.number}",)
    assert found(made, "H407") == []


def test_a_line_that_every_training_prints_is_no_claim() -> None:
    made = _made(4, 8, line="no more")
    made.log.printed = [each for each in made.log.printed if each.place.line == 60]
    assert found(made, "H407") == []


def test_differences() -> None:
    one = _Difference(100, 12, 3, is_paired=True)
    assert one.chance == pytest.approx(0.0352, abs=1e-4)  # scipy.stats.binomtest(3, 15).pvalue
    assert one.n_needed == 138
    assert _Difference(100, 5, 5, is_paired=True).n_needed is None
    assert _Difference(100, 0, 0, is_paired=True).chance == 1.0
    assert _Difference(4000, 900, 700, is_paired=True).chance < 1e-5
