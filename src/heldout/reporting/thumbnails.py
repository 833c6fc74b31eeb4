"""The pictures that a report shows, kept small in the run folder: the page can be made again without the data."""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from heldout.data.pictures.decoding import PixelPath, UnreadablePicture, decode, pictures_guarded, to_pixels
from heldout.data.pictures.survey import read_file
from heldout.data.storage.sources import Source
from heldout.measuring.predictions import Predictions
from heldout.records import write_atomic, write_parquet
from heldout.reporting.choose import choose_pictures, choose_samples
from heldout.training.materials import Materials, Part


def keep_thumbnails(folder: Path, train: Part, scored: Part, predictions: Predictions, materials: Materials) -> None:
    """Write thumbnails.parquet: the scored pictures worth seeing, and a sample of the training part.

    Args:
        folder: The run folder.
        train: The training part.
        scored: The part that leads the report.
        predictions: The answers on that part.
        materials: Have a thumbnail of every picture, and the pixel path of the run.
    """
    choice = choose_pictures(
        predictions.ids,
        predictions.labels,
        predicted=predictions.predicted,
        confidence=predictions.confidence,
        n_classes=len(predictions.classes),
    )
    samples = choose_samples(train.examples.ids, train.labels, n_classes=len(predictions.classes))
    columns: dict[str, list[object]] = {name: [] for name in ("id", "part", "label", "jpeg", "seen")}
    for part, name, shown in ((scored, "test", choice.ids), (train, "train", samples)):
        index_of = {example: index for index, example in enumerate(part.examples.ids)}
        for example in shown:
            index = index_of[example]
            sha256 = part.sha256s[index]
            columns["id"].append(example)
            columns["part"].append(name)
            columns["label"].append(part.examples.classes[part.labels[index]])
            columns["jpeg"].append(materials.facts.thumbnail(sha256))
            columns["seen"].append(
                seen_by_network(part.examples.source, example, sha256, path=materials.pixel_path, cache=materials.cache)
                if name == "train"
                else None
            )
    write_parquet(folder / "thumbnails.parquet", columns)


def seen_by_network(source: Source, name: str, sha256: str, *, path: PixelPath, cache: Path) -> bytes | None:
    """The normalised crop that the network gets, as a JPEG for people; made once and kept in the cache.

    None where the file has gone, or is no longer the one that was looked at.
    """
    kept = cache / "seen" / path.key.replace(":", "_") / f"{sha256}.jpg"
    if not kept.is_file():
        image = seen_before(source, name, sha256, path=path)
        if image is None:
            return None
        out = io.BytesIO()
        normalised_view(to_pixels(image, path), path).save(out, "JPEG", quality=85)
        write_atomic(kept, out.getvalue())
    return kept.read_bytes()


def seen_before(source: Source, name: str, sha256: str, *, path: PixelPath) -> Image.Image | None:
    """A picture that was looked at already, upright and in RGB; None where the file has gone or is another one now."""
    try:
        data, found = read_file(source, name)
        if found != sha256:
            return None
        with pictures_guarded():
            # It was accepted under the limit of its run, which may be higher than the usual one.
            return decode(data, sha256=sha256, short_side=path.resize, max_pixels=sys.maxsize).image
    except UnreadablePicture:
        return None


def normalised_view(pixels: np.ndarray, path: PixelPath) -> Image.Image:
    """Normalised pixels made visible: the smallest value that can occur is black, the largest is white.

    Args:
        pixels: uint8, of shape (crop, crop, 3), before normalising.
        path: Says how they are normalised.
    """
    mean, std = np.array(path.mean), np.array(path.std)
    normalised = (pixels / 255 - mean) / std
    darkest, brightest = ((0 - mean) / std).min(), ((1 - mean) / std).max()
    return Image.fromarray(np.uint8(np.round(255 * (normalised - darkest) / (brightest - darkest))))
