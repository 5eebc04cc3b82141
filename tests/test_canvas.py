"""Canvas units: the pixel grid, its symmetry, and other sizes of the same aspect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artgen import Canvas
from artgen.errors import UsageError

sides = st.integers(1, 400)


def test_pixel_centres_by_hand():
    x, y = Canvas(4, 2).pixel_centres()
    assert x.tolist() == [-1.5, -0.5, 0.5, 1.5]
    assert y.tolist() == [-0.5, 0.5]
    assert x.dtype == y.dtype == np.float32


def test_a_single_pixel_sits_in_the_middle():
    x, y = Canvas(1, 1).pixel_centres()
    assert (x.tolist(), y.tolist()) == ([0.0], [0.0])
    assert Canvas(1, 1).pixel == 2.0


@given(sides, sides)
def test_the_shorter_side_spans_minus_one_to_one(width, height):
    canvas = Canvas(width, height)
    assert min(canvas.reach) == 1.0
    for centres, reach in zip(canvas.pixel_centres(), canvas.reach, strict=True):
        np.testing.assert_allclose(centres, -centres[::-1], atol=1e-6)
        assert centres[-1] + canvas.pixel / 2 == pytest.approx(reach, rel=1e-6)
        np.testing.assert_allclose(np.diff(centres), canvas.pixel, rtol=1e-3)


@given(sides, sides)
def test_the_area_is_that_of_all_pixels(width, height):
    canvas = Canvas(width, height)
    assert canvas.area == pytest.approx(width * height * canvas.pixel**2)


@given(sides, sides, st.integers(1, 1000))
def test_scaling_keeps_the_aspect(width, height, long_side):
    scaled = Canvas(width, height).scaled(long_side)
    assert max(scaled.width, scaled.height) == long_side
    shorter = long_side * min(width, height) / max(width, height)
    assert min(scaled.width, scaled.height) == max(1, round(shorter))


def test_a_window_lies_where_its_pixels_do():
    whole, (left, top, width, height) = Canvas(8, 5), (3, 1, 4, 2)
    part, (x, y) = whole.window(left, top, width, height)
    for axis, (first, size, centre) in enumerate([(left, width, x), (top, height, y)]):
        own = part.pixel_centres()[axis] + np.float32(centre)
        assert own == pytest.approx(whole.pixel_centres()[axis][first : first + size])


def test_a_finer_grid_shows_the_same_part_of_the_plane():
    canvas = Canvas(6, 4)
    fine = canvas.enlarged(3)
    assert (fine.width, fine.height, fine.pixel) == (18, 12, canvas.pixel / 3)
    assert fine.reach == canvas.reach
    assert fine.enlarged(2).window(0, 0, 12, 8)[0].enlarged(1).pixel == fine.pixel / 2


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 1)])
def test_an_empty_canvas_is_refused(size):
    with pytest.raises(UsageError, match="must be at least 1x1 pixels"):
        Canvas(*size)
