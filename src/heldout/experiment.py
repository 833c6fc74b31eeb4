"""The whole run, in the order in which the data flows.

    find the photos -> look at every one -> split, and seal the test part -> fit -> calibrate on validation
    -> open the held-out part, once -> write everything down

Nothing before `open_heldout` sees a label of the test part; nothing after it chooses anything.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from heldout.bookkeeping import data_facts, model_facts, write_findings, write_predictions, write_split, write_suspects
from heldout.data.examples import PARTS, Examples
from heldout.data.near_problems import leaked
from heldout.data.photos import find_photos
from heldout.data.remote import local_path
from heldout.data.sealed import LOG_NAME, HeldOut, count_openings, open_heldout, seal
from heldout.data.splits import make_split
from heldout.data.survey import Survey
from heldout.devices import chosen_device
from heldout.errors import UnreadablePictures, UsageError
from heldout.findings import Finding
from heldout.manifest import MANIFEST
from heldout.measuring.baselines import majority, nearest_centroid
from heldout.measuring.calibration import fit_temperature
from heldout.measuring.predictions import Predictions
from heldout.measuring.summary import Summary, summarise
from heldout.plan import Plan
from heldout.provenance import Clock, Watcher, environment
from heldout.randomness import stream
from heldout.records import cache_folder, read_json, to_json, write_atomic
from heldout.training.classifier import Classifier, logits_of, save
from heldout.training.doubts import doubts_about_fit
from heldout.training.fitted import Fitted, Job
from heldout.training.fitting import fit
from heldout.training.judging import judge, kinship
from heldout.training.looking import look_at
from heldout.training.materials import Materials, Part, gather_materials
from heldout.training.suspecting import Suspicion, doubt_about_labels, suspect_labels


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
        clusters: By id, a number that is equal where examples must not be parted.
        leaked: Ids of test examples that have a copy in train or validation.
    """

    train: Part
    validation: Part
    heldout: HeldOut
    findings: list[Finding]
    facts: dict[str, Any]
    sha256s: dict[str, str]
    clusters: dict[str, int]
    leaked: frozenset[str]

    def part(self, examples: Examples) -> Part:
        """Examples with the content of their files."""
        return Part(examples, tuple(self.sha256s[name] for name in examples.ids))

    def groups(self, examples: Examples) -> Int[np.ndarray, " examples"]:
        """One number an example, equal where examples must not be parted."""
        return np.array([self.clusters[name] for name in examples.ids], dtype=np.int64)


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


def find_examples(plan: Plan) -> Examples:
    """The examples of a run, before any picture has been opened.

    Raises:
        DataError: There are no labelled pictures.
        UsageError: The run would be written among the pictures.
    """
    examples = find_photos(plan.data.path, plan.data.group_by)
    check_out(Path(plan.out), plan.data.path)
    return examples


def first_files(plan: Plan, command: str) -> dict[str, bytes]:
    """What a run folder holds from its first moment, so that the run can be taken up however early it is killed.

    Args:
        plan: What is to be done.
        command: The command that makes the run again.
    """
    text = plan.to_toml().encode()
    record = environment(command)
    record |= {"working_folder": str(Path.cwd()), "plan_sha256": hashlib.sha256(text).hexdigest()}
    return {"plan.toml": text, "environment.json": to_json(record)}


