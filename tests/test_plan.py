import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.errors import UsageError
from heldout.plan import Plan, make_plan
from heldout.plan_sections import ModelPlan, TableModelPlan

PHOTOS = {"data.path": "photos"}


def from_file(folder: Path, text: str, assignments: tuple[str, ...], flags: dict[str, Any]) -> Plan:
    (folder / "plan.toml").write_text(text, encoding="utf-8")
    return make_plan(flags, file=folder / "plan.toml", assignments=assignments)


def test_defaults_hold_where_nothing_is_said() -> None:
    plan = make_plan(PHOTOS)
    assert plan.model == ModelPlan(backbone="efficientnet-lite0", weights="imagenet", regime="frozen", download=False)
    assert (plan.seed, plan.device, plan.out, plan.name, plan.training) == (0, "auto", "runs", "photos", None)


def test_assignments_beat_flags_and_flags_beat_the_file(tmp_path: Path) -> None:
    text = 'seed = 1\nout = "file"\nname = "file"\n[data]\npath = "file"\ntest_share = 0.3\n'
    plan = from_file(tmp_path, text, ("seed=3",), {"seed": 2, "out": "flag", "device": None})
    assert (plan.seed, plan.out, plan.name, plan.data.path, plan.data.test_share) == (3, "flag", "file", "file", 0.3)
    assert plan.device == "auto"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("model.regim", "model.regime"),
        ("training.learing_rate", "training.learning_rate"),
        ("data.skipbad", "data.skip_bad"),
        ("sed", "seed"),
        ("model.regime.x", "model.regime"),
    ],
)
def test_unknown_settings_are_refused_and_the_nearest_is_named(name: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f'no setting .*did you mean "{nearest}"'):
        make_plan(PHOTOS | {name: 1})


@pytest.mark.parametrize("text", ["model = 5", "[data.path]\nx = 1", "[nonsense]\nx = 1", "training = []"])
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"no setting|data\.path is"):
        from_file(tmp_path, text, (), {} if "data" in text else PHOTOS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"data.path": 5},
        {"data.skip_bad": 1},
        {"data.test_share": "0.2"},
        {"data.test_share": float("nan")},
        {"data.test_share": float("inf")},
        {"data.test_share": -0.1},
        {"data.validation_share": 0},
        {"data.validation_share": 1.0},
        {"data.validation_share": True},
        {"data.max_pixels": 0},
        {"data.max_pixels": 1e6},
        {"seed": 1.0},
        {"seed": "1"},
        {"seed": True},
        {"seed": 2**63},
        {"data.test_share": 10**400},
        {"device": "gpu"},
        {"model.regime": "frosen"},
        {"model.backbone": "resnet-18"},
        {"name": "a/b"},
        {"name": "../a"},
        {"name": ".a"},
        {"name": ".."},
        {"name": "a\nb"},
        {"name": "a\0b"},
        {"data.path": "\udcff"},
        {"model.regime": "full", "training.epochs": 0},
        {"model.regime": "full", "training.epochs": 1.5},
        {"model.regime": "full", "training.epochs": 10**400},
        {"model.regime": "full", "training.learning_rate": float("nan")},
        {"model.regime": "full", "training.learning_rate": -1.0},
        {"model.regime": "full", "training.learning_rate": "1e-3"},
        {"model.regime": "full", "training.learning_rate": 10**400},
        {"model.regime": "full", "training.learning_rate": "fnd"},
        {"training.learning_rate": float("nan")},
    ],
    ids=lambda wrong: str(wrong)[:60],
)
def test_values_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(reversed(wrong)).rpartition(".")[2]) as caught:
        make_plan(PHOTOS | wrong)
    assert caught.value.expected
    assert caught.value.fix


def test_no_data_is_refused() -> None:
    with pytest.raises(UsageError, match="no data is named"):
        make_plan({"data.path": ""})


