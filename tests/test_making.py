"""`artgen make`: things from drawings and photos, and what all kinds of things share."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import re
import tracemalloc
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import ezdxf
import numpy as np
import pytest
import trimesh
from helpers import filled
from PIL import Image
from scipy.ndimage import distance_transform_edt
from skimage import data
from skimage.color import rgb2lab
from skimage.measure import label

from artgen import Canvas, load
from artgen.cli import main
from artgen.errors import UsageError
from artgen.making import Maker, Motif, lengths_of, parse_colour
from artgen.output import read_recipe
from artgen.registry import Registry
from artgen.targets import linear_to_srgb, srgb_to_linear
from artgen.testing import examine
from artgen.testing.maker import FLAGS
from artgen_makers.cutting import finer_than
from artgen_makers.string import String

SMALL = ["--nails", "40", "--board", "12cm", "--thread", "0.6mm", "-q"]


def rows(path: Path) -> list[dict[str, str]]:
    """A table without the line that says how it was made."""
    first, *table = path.read_text(encoding="utf-8").splitlines()
    assert first.startswith("# artgen ")
    return list(csv.DictReader(table))


def pages(path: Path) -> list[str]:
    """The operators of the pages of a PDF, and the objects that its table of places names."""
    data = path.read_bytes()
    start = int(re.search(rb"startxref\n(\d+)", data)[1])
    places = re.findall(rb"(\d{10}) 00000 n", data[start:])
    for number, place in enumerate(places, 1):
        assert data[int(place) :].startswith(b"%d 0 obj" % number)
    contents = re.findall(rb"/Contents (\d+) 0 R", data)
    streams = []
    for number in contents:
        body = data[int(places[int(number) - 1]) :]
        length = int(re.search(rb"/Length (\d+)", body)[1])
        begin = body.index(b"stream\n") + 7
        streams.append(zlib.decompress(body[begin : begin + length]).decode("latin-1"))
    return streams


@pytest.fixture(scope="module")
def wound(tmp_path_factory) -> Path:
    """The folder of a small piece of string art."""
    out = tmp_path_factory.mktemp("wound")
    assert main(["make", "string", "sample:cat", *SMALL, "--out", str(out)]) == 0
    return out / "cat-string"


def test_lengths_are_millimetres():
    string = Registry(environ={}).load("maker", "string")
    read = lengths_of(string, {"board": "40cm", "thread": "0.2mm", "nail": "2", "nails": "12"})
    assert read == {"board": 400, "thread": 0.2, "nail": 2, "nails": 12}
    assert lengths_of(string, {"board": "10in"})["board"] == pytest.approx(254)


def test_a_text_of_digits_stays_a_text():
    """`--only 310` was read as a number, and refused."""
    stitch = Registry(environ={}).load("maker", "cross-stitch")
    assert lengths_of(stitch, {"only": "310"}) == {"only": "310"}
    assert [each.name for each in stitch({"only": "310"}).choices()] == ["Black"]


def test_a_photo_may_be_piped(empty_folder, monkeypatch, capsys):
    photo = io.BytesIO()
    Image.new("RGB", (9, 6), "teal").save(photo, "PNG")
    piped = SimpleNamespace(isatty=lambda: False, buffer=io.BytesIO(photo.getvalue()))
    monkeypatch.setattr("sys.stdin", piped)
    assert main(["make", "cross-stitch", "-", "--columns", "9", "--json", "-q"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["source"] == "-"
    assert "artgen-out/stdin-cross-stitch/parts.csv" in told["outputs"]


def test_levels_of_a_photo_become_light_once(monkeypatch):
    sizes: list[int] = []
    photo = np.random.default_rng(1).integers(0, 256, (40, 60, 3), np.uint8)
    monkeypatch.setattr(
        "artgen.making.srgb_to_linear", lambda each: sizes.append(each.size) or srgb_to_linear(each)
    )
    made = Motif("photo", photo=photo).picture(6, 4)
    light = srgb_to_linear((photo / 255).astype(np.float32)).reshape(4, 10, 6, 10, 3).mean((1, 3))
    assert np.abs(255 * linear_to_srgb(light) - made).max() < 0.51
    assert sizes == [256]


def test_string_art_has_all_its_files(wound):
    names = {path.name for path in wound.iterdir()}
    assert names == {
        *("drawing.art", "guide-a4.pdf", "guide-letter.pdf", "parts.csv", "parts.json"),
        *("picture.png", "read-aloud.html", "sequence.csv", "sequence.txt"),
    }
    recipe = json.loads(read_recipe(wound / "drawing.art"))
    for name in ("guide-a4.pdf", "parts.json", "picture.png", "read-aloud.html"):
        assert json.loads(read_recipe(wound / name)) == recipe
    for name in ("guide-a4.pdf", "sequence.txt", "read-aloud.html"):
        is_pdf = name.endswith(".pdf")
        text = "".join(pages(wound / name)) if is_pdf else (wound / name).read_text("utf-8")
        assert "artgen make string sample:cat --nails 40 --board 120.0 --thread 0.6" in text


def test_the_sequence_is_the_drawing(wound):
    art = load(wound / "drawing.art")
    marks = art.primitive().unpack(art.drawing.tensors)
    steps = rows(wound / "sequence.csv")
    places = np.array([[float(row["x in mm"]), float(row["y in mm"])] for row in steps])
    # The board has 60 mm for each unit of the canvas.
    assert np.abs(places[1:] - (marks.strokes[:, 2:4] * 60 + 60)).max() < 0.01
    written = (wound / "sequence.txt").read_text().splitlines()[-1]
    assert written.split() == [row["nail"] for row in steps]
    [page] = re.findall(r"const data = (\{.*\}), \$", (wound / "read-aloud.html").read_text())
    assert [[str(nail) for nail in nails] for _, nails in json.loads(page)["threads"]] == [
        written.split()
    ]


def test_the_parts_are_those_of_the_sequence(wound):
    board, nails, thread = rows(wound / "parts.csv")
    assert (board["name"], nails["number"]) == ("120 x 120 mm", "40")
    steps = rows(wound / "sequence.csv")
    places = np.array([[float(row["x in mm"]), float(row["y in mm"])] for row in steps])
    straight = np.hypot(*np.diff(places, axis=0).T).sum()
    assert straight < float(thread["length in mm"]) < straight + 4 * len(steps)
    assert json.loads((wound / "parts.json").read_bytes())["parts"][2]["length"] > 0


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_the_template_is_as_large_as_the_board(wound, paper):
    shown = pages(wound / f"guide-{paper}.pdf")
    data = (wound / f"guide-{paper}.pdf").read_bytes()
    assert b"/BBox [0 0 120 120]" in data
    # Each number is whole on a page, upright, and in a white rim.
    template = "".join(page for page in shown if "Template" in page)
    assert {int(n) for n in re.findall(r" Tm \((\d+)\) Tj ET Q", template)} == set(range(1, 41))
    ticks = [page for page in shown if "Thread 1" in page]
    lines = len(rows(wound / "sequence.csv"))
    assert sum(page.count(" 3 3 re S") for page in ticks) == lines


def test_the_thread_is_as_wide_as_asked_for(wound):
    """What is seen is what is made: the picture has the thread's width on this board."""
    recipe = json.loads(read_recipe(wound / "drawing.art"))
    assert recipe["primitive"]["width"] == pytest.approx(2 * 0.6 / 120)
    with Image.open(wound / "picture.png") as picture:
        assert picture.size == (1600, 1600)


def test_equal_drawings_give_equal_bytes_and_other_boards_others(wound, tmp_path, capsys):
    made = [tmp_path / "a", tmp_path / "b"]
    for out in made:
        line = ["make", "string", str(wound / "drawing.art"), *SMALL[2:-1], "--out", str(out)]
        assert main(line) == 0
    assert "threads of" not in capsys.readouterr().err
    files = [sorted((out / "drawing-string").iterdir()) for out in made]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    # A drawing made again without `--thread` took another one silently.
    assert main([*line[:3], "--board", "60cm", "--out", str(tmp_path / "c")]) == 0
    told = capsys.readouterr().err
    assert "made for threads of 3 mm on a board of 600 mm: in 0.15 mm it is paler" in told
    made_of = json.loads((made[0] / "drawing-string" / "parts.json").read_bytes())["made"]
    assert "nails" not in made_of["options"], "those of the drawing are not known"
    [_, _, thread] = rows(tmp_path / "c" / "drawing-string" / "parts.csv")
    [_, _, shorter] = rows(wound / "parts.csv")
    assert float(thread["length in mm"]) > 3 * float(shorter["length in mm"])


