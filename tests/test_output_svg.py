"""Shapes as SVG and as JSON: valid, small, exact enough, and with the recipe inside."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ElementTree
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import changed
from test_shapes import random_tensors, shipped

from artgen import Art, Canvas, Drawing, Shape
from artgen.art import ExportRequest, load
from artgen.base.errors import InputError
from artgen.cli import main
from artgen.cli._exports import check_parts
from artgen.errors import PluginError, UsageError
from artgen.exporters import export_json, export_pdf, export_png, export_svg
from artgen.output import read_recipe
from artgen.output.parts import decimals
from artgen.output.svg.picture import encode_svg
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.values.frame import WHOLE

SVG = "{http://www.w3.org/2000/svg}"
BACKGROUND = (0.2, 0.5, 0.8)
WORDS = "a <cat> & 'a' \"猫\" ]]> \ufffe\x0b\x7f é"


def art_of(name, registry, *, count=6, width=60, height=40, source="cat.png", **other):
    entry = registry.find("primitive", name)
    shape = entry.load()()
    tensors = random_tensors(shape, count, Canvas(width, height)) | other
    options = shape.option_values()
    drawing = Drawing(
        name, options, tensors, width, height, BACKGROUND, plugin=dict(entry.identity)
    )
    recipe = changed(Recipe(), {"primitive": {"name": name}, "target": {"source": source}})
    return Art(drawing, recipe, {"psnr": 20.0}, registry=registry)


def svg_of(art, **request):
    """The elements of the file by what they are: root, metadata, style, ground, group."""
    root = ElementTree.fromstring(export_svg(art, ExportRequest(**request)))
    return root, {child.tag.removeprefix(SVG): child for child in root}


# ---- svg -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*shipped(), "triangle*3+bezier+circle"])
def test_every_shape_is_one_element_of_its_colour_and_opacity(name, registry):
    art = art_of(name, registry)
    root, parts = svg_of(art)
    assert (root.get("viewBox"), root.get("width"), root.get("height")) == ("0 0 60 40", "60", "40")
    assert parts["rect"].attrib == {"width": "60", "height": "40", "fill": "#3380cc"}
    scale = 0.05 if art.primitive().members[0].curves else 20  # twentieths of a pixel
    assert parts["g"].attrib == {"transform": f"translate(30 20) scale({scale})"}
    assert list(parts) == ["metadata", "rect", "g"]
    tensors = art.drawing.tensors
    assert len(parts["g"]) == 6
    for element, colour, alpha in zip(
        parts["g"], tensors["colour"].T.numpy(), tensors["alpha"].tolist(), strict=True
    ):
        spelled = "#" + "".join(f"{int(255 * value + 0.5):02x}" for value in colour)
        painted = [key for key in ("fill", "stroke") if element.get(key) not in (None, "none")]
        assert len(painted) == 1
        assert element.get(painted[0]) == spelled
        assert float(element.get("opacity")) == pytest.approx(alpha, abs=5e-4)


def test_the_kinds_of_a_mixture_keep_their_order(registry):
    _, parts = svg_of(art_of("triangle*3+bezier+circle", registry))
    tags = [element.tag.removeprefix(SVG) for element in parts["g"]]
    assert tags == ["polygon", "path", "circle"] * 2


def test_numbers_are_as_exact_as_can_be_seen(registry):
    art = art_of("triangle", registry, width=256, height=256, count=40)
    assert decimals(Canvas(256, 256)) == 4
    assert decimals(Canvas(64, 64)) == 3
    _, parts = svg_of(art)
    exact = art.drawing.tensors["genes"].T.numpy().reshape(-1)
    texts = " ".join(element.get("points") for element in parts["g"]).replace(",", " ").split()
    assert abs(np.array(texts, float) - exact).max() <= 0.55e-4  # rounded twice
    assert max(len(text.partition(".")[2]) for text in texts) == 4
    assert not any(text.endswith(("0", ".")) for text in texts if "." in text)
    assert len(export_svg(art, ExportRequest())) < 110 * 40 + 900


def test_a_size_changes_the_canvas_and_not_the_shapes(registry):
    art = art_of("circle", registry)
    root, parts = svg_of(art, size=90)
    assert root.get("viewBox") == "0 0 90 60"
    assert parts["g"].get("transform") == "translate(45 30) scale(30)"
    same = svg_of(art)[1]["g"]
    assert [e.attrib for e in parts["g"]] == [e.attrib for e in same]
    with pytest.raises(UsageError, match=r"size must be .* got 0"):
        export_svg(art, ExportRequest(size=0))


def test_transparent_has_no_ground(registry):
    assert "rect" not in svg_of(art_of("circle", registry), transparent=True)[1]


def test_nothing_runs_and_nothing_is_fetched(registry):
    for request in (ExportRequest(), ExportRequest(animate=3.0)):
        text = export_svg(art_of("bezier", registry), request).decode()
        assert not re.search(r"<script|href|url\(|@import|<!|\bon\w+=", text)
        assert text.count("http") == 1  # the name of SVG itself


def test_what_is_opaque_says_nothing_of_opacity(registry):
    art = art_of("circle", registry, alpha=torch.tensor([1.0, 1.5, 0.5, 0.0, -1.0, 1.0]))
    opacity = [element.get("opacity") for element in svg_of(art)[1]["g"]]
    assert opacity == [None, None, "0.5", "0", "0", None]


def test_shapes_appear_within_the_time_and_first_ones_slowly(registry):
    _, parts = svg_of(art_of("circle", registry, count=50), animate=4.0)
    assert "prefers-reduced-motion: no-preference" in parts["style"].text
    delays = [float(e.get("style").split(":")[1].rstrip("s")) for e in parts["g"]]
    assert delays[0] == 0
    assert 3 < delays[-1] <= 3.5
    steps = np.diff(delays)
    assert steps.min() > 0
    assert steps[0] > 3 * steps[-1]
    short = svg_of(art_of("circle", registry), animate=0.1)[1]
    assert {e.get("style") for e in short["g"]} == {"animation-delay:0s"}
    assert "appear 0.1s" in short["style"].text
    with pytest.raises(UsageError, match="PNG cannot be animated"):
        export_png(art_of("circle", registry), ExportRequest(animate=4.0))
    with pytest.raises(UsageError, match="JSON cannot be animated"):
        export_json(art_of("circle", registry), ExportRequest(animate=4.0))


@pytest.mark.parametrize("name", ["gaussian", "mlp"])
def test_what_has_no_shapes_is_refused(name, registry):
    drawing = Drawing(name, {}, {}, 8, 8, plugin={"name": "artgen"})
    with pytest.raises(UsageError, match=rf"{name} is a (splat|field) and cannot") as refused:
        export_svg(Art(drawing, Recipe(), registry=registry), ExportRequest())
    lines = name == "gaussian"
    more = ", or artgen render --page A4 for lines" if lines else ""
    assert refused.value.hint == f"use -o FILE.png{more}"


@pytest.mark.parametrize("export", [export_svg, export_json])
def test_tensors_of_another_shape_are_refused(export, registry):
    art = art_of("circle", registry, genes=torch.zeros(4, 6))
    with pytest.raises(InputError, match="does not hold the parameters"):
        export(art, ExportRequest())


def test_what_cannot_be_drawn_is_left_out(registry):
    # Where its ends meet, a line has no direction.
    genes = torch.tensor([[0.0, 0, 0, 0, 0.1], [0.0, 0, 1, 1, 0.1]]).T
    art = art_of("line", registry, count=2, genes=genes)
    data = json.loads(export_json(art, ExportRequest()))
    assert [len(shape["outline"]) for shape in data["shapes"]] == [0, 4]
    genes = torch.tensor([[0.0] * 5, [0.0, 0, 1, 1, 0.1]]).T
    art = art_of("rotated_rectangle", registry, count=2, genes=genes)
    assert len(svg_of(art)[1]["g"]) == 1


# ---- shapes of plugins ---------------------------------------------------------------------------


class Lens(Shape):
    """Two arcs of a parabola: spans alone, and no word about SVG."""

    genes = 3

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1], genes[2] = x, y, size

    @staticmethod
    def bounds(genes):
        return genes[1] - genes[2], genes[1] + genes[2]

    @staticmethod
    def span(genes, y):
        t = (y - genes[1]) / genes[2]
        return genes[0] - genes[2] * (1 - t * t), genes[0] + genes[2] * (1 - t * t)


class Target(Lens):
    """Several parts, lines and a colour of its own."""

    def svg(self, genes):
        x, y, r = genes
        ring = f'<circle cx="{x:.6g}" cy="{y:.6g}" r="{r:.6g}"'
        return (
            f'<g fill="none" class="a1.b">{ring} stroke="currentColor"/>'
            f'{ring} fill="#12e345" data-path="M-1.123456,1e-05Q.5,-.25 3,4"/></g>'
        )


class Wordy(Lens):
    """Not XML."""

    def svg(self, genes):
        return "<circle cx=0/>"


def encoded(shape, genes):
    tensors = {
        "genes": torch.tensor(genes)[:, None],
        "colour": torch.tensor([[1.0], [0.5], [0.0]]),
        "alpha": torch.tensor([0.5]),
    }
    drawing = Drawing("lens", {}, tensors, 64, 64)
    return ElementTree.fromstring(encode_svg(drawing, shape, WHOLE, "{}"))


def test_spans_become_a_polygon(registry):
    polygon = encoded(Lens(), [0.1, -0.2, 0.5]).find(f"{SVG}g/{SVG}polygon")
    points = np.array([pair.split(",") for pair in polygon.get("points").split()], float)
    x, y = points.T
    area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
    assert area == pytest.approx(2 * 4 / 3 * 0.25, rel=3e-3)
    assert (x.min(), x.max()) == pytest.approx((-0.4, 0.6))
    assert (y.min(), y.max()) == pytest.approx((-0.7, 0.3))
    # Straight sides need their corners alone.
    rectangle = registry.load("primitive", "rectangle")()
    corners = rectangle.polygon(np.array([0.0, 0.0, 1.0, 0.5]))
    assert sorted(map(tuple, corners)) == [(-1, -0.5), (-1, 0.5), (1, -0.5), (1, 0.5)]


def test_an_element_may_have_parts():
    group = encoded(Target(), [0.123456, 0.0, 0.5]).find(f"{SVG}g/{SVG}g")
    assert group.attrib == {"fill": "none", "class": "a1.b", "opacity": "0.5"}
    ring, dot = group
    assert (ring.get("stroke"), ring.get("cx")) == ("#ff8000", "0.123")
    assert (dot.get("fill"), dot.get("data-path")) == ("#12e345", "M-1.123,1e-05Q0.5,-0.25 3,4")


def test_a_plugin_that_gives_no_element_is_named():
    with pytest.raises(PluginError, match=r"Wordy\.svg gives no SVG element: .*cx=0"):
        encoded(Wordy(), [0.0, 0.0, 0.5])


def test_names_of_genes_are_counted():
    class Odd(Lens):
        gene_names = ("x", "y")

    with pytest.raises(PluginError, match="names 2 of 3 genes"):
        encoded(Odd(), [0.0, 0.0, 0.5])


# ---- json ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", shipped())
def test_json_holds_what_was_stored(name, registry):
    art = art_of(name, registry)
    shape, tensors = art.primitive(), art.drawing.tensors
    data = json.loads(export_json(art, ExportRequest(size=120)))
    assert (data["primitive"], data["width"], data["height"]) == (name, 120, 80)
    assert data["background"] == "#3380cc"
    assert data["recipe"] == art.recipe.to_dict()
    for i, each in enumerate(data["shapes"]):
        assert each["kind"] == name
        assert tuple(each["genes"]) == shape.gene_names
        genes = np.array(list(each["genes"].values()))
        assert (genes.astype(np.float32) == tensors["genes"][:, i].numpy()).all()
        assert np.float32(each["alpha"]) == tensors["alpha"][i].numpy()
        assert abs(np.array(each["outline"]) - shape.polygon(genes)).max() < 1e-3
    assert json.loads(export_json(art, ExportRequest(transparent=True)))["background"] is None


def test_kinds_and_unnamed_genes_have_names_too(registry):
    data = json.loads(export_json(art_of("circle*2+square", registry), ExportRequest()))
    assert [each["kind"] for each in data["shapes"]] == ["circle", "square"] * 3
    registry = Registry(environ={})
    registry.register(Lens, "lens")
    data = json.loads(export_json(art_of("lens", registry), ExportRequest()))
    assert list(data["shapes"][0]["genes"]) == ["gene_0", "gene_1", "gene_2"]


# ---- the recipe inside ---------------------------------------------------------------------------


def test_the_recipe_comes_back_whatever_it_says(tmp_path, registry):
    art = art_of("circle", registry, source=WORDS)
    path = tmp_path / "x.svg"
    path.write_bytes(export_svg(art, ExportRequest()))
    assert json.loads(read_recipe(path)) == art.recipe.to_dict()
    plain = art_of("circle", registry, source="猫 & <b>.png")
    path.write_bytes(export_svg(plain, ExportRequest()))
    assert read_recipe(path) == plain.recipe.to_json()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("<svg>", "no element found"),
        ("not xml", "XML cannot be read"),
        ("<svg xmlns='http://www.w3.org/2000/svg'/>", "contains no recipe"),
        ("<svg><metadata>{}</metadata></svg>", "contains no recipe"),
        ("<svg><metadata id='artgen-recipe'>[]</metadata></svg>", "not an object"),
        ("<svg><metadata id='artgen-recipe'>{", "no element found"),
        ("<!DOCTYPE svg [<!ENTITY a 'aa'>]><svg/>", "defines the entity a"),
    ],
)
def test_what_holds_no_recipe_is_named(text, message, tmp_path):
    path = tmp_path / "x.svg"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as refused:
        read_recipe(path)
    assert "x.svg" in str(refused.value)


def test_a_recipe_ends_the_reading(tmp_path):
    """What follows may be huge, or broken by whoever edited it."""
    path = tmp_path / "x.svg"
    path.write_text("<svg><metadata id='artgen-recipe'>{}</metadata>" + 70_000 * " " + "<g></svg>")
    assert read_recipe(path) == "{}"
    path.write_text("<svg><metadata id='artgen-recipe'>" + 20_000_000 * " ")
    with pytest.raises(InputError, match="too large"):
        read_recipe(path)


# ---- the command line ----------------------------------------------------------------------------


def test_from_a_fit_to_svg_and_json_and_back(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["--size", "32", "-n", "8", "--set", "engine.passes=1", "--seed", "3", "--no-video"]
    assert main(["fit", "sample:cat", "-p", "triangle*3+ellipse", *small, "-q"]) == 0
    stem = "artgen-out/cat-triangle_3_ellipse"
    outputs = ["-o", "x.svg", "-o", "x.json", "-o", "x.png"]
    assert main(["render", f"{stem}.art", *outputs, "--transparent", "--size", "64"]) == 0
    assert len(ElementTree.parse("x.svg").find(f"{SVG}g")) == 8
    for name, kind in (("x.svg", "vectors"), ("x.json", "shapes")):
        capsys.readouterr()
        assert main(["info", name, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["kind"] == kind
        again = ["fit", "--recipe", name, "--out", f"again-{kind}", "-q"]
        assert main(again) == 0
        there = load(f"again-{kind}/x.art").drawing.tensors
        for key, tensor in load(f"{stem}.art").drawing.tensors.items():
            assert torch.equal(tensor, there[key])


def test_nothing_is_written_where_one_of_the_files_cannot_be(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    small = ["--size", "16", "-n", "4", "--steps", "2", "--no-video", "-q"]
    assert main(["fit", *small]) == 0
    art = "artgen-out/astronaut-gaussian.art"
    assert main(["render", art, "-o", "x.png", "-o", "x.svg"]) == 2
    assert "gaussian is a splat and cannot be written as SVG" in capsys.readouterr().err
    assert not Path("x.png").exists()
    assert main(["render", art, "-o", "x.png", "--animate", "3"]) == 2


@pytest.mark.parametrize(
    ("primitive", "suffix", "refused"),
    [
        ("gaussian", "svg", True),
        ("gaussian", "html", False),
        ("siren", "eps", True),
        ("stamp", "svg", False),
        ("stamp", "pdf", True),
        ("triangle*3+ellipse", "svg", False),
        ("mesh", "pdf", False),
    ],
)
def test_a_fit_to_a_file_that_cannot_be_is_refused_before(primitive, suffix, refused, registry):
    """The fit was made first, and then refused its file."""
    recipe = Recipe.from_dict({"primitive": {"name": primitive}})
    how = pytest.raises(UsageError, match="cannot be written as") if refused else nullcontext()
    with how:
        check_parts([Path(f"x.{suffix}")], recipe, registry)


@pytest.mark.parametrize(
    ("primitive", "target", "refused"),
    [
        ({"name": "charcoal"}, {}, True),
        ({"name": "charcoal", "overprint": False}, {}, False),
        ({"name": "wash"}, {}, True),
        ({"name": "stipple"}, {}, False),
        ({"name": "stipple", "preset": "riso"}, {}, True),
        ({"name": "stipple", "preset": "riso"}, {"palette": 3}, False),
    ],
)
def test_inks_that_a_file_cannot_multiply_are_refused_before_the_fit(
    primitive, target, refused, registry
):
    """The fit of some minutes was made first."""
    recipe = Recipe.from_dict({"primitive": primitive, "target": target})
    check_parts([Path("x.svg")], recipe, registry)
    for suffix in ("pdf", "eps"):
        how = pytest.raises(UsageError, match="cannot multiply") if refused else nullcontext()
        with how:
            check_parts([Path(f"x.{suffix}")], recipe, registry)


def test_outlines_agree_with_what_is_drawn(registry):
    """The polygon of every shape has the area that is drawn."""
    canvas = Canvas(200, 200)
    for name in shipped():
        shape = registry.load("primitive", name)()
        if name == "polygon":
            continue  # crosses itself at times
        tensors = random_tensors(shape, 1, canvas, seed=5, size=0.5)
        tensors["genes"][:2] = 0.05
        tensors |= {"colour": torch.ones(3, 1), "alpha": torch.ones(1)}
        drawing = Drawing(name, {}, tensors, 200, 200)
        x, y = shape.polygon(tensors["genes"][:, 0].double().numpy()).T
        area = abs((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()) / 2
        pixels = Art(drawing, Recipe(), registry=registry).render()[..., 0] / 255
        if max(abs(x).max(), abs(y).max()) < 1:
            assert pixels.sum() * canvas.pixel**2 == pytest.approx(area, rel=0.01), name
    assert math.isclose(canvas.pixel, 0.01)


@pytest.mark.parametrize(
    ("size", "sides"),
    [
        ("150x100mm", (150, 100)),
        ("A6", (148, 105)),
        ("20x30cm", (200, 300)),
        ("4x3in", (101.6, 76.2)),
    ],
)
def test_files_of_vectors_have_exactly_the_size_that_was_asked_for(size, sides, registry):
    """They had that of whole pixels: 150.029 mm."""
    art, request = art_of("triangle", registry), ExportRequest(size=size)
    root = ElementTree.fromstring(export_svg(art, request))
    assert (root.get("width"), root.get("height")) == tuple(f"{side:g}mm" for side in sides)
    [box] = re.findall(rb"/MediaBox \[ 0 0 (\S+) (\S+) \]", export_pdf(art, request))
    assert [float(points) for points in box] == pytest.approx(
        [n / 25.4 * 72 for n in sides], abs=1e-6
    )
