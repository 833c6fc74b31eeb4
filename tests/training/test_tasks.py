import numpy as np
import torch

from heldout.data.augment import for_evaluation
from heldout.data.batches import evaluation_batches, training_batches
from training.small import CPU, PATH, small_parts, small_task


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
        kept = type(batch)(maps, batch.labels, batch.indices, 0, 0)
        torch.testing.assert_close(late.logits(late.net, late.evaluation_inputs(kept)), whole.net(pixels))
        half = type(batch)(maps.astype(np.float16), batch.labels, batch.indices, 0, 0)
        assert late.evaluation_inputs(half).dtype == torch.float32


def test_the_network_is_channels_last_on_its_device() -> None:
    net = small_task().net
    assert net.get_parameter("last.weight").is_contiguous(memory_format=torch.channels_last)
