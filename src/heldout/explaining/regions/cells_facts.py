"""A run on two columns of numbers -> the cells of its network, where its answer changes, and the examples in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from heldout.anatomy.regions.cell_counts import FirstLines, UnitFacts, first_lines, unit_facts
from heldout.anatomy.regions.convex_polygons import Window
from heldout.anatomy.regions.piecewise_boundary import PiecewiseBoundary, piecewise_boundary
from heldout.anatomy.regions.relu_cells import MOST_CELLS, ReluCells, relu_cells
from heldout.data.tabular.encoding import Column, Encoder
from heldout.errors import UsageError
from heldout.explaining.regions.cells_rule import Rule, rule_of
from heldout.measuring.boundary_files import read_boundary
from heldout.measuring.decisions import likeliest
from heldout.measuring.predictions import log_softmax
from heldout.models.table_models import Layers
from heldout.randomness import stream
from heldout.run_folders import run_folder
from heldout.training.row_classifier import RowClassifier, is_of_rows, load_rows

# Standard deviations each way, where a run kept no range of its data.
_REACH = 3.0
# Beyond so many standard deviations rows are cut off before the network sees them (data/tabular/encoding.py).
_FARTHEST = 1e6
# With more cells than these a page of them says no more, and the search takes minutes.
_MOST_EVER = 200_000
_N_CHECKED = 1000
_DAY = 86400.0


@dataclass(frozen=True, slots=True, eq=False)
class ColumnUnits:
    """From what the network is given to the units of the table.

    Attributes:
        offset: The mean of either column.
        scale: Its standard deviation.
    """

    offset: Float[np.ndarray, " two"]
    scale: Float[np.ndarray, " two"]

    def points(self, given: Float[np.ndarray, "points two"]) -> Float[np.ndarray, "points two"]:
        """Points in the units of the columns."""
        return np.asarray(self.offset + self.scale * given)

    def given(self, points: Float[np.ndarray, "points two"]) -> Float[np.ndarray, "points two"]:
        """Points as the network is given them."""
        return np.asarray((points - self.offset) / self.scale)

    def plane(self, slope: Float[np.ndarray, " two"], constant: float) -> tuple[Float[np.ndarray, " two"], float]:
        """The same plane, told by its slope and constant in the units of the columns."""
        steep = np.asarray(slope / self.scale)
        return steep, float(constant - steep @ self.offset)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Examples of the run over the cells.

    Attributes:
        part: Which part of the data they are from.
        n_all: How many that part has; of very many a sample is kept.
        points: Where they lie, in the units of the columns.
        labels: The true class of each.
        predicted: What was answered.
        cells: In which cell each lies; -1 outside the window.
    """

    part: str
    n_all: int
    points: Float[np.ndarray, "examples two"]
    labels: Int[np.ndarray, " examples"]
    predicted: Int[np.ndarray, " examples"]
    cells: Int[np.ndarray, " examples"]


@dataclass(frozen=True, slots=True)
class Check:
    """The cells against the model itself, at random points of the window.

    Attributes:
        n: Points.
        largest_difference: Between the planes of the cells and the layers of the network, in any logit.
        n_same: Points at which the cells and the model, as `heldout predict` asks it, give the same answer. The model
            reads float32: at a point closer to the boundary than that can tell they may differ.
    """

    n: int
    largest_difference: float
    n_same: int


