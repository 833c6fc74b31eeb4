import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from heldout.models.weights import fingerprint
from heldout.training.loop import fit_network
from heldout.training.rate_finding import find_learning_rate, found_or_find
from heldout.training.rates import FILE_NAME, N_STEPS, RateTest, range_of
from heldout.training.settings import FIND, TrainingSettings, defaults
from heldout.training.tasks import Task
from training.small import small_parts, small_task

REGIMES = ("scratch", "partial", "full")


def to_find(regime: str, **changes: object) -> TrainingSettings:
    return defaults(regime, {"epochs": 2, "learning_rate": FIND, "label_smoothing": 0.1, **changes})


def find(task: Task, *, seed: int = 0, precision: str = "float32", **changes: object) -> RateTest:
    settings = to_find(task.regime, **changes)
    batches = small_parts(task.regime).train
    return find_learning_rate(task, settings, batches=batches, precision=precision, seed=seed)


def everything(task: Task) -> list[object]:
    """All that a test could have left a trace in."""
    states = (torch.get_rng_state(), torch.initial_seed(), np.random.get_state(), random.getstate())  # noqa: NPY002
    net = task.net
    return [
        fingerprint(net.state_dict()),  # weights, and buffers of batch normalisation
        [(name, one.requires_grad, one.grad, one.stride(), one.data_ptr()) for name, one in net.named_parameters()],
        [(name, one.training, len(one._forward_hooks)) for name, one in net.named_modules()],
        repr(states),
    ]


@pytest.mark.parametrize(("regime", "optimiser"), [("scratch", "sgd"), ("partial", "adamw"), ("full", "sgd")])
def test_a_training_after_the_test_is_bit_for_bit_the_one_that_names_the_rate(regime: str, optimiser: str) -> None:
    tested, untouched = small_task(regime), small_task(regime)
    for task in (tested, untouched):
        task.net.bn.eval()  # type: ignore[union-attr]
        task.net.stem.weight.requires_grad_(False)  # type: ignore[union-attr]
    before = everything(tested)
    test = find(tested, optimiser=optimiser)
    assert everything(tested) == before, "no trace in the network, nor in any generator"
    assert len(test.rates) > 20
    assert test.rates == range_of(optimiser)[: len(test.rates)]
    settings = replace(to_find(regime, optimiser=optimiser), learning_rate=test.learning_rate)
    ends = []
    for task in (tested, untouched):
        fitted = fit_network(task, settings, parts=small_parts(regime), precision="float32", seed=0)
        losses = [(one.train_loss, one.validation_loss, one.learning_rate) for one in fitted.history]
        ends.append((fingerprint(fitted.state), repr(losses)))
    assert ends[0] == ends[1]


def test_the_same_seed_finds_the_same_from_the_network_as_it_came() -> None:
    first, again, other = (find(small_task("partial"), seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first.losses != other.losses
    assert first.losses[0] == pytest.approx(first.start_losses[0], rel=1e-6)
    assert first.losses[1:] != first.start_losses[1:]


def test_a_small_network_learns_at_the_rate_that_was_found_and_hardly_at_a_hundredth_of_it() -> None:
    test = find(small_task("scratch"))
    assert test.is_told, test.reason
    settings = replace(to_find("scratch", epochs=8), warmup_share=0.0)
    losses = []
    for rate in (test.learning_rate / 100, test.learning_rate):
        fitted = fit_network(
            small_task("scratch"),
            replace(settings, learning_rate=rate),
            parts=small_parts("scratch"),
            precision="float32",
            seed=0,
        )
        losses.append(fitted.history[-1].train_loss)
    assert losses[1] < losses[0] - 0.1


def test_who_watches_is_told_of_every_step_and_may_end_the_test() -> None:
    seen: list[tuple[int, int]] = []

    def watch(done: int, total: int, steps_per_second: float) -> None:
        seen.append((done, total))
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_learning_rate(
            small_task(), to_find("full"), batches=small_parts().train, precision="float32", seed=0, watch=watch
        )
    assert seen == [(step, N_STEPS) for step in range(4)]


def test_what_the_folder_has_is_not_found_again(tmp_path: Path) -> None:
    task, settings, batches = small_task("partial"), to_find("partial"), small_parts("partial").train

    def found(seed: int) -> RateTest:
        return found_or_find(tmp_path, task, settings, batches=batches, precision="float32", seed=seed)

    first = found(0)
    assert found(1) == first  # another seed would have found other losses
    (tmp_path / FILE_NAME).write_text("damaged")
    assert found(0) == first
