"""Derivatives of random formulas: against torch's two modes, finite differences and sympy."""

import math
import warnings
from itertools import pairwise

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given, settings

from anatomy.random_expressions import calm, points, run_torch, texts
from heldout.anatomy.graphs.facts import explain_expression, value_of
from heldout.anatomy.graphs.gradients import forward_mode, reverse_mode
from heldout.anatomy.graphs.graph import values_of
from heldout.anatomy.graphs.operations import OPERATIONS
from heldout.anatomy.graphs.parsing import parse_graph
from heldout.anatomy.graphs.programs import as_python


def _check_against_torch(text: str, point: dict[str, float]) -> None:
    graph, here = calm(text, point)
    parameters = list(graph.inputs)
    source = as_python(graph.nodes, {"value": graph.output})
    tensors = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in here.items()}
    value = run_torch(source, tensors)
    expected = torch.autograd.grad(value, [tensors[name] for name in parameters], allow_unused=True)

    backwards = reverse_mode(graph, parameters)
    values = values_of(backwards.nodes, here)
    forwards = forward_mode(graph, parameters)
    forward_values = values_of(forwards.nodes, here)
    assert values[graph.output] == pytest.approx(value.item(), rel=1e-12)
    for name, wanted in zip(parameters, expected, strict=True):
        gradient = 0.0 if wanted is None else wanted.item()
        assert values[backwards.gradients[name]] == pytest.approx(gradient, rel=1e-9, abs=1e-9)
        assert forward_values[forwards.gradients[name]] == pytest.approx(gradient, rel=1e-9, abs=1e-9)
        sweep = forward_mode(graph, [name])
        assert values_of(sweep.nodes, here)[sweep.gradients[name]] == pytest.approx(gradient, rel=1e-9, abs=1e-9)
        assert _along(source, here, name) == pytest.approx(gradient, rel=1e-9, abs=1e-9)


