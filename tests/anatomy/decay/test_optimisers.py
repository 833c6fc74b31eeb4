"""What `weight_decay` does, beside torch's own optimisers."""

import inspect
from collections.abc import Iterator
from typing import Any

import pytest
import torch

from heldout.anatomy.decay.optimisers import OptimiserRule, torch_rules

RULES = torch_rules()
# Each optimiser of each rule, with the rule.
OWN = [(name, rule) for rule in RULES for name in rule.optimisers]


@pytest.fixture(autouse=True)
def _64_bits() -> Iterator[None]:
    """NAdam and ASGD keep numbers of their own in torch's default type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def torchs(name: str, *, rate: float, decay: float, n_steps: int, **settings: Any) -> list[float]:
    """A weight of 1 after each step of torch's optimiser, without a gradient of the loss."""
    weight = torch.ones((1, 1), dtype=torch.float64, requires_grad=True)
    own = getattr(torch.optim, name)([weight], lr=rate, weight_decay=decay, **settings)
    found = []
    for _ in range(n_steps):
        weight.grad = torch.zeros_like(weight)
        own.step()
        found.append(weight.item())
    return found


@pytest.mark.parametrize(("name", "rule"), OWN, ids=[f"{name}, {rule.name}" for name, rule in OWN])
@pytest.mark.parametrize(("rate", "decay"), [(0.1, 0.2), (0.003, 0.05), (0.9, 1.7), (0.2, 12.0)])
def test_every_rule_is_torchs_own_step_by_step(name: str, rule: OptimiserRule, rate: float, decay: float) -> None:
    expected = torchs(name, rate=rate, decay=decay, n_steps=30, **rule.settings)
    for step in (1, 2, 3, 5, 6, 7, 10, 30):
        found = rule.after(step, learning_rate=rate, weight_decay=decay)
        assert found == pytest.approx(expected[step - 1], rel=1e-10, abs=1e-12), step


def test_every_optimiser_that_knows_weight_decay_is_there_and_no_other() -> None:
    known = {
        name
        for name, each in vars(torch.optim).items()
        if inspect.isclass(each)
        and issubclass(each, torch.optim.Optimizer)
        and "weight_decay" in inspect.signature(each).parameters
    }
    assert {name for name, _ in OWN} == known
    flag = "decoupled_weight_decay"
    flagged = {name for name in known if flag in inspect.signature(vars(torch.optim)[name]).parameters}
    assert {name for rule in RULES if flag in rule.settings for name in rule.optimisers} == flagged
    without = {"Rprop", "LBFGS", "SparseAdam"}
    assert not without & known
    assert all(hasattr(torch.optim, name) for name in without)


def rule_named(name: str) -> OptimiserRule:
    return next(rule for rule in RULES if rule.name.startswith(name))


@pytest.mark.parametrize(
    ("name", "n_steps", "expected"),
    [("SGD", 1, 0.98), ("AdamW", 1, 0.98), ("SGD, momentum", 1, 0.98), ("SGD, momentum", 2, 0.9424)],
)
def test_the_known_values(name: str, n_steps: int, expected: float) -> None:
    found = rule_named(name).after(n_steps, learning_rate=0.1, weight_decay=0.2)
    assert found == pytest.approx(expected, rel=1e-12)


def test_the_first_step_of_adam_hardly_depends_on_the_decay() -> None:
    adam = next(rule for rule in RULES if rule.optimisers == ("Adam",))
    for decay in (0.001, 0.2, 5.0):
        assert adam.after(1, learning_rate=0.1, weight_decay=decay) == pytest.approx(0.9, abs=2e-6)


@pytest.mark.parametrize("name", ["Adam", "NAdam", "Adamax", "Adagrad", "RMSprop", "Adadelta", "RAdam"])
def test_the_first_steps_are_those_that_their_formulas_say(name: str) -> None:
    rule = next(rule for rule in RULES if rule.optimisers == (name,))
    step = 1 - rule.after(1, learning_rate=0.01, weight_decay=0.5)
    factor = {"NAdam": 1.06, "RMSprop": 10, "Adadelta": 0.003, "RAdam": 0.5}.get(name, 1)
    assert step / 0.01 == pytest.approx(factor, rel=0.06)
    told = rule.step.replace("wd", "")
    assert f"{factor:g} lr" in told if factor not in (1, 0.5) else "w - lr sign w" in told or name == "RAdam"


@pytest.mark.parametrize("name", ["SGD", "AdamW"])
@pytest.mark.parametrize(("product", "shrinks"), [(1.98, True), (2.02, False)])
def test_by_itself_the_decay_is_stable_below_two(name: str, product: float, shrinks: bool) -> None:
    last = torchs(name, rate=product / 4, decay=4.0, n_steps=400)[-1]
    assert abs(last) < 1e-3 if shrinks else abs(last) > 1e3


def rests(name: str, minima: list[float], decay: float, **settings: Any) -> list[float]:
    """Where torch's optimiser ends on h/2 (w - m)^2 with h = 2, as its learning rate falls to 0."""
    weight = torch.full((len(minima), 1), 1.5, requires_grad=True)
    own = getattr(torch.optim, name)([weight], lr=0.03, weight_decay=decay, **settings)
    minimum = torch.tensor(minima)[:, None]
    for step in range(1500):
        own.param_groups[0]["lr"] = 0.03 * (1 - step / 1500)
        weight.grad = 2 * (weight.detach() - minimum)
        own.step()
    ends: list[float] = weight.flatten().tolist()
    return ends


@pytest.mark.parametrize("name", ["SGD", "Adam", pytest.param("NAdam", marks=pytest.mark.slow), "RMSprop"])
def test_coupled_rules_end_at_the_optimum_with_the_penalty(name: str) -> None:
    assert rests(name, [1.0, -1.0], 0.5) == pytest.approx([2 / 2.5, -2 / 2.5], abs=1e-4)


def test_adamw_ends_at_the_minimum_of_the_loss_cut_off_at_one_over_the_decay() -> None:
    # Its memory of old gradients is shortened: else the end takes ten times as many steps.
    ends = rests("AdamW", [1.0, -2.5, 3.0, 0.3], 0.5, betas=(0.9, 0.95))
    assert ends == pytest.approx([1.0, -2.0, 2.0, 0.3], abs=5e-3)
