"""Gradient descent on a parabola with weight decay: where it ends, how fast, and for which learning rates.

    f(w) = h/2 (w - m)^2       the loss along one direction; every smooth loss looks so near a minimum m
    L w^2                      the penalty

    coupled     v <- b v + h (w - m) + 2 L w     w <- w - A v                what torch's SGD does, weight_decay = 2 L
    decoupled   v <- b v + h (w - m)             w <- (1 - 2 A L) w - A v

A is the learning rate, b the momentum, v starts at 0. The distance e from where it ends obeys

    e[n+1] = t e[n] - d e[n-1]     coupled:    t = 1 + b - A (h + 2 L)    d = b
                                   decoupled:  t = 1 + b - A (h + 2 L)    d = b (1 - 2 A L)

so it behaves as the powers of the roots of r^2 - t r + d. They lie inside the unit circle, and the distance vanishes,
exactly where |d| < 1, 1 - t + d > 0 and 1 + t + d > 0 (Jury). Which case it is gets decided on fractions of the decimal
numbers as they were written, so that a learning rate on the very limit is found to be there.

Source: B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", USSR Comput. Math. Math. Phys.
4 (1964), 1-17; I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019, algorithm 1.
"""

import cmath
import math
from dataclasses import dataclass
from fractions import Fraction
from numbers import Real
from typing import Any, Literal

from heldout.errors import UsageError

Behaviour = Literal["still", "monotone", "at once", "alternating", "oscillating", "edge", "unstable"]
# What is no zero must lie between these: far beyond any training, and nothing overflows.
_SMALLEST, _LARGEST = 1e-12, 1e12
MOST_STEPS = 10_000
# A path is followed until it is so many times as far away as it was at first.
_GONE = 1e12


