"""heldout predict."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from heldout.cli.options import Device, RunFolder
from heldout.cli.showing import Progress, percent, print_json

if TYPE_CHECKING:
    from heldout.doubting import Doubt
    from heldout.verbs.predicting import Prediction

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
    not_sure: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Say of each answer whether it is sure; this share of the sure ones may be wrong, such as 0.05.",
            show_default=False,
        ),
    ] = None,
    prediction_sets: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Give the classes that cannot be excluded; this share of these sets may miss, such as 0.1.",
            show_default=False,
        ),
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
    from heldout.verbs.predicting import answers_of, format_of, open_asked, to_bytes, write_predictions

    names = [name for path in paths or [] for name in (_from_stdin() if path == "-" else [path])]
    if not names:
        raise UsageError(
            "nothing is named to predict",
            expected="pictures, folders of them, - for stdin; of a run on a table, tables",
            fix="heldout predict RUN PATH",
        )
    if out is not None:
        format_of(out)  # so that a suffix we cannot write is refused before the work
    asked = open_asked(run, not_sure=not_sure, prediction_sets=prediction_sets)
    classes = asked.classifier.classes
    predictions = answers_of(asked, names, device=device, watcher=Progress())
    for line in _doubt_lines(asked.doubt, predictions):
        print(line, file=sys.stderr)
    n_unreadable = sum(bool(one.error) for one in predictions)
    if out is not None:
        write_predictions(predictions, classes, out)
        print(f"{len(predictions):,} rows in {out}", file=sys.stderr)
    if as_json:
        told = {"classes": list(classes), **asked.doubt.as_dict()}
        print_json(told | {"predictions": [one.as_dict() for one in predictions]})
    elif out is None:
        sys.stdout.buffer.write(to_bytes(predictions, classes, "csv"))
    if n_unreadable:
        print(f"{n_unreadable:,} of {len(predictions):,} files cannot be read; their rows say why", file=sys.stderr)
        raise typer.Exit(1)


def _doubt_lines(doubt: "Doubt", predictions: Sequence["Prediction"]) -> list[str]:
    """What was chosen on validation, and what it comes to on the held-out part and here."""
    lines = []
    if rule := doubt.not_sure:
        there, test = rule.on_validation, rule.on_test
        right = f"{percent(test.accuracy)} [{percent(test.low)}, {percent(test.high)}]" if test.n else "none"
        n_doubted = sum(one.sure is False for one in predictions)
        lines += [
            f"sure from a confidence of {rule.confidence:.4g} on: on validation {percent(there.coverage)} are sure, "
            f"and of these {percent(there.accuracy)} right, n = {there.n:,}",
            f"held-out part: {percent(test.coverage)} are sure, and of these {right} right, n = {test.n:,}",
            f"not sure of {n_doubted:,} of {len(predictions):,}",
        ]
    if sets := doubt.sets:
        found = sets.on_test.coverage
        whose = "of each class" if sets.on_test.by_class else "of all"
        lines.append(
            f"prediction sets, to hold the class in {percent(1 - sets.share)} {whose}: on the held-out part they do in "
            f"{percent(found.value)} [{percent(found.low)}, {percent(found.high)}], n = {found.n:,}, with "
            f"{sets.on_test.mean_size:.2f} classes on average"
        )
    return lines


def _from_stdin() -> list[str]:
    """Names from stdin, one a line, or separated by zero bytes as `find -print0` writes them."""
    import os

    content = sys.stdin.buffer.read()
    separator = b"\0" if b"\0" in content else b"\n"
    return [os.fsdecode(name.removesuffix(b"\r")) for name in content.split(separator) if name.strip()]
