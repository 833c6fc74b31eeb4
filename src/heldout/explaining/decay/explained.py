"""`heldout explain decay`: gradient descent with a decaying weight, or the decay of a training run."""

from pathlib import Path
from typing import Any

from heldout.anatomy.decay.optimisers import USUAL_MOMENTUM, torch_rules
from heldout.anatomy.decay.quadratic import Decay, Descent, decay_of, path_of
from heldout.errors import UsageError
from heldout.explaining.decay.numbers import shown
from heldout.explaining.decay.run import RunFacts
from heldout.explaining.decay.words import SOURCES, notes, sections_of, verdict, without_penalty
from heldout.explaining.document import Explanation

# Steps that are shown where none are named: until a hundredth of the error is left, within these.
_FEWEST, _MOST = 10, 200


def explain_decay(  # noqa: PLR0913 -- one parameter a flag
    run: str | Path | None = None,
    *,
    learning_rate: float | None = None,
    l2: float | None = None,
    weight_decay: float | None = None,
    curvature: float = 1.0,
    momentum: float = 0.0,
    decoupled: bool = False,
    start: float = 3.0,
    minimum: float = 1.0,
    steps: int | None = None,
) -> Explanation[Decay] | Explanation[RunFacts]:
    """What a penalty L |w|^2 does to a weight: how it shrinks, where it ends, which learning rates are stable.

    Args:
        run: The folder of a run instead: how the norms of its weights moved, beside what decay alone would have done.
        learning_rate: A.
        l2: L.
        weight_decay: What torch calls it, 2 L, instead of `l2`.
        curvature: h, of the loss along one direction.
        momentum: Of heavy-ball momentum, 0 for none.
        decoupled: The weight is multiplied by 1 - 2 A L beside the gradient's step, as in AdamW.
        start: Where the weight begins.
        minimum: Where the loss alone is lowest.
        steps: How far the weight is followed; None follows it until little happens.

    Raises:
        UsageError: A value that cannot be meant; too little, or too much, was given.
        RunFolderError: `run` is no finished run.
        DamagedRun: Its files are not those that were written.

    Example:
        >>> found = explain_decay(learning_rate=0.1, l2=0.1, curvature=2.0)
        >>> found.facts.limits.stable, found.record["is_stable"]
        (0.9090909090909091, True)
    """
    if run is not None:
        from heldout.explaining.decay.run import explain_run

        settings = (learning_rate, l2, weight_decay, curvature, momentum, decoupled, start, minimum, steps)
        if settings != (None, None, None, 1.0, 0.0, False, 3.0, 1.0, None):
            raise UsageError(
                f"both a run, {str(run)!r}, and settings of a descent were given",
                expected="a run, whose settings are in its plan, or --learning-rate with --l2",
                fix="leave one of them out",
            )
        return explain_run(Path(run))
    rule = Descent(
        learning_rate=_named(learning_rate),
        l2=_penalty(l2, weight_decay),
        curvature=curvature,
        momentum=momentum,
        is_decoupled=decoupled,
        start=start,
        minimum=minimum,
    )
    found = decay_of(rule)
    n_steps = _usual_steps(found) if steps is None else steps
    return Explanation(
        title=_title(rule),
        facts=found,
        sections=sections_of(found, n_steps),
        record=_record(found, n_steps),
        sources=SOURCES,
        draw=lambda: _drawn(found, n_steps),
    )


def _named(learning_rate: float | None) -> float:
    if learning_rate is None:
        raise UsageError(
            "no learning rate was given",
            expected="--learning-rate with --l2 or --weight-decay, or the folder of a run",
            fix="heldout explain decay --learning-rate 0.1 --l2 0.1",
        )
    return learning_rate


def _penalty(l2: float | None, weight_decay: float | None) -> float:
    if (l2 is None) == (weight_decay is None):
        raise UsageError(
            f"l2 is {l2!r} and weight_decay is {weight_decay!r}",
            expected="one of them: weight_decay is 2 times l2",
            fix="give --l2 or --weight-decay",
        )
    if weight_decay is None:
        assert l2 is not None
        return l2
    try:
        return Descent(learning_rate=1.0, l2=weight_decay).l2 / 2
    except UsageError as error:
        raise UsageError(
            f"weight_decay is {weight_decay!r}",
            expected=error.expected,
            fix=error.fix.replace("--l2", "--weight-decay").replace("set l2", "set weight_decay"),
        ) from None


def _usual_steps(found: Decay) -> int:
    from math import log

    if found.behaviour in ("still", "at once", "edge"):
        return _FEWEST
    if not found.is_stable:
        return 20
    return min(_MOST, max(_FEWEST, round(log(0.01) / log(found.radius)))) if found.radius else _FEWEST


def _title(rule: Descent) -> str:
    words = f"Weight decay: learning rate {shown(rule.learning_rate)}, L2 {shown(rule.l2)}"
    words += f", curvature {shown(rule.curvature)}"
    words += f", momentum {shown(rule.momentum)}" if rule.momentum else ""
    return words + (", decoupled" if rule.is_decoupled else "")


def _record(found: Decay, n_steps: int) -> dict[str, Any]:
    rule, limits = found.rule, found.limits
    return {
        "verdict": verdict(found),
        "notes": notes(found),
        "learning_rate": rule.learning_rate,
        "l2": rule.l2,
        "weight_decay": rule.weight_decay,
        "curvature": rule.curvature,
        "momentum": rule.momentum,
        "decoupled": rule.is_decoupled,
        "start": rule.start,
        "minimum": rule.minimum,
        "behaviour": found.behaviour,
        "is_stable": found.is_stable,
        "shrink_factor": found.shrink,
        "decay_alone_factor": found.alone,
        "halving_steps": found.halving_steps,
        "contraction": found.contraction,
        "error_factor": found.radius,
        "error_halving_steps": found.error_halving_steps,
        "roots": [[root.real, root.imag] for root in found.roots],
        "period": found.period,
        "optimum": found.optimum,
        "learning_rate_limits": {
            "stable_below": limits.stable,
            "monotone_up_to": limits.monotone,
            "fastest": limits.fastest,
            "fastest_factor": limits.radius,
            "oscillating": limits.oscillating,
        },
        "path": path_of(rule, n_steps),
        "path_without_penalty": path_of(without_penalty(rule), n_steps),
        "torch": _torch_record(rule),
    }


def _torch_record(rule: Descent) -> list[dict[str, Any]]:
    settings = {"learning_rate": rule.learning_rate, "weight_decay": rule.weight_decay}
    return [
        {"optimiser": each.name, "decay": each.kind, "after": {str(n): each.after(n, **settings) for n in (1, 2, 10)}}
        for each in torch_rules(rule.momentum or USUAL_MOMENTUM)
    ]


def _drawn(found: Decay, n_steps: int) -> Any:
    from heldout.explaining.decay.figure import decay_figure

    return decay_figure(found, n_steps)
