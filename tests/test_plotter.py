"""Drawings on a page, for pens: what is drawn, where, by which pen, and what the files say."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from test_output_svg import art_of
from test_shapes import shipped

from artgen import Art, Canvas, Drawing, Partition, fit
from artgen.art import ExportRequest
from artgen.base.waiting import listening
from artgen.cli import main
from artgen.errors import InputError, UsageError
from artgen.exporters import export_json, export_mp4, export_pdf, export_png, export_svg
from artgen.families.partition.cells import cells
from artgen.families.partition.paint import unpack_sites
from artgen.output import read_recipe
from artgen.output.parts.pens import pen_lines, pen_parts
from artgen.output.plotter import Page, _Plotter, named_page, plot
from artgen.output.plotter.inks import choose_pens, mixtures
from artgen.output.plotter.lines import (
    closed,
    concentric,
    cut,
    parallel,
    polylines,
    straight,
    to_paths,
)
from artgen.output.plotter.route import length, sort_paths
from artgen.raster import draw, edge_lines, paint
from artgen.recipe import Recipe
from artgen.targets import parse_colour
from artgen_plugins.stipple import Stipple
from artgen_plugins.voronoi import Voronoi

SVG, INKSCAPE = "{http://www.w3.org/2000/svg}", "{http://www.inkscape.org/namespaces/inkscape}"
BLACK = ("#000000",)
SQUARE = np.array([[0.0, 0], [10, 0], [10, 10], [0, 10]])


def air_travel(paths):
    """Return the distance that the lifted pen travels, starting at the origin."""
    places = np.concatenate([np.zeros((1, 2)), *([path[0], path[-1]] for path in paths)])
    steps = places[1::2] - places[:-1:2]
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def layers_of(data):
    """The layers of a plotter's SVG: label, colour and paths, each float64 [points, 2]."""
    root = ElementTree.fromstring(data)
    found = []
    for group in root.findall(f"{SVG}g"):
        assert group.get(f"{INKSCAPE}groupmode") == "layer"
        assert {element.tag for element in group} == {f"{SVG}path"}
        paths = [
            np.array([pair.split(",") for pair in path.get("d")[1:].split("L")], float)
            for path in group
        ]
        found.append((group.get(f"{INKSCAPE}label"), group.get("stroke"), paths))
    return root, found


def all_points(layers):
    return np.concatenate([path for _, _, paths in layers for path in paths])


def opaque(registry, name, genes, colours, *, width=100, height=100):
    """Opaque shapes on white."""
    entry = registry.find("primitive", name)
    tensors = {
        "genes": torch.tensor(genes, dtype=torch.float32).T.contiguous(),
        "colour": torch.tensor(colours, dtype=torch.float32).T.contiguous(),
        "alpha": torch.ones(len(genes)),
    }
    drawing = Drawing(
        name,
        entry.load()().option_values(),
        tensors,
        width,
        height,
        (1.0, 1.0, 1.0),
        plugin=dict(entry.identity),
    )
    return Art(drawing, Recipe(), {"psnr": 20.0}, registry=registry)


def plotted(art, **changed):
    page = Page(**({"pens": BLACK} | changed))
    return plot(art.drawing, art.primitive(), art.render(512), page)


def test_of_the_parts_above_only_those_near_are_looked_at(registry, monkeypatch):
    """All of them were, for each part: of many parts the square of their number."""
    genes = [[x, y, 0.02] for x in np.linspace(-0.9, 0.9, 8) for y in np.linspace(-0.9, 0.9, 8)]
    art, asked, said = opaque(registry, "circle", genes, [[0, 0, 0]] * 64), [], []

    class Parts(list):
        def __getitem__(self, index):
            found = super().__getitem__(index)
            asked.extend(found if isinstance(index, slice) else [found])
            return found

    class Plotter(_Plotter):
        def __init__(self, parts, picture, page):
            super().__init__(Parts(parts), picture, page)

    monkeypatch.setattr("artgen.output.plotter._Plotter", Plotter)
    monkeypatch.setattr("artgen.output.plotter._OFTEN", 10)
    with listening(lambda activity: said.append((activity.what, activity.done))):
        plotted(art, fill="none")
    assert len(asked) < 64 * 20
    assert [done for what, done in said if "lines for pens" in what] == [*range(0, 64, 10)]


# ---- pages ---------------------------------------------------------------------------------------


def test_pages_have_names_or_sides():
    assert (named_page("a4").width, named_page("A4").height) == (210, 297)
    assert named_page("letter").turns
    assert named_page("300x200.5mm") == Page(300, 200.5, turns=False)
    assert named_page("300x200") == Page(300, 200, turns=False)
    assert named_page("30x20.5cm") == Page(300, 205, turns=False)
    assert named_page("10x8in") == Page(254, 8 * 25.4, turns=False)


def test_small_paper_takes_a_small_margin():
    """It was refused by the usual margin, of 15 mm, whatever was asked for."""
    assert named_page("25x25mm", margin=2.0) == Page(25, 25, turns=False, margin=2.0)
    with pytest.raises(UsageError, match="leaves no space"):
        named_page("25x25mm")


