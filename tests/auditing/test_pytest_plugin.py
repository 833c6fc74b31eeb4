"""The fixture: a test fails where its numbers are wrong, and passes where they are not."""

import pytest

pytest_plugins = "pytester"
TRAINS = """
import torch
from torch.utils.data import DataLoader, TensorDataset

def go(data, held_out):
    model = torch.nn.Linear(5, 2)
    optimiser = torch.optim.SGD(model.parameters(), 0.1)
    for x, y in DataLoader(data, 10, shuffle=True):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(x), y).backward()
        optimiser.step()
    model.eval()
    with torch.no_grad():
        return sum((model(x).argmax(1) == y).sum().item() for x, y in DataLoader(held_out, 10))

torch.manual_seed(0)
x = torch.randn(80, 5)
data, held_out = (TensorDataset(part, (part[:, 0] > 0).long()) for part in (x[:40], x[40:]))

def test_wrong(heldout_watch):
    go(data, data)

def test_right(heldout_watch):
    go(data, held_out)

def test_both(heldout_watch):
    go(data, data)
    assert 1 == 2

def test_unwatched():
    go(data, data)
"""


def test_a_test_fails_for_an_error_and_says_why(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TRAINS)
    plugin = "heldout.auditing.pytest_plugin"
    result = pytester.runpytest_inprocess("-p", plugin, "-p", "no:cacheprovider", "-W", "ignore")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(["error H101 evaluated-on-trained-samples", "*1 error, 0 warnings*"])
    result.stdout.fnmatch_lines(["*assert 1 == 2*"])
    assert "pytest_plugin.py" not in result.stdout.str()
