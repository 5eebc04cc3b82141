"""Pixels, PNG files that carry their recipe, contact sheets."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

import artgen
from artgen.base.errors import Diverged, UsageError
from artgen.output import contact_sheet, encode_photo, encode_png, to_pixels
from artgen.output.still import caption_font

RECIPE = '{"schema":1,"target":{"source":"Straßenkatze 猫.png"}}'


def noise(height, width, channels=3):
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pixels_round_trip_exactly(dtype):
    every = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    assert np.array_equal(to_pixels(every.astype(dtype) / 255), every)


def test_pixels_are_clamped_and_rounded_half_up():
    image = np.array([[[-3.0, 0.5 / 255, 1.49 / 255, 1.5 / 255, 2.5 / 255, 1.0, np.inf]]])
    assert to_pixels(image).tolist() == [[[0, 1, 1, 2, 3, 255, 255]]]


def test_nan_is_refused():
    with pytest.raises(Diverged, match="NaN"):
        to_pixels(np.array([[[0.0, np.nan, 1.0]]]))


@pytest.mark.parametrize(("suffix", "most"), [("jpg", 65_500), ("avif", 32_768)])
def test_photos_have_no_sides_that_cannot_be_read(suffix, most):
    """Of an AVIF nobody could read what was written; a JPEG was refused by "the system"."""
    data = encode_photo(np.zeros((1, most, 3), np.uint8), suffix, RECIPE)
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (most, 1)
    with pytest.raises(UsageError, match=f"at most {most:,} pixels"):
        encode_photo(np.zeros((1, most + 1, 3), np.uint8), suffix, RECIPE)


@pytest.mark.parametrize("channels", [3, 4])
def test_png_round_trip(channels):
    pixels = noise(7, 5, channels)
    with Image.open(io.BytesIO(encode_png(pixels, RECIPE))) as picture:
        assert np.array_equal(np.asarray(picture), pixels)
        assert picture.info["artgen:recipe"] == RECIPE
        assert picture.info["Software"] == f"artgen {artgen.__version__}"


def test_png_holds_one_itxt_chunk_and_no_time():
    data = encode_png(noise(4, 4), RECIPE)
    assert data.count(b"iTXt") == 1
    assert b"tIME" not in data
    assert b"iTXt" not in encode_png(noise(4, 4))


def test_png_bytes_are_deterministic():
    assert encode_png(noise(32, 32), RECIPE) == encode_png(noise(32, 32), RECIPE)


def test_png_level_trades_size_for_speed_only():
    smooth = np.linspace(0, 255, 64 * 64 * 3).astype(np.uint8).reshape(64, 64, 3)
    fast, small = encode_png(smooth, level=1), encode_png(smooth, level=9)
    assert len(small) < len(fast)
    assert np.array_equal(Image.open(io.BytesIO(fast)), smooth)


def test_png_of_a_view():
    assert encode_png(noise(6, 6)[::-1, ::2]) == encode_png(noise(6, 6)[::-1, ::2].copy())


@pytest.mark.parametrize(
    "pixels", [np.zeros((2, 2, 3)), np.zeros((2, 2), np.uint8), np.zeros((2, 2, 2), np.uint8)]
)
def test_png_refuses_other_arrays(pixels):
    with pytest.raises(ValueError, match="uint8"):
        encode_png(pixels)


def flat(colour, height=100, width=100):
    return np.full((height, width, len(colour)), colour, np.uint8)


RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def test_contact_sheet_keeps_order_and_size():
    sheet = contact_sheet([(flat(RED), "a"), (flat(GREEN), "b"), (flat(BLUE), "c")])
    assert sheet.dtype == np.uint8
    centres = {}
    for colour in (RED, GREEN, BLUE):
        rows, columns = np.nonzero((sheet == colour).all(-1))
        assert len(rows) == 120 * 120  # small pictures are enlarged to a readable size
        centres[colour] = (rows.mean(), columns.mean())
    # Read like text: by row, then by column.
    assert sorted(centres, key=lambda c: centres[c]) == [RED, GREEN, BLUE]
    assert tuple(sheet[0, 0]) == (14, 14, 16)


@pytest.mark.parametrize("count", [4, 9, 12, 20, 57])
@pytest.mark.parametrize("size", [(100, 100), (60, 140), (160, 90)])
def test_contact_sheet_is_near_16_to_10(count, size):
    sheet = contact_sheet([(flat(RED, *size), "seed")] * count)
    assert 0.8 < sheet.shape[1] / sheet.shape[0] < 2.6


def test_contact_sheet_prefers_full_rows():
    sheet = contact_sheet([(flat(RED), "seed")] * 12)
    columns = np.flatnonzero((sheet == RED).all(-1).any(0))
    assert len(columns) == 4 * 120


def test_a_row_of_a_contact_sheet_is_as_high_as_its_tallest():
    """One square picture left bands above three rows of wide ones."""
    wide, square = np.full((40, 80, 3), 200, np.uint8), np.full((80, 80, 3), 200, np.uint8)
    low, high = (
        contact_sheet([(wide, "a"), (wide, "b"), (each, "c")], columns=2) for each in (wide, square)
    )
    assert low.shape[1] == high.shape[1]
    # A cell is at least 120 pixels wide.
    assert high.shape[0] - low.shape[0] == 60
    assert (low[:60] == high[:60]).all()


def test_contact_sheet_of_one_and_of_extreme_aspects():
    for height, width in [(1, 1), (3000, 20), (20, 3000), (2000, 3000)]:
        sheet = contact_sheet([(flat(RED, height, width), "one")])
        assert (sheet == RED).all(-1).any()
        assert max(sheet.shape) < 600


def test_contact_sheet_captions_are_drawn_and_cut():
    plain = contact_sheet([(flat(RED), "")])
    short = contact_sheet([(flat(RED), "seed 7")])
    long = contact_sheet([(flat(RED), "a very long caption that cannot fit " * 5)])
    assert (plain != short).any()
    assert plain.shape == long.shape
    margin = 6
    assert (long[:, -margin:] == long[0, 0]).all()
    assert (short != plain).any(-1).nonzero()[0].min() > 120


def test_contact_sheet_captions_may_have_several_lines():
    one = contact_sheet([(flat(RED), "name"), (flat(RED), "other")])
    two = contact_sheet([(flat(RED), "name\n20 dB"), (flat(RED), "other")])
    assert two.shape[0] > one.shape[0]
    assert two.shape[1] == one.shape[1]
    # The first line is where it was.
    height = one.shape[0] - 6
    assert (two[:height] == one[:height]).all()


def test_contact_sheet_with_a_number_of_columns_and_larger_cells():
    sheet = contact_sheet([(flat(RED, 900, 300), "")] * 4, columns=4, longest=800)
    shown = (sheet == RED).all(-1)
    assert shown.any(1).sum() == 800
    assert shown.any(0).sum() == 4 * 267


def test_contact_sheet_lays_transparency_on_its_background():
    sheet = contact_sheet([(flat((255, 0, 0, 0)), "clear")])
    assert (sheet[10:120, 10:120] == (14, 14, 16)).all()


def test_contact_sheet_of_nothing():
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([])


@pytest.mark.parametrize("name", ["gaussian", "rotated_ellipse"])
def test_a_large_still_averages_to_the_small_one(name):
    quick = {"restarts": 2, "moves": 1, "candidates": 30, "patience": 20}
    how = {"steps": 20} if name == "gaussian" else {"engine_options": quick}
    art = artgen.fit("sample:astronaut", name, count=20, size=48, seed=1, threads=1, **how)
    small, large = (art.render(size).astype(np.float64) for size in (256, 2048))
    averaged = large.reshape(256, 8, 256, 8, 3).mean(axis=(1, 3))
    error = np.abs(averaged - small)
    assert 10 * np.log10(255**2 / (error**2).mean()) > 55
    # Smooth parts agree everywhere. Where edges of shapes cross, the order of mixing and averaging
    # counts.
    assert np.quantile(error, 1 if name == "gaussian" else 0.999) < 2.5


@pytest.mark.nightly
@pytest.mark.parametrize(
    "name",
    [
        "blob",
        "glyph",
        "stamp",
        "bezier",
        "mesh",
        "stipple",
        "halftone",
        "mosaic",
        "string",
        "path",
        "stroke",
        "voronoi",
        "brush",
        "hatch",
        "tube",
        "panes",
        "cloud",
        "shard",
    ],
)
def test_a_still_of_4096_pixels_averages_to_one_of_256(name):
    count = 2000 if name in ("hatch", "tube", "panes") else 40  # of marks, which are small
    art = artgen.fit("sample:astronaut", name, count=count, steps=6, size=64, seed=3, threads=1)
    small, large = (art.render(size).astype(np.float64) for size in (256, 4096))
    error = np.abs(large.reshape(256, 16, 256, 16, 3).mean(axis=(1, 3)) - small)
    # The veins of a stamp's leaf, and the streaks of glass, are thinner than a pixel of the small one.
    least = {"stamp": 35, "panes": 48}.get(name, 52)
    assert 10 * np.log10(255**2 / (error**2).mean()) > least


def test_captions_have_the_letters_of_names():
    """They were boxes, one like the other."""
    letters = "äüßéñøłåç\ufffd"
    font = caption_font(20, letters)
    assert len({bytes(font.getmask(letter)) for letter in letters}) == 10
    assert caption_font(20, "plain").getname() != font.getname()
