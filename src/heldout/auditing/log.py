"""What was seen of a training script while it ran: the whole of it, in records without torch.

A log stays small however long the script runs. Calls of a model that are alike are one `Stretch`, of which only counts
are kept; samples are kept as hashes, once. What any of it means is decided afterwards, by the rules.
"""

import os
import pickle
from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a script may set what numpy reads when it is imported, and then import it itself
    import numpy as np


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of the user's own code; line 0 where none was on the stack."""

    file: str = ""
    line: int = 0


@dataclass(slots=True)
class DataSet:
    """Something with samples: what a DataLoader was given, or nothing (number -1) for tensors passed by hand.

    Attributes:
        number: Counted from 0, in the order in which they were met.
        names: The variables that were bound to it or to its loader, innermost first.
        kind: Its class.
        n_samples: Its length; None where it has none.
        classes: Its `classes`, where it names them.
        place: Where it was first iterated.
        root: The number of the data set that it is a part of (a `Subset`, a wrapper); its own number otherwise.
    """

    number: int
    names: list[str]
    kind: str
    n_samples: int | None
    classes: tuple[str, ...] = ()
    place: Place = Place()
    root: int = -1


@dataclass(slots=True)
class Pass:
    """One iteration over a loader.

    Attributes:
        number: Counted from 0.
        start: The moment it began.
        data_set: Which.
        names: The variables bound to the loader.
        place: The loop.
        declared: What `len(loader)` says; None where it says nothing.
        fetched: How many batches were given out.
        reached: How many of them reached a model.
        ended: Whether the loop came to the end of it.
        in_order: Whether the samples come in the order of the data set: no sampler, no shuffling.
        sampler_of: Names of another data set that its sampler holds, if it does.
        replaces: Whether the sampler draws with replacement.
        n_distinct: How many distinct samples it gave.
    """

    number: int
    start: int
    data_set: int
    names: list[str]
    place: Place
    declared: int | None = None
    fetched: int = 0
    reached: int = 0
    ended: bool = False
    in_order: bool = False
    sampler_of: tuple[str, ...] = ()
    replaces: bool = False
    n_distinct: int = 0


@dataclass(slots=True)
class Model:
    """A module that was called from outside of any other, with the parameters it owns.

    Attributes:
        number: Counted from 0. A module that shares all its parameters with another is that one.
        names: The variables bound to it, innermost first.
        kind: Its class.
        place: Where it was first called.
        n_parameters: Entries of all its parameters.
        fingerprint: Of its parameters when it was first called.
        has_dropout: Whether it holds a dropout layer.
        has_norm: Whether it holds a batch normalisation with running statistics.
        family: The number of the first model that shares parameters with it.
        last_fingerprint: Of its parameters at the end.
        last_parameter: The name of the last of its parameters, which are named from the input to the output.
    """

    number: int
    names: list[str]
    kind: str
    place: Place
    n_parameters: int
    fingerprint: int
    has_dropout: bool = False
    has_norm: bool = False
    family: int = -1
    last_fingerprint: int = 0
    last_parameter: str = ""


@dataclass(slots=True)
class Stretch:
    """Calls of one model that are alike and follow one another.

    Attributes:
        number: Counted from 0.
        model: Which.
        place: The line of the call.
        passed: The number of the pass whose batches it saw; None for tensors made by hand.
        trained: Whether a gradient flowed back through the outputs.
        training_mode: What `model.training` said.
        grad: Whether gradients were enabled.
        moments: The moment of each call.
        sizes: Samples of each call.
        rights: How many of them the highest output names rightly, a call; -1 where no labels came along.
        n_dropout_live: Calls in which a dropout layer was in training mode.
        n_norm_live: Calls in which a batch normalisation was in training mode.
        n_frozen_norm_live: Calls in which that was so of one whose weights take no gradient.
        n_outputs: Of a sample, where the output is a table of scores; 0 otherwise.
        labels: How often each label came; empty where none came along.
        n_label_losses: Calls whose loss was taken against these very labels.
        n_label_changes: How often a label differs from the one before it.
        predicted: How often each answer was the highest output.
        losses: The value of the loss computed from this output, a call; NaN where none was seen.
        input_mean: Mean over the calls of the mean input; NaN where the input is no number with a point.
        input_std: Mean over the calls of its standard deviation.
        fingerprint: Of the model's parameters at the first call; 0 while it is trained.
        hits: How often each label was named rightly.
        answers: The answer to each sample, a byte each; kept of the latest evaluation at a line alone.
        truths: Its label, likewise.
    """

    number: int
    model: int
    place: Place
    passed: int | None
    trained: bool
    training_mode: bool
    grad: bool
    moments: "array[int]" = field(default_factory=lambda: array("q"))
    sizes: "array[int]" = field(default_factory=lambda: array("q"))
    rights: "array[int]" = field(default_factory=lambda: array("q"))
    n_dropout_live: int = 0
    n_norm_live: int = 0
    n_frozen_norm_live: int = 0
    n_outputs: int = 0
    labels: Counter[float] = field(default_factory=Counter)
    n_label_losses: int = 0
    n_label_changes: int = 0
    predicted: Counter[int] = field(default_factory=Counter)
    losses: "array[float]" = field(default_factory=lambda: array("d"))
    input_mean: float = float("nan")
    input_std: float = float("nan")
    fingerprint: int = 0
    hits: Counter[float] = field(default_factory=Counter)
    answers: bytearray = field(default_factory=bytearray)
    truths: bytearray = field(default_factory=bytearray)

    @property
    def n_samples(self) -> int:
        """Of all calls."""
        return sum(self.sizes)

    @property
    def n_right(self) -> int | None:
        """Of all calls; None where a call had no labels."""
        return None if not self.rights or min(self.rights) < 0 else sum(self.rights)


