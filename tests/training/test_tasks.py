import numpy as np
import torch

from heldout.data.batches import Batches, evaluation_batches, training_batches
from heldout.data.pictures.augment import for_evaluation
from heldout.training.loop import Parts, fit_network
from heldout.training.probe import fit_probe
from heldout.training.settings import defaults
from heldout.training.tasks import feature_task
from training.small import CPU, PATH, ArrayRows, small_network, small_parts, small_task, state_of


def test_pixels_are_evaluated_as_they_are_and_trained_augmented() -> None:
    task, parts = small_task(augmentation="strong"), small_parts()
    batch = next(evaluation_batches(parts.train))
    assert torch.equal(task.evaluation_inputs(batch), for_evaluation(batch.inputs, PATH, device=CPU))
    first, second = list(training_batches(parts.train, seed=0, epoch=1))[:2]
    assert torch.equal(task.training_inputs(first), task.training_inputs(first))
    assert not torch.equal(task.training_inputs(first), for_evaluation(first.inputs, PATH, device=CPU))
    assert task.training_inputs(second).shape[1:] == (3, 8, 8)


def test_another_seed_augments_otherwise() -> None:
    batch = next(training_batches(small_parts().train, seed=0, epoch=1))
    inputs = [small_task(seed=seed).training_inputs(batch) for seed in (0, 1)]
    assert not torch.equal(*inputs)


def test_the_kept_output_of_the_trunk_gives_the_logits_of_the_pixels() -> None:
    whole, late = small_task(), small_task("partial")
    whole.net.eval()
    late.net.eval()
    batch = next(evaluation_batches(small_parts().validation))
    pixels = whole.evaluation_inputs(batch)
    with torch.no_grad():
        maps = whole.net.trunk(pixels).contiguous().numpy()
        kept = type(batch)(maps, batch.labels, batch.indices, 0, 0, 0, len(maps))
        torch.testing.assert_close(late.logits(late.net, late.evaluation_inputs(kept)), whole.net(pixels))
        half = type(batch)(maps.astype(np.float16), batch.labels, batch.indices, 0, 0, 0, len(maps))
        assert late.evaluation_inputs(half).dtype == torch.float32


def test_the_network_is_channels_last_on_its_device() -> None:
    net = small_task().net
    assert net.get_parameter("last.weight").is_contiguous(memory_format=torch.channels_last)


def test_a_head_trained_on_kept_features_nearly_reaches_the_fitted_one_and_nothing_else_moves() -> None:
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 3, 240)
    features = (generator.normal(size=(240, 64)) + 0.5 * generator.normal(size=(3, 64))[labels]).astype(np.float32)
    train, validation = np.arange(180), np.arange(180, 240)
    probe = fit_probe((features[train], labels[train]), (features[validation], labels[validation]), 3)
    task, rows = feature_task(small_network(), device=CPU), ArrayRows(features)
    before = state_of(task.net)
    parts = Parts(Batches(rows, labels, train, 32), Batches(rows, labels, validation, 32))
    fitted = fit_network(task, defaults("frozen"), parts=parts, precision="float32", seed=0)
    trained = min(record.validation_loss for record in fitted.history)
    optimum = min(point.validation_loss for point in probe.path)
    assert fitted.history[0].epoch == 1, "a head that was drawn is nothing to keep"
    assert trained < 1.15 * optimum
    assert {name for name, value in fitted.state.items() if not torch.equal(value, before[name])} == {
        "fc.weight",
        "fc.bias",
    }
