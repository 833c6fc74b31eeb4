"""What was seen of a training script while it ran: the whole of it, in records without torch.

A log stays small however long the script runs. Calls of a model that are alike are one `Stretch`, of which only counts
are kept; samples are kept as hashes, once. What any of it means is decided afterwards, by the rules.
"""

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heldout.auditing.seen.data import Asking, DataSet, Held, Labelling, Pass, Samples
from heldout.auditing.seen.models import Model, Optimiser, Scheduler, Stretch
from heldout.auditing.seen.place import Place


@dataclass(slots=True)
class Remark:
    """Something that was seen at a line, and how often.

    Attributes:
        kind: What, such as `argmax over one output`.
        place: Where.
        n: How often.
        n_chances: How often the line ran, so that `n` can be judged.
        facts: Of the first time.
    """

    kind: str
    place: Place
    n: int = 0
    n_chances: int = 0
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Printed:
    """A piece of text that was written: when, by which line, and where to (`stdout` or `stderr`)."""

    moment: int
    place: Place
    stream: str
    text: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened once.

    Attributes:
        moment: When.
        kind: `seed`, `load_state`, `save_state`, `build`, ...
        place: Where.
        facts: What.
    """

    moment: int
    kind: str
    place: Place
    facts: dict[str, Any]


@dataclass(slots=True)
class Log:
    """Everything that was seen.

    Attributes:
        script: The path of the script, or the module's name.
        moments: How many moments there were; each event of the watch is one.
        outcome: How the script ended: `finished`, `exit 3`, `ValueError: ...`, `stopped after 60 s`.
        seconds: How long it ran.
        torch: Torch's version; empty where the script never imported it.
        truncated: What was left out to keep the log small.
        held: The samples, till the log is read: sorting them would take as much memory again.
        faults: What went wrong in the watch itself.
    """

    script: str = ""
    moments: int = 0
    outcome: str = "running"
    seconds: float = 0.0
    torch: str = ""
    data_sets: list[DataSet] = field(default_factory=list)
    passes: list[Pass] = field(default_factory=list)
    models: list[Model] = field(default_factory=list)
    stretches: list[Stretch] = field(default_factory=list)
    optimisers: list[Optimiser] = field(default_factory=list)
    schedulers: list[Scheduler] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)
    printed: list[Printed] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    samples: list[Samples] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    askings: list[Asking] = field(default_factory=list)
    labellings: list[Labelling] = field(default_factory=list)
    truncated: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def write_log(path: Path, log: Log) -> None:
    """Write the log in one piece: a reader finds the old one or the new one."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    with fresh.open("wb") as file:  # and not in one text: the hashes of samples are written from where they lie
        pickle.dump(log, file, protocol=pickle.HIGHEST_PROTOCOL)
    fresh.replace(path)  # not flushed to the disk: a log need not outlive the machine


def read_log(path: Path) -> Log | None:
    """The log that a watch wrote into this file of ours; None where it wrote none."""
    if not path.is_file():
        return None
    with path.open("rb") as file:
        log = pickle.load(file)
    assert isinstance(log, Log), f"{path} holds a {type(log).__name__}"
    if log.held:
        from heldout.auditing.watch.held_samples import unfold

        unfold(log)
    return log
