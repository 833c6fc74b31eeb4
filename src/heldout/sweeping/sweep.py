"""A sweep, from its plan to its judgement, in the order in which things happen.

    settings -> look at the data once, seal the test part, deal folds -> trials, fresh each -> judgement

The held-out part stays sealed throughout: who opens it for the winner is not here.
"""

import hashlib
import logging
import math
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from heldout.data.examples import Examples
from heldout.errors import UsageError, one_of
from heldout.plan import Plan
from heldout.provenance import Watcher, n_cores, version
from heldout.randomness import stream
from heldout.records import cache_folder
from heldout.sweeping.choosing import Judgement, judge
from heldout.sweeping.ledger import LEDGER, TrialResult, append_result, read_ledger
from heldout.sweeping.measure import JudgedOn, Measure
from heldout.sweeping.preparing import SweepData, prepare_sweep
from heldout.sweeping.runners import Lost, Runner
from heldout.sweeping.space import MOST_TRIALS, Setting, Space
from heldout.sweeping.trials import TRIALS, TrialOrder, rehearse, run_trial, trial_key

log = logging.getLogger(__name__)
ENGINES = ("local", "ray")
# What a worker needs at most, bytes: a training step of the backbones here at batches of 32 (measured 2026-11-22:
# 1.36 GB for `full`, up to 3.5 GB for `scratch`), the fit of a head.
_BYTES = {"scratch": 4e9, "full": 1.6e9, "partial": 1.6e9, "frozen": 0.8e9}
_BYTES_OF_ROWS = 0.6e9  # torch, and tables of some hundred MB (assumed)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """What is to be tried, and by whom.

    Attributes:
        space: The values that are combined.
        plans: Of each setting.
        n_seeds: Trials a setting: each with its own fold, initial weights and order.
        halving: Drop the worse half of the settings whenever the number of seeds has doubled.
        engine: `local` or `ray`.
        n_workers: Trials at a time; None for as many as cores and memory allow.
    """

    space: Space
    plans: Mapping[Setting, Plan] = field(default_factory=dict)
    n_seeds: int = 5
    halving: bool = False
    engine: str = "local"
    n_workers: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.n_seeds <= MOST_TRIALS:
            raise UsageError(
                f"seeds is {self.n_seeds}",
                expected=f"a whole number from 1 to {MOST_TRIALS:,}",
                fix="such as --seeds 5",
            )
        if (n_trials := len(self.plans) * self.n_seeds) > MOST_TRIALS:
            raise UsageError(
                f"{len(self.plans):,} settings with {self.n_seeds:,} seeds are {n_trials:,} trials",
                expected=f"at most {MOST_TRIALS:,}",
                fix="name fewer values or seeds, or draw some settings with --trials 50",
            )
        if self.engine not in ENGINES:
            raise one_of("engine", self.engine, ENGINES)
        if self.n_workers is not None and not 1 <= self.n_workers <= 4096:
            raise UsageError(f"workers is {self.n_workers}", expected="from 1 to 4,096", fix="leave --workers out")

    @property
    def first(self) -> Plan:
        """The plan of the first setting: what all have in common is in it."""
        return next(iter(self.plans.values()))

    def identity(self) -> str:
        """Equal for the same sweep: two commands that differ in it make two folders."""
        lines = [f"seeds = {self.n_seeds}", f"halving = {str(self.halving).lower()}"]
        if self.first.decision.costs:
            lines.append('ranked_by = "mean_cost"')  # earlier versions ranked by accuracy: theirs is another sweep
        texts = [plan.to_toml() for plan in self.plans.values()]
        lines += [
            f'settings_sha256 = "{hashlib.sha256(chr(0).join(texts).encode()).hexdigest()}"',
            "",
            self.first.to_toml(),
        ]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Workers:
    """How trials are spread over a machine.

    Attributes:
        n: At a time.
        n_threads: Each; with another number the last bits of the results differ.
    """

    n: int
    n_threads: int


@dataclass(frozen=True, slots=True, eq=False)
class Swept:
    """What a sweep gave, before the held-out part is opened.

    Attributes:
        data: Looked at, split and sealed.
        results: Of the trials of this sweep, by setting and seed.
        judgement: Of the settings.
        seconds: That this process spent on trials.
        n_done: How many of them it did; the others stood in the ledger.
    """

    data: SweepData
    results: tuple[TrialResult, ...]
    judgement: Judgement
    seconds: float
    n_done: int


def spread(plan: SweepPlan) -> Workers:
    """As many workers as the cores and the free memory of this machine allow, and no more than there are trials."""
    n = plan.n_workers
    if plan.engine == "ray":
        return Workers(n or 1, 1)  # the cluster says how many; one thread each is the same on every node
    if n is None:
        need = max(_BYTES.get(setting.regime, _BYTES_OF_ROWS) for setting in plan.plans)
        n = min(n_cores(), len(plan.plans) * plan.n_seeds, max(1, int(_free_memory() * 0.8 / need)))
        if plan.first.device == "cuda":
            n = 1  # trials that share a GPU's memory would end each other
    return Workers(n, max(1, n_cores() // n))


def _free_memory() -> float:
    """Bytes that can be had without swapping; as much as anybody wants where the system does not say."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable"):
                return float(line.split()[1]) * 1024
    except OSError:
        pass
    return float("inf")