@pytest.mark.parametrize(
    ("text", "says"),
    [("A44", "did you mean A4"), ("12", "such as 300x200mm"), ("5x5mm", "10 to 5000 mm")],
)
def test_other_pages_are_refused(text, says):
    with pytest.raises(UsageError, match=says):
        named_page(text)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"margin": 105.0}, "leaves no space"),
        ({"margin": -1.0}, "leaves no space"),
        ({"margin": float("nan")}, "leaves no space"),
        ({"spacing": 0.0}, "spacing must be .* got 0"),
        ({"pen_width": 20.0}, "pen width must be .* got 20"),
        ({"pens": 0}, "must be 1 to 16, got 0"),
        ({"pens": 17}, "must be 1 to 16, got 17"),
        ({"width": 0.0}, "the width of a page must be .* got 0"),
    ],
)
def test_impossible_pages_are_refused(changed, says):
    with pytest.raises(UsageError, match=says) as told:
        Page(**changed)
    assert told.value.hint


def test_named_paper_turns_with_the_drawing_and_other_does_not():
    wide, high = Canvas(60, 40), Canvas(40, 60)
    page = named_page("A4")
    assert (page.turned(wide).width, page.turned(high).width) == (297, 210)
    assert page.turned(Canvas(9, 9)) == page
    own = named_page("200x300mm")
    assert own.turned(wide) == own
    # 267 x 180 mm are left, and the drawing is 3 by 2 canvas units.
    assert page.turned(wide).scale(wide) == pytest.approx(min(267 / 3, 180 / 2))


# ---- lines ---------------------------------------------------------------------------------------


def test_a_line_is_cut_by_what_it_leaves_and_what_hides_it():
    line = polylines([(7, np.array([[-5.0, 5], [15, 5]]))])
    left = cut(line, [[SQUARE]], [[SQUARE * 0.2 + (4, 4)], [SQUARE * 0.1 + (5.5, 4.5)]])
    paths = to_paths(left)
    assert [path.tolist() for path in paths] == [[[0, 5], [4, 5]], [[6.5, 5], [10, 5]]]
    assert set(left.line.tolist()) == {7}
    assert to_paths(cut(line, [[SQUARE]], [[SQUARE * 3 - 10]])) == []


def test_holes_and_dents_are_empty():
    hole = SQUARE[::-1] * 0.2 + (4, 4)
    line = polylines([(0, np.array([[-5.0, 5], [15, 5]]))])
    assert len(to_paths(cut(line, [[SQUARE, hole]], []))) == 2
    dented = np.array([[0.0, 0], [10, 0], [10, 10], [5, 2], [0, 10]])
    assert len(to_paths(cut(line, [[dented]], []))) == 2
    # Where a polygon winds twice around a place, that is covered too.
    twice = np.concatenate([SQUARE, SQUARE])
    assert len(to_paths(cut(line, [[twice]], []))) == 1


def test_lines_through_corners_and_along_edges_are_cut_once():
    diamond = np.array([[5.0, 0], [10, 5], [5, 10], [0, 5]])
    heights = np.arange(0, 11, dtype=float)
    rows = polylines([(k, np.array([[-3.0, y], [13.0, y]])) for k, y in enumerate(heights)])
    widths = 10 - 2 * abs(heights - 5)
    assert length(to_paths(cut(rows, [[diamond]], []))) == pytest.approx(widths.sum())
    # Several that overlap, one of them twice, hide as much as their union.
    moved = [[diamond + np.array([shift, 0])] for shift in (0, 2, 2)]
    left = length(to_paths(cut(rows, [[2 * SQUARE - 5]], moved)))
    hidden = np.where(widths > 0, np.minimum(widths + 2, 2 * widths), 0)
    assert left == pytest.approx((16 - hidden).sum())


def test_an_outline_stays_one_path():
    assert len(to_paths(cut(closed([SQUARE]), [[SQUARE * 3 - 10]], []))) == 1
    curve = np.stack([np.linspace(0, 10, 50), np.sin(np.linspace(0, 3, 50))], 1)
    (path,) = to_paths(cut(polylines([(0, curve)]), [[SQUARE * 3 - 10]], []))
    assert 30 < len(path) <= 50


def test_hatches_are_evenly_apart_and_a_straight_one_is_two_points():
    for angle in (0.0, 0.4, 1.6):
        lines = cut(straight([SQUARE], angle, 0.5, [SQUARE]), [[SQUARE]], [])
        paths = to_paths(lines)
        assert {len(path) for path in paths} == {2}
        assert length(paths) == pytest.approx(100 / 0.5, rel=0.06)


def test_rings_are_evenly_apart_and_as_long_as_hatches():
    rings = to_paths(concentric([SQUARE], np.array([5.0, 5]), 5.0, 0.5))
    assert len(rings) == 10
    assert [5 - path[0, 0] for path in rings] == pytest.approx(np.arange(4.75, 0, -0.5))
    assert length(rings) == pytest.approx(100 / 0.5)
    inner = to_paths(concentric([SQUARE], np.array([5.0, 5]), 5.0, 0.5, 0.5))
    assert 5 - inner[0][0, 0] == pytest.approx(5)


