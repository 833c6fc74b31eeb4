"""Watches what a script writes to its standard streams; every letter goes on to where it was meant to go."""

import os
import sys
from collections.abc import Callable
from typing import Any, Protocol

from heldout.auditing.seen.log import Printed
from heldout.auditing.seen.place import Place
from heldout.auditing.watch.patching import Patches, note_fault
from heldout.auditing.watch.places import is_users, place

# Lines that are kept, and letters of all and of one of them: where a script writes more, the middle is left out, for
# what a reader goes by stands at the beginning and at the end. Assumed.
MOST_PIECES = 20_000
MOST_LETTERS = 4_000_000
MOST_LETTERS_OF_ONE = 10_000
_MOST_PARTS = 1000


class Clock(Protocol):
    """Counts the moments of a watch."""

    moment: int

    def tick(self) -> int:
        """The number of a new moment."""


class PrintWatch:
    """Keeps what is written until the patches are undone.

    It counts moments of its own until the watch of the models, which counts all, takes its place as the clock.

    Attributes:
        printed: What was written, line by line; shortened in place.
        clock: Counts the moments.
        moment: The latest that it counted itself.
        n_left_out: Pieces that are not kept.
    """

    def __init__(self, patches: Patches) -> None:
        self.printed: list[Printed] = []
        self.clock: Clock = self
        self.moment = 0
        self.n_left_out = 0
        self._n_letters = 0
        self._open: list[str] = []
        # Of the open piece: the stream, the code and the line that write it, and the moment.
        self._open_key: tuple[Any, ...] = ()
        self._open_place = Place()
        self._places: dict[tuple[Any, int], Place] = {}
        for name in ("stdout", "stderr"):
            if (stream := getattr(sys, name)) is not None:
                self._follow(stream, name, patches)

    def tick(self) -> int:
        """The number of a new moment."""
        self.moment += 1
        return self.moment

    def _follow(self, stream: Any, name: str, patches: Patches) -> None:
        original, see = stream.write, self._writer(name)
        pid, getpid = os.getpid(), os.getpid

        def write(text: Any, *more: Any) -> Any:
            if getpid() == pid:
                try:
                    see(text)
                except Exception as error:
                    note_fault("print", error)
            return original(text, *more)

        patches.put(stream, "write", write)

    def _writer(self, stream: str) -> Callable[[Any], None]:
        """Sees what is written; a program may print a million lines, and each calls this several times."""
        frame_at = sys._getframe

        def see(text: Any) -> None:
            try:
                frame = frame_at(2)
            except ValueError:  # Python itself writes, after the last line of the script
                return
            if (stream, frame.f_code, frame.f_lineno, self.clock.moment) != self._open_key:
                # A piece begins: `print` writes each of its parts by itself, and the end of the line.
                self.finish()
                self._open_place = self._place_of(frame)
                self._open_key = (stream, frame.f_code, frame.f_lineno, self.clock.tick())
            if "\n" in text or "\r" in text or len(self._open) > _MOST_PARTS:
                self._open.append(str(text)[:MOST_LETTERS_OF_ONE])
                self.finish()
            else:
                self._open.append(text)

        return see

    def _place_of(self, frame: Any) -> Place:
        key = (frame.f_code, frame.f_lineno)
        if key not in self._places:
            if not is_users(frame.f_code.co_filename):
                return place()
            self._places[key] = Place(frame.f_code.co_filename, frame.f_lineno)
        return self._places[key]

    def finish(self) -> None:
        """Keep what was written of a line that has no end yet."""
        if not self._open:
            return
        stream, moment = self._open_key[0], self._open_key[3]
        text = "".join(self._open)[:MOST_LETTERS_OF_ONE]
        self.printed.append(Printed(moment, self._open_place, stream, text))
        self._open, self._open_key = [], ()
        self._n_letters += len(text)
        if len(self.printed) > MOST_PIECES or self._n_letters > MOST_LETTERS:
            self._leave_out()

    def _leave_out(self) -> None:
        """Forget the middle half."""
        n = len(self.printed)
        middle = slice(n // 4, n - n // 4)
        self.n_left_out += len(self.printed[middle])
        del self.printed[middle]
        self._n_letters = sum(len(each.text) for each in self.printed)