@dataclass(frozen=True, slots=True, eq=False)
class RegionCells:
    """What is known of the network of a run. Cells and boundary are in standard deviations, as the network reads them.

    Attributes:
        run: The name of its folder.
        model: `linear` or `mlp`.
        columns: The names of the two columns.
        classes: In the order of the logits.
        units: To the units of the columns.
        cells: Of the network.
        hidden: What each hidden unit does.
        lines: Those of the first layer, counted another way; None where there is no hidden layer.
        rule: How the run answers.
        boundary: Where its answer changes.
        examples: None where the run kept none that can be drawn here.
        check: The cells against the model.
        has_gaps: Whether a value can be missing; the cells are those of rows without a gap.
    """

    run: str
    model: str
    columns: tuple[str, str]
    classes: tuple[str, ...]
    units: ColumnUnits
    cells: ReluCells
    hidden: tuple[UnitFacts, ...]
    lines: FirstLines | None
    rule: Rule
    boundary: PiecewiseBoundary
    examples: Examples | None
    check: Check
    has_gaps: bool

    @property
    def shares(self) -> Float[np.ndarray, " cells"]:
        """Of the area of the window, of each cell."""
        return np.asarray(self.cells.areas / self.cells.window.area)

    @property
    def window(self) -> Float[np.ndarray, "two two"]:
        """Its lower left and upper right corner in the units of the columns."""
        return self.units.points(self.cells.window.corners[[0, 2]])

    def score(self, cell: int) -> tuple[Float[np.ndarray, " two"], float] | None:
        """Slope and constant of what decides between two classes in a cell: the second is answered above 0.

        None where there are more classes, or one of the two is never answered.
        """
        shift = self.rule.shift
        if len(self.classes) != 2 or not np.isfinite(shift).all():
            return None
        slopes, constants = self.cells.slopes[cell], self.cells.constants[cell] + shift
        return self.units.plane(slopes[1] - slopes[0], float(constants[1] - constants[0]))


def region_cells(run: Path, *, window: Sequence[float] | None = None, most: int = MOST_CELLS) -> RegionCells:
    """The cells of the network of a finished run.

    Args:
        run: The folder of a run on two columns of numbers, model `mlp` or `linear`.
        window: Left, right, low and high, in the units of the columns; None for the range that the run's own figure of
            its boundary shows.
        most: More cells than these are refused.

    Raises:
        RunFolderError: It is no finished run, or is damaged.
        UsageError: Its model has no such cells, or the window cannot be meant.
    """
    if not 1 <= most <= _MOST_EVER:
        raise UsageError(
            f"{most:,} cells at most are asked for", expected=f"1 to {_MOST_EVER:,}", fix=f"such as {MOST_CELLS:,}"
        )
    classifier = _classifier_of(run)
    columns = _two_columns(run, classifier.encoder)
    layers = _layers_of(run, classifier)
    raw = ColumnUnits(np.array([one.mean for one in columns]), np.array([one.scale for one in columns]))
    units, names = _units_of(columns)
    drawn = read_boundary(run)
    drawn = drawn if drawn is not None and drawn.kind == "inputs" else None
    if window is None and drawn is not None:
        corners = raw.given(np.array([[drawn.x[0], drawn.y[0]], [drawn.x[-1], drawn.y[-1]]]))
        sides = Window(*corners[:, 0].tolist(), *corners[:, 1].tolist())
    else:
        sides = _window_given(window, units)
    cells = relu_cells(layers.weights, layers.biases, sides, most=most)
    rule = rule_of(classifier)
    boundary = piecewise_boundary(cells, rule.shift)
    examples = None
    if drawn is not None:
        given = raw.given(drawn.points)
        places = cells.locate(given)
        examples = Examples(drawn.part, drawn.n, units.points(given), drawn.labels, drawn.predicted, places)
    return RegionCells(
        run=run.resolve().name,
        model=classifier.name,
        columns=names,
        classes=classifier.classes,
        units=units,
        cells=cells,
        hidden=unit_facts(cells),
        lines=first_lines(cells) if cells.widths else None,
        rule=rule,
        boundary=boundary,
        examples=examples,
        check=_check(classifier, cells, boundary, rule),
        has_gaps=any(one.has_missing for one in columns),
    )


def _classifier_of(run: Path) -> RowClassifier:
    run_folder(run)
    if not is_of_rows(run):
        raise UsageError(
            f"{run} is a classifier of pictures: its inputs are no two numbers",
            expected="a run on a table with two columns of numbers",
            fix="heldout train ROWS.csv --target COLUMN --model mlp",
        )
    classifier = load_rows(run)
    if not isinstance(classifier.scorer, Layers):
        raise UsageError(
            f"{run} has gradient-boosted trees: they cut the plane into rectangles, parallel to the axes, and have no "
            "units",
            expected="a run with --model mlp or linear",
            fix="train one; where the trees change their answer is drawn in the report of the run",
        )
    return classifier


