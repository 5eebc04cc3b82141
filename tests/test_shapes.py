"""Shapes: drawn by area, compiled from plain Python, mixed, and said in SVG."""

from __future__ import annotations

import math
import os
import subprocess
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
import torch
from helpers import PYTHON

from artgen import Canvas, Drawing, Shape
from artgen.compiler.static_functions import fingerprint
from artgen.errors import InputError, PluginError, UsageError
from artgen.families.shape.contract import mixture
from artgen.families.shape.spans import draw_shapes
from artgen.raster import choose_backend, draw, planned_backend
from artgen.registry import Registry, bare_name
from artgen.testing.elements import painted
from artgen_plugins.brush import Brush
from artgen_plugins.circle import Circle
from artgen_plugins.ellipse import Ellipse
from artgen_plugins.polygon import Polygon
from artgen_plugins.triangle import Triangle

BACKGROUND = (0.2, 0.5, 0.8)


def shipped():
    entries = Registry(environ={}).entries("primitive")
    classes = {entry.name: entry.load() for entry in entries}
    return sorted(name for name, cls in classes.items() if issubclass(cls, Shape))


def random_tensors(shape, count, canvas, seed=0, size=0.6):
    """Valid random shapes, as plain Python makes them."""
    rng = np.random.default_rng(seed)
    half_width, half_height = canvas.reach
    genes = np.zeros((count, max(member.genes for member in shape.members)))
    kind = np.arange(count) % len(shape.members)
    for row, k in zip(genes, kind, strict=True):
        member = shape.members[k]
        own = row[: member.genes]
        while True:
            x, y = half_width * rng.uniform(-1, 1), half_height * rng.uniform(-1, 1)
            member.random(own, rng, x, y, size)
            if member.valid(own):
                break
    tensors = {"genes": genes.T, "colour": rng.random((3, count)), "alpha": rng.random(count)}
    if len(shape.members) > 1:
        tensors["kind"] = kind
    return {k: torch.from_numpy(np.array(v, np.float32, order="C")) for k, v in tensors.items()}


