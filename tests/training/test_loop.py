import hashlib
import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from heldout.data.batches import Batches, evaluation_batches
from heldout.data.pictures.decoding import PixelPath
from heldout.errors import Diverged
from heldout.models.resnet import resnet
from heldout.training.arithmetic import make_arithmetic
from heldout.training.course import begin
from heldout.training.history import EpochRecord
from heldout.training.loop import Fitted, Parts, fit_network, train_epochs
from heldout.training.schedules import learning_rate
from heldout.training.settings import TrainingSettings, defaults
from heldout.training.steps import evaluate
from heldout.training.tasks import Task, pixel_task
from training.small import CPU, ArrayRows, colours, equal_states, small_parts, small_task, state_of


def quick(regime: str = "full", **changes: object) -> TrainingSettings:
    return defaults(regime, {"epochs": 3, "learning_rate": 0.05, **changes})


def fitted(regime: str = "full", *, seed: int = 0, task: Task | None = None, **changes: object) -> Fitted:
    task = small_task(regime, seed=seed) if task is None else task
    return fit_network(task, quick(regime, **changes), parts=small_parts(regime), precision="float32", seed=seed)


def hash_of(state: dict[str, Tensor]) -> str:
    return hashlib.sha256(b"".join(value.numpy().tobytes() for value in state.values())).hexdigest()


@pytest.mark.parametrize("regime", ["scratch", "partial", "full"])
def test_training_learns(regime: str) -> None:
    history = fitted(regime, epochs=8).history
    assert history[-1].validation_loss < 0.8 * history[0].validation_loss
    assert history[-1].train_loss < history[-7].train_loss


@pytest.mark.parametrize("regime", ["partial", "full"])
@pytest.mark.parametrize("precision", ["float32", "winograd"])
def test_the_same_seed_gives_the_same_weights_bit_by_bit(regime: str, precision: str) -> None:
    states = []
    for seed in (0, 0, 1):
        task = small_task(regime, seed=seed)
        parts = small_parts(regime)
        states.append(hash_of(fit_network(task, quick(regime), parts=parts, precision=precision, seed=seed).state))
    assert states[0] == states[1]
    assert states[0] != states[2]


def test_a_resnet_on_two_threads_gives_the_same_weights_bit_by_bit() -> None:
    pictures, labels = colours(12, size=72)
    train, validation = (Batches(ArrayRows(pictures), labels, some, 4) for some in np.split(np.arange(12), [8]))
    parts = Parts(train, validation)
    path = PixelPath(72, 64, "bilinear", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    found = []
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        for _ in range(2):
            net = resnet("resnet18", 3, generator=torch.Generator().manual_seed(0))
            task = pixel_task(net, "scratch", path=path, augmentation="strong", seed=3, device=CPU)
            settings = defaults("scratch", {"epochs": 2, "batch_size": 4})
            found.append(hash_of(fit_network(task, settings, parts=parts, precision="winograd", seed=3).state))
    finally:
        torch.set_num_threads(n_threads)
    assert found[0] == found[1]


def test_torchs_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    torch.rand(1)
    moved = torch.get_rng_state()
    fitted()
    assert torch.equal(torch.get_rng_state(), moved)
    torch.set_rng_state(before)


def test_records_count_examples_and_tell_the_epochs_own_numbers() -> None:
    task, parts, settings = small_task(), small_parts(), quick()
    arithmetic = make_arithmetic("float32", task)
    course = begin(task, settings, precision="float32")
    for epoch, record in enumerate(train_epochs(course, settings, parts=parts, seed=0)):
        judged = evaluate(task, evaluation_batches(parts.validation), arithmetic=arithmetic)
        assert record.epoch == epoch
        assert (record.validation_loss, record.validation_correct) == (judged.loss, judged.n_correct)
        assert record.n_validation == 13
        assert record.validation_accuracy == judged.accuracy
        if epoch:
            assert record.train_accuracy * 26 == pytest.approx(round(record.train_accuracy * 26))
            assert record.learning_rate == max(
                learning_rate(step, 12, settings) for step in range(4 * epoch - 4, 4 * epoch)
            )
            assert record.pictures_per_second > 0
            assert record.seconds > 0


def test_a_pretrained_network_is_judged_before_its_first_epoch_and_a_random_one_is_not() -> None:
    assert [record.epoch for record in fitted("full").history] == [0, 1, 2, 3]
    assert [record.epoch for record in fitted("scratch").history] == [1, 2, 3]
    start = fitted("full").history[0]
    assert math.isnan(start.train_loss)
    assert start.learning_rate == 0


def test_the_weights_of_the_epoch_with_the_lowest_validation_loss_are_kept() -> None:
    task, parts, settings = small_task(), small_parts(), quick(learning_rate=0.2, epochs=5, warmup_share=0.0)
    states = {
        record.epoch: (record.validation_loss, state_of(task.net))
        for record in train_epochs(begin(task, settings, precision="float32"), settings, parts=parts, seed=0)
    }
    best = min(states, key=lambda epoch: states[epoch][0])
    again = small_task()
    found = fit_network(again, settings, parts=parts, precision="float32", seed=0)
    assert found.best_epoch == best
    assert equal_states(found.state, states[best][1])
    assert equal_states(state_of(again.net), states[best][1])
    assert all(value.is_contiguous() for value in found.state.values())


def test_training_that_only_harms_leaves_a_pretrained_network_as_it_came() -> None:
    task = small_task()
    fitted(task=task, epochs=10)
    good = state_of(task.net)
    found = fitted(task=task, learning_rate=1.0, warmup_share=0.0, epochs=1)
    assert found.best_epoch == 0
    assert equal_states(found.state, good)


def test_patience_ends_training_so_many_epochs_after_the_best() -> None:
    task = small_task()
    fitted(task=task, epochs=10)
    found = fitted(task=task, learning_rate=0.2, warmup_share=0.0, epochs=50, patience=2)
    assert found.history[-1].epoch == found.best_epoch + 2


def test_watchers_hear_of_every_epoch_and_every_step() -> None:
    records: list[EpochRecord] = []
    steps: list[tuple[int, int, float]] = []
    found = fit_network(
        small_task(),
        quick(),
        parts=small_parts(),
        precision="float32",
        seed=0,
        watch=records.append,
        watch_step=lambda *step: steps.append(step),
    )
    assert tuple(records) == found.history
    assert [step[:2] for step in steps] == [(done, 4) for _ in range(3) for done in range(1, 5)]
    assert all(step[2] > 0 for step in steps)


def test_a_loss_that_is_no_number_stops_the_run_and_the_best_weights_stay() -> None:
    task = small_task()
    before = state_of(task.net)
    with pytest.raises(Diverged, match=r"the training loss is (nan|inf) at epoch \d+, step \d") as caught:
        fit_network(
            task,
            quick(learning_rate=100.0, weight_decay=10.0, epochs=40),
            parts=small_parts(),
            precision="float32",
            seed=0,
        )
    assert "to 10" in caught.value.fix
    assert equal_states(state_of(task.net), before)


def test_label_smoothing_is_learnt_but_not_reported_on_validation() -> None:
    plain, smooth = (fitted(label_smoothing=share, epochs=1, learning_rate=1e-9).history for share in (0.0, 0.5))
    assert plain[0].validation_loss == smooth[0].validation_loss
    assert plain[1].train_loss != smooth[1].train_loss


def test_the_rate_of_the_epochs_falls_after_the_rise() -> None:
    rates = [record.learning_rate for record in fitted(epochs=6).history[1:]]
    assert all(first > second for first, second in pairwise(rates[1:]))
