"""What a graph and its derivatives cost, told: the tables of operations and the bounds beside them."""

from collections.abc import Iterable
from typing import Any

from heldout.anatomy.graphs.costs import CHEAP_GRADIENT, NONSCALAR_GRADIENT, Tally
from heldout.anatomy.graphs.facts import GraphFacts
from heldout.anatomy.graphs.formulas import ELLIPSIS, Derivative
from heldout.anatomy.graphs.operations import KINDS
from heldout.explaining.document import Formula, Part, Section, Table, Text
from heldout.explaining.graphs.formulas import GraphFormulas, equation, symbol

_MOST_SHARED = 12
_LONGEST_ALONE = 160
COUNTED = (
    "Counted is every +, -, *, /, power and function, each as one operation; x^2 is one multiplication. Nothing is "
    "computed twice within a pass; forward mode computes nothing where a node cannot depend on the parameter: all at "
    "once shares the values and the slopes, values once the values alone. Free are numbers, the start dL/dL = 1, "
    "products with 1, sums with 0, and signs, which are moved along until a derivative is negative itself: only that "
    "costs a sign change. The slope of a sigmoid u is u(1 - u): a subtraction and a multiplication; of tanh 1 - t^2: "
    "the same; of exp nothing, for it is its own slope; of a root v 1/(2v)."
)


def cost_sections(facts: GraphFacts, formulas: GraphFormulas) -> tuple[Section, ...]:
    """The costs of every way, the written-out formulas, and how the ways grow."""
    return (
        Section("What it costs", _costs(facts)),
        Section("The derivatives written out", _written_out(facts, formulas)),
        Section("With more parameters", _growth(facts)),
    )


def cost_words(facts: GraphFacts) -> str:
    """The costs in a sentence or two."""
    costs = facts.costs
    n = len(facts.parameters)
    derivatives = {1: "the derivative", 2: "both derivatives"}.get(n, f"all {n} derivatives")
    if not costs.forward.total:
        return "The value takes no operation, and neither does its derivative."
    saved = costs.written_out.total - costs.reverse.total
    words = (
        f"The value takes {_operations(costs.forward.total)}; reverse mode adds {costs.backward.total:,} for "
        f"{derivatives}: {costs.reverse.total:,} together, {_ratio(costs.reverse, costs.forward)} times the value "
        "alone."
    )
    if saved:
        words += (
            f" Written out as formulas of the inputs, the same takes {costs.written_out.total:,}: reverse mode saves "
            f"{saved:,} of them ({100 * saved / costs.written_out.total:.0f} %)."
        )
    return words


def _costs(facts: GraphFacts) -> tuple[Part, ...]:
    costs = facts.costs
    rows = _ways(facts)
    kinds = [kind for kind in KINDS if any(kind in tally.by_kind for _, tally in rows)]
    table = Table(
        ("value and derivatives by", *kinds, "total", "times the value"),
        tuple(
            (
                words,
                *(f"{tally.by_kind.get(kind, 0):,}" for kind in kinds),
                f"{tally.total:,}",
                _ratio(tally, costs.forward),
            )
            for words, tally in rows
        ),
        frozenset(range(1, len(kinds) + 3)),
    )
    return (table, Text(_bounds(facts)), Text(_modes(facts)), Text(COUNTED))


def _ways(facts: GraphFacts) -> list[tuple[str, Tally]]:
    costs = facts.costs
    ways = [("(the value alone)", costs.forward), ("reverse mode", costs.reverse)]
    if len(facts.parameters) > 1:
        ways += [
            ("forward mode, all at once", costs.vectorised),
            ("forward mode, values once", costs.shared_values),
            ("forward mode, one by one", costs.one_by_one),
        ]
    else:
        ways.append(("forward mode", costs.vectorised))
    ways.append(("formulas, nothing shared", costs.written_out))
    if facts.regrouped is not None:
        ways.append(("formulas after sympy.cse", facts.regrouped))
    return ways


def _bounds(facts: GraphFacts) -> str:
    costs = facts.costs
    if not costs.forward.total:
        return "There is no operation whose cost could be compared."
    words = (
        "A gradient is cheap: however many parameters there are, reverse mode takes at most "
        f"{CHEAP_GRADIENT} times the operations of the value (Griewank & Walther; about 5 times its time, with memory)."
    )
    if costs.is_bounded:
        words += f" Here: {costs.reverse.total:,} to {costs.forward.total:,}, {_ratio(costs.reverse, costs.forward)}."
    else:
        words += (
            f" Here it is {_ratio(costs.reverse, costs.forward)}: a power with a computed exponent counts as one "
            "operation, but its slopes take a power and a logarithm of their own."
        )
    if costs.forward.nonscalar:
        words += (
            " Baur and Strassen leave out sums and products with numbers, and prove "
            f"{NONSCALAR_GRADIENT} times for + - * /: here, with each function as one, {costs.reverse.nonscalar:,} to "
            f"{costs.forward.nonscalar:,}."
        )
    return words


def _modes(facts: GraphFacts) -> str:
    n = len(facts.parameters)
    forward, reverse = 1 + 1.5 * n, 1.5 + 2.5
    verdict = "forward mode is expected to win" if forward < reverse else "reverse mode is expected to win"
    if forward == reverse:
        verdict = "neither is expected to win"
    return (
        "Rule of thumb for m results and n parameters: forward mode takes up to 1 + 1.5n values, reverse mode up to "
        f"1.5 + 2.5m; forward wins while 1 + 1.5n < 1.5 + 2.5m. Here m = 1 and n = {n}: {forward:g} and {reverse:g}, "
        f"{verdict}. For one result it can win only with a single parameter."
    )