def covered(member, genes, canvas):
    """Which pixel centres a shape covers, [height, width], restated here."""
    x, y = (centres.astype(float) for centres in canvas.pixel_centres())
    if not member.outline_points:
        low, high = member.bounds(genes)
        rows = [member.span(genes, each) if low <= each <= high else (0, 0) for each in y]
        return np.array([(left <= x) & (x < right) for left, right in rows])
    points = np.empty((member.outline_points, 2))
    member.outline(genes, points)
    contours = [points]
    if member.curves:
        t = np.linspace(0, 1, 60)[:, None]
        a, b, c, d = points.reshape(-1, 4, 1, 2).swapaxes(0, 1)
        curves = (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d
        starts = 1 + np.flatnonzero((a[1:, 0] != d[:-1, 0]).any(axis=1))
        contours = [each.reshape(-1, 2) for each in np.split(curves, starts)]
    winding = np.zeros((len(y), len(x)), int)
    for points in contours:
        for (xa, ya), (xb, yb) in zip(points, np.roll(points, -1, axis=0), strict=True):
            if ya == yb:
                continue
            # A letter has hundreds of edges, each of which crosses a few rows.
            rows = np.flatnonzero((ya <= y) != (yb <= y))
            at = xa + (y[rows] - ya) * (xb - xa) / (yb - ya)
            winding[rows] += np.where(x > at[:, None], 1 if yb > ya else -1, 0)
    return winding != 0


def supersampled(shape, tensors, canvas, k=8):
    """Hard, aliased shapes at k times the size, averaged."""
    large = Canvas(k * canvas.width, k * canvas.height)
    picture = np.ones((large.height, large.width, 3)) * BACKGROUND
    values = {name: tensor.numpy().astype(float) for name, tensor in tensors.items()}
    for i in range(len(values["alpha"])):
        member = shape.members[int(values["kind"][i]) if "kind" in values else 0]
        inside = covered(member, values["genes"][: member.genes, i], large)
        picture[inside] += values["alpha"][i] * (values["colour"][:, i] - picture[inside])
    boxes = picture.reshape(canvas.height, k, canvas.width, k, 3).mean((1, 3))
    return boxes.transpose(2, 0, 1)


def decibels(one, two):
    return -10 * math.log10(((np.asarray(one) - np.asarray(two)) ** 2).mean())


@pytest.mark.parametrize("name", shipped())
def test_a_drawing_is_what_supersampling_tends_to(name, registry):
    shape, canvas = registry.load("primitive", name)(), Canvas(64, 48)
    tensors = random_tensors(shape, 20, canvas)
    picture = draw_shapes(shape, tensors, canvas, BACKGROUND)
    assert decibels(picture, supersampled(shape, tensors, canvas)) > 45
    assert decibels(picture, torch.tensor(BACKGROUND)[:, None, None].expand_as(picture)) < 25


def test_a_brush_stroke_begins_round_and_runs_out_thin(registry):
    """Strokes of equal width with cut ends looked like strips of tape."""
    genes, points = np.array([-0.8, 0, 0, 0, 0.8, 0, 0.1]), np.empty((Brush.vertices, 2))
    Brush.outline(genes, points)
    width = points[: len(points) // 2, 1] - points[: len(points) // 2 - 1 : -1, 1]
    assert np.abs(width).max() == pytest.approx(0.2)
    assert abs(width[0]) < 0.12
    assert abs(width[-1]) < 0.06
    assert (np.diff(np.abs(width[6:])) < 0).all()


def test_a_mixture_is_drawn_in_order_whatever_the_kinds(registry):
    # Curves, spans and corners, in a mixture for which another test needs kernels too.
    shape = registry.load("primitive", "bezier+rotated_ellipse+rectangle+line")()
    canvas = Canvas(48, 64)
    tensors = random_tensors(shape, 30, canvas)
    picture = draw_shapes(shape, tensors, canvas, BACKGROUND)
    assert decibels(picture, supersampled(shape, tensors, canvas)) > 45
    # A kind that was stored with few bits is still the kind that it was.
    blurred = {**tensors, "kind": tensors["kind"] + 0.3}
    assert torch.equal(draw_shapes(shape, blurred, canvas, BACKGROUND), picture)


def test_a_row_of_pixels_gets_the_exact_share():
    """A rectangle by its own arithmetic: the product of two overlaps."""
    shape = Registry(environ={}).load("primitive", "rectangle")()
    canvas = Canvas(16, 16)
    pixel = canvas.pixel
    # From column 2.25 to 9.5 and from row 4 to 11.5, where a sample row begins.
    edges = np.array([2.25, 9.5, 4.0, 11.5]) * pixel - 1
    genes = [
        *((edges[0] + edges[1]) / 2, (edges[2] + edges[3]) / 2),
        *((edges[1] - edges[0]) / 2, (edges[3] - edges[2]) / 2),
    ]
    tensors = {
        "genes": torch.tensor(genes)[:, None],
        "colour": torch.ones(3, 1),
        "alpha": torch.tensor([0.5]),
    }
    picture = draw_shapes(shape, tensors, canvas, (0.0, 0.0, 0.0))
    column, row = np.zeros(16), np.zeros(16)
    column[2], column[3:9], column[9] = 0.75, 1, 0.5
    row[4:11], row[11] = 1, 0.5
    expected = torch.from_numpy(0.5 * np.outer(row, column)).float().expand(3, -1, -1)
    torch.testing.assert_close(picture, expected, atol=2e-6, rtol=0)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_any_number_of_threads_gives_the_same_bits(threads):
    shape, canvas = Triangle(), Canvas(70, 53)
    tensors = random_tensors(shape, 60, canvas)
    alone = draw_shapes(shape, tensors, canvas, BACKGROUND)
    torch.set_num_threads(threads)
    try:
        assert torch.equal(draw_shapes(shape, tensors, canvas, BACKGROUND), alone)
    finally:
        torch.set_num_threads(1)


def test_a_drawing_has_no_resolution():
    shape = Triangle()
    tensors = random_tensors(shape, 20, Canvas(32, 24))
    drawing = Drawing("triangle", {}, tensors, 32, 24, BACKGROUND)
    small = draw(drawing, shape)
    large = draw(drawing, shape, Canvas(128, 96))
    assert decibels(small, torch.nn.functional.avg_pool2d(large, 4)) > 45
    assert torch.equal(draw(drawing, shape, supersample=1), small)


def test_transparent_over_the_background_is_opaque():
    shape, canvas = Circle(), Canvas(40, 40)
    tensors = random_tensors(shape, 12, canvas, size=0.3)
    opaque = draw_shapes(shape, tensors, canvas, BACKGROUND)
    layers = draw_shapes(shape, tensors, canvas, BACKGROUND, transparent=True)
    alpha = layers[3:]
    assert alpha.min() == 0
    assert 0 < alpha.max() < 1
    base = torch.tensor(BACKGROUND)[:, None, None]
    torch.testing.assert_close(alpha * layers[:3] + (1 - alpha) * base, opaque, atol=1e-6, rtol=0)


class Star(Shape):
    """A pentagram that crosses itself: it winds twice around its centre."""

    genes, vertices = 3, 5

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1], genes[2] = x, y, size

    @staticmethod
    def outline(genes, points):
        for i in range(5):
            angle = 4 * math.pi * i / 5
            points[i, 0] = genes[0] + genes[2] * math.sin(angle)
            points[i, 1] = genes[1] - genes[2] * math.cos(angle)


def test_what_is_wound_twice_is_inside_once():
    canvas = Canvas(61, 61)
    tensors = {
        "genes": torch.tensor([[0.0], [0.0], [0.9]]),
        "colour": torch.ones(3, 1),
        "alpha": torch.tensor([0.5]),
    }
    picture = draw_shapes(Star(), tensors, canvas, (0.0, 0.0, 0.0))[0]
    assert picture[30, 30] == pytest.approx(0.5)
    assert picture[5, 30] == pytest.approx(0.5)
    assert picture[5, 10] == 0
    assert picture.max() <= 0.5 + 1e-6


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("value", [0.0, 5.0, -1e30, 1e30])
def test_any_numbers_can_be_drawn(name, value, registry):
    shape = registry.load("primitive", name)()
    count = max(member.genes for member in shape.members)
    tensors = {
        "genes": torch.full((count, 2), value),
        "colour": torch.ones(3, 2),
        "alpha": torch.ones(2),
    }
    picture = draw_shapes(shape, tensors, Canvas(9, 7), BACKGROUND)
    assert torch.isfinite(picture).all()


def test_an_empty_drawing_is_the_background():
    shape = Triangle()
    tensors = {"genes": torch.zeros(6, 0), "colour": torch.zeros(3, 0), "alpha": torch.zeros(0)}
    drawing = Drawing("triangle", {}, tensors, 8, 6, BACKGROUND)
    assert shape.count_of(drawing) == 0
    expected = torch.tensor(BACKGROUND)[:, None, None].expand(3, 6, 8)
    assert torch.equal(draw(drawing, shape), expected)


def test_tensors_of_another_shape_are_refused():
    tensors = random_tensors(Triangle(), 3, Canvas(8, 8))
    with pytest.raises(InputError, match="parameters of circle"):
        draw(Drawing("circle", {}, tensors, 8, 8), Circle())


def test_shapes_have_one_backend():
    for asked in ("auto", "compiled", "eager"):
        assert choose_backend(Triangle(), "cpu", asked).name == "compiled"
    assert planned_backend(Triangle()).name == "compiled"


# ---- svg -----------------------------------------------------------------------------------------


def area_of(element):
    """The area that an SVG element fills, from its own numbers."""
    number = {
        k: float(v)
        for k, v in element.attrib.items()
        if k in ["x", "y", "width", "height", "r", "rx", "ry"]
    }
    match element.tag:
        case "rect":
            return number["width"] * number["height"]
        case "circle":
            return math.pi * number["r"] ** 2
        case "ellipse":
            return math.pi * number["rx"] * number["ry"]
        case "polygon":
            points = np.array([p.split(",") for p in element.attrib["points"].split()], float)
            x, y = points.T
            return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2
    if "stroke" not in element.attrib:
        grid = np.arange(-1, 1, 0.005) + 0.0025
        points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
        return painted(ElementTree.tostring(element, encoding="unicode"), points).mean() * 4
    width = float(element.attrib["stroke-width"])
    assert element.attrib["stroke"] == "currentColor"
    if element.tag == "line":
        xa, ya, xb, yb = (float(element.attrib[key]) for key in ("x1", "y1", "x2", "y2"))
        return width * math.hypot(xb - xa, yb - ya)
    assert element.tag == "path"
    assert element.attrib["fill"] == "none"
    begin, control, end = (
        np.array(p.split(","), float)
        for p in element.attrib["d"].replace("M", "").replace("Q", " ").split()
    )
    t = np.linspace(0, 1, 1000)[:, None]
    curve = (1 - t) ** 2 * begin + 2 * t * (1 - t) * control + t**2 * end
    return width * np.hypot(*np.diff(curve, axis=0).T).sum()


@pytest.mark.parametrize("name", shipped())
def test_svg_says_what_is_drawn(name, registry):
    shape, canvas = registry.load("primitive", name)(), Canvas(200, 200)
    tensors = random_tensors(shape, 10, canvas, size=0.3)
    judged = 0
    for i in range(10):
        genes = tensors["genes"][:, i].numpy().astype(float)
        # In the middle, where nothing is cut off.
        one = {k: v[..., i : i + 1].clone() for k, v in tensors.items()}
        one["colour"][:], one["alpha"][:] = 1, 1
        drawn = draw_shapes(shape, one, Canvas(800, 800), (0.0, 0.0, 0.0))[0]
        edges = torch.cat([drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1]])
        if edges.max() > 0:
            continue
        judged += 1
        element = ElementTree.fromstring(shape.svg(genes))
        area = float(drawn.sum()) * (2 / 800) ** 2
        assert area_of(element) == pytest.approx(area, rel=0.03, abs=1e-4)
    assert judged >= 3


