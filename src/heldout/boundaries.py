"""Where a model of rows changes its answer: the plane that is drawn for it, computed once and kept in the run."""

from pathlib import Path

import numpy as np
from jaxtyping import Float

from heldout.data.tabular.encoding import Encoder
from heldout.measuring.boundary import Line, boundary_of, exact_line
from heldout.measuring.boundary_files import write_boundary
from heldout.measuring.planes import Plane, plane_of_columns, plane_of_components, plane_of_inputs, two_most_important
from heldout.measuring.predictions import log_softmax
from heldout.measuring.prior import from_focal
from heldout.models.table_models import Layers
from heldout.randomness import stream
from heldout.scoring import Scored
from heldout.training.row_classifier import RowClassifier
from heldout.training.table_materials import TableMaterials


def keep_boundary(
    folder: Path, classifier: RowClassifier, materials: TableMaterials, *, validation: Scored, test: Scored, seed: int
) -> None:
    """Write boundary.parquet and boundary.json; nothing where a model reads a single feature.

    Two inputs are drawn as they are. Of more, the plane is that of the first two principal components of what the last
    layer reads; of trees, which have no layers, that of the two inputs whose shuffling costs most on validation.

    Args:
        folder: The run folder.
        classifier: Calibrated, with its decision.
        materials: Has the rows.
        validation: The validation part.
        test: The test part, opened.
        seed: Of the run.

    Raises:
        StorageError: The disk refused.
    """
    features = materials.features(test.part)
    if features.shape[1] < 2:
        return
    scorer, generator = classifier.scorer, stream(seed, "boundary")

    def answer(values: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, "rows classes"]:
        return log_softmax(classifier.logits(values), classifier.temperature)

    if (plane := _plane_of_inputs(classifier.encoder)) is not None:
        line = _line(classifier, plane)
        found = boundary_of(features, test.predictions, plane=plane, answer=answer, generator=generator, line=line)
    elif isinstance(scorer, Layers):
        hidden = scorer.hidden(features)
        last = Layers(scorer.weights[-1:], scorer.biases[-1:])
        if hidden.shape[1] < 2:
            return

        def answer_of_hidden(values: Float[np.ndarray, "rows width"]) -> Float[np.ndarray, "rows classes"]:
            logits = last.logits(values)
            logits = from_focal(logits, classifier.gamma) if classifier.gamma else logits
            return log_softmax(logits, classifier.temperature)

        n_features = features.shape[1]
        what = "the last hidden layer" if len(scorer.weights) > 1 else f"the {n_features:,} features"
        plane = plane_of_components(hidden, what=what)
        line = _line(classifier, plane)
        found = boundary_of(
            hidden, test.predictions, plane=plane, answer=answer_of_hidden, generator=generator, line=line
        )
    else:
        values = materials.features(validation.part)
        numbers = [place for place, name in enumerate(classifier.encoder.feature_names) if name in _units(classifier)]
        pair = two_most_important(
            values, validation.part.labels, answer=answer, generator=generator, candidates=numbers
        )
        plane = _plane_of_pair(classifier, features, pair)
        found = boundary_of(features, test.predictions, plane=plane, answer=answer, generator=generator)
    write_boundary(folder, found)


def _plane_of_inputs(encoder: Encoder) -> Plane | None:
    """The plane of two columns that are one feature each; None where there is more, or less, to a row."""
    columns = encoder.columns
    if len(columns) != 2 or len(encoder.feature_names) != 2 or any(one.kind == "category" for one in columns):
        return None
    first, second = columns
    mean, scale = np.array([first.mean, second.mean]), np.array([first.scale, second.scale])
    return plane_of_inputs((first.name, second.name), mean=mean, scale=scale)


def _units(classifier: RowClassifier) -> dict[str, tuple[float, float]]:
    """Mean and deviation of the columns that are numbers: what makes a feature a value of the data again."""
    columns = classifier.encoder.columns
    return {column.name: (column.mean, column.scale) for column in columns if column.kind != "category"}


def _plane_of_pair(
    classifier: RowClassifier, features: Float[np.ndarray, "rows features"], pair: tuple[int, int]
) -> Plane:
    names, units = classifier.encoder.feature_names, _units(classifier)
    first, second = (units.get(names[position], (0.0, 1.0)) for position in pair)
    return plane_of_columns(
        features,
        pair,
        titles=(names[pair[0]], names[pair[1]]),
        mean=np.array([first[0], second[0]]),
        scale=np.array([first[1], second[1]]),
    )


def _line(classifier: RowClassifier, plane: Plane) -> Line | None:
    """The straight line where the last layer changes its answer between two classes."""
    scorer = classifier.scorer
    is_straight = isinstance(scorer, Layers) and (plane.kind == "components" or len(scorer.weights) == 1)
    # What undoes the focal loss bends every level but that of equal probabilities.
    is_plain = not classifier.gamma or classifier.decision is None
    if not (is_straight and is_plain and len(classifier.classes) == 2):
        return None
    assert isinstance(scorer, Layers), "a straight model has layers"
    weights, biases = scorer.weights[-1].astype(np.float64), scorer.biases[-1].astype(np.float64)
    return exact_line(
        weights / classifier.temperature,
        biases / classifier.temperature,
        plane=plane,
        decision=classifier.decision,
    )
