"""The folder of a finished sweep, opened: the ranking with ties, the differences behind it, and every trial."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heldout.errors import DamagedRun, RunFolderError
from heldout.manifest import MANIFEST, check_whole
from heldout.records import read_json
from heldout.sweeping.ledger import LEDGER, TrialResult, read_ledger

RECORD = "sweep.json"
# Any of these may be named instead of the folder they lie in.
_FILES = (RECORD, LEDGER)
_FORMAT = 1
_SETTING_KEYS = ("name", "scores", "mean", "low", "high", "rank", "tied_with_best", "versus_best", "seconds")
_DIFFERENCE_KEYS = ("value", "low", "high", "p", "n", "method")


@dataclass(frozen=True, slots=True)
class Sweep:
    """A finished sweep.

    Attributes:
        folder: The folder of the sweep.
        content: What sweep.json says; `settings` has the best first, and those without any score last.
        findings: What weakens it, as findings.json has it.
    """

    folder: Path
    content: dict[str, Any]
    findings: tuple[dict[str, Any], ...]

    @property
    def settings(self) -> list[dict[str, Any]]:
        """Each setting with its scores, rank and paired difference from the best; the best first."""
        settings: list[dict[str, Any]] = self.content["settings"]
        return settings

    @property
    def between_regimes(self) -> list[dict[str, Any]]:
        """The best setting of each regime against that of each other: `a`, `b` and the paired difference."""
        compared: list[dict[str, Any]] = self.content["compared"]
        return compared

    @property
    def trials(self) -> list[TrialResult]:
        """What each trial gave."""
        return read_ledger(self.folder / LEDGER)

    @property
    def winner(self) -> Path | None:
        """The folder of the winner's run, which the held-out part was opened for; None where nothing could win."""
        winner = self.content["winner"]
        return self.folder.parent / winner["run"] if winner else None

    def as_dict(self) -> dict[str, Any]:
        """A plain dictionary for JSON."""
        return {"sweep": str(self.folder), **self.content, "findings": list(self.findings)}


def sweep_folder(path: Path) -> Path | None:
    """The folder of the sweep that `path` names, or None where it names no sweep."""
    folder = path.parent if path.name in _FILES and path.is_file() else path
    return folder if any((folder / name).is_file() for name in (*_FILES, "sweep.toml")) else None


def read_sweep(folder: Path) -> Sweep:
    """Where the settings of a finished sweep stand.

    Raises:
        RunFolderError: The sweep is not finished.
        DamagedRun: A file is not the one that was written.
    """
    if not (folder / RECORD).is_file():
        raise RunFolderError(
            f"{folder} is a sweep that is not finished: {RECORD} is absent",
            expected="a sweep of which every trial is done",
            fix="give the same `heldout sweep` command again: it does only what is missing",
        )
    if (folder / MANIFEST).is_file():
        check_whole(folder, [RECORD, "findings.json"])
    content, findings = read_json(folder / RECORD), read_json(folder / "findings.json")
    if why := _what_is_wrong(content, findings):
        raise DamagedRun(
            f"{folder / RECORD} cannot be used: {why}",
            expected=f"format {_FORMAT}, as `heldout sweep` of this version writes it",
            fix="copy the folder again from where it is whole; upgrade heldout if a newer one wrote it",
        )
    return Sweep(folder, content, tuple(findings))


def _what_is_wrong(content: Any, findings: Any) -> str:
    """Why the record cannot be shown, or nothing."""
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        return f"it is not of format {_FORMAT}"
    settings: Any = content.get("settings")
    compared: Any = content.get("compared")
    counts = ("n_diverged", "n_failed", "n_in_vain")
    if not _have(settings, (*_SETTING_KEYS, *counts)) or not settings:
        return "its settings are not whole"
    pairs = [setting["versus_best"] for setting in settings if setting["versus_best"] is not None]
    if not _have(compared, ("a", "b", "difference")):
        return "its comparisons are not whole"
    pairs += [one["difference"] for one in compared]
    if not _have(pairs, _DIFFERENCE_KEYS) or not _are_numbers(pairs, _DIFFERENCE_KEYS[:4]):
        return "a difference in it is not whole"
    scored = [setting for setting in settings if setting["mean"] is not None]
    ranked = [setting for setting in settings if setting["rank"] is not None]
    numbers = _are_numbers(scored, ("mean", "low", "high")) and _are_numbers(ranked, ("mean", "rank"))
    if not numbers or not all(isinstance(setting["scores"], list) for setting in settings):
        return "a score in it is no number"
    named = ("name", "metric", "n_trials", "n_finished", "n_diverged", "n_failed", "n_seeds", "n_folds", "data")
    if absent := [name for name in (*named, "optimism", "recommendation", "winner") if name not in content]:
        return f"{absent[0]!r} is absent"
    if not _have(findings, ("severity", "what", "why", "fix", "where")):
        return "its findings are not whole"
    return ""


def _are_numbers(entries: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> bool:
    return all(isinstance(entry[key], int | float) for entry in entries for key in keys)


def _have(entries: Any, keys: Sequence[str]) -> bool:
    """Whether this is a list of objects that have these keys."""
    return isinstance(entries, list) and all(
        isinstance(entry, Mapping) and all(key in entry for key in keys) for entry in entries
    )
