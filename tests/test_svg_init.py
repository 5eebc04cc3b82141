"""Fits that start from the filled paths of an SVG file: what is read, matched, kept, refused."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from fontTools.misc.transform import Identity
from helpers import changed, recipe, save_photo
from PIL import Image, ImageDraw

from artgen import Canvas, Drawing
from artgen.cli import main
from artgen.errors import InputError, UsageError
from artgen.families.shape.start import shapes_from_paths
from artgen.raster import draw
from artgen.runs import run
from artgen.svg import read
from artgen.svg.curves import signed_area
from artgen.svg.elements import contours
from artgen.svg.filled import FilledPath, most_important, outer_rings
from artgen.svg.read import describe, read_svg
from artgen.svg.styles import COST, StyleSheet

CLIMB = {
    "engine": "climb",
    "restarts": 2,
    "moves": 1,
    "candidates": 30,
    "patience": 30,
    "passes": 3,
}

EVERYTHING = """<?xml version="1.0"?>
<svg xmlns="http://www.w3.org/2000/svg" xmlns:x="urn:x" viewBox="10 20 200 100" width="20cm">
<metadata><x:y>kept out</x:y></metadata>
<defs><linearGradient id="g"/><clipPath id="c"><rect width="3" height="3"/></clipPath></defs>
<rect x="10" y="20" width="100%" height="100%" fill="#ffeecc"/>
<g transform="translate(60 70) rotate(90)" style="fill:teal" fill-opacity=".8">
 <rect x="-30" y="-20" width="60" height="40" rx="8"/>
 <g transform="scale(0.5) matrix(1 0 0 2 0 0) skewX(0)" opacity="0.5"><circle r="20"/></g>
</g>
<ellipse cx="160" cy="50" rx="30" ry="12" style="fill: rgb(0,0,255); opacity: 50%"/>
<polygon points="130,110 160,70 190,110" fill="#0f0" class="unused"/>
<polyline points="110,30 120,50,130,30" fill="orange" stroke="black"/>
<path d="M110 80h20v20h-20z M115 85v10h10v-10z m50 0h5v5h-5z" fill="purple" fill-rule="nonzero"/>
<path d="M20 100A15 10 0 0 1 50 100Q35 120 20 100" fill="currentColor" color="#00000080"/>
<path d="M20 100h9v9z" fill="url(#g)"/><rect width="-3" height="9"/><rect rx="a" width="9" height="9"/>
<text>hello</text><use href="#c"/><image/><line x1="0" x2="3" stroke="red"/>
<rect x="10" y="20" width="5" height="5" fill="red" clip-path="url(#c)" mask="url(#m)"/>
<rect x="10" y="20" width="5" height="5" display="none"/><g visibility="hidden"><circle r="50"/></g>
<rect x="-40" y="20" width="5" height="5"/>
</svg>"""


def test_what_lies_far_away_is_cut_off_not_moved(tmp_path):
    """Corners were moved to ten canvases from it, which turned the edges that lead there."""
    file = tmp_path / "far.svg"
    far = "M0 0L1000000 500000L0 1000000z"
    file.write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">'
        f'<path d="{far}" fill="red"/><path d="M-5e6 -9L-5e6 -20L-4e6 -20z"/></svg>'
    )
    [path] = read_svg(file).paths
    corners = [[0, 0], [1000, 500], [1000, 1000], [0, 1000], [0, 0]]
    np.testing.assert_allclose(path.points, corners, atol=1e-6)


def test_what_is_read_of_a_file(tmp_path):
    file = tmp_path / "all.svg"
    file.write_text(EVERYTHING)
    svg = read_svg(file)
    found = [
        (
            *path.points.min(0).round(),
            *path.points.max(0).round(),
            path.colour,
            round(path.alpha, 2),
        )
        for path in svg.paths
    ]
    teal, purple, red = (0, 128 / 255, 128 / 255), (128 / 255, 0, 128 / 255), (1, 0, 0)
    assert svg.size == (200, 100)
    assert svg.background == (1, 238 / 255, 204 / 255)
    assert found == [
        (30, 20, 70, 80, teal, 0.8),
        (30, 40, 70, 60, teal, 0.4),
        (120, 18, 180, 42, (0, 0, 1), 0.5),
        (120, 50, 180, 90, (0, 1, 0), 1),
        (100, 10, 120, 30, (1, 165 / 255, 0), 1),
        (100, 60, 120, 80, purple, 1),
        (155, 65, 160, 70, purple, 1),
        (10, 70, 40, 90, (0, 0, 0), 0.5),
        (0, 0, 5, 5, red, 1),
    ]
    assert describe(svg) == (
        "not read: clip paths (1), elements with damaged attributes (1), gradients and patterns (1), "
        "images (1), masks (1), strokes (2), text (1), use (1); holes that were filled: 1"
    )


@pytest.mark.parametrize(
    ("fill", "alphas"),
    [
        ("rgba(255, 0, 0, 1)", [1]),  # 1 of 255
        ("rgba(255,0,0,.5)", [0.5]),  # not read
        ("rgb(100%, 0%, 0%, 50%)", [0.5]),
        ("rgb(255 0 0)", [1]),  # not read, as those that follow
        ("rgb(255 0 0 / 25%)", [0.25]),
        ("hsla(0, 100%, 50%, 0.5)", [0.5]),
        ("hsl(0 100% 50% / .5)", [0.5]),
        ("#ff000033", [0.2]),
        ("rgb(300, 0, 0)", [1]),  # redder than red
        ("transparent", []),  # said to be damaged
    ],
)
def test_colours_have_the_opacity_of_css(tmp_path, fill, alphas):
    (tmp_path / "a.svg").write_text(
        f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="5" height="5"
        fill="{fill}"/><circle r="2" cx="3" cy="3" fill="#00f"/></svg>"""
    )
    svg = read_svg(tmp_path / "a.svg")
    red = [path for path in svg.paths if path.colour == (1, 0, 0)]
    assert [path.alpha for path in red] == pytest.approx(alphas)
    assert len(svg.paths) == len(alphas) + 1
    assert not svg.unread


