"""What `weight_decay` does in torch's optimisers: the weight after each step where the loss has no gradient.

Every rule that takes `weight_decay` is here, written out for one weight with torch's own default settings. The same
number means different things in them:

    coupled     the gradient becomes g + wd w: the penalty wd/2 |w|^2
    scaled      coupled, in a rule that divides the gradient by its own scale and so the decay too: what is left of it
                depends on wd hardly, or not at all
    decoupled   w <- (1 - lr wd) w beside the rule's step, which sees the gradient of the loss alone.

Source: the files of torch.optim, of torch 2.13; tests run them beside these. Loshchilov and Hutter, "Decoupled weight
decay regularization", ICLR 2019.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count, islice
from typing import Literal

# torch's defaults.
_BETAS = (0.9, 0.999)
_EPSILON = 1e-8
# `momentum` of SGD where a rule with momentum is to be shown and none was named.
USUAL_MOMENTUM = 0.9


@dataclass(frozen=True, slots=True)
class OptimiserRule:
    """What one or several of torch's optimisers do with `weight_decay`.

    Attributes:
        optimisers: Their names in torch.optim.
        settings: What they are made with besides the learning rate and the weight decay.
        kind: How the decay comes in; `scaled` is coupled, and then divided by the gradient's own scale.
        step: The first step from a weight w without a gradient of the loss, in symbols.
        weights: A learning rate and a weight decay -> the weight after each step, from 1.
    """

    optimisers: tuple[str, ...]
    settings: Mapping[str, float | bool]
    kind: Literal["coupled", "scaled", "decoupled"]
    step: str
    weights: Callable[[float, float], Iterator[float]]

    @property
    def name(self) -> str:
        """All of them, with their settings."""
        words = [key if value is True else f"{key} {value:g}" for key, value in self.settings.items()]
        return ", ".join([*self.optimisers, *words])

    def after(self, n_steps: int, *, learning_rate: float, weight_decay: float) -> float:
        """What is left of a weight of 1 after so many steps without a gradient of the loss.

        Example:
            >>> for rule in torch_rules()[:4]:
            ...     print(rule.name, round(rule.after(1, learning_rate=0.1, weight_decay=0.2), 6))
            SGD 0.98
            SGD, momentum 0.9 0.98
            AdamW, Adafactor, Muon 0.98
            Adam, NAdam, RAdam, decoupled_weight_decay 0.98
        """
        return next(islice(self.weights(learning_rate, weight_decay), n_steps - 1, None))


def torch_rules(momentum: float = USUAL_MOMENTUM) -> tuple[OptimiserRule, ...]:
    """Every rule of torch.optim that knows `weight_decay`.

    Args:
        momentum: Of SGD with momentum.
    """
    factor, by_sign = "(1 - lr wd) w", "w - lr sign w"
    flag = {"decoupled_weight_decay": True}
    return (
        OptimiserRule(("SGD",), {}, "coupled", factor, lambda lr, wd: _sgd(lr, wd, 0.0)),
        OptimiserRule(("SGD",), {"momentum": momentum}, "coupled", factor, lambda lr, wd: _sgd(lr, wd, momentum)),
        OptimiserRule(("AdamW", "Adafactor", "Muon"), {}, "decoupled", factor, _decoupled),
        OptimiserRule(("Adam", "NAdam", "RAdam"), flag, "decoupled", factor, _decoupled),
        OptimiserRule(("Adam",), {}, "scaled", by_sign, _adam),
        OptimiserRule(("NAdam",), {}, "scaled", "w - 1.06 lr sign w", _nadam),
        OptimiserRule(("RAdam",), {}, "scaled", f"{factor} up to step 5", _radam),
        OptimiserRule(("Adamax",), {}, "scaled", by_sign, _adamax),
        OptimiserRule(("Adagrad",), {}, "scaled", by_sign, _adagrad),
        OptimiserRule(("RMSprop",), {}, "scaled", "w - 10 lr sign w", _rmsprop),
        OptimiserRule(("Adadelta",), {}, "scaled", "w - 0.003 lr sign w", _adadelta),
        OptimiserRule(("ASGD",), {}, "coupled", "(1 - lr (wd + 0.0001)) w", _asgd),
    )


def _sgd(lr: float, wd: float, momentum: float) -> Iterator[float]:
    weight, velocity = 1.0, 0.0
    while True:
        velocity = momentum * velocity + wd * weight
        weight -= lr * velocity
        yield weight


def _decoupled(lr: float, wd: float) -> Iterator[float]:
    weight = 1.0
    while True:
        weight *= 1 - lr * wd
        yield weight


def _adam(lr: float, wd: float) -> Iterator[float]:
    weight, mean, square = 1.0, 0.0, 0.0
    for step in count(1):
        mean, square = _moments(wd * weight, mean, square)
        scale = math.sqrt(square / (1 - _BETAS[1] ** step)) + _EPSILON
        weight -= lr * mean / (1 - _BETAS[0] ** step) / scale
        yield weight


def _nadam(lr: float, wd: float, momentum_decay: float = 0.004) -> Iterator[float]:
    weight, mean, square, product = 1.0, 0.0, 0.0, 1.0
    for step in count(1):
        gradient = wd * weight
        mean, square = _moments(gradient, mean, square)
        now, after = (_BETAS[0] * (1 - 0.5 * 0.96 ** (at * momentum_decay)) for at in (step, step + 1))
        product *= now
        scale = math.sqrt(square / (1 - _BETAS[1] ** step)) + _EPSILON
        ahead = after * mean / (1 - product * after)
        weight -= lr * ((1 - now) * gradient / (1 - product) + ahead) / scale
        yield weight


def _radam(lr: float, wd: float) -> Iterator[float]:
    weight, mean, square = 1.0, 0.0, 0.0
    longest = 2 / (1 - _BETAS[1]) - 1
    for step in count(1):
        mean, square = _moments(wd * weight, mean, square)
        known = 1 - _BETAS[1] ** step
        length = longest - 2 * step * _BETAS[1] ** step / known
        move = mean / (1 - _BETAS[0] ** step)
        if length > 5:  # before that its variance is not known well enough, and nothing is divided by it
            ratio = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            move *= math.sqrt(known) / (math.sqrt(square) + _EPSILON) * math.sqrt(ratio)
        weight -= lr * move
        yield weight


def _adamax(lr: float, wd: float) -> Iterator[float]:
    weight, mean, largest = 1.0, 0.0, 0.0
    for step in count(1):
        gradient = wd * weight
        mean += (1 - _BETAS[0]) * (gradient - mean)
        largest = max(_BETAS[1] * largest, abs(gradient) + _EPSILON)
        weight -= lr / (1 - _BETAS[0] ** step) * mean / largest
        yield weight


def _adagrad(lr: float, wd: float, epsilon: float = 1e-10) -> Iterator[float]:
    weight, squares = 1.0, 0.0
    while True:
        gradient = wd * weight
        squares += gradient**2
        weight -= lr * gradient / (math.sqrt(squares) + epsilon)
        yield weight


def _rmsprop(lr: float, wd: float, alpha: float = 0.99) -> Iterator[float]:
    weight, square = 1.0, 0.0
    while True:
        gradient = wd * weight
        square = alpha * square + (1 - alpha) * gradient**2
        weight -= lr * gradient / (math.sqrt(square) + _EPSILON)
        yield weight


def _adadelta(lr: float, wd: float, rho: float = 0.9, epsilon: float = 1e-6) -> Iterator[float]:
    weight, square, moves = 1.0, 0.0, 0.0
    while True:
        gradient = wd * weight
        square = rho * square + (1 - rho) * gradient**2
        move = math.sqrt(moves + epsilon) / math.sqrt(square + epsilon) * gradient
        moves = rho * moves + (1 - rho) * move**2
        weight -= lr * move
        yield weight


def _asgd(lr: float, wd: float, lambd: float = 1e-4, alpha: float = 0.75) -> Iterator[float]:
    weight, rate = 1.0, lr
    for step in count(1):
        weight = (1 - lambd * rate) * weight - rate * wd * weight
        rate = lr / (1 + lambd * lr * step) ** alpha
        yield weight


def _moments(gradient: float, mean: float, square: float) -> tuple[float, float]:
    """Adam's moving means of the gradient and of its square."""
    return mean + (1 - _BETAS[0]) * (gradient - mean), _BETAS[1] * square + (1 - _BETAS[1]) * gradient**2
