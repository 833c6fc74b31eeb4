"""A graph as a function that can be read and run."""

import math

from anatomy.random_expressions import compiled, run_counting
from heldout.anatomy.graphs.facts import explain_expression
from heldout.anatomy.graphs.gradients import reverse_mode
from heldout.anatomy.graphs.parsing import parse_graph
from heldout.anatomy.graphs.programs import as_python


def test_the_program_of_the_reverse_mode_can_be_read() -> None:
    graph = parse_graph("(w2*sigmoid(w1*x) - y)**2")
    backwards = reverse_mode(graph, ["w1", "w2"])
    source = as_python(backwards.nodes, {"L": graph.output, **backwards.gradients}, arguments=["w1", "w2"])
    assert source == (
        "def function(w1, w2, x, y):\n"
        "    t1 = w1 * x\n"
        "    t2 = sigmoid(t1)\n"
        "    t3 = w2 * t2\n"
        "    t4 = t3 - y\n"
        "    t5 = t4 * t4\n"
        "    t6 = 2 * t4\n"
        "    t7 = t6 * t2\n"
        "    t8 = t6 * w2\n"
        "    t9 = 1 - t2\n"
        "    t10 = t2 * t9\n"
        "    t11 = t8 * t10\n"
        "    t12 = t11 * x\n"
        "    return t5, t12, t7"
    )


def test_names_of_inputs_are_never_given_to_results() -> None:
    graph = parse_graph("t1*t2 + t_1")
    function = compiled(as_python(graph.nodes, {"L": graph.output}), {})
    assert function(t1=2, t2=3, t_1=4) == 10


def test_only_what_the_results_need_is_computed() -> None:
    graph = parse_graph("z = a*b; exp(z)")
    source = as_python(graph.nodes, {"z": next(iter(graph.names))})
    assert "exp" not in source
    assert run_counting(source, {"a": 2.0, "b": 3.0}) == ([6.0], {"multiplications": 1})


def test_negative_numbers_keep_their_brackets() -> None:
    facts = explain_expression("x**-2 - -3", at="x=2")
    source = as_python(facts.graph.nodes, {"L": facts.graph.output})
    assert math.isclose(compiled(source, {})(x=2.0), 3.25)