@pytest.mark.parametrize(
    ("contradiction", "words"),
    [
        ({"training.augment": "light"}, "training.augment is 'light', but the regime 'frozen'"),
        ({"model.regime": "partial", "training.augment": "strong"}, "'strong', but the regime 'partial'"),
        ({"model.regime": "scratch", "model.weights": "imagenet"}, "'scratch', yet weights are 'imagenet'"),
        ({"model.regime": "scratch", "model.weights": "own.pth"}, "'scratch', yet weights are 'own.pth'"),
        ({"model.regime": "full", "model.weights": "none"}, "'full', yet weights are 'none'"),
        ({"model.weights": "none"}, "'frozen', yet weights are 'none'"),
    ],
)
def test_contradictions_are_refused(contradiction: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_plan(PHOTOS | contradiction)


@pytest.mark.parametrize(
    "named", [{"training.epochs": 3}, {"training.augment": "none"}, {"training.learning_rate": "find"}]
)
def test_any_training_setting_has_a_frozen_head_trained_by_batches(named: dict[str, Any]) -> None:
    plan = make_plan(PHOTOS | named)
    assert plan.training is not None
    assert plan.model.regime == "frozen"
    assert all(getattr(plan.training, name.partition(".")[2]) == value for name, value in named.items())
    assert make_plan(PHOTOS | {"training.epochs": None}).training is None


def test_a_rate_to_be_found_is_written_into_the_plan_as_that_word(tmp_path: Path) -> None:
    plan = from_file(tmp_path, '[training]\nlearning_rate = "find"\n', (), PHOTOS | {"model.regime": "full"})
    assert plan.training is not None
    assert plan.training.learning_rate == "find"
    assert 'learning_rate = "find"' in plan.to_toml()
    assert make_plan(PHOTOS | {"model.regime": "full"}, assignments=["training.learning_rate=find"]) == plan


def test_scratch_has_no_weights_whether_said_or_not() -> None:
    for said in ({}, {"model.weights": "none"}):
        model = make_plan(PHOTOS | {"model.regime": "scratch"} | said).model
        assert isinstance(model, ModelPlan)
        assert model.weights == "none"


@pytest.mark.parametrize(
    ("path", "name"), [("a/flowers", "flowers"), ("a/flowers/", "flowers"), ("list.csv", "list"), ("/", "run")]
)
def test_a_run_is_called_after_its_data(path: str, name: str) -> None:
    assert make_plan({"data.path": path}).name == name


def test_paths_are_texts() -> None:
    assert make_plan({"data.path": Path("a/b"), "out": Path("c")}).data.path == "a/b"


def test_assignments_are_toml_values_or_plain_words() -> None:
    plan = make_plan(
        PHOTOS,
        assignments=["model.regime=full", 'name="quoted"', " training.epochs = 3", "training.learning_rate=1e-2"],
    )
    assert plan.training is not None
    assert (plan.name, plan.training.epochs, plan.training.learning_rate) == ("quoted", 3, 0.01)
    assert make_plan(PHOTOS, assignments=["out=a=b"]).out == "a=b"
    with pytest.raises(UsageError, match="'seed' is no assignment"):
        make_plan(PHOTOS, assignments=["seed"])


def test_an_assignment_sets_nothing_but_its_name() -> None:
    assert make_plan(PHOTOS, assignments=['out="x"\nseed = 9']).seed == 0


@pytest.mark.parametrize("content", [b"seed = ", b"\xff", b"a = " + b"[" * 5000, b"seed = " + b"1" * 5000])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "plan.toml").write_bytes(content)
    with pytest.raises(UsageError, match="is no TOML"):
        make_plan(PHOTOS, file=tmp_path / "plan.toml")
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        make_plan(PHOTOS, file=tmp_path / "absent.toml")


def test_a_file_that_is_endless_or_makes_us_wait_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "large.toml").write_text("# more words than a plan has\n" * 1000)
    for name, words in (("pipe.toml", "no regular file"), ("large.toml", "29,000 bytes"), (".", "Is a directory")):
        with pytest.raises(UsageError, match=f"cannot be read: .*{words}"):
            make_plan(PHOTOS, file=tmp_path / name)


@pytest.mark.parametrize("name", ["data.path", "out", "model.weights", "data.group_by"])
def test_no_text_may_hold_a_nul(name: str) -> None:
    with pytest.raises(UsageError, match=rf"{name} is 'a\\x00b', in which a NUL stands"):
        make_plan(PHOTOS | {name: "a\0b"})


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)
NAMES = TEXTS.filter(lambda name: name.isprintable() and "/" not in name and not name.startswith("."))


@settings(max_examples=60, deadline=None)
@given(
    path=TEXTS,
    out=TEXTS,
    name=NAMES,
    weights=TEXTS.filter(lambda text: text != "none"),
    seed=st.integers(-(2**63), 2**63 - 1),
    share=st.floats(0, 1, exclude_min=True, exclude_max=True),
    rate=st.floats(0, 100, exclude_min=True) | st.integers(1, 100) | st.just("find"),
    patience=st.none() | st.integers(1, 9),
)
def test_a_plan_written_as_toml_is_read_as_the_same_plan(
    *,
    tmp_path_factory: pytest.TempPathFactory,
    path: str,
    out: str,
    name: str,
    weights: str,
    seed: int,
    share: float,
    rate: float | str,
    patience: int | None,
) -> None:
    said = {"data.path": path, "out": out, "name": name, "seed": seed, "data.test_share": share}
    said |= {"model.weights": weights, "model.regime": "full", "training.learning_rate": rate}
    plan = make_plan(said | {"training.patience": patience})
    file = tmp_path_factory.getbasetemp() / "round-trip.toml"
    file.write_bytes(plan.to_toml().encode())
    assert make_plan({}, file=file) == plan
    assert tomllib.loads(plan.to_toml()) == plan.as_dict()


