"""What a model of rows learns from: the rows of a table, encoded by what its training part says of the columns."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Float

from heldout.data.examples import Examples
from heldout.data.tabular.encoding import Encoder, fit_encoder
from heldout.data.tabular.tables import TableSource
from heldout.models.table_models import Scorer
from heldout.training.materials import Part
from heldout.training.row_classifier import RowClassifier


@dataclass(frozen=True, eq=False)
class TableMaterials:
    """The rows, and once there is a training part, the encoder that was fitted to it.

    Attributes:
        source: Has the rows.
        device: `cpu` or `cuda`.
        cache: The cache folder of heldout.
        encoder: Of the training part; None before `fitted_to`.
    """

    source: TableSource
    device: str
    cache: Path
    encoder: Encoder | None = None
    _encoded: dict[tuple[str, ...], Float[np.ndarray, "rows features"]] = field(default_factory=dict)

    name = "rows"
    engine_words = ""
    has_features = True

    @property
    def identity(self) -> tuple[str, ...]:
        """What decides the features, besides the rows themselves."""
        return ("rows", repr(self.fitted.as_dict()))

    @property
    def fitted(self) -> Encoder:
        """The encoder, which is there by now."""
        assert self.encoder is not None, "the encoder is yet to be fitted"
        return self.encoder

    def fitted_to(self, train: Part) -> Self:
        """The same rows with the encoder that these examples, and no others, say."""
        return replace(self, encoder=encoder_of(train.examples), _encoded={})

    def features(self, part: Part) -> Float[np.ndarray, "rows features"]:
        """The encoded rows of one part; encoded once."""
        ids = part.examples.ids
        if ids not in self._encoded:
            self._encoded[ids] = self.fitted.encode(self.source.table, self.source.rows_of(ids))
        return self._encoded[ids]

    def logits(self, classifier: RowClassifier, part: Part) -> Float[np.ndarray, "rows classes"]:
        """What a classifier says about one part."""
        if classifier.encoder is self.encoder:
            return classifier.logits(self.features(part))
        return classifier.logits(classifier.encoder.encode(self.source.table, self.source.rows_of(part.examples.ids)))

    def classifier(self, name: str, scorer: Scorer, classes: tuple[str, ...], *, gamma: float = 0.0) -> RowClassifier:
        """A model of the encoded rows as a classifier of rows."""
        return RowClassifier(name, self.source.target, self.fitted, scorer, classes, gamma=gamma)


def encoder_of(examples: Examples) -> Encoder:
    """The encoder that is fitted to the rows of these examples."""
    source = examples.source
    assert isinstance(source, TableSource), f"{source.name} is no table"
    return fit_encoder(source.table, source.rows_of(examples.ids))
