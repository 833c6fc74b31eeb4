"""The options that several commands share, by their one name and explanation."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="Class folders; a folder with train/ val/ test/; a listing (CSV, Parquet, lines of `picture label`); "
        "or the official Flowers-102.",
        show_default=False,
    ),
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="The folder of a finished run, such as runs/photos-001.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout; logs stay on stderr.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave unreadable files out, and record it.")]
Seed = Annotated[int | None, typer.Option(help="Of every random number. [default: 0]", show_default=False)]
