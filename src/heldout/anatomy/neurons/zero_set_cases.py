"""The zero set of a neuron whose numbers are not all given: the complete table of cases, each with its condition.

What decides is the sign of each of two weights, and the sign of the level L, which is none where there is no level:

    w1 (x1 - c1)^2 + w2 (x2 - c2)^2 = L      of a bell: L = -ln(-bias / amplitude) - constant, which is
                                                 none where -bias / amplitude <= 0
"""

from dataclasses import dataclass, replace
from itertools import product

from heldout.anatomy.neurons.forms import Form
from heldout.anatomy.neurons.neurons import Bell, Neuron, Quadratic
from heldout.anatomy.neurons.polynomials import HALF, ZERO, Polynomial, number
from heldout.anatomy.neurons.zero_levels import level_of_bell
from heldout.anatomy.neurons.zero_sets import kind_of, positive_of
from heldout.errors import UsageError

Signs = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Case:
    """One shape, and when it is.

    Attributes:
        signs: Of the two weights.
        level: Sign of L; None where there is none.
        kind: As of `ZeroSet`; an ellipse is a circle where the weights are equal.
        axis: As of `ZeroSet`.
        positive: As of `ZeroSet`, for an amplitude above 0 (of a polynomial: as it stands).
    """

    signs: Signs
    level: int | None
    kind: str
    axis: int | None
    positive: str


@dataclass(frozen=True, slots=True)
class Cases:
    """All cases of a neuron.

    Attributes:
        shape: `central` (the table), or `parabola` or `line`, which is the shape wherever there is a level.
        weights: What the two weights are, as polynomials of names; None where the form is turned.
        turned: The two eigenvalues of a turned form whose numbers are given; None for other forms.
        form: The part of second degree, as its three coefficients.
        centre: Of the shapes; None where the form is turned and has names in it.
        constant: What the exponent, or the polynomial, is at the centre.
        amplitude: Of a bell; None for a polynomial.
        bias: Of a bell; 0 for a polynomial.
        is_circle: Whether an ellipse is a circle; None where it depends.
        cases: By the signs of the weights, then by that of the level from above.
    """

    shape: str
    weights: tuple[Polynomial, Polynomial] | None
    turned: tuple[float, float] | None
    form: tuple[Polynomial, Polynomial, Polynomial]
    centre: tuple[Polynomial, Polynomial] | None
    constant: Polynomial
    amplitude: Polynomial | None
    bias: Polynomial
    is_circle: bool | None
    cases: tuple[Case, ...]

    @property
    def signs(self) -> tuple[Signs, ...]:
        """The signs of the weights that occur, in order."""
        return tuple(dict.fromkeys(case.signs for case in self.cases))

    @property
    def levels(self) -> tuple[int | None, ...]:
        """The signs of the level that occur, in order."""
        return tuple(dict.fromkeys(case.level for case in self.cases))

    def at(self, signs: Signs, level: int | None) -> Case:
        """The case of these signs."""
        return next(case for case in self.cases if (case.signs, case.level) == (signs, level))


def cases_of(neuron: Neuron) -> Cases:
    """The cases of a bell or of a polynomial of second degree.

    Raises:
        UsageError: Names stand where no table is known for them.

    Example:
        >>> from heldout.anatomy.neurons.parsing import parse_neuron
        >>> found = cases_of(parse_neuron("exp(-(x1^2 - w*x2^2)) + b"))
        >>> found.at((1, -1), -1).kind, found.at((1, 0), 1).kind, len(found.cases)
        ('hyperbola', 'parallel lines', 12)
    """
    body = neuron.body
    bell = body if isinstance(body, Bell) else None
    quadratic = body.exponent if isinstance(body, Bell) else body
    form = (quadratic.first_square, quadratic.product, quadratic.second_square)
    amplitude, bias = (bell.amplitude, bell.bias) if bell else (None, ZERO)
    if shape := _bare_shape(quadratic):
        levels = _levels(amplitude, bias, quadratic.constant, neuron.nonzero, is_bare=True)
        cases = tuple(Case((0, 0), level, shape if level else "empty", None, "") for level in levels)
        return Cases(shape, None, None, form, None, quadratic.constant, amplitude, bias, None, cases)
    centre = _centre(quadratic, neuron)
    constant = quadratic.constant
    if centre is not None:
        halved = quadratic.first * centre[0] + quadratic.second * centre[1]
        constant = constant + halved * HALF
    weights = (form[0], form[2]) if form[1].is_zero else None
    turned = Form.of(_without_slope(quadratic)).principal()[0] if weights is None and _are_numbers(form) else None
    signs = _signs(quadratic, neuron.nonzero)
    levels = _levels(amplitude, bias, constant, neuron.nonzero, is_bare=False)
    orientation = 1 if bell else -1
    cases = tuple(_case(each, level, orientation) for each in signs for level in levels)
    return Cases("central", weights, turned, form, centre, constant, amplitude, bias, _is_circle(form, weights), cases)


def _case(signs: Signs, level: int | None, orientation: int) -> Case:
    kind, axis = kind_of(*signs, level)
    return Case(signs, level, kind, axis, "" if level is None else positive_of(kind, signs, level, orientation))