def test_a_limit_of_lines_at_a_nail_holds(wound, tmp_path):
    line = ["make", "string", str(wound / "drawing.art"), "--limit", "6", *SMALL[2:]]
    assert main([*line, "--out", str(tmp_path)]) == 0
    steps = [row["nail"] for row in rows(tmp_path / "drawing-string" / "sequence.csv")]
    before = [row["nail"] for row in rows(wound / "sequence.csv")]
    assert max(map(before.count, before)) > 6
    assert max(map(steps.count, steps)) <= 6
    assert all(one != other for one, other in pairwise(steps))
    assert len(steps) > 60


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["string", "sample:cat", "--board", "50mm"], 2, "mm apart on a board of 50 mm"),
        (["string", "sample:cat", "--board", "0mm"], 2, "option board must be"),
        (
            ["string", "sample:cat", "--thread", "9mm", "--board", "99mm", "--nails", "9"],
            2,
            "too thick",
        ),
        (["string", "sample:cat", "--nails", "20", "--thread", "0.05mm"], 2, "use --nails"),
        (["string", "sample:cat", "--limit", "3"], 2, "leaves no thread"),
        (["string", "sample:cat", "--bord", "40cm"], 2, "did you mean board"),
        (["string", "sample:cat", "--inks", "redd"], 2, "redd"),
        (["string", "missing.jpg"], 3, "missing.jpg does not exist"),
        (["string", "curve:sin(x)"], 3, "is no picture"),
        (["strings", "sample:cat"], 4, "unknown maker 'strings'"),
        (["string"], 2, "make needs a kind, then a file"),
        (["photo.jpg", "string"], 2, "make needs a kind, then a file"),
        (["beads", ""], 2, "make needs a kind, then a file"),
        (["swatches", "photo.jpg"], 2, "swatches takes no file\nhint: write artgen make swatches;"),
        # A flag that may have a value took the file for it.
        (["beads", "--dither", "photo.jpg"], 2, "flags after the file"),
        (["string", "sample:cat", "--frame", "M0 0"], 3, "frame"),
        (["string", "sample:cat", "--frame", "no.svg"], 3, "directory\nhint: check the path"),
        (["string", "sample:cat", "--inks", ""], 2, "colour"),
        (["string", "sample:cat", "--nails", "-3", "-q"], 2, "got -3"),
        (["string", "sample:cat", "--set", "nails"], 2, "--set 'nails' is not KEY=VALUE"),
    ],
)
def test_what_cannot_be_made_is_refused(line, code, words, empty_folder, capsys):
    assert main(["make", *line]) == code
    assert words in capsys.readouterr().err
    assert not Path("artgen-out").exists()


def test_other_drawings_and_folders_that_exist_are_refused(wound, tmp_path, capsys):
    import artgen

    art = artgen.fit(
        np.zeros((8, 8, 3), np.uint8), "triangle", count=2, steps=2, seed=1, backend="eager"
    )
    art.save(tmp_path / "other.art")
    line = ["make", "string", str(tmp_path / "other.art"), "--out", str(tmp_path)]
    assert main(line) == 2
    assert "is not a drawing of the primitive string" in capsys.readouterr().err
    # Folders are looked at alike for all kinds, of which beads are laid at once.
    line = ["make", "beads", str(wound / "drawing.art"), "--columns", "8", "--out", str(tmp_path)]
    assert main(line) == 0
    assert main(line) == 2
    assert "drawing-beads exists" in capsys.readouterr().err
    assert main([*line, "--overwrite"]) == 0
    foreign = tmp_path / "drawing-beads" / "picture.png"
    Image.new("RGB", (2, 2)).save(foreign)
    assert main([*line, "--overwrite"]) == 2
    assert "was not written by artgen" in capsys.readouterr().err


def test_a_hint_of_making_names_no_option_of_another_command(empty_folder, capsys):
    import artgen

    artgen.fit("sample:cat", "mlp", hidden=4, layers=1, steps=1, size=16, seed=1).save("a.art")
    assert main(["make", "plotter", "a.art"]) == 2
    told = capsys.readouterr().err
    assert "mlp is a field: it has no parts that a pen could draw" in told
    assert "-o" not in told


def test_what_an_option_reads_is_not_replaced(empty_folder, capsys):
    """The picture of an earlier thing was the depth of a new one, which took its place."""
    Image.linear_gradient("L").save("photo.png")
    line = ["make", "lithophane", "photo.png", "--width", "2cm", "--detail", "2", "--name", "thing"]
    assert main(line) == 0
    picture = empty_folder / "artgen-out" / "thing" / "picture.png"
    before = picture.read_bytes()
    line = ["make", "paper", "photo.png", "--width", "8cm", "--layers", "2", "--name", "thing"]
    assert main([*line, "--depth", str(picture), "--overwrite"]) == 2
    assert "cannot be both read and written" in capsys.readouterr().err
    assert picture.read_bytes() == before


def test_kinds_are_listed_with_their_options(capsys):
    assert main(["make", "--list"]) == 0
    assert "string" in capsys.readouterr().out
    assert main(["make", "string", "--list", "--json"]) == 0
    names = [each["name"] for each in json.loads(capsys.readouterr().out)["options"]]
    assert "board" in names


def test_places_to_paint_are_counted_numbered_and_wide_enough(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paints = Path("paints.csv")
    paints.write_text("\ufeffname,colour\nWhite,#ffffff\nBlack,#101010\nSienna,#7a3b1e\n", "utf-8")
    line = ["make", "paint", "sample:cat", "--width", "15cm", "--regions", "60", "--brush", "4mm"]
    line += ["--dxf", "--kerf", "0.2"]
    assert main([*line, "--paints", "paints.csv", "--colours", "7", "-q"]) == 0
    made = Path("artgen-out/cat-paint")
    colours = rows(made / "colours.csv")
    assert 3 <= len(colours) <= 7
    mixed = [re.findall(r"[A-Z]\w+", each["mixture"]) for each in colours]
    named = [f"{each['number']} ({each['mixture']})" for each in colours]
    assert [each["name"] for each in rows(made / "parts.csv")][: len(named)] == named
    assert {name for names in mixed for name in names} == {"White", "Black", "Sienna"}
    assert max(len(names) for names in mixed) == 2
    svg = (made / "outlines.svg").read_text("utf-8")
    numbers = re.findall(r">(\d+)</text>", svg)
    for each in colours:
        assert numbers.count(each["number"]) == int(each["places"]) > 0
    area = sum(float(each["square cm"]) for each in colours)
    high = float(re.search(r'viewBox="-0.1 -0.1 150.20 ([\d.]+)"', svg)[1]) - 0.2
    assert area == pytest.approx(15 * high / 10, rel=0.01)
    drawing = ezdxf.readfile(made / "outlines.dxf").modelspace()
    lines = drawing.query("POLYLINE")
    *engraved, edge = ([tuple(p)[:2] for p in each.points()] for each in lines)
    assert [each.dxf.layer for each in lines] == ["ENGRAVE"] * len(engraved) + ["CUT"]
    assert np.ptp(edge, axis=0) == pytest.approx([150.2, high + 0.2], abs=0.01)
    assert sorted(each.dxf.text for each in drawing.query("TEXT")) == sorted(numbers)
    paths = re.search(r'<path d="M([^"]+)"', svg)[1].split("M")
    for one, path in zip(engraved, paths, strict=True):
        other = np.array([pair.split(",") for pair in path.split("L")], float)
        assert np.abs(one - (other * [1, -1] + [0, high])[: len(one)]).max() < 0.01
    parts = {each["name"].split()[0]: each["number"] for each in rows(made / "parts.csv")}
    assert all(parts[each["number"]] == each["places"] for each in colours)
    first = {path.name: path.read_bytes() for path in made.iterdir()}
    assert main([*line, "--paints", "paints.csv", "--colours", "7", "-q", "--overwrite"]) == 0
    assert first == {path.name: path.read_bytes() for path in made.iterdir()}


def test_places_fill_a_canvas_that_is_no_whole_number_of_pixels(tmp_path):
    """Lines ended 1.6 mm above the edge, and areas were those of less."""
    from artgen_makers.paint import PaintByNumbers

    photo = np.zeros((126, 250, 3), np.uint8)
    photo[:, 125:] = 255
    maker = PaintByNumbers({"width": 400.0, "brush": 20.0, "colours": 2, "dxf": True})
    files = maker.make(Motif("halves", photo=photo)).files
    svg = files["outlines.svg"].decode()
    [path] = re.findall(r'<path d="M([^"M]+)"', svg)
    points = np.array([pair.split(",") for pair in path.split("L")], float)
    assert sorted(points[[0, -1], 1]) == [0, 201.6]
    table = list(csv.DictReader(files["colours.csv"].decode().splitlines()[1:]))
    assert sum(float(row["square cm"]) for row in table) == pytest.approx(40 * 20.16)
    (tmp_path / "outlines.dxf").write_bytes(files["outlines.dxf"])
    texts = ezdxf.readfile(tmp_path / "outlines.dxf").modelspace().query("TEXT")
    # A size of SVG is that of the font, a height of DXF that of its capitals.
    sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)]
    assert [each.dxf.height for each in texts] == pytest.approx([0.718 * s for s in sizes])


def test_what_is_too_fine_says_which_fit_would_do(wound):
    art = load(wound / "drawing.art")
    [note] = finer_than(Motif("a", art), (400, 300), 2.0, 0.2)
    assert "20 % of the drawing is finer than 2 mm" in note
    # Parts of 6 x 6 mm.
    assert "artgen fit sample:cat -p string -n 3333" in note
    assert finer_than(Motif("a", art), (400, 300), 2.0, 0.01) == []
    assert finer_than(Motif("a", photo=np.zeros((2, 2, 3), np.uint8)), (40, 30), 2.0, 0.5) == []


def test_a_brush_fits_into_each_place():
    from artgen_makers.paint import fillable, poles
    from artgen_plugins.regions import separated

    cells = np.kron(np.random.default_rng(3).integers(0, 4, (14, 18)), np.ones((3, 3), int))
    lab = np.array([[20.0, 0, 0], [50, 40, 0], [70, -30, 0], [90, 0, 60]])
    found = fillable(cells, lab, 4.0)
    assert poles(separated(cells))[:, 2].min() < 4
    assert poles(separated(found))[:, 2].min() >= 4
    assert len(np.unique(found)) > 1
    assert poles(np.zeros((9, 21), np.int64)).tolist()[0][2] == pytest.approx(4.5, abs=0.6)


