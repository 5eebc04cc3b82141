"""Drawings of ink: marks, tones, files, runs that go on."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
import skimage.data
import torch
from helpers import recipe
from PIL import Image
from scipy.ndimage import gaussian_filter, label
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree
from test_guides import stills

import artgen
from artgen import Canvas, Drawing, Ink, ink
from artgen.animation.morph import morph
from artgen.art import Art, ExportRequest
from artgen.errors import InputError, UsageError
from artgen.events import Advanced, Notice
from artgen.exporters import export_eps, export_html, export_json, export_pdf, export_svg
from artgen.families.ink.export import _rings
from artgen.families.ink.paint import coverage, printed
from artgen.looks import read_look
from artgen.output.parts import flat_parts
from artgen.output.parts.marks import connected
from artgen.output.plotter import Page
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run
from artgen.svg.curves import flatten
from artgen.targets import LUMA, hex_colour
from artgen.tasks import RunControl
from artgen_plugins import _chords, hatch
from artgen_plugins._chords import MOST_CROSSED, SIDE, View
from artgen_plugins._chords import coverage as cross
from artgen_plugins._contours import (
    Contour,
    _uncurled,
    apart,
    contours,
    distance_to,
    enclosed,
    in_rim,
    ruled,
    snapped,
    telling,
    within,
)
from artgen_plugins._flow import flow_lines, mean_along
from artgen_plugins._silhouette import silhouettes
from artgen_plugins._skin import skin_of
from artgen_plugins._subject import subject_of
from artgen_plugins._swaps import ROUNDS, exchange
from artgen_plugins._tours import circuit, nearest_first, shorten
from artgen_plugins.charcoal import LINES, Charcoal
from artgen_plugins.draft import Draft, shadows
from artgen_plugins.foils import Foils
from artgen_plugins.halftone import Halftone, busy_places, rings
from artgen_plugins.hatch import (
    Hatch,
    abstracted,
    directions,
    levelled,
    softened,
    spacing,
    strengthened,
    tooth,
)
from artgen_plugins.mosaic import Mosaic, calmed, joined, neighbours, owners, tanned
from artgen_plugins.panes import Panes, fitting, mostly, related
from artgen_plugins.papercut import Papercut, frequent
from artgen_plugins.path import Path
from artgen_plugins.place import brightened, separate
from artgen_plugins.poem import Poem
from artgen_plugins.regions import lab_of, watershed
from artgen_plugins.stipple import Stipple
from artgen_plugins.string import String
from artgen_plugins.tube import GLOW, Tube
from artgen_plugins.wash import SHARES, Wash, shaded, waves

SVG = "{http://www.w3.org/2000/svg}"
TAPERED = np.array([[-0.5, -0.3, 0.4, 0.2, 0.3, 0.1], [0.5, 0.5, 0.5, 0.5, 0.2, 0.2]])


class Butt(Ink):
    """Marks that end straight across."""

    cap = "butt"


def covered(primitive: Ink, strokes: np.ndarray, canvas: Canvas) -> float:
    """The area that strokes cover, in canvas units."""
    marks = ink.Marks(strokes, np.zeros(len(strokes), np.int64))
    return float(coverage(primitive, primitive.pack(marks), canvas).sum()) * canvas.pixel**2


def shoelace(corners: np.ndarray) -> float:
    x, y = corners.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def drawing_of(primitive: Ink, marks: ink.Marks) -> Drawing:
    return Drawing("stipple", primitive.option_values(), primitive.pack(marks), 32, 32, (1, 1, 1))


def test_inks_and_lines_between_parts_are_colours_as_elsewhere():
    """Options took no names, as `--background` does."""
    named, coded = (Stipple({"inks": inks}).inks for inks in ("teal, #fa0", "#008080,#ffaa00"))
    np.testing.assert_array_equal(named, coded)
    for art in (
        artgen.fit(
            np.eye(9), "voronoi", count=4, steps=2, edge_width=0.1, edge_colour=colour, seed=1
        )
        for colour in ("crimson", "#dc143c")
    ):
        assert {"#dc143c"} <= {hex_colour(each / 255) for each in art.render(90).reshape(-1, 3)}


def test_the_first_marks_keep_their_ink_and_notice():
    marks = ink.joined([ink.dots([0.0, 1.0], 0.0, 0.1, 1), ink.dots(2.0, 0.0, 0.1, 2)])
    found = replace(marks, notice="few").first(2)
    assert (found.strokes[:, 0].tolist(), found.ink.tolist()) == ([0.0, 1.0], [1, 1])
    assert (found.notice, len(marks.first(9))) == ("few", 3)


@pytest.mark.parametrize("side", [20, 157])
@pytest.mark.parametrize("primitive", [Ink(), Butt()], ids=["round", "butt"])
def test_marks_cover_their_area_once(side, primitive):
    canvas = Canvas(side, side)
    one = covered(primitive, TAPERED[:1], canvas)
    (part,) = flat_parts(
        primitive, drawing_of(primitive, ink.Marks(TAPERED[:1], np.zeros(1, np.int64)))
    )
    assert one == pytest.approx(shoelace(part.outline()), rel=0.01)
    assert covered(primitive, TAPERED[[0, 0]], canvas) == one
    dot = covered(Ink(), TAPERED[1:], canvas)
    assert dot == pytest.approx(np.pi * 0.2**2, rel=0.005)


def test_a_thin_line_does_not_depend_on_its_slope():
    areas = [
        covered(Ink(), np.array([[-0.8, -s, 0.8, s, 0.002, 0.002]]), Canvas(64, 64))
        / np.hypot(1.6, 2 * s)
        for s in (0.0, 0.01, 0.3)
    ]
    assert np.ptp(areas) < 0.05 * np.mean(areas)


@pytest.mark.parametrize("optical", [True, False])
@pytest.mark.parametrize("overprint", [True, False])
def test_a_separation_has_the_colours_of_the_target(overprint, optical):
    options = {"overprint": overprint, "optical": optical}
    primitive = Ink({"inks": "#00a0d0,#e0208a,#ffe000", **options})
    amounts = torch.rand(3, 4, 5, generator=torch.Generator().manual_seed(0)).double().numpy()
    paper = np.array([0.98, 0.96, 0.9])
    target = torch.from_numpy(printed(amounts, primitive, paper))
    found = printed(separate(target, primitive, tuple(paper)), primitive, paper)
    assert np.abs(found - target.numpy()).max() < 0.02


@pytest.mark.parametrize("overprint", [True, False])
def test_the_paper_shows_through_ink_on_a_page(overprint):
    primitive = Ink({"inks": "#ff0000", "overprint": overprint})
    registry = Registry(environ={})
    registry.register(Ink, "ink")
    tensors = primitive.pack(ink.dots([0.0], 0.0, 0.2))
    drawing = Drawing("ink", primitive.option_values(), tensors, 32, 32, (0.5, 0.5, 1))
    art = Art(drawing, Recipe(), registry=registry)
    red = b"0.5 0 0 setrgbcolor" if overprint else b"1 0 0 setrgbcolor"
    assert red in export_eps(art, ExportRequest())


@pytest.mark.parametrize("overprint", [True, False])
def test_inks_that_cover_one_another_lie_in_files_as_they_are_painted(overprint):
    primitive = Ink({"inks": "#000000,#ff0000", "overprint": overprint})
    marks = [ink.dots([0.0], 0.0, 0.2, each) for each in (1, 0, 1)]
    drawing = Drawing("ink", {}, primitive.pack(ink.joined(marks)), 32, 32, (1, 1, 1))
    layers = [part.layer for part in flat_parts(primitive, drawing)]
    assert layers == ([1, 0, 1] if overprint else [0, 1, 1])


@pytest.mark.parametrize(
    "stroke",
    [
        [-0.4, -0.1, 0.5, 0.3, 0.1, 0.1],
        [-0.4, 0.2, 0.1, -0.3, 0.05, 0.3],
        [-0.4, 0.2, 0.1, -0.3, 0.3, 0.02],
        [0.1, 0.2, 0.1, 0.2, 0.3, 0.3],
    ],
)
def test_round_ends_are_curves_on_a_page(stroke):
    """As polygons, a line of 50,000 pieces took 16 MB on A4."""
    marks = ink.Marks(np.array([stroke]), np.array([0]))
    art = Art(Drawing("ink", {}, Ink().pack(marks), 64, 64, (1, 1, 1)), Recipe())
    [part] = flat_parts(Ink(), art.drawing)
    curves = [
        np.stack([points[:-1:3], points[1::3], points[2::3], points[3::3]], 1)
        for points in part.curves()
    ]
    assert 4 <= sum(map(len, curves)) <= 6
    circles = np.array(stroke)[[0, 1, 4, 2, 3, 5]].reshape(2, 3)
    for end, (x, y, radius) in zip(curves, circles[::-1], strict=False):
        shown = np.concatenate([flatten(end), end[:, 3]])
        assert np.abs(np.hypot(*(shown - (x, y)).T) - radius).max() < 0.001 * radius

    def area(ring):
        (x, y), (u, v) = ring.T, np.roll(ring, -1, 0).T
        return abs((x * v - u * y).sum()) / 2

    # A polygon with corners on a circle is smaller.
    ring = np.concatenate([[*flatten(end), end[-1, 3]] for end in curves])
    assert 1 < area(ring) / area(part.outline()) < 1.01


def winding(ring, points):
    """How often a closed polygon [N, 2] goes round each of some points [M, 2]."""
    (x, y), (u, v) = ring.T[:, :, None], np.roll(ring, -1, 0).T[:, :, None]
    left = (u - x) * (points[:, 1] - y) - (points[:, 0] - x) * (v - y)
    up = (y <= points[:, 1]) & (points[:, 1] < v) & (left > 0)
    down = (v <= points[:, 1]) & (points[:, 1] < y) & (left < 0)
    return up.sum(0) - down.sum(0)


@pytest.mark.parametrize(
    ("bend", "swell", "most"),
    [
        *((0.03, 0.002, 1), (0.3, 0.002, 2), (0.03, 0.01, 30), (0.3, 0.01, 60)),
        # Where a line turns back or swells faster than it goes on, each piece shows its own rim.
        *((1.2, 0.002, 80), (1.2, 0.01, 130)),
    ],
)
def test_a_line_of_pieces_is_one_outline_that_covers_what_they_cover(bend, swell, most):
    """As an outline for each piece, a drawing of one line took 6 MB of SVG and 19 of EPS."""
    rng = np.random.default_rng(0)
    heading = np.cumsum(rng.normal(0, bend, 150))
    points = np.cumsum(0.02 * np.stack([np.cos(heading), np.sin(heading)], 1), 0)
    radii = np.abs(0.02 + np.cumsum(rng.normal(0, swell, 150))).clip(0.001, 0.05)
    strokes = np.concatenate([points[:-1], points[1:], radii[:-1, None], radii[1:, None]], 1)
    marks = ink.Marks(strokes, np.zeros(149, np.int64))
    drawing = Drawing("ink", {}, Ink().pack(marks), 64, 64, (1, 1, 1))
    parts = [part for part in flat_parts(Ink(), drawing) if part.element() is not None]
    lines = connected(parts)
    assert len(parts) == 149
    assert len(lines) <= most

    places = points[rng.integers(0, 150, 2000)] + rng.normal(0, 0.03, (2000, 2))
    apart = [winding(part.outline(), places) for part in parts]
    together = [winding(line.outline(), places) for line in lines]
    wrong = np.any(apart, axis=0) != np.any(together, axis=0)
    # An edge moves by a thousandth of the width where pieces meet.
    assert wrong.mean() < 0.001
    assert 0.2 < np.any(apart, axis=0).mean() < 0.9


def test_layers_of_one_colour_multiply():
    """They were one group, so that washes of equal strength were as pale as one."""
    primitive = Ink({"inks": "#808080,#808080"})
    marks = ink.joined([ink.dots([0.0, 0.0], 0.0, 0.5, ink=k) for k in range(2)])
    registry = Registry(environ={})
    registry.register(Ink, "ink")
    drawing = Drawing("ink", primitive.option_values(), primitive.pack(marks), 32, 32, (1, 1, 1))
    art = Art(drawing, Recipe(), registry=registry)
    assert export_svg(art, ExportRequest()).count(b'<g fill="#808080"') == 2
    with pytest.raises(UsageError, match="PDF cannot multiply inks"):
        export_pdf(art, ExportRequest())


def test_two_inks_are_groups_that_multiply():
    primitive = Ink({"inks": "#ff0000,#0000ff"})
    line = ink.polyline(np.array([[-0.5, 0.0], [0.0, 0.5], [0.5, 0.0]]), 0.05)
    marks = ink.joined([line, ink.dots([0.0, 0.3], 0.0, 0.2, ink=1)])
    registry = Registry(environ={})
    registry.register(Ink, "ink")
    drawing = Drawing("ink", primitive.option_values(), primitive.pack(marks), 32, 32, (1, 1, 1))
    art = Art(drawing, Recipe(), registry=registry)
    root = ElementTree.fromstring(export_svg(art, ExportRequest()))
    groups = [group for group in root.iter(f"{SVG}g") if group.get("fill")]
    assert [group.get("fill") for group in groups] == ["#ff0000", "#0000ff"]
    assert all(group.get("style") == "mix-blend-mode:multiply" for group in groups)
    (path,) = groups[0]
    assert path.get("stroke-width") == "0.1"
    assert path.get("d").count("M") == 1
    assert [dot.tag for dot in groups[1]] == [f"{SVG}circle"] * 2
    assert len(json.loads(export_json(art, ExportRequest()))["shapes"]) == 4
    assert b'"union":"multiply"' in export_html(art, ExportRequest())
    with pytest.raises(UsageError, match="PDF cannot multiply inks") as refused:
        export_pdf(art, ExportRequest())
    assert "artgen make poster" in str(refused.value)
    with pytest.raises(UsageError, match="EPS cannot multiply inks") as refused:
        export_eps(art, ExportRequest())
    assert "poster" not in str(refused.value)
    plotted = export_svg(art, ExportRequest(page=Page(pen_width=1.0))).decode()
    assert "1 #ff0000" in plotted
    assert "2 #0000ff" in plotted
    # Where both inks lie, it is as dark as their product.
    picture = art.render(64).astype(int)
    assert picture.sum(2).min() == 0
    with pytest.raises(UsageError, match="Ink is of the family ink, which cannot be morphed"):
        morph(art, art)


def test_halos_lie_below_all_tubes_in_files():
    """In an SVG of the look neon, halos of one colour covered the tubes of another."""
    primitive = Tube({"inks": "#ff0000,#0000ff"})
    halo, tube = 2, 2 * len(GLOW)
    marks = ink.joined([ink.dots([0.0], 0.0, 0.4, ink=tube + 1), ink.dots([0.0], 0.0, 0.8, halo)])
    drawing = Drawing("tube", primitive.option_values(), primitive.pack(marks), 32, 32, (0, 0, 0))
    art = Art(drawing, Recipe(), registry=Registry())
    svg = export_svg(art, ExportRequest()).decode()
    below, above = (hex_colour(primitive.inks[each]) for each in (halo, tube + 1))
    assert svg.index(f'<g fill="{below}"') < svg.index(f'<g fill="{above}"')


@pytest.mark.parametrize("name", ["stipple", "string"])
def test_stopped_it_resumes_to_the_same_bytes(name, photo, tmp_path):
    table = {"name": name, "count": 60} | ({"nails": 12} if name == "string" else {})
    asked = recipe(photo, {"steps": 12}, primitive=table)
    losses = []

    def watch(event):
        losses.extend([event.loss] if hasattr(event, "loss") else [])

    run(asked, Registry(), out=tmp_path / "whole", observers=[watch])
    assert losses[-1] < losses[0]
    control = RunControl()

    def stop(event):
        if isinstance(event, Advanced) and event.step >= 5:
            control.request_stop()

    run(asked, Registry(), out=tmp_path / "out", observers=[stop], control=control)
    assert stills(tmp_path / "out") != stills(tmp_path / "whole")
    run(asked, Registry(), out=tmp_path / "out", resume=True)
    assert stills(tmp_path / "out") == stills(tmp_path / "whole")


def test_stippled_dots_have_the_tone_of_the_picture():
    flat = np.full((48, 48, 3), 128, np.uint8)
    art = artgen.fit(flat, "stipple", count=400, seed=1, margin=0.0)
    primitive, tensors = art.primitive(), art.drawing.tensors
    assert isinstance(primitive, Ink)
    wanted = separate(torch.full((3, 1, 1), 128 / 255), primitive, art.drawing.background)
    found = coverage(primitive, tensors, Canvas(96, 96))[0, 8:-8, 8:-8].mean()
    assert found == pytest.approx(wanted[0, 0, 0], abs=0.03)


def toned(primitive: Ink, amount: float, count: int, side: int = 32) -> tuple[ink.Marks, float]:
    """Marks for an even tone, and the share of the middle of the paper that they cover."""
    sheet = ink.Sheet(
        np.full((1, side, side), amount), Canvas(side, side), count, np.random.default_rng(0)
    )
    marks = primitive.place(sheet)
    cover = coverage(primitive, primitive.pack(marks), Canvas(200, 200))[0]
    y, x = np.mgrid[-100:100, -100:100]
    return marks, float(cover[np.hypot(x, y) < 70].mean())


@pytest.mark.parametrize("shape", ["round", "line", "square", "diamond"])
@pytest.mark.parametrize("amount", [0.1, 0.6, 0.9])
def test_a_screen_has_the_tone_of_the_picture(shape, amount):
    marks, tone = toned(Halftone({"shape": shape}), amount, 400)
    assert len(marks) <= 400
    assert tone == pytest.approx(amount, abs=0.015)


@pytest.mark.parametrize("amount", [0.1, 0.6, 0.9])
def test_rings_have_the_tone_of_the_picture(amount):
    marks, tone = toned(Halftone({"shape": "ring"}), amount, 4000)
    assert 3000 < len(marks) <= 4000
    assert tone == pytest.approx(amount, abs=0.015)


@pytest.mark.parametrize("amount", [0.2, 0.35, 0.5])
def test_no_net_is_seen_where_the_rings_of_two_middles_meet(amount):
    """They overlapped at borders, where half a tone looked like two thirds: a net of dark seams."""
    primitive, canvas = Halftone({"shape": "ring"}), Canvas(320, 320)
    rng = np.random.default_rng(0)
    sheet = ink.Sheet(np.full((1, 32, 32), amount), Canvas(32, 32), 4000, rng)
    cover = coverage(primitive, primitive.pack(primitive.place(sheet)), canvas)[0]
    even = gaussian_filter(cover, 320 / np.sqrt(4000))[40:-40, 40:-40]
    assert even.std() < 0.04 * np.sqrt(amount * (1 - amount))


def test_rings_are_closer_where_the_picture_changes_and_end_where_one_above_begins():
    step = np.tile(np.arange(64) > 31, (1, 64, 1)).astype(float)
    sheet = ink.Sheet(step, Canvas(64, 64), 6000, np.random.default_rng(0))
    middles = busy_places(sheet)
    assert (np.abs(middles[:, 0]) < 0.25).mean() > 0.5
    assert len(Halftone({"shape": "ring"}).place(replace(sheet, weight=0 * step[0]))) == 0
    middles, pitch = np.array([[-0.5, 0.0], [0.5, 0.0]]), 0.06
    gray = replace(sheet, amounts=np.full((1, 64, 64), 0.5))
    begin = rings(gray, 0, middles, pitch).strokes[:, :2]
    away = np.hypot(*np.moveaxis(begin[:, None] - middles, -1, 0))
    below, above = (np.abs(away / pitch % 1 - 0.5) < 1e-6).T
    # The corners of its half of the sheet lie in the nineteenth ring of the one above.
    assert away[above, 1].max() == pytest.approx(18.5 * pitch)
    assert away[below & ~above, 1].min() > 19 * pitch
    assert np.abs(begin).max() < 1 + 1e-6


def test_what_differs_little_from_the_hue_of_its_thing_has_that_hue():
    """A black dog had panes of brown, violet and teal glass; the saddle of a horse stays red."""
    lab, subject = np.zeros((20, 40, 3)), np.zeros((20, 40), bool)
    subject[5:15, 5:15] = subject[5:15, 25:35] = True
    lab[5:15, 5:15, 1:], lab[5:8, 5:15, 1:], lab[12:15, 5:9, 1:] = (2, -4), (-6, 5), (60, 40)
    lab[5:15, 25:35, 1:] = 4, 20
    found = related(lab, label(subject)[0])
    assert np.allclose(found[5:8, 5:15, 1:], (2, -4), atol=2)
    assert np.allclose(found[12:15, 5:9], lab[12:15, 5:9], atol=1e-3)
    assert np.array_equal(found[:, 25:], lab[:, 25:])
    assert np.array_equal(found[~subject], lab[~subject])


def test_black_glass_is_much_of_a_thing_and_no_small_pane_is_of_a_foreign_hue():
    """A giraffe had blue scraps for a head; a black beak is between a red and a green bird."""
    dark, size = np.array([1, 1, 0, 0, 1]) > 0, np.array([0.02, 0.02, 0.5, 0.4, 0.02])
    a, b = np.array([0, 1, 3]), np.array([1, 2, 4])
    assert mostly(dark, size, a, b).tolist() == [True, True, False, False, False]
    hues = np.array([[40.0, 30], [40, 40], [-1, -8], [-50, 30], [-2, -9], [0, 60], [9, 50]])
    a, b = np.array([0, 1, 0, 3, 5, 4]), np.array([2, 2, 4, 4, 6, 5])
    found = fitting(hues, np.hypot(*hues.T) < 10, a, b)
    assert np.hypot(*found[2]) == pytest.approx(np.hypot(1, 8))
    assert found[2].min() > 0
    assert np.array_equal(np.delete(found, 2, 0), np.delete(hues, 2, 0))


@pytest.mark.parametrize(("form", "limit"), [("flow", 0.02), ("spiral", 0.02), ("tsp", 0.06)])
def test_a_path_is_one_line_with_the_tone_of_the_picture(form, limit):
    marks, tone = toned(Path({"form": form}), 0.4, 1500)
    assert len(marks) <= 1500
    assert np.array_equal(marks.strokes[1:, :2], marks.strokes[:-1, 2:4])
    assert tone == pytest.approx(0.4, abs=limit)


def test_a_tour_visits_every_point_once_and_is_short():
    points = np.random.default_rng(0).random((300, 2))
    near = cKDTree(points).query(points, 9)[1][:, 1:]
    order = shorten(points, near, nearest_first(points, near))
    assert sorted(order) == list(range(300))
    length = np.hypot(*(points[order] - np.roll(points[order], 1, axis=0)).T).sum()
    # Random points in a square: about 0.7124 √(N A), and 0.33 √A more at the border.
    assert length < 0.85 * np.sqrt(300)


def test_a_tour_begins_with_the_nearest_of_those_that_are_left():
    """All points were looked at in every step, also where a near one was left."""
    points = np.random.default_rng(0).random((80, 2))
    near = cKDTree(points).query(points, 4)[1][:, 1:]
    order = nearest_first(points, near).tolist()
    for step in range(1, 80):
        away = np.hypot(*(points[order[step:]] - points[order[step - 1]]).T)
        assert away[0] == away.min()
    # What is not named as near is not looked at before.
    few = nearest_first(
        np.array([[0.0, 0], [1, 0], [3, 0]]), np.array([[0, 2], [1, 0], [2, 1]])[:, 1:]
    )
    assert few.tolist() == [0, 2, 1]


def test_a_thread_uses_every_chord_once_and_adds_few():
    rng = np.random.default_rng(1)
    first, second = np.triu_indices(30, 1)
    chosen = rng.choice(len(first), 90, replace=False)
    thread, added = circuit(first[chosen], second[chosen], 30, rng)
    used = np.sort(np.stack([thread[1:], thread[:-1]], 1), axis=1)
    numbers = used.min(1) * 30 + used.max(1)
    assert set(first[chosen] * 30 + second[chosen]) <= set(numbers)
    assert len(numbers) == 90 + added
    assert thread[0] == thread[-1]
    assert added <= 15


def test_separate_chords_become_one_thread():
    thread, added = circuit(np.array([0, 4]), np.array([2, 6]), 8, np.random.default_rng(0))
    assert {0, 2, 4, 6} == set(thread.tolist())
    assert len(thread) - 1 == 2 + added


def test_a_string_is_darker_where_the_picture_is():
    side = 32
    amounts = np.zeros((1, side, side))
    amounts[:, :, side // 2 :] = 0.5
    primitive = String({"nails": 40, "veil": 0})
    sheet = ink.Sheet(amounts, Canvas(side, side), 300, np.random.default_rng(0))
    marks = primitive.place(sheet)
    assert len(marks) <= 300
    assert "rim" in marks.notice
    assert np.allclose(marks.strokes[1:, :2], marks.strokes[:-1, 2:4])
    cover = coverage(primitive, primitive.pack(marks), Canvas(side, side))[0]
    assert cover[8:24, 20:26].mean() > 3 * cover[8:24, 6:12].mean()


def test_a_thread_of_two_chords_is_none():
    sheet = ink.Sheet(np.full((1, 16, 16), 0.6), Canvas(16, 16), 2, np.random.default_rng(0))
    marks = String({"nails": 12}).place(sheet)
    assert (len(marks), marks.notice[:18]) == (0, "there is no thread")


def test_lightness_has_the_slope_that_the_search_follows():
    tone = np.full((12, 12), 0.5)
    shares = csr_matrix(0.3 * np.random.default_rng(2).random((144, 20)).T)
    view = View(shares, 1.0, tone, light=(0.9, 0.01))
    chords = np.full(20, 0.2, np.float32)
    error, slope, bend, left = view.error(chords)
    ways = view.along(left * slope)
    for chord in (0, 7):
        more = chords + 1e-2 * (np.arange(20) == chord)
        less = chords - 1e-2 * (np.arange(20) == chord)
        found = (view.error(more)[0] - view.error(less)[0]) / 2e-2
        assert found == pytest.approx(ways[chord], rel=0.02)
    # What is darker counts more, as the eye sees it.
    assert view.error(4 * chords)[2].mean() > 1.5 * bend.mean()
    assert view.error(np.zeros(20))[0] > error


def test_tones_of_light_take_more_ink_than_encoded_ones():
    middle = torch.full((3, 1, 1), 0.5)
    paper = (1.0, 1.0, 1.0)
    found = [
        separate(middle, Ink({"inks": "#000000", "optical": optical}), paper).item()
        for optical in (False, True)
    ]
    assert found == pytest.approx([0.5, 1 - 0.214], abs=1e-3)


def test_dots_that_meet_leave_as_much_paper_as_the_tone_asks():
    """Circles as large as their cells overlap, and left corners between them: dark was pale."""
    primitive = Stipple({"margin": 0.0})
    sheet = ink.Sheet(np.full((1, 32, 32), 0.95), Canvas(32, 32), 300, np.random.default_rng(0))
    marks = primitive.place(sheet)
    cover = coverage(primitive, primitive.pack(marks), Canvas(160, 160))[0]
    assert cover.mean() == pytest.approx(0.95, abs=0.01)


def test_a_faded_thread_of_a_width_has_no_more_lines_than_the_tone_asks():
    sheet = ink.Sheet(np.full((1, 64, 64), 0.4), Canvas(64, 64), 900, np.random.default_rng(0))
    even, faded = (
        String({"nails": 60, "width": 0.003, "fade": fade}).place(sheet) for fade in (0.0, 0.9)
    )
    assert 100 < len(faded) < 0.7 * len(even) < 0.7 * 900
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    away = np.hypot(x, y)
    shares = []
    for marks in (even, faded):
        cover = coverage(String(), String().pack(marks), Canvas(96, 96))[0]
        shares.append(cover[away < 0.4].mean() / cover[(away > 0.7) & (away < 0.85)].mean())
    assert shares[1] > 1.3 * shares[0]


def test_a_thread_shows_an_even_tone_evenly():
    primitive = String({"nails": 60})
    sheet = ink.Sheet(np.full((1, 64, 64), 0.6), Canvas(64, 64), 500, np.random.default_rng(0))
    marks = primitive.place(sheet)
    cover = coverage(primitive, primitive.pack(marks), Canvas(200, 200))[0].astype(float)
    missed = gaussian_filter(cover, 3) - primitive.tones(sheet).mean()
    y, x = np.mgrid[-100:100, -100:100]
    assert np.sqrt((missed[np.hypot(x, y) < 80] ** 2).mean()) < 0.028


def test_scattered_nails_leave_no_gaps_between_the_rows_that_face_each_other():
    gaps = []
    for scattered in (False, True):
        options = {"nails": 80, "frame": "rectangle", "scattered": scattered}
        nails = String(options).find_nails(Canvas(64, 64))
        left, right = (
            nails[abs(nails[:, 0] - side * abs(nails[:, 0]).max()) < 1e-9] for side in (-1, 1)
        )
        middles = (left[:, None, 1] + right[None, :, 1]).ravel() / 2
        middles = np.sort(middles[abs(middles) < 0.5])
        gaps.append(np.diff(middles).max())
        away = np.hypot(*np.diff(np.append(nails, nails[:1], 0), axis=0).T)
        assert away.min() > 0.5 * away.mean()  # there is room for a nail
    assert gaps[1] < 0.5 * gaps[0]


def test_crisp_threads_cover_more_beside_an_edge_and_less_beyond_it():
    amounts = np.full((1, 64, 64), 0.3)
    amounts[:, :, 32:] = 0.6
    sheet = ink.Sheet(amounts, Canvas(64, 64), 500, np.random.default_rng(0))
    plain, crisp = (String({"crisp": crisp}).tones(sheet)[0, 32] for crisp in (0.0, 1.0))
    assert crisp[32] > plain[32] + 0.05
    assert crisp[31] < plain[31] - 0.05
    assert crisp[[8, 56]] == pytest.approx(plain[[8, 56]], abs=1e-6)


def test_the_darkest_thread_makes_up_for_the_light_that_others_leave():
    y, x = np.mgrid[-1:1:64j, -1:1:64j]
    disc = 1.0 * (np.hypot(x - 0.2, y) < 0.3)
    sheet = ink.Sheet(np.stack([0.2 + 0.2 * disc, 0.5 - 0.3 * disc]), Canvas(64, 64), 1500, None)
    missed = []
    for keyed in (False, True):
        primitive = String({"nails": 60, "inks": "#1d1b20,#e6237e", "keyed": keyed})
        marks = primitive.place(replace(sheet, rng=np.random.default_rng(0)))
        assert set(marks.ink) == {0, 1}
        covers = coverage(primitive, primitive.pack(marks), sheet.canvas), primitive.tones(sheet)
        seen, wanted = (
            gaussian_filter(np.tensordot(LUMA, printed(each, primitive, np.ones(3)), 1), 2)
            for each in covers
        )
        missed.append(np.sqrt(np.square(seen - wanted)[np.hypot(x, y) < 0.8].mean()))
    assert missed[1] < 0.8 * missed[0]


def halves(primitive: Ink, count: int) -> ink.Sheet:
    """A sheet that needs the first ink on the left and the second one on the right."""
    amounts = np.zeros((2, 32, 32))
    amounts[0, :, :16] = amounts[1, :, 16:] = 1
    return ink.Sheet(amounts, Canvas(32, 32), count, np.random.default_rng(0))


@pytest.mark.parametrize("form", ["stone", "stitch"])
def test_tiles_have_the_ink_of_their_place_and_joints_between_them(form):
    primitive = Mosaic({"form": form, "inks": "#112233,#ddccbb"})
    marks = primitive.place(halves(primitive, 200))
    assert 150 < len(marks) <= 200
    middle = marks.strokes[:, [0, 2]].mean(1)
    clearly = abs(middle) > 0.15
    assert np.array_equal(marks.ink[clearly], (middle > 0)[clearly])
    cover = coverage(primitive, primitive.pack(marks), Canvas(200, 200))
    assert 0.55 < cover.sum(0).mean() < 0.95
    # Where both inks lie, stones overlap their neighbours.
    assert np.minimum(*cover).mean() < 0.01


def test_stones_may_be_a_tenth_of_the_room_they_have():
    """They were a fifth of it at least."""
    made = Mosaic({"inks": "#112233,#ddccbb", "joint": 0.9})
    strokes = made.place(halves(made, 200)).strokes
    # Of a board of 2 x 2, each stone has a two hundredth.
    assert np.median(strokes[:, 4]) == pytest.approx(0.05 * np.sqrt(4 / 200), rel=0.15)


def test_stretched_dots_lie_along_the_contours_and_keep_their_area():
    amounts = np.full((1, 48, 48), 0.2)
    amounts[:, :, 24:] = 0.6
    sheet = ink.Sheet(amounts, Canvas(48, 48), 300, np.random.default_rng(0))
    round_ones = Stipple({"rounds": 5}).place(sheet)
    sheet = ink.Sheet(amounts, Canvas(48, 48), 300, np.random.default_rng(0))
    primitive = Stipple({"rounds": 5, "stretch": 5.0})
    long = primitive.place(sheet).strokes
    along = long[:, 2:4] - long[:, :2]
    assert (abs(along[:, 1]) > 5 * abs(along[:, 0])).mean() > 0.8
    areas = [covered(primitive, strokes[None], Canvas(400, 400)) for strokes in long[:3]]
    assert areas == pytest.approx(np.pi * round_ones.strokes[:3, 4] ** 2, rel=0.05)


def test_brilliant_pictures_are_lighter_and_more_vivid_and_a_night_stays_dark():
    """Riso and pointillism were as dull as the photograph, and skin was green."""
    rng = np.random.default_rng(0)
    skin = np.array([0.48, 0.38, 0.32])[:, None, None] * rng.uniform(0.5, 1.3, (40, 40))
    light = brightened(skin, 1.0)
    assert np.median(light) > np.median(skin) + 0.1
    assert np.ptp(light, axis=0).mean() > 1.3 * np.ptp(skin, axis=0).mean()
    assert (light.argmax(0) == 0).all()
    night = 0.08 + 0.3 * np.linspace(0, 1, 1600).reshape(40, 40) ** 6 * np.ones((3, 1, 1))
    assert np.median(brightened(night, 1.0)) < 0.2
    assert np.array_equal(brightened(skin, 0.0), skin)


def notices_of(picture, tmp_path, target=(), **options) -> list[str]:
    """What is said when a picture, uint8 [height, width, 3], is stippled, by default on white."""
    Image.fromarray(picture).save(tmp_path / "picture.png")
    primitive = {"name": "stipple", "count": 20, **options}
    target = {"size": 8, "background": "white", **dict(target)}
    asked = recipe(tmp_path / "picture.png", {"steps": 1}, primitive=primitive, target=target)
    said = []
    run(asked, Registry(), out=tmp_path / "out", observers=[said.append])
    return [event.message for event in said if isinstance(event, Notice)]


RAMP = np.linspace(0, 255, 192).reshape(8, 8, 3)


def test_a_picture_without_marks_is_said_to_have_none(tmp_path):
    """A white sheet was written without a word."""
    said = notices_of(RAMP.astype(np.uint8), tmp_path, inks="#ffffff")
    assert any("there are no marks" in each for each in said)


@pytest.mark.parametrize("light", [0.0, 0.03, 1.0])
def test_a_picture_without_tones_is_said_to_have_none(light, tmp_path):
    """Looks made an even sheet of it, and blamed the count or the paper."""
    picture = np.full((8, 8, 3), 255) if light == 1 else light * RAMP
    said = notices_of(picture.astype(np.uint8), tmp_path)
    assert [each for each in said if "nearly one colour" in each] == said != []


@pytest.mark.parametrize(
    ("paper", "inks", "overprint", "said"),
    [
        ("#102040", "#1d1b20", True, "add --set inks=#f0e8d0 --set overprint=false"),
        ("#102040", "#f0e8d0", True, "add --set overprint=false"),
        ("#102040", "#f0e8d0", False, ""),
        ("#ffffff", "#f8f0e8", True, "choose darker inks"),
        ("#ffffff", "#1d1b20", True, ""),
    ],
)
def test_ink_that_is_not_seen_on_its_paper_is_said_to_be(paper, inks, overprint, said, tmp_path):
    """A poem on night blue was an even sheet, and nothing said why."""
    target = {"background": paper}
    found = notices_of(RAMP.astype(np.uint8), tmp_path, target, inks=inks, overprint=overprint)
    assert said in "".join(found)
    assert bool(found) == bool(said)


@pytest.mark.parametrize("name", ["string", "foils"])
def test_what_a_drawing_says_hides_not_that_its_ink_is_not_seen(name, tmp_path):
    """Thread and foils say something of each drawing, and nothing said why it was an even sheet."""
    target, inks = {"background": "#102040"}, ",".join(["#1d1b20"] * (1 + (name == "foils")))
    found = notices_of(RAMP.astype(np.uint8), tmp_path, target, name=name, inks=inks, count=200)
    assert len(found) == 2
    assert "no ink is seen" in found[1]


def test_what_a_drawing_says_hides_not_that_its_picture_is_dark(tmp_path):
    night = np.full((24, 32, 3), 8, np.uint8)
    night[8:12, 8:12] = 240
    found = notices_of(night, tmp_path, name="string", count=200)
    assert len(found) == 2
    assert "most of the picture is dark" in found[1]


@pytest.mark.parametrize("radius", [0.1, 0.15, 0.2, 0.4, 0.75, 0.8, 1.0])
def test_pens_fill_dots_to_their_middles(radius):
    """A hole as wide as the pen stayed in every second one."""
    drawn = _rings(np.zeros(2), radius, 0.3)
    reached = [float(np.hypot(*ring.T).max()) for ring in drawn]
    for each in np.linspace(0, radius, 50):
        assert min(abs(each - ring) for ring in reached) <= 0.15 + 0.031


def test_nothing_is_near_to_no_line():
    """The corner on the upper left was, and lines ended there."""
    assert (distance_to([], (3, 5)) == np.inf).all()
    assert distance_to([(np.array([0]), np.array([1]))], (1, 4)).tolist() == [[1, 0, 1, 2]]


def test_contrast_is_equalised_before_inks_are_chosen():
    ramp = torch.linspace(0.4, 0.6, 64).expand(3, 64, 64)
    plain, equal = (separate(ramp, Ink({"contrast": c}), (1.0, 1.0, 1.0)) for c in (0.0, 1.0))
    assert np.ptp(equal[0]) > 2 * np.ptp(plain[0])


def test_faces_are_as_light_as_one_another_where_contrast_is_equalised():
    """One in the shade had been all ink, without eyes, beside one that was all paper."""
    i, j = np.indices((60, 120))
    target, weight = np.full((3, 60, 120), 0.5), np.full((60, 120), 0.1)
    medians, eyes = [], []
    for column, light in ((30, 0.3), (90, 0.75)):
        face = np.hypot(i - 30, j - column) < 16
        eye = face & (abs(i - 26) < 2) & (abs(abs(j - column) - 6) < 3)
        target[:, face], target[:, eye], weight[face] = light, light / 3, 1.0
        medians.append(face & ~eye)
        eyes.append(eye)
    shown = [
        separate(torch.from_numpy(target), Ink({"contrast": 0.01}), (1, 1, 1), each)[0]
        for each in (None, weight)
    ]
    before, after = ([tone[face].mean() for face in medians] for tone in shown)
    assert abs(before[0] - before[1]) > 0.45 > 0.2 > abs(after[0] - after[1])
    for face, eye in zip(medians, eyes, strict=True):
        assert shown[1][eye].mean() - shown[1][face].mean() > 0.19
    away = weight < 0.5
    assert np.abs(shown[0] - shown[1])[away].max() < 1e-9
    # Without contrast, and where all counts the same, nothing changes.
    plain = [
        separate(torch.from_numpy(target), Ink({"contrast": c}), (1, 1, 1), each)[0]
        for c, each in ((0.0, None), (0.0, weight), (0.01, np.ones((60, 120))))
    ]
    assert np.array_equal(plain[0], plain[1])
    assert np.array_equal(plain[2], shown[0])


def test_the_inks_are_those_of_a_palette(tmp_path):
    picture = np.zeros((24, 24, 3), np.uint8)
    picture[:, 12:] = (200, 40, 30)
    art = artgen.fit(picture, "mosaic", count=36, palette=2, seed=0, form="stitch")
    assert art.drawing.options["inks"] == ",".join(art.recipe.target.palette)
    found = art.primitive().unpack(art.drawing.tensors).ink
    assert set(found.tolist()) == {0, 1}
    assert art.metrics["psnr"] > 8


def test_exchanges_of_chords_come_closer_to_the_tone(monkeypatch):
    primitive = String({"nails": 24})
    amounts = np.random.default_rng(0).random((1, 6, 6)).repeat(8, 1).repeat(8, 2)
    sheet = ink.Sheet(amounts, Canvas(48, 48), 90, np.random.default_rng(0))
    first, second = primitive.find_chords(primitive.find_nails(sheet.canvas))
    shares, cell, grid = cross(primitive.find_nails(sheet.canvas), first, second)
    view = View(shares, 0.02 / cell, 0.3 * sheet.at(0, *grid))
    start = np.zeros(len(first), np.float32)
    start[sheet.rng.choice(len(first), 90, replace=False)] = 1
    found = exchange(view, start.copy(), sheet.rng)
    assert found.sum() == 90
    assert set(found) == {0, 1}
    # Where no exchange is better, the search ends, and leaves the generator as if it did not.
    searched = []
    monkeypatch.setattr(view, "error", lambda *args: searched.append(1) or View.error(view, *args))
    rng, other = (np.random.default_rng(5) for _ in range(2))
    exchange(view, found.copy(), rng)
    for _ in range(ROUNDS):
        other.choice(90, 90, replace=False)
    assert rng.random() == other.random()
    assert len(searched) < ROUNDS
    # No single exchange comes closer by more than the estimate of a chord's own error.
    errors = []
    for out in np.nonzero(found)[0][:5]:
        for new in np.nonzero(found == 0)[0][::10]:
            other = found.copy()
            other[[out, new]] = 0, 1
            errors.append(view.error(other)[0])
    assert view.error(found)[0] < 0.5 * view.error(start)[0]
    assert view.error(found)[0] < 1.001 * min(errors)


def test_the_most_nails_fit_into_memory(monkeypatch):
    """Chords were held several times: 2,000 nails took 6.7 GB, and those of wide pictures more."""
    primitive = String({"nails": 24})
    sheet = ink.Sheet(np.ones((1, 9, 9)), Canvas(9, 9), 9, np.random.default_rng(0))
    nails = primitive.find_nails(sheet.canvas)
    lengths, cell, grid = cross(nails, *primitive.find_chords(nails))
    view = View(lengths, 0.02 / cell, np.ones(grid[0].shape))
    for shared in ("indices", "indptr"):
        assert np.shares_memory(getattr(lengths, shared), getattr(view.depth, shared))
    nails = String({"nails": 2000}).find_nails(sheet.canvas)
    ways = np.concatenate([np.abs(nails[:-each] - nails[each:]).ravel() for each in range(1, 2000)])
    assert ways.sum() / (np.ptp(nails, 0).min() / SIDE) < MOST_CROSSED - 6_000_000
    monkeypatch.setattr(_chords, "MOST_CROSSED", 1000)
    with pytest.raises(UsageError, match="24 nails have 276 chords, which take too much memory"):
        primitive.place(sheet)


def test_short_chords_cross_up_to_two_more_pixels_than_they_are_long():
    """There was no room for them, and they were written beyond the end of an array."""
    nails = np.array([[0, 0], [SIDE, SIDE], [0.99, 0.985], [2.01, 2.02]])
    lengths, _, _ = cross(nails, np.full(1000, 2), np.full(1000, 3))
    assert lengths.nnz == 5000
    assert lengths.sum() == pytest.approx(1000 * np.hypot(1.02, 1.035), rel=1e-3)


@pytest.mark.parametrize("name", ["data", "svg", "picture"])
def test_nails_follow_an_outline_and_threads_stay_inside(name, tmp_path):
    bracket = "M0,0 L10,0 L10,3 L3,3 L3,10 L0,10 Z"
    frame = {"data": bracket, "svg": str(tmp_path / "l.svg"), "picture": str(tmp_path / "l.png")}
    (tmp_path / "l.svg").write_text(f'<svg><path d="M0,0 L1,0 L0,1 Z"/><path d="{bracket}"/></svg>')
    picture = np.full((100, 100), 255, np.uint8)
    picture[:30], picture[:, :30] = 0, 0
    Image.fromarray(picture).save(tmp_path / "l.png")
    primitive = String({"nails": 40, "frame": frame[name]})
    primitive.resolve_options(Canvas(32, 32))
    assert primitive.options.frame.startswith("M0.")
    (tmp_path / "l.svg").unlink()
    sheet = ink.Sheet(np.full((1, 32, 32), 0.6), Canvas(32, 32), 150, np.random.default_rng(0))
    nails = primitive.find_nails(sheet.canvas)
    assert np.allclose(np.abs(nails).max(0), 0.94, atol=0.01)
    # The bracket is 0.3 * 1.88 wide; nails beside its inner corner are joined.
    width = 0.3 * 1.88 - 0.94 + 0.1
    first, second = primitive.find_chords(nails)
    assert (((nails[first] + nails[second]) / 2).min(1) < width).all()
    if name == "data":
        marks = primitive.place(sheet)
        assert len(marks) > 100
        assert ((marks.strokes[:, :2] + marks.strokes[:, 2:4]) / 2).min(1).max() < width


def test_an_ellipse_of_nails_is_as_wide_and_high_as_the_picture():
    oval, ring = String({"frame": "ellipse"}), String({"frame": "circle"})
    square, wide = Canvas(32, 32), Canvas(48, 32)
    assert np.allclose(oval.find_nails(square), ring.find_nails(square))
    nails = oval.find_nails(wide)
    half = np.array(wide.reach) - 2 * oval.options.margin
    assert np.allclose(np.hypot(*(nails / half).T), 1, atol=1e-3)
    assert np.allclose(np.abs(nails).max(0), half, rtol=1e-2)
    assert len(oval.find_chords(nails)[0]) == 280 * 279 / 2


def test_a_long_frame_takes_no_more_memory():
    """A panorama had so many pixels along it that there was no memory for 480 nails."""
    oval = String({"frame": "ellipse", "nails": 480})
    nails = oval.find_nails(Canvas(1200, 30))
    matrix, cell, grid = cross(nails, *oval.find_chords(nails), 250)
    assert (grid[0].shape[1], matrix.shape[1]) == (1000, grid[0].size)
    assert cell * matrix.shape[1] == pytest.approx(np.prod(np.ptp(nails, axis=0)), rel=0.1)


def test_a_frame_may_be_faint(tmp_path):
    """Where nothing covered half, there was no outline, and exit code 1."""
    picture = np.zeros((40, 40, 4), np.uint8)
    picture[8:32, 8:32, 3] = 90
    Image.fromarray(picture).save(tmp_path / "faint.png")
    primitive = String({"frame": str(tmp_path / "faint.png")})
    primitive.resolve_options(Canvas(8, 8))
    assert primitive.options.frame.startswith("M")


def test_a_frame_without_an_outline_is_refused():
    with pytest.raises(InputError, match="has no outline"):
        String({"frame": "M0,0 L1,1"}).resolve_options(Canvas(8, 8))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are those of POSIX")
def test_a_frame_is_a_file_of_some_megabytes_that_is_there(tmp_path, monkeypatch):
    """A pipe was waited for without end, of a large file the end was not read, and a name that
    begins with M and was misspelled was taken for path data."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.svg")
    (tmp_path / "large.svg").write_bytes(b" " * (1 + (4 << 20)))
    (tmp_path / "packed.svg").write_bytes(b"\x1f\x8b\xff")
    for name, says in {
        "pipe.svg": "is a pipe",
        "large.svg": "larger than 4 MiB",
        "packed.svg": "is no text",
        "moon.svg": "cannot read outline 'moon.svg'",
        "Moon.png": "cannot read Moon.png",
    }.items():
        with pytest.raises(InputError, match=says):
            String({"frame": name}).resolve_options(Canvas(8, 8))


