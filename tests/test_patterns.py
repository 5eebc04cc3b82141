"""Symmetries: groups, copies of parts, folded pictures, seamless tiles, tilings, fabric."""

from __future__ import annotations

import io
import math
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import recipe, save_photo
from PIL import Image
from scipy.ndimage import map_coordinates

import artgen
from artgen import Canvas, Param, Splat, init
from artgen.animation import Shot
from artgen.animation.forms import form_frames
from artgen.art import Art
from artgen.cli import main
from artgen.engines import Problem
from artgen.engines.conversion import own_parts
from artgen.engines.gradient.objective import objective_of
from artgen.errors import UsageError
from artgen.families.shape.spans import draw_shapes
from artgen.families.splat.importance import importance
from artgen.families.splat.repeat import images
from artgen.init import Context
from artgen.ink import Marks
from artgen.losses import mse
from artgen.making import Motif
from artgen.output import to_pixels
from artgen.output.parts import flat_parts
from artgen.raster import draw, paint
from artgen.runs import Asked, check_agreement, run
from artgen.runs.kinds.picture.run import PictureRun
from artgen.runs.warm_start import InitialArt
from artgen.targets import folded, image_from_array
from artgen.values.drawing import Drawing
from artgen.values.frame import Frame
from artgen.values.symmetry import FRIEZES, WALLPAPERS, placed, symmetry_canvas, symmetry_of
from artgen_makers.fabric import Fabric, seam
from artgen_plugins import metamorphosis
from artgen_plugins._outlines import read_outline
from artgen_plugins.gaussian import Gaussian
from artgen_plugins.siren import Siren
from artgen_plugins.stipple import Stipple
from artgen_plugins.tiling import (
    Tile,
    Tiling,
    TilingObjective,
    corners,
    is_simple,
    nearest,
    outline,
    tiles,
    vectors,
)
from artgen_plugins.triangle import Triangle
from artgen_plugins.voronoi import Voronoi

SQUARE, WIDE = Canvas(48, 48), Canvas(194, 112)