def test_a_mixture_is_darker_than_the_mean_and_nearer_to_the_darker_paint():
    from artgen_makers.paint import Paint, mixtures

    white, black = (Paint(n, np.full(3, v)) for n, v in (("White", 0.97), ("Black", 0.1)))
    tones = {each.name: float(each.colour[0]) for each in mixtures([white, black])}
    assert tones["1 White + 1 Black"] < 0.4 < tones["24 White + 1 Black"] < 0.97
    assert list(tones.values())[2:] == sorted(list(tones.values())[2:], reverse=True)


def test_help_says_whose_numbers_bricks_have(capsys):
    """`--only 26` is another colour in the shops than in the table, which is LDraw's."""
    assert main(["make", "bricks", "--list"]) == 0
    assert "LDraw's numbers" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("class Bad(Maker):\n    def make(self, motif): return 3", "gave no files of bytes"),
        ("class Bad(Maker):\n    def make(self, motif): return 1 / 0", "ZeroDivisionError"),
        (
            "class Bad(Maker):\n    def make(self, motif):\n        files = {'parts.csv': b'x'}"
            "\n        return Made(files, [Part('tile', number=4)], motif.picture(2, 2))",
            "gave parts.csv, which artgen writes",
        ),
        (
            "class Bad(Maker):\n    def make(self, motif):\n        parts = [Part('tile', '', 'red')]"
            "\n        return Made({}, parts, motif.picture(2, 2))",
            "gave a part of colour 'red'",
        ),
        (
            "class Bad(Maker):\n    def make(self, motif):"
            "\n        return Made({}, [('tile', 4)], motif.picture(2, 2))",
            "gave the part ('tile', 4)",
        ),
        ("class Bad(Maker):\n    def mend(self): return 3", "does not define make"),
        ("def Bad(motif): return 3", "not a subclass of artgen.making.Maker"),
        (
            "class Bad(Maker):\n    def make(self, motif):\n        shown = motif.picture(2, 2) / 255"
            "\n        return Made({}, [Part('tile', number=4)], shown)",
            "pixels are uint8 [h, w, 3|4], not float64",
        ),
    ],
)
def test_mistakes_of_a_maker_name_its_line(source, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    hook = '@artgen.hookimpl\ndef artgen_makers(): return [artgen.Spec("bad", "Bad.", Bad)]\n'
    head = "import artgen\nfrom artgen.making import Made, Maker, Part\n"
    source = source.replace("Maker):", "Maker):\n    takes_photos = True")
    Path("bad.py").write_text(f"{head}{source}\n{hook}")
    assert main(["make", "bad", "sample:cat", "--plugin", "bad.py"]) == 4
    told = capsys.readouterr().err
    assert words in told
    assert "bad.py" in told


def test_no_option_is_called_like_a_flag_of_the_command(tmp_path, capsys):
    """`--name` of such a kind named the folder; its option could not be set by a flag."""
    assert main(["make", "--help-all"]) == 0
    shown = {each.replace("-", "_") for each in re.findall(r"--([a-z-]+)", capsys.readouterr().out)}
    assert shown - {"board"} == FLAGS
    Path(tmp_path / "signs.py").write_text(
        "import dataclasses\nimport artgen\n\n\n@dataclasses.dataclass(frozen=True)\n"
        'class Words:\n    name: str = artgen.option("", "what it says")\n\n\n'
        "class Sign(artgen.making.Maker):\n    Options = Words\n\n"
        "    def make(self, motif):\n        return self.options.name\n\n\n@artgen.hookimpl\n"
        'def artgen_makers():\n    return [artgen.Spec("sign", "A sign.", Sign)]\n'
    )
    registry = Registry(files=[tmp_path / "signs.py"], environ={})
    found = {each.check: each.detail for each in examine(registry.find("maker", "sign"), registry)}
    assert "cannot set the option 'name'" in found["makes"]


def test_a_switch_takes_no_flag_for_its_value(empty_folder):
    """`--dither -q` was read as an option dither of the value -q."""
    line = ["make", "beads", "sample:cat", "--columns", "9", "--dither", "-q"]
    assert main(line) == 0
    assert json.loads(Path("artgen-out/cat-beads/parts.json").read_bytes())["made"]["options"][
        "dither"
    ]


def test_a_maker_without_options_is_one():
    assert Maker().recipe(np.zeros((1, 1, 3), np.uint8)) == {}


GRIDS = ("cross-stitch", "beads", "bricks")
FEW = ["sample:cat", "--columns", "24", "--colours", "6", "-q"]


@pytest.fixture(scope="module")
def grids(tmp_path_factory) -> dict[str, Path]:
    """A small thing of each kind on a grid."""
    out = tmp_path_factory.mktemp("grids")
    for kind in GRIDS:
        assert main(["make", kind, *FEW, "--out", str(out)]) == 0
    return {kind: out / f"cat-{kind}" for kind in GRIDS}


def test_what_is_transparent_is_white(tmp_path):
    """Around a cut-out bird lay a thousand black stitches."""
    clear = np.zeros((40, 40, 4), np.uint8)
    clear[10:30, 10:30] = 200, 20, 30, 255
    Image.fromarray(clear).save(tmp_path / "sticker.png")
    line = ["beads", str(tmp_path / "sticker.png"), "--columns", "8", "--colours", "2", "-q"]
    assert main(["make", *line, "--out", str(tmp_path), "--name", "laid"]) == 0
    chart = chart_of(tmp_path / "laid")
    colours = dict(csv_colours(tmp_path / "laid"))
    assert min(parse_colour(colours[chart[0][0]])) > 0.8
    assert parse_colour(colours[chart[4][4]])[1] < 0.4


def csv_colours(folder: Path) -> list[tuple[str, str]]:
    parts = json.loads((folder / "parts.json").read_text())["parts"]
    return [(part["name"].split()[1], part["colour"]) for part in parts if part["what"] == "bead"]


def chart_of(folder: Path) -> list[list[str]]:
    first, *table = (folder / "chart.csv").read_text().splitlines()
    assert first.startswith("# artgen ")
    return [line.split(",") for line in table]


@pytest.mark.parametrize("kind", GRIDS)
def test_counts_in_the_list_are_those_of_the_chart(grids, kind):
    numbers = [number for row in chart_of(grids[kind]) for number in row]
    assert len(set(numbers)) <= 6
    what = {"cross-stitch": "floss", "beads": "bead", "bricks": "plate"}[kind]
    parts = [row for row in rows(grids[kind] / "parts.csv") if row["what"].startswith(what)]
    cells = dict.fromkeys(("floss", "bead"), 1)
    counted = 0
    for part in parts:
        size = part["what"].removeprefix("plate ")
        each = cells.get(size) or int(size[0]) * int(size[2])
        counted += each * int(part["number"])
    assert counted == len(numbers)
    table = {f"#{colour}": number for number, colour in colours_of(kind)}
    assert {table[part["colour"]] for part in parts} == set(numbers)


def colours_of(kind: str) -> list[tuple[str, str]]:
    from artgen_makers.grids import read_table

    name = {"cross-stitch": "dmc", "beads": "hama"}.get(kind, kind)
    return [(each.number, each.colour[1:]) for each in read_table(name)]


@pytest.mark.parametrize("kind", GRIDS)
def test_every_symbol_of_the_chart_is_on_paper(grids, kind):
    """Pages of A4 and letter show each cell in full strength once."""
    cells = sum(map(len, chart_of(grids[kind])))
    for paper in ("a4", "letter"):
        charts = [page for page in pages(grids[kind] / f"guide-{paper}.pdf") if "(Chart:" in page]
        shown = sum(
            len(re.findall(r"BT 0 0 0 rg /F \S+ Tf 1 0 0 -1 \S+ \S+ Tm \(.\) ", p)) for p in charts
        )
        # Rulers begin with the number of the first cell, which is no symbol.
        assert shown - sum(p.count("(1) ") for p in charts) == cells
        assert not any("(0) " in p for p in charts)


def test_a_large_chart_shares_rows_and_columns_between_sheets(tmp_path):
    line = ["make", "cross-stitch", "sample:cat", "--columns", "90", "--colours", "3", "-q"]
    assert main([*line, "--out", str(tmp_path)]) == 0
    charts = [p for p in pages(tmp_path / "cat-cross-stitch" / "guide-a4.pdf") if "(Chart:" in p]
    assert len(charts) == 2
    assert "columns 61 to 90" in charts[1]
    assert "0.6 0.6 0.6 rg" in charts[1]
    assert "0.6 0.6 0.6 rg" not in charts[0]


def test_no_sheet_of_beads_goes_from_one_board_to_the_next(tmp_path):
    """Where a board is larger than the paper, sheets were as wide as the paper all along."""
    from artgen_makers.grids import Beads

    photo = np.zeros((30, 80, 3), np.uint8)
    maker = Beads({"columns": 80, "board": 50, "colours": 2, "crisp": 0.0})
    (tmp_path / "guide.pdf").write_bytes(maker.make(Motif("x", photo=photo)).files["guide-a4.pdf"])
    charts = re.findall(r"\(Chart: columns (.*?), rows", "".join(pages(tmp_path / "guide.pdf")))
    assert charts == ["1 to 35", "36 to 50", "51 to 80"]


def test_the_chart_for_programs_is_open_cross_stitch(grids):
    from xml.etree import ElementTree

    root = ElementTree.parse(grids["cross-stitch"] / "chart.oxs").getroot()
    # Those that read it may ask for these three.
    assert None not in [root.find(each) for each in ("properties", "fullstitches", "backstitches")]
    names = [item.get("number").removeprefix("DMC ") for item in root.find("palette")]
    assert names[0] == "cloth"
    chart = chart_of(grids["cross-stitch"])
    stitches = root.findall("fullstitches/stitch")
    assert len(stitches) == sum(map(len, chart))
    for stitch in stitches:
        x, y, index = (int(stitch.get(key)) for key in ("x", "y", "palindex"))
        assert names[index] == chart[y][x]


def test_plates_cover_each_cell_once_in_its_colour(grids):
    chart = chart_of(grids["bricks"])
    covered: dict[tuple[int, int], str] = {}
    plates = rows(grids["bricks"] / "plates.csv")
    for plate in plates:
        row, column, high, wide = (int(plate[k]) for k in ("row", "column", "rows", "columns"))
        for y in range(row - 1, row - 1 + high):
            for x in range(column - 1, column - 1 + wide):
                assert (y, x) not in covered
                covered[y, x] = plate["colour"]
    assert covered == {(y, x): c for y, r in enumerate(chart) for x, c in enumerate(r)}
    assert len(plates) < len(covered) / 2


def test_seams_of_plates_are_staggered():
    """In a field of one colour no seam runs on from the row above, wherever it can be helped."""
    from artgen_makers.bricks import Bricks
    from artgen_makers.grids import read_table

    plain = np.zeros((6, 12), np.int64)
    plates = Bricks({"plates": "1x4,1x3,1x2,1x1"}).laid_out(plain, read_table("bricks")[:1])
    ends = {(each.row, each.column + each.columns) for each in plates} - {(r, 12) for r in range(6)}
    running = sum((row - 1, column) in ends for row, column in ends)
    assert running <= len(ends) / 2


def test_a_plate_is_made_only_where_it_fits(monkeypatch):
    """One was for each size at each stud."""
    from artgen_makers import bricks
    from artgen_makers.grids import read_table

    made, real = [], bricks.Plate
    monkeypatch.setattr(bricks, "Plate", lambda *of: made.append(of) or real(*of))
    cells = np.add.outer(np.arange(9), np.arange(11)) % 2
    plates = bricks.Bricks({}).laid_out(cells, read_table("bricks")[:2])
    assert len(plates) == len(made) == 99


def test_plates_are_looked_through_once_for_all_sheets():
    """They were for each sheet, which took minutes for large mosaics."""
    from artgen_makers.bricks import Bricks
    from artgen_makers.grids import read_table
    from artgen_makers.guide import Guide

    class Counted(list):
        times = 0

        def __iter__(self):
            self.times += 1
            return super().__iter__()

    cells = np.arange(40 * 36).reshape(40, 36) // 7 % 2
    maker, colours = Bricks({}), read_table("bricks")[:2]
    plates = Counted(maker.laid_out(cells, colours))
    maker.laid_out = lambda *_: plates
    guide = Guide(Motif("plain"), "bricks", "a4")
    maker.charts(guide, cells, colours)
    assert plates.times == 1
    shown = [line for page in guide.document.pages for line in page.operators if "0.7 w" in line]
    areas = [np.prod([float(side) for side in line.split()[-4:-2]]) for line in shown]
    assert sum(areas) == pytest.approx(40 * 36 * 8 * 8)
    assert len(guide.document.pages) == 9


def test_a_stock_is_kept_to(tmp_path, empty_folder, capsys):
    stock = Path("stock.csv")
    stock.write_text("size,colour,number\n1x1,White,400\n1x4,White,3\n1x1,0,400\n2x4,0,5\n")
    line = ["make", "bricks", *FEW, "--stock", str(stock)]
    assert main(line) == 0
    parts = rows(Path("artgen-out/cat-bricks/parts.csv"))
    used = {(part["what"], part["name"]): int(part["number"]) for part in parts}
    assert set(used) <= {
        (f"plate {s}", c)
        for s, c in [("1x1", "White"), ("1x4", "White"), ("1x1", "Black"), ("2x4", "Black")]
    }
    assert used["plate 2x4", "Black"] <= 5
    Path("artgen-out/cat-bricks/drawing.art").write_bytes(b"")
    assert main([*line[:-1], str(stock.absolute()), "--overwrite"]) == 0
    files = [each for each in Path("artgen-out/cat-bricks").iterdir() if each.is_file()]
    assert all(str(tmp_path).encode() not in each.read_bytes() for each in files)
    assert "drawing.art" not in {each.name for each in files}
    stock.write_text("1x1,15,10\n1x1,0,10\n")
    assert main([*line, "--overwrite"]) == 2
    assert "the stock is too small: cells left over are" in capsys.readouterr().err
    stock.write_text("1x1,mauve,10\n")
    assert main([*line, "--overwrite"]) == 2
    assert "line 1: '1x1,mauve,10' is no size" in capsys.readouterr().err


def test_colours_are_chosen_better_than_the_most_frequent():
    """Of two chosen colours one is kept for the few cells that nothing else comes close to."""
    from artgen_makers.grids import choose

    # Nearest colours, by frequency, would be the first two: nearly the same.
    apart = np.array([[0.0, 1.0, 90.0], [1.0, 0.0, 80.0], [90.0, 80.0, 0.0]])
    assert sorted(choose(apart, np.array([50.0, 40.0, 10.0]), 2)) in ([0, 2], [1, 2])


def test_the_colours_of_a_drawing_made_of_threads_are_found_again(tmp_path):
    """A picture in colours of the table gets exactly these."""
    from artgen_makers.grids import read_table

    wanted = read_table("dmc")[10:400:97]
    colours = np.array([[int(c.colour[i : i + 2], 16) for i in (1, 3, 5)] for c in wanted])
    chosen = np.arange(64).reshape(8, 8) % len(wanted)
    Image.fromarray(colours[chosen].astype(np.uint8)).save(tmp_path / "known.png")
    line = ["make", "cross-stitch", str(tmp_path / "known.png"), "--columns", "8", "-q"]
    assert main([*line, "--out", str(tmp_path)]) == 0
    chart = chart_of(tmp_path / "known-cross-stitch")
    assert chart == [[wanted[k].number for k in row] for row in chosen]


def test_colours_are_tallied_as_rows_are():
    from artgen_makers.grids import tally

    lab = np.random.default_rng(2).normal(0, 9, (400, 3))
    rows = np.unique(np.rint(lab / 4), axis=0, return_inverse=True, return_counts=True)
    for one, other in zip(tally(lab, 4), rows, strict=True):
        assert np.array_equal(one, other.reshape(one.shape))


def test_confetti_is_swept_on_request():
    from artgen_makers.grids import without_confetti

    cells = np.zeros((9, 9), np.int64)
    cells[2, 2], cells[5:8, 5:8] = 1, 2
    lab = np.array([[0.0, 0, 0], [50, 0, 0], [99, 0, 0]])
    swept = without_confetti(cells.copy(), lab, 1)
    assert (swept == 1).sum() == 0
    assert (swept == 2).sum() == 9
    assert (without_confetti(cells.copy(), lab, 0) == cells).all()


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (["cross-stitch", "--columns", "0"], 2, "option columns must be"),
        (["cross-stitch", "--columns", "900"], 2, "are more than the 250,000"),
        (["cross-stitch", "--columns", "1000000"], 2, "option columns must be"),
        (["cross-stitch", "--count", "0"], 2, "option count must be"),
        (["cross-stitch", "--only", "310,99999"], 2, "dmc has no colour '99999'"),
        (["cross-stitch", "--fabric", "reddd"], 2, "reddd"),
        (["beads", "--brand", "wood"], 2, "there is no table of 5 mm beads of 'wood'"),
        (["beads", "--bead", "4mm"], 2, "--bead 5mm or 2.6mm"),
        (["paint", "--width", "50mm", "--brush", "40mm"], 2, "no room for places of 40 mm"),
        (["paint", "--paints", "missing.csv"], 3, "cannot read paints missing.csv"),
        (["paint", "--colours", "1"], 2, "option colours must be"),
        (["bricks", "--plates", "2x2"], 2, "without 1x1"),
        (["bricks", "--plates", "1x1,9x9"], 2, "there is no plate '9x9'"),
        (["bricks", "--stock", "missing.csv"], 3, "cannot read stock missing.csv"),
    ],
)
def test_what_no_grid_can_be_is_refused(line, code, words, empty_folder, capsys):
    kind, *flags = line
    assert main(["make", kind, "sample:cat", *flags]) == code
    assert words in capsys.readouterr().err
    assert not Path("artgen-out").exists()