def test_an_outline_is_a_polygon_by_default():
    element = ElementTree.fromstring(Star().svg(np.array([0.0, 0.0, 1.0])))
    assert element.tag == "polygon"
    assert len(element.attrib["points"].split()) == 5


# ---- compiling -----------------------------------------------------------------------------------


def test_a_function_that_cannot_be_compiled_is_named():
    class Wrong(Circle):
        @staticmethod
        def span(genes, y):
            return {"left": y}.get("left"), no_such_thing(y)  # noqa: F821

    with pytest.raises(PluginError, match=r"Wrong\.span \(.*no_such_thing\(y\).* raised NameError"):
        draw_shapes(Wrong(), random_tensors(Circle(), 1, Canvas(8, 8)), Canvas(8, 8), BACKGROUND)


def test_a_span_is_two_numbers():
    class Half(Circle):
        @staticmethod
        def span(genes, y):
            return genes[0]

    with pytest.raises(PluginError, match=r"Half\.span \(.*\) gave .*, not a pair"):
        draw_shapes(Half(), random_tensors(Circle(), 1, Canvas(8, 8)), Canvas(8, 8), BACKGROUND)


def test_what_is_missing_is_named():
    class Empty(Shape):
        genes = 3

        @staticmethod
        def random(genes, rng, x, y, size):
            genes[0] = x

    class Bound(Circle):
        def span(self, genes, y):
            return y, y

    class Nothing(Shape):
        """No genes."""

    tensors, canvas = random_tensors(Circle(), 1, Canvas(8, 8)), Canvas(8, 8)
    for shape, message in (
        (Empty(), r"Empty \(.*\) does not define bounds and span"),
        (Bound(), r"Bound\.span \(.*\) must not take self"),
        (Nothing(), r"Nothing \(.*\) has 0 genes, but must have at least 1"),
    ):
        with pytest.raises(PluginError, match=message):
            draw_shapes(shape, tensors, canvas, BACKGROUND)


