"""The folder of a finished sweep, as far as its ranking is read."""

import json
from pathlib import Path
from typing import Any

DIFFERENCE = {"value": 0.031, "low": 0.01, "high": 0.052, "p": 0.004, "n": 3, "method": "corrected t-test"}


def setting(name: str, rank: int, scores: list[float | None], *, tied: bool = False) -> dict[str, Any]:
    known = [score for score in scores if score is not None]
    mean = sum(known) / len(known) if known else None
    return {
        "name": name,
        "setting": {"regime": name.partition(",")[0], "backbone": "resnet18", "learning_rate": 0.1, "batch_size": 32},
        "scores": scores,
        "mean": mean,
        "sd": 0.01 if known else None,
        "low": mean and mean - 0.02,
        "high": mean and mean + 0.02,
        "rank": rank if known else None,
        "tied_with_best": tied,
        "versus_best": dict(DIFFERENCE) if known and rank > 1 else None,
        "p_better": 0.1 if known and rank > 1 else None,
        "seconds": 3.0,
        "multiply_adds": 10**9,
        "n_parameters": 1000,
        "n_trained": 10,
        "n_in_vain": 0,
        "n_diverged": len(scores) - len(known),
        "n_failed": 0,
    }


def record() -> dict[str, Any]:
    """sweep.json of three settings, of which one diverged every time."""
    return {
        "format": 1,
        "name": "photos-sweep-001",
        "metric": "accuracy",
        "data": {"n": 100},
        "n_trials": 9,
        "n_finished": 6,
        "n_diverged": 3,
        "n_failed": 0,
        "n_seeds": 3,
        "n_folds": 3,
        "settings": [
            setting("full, learning rate 0.1", 1, [0.9, 0.92, 0.91], tied=True),
            setting("frozen", 2, [0.88, 0.87, 0.885]),
            setting("scratch, learning rate 10", 3, [None, None, None]),
        ],
        "optimism": {"value": 0.012, "n_settings": 3, "method": "bootstrap"},
        "recommendation": {"name": "full, learning rate 0.1", "text": "Take full at 0.1.", "evidence": []},
        "winner": {
            "name": "full, learning rate 0.1",
            "run": "photos-sweep-001-winner",
            "validation_mean": 0.91,
            "expected": 0.898,
            "test": {"name": "accuracy", "value": 0.9, "low": 0.8, "high": 0.95, "n": 40, "method": "Wilson, 95%"},
            "test_openings": 1,
        },
        "compared": [{"a": "full, learning rate 0.1", "b": "frozen", "difference": dict(DIFFERENCE)}],
    }


def sweep(folder: Path, content: object) -> Path:
    """The folder of a sweep with this record and no findings."""
    folder.mkdir(parents=True)
    (folder / "sweep.toml").write_text("")
    (folder / "sweep.json").write_text(json.dumps(content))
    (folder / "findings.json").write_text("[]")
    return folder
