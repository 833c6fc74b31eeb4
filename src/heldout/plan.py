"""The plan of a run: everything that decides its numbers, merged from defaults, a TOML file and flags.

    [data]      path, skip_bad, test_share, validation_share, max_pixels, group_by
    [model]     backbone, weights, regime, download
    [training]  as `training.settings.TrainingSettings`; absent where the head of a frozen backbone is fitted to its
                optimum, which needs none
    seed, device, workers, engine, out, name at the top

Flags beat the file, the file beats the defaults. The merged plan is written into the run.
"""

import errno
import json
import math
import os
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from heldout.data.decoding import MAX_PIXELS
from heldout.data.groups import pattern_of
from heldout.data.remote import name_of, without_secrets
from heldout.devices import DEVICES
from heldout.errors import UsageError, nearest, one_of
from heldout.models.backbones import DEFAULT, TIMM, find_backbone
from heldout.models.regimes import REGIMES
from heldout.training.settings import ENGINES, TrainingSettings, defaults

_SECTIONS = ("data", "model", "training")
# A plan with every setting has 1,000. Of a key of n parts, a.a.a and so on, Python's parser takes 4 n^2 bytes.
_MAX_BYTES = 2**14


@dataclass(frozen=True, slots=True, kw_only=True)
class DataPlan:
    """Which pictures, and how they are split where the data does not say.

    Attributes:
        path: The folder, archive or listing, as a path or an address.
        skip_bad: Leave unreadable files out instead of refusing.
        test_share: Share of all examples that are held out, where the data has no test part.
        validation_share: Share of the others, where the data has no validation part.
        max_pixels: Larger pictures are unreadable.
        group_by: A column of the listing, or a regular expression on the path, that names what must not be parted;
            empty for none.
    """

    path: str
    skip_bad: bool = False
    test_share: float = 0.2
    validation_share: float = 0.2
    max_pixels: int = MAX_PIXELS
    group_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPlan:
    """Which network, from which weights, and what of it learns.

    Attributes:
        backbone: A name that `models.backbones` knows.
        weights: `imagenet`, `none` or a file.
        regime: `frozen`, `partial`, `full` or `scratch`.
        download: Whether published weights may be fetched.
    """

    backbone: str = DEFAULT
    weights: str = "imagenet"
    regime: str = "frozen"
    download: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that decides the numbers of one run.

    Attributes:
        data: Which pictures.
        model: Which network.
        training: How it is trained by mini-batches; None where the head of a frozen backbone is fitted to its optimum,
            as it is unless one of these settings is named.
        seed: Of every random number.
        device: `auto`, `cpu` or `cuda`.
        workers: Processes that train the network together, 1 to 1,024; more than one is for training by mini-batches.
        engine: Where they are: `local`, this machine; or `ray`, a cluster, which looks at the pictures too.
        out: The folder in which the run folder is made.
        name: What the run folder's name starts with.
    """

    data: DataPlan
    model: ModelPlan = field(default_factory=ModelPlan)
    training: TrainingSettings | None = None
    seed: int = 0
    device: str = "auto"
    workers: int = 1
    engine: str = "local"
    out: str = "runs"
    name: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain dictionaries; what is None is left out, and so are passwords in the address of the data."""
        plan = asdict(self)
        plan["data"]["path"] = without_secrets(self.data.path)
        if self.training is None:
            del plan["training"]
        else:
            plan["training"] = {key: value for key, value in plan["training"].items() if value is not None}
        return plan

    def to_toml(self) -> str:
        """The plan as a TOML file that `make_plan` reads back to an equal plan, but for passwords."""
        top = {key: value for key, value in self.as_dict().items() if key not in _SECTIONS}
        lines = [f"{key} = {_toml(value)}" for key, value in top.items()]
        for section in _SECTIONS:
            if values := self.as_dict().get(section):
                lines += ["", f"[{section}]", *(f"{key} = {_toml(value)}" for key, value in values.items())]
        return "\n".join(lines) + "\n"


