"""Numbers of the inputs of calls, of many calls at once: for each alone numpy takes longer to begin than to compute.

Of an input that is small a copy is kept until its call is counted; of a large one everything is computed when it comes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from heldout.auditing.watch.calls import Call, grouped
from heldout.auditing.watch.hashing import row_hashes
from heldout.auditing.watch.identities import N_COMPARED, Glimpse, as_array, first_numbers


def keep_input(call: Call, x: Any) -> Glimpse:
    """Keep what `measure_inputs` needs, and give what the input can be known by.

    Args:
        call: Whose input it is.
        x: The input, with a sample a row.
    """
    n_values = x.numel()
    is_small = n_values <= N_COMPARED
    call.held = np.array(as_array(x)) if is_small else None
    is_real = not x.is_complex()
    numbers = call.held.reshape(-1) if call.held is not None and is_real else first_numbers(x)
    if x.is_floating_point():
        call.n_values = n_values // call.n_samples
        if not is_small:
            _measure([call], np.asarray(numbers[None], float))
            wide = x.detach().float()
            call.input_mean, call.input_std = float(wide.mean()), float(wide.std())
            call.input_low, call.input_high = (float(each) for each in wide.aminmax())
    return Glimpse(bool, call.n_samples, n_values, numbers, None)


def hash_samples(call: Call, x: Any) -> None:
    """Have the samples of an input known by what they hold: those of a small one when it is measured."""
    call.is_hashed = call.held is not None
    if not call.is_hashed:
        call.views = row_hashes(as_array(x))


def measure_inputs(calls: Sequence[Call]) -> None:
    """Compute what was put off: how large the numbers are, and the hashes of the samples."""
    for alike in grouped(calls, lambda call: call.held.size if call.held is not None and call.n_values else None):
        _measure(alike, np.stack([call.held.reshape(-1) for call in alike if call.held is not None], dtype=float))
    _hash_all(calls)
    for call in calls:
        call.held = None


def _hash_all(calls: Sequence[Call]) -> None:
    for alike in grouped(calls, _kind_of_rows):
        hashes = row_hashes(np.concatenate([call.held for call in alike if call.held is not None]))
        start = 0
        for call in alike:
            call.views = hashes[start : start + call.n_samples]
            start += call.n_samples


def _kind_of_rows(call: Call) -> Any:
    return (call.held.dtype, call.held.shape[1:]) if call.held is not None and call.is_hashed else None


def _measure(calls: Sequence[Call], numbers: np.ndarray) -> None:
    """Tell each call how large its numbers are, and whether they are whole ones, not all alike.

    Args:
        calls: Each has a row.
        numbers: Rows of as many numbers.
    """
    n = numbers.shape[1]
    with np.errstate(all="ignore"):
        low, high, mean = numbers.min(axis=1), numbers.max(axis=1), numbers.mean(axis=1)
        whole = (low < high) & (numbers == np.rint(numbers)).all(axis=1)
        centred = numbers - mean[:, None]
        spread = np.sqrt(np.einsum("ij,ij->i", centred, centred) / max(1, n - 1))
    told = (each.tolist() for each in (low, high, mean, spread, whole))
    for call, *found in zip(calls, *told, strict=True):
        call.input_low, call.input_high, call.input_mean, call.input_std, call.is_whole = found