def _two_columns(run: Path, encoder: Encoder) -> tuple[Column, Column]:
    columns = encoder.columns
    if len(columns) != 2 or any(one.kind == "category" for one in columns):
        told = ", ".join(f"{one.name!r} ({one.kind})" for one in columns[:6])
        more = f" and {len(columns) - 6:,} more" if len(columns) > 6 else ""
        raise UsageError(
            f"{run} reads {len(columns):,} column{'' if len(columns) == 1 else 's'}: {told}{more}",
            expected="two columns of numbers, so that its cells lie in a plane",
            fix="train on a table with two columns of numbers beside the target",
        )
    return columns[0], columns[1]


def _layers_of(run: Path, classifier: RowClassifier) -> Layers:
    """The layers as functions of the two columns alone; the features that mark a gap are 0."""
    scorer, names = classifier.scorer, classifier.encoder.feature_names
    assert isinstance(scorer, Layers), f"{run} has layers"
    places = [names.index(column.name) for column in classifier.encoder.columns]
    return Layers((scorer.weights[0][:, places], *scorer.weights[1:]), scorer.biases)


def _units_of(columns: tuple[Column, Column]) -> tuple[ColumnUnits, tuple[str, str]]:
    """The units that a reader is told numbers in, and the names of the columns with them.

    A date is told in days since that of the mean of its column: in seconds since 1970 four digits are a month.
    """
    offsets, scales, names = [], [], []
    for one in columns:
        day = float(np.floor(one.mean / _DAY)) * _DAY if one.kind == "date" else 0.0
        per = _DAY if one.kind == "date" else 1.0
        offsets.append((one.mean - day) / per)
        scales.append(one.scale / per)
        since = f" (days since {np.datetime64(int(day), 's').astype('datetime64[D]')})" if one.kind == "date" else ""
        names.append(one.name + since)
    return ColumnUnits(np.array(offsets), np.array(scales)), (names[0], names[1])


def _window_given(window: Sequence[float] | None, units: ColumnUnits) -> Window:
    """The window as the network is given its points."""
    if window is None:
        return Window(-_REACH, _REACH, -_REACH, _REACH)
    try:
        sides = Window(*(float(side) for side in window))
    except (TypeError, ValueError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(
            f"the window is {window!r}", expected="four numbers: left, right, low, high", fix="such as -2,2,-1,1"
        ) from None
    corners = units.given(sides.corners)
    if float(np.abs(corners).max()) > _FARTHEST:
        raise UsageError(
            f"the window reaches {float(np.abs(corners).max()):.3g} standard deviations from the mean of a column",
            expected=f"at most {_FARTHEST:,.0f}: what lies farther is cut off before the network sees it",
            fix="choose a smaller window",
        )
    return Window(*corners[[0, 1], 0].tolist(), *corners[[0, 2], 1].tolist())


def _check(classifier: RowClassifier, cells: ReluCells, boundary: PiecewiseBoundary, rule: Rule) -> Check:
    low, high = cells.window.corners[[0, 2]]
    points = stream(0, "sample").uniform(low, high, (_N_CHECKED, 2))
    told = cells.outputs_by_cell(points, cells.locate(points))
    answers = (told + boundary.shift).argmax(axis=1)
    encoder = classifier.encoder
    features = np.zeros((_N_CHECKED, len(encoder.feature_names)), np.float32)
    features[:, [encoder.feature_names.index(column.name) for column in encoder.columns]] = points
    logs = log_softmax(classifier.logits(features), classifier.temperature)
    decision = classifier.decision if rule.is_exact and classifier.decision else likeliest(len(classifier.classes))
    return Check(
        _N_CHECKED,
        float(np.abs(told - cells.outputs(points)).max()),
        int((decision.decide(logs) == answers).sum()),
    )
