"""Expressions of neurons: what is understood, exactly, and what is refused without being run."""

import random
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.neurons.neurons import Bell, Quadratic
from heldout.anatomy.neurons.parsing import parse_neuron, parse_number
from heldout.errors import UsageError


def of_polynomial(text: str, **at: Fraction) -> Quadratic:
    body = parse_neuron(text, at=at).body
    assert isinstance(body, Quadratic)
    return body


def of_bell(text: str, **at: Fraction) -> Bell:
    body = parse_neuron(text, at=at).body
    assert isinstance(body, Bell)
    return body


@pytest.mark.parametrize(
    ("text", "kind", "inputs", "names"),
    [
        ("exp(-(x1^2+x2^2)) + b", "bell", ("x1", "x2"), ("b",)),
        ("y = exp(-(w1*x1**2+w2*x2^2)) + b", "bell", ("x1", "x2"), ("b", "w1", "w2")),
        ("exp(−(x₁² + x₂²)) − 0.5", "bell", ("x1", "x2"), ()),
        ("exp(-x1^2)*exp(-x2^2) + b", "bell", ("x1", "x2"), ("b",)),
        ("w1*x1 + w2*x2 + b", "line", ("x1", "x2"), ("b", "w1", "w2")),
        ("x2 = 2*x1 + 1", "line", ("x1", "x2"), ()),
        ("y = 2*x + 1", "line", ("x", "y"), ()),
        ("z = 2*x1 + 1", "line", ("x1", "x2"), ()),
        ("x^2/4 + y^2 = 1", "conic", ("x", "y"), ()),
        ("x1*x2 - 1", "conic", ("x1", "x2"), ()),
        ("x1^2 - x1^2 + x2", "line", ("x1", "x2"), ()),
        ("exp(x1) - exp(x1) + x2", "line", ("x1", "x2"), ()),
    ],
)
def test_what_is_understood(text: str, kind: str, inputs: tuple[str, str], names: tuple[str, ...]) -> None:
    neuron = parse_neuron(text)
    assert (neuron.kind, neuron.inputs, neuron.names) == (kind, inputs, names)


@pytest.mark.parametrize(
    ("text", "kind", "scale", "shift"),
    [
        ("0.3*step(x1+x2-1)+0.2", "step", Fraction(3, 10), Fraction(1, 5)),
        ("H(x1+x2-1)", "step", 1, 0),
        ("sigmoid(x1+x2-1)/2", "sigmoid", Fraction(1, 2), 0),
        ("1/(1+exp(-(x1+x2-1)))", "sigmoid", 1, 0),
        ("max(0, x1+x2-1)", "relu", 1, 0),
        ("1 - tanh(x1+x2-1)", "tanh", -1, 1),
        ("2*sign(x1+x2-1) + sign(x1+x2-1)", "sign", 3, 0),
    ],
)
def test_what_stands_around_a_line(text: str, kind: str, scale: Fraction, shift: Fraction) -> None:
    neuron = parse_neuron(text)
    assert neuron.activation is not None
    assert (neuron.activation.kind, neuron.activation.scale.value, neuron.activation.shift.value) == (
        kind,
        scale,
        shift,
    )
    assert isinstance(neuron.body, Quadratic)
    assert [part.value for part in neuron.body.parts] == [0, 0, 0, 1, 1, -1]


def test_a_step_may_stand_around_a_bell() -> None:
    neuron = parse_neuron("step(exp(-(x1^2+x2^2)) - 0.5)")
    assert neuron.kind == "bell"
    assert neuron.activation is not None


def test_numbers_are_exact() -> None:
    body = of_polynomial("0.1*x1 + 1e-3*x2 - 1/3")
    assert [part.value for part in body.parts[3:]] == [Fraction(1, 10), Fraction(1, 1000), Fraction(-1, 3)]
    assert of_bell("exp(-x1^2) - 0.99999999999999999999999").bias.value == -1 + Fraction(1, 10**23)
    assert of_polynomial("sqrt(1/4)*x1 + exp(0) + ln(1)").constant.value == 1
    assert not parse_neuron("sqrt(4)*x1").is_rounded
    assert parse_neuron("sqrt(2)*x1").is_rounded
    assert parse_neuron("x1 - pi").is_rounded


def test_weights_of_0_leave_a_bell() -> None:
    bell = of_bell("exp(-(w1*x1^2 + w2*x2^2)) + b", w1=Fraction(0), w2=Fraction(0), b=Fraction(-1))
    assert bell.exponent.is_constant
    assert bell.bias.value == -1


def test_products_of_bells_add_their_exponents() -> None:
    both = of_bell("2*exp(-(x1-1)^2)*exp(x2) + 1")
    assert [part.value for part in both.exponent.parts] == [1, 0, 0, -2, -1, 1]
    assert both.amplitude.value == 2


def written(generator: random.Random, depth: int) -> str:
    """A random polynomial of x1, x2 and w, of at most first degree in the inputs."""
    if depth == 0:
        return generator.choice(["x1", "x2", "w", f"{generator.randint(0, 9)}", f"{generator.randint(1, 9)}.5", "2e-1"])
    kind = generator.randint(0, 5)
    left, right = written(generator, depth - 1), written(generator, depth - 1)
    return [f"({left} + {right})", f"({left} - {right})", f"(-{left})", f"{left}*w", f"{left}/4", f"({left})^1"][kind]


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.integers(0, 10**9))
def test_a_polynomial_has_the_value_that_python_gives_it(seed: int) -> None:
    generator = random.Random(seed)
    text = f"({written(generator, 3)})*({written(generator, 2)}) + x1"
    w, x1, x2 = (Fraction(generator.randint(-20, 20), generator.randint(1, 9)) for _ in range(3))
    body = of_polynomial(text, **({"w": w} if "w" in text else {}))
    # Our own text, with every number made a fraction.
    source = "".join(f'F("{part}")' if part[:1].isdigit() else part for part in _parts(text)).replace("^", "**")
    wanted = eval(source.replace('**F("1")', "**1"), {"F": Fraction, "w": w, "x1": x1, "x2": x2})
    assert body.exactly((x1, x2)) == wanted