def test_no_hatches_lie_where_nothing_can_be_drawn():
    assert len(straight([1e9 * SQUARE - 5e9], 0.3, 0.5, [SQUARE])) < 40
    assert len(straight([SQUARE + 100], 0.0, 0.5, [SQUARE])) == 0


def test_lines_along_a_spine_share_its_width_out():
    spine = np.array([[0.0, 0], [5, 0], [10, 0]])
    paths = to_paths(parallel(spine, 3.0, 3))
    assert [path[0, 1] for path in paths] == [-1, 0, 1]
    assert to_paths(parallel(spine, 3.0, 1))[0].tolist() == [[0, 0], [10, 0]]


# ---- the way of the pen --------------------------------------------------------------------------


def test_sorting_keeps_what_is_drawn_and_shortens_the_way():
    rng = np.random.default_rng(5)
    paths = [100 * rng.random((rng.integers(2, 5), 2)) for _ in range(300)]
    route = sort_paths(paths, 0.0)
    assert len(route) == len(paths)
    assert length(route) == pytest.approx(length(paths))

    def ends(all_paths):
        return sorted(tuple(sorted(map(tuple, (p[0], p[-1])))) for p in all_paths)

    assert ends(route) == ends(paths)
    assert air_travel(route) < 0.25 * air_travel(paths)
    assert sort_paths([], 0.1) == []


def test_paths_that_touch_become_one():
    steps = np.array([[k, 0.0] for k in range(6)], float)
    pieces = [steps[k : k + 2][:: (-1) ** k] for k in (3, 0, 4, 1, 2)]
    (route,) = sort_paths(pieces, 0.01)
    assert air_travel([route]) == 0
    assert length([route]) == 5
    beside = steps[:2] + np.array([0, 0.2])
    assert len(sort_paths([steps[:2], beside], 0.1)) == 2
    assert len(sort_paths([steps[:2], beside], 0.3)) == 1


# ---- inks ----------------------------------------------------------------------------------------


def test_pens_are_what_lighter_colours_are_made_of():
    pixels = np.full((8, 8, 3), 255, np.uint8)
    pixels[:4, :4] = (255, 200, 200)
    pixels[4:, :4] = (160, 160, 160)
    pens = choose_pens(pixels, Page(pens=2))
    assert set(pens) == {"#ff0000", "#000000"}
    red, black = (mixtures(pixels, pens, "#ffffff")[pens.index(p)] for p in ("#ff0000", "#000000"))
    assert red[0, 0] == pytest.approx(55 / 255, abs=0.05)
    assert black[0, 0] < 0.05
    assert black[5, 0] == pytest.approx(95 / 255, abs=0.05)
    assert red[5, 0] < 0.05
    assert mixtures(pixels, pens, "#ffffff")[:, 0, 7].max() == 0
    # Each colour is mixed once, wherever it is and however many others there are.
    many = np.random.default_rng(0).integers(0, 256, (9, 50, 3), np.uint8)
    many[5, 1] = many[3, 7]
    planes = mixtures(many, pens, "#ffffff")
    assert np.array_equal(planes[:, 5, 1], planes[:, 3, 7])
    alone = mixtures(many[3:4, 7:8], pens, "#ffffff")
    assert alone[:, 0, 0] == pytest.approx(planes[:, 3, 7], abs=1e-12)


def test_solid_fills_take_colours_as_they_are():
    pixels = np.zeros((4, 4, 3), np.uint8)
    pixels[:2] = (200, 80, 20)
    pixels[2:] = (90, 90, 90)
    assert set(choose_pens(pixels, Page(pens=2, fill="solid"))) == {"#c85014", "#5a5a5a"}
    assert choose_pens(pixels, Page(pens=("#123456",))) == ("#123456",)


def test_a_stroke_that_is_three_pens_wide_is_three_lines():
    """The one in the middle was drawn twice."""
    for pens, count in ((1, 1), (2, 3), (3, 3), (5, 5)):
        stroke = torch.tensor([-0.5, 0, 0.5, 0, 0.05 * pens, 0.05 * pens])[:, None]
        tensors = {"strokes": stroke, "ink": torch.zeros(1)}
        drawing = Drawing("stipple", {}, tensors, 48, 48, (1.0, 1.0, 1.0))
        ((_, lines),) = pen_lines(Stipple(), drawing, 0.1)
        heights = sorted(float(line[0, 1]) for line in lines)
        assert len(heights) == count
        assert np.allclose(heights, np.linspace(-1, 1, count) * 0.05 * (pens - 1), atol=1e-6)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, []),
        ({"pens": ("#ff0000",)}, []),
        ({"pens": 4}, ["the drawing has pens of its own, 1, so pens = 4 changes none"]),
        ({"fill": "solid"}, ["the drawing is lines already: no part of it is filled"]),
    ],
)
def test_what_changes_nothing_of_ink_is_said(asked, said):
    """It was dropped without a word."""
    art, told = fit(np.eye(24), "stipple", count=9, seed=1), []
    with listening(told.append):
        plot(art.drawing, art.primitive(), art.render(64), Page(**asked))
    assert [each.what for each in told if each.kind == "result"] == said


