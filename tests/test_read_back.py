"""Files for machines, read by programs that know nothing of artgen, and drawn again.

vpype reads what is plotted and cut, pygcode interprets G-code. Neither is needed to work on artgen:
pip install vpype pygcode.
"""

from __future__ import annotations

import csv
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageDraw
from skimage import data

from artgen import load
from artgen.cli import main
from artgen.making import Motif, Page
from artgen_makers.paper import Paper

FINE = 4
"""Pixels per mm of what is drawn again."""


needs_vpype = pytest.mark.skipif(find_spec("vpype") is None, reason="vpype is not installed")


def vpype_lines(path):
    """The layers that vpype reads, by number: lines [N, 2] in mm; and the size of the page."""
    import vpype

    mm = vpype.convert_length("1mm")
    document = vpype.read_multilayer_svg(str(path), quantization=0.01 * mm)
    layers = {
        number: [np.stack([line.real, line.imag], 1) / mm for line in lines]
        for number, lines in document.layers.items()
    }
    return layers, np.array(document.page_size) / mm


def drawn(lines, size):
    """Lines that are 0.5 mm wide."""
    image = Image.new("1", tuple(round(FINE * side) for side in size))
    pen = ImageDraw.Draw(image)
    for line in lines:
        pen.line([tuple(point) for point in FINE * line], 1, FINE // 2)
    return np.asarray(image)


def length(lines):
    return sum(float(np.hypot(*np.diff(each, axis=0).T).sum()) for each in lines)


def alike(one, other):
    """The share of what either has that both have."""
    return (one & other).sum() / (one | other).sum()


@needs_vpype
def test_vpype_reads_a_page_with_its_pens(drawing, tmp_path):
    file = tmp_path / "page.svg"
    assert main(["render", str(drawing), "-o", str(file), "--page", "A5", "--pens", "2", "-q"]) == 0
    layers, size = vpype_lines(file)
    plot = Motif("x", load(drawing)).plot(Page(148, 210, pens=2))
    assert size == pytest.approx((148, 210), abs=0.01)
    assert len(layers) == len(plot.layers) == 2
    for lines, asked in zip(layers.values(), plot.layers, strict=True):
        for line, path in zip(lines, asked.paths, strict=True):
            # Points closer than it can tell apart are one to vpype.
            assert np.abs(line[[0, -1]] - path[[0, -1]]).max() < 0.006
            assert length([line]) == pytest.approx(length([path]), abs=0.02)


@needs_vpype
@pytest.mark.parametrize("one_file", [False, True])
def test_a_controller_draws_what_vpype_reads(one_file, drawing, tmp_path):
    """Two readers, of G-code and of SVG, see one picture."""
    pygcode = pytest.importorskip("pygcode", reason="pygcode is not installed")
    page = ["--page", "A5", "--pens", "2"]
    out = ["--out", str(tmp_path), "--name", "x", *(["--one-file"] if one_file else [])]
    assert main(["make", "plotter", str(drawing), *page, "-q", *out]) == 0
    assert main(["render", str(drawing), "-o", str(tmp_path / "page.svg"), *page, "-q"]) == 0
    layers, size = vpype_lines(tmp_path / "page.svg")
    rows = list(csv.DictReader((tmp_path / "x" / "pens.csv").read_text().splitlines()[1:]))
    strokes = []
    for name in dict.fromkeys(row["file"] for row in rows):
        machine, at = pygcode.Machine(), None
        for text in (tmp_path / "x" / name).read_text().splitlines():
            machine.process_block(pygcode.Line(text).block)
            before, at = at, np.array([machine.pos.X, size[1] - machine.pos.Y])
            spindle = machine.mode.modal_groups[pygcode.GCodeStartSpindleCW.modal_group]
            moves = isinstance(machine.mode.motion, pygcode.GCodeLinearMove)
            if moves and before is not None and (before != at).any():
                assert spindle is not None
                assert machine.mode.spindle_speed.word.value > 0
                strokes.append(np.stack([before, at]))
    lines = [line for layer in layers.values() for line in layer]
    assert length(strokes) == pytest.approx(length(lines), rel=1e-3)
    assert alike(drawn(strokes, size), drawn(lines, size)) > 0.98


@needs_vpype
def test_vpype_cuts_the_sheets_that_were_planned(tmp_path):
    photo = data.astronaut()[:240, 100:340]
    maker = Paper({"width": 120.0, "layers": 4})
    made = maker.make(Motif("x", photo=photo))
    unit = 1.2 / 4
    from artgen_plugins.regions import lab_of

    side = round((120 - 16) / unit)
    picture = Motif("x", photo=photo).picture(side, side)
    layers = maker.layered(lab_of(np.moveaxis(picture / 255, 2, 0)), unit)
    for number, layer in enumerate(layers, 1):
        file = tmp_path / f"layer-{number}.svg"
        file.write_bytes(made.files[file.name])
        found, size = vpype_lines(file)
        lines = [line for each in found.values() for line in each]
        assert size == pytest.approx((120, 120), abs=0.01)
        assert all(abs(line[0] - line[-1]).max() < 0.02 for line in lines), "a line is open"
        # What an odd number of lines goes around is cut out; the last is the edge of the sheet.
        high, wide = layer.paper.shape
        sheet = Image.new("1", (wide, high))
        for line in lines:
            if np.ptp(line, axis=0).max() > 4:  # Holes for pins are smaller.
                one = Image.new("1", sheet.size)
                places = line / 120 * (wide, high) - 0.5
                ImageDraw.Draw(one).polygon([tuple(place) for place in places], fill=1)
                sheet = ImageChops.logical_xor(sheet, one)
        assert (np.asarray(sheet) == layer.paper).mean() > 0.985