def test_dots_are_closer_and_threads_truer_where_pixels_count():
    amounts = np.full((1, 32, 32), 0.4)
    weight = np.full((32, 32), 0.1)
    weight[:, 16:] = 1
    sheet = ink.Sheet(amounts, Canvas(32, 32), 300, np.random.default_rng(0), weight)
    dots = Stipple().place(sheet).strokes
    right = dots[:, 0] > 0
    assert right.sum() > 2 * (~right).sum()
    assert dots[right, 4].mean() < 0.8 * dots[~right, 4].mean()
    area = np.pi * (dots[:, 4] ** 2)
    assert area[right].sum() == pytest.approx(area[~right].sum(), rel=0.2)
    masked = replace(sheet, weight=np.where(weight < 1, 0.0, 1.0))
    for primitive in (Stipple(), Halftone(), Path({"form": "tsp"})):
        assert (primitive.place(masked).strokes[:, 0] > -0.1).all()
    for options in ({"inks": "#000000"}, {"inks": "#000000", "form": "stitch"}):
        tiles = Mosaic(options)
        assert (tiles.place(masked).strokes[:, 0] > -0.1).all()
        assert not len(tiles.place(replace(sheet, weight=0 * weight)).strokes)
    stones = Mosaic({"inks": "#000000"}).place(sheet).strokes
    assert (stones[:, 0] > 0).sum() > 2 * (stones[:, 0] < 0).sum()
    tone = np.random.default_rng(1).random((20, 20))
    shares = csr_matrix(0.1 * np.random.default_rng(2).random((400, 50)).T)
    error, slope, _, _ = View(shares, 1.0, tone, np.eye(20)).error(np.zeros(50))
    assert error < View(shares, 1.0, tone).error(np.zeros(50))[0]
    assert slope.shape == (20, 20)


