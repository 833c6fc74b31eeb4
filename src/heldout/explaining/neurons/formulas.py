"""Names, numbers and polynomials of a neuron as formulas: for a terminal and for LaTeX."""

from collections.abc import Sequence
from fractions import Fraction

from heldout.anatomy.neurons.forms import Point
from heldout.anatomy.neurons.neurons import Bell, Quadratic
from heldout.anatomy.neurons.polynomials import Monomial, Polynomial
from heldout.explaining.document import Formula

_GREEK = " alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi omega "
# Longer decimals, and larger parts of a fraction, read better as rounded numbers.
_LONGEST, _LARGEST, _SHORT = 10, 9999, 3
# What six digits cannot tell from a whole number is shown beside it.
_NEAR = Fraction(1, 10**6)


def shown(value: float) -> str:
    """A float with six digits; no sign before a zero.

    Example:
        >>> shown(0.8325546), shown(-0.0), shown(1e-12), shown(1234567.0)
        ('0.832555', '0', '1e-12', '1.23457e+06')
    """
    return f"{value + 0.0:.6g}"


def shown_point(point: Point) -> str:
    """A point, or a direction.

    Example:
        >>> shown_point((1.0, -0.0))
        '(1, 0)'
    """
    return f"({shown(point[0])}, {shown(point[1])})"


def as_latex(value: float) -> str:
    r"""A float with six digits.

    Example:
        >>> print(as_latex(1.5e-12))
        1.5 \times 10^{-12}
    """
    digits, _, power = shown(value).partition("e")
    return rf"{digits} \times 10^{{{int(power)}}}" if power else digits


def number_formula(value: Fraction | float) -> Formula:
    """A number; a fraction is shown exactly where that is short.

    Example:
        >>> number_formula(Fraction(1, 10)).plain, number_formula(Fraction(-1, 3)).plain, number_formula(2.0).plain
        ('0.1', '-1/3', '2')
        >>> number_formula(Fraction(-1) + Fraction(1, 10**12)).plain
        '-1 + 1e-12'
    """
    if isinstance(value, float):
        return Formula(shown(value), as_latex(value))
    whole = round(value)
    if whole and value != whole and abs(value - whole) < abs(whole) * _NEAR:
        rest = float(value - whole)
        return sum_of([Formula(str(whole), str(whole)), Formula(shown(rest), as_latex(rest))])
    decimal = f"{float(value):.9g}"
    if len(decimal) <= _LONGEST and Fraction(decimal) == value:
        return Formula(decimal, as_latex(float(value)) if "e" in decimal else decimal)
    if max(abs(value.numerator), value.denominator) <= _LARGEST:
        sign = "-" if value < 0 else ""
        latex = rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"
        return Formula(f"{value.numerator}/{value.denominator}", latex)
    return Formula(shown(float(value)), as_latex(float(value)))


def name_latex(word: str) -> str:
    r"""A name with its digits as an index.

    Example:
        >>> print(name_latex("w1"), name_latex("sigma"), name_latex("rate_2"), name_latex("b"))
        w_{1} \sigma \mathrm{rate}_{2} b
    """
    letters = word.rstrip("0123456789")
    index = word[len(letters) :]
    letters = letters.rstrip("_") or letters
    if f" {letters} " in _GREEK:
        base = rf"\{letters}"
    else:
        safe = "".join(each if each.isalnum() and each.isascii() else r"\_" if each == "_" else "?" for each in letters)
        base = letters if len(letters) == 1 and letters.isascii() and letters.isalpha() else rf"\mathrm{{{safe}}}"
    return f"{base}_{{{index}}}" if index else base


def polynomial_formula(polynomial: Polynomial) -> Formula:
    """A polynomial, term by term.

    Example:
        >>> from heldout.anatomy.neurons.polynomials import name, number
        >>> polynomial_formula(number(2) * name("b") - number(1)).plain
        '2 b - 1'
    """
    terms = sorted(polynomial.terms.items(), key=lambda each: (not each[0], each[0]))
    return sum_of([term_formula(factor, monomial) for monomial, factor in terms])


def term_formula(factor: Fraction, monomial: Monomial) -> Formula:
    """One term: a number, names with powers, and those with negative powers below a line."""
    above = [(word, power) for word, power in monomial if power > 0]
    below = [(word, -power) for word, power in monomial if power < 0]
    if not above and not below:
        return number_formula(factor)
    if below:
        top = _factors(factor.numerator, above)
        bottom = _factors(factor.denominator, below)
        single = factor.denominator == 1 and len(below) == 1
        sign = "-" if top.latex.startswith("-") else ""
        latex = rf"{sign}\frac{{{top.latex.removeprefix('-')}}}{{{bottom.latex}}}"
        return Formula(f"{top.plain}/{bottom.plain if single else f'({bottom.plain})'}", latex)
    return _factors(factor, above)


