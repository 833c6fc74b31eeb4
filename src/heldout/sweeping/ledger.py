"""The ledger of a sweep: one line a trial, only ever appended to, by one process.

    SWEEP/ledger.jsonl    {"checksum": SHA-256 of the record as JSON, "record": {...}}

A line that is not whole, or not the one that was written, counts for nothing: its trial is done again.
"""

import base64
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from heldout.records import append_line, storage_error
from heldout.sweeping.space import Setting

log = logging.getLogger(__name__)
LEDGER = "ledger.jsonl"
_PACKED = ("correct", "answered")  # bytes, which JSON has none of


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """What one trial gave.

    Attributes:
        key: Hash of everything that decides it.
        setting: What was tried.
        seed: Which fold, which initial weights, which order.
        outcome: `finished`; `diverged`, where the loss became no number, which is a result too; or `failed`.
        why: For the latter two.
        initial: Fingerprint of all tensors before learning.
        final: Of all tensors that were kept.
        n_train: Examples that were learned from.
        n_validation: Examples that were judged on.
        n_correct: How many of these got their class.
        validation_loss: Mean negative log-likelihood, nats; None where there is none.
        score: In the metric of the sweep, of which `mean_cost` is better where lower; None where there is none.
        best_epoch: Whose weights were kept and judged.
        n_epochs: That were trained.
        history: epoch, train_loss, validation_loss and validation_accuracy of each; empty for a fitted head.
        correct: Whether each validation example got its class, in the order of their ids, as packed bits.
        answered: The class that each validation example got, in the same order, as little-endian int16; only where a
            sweep ranks by costs, and of more than two classes.
        n_parameters: Numbers in the network.
        n_trained: How many of them learned.
        multiply_adds: Of the whole training, as `models.multiply_adds` counts.
        precision: What it was computed in.
        seconds: What it took; the one thing that is not the same when it is done again.
    """

    key: str
    setting: Setting
    seed: int
    outcome: str
    why: str = ""
    initial: str = ""
    final: str = ""
    n_train: int = 0
    n_validation: int = 0
    n_correct: int = 0
    validation_loss: float | None = None
    score: float | None = None
    best_epoch: int = 0
    n_epochs: int = 0
    history: tuple[dict[str, float | None], ...] = ()
    correct: bytes = b""
    answered: bytes = b""
    n_parameters: int = 0
    n_trained: int = 0
    multiply_adds: int = 0
    precision: str = ""
    seconds: float = 0.0

    def is_correct(self) -> Bool[np.ndarray, " validation"]:
        """Whether each validation example got its class."""
        return np.unpackbits(np.frombuffer(self.correct, np.uint8), count=self.n_validation).astype(bool)

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        record = {field.name: getattr(self, field.name) for field in fields(self)}
        record |= {"setting": self.setting.as_dict(), "history": list(self.history)}
        return record | {name: base64.b64encode(getattr(self, name)).decode() for name in _PACKED}

    @classmethod
    def of_dict(cls, record: Mapping[str, Any]) -> "TrialResult":
        """The result that `as_dict` wrote."""
        setting, history = Setting(**record["setting"]), tuple(record["history"])
        packed = {name: base64.b64decode(record.get(name, "")) for name in _PACKED}
        return cls(**(dict(record) | packed | {"setting": setting, "history": history}))

    def content(self) -> dict[str, Any]:
        """All that is the same when the trial is done again."""
        return {name: value for name, value in self.as_dict().items() if name != "seconds"}


def append_result(path: Path, result: TrialResult) -> None:
    """Append one result and see it on the disk.

    Raises:
        StorageError: The disk refused.
    """
    record = result.as_dict()
    append_line(path, {"checksum": _checksum(record), "record": record})


def read_ledger(path: Path) -> list[TrialResult]:
    """The results of a ledger in the order in which they came; none where there is no ledger.

    A trial that stands there twice counts once, as it came first, unless it failed then. Lines that are not whole are
    told of and passed over.

    Raises:
        StorageError: It is there and cannot be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise storage_error(error, path) from error
    found: dict[str, TrialResult] = {}
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            if entry["checksum"] != _checksum(entry["record"]):
                raise ValueError("its checksum does not fit")
            result = TrialResult.of_dict(entry["record"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("line %d of %s counts for nothing (%s): its trial is done again", number, path, error)
            continue
        if result.key not in found or found[result.key].outcome == "failed":
            found[result.key] = result
    return list(found.values())


def _checksum(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True, allow_nan=False).encode()).hexdigest()
