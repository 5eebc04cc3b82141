"""Plots and maps: what they show, at any size, the same every time and whatever the user's settings."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from artgen import Canvas, Drawing, Field, Param
from artgen.display import METRICS
from artgen.display.plots import ClassMap, CurvePlot, plot_losses, plot_ranks, plot_scatter
from artgen.display.views import open_view
from artgen.errors import Diverged, UsageError
from artgen.targets import curve_from_samples
from artgen_plugins.curve import open_curve
from artgen_plugins.points import open_points

BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


class Plane(Field):
    """Values that change evenly: slope times position plus offset."""

    targets = ("image", "curve", "points")

    @property
    def params(self):
        return {"slope": Param(self.outputs, self.inputs), "offset": Param(self.outputs)}

    def forward(self, xy, p):
        return xy @ p.slope.t() + p.offset


def drawn(target, slope, offset, *, background=BLACK, logits=None, size=(60, 40)):
    """The plane and a drawing of it."""
    subject = target.subject if logits is None else replace(target.subject, logits=logits)
    tensors = {"slope": torch.tensor(slope), "offset": torch.tensor(offset)}
    plane = Plane()
    plane.take(subject)
    return plane, Drawing("plane", {}, tensors, *size, background, subject=subject)


def show(target, slope, offset, *, canvas=None, **how):
    plane, drawing = drawn(target, slope, offset, **how)
    view = open_view(drawing, plane, canvas)
    picture = view.show(drawing)
    return picture.pixels, view.metrics(picture, target), picture.outputs


# ---- curves --------------------------------------------------------------------------------------


def test_a_perfect_fit_of_a_line():
    pixels, metrics, outputs = show(open_curve("2*x + 1?n=9"), [[2.0]], [1.0])
    assert pixels.shape == (40, 60, 3)
    assert metrics == {"mse": pytest.approx(0, abs=1e-12)}
    assert outputs.shape == (1, 1, 9)


def test_the_error_is_in_the_units_of_the_curve():
    # A fit that is off by a tenth of its unit, which is 1000.
    _, metrics, _ = show(open_curve("2000*x"), [[2.0]], [0.1])
    assert metrics["mse"] == pytest.approx(100.0**2, rel=1e-4)


def orange(pixels):
    """Where there is something of the fit's colour."""
    red, blue = pixels[:, :, 0].astype(int), pixels[:, :, 2].astype(int)
    return red - blue > 20


def test_the_plot_shows_the_fit_and_its_error():
    target, canvas = open_curve("x"), Canvas(320, 200)
    right, wrong = (
        orange(show(target, [[1.0]], [offset], canvas=canvas)[0]).mean() for offset in (0.0, 0.5)
    )
    assert 0 < right < 0.03 < wrong
    # A fit far outside leaves the frame without a trace of a line, but not of the error.
    far = orange(show(target, [[1.0]], [1e30], canvas=canvas)[0])
    assert far.mean() > 0.2


def test_measurements_are_dots_without_an_area():
    target, canvas = curve_from_samples([0, 1, 2], [0, 1, 0]), Canvas(320, 200)
    off = orange(show(target, [[0.0]], [0.5], canvas=canvas)[0]).mean()
    assert 0 < off < 0.03


