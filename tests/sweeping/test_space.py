"""What a sweep tries: grids, draws, defaults, and values that cannot be meant."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from heldout.errors import UsageError
from heldout.plan import Plan, make_plan
from heldout.plan_sections import ModelPlan
from heldout.sweeping.space import Setting, Space, make_space, names_of, settings_of
from heldout.verbs.sweep_plans import plan_sweep


def make(values: Mapping[str, Any]) -> Plan:
    return make_plan({"data.path": "photos", **values})


def found(space: Space, seed: int = 0) -> list[Setting]:
    return list(settings_of(space, make, seed=seed))


def test_a_grid_has_every_combination_once() -> None:
    settings = found(Space(regimes=("scratch", "frozen", "partial"), learning_rates=(0.1, 1.0, 10.0)))
    assert len(settings) == 9
    assert {(one.regime, one.learning_rate) for one in settings} == {
        (regime, rate) for regime in ("scratch", "frozen", "partial") for rate in (0.1, 1.0, 10.0)
    }


def test_the_default_rate_is_the_regimes_own_and_a_fitted_head_for_frozen() -> None:
    frozen, full = found(Space(regimes=("frozen", "full"), learning_rates=("default",)))
    assert (frozen.learning_rate, frozen.batch_size) == (None, None)
    assert full.learning_rate == make({"model.regime": "full"}).training.learning_rate  # type: ignore[union-attr]


def test_what_comes_out_equal_stands_once() -> None:
    own = make({"model.regime": "full"}).training
    assert own is not None
    assert isinstance(own.learning_rate, float)
    assert len(found(Space(regimes=("full",), learning_rates=("default", own.learning_rate)))) == 1
    fitted = Space(regimes=("frozen",), learning_rates=("default",), batch_sizes=(8, 16))
    assert len(found(fitted)) == 1


def test_draws_lie_between_the_rates_evenly_in_their_logarithm_and_depend_on_the_seed_alone() -> None:
    space = Space(regimes=("frozen", "full"), learning_rates=(1e-4, 1.0), n_drawn=400)
    settings = found(space)
    rates = [one.learning_rate for one in settings if one.learning_rate]
    assert all(1e-4 <= rate <= 1.0 for rate in rates)
    assert 0.4 < sum(rate < 1e-2 for rate in rates) / len(rates) < 0.6
    assert {one.regime for one in settings} == {"frozen", "full"}
    assert found(space) == settings != found(space, seed=1)
    fewer = Space(regimes=("frozen", "full"), learning_rates=(1e-4, 1.0), n_drawn=10)
    assert found(fewer) == settings[:10], "more draws add to the first ones"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"regimes": ()}, "no regime is named"),
        ({"learning_rates": (0.1, 0.1)}, "learning_rates has 0.1 twice"),
        ({"n_drawn": 5}, "trials are drawn between two learning rates"),
        ({"n_drawn": 5, "learning_rates": (0.1, "default")}, "trials are drawn between two learning rates"),
        ({"n_drawn": 0, "learning_rates": (0.1, 1.0)}, "trials is 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_space(**values)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"regimes": ("ful",)}, 'did you mean "full"'),
        ({"backbones": ("resnet19",)}, "resnet1"),
        ({"regimes": ("full",), "learning_rates": (-1.0,)}, "learning_rate is -1.0"),
        ({"regimes": ("full",), "batch_sizes": (0,)}, "batch_size is 0"),
        ({"learning_rates": tuple(1e-6 * n for n in range(1, 50_000))}, "the grid has 149,997 settings"),
    ],
)
def test_every_setting_is_checked_before_anything_begins(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan_sweep(make_space(**values), {"data.path": "photos"})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"n_seeds": 0}, "seeds is 0"),
        ({"n_seeds": 90_000}, "270,000 trials"),
        ({"engine": "rai"}, 'did you mean "ray"'),
        ({"n_workers": 0}, "workers is 0"),
    ],
)
def test_a_plan_that_cannot_be_meant_is_refused(values: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan_sweep(Space(), {"data.path": "photos"}, **values)


def test_a_fitted_head_ignores_what_is_said_about_mini_batches() -> None:
    plan = plan_sweep(
        make_space(regimes=("frozen", "full")), {"data.path": "photos", "training.epochs": 2}, assignments=["seed=3"]
    )
    frozen, full = plan.plans.values()
    assert frozen.training is None
    assert full.training is not None
    assert (full.training.epochs, frozen.seed, full.seed) == (2, 3, 3)


def test_scratch_ignores_the_weights_that_the_others_start_from() -> None:
    plan = plan_sweep(
        make_space(regimes=("scratch", "full")), {"data.path": "photos"}, assignments=["model.weights=own.pth"]
    )
    models = [one.model for one in plan.plans.values()]
    assert [one.weights for one in models if isinstance(one, ModelPlan)] == ["none", "own.pth"]


@pytest.mark.parametrize(
    ("space", "assignment"),
    [
        ({}, "model.regime=full"),
        ({"learning_rates": (0.1, 0.2)}, "training.learning_rate=0.5"),
        ({"backbones": ("resnet18",)}, "model.backbone=resnet34"),
        ({"batch_sizes": (8,)}, "training.batch_size=16"),
    ],
)
def test_what_the_sweep_varies_cannot_be_set_for_all(space: dict[str, Any], assignment: str, tmp_path: Path) -> None:
    name = assignment.partition("=")[0]
    with pytest.raises(UsageError, match=f"{name} is set .* and is what the sweep varies"):
        plan_sweep(make_space(**space), {"data.path": "photos"}, assignments=[assignment])


def test_a_plan_file_is_heeded_as_flags_are(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text("seed = 7\n[training]\nepochs = 3\n")
    space = make_space(regimes=("frozen", "full"))
    frozen, full = plan_sweep(space, {"data.path": "photos"}, file=file).plans.values()
    assert (frozen.training, frozen.seed, full.seed) == (None, 7, 7)
    assert full.training is not None
    assert full.training.epochs == 3


def test_names_tell_what_differs_and_no_more() -> None:
    lite, resnet = (Setting("full", name, 0.01, 32) for name in ("efficientnet-lite0", "resnet18"))
    assert names_of([lite])[lite] == "full, learning rate 0.01"
    assert names_of([lite, resnet])[resnet] == "full, resnet18, learning rate 0.01"
    small = Setting("full", "resnet18", 0.01, 8)
    assert names_of([resnet, small])[small] == "full, learning rate 0.01, batches of 8"


def test_the_identity_changes_with_anything_that_changes_the_numbers_and_not_with_the_workers() -> None:
    def identity(n_workers: int | None = None, **values: Any) -> str:
        seeds = values.pop("n_seeds", None)
        return plan_sweep(make_space(**values), {"data.path": "photos"}, n_seeds=seeds, n_workers=n_workers).identity()

    assert identity() == identity() == identity(n_workers=3)
    others = [identity(n_seeds=4), identity(regimes=("full",)), identity(learning_rates=(0.5,))]
    assert len({identity(), *others}) == 4


def test_a_table_is_tried_with_every_model_and_trees_only_with_what_they_know() -> None:
    space = make_space(is_table=True, imbalances=("none", "balanced-batch"), learning_rates=("default", 0.5))
    plan = plan_sweep(space, {"data.path": "rows.csv", "data.target": "kind", "training.epochs": 2})
    names = [name for name, one in zip(names_of(list(plan.plans)).values(), plan.plans, strict=True) if one]
    assert names == [
        "linear, no balancing, fitted",
        "linear, balanced-batch, learning rate 0.1",
        "linear, no balancing, learning rate 0.5",
        "linear, balanced-batch, learning rate 0.5",
        "mlp, no balancing, learning rate 0.05",
        "mlp, balanced-batch, learning rate 0.05",
        "mlp, no balancing, learning rate 0.5",
        "mlp, balanced-batch, learning rate 0.5",
        "boosting, no balancing, fitted",
    ]


def test_regimes_are_for_pictures_and_models_for_tables() -> None:
    with pytest.raises(UsageError, match="regimes are named, which are for pictures"):
        make_space(is_table=True, regimes=("full",))
    with pytest.raises(UsageError, match="models are named, which are for tables"):
        make_space(models=("mlp",))
