"""Models of rows as arrays: they answer like torch and scikit-learn, one row at a time or all at once."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.models.table_models import Layers, Trees, scorer_of
from heldout.models.table_network import random_table_network


def some_layers(*widths: int, seed: int = 0) -> Layers:
    generator = np.random.default_rng(seed)
    weights = tuple(generator.normal(size=(after, before)).astype(np.float32) for before, after in pairwise(widths))
    return Layers(weights, tuple(generator.normal(size=after).astype(np.float32) for after in widths[1:]))


def one_tree() -> Trees:
    """Left of 0 the first feature decides, right of it the second."""
    return Trees(
        feature=np.array([0, 0, 1, 0, 0]),
        threshold=np.array([0.0, 0.0, 1.0, 0.0, 0.0]),
        left=np.array([1, 0, 3, 0, 0]),
        right=np.array([2, 0, 4, 0, 0]),
        value=np.array([0.0, -1.0, 0.0, 2.0, 3.0]),
        roots=np.array([[0]]),
        columns=np.array([1]),
        baseline=np.array([0.0, 0.5]),
        n_features=2,
    )


@given(n_hidden=st.integers(0, 3), seed=st.integers(0, 100))
@settings(max_examples=20, deadline=None)
def test_layers_answer_as_the_torch_network_does(n_hidden: int, seed: int) -> None:
    net = random_table_network(5, (7,) * n_hidden, 3, generator=torch.Generator().manual_seed(seed))
    rows = np.random.default_rng(seed).normal(size=(20, 5)).astype(np.float32)
    with torch.inference_mode():
        wanted = net(torch.from_numpy(rows)).numpy()
    np.testing.assert_allclose(net.layers().logits(rows), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("model", [some_layers(6, 2), some_layers(6, 64, 33, 4)])
def test_a_row_gets_the_same_bits_alone_and_among_others(model: Layers) -> None:
    rows = np.random.default_rng(1).normal(size=(600, 6)).astype(np.float32)
    together = model.logits(rows)
    for chosen in ([0], [599], [3, 300], list(range(255, 258))):
        assert np.array_equal(model.logits(rows[chosen]), together[chosen])


def test_rows_go_down_a_tree() -> None:
    rows = np.array([[-1.0, 9.0], [1.0, 0.0], [1.0, 2.0], [0.0, 9.0]])
    assert one_tree().logits(rows).tolist() == [[0, -0.5], [0, 2.5], [0, 3.5], [0, -0.5]]


def test_a_shift_moves_the_logits_and_nothing_else() -> None:
    rows = np.random.default_rng(2).normal(size=(9, 2))
    for model in (some_layers(2, 5, 2), one_tree()):
        moved = model.shifted(np.array([0.25, -1.0]))
        np.testing.assert_allclose(moved.logits(rows), model.logits(rows) + np.array([0.25, -1.0]), atol=1e-6)


def test_the_first_trees_are_those_of_the_first_stages() -> None:
    tree = one_tree()
    rows = np.array([[-1.0, 9.0]])
    before, after = (logits.copy() for logits in tree.staged(rows))
    assert before.tolist() == [[0.0, 0.5]]
    assert tree.first(0).logits(rows).tolist() == before.tolist()
    assert tree.first(1).logits(rows).tolist() == after.tolist()


@pytest.mark.parametrize("name", ["linear", "mlp", "boosting"])
def test_tensors_make_the_model_again(name: str) -> None:
    model = one_tree() if name == "boosting" else some_layers(2, *((4,) if name == "mlp" else ()), 2)
    rows = np.random.default_rng(3).normal(size=(9, 2))
    again = scorer_of(name, model.tensors())
    assert np.array_equal(again.logits(rows), model.logits(rows))
    assert (again.n_features, again.n_classes, again.n_parameters) == (2, 2, model.n_parameters)


def test_tensors_that_make_no_model_are_refused() -> None:
    tensors = one_tree().tensors()
    for name, wrong in (
        ("left", np.array([1, 0, 1, 0, 0])),  # a child before its parent: for ever round
        ("right", np.array([9, 0, 4, 0, 0])),
        ("feature", np.array([0, 0, 7, 0, 0])),
        ("value", np.array([0.0, np.nan, 0.0, 2.0, 3.0])),
        ("columns", np.array([5])),
        ("roots", np.array([[8]])),
    ):
        with pytest.raises(ValueError, match="do not make trees"):
            scorer_of("boosting", tensors | {name: wrong})
    layers = some_layers(2, 4, 2).tensors()
    with pytest.raises(ValueError, match=r"no tensor 'output\.weight'"):
        scorer_of("mlp", {name: layers[name] for name in layers if not name.startswith("output")})
    with pytest.raises(ValueError, match="followed by one of 3 inputs"):
        scorer_of("mlp", layers | {"output.weight": np.zeros((2, 3), np.float32)})
    with pytest.raises(ValueError, match="not finite"):
        scorer_of("mlp", layers | {"output.bias": np.array([0, np.inf], np.float32)})
    with pytest.raises(ValueError, match="biases of shape"):
        scorer_of("linear", {"output.weight": np.zeros((2, 3)), "output.bias": np.zeros(3)})


def test_a_network_of_rows_is_drawn_from_its_generator_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first, again, other = (
        random_table_network(4, (5,), 2, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.head.weight, again.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)
