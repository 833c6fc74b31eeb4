"""A look at labelled pictures before anything is trained: counts, sizes, copies, doubts, samples, one page of all."""

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from heldout.bookkeeping import group_facts
from heldout.data.examples import PARTS, Examples
from heldout.data.layouts.photos import find_photos
from heldout.data.pictures.decoding import MAX_PIXELS, pictures_guarded, to_pixels
from heldout.data.pictures.survey import Survey
from heldout.data.storage.remote import name_of
from heldout.experiment import check_out
from heldout.findings import Finding, by_severity
from heldout.models.backbones import DEFAULT, find_backbone
from heldout.provenance import Silent, Watcher
from heldout.records import cache_folder, remove_strays, to_json, write_atomic
from heldout.reporting.check_page import check_page
from heldout.reporting.choose import choose_samples
from heldout.reporting.pairs import pair_record
from heldout.reporting.sections import SamplePicture, image_address
from heldout.reporting.thumbnails import normalised_view, seen_before, seen_by_network
from heldout.run_folders import fresh_folder
from heldout.training.classifier import fact_store, pixel_path
from heldout.training.judging import Kinship, judge, kinship
from heldout.training.looking import look_at
from heldout.training.stores import FactStore

_FILES = ("samples.png", "check.html", "check.json")  # in the order in which they are written
_TILE = 160  # side of one picture in the sample grid, pixels
_COLUMNS = 4  # pairs in a row of it


@dataclass(frozen=True)
class Check:
    """What a look at the data found.

    Attributes:
        examples: All of them, readable or not.
        survey: Facts of each, or why it is unreadable.
        kin: Which examples are near copies of each other.
        findings: What weakens a score on this data, gravest first.
        folder: Where check.html, check.json and the sample grid lie; None where nothing was written.
    """

    examples: Examples
    survey: Survey
    kin: Kinship
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
            "groups": group_facts(self.examples.groups),
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
            "pairs": pair_record(self.examples, self.survey, self.kin.pairs, clusters=self.kin.copies),
            "findings": [finding.as_dict() for finding in self.findings],
            "must_act": self.must_act,
            "page": str(self.folder / "check.html") if self.folder else None,
            "samples": str(self.folder / "samples.png") if self.folder else None,
        }


def check(
    data: str | Path,
    *,
    out: str | Path | None = "checks",
    backbone: str = DEFAULT,
    max_pixels: int = MAX_PIXELS,
    group_by: str = "",
    watcher: Watcher | None = None,
) -> Check:
    """Look at labelled pictures, all of them, and say what weakens a score on them.

    Args:
        data: As for `train`.
        out: Where a folder with check.html, check.json and samples.png is made; None writes nothing.
        backbone: Whose pixel path the samples show.
        max_pixels: Larger pictures are unreadable.
        group_by: A column of the listing, or a regular expression on the path, that names what must not be parted.
        watcher: Is told how it goes.

    Raises:
        UsageError: `out` lies among the pictures.
        DataError: There are no labelled pictures at `data`.
        StorageError: The disk refused.
    """
    watcher = watcher or Silent()
    known = find_backbone(backbone)
    examples = find_photos(data, group_by)
    if out is not None:
        check_out(Path(out), data)
    watcher.stage("look at the pictures")
    remove_strays(cache_folder())
    facts = fact_store(known, cache_folder())
    look = look_at(examples.source, examples.ids, [], facts, max_pixels=max_pixels, progress=watcher.progress)
    kin = kinship(examples, look.survey, facts)
    doubts = judge(examples, look.survey, facts, kin, split=None, group_by=group_by, seed=0)
    findings = tuple(by_severity(doubts))
    if out is None:
        return Check(examples, look.survey, kin, findings, None)
    with fresh_folder(Path(out), name_of(data) or "data", files=_FILES) as folder:
        found = Check(examples, look.survey, kin, findings, folder)
        content = found.as_dict()
        write_atomic(folder / "samples.png", sample_grid(examples, look.survey, backbone))
        write_atomic(folder / "check.html", _page(found, content, facts, backbone))
        write_atomic(folder / "check.json", to_json(content))
    return found


def counts(examples: Examples) -> dict[str, list[int]]:
    """Examples a class, for each part that the data has and for those that are free."""
    n_classes = len(examples.classes)
    by_part = {
        part: np.bincount(examples.labels[examples.given == number], minlength=n_classes).tolist()
        for number, part in ((-1, "free"), *enumerate(PARTS))
    }
    return {part: numbers for part, numbers in by_part.items() if any(numbers)}


def _page(found: Check, content: Mapping[str, Any], facts: FactStore, backbone: str) -> bytes:
    """check.html."""
    examples, survey = found.examples, found.survey
    path, cache = pixel_path(find_backbone(backbone)), cache_folder()

    def thumbnail(index: int) -> bytes | None:
        known = survey.facts[index]
        return facts.thumbnail(known.sha256) if known else None

    known_of = dict(zip(examples.ids, zip(examples.labels.tolist(), survey.facts, strict=True), strict=True))
    samples = []
    for name in _chosen(examples, survey):
        label, known = known_of[name]
        assert known is not None, f"{name} is unreadable and was chosen as a sample"
        original = image_address(facts.thumbnail(known.sha256))
        seen = seen_by_network(examples.source, name, known.sha256, path=path, cache=cache)
        if seen is not None:  # a file can go while we look
            samples.append(SamplePicture(name, examples.classes[label], original, image_address(seen)))
    title = found.folder.name if found.folder else "data"
    return check_page(content, examples, name=title, samples=samples, thumbnail=thumbnail)


def _chosen(examples: Examples, survey: Survey) -> tuple[str, ...]:
    """The ids of the readable pictures that stand for their classes."""
    readable = [index for index, facts in enumerate(survey.facts) if facts]
    ids = [examples.ids[index] for index in readable]
    return choose_samples(ids, examples.labels[readable], n_classes=len(examples.classes))


def sample_grid(examples: Examples, survey: Survey, backbone: str) -> bytes:
    """A PNG of some pictures a class, each as the eye sees it and beside it as the network does."""
    chosen = _chosen(examples, survey)
    path = pixel_path(find_backbone(backbone))
    n_rows = max(1, -(-len(chosen) // _COLUMNS))
    sheet = Image.new("RGB", (_COLUMNS * (2 * _TILE + 20) + 20, n_rows * (_TILE + 44) + 20), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    label_of = {name: examples.classes[label] for name, label in zip(examples.ids, examples.labels, strict=True)}
    sha256_of = {name: known.sha256 for name, known in zip(examples.ids, survey.facts, strict=True) if known}
    with pictures_guarded():
        for number, name in enumerate(chosen):
            image = seen_before(examples.source, name, sha256_of[name], path=path)
            if image is None:
                continue  # the file has gone while we looked at others
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
