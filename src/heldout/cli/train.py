"""heldout train."""

import shlex
import sys
from typing import Annotated, Any

import typer

from heldout.cli.options import Data, Download, GroupBy, Json, Out, PlanFile, Seed, Settings, SkipBad
from heldout.cli.showing import Progress, finding_lines, print_json, print_lines, score_line

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def train(  # noqa: PLR0913, PLR0917 -- one parameter a flag
    data: Data,
    regime: Annotated[
        str | None,
        typer.Option(
            help="frozen: fit a new head (seconds). partial: the last blocks too. full: everything, from pretrained "
            "weights. scratch: everything, from random weights. [default: frozen]",
            show_default=False,
        ),
    ] = None,
    backbone: Annotated[
        str | None,
        typer.Option(
            help="efficientnet-lite0, -lite1, -lite2, resnet18, resnet34, resnet50, timm:NAME. "
            "[default: efficientnet-lite0]",
            show_default=False,
        ),
    ] = None,
    weights: Annotated[
        str | None, typer.Option(help="imagenet, none, or a file. [default: imagenet]", show_default=False)
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(
            help="How often each picture is seen. For frozen: this, or any setting of training, trains the head by "
            "mini-batches instead of fitting it to its optimum.",
            show_default=False,
        ),
    ] = None,
    learning_rate: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|find",
            help="A number, or find: a range test on a copy of the network finds one first.",
            show_default=False,
        ),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures a step.", show_default=False)] = None,
    workers: Annotated[
        int | None,
        typer.Option(help="Processes that train together, each on its piece of every batch.", show_default=False),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            help="local: on this machine. ray: on the cluster of RAY_ADDRESS (needs heldout[ray]). [default: local]",
            show_default=False,
        ),
    ] = None,
    seed: Seed = None,
    skip_bad: SkipBad = False,
    group_by: GroupBy = None,
    download: Download = False,
    out: Out = None,
    plan: PlanFile = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Labelled pictures -> a run folder with model, numbers and report.html.

    The held-out test part is opened once, at the end, and the opening is logged.
    """
    from heldout.allocator import keep_freed_memory
    from heldout.data.remote import argument_without_secrets
    from heldout.plan import make_plan
    from heldout.verbs.running import train_as_planned

    named: dict[str, Any] = {
        "data.path": data,
        "data.skip_bad": skip_bad or None,
        "data.group_by": group_by,
        "model.regime": regime,
        "model.backbone": backbone,
        "model.weights": weights,
        "model.download": download or None,
        "training.epochs": epochs,
        "training.learning_rate": _number_or_word(learning_rate),
        "training.batch_size": batch_size,
        "workers": workers,
        "engine": engine,
        "seed": seed,
        "out": out,
    }
    planned = make_plan(named, file=plan, assignments=settings or ())
    if planned.training is not None:
        keep_freed_memory()  # before torch is imported
    command = (
        shlex.join(["heldout", *map(argument_without_secrets, sys.argv[1:])]) if sys.argv[1:2] == ["train"] else ""
    )
    show(train_as_planned(planned, command=command, watcher=Progress()), as_json=as_json)


def _number_or_word(text: str | None) -> float | str | None:
    """A number where the text is one."""
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def show(run: Any, *, as_json: bool) -> None:
    """Print what a finished run came to (`heldout.verbs.running.Run`)."""
    scores, findings = run.scores, run.findings
    if as_json:
        print_json({"run": str(run.folder), "scores": scores, "findings": findings})
        return
    lines = ["", *finding_lines(findings), ""] if findings else [""]
    for part, words in (("test", "held-out test"), ("validation", "validation (optimistic: choices were made on it)")):
        leading = scores[part]["scores"][0]
        lines.append(score_line(f"{words}: {leading['name'].replace('_', ' ')}", leading))
        if part == "test" and (clean := scores["test_without_leaks"]):
            same = next(score for score in clean["scores"] if score["name"] == leading["name"])
            lines.append(
                score_line(f"  without the {scores['test']['n'] - clean['n']:,} that have a copy in training", same)
            )
    for name, score in scores["baselines"].items():
        if score is not None:
            lines.append(score_line(f"baseline, {name.replace('_', ' ')}: accuracy", score))
    n_openings = scores["data"]["test_openings"]
    lines.append(f"this held-out part has been opened {n_openings} time{'s' if n_openings > 1 else ''} in this folder")
    lines += [
        "",
        f"report   {run.folder / 'report.html'}",
        f"model    {run.folder / 'model'}",
        f"next     heldout predict {shlex.quote(str(run.folder))} PICTURES",
    ]
    print_lines(lines)
