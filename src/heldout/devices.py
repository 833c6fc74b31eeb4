"""Which device a run computes on. torch is asked only where there is something to ask about."""

import shutil
from pathlib import Path

from heldout.errors import UsageError, one_of

DEVICES = ("auto", "cpu", "cuda")


def has_nvidia() -> bool:
    """Whether there are signs of an NVIDIA GPU; says so without importing torch."""
    return Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None


def chosen_device(asked: str) -> str:
    """`cpu` or `cuda`.

    Args:
        asked: `auto`, `cpu` or `cuda`.

    Raises:
        UsageError: No such device, or `cuda` was asked for and torch finds no GPU that it can use.
    """
    if asked not in DEVICES:
        raise one_of("device", asked, DEVICES)
    if asked == "cpu" or (asked == "auto" and not has_nvidia()):
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if asked == "auto":
        return "cpu"
    raise UsageError(
        f"device is 'cuda', and torch {torch.__version__} finds no GPU that it can use",
        expected="an NVIDIA GPU with its driver, and a torch built for CUDA",
        fix="leave --device out, or see what `heldout doctor` says",
    )
