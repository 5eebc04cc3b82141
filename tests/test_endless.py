"""The portrait of portraits: a fixed point, and a zoom that comes back to its first frame."""

from __future__ import annotations

import numpy as np
import pytest

import artgen
from artgen.animation import Shot
from artgen.errors import UsageError
from artgen.values.frame import Frame
from artgen_plugins.endless import (
    CELLS,
    DETAIL,
    SAME,
    ZOOM_INTO,
    drawn_anew,
    into_itself,
    parse_place,
)

SIDE = 8 * CELLS


@pytest.fixture(scope="module")
def frames():
    y, x = np.mgrid[:24, :24]
    photo = np.stack([10 * x, 10 * y, 120 + 0 * x], -1).astype(np.uint8)
    art = artgen.fit(photo, "rectangle", count=8, steps=8, seed=1)
    return ZOOM_INTO.prepare(Shot(art, Frame(SIDE), 4.0, given=(0.3, 0.4)))


def test_each_cell_of_the_fixed_point_is_the_whole_in_another_tone():
    rng = np.random.default_rng(0)
    tone = np.repeat(np.repeat(rng.uniform(0, 255, (4, 4, 3)), 60, 0), 60, 1).astype(np.float32)
    whole = into_itself(tone, 12)  # cells of 20 pixels
    small = whole.reshape(20, 12, 20, 12, 3).mean((1, 3))
    flat = whole[65:75, 65:75]  # within a cell whose tone has no gradient, but for its own picture
    wanted = DETAIL * (small - small.mean((0, 1)))
    cell = whole[80:100, 80:100] - whole[80:100, 80:100].mean((0, 1))
    inner = np.s_[4:-4, 4:-4]
    assert np.corrcoef(cell[inner].ravel(), wanted[inner].ravel())[0, 1] > 0.9
    assert flat.std() > 3


def test_drawn_anew_it_stays_as_it_is():
    base = np.random.default_rng(0).uniform(30, 220, (48, 72, 3)).astype(np.float32)
    found = base
    changes = []
    for _ in range(6):
        before, found = found, drawn_anew(found, base, 6)
        changes.append(float(np.abs(found - before).max()))
    assert changes[0] > 10
    assert changes[-1] < SAME


def test_the_zoom_ends_where_it_began(frames):
    first, last, before = frames(0.0), frames(1.0), frames(0.9)
    assert np.abs(first.astype(int) - last).mean() < 2.5
    assert np.abs(first.astype(int) - before).mean() > 8
    soon = frames(1e-5)
    assert np.abs(first.astype(int) - soon).mean() < 3


def test_a_face_that_is_cut_off_has_its_eye_at_the_edge(monkeypatch):
    """The cell of an eye to the left of the frame held nothing, and its mean was no colour."""
    monkeypatch.setattr("artgen_plugins.endless.find_faces", lambda pixels: ((0.05, 0.01, 0.9),))
    photo = np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8)
    art = artgen.fit(photo, "rectangle", count=4, steps=2, seed=1)
    into, named = (
        ZOOM_INTO.prepare(Shot(art, Frame(SIDE), 4.0, given=given)) for given in (None, (0.0, 0.0))
    )
    np.testing.assert_array_equal(into(0.5), named(0.5))


def test_a_place_is_two_shares_and_other_texts_are_refused():
    assert parse_place("") is None
    assert parse_place("0.25,1") == (0.25, 1.0)
    for text in ("eye", "0.2", "0.2,1.5", "nan,0.5", "1,2,3"):
        with pytest.raises(UsageError, match="no place"):
            parse_place(text)