def test_a_black_pen_that_is_named_draws_any_ink():
    """It was taken for no pen."""
    art = fit(np.eye(24), "stipple", count=9, seed=1, inks="navy")
    for asked, pen in (({}, "#000080"), ({"pens": BLACK}, "#000000")):
        [layer] = plot(art.drawing, art.primitive(), art.render(64), Page(**asked)).layers
        assert layer.colour == pen


def test_one_ink_is_enough_for_a_gray_picture():
    pixels = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    for count in (1, 4):
        assert choose_pens(pixels, Page(pens=count)) == ("#000000",)
    # On black paper the pen is white.
    assert choose_pens(pixels, Page(pens=1, paper="#000000")) == ("#ffffff",)


# ---- plots ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fill", ["none", "solid"])
def test_each_colour_of_a_drawing_has_its_pen(fill, registry):
    """Four pens were inks that mix the picture, or off by a level where edges are smooth."""
    colours = ("#e0d0c0", "#3a7d5c", "#a04020", "#102030")
    genes = [[x, y, 0.3] for x, y in ((-0.5, -0.5), (0.51, -0.4), (-0.4, 0.53), (0.1, 0.1))]
    art = opaque(registry, "circle", genes, [parse_colour(each) for each in colours])
    layers = plotted(art, fill=fill, pens=4).layers
    assert tuple(layer.colour for layer in layers) == colours
    drawn = [np.concatenate(layer.paths).mean(0) for layer in layers]
    page = Page().turned(art.drawing.canvas)
    for middle, gene in zip(drawn[:3], genes, strict=False):
        centre = np.array([page.width, page.height]) / 2
        wanted = centre + np.array(gene[:2]) * page.scale(art.drawing.canvas)
        assert middle == pytest.approx(wanted, abs=5)
    # Fewer pens than colours mix them, as before.
    assert len(plotted(art, fill=fill, pens=2).layers) <= 2


def _pairs():
    """Every shape and every fill; by day each kind of outline with one fill, and each fill twice."""
    day = {"triangle": "hatch", "ellipse": "solid", "bezier": "none", "glyph": "solid"}
    for fill in ("none", "hatch", "solid"):
        for name in (*shipped(), "triangle*3+bezier+circle"):
            late = day.get(name) != fill and (name, fill) != ("circle", "hatch")
            yield pytest.param(name, fill, marks=[pytest.mark.nightly] * late)
        # A mixture that other tests compile too.
        yield pytest.param(
            "triangle*3+ellipse", fill, marks=[pytest.mark.nightly] * (fill != "none")
        )


@pytest.mark.parametrize(("name", "fill"), list(_pairs()))
def test_every_shape_is_drawn_within_the_margin(name, fill, registry):
    art = art_of(name, registry)
    page = Page(pens=("#000000", "#cc3300"), fill=fill, margin=20)
    root, layers = layers_of(export_svg(art, ExportRequest(page=page)))
    assert (root.get("width"), root.get("height")) == ("297mm", "210mm")
    assert root.get("viewBox") == "0 0 297 210"
    numbers = [int(label.split()[0]) for label, _, _ in layers]
    assert numbers == list(range(1, len(layers) + 1))
    assert {label.split()[1] for label, _, _ in layers} <= {"#000000", "#cc3300"}
    assert all(label.split()[1] == stroke for label, stroke, _ in layers)
    points = all_points(layers)
    # 3 by 2 canvas units on 257 by 170 mm: the height is what fits.
    if fill == "hatch":
        assert points.min(0) == pytest.approx([21, 20], abs=2)
    assert (points.min(0) >= np.array([20.99, 19.99])).all()
    assert (points.max(0) <= np.array([276.01, 190.01])).all()


def test_what_is_above_hides_what_is_below(registry):
    genes = [[0.0, 0, 0.5], [0.3, 0, 0.5]]
    colours = [[0.0, 0, 0], [0.0, 0, 0]]
    art = opaque(registry, "circle", genes, colours)
    both = plotted(art, fill="none").layers[0]
    page = Page().turned(art.drawing.canvas)
    radius = 0.5 * page.scale(art.drawing.canvas)
    # The angle at which the upper circle begins to hide the lower one.
    hidden = 2 * np.arccos(0.3)
    assert length(both.paths) == pytest.approx((4 * np.pi - hidden) * radius, rel=0.01)
    below = opaque(registry, "circle", genes[::-1], colours)
    alone = plotted(below, fill="none").layers[0]
    assert length(alone.paths) == pytest.approx(length(both.paths), rel=0.01)
    covered = opaque(registry, "circle", [[0.0, 0, 0.3], [0.0, 0, 0.5]], colours)
    assert len(plotted(covered, fill="none").layers[0].paths) == 1


