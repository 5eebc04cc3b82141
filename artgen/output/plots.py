"""Plots: curves and their fits, maps of classes, losses, latents. All of matplotlib is here.

Figures are plain objects, without pyplot and whatever it keeps. The font is the one that matplotlib
brings, and settings of the user are left out, so that equal arguments give equal pixels. Paper is
the background of the drawing; ink is light on dark paper and dark on light. Text and lines grow
with the picture. What frames of a video have in common is drawn once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from artgen.canvas import Canvas
from artgen.output.still import to_pixels
from artgen.subject import Curve, Points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

__all__ = [
    "ClassMap",
    "CurvePlot",
    "plot_generations",
    "plot_losses",
    "plot_ranks",
    "plot_scatter",
]

Colour = tuple[float, float, float]
Pixels = NDArray[np.uint8]

_LONG_SIDE = 6.4
"""Inches; a point is 1/72 of one, so a long side of 461 pixels has a pixel per point."""

_FONT = "DejaVu Sans"
_TEXT = 9
"""Points."""
_LEAST_TEXT = 3
"""Pixels: smaller text is left out."""
_HIGHEST = 0.975
"""Where a legend ends, as a share of the height."""

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
"""One per class, and again from the start where there are more."""

_CLASS_INKS: tuple[Colour, ...] = (*_INKS, (0.62, 0.36, 0.20), (0.60, 0.62, 0.66))
"""Ten, so that every digit has its own."""


class CurvePlot:
    """Plots fits of one curve: uint8 [height, width, 3] each.

    The target is dashed, or dots where it was measured; between a function and its fit the error
    shows as an area. `x` are the places that fits are drawn through.
    """

    def __init__(self, canvas: Canvas, paper: Colour, curve: Curve, x: NDArray[np.float64]) -> None:
        from matplotlib.patches import Polygon

        self.curve, self.x = curve, x
        with _default_settings():
            self.page = _Page(canvas, paper)
            axes = self.page.axes()
            accent = self.page.accent
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
                curve.x, curve.y, color=self.page.ink, alpha=0.85, label="target", **style
            )
            self.page.legend(axes)
            self.moving = (self.area, self.fit, self.target)
            self.page.keep(self.moving)

    def draw(self, heights: NDArray[np.float64]) -> Pixels:
        """The plot with a fit through `heights`, the y at every x."""
        curve = self.curve
        # Agg counts in units that far larger numbers would overflow.
        low, high = self.limits
        heights = np.clip(heights, low - 9 * (high - low), high + 9 * (high - low))
        with _default_settings():
            self.fit.set_data(self.x, heights)
            if curve.continuous:
                there, back = (self.x, curve.x[::-1]), (heights, curve.y[::-1])
                self.area.set_xy(np.stack([np.concatenate(there), np.concatenate(back)], axis=1))
                self.area.set_visible(True)
            return self.page.draw(self.moving)


class ClassMap:
    """Maps classes over the plane with the points drawn in: uint8 [height, width, 3] each.

    Every class has an ink; where it is not clear which class it is, paper shows through.
    """

    def __init__(self, canvas: Canvas, paper: Colour, points: Points) -> None:
        self.paper = np.asarray(paper, np.float32)
        inks = [_INKS[number % len(_INKS)] for number in range(len(points.classes))]
        self.inks = np.asarray(inks, np.float32)
        with _default_settings():
            page = _Page(canvas, paper, transparent=True)
            axes = page.figure.add_axes((0, 0, 1, 1))
            axes.set_axis_off()
            axes.set_xlim(-1, 1)
            axes.set_ylim(1, -1)
            x, y = points.positions.T
            size = float(np.clip(70 / np.sqrt(len(x)), 2.5, 10))
            light, edge = (
                [tuple(ink) for ink in inks[points.labels].tolist()]
                for inks in (0.55 + 0.45 * self.inks, 0.25 * self.inks)
            )
            axes.scatter(
                x,
                y,
                s=size**2,
                c=light,
                edgecolors=edge,
                linewidths=0.16 * size,
            )
            self.dots = page.rgba().astype(np.float32) / 255

    def draw(self, shares: NDArray[np.float32]) -> Pixels:
        """The map of `shares` [classes, height, width], which sum to 1."""
        count = len(shares)
        clarity = (shares.max(axis=0) - 1 / count) / (1 - 1 / count)
        mixed = np.einsum("khw,kc->hwc", shares, self.inks)
        shown = self.paper + (0.3 + 0.7 * clarity[:, :, None]) * (mixed - self.paper)
        alpha = self.dots[:, :, 3:]
        blended = shown * (1 - alpha) + self.dots[:, :, :3] * alpha
        return to_pixels(blended)


def plot_losses(
    losses: Mapping[str, Sequence[tuple[float, float]]], canvas: Canvas, paper: Colour
) -> Pixels:
    """The loss over the steps, uint8 [height, width, 3]: pairs (step, loss) by the name of a run.

    The scale is logarithmic where all losses are above 0.
    """
    with _default_settings():
        page = _Page(canvas, paper)
        axes = page.axes(0.12)
        colours = [page.accent, *_INKS] if len(losses) == 1 else _INKS
        for number, (name, pairs) in enumerate(losses.items()):
            steps, values = zip(*pairs, strict=True)
            colour = colours[number % len(colours)]
            axes.plot(steps, values, color=colour, linewidth=1.8, label=name)
        if min(value for pairs in losses.values() for _, value in pairs) > 0:
            axes.set_yscale("log")
        axes.margins(x=0.01)
        if page.readable:
            axes.set_xlabel("step", color=page.pale, fontfamily=_FONT, fontsize=_TEXT)
            axes.set_ylabel("loss", color=page.pale, fontfamily=_FONT, fontsize=_TEXT)
        page.style(axes)
        page.legend(axes)
        return page.draw(())


def plot_generations(
    figures: Mapping[str, Sequence[tuple[float, float]]], canvas: Canvas, paper: Colour
) -> Pixels:
    """Errors and diversity over the generations, uint8 [height, width, 3].

    `figures` holds pairs (step, value) of the `best`, the `mean` and the `diversity`, which has a
    scale of its own on the right.
    """
    with _default_settings():
        page = _Page(canvas, paper)
        axes = page.axes(0.12, 0.10)
        inks = {"best": page.accent, "mean": page.pale, "diversity": _INKS[2]}
        right = axes.twinx()
        right.set_facecolor("none")
        axes.set_zorder(right.get_zorder() + 1)
        for name, pairs in figures.items():
            own = right if name == "diversity" else axes
            steps, values = zip(*pairs, strict=True)
            width = 0.6 if own is right else 1.8
            over = 3 if name == "best" else 2
            own.plot(steps, values, color=inks[name], linewidth=width, label=name, zorder=over)
        if min(value for name in ("best", "mean") for _, value in figures[name]) > 0:
            axes.set_yscale("log")
        axes.margins(x=0.01)
        right.set_ylim(bottom=0)
        if page.readable:
            for text, place in (("generation", axes.set_xlabel), ("error", axes.set_ylabel)):
                place(text, color=page.pale, fontfamily=_FONT, fontsize=_TEXT)
            right.set_ylabel("diversity", color=_INKS[2], fontfamily=_FONT, fontsize=_TEXT)
        page.style(axes)
        page.style(right)
        right.grid(visible=False)
        right.tick_params(labelleft=False, labelbottom=False)
        page.legend(axes, *right.lines)
        return page.draw(())


def plot_ranks(
    errors: NDArray[np.float64],
    codecs: Mapping[str, tuple[float, int]],
    canvas: Canvas,
    paper: Colour,
) -> Pixels:
    """The error of a set over the rank that its pictures keep, uint8 [height, width, 3].

    `errors` [ranks] are those of `rank_errors`. `codecs` are the error of each by its name, and the
    rank that is nearest to it: both are marked.
    """
    from matplotlib.ticker import MaxNLocator

    with _default_settings():
        page = _Page(canvas, paper)
        axes = page.axes(0.12)
        # What is rounding alone would squeeze everything else on a logarithmic scale.
        ranks = np.flatnonzero(errors > 1e-12)
        style: dict[str, Any] = {"linewidth": 1.6, "marker": "o", "markersize": 3.5}
        axes.plot(ranks, errors[ranks], color=page.ink, label="SVD of each picture", **style)
        for number, (name, (error, rank)) in enumerate(codecs.items()):
            colour = _INKS[number % len(_INKS)]
            label = f"{name}: {error:.2g}, rank {rank}"
            axes.axhline(error, color=colour, linewidth=1.4, linestyle=(0, (4, 2.5)), label=label)
            axes.plot([rank], [error], color=colour, marker="o", markersize=7, markeredgewidth=0)
        axes.set_yscale("log")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if page.readable:
            axes.set_xlabel("rank", color=page.pale, fontfamily=_FONT, fontsize=_TEXT)
            label = "mean squared error"
            axes.set_ylabel(label, color=page.pale, fontfamily=_FONT, fontsize=_TEXT)
        page.style(axes)
        page.legend(axes)
        return page.draw(())


def plot_scatter(
    parts: Mapping[str, tuple[NDArray[np.floating[Any]], NDArray[np.int64]]],
    classes: Sequence[str],
    canvas: Canvas,
    paper: Colour,
) -> Pixels:
    """Points coloured by their class, a panel for each part, uint8 [height, width, 3].

    A part is its points [M, 2] and the numbers of their classes [M], -1 where unknown; all panels
    have the same axes.
    """
    with _default_settings():
        page = _Page(canvas, paper)
        every = np.concatenate([points for points, _ in parts.values()])
        low, high = every.min(0), every.max(0)
        margin = 0.04 * (high - low) + 1e-6
        width = 0.92 / len(parts)
        for number, (name, (points, labels)) in enumerate(parts.items()):
            frame = (0.05 + number * width, 0.09, width - 0.02, 0.78)
            axes = page.figure.add_axes(frame, facecolor="none")
            page.style(axes)
            # A direction and a distance mean something there, numbers do not.
            axes.tick_params(labelbottom=False, labelleft=False)
            axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
            axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
            size = float(np.clip(90 / np.sqrt(len(points)), 1.0, 5.0))
            for label in np.unique(labels):
                mine = points[labels == label]
                colour = page.pale if label < 0 else _CLASS_INKS[label % len(_CLASS_INKS)]
                axes.scatter(
                    mine[:, 0],
                    mine[:, 1],
                    s=size**2,
                    color=colour,
                    alpha=0.7,
                    linewidths=0,
                    label=classes[label] if label >= 0 else None,
                )
            if page.readable:
                axes.set_xlabel(name, color=page.pale, fontfamily=_FONT, fontsize=_TEXT)
            if number == 0 and classes and page.readable:
                axes.legend(
                    loc="lower left",
                    bbox_to_anchor=(0, 1.0),
                    ncols=10,
                    frameon=False,
                    handletextpad=0.0,
                    columnspacing=0.6,
                    borderaxespad=0.2,
                    labelcolor=page.pale,
                    markerscale=max(1.0, 5 / size),
                    prop={"family": _FONT, "size": _TEXT},
                )
        return page.draw(())


class _Page:
    """A figure of the canvas's size, in the colours that go with its paper."""

    def __init__(self, canvas: Canvas, paper: Colour, *, transparent: bool = False) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        dark = sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), paper, strict=True)) < 0.5
        self.ink: Colour = (0.93, 0.93, 0.95) if dark else (0.09, 0.09, 0.11)
        self.accent: Colour = (1.0, 0.67, 0.27) if dark else (0.83, 0.30, 0.04)
        self.pale = _between(paper, self.ink, 0.62)
        self.faint = _between(paper, self.ink, 0.15)
        dpi = max(canvas.width, canvas.height) / _LONG_SIDE
        self.readable = _TEXT * dpi / 72 >= _LEAST_TEXT
        # A little more than whole pixels: what is less would be rounded down.
        size = ((canvas.width + 0.01) / dpi, (canvas.height + 0.01) / dpi)
        colour = "none" if transparent else paper
        self.figure = Figure(figsize=size, dpi=dpi, facecolor=colour)
        # Its methods have no types.
        self.agg: Any = FigureCanvasAgg(self.figure)

    def axes(self, left: float = 0.09, right: float = 0.04) -> Axes:
        """Axes with a faint grid and no frame, with shares of the width left free at its sides."""
        axes = self.figure.add_axes((left, 0.13, 1 - left - right, 0.78), facecolor="none")
        self.style(axes)
        return axes

    def style(self, axes: Axes) -> None:
        """Colours and font of ticks, again after a change of scale."""
        axes.tick_params(
            which="both",
            colors=self.pale,
            length=0,
            labelsize=_TEXT,
            labelbottom=self.readable,
            labelleft=self.readable,
            labelfontfamily=_FONT,
            pad=5,
        )
        axes.grid(color=self.faint, linewidth=0.7)
        axes.set_axisbelow(True)
        for spine in axes.spines.values():
            spine.set_visible(False)

    def legend(self, axes: Axes, *others: Line2D) -> None:
        """The names of the lines, in rows above the axes; `others` are those of other axes."""
        if not self.readable:
            return
        handles = [*axes.get_legend_handles_labels()[0], *others]
        whole = self.figure.bbox
        # As many in a row as there is room for.
        for columns in (4, 3, 2, 1):
            legend = axes.legend(
                handles=handles,
                loc="lower left",
                bbox_to_anchor=(0, 1.0),
                borderaxespad=0.3,
                borderpad=0.2,
                ncols=columns,
                frameon=False,
                labelcolor=self.pale,
                prop={"family": _FONT, "size": _TEXT},
            )
            extent = legend.get_window_extent(self.agg.get_renderer())
            if extent.x1 <= whole.x1:
                break
        left, bottom, width, height = axes.get_position().bounds
        above = extent.y1 / whole.height - _HIGHEST
        axes.set_position((left, bottom, width, height - max(0.0, above)))

    def keep(self, moving: Sequence[Any]) -> None:
        """Draw everything but `moving`, to be used again by `draw`."""
        for artist in moving:
            artist.set_animated(True)
        self.agg.draw()
        self.still = self.agg.copy_from_bbox(self.figure.bbox)

    def draw(self, moving: Sequence[Any]) -> Pixels:
        """The page, uint8 [height, width, 3], with what moves drawn over what was kept."""
        if not moving:
            self.agg.draw()
        else:
            self.agg.restore_region(self.still)
            for artist in moving:
                artist.axes.draw_artist(artist)
        return np.array(self.agg.buffer_rgba())[:, :, :3].copy()

    def rgba(self) -> Pixels:
        """The page with its transparency, uint8 [height, width, 4]."""
        self.agg.draw()
        return np.array(self.agg.buffer_rgba())


def _between(paper: Colour, ink: Colour, share: float) -> Colour:
    red, green, blue = (p + share * (i - p) for p, i in zip(paper, ink, strict=True))
    return red, green, blue


@contextmanager
def _default_settings() -> Iterator[None]:
    """Matplotlib without the settings of the user."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield
