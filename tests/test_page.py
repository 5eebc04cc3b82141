"""Pages: what they refuse, what is in them, how near their numbers are. What they draw is tried in a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers import run_script

import artgen
from artgen import Field, Param, Splat, fit, init
from artgen.art import ExportRequest, Film, Scene
from artgen.base.errors import PluginError, UsageError
from artgen.base.xml import Element
from artgen.compiler.field_layers import LANES, Elementwise, Product, trace_field
from artgen.compiler.ir import OPERATIONS
from artgen.compiler.record import Untraceable
from artgen.exporters import export_html
from artgen.families.splat.importance import importance
from artgen.output.page.pack import Packer
from artgen.output.page.scenes import scenes_of
from artgen.output.parts import Polygon
from artgen.output.svg.paths import Path, path_of
from artgen.output.templates import read_asset
from artgen.primitives import Params, Texture

SIZE = 24


def art_of(name, **options):
    return fit("sample:astronaut", name, size=SIZE, seed=1, backend="eager", **options)


@pytest.fixture(scope="module")
def gaussians():
    return art_of("gaussian", count=12, steps=3)


def test_the_slider_counts_the_parts_of_a_moment(gaussians):
    """It went up to the number of all lives in a film, of which none shows so many."""
    keys = {name: torch.stack([each] * 4) for name, each in gaussians.drawing.tensors.items()}
    first, last = torch.zeros(12, dtype=torch.int64), torch.full((12,), 3)
    # 8 live throughout, 3 up to the second key, one from the third on.
    last[8:11], first[11] = 1, 2
    film = Film((Scene((0.0, 1.0, 2.0, 3.0), keys, torch.stack([first, last])),), 3.0, 4.0)
    page = export_html(replace(gaussians, film=film), ExportRequest()).decode()
    piece = json.loads(scripts(page)[-3])
    assert [(each["count"], each["most"]) for each in piece["scenes"]] == [(12, 11)]
    mesh = export_html(art_of("mesh", count=9, steps=2), ExportRequest()).decode()
    (scene,) = json.loads(scripts(mesh)[-3])["scenes"]
    assert scene["most"] == scene["count"] / 2  # each triangle has a seam


def scripts(page):
    return re.findall(r"<script(?: [^>]*)?>(.*?)</script>", page, re.DOTALL)


def test_equal_drawings_give_equal_bytes(gaussians):
    page = export_html(gaussians, ExportRequest())
    assert page == export_html(gaussians, ExportRequest())
    assert len(page) < 80_000


def test_its_policy_allows_its_own_script_and_style_alone(gaussians):
    page = export_html(gaussians, ExportRequest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)[1]
    for kind, text in (("script", scripts(page)[-1]), ("style", style)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind}-src &#39;sha256-{digest}&#39;" in policy or f"'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert not re.search(r"https?://(?!www\.w3\.org)", page.replace(scripts(page)[0], ""))


@pytest.mark.parametrize(
    ("name", "request_options", "words"),
    [
        ("gaussian", {"transparent": True}, "cannot be transparent"),
        ("gaussian", {"animate": 2.0}, "animated"),
        ("voronoi", {}, "not partitions"),
    ],
)
def test_what_it_cannot_do_is_refused(name, request_options, words):
    art = art_of(name, count=6, steps=2)
    with pytest.raises(UsageError, match=words):
        export_html(art, ExportRequest(**request_options))


def test_a_curve_is_refused():
    art = fit("curve:sin(x)", "mlp", steps=2, seed=1, hidden=4)
    with pytest.raises(UsageError, match="no target of kind curve"):
        export_html(art, ExportRequest())


def film_to(art, lifespans=None, **last):
    """The art with a film of two keys, of which the last has other tensors."""
    keys = {name: torch.stack([t, last.get(name, t)]) for name, t in art.drawing.tensors.items()}
    return replace(art, film=Film((Scene((0.0, 1.0), keys, lifespans),), 1.0, 4.0))


def test_a_film_whose_parts_cannot_be_followed_is_refused():
    tiling = artgen.fit("sample:profile", "tiling", count=13, steps=1, size=SIZE, seed=1)
    wide = tiling.drawing.tensors["xy"] * torch.tensor([[1.5], [1.0]])
    with pytest.raises(UsageError, match="the number of its parts changes in its film"):
        export_html(film_to(tiling, xy=wide), ExportRequest())
    # Of the images of a triangle only those that are seen are drawn.
    art = artgen.fit("sample:astronaut", "triangle", count=3, size=SIZE, seed=1, symmetry="p4")
    genes = art.drawing.tensors["genes"] / 2
    export_html(film_to(art), ExportRequest())
    with pytest.raises(UsageError, match="the outlines of its parts change their form"):
        export_html(film_to(art, genes=genes), ExportRequest())
    first = torch.zeros(2, 3, dtype=torch.int64)
    export_html(film_to(art, first, genes=genes), ExportRequest())
    # As many images as before, but others: each was drawn on its way to another one's place.
    corners = torch.tensor([[1.1, 0.0, 1.3, 0.0, 1.2, 0.3]]).T.expand(6, 3)
    moved = {**art.drawing.tensors, "genes": corners}
    art = replace(art, drawing=replace(art.drawing, tensors=moved))
    export_html(film_to(art, genes=corners + 0.01), ExportRequest())
    with pytest.raises(UsageError, match="the outlines of its parts change their form"):
        export_html(film_to(art, genes=corners - 0.6), ExportRequest())


def test_marks_of_covering_inks_come_and_go_as_marks_not_as_parts():
    """Parts lie ink after ink, and each had the lifespan of another."""
    inks = {"inks": "black,crimson", "overprint": False}
    art = artgen.fit("sample:astronaut", "stipple", count=12, size=SIZE, seed=1, **inks)
    primitive, packer = art.primitive(), Packer()
    turned = {name: each.flip(-1) for name, each in art.drawing.tensors.items()}
    art = replace(art, drawing=replace(art.drawing, tensors=turned))
    ink = primitive.unpack(turned).ink
    assert (np.diff(ink) < 0).any()
    life = torch.zeros(2, len(ink), dtype=torch.int64)
    life[1] = 1
    film = film_to(art, life).film
    [table] = scenes_of(primitive, art.drawing, film.scenes, packer)["scenes"]
    assert (ink[unpacked(packer, table["order"]).astype(int)] == np.sort(ink)).all()
    red = unpacked(packer, table["colour"][0])[: len(ink)]
    assert (red > 0.5).tolist() == np.sort(ink).astype(bool).tolist()


class Odd(Splat):
    """Its footprint asks for what no shader has."""

    params = {"size": Param(init=0.3, lr=0.1, map="exp")}

    def footprint(self, dx, dy, p):
        return torch.special.i0(-(dx * dx + dy * dy) / p.size)

    def radius(self, p):
        return 2 * p.size


class Counted(Field):
    """A field that decides by a value."""

    params = {"a": Param(3, 2, init=init.uniform(-1, 1), lr=0.01)}

    def forward(self, xy, p):
        return xy @ p.a.t() if xy.sum() > 0 else xy @ p.a.t() + 1


@pytest.mark.parametrize(("cls", "words"), [(Odd, "i0"), (Counted, "a tensor decides")])
def test_what_has_no_shader_is_refused_by_name(cls, words):
    from artgen.registry import reset_default

    reset_default()
    try:
        artgen.register(cls)
        count = {"count": 4} if cls is Odd else {}
        art = art_of(cls.__name__.lower(), steps=1, **count)
        with pytest.raises(UsageError, match=rf"{words}.*test_page.py, line \d+"):
            export_html(art, ExportRequest())
    finally:
        reset_default()


class Flag(Field):
    """A field that brings a script of its own to a page."""

    params = {"a": Param(3, 2, init=init.uniform(-1, 1), lr=0.01)}
    script = "class Painter extends Stage { /* a flag */ }"

    def forward(self, xy, p):
        return xy @ p.a.t()


@artgen.family.page_script.register(Flag)
def script_of_flag(flag, drawing):
    return artgen.family.PageScript(flag.script, {"stars": 50}, b"\1\2\3", count=7)


def test_a_family_brings_a_script_of_its_own(monkeypatch):
    from artgen.registry import reset_default

    reset_default()
    try:
        artgen.register(Flag)
        page = export_html(art_of("flag", steps=1), ExportRequest()).decode()
        assert "class Painter extends Stage { /* a flag */ }" in scripts(page)[-1]
        assert "texelFetch" not in page
        piece, numbers = json.loads(scripts(page)[-3]), base64.b64decode(scripts(page)[-2])
        assert piece["facts"] == {"stars": 50}
        assert piece["scenes"][0]["count"] == 7
        row = piece["rows"][piece["scenes"][0]["data"]]
        assert numbers[row["at"] : row["at"] + row["count"]] == b"\1\2\3"
        with pytest.raises(UsageError, match="flag cannot be shown as a page: its script draws no"):
            export_html(art_of("flag", steps=4, history=2), ExportRequest())
        for text in ("</SCRIPT >", "<!-- "):
            monkeypatch.setattr(Flag, "script", f"class Painter {{}} // {text}")
            with pytest.raises(PluginError, match=f"{text[:4]}.* would end the script"):
                export_html(art_of("flag", steps=1), ExportRequest())
    finally:
        reset_default()


def unpacked(packer, k):
    """As the page does it."""
    entry, data = packer.table[k], base64.b64decode(packer.text())
    if entry["kind"] == "float":
        return np.frombuffer(data, "<f4", entry["count"], entry["at"])
    integer = "u1" if entry["kind"] == "byte" else "<u2"
    places = np.frombuffer(data, integer, entry["count"], entry["at"]).astype(np.float64)
    values = entry["low"] + places * entry["step"]
    return np.exp(values) if entry["kind"] == "log" else values


@pytest.mark.parametrize("name", ["stage", "shapes"])
def test_what_a_browser_lacks_is_told_from_mistakes(name, tmp_path):
    script = read_asset("artgen.output", f"{name}.js")
    assert run_script(f'{script} print(new Unable("no WebGL").name);', tmp_path) == "Unable"


def test_packed_numbers_are_near():
    rng = np.random.default_rng(1)
    packer = Packer()
    rows = {
        "float": rng.normal(size=100),
        "linear": rng.uniform(-3, 3, 5000),
        "log": np.exp(rng.normal(-3, 2, 5000)),
    }
    outlier = rng.normal(size=5000)
    outlier[7] = 1e6
    for kind, row in [*rows.items(), ("float", outlier)]:
        k = packer.add(row)
        assert packer.table[k]["kind"] == kind
        near = {"float": 1e-6, "linear": 1e-4, "log": 2e-4}[kind]
        assert np.allclose(
            unpacked(packer, k), row, rtol=near if kind != "linear" else 0, atol=near
        )
    exact = packer.add(rows["linear"], exact=True)
    assert (unpacked(packer, exact) == rows["linear"].astype(np.float32)).all()


def test_textures_are_packed_as_bytes():
    rng, packer = np.random.default_rng(1), Packer()
    pictures = rng.integers(0, 256, (2, 32, 32, 4)) / 255
    pictures[:, 8:] = 0
    table = Texture(pictures)._table.numpy()
    k = packer.add_table(table)
    assert packer.table[k]["kind"] == "byte"
    assert len(packer.text()) < 1.5 * len(table)
    assert np.abs(unpacked(packer, k) - table).max() <= 0.5001 / 255
    # Other constants are not rounded to 8 bits.
    for other in (rng.uniform(size=5000), 2 * table):
        k = packer.add_table(other.astype(np.float32))
        assert np.abs(unpacked(packer, k) - other).max() < 1e-4


def evaluated(layers, xy):
    """The value of recorded layers at one position."""
    values = {0: np.asarray(xy, np.float64), **layers.known}

    def elements(numbers):
        return np.array([values[n // LANES][n % LANES] for n in numbers.tolist()])

    for vector, step in layers.steps.items():
        if isinstance(step, Elementwise):
            operation = np.vectorize(OPERATIONS[step.operation], otypes=[np.float64])
            values[vector] = operation(*map(elements, step.operands))
        elif isinstance(step, Product):
            values[vector] = step.weight @ elements(step.operand)
    return elements(layers.result)


@pytest.mark.parametrize("name", ["mlp", "siren", "fourier_features"])
def test_layers_are_the_field(name):
    art = art_of(name, steps=2, hidden=8)
    field, tensors = art.primitive(), dict(art.drawing.tensors)
    layers = trace_field(field, tensors)
    for xy in ([0.3, -0.7], [-1.0, 0.02]):
        expected = field.forward(torch.tensor([xy]), Params(tensors))[0]
        assert evaluated(layers, xy) == pytest.approx(expected.numpy(), abs=1e-4)


def test_a_field_that_gives_something_else_is_untraceable():
    class Short(Field):
        params = {"a": Param(2, 2, init=init.uniform(-1, 1), lr=0.01)}

        def forward(self, xy, p):
            return xy @ p.a

    with pytest.raises(Untraceable, match="3 values"):
        trace_field(Short(), {"a": torch.eye(2)})


def test_parts_that_do_more_come_first(gaussians):
    drawing = gaussians.drawing
    tensors = {name: t.clone() for name, t in drawing.tensors.items()}
    tensors["colour"] *= 0.01
    tensors["colour"][:, 5] = 2.0
    tensors["xy"][:, 5] = 0.0
    changed = artgen.Drawing(
        drawing.primitive, drawing.options, tensors, drawing.width, drawing.height
    )
    energy = importance(changed, gaussians.primitive())
    assert int(energy.argmax()) == 5
    outside = {**tensors, "xy": tensors["xy"] + torch.tensor([[9.0], [0.0]])}
    gone = artgen.Drawing(
        drawing.primitive, drawing.options, outside, drawing.width, drawing.height
    )
    assert float(importance(gone, gaussians.primitive()).sum()) == 0


def test_info_tells_of_a_page(gaussians, tmp_path, capsys):
    from artgen.cli import main

    path = tmp_path / "page.html"
    path.write_bytes(export_html(gaussians, ExportRequest()))
    assert main(["info", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "page"
    assert found["recipe"] == json.loads(gaussians.recipe.to_json())


@pytest.mark.parametrize("element", [("rect", {"x": "0"}), ("line", {"stroke": "currentColor"})])
def test_an_element_that_lacks_a_number_is_drawn_as_its_polygon(element):
    class Odd(Polygon):
        def element(self):
            return Element(*element)

    part = Odd(np.array([[0, 0], [1, 0], [1, 1]], float), colour=(0, 0, 0))
    assert path_of(part) == Path("M0 0L1 0L1 1Z")