def train(plan: Plan, examples: Examples, *, folder: Path, clock: Clock, watcher: Watcher) -> Finished:
    """Train as planned, open the held-out part once, and write everything down.

    What a run that was killed had done already is not done again: pictures that were looked at are known, training
    goes on from its last checkpoint, and an opening that was logged is the same opening. All else is a function of
    the plan and the data, and comes out the same.

    Args:
        plan: What to do.
        examples: As `find_examples` gives them.
        folder: The run folder, with its `first_files`.
        clock: Times the stages.
        watcher: Is told how it goes.

    Raises:
        HeldoutError: The data, the weights or the disk do not allow it.
    """
    cache = cache_folder()
    with clock("open the backbone"):
        materials = open_backbone(plan, cache)
    if plan.engine == "ray":
        with clock("look at the pictures on the cluster"):
            materials = looked_at_on_cluster(plan, examples, materials, watcher)
    with clock("look at the pictures"):
        prepared = prepare(plan, examples, materials, folder, watcher)
    with clock("fit"):
        job = Job(plan.model.regime, plan.training, plan.seed, workers=plan.workers, engine=plan.engine)
        fitted = fit(job, prepared.train, prepared.validation, materials, folder=folder, watcher=watcher)
    with clock("look for wrong labels"):
        suspicion = judge_labels(plan, prepared, fitted, materials)
        if suspicion is not None:
            write_suspects(folder, suspicion, prepared.sha256s, materials.facts)
    write_findings(folder, [*prepared.findings, *doubts_about_fit(job, fitted), *doubt_about_labels(suspicion)])
    with clock("score validation"):
        groups = prepared.groups(prepared.validation.examples)
        classifier, validation = calibrate(plan, fitted.classifier, prepared.validation, materials, groups=groups)
    with clock("write the model"):
        final = save(classifier, folder / "model", regime=plan.model.regime)
    with clock("score the held-out part"):
        log = folder / LOG_NAME
        opened = open_heldout(prepared.heldout, log=log, run=folder.name, why="score of the run", model=final)
        groups = prepared.groups(opened)
        test = score(plan, classifier, prepared.part(opened), materials, name="test", groups=groups)
        without_leaks = score_without_leaks(plan, classifier, prepared, opened, materials)
        baselines = score_baselines(prepared.train, test.part, materials, groups=groups)
    n_openings = count_openings(folder.parent.iterdir(), prepared.heldout.fingerprint)
    write_predictions(folder, {"validation": validation.predictions, "test": test.predictions})
    fingerprints = {"initial_weights": fitted.initial, "final_weights": final, "test": prepared.heldout.fingerprint}
    where = {"device": materials.device, "engine": materials.engine_words, "precision": fitted.precision}
    record = read_json(folder / "environment.json") | where
    record |= {"fingerprints": fingerprints, "seconds": clock.seconds, "saving_seconds": fitted.checkpoint_seconds}
    write_atomic(folder / "environment.json", to_json(record))
    scores = {
        "format": 1,
        "manifest": MANIFEST,
        "test": test.summary.as_dict(),
        "test_without_leaks": without_leaks.summary.as_dict() if without_leaks else None,
        "validation": validation.summary.as_dict(),
        "baselines": baselines,
        "suspects": suspicion.as_dict() if suspicion else None,
        "data": prepared.facts | {"test_openings": n_openings},
        "model": model_facts(plan, fitted, materials, folder),
    }
    write_atomic(folder / "scores.json", to_json(scores))
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


def looked_at_on_cluster(plan: Plan, examples: Examples, materials: Materials, watcher: Watcher) -> Materials:
    """The backbone, and the stores with what the workers of a Ray cluster have made of every picture.

    Raises:
        MissingExtra: Ray is not installed.
        HeldoutError: The cluster is not there, or will not do.
    """
    from heldout.training.on_ray import look_on_ray

    model = plan.model
    look_on_ray(
        examples.source,
        examples.ids,
        materials,
        model=(model.backbone, model.weights, model.regime, model.download),
        max_pixels=plan.data.max_pixels,
        watcher=watcher,
    )
    return open_backbone(plan, materials.cache)


