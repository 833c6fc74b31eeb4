"""A watch from beginning to end: installed when torch is imported, taken off when the script ends."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from heldout.auditing.seen.log import Log, write_log
from heldout.auditing.watch.patching import Patches, after_import, faults, note_fault
from heldout.auditing.watch.prints import PrintWatch
from heldout.auditing.watch.unseen import is_off_in

if TYPE_CHECKING:
    from heldout.auditing.watch.watcher import Watcher


class Stopped(BaseException):
    """The script has run as long as it may; no `except Exception` of its own catches this."""


def stop(words: str) -> NoReturn:
    """End the script where it stands.

    Raises:
        Stopped: Always.
    """
    raise Stopped(words)


def outcome_of(error: BaseException) -> str:
    """How a script ended, in words: by this error."""
    try:
        return f"{type(error).__name__}: {error}"[:500]
    except Exception:  # an error of the script's own that cannot even be told
        return type(error).__name__


class Watch:
    """Watches from `begin` to `end`.

    Args:
        script: How the script is called in the log.
        file: Where the log is kept while it grows; None keeps it in memory.
        max_steps: Stop the script after so many steps of its optimisers; 0 never stops it.
        stop: Ends the script, told why.
    """

    def __init__(
        self, script: str, file: Path | None = None, *, max_steps: int = 0, stop: Callable[[str], NoReturn] = stop
    ) -> None:
        self._log = Log(script=script)
        self._file, self._max_steps, self._stop = file, max_steps, stop
        self._patches = Patches()
        self._watcher: Watcher | None = None
        self._training: Any = None
        self._pid, self._begun, self._has_ended = os.getpid(), 0.0, False

    def begin(self) -> None:
        """Wrap what is watched; torch as soon as it is imported, and nothing of it where it never is."""
        self._begun = time.monotonic()
        faults.clear()
        self._prints = PrintWatch(self._patches)
        self._log.printed = self._prints.printed
        after_import("torch", self._begin_with_torch, self._patches)
        self._patches.wrap(os, "_exit", self._leaving)

    def _begin_with_torch(self, torch: ModuleType) -> None:
        import torch.utils.data

        from heldout.auditing.watch.data import LoaderWatch
        from heldout.auditing.watch.frameworks import FrameworkWatch
        from heldout.auditing.watch.functions import FunctionWatch
        from heldout.auditing.watch.loading import LoadingWatch
        from heldout.auditing.watch.models import ModelWatch
        from heldout.auditing.watch.training import TrainingWatch
        from heldout.auditing.watch.watcher import Watcher

        # Numpy is imported here, and not before: a script may set what numpy reads when it is imported.
        watcher = self._watcher = Watcher(self._log.script, self._file)
        watcher.log, watcher.begun, watcher.moment = self._log, self._begun, self._prints.moment
        self._prints.clock = watcher
        watcher.patches.is_off = is_off_in(torch)
        watcher.log.torch = str(torch.__version__)
        loaders = LoaderWatch(watcher)
        models = ModelWatch(watcher)
        self._training = TrainingWatch(watcher, models)
        FunctionWatch(watcher, models)
        LoadingWatch(watcher, models)
        FrameworkWatch(watcher, loaders, self._training)
        if self._max_steps:
            from torch.optim.optimizer import register_optimizer_step_post_hook

            handle = register_optimizer_step_post_hook(self._count)
            watcher.patches.afterwards(handle.remove)

    def _count(self, *_: Any) -> None:
        if os.getpid() == self._pid and sum(each.n_steps for each in self._log.optimisers) >= self._max_steps:
            self._stop(f"after {self._max_steps:,} steps")

    def _leaving(self, original: Callable[[int], None], code: int) -> None:
        self.end(f"exit {code}" if code else "finished")
        original(code)

    def end(self, outcome: str = "finished") -> Log:
        """Take everything off, and give the log; a second time, and in a process that was forked off, only give it.

        Args:
            outcome: How the script ended.
        """
        log = self._log
        if self._has_ended or os.getpid() != self._pid:
            return log
        self._has_ended = True
        self._patches.undo()
        self._prints.finish()
        if self._watcher is not None:
            self._end_with_torch(self._watcher)
        log.outcome, log.seconds = outcome, time.monotonic() - self._begun
        if self._prints.n_left_out:
            log.truncated = {**log.truncated, "printed": self._prints.n_left_out}
        log.faults = tuple(dict.fromkeys(faults))[:20]
        if self._file is None:
            self._unfold(log)
        else:
            with suppress(OSError):  # a full disk is the script's business, and not ours
                write_log(self._file, log)
        return log

    def _unfold(self, log: Log) -> None:
        """Sort the samples here, where nobody reads the log from a file."""
        if log.held:
            from heldout.auditing.watch.held_samples import unfold

            unfold(log)

    def _end_with_torch(self, watcher: "Watcher") -> None:
        watcher.patches.undo()
        try:
            watcher.settle()
            watcher.count()
            self._training.at_the_end()
            watcher.samples.tell(watcher.log)
        except Exception as error:
            note_fault("at the end", error)
        watcher.log.moments = watcher.moment
