"""A run and new labelled data -> its scores there, with the doubts that go with them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from heldout.bookkeeping import group_facts, groups_learned_from, n_in_split, part_of_content
from heldout.data.examples import PARTS, Examples, some_of
from heldout.data.groups import group_numbers, group_problems, joined
from heldout.data.layouts.photos import find_photos
from heldout.data.storage.remote import without_secrets
from heldout.data.tabular.table_problems import row_clusters
from heldout.data.tabular.tables import TableSource, find_table, table_of
from heldout.deciding import positive_of
from heldout.devices import chosen_device
from heldout.errors import DataError, UnreadablePictures, UsageError, nearest, one_of
from heldout.findings import MAX_NAMED, Finding, by_severity
from heldout.manifest import renew_manifest
from heldout.measuring.predictions import Predictions
from heldout.measuring.summary import Summary, summarise
from heldout.plan import plan_of
from heldout.provenance import Silent, Watcher
from heldout.randomness import stream
from heldout.records import append_line, cache_folder, read_json
from heldout.run_folders import ALWAYS_CHECKED, run_folder
from heldout.scoring import AnyClassifier
from heldout.training.classifier import ask, fact_store
from heldout.training.judging import kinship
from heldout.training.opening import open_classifier
from heldout.training.row_classifier import RowClassifier

LOG_NAME = "openings.jsonl"  # as data.sealed writes it, which only a run may import
# The files of the run that are read here, which must be those that were written.
CHECKED = (*ALWAYS_CHECKED, "split.parquet", "environment.json", LOG_NAME)


@dataclass(frozen=True)
class Evaluation:
    """The scores of a run on labelled data.

    Attributes:
        predictions: The answers, example by example.
        summary: Every number with its interval.
        findings: What weakens them.
        n_left_out: Unreadable files that were skipped.
        groups: The name of each example's group, empty where it has none; empty without `group_by`.
        things: What the examples are called.
    """

    predictions: Predictions
    summary: Summary
    findings: tuple[Finding, ...]
    n_left_out: int
    groups: tuple[str, ...] = ()
    things: str = "pictures"

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {
            "summary": self.summary.as_dict(),
            "findings": [finding.as_dict() for finding in self.findings],
            "n_left_out": self.n_left_out,
            "things": self.things,
            "groups": group_facts(self.groups),
        }


def evaluate(
    run: str | Path,
    data: str | Path,
    *,
    part: str = "",
    skip_bad: bool = False,
    group_by: str = "",
    device: str = "auto",
    watcher: Watcher | None = None,
) -> Evaluation:
    """The scores of a finished run on labelled data.

    Classes are matched by name with those the run was trained on. Pictures that the run was trained or chosen on are a
    Finding; pictures of its own test part are one more opening of that part, and are logged as such. Near copies of
    each other, and pictures of one group, count together in the intervals, as they do in `train`.

    Args:
        run: The folder of a finished run.
        data: Labelled pictures, as for `train`.
        part: `train`, `validation` or `test` to score that part of the data alone; all of it otherwise.
        skip_bad: Leave unreadable files out instead of refusing.
        group_by: A column of the listing, or a regular expression on the path, that names what belongs together.
        device: `auto`, `cpu` or `cuda`.
        watcher: Is told how it goes.

    Raises:
        RunFolderError: `run` is no finished run, or is damaged.
        DataError: The data cannot be read, has a class that the run does not know, or no such groups.
        UnreadablePictures: Some files cannot be read, and `skip_bad` is not set.
    """
    watcher = watcher or Silent()
    folder, cache = run_folder(Path(run), check=CHECKED), cache_folder()
    classifier = open_classifier(folder, cache=cache)
    if isinstance(classifier, RowClassifier):
        watcher.stage("look at the rows")
        if part:
            raise UsageError(
                f"part is {part!r}, and the run is of a table, which names no parts",
                expected="the rows to be scored, as a file of their own",
                fix="leave --part out and name such a file; the run's own test part was scored when it was trained",
            )
        return _on_rows(folder, classifier, data, skip_bad=skip_bad, group_by=group_by)
    examples = in_class_map(
        chosen_part(find_photos(data, group_by), part, without_secrets(str(data))), classifier.classes
    )
    watcher.stage("look at the pictures")
    answers = ask(
        classifier, examples.source, examples.ids, cache=cache, device=chosen_device(device), progress=watcher.progress
    )
    if answers.survey.unreadable and not skip_bad:
        raise UnreadablePictures(answers.survey.unreadable, n_examples=len(examples))
    chosen = np.array(answers.readable, dtype=np.int64)
    readable = examples.take(chosen)
    sha256s = [facts.sha256 for facts in answers.survey.facts if facts]
    groups = kinship(examples, answers.survey, fact_store(classifier.backbone.backbone, cache)).clusters[chosen]
    found = _scored(folder, classifier, readable, answers.logits, sha256s=sha256s, groups=groups, group_by=group_by)
    return replace(found, n_left_out=len(answers.survey.unreadable))


def _on_rows(folder: Path, classifier: RowClassifier, data: object, *, skip_bad: bool, group_by: str) -> Evaluation:
    """The scores on the rows of a table."""
    examples = find_table(data, classifier.target, group_by=group_by, skip_bad=skip_bad, least_classes=1)
    source = examples.source
    assert isinstance(source, TableSource), "rows come from a table"
    n_left_out = len(source.ids) - len(examples)
    examples = in_class_map(examples, classifier.classes)
    rows = table_of(data, classifier.encoder, target=classifier.target)
    logits = classifier.logits(classifier.encoder.encode(rows.table, source.rows_of(examples.ids)))
    copies = row_clusters(source, examples.ids)
    groups = joined(copies, group_numbers(examples.groups)) if examples.groups else copies
    sha256s = _contents_in(folder, classifier, examples)
    found = _scored(folder, classifier, examples, logits, sha256s=sha256s, groups=groups, group_by=group_by)
    return replace(found, n_left_out=n_left_out)


def _contents_in(folder: Path, classifier: RowClassifier, examples: Examples) -> list[str]:
    """The content of each row as the run would have hashed it; none where equal rows are expected and say nothing."""
    known = part_of_content(folder)
    n_rows = n_in_split(folder)
    if 2 * len(known) < n_rows:
        return []
    source, encoder = examples.source, classifier.encoder
    assert isinstance(source, TableSource), "rows come from a table"
    names = {*(one.name for one in encoder.columns), *(one.name for one in encoder.dropped)}
    columns = [name for name in source.table.schema.names if name in names]
    return replace(source, table=source.table.select(columns)).sha256s(examples.ids)


def _scored(
    folder: Path,
    classifier: AnyClassifier,
    examples: Examples,
    logits: Float[np.ndarray, "examples classes"],
    *,
    sha256s: Sequence[str],
    groups: Int[np.ndarray, " examples"],
    group_by: str,
) -> Evaluation:
    """The scores of answers, after the opening of a held-out part has been logged."""
    predictions = Predictions(examples.ids, examples.labels, logits, classifier.classes)
    predictions = predictions.with_decision(classifier.decision)
    # Before any number: an opening is on the disk even if nobody sees what came of it.
    findings = overlap(folder, sha256s, things=examples.things)
    generator = stream(0, "bootstrap")
    summary = summarise(
        predictions,
        temperature=classifier.temperature,
        generator=generator,
        groups=groups,
        positive=_positive_of(folder, classifier.classes),
    )
    findings += doubts_about_groups(folder, examples.groups, group_by, things=examples.things)
    return Evaluation(
        predictions.with_temperature(classifier.temperature),
        summary,
        tuple(by_severity(findings)),
        0,
        tuple(examples.groups),
        examples.things,
    )


def _positive_of(folder: Path, classes: tuple[str, ...]) -> int | None:
    """The positive class of two: that of the run, whichever is the rarer of what is scored now."""
    if len(classes) != 2:
        return None
    counts = read_json(folder / "scores.json")["data"]["counts"]["train"]
    return positive_of(plan_of(folder).decision, classes, np.asarray(counts))


def chosen_part(examples: Examples, part: str, data: str) -> Examples:
    """The examples of one part of the data, or all of them.

    Raises:
        UsageError: No such part.
        DataError: The data has no examples in it.
    """
    if not part:
        return examples
    if part not in PARTS:
        raise one_of("part", part, PARTS)
    chosen = np.flatnonzero(examples.given == PARTS.index(part))
    if not len(chosen):
        raise DataError(
            f"the data {data!r} has no part {part!r}",
            expected=f"a folder {part}/ of class folders, or a listing with that part",
            fix="leave --part out to score all of it",
        )
    return examples.take(chosen)


def in_class_map(examples: Examples, classes: tuple[str, ...]) -> Examples:
    """The same examples with the class map of the run.

    Raises:
        DataError: A class of the data is none of the run's.
    """
    present = [examples.classes[label] for label in np.unique(examples.labels)]
    unknown = [name for name in present if name not in classes]
    if unknown:
        raise DataError(
            f"{len(unknown)} of the data's {len(present)} classes are unknown to the run: {some_of(unknown)}"
            f"{nearest(unknown[0], classes)}",
            expected=f"classes among {some_of(classes, 20)}",
            fix="rename the folders (or labels) as they were in training, or leave those classes out",
        )
    index = {name: number for number, name in enumerate(classes)}
    labels = np.array([index.get(name, -1) for name in examples.classes], dtype=np.int64)[examples.labels]
    return replace(examples, labels=labels, classes=classes)


def doubts_about_groups(run: Path, names: Sequence[str], group_by: str, *, things: str = "pictures") -> list[Finding]:
    """What the groups say against the score: some that the run has learned from, few of them, examples without one.

    Args:
        run: The folder of the run.
        names: The group of each example that is scored; empty where there are no groups.
        group_by: What named them.
        things: What the examples are called.
    """
    if not names:
        return []
    findings = group_problems(names, np.full(len(names), PARTS.index("test")), group_by=group_by)
    known = groups_learned_from(run)
    met = sorted(set(names) & known)
    if met:
        n = sum(name in known for name in names)
        findings.append(
            Finding(
                code="groups-of-the-training",
                severity="warning",
                what=f"{n:,} of {len(names):,} {things} are of {len(met):,} groups whose names are also those of "
                "groups that the run was trained or chosen on",
                why="What a network learns of a patient, a camera or a burst helps it on the rest of that group and "
                "not on new ones: if they are the same ones, the score comes out too high.",
                fix="Score groups that the run has not met; where only the names are alike, give them others.",
                where=tuple(met[:MAX_NAMED]),
            )
        )
    return findings


def overlap(run: Path, sha256s: Sequence[str], *, things: str = "pictures") -> list[Finding]:
    """What it means for a score that the run has met some of these before; test examples are logged as opened.

    Args:
        run: The folder of the run.
        sha256s: Of the content of each example.
        things: What the examples are called.

    Raises:
        StorageError: The opening cannot be logged.
    """
    met = Counter(part for part in map(part_of_content(run).get, sha256s) if part)
    findings = []
    if n_used := met["train"] + met["validation"]:
        findings.append(
            Finding(
                code="evaluated-on-training-data",
                severity="error",
                what=f"{n_used:,} of {len(sha256s):,} {things} are ones the run was trained or chosen on "
                f"({met['train']:,} train, {met['validation']:,} validation)",
                why=f"A score on {things} that the model has learned from comes out too high.",
                fix=f"Score {things} that the run has not met"
                + (", such as with --part test." if things == "pictures" else "."),
            )
        )
    if met["test"]:
        line = {
            "when": datetime.now(UTC).isoformat(timespec="seconds"),
            "run": run.name,
            "why": "heldout evaluate",
            "fingerprint": read_json(run / "environment.json")["fingerprints"]["test"],
            "n": met["test"],
        }
        append_line(run / LOG_NAME, line)
        renew_manifest(run, [LOG_NAME])
        findings.append(
            Finding(
                code="held-out-part-opened-again",
                severity="warning",
                what=f"{met['test']:,} of {len(sha256s):,} {things} are of the run's own held-out part, which was "
                "opened before; this opening is logged",
                why=f"Each look at the same held-out {things} makes it easier to choose what happens to do well there.",
                fix=f"Collect new {things} for a fresh judgement, or keep the run's first test score.",
                source="Dwork et al., The reusable holdout (2015)",
            )
        )
    return findings
