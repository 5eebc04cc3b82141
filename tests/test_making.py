"""`artgen make`: things from drawings and photos, and what all kinds of things share."""

from __future__ import annotations

import csv
import json
import re
import zlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artgen import load
from artgen.cli import main
from artgen.making import Maker, lengths_of
from artgen.output import read_recipe
from artgen.registry import Registry

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
        text = (wound / name).read_bytes() + "".join(pages(wound / "guide-a4.pdf")).encode()
        assert b"artgen make string sample:cat --nails 40 --board 120.0 --thread 0.6" in text


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
        line = ["make", "string", str(wound / "drawing.art"), *SMALL[2:], "--out", str(out)]
        assert main(line) == 0
    files = [sorted((out / "drawing-string").iterdir()) for out in made]
    assert [path.read_bytes() for path in files[0]] == [path.read_bytes() for path in files[1]]
    assert main([*line[:3], "--board", "60cm", "-q", "--out", str(tmp_path / "c")]) == 0
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
        (["string", "sample:cat", "--bord", "40cm"], 2, "did you mean board"),
        (["string", "sample:cat", "--inks", "redd"], 2, "redd"),
        (["string", "missing.jpg"], 3, "missing.jpg does not exist"),
        (["string", "curve:sin(x)"], 3, "is no picture"),
        (["strings", "sample:cat"], 4, "unknown maker 'strings'"),
        (["string"], 2, "needs a kind and a file"),
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
    line = ["make", "string", str(wound / "drawing.art"), *SMALL[2:], "--out", str(tmp_path)]
    assert main(line) == 0
    assert main(line) == 2
    assert "drawing-string exists" in capsys.readouterr().err
    assert main([*line, "--overwrite"]) == 0
    foreign = tmp_path / "drawing-string" / "picture.png"
    Image.new("RGB", (2, 2)).save(foreign)
    assert main([*line, "--overwrite"]) == 2
    assert "was not written by artgen" in capsys.readouterr().err


def test_kinds_are_listed_with_their_options(capsys):
    assert main(["make", "--list"]) == 0
    assert "string" in capsys.readouterr().out
    assert main(["make", "string", "--list", "--json"]) == 0
    names = [each["name"] for each in json.loads(capsys.readouterr().out)["options"]]
    assert "board" in names


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("class Bad(Maker):\n    def make(self, motif): return 3", "gave no files of bytes"),
        ("class Bad(Maker):\n    def make(self, motif): return 1 / 0", "ZeroDivisionError"),
        ("class Bad(Maker):\n    def mend(self): return 3", "does not define make"),
        ("def Bad(motif): return 3", "not a subclass of artgen.making.Maker"),
    ],
)
def test_mistakes_of_a_maker_name_its_line(source, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    hook = '@artgen.hookimpl\ndef artgen_makers(): return [artgen.Spec("bad", "Bad.", Bad)]\n'
    head = "import artgen\nfrom artgen.making import Maker\n"
    source = source.replace("Maker):", "Maker):\n    takes_photos = True")
    Path("bad.py").write_text(f"{head}{source}\n{hook}")
    assert main(["make", "bad", "sample:cat", "--plugin", "bad.py"]) in (1, 4)
    told = capsys.readouterr().err
    assert words in told
    assert "bad.py" in told


def test_a_maker_without_options_is_one():
    assert Maker().recipe(np.zeros((1, 1, 3), np.uint8)) == {}
