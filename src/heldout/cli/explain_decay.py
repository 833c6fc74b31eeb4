"""heldout explain decay."""

from pathlib import Path
from typing import Annotated

import typer

from heldout.cli.options import Json, Latex, Plot
from heldout.cli.showing import show_explanation


def decay(  # noqa: PLR0913, PLR0917 -- one parameter a flag
    run: Annotated[
        Path | None,
        typer.Argument(
            metavar="RUN",
            help="Instead of settings: a run, for its layers' norms beside what decay alone would have left.",
            show_default=False,
        ),
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="A.", show_default=False)] = None,
    l2: Annotated[float | None, typer.Option(help="L, of the penalty L |w|^2.", show_default=False)] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Instead of L: what torch calls it, 2 L.", show_default=False)
    ] = None,
    curvature: Annotated[float, typer.Option(help="h, of the loss h/2 (w - m)^2 along one direction.")] = 1.0,
    momentum: Annotated[float, typer.Option(help="b, of heavy-ball momentum.")] = 0.0,
    decoupled: Annotated[
        bool, typer.Option("--decoupled", help="Decay beside the gradient's step, as AdamW does.")
    ] = False,
    start: Annotated[float, typer.Option(help="Where the weight begins.")] = 3.0,
    minimum: Annotated[float, typer.Option(help="m, where the loss alone is lowest.")] = 1.0,
    steps: Annotated[
        int | None, typer.Option(help="How far to follow it. [default: until little happens]", show_default=False)
    ] = None,
    as_json: Json = False,
    latex: Latex = False,
    plot: Plot = None,
) -> None:
    """What weight decay does: how it shrinks a weight, where it ends, which learning rates are stable.

    heldout explain decay --learning-rate 0.1 --l2 0.1 --curvature 2 --momentum 0.9

    heldout explain decay runs/photos-001
    """

    def make():  # type: ignore[no-untyped-def]  # its type is not imported, for the sake of --help
        from heldout.explaining.decay.explained import explain_decay

        return explain_decay(
            run,
            learning_rate=learning_rate,
            l2=l2,
            weight_decay=weight_decay,
            curvature=curvature,
            momentum=momentum,
            decoupled=decoupled,
            start=start,
            minimum=minimum,
            steps=steps,
        )

    show_explanation(make, as_json=as_json, latex=latex, plot=plot)