def make_plan(settings: Mapping[str, Any], *, file: Path | None = None, assignments: Iterable[str] = ()) -> Plan:
    """The plan that settings, a file and `--set` assignments make together.

    Args:
        settings: By dotted name, such as `model.regime`; what is None is not set.
        file: A TOML file with the same names.
        assignments: Such as `training.weight_decay=0.01`, which beat both.

    Raises:
        UsageError: An unknown name (the nearest known one is suggested), a value of the wrong kind or out of
            range, or values that contradict each other.

    Example:
        >>> make_plan({"data.path": "photos", "model.regime": "full"}).training.epochs
        5
    """
    merged = merged_settings(settings, file=file, assignments=assignments)
    known = _known_names()
    for name in merged:
        if name not in known:
            raise UsageError(
                f"the plan has no setting {name!r}{nearest(name, known)}",
                expected=f"one of {', '.join(known)}",
                fix=f"remove {name}, or write one of these names",
            )
        _check_storable(name, merged[name])
    if not merged.get("data.path"):
        raise UsageError("no data is named", expected="a folder of photos or a listing", fix="heldout train DATA")
    model = ModelPlan(**_section(merged, "model", ModelPlan))
    _check_model(model, asked_for_weights="model.weights" in merged)
    if model.regime == "scratch":
        model = ModelPlan(**(asdict(model) | {"weights": "none"}))
    top = {name: _typed(name, value, Plan) for name, value in merged.items() if "." not in name}
    plan = Plan(
        data=DataPlan(**_section(merged, "data", DataPlan)),
        model=model,
        training=_training(merged, model.regime),
        **(top | {"name": _name(top.get("name", ""), str(merged["data.path"]))}),
    )
    _check_ranges(plan)
    return plan


def merged_settings(
    settings: Mapping[str, Any], *, file: Path | None = None, assignments: Iterable[str] = ()
) -> dict[str, Any]:
    """What settings, a file and assignments say together, by dotted name; nothing of it is checked yet.

    Arguments are those of `make_plan`.

    Raises:
        UsageError: The file is no TOML, or a text is no assignment.
    """
    merged = _flatten(_read_toml(file)) if file else {}
    merged |= {name: value for name, value in settings.items() if value is not None}
    return merged | dict(_assignment(text) for text in assignments)


def _known_names() -> list[str]:
    kinds = {"data": DataPlan, "model": ModelPlan, "training": TrainingSettings}
    top = [part.name for part in fields(Plan) if part.name not in kinds]
    return [*top, *(f"{section}.{part.name}" for section, kind in kinds.items() for part in fields(kind))]


def _check_storable(name: str, value: Any) -> None:
    """Refuse what the TOML file of the run could not hold."""
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise UsageError(
            f"{name} is a number of {value.bit_length()} bits",
            expected="a whole number of at most 64 bits",
            fix=f"set {name} to a smaller number",
        )
    if isinstance(value, str) and "\0" in value:
        raise UsageError(
            f"{name} is {value!r}, in which a NUL stands",
            expected="a text without it",
            fix=f"set {name} to another text",
        )
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise UsageError(
            f"{name} is {str(value)!r}, which is no Unicode text",
            expected="names whose bytes are UTF-8",
            fix="rename the file or folder, or reach it through a link with another name",
        ) from None


def _section(merged: Mapping[str, Any], section: str, kind: type) -> dict[str, Any]:
    prefix = f"{section}."
    return {
        name.removeprefix(prefix): _typed(name, value, kind)
        for name, value in merged.items()
        if name.startswith(prefix)
    }


def _typed(name: str, value: Any, kind: type) -> Any:
    """The value, if it is of the kind that the field's default has."""
    by_name = {part.name: part for part in fields(kind)}
    part = by_name[name.rpartition(".")[2]]
    wanted = str if part.default is MISSING else type(part.default)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if wanted is str and isinstance(value, Path):
        return str(value)
    if type(value) is not wanted:
        words = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
        raise UsageError(f"{name} is {value!r}", expected=words[wanted], fix=f"set {name} to {words[wanted]}")
    return value


def _training(merged: Mapping[str, Any], regime: str) -> TrainingSettings | None:
    changes = {name.removeprefix("training."): value for name, value in merged.items() if name.startswith("training.")}
    if regime in ("frozen", "partial") and changes.get("augment", "none") != "none":
        raise UsageError(
            f"training.augment is {changes['augment']!r}, but the regime {regime!r} learns from what was kept of the "
            "pictures as they are",
            expected="augmentation with the regimes full and scratch alone",
            fix="leave training.augment out, or choose --regime full",
        )
    return defaults(regime, changes) if changes or regime != "frozen" else None


