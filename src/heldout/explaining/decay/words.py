"""What is said about weight decay on a parabola: the answer first, then how it comes about, with the numbers."""

from heldout.anatomy.decay.quadratic import Decay, Descent, path_of
from heldout.explaining.decay.numbers import counted, shown, tex
from heldout.explaining.decay.stability import overshoot, stability
from heldout.explaining.decay.torch import torch_decay
from heldout.explaining.document import Formula, Part, Section, Table, Text

SOURCES = (
    "Stability of a linear recursion of two terms: the conditions of Schur, Cohn and Jury.",
    "Momentum: B. T. Polyak, “Some methods of speeding up the convergence of iteration methods”, USSR Comput. Math. "
    "Math. Phys. 4 (1964), 1-17.",
    "Decoupled decay: I. Loshchilov and F. Hutter, “Decoupled weight decay regularization”, ICLR 2019.",
    "Where AdamW ends: S. Xie and Z. Li, “Implicit bias of AdamW: l∞ norm constrained optimization”, ICML 2024.",
    "The rules of torch.optim: its source, torch 2.13.",
)
# Steps that the table shows, as far as the path goes.
_SHOWN_STEPS = (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000)
_MILLION_LOG = 13.815510557964274  # the natural logarithm of a million


def verdict(found: Decay) -> str:
    """In one sentence, whether it is stable and how it gets there.

    Example:
        >>> from heldout.anatomy.decay.quadratic import decay_of
        >>> print(verdict(decay_of(Descent(learning_rate=0.1, l2=0.1, curvature=2.0))))
        Stable, monotone: the distance from where it ends shrinks by the factor 0.78 a step (halved after 2.79 steps).
    """
    a_step = f"by the factor {shown(found.radius)} a step"
    halved = f" (halved after {counted(found.error_halving_steps)})"
    distance = "the distance from where it ends"
    told = {
        "still": "Nothing moves: the loss has no curvature here (h = 0), and there is no penalty (L = 0).",
        "monotone": f"Stable, monotone: {distance} shrinks {a_step}{halved}.",
        "at once": "Stable, and as fast as can be: it is where it ends after one step.",
        "alternating": f"Stable, but it overshoots at every step: {distance} changes its sign and shrinks {a_step}"
        f"{halved}.",
        "oscillating": f"Stable, but it swings, once in {counted(found.period)}: {distance} shrinks {a_step} in "
        f"the long run{halved}.",
        "edge": "On the edge: it swings for ever, every step as far beyond the optimum as it had been before it.",
    }
    return told.get(found.behaviour) or _told_unstable(found)


def _told_unstable(found: Decay) -> str:
    from math import log

    n_steps = _MILLION_LOG / log(found.radius) if found.radius > 1 else None
    return (
        f"Unstable: every step overshoots by more than the one before; the distance from the optimum grows by "
        f"the factor {shown(found.radius)} a step, a millionfold in {counted(n_steps)}."
    )


def sections_of(found: Decay, n_steps: int) -> tuple[Section, ...]:
    """All that is said, in reading order.

    Args:
        found: The facts.
        n_steps: That the paths go.
    """
    return (
        Section("In short", tuple(Text(words) for words in (verdict(found), *notes(found)))),
        Section("The loss and its update", (*_update(found), *_plain_norm(found))),
        Section("Which learning rates are stable", tuple(stability(found))),
        Section("Where it ends", tuple(_optimum(found))),
        Section("Step by step", (_steps(found, n_steps),)),
        Section("What weight_decay means in torch", tuple(torch_decay(found))),
    )


