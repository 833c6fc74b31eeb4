"""The arithmetic of a window that slides along one axis: how long the result is, and which products it takes.

Letters: a window of k taps, `dilation` apart, moves by `stride` over `length` entries.
"""


def output_length(length: int, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """How many places a window has: floor((length + padding - dilation (k - 1) - 1) / stride) + 1.

    Args:
        length: Entries of the axis.
        kernel: Taps of the window.
        stride: From one place to the next.
        padding: On both sides together.
        dilation: From one tap to the next.

    Example:
        >>> output_length(64, 8, stride=4)
        15
    """
    return (length + padding - dilation * (kernel - 1) - 1) // stride + 1


def transposed_length(length: int, kernel: int, *, stride: int, padding: int, dilation: int, more: int) -> int:
    """How long the result of a transposed convolution is along one axis.

    Args:
        length: Entries of the input's axis.
        kernel: Taps of the window.
        stride: From one entry's window to the next one's.
        padding: Cut off from both sides together.
        dilation: From one tap to the next.
        more: The output padding: added at the end.

    Example:
        >>> transposed_length(48, 3, stride=2, padding=2, dilation=1, more=1)
        96
    """
    return (length - 1) * stride - padding + dilation * (kernel - 1) + more + 1


def products_on_data(
    data: range, kernel: int, *, n_places: int, stride: int = 1, before: int = 0, dilation: int = 1
) -> int:
    """How many products of a convolution along one axis are with data, and not with a zero of the padding.

    Args:
        data: The entries of the axis that are data.
        kernel: Taps of the window.
        n_places: Of the window.
        stride: From one place to the next.
        before: Zeros in front of entry 0.
        dilation: From one tap to the next.

    Example:
        >>> products_on_data(range(48), 3, n_places=48, before=1)
        142
    """
    starts = (before - dilation * tap for tap in range(kernel))
    return sum(
        max(0, min(n_places, -((start + data.stop) // -stride)) - max(0, -((start + data.start) // -stride)))
        for start in starts
    )


def products_inside(
    data: range, kernel: int, *, n_outputs: int, stride: int = 1, before: int = 0, dilation: int = 1
) -> int:
    """How many products of a transposed convolution along one axis are with data and stay inside the result.

    Args:
        data: The entries of the input's axis that are data.
        kernel: Taps of the window.
        n_outputs: Entries of the result.
        stride: From one entry's window to the next one's.
        before: Places cut off in front of the result.
        dilation: From one tap to the next.

    Example:
        >>> products_inside(range(2), 3, n_outputs=3, stride=2, before=1)
        4
    """
    starts = (before - dilation * tap for tap in range(kernel))
    return sum(
        max(0, min(data.stop, -((start + n_outputs) // -stride)) - max(data.start, -(start // -stride)))
        for start in starts
    )


def places_touched(length: int, kernel: int, *, stride: int, dilation: int) -> int:
    """How many places of the uncut result of a transposed convolution get a product, along one axis.

    Args:
        length: Entries of the input's axis.
        kernel: Taps of the window.
        stride: From one entry's window to the next one's.
        dilation: From one tap to the next.

    Example:
        >>> places_touched(2, 3, stride=2, dilation=1), places_touched(2, 1, stride=3, dilation=1)
        (5, 2)
    """
    # The places of one tap lie `stride` apart: those with one remainder are runs of `length`, and runs may overlap.
    ends: dict[int, int] = {}
    touched = 0
    for tap in range(kernel):
        start, remainder = divmod(dilation * tap, stride)
        end = ends.get(remainder, start)
        touched += start + length - max(start, end)
        ends[remainder] = start + length
    return touched