def _parts(text: str) -> list[str]:
    import re

    return re.findall(r"[A-Za-z]\w*|\d[\d.]*(?:e-?\d+)?|.", text)


REFUSED = {
    "": "nothing is written",
    "   ": "nothing is written",
    "b + 1": "neither x1 nor x2",
    "w1x1 + w2x2 + b": "a product is written with",
    "2x1": "it is no formula",
    "x1 +": "it is no formula",
    "x1 = x2 = 3": "it is no formula",
    "exp(x1=2)": "it is no formula",
    "(y:=x1)": "it is no formula",
    "x1\0": "it is no formula",
    "sin(x1)": "there is no function 'sin'",
    "x1.real": "no part of a formula",
    "x1[0]": "no part of a formula",
    "[x1]": "no part of a formula",
    "x1 if x2 else 3": "no part of a formula",
    "x1 < 2": "no part of a formula",
    "x1 or x2": "no part of a formula",
    "f'{x1}'": "no part of a formula",
    "exp(*x1)": "no part of a formula",
    "(lambda: x1)()": "no part of a formula",
    "x1 // 2": r"only \+ - \* / and \^",
    "x1 @ x2": r"only \+ - \* / and \^",
    "'a'*x1": "'a' is no number",
    "True*x1": "'True' is no number",
    "1j*x1": "'1j' is no number",
    "0x10*x1": "not written in decimals",
    "nan*x1": "nan is no number that can be used",
    "x1 + inf": "inf is no number that can be used",
    "1e999999999*x1": "a number is beyond",
    "1e-999999999*x1": "a number is beyond",
    "x1^0.5": "a power is no whole number",
    "x1^x2": "a power is no whole number",
    "x1^9": "a power is no whole number",
    "2^-x1": "a power is no whole number",
    "x1^3": "higher degree",
    "exp(-x1^4)": "higher degree",
    "exp(x1*x2*x1)": "higher degree",
    "x1/0": "divided by 0",
    "x1/(1-1)": "divided by 0",
    "0^-1*x1": "divided by 0",
    "1/x1": "divided by what has inputs in it",
    "x1/exp(x2)": "divided by what has inputs in it",
    "x1/(a+b)": "divided by a sum of names",
    "exp(x1) + exp(x2)": "another exp",
    "exp(x1)*x2": "multiplied by something with inputs",
    "exp(x1) + x2": "with inputs in it is added",
    "step(x1) + x2": "with inputs in it is added",
    "step(x1) + tanh(x1)": "are added",
    "step(x1)*step(x2)": "is multiplied by",
    "step(step(x1))": r"step is of step\(",
    "exp(exp(x1))": "exp is of something else",
    "exp(b)*x1": "exp is of something else",
    "sqrt(x1)": "sqrt is of something else",
    "log(-1)*x1": r"log\(-1\) is no number",
    "exp(1000)*x1": r"exp\(1000\) is no number",
    "exp + x1": "exp is a function",
    "exp(x1, x2)": "exp is of one thing",
    "max(1, x1)": "there is no function 'max' here|max",
    "-" * 300 + "x1": "nested deeper",
    "(" * 250 + "x1" + ")" * 250: "characters are more|no formula",
    "x1 + " * 200 + "x1": "characters are more",
    "((x1+x2+a+c+d)^8)^8": "too large once",
}


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: repr(text)[:24])
def test_what_is_not_understood_is_said_and_says_what_is(text: str) -> None:
    with pytest.raises(UsageError, match=REFUSED[text]) as caught:
        parse_neuron(text)
    assert caught.value.exit_code == 2
    assert len(str(caught.value)) < 800


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch made') + x1",
        "().__class__.__bases__[0] + x1",
        "open('made', 'w') + x1",
        "exec('x1')",
        "[open('made', 'w') for x1 in (1,)]",
    ],
)
def test_nothing_of_an_expression_is_run(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="is not understood"):
        parse_neuron(text)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("at", "match"),
    [
        ({"x1": Fraction(1)}, "it is an input"),
        ({"w3": Fraction(1)}, 'did you mean "w1"'),
        ({"exp": Fraction(1)}, "not in the expression"),
        ({"w1": Fraction(10) ** 101}, "beyond 10"),
    ],
)
def test_numbers_are_given_to_names_that_are_there(at: dict[str, Fraction], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        parse_neuron("exp(-w1*x1) + b", at=at)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.1", Fraction(1, 10)),
        ("-1 + 1e-12", -1 + Fraction(1, 10**12)),
        ("1/3", Fraction(1, 3)),
        ("2^-3", Fraction(1, 8)),
    ],
)
def test_a_number_is_read_exactly(text: str, value: Fraction) -> None:
    assert parse_number(text, what="b") == value


@pytest.mark.parametrize(
    "text", ["", "b", "nan", "1e400", "1e-400", "1 2", "0x3", "1e-99999999999999999999", "sqrt(-1)", "1/0"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^b is "):
        parse_number(text, what="b")
