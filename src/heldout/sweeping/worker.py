"""One worker process: calls functions on items until its connection ends.

    python -m heldout.sweeping.worker DESCRIPTOR

The descriptor is one end of a connection over which (function, item) comes and (error, result, seconds) goes.
"""

import os
import pickle
import sys
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any

from heldout.interrupting import follow_parent


def main(descriptor: int) -> None:
    """Serve until the other end is closed or its process has died."""
    follow_parent(os.getppid())
    connection: Connection[Any, Any] = Connection(descriptor)
    while True:
        try:
            function, item = connection.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return  # nothing more comes
        error: BaseException | None = None
        result, began = None, time.perf_counter()
        try:
            result = function(item)
        except (Exception, KeyboardInterrupt) as caught:
            error = _sendable(caught)
        try:
            connection.send((error, result, time.perf_counter() - began))
        except OSError:
            return  # nobody waits for it any more


def _sendable(error: BaseException) -> BaseException:
    """The error with the place where it came up; as a RuntimeError, where it does not survive the way."""
    error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}\n{error.__notes__[-1]}")
    return error


if __name__ == "__main__":
    main(int(sys.argv[1]))