def test_transforms_in_styles_are_said_not_to_be_read_and_radii_are_shares_of_the_diagonal(
    tmp_path,
):
    (tmp_path / "a.svg").write_text(
        """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 30"><circle r="20%" fill="red"
        style="transform: translate(3px, 0)"/></svg>"""
    )
    (tmp_path / "b.svg").write_text(
        """<svg xmlns="http://www.w3.org/2000/svg"><circle r="9" style="transform: none"/></svg>"""
    )
    assert not read_svg(tmp_path / "b.svg").unread
    (tmp_path / "c.svg").write_text(
        """<svg xmlns="http://www.w3.org/2000/svg"><style>.moved { transform: rotate(9deg) }
        path { transform: none }</style><g class="moved"><circle r="9" transform=" scale(2) "/></g>
        <path d="M0 0h9v9z"/></svg>"""
    )
    # A rule of a style sheet was passed over without a word.
    assert dict(read_svg(tmp_path / "c.svg").unread) == {"transforms in styles": 1}
    svg = read_svg(tmp_path / "a.svg")
    assert dict(svg.unread) == {"transforms in styles": 1}
    [path] = svg.paths
    assert path.points.max() == pytest.approx(0.2 * 50 / math.sqrt(2), abs=0.05)


def test_style_sheets_are_read_in_utf_16(tmp_path):
    """Illustrator offers that encoding; shapes whose colours are in styles became black."""
    drawn = """<?xml version="1.0" encoding="UTF-16"?>
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><style>.a { fill: #f00 }</style>
        <rect class="a" width="5" height="5"/></svg>"""
    (tmp_path / "wide.svg").write_bytes(drawn.encode("utf-16"))
    assert [path.colour for path in read_svg(tmp_path / "wide.svg").paths] == [(1, 0, 0)]


