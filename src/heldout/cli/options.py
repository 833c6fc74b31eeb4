"""The options that several commands share, by their one name and explanation."""

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="Class folders; a folder with train/ val/ test/; a listing (CSV, Parquet, lines of `picture label`); "
        "the official Flowers-102; an archive of these (.zip, .tar, .tar.gz), read in place; an address such as "
        "s3://bucket/photos; or with --target a table.",
        show_default=False,
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="DATA is a table (CSV, Parquet, text): the column of the labels, by name, position from 1, or last.",
        show_default=False,
    ),
]
TestFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="Of a table: the rows to hold out, as a file.", show_default=False)
]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="The folder of a finished run, such as runs/photos-001.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout; logs stay on stderr.")]
Latex = Annotated[bool, typer.Option("--latex", help="Print a LaTeX document instead.")]
Plot = Annotated[Path | None, typer.Option(help="Draw it into this file, .svg or .png.", show_default=False)]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help="Leave unreadable files out, and record it.")]
GroupBy = Annotated[
    str | None,
    typer.Option(
        help="Never part these (patients, cameras, bursts): a column of the listing, or a regular expression on the "
        "path whose first group names them.",
        show_default=False,
    ),
]
Seed = Annotated[int | None, typer.Option(help="Of every random number. [default: 0]", show_default=False)]
Download = Annotated[bool, typer.Option("--download", help="Published weights may be fetched.")]
Out = Annotated[str | None, typer.Option(help="Where the folder is made. [default: runs]", show_default=False)]
PlanFile = Annotated[Path | None, typer.Option(help="A TOML file of settings; flags beat it.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other setting, such as training.weight_decay=0.01."),
]
