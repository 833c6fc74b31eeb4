"""Where the boxes of a graph go: layers from left to right, few crossings, edges that are as straight as they can be.

Source: Sugiyama, Tagawa & Toda, Methods for visual understanding of hierarchical system structures, IEEE Transactions
on Systems, Man and Cybernetics 11, 1981: layers, stand-ins for long edges, barycentres.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_SWEEPS = 12
# As high as the words of a slope.
_STAND_IN = 0.12
_PULL_OF_A_START = 0.05


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything goes. Heights are in the unit of the box heights, from the lowest box up.

    Attributes:
        layers: Of each box, from 0 at the left.
        heights: The middle of each box.
        bends: Where each edge passes through the layers between its ends: layer and height, from left to right.
        low: Below everything.
        high: Above everything.
    """

    layers: tuple[int, ...]
    heights: tuple[float, ...]
    bends: Mapping[tuple[int, int], tuple[tuple[int, float], ...]]
    low: float
    high: float


def layout(n_boxes: int, edges: Sequence[tuple[int, int]], tall: Sequence[float], *, gap: float) -> Layout:
    """Where the boxes of a graph go.

    Args:
        n_boxes: How many there are; each comes after those from which edges lead to it.
        edges: From one box to another.
        tall: The height of each box.
        gap: Between two boxes of a layer.

    Example:
        >>> layout(3, [(0, 1), (1, 2)], [1.0, 1.0, 1.0], gap=0.5).layers
        (0, 1, 2)
    """
    layers = _layers(n_boxes, edges)
    chains, places = _with_stand_ins(edges, layers)
    heights = [*tall, *[_STAND_IN] * (len(places) - n_boxes)]
    rows = _rows(places)
    pairs = [pair for chain in chains.values() for pair in pairwise(chain)]
    before, after = _neighbours(pairs, len(places))
    rows = _ordered(rows, before, after)
    middles = _middles(rows, before, after, heights, gap, [chain for chain in chains.values() if len(chain) > 2])
    bends = {edge: tuple((places[each], middles[each]) for each in chain[1:-1]) for edge, chain in chains.items()}
    return Layout(
        tuple(layers),
        tuple(middles[:n_boxes]),
        bends,
        min(middle - high / 2 for middle, high in zip(middles, heights, strict=True)),
        max(middle + high / 2 for middle, high in zip(middles, heights, strict=True)),
    )


