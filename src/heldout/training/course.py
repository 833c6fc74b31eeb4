"""A training between two steps: everything that it needs to go on as if it had never stopped.

What is not here need not be kept: all that is drawn is a function of (seed, purpose, epoch, step).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from heldout.models.regimes import has_fixed_statistics, learning_names, learning_parts
from heldout.training.history import EpochRecord, best_epoch
from heldout.training.losses import Tally
from heldout.training.norms import Norms, norms_of
from heldout.training.parallel import ALONE, Group
from heldout.training.settings import TrainingSettings
from heldout.training.steps import Learner, make_learner
from heldout.training.tasks import Task


@dataclass(slots=True, eq=False)
class Course:
    """How far a training has come; it changes with every step.

    Attributes:
        learner: The network and its optimiser.
        best_state: The state dict of the best epoch, on the CPU and contiguous; before the first, the network's own.
        norms: Of the weights, at the start and after each epoch.
        epoch: Which epoch is under way, from 1; 0 before a pretrained network has been judged.
        step: How many of its steps are done.
        tally: Over those steps.
        seconds: That they took.
        history: Of the epochs that have ended.
    """

    learner: Learner
    best_state: dict[str, Tensor]
    norms: Norms
    epoch: int
    step: int = 0
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0
    history: list[EpochRecord] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        """The epoch of the lowest validation loss; the earliest, where several are equal."""
        return best_epoch(self.history)

    def end_epoch(self, record: EpochRecord) -> None:
        """Go on to the next epoch, and keep the weights if this one was the best."""
        self.history.append(record)
        if record.epoch > 0:
            self.norms.write_down(record.epoch)
        if self.best_epoch == record.epoch:
            self.best_state = copied_state(self.learner.task, self.best_state)
        self.epoch, self.step, self.tally, self.seconds = record.epoch + 1, 0, Tally(), 0.0

    def is_over(self, settings: TrainingSettings) -> bool:
        """Whether all epochs have ended, or so many in vain that it was agreed to stop."""
        if self.epoch > settings.epochs:
            return True
        if settings.patience is None or not self.history:
            return False
        return self.history[-1].epoch - self.best_epoch >= settings.patience


def begin(task: Task, settings: TrainingSettings, *, precision: str, group: Group = ALONE) -> Course:
    """A training before its first step.

    A network that begins with fitted weights is judged first, as epoch 0; random ones are nothing to keep.
    """
    learner = make_learner(task, settings, precision=precision, group=group)
    begins_at_random = task.regime in ("scratch", "frozen")
    # A head that was fitted to the log loss is no answer of the focal loss: undoing that would make it far too sure.
    is_judged = not begins_at_random and not task.balance.gamma
    norms = norms_of(learning_parts(task.net, task.regime), learner.optimiser, learner.decay_alone)
    return Course(learner, copied_state(task), norms, epoch=0 if is_judged else 1)


def copied_state(task: Task, before: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
    """The state dict of the network, copied to the CPU and contiguous.

    Args:
        task: Whose network.
        before: An earlier copy, of which those tensors are taken that nothing moves; None copies all.
    """
    if before is not None and has_fixed_statistics(task.regime):
        moving = learning_names(task.net, task.regime)
        own = {name: value for name, value in task.net.named_parameters() if name in moving}
        return {**before, **{name: _copy(value) for name, value in own.items()}}
    return {name: _copy(value) for name, value in task.net.state_dict().items()}


def _copy(value: Tensor) -> Tensor:
    return value.detach().cpu().contiguous().clone(memory_format=torch.contiguous_format)
