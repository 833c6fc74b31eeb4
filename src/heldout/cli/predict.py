"""heldout predict."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from heldout.cli.options import Device, RunFolder
from heldout.cli.showing import Progress, print_json

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def predict(
    run: RunFolder,
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH...",
            help="Pictures; folders, archives, addresses of them; - for stdin; of a table's run, tables.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A .csv, .jsonl or .parquet file; CSV goes to stdout without it.")
    ] = None,
    device: Device = "auto",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout; logs stay on stderr.")
    ] = False,
) -> None:
    """Labels and calibrated probabilities of pictures, or of the rows of tables.

    A file that cannot be read becomes a row that says why; the exit code is then 1.
    """
    from heldout.errors import UsageError
    from heldout.verbs.predicting import format_of, to_bytes, write_predictions
    from heldout.verbs.predicting import predict as predict_files
    from heldout.verbs.running import open_run

    names = [name for path in paths or [] for name in (_from_stdin() if path == "-" else [path])]
    if not names:
        raise UsageError(
            "nothing is named to predict",
            expected="pictures, folders of them, - for stdin; of a run on a table, tables",
            fix="heldout predict RUN PATH",
        )
    if out is not None:
        format_of(out)  # so that a suffix we cannot write is refused before the work
    classes = open_run(run).classes
    predictions = predict_files(run, names, device=device, watcher=Progress())
    n_unreadable = sum(bool(one.error) for one in predictions)
    if out is not None:
        write_predictions(predictions, classes, out)
        print(f"{len(predictions):,} rows in {out}", file=sys.stderr)
    if as_json:
        print_json({"classes": list(classes), "predictions": [one.as_dict() for one in predictions]})
    elif out is None:
        sys.stdout.buffer.write(to_bytes(predictions, classes, "csv"))
    if n_unreadable:
        print(f"{n_unreadable:,} of {len(predictions):,} files cannot be read; their rows say why", file=sys.stderr)
        raise typer.Exit(1)


def _from_stdin() -> list[str]:
    """Names from stdin, one a line, or separated by zero bytes as `find -print0` writes them."""
    import os

    content = sys.stdin.buffer.read()
    separator = b"\0" if b"\0" in content else b"\n"
    return [os.fsdecode(name.removesuffix(b"\r")) for name in content.split(separator) if name.strip()]
