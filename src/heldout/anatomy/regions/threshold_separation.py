"""Can one threshold neuron tell two sets of patterns apart? Weights where it can, a certificate where it cannot.

Linear programming finds both in floats; both are then made whole numbers and verified in exact arithmetic.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement, permutations, product
from math import lcm

import numpy as np
from jaxtyping import Float

from heldout.anatomy.regions.half_planes import whole
from heldout.anatomy.regions.threshold_units import Pattern
from heldout.errors import HeldoutError

# Of the 2^(2^n) Boolean functions of n units, so many are one threshold neuron; for n = 1 to 4.
# Source: OEIS A000609; counted again in the tests.
SEPARABLE_FUNCTIONS = (4, 14, 104, 1882)
_DENOMINATORS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 24, 60, 120, 1000, 10**6)


@dataclass(frozen=True, slots=True)
class Certificate:
    """Why no weights and bias separate the patterns: two sums of patterns that are the same, term by term.

    Whatever the weights, the sums over both sides are then equal too, with as many biases in each; yet the one would
    have to be positive and the other negative.

    Attributes:
        wanted: Patterns for which the neuron is to fire, with how often each is taken.
        unwanted: Patterns for which it is not, likewise.
        total: How often each unit fires on either side.
    """

    wanted: tuple[tuple[Pattern, int], ...]
    unwanted: tuple[tuple[Pattern, int], ...]
    total: tuple[int, ...]

    @property
    def n_taken(self) -> int:
        """How many patterns stand on either side, counted as often as they are taken."""
        return sum(times for _, times in self.wanted)


def separating_weights(wanted: Collection[Pattern], unwanted: Collection[Pattern]) -> tuple[Fraction, ...] | None:
    """Weights with which every wanted pattern has a larger sum than every unwanted one; None where there are none.

    The smallest in total size for a gap of 2, as near as small numbers come; verified exactly.

    Args:
        wanted: Patterns for which a neuron is to fire.
        unwanted: Patterns for which it is not to.

    Raises:
        HeldoutError: Weights were found in floats that could not be verified.

    Example:
        >>> separating_weights([(True, False)], [(False, False), (True, True)])
        (Fraction(2, 1), Fraction(-2, 1))
        >>> separating_weights([(True, False), (False, True)], [(False, False), (True, True)]) is None
        True
    """
    n_units = len(next(iter([*wanted, *unwanted])))
    if not wanted or not unwanted:
        return (Fraction(0),) * n_units
    found = _weights_in_floats(list(wanted), list(unwanted))
    if found is None:
        return None
    for denominator in _DENOMINATORS:
        weights = [Fraction(float(weight)).limit_denominator(denominator) for weight in found]
        gap = _gap(weights, wanted, unwanted)
        if gap > 0:
            return _neatly_scaled(weights, gap)
    raise _unverified("the weights of a neuron")


def certificate_of(wanted: Collection[Pattern], unwanted: Collection[Pattern]) -> Certificate:
    """Why one neuron cannot do it: two patterns against two where that is enough, else what the dual program says.

    Args:
        wanted: Patterns for which a neuron is to fire.
        unwanted: Patterns for which it is not to; no neuron separates the two.

    Raises:
        HeldoutError: No certificate could be verified, as happens when one neuron can do it.

    Source: Farkas' lemma; two against two is "2-asummability", Hu, Threshold Logic (1965).
    """
    found = _two_against_two(wanted, unwanted) or _from_dual(list(wanted), list(unwanted))
    if found is None or not certifies(found, wanted, unwanted):
        raise _unverified("a proof that no neuron")
    return found


def certifies(certificate: Certificate, wanted: Collection[Pattern], unwanted: Collection[Pattern]) -> bool:
    """Whether a certificate holds, in whole numbers.

    Args:
        certificate: Any.
        wanted: The patterns that it may take on the one side.
        unwanted: The patterns that it may take on the other.
    """
    sides = (certificate.wanted, certificate.unwanted)
    sums = [
        [sum(times * pattern[unit] for pattern, times in side) for unit in range(len(certificate.total))]
        for side in sides
    ]
    n_taken = {sum(times for _, times in side) for side in sides}
    return (
        sums[0] == sums[1] == list(certificate.total)
        and len(n_taken) == 1
        and all(times > 0 for side in sides for _, times in side)
        and n_taken != {0}
        and all(pattern in wanted for pattern, _ in certificate.wanted)
        and all(pattern in unwanted for pattern, _ in certificate.unwanted)
    )


def count_separable(n_units: int) -> int:
    """How many of the 2^(2^n) Boolean functions of n units are one threshold neuron, by linear programming.

    One program for all functions that differ by the order of the units, by turned units, or by a turned answer.

    Args:
        n_units: 1 to 4; four take seconds.

    Example:
        >>> count_separable(2)
        14
    """
    assert 1 <= n_units <= len(SEPARABLE_FUNCTIONS), f"{n_units} units have too many functions"
    patterns = list(product((False, True), repeat=n_units))
    moves = _symmetries(patterns)
    seen = np.zeros(2 ** len(patterns), dtype=bool)
    bits = 1 << np.arange(len(patterns), dtype=np.int64)
    n_separable = 0
    for code in range(len(seen)):
        if seen[code]:
            continue
        answers = (code & bits) > 0
        alike = answers[moves] @ bits
        alike = np.unique([alike, bits.sum() - alike])
        seen[alike] = True
        wanted = [pattern for pattern, answer in zip(patterns, answers, strict=True) if answer]
        unwanted = [pattern for pattern, answer in zip(patterns, answers, strict=True) if not answer]
        if separating_weights(wanted, unwanted) is not None:
            n_separable += len(alike)
    return n_separable


def _symmetries(patterns: Sequence[Pattern]) -> np.ndarray:
    """A row of positions for every order of the units and every choice of turned units."""
    position = {pattern: index for index, pattern in enumerate(patterns)}
    n_units = len(patterns[0])
    rows = [
        [
            position[tuple(pattern[unit] != turn for unit, turn in zip(order, turned, strict=True))]
            for pattern in patterns
        ]
        for order in permutations(range(n_units))
        for turned in product((False, True), repeat=n_units)
    ]
    return np.array(rows)


def _weights_in_floats(wanted: Sequence[Pattern], unwanted: Sequence[Pattern]) -> Float[np.ndarray, " units"] | None:
    """The weights of the smallest total size with sums at least 1 from 0, by linear programming."""
    from scipy.optimize import linprog

    inputs = np.array([*wanted, *unwanted], dtype=float)
    signs = np.array([1.0] * len(wanted) + [-1.0] * len(unwanted))[:, None]
    n_units = inputs.shape[1]
    # The weights are a difference of two numbers that are not negative, and whose sum is the size.
    rows = np.hstack([inputs, -inputs, np.ones((len(inputs), 1))]) * -signs
    cost = np.concatenate([np.ones(2 * n_units), [0.0]])
    bounds = [(0, None)] * (2 * n_units) + [(None, None)]
    solved = linprog(cost, A_ub=rows, b_ub=-np.ones(len(inputs)), bounds=bounds, method="highs")
    return solved.x[:n_units] - solved.x[n_units : 2 * n_units] if solved.status == 0 else None


def _gap(weights: Sequence[Fraction], wanted: Collection[Pattern], unwanted: Collection[Pattern]) -> Fraction:
    """The lowest sum of a wanted pattern less the highest of an unwanted one."""
    lowest, highest = (
        bound(
            sum((weight for weight, fires in zip(weights, pattern, strict=True) if fires), Fraction(0))
            for pattern in side
        )
        for bound, side in ((min, wanted), (max, unwanted))
    )
    return lowest - highest


def _neatly_scaled(weights: Sequence[Fraction], gap: Fraction) -> tuple[Fraction, ...]:
    """With a gap of 2, so that sums are 1 or more from 0, where that leaves whole numbers; else as coprime ones."""
    scaled = tuple(2 * weight / gap for weight in weights)
    if all(weight.denominator == 1 for weight in scaled):
        return scaled
    return tuple(Fraction(number) for number in whole(weights))


def _two_against_two(wanted: Collection[Pattern], unwanted: Collection[Pattern]) -> Certificate | None:
    """Two wanted patterns with the same sum as two unwanted ones; the same pattern may be taken twice."""
    pairs = {_sum(pair): pair for pair in combinations_with_replacement(_coded(wanted), 2)}
    for other in combinations_with_replacement(_coded(unwanted), 2):
        if _sum(other) in pairs:
            first, second = ([pattern for _, pattern in pair] for pair in (pairs[_sum(other)], other))
            total = tuple(sum(fires) for fires in zip(*first, strict=True))
            return Certificate(_times(first), _times(second), total)
    return None


def _coded(patterns: Collection[Pattern]) -> list[tuple[int, Pattern]]:
    """Each pattern with a number, of which the sum of two tells the sum of the patterns."""
    return [(sum(4**unit for unit, fires in enumerate(pattern) if fires), pattern) for pattern in sorted(patterns)]


def _sum(pair: tuple[tuple[int, Pattern], tuple[int, Pattern]]) -> int:
    return pair[0][0] + pair[1][0]


def _times(patterns: Sequence[Pattern]) -> tuple[tuple[Pattern, int], ...]:
    return tuple(Counter(patterns).items())


def _from_dual(wanted: Sequence[Pattern], unwanted: Sequence[Pattern]) -> Certificate | None:
    """Multipliers of the patterns by linear programming, made whole numbers."""
    from scipy.optimize import linprog

    inputs = np.array([*wanted, *unwanted], dtype=float)
    signs = np.array([1.0] * len(wanted) + [-1.0] * len(unwanted))
    balanced = np.vstack([(inputs * signs[:, None]).T, signs, signs > 0])
    right = np.zeros(len(balanced))
    right[-1] = 1
    solved = linprog(np.ones(len(inputs)), A_eq=balanced, b_eq=right, bounds=(0, None), method="highs-ds")
    if solved.status != 0:
        return None
    for denominator in (10, 100, 10**4, 10**7):
        times = [Fraction(float(each)).limit_denominator(denominator) for each in solved.x]
        common = lcm(*(each.denominator for each in times))
        taken = [int(each * common) for each in times]
        sides = [
            tuple((pattern, n) for pattern, n in zip(side, numbers, strict=True) if n)
            for side, numbers in ((wanted, taken[: len(wanted)]), (unwanted, taken[len(wanted) :]))
        ]
        total = tuple(sum(n * pattern[unit] for pattern, n in sides[0]) for unit in range(inputs.shape[1]))
        found = Certificate(sides[0], sides[1], total)
        if certifies(found, wanted, unwanted):
            return found
    return None


def _unverified(what: str) -> HeldoutError:
    return HeldoutError(
        f"{what} was found in floats, and could not be verified in exact arithmetic",
        expected="a linear program of ordinary numbers",
        fix="report this with the lines that were given; fewer lines may help",
    )
