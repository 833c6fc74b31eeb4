"""Builders of sweep folders with everything their page reads: realistic, tiny, huge, hostile, all diverged.

The numbers come from a seeded generator and look like those of a sweep; no network was trained for them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import erfc, log10, sqrt
from pathlib import Path
from typing import Any

import numpy as np

from heldout.sweeping.ledger import LEDGER, TrialResult, append_result
from heldout.sweeping.space import Setting, names_of
from reporting.run_folders import HOSTILE

N_TRAIN, N_VALIDATION = 720, 180
CLASSES = ("daisy", "dandelion", "rose", "sunflower", "tulip")
FINDINGS = (
    {
        "code": "winner-inside-the-noise",
        "severity": "warning",
        "where": ["full, learning rate 0.01", "partial, learning rate 0.1"],
        "what": "2 settings cannot be told from the best one",
        "why": "Another set of seeds could well have put another one first.",
        "fix": "Take the cheapest of them, or add seeds.",
        "source": "Nadeau & Bengio, Inference for the Generalization Error, 2003",
    },
)
# Of each regime: the best score it can reach, the power of ten of its best rate, how wide that optimum is, and from
# which power on it diverges.
_REGIMES = {
    "scratch": (0.62, -1.0, 1.9, 0.5),
    "frozen": (0.905, -0.5, 2.6, 9.0),
    "partial": (0.925, -1.2, 2.2, 0.7),
    "full": (0.936, -1.9, 1.9, -0.1),
}


@dataclass(frozen=True, slots=True)
class SweepShape:
    """What kind of sweep to make; a rate of None is a fitted head."""

    regimes: tuple[str, ...] = ("scratch", "frozen", "partial", "full")
    rates: tuple[float, ...] = (0.001, 0.01, 0.1, 1.0, 10.0)
    fits_head: bool = True
    n_seeds: int = 5
    backbones: tuple[str, ...] = ("efficientnet-lite0",)
    batch_sizes: tuple[int, ...] = (32,)
    n_epochs: int = 20
    all_diverge: bool = False
    has_winner: bool = True
    has_test: bool = True
    test_openings: int = 1
    classes: tuple[str, ...] = CLASSES
    metric: str = "accuracy"
    findings: tuple[Mapping[str, Any], ...] = FINDINGS
    words: str = ""


def flower_sweep(folder: Path) -> Path:
    """4 regimes, 5 rates, 5 seeds; the frozen head fitted; the highest rates diverge."""
    return make_sweep(folder, SweepShape())


def smallest_sweep(folder: Path) -> Path:
    """One regime, one rate, one seed, one epoch: nothing to compare."""
    shape = SweepShape(regimes=("full",), rates=(0.01,), n_seeds=1, n_epochs=1, findings=(), test_openings=3)
    return make_sweep(folder, shape)


def fitted_sweep(folder: Path) -> Path:
    """Only a fitted head: no learning rate, no epoch; no test part."""
    return make_sweep(folder, SweepShape(regimes=("frozen",), rates=(), has_test=False, findings=()))


def diverged_sweep(folder: Path) -> Path:
    """Every trial diverged."""
    shape = SweepShape(regimes=("partial", "full"), rates=(10.0, 100.0), n_seeds=2, all_diverge=True, has_winner=False)
    return make_sweep(folder, shape)


def large_sweep(folder: Path) -> Path:
    """200 settings drawn in log space, 2 seeds, two backbones."""
    rates = tuple(float(f"{rate:.3g}") for rate in np.logspace(-4, 1, 50))
    return make_sweep(
        folder,
        SweepShape(
            regimes=("partial", "full"), rates=rates, n_seeds=2, backbones=("efficientnet-lite0", "resnet18"),
            metric="balanced_accuracy",
        ),
    )  # fmt: skip


def hostile_sweep(folder: Path) -> Path:
    """Names and sentences that would run as script if anything let them."""
    nasty = dict.fromkeys(("code", "what", "why", "fix", "source"), HOSTILE[1])
    return make_sweep(
        folder,
        SweepShape(
            regimes=("full",), rates=(0.01, 0.1), n_seeds=2, n_epochs=3, backbones=(HOSTILE[0], HOSTILE[3]),
            classes=HOSTILE, findings=({**nasty, "severity": "warning", "where": [HOSTILE[0]]},), words=HOSTILE[1],
        ),
    )  # fmt: skip


def cost_sweep(folder: Path) -> Path:
    """Two regimes ranked by what their answers cost: each mistake 5."""
    shape = SweepShape(regimes=("frozen", "full"), rates=(0.01, 0.1), n_seeds=3, n_epochs=1, findings=())
    content = json.loads((make_sweep(folder, shape) / "sweep.json").read_text())
    for row in content["settings"]:
        ends = {name: row[other] for name, other in (("mean", "mean"), ("low", "high"), ("high", "low"))}
        row |= {name: 5 * (1 - end) for name, end in ends.items()}
        row |= {"scores": [5 * (1 - score) for score in row["scores"]], "sd": 5 * row["sd"]}
    differences = [row["versus_best"] for row in content["settings"] if row["versus_best"]]
    for difference in [*differences, *(pair["difference"] for pair in content["compared"])]:
        difference |= {name: 5 * difference[name] for name in ("value", "low", "high")}
    winner = content["winner"]
    winner |= {"validation_mean": content["settings"][0]["mean"], "expected": content["settings"][0]["mean"] + 0.055}
    winner["test"] |= {"name": "mean_cost", "value": 0.4, "low": 0.21, "high": 0.73}
    content |= {"metric": "mean_cost", "highest": 5.0}
    content["optimism"] |= {"value": 0.055}
    (folder / "sweep.json").write_text(json.dumps(content))
    return folder


def make_sweep(folder: Path, shape: SweepShape) -> Path:
    """Write every file that `write_sweep_report` reads; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(20261122)
    trials = [
        made_trial(setting, seed, shape, generator) for setting in settings_of(shape) for seed in range(shape.n_seeds)
    ]
    for trial in trials:
        append_result(folder / LEDGER, trial)
    (folder / "findings.json").write_text(json.dumps(list(shape.findings)))
    (folder / "sweep.json").write_text(json.dumps(made_content(folder.name, shape, trials), allow_nan=False))
    return folder