@pytest.mark.parametrize("side", [16, 64, 333, 1000])
def test_any_size(side):
    canvas = Canvas(side, max(1, side * 5 // 8))
    for target, slope in ((open_curve("x"), [[1.0]]), (open_points(""), [[1.0, 0.0]])):
        pixels, _, _ = show(target, slope, [0.0], canvas=canvas)
        assert pixels.shape == (canvas.height, canvas.width, 3)


def test_ink_is_light_on_dark_and_dark_on_light():
    for background in (BLACK, WHITE, (0.2, 0.3, 0.4)):
        pixels, _, _ = show(
            open_curve("x"), [[1.0]], [0.0], background=background, canvas=Canvas(320, 200)
        )
        paper = np.rint(np.array(background) * 255)
        np.testing.assert_allclose(pixels[-1, -1], paper, atol=1)
        ink = np.abs(pixels.reshape(-1, 3).astype(float) - paper).sum(1).max()
        assert ink > 300


def test_frames_do_not_leave_traces():
    plane, drawing = drawn(open_curve("x"), [[1.0]], [0.0], size=(320, 200))
    other = replace(drawing, tensors={**drawing.tensors, "offset": torch.tensor([0.4])})
    view = open_view(drawing, plane)
    first = view.show(drawing).pixels
    assert not np.array_equal(view.show(other).pixels, first)
    np.testing.assert_array_equal(view.show(drawing).pixels, first)
    np.testing.assert_array_equal(open_view(drawing, plane).show(drawing).pixels, first)


# ---- labelled points -----------------------------------------------------------------------------


def test_the_map_shows_who_wins_where():
    canvas = Canvas(100, 100)
    pixels, metrics, outputs = show(
        open_points("random?n=2"), [[50.0, 0.0]], [0.0], canvas=canvas, logits=True
    )
    # Log odds grow to the right: the second class, in a warm ink, is there.
    left, right = pixels[5, 2].astype(int), pixels[5, 97].astype(int)
    assert left[2] > left[0] + 50
    assert right[0] > right[2] + 50
    # Where it is undecided, paper shows.
    assert pixels[5, 50].max() < left.max() / 1.5
    assert outputs.shape == (1, 1, 2)
    assert set(metrics) == {"accuracy", "mean_error"}


def test_the_metrics_of_points():
    points = open_points("random?n=40").subject
    for logits in (True, False):
        # A constant output: all points are said to be of the second class.
        _, metrics, _ = show(open_points("random?n=40"), [[0.0, 0.0]], [0.75], logits=logits)
        p = 1 / (1 + np.exp(-0.75)) if logits else 0.75
        second = points.labels.mean()
        assert metrics["accuracy"] == pytest.approx(second, abs=1e-6)
        assert metrics["mean_error"] == pytest.approx((1 - p) * second + p * (1 - second), abs=1e-5)


def test_three_classes():
    target = open_points("spiral?classes=3&n=30")
    for logits in (True, False):
        _, metrics, outputs = show(target, [[0.0, 0.0]] * 3, [0.0, 9.0, 0.0], logits=logits)
        assert outputs.shape == (3, 1, 30)
        assert metrics["accuracy"] == pytest.approx(1 / 3, abs=1e-6)
        assert metrics["mean_error"] == pytest.approx(2 / 3, abs=1e-3)
    # Outputs that say nothing give every class the same.
    _, metrics, _ = show(target, [[0.0, 0.0]] * 3, [-1.0] * 3, logits=False)
    assert metrics["mean_error"] == pytest.approx(2 / 3, abs=1e-6)


def test_every_class_has_its_dots():
    canvas, points = Canvas(200, 200), open_points("spiral?classes=3&n=30").subject
    shares = np.full((3, 200, 200), 1 / 3, np.float32)
    with_dots = ClassMap(canvas, BLACK, points).draw(shares)
    nowhere = replace(points, xy=points.xy + 9)
    without = ClassMap(canvas, BLACK, nowhere).draw(shares)
    changed = (with_dots != without).any(2)
    for x, y in points.positions:
        assert changed[int((y + 1) * 100), int((x + 1) * 100)]
    assert changed.mean() < 0.1


# ---- in common -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "slope"), [("curve", [[1.0]]), ("points", [[1.0, 0.0]])])
def test_what_is_not_finite_is_divergence(target, slope):
    opened = open_curve("x") if target == "curve" else open_points("")
    plane, drawing = drawn(opened, slope, [3e38])
    broken = replace(
        drawing, tensors={**drawing.tensors, "slope": torch.full((1, len(slope[0])), 3e38)}
    )
    with pytest.raises(Diverged):
        open_view(drawing, plane).show(broken)


def test_there_is_nothing_behind_a_plot():
    plane, drawing = drawn(open_curve("x"), [[1.0]], [0.0])
    with pytest.raises(UsageError, match="cannot be transparent"):
        open_view(drawing, plane, transparent=True)


def test_metrics_are_all_known():
    for target, slope in ((open_curve("x"), [[1.0]]), (open_points(""), [[1.0, 0.0]])):
        assert set(show(target, slope, [0.0])[1]) < set(METRICS)


def test_settings_of_the_user_change_nothing(monkeypatch):
    import matplotlib

    curve, canvas = open_curve("x").subject, Canvas(200, 120)
    losses = {"run": [(0, 1.0), (10, 0.1)]}

    def pictures():
        plot = CurvePlot(canvas, BLACK, curve, curve.x)
        return [plot.draw(curve.y), plot_losses(losses, canvas, WHITE)]

    plain = pictures()
    for name, value in {
        "lines.antialiased": False,
        "font.family": ["monospace"],
        "axes.grid": False,
        "lines.linewidth": 9.0,
        "xtick.labelsize": 30.0,
    }.items():
        monkeypatch.setitem(matplotlib.rcParams, name, value)
    for picture, expected in zip(pictures(), plain, strict=True):
        np.testing.assert_array_equal(picture, expected)
    assert matplotlib.rcParams["lines.linewidth"] == 9.0


def test_names_of_classes_are_no_formulas():
    points = {"mean": (np.zeros((2, 2)), np.array([0, 1]))}
    assert plot_scatter(points, ["$\\frac$", "b"], Canvas(320, 240), WHITE).shape == (240, 320, 3)


def test_pyplot_is_left_alone():
    code = (
        "import sys; from artgen import Canvas; from artgen.display.plots import plot_losses; "
        "plot_losses({'a': [(0, 1.0), (1, 0.5)]}, Canvas(64, 40), (0.0, 0.0, 0.0)); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_losses_of_several_runs():
    canvas = Canvas(320, 200)
    one = plot_losses({"a": [(0, 1.0), (10, 0.1)]}, canvas, BLACK)
    two = plot_losses({"a": [(0, 1.0), (10, 0.1)], "b": [(0, 2.0), (20, 0.5)]}, canvas, BLACK)
    zero = plot_losses({"a": [(0, 1.0), (10, 0.0)]}, canvas, BLACK)
    alone = plot_losses({"a": [(5, 1.0)]}, canvas, BLACK)
    pictures = [one, two, zero, alone]
    assert all(picture.shape == (200, 320, 3) for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == 4


def test_a_name_is_no_formula():
    line = [(0, 1.0), (10, 0.1)]
    formula, plain = (plot_losses({name: line}, Canvas(320, 200), BLACK) for name in ("$a$", "a"))
    assert (formula != plain).any()
    plot_losses({r"cost in $, \of $": line}, Canvas(320, 200), BLACK)


@pytest.mark.parametrize("names", [["_a"], ["_a", "_child0"], ["b", "_nothing"]])
def test_names_that_begin_with_an_underscore_are_in_the_legend(names, monkeypatch):
    """Matplotlib leaves such names out; where all were such ones, there was no picture."""
    from matplotlib.axes import Axes

    drawn, legend = [], Axes.legend

    def watched(axes, *given, **named):
        made = legend(axes, *given, **named)
        drawn[:] = [text.get_text() for text in made.get_texts()]
        return made

    monkeypatch.setattr(Axes, "legend", watched)
    canvas = Canvas(320, 240)
    plot_losses(dict.fromkeys(names, ((0, 1.0), (10, 0.1))), canvas, BLACK)
    assert drawn == names
    plot_ranks(np.array([0.5, 0.1]), dict.fromkeys(names, (0.1, 1)), canvas, BLACK)
    assert [text.partition(":")[0] for text in drawn[1:]] == names
    labels = np.array([*range(len(names)), -1])
    plot_scatter({"mean": (np.zeros((len(labels), 2)), labels)}, names, canvas, WHITE)
    assert drawn == names


def test_long_names_stay_on_the_page():
    line = [(0, 1.0), (10, 0.1)]
    names = [f"a name that is rather long, number {number}" for number in range(4)]
    picture = plot_losses(dict.fromkeys(names, line), Canvas(480, 300), BLACK)
    border = np.concatenate(
        [picture[:4].ravel(), picture[:, -4:].ravel(), picture[:, :4].ravel(), picture[-4:].ravel()]
    )
    assert not border.any()
    assert picture[4:100].any(axis=(0, 2)).mean() > 0.3