def sum_of(terms: Sequence[Formula]) -> Formula:
    """Terms with + and - between them; 0 where there are none.

    Example:
        >>> sum_of([Formula("x", "x"), Formula("-1", "-1")]).plain
        'x - 1'
    """
    if not terms:
        return Formula("0", "0")
    plain, latex = terms[0].plain, terms[0].latex
    for term in terms[1:]:
        plain += f" - {term.plain[1:]}" if term.plain.startswith("-") else f" + {term.plain}"
        latex += f" - {term.latex[1:]}" if term.latex.startswith("-") else f" + {term.latex}"
    return Formula(plain, latex)


def times(factor: Formula, what: Formula) -> Formula:
    """A product: 1 is left out, and a sum before it is put in brackets."""
    if factor.plain in {"1", "-1"}:
        sign = factor.plain[:-1]
        return Formula(sign + what.plain, sign + what.latex)
    inner = bracketed(factor)
    return Formula(f"{inner.plain} {what.plain}", f"{inner.latex} {what.latex}")


def bracketed(formula: Formula, *, also_negative: bool = False) -> Formula:
    """The formula in brackets where it is a sum."""
    if _is_sum(formula.plain) or (also_negative and formula.plain.startswith("-")):
        return Formula(f"({formula.plain})", rf"\left({formula.latex}\right)")
    return formula


def quadratic_formula(quadratic: Quadratic, inputs: tuple[str, str], *, with_constant: bool = True) -> Formula:
    """A polynomial of the inputs, the squares first.

    Example:
        >>> from heldout.anatomy.neurons.parsing import parse_neuron
        >>> neuron = parse_neuron("x2*(w*x1 - 2) + 2*x1^2 - x2^2")
        >>> quadratic_formula(neuron.body, neuron.inputs).plain
        '2 x1^2 + w x1 x2 - x2^2 - 2 x2'
    """
    u, v = (Formula(each, name_latex(each)) for each in inputs)
    powers = (_squared(u), Formula(f"{u.plain} {v.plain}", f"{u.latex} {v.latex}"), _squared(v), u, v)
    terms = [weighted(part, power) for part, power in zip(quadratic.parts, powers, strict=False) if not part.is_zero]
    if with_constant and not quadratic.constant.is_zero:
        terms.append(polynomial_formula(quadratic.constant))
    return sum_of(terms)


def squares_formula(
    weights: tuple[Polynomial, Polynomial], centre: tuple[Polynomial, Polynomial], inputs: tuple[str, str]
) -> Formula:
    """The sum w1 (x1 - c1)^2 + w2 (x2 - c2)^2.

    Example:
        >>> from heldout.anatomy.neurons.polynomials import ONE, ZERO, name
        >>> squares_formula((ONE, name("w")), (name("c"), ZERO), ("x1", "x2")).plain
        '(x1 - c)^2 + w x2^2'
    """
    terms = []
    for weight, place, word in zip(weights, centre, inputs, strict=True):
        if not weight.is_zero:
            terms.append(weighted(weight, _squared(shifted(word, place))))
    return sum_of(terms)


def weighted(weight: Polynomial, what: Formula) -> Formula:
    """Something with its weight: what the weight divides by comes last.

    Example:
        >>> from heldout.anatomy.neurons.polynomials import name, number
        >>> weighted(number(Fraction(3, 4)), Formula("x", "x")).plain, weighted(name("w"), Formula("x", "x")).plain
        ('3 x/4', 'w x')
    """
    top, bottom = _parted(weight)
    if bottom is None:
        return times(polynomial_formula(weight), what)
    return over(times(top, what), bottom)


def shifted(word: str, place: Polynomial) -> Formula:
    """An input less a place."""
    minus = [term for term in [polynomial_formula(-place)] if not place.is_zero]
    return sum_of([Formula(word, name_latex(word)), *minus])


def body_formula(body: Quadratic | Bell, inputs: tuple[str, str]) -> Formula:
    """What the sign is asked of: the polynomial, or the bell with its bias."""
    if isinstance(body, Quadratic):
        return quadratic_formula(body, inputs)
    bell = bell_formula(body, inputs)
    return bell if body.bias.is_zero else sum_of([bell, polynomial_formula(body.bias)])


