"""What models answered and how often they were right, told of many calls at once, as `inputs` tells what went in.

Of a small table of scores a copy is kept until its call is counted; a large one is judged when it comes.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from heldout.auditing.watch.calls import Call, grouped
from heldout.auditing.watch.identities import N_COMPARED, as_array


class AnswerBook:
    """Turns scores into answers: the highest of several, one side of a threshold for one."""

    def __init__(self) -> None:
        # Families one of whose single outputs was no probability: a few logits may all lie between 0 and 1.
        self._give_logits: set[int] = set()
        self._waiting: list[Call] = []

    def keep(self, call: Call, scores: Any, labels: np.ndarray | None, argmax: Any) -> None:
        """Keep what a call's answers are told by.

        Args:
            call: Of a model.
            scores: Its outputs, with a sample a row.
            labels: What came with the samples; None where that is not known.
            argmax: Torch's, unwatched.
        """
        if scores.ndim not in (1, 2) or not scores.shape[-1]:
            return
        if labels is not None and len(labels) == call.n_samples:
            call.labels = labels
        call.n_outputs = scores.shape[1] if scores.ndim == 2 else 1
        if scores.numel() <= N_COMPARED and scores.is_cpu:
            call.scores = np.array(as_array(scores))
            self._waiting.append(call)
        elif call.n_outputs == 1:
            self.judge()  # whether a family gives logits is learned from its calls in their order
            call.scores = as_array(scores)
            self._waiting.append(call)
            self.judge()
        else:
            call.predicted = as_array(argmax(scores, 1))
            _compare([call])

    def judge(self) -> None:
        """Tell the calls that wait what they answered, and how often that was right."""
        calls, self._waiting = self._waiting, []
        for alike in grouped(calls, lambda call: call.family if call.n_outputs == 1 else None):
            self._judge_single(alike)
        for alike in grouped(calls, lambda call: call.n_outputs if call.n_outputs != 1 else None):
            _tell(alike, np.concatenate([call.scores for call in alike if call.scores is not None]).argmax(1))
        for call in calls:
            call.scores = None
        for alike in grouped(calls, lambda call: None if call.labels is None else call.labels.dtype):
            _compare(alike)

    def _judge_single(self, calls: Sequence[Call]) -> None:
        """Answers of one family with one output a sample."""
        flat = np.concatenate([call.scores.reshape(-1) for call in calls if call.scores is not None])
        starts = _starts(calls)
        with np.errstate(all="ignore"):
            low, high = np.minimum.reduceat(flat, starts), np.maximum.reduceat(flat, starts)
            gives_logits = np.logical_or.accumulate(~((low >= 0) & (high <= 1)))
        family = calls[0].family
        if family in self._give_logits:
            gives_logits[:] = True
        elif gives_logits[-1]:
            self._give_logits.add(family)
        thresholds = np.repeat(np.where(gives_logits, 0.0, 0.5), [call.n_samples for call in calls])
        _tell(calls, (flat > thresholds).astype(np.int64))


def _compare(calls: Sequence[Call]) -> None:
    """Tell the calls that came with labels how often they were right."""
    known = [call for call in calls if call.labels is not None]
    if known:
        answers = np.concatenate([call.predicted for call in known if call.predicted is not None])
        same = answers == np.concatenate([call.labels for call in known if call.labels is not None])
        for call, right in zip(known, np.add.reduceat(same, _starts(known), dtype=int).tolist(), strict=True):
            call.right = right


def _starts(calls: Sequence[Call]) -> np.ndarray:
    """Where the samples of each call begin, one call after the other."""
    return np.cumsum([0] + [call.n_samples for call in calls[:-1]])


def _tell(calls: Sequence[Call], answers: np.ndarray) -> None:
    for call, start in zip(calls, _starts(calls).tolist(), strict=True):
        call.predicted = answers[start : start + call.n_samples]
