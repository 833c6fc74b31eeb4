"""heldout demo."""

from pathlib import Path
from typing import Annotated

import typer

from heldout.cli.options import Json
from heldout.cli.showing import Progress

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where pictures and run are put.")] = Path("heldout-demo"),
    as_json: Json = False,
) -> None:
    """Train on scikit-learn's 1,797 handwritten digits, written out as a folder of PNGs: no file, no network."""
    from heldout.cli.train import show
    from heldout.verbs.digits import write_digits
    from heldout.verbs.running import train

    progress = Progress()
    progress.stage("write the digits")
    pictures = write_digits(out / "digits")
    show(train(pictures, out=out / "runs", watcher=progress), as_json=as_json)
