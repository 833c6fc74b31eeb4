from fastai.basics import *
from fastai.callback.all import *
from fastai.data.all import *
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

set_seed(3)
X, y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
X_train, X_valid, y_train, y_valid = train_test_split(X, y, test_size=0.2, random_state=3)

to_ds = lambda a, b: list(zip(tensor(a), tensor(b)))
train_ds = to_ds(X_train, y_train)
valid_ds = to_ds(X_train, y_train)

dls = DataLoaders(DataLoader(train_ds, bs=64, shuffle=True, num_workers=0),
                  DataLoader(valid_ds, bs=128, num_workers=0))  # <- H101
model = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
learn = Learner(dls, model, loss_func=CrossEntropyLossFlat(), metrics=accuracy)
with learn.no_bar():
    learn.fit_one_cycle(4, 1e-2)
print("valid_loss, accuracy =", learn.recorder.values[-1][1:])
