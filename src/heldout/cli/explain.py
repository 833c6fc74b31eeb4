"""heldout explain: the five subjects, each in a file of its own."""

from typing import Any

import typer
from typer.core import TyperGroup

from heldout.cli.explain_count import count
from heldout.cli.explain_decay import decay
from heldout.cli.explain_graph import graph
from heldout.cli.explain_neuron import neuron
from heldout.cli.explain_region import region


class _MinusGroup(TyperGroup):
    """Takes `-x^2 + b` for what it is: no subject has an option of one dash."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [f" {each}" if each[:1] == "-" != each[1:2] else each for each in args])


app = typer.Typer(
    cls=_MinusGroup,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="The arithmetic behind a model, right to the last operation. Each subject prints text, JSON (--json) or "
    "LaTeX (--latex), and draws with --plot FILE.svg.",
)
for _subject in (count, graph, decay, neuron, region):
    app.command()(_subject)
