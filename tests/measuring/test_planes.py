"""The plane of the principal components, of tall tables and of wide ones."""

import numpy as np
import pytest

from heldout.measuring.planes import plane_of_components


def test_a_table_wider_than_tall_has_the_plane_that_its_covariances_give() -> None:
    wide = np.random.default_rng(0).normal(size=(12, 40)) * np.linspace(3, 0.1, 40)
    plane = plane_of_components(wide, what="the 40 inputs")
    centred = wide - wide.mean(axis=0)
    variances, vectors = np.linalg.eigh(centred.T @ centred)
    np.testing.assert_allclose(np.abs(plane.directions), np.abs(vectors[:, [-1, -2]].T), atol=1e-8)
    assert plane.share == pytest.approx(variances[-2:].sum() / variances.sum())
    largest = np.abs(plane.directions).argmax(axis=1)
    assert (plane.directions[[0, 1], largest] > 0).all()


def test_ten_thousand_columns_take_memory_for_the_table_and_not_for_its_square() -> None:
    plane = plane_of_components(np.random.default_rng(1).normal(size=(30, 10_000)), what="the inputs")
    assert plane.directions.shape == (2, 10_000)
    np.testing.assert_allclose(plane.directions @ plane.directions.T, np.eye(2), atol=1e-9)