def settings_of(shape: SweepShape) -> list[Setting]:
    """The grid; a fitted head once a backbone."""
    settings = []
    for backbone in shape.backbones:
        for regime in shape.regimes:
            if regime == "frozen" and shape.fits_head:
                settings.append(Setting(regime, backbone, None, None))
                continue
            settings += [Setting(regime, backbone, rate, size) for size in shape.batch_sizes for rate in shape.rates]
    return settings


def made_trial(setting: Setting, seed: int, shape: SweepShape, generator: np.random.Generator) -> TrialResult:
    """One trial as it could have gone."""
    top, best_power, width, breaks_at = _REGIMES[setting.regime]
    power = best_power if setting.learning_rate is None else log10(setting.learning_rate)
    diverged = shape.all_diverge or (power > breaks_at and generator.random() < 0.9)
    score = 0.2 + (top - 0.2) * float(np.exp(-(((power - best_power) / width) ** 2) / 2))
    score = float(np.clip(score + generator.normal(0, 0.018) - 0.02 * (setting.backbone != "efficientnet-lite0"), 0, 1))
    n_correct = round(score * N_VALIDATION)
    fits = setting.learning_rate is None
    history = () if fits else _history(score, power - best_power, diverged, shape.n_epochs, generator)
    share = {"scratch": 1.0, "full": 1.0, "partial": 0.45, "frozen": 0.34}[setting.regime]
    epochs = 1 if fits else shape.n_epochs
    correct = np.packbits(np.arange(N_VALIDATION) < n_correct).tobytes()
    return TrialResult(
        key=f"{setting.regime}-{setting.backbone}-{setting.learning_rate}-{setting.batch_size}-{seed}",
        setting=setting,
        seed=seed,
        outcome="diverged" if diverged else "finished",
        why=f"the loss became nan in epoch {len(history)}{shape.words}" if diverged else "",
        initial=f"{seed:064x}",
        final=f"{hash((power, seed)) % 2**64:064x}",
        n_train=N_TRAIN,
        n_validation=N_VALIDATION,
        n_correct=0 if diverged else n_correct,
        validation_loss=None if diverged else 1.9 * (1 - score) + 0.05,
        score=None if diverged else n_correct / N_VALIDATION,
        best_epoch=0 if diverged or fits else max(1, shape.n_epochs - 3),
        n_epochs=len(history),
        history=history,
        correct=correct,
        n_parameters=3_376_901,
        n_trained=int(3_376_901 * (0.002 if setting.regime == "frozen" else share)),
        multiply_adds=int(share * epochs * 3 * 390e6 * N_TRAIN),
        precision="float32",
        seconds=float(share * (0.4 if fits else 2.1) * max(len(history), 1) * generator.uniform(0.95, 1.05)),
    )


