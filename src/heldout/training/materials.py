"""What a regime needs of every picture, and the stores that keep it.

frozen     features
partial    features (for the head to start from) and the trunk's maps
full       features and canvases: pictures after the resize, from which augmentation crops
scratch    canvases
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int

from heldout.data.decoding import PixelPath
from heldout.data.examples import Examples
from heldout.models.backbones import Backbone, find_backbone
from heldout.models.prepared import Prepared, prepare
from heldout.models.weights import WeightsFile, find_weights
from heldout.training.classifier import engine_product, fact_store, pixel_path
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


@dataclass(frozen=True)
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

    @property
    def pixel_path(self) -> PixelPath:
        """The pixel path of the backbone."""
        return pixel_path(self.backbone)

    @property
    def engine_words(self) -> str:
        """Which engine computed the features, or nothing where there are none."""
        product = self.products.get("features")
        return product.engine.key if product and product.engine else ""

    def rows(self, product: str, part: Part) -> StoredRows:
        """What is kept of the pictures of one part."""
        return self.products[product].store.rows(part.sha256s)

    def features_by(self, backbone: Prepared, part: Part, *, progress: Progress | None = None) -> StoredRows:
        """The features of one part by a trained backbone, computed now where they are not kept yet."""
        if self.pretrained is not None and backbone.fingerprint == self.pretrained.fingerprint:
            return self.rows("features", part)
        product = engine_product(backbone, "features", cache=self.cache, device=self.device)
        look_at(part.examples.root, part.examples.ids, [product], self.facts, progress=progress)
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
        pretrained = prepare(backbone, source_sha256=file.sha256, load=lambda: _load(backbone, file), cache=cache)
        products["features"] = engine_product(pretrained, "features", cache=cache, device=device)
        if regime == "partial":
            products["trunk"] = engine_product(pretrained, "trunk", cache=cache, device=device)
    if regime in ("full", "scratch"):
        path = pixel_path(backbone).canvas
        shape = (path.crop, path.crop, 3)
        store = ArrayStore(cache / "canvases" / path.key.replace(":", "_"), shape, "uint8")
        products["canvases"] = Product(store, path, None)
    return Materials(backbone, file, pretrained, products, fact_store(backbone, cache), cache, device)


def _load(backbone: Backbone, file: WeightsFile) -> "Network":
    """The network with the weights of a file; its head is of no matter here."""
    import torch

    from heldout.models.build import random_network
    from heldout.models.weights import load_weights

    net = random_network(backbone.name, 2, generator=torch.Generator())
    load_weights(net, file, backbone=backbone, keep_head=False)
    return net
