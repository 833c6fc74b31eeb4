"""The look at all examples before a run: what can be used, which belong together, and what speaks against a score.

Pictures and the rows of a table are looked at in their own ways; what comes of it is the same.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Int

from heldout.data.class_problems import class_problems
from heldout.data.examples import Examples
from heldout.data.groups import group_numbers, group_problems, joined
from heldout.data.pictures.near_problems import leaked
from heldout.data.pictures.survey import Survey
from heldout.data.small_classes import find_small_classes
from heldout.data.splits import Split
from heldout.data.tabular.table_problems import find_table_problems, has_earlier_copy, row_clusters
from heldout.errors import UnreadablePictures
from heldout.findings import Finding
from heldout.plan import Plan
from heldout.provenance import Watcher
from heldout.training.judging import Kinship, judge, kinship
from heldout.training.looking import look_at
from heldout.training.materials import Materials
from heldout.training.table_materials import TableMaterials


class Look(Protocol):
    """What a look at the examples gave.

    Attributes:
        examples: Those that can be used.
        sha256s: Of their content, in their order.
        clusters: A number each, equal where examples must not be parted.
        n_left_out: Examples that cannot be used, and were left out as the plan says.
    """

    examples: Examples
    sha256s: list[str]
    clusters: Int[np.ndarray, " examples"]
    n_left_out: int

    def leaked(self, split: Split) -> Bool[np.ndarray, " examples"]:
        """Which test examples have a copy in train or validation."""

    def findings(self, split: Split, fitted: Materials | TableMaterials) -> list[Finding]:
        """What weakens a score on this data, with this split.

        Args:
            split: Of these examples.
            fitted: The materials, fitted to the training part of the split.
        """


def look_at_examples(plan: Plan, examples: Examples, materials: Materials | TableMaterials, watcher: Watcher) -> Look:
    """Look at every example.

    Raises:
        UnreadablePictures: Some files are no usable pictures, and the plan does not say to skip them.
    """
    if isinstance(materials, TableMaterials):
        return _look_at_rows(plan, examples, materials)
    return _look_at_pictures(plan, examples, materials, watcher)


@dataclass
class _PictureLook:
    examples: Examples
    sha256s: list[str]
    clusters: Int[np.ndarray, " examples"]
    n_left_out: int
    survey: Survey
    kin: Kinship
    plan: Plan

    def leaked(self, split: Split) -> Bool[np.ndarray, " examples"]:
        return leaked(split.parts, self.kin.pairs, part="test")

    def findings(self, split: Split, fitted: Materials | TableMaterials) -> list[Finding]:
        assert isinstance(fitted, Materials), "pictures have a backbone"
        return judge(
            self.examples,
            self.survey,
            fitted.facts,
            self.kin,
            split=split,
            group_by=self.plan.data.group_by,
            seed=self.plan.seed,
        )


def _look_at_pictures(plan: Plan, examples: Examples, materials: Materials, watcher: Watcher) -> Look:
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
    sha256s = [facts.sha256 for facts in survey.facts if facts]
    return _PictureLook(examples, sha256s, kin.clusters, len(survey.unreadable), survey, kin, plan)


@dataclass
class _RowLook:
    examples: Examples
    sha256s: list[str]
    clusters: Int[np.ndarray, " examples"]
    copies: Int[np.ndarray, " examples"]
    group_by: str
    n_left_out: int

    def leaked(self, split: Split) -> Bool[np.ndarray, " examples"]:
        return has_earlier_copy(self.copies, split.parts)

    def findings(self, split: Split, fitted: Materials | TableMaterials) -> list[Finding]:
        assert isinstance(fitted, TableMaterials), "rows are encoded"
        found = find_table_problems(self.examples, split, fitted.fitted)
        found += class_problems(self.examples, split.parts, split.made)
        found += find_small_classes(self.examples, split, self.clusters)
        if self.examples.groups:
            found += group_problems(self.examples.groups, split.parts, group_by=self.group_by)
        return found


def _look_at_rows(plan: Plan, examples: Examples, materials: TableMaterials) -> Look:
    sha256s = materials.source.sha256s(examples.ids)
    copies = row_clusters(materials.source, examples.ids)
    clusters = joined(copies, group_numbers(examples.groups)) if examples.groups else copies
    n_left_out = len(materials.source.ids) - len(examples)
    return _RowLook(examples, sha256s, clusters, copies, plan.data.group_by, n_left_out)
