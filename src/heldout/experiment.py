"""The whole run, in the order in which the data flows.

    find the examples -> look at every one -> split, and seal the test part -> fit -> calibrate and decide on validation
    -> open the held-out part, once -> write everything down

Examples are pictures or the rows of a table; they differ in how they are looked at and in what a model reads of them.

Nothing before `open_heldout` sees a label of the test part; nothing after it chooses anything.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from heldout.bookkeeping import (
    column_facts_of,
    data_facts,
    model_facts,
    write_findings,
    write_predictions,
    write_split,
    write_suspects,
)
from heldout.data.examples import PARTS, Examples
from heldout.data.layouts.photos import find_photos
from heldout.data.sealed import LOG_NAME, HeldOut, count_openings, open_heldout, seal
from heldout.data.splits import make_split
from heldout.data.storage.remote import local_path
from heldout.data.tabular.tables import TableSource, find_table
from heldout.deciding import check_batches, check_decision
from heldout.devices import chosen_device
from heldout.errors import UsageError
from heldout.findings import Finding
from heldout.looks import look_at_examples
from heldout.manifest import MANIFEST
from heldout.plan import Plan
from heldout.plan_sections import ModelPlan, TableModelPlan
from heldout.provenance import Clock, Watcher, environment
from heldout.records import cache_folder, read_json, to_json, write_atomic
from heldout.scoring import AnyClassifier, Judging, Scored, score_baselines
from heldout.training.doubts import doubts_about_fit
from heldout.training.fitted import Fitted, Job
from heldout.training.fitting import fit
from heldout.training.materials import Materials, Part, gather_materials
from heldout.training.opening import save_classifier
from heldout.training.suspecting import Suspicion, doubt_about_labels, suspect_labels
from heldout.training.table_materials import TableMaterials


@dataclass(frozen=True)
class Prepared:
    """The data of a run, split and sealed.

    Attributes:
        materials: What a model learns from, as far as that takes a training part.
        train: What the classifier is fitted to.
        validation: What choices are made on.
        heldout: The sealed test part.
        findings: What weakens a score on this data.
        facts: Counts and layout, for scores.json.
        sha256s: Of every readable file, by id.
        clusters: By id, a number that is equal where examples must not be parted.
        leaked: Ids of test examples that have a copy in train or validation.
    """

    materials: Materials | TableMaterials
    train: Part
    validation: Part
    heldout: HeldOut
    findings: list[Finding]
    facts: dict[str, Any]
    sha256s: dict[str, str]
    clusters: dict[str, int]
    leaked: frozenset[str]

    @property
    def counts(self) -> Int[np.ndarray, " classes"]:
        """Training examples of each class."""
        return np.bincount(self.train.labels, minlength=len(self.train.examples.classes))

    def part(self, examples: Examples) -> Part:
        """Examples with the content of their files."""
        return Part(examples, tuple(self.sha256s[name] for name in examples.ids))

    def without_leaks(self, opened: Examples) -> Examples | None:
        """The test examples that have no copy in train or validation; None where that is none, or all of them."""
        kept = np.array([index for index, name in enumerate(opened.ids) if name not in self.leaked], dtype=np.int64)
        return None if len(kept) in (0, len(opened)) else opened.take(kept)

    def groups(self, examples: Examples) -> Int[np.ndarray, " examples"]:
        """One number an example, equal where examples must not be parted."""
        return np.array([self.clusters[name] for name in examples.ids], dtype=np.int64)


@dataclass(frozen=True)
class Finished:
    """A finished run: its folder, and what a report may want to show from it.

    Attributes:
        folder: Holds everything that is written down.
        train: The training part.
        validation: The validation part with its scores.
        test: The held-out part with its scores, opened.
        materials: The stores of pictures, features and thumbnails; or the rows.
        classifier: What was trained.
        seed: Of the run.
    """

    folder: Path
    train: Part
    validation: Scored
    test: Scored
    materials: Materials | TableMaterials
    classifier: AnyClassifier
    seed: int


def find_examples(plan: Plan) -> Examples:
    """The examples of a run, before any picture has been opened; of a table, the rows.

    Raises:
        DataError: There are no labelled examples.
        UsageError: The run would be written among the pictures, or what is to be decided does not suit the classes.
    """
    data = plan.data
    if data.target:
        examples = find_table(
            data.path,
            data.target,
            test=data.test or None,
            validation=data.validation or None,
            group_by=data.group_by,
            skip_bad=data.skip_bad,
        )
    else:
        examples = find_photos(data.path, data.group_by)
    check_decision(plan.decision, examples.classes)
    check_batches(plan, len(examples.classes))
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
    materials = open_materials(plan, examples, cache_folder(), clock)
    if plan.engine == "ray":
        assert isinstance(materials, Materials), "a table is trained here"
        with clock("look at the pictures on the cluster"):
            materials = looked_at_on_cluster(plan, examples, materials, watcher)
    with clock(f"look at the {examples.things}"):
        prepared = prepare(plan, examples, materials, folder, watcher)
        materials = prepared.materials
    with clock("fit"):
        job = job_of(plan)
        fitted = fit(job, prepared.train, prepared.validation, materials, folder=folder, watcher=watcher)
    suspicion = None
    if isinstance(materials, Materials):
        with clock("look for wrong labels"):
            suspicion = judge_labels(plan, prepared, fitted, materials, folder)
    write_findings(folder, [*prepared.findings, *doubts_about_fit(job, fitted), *doubt_about_labels(suspicion)])
    with clock("score validation"):
        judging = Judging(plan, materials, examples.classes, prepared.counts, prepared.groups)
        classifier, validation, curve = judging.calibrate(fitted.classifier, prepared.validation)
    with clock("write the model"):
        final = save_classifier(classifier, folder / "model", regime=plan.model.regime)
    with clock("score the held-out part"):
        log = folder / LOG_NAME
        opened = open_heldout(prepared.heldout, log=log, run=folder.name, why="score of the run", model=final)
        test = judging.score(classifier, prepared.part(opened), name="test")
        clean = prepared.without_leaks(opened)
        without_leaks = judging.score(classifier, prepared.part(clean), name="test") if clean else None
        baselines = score_baselines(prepared.train, test.part, materials, groups=prepared.groups(opened))
        imbalance = judging.about_decision(classifier.decision, curve, validation=validation, test=test)
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
        "imbalance": imbalance,
        "suspects": suspicion.as_dict() if suspicion else None,
        "data": prepared.facts | column_facts_of(materials) | {"test_openings": n_openings},
        "model": model_facts(plan, fitted, materials, folder),
    }
    write_atomic(folder / "scores.json", to_json(scores))
    return Finished(folder, prepared.train, validation, test, materials, classifier, plan.seed)


def job_of(plan: Plan, *, seed: int = 0) -> Job:
    """What is fitted, and how.

    Args:
        plan: Says it.
        seed: Is added to that of the plan.
    """
    return Job(
        plan.model.regime,
        plan.training,
        plan.seed + seed,
        workers=plan.workers,
        engine=plan.engine,
        imbalance=plan.imbalance,
        focal_gamma=plan.focal_gamma,
        hidden=plan.model.hidden if isinstance(plan.model, TableModelPlan) else (),
    )


def open_materials(plan: Plan, examples: Examples, cache: Path, clock: Clock) -> Materials | TableMaterials:
    """What a model learns from, before anything of it is known: the backbone and its stores, or the rows."""
    if isinstance(examples.source, TableSource):
        return TableMaterials(examples.source, chosen_device(plan.device), cache)
    with clock("open the backbone"):
        return open_backbone(plan, cache)


def open_backbone(plan: Plan, cache: Path) -> Materials:
    """The backbone of the plan with its weights, and the stores of what is known of pictures."""
    model = plan.model
    assert isinstance(model, ModelPlan), "a table has no backbone"
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
    assert isinstance(model, ModelPlan), "a table has no backbone"
    look_on_ray(
        examples.source,
        examples.ids,
        materials,
        model=(model.backbone, model.weights, model.regime, model.download),
        max_pixels=plan.data.max_pixels,
        watcher=watcher,
    )
    return open_backbone(plan, materials.cache)


def prepare(
    plan: Plan, examples: Examples, materials: Materials | TableMaterials, folder: Path, watcher: Watcher
) -> Prepared:
    """Look at every example, make what the split lacks, and seal the test part.

    Raises:
        UnreadablePictures: Some files are no usable pictures, and the plan does not say to skip them.
        DataError: The examples cannot be split as they must be.
    """
    look = look_at_examples(plan, examples, materials, watcher)
    examples = look.examples
    split = make_split(
        examples,
        seed=plan.seed,
        clusters=look.clusters,
        test_share=plan.data.test_share,
        validation_share=plan.data.validation_share,
    )
    write_split(folder, examples, split, look.sha256s)
    by_id = dict(zip(examples.ids, look.sha256s, strict=True))
    parts = [examples.take(split.indices(name)) for name in PARTS[:2]]
    contents = [tuple(map(look.sha256s.__getitem__, split.indices(name).tolist())) for name in PARTS[:2]]
    train, validation = (Part(part, sha256s) for part, sha256s in zip(parts, contents, strict=True))
    fitted = materials.fitted_to(train)
    findings = look.findings(split, fitted)
    write_findings(folder, findings)
    return Prepared(
        materials=fitted,
        train=train,
        validation=validation,
        heldout=seal(examples, split, look.sha256s),
        findings=findings,
        facts=data_facts(examples, split, look.n_left_out),
        sha256s=by_id,
        clusters=dict(zip(examples.ids, look.clusters.tolist(), strict=True)),
        leaked=frozenset(examples.ids[index] for index in np.flatnonzero(look.leaked(split))),
    )


def judge_labels(
    plan: Plan, prepared: Prepared, fitted: Fitted, materials: Materials, folder: Path
) -> Suspicion | None:
    """Which labels of train and validation look wrong, written into suspects.parquet.

    None where there are no pretrained features to judge by.
    """
    parts = {"train": prepared.train, "validation": prepared.validation}
    clusters = np.concatenate([prepared.groups(part.examples) for part in parts.values()])
    suspicion = suspect_labels(parts, materials, path=fitted.path, clusters=clusters, seed=plan.seed)
    if suspicion is not None:
        write_suspects(folder, suspicion, prepared.sha256s, materials.facts)
    return suspicion


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
