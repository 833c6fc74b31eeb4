"""heldout explain region."""

from typing import Annotated

import typer

from heldout.cli.options import Json, Latex, Plot
from heldout.cli.showing import show_explanation


def region(  # noqa: PLR0913, PLR0917 -- one parameter a flag
    shape: Annotated[
        str,
        typer.Argument(
            metavar="SHAPE",
            help='Corners of a polygon: "0,0 1,0 1,1 0,1". Inequalities: "x1 >= 0; x1 + 2 x2 <= 3". Weights and bias '
            'of each line: "1,0,0; -1,-2,3". Or the folder of a run on two inputs.',
            show_default=False,
        ),
    ],
    units: Annotated[
        str, typer.Option(metavar="OFF,ON", help="What a hidden unit gives out, such as -1,1 or 0.2,0.5.")
    ] = "0,1",
    combine: Annotated[
        str | None,
        typer.Option(metavar="and|or|K", help="All half-planes, any, or at least K of them.", show_default=False),
    ] = None,
    formula: Annotated[
        str | None,
        typer.Option(help='Any combination of the units, such as "(h1 and not h2) or h3".', show_default=False),
    ] = None,
    positive: Annotated[
        str | None,
        typer.Option(metavar="PATTERNS", help="The wanted cells: a digit a unit, such as 100,110.", show_default=False),
    ] = None,
    inside: Annotated[
        str | None,
        typer.Option(
            metavar="POINTS", help='The wanted cells by a point in each, such as "0.5,0.5; 2,2".', show_default=False
        ),
    ] = None,
    step: Annotated[str, typer.Option(help='Where H(z) is 1: ">=0" or ">0".')] = ">=0",
    as_json: Json = False,
    latex: Latex = False,
    plot: Plot = None,
) -> None:
    """The threshold network that has a region: units, weights, and every bias that is right.

    Without --combine, --formula, --positive and --inside a polygon stands for itself, and lines for what they have in
    common. A shape that begins with a minus is written in brackets: "(-1,0) (1,0) (0,1)".
    """
    from heldout.explaining.regions.explained import explain_region

    show_explanation(
        lambda: explain_region(
            shape, units=units, combine=combine, formula=formula, positive=positive, inside=inside, step=step
        ),
        as_json=as_json,
        latex=latex,
        plot=plot,
    )
