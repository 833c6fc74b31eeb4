"""heldout resume."""

from pathlib import Path
from typing import Annotated

import typer

from heldout.cli.options import Json
from heldout.cli.showing import Progress, finding_lines, print_json, print_lines
from heldout.cli.train import show

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run, finished or not.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Carry the finished run out again, elsewhere, and compare bit by bit.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Go on with a run that was killed or stopped: the same numbers, bit for bit, as if it had been left alone."""
    from heldout.allocator import keep_freed_memory
    from heldout.plan import plan_of
    from heldout.run_folders import is_finished, started_run
    from heldout.verbs.running import resume as go_on

    was_finished = is_finished(started_run(run))
    if (verify or not was_finished) and plan_of(run).training is not None:
        keep_freed_memory()  # before torch is imported
    finished = go_on(run, watcher=Progress())
    if verify:
        _verify(run, as_json=as_json)
    elif was_finished and not as_json:
        print_lines([f"{run} is finished, and all its files are as they were written"])
    else:
        show(finished, as_json=as_json)


def _verify(run: Path, *, as_json: bool) -> None:
    from heldout.verbs.replaying import replay

    replayed = replay(run, watcher=Progress())
    finding = replayed.finding()
    if as_json:
        print_json(
            {
                "run": str(run),
                "same": finding is None,
                "differing": list(replayed.differing),
                "circumstances": list(replayed.circumstances),
                "findings": [finding.as_dict()] if finding else [],
            }
        )
    elif finding:
        print_lines(finding_lines([finding.as_dict()]))
    else:
        elsewhere = f" ({'; '.join(replayed.circumstances)})" if replayed.circumstances else ""
        print_lines([f"a replay of {run} gives the same weights, history, predictions and scores{elsewhere}"])
    if finding:
        raise typer.Exit(1)
