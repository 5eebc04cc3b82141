"""Drafting: clean lines along the contours, ruled hatching where it is light, and a grid behind.

As a draughtsman would on a blueprint: outlines of large masses are drawn with the wide pen, what is
fine with finer ones, and lights are ruled lines that get wider with the light, then closer, then
crossed. They end before the other lines. What is dark up to its edges is a solid shadow, and the
ground is bare. With tints, masses of them lie below: a photograph is seen by its tones first, and
a person in lines alone is nobody. Or one set of ruled lines swells with the light, on even ground:
it shades without borders, where masses of a sky or of fur are patches that fight the drawing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins import hatch
from artgen_plugins._contours import (
    FACE,
    Contour,
    cells_of,
    contours,
    distance_to,
    enclosed,
    in_rim,
    runs,
    telling,
)
from artgen_plugins._flow import flow_lines
from artgen_plugins.hatch import (
    abstracted,
    blurred,
    inside_margin,
    levelled,
    softened,
    spacing,
    stretched,
    without_specks,
)
from artgen_plugins.regions import Floats, seen_of
from artgen_plugins.wash import within

TONES = (0.38, 0.75), (0.6, 0.9), (0.78, 1.05)
"""The lightness from which lines are ruled and at which they are widest; the same of those between
them, and of those across."""
DARK, DARKEST, SOLID, SMALL = (0.16, 0.34), 0.2, 0.0052, 0.003
"""Between which the lightness is below which all is a shadow, and which share of a picture may be
one; how far the lines are apart of which it consists, in canvas units; the smallest where there is
no face, in squares of them."""
SURE, STEEPER, FIRM = 0.06, 1.3, 0.52
"""How far from that lightness it is sure what is a shadow; how much steeper an edge is than what is
around it, and the least share of a shadow's border that is such an edge."""
PENS = (0.0, 0.3, 0.7, 1.0), (1.15, 0.9, 0.5, 0.36)
"""How wide lines are next to the wide pen, by the share of all that is clearer."""
FACES = 0.72
"""The least width of a line in the focus, where the finest things matter."""
THIN, STEP = 0.3, 5
"""How wide ruled lines begin, and after how many pixels their width may change."""
RULER, GRID = 0.58, (0.1, 5)
"""How wide the pen of ruled lines is; the distance of lines of the grid in canvas units, and how
many there are from one wide line to the next."""
BESIDE, CLEAR = 2.6, 0.008
"""How far lines are from one another at least, in widths of the pen, and ruled lines from them, in
canvas units."""
BENT, LEAST, LONGEST = 0.0065, 0.07, 60.0
"""The tightest bend of an outline in canvas units; the least difference that has one; how long all
are, in canvas units."""
DOUBLE, PART, INNER = 0.03, 0.08, 0.6
"""How near to an outline a fine line is its double, and the shortest rest of such a line, in canvas
units; how much less a fine line counts."""
OPEN, BARE, REACH = 0.85, 0.5, 0.25
"""From which share of ground on hardly anything is closed; how much darker the ground is; how far
its tones reach from lines there, in canvas units."""
CORE = (0.6, 0.9)
"""The share of the largest weight where a face begins, and where it is whole."""
CALM, LOCAL = 0.2, 0.2
"""How much detail tones leave out, and how much they are relative to those around."""


