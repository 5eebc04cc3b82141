"""Plots of curves and fits, maps of classes, losses, latents, drawn by matplotlib.

It avoids pyplot and its global state, and starts from matplotlib's default settings and font, so
equal arguments give equal pixels. Paper is the background of the drawing; ink is light on dark
paper and dark on light. Text and lines grow with the picture. Parts that all frames of a video
share are drawn once.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import resources
from itertools import cycle
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from artgen.output.still import Pixels, to_pixels
from artgen.targets import LUMA
from artgen.values.canvas import Canvas
from artgen.values.drawing import Colour
from artgen.values.subject import Curve, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D


_LONG_SIDE = 6.4
"""Long side in inches; a point is 1/72 inch, so at 461 pixels a point is a pixel."""

_TEXT = 9
"""Size of text in points."""
_LEAST_TEXT = 3
"""Size in pixels below which text is left out."""
_HIGHEST = 0.975
"""Upper end of a legend, as a fraction of the height."""

_UNNAMED = "_nolegend_"
"""The name of what is in no legend."""

_INKS: tuple[Colour, ...] = (
    (0.16, 0.42, 0.80),
    (0.93, 0.36, 0.20),
    (0.13, 0.62, 0.47),
    (0.91, 0.69, 0.20),
    (0.56, 0.38, 0.80),
    (0.90, 0.50, 0.67),
    (0.20, 0.69, 0.79),
    (0.55, 0.58, 0.20),
)
"""Colours of classes, repeated if there are more classes."""

_CLASS_INKS: tuple[Colour, ...] = (*_INKS, (0.62, 0.36, 0.20), (0.60, 0.62, 0.66))
"""Ten colours, one for each digit."""


class CurvePlot:
    """Plotter of fits of one curve.

    The target is dashed, or dots if it was measured. The area between a function and its fit is
    filled. `x` are the positions at which fits are evaluated.
    """

    def __init__(self, canvas: Canvas, paper: Colour, curve: Curve, x: NDArray[np.float64]) -> None:
        from matplotlib.patches import Polygon

        self.curve, self.x = curve, x
        with _chart(canvas, paper, 0.12 if curve.axes else 0.09) as (self.plot, axes):
            self.plot.label(axes, *curve.axes or ())
            accent = self.plot.accent
            low, high = float(curve.y.min()), float(curve.y.max())
            margin = 0.12 * (high - low) or 1.0
            axes.set_xlim(curve.start, curve.end)
            self.limits = low - margin, high + margin
            axes.set_ylim(*self.limits)
            self.area = Polygon([(0, 0)], color=(*accent, 0.28), linewidth=0, visible=False)
            axes.add_patch(self.area)
            (self.fit,) = axes.plot([], [], color=accent, linewidth=2.2, label="fit")
            style: dict[str, Any] = {"linewidth": 1.3, "linestyle": (0, (4, 2.5))}
            if not curve.continuous:
                size = float(np.clip(60 / np.sqrt(len(curve.x)), 1.5, 6))
                style = {"linestyle": "none", "marker": "o", "markersize": size}
                style |= {"markeredgewidth": 0}
            (self.target,) = axes.plot(
                curve.x, curve.y, color=self.plot.ink, alpha=0.85, label="target", **style
            )
            self.plot.legend(axes)
            self.moving = (self.area, self.fit, self.target)
            self.plot.keep(self.moving)

    def draw(self, heights: NDArray[np.float64]) -> Pixels:
        """Plot a fit with `heights`, the y at every x; uint8 [height, width, 3]."""
        curve = self.curve
        # Much larger numbers would overflow in Agg.
        low, high = self.limits
        heights = np.clip(heights, low - 9 * (high - low), high + 9 * (high - low))
        with default_settings():
            self.fit.set_data(self.x, heights)
            if curve.continuous:
                there, back = (self.x, curve.x[::-1]), (heights, curve.y[::-1])
                self.area.set_xy(np.stack([np.concatenate(there), np.concatenate(back)], axis=1))
                self.area.set_visible(True)
            return self.plot.draw(self.moving)


class ClassMap:
    """Plotter of maps of classes over the plane, with the labelled points.

    Every class has a colour; the less certain the class, the more the paper shows through.
    """

    def __init__(self, canvas: Canvas, paper: Colour, points: Points) -> None:
        self.paper = np.asarray(paper, np.float32)
        self.inks = np.resize(np.asarray(_INKS, np.float32), (len(points.classes), 3))
        with default_settings():
            plot = _Plot(canvas, paper, transparent=True)
            axes = plot.figure.add_axes((0, 0, 1, 1))
            axes.set_axis_off()
            axes.set_xlim(-1, 1)
            axes.set_ylim(1, -1)
            x, y = points.positions.T
            size = float(np.clip(70 / np.sqrt(len(x)), 2.5, 10))
            light, edge = (
                [tuple(ink) for ink in inks[points.labels].tolist()]
                for inks in (0.55 + 0.45 * self.inks, 0.25 * self.inks)
            )
            axes.scatter(x, y, s=size**2, c=light, edgecolors=edge, linewidths=0.16 * size)
            if points.axes and plot.readable:
                plot.label_inside(axes, *points.axes, paper)
            self.dots = plot.rgba().astype(np.float32) / 255

    def draw(self, shares: NDArray[np.float32]) -> Pixels:
        """Map `shares` [classes, height, width] that sum to 1; uint8 [height, width, 3]."""
        count = len(shares)
        clarity = (shares.max(axis=0) - 1 / count) / (1 - 1 / count)
        mixed = np.einsum("khw,kc->hwc", shares, self.inks)
        shown = self.paper + (0.3 + 0.7 * clarity[:, :, None]) * (mixed - self.paper)
        alpha = self.dots[:, :, 3:]
        blended = shown * (1 - alpha) + self.dots[:, :, :3] * alpha
        return to_pixels(blended)


Series = Sequence[tuple[float, float]]
"""Pairs of a step and a value."""


def plot_losses(losses: Mapping[str, Series], canvas: Canvas, paper: Colour) -> Pixels:
    """Plot pairs (step, loss) by the name of a run, uint8 [height, width, 3].

    The scale is logarithmic if all losses are above 0.
    """
    with _chart(canvas, paper, 0.12) as (plot, axes):
        colours = [plot.accent, *_INKS] if len(losses) == 1 else _INKS
        for colour, (name, pairs) in zip(cycle(colours), losses.items(), strict=False):
            axes.plot(*zip(*pairs, strict=True), color=colour, linewidth=1.8, label=name)
        _scale(axes, losses.values())
        plot.label(axes, "step", "loss")
        plot.legend(axes)
        return plot.draw(())


def plot_generations(metrics: Mapping[str, Series], canvas: Canvas, paper: Colour) -> Pixels:
    """Plot errors and diversity over the generations, uint8 [height, width, 3].

    `metrics` holds pairs (step, value) of the `best`, the `mean` and the `diversity`, which has its
    own scale on the right.
    """
    with _chart(canvas, paper, 0.12, 0.10) as (plot, axes):
        inks = {"best": plot.accent, "mean": plot.pale, "diversity": _INKS[2]}
        right = axes.twinx()
        axes.set_zorder(right.get_zorder() + 1)
        for name, pairs in metrics.items():
            own = right if name == "diversity" else axes
            look: dict[str, Any] = {"color": inks[name], "linewidth": 0.6 if own is right else 1.8}
            look["zorder"] = 3 if name == "best" else 2
            own.plot(*zip(*pairs, strict=True), **look, label=name)
        _scale(axes, [metrics["best"], metrics["mean"]])
        right.set_ylim(bottom=0)
        plot.label(axes, "generation", "error")
        right.yaxis.label.set_color(_INKS[2])
        plot.label(right, y="diversity")
        right.grid(visible=False)
        axes.tick_params(labelleft=plot.readable)  # which `twinx` has set
        plot.legend(axes, *right.lines)
        return plot.draw(())


def plot_ranks(
    errors: NDArray[np.float64],
    codecs: Mapping[str, tuple[float, int]],
    canvas: Canvas,
    paper: Colour,
) -> Pixels:
    """Plot the error of a set over the rank of its truncated SVDs, uint8 [height, width, 3].

    `errors` [ranks] come from `rank_errors`. `codecs` maps names to the error of a codec and the
    rank with about the same error; both are marked.
    """
    from matplotlib.ticker import MaxNLocator

    with _chart(canvas, paper, 0.12) as (plot, axes):
        # Rounding errors would squeeze everything else on a logarithmic scale.
        ranks = np.flatnonzero(errors > 1e-12)
        style: dict[str, Any] = {"linewidth": 1.6, "marker": "o", "markersize": 3.5}
        axes.plot(ranks, errors[ranks], color=plot.ink, label="SVD of each picture", **style)
        for colour, (name, (error, rank)) in zip(cycle(_INKS), codecs.items(), strict=False):
            label = f"{name}: {error:.2g}, rank {rank}"
            axes.axhline(error, color=colour, linewidth=1.4, linestyle=(0, (4, 2.5)), label=label)
            mark: dict[str, Any] = {"color": colour, "marker": "o", "markeredgewidth": 0}
            axes.plot([rank], [error], **mark, markersize=7, label=_UNNAMED)
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        plot.label(axes, "rank", "mean squared error")
        plot.legend(axes)
        return plot.draw(())


def plot_rates(title: str, curves: Mapping[str, Series], codecs: Mapping[str, Series]) -> bytes:
    """Plot pairs (bits per pixel, PSNR in dB) by name, codecs in gray; an SVG.

    Of the codecs what is near the curves is shown; without those, all.
    """
    from matplotlib.ticker import ScalarFormatter

    with _chart(Canvas(760, 460), (1.0, 1.0, 1.0)) as (plot, axes):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        for colour, (name, pairs) in zip(cycle(_INKS), curves.items(), strict=False):
            style: dict[str, Any] = {"marker": "o", "markersize": 4, "linewidth": 1.8}
            axes.plot(*zip(*pairs, strict=True), **style, color=colour, label=name)
        if curves:
            axes.axis(axes.axis())  # which codecs leave as it is
        for number, (name, pairs) in enumerate(codecs.items()):
            gray: dict[str, Any] = {"color": plot.pale, "linewidth": 1.2, "zorder": 1.5}
            gray["linestyle"] = (0, (1 + 2 * number, 1.5))
            axes.plot(*zip(*pairs, strict=True), **gray, label=name)
        plot.label(axes, f"{title}: bits per pixel", "PSNR, dB")
        plot.legend(axes)
        return plot.svg()


def plot_scatter(
    parts: Mapping[str, tuple[NDArray[np.floating[Any]], NDArray[np.int64]]],
    classes: Sequence[str],
    canvas: Canvas,
    paper: Colour,
) -> Pixels:
    """Plot points coloured by class, with a panel for each part, uint8 [height, width, 3].

    A part consists of points [M, 2] and class numbers [M], -1 for unknown. All panels have the same
    axes.
    """
    with default_settings():
        plot = _Plot(canvas, paper)
        every = np.concatenate([points for points, _ in parts.values()])
        low, high = every.min(0), every.max(0)
        margin = 0.04 * (high - low) + 1e-6
        width = 0.92 / len(parts)
        for number, (name, (points, labels)) in enumerate(parts.items()):
            frame = (0.05 + number * width, 0.09, width - 0.02, 0.78)
            axes = plot.figure.add_axes(frame)
            # Directions and distances have a meaning here, coordinates do not.
            axes.tick_params(labelbottom=False, labelleft=False)
            axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
            axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
            size = float(np.clip(90 / np.sqrt(len(points)), 1.0, 5.0))
            look: dict[str, Any] = {"s": size**2, "alpha": 0.7, "linewidths": 0}
            for label in np.unique(labels):
                mine = points[labels == label]
                colour = plot.pale if label < 0 else _CLASS_INKS[label % len(_CLASS_INKS)]
                # Names of classes may hold dollars, which are no formulas.
                name_of = classes[label].replace("$", r"\$") if label >= 0 else _UNNAMED
                axes.scatter(*mine.T, color=colour, label=name_of, **look)
            plot.label(axes, name)
            if number == 0 and classes and plot.readable:
                axes.legend(
                    handles=[dots for dots in axes.collections if dots.get_label() != _UNNAMED],
                    loc="lower left",
                    bbox_to_anchor=(0, 1.0),
                    ncols=10,
                    handletextpad=0.0,
                    columnspacing=0.6,
                    borderaxespad=0.2,
                    markerscale=max(1.0, 5 / size),
                )
        return plot.draw(())


class _Plot:
    """A matplotlib figure of the size of the canvas, in colours that suit the paper."""

    def __init__(self, canvas: Canvas, paper: Colour, *, transparent: bool = False) -> None:
        from matplotlib import rc_params_from_file, rcParams
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        dark = sum(w * c for w, c in zip(LUMA, paper, strict=True)) < 0.5
        self.ink: Colour = (0.93, 0.93, 0.95) if dark else (0.09, 0.09, 0.11)
        self.accent: Colour = (1.0, 0.67, 0.27) if dark else (0.83, 0.30, 0.04)
        self.pale = _between(paper, self.ink, 0.62)
        self.faint = _between(paper, self.ink, 0.15)
        dpi = max(canvas.width, canvas.height) / _LONG_SIDE
        self.readable = _TEXT * dpi / 72 >= _LEAST_TEXT
        # Slightly more than whole pixels, since matplotlib rounds down.
        size = ((canvas.width + 0.01) / dpi, (canvas.height + 0.01) / dpi)
        plain = resources.files(__package__).joinpath("plots.mplstyle")
        with resources.as_file(plain) as file:
            style: Any = rc_params_from_file(file, use_default_template=False)
        # A faint grid, no frame and no ticks, pale text.
        texts = ("axes.labelcolor", "legend.labelcolor", "xtick.color", "ytick.color")
        own = dict.fromkeys(texts, self.pale) | {"grid.color": self.faint}
        shown = dict.fromkeys(("xtick.labelbottom", "ytick.labelleft"), self.readable)
        settings: Any = {**style, **own, **shown, "font.size": _TEXT}
        rcParams.update(settings)
        colour = "none" if transparent else paper
        self.figure = Figure(figsize=size, dpi=dpi, facecolor=colour)
        # Matplotlib declares no types for its methods.
        self.agg: Any = FigureCanvasAgg(self.figure)

    def label(self, axes: Axes, x: str = "", y: str = "") -> None:
        """Name the axes, where text is readable."""
        if self.readable:
            axes.set_xlabel(x, parse_math=False)
            axes.set_ylabel(y, parse_math=False)

    def label_inside(self, axes: Axes, x: str, y: str, paper: Colour) -> None:
        """Name the axes of a map that has no margins, at its lower and left edges."""
        from matplotlib.patheffects import withStroke

        outline = withStroke(linewidth=2.5, foreground=paper)
        style: dict[str, Any] = {"color": self.ink, "path_effects": [outline]}
        style |= {"parse_math": False, "transform": axes.transAxes}
        axes.text(0.5, 0.01, x, ha="center", va="bottom", **style)
        axes.text(0.01, 0.5, y, ha="left", va="center", rotation=90, **style)

    def legend(self, axes: Axes, *others: Line2D) -> None:
        """Add the names of the lines in rows above the axes; `others` are lines of other axes."""
        if not self.readable:
            return
        # Matplotlib's own list lacks all whose names begin with "_".
        handles = [each for each in (*axes.lines, *others) if each.get_label() != _UNNAMED]
        whole = self.figure.bbox
        # Put as many in a row as there is room for.
        for columns in (4, 3, 2, 1):
            # Names of files may hold dollars, which are no formulas.
            legend = axes.legend(
                handles=handles,
                labels=[str(each.get_label()).replace("$", r"\$") for each in handles],
                loc="lower left",
                bbox_to_anchor=(0, 1.0),
                borderaxespad=0.3,
                borderpad=0.2,
                ncols=columns,
            )
            extent = legend.get_window_extent(self.agg.get_renderer())
            if extent.x1 <= whole.x1:
                break
        left, bottom, width, height = axes.get_position().bounds
        above = extent.y1 / whole.height - _HIGHEST
        axes.set_position((left, bottom, width, height - max(0.0, above)))

    def keep(self, moving: Sequence[Any]) -> None:
        """Draw everything but `moving`, for reuse by `draw`."""
        for artist in moving:
            artist.set_animated(True)
        self.agg.draw()
        self.still = self.agg.copy_from_bbox(self.figure.bbox)

    def draw(self, moving: Sequence[Any]) -> Pixels:
        """Return the plot, uint8 [height, width, 3], with `moving` drawn over what was kept."""
        if not moving:
            return self.rgba()[:, :, :3].copy()
        self.agg.restore_region(self.still)
        for artist in moving:
            artist.axes.draw_artist(artist)
        return np.array(self.agg.buffer_rgba())[:, :, :3].copy()

    def svg(self) -> bytes:
        """Return the plot as an SVG, with its text as text."""
        from matplotlib import rcParams

        file = io.BytesIO()
        rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "artgen"})
        self.figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        return file.getvalue()

    def rgba(self) -> Pixels:
        """Return the plot with its transparency, uint8 [height, width, 4]."""
        self.agg.draw()
        return np.array(self.agg.buffer_rgba())


@contextmanager
def _chart(
    canvas: Canvas, paper: Colour, left: float = 0.09, right: float = 0.04
) -> Iterator[tuple[_Plot, Axes]]:
    """A plot with default settings, and its axes; margins are fractions of the width."""
    with default_settings():
        plot = _Plot(canvas, paper)
        yield plot, plot.figure.add_axes((left, 0.13, 1 - left - right, 0.78))


def _scale(axes: Axes, lines: Iterable[Series]) -> None:
    """Choose a logarithmic scale if all values are above 0."""
    if min(value for pairs in lines for _, value in pairs) > 0:
        axes.set_yscale("log")
    axes.margins(x=0.01)


def _between(paper: Colour, ink: Colour, share: float) -> Colour:
    red, green, blue = (p + share * (i - p) for p, i in zip(paper, ink, strict=True))
    return red, green, blue


@contextmanager
def default_settings() -> Iterator[None]:
    """Use matplotlib's default settings instead of the user's."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield
