"""What the pictures themselves say against a score on them: copies, groups, odd looks and shortcuts."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int

from heldout.data.examples import PARTS, Examples
from heldout.data.groups import group_numbers, group_problems, joined
from heldout.data.pictures.near_duplicates import Pairs, find_pairs
from heldout.data.pictures.near_duplicates import clusters as clusters_of
from heldout.data.pictures.near_problems import near_duplicate_findings
from heldout.data.pictures.oddities import find_oddities
from heldout.data.pictures.overlays import find_overlays
from heldout.data.pictures.survey import Survey
from heldout.data.problems import find_problems, pixel_numbers
from heldout.data.small_classes import find_small_classes
from heldout.data.splits import Split
from heldout.findings import Finding
from heldout.randomness import stream
from heldout.training.shortcuts import find_shortcuts, nuisances_of
from heldout.training.stores import FactStore


@dataclass(frozen=True, slots=True, eq=False)
class Kinship:
    """Which examples belong together.

    Attributes:
        pairs: Near copies of each other, equal ones among them, by index.
        copies: A number an example, equal where a chain of such pairs joins them.
        clusters: The same, for copies and groups together: what no split may part.
    """

    pairs: Pairs
    copies: Int[np.ndarray, " examples"]
    clusters: Int[np.ndarray, " examples"]


def kinship(examples: Examples, survey: Survey, facts: FactStore) -> Kinship:
    """Which examples are copies of each other or of one group; unreadable ones are by themselves.

    Raises:
        StorageError: What is known of a picture is damaged.
    """
    readable = np.array([index for index, known in enumerate(survey.facts) if known], dtype=np.int64)
    found = find_pairs(facts.signatures([known.sha256 for known in survey.facts if known]))
    pairs = replace(found, first=readable[found.first], second=readable[found.second])
    # Equal pixels without near copies' signatures do not come; joined all the same, for no split may ever part them.
    copies = joined(pixel_numbers(survey), clusters_of(len(examples), pairs))
    together = joined(copies, group_numbers(examples.groups)) if examples.groups else copies
    return Kinship(pairs, copies, together)


def judge(
    examples: Examples,
    survey: Survey,
    facts: FactStore,
    kin: Kinship,
    *,
    split: Split | None,
    group_by: str,
    seed: int,
) -> list[Finding]:
    """Everything about the data that a reader of a score on it should know.

    Args:
        examples: What the scores are about.
        survey: Facts for each of them.
        facts: Holds what else is known of them.
        kin: Which of them belong together.
        split: Of these examples; None judges the parts that come with the data, if any.
        group_by: What named the groups.
        seed: Of the run.

    Raises:
        StorageError: What is known of a picture is damaged.
    """
    parts = examples.given if split is None else split.parts
    findings = find_problems(examples, survey, split)
    findings += near_duplicate_findings(examples, parts, kin.pairs, survey=survey)
    findings += find_small_classes(examples, split, kin.clusters)
    if examples.groups:
        findings += group_problems(examples.groups, parts, group_by=group_by)
    # What is said by class is said of what a run may see: the labels of a test part that is to be sealed stay out.
    seen = np.arange(len(examples)) if split is None else np.flatnonzero(split.parts != PARTS.index("test"))
    of_seen = Survey(tuple(survey.facts[index] for index in seen), survey.unreadable)
    return findings + _by_looks(examples.take(seen), of_seen, facts, kin.clusters[seen], seed)


def _by_looks(
    examples: Examples, survey: Survey, facts: FactStore, clusters: Int[np.ndarray, " examples"], seed: int
) -> list[Finding]:
    known = [one for one in survey.facts if one]
    looks = list(facts.appearances([one.sha256 for one in known]))
    readable = np.array([index for index, one in enumerate(survey.facts) if one], dtype=np.int64)
    by_place = iter(looks)
    findings = find_oddities(examples, [next(by_place) if one else None for one in survey.facts], survey)

    def thumbnail(index: int) -> bytes | None:
        one = survey.facts[index]
        return facts.thumbnail(one.sha256) if one else None

    findings += find_overlays(examples, thumbnail, generator=stream(seed, "sample", 0))
    findings += find_shortcuts(
        nuisances_of(looks, known),
        examples.labels[readable],
        classes=examples.classes,
        generator=stream(seed, "sample", 1),
        clusters=clusters[readable],
    )
    return findings
