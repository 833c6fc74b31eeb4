"""Zero sets: hand values, another classification of conics, symmetries, and the neuron itself with many digits."""

import itertools
import math
import random
from fractions import Fraction

import mpmath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.neurons.neurons import Bell, Neuron, Quadratic
from heldout.anatomy.neurons.parsing import parse_neuron
from heldout.anatomy.neurons.polynomials import ZERO, number
from heldout.anatomy.neurons.zero_sets import ZeroSet, zero_set_of
from heldout.errors import UsageError

QUICK = settings(max_examples=30, deadline=None, derandomize=True)
seeds = st.integers(0, 10**9)
FAMILY = "exp(-(w1*x1^2 + w2*x2^2)) + b"


def found(text: str, **at: Fraction | int | float | str) -> ZeroSet:
    return zero_set_of(parse_neuron(text, at={key: Fraction(str(value)) for key, value in at.items()}))


def family(w1: object, w2: object, b: object) -> ZeroSet:
    return found(FAMILY, w1=str(w1), w2=str(w2), b=str(b))


@pytest.mark.parametrize(
    ("w1", "w2", "b", "kind", "lengths"),
    [
        (1, 2, -0.5, "ellipse", (0.832555, 0.588705)),
        (1, 1, -0.5, "circle", (0.832555, 0.832555)),
        (-1, -1, -math.e, "circle", (1.0, 1.0)),
        (1, -1, -0.5, "hyperbola", (0.832555, 0.832555)),
        (1, -2, -2, "hyperbola", (0.832555, 0.588705)),
        (1, -1, -1, "crossing lines", (0.0, 0.0)),
        (1, 0, -0.5, "parallel lines", (0.832555, None)),
        (1, 2, -1, "point", (0.0, 0.0)),
        (1, 2, -2, "empty", (None, None)),
        (1, 1, 0, "empty", (None, None)),
        (0, 0, -0.5, "empty", (None, None)),
        (0, 0, -1, "plane", (None, None)),
        (-1, -2, -0.5, "empty", (None, None)),
        (-1, -2, -1, "point", (0.0, 0.0)),
        (-1, -2, -2, "ellipse", (0.832555, 0.588705)),
        (1, 0, -1, "line", (0.0, None)),
        (1, 0, -2, "empty", (None, None)),
        (-1, 0, -0.5, "empty", (None, None)),
        (-1, 0, -1, "line", (0.0, None)),
        (-1, 0, -2, "parallel lines", (0.832555, None)),
        (0, 1, -0.5, "parallel lines", (None, 0.832555)),
        (0, -1, -2, "parallel lines", (None, 0.832555)),
        (0, 0, -2, "empty", (None, None)),
        (-1, 1, -0.5, "hyperbola", (0.832555, 0.832555)),
        (1, 2, 3, "empty", (None, None)),
    ],
)
def test_every_row_of_the_table(w1: int, w2: int, b: float, kind: str, lengths: tuple[float | None, ...]) -> None:
    zero_set = family(w1, w2, b)
    assert zero_set.kind == kind
    for length, wanted in zip(zero_set.semi_axes, lengths, strict=True):
        assert length == (None if wanted is None else pytest.approx(wanted, abs=5e-7))


def test_which_axis_a_hyperbola_is_on() -> None:
    on_first, on_second = family(1, -1, -0.5), family(1, -2, -2)
    assert (on_first.axis, on_second.axis) == (0, 1)
    assert on_first.vertices[0] == pytest.approx((0.8325546, 0))
    assert on_second.vertices[0] == pytest.approx((0, 0.5887050))
    # x2 = +-sqrt(-w1/w2) x1
    assert [dy / dx for dx, dy in on_second.directions] == pytest.approx([math.sqrt(0.5), -math.sqrt(0.5)])


def test_measures_of_an_ellipse_by_hand() -> None:
    ellipse = found("x1^2/25 + x2^2/9 - 1")
    assert ellipse.semi_axes == (5.0, 3.0)
    assert ellipse.eccentricity == pytest.approx(0.8)
    assert ellipse.area == pytest.approx(15 * math.pi)
    assert ellipse.foci == ((4.0, 0.0), (-4.0, 0.0))
    assert set(ellipse.vertices) == {(5.0, 0.0), (-5.0, 0.0), (0.0, 3.0), (0.0, -3.0)}
    assert found("x1^2/9 + x2^2/25 - 1").foci == ((0.0, 4.0), (0.0, -4.0))


def test_measures_of_a_hyperbola_and_a_parabola_by_hand() -> None:
    hyperbola = found("x1^2/16 - x2^2/9 = 1")
    assert hyperbola.eccentricity == pytest.approx(1.25)
    assert hyperbola.foci == ((5.0, 0.0), (-5.0, 0.0))
    parabola = found("x2 = x1^2/8 + 1")
    assert (parabola.centre, parabola.focal_length, parabola.eccentricity) == ((0.0, 1.0), 2.0, 1.0)
    assert parabola.foci == ((0.0, 3.0),)
    assert parabola.axes[1] == (0.0, 1.0)


