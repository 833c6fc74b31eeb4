"""What is a formula, and what a reader is told when a text is none."""

import subprocess
import sys

import pytest

from heldout.anatomy.graphs.graph import values_of
from heldout.anatomy.graphs.parsing import MAX_CHARACTERS, MAX_OPERATIONS, parse_graph
from heldout.errors import UsageError


def _value(text: str, **point: float) -> float:
    graph = parse_graph(text)
    return values_of(graph.nodes, point)[graph.output]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("x + 2*y", 8.0),
        ("x - y - 1", -2.0),
        ("x - (y - 1)", 0.0),
        ("-x**2", -4.0),
        ("2**x**y", 256.0),
        ("x/y/2", 1 / 3),
        ("+x", 2.0),
        ("x^2 + 1", 5.0),
        ("x² + y³", 31.0),
        ("x×y − 1", 5.0),
        ("abs(-x)", 2.0),
        ("ln(x) - log(x)", 0.0),
        ("σ(0*x)", 0.5),
        ("a = x*y; b = a + 1; a*b", 42.0),
        ("a = x*y\n  b = a + 1\n  a*b", 42.0),
        ("z = x; z*z", 4.0),
        ("L = x*1e0", 2.0),
    ],
)
def test_a_text_is_read_as_it_is_meant(text: str, value: float) -> None:
    assert _value(text, **{name: {"x": 2.0, "y": 3.0}[name] for name in parse_graph(text).inputs}) == pytest.approx(
        value
    )


def test_a_common_subexpression_is_one_node() -> None:
    graph = parse_graph("exp(a*b) + a*b + b*a")
    assert [node.operation for node in graph.nodes] == ["input", "input", "multiply", "exp", "add", "add"]


def test_a_number_is_one_node_however_it_is_written() -> None:
    assert sum(node.operation == "number" for node in parse_graph("2*x + 2.0*y").nodes) == 1


def test_a_difference_and_a_quotient_have_an_order() -> None:
    assert len(parse_graph("(a - b)*(b - a)").operations) == 3
    assert len(parse_graph("(a/b)*(b/a)").operations) == 3


def test_the_names_of_the_text_are_kept() -> None:
    graph = parse_graph("z = w1*x; u = sigmoid(z); phi = w2*u; L = (phi - y)**2")
    assert list(graph.names.values()) == ["z", "u", "phi", "L"]
    assert graph.inputs.keys() == {"w1", "x", "w2", "y"}


def test_reading_a_hat_as_a_power_is_said() -> None:
    assert parse_graph("x^2").remarks == ("^ is read as a power.",)
    assert parse_graph("x**2").remarks == ()


_BAD = {
    "": "the expression is ''",
    "   ": "the expression is",
    ";": "cannot be read",
    "a +": "cannot be read here",
    "(a + b": "is not closed",
    "a b": "write a\\*b: a product needs its \\*",
    "2x": "write 2\\*x: a product needs its \\*",
    "sin(x)cos(x)": "a product needs its \\*",
    "lambda*x": "lambda is a word of Python's own",
    "sigmod(x)": "there is no function 'sigmod'; did you mean \"sigmoid\"",
    "w(a + b)": "for a product write w\\*",
    "exp*2": "exp is a function and needs a value in brackets",
    "exp + x": "exp is a function",
    "__import__('os')": "there is no function '__import__'",
    "__import__('os').system('x')": "only a function can be called",
    "__builtins__ + x": "cannot be a name here",
    "(lambda: x)()": "only a function can be called",
    "x.y": "an attribute is not understood",
    "x[0]": "an index is not understood",
    "[x for x in y]": "this is not understood",
    "x if y else z": "a condition is not understood",
    "x == 1": "a comparison is not understood",
    "x and y": "a logical operation is not understood",
    "x // 2": "the operation FloorDiv is not known",
    "x % 2": "the operation Mod is not known",
    "x @ y": "the operation MatMult is not known",
    "~x": "this is not understood",
    "not x": "this is not understood",
    "'text'*x": "a text is not understood",
    "True*x": "a truth value is not understood",
    "2j*x": "a complex number is not understood",
    "(x, y)": "a list is not understood",
    "f'{x}'": "a text is not understood",
    "(y := x)": "a name given inside an expression is not understood",
    "import os": "this is no formula",
    "del x": "this is no formula",
    "x; y": "a step before the last one has no name",
    "a, b = x, y": "is not understood",
    "x.a = 2": "only a name can be given to a step",
    "a = x; a = y; a": "a is given twice",
    "b = a*x; a = 2; a*b": "a is used before it is given",
    "w = w*x": "w is used before it is given",
    "exp = x; exp": "exp is a function",
    "pi = x; 2*x": "pi is a number",
    "a = x*y; x + 1": "a is given but the result does not need it",
    "9**9**9": "there is no variable",
    "1 + 2": "there is no variable",
    "1e999*x": "too large for a double",
    "exp(x, y)": "exp is given 2 values",
    "exp()": "exp is given 0 values",
    "exp(*x)": "exp is given 1 values",
    "exp(z=x)": "exp is given 1 values",
    "x" * 31: "cannot be a name here",
    "x\0y": "cannot be read",
    "x = ": "cannot be read here",
    "(" * 300 + "x" + ")" * 300: "cannot be read",
    "-" * 3000 + "x": "cannot be read|has 3,000 operations",
    "+".join(["x"] * (MAX_OPERATIONS + 2)): "has 301 operations",
    "x" + " " * MAX_CHARACTERS: "has 4,001 characters",
    "x+" * 5000 + "x": "has 10,001 characters",
}


@pytest.mark.parametrize("text", _BAD, ids=lambda text: text[:20])
def test_what_is_no_formula_is_told(text: str) -> None:
    with pytest.raises(UsageError, match=_BAD[text]):
        parse_graph(text)


def test_a_number_of_ten_thousand_digits_is_told() -> None:
    with pytest.raises(UsageError, match=r"cannot be read|too large"):
        parse_graph("9" * 3999)


def test_an_error_points_at_the_place() -> None:
    with pytest.raises(UsageError, match="attribute") as caught:
        parse_graph("φ*2 + abs(a.b)")
    lines = caught.value.what.splitlines()
    assert lines[1].strip() == "φ*2 + abs(a.b)"
    assert lines[1][lines[2].index("^")] == "a"
    with pytest.raises(UsageError, match="cannot be read") as caught:
        parse_graph("x + * y")
    lines = caught.value.what.splitlines()
    assert lines[1][lines[2].index("^")] == "*"


def test_a_long_line_is_cut_around_the_place() -> None:
    with pytest.raises(UsageError, match="attribute") as caught:
        parse_graph("x + " * 200 + "a.b + " + "x + " * 50 + "x")
    lines = caught.value.what.splitlines()
    assert max(map(len, lines)) < 120
    assert lines[1][lines[2].index("^")] == "a"


def test_a_sum_of_many_terms_needs_no_deep_recursion() -> None:
    text = "+".join(["x"] * MAX_OPERATIONS)
    program = (
        "import sys; from heldout.anatomy.graphs.parsing import parse_graph; sys.setrecursionlimit(150);"
        f"print(len(parse_graph({text!r}).nodes))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "300\n"
