"""Augmentation written as an item transform without a split: it works on the validation pictures, too."""
import tempfile

from fastai.vision.all import *
from sklearn.datasets import load_digits

set_seed(10, True)


class Jitter(Transform):
    order = 30  # after the pixels were made floats

    def encodes(self, x: TensorImage):
        angle = (torch.rand(len(x), device=x.device) - 0.5) * 0.6
        theta = torch.zeros(len(x), 2, 3)
        theta[:, 0, 0], theta[:, 0, 1], theta[:, 1, 0], theta[:, 1, 1] = angle.cos(), -angle.sin(), angle.sin(), angle.cos()
        grid = F.affine_grid(theta, list(x.shape), align_corners=False)
        return TensorImage(F.grid_sample(torch.Tensor(x), grid, align_corners=False))


digits = load_digits()
folder = Path(tempfile.mkdtemp())
for i in range(500):
    big = np.kron(digits.images[i] * 15, np.ones((2, 2))).astype(np.uint8)
    PILImage.create(big).save(folder / f"{digits.target[i]}_{i}.png")

dls = ImageDataLoaders.from_name_func(folder, get_image_files(folder), valid_pct=0.2, seed=10, bs=40, num_workers=0,  # <- H106
                                      label_func=lambda name: name.split("_")[0], batch_tfms=[Jitter()], device="cpu")
net = nn.Sequential(ConvLayer(3, 16, stride=2), ConvLayer(16, 32, stride=2), nn.Flatten(), nn.Linear(32 * 16, 10))
learn = Learner(dls, net, loss_func=CrossEntropyLossFlat(), metrics=[accuracy])
with learn.no_bar():
    learn.fit_one_cycle(4, 8e-3)
    print("accuracy on the validation set:", learn.validate()[1])