def half(picture, x, y):
    """The picture moved by half a repeat across (x), down (y), or both."""
    height, width = picture.shape[1:]
    return np.roll(picture, (y * height // 2, x * width // 2), (1, 2))


def turned(picture, degrees):
    """The picture turned about its centre, which repeats."""
    height, width = picture.shape[1:]
    angle = math.radians(degrees)
    x, y = np.meshgrid(np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2)
    u = math.cos(angle) * x + math.sin(angle) * y + (width - 1) / 2
    v = math.cos(angle) * y - math.sin(angle) * x + (height - 1) / 2
    return np.stack([map_coordinates(p, [v, u], order=3, mode="grid-wrap") for p in picture])


# What the International Tables give as generators, applied to pixels; mirrors: | upright, - level.
DOES = {
    "2": lambda p: p[:, ::-1, ::-1],
    "|": lambda p: p[:, :, ::-1],
    "-": lambda p: p[:, ::-1],
    "g|": lambda p: half(p[:, :, ::-1], 0, 1),
    "|x": lambda p: half(p[:, :, ::-1], 1, 0),
    "|xy": lambda p: half(p[:, :, ::-1], 1, 1),
    "c": lambda p: half(p, 1, 1),
    "4": lambda p: np.rot90(p, axes=(1, 2)),
    "3": lambda p: turned(p, 120),
    "6": lambda p: turned(p, 60),
}
ALL = {
    "p1": (1, ""),
    "p2": (2, "2"),
    "pm": (2, "|"),
    "pg": (2, "g|"),
    "cm": (4, "| c"),
    "pmm": (4, "| -"),
    "pmg": (4, "2 |x"),
    "pgg": (4, "2 |xy"),
    "cmm": (8, "| - c"),
    "p4": (4, "4"),
    "p4m": (8, "4 |"),
    "p4g": (8, "4 |xy"),
    "p3": (6, "3 c"),
    "p3m1": (12, "3 - c"),
    "p31m": (12, "3 | c"),
    "p6": (12, "6 c"),
    "p6m": (24, "6 | c"),
}
"""How many motions a group has in a repeat, and its generators."""


def drawn(symmetry, canvas, count=3, seed=3, moved=(0.0, 0.0), on=None):
    splat = Gaussian({"symmetry": placed(symmetry, canvas)})
    rng = torch.Generator().manual_seed(seed)
    tensors = splat.initial(Context(rng, canvas, count))
    tensors["xy"] = tensors["xy"] + torch.tensor(moved)[:, None]
    tensors["scale"] = tensors["scale"].clamp(0.15, 0.4) * torch.tensor([[1.0], [0.5]])
    tensors["colour"] = torch.rand(3, count, generator=rng)
    drawing = Drawing("gaussian", splat.option_values(), tensors, canvas.width, canvas.height)
    return draw(drawing, splat, on or canvas).numpy()


@pytest.mark.parametrize("name", ALL)
def test_each_wallpaper_group_has_its_generators_and_no_others(name):
    number, generators = ALL[name]
    canvas = WIDE if name[1] in "36" else SQUARE
    assert len(symmetry_of(name).motions) == number
    picture = drawn(name, canvas)
    contrast = picture.std()
    off = {
        key: float(np.abs(does(picture) - picture).mean() / contrast)
        for key, does in DOES.items()
        if key != "4" or canvas is SQUARE
    }
    allowed = 0.02 if canvas is WIDE else 1e-4  # turned pixels are interpolated
    assert all(off[key] < allowed for key in generators.split()), off
    # A group that has more generators is another one.
    for other, (size, more) in ALL.items():
        if size > number and set(more.split()) <= off.keys() and other[1] not in "36":
            assert any(off[key] > 0.05 for key in more.split()), (other, off)
    if name in ("p3", "p3m1", "p31m"):
        assert off["6"] > 0.05
        assert (off["|"] > 0.05, off["-"] > 0.05) == (name != "p31m", name != "p3m1")


def test_all_groups_are_there():
    assert sorted(ALL) == sorted(WALLPAPERS)
    sizes = {name: len(symmetry_of(f"frieze:{name}").motions) for name in FRIEZES}
    assert sizes == {"p1": 1, "p11g": 2, "p1m1": 2, "p2": 2, "p2mg": 4, "p11m": 2, "p2mm": 4}


@pytest.mark.parametrize(
    ("name", "generators"),
    [("p11g", ["-x"]), ("p1m1", ["|"]), ("p2", ["2"]), ("p2mg", ["|", "-x"]), ("p11m", ["-"])],
)
def test_friezes_repeat_along_x_alone(name, generators):
    does = {**DOES, "-x": lambda p: half(p[:, ::-1], 1, 0)}
    picture = drawn(f"frieze:{name}", Canvas(64, 32))
    for key in does.keys() & {"-x", "|", "2", "-"}:
        off = float(np.abs(does[key](picture) - picture).mean() / picture.std())
        if (name, key) == ("p2mg", "2"):
            continue  # its half turns are about other points
        assert (off < 1e-4) == (key in generators), (key, off)
    on = (Canvas(*size, Canvas(64, 32).span) for size in ((128, 32), (64, 64)))
    wide, high = (drawn(f"frieze:{name}", Canvas(64, 32), on=each) for each in on)
    assert np.abs(wide[:, :, :64] - wide[:, :, 64:]).max() < 1e-4
    assert np.abs(high[:, :32] - high[:, 32:]).mean() > 0.05 * high.std()


def test_a_rosette_has_its_turns_and_mirrors():
    five, mirrored = drawn("rosette:5", SQUARE), drawn("rosette:5m", SQUARE)
    assert np.abs(mirrored[:, :, ::-1] - mirrored).max() < 1e-5
    assert np.abs(five[:, :, ::-1] - five).max() > 0.05
    assert len(symmetry_of("rosette:5m").motions) == 10
    # What shapes had is the same group.
    assert np.allclose(symmetry_of("quarter").motions[:, :, :2].sum(0), 0)
    with pytest.raises(UsageError, match="rosette:99999"):
        symmetry_of("rosette:99999")


@pytest.mark.parametrize("name", ["p1", "pgg", "p4", "half-drop"])
def test_a_tile_laid_beside_itself_is_one_larger_picture(name):
    canvas = Canvas(32, 32)
    tile, plain = drawn(name, canvas), drawn("p1", canvas, moved=(1.0, 0.0))
    wall = drawn(name, canvas, on=Canvas(96, 64, canvas.span))
    # The centre of the larger canvas is that of a tile across, and an edge between two down.
    beside = np.roll(np.tile(tile, (1, 2, 3)), 16, 1)
    # Centres of images are rounded to float32 where they are: a few units in the last place.
    assert np.abs(wall - beside).max() < 2e-6
    assert np.array_equal(to_pixels(wall.transpose(1, 2, 0)), to_pixels(beside.transpose(1, 2, 0)))
    if name == "p1":
        # Parts that are moved by half a repeat come in on the other side.
        assert np.abs(plain - half(tile, 1, 0)).max() < 2e-6


def test_a_tile_of_any_size_has_no_seam():
    # 40 x 24 pixels of a drawing that was fitted at 48 x 29.
    tile = drawn("pmg", Canvas(48, 29), on=Canvas(40, 24))
    for key in ("2", "|x"):
        assert np.abs(DOES[key](tile) - tile).max() < 2e-6


def test_tiles_reach_the_ends_of_a_panorama():
    """They ended 400 tiles from the middle."""
    square = np.array([[0, 0], [0.02, 0], [0.02, 0.02], [0, 0.02]]) - 0.01
    tile = Tile(square, [0, 1, 2, 2, 3, 3], 0.02 * np.eye(2), [])
    places, _ = tile.on((30.0, 1.0))
    assert abs(np.abs(places).max(0) - (30, 1)).max() < 0.02
    # One that is next to nothing asks for no more than before.
    assert len(replace(tile, lattice=np.array([[1e-7, 0], [0, 1e-7]])).on((1.0, 1.0))[0])


def test_gradients_of_all_images_pull_at_one_part():
    splat = Gaussian({"symmetry": "p4m@1x1"})
    tensors = splat.initial(Context(torch.Generator().manual_seed(1), SQUARE, 2))
    leaves = {name: each.clone().requires_grad_() for name, each in tensors.items()}
    y, x = torch.meshgrid(torch.linspace(-1, 1, 48), torch.linspace(-1, 1, 48), indexing="ij")
    goal = torch.sin(2 * x + 1) * torch.cos(3 * y)
    by_part = torch.autograd.grad((paint(splat, leaves, SQUARE) * goal).sum(), [leaves["xy"]])[0]
    one = 1e-3
    for axis, part in [(0, 0), (1, 0)]:
        ends = []
        for sign in (one, -one):
            xy = tensors["xy"].clone()
            xy[axis, part] += sign
            ends.append(float((paint(splat, {**tensors, "xy": xy}, SQUARE) * goal).sum()))
        slope = (ends[0] - ends[1]) / (2 * one)
        assert float(by_part[axis, part]) == pytest.approx(slope, rel=0.02, abs=4)
    copies, _ = images(splat, tensors, SQUARE.reach)
    assert copies.group is None


@pytest.mark.parametrize("blend", ["sum", "over", "normalized"])
def test_a_part_beyond_the_canvas_counts_as_its_images_do(blend):
    """It was seen by its images alone, and came last of all as the parts appear."""
    splat = Gaussian({"symmetry": "p1@1x1", "blend": blend})
    context = Context(torch.Generator().manual_seed(1), SQUARE, 9)
    tensors = splat.initial(context)
    repeat = torch.tensor([[2.0], [0.0]]) * (torch.arange(9) % 2)
    beyond = {**tensors, "xy": tensors["xy"] + repeat}
    sides, options = (SQUARE.width, SQUARE.height), splat.option_values()
    drawings = [Drawing("gaussian", options, each, *sides) for each in (tensors, beyond)]
    found = [importance(each, splat) for each in drawings]
    assert (found[0] > 0).all()
    torch.testing.assert_close(*found, atol=1e-4, rtol=1e-3)


def test_a_mean_of_repeated_parts_begins_as_the_sum_does():
    """It was as many times too bright as there are images in a repeat."""
    begun = []
    for blend in ("sum", "mean"):
        splat = Gaussian({"symmetry": "p4m@1x1", "blend": blend})
        context = Context(torch.Generator().manual_seed(1), SQUARE, 5, target=torch.ones(3, 8, 8))
        begun.append(paint(splat, splat.initial(context), SQUARE))
    torch.testing.assert_close(*begun)


class Blade(Splat):
    """A splat that calls its angle `turn`."""

    params = {"turn": Param(init=init.uniform(0.0, 3.0))}

    def footprint(self, dx, dy, p):
        c, s = torch.cos(p.turn), torch.sin(p.turn)
        return torch.exp(-40 * (c * dx + s * dy) ** 2 - 400 * (c * dy - s * dx) ** 2)

    def ellipse(self, p):
        return 0.6 + 0 * p.turn, 0.2 + 0 * p.turn, p.turn


def test_names_of_parameters_are_free_where_parts_repeat():
    """What turns the images was called `turn` too, and the footprint found a matrix there."""
    splat = Blade({"symmetry": "rotate:2"})
    context = Context(torch.Generator().manual_seed(1), SQUARE, 3)
    picture = paint(splat, splat.initial(context), SQUARE)
    assert picture.std() > 0.01
    torch.testing.assert_close(picture, picture.flip(1, 2), atol=1e-4, rtol=0)


def test_what_cannot_be_repeated_says_so(capsys):
    flags = ["--size", "16", "--steps", "1", "--symmetry", "p2"]
    assert main(["fit", "sample:cat", "-p", "mesh", *flags]) == 2
    assert "the frame holds its outermost vertices" in capsys.readouterr().err
    assert main(["fit", "curve:sin(x)", "-p", "mlp", *flags]) != 0
    assert "is not a picture" in capsys.readouterr().err
    assert main(["fit", "curve:sin(x)", "-p", "mlp", *flags[:-1], "mirror"]) == 2
    assert "a curve has no symmetry" in capsys.readouterr().err
    with pytest.raises(UsageError, match="unknown symmetry 'p5'"):
        Gaussian({"symmetry": "p5"})
    with pytest.raises(UsageError, match=r"1\.732 times as wide"):
        symmetry_of("p6m", (1.0, 1.0))
    with pytest.raises(UsageError, match="no half width"):
        symmetry_of("p4@1xfish")
    # Its digits were divided in two in every way.
    with pytest.raises(UsageError, match="no half width"):
        symmetry_of(f"p4@{'1' * 300_000}")
    splat = Gaussian({"symmetry": "p1@1x1", "visibility": "buffer"})
    with pytest.raises(UsageError, match="visibility"):
        images(splat, splat.initial(Context(torch.Generator(), SQUARE, 2)), (1.0, 1.0))
    assert "symmetry" not in Gaussian().option_values()


def test_shapes_are_repeated_in_pixels_and_in_vectors():
    shape = Triangle({"symmetry": "p4g@1x1"})
    tensors = shape.initial(Context(torch.Generator().manual_seed(5), SQUARE, 4))
    picture = draw_shapes(shape, tensors, SQUARE, (0.0, 0.0, 0.0)).numpy()
    for key in ("4", "|xy"):
        # Pixels of an edge are measured along rows, so turned ones differ a little.
        assert np.abs(DOES[key](picture) - picture).mean() < 2e-3
    drawing = Drawing("triangle", shape.option_values(), tensors, 48, 48)
    parts = flat_parts(shape, drawing)
    assert len(parts) == 4
    # A contour for each image, so that pens do not draw lines between them.
    assert all(len(part.rings()) >= 8 for part in parts)


def test_fields_fold_and_marks_are_copied():
    field = Siren({"symmetry": "pmm@1x1", "hidden": 8, "layers": 1})
    field.resolve_options(SQUARE)
    tensors = field.initial(Context(torch.Generator().manual_seed(1), SQUARE, 1))
    picture = paint(field, tensors, SQUARE).detach().numpy()
    assert picture.std() > 1e-3
    for mirrored in (picture[:, ::-1], picture[:, :, ::-1]):
        assert np.allclose(picture, mirrored, atol=1e-5)
    assert not field.has_graph
    ink = Stipple({"symmetry": "p4@1x1"})
    rng = np.random.default_rng(0)
    places = rng.uniform(-1, 1, (40, 2))
    marks = Marks(np.c_[places, places + 0.01, np.full((40, 2), 0.1)], np.zeros(40, np.int64))
    copied = ink.repeated(marks, SQUARE).strokes[:, :2]
    here = copied[(np.abs(copied) < 1).all(1)]
    turned = np.stack([-here[:, 1], here[:, 0]], 1)
    assert len(here) >= 20
    gaps = np.abs(turned[:, None] - copied[None]).max(2).min(1)
    assert np.sort(gaps)[: len(here) - 2].max() < 1e-9  # but for those within 0.01 of an edge


def test_a_photo_is_folded_into_the_cell(astronaut):
    photo = image_from_array(astronaut(40).permute(1, 2, 0).numpy())
    wide = folded(photo, "p6m")
    assert wide.canvas == Canvas(40, 23)
    assert folded(wide, "p6m@1.7x1") is wide
    square = folded(photo, "p4m").image.transpose(2, 0, 1)
    assert np.abs(np.rot90(square, axes=(1, 2)) - square).mean() < 0.02
    assert np.abs(square[:, :, ::-1] - square).max() < 0.02
    assert folded(photo, "mirror") is photo
    assert folded(photo, "half-drop").canvas == Canvas(80, 40)


def test_a_tile_of_any_size_has_the_ratio_of_its_group():
    """`--symmetry p6m --size 32` was refused, since 32 by 18 is too wide."""
    for side in range(1, 200):
        tile = symmetry_canvas("p6m", Canvas(side, side))
        assert symmetry_of("p6m", tile.reach).name == "p6m"
        assert side <= tile.width <= max(7, side + 4)


def test_what_is_transparent_does_not_darken_a_folded_picture():
    pixels = np.zeros((24, 24, 4), np.float32)
    pixels[6:18, 6:18] = 1
    rgba = folded(image_from_array(pixels), "p6m").rgba
    assert rgba is not None
    assert rgba[:, :, :3][rgba[:, :, 3] > 0.1].min() > 0.99


def test_the_repeat_of_a_narrow_picture_is_read():
    """It was refused from a ratio of 1000 on, after the fit."""
    assert symmetry_of(placed("frieze:p1", Canvas(2000, 1))).repeat[0] == 4000


def test_a_fit_repeats_and_sites_have_the_symmetry(registry):
    tables = {
        "primitive": {"name": "voronoi", "count": 60, "symmetry": "p4"},
        "target": {"size": 24},
        "output": {"video": False, "history": 0},
    }
    made = run(recipe("sample:cat", {"steps": 6}, **tables), registry).art
    assert made.drawing.options["symmetry"] == "p4@1x1"
    picture = made.render(48).astype(float)
    assert np.abs(np.rot90(picture) - picture).mean() < 2.0
    check_agreement(made.recipe, recipe("sample:cat", {"steps": 6}, **tables), registry, None)
    again = run(made.recipe, registry).art
    assert again.to_bytes() == made.to_bytes()


def test_a_fit_goes_on_from_the_sites_of_one_cell(tmp_path, registry):
    """Sites that are repeats were repeated again, and 60 of them were too few for --count 60."""
    tables = {
        "primitive": {"name": "voronoi", "count": 20, "symmetry": "p4"},
        "target": {"size": 24},
        "output": {"video": False, "history": 0},
    }
    first = run(recipe("sample:cat", {"steps": 6}, **tables), registry).art
    first.save(tmp_path / "tile.art")
    tables |= {"init": {"name": f"{tmp_path / 'tile.art'}"}, "seed": 2}
    again = run(recipe("sample:cat", {"steps": 1}, **tables), registry).art
    own = [own_parts(each.primitive(), each.drawing) for each in (first, again)]
    counts = [each.primitive().count_of(each.drawing) for each in (first, again)]
    assert counts[0] == 16 * first.primitive().count_of(own[0])  # in two by two tiles
    assert counts[1] < 1.5 * counts[0]
    assert again.psnr > first.psnr - 1
    # Without a count, that of the fit, not of its repeats.
    asked = recipe("sample:cat", {"steps": 1}, **tables).with_primitive(count=None)
    assert InitialArt(tmp_path / "tile.art", first).continued(asked, Voronoi).primitive.count == 20


def test_shapes_that_begin_in_one_cell_of_splats_are_told_the_symmetry(registry):
    tables = {"primitive": {"count": 4, "symmetry": "p4"}, "run": {"backend": "eager"}}
    splats = run(recipe("sample:cat", {"steps": 2}, target={"size": 16}, **tables), registry).art
    initial = InitialArt(Path("tile.art"), splats)
    [said] = initial.notices(SQUARE, Triangle())
    assert "by the symmetry p4" in said
    assert "--symmetry p4 " in said
    assert initial.notices(SQUARE, Triangle({"symmetry": "p4"})) == []


@pytest.mark.parametrize(("name", "tile"), [("half-drop", (48, 16)), ("brick", (24, 32))])
def test_the_recipe_of_a_repeat_has_the_size_of_its_motif(name, tile, tmp_path, registry):
    """It had that of the tile, so that a resumed run fitted another one, twice as large."""
    tables = {"primitive": {"count": 4, "symmetry": name}, "run": {"backend": "eager"}}
    asked = recipe(save_photo(tmp_path), {"steps": 1}, **tables)
    job = PictureRun(Asked(asked, registry)).prepare()
    assert job.recipe.target.size == 24
    again = PictureRun(Asked(job.recipe, registry, search=(tmp_path,))).prepare()
    assert again.target.canvas == job.target.canvas == Canvas(*tile)
    # A fit that starts from it was refused where the same repeat was asked for again.
    art = Art(job.start, job.recipe, {}, "fp32", registry)
    on = InitialArt(tmp_path / "a.art", art).continued(asked, type(job.plan.primitive))
    assert on.primitive.options["symmetry"] == job.recipe.primitive.options["symmetry"] != name


def test_fabric_has_its_size_and_tells_of_edges_that_do_not_meet():
    x = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    meets = (127 + 100 * np.sin(x))[None, :, None].repeat(32, 0).repeat(3, 2).astype(np.uint8)
    assert seam(meets, 1) < 1.5
    assert seam(meets[:, :40], 1) > 3
    maker = Fabric({"symmetry": "brick", "repeat": 50.8, "dpi": 40.0})
    assert maker.recipe(meets)["primitive"]["symmetry"] == "brick"
    made = maker.make(Motif("wave", photo=meets))
    with Image.open(io.BytesIO(made.files["repeat.png"])) as tile:
        assert np.array_equal(np.asarray(tile), meets)
        assert round(tile.info["dpi"][0]) == 40
    assert np.array_equal(made.picture[:32, :64], made.picture[32:64, 64:128])
    assert not [note for note in made.notes if "left and right" in note]
    # It was 1.25e+04 mm high.
    tall = Fabric({"repeat": 5000.0, "dpi": 20.0}).make(
        Motif("tall", photo=np.resize(meets, (5, 2, 3)))
    )
    assert tall.parts[0].name == "5000 x 12500 mm"


def test_a_photo_is_not_fitted_for_a_repeat_that_is_too_large():
    with pytest.raises(UsageError, match="23622 x 15748 pixels is too large"):
        Fabric({"repeat": 4000.0}).recipe(np.zeros((40, 60, 3), np.uint8))


def test_cloth_of_many_repeats_takes_little_memory():
    photo = np.zeros((600, 600, 3), np.uint8)
    tracemalloc.start()
    made = Fabric({"repeat": 100.0, "across": 20}).make(Motif("plain", photo=photo))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.picture.shape == (1200, 1200, 3)
    assert peak < 100e6, "cloth in full has 432 MB"


def test_tiles_of_one_outline_fill_the_plane():
    turn = np.linspace(0, 2 * np.pi, 50, endpoint=False)
    ring = np.stack([np.cos(turn) * (1 + 0.3 * np.sin(3 * turn)), 0.8 * np.sin(turn)], 1)
    points, sides = nearest(ring, 10)
    whole = outline(torch.from_numpy(points), sides).numpy()
    assert is_simple(whole)
    assert not is_simple(np.array([[0, 0], [1, 1], [1, 0], [0, 1.0]]))
    x, y = whole.T
    area = abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)
    along, back = (each.numpy() for each in vectors(torch.from_numpy(points), sides))
    # A tile is as large as the repeat of the lattice: no gap, no overlap.
    assert area == pytest.approx(abs(np.linalg.det([along, back])), rel=1e-9)
    tiling = Tiling({"across": 2.0})
    marks = torch.zeros(10)
    marks[list(sides)] = 1
    tensors = {"xy": torch.from_numpy(points.T).float(), "side": marks}
    picture = paint(tiling, tensors, Canvas(40, 40)).numpy()
    colours = np.array(tiling.colours)
    shares = [np.isclose(picture.transpose(1, 2, 0), c, atol=1e-3).all(2).mean() for c in colours]
    assert min(shares) > 0.15
    assert len(tiles(tiling, tensors, (1.0, 1.0))) >= 4
    with pytest.raises(UsageError, match="three colours"):
        Tiling({"colours": "#000000"})
    assert objective_of(tiling).__name__ == "TilingObjective"


def test_tiles_bend_into_the_figure_and_back_without_a_gap(monkeypatch):
    figure = np.full((40, 40, 3), 255, np.uint8)
    figure[8:30, 14:20] = figure[24:30, 14:34] = 0
    art = artgen.fit(figure, "tiling", count=30, steps=1, across=2.0, seed=1)
    drawn = []
    kept = metamorphosis.draw_tiles

    def watched(shown, *how):
        drawn.append(np.stack([ring for ring, _ in shown]))
        return kept(shown, *how)

    monkeypatch.setattr(metamorphosis, "draw_tiles", watched)
    shown = [*form_frames("metamorphosis", Shot(art, Frame(48), 2.0), 10).frames]
    tile = metamorphosis.tile_of(art.primitive(), art.drawing.tensors)
    straight, side = metamorphosis.straight_sides(tile)
    assert np.bincount(side).shape == (6,)
    assert not np.allclose(straight, tile.ring, atol=0.02)
    bent = [np.abs(rings - rings[:, :1] - (tile.ring - tile.ring[0])).max() for rings in drawn]
    assert bent[0] > 0.02
    assert min(bent) == pytest.approx(0, abs=1e-9)
    for rings in drawn:
        white = [(ring, 1) for ring in rings]
        covered = kept(white, [(0, 0, 0), (1, 1, 1)], Canvas(48, 48))
        assert covered.min() == 1
    # It moved by whole tiles of one colour.
    again = metamorphosis.METAMORPHOSIS.prepare(Shot(art, Frame(48), 2.0))
    assert np.abs(again(1.0).astype(int) - shown[0]).mean() < 1
    splats = artgen.fit(figure, count=4, steps=1, size=16)
    with pytest.raises(UsageError, match="no tiles"):
        form_frames("metamorphosis", Shot(splats, Frame(48), 2.0), 10)


def test_tiles_have_marks_in_the_next_colours_that_grow_as_they_bend():
    figure = np.full((40, 40, 3), 255, np.uint8)
    figure[8:30, 14:20] = figure[24:30, 14:34] = 0
    marks = "+1 -0.15,-0.2,0.08; +2 -0.15,-0.2,0.04; +1 0,0.35,0 0.2,0.35,0.05 0.4,0.35,0;"
    art = artgen.fit(figure, "tiling", count=30, steps=1, across=2.0, marks=marks, seed=1)
    shown = tiles(art.primitive(), art.drawing.tensors, (1.0, 1.0))
    count = len(shown) // 4
    for number, (ring, colour) in enumerate(shown[:count]):
        dot, pupil, line = shown[count + 3 * number :][:3]
        assert [each[1] for each in (dot, pupil, line)] == [(colour + n) % 3 for n in (1, 2, 1)]
        np.testing.assert_allclose(dot[0].mean(0), pupil[0].mean(0))
        assert np.ptp(dot[0], axis=0) == pytest.approx(2 * np.ptp(pupil[0], axis=0))
        # As wide in its middle as it says, next to the dot.
        assert np.ptp(line[0][:, 1]) == pytest.approx(np.ptp(dot[0][:, 1]) * 0.05 / 0.08, rel=0.02)
        for part in (dot, pupil, line):
            assert (part[0] > ring.min(0)).all()
            assert (part[0] < ring.max(0)).all()
    tile = metamorphosis.tile_of(art.primitive(), art.drawing.tensors)
    grown = tile.marked(np.zeros((2, 2)), np.array([0, 1]), np.array([0.0, 0.5]))
    assert len(grown) == 3, "those of size 0 are left out"
    whole = np.ptp(tile.marks[0][1], axis=0)
    assert np.ptp(grown[0][0], axis=0) == pytest.approx(whole / 2)


@pytest.mark.parametrize(
    "marks",
    ["0,0,1", "+3 0,0,1", "+1 0,0", "+1 0,0,1 0,0", "+1", "+1 a,b,c", "+1 inf,0,1", "+2 nan,0,1"],
)
def test_marks_of_tiles_that_are_none_are_refused(marks):
    with pytest.raises(UsageError, match="no mark"):
        Tiling({"marks": marks})


def test_an_outline_that_crosses_itself_goes_back_to_the_last_one_after_a_resume():
    """It went back to the first one of all."""
    tiling, target = Tiling(), torch.ones(3, 24, 24)
    target[:, 6:18, 8:16] = 0
    context = Context(torch.Generator().manual_seed(0), Canvas(24, 24), 9, target=target)
    tensors = tiling.initial(context)
    drawing = Drawing("tiling", tiling.option_values(), tensors, 24, 24, (1, 1, 1))
    problem = Problem(tiling, drawing, target, mse, 2, 1)
    first = TilingObjective(problem, None)
    raw = {name: tensor.clone() for name, tensor in tensors.items()}
    raw["xy"] *= 1.1
    first.after_step(raw)
    last = raw["xy"].clone()
    resumed = TilingObjective(problem, None)
    resumed.load_state_dict(first.state_dict())
    raw["xy"][:, 2] = 5 * raw["xy"][:, 6]
    assert not is_simple(outline(raw["xy"].T, corners(raw["side"])).double().numpy())
    resumed.after_step(raw)
    torch.testing.assert_close(raw["xy"], last)
    # Torch refuses the quantiles of so many tones.
    first.target = torch.zeros(3, 2400, 2400)
    first.target[..., 1200:] = 1
    shown = first.picture(tensors)
    assert (float(shown.min()), float(shown.max())) == pytest.approx((0, 1), abs=0.01)


def test_initial_sizes_are_those_of_all_that_is_drawn():
    plain = Gaussian().initial(Context(torch.Generator().manual_seed(0), SQUARE, 160))
    some = Gaussian({"symmetry": "p4m@1x1"}).initial(
        Context(torch.Generator().manual_seed(0), SQUARE, 20)
    )
    assert some["xy"].shape == (2, 20)
    assert float(some["scale"].mean()) == pytest.approx(float(plain["scale"].mean()), rel=0.3)


def test_few_outlines_of_many_points_are_kept():
    """All that were tried were: of a thousand points gigabytes."""
    turns = 2 * np.pi * np.arange(90) / 90
    ring = np.stack([np.cos(turns), 0.7 * np.sin(turns)], 1)
    tracemalloc.start()
    nearest(ring, 60)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 5e6


def test_path_data_longer_than_a_name_of_a_file_is_an_outline():
    turns = 2 * np.pi * np.arange(300) / 300
    ring = "L".join(f"{x:.6f},{y:.6f}" for x, y in zip(np.cos(turns), np.sin(turns), strict=True))
    assert read_outline(f"M{ring}Z").count("L") == 300  # back to the first corner


def test_the_points_of_one_outline_do_not_appear_one_by_one():
    """Some of them are no outline: the film showed other tilings."""
    art = artgen.fit("sample:dancers", "tiling", count=12, steps=1, seed=0, size=24)
    with pytest.raises(UsageError, match="those of one outline"):
        art.growing()
