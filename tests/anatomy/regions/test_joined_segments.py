"""Segments joined end to end."""

import numpy as np

from heldout.anatomy.regions.joined_segments import join_segments


def _ring(n: int) -> np.ndarray:
    angles = 2 * np.pi * np.arange(n + 1) / n
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    return np.stack([points[:-1], points[1:]], axis=1)


def test_a_closed_line_comes_back_to_its_start_with_every_segment_once() -> None:
    generator = np.random.default_rng(0)
    segments = _ring(40)
    shuffled = segments[generator.permutation(40)]
    shuffled[::2] = shuffled[::2, ::-1]
    (joined,) = join_segments(shuffled + generator.uniform(-1e-9, 1e-9, shuffled.shape), 1e-7)
    assert (joined.points[0] == joined.points[-1]).all()
    assert sorted(joined.segments) == list(range(40))
    np.testing.assert_allclose(np.hypot(*np.diff(joined.points, axis=0).T), 2 * np.sin(np.pi / 40), atol=1e-7)
    for place, number in enumerate(joined.segments):
        ends = np.sort(shuffled[number], axis=0)
        np.testing.assert_allclose(np.sort(joined.points[place : place + 2], axis=0), ends, atol=1e-7)


def test_lines_part_where_more_than_two_segments_meet() -> None:
    star = np.array([[[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]], [[-1.0, -1.0], [0.0, 0.0]]])
    assert sorted(len(joined.points) for joined in join_segments(star, 1e-9)) == [2, 2, 2]


def test_two_lines_apart_stay_apart_and_points_fall_out() -> None:
    segments = np.array([[[0.0, 0.0], [1.0, 0.0]], [[1.0, 1e-3], [2.0, 0.0]], [[5.0, 5.0], [5.0, 5.0]]])
    joined = join_segments(segments, 1e-6)
    assert [each.segments for each in joined] == [(0,), (1,)]


def test_ends_on_the_two_sides_of_a_grid_line_are_one_point() -> None:
    segments = np.array([[[0.0, 0.0], [1.0 - 1e-12, -1e-12]], [[1.0 + 1e-12, 1e-12], [2.0, 0.0]]])
    (joined,) = join_segments(segments, 1e-9)
    assert joined.segments == (0, 1)