def notes(found: Decay) -> list[str]:
    """What else matters at once: the limits, where it ends, the decay by itself, and what is legal but unwise."""
    rule, limits = found.rule, found.limits
    if found.behaviour == "still":
        return ["Every learning rate is as good as any other: none does anything."]
    share = 100 * rule.learning_rate / limits.stable
    told = [
        f"Every learning rate below {shown(limits.stable)} is stable, with no {overshoot(rule)} up to "
        f"{shown(limits.monotone)}; {shown(rule.learning_rate)} is {share:.3g} % of the limit."
    ]
    if found.behaviour == "alternating" and not rule.momentum:
        other = 2 * limits.fastest - rule.learning_rate
        told.append(f"As fast, without overshooting, is the learning rate {shown(other)}.")
    if rule.l2 == 0:
        return [*told, "There is no penalty (L = 0): nothing decays."]
    kept = f", not at {shown(rule.minimum)}, the minimum of the loss alone" if rule.minimum else ""
    if not rule.curvature:
        kept = ": the loss does not see this direction (h = 0), and the decay is alone"
    told.append(
        f"{'It ends' if found.is_stable else 'If it were stable it would end'} at {shown(found.optimum)}{kept}."
    )
    told.append(_alone(found))
    return told + _unwise(found)


def _alone(found: Decay) -> str:
    start = "Where the loss has no gradient,"
    if found.halving_steps is None:
        return f"{start} " + ("one step leaves nothing." if found.alone == 0 else "the decay by itself is not stable.")
    half = f": half after {counted(found.halving_steps)}" if found.halving_steps >= 1 else ""
    if found.alone == found.shrink:
        return f"{start} a step leaves {shown(found.alone)} of a weight{half}."
    return (
        f"{start} the momentum carries the decay on: a step leaves {shown(found.alone)} of a weight in the long run, "
        f"where 1 - 2 A L alone is {shown(found.shrink)}{half}."
    )


def _unwise(found: Decay) -> list[str]:
    rule, told = found.rule, []
    if found.shrink < 0:
        told.append(
            f"Unwise: 1 - 2 A L = {shown(found.shrink)} is below 0, so the decay by itself turns the sign of a weight "
            "round at every step; 2 A L should be at most 1."
        )
    if rule.curvature and rule.weight_decay > rule.curvature:
        told.append(
            f"Unwise: 2 L = {shown(rule.weight_decay)} is more than the curvature {shown(rule.curvature)}, so the "
            "penalty has more say about the weight than the loss."
        )
    if rule.is_decoupled and rule.momentum:
        told.append(
            "Decoupled decay is not carried on by the momentum, the gradient is: against it the same L is "
            f"{shown(1 / (1 - rule.momentum))} times as weak as in the coupled form."
        )
    elif rule.is_decoupled:
        told.append("Without momentum the decoupled form is the coupled one, number by number.")
    return told


def _update(found: Decay) -> list[Part]:
    rule = found.rule
    rate, l2 = shown(rule.learning_rate), shown(rule.l2)
    parts: list[Part] = [
        _settings(rule),
        Formula("J(w) = f(w) + L |w|^2", r"J(w) = f(w) + \lambda \|w\|^2"),
        Formula("grad J = grad f + 2 L w", r"\nabla J = \nabla f + 2 \lambda w"),
    ]
    if not rule.momentum:
        parts.append(
            Formula(
                "w <- w - A grad J = (1 - 2 A L) w - A grad f",
                r"w \leftarrow w - \alpha \nabla J = (1 - 2 \alpha \lambda)\, w - \alpha \nabla f",
            )
        )
    elif rule.is_decoupled:
        parts += [
            Formula("v <- b v + grad f", r"v \leftarrow \beta v + \nabla f"),
            Formula("w <- (1 - 2 A L) w - A v", r"w \leftarrow (1 - 2 \alpha \lambda)\, w - \alpha v"),
        ]
    else:
        parts += [
            Formula("v <- b v + grad f + 2 L w", r"v \leftarrow \beta v + \nabla f + 2 \lambda w"),
            Formula("w <- w - A v", r"w \leftarrow w - \alpha v"),
        ]
    parts.append(
        Formula(
            f"1 - 2 A L = 1 - 2 × {rate} × {l2} = {shown(found.shrink)}",
            rf"1 - 2 \alpha \lambda = 1 - 2 \cdot {tex(rule.learning_rate)} \cdot {tex(rule.l2)} = "
            rf"{tex(found.shrink)}",
        )
    )
    return parts


