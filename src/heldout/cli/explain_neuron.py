"""heldout explain neuron."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from heldout.cli.options import Json, Latex, Plot
from heldout.cli.showing import show_explanation

if TYPE_CHECKING:
    from heldout.explaining.document import Explanation


def neuron(
    expression: Annotated[
        str,
        typer.Argument(
            metavar="EXPRESSION|RUN",
            help='Such as "exp(-(w1*x1^2 + w2*x2^2)) + b" or "0.3*step(x1 - 2*x2 + 1) + 0.2"; or the folder of '
            "a run on a table of two columns of numbers. One that begins with a minus comes last, after --.",
            show_default=False,
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(metavar="NAME=NUMBER,...", help="Numbers for its names: w1=1,w2=2,b=-0.5.", show_default=False),
    ] = None,
    point: Annotated[
        list[str] | None,
        typer.Option(
            metavar="X,Y", help="On which side is this point, and how far? May be repeated.", show_default=False
        ),
    ] = None,
    through: Annotated[
        str | None, typer.Option(metavar="X,Y", help="The bias that moves it through this point.", show_default=False)
    ] = None,
    change_b: Annotated[
        str | None, typer.Option(metavar="NUMBER", help="What adding this to the bias does.", show_default=False)
    ] = None,
    as_json: Json = False,
    latex: Latex = False,
    plot: Plot = None,
) -> None:
    """Where a neuron of two inputs is 0: a line, a circle, an ellipse, a hyperbola, ... or nothing, and when.

    Names without a number give the table of all cases with their exact conditions.
    """

    def make() -> "Explanation[Any]":
        from heldout.explaining.neurons.explained import explain_neuron

        return explain_neuron(expression, at=at, point=point or None, through=through, change_b=change_b)

    show_explanation(make, as_json=as_json, latex=latex, plot=plot)
