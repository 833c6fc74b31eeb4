"""`heldout explain region`: a region -> the threshold network that has it, with every bias that is right."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from heldout.anatomy.regions.answers import region_answer
from heldout.anatomy.regions.checks import Checked, check_answer
from heldout.anatomy.regions.text import points_of, read_values
from heldout.errors import UsageError
from heldout.explaining.document import Explanation
from heldout.explaining.regions.question import Choice, Question, read_question, read_step
from heldout.explaining.regions.record import region_record
from heldout.explaining.regions.sections import region_sections
from heldout.explaining.regions.words import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Rows = Sequence[Sequence[float | int]]
SOURCES = (
    "Minsky and Papert, Perceptrons, 1969: what one threshold neuron can tell apart, and what it cannot.",
    "Gibson and Cowan, On the decision regions of multilayer perceptrons, Proceedings of the IEEE, 1990: one hidden "
    "layer has some regions that are not convex, but not all.",
)


def explain_region(
    shape: str | Path | Rows,
    *,
    units: str | Sequence[float | int] = "0,1",
    combine: str | int | None = None,
    formula: str | None = None,
    positive: str | None = None,
    inside: str | Rows | None = None,
    step: str = ">=0",
) -> Explanation[Any]:
    """The threshold network that has a region, with the exact interval of its biases; or the cells of a trained net.

    Without `combine`, `formula`, `positive` and `inside` a polygon stands for itself, and lines for what they have in
    common.

    Args:
        shape: The corners of a polygon, such as `0,0 1,0 1,1 0,1`; inequalities, such as `x1 >= 0; x1 + 2 x2 <= 3`;
            weights and bias of each line, such as `1,0,0; -1,-2,3`; rows of numbers; or the folder of a run on two
            inputs.
        units: What a hidden unit gives out, off and on.
        combine: `and`, `or`, or k for "at least k of the half-planes".
        formula: Any combination, such as `(h1 and not h2) or h3`.
        positive: The wanted cells by their patterns, such as `100,110`.
        inside: The wanted cells by a point in each, such as `0.5,0.5; 2,2`.
        step: Whether H is 1 at 0: `>=0` or `>0`.

    Raises:
        UsageError: One of them cannot be meant, or two of them say which cells are wanted.

    Example:
        >>> square = explain_region("0,0 1,0 1,1 0,1")
        >>> str(square.facts.answer.readout.interval)
        '[-4, -3)'
    """
    choice = Choice(
        None if combine is None else str(combine),
        formula,
        positive,
        inside if inside is None or isinstance(inside, str) else points_of(inside),
    )
    if isinstance(shape, Path) or (isinstance(shape, str) and _is_folder(shape)):
        changed = [name for name, is_so in (("--units", units != "0,1"), ("--step", step != ">=0")) if is_so]
        return _cells_of_run(Path(shape), [*choice.given, *changed])
    convention = read_step(step)
    values = read_values(units if isinstance(units, str) else points_of([units]))
    question = read_question(shape if isinstance(shape, str) else points_of(shape), choice, convention)
    is_concave = question.polygon is not None and not question.polygon.is_convex and not choice.given
    answer = region_answer(question.half_planes, question.rule, values=values, step=convention, with_layers=is_concave)
    return _explained(question, check_answer(answer))


def _explained(question: Question, checked: Checked) -> Explanation[Checked]:
    return Explanation(
        title=question.title,
        facts=checked,
        sections=region_sections(question, checked),
        record=region_record(question, checked),
        sources=SOURCES,
        draw=partial(_figure, checked),
    )


def _figure(checked: Checked) -> "Figure":
    from heldout.explaining.regions.figure import region_figure

    return region_figure(checked)


def _is_folder(text: str) -> bool:
    try:
        return bool(text.strip()) and Path(text).is_dir()
    except (OSError, ValueError):  # far too long for a name, or with a null character in it
        return False


def _cells_of_run(folder: Path, given: Sequence[str]) -> Explanation[Any]:
    if given:
        raise UsageError(
            f"{listed(given)} {'was' if len(given) == 1 else 'were'} given for the trained network of {str(folder)!r}",
            expected="these options where lines or a polygon are given",
            fix="leave them out",
        )
    from heldout.explaining.regions.cells import explain_cells

    return explain_cells(folder)
