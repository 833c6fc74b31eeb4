"""heldout evaluate."""

from typing import Annotated

import typer

from heldout.cli.options import Data, Device, Json, RunFolder, SkipBad
from heldout.cli.showing import Progress, finding_lines, percent, print_json, print_lines, score_line

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def evaluate(
    run: RunFolder,
    data: Data,
    part: Annotated[
        str, typer.Option(help="train, validation or test: score that part of DATA alone.", show_default=False)
    ] = "",
    skip_bad: SkipBad = False,
    group_by: Annotated[
        str | None,
        typer.Option(
            help="Count these together in the intervals (patients, cameras, bursts): a column of the listing, or a "
            "regular expression on the path whose first group names them.",
            show_default=False,
        ),
    ] = None,
    device: Device = "auto",
    as_json: Json = False,
) -> None:
    """Score a run on labelled pictures, or on a table like the one it was trained on. Classes are matched by name.

    Pictures that the run was trained on, and looks at its own held-out part, are told. Near copies of each other count
    together in the intervals. The exit code is 1 when a finding is an error.
    """
    from heldout.verbs.evaluating import evaluate as evaluate_run

    found = evaluate_run(
        run, data, part=part, skip_bad=skip_bad, group_by=group_by or "", device=device, watcher=Progress()
    )
    content = found.as_dict()
    if as_json:
        print_json(content)
    else:
        lines = finding_lines(content["findings"])
        if groups := content["groups"]:
            lines.append(f"groups: {groups['n']:,}, the largest of {groups['largest']:,} {content['things']}")
        lines += [score_line(score["name"].replace("_", " "), score) for score in content["summary"]["scores"]]
        lines += ["", "class  n  recall [95 % interval]"]
        for each in content["summary"]["per_class"]:
            recall = each["recall"]
            interval = f"[{percent(recall['low'])}, {percent(recall['high'])}]" if each["n"] else ""
            lines.append(f"{each['name']}  {each['n']:,}  {percent(recall['value'])} {interval}")
        print_lines(lines)
    if any(finding.severity == "error" for finding in found.findings):
        raise typer.Exit(1)