def test_things_are_made_inside_of_the_folder_that_is_asked_for(tmp_path, monkeypatch, capsys):
    """`--name ../esc` wrote beside the folder of `--out`."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8), "red").save("a.png")
    assert main(["make", "beads", "a.png", "--name", "../esc", "--out", "made"]) == 2
    assert "is not a valid file name" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_where_things_go_is_looked_at_before_the_fit(tmp_path, monkeypatch, capsys):
    """`--out FILE` was found only after the fit."""
    (tmp_path / "busy").write_text("mine")
    monkeypatch.setattr("artgen.cli.make._fit", lambda *rest: pytest.fail("it fits"))
    assert main(["make", "string", "sample:cat", *SMALL, "--out", str(tmp_path / "busy")]) == 6
    assert (tmp_path / "busy").read_text() == "mine"


def test_a_folder_is_refused_before_it_is_read(tmp_path, monkeypatch, capsys):
    """`make paper /` searched the whole disk for pictures first."""
    monkeypatch.setattr("artgen.runs.read_target", lambda *rest: pytest.fail("it reads"))
    assert main(["make", "paper", str(tmp_path)]) == 3
    assert f"{tmp_path} is a folder" in capsys.readouterr().err


def test_a_full_disk_leaves_an_earlier_thing_or_none(tmp_path, monkeypatch, capsys):
    """The first files of the new thing stood beside the last of the earlier one."""
    monkeypatch.chdir(tmp_path)
    Image.fromarray(data.astronaut()[:200, 100:300]).save("face.png")
    line, write = ["make", "paper", "face.png", "-q", "--name"], Path.write_bytes

    def full(path, content):
        if "layer-2" in path.name:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, content)

    assert main([*line, "kept", "--layers", "3"]) == 0
    before = {path: path.read_bytes() for path in Path("artgen-out").rglob("*.*")}
    monkeypatch.setattr(Path, "write_bytes", full)
    assert main([*line, "kept", "--layers", "4", "--overwrite"]) == 6
    assert main([*line, "new"]) == 6
    assert "cannot write artgen-out/new/layer-2.svg" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in Path("artgen-out").rglob("*.*")} == before
    assert not Path("artgen-out/new").exists()


def test_a_face_too_small_for_threads_is_told():
    photo = data.astronaut()
    whole, close = String({"face": 0}), String({"nails": 200})
    assert whole.recipe(photo)["target"]["crop_at"] == "auto"
    assert "the face takes 27 %" in whole.notes[0]
    assert "crop the photo closer" in whole.notes[0]
    x, y, share = map(float, close.recipe(photo)["target"]["crop_at"].split(","))
    assert (x, y) == pytest.approx((0.44, 0.23), abs=0.02)
    assert share == pytest.approx(0.27 / 0.8, abs=0.01)
    fades = [close.recipe(each)["primitive"]["fade"] for each in (photo, photo // 4)]
    assert fades == [0.5, 0.0]
    assert close.notes == ()


def test_a_drawing_refuses_what_shapes_a_fit(wound, tmp_path, capsys):
    """`--nails 300` of a drawing of 40 nails was taken, and stood in the files."""
    line = ["make", "string", str(wound / "drawing.art"), *SMALL[2:], "--out", str(tmp_path)]
    assert main([*line, "--nails", "300"]) == 2
    assert "--nails is for photos, and" in capsys.readouterr().err
    assert main([*line, "--nail", "20mm"]) == 2
    assert re.search(r"hint: use a smaller --nail or --board \d+mm\n", capsys.readouterr().err)


def test_a_drawing_without_a_thread_is_told():
    import artgen

    photo = np.zeros((8, 8, 3), np.uint8)
    art = artgen.fit(photo, "string", count=2, seed=1, size=32, backend="eager", nails=12)
    with pytest.raises(UsageError, match="a has no thread"):
        String({"board": 100.0}).make(Motif("a", art))


@pytest.mark.parametrize("name", [b"x\xff.png", b"a\nb $c.png"])
def test_any_name_of_a_file_can_be_told(name, tmp_path, monkeypatch):
    """Names that are no text broke the guide, and a line break the first line of the list."""
    monkeypatch.chdir(tmp_path)
    try:
        Image.new("RGB", (8, 8), "red").save("a.png")
        Path("a.png").rename(os.fsdecode(name))
    except OSError:
        pytest.skip("the file system has no such names")
    assert main(["make", "beads", os.fsdecode(name), "--columns", "4", "-q", "--name", "a"]) == 0
    first, head, *_ = Path("artgen-out/a/parts.csv").read_text("utf-8").splitlines()
    assert first.endswith("--columns 4")
    assert "'" in first
    assert head.startswith("what,name")


def test_colours_are_written_as_codes(tmp_path):
    """`--fabric white` wrote `HITE` into the chart for programs."""
    line = ["make", "cross-stitch", *FEW, "--fabric", "white", "--out", str(tmp_path)]
    assert main(line) == 0
    chart = (tmp_path / "cat-cross-stitch" / "chart.oxs").read_text()
    assert 'name="cloth" color="FFFFFF"' in chart
    assert rows(tmp_path / "cat-cross-stitch" / "parts.csv")[-1]["colour"] == "#ffffff"


def test_a_mark_in_a_name_stays_one(wound):
    """`@ORIGIN@` in a recipe was replaced too."""
    from artgen.making import Motif
    from artgen_makers.string import _page

    page = _page([], np.zeros((1, 2)), [1, 1], "#ffffff", Motif("@ORIGIN@", origin="how"))
    assert "<h1>@ORIGIN@</h1>" in page


def test_a_stock_of_a_spreadsheet_is_read(empty_folder):
    """The mark of byte order that spreadsheets write was a size that does not exist."""
    from artgen_makers.bricks import Bricks

    Path("stock.csv").write_text("1x1,White,4\n", "utf-8-sig")
    assert Bricks({"stock": "stock.csv"}).stock() == {("1x1", "15"): 4}


def test_a_colour_without_plates_is_not_chosen(empty_folder):
    """It was, and then the stock was too small."""
    from artgen_makers.bricks import Bricks

    Path("stock.csv").write_text("1x1,White,40\n1x1,Black,0\n")
    maker = Bricks({"stock": "stock.csv"})
    assert [each.name for each in maker.choices()] == ["White"]
    Path("stock.csv").write_text("1x1,White,0\n")
    with pytest.raises(UsageError, match="is empty"):
        maker.stock()


def test_lines_of_blanks_are_no_rows_of_a_table(empty_folder):
    from artgen_makers.bricks import Bricks
    from artgen_makers.paint import PaintByNumbers

    Path("stock.csv").write_text("1x1,White,4\n\n,,\n1x2,0,3\n\n")
    assert Bricks({"stock": "stock.csv"}).stock() == {("1x1", "15"): 4, ("1x2", "0"): 3}
    Path("paints.csv").write_text("White,#ffffff\n,\n\nBlack,#000000\n")
    paints = PaintByNumbers({"paints": "paints.csv"}).paints()
    assert [each.name for each in paints] == ["White", "Black"]
    # The first line was taken for a head.
    Path("paints.csv").write_text("White,white\nBlack,#000000\n")
    paints = PaintByNumbers({"paints": "paints.csv"}).paints()
    assert [each.name for each in paints] == ["White", "Black"]
    Path("paints.csv").write_text("White,#ffffff\n\nBlack\n")
    with pytest.raises(UsageError, match="line 3"):
        PaintByNumbers({"paints": "paints.csv"}).paints()


def edges_of(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """The corners of a binary STL, [triangles, 3, 3], and each directed edge of its mesh."""
    data = path.read_bytes()
    kind = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    assert len(data) == 84 + kind.itemsize * int.from_bytes(data[80:84], "little")
    corners = np.frombuffer(data, kind, offset=84)["corners"].astype(float)
    numbers = np.unique(corners.reshape(-1, 3), axis=0, return_inverse=True)[1].reshape(-1, 3)
    return corners, np.concatenate([numbers[:, [k, (k + 1) % 3]] for k in range(3)])


PRINTED = {
    "filament": ["--width", "50mm", "--detail", "1mm", "--layer", "0.1", "--base", "0.5"],
    "lithophane": ["--width", "50mm", "--detail", "1mm", "--base", "0.8"],
}


@pytest.mark.parametrize("kind", PRINTED)
def test_a_print_is_closed_and_takes_what_the_list_says(kind, tmp_path):
    line = ["make", kind, "sample:cat", *PRINTED[kind], "-q", "--out", str(tmp_path)]
    assert main(line) == 0
    folder = tmp_path / f"cat-{kind}"
    corners, edges = edges_of(folder / "model.stl")
    assert len(np.unique(edges, axis=0)) == len(edges)
    assert {tuple(each) for each in edges} == {tuple(each) for each in edges[:, ::-1]}
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    length = sum(float(row["length in mm"]) for row in rows(folder / "parts.csv"))
    assert volume == pytest.approx(length * np.pi * 1.75**2 / 4, rel=0.001)
    mesh = trimesh.load_mesh(folder / "model.stl")
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert mesh.volume == pytest.approx(volume, rel=1e-4)
    size = np.ptp(corners.reshape(-1, 3), axis=0)
    assert size[:2] == pytest.approx([50, 33], abs=0.5)
    assert size[2] <= (2.4 if kind == "filament" else 3.2) + 1e-6
    with zipfile.ZipFile(folder / "model.3mf") as archive:
        model = ElementTree.fromstring(archive.read("3D/3dmodel.model"))
    core = "{http://schemas.microsoft.com/3dmanufacturing/core/2015/02}"
    assert model.get("unit") == "millimeter"
    assert len(model.findall(f".//{core}triangle")) == len(corners)
    [told] = [m.text for m in model.iter(f"{core}metadata") if m.get("name") == "Description"]
    assert told == (folder / "parts.csv").read_text("utf-8").splitlines()[0].removeprefix("# ")


def test_filament_is_changed_where_the_table_says(tmp_path):
    line = ["make", "filament", "sample:coffee", *PRINTED["filament"], "--swaps", "3", "-q"]
    assert main([*line, "--spools", "3", "--out", str(tmp_path)]) == 0
    swaps = rows(tmp_path / "coffee-filament" / "swaps.csv")
    assert 2 <= len(swaps) <= 4
    layers = [int(row["layer"]) for row in swaps]
    assert layers[0] == 1
    assert layers[1:] == sorted(layers[1:])
    assert layers[1] > 5, "the base is of one filament"
    assert [float(row["z in mm"]) for row in swaps] == pytest.approx(
        [0.1 * (layer - 1) for layer in layers], abs=0.006
    )
    names = {row["filament"] for row in swaps}
    assert len(names) <= 3
    listed = {row["name"].split(",")[0] for row in rows(tmp_path / "coffee-filament/parts.csv")}
    assert listed == names


def test_heights_of_swaps_are_those_of_layers():
    """Of layers of 0.125 mm, 0.875 mm was 0.88."""
    from artgen_makers.filament import Block, FilamentPainting

    maker = FilamentPainting({"layer": 0.125, "base": 0.5})
    table = maker.tables([Block(0, 0, 3), Block(1, 3, 9)], Motif("x"))["swaps.csv"].decode()
    assert [row.split(",")[:2] for row in table.splitlines()[2:]] == [["1", "0.0"], ["8", "0.875"]]


def test_the_stack_of_the_guide_is_as_high_as_the_print(empty_folder, monkeypatch):
    from artgen_makers.filament import Block, FilamentPainting

    Path("two.csv").write_text("Black,#101010,0.6\nWhite,#f4f2ee,5\n")
    options = {"width": 20.0, "detail": 1.0, "swaps": 1, "filaments": "two.csv"}
    maker = FilamentPainting(options)
    given = []
    monkeypatch.setattr(maker, "stack", lambda *_: [Block(0, 0, 2), Block(1, 2, 24)])
    monkeypatch.setattr(maker, "settled", lambda lab, _: np.full(lab.shape[:2], 5.0))
    monkeypatch.setattr(maker, "charts", lambda guide, stack: given.append(stack))
    maker.make(Motif("plain", photo=np.zeros((4, 6, 3), np.uint8)))
    assert given == 2 * [[Block(0, 0, 2), Block(1, 2, 5)]]


@pytest.mark.parametrize(("layer", "thickness"), [(0.04, 2.4), (0.2, 20.0)])
def test_labels_of_many_swaps_are_on_the_page(layer, thickness, monkeypatch):
    """From about 24 they left it."""
    from artgen_makers.filament import Block, FilamentPainting
    from artgen_makers.guide import MARGIN, Guide
    from artgen_makers.pdf import Sheet

    guide, places = Guide(Motif("x"), "x", "letter"), []
    monkeypatch.setattr(Sheet, "text", lambda sheet, x, y, *_, **__: places.append(y))
    maker = FilamentPainting({"layer": layer, "thickness": thickness})
    maker.charts(guide, [Block(k % 2, k, k + 1) for k in range(41)])
    heading, *labels = places
    assert len(labels) == 41
    assert heading + 5 < min(labels)
    assert max(labels) < guide.paper[1] - MARGIN
    assert (-np.diff(labels)).min() > 4.99


def test_the_first_filament_may_have_a_name_for_its_colour(empty_folder):
    """It was taken for a heading, and left out."""
    from artgen_makers.filament import FilamentPainting

    Path("mine.csv").write_text("Snow,white,5\nCoal,#101010,0.6\n")
    names = [each.name for each in FilamentPainting({"filaments": "mine.csv"}).filaments]
    assert names == ["Snow", "Coal"]


def test_layers_let_light_through_as_their_distance_says():
    from artgen_makers.filament import Block, FilamentPainting

    maker = FilamentPainting({"layer": 0.1, "base": 2.0, "thickness": 2.4})
    names = [each.name for each in maker.filaments]
    stack = [Block(names.index("Black"), 0, 1), Block(names.index("White"), 1, 4)]
    seen = srgb_to_linear(maker.shown(stack).astype(np.float32))
    assert len(seen) == 5
    black, white = (
        srgb_to_linear(np.array(parse_colour(c), np.float32)) for c in ("#151517", "#f4f2ee")
    )
    assert seen[0] == pytest.approx(black, abs=1e-3)
    through = np.exp(-16 * 0.3 / 5.0)
    assert seen[4] == pytest.approx(white + (black - white) * through, abs=2e-3)


def test_stacks_are_searched_for_the_picture():
    """Of black, white and a blue picture's blue: better than all from dark to light."""
    from artgen_makers.filament import FilamentPainting, _lab, settled
    from artgen_makers.grids import grouped

    maker = FilamentPainting({"spools": 3, "swaps": 2})
    colours = np.array([[31, 79, 163], [21, 21, 23], [244, 242, 238]], np.uint8)
    lab = maker.wanted(colours[np.arange(600) % 3].reshape(20, 30, 3))
    stack = maker.stack(*grouped(lab.reshape(-1, 3)))
    assert {maker.filaments[block.filament].name for block in stack} == {"Blue", "Black", "White"}
    seen = _lab(maker.shown(stack))
    assert np.linalg.norm(lab[:, :, None] - seen, axis=3).min(2).max() < 8
    one = np.repeat(np.repeat(lab[:1, :3], 8, 0), 8, 1)
    heights = settled(one, seen)
    assert len(np.unique(heights)) == 3


