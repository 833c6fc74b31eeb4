"""What was seen of models, optimisers and schedules."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heldout.auditing.seen.place import NOWHERE, Place

if TYPE_CHECKING:  # a script may set what numpy reads when it is imported, and then import it itself
    pass


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
        layers: A hash of the kinds of its layers.
        twin: The number of the first model that has exactly these parameters; its own number where none had before.
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
    layers: int = 0
    twin: int = -1


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
        input_low: The least number of any input; NaN as `input_mean`.
        input_high: The greatest.
        least_std: The least standard deviation of a call's input; NaN as `input_mean`.
        most_std: The greatest.
        n_whole: Calls in which the input held whole numbers alone, as far as it was looked at.
        n_values: How many numbers a sample has; 0 where the input is no number with a point.
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
    input_low: float = float("nan")
    input_high: float = float("nan")
    least_std: float = float("nan")
    most_std: float = float("nan")
    n_whole: int = 0
    n_values: int = 0

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
        n_fresh: Its parameters that had taken no step then.
        differentiated: How the loss of its first step was made: the operations, the last first.
        step_place: Where it took its first step.
        asked_from: The user's line that had a framework call for it; line 0 where the user's own code did.
        unlisted: Names of parameters that got a gradient in layers which its model calls and holds in a plain list.
        unlisted_place: Where the first of these layers was made.
        n_idle: Backward passes that gave its parameters gradients before its first step, of a thousand at most.
        n_at_rest: Steps at a rate that had fallen to less than a millionth of its first one.
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
    stale_place: Place = NOWHERE
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
    n_fresh: int = 0
    differentiated: tuple[str, ...] = ()
    step_place: Place = NOWHERE
    asked_from: Place = NOWHERE
    unlisted: tuple[str, ...] = ()
    unlisted_place: Place = NOWHERE
    n_idle: int = 0
    n_at_rest: int = 0


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
        mode: Of one that follows a metric: `min` or `max`; empty otherwise.
        metrics: What it was given, a step each.
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
    mode: str = ""
    metrics: "array[float]" = field(default_factory=lambda: array("d"))