def _check_model(model: ModelPlan, *, asked_for_weights: bool) -> None:
    if model.regime not in REGIMES:
        raise one_of("regime", model.regime, REGIMES)
    if not model.backbone.startswith(TIMM):
        find_backbone(model.backbone)
    if model.regime == "scratch" and asked_for_weights and model.weights != "none":
        raise UsageError(
            f"regime is 'scratch', yet weights are {model.weights!r}",
            expected="random weights for the regime scratch",
            fix="leave --weights out, or choose --regime full to start from them",
        )
    if model.regime != "scratch" and model.weights == "none":
        raise UsageError(
            f"regime is {model.regime!r}, yet weights are 'none'",
            expected="pretrained weights for the regimes frozen, partial and full",
            fix="choose --regime scratch to learn everything from random weights",
        )


def _check_ranges(plan: Plan) -> None:
    for name in ("test_share", "validation_share"):
        share = getattr(plan.data, name)
        if not (math.isfinite(share) and 0 < share < 1):
            raise UsageError(f"data.{name} is {share!r}", expected="a share above 0 and below 1", fix="such as 0.2")
    if plan.data.max_pixels < 1:
        raise UsageError(f"data.max_pixels is {plan.data.max_pixels}", expected="at least 1", fix="leave it out")
    pattern_of(plan.data.group_by)
    if plan.device not in DEVICES:
        raise one_of("device", plan.device, DEVICES)
    if plan.engine not in ENGINES:
        raise one_of("engine", plan.engine, ENGINES)
    if not 1 <= plan.workers <= 1024:
        raise UsageError(
            f"workers is {plan.workers}", expected="a whole number from 1 to 1,024", fix="leave --workers out for one"
        )
    if plan.workers > 1 and plan.training is None:
        raise UsageError(
            f"workers is {plan.workers}, yet the head of a frozen backbone is fitted at once, and not by mini-batches",
            expected="one worker, or a training by mini-batches",
            fix="leave --workers out; or choose --regime partial, full or scratch",
        )
    is_plain = plan.name.isprintable() and Path(plan.name).name == plan.name
    if not plan.name or not is_plain or plan.name.startswith("."):
        raise UsageError(
            f"name is {plan.name!r}", expected="a plain folder name", fix="choose letters, digits, - and _ for --name"
        )


def _name(name: str, data: str) -> str:
    """The run's name: as given, or after the data."""
    if name:
        return name
    return name_of(data) or "run"


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(_read_text(file))
    except OSError as error:
        raise UsageError(
            f"the plan {str(file)!r} cannot be read: {error.strerror or error}",
            expected="a TOML file",
            fix="check the path after --plan",
        ) from error
    except (ValueError, RecursionError) as error:  # ValueError: no TOML, no UTF-8, a number of thousands of digits
        raise UsageError(
            f"the plan {str(file)!r} is no TOML: {error}",
            expected='lines such as `seed = 1` and, below [model], `regime = "full"`',
            fix="correct that line; plan.toml of any run is an example",
        ) from error


def _read_text(file: Path) -> str:
    """The text of a plan, which is neither endless nor makes us wait."""
    found = file.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no regular file")
    if found.st_size > _MAX_BYTES:
        raise OSError(f"it has {found.st_size:,} bytes, more than the limit of {_MAX_BYTES:,}")
    return file.read_text(encoding="utf-8")


def _flatten(content: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if isinstance(value, Mapping):
            flat |= {f"{name}.{inner}": deep for inner, deep in value.items()}
        else:
            flat[name] = value
    return flat


def _assignment(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(
            f"--set {text!r} is no assignment", expected="NAME=VALUE", fix="such as --set training.weight_decay=0.01"
        )
    try:
        return name.strip(), tomllib.loads(f"value = {value.strip()}")["value"]
    except (ValueError, RecursionError):
        return name.strip(), value.strip()


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # JSON's strings are TOML's basic strings; DEL is the one character that JSON leaves and TOML forbids.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f") if isinstance(value, str) else repr(value)
