"""Builders of run folders with everything a report reads: realistic, hostile, perfect, without a test part."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int
from PIL import Image, ImageColor, ImageDraw

from heldout.measuring.baselines import majority
from heldout.measuring.predictions import Predictions
from heldout.measuring.scores import share
from heldout.measuring.summary import summarise
from heldout.reporting.choose import choose_pictures, choose_samples

FLOWERS = ("daisy", "dandelion", "rose", "sunflower", "tulip")
HOSTILE = ("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "a & b", "{{ 7 * 7 }}", "$x$ \u202e\u2028é")
HOSTILE_FILE = 'photos/"><img src=x onerror=alert(1)>.jpg'
FINDINGS = (
    {
        "code": "imbalance",
        "severity": "note",
        "where": ["tulip"],
        "what": "The commonest class has 1.4 times as many pictures as the rarest",
        "why": "Accuracy leans towards the commoner classes.",
        "fix": "Read the recall of each class beside the accuracy.",
        "source": "",
    },
    {
        "code": "duplicate-across-splits",
        "severity": "error",
        "where": ["test/rose/0007.jpg", "train/rose/0031.jpg", "test/tulip/0012.jpg", "train/tulip/0101.jpg"],
        "what": "2 pictures of the test part are also in the training part",
        "why": "The model has seen their answers, so the test score is too high.",
        "fix": "Remove the copies from the training part, or let heldout make the split.",
        "source": "Barz & Denzler, Do We Train on Test Data?, 2020",
    },
    {
        "code": "few-examples",
        "severity": "warning",
        "where": ["daisy"],
        "what": "1 class has fewer than 30 test pictures",
        "why": "Its recall is known to within 15 points only; it cannot be ranked.",
        "fix": "Add test pictures of that class.",
        "source": "",
    },
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What kind of run to make; `margin` is how sure the made-up model is, `shares` how frequent the classes are."""

    classes: tuple[str, ...] = FLOWERS
    shares: tuple[float, ...] = ()
    n_test: int = 150
    margin: float = 7.0
    is_perfect: bool = False
    has_test: bool = True
    by_epochs: bool = False
    test_openings: int = 1
    findings: tuple[Mapping[str, Any], ...] = FINDINGS
    hostile_files: bool = False
    n_suspects: int | None = 26


def flower_run(folder: Path) -> Path:
    """A frozen run: 5 classes, 150 test pictures, some mistakes, three findings."""
    return make_run(folder, Shape())


def large_run(folder: Path) -> Path:
    """102 classes, 1,020 test pictures, many mistakes, trained by epochs."""
    names = tuple(sorted(f"{first} {second}" for first in _FIRST for second in _SECOND))[:102]
    return make_run(folder, Shape(classes=names, n_test=1020, margin=9.0, by_epochs=True))


def hostile_run(folder: Path) -> Path:
    """Class names, file names and findings that would run as script if anything let them."""
    nasty = dict.fromkeys(("code", "what", "why", "fix", "source"), HOSTILE[1])
    finding = {**nasty, "severity": "warning", "where": [HOSTILE_FILE, HOSTILE[0]]}
    return make_run(folder, Shape(classes=HOSTILE, margin=5.0, findings=(finding,), hostile_files=True))


def perfect_run(folder: Path) -> Path:
    """No mistake and no finding, two classes."""
    return make_run(folder, Shape(classes=("cat", "dog"), n_test=80, is_perfect=True, findings=(), n_suspects=0))


def untested_run(folder: Path) -> Path:
    """A run whose held-out part was not opened, trained by epochs."""
    return make_run(folder, Shape(has_test=False, by_epochs=True, n_suspects=None))


def unequal_run(folder: Path) -> Path:
    """Classes of very unequal size, so that balanced accuracy leads; a held-out part opened three times."""
    return make_run(folder, Shape(classes=("common", "rare"), shares=(0.93, 0.07), margin=9.0, test_openings=3))