def _settings(rule: Descent) -> Formula:
    """The letters with their values; LaTeX has the customary Greek ones beside them."""
    plain = f"learning rate A = {shown(rule.learning_rate)}, penalty L = {shown(rule.l2)}"
    latex = rf"A = \alpha = {tex(rule.learning_rate)},\quad L = \lambda = {tex(rule.l2)}"
    if rule.momentum:
        plain += f", momentum b = {shown(rule.momentum)}"
        latex += rf",\quad b = \beta = {tex(rule.momentum)}"
    plain += f"; curvature h = {shown(rule.curvature)}, minimum m = {shown(rule.minimum)}"
    return Formula(plain, latex + rf",\quad h = {tex(rule.curvature)},\quad m = {tex(rule.minimum)}")


def _plain_norm(found: Decay) -> list[Part]:
    rule = found.rule
    off = rule.learning_rate * rule.l2
    parts: list[Part] = [
        Text(
            "The penalty is the squared norm. It is often written L |w| and then derived as if it were L |w|^2; "
            "these are two penalties. That of the plain norm has a gradient of constant length, and none at w = 0:"
        ),
        Formula("grad L |w| = L w / |w|", r"\nabla\, \lambda \|w\| = \lambda\, w / \|w\|"),
        Formula(
            "w <- (1 - A L / |w|) w - A grad f",
            r"w \leftarrow (1 - \alpha \lambda / \|w\|)\, w - \alpha \nabla f",
        ),
    ]
    if off:
        n_steps = abs(rule.start) / off
        then = f"; from |w| = {shown(abs(rule.start))} it is at 0 after {counted(n_steps)}" if rule.start else ""
        parts.append(
            Text(
                f"It takes A L = {shown(off)} off the length at every step, however long the weight is{then}, and then "
                "jumps about it. The squared one takes off a share of what is left, and never gets there."
            )
        )
    return parts


def _optimum(found: Decay) -> list[Part]:
    rule = found.rule
    if found.optimum is None:
        return [Text("Wherever it begins.")]
    if rule.is_decoupled and rule.momentum:
        plain, latex = "h m / (h + 2 L (1 - b))", r"\frac{h\, m}{h + 2 \lambda (1 - \beta)}"
        below = f"({shown(rule.curvature)} + 2 × {shown(rule.l2)} × (1 - {shown(rule.momentum)}))"
    else:
        plain, latex = "h m / (h + 2 L)", r"\frac{h\, m}{h + 2 \lambda}"
        below = f"({shown(rule.curvature)} + 2 × {shown(rule.l2)})"
    numbers = f"{shown(rule.curvature)} × {shown(rule.minimum)} / {below}"
    return [
        Formula(f"w* = {plain} = {numbers} = {shown(found.optimum)}", rf"w^* = {latex} = {tex(found.optimum)}"),
        Text(
            "Directions in which the loss is curved much more than 2 L stay nearly where they were; those in which it "
            "is curved less go to 0. At h = 2 L half is left."
        ),
    ]


def _steps(found: Decay, n_steps: int) -> Table:
    path = path_of(found.rule, n_steps)
    bare = path_of(without_penalty(found.rule), n_steps)
    end = found.optimum
    chosen = [step for step in _SHOWN_STEPS if step < len(path)]
    if len(path) - 1 not in chosen:
        chosen.append(len(path) - 1)
    rows = tuple(
        (
            f"{step:,}",
            shown(path[step]),
            shown(None if end is None else path[step] - end),
            shown(bare[step] if step < len(bare) else None),
        )
        for step in chosen
    )
    return Table(("step", "w", "error", "w without the penalty"), rows, numeric=frozenset(range(4)))


def without_penalty(rule: Descent) -> Descent:
    """The same rule of descent with L = 0."""
    from dataclasses import replace

    return replace(rule, l2=0.0)
