"""A trained classifier of rows: an encoder, a model of features, a temperature and the class map. It needs no torch.

    RUN/model/weights.safetensors    every tensor of the model
    RUN/model/preprocess.json        the encoder, which model, temperature, decision, fingerprint
    RUN/model/classes.json           the class names in the order of the logits

The same object scores validation and test, and serves `predict` and `evaluate`: one path to every number.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from heldout.data.tabular.encoding import Encoder
from heldout.errors import RunFolderError, UsageError
from heldout.measuring.decisions import Decision, from_dict
from heldout.measuring.prior import from_focal
from heldout.models.table_models import TABLE_MODELS, Scorer, scorer_of
from heldout.models.weights import fingerprint
from heldout.records import read_json, to_json, write_atomic
from heldout.training.model_files import damaged, read_classes, read_tensors, unknown_content


@dataclass(frozen=True, slots=True)
class RowClassifier:
    """Rows to class logits.

    Attributes:
        name: `linear`, `mlp` or `boosting`.
        target: The column that the labels were in.
        encoder: Rows to features.
        scorer: Features to logits.
        classes: Names, in the order of the logits.
        temperature: Logits are divided by it for probabilities; fitted on validation.
        gamma: Of the focal loss that it was trained by; 0 for none.
        decision: How a class is decided on; None takes the likeliest.
    """

    name: str
    target: str
    encoder: Encoder
    scorer: Scorer
    classes: tuple[str, ...]
    temperature: float = 1.0
    gamma: float = 0.0
    decision: Decision | None = None

    def logits(self, features: Float[np.ndarray, "rows features"]) -> Float[np.ndarray, "rows classes"]:
        """One logit a row and class, of the true prior; the same whatever other rows are asked for."""
        return from_focal(self.scorer.logits(features), self.gamma) if self.gamma else self.scorer.logits(features)


def save_rows(classifier: RowClassifier, folder: Path) -> str:
    """Write the classifier into `folder` and give the fingerprint of all its tensors.

    Raises:
        StorageError: The disk refused.
    """
    from safetensors.numpy import save as to_bytes

    tensors = classifier.scorer.tensors()
    whole = fingerprint(tensors)
    write_atomic(folder / "weights.safetensors", to_bytes(tensors))
    write_atomic(folder / "classes.json", to_json(list(classifier.classes)))
    settings = {
        "format": 1,
        "kind": "table",
        "model": classifier.name,
        "target": classifier.target,
        "encoder": classifier.encoder.as_dict(),
        "temperature": classifier.temperature,
        "gamma": classifier.gamma,
        "decision": classifier.decision.as_dict() if classifier.decision else None,
        "fingerprint": whole,
    }
    write_atomic(folder / "preprocess.json", to_json(settings))
    return whole


def is_of_rows(run: Path) -> bool:
    """Whether the classifier of a finished run is one of rows."""
    settings = read_json(run / "model" / "preprocess.json")
    return isinstance(settings, dict) and settings.get("kind") == "table"


def load_rows(run: Path) -> RowClassifier:
    """The classifier of a finished run on a table.

    Raises:
        RunFolderError: A file is absent or damaged, or the tensors are not those that were written.
    """
    folder = run / "model"
    file = folder / "preprocess.json"
    settings = read_json(file)
    _check(settings, file)
    classes = read_classes(folder / "classes.json")
    tensors = read_tensors(folder, settings["fingerprint"])
    try:
        scorer = scorer_of(settings["model"], tensors)
    except ValueError as error:
        raise damaged(folder, str(error)) from error
    try:
        encoder = Encoder.from_dict(settings["encoder"])
        decision = from_dict(settings["decision"]) if settings["decision"] else None
    except (ValueError, UsageError) as error:
        raise unknown_content(file, str(error)) from error
    if (scorer.n_features, scorer.n_classes) != (len(encoder.feature_names), len(classes)):
        raise damaged(
            folder,
            f"its model is for {scorer.n_features} features and {scorer.n_classes} classes, not for "
            f"{len(encoder.feature_names)} and {len(classes)}",
        )
    return RowClassifier(
        settings["model"],
        settings["target"],
        encoder,
        scorer,
        classes,
        temperature=float(settings["temperature"]),
        gamma=float(settings["gamma"]),
        decision=decision,
    )


def _check(settings: Any, file: Path) -> None:
    wanted = {
        "model": str,
        "target": str,
        "encoder": dict,
        "temperature": float,
        "gamma": float,
        "decision": dict | None,
        "fingerprint": str,
    }
    if not isinstance(settings, dict) or settings.get("format") != 1:
        raise unknown_content(file, "it is not of format 1")
    if wrong := [key for key, kind in wanted.items() if not isinstance(settings.get(key), kind)]:
        raise unknown_content(file, f"{', '.join(wrong)} absent or of another kind")
    if settings["model"] not in TABLE_MODELS:
        raise RunFolderError(
            f"{file} names the model {settings['model']!r}",
            expected=f"one of {', '.join(TABLE_MODELS)}",
            fix="upgrade heldout if a newer one wrote it, or train again",
        )