def test_style_sheets_are_read(tmp_path):
    file = tmp_path / "styled.svg"
    file.write_text(
        """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100"><defs><style><![CDATA[
        /* .a { fill: lime } */ @media print { .a { fill: lime } } @import url("x.css");
        .a, .b { fill: red; opacity: 50% } rect.b { fill: blue } #c { fill: teal }
        g > .a { fill: lime } .off { display: none } path { fill: orange }
        ]]></style></defs>
        <rect class="a" width="10" height="10" fill="lime"/>
        <rect class="x b" width="10" height="20"/>
        <circle class="b" id="c" cx="50" cy="50" r="20" style="opacity: 1"/>
        <rect class="off" width="30" height="30"/>
        <path d="M0 0h40v40z"/></svg>"""
    )
    svg = read_svg(file)
    assert [(path.colour, path.alpha) for path in svg.paths] == [
        ((1, 0, 0), 0.5),
        ((0, 0, 1), 0.5),
        ((0, 128 / 255, 128 / 255), 1),
        ((1, 165 / 255, 0), 1),
    ]
    assert describe(svg) == "not read: style rules (3)"


def test_the_canvas_may_be_left_to_the_paths(tmp_path):
    file = tmp_path / "bare.svg"
    file.write_text('<svg><path d="M5 5h30v20z"/></svg>')
    svg = read_svg(file)
    assert svg.size == (30, 20)
    assert svg.paths[0].points.min(0).tolist() == [0, 0]


HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not a valid SVG file: no element found"),
        (HEAD + "<g>", "not a valid SVG file"),
        ("<html/>", "not an SVG file: it begins with <html>"),
        (HEAD + "</svg>", "has no filled paths"),
        (HEAD + "<text/></svg>", r"has no filled paths, only text \(1\)"),
        (HEAD + '<path d="M1 1H1e999v3z"/></svg>', "only elements with damaged attributes"),
        (HEAD + '<rect x="20" width="3" height="3"/></svg>', "no filled paths within its canvas"),
        ('<!DOCTYPE svg [<!ENTITY a "b"><!ENTITY c "&a;&a;">]>' + HEAD + "</svg>", "entities"),
        (HEAD + "<g/>" * 50 + "</svg>", "more than 40 elements"),
        (HEAD + '<circle r="1"/>' * 30 + "</svg>", "more than 20 filled paths"),
        (HEAD + " " * 2000 + "</svg>", "bytes, more than 2,000"),
    ],
)
def test_files_that_are_refused(text, said, photo, tmp_path, monkeypatch, capsys):
    for name, limit in (("FILE", 2000), ("ELEMENTS", 40), ("PATHS", 20)):
        monkeypatch.setattr(read, f"{'LARGEST' if name == 'FILE' else 'MOST'}_{name}", limit)
    file = tmp_path / "bad.svg"
    file.write_text(text)
    with pytest.raises(InputError, match=said):
        read_svg(file)
    assert main(["fit", str(photo), "-p", "blob", "--init", str(file), "--no-video", "-q"]) == 3
    assert "bad.svg" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("inside", "limit", "said"),
    [
        ("<path d='M0 0h9v9z'/>", "MOST_NUMBERS", "more than 3 numbers in its paths"),
        ("<path d='M0 0h9v9zh2v2zh1v1zh3v3z'/>", "MOST_CONTOURS", "more than 3 contours"),
        ("<circle r='3'/>", "MOST_CORNERS", "more than 3 corners"),
        ("<circle r='3'/>", "LONGEST_CONTOUR", "more than 3 corners in one contour"),
        ("<path d='M0 0h9v9zh2v2z'/>", "MOST_COMPARISONS", "more than 3 pairs of contours"),
        ("<style>.a{fill:red}</style>" + "<g class='a'/>" * 4, "MOST_COMPARISONS", "style rules"),
    ],
)
def test_work_that_grows_faster_than_a_file_is_refused(
    inside: str, limit: str, said: str, tmp_path, monkeypatch
):
    """A file of 100 kB was read for minutes: contours and rules were compared in all pairs."""
    monkeypatch.setattr(read, limit, 3)
    file = tmp_path / "deep.svg"
    file.write_text(HEAD + inside + "</svg>")
    with pytest.raises(InputError, match=said):
        read_svg(file)


