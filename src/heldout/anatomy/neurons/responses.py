"""What an activation makes of z: its values on both sides of the line, on it, and where it is 0 itself."""

from dataclasses import dataclass
from fractions import Fraction

from heldout.anatomy.neurons.neurons import as_float
from heldout.anatomy.neurons.zero_levels import logarithm


@dataclass(frozen=True, slots=True)
class Response:
    """What an activation makes of z, as scale * kind(z) + shift.

    Attributes:
        kind: Its name.
        low: What it nears or has far on the negative side; None where it has no bound.
        high: Far on the positive side.
        on_line: Where z is 0; None for a step, where it is a matter of convention.
        steepness: How fast it grows a unit of z, at z = 0; None where it jumps or bends.
        zero: The z where it is 0; None where it is so for no single z.
        zero_side: The side where it is 0 all along: 1, -1, or 0 for neither.
    """

    kind: str
    low: float | None
    high: float | None
    on_line: float | None
    steepness: float | None
    zero: float | None
    zero_side: int


# Of z: far on the negative side, far on the positive one, at 0, and its derivative there.
_VALUES: dict[str, tuple[Fraction | None, Fraction | None, Fraction | None, Fraction | None]] = {
    "step": (Fraction(0), Fraction(1), None, None),
    "sign": (Fraction(-1), Fraction(1), Fraction(0), None),
    "sigmoid": (Fraction(0), Fraction(1), Fraction(1, 2), Fraction(1, 4)),
    "tanh": (Fraction(-1), Fraction(1), Fraction(0), Fraction(1)),
    "relu": (Fraction(0), None, Fraction(0), None),
}


def response_of(kind: str, scale: Fraction, shift: Fraction) -> Response:
    """What an activation makes of z.

    Args:
        kind: `step`, `sign`, `sigmoid`, `tanh` or `relu`.
        scale: What it is multiplied by; not 0.
        shift: What is added then.

    Example:
        >>> found = response_of("step", Fraction(3, 10), Fraction(1, 5))
        >>> found.low, found.high, found.zero_side
        (0.2, 0.5, 0)
        >>> response_of("sigmoid", Fraction(1), Fraction(-1, 2)).zero
        0.0
    """
    low, high, on_line, steepness = _VALUES[kind]
    wanted = -shift / scale
    side = -1 if wanted == low else 1 if high is not None and wanted == high else 0

    def scaled(value: Fraction | None) -> float | None:
        return None if value is None else as_float(scale * value + shift)

    return Response(
        kind,
        scaled(low),
        scaled(high),
        scaled(on_line),
        None if steepness is None else as_float(scale * steepness),
        _zero(kind, wanted),
        # Sigmoid and tanh only come near to their ends.
        0 if kind in {"sigmoid", "tanh"} else side,
    )


def _zero(kind: str, wanted: Fraction) -> float | None:
    """The single z at which the activation alone has a value; None where there is none."""
    if kind == "sigmoid" and 0 < wanted < 1:
        return logarithm(wanted / (1 - wanted))
    if kind == "tanh" and abs(wanted) < 1:
        return logarithm((1 + wanted) / (1 - wanted)) / 2
    if kind == "relu" and wanted > 0:
        return as_float(wanted)
    return 0.0 if kind == "sign" and wanted == 0 else None
