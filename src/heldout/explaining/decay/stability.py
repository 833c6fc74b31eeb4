"""Which learning rates are stable, in formulas with the numbers filled in, and as a table."""

from heldout.anatomy.decay.quadratic import Decay, Descent, decay_of
from heldout.explaining.decay.numbers import shown, tex
from heldout.explaining.document import Formula, Part, Table, Text


def stability(found: Decay) -> list[Part]:
    """The error after a step, when it vanishes, what happens at which learning rates, and what does not decide that."""
    return [*_recursion(found), _regions(found), *_thumb_rules()]


def _recursion(found: Decay) -> list[Part]:
    rule = found.rule
    parts: list[Part] = [
        Text(
            "Along one direction and near a minimum m, a smooth loss is a parabola of some curvature h. The error e is "
            "the distance of w from where it ends; a step makes of it:"
        ),
        Formula("f(w) = h/2 (w - m)^2", r"f(w) = \frac{h}{2} (w - m)^2"),
    ]
    if not rule.momentum:
        return parts + _without_momentum(found)
    return parts + _with_momentum(found)


def _without_momentum(found: Decay) -> list[Part]:
    rule = found.rule
    numbers = f"{shown(rule.learning_rate)} × ({shown(rule.curvature)} + 2 × {shown(rule.l2)})"
    latex = rf"{tex(rule.learning_rate)}\,({tex(rule.curvature)} + 2 \cdot {tex(rule.l2)})"
    total = shown(found.contraction)
    return [
        Formula("e <- (1 - A (h + 2 L)) e", r"e \leftarrow (1 - \alpha (h + 2 \lambda))\, e"),
        Formula(
            "stable if and only if  0 < A (h + 2 L) < 2",
            r"0 < \alpha (h + 2 \lambda) < 2",
        ),
        Formula(
            f"here A (h + 2 L) = {numbers} = {total}, and the factor is {shown(1 - found.contraction)}",
            rf"\alpha (h + 2 \lambda) = {latex} = {tex(found.contraction)}",
        ),
    ]


def _with_momentum(found: Decay) -> list[Part]:
    rule = found.rule
    if rule.is_decoupled:
        recursion = Formula(
            "e[n+1] = (1 + b - A (h + 2 L)) e[n] - b (1 - 2 A L) e[n-1]",
            r"e_{n+1} = (1 + \beta - \alpha (h + 2 \lambda))\, e_n - \beta (1 - 2 \alpha \lambda)\, e_{n-1}",
        )
        stable = Formula(
            "stable if and only if  0 < A (h + 2 L (1 + b)) < 2 (1 + b)",
            r"0 < \alpha (h + 2 \lambda (1 + \beta)) < 2 (1 + \beta)",
        )
        swings = Formula(
            "swings if and only if  (1 + b - A (h + 2 L))^2 < 4 b (1 - 2 A L)",
            r"(1 + \beta - \alpha (h + 2 \lambda))^2 < 4 \beta (1 - 2 \alpha \lambda)",
        )
    else:
        recursion = Formula(
            "e[n+1] = (1 + b - A (h + 2 L)) e[n] - b e[n-1]",
            r"e_{n+1} = (1 + \beta - \alpha (h + 2 \lambda))\, e_n - \beta\, e_{n-1}",
        )
        stable = Formula(
            "stable if and only if  0 < A (h + 2 L) < 2 (1 + b)", r"0 < \alpha (h + 2 \lambda) < 2 (1 + \beta)"
        )
        swings = Formula(
            "swings if and only if  (1 - sqrt b)^2 < A (h + 2 L) < (1 + sqrt b)^2",
            r"(1 - \sqrt{\beta})^2 < \alpha (h + 2 \lambda) < (1 + \sqrt{\beta})^2",
        )
    return [recursion, stable, swings, _told_roots(found)]