def test_the_darker_the_closer(registry):
    drawn = []
    for level in (0.0, 0.5, 0.75):
        art = opaque(registry, "circle", [[0.0, 0, 0.8]], [[level] * 3])
        (layer,) = plotted(art, spacing=1.0).layers
        drawn.append(length(layer.paths))
    radius = 0.8 * Page().scale(Canvas(100, 100))
    assert drawn[0] == pytest.approx(np.pi * radius**2 / 1.0, rel=0.05)
    assert drawn[1] / drawn[0] == pytest.approx(0.5, abs=0.05)
    assert drawn[2] / drawn[0] == pytest.approx(0.25, abs=0.05)


def test_a_narrow_drawing_is_as_dark_as_its_picture_from_end_to_end(registry):
    """Its sides are rounded to pixels, so that these are not square."""
    art = opaque(registry, "rectangle", [[0, 0, 2, 999]], [(0.0,) * 3], width=60, height=2000)
    pixels = np.repeat(np.uint8([255, 0]), 256)[:, None, None] * np.ones((15, 3), np.uint8)
    made = plot(art.drawing, art.primitive(), pixels, Page(pens=BLACK))
    points = np.concatenate(made.layers[0].paths)
    assert points[:, 1].min() == pytest.approx(made.page.height / 2, abs=1)


def test_what_shines_through_is_seen_in_the_hatches(registry):
    art = opaque(registry, "square", [[0.0, 0, 0.9], [0.0, 0, 0.9]], [[0.0] * 3, [0.5] * 3])
    tensors = dict(art.drawing.tensors)
    tensors["genes"] = torch.tensor([[-0.5, 0, 0.4], [0.0, 0, 0.9]]).T.contiguous()
    tensors["alpha"] = torch.tensor([1.0, 0.5])
    art = replace(art, drawing=replace(art.drawing, tensors=tensors))
    (layer,) = plotted(art).layers
    middle = 105 - 0.5 * 90
    near = [p for p in layer.paths if abs(p.mean(0) - (middle, 148.5)).max() < 30]
    far = [p for p in layer.paths if abs(p.mean(0) - (210 - middle, 148.5)).max() < 30]
    assert length(near) > 1.3 * length(far)


def test_a_stroke_is_drawn_along_its_spine(registry):
    art = opaque(registry, "line", [[-0.5, -0.3, 0.5, 0.3, 0.004]], [[0.0] * 3])
    for fill in ("none", "hatch"):
        ((path,),) = [layer.paths for layer in plotted(art, fill=fill).layers]
        across = path[-1] - path[0]
        assert abs(across[1] / across[0]) == pytest.approx(0.6, abs=0.01)
        assert np.hypot(*across) == pytest.approx(np.hypot(1, 0.6) * 90, rel=0.02)


def test_solid_fills_leave_no_gap(registry):
    art = opaque(registry, "circle", [[0.0, 0, 0.2]], [[0.8, 0.1, 0.1]])
    result = plotted(art, fill="solid", pens=("#cc1a1a", "#000000"))
    (layer,) = result.layers
    assert layer.colour == "#cc1a1a"
    image = Image.new("L", (2100, 2970), 255)
    pen = ImageDraw.Draw(image)
    for path in layer.paths:
        pen.line([tuple(10 * point) for point in path], fill=0, width=3)
    y, x = np.mgrid[:2970, :2100]
    inside = np.hypot(x - 1050, y - 1485) < 10 * 0.2 * 90 - 2
    assert (np.asarray(image)[inside] == 0).mean() > 0.99


def test_the_background_is_drawn_unless_transparent(registry):
    art = art_of("circle", registry)
    page = Page(pens=BLACK)
    with_ground = layers_of(export_svg(art, ExportRequest(page=page)))[1]
    without = layers_of(export_svg(art, ExportRequest(page=page, transparent=True)))[1]
    assert length(without[0][2]) < 0.8 * length(with_ground[0][2])


def test_nothing_to_draw_is_said(registry):
    art = opaque(registry, "circle", [[0.0, 0, 0.3]], [[1.0] * 3])
    with pytest.raises(UsageError, match="hardly differs"):
        plotted(art)


# ---- splats and cells ----------------------------------------------------------------------------


def splats(registry, name, tensors, **options):
    entry = registry.find("primitive", name)
    primitive = entry.load()(options)
    drawing = Drawing(
        name,
        primitive.option_values(),
        {key: torch.tensor(value) for key, value in tensors.items()},
        100,
        100,
        (1.0, 1.0, 1.0),
        plugin=dict(entry.identity),
    )
    return primitive, drawing


def test_a_gaussian_is_the_ellipse_of_half_its_peak(registry):
    primitive, drawing = splats(
        registry,
        "gaussian",
        {
            "xy": [[0.1], [-0.2]],
            "colour": [[0.5], [0.5], [0.5]],
            "scale": [[0.3], [0.1]],
            "angle": [0.5],
        },
    )
    (part,) = pen_parts(primitive, drawing)
    (ring,) = part.rings
    dx, dy = (ring - (0.1, -0.2)).T
    c, s = np.cos(0.5), np.sin(0.5)
    radius = np.hypot((c * dx + s * dy) / 0.3, (c * dy - s * dx) / 0.1)
    assert radius == pytest.approx(np.sqrt(2 * np.log(2)), abs=0.01)
    assert part.spine is None


