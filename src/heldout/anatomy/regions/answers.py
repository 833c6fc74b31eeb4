"""The answer to "which network has this region?": one neuron over the units, or a layer more where that is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from heldout.anatomy.regions.half_planes import HalfPlane
from heldout.anatomy.regions.line_arrangements import Arrangement, Cell, arrangement_of
from heldout.anatomy.regions.rules import AtLeast, Rule
from heldout.anatomy.regions.threshold_layers import Layers, layers_for
from heldout.anatomy.regions.threshold_readouts import (
    Readout,
    contradicting_units,
    counting_interval,
    counting_weights,
    readout_of,
    redundant_units,
    units_to_keep,
)
from heldout.anatomy.regions.threshold_separation import Certificate, certificate_of, separating_weights
from heldout.anatomy.regions.threshold_units import Interval, Network, Pattern, Step, UnitValues


@dataclass(frozen=True, slots=True)
class Conjunction:
    """What the AND of all half-planes is.

    Attributes:
        cell: Their common part; None where there is none.
        redundant: The half-planes that it does without, each by itself.
        kept: As few as have the same common part.
        interval: The biases for the AND of the kept ones alone, with weights of 1.
        contradiction: The smallest set without a common point; empty where there is one.
    """

    cell: Cell | None
    redundant: tuple[int, ...]
    kept: tuple[int, ...]
    interval: Interval
    contradiction: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """A network for a region, and why it is right.

    Attributes:
        rule: Which points are wanted.
        values: What a hidden unit gives out.
        arrangement: The cells of the half-planes' lines.
        wanted: The patterns of the wanted cells.
        unwanted: Those of the others.
        k: The region is where at least so many units fire; None where it is no such region.
        nominal: The interval of the biases for `k` where every one of the 2^n patterns may come; None without `k`.
        readout: The one neuron over the units that does it; None where none does.
        certificate: Why no one neuron does it; None where one does.
        layers: An OR of ANDs that does it, where it was asked for or is needed.
        conjunction: What the AND of all half-planes is.
    """

    rule: Rule
    values: UnitValues
    arrangement: Arrangement
    wanted: tuple[Pattern, ...]
    unwanted: tuple[Pattern, ...]
    k: int | None
    nominal: Interval | None
    readout: Readout | None
    certificate: Certificate | None
    layers: Layers | None
    conjunction: Conjunction

    @property
    def networks(self) -> tuple[Network, ...]:
        """Every network that was made for the region, the one with fewer layers first."""
        single = [] if self.readout is None else [((self.readout.neuron,),)]
        layered = [] if self.layers is None else [self.layers.neurons]
        plane = self.arrangement
        return tuple(Network(plane.half_planes, self.values, plane.step, layers) for layers in (*single, *layered))

    @property
    def area(self) -> Fraction | None:
        """Of the wanted region; None where it goes on for ever."""
        areas = [cell.area for cell in self.arrangement.cells if cell.pattern in set(self.wanted)]
        return None if None in areas else sum((area for area in areas if area is not None), Fraction(0))


def region_answer(
    half_planes: Sequence[HalfPlane], rule: Rule, *, values: UnitValues, step: Step, with_layers: bool = False
) -> Answer:
    """A network whose region is that of the rule.

    Args:
        half_planes: A unit each; at most 24.
        rule: Which points are wanted. All points of a cell are, or none.
        values: What a hidden unit gives out.
        step: Where a unit fires.
        with_layers: Whether the OR of ANDs is made even where one neuron is enough.

    Raises:
        UsageError: There are no half-planes, or too many.
    """
    arrangement = arrangement_of(half_planes, step)
    holds = {cell.pattern: rule.holds(cell.pattern, cell.point) for cell in arrangement.cells}
    wanted = tuple(pattern for pattern, is_wanted in holds.items() if is_wanted)
    unwanted = tuple(pattern for pattern, is_wanted in holds.items() if not is_wanted)
    k = rule.k if isinstance(rule, AtLeast) else _enough(wanted, unwanted, len(half_planes))
    weights = counting_weights(len(half_planes), values) if k else _weights(wanted, unwanted, values)
    is_possible = weights is not None
    return Answer(
        rule,
        values,
        arrangement,
        wanted,
        unwanted,
        k,
        counting_interval(len(half_planes), k, values=values, step=step) if k else None,
        None if weights is None else readout_of(weights, wanted, unwanted, values=values, step=step),
        None if is_possible else certificate_of(wanted, unwanted),
        layers_for(wanted, unwanted, values=values, step=step) if wanted and (with_layers or not is_possible) else None,
        _conjunction(arrangement, values),
    )


def _enough(wanted: Sequence[Pattern], unwanted: Sequence[Pattern], n_units: int) -> int | None:
    """The number of units of which any so many are enough, or None; the largest where cells leave a choice."""
    fewest = min((sum(pattern) for pattern in wanted), default=0)
    most = max((sum(pattern) for pattern in unwanted), default=0)
    return fewest if wanted and most < fewest <= n_units else None


def _weights(wanted: Sequence[Pattern], unwanted: Sequence[Pattern], values: UnitValues) -> tuple[Fraction, ...] | None:
    """Weights for units of any two values: those for 0 and 1, turned where firing lowers the output."""
    found = separating_weights(wanted, unwanted)
    return None if found is None else tuple(values.direction * weight for weight in found)


def _conjunction(arrangement: Arrangement, values: UnitValues) -> Conjunction:
    patterns = {cell.pattern for cell in arrangement.cells}
    kept = units_to_keep(patterns)
    found = {tuple(pattern[unit] for unit in kept) for pattern in patterns}
    wanted = found & {(True,) * len(kept)}
    weights = counting_weights(len(kept), values)
    readout = readout_of(weights, wanted, found - wanted, values=values, step=arrangement.step)
    assert readout is not None, "fewer units that fire give a smaller sum"
    return Conjunction(
        next((cell for cell in arrangement.cells if all(cell.pattern)), None),
        redundant_units(patterns),
        kept,
        readout.interval,
        contradicting_units(patterns),
    )
