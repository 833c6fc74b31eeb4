"""Stops a script that has run as long as it may: by an exception, and where it does not heed that, by its end."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

from heldout.auditing.watch.watching import stop

# After a script was asked to stop it has so long to put down what it has in its hands. Assumed.
GRACE_SECONDS = 5.0
# What the system says to a process whose time is up, and what hardly any script uses for itself.
_TIME_IS_UP = signal.SIGXCPU


class Limit:
    """How long a script may run.

    Attributes:
        words: Why it was stopped; empty while it was not.
        end: Keeps the log, told how the script ended.
    """

    def __init__(self) -> None:
        self.words = ""
        self.end: Callable[[str], Any] = str

    def begin(self, seconds: float) -> None:
        """Stop the script in so many seconds."""

        def asked(_: int, __: FrameType | None) -> None:
            self.stop(f"after {seconds:g} s")

        signal.signal(_TIME_IS_UP, asked)
        main = threading.main_thread().ident
        assert main is not None
        self._later(seconds, lambda: signal.pthread_kill(main, _TIME_IS_UP))

    def stop(self, words: str) -> NoReturn:
        """Ask the script to end, and end it when it has not done so in time.

        Raises:
            Stopped: Always.
        """
        if not self.words:
            self.words = f"stopped {words}"
            self._later(GRACE_SECONDS, self._end)
        stop(words)

    def _end(self) -> None:
        self.end(self.words)
        flush = threading.Thread(target=_flush, daemon=True)
        flush.start()
        flush.join(1.0)  # the script may hold its stream while it waits for a reader
        os._exit(0)

    def _later(self, seconds: float, then: Callable[[], None]) -> None:
        def wait() -> None:
            time.sleep(seconds)
            then()

        threading.Thread(target=wait, name="heldout-limit", daemon=True).start()


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
