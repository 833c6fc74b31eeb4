"""heldout: from labelled pictures, or a table, to a trained classifier with numbers you can trust.

run = heldout.train("photos")          # run.scores, run.predict(...), run.report()
heldout.check("photos")                # what weakens a score on this data
heldout.predict("runs/photos-001", ["new/"])
heldout.evaluate("runs/photos-001", "more-photos")
heldout.compare("runs/photos-001", "runs/photos-002")
heldout.train("rows.csv", target="kind")
heldout.TableClassifier().fit(X, y)     # as in scikit-learn
heldout.explain.count("resnet18")       # the arithmetic behind a model
heldout.audit("train.py")               # which numbers of a training script cannot be trusted
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heldout import explain
    from heldout.auditing.auditor import audit
    from heldout.auditing.context import watching
    from heldout.data.balance.balanced_batches import BalancedBatchSampler
    from heldout.errors import HeldoutError
    from heldout.estimators.image import ImageClassifier
    from heldout.estimators.table import TableClassifier
    from heldout.findings import Finding
    from heldout.training.streaming import fit_stream
    from heldout.verbs.checking import Check, check
    from heldout.verbs.comparing import Compared, compare
    from heldout.verbs.evaluating import Evaluation, evaluate
    from heldout.verbs.predicting import Prediction, predict
    from heldout.verbs.running import Run, open_run, report, resume, train
    from heldout.verbs.searching import sweep
    from heldout.verbs.sweeps import Sweep

# Where each public name is defined; it is imported when it is first asked for, so that `import heldout` costs nothing.
_HOMES = {
    "train": "heldout.verbs.running",
    "resume": "heldout.verbs.running",
    "check": "heldout.verbs.checking",
    "predict": "heldout.verbs.predicting",
    "evaluate": "heldout.verbs.evaluating",
    "sweep": "heldout.verbs.searching",
    "Sweep": "heldout.verbs.sweeps",
    "compare": "heldout.verbs.comparing",
    "report": "heldout.verbs.running",
    "open_run": "heldout.verbs.running",
    "Run": "heldout.verbs.running",
    "Check": "heldout.verbs.checking",
    "Prediction": "heldout.verbs.predicting",
    "Evaluation": "heldout.verbs.evaluating",
    "Compared": "heldout.verbs.comparing",
    "Finding": "heldout.findings",
    "HeldoutError": "heldout.errors",
    "BalancedBatchSampler": "heldout.data.balance.balanced_batches",
    "audit": "heldout.auditing.auditor",
    "watching": "heldout.auditing.context",
    "TableClassifier": "heldout.estimators.table",
    "ImageClassifier": "heldout.estimators.image",
    "fit_stream": "heldout.training.streaming",
}
__all__ = [
    "train",
    "resume",
    "check",
    "predict",
    "evaluate",
    "sweep",
    "compare",
    "report",
    "open_run",
    "explain",
    "audit",
    "watching",
    "TableClassifier",
    "ImageClassifier",
    "BalancedBatchSampler",
    "fit_stream",
    "Run",
    "Sweep",
    "Check",
    "Prediction",
    "Evaluation",
    "Compared",
    "Finding",
    "HeldoutError",
]


def __getattr__(name: str) -> Any:
    if name == "explain":
        return import_module("heldout.explain")
    if name not in _HOMES:
        raise AttributeError(f"module 'heldout' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *__all__})
