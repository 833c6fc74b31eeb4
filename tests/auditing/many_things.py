# mypy: disable-error-code="no-untyped-call"
"""A script that does with torch what scripts do with it, and prints what comes of it: watched, it prints the same."""

import copy
import gc
import hashlib
import inspect
import io
import pickle
import random
import tempfile
import warnings
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
import torch.fx
from torch import nn
from torch.func import functional_call, grad, vmap
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel
from torch.optim import lr_scheduler
from torch.optim.swa_utils import SWALR, AveragedModel, update_bn
from torch.utils.checkpoint import checkpoint
from torch.utils.data import (
    ConcatDataset,
    DataLoader,
    Dataset,
    DistributedSampler,
    IterableDataset,
    TensorDataset,
    WeightedRandomSampler,
    random_split,
)

X = torch.randn(60, 3, 8, 8, generator=torch.Generator().manual_seed(1))
Y = torch.arange(60) % 3
DATA = TensorDataset(X, Y)
CASES: list[Callable[[], Any]] = []


def case(function: Callable[[], Any]) -> Callable[[], Any]:
    CASES.append(function)
    return function


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.drop, self.fc = nn.Dropout(0.3), nn.Linear(64, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = functional.max_pool2d(functional.relu(self.norm(self.conv(x))), 2)
        x = functional.dropout(x, 0.2, self.training)
        return self.fc(self.drop(x.flatten(1)))  # type: ignore[no-any-return]


class Noisy(Dataset[Any]):
    def __len__(self) -> int:
        return 20

    def __getitem__(self, number: int) -> Any:
        return X[number] + random.random() + np.random.rand() + torch.rand(1), Y[number]  # noqa: NPY002


class Stream(IterableDataset[Any]):
    def __iter__(self) -> Iterator[Any]:
        return iter(zip(X, Y, strict=True))


def told(*tensors: Any) -> str:
    return hashlib.sha256(b"".join(each.detach().contiguous().numpy().tobytes() for each in tensors)).hexdigest()[:12]


def weights(model: Any) -> str:
    return told(*model.state_dict().values())


def trained(model: Any, loader: Any = None, optimiser: Any = None, schedule: Any = None) -> tuple[float, str]:
    optimiser = optimiser or torch.optim.SGD(model.parameters(), 0.1)
    total = 0.0
    for x, y in loader or DataLoader(DATA, 7, shuffle=True):
        optimiser.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        optimiser.step()
        total += loss.item()
    if schedule:
        schedule.step()
    return total, weights(model)


@case
def training() -> Any:
    model = Net()
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    schedule = lr_scheduler.CosineAnnealingLR(optimiser, 5)
    return [trained(model, None, optimiser, schedule) for _ in range(2)]


@case
def schedules() -> Any:
    optimiser = torch.optim.SGD(Net().parameters(), 0.1)
    found = []
    for schedule in (
        lr_scheduler.StepLR(optimiser, 1),
        lr_scheduler.OneCycleLR(optimiser, 0.1, total_steps=10),
        lr_scheduler.CosineAnnealingWarmRestarts(optimiser, 3),
        lr_scheduler.SequentialLR(
            optimiser, [lr_scheduler.ConstantLR(optimiser), lr_scheduler.ExponentialLR(optimiser, 0.9)], [2]
        ),
    ):
        optimiser.step()
        schedule.step()
        state = schedule.state_dict()
        file = io.BytesIO()
        torch.save(state, file)
        schedule.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=False))
        found.append((sorted(state), schedule.get_last_lr(), pickle.loads(pickle.dumps(schedule)).get_last_lr()))
    plateau = lr_scheduler.ReduceLROnPlateau(optimiser)
    plateau.step(1.0)
    return found, sorted(vars(copy.deepcopy(plateau))), schedule.step.__qualname__


@case
def scripted() -> Any:
    model = torch.jit.script(Net())

    @torch.jit.script
    def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(x, y) + x.max(1)[0].sum() + torch.argmax(x, 1).sum()

    return trained(model), loss(X[:, :, 0, 0], Y).item()


