"""Where the answer of a model changes: planes, the exact line, honest thinning, and the files of it."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float

from heldout.errors import DamagedRun
from heldout.measuring.boundary import Boundary, Line, boundary_of, exact_line, thinned
from heldout.measuring.boundary_files import JSON, PARQUET, read_boundary, write_boundary
from heldout.measuring.decisions import at_threshold
from heldout.measuring.planes import (
    Plane,
    plane_of_columns,
    plane_of_components,
    plane_of_inputs,
    two_most_important,
)
from heldout.measuring.predictions import Predictions, log_softmax

MEAN, SCALE = np.array([5.0, -2.0]), np.array([3.0, 0.5])
WEIGHTS, BIASES = np.array([[0.3, -0.2], [1.1, 0.9]]), np.array([0.2, -0.5])


def drawn_from(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def linear(values: Float[np.ndarray, "examples inputs"]) -> Float[np.ndarray, "examples classes"]:
    return log_softmax(values @ WEIGHTS.T + BIASES)


def predictions_of(
    values: Float[np.ndarray, "examples inputs"],
    answer: Callable[[Float[np.ndarray, "examples inputs"]], Float[np.ndarray, "examples classes"]] = linear,
    classes: tuple[str, ...] = ("healthy", "sick"),
) -> Predictions:
    told = answer(values)
    noisy = (told + drawn_from(5).gumbel(size=told.shape)).argmax(axis=1)
    return Predictions(tuple(f"row {row}" for row in range(len(values))), noisy, told, classes)


def units() -> Plane:
    return plane_of_inputs(("width", "height"), mean=MEAN, scale=SCALE)


def a_boundary(n: int = 400) -> Boundary:
    values = drawn_from().normal(size=(n, 2))
    line = exact_line(WEIGHTS, BIASES, plane=units())
    return boundary_of(
        values, predictions_of(values), plane=units(), answer=linear, generator=drawn_from(), line=line, part="test"
    )


@pytest.mark.parametrize(("threshold", "positive"), [(0.5, 1), (0.2, 1), (0.7, 0)])
def test_on_the_exact_line_the_probability_is_the_threshold(threshold: float, positive: int) -> None:
    line = exact_line(WEIGHTS, BIASES, plane=units(), decision=at_threshold(threshold, positive=positive))
    assert line is not None
    along = np.linspace(-20, 20, 9)
    points = np.outer(along, [-line.y_weight, line.x_weight]) - line.constant * np.array([line.x_weight, line.y_weight])
    probability = np.exp(linear(units().lifted(points)))[:, positive]
    assert probability == pytest.approx(np.full(9, threshold), abs=1e-12)
    beyond = points + np.array([line.x_weight, line.y_weight])
    assert (np.exp(linear(units().lifted(beyond)))[:, 1] > np.exp(linear(units().lifted(points)))[:, 1]).all()


@pytest.mark.parametrize("threshold", [0.0, 1.0])
def test_a_threshold_that_answers_always_alike_has_no_line(threshold: float) -> None:
    assert exact_line(WEIGHTS, BIASES, plane=units(), decision=at_threshold(threshold, positive=1)) is None
    assert exact_line(np.ones((2, 2)), BIASES, plane=units()) is None


def test_the_line_parts_the_regions_of_the_grid() -> None:
    found = a_boundary()
    assert found.line is not None
    side = found.line.x_weight * found.x[None, :] + found.line.y_weight * found.y[:, None] + found.line.constant
    assert (found.decided == (side > 0)).all()
    assert found.agreement == 1.0


def test_a_decision_moves_the_regions_and_leaves_the_probabilities() -> None:
    values = drawn_from().normal(size=(300, 2))
    found = boundary_of(
        values,
        predictions_of(values).with_decision(at_threshold(0.1, positive=1)),
        plane=units(),
        answer=linear,
        generator=drawn_from(),
    )
    of_second = np.where(found.decided == 1, found.probability, 1 - found.probability)
    assert ((of_second >= 0.1) == (found.decided == 1)).all()
    assert found.probability.min() < 0.2


def test_a_plane_and_its_lifting_undo_each_other() -> None:
    values = drawn_from().normal(size=(50, 4)) * [4, 2, 1, 0.1]
    for plane in (
        plane_of_components(values, what="the last hidden layer"),
        plane_of_columns(values, (1, 3), titles=("age", "dose"), mean=MEAN, scale=SCALE),
    ):
        points = drawn_from(1).normal(size=(20, 2))
        assert plane.drawn(plane.lifted(points)) == pytest.approx(points)


def test_the_components_are_those_of_a_singular_value_decomposition() -> None:
    values = drawn_from().normal(size=(80, 5)) * [5, 3, 1, 1, 0.5]
    plane = plane_of_components(values, what="the 5 inputs")
    _, singular, rows = np.linalg.svd(values - values.mean(axis=0))
    assert np.abs(plane.directions @ rows[:2].T) == pytest.approx(np.eye(2), abs=1e-9)
    assert plane.share == pytest.approx((singular[:2] ** 2).sum() / (singular**2).sum())
    assert (plane.directions.max(axis=1) >= -plane.directions.min(axis=1)).all()
    assert f"hold {plane.share:.0%}".replace("%", "\u202f%") in plane.words


def test_values_that_never_vary_have_a_plane_that_holds_nothing() -> None:
    plane = plane_of_components(np.ones((6, 3)), what="the last hidden layer")
    assert plane.share == 0.0
    assert np.isfinite(plane.directions).all()


def test_the_other_columns_stand_at_their_medians() -> None:
    values = np.array([[0.0, 1.0, 7.0], [0.0, 5.0, 8.0], [1.0, 9.0, 100.0]])
    plane = plane_of_columns(values, (0, 1), titles=("age", "dose"), mean=np.zeros(2), scale=np.ones(2))
    assert plane.lifted(np.array([[3.0, 4.0]])).tolist() == [[3.0, 4.0, 8.0]]
    assert "the other one stands at its median" in plane.words
    whole = plane_of_columns(values[:, :2], (0, 1), titles=("age", "dose"), mean=np.zeros(2), scale=np.ones(2))
    assert whole.kind == "inputs"


def test_a_cut_says_how_often_it_shows_another_answer_than_was_given() -> None:
    values = drawn_from().normal(size=(2000, 3))

    def answer(given: Float[np.ndarray, "examples inputs"]) -> Float[np.ndarray, "examples classes"]:
        return log_softmax(np.stack([np.zeros(len(given)), given[:, 0] + given[:, 2]], axis=1))

    plane = plane_of_columns(values, (0, 1), titles=("a", "b"), mean=np.zeros(2), scale=np.ones(2))
    found = boundary_of(values, predictions_of(values, answer), plane=plane, answer=answer, generator=drawn_from())
    # Two unit normals at 45 degrees: they agree on the sign in three of four cases.
    assert found.agreement == pytest.approx(0.75, abs=0.04)


def test_the_two_inputs_that_matter_are_found() -> None:
    values = drawn_from().normal(size=(600, 5))

    def answer(given: Float[np.ndarray, "examples inputs"]) -> Float[np.ndarray, "examples classes"]:
        return log_softmax(np.stack([np.zeros(len(given)), 2 * given[:, 3] - 3 * given[:, 1] + given[:, 0]], axis=1))

    labels = predictions_of(values, answer).labels
    assert two_most_important(values, labels, answer=answer, generator=drawn_from()) == (1, 3)
    chosen = two_most_important(values, labels, answer=answer, generator=drawn_from(), candidates=[0, 2, 3])
    assert chosen == (0, 3)
    assert two_most_important(values, labels, answer=answer, generator=drawn_from(), candidates=[2]) == (1, 3)


def test_thinning_keeps_the_shares_and_every_kind_of_mistake() -> None:
    labels = np.repeat([0, 1, 2], [80_000, 19_990, 10])
    wrong = drawn_from().random(100_000) < 0.1
    wrong[-10:] = np.arange(10) == 0
    kept = thinned(labels, wrong, generator=drawn_from())
    assert np.bincount(labels[kept]).tolist() == pytest.approx([16_000, 3998, 3], abs=2)
    assert wrong[kept].mean() == pytest.approx(wrong.mean(), abs=1e-3)
    assert wrong[kept][labels[kept] == 2].sum() == 1
    assert len(np.unique(kept)) == len(kept)


def test_above_twenty_thousand_examples_both_numbers_stand_there() -> None:
    found = a_boundary(25_000)
    assert (found.n, len(found.points)) == (25_000, found.n_drawn)
    assert found.n_drawn == pytest.approx(20_000, abs=4)
    assert found.n_mistakes_drawn == (found.labels != found.predicted).sum()
    assert found.n_mistakes_drawn / found.n_mistakes == pytest.approx(0.8, abs=0.01)


def test_a_lone_far_example_is_counted_and_does_not_stretch_the_figure() -> None:
    values = np.concatenate([drawn_from().normal(size=(500, 2)), [[1e6, 0.0]]])
    found = boundary_of(values, predictions_of(values), plane=units(), answer=linear, generator=drawn_from())
    assert found.n_outside == 1
    assert found.x[-1] < 30


@pytest.mark.parametrize("values", [np.zeros((3, 2)), np.array([[1.0, 2.0]])])
def test_examples_at_one_place_are_drawn(values: Float[np.ndarray, "examples inputs"]) -> None:
    found = boundary_of(values, predictions_of(values), plane=units(), answer=linear, generator=drawn_from())
    assert found.n_outside == 0
    assert (np.diff(found.x) > 0).all()
    assert (np.diff(found.y) > 0).all()


@pytest.mark.parametrize("has_line", [True, False])
def test_what_was_written_is_read_again(tmp_path: Path, has_line: bool) -> None:
    written = replace(a_boundary(), line=Line(0.6, 0.8, -1.0) if has_line else None, share=0.25)
    write_boundary(tmp_path, written)
    found = read_boundary(tmp_path)
    assert found is not None
    for name in Boundary.__slots__:
        before, after = getattr(written, name), getattr(found, name)
        if isinstance(before, np.ndarray):
            assert after == pytest.approx(before, rel=1e-6), name
        else:
            assert after == before, name


def test_a_run_without_a_boundary_has_none(tmp_path: Path) -> None:
    assert read_boundary(tmp_path) is None


def test_files_that_do_not_belong_together_are_told(tmp_path: Path) -> None:
    write_boundary(tmp_path, a_boundary())
    content = json.loads((tmp_path / JSON).read_bytes())
    for broken in ({"format": 9}, {"classes": ["healthy"]}, {"grid": [4, 5000]}, {"line": [1.0]}, {"grid": None}):
        (tmp_path / JSON).write_text(json.dumps(content | broken))
        with pytest.raises(DamagedRun, match="do not belong together"):
            read_boundary(tmp_path)
    (tmp_path / PARQUET).unlink()
    with pytest.raises(DamagedRun, match=r"boundary\.parquet cannot be read"):
        read_boundary(tmp_path)