def make_run(folder: Path, shape: Shape) -> Path:
    """Write every file that `write_report` reads; returns the folder."""
    generator = np.random.default_rng(20261122)
    folder.mkdir(parents=True, exist_ok=True)
    n_classes = len(shape.classes)
    parts = {part: _answers(generator, shape, part) for part in ("validation", "test")}
    if not shape.has_test:
        del parts["test"]
    train = np.repeat(np.arange(n_classes), 60 if n_classes < 10 else 12)
    write_json(folder / "scores.json", _scores(shape, parts, train))
    write_json(folder / "environment.json", _environment(folder.name))
    write_json(folder / "findings.json", list(shape.findings))
    plan = '[data]\nsource = "photos"\nseed = 7\n\n[model]\nbackbone = "efficientnet-lite0"\n'
    (folder / "plan.toml").write_text(plan)
    rows = pa.concat_tables([rows_of(part, each) for part, each in parts.items()])
    pq.write_table(rows, folder / "predictions.parquet")
    leading = "test" if shape.has_test else "validation"
    _write_thumbnails(folder, leading, parts[leading], train)
    _write_curves(folder, by_epochs=shape.by_epochs)
    if shape.n_suspects is not None:
        _write_suspects(folder, shape, shape.n_suspects)
    return folder


_FIRST = ("alpine", "barberton", "bearded", "canterbury", "garden", "hard-leaved pocket", "japanese", "mexican", "moon")
_SECOND = (
    "anemone",
    "aster",
    "bell",
    "iris",
    "lily",
    "orchid",
    "poppy",
    "sea holly",
    "rose",
    "daisy",
    "sage",
    "thistle",
)


def _answers(generator: np.random.Generator, shape: Shape, part: str) -> Predictions:
    """What a well calibrated made-up model answers: labels are drawn from its own probabilities."""
    n, n_classes = shape.n_test, len(shape.classes)
    shares = np.array(shape.shares or [1 / n_classes] * n_classes)
    looks_like = np.sort(generator.choice(n_classes, size=n, p=shares))
    logits = generator.normal(0, 1, (n, n_classes))
    rows = np.arange(n)
    logits[rows, looks_like] += generator.gamma(4, shape.margin / 4, n)
    # Neighbouring classes look alike, as real classes do.
    logits[rows, (looks_like + 1) % n_classes] += 1.5
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    drawn = [generator.choice(n_classes, p=row / row.sum()) for row in powers]
    labels = logits.argmax(axis=1) if shape.is_perfect else np.array(drawn)
    stem = 'photos/"><img src=x onerror=alert(1)>' if shape.hostile_files else f"{part}/photo"
    ids = tuple(f"{stem}_{row:05d}.jpg" for row in range(n))
    # Networks are too sure of themselves; the temperature takes that back.
    return Predictions(ids, labels.astype(np.int64), logits * 1.21, shape.classes, temperature=1.21)


def rows_of(part: str, answers: Predictions) -> pa.Table:
    names = np.array(answers.classes, dtype=object)
    return pa.table(
        {
            "id": pa.array(answers.ids, pa.string()),
            "part": pa.array([part] * len(answers), pa.string()),
            "label": pa.array(names[answers.labels], pa.string()),
            "predicted": pa.array(names[answers.predicted], pa.string()),
            "confidence": pa.array(answers.confidence),
            "correct": pa.array(answers.correct),
            "probabilities": pa.array(list(answers.probabilities)),
        }
    )


