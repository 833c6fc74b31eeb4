import tempfile

from fastai.vision.all import *
from sklearn.datasets import load_digits

set_seed(7, True)
path = Path(tempfile.mkdtemp())
d = load_digits()
for i in range(400):
    folder = path / "valid" / str(d.target[i]) if i % 5 == 0 else path / "train" / str(d.target[i])
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray((d.images[i] * 15).astype(np.uint8)).save(folder / f"{i}.png")

dblock = DataBlock(blocks=(ImageBlock(PILImageBW), CategoryBlock), get_items=get_image_files, get_y=parent_label,
                   splitter=GrandparentSplitter(), batch_tfms=[RandomErasing(p=0.3, max_count=1)])
dls = dblock.dataloaders(path, bs=64, num_workers=0, device=torch.device("cpu"))
model = nn.Sequential(ConvLayer(1, 16), nn.MaxPool2d(2), ConvLayer(16, 32), nn.MaxPool2d(2), Flatten(), nn.Linear(128, dls.c))
learn = Learner(dls, model, loss_func=CrossEntropyLossFlat(), metrics=accuracy, path=path, cbs=[MixUp(0.2)])
with learn.no_bar():
    suggestion = learn.lr_find(num_it=30, show_plot=False)
    print(f"suggested learning rate: {suggestion.valley:.2e}")
    learn.fit_one_cycle(5, 1e-2)
    for name, index in (("train", 0), ("valid", 1)):
        probabilities, targets = learn.get_preds(ds_idx=index)
        print(f"{name} accuracy: {accuracy(probabilities, targets).item():.3f}")
