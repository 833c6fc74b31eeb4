"""The theory of the second write-up: a computation graph, the operations of a convolution, and weight decay."""

from collections import Counter
from math import isclose
from typing import Any

from answers import Answer, Question, either, formula, judged
from torch import nn

from heldout import explain
from heldout.anatomy.graphs.facts import words_of
from heldout.explaining.document import Explanation, Table

# What the write-up gave.
FORWARD = {"sigmoid": 1, "multiply": 2, "subtract": 1, "square": 1}
SLOPES = {"dphi/dw2": "u", "dphi/du": "w2", "du/dz": "u(1 - u)", "dz/dw1": "x"}
SLOPE_OF_LOSS = "2(phi - y)"
GRADIENT = {"w1": "2*(phi - y)*w2*u*(1 - u)*x", "w2": "2*(phi - y)*u"}
SAVED = 0.5
SHAPE, CHANNELS = (46, 62, 20), (10, 20)
MULTIPLICATIONS, ADDITIONS, WEIGHTS = 256_680, 513_360, 1_800


def questions() -> tuple[Question, ...]:
    """All of the second write-up that is theory."""
    return graph(), convolution(), decay()


def graph() -> Question:
    """A graph, its gradient, and what the backward pass saves."""
    found = explain.graph("(w2*sigmoid(w1*x) - y)**2")
    record = found.record
    steps = {each["name"]: each for each in record["nodes"]}
    operations = Counter(each["operation"] for each in record["nodes"] if each["operation"] != "input")
    told = ", ".join(f"{steps[name]['name']} = {steps[name]['formula']}" for name in ("z", "u", "phi", "v1", "L"))
    slopes = _slopes(found)
    of_loss = steps["phi"]["derivative_formula"]
    answers = [
        Answer(
            "forward pass",
            _listed(FORWARD),
            _listed({kind: operations[kind] for kind in [*FORWARD, *(operations - Counter(FORWARD))]}),
            judged([operations == FORWARD]),
            f"`{told}`: {record['operations']['forward']['total']} operations.",
        ),
        Answer(
            "backward pass",
            f"`dL/dphi = {SLOPE_OF_LOSS}, {_equations(SLOPES)}`",
            f"`dL/dphi = {of_loss}, {_equations({name: slopes[name] for name in SLOPES})}`",
            judged([of_loss == SLOPE_OF_LOSS, *(slopes[name] == theirs for name, theirs in SLOPES.items())]),
            "Every step of the graph has its slope; the derivatives are their products from L back.",
        ),
    ]
    answers += [_gradient(found, name) for name in GRADIENT]
    asked = (
        "The loss `L = (w2 sigmoid(w1 x) - y)^2` as a graph: its forward pass, its backward pass, both gradients, and "
        "what the backward pass saves."
    )
    command = f'heldout explain graph "{record["expression"]}" --plot graph.svg'
    figure = ("graph", "the graph: what every node computes, its value, and its gradient", found)
    answers.append(_saving(record["operations"], record["growth"]))
    return Question("Homework 5, question 1", asked, command, tuple(answers), figure)


def _gradient(found: Any, name: str) -> Answer:
    exact = found.record["formulas"][name]["plain"]
    written_out = found.record["written_out"][name]["plain"]
    # The same letters in the same order; and the same number, computed by a graph of its own.
    steps = "; ".join(f"{each} = {text}" for each, text in (("z", "w1*x"), ("u", "sigmoid(z)"), ("phi", "w2*u")))
    value = explain.graph(f"{steps}; {GRADIENT[name]}", at=found.record["point"]).facts.value
    return Answer(
        f"dL/d{name}",
        f"`{GRADIENT[name]}`",
        f"`{exact}`",
        judged([_bare(GRADIENT[name]) == _bare(exact), isclose(value, found.facts.gradient[name])]),
        f"Written out, `{written_out}`: {found.record['operations']['written_out_each'][name]['total']} operations.",
    )


def _saving(operations: dict[str, Any], growth: list[dict[str, int]]) -> Answer:
    reverse, naive = operations["reverse_mode"]["total"], operations["written_out"]["total"]
    forward, backward = operations["forward"]["total"], operations["backward"]["total"]
    forward_modes = [
        operations[f"forward_mode_{each}"]["total"] for each in ("vectorised", "shared_values", "one_by_one")
    ]
    saved = [1 - reverse / each for each in (naive, *forward_modes)]
    is_half = [abs(each - SAVED) < 0.1 for each in saved]
    few, many = growth[0], growth[-1]
    return Answer(
        "what the backward pass saves",
        "roughly half",
        f"{reverse} operations for L and both gradients: {_percent(saved[0])} fewer than written out ({naive}), "
        f"{either(map(_percent, saved[1:]))} fewer than by forward mode ({either(map(str, forward_modes))})",
        judged([is_half[0]], says_all=all(is_half)),
        "About right for two weights, beside the gradients written out, which is what it compares with; but no rule. "
        f"In a chain with {few['n_parameters']} weight {_saved(few)} are saved, with {many['n_parameters']} weights "
        f"{_saved(many)}. What always holds: value and gradient cost at most {operations['ratio_bound']} times the "
        f"value, here {operations['ratio']:g} times. The backward pass itself takes {backward} operations to the "
        f"{forward} of the forward pass: {backward / forward:g} times as many, not almost twice.",
    )


