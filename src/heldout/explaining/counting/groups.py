"""The layers of a network, gathered by the first parts of their names: a row for a block or a stage."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from heldout.anatomy.counting.counts import Count, LayerCount, Operations, Parameters, ReceptiveField

# Where the user does not say how deep to go, as deep as gives no more rows: about what a terminal shows at once.
MOST_ROWS = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One layer, or several whose names begin alike.

    Attributes:
        name: What the names begin with; the whole name of one layer.
        kind: The class of the module or the name of the function.
        n_layers: How many are in it.
        output_shape: Of the last of them, without the batch axis.
        parameters: Of all of them.
        forward: Of all of them.
        backward: Of all of them.
        activation_bytes: Of all of them.
        receptive_field: Of the last of them.
    """

    name: str
    kind: str
    n_layers: int
    output_shape: tuple[int, ...]
    parameters: Parameters
    forward: Operations
    backward: Operations
    activation_bytes: int
    receptive_field: ReceptiveField | None


def rows_of(count: Count, *, depth: int | None = None, kinds: Mapping[str, str] | None = None) -> tuple[Row, ...]:
    """The network in the order in which it is run.

    Args:
        count: Of the network.
        depth: How many parts of the dotted names are told apart; None goes as deep as gives at most `MOST_ROWS` rows.
        kinds: The class of each module by its dotted name, for the rows that gather several layers.
    """
    chosen = deepest(count) if depth is None else depth
    gathered: dict[str, list[LayerCount]] = {}
    for layer in count.layers:
        gathered.setdefault(beginning(layer.name, chosen), []).append(layer)
    return tuple(_row(name, layers, kinds or {}) for name, layers in gathered.items())


def deepest(count: Count) -> int:
    """The greatest depth that gives at most `MOST_ROWS` rows, and at least 1.

    Example:
        >>> layer = LayerCount("a.b", "ReLU", (1,), Parameters(), Operations(), Operations(), 4, None)
        >>> deepest(Count("net", (1,), (layer,), Parameters()))
        2
    """
    names = [layer.name for layer in count.layers]
    depths = range(1, max((name.count(".") + 1 for name in names), default=1) + 1)
    fitting = [depth for depth in depths if len({beginning(name, depth) for name in names}) <= MOST_ROWS]
    return max(fitting, default=1)


def beginning(name: str, depth: int) -> str:
    """The first parts of a dotted name.

    Example:
        >>> beginning("layer1.0.conv1", 2), beginning("fc", 2)
        ('layer1.0', 'fc')
    """
    return ".".join(name.split(".")[:depth])


def total(parts: Iterable[Operations]) -> Operations:
    """All of them together."""
    return sum(parts, Operations())


def _row(name: str, layers: Sequence[LayerCount], kinds: Mapping[str, str]) -> Row:
    last = layers[-1]
    kind = last.kind if len(layers) == 1 and last.name == name else kinds.get(name, f"{len(layers)} layers")
    return Row(
        name=name,
        kind=kind,
        n_layers=len(layers),
        output_shape=last.output_shape,
        parameters=sum((layer.parameters for layer in layers), Parameters()),
        forward=total(layer.forward for layer in layers),
        backward=total(layer.backward for layer in layers),
        activation_bytes=sum(layer.activation_bytes for layer in layers),
        receptive_field=last.receptive_field,
    )