def circle_of(factor, helper=None):
    """A class whose text is the same whatever it is compiled with."""

    class Scaled(Circle):
        @staticmethod
        def bounds(genes):
            r = genes[2] * factor if helper is None else helper(genes[2])
            return genes[1] - r, genes[1] + r

    return Scaled()


def test_what_a_function_refers_to_is_part_of_its_hash():
    def double(x):
        return 2 * x

    def triple(x):
        return 3 * x

    prints = [
        fingerprint([circle.bounds])
        for circle in (circle_of(1.0), circle_of(2.0), circle_of(1, double), circle_of(1, triple))
    ]
    assert len(set(prints)) == 4
    assert fingerprint([circle_of(2.0).bounds]) == prints[1]


PROCESS = """
import sys
import torch
from artgen import Canvas
from artgen.families.shape.spans import draw_shapes, load_functions
from artgen.registry import Registry

registry = Registry(files=[sys.argv[1]], environ={})
shape = registry.load("primitive", "disc")()
kernels = load_functions(shape)
tensors = {"genes": torch.tensor([[0.0], [0.0], [0.5]]), "colour": torch.ones(3, 1), "alpha": torch.ones(1)}
picture = draw_shapes(shape, tensors, Canvas(40, 40), (0.0, 0.0, 0.0))
print(sum(kernels.tracing.stats.cache_misses.values()), round(float(picture.mean()), 3))
"""