def bell_formula(bell: Bell, inputs: tuple[str, str], *, with_amplitude: bool = True) -> Formula:
    """The exponential of a bell, without its bias."""
    found = exponential_of(quadratic_formula(bell.exponent, inputs))
    return times(polynomial_formula(bell.amplitude), found) if with_amplitude else found


def exponential_of(exponent: Formula) -> Formula:
    """The exponential of the negative of something."""
    inner = bracketed(exponent, also_negative=True)
    sign = "" if inner.plain == "0" else "-"
    return Formula(f"exp({sign}{inner.plain})", rf"\exp\left({sign}{inner.latex}\right)")


def root(inside: Formula) -> Formula:
    """A square root."""
    return Formula(f"sqrt({inside.plain})", rf"\sqrt{{{inside.latex}}}")


def over(top: Formula, bottom: Formula) -> Formula:
    """A quotient; by 1 nothing changes."""
    if bottom.plain == "1":
        return top
    first, second = bracketed(top), bracketed(bottom)
    plain = second.plain if not any(each in second.plain for each in " /-") or second.plain[0] == "(" else None
    return Formula(f"{first.plain}/{plain or f'({second.plain})'}", rf"\frac{{{top.latex}}}{{{bottom.latex}}}")


def negative(formula: Formula) -> Formula:
    """The formula with its sign turned.

    Example:
        >>> negative(Formula("b", "b")).plain, negative(Formula("-b", "-b")).plain, negative(Formula("0", "0")).plain
        ('-b', 'b', '0')
    """
    if formula.plain == "0":
        return formula
    inner = bracketed(formula)
    if inner.plain.startswith("-"):
        return Formula(inner.plain[1:], inner.latex[1:])
    return Formula(f"-{inner.plain}", f"-{inner.latex}")


def equal(*sides: Formula, sign: str = "=") -> Formula:
    """Sides with a sign between them."""
    latex = {"≥": r"\geq", "≤": r"\leq", "≈": r"\approx"}.get(sign, sign)
    return Formula(f" {sign} ".join(each.plain for each in sides), f" {latex} ".join(each.latex for each in sides))


def inverse_times(weight: Polynomial, what: Formula) -> Formula:
    """Something divided by a weight, whose fractions are turned round.

    Example:
        >>> from heldout.anatomy.neurons.polynomials import number
        >>> inverse_times(number(Fraction(1, 4)), Formula("L", "L")).plain
        '4 L'
    """
    top, bottom = _parted(weight)
    if bottom is None:
        return over(what, polynomial_formula(weight))
    sign = "-" if what.plain.startswith("-") else ""
    product = times(bottom, Formula(what.plain.removeprefix("-"), what.latex.removeprefix("-")))
    return over(Formula(sign + product.plain, sign + product.latex), top)


def _parted(weight: Polynomial) -> tuple[Formula, Formula | None]:
    """What stands above and below the line of a single term; None where nothing stands below."""
    if len(weight.terms) != 1:
        return polynomial_formula(weight), None
    ((monomial, factor),) = weight.terms.items()
    below = [(word, -power) for word, power in monomial if power < 0]
    is_short = len(number_formula(factor).plain) <= _SHORT and "/" not in number_formula(factor).plain
    if not below and (factor.denominator == 1 or is_short or factor.denominator > _LARGEST):
        return polynomial_formula(weight), None
    above = [(word, power) for word, power in monomial if power > 0]
    return _factors(factor.numerator, above), _factors(factor.denominator, below)


def _is_sum(plain: str) -> bool:
    """Whether there is a + or a - outside of all brackets."""
    depth = 0
    for place, letter in enumerate(plain):
        depth += (letter == "(") - (letter == ")")
        if not depth and plain[place : place + 3] in {" + ", " - "}:
            return True
    return False


def _squared(formula: Formula) -> Formula:
    inner = bracketed(formula)
    return Formula(f"{inner.plain}^2", f"{inner.latex}^2" if inner is not formula else f"{{{inner.latex}}}^2")


def _factors(factor: Fraction | int, names: Sequence[tuple[str, int]]) -> Formula:
    """A number before names with powers above 0."""
    powers = [
        Formula(word if power == 1 else f"{word}^{power}", _power_latex(name_latex(word), power))
        for word, power in names
    ]
    product = Formula(" ".join(each.plain for each in powers), " ".join(each.latex for each in powers))
    before = number_formula(Fraction(factor))
    return times(before, product) if powers else before


def _power_latex(latex: str, power: int) -> str:
    return latex if power == 1 else f"{{{latex}}}^{{{power}}}"