def prepare(plan: Plan, examples: Examples, materials: Materials, folder: Path, watcher: Watcher) -> Prepared:
    """Look at every picture, make what the split lacks, and seal the test part.

    Raises:
        UnreadablePictures: Some files are no usable pictures, and the plan does not say to skip them.
        DataError: The examples cannot be split as they must be.
    """
    look = look_at(
        examples.source,
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
    kin = kinship(examples, survey, materials.facts)
    split = make_split(
        examples,
        seed=plan.seed,
        clusters=kin.clusters,
        test_share=plan.data.test_share,
        validation_share=plan.data.validation_share,
    )
    sha256s = [facts.sha256 for facts in survey.facts if facts]
    write_split(folder, examples, split, sha256s)
    findings = judge(examples, survey, materials.facts, kin, split=split, group_by=plan.data.group_by, seed=plan.seed)
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
        clusters=dict(zip(examples.ids, kin.clusters.tolist(), strict=True)),
        leaked=frozenset(examples.ids[index] for index in np.flatnonzero(leaked(split.parts, kin.pairs, part="test"))),
    )


def judge_labels(plan: Plan, prepared: Prepared, fitted: Fitted, materials: Materials) -> Suspicion | None:
    """Which labels of train and validation look wrong; None where there are no pretrained features to judge by."""
    parts = {"train": prepared.train, "validation": prepared.validation}
    clusters = np.concatenate([prepared.groups(part.examples) for part in parts.values()])
    return suspect_labels(parts, materials, path=fitted.path, clusters=clusters, seed=plan.seed)


def calibrate(
    plan: Plan, classifier: Classifier, part: Part, materials: Materials, *, groups: Int[np.ndarray, " examples"]
) -> tuple[Classifier, Scored]:
    """The classifier with the temperature that fits the validation part, and its scores there."""
    logits = logits_of(classifier, materials.features_by(classifier.backbone, part))
    classifier = replace(classifier, temperature=fit_temperature(logits, part.labels))
    return classifier, score(plan, classifier, part, materials, name="validation", groups=groups)


def score(
    plan: Plan,
    classifier: Classifier,
    part: Part,
    materials: Materials,
    *,
    name: str,
    groups: Int[np.ndarray, " examples"],
) -> Scored:
    """Every number of one part."""
    logits = logits_of(classifier, materials.features_by(classifier.backbone, part))
    predictions = Predictions(part.examples.ids, part.labels, logits, part.examples.classes)
    generator = stream(plan.seed, "bootstrap", PARTS.index(name))
    summary = summarise(predictions, temperature=classifier.temperature, generator=generator, groups=groups)
    return Scored(part, predictions.with_temperature(classifier.temperature), summary)


def score_without_leaks(
    plan: Plan, classifier: Classifier, prepared: Prepared, opened: Examples, materials: Materials
) -> Scored | None:
    """The numbers of the test part without what has a copy in train or validation; None where nothing has, or all."""
    kept = np.array([index for index, name in enumerate(opened.ids) if name not in prepared.leaked], dtype=np.int64)
    if len(kept) in (0, len(opened)):
        return None
    clean = opened.take(kept)
    groups = prepared.groups(clean)
    return score(plan, classifier, prepared.part(clean), materials, name="test", groups=groups)


def check_out(out: Path, data: str | Path) -> None:
    """Refuse to write the run among the pictures, where the next run would take it for a class.

    Raises:
        UsageError: `out` lies in the folder of the pictures, or is it.
    """
    path = local_path(data)
    if path and path.is_dir() and out.resolve().is_relative_to(path.resolve()):
        raise UsageError(
            f"the run would be written to {str(out)!r}, which lies in the data {str(data)!r}",
            expected="an output folder outside the folder of the pictures",
            fix="choose another place with --out, such as --out ../runs",
        )


def score_baselines(
    train: Part, test: Part, materials: Materials, *, groups: Int[np.ndarray, " examples"]
) -> dict[str, Any]:
    """What anyone could have had for nothing: the majority class, and the nearest mean of pretrained features."""
    scores: dict[str, Any] = {
        "majority": majority(train.labels, test.labels, len(train.examples.classes), groups=groups).as_dict(),
        "nearest_centroid": None,
    }
    if materials.pretrained is not None:
        train_features, features = (materials.rows("features", part).all() for part in (train, test))
        nearest = nearest_centroid(train_features, train.labels, features, test.labels, groups=groups)
        scores["nearest_centroid"] = nearest.as_dict()
    return scores
