"""A line of the user's own code."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a script may set what numpy reads when it is imported, and then import it itself
    pass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of the user's own code; line 0 where none was on the stack."""

    file: str = ""
    line: int = 0


# Where nothing of the user's own was on the stack.
NOWHERE = Place()
