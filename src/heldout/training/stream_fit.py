"""Rows in a stream -> the weights of a linear layer: one pass over the file where the rows are what they look like.

Before the pass, rows from the heads of row groups say how rows become features and where to begin. They need not be
like the others, so what they said is compared with what a sample of all rows says, which is gathered in the pass. If a
category, a missing value or another scale shows there, the sample's features are used and there is one more pass.
"""

import logging
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from heldout.data.tabular.encoding import Column, Dropped, Encoder, fit_encoder
from heldout.data.tabular.table_files import read_table
from heldout.errors import DataError
from heldout.measuring.prior import prior_shift
from heldout.models.heads import L2_GRID, fit_heads
from heldout.training.probe import PathPoint, Probe, fit_probe
from heldout.training.stream_features import encoded_fast
from heldout.training.stream_kept import Keeper, Kept, glimpse, keep, row_numbers, taken
from heldout.training.stream_optimum import Pass, Point, Sample, Slope, optimum, rounded, slope_of
from heldout.training.stream_rows import TRAIN, VALIDATION, Labelling, RowStream

log = logging.getLogger(__name__)
# Numbers of encoded rows at one time: 64 MB as float64. Wider rows make a smaller sample, and more passes.
_MAX_NUMBERS = 2**23
_PENALTY_ROWS = 20_000  # of the sample, which the penalty is chosen with; it is then made weaker for all rows
_FIRST_L2 = 1e-3  # of the first point, which is only a beginning
# So much a mean, in deviations, and a deviation, as a factor, may be off: they are units, and any will do (assumed).
_MEAN_OFF, _SCALE_OFF = 0.25, 1.5


@dataclass(frozen=True, slots=True)
class Found:
    """What was fitted to the training rows of a file.

    Attributes:
        point: Weights and biases.
        encoder: Rows to features.
        kept: The rows of test and validation, and the sample of train.
        passes: Those over all rows that led to the point.
        path: The penalties that were tried.
        l2: The penalty of all rows.
        n_sample: Rows that stood for the curvature.
    """

    point: Point
    encoder: Encoder
    kept: Kept
    passes: tuple[Pass, ...]
    path: tuple[PathPoint, ...]
    l2: float
    n_sample: int


