"""Samples of joined data sets stand in any order in a batch: each keeps its own label and its own look."""

import pytest
import torch
from torch import nn
from torch.utils.data import ConcatDataset, DataLoader, TensorDataset, random_split

from heldout.auditing.watch.identities import order_of, root_of
from heldout.auditing.watch.watching import Watch


def _joined() -> ConcatDataset[tuple[torch.Tensor, ...]]:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(90, 4, generator=generator), torch.randint(0, 3, (90,), generator=generator)
    return ConcatDataset([TensorDataset(x[:50], y[:50]), *random_split(TensorDataset(x[50:], y[50:]), [10, 30])])


def test_the_order_of_what_is_found_in_joined_data_sets() -> None:
    joined, numbers = _joined(), [3, 80, 55, 4, 62]
    found = [(root, number) for root, there in root_of(joined, numbers) for number in there.tolist()]
    for (root, number), at in zip(found, order_of(joined, numbers).tolist(), strict=True):
        assert torch.equal(root[number][0], joined[numbers[at]][0])


@pytest.mark.parametrize("trained", [True, False])
def test_shuffled_samples_of_joined_data_sets_have_the_same_label_and_look_again(trained: bool) -> None:
    torch.manual_seed(0)
    joined, model = _joined(), nn.Linear(4, 3)
    watch = Watch("joined.py")
    watch.begin()
    try:
        for _ in range(3):
            for x, y in DataLoader(joined, batch_size=15, shuffle=True):
                with torch.set_grad_enabled(trained):
                    loss = nn.functional.cross_entropy(model(x), y)
                if trained:
                    loss.backward()  # type: ignore[no-untyped-call]
    finally:
        log = watch.end()
    assert log.faults == ()
    assert [each for each in log.labellings if each.kind == "again"] == []
    assert sum(each.n_given for each in log.samples) == 270
    assert sum(each.n_changed for each in log.samples) == 0
