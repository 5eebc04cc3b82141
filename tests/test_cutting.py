"""`artgen make glass`, `stencil`, `block` and `quilt`: files hold what can be cut, each line once."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from xml.etree import ElementTree

import ezdxf
import numpy as np
import pytest
from helpers import filled
from PIL import Image, ImageDraw
from scipy.ndimage import distance_transform_edt, gaussian_filter, label
from scipy.spatial import cKDTree
from skimage.draw import polygon2mask

import artgen
from artgen.cli import main
from artgen.making import Motif, hex_colour
from artgen_makers.block import Block, BlockOptions, Layer, printed
from artgen_makers.cutting import joined, recoloured
from artgen_makers.paper import Paper
from artgen_makers.stencil import Stencil
from artgen_makers.tones import blurred

SVG = "{http://www.w3.org/2000/svg}"

# No test here looks at the picture of the finished thing.
pytestmark = pytest.mark.usefixtures("small_pictures")


def table(path: Path) -> list[dict[str, str]]:
    first, *lines = path.read_text("utf-8").splitlines()
    assert first.startswith("# artgen ")
    return list(csv.DictReader(lines))


def lines_of(path: Path) -> list[np.ndarray]:
    """The points of each path of an SVG, which has straight lines alone, in mm."""
    found = []
    for each in ElementTree.parse(path).getroot().iter(f"{SVG}path"):
        for part in each.get("d").replace("Z", "").split("M")[1:]:
            found.append(np.array([pair.split(",") for pair in part.split("L")], float))
    return found


def texts_of(path: Path) -> list[tuple[str, float, float]]:
    root = ElementTree.parse(path).getroot()
    return [(t.text, float(t.get("x")), float(t.get("y"))) for t in root.iter(f"{SVG}text")]


def cuts_of(path: Path) -> list[np.ndarray]:
    """The closed lines of a DXF that are cut, in their order."""
    drawing = ezdxf.readfile(path)
    assert {each.dxf.layer for each in drawing.modelspace().query("TEXT")} <= {"ENGRAVE"}
    lines = drawing.modelspace().query("POLYLINE")
    assert all(each.is_closed and each.dxf.layer == "CUT" for each in lines)
    return [np.array([tuple(p)[:2] for p in each.points()]) for each in lines]


def area(line: np.ndarray) -> float:
    x, y = line.T
    return abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def dense(line: np.ndarray, step: float) -> np.ndarray:
    along = np.append(0, np.cumsum(np.hypot(*np.diff(line, axis=0).T)))
    at = np.arange(0, along[-1], step)
    return np.stack([np.interp(at, along, line[:, k]) for k in (0, 1)], 1)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory) -> Path:
    """A house with a door, a round window and a crescent moon: masses, an island, a deep bay."""
    picture = Image.new("RGB", (300, 200), "#bcd8f0")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((40, 80, 180, 190), "#a0402c")
    pen.polygon([(30, 80), (110, 20), (190, 80)], "#33261f")
    pen.rectangle((90, 120, 130, 190), "#e8c25a")
    pen.ellipse((210, 20, 280, 90), "#f4e28c")
    pen.ellipse((228, 20, 298, 90), "#bcd8f0")
    path = tmp_path_factory.mktemp("shapes") / "house.png"
    picture.save(path)
    return path


def made(kind: str, path: Path, out: Path, *flags: str) -> Path:
    line = ["make", kind, str(path), "--out", str(out), "-q", *flags]
    assert main(line) == 0
    return out / f"{path.stem}-{kind}"


def same_again(kind: str, path: Path, out: Path, *flags: str) -> bool:
    """Whether a second time gives the bytes of the first."""
    folder = out / f"{path.stem}-{kind}"
    first = {each.name: each.read_bytes() for each in folder.iterdir()}
    made(kind, path, out, *flags, "--overwrite")
    return first == {each.name: each.read_bytes() for each in folder.iterdir()}


GLASS = ("--width", "24cm", "--pieces", "30", "--dxf")


@pytest.fixture(scope="module")
def panel(shapes) -> Path:
    return made("glass", shapes, shapes.parent, *GLASS)


def test_pieces_of_glass_are_as_far_apart_as_the_heart_and_as_listed(panel):
    pieces = lines_of(panel / "pieces.svg")
    rows = table(panel / "glass.csv")
    numbers = texts_of(panel / "pieces.svg")
    assert [text for text, *_ in numbers] == [str(k + 1) for k in range(len(rows))]
    assert len(pieces) == len(rows) == len(texts_of(panel / "cartoon.svg"))
    owned = []
    for text, x, y in numbers:
        [own] = [p for p in pieces if polygon2mask((1, 1), p[:, ::-1] - [y - 0.5, x]).all()]
        owned.append(own)
        row = rows[int(text) - 1]
        assert area(own[:-1]) == pytest.approx(float(row["square mm"]), abs=1)
        assert max(np.ptp(own, axis=0)) + 9 < 1.5 * float(row["sheet long mm"])
        assert float(row["sheet long mm"]) * float(row["sheet short mm"]) > area(own[:-1])
    points = [dense(own, 0.2) for own in owned]
    nearest = []
    for n, own in enumerate(points):
        tree = cKDTree(np.concatenate([each for k, each in enumerate(points) if k != n]))
        nearest.append(tree.query(own)[0])
    nearest = np.concatenate(nearest)
    assert min(nearest) > 1.3
    assert np.quantile(nearest, 0.5) == pytest.approx(1.5, abs=0.15)
    parts = [row for row in table(panel / "parts.csv") if row["what"] == "glass"]
    assert sum(int(row["number"]) for row in parts) == len(rows)


def test_leads_are_drawn_once_and_lie_between_pieces(panel):
    leads = lines_of(panel / "cartoon.svg")
    points = np.concatenate([dense(line, 1.0)[2:-2] for line in leads if len(dense(line, 1.0)) > 8])
    whose = np.concatenate(
        [np.full(max(0, len(dense(line, 1.0)) - 4), k) for k, line in enumerate(leads)
         if len(dense(line, 1.0)) > 8]
    )  # fmt: skip
    tree = cKDTree(points)
    near = [[k for k in tree.query_ball_point(p, 0.3) if whose[k] != own]
            for p, own in zip(points, whose, strict=True)]  # fmt: skip
    assert not any(near), "two lines run along the same way"
    pieces = np.concatenate([dense(line, 0.2) for line in lines_of(panel / "pieces.svg")])
    apart = cKDTree(pieces).query(points)[0]
    assert apart == pytest.approx(np.full(len(apart), 0.75), abs=0.25)


def test_pieces_of_glass_can_be_cut(panel):
    """None has a hole, a circle of the least width fits, and what is narrow is at corners alone."""
    deep = {row["number"] for row in table(panel / "glass.csv") if row["deep"]}
    assert len(deep) <= 2
    for piece in lines_of(panel / "pieces.svg"):
        mask = np.pad(filled([piece - piece.min(0) + 1], tuple(np.ptp(piece, axis=0) + 2), 0.25), 1)
        assert label(~mask)[1] == 1
        assert distance_transform_edt(mask).max() * 0.25 > 6 - 1.5
        wide = distance_transform_edt(~(distance_transform_edt(mask) > 2 / 0.25)) <= 2 / 0.25
        assert (mask & ~wide).sum() < 0.1 * mask.sum()


def test_the_dxf_has_the_pieces_of_the_svg_and_equal_pictures_give_equal_bytes(panel, shapes):
    cut = cuts_of(panel / "pieces.dxf")
    drawn = lines_of(panel / "pieces.svg")
    assert [area(line) for line in cut] == pytest.approx([area(p[:-1]) for p in drawn], rel=0.01)
    assert same_again("glass", shapes, shapes.parent, *GLASS)


def test_colours_that_no_screen_has_are_clipped_without_a_warning():
    from artgen_plugins.regions import rgb_of

    found = rgb_of(np.array([[30.0, 10, 120], [60, 0, 0]]))
    assert found.min() >= 0
    assert found[1] == pytest.approx(found[1].mean(), abs=0.01)


def test_a_deep_corner_is_split_and_one_that_stays_is_named():
    from artgen_makers.glass import Limits, split_deep, worst

    limits = Limits(8, 4, 16, 2)
    places = np.zeros((90, 120), np.int64)
    places[20:70, 30:90] = 1
    places[40:70, 50:70] = 0
    assert worst(places == 1, limits)[0] > 1
    found = split_deep(places, limits)
    assert found.max() > 1, "also the place around, which has a hole, is split"
    assert all(worst(found == k, limits)[0] <= 1 for k in range(found.max() + 1))
    wide = split_deep(places, limits._replace(least=40))
    assert np.array_equal(wide, places), "parts would be smaller than the least"


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--width", "80mm", "--least", "60"], "no room for pieces of 60 mm"),
        (["--width", "80mm", "--pieces", "70"], "use a --width of 124 mm, fewer"),
        (["--pieces", "900", "--least", "60"], "hint: use fewer --pieces or a smaller --least"),
        (["--lead", "8"], "do not go together"),
        (["--heart", "4.5"], "do not go together"),
        (["--glass", "redd"], "redd"),
        (["--width", "0"], "width must be"),
    ],
)
def test_glass_that_cannot_be_cut_is_refused(flags, words, empty_folder, capsys):
    assert main(["make", "glass", "sample:cat", *flags]) == 2
    assert words in capsys.readouterr().err
    assert not Path("artgen-out").exists()


STENCIL = ("--width", "16cm", "--colours", "2", "--dxf")


@pytest.fixture(scope="module")
def sheets(shapes) -> Path:
    return made("stencil", shapes, shapes.parent, *STENCIL)


def page_of(path: Path) -> tuple[float, float, float, float]:
    return tuple(map(float, ElementTree.parse(path).getroot().get("viewBox").split()))


@pytest.mark.parametrize("number", [1, 2])
def test_a_stencil_is_one_piece_with_holes_and_bridges_that_are_wide_enough(sheets, number):
    path = sheets / f"stencil-{number}.svg"
    _, _, wide, high = page_of(path)
    lines = lines_of(path)
    hole = filled(lines, (wide, high), 0.1)
    pieces, _ = label(~hole, np.ones((3, 3)))
    sizes = np.sort(np.bincount(pieces.ravel())[1:])
    assert sizes[:-1].sum() <= 20, "rounding of pixels"
    assert 0.02 < hole.mean() < 0.7
    for mask in (hole, ~hole):
        kept = distance_transform_edt(~(distance_transform_edt(mask) > 7)) <= 7
        assert (mask & ~kept).sum() < 0.02 * mask.sum(), "wider than 1.4 of the 2 mm"
    spans = [np.ptp(line, axis=0).max() for line in lines]
    assert spans == sorted(spans), "what is inside is cut first"
    cut = cuts_of(sheets / f"stencil-{number}.dxf")
    assert [area(c) for c in cut] == pytest.approx(
        [*(area(line[:-1]) for line in lines), wide * high], rel=0.01, abs=0.1
    )
    circles = list(ElementTree.parse(path).getroot().iter(f"{SVG}circle"))
    assert [float(c.get("cx")) for c in circles] == [10, wide - 10], "holes for pins"


def test_each_paint_covers_the_next_and_the_list_has_its_area(sheets, shapes):
    _, _, wide, high = page_of(sheets / "stencil-1.svg")
    first, second = (
        filled(lines_of(sheets / f"stencil-{k}.svg"), (wide, high), 0.1) for k in (1, 2)
    )
    assert (second & ~first).sum() < 0.06 * second.sum(), "but for bridges"
    paints = [row for row in table(sheets / "parts.csv") if row["what"] == "paint"]
    for row, hole in zip(paints, (first, second), strict=True):
        listed = float(row["name"].split(",")[-1].split()[0])
        assert hole.sum() * 0.01 / 100 == pytest.approx(listed, rel=0.03)
    assert same_again("stencil", shapes, shapes.parent, *STENCIL)


def test_paints_get_lighter_on_a_dark_board_and_the_cut_is_made_up_for(shapes, tmp_path):
    flags = ("--board", "#111111", "--width", "16cm", "--kerf", "0.4")
    kerf = made("stencil", shapes, tmp_path, *flags)
    paints = [row for row in table(kerf / "parts.csv") if row["what"] == "paint"]
    levels = [sum(bytes.fromhex(row["colour"][1:])) for row in paints]
    assert levels == sorted(levels)
    assert len(levels) >= 2
    # Lines move by half of the cut into what falls out, of whose whole area the list tells.
    for k, row in enumerate(paints, 1):
        lines = lines_of(kerf / f"stencil-{k}.svg")
        cut = sum(area(line[:-1]) for line in lines)
        around = sum(float(np.hypot(*np.diff(line, axis=0).T).sum()) for line in lines)
        listed = 100 * float(row["name"].split(",")[-1].split()[0])
        assert cut + 0.2 * around == pytest.approx(listed, abs=60)
    circle = next(ElementTree.parse(kerf / "stencil-1.svg").getroot().iter(f"{SVG}circle"))
    assert float(circle.get("r")) == pytest.approx(2.3)


def test_a_wide_blur_is_that_of_scipy():
    plane = np.random.default_rng(1).random((43, 67))
    for sigma in (1.2, 30, (2, 40)):
        assert np.allclose(blurred(plane, sigma), gaussian_filter(plane, sigma), atol=1e-12)


def test_a_long_list_of_pieces_goes_on_to_the_next_page():
    """It ran off its page, after an empty one."""
    from artgen_makers.glass import Piece, _lists
    from artgen_makers.guide import Guide

    guide, few = Guide(Motif("x"), "x", "a4"), [0] * 3000 + [1]
    _lists(guide, [Piece(np.zeros((1, 2)), (0, 0), 1, k, False) for k in few], ["#fff", "#000"])
    lines = [
        re.findall(r"\nBT .* ([\d.]+) Tm", "\n".join(p.operators)) for p in guide.document.pages
    ]
    assert 2 <= len(lines) <= 4
    assert min(map(len, lines)) > 3
    assert max(float(y) for page in lines for y in page) < guide.paper[1] - 12


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--width", "60mm", "--frame", "28mm"], "leaves 4 x"),
        (["--kerf", "1", "--narrow", "1.5"], "too wide for bridges"),
        (["--bridge", "50"], "bridges of 50 mm would cover"),
        (["--paints", "redd"], "redd"),
        (["--paints", ",".join(["red"] * 7)], "give 1 to 6"),
        (["--paints", "red", "--colours", "5"], "has 1 colours, and --colours asks for 5"),
        (["--colours", "7"], "colours must be"),
    ],
)
def test_stencils_that_cannot_be_cut_are_refused(flags, words, empty_folder, capsys):
    assert main(["make", "stencil", "sample:cat", *flags]) == 2
    assert words in capsys.readouterr().err
    assert not Path("artgen-out").exists()


@pytest.mark.parametrize("kind", ["block", "glass", "paper", "quilt", "stencil"])
def test_a_picture_too_narrow_is_refused(kind, empty_folder, capsys):
    """Sides of no pixel were tracebacks."""
    Image.new("RGB", (2, 2000), "teal").save("slim.png")
    width = ["--width", "60mm"] * (kind == "paper")
    assert main(["make", kind, "slim.png", *width]) == 2
    assert "slim is too long and narrow" in capsys.readouterr().err


PLAIN = {"lines": 0.0, "local": 0.0}
BLOCK = ("--width", "10cm", "--inks", "2", "--dxf")


@pytest.fixture(scope="module")
def blocks(shapes) -> Path:
    return made("block", shapes, shapes.parent, *BLOCK)


def inked(path: Path, border: float = 15.0) -> np.ndarray:
    """Where a block prints, as it is seen on the paper, 0.05 mm fine."""
    _, _, wide, high = page_of(path)
    away = filled(lines_of(path), (wide, high), 0.05)
    edge = round(border / 0.05)
    return ~away[edge:-edge, edge:-edge][:, ::-1]


@pytest.mark.parametrize("number", [1, 2])
def test_ridges_and_gaps_of_a_block_are_wide_enough(blocks, number):
    mask = inked(blocks / f"block-{number}.svg")
    assert 0.02 < mask.mean() < 0.99
    for part, least in ((mask, 0.6), (~mask, 0.8)):
        reach = 0.35 * least / 0.05
        kept = distance_transform_edt(~(distance_transform_edt(part) > reach)) <= reach
        inner = np.zeros_like(part)
        inner[20:-20, 20:-20] = True
        assert (part & ~kept & inner).sum() < 0.02 * part.sum()


def test_blocks_are_mirrored_overprint_and_are_around_what_is_dark(blocks, shapes):
    first, second = (inked(blocks / f"block-{k}.svg") for k in (1, 2))
    assert (second & ~first).sum() < 0.05 * second.sum()
    with Image.open(shapes) as opened:
        small = opened.convert("L").resize(first.shape[::-1])
    tone = 255 - np.asarray(small).astype(float)
    assert tone[first].mean() > tone[~first].mean() + 40
    assert tone[second].mean() > tone[~second].mean() + 30
    mirrored = tone[:, ::-1]
    assert tone[second].mean() > mirrored[second].mean() + 10, "not the other way round"
    cut, drawn = cuts_of(blocks / "block-1.dxf"), lines_of(blocks / "block-1.svg")
    assert len(cut) == len(drawn) + 1
    assert sum(map(area, cut[:-1])) == pytest.approx(sum(area(d[:-1]) for d in drawn), rel=0.01)
    assert same_again("block", shapes, shapes.parent, *BLOCK)


def test_a_router_leaves_what_prints_as_wide_as_it_is():
    mask = np.zeros((200, 300), bool)
    mask[60:140, 80:220] = True
    plain, cut = (Block({"kerf": kerf, "border": 10.0}) for kerf in (0.0, 0.8))
    wide, narrow = (
        sorted((np.ptp(line, axis=0) for line in each.away(mask, 0.1)), key=sum)
        for each in (plain, cut)
    )
    # The line around what stays is larger, that around all that is cut away is smaller.
    assert narrow[0] - wide[0] == pytest.approx([0.8, 0.8], abs=0.1)
    assert wide[1] - narrow[1] == pytest.approx([0.8, 0.8], abs=0.1)
    for first, second in zip(*(each.marks((60, 50)) for each in (plain, cut)), strict=True):
        assert np.ptp(first, axis=0) - np.ptp(second, axis=0) == pytest.approx([0.8, 0.8])


def test_a_border_without_room_has_no_register_and_says_so(shapes):
    """The guide had a step for circles that no block had."""
    photo = np.asarray(Image.open(shapes).convert("RGB"))
    block = Block({"width": 60.0, "lines": 0.0, "border": 10.0, "register": "pins"})
    made = block.make(Motif("house", photo=photo))
    assert "block-2.svg" in made.files
    assert "no room for --register pins" in made.notes[-1]
    assert block.marks((80, 60)) == []
    assert len(Block({"border": 10.0}).marks((80, 60))) == 2


@pytest.mark.parametrize(
    ("maker", "note"),
    [
        (Paper({"layers": 4}), "2 papers have no tone of the picture, and no sheet: use fewer --l"),
        (Paper({"papers": "red,teal,navy"}), "1 paper has no tone .* fewer --papers$"),
        (Block({"inks": 2, "ridge": 7.0, **PLAIN}), "1 ink has no place .* or fewer --inks$"),
        (Block({"colours": "red,navy", "ridge": 7.0, **PLAIN}), "1 ink .* or fewer --colours$"),
        (
            Stencil({"paints": "red,teal,navy", "width": 150.0, "narrow": 6.5}),
            "1 paint has no place of 6.5 mm, and no sheet: .* or fewer --paints$",
        ),
    ],
)
def test_colours_without_a_place_are_told(maker, note):
    """Those of papers and blocks were not, and fewer --colours were said to help --paints."""
    photo = np.full((600, 600, 3), 250, np.uint8)
    photo[:, 300:] = 246 if isinstance(maker, Paper) else 130
    side = 20 if isinstance(maker, Block) else 30
    if not isinstance(maker, Paper):
        for y, x in np.ndindex(540 // side // 3, 240 // side // 3):
            photo[40 + 3 * side * y :, 330 + 3 * side * x :][:side, :side] = 0
    [said] = maker.make(Motif("dots", photo=photo)).notes
    assert re.search(note, said)


def test_a_colour_of_a_drawing_without_a_hole_is_told():
    """Its shapes are narrower than any hole, and its sheet was left out without a word."""
    art = artgen.fit("sample:cat", "circle", count=2, size=32, seed=1)
    tensors = art.drawing.tensors
    tensors["genes"][:] = tensors["genes"].new_tensor([[-0.4, 0, 0.3], [0.6, 0.6, 0.02]]).T
    tensors["colour"][:] = tensors["colour"].new_tensor([[0.8, 0.1, 0.1], [0, 0, 0.5]]).T
    tensors["alpha"][:] = 1
    made = Stencil({"width": 120.0, "narrow": 3.0}).make(Motif("dots", art=art))
    assert [each.colour for each in made.parts if each.what == "paint"] == ["#cc1a1a"]
    assert "1 paint has no place of 3 mm, and no sheet: use a larger --width" in made.notes


def test_bridges_are_as_wide_as_asked_for():
    sheet = np.zeros((80, 120), bool)
    sheet[:5] = sheet[-5:] = sheet[:, :5] = sheet[:, -5:] = True
    sheet[30:50, 50:70] = True
    for bridge, wide in ((0.0, 4), (5.0, 10)):
        held, count = joined(sheet, 2.0, np.zeros(sheet.shape), bridge)
        added = held & ~sheet
        assert count == 1
        assert added[15:25].sum(1).max() == pytest.approx(wide, abs=1.5)


@pytest.mark.parametrize(("seen", "kept"), [(1.0, False), (0.5, True)])
def test_an_island_on_a_bridge_longer_than_itself_goes_where_that_is_seen(seen, kept):
    sheet = np.zeros((200, 200), bool)
    sheet[:10] = sheet[-10:] = sheet[:, :10] = sheet[:, -10:] = True
    sheet[80:120, 80:120] = True
    missed = np.where(sheet, 0.0, seen)
    assert joined(sheet, 1.0, missed)[0][100, 100], "there is no limit but that of the tone"
    held, count = joined(sheet, 1.0, missed, longest=1.0)
    assert (held[100, 100], count) == (kept, int(kept))
    assert joined(sheet, 1.0, missed, longest=2.0)[1] == 1


def test_an_island_that_holds_another_stays():
    """It went, for its own bridge would show more than it, and the other hung on nothing."""
    sheet = np.zeros((120, 120), bool)
    sheet[:5] = sheet[-5:] = sheet[:, :5] = sheet[:, -5:] = True
    sheet[20:60, 40:80] = sheet[66:75, 55:65] = True
    missed = np.where(sheet, 0.0, 9.0)
    missed[60:115, 55:65] *= 0.28
    held, _ = joined(sheet, 1.0, missed)
    assert held[sheet].all()
    assert label(held, np.ones((3, 3)))[1] == 1


def test_bridges_are_straight_where_the_picture_would_have_them_wander():
    sheet = np.zeros((120, 120), bool)
    sheet[:10] = sheet[-10:] = sheet[:, :10] = sheet[:, -10:] = True
    sheet[50:70, 50:70] = True
    missed = np.zeros(sheet.shape)
    row, column = np.mgrid[:120, :120]
    missed += 2.0 * (abs(column - 60 - 8 * np.sin(row / 5)) > 2)
    missed[70:] = missed[:, :50] = missed[:, 70:] = 3
    held, count = joined(sheet, 2.0, missed)
    added = np.argwhere(held & ~sheet)
    assert count == 1
    # 40 pixels between island and frame, 5 wide: no corners, as short as can be.
    assert len(added) < 1.1 * 40 * 5
    middle = [added[added[:, 0] == row, 1].mean() for row in range(12, 48)]
    assert np.ptp(middle) < 1.5


def test_a_drawing_of_ink_is_cut_as_it_is(shapes, tmp_path, capsys):
    target = np.asarray(Image.open(shapes).convert("RGB"))
    inks = {"inks": "#d08030,#203040", "margin": 0.0}
    art = artgen.fit(target, "hatch", count=900, seed=1, size=96, backend="eager", **inks)
    art.save(tmp_path / "ink.art")
    out = made("block", tmp_path / "ink.art", tmp_path, "--width", "12cm", "--register", "pins")
    colours = [row["colour"] for row in table(out / "parts.csv") if row["what"] == "ink"]
    assert colours == ["#d08030", "#203040"]
    coarse = ("--gap", "3", "--lines", "5", "--inks", "1", "--width", "10cm")
    assert main(["make", "block", str(shapes), *coarse, "--out", str(tmp_path)]) == 0
    assert "too fine for a gouge" in capsys.readouterr().err
    shown = art.render(800).astype(float).sum(2)
    dark = inked(out / "block-2.svg")
    small = np.asarray(Image.fromarray(shown.astype(np.float32)).resize(dark.shape[::-1]))
    assert small[dark].mean() < small[~dark].mean() - 150


def test_a_drawing_has_the_colours_that_are_given():
    """What was asked for was ignored."""
    own = [np.zeros(3), np.ones(3)]
    names = "inks", "colours", "lines", "local"
    asked = Block({"inks": 2, "colours": "teal,navy"})
    inks, notes = recoloured(own, asked.given(), asked.options, names)
    assert [hex_colour(each) for each in inks] == ["#008080", "#000080"]
    assert not notes
    asked = Block({"colours": "teal", "lines": 0.0})
    inks, [note] = recoloured(own, asked.given(), asked.options, names)
    assert inks == own
    assert note.startswith("--lines, --colours: of no use for a drawing")
    # Lines are for pictures alone, so they need no room.
    ink = {"inks": "#d08030,#203040", "seed": 1, "size": 32, "backend": "eager"}
    art = artgen.fit("sample:cat", "stipple", count=60, **ink)
    block = Block({"lines": 1.0, "colours": "#ffe0a0,black"})
    made = block.make(Motif("cat", art=art))
    assert [part.colour for part in made.parts if part.what == "ink"] == ["#ffe0a0", "#000000"]


def test_ink_on_paper_without_red_has_a_colour():
    """It was nothing divided by nothing."""
    with np.errstate(all="raise"):
        half = np.arange(60) < 30
        layer = Layer(np.array([0.5, 0.5, 0.5]), np.tile(half, (40, 1)))
        shown = printed([layer], 1.0, BlockOptions(paper="#00ffff"))
    assert shown[60:120, 80:110, 0].mean() > 90


def test_ridges_and_gaps_may_fill_the_distance_of_lines():
    """0.4 and 0.8 were more than 1.2."""
    block = Block({"ridge": 0.4, "gap": 0.8, "lines": 1.2, "width": 60.0})
    tones = np.tile(np.linspace(0, 255, 60).astype(np.uint8), (40, 1))
    assert block.make(Motif("ramp", photo=np.dstack([tones] * 3))).files


def test_marks_with_straight_ends_are_cut_so():
    """Squares of mosaics and halftones got round ends too, and ran together."""
    from artgen_makers.block import drawn

    gray, black = np.full((24, 24, 3), 150, np.uint8), {"inks": "#000000", "margin": 0.0}
    art = artgen.fit(gray, "halftone", count=64, shape="square", seed=1, backend="eager", **black)
    [layer] = drawn(art, 600, 600)
    shown = art.render(600).sum() / (255 * sum(art.drawing.background) * 600 * 600)
    assert layer.print.mean() == pytest.approx(1 - shown, abs=0.03)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--register", "glue"], "use kento or pins"),
        (["--width", "30mm", "--gap", "3"], "no room for cuts of 3 mm"),
        (["--lines", "1"], "use --lines 1.4 or more"),
        (["--kerf", "1"], "too wide for gaps of 0.8 mm"),
        (["--colours", "#zzz"], "zzz"),
        (["--colours", "#e8c", "--inks", "4"], "has 1 colours, and --inks asks for 4"),
        (["--inks", "0"], "inks must be"),
    ],
)
def test_blocks_that_cannot_be_cut_are_refused(flags, words, empty_folder, capsys):
    assert main(["make", "block", "sample:cat", *flags]) == 2
    assert words in capsys.readouterr().err
    assert not Path("artgen-out").exists()


QUILT = ("--width", "40cm", "--pieces", "30", "--dxf")


@pytest.fixture(scope="module")
def quilt(shapes) -> Path:
    return made("quilt", shapes, shapes.parent, *QUILT)


def coloured(path: Path) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The seams, which are blue, and the lines to cut, which are red."""
    groups = {g.get("stroke"): g for g in ElementTree.parse(path).getroot().iter(f"{SVG}g")}
    return tuple(
        [
            np.array([pair.split(",") for pair in p.get("d")[1:].split("L")], float)
            for p in groups[colour].iter(f"{SVG}path")
        ]
        for colour in ("#0050c8", "#e8002a")
    )


