"""Descent with weight decay, beside torch's own optimiser, the eigenvalues of its step, and bisection."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from jaxtyping import Float

from heldout.anatomy.decay.quadratic import Decay, Descent, decay_of, limits_of, optimum_of, path_of
from heldout.errors import UsageError

# Learning rate, L2, momentum, decoupled: one run of torch each, over hundreds of parabolas at once.
RULES = [
    (0.1, 0.1, 0.0, False),
    (0.5, 0.3, 0.0, False),
    (0.05, 0.0, 0.9, False),
    (0.2, 0.4, 0.9, False),
    (0.3, 0.05, 0.5, False),
    (0.7, 0.2, 0.99, False),
    (0.1, 0.1, 0.0, True),
    (0.2, 0.4, 0.9, True),
    (0.4, 1.5, 0.6, True),
    (0.9, 0.01, 0.95, True),
]
N_PARABOLAS = 200


class Parabolas:
    """Torch's SGD on many parabolas of one variable each."""

    def __init__(self, rule: tuple[float, float, float, bool], curvature: Any, minimum: Any, start: Any) -> None:
        self.rate, l2, momentum, self.is_decoupled = rule
        self.decay = 2 * l2
        self.curvature, self.minimum = (torch.as_tensor(each, dtype=torch.float64) for each in (curvature, minimum))
        self.weight = torch.as_tensor(start, dtype=torch.float64).clone().requires_grad_()
        coupled = 0.0 if self.is_decoupled else self.decay
        self.own = torch.optim.SGD([self.weight], lr=self.rate, momentum=momentum, weight_decay=coupled)

    def steps(self, n: int) -> list[Float[np.ndarray, " parabolas"]]:
        """The weights after each of some more steps."""
        told = []
        for _ in range(n):
            self.weight.grad = self.curvature * (self.weight.detach() - self.minimum)
            if self.is_decoupled:  # as torch.optim.AdamW does it: before the step, whose gradient is older
                self.weight.data.mul_(1 - self.rate * self.decay)
            self.own.step()
            told.append(self.weight.detach().numpy().copy())
        return told


def random_parabolas(seed: int) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    generator = np.random.default_rng(seed)
    curvature = 10 ** generator.uniform(-2, 1, N_PARABOLAS)
    return curvature, generator.normal(0, 3, N_PARABOLAS), generator.normal(0, 3, N_PARABOLAS)


def rule_of(settings: tuple[float, float, float, bool], **changes: Any) -> Descent:
    rate, l2, momentum, is_decoupled = settings
    return Descent(learning_rate=rate, l2=l2, momentum=momentum, is_decoupled=is_decoupled, **changes)


def last_after(rule: Descent, n_steps: int) -> float:
    """How far from the optimum torch is in the end, as a share of the start."""
    end = optimum_of(rule)
    assert end is not None
    settings = (rule.learning_rate, rule.l2, rule.momentum, rule.is_decoupled)
    found = Parabolas(settings, [rule.curvature], [rule.minimum], [rule.start]).steps(n_steps)[-3:]
    return max(abs(float(each[0]) - end) for each in found) / abs(rule.start - end)


