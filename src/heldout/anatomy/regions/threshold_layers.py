"""A third layer where one neuron over the units is not enough: an OR of ANDs, a convex piece an AND."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from heldout.anatomy.regions.rules import code_of
from heldout.anatomy.regions.threshold_readouts import Readout, counting_weights, readout_of
from heldout.anatomy.regions.threshold_units import Neuron, Pattern, Step, UnitValues


@dataclass(frozen=True, slots=True)
class Term:
    """A convex piece: all points at which some units fire and some others do not.

    Attributes:
        on: The units that fire, by position.
        off: The units that do not.
    """

    on: tuple[int, ...]
    off: tuple[int, ...]

    def holds(self, pattern: Pattern) -> bool:
        """Whether a pattern belongs to the piece."""
        return all(pattern[unit] for unit in self.on) and not any(pattern[unit] for unit in self.off)


@dataclass(frozen=True, slots=True)
class Layers:
    """A layer of ANDs and an OR over them.

    Attributes:
        terms: The pieces.
        ands: One neuron a piece.
        last: The OR of the pieces' neurons.
    """

    terms: tuple[Term, ...]
    ands: tuple[Readout, ...]
    last: Readout

    @property
    def neurons(self) -> tuple[tuple[Neuron, ...], ...]:
        """Both layers, as `Network.layers` takes them."""
        return tuple(each.neuron for each in self.ands), (self.last.neuron,)


def layers_for(wanted: Collection[Pattern], unwanted: Collection[Pattern], *, values: UnitValues, step: Step) -> Layers:
    """An OR of ANDs that fires for the wanted patterns alone; with few ANDs, though not always with the fewest.

    Args:
        wanted: The patterns for which it is to fire; at least one.
        unwanted: Those for which it is not.
        values: What a hidden unit gives out, in both hidden layers.
        step: Where a neuron fires.

    Example:
        >>> exclusive = layers_for([(True, False), (False, True)], [(False, False), (True, True)],
        ...     values=UnitValues(Fraction(0), Fraction(1)), step=Step.AT_ZERO)
        >>> [(term.on, term.off) for term in exclusive.terms]
        [((0,), (1,)), ((1,), (0,))]
    """
    terms = covering_terms(sorted(wanted, reverse=True), sorted(unwanted, reverse=True))
    cells = [*wanted, *unwanted]
    ands = tuple(_and_of(term, cells, values=values, step=step) for term in terms)
    fired = {cell: tuple(term.holds(cell) for term in terms) for cell in cells}
    last = readout_of(
        counting_weights(len(terms), values),
        {fired[cell] for cell in wanted},
        {fired[cell] for cell in unwanted},
        values=values,
        step=step,
    )
    assert last is not None, "an unwanted cell belongs to no piece"
    return Layers(terms, ands, last)


def covering_terms(wanted: Sequence[Pattern], unwanted: Sequence[Pattern]) -> tuple[Term, ...]:
    """Pieces that hold every wanted pattern and no unwanted one, chosen greedily: the largest gain first.

    Args:
        wanted: At least one.
        unwanted: Any, none of them wanted.
    """
    codes, other_codes = ([code_of(pattern) for pattern in side] for side in (wanted, unwanted))
    candidates = dict.fromkeys(_grown(pattern, codes, other_codes) for pattern in wanted)
    held = {term: {pattern for pattern in wanted if term.holds(pattern)} for term in candidates}
    left: set[Pattern] = set(wanted)
    chosen: list[Term] = []
    while left:
        best = max(held, key=lambda term: (len(held[term] & left), -len(term.on) - len(term.off)))
        chosen.append(best)
        left -= held[best]
    for term in tuple(chosen):
        others = [each for each in chosen if each is not term]
        if others and set(wanted) <= set().union(*(held[each] for each in others)):
            chosen = others
    return tuple(chosen)


def _grown(pattern: Pattern, wanted: Sequence[int], unwanted: Sequence[int]) -> Term:
    """The piece of one pattern, with one condition after the other dropped: the one that gains most first."""
    own, left = code_of(pattern), (1 << len(pattern)) - 1
    differences, gains = ([own ^ other for other in side] for side in (unwanted, wanted))
    while True:
        # Without such a condition, an unwanted pattern that differs in nothing else would belong to the piece.
        needed = {met for each in differences if (met := each & left).bit_count() == 1}
        free = [unit for unit in range(len(pattern)) if left >> unit & 1 and 1 << unit not in needed]
        if not free:
            break
        gained = Counter(met for each in gains if (met := each & left).bit_count() == 1)
        # Of equals a unit that is off goes first, then the last: conditions that hold read more easily.
        dropped = max((gained[1 << unit], not pattern[unit], unit) for unit in free)[2]
        left &= ~(1 << dropped)
    kept = [unit for unit in range(len(pattern)) if left >> unit & 1]
    return Term(tuple(unit for unit in kept if pattern[unit]), tuple(unit for unit in kept if not pattern[unit]))


def _and_of(term: Term, cells: Sequence[Pattern], *, values: UnitValues, step: Step) -> Readout:
    n_units = len(cells[0])
    signs = [(unit in term.on) - (unit in term.off) for unit in range(n_units)]
    weights = [Fraction(sign * values.direction) for sign in signs]
    inside = [cell for cell in cells if term.holds(cell)]
    found = readout_of(weights, inside, [cell for cell in cells if not term.holds(cell)], values=values, step=step)
    assert found is not None, "outside of a piece fewer of its conditions hold"
    return found
