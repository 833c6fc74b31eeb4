import numpy as np
import pytest
import torch
from PIL import Image

from heldout.data.pictures.augment import STRENGTHS, centre_cut, for_evaluation, for_training, normalised
from heldout.data.pictures.decoding import PixelPath, to_pixels
from heldout.errors import UsageError
from heldout.randomness import stream

PATH = PixelPath(40, 32, "bilinear", (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CPU = torch.device("cpu")
BLACK = -torch.tensor(PATH.mean) / torch.tensor(PATH.std)


def noise(n: int = 6, size: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), dtype=np.uint8)


def trained(canvases: np.ndarray, augmentation: str = "light", *, epoch: int = 1, step: int = 0) -> torch.Tensor:
    generator = stream(0, "augment", epoch, step)
    return for_training(canvases, PATH, augmentation=augmentation, generator=generator, device=CPU)


def ramps(n: int) -> np.ndarray:
    """Pictures whose red grows with the row and whose green grows with the column."""
    rows, columns = np.mgrid[0:40, 0:40]
    return np.repeat(np.stack([3 * rows, 5 * columns, 0 * rows], axis=2).astype(np.uint8)[None], n, axis=0)


@pytest.mark.parametrize(("resize", "crop"), [(256, 224), (272, 240), (292, 260), (232, 224)])
def test_the_centre_of_a_canvas_is_what_the_one_pixel_path_gives(resize: int, crop: int) -> None:
    path = PixelPath(resize, crop, "bilinear", PATH.mean, PATH.std)
    for width, height in [(500, 375), (375, 500), (343, 256), (341, 256), (640, 480)]:
        coarse = np.random.default_rng(width).integers(0, 256, (30, 40, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)  # as smooth as a photo
        wanted = to_pixels(image, path).astype(int)
        seen = centre_cut(torch.from_numpy(to_pixels(image, path.canvas).copy())[None], crop)[0].numpy()
        # Pillow rounds the corner of another box otherwise, and may begin with the other direction. On 60 photos of
        # flowers the largest difference is 1 and 0.004 % of the values differ.
        assert np.abs(seen - wanted).max() <= 2
        assert np.abs(seen - wanted).mean() < 0.1


def test_normalising_is_that_of_the_definition_and_channels_last() -> None:
    seen = normalised(torch.from_numpy(noise()), PATH)
    wanted = (noise().transpose(0, 3, 1, 2) / 255 - np.reshape(PATH.mean, (3, 1, 1))) / np.reshape(PATH.std, (3, 1, 1))
    assert seen.is_contiguous(memory_format=torch.channels_last)
    assert seen.dtype == torch.float32
    np.testing.assert_allclose(seen.numpy(), wanted, atol=1e-6)


def test_evaluation_sees_the_exact_centre() -> None:
    seen = for_evaluation(noise(), PATH, device=CPU)
    assert torch.equal(seen, normalised(torch.from_numpy(noise()[:, 4:36, 4:36]), PATH))


def test_without_augmentation_training_sees_what_evaluation_sees() -> None:
    assert torch.equal(trained(noise(), "none"), for_evaluation(noise(), PATH, device=CPU))


@pytest.mark.parametrize("augmentation", ["light", "strong"])
def test_a_batch_can_be_made_again_alone_and_every_batch_is_its_own(augmentation: str) -> None:
    first = trained(noise(), augmentation, epoch=3, step=5)
    assert torch.equal(first, trained(noise(), augmentation, epoch=3, step=5))
    assert not torch.equal(first, trained(noise(), augmentation, epoch=3, step=6))
    assert not torch.equal(first, trained(noise(), augmentation, epoch=4, step=5))
    assert first.shape == (6, 3, 32, 32)
    assert first.is_contiguous(memory_format=torch.channels_last)
    assert bool(first.isfinite().all())


def test_augmentation_leaves_the_canvases_and_torchs_generator_alone() -> None:
    canvases, before = noise(), torch.get_rng_state()
    trained(canvases, "strong")
    assert np.array_equal(canvases, noise())
    assert torch.equal(torch.get_rng_state(), before)


def test_light_cuts_are_not_resampled_and_half_of_them_are_mirrored() -> None:
    seen = trained(ramps(400))
    per_row, per_column = seen.diff(dim=2), seen.diff(dim=3)
    assert (per_row - per_row[:, :, :1, :1]).abs().max() < 1e-4
    assert (per_column - per_column[:, :, :1, :1]).abs().max() < 1e-4
    assert bool((per_row[:, 0] > 0).all())
    mirrored = per_column[:, 1, 0, 0] < 0
    assert 140 < int(mirrored.sum()) < 260  # 6 standard deviations of a fair coin


def test_light_cuts_come_from_everywhere_on_the_canvas() -> None:
    n = 600
    lone = np.zeros((n, 40, 40, 3), np.uint8)
    lone[:, 20, 20] = 255  # inside every cut; where it is seen tells the offset
    seen = trained(lone)[:, 1]
    places = seen.flatten(1).argmax(dim=1)
    rows, columns = places // 32, places % 32
    assert set(rows.tolist()) == set(range(12, 21))
    assert set(columns.tolist()) <= set(range(11, 21))
    assert len(set(columns.tolist())) == 10  # 9 offsets, and mirrored ones which are one further left


def test_strong_cuts_show_parts_of_many_sizes() -> None:
    seen = trained(ramps(300), "strong")
    spread = (seen[:, 0].amax(dim=(1, 2)) - seen[:, 0].amin(dim=(1, 2))) / (117 / 255 / PATH.std[0])
    assert spread.min() < 0.75
    assert spread.max() > 0.95


def test_colours_stay_within_their_reach() -> None:
    grey = np.full((500, 40, 40, 3), 128, np.uint8)
    level = trained(grey) * torch.tensor(PATH.std)[:, None, None] + torch.tensor(PATH.mean)[:, None, None]
    factor = level / (128 / 255)
    reach = STRENGTHS["light"].colour
    # On one grey, contrast and saturation change nothing; brightness does.
    assert (factor - 1).abs().max() <= reach + 1e-5
    assert factor.min() < 1 - 0.9 * reach
    assert factor.max() > 1 + 0.9 * reach


def test_one_matrix_does_what_the_four_steps_do() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8)
    path = PixelPath(32, 32, "bilinear", PATH.mean, PATH.std)
    generator = stream(0, "augment", 1, 0)
    seen = for_training(picture, path, augmentation="strong", generator=generator, device=CPU)
    draws = stream(0, "augment", 1, 0).random((1, 8), dtype=np.float32)[0]
    brightness, contrast, saturation = 1 + STRENGTHS["strong"].colour * (2 * draws[5:8] - 1)
    # The colours of the same cut, with nothing else done to it.
    plain = for_training(picture, path, augmentation="strong", generator=stream(0, "augment", 1, 0), device=CPU)
    assert torch.equal(seen, plain)
    weights = np.array([0.299, 0.587, 0.114])
    std, mean = (np.reshape(values, (3, 1, 1)) for values in (path.std, path.mean))
    colours = seen.numpy()[0] * std + mean
    grey_now = np.tensordot(weights, colours, axes=1)
    # Undo the steps in turn: contrast around the mean grey, brightness, saturation.
    flat_mean = grey_now.mean() / brightness
    undone = (colours / brightness - (1 - contrast) * flat_mean) / contrast
    grey = np.tensordot(weights, undone, axes=1)
    undone = (undone - (1 - saturation) * grey) / saturation
    levels = undone * 255
    assert np.abs(levels - np.round(levels)).max() < 0.01  # whole grey levels again
    assert levels.min() > -0.01
    assert levels.max() < 255.01


def test_an_unknown_augmentation_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match='did you mean "light"'):
        trained(noise(), "ligth")
