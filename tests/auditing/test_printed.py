import pytest

from heldout.auditing.facts import Line
from heldout.auditing.printed import Claim, claims_in, series_of
from heldout.auditing.seen.place import Place

HERE = Place("train.py", 60)


def _line(text: str, moment: int = 1, line: int = 60) -> Line:
    return Line(moment, Place("train.py", line), text, "stdout")


def _claims(text: str) -> list[Claim]:
    return sorted((claim for series in series_of([_line(text)]) for claim in series.claims), key=lambda c: c.metric)


def _accuracies(text: str) -> list[tuple[float, str]]:
    return [(round(claim.value, 6), claim.part) for claim in _claims(text) if claim.metric == "accuracy"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("epoch 1 train_loss 0.4 train_acc 0.9160 (1024 samples)", [(0.916, "train")]),
        ("scratch lr 0.05 epoch 2 train_acc 0.41 val_loss 1.6 val_acc 0.55", [(0.41, "train"), (0.55, "validation")]),
        ("35 of 60 are correctly predicted", [(35 / 60, "")]),
        ("Validation loss:  0.05 ;  4 of 4 are correctly predicted", [(1.0, "validation")]),
        ("Accuracy of the network on the 10000 test images: 55 %", [(0.55, "test")]),
        ("Test set: Average loss: 0.0299, Accuracy: 9913/10000 (99%)", [(0.9913, "test"), (0.99, "test")]),
        ("loss: 0.32 - accuracy: 0.90 - val_loss: 0.41 - val_accuracy: 0.88", [(0.9, ""), (0.88, "validation")]),
        ("train loss 0.3 acc 0.9 | val loss 0.4 acc 0.85", [(0.9, "train"), (0.85, "validation")]),
        ("Accuracy: train 0.93, val 0.88", [(0.93, "train"), (0.88, "validation")]),
        ("{'eval_loss': 0.34, 'eval_accuracy': 0.9325, 'epoch': 1.0}", [(0.9325, "held-out")]),
        (
            "Epoch: [0][ 10/500] Loss 6.9e+00 (6.91e+00) Acc@1  39.0 ( 35.1) Acc@5 60.0 (62.0)",
            [(0.39, ""), (0.351, "")],
        ),
        ("Train Accuracy: tensor(93.2000, device='cuda:0')", [(0.932, "train")]),
        ("93.2% accuracy on test", [(0.932, "test")]),
        ("top-5 accuracy: 0.99 top-1 accuracy: 0.81", [(0.81, "")]),
        ("Epoch 3/10, Batch 100/938, Loss: 0.21, Acc: 91.25%", [(0.9125, "")]),
        ("2024-01-01 12:00:00,123 INFO train.py:34 test acc=0.91 f1=0.88", [(0.91, "test")]),
        ("error rate 0.08", [(0.92, "")]),
        ("Val Acc: 0.9123 +/- 0.0123", [(0.9123, "validation")]),
        ("Accuracy: 92", [(0.92, "")]),
    ],
)
def test_accuracies_are_found_as_people_print_them(text: str, found: list[tuple[float, str]]) -> None:
    assert _accuracies(text) == [(round(value, 6), part) for value, part in found]


@pytest.mark.parametrize(
    "text",
    [
        "accuracy target 0.9, lr 0.001",
        "True count: 64.0 out of 128 (50.0%)",
        "Correct: 57",
        "epoch 3/10 done",
        "top-5 accuracy: 0.99",
        "val f1 0.8 auc 0.9",
        "chance accuracy is 0.333",
        "saved model_acc_best.pt",
    ],
)
def test_other_numbers_are_no_accuracies(text: str) -> None:
    assert _accuracies(text) == []


def test_an_accuracy_is_as_exact_as_it_is_printed() -> None:
    (claim,) = _claims("val_acc 0.8123")
    assert claim.agrees(0.81226)
    assert not claim.agrees(0.8121)


def test_a_whole_percentage_may_have_been_cut_off() -> None:
    (claim,) = _claims("test accuracy: 92 %")
    assert claim.agrees(0.9299)
    assert claim.agrees(0.9151)
    assert not claim.agrees(0.931)


def test_a_count_agrees_with_that_count_alone() -> None:
    (claim,) = _claims("correct: 30/60")
    assert claim.agrees_with_count(30, 60)
    assert not claim.agrees_with_count(60, 120)
    assert not claim.agrees_with_count(0, 0)


def test_numbers_of_one_statement_are_a_series_and_percentages_become_shares() -> None:
    lines = [_line(f"epoch {epoch} acc {value}", epoch) for epoch, value in enumerate(["0.9", "45.25", "61.5"])]
    (series,) = series_of(lines)
    assert [claim.value for claim in series.claims] == pytest.approx([0.009, 0.4525, 0.615])
    assert series.claims[0].width == pytest.approx(1e-4, rel=0.01)  # with as many places as the longest
    assert series.called == "'acc'"


def test_a_heading_in_the_line_before_names_the_part() -> None:
    (series,) = series_of([_line("[val] - Epoch 0.."), _line("   >> accuracy 0.333", 2)])
    assert (series.first.part, series.called) == ("validation", "'accuracy' (validation)")
    (series,) = series_of([_line("[val] - Epoch 0..", line=3), _line("   >> accuracy 0.333", 2)])
    assert series.first.part == ""


def test_rows_of_a_table_are_named_by_its_head() -> None:
    text = [
        "  epoch    train_loss    valid_acc     dur",
        "-------  ------------  -----------  ------",
        "      1        0.6905       0.6150  0.0261",
        "      2        0.6648       0.6450  0.0190",
    ]
    accuracy = next(
        s for s in series_of([_line(each, n) for n, each in enumerate(text)]) if s.first.metric == "accuracy"
    )
    assert [(claim.value, claim.part) for claim in accuracy.claims] == [(0.615, "validation"), (0.645, "validation")]


def test_of_a_progress_bar_the_last_line_counts() -> None:
    bar = ["  5%|5 | 1/20 [00:01, acc=0.5]", "100%|# | 20/20 [00:01, acc=0.8]", "100%|# | 20/20 [00:02, acc=0.9]"]
    (series,) = series_of([_line(each, n) for n, each in enumerate(bar)])
    assert [(claim.value, claim.in_bar) for claim in series.claims] == [(0.9, True)]


def test_of_very_many_lines_the_middle_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("heldout.auditing.printed.MOST_LINES", 10)
    (series,) = series_of([_line("acc 0.5", number) for number in range(20)])
    assert [claim.moment for claim in series.claims] == [*range(5), *range(15, 20)]


def test_claims_of_one_line_carry_its_place_and_words() -> None:
    claim, loss = claims_in(_line("best val_acc 0.85 cat loss 0.5"))
    assert (claim.place, claim.label, claim.is_plain, claim.text) == (HERE, "best val acc", True, "0.85")
    assert (loss.metric, loss.is_plain) == ("loss", False)