def _saved(chain: dict[str, int]) -> str:
    return _percent(1 - chain["reverse_mode"] / chain["written_out"], digits=1)


def _percent(share: float, *, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f} %"


def _slopes(found: Explanation[Any]) -> dict[str, str]:
    """The slope of each node by each operand, as the table of the backward pass has them."""
    section = next(each for each in found.sections if each.title == "Backward pass")
    table = next(part for part in section.parts if isinstance(part, Table))
    cells = [row[1] if isinstance(row[1], str) else row[1].plain for row in table.rows]
    return dict(each.split(" = ", 1) for cell in cells if cell for each in cell.split(", "))


def _equations(sides: dict[str, str]) -> str:
    return ", ".join(f"{left} = {right}" for left, right in sides.items())


def _listed(operations: dict[str, int]) -> str:
    return ", ".join(f"{words_of(kind)} {n}" for kind, n in operations.items())


def _bare(text: str) -> str:
    return text.replace("*", "").replace(" ", "")


def convolution() -> Question:
    """Shapes and operations of a convolution."""
    layer = explain.count("conv 10->20 kernel 3 valid", input="10x48x64")
    forward, parameters = layer.facts.forward, layer.facts.parameters.total
    without = explain.count("conv 10->20 kernel 3 valid no bias", input="10x48x64").facts
    one = explain.count("conv 10->1 kernel 3 valid", input="10x48x64").facts.forward
    one_without = explain.count("conv 10->1 kernel 3 valid no bias", input="10x48x64").facts.forward
    network = explain.count(nn.Sequential(nn.Conv2d(10, 20, 3), nn.ReLU()), input="10x48x64").facts
    shapes = [(*each.output_shape[1:], each.output_shape[0]) for each in network.layers]
    channels = (layer.facts.input_shape[0], layer.facts.layers[-1].output_shape[0])
    length = forward.multiplications // forward.dot_products
    answers = (
        Answer(
            "(a) shapes of Z and U",
            f"both {SHAPE}",
            " and ".join(map(str, shapes)),
            judged([shape == SHAPE for shape in shapes]),
            "A filter of 3 has 2 places fewer along a side than there are pixels; an activation changes no shape.",
        ),
        Answer(
            "(b) channels in and out",
            _arrow(CHANNELS),
            _arrow(channels),
            judged([channels == CHANNELS]),
            "As many as the input has, and as there are filters.",
        ),
        Answer(
            "(c) multiplications",
            f"{MULTIPLICATIONS:,}",
            f"{forward.multiplications:,}",
            judged([forward.multiplications == MULTIPLICATIONS]),
            f"{one.multiplications:,} are those of one output channel, and there are "
            f"{forward.multiplications // one.multiplications} of them.",
        ),
        Answer(
            "(c) additions",
            f"{ADDITIONS:,}",
            f"{forward.additions:,} with biases, {without.forward.additions:,} without",
            judged([ADDITIONS in (forward.additions, without.forward.additions)]),
            f"A sum of {length} products takes {length - 1} additions, and one for the bias: {one.additions:,} for one "
            f"channel, or {one_without.additions:,} without. {one.flops:,} are the multiplications and the additions "
            "of one channel together.",
        ),
        Answer(
            "(d) parameters",
            f"{WEIGHTS:,}",
            f"{parameters:,}",
            judged([without.parameters.total == WEIGHTS], says_all=parameters == WEIGHTS),
            f"{without.parameters.total:,} weights; the {parameters - without.parameters.total} biases, one for each "
            "filter, are missing.",
        ),
    )
    asked = (
        "A convolution with filters of 3x3 and no padding makes Z, of 20 channels, from 10 channels of 48x64; an "
        "activation makes U of it. What are their shapes and channels, and how many operations and parameters?"
    )
    command = 'heldout explain count "conv 10->20 kernel 3 valid" --input 10x48x64'
    return Question("Homework 5, question 2", asked, command, answers)


def _arrow(channels: tuple[int, int]) -> str:
    return f"{channels[0]} to {channels[1]}"


def decay() -> Question:
    """The loss with a penalty, its update, and when it is stable."""
    found = explain.decay(learning_rate=0.1, l2=0.1, curvature=2.0)
    asked = (
        "A penalty with the factor L (lambda) is added to the loss f(w): what is the loss then, what does a step of "
        "gradient descent with the learning rate A do, why do the weights shrink, and how are L and A chosen?"
    )
    answers = (_penalty(found), _update(found), _shrinking(), _strength(found), _learning_rate(found))
    command = "heldout explain decay --learning-rate 0.1 --l2 0.1 --curvature 2 --plot decay.svg"
    figure = ("decay", "where a weight goes, and for which learning rates and penalties it is stable", found)
    return Question("Homework 5, question 3", asked, command, answers, figure)