def test_lines_by_hand() -> None:
    assert found("x1 - 3").points == ((3.0, 0.0),)
    assert found("exp(-(x1 + x2)) - 2").centre == pytest.approx((-math.log(2) / 2, -math.log(2) / 2))
    both = found("(x1 + x2 - 1)*(x1 + x2 + 1)")
    assert both.kind == "parallel lines"
    assert sorted(x + y for x, y in both.points) == pytest.approx([-1, 1])
    crossing = found("x1*x2")
    assert crossing.kind == "crossing lines"
    assert sorted(abs(dx) for dx, _ in crossing.directions) == pytest.approx([0, 1])


def test_a_shape_is_shifted_and_scaled_as_it_is_written() -> None:
    moved = found("2*exp(-((x1-1)^2 + 2*(x2+3)^2)) - 1")
    assert (moved.kind, moved.centre) == ("ellipse", (1.0, -3.0))
    assert moved.semi_axes == family(1, 2, -0.5).semi_axes
    assert found("exp(-(x1^2+x2^2) + 1) - 1").semi_axes == pytest.approx((1.0, 1.0))


def kind_by_invariants(a: int, b: int, c: int, d: int, e: int, f: int) -> str:
    """The kind of a x^2 + 2b xy + c y^2 + 2d x + 2e y + f = 0, by its determinants.

    The classical table of invariants, which knows nothing of eigenvalues.
    """
    if a == b == c == 0:
        return "line" if d or e else "empty" if f else "plane"
    whole = a * (c * f - e * e) - b * (b * f - d * e) + d * (b * e - c * d)
    part, trace = a * c - b * b, a + c
    if part and whole:
        if part < 0:
            return "hyperbola"
        return "empty" if whole * trace > 0 else "circle" if a == c and not b else "ellipse"
    if part:
        return "point" if part > 0 else "crossing lines"
    if whole:
        return "parabola"
    rest = a * f - d * d + c * f - e * e
    return "parallel lines" if rest < 0 else "empty" if rest > 0 else "line"


def test_small_conics_are_what_their_invariants_say() -> None:
    seen = set()
    for numbers in itertools.product((-1, 0, 1, 2), (-1, 0, 1), (-1, 0, 1), (-1, 0, 1), (0, 1), (-1, 0, 1)):
        a, b, c, d, e, f = numbers
        body = Quadratic(*(number(each) for each in (a, 2 * b, c, 2 * d, 2 * e, f)))
        kind = zero_set_of(Neuron("", ("x1", "x2"), body)).kind
        assert kind == kind_by_invariants(*numbers), numbers
        seen.add(kind)
    assert len(seen) == 10


def random_neuron(generator: random.Random) -> Neuron:
    """A bell or a polynomial, with zeros in it often enough."""

    def some(n: int = 1) -> list[Fraction]:
        return [Fraction(generator.choice([0, 0, 1, -1, 2, -3, 5]), generator.choice([1, 1, 2, 7])) for _ in range(n)]

    quadratic = Quadratic(*(number(each) for each in some(6)))
    if generator.random() < 0.3:
        return Neuron("", ("x1", "x2"), quadratic)
    amplitude = some()[0] or Fraction(1)
    bias = generator.choice([-amplitude, -amplitude / 2, -2 * amplitude, amplitude, Fraction(0), *some()])
    return Neuron("", ("x1", "x2"), Bell(number(amplitude), quadratic, number(bias)))


def exactly(neuron: Neuron, x: mpmath.mpf, y: mpmath.mpf) -> mpmath.mpf:
    """The body at a point, by mpmath."""
    body = neuron.body
    quadratic = body.exponent if isinstance(body, Bell) else body
    factors = (x * x, x * y, y * y, x, y, mpmath.mpf(1))
    value = mpmath.fsum(
        mpmath.mpf(part.value.numerator) / part.value.denominator * factor
        for part, factor in zip(quadratic.parts, factors, strict=True)
    )
    if isinstance(body, Quadratic):
        return value
    amplitude, bias = body.amplitude.value, body.bias.value
    return mpmath.mpf(amplitude.numerator) / amplitude.denominator * mpmath.exp(-value) + (
        mpmath.mpf(bias.numerator) / bias.denominator
    )


def is_above(zero_set: ZeroSet, x: float, y: float) -> bool:
    """Whether the neuron is above 0 at a point, by the word of the zero set and the geometry of its shape alone."""
    if zero_set.centre is None:
        return zero_set.positive == "everywhere"
    dx, dy = x - zero_set.centre[0], y - zero_set.centre[1]
    first, second = (axis[0] * dx + axis[1] * dy for axis in zero_set.axes)
    word = zero_set.positive
    if word in {"nowhere", "elsewhere"}:
        return word == "elsewhere"
    if word == "ahead":
        return first > 0
    one, other = zero_set.semi_axes
    if zero_set.kind == "parabola":
        assert zero_set.focal_length is not None
        return (second > first**2 / (4 * zero_set.focal_length)) == (word == "inside")
    if zero_set.kind in {"circle", "ellipse"}:
        assert one is not None
        assert other is not None
        return ((first / one) ** 2 + (second / other) ** 2 < 1) == (word == "inside")
    if zero_set.kind == "hyperbola":
        assert one is not None
        assert other is not None
        along, across = ((first / one), (second / other)) if zero_set.axis == 0 else ((second / other), (first / one))
        return (along**2 - across**2 < 1) == (word == "between")
    if zero_set.kind == "parallel lines":
        distance, half = (first, one) if zero_set.axis == 0 else (second, other)
        assert half is not None
        return (abs(distance) < half) == (word == "between")
    w1, w2 = (abs(each) for each in zero_set.weights)
    assert zero_set.kind == "crossing lines"
    return (w1 * first**2 > w2 * second**2) == (word == "first")