def test_screens_and_stitches_are_whole_outside_of_the_focus():
    """They faded to a tenth of their tone there."""
    weight = np.full((32, 32), 0.1)
    weight[:, 16:] = 1
    rng = np.random.default_rng(0)
    sheet = ink.Sheet(np.full((1, 32, 32), 0.4), Canvas(32, 32), 600, rng, weight)
    for primitive in (
        Halftone(),
        Halftone({"shape": "ring"}),
        Mosaic({"inks": "#000000", "form": "stitch"}),
    ):
        strokes = primitive.place(sheet).strokes
        thick, right = strokes[:, 4:].max(1), strokes[:, 0] > 0
        assert thick[~right].mean() > 0.8 * thick[right].mean()


@pytest.mark.parametrize("count", [1, 9, 30])
def test_a_grid_has_no_more_squares_than_asked_for_on_a_strip(count):
    """A row of stitches had more marks than there may be."""
    sheet = ink.Sheet(np.ones((1, 1, 40)), Canvas(40, 1), count, np.random.default_rng(0))
    assert 1 <= sheet.grid()[0].size <= count


def test_marks_are_divided_among_inks_by_their_amounts():
    amounts = np.array([np.full((4, 4), 0.3), np.full((4, 4), 0.1)])
    sheet = ink.Sheet(amounts, Canvas(4, 4), 100, np.random.default_rng(0))
    assert sheet.counts() == [75, 25]
    assert sheet.counts([1, 3]) == [25, 75]
    assert sheet.counts([0, 0]) == [0, 0]


@pytest.mark.parametrize("primitive", [Stipple, String])
def test_ink_of_the_night_is_lighter_than_its_paper(primitive):
    options = primitive.presets["night"].options
    painted = printed(np.ones((1, 1, 1)), primitive(options), np.array([0.06, 0.07, 0.1]))
    assert painted.min() > 0.7