def fit_rows(rows: RowStream, labelling: Labelling, shares: Float[np.ndarray, " classes"], *, n_sample: int) -> Found:
    """The optimum of all training rows.

    Args:
        rows: The file.
        labelling: Its classes.
        shares: What all rows of a class weigh together.
        n_sample: About so many rows stand for the curvature.

    Raises:
        DataError: No column can be learned from, or a part has rows of fewer than two classes.
    """
    start, encoder = _beginning(rows, labelling, shares)
    first = None
    if start is None or encoder is None:
        kept = keep(rows, labelling, n_sample=n_sample)
    else:
        keeper = Keeper(rows, labelling, n_sample)
        first = slope_of_all(rows, labelling, encoder, start, shares, keeper=keeper)
        kept = keeper.kept()
    of_sample = _encoder_of(kept)
    if encoder is None or not alike(encoder, of_sample):
        log.info("the first rows are not like the others: there is another pass")
        encoder, first = of_sample, None
    train = _thinned(kept.of(TRAIN), _MAX_NUMBERS // len(encoder.feature_names))
    features, labels = encoder.encode(taken(kept.table, train)), kept.labels[train]
    probe, l2 = _penalty(encoder, kept, shares, counts=labelling.counts)
    sample = Sample(features, labels, _of_each(labels, shares)[labels], l2)
    if start is None or first is None:
        start = rounded(Point(probe.head.weight, probe.head.bias))
        start, _ = sample.next_point(start, sample.slope(start))  # as if the sample were all: its own optimum

    def slope_at(point: Point) -> Slope:
        return slope_of_all(rows, labelling, encoder, point, shares)

    n_rows = int(labelling.counts.sum())
    point, passes = optimum(start, sample, slope_at, n_rows=n_rows, first=first)
    return Found(point, encoder, kept, passes, probe.path, l2, len(train))


def slope_of_all(
    rows: RowStream,
    labelling: Labelling,
    encoder: Encoder,
    point: Point,
    shares: Float[np.ndarray, " classes"],
    *,
    keeper: Keeper | None = None,
) -> Slope:
    """Loss and gradient of all training rows at a point: one pass over the file.

    Args:
        rows: The file.
        labelling: Its classes.
        encoder: Rows to features.
        point: Where.
        shares: What all rows of a class weigh together.
        keeper: Is shown every row.
    """
    log.info("a pass over all rows")
    names = [column.name for column in encoder.columns] if keeper is None else rows.columns
    loss, weight, bias = 0.0, np.zeros_like(point.weight), np.zeros_like(point.bias)
    of_class = shares / np.maximum(labelling.counts, 1)
    largest = float(of_class.max())  # sums in 32 bits are of numbers about 1
    row_weights = np.append(of_class / largest, 0.0).astype(np.float32)  # the last is for a row without a label
    for begin, table in rows.batches([*names, rows.target]):
        plain = read_table(table, name=rows.path.name)
        codes = labelling.codes(plain.column(rows.target))
        hashes = rows.hashes(begin, begin + len(codes))
        if keeper is not None:
            keeper.add(begin, table, codes, hashes)
        weights = row_weights[codes] * (hashes >= rows.bounds[1])
        found = slope_of(encoded_fast(encoder, plain), codes, weights, point)
        loss += largest * found.loss
        weight += largest * found.weight
        bias += largest * found.bias
    return Slope(loss, weight, bias)


def alike(one: Encoder, other: Encoder) -> bool:
    """Whether two encoders make the same features, but for their units, which differ little.

    Example:
        >>> import pyarrow as pa
        >>> small, large = (fit_encoder(pa.table({"size": sizes})) for sizes in ([1, 2, 3, 4], [1, 2, 3, 5]))
        >>> alike(small, large), alike(small, fit_encoder(pa.table({"size": [1, 2, None]})))
        (True, False)
    """
    if set(one.dropped) != set(other.dropped) or one.feature_names != other.feature_names:
        return False
    return all(_alike(a, b) for a, b in zip(one.columns, other.columns, strict=True))


def _alike(one: Column, other: Column) -> bool:
    far = abs(one.mean - other.mean) > _MEAN_OFF * other.scale
    return one.kind == other.kind and not far and 1 / _SCALE_OFF <= one.scale / other.scale <= _SCALE_OFF


def _beginning(
    rows: RowStream, labelling: Labelling, shares: Float[np.ndarray, " classes"]
) -> tuple[Point | None, Encoder | None]:
    """Features and a point from the heads of row groups; None where nothing can be learned from them."""
    seen = glimpse(rows, labelling)
    if seen is None:
        return None, None
    try:
        encoder = _encoder_of(seen)
    except DataError:  # such as columns that are constant there
        return None, None
    chosen = _thinned(np.arange(len(seen.labels)), _MAX_NUMBERS // len(encoder.feature_names))
    labels = seen.labels[chosen]
    weights = _of_each(labels, shares) * len(labels)
    features = encoder.encode(taken(seen.table, chosen))
    head = next(fit_heads(features, labels, len(shares), l2_grid=[_FIRST_L2], class_weights=weights))
    return rounded(Point(head.weight, head.bias)), encoder


def _encoder_of(kept: Kept) -> Encoder:
    """The encoder of the rows of train, without the columns that count the rows, which gaps hide from it."""
    counting = row_numbers(kept)
    encoder = fit_encoder(taken(kept.table.drop_columns(counting), kept.of(TRAIN)))
    return replace(encoder, dropped=(*encoder.dropped, *(Dropped(name, "row number") for name in counting)))


def _penalty(
    encoder: Encoder,
    kept: Kept,
    shares: Float[np.ndarray, " classes"],
    *,
    counts: Int[np.ndarray, " classes"],
) -> tuple[Probe, float]:
    """What fewer rows say of the penalty, and what it is for all rows and features as they are."""
    few, judges = (_thinned(kept.of(part), _PENALTY_ROWS) for part in (TRAIN, VALIDATION))
    most = max(1, _MAX_NUMBERS // len(encoder.feature_names))
    few, judges = _thinned(few, most), _thinned(judges, most)
    features, labels = encoder.encode(taken(kept.table, few)), kept.labels[few]
    probe = fit_probe(
        (features, labels),
        (encoder.encode(taken(kept.table, judges)), kept.labels[judges]),
        len(counts),
        class_weights=_of_each(labels, shares) * len(few),
        shift=None if np.allclose(shares, counts / counts.sum()) else prior_shift(counts),
    )
    # A head's penalty is for features scaled to a mean square of 1, and for the rows that it was chosen with.
    l2 = max(probe.head.l2 * len(few) / int(counts.sum()), L2_GRID[-1])
    return probe, l2 * float(np.mean(np.var(features, axis=0)))


def _thinned(positions: Int[np.ndarray, " n"], most: int) -> Int[np.ndarray, " fewer"]:
    """At most so many of them, evenly spread; one at least."""
    return positions[:: max(1, -(-len(positions) // max(1, most)))]


def _of_each(labels: Int[np.ndarray, " rows"], shares: Float[np.ndarray, " classes"]) -> Float[np.ndarray, " classes"]:
    """What a row of each class weighs where all rows of a class weigh its share; 0 where it has none."""
    counts = np.bincount(labels, minlength=len(shares))
    present = np.where(counts > 0, shares, 0.0)
    return np.asarray(present / present.sum() / np.maximum(counts, 1))
