"""The arithmetic of windows against windows that are laid out one by one."""

import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from heldout.anatomy.counting.windows import (
    output_length,
    places_touched,
    products_inside,
    products_on_data,
    transposed_length,
)

MODEST = settings(max_examples=80, deadline=None, derandomize=True)
LENGTHS = st.integers(1, 12)
FEW = st.integers(1, 4)


@MODEST
@given(LENGTHS, FEW, FEW, FEW, st.integers(0, 3))
def test_a_window_has_as_many_places_as_torch_finds(
    length: int, kernel: int, stride: int, dilation: int, padding: int
) -> None:
    found = output_length(length, kernel, stride=stride, padding=2 * padding, dilation=dilation)
    assume(found > 0)
    result = torch.conv1d(
        torch.zeros(1, 1, length), torch.zeros(1, 1, kernel), stride=stride, padding=padding, dilation=dilation
    )
    assert found == result.shape[-1]


@MODEST
@given(LENGTHS, FEW, FEW, FEW, st.integers(0, 3), st.integers(0, 2), st.integers(0, 2))
def test_products_on_data_are_those_whose_entry_is_data(
    length: int, kernel: int, stride: int, dilation: int, before: int, zeros_before: int, zeros_behind: int
) -> None:
    n_places = max(0, output_length(length, kernel, stride=stride, padding=2 * before, dilation=dilation))
    data = range(zeros_before, max(zeros_before, length - zeros_behind))
    one_by_one = sum(
        place * stride - before + dilation * tap in data for place in range(n_places) for tap in range(kernel)
    )
    assert one_by_one == products_on_data(
        data, kernel, n_places=n_places, stride=stride, before=before, dilation=dilation
    )


@MODEST
@given(LENGTHS, FEW, FEW, FEW, st.integers(0, 3))
def test_products_inside_are_those_that_land_in_the_result(
    length: int, kernel: int, stride: int, dilation: int, before: int
) -> None:
    n_outputs = transposed_length(length, kernel, stride=stride, padding=2 * before, dilation=dilation, more=0)
    assume(n_outputs > 0)
    landings = [
        entry * stride - before + dilation * tap for entry in range(1, length) for tap in range(kernel)
    ]  # entry 0 is said to be no data
    found = products_inside(
        range(1, length), kernel, n_outputs=n_outputs, stride=stride, before=before, dilation=dilation
    )
    assert found == sum(0 <= place < n_outputs for place in landings)


@MODEST
@given(LENGTHS, FEW, st.integers(1, 6), FEW)
def test_places_are_touched_once_however_often_they_are_hit(
    length: int, kernel: int, stride: int, dilation: int
) -> None:
    hit = {entry * stride + dilation * tap for entry in range(length) for tap in range(kernel)}
    assert places_touched(length, kernel, stride=stride, dilation=dilation) == len(hit)