def hatched(tone: np.ndarray, weight: np.ndarray | None = None, **options: object) -> tuple:
    """Marks of a picture of amounts, and the share of each pixel that they cover."""
    primitive = Hatch({"margin": 0.0, **options})
    canvas = Canvas(tone.shape[1], tone.shape[0])
    sheet = ink.Sheet(tone[None], canvas, 6000, np.random.default_rng(0), weight)
    marks = primitive.place(sheet)
    assert 0 < len(marks) <= 6000
    return marks, coverage(primitive, primitive.pack(marks), canvas)[0]


def test_masses_are_solid_paper_is_bare_and_strokes_lie_between():
    """Looks of strokes had one density everywhere: a black coat was as gray as its sky."""
    tone = np.tile(np.linspace(0, 1, 96), (96, 1))
    _, cover = hatched(tone, bare=0.25, solid=0.75)
    assert cover[:, :18].max() == 0
    assert cover[:, 78:].min() > 0.999
    columns = cover[:, 30:66].reshape(96, 3, 12).mean((0, 2))
    assert (np.diff(columns) > 0.05).all()


def test_lines_that_swell_run_through_and_are_as_wide_as_the_tone():
    """Lines that ended at edges left ragged rims and holes, and darks were flat black."""
    tone = np.tile(np.linspace(0, 1, 96), (96, 1))
    options = {"angle": 0.0, "crisp": 0.0, "bend": 0.0, "bare": 0.05, "solid": 1.0}
    marks, cover = hatched(tone, swell=True, cross=0.99, **options)
    columns = cover[:, 12:72].reshape(96, 5, 12).mean((0, 2))
    assert (np.diff(columns) > 0.05).all()
    # Lines run over the frame.
    assert marks.strokes[:, [0, 2]].max() > 1
    # Unless it is asked for, none crosses another, in black neither.
    alone = hatched(tone, swell=True, **options)[0].strokes
    crossed = hatched(tone, swell=True, cross=0.4, **options)[0].strokes
    # They rise towards the dark, where others that fall cross them.
    fall, across = (
        np.prod(each[:, 2:4] - each[:, :2], 1) > 0.3 * np.sum((each[:, 2:4] - each[:, :2]) ** 2, 1)
        for each in (alone, crossed)
    )
    assert not fall.any()
    assert across.sum() > 20
    assert crossed[across, 0].min() > -0.4


@pytest.mark.parametrize(("margin", "end"), [(0.0, 1.0), (0.1, 0.8)])
def test_contours_of_a_hatching_keep_to_the_margin(margin, end):
    """They ran through it to the edge of the paper."""
    target = np.full((3, 128, 128), 0.9)
    target[:, 63:65] = 0.1
    made = Hatch({"outline": 1.0, "margin": margin, "bare": 1.0, "solid": 1.0})
    sheet = ink.Sheet(
        1 - target[:1], Canvas(128, 128), 2000, np.random.default_rng(0), target=target
    )
    assert np.abs(made.place(sheet).strokes[:, [0, 2]]).max() == pytest.approx(end, abs=0.03)


def test_strokes_go_on_in_solid_ink():
    """They got thin just before it, and a pale seam lay around each mass."""
    tone = np.tile(np.interp(np.arange(96), [0, 6, 40, 60, 95], [0, 0.55, 0.55, 1, 1]), (96, 1))
    options = {"angle": 0.0, "crisp": 0.0, "taper": 6.0, "length": 200.0}
    thin, wide = (hatched(tone, **options, sink=sink)[1][12:84] for sink in (0.0, 6.0))
    assert thin[:, 51:54].mean() < 0.9 * thin[:, 46:48].mean()
    assert wide[:, 51:54].mean() > 1.2 * wide[:, 46:48].mean()


def test_broad_forms_turn_strokes_and_details_do_not():
    """Strokes swirled around each small spot."""
    y, x = np.mgrid[:96, :96] / 96
    spots = 0.3 * np.sin(60 * x) * np.sin(60 * y)
    pitch, wanted = (
        np.full((96, 96), 2.0),
        directions(x**2 + y**2, np.full((96, 96), 2.0), 0.0, 0.9),
    )
    fine, broad = (
        np.cos(2 * (directions(x**2 + y**2 + spots, pitch, 0.0, 0.9, many) - wanted)).mean()
        for many in (1.0, 5.0)
    )
    assert broad > fine + 0.1


def test_rows_are_closer_in_the_focus_and_elsewhere_as_dark():
    """Outside of the focus one line was a tenth as thick as its tone, and in it no finer."""
    weight = np.full((96, 96), 0.1)
    weight[30:66, 30:66] = 1
    sheet = ink.Sheet(np.full((1, 96, 96), 0.4), Canvas(96, 96), 9000, np.random.default_rng(0))
    line = Path({"inks": "#000000"})
    plain, gathered = (line.place(each) for each in (sheet, replace(sheet, weight=weight)))
    assert len(plain) == len(gathered)
    rows = [(np.abs(each.strokes[:, :2]) < 0.3).all(1).sum() for each in (plain, gathered)]
    assert rows[1] > 1.3 * rows[0]
    for each in (plain, gathered):
        cover = coverage(line, line.pack(each), Canvas(96, 96))[0]
        assert cover[10:20, 20:76].mean() == pytest.approx(0.4, abs=0.06)
        assert cover[40:56, 40:56].mean() == pytest.approx(0.4, abs=0.06)


def test_one_line_lifts_middle_tones():
    """A portrait was a dark mass: a median tone of 0.6 covered three fifths of the paper."""
    tone = np.tile(np.linspace(0, 1, 96) ** 0.5, (96, 1))
    sheet = ink.Sheet(tone[None], Canvas(96, 96), 9000, np.random.default_rng(0))
    for options, share in (({}, 0.64), ({"middle": 0.32}, 0.4)):
        line = Path({"inks": "#000000", "margin": 0.0, **options})
        cover = coverage(line, line.pack(line.place(sheet)), Canvas(96, 96))[0]
        assert cover.mean() == pytest.approx(share, abs=0.05)


def test_strokes_are_finer_in_the_focus():
    weight = np.full((96, 96), 0.1)
    weight[:, :48] = 1
    gaps = spacing(weight, weight.shape, 6.0)
    assert gaps[0, 90] > 2 * gaps[0, 5]
    assert (1 / gaps**2).mean() == pytest.approx(1 / 36)
    marks, _ = hatched(np.full((96, 96), 0.45), weight)
    assert (marks.strokes[:, 0] < 0).mean() > 0.75


def test_a_faint_edge_divides_masses():
    """A white sail on a gray sky was lost: both tones fell into one band."""
    tone = np.tile(np.where(np.arange(96) < 48, 0.40, 0.46), (96, 1))
    plain, crisp = (strengthened(tone, np.full(tone.shape, 5.0), by)[40] for by in (0.0, 3.0))
    assert np.ptp(crisp) > 2 * np.ptp(plain)
    assert crisp[:20] == pytest.approx(tone[40, :20], abs=1e-3)


def test_what_is_dark_on_dark_is_lifted_and_a_thin_line_stays():
    """A bird before a dark wood was one black mass with it, and masts and handles were lost."""
    tone = np.full((96, 96), 0.2)
    tone[:, 48:] = 0.9
    tone[30:60, 60:84] = 0.8
    tone[70:72, 56:90] = 0.75
    found = levelled(tone, 0.45, 0.3)
    for row, column in ((45, 72), (70, 70)):
        before = tone[row + 15, column] - tone[row, column]
        assert found[row, column] < 0.9 * tone[row, column]
        assert found[row + 15, column] - found[row, column] > 0.95 * before
    assert found[10, 80] - found[10, 10] > 0.45
    assert np.ptp(found[10, 5:40]) < 0.03
    assert levelled(tone, 0.45, 0.0) is tone


def test_linocut_leaves_as_much_paper_as_it_covers():
    """Photographs of middle tones were two thirds black, with birds and barns inside the black."""
    look = read_look("linocut", Registry(environ={})).data["primitive"]
    options = {key: value for key, value in look.items() if key not in ("name", "count")}
    tone = skimage.data.camera()[::4, ::4] / 255.0
    for each in (tone, tone**2):
        _, cover = hatched(each, **options)
        assert 0.45 < cover.mean() < 0.65


def test_strokes_follow_contours_and_else_the_angle():
    flat = directions(np.full((64, 64), 0.5), np.full((64, 64), 4.0), 0.6, 0.9)
    assert np.cos(flat + 0.6).min() > 0.999
    edge = np.tile(np.arange(64) > 31, (64, 1)).astype(float)
    steep = directions(edge, np.full((64, 64), 4.0), 0.0, 0.9)
    assert abs(np.cos(steep[32, 32])) < 0.2


def test_smudge_and_grain_are_alike_at_any_size():
    """Charcoal was flat strokes; its grain is that of the paper, however large the still."""
    tone = np.tile(np.linspace(0, 1, 64), (64, 1))
    primitive = Hatch({"margin": 0.0, "smudge": 0.02, "grain": 1.0})
    sheet = ink.Sheet(tone[None], Canvas(64, 64), 3000, np.random.default_rng(0))
    packed = primitive.pack(primitive.place(sheet))
    small, large = (
        primitive.settled(coverage(primitive, packed, Canvas(side, side)), Canvas(side, side))[0]
        for side in (600, 1200)
    )
    plain = coverage(primitive, packed, Canvas(600, 600))[0]
    assert np.abs(small - plain).mean() > 0.03
    assert np.abs(large.reshape(600, 2, 600, 2).mean((1, 3)) - small).mean() < 0.03


def test_a_strip_of_paper_has_as_many_grains_as_fit_into_memory(monkeypatch):
    """All grains of a strip of one row of pixels were drawn: gigabytes of them."""
    whole, short = Canvas(16, 8), Canvas(400, 2)
    before = tooth(whole)
    made = []
    grains = hatch._grains
    monkeypatch.setattr(hatch, "_grains", lambda *size: made.append(size) or grains(*size))
    monkeypatch.setattr(hatch, "MOST_GRAINS", 1100)
    assert np.array_equal(tooth(whole), before)
    assert tooth(short).std() > 0.1
    assert made == [(529, 1055), (529, 1100)]


def test_leads_run_between_panes_of_the_nearest_glass():
    """Cells of stained glass ignored what the picture shows; a face was three gray cells."""
    canvas = Canvas(64, 48)
    picture = np.zeros((3, 48, 64))
    picture[0, :, :32], picture[2, :, 32:] = 0.8, 0.8
    panes = Panes({"inks": "#d01020,#101010,#1020d0", "panes": 2, "painted": 0.0})
    amounts = np.zeros((3, 48, 64))
    marks = panes.place(ink.Sheet(amounts, canvas, 4000, np.random.default_rng(1), target=picture))
    leads = marks.strokes[marks.ink == 2]
    # Four of them are the frame.
    inner = leads[abs(leads[:, :4]).max(1) < canvas.reach[0] - canvas.pixel]
    assert abs(inner[:, [0, 2]]).max() < 2 * canvas.pixel
    assert np.ptp(inner[:, [1, 3]]) == pytest.approx(2, abs=2 * canvas.pixel)
    assert len(leads) == len(inner) + 4
    assert panes.inks[2] == pytest.approx(16 / 255)
    drawn = coverage(panes, panes.pack(marks), canvas)
    assert drawn[0][:, :28].min() > 0.99 > 0.01 > drawn[0][:, 36:].max()


def test_leads_follow_a_tip_as_far_as_detail_says():
    """The rays of a sun were round stumps, however many panes there were."""
    canvas = Canvas(160, 160)
    row, column = np.mgrid[:160, :160]
    ray = (abs(column - 80) < 0.15 * (row - 16)) & (row < 144)
    picture = np.where(ray, np.array((1.0, 0.8, 0.2))[:, None, None], 0.0)
    picture[2] += 0.5 * ~ray
    reached = []
    for detail in (1.0, 4.0):
        panes = Panes({"inks": "#ffcc33,#000080,#000000", "panes": 3, "detail": detail})
        sheet = ink.Sheet(
            np.zeros((3, 160, 160)), canvas, 30000, np.random.default_rng(0), target=picture
        )
        marks = panes.place(sheet)
        reached.append(marks.strokes[marks.ink == 0][:, 1].min())
    assert reached[1] < reached[0] - 3 * canvas.pixel


def ramp_of(colour: tuple[float, float, float]) -> np.ndarray:
    """A picture [3, 64, 64] from white at the left to a colour at the right."""
    share = np.tile(np.linspace(0, 1, 64), (64, 1))
    return np.stack([1 - share * (1 - each) for each in colour])


def washed(picture: np.ndarray, count: int = 60000, **options: object) -> tuple[Wash, ink.Marks]:
    primitive = Wash({"margin": 0.0, **options})
    shape = picture.shape[1:]
    amounts = np.zeros((len(primitive.inks), *shape))
    sheet = ink.Sheet(
        amounts, Canvas(*shape[::-1]), count, np.random.default_rng(0), target=picture
    )
    return primitive, primitive.place(sheet)


def test_washes_lie_on_one_another_from_pale_to_dark():
    """The look was strokes that smeared a photograph: no paper, no rims, no glazes."""
    primitive, marks = washed(ramp_of((0.0, 0.0, 0.0)) ** 2)
    assert (np.diff(marks.ink) >= 0).all()
    cover = coverage(primitive, primitive.pack(marks), Canvas(64, 64))
    assert cover[:, :, :3].max() < 0.05
    grays = cover.reshape(-1, 4, 64, 64).mean((2, 3)).sum(1)
    assert (np.diff(grays) < 0).all()
    assert grays[-1] > 0.05


def test_pigments_make_the_colour():
    """Glazes multiply: all washes of a pigment are its full strength."""
    for colour, most in (((0.95, 0.75, 0.2), 0), ((0.85, 0.3, 0.45), 1), ((0.3, 0.5, 0.8), 2)):
        primitive, marks = washed(ramp_of(colour))
        cover = coverage(primitive, primitive.pack(marks), Canvas(64, 64))
        laid = cover.reshape(-1, 4, 64, 64).mean((2, 3)).sum(0)
        assert laid.argmax() == most
        assert laid[most] > 2 * np.delete(laid, most).max()
    steps = -np.log(primitive.inks).reshape(-1, 4, 3).sum(0)
    assert steps == pytest.approx(1.6 * primitive.strength)


def test_a_busy_picture_is_painted_with_a_broader_brush():
    """Outlines alone were more than the marks: strokes grew until they were blobs."""
    busy = skimage.data.astronaut()[150:342, 150:342].transpose(2, 0, 1) / 255
    primitive, every = washed(busy)
    few = len(every) // 3
    _, marks = washed(busy, few)
    assert few / 4 < len(marks) <= few
    assert marks.strokes[:, 4].max() < 6 * every.strokes[:, 4].max()
    shown = [coverage(primitive, primitive.pack(each), Canvas(192, 192)) for each in (every, marks)]
    all_ink, less = (each.reshape(-1, 4, 192, 192).sum((0, 1)) for each in shown)
    assert np.abs(less - all_ink).mean() < 0.25 * all_ink.mean()


def test_a_wash_has_dark_rims_and_is_alike_at_any_size():
    primitive = Wash({"wet": 0.0, "grain": 0.0})
    cover = np.zeros((len(primitive.inks), 300, 300), np.float32)
    cover[18, 60:240, 60:240] = 1
    dried = primitive.settled(cover.copy(), Canvas(300, 300))[18]
    assert dried[150, 60] > 1.3 * dried[150, 150] > 1
    assert dried[150, 59] == 0
    wet = Wash({"wet": 1.0, "grain": 1.0})
    large = cover.repeat(2, 1).repeat(2, 2)
    small, large = (
        wet.settled(each, Canvas(each.shape[2], each.shape[1]))[18] for each in (cover, large)
    )
    assert np.abs(large.reshape(300, 2, 300, 2).mean((1, 3)) - small).mean() < 0.01
    assert np.ptp(small[100:200, 100:200]) > 0.2


def test_washes_run_where_the_picture_is_soft_and_end_where_it_has_an_edge():
    """Every wash had a hard border, so that cheeks and skies were maps."""
    primitive = Wash({"wet": 1.0, "grain": 0.0})
    one = np.zeros((len(primitive.inks), 300, 300), np.float32)
    one[8, :, 150:] = 1
    every = np.zeros_like(one)
    every[:, :, 150:] = 1
    soft, hard = (
        np.abs(np.diff(primitive.settled(each, Canvas(300, 300))[8].mean(0))).max()
        for each in (one, every)
    )
    assert hard > 2 * soft


def test_what_is_looked_at_closely_is_no_bare_paper():
    """Faces in full light had no eyes, nose or mouth."""
    light = np.full((64, 64), 0.92)
    light[30:34, 26:38] = 0.86
    weight = np.full(light.shape, 0.1)
    weight[:, 16:48] = 1.0
    shown = shaded(light, weight, 0.62)
    assert shown[32, 32] < shown[20, 32] - 0.07 < 0.75
    assert np.abs(shown - light)[:, :10].max() < 0.02
    assert np.array_equal(shaded(light, None, 0.62), light)


def test_pure_colours_keep_their_hue():
    """Grass in the sun was painted straw: no mix of paint is as pure, and the nearest was orange."""
    grass = np.array([0.35, 0.6, 0.05])[:, None, None] * np.ones((3, 64, 64))
    primitive, marks = washed(grass)
    cover = coverage(primitive, primitive.pack(marks), Canvas(64, 64))
    red, green, blue = printed(cover, primitive, np.ones(3, np.float32))[:, 32, 32]
    assert green > red > blue


