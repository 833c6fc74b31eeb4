"""The tables of a count: a row a layer or a group of layers, and what one layer adds with and without a bias."""

from collections.abc import Sequence

from heldout.anatomy.counting.counts import Count, Parameters
from heldout.anatomy.counting.layer_words import shape_words
from heldout.explaining.counting.groups import Row
from heldout.explaining.counting.words import field_words
from heldout.explaining.document import Section, Table, Text


def layer_table(rows: Sequence[Row], count: Count) -> Section:
    """The network from the input to the output, with totals.

    Args:
        rows: As `rows_of` gathers them.
        count: Whose parameters are the total: what is not run has no row.
    """
    unused = _less(count.parameters, [row.parameters for row in rows])
    has_frozen, has_buffers = count.parameters.frozen > 0, count.parameters.buffers > 0
    columns = ["layer", "kind", "output", "parameters"]
    columns += ["frozen"] * has_frozen + ["buffers"] * has_buffers
    columns += ["multiply-adds", "activations, bytes", "receptive field"]

    def numbers(parameters: Parameters) -> list[str]:
        shown = [f"{parameters.trainable:,}"]
        shown += [f"{parameters.frozen:,}"] * has_frozen
        return shown + [f"{parameters.buffers:,}"] * has_buffers

    lines = [
        (
            row.name or row.kind,
            row.kind,
            shape_words(row.output_shape),
            *numbers(row.parameters),
            f"{row.forward.multiply_adds:,}",
            f"{row.activation_bytes:,}",
            field_words(row.receptive_field),
        )
        for row in rows
    ]
    if unused != Parameters():
        lines.append(("not run", "-", "-", *numbers(unused), "0", "0", "-"))
    whole = (f"{count.forward.multiply_adds:,}", f"{count.activation_bytes:,}", "")
    lines.append(("together", "", "", *numbers(count.parameters), *whole))
    if has_frozen:
        columns[3] = "learning"
    numeric = frozenset(range(3, len(columns) - 1))
    table = Table(tuple(columns), tuple(lines), numeric, total=True)
    return Section("Layer by layer", (*_gathered(rows, count), table))


def _less(whole: Parameters, parts: Sequence[Parameters]) -> Parameters:
    found = sum(parts, Parameters())
    return Parameters(whole.trainable - found.trainable, whole.frozen - found.frozen, whole.buffers - found.buffers)


def _gathered(rows: Sequence[Row], count: Count) -> tuple[Text, ...]:
    if len(rows) == len(count.layers):
        return ()
    return (
        Text(
            f"{len(count.layers):,} layers in {len(rows):,} rows: those of a row have names that begin alike "
            "(--depth says how much of a name). The output of a row is that of its last layer."
        ),
    )


def additions_table(count: Count) -> Table:
    """Every multiplication and addition of a layer whose outputs each may have a bias.

    Args:
        count: Of a convolution or a linear layer alone.
    """
    forward = count.forward
    within = forward.multiply_adds - forward.dot_products
    outputs = forward.other.get("bias adds", 0) or _n_outputs(count)
    columns = ("", "without bias", "with bias")
    products = forward.multiplications
    rows = (
        ("multiplications", f"{products:,}", f"{products:,}"),
        ("additions within the sums", f"{within:,}", f"{within:,}"),
        ("additions of the bias", "0", f"{outputs:,}"),
        ("together", f"{products + within:,}", f"{products + within + outputs:,}"),
    )
    return Table(columns, rows, frozenset({1, 2}), total=True)


def _n_outputs(count: Count) -> int:
    n = 1
    for length in count.layers[-1].output_shape:
        n *= length
    return n
