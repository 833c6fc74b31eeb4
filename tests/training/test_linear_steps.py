"""The step of one linear layer against torch's general way, and what a training of it leaves alone."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from heldout.models.table_network import TableNetwork, random_table_network
from heldout.training.balancing import EVEN, Balance
from heldout.training.course import copied_state
from heldout.training.settings import defaults
from heldout.training.steps import Learner, make_learner, train_step
from heldout.training.tasks import feature_task, row_task
from training.small import CPU, equal_states, small_network, state_of


def learner_of(balance: Balance = EVEN, **changes: Any) -> Learner:
    net = random_table_network(6, (), 3, generator=torch.Generator().manual_seed(0))
    return make_learner(row_task(net, device=CPU, balance=balance), defaults("linear", changes), precision="float32")


def trained(learner: Learner) -> tuple[dict[str, torch.Tensor], list[float], list[int]]:
    generator = torch.Generator().manual_seed(1)
    losses, n_correct = [], []
    for rate in (0.1, 0.3, 0.2, 0.1):
        inputs = torch.randn(17, 6, generator=generator)
        labels = torch.randint(0, 3, (17,), generator=generator)
        sums = train_step(learner, inputs, labels, learning_rate=rate)
        losses.append(float(sums.loss))
        n_correct.append(int(sums.n_correct))
    return state_of(learner.task.net), losses, n_correct


@pytest.mark.parametrize(
    "balance",
    [EVEN, Balance(weights=torch.tensor([0.5, 1.0, 2.0])), Balance(gamma=2.0)],
    ids=["even", "weights", "focal"],
)
@pytest.mark.parametrize(
    "changes",
    [{}, {"momentum": 0.0, "weight_decay": 0.01}, {"label_smoothing": 0.1}, {"optimiser": "adamw"}],
    ids=["sgd", "without momentum", "smoothing", "adamw"],
)
def test_it_is_the_general_step(balance: Balance, changes: dict[str, Any]) -> None:
    learner = learner_of(balance, **changes)
    assert learner.linear is learner.task.net.head
    state, losses, n_correct = trained(learner)
    general = replace(learner_of(balance, **changes), linear=None)
    expected_state, expected_losses, expected_correct = trained(general)
    assert losses == pytest.approx(expected_losses, rel=1e-5)
    assert n_correct == expected_correct
    for name, value in state.items():
        torch.testing.assert_close(value, expected_state[name], rtol=1e-5, atol=1e-6)
    assert learner.decay_alone == general.decay_alone
    own, other = (each.optimiser.state_dict()["state"] for each in (learner, general))
    assert own.keys() == other.keys()
    for index, slots in own.items():
        assert slots.keys() == other[index].keys()


def test_it_leaves_the_same_bits_twice() -> None:
    first, second = trained(learner_of()), trained(learner_of())
    assert equal_states(first[0], second[0])
    assert first[1:] == second[1:]


def test_only_one_layer_in_32_bits_goes_this_way() -> None:
    deep = TableNetwork(6, (4,), 3)
    assert not make_learner(row_task(deep, device=CPU), defaults("mlp"), precision="float32").linear
    task = feature_task(small_network(), device=CPU)
    assert make_learner(task, defaults("frozen"), precision="float32").linear
    assert not make_learner(task, defaults("frozen"), precision="bfloat16").linear


def test_a_copy_of_the_weights_takes_what_stays_from_the_one_before() -> None:
    task = feature_task(small_network(), device=CPU)
    before = copied_state(task)
    with torch.no_grad():
        task.net.head.weight += 1
    after = copied_state(task, before)
    assert after.keys() == before.keys()
    assert equal_states(after, state_of(task.net))
    assert after["stem.weight"] is before["stem.weight"]
    assert not torch.equal(after["fc.weight"], before["fc.weight"])
    with torch.no_grad():
        task.net.head.weight += 1
    assert not torch.equal(after["fc.weight"], task.net.head.weight)
