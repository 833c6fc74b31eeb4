"""The figures of a run, drawn by a process of its own.

Matplotlib takes half a second to import and as long to draw. A run starts the process early, so that it has imported
everything when there is something to draw, and goes on with its own work while it draws. On two cores that takes a
second off a run of a few (measured here, 2026-11-22).
"""

import pickle
import subprocess
import sys
from contextlib import suppress
from types import TracebackType
from typing import Self

from heldout.reporting.results import Drawable

# By name: SVG, PNG, and what it shows in words.
Figures = dict[str, tuple[bytes, bytes, str]]


class Painter:
    """Draws the figures of one run beside it; use it in a `with` block, which ends the process.

    Where the process cannot be had, or dies, the figures are drawn here: they come in any case.
    """

    def __init__(self) -> None:
        # -P: nothing that lies in the working folder is imported in place of a module of ours.
        command = [sys.executable, "-P", "-m", "heldout.reporting.painting"]
        try:
            self._process: subprocess.Popen[bytes] | None = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        except OSError:
            self._process = None
        self._asked: Drawable | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # what was not written yet has no reader any more
                if pipe is not None:
                    pipe.close()

    def paint(self, drawable: Drawable) -> None:
        """Begin to draw."""
        self._asked = drawable
        if self._process is None:
            return
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(pickle.dumps(drawable))
            self._process.stdin.close()
        except OSError:  # it died
            return

    def figures(self) -> Figures:
        """The figures of what was given to `paint`."""
        assert self._asked is not None, "nothing was asked for"
        if self._process is not None:
            assert self._process.stdout is not None
            content = self._process.stdout.read()
            if self._process.wait() == 0:
                drawn: Figures = pickle.loads(content)
                return drawn
        from heldout.reporting.figures import draw_figures

        return draw_figures(self._asked)


def main() -> None:
    """In the process: draw what comes on stdin, and give it out on stdout."""
    from heldout.reporting.figures import draw_figures, warm_up

    warm_up()
    if content := sys.stdin.buffer.read():
        sys.stdout.buffer.write(pickle.dumps(draw_figures(pickle.loads(content))))


if __name__ == "__main__":
    main()
