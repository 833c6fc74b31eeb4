"""What the scripts of `cases/frameworks` are run with, in an environment that has their frameworks."""

import os
from pathlib import Path

HERE = Path(__file__).parent / "cases" / "frameworks"
# What `import` must find before one of them is worth running; requirements.txt there installs them.
FRAMEWORKS = ("accelerate", "fastai", "lightning", "skorch", "timm", "torchmetrics", "torchvision", "transformers")


def environment(folder: Path) -> dict[str, str]:
    """The variables for one run: no network, one thread, files in a folder of its own, and torchvision importable.

    Args:
        folder: For what the script and its frameworks write.
    """
    path = [
        str(HERE),
        *(each for each in os.environ.get("PYTHONPATH", "").split(os.pathsep) if each not in ("", str(HERE))),
    ]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path),
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "HF_HOME": str(folder / "huggingface"),
        "FASTAI_HOME": str(folder / "fastai"),
        "MPLBACKEND": "agg",
        "TMPDIR": str(folder),
    }
