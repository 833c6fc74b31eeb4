"""Numbers of the inputs of calls, of many calls at once: for each alone numpy takes longer to begin than to compute.

Of an input that is small a copy is kept until its call is counted; of a large one everything is computed when it comes.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from heldout.auditing.watch.calls import Call
from heldout.auditing.watch.hashing import row_hashes
from heldout.auditing.watch.identities import as_array


def keep_input(call: Call, x: Any, first: np.ndarray, *, is_hashed: bool) -> None:
    """Keep what `measure_inputs` needs.

    Args:
        call: Whose input it is.
        x: The input, with a sample a row.
        first: Its first some thousand numbers.
        is_hashed: Whether its samples are known by what they hold.
    """
    is_small = len(first) == x.numel()
    if x.is_floating_point():
        call.n_values = x.numel() // call.n_samples
        call.first = first
        if not is_small:
            _measure([call], first[None])
            call.first = None
            wide = x.detach().float()
            call.input_mean, call.input_std = float(wide.mean()), float(wide.std())
            call.input_low, call.input_high = (float(each) for each in wide.aminmax())
    if is_hashed:
        rows = as_array(x)
        call.held, call.views = (np.array(rows), None) if is_small else (None, row_hashes(rows))


def measure_inputs(calls: Sequence[Call]) -> None:
    """Compute what was put off: how large the numbers are, and the hashes of the samples."""
    with np.errstate(all="ignore"):
        _measure_all(calls)
    _hash_all(calls)


def _measure_all(calls: Sequence[Call]) -> None:
    for alike in _grouped(calls, lambda call: None if call.first is None else len(call.first)):
        _measure(alike, np.stack([call.first for call in alike if call.first is not None]))
        for call in alike:
            call.first = None


def _hash_all(calls: Sequence[Call]) -> None:
    for alike in _grouped(calls, lambda call: None if call.held is None else (call.held.dtype, call.held.shape[1:])):
        hashes = row_hashes(np.concatenate([call.held for call in alike if call.held is not None]))
        start = 0
        for call in alike:
            call.views, call.held = hashes[start : start + call.n_samples], None
            start += call.n_samples


def _measure(calls: Sequence[Call], numbers: np.ndarray) -> None:
    """Tell each call how large its numbers are, and whether they are whole ones, not all alike.

    Args:
        calls: Each has a row.
        numbers: Rows of as many numbers.
    """
    n = numbers.shape[1]
    low, high, mean = numbers.min(axis=1), numbers.max(axis=1), numbers.mean(axis=1)
    whole = (low < high) & (numbers == np.rint(numbers)).all(axis=1)
    centred = numbers - mean[:, None]
    spread = np.sqrt(np.einsum("ij,ij->i", centred, centred) / max(1, n - 1))
    told = (each.tolist() for each in (low, high, mean, spread, whole))
    for call, *found in zip(calls, *told, strict=True):
        call.input_low, call.input_high, call.input_mean, call.input_std, call.is_whole = found


def _grouped(calls: Sequence[Call], key: Callable[[Call], Any]) -> list[list[Call]]:
    """Calls of the same kind together; those of no kind are left out."""
    groups: dict[Any, list[Call]] = {}
    for call in calls:
        if (kind := key(call)) is not None:
            groups.setdefault(kind, []).append(call)
    return list(groups.values())
