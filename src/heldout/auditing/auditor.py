"""Audits a script: runs it under watch, or reads it, and judges what was seen. No torch."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from heldout.auditing.audited import Audit, lines_at, merged, watched_in
from heldout.auditing.judging import judge
from heldout.auditing.process.running import Limits, run_watched
from heldout.auditing.process.targets import Target, find_target
from heldout.auditing.rule import AuditFinding
from heldout.auditing.seen.log import Log

# Files of the user's own that are read besides the script, at most.
_MOST_READ = 50


def audit(
    script: str | Path,
    arguments: Sequence[str] = (),
    *,
    module: bool = False,
    max_seconds: float = 0.0,
    max_steps: int = 0,
) -> Audit:
    """Run a training script as it is, under watch, and say why its numbers cannot be trusted, if they cannot.

    It runs in a process of its own, with our streams, environment and folder, as `python SCRIPT ARGUMENTS` would.

    Args:
        script: A Python script or a notebook (`.ipynb`); or the name of a module.
        arguments: The script's own.
        module: Whether `script` is a module's name, as after `python -m`.
        max_seconds: Stop it then; 0 lets it run to its end.
        max_steps: Stop it after so many steps of its optimisers; 0 lets it run to its end.

    Raises:
        UsageError: The script is not there, or no Python.
        StorageError: There is no room for a log.

    Example:
        >>> audited = audit("train.py", ["--epochs", "3"])  # doctest: +SKIP
        >>> print(audited.summary())  # doctest: +SKIP
    """
    target = find_target(script, module=module)
    return audit_target(target, arguments, Limits(max_seconds, max_steps))


def audit_target(target: Target, arguments: Sequence[str], limits: Limits, *, stdout: int | None = None) -> Audit:
    """As `audit`, of something that was found already.

    Args:
        target: What is run.
        arguments: Its own.
        limits: How long it may run.
        stdout: The file descriptor that it writes to; None for ours.
    """
    log, code = run_watched(target, arguments, limits, stdout=stdout)
    return audit_of(log, target, exit_code=code)


def audit_of(log: Log, target: Target, *, exit_code: int = 0) -> Audit:
    """What a log comes to, with what reading the script adds."""
    from heldout.auditing.rules.every import RULES

    seen = judge(log, RULES)
    try:
        read = _read(target, _files_in(log))
    except Exception as error:  # what was seen in hours must not be lost
        read, log.faults = (), (*log.faults, f"reading {target.name}: {type(error).__name__}: {error}")
    findings = merged(seen, read)
    lines = lines_at(findings, target.lines)
    return Audit(target.name, findings, watched_in(log), log.outcome, exit_code, log.seconds, lines)


def read_only(script: str | Path, *, module: bool = False) -> Audit:
    """What reading a script tells, without running anything of it; much less than watching it would.

    Args:
        script: A Python script or a notebook (`.ipynb`); or the name of a module.
        module: Whether `script` is a module's name.

    Raises:
        UsageError: The script is not there, or no Python.
    """
    target = find_target(script, module=module)
    findings = merged((), _read(target, ()))
    return Audit(target.name, findings, None, "read", lines=lines_at(findings, target.lines))


def _read(target: Target, files: Iterable[str]) -> tuple[AuditFinding, ...]:
    """What reading the script tells, and the user's other files that were seen at work."""
    from heldout.auditing.reading.scripts import read

    paths = [target.file] if target.file is not None else []
    known = {path.absolute() for path in paths}
    for file in dict.fromkeys(files):
        path = Path(file).absolute()
        if not file.startswith("<") and path not in known and path.is_file() and len(paths) < _MOST_READ:
            paths.append(path)
            known.add(path)
    return tuple(finding for path in paths for finding in read(path))


def _files_in(log: Log) -> Iterable[str]:
    """The user's own files that had a hand in training."""
    records = (log.models, log.optimisers, log.schedulers, log.data_sets, log.passes, log.stretches)
    return dict.fromkeys(each.place.file for some in records for each in some if each.place.line)
