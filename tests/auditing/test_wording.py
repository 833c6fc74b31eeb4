import pytest

from heldout.auditing.wording import is_error, is_plain, metric_of, part_of, says_accuracy, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("valAcc", ["val", "acc"]),
        ("val_acc", ["val", "acc"]),
        ("Acc@1", ["acc", "@1"]),
        ("'eval_accuracy'", ["eval", "accuracy"]),
        ("top1 ACC", ["top1", "acc"]),
        ("F1", ["f1"]),
        ("", []),
    ],
)
def test_words_come_apart_however_they_are_joined(text: str, words: list[str]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("text", "metric"),
    [
        ("train accuracy", "accuracy"),
        ("are correctly predicted", "accuracy"),
        ("loss acc", "accuracy"),
        ("acc loss", "loss"),
        ("error rate", "accuracy"),
        ("test error", None),
        ("top5 accuracy", None),
        ("acc@5", None),
        ("acc@1", "accuracy"),
        ("accuracy target", None),
        ("chance accuracy", None),
        ("f1", None),
        ("learning rate", None),
    ],
)
def test_the_last_word_that_names_a_metric_counts(text: str, metric: str | None) -> None:
    assert metric_of(words_of(text)) == metric


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("train acc", "train"),
        ("trained with accuracy", "train"),
        ("dev_acc", "validation"),
        ("Accuracy of the test images", "test"),
        ("eval_accuracy", "held-out"),
        ("eval test accuracy", "test"),
        ("train val accuracy", ""),
        ("accuracy", ""),
        ("value interval", ""),
    ],
)
def test_a_part_is_named_where_one_is(text: str, part: str) -> None:
    assert part_of(words_of(text)) == part


def test_a_name_is_plain_where_every_word_is_known() -> None:
    assert is_plain(words_of("Accuracy of the network on the test images"))
    assert not is_plain(words_of("cat accuracy"))
    assert not is_plain(words_of("confident val_acc"))


def test_errors_and_counts_are_told_from_accuracies() -> None:
    assert is_error(["error", "rate"])
    assert not is_error(["acc", "error"])
    assert says_accuracy(["val", "acc"])
    assert not says_accuracy(["correct"])
