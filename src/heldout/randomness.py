"""One seed -> named, explicit generators.

Every random number in a run is a pure function of (seed, purpose, position), never of what was drawn
before it. A run that is killed and taken up again in the middle therefore draws the same numbers as one
that was not, without any generator state on disk.
"""

import hashlib

import numpy as np

# The purposes in use. A new purpose never changes what the others draw.
PURPOSES = (
    "split",
    "init",
    "batches",
    "augment",
    "bootstrap",
    "sample",
    "dropout",
    "folds",
    "settings",
    "rates",
    "boundary",
)


def key_of(seed: int, purpose: str, *position: int) -> int:
    """A 128-bit key for one stream.

    Args:
        seed: The seed of the run, any integer.
        purpose: One of `PURPOSES`.
        position: Where in the run, such as (epoch, step).

    Raises:
        ValueError: `purpose` is not known.
    """
    if purpose not in PURPOSES:
        raise ValueError(f"unknown purpose {purpose!r}; known are {PURPOSES}")
    text = ":".join(str(part) for part in (seed, purpose, *position))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "little")


def stream(seed: int, purpose: str, *position: int) -> np.random.Generator:
    """A fresh numpy generator for one purpose at one position of a run.

    Example:
        >>> int(stream(0, "split").integers(100)) == int(stream(0, "split").integers(100))
        True
        >>> stream(0, "batches", 1, 0).random() == stream(0, "batches", 1, 1).random()
        False
    """
    return np.random.Generator(np.random.Philox(key=key_of(seed, purpose, *position)))


def torch_seed(seed: int, purpose: str, *position: int) -> int:
    """A 63-bit seed for a torch generator, from the same streams."""
    return key_of(seed, purpose, *position) & (2**63 - 1)