@dataclass(frozen=True, slots=True, kw_only=True)
class Descent:
    """A rule of descent, and the parabola that it descends.

    Attributes:
        learning_rate: A, above 0.
        l2: L, the factor of the squared penalty, at least 0; `weight_decay` is twice that.
        curvature: h, at least 0; 0 is a direction that the loss does not see, in which the decay is alone.
        momentum: b, from 0 to below 1.
        is_decoupled: Whether the decay stays out of the momentum.
        start: Where the weight begins.
        minimum: m, where the loss without penalty is lowest.

    Raises:
        UsageError: A value that cannot be meant.
    """

    learning_rate: float
    l2: float
    curvature: float = 1.0
    momentum: float = 0.0
    is_decoupled: bool = False
    start: float = 3.0
    minimum: float = 1.0

    def __post_init__(self) -> None:
        _check("learning_rate", self.learning_rate, _number(self.learning_rate) > 0, "above 0")
        for name in ("l2", "curvature"):
            _check(name, getattr(self, name), _number(getattr(self, name)) >= 0, "of at least 0")
        _check("momentum", self.momentum, 0 <= _number(self.momentum) < 1, "from 0 to below 1")
        for name in ("start", "minimum"):
            _check(name, getattr(self, name), math.isfinite(_number(getattr(self, name))), "that is finite")

    @property
    def weight_decay(self) -> float:
        """What torch calls it: the gradient of the penalty is `weight_decay` times the weight."""
        return float(2 * _exact(self.l2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Learning rates at which the descent changes its ways; infinite where nothing moves.

    Attributes:
        stable: Below it the distance vanishes; at it and above it does not.
        monotone: Up to it the weight does not overshoot; decoupled and with momentum once at most.
        fastest: Where the distance shrinks fastest; the smallest, where several do alike.
        oscillating: With momentum: the learning rates between which it swings; None without.
        one_sided: Below it the distance keeps its sign in the long run, where it does not swing.
        radius: By what the distance shrinks a step at `fastest`.
    """

    stable: float
    monotone: float
    fastest: float
    oscillating: tuple[float, float] | None
    one_sided: float
    radius: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decay:
    """What a rule of descent comes to.

    Attributes:
        rule: The rule.
        shrink: 1 - 2 A L, the factor of the weight before the gradient's step.
        alone: What a step leaves of a weight in the long run where the loss has no gradient: `shrink`, or with coupled
            momentum the larger root.
        halving_steps: Steps after which decay alone has halved a weight; None where it never does.
        contraction: A (h + 2 L), which decides without momentum.
        roots: Of r^2 - t r + d; one where there is no momentum that matters.
        radius: The largest |root|: the distance becomes so many times as large a step, in the long run.
        behaviour: `still` nothing moves; `monotone` no overshoot; `at once` there after one step; `alternating` the
            distance changes its sign with every step; `oscillating` it swings; `edge` it swings for ever; `unstable`.
        period: Steps of a swing, where it oscillates.
        optimum: Where it ends, or would if it were stable; None where nothing moves.
        limits: Of the learning rate.
    """

    rule: Descent
    shrink: float
    alone: float
    halving_steps: float | None
    contraction: float
    roots: tuple[complex, ...]
    radius: float
    behaviour: Behaviour
    period: float | None
    optimum: float | None
    limits: Limits

    @property
    def is_stable(self) -> bool:
        """Whether the distance from the optimum vanishes."""
        return self.behaviour in ("monotone", "at once", "alternating", "oscillating")

    @property
    def error_halving_steps(self) -> float | None:
        """Steps after which the distance has halved, in the long run; None where it does not, or is there at once."""
        return _halving(self.radius) if self.is_stable else None


def decay_of(rule: Descent) -> Decay:
    """What a rule of descent comes to on its parabola.

    Example:
        >>> found = decay_of(Descent(learning_rate=0.1, l2=0.1, curvature=2.0))
        >>> found.behaviour, round(found.radius, 12), round(found.limits.stable, 5), round(found.optimum, 5)
        ('monotone', 0.78, 0.90909, 0.90909)
    """
    rate, l2, curvature = (_exact(value) for value in (rule.learning_rate, rule.l2, rule.curvature))
    momentum = _felt_momentum(rule)
    trace, determinant = _step(rule)
    roots = _roots(trace, determinant) if momentum else (complex(trace),)
    radius = max(abs(root) for root in roots)
    behaviour = _behaviour(trace, determinant) if curvature + l2 else "still"
    shrink = 1 - 2 * rate * l2
    alone = float(shrink)
    if momentum and not rule.is_decoupled:
        alone = _dominant(_roots(1 + momentum - 2 * rate * l2, momentum))
    return Decay(
        rule=rule,
        shrink=float(shrink),
        alone=alone,
        halving_steps=_halving(alone),
        contraction=float(rate * (curvature + 2 * l2)),
        roots=roots,
        radius=radius,
        behaviour=behaviour,
        period=2 * math.pi / abs(cmath.phase(roots[0])) if behaviour == "oscillating" else None,
        optimum=optimum_of(rule),
        limits=limits_of(rule),
    )


def optimum_of(rule: Descent) -> float | None:
    """Where the descent stands still: h m / (h + 2 L); None where it does so everywhere.

    Decoupled decay with momentum is weaker by the factor 1 - b, for the gradient's step is longer by 1 / (1 - b).
    """
    curvature, decay = _exact(rule.curvature), 2 * _exact(rule.l2)
    if rule.is_decoupled:
        decay *= 1 - _exact(rule.momentum)
    whole = curvature + decay
    return float(curvature * _exact(rule.minimum) / whole) if whole else None


def limits_of(rule: Descent) -> Limits:
    """Learning rates at which the descent changes its ways; that of the rule plays no part."""
    h, decay, b = rule.curvature, rule.weight_decay, float(_felt_momentum(rule))
    if h + decay == 0:
        return Limits(
            stable=math.inf, monotone=math.inf, fastest=math.inf, oscillating=None, one_sided=math.inf, radius=1.0
        )
    if rule.is_decoupled:
        stable = 2 * (1 + b) / (h + decay * (1 + b))
        near, far = math.sqrt(h + decay * (1 - b)), math.sqrt(b * h)
        low, high = (((near - far) / (h + decay)) ** 2, ((near + far) / (h + decay)) ** 2)
        fastest, radius = high, math.sqrt(max(0.0, b * (1 - high * decay)))
    else:
        stable = 2 * (1 + b) / (h + decay)
        low, high = ((1 - math.sqrt(b)) ** 2 / (h + decay), (1 + math.sqrt(b)) ** 2 / (h + decay))
        fastest, radius = low, math.sqrt(b)
    return Limits(
        stable=stable,
        monotone=low,
        fastest=fastest,
        oscillating=(low, high) if b else None,
        one_sided=(1 + b) / (h + decay),
        radius=radius,
    )


def path_of(rule: Descent, n_steps: int) -> list[float]:
    """The weight before the first step and after each; ends early where it has gone to the far end of the world.

    Args:
        rule: The rule of descent.
        n_steps: 1 to 10,000.

    Raises:
        UsageError: Not such a number of steps.
    """
    if not 1 <= _number(n_steps) <= MOST_STEPS or int(n_steps) != n_steps:
        raise UsageError(
            f"steps is {n_steps!r}", expected=f"a whole number from 1 to {MOST_STEPS:,}", fix="set steps to one"
        )
    decay, far = rule.weight_decay, _GONE * (1 + abs(rule.start) + abs(rule.minimum))
    weight, velocity, path = float(rule.start), 0.0, [float(rule.start)]
    for _ in range(int(n_steps)):
        slope = rule.curvature * (weight - rule.minimum) + (0.0 if rule.is_decoupled else decay * weight)
        velocity = rule.momentum * velocity + slope
        kept = 1 - rule.learning_rate * decay if rule.is_decoupled else 1.0
        weight = kept * weight - rule.learning_rate * velocity
        path.append(weight)
        if abs(weight) > far:
            break
    return path


def _felt_momentum(rule: Descent) -> Fraction:
    """The momentum, or 0 where decoupled decay is alone, for which the velocity stays 0."""
    return Fraction(0) if rule.is_decoupled and rule.curvature == 0 else _exact(rule.momentum)


def _step(rule: Descent) -> tuple[Fraction, Fraction]:
    """The trace t and the determinant d of a step, exactly."""
    rate, decay, momentum = _exact(rule.learning_rate), 2 * _exact(rule.l2), _felt_momentum(rule)
    trace = 1 + momentum - rate * (_exact(rule.curvature) + decay)
    return trace, momentum * (1 - rate * decay) if rule.is_decoupled else momentum


def _roots(trace: Fraction, determinant: Fraction) -> tuple[complex, complex]:
    """The roots of r^2 - t r + d, the larger first; that of a pair with the positive angle first."""
    discriminant = trace**2 - 4 * determinant
    half = float(trace) / 2
    if discriminant < 0:
        height = math.sqrt(-discriminant) / 2
        return complex(half, height), complex(half, -height)
    larger = half + math.copysign(math.sqrt(discriminant) / 2, half)
    # By their product, which loses no digits where they differ much.
    return complex(larger), complex(float(determinant) / larger if larger else 0.0)


def _dominant(roots: tuple[complex, complex]) -> float:
    """The larger root where both are real; else how far both are from 0."""
    return roots[0].real if roots[0].imag == 0 else abs(roots[0])


def _behaviour(trace: Fraction, determinant: Fraction) -> Behaviour:
    # With h + 2 L > 0 the two other conditions for stability always hold where this one does.
    margin = 1 + trace + determinant
    if margin <= 0:
        return "edge" if margin == 0 else "unstable"
    if trace**2 < 4 * determinant:
        return "oscillating"
    if trace == 0 == determinant:
        return "at once"
    return "monotone" if trace > 0 else "alternating"


def _halving(factor: float) -> float | None:
    """Steps after which powers of the factor are below a half; None where they never are."""
    if not 0 < abs(factor) < 1:
        return None
    return -math.log(2) / math.log(abs(factor))


def _exact(value: float) -> Fraction:
    """The decimal number as it is written, such as 1/10 for 0.1."""
    return Fraction(repr(float(value)))


def _number(value: object) -> float:
    """The value as a float; nan, which is within no limits, where it is no number."""
    return math.nan if isinstance(value, bool) or not isinstance(value, Real) else float(value)


def _check(name: str, value: Any, is_within: bool, words: str) -> None:
    # Half as small is still taken: a weight decay of the smallest size is twice its penalty.
    if is_within and (value == 0 or _SMALLEST / 2 <= abs(_number(value)) <= _LARGEST):
        return
    raise UsageError(
        f"{name} is {value!r}",
        expected=f"a number {words}" + (f", of a size from {_SMALLEST:g} to {_LARGEST:g}" if is_within else ""),
        fix=f"set {name} (--{name.replace('_', '-')}) to such a number",
    )
