"""The data of a sweep: looked at once for all its settings, the test part sealed, the rest dealt into folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from heldout import experiment
from heldout.data.examples import Examples
from heldout.data.folds import make_folds
from heldout.data.tabular.tables import TableSource
from heldout.devices import chosen_device
from heldout.errors import DataError
from heldout.measuring.summary import is_imbalanced
from heldout.plan import Plan
from heldout.provenance import Watcher
from heldout.randomness import stream
from heldout.records import cache_folder
from heldout.sweeping.folded import Folded, read_folds, write_folds
from heldout.sweeping.measure import Measure, measure_of
from heldout.sweeping.space import Setting
from heldout.training.looking import Product, look_at
from heldout.training.materials import Materials, Part
from heldout.training.table_materials import TableMaterials


@dataclass(frozen=True, eq=False)
class SweepData:
    """The data of a sweep.

    Attributes:
        prepared: As for a run, its test part sealed.
        folded: What the trials see.
        measure: What they are scored by: the mean cost where costs are stated, `balanced_accuracy` where the classes
            are imbalanced.
        clusters: Of the examples that the trials see; equal numbers are never parted.
        device: `cpu` or `cuda`.
        weights: Name of a network -> SHA-256 of the file that its weights come from.
    """

    prepared: experiment.Prepared
    folded: Folded
    measure: Measure
    clusters: np.ndarray
    device: str
    weights: Mapping[str, str]


def prepare_sweep(
    plans: Mapping[Setting, Plan],
    examples: Examples,
    folder: Path,
    *,
    n_seeds: int,
    watcher: Watcher,
    on_cluster: bool = False,
) -> SweepData:
    """Look at every picture once, seal the test part, and deal the rest into folds.

    Args:
        plans: Of all settings; they share the data, the seed and the shares.
        examples: As `experiment.find_examples` gives them.
        folder: Of the sweep; split.parquet, findings.json and folds.parquet are written there.
        n_seeds: How many folds are wanted; beyond those of one round of cross-validation another round is dealt.
        watcher: Is told how it goes.
        on_cluster: Whether the workers of a Ray cluster look at the pictures.

    Raises:
        HeldoutError: As for a run.
    """
    first = next(iter(plans.values()))
    if on_cluster:
        for plan in _kinds(plans):
            materials = experiment.open_backbone(plan, cache_folder())
            experiment.looked_at_on_cluster(plan, examples, materials, watcher)
    opened = _opened(plans, examples)
    prepared = experiment.prepare(first, examples, opened[0], folder, watcher)
    for other in opened[1:]:
        assert isinstance(other, Materials), "there is one table"  # other networks want other pixels
        look_at(
            examples.source,
            sorted(prepared.sha256s),
            list(other.products.values()),
            other.facts,
            max_pixels=first.data.max_pixels,
            progress=watcher.progress,
        )
    part = _without_test(prepared)
    clusters = prepared.groups(part.examples)
    n_folds = _n_folds(first.data.validation_share, len(np.unique(clusters)))
    rounds = [
        make_folds(part.labels, clusters, n_folds=n_folds, generator=stream(first.seed, "folds", number))
        for number in range(-(-n_seeds // n_folds))
    ]
    write_folds(folder, part, np.stack(rounds, axis=1), n_folds)
    return SweepData(
        prepared=prepared,
        folded=read_folds(folder),
        measure=measure_of(
            first.decision, part.examples.classes, is_imbalanced=is_imbalanced(np.bincount(part.labels))
        ),
        clusters=clusters,
        device=opened[0].device,
        weights={one.name: one.identity[-1] for one in opened if isinstance(one, Materials)},
    )


def _n_folds(share: float, n_clusters: int) -> int:
    """As many folds as make a validation part of that share, and no more than there are clusters to deal.

    Raises:
        DataError: There are fewer than two.
    """
    if n_clusters < 2:
        raise DataError(
            f"the examples outside the test part are all of {n_clusters} group or cluster of copies",
            expected="two at least, so that one can be judged on and the other learned from",
            fix="add examples of other groups",
        )
    return min(max(2, round(1 / share)), n_clusters)


def _opened(plans: Mapping[Setting, Plan], examples: Examples) -> list[Materials] | list[TableMaterials]:
    """The materials of each network, with all that any regime wants of its pictures; or the rows of the table."""
    if isinstance(examples.source, TableSource):
        device = chosen_device(next(iter(plans.values())).device)
        return [TableMaterials(examples.source, device, cache_folder())]
    found: dict[str, list[Materials]] = {}
    for plan in _kinds(plans):
        opened = experiment.open_backbone(plan, cache_folder())
        found.setdefault(opened.name, []).append(opened)
    return [_together(materials) for materials in found.values()]


def _kinds(plans: Mapping[Setting, Plan]) -> list[Plan]:
    """One plan for each network and regime: what else varies wants nothing else of the pictures."""
    kinds: dict[tuple[str, str], Plan] = {}
    for setting, plan in plans.items():
        kinds.setdefault((setting.backbone, setting.regime), plan)
    return list(kinds.values())


def _together(materials: Sequence[Materials]) -> Materials:
    products: dict[str, Product] = {}
    for one in materials:
        products = dict(one.products) | products
    best = max(materials, key=lambda one: one.pretrained is not None)
    return replace(best, products=products)


def _without_test(prepared: experiment.Prepared) -> Part:
    """Train and validation as one part, in the order of the ids."""
    train, validation = prepared.train.examples, prepared.validation.examples
    ids = train.ids + validation.ids
    order = sorted(range(len(ids)), key=ids.__getitem__)
    groups = train.groups + validation.groups
    examples = replace(
        train,
        ids=tuple(ids[index] for index in order),
        labels=np.concatenate([train.labels, validation.labels])[order],
        given=np.concatenate([train.given, validation.given])[order],
        groups=tuple(groups[index] for index in order) if groups else (),
    )
    return prepared.part(examples)
