"""What `weight_decay` means in torch's optimisers, with what becomes of a weight of 1."""

from heldout.anatomy.decay.optimisers import USUAL_MOMENTUM, OptimiserRule, torch_rules
from heldout.anatomy.decay.quadratic import Decay, Descent
from heldout.explaining.decay.numbers import shown
from heldout.explaining.document import Part, Table, Text


def torch_decay(found: Decay) -> list[Part]:
    """The table of the optimisers, and where each of them ends."""
    rule, decay = found.rule, found.rule.weight_decay
    settings = {"learning_rate": rule.learning_rate, "weight_decay": decay}
    rows = tuple(
        (_named(each), each.kind, each.step, *(shown(each.after(n, **settings), 4) for n in (1, 2, 10)))
        for each in torch_rules(rule.momentum or USUAL_MOMENTUM)
    )
    box = _told_box(rule) if decay and rule.curvature else ""
    return [
        Text(
            f"torch adds weight_decay times w to the gradient, without the 2: weight_decay = 2 L = {shown(decay)}. "
            "What becomes of a weight of 1 when the loss has no gradient at all:"
        ),
        Table(
            ("optimiser", "decay", "first step", "after 1", "after 2", "after 10"), rows, numeric=frozenset({3, 4, 5})
        ),
        Text(
            "* with decoupled_weight_decay=True. Coupled: the penalty is part of the gradient. Scaled: so it is, and "
            "the rule divides the gradient by its own scale; where the decay is all there is, its step hardly depends "
            "on wd, and beside a large gradient of the loss next to nothing is left of it. Decoupled: the weight is "
            "multiplied by 1 - lr wd whatever the gradient is, which by itself is stable while lr wd is below 2. "
            "Rprop, LBFGS and SparseAdam know no weight_decay."
        ),
        Text(
            "Coupled rules come to rest where the gradient of f + L |w|^2 is 0, at h m / (h + 2 L); ASGD adds its own "
            f"0.0001 to wd. AdamW does not: without noise it ends at m itself, cut off at 1 / wd.{box}"
        ),
    ]


def _named(rule: OptimiserRule) -> str:
    if rule.settings.get("decoupled_weight_decay"):
        return f"{', '.join(rule.optimisers)} *"
    return rule.name


def _told_box(rule: Descent) -> str:
    bound = 1 / rule.weight_decay
    return f" Here that is {shown(max(-bound, min(bound, rule.minimum)))}."
