"""A look at labelled pictures before anything is trained: counts, sizes, copies, doubts, and a grid of samples."""

import io
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from heldout.data.decoding import MAX_PIXELS, decode, pictures_guarded, to_pixels
from heldout.data.examples import PARTS, Examples
from heldout.data.photos import find_photos
from heldout.data.problems import find_problems
from heldout.data.survey import Survey, read_file
from heldout.experiment import check_out
from heldout.findings import Finding, by_severity
from heldout.models.backbones import DEFAULT, find_backbone
from heldout.provenance import Silent, Watcher
from heldout.records import cache_folder, fresh_run_folder, to_json, write_atomic
from heldout.reporting.choose import choose_samples
from heldout.reporting.thumbnails import normalised_view
from heldout.training.classifier import fact_store, pixel_path
from heldout.training.looking import look_at

_TILE = 160  # side of one picture in the sample grid, pixels
_COLUMNS = 4  # pairs in a row of it


@dataclass(frozen=True)
class Check:
    """What a look at the data found.

    Attributes:
        examples: All of them, readable or not.
        survey: Facts of each, or why it is unreadable.
        findings: What weakens a score on this data, gravest first.
        folder: Where the sample grid and check.json lie; None where nothing was written.
    """

    examples: Examples
    survey: Survey
    findings: tuple[Finding, ...]
    folder: Path | None

    @property
    def must_act(self) -> bool:
        """Whether something must be mended before a score can be trusted."""
        return bool(self.survey.unreadable) or any(finding.severity == "error" for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        facts = [known for known in self.survey.facts if known]
        sides = np.array([(known.width, known.height) for known in facts]).reshape(-1, 2)
        return {
            "n": len(self.examples),
            "layout": self.examples.layout,
            "classes": list(self.examples.classes),
            "counts": counts(self.examples),
            "sizes": {
                "smallest": sides.min(axis=0).tolist() if len(sides) else None,
                "median": np.median(sides, axis=0).astype(int).tolist() if len(sides) else None,
                "largest": sides.max(axis=0).tolist() if len(sides) else None,
                "n_different": len(np.unique(sides, axis=0)),
            },
            "modes": dict(Counter(known.mode for known in facts).most_common()),
            "formats": dict(Counter(known.format for known in facts).most_common()),
            "unreadable": [{"id": bad.id, "reason": bad.reason} for bad in self.survey.unreadable],
            "passed_over": [{"name": thing.name, "reason": thing.reason} for thing in self.examples.passed_over],
            "findings": [finding.as_dict() for finding in self.findings],
            "must_act": self.must_act,
            "samples": str(self.folder / "samples.png") if self.folder else None,
        }


def check(
    data: str | Path,
    *,
    out: str | Path | None = "checks",
    backbone: str = DEFAULT,
    max_pixels: int = MAX_PIXELS,
    watcher: Watcher | None = None,
) -> Check:
    """Look at labelled pictures, all of them, and say what weakens a score on them.

    Args:
        data: As for `train`.
        out: Where a folder with check.json and samples.png is made; None writes nothing.
        backbone: Whose pixel path the sample grid shows.
        max_pixels: Larger pictures are unreadable.
        watcher: Is told how it goes.

    Raises:
        UsageError: `out` lies among the pictures.
        DataError: There are no labelled pictures at `data`.
        StorageError: The disk refused.
    """
    watcher = watcher or Silent()
    known = find_backbone(backbone)
    examples = find_photos(Path(data))
    if out is not None:
        check_out(Path(out), Path(data))
    watcher.stage("look at the pictures")
    facts = fact_store(known, cache_folder())
    look = look_at(examples.root, examples.ids, [], facts, max_pixels=max_pixels, progress=watcher.progress)
    findings = tuple(by_severity(find_problems(examples, look.survey, None)))
    if out is None:
        return Check(examples, look.survey, findings, None)
    name = Path(data).resolve().stem.strip(".") or "data"
    with fresh_run_folder(Path(out), name[:60], keep_if="check.json") as folder:
        found = Check(examples, look.survey, findings, folder)
        write_atomic(folder / "samples.png", sample_grid(examples, look.survey, backbone))
        write_atomic(folder / "check.json", to_json(found.as_dict()))
    return found


def counts(examples: Examples) -> dict[str, list[int]]:
    """Examples a class, for each part that the data has and for those that are free."""
    n_classes = len(examples.classes)
    by_part = {
        part: np.bincount(examples.labels[examples.given == number], minlength=n_classes).tolist()
        for number, part in ((-1, "free"), *enumerate(PARTS))
    }
    return {part: numbers for part, numbers in by_part.items() if any(numbers)}


def sample_grid(examples: Examples, survey: Survey, backbone: str) -> bytes:
    """A PNG of some pictures a class, each as the eye sees it and beside it as the network does."""
    readable = [index for index, facts in enumerate(survey.facts) if facts]
    ids = [examples.ids[index] for index in readable]
    chosen = choose_samples(ids, examples.labels[readable], n_classes=len(examples.classes))
    path = pixel_path(find_backbone(backbone))
    n_rows = max(1, -(-len(chosen) // _COLUMNS))
    sheet = Image.new("RGB", (_COLUMNS * (2 * _TILE + 20) + 20, n_rows * (_TILE + 44) + 20), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    label_of = {name: examples.classes[label] for name, label in zip(examples.ids, examples.labels, strict=True)}
    with pictures_guarded():
        for number, name in enumerate(chosen):
            image = decode(read_file(examples.root / name)[0], short_side=path.resize).image
            left, top = 20 + number % _COLUMNS * (2 * _TILE + 20), 20 + number // _COLUMNS * (_TILE + 44)
            whole = image.copy()
            whole.thumbnail((_TILE, _TILE))
            sheet.paste(whole, (left + (_TILE - whole.width) // 2, top + (_TILE - whole.height) // 2))
            seen = normalised_view(to_pixels(image, path), path).resize((_TILE, _TILE))
            sheet.paste(seen, (left + _TILE + 4, top))
            draw.text((left, top + _TILE + 3), f"{label_of[name][:40]}", fill="black", font=font)
            draw.text((left, top + _TILE + 19), "original", fill="#666666", font=font)
            draw.text((left + _TILE + 4, top + _TILE + 19), "as the network sees it", fill="#666666", font=font)
    out = io.BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()