def _written_out(facts: GraphFacts, formulas: GraphFormulas) -> tuple[Part, ...]:
    output = facts.names[facts.graph.output]
    costs = facts.costs
    lines: list[Part] = []
    for name in facts.parameters:
        formula = formulas.alone[name]
        if len(formula.plain) <= _LONGEST_ALONE and ELLIPSIS not in formula.plain:
            lines.append(equation(symbol(Derivative(output, name)), formula))
    n_long = len(facts.parameters) - len(lines)
    if n_long:
        left_out = "All" if not lines else f"The other {n_long}"
        lines.append(Text(f"{left_out} are too long for a line; they are counted all the same."))
    counts = [f"{facts.costs.written_each[name].total:,} for d{output}/d{name}" for name in facts.parameters]
    total = " + ".join([f"{costs.written_value.total:,} for {output}", *_first(counts, 6)])
    lines.append(Text(f"Operations: {total} = {costs.written_out.total:,}."))
    if not costs.shared:
        return (*lines, Text("Nothing is written twice."))
    lines.append(Text("What these formulas compute again and again, the value included:"))
    lines.append(_shared_table(facts, formulas))
    n_left_out = len(costs.shared) - _MOST_SHARED
    if n_left_out > 0:
        lines.append(Text(f"And {n_left_out} more."))
    lines.append(
        Text(
            f"Each computed once, {costs.written_out.total:,} operations become {costs.reverse.total:,}: that is the "
            f"reverse mode, operation for operation.{_regrouped(facts)}"
        )
    )
    return tuple(lines)


def _shared_table(facts: GraphFacts, formulas: GraphFormulas) -> Table:
    return Table(
        ("subexpression", "written", "operations each"),
        tuple(
            (_shortened(formulas.shared[each.place]), f"{each.n_written:,} times", f"{each.n_operations:,}")
            for each in facts.costs.shared[:_MOST_SHARED]
        ),
        frozenset({1, 2}),
    )


def _regrouped(facts: GraphFacts) -> str:
    if facts.regrouped is None:
        return ""
    if facts.regrouped.total == facts.costs.reverse.total:
        return " sympy.cse finds no more."
    relation = "fewer" if facts.regrouped.total < facts.costs.reverse.total else "more"
    return (
        f" sympy.cse, which also regroups and cancels products, needs {facts.regrouped.total:,}: "
        f"{abs(facts.regrouped.total - facts.costs.reverse.total):,} {relation}."
    )


def _growth(facts: GraphFacts) -> tuple[Part, ...]:
    rows = tuple(
        (
            f"{each.n_parameters}",
            f"{each.forward:,}",
            f"{each.reverse:,}",
            f"{each.reverse / each.forward:.1f}",
            f"{each.vectorised:,}",
            f"{each.vectorised / each.forward:.1f}",
            f"{each.written_out:,}",
        )
        for each in facts.growth
    )
    columns = ("weights", "value", "reverse mode", "times", "forward mode", "times", "written out")
    return (
        Text(
            "The same counts for a chain of neurons, (wn sigmoid(... w2 sigmoid(w1 x))) - y)^2, the value and all "
            "derivatives. Reverse mode stays below 4 times the value; forward mode, in one pass for all parameters, "
            "grows with their number."
        ),
        Table(columns, rows, frozenset(range(7))),
    )


def cost_record(facts: GraphFacts) -> dict[str, Any]:
    """The counts as JSON holds them."""
    costs = facts.costs
    return {
        "forward": _record(costs.forward),
        "backward": _record(costs.backward),
        "reverse_mode": _record(costs.reverse),
        "forward_mode_each": {name: _record(sweep) for name, sweep in costs.sweeps.items()},
        "forward_mode_one_by_one": _record(costs.one_by_one),
        "forward_mode_shared_values": _record(costs.shared_values),
        "forward_mode_vectorised": _record(costs.vectorised),
        "written_out_value": _record(costs.written_value),
        "written_out_each": {name: _record(each) for name, each in costs.written_each.items()},
        "written_out": _record(costs.written_out),
        "sympy_cse": None if facts.regrouped is None else _record(facts.regrouped),
        "ratio": costs.ratio,
        "ratio_bound": CHEAP_GRADIENT if costs.is_bounded else None,
        "nonscalar_bound": NONSCALAR_GRADIENT,
    }


def _record(tally: Tally) -> dict[str, Any]:
    return {"total": tally.total, "nonscalar": tally.nonscalar, "by_kind": dict(tally.by_kind)}


def _ratio(tally: Tally, value: Tally) -> str:
    return f"{tally.total / value.total:,.1f}" if value.total else ""


def _operations(n: int) -> str:
    return f"{n:,} operation" + ("" if n == 1 else "s")


def _first(words: list[str], n: int) -> Iterable[str]:
    return words if len(words) <= n else [*words[:n], f"... for {len(words) - n} more"]


def _shortened(formula: Formula) -> Formula | str:
    return formula if len(formula.plain) <= 60 and ELLIPSIS not in formula.plain else formula.plain[:57] + ELLIPSIS
