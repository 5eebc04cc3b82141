"""Meshes: exact area at every size, gradients, colours in closed form, growth, fits and files."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import helpers
import numpy as np
import pytest
import torch
from test_resume import assert_same

from artgen import Canvas, Drawing, fit, load
from artgen.animation.morph import morph
from artgen.art import ExportRequest
from artgen.compiler.threads import share, thread_count
from artgen.errors import UsageError
from artgen.events import Advanced
from artgen.exporters import export_html, export_json, export_svg
from artgen.families.mesh.contract import Mesh, outermost
from artgen.families.mesh.objective import solve_colours
from artgen.families.mesh.paint import (
    areas,
    colour_table,
    corner_integrals,
    draw_mesh,
    fill_holes,
    integrate_field,
    triangulate,
)
from artgen.init import Context
from artgen.raster import draw, paint
from artgen.registry import default
from artgen.runs import run as run_with
from artgen.targets import hex_colour
from artgen_plugins.mesh import LowPoly

CANVAS = Canvas(45, 32)
SHADINGS = ("flat", "smooth")


def run(*arguments, **more):
    return run_with(*arguments, registry=default(), **more)


def mesh_of(shading: str, count: int = 30, canvas: Canvas = CANVAS) -> tuple[LowPoly, dict]:
    mesh = LowPoly({"shading": shading})
    rng = torch.Generator().manual_seed(count)
    tensors = mesh.initial(Context(rng, canvas, count))
    tensors["colour"] = torch.rand(tensors["colour"].shape, generator=rng)
    return mesh, tensors


@pytest.mark.parametrize("shading", SHADINGS)
def test_a_pixel_is_the_mean_of_what_it_covers(shading):
    mesh, tensors = mesh_of(shading)
    small = paint(mesh, tensors, CANVAS)
    large = paint(mesh, tensors, Canvas(450, 320))
    pooled = torch.nn.functional.avg_pool2d(large[None], 10)[0]
    torch.testing.assert_close(pooled, small, atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (3, 50), (301, 211)])
def test_there_are_no_gaps(size):
    mesh, tensors = mesh_of("flat", 60)
    tensors["colour"] = torch.ones_like(tensors["colour"])
    # Vertices that lie on one another, on one line, and outside.
    tensors["xy"][:, -1] = tensors["xy"][:, -2]
    tensors["xy"][1, 30:40] = 0.25
    image = paint(mesh, tensors, Canvas(*size))
    torch.testing.assert_close(image, torch.ones_like(image), atol=1e-5, rtol=0)


def test_every_triangle_has_a_colour_of_its_own():
    mesh, tensors = mesh_of("flat", 200)
    # Equal heights, and a grid, in which many points lie on a circle.
    tensors["xy"][:, 20:120] = (tensors["xy"][:, 20:120] * 6).round() / 6.5
    found = triangulate(mesh, tensors["xy"], CANVAS)
    real = areas(found.places[found.triangles]) > 1e-9
    colours = found.colours[real]
    assert len(colours) > 200
    assert (colours == colours[:, :1]).all()
    assert len(colours[:, 0].unique()) == len(colours)


class Fixed(LowPoly):
    """A mesh whose triangles stay, so that its picture changes smoothly."""

    def __init__(self, options, xy):
        super().__init__(options)
        self.kept = LowPoly.triangulate(self, xy.numpy().T)
        self.colours = LowPoly.corner_colours(self, xy.numpy().T, self.kept)

    def triangulate(self, xy):
        return self.kept

    def corner_colours(self, xy, triangles):
        return self.colours


@pytest.mark.parametrize("shading", SHADINGS)
def test_gradients_are_those_of_the_picture(shading):
    _, tensors = mesh_of(shading)
    tensors = {name: value.double() for name, value in tensors.items()}
    mesh = Fixed({"shading": shading}, tensors["xy"])
    rng = torch.Generator().manual_seed(1)
    incoming = torch.rand(3, CANVAS.height, CANVAS.width, generator=rng)

    def value(tensors):
        return (paint(mesh, tensors, CANVAS).double() * incoming).sum()

    leaves = {name: tensor.clone().requires_grad_() for name, tensor in tensors.items()}
    value(leaves).backward()
    for name, tensor in tensors.items():
        way = torch.randn(tensor.shape, generator=rng, dtype=torch.float64)
        if name == "xy":
            first, last = outermost(tensor)
            way[first | last] = 0
        step = 3e-4
        change = value({**tensors, name: tensor + step * way})
        change = (change - value({**tensors, name: tensor - step * way})) / (2 * step)
        assert float((leaves[name].grad * way).sum()) == pytest.approx(float(change), rel=1e-2)


def test_fields_are_integrated_over_triangles():
    mesh, tensors = mesh_of("flat")
    found = triangulate(mesh, tensors["xy"], CANVAS)
    sums = integrate_field(found.places, found.edges, torch.ones(1, CANVAS.height, CANVAS.width))
    corners = found.places[found.triangles]
    expected = areas(corners)[:, None] * torch.cat(
        [torch.ones(len(corners), 1, dtype=torch.float64), corners.mean(1)], 1
    )
    torch.testing.assert_close(sums[:, 0], expected)


def test_few_strips_of_a_picture_are_held_at_a_time(monkeypatch):
    """Each has sums for every edge: those of all strips took more memory than all the rest."""
    canvas, held = Canvas(4, 1600), []

    def shared(work, items):
        held.append(len(items))
        return share(work, items)

    monkeypatch.setattr("artgen.families.mesh.paint.share", shared)
    mesh, tensors = mesh_of("flat", canvas=canvas)
    found = triangulate(mesh, tensors["xy"], canvas)
    sums = integrate_field(found.places, found.edges, torch.ones(1, canvas.height, canvas.width))
    torch.testing.assert_close(sums[:, 0, 0], areas(found.places[found.triangles]))
    assert sum(held) == 100
    assert max(held) == min(100, 4 * thread_count())


@pytest.mark.parametrize("weighted", [False, True])
def test_flat_colours_are_means_and_smooth_ones_reproduce_slopes(weighted):
    x, y = (torch.from_numpy(axis) for axis in CANVAS.pixel_centres())
    y, x = torch.meshgrid(y, x, indexing="ij")
    target = torch.stack([0.5 + 0.2 * x, 0.4 + 0.3 * y, 0.5 + 0.1 * (x - y)])
    weight = 1 + (x > 0).float() if weighted else None
    mesh, tensors = mesh_of("flat")
    found = triangulate(mesh, tensors["xy"], CANVAS)
    colour = solve_colours(found, tensors["colour"], target, weight)
    ones = torch.ones_like(target) if weight is None else weight.expand(3, -1, -1)
    moments = (integrate_field(found.places, found.edges, each) for each in (target * ones, ones))
    total, share = (corner_integrals(found, each).sum(1) for each in moments)
    torch.testing.assert_close(
        colour_table(colour)[found.colours[:, 0]].double(), total / share, atol=1e-5, rtol=0
    )
    if weight is None:
        mesh, tensors = mesh_of("smooth")
        found = triangulate(mesh, tensors["xy"], CANVAS)
        colour = solve_colours(found, tensors["colour"], target, None)
        # A pixel of the target is flat, which matters at the vertices of small triangles alone.
        gap = (draw_mesh(found, colour, CANVAS) - target).abs()
        assert float(gap.max()) < 0.01


def test_a_hole_is_filled_as_if_its_vertex_had_never_been():
    mesh, tensors = mesh_of("flat", 40)
    found = triangulate(mesh, tensors["xy"], CANVAS)
    filled, vertices = fill_holes(found)
    whole = areas(found.places[found.triangles])
    inside = ~outermost(tensors["xy"])[0].any(0) & ~outermost(tensors["xy"])[1].any(0)
    for vertex in inside.nonzero()[:, 0].tolist():
        mine = filled[vertices == vertex]
        around = (found.triangles == vertex).any(1)
        assert len(mine) == around.sum() - 2
        assert float(areas(found.places[mine]).sum()) == pytest.approx(float(whole[around].sum()))
        others = np.delete(np.arange(40), vertex)
        again = others[mesh.triangulate(tensors["xy"].double().numpy().T[others])]
        known = {frozenset(each) for each in again.tolist()}
        assert all(frozenset(each) in known for each in mine.tolist())


def recipe(photo: Path, steps: int = 20, **tables):
    tables.setdefault("primitive", {"name": "mesh", "count": 16})
    return helpers.recipe(photo, {"steps": steps}, **tables)


@pytest.fixture(scope="module")
def arts(tmp_path_factory):
    photo = helpers.save_photo(tmp_path_factory.mktemp("photo"))
    made = {}
    for shading in SHADINGS:
        table = {"name": "mesh", "count": 16, "shading": shading}
        asked = recipe(photo, primitive=table, output={"video": False})
        made[shading] = run(asked).art
    return made


@pytest.mark.parametrize("shading", SHADINGS)
def test_a_fit_grows_and_keeps_the_frame(arts, shading):
    drawing = arts[shading].drawing
    xy = drawing.tensors["xy"]
    assert xy.shape == (2, 16)
    first, last = outermost(xy)
    reach = torch.tensor(drawing.canvas.reach)[:, None].expand_as(xy)
    assert torch.equal(xy.abs()[first | last], reach[first | last])
    assert int((first | last).all(0).sum()) == 4
    assert arts[shading].metrics["psnr"] > 12


@pytest.mark.parametrize("shading", ["flat", "smooth"])
def test_a_mesh_is_drawn_on_the_cpu_wherever_other_parts_are(arts, shading, monkeypatch):
    # A device that every machine has beside the CPU, and that holds no numbers to draw with.
    monkeypatch.setattr("artgen.raster.resolve_device", str)
    assert np.array_equal(arts[shading].render(40, device="meta"), arts[shading].render(40))


def test_killed_and_resumed_it_gives_the_same_bytes(photo, tmp_path):
    class Killed(BaseException):
        pass

    def die(event):
        if isinstance(event, Advanced) and event.step >= 12:
            raise Killed

    asked = recipe(photo)
    with pytest.raises(Killed):
        run(asked, out=tmp_path / "killed", observers=[die], checkpoint_every=5)
    run(asked, out=tmp_path / "killed", resume=True)
    run(asked, out=tmp_path / "whole")
    assert_same(tmp_path / "killed", tmp_path / "whole")


def test_colours_of_a_palette(photo):
    table = {"source": str(photo), "palette": ["#102030", "#e0d0c0", "#a04020"]}
    art = run(recipe(photo, target=table, output={"video": False})).art
    drawing = art.drawing
    found = triangulate(art.primitive(), drawing.tensors["xy"], drawing.canvas)
    used = colour_table(drawing.tensors["colour"])[found.colours[:, 0].unique()]
    assert {hex_colour(each) for each in used.tolist()} <= set(table["palette"])
    smooth = {"name": "mesh", "count": 16, "shading": "smooth"}
    with pytest.raises(UsageError, match="mesh cannot keep its colours to a palette"):
        run(recipe(photo, target=table, primitive=smooth))


def test_another_loss_moves_the_vertices(photo):
    stage = {"engine": "gradient", "steps": 20, "loss": "l1"}
    losses = []

    def watch(event):
        losses.extend([event.loss] if hasattr(event, "loss") else [])

    run(helpers.changed(recipe(photo), {"stage": [stage]}), observers=[watch])
    assert min(losses) < 0.9 * losses[0]


def test_vectors_and_data(arts):
    for shading, art in arts.items():
        triangles = len(triangulate(art.primitive(), art.drawing.tensors["xy"], CANVAS).triangles)
        root = ElementTree.fromstring(export_svg(art, ExportRequest()))
        polygons = root.findall(".//{http://www.w3.org/2000/svg}polygon")
        shapes = json.loads(export_json(art, ExportRequest()))["shapes"]
        assert len(polygons) == len(shapes)
        assert len(shapes) == triangles if shading == "flat" else len(shapes) > triangles
        assert all(each.get("stroke") == each.get("fill") for each in polygons)
        corners = torch.tensor([each["outline"] for each in shapes], dtype=torch.float64)
        assert float(areas(corners).abs().sum()) == pytest.approx(art.drawing.canvas.area, rel=1e-2)
        assert b"<script>" in export_html(art, ExportRequest())
    assert (arts["flat"].render(transparent=True)[..., 3] == 255).all()
    with pytest.raises(UsageError, match="transparent"):
        arts["smooth"].render(transparent=True)


def test_morphs_begin_and_end_with_their_drawings(arts):
    first = arts["flat"]
    moved = {**first.drawing.tensors, "colour": first.drawing.tensors["colour"].flip(0)}
    tensors = {name: value[..., :-3] for name, value in moved.items()}
    drawing = first.drawing
    other = type(first)(
        Drawing(drawing.primitive, drawing.options, tensors, drawing.width, drawing.height),
        first.recipe,
        registry=first.registry,
    )
    both = morph(first, other, seconds=1, hold=0)
    for time, end in ((0.0, first), (1.0, other)):
        gap = np.abs(both.at(time).render(48).astype(int) - end.render(48).astype(int))
        assert gap.max() <= 1
    with pytest.raises(UsageError, match="still meshes"):
        export_html(both, ExportRequest())


def test_fewer_vertices_than_corners_are_refused(photo):
    with pytest.raises(UsageError, match="at least 4, got 2"):
        fit(photo, "mesh", count=2)


def test_int8_is_too_coarse_for_vertices(photo):
    with pytest.raises(UsageError, match="mesh cannot be stored as int8") as refused:
        run(recipe(photo, run={"precision": "int8"}))
    assert refused.value.hint == "use --precision fp16"


def test_a_loaded_drawing_is_saved_as_the_same_file(photo, tmp_path):
    art = run(recipe(photo, steps=6, output={"video": False, "fps": 30})).art
    assert art.trajectory is not None
    art.save(tmp_path / "first.art")
    assert load(tmp_path / "first.art").to_bytes() == (tmp_path / "first.art").read_bytes()


def test_without_triangles_there_is_the_background():
    mesh = LowPoly()
    for xy in (torch.zeros(2, 0), torch.zeros(2, 2), torch.rand(1, 5).expand(2, 5)):
        tensors = {"xy": xy, "colour": torch.ones(6, xy.shape[1])}
        drawing = Drawing("mesh", mesh.option_values(), tensors, 8, 8, (0.25, 0.5, 0.75))
        image = draw(drawing, mesh)
        assert image[:, 0, 0].tolist() == [0.25, 0.5, 0.75]


def test_a_mesh_says_which_colour_a_corner_has():
    with pytest.raises(NotImplementedError):
        Mesh().corner_colours(np.zeros((3, 2)), np.zeros((1, 3), np.int64))