def test_a_lithophane_is_thin_where_the_picture_is_bright(tmp_path):
    levels = np.linspace(0, 255, 101).round().astype(np.uint8)
    Image.fromarray(np.repeat(levels[None], 40, 0)).save(tmp_path / "ramp.png")
    line = ["make", "lithophane", str(tmp_path / "ramp.png"), "-q", "--out", str(tmp_path)]
    assert main([*line, "--width", "100", "--detail", "1", "--thickness", "3.2"]) == 0
    corners, _ = edges_of(tmp_path / "ramp-lithophane" / "model.stl")
    points = np.unique(corners.reshape(-1, 3), axis=0)
    top = points[(points[:, 2] > 0) & (points[:, 1] == 20)]
    assert len(top) == 101
    assert (np.diff(top[:, 2]) <= 0).all()
    assert (top[0, 2], top[-1, 2]) == pytest.approx((3.2, 0.8), abs=0.01)
    light = np.exp(-3 * (top[:, 2] - 0.8) / 2.5)
    lightness = rgb2lab(linear_to_srgb(np.float32(light))[None, :, None].repeat(3, 2))[0, :, 0]
    wanted = rgb2lab(levels[None, :, None].repeat(3, 2))[0, :, 0]
    assert lightness == pytest.approx(lightness[0] + (1 - lightness[0] / 100) * wanted, abs=1)


