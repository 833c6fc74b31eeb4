"""Logs made by hand, as a watch would write them."""

from collections.abc import Sequence

from heldout.auditing.seen.data import DataSet, Pass
from heldout.auditing.seen.log import Event, Log, Printed, Remark
from heldout.auditing.seen.models import Model, Optimiser, Stretch
from heldout.auditing.seen.place import Place

FILE = "train.py"


class LogMaker:
    """Writes a log: each method is something that a script does, and takes the next moment.

    Attributes:
        log: What is written.
    """

    def __init__(self) -> None:
        self.log = Log(script=FILE, outcome="finished", torch="2.13.0")

    def tick(self) -> int:
        self.log.moments += 1
        return self.log.moments

    def data_set(self, name: str, n: int = 100, *, root: int = -1) -> int:
        number = len(self.log.data_sets)
        root = number if root < 0 else root
        self.log.data_sets.append(DataSet(number, [name], "TensorDataset", n, (), Place(FILE, 5), root))
        return number

    def model(self, name: str = "model", *, family: int = -1) -> int:
        number = len(self.log.models)
        family = number if family < 0 else family
        self.log.models.append(Model(number, [name], "Net", Place(FILE, 9), 50, 1, family=family))
        return number

    def begins(self, data_set: int, *, line: int = 20) -> Pass:
        """A loop over a loader begins."""
        names = list(self.log.data_sets[data_set].names)
        passed = Pass(len(self.log.passes), self.tick(), data_set, names, Place(FILE, line))
        self.log.passes.append(passed)
        return passed

    def shows(
        self,
        passed: Pass | None,
        rights: Sequence[int],
        sizes: Sequence[int],
        *,
        trained: bool = False,
        model: int = 0,
        line: int = 30,
    ) -> Stretch:
        """A model is shown batches, one after the other.

        Args:
            passed: The loop that they come from; None for tensors made by hand.
            rights: How many of each are named rightly; -1 where they come without labels.
            sizes: Samples of each.
            trained: Whether they are learned from.
            model: Which model.
            line: Of the call.
        """
        number = None if passed is None else passed.number
        stretch = Stretch(len(self.log.stretches), model, Place(FILE, line), number, trained, trained, trained)
        stretch.n_outputs = 3
        self.log.stretches.append(stretch)
        self.goes_on(stretch, rights, sizes)
        return stretch

    def goes_on(self, stretch: Stretch, rights: Sequence[int], sizes: Sequence[int]) -> None:
        """More batches of the same loop; half of the samples are of class 0."""
        for right, size in zip(rights, sizes, strict=True):
            stretch.moments.append(self.tick())
            stretch.sizes.append(size)
            stretch.rights.append(right)
            stretch.losses.append(1.0 - right / size if right >= 0 else float("nan"))
            if right >= 0:
                stretch.labels.update({0: size - size // 2, 1: size // 2})
                stretch.hits.update({0: right - right // 2, 1: right // 2})
                stretch.n_label_losses += stretch.trained
            if stretch.passed is not None:
                passed = self.log.passes[stretch.passed]
                passed.fetched, passed.reached = passed.fetched + 1, passed.reached + 1
                passed.ended = True

    def loop(
        self, data_set: int, rights: Sequence[int], sizes: Sequence[int], *, trained: bool = False, model: int = 0
    ) -> Stretch:
        """A whole loop over a loader."""
        line = 20 if trained else 40
        return self.shows(self.begins(data_set, line=line), rights, sizes, trained=trained, model=model, line=line + 5)

    def says(self, text: str, *, line: int = 60, file: str = FILE) -> None:
        """The script prints a line."""
        self.log.printed.append(Printed(self.tick(), Place(file, line), "stdout", text + "\n"))

    def remarks(self, kind: str, *, n: int = 1, line: int = 50) -> None:
        """Something was seen so many times."""
        self.log.remarks.append(Remark(kind, Place(FILE, line), n, n, {"n_samples": 10}))

    def steps(self, *, model: int = 0, n: int = 10) -> Optimiser:
        """An optimiser that steps."""
        made = Optimiser(len(self.log.optimisers), "SGD", Place(FILE, 12), {"lr": "0.1"}, 0.1, {model}, n)
        self.log.optimisers.append(made)
        return made

    def happens(self, kind: str, **facts: object) -> None:
        """Something happens once."""
        self.log.events.append(Event(self.tick(), kind, Place(FILE, 1), facts))
