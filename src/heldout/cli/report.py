"""heldout report."""

import typer

from heldout.cli.options import Json, RunFolder
from heldout.cli.showing import print_json, print_lines

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def report(run: RunFolder, as_json: Json = False) -> None:
    """Make report.html of a run again, from the files of the run alone."""
    from heldout.verbs.running import report as make_report

    page = make_report(run)
    if as_json:
        print_json({"report": str(page)})
    else:
        print_lines([f"report   {page}"])
