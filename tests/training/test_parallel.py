import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from heldout.data.batches import Share, evaluation_batches, training_batches
from heldout.errors import HeldoutError, UsageError
from heldout.interrupting import Stop
from heldout.training.checkpoints import Checkpoints, newest
from heldout.training.loop import fit_network
from heldout.training.parallel import ALONE, Group, check_pieces
from heldout.training.settings import defaults
from heldout.training.steps import evaluate, make_learner
from training.groups import together
from training.small import equal_states, small_parts, small_task, state_of


def trained(
    group: Group, regime: str, *, batch_size: int = 8, checkpoints: Checkpoints | None = None
) -> tuple[dict[str, Tensor], list[tuple[float, float, int]]]:
    """The last weights and the history of a short training, without dropout, whose draws are each process's own."""
    task = small_task(regime)
    task.net.get_submodule("drop").p = 0.0  # type: ignore[assignment]
    settings = defaults(regime, {"epochs": 2, "learning_rate": 0.05})
    last = []

    def keep(_: object) -> None:
        last.append(state_of(task.net))

    fitted = fit_network(
        task,
        settings,
        parts=replace(small_parts(regime, batch_size=batch_size), group=group),
        precision="float32",
        seed=0,
        watch=keep,
        checkpoints=checkpoints,
    )
    history = [(one.train_loss, one.validation_loss, one.validation_correct) for one in fitted.history]
    return last[-1], history


@pytest.mark.parametrize(("n", "world"), [(7, 3), (2, 5), (0, 2), (8, 8), (9, 1)])
def test_pieces_are_every_place_once_and_as_equal_as_can_be(n: int, world: int) -> None:
    pieces = [Share(rank, world).of(n) for rank in range(world)]
    assert [place for piece in pieces for place in piece] == list(range(n))
    assert max(map(len, pieces)) - min(map(len, pieces)) <= 1
    assert [list(piece) for piece in pieces] == [part.tolist() for part in np.array_split(np.arange(n), world)]


@pytest.mark.parametrize("world", [2, 3, 11])
def test_the_pieces_of_a_batch_are_the_pictures_of_the_whole_one(world: int) -> None:
    task, train = small_task("full"), small_parts("full").train
    for whole in training_batches(train, seed=0, epoch=1):
        inputs = []
        for rank in range(world):
            share = Share(rank, world)
            piece = next(training_batches(train, seed=0, epoch=1, first_step=whole.step, share=share))
            assert piece.n_whole == len(whole.labels)
            inputs.append(task.training_inputs(piece))
        assert torch.equal(torch.cat(inputs), task.training_inputs(whole))


@pytest.mark.parametrize("world", [2, 3])
def test_a_group_learns_what_one_process_learns(world: int, tmp_path: Path) -> None:
    alone, history = trained(ALONE, "full")
    found = together(world, lambda group: trained(group, "full"), tmp_path)
    for state, told in found:
        assert equal_states(state, found[0][0])
        assert repr(told) == repr(found[0][1])  # nan is no equal of itself
        for name, value in alone.items():
            assert torch.allclose(state[name], value, atol=1e-5), name
        assert np.allclose(np.nan_to_num(told), np.nan_to_num(history), atol=1e-5)
        assert [one[2] for one in told] == [one[2] for one in history]


def test_a_group_that_learns_statistics_holds_the_same_everywhere(tmp_path: Path) -> None:
    (first, _), (second, _) = together(2, lambda group: trained(group, "scratch"), tmp_path)
    assert equal_states(first, second)
    alone, _ = trained(ALONE, "scratch")
    # Each normalises by its own piece: near, and not equal.
    assert not torch.equal(first["norm.running_mean"], alone["norm.running_mean"])
    assert torch.allclose(first["norm.running_mean"], alone["norm.running_mean"], atol=0.05)
    assert first["norm.num_batches_tracked"] == alone["norm.num_batches_tracked"]