def convex(line: np.ndarray) -> bool:
    edges = np.diff(line, axis=0)
    edges = edges[np.hypot(*edges.T) > 0.05]
    after = np.roll(edges, -1, 0)
    turn = edges[:, 0] * after[:, 1] - edges[:, 1] * after[:, 0]
    turn /= np.hypot(*edges.T) * np.hypot(*after.T)
    return bool((turn > -0.02).all() or (turn < 0.02).all())


def test_pieces_of_a_quilt_are_convex_and_fill_it_without_overlap(quilt):
    pieces = lines_of(quilt / "pattern.svg")
    assert len(pieces) == 30
    assert all(convex(piece) for piece in pieces)
    _, _, wide, high = page_of(quilt / "pattern.svg")
    assert sum(area(piece[:-1]) for piece in pieces) == pytest.approx(wide * high, rel=1e-3)
    assert filled(pieces, (wide, high), 0.5).mean() > 0.99
    for piece in pieces:
        mask = np.pad(filled([piece - piece.min(0)], tuple(np.ptp(piece, axis=0)), 0.5), 1)
        assert distance_transform_edt(mask).max() > 0.5 * 10, "the least is 20 mm"


def test_templates_are_larger_by_the_seam_and_mirror_the_pattern(quilt):
    seams, cuts = coloured(quilt / "templates.svg")
    assert len(seams) == len(cuts) == 30
    for seam, cut in zip(seams, cuts, strict=True):
        apart = cKDTree(dense(cut, 0.2)).query(dense(seam, 0.5))[0]
        assert apart.min() == pytest.approx(6.35, abs=0.05)
        corners = cKDTree(dense(seam, 0.2)).query(cut)[0]
        assert corners.max() < 1.5 * 6.35 * 1.2
        assert convex(cut)
    sizes = sorted(area(each[:-1]) for each in seams)
    assert sizes == pytest.approx(
        sorted(area(each[:-1]) for each in lines_of(quilt / "pattern.svg")), rel=0.01, abs=1
    )
    wide = page_of(quilt / "templates.svg")[2]
    boxes = [(*each.min(0), *each.max(0)) for each in cuts]
    assert max(box[2] for box in boxes) <= wide
    for n, (a, b, c, d) in enumerate(boxes):
        assert not any(a < g and e < c and b < h and f < d for e, f, g, h in boxes[:n])
    drawing = ezdxf.readfile(quilt / "templates.dxf").modelspace()
    layers = [each.dxf.layer for each in drawing.query("POLYLINE")]
    assert layers == ["ENGRAVE"] * 30 + ["CUT"] * 30
    assert {each.dxf.layer for each in drawing.query("TEXT")} == {"ENGRAVE"}