def _history(
    score: float, off: float, diverged: bool, n_epochs: int, generator: np.random.Generator
) -> tuple[dict[str, float | None], ...]:
    """Losses that fall towards what the score allows; a diverged one climbs until it is no number."""
    n = max(1, min(n_epochs, 2 + int(generator.integers(3)))) if diverged else n_epochs
    level, bend = float(generator.normal(1, 0.05)), float(generator.uniform(0, 0.25))
    rows: list[dict[str, float | None]] = []
    for epoch in range(1, n + 1):
        progress = epoch / n_epochs
        pace = float(np.exp(-4.5 * progress * np.exp(-abs(off) / 2)))
        validation = (
            level * (1.9 * (1 - score) + 0.05) + 1.4 * pace + bend * progress**2 * float(generator.normal(1, 0.2))
        )
        train = level * (1.55 * pace + 0.25 * (1 - score) + 0.004)
        accuracy: float | None = max(0.0, score - 0.5 * pace)
        found: tuple[float | None, float | None] = (train, validation)
        if diverged:
            found = (1.1 * 1.9**epoch * level, 1.3 * 2.1**epoch * level) if epoch < n else (None, None)
            accuracy = 0.2
        rows.append(
            {"epoch": epoch, "train_loss": found[0], "validation_loss": found[1], "validation_accuracy": accuracy}
        )
    return tuple(rows)


def made_content(name: str, shape: SweepShape, trials: Sequence[TrialResult]) -> dict[str, Any]:
    """What sweep.json has of these trials."""
    settings = settings_of(shape)
    names = names_of(settings)
    rows = [_row(names[each], [trial for trial in trials if trial.setting == each]) for each in settings]
    rows.sort(key=lambda row: -(row["mean"] if row["mean"] is not None else -1.0))
    for place, row in enumerate(rows):
        _rank(row, rows[0], place)
    lost = {word: sum(trial.outcome == word for trial in trials) for word in ("finished", "diverged", "failed")}
    best = rows[0]
    optimism = {"value": 0.011, "n_settings": len(rows), "method": "bootstrap of the validation pictures"}
    has_score = best["mean"] is not None
    return {
        "format": 1,
        "name": name,
        "metric": shape.metric,
        "data": _data(shape),
        "n_trials": len(trials),
        **{f"n_{word}": n for word, n in lost.items()},
        "n_seeds": shape.n_seeds,
        "n_folds": max(2, shape.n_seeds),
        "engine": "local",
        "workers": 2,
        "threads": 1,
        "seconds": sum(trial.seconds for trial in trials) / 2 * 1.03,
        "trial_seconds": sum(trial.seconds for trial in trials),
        "settings": rows,
        "optimism": optimism if has_score and len(rows) > 1 else None,
        "recommendation": _recommendation(rows, shape) if has_score else None,
        "winner": _winner(name, shape, best, optimism) if shape.has_winner and has_score else None,
        "compared": _compared(rows),
        "command": f"heldout sweep photos --seeds {shape.n_seeds}{shape.words}",
        "versions": {"numpy": "2.3.5", "torch": "2.10.0", "pillow": "12.0.0"},
    }


