"""Pens from a photo of their swatches: synthesised photos, turned, in perspective, in shade."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import uniform_filter

from artgen import fit
from artgen.cli import main
from artgen.errors import UsageError
from artgen.making import parse_colour
from artgen.targets import linear_to_srgb, srgb_to_linear
from artgen_makers.calibration import APART, BLOCK, FIELDS, FIRST, homography, pens_of
from artgen_makers.swatches import Swatches, boxes, drawn_by_a_pen

PENS = {1: ("#1b2a41", 0.5), 2: ("#c8372d", 0.3), 4: ("#e9b33c", 0.8), 7: ("#3f7d4e", 0.2)}
SCALE = 12


def sheet(pens=PENS, lines=6):
    """The sheet as it is seen from above, on A5, in linear light [height, width, 3]."""
    wide, high = 148, 210
    image = Image.new("RGB", (wide * SCALE, high * SCALE), "#fff")
    pen = ImageDraw.Draw(image)
    corner = np.array([(wide - BLOCK[0]) / 2, (high - BLOCK[1]) / 2])
    for x, y, w, h, level in boxes():
        ends = (np.array([x, y, x + w, y + h]) + np.tile(corner, 2)) * SCALE
        pen.rectangle([*ends[:2], *(ends[2:] - 1)], fill=(level,) * 3)
    middle, radius = (FIRST[:2] + corner) * SCALE, FIRST[2] * SCALE
    pen.ellipse([*(middle - radius), *(middle + radius)], fill=(0, 0, 0))
    for field, (colour, width) in pens.items():
        paths = drawn_by_a_pen(field - 1, width)
        for path in paths[: 2 + lines]:
            points = [tuple(each) for each in (path + corner + (0.7, -0.6)) * SCALE]
            pen.line(points, fill=colour, width=round(width * SCALE))
    return srgb_to_linear(np.asarray(image, np.float32) / 255)


def photo(light, corners, size=(1200, 1600), seed=0, noise=0.01):
    """What a camera sees, uint8: `corners` are where those of the sheet are, as shares."""
    high, wide = light.shape[:2]
    ends = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], float)
    way = homography(np.array(corners) * size, ends)
    planes = []
    for plane in np.moveaxis(light, 2, 0):
        fine = Image.fromarray(uniform_filter(plane, 5))
        planes.append(
            fine.transform(
                size, Image.Transform.PERSPECTIVE, list((way / way[2, 2]).ravel()[:8]),
                Image.Resampling.BILINEAR, fillcolor=0.12,
            )
        )  # fmt: skip
    seen = np.stack([np.asarray(plane) for plane in planes], 2)
    y, x = np.mgrid[: size[1], : size[0]] / np.array(size[::-1])[:, None, None]
    shade = 0.75 - 0.25 * x + 0.15 * y - 0.2 * (x - 0.6) ** 2
    seen = seen * shade[..., None] * (0.98, 0.86, 0.7)
    rng = np.random.default_rng(seed)
    seen = linear_to_srgb(seen.astype(np.float32)) + rng.normal(0, noise, seen.shape)
    return np.rint(255 * seen.clip(0, 1)).astype(np.uint8)


def turned(angle, pull):
    """The corners of a sheet that is turned by degrees, its far side narrower by `pull`."""
    ends = np.array([[-0.32, -0.34], [0.32, -0.34], [0.32, 0.34], [-0.32, 0.34]])
    ends[:2] *= 1 - pull
    a = np.radians(angle)
    turn = np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
    return (ends * (0.75, 1)) @ turn / (0.75, 1) + 0.5


@pytest.fixture(scope="module")
def drawn():
    return sheet()


@pytest.mark.parametrize(("angle", "pull"), [(12, 0.12), (-100, 0.08), (175, 0.2)])
def test_pens_are_measured_however_the_photo_is_taken(drawn, angle, pull):
    found = pens_of(photo(drawn, turned(angle, pull)) / 255)
    assert [pen.field for pen in found] == list(PENS)
    for pen in found:
        colour, width = PENS[pen.field]
        apart = np.abs(np.subtract(parse_colour(pen.colour), parse_colour(colour)))
        assert apart.max() < 0.03
        # Lines of the sheet are whole pixels wide.
        width = round(width * SCALE) / SCALE
        assert pen.width == pytest.approx(width, abs=0.005 + 0.02 * width)


def test_what_is_no_sheet_is_told(drawn):
    small = turned(5, 0.05), (900, 1200)
    seen = photo(drawn, *small) / 255
    with pytest.raises(UsageError, match=r"the photo: the dot beside the first mark"):
        pens_of(seen[:, ::-1])
    with pytest.raises(UsageError, match=r"2 of the 4 marks"):
        pens_of(seen[: seen.shape[0] // 2])
    with pytest.raises(UsageError, match=r"0 of the 4 marks"):
        pens_of(np.full((60, 40, 3), 0.5))
    with pytest.raises(UsageError, match="nothing is drawn"):
        pens_of(photo(sheet({}), *small) / 255)
    with pytest.raises(UsageError, match="field 2 has 5 lines, not 6"):
        pens_of(photo(sheet({2: ("#000000", 0.4)}, lines=5), *small) / 255)


def test_pens_whose_lines_would_touch_get_no_sheet():
    """Lines of 3 mm, 3 mm apart, were one."""
    with pytest.raises(UsageError, match="pen_width must be"):
        Swatches({"pen_width": 3.0})
    assert Swatches({"pen_width": 2.5}).options.pen_width < APART


def test_a_sheet_is_drawn_where_it_is_measured_and_plotters_take_its_pens(
    drawn, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    assert main(["make", "swatches", "-q", "--page", "A5", "--pens", "2", "--name", "sheet"]) == 0
    folder = tmp_path / "artgen-out/sheet"
    text = (folder / "pen-2-343434.gcode").read_text()
    assert "artgen make swatches --page A5 --pens 2" in text.splitlines()[0]
    points = np.array(re.findall(r"^G1 X([\d.]+) Y([\d.]+)", text, re.MULTILINE), float)
    # The paper of 148 x 210 mm lies on its left side, as it reaches higher than the machine.
    u, v = points.T[::-1] if points[:, 0].max() > 148 else (points[:, 0], 210 - points[:, 1])
    x = FIELDS[1][0] + (148 - BLOCK[0]) / 2
    assert u.min() - x == pytest.approx(8, abs=0.2)
    assert u.max() - x == pytest.approx(52, abs=0.1)
    assert np.ptp(v) == pytest.approx(15, abs=0.2)
    assert {path.name for path in folder.glob("*.pdf")} >= {"sheet.pdf", "guide-a4.pdf"}

    Image.fromarray(photo(drawn, turned(12, 0.12))).save("pens.jpg", quality=92)
    fit("sample:cat", primitive="hatch", count=300, size=64, inks="#000000,#d0402a").save("cat.art")
    asked = ["make", "plotter", "cat.art", "-q", "--page", "A6", "--pens-from", "pens.jpg"]
    assert main([*asked, "--name", "plot", "--json"]) == 0
    parts = json.loads(capsys.readouterr().out)["parts"]
    told = {each["name"].partition(", ")[2] for each in parts if each["what"] == "pen"}
    assert told
    for name in told:
        real = [round(width * SCALE) / SCALE for _, width in PENS.values()]
        assert min(abs(float(name[:-3]) - width) for width in real) < 0.02
    assert main([*asked, "--pens", "2"]) == 2
    assert "leave them out" in capsys.readouterr().err
    assert main([*asked[:-1], "cat.art"]) == 3
    assert main(["make", "swatches", "cat.art"]) == 2
    assert "takes no file" in capsys.readouterr().err
    assert main(["make", "swatches", "--profile", "marlin"]) == 2
    assert "use --page A5, or another --profile" in capsys.readouterr().err
    assert main(["make", "swatches", "--page", "A6"]) == 2
    assert "too small for the swatches" in capsys.readouterr().err
