"""The whole run, in the order in which the data flows.

    find the photos -> look at every one -> split, and seal the test part -> fit -> calibrate on validation
    -> open the held-out part, once -> write everything down

Nothing before `open_heldout` sees a label of the test part; nothing after it chooses anything.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from heldout.bookkeeping import data_facts, model_facts, write_findings, write_predictions, write_split
from heldout.data.examples import PARTS, Examples
from heldout.data.photos import find_photos
from heldout.data.problems import find_problems
from heldout.data.sealed import LOG_NAME, HeldOut, count_openings, open_heldout, seal
from heldout.data.splits import make_split
from heldout.data.survey import Survey
from heldout.devices import chosen_device
from heldout.errors import UnreadablePictures, UsageError
from heldout.findings import Finding
from heldout.measuring.baselines import majority, nearest_centroid
from heldout.measuring.calibration import fit_temperature
from heldout.measuring.predictions import Predictions
from heldout.measuring.summary import Summary, summarise
from heldout.plan import Plan
from heldout.provenance import Clock, Silent, Watcher, environment
from heldout.randomness import stream
from heldout.records import cache_folder, fresh_run_folder, to_json, write_atomic
from heldout.training.classifier import Classifier, logits_of, save
from heldout.training.doubts import doubts_about_fit
from heldout.training.fitted import Job
from heldout.training.fitting import fit
from heldout.training.looking import look_at
from heldout.training.materials import Materials, Part, gather_materials


@dataclass(frozen=True)
class Prepared:
    """The data of a run, split and sealed.

    Attributes:
        train: What the classifier is fitted to.
        validation: What choices are made on.
        heldout: The sealed test part.
        findings: What weakens a score on this data.
        facts: Counts and layout, for scores.json.
        sha256s: Of every readable file, by id.
    """

    train: Part
    validation: Part
    heldout: HeldOut
    findings: list[Finding]
    facts: dict[str, Any]
    sha256s: dict[str, str]

    def part(self, examples: Examples) -> Part:
        """Examples with the content of their files."""
        return Part(examples, tuple(self.sha256s[name] for name in examples.ids))


@dataclass(frozen=True)
class Scored:
    """One part with the classifier's answers and every number that follows from them."""

    part: Part
    predictions: Predictions
    summary: Summary


@dataclass(frozen=True)
class Finished:
    """A finished run: its folder, and what a report may want to show from it.

    Attributes:
        folder: Holds everything that is written down.
        train: The training part.
        test: The held-out part with its scores, opened.
        materials: The stores of pictures, features and thumbnails.
    """

    folder: Path
    train: Part
    test: Scored
    materials: Materials


def train(plan: Plan, *, command: str = "", watcher: Watcher | None = None) -> Finished:
    """Train as planned, open the held-out part once, and write everything down.

    Args:
        plan: What to do.
        command: The command that makes the run again, for its records.
        watcher: Is told how it goes.

    Raises:
        HeldoutError: The data, the weights or the disk do not allow it; nothing of the run is left then, except
            the history of a training that diverged.
    """
    watcher = watcher or Silent()
    clock = Clock(watcher)
    cache, record = cache_folder(), environment(command)
    with clock("find the photos"):
        examples = find_photos(Path(plan.data.path))
        check_out(Path(plan.out), Path(plan.data.path))
    with fresh_run_folder(Path(plan.out), plan.name, keep_if="history.csv") as folder:
        write_atomic(folder / "plan.toml", plan.to_toml().encode())
        with clock("open the backbone"):
            materials = open_backbone(plan, cache)
        with clock("look at the pictures"):
            prepared = prepare(plan, examples, materials, folder, watcher)
        with clock("fit"):
            job = Job(plan.model.regime, plan.training, plan.seed)
            fitted = fit(job, prepared.train, prepared.validation, materials, folder=folder, watcher=watcher)
        write_findings(folder, [*prepared.findings, *doubts_about_fit(job, fitted)])
        with clock("score validation"):
            classifier, validation = calibrate(plan, fitted.classifier, prepared.validation, materials)
        with clock("write the model"):
            final = save(classifier, folder / "model", regime=plan.model.regime)
        with clock("score the held-out part"):
            opened = open_heldout(prepared.heldout, log=folder / LOG_NAME, run=folder.name, why="score of the run")
            test = score(plan, classifier, prepared.part(opened), materials, "test")
            baselines = score_baselines(prepared.train, test.part, materials)
        n_openings = count_openings(folder.parent.iterdir(), prepared.heldout.fingerprint)
        write_predictions(folder, {"validation": validation.predictions, "test": test.predictions})
        fingerprints = {
            "initial_weights": fitted.initial,
            "final_weights": final,
            "test": prepared.heldout.fingerprint,
        }
        where = {"device": materials.device, "engine": materials.engine_words, "precision": fitted.precision}
        record |= where | {"fingerprints": fingerprints, "seconds": clock.seconds}
        write_atomic(folder / "environment.json", to_json(record))
        scores = {
            "format": 1,
            "test": test.summary.as_dict(),
            "validation": validation.summary.as_dict(),
            "baselines": baselines,
            "data": prepared.facts | {"test_openings": n_openings},
            "model": model_facts(plan, fitted, materials, folder),
        }
        write_atomic(folder / "scores.json", to_json(scores))  # last: its presence says that the run is whole
    return Finished(folder, prepared.train, test, materials)