def test_waves_fill_the_range_and_do_not_depend_on_the_size():
    small, large = (waves(Canvas(side, side), 0.2, 1) for side in (100, 200))
    assert small.std() > 0.15
    assert abs(small.mean() - 0.5) < 0.1
    assert np.abs(large.reshape(100, 2, 100, 2).mean((1, 3)) - small).max() < 0.02


def test_waves_are_the_same_where_they_end_between_the_middles_of_pixels():
    small, large = (waves(Canvas(side, side), 2 / 10.03, 1) for side in (100, 200))
    assert np.abs(large.reshape(100, 2, 100, 2).mean((1, 3)) - small).max() < 0.02


@pytest.mark.parametrize(
    ("given", "least"), [({}, 0.02), ({"tones": "0.08,0.21,0.35,0.48,0.6,0.72,0.8,0.9"}, 0.05)]
)
def test_charcoal_has_soft_tones_on_a_grain_and_sharp_lines(given, least):
    """The look was hatching in black and white, like an engraving."""
    primitive = Charcoal({"grain": 0.0, **given})
    drawn = len(primitive.tones) - LINES
    cover = np.zeros((len(primitive.inks), 300, 300), np.float32)
    cover[:1, :, 150:] = 1
    faint = primitive.settled(cover.copy(), Canvas(300, 300))
    assert faint[:-1].max() == 0
    edge = faint[-1].mean(0)
    assert edge[200] > least
    # A step of one tone is rubbed over more than it was, so it says less; an edge of the picture
    # stays, which was rubbed too.
    assert np.diff(edge).max() < 0.3 * edge[200]
    cover[:drawn, :, 150:] = 1
    mass = primitive.settled(cover.copy(), Canvas(300, 300))[-1].mean(0)
    assert mass[200] > 0.8
    assert np.diff(mass).max() > 0.6 * mass[200]
    cover[:, :, :] = 0
    cover[0] = 1
    cover[drawn:-1, :, 200:] = 1
    sharp = primitive.settled(cover.copy(), Canvas(300, 300))[-1].mean(0)
    assert sharp[200] - sharp[199] > 0.15
    grainy, plain = (
        Charcoal({"grain": grain, **given}).settled(cover.copy(), Canvas(300, 300))[
            -1, 50:250, 170:190
        ]
        for grain in (1.0, 0.0)
    )
    assert grainy.std() > 3 * plain.std()


def test_wide_steps_of_charcoal_become_slopes_and_edges_stay():
    """A sky at dusk was camouflage: plateaus of a tone with borders that could be seen."""
    primitive = Charcoal({"grain": 0.0})
    drawn, canvas = len(primitive.tones) - LINES, Canvas(600, 300)
    ramp = np.zeros((len(primitive.inks), 300, 600), np.float32)
    for k in range(drawn):
        ramp[k, :, 50 * k :] = 1
    slope = np.diff(primitive.settled(ramp, canvas)[-1].mean(0)[100:500])
    # 26 times where steps are only rubbed.
    assert slope.max() < 9 * slope.mean()
    edge = np.zeros((len(primitive.inks), 300, 600), np.float32)
    edge[:drawn, :, 300:] = 1
    tone = primitive.settled(edge, canvas)[-1].mean(0)
    assert tone[290] < 0.01
    assert tone[310] > 0.9


def test_a_line_that_is_faint_in_places_is_one_line():
    """Outlines of leaves and sails were rows of beads."""
    field, angle = np.zeros((60, 60)), np.full((60, 60), np.pi / 4)
    # The sense of an angle says nothing.
    angle[::2] += np.pi
    field[np.arange(60), np.arange(60)] = np.where(np.arange(60) % 6 < 3, 0.5, 1.0)
    field[10, 40] = 1.0
    way = np.stack([np.sin(angle), np.cos(angle)])
    drawn = mean_along(field, way, SHARES, np.full(field.shape, 12 / len(SHARES)))
    line = drawn[np.arange(20, 40), np.arange(20, 40)]
    assert np.ptp(line) < 0.1
    assert line.min() > 3 * drawn[10, 40]
    assert mean_along(field, way, SHARES, np.zeros(field.shape)) == pytest.approx(field)


def test_layers_of_charcoal_multiply_to_their_tones():
    primitive = Charcoal({"inks": "#000000"})
    paper = np.cumprod(primitive.inks[:-1, 0])
    assert paper == pytest.approx(1 - np.array(primitive.tones))


def test_details_are_left_out_and_edges_stay():
    """Looks of ink had no quiet place: every leaf and hair was drawn."""
    rng = np.random.default_rng(0)
    tone = np.where(np.arange(96) < 48, 0.2, 0.8) + 0.06 * rng.standard_normal((96, 96))
    calm = abstracted(tone, np.ones(tone.shape), 0.4)
    assert calm[:, 10:38].std() < 0.3 * tone[:, 10:38].std()
    assert calm[:, 51].mean() - calm[:, 44].mean() > 0.45
    finer = abstracted(tone, np.where(np.arange(96) < 48, 0.3, 1.2) * np.ones(tone.shape), 0.4)
    assert finer[:, 10:38].std() > 2 * finer[:, 58:86].std()


def test_sheets_of_paper_are_cut_by_the_colours_of_things_and_lie_on_one_another():
    """Cut at its tones, a picture of two things of one tone was one sheet, and a sky was three."""
    picture = np.zeros((3, 96, 96)) + 0.9
    picture[0, 20:80, 10:46] = np.linspace(0.75, 0.85, 36)
    picture[1:, 20:80, 10:46] = 0.1
    picture[2, 20:80, 50:86], picture[:2, 20:80, 50:86] = 0.7, 0.25
    papers = "#fbf4e4,#dc5350,#2c6a9c,#1c1828"
    kept = {}
    for front in ("dark", "light"):
        primitive = Papercut({"inks": papers, "margin": 0.0, "front": front})
        sheet = ink.Sheet(
            np.zeros((5, 96, 96)), Canvas(96, 96), 40000, np.random.default_rng(0), target=picture
        )
        marks = primitive.place(sheet)
        cover = coverage(primitive, primitive.pack(marks), Canvas(96, 96))
        top = np.where(cover[:-1] > 0.5, np.arange(4)[:, None, None], -1).max(0)
        red, blue = (set(top[25:75, low : low + 24].ravel()) for low in (16, 56))
        assert len(red) == len(blue) == 1
        assert red != blue
        kept[front] = top
        lowest, *others = sorted(set(marks.ink))
        assert cover[lowest].min() > 0.99
        assert all((cover[k] <= cover[lowest] + 1e-6).all() for k in others)
    assert kept["dark"][5, 5] < kept["dark"][50, 30] < kept["dark"][50, 70]
    assert kept["light"][5, 5] > kept["light"][50, 30]


def test_no_third_paper_lies_along_the_edge_of_two():
    """The mean of red and white is pink, of which there was a strip with holes along each edge."""
    x = (np.arange(640) - 319.5) / 640
    inside = np.clip((0.3 - np.hypot(x, x[:, None])) * 320 + 0.5, 0, 1)  # an edge of two pixels
    red, white = np.array([0.8, 0.1, 0.1]), np.array([0.95, 0.95, 0.9])
    picture = white[:, None, None] + (red - white)[:, None, None] * inside
    picture[:, 560:] = np.array([0.9, 0.55, 0.55])[:, None, None]
    primitive = Papercut({"inks": "#f8f4e8,#e69090,#cc2020", "margin": 0.0})
    sheet = ink.Sheet(
        np.zeros((4, 640, 640)), Canvas(640, 640), 40000, np.random.default_rng(0), target=picture
    )
    cover = coverage(primitive, primitive.pack(primitive.place(sheet)), Canvas(640, 640))
    pink = (cover[1] > 0.9) & (cover[2] < 0.1)
    assert pink[570:].all()
    assert not pink[:540].any()


def test_a_face_of_cut_paper_is_a_few_layers_of_one_hue():
    """Blotches of the papers of clothes and ground lay on faces, and the half in the shadow was one."""
    x = (np.arange(160) - 79.5) / 160
    away = np.hypot(x, x[:, None])
    face, light = away < 0.3, 0.75 - 0.9 * x[None] * np.ones((160, 1))
    skin = np.array([0.85, 0.6, 0.47])[:, None, None] * light
    picture = np.where(face, skin, np.array([0.2, 0.3, 0.7])[:, None, None])
    lips = face & (abs(x[:, None] - 0.14) < 0.03) & (abs(x) < 0.1)
    picture[:, lips] = np.array([[0.7], [0.1], [0.15]])
    weight = np.where(away < 0.34, 1.0, 0.1)
    primitive = Papercut({"margin": 0.0})

    def tops(picture: np.ndarray) -> np.ndarray:
        sheet = ink.Sheet(
            np.zeros((len(primitive.inks), 160, 160)),
            Canvas(160, 160),
            80000,
            np.random.default_rng(0),
            target=picture,
            weight=weight,
        )
        cover = coverage(primitive, primitive.pack(primitive.place(sheet)), Canvas(160, 160))
        order = np.arange(len(cover) - 1)[:, None, None]
        return np.where(cover[:-1] > 0.5, order, -1).max(0)

    top = tops(picture)
    row = top[80, 40:120]
    assert set(row) <= set(primitive.skin)
    assert 3 <= len(set(row)) <= 6
    assert (np.diff(row) >= 0).all()  # darker sheets lie on lighter ones, step by step
    assert not set(top[102, 70:90]) & set(primitive.skin[:6])
    gray = np.repeat(picture.mean(0, keepdims=True), 3, 0)
    assert not set(tops(gray)[80, 45:115]) & set(primitive.skin)


@pytest.mark.parametrize("size", [1, 3])
def test_a_face_of_cut_paper_has_strips_along_its_lines_and_red_lips(size):
    """Mouths and noses of small faces were lost, being too thin; lips of large ones were violet."""
    rows, columns = (np.indices((320, 320)) - 160.0) / size
    away = np.hypot(rows, columns)
    lips = (abs(rows - 14) < 6) & (abs(columns) < 13)
    nose = (abs(columns) < 1) & (abs(rows + 4) < 9)
    picture = np.zeros((3, 320, 320)) + np.array([0.2, 0.3, 0.7])[:, None, None]
    for where, colour in (
        (away < 40, (0.85, 0.6, 0.47)),
        (lips, (0.7, 0.27, 0.5)),
        (lips & (abs(rows - 14) < 1), (0.3, 0.1, 0.1)),
        (nose, (0.6, 0.4, 0.3)),
    ):
        picture = np.where(where, np.array(colour)[:, None, None], picture)
    primitive = Papercut({"margin": 0.0})
    weight = np.where(away < 50, 1.0, 0.1)
    canvas, random = Canvas(320, 320), np.random.default_rng(0)
    sheet = ink.Sheet(
        np.zeros((len(primitive.inks), 320, 320)), canvas, 80000, random, weight, picture
    )
    cover = coverage(primitive, primitive.pack(primitive.place(sheet)), canvas)
    order = np.arange(len(cover) - 1)[:, None, None]
    top = np.where(cover[:-1] > 0.5, order, -1).max(0)
    red = primitive.inks[top[lips & (abs(rows - 14) > 3)]]
    assert (np.median(red, 0) @ [[1, 1], [-1, 0], [0, -1]] > [0.4, 0.3]).all()
    # The strip is darker skin, and beside it is what was there.
    lightness = primitive.inks[:-1] @ LUMA
    line, beside = (top[160 - 10 * size : 160, 160 + each * size] for each in (0, 10))
    assert set(line) <= set(primitive.skin)
    assert lightness[line].max() < lightness[beside].min()
    assert set(beside) <= set(primitive.skin)


def test_what_differs_little_from_what_is_around_it_is_no_piece_of_paper():
    picture = np.zeros((3, 120, 120)) + np.array([0.5, 0.6, 0.3])[:, None, None]
    picture[:, 20:60, 20:60] += 0.03
    picture[:, 70:100, 70:100] = 0.1
    primitive = Papercut({"inks": "#f0ead8,#a3b25c,#8fa050,#1c1828", "margin": 0.0})
    sheet = ink.Sheet(
        np.zeros((5, 120, 120)), Canvas(120, 120), 40000, np.random.default_rng(0), target=picture
    )
    assert len(set(primitive.place(sheet).ink)) == 2


def test_light_sand_has_paper_of_sand_and_grass_paper_of_grass():
    primitive = Papercut({})
    papers = lab_of(primitive.inks[:-1].T)
    colours = np.array([(78, -4, 17), (72, -6, 22), (62, -24, 42), (35, -12, 16)], float)
    found = papers[primitive._papers(np.full((4, 4, 3), 50.0), colours)]
    assert (found[:2, 1] > -5).all()
    assert (found[2:, 1] < -10).all()


def test_frequent_colours_are_told_apart_and_a_plain_picture_has_one():
    lab = np.zeros((40, 40, 3))
    assert len(frequent(lab, None, 6)) == 1
    lab[:, 20:], lab[:10, :10] = (50, 40, 0), (80, 0, 0)
    assert sorted(frequent(lab, None, 3)[:, 0]) == pytest.approx([0, 50, 80])


def test_colours_are_found_where_pixels_that_count_lie_between_those_looked_at():
    weight = np.zeros((400, 400))
    weight[1, 1] = 1
    assert frequent(np.full((400, 400, 3), 40.0), weight, 5).shape == (1, 3)


def test_a_sheet_of_paper_casts_a_shadow_on_the_next_to_the_lower_right():
    primitive = Papercut({"inks": "#ffffff,#808080,#101010"})
    cover = np.zeros((4, 200, 200), np.float32)
    cover[0], cover[1, 60:140, 60:140] = 1, 1
    plain = primitive.settled(np.ones_like(cover), Canvas(200, 200))[-1]
    shadow = primitive.settled(cover.copy(), Canvas(200, 200))[-1]
    assert plain.max() < 0.06
    # Shadows follow from heights, and are wider and lighter than blurred copies of a sheet were.
    assert shadow[140, 100] > 0.2 > shadow[58, 100]
    assert shadow[20, 20] < 0.06
    # What lies higher casts a longer shadow.
    cover[2] = cover[1]
    higher = primitive.settled(cover.copy(), Canvas(200, 200))[-1]
    assert (higher[140:] > 0.2).sum() > 1.3 * (shadow[140:] > 0.2).sum()
    primitive = Papercut({"inks": "#ffffff,#808080,#101010", "depth": 0.0})
    assert primitive.settled(cover.copy(), Canvas(200, 200))[-1].max() < 0.06


@pytest.mark.parametrize(
    ("kind", "options", "words"),
    [
        (Wash, {"inks": "#111111,#222222,#333333,#444444,#555555"}, "at most 4 pigments, got 5"),
        (Papercut, {"inks": ",".join(["#101010"] * 17)}, "at most 16 inks, got 17"),
        (Charcoal, {"inks": "#101010,#801010"}, "charcoal has one ink, got 2"),
        (Charcoal, {"tones": "0.2,0.4"}, "tones are more than 2"),
        (Wash, {"washes": "0.5,0.2"}, "washes are rising numbers"),
        (Wash, {"washes": "pale"}, "washes are rising numbers"),
        (Wash, {"washes": "0.5,inf"}, "washes are rising numbers"),
        (Papercut, {"front": "side"}, "front"),
    ],
)
def test_too_many_washes_or_sheets_are_refused(kind, options, words):
    with pytest.raises(UsageError, match=words):
        kind(options)


@pytest.mark.parametrize("kind", [Charcoal, Papercut, Wash])
def test_few_marks_are_kept_to(kind):
    rng = np.random.default_rng(0)
    made = kind({})
    target, amounts = rng.random((3, 40, 40)), rng.random((len(made.inks), 40, 40))
    sheet = ink.Sheet(amounts, Canvas(40, 40), 60, rng, target=target)
    assert len(made.place(sheet)) <= 60


@pytest.mark.parametrize(
    ("kind", "options"), [(Draft, {"inks": "#fff,#ccc,#888,#444,#000"}), (Tube, {"dusk": 1.0})]
)
def test_one_mark_is_kept_to(kind, options):
    """What lies behind had two thirds of it, which is none."""
    made, rng = kind(options), np.random.default_rng(0)
    target, amounts = rng.random((3, 40, 40)), rng.random((len(made.inks), 40, 40))
    sheet = ink.Sheet(amounts, Canvas(40, 40), 1, rng, target=target)
    assert len(made.place(sheet)) <= 1


@pytest.mark.parametrize("kind", [Charcoal, Draft, Hatch, Mosaic, Panes, Papercut, Tube, Wash])
@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (2, 2), (3, 3)])
def test_the_smallest_pictures_are_drawn(kind, shape):
    """Hatching of one row took all memory, and that of one column ended with exit code 1."""
    rng = np.random.default_rng(0)
    kind = kind({})
    target = rng.random((3, *shape))
    amounts = rng.random((len(kind.inks), *shape))
    sheet = ink.Sheet(amounts, Canvas(*shape[::-1]), 500, rng, target=target)
    assert len(kind.place(sheet)) <= 500