@dataclass(slots=True)
class Optimiser:
    """An optimiser.

    Attributes:
        number: Counted from 0.
        kind: Its class.
        place: Where it was made.
        settings: Learning rate and the like, as words, of the first group.
        learning_rate: Of the first group, when it was made.
        models: The families whose parameters it holds.
        n_steps: How often it stepped.
        first_step: The moment of the first; -1 without one.
        last_step: The moment of the last.
        n_stale: Steps that used a gradient which a step before had used already.
        stale_place: Where the first such backward pass was.
        n_updates_before: The most steps that any of its parameters had taken with other optimisers before.
        fingerprint: Of its parameters when it was made.
        last_fingerprint: Of them at the end.
        trained_data: A hash of the samples it learned from, whatever their order.
        unknown: Names of parameters that got a gradient in a model it trains, and are in no optimiser.
        n_without_grad: Its parameters that never had a gradient at a step.
        n_parameters: How many it holds.
        n_moved_frozen: Parameters that take no gradient and changed all the same.
        last_learning_rate: Of the first group, at its last step.
        called: Words that the user has for it where it is made: names and texts bound on the stack, outermost last.
        n_loaded: Its parameters whose values came out of a state dict, when it was made.
    """

    number: int
    kind: str
    place: Place
    settings: dict[str, str]
    learning_rate: float
    models: set[int] = field(default_factory=set)
    n_steps: int = 0
    first_step: int = -1
    last_step: int = -1
    n_stale: int = 0
    stale_place: Place = Place()
    n_updates_before: int = 0
    fingerprint: int = 0
    last_fingerprint: int = 0
    trained_data: int = 0
    unknown: tuple[str, ...] = ()
    n_without_grad: int = 0
    n_parameters: int = 0
    n_moved_frozen: int = 0
    last_learning_rate: float = 0.0
    called: tuple[str, ...] = ()
    n_loaded: int = 0


@dataclass(slots=True)
class Scheduler:
    """A learning rate schedule.

    Attributes:
        number: Counted from 0.
        kind: Its class.
        place: Where it was made.
        optimiser: The number of its optimiser.
        n_steps: How often the script stepped it.
        step_places: Where.
        n_before_optimiser: Steps before the optimiser's first.
        horizon: How many steps it is made for (`total_steps`, `T_max`); None where it has none.
        step_moments: When.
        is_part: Whether another schedule steps it.
    """

    number: int
    kind: str
    place: Place
    optimiser: int
    n_steps: int = 0
    step_places: list[Place] = field(default_factory=list)
    n_before_optimiser: int = 0
    horizon: int | None = None
    step_moments: "array[int]" = field(default_factory=lambda: array("q"))
    is_part: bool = False


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
class Samples:
    """Which samples a model was given in one role, as hashes, each once.

    Attributes:
        model: Its family.
        data_set: The number of the data set; -1 for tensors made by hand.
        trained: Whether it learned from them.
        items: Hash of the sample as the data set holds it, before any augmentation; sorted.
        views: Hash of the sample as the model was given it; of at most as many. Sorted.
        n_given: How many were given, repetitions counted.
        n_changed: Samples that looked different when they came again.
        n_again: Samples that came again.
    """

    model: int
    data_set: int
    trained: bool
    items: "np.ndarray"
    views: "np.ndarray"
    n_given: int = 0
    n_changed: int = 0
    n_again: int = 0


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
    truncated: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


def write_log(path: Path, log: Log) -> None:
    """Write the log in one piece: a reader finds the old one or the new one."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_bytes(pickle.dumps(log, protocol=pickle.HIGHEST_PROTOCOL))
    fresh.replace(path)  # not flushed to the disk: a log need not outlive the machine


def read_log(path: Path) -> Log | None:
    """The log that a watch wrote into this file of ours; None where it wrote none."""
    if not path.is_file():
        return None
    log = pickle.loads(path.read_bytes())
    assert isinstance(log, Log), f"{path} holds a {type(log).__name__}"
    return log
