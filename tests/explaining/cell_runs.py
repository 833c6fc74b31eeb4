"""Run folders with small networks of two columns, as `heldout explain region` reads them; nothing is trained."""

from itertools import pairwise
from pathlib import Path

import numpy as np

from heldout.data.tabular.encoding import Column, Encoder
from heldout.measuring.boundary import boundary_of
from heldout.measuring.boundary_files import write_boundary
from heldout.measuring.decisions import Decision
from heldout.measuring.planes import plane_of_inputs
from heldout.measuring.predictions import Predictions, log_softmax
from heldout.models.table_models import Layers, Scorer
from heldout.training.row_classifier import RowClassifier, save_rows

MEAN, SCALE = np.array([50.0, -0.2]), np.array([10.0, 0.05])
COLUMNS = (
    Column("width", "number", mean=MEAN[0], scale=SCALE[0]),
    Column("height", "number", mean=MEAN[1], scale=SCALE[1]),
)


def layers(*widths: int, n_features: int = 2, seed: int = 0) -> Layers:
    """Random layers in float32, the last width that of the classes."""
    generator = np.random.default_rng(seed)
    sizes = (n_features, *widths)
    return Layers(
        tuple(generator.normal(size=(b, a)).astype(np.float32) for a, b in pairwise(sizes)),
        tuple((0.5 * generator.normal(size=b)).astype(np.float32) for b in widths),
    )


def classifier(
    scorer: Scorer,
    *,
    columns: tuple[Column, ...] = COLUMNS,
    decision: Decision | None = None,
    temperature: float = 1.0,
    gamma: float = 0.0,
    name: str = "mlp",
) -> RowClassifier:
    """A classifier of these columns; its classes are `ant`, `bee`, ..."""
    classes = ("ant", "bee", "cat", "dog")[: scorer.n_classes]
    encoder = Encoder(columns, n_rows=100)
    return RowClassifier(name, "kind", encoder, scorer, classes, temperature, gamma, decision)


def saved_run(folder: Path, model: RowClassifier, *, n_examples: int = 60) -> Path:
    """A finished run, of a version that wrote no manifest; with examples over its plane where there are any."""
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text('[data]\npath = "rows.csv"\n')
    (folder / "scores.json").write_text('{"format": 1}')
    save_rows(model, folder / "model")
    if n_examples:
        generator = np.random.default_rng(1)
        values = generator.normal(size=(n_examples, 2))
        labels = generator.integers(0, len(model.classes), n_examples)
        ids = tuple(map(str, range(n_examples)))
        given = Predictions(ids, labels, model.logits(values), model.classes, model.temperature, model.decision)
        plane = plane_of_inputs(("width", "height"), mean=MEAN, scale=SCALE)
        write_boundary(
            folder,
            boundary_of(
                values,
                given,
                plane=plane,
                answer=lambda some: log_softmax(model.logits(some), model.temperature),
                generator=generator,
            ),
        )
    return folder