SMALLEST = [
    (Hatch, {"swell": True, "outline": 1.0}),
    (Poem, {"text": "to be"}),
    (Path, {"middle": 0.3, "crisp": 2.0}),
    (Path, {"form": "tsp"}),
    (Stipple, {"stretch": 4.0}),
    (Halftone, {"shape": "ring"}),
    (String, {"nails": 12}),
    (Foils, {}),
]


@pytest.mark.parametrize(("kind", "options"), SMALLEST)
@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (1, 1)])
def test_pictures_of_one_row_are_drawn(kind, options, shape):
    """Gradients of a row or a column were none, which ended with exit code 1."""
    rng = np.random.default_rng(0)
    made = kind(options)
    target, amounts = rng.random((3, *shape)), rng.random((len(made.inks), *shape))
    sheet = ink.Sheet(amounts, Canvas(*shape[::-1]), 300, rng, target=target)
    assert len(made.placed(sheet)) <= 300


@pytest.mark.parametrize("options", [{"outline": 1.0}, {"swell": True}])
def test_one_stroke_is_drawn_as_large_as_the_paper_at_most(options, monkeypatch):
    """Strokes were taken to be farther and farther apart, which took minutes and all memory."""
    asked = []
    monkeypatch.setattr(
        "artgen_plugins.hatch.spacing", lambda *given: asked.append(given[2]) or spacing(*given)
    )
    target = np.random.default_rng(0).random((3, 64, 64)) * np.linspace(0, 1, 64)
    made, rng = Hatch(options), np.random.default_rng(0)
    made.place(ink.Sheet(1 - target[:1], Canvas(64, 64), 1, rng, target=target))
    assert max(asked) <= 1.31 * 64


def test_what_is_blurred_beyond_all_of_it_is_as_by_a_kernel():
    picture = np.random.default_rng(0).random((20, 30))
    for sigma in (15.0, 30.0, 90.0):
        kernel = gaussian_filter(picture, sigma, mode="nearest", truncate=8)
        assert softened(picture, sigma) == pytest.approx(kernel, abs=2e-3 * np.ptp(picture))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Hatch, {}),
        (Hatch, {"swell": True}),
        (Panes, {}),
        (Halftone, {"shape": "line"}),
        (Halftone, {"inks": "#000000,#ff0000,#00ff00"}),
    ],
)
def test_a_mass_of_more_marks_than_there_may_be_has_the_first_ones(kind, options):
    """No distance of strokes was large enough, and larger ones were tried without end."""
    made, rng = kind(options), np.random.default_rng(0)
    amounts, target = np.ones((len(made.inks), 24, 24)), np.full((3, 24, 24), 0.02)
    sheet = ink.Sheet(amounts, Canvas(24, 24), 2, rng, target=target)
    assert len(made.place(sheet)) == 2


def test_a_screen_of_a_strip_looks_at_its_own_cells_alone():
    """It looked at those of the square around it: of one row of pixels at millions."""
    looked = []

    class Strip(ink.Sheet):
        def at(self, ink, x, y):
            looked.append(np.size(x))
            return super().at(ink, x, y)

    strip = Strip(np.full((1, 4, 400), 0.5), Canvas(400, 4), 300, np.random.default_rng(0))
    assert 100 < len(Halftone({}).place(strip)) <= 300
    assert max(looked) < 1500


def test_rows_of_a_tall_sheet_are_no_more_than_its_strokes():
    sheet = ink.Sheet(np.full((1, 600, 4), 0.5), Canvas(4, 600), 20, np.random.default_rng(0))
    assert 10 < len(Path().place(sheet)) <= 20
    few = Path().place(replace(sheet, count=8))
    assert (len(few), few.notice[:16]) == (0, "there is no line")


@pytest.mark.parametrize("angles", ["nan", "15,inf", "15,,30"])
def test_screens_have_angles_that_are_numbers(angles):
    sheet = ink.Sheet(np.ones((1, 8, 8)), Canvas(8, 8), 20, np.random.default_rng(0))
    with pytest.raises(UsageError, match="are not numbers"):
        Halftone({"angles": angles}).place(sheet)


def test_a_stone_alone_has_the_colour_of_its_place():
    """It was compared with the mean of no others, and had the first colour of the shop."""
    made = Mosaic({"inks": ""})
    target = np.array([0.12, 0.25, 0.43])[:, None, None].repeat(9, 1).repeat(9, 2)
    amounts = separate(torch.from_numpy(target), made, (1, 1, 1))
    sheet = ink.Sheet(amounts, Canvas(9, 9), 1, np.random.default_rng(0), target=target)
    (one,) = made.place(sheet).ink
    assert np.abs(made.inks[one] - target[:, 0, 0]).max() < 0.15


def test_rows_that_repeat_reach_the_edges():
    made = Path({"symmetry": "p1"})
    made.resolve_options(Canvas(40, 40))
    sheet = ink.Sheet(np.full((1, 40, 40), 0.5), Canvas(40, 40), 400, np.random.default_rng(0))
    ends = [np.abs(each.place(sheet).strokes[:, :4]).max() for each in (made, Path())]
    assert ends == pytest.approx([1, 0.94], abs=1e-3)


def test_nails_of_a_tile_that_repeats_lie_on_its_edges():
    """All tiles had a border, as if each were a board of its own."""
    made = String({"symmetry": "p1", "frame": "rectangle"})
    made.place_group(Canvas(40, 40))
    assert np.abs(made.find_nails(Canvas(40, 40))).max() == 1


@pytest.mark.parametrize("kind", [Wash, Papercut])
def test_what_repeats_has_no_border(kind):
    """A tile of washes had a white rim, and one of paper a frame."""
    made = kind({"symmetry": "p1"})
    made.resolve_options(Canvas(40, 40))
    target = np.full((3, 40, 40), 0.3)
    amounts = np.full((len(made.inks), 40, 40), 0.7)
    sheet = ink.Sheet(amounts, Canvas(40, 40), 4000, np.random.default_rng(0), target=target)
    marks = made.place(sheet)
    cover = coverage(made, made.pack(marks), Canvas(40, 40))
    if kind is Papercut:
        assert len(np.unique(marks.ink)) == 1
    else:
        assert cover.sum(0)[0, 20] > 0.5 * cover.sum(0)[20, 20]


def test_tubes_run_along_edges_alone_with_a_halo_of_one_hue():
    """The look neon covered even ground with strokes; a face became a skull."""
    canvas = Canvas(64, 64)
    x, y = np.meshgrid(*(np.linspace(-1, 1, 64),) * 2)
    disc = 1 / (1 + np.exp((np.hypot(x, y) - 0.5) / 0.02))
    picture = np.stack([0.9 * disc, 0.2 * disc, 0.2 * disc])
    amounts = np.zeros((1, 64, 64))
    tube = Tube({"inks": "#ff2020,#2020ff"})
    marks = tube.place(ink.Sheet(amounts, canvas, 4000, np.random.default_rng(1), target=picture))
    first = 2 * len(GLOW)
    lines = marks.strokes[marks.ink >= first]
    assert len(lines) > 20
    # A line has no bends that are tighter than a few pixels, of which there are 32 to a unit.
    assert abs(np.hypot(*lines[:, :2].T) - 0.5).max() < 0.05
    assert set(marks.ink[marks.ink >= 2] % 2) == {0}
    halo = [marks.strokes[marks.ink == 2 * level, 4].max() for level in range(1, 5)]
    assert halo == sorted(halo, reverse=True)
    few = tube.place(ink.Sheet(amounts, canvas, 300, np.random.default_rng(1), target=picture))
    assert len(few) <= 300


def test_a_picture_at_dusk_is_behind_tubes():
    """In tubes alone strangers' animals were rubbish; six steps of blue were muddy."""
    picture = np.tile(np.linspace(0, 1, 96), (3, 96, 1))
    picture[0, 48:] = picture[0, 48:] ** 0.5
    sheet = ink.Sheet(picture, Canvas(96, 96), 90000, np.random.default_rng(0), target=picture)
    tube = Tube({"inks": "#ff2020,#2020ff,#20ff20", "dusk": 0.5})
    marks = tube.place(sheet)
    assert tube.inks[: tube.below].max() <= 0.5
    drawn = coverage(tube, tube.pack(marks), Canvas(96, 96))
    # A share of a colour grows with the tone and has no steps, once it has faded.
    shade = tube.settled(drawn.copy(), Canvas(96, 96))[: tube.below].sum(0).mean(0)[4:76]
    assert np.diff(shade).min() > -0.01
    assert np.diff(shade).max() < 0.2
    warm, cold = drawn[:4].sum((0, 2)), drawn[4:8].sum((0, 2))
    assert warm[60:].mean() > cold[60:].mean()
    assert cold[:36].mean() > cold[60:].mean()
    cover = np.ones((len(tube.inks), 32, 32), np.float32)
    halo = tube.below + 3
    settled = tube.settled(cover, Canvas(32, 32))
    assert settled[-1].min() == 1
    # Halos lie on what is light, and less on what is dark.
    dark = np.ones((len(tube.inks), 32, 32), np.float32)
    dark[: tube.below] = 0
    assert tube.settled(dark, Canvas(32, 32))[halo].max() < settled[halo].max()
    assert len(tube.place(replace(sheet, count=300))) <= 300


def test_one_closed_tube_is_around_a_subject_before_dusk():
    """A cat had ears and no body, and lines of the ground were as bright as it."""
    x, y = np.meshgrid(*(np.linspace(-1, 1, 96),) * 2)
    ground = 0.18 + 0.05 * np.sin(23 * x) * np.sin(19 * y) + np.zeros((3, 1, 1))
    disc = np.hypot(x, y + 0.1) < 0.5
    picture = np.where(disc, np.array([0.9, 0.6, 0.3])[:, None, None], ground)
    sheet = ink.Sheet(picture, Canvas(96, 96), 20000, np.random.default_rng(0), target=picture)
    tube = Tube({"inks": "#ff2020,#2020ff", "dusk": 0.5})
    marks = tube.place(sheet)
    hot = marks.strokes[marks.ink >= len(tube.inks) - len(tube.tubes)]
    assert abs(np.hypot(hot[:, 0], hot[:, 1] + 0.1) - 0.5).max() < 0.04
    angles = np.sort(np.arctan2(hot[:, 1] + 0.1, hot[:, 0]))
    assert np.diff(angles, append=angles[0] + 2 * np.pi).max() < 0.3
    assert len(np.unique(marks.ink[marks.ink >= len(tube.inks) - len(tube.tubes)])) == 1


def test_there_is_no_silhouette_where_the_subject_is_not_sure():
    """One that is wrong is worse than none: of stripes, and where nothing differs."""
    stripes = np.tile(np.sin(np.linspace(0, 40, 96)) > 0, (3, 96, 1)) * 0.8
    for picture in (stripes, np.full((3, 96, 96), 0.5), np.zeros((3, 9, 9))):
        shape = picture.shape[1:]
        assert not silhouettes(picture, np.zeros(shape), Canvas(*shape))


def test_a_line_beside_an_edge_is_drawn_to_it():
    """Outlines of subjects were lamp bulbs around heads."""
    x, y = np.meshgrid(*(np.linspace(-1, 1, 120),) * 2)
    slope = 8 * np.exp(-(((np.hypot(x, y) - 0.5) / 0.03) ** 2))
    angles = np.linspace(0, 2 * np.pi, 300)
    wrong = (0.5 + 0.05 * np.sin(5 * angles)) * np.array([np.sin(angles), np.cos(angles)])
    found = snapped((wrong.T + 1) / 2 * 119, slope, 6) / 119 * 2 - 1
    assert abs(np.hypot(*found.T) - 0.5).max() < 0.025


def tubes_along(lines, colours, monkeypatch):
    """The tubes that are drawn where these are the contours of a picture of left and right half."""
    canvas = Canvas(200, 200)
    points = [
        np.concatenate(
            [
                np.linspace(a, b, int(100 * np.hypot(*np.subtract(b, a))))[:-1]
                for a, b in pairwise(line)
            ]
        )
        for line in lines
    ]
    drawn = [Contour(np.array(each), np.ones(len(each))) for each in points]
    monkeypatch.setattr("artgen_plugins.tube.contours", lambda *_: drawn)
    monkeypatch.setattr("artgen_plugins.tube.flow_lines", lambda *_: [])
    picture = np.repeat(np.array(colours).T[..., None, :], 200, 1).repeat(100, 2)
    tube = Tube({"inks": "#ff2020,#2020ff", "width": 0.01})
    marks = tube.place(
        ink.Sheet(np.zeros((2, 200, 200)), canvas, 9000, np.random.default_rng(1), target=picture)
    )
    first = 2 * len(GLOW)
    return marks.strokes[marks.ink >= first], marks.ink[marks.ink >= first] - first


RED, BLUE = (0.8, 0.1, 0.1), (0.1, 0.1, 0.8)


def test_a_tube_that_goes_on_in_another_has_its_hue(monkeypatch):
    """Colours changed in the middle of an outline, at each fork."""
    left, right = [(-0.7, 0.2), (0.1, 0.2)], [(0.115, 0.2), (0.6, 0.2)]
    _, hues = tubes_along([left, right], (RED, BLUE), monkeypatch)
    assert set(hues) == {0}
    # A corner where no other tube begins is in one tube as well.
    _, hues = tubes_along([left, [(0.1, 0.2), (0.1, 0.5), (0.4, 0.5)]], (RED, BLUE), monkeypatch)
    assert set(hues) == {0}
    # What ends on the side of another is a tube of its own.
    _, hues = tubes_along(
        [[(-0.3, -0.7), (-0.3, 0.7)], [(-0.3, 0), (0.9, 0)]], (RED, BLUE), monkeypatch
    )
    assert set(hues) == {0, 1}


def test_a_tube_reaches_what_it_nearly_meets_and_a_short_loose_one_is_left_out(monkeypatch):
    """Outlines broke off just before they met, and bits of light lay about."""
    ring = [(0.04, 0), (0.4, 0), (0.4, 0.4), (0, 0.4), (0, 0)]
    strokes, _ = tubes_along([ring], (RED, BLUE), monkeypatch)
    ends = np.concatenate([strokes[:, :2], strokes[:, 2:4]])
    assert np.hypot(*(ends - [0.02, 0]).T).min() < 0.01
    upright = [(0.5, -0.8), (0.5, 0.8)]
    # What is farther off stays there.
    for begins, ends in ((0.48, 0.5), (0.4, 0.39)):
        level = [(-0.5, -0.6), (begins, -0.6)]
        strokes, _ = tubes_along([upright, level], (RED, BLUE), monkeypatch)
        across, down = abs(strokes[:, :2] - strokes[:, 2:4]).T
        assert strokes[across > down, 2].max() == pytest.approx(ends, abs=0.01)
    strokes, _ = tubes_along([upright, [(-0.5, 0.3), (-0.3, 0.3)]], (RED, BLUE), monkeypatch)
    assert strokes[:, 0].min() > 0.4


def test_contours_are_few_and_lie_on_borders_and_in_the_middle_of_what_is_thin():
    """Edges of every leaf and hair were lines, and a mast was two."""
    canvas = Canvas(96, 96)
    assert contours(np.full((3, 96, 96), 0.4), None, canvas, 0.03, 0.07, 0.05, 40.0) == []
    picture = np.full((3, 96, 96), 0.85)
    picture[:, 40:, :] = 0.2
    picture[:, :28, 46:49] = 0.3
    level, upright = contours(picture, None, canvas, 0.03, 0.07, 0.05, 40.0)
    assert abs(upright.points[:, 0] - (47.5 / 48 - 1)).max() < 3 / 48
    middle = level.points[abs(level.points[:, 0] - upright.points[:, 0].mean()) > 0.2]
    assert abs(middle[:, 1] - (40 / 48 - 1)).max() < 2.5 / 48
    assert np.ptp(level.points[:, 0]) > 1.8
    assert level.contrast.mean() > upright.contrast.mean() > 0.25


def test_a_gap_in_a_shape_is_closed_where_the_picture_shows_a_way():
    """Windows became hooks, and outlines ended before they met."""
    canvas = Canvas(128, 128)
    y, x = np.mgrid[:128, :128]
    box = ((abs(x - 64) < 34) & (abs(y - 64) < 30)).astype(float)
    picture = np.stack([gaussian_filter(0.2 + 0.6 * box, 1.0)] * 3)
    # One side is hardly lighter than the ground, below what starts a line.
    picture[:, :, 80:] = 0.2 + 0.1 * (picture[:, :, 80:] - 0.2)
    lines = contours(picture, None, canvas, 0.02, 0.2, 0.02, 40.0)
    shapes = enclosed(lines, canvas)
    assert shapes[64, 64] != shapes[10, 64] == shapes[120, 64] == shapes[64, 10] == 0
    light = within(picture[0], shapes, 40.0)
    assert light[64, 60] == pytest.approx(0.78, abs=0.04)
    assert light[20, 60] == pytest.approx(picture[0, 20, 60], abs=1e-9)  # the ground stays


def test_straight_runs_are_ruled_and_meet_in_corners_but_curves_stay():
    rng, way = np.random.default_rng(0), np.arange(60.0)
    corner = np.concatenate(
        [np.stack([way, 0 * way], 1), np.stack([59 + 0 * way, way + 1], 1)]
    ) + rng.uniform(-0.4, 0.4, (120, 2))
    straight = ruled(corner, 20.0, 1.0)
    run = straight[3:50] - straight[3:50].mean(0)
    assert np.linalg.svd(run)[1][1] < 1e-9
    assert np.hypot(*(straight - [59, 0]).T).min() < 0.7
    turn = np.linspace(0, 2 * np.pi, 400)
    ring = 60 * np.stack([np.cos(turn), np.sin(turn)], 1)
    assert (ruled(ring, 25.0, 1.0) == ring).all()


