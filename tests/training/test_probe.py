import numpy as np
import pytest

from heldout.training.probe import fit_probe


def blobs(n: int, seed: int, *, spread: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 3
    return (np.eye(3, 20)[labels] * 4 + rng.normal(size=(n, 20)) * spread).astype(np.float32), labels


def test_the_head_with_the_smallest_validation_loss_is_kept() -> None:
    train, validation = blobs(90, 0, spread=2.0), blobs(60, 1, spread=2.0)
    probe = fit_probe(train, validation, 3)
    (chosen,) = [point for point in probe.path if point.chosen]
    assert chosen.validation_loss == min(point.validation_loss for point in probe.path)
    assert chosen.l2 == probe.head.l2
    logits = probe.head.logits(validation[0])
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(60), validation[1]]
    assert chosen.validation_loss == pytest.approx(losses.mean(), abs=1e-9)
    assert chosen.validation_correct == (logits.argmax(axis=1) == validation[1]).sum()


def test_weaker_penalties_fit_the_training_examples_better() -> None:
    path = fit_probe(blobs(90, 0, spread=2.0), blobs(60, 1, spread=2.0), 3).path
    assert [point.l2 for point in path] == sorted((point.l2 for point in path), reverse=True)
    losses = [point.train_loss for point in path]
    assert losses == sorted(losses, reverse=True)


def test_the_walk_ends_where_nothing_is_gained() -> None:
    path = fit_probe(blobs(90, 0, spread=3.0), blobs(60, 1, spread=3.0), 3).path
    assert 3 <= len(path) < 13
    losses = [point.validation_loss for point in path]
    assert min(losses[:-2]) - min(losses) < 0.002


def test_validation_labels_choose_but_do_not_fit() -> None:
    train, validation = blobs(90, 0, spread=2.0), blobs(60, 1, spread=2.0)
    shuffled = (validation[0], np.roll(validation[1], 1))
    heads = [fit_probe(train, part, 3) for part in (validation, shuffled)]
    shared = min(len(probe.path) for probe in heads)
    assert [p.train_loss for p in heads[0].path[:shared]] == [p.train_loss for p in heads[1].path[:shared]]


def test_a_rare_class_is_walked_to_its_own_best_penalty() -> None:
    generator = np.random.default_rng(0)
    labels = (generator.random(8000) < 0.02).astype(np.int64)
    features = (generator.normal(size=(8000, 2)) + labels[:, None] * [1.5, 1.0]).astype(np.float32)
    halves = ((features[:4000], labels[:4000]), (features[4000:], labels[4000:]))
    probe = fit_probe(*halves, 2)
    chosen = next(point for point in probe.path if point.chosen)
    assert chosen.l2 < 0.05
    assert chosen.validation_loss < 0.8 * probe.path[0].validation_loss
