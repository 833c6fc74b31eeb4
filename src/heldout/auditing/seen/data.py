"""What was seen of data sets, loaders and samples."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from heldout.auditing.seen.place import NOWHERE, Place

if TYPE_CHECKING:  # a script may set what numpy reads when it is imported, and then import it itself
    import numpy as np


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
    place: Place = NOWHERE
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
        n_values: Numbers of a sample, where its first tensor holds numbers with a point; 0 otherwise.
        last: The moment at which its latest batch was fetched.
        weighed: How often a sample of a weight came with a label, where the sampler has a few weights.
        n_weights: How many different weights the sampler has; 0 where it has none, or very many.
        made: Where its loader was made, if a framework iterates over it and no loop of the user's; line 0 otherwise.
        made_by: The user's function that this line is in; empty outside of any.
        loader_made: Where its loader was made, whoever iterates over it.
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
    n_values: int = 0
    last: int = 0
    weighed: Counter[tuple[int, int]] = field(default_factory=Counter)
    n_weights: int = 0
    made: Place = NOWHERE
    made_by: str = ""
    loader_made: Place = NOWHERE


@dataclass(slots=True)
class Samples:
    """Which samples a model was given in one role, as hashes, each once.

    Attributes:
        model: Its family.
        data_set: The number of the data set; -1 for tensors made by hand.
        trained: Whether it learned from them.
        items: Hash of the sample as the data set holds it, before any augmentation; sorted.
        views: The upper four bytes of the hash of the sample as the model was given it, where that is known; of tensors
            made by hand the whole hash. Sorted.
        n_given: How many were given, repetitions counted.
        n_changed: Samples that looked different when they came again.
        n_again: Samples that came again.
        shown_as: The data set that the loader was given, which may be a part of the one that holds them.
    """

    model: int
    data_set: int
    trained: bool
    items: "np.ndarray"
    views: "np.ndarray"
    n_given: int = 0
    n_changed: int = 0
    n_again: int = 0
    shown_as: int = -1


@dataclass(slots=True)
class Asking:
    """Evaluations of tensors made by hand, by one call at one line, once the model had begun to learn.

    Attributes:
        model: The family that was asked.
        place: The line of the call.
        names: What the user calls the tensors.
        n_calls: How often it was asked.
        n_whole: How many of the calls held nothing but samples that it had learned from by then.
        n_part: How many held some of these, and others.
        n_samples: Of all calls.
        n_learned: How many of them it had learned from by then.
        n_distinct: Samples, each once.
        most_at_once: Samples of the largest call.
        most_shared: The most samples of one call that it had learned from.
    """

    model: int
    place: Place
    names: tuple[str, ...] = ()
    n_calls: int = 0
    n_whole: int = 0
    n_part: int = 0
    n_samples: int = 0
    n_learned: int = 0
    n_distinct: int = 0
    most_at_once: int = 0
    most_shared: int = 0


@dataclass(slots=True)
class Held:
    """Hashes as a watch holds them: not sorted, and those of several `Samples` together.

    Attributes:
        items: Of all samples of a data set, or those that were given, in pieces that are sorted.
        roles: Which of them were given in each role, and the rest of what is told of them; None for all.
    """

    items: "list[np.ndarray]"
    roles: "list[tuple[np.ndarray | None, Samples]]"


@dataclass(slots=True)
class Labelling:
    """Which labels the same samples had at two times of a run; of the first some thousand samples.

    Attributes:
        model: The family that was given them.
        kind: `again`, where it learned from them a second time; `evaluated`, where it learned from them and was
            evaluated on them.
        place: Of the later call.
        before: Of the earlier one.
        n_samples: How many were compared.
        pairs: How often a label came first and another, or the same, later.
        is_steady: Whether each time a sample came in one role it had the same label as before; of `again`, whether each
            sample came once in a round, and the rounds had the same labels altogether.
    """

    model: int
    kind: str
    place: Place
    before: Place
    n_samples: int
    pairs: Counter[tuple[int, int]] = field(default_factory=Counter)
    is_steady: bool = True