@pytest.mark.parametrize("settings", RULES, ids=str)
def test_every_step_is_torchs(settings: tuple[float, float, float, bool]) -> None:
    parabolas = random_parabolas(1)
    expected = np.array(Parabolas(settings, *parabolas).steps(20)).T
    for (h, minimum, start), weights in zip(zip(*parabolas, strict=True), expected, strict=True):
        path = path_of(rule_of(settings, curvature=float(h), minimum=float(minimum), start=float(start)), 20)
        np.testing.assert_allclose(path[1:], weights[: len(path) - 1], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("settings", RULES, ids=str)
def test_stable_paths_end_in_the_optimum_and_the_others_run_away(settings: tuple[float, float, float, bool]) -> None:
    curvature, minimum, start = random_parabolas(2)
    n_steps, near = (1500, 0.004) if settings[2] == 0.99 else (200, 0.03)
    weights = np.array(Parabolas(settings, curvature, minimum, start).steps(n_steps)[-1])
    decided = 0
    for h, m, first, last in zip(curvature.tolist(), minimum.tolist(), start.tolist(), weights.tolist(), strict=True):
        found = decay_of(rule_of(settings, curvature=h, minimum=m, start=first))
        assert found.optimum is not None
        left = abs(last - found.optimum) / abs(first - found.optimum)
        if found.radius < 1 - near:
            assert found.is_stable
            assert left < 0.05
        elif found.radius > 1 + near:
            assert not found.is_stable
            assert not left < 10
        else:
            continue
        decided += 1
    assert decided > 0.5 * N_PARABOLAS


def test_the_roots_are_the_eigenvalues_of_a_step() -> None:
    generator = np.random.default_rng(3)
    for _ in range(300):
        rule = random_rule(generator)
        found = decay_of(rule)
        expected = np.linalg.eigvals(matrix(rule))
        assert found.radius == pytest.approx(max(abs(expected)), rel=1e-6, abs=1e-9)
        assert sum(found.roots).real == pytest.approx(float(expected.sum().real), rel=1e-9, abs=1e-9)
        assert np.prod(found.roots).real == pytest.approx(float(np.prod(expected).real), rel=1e-9, abs=1e-9)


def random_rule(generator: np.random.Generator, **changes: Any) -> Descent:
    values: dict[str, Any] = {
        "learning_rate": 10 ** generator.uniform(-3, 1),
        "l2": 10 ** generator.uniform(-3, 0.5),
        "curvature": 10 ** generator.uniform(-3, 1),
        "momentum": generator.uniform(0.01, 0.99),
        "is_decoupled": bool(generator.random() < 0.5),
    }
    return Descent(**(values | changes))


def matrix(rule: Descent) -> Float[np.ndarray, "2 2"]:
    """What a step makes of (w, v) where the minimum is 0, from its two lines."""
    a, h, d, b = rule.learning_rate, rule.curvature, rule.weight_decay, rule.momentum
    pull, kept = (h, 1 - a * d) if rule.is_decoupled else (h + d, 1.0)
    return np.array([[kept - a * pull, -a * b], [pull, b]])


def test_the_limits_are_where_bisection_finds_them() -> None:
    generator = np.random.default_rng(4)
    for _ in range(30):
        rule = random_rule(generator)
        limits = limits_of(rule)
        assert limits.stable == pytest.approx(bisected(rule, is_stable, 0.0, 4 * limits.stable), rel=1e-6)
        assert limits.oscillating is not None
        low, high = limits.oscillating
        inside = (low + high) / 2
        assert low == pytest.approx(bisected(rule, is_real, 0.0, inside), rel=1e-6)
        assert high == pytest.approx(bisected(rule, lambda each: not is_real(each), inside, 2 * high), rel=1e-6)
        assert limits.monotone == low


def is_stable(rule: Descent) -> bool:
    return float(max(abs(np.linalg.eigvals(matrix(rule))))) < 1


def is_real(rule: Descent) -> bool:
    step = matrix(rule)
    return float(np.trace(step)) ** 2 >= 4 * float(np.linalg.det(step))


def bisected(rule: Descent, holds: Any, low: float, high: float) -> float:
    """The learning rate at which a property ends that holds at the lower end."""
    for _ in range(34):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(replace(rule, learning_rate=middle)) else (low, middle)
    return high


def test_no_learning_rate_is_faster_than_the_fastest() -> None:
    generator = np.random.default_rng(5)
    for _ in range(40):
        rule = random_rule(generator)
        limits = limits_of(rule)
        others = np.linspace(0.01, 1, 60) * limits.stable
        best = min(max(abs(np.linalg.eigvals(matrix(replace(rule, learning_rate=float(rate)))))) for rate in others)
        # A double root is known to the root of the rounding only.
        assert decay_of(replace(rule, learning_rate=limits.fastest)).radius == pytest.approx(limits.radius, abs=1e-6)
        assert best >= limits.radius - 1e-6


@pytest.mark.parametrize(
    ("momentum", "rate", "is_stable"),
    [(0.0, 0.9081, True), (0.0, 0.9101, False), (0.9, 1.7255, True), (0.9, 1.729, False)],
)
def test_torch_decays_below_the_limit_and_grows_above_it(momentum: float, rate: float, is_stable: bool) -> None:
    rule = Descent(learning_rate=rate, l2=0.1, curvature=2.0, momentum=momentum)
    assert limits_of(rule).stable == pytest.approx(1.727273 if momentum else 0.909091, abs=1e-6)
    assert decay_of(rule).is_stable == is_stable
    left = last_after(rule, 1200)
    assert left < 0.1 if is_stable else left > 10


@pytest.mark.parametrize("settings", RULES, ids=str)
def test_both_sides_of_every_limit_in_torch(settings: tuple[float, float, float, bool]) -> None:
    rule = rule_of(settings, curvature=1.7)
    limit = limits_of(rule).stable
    for factor, is_stable in ((0.99, True), (1.01, False)):
        left = last_after(replace(rule, learning_rate=factor * limit), 900 if rule.momentum > 0.93 else 250)
        assert left < 0.5 if is_stable else left > 20


@pytest.mark.parametrize(
    ("rate", "momentum", "behaviour"),
    [
        (0.1, 0.0, "monotone"),
        (0.5, 0.0, "at once"),
        (0.7, 0.0, "alternating"),
        (1.0, 0.0, "edge"),
        (1.2, 0.0, "unstable"),
        (0.001, 0.9, "monotone"),
        (0.1, 0.9, "oscillating"),
        (1.8995, 0.9, "alternating"),
        (1.9, 0.9, "edge"),
        (1.91, 0.9, "unstable"),
    ],
)
def test_each_behaviour_is_seen_in_torchs_path(rate: float, momentum: float, behaviour: str) -> None:
    rule = Descent(learning_rate=rate, l2=0.3, curvature=1.4, momentum=momentum, start=2.0, minimum=5.0)
    found = decay_of(rule)
    assert found.behaviour == behaviour
    assert found.optimum == pytest.approx(3.5)
    path = Parabolas((rate, 0.3, momentum, False), [1.4], [5.0], [2.0]).steps(200)
    errors = np.array([2.0, *(float(each[0]) for each in path)]) - 3.5
    signs = np.sign(errors[np.abs(errors) > 1e-12])
    turns = int((signs[1:] != signs[:-1]).sum())
    if behaviour in ("monotone", "at once"):
        assert turns == 0
    elif behaviour in ("alternating", "edge", "unstable"):
        assert turns == len(signs) - 1
    else:
        assert found.period is not None
        assert turns == pytest.approx(2 * len(signs) / found.period, abs=2)
    size = abs(errors[-2:]).max() / abs(errors[:2]).max()
    if behaviour == "edge":
        assert size == pytest.approx(1, abs=1e-2) if not momentum else size > 1
    else:
        assert (size < 1) == found.is_stable


def test_what_is_on_the_limit_is_decided_by_the_decimal_numbers() -> None:
    assert 1.25 * (1.4 + 2 * 0.1) != 2, "as floats it is not on the limit"
    assert decay_of(Descent(learning_rate=1.25, l2=0.1, curvature=1.4)).behaviour == "edge"
    assert decay_of(Descent(learning_rate=0.1, l2=0.1, curvature=19.8)).behaviour == "edge"
    # The next floats to either side are not.
    assert decay_of(Descent(learning_rate=0.1, l2=0.1, curvature=19.799999999999997)).behaviour == "alternating"
    assert decay_of(Descent(learning_rate=0.1, l2=0.1, curvature=19.800000000000004)).behaviour == "unstable"


def test_without_momentum_the_two_forms_are_one() -> None:
    generator = np.random.default_rng(6)
    for _ in range(200):
        coupled = random_rule(generator, momentum=0.0, is_decoupled=False)
        decoupled = replace(coupled, is_decoupled=True)
        np.testing.assert_allclose(path_of(coupled, 20), path_of(decoupled, 20), rtol=1e-9)
        first, second = decay_of(coupled), decay_of(decoupled)
        assert (first.behaviour, first.radius, first.optimum) == (second.behaviour, second.radius, second.optimum)
        assert first.limits.stable == pytest.approx(second.limits.stable, rel=1e-12)
        assert first.limits.monotone == pytest.approx(second.limits.monotone, rel=1e-12)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    rate=st.floats(1e-4, 0.5),
    l2=st.floats(1e-3, 0.9),
    momentum=st.sampled_from([0.0, 0.3, 0.9]),
    is_decoupled=st.booleans(),
)
def test_decay_alone_halves_a_weight_when_it_is_said_to(
    rate: float, l2: float, momentum: float, is_decoupled: bool
) -> None:
    rule = Descent(
        learning_rate=rate, l2=l2, curvature=0.0, momentum=momentum, is_decoupled=is_decoupled, start=1.0, minimum=0.0
    )
    found = decay_of(rule)
    assert found.shrink == pytest.approx(1 - 2 * rate * l2)
    if momentum == 0 or is_decoupled:
        assert found.halving_steps is not None
        whole = min(math.ceil(found.halving_steps), 9000)
        path = path_of(rule, whole + 1)
        assert path[whole - 1] >= 0.5 * (1 - 1e-9)
        assert path[whole + 1] < 0.5 or whole == 9000
    elif found.behaviour == "monotone":
        path = path_of(rule, 2000)
        assert path[2000] < 1e-250 or path[2000] / path[1999] == pytest.approx(found.alone, rel=1e-6)


