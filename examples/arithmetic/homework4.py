"""The theory of the first write-up: parameters of a convolution, a neuron with a bell, and a region of five lines."""

from collections import Counter
from math import isclose, log, sqrt
from typing import Any

from answers import Answer, Question, either, judged

from heldout import explain

# What the write-up gave. Each layer with the words that mean it here.
PARAMETERS = (
    ("filters as large as the input", "conv 1->96 kernel full", 393_312),
    ("filters of 8x8, stride 4", "conv 1->96 kernel 8 stride 4", 6_240),
    ("filters of 1x1, stride 1", "conv 1->96 kernel 1 stride 1", 192),
)
# Shapes by the signs of both weights and of L = -ln(-b).
ROUND = {((1, 1), 1): "circle"}
WEIGHTED = {((1, 1), 1): "ellipse"}
MOVED_UP_BY = -1  # a smaller b
BIASES, BIAS = "(-2.5, -2.2]", -2.4
# The drawing of the five lines is lost. These are five of our own, of which the fifth is the lower edge of the region.
FIVE_LINES = "4,1 4,4 0,5 -2,3 -1,0"


def questions() -> tuple[Question, ...]:
    """All of the first write-up."""
    return parameters(), bells(), threshold_neurons()


def parameters() -> Question:
    """How many parameters a convolution has."""
    answers = []
    for about, layer, theirs in PARAMETERS:
        found = explain.count(layer, input="1x64x64")
        exact = found.facts.parameters.total
        derived = next(each["plain"] for each in found.record["formulas"] if each["about"] == "parameters")
        answers.append(
            Answer(
                about,
                f"{theirs:,}",
                f"{exact:,}",
                judged([theirs == exact]),
                f"`{derived}`: the weights of a filter and its bias, for every filter."
                + (" The stride plays no part." if "stride" in about else ""),
            )
        )
    asked = (
        "A convolution of 96 filters, each with a bias, sees one channel of 64x64. How many parameters does it learn?"
    )
    command = f'heldout explain count "{PARAMETERS[1][1]}" --input 1x64x64'
    return Question("Homework 4, question 1", asked, command, tuple(answers))


def bells() -> Question:
    """Where a neuron with a bell is 0."""
    plain = explain.neuron("exp(-(x1^2 + x2^2)) + b")
    weighted = explain.neuron("exp(-(w1*x1^2 + w2*x2^2)) + b")
    asked = (
        "Which points (x1, x2) does the neuron `exp(-(x1^2 + x2^2)) + b` map to 0, depending on b? And which shapes "
        "are there with weights, `exp(-(w1*x1^2 + w2*x2^2)) + b`?"
    )
    figure = ("neuron", "every shape that the zero set of the weighted neuron can have, and when", weighted)
    command = f'heldout explain neuron "{weighted.record["expression"]}" --plot neuron.svg'
    return Question("Homework 4, question 2", asked, command, (_round(plain), _weighted(weighted)), figure)


def _round(found: Any) -> Answer:
    cases = found.record["cases"]
    circle = explain.neuron("exp(-(x1^2 + x2^2)) + b", at="b=-0.5").facts.zero_set
    says = [*_claims(ROUND, cases), isclose(circle.semi_axes[0], sqrt(-log(0.5)))]
    others = [each for each in found.record["short_answer"]["leaves_out"] if each["kind"] == "empty"]
    return Answer(
        "without weights",
        "a circle of radius `sqrt(-ln(-b))`, only for -1 < b < 0",
        "; ".join(f"{kind} if {either(when)}" for kind, when in _by_kind(cases).items()),
        judged(says, says_all=len(cases) == len(ROUND)),
        "Right for the b that it names, and silent on the others: at b = -1 one point is left of the circle, and if "
        f"{' or '.join(each['when'] for each in others)} no point at all.",
    )