def test_what_each_height_costs_is_held_in_single_precision():
    from artgen_makers.filament import settled

    lab = np.random.default_rng(0).uniform(20, 80, (60, 100, 3))
    seen = lab[::2, :1].reshape(-1, 3)
    tracemalloc.start()
    settled(lab, seen)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * 4 * lab[..., 0].size * len(seen)


def test_a_lithophane_is_as_thick_as_asked_for():
    """It was rounded to 0.05 mm."""
    from artgen_makers.filament import Lithophane, surface

    photo = np.linspace(0, 255, 60).astype(np.uint8)[None, :, None].repeat(20, 0).repeat(3, 2)
    maker = Lithophane({"base": 0.83, "thickness": 3.17, "width": 20.0, "detail": 1.0})
    base, _, layer = maker.layers
    heights = maker.settled(maker.wanted(photo), maker.shown([]))
    points, _ = surface((base + heights) * layer, 0.4)
    assert (points[:1200, 2].min(), points[:, 2].max()) == pytest.approx((0.83, 3.17), abs=1e-6)
    assert maker.shown([])[-1] == pytest.approx(
        linear_to_srgb(np.full(3, np.exp(-3 * 2.34 / 2.5), np.float32)), abs=1e-6
    )
    assert Lithophane({}).layers == (16.0, 48, 0.05)
    [white] = maker.make(Motif("ramp", photo=photo)).parts
    volume = white.length * np.pi * 1.75**2 / 4
    assert 20 * 7 * 0.83 < volume < 20 * 7 * 3.17


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (["filament", "sample:cat", "--base", "3"], "change --base"),
        (
            ["filament", "sample:cat", "--layer", "0.02", "--thickness", "9"],
            "leaves 426 layers of 0.02 mm above it, more than 120, below",
        ),
        (["filament", "sample:cat", "--detail", "0.1", "--width", "2m"], "larger --detail"),
        (["filament", "sample:cat", "--filaments", "odd.csv"], "line 2: 'Blue,blue,x'"),
        (["filament", "sample:cat", "--filaments", "none.csv"], "has 0 filaments"),
        (["filament", "sample:cat", "--filaments", "gone.csv"], "cannot read filaments gone.csv"),
        (
            ["lithophane", "sample:cat", "--base", "4"],
            "4 mm leaves no layer below a --thickness of 3.2 mm",
        ),
        (["lithophane", "sample:cat", "--thickness", "9"], "hint: change --base or --thickness\n"),
        (["lithophane", "sample:cat", "--td", "0"], "td must be"),
    ],
)
def test_what_cannot_be_printed_is_refused(line, words, empty_folder, capsys):
    Path("odd.csv").write_text("White,#ffffff,5\nBlue,blue,x\n")
    Path("none.csv").write_text("name,colour,td\n")
    assert main(["make", *line]) in (2, 3)
    assert words in capsys.readouterr().err
    assert not Path("artgen-out").exists()


def drawn_from(path: Path, unit: float) -> np.ndarray:
    """Where a sheet of paper is, read from its SVG by filling what is cut, `unit` mm fine."""
    sheet = ElementTree.parse(path).getroot()
    left, top, *size = map(float, sheet.get("viewBox").split())
    cuts = [
        np.array([pair.split(",") for pair in cut.get("d")[1:].split("L")], float) - [left, top]
        for cut in sheet.iter("{http://www.w3.org/2000/svg}path")
    ]
    # A line is cut once, and round what falls out or stays: inside of it, the other is.
    return ~filled(cuts, size, unit)