def test_a_draft_has_ruled_lights_and_a_grid_behind():
    light = np.tile(np.linspace(0, 1, 96), (96, 1))
    light[:, :24] = 0
    draft = Draft({})
    sheet = ink.Sheet(
        np.repeat(light[None], 3, 0),
        Canvas(96, 96),
        9000,
        np.random.default_rng(0),
        target=light[None].repeat(3, 0),
    )
    marks = draft.place(sheet)
    assert (np.diff(draft.inks.sum(1)) > 0).all()
    shadow = marks.strokes[marks.ink == 0]
    assert (shadow[:, [0, 2]] < -0.3).all()
    assert -0.9 < shadow[:, 2].mean() < -0.5
    ruled = marks.strokes[marks.ink == 2]
    length = np.hypot(ruled[:, 2] - ruled[:, 0], ruled[:, 3] - ruled[:, 1])
    slope = (ruled[:, 3] - ruled[:, 1]) / (ruled[:, 2] - ruled[:, 0])
    right = ruled[:, [0, 2]].mean(1)
    assert abs(slope) == pytest.approx(1)
    assert (slope[right < 0.5] < 0).all()  # only what is lightest is crossed
    assert (slope[right > 0.8] > 0).any()
    assert length[right > 0.5].sum() > 1.5 * length[(right > 0) & (right < 0.5)].sum()
    assert length[right < -0.3].sum() == 0
    assert (marks.ink == 1).sum() > 30


def test_a_draft_with_tints_has_masses_from_dark_to_pale_below_its_lines():
    """On a blueprint of lines alone a white horse and a face had vanished."""
    light = np.tile(np.linspace(0, 1, 96), (96, 1))
    draft = Draft({"inks": "#f4f8ff,#c9dcf8,#3f70ba,#0d2c62,#83ace4,#346ab6"})
    sheet = ink.Sheet(
        np.repeat(light[None], 6, 0),
        Canvas(96, 96),
        9000,
        np.random.default_rng(0),
        target=light[None].repeat(3, 0),
    )
    marks = draft.place(sheet)
    ends = [marks.strokes[marks.ink == k][:, [0, 2]] for k in range(3)]
    assert [each.max() > 0.9 for each in ends] == [True, True, False]
    assert -0.5 < ends[0].min() < 0 < 0.3 < ends[1].min() < 0.9  # of the pale one, and of a shadow
    assert ends[2].max() < -0.5
    assert len(draft.place(replace(sheet, count=300))) <= 300


def test_ruled_lines_of_a_draft_swell_with_the_light_near_lines_and_the_grid_ends_before_them():
    """In masses of tints, clouds of a sky and fur were camouflage, and a grid crossed faces."""
    y, x = np.mgrid[-1:1:96j, -2:2:192j]
    light = np.where(np.hypot(x + 1, y) < 0.6, 0.6 - 0.4 * y, 0.0)
    light += 0.6 * np.exp(-8 * ((x - 1.4) ** 2 + y**2))  # a cloud without borders, far from lines
    draft = Draft({"swell": True, "inks": "#ffffff,#dbe8fb,#25549f,#0d2f6a,#6391d4"})
    sheet = ink.Sheet(
        np.repeat(light[None], 5, 0),
        Canvas(192, 96),
        20000,
        np.random.default_rng(0),
        target=light[None].repeat(3, 0),
    )
    marks = draft.place(sheet)
    assert set(marks.ink) == {2, 3, 4}  # no masses, no shadows
    ruled, grid = (marks.strokes[marks.ink == k] for k in (3, 2))
    slope = (ruled[:, 3] - ruled[:, 1]) / (ruled[:, 2] - ruled[:, 0])
    assert slope == pytest.approx(-1)

    def widest(strokes, x, y):
        near = np.hypot(strokes[:, 0] - x, strokes[:, 1] - y) < 0.12
        return strokes[near, 4:].max(initial=0)

    assert widest(ruled, -1, -0.4) > 1.4 * widest(ruled, -1, 0.4) > 0
    assert widest(ruled, 1.4, 0) < 0.1 * widest(ruled, -1, -0.4)
    assert widest(grid, -1, -0.4) < 0.3 * widest(grid, 0.5, 0)
    assert len(draft.place(replace(sheet, count=300))) <= 300
    even = replace(sheet, target=np.full((3, 96, 192), 0.9))
    assert (draft.place(even).ink == 3).any()


def test_large_dark_shapes_of_a_draft_with_swell_are_shadows_below_its_grid():
    """A dog, suits and a plane's undercarriage had been as empty as the ground."""
    y, x = np.mgrid[-1:1:96j, -2:2:192j]
    light = np.where(np.hypot(x + 1, y) < 0.6, 0.05, 0.5 + 0.2 * x)
    light[np.hypot(x - 1, y) < 0.04] = 0.05  # a speck
    draft = Draft({"swell": True, "inks": "#ffffff,#dbe8fb,#25549f,#0b2659"})
    sheet = ink.Sheet(
        np.repeat(light[None], 4, 0),
        Canvas(192, 96),
        20000,
        np.random.default_rng(0),
        target=light[None].repeat(3, 0),
    )
    marks = draft.place(sheet)
    shadow = marks.strokes[marks.ink == 0]
    assert len(shadow) > 9
    assert np.hypot(shadow[:, [0, 2]] + 1, shadow[:, [1, 3]]).max() < 0.7
    assert len(draft.place(replace(sheet, count=300))) <= 300


def test_lines_that_tell_something_part_masses_or_are_long_where_it_is_calm():
    """White worms on grass and water were all that was left of it."""
    picture = np.full((3, 200, 300), 0.4)
    picture[:, :, 200:] = 0.8
    picture[:, 100:, :150] += np.random.default_rng(0).normal(0, 0.15, (100, 150))
    picture[:, 49:51, 20:180] = 0.8  # a wire before an even ground
    canvas = Canvas(300, 200)

    def line(x, y):
        points = np.stack(np.broadcast_arrays(x, y), 1) * canvas.pixel - canvas.reach
        return Contour(points, np.ones(len(points)))

    border, wire = line(200.0, np.arange(20.0, 180)), line(np.arange(30.0, 170), 50.0)
    worm, short = line(np.arange(30.0, 100), 150.0), line(np.arange(30.0, 45), 50.0)
    kept = telling([border, worm, wire, short], picture, canvas)
    assert [each is other for each, other in zip(kept, [border, wire], strict=True)] == [True, True]


def sheet_of_bars(made, right):
    """A white sheet for 9,000 marks, with a bar across and one from column 20 to `right`."""
    target = np.full((3, 96, 120), 0.9)
    target[:, 46:49] = target[:, :, 20:right] = 0.1
    amounts = np.repeat(target[:1], len(made.inks), 0)
    return ink.Sheet(amounts, Canvas(120, 96), 9000, np.random.default_rng(0), target=target)


def reach_of(marks):
    """How far strokes go from the centre, across and down."""
    return np.abs(marks.strokes[:, :4].reshape(-1, 2, 2)).max((0, 1))


@pytest.mark.parametrize("kind", [Draft, Foils])
def test_all_lines_keep_to_the_margin(kind):
    """Of a draft ruled lines alone did, and foils had none."""
    made = kind({"margin": 0.1})
    sheet = sheet_of_bars(made, 40)
    ends = reach_of(made.place(sheet))
    assert ends == pytest.approx(np.array(sheet.canvas.reach) - 0.2, abs=0.03)


@pytest.mark.parametrize("kind", [Panes, Tube])
def test_glass_and_tubes_leave_the_margin_blank(kind):
    """Their margin had no effect."""
    made = kind({"margin": 0.1})
    sheet = sheet_of_bars(made, 60)
    marks, canvas, inside = made.place(sheet), sheet.canvas, np.ones((1, 96, 120))
    assert (reach_of(marks) < np.array(canvas.reach) - 0.17).all()
    cover = made.settled(coverage(made, made.pack(marks), canvas), canvas)
    made.clear_margin(inside)
    assert cover[:, inside[0] > 0].any()
    assert not cover[:, inside[0] == 0].any()


def test_shadows_reach_to_edges_and_what_has_none_is_no_shadow():
    """Stains lay across the outlines of things, and in grass."""
    light, canvas = np.full((120, 120), 0.7), Canvas(120, 120)
    rows, columns = np.indices(light.shape)
    light -= 0.6 * np.exp(-(((rows - 90) ** 2 + (columns - 90) ** 2) / 20**2))
    light[20:60, 20:60] = np.linspace(0.1, 0.4, 40)
    dark = shadows(light, light, np.zeros(light.shape), canvas)
    assert dark[22:58, 22:58].all()
    assert dark.sum() == dark[19:61, 19:61].sum()
    stain = (rows - 90) ** 2 + (columns - 90) ** 2 < 9**2
    assert shadows(light, light, stain * 1.0, canvas)[stain].mean() > 0.9


def test_a_thin_dark_thing_is_one_line_and_texture_few():
    """Eyes and lips had an outline on either side, and fur was a tangle."""
    rows, columns = np.indices((160, 160)) + 0.5
    plain, canvas = np.full((160, 160), 0.7), Canvas(160, 160)
    lid = plain - 0.4 * np.exp(-(((rows - 80 + ((columns - 80) / 20) ** 2) / 1.0) ** 2))
    lid = np.where(abs(columns - 80) < 40, lid, 0.7)
    [(points, _)] = flow_lines(lid[None].repeat(3, 0), np.zeros(plain.shape), canvas, 0.02)
    row, column = ((points + 1) * 80).T[::-1]
    assert abs(row - 80 + ((column - 80) / 20) ** 2).max() < 1.2
    assert column.min() < 45
    assert column.max() > 115
    assert flow_lines(plain[None].repeat(3, 0), np.zeros(plain.shape), canvas, 0.02) == []
    rough = np.random.default_rng(1).random((160, 160))
    many = flow_lines(np.clip(0.6 + 0.2 * rough, 0, 1)[None].repeat(3, 0), 0 * plain, canvas, 0.02)
    assert sum(len(each.points) for each in many) < 0.03 * plain.size


def test_ruled_lines_end_before_a_line_and_go_on_in_a_face():
    """A face without tones was flat and empty."""
    light = np.full((120, 120), 0.9)
    light[:, :20] = 0.05
    light[70:72, 50:100] = 0.2
    weight = np.full(light.shape, 0.1)
    weight[40:, 30:] = 1.0
    one = light[None].repeat(3, 0)
    sheet = ink.Sheet(one, Canvas(120, 120), 9000, np.random.default_rng(0), weight, target=one)
    marks = Draft({}).place(sheet)
    x, y = (marks.strokes[marks.ink == 2][:, [k, k + 2]].mean(1) for k in (0, 1))
    face = (x > -0.2) & (x < 0.6) & (y > -0.2)
    assert (face & (abs(y - 0.18) > 0.06)).sum() > 100
    assert (face & (abs(y - 0.18) < 0.008)).sum() == 0
    drawn = marks.strokes[marks.ink == 3]
    assert (abs(drawn[:, 1] - 0.18) < 0.02).sum() > 5


def test_short_curls_are_no_lines_and_near_a_face_what_curls_is_cut_off():
    """Eyes were cages of tubes, and flowers on a hat a tangle of paper clips."""
    along = np.arange(60.0)
    level = np.stack([np.full(60, 50.0), 20 + along], 1)
    turn = along / 60 * 12 * np.pi
    curl = np.stack([50 + 1.5 * np.sin(turn), 81.5 - 1.5 * np.cos(turn)], 1)
    far, near = np.zeros((200, 200)), np.ones((200, 200))

    def left(points, weight):
        return [len(part) for part in _uncurled(points, weight)]

    assert left(level, far) == left(level, near) == [60]
    assert left(curl[:12], far) == []
    both = np.concatenate([level, curl])
    assert left(both, far) == [120]  # A long one may enclose a shape.
    assert sum(left(both, near)) < 90
    # A bar along the border of the picture is none of its lines.
    assert in_rim(np.stack([along * 3, np.full(60, 1.0)], 1), (200, 200))
    assert not in_rim(level, (200, 200))


def test_lines_may_be_farther_apart_than_the_picture_is_large():
    """The disc around each point of a line took terabytes."""
    level = np.stack([np.full(30, 10.5), np.arange(30.0)], 1)
    lines = [Contour(level + np.array([down, 0]), np.ones(30)) for down in (0, 4, 12)]
    kept = apart(lines, np.zeros((40, 40)), 1e6, 2)
    assert [line.points[0, 0] for line in kept] == [10.5]
    assert len(apart(lines, np.zeros((40, 40)), 5.0, 2)) == 2


def test_a_picture_is_cut_once_however_few_marks_its_panes_have(monkeypatch):
    """It was cut anew for each number of panes that was tried."""
    cut = []
    monkeypatch.setattr(
        "artgen_plugins.panes.watershed", lambda *given: cut.append(given) or watershed(*given)
    )
    target = np.random.default_rng(0).random((3, 32, 32))
    panes = Panes({"panes": 12})
    sheet = ink.Sheet(
        np.repeat(1 - target[:1], len(panes.inks), 0),
        Canvas(32, 32),
        40,
        np.random.default_rng(0),
        target=target,
    )
    assert len(panes.place(sheet)) <= 40
    assert len(cut) == 1


def test_clear_glass_is_of_the_subject_or_of_the_ground_and_the_widest_lead_is_between():
    """Panes went across the outline of what a picture shows, and grays stayed gray glass."""
    rows, columns = np.indices((96, 96)) - 47.5
    disc = np.hypot(rows, columns) < 28
    target = np.where(disc, np.array([0.8, 0.2, 0.1])[:, None, None], 0.5)
    canvas = Canvas(96, 96)
    panes = Panes({"clear": True, "panes": 30, "painted": 0.0})
    amounts = np.repeat(1 - target[:1], len(panes.inks), 0)
    marks = panes.place(ink.Sheet(amounts, canvas, 9000, np.random.default_rng(1), target=target))
    leads = marks.strokes[marks.ink == panes.last]
    wide = leads[:, 4] > 1.5 * panes.options.lead
    inside = wide & (np.abs(leads[:, :4]) < 0.9).all(1)
    far = np.hypot(leads[inside, 0], leads[inside, 1]) / canvas.pixel
    assert len(far) > 20
    assert np.abs(far - 28).max() < 5
    glass = panes.inks[marks.ink[marks.ink < panes.last]]
    assert (np.ptp(glass, axis=1) > 0.1).all()


def test_what_differs_from_the_borders_of_a_picture_is_its_subject():
    rows, columns = np.indices((90, 120))
    inside = np.hypot(rows - 50, columns - 70) < 22
    lab = np.where(inside[..., None], [40.0, 40.0, 30.0], [70.0, -10.0, 20.0])
    found = subject_of(lab + np.random.default_rng(0).normal(0, 1, lab.shape), np.zeros((90, 120)))
    assert (found == inside).mean() > 0.98
    assert not subject_of(np.full((90, 120, 3), 50.0), np.zeros((90, 120))).any()


def test_stones_fill_the_room_around_them():
    """Squares left holes as wide as stones where rows bend."""
    rows, columns = np.indices((120, 120)) - 59.5
    rings = 0.5 + 0.5 * np.sin(np.hypot(rows, columns) / 6)
    mosaic = Mosaic({"inks": "#202020,#f0f0f0", "joint": 0.1})
    sheet = ink.Sheet(np.stack([rings, 1 - rings]), Canvas(120, 120), 600, np.random.default_rng(0))
    marks = mosaic.place(sheet)
    long = np.hypot(*(marks.strokes[:, 2:4] - marks.strokes[:, :2]).T)
    wide = 2 * marks.strokes[:, 4]
    square = np.minimum(long, wide) ** 2
    assert (long * wide).sum() > 1.1 * square.sum()
    # A seventh was bare without a joint: all were as small as their nearest neighbours let them be.
    whole = Mosaic({"inks": "#202020,#f0f0f0", "joint": 0.0})
    cover = coverage(whole, whole.pack(whole.place(sheet)), Canvas(400, 400))
    assert (1 - cover).prod(0).mean() < 0.05


def test_stones_have_the_same_room_however_many_points_are_looked_at_together(monkeypatch):
    """All at once took gigabytes for a hundred thousand stones."""
    rng = np.random.default_rng(0)
    points, pixels, angle = rng.random((9, 2)), rng.random((500, 2)), rng.random(9)
    whole = owners(pixels, points, angle)
    monkeypatch.setattr("artgen_plugins.mosaic.TOGETHER", 60)
    assert np.array_equal(owners(pixels, points, angle), whole)


