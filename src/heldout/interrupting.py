"""Ctrl-C and SIGTERM: outside of training they end the command at once, within it after the step that is under way.

A handler does nothing but raise a flag. The second signal ends the process as the system does by itself: a run
survives being killed at any moment, so nothing needs to be tidied first.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# How often a process looks whether the one that began it still lives, seconds.
_EVERY = 0.5


class Stop:
    """Whether somebody asked the run to stop."""

    def __init__(self) -> None:
        self._number = 0

    def ask(self, number: int) -> None:
        """Ask for it, as the signal of this number does."""
        self._number = number

    @property
    def is_asked(self) -> bool:
        """Whether it was asked for."""
        return self._number != 0

    def error(self) -> BaseException:
        """What to raise once everything is saved: what ends a process with the code of the signal."""
        return SystemExit(128 + self._number) if self._number == signal.SIGTERM else KeyboardInterrupt()


def end_on_sigterm() -> None:
    """From now on SIGTERM ends the process as Ctrl-C does, with whatever `finally` has to do."""

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, end)


@contextmanager
def finishing_steps() -> Iterator[Stop]:
    """Within: the first Ctrl-C or SIGTERM only asks to stop; the second ends the process on the spot.

    In a thread other than the main one, and where the program has handlers of its own, signals are left alone.

    Raises:
        KeyboardInterrupt: It was asked for, and the block ended without having noticed.
        SystemExit: The same, by SIGTERM.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(number: int, frame: FrameType | None) -> None:
        stop.ask(number)
        signal.signal(number, signal.SIG_DFL)

    own = {signal.SIGINT: (signal.default_int_handler,), signal.SIGTERM: (signal.SIG_DFL,)}
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    ours = [number for number in _SIGNALS if before[number] in own[number] or _is_ending(before[number])]
    for number in ours:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number in ours:
            signal.signal(number, before[number])
    if stop.is_asked:
        raise stop.error()


def follow_parent(parent: int) -> None:
    """From now on this process ends when `parent`, which began it, has ended; it is looked for twice a second."""

    def follow() -> None:
        while os.getppid() == parent:
            time.sleep(_EVERY)
        os._exit(1)

    threading.Thread(target=follow, name="heldout-parent", daemon=True).start()


def _is_ending(handler: object) -> bool:
    return getattr(handler, "__qualname__", "").startswith(end_on_sigterm.__qualname__)