@pytest.mark.parametrize("front", ["dark", pytest.param("light", marks=pytest.mark.nightly)])
def test_each_sheet_of_paper_is_one_piece(front, tmp_path):
    line = ["make", "paper", "sample:cat", "--width", "120", "--layers", "4", "--front", front]
    assert main([*line, "-q", "--out", str(tmp_path)]) == 0
    sheets = sorted((tmp_path / "cat-paper").glob("layer-*.svg"))
    assert len(sheets) == 4
    areas = []
    for path in sheets:
        paper = drawn_from(path, 0.1)
        pieces = label(paper, connectivity=1)
        sizes = np.sort(np.bincount(pieces.ravel())[1:])
        assert sizes[:-1].sum() <= 20, "rounding of pixels"
        areas.append(paper.mean())
    assert areas[0] == 1
    assert areas[1] > areas[2] > areas[3] > 0.1
    colours = [row["colour"] for row in rows(tmp_path / "cat-paper" / "parts.csv")][:4]
    light = [sum(parse_colour(each)) for each in colours]
    assert light == sorted(light, reverse=front == "dark")


def test_islands_get_bridges_along_the_dark_and_small_ones_go():
    from artgen_makers.cutting import joined

    paper = np.ones((60, 60), bool)
    paper[4:56, 4:56] = False
    paper[25:40, 25:40] = True
    paper[10:12, 10:12] = True
    missed = np.full(paper.shape, 5.0)
    missed[4:25, 38] = 0
    whole, bridges = joined(paper, 1.5, missed)
    assert bridges == 1
    assert not whole[10:12, 10:12].any()
    assert whole[4:25, 38].all()
    assert whole.sum() < paper.sum() + 5 * 25
    assert label(whole, connectivity=2).max() == 1