@pytest.mark.parametrize("form", ["stone", "stitch"])
def test_joints_have_darker_inks_of_what_is_around(form):
    """All were of one dark colour, which spoiled what is light."""
    mosaic = Mosaic({"form": form, "bed": True})
    mosaic.take_palette(["#ffffff", "#101010", "#a06050", "#cccccc", "#702010"])
    assert mosaic.options.inks == "#101010,#702010,#a06050,#cccccc,#ffffff"
    amounts = np.zeros((5, 32, 32))
    amounts[4, :, :16] = amounts[2, :, 16:] = 1
    sheet = ink.Sheet(amounts, Canvas(32, 32), 400, np.random.default_rng(0))
    marks = mosaic.place(sheet)
    assert 300 < len(marks) <= 400
    below, tiles = (
        marks.ink[part] for part in (slice(len(marks) // 2), slice(len(marks) // 2, None))
    )
    x = marks.strokes[: len(below), [0, 2]].mean(1)
    assert set(tiles) == {2, 4}
    assert set(below[x < -0.3]) == {3}
    # On white ones beside brown ones too.
    assert set(below[x > -0.05]) == {1}
    assert len(mosaic.place(replace(sheet, count=1))) == 1
    cover = coverage(mosaic, mosaic.pack(marks), Canvas(200, 200))
    assert (1 - cover).prod(0).mean() < 0.02


def test_calm_stones_are_larger_where_little_is_seen_and_alike_along_rows():
    noise = np.random.default_rng(1).random((96, 96)) - 0.5
    rows, columns = np.indices((96, 96))
    gray = 0.5 + 0.15 * noise + 0.3 * np.where(columns > 60, np.sin(rows / 1.5), 0)
    stones, steps = {}, {}
    for calm in (0.0, 1.0):
        mosaic = Mosaic(
            {"calm": calm, "inks": ",".join(f"#{k:02x}{k:02x}{k:02x}" for k in range(0, 256, 10))}
        )
        amounts = separate(torch.from_numpy(gray[None].repeat(3, 0)), mosaic, (1, 1, 1))
        marks = mosaic.place(ink.Sheet(amounts, Canvas(96, 96), 900, np.random.default_rng(0)))
        middles = (marks.strokes[:, :2] + marks.strokes[:, 2:4]) / 2
        near = neighbours(middles, 2)
        left = middles[:, 0] < 0.1
        steps[calm] = np.abs(marks.ink[near] - marks.ink[:, None])[left].mean()
        stones[calm] = left.sum()
    assert stones[1.0] < 0.85 * stones[0.0]
    assert steps[1.0] < 0.5 * steps[0.0]


def test_stones_stand_out_from_those_around():
    """Eyes of a few stones were half as dark as they look."""
    rows, columns = np.indices((96, 96)) - 47.5
    gray = np.where(np.hypot(rows, columns) < 8, 0.35, 0.6)[None].repeat(3, 0)
    mosaic = Mosaic({"inks": ""})
    apart = ((gray[None] - mosaic.inks[:, :, None, None]) ** 2).sum(1)
    amounts = (apart == apart.min(0)) * 1.0
    sheet = ink.Sheet(amounts, Canvas(96, 96), 900, np.random.default_rng(0), target=gray)
    marks = mosaic.place(sheet)
    x, y = (marks.strokes[:, :2] + marks.strokes[:, 2:4]).T / 2
    light = mosaic.inks[marks.ink].mean(1)
    there = mosaic.inks[amounts.argmax(0)].mean(2)
    inside, far = np.hypot(x, y) < 0.14, np.hypot(x, y) > 0.6
    assert light[inside].mean() < there[48, 48] - 0.02
    assert light[far].mean() == pytest.approx(there[0, 0], abs=0.04)


def test_stones_are_smaller_in_the_focus_and_lie_in_rows():
    """All stones were of one size, too coarse for eyes, and tumbled like gravel."""
    canvas, weight = Canvas(96, 96), np.full((96, 96), 0.1)
    weight[:, 48:] = 1.0
    amounts = np.zeros((2, 96, 96))
    amounts[0] = 1.0
    mosaic = Mosaic({"inks": "#202020,#f0f0f0"})
    marks = mosaic.place(ink.Sheet(amounts, canvas, 700, np.random.default_rng(0), weight))
    assert 600 < len(marks) <= 700
    side, x = 2 * marks.strokes[:, 4], marks.strokes[:, [0, 2]].mean(1)
    assert np.median(side[x < -0.2]) > 1.7 * np.median(side[x > 0.2])
    # Where a picture is even, rows are level.
    along = marks.strokes[:, 2:4] - marks.strokes[:, :2]
    assert abs(along[:, 1]).max() < 0.01 * abs(along[:, 0]).max()


def test_no_stone_is_a_stray_and_skin_is_warm():
    """Lone light and dark stones lay in texture like pepper, and gray and green ones in faces."""
    colours = np.array([[50.0, 0, 0], [60, 0, 0], [90, 0, 0], [50, 40, 20]])
    points = np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), 2).reshape(-1, 2)
    chosen = np.zeros((9, 9), int)
    chosen[2, 2], chosen[6, 6], chosen[:, 8], chosen[7, 1] = 2, 3, 2, 1
    near = neighbours(points, 8)
    kept = joined(chosen.ravel(), colours[chosen.ravel()], colours, near).reshape(9, 9)
    # Lines and what is nearly alike stay.
    assert kept[2, 2] == kept[6, 6] == 0
    assert (kept[:, 8] == 2).all()
    assert kept[7, 1] == 1
    alone = joined(np.array([3]), colours[:1], colours, neighbours(points[:1], 8))
    assert alone.tolist() == [3]
    lab = np.array([[50.0, 0, 0], [80, 0, 0]] * 9)
    calm = calmed(lab, neighbours(points[:18], 8), np.full(18, 7.0))
    assert calm == pytest.approx(lab, abs=0.1)

    # A pale cheek, a greenish tooth, painted lips, and the cheek where there is no face.
    seen = np.array([[0.55, 0.5, 0.45], [0.6, 0.63, 0.58], [0.7, 0.15, 0.2], [0.55, 0.5, 0.45]]).T
    plain = lab_of(seen)
    cheek, tooth, lips, wall = tanned(plain, plain, np.array([1.0, 1, 1, 0]), 20.0)
    assert cheek[1] > plain[0, 1] + 5
    assert cheek[2] > plain[0, 2] + 10
    assert 0 < tooth[1] < 5
    assert lips == pytest.approx(plain[2])
    assert wall == pytest.approx(plain[3])


@pytest.mark.parametrize("form", ["stone", "stitch"])
def test_skin_of_a_face_is_warm_and_only_there(form):
    """Faces had the grays and olives of a photograph, and white behind them was mint."""
    gray, mint, field = "#948870", "#beeaca", "#7a8a52"
    made = Mosaic({"form": form, "skin": True})
    made.take_palette([gray, mint, field])
    own = made.inks[~made.warm]
    assert len(own) == 3
    assert 2 <= made.warm.sum() <= 3
    picture = np.zeros((3, 90, 90)) + own[2][:, None, None]
    picture[:, :30], picture[:, 82:] = own[1][:, None, None], own[0][:, None, None]
    row, column = np.mgrid[:90, :90]
    head = np.hypot(row - 45, column - 45) < 12
    picture[:, head] = own[0][:, None]
    amounts = np.zeros((len(made.inks), 90, 90))
    apart = np.hypot.reduce(picture[None] - made.inks[..., None, None], axis=1)
    np.put_along_axis(amounts, apart.argmin(0)[None], 1.0, axis=0)
    inks = {}
    for name, weight in (("face", head * 0.95 + 0.05), ("none", None)):
        sheet = ink.Sheet(amounts, Canvas(90, 90), 900, np.random.default_rng(0), weight, picture)
        marks = made.place(sheet)
        x, y = marks.strokes[:, [0, 2]].mean(1), marks.strokes[:, [1, 3]].mean(1)
        places = {"face": np.hypot(x, y) < 0.15, "top": y < -0.5, "below": y > 0.9}
        inks[name] = {key: lab_of(made.inks[marks.ink[k]].T).mean(0) for key, k in places.items()}
        assert name == "face" or not made.warm[marks.ink].any()
    face, plain = inks["face"], inks["none"]
    hue = [np.degrees(np.arctan2(each["face"][2], each["face"][1])) for each in (face, plain)]
    assert hue[0] < 72 < 84 < hue[1]
    assert np.hypot(*face["face"][1:]) > np.hypot(*plain["face"][1:]) + 2
    assert abs(face["face"][0] - plain["face"][0]) < 2
    assert np.hypot(*face["top"][1:]) < 5 < 15 < np.hypot(*plain["top"][1:])
    assert face["below"] == pytest.approx(plain["below"])


def test_no_lead_crosses_light_and_shadow_of_one_thing_in_the_focus():
    """A face had a green pane for an eye."""
    canvas = Canvas(96, 96)
    picture = np.zeros((3, 96, 96)) + np.array([0.1, 0.2, 0.6])[:, None, None]
    picture[:, 20:76, 20:48] = np.array([0.9, 0.7, 0.55])[:, None, None]
    # What is hardly darker than its glass is left to it.
    picture[:, 20:76, 48:76] = np.array([0.52, 0.4, 0.32])[:, None, None]
    picture[:, :6], picture[:, 90:] = 1.0, 0.0
    focus = np.full((96, 96), 0.1)
    focus[16:80, 16:80] = 1.0
    crossing = {}
    for name, weight in (("even", None), ("focus", focus)):
        panes = Panes({"panes": 12})
        sheet = ink.Sheet(
            np.zeros((1, 96, 96)), canvas, 30000, np.random.default_rng(0), weight, picture
        )
        marks = panes.place(sheet)
        leads = marks.strokes[marks.ink == panes.last]
        crossing[name] = len(leads[(abs(leads[:, :4]) < 0.4).all(1)])
    assert crossing["even"] > 0 == crossing["focus"]
    # What lead does not tell is painted.
    shadows = marks.strokes[(marks.ink > panes.last) & (marks.ink < len(panes.inks) - 1)]
    middle = shadows[abs(shadows[:, 1]) < 0.4]
    middle = middle[abs(middle[:, [0, 2]]).max(1) < 0.7]
    assert len(middle)
    assert middle[:, [0, 2]].mean() > 0.15
    plain = Panes({"panes": 12, "overprint": False}).place(sheet)
    assert not set(range(panes.last + 1, panes.last + 4)) & set(plain.ink.tolist())
    # In a PDF glass covered the leads.
    assert np.flatnonzero(plain.ink < panes.last).max() < (plain.ink == panes.last).argmax()


def test_lines_of_an_engraving_are_straight_up_to_the_edge_of_a_plane():
    from artgen_plugins._burin import followed

    tone = np.full((64, 96), 0.3)
    tone[:, 48:] = 0.8
    angle = followed(tone, np.full(tone.shape, 3.0), 0.0, bend=0.8, broad=6.0)
    # Each plane has its own direction, and what is a few lines from the edge does not feel it.
    assert np.ptp(angle[:, :36]) < 0.06
    assert np.ptp(angle[:, 60:]) < 0.06
    assert angle[:, :36].mean() - angle[:, 60:].mean() > 0.2


@pytest.mark.parametrize("way", [-1, 1])
def test_lines_of_an_engraving_lie_along_a_diagonal_slope(way):
    """They crossed it: only what rises along a row or a column was followed."""
    from artgen_plugins._burin import followed

    i, j = np.indices((72, 72)) - 36
    tone = 0.4 + 0.006 * (i + way * j)
    pitch = np.full(tone.shape, 3.0)
    angles = (followed(tone, pitch, 0.0, bend, broad=6.0) for bend in (0.0, 1.0))
    lifted, along = (np.degrees(-way * angle[30:42, 30:42]) for angle in angles)
    # With no direction to follow they are lifted by the tone, as over a relief.
    assert lifted.mean() > 4
    assert along == pytest.approx(45, abs=12)


@pytest.mark.parametrize("degrees", [-60.0, 30.0])
def test_lines_that_swell_have_the_angle_of_strokes(degrees):
    """They turned the other way."""
    angles = []
    for swell in (False, True):
        options = {"angle": degrees, "bend": 0.0, "crisp": 0.0, "solid": 1.0}
        strokes = hatched(np.full((64, 64), 0.4), swell=swell, **options)[0].strokes
        ends = strokes[:, 2:4] - strokes[:, :2]
        twice = np.angle(np.sum((ends[:, 0] - 1j * ends[:, 1]) ** 2))
        angles.append(np.degrees(twice) / 2)
    assert angles == pytest.approx([degrees, degrees], abs=3)


def test_lines_of_an_engraving_that_have_more_room_are_wider():
    from artgen_plugins._burin import PARTS, STEP, room

    pitch, step = np.full((60, 90), 3.0), 3.0 * STEP / PARTS
    rows = np.r_[np.arange(1.5, 30, 3.0), np.arange(31.5, 60, 4.5)]
    points = np.array([(x, y) for y in rows for x in np.arange(0.1, 90, step)])
    wide = room(points, np.ones(len(points)), pitch)
    assert np.median(wide[6:24]) == pytest.approx(1.0, abs=0.02)
    assert np.median(wide[38:54]) == pytest.approx(1.5, abs=0.1)


def test_the_tones_of_a_pale_face_before_a_dark_ground_stay_apart():
    """The curve of the whole picture made of it bare paper, without eyes."""
    i, j = np.indices((80, 80)) - 40
    face, eyes = i * i + j * j < 400, (abs(i) < 4) & (abs(abs(j) - 8) < 4)
    amount = np.where(eyes, 0.45, np.where(face, 0.1 + 0.003 * (i + 20), 0.85 + 0.002 * j))
    weight = np.where(face, 1.0, 0.1)
    darker = [
        tone[eyes].mean() - tone[face & ~eyes].mean()
        for tone in (hatch.stretched(amount, weight, 0.32, pale) for pale in (0.0, 0.13))
    ]
    assert darker[1] > 2 * darker[0]
    # Without a focus it is the same curve.
    assert np.array_equal(
        hatch.stretched(amount, None, 0.32, 0.13), hatch.stretched(amount, None, 0.32)
    )


def portrait() -> tuple[np.ndarray, np.ndarray]:
    """A face [3, 160, 160] half in shadow, with eyes, a hat of its lightness and a wall; its focus."""
    rows, columns = np.indices((160, 160)) - 80.0
    face = np.hypot(rows / 1.2, columns) < 40
    hat = (rows < -28) & (np.hypot(rows, columns) < 70)
    eyes = np.minimum(*(np.hypot(rows + 8, columns - side) for side in (-16, 16))) < 5
    picture = np.zeros((3, 160, 160)) + np.array([0.35, 0.45, 0.6])[:, None, None]
    picture = np.where(face, np.array([0.85, 0.66, 0.52])[:, None, None], picture)
    picture = np.where(face & (columns > 8), 0.6 * picture, picture)
    picture = np.where(eyes, 0.1, picture)
    picture = np.where(hat, np.array([0.7, 0.1, 0.12])[:, None, None], picture)
    return picture, np.where(np.hypot(rows, columns) < 44, 1.0, 0.1)


def test_a_face_of_clear_glass_is_one_pane_that_its_hat_is_no_part_of():
    """A hat, the face below and its hair were one brown pane, and a lead went through an eye."""
    picture, focus = portrait()
    canvas = Canvas(160, 160)
    panes = Panes({"clear": True, "panes": 60})
    amounts = np.repeat(1 - picture[:1], len(panes.inks), 0)
    random = np.random.default_rng(0)
    marks = panes.place(ink.Sheet(amounts, canvas, 40000, random, focus, picture))
    leads = marks.strokes[marks.ink == panes.last]
    assert not (np.hypot(leads[:, 0], leads[:, 1] - 0.05) < 0.25).any()
    cover = coverage(panes, panes.pack(marks), canvas)
    kinds = cover[: panes.last].argmax(0)
    assert len(skin := np.unique(kinds[70:100, 50:110])) == 1
    assert kinds[35, 80] not in skin
    assert np.ptp(panes.inks[kinds[35, 80]]) > 0.5
    # What is in the shadow is darker by enamel, and eyes are painted.
    shade, line = cover[panes.last + 1], cover[-1]
    assert shade[85:100, 92:108].mean() > shade[85:100, 52:68].mean() + 0.5
    assert line[72, 64] > 0.5


def test_skin_above_a_face_is_of_the_ground():
    """A wall of its hue, next to the head, was of the skin."""
    from artgen_plugins._skin import outlined
    from artgen_plugins.regions import lab_of

    picture, focus = portrait()
    picture[:, :60, :60] = np.array([0.85, 0.66, 0.52])[:, None, None]
    found = outlined(lab_of(picture), focus)
    assert found[80, 70] == found[72, 64] > 0
    assert not found[:8, :8].any()


@pytest.mark.parametrize(
    ("tone", "is_skin"),
    [
        ((0.14, 0.09, 0.07), True),
        ((0.25, 0.16, 0.12), True),
        ((0.6, 0.52, 0.35), True),
        ((0.9, 0.75, 0.65), True),
        ((0.9, 0.7, 0.75), True),
        ((0.5, 0.5, 0.5), False),
    ],
    ids=["black", "dark", "olive", "fair", "rosy", "gray"],
)
def test_skin_of_any_tone_is_found_and_gray_is_none(tone, is_skin):
    y, x = np.mgrid[-60:60, -60:60]
    far = np.hypot(x, y)
    shade = 1 - 0.3 * (x + 60) / 120
    picture = np.where(far < 40, np.array(tone)[:, None, None] * shade, 0.4)
    picture[1] += 0.15 * (far >= 40)
    found = skin_of(lab_of(picture), far < 18, 40.0)
    assert found[far < 36].mean() > 0.95 if is_skin else not found.any()
    assert not found[far > 44].any()