def test_rules_are_found_by_what_few_of_them_have():
    """All rules that began with the same class were compared with every element of it."""
    sheet = StyleSheet({"fill"})
    sheet.add("".join(f".a.b{number} {{fill:red}}" for number in range(100)))
    sheet.add("".join(f"x{number}.a {{fill:red}}" for number in range(100)))
    sheet.add("rect.a {fill:blue;x:y} .a {fill:teal}" * 100)
    compared: list[int] = []
    for names, fill in (("a", "blue"), ("a b7", "red")):
        assert sheet.properties("rect", {"class": names}, compared.append) == {"fill": fill}
    assert sum(compared) < 10 * COST


def test_styles_that_do_not_end_are_read():
    """Each letter was tried as the beginning of a rule up to the end of the file."""
    sheet = StyleSheet({"fill"})
    sheet.add(".a {fill:red} /* .a {fill:lime} /* .a {fill:lime}")
    sheet.add("} @import 'x'; .b {fill:teal;.a {fill:lime} } @media x { .a {fill:lime}")
    for name, fill in (("a", "red"), ("b", "teal")):
        assert sheet.properties("g", {"class": name}, lambda _: None)["fill"] == fill
    assert sheet.unread == 1


@pytest.mark.parametrize(
    "text",
    [
        f'<svg xmlns="{"x" * 2000}"><g/></svg>',
        f'<!DOCTYPE svg [<!ATTLIST g a CDATA "{"x" * 2000}">]>{HEAD}<g/></svg>',
    ],
)
def test_what_parsers_repeat_is_short(text: str, tmp_path):
    """A namespace of a megabyte was a part of the names of all elements."""
    file = tmp_path / "long.svg"
    file.write_text(text)
    with pytest.raises(InputError, match="of more than 1,000 characters"):
        read_svg(file)


@pytest.mark.parametrize("rule", ["nonzero", "evenodd"])
@pytest.mark.parametrize("second", ["M6 6V18H18V6Z", "M6 6H18V18H6Z"])
def test_contours_that_begin_in_one_another_are_both_painted(tmp_path, rule, second):
    """Each was taken for a hole, or for painted already, so that both were lost."""
    file = tmp_path / "crossed.svg"
    first = "M10 10V0H0V10Z"  # each begins in the corner that it shares
    for data in (first + second, second + first):
        path = f'<path fill-rule="{rule}" d="{data}"/>'
        file.write_text(HEAD.replace("9 9", "20 20") + path + "</svg>")
        found = read_svg(file)
        assert sorted(np.ptp(each.points, axis=0).tolist() for each in found.paths) == [
            [10, 10],
            [12, 12],
        ]
        assert found.holes == 0


def test_a_hole_that_touches_the_outline_is_one(tmp_path):
    file = tmp_path / "touching.svg"
    path = '<path d="M0 0H10V10H0ZM0 2V8H6V2Z"/>'
    file.write_text(HEAD.replace("9 9", "20 20") + path + "</svg>")
    found = read_svg(file)
    assert (len(found.paths), found.holes) == (1, 1)


