"""heldout explain graph."""

from typing import Annotated

import typer

from heldout.cli.options import Json, Latex, Plot
from heldout.cli.showing import show_explanation


def graph(
    target: Annotated[
        str,
        typer.Argument(
            metavar="EXPRESSION",
            help='A formula such as "(w2*sigmoid(w1*x) - y)**2", or several steps: "z = w*x; (z - y)**2". Or a Python '
            "function of tensors, or a network: FILE.py:NAME or package.module:NAME.",
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(help="Of a formula: the value of every input, such as w1=0.5,w2=-1,x=2.", show_default=False),
    ] = None,
    wrt: Annotated[
        str | None,
        typer.Option(
            help="Of a formula: differentiate by these inputs, such as w1,w2. Otherwise by the weights and biases (w, "
            "w1, theta, b), or by all inputs.",
            show_default=False,
        ),
    ] = None,
    input: Annotated[
        list[str] | None,
        typer.Option(
            help="Of a function: the shape of each tensor, such as 3x4; once a tensor. Of a network: the shape of one "
            "example, without the batch axis.",
            show_default=False,
        ),
    ] = None,
    as_json: Json = False,
    latex: Latex = False,
    plot: Plot = None,
) -> None:
    """The computation graph: values, derivatives in symbols and numbers, and what they cost to the last operation.

    A formula may have numbers, names, + - * / **, brackets and abs, cos, exp, log, relu, sigmoid, sin, softplus, sqrt,
    tan, tanh. Of a Python function or a network the operations that run are shown, forwards and backwards.
    """
    from heldout.explaining.graphs.explained import explain_graph

    show_explanation(
        lambda: explain_graph(target, at=at, wrt=wrt, input=input), as_json=as_json, latex=latex, plot=plot
    )
