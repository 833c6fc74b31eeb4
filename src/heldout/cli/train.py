"""heldout train."""

import shlex
import sys
from typing import Annotated, Any

import typer

from heldout.cli.options import Data, Download, GroupBy, Json, Out, PlanFile, Seed, Settings, SkipBad, Target, TestFile
from heldout.cli.showing import Progress, finding_lines, percent, print_json, print_lines, score_line

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def train(  # noqa: PLR0913, PLR0917 -- one parameter a flag
    data: Data,
    target: Target = None,
    test: TestFile = None,
    model: Annotated[
        str | None, typer.Option(help="Of a table: linear, mlp or boosting. [default: linear]", show_default=False)
    ] = None,
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
    imbalance: Annotated[
        str | None,
        typer.Option(
            help="For rare classes: none, weights, balanced-batch, focal. [default: none]", show_default=False
        ),
    ] = None,
    threshold: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER|RULE",
            help="Where to decide: likeliest, balanced; or best on validation by balanced_accuracy, f1, mcc; or a "
            "probability of the rarer class. [default: balanced after weights and balanced-batch, else likeliest]",
            show_default=False,
        ),
    ] = None,
    costs: Annotated[
        str | None,
        typer.Option(
            metavar="TRUE:SAID=COST,...|FILE",
            help="What mistakes cost: the cheapest answer is given.",
            show_default=False,
        ),
    ] = None,
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
    """Labelled pictures, or a table -> a run folder with model, numbers and report.html.

    The held-out test part is opened once, at the end, and the opening is logged.
    """
    from heldout.allocator import keep_freed_memory
    from heldout.data.storage.remote import argument_without_secrets
    from heldout.plan import make_plan
    from heldout.verbs.running import train_as_planned

    named: dict[str, Any] = {
        "data.path": data,
        "data.skip_bad": skip_bad or None,
        "data.group_by": group_by,
        "data.target": target,
        "data.test": test,
        "model.name": model,
        "model.regime": regime,
        "model.backbone": backbone,
        "model.weights": weights,
        "model.download": download or None,
        "training.epochs": epochs,
        "training.learning_rate": _number_or_word(learning_rate),
        "training.batch_size": batch_size,
        "imbalance": imbalance,
        "decision.threshold": threshold,
        "decision.costs": costs,
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


def _decision_lines(scores: dict[str, Any], leading: str) -> list[str]:
    """The rule that was decided by, where it is not the likeliest class, and the score that this would have had."""
    facts = scores.get("imbalance") or {}
    other = facts.get("at_likeliest")
    if not other:
        return []
    same = next(score for score in other["scores"] if score["name"] == leading)
    at = "at 0.5" if len(scores["data"]["classes"]) == 2 else "for the likeliest class"
    decision = facts["decision"]
    chosen = f", chosen on validation by {decision['metric'].replace('_', ' ')}" if decision["metric"] else ""
    return [score_line(f"  {at}", same), f"  decided for {decision['words']}{chosen}"]


def _named_next(scores: dict[str, Any]) -> str:
    return "ROWS.csv" if scores["data"]["layout"] == "table" else "PICTURES"


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
        if part == "test":
            lines += _decision_lines(scores, leading["name"])
        if part == "test" and (clean := scores["test_without_leaks"]):
            same = next(score for score in clean["scores"] if score["name"] == leading["name"])
            lines.append(
                score_line(f"  without the {scores['test']['n'] - clean['n']:,} that have a copy in training", same)
            )
    for name, score in scores["baselines"].items():
        if score is not None:
            lines.append(score_line(f"baseline, {name.replace('_', ' ')}: accuracy", score))
            if name == "majority" and scores["test"]["scores"][0]["name"] == "balanced_accuracy":
                n_met = sum(line["n"] > 0 for line in scores["test"]["per_class"])
                lines.append(f"  its balanced accuracy is {percent(1 / n_met)}, as of any single answer")
    n_openings = scores["data"]["test_openings"]
    lines.append(f"this held-out part has been opened {n_openings} time{'s' if n_openings > 1 else ''} in this folder")
    lines += [
        "",
        f"report   {run.folder / 'report.html'}",
        f"model    {run.folder / 'model'}",
        f"next     heldout predict {shlex.quote(str(run.folder))} {_named_next(scores)}",
    ]
    print_lines(lines)