@pytest.mark.parametrize("kind", ["cross-stitch", "beads", "bricks"])
def test_a_million_cells_are_refused_before_anything_is_drawn(kind, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(Motif, "picture", lambda *size: pytest.fail(f"drawn at {size[1:]}"))
    Image.new("RGB", (10, 1000), "red").save(tmp_path / "tall.png")
    line = ["make", kind, str(tmp_path / "tall.png"), "--columns", "1000", "--out", str(tmp_path)]
    assert main(line) == 2
    assert "cells are more than the 250,000" in capsys.readouterr().err
    assert main(["make", kind, "sample:astronaut", "--columns", "1000", "-q"]) == 2
    assert "1000 x 1000 cells are more than" in capsys.readouterr().err


def test_an_island_on_a_long_bridge_goes_to_the_sheet_that_shows_it():
    from artgen_makers.cutting import joined

    paper = np.ones((90, 90), bool)
    paper[4:86, 4:86] = False
    paper[35:50, 35:50] = True
    missed = np.where(paper, 0.0, 1.2)
    alone, whole = np.zeros_like(paper), np.ones_like(paper)
    alone[33:52, 33:52] = True
    for below, bridges in ((None, 1), (whole, 1), (alone, 0)):
        sheet, built = joined(paper, 1.5, missed, 0.0, 1.5, below)
        assert built == (0 if below is None else bridges)
        assert sheet[40, 40] == bool(built)
    _, built = joined(paper, 1.5, missed, 0.0, 3.0, alone)
    assert built == 1


def test_sheets_follow_a_depth(tmp_path, capsys):
    """A near bar that is as light as what is around it is in front, from both sides alike."""
    Image.new("RGB", (90, 60), "#80a0c0").save(tmp_path / "flat.png")
    near = np.zeros((120, 180), np.uint16)
    near[:, 60:] = 30000
    near[:, 120:] = 65535
    Image.fromarray(near).save(tmp_path / "near.png")
    line = ["make", "paper", str(tmp_path / "flat.png"), "--width", "100", "-q"]
    line += ["--out", str(tmp_path), "--depth"]
    assert main([*line, str(tmp_path / "near.png"), "--layers", "3"]) == 0
    inside = []
    for number in (1, 2, 3):
        sheet = drawn_from(tmp_path / "flat-paper" / f"layer-{number}.svg", 0.2)
        inside.append([bool(sheet[sheet.shape[0] // 2, x]) for x in (100, 250, 400)])
    assert inside == [[True] * 3, [False, True, True], [False, False, True]]
    Image.new("L", (60, 60)).save(tmp_path / "square.png")
    Image.new("L", (90, 60)).save(tmp_path / "even.png")
    for name, code, words in (
        ("square.png", 2, "1.00 times as wide as high, and the picture 1.50"),
        ("even.png", 2, "has one depth alone"),
        ("gone.png", 3, "gone.png"),
    ):
        assert main([*line, str(tmp_path / name), "--name", "no"]) == code
        assert words in capsys.readouterr().err


def test_crisp_cells_keep_lines_that_are_finer_than_they():
    from artgen_makers.grids import Beads

    photo = np.full((120, 120, 3), 235, np.uint8)
    photo[:, 42:45] = 10

    def column(crisp):
        chart = Beads({"columns": 12, "colours": 4, "crisp": crisp}).make(Motif("a", photo=photo))
        numbers = list(csv.reader(chart.files["chart.csv"].decode().splitlines()[1:]))
        beads = [part for part in chart.parts if part.what == "bead"]
        colours = {each.name.split()[1]: parse_colour(each.colour) for each in beads}
        return np.mean([sum(colours[row[4]]) for row in numbers])

    assert column(1.0) < 0.5 < column(0.0)


def test_pieces_on_long_bridges_are_glued_where_their_numbers_are(tmp_path):
    from artgen_makers.paper import Paper

    down, right = np.mgrid[:160, :160] - 80
    photo = np.full((160, 160, 3), 240, np.uint8)
    photo[np.hypot(down, right) < 40] = 20
    options = {"width": 100.0, "layers": 2, "frame": 8.0}
    paper = [Paper({**options, "glue": glue}).make(Motif("disc", photo=photo)) for glue in (0, 1)]
    bridged, glued = (each.files for each in paper)
    assert b">2.1</text>" in glued["layer-1.svg"]
    assert b">2.1</text>" not in glued["layer-2.svg"] + bridged["layer-1.svg"]
    assert [each.number for each in paper[1].parts if each.what == "pieces to glue"] == [1]
    assert glued["layer-2.svg"].count(b"<path") == bridged["layer-2.svg"].count(b"<path") + 1
    (tmp_path / "guide.pdf").write_bytes(glued["guide-a4.pdf"])
    assert sum("(2.1)" in page for page in pages(tmp_path / "guide.pdf")) == 2


def test_a_narrow_piece_to_glue_has_an_outline():
    from artgen_makers.paper import _loose

    paper = np.zeros((40, 40), bool)
    paper[[0, -1]] = paper[:, [0, -1]] = paper[20:23, 10:30] = True
    [(words, line)] = _loose("2", paper, 0.5)
    assert words.text == "2.1"
    assert np.allclose([line.min(0), line.max(0)], [(5, 10), (15, 11.5)], atol=0.6)


def test_papers_are_those_that_are_given(tmp_path, capsys):
    line = ["make", "paper", "sample:cat", "--width", "90", "-q", "--out", str(tmp_path)]
    assert main([*line, "--papers", "#fff4d0,teal,#0b1d33"]) == 0
    found = [row["colour"] for row in rows(tmp_path / "cat-paper" / "parts.csv")]
    assert found[:3] == ["#fff4d0", "#008080", "#0b1d33"]
    for wrong, words in (
        (["--papers", "red"], "give 2 to 12"),
        (["--papers", "red,teal", "--layers", "6"], "has 2 colours, and --layers asks for 6"),
        (["--front", "up"], "use dark or light"),
        (["--frame", "42"], "leaves 6 x 4 mm"),
    ):
        assert main([*line, *wrong, "--name", "other"]) == 2
        assert words in capsys.readouterr().err
    Image.new("RGB", (60, 40), "gray").save(tmp_path / "gray.png")
    assert main([*line[:2], str(tmp_path / "gray.png"), *line[3:]]) == 2
    assert "has one tone alone" in capsys.readouterr().err


def test_vivid_colours_are_no_mistake(tmp_path, monkeypatch, capsys):
    """A warning of a library about CIELAB reached whoever made paper of a red picture."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8), "red").save("red.png")
    assert main(["make", "paper", "red.png", "-q"]) == 2
    assert "red has one tone alone" in capsys.readouterr().err
    assert main(["make", "paint", "red.png", "-q"]) == 0


def cuts_of(path: Path) -> list[np.ndarray]:
    """The lines of a sheet that are cut, in the order of its DXF, y downwards from the corner."""
    drawing = ezdxf.readfile(path)
    [text] = drawing.modelspace().query("TEXT")
    assert text.dxf.layer == "ENGRAVE"
    lines = drawing.modelspace().query("POLYLINE")
    assert {each.dxf.layer for each in lines} == {"CUT"}
    return [np.array([tuple(p)[:2] for p in each.points()]) for each in lines]


def test_a_laser_gets_lines_that_make_up_for_its_cut(tmp_path, capsys):
    line = ["make", "paper", "sample:cat", "--width", "90", "--layers", "3", "--narrow", "2", "-q"]
    for kerf in ("0", "0.4"):
        flags = ["--kerf", kerf, "--dxf", "--name", f"kerf-{kerf}", "--out", str(tmp_path)]
        assert main([*line, *flags]) == 0
    plain, wider = (cuts_of(tmp_path / f"kerf-{kerf}" / "layer-2.dxf") for kerf in ("0", "0.4"))
    assert np.ptp(wider[-1], axis=0) == pytest.approx(np.ptp(plain[-1], axis=0) + 0.4)
    sizes = [np.ptp(each, axis=0).max() for each in plain]
    assert sizes == sorted(sizes), "what is inside is cut first"
    assert len({tuple(map(tuple, np.sort(each, axis=0))) for each in plain}) == len(plain)
    for kerf in ("0", "0.4"):
        svg = (tmp_path / f"kerf-{kerf}" / "layer-2.svg").read_text()
        assert svg.count("<path") + 1 == len({"0": plain, "0.4": wider}[kerf])
    paper = [drawn_from(tmp_path / f"kerf-{kerf}" / "layer-2.svg", 0.1) for kerf in ("0", "0.4")]
    # Half of the cut on each side of its line makes the second sheet as large as the first.
    # Its page is larger by the cut.
    cut = (distance_transform_edt(paper[1]) > 2)[2:-2, 2:-2]
    inner = (slice(50, -50), slice(50, -50))
    assert abs(int(cut[inner].sum()) - int(paper[0][inner].sum())) < 0.02 * paper[0][inner].sum()
    assert main([*line, "--kerf", "1", "--narrow", "1.2", "--name", "no"]) == 2
    assert "is too wide for gaps" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are those of POSIX")
@pytest.mark.parametrize(
    ("kind", "flag"), [("bricks", "--stock"), ("paint", "--paints"), ("filament", "--filaments")]
)
def test_tables_are_read_from_files_alone(kind, flag, empty_folder, monkeypatch, capsys):
    """A pipe was waited for without an end, and a device read until the memory was full.

    All is told before the picture is drawn: a photo was cut into places for seconds first.
    """
    monkeypatch.setattr(Motif, "picture", lambda *size: pytest.fail("drawn"))
    os.mkfifo("pipe.csv")
    Path("large.csv").write_bytes(b"x" * (1 << 20) + b"x")
    for wrong, words in (
        ("pipe.csv", "is a pipe, socket or device"),
        (os.devnull, "is a pipe, socket or device"),
        (".", "is a folder"),
        ("large.csv", "is larger than 1 MiB"),
    ):
        assert main(["make", kind, "sample:cat", flag, wrong]) == 3
        assert words in capsys.readouterr().err
    assert not Path("artgen-out").exists()


def test_short_lengths_keep_digits_and_columns_have_headings():
    from artgen.making import Made, Part
    from artgen_makers.guide import guides

    parts = [Part("filament", "Red", "#d02020", length=20.0), Part("bead", number=1200)]
    made = Made({}, parts, np.zeros((4, 4, 3), np.uint8))
    pdf = guides(Motif("x"), "x", made, [], lambda guide: None, counted="beads").files
    [page] = re.findall(rb"stream\n(x.*?)\nendstream", pdf["guide-a4.pdf"], re.DOTALL)[-1:]
    shown = re.findall(r"\(((?:[^()\\]|\\.)*)\) Tj", zlib.decompress(page).decode("latin-1"))
    assert {"0.02", "1,200", "length in m", "number \\(of filament: beads\\)"} <= set(shown)


def test_the_picture_of_a_guide_is_compressed_once_for_both_papers(monkeypatch):
    from artgen.making import Made, Part
    from artgen_makers import guide

    packed, real = [], guide.picture_stream
    monkeypatch.setattr(guide, "picture_stream", lambda each: packed.append(1) or real(each))
    made = Made({}, [Part("bead", number=1)], np.zeros((4, 6, 3), np.uint8))
    files = guide.guides(Motif("x"), "x", made, [], lambda guide: None).files
    assert len(packed) == 1
    assert all(b"/Width 6 /Height 4" in data for data in files.values())


@pytest.mark.parametrize(("board", "nails"), [(300.0, 120), (400.0, 200), (600.0, 300)])
def test_numbers_of_nails_lie_on_nothing_else(board, nails):
    """Those of a circle lay on the edge of the board, and beyond it."""
    from artgen_makers.pdf import CAP, text_width

    primitive = Registry().load("primitive", "string")({"nails": nails, "margin": 0.03})
    places = (primitive.find_nails(Canvas(100, 100)) + 1) * board / 2
    sheet = String({"board": board, "nails": nails}).template(places, [board / 2] * 2, circle=True)
    sides = np.array(
        [
            [x - text_width(text, size) / 2, y - CAP * size, x + text_width(text, size) / 2, y]
            for x, y, text, size, _ in sheet.labels
        ]
    )
    assert sides.min() > 1
    assert sides.max() < board - 1
    first, second = np.triu_indices(nails, 1)
    gaps = np.maximum(sides[first, :2] - sides[second, 2:], sides[second, :2] - sides[first, 2:])
    assert gaps.max(1).min() > 0
    gaps = np.maximum(sides[:, None, :2] - places, places - sides[:, None, 2:])
    assert gaps.max(2).min() > 0.25


def test_a_label_is_whole_on_a_sheet():
    """Wherever it lies: none is cut at the edges of sheets, and none is lost."""
    from artgen_makers.guide import MARGIN, Guide
    from artgen_makers.pdf import Sheet, text_width

    guide, template = Guide(Motif("x"), "x", "a4"), Sheet(300, 200)
    places = np.arange(1.0, 300.0)
    for x in places:
        template.label(x, 50, f"glass {x:03.0f}", 3)
    guide.tiled("Template", template)
    found, half = set(), text_width("glass 000", 3) / 2
    for sheet in guide.document.pages:
        operators = "\n".join(sheet.operators)
        for x, text in re.findall(r"1 0 0 -1 (\S+) \S+ Tm \((glass \d+)\) Tj ET Q", operators):
            found.add(text)
            assert MARGIN - 8.01 <= float(x) <= 210 - MARGIN - 2 * half + 8.01
    assert found == {f"glass {x:03.0f}" for x in places}


def test_names_in_any_script_are_drawn():
    """Letters that Helvetica lacks were question marks; those that no font has are squares."""
    from artgen_makers.pdf import Sheet, text_width

    def drawn(text, **style):
        sheet = Sheet(100, 20)
        sheet.text(10, 10, text, 4, **style)
        return "\n".join(sheet.operators[1:])

    for text in ("кошка", "γάτα", "kočka"):
        assert "Tj" not in drawn(text)
        numbers = [float(x) for x in re.findall(r"(\S+) \S+ (?=[mlc])", drawn(text))]
        assert min(numbers) > 9.9
        assert 6 < max(numbers) - 10 <= text_width(text, 4)
        assert drawn(text, halo=0.4).count(" S Q") == 1
        assert drawn(text, bold=True) != drawn(text)
    assert drawn("кошка") != drawn("собак")
    assert drawn("\u732b\u732b") == drawn("\N{WHITE SQUARE}" * 2)
    assert drawn("Café", align="right").endswith(" (Caf\xe9) Tj ET")


@pytest.mark.parametrize(
    ("size", "sheets", "lies"),
    [((400, 266), 4, True), ((266, 400), 3, True), ((180, 250), 1, False)],
)
def test_a_template_takes_as_few_sheets_as_it_can(size, sheets, lies):
    from artgen_makers.guide import Guide
    from artgen_makers.pdf import Sheet

    guide = Guide(Motif("x"), "x", "a4")
    guide.tiled("Template", Sheet(*size))
    pages = guide.document.pages
    assert len(pages) == sheets
    assert all((page.width > page.height) == lies for page in pages)


def test_a_list_that_would_just_not_fit_takes_one_page():
    from artgen.making import Made, Part
    from artgen_makers.guide import guides

    def on_pages(count):
        parts = [Part("colour", f"{k}", "#204060", k) for k in range(1, count + 1)]
        made = Made({}, parts, np.zeros((400, 400, 3), np.uint8))
        steps = ["Mix the colours.", "Paint."]
        return guides(Motif("x"), "x", made, steps, lambda guide: None).files

    assert on_pages(26)["guide-a4.pdf"].count(b"/MediaBox") == 1
    assert on_pages(60)["guide-a4.pdf"].count(b"/MediaBox") == 2


def test_a_template_of_a_quilt_stands_upright_and_keeps_its_shape():
    from artgen_makers.quilt import Cell, upright
    from artgen_plugins._outlines import area

    slanted = np.array([[0.0, 0.0], [200.0, 100.0], [190.0, 120.0], [-10.0, 20.0]])
    piece = Cell(slanted, np.zeros(0, np.int64), template=slanted)
    turned = upright(piece)
    wide, high = np.ptp(turned.template, axis=0)
    assert (wide, high) == pytest.approx((np.hypot(10, 20), np.hypot(200, 100)))
    x, y = turned.outline.T
    assert area(turned.outline) == pytest.approx(area(slanted))
    # It is not turned over.
    assert np.sign(x @ np.roll(y, -1) - y @ np.roll(x, -1)) == np.sign(
        slanted[:, 0] @ np.roll(slanted[:, 1], -1) - slanted[:, 1] @ np.roll(slanted[:, 0], -1)
    )


def test_a_tall_photo_takes_a_page_for_each_layer():
    from artgen_makers.paper import Paper

    photo = np.repeat(np.linspace(0, 255, 60).astype(np.uint8)[:, None, None], 40, 1).repeat(3, 2)
    made = Paper({"layers": 2, "narrow": 4.0}).make(Motif("tall", photo=photo))
    for paper in ("a4", "letter"):
        assert made.files[f"guide-{paper}.pdf"].count(b"/MediaBox") == 3


def test_a_colour_has_a_name_in_words():
    from artgen_makers.grids import in_words

    assert in_words(np.array([0.02, 0.02, 0.02])) == "Black"
    assert in_words(np.array([0.98, 0.98, 0.98])) == "White"
