"""What is told of inputs is the same, whether they are measured alone or many together, large or small."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from heldout.auditing.seen.place import Place
from heldout.auditing.watch.calls import Call
from heldout.auditing.watch.hashing import row_hashes
from heldout.auditing.watch.identities import N_COMPARED
from heldout.auditing.watch.inputs import hash_samples, keep_input, measure_inputs


def call_with(x: torch.Tensor, *, is_hashed: bool = True) -> Call:
    call = Call(0, 0, 0, Place(), training_mode=True, grad=True, n_samples=len(x))
    keep_input(call, x)
    if is_hashed:
        hash_samples(call, x)
    return call


def drawn(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


INPUTS = [
    drawn(16, 12),
    drawn(16, 12, seed=1) * 100,
    drawn(3, 12),
    drawn(16, 12).double(),
    drawn(4, 2, 5, 3),
    drawn(6, 4).t(),
    drawn(16, N_COMPARED // 16 + 1),
    torch.arange(24.0).reshape(4, 6),
    torch.full((4, 6), 2.0),
    drawn(5, 3).to(torch.bfloat16),
    torch.tensor([[1.0]]),
]


def test_each_input_is_measured_as_torch_measures_it() -> None:
    calls = [call_with(x) for x in INPUTS]
    measure_inputs(calls)
    for call, x in zip(calls, INPUTS, strict=True):
        wide = x.float()
        assert call.input_mean == pytest.approx(float(wide.mean()), rel=1e-5, abs=1e-6)
        assert call.input_std == pytest.approx(float(wide.std()) if wide.numel() > 1 else 0.0, rel=1e-4)
        assert (call.input_low, call.input_high) == (float(wide.min()), float(wide.max()))
        assert call.n_values == x[0].numel()
        assert call.views is not None
        shown = x.float() if x.dtype == torch.bfloat16 else x
        np.testing.assert_array_equal(call.views, row_hashes(shown.numpy()))
        assert call.held is None


def test_whole_numbers_are_told_where_they_are_not_all_alike() -> None:
    calls = [call_with(x) for x in INPUTS]
    measure_inputs(calls)
    assert [call.is_whole for call in calls] == [x is INPUTS[7] for x in INPUTS]


def test_what_is_changed_after_the_call_was_hashed_as_it_came() -> None:
    x = drawn(4, 3)
    before = row_hashes(x.numpy())
    call = call_with(x)
    x.zero_()
    measure_inputs([call])
    assert call.views is not None
    assert call.views.tolist() == before.tolist()


def test_numbers_that_are_none_are_no_fault(capfd: pytest.CaptureFixture[str]) -> None:
    calls = [call_with(torch.tensor([[float("inf"), float("-inf")], [float("nan"), 1.0]])), call_with(drawn(2, 2))]
    measure_inputs(calls)
    assert np.isnan(calls[0].input_mean)
    assert not calls[0].is_whole
    assert np.isfinite(calls[1].input_std)
    assert "Warning" not in capfd.readouterr().err


def test_codes_of_words_are_hashed_and_not_measured() -> None:
    words = [torch.tensor([[3, 4], [5, 6]]), torch.tensor([[5, 6]])]
    calls = [call_with(x) for x in words]
    measure_inputs(calls)
    assert all(np.isnan(call.input_mean) and not call.n_values for call in calls)
    views = [call.views for call in calls if call.views is not None]
    assert views[0][1] == views[1][0]


def test_what_an_input_is_known_by_are_its_first_numbers() -> None:
    for x in INPUTS:
        known = keep_input(call_with(x), x)
        assert known.n_values == x.numel()
        np.testing.assert_array_equal(known.first, x.float().reshape(-1)[:N_COMPARED].numpy())
    assert not len(keep_input(call_with(INPUTS[0]), INPUTS[0] * 1j).first)


def test_what_nobody_asks_for_is_not_hashed() -> None:
    calls = [call_with(drawn(2, 3), is_hashed=False), call_with(drawn(2, 3))]
    measure_inputs(calls)
    assert [call.views is None for call in calls] == [True, False]
    assert all(before.input_mean == after.input_mean for before, after in pairwise(calls))