def _penalty(found: Any) -> Answer:
    weights = {"w1": 3.0, "w2": 4.0, "L": 0.1}
    norm, squared = (
        tuple(explain.graph(text, at=weights, wrt="w1,w2").facts.gradient.values())
        for text in ("L*sqrt(w1^2 + w2^2)", "L*(w1^2 + w2^2)")
    )
    derived = tuple(2 * weights["L"] * weights[name] for name in ("w1", "w2"))
    is_gradient = all(isclose(mine, theirs) for mine, theirs in zip(norm, derived, strict=True))
    return Answer(
        "(a) the loss",
        "`f(w) + L |w|`, a norm",
        f"`{formula(found, 'J(w)')}`, its square",
        judged([is_gradient]),
        f"What is derived in (b) is the gradient `2 L w`, which is that of the square: at w = (3, 4) and L = 0.1 it is "
        f"({squared[0]:g}, {squared[1]:g}), and that of the norm ({norm[0]:g}, {norm[1]:g}).",
    )


def _update(found: Any) -> Answer:
    rule = found.facts.rule
    path = found.record["path"]
    gradient = rule.curvature * (path[0] - rule.minimum)
    step = (1 - 2 * rule.learning_rate * rule.l2) * path[0] - rule.learning_rate * gradient
    exact = formula(found, "(1 - 2 A L) w - A grad f")
    theirs = "(1 - 2 A L) w - A grad f"
    return Answer(
        "(b) the update",
        f"`w <- {theirs}`",
        f"`{exact}`",
        judged([exact.endswith(theirs), isclose(step, path[1])]),
        f"For the squared norm. From w = {path[0]:g} with A = L = 0.1 and the loss (w - 1)^2 it leads to {path[1]:g}.",
    )


def _shrinking() -> Answer:
    found = explain.decay(learning_rate=1.0, l2=1.5, curvature=0.0)
    facts: Any = found.facts
    path = ", ".join(f"{each:g}" for each in found.record["path"][:4])
    small: Any = explain.decay(learning_rate=0.1, l2=0.1, curvature=0.0).facts
    return Answer(
        "(c) why weights shrink",
        "`1 - 2 A L` is below 1",
        "they shrink if `|1 - 2 A L| < 1`, which is `0 < A L < 1`",
        judged([small.shrink < 1 and small.is_stable], says_all=not (facts.shrink < 1 and not facts.is_stable)),
        f"What has to be below 1 is its size. With A = 1 and L = 1.5 the factor is {facts.shrink:g}, and a weight goes "
        f"{path}, ...; where the loss has no gradient, A must stay below 1/L, here {facts.limits.stable:.3g}.",
    )


def _strength(found: Any) -> Answer:
    penalties = (0.0, 0.1, 1.0, 10.0)
    facts: list[Any] = [explain.decay(learning_rate=0.01, l2=each).facts for each in penalties]
    ends = [each.optimum for each in facts]
    limits = [each.limits.stable for each in facts]
    return Answer(
        "(d) a larger L",
        "shrinks the weights more",
        f"`{' = '.join(formula(found, 'w* = ').split(' = ')[:2])}`: the larger L, the nearer to 0",
        judged([ends == sorted(ends, reverse=True), len(set(ends)) == len(penalties)]),
        f"With h = m = 1, L = {', '.join(f'{each:g}' for each in penalties)} end at "
        f"{', '.join(f'{each:.3g}' for each in ends)}. But the learning rate has to stay below "
        f"{', '.join(f'{each:.3g}' for each in limits)} then.",
    )


def _learning_rate(found: Any) -> Answer:
    # Within what the write-up asks for, and beyond it.
    within: Any = explain.decay(learning_rate=0.5, l2=0.001, curvature=10.0).facts
    beyond: Any = explain.decay(learning_rate=5.0, l2=0.1, curvature=0.1).facts
    return Answer(
        "(d) the learning rate",
        "A between 0 and 1, `2 A L` much smaller than 1",
        f"`{formula(found, 'stable if and only if').split('  ')[-1]}`, with h the largest curvature of f",
        judged([within.is_stable, not beyond.is_stable]),
        f"Neither enough nor needed. A = 0.5, L = 0.001, h = 10: `2 A L` is {1 - within.shrink:g}, and `A (h + 2 L)` = "
        f"{within.contraction:g} is {within.behaviour}. A = 5, L = 0.1, h = 0.1: `2 A L` is {1 - beyond.shrink:g}, and "
        f"{beyond.contraction:g} is {'stable' if beyond.is_stable else 'unstable'}.",
    )