def _scores(shape: Shape, parts: Mapping[str, Predictions], train: Int[np.ndarray, " train"]) -> dict[str, Any]:
    n_classes = len(shape.classes)
    summaries = {
        part: summarise(each, temperature=1.21, generator=np.random.default_rng(0)).as_dict()
        for part, each in parts.items()
    }
    counts = {part: np.bincount(each.labels, minlength=n_classes).tolist() for part, each in parts.items()}
    leading = parts.get("test", parts["validation"])
    labels = leading.labels
    return {
        "format": 1,
        "test": summaries.get("test"),
        "validation": summaries["validation"],
        "baselines": {
            "majority": majority(train, labels, n_classes).as_dict(),
            "nearest_centroid": share("nearest_centroid", int(0.8 * len(labels)), len(labels)).as_dict(),
        },
        "suspects": _suspicion(shape.n_suspects, len(train) + len(parts["validation"])),
        "data": {
            "n": len(train) + sum(map(len, parts.values())),
            "n_train": len(train),
            "n_validation": len(parts["validation"]),
            "n_test": len(parts.get("test", ())),
            "classes": list(shape.classes),
            "counts": {"test": [0] * n_classes, **counts, "train": np.bincount(train, minlength=n_classes).tolist()},
            "layout": "split folders",
            "made": ["validation"],
            "test_openings": shape.test_openings if shape.has_test else 0,
            "n_left_out": 0,
            "passed_over": [[".ipynb_checkpoints", "the name begins with a dot"]],
        },
        "model": {
            "backbone": "efficientnet-lite0",
            "regime": "full" if shape.by_epochs else "frozen",
            "weights": "imagenet",
            "n_parameters": 3376901,
            "n_trained": 3376901 if shape.by_epochs else 6405,
            "n_bytes": 13_500_000,
            "input": "3x224x224",
        },
    }


def _suspicion(n_suspects: int | None, n: int) -> dict[str, Any] | None:
    if n_suspects is None:
        return None
    ceiling = share("ceiling", n - n_suspects, n).as_dict()
    return {"n": n, "n_suspects": n_suspects, "n_not_judged": 0, "ceiling": ceiling, "confirmed_share": 0.51}


def _write_suspects(folder: Path, shape: Shape, n: int) -> None:
    n_classes = len(shape.classes)
    stem = HOSTILE_FILE if shape.hostile_files else "train/odd"
    rows = [
        {
            "id": f"{stem}_{row:03d}.jpg",
            "part": "train" if row % 3 else "validation",
            "label": shape.classes[row % n_classes],
            "suggested": shape.classes[(row + 1) % n_classes],
            "p_label": 0.02 + row / 200,
            "p_suggested": 0.97 - row / 100,
            # Of the last two no picture was kept, and the third has no clear example of its class.
            "jpeg": jpeg_of(drawn_picture((row + 1) % n_classes, 500 + row)) if row < 24 else b"",
            "jpeg_like_label": jpeg_of(drawn_picture(row % n_classes, 1)) if row < 24 and row != 2 else b"",
            "jpeg_like_suggested": jpeg_of(drawn_picture((row + 1) % n_classes, 2)) if row < 24 else b"",
        }
        for row in range(n)
    ]
    texts = [(name, pa.string()) for name in ("id", "part", "label", "suggested")]
    numbers = [(name, pa.float64()) for name in ("p_label", "p_suggested")]
    pictures = [(name, pa.binary()) for name in ("jpeg", "jpeg_like_label", "jpeg_like_suggested")]
    schema = pa.schema([*texts, *numbers, *pictures])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "suspects.parquet")


def _environment(name: str) -> dict[str, Any]:
    return {
        "heldout": "0.1.0",
        "python": "3.11.7",
        "platform": "Linux-6.1-x86_64",
        "cpu": "Example CPU @ 2.1 GHz",
        "n_cores": 2,
        "device": "cpu",
        "engine": "openvino bf16",
        "precision": "float64",
        "packages": {"numpy": "2.4.6", "openvino": "2026.1", "pillow": "13.0.0"},
        "command": f"heldout train photos --regime frozen --name {name} --set 'data.seed=7'",
        "started": "2026-11-22T08:15:02+00:00",
        "seconds": {"look at the pictures": 0.62, "compute features": 2.41, "fit the head": 0.3, "measure": 0.21},
        "fingerprints": {
            key: hashlib.sha256(key.encode()).hexdigest()
            for key in ("initial_weights", "final_weights", "split", "test")
        },
    }


