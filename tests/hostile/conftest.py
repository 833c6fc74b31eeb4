"""The command line, imported once and forked for every case."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hostile.limited import Commands, commands

# What the commands import where they need it.
_PLUGINS = tuple(f"PIL.{kind}ImagePlugin" for kind in ("Bmp", "Gif", "Jpeg", "Mpo", "Png", "Tiff", "WebP"))
_LATE = ("pyarrow.compute", "pyarrow.parquet", "jinja2", "heldout.reporting.page", *_PLUGINS)


@pytest.fixture(scope="session")
def checking(session_cache: Path) -> Iterator[Commands]:
    """For `heldout check`, which never imports torch."""
    with commands(
        "heldout.cli.main", "heldout.cli.check", "heldout.verbs.checking", *_LATE, cache=session_cache
    ) as ready:
        yield ready


@pytest.fixture(scope="session")
def training(session_cache: Path) -> Iterator[Commands]:
    """For commands that open models."""
    ours = ("cli.main", "cli.train", "cli.predict", "verbs.running", "experiment", "verbs.predicting", "provenance")
    networks = ("models.build", "models.resnet", "models.efficientnet_lite")
    modules = (
        *(f"heldout.{name}" for name in (*ours, *networks)),
        "safetensors.torch",
        "safetensors.numpy",
        "torch._refs",
        *_LATE,
    )
    with commands(*modules, cache=session_cache) as ready:
        yield ready