RED, DIM, FAIR, EVENLY = (0.5, 0.45, 0.05), 0.47, 0.25, 0.4
"""How light the colours are of which masses are tints; the tone of the median, and how dark the
lighter tones of a face are; how much all tones are as frequent."""
MASSES, GLOOM, RAISED = (0.34, 0.84), 0.18, 0.15
"""The tones from which on there is the first tint and the last; below which there is a shadow; how
much lighter is what is ruled there."""
LOOSE, CLOSE, ROUND, BIT, APART = 0.1, 0.5, 0.0035, 0.011, 1.5
"""How much detail masses leave out, and how much less in the focus; how round their borders are and
the least width of one, in canvas units; the distance of the rows that fill them, in pixels."""
PLAIN, FIRMEST = 0.8, 5.5
"""How much detail is left out before outlines of masses are drawn, and how clear each is at least,
in CIELAB."""
SHADE, SHADED, WIDEST = (0.36, 0.95), 1.1, 0.46
"""The tones from which ruled lines swell and at which they are widest, and the power of what is
between; their radius there, in their distances."""
NEARBY, FADED, BESIDES = 0.3, 0.05, (0.4, 0.9)
"""How far from lines such light fades, and how softly, in canvas units; the weights, as shares of
the largest, from which it does less, and not at all."""
SEEN, BESIDE_IT, DEEPER, SIZES, WHOLE = 0.1, 0.02, 0.1, (0.006, 3.0), 0.2
"""How much earlier lines swell in a face; how far beside a shadow it is told, in canvas units, how
much darker it is: at least so much where one is a square of them, more where it is smaller; the
least and largest one, in such squares: what is larger is the ground; the least radius of a disc
inside of one, in sides of a square as large."""
FORM, THREAD = 0.1, (0.08, 0.2)
"""How much detail it leaves out; how much there is where thin bright things are looked for, and how
clear one is at least, over its length in canvas units."""
CROSSED, AWAY = 3.0, 0.03
"""How soon a grid ends where something is ruled, and how softly, in canvas units."""


@dataclass(frozen=True)
class DraftOptions(InkOptions):
    """Options of `draft`."""

    inks: str = option(
        "#f4f8ff,#c9dcf8,#3f70ba,#0d2c62",
        "colours of lines, of ruled lines, of the grid, of shadows, and of any tints of masses, the"
        " palest first",
    )
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    overprint: bool = option(False, "inks multiply what is below them; if false they cover it")
    pen: float = option(0.0042, "radius of the wide pen in canvas units", low=0.0005, high=0.05)
    ruled: float = option(
        0.0105, "distance of ruled lines where they are densest, in canvas units", low=0.002, high=1
    )
    angle: float = option(45.0, "degrees of ruled lines", low=-180, high=180)
    swell: bool = option(
        False, "ruled lines run one way and swell with the light, without masses of tints"
    )