def test_holes_are_found_among_many_contours(tmp_path):
    """As before, when contours were compared one by one."""
    rng = np.random.default_rng(0)
    data = "M0 0h90v90h-90z"
    for place, turned in zip(range(64), rng.integers(0, 8, 64).tolist(), strict=True):
        for depth in range(3):  # contours within contours, of which none cross
            x, y, side = place % 8 * 11 + depth + 1, place // 8 * 11 + depth + 1, 9 - 2 * depth
            turns = f"v{side}h{side}v-{side}z", f"h{side}v{side}h-{side}z"
            data += f"M{x} {y}" + turns[turned >> depth & 1]
    file = tmp_path / "holes.svg"
    head = HEAD.replace("9 9", "90 90")
    file.write_text(f'{head}<path d="{data}" fill-rule="nonzero"/></svg>')
    rings = [
        np.concatenate([each.curves[:, 0], each.curves[-1:, 3]])
        for each in contours(data, Identity)
    ]

    def inside(ring: np.ndarray, point: np.ndarray) -> bool:
        (x, y), (u, v) = ring.T, np.roll(ring, -1, axis=0).T
        crossed = (y > point[1]) != (v > point[1])
        x, y, u, v = x[crossed], y[crossed], u[crossed], v[crossed]
        return np.count_nonzero(x + (point[1] - y) / (v - y) * (u - x) > point[0]) % 2 == 1

    for even_odd in (False, True):
        outer, holes = outer_rings(rings, even_odd=even_odd, compare=lambda _: None)
        turns = [1 if even_odd else int(np.sign(signed_area(ring))) for ring in rings]
        around = [
            sum(turn for other, turn in zip(rings, turns, strict=True)
                if other is not ring and inside(other, ring[0]))
            for ring in rings
        ]  # fmt: skip
        within = [a + turn for a, turn in zip(around, turns, strict=True)]
        if even_odd:
            around, within = ([each % 2 for each in number] for number in (around, within))
        assert holes == sum(each == 0 for each in within) > 3
        found = [r for r, a, w in zip(rings, around, within, strict=True) if w and not a]
        assert [ring.tolist() for ring in outer] == [ring.tolist() for ring in found]
    assert read_svg(file).holes


def test_the_most_important_paths_are_kept_in_their_order():
    def square(size, grey, alpha=1.0):
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size
        return FilledPath(corners, (grey,) * 3, alpha)

    hidden, large, small, faint = (
        square(0.5, 0),
        square(0.8, 0.5),
        square(0.3, 0),
        square(0.9, 1, 0.1),
    )
    paths = [hidden, large, small, faint]
    canvas = Canvas(32, 32)
    assert most_important(paths, 4, canvas, (1, 1, 1)) == paths
    assert most_important(paths, 2, canvas, (1, 1, 1)) == [large, small]
    assert most_important(paths, 3, canvas, (1, 1, 1)) == [large, small, faint]


@pytest.fixture
def photo(tmp_path):
    return save_photo(tmp_path)


@pytest.fixture(scope="module")
def traced(tmp_path_factory):
    """A target, and an SVG like those of tracers that is some pixels off."""
    folder = tmp_path_factory.mktemp("traced")
    parts = [
        ("#f4d35e", [(4, 6), (28, 4), (30, 26), (6, 28)]),
        ("#0d3b66", [(10, 12), (22, 10), (24, 20), (12, 23)]),
        ("#ee964b", [(2, 24), (12, 20), (14, 30), (3, 30)]),
    ]
    picture = Image.new("RGB", (32, 32), "#faf0ca")
    text = HEAD.replace("9 9", "32 32") + '<path d="M0 0H32V32H0Z" fill="#faf0ca"/>'
    for colour, corners in parts:
        ImageDraw.Draw(picture).polygon(corners, fill=colour)
        data = " ".join(f"{x + 1.5},{y - 1}" for x, y in corners)
        text += f'<path d="M{data}Z" fill="{colour}"/>'
    picture.save(folder / "target.png")
    (folder / "traced.svg").write_text(text + "</svg>")
    return folder


def start_at(traced, name, registry, **tables):
    """A fit of shapes from the paths."""
    base = recipe(traced / "target.png", tables.pop("stage", CLIMB))
    asked = {
        "primitive": {"name": name, "count": None},
        "init": {"name": str(traced / "traced.svg")},
    }
    return run(changed(changed(base, asked), tables), registry)