def test_every_picture_is_judged_once_by_more_processes_than_a_batch_has(tmp_path: Path) -> None:
    parts = small_parts("full", n_validation=6, batch_size=4)

    def judged(group: Group) -> tuple[int, int, float]:
        task = small_task("full")
        learner = make_learner(task, defaults("full"), precision="float32", group=group)
        batches = evaluation_batches(parts.validation, group.share)
        tally = evaluate(task, batches, arithmetic=learner.arithmetic, group=group)
        return tally.n, tally.n_correct, tally.loss

    n, n_correct, loss = judged(ALONE)
    assert n == 6
    for found in together(5, judged, tmp_path):
        assert found[:2] == (n, n_correct)
        assert found[2] == pytest.approx(loss, rel=1e-6)


def test_a_batch_with_fewer_examples_than_processes_is_learnt_from(tmp_path: Path) -> None:
    alone, _ = trained(ALONE, "full", batch_size=2)
    for state, _ in together(3, lambda group: trained(group, "full", batch_size=2), tmp_path):
        assert all(torch.allclose(state[name], value, atol=1e-5) for name, value in alone.items())


class _Late(Stop):
    """Asks to stop after so many times of being asked whether it does."""

    def __init__(self, patience: int) -> None:
        super().__init__()
        self._patience = patience

    @property
    def is_asked(self) -> bool:
        self._patience -= 1
        return self._patience < 0


def test_who_is_asked_to_stop_stops_all_and_they_go_on_bit_for_bit(tmp_path: Path) -> None:
    def train(group: Group, folder: str, stop: Stop) -> tuple[object, list[str], int | None]:
        checkpoints = Checkpoints(tmp_path / folder, "job", stop, group=group)
        begun_at = checkpoints.saved.generation if checkpoints.saved else None
        try:
            return trained(group, "full", checkpoints=checkpoints), checkpoints.elsewhere, begun_at
        except KeyboardInterrupt:
            return "stopped", checkpoints.elsewhere, begun_at

    wanted = together(2, lambda group: train(group, "alone", Stop()), tmp_path)
    stopped = together(2, lambda group: train(group, "run", _Late(5 if group.rank else 999)), tmp_path)
    assert [one[0] for one in stopped] == ["stopped", "stopped"]
    saved = newest(tmp_path / "run")
    assert saved is not None
    assert (saved.content["epoch"], saved.content["step"]) == (1, 3)
    assert saved.content["circumstances"]["workers"] == 2
    shutil.copytree(tmp_path / "run", tmp_path / "copy")
    found = together(2, lambda group: train(group, "run", Stop()), tmp_path)
    assert [one[2] for one in found] == [1, 1]
    for before, after in zip(wanted, found, strict=True):
        assert isinstance(before[0], tuple)
        assert isinstance(after[0], tuple)
        assert equal_states(before[0][0], after[0][0])
    # And one process goes on with it, but says that it is not the same.
    alone = Checkpoints(tmp_path / "copy", "job", Stop())
    trained(ALONE, "full", checkpoints=alone)
    assert alone.elsewhere == ["workers 1, was 2"]


def test_weights_that_differ_are_an_error(tmp_path: Path) -> None:
    def differ(group: Group) -> None:
        group.check_same("same", "the weights")
        group.check_same(str(group.rank) * 64, "the weights")

    with pytest.raises(HeldoutError, match=r"the weights differ between the 2 workers: 0+, 1+"):
        together(2, differ, tmp_path)


def test_rank_0_decides_and_one_flag_is_enough(tmp_path: Path) -> None:
    def talk(group: Group) -> tuple[int, bool, bool]:
        return group.first(lambda: group.rank + 7), group.any(group.rank == 1), group.any(False)

    assert together(2, talk, tmp_path) == [(7, True, False)] * 2
    assert talk(ALONE) == (7, False, False)


def test_a_group_too_large_for_batch_statistics_is_refused() -> None:
    check_pieces(20, 8, world=3, learns_statistics=True)
    check_pieces(20, 8, world=30, learns_statistics=False)
    with pytest.raises(UsageError, match="workers is 4, and the smallest batch has 6 examples"):
        check_pieces(20, 8, world=4, learns_statistics=True)


def test_alone_torchs_messages_are_never_asked_for() -> None:
    assert os.environ.get("RANK") is None
    values = torch.ones(3)
    ALONE.add_up([values])
    ALONE.check_same("a", "b")
    assert not torch.distributed.is_initialized()
    assert values.tolist() == [1, 1, 1]