def test_the_spine_of_a_stroke_lies_where_it_is_darkest(registry):
    primitive, drawing = splats(
        registry,
        "stroke",
        {
            "xy": [[0.0], [0.0]],
            "colour": [[0.5], [0.5], [0.5]],
            "z": [1.0],
            "length": [0.6],
            "width": [0.15],
            "angle": [0.3],
            "bend": [0.8],
            "furrow": [0.0],
        },
        texture=0.0,
    )
    (part,) = pen_parts(primitive, drawing)
    ends = part.spine[0], part.spine[-1]
    assert np.hypot(*(ends[1] - ends[0])) == pytest.approx(2 * 0.955 * 0.6, rel=0.01)
    inside = cut(polylines([(0, 0.98 * part.spine)]), [part.rings], [])
    assert length(to_paths(inside)) > 0.97 * length([0.98 * part.spine])


def test_near_splats_hide_far_ones_and_small_ones_lie_on_large_ones(registry):
    tensors = {
        "xy": [[0.0, 0.1], [0.0, 0.0]],
        "colour": [[0.5, 0.5]] * 3,
        "scale": [[0.1, 0.3], [0.1, 0.3]],
        "angle": [0.0, 0.0],
    }
    parts = pen_parts(*splats(registry, "gaussian", tensors))
    assert [round(part.box[0], 1) for part in parts] == [-0.3, -0.1]
    depths = {**tensors, "z": [2.0, 1.0]}
    parts = pen_parts(*splats(registry, "gaussian", depths, blend="depth"))
    assert [round(part.box[0], 1) for part in parts] == [-0.1, -0.3]


@pytest.mark.parametrize("name", ["gaussian", "fourier", "stroke"])
def test_fitted_splats_are_plotted(name):
    art = fit("sample:chelsea", name, count=30, steps=20, size=48, seed=1)
    _, layers = layers_of(export_svg(art, ExportRequest(page=Page(pens=3, spacing=1.0))))
    assert 1 <= len(layers) <= 3


@pytest.mark.parametrize("name", ["mlp", "pca"])
def test_what_has_no_parts_is_refused(name, registry):
    primitive = registry.load("primitive", name)()
    drawing = Drawing(name, {}, {}, 8, 8)
    with pytest.raises(UsageError, match=rf"{name} is a (field|codec): it has no parts"):
        pen_parts(primitive, drawing)


def voronoi(registry, count=25, width=60, height=40):
    entry = registry.find("primitive", "voronoi")
    rng = np.random.default_rng(2)
    tensors = {
        "sites": torch.tensor(rng.uniform(-1.4, 1.4, (2, count)), dtype=torch.float32),
        "colour": torch.tensor(rng.random((3, count)), dtype=torch.float32),
    }
    drawing = Drawing("voronoi", {}, tensors, width, height, plugin=dict(entry.identity))
    return Art(drawing, Recipe(), {"psnr": 20.0}, registry=registry)


def test_cells_are_where_their_sites_are_nearest(registry):
    art = voronoi(registry)
    sites, _ = unpack_sites(art.drawing.tensors)
    polygons = cells(sites, art.primitive(), art.drawing.canvas)
    area = 0.0
    for i, cell in enumerate(polygons):
        if not len(cell):
            continue
        x, y = cell.T
        area += abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
        middle = cell.mean(0)
        assert np.square(sites - middle).sum(1).argmin() == i
        at_corners = np.square(cell[:, None] - sites).sum(2)
        assert (at_corners[:, i] <= at_corners.min(1) + 1e-6).all()
    assert area == pytest.approx(3 * 2, rel=1e-6)


def test_cells_are_polygons_of_an_svg_and_lines_on_a_page(registry):
    art = voronoi(registry)
    root = ElementTree.fromstring(export_svg(art, ExportRequest()))
    polygons = root.findall(f"{SVG}g/{SVG}polygon")
    assert 10 < len(polygons) <= 25
    assert all(element.get("fill") == element.get("stroke") for element in polygons)
    _, layers = layers_of(export_svg(art, ExportRequest(page=Page(pens=2))))
    assert len(layers) == 2
    # Opaque cells have nothing behind them.
    assert root.find(f"{SVG}rect") is not None
    clear = ElementTree.fromstring(export_svg(art, ExportRequest(transparent=True)))
    assert clear.find(f"{SVG}rect") is None
    assert len(clear.findall(f"{SVG}g/{SVG}polygon")) == len(polygons)


