"""Small builders of run folders as `heldout compare` reads them: answers on a held-out part, and little else."""

import hashlib
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from heldout.measuring.predictions import Predictions
from heldout.measuring.summary import summarise
from make import pixels

CLASSES = ("cat", "dog", "emu")


@dataclass(frozen=True, slots=True)
class Answered:
    """One held-out example and what a run said about it; `content` stands for the bytes of the picture."""

    id: str
    content: str
    label: str
    predicted: str
    confidence: float = 0.9
    group: str = ""


def sha256_of(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def answers(right: Iterable[bool], labels: Sequence[str] = CLASSES, groups: Sequence[str] = ()) -> list[Answered]:
    """Answers on examples of the classes in turn, right or wrong as said."""
    made = []
    for number, is_right in enumerate(right):
        label = labels[number % len(labels)]
        wrong = CLASSES[(CLASSES.index(label) + 1) % len(CLASSES)]
        group = groups[number] if groups else ""
        made.append(
            Answered(f"test/{number:03}.jpg", f"picture {number}", label, label if is_right else wrong, 0.5, group)
        )
    return made


def answered_run(
    folder: Path,
    test: Sequence[Answered],
    *,
    classes: Sequence[str] = CLASSES,
    learned: Sequence[str] = ("train a", "train b"),
    weights: str = "",
    openings: int = 1,
) -> Path:
    """A finished run, of a version that wrote no manifest, that gave these answers.

    Args:
        folder: The run folder.
        test: The held-out examples.
        classes: The class map.
        learned: Contents of its training part.
        weights: Fingerprint of its weights; its name where there is none.
        openings: How often the held-out part had been opened.
    """
    folder.mkdir(parents=True)
    index = {name: number for number, name in enumerate(classes)}
    labels, predicted = (
        np.array([index[getattr(each, key)] for each in test], dtype=np.int64) for key in ("label", "predicted")
    )
    predictions = Predictions(
        tuple(each.id for each in test), labels, 5.0 * np.eye(len(classes))[predicted], tuple(classes)
    )
    summary = summarise(predictions, temperature=1.0, generator=np.random.default_rng(0)).as_dict()
    data = {"classes": list(classes), "layout": "class folders", "test_openings": openings}
    model = {"backbone": "efficientnet-lite0", "regime": "frozen", "n_trained": 3843}
    _write(folder / "scores.json", {"format": 1, "test": summary, "data": data, "model": model})
    _write(folder / "environment.json", {"fingerprints": {"final_weights": weights or folder.name, "test": "t"}})
    (folder / "plan.toml").write_text('[data]\npath = "photos"\n')
    rows = [(f"train/{name}", sha256_of(name), CLASSES[0], "train", "") for name in learned]
    rows += [(each.id, sha256_of(each.content), each.label, "test", each.group) for each in test]
    names = ("id", "sha256", "class", "part", "group")
    pq.write_table(
        pa.table({name: [row[column] for row in rows] for column, name in enumerate(names)}), folder / "split.parquet"
    )
    told = {key: [getattr(each, key) for each in test] for key in ("id", "label", "predicted", "confidence")}
    pq.write_table(pa.table({**told, "part": ["test"] * len(test)}), folder / "predictions.parquet")
    out = io.BytesIO()
    Image.fromarray(pixels("blobs", 1)).save(out, "JPEG")
    kept = [each.id for each in test[:12]]
    shown = {"id": kept, "jpeg": [out.getvalue()] * len(kept)}
    pq.write_table(pa.table(shown), folder / "thumbnails.parquet")
    return folder


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content))
