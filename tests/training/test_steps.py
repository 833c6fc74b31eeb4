import gc
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from heldout.data.batches import evaluation_batches, training_batches
from heldout.models.regimes import set_mode
from heldout.training import steps
from heldout.training.arithmetic import make_arithmetic
from heldout.training.settings import defaults
from heldout.training.steps import Learner, evaluate, make_learner, private_draws, train_step
from training.small import CPU, equal_states, small_parts, small_task, state_of

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def one_step(learner: Learner, regime: str = "full", *, learning_rate: float = 0.1) -> None:
    batch = next(training_batches(small_parts(regime).train, seed=0, epoch=1))
    set_mode(learner.task.net, learner.task.regime, training=True)
    inputs, labels = learner.task.training_inputs(batch), torch.from_numpy(batch.labels)
    with private_draws(CPU, seed=0, epoch=1, step=0):
        train_step(learner, inputs, labels, learning_rate=learning_rate)


def test_a_step_is_plain_sgd_written_out() -> None:
    settings = defaults("full", {"momentum": 0.0, "weight_decay": 0.01})
    task = small_task(augmentation="none")
    before = state_of(task.net)
    learner = make_learner(task, settings, precision="float32")
    one_step(learner)
    for name, parameter in task.net.named_parameters():
        assert parameter.grad is not None
        decay = 0.01 if parameter.ndim >= 2 else 0.0
        torch.testing.assert_close(parameter.detach(), before[name] - 0.1 * (parameter.grad + decay * before[name]))


@pytest.mark.parametrize("optimiser", ["sgd", "adamw"])
@pytest.mark.parametrize(("regime", "still"), [("full", ()), ("partial", ("stem.", "bn.", "depthwise."))])
def test_a_step_moves_what_its_regime_lets_learn_and_nothing_else(
    optimiser: str, regime: str, still: tuple[str, ...]
) -> None:
    task = small_task(regime)
    before = state_of(task.net)
    one_step(make_learner(task, defaults(regime, {"optimiser": optimiser}), precision="float32"), regime)
    for name, value in task.net.state_dict().items():
        is_still = name.startswith(still or "nothing") or name.endswith(STATISTICS)
        assert torch.equal(value, before[name]) == is_still, name


def test_the_loss_of_a_step_falls_when_it_is_repeated() -> None:
    learner = make_learner(small_task(augmentation="none"), defaults("full"), precision="float32")
    batch = next(training_batches(small_parts().train, seed=0, epoch=1))
    inputs, labels = learner.task.training_inputs(batch), torch.from_numpy(batch.labels)
    set_mode(learner.task.net, "full", training=True)
    losses = [float(train_step(learner, inputs, labels, learning_rate=0.05).loss) for _ in range(15)]
    assert losses[-1] < 0.5 * losses[0]


def test_evaluating_changes_nothing_and_sums_over_examples() -> None:
    task, parts = small_task(), small_parts()
    before = state_of(task.net)
    arithmetic = make_arithmetic("float32", task)
    judged = evaluate(task, evaluation_batches(parts.validation), arithmetic=arithmetic)
    assert equal_states(state_of(task.net), before)
    assert judged.n == 13
    with torch.no_grad():
        batch = next(evaluation_batches(small_parts(batch_size=100).validation))
        logits = task.net(task.evaluation_inputs(batch)).double().numpy()
    shifted = logits - logits.max(axis=1, keepdims=True)
    likelihood = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    assert judged.loss == pytest.approx(-likelihood[np.arange(13), batch.labels].mean(), rel=1e-5)
    assert judged.n_correct == int((logits.argmax(axis=1) == batch.labels).sum())


def test_private_draws_depend_on_the_position_alone_and_leave_torchs_generator() -> None:
    before = torch.get_rng_state()
    drawn = []
    for epoch, step in [(1, 0), (1, 1), (2, 0), (1, 0)]:
        with private_draws(CPU, seed=0, epoch=epoch, step=step):
            drawn.append(float(torch.rand(())))
    assert drawn[0] == drawn[3]
    assert len(set(drawn)) == 3
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("precision", ["float32", "winograd"])
@pytest.mark.parametrize("regime", ["full", "partial"])
def test_a_batch_in_pieces_gives_the_gradient_of_the_batch(regime: str, precision: str) -> None:
    batch = next(training_batches(small_parts(regime).train, seed=0, epoch=1))
    found = []
    for n_at_once in (None, 3):
        task = small_task(regime, augmentation="none")
        dropout = task.net.get_submodule("drop")
        assert isinstance(dropout, nn.Dropout)
        dropout.p = 0.0
        learner = replace(make_learner(task, defaults(regime), precision=precision), n_at_once=n_at_once)
        set_mode(task.net, regime, training=True)
        inputs, labels = task.training_inputs(batch), torch.from_numpy(batch.labels)
        sums = train_step(learner, inputs, labels, learning_rate=0.0)
        slopes = {name: one.grad for name, one in task.net.named_parameters() if one.grad is not None}
        found.append((slopes, sums))
    (whole, sums), (pieces, pieced) = found
    assert whole.keys() == pieces.keys()
    for name, slope in whole.items():
        torch.testing.assert_close(pieces[name], slope, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(pieced.loss, sums.loss)
    assert int(pieced.n_correct) == int(sums.n_correct)


def test_pieces_are_as_large_as_the_memory_for_a_backward_pass_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "_BACKWARD_BYTES", 1)
    assert make_learner(small_task("full"), defaults("full"), precision="float32").n_at_once == 1
    # Small pictures of 8 x 8: the stem keeps its input, each layer with 64 channels on 4 x 4 places about 4 KiB.
    monkeypatch.setattr(steps, "_BACKWARD_BYTES", 2**20)
    n_at_once = make_learner(small_task("full"), defaults("full"), precision="float32").n_at_once
    assert n_at_once is not None
    assert 2**20 / 40_000 < n_at_once < 2**20 / 8_000
    # Statistics of a batch are of the whole batch.
    assert make_learner(small_task("scratch"), defaults("scratch"), precision="float32").n_at_once is None


def test_finding_the_size_of_the_pieces_keeps_nothing() -> None:
    def n_tensors() -> int:
        gc.collect()
        return sum(type(thing) is torch.Tensor for thing in gc.get_objects())

    settings = defaults("full")
    make_learner(small_task(), settings, precision="float32")
    before = n_tensors()
    for _ in range(3):
        make_learner(small_task(), settings, precision="float32")
    assert n_tensors() == before


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "float16"])
def test_a_step_on_a_gpu_moves_the_weights(precision: str) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    from heldout.training.tasks import pixel_task
    from training.small import PATH, small_network

    device = torch.device("cuda")
    task = pixel_task(small_network(), "full", path=PATH, augmentation="light", seed=0, device=device)
    before = state_of(task.net)
    batch = next(training_batches(small_parts().train, seed=0, epoch=1))
    learner = make_learner(task, defaults("full"), precision=precision)
    set_mode(task.net, "full", training=True)
    labels = torch.from_numpy(batch.labels).to(device)
    train_step(learner, task.training_inputs(batch), labels, learning_rate=0.1)
    assert not equal_states(state_of(task.net), before)
