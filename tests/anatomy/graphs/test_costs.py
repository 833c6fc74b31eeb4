"""Every count, against programs that are run on numbers that count, and against hand values."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings

from anatomy.random_expressions import Counting, calm, counting_functions, points, run_counting, texts
from heldout.anatomy.graphs.costs import CHEAP_GRADIENT, NONSCALAR_GRADIENT, costs_of, growth_of, tally
from heldout.anatomy.graphs.facts import explain_expression
from heldout.anatomy.graphs.gradients import forward_mode, reverse_mode
from heldout.anatomy.graphs.graph import Node
from heldout.anatomy.graphs.operations import OPERATIONS
from heldout.anatomy.graphs.parsing import parse_graph
from heldout.anatomy.graphs.programs import as_python
from heldout.anatomy.graphs.sharing import cost_regrouped, regrouped

BIG = "z1 = w1*x + b; h = tanh(z1); z2 = w2*h + b; p = sigmoid(z2); L = -(y*log(p) + (1 - y)*log(1 - p)) + w1**2"


def _executed(nodes: Sequence[Node], outputs: Sequence[int], point: dict[str, float]) -> dict[str, int]:
    return run_counting(as_python(nodes, {str(number): place for number, place in enumerate(outputs)}), point)[1]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(texts(), points())
def test_counts_are_those_of_the_programs_that_are_run(text: str, point: dict[str, float]) -> None:
    graph, here = calm(text, point)
    parameters = list(graph.inputs)
    backwards = reverse_mode(graph, parameters)
    costs = costs_of(graph, parameters, backwards)
    assert costs.forward.by_kind == _executed(graph.nodes, [graph.output], here)
    assert costs.reverse.by_kind == _executed(backwards.nodes, backwards.outputs, here)
    together = forward_mode(graph, parameters)
    assert costs.vectorised.by_kind == _executed(together.nodes, together.outputs, here)
    for name in parameters:
        sweep = forward_mode(graph, [name])
        assert costs.sweeps[name].by_kind == _executed(sweep.nodes, sweep.outputs, here)


def _by_recursion(nodes: Sequence[Node], place: int, point: dict[str, float], done: Counter[str]) -> float:
    """The value of a formula that shares nothing: every operand is computed again wherever it is written."""
    node = nodes[place]
    if node.operation == "input":
        return point[node.name]
    if node.operation == "number":
        return float(node.number)
    operands = [_by_recursion(nodes, operand, point, done) for operand in node.operands]
    done[OPERATIONS[node.operation].kind] += 1
    return float(OPERATIONS[node.operation].value(*operands))


@settings(max_examples=40, deadline=None, derandomize=True)
@given(texts(max_leaves=6), points())
def test_written_out_formulas_cost_what_computing_them_without_sharing_takes(
    text: str, point: dict[str, float]
) -> None:
    graph, here = calm(text, point)
    parameters = list(graph.inputs)
    backwards = reverse_mode(graph, parameters)
    costs = costs_of(graph, parameters, backwards)
    for name in parameters:
        done: Counter[str] = Counter()
        _by_recursion(backwards.nodes, backwards.gradients[name], here, done)
        assert costs.written_each[name].by_kind == dict(done)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(texts(functions=(), max_leaves=6), points())
def test_the_value_counts_as_the_text_itself_does_where_nothing_is_shared(text: str, point: dict[str, float]) -> None:
    """The text is run by Python on numbers that count; what it repeats is counted as often as it is written."""
    graph, here = calm(text, point)
    done: Counter[str] = Counter()
    space = {**counting_functions(done), **{name: Counting(value, done) for name, value in here.items()}}
    # Numbers count as well: (2 + 3) is an addition.
    numbers = {number: f"number({number})" for number in ("0.5", "2", "3")}
    wrapped = text.replace("**2", "**TWO")
    for number, call in numbers.items():
        wrapped = wrapped.replace(f"({number})", f"({call})").replace(f"({number} ", f"({call} ")
        wrapped = wrapped.replace(f" {number})", f" {call})").replace(f"(-{number})", f"(number(-{number}))")
    eval(wrapped, {**space, "number": lambda value: Counting(value, done), "TWO": 2})
    costs = costs_of(graph, list(graph.inputs), reverse_mode(graph, list(graph.inputs)))
    assert costs.written_value.by_kind == dict(done)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(texts(functions=("exp",), max_leaves=14))
def test_a_gradient_is_cheap(text: str) -> None:
    graph = parse_graph(text)
    parameters = list(graph.inputs)
    costs = costs_of(graph, parameters, reverse_mode(graph, parameters))
    assert costs.is_bounded
    assert costs.reverse.total <= CHEAP_GRADIENT * costs.forward.total
    assert costs.reverse.nonscalar <= NONSCALAR_GRADIENT * costs.forward.nonscalar


@settings(max_examples=60, deadline=None, derandomize=True)
@given(texts(max_leaves=14))
def test_a_gradient_is_cheap_with_every_function(text: str) -> None:
    graph = parse_graph(text)
    for parameters in (list(graph.inputs), list(graph.inputs)[:1]):
        costs = costs_of(graph, parameters, reverse_mode(graph, parameters))
        assert costs.reverse.total <= CHEAP_GRADIENT * costs.forward.total
        assert costs.reverse.nonscalar <= NONSCALAR_GRADIENT * costs.forward.nonscalar


def test_the_bound_is_reached_by_a_tower_of_quotients() -> None:
    costs = explain_expression("x/(x/(x/(x/(x/(x/(x/y))))))", at="x=1.5,y=2").costs
    assert costs.reverse.total == CHEAP_GRADIENT * costs.forward.total == 28
    assert costs.reverse.nonscalar == NONSCALAR_GRADIENT * costs.forward.nonscalar == 21


def test_the_write_up_s_graph_costs_what_one_counts_by_hand() -> None:
    costs = explain_expression("(w2*sigmoid(w1*x) - y)**2").costs
    # z = w1 x, phi = w2 u, the square; u; phi - y.
    assert costs.forward.by_kind == {"subtractions": 1, "multiplications": 3, "sigmoid": 1}
    # 2 r, r' u, r' w2, u (1 - u), times it, times x; 1 - u.
    assert costs.backward.by_kind == {"subtractions": 1, "multiplications": 6}
    assert costs.reverse.total == 12
    # Along w1: (1 - u), u(1 - u), that times x, times w2, 2 r, times it. Along w2: 2 r, times u.
    assert {name: sweep.total for name, sweep in costs.sweeps.items()} == {"w1": 11, "w2": 7}
    assert costs.one_by_one.total == 18
    assert costs.shared_values.total == 13
    assert costs.vectorised.total == 12
    # 2 (w2 s(w1 x) - y) w2 s(w1 x) (1 - s(w1 x)) x: five products between the six factors, one in phi, three inside s.
    assert costs.written_each["w1"].by_kind == {"subtractions": 2, "multiplications": 9, "sigmoid": 3}
    assert costs.written_each["w2"].by_kind == {"subtractions": 1, "multiplications": 5, "sigmoid": 2}
    assert costs.written_out.total == 5 + 14 + 8
    assert costs.ratio == 2.4


def test_shared_subexpressions_are_counted_as_often_as_they_are_written() -> None:
    facts = explain_expression("(w2*sigmoid(w1*x) - y)**2")
    told = {facts.names.get(each.place, "2r"): (each.n_written, each.n_operations) for each in facts.costs.shared}
    # s(w1 x) stands three times in dL/dw1, twice in dL/dw2, once in L.
    assert told == {"z": (6, 1), "u": (6, 2), "phi": (3, 3), "v1": (3, 4), "2r": (2, 5)}


def test_a_power_with_a_computed_exponent_is_outside_of_the_bound() -> None:
    costs = explain_expression("a**b", at="a=2,b=3").costs
    assert not costs.is_bounded
    assert costs.reverse.by_kind == {"subtractions": 1, "multiplications": 2, "powers": 2, "log": 1}
    assert explain_expression("a**2.5", at="a=2").costs.is_bounded


def test_nothing_to_compute_has_no_ratio() -> None:
    costs = explain_expression("x", at="x=1").costs
    assert costs.forward.total == costs.reverse.total == 0
    assert costs.ratio != costs.ratio


def test_numbers_and_signs_are_free_until_a_derivative_is_negative() -> None:
    assert explain_expression("a - b", at="a=1,b=2").costs.backward.total == 0
    assert explain_expression("exp(-x)", at="x=1").costs.backward.by_kind == {"sign changes": 1}
    assert explain_expression("3*x + 2", at="x=1").costs.backward.total == 0


def test_products_with_numbers_are_scalar() -> None:
    costs = explain_expression("2*x*y + x/4 + 3", at="x=1,y=1").costs
    assert costs.forward.nonscalar == 1
    assert explain_expression("2/x", at="x=1").costs.forward.nonscalar == 1
    assert explain_expression("x**2", at="x=1").costs.forward.nonscalar == 1


def test_a_chain_of_neurons_grows_as_the_bounds_say() -> None:
    for n in (1, 2, 4, 8, 16):
        growth = growth_of(n)
        assert growth.forward == 2 * n + 1
        assert growth.reverse == 7 * n - 2
        assert growth.vectorised == n * n + 4 * n
        assert growth.reverse <= CHEAP_GRADIENT * growth.forward
    assert growth_of(2).written_out == 27


@settings(max_examples=25, deadline=None, derandomize=True)
@given(texts(max_leaves=6), points())
def test_what_sympy_shares_gives_the_same_numbers_at_the_cost_that_is_told(text: str, point: dict[str, float]) -> None:
    graph, here = calm(text, point)
    backwards = reverse_mode(graph, list(graph.inputs))
    found = regrouped(backwards)
    cost = cost_regrouped(backwards)
    assert found is not None
    assert cost is not None
    nodes, outputs = found
    source = as_python(nodes, {str(number): place for number, place in enumerate(outputs)})
    wanted, _ = run_counting(as_python(backwards.nodes, {str(n): p for n, p in enumerate(backwards.outputs)}), here)
    # Inputs that cancel are not asked for.
    used = {node.name: here[node.name] for node in nodes if node.operation == "input"}
    results, done = run_counting(source, used)
    assert results == pytest.approx(wanted, rel=1e-6, abs=1e-6)
    assert cost.by_kind == done


def test_sympy_needs_one_operation_less_for_the_write_up_s_graph() -> None:
    facts = explain_expression("(w2*sigmoid(w1*x) - y)**2")
    assert facts.regrouped is not None
    assert facts.regrouped.total == 11


def test_a_power_of_two_numbers_is_not_computed_to_its_last_digit() -> None:
    facts = explain_expression("0.999**1000000000*x", at="x=1")
    assert facts.regrouped is not None
    assert facts.regrouped.by_kind == {"multiplications": 1, "powers": 1}


def test_long_formulas_are_left_to_the_other_counts() -> None:
    graph = parse_graph(" + ".join(f"a{number}*x" for number in range(150)))
    assert cost_regrouped(reverse_mode(graph, list(graph.inputs)[:1])) is None
    assert tally(graph.nodes, [graph.output]).total == 299


def test_a_tally_is_of_what_the_outputs_need() -> None:
    graph = parse_graph(BIG)
    whole = tally(graph.nodes, [graph.output])
    assert whole.total == len(graph.operations)
    z1 = next(place for place, name in graph.names.items() if name == "z1")
    assert tally(graph.nodes, [z1]).by_kind == {"additions": 1, "multiplications": 1}
    assert whole.without(tally(graph.nodes, [z1])).total == whole.total - 2
