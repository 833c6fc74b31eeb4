"""The line of a trained linear model of two columns, in the units of the table: what its weights and its bias say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from heldout.anatomy.neurons.facts import ExactPoint, NeuronFacts, facts_of
from heldout.anatomy.neurons.neurons import Neuron, Quadratic
from heldout.anatomy.neurons.polynomials import ZERO, number
from heldout.errors import RunFolderError
from heldout.explaining.document import Cell, Explanation, Section, Table, Text
from heldout.explaining.neurons import lines as neuron_lines
from heldout.explaining.neurons.formulas import shown, shown_point
from heldout.measuring.boundary import Boundary
from heldout.measuring.boundary_files import read_boundary
from heldout.measuring.decisions import in_words, likeliest
from heldout.measuring.predictions import log_softmax
from heldout.models.table_models import Layers
from heldout.run_folders import run_folder
from heldout.training.opening import open_classifier
from heldout.training.row_classifier import RowClassifier

INPUTS = ("x1", "x2")


@dataclass(frozen=True, slots=True, eq=False)
class RunLine:
    """The line of a run.

    Attributes:
        folder: Of the run.
        classifier: As it was written.
        boundary: As it was drawn in the report; its line is the one that is explained.
        length: How much the log-odds of the second class grow a unit of distance, straight across the line.
        asked: Which log-odds the decision asks for: 0 for the likelier class.
    """

    folder: Path
    classifier: RowClassifier
    boundary: Boundary
    length: float
    asked: float

    @property
    def weights(self) -> tuple[float, float]:
        """What one unit of each column adds to the log-odds of the second class."""
        line = self.boundary.line
        assert line is not None, "asked when it was read"
        return self.length * line.x_weight, self.length * line.y_weight

    @property
    def bias(self) -> float:
        """The log-odds where both columns are 0, less what the decision asks for."""
        assert self.boundary.line is not None, "asked when it was read"
        return self.length * self.boundary.line.constant

    def probability(self, point: ExactPoint) -> float:
        """Of the second class at a point of the table, as the run predicts it."""
        columns = self.classifier.encoder.columns
        features = [[(float(each) - one.mean) / one.scale for each, one in zip(point, columns, strict=True)]]
        logits = self.classifier.logits(np.array(features, np.float32))
        return float(np.exp(log_softmax(logits, self.classifier.temperature))[0, 1])


def read_run_line(folder: Path) -> RunLine:
    """The line of a finished run.

    Raises:
        RunFolderError: It is no finished run, or its model has no line in two columns.
    """
    boundary_of_run = _boundary_of(run_folder(folder))
    # A run on a table reads no cache; pictures were refused before.
    classifier = open_classifier(folder, cache=folder)
    assert isinstance(classifier, RowClassifier), "a boundary of inputs is of rows"
    scorer = classifier.scorer
    if not isinstance(scorer, Layers) or len(scorer.weights) != 1:
        raise _no_line(folder, f"its model is {classifier.name}", "heldout explain region RUN")
    if boundary_of_run.line is None:
        raise _no_line(folder, _why_no_line(classifier))
    weight = (scorer.weights[0][1].astype(np.float64) - scorer.weights[0][0]) / classifier.temperature
    scales = [column.scale for column in classifier.encoder.columns]
    length = math.hypot(*(float(each) / scale for each, scale in zip(weight, scales, strict=True)))
    decision = classifier.decision or likeliest(2)
    threshold = decision.threshold if decision.threshold is not None else 0.5
    asked = math.log(threshold / (1 - threshold)) * (-1 if decision.positive == 0 else 1)
    return RunLine(folder, classifier, boundary_of_run, length, asked)


def explain_run(
    folder: Path,
    *,
    points: Sequence[ExactPoint] = (),
    through: ExactPoint | None = None,
    change: Fraction | None = None,
) -> Explanation[NeuronFacts]:
    """The line of a run, explained.

    Args:
        folder: Of the run.
        points: Of the table, to be placed beside the line.
        through: The line is to go there, by its threshold alone.
        change: Of the bias.

    Raises:
        RunFolderError: It is no finished run, or its model has no line in two columns.
    """
    run = read_run_line(folder)
    first, second, bias = (number(Fraction(each)) for each in (*run.weights, run.bias))
    neuron = Neuron(str(folder), INPUTS, Quadratic(ZERO, ZERO, ZERO, first, second, bias))
    facts = facts_of(neuron, points=points, through=through, change=change)
    assert facts.line is not None, "a line was read"
    sections = [
        _answer(run, facts),
        neuron_lines.places(facts.line, INPUTS),
        _weights(run),
        neuron_lines.bias_section(facts),
        _points(run, facts, points) if points else None,
        _moved(run, facts, through),
        neuron_lines.weights_section(facts.line, INPUTS),
    ]

    def draw() -> Any:
        from heldout.explaining.neurons.figure import line_figure

        titles = (run.boundary.titles[0], run.boundary.titles[1])
        ranges = ((run.boundary.x[0], run.boundary.x[-1]), (run.boundary.y[0], run.boundary.y[-1]))
        return line_figure(facts, titles=titles, ranges=ranges, classes=run.classifier.classes)

    return Explanation(
        f"The line of {folder}",
        facts,
        tuple(each for each in sections if each is not None),
        _record(run, facts, points),
        ("Hesse's normal form of a line: signed distance (w . x + b)/|w|.",),
        draw,
    )


def _boundary_of(folder: Path) -> Boundary:
    boundary = read_boundary(folder)
    if boundary is None:
        raise _no_line(folder, "it has no boundary: it is of pictures, or of a single feature")
    if boundary.kind != "inputs":
        raise _no_line(folder, "its model reads more than two numbers")
    if len(boundary.classes) != 2:
        raise _no_line(folder, f"it has {len(boundary.classes)} classes")
    return boundary


def _why_no_line(classifier: RowClassifier) -> str:
    if classifier.gamma and classifier.decision is not None:
        return "the focal loss bends every level but that of equal probabilities"
    return "both weights are 0, or its threshold answers one class everywhere"


def _no_line(folder: Path, reason: str, instead: str = "") -> RunFolderError:
    fix = (
        f"{instead.replace('RUN', str(folder))} tells of its regions" if instead else "its report tells of its boundary"
    )
    return RunFolderError(
        f"{folder} has no line to explain: {reason}",
        expected="a run on a table of two columns of numbers with two classes and the model `linear`",
        fix=f"train one with --model linear; {fix}",
    )


def _answer(run: RunLine, facts: NeuronFacts) -> Section:
    """Which class is answered where."""
    first, second = run.boundary.titles
    classes = run.classifier.classes
    decision = run.classifier.decision or likeliest(2)
    equation, words = neuron_lines.answer(facts).parts
    dates = [column.name for column in run.classifier.encoder.columns if column.kind == "date"]
    units = f" Dates ({', '.join(dates)}) count in seconds since 1970." if dates else ""
    less = f" less {shown(run.asked)}" if run.asked else ""
    return Section(
        "Answer",
        (
            equation,
            Text(f"x1 is {first}, x2 is {second}, in the units of the table.{units}"),
            words,
            Text(
                f"Where z is above 0 the answer is {classes[1]!r}, else {classes[0]!r}. z is the log-odds of "
                f"{classes[1]!r}{less}; decided for is {in_words(decision, classes)}."
            ),
        ),
    )


def _weights(run: RunLine) -> Section:
    """What each column weighs, by unit and by standard deviation."""
    rows: list[tuple[Cell, ...]] = [
        (label, name, shown(weight), shown(column.scale), shown(weight * column.scale))
        for label, name, weight, column in zip(
            INPUTS, run.boundary.titles, run.weights, run.classifier.encoder.columns, strict=True
        )
    ]
    columns = ("", "column", "weight a unit", "standard deviation", "weight a deviation")
    words = (
        "A distance mixes the units of both columns. What compares them is the weight a standard deviation: what it "
        f"adds to the log-odds of {run.classifier.classes[1]!r}. Drawn, each axis has a scale of its own, so w "
        "does not look at right angles to the line."
    )
    return Section("What the columns weigh", (Table(columns, tuple(rows), numeric=frozenset({2, 3, 4})), Text(words)))


def _points(run: RunLine, facts: NeuronFacts, points: Sequence[ExactPoint]) -> Section:
    table = neuron_lines.points_table(facts.points, INPUTS)
    rows: list[tuple[Cell, ...]] = []
    for exact, each in zip(points, facts.points, strict=True):
        answered = run.classifier.classes[int(each.side >= 0)]
        rows.append((shown_point(each.point), answered, f"{100 * run.probability(exact):.3g} %"))
    answers = Table(("point", "answer", f"probability of {run.classifier.classes[1]}"), tuple(rows))
    return Section(table.title, (*table.parts, answers))


def _moved(run: RunLine, facts: NeuronFacts, through: ExactPoint | None) -> Section | None:
    parts = []
    if facts.through is not None and through is not None:
        share, name = run.probability(through), run.classifier.classes[1]
        parts.append(Text(neuron_lines.through_words(facts.through, number(Fraction(run.bias)))))
        parts.append(Text(f"Without new weights: answer {name!r} from a probability of {100 * share:.4g} % on."))
    if facts.changed is not None:
        parts.append(Text(neuron_lines.changed_words(facts.changed, INPUTS)))
    return Section("How it is moved", tuple(parts)) if parts else None


def _record(run: RunLine, facts: NeuronFacts, points: Sequence[ExactPoint]) -> dict[str, Any]:
    assert facts.line is not None, "a line was read"
    through, changed = facts.through, facts.changed
    return {
        "run": str(run.folder),
        "kind": "linear",
        "columns": run.boundary.titles,
        "classes": run.classifier.classes,
        "positive_side": run.classifier.classes[1],
        "log_odds_asked": run.asked,
        "standard_deviations": [column.scale for column in run.classifier.encoder.columns],
        "line": neuron_lines.line_record(facts.line),
        "points": [
            {
                "point": each.point,
                "value": each.value,
                "side": each.side,
                "distance": each.distance,
                "nearest": each.foot,
                "probability": run.probability(exact),
            }
            for exact, each in zip(points, facts.points, strict=True)
        ],
        "through": through and {"point": through.point, "bias": through.bias, "change": through.change},
        "changed": changed
        and {"change": changed.change, "bias": changed.bias, "shift": changed.move and changed.move.shift},
    }