def test_lines_between_cells_are_drawn_but_not_fitted(registry):
    art = voronoi(registry)
    lead = replace(art.drawing, options={"edge_width": 0.05, "edge_colour": "#ff0000"})
    primitive, canvas = Voronoi(lead.options), Canvas(300, 200)
    plain = draw(art.drawing, Voronoi(), canvas)
    leaded = draw(lead, primitive, canvas)
    red = torch.tensor([1.0, 0.0, 0.0])[:, None, None]
    distance = np.full((200, 300), np.inf)
    x, y = np.meshgrid(*(centres for centres in canvas.pixel_centres()))
    for xa, ya, xb, yb in edge_lines(primitive, lead.tensors, canvas):
        along, across = xb - xa, yb - ya
        share = ((x - xa) * along + (y - ya) * across) / (along**2 + across**2)
        share = share.clip(0, 1)
        distance = np.minimum(distance, np.hypot(x - xa - share * along, y - ya - share * across))
    inside = torch.from_numpy(distance < 0.05 - 2 * canvas.pixel)
    outside = torch.from_numpy(distance > 0.05 + 2 * canvas.pixel)
    assert inside.float().mean() > 0.1
    torch.testing.assert_close(leaded[:, inside], red.expand(3, 200, 300)[:, inside])
    torch.testing.assert_close(leaded[:, outside], plain[:, outside])
    assert torch.equal(
        paint(primitive, lead.tensors, canvas), paint(Voronoi(), lead.tensors, canvas)
    )
    art = replace(art, drawing=lead)
    root = ElementTree.fromstring(export_svg(art, ExportRequest()))
    lines = [each for each in root.iter(f"{SVG}path") if each.get("fill") == "#ff0000"]
    assert len(lines) == len(edge_lines(primitive, lead.tensors, lead.canvas))
    assert all(each.get("stroke") is None for each in lines)


def test_the_border_that_hides_gaps_stays_thin_at_any_size(registry):
    for size, width in ((60, 0.5 * 2 / 40), (600, 1.5 * 2 / 400)):
        root = ElementTree.fromstring(export_svg(voronoi(registry), ExportRequest(size=size)))
        polygon = root.find(f"{SVG}g/{SVG}polygon")
        assert float(polygon.get("stroke-width")) == pytest.approx(width, rel=0.05)


def test_cells_are_data_too(registry):
    cells = json.loads(export_json(voronoi(registry), ExportRequest()))["shapes"]
    assert 10 < len(cells) <= 25
    assert all(len(cell["outline"]) > 2 and len(cell["genes"]) == 2 for cell in cells)


def test_bent_borders_are_refused(registry):
    class Bent(Partition):
        """Not a plane."""

        @staticmethod
        def line(genes, y):
            return -2 * genes[0], genes[0] * y * y

    sites, _ = unpack_sites(voronoi(registry).drawing.tensors)
    with pytest.raises(UsageError, match="Bent have borders that are not straight"):
        cells(sites, Bent(), Canvas(60, 40))


# ---- files ---------------------------------------------------------------------------------------


def test_both_files_hold_the_same_lines_and_the_recipe(registry, tmp_path):
    art = art_of("triangle", registry, source="a <cat> & ]]> \ufffe é")
    request = ExportRequest(page=Page(pens=2, paper="#102030"))
    svg, pdf = export_svg(art, request), export_pdf(art, request)
    assert (svg, pdf) == (export_svg(art, request), export_pdf(art, request))
    for name, data in (("x.svg", svg), ("x.pdf", pdf)):
        (tmp_path / name).write_bytes(data)
        assert read_recipe(tmp_path / name).replace("\\ufffe", "\ufffe") == art.recipe.to_json()
    _, layers = layers_of(svg)
    content = zlib.decompress(re.search(rb"FlateDecode.*?stream\n(.*?)\nendstream", pdf, re.S)[1])
    text = content.decode()
    assert text.count("BDC") == text.count("EMC") == len(layers)
    assert text.count(" S") == sum(len(paths) for _, _, paths in layers)
    corners = re.findall(r"([\d.]+) ([\d.]+) [ml]", text)
    assert np.array(corners, float) == pytest.approx(all_points(layers))
    assert b"/MediaBox [0 0 841.890 595.276]" in pdf
    assert not re.search(rb"Date|/ID|/Font", pdf)


def test_the_table_of_a_pdf_says_where_its_objects_are(registry):
    pdf = export_pdf(art_of("circle", registry), ExportRequest(page=Page()))
    start = int(re.search(rb"startxref\n(\d+)", pdf)[1])
    assert pdf[start : start + 4] == b"xref"
    size = int(re.search(rb"xref\n0 (\d+)", pdf[start:])[1])
    places = re.findall(rb"(\d{10}) 00000 n \n", pdf[start:])
    assert len(places) == size - 1
    for number, place in enumerate(places, 1):
        assert pdf[int(place) :].startswith(b"%d 0 obj\n" % number)
    for length_told, content in re.findall(
        rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", pdf, re.S
    ):
        assert int(length_told) == len(content)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"PDF", "does not start like a PDF"),
        (b"%PDF-1.7\n", "contains no recipe"),
        (b"%PDF-1.7\n<artgen:recipe>{", "cut short"),
        (b"%PDF-1.7\n<artgen:recipe>[]</artgen:recipe>", "not an object"),
        (b"%PDF-1.7\n<artgen:recipe>\xff</artgen:recipe>", "cannot be read"),
    ],
)
def test_damaged_pdfs_are_named(data, says, tmp_path):
    (tmp_path / "x.pdf").write_bytes(data)
    with pytest.raises(InputError, match=says) as refused:
        read_recipe(tmp_path / "x.pdf")
    assert "x.pdf" in str(refused.value)