def open_backbone(plan: Plan, cache: Path) -> Materials:
    """The backbone of the plan with its weights, and the stores of what is known of pictures."""
    model = plan.model
    return gather_materials(
        model.backbone,
        weights=model.weights,
        regime=model.regime,
        download=model.download,
        cache=cache,
        device=chosen_device(plan.device),
    )


def prepare(plan: Plan, examples: Examples, materials: Materials, folder: Path, watcher: Watcher) -> Prepared:
    """Look at every picture, make what the split lacks, and seal the test part.

    Raises:
        UnreadablePictures: Some files are no usable pictures, and the plan does not say to skip them.
        DataError: The examples cannot be split as they must be.
    """
    look = look_at(
        examples.root,
        examples.ids,
        list(materials.products.values()),
        materials.facts,
        max_pixels=plan.data.max_pixels,
        progress=watcher.progress,
    )
    survey = look.survey
    if survey.unreadable and not plan.data.skip_bad:
        raise UnreadablePictures(survey.unreadable, n_examples=len(examples))
    if survey.unreadable:
        readable = np.flatnonzero([facts is not None for facts in survey.facts])
        examples = examples.take(readable)
        survey = Survey(tuple(survey.facts[index] for index in readable), survey.unreadable)
    split = make_split(
        examples,
        seed=plan.seed,
        clusters=same_pixels(survey),
        test_share=plan.data.test_share,
        validation_share=plan.data.validation_share,
    )
    sha256s = [facts.sha256 for facts in survey.facts if facts]
    write_split(folder, examples, split, sha256s)
    findings = find_problems(examples, survey, split)
    write_findings(folder, findings)
    by_id = dict(zip(examples.ids, sha256s, strict=True))
    parts = [examples.take(split.indices(name)) for name in PARTS[:2]]
    train, validation = (Part(part, tuple(by_id[name] for name in part.ids)) for part in parts)
    return Prepared(
        train=train,
        validation=validation,
        heldout=seal(examples, split, sha256s),
        findings=findings,
        facts=data_facts(examples, split, survey),
        sha256s=by_id,
    )


def calibrate(plan: Plan, classifier: Classifier, part: Part, materials: Materials) -> tuple[Classifier, Scored]:
    """The classifier with the temperature that fits the validation part, and its scores there."""
    logits = logits_of(classifier, materials.features_by(classifier.backbone, part))
    classifier = replace(classifier, temperature=fit_temperature(logits, part.labels))
    return classifier, score(plan, classifier, part, materials, "validation")


def score(plan: Plan, classifier: Classifier, part: Part, materials: Materials, name: str) -> Scored:
    """Every number of one part."""
    logits = logits_of(classifier, materials.features_by(classifier.backbone, part))
    predictions = Predictions(part.examples.ids, part.labels, logits, part.examples.classes)
    generator = stream(plan.seed, "bootstrap", PARTS.index(name))
    summary = summarise(predictions, temperature=classifier.temperature, generator=generator)
    return Scored(part, predictions.with_temperature(classifier.temperature), summary)


def check_out(out: Path, data: Path) -> None:
    """Refuse to write the run among the pictures, where the next run would take it for a class.

    Raises:
        UsageError: `out` lies in the folder of the pictures, or is it.
    """
    if data.is_dir() and out.resolve().is_relative_to(data.resolve()):
        raise UsageError(
            f"the run would be written to {str(out)!r}, which lies in the data {str(data)!r}",
            expected="an output folder outside the folder of the pictures",
            fix="choose another place with --out, such as --out ../runs",
        )


def same_pixels(survey: Survey) -> Int[np.ndarray, " examples"]:
    """One number an example, equal where the pictures are equal pixel by pixel: clusters that no split may part."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(facts.pixels if facts else "", len(numbers)) for facts in survey.facts])


def score_baselines(train: Part, test: Part, materials: Materials) -> dict[str, Any]:
    """What anyone could have had for nothing: the majority class, and the nearest mean of pretrained features."""
    scores: dict[str, Any] = {
        "majority": majority(train.labels, test.labels, len(train.examples.classes)).as_dict(),
        "nearest_centroid": None,
    }
    if materials.pretrained is not None:
        train_features, features = (materials.rows("features", part).all() for part in (train, test))
        nearest = nearest_centroid(train_features, train.labels, features, test.labels)
        scores["nearest_centroid"] = nearest.as_dict()
    return scores