def _are_numbers(parts: tuple[Polynomial, ...]) -> bool:
    return all(each.is_number for each in parts)


def _bare_shape(quadratic: Quadratic) -> str:
    """`parabola` or `line` where the exponent has no centre and numbers for all but its constant; else nothing."""
    if quadratic.is_constant or not _are_numbers(quadratic.parts[:5]):
        return ""
    form = Form.of(_without_constant(quadratic))
    if form.is_linear:
        return "line"
    return "" if form.has_centre else "parabola"


def _without_constant(quadratic: Quadratic) -> Quadratic:
    return replace(quadratic, constant=ZERO)


def _without_slope(quadratic: Quadratic) -> Quadratic:
    return replace(quadratic, first=ZERO, second=ZERO, constant=ZERO)


def _centre(quadratic: Quadratic, neuron: Neuron) -> tuple[Polynomial, Polynomial] | None:
    """The centre, exactly; None where it is the origin of a turned form or cannot be told.

    Raises:
        UsageError: It depends on names in a way that has no one table.
    """
    first, mixed, second, *slope, _ = quadratic.parts
    if all(each.is_zero for each in slope):
        return ZERO, ZERO
    if not mixed.is_zero:
        if not _are_numbers((first, mixed, second)):
            raise _no_table(neuron, quadratic)
        return _solved(Form.of(_without_slope(quadratic)), slope[0], slope[1], neuron)
    found = []
    for weight, each in ((first, slope[0]), (second, slope[1])):
        # -slope / (2 weight), which must not fail where the weight is 0.
        place = ZERO if each.is_zero else (-each * HALF).divided_by(weight)
        if place is None or place.denominators & weight.names - neuron.nonzero:
            raise _no_table(neuron, quadratic)
        found.append(place)
    return found[0], found[1]


def _solved(form: Form, u: Polynomial, v: Polynomial, neuron: Neuron) -> tuple[Polynomial, Polynomial]:
    """The centre of a turned form of numbers whose slope may have names."""
    if not form.determinant:
        if u.is_number and v.is_number:  # there is one, or the shape was a parabola
            share = number(-1 / (2 * form.trace))
            return u * share, v * share
        raise UsageError(
            f"{neuron.text!r} has names where its shape would turn from lines into a parabola",
            expected="numbers for what stands before x1 and x2",
            fix=f"give {', '.join(sorted(u.names | v.names))} a number by --at (`at=` in Python)",
        )
    share = number(1 / (2 * form.determinant))
    first, mixed, second = number(form.first), number(form.mixed), number(form.second)
    return (mixed * v - second * u) * share, (mixed * u - first * v) * share


def _signs(quadratic: Quadratic, nonzero: frozenset[str]) -> list[Signs]:
    """Which signs the two weights can have."""
    first, mixed, second = quadratic.parts[:3]
    if not mixed.is_zero:
        if _are_numbers((first, mixed, second)):
            return [Form.of(_without_slope(quadratic)).signs]
        # The larger eigenvalue first.
        return [(1, 1), (1, 0), (1, -1), (0, 0), (0, -1), (-1, -1)]
    ratio = first.ratio_to(second)
    pairs = list(product(first.signs(nonzero), second.signs(nonzero)))
    if ratio is not None:
        sign = 1 if ratio > 0 else -1
        pairs = [(each, other) for each, other in pairs if each == sign * other]
    return sorted(pairs, key=lambda each: (-abs(each[0]) - abs(each[1]), -each[0], -each[1]))


def _levels(
    amplitude: Polynomial | None, bias: Polynomial, constant: Polynomial, nonzero: frozenset[str], *, is_bare: bool
) -> list[int | None]:
    """Which signs the level can have, from above; None last. Of bare shapes 1 stands for any level."""
    if amplitude is None:
        found = [1] if is_bare else sorted((-constant).signs(nonzero), reverse=True)
        return list(found)
    ratio = (-bias).ratio_to(amplitude) if not bias.is_zero else None
    if bias.is_zero or (ratio is not None and ratio <= 0):
        return [None]
    if ratio is not None:
        if is_bare:
            return [1]
        return [level_of_bell(ratio, constant.value).sign] if constant.is_number else [1, 0, -1]
    exists: list[int | None] = [1] if is_bare else [1, 0, -1]
    products = {one * other for one in (-bias).signs(nonzero) for other in amplitude.signs(nonzero)}
    return [*(exists if 1 in products else []), *([None] if products & {0, -1} else [])]


def _is_circle(
    form: tuple[Polynomial, Polynomial, Polynomial], weights: tuple[Polynomial, Polynomial] | None
) -> bool | None:
    if weights is None:
        return False if _are_numbers(form) else None
    first, second = weights
    if first == second:
        return True
    return False if first.ratio_to(second) is not None else None


def _no_table(neuron: Neuron, quadratic: Quadratic) -> UsageError:
    names = sorted(quadratic.names)
    return UsageError(
        f"{neuron.text!r} has names where no table of cases is known for them: {', '.join(names)}",
        expected="names as weights, bias, amplitude, or within a centre: a*exp(-(w1*(x1 - c1)^2 + w2*x2^2)) + b",
        fix=f"give them numbers, such as --at {names[0]}=1 (`at=` in Python)",
    )