def test_other_formats_have_no_page(registry):
    art = art_of("circle", registry)
    for export in (export_png, export_json, export_mp4):
        with pytest.raises(UsageError, match="does not take a page"):
            export(art, ExportRequest(page=Page(), walk="labels"))
    for export in (export_svg, export_pdf):
        with pytest.raises(UsageError, match="cannot be animated") as refused:
            export(art, ExportRequest(page=Page(), animate=3.0))
        assert "leave out --animate, or what is for pens" in refused.value.hint


def test_the_pens_are_those_of_the_whole_picture(registry):
    """Without its ground, a drawing was given other pens, too vivid for what it shows."""
    dark, light = torch.tensor([0.0, 0.3, 0.4]), torch.tensor([0.5, 0.75, 0.7])
    art = art_of("circle", registry)
    tensors = {**art.drawing.tensors, "alpha": torch.full_like(art.drawing.tensors["alpha"], 0.5)}
    tensors["colour"] = torch.where(torch.arange(tensors["colour"].shape[1]) % 2 > 0, 1.0, 0.8)
    tensors["colour"] = tensors["colour"] * light[:, None]
    art = Art(replace(art.drawing, tensors=tensors, background=tuple(dark.tolist())), art.recipe)
    page = Page(pens=2)
    drawn, clear = (
        {colour for _, colour, _ in layers_of(export_svg(art, ExportRequest(**more, page=page)))[1]}
        for more in ({}, {"transparent": True})
    )
    assert clear <= drawn


def test_a_page_shows_the_whole_drawing(registry):
    """A crop, a border and a size were passed over in silence."""
    art = art_of("circle", registry)
    for export in (export_svg, export_pdf):
        for size in ("40x40", 600):
            with pytest.raises(UsageError, match="has the size of its paper"):
                export(art, ExportRequest(size, page=Page()))
        export(art, ExportRequest(page=Page(fill="none")))


def test_from_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["--size", "32", "-n", "8", "--set", "engine.passes=1", "--seed", "3", "--no-video"]
    assert main(["fit", "sample:cat", "-p", "circle", *small, "-q"]) == 0
    render = ["render", "artgen-out/cat-circle.art", "--overwrite"]
    page = ["--page", "100x80mm", "--margin", "5", "--pens", "3", "--hatch-spacing", "1.5"]
    assert main([*render, "-o", "x.svg", "-o", "x.pdf", *page, "--paper", "ivory"]) == 0
    root, layers = layers_of((tmp_path / "x.svg").read_bytes())
    assert (root.get("width"), root.get("height")) == ("100mm", "80mm")
    assert 1 <= len(layers) <= 3
    assert main([*render, "-o", "x.svg", "--pens", "#f00,#0000ff", "--fill", "none"]) == 0
    assert {c for _, c, _ in layers_of((tmp_path / "x.svg").read_bytes())[1]} <= {
        "#ff0000",
        "#0000ff",
    }
    (tmp_path / "inks.txt").write_text("#112233\n#445566\n")
    assert main([*render, "-o", "x.svg", "--pens", "inks.txt", "--pen-width", "0.5"]) == 0
    assert b'stroke-width="0.5"' in (tmp_path / "x.svg").read_bytes()
    assert main([*render, "-o", "x.pdf", "--page", "A4"]) == 0
    capsys.readouterr()
    assert main(["info", "x.pdf", "--json"]) == 0
    assert '"kind": "page"' in capsys.readouterr().out
    refused = ("--page", "A44"), ("--page", ""), ("--pens", "0"), ("--pens", "missing.gpl")
    for wrong, code in zip(refused, (2, 2, 2, 3), strict=True):
        assert main([*render, "-o", "x.svg", *wrong]) == code
    assert main([*render, "-o", "x.png", "--page", "A4"]) == 2


def test_vpype_reads_layers_and_page(registry, tmp_path):
    vpype = pytest.importorskip("vpype")
    page = Page(pens=("#000000", "#cc3300", "#0044aa"))
    path = tmp_path / "x.svg"
    path.write_bytes(export_svg(art_of("triangle", registry), ExportRequest(page=page)))
    document = vpype.read_multilayer_svg(str(path), quantization=0.1)
    _, layers = layers_of(path.read_bytes())
    assert sorted(document.layers) == list(range(1, len(layers) + 1))
    millimetre = 96 / 25.4
    assert document.page_size == pytest.approx((297 * millimetre, 210 * millimetre), rel=1e-3)
    for number, (_, colour, paths) in enumerate(layers, 1):
        assert len(document.layers[number]) == len(paths)
        assert document.layers[number].property("vp_color").as_hex() == colour
