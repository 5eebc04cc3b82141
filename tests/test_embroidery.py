"""`artgen make embroidery`: machines read what the list says, and stitches are within limits."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from pathlib import Path

import numpy as np
import pyembroidery
import pytest
from PIL import Image, ImageDraw

import artgen
from artgen.cli import main
from artgen.errors import UsageError
from artgen.making import Motif
from artgen_makers.embroidery import FORMATS, Embroidery, sold_threads
from artgen_makers.grids import Colour
from artgen_makers.stitches import Thread, Ways, joined, rows, satin, sewn

THREAD = Thread(0.4, 0.2)

# No test here looks at the picture of the finished thing.
pytestmark = pytest.mark.usefixtures("small_pictures")


def sewn_in(path: Path) -> list[list[np.ndarray]]:
    """The runs of each thread of a file, in tenths of mm."""
    blocks: list[list[list[list[float]]]] = [[[]]]
    for x, y, command in pyembroidery.read(str(path)).stitches:
        kind = command & pyembroidery.COMMAND_MASK
        if kind == pyembroidery.STITCH:
            blocks[-1][-1].append([x, y])
        elif kind == pyembroidery.COLOR_CHANGE:
            blocks.append([[]])
        elif blocks[-1][-1]:
            blocks[-1].append([])
    return [[np.array(run) for run in block if run] for block in blocks]


def table(path: Path) -> list[dict[str, str]]:
    first, *lines = path.read_text("utf-8").splitlines()
    assert first.startswith("# artgen ")
    return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def flag(tmp_path_factory) -> Path:
    """A red ring and a blue bar on the colour of the fabric, as a folder of embroidery."""
    folder = tmp_path_factory.mktemp("flag")
    picture = Image.new("RGB", (240, 160), "#f3efe6")
    pen = ImageDraw.Draw(picture)
    pen.ellipse((20, 20, 140, 140), "#c72b3b")
    pen.ellipse((60, 60, 100, 100), "#f3efe6")
    pen.rectangle((170, 20, 190, 140), "#13477d")
    picture.save(folder / "flag.png")
    line = ["make", "embroidery", str(folder / "flag.png"), "--width", "60mm", "--areas", "30"]
    assert main([*line, "--colours", "2", "-q", "--out", str(folder)]) == 0
    return folder / "flag-embroidery"


@pytest.mark.parametrize("suffix", FORMATS)
def test_files_have_the_stitches_of_the_list(flag, suffix):
    blocks = sewn_in(flag / f"design.{suffix}")
    stops = table(flag / "stops.csv")
    counts = [sum(map(len, runs)) for runs in blocks]
    assert counts == [int(row["stitches"]) for row in stops]
    parts = table(flag / "parts.csv")
    assert counts == [int(row["number"]) for row in parts if row["what"] == "thread"]
    metres = [sum(np.hypot(*np.diff(r, axis=0).T).sum() for r in runs) for runs in blocks]
    assert [each / 10_000 for each in metres] == pytest.approx(
        [float(row["metres sewn"]) for row in stops], abs=0.2
    )


@pytest.mark.parametrize("suffix", FORMATS)
def test_stitches_are_neither_short_nor_long(flag, suffix):
    for runs in sewn_in(flag / f"design.{suffix}"):
        steps = np.concatenate([np.hypot(*np.diff(run, axis=0).T) for run in runs])
        # Places are rounded to tenths of a millimetre.
        assert steps.min() >= 5 - 1e-6
        assert steps.max() <= 71.5


@pytest.mark.parametrize("stripes", ["across", "down"])
def test_a_design_fits_its_hoop_as_it_is_sewn(stripes, tmp_path):
    """Rows that are longer than their areas, since thread pulls, left the hoop."""
    tones = np.repeat(np.array([[60, 70, 200], [200, 60, 70]], np.uint8), 40, axis=0)
    picture = np.tile(tones[:, None], (1, 80, 1))
    Image.fromarray(picture if stripes == "across" else picture.swapaxes(0, 1)).save(
        tmp_path / "two.png"
    )
    line = ["make", "embroidery", str(tmp_path / "two.png"), "--hoop", "40x40", "-q"]
    assert main([*line, "--width", "4cm", "--pull", "0.6", "--out", str(tmp_path)]) == 0
    for suffix in FORMATS:
        file = tmp_path / f"two-embroidery/design.{suffix}"
        low, *_, high = np.sort(np.concatenate([np.concatenate(runs) for runs in sewn_in(file)]), 0)
        # Places are in tenths of a millimetre, and the first and the last row within their edges.
        assert min(low) >= -200
        assert max(high) <= 200
        assert min(high - low) >= 395


def test_what_is_sewn_is_the_picture(flag):
    """Read back and drawn, thread covers the shapes, and not the fabric between them."""
    red, blue = sewn_in(flag / "design.dst")
    truth = np.asarray(Image.open(flag.parent / "flag.png").convert("RGB")).astype(int)
    truth = truth.repeat(5, 0).repeat(5, 1)
    for runs, channel in ((red, 0), (blue, 2)):
        drawn = Image.new("L", (1200, 800))
        pen = ImageDraw.Draw(drawn)
        for run in runs:
            pen.line([tuple(point) for point in (2 * run + (600, 400)).tolist()], 255, 9)
        covered = np.asarray(drawn) > 0
        others = [k for k in range(3) if k != channel]
        shape = truth[..., channel] > truth[..., others].max(2) + 40
        assert (covered & shape).sum() > 0.97 * shape.sum()
        assert (covered & ~shape).sum() < 0.12 * shape.sum()


def test_equal_pictures_give_equal_bytes(flag):
    first = {path.name: path.read_bytes() for path in flag.iterdir()}
    line = ["make", "embroidery", str(flag.parent / "flag.png"), "--width", "60mm"]
    line += ["--areas", "30", "--colours", "2", "-q", "--out", str(flag.parent), "--overwrite"]
    assert main(line) == 0
    assert first == {path.name: path.read_bytes() for path in flag.iterdir()}
    assert json.loads(first["parts.json"])["made"]["options"]["width"] == 60
    assert {f"design.{suffix}" for suffix in FORMATS} < set(first)


def test_a_stroke_becomes_satin_and_an_area_does_not():
    y, x = np.mgrid[:200, :300]
    ring = np.hypot(x - 60, y - 200)
    stroke = (ring > 140) & (ring < 160)
    line, across = satin(stroke, 0.15, THREAD)
    steps = np.hypot(*np.diff(across, axis=0).T)
    assert np.median(steps) == pytest.approx(20 * 0.15 + 0.4, abs=0.4)
    reach = np.hypot(line[:, 0] - 60 * 0.15, line[:, 1] - 200 * 0.15)
    # Along the middle there, and back in the zigzag below satin.
    turn = int(np.argmax(np.abs(reach - 150 * 0.15) > 1))
    assert turn > 5
    assert reach[:turn] == pytest.approx(np.full(turn, 150 * 0.15), abs=1)
    assert np.abs(reach[turn:] - 150 * 0.15).max() < 20 * 0.15 / 2 - 0.4 + 0.2
    assert satin(np.ones((200, 300), bool), 0.15, THREAD) == []
    fork = stroke | ((abs(x - y - 40) < 10) & (y > 60))
    assert satin(fork, 0.15, THREAD) == []


def test_wide_satin_has_a_zigzag_below_and_narrow_satin_a_line():
    def bar(wide: int) -> np.ndarray:
        mask = np.zeros((80, 220), bool)
        mask[40 - wide // 2 : 40 + wide // 2, 10:210] = True
        return mask

    below, across = satin(bar(30), 0.15, THREAD)  # 4.5 mm
    # Along the middle, and on the way back to and fro; at its ends the middle runs to a corner.
    way = np.diff(below[:, 0])
    turn = int(np.argmax(np.sign(way) != np.sign(way[0])))
    out, back = below[4 : turn - 4], below[turn + 6 : -4]
    assert np.ptp(out[:, 1]) < 0.5
    # As wide as the column, less 0.4 mm at both edges: satin hides it.
    assert np.ptp(back[:, 1]) == pytest.approx(4.5 - 0.8, abs=0.35)
    assert (np.diff(np.sign(np.diff(back[:, 1]))) != 0).all()
    assert across[:, 1].min() + 0.4 < back[:, 1].min() < back[:, 1].max() < across[:, 1].max() - 0.4
    assert len(back) < len(across) / 4
    narrow, _ = satin(bar(12), 0.15, THREAD)  # 1.8 mm
    assert np.ptp(narrow[4:-4, 1]) < 0.5


def test_the_zigzag_is_in_the_file_and_stitches_stay_within_limits(tmp_path):
    picture = Image.new("RGB", (400, 120), "#f3efe6")
    ImageDraw.Draw(picture).rectangle((20, 40, 380, 79), "#13477d")
    picture.save(tmp_path / "bar.png")
    line = ["make", "embroidery", str(tmp_path / "bar.png"), "--width", "40mm", "--areas", "20"]
    assert main([*line, "--colours", "1", "-q", "--out", str(tmp_path)]) == 0
    for suffix in FORMATS:
        [[run]] = sewn_in(tmp_path / "bar-embroidery" / f"design.{suffix}")
        steps = np.hypot(*np.diff(run, axis=0).T) / 10
        assert steps.min() >= 0.5 - 1e-6
        assert steps.max() <= 7.15
        # Before the satin of 4.4 mm, the thread goes along the bar, and back in a zigzag, or the other way round: the
        # bar begins at either end.
        satin_begins = int(np.argmax(np.convolve(steps > 4, np.ones(4), "valid") == 4))
        assert 10 < satin_begins < len(steps) / 2
        under = run[:satin_begins] / 10
        assert np.ptp(under[:, 0]) > 30
        halves = under[: len(under) // 2, 1], under[len(under) // 2 : -4, 1]
        along, zigzag, satin_ = (
            np.ptp(np.percentile(y, (20, 80)))
            for y in (*sorted(halves, key=np.ptp), run[satin_begins:, 1] / 10)
        )
        assert along < 1
        assert 2.4 < zigzag < satin_ - 0.5


def test_a_running_stitch_is_never_shorter_than_half_a_millimetre():
    """A line of points 0.2 mm apart is sewn in stitches that machines take; its ends stay."""
    dense = np.stack([np.linspace(0, 12, 61), np.zeros(61)], 1)
    run = sewn(dense) / 10
    steps = np.hypot(*np.diff(run, axis=0).T)
    assert steps.min() >= 0.5 - 1e-6
    assert np.median(steps) < 1
    assert run[:, 0].min() == pytest.approx(0, abs=0.05)
    assert run[:, 0].max() == pytest.approx(12, abs=0.5)
    # A curl less than 1 mm wide keeps its place and breaks no rule.
    turn = np.linspace(0, 6 * np.pi, 90)
    curl = sewn(np.stack([np.cos(turn), np.sin(turn)], 1) * 0.45) / 10
    steps = np.hypot(*np.diff(curl, axis=0).T)
    assert steps.min() >= 0.5 - 1e-6
    assert np.abs(curl).max() < 1.2


def test_satin_lies_across_the_spine_of_a_stroke(tmp_path, capsys):
    """Two opaque curves, the later above: read back, satin is as wide as the curve and its pull."""
    target = np.full((96, 96, 3), 243, np.uint8)
    target[40:56, 8:88] = (30, 60, 160)
    art = artgen.fit(target, "bezier", count=2, size=96, steps=2, seed=1)
    tensors = art.drawing.tensors
    # The first is bent, 4 mm wide on a design of 80 mm; the other crosses it.
    genes = [[-0.9, 0.2, 0.0, -0.5, 0.9, 0.2, 0.05], [0.3, -0.9, 0.3, 0.0, 0.3, 0.9, 0.03]]
    tensors["alpha"][:] = 1
    tensors["genes"][:] = tensors["genes"].new_tensor(genes).T
    tensors["colour"][:] = tensors["colour"].new_tensor([[0.1, 0.2, 0.6], [0.8, 0.1, 0.1]]).T
    motif = Motif("curves", art)
    top, spines = motif.strokes(400, 400)
    assert set(np.unique(top)) == {-1, 0, 1}
    assert len(spines) == 2
    art.save(tmp_path / "curves.art")
    line = ["make", "embroidery", str(tmp_path / "curves.art"), "--width", "80mm", "-q"]
    fabric = "#" + bytes(motif.pixels(96)[0, 0]).hex()
    assert main([*line, "--out", str(tmp_path), "--fabric", fabric]) == 0
    seen = np.stack([np.asarray(spine, float) for spine in spines]) * 80 / 400 - 40
    blue, red = sewn_in(tmp_path / "curves-embroidery" / "design.dst")
    for runs, spine, wide in ((blue, seen[0], 4.0), (red, seen[1], 2.4)):
        steps = np.concatenate([np.diff(run, axis=0) for run in runs]) / 10
        middles = np.concatenate([(run[1:] + run[:-1]) / 2 for run in runs]) / 10
        long = np.hypot(*steps.T)
        across = long > 0.8 * wide
        assert across.mean() > 0.7
        assert np.median(long[across]) == pytest.approx(wide + 0.4, abs=0.3)
        near = np.hypot(*(middles[across][:, None] - spine[:-1]).transpose(2, 0, 1)).argmin(1)
        along = np.diff(spine, axis=0)[near]
        cosine = (steps[across] * along).sum(1) / np.hypot(*along.T) / long[across]
        assert np.median(np.abs(cosine)) < 0.1
        assert 0.5 - 1e-6 <= long.min() <= long.max() <= 7


def test_soft_strokes_are_sewn_as_areas(tmp_path, monkeypatch):
    """Strokes that let others through have no edge to sew along: no spine reaches the stitches."""
    target = np.full((48, 48, 3), 243, np.uint8)
    target[20:28, 4:44] = (30, 60, 160)
    art = artgen.fit(target, "bezier", count=2, size=48, steps=2, seed=1)
    tensors = art.drawing.tensors
    genes = [[-0.5, -0.9, -0.5, 0.0, -0.5, 0.9, 0.5], [-0.9, 0.0, 0.0, 0.0, 0.9, 0.0, 0.6]]
    tensors["genes"][:] = tensors["genes"].new_tensor(genes).T
    tensors["colour"][:] = tensors["colour"].new_tensor([[0.0, 0.0, 0.0], [0.8, 0.1, 0.1]]).T
    laid = []
    blocks = Embroidery.blocks
    monkeypatch.setattr(
        Embroidery, "blocks", lambda self, *given: laid.append(given[-1]) or blocks(self, *given)
    )
    for alpha, count in ((1.0, 2), (0.4, 0)):
        tensors["alpha"][:] = alpha
        made = Embroidery({"width": 30.0}).make(Motif("curves", art))
        assert len(laid[-1]) == count
        assert "design.dst" in made.files


def test_a_stroke_is_sewn_where_it_is_narrow_and_seen():
    spines = [np.array([[10.0, 40], [90, 40]])]
    assert satin(np.ones((80, 100), bool), 0.2, THREAD, spines[0]) == []
    bar = np.zeros((80, 100), bool)
    bar[30:50, 10:90] = True
    line, across = satin(bar, 0.2, THREAD, spines[0])
    assert np.ptp(line[:, 0]) > 13
    assert np.median(np.hypot(*np.diff(across, axis=0).T)) == pytest.approx(4.4, abs=0.3)
    # What hides its middle ends a stroke: a column that leaves out so much is none.
    bar[:, 40:60] = False
    assert satin(bar, 0.2, THREAD, spines[0]) == []
    assert satin(bar, 0.2, THREAD, spines[0] + [0, 300]) == []


@pytest.mark.parametrize(
    ("primitive", "options", "genes"),
    [
        ("glyph", {"text": "8", "font": "DejaVuSans"}, [0.0, 0.0, 1.8, 0.0, 0.5]),
        # Two copies of which the one is partly above the other.
        ("triangle", {"symmetry": "mirror"}, [-0.3, -0.9, 0.2, 0.0, -0.3, 0.9]),
    ],
)
def test_parts_are_where_they_are_painted(primitive, options, genes):
    white = np.full((64, 64, 3), 255, np.uint8)
    art = artgen.fit(white, primitive, count=1, size=64, steps=2, seed=1, **options)
    tensors = art.drawing.tensors
    tensors["genes"][:] = tensors["genes"].new_tensor([genes]).T
    tensors["alpha"][:], tensors["colour"][:] = 1, 0
    motif = Motif(primitive, art)
    shown = motif.pixels(64)[..., 0]
    inside, outside = shown == 0, shown == 255
    assert min(inside.sum(), outside.sum()) > 400
    for place in (motif.strokes(64, 64)[0] == 0, np.isfinite(motif.directions(64, 64))):
        assert place[inside].all()
        assert not place[outside].any()


def test_rows_lie_along_the_parts_of_a_drawing():
    target = np.full((48, 96, 3), 245, np.uint8)
    target[12:36, 8:88] = (30, 60, 160)
    options = {"count": 1, "size": 96, "steps": 3, "seed": 1, "backend": "eager"}
    motif = Motif("bar", artgen.fit(target, "rotated_rectangle", **options))
    ways, shown = motif.directions(96, 48), motif.pixels(96).astype(int)
    known, drawn = np.isfinite(ways), np.abs(shown - shown[0, 0]).max(2) > 8
    assert drawn.sum() > 50
    assert (known ^ drawn).sum() < 0.15 * drawn.sum()
    y, x = np.nonzero(drawn)
    longest = np.linalg.eigh(np.cov(x, y))[1][:, 1]
    [angle] = np.unique(ways[known])
    assert abs(longest @ [np.cos(angle), np.sin(angle)]) > 0.99
    assert not np.isfinite(Motif("photo", photo=target).directions(4, 4)).any()
    bar = target[..., 0] < 100
    order, unit = np.where(bar, 0, -1), 0.5
    maker = Embroidery()
    turned = np.where(bar, 0.6, np.nan)
    flat = np.zeros((48, 96, 3))
    [block] = maker.blocks(flat, turned, order, [Colour("1", "blue", "#1e3ca0")], unit, order)
    steps = np.concatenate([np.diff(run, axis=0) for run in block.runs])
    long = steps[np.hypot(*steps.T) > 20]
    along = np.abs(long @ [np.cos(0.6), np.sin(0.6)]) / np.hypot(*long.T)
    assert np.median(along) > 0.99


def test_an_area_narrower_than_the_rows_are_apart_is_sewn():
    """Rows 2 mm apart passed beside it."""
    order = np.full((60, 60), -1)
    order[22:27, 10:22] = 0
    ways = np.where(order == 0, 0.0, np.nan)
    for spacing in (0.4, 2.0):
        maker, blue = Embroidery({"spacing": spacing, "least": 0.6}), Colour("1", "blue", "#1e3ca0")
        [block] = maker.blocks(np.zeros((60, 60, 3)), ways, order, [blue], 0.15, order)
        assert np.ptp(np.concatenate(block.runs)[:, 0]) == pytest.approx(22, abs=3)


def test_threads_are_those_of_the_chart():
    for kind, count, white in (("dmc", 400, "B5200"), ("brother", 60, "29"), ("janome", 70, "001")):
        sold = sold_threads(kind)
        assert len(sold) >= count
        assert white in {each.number for each in sold}
        assert all(re.fullmatch("#[0-9a-f]{6}", each.colour) for each in sold)
    with pytest.raises(UsageError, match="use dmc, brother, janome"):
        sold_threads("gold")


@pytest.mark.parametrize("angle", [0.0, 0.7, 2.0])
def test_rows_lie_side_by_side_in_their_direction(angle):
    y, x = np.mgrid[:150, :150]
    disk = np.hypot(x - 75, y - 75) < 70
    [run] = rows(disk, 0.2, angle, THREAD)
    across = run @ [-np.sin(angle), np.cos(angle)]
    turns = np.diff(np.unique(across.round(6)))
    assert turns == pytest.approx(np.full(len(turns), 0.4))
    steps = np.hypot(*np.diff(run, axis=0).T)
    assert steps.min() > 0.4
    assert steps.max() < 7


def test_thread_is_cut_where_it_would_be_seen():
    free = np.zeros((100, 100), bool)
    free[40:60] = True
    parts = [np.array([[1.0, 10], [3, 10]]), np.array([[12.0, 10], [14, 10]])]
    hidden: list[np.ndarray] = []
    joined(parts, hidden, Ways(free, 0.2), seen=True)
    assert len(hidden) == 1
    free[:, 40:44] = False
    seen: list[np.ndarray] = []
    joined(parts, seen, Ways(free, 0.2), seen=True)
    assert len(seen) == 2


def test_a_run_is_tied_and_what_is_too_short_goes():
    run = sewn(np.array([[0.0, 0], [0.1, 0], [20, 0]]))
    steps = np.abs(np.diff(run[:, 0]))
    assert steps.min() >= 5
    assert steps.max() <= 70
    assert (np.diff(run[:, 0]) < 0).sum() == 2
    assert len(sewn(np.array([[0.0, 0], [0.3, 0]]))) == 0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--width", "0"], "width must be"),
        (["--width", "400", "--spacing", "0.25"], "120,000 are the most"),
        (["--width", "10", "--least", "5"], "cannot be sewn"),
        (["--hoop", "100x50"], "does not fit a hoop of 100x50 mm"),
        (["--hoop", "large"], "is no size"),
        (["--fabric", "redd"], "redd"),
        (["--bare", "100"], "is as the fabric everywhere"),
        (["--colours", "0"], "colours must be"),
    ],
)
def test_what_cannot_be_sewn_is_refused(flags, words, empty_folder, monkeypatch, capsys):
    if flags[0] != "--bare":
        monkeypatch.setattr(Motif, "picture", lambda *size: pytest.fail("drawn"))
    assert main(["make", "embroidery", "sample:cat", "--areas", "20", *flags]) == 2
    assert words in capsys.readouterr().err
    assert not Path("artgen-out").exists()


@pytest.mark.parametrize(
    ("line", "package", "extra"),
    [
        (["embroidery"], "pyembroidery", "embroidery"),
        *(
            ([kind, "--dxf"], "ezdxf", "dxf")
            for kind in ("paper", "glass", "stencil", "block", "quilt")
        ),
    ],
)
def test_without_the_package_the_extra_is_named(
    line, package, extra, empty_folder, capsys, monkeypatch
):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: None if name == package else found(name, *a)
    )
    assert main(["make", line[0], "sample:cat", *line[1:]]) == 2
    assert f"pip install 'artgen[{extra}]'" in capsys.readouterr().err