def carry_out(
    plan: SweepPlan, examples: Examples, folder: Path, *, runner: Runner, n_threads: int, watcher: Watcher
) -> Swept:
    """Do the trials that the ledger has not got yet, and judge all.

    Args:
        plan: What to try.
        examples: As `experiment.find_examples` gives them.
        folder: Of the sweep; locked by the caller.
        runner: Carries out the trials; begun and ended by the caller.
        n_threads: That each of its workers computes with.
        watcher: Is told how it goes.

    Raises:
        HeldoutError: The data, the weights or the disk do not allow it.
    """
    watcher.stage("look at the pictures")
    data = prepare_sweep(
        plan.plans, examples, folder, n_seeds=plan.n_seeds, watcher=watcher, on_cluster=plan.engine == "ray"
    )
    orders = _orders(plan, data, folder, n_threads)
    done = _known(folder, {order.key for order in orders})
    began = time.monotonic()
    n_before = len(done)
    watcher.stage("trials")
    for group in _rungs(plan, orders, done, data.measure):
        missing = [order for order in group if order.key not in done]
        _rehearse(runner, missing)
        for result in _carried_out(runner, missing):
            append_result(folder / LEDGER, result)
            done[result.key] = result
            shutil.rmtree(folder / TRIALS / result.key, ignore_errors=True)
            watcher.progress(len(done), len(orders), (len(done) - n_before) / (time.monotonic() - began))
    shutil.rmtree(folder / TRIALS, ignore_errors=True)
    results = tuple(done[order.key] for order in orders if order.key in done)
    labels = data.folded.part.labels
    judged = [data.folded.is_validation(seed) for seed in range(plan.n_seeds)]
    parts = [JudgedOn(labels[chosen], data.clusters[chosen]) for chosen in judged]
    generator = stream(plan.first.seed, "bootstrap")
    judgement = judge(
        list(plan.plans), results, measure=data.measure, n_seeds=plan.n_seeds, judged_on=parts, generator=generator
    )
    return Swept(data, results, judgement, time.monotonic() - began, len(done) - n_before)


def _orders(plan: SweepPlan, data: SweepData, folder: Path, n_threads: int) -> list[TrialOrder]:
    """One a setting and seed: all settings with the first seed, then all with the second."""
    everywhere = {"metric": data.measure.metric, "device": data.device, "threads": n_threads, "heldout": version()}
    digests = [data.folded.digest(seed) for seed in range(plan.n_seeds)]
    return [
        TrialOrder(
            key=trial_key(
                setting_plan,
                seed,
                everywhere | {"data": digests[seed], "weights": data.weights.get(setting.backbone, "")},
            ),
            setting=setting,
            plan=setting_plan,
            seed=seed,
            metric=data.measure.metric,
            device=data.device,
            folder=folder.resolve(),
            cache=cache_folder().resolve(),
        )
        for seed in range(plan.n_seeds)
        for setting, setting_plan in plan.plans.items()
    ]


def _known(folder: Path, keys: set[str]) -> dict[str, TrialResult]:
    """Results that stand in this ledger, or in that of another sweep beside it, where the very same trial was done."""
    own = {result.key: result for result in read_ledger(folder / LEDGER)}
    done = {key: result for key, result in own.items() if key in keys and result.outcome != "failed"}
    for ledger in sorted(folder.parent.glob(f"*/{LEDGER}")):
        if ledger.parent == folder or keys <= done.keys():
            continue
        for result in read_ledger(ledger):
            if result.key in keys and result.key not in done and result.outcome != "failed":
                append_result(folder / LEDGER, result)
                done[result.key] = result
    return done


def _rungs(
    plan: SweepPlan, orders: Sequence[TrialOrder], done: Mapping[str, TrialResult], measure: Measure
) -> Iterator[Sequence[TrialOrder]]:
    """Which trials come next; with halving that depends on what is done."""
    if not plan.halving:
        yield orders
        return
    left = set(plan.plans)
    first, n = 0, 1
    while first < plan.n_seeds:
        yield [order for order in orders if order.setting in left and first <= order.seed < n]
        means = _mean_shares(orders, done, n, measure)
        better = sorted((setting for setting in plan.plans if setting in left), key=lambda setting: -means[setting])
        left = set(better[: max(1, -(-len(better) // 2))])
        first, n = n, min(2 * n, plan.n_seeds)
    # Where those that are left came to nothing after all, the best of the others is taken up again.
    for setting in sorted(set(plan.plans) - left, key=lambda setting: -_mean_shares(orders, done, 1, measure)[setting]):
        if any(score >= 0 for score in _mean_shares(orders, done, plan.n_seeds, measure).values()):
            return
        yield [order for order in orders if order.setting == setting]


def _mean_shares(
    orders: Iterable[TrialOrder], done: Mapping[str, TrialResult], n_seeds: int, measure: Measure
) -> dict[Setting, float]:
    """How well each setting did over the first so many seeds, 0 to 1; -1 where one of these gave no score."""
    scores: dict[Setting, list[float]] = {}
    for order in orders:
        if order.seed < n_seeds:
            score = done[order.key].score if order.key in done else None
            scores.setdefault(order.setting, []).append(math.nan if score is None else score)
    shares = {setting: measure.as_shares(np.array(own)) for setting, own in scores.items()}
    return {setting: -1.0 if np.isnan(own).any() else float(own.mean()) for setting, own in shares.items()}


def _rehearse(runner: Runner, missing: Sequence[TrialOrder]) -> None:
    """What several trials would find out by measuring is found out once, one after another, on a quiet machine."""
    kinds = {(*order.setting.kind, order.setting.batch_size): order for order in missing}
    for order in kinds.values():
        for _, result in runner.run(rehearse, [order]):
            if isinstance(result, Lost):
                log.warning("%s could not be tried out: %s", order.setting.regime, result.why)


def _carried_out(runner: Runner, orders: Sequence[TrialOrder]) -> Iterator[TrialResult]:
    for order, result in runner.run(run_trial, orders):
        if isinstance(result, Lost):
            yield TrialResult(key=order.key, setting=order.setting, seed=order.seed, outcome="failed", why=result.why)
        else:
            yield result
