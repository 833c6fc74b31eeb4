"""Formulas: the write-up's own, in its order; and random ones, read back by sympy and by matplotlib."""

import pytest
import sympy
from hypothesis import given, settings
from matplotlib.mathtext import MathTextParser
from sympy.parsing.sympy_parser import convert_xor, implicit_multiplication, parse_expr, standard_transformations

from anatomy.random_expressions import calm, points, texts
from heldout.anatomy.graphs.choices import named_in_formulas, names_of
from heldout.anatomy.graphs.formulas import ELLIPSIS, Derivative, write
from heldout.anatomy.graphs.gradients import reverse_mode
from heldout.anatomy.graphs.graph import values_of
from heldout.anatomy.graphs.notation import DRAWN, LATEX, PLAIN, Notation, short
from heldout.anatomy.graphs.parsing import parse_graph
from heldout.anatomy.graphs.products import written

WRITE_UP = "(w2*sigmoid(w1*x) - y)**2"
_MATHTEXT = MathTextParser("path")


def _gradients(text: str, notation: Notation = PLAIN, *, alone: bool = False) -> dict[str, str]:
    graph = parse_graph(text)
    backwards = reverse_mode(graph, list(graph.inputs))
    names = {} if alone else named_in_formulas(graph, names_of(graph, list(graph.inputs)))
    own = write(backwards.nodes, names, notation).own
    return {name: written(own[place], notation) for name, place in backwards.gradients.items()}


def _formula(text: str, notation: Notation = PLAIN) -> str:
    graph = parse_graph(text)
    return written(write(graph.nodes, {}, notation).own[graph.output], notation)


def test_the_write_up_s_derivatives_are_written_just_so() -> None:
    graph = parse_graph(WRITE_UP)
    names = named_in_formulas(graph, names_of(graph, ("w1", "w2")))
    backwards = reverse_mode(graph, ["w1", "w2"])
    told = {
        notation: [
            written(write(backwards.nodes, names, notation).own[place], notation)
            for place in backwards.gradients.values()
        ]
        for notation in (PLAIN, LATEX, DRAWN)
    }
    assert told[PLAIN] == ["2(phi - y) w2 u(1 - u) x", "2(phi - y) u"]
    assert told[LATEX] == [r"2(\phi - y) \, w_{2} \, u(1 - u) \, x", r"2(\phi - y) \, u"]
    assert told[DRAWN] == ["2(φ - y) w₂ u(1 - u) x", "2(φ - y) u"]


def test_the_write_up_s_derivatives_by_the_inputs_alone() -> None:
    assert _gradients(WRITE_UP, alone=True)["w1"] == ("2(w2 sigmoid(w1 x) - y) w2 sigmoid(w1 x)(1 - sigmoid(w1 x)) x")


@pytest.mark.parametrize(
    ("text", "plain", "latex"),
    [
        ("a - (b - c)", "a - (b - c)", "a - (b - c)"),
        ("a - (b + c)*2", "a - 2(b + c)", "a - 2(b + c)"),
        ("-(a + b)", "-(a + b)", "-(a + b)"),
        ("-(a + b)*c", "-(a + b) c", r"-(a + b) \, c"),
        ("a + -b", "a - b", "a - b"),
        ("a - -b", "a + b", "a + b"),
        ("a*b/c", "a b/c", r"\frac{a \, b}{c}"),
        ("a/(b*c)", "a/(b c)", r"\frac{a}{b \, c}"),
        ("a/b/c", "a/(b c)", r"\frac{a}{b \, c}"),
        ("a/(b/c)", "a c/b", r"\frac{a \, c}{b}"),
        ("(a + b)/(c + 1)", "(a + b)/(c + 1)", r"\frac{a + b}{c + 1}"),
        ("1/x", "1/x", r"\frac{1}{x}"),
        ("x/-2", "-x/2", r"-\frac{x}{2}"),
        ("6*x/4", "3 x/2", r"\frac{3 \, x}{2}"),
        ("x*x*x", "x^3", "x^{3}"),
        ("(a + b)**2", "(a + b)^2", "(a + b)^{2}"),
        ("(a*b)**2", "(a b)^2", r"(a \, b)^{2}"),
        ("(-a)**2", "(-a)^2", "(-a)^{2}"),
        ("-a**2", "-a^2", "-a^{2}"),
        ("(a**2)**2", "a^4", "a^{4}"),
        ("a**-1", "a^(-1)", "a^{-1}"),
        ("a**(b + 1)", "a^(b + 1)", "a^{b + 1}"),
        ("(a**b)**2", "(a^b)^2", "(a^{b})^{2}"),
        ("(a + b)**c", "(a + b)^c", "(a + b)^{c}"),
        ("3*2**x", "3 * 2^x", r"3 \cdot 2^{x}"),
        ("2*3*x", "6 x", r"6 \, x"),
        ("0.1*x", "0.1 x", r"0.1 \, x"),
        ("1e-7*x", "1e-07 x", r"1 \cdot 10^{-7} \, x"),
        ("sqrt(a)/exp(b)", "sqrt(a)/exp(b)", r"\frac{\sqrt{a}}{\exp(b)}"),
        ("abs(a)*relu(b)", "abs(a) relu(b)", r"\left|a\right| \, \mathrm{relu}(b)"),
        ("exp(a/b)", "exp(a/b)", r"\exp\left(\frac{a}{b}\right)"),
        (
            "x_in*w_1_2*theta*alpha3",
            "x_in w_1_2 theta alpha3",
            r"x_{\mathrm{in}} \, w_{\mathrm{1,2}} \, \theta \, \alpha_{3}",
        ),
        ("lam*loss", "lam loss", r"\lambda \, \mathrm{loss}"),
    ],
)
def test_a_formula_is_written_as_one_writes_it(text: str, plain: str, latex: str) -> None:
    assert _formula(text) == plain
    assert _formula(text, LATEX) == latex
    _MATHTEXT.parse(f"${_formula(text, LATEX)}$")


