"""heldout explain count."""

from typing import TYPE_CHECKING, Annotated

import typer

from heldout.cli.options import Json, Latex, Plot
from heldout.cli.showing import show_explanation

if TYPE_CHECKING:
    from heldout.anatomy.counting.counts import Count
    from heldout.explaining.document import Explanation


def count(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help='A layer in words ("conv 3->64 kernel 7 stride 2"), resnet18, resnet34, resnet50, '
            "efficientnet-lite0 to -lite2, timm:NAME, FILE.py:NAME, package.file:NAME, or a run folder.",
            show_default=False,
        ),
    ],
    input: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SHAPE",
            help="Of one example, without the batch: 3x224x224; once more for each further input. A backbone and a run "
            "know theirs.",
            show_default=False,
        ),
    ] = None,
    input_gradient: Annotated[
        bool, typer.Option("--input-gradient", help="The training step computes the gradient of the input too.")
    ] = False,
    depth: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many parts of the layers' dotted names have a row of their own. [default: as many as give at "
            "most 40 rows]",
            show_default=False,
        ),
    ] = None,
    classes: Annotated[
        int | None,
        typer.Option(min=1, help="Outputs of a backbone's head. [default: ImageNet's 1,000]", show_default=False),
    ] = None,
    as_json: Json = False,
    latex: Latex = False,
    plot: Plot = None,
) -> None:
    """Parameters, multiply-adds, FLOPs, every other operation, memory and receptive field, layer by layer.

    One multiply-add is a multiplication and an addition; FLOPs are two a multiply-add. All for one example.

    heldout explain count resnet50

    heldout explain count "conv 1->96 kernel 8 stride 4" --input 1x64x64

    heldout explain count network.py:Net --input 1x28x28 --plot net.svg
    """

    def make() -> "Explanation[Count]":
        from heldout.explaining.counting.explained import explain_count

        shapes = input[0] if input and len(input) == 1 else input
        return explain_count(model, input=shapes or None, input_gradient=input_gradient, depth=depth, classes=classes)

    show_explanation(make, as_json=as_json, latex=latex, plot=plot)
