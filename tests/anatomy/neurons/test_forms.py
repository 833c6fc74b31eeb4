"""Centres and principal axes, against numpy's solvers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heldout.anatomy.neurons.forms import Form

QUICK = settings(max_examples=40, deadline=None, derandomize=True)


@st.composite
def _forms(draw: st.DrawFn) -> Form:
    first, mixed, second, slope, other, constant = (Fraction(draw(st.integers(-9, 9)), 4) for _ in range(6))
    return Form(first, mixed, second, (slope, other), constant)


forms = _forms()


def matrix(form: Form) -> np.ndarray:
    return np.array([[form.first, form.mixed], [form.mixed, form.second]], float)


@QUICK
@given(forms)
def test_weights_are_the_eigenvalues_along_their_axes(form: Form) -> None:
    weights, axes = form.principal()
    np.testing.assert_allclose(sorted(weights), np.linalg.eigvalsh(matrix(form)), atol=1e-12)
    for weight, axis in zip(weights, axes, strict=True):
        np.testing.assert_allclose(matrix(form) @ axis, weight * np.array(axis), atol=1e-12)
    np.testing.assert_allclose(np.array(axes) @ np.array(axes).T, np.eye(2), atol=1e-15)
    assert form.signs == tuple(int(np.sign(weight)) for weight in weights)


@QUICK
@given(forms)
def test_the_form_is_symmetric_about_its_centre(form: Form) -> None:
    if not form.has_centre:
        # Then no point makes the slope vanish: the two sides of A c = -slope / 2 do not fit.
        stacked = np.column_stack([matrix(form), [-float(each) / 2 for each in form.slope]])
        assert (
            np.linalg.matrix_rank(stacked, tol=1e-9) > np.linalg.matrix_rank(matrix(form), tol=1e-9) or form.is_linear
        )
        return
    u, v = form.centre
    assert 2 * (form.first * u + form.mixed * v) == -form.slope[0]
    assert 2 * (form.mixed * u + form.second * v) == -form.slope[1]
    value = form.first * u * u + 2 * form.mixed * u * v + form.second * v * v + form.slope[0] * u + form.slope[1] * v
    assert form.at_centre == value + form.constant


@pytest.mark.parametrize("power", [-90, -30, 30, 90])
def test_the_smaller_weight_is_not_lost_beside_the_larger(power: int) -> None:
    small = Fraction(10) ** -abs(power)
    # Eigenvalues 1 and `small` on axes turned by 45 degrees.
    form = Form((1 + small) / 2, (1 - small) / 2, (1 + small) / 2, (Fraction(0), Fraction(0)), Fraction(0))
    (larger, smaller), _ = form.principal()
    assert larger == pytest.approx(1, rel=1e-14)
    assert smaller == pytest.approx(float(small), rel=1e-14)
    assert form.signs == (1, 1)