class Draft(Ink):
    """Shadows, a grid, ruled tones, and lines of three pens."""

    Options: ClassVar[type[Any]] = DraftOptions
    separation = "tone"
    known_deviations: ClassVar[Mapping[str, str]] = {
        "marks": "ruled lines end before others and thin out on the ground, whatever its tone"
    }
    defaults = Preset(count=36000, background="#1a4f9c")

    def take_options(self) -> None:
        """Put shadows and the grid at the back and the lines in front. Raises UsageError."""
        super().take_options()
        self.inks = self.inks[::-1]
        self.tints = max(0, len(self.inks) - 4)

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw shadows, the grid, the ruled lines and then line after line, the clearest first."""
        seen = seen_of(sheet, sheet.amounts[0])
        front = len(self.inks) - 1
        light = np.tensordot([0.3, 0.6, 0.1], seen, 1)
        inner = np.zeros(light.shape)
        if sheet.weight is not None and np.ptp(sheet.weight) > 0:
            inner = (sheet.weight - sheet.weight.min()) / np.ptp(sheet.weight)
        shown = inside_margin(self, light.shape)
        if self.options.swell:
            return self._swelling(sheet, seen, inner, shown)
        if self.tints:
            return self._tinted(sheet, seen, inner, shown)
        found, ground = self._lines(seen, inner, sheet)
        found = parted(found, shown.astype(float), sheet.canvas, 0.0)
        # Where hardly anything is closed, what is near to lines is a thing.
        loose = float(ground.mean()) > OPEN
        away = away_from(found, sheet.canvas)
        tones, face = self._tones(light, sheet), np.interp(inner, CORE, [0, 1])
        behind, coarser, lines = self._grid(sheet, max(0, front - 2)), 1.0, []
        if front > 2:
            dark = shadows(tones, light, face, sheet.canvas) & shown
            behind = ink.joined([filled(dark, sheet.canvas), behind])
        lengths = [float(np.hypot(*np.diff(each.points, axis=0).T).sum()) for each in found]
        drawn = np.cumsum(lengths) / max(np.sum(lengths), 1e-9)
        for line, share in zip(found, drawn.tolist(), strict=True):
            lines.append(self._line(line, share, _mean_at(inner, line, sheet.canvas), front))
        # Where a face is not closed, the ground is ruled as it is.
        bare = BARE * (1 - (ground * face).sum() / max(face.sum(), 1e-9))
        tones -= bare * ground * (1 - loose * np.exp(-away / REACH))
        clear = CLEAR * (1 - 0.6 * inner)
        tones *= ((away - clear) / clear).clip(0, 1) * shown
        while True:
            ruled = self._ruled(sheet, tones, coarser, max(0, front - 1))
            if len(ruled) + len(behind) <= sheet.count // 2 or coarser > 50:
                break
            coarser *= 1.3
        return whole_lines(ink.joined([behind, ruled]), lines, sheet.count).first(sheet.count)

    def _tinted(
        self, sheet: ink.Sheet, seen: Floats, inner: Floats, shown: NDArray[np.bool_]
    ) -> ink.Marks:
        """Draw masses of a few tints, the grid, ruled lights, and lines where masses end.

        A face has dark fine lines instead: white ones on what is dark are those of a negative.
        """
        canvas, front = sheet.canvas, len(self.inks) - 1
        tones, calm = (tones_of(sheet, seen, inner, loose) for loose in (LOOSE, PLAIN))
        found, lines = self._outlined(sheet, seen, inner, shown)
        clear = CLEAR * (1 - 0.6 * inner)
        lights = (calm - RAISED) * ((away_from(found, canvas) - clear) / clear).clip(0, 1) * shown
        levels = np.linspace(*MASSES, self.tints)

        def behind(coarser: float) -> ink.Marks:
            shadow = masses(sheet, -tones, inner, [-GLOOM], coarser, shown)
            shadow = replace(shadow, ink=shadow.ink + self.tints)
            layers = [masses(sheet, tones, inner, levels, coarser, shown), shadow]
            layers.append(self._grid(sheet, front - 2))
            return ink.joined([*layers, self._ruled(sheet, lights, coarser, front - 1)])

        below = within(replace(sheet, count=max(1, 2 * sheet.count // 3)), behind)
        return whole_lines(below, lines, sheet.count)

    def _swelling(
        self, sheet: ink.Sheet, seen: Floats, inner: Floats, shown: NDArray[np.bool_]
    ) -> ink.Marks:
        """Draw shadows, a grid, ruled lines that swell with the light, and lines in front.

        Lines are where masses end and along what is thin and bright, but none along texture. Far
        from them light fades, so that skies and other grounds stay even. The grid ends before what
        is ruled, before shadows and before faces.
        """
        o, canvas, front = self.options, sheet.canvas, len(self.inks) - 1
        found, lines = self._outlined(sheet, seen, inner, shown)
        loose, least = THREAD
        bright = flow_lines(1 - plain_of(sheet, seen, inner, loose), inner, canvas, BESIDE * o.pen)
        bright = [
            each
            for each in bright
            if _mean_at(inner, each, canvas) <= FACE
            and not in_rim(np.stack(cells_of(each, canvas), 1), inner.shape)
        ]
        bright = parted(bright, np.minimum(shown, away_from(found, canvas)), canvas, DOUBLE)
        bright = [each for each in bright if each.contrast.sum() * canvas.pixel > least]
        bright = telling(bright, seen, canvas)
        lines += [self._line(each, PENS[0][2], 0.0, front) for each in bright]
        away = away_from([*found, *bright], canvas)
        clear = CLEAR * (1 - 0.6 * inner)
        # Where there is no line at all, tones are all there is.
        fading = np.exp(-away / NEARBY) if lines else np.ones(away.shape)
        face = np.interp(inner, BESIDES, (0, 1))
        near = softened(fading, FADED / canvas.pixel)
        near = np.maximum(near, face)
        low, high = SHADE[0] - SEEN * face, SHADE[1]
        share = (tones_of(sheet, seen, inner, FORM, 0.0) - low) / (high - low)
        light = share.clip(0, 1) ** SHADED
        light *= near * ((away - clear) / clear).clip(0, 1) * shown
        bare = (1 - CROSSED * softened(light, AWAY / canvas.pixel)).clip(0, 1) * shown
        dark = self._darkest(sheet, seen, inner) & shown
        bare *= (1 - face) * ~dark

        def behind(coarser: float) -> ink.Marks:
            apart = o.ruled * coarser
            wide, turn, k = WIDEST * apart, np.radians(o.angle), max(0, front - 1)
            layers = [rule(sheet, light, turn, apart, 0.0, wide, k, 0.0)]
            if front > 2:
                shadow = masses(sheet, dark.astype(float), inner, [0.5], coarser, shown)
                layers.append(replace(shadow, ink=shadow.ink + self.tints))
            for gap, thick in ((GRID[0], 0.8), (GRID[0] * GRID[1], 1.6)):
                # A line of each goes through the middle.
                shift, wide = float(np.hypot(*canvas.reach)) % gap, thick * RULER * o.pen
                for turn in (0.0, np.pi / 2):
                    layers.append(rule(sheet, bare, turn, gap, shift, wide, max(0, front - 2), 0.0))
            return ink.joined(layers)

        below = within(replace(sheet, count=max(1, 2 * sheet.count // 3)), behind)
        return whole_lines(below, lines, sheet.count)

    def _darkest(self, sheet: ink.Sheet, seen: Floats, inner: Floats) -> NDArray[np.bool_]:
        """Return large shadows that are clearly darker than what is beside, but not in faces.

        What is ragged or narrow for its size is no thing, but folds, or the stripes of fur.
        """
        from scipy.ndimage import distance_transform_edt, gaussian_filter, label, maximum

        plain, pixel = np.tensordot([0.3, 0.6, 0.1], seen, 1), sheet.canvas.pixel
        tones = self._tones(plain, sheet)
        dark = shadows(tones, plain, np.zeros(inner.shape), sheet.canvas) & (inner < FACE)
        pieces, count = label(dark)
        own, rest = (
            gaussian_filter(np.where(dark, 0.0, each), BESIDE_IT / pixel) for each in (tones, 1.0)
        )
        rim, deeper = pieces * (rest > 0.25), own / np.maximum(rest, 1e-6) - tones
        size, many, total = (
            np.bincount(at.ravel(), each, count + 1)
            for at, each in ((pieces, None), (rim, None), (rim, deeper.ravel()))
        )
        area = size * pixel**2
        clear = total / np.maximum(many, 1) * area**0.2 > DEEPER
        inside = maximum(distance_transform_edt(dark), pieces, np.arange(count + 1))
        whole = inside > WHOLE * np.sqrt(np.maximum(size, 1))
        kept = clear & whole & (area > SIZES[0]) & (area < SIZES[1])
        return np.asarray(kept[pieces] & dark)

    def _outlined(
        self, sheet: ink.Sheet, seen: Floats, inner: Floats, shown: NDArray[np.bool_]
    ) -> tuple[list[Contour], list[ink.Marks]]:
        """Return lines where masses end, but in faces, and marks: dark lines there, then these."""
        canvas, gap = sheet.canvas, BESIDE * self.options.pen
        found = outlines_of(sheet, seen, inner, BENT, LEAST, gap, LONGEST)
        found = parted(found, np.where(shown, FACE - inner, 0.0), canvas, 0.0)
        if self.options.swell:
            found = telling(found, seen, canvas)
        fine = flow_lines(seen, inner, canvas, gap) if inner.any() else []
        fine = [each for each in fine if _mean_at(inner, each, canvas) > FACE]
        fine = parted(fine, shown.astype(float), canvas, 0.0)
        lines = [self._line(each, 1.0, 0.0, self.tints) for each in fine]
        lengths = np.cumsum([len(each.points) for each in found])
        for line, share in zip(found, (lengths / max([1, *lengths])).tolist(), strict=True):
            lines.append(self._line(line, share, 0.0, len(self.inks) - 1))
        return found, lines

    def _grid(self, sheet: ink.Sheet, k: int) -> ink.Marks:
        # What repeats has no border.
        reach = np.array(sheet.canvas.reach) - 2 * self.options.margin * (self.group is None)
        return grid(reach, k, RULER * self.options.pen)

    def _lines(
        self, seen: Floats, inner: Floats, sheet: ink.Sheet
    ) -> tuple[list[Contour], NDArray[np.bool_]]:
        """Return outlines of masses and finer lines, the clearest first, and where the ground is.

        Where hardly anything is closed there are finer lines alone.
        """
        canvas, gap = sheet.canvas, BESIDE * self.options.pen
        outlines = contours(seen, sheet.weight, canvas, BENT, LEAST, gap, LONGEST)
        shapes = enclosed(outlines, canvas)
        ground = (shapes == 0) & ~shapes.all()
        fine = flow_lines(seen, inner, canvas, gap)
        if ground.mean() > OPEN:
            return fine, ground
        # In a face fine lines go before outlines, elsewhere after them.
        inside = [each for each in fine if _mean_at(inner, each, canvas) > FACE]
        rest = [each for each in fine if _mean_at(inner, each, canvas) <= FACE]
        kept = parted(outlines, away_from(inside, canvas), canvas, DOUBLE / 2)
        rest = parted(rest, away_from([*kept, *inside], canvas), canvas, DOUBLE)
        fine = [each._replace(contrast=INNER * each.contrast) for each in [*inside, *rest]]
        return sorted([*kept, *fine], key=lambda each: -float(each.contrast.sum())), ground

    def _line(self, line: Contour, rank: float, near: float, k: int) -> ink.Marks:
        """Return a line of a pen by its rank, a little wider where it is clear."""
        from scipy.ndimage import gaussian_filter1d

        points, contrast = line
        firm = gaussian_filter1d(contrast, 6.0, mode="nearest")
        wide = max(float(np.interp(rank, *PENS)), FACES * near)
        ends = np.minimum(np.arange(len(points)), np.arange(len(points))[::-1])
        swell = (firm / max(float(firm.mean()), 1e-6)).clip(0.7, 1.3)
        radius = self.options.pen * wide * swell * (0.4 + 0.6 * np.minimum(1, ends / 8))
        step = slice(None, None, 2 if len(points) > 8 else 1)
        return ink.polyline(points[step], radius[step], k)

    def _tones(self, light: Floats, sheet: ink.Sheet) -> Floats:
        """Return the lightness of a picture without its details, [height, width]."""
        pitch = spacing(sheet.weight, light.shape, 1.0)
        calm = abstracted(stretched(light, sheet.weight, 0.5), pitch, CALM)
        return levelled(calm, 0.5, LOCAL)

    def _ruled(self, sheet: ink.Sheet, tones: Floats, coarser: float, k: int) -> ink.Marks:
        """Return ruled lines that get wider with the tone, more of them where it is lighter."""
        o, apart, layers = self.options, self.options.ruled * coarser, []
        for n, (level, full) in enumerate(TONES):
            share = ((tones - level) / (full - level)).clip(0, 1)
            # The second step puts a line between two of the first, the third crosses both.
            angle, shift = np.radians(o.angle + 90 * (n == 2)), apart * (n == 1)
            layers.append(rule(sheet, share, angle, 2 * apart, shift, RULER * o.pen, k))
        return ink.joined(layers)


def tones_of(
    sheet: ink.Sheet, seen: Floats, inner: Floats, loose: float, evenly: float = EVENLY
) -> Floats:
    """Return how light the masses of a picture [3, height, width] are, [height, width].

    `inner` [height, width], 0 to 1, is how much of a focus there is; `loose` is how much detail is
    left out, and `evenly` how much all tones are as frequent.
    """
    from scipy.stats import rankdata

    dark = stretched(1 - np.tensordot(RED, seen, 1), sheet.weight, 1 - DIM, FAIR)
    ranks = rankdata(dark, axis=None).reshape(dark.shape) / dark.size
    light = 1 - dark + evenly * (dark - ranks)
    return levelled(abstracted(light, _closer(sheet, inner), loose), 0.5, LOCAL)


def outlines_of(
    sheet: ink.Sheet,
    seen: Floats,
    inner: Floats,
    bent: float,
    least: float,
    gap: float,
    length: float,
) -> list[Contour]:
    """Return the contours of what is left of a picture [3, height, width] without its details."""
    plain = plain_of(sheet, seen, inner)
    found = contours(plain, sheet.weight, sheet.canvas, bent, least, gap, length)
    return [each for each in found if each.contrast.mean() > FIRMEST]


def plain_of(sheet: ink.Sheet, seen: Floats, inner: Floats, loose: float = PLAIN) -> Floats:
    """Return a picture [3, height, width] without its details."""
    return np.stack([abstracted(each, _closer(sheet, inner), loose) for each in seen])


def masses(
    sheet: ink.Sheet,
    tones: Floats,
    inner: Floats,
    levels: Iterable[float],
    coarser: float,
    shown: NDArray[np.bool_],
) -> ink.Marks:
    """Return what fills where tones [height, width] are above each level, each of the next ink."""
    pixel, layers = sheet.canvas.pixel, []
    small = coarser * np.maximum(1.0, BIT * _closer(sheet, inner) / pixel)
    soft = coarser * np.maximum(0.6, ROUND * (1 - 0.7 * inner) / pixel)
    for k, level in enumerate(levels):
        kept = without_specks(tones > level, small) & shown
        field = blurred(np.where(kept, 1.0, 0.0), soft, 1.0)
        layers.append(hatch.filled(sheet, field, 0.5, APART * coarser, k, 0.3))
    return ink.joined(layers)


def _closer(sheet: ink.Sheet, inner: Floats) -> Floats:
    """Return the distance of details that are kept, next to that where all is alike."""
    return spacing(sheet.weight, inner.shape, 1.0) * (1 - CLOSE * inner**2)


def _mean_at(plane: Floats, line: Contour, canvas: Canvas) -> float:
    return float(plane[cells_of(line, canvas)].mean())


def parted(lines: list[Contour], away: Floats, canvas: Canvas, gap: float) -> list[Contour]:
    """Return the parts of lines where a plane [height, width] is more than `gap`, if not short."""
    found = []
    for line in lines:
        free = away[cells_of(line, canvas)] > gap
        if free.all():
            found.append(line)
            continue
        for run in runs(free):
            if (run.stop - run.start) * canvas.pixel > PART:
                found.append(Contour(line.points[run], line.contrast[run]))
    return found


def whole_lines(behind: ink.Marks, lines: list[ink.Marks], count: int) -> ink.Marks:
    """Return what is behind and the first lines, whole, so that there are at most `count` marks."""
    total = len(behind) + np.cumsum([len(line) for line in lines])
    return ink.joined([behind, *lines[: int((total <= count).sum())]])


def away_from(lines: list[Contour], canvas: Canvas) -> Floats:
    """Return how far each pixel is from all lines, in canvas units, [height, width]."""
    shape = canvas.height, canvas.width
    return distance_to((cells_of(line, canvas) for line in lines), shape) * canvas.pixel


def rule(
    sheet: ink.Sheet,
    share: Floats,
    angle: float,
    gap: float,
    shift: float,
    radius: float,
    k: int,
    thin: float = THIN,
) -> ink.Marks:
    """Return straight lines, `gap` canvas units apart, as wide as a plane [height, width] says.

    `radius` is that where the plane is 1, and a share `thin` of it where the plane is nearly 0;
    where it is 0 there are none.
    """
    from scipy.ndimage import map_coordinates

    far, pixel = float(np.hypot(*sheet.canvas.reach)), sheet.canvas.pixel
    along = np.arange(-far, far, pixel)
    c, s = np.cos(angle), -np.sin(angle)
    layers = []
    for across in np.arange(-far + shift, far, gap):
        places = np.stack([along * c - across * s, along * s + across * c], 1)
        cells = (places + sheet.canvas.reach)[:, ::-1].T / pixel
        wide = map_coordinates(share, cells - 0.5, order=1, cval=0.0)
        for run in runs(wide > 0):
            if run.stop - run.start < 5:
                continue
            at = np.unique(np.append(np.arange(run.start, run.stop, STEP), run.stop - 1))
            layers.append(ink.polyline(places[at], radius * (thin + (1 - thin) * wide[at]), k))
    return ink.joined(layers)


def shadows(tones: Floats, light: Floats, face: Floats, canvas: Canvas) -> NDArray[np.bool_]:
    """Return where tones [height, width] are dark, up to the edges of `light`, without specks.

    `face` is 1 in faces, else 0. Elsewhere what has few edges around it, as a stain in grass, is
    left out. Source of the edges: watershed of Meyer (1992), from what is surely dark or light.
    """
    from scipy.ndimage import binary_erosion, gaussian_filter, gaussian_gradient_magnitude, label
    from skimage.segmentation import watershed

    pixels = SOLID / canvas.pixel
    steep = gaussian_gradient_magnitude(light, 1.2 * pixels)
    level = np.clip(np.quantile(tones, DARKEST), *DARK)
    sure = np.where(tones < level - SURE, 1, np.where(tones > level + SURE, 2, 0))
    dark = watershed(steep, sure) == 1  # type: ignore[no-untyped-call]
    fine, smooth = (gaussian_filter(dark * 1.0, k * pixels) > 0.5 for k in (0.4, 1.7))
    dark = np.where(face > 0.5, fine, smooth)
    pieces, count = label(dark)
    rim = pieces * ~binary_erosion(dark, border_value=1)
    firm = steep > STEEPER * gaussian_filter(steep, 8 * pixels)
    length, edges, size, faces = (
        np.bincount(at.ravel(), each, count + 1)
        for at, each in ((rim, None), (rim, firm.ravel()), (pieces, None), (pieces, face.ravel()))
    )
    sharp = edges > FIRM * length
    kept = sharp & (size > SMALL / canvas.pixel**2) | (faces > 0)
    return np.asarray(dark & kept[pieces])


def filled(mass: NDArray[np.bool_], canvas: Canvas) -> ink.Marks:
    """Return lines from side to side that fill a mask [height, width], of the first ink."""
    right, bottom = canvas.reach
    layers = []
    for y in np.arange(-bottom + SOLID / 2, bottom, SOLID):
        row = mass[min(int((y + bottom) / canvas.pixel), len(mass) - 1)]
        for run in runs(row):
            ends = np.array([run.start + 1, run.stop - 1]) * canvas.pixel - right
            layers.append(ink.polyline(np.stack([ends, [y, y]], 1), 0.6 * SOLID, 0))
    return ink.joined(layers)


def grid(reach: Floats, k: int, radius: float) -> ink.Marks:
    """Return squared lines up to `reach` [2] from the middle, each fifth wider."""
    apart, often = GRID
    right, bottom = reach.tolist()
    layers = []
    for side, other, turn in ((right, bottom, False), (bottom, right, True)):
        for n in range(-int(side / apart), int(side / apart) + 1):
            ends = np.array([(n * apart, -other), (n * apart, other)])
            wide = radius * (1.6 if n % often == 0 else 0.8)
            layers.append(ink.polyline(ends[:, ::-1] if turn else ends, wide, k))
    return ink.joined(layers)