@case
def traced() -> Any:
    class Picks(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def forward(self, x: torch.Tensor) -> Any:
            scores = functional.dropout(self.fc(x), 0.1, self.training)
            return torch.argmax(scores, 1), torch.max(x, 1), functional.cross_entropy(x, x)

    symbols = torch.fx.symbolic_trace(Picks()).code, torch.fx.symbolic_trace(Net().eval()).code
    return symbols, told(torch.jit.trace(Net().eval(), X[:4])(X[:5]))


@case
def compiled() -> Any:
    model = Net()

    @torch.compile(backend="eager", fullgraph=True)
    def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(model(x), y)

    exported = torch.export.export(Net().eval(), (X[:4],))
    outer = trained(torch.compile(Net(), backend="eager", fullgraph=True))
    return outer, loss(X, Y).item(), len(list(exported.graph.nodes)), told(exported.module()(X[:4]))


@case
def transformed() -> Any:
    model = Net().eval()
    values = dict(model.named_parameters())

    def loss(values: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(functional_call(model, values, (x,)), y)

    each = vmap(grad(loss), in_dims=(None, 0, 0))(values, X[:, None], Y[:, None])
    return told(*grad(loss)(values, X, Y).values()), told(each["fc.weight"])


@case
def recomputed() -> Any:
    models = Net(), Net()
    for model, reentrant in zip(models, (True, False), strict=True):
        x = X[:8].clone().requires_grad_()
        functional.cross_entropy(checkpoint(model, x, use_reentrant=reentrant), Y[:8]).backward()
    return [told(model.fc.weight.grad) for model in models]


@case
def mixed_precision() -> Any:
    model, scaler = Net(), torch.amp.GradScaler("cpu")
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for x, y in DataLoader(DATA, 9, shuffle=True):
        with torch.autocast("cpu", torch.bfloat16):
            loss = functional.cross_entropy(model(x), y)
        optimiser.zero_grad()
        scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()
    return weights(model), scaler.state_dict()


@case
def closures() -> Any:
    model = nn.Linear(192, 3)
    optimiser = torch.optim.LBFGS(model.parameters(), max_iter=5)

    def closure() -> float:
        optimiser.zero_grad()
        loss = functional.cross_entropy(model(X.flatten(1)), Y)
        loss.backward()
        return loss.item()

    return optimiser.step(closure), weights(model)


@case
def gradients() -> Any:
    model = nn.Sequential(nn.Flatten(), nn.Linear(192, 4))
    x = X.clone().requires_grad_()
    (slope,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
    slope.norm().backward()
    scores = model(X)
    parts = scores.chunk(2, 1)
    scores.mul_(2)
    scores[:, 0] = 0
    scores.sum().backward(retain_graph=True)
    scores.sum().backward()
    return told(model[1].weight.grad), len(parts)


@case
def hooked() -> Any:
    model, seen = Net(), list[Any]()
    model.fc.register_forward_hook(lambda _, given, scores: seen.append((len(given), tuple(scores.shape))))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.register_full_backward_hook(lambda *given: seen.append(len(given)))
        functional.cross_entropy(model(X), Y).backward()
        functional.mse_loss(torch.ones(2), torch.ones(2, 1))
        torch.save(model(X), io.BytesIO())
    return seen, [(str(each.message)[:40], Path(each.filename).name, each.lineno) for each in caught]


@case
def loaded() -> Any:
    own = torch.Generator().manual_seed(3)
    loaders: tuple[DataLoader[Any], ...] = (
        DataLoader(Noisy(), 4, shuffle=True),
        DataLoader(Stream(), 5),
        DataLoader(Noisy(), 4, shuffle=True, generator=own),
        DataLoader(DATA, 4, sampler=WeightedRandomSampler([1.0] * 60, 30)),
        DataLoader(ConcatDataset(random_split(DATA, [20, 40])), 5),
        DataLoader(Noisy(), 4, num_workers=2, shuffle=True),
    )
    found = [str([batch[0].sum().item() for batch in loader]) for loader in loaders]
    return found, [float(x.sum()) for x, _ in Fickle()]


class Fickle(Dataset[Any]):
    """What a user may write: it says when it is asked, and cannot be compared."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise TypeError("not to be compared")

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            print("was asked for", name)
        raise AttributeError(name)

    def __len__(self) -> int:
        raise RuntimeError("no length")

    def __getitem__(self, number: int) -> Any:
        return X[number], Y[number]

    def __iter__(self) -> Iterator[Any]:
        return iter(DataLoader(self, batch_sampler=[[0, 1], [2]]))


@case
def averaged() -> Any:
    model = Net()
    average = AveragedModel(model)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    trained(model, None, optimiser, SWALR(optimiser, 0.05))
    average.update_parameters(model)
    update_bn(DataLoader(X, 10), average)  # type: ignore[arg-type]
    return weights(average)


@case
def saved() -> Any:
    model, file = Net(), io.BytesIO()
    groups: list[dict[str, Any]] = [{"params": model.conv.parameters()}, {"params": model.fc.parameters(), "lr": 1e-4}]
    optimiser = torch.optim.AdamW(groups)
    optimiser.add_param_group({"params": model.norm.parameters()})
    trained(model, None, optimiser)
    torch.save((model, optimiser, optimiser.state_dict()), file)
    again, other, _ = torch.load(io.BytesIO(file.getvalue()), weights_only=False)
    return weights(again), weights(copy.deepcopy(model)), sorted(vars(other)), model.load_state_dict({}, strict=False)


@case
def signatures() -> Any:
    found = [str(inspect.signature(each)) for each in (functional.cross_entropy, Net().forward, Net.__call__)]
    return found, inspect.getsource(Net.forward)[:30], functional.dropout.__module__, Net.forward.__qualname__


@case
def own_locals() -> Any:
    def run(rate: float = 0.1) -> Any:
        settings = locals()
        model = Net()
        trained(model, DataLoader(DATA, 20), torch.optim.SGD(model.parameters(), rate))
        return sorted(settings)

    return run()


@case
def let_go() -> Any:
    model, x = Net(), X.clone()
    model.conv.weight.requires_grad = False
    scores = model(x)
    gone = [weakref.ref(each) for each in (x, scores)]
    del x, scores
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    trained(model, None, optimiser)
    data = TensorDataset(X.clone(), Y)
    batches = DataLoader(data, 20)
    trained(model, batches)
    batch = next(iter(batches))[0]
    gone += [
        weakref.ref(each)
        for each in (model, model.conv.weight, model.fc.weight, optimiser, data, data.tensors[0], batches, batch)
    ]
    del model, optimiser, data, batches, batch
    gc.collect()
    return [each() is None for each in gone]


@case
def odd_modules() -> Any:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(3, 3)

        def __eq__(self, other: object) -> bool:
            return False

        def __hash__(self) -> int:
            return 1

        def forward(self, *given: Any, **named: Any) -> Any:
            return {"out": [self.fc(X[:, :, 0, 0])], "none": None, "word": "x"}

    class Unfinished(nn.Module):
        def __init__(self) -> None:
            self.x = 1

    empty = nn.Linear(4, 4, device="meta")(torch.ones(2, 4, device="meta"))
    waves = nn.Linear(4, 4, dtype=torch.complex64)(torch.ones(2, 4, dtype=torch.complex64))
    try:
        Unfinished()(X)
    except AttributeError as error:
        return (
            str(error),
            told(Odd()()["out"][0], Odd()(3, a=2)["out"][0]),
            empty.shape,
            told(torch.view_as_real(waves)),
        )


@case
def in_parallel() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=0, world_size=1)
        model = DistributedDataParallel(Net())
        found = trained(model, DataLoader(DATA, 7, sampler=DistributedSampler(DATA)))
        dist.destroy_process_group()
    return found


def main() -> None:
    torch.set_num_threads(1)
    for each in CASES:
        random.seed(0)
        np.random.seed(0)  # noqa: NPY002
        torch.manual_seed(0)
        print(each.__name__, each())
        print("   ", random.random(), np.random.rand(), torch.rand(1).item())  # noqa: NPY002


if __name__ == "__main__":
    main()
