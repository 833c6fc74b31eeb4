"""The theory of both write-ups again: question, their answer, the exact answer, and whether they agree.

    python run.py [--markdown] [--no-figures]

Every exact answer is asked of `heldout.explain` when this runs, and every verdict is a comparison with it. The figures
are written into the working folder, as SVG and PNG; `--markdown` prints what README.md holds.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import homework4
import homework5
from answers import Question, as_markdown, as_text


def questions() -> tuple[Question, ...]:
    """All questions of both write-ups, answered."""
    return (*homework4.questions(), *homework5.questions())


def draw(asked: Sequence[Question], folder: Path) -> list[Path]:
    """The files of the figures, which are written into the folder."""
    figures = [question.figure for question in asked if question.figure]
    return [drawn.plot(folder / f"{name}.{ending}") for name, _, drawn in figures for ending in ("svg", "png")]


def main() -> None:
    """Print all answers, and draw what there is to draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--markdown", action="store_true", help="as README.md has it")
    parser.add_argument("--no-figures", action="store_true", help="draw nothing")
    given = parser.parse_args()
    asked = questions()
    print((as_markdown if given.markdown else as_text)(asked))
    if not given.no_figures:
        draw(asked, Path())


if __name__ == "__main__":
    main()