def test_a_direction_without_curvature_decays_to_nothing_whatever_the_momentum_if_decoupled() -> None:
    rule = Descent(learning_rate=0.1, l2=0.1, curvature=0.0, momentum=0.9, is_decoupled=True)
    found = decay_of(rule)
    assert (found.optimum, found.radius, found.limits.stable) == (0.0, 0.98, 10.0)
    assert path_of(rule, 3) == pytest.approx([3.0, 3 * 0.98, 3 * 0.98**2, 3 * 0.98**3])


def test_where_nothing_pulls_nothing_moves() -> None:
    found = decay_of(Descent(learning_rate=0.1, l2=0.0, curvature=0.0, momentum=0.5))
    assert (found.behaviour, found.optimum, found.halving_steps, found.is_stable) == ("still", None, None, False)
    assert path_of(found.rule, 5) == [3.0] * 6
    assert found.limits.stable == math.inf


def test_the_example_of_the_guide() -> None:
    found = decay_of(Descent(learning_rate=0.1, l2=0.1, curvature=2.0))
    assert isinstance(found, Decay)
    assert (found.rule.weight_decay, found.shrink) == (0.2, 0.98)
    assert found.contraction == pytest.approx(0.22)
    assert found.halving_steps == pytest.approx(34.3096, abs=1e-4)
    assert found.error_halving_steps == pytest.approx(math.log(0.5) / math.log(0.78))


