"""Options of all shapes: limits of size, aspect and opacity, and mirror symmetry."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import changed, recipe
from PIL import Image, ImageDraw

from artgen import Canvas, Shape, option
from artgen.art import Art
from artgen.errors import InputError, PluginError, UsageError
from artgen.families.shape.contract import mixture
from artgen.families.shape.limits import within
from artgen.families.shape.spans import draw_shapes
from artgen.output.parts import flat_parts
from artgen.recipe import Recipe
from artgen.runs import run
from artgen.runs.warm_start import InitialArt
from artgen.values.drawing import Drawing
from artgen_plugins.blob import Blob
from artgen_plugins.circle import Circle
from artgen_plugins.triangle import Triangle


def rectangle(length: float, width: float, degrees: float) -> np.ndarray:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (length / 2, width / 2)
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return corners @ np.array([[c, s], [-s, c]]) + (0.3, -0.2)


@pytest.mark.parametrize("degrees", [0, 17, 45, 100])
def test_a_rectangle_is_measured_along_its_sides(degrees):
    corners = rectangle(2, 0.5, degrees)
    right = math.cos(math.radians(89.9))
    assert within(corners, 1.99, 2.01, 4.01, 0.49, right)
    assert not within(corners, 2.01, 9, 9, 0, math.inf)
    assert not within(corners, 0, 1.99, 9, 0, math.inf)
    assert not within(corners, 0, 9, 3.99, 0, math.inf)
    assert not within(corners, 0, 9, 9, 0.51, math.inf)
    assert not within(corners, 0, 9, 9, 0, -0.001)
    assert not within(corners * (1, 0), 0, 9, 100, 0, math.inf)


@pytest.mark.parametrize("turn", range(4))
def test_every_corner_counts_once_and_points_on_a_line_are_none(turn):
    """Angles of 90, 45 and 45 degrees, one corner twice, and a point on a side."""
    corners = np.array([[0, 0], [0, 0], [1, 0], [2, 0], [0, 2]], float)
    for degrees in (44.9, 45.1):
        limit = math.cos(math.radians(degrees))
        assert within(np.roll(corners, turn, axis=0), 0, 9, 9, 0, limit) == (degrees < 45)


def test_corners_may_have_to_be_obtuse():
    """All shapes were refused where the least angle is more than a right one."""
    turns = np.arange(6) * math.pi / 3
    hexagon = np.stack([np.cos(turns), np.sin(turns)], 1)
    for degrees in (91, 119.9, 120.1):
        limit = math.cos(math.radians(degrees))
        assert within(hexagon, 0, 9, 9, 0, limit) == (degrees < 120)


@pytest.mark.parametrize("engine", ["climb", "genetic", "gradient"])
def test_no_part_is_narrower_or_sharper_than_asked_for(engine, photo, registry):
    stage = {"engine": engine, "steps": 12, **({"islands": 1} if engine == "genetic" else {})}
    table = {"name": "triangle", "count": 6, "min_width": 0.15, "min_angle": 35.0}
    art = run(recipe(photo, stage, primitive=table, output={"video": False}), registry).art
    assert len(sizes(art)) == 6
    for part in flat_parts(art.primitive(), art.drawing):
        sides = np.roll(part.outline(), -1, axis=0) - part.outline()
        lengths = np.hypot(*sides.T)
        cosines = -(sides * np.roll(sides, 1, axis=0)).sum(1) / lengths / np.roll(lengths, 1)
        assert np.degrees(np.arccos(cosines)).min() > 34.9
    for length, ratio in sizes(art):
        assert length / ratio > 0.1499


def sizes(art) -> list[tuple[float, float]]:
    """Length as a share of the shorter side, and its ratio to the width, of every shape."""
    found = []
    for part in flat_parts(art.primitive(), art.drawing):
        points = part.outline()
        edges = points - np.roll(points, 1, axis=0)
        angles = np.arctan2(edges[:, 1], edges[:, 0])
        boxes = []
        for angle in angles:
            u = points @ (math.cos(angle), math.sin(angle))
            v = points @ (-math.sin(angle), math.cos(angle))
            boxes.append(sorted((np.ptp(u), np.ptp(v))))
        width, length = min(boxes)
        found.append((length / 2, length / width))
    return found


LIMITS = {"min_size": 0.2, "max_size": 0.5, "aspect": 2.0}


@pytest.mark.parametrize("engine", ["climb", "genetic", "gradient"])
def test_every_engine_keeps_to_the_limits(engine, photo, registry):
    stage = {"engine": engine, "steps": 12, **({"islands": 1} if engine == "genetic" else {})}
    table = {"name": "triangle", "count": 6, **LIMITS}
    asked = recipe(photo, stage, primitive=table, output={"video": False})
    art = run(asked, registry).art
    assert art.recipe.primitive.options == LIMITS
    assert len(sizes(art)) == 6
    for length, ratio in sizes(art):
        assert 0.199 < length < 0.501
        assert ratio < 2.01


def test_opacities_are_searched_within_their_limits(photo, registry):
    table = {"name": "triangle", "count": 6, "min_alpha": 0.3, "max_alpha": 0.4}
    for stage in ({"steps": 12}, {"engine": "gradient", "steps": 3}):
        asked = recipe(photo, stage, primitive=table, output={"video": False})
        alpha = run(asked, registry).art.drawing.tensors["alpha"]
        assert 0.2999 < alpha.min() <= alpha.max() < 0.4001


def test_random_changes_keep_to_an_opacity_that_hardly_lets_through(photo, registry):
    """Each made it 0.96."""
    table = {"name": "circle", "count": 6, "min_alpha": 0.98, "max_alpha": 0.99}
    stage = {"engine": "genetic", "steps": 40, "islands": 1, "colours": "random", "recolour": 1.0}
    asked = recipe(photo, stage, primitive=table, output={"video": False})
    alpha = run(asked, registry).art.drawing.tensors["alpha"]
    assert 0.9799 < alpha.min() <= alpha.max() < 0.9901


def test_limits_that_cannot_be_kept_are_refused(photo, registry):
    with pytest.raises(UsageError, match=r"min_size = 0\.5 is larger than max_size = 0\.2"):
        Circle({"min_size": 0.5, "max_size": 0.2})
    with pytest.raises(UsageError, match=r"min_width = 0\.5 is larger than max_size = 0\.2"):
        Circle({"min_width": 0.5, "max_size": 0.2})
    with pytest.raises(UsageError, match="largest ratio of length to width"):
        Circle({"aspect": 0.5})
    with pytest.raises(PluginError, match="has an option 'aspect', which every shape has"):

        class Own(Shape):
            @dataclass(frozen=True)
            class Options:
                aspect: float = option(1.0, "another one")

    # No triangle is wider than long, and its sides exceed its height.
    table = {"name": "triangle", "count": 4, "aspect": 1.0}
    asked = recipe(photo, {"steps": 2}, primitive=table, output={"video": False})
    with pytest.raises(UsageError, match="no shape was found within the limits"):
        run(asked, registry)


def test_unset_limits_are_not_stored():
    assert Circle().option_values() == {}
    assert Circle({"max_size": 0.5}).option_values() == {"max_size": 0.5}
    both = mixture((Circle, Triangle), (1.0, 1.0))({"max_size": 0.5})
    assert both.limits == (0.0, 1.0, math.inf, 0.0, math.inf)
    assert [member.option_values() for member in both.members] == [{"max_size": 0.5}] * 2


def tensors_of(shape, *rows) -> dict[str, torch.Tensor]:
    genes = torch.tensor(rows, dtype=torch.float32).T.contiguous()
    count = len(rows)
    return {"genes": genes, "colour": torch.ones(3, count), "alpha": torch.full((count,), 0.5)}


def test_shapes_to_start_from_that_break_a_limit_are_told(registry):
    """They stayed without a word: a climb begins at each of them, whatever it is."""
    values = tensors_of(Circle, (-0.6, 0.1, 0.3), (0.1, -0.4, 0.4), (0.3, 0.3, 0.05))

    def told(own, tensors=values, **limits):
        drawing = Drawing("circle", own, tensors, 96, 64, (0.0,) * 3)
        art = Art(drawing, Recipe(), {}, "fp32", registry)
        return InitialArt(Path("a.art"), art).notices(drawing.canvas, Circle(limits))

    [said] = told({}, max_size=0.35)
    assert "a.art: 1 of its 3 parts break the limits" in said
    assert told({}) == told({}, max_size=0.5) == []
    with pytest.raises(InputError, match="does not hold the parameters of circle"):
        told({}, {"colour": values["colour"]}, max_size=0.35)
    # Of its own limits it may be off by rounding.
    assert told({"max_size": 0.35}, max_size=0.35) == []


@pytest.mark.parametrize(
    ("cls", "rows"),
    [
        (Circle, [(-0.6, 0.1, 0.3), (0.1, -0.4, 0.4)]),
        (Triangle, [(-1.2, -0.5, -0.2, 0.1, -0.9, 0.8), (-0.2, -0.8, 0.6, -0.6, 0.2, 0.4)]),
    ],
)
def test_a_symmetric_shape_is_drawn_with_its_mirror_image_once(cls, rows):
    """The union of both: where they overlap, the alpha is that of one."""
    canvas, plain, shape = Canvas(96, 64), cls(), cls({"symmetry": "mirror"})
    mask = torch.zeros(64, 96)
    for row in rows:
        [one] = [draw_shapes(plain, tensors_of(plain, row), canvas, (0, 0, 0))[0] / 0.5]
        both = torch.maximum(one, one.flip(1))
        single = draw_shapes(shape, tensors_of(shape, row), canvas, (0, 0, 0))[0] / 0.5
        # Pixels that both halves cover in part may be covered by more than the larger share.
        partial = (one > 0) & (one < 1) & (one.flip(1) > 0)
        assert torch.allclose(single[~partial], both[~partial], atol=1e-5)
        assert torch.allclose(single, single.flip(1), atol=1e-5)
        mask = mask * 0.5 + single * 0.5
    drawn = draw_shapes(shape, tensors_of(shape, *rows), canvas, (0, 0, 0))
    assert drawn.shape == (3, 64, 96)
    assert torch.allclose(drawn, drawn.flip(2), atol=1e-5)


def test_a_symmetric_fit_is_symmetric_in_every_format(photo, registry):
    table = {"name": "circle+triangle", "count": 5, "symmetry": "mirror"}
    asked = recipe(photo, {"steps": 8}, primitive=table, output={"video": False})
    art = run(changed(asked, {"seed": 2}), registry).art
    picture = art.render(96).astype(int)
    assert np.abs(picture - picture[:, ::-1]).max() <= 1
    # The polygons of the SVG, drawn by another library, are the drawing.
    width, height = 24 * 40, 16 * 40
    opaque = Image.new("RGB", (width, height), art.recipe.target.background)
    for part in flat_parts(art.primitive(), art.drawing):
        cover = Image.new("L", opaque.size)
        # Halves separately, as Pillow fills by parity.
        corners = part.outline()
        half = len(corners) // 2
        for each in (corners[:half], corners[half:]):
            place = each * (height / 2) + (width / 2, height / 2)
            ImageDraw.Draw(cover).polygon([tuple(point) for point in place.tolist()], fill=255)
        colour = tuple(round(255 * float(each)) for each in part.colour)
        weight = cover.point(lambda level, alpha=part.alpha: round(level * alpha))
        opaque.paste(Image.new("RGB", opaque.size, colour), mask=weight)
    large = art.render(width).astype(int)
    assert np.abs(large - np.asarray(opaque).astype(int)).mean() < 1.5


def test_turned_copies_may_be_mirrored_too():
    """`rotate:6m` is the name of a group, and ended in an internal error."""
    assert len(Circle({"symmetry": "rotate:6"}).copies.images) == 6
    mirrored = Circle({"symmetry": "rotate:6m"}).copies
    images = mirrored.images[:, :, :2] @ (0.3, 0.1)
    assert len(np.unique(images.round(6), axis=0)) == 12
    assert np.allclose(np.hypot(*images.T), math.hypot(0.3, 0.1))


@pytest.mark.parametrize(
    ("symmetry", "classes"),
    [
        ("quarter", (Circle,)),
        # Kernels for this mixture alone; by day curves are copied by the test of formats above.
        pytest.param("rotate:4", (Circle, Blob), marks=pytest.mark.nightly),
    ],
)
def test_copies_of_a_shape_cover_their_union_once(symmetry, classes):
    """Spans and curves, as drawn and as parts of files."""
    shape = mixture(classes, (1.0,) * len(classes))({"symmetry": symmetry})
    length = max(member.genes for member in shape.members)
    angles = np.arange(0, 2 * math.pi, 4 * math.pi / length)
    ring = np.stack([0.3 * np.cos(angles) - 0.6, 0.2 * np.sin(angles) - 0.2], 1).ravel()
    rows = [[-0.3, -0.2, 0.35], ring.tolist()]
    for kind in range(len(classes)):
        genes = rows[kind] + [0.0] * (length - len(rows[kind]))
        values = tensors_of(shape, genes) | {"kind": torch.tensor([float(kind)])}
        drawn = draw_shapes(shape, values, Canvas(48, 48), (0, 0, 0))[0]
        images = [drawn.flip(0), drawn.flip(1)] if symmetry == "quarter" else [drawn.rot90()]
        assert all((drawn - image).abs().mean() < 1e-3 for image in images)
        assert 0.499 < drawn.max() < 0.501
        name = "+".join(each.__name__.lower() for each in classes)
        (part,) = flat_parts(shape, Drawing(name, {}, values, 48, 48, (0.0,) * 3))
        rows_of_points = (np.mgrid[:96, :96].reshape(2, -1).T[:, ::-1] + 0.5) / 48 - 1
        covered = winding(part.outline(), rows_of_points) != 0
        small = covered.reshape(48, 2, 48, 2).mean((1, 3))
        assert np.abs(small / 2 - drawn.numpy()).mean() < 0.01


def winding(corners: np.ndarray, points: np.ndarray) -> np.ndarray:
    """How often a closed polygon winds around each point."""
    (ax, ay), (bx, by) = corners.T, np.roll(corners, -1, axis=0).T
    x, y = points.T[..., None]
    side = (bx - ax) * (y - ay) - (x - ax) * (by - ay)
    upwards, downwards = (ay <= y) & (y < by) & (side > 0), (by <= y) & (y < ay) & (side < 0)
    return upwards.sum(1) - downwards.sum(1)