def drawn_picture(label: int, seed: int, size: tuple[int, int] = (128, 96)) -> Image.Image:
    """A small flower whose colour and number of petals tell its class."""
    generator = np.random.default_rng([label, seed])
    ground = (60 + int(generator.integers(60)), 110 + int(generator.integers(60)), 60 + int(generator.integers(50)))
    image = Image.new("RGB", size, ground)
    draw = ImageDraw.Draw(image)
    hue = (97 * label + int(generator.integers(20))) % 256
    petal = ImageColor.getrgb(f"hsv({hue * 360 // 256},75%,92%)")
    x, y = size[0] * generator.uniform(0.4, 0.6), size[1] * generator.uniform(0.4, 0.6)
    for turn in np.linspace(0, 2 * np.pi, 5 + label % 6, endpoint=False):
        at = (x + 22 * np.cos(turn), y + 22 * np.sin(turn))
        draw.ellipse((at[0] - 14, at[1] - 14, at[0] + 14, at[1] + 14), fill=petal)
    draw.ellipse((x - 11, y - 11, x + 11, y + 11), fill=(240, 215, 120))
    return image


def jpeg_of(image: Image.Image) -> bytes:
    """The picture as JPEG bytes."""
    target = io.BytesIO()
    image.save(target, "JPEG", quality=80)
    return target.getvalue()


def _write_thumbnails(folder: Path, part: str, answers: Predictions, train: Int[np.ndarray, " train"]) -> None:
    classes = answers.classes
    choice = choose_pictures(
        answers.ids,
        answers.labels,
        predicted=answers.predicted,
        confidence=answers.confidence,
        n_classes=len(classes),
    )
    row_of = {name: row for row, name in enumerate(answers.ids)}
    rows: list[dict[str, Any]] = []
    for name in choice.ids:
        row = row_of[name]
        label = int(answers.labels[row])
        image = drawn_picture(label, row, (128, 96) if row % 3 else (90, 128))
        rows.append({"id": name, "part": part, "label": classes[label], "jpeg": jpeg_of(image), "seen": None})
    train_ids = [f"train/photo_{row:05d}.jpg" for row in range(len(train))]
    for name in choose_samples(train_ids, train, n_classes=len(classes)):
        row = int(name[-9:-4])
        image = drawn_picture(int(train[row]), 10_000 + row)
        seen = jpeg_of(image.crop((16, 0, 112, 96)))
        label_name = classes[int(train[row])]
        rows.append({"id": name, "part": "train", "label": label_name, "jpeg": jpeg_of(image), "seen": seen})
    texts = [(name, pa.string()) for name in ("id", "part", "label")]
    schema = pa.schema([*texts, ("jpeg", pa.binary()), ("seen", pa.binary())])
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / "thumbnails.parquet")


def _write_curves(folder: Path, *, by_epochs: bool) -> None:
    if by_epochs:
        columns: dict[str, list[Any]] = {"epoch": list(range(1, 21))}
        progress = np.arange(20) / 19
        columns["learning_rate"] = (0.01 * (1 - progress)).tolist()
        columns["train_loss"] = (1.5 * np.exp(-4 * progress) + 0.03).tolist()
        columns["validation_loss"] = (1.4 * np.exp(-4 * progress) + 0.28 + 0.12 * progress**2).tolist()
        accuracy = 0.45 + 0.46 * (1 - np.exp(-5 * progress))
        columns["validation_accuracy"] = accuracy.tolist()
        columns["validation_accuracy_low"] = (accuracy - 0.06).tolist()
        columns["validation_accuracy_high"] = np.minimum(accuracy + 0.05, 1).tolist()
        columns["n_validation"] = [150] * 20
        columns["pictures_per_second"] = [61.2] * 20
        columns["seconds"] = [5.4] * 20
        columns["best"] = [epoch == 14 for epoch in range(1, 21)]
        _write_csv(folder / "history.csv", columns)
        return
    strength = np.logspace(-6, 1, 15)
    place = np.arange(15) / 14
    columns = {
        "l2": strength.tolist(),
        "train_loss": (0.005 + 1.2 * place**3).tolist(),
        "validation_loss": (0.32 + 2.2 * (place - 0.55) ** 2).tolist(),
        "validation_accuracy": (0.93 - 0.3 * (place - 0.5) ** 2).tolist(),
        "chosen": [row == 8 for row in range(15)],
    }
    _write_csv(folder / "head_path.csv", columns)


def _write_csv(path: Path, columns: Mapping[str, list[Any]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, allow_nan=False))
