"""What is chosen for the reader, and what is made of what the reader says."""

import math

import pytest

from heldout.anatomy.graphs.choices import kinks_at, named_in_formulas, names_of, parameters_of, point_of
from heldout.anatomy.graphs.graph import values_of
from heldout.anatomy.graphs.parsing import parse_graph
from heldout.errors import UsageError

WRITE_UP = "(w2*sigmoid(w1*x) - y)**2"


def _names(text: str, wrt: str | None = None) -> dict[str, str]:
    graph = parse_graph(text)
    names = names_of(graph, parameters_of(graph, wrt))
    return {names[place]: graph.nodes[place].operation for place in graph.operations}


@pytest.mark.parametrize(
    ("text", "parameters"),
    [
        (WRITE_UP, ("w1", "w2")),
        ("w10*x + w2*x + b", ("w2", "w10", "b")),
        ("W*x + bias", ("W", "bias")),
        ("theta*x + b_1", ("theta", "b_1")),
        ("a*b + b*c", ("a", "b", "c")),
        ("x*y", ("x", "y")),
        ("weight_2*wide", ("weight_2",)),
    ],
)
def test_weights_and_biases_are_parameters_or_else_everything(text: str, parameters: tuple[str, ...]) -> None:
    assert parameters_of(parse_graph(text)) == parameters


def test_parameters_are_those_that_are_named() -> None:
    graph = parse_graph(WRITE_UP)
    assert parameters_of(graph, "x, w1") == ("x", "w1")
    assert parameters_of(graph, ["y"]) == ("y",)
    with pytest.raises(UsageError, match=r'--wrt names \'w3\', which is no input of the expression; did you mean "w'):
        parameters_of(graph, "w3")
    with pytest.raises(UsageError, match="--wrt is 'x,x'"):
        parameters_of(graph, "x,x")
    with pytest.raises(UsageError, match="--wrt names ''"):
        parameters_of(graph, "")


def test_a_point_is_read() -> None:
    graph = parse_graph(WRITE_UP)
    point = point_of(graph, "y=1, w1 = -.5,x=2e0,w2=+3")
    assert point == {"w1": -0.5, "w2": 3.0, "x": 2.0, "y": 1.0}
    assert list(point) == ["w1", "w2", "x", "y"]
    assert point_of(graph, dict(point)) == point


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("w1=1", "--at has no value for w2, x, y"),
        ("w1=1,w2=1,x=1,y=nan", "--at gives y the value 'nan'"),
        ("w1=1,w2=1,x=1,y=-inf", "--at gives y the value '-inf'"),
        ("w1=1,w2=1,x=1,y=one", "--at gives y the value 'one'"),
        ("w1=1,w2=1,x=1,y=1e999", "--at gives y the value '1e999'"),
        ("w1=1,w2=1,x=1,y=1,q=2", "--at names 'q', which is no input"),
        ("w1=1,w1=2", "--at gives w1 twice"),
        ("w1", "--at is 'w1'"),
        ("=1", "--at is '=1'"),
        ("w1=", "--at is 'w1='"),
        ("", "--at is ''"),
        ("w1=1,,", "--at is 'w1=1,,'"),
        ({"w1": 1, "w2": 1, "x": 1, "y": None}, "--at gives y the value None"),
        ({"w1": 1, "w2": 1, "x": 1, "y": True}, "--at gives y the value True"),
        ({"w1": 1, "w2": 1, "x": 1, "y": 10**400}, "--at gives y the value 1000"),
        ({"w1": 1, "w2": 1, "x": 1, "y": math.inf}, "--at gives y the value inf"),
    ],
)
def test_a_point_that_cannot_be_meant_is_told(given: str | dict[str, float], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        point_of(parse_graph(WRITE_UP), given)


@pytest.mark.parametrize("text", ["log(x - 2)", "sqrt(-x)", "log(1 - 5*x)", "relu(x - 0.5)", "1/(x - 0.5)", WRITE_UP])
def test_a_point_is_chosen_where_the_formula_is_defined_and_smooth(text: str) -> None:
    graph = parse_graph(text)
    values = values_of(graph.nodes, point_of(graph))
    assert not kinks_at(graph, values)


def test_the_write_up_s_results_have_its_names() -> None:
    assert _names(WRITE_UP) == {"z": "multiply", "u": "sigmoid", "phi": "multiply", "v1": "subtract", "L": "square"}
    assert _names("(y - w2*sigmoid(w1*x))**2")["phi"] == "multiply"


def test_several_activations_are_numbered() -> None:
    names = _names("(w2*sigmoid(w1*x) + w4*tanh(w3*x) - y)**2")
    assert {"z1", "z2", "u1", "u2", "phi"} <= names.keys()


def test_a_name_of_the_reader_is_never_given_again() -> None:
    assert _names("(w2*sigmoid(w1*z) - y)**2").keys() == {"z1", "u", "phi", "v1", "L"}
    assert _names("L*x + v1").keys() == {"v2", "f"}
    assert _names("phi = w*x; u = phi**2; u + sigmoid(phi)*w").keys() == {"phi", "u", "u1", "v1", "L"}
    assert _names("L = f*x; L").keys() == {"L"}


def test_what_is_used_once_is_written_out_in_formulas() -> None:
    graph = parse_graph(WRITE_UP)
    names = names_of(graph, ("w1", "w2"))
    assert set(names_of(graph, ("w1", "w2")).values()) - set(named_in_formulas(graph, names).values()) == {"v1"}
    shared = parse_graph("exp(a*b) + a*b")
    names = names_of(shared, ("a",))
    assert "v1" in named_in_formulas(shared, names).values()