@pytest.mark.parametrize("name", ["blob", "polygon", "ellipse", "triangle*3+ellipse"])
def test_shapes_cover_what_the_paths_did(name, traced, registry):
    shape = registry.load("primitive", name)()
    svg = read_svg(traced / "traced.svg")
    canvas = Canvas(64, 64)
    paths = [path.moved((-16, -16), 1 / 16) for path in svg.paths]
    tensors = shapes_from_paths(shape, paths, canvas, 0)
    drawing = Drawing(name, shape.option_values(), tensors, 64, 64, background=svg.background)
    shown = draw(drawing, shape)
    with Image.new("RGB", (64, 64), "#faf0ca") as picture:
        for path in paths:
            corners = [tuple(corner) for corner in ((path.points + 1) * 32 - 0.5).tolist()]
            colour = tuple(round(255 * value) for value in path.colour)
            ImageDraw.Draw(picture).polygon(corners, fill=colour)
        wanted = torch.from_numpy(np.asarray(picture) / 255).permute(2, 0, 1)
    empty = torch.tensor(svg.background)[:, None, None]
    error, without = ((each - wanted).square().mean() for each in (shown, empty))
    assert error < without / (20 if name == "polygon" else 5)
    assert tensors["alpha"].tolist() == [1, 1, 1]


def test_a_fit_goes_on_from_the_paths(traced, registry):
    first = start_at(traced, "blob", registry, stage={**CLIMB, "steps": 1})
    done = start_at(traced, "blob", registry)
    assert done.summary["psnr"] > first.summary["psnr"] + 3
    assert done.summary["count"] == 3
    stored = done.art.recipe
    assert stored.init.name == "traced.svg"
    assert len(stored.init.sha256) == 64
    assert stored.target.background == "#faf0ca"
    assert {stored.primitive.options[key] for key in ("min_alpha", "max_alpha")} == {1.0}
    again = run(
        changed(stored, {"init": {"name": str(traced / "traced.svg")}}), registry, search=[traced]
    )
    assert torch.equal(again.art.drawing.tensors["genes"], done.art.drawing.tensors["genes"])


@pytest.mark.parametrize("count", [2, 4])
def test_there_may_be_fewer_or_more_shapes_than_paths(count, traced, registry):
    fitted = start_at(traced, "polygon", registry, primitive={"name": "polygon", "count": count})
    assert fitted.summary["count"] == count


def test_what_cannot_start_from_paths_is_refused(traced, registry):
    with pytest.raises(UsageError, match="cannot start gaussian") as refused:
        start_at(traced, "gaussian", registry)
    assert "-p blob" in refused.value.hint
    with pytest.raises(UsageError, match="has 3 paths, and engine gradient adds none"):
        start_at(
            traced,
            "polygon",
            registry,
            stage={"engine": "gradient", "steps": 1},
            primitive={"name": "polygon", "count": 9},
        )


@pytest.mark.parametrize("other", ["blob", "triangle"])
def test_svg_files_of_artgen_are_read_back(other, traced, photo, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    quick = [f"--set=engine.{key}={value}" for key, value in CLIMB.items() if key != "engine"]
    first = [
        "fit",
        str(traced / "target.png"),
        "-p",
        "polygon",
        "-n",
        "3",
        "--no-video",
        "--seed",
        "1",
    ]
    assert main([*first, *quick, "-q", "--name", "own"]) == 0
    assert main(["render", "artgen-out/own.art", "-o", "own.svg", "-q"]) == 0
    capsys.readouterr()
    again = [
        "fit",
        str(photo),
        "-p",
        other,
        "--init",
        "own.svg",
        "--no-video",
        "--json",
        "--dry-run",
    ]
    assert len(read_svg(tmp_path / "own.svg").paths) == 3
    assert main([*again[:-2], *quick, "--name", "on"]) == 0
    said = capsys.readouterr()
    assert "own.svg: its canvas of 32x32 is fitted into 24x16" in said.err
    assert "not read" not in said.err
    assert json.loads((tmp_path / "artgen-out/on.json").read_text())["count"] == 3
