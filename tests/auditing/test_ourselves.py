"""heldout's own training loops, under its own watch: much is seen of them, and nothing is found wrong."""

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest

from heldout.auditing.facts import Facts
from heldout.auditing.judging import judge
from heldout.auditing.rules.every import RULES
from heldout.auditing.watch.watching import Watch
from heldout.estimators.table import TableClassifier
from heldout.training.loop import fit_network
from heldout.training.settings import defaults
from training.small import small_parts, small_task

N_EPOCHS = 3


@contextlib.contextmanager
def clean_watch(n_trained: int, n_held_out: int) -> Iterator[None]:
    """Within: what is done is watched. At its end so many samples were learned from, so many others were evaluated."""
    watch = Watch(__name__)
    watch.begin()
    try:
        yield
    finally:
        log = watch.end()
    assert log.faults == ()
    assert [each for each in judge(log, RULES) if each.severity != "note"] == []
    facts = Facts(log)
    # The late parts of a network are called one by one where its trunk is frozen: each is a model of its own then.
    families = {each.model for each in log.samples if each.trained} & facts.trained_families
    assert max(len(facts.seen_by(family)) for family in families) >= n_trained
    evaluated = [(family, each) for family in families for each in facts.samples_of(family, trained=False)]
    assert max(each.n_given for _, each in evaluated) >= N_EPOCHS * n_held_out
    assert [facts.share_trained(family, each)[0] for family, each in evaluated] == [0] * len(evaluated)
    assert min(len(facts.trainings), len(facts.evaluations)) >= N_EPOCHS
    (optimiser,) = (each for each in log.optimisers if each.models & families)
    assert (optimiser.n_stale, optimiser.unknown, optimiser.n_moved_frozen) == (0, (), 0)
    assert optimiser.n_steps >= N_EPOCHS


@pytest.mark.parametrize("regime", ["partial", "full", "scratch"])
def test_pictures(regime: str) -> None:
    task, parts = small_task(regime), small_parts(regime)
    settings = defaults(regime, {"epochs": N_EPOCHS, "learning_rate": 0.05})
    with clean_watch(len(parts.train.indices), len(parts.validation.indices)):
        fit_network(task, settings, parts=parts, precision="float32", seed=0)


def test_a_table() -> None:
    rows = np.random.default_rng(0).normal(size=(400, 4))
    with clean_watch(300, 80):
        TableClassifier("mlp", epochs=N_EPOCHS).fit(rows, np.where(rows[:, 0] + rows[:, 1] > 0, "yes", "no"))