def _told_roots(found: Decay) -> Formula:
    if len(found.roots) == 1:
        only = found.roots[0].real
        return Formula(
            f"without curvature the momentum stays 0: the factor is {shown(only)}",
            rf"1 - 2 \alpha \lambda = {tex(only)}",
        )
    first, second = found.roots
    if first.imag:
        plain, latex = (f"{shown(first.real)} ± {shown(first.imag)} i", rf"{tex(first.real)} \pm {tex(first.imag)}\, i")
    else:
        plain, latex = (f"{shown(first.real)} and {shown(second.real)}", rf"{tex(first.real)},\ {tex(second.real)}")
    determinant = "b (1 - 2 A L)" if found.rule.is_decoupled else "b"
    d = r"\beta (1 - 2 \alpha \lambda)" if found.rule.is_decoupled else r"\beta"
    return Formula(
        f"roots of r^2 - (1 + b - A (h + 2 L)) r + {determinant}: {plain}, largest |r| = {shown(found.radius)}",
        rf"r^2 - (1 + \beta - \alpha (h + 2 \lambda))\, r + {d} = 0:\quad r = {latex},\quad "
        rf"\max |r| = {tex(found.radius)}",
    )


def _regions(found: Decay) -> Table:
    """What happens at which learning rates, in rising order, and where the one asked about is."""
    limits, rule = found.limits, found.rule
    if found.behaviour == "still":
        return Table(("learning rate", "what happens"), (("any", "nothing moves"),))
    stable, high = limits.stable, (limits.oscillating or (0.0, limits.monotone))[1]
    fastest = f"fastest at {shown(limits.fastest)}: " + (
        f"the factor {shown(limits.radius)} a step" if limits.radius else "there after one step"
    )
    rows = {"monotone": (f"up to {shown(limits.monotone)}", "no " + overshoot(rule))}
    if limits.oscillating:
        told = fastest if rule.is_decoupled else f"the factor is sqrt b = {shown(limits.radius)} a step throughout"
        rows["oscillating"] = (f"{shown(limits.monotone)} to {shown(high)}", f"swings; {told}")
    else:
        rows["monotone"] = (rows["monotone"][0], f"no overshoot; {fastest}")
    if rule.is_decoupled and rule.momentum and (turned := limits.one_sided) > high:
        rows["one-sided"] = (f"{shown(high)} to {shown(turned)}", "stays on one side in the long run")
        high = turned
    rows["alternating"] = (f"{shown(high)} to {shown(stable)}", "overshoots at every step, and still gets there")
    rows["unstable"] = (f"above {shown(stable)}", "grows without end; on the limit itself swings for ever")
    kind = {"at once": "monotone", "edge": "unstable"}.get(found.behaviour, found.behaviour)
    if kind == "monotone" and rule.learning_rate > limits.monotone and "one-sided" in rows:
        kind = "one-sided"
    mark = f"<- {shown(rule.learning_rate)}"
    cells = tuple((*words, mark if name == kind else "") for name, words in rows.items())
    return Table(("learning rate", "what happens", ""), cells)


def _thumb_rules() -> list[Part]:
    examples = (
        Descent(learning_rate=0.5, l2=0.001, curvature=10.0),
        Descent(learning_rate=5.0, l2=0.1, curvature=0.1),
    )
    rows = []
    for rule in examples:
        found = decay_of(rule)
        rows.append(
            (
                shown(rule.learning_rate),
                shown(rule.curvature),
                shown(rule.l2),
                shown(rule.learning_rate * rule.weight_decay),
                shown(found.contraction),
                "stable" if found.is_stable else "unstable",
            )
        )
    return [
        Text(
            "“A learning rate between 0 and 1” and “2 A L much smaller than 1” are neither enough nor needed: it is "
            "the curvature that decides, together with the penalty. In a network the largest curvature decides whether "
            "it is stable, and the smallest how long it takes."
        ),
        Table(("A", "h", "L", "2 A L", "A (h + 2 L)", ""), tuple(rows), numeric=frozenset(range(5))),
    ]


def overshoot(rule: Descent) -> str:
    """What does not happen at small learning rates."""
    # The velocity begins at 0, not where the slow root wants it: decoupled, one overshoot may come of that.
    return "swing" if rule.is_decoupled and rule.momentum else "overshoot"
