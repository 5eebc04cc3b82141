"""Partitions: that the nearest site wins, exactly by area, and what a plugin may get wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from artgen import Canvas, Drawing, Partition, load
from artgen.cli import main
from artgen.engines import Problem
from artgen.engines.genetic.rates import Rates
from artgen.errors import InputError, PluginError
from artgen.families.partition.cells import cells
from artgen.families.partition.paint import draw_partition
from artgen.families.partition.search import SitePopulation
from artgen.init import Context
from artgen.losses import Loss, Term, mse
from artgen.raster import choose_backend, draw, planned_backend
from artgen.raster.edges import polygon_edges
from artgen_plugins.voronoi import Voronoi

BACKGROUND = (0.2, 0.4, 0.6)
MSE = Loss((Term(1.0, "mse", mse),))


def random_sites(count, canvas, seed=0):
    context = Context(torch.Generator().manual_seed(seed), canvas, count)
    return Voronoi().initial(context)


def sampled(tensors, canvas, k):
    """The nearest of all sites at k × k points of every pixel, averaged."""
    large = Canvas(canvas.width * k, canvas.height * k)
    x, y = (torch.from_numpy(centres).double() for centres in large.pixel_centres())
    sites = tensors["sites"].double()
    distance = (x[None, None] - sites[0, :, None, None]) ** 2
    distance = distance + (y[None, :, None] - sites[1, :, None, None]) ** 2
    picture = tensors["colour"][:, distance.argmin(0)]
    return torch.nn.functional.avg_pool2d(picture, k)


@pytest.mark.parametrize(("width", "height"), [(40, 40), (64, 30), (21, 50), (1, 1), (1, 9)])
@pytest.mark.parametrize("count", [1, 2, 40])
def test_the_nearest_site_wins(width, height, count):
    canvas = Canvas(width, height)
    tensors = random_sites(count, canvas)
    picture = draw_partition(Voronoi(), tensors, canvas, BACKGROUND)
    error = (picture - sampled(tensors, canvas, 16)).square().mean()
    assert error < 2e-4


def test_rows_are_cut_exactly():
    """Two sites side by side: the border is half way, whatever the pixels."""
    canvas = Canvas(16, 16)
    tensors = {
        "sites": torch.tensor([[-0.7, 0.2], [0.1, 0.1]]),
        "colour": torch.tensor([[1.0, 0.0]] * 3),
    }
    picture = draw_partition(Voronoi(), tensors, canvas, BACKGROUND)
    column = (-0.25 + 1) / canvas.pixel
    expected = torch.tensor([min(max(column - x, 0.0), 1.0) for x in range(16)])
    torch.testing.assert_close(picture, expected.expand(3, 16, 16), atol=1e-6, rtol=0)


@pytest.mark.parametrize("threads", [2, 5])
def test_any_number_of_threads_gives_the_same_bits(threads):
    canvas = Canvas(70, 53)
    tensors = random_sites(60, canvas)
    alone = draw_partition(Voronoi(), tensors, canvas, BACKGROUND)
    torch.set_num_threads(threads)
    try:
        assert torch.equal(draw_partition(Voronoi(), tensors, canvas, BACKGROUND), alone)
    finally:
        torch.set_num_threads(1)


def test_a_drawing_has_no_resolution():
    tensors = random_sites(30, Canvas(32, 24))
    drawing = Drawing("voronoi", {}, tensors, 32, 24)
    small, large = draw(drawing, Voronoi()), draw(drawing, Voronoi(), Canvas(256, 192))
    assert (small - torch.nn.functional.avg_pool2d(large, 8)).square().mean() < 1e-5


def test_no_sites_are_the_background_and_equal_ones_are_one():
    nothing = {"sites": torch.zeros(2, 0), "colour": torch.zeros(3, 0)}
    drawing = Drawing("voronoi", {}, nothing, 8, 6, BACKGROUND)
    assert Voronoi().count_of(drawing) == 0
    expected = torch.tensor(BACKGROUND)[:, None, None].expand(3, 6, 8)
    assert torch.equal(draw(drawing, Voronoi()), expected)
    twice = {"sites": torch.zeros(2, 5), "colour": torch.full((3, 5), 0.3)}
    picture = draw_partition(Voronoi(), twice, Canvas(9, 9), BACKGROUND)
    torch.testing.assert_close(picture, torch.full((3, 9, 9), 0.3))


@pytest.mark.parametrize("value", [0.0, 5.0, -1e30, 1e30])
def test_any_numbers_can_be_drawn(value):
    tensors = {"sites": torch.full((2, 3), value), "colour": torch.ones(3, 3)}
    tensors["sites"][0, 1] = 0.1
    assert torch.isfinite(draw_partition(Voronoi(), tensors, Canvas(9, 7), BACKGROUND)).all()


def test_an_edge_of_two_cells_is_there_once():
    """An upright one was there twice where rounding leant it to either side: pens drew it twice."""
    left = np.array([[-1.0, -1.0], [0.0, -1.0], [1e-16, 1.0], [-1.0, 1.0]])
    right = np.array([[1e-16, -1.0], [1.0, -1.0], [1.0, 1.0], [0.0, 1.0]])
    assert len(polygon_edges([left, right])) == 7


def test_tensors_of_another_shape_are_refused():
    tensors = {"sites": torch.zeros(3, 2), "colour": torch.zeros(3, 2)}
    with pytest.raises(InputError, match="parameters of voronoi"):
        draw(Drawing("voronoi", {}, tensors, 8, 8), Voronoi())


def test_partitions_have_one_backend():
    for asked in ("auto", "compiled", "eager"):
        assert choose_backend(Voronoi(), "cpu", asked).name == "compiled"
    assert planned_backend(Voronoi()).name == "compiled"


def test_first_colours_are_those_of_the_target(astronaut):
    target, canvas = astronaut(32), Canvas(32, 32)
    context = Context(torch.Generator().manual_seed(0), canvas, 20, target=target)
    tensors = Voronoi().initial(context)
    x, y = tensors["sites"]
    for i in range(20):
        column, row = int((x[i] + 1) * 16), int((y[i] + 1) * 16)
        assert torch.equal(tensors["colour"][:, i], target[:, row, column])


def test_colours_are_the_means_of_cells(astronaut):
    target = astronaut(48)
    weight = torch.rand(48, 48, generator=torch.Generator().manual_seed(2))
    ones = Rates(*[1.0] * len(Rates._fields))
    rates = ones._replace(clear=0.0, most=20.0, small=0.1, large=0.2)
    drawing = Drawing("voronoi", {}, {}, 48, 48, BACKGROUND)
    problem = Problem(Voronoi(), drawing, target, MSE, 1, 0, weight=weight)
    population = SitePopulation(Voronoi(), problem, rates, 2)
    population.set_block(1)
    population.initialise(np.random.default_rng(0), 20)
    tensors = population.tensors(0)
    fine = Canvas(48 * 8, 48 * 8)
    names = {"sites": tensors["sites"], "colour": torch.eye(20)[:3]}
    wide, heavy = (
        torch.nn.functional.interpolate(t[None], scale_factor=8)[0] for t in (target, weight[None])
    )
    for first in range(0, 18, 3):
        names["colour"] = torch.eye(20)[first : first + 3]
        cells = sampled(names, fine, 1) * heavy
        for k, cell in enumerate(cells):
            if cell.sum() > 0:
                mean = (wide * cell).sum((1, 2)) / cell.sum()
                torch.testing.assert_close(
                    tensors["colour"][:, first + k], mean, atol=0.02, rtol=0.02
                )


def test_of_equal_sites_the_first_has_the_cell():
    """Pictures showed the first, vectors the last."""
    sites = np.array([[1.0, 1.0], [-0.5, 0.0], [1.0, 1.0]])
    first, other, second = cells(sites, Voronoi(), Canvas(8, 8))
    assert len(first) > 2 < len(other)
    assert len(second) == 0


# ---- other partitions ----------------------------------------------------------------------------


class Power(Partition):
    """A power diagram: sites with a weight of their own win more."""

    genes = 3

    @staticmethod
    def line(genes, y):
        x0, y0, reach = genes
        return -2 * x0, x0 * x0 + (y - y0) ** 2 - reach * reach


def test_a_partition_of_ones_own():
    canvas = Canvas(40, 40)
    tensors = {
        "sites": torch.tensor([[-0.5, 0.5], [0.0, 0.0], [0.8, 0.0]]),
        "colour": torch.tensor([[1.0, 0.0]] * 3),
    }
    picture = draw_partition(Power(), tensors, canvas, BACKGROUND)
    # (x + 1/2)² − 0.64 = (x − 1/2)² at x = 0.32.
    assert float(picture[0].mean()) == pytest.approx((0.32 + 1) / 2, abs=1e-4)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "does not define line"),
        ({"genes": 1}, "has 1 genes"),
        ({"line": lambda self, y: (y, y)}, r"line \(.*\) must not take self"),
        ({"line": staticmethod(lambda genes, y: y)}, r"line \(.*\) gave .*, not a pair of numbers"),
        (
            {"line": staticmethod(lambda genes, y: no_such(y))},  # noqa: F821
            r"line \(.*no_such.*NameError",
        ),
    ],
)
def test_what_is_wrong_is_named(body, message):
    wrong = type("Wrong", (Partition,), body)()
    tensors = {"sites": torch.zeros(wrong.genes, 2), "colour": torch.zeros(3, 2)}
    with pytest.raises(PluginError, match=f"Wrong.*{message}"):
        draw_partition(wrong, tensors, Canvas(5, 5), BACKGROUND)


# ---- as a command --------------------------------------------------------------------------------


def test_fit_render_and_refusals(tmp_path, monkeypatch, capsys):
    from helpers import save_photo

    photo = save_photo(tmp_path)
    monkeypatch.chdir(tmp_path)
    command = ["fit", str(photo), "-p", "voronoi", "-n", "20", "--steps", "20", "--quiet"]
    assert main([*command, "--video-seconds", "0.5", "--name", "cells"]) == 0
    summary = json.loads((tmp_path / "artgen-out" / "cells.json").read_text())
    assert (summary["engine"], summary["backend"]) == ("genetic", "compiled")
    art = load("artgen-out/cells.art")
    assert art.render(200).shape == (133, 200, 3)
    assert main(["render", "artgen-out/cells.art", "--size", "100", "-o", "large.png"]) == 0
    capsys.readouterr()
    assert main(["render", "artgen-out/cells.art", "-o", "cells.json"]) == 0
    assert main(["render", "artgen-out/cells.art", "-o", "cells.html"]) == 2
    assert "voronoi cannot be shown as a page" in capsys.readouterr().err
    assert main(["fit", str(photo), "-p", "voronoi", "-e", "climb"]) == 2
    assert main(["plugins", "show", "voronoi"]) == 0
    assert "classical" in capsys.readouterr().out
