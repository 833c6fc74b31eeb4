"""heldout: from labelled pictures to a trained classifier with numbers you can trust.

run = heldout.train("photos")          # run.scores, run.predict(...), run.report()
heldout.check("photos")                # what weakens a score on this data
heldout.predict("runs/photos-001", ["new/"])
heldout.evaluate("runs/photos-001", "more-photos")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from heldout.checking import Check, check
    from heldout.errors import HeldoutError
    from heldout.evaluating import Evaluation, evaluate
    from heldout.findings import Finding
    from heldout.predicting import Prediction, predict
    from heldout.verbs import Run, open_run, report, resume, train

# Where each public name is defined; it is imported when it is first asked for, so that `import heldout` costs nothing.
_HOMES = {
    "train": "heldout.verbs",
    "resume": "heldout.verbs",
    "check": "heldout.checking",
    "predict": "heldout.predicting",
    "evaluate": "heldout.evaluating",
    "report": "heldout.verbs",
    "open_run": "heldout.verbs",
    "Run": "heldout.verbs",
    "Check": "heldout.checking",
    "Prediction": "heldout.predicting",
    "Evaluation": "heldout.evaluating",
    "Finding": "heldout.findings",
    "HeldoutError": "heldout.errors",
}
__all__ = [
    "train",
    "resume",
    "check",
    "predict",
    "evaluate",
    "report",
    "open_run",
    "Run",
    "Check",
    "Prediction",
    "Evaluation",
    "Finding",
    "HeldoutError",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'heldout' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