def test_seams_join_all_pieces_each_along_a_whole_edge(quilt):
    """Sewn by the list, two convex parts become a convex part each time, and one quilt at last."""
    width = page_of(quilt / "pattern.svg")[2]
    numbers = [int(text) for text, *_ in texts_of(quilt / "pattern.svg")]
    have = {
        str(n): [np.array([width, 0]) + piece * [-1, 1]]
        for n, piece in zip(numbers, lines_of(quilt / "pattern.svg"), strict=True)
    }
    from scipy.spatial import ConvexHull

    def whole(parts: list[np.ndarray]) -> bool:
        filled_area = sum(area(each[:-1]) for each in parts)
        return ConvexHull(np.concatenate(parts)).volume == pytest.approx(filled_area, rel=2e-3)

    for row in table(quilt / "sewing.csv"):
        parts = have.pop(row["part"]) + have.pop(row["with part"])
        assert whole(parts)
        first, last = row["part"].split("-")[0], row["with part"].split("-")[-1]
        have[f"{first}-{last}"] = parts
    assert list(have) == ["1-30"]


def test_the_lists_of_a_quilt_agree(quilt, shapes):
    fabrics, pieces = table(quilt / "fabrics.csv"), table(quilt / "pieces.csv")
    _, cuts = coloured(quilt / "templates.svg")
    total = sum(area(each[:-1]) for each in cuts) / 100
    assert sum(float(row["square cm"]) for row in fabrics) == pytest.approx(total, rel=1e-3)
    assert sum(float(row["square cm"]) for row in pieces) == pytest.approx(total, rel=1e-3)
    for row in fabrics:
        own = [p for p in pieces if p["fabric"] == row["fabric"]]
        assert len(own) == int(row["pieces"])
    parts = [row for row in table(quilt / "parts.csv") if row["what"] == "fabric"]
    assert [row["number"] for row in parts] == [row["pieces"] for row in fabrics]
    assert same_again("quilt", shapes, shapes.parent, *QUILT)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--width", "80mm", "--pieces", "900"], "use a --width of"),
        (["--width", "80mm", "--least", "60", "--pieces", "2"], "do not fit a quilt"),
        (["--least", "200", "--pieces", "300"], "hint: use fewer --pieces or a smaller --least"),
        (["--seam", "0"], "seam must be"),
        (["--pieces", "1"], "pieces must be"),
    ],
)
def test_quilts_that_cannot_be_sewn_are_refused(flags, words, empty_folder, capsys):
    assert main(["make", "quilt", "sample:cat", *flags]) == 2
    assert words in capsys.readouterr().err
    assert not Path("artgen-out").exists()
