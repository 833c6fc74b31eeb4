"""What a regime needs of every picture, and the stores that keep it.

frozen     features
partial    features (for the head to start from) and the trunk's maps
full       features and canvases: pictures after the resize, from which augmentation crops
scratch    canvases
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from jaxtyping import Float, Int

from heldout.data.examples import Examples
from heldout.data.pictures.decoding import PixelPath
from heldout.errors import DataError
from heldout.models.backbones import Backbone, find_backbone
from heldout.models.prepared import Prepared, prepare
from heldout.models.weights import WeightsFile, find_weights
from heldout.training.classifier import Classifier, engine_product, fact_store, logits_of, pixel_path
from heldout.training.looking import Product, Progress, look_at
from heldout.training.stores import ArrayStore, FactStore, StoredRows

if TYPE_CHECKING:
    from heldout.models.network import Network


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The examples of one part, and the content of each one's file.

    Attributes:
        examples: Names and labels.
        sha256s: Of the files, hexadecimal, in the order of the examples.
    """

    examples: Examples
    sha256s: tuple[str, ...]

    @property
    def labels(self) -> Int[np.ndarray, " examples"]:
        """The class of each example, as an index."""
        return self.examples.labels


@dataclass(frozen=True, slots=True, eq=False)
class _Held:
    """Features in memory, and the row of each picture."""

    features: Float[np.ndarray, "examples features"]
    rows: Mapping[str, int]

    def of(self, part: Part) -> Float[np.ndarray, "examples features"]:
        return np.asarray(self.features[[self.rows[sha256] for sha256 in part.sha256s]])


@dataclass(frozen=True, eq=False)
class Materials:
    """The opened backbone and the stores.

    Attributes:
        backbone: Which network.
        weights: The file that its weights come from; None for random ones.
        pretrained: The backbone with those weights; None for random ones.
        products: By name: `features`, `trunk`, `canvases`.
        facts: What is known of each picture.
        cache: The cache folder of heldout.
        device: `cpu` or `cuda`.
    """

    backbone: Backbone
    weights: WeightsFile | None
    pretrained: Prepared | None
    products: Mapping[str, Product]
    facts: FactStore
    cache: Path
    device: str
    _trained: dict[str, Product] = field(default_factory=dict)
    _held: "_Held | None" = None

    @property
    def pixel_path(self) -> PixelPath:
        """The pixel path of the backbone."""
        return pixel_path(self.backbone)

    @property
    def engine_words(self) -> str:
        """Which engine computed the features, or nothing where there are none."""
        product = self.products.get("features")
        return product.engine.key if product and product.engine else ""

    @property
    def name(self) -> str:
        """Of the backbone."""
        return self.backbone.name

    @property
    def identity(self) -> tuple[str, ...]:
        """What decides what is learnt from, besides the pictures themselves."""
        return (self.backbone.name, self.weights.sha256 if self.weights else "")

    @property
    def has_features(self) -> bool:
        """Whether there are pretrained features."""
        return self.pretrained is not None

    def fitted_to(self, train: Part) -> Self:
        """The same: what a backbone makes of a picture does not depend on the other pictures."""
        return self

    def features(self, part: Part) -> Float[np.ndarray, "examples features"]:
        """The features of one part by the pretrained backbone."""
        return self.rows("features", part).all() if self._held is None else self._held.of(part)

    def holding_features(self, part: Part) -> Self:
        """The same with the features of these examples in memory: read and checked once, for all parts of this part.

        Raises:
            KeyError: One of them has no features yet.
            StorageError: The features are damaged.
        """
        rows = self.rows("features", part).all()
        return replace(self, _held=_Held(rows, {sha256: row for row, sha256 in enumerate(part.sha256s)}))

    def logits(self, classifier: Classifier, part: Part) -> Float[np.ndarray, "examples classes"]:
        """What a classifier says about one part."""
        return logits_of(classifier, self.features_by(classifier.backbone, part))

    def rows(self, product: str, part: Part) -> StoredRows:
        """What is kept of the pictures of one part."""
        return self.products[product].store.rows(part.sha256s)

    def features_by(self, backbone: Prepared, part: Part, *, progress: Progress | None = None) -> StoredRows:
        """The features of one part by a trained backbone, computed now where they are not kept yet.

        Raises:
            DataError: A file is no longer the one that was looked at first.
        """
        if self.pretrained is not None and backbone.fingerprint == self.pretrained.fingerprint:
            return self.rows("features", part)
        if backbone.fingerprint not in self._trained:
            opened = engine_product(backbone, "features", cache=self.cache, device=self.device)
            self._trained[backbone.fingerprint] = opened
        product = self._trained[backbone.fingerprint]
        # Whatever limit of pixels held, these pictures met it when they were first looked at.
        source, ids = part.examples.source, part.examples.ids
        look_at(source, ids, [product], self.facts, max_pixels=sys.maxsize, progress=progress)
        for name, sha256 in zip(part.examples.ids, part.sha256s, strict=True):
            if sha256 not in product.store:
                raise DataError(
                    f"{name!r} was changed or removed during the run",
                    expected="files that stay as they are until the run has ended",
                    fix="run again, and leave the data alone meanwhile",
                )
        return product.store.rows(part.sha256s)


def gather_materials(name: str, *, weights: str, regime: str, download: bool, cache: Path, device: str) -> Materials:
    """Open the backbone and the stores that a regime needs.

    Args:
        name: Of the backbone.
        weights: `imagenet`, `none` or a file.
        regime: Decides what is wanted of each picture.
        download: Whether published weights may be fetched.
        cache: The cache folder of heldout.
        device: `cpu` or `cuda`.

    Raises:
        WeightsError: The weights cannot be had, or belong to another network.
        MissingExtra: The backbone or its weights need an extra that is not installed.
    """
    backbone = find_backbone(name)
    file = find_weights(weights, backbone, cache=cache / "weights", download=download)
    products = {}
    pretrained = None
    if file is not None:
        pretrained = pretrained_backbone(backbone, file, cache=cache)
        products["features"] = engine_product(pretrained, "features", cache=cache, device=device)
        if regime == "partial":
            products["trunk"] = engine_product(pretrained, "trunk", cache=cache, device=device)
    if regime in ("full", "scratch"):
        path = pixel_path(backbone).canvas
        shape = (path.crop, path.crop, 3)
        store = ArrayStore(cache / "canvases" / path.key.replace(":", "_"), shape, "uint8")
        products["canvases"] = Product(store, path, None)
    return Materials(backbone, file, pretrained, products, fact_store(backbone, cache), cache, device)


def pretrained_backbone(backbone: Backbone, file: WeightsFile, *, cache: Path) -> Prepared:
    """The backbone with the weights of a file, ready in the cache; torch is imported only to put it there."""

    def load() -> "Network":
        import torch

        from heldout.models.build import build_network

        # Two classes at least make a head, which is of no matter here.
        return build_network(backbone, file, 2, generator=torch.Generator())

    return prepare(backbone, source_sha256=file.sha256, load=load, cache=cache)
