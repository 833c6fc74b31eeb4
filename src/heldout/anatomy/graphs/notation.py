"""How a formula is written: on a terminal, in LaTeX, and in a drawing."""

import re

from heldout.anatomy.graphs.operations import Number

_GREEK = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu"),
    *("xi", "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega"),
)
_LETTERS = dict(zip(_GREEK, "αβγδεζηθικλμνξπρστυφχψω", strict=True)) | {"lam": "λ"}
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LATEX_HEADS = {
    "sigmoid": r"\sigma",
    "exp": r"\exp",
    "log": r"\log",
    "sin": r"\sin",
    "cos": r"\cos",
    "tan": r"\tan",
    "tanh": r"\tanh",
}


class Notation:
    """One way to write. The methods take what is written already; brackets are the caller's care.

    Attributes:
        gap: Between two factors.
        sign_of_product: Before a factor that begins with a digit.
        has_bars: Whether a fraction, and an exponent, keeps its parts together without brackets.
    """

    gap = " "
    sign_of_product = " * "
    has_bars = False

    def bracket(self, text: str) -> str:
        """Brackets around something."""
        return f"({text})"

    def name(self, name: str) -> str:
        """A name."""
        raise NotImplementedError

    def derivative(self, of: str, by: str) -> str:
        """A derivative by its two names."""
        raise NotImplementedError

    def number(self, number: Number) -> str:
        """A number that is not negative."""
        raise NotImplementedError

    def call(self, function: str, argument: str) -> str:
        """A function of something."""
        raise NotImplementedError

    def power(self, base: str, exponent: str) -> str:
        """A power."""
        raise NotImplementedError

    def fraction(self, above: str, below: str, *, is_one: bool) -> str:
        """A quotient; `is_one` where a single factor stands below."""
        raise NotImplementedError


def short(number: Number) -> str:
    """A number as it was written, or in six digits.

    Example:
        >>> short(2.0), short(0.1), short(3.141592653589793)
        ('2', '0.1', '3.14159')
    """
    return f"{number:.6g}"


class Plain(Notation):
    """As a terminal shows it."""

    def name(self, name: str) -> str:
        """As it is."""
        return name

    def derivative(self, of: str, by: str) -> str:
        """Such as dL/dw1."""
        return f"d{of}/d{by}"

    def number(self, number: Number) -> str:
        """In at most six digits."""
        return short(number)

    def call(self, function: str, argument: str) -> str:
        """Such as sigmoid(z)."""
        return f"{function}({argument})"

    def power(self, base: str, exponent: str) -> str:
        """Such as z^2."""
        return f"{base}^{exponent}"

    def fraction(self, above: str, below: str, *, is_one: bool) -> str:
        """Such as a/(b c)."""
        return f"{above}/{below}" if is_one else f"{above}/({below})"


class Latex(Notation):
    """As LaTeX wants it, and matplotlib's mathtext."""

    gap = r" \, "
    sign_of_product = r" \cdot "
    has_bars = True

    def bracket(self, text: str) -> str:
        """Brackets that grow with a fraction."""
        return rf"\left({text}\right)" if r"\frac" in text else f"({text})"

    def name(self, name: str) -> str:
        r"""Such as w_{1} or \phi."""
        stem, _, index = _parts(name)
        letter = _latin(stem)
        if letter in _GREEK:
            shown = letter if letter == "omicron" else f"\\{letter}"
        else:
            shown = stem if len(stem) == 1 else rf"\mathrm{{{stem}}}"
        if not index:
            return shown
        below = index if index.isdecimal() or len(index) == 1 else rf"\mathrm{{{index}}}"
        return f"{shown}_{{{below}}}"

    def derivative(self, of: str, by: str) -> str:
        """As a fraction of partials."""
        return rf"\frac{{\partial {self.name(of)}}}{{\partial {self.name(by)}}}"

    def number(self, number: Number) -> str:
        """In at most six digits; a power of ten is written out."""
        digits, _, exponent = short(number).partition("e")
        return rf"{digits} \cdot 10^{{{int(exponent)}}}" if exponent else digits

    def call(self, function: str, argument: str) -> str:
        """With the function's own sign where it has one."""
        if function == "sqrt":
            return rf"\sqrt{{{argument}}}"
        if function == "abs":
            return rf"\left|{argument}\right|"
        return _LATEX_HEADS.get(function, rf"\mathrm{{{function}}}") + self.bracket(argument)

    def power(self, base: str, exponent: str) -> str:
        """With the exponent raised."""
        return f"{base}^{{{exponent}}}"

    def fraction(self, above: str, below: str, *, is_one: bool) -> str:
        """With a bar."""
        return rf"\frac{{{above}}}{{{below}}}"


class Drawn(Plain):
    """As a drawing shows it: Greek letters, small indices."""

    def name(self, name: str) -> str:
        """Such as w₁ or φ."""
        stem, gap, index = _parts(name)
        letter = _LETTERS.get(stem, stem)
        return letter + (index.translate(_SUBSCRIPTS) if index.isdecimal() else gap + index)

    def derivative(self, of: str, by: str) -> str:
        """Such as ∂L/∂w₁."""
        return f"∂{self.name(of)}/∂{self.name(by)}"

    def call(self, function: str, argument: str) -> str:
        """With σ and √ for two functions."""
        if function == "abs":
            return f"|{argument}|"
        return f"{ {'sigmoid': 'σ', 'sqrt': '√'}.get(function, function) }({argument})"

    def power(self, base: str, exponent: str) -> str:
        """With a small 2 or 3."""
        return f"{base}{ {'2': '²', '3': '³'}.get(exponent, '^' + exponent) }"


PLAIN, LATEX, DRAWN = Plain(), Latex(), Drawn()


def _parts(name: str) -> tuple[str, str, str]:
    r"""Stem, gap and index: `w_in` is w with the index in, `w12` is w with 12."""
    stem, gap, index = name.partition("_")
    if gap and stem and index:
        return stem, gap, index.replace("_", ",")
    match = re.fullmatch(r"(.*?\D)(\d+)", name.replace("_", ""))
    return (match[1], "", match[2]) if match else (name.replace("_", ""), "", "")


def _latin(stem: str) -> str:
    by_letter = {letter: name for name, letter in _LETTERS.items() if name != "lam"}
    return by_letter.get(stem, "lambda" if stem == "lam" else stem)