@QUICK
@given(seeds)
def test_the_neuron_has_the_sign_that_is_told_on_either_side(seed: int) -> None:
    generator = random.Random(seed)
    neuron = random_neuron(generator)
    zero_set = zero_set_of(neuron)
    with mpmath.workdps(60):
        for _ in range(25):
            spread = 10 ** generator.uniform(-1, 1)
            x, y = (generator.gauss(0, spread) for _ in range(2))
            value = exactly(neuron, mpmath.mpf(x), mpmath.mpf(y))
            if zero_set.kind == "plane":
                assert value == 0
            else:
                assert value != 0
                assert is_above(zero_set, x, y) == (value > 0), (neuron.body, zero_set, x, y)


@QUICK
@given(seeds)
def test_swapped_inputs_swap_the_shape(seed: int) -> None:
    neuron = random_neuron(random.Random(seed))
    body = neuron.body

    def swapped(quadratic: Quadratic) -> Quadratic:
        first, product, second, slope, other, constant = quadratic.parts
        return Quadratic(second, product, first, other, slope, constant)

    turned = Bell(body.amplitude, swapped(body.exponent), body.bias) if isinstance(body, Bell) else swapped(body)
    one, other = zero_set_of(neuron), zero_set_of(Neuron("", neuron.inputs, turned))
    assert one.kind == other.kind
    assert sorted(one.weights) == pytest.approx(sorted(other.weights))
    assert one.eccentricity == pytest.approx(other.eccentricity)
    if one.centre is not None and other.centre is not None:
        assert one.centre == pytest.approx(other.centre[::-1])


@QUICK
@given(seeds, st.integers(-30, 30))
def test_stretched_inputs_stretch_the_shape(seed: int, power: int) -> None:
    generator, factor = random.Random(seed), Fraction(2) ** power
    w1, w2 = (Fraction(generator.choice([-3, -1, 0, 1, 2])) for _ in range(2))
    b = generator.choice([Fraction(-1, 2), Fraction(-1), Fraction(-3), Fraction(1)])
    one = family(w1, w2, b)
    other = family(w1 / factor**2, w2 / factor**2, b)
    assert (one.kind, one.positive, one.axis) == (other.kind, other.positive, other.axis)
    for length, stretched in zip(one.semi_axes, other.semi_axes, strict=True):
        assert stretched == (None if length is None else pytest.approx(length * float(factor), rel=1e-14))


@pytest.mark.parametrize("digits", [6, 12, 15, 40, 100])
def test_a_bias_beside_its_limit_is_not_taken_for_it(digits: int) -> None:
    step = Fraction(1, 10**digits)
    inside, outside = family(1, 1, -1 + step), family(1, 1, -1 - step)
    assert (inside.kind, outside.kind) == ("circle", "empty")
    # L = -ln(1 - step) is step (1 + step/2 + ...).
    assert inside.semi_axes[0] == pytest.approx(10 ** (-digits / 2) * (1 + float(step) / 4), rel=1e-12)
    assert (family(1, -1, -1 + step).axis, family(1, -1, -1 - step).axis) == (0, 1)
    assert family(1, 1, -step).kind == "circle"
    assert family(1, 1, step).kind == "empty"


@pytest.mark.parametrize("power", [-100, -50, 50, 99])
def test_tiny_and_huge_weights(power: int) -> None:
    ellipse = family(Fraction(10) ** power, 4 * Fraction(10) ** power, Fraction(-1, 2))
    scale = 10 ** (-power / 2)
    assert ellipse.semi_axes == pytest.approx((0.8325546111576977 * scale, 0.8325546111576977 / 2 * scale), rel=1e-12)
    assert family(Fraction(10) ** 100, Fraction(10) ** -100, Fraction(-1, 2)).kind == "ellipse"


def test_a_weight_of_exactly_0_is_not_a_tiny_one() -> None:
    tiny = Fraction(1, 10**100)
    assert family(1, 0, Fraction(-1, 2)).kind == "parallel lines"
    assert family(1, tiny, Fraction(-1, 2)).kind == "ellipse"
    assert family(1, -tiny, Fraction(-1, 2)).kind == "hyperbola"


def test_measures_beyond_floats_are_refused() -> None:
    body = Quadratic(number(1), ZERO, ZERO, number(Fraction(10) ** 200), ZERO, ZERO)
    with pytest.raises(UsageError, match=r"a number of the result would be about 10\^399"):
        zero_set_of(Neuron("", ("x1", "x2"), body))