def _weighted(found: Any) -> Answer:
    cases = found.record["cases"]
    ellipse = explain.neuron(found.record["expression"], at="w1=1,w2=2,b=-0.5").facts.zero_set
    axes = [isclose(axis, sqrt(-log(0.5) / weight)) for axis, weight in zip(ellipse.semi_axes, (1, 2), strict=True)]
    numbers = Counter("no point" if each["kind"] == "empty" else each["kind"] for each in cases)
    listed = ", ".join(f"{kind} {n}" for kind, n in numbers.most_common())
    when = {(each["kind"], tuple(each["weights"])): each["when"] for each in reversed(cases)}
    return Answer(
        "with weights",
        "an ellipse with semi-axes `sqrt(L/w1)` and `sqrt(L/w2)`, where `L = -ln(-b)`",
        f"{len(cases)} cases by the signs of w1, w2 and L: {listed}",
        judged([*_claims(WEIGHTED, cases), *axes], says_all=len(cases) == len(WEIGHTED)),
        f"Right if {when['ellipse', (1, 1)]}, which is one case. Weights below 0 are left out: a hyperbola if "
        f"{when['hyperbola', (1, -1)]}, an ellipse again if {when['ellipse', (-1, -1)]}; and so are weights of 0, "
        "which make lines, and b = -1.",
    )


def _claims(claimed: dict[Any, str], cases: list[dict[str, Any]]) -> list[bool]:
    exact = {(tuple(each["weights"]), each["level"]): each["kind"] for each in cases}
    return [exact[signs] == kind for signs, kind in claimed.items()]


def _by_kind(cases: list[dict[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in cases:
        found.setdefault("no point" if each["kind"] == "empty" else each["kind"], []).append(each["when"])
    return found


def threshold_neurons() -> Question:
    """How five lines make a region."""
    found = explain.region(FIVE_LINES, units=(0.2, 0.5), step=">0")
    asked = (
        "Five neurons give 0.5 on one side of a line and 0.2 on the other; `y = H(v1 n1 + ... + v5 n5 + b)` is to be 1 "
        "where all five give 0.5. How is the line of n5 moved up, to become an edge of the region? Which b is right, "
        "if all v are 1 and H(z) is 1 for z > 0?"
    )
    answers = (_moving(found.record["half_planes"][-1]), _biases(found))
    command = f'heldout explain region "{FIVE_LINES}" --units 0.2,0.5 --step ">0" --plot region.svg'
    figure = ("region", "five lines, and the region where all five are on", found)
    return Question("Homework 4, question 3", asked, command, answers, figure)


def _moving(fifth: dict[str, Any]) -> Answer:
    above, below = (_moved([sign * number for number in (*fifth["weights"], fifth["bias"])]) for sign in (1, -1))
    goes_up = [side.changed.move.upwards > 0 for side in (above, below)]
    first, second = ("decrease" if each else "increase" for each in goes_up)
    line = above.line
    return Answer(
        "moving n5 up",
        "decrease b; `b/w2` is the offset from the origin",
        f"{first} b where w2 > 0, {second} it where w2 < 0",
        judged([goes_up[0]], says_all=all(goes_up)),
        f"With w = {_point(line.weights)} n5 is on above its line, and b - 1 moves it up by "
        f"{above.changed.move.upwards:g}. With w = {_point(below.line.weights)} it is on below the same line, and "
        f"b - 1 moves it down by {-below.changed.move.upwards:g}. `-b/w2` = {line.intercepts[1]:g} is where the line "
        f"crosses the x2 axis; its distance from the origin is `|b|/|w|` = {abs(line.origin_distance):.3g}.",
    )


def _moved(numbers: list[float]) -> Any:
    at = dict(zip(("w1", "w2", "b"), numbers, strict=True))
    return explain.neuron("0.3*step(w1*x1 + w2*x2 + b) + 0.2", at=at, change_b=MOVED_UP_BY).facts


def _point(numbers: tuple[float, float]) -> str:
    return f"({numbers[0]:g}, {numbers[1]:g})"


def _biases(found: Any) -> Answer:
    readout = found.record["readout"]
    interval = found.facts.answer.readout.interval
    checks = found.record["checks"]
    n_wrong = sum(each["n_wrong_cells"] + each["n_wrong"] for each in checks)
    return Answer(
        "the bias of y",
        f"{BIASES}, such as {BIAS}",
        str(interval),
        judged([str(interval) == BIASES, interval.low < BIAS <= interval.high, set(readout["weights"]) == {1}]),
        f"Five times 0.5 has to fire, four times 0.5 and one 0.2 must not. The safest bias is {readout['bias']:g}, in "
        f"the middle: {n_wrong} wrong answers in {checks[0]['n_cells']} cells and at {checks[0]['n_random']:,} random "
        "points.",
    )