def test_workers_and_their_place_are_settings_of_the_plan(tmp_path: Path) -> None:
    plan = make_plan({"data.path": "photos", "model.regime": "full", "workers": 2, "engine": "ray"})
    assert (plan.workers, plan.engine) == (2, "ray")
    (tmp_path / "plan.toml").write_text(plan.to_toml())
    assert make_plan({}, file=tmp_path / "plan.toml") == plan
    alone = make_plan({"data.path": "photos"})
    assert (alone.workers, alone.engine) == (1, "local")
    with pytest.raises(UsageError, match="workers is 0"):
        make_plan({"data.path": "photos", "model.regime": "full", "workers": 0})
    with pytest.raises(UsageError, match="engine is 'rey', which is not known; did you mean \"ray\""):
        make_plan({"data.path": "photos", "engine": "rey"})
    with pytest.raises(UsageError, match="workers is 2, yet the head of a frozen backbone is fitted at once"):
        make_plan({"data.path": "photos", "workers": 2})
    assert make_plan({"data.path": "photos", "workers": 2, "training.learning_rate": 0.1}).workers == 2


def test_a_target_makes_it_a_table(tmp_path: Path) -> None:
    plan = make_plan({"data.path": "rows.csv", "data.target": "kind", "model.name": "mlp", "model.width": 8})
    assert plan.model == TableModelPlan(name="mlp", width=8, layers=2)
    assert (plan.model.regime, plan.model.hidden) == ("mlp", (8, 8))
    assert plan.training is not None
    assert plan.training.precision == "float32"
    (tmp_path / "plan.toml").write_text(plan.to_toml())
    assert make_plan({}, file=tmp_path / "plan.toml") == plan


TABLE = {"data.path": "rows.csv", "data.target": "kind"}


def test_a_linear_model_is_fitted_unless_mini_batches_are_asked_for() -> None:
    assert make_plan(TABLE).training is None
    assert make_plan(TABLE | {"imbalance": "weights"}).training is None
    for asked in ({"training.learning_rate": 0.1}, {"imbalance": "balanced-batch"}, {"imbalance": "focal"}):
        assert make_plan(TABLE | asked).training is not None
    assert make_plan(PHOTOS | {"imbalance": "weights"}).training is None
    assert make_plan(PHOTOS | {"imbalance": "balanced-batch"}).training is not None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (TABLE | {"model.backbone": "resnet18"}, "model.backbone is set, which is for pictures"),
        (PHOTOS | {"model.name": "mlp"}, "model.name is set, which is for tables"),
        (PHOTOS | {"data.test": "test.csv"}, "data.test names a file, but data.target names no column"),
        (TABLE | {"model.name": "forest"}, "model.name is 'forest', which is not known"),
        (TABLE | {"model.name": "mlp", "model.layers": 0}, "model.layers is 0"),
        (TABLE | {"model.name": "boosting", "training.epochs": 3}, "yet training.epochs is asked for"),
        (TABLE | {"model.name": "boosting", "imbalance": "focal"}, "yet imbalance 'focal' is asked for"),
        (TABLE | {"training.augment": "light"}, "a linear model learns from what was kept"),
        (TABLE | {"training.precision": "bfloat16"}, "rows are computed in float32"),
        (TABLE | {"workers": 2, "training.epochs": 2}, "asked to be trained with workers 2"),
        (TABLE | {"imbalance": "weight"}, 'did you mean "weights"'),
        (TABLE | {"focal_gamma": 0.0}, "focal_gamma is 0.0"),
        (TABLE | {"decision.threshold": "best"}, "threshold is 'best', which is not known"),
        (TABLE | {"decision.threshold": 1.5}, "threshold is 1.5"),
        (TABLE | {"decision.threshold": "f1", "decision.costs": "a:b=2"}, "threshold is 'f1', and costs are"),
        (TABLE | {"decision.positive_weight": -1.0}, "decision.positive_weight is -1.0"),
    ],
)
def test_what_a_table_or_a_decision_cannot_be_is_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_plan(settings)