def test_a_drawing_has_its_own_signs() -> None:
    assert _formula("sigmoid(w1*x_in)**2 + sqrt(abs(phi)) + lam**3 + x**4", DRAWN) == (
        "σ(w₁ x_in)² + √(|φ|) + λ³ + x^4"
    )
    assert DRAWN.derivative("L", "w12") == "∂L/∂w₁₂"
    assert LATEX.derivative("L", "phi") == r"\frac{\partial L}{\partial \phi}"
    assert LATEX.name("φ2") == r"\phi_{2}"
    assert short(0.1) == "0.1"


def test_a_long_derivative_is_told_by_those_that_it_is_made_of() -> None:
    graph = parse_graph("z = w*x; h = sigmoid(z); L = (h - y)**2")
    names = named_in_formulas(graph, names_of(graph, ("w",)))
    backwards = reverse_mode(graph, ["w"])
    by_name = {name: place for place, name in names.items()}
    long = {backwards.along[by_name["z"]].place: Derivative("L", "z")}
    own = write(backwards.nodes, names, PLAIN, when_long=long, longest=10).own
    assert written(own[backwards.gradients["w"]], PLAIN) == "dL/dz x"


def test_a_formula_that_doubles_at_every_step_ends() -> None:
    text = "v0 = x + y; " + "; ".join(f"v{n + 1} = v{n}*(v{n} + {n + 2})" for n in range(40)) + "; v40"
    assert ELLIPSIS in _formula(text)
    assert len(_formula(text)) < 2000


def _read_back(text: str, names: list[str]) -> sympy.Expr:
    transformations = (*standard_transformations, implicit_multiplication, convert_xor)
    known = {name: sympy.Symbol(name) for name in names}
    functions = {
        "sigmoid": lambda z: 1 / (1 + sympy.exp(-z)),
        "softplus": lambda z: sympy.log(1 + sympy.exp(z)),
        "relu": lambda z: sympy.Max(z, 0),
        "abs": sympy.Abs,
        "step": sympy.Heaviside,
        "sign": sympy.sign,
    }
    return parse_expr(text, local_dict={**functions, **known}, transformations=transformations, evaluate=False)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(texts(max_leaves=6), points())
def test_a_written_derivative_means_what_is_computed(text: str, point: dict[str, float]) -> None:
    graph, here = calm(text, point)
    names = list(graph.inputs)
    backwards = reverse_mode(graph, names)
    values = values_of(backwards.nodes, here)
    own = write(backwards.nodes, {}, PLAIN).own
    for place in (graph.output, *backwards.gradients.values()):
        formula = written(own[place], PLAIN)
        if ELLIPSIS in formula:
            continue
        computed = complex(
            _read_back(formula, names).evalf(20, subs={sympy.Symbol(name): here[name] for name in names})
        )
        assert computed.real == pytest.approx(values[place], rel=1e-4, abs=1e-4)  # numbers have six digits


@settings(max_examples=15, deadline=None, derandomize=True)
@given(texts(max_leaves=8))
def test_every_latex_formula_is_balanced_and_can_be_read(text: str) -> None:
    graph = parse_graph(text)
    backwards = reverse_mode(graph, list(graph.inputs))
    names = names_of(graph, list(graph.inputs))
    for used in ({}, names):
        for product in write(backwards.nodes, used, LATEX).own[-3:]:
            formula = written(product, LATEX)
            assert formula.count("{") == formula.count("}")
            assert formula.count("(") == formula.count(")")
            if ELLIPSIS not in formula and len(formula) < 300:
                _MATHTEXT.parse(f"${formula}$")
