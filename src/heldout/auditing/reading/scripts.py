"""A script -> what reading it tells, without running anything of it. Imports nothing but Python.

Only what the text shows with near certainty is told: what depends on values is the watch's to see. Each other
file here holds the checks of one subject; a check gives hits, and the rule of its code says what they mean.
"""

import ast
import warnings
from pathlib import Path

from heldout.auditing.process.notebooks import cells_of
from heldout.auditing.process.targets import find_target
from heldout.auditing.reading import (
    batches,
    classes,
    freezing,
    graphs,
    modes,
    names,
    numbers,
    orders,
    outputs,
    scales,
    sharing,
    steps,
    sweeps,
    variants,
)
from heldout.auditing.reading.tree import Script
from heldout.auditing.rule import AuditFinding, finding_of, gravest_first
from heldout.auditing.rules.every import RULES

_SUBJECTS = (
    batches,
    classes,
    freezing,
    graphs,
    modes,
    names,
    numbers,
    orders,
    outputs,
    scales,
    sharing,
    steps,
    sweeps,
    variants,
)


def read(path: Path) -> tuple[AuditFinding, ...]:
    r"""What the text of a script tells, the gravest first; nothing of it is run.

    Args:
        path: A Python script, or a notebook (`.ipynb`), whose cells are read in order.

    Raises:
        UsageError: It is not there, or no Python.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     script = Path(folder, "freeze.py")
        ...     _ = script.write_text("for p in model.parameters():\n    p.require_grad = False\n")
        ...     [(each.code, each.place.line) for each in read(script)]
        [('H203', 2)]
    """
    find_target(path)
    script = Script(_pieces(path))
    rules = {rule.code: rule for rule in RULES}
    found: dict[tuple[str, object], AuditFinding] = {}
    for code, check in (each for subject in _SUBJECTS for each in subject.CHECKS):
        for hit in check(script):
            found.setdefault((code, hit.place), finding_of(rules[code], hit))
    return gravest_first(found.values())


def _pieces(path: Path) -> list[tuple[str, ast.Module]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python says them when it runs the script
        if path.suffix == ".ipynb":
            flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
            return [(each.file, compile(each.source, each.file, "exec", flags)) for each in cells_of(path)]
        return [(str(path.absolute()), ast.parse(path.read_bytes(), str(path)))]
