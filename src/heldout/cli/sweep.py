"""heldout sweep."""

import shlex
import sys
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import typer

from heldout.cli.compare import sweep_lines
from heldout.cli.options import Data, Download, GroupBy, Json, Out, PlanFile, Seed, Settings, SkipBad, Target, TestFile
from heldout.cli.showing import Progress, print_json, print_lines

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
Value = TypeVar("Value")


@app.command()
def sweep(  # noqa: PLR0913, PLR0917 -- one parameter a flag
    data: Data,
    target: Target = None,
    test: TestFile = None,
    models: Annotated[
        str | None,
        typer.Option(help="Of a table: of linear, mlp, boosting. [default: all three]", show_default=False),
    ] = None,
    regimes: Annotated[
        str | None,
        typer.Option(help="Of scratch, frozen, partial, full. [default: frozen,partial,full]", show_default=False),
    ] = None,
    learning_rates: Annotated[
        str | None,
        typer.Option(
            help="Such as 0.01,0.1,default. default: the regime's own; for frozen, a head fitted to its optimum. "
            "[default: default]",
            show_default=False,
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help="Trials a setting: fold, weights and order. [default: 5]", show_default=False)
    ] = None,
    backbones: Annotated[str | None, typer.Option(help="Networks to compare.", show_default=False)] = None,
    batch_sizes: Annotated[str | None, typer.Option(help="Such as 16,64.", show_default=False)] = None,
    imbalance: Annotated[
        str | None, typer.Option(help="Of none, weights, balanced-batch, focal.", show_default=False)
    ] = None,
    costs: Annotated[
        str | None,
        typer.Option(
            metavar="TRUE:SAID=COST,...|FILE",
            help="What mistakes cost: the cheapest answer is given, and the lowest mean cost wins.",
            show_default=False,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(help="Draw so many settings between the lowest and highest rate.", show_default=False),
    ] = None,
    halving: Annotated[bool, typer.Option("--halving", help="Drop the worse half as seeds double.")] = False,
    engine: Annotated[str, typer.Option(help="local or ray.")] = "local",
    workers: Annotated[
        int | None, typer.Option(help="Trials at a time. [default: as many as fit]", show_default=False)
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Of every training by mini-batches.", show_default=False)] = None,
    seed: Seed = None,
    skip_bad: SkipBad = False,
    group_by: GroupBy = None,
    download: Download = False,
    out: Out = None,
    plan: PlanFile = None,
    settings: Settings = None,
    as_json: Json = False,
) -> None:
    """Regimes x learning rates x seeds, fresh every time; the held-out part is opened once, for the winner.

    The same command again does what is missing, whatever was killed, and no more.
    """
    from heldout.data.storage.remote import argument_without_secrets
    from heldout.plan_text import merged_settings
    from heldout.sweeping.space import make_space
    from heldout.verbs.searching import sweep_as_planned
    from heldout.verbs.sweep_plans import plan_sweep

    named: dict[str, Any] = {
        "data.path": data,
        "data.target": target,
        "data.test": test,
        "data.skip_bad": skip_bad or None,
        "data.group_by": group_by,
        "model.download": download or None,
        "training.epochs": epochs,
        "decision.costs": costs,
        "seed": seed,
        "out": out,
    }
    is_table = merged_settings(named, file=plan, assignments=settings or ()).get("data.target")
    space = make_space(
        models=_listed("models", models, str),
        imbalances=_listed("imbalance", imbalance, str),
        is_table=bool(is_table),
        regimes=_listed("regimes", regimes, str),
        backbones=_listed("backbones", backbones, str),
        learning_rates=_listed("learning-rates", learning_rates, _rate),
        batch_sizes=_listed("batch-sizes", batch_sizes, int),
        n_drawn=trials,
    )
    planned = plan_sweep(
        space,
        named,
        file=plan,
        assignments=settings or (),
        n_seeds=seeds,
        halving=halving,
        engine=engine,
        n_workers=workers,
    )
    command = shlex.join(["heldout", *map(argument_without_secrets, sys.argv[1:])])
    swept = sweep_as_planned(planned, command=command, watcher=Progress())
    show(swept, as_json=as_json)
    if swept.winner is None:
        raise typer.Exit(1)


def show(swept: Any, *, as_json: bool) -> None:
    """Print what a finished sweep came to (`heldout.verbs.sweeps.Sweep`)."""
    content = swept.as_dict()
    if as_json:
        print_json(content)
        return
    lines = [*sweep_lines(content), ""]
    if swept.winner:
        lines.append(f"winner   {swept.winner}")
    lines.append(f"report   {swept.folder / 'report.html'}")
    print_lines(lines)


def _rate(text: str) -> float | str:
    return text if text == "default" else float(text)


def _listed(flag: str, text: str | None, kind: Callable[[str], Value]) -> list[Value] | None:
    """The values of a flag, which commas part.

    Raises:
        UsageError: One is of another kind.
    """
    from heldout.errors import UsageError

    if text is None:
        return None
    values = []
    for word in (part.strip() for part in text.split(",")):
        try:
            if not word:
                raise ValueError
            values.append(kind(word))
        except ValueError:
            raise UsageError(
                f"--{flag} is {text!r}, in which {word!r} cannot be read",
                expected="values with commas between them",
                fix=f"such as --{flag} {_EXAMPLES[flag]}",
            ) from None
    return values


_EXAMPLES = {
    "regimes": "frozen,full",
    "backbones": "efficientnet-lite0,resnet18",
    "learning-rates": "0.001,0.01,default",
    "batch-sizes": "16,64",
}