def test_a_path_that_runs_away_ends_early() -> None:
    path = path_of(Descent(learning_rate=1e12, l2=1e12, curvature=1e12), 10_000)
    assert len(path) == 2
    assert all(math.isfinite(each) for each in path)


@pytest.mark.parametrize("n_steps", [0, -1, 10_001, 2.5, True, math.nan, "5"])
def test_a_number_of_steps_that_cannot_be_meant(n_steps: Any) -> None:
    with pytest.raises(UsageError, match="steps is"):
        path_of(Descent(learning_rate=0.1, l2=0.1), n_steps)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in ("learning_rate", "l2", "curvature", "momentum") for value in (-0.1, math.nan)),
        *((name, math.inf) for name in ("learning_rate", "l2", "curvature", "momentum", "start", "minimum")),
        *((name, "0.1") for name in ("learning_rate", "l2", "momentum", "start")),
        ("learning_rate", 0.0),
        ("learning_rate", True),
        ("learning_rate", 1e-300),
        ("l2", 1e300),
        ("curvature", 1e-30),
        ("momentum", 1.0),
        ("start", math.nan),
        ("minimum", None),
    ],
)
def test_a_value_that_cannot_be_meant(name: str, value: Any) -> None:
    good: dict[str, Any] = {"learning_rate": 0.1, "l2": 0.1}
    with pytest.raises(UsageError, match=rf"^{name} is ") as caught:
        Descent(**(good | {name: value}))
    assert caught.value.expected.startswith("a number")
    assert f"--{name.replace('_', '-')}" in caught.value.fix
