"""The record of a training's norms, put in order."""

import pytest

from heldout.anatomy.decay.measured import measured_decay

ROWS = [
    (0, "conv.weight", 4.0, 1.0),
    (0, "conv.bias", 0.0, 1.0),
    (0, "fc.weight", 2.0, 1.0),
    (1, "conv.weight", 3.0, 0.5),
    (1, "conv.bias", 0.5, 1.0),
    (1, "fc.weight", 1.5, 0.5),
    (2, "conv.weight", 5.0, 0.25),
    (2, "conv.bias", 0.7, 1.0),
    (2, "fc.weight", 0.5, 0.25),
]


def test_ratios_are_shares_of_the_first_norm_beside_decay_alone() -> None:
    found = measured_decay(ROWS, kept=1)
    assert (found.epochs, found.row, found.is_decayed) == ((0, 1, 2), 1, True)
    assert [tensor.name for tensor in found.decayed] == ["conv.weight", "fc.weight"]
    conv, bias, head = found.tensors
    assert (conv.ratio(1), conv.by_gradient(1)) == (0.75, 1.5)
    assert (head.ratio(-1), head.by_gradient(-1)) == (0.25, 1.0)
    assert (bias.ratio(1), bias.by_gradient(1), bias.is_decayed) == (None, None, False)


def test_where_training_made_nothing_better_the_last_epoch_is_told() -> None:
    assert measured_decay(ROWS, kept=0).row == 2


def test_where_decay_leaves_nothing_there_is_no_share_of_it() -> None:
    tensor = measured_decay([(0, "w", 1.0, 1.0), (1, "w", 0.5, 0.0)], kept=1).tensors[0]
    assert tensor.by_gradient(1) is None


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        ([], 0),
        (ROWS[3:], 1),
        (ROWS[:-1], 1),
        (ROWS, 3),
        ([*ROWS[:3], *ROWS[6:]], 2),
    ],
)
def test_what_is_not_one_whole_training_is_refused(rows: list[tuple[int, str, float, float]], kept: int) -> None:
    with pytest.raises(ValueError, match="absent"):
        measured_decay(rows, kept)