DISC = """
import math
from artgen import Shape

SIZE = {size}

class Disc(Shape):
    "A disc."
    genes = 3

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1], genes[2] = x, y, size

    @staticmethod
    def bounds(genes):
        return genes[1] - SIZE * genes[2], genes[1] + SIZE * genes[2]

    @staticmethod
    def span(genes, y):
        half = math.sqrt(max(0.0, (SIZE * genes[2]) ** 2 - (y - genes[1]) ** 2))
        return genes[0] - half, genes[0] + half
"""


def test_a_second_process_compiles_nothing_and_an_edited_file_is_compiled_anew(tmp_path):
    def run(size):
        (tmp_path / "disc.py").write_text(DISC.format(size=size))
        command = [*PYTHON, "-c", PROCESS, str(tmp_path / "disc.py")]
        environment = {**os.environ, "ARTGEN_CACHE": str(tmp_path / "cache")}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        misses, mean = done.stdout.split()
        return int(misses), float(mean)

    assert run(1.0) == (1, pytest.approx(math.pi / 16, abs=0.002))
    assert run(1.0) == (0, pytest.approx(math.pi / 16, abs=0.002))
    assert run(1.5) == (1, pytest.approx(math.pi * 2.25 / 16, abs=0.002))


# ---- mixtures ------------------------------------------------------------------------------------


def test_a_mixture_has_the_options_of_its_members(registry):
    cls = registry.load("primitive", "polygon*2+circle")
    assert registry.load("primitive", "polygon*2+circle") is cls
    shape = cls({"vertices": 6})
    assert [member.genes for member in shape.members] == [12, 3]
    assert shape.weights == (2.0, 1.0)
    shapes = {name: param.shape for name, param in shape.parameters().items()}
    assert shapes == {"genes": (12,), "colour": (3,), "alpha": (), "kind": ()}
    assert shape.option_values() == {"vertices": 6}
    assert cls.defaults.count == 150
    with pytest.raises(UsageError, match="no option 'corners'"):
        cls({"corners": 3})


def test_a_shared_option_goes_to_every_member():
    class Other(Polygon):
        """Another polygon."""

    shape = mixture((Polygon, Other), (1.0, 1.0))({"vertices": 7})
    assert [member.vertices for member in shape.members] == [7, 7]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("triangle*", "not a mixture of shapes"),
        ("triangle+", "not a mixture of shapes"),
        ("triangle*0+circle", "not a mixture of shapes"),
        ("triangle*-1+circle", "not a mixture of shapes"),
        pytest.param(f"triangle*{9**999}+circle", r"is not NAME or NAME\*NUMBER", id="infinite"),
        ("circle+triangle*2+circle", "names circle twice"),
        ("triangle+circel", "unknown primitive 'circel'"),
        ("triangle+gaussian", "gaussian is a splat, only shapes can be mixed"),
        ("mlp*2+circle", "mlp is a field, only shapes can be mixed"),
    ],
)
def test_what_is_no_mixture_is_refused(name, message, registry):
    with pytest.raises((PluginError, UsageError), match=message) as refused:
        registry.load("primitive", name)
    assert refused.value.hint


def test_a_name_of_any_length_loses_its_distributions_at_once():
    """Each of its characters was a beginning to look from: a megabyte took for ever."""
    assert bare_name("artgen/triangle*3+my/own/heart") == "triangle*3+heart"
    assert bare_name("a" * 300_000) == "a" * 300_000


def test_a_loose_file_can_be_mixed_in(tmp_path):
    (tmp_path / "disc.py").write_text(DISC.format(size=1.0))
    (tmp_path / "other.py").write_text(DISC.format(size=2.0).replace("Disc", "Other"))
    registry = Registry(files=[tmp_path / "disc.py", tmp_path / "other.py"], environ={})
    entry = registry.find("primitive", "triangle + disc*0.5")
    assert entry.name == registry.spelling(entry) == "triangle+disc*0.5"
    identity = dict(entry.identity)
    assert identity["file"] == "disc.py"
    again = registry.find("primitive", "triangle+disc*0.5", plugin=identity)
    assert again.load() is entry.load()
    with pytest.raises(PluginError, match="mixes shapes of"):
        registry.find("primitive", "disc+other")
    with pytest.raises(PluginError, match=r"needs disc\.py, which is not available"):
        Registry(environ={}).find("primitive", "triangle+disc*0.5", plugin=identity)


def test_genes_of_smaller_members_are_padded(registry):
    shape = registry.load("primitive", "triangle+circle")()
    tensors = random_tensors(shape, 4, Canvas(8, 8))
    assert (tensors["genes"][3:, 1::2] == 0).all()
    assert Ellipse().members[0].genes == 4