def _along(source: str, here: dict[str, float], name: str) -> float:
    """Torch's own forward mode, along one input."""
    names = list(here)
    primals = tuple(torch.tensor(here[each], dtype=torch.float64) for each in names)
    tangents = tuple(torch.tensor(float(each == name), dtype=torch.float64) for each in names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch's own, about its own torch.jit.script
        along = torch.func.jvp(
            lambda *tensors: run_torch(source, dict(zip(names, tensors, strict=True))), primals, tangents
        )[1]
    assert isinstance(along, torch.Tensor)
    return along.item()


@settings(max_examples=25, deadline=None, derandomize=True)
@given(texts(has_powers=True), points())
def test_derivatives_agree_with_both_modes_of_torch(text: str, point: dict[str, float]) -> None:
    _check_against_torch(text, point)


@pytest.mark.slow
@settings(max_examples=3000, deadline=None)
@given(texts(max_leaves=25, has_powers=True), points())
def test_derivatives_of_many_formulas_agree_with_torch(text: str, point: dict[str, float]) -> None:
    _check_against_torch(text, point)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(texts(functions=("exp", "sigmoid", "tanh", "sin", "softplus"), signs=("+", "-", "*")), points())
def test_derivatives_agree_with_finite_differences(text: str, point: dict[str, float]) -> None:
    graph, here = calm(text, point)
    facts = explain_expression(text, at=here, wrt=list(graph.inputs))
    for name, derivative in facts.gradient.items():
        # Rounding of a value of at most 50 over a step of 6e-6, and curvature times its square.
        assert facts.central[name] == pytest.approx(derivative, rel=1e-4, abs=1e-4)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(texts(functions=("exp", "log", "sin", "cos", "sqrt", "tan", "tanh"), max_leaves=7), points())
def test_every_adjoint_agrees_with_the_algebra_of_sympy(text: str, point: dict[str, float]) -> None:
    graph, here = calm(text, point)
    names = list(graph.inputs)
    symbols = {name: sympy.Symbol(name, real=True) for name in names}
    result = sympy.sympify(text, locals=symbols)
    gradient = explain_expression(text, at=here, wrt=names).gradient
    for name in names:
        derivative = sympy.lambdify([symbols[each] for each in names], sympy.diff(result, symbols[name]), "math")
        assert gradient[name] == pytest.approx(derivative(**here), rel=1e-8, abs=1e-8)


def test_the_chain_of_the_write_up_has_its_derivatives() -> None:
    w1, w2, x, y = 0.3, -1.2, 0.7, 0.4
    facts = explain_expression("(w2*sigmoid(w1*x) - y)**2", at={"w1": w1, "w2": w2, "x": x, "y": y})
    u = 1 / (1 + math.exp(-w1 * x))
    phi = w2 * u
    assert facts.value == pytest.approx((phi - y) ** 2, rel=1e-14)
    assert facts.gradient["w1"] == pytest.approx(2 * (phi - y) * w2 * u * (1 - u) * x, rel=1e-14)
    assert facts.gradient["w2"] == pytest.approx(2 * (phi - y) * u, rel=1e-14)
    by_name = {name: place for place, name in facts.names.items()}
    assert facts.adjoint(by_name["phi"]) == pytest.approx(2 * (phi - y), rel=1e-14)
    assert facts.adjoint(by_name["z"]) == pytest.approx(2 * (phi - y) * w2 * u * (1 - u), rel=1e-14)


@pytest.mark.parametrize(
    ("text", "point", "gradient"),
    [
        ("x*x", {"x": 3.0}, 6.0),
        ("x**0", {"x": 0.0}, 0.0),
        ("x**1", {"x": 5.0}, 1.0),
        ("x**3", {"x": 2.0}, 12.0),
        ("x**-2", {"x": 2.0}, -0.25),
        ("x**0.5", {"x": 4.0}, 0.25),
        ("2**x", {"x": 3.0}, 8 * math.log(2)),
        ("x**x", {"x": 2.0}, 4 * (math.log(2) + 1)),
        ("x**(1/3)", {"x": 8.0}, 1 / 12),
        ("x - x", {"x": 2.0}, 0.0),
        ("x/x", {"x": 2.0}, 0.0),
        ("-(-x)", {"x": 2.0}, 1.0),
        ("pi*x", {"x": 2.0}, math.pi),
        ("0*x", {"x": 2.0}, 0.0),
        ("abs(x)", {"x": -2.0}, -1.0),
        ("relu(x)", {"x": -2.0}, 0.0),
        ("(x**0)*sqrt(x)", {"x": 4.0}, 0.25),
        ("x", {"x": 2.0}, 1.0),
    ],
)
def test_small_cases_have_the_derivative_that_one_finds_by_hand(
    text: str, point: dict[str, float], gradient: float
) -> None:
    facts = explain_expression(text, at=point)
    assert facts.gradient["x"] == pytest.approx(gradient, rel=1e-12, abs=1e-12)


def test_both_slopes_of_a_power_are_told() -> None:
    facts = explain_expression("a**b", at="a=2,b=3")
    assert facts.gradient == pytest.approx({"a": 12.0, "b": 8 * math.log(2)})


@pytest.mark.parametrize("name", [name for name, each in OPERATIONS.items() if each.is_function])
def test_the_slope_of_every_function_agrees_with_torch(name: str) -> None:
    for value in (-1.3, 0.4, 2.2):
        if name in {"log", "sqrt"} and value < 0:
            continue
        source = as_python(parse_graph(f"{name}(x)").nodes, {"y": 1})
        x = torch.tensor(value, dtype=torch.float64, requires_grad=True)
        run_torch(source, {"x": x}).backward()  # type: ignore[no-untyped-call]
        assert x.grad is not None
        facts = explain_expression(f"{name}(x)", at={"x": value})
        assert facts.gradient["x"] == pytest.approx(x.grad.item(), rel=1e-12, abs=1e-14)


def test_the_slope_at_a_kink_is_that_of_torch() -> None:
    for name in ("relu", "abs"):
        x = torch.zeros((), requires_grad=True)
        getattr(torch, name)(x).backward()
        assert x.grad is not None
        facts = explain_expression(f"{name}(x)", at="x=0")
        assert facts.gradient["x"] == x.grad.item() == 0
        assert facts.kinks == (1,)


def test_local_derivatives_along_the_edges_multiply_to_the_gradient() -> None:
    facts = explain_expression("(w2*sigmoid(w1*x) - y)**2", at="w1=0.5,w2=-1,x=2,y=0.3")
    place = {name: at for at, name in facts.names.items()}
    path = ["L", "v1", "phi", "u", "z", "w1"]
    slopes = [facts.local.value(place[end], place[start]) for end, start in pairwise(path)]
    assert np.prod(slopes) == pytest.approx(facts.gradient["w1"], rel=1e-14)
    assert value_of(facts.backwards.along[place["L"]], facts.values) == 1