def _row(name: str, trials: Sequence[TrialResult]) -> dict[str, Any]:
    scores = [trial.score for trial in trials]
    known = [score for score in scores if score is not None]
    mean = float(np.mean(known)) if known else None
    sd = float(np.std(known, ddof=1)) if len(known) > 1 else None
    half = 2.8 * sd * sqrt(1 / len(known) + 0.25) if sd is not None else None
    return {
        "name": name,
        "setting": trials[0].setting.as_dict(),
        "scores": scores,
        "mean": mean,
        "sd": sd,
        "low": None if half is None or mean is None else max(0.0, mean - half),
        "high": None if half is None or mean is None else min(1.0, mean + half),
        "seconds": float(np.mean([trial.seconds for trial in trials])),
        "multiply_adds": float(np.mean([trial.multiply_adds for trial in trials])),
        "n_parameters": trials[0].n_parameters,
        "n_trained": trials[0].n_trained,
        "n_in_vain": 0,
        "n_diverged": sum(trial.outcome == "diverged" for trial in trials),
        "n_failed": sum(trial.outcome == "failed" for trial in trials),
    }


def _rank(row: dict[str, Any], best: Mapping[str, Any], place: int) -> None:
    """Fill in what the ranking says: those within 1.5 points of the best are tied with it."""
    pairs = [(a, b) for a, b in zip(best["scores"], row["scores"], strict=True) if a is not None and b is not None]
    row.update(rank=place + 1, tied_with_best=False, versus_best=None, p_better=None)
    if place == 0 or row["mean"] is None:
        return
    if len(pairs) > 1:
        behind = best["mean"] - row["mean"]
        row["versus_best"] = _difference(behind, 0.016, len(pairs))
        row["p_better"] = float(np.mean([b > a for a, b in pairs]))
        row["tied_with_best"] = behind < 0.016
        row["rank"] = 1 if behind < 0.016 else place + 1


def _difference(value: float, half: float, n: int) -> dict[str, Any]:
    p = erfc(1.96 * abs(value) / half / sqrt(2))
    return {"value": value, "low": value - half, "high": value + half, "p": p, "n": n, "method": "corrected t-test"}


def _compared(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    best: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        if row["mean"] is not None:
            best.setdefault(row["setting"]["regime"], row)
    firsts = list(best.values())
    return [
        {"a": a["name"], "b": b["name"], "difference": _difference(a["mean"] - b["mean"], 0.016, 5)}
        for i, a in enumerate(firsts)
        for b in firsts[i + 1 :]
    ]


def _recommendation(rows: Sequence[Mapping[str, Any]], shape: SweepShape) -> dict[str, Any]:
    best = rows[0]
    evidence = [f"Its mean validation accuracy is {best['mean']:.1%} over {shape.n_seeds} seeds.{shape.words}"]
    for row in rows[1:]:
        if row["mean"] is not None and row["setting"]["regime"] != best["setting"]["regime"]:
            points = 100 * (best["mean"] - row["mean"])
            evidence.append(
                f"It beats {row['name']} by {points:.1f} points [{points - 1.6:.1f}, {points + 1.6:.1f}], and costs "
                f"{best['seconds'] / row['seconds']:.0f} times the time."
            )
            break
    return {"name": best["name"], "text": f"Train {best['name']}.{shape.words}", "evidence": evidence}


def _winner(name: str, shape: SweepShape, best: Mapping[str, Any], optimism: Mapping[str, Any]) -> dict[str, Any]:
    test = {"name": shape.metric, "value": 0.921, "low": 0.882, "high": 0.948, "n": 280, "method": "Wilson, 95 %"}
    return {
        "name": best["name"],
        "run": f"{name}-winner",
        "validation_mean": best["mean"],
        "expected": best["mean"] - optimism["value"],
        "test": test if shape.has_test else None,
        "test_openings": shape.test_openings if shape.has_test else 0,
    }


def _data(shape: SweepShape) -> dict[str, Any]:
    n = len(shape.classes)
    return {
        "n": N_TRAIN + N_VALIDATION + 280,
        "n_train": N_TRAIN,
        "n_validation": N_VALIDATION,
        "n_test": 280,
        "classes": list(shape.classes),
        "counts": {"train": [144] * n, "validation": [36] * n, "test": [56] * n},
        "layout": "class folders",
        "made": ["validation", "test"],
    }
