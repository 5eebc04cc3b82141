"""Shapes of Bézier curves: drawn by area, with holes, and the same as paths."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from test_output_svg import art_of

from artgen import Canvas, Drawing, Shape
from artgen.art import ExportRequest
from artgen.exporters import export_svg
from artgen.exporters.paths import _path
from artgen.output.parts import Curves, flat_parts, parts_for
from artgen.output.parts.pens import pen_parts
from artgen.output.svg.compact import compact_path
from artgen.raster import draw
from artgen.svg.curves import flatten
from artgen.testing.elements import painted
from artgen_plugins.blob import Blob

KAPPA = 4 * (math.sqrt(2) - 1) / 3


class Ring(Shape):
    """A disc with a hole, as four curves each, and two curves that are not needed."""

    genes, curves = 3, 10

    @staticmethod
    def random(genes, rng, x, y, size):
        genes[0], genes[1], genes[2] = x, y, size

    @staticmethod
    def outline(genes, points):
        for ring in range(2):
            r, way = genes[2] * (1 - ring / 2), 1 - 2 * ring
            for i in range(4):
                c, s = (1, 0, -1, 0)[i], (0, 1, 0, -1)[i]
                u, v = -s, c
                row = 16 * ring + 4 * i
                for k in range(4):
                    along = (1.0, 1.0, KAPPA, 0.0)[k]
                    across = (0.0, KAPPA, 1.0, 1.0)[k]
                    points[row + k, 0] = genes[0] + r * (along * c + across * u)
                    points[row + k, 1] = genes[1] + r * way * (along * s + across * v)
        for k in range(32, 40):
            points[k, 0], points[k, 1] = genes[0], genes[1]


def ring(**tensors):
    values = {
        "genes": torch.tensor([[0.2], [0.0], [0.5]]),
        "colour": torch.ones(3, 1),
        "alpha": torch.ones(1),
    }
    return Drawing("ring", {}, values | tensors, 48, 32, (0.0, 0.0, 0.0))


def area(ring):
    x, y = ring.T
    return (x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2


def test_rings_have_two_contours_and_what_is_one_point_is_left_out():
    contours = Ring().contours(np.array([0.0, 0.0, 1.0]))
    assert [len(contour) for contour in contours] == [4, 4]
    assert [area(flatten(each)) for each in contours] == pytest.approx(
        [math.pi, -math.pi / 4], 4e-3
    )
    assert area(Ring().polygon(np.array([0.0, 0.0, 1.0]))) == pytest.approx(0.75 * math.pi, 4e-3)


@pytest.mark.parametrize("size", [16, 64])
def test_holes_stay_open_and_the_area_is_that_of_the_curves(size):
    canvas = Canvas(size * 3 // 2, size)
    drawn = draw(ring(), Ring(), canvas)[0]
    assert float(drawn.sum()) * canvas.pixel**2 == pytest.approx(0.1875 * math.pi, rel=2e-3)
    across, down = (int((0.2 + 1.5) / canvas.pixel), size // 2)
    assert drawn[down, across] == 0
    assert drawn[down, int((0.2 + 0.375 + 1.5) / canvas.pixel)] == 1


def test_pens_pdf_and_pages_get_the_contours():
    drawing = ring()
    (part,) = pen_parts(Ring(), drawing)
    assert len(part.rings) == 2
    (flat,) = parts_for(drawing, Ring(), "PDF")
    path = _path(flat)
    assert list(path.codes).count(path.CURVE4) == 24
    assert list(path.codes).count(path.MOVETO) == 2


@pytest.mark.parametrize("primitive", [Ring(), Ring({"symmetry": "mirror"})])
def test_whole_numbers_cover_what_the_curves_cover(primitive):
    genes = torch.tensor([[0.3], [0.0], [0.2]])
    (part,) = flat_parts(primitive, ring(genes=genes))
    grid = np.linspace(-0.6, 0.6, 120)
    points = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    unit = 0.001
    exact = painted(ElementTree.tostring(part.element(), encoding="unicode"), points)
    short = painted(f'<path d="{compact_path(part.contours(), unit)}"/>', points / unit)
    assert exact.sum() > 300
    assert (exact != short).mean() < 2e-3
    assert isinstance(part, Curves) == (primitive.copies is not None)


def test_lines_and_smooth_joins_are_short():
    lines = [[(0, 0), (0, 0), (0, 3), (0, 3)], [(0, 3), (1, 2), (2, 1), (3, 0)]]
    smooth = [[(3, 0), (3, -1), (1, -2), (0, -2)], [(0, -2), (-1, -2), (-1, 0), (0, 0)]]
    contour = np.array(lines + smooth, float)
    assert compact_path([contour], 1.0) == "M0 0l0 3 3-3c0-1-2-2-3-2s-1 2 0 2z"
    loop = np.array([[(0, 0), (3, 0), (0, 3), (0, 0)]], float)
    assert compact_path([loop], 1.0) == "M0 0c3 0 0 3 0 0z"


def test_a_blob_costs_a_hundred_bytes(registry):
    art = art_of("blob", registry, width=256, height=256, count=40)
    same = art_of("blob", registry, width=256, height=256, count=40, alpha=torch.full((40,), 0.5))
    first, second = (len(export_svg(each, ExportRequest())) for each in (art, same))
    assert first < 130 * 40 + 900
    assert first - second > 10 * 40
    group = ElementTree.fromstring(export_svg(same, ExportRequest()))[-1]
    assert group.get("fill-opacity") == "0.5"


def test_a_spline_goes_through_its_points_and_is_smooth():
    genes = np.random.default_rng(0).uniform(-1, 1, 12)
    (contour,) = Blob({"curves": 6}).contours(genes)
    assert np.allclose(contour[:, 0], np.roll(genes.reshape(-1, 2), 1, 0))
    leaving, coming = contour[:, 1] - contour[:, 0], contour[:, 3] - contour[:, 2]
    assert np.allclose(leaving, np.roll(coming, 1, axis=0))