def _layers(n_boxes: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """As far left as can be, but what begins a path stands right before where it is first used."""
    layers = [0] * n_boxes
    for start, end in sorted(edges, key=lambda edge: edge[1]):
        layers[end] = max(layers[end], layers[start] + 1)
    has_before = {end for _, end in edges}
    for box in range(n_boxes):
        used = [layers[end] for start, end in edges if start == box]
        if box not in has_before and used:
            layers[box] = min(used) - 1
    return layers


def _with_stand_ins(
    edges: Sequence[tuple[int, int]], layers: Sequence[int]
) -> tuple[dict[tuple[int, int], list[int]], list[int]]:
    """Each edge as a chain of boxes and stand-ins, one a layer; and the layer of every one of them."""
    places = list(layers)
    chains: dict[tuple[int, int], list[int]] = {}
    for start, end in edges:
        between = range(layers[start] + 1, layers[end])
        chains[start, end] = [start, *range(len(places), len(places) + len(between)), end]
        places.extend(between)
    return chains, places


def _rows(places: Sequence[int]) -> list[list[int]]:
    rows: list[list[int]] = [[] for _ in range(max(places) + 1)]
    for each, layer in enumerate(places):
        rows[layer].append(each)
    return rows


def _neighbours(pairs: Sequence[tuple[int, int]], n: int) -> tuple[list[list[int]], list[list[int]]]:
    before: list[list[int]] = [[] for _ in range(n)]
    after: list[list[int]] = [[] for _ in range(n)]
    for start, end in pairs:
        before[end].append(start)
        after[start].append(end)
    return before, after


def _ordered(rows: list[list[int]], before: list[list[int]], after: list[list[int]]) -> list[list[int]]:
    """The rows in the order with the fewest crossings that was met: each by the mean place of its neighbours."""
    best, fewest = [list(row) for row in rows], _crossings(rows, after)
    for sweep in range(_SWEEPS):
        forwards = sweep % 2 == 0
        neighbours = before if forwards else after
        indices = range(1, len(rows)) if forwards else range(len(rows) - 2, -1, -1)
        for index in indices:
            beside = {each: place for place, each in enumerate(rows[index - 1 if forwards else index + 1])}
            rows[index] = _by_barycentre(rows[index], neighbours, beside)
        n = _crossings(rows, after)
        if n < fewest:
            best, fewest = [list(row) for row in rows], n
    return best


def _by_barycentre(row: list[int], neighbours: list[list[int]], beside: Mapping[int, int]) -> list[int]:
    own = {each: place for place, each in enumerate(row)}

    def mean(each: int) -> float:
        places = [beside[other] for other in neighbours[each]]
        # What has no neighbour there keeps its place, seen relative to the row.
        return sum(places) / len(places) if places else own[each] * len(beside) / len(row)

    return sorted(row, key=mean)


def _crossings(rows: list[list[int]], after: list[list[int]]) -> int:
    n = 0
    for row, following in pairwise(rows):
        place = {each: index for index, each in enumerate(following)}
        ends = [sorted(place[other] for other in after[each]) for each in row]
        for index, mine in enumerate(ends):
            n += sum(one > other for later in ends[index + 1 :] for one in mine for other in later)
    return n


def _middles(
    rows: list[list[int]],
    before: list[list[int]],
    after: list[list[int]],
    heights: Sequence[float],
    gap: float,
    chains: Sequence[Sequence[int]],
) -> list[float]:
    """Heights at which neighbours are level as far as the order and the gaps allow."""
    middles = [0.0] * len(heights)
    for row in rows:
        _place(row, [0.0] * len(row), heights, gap, [1.0] * len(heights), middles)
    whole = {each: chain for chain in chains for each in chain[1:-1]}
    # What begins a path follows those that use it, rather than pulling them.
    pulls = [1.0 if each else _PULL_OF_A_START for each in before]
    for sweep in range(4 * _SWEEPS):
        forwards = sweep % 2 == 0
        for row in rows if forwards else rows[::-1]:
            wishes = []
            for each in row:
                # In the last sweeps both sides count, before that the one that was just placed.
                near = before[each] if forwards else after[each]
                near = before[each] + after[each] if sweep >= 2 * _SWEEPS or not near else near
                near = list(whole.get(each, near))  # a long edge is level all the way
                wishes.append(
                    _mean([middles[other] for other in near], [pulls[other] for other in near], middles[each])
                )
            _place(row, wishes, heights, gap, pulls, middles)
    return middles


def _place(
    row: Sequence[int],
    wishes: Sequence[float],
    heights: Sequence[float],
    gap: float,
    pulls: Sequence[float],
    middles: list[float],
) -> None:
    placed = spread(wishes, [heights[each] for each in row], gap, [pulls[each] for each in row])
    for each, middle in zip(row, placed, strict=True):
        middles[each] = middle


def _mean(heights: Sequence[float], pulls: Sequence[float], otherwise: float) -> float:
    if not heights:
        return otherwise
    return sum(height * pull for height, pull in zip(heights, pulls, strict=True)) / sum(pulls)


def spread(
    wishes: Sequence[float], heights: Sequence[float], gap: float, weights: Sequence[float] | None = None
) -> list[float]:
    """Middles as near to the wishes as their order and the gaps between them allow, by least squares.

    Args:
        wishes: Where each would like to be, in the order in which they stay.
        heights: Of each.
        gap: Between two neighbours.
        weights: How much each wish counts; all alike without them.

    Example:
        >>> spread([0.0, 0.0], [1.0, 1.0], 0.5)
        [-0.75, 0.75]
    """
    offsets = [0.0]
    for one, other in pairwise(heights):
        offsets.append(offsets[-1] + (one + other) / 2 + gap)
    # Without the gaps the middles only have to rise: pool neighbours that fall (isotonic regression).
    blocks: list[tuple[float, float, int]] = []  # mean, weight, how many
    for wish, offset, weight in zip(wishes, offsets, weights or [1.0] * len(wishes), strict=False):
        mean, total, n = wish - offset, weight, 1
        while blocks and blocks[-1][0] > mean:
            other, other_total, other_n = blocks.pop()
            mean = (mean * total + other * other_total) / (total + other_total)
            total, n = total + other_total, n + other_n
        blocks.append((mean, total, n))
    risen = [mean for mean, _, n in blocks for _ in range(n)]
    return [mean + offset for mean, offset in zip(risen, offsets, strict=False)]
