"""Sorts calls of models into stretches, and keeps the counts of each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np

from heldout.auditing.seen.log import Log
from heldout.auditing.seen.models import Stretch
from heldout.auditing.seen.place import Place

if TYPE_CHECKING:
    from heldout.auditing.watch.calls import Call

# Stretches that are kept: more than these says no more.
MOST_STRETCHES = 100_000
# Answers of one evaluation that are kept, a byte each with their labels.
MOST_ANSWERS = 2**20
# So few values are counted by Python: numpy takes longer to begin (measured).
_MOST_BY_HAND = 256


class StretchBook:
    """Calls that are alike and follow one another become one stretch of a log."""

    def __init__(self) -> None:
        self._spoken: dict[tuple[int, Place, int], Stretch] = {}

    def add(self, calls: Iterable["Call"], log: Log) -> None:
        """Put calls in, in their order.

        Args:
            calls: That are settled.
            log: That holds the stretches.
        """
        for key, alike in groupby(calls, _key):
            together = list(alike)
            stretch = _stretch(log, key, together)
            if stretch is not None:
                _grow(stretch, together)
                judged = [call for call in together if call.right >= 0]
                if judged and not stretch.trained:
                    self._keep_answers(stretch, judged)

    def _keep_answers(self, stretch: Stretch, calls: Sequence["Call"]) -> None:
        """Keep the answers and labels of the latest evaluation of a data set at a line, two bytes a sample."""
        call = calls[0]
        key = (call.family, call.place, call.batch.passed.data_set if call.batch else -1)
        before = self._spoken.setdefault(key, stretch)
        if before.passed != stretch.passed:
            before.answers, before.truths = bytearray(), bytearray()
        self._spoken[key] = stretch
        answers = np.concatenate([each.predicted for each in calls if each.predicted is not None])
        truths = np.concatenate([each.labels for each in calls if each.labels is not None])
        if len(stretch.truths) + len(truths) <= MOST_ANSWERS and _fit_bytes(answers) and _fit_bytes(truths):
            stretch.answers.extend(answers.astype(np.uint8).tobytes())
            stretch.truths.extend(truths.astype(np.uint8).tobytes())


def _fit_bytes(numbers: np.ndarray) -> bool:
    return bool(numbers.min() >= 0 and numbers.max() <= 255)


def _stretch(log: Log, key: tuple[Any, ...], calls: Sequence["Call"]) -> Stretch | None:
    """The last one, where these go on with it, or a new one; None where there are too many."""
    stretches = log.stretches
    if stretches and _key_of(stretches[-1]) == key:
        return stretches[-1]
    if len(stretches) >= MOST_STRETCHES:
        log.truncated = {**log.truncated, "stretches": log.truncated.get("stretches", 0) + len(calls)}
        return None
    stretches.append(Stretch(len(stretches), *key))
    stretches[-1].fingerprint = calls[0].fingerprint
    return stretches[-1]


def _key(call: "Call") -> tuple[Any, ...]:
    """What alike calls have in common, in the order of a stretch's fields."""
    passed = call.batch.passed.number if call.batch else None
    return call.model, call.place, passed, call.trained, call.training_mode, call.grad


def _key_of(stretch: Stretch) -> tuple[Any, ...]:
    return stretch.model, stretch.place, stretch.passed, stretch.trained, stretch.training_mode, stretch.grad


def _grow(stretch: Stretch, calls: Sequence["Call"]) -> None:
    n_before = len(stretch.sizes)
    # One after the other, for where models take turns each stretch has one call: each list by itself would cost more.
    for call in calls:
        stretch.moments.append(call.moment)
        stretch.sizes.append(call.n_samples)
        stretch.rights.append(call.right)
        stretch.losses.append(call.loss)
        stretch.n_dropout_live += call.dropout_live
        stretch.n_norm_live += call.norm_live
        stretch.n_frozen_norm_live += call.frozen_norm_live
        stretch.n_label_losses += call.is_label_loss
        stretch.n_outputs = max(stretch.n_outputs, call.n_outputs)
    _count_labels(stretch, [call for call in calls if call.labels is not None and len(call.labels)])
    _count_up(stretch.predicted, [call.predicted for call in calls if call.predicted is not None])
    n = n_before + len(calls)
    means, spreads = sum([call.input_mean for call in calls]), sum([call.input_std for call in calls])
    stretch.input_mean = ((stretch.input_mean * n_before if n_before else 0.0) + means) / n
    stretch.input_std = ((stretch.input_std * n_before if n_before else 0.0) + spreads) / n
    for call in calls:
        if call.n_values:
            stretch.n_values = call.n_values
            stretch.n_whole += call.is_whole
            stretch.input_low = _lesser(stretch.input_low, call.input_low)
            stretch.input_high = -_lesser(-stretch.input_high, -call.input_high)
            stretch.least_std = _lesser(stretch.least_std, call.input_std)
            stretch.most_std = -_lesser(-stretch.most_std, -call.input_std)


def _count_labels(stretch: Stretch, calls: Sequence["Call"]) -> None:
    """Count the labels of calls that came with some."""
    labels: list[Any] = [call.labels for call in calls]
    if not labels:
        return
    _count_up(stretch.labels, labels)
    # From one call to the next is no change.
    stretch.n_label_changes += sum([int(np.count_nonzero(each[1:] != each[:-1])) for each in labels])
    named = [call for call in calls if call.right > 0]
    _count_up(stretch.hits, [each[call.predicted == each] for call in named if (each := call.labels) is not None])


def _count_up(counter: Counter[Any], values: Sequence[Any]) -> None:
    if not values:
        return
    if sum([each.size for each in values]) <= _MOST_BY_HAND:
        counter.update(sorted([value for each in values for value in each.ravel().tolist()]))
        return
    distinct, counts = np.unique(np.concatenate(values), return_counts=True)
    for value, number in zip(distinct.tolist(), counts.tolist(), strict=True):
        counter[value] += number


def _lesser(before: float, number: float) -> float:
    """The lesser of two numbers; the other one, where one is none."""
    return number if number < before or isnan(before) else before
