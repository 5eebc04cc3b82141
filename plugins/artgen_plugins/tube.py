"""Tubes of light: long clean lines along the contours of the picture, with a halo around each.

Each has one colour along its whole length: that of the side which differs more from the picture as
a whole. One that nearly meets itself or another reaches it, and a short one that meets nothing is
left out. Faint rows of light fill what tubes enclose, wider where the picture is lighter; or the
picture is behind, at dusk, in colours of its tones, and tubes are few: where a line is long and
true, around the subject first. Their light falls on it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain, pairwise
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen.targets import parse_colour
from artgen_plugins._contours import (
    FACE,
    RIM,
    Contour,
    cells_of,
    contours,
    enclosed,
    focused,
    sure,
    within,
)
from artgen_plugins._flow import flow_lines
from artgen_plugins._silhouette import silhouettes
from artgen_plugins.draft import away_from, parted, plain_of, tones_of, whole_lines
from artgen_plugins.hatch import cropped, inside_margin, softened
from artgen_plugins.regions import Floats, lab_of, seen_of
from artgen_plugins.wash import within as fewer

Covers = NDArray[np.float32]

GLOW = ((0.16, 17.0), (0.34, 8.0), (0.6, 3.6), (1.0, 1.15), (1.0, 0.5))
"""Light and radius of each ring of a halo, as shares of those of the tube, which comes last but for
its hot middle."""
HOT, SOFT = 0.7, 0.35
"""How white the middle of a tube is; how far a ring fades, as a share of its radius."""
ROW, WALL, CALM = 0.3, 0.013, 0.12
"""The light of rows, as a share of that of a tube, how far it spreads, and how far colours are
smoothed between tubes, in canvas units."""
WHITE = 0.85
"""How much of the mean colour of a picture counts as gray where tubes are chosen."""
INNER = 0.985
"""The weight, as a share of the largest, from which on all tubes have the hue of the face."""
GAP, LENGTH, BESIDE = 3.0, 32.0, 0.02
"""The least distance of tubes, in radii; how long they are in all, in canvas units, before some are
left out; how far beside a tube its colour is seen."""
BETWEEN, DOUBLE, CLEAR, FADE = 1.6, 0.1, 0.7, 12.0
"""How far tubes of a face are from one another, in radii; how near to an outline a line is its
double, and how long one is where it is clear, in canvas units; how fast that grows from the middle
of a face on."""
STROKE = 0.045
"""The shortest tube of a face, in sides of all that is focus."""
TOUCH, CLOSE, AHEAD = 2.0, 5.0, 45.0
"""How near tubes are that meet, and up to where one is led to what is ahead of its end, in radii;
up to how many degrees from straight on that is ahead."""
STRAIGHT, CORNER = 30.0, 95.0
"""The most degrees by which a tube bends where it goes on in another, and where only two meet."""
LOOSE, ENDING = 0.2, 10
"""The shortest tube that meets nothing, in shorter sides; how many points tell where one goes."""
DUSK = (
    ("#1a1266", "#7d1fa3", "#ff3d8b", "#ffd9a8"),
    ("#0d1a63", "#1f45c4", "#22b8ee", "#d8fbff"),
)
"""The colours of a picture at dusk, from dark to light, where it is warm and where it is cold."""
TONES, DETAIL = (0.0, 0.24, 0.5, 0.78, 1.05), 0.07
"""The tones at which there is none of them and all of each; how much detail is left out."""
COLD, NEUTRAL, AROUND = 3.0, (-4.0, 10.0), 0.01
"""How much colder than the whole is cold, in CIELAB, and between what that is; how far around it is
told, in shorter sides."""
PITCH, BLUR, WIDTHS, LAID, HIDING = 0.0068, 0.0048, 64, 0.75, 0.6
"""How far rows of these colours are from one another and how far they fade, in canvas units; how
many widths they have; the most of all marks that are such; the power of the light of a halo by
which it hides what is behind."""
APART, FEW, CORE = 0.07, 9.0, 0.85
"""How far tubes before such a picture are from one another and how long they are in all, in canvas
units; from which share of the largest weight on there is none."""
SPILL, LIT, REACH = 5.0, 0.4, 0.1
"""How much light falls from a tube on such a picture, how much of that where it is dark, and how
far, in canvas units."""


@dataclass(frozen=True)
class TubeOptions(InkOptions):
    """Options of `tube`."""

    inks: str = option(
        "#8b3dff,#19e3ff,#ff2bd1,#ffb13d", "colours of the tubes, separated by commas, at most 16"
    )
    margin: float = option(0.0, "blank border, as a share of the shorter side", low=0, high=0.4)
    overprint: bool = option(False, "inks multiply what is below them; if false they cover it")
    width: float = option(0.0065, "radius of a tube in canvas units", low=0.001, high=0.1)
    detail: float = option(
        0.01, "radius of the tightest bend, in canvas units", low=0.002, high=0.2
    )
    strength: float = option(
        0.09, "difference below which there is no tube, of black to white", low=0, high=1
    )
    dusk: float = option(0.0, "how light a picture at dusk is behind; none at 0", low=0, high=1)


class Tube(Ink):
    """Glowing lines along the contours, and rows of faint light."""

    Options: ClassVar[type[Any]] = TubeOptions
    separation: ClassVar[Literal["mixed", "nearest"]] = "nearest"
    defaults = Preset(count=16000, background="#07050f")
    mixes: ClassVar[bool] = True
    """Always: halos are darker than the tubes, whose middles are lighter."""

    def take_options(self) -> None:
        """Add the colours of rows and of halos, which lie behind."""
        super().take_options()
        self.tubes = self.inks
        dusk = [parse_colour(each) for each in chain(*DUSK) if self.options.dusk]
        self.below = len(dusk)
        power = 1 - HIDING * (self.below > 0)
        halos = [share**power * self.tubes for share, _ in GLOW[:-1]]
        hot = 1 - (1 - self.tubes) * (1 - HOT)
        self.inks = np.concatenate(
            [self.options.dusk * np.reshape(dusk, (-1, 3)), ROW * self.tubes, *halos, hot]
        )

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw the rows, then line after line from the longest, with its halo."""
        sheet = cropped(self, sheet)
        light = seen_of(sheet, sheet.amounts.sum(0).clip(0, 1))
        o = self.options
        inner = focused(sheet.weight, light.shape[1:])
        if self.below:
            return self._before_dusk(sheet, light, inner)
        lines = contours(
            light, sheet.weight, sheet.canvas, o.detail, o.strength, GAP * o.width, LENGTH
        )
        shapes = enclosed(lines, sheet.canvas)
        lines = met(self._drawn(sheet, light, lines), inner, sheet.canvas, o.width)
        calm = [within(each, shapes, CALM / sheet.canvas.pixel) for each in light]
        rows = _rows(sheet, np.stack(calm) * (shapes > 0), light, self.tubes)
        return whole_lines(rows, self._halos(sheet, light, lines), sheet.count)

    def _before_dusk(self, sheet: ink.Sheet, light: Floats, inner: Floats) -> ink.Marks:
        """Draw a picture at dusk, and a few tubes where a line is sure, not in a face."""
        from scipy.special import expit

        o = self.options
        tones = tones_of(sheet, light, inner, DETAIL)
        warmth = softened(lab_of(light)[..., 1:].sum(2), AROUND * min(tones.shape))
        cold = expit((np.clip(warmth.mean() - COLD, *NEUTRAL) - warmth) / COLD)
        shares = [np.interp(tones, ends, (0, 1)) for ends in pairwise(TONES)]
        # What is surely cold has no warm colour below.
        layers = [side * each for side in ((2 - 2 * cold).clip(0, 1), cold) for each in shares]

        def dusk(coarser: float) -> ink.Marks:
            return ink.joined(
                [screened(sheet, each, PITCH * coarser, k) for k, each in enumerate(layers)]
            )

        picture = fewer(replace(sheet, count=max(1, int(LAID * sheet.count))), dusk)
        plain, around = plain_of(sheet, light, inner), silhouettes(light, inner, sheet.canvas)
        lines = sure(plain, inner, sheet.canvas, o.detail, o.strength, APART, around)
        lines = parted(lines, CORE - inner, sheet.canvas, 0.0)
        lines = met(lines, inner, sheet.canvas, o.width)
        length = np.cumsum([len(each.points) for each in lines]) * sheet.canvas.pixel
        lines = lines[: int((length <= FEW).sum())]
        return whole_lines(picture, self._halos(sheet, light, lines, cold), sheet.count)

    def _drawn(self, sheet: ink.Sheet, light: Floats, outlines: list[Contour]) -> list[Contour]:
        """Return the pen lines of a face, outlines, and elsewhere the clearest pen lines."""
        canvas, inner = sheet.canvas, focused(sheet.weight, light.shape[1:])
        inside, rest = list[Contour](), list[Contour]()
        least = STROKE * np.sqrt((inner > FACE).sum())
        for line in flow_lines(light, inner, canvas, BETWEEN * self.options.width):
            near = float(inner[cells_of(line, canvas)].mean())
            # The middle of a face has short tubes too; hair and hats are hinted at.
            if len(line.points) < least * (near > FACE):
                continue
            if line.contrast.sum() * canvas.pixel > CLEAR * min(1.0, FADE * (1 - near)):
                (inside if near > FACE else rest).append(line)
        kept = parted(outlines, away_from(inside, canvas), canvas, DOUBLE / 2)
        return [*inside, *kept, *parted(rest, away_from([*inside, *kept], canvas), canvas, DOUBLE)]

    def settled(self, cover: Covers, canvas: Canvas) -> Covers:
        """Let the light of rows and halos fade, as light in the night does."""
        from artgen_plugins.wash import spread

        many, tubes = len(self.tubes), cover[self.below :]
        for k in range(self.below):
            cover[k] = spread(cover[k], BLUR / canvas.pixel)
        for k in range(many):
            tubes[k] = spread(tubes[k], WALL / canvas.pixel)
        for level, (share, wide) in enumerate(GLOW[:-2], 1):
            soft = SOFT * wide * self.options.width / canvas.pixel
            for k in range(level * many, (level + 1) * many):
                if tubes[k].any():
                    tubes[k] = spread(tubes[k], soft)
                    if self.below:
                        tubes[k] *= share**HIDING
        if self.below:
            # Light falls on what is light.
            lit = LIT + (1 - LIT) * cover[: self.below].sum(0) / len(DUSK[0])
            halos, full = (tubes[level * many : (level + 1) * many] for level in (1, len(GLOW) - 1))
            for halo, tube in zip(halos, full, strict=True):
                halo += SPILL * spread(tube, REACH / canvas.pixel)
            tubes[many : (len(GLOW) - 1) * many] *= lit
        return cover * inside_margin(self, cover.shape[1:])

    def _halos(
        self, sheet: ink.Sheet, light: Floats, lines: list[Contour], cold: Floats | None = None
    ) -> list[ink.Marks]:
        """Return the halo of each line in the hue of what is beside it, or in that of the face.

        Where it is told how `cold` a picture behind is, [height, width], the first hues are on what
        is warm and the last on what is cold.
        """
        o, found, most, hues = self.options, [], np.inf, []
        if sheet.weight is not None and np.ptp(sheet.weight) > 0:
            most = float(sheet.weight.max())
            face = light[:, sheet.weight > INNER * most].mean(1)[:, None]
        for each in lines:
            if cold is not None:
                share = cold[cells_of(each, sheet.canvas)].mean()
                hues.append(min(int(share * len(self.tubes)), len(self.tubes) - 1))
                continue
            inner = sheet.weight_at(*each.points.T).mean() > INNER * most
            colour = face if inner else _beside(each.points, sheet.canvas, light)
            hues.append(_likest(colour, self.tubes, light)[0])
        shared = agreed(np.array(hues), lines, o.width)
        for (points, _), hue in zip(lines, shared, strict=True):
            line = points[:: 3 if len(points) > 9 else 1]
            if len(line) < 2:
                continue
            if tuple(line[-1]) != tuple(points[-1]):
                line = np.concatenate([line, points[-1:]])
            thin = 1 - 0.5 * sheet.weight_at(*line.T) / most
            rings = [
                ink.polyline(
                    line, o.width * wide * thin, self.below + level * len(self.tubes) + hue
                )
                for level, (_, wide) in enumerate(GLOW, 1)
            ]
            found.append(ink.joined(rings))
        return found


def _rows(sheet: ink.Sheet, calm: Floats, light: Floats, tubes: Floats) -> ink.Marks:
    """Short butt-to-butt pieces of rows, whose radius follows the tone of the shapes `calm`."""
    tone = np.tensordot([0.3, 0.6, 0.1], calm, 1)
    x, y, pitch = sheet.grid(max(1, sheet.count // 3))
    across, down = (
        np.clip(((each + reach) / sheet.canvas.pixel).astype(int), 0, size - 1)
        for each, reach, size in zip((x, y), sheet.canvas.reach, tone.shape[::-1], strict=True)
    )
    bright = tone[down, across].ravel()
    radius = 0.46 * pitch * bright.clip(0, 1)
    hue = _likest(calm[:, down, across].reshape(3, -1), tubes, light)
    u, v = x.ravel(), y.ravel()
    half = (pitch / 2 - radius).clip(0) + 0.25 * pitch * (radius > 0.25 * pitch)
    strokes = np.stack([u - half, v, u + half, v, radius, radius], 1)
    return ink.Marks(strokes[bright > 0.12], hue[bright > 0.12])


def screened(sheet: ink.Sheet, share: Floats, pitch: float, k: int) -> ink.Marks:
    """Return slanted rows, `pitch` canvas units from one another, as wide as a share of it.

    Where a `share` [height, width] is 1 they cover all. Level or upright rows would beat with those
    of the pixels.
    """
    from scipy.ndimage import map_coordinates

    reach, pixel = np.array(sheet.canvas.reach), sheet.canvas.pixel
    far = float(np.hypot(*reach))
    along, across = np.meshgrid(*(np.arange(-far, far, pitch),) * 2)
    x, y = (along - across) / np.sqrt(2), (along + across) / np.sqrt(2)
    smooth = softened(share, 0.3 * pitch / pixel)
    cells = np.stack([y + reach[1], x + reach[0]]) / pixel - 0.5
    wide = np.rint(WIDTHS * map_coordinates(smooth, cells, order=1, mode="nearest")) / WIDTHS
    wide *= (abs(x) < reach[0] + pitch) & (abs(y) < reach[1] + pitch)
    # One stroke goes on for as long as a row is as wide.
    same = np.pad(np.diff(wide) == 0, ((0, 0), (1, 1)))
    row, column = np.nonzero(~(same[:, 1:] & same[:, :-1]))
    ends = np.stack([each[row, column] for each in (x, y, pitch / 2 * wide)], 1)
    strokes = np.concatenate([ends[:-1], ends[1:]], 1)[:, [0, 1, 3, 4, 2, 5]]
    strokes = strokes[(row[1:] == row[:-1]) & (strokes[:, 4:].max(1) > 0)]
    return ink.Marks(strokes, np.full(len(strokes), k))


def met(lines: list[Contour], inner: Floats, canvas: Canvas, radius: float) -> list[Contour]:
    """Return lines that are led on to a line, or to their own start, close ahead of their ends.

    `radius` is that of a tube, in canvas units. Short lines that meet nothing are left out. In a
    face, where `inner` [height, width] is near to 1, lines stay as they are.
    """
    found, kept = list(lines), []
    for k, line in enumerate(lines):
        near, anchored = float(inner[cells_of(line, canvas)].mean()), False
        for _ in range(2):
            points, contrast = found[k] = Contour(*(each[::-1] for each in found[k]))
            # Of itself, what is far along, so that it does not curl.
            own = points[: max(0, len(points) - int(3 * CLOSE * radius / canvas.pixel))]
            goals = np.concatenate(
                [own, *(other.points for other in [*found[:k], *found[k + 1 :]])]
            )
            ahead, far = _ahead(points, goals)
            edge = (np.array(canvas.reach) - abs(points[-1])).min() < 3 * RIM * min(canvas.reach)
            meets = bool(edge or (far < radius).any())
            anchored |= edge or bool((far < CLOSE * radius).any())
            far[ahead < np.cos(np.radians(AHEAD))] = np.inf
            if near > FACE or meets or not (far < CLOSE * radius).any():
                continue
            steps = np.linspace(0, 1, 2 + int(far.min() / canvas.pixel))[1:, None]
            way = points[-1] + steps * (goals[far.argmin()] - points[-1])
            contrast = np.append(contrast, np.full(len(way), contrast[-1]))
            found[k], anchored = Contour(np.concatenate([points, way]), contrast), True
        if anchored or len(line.points) > LOOSE * min(inner.shape) * (1 - near / FACE):
            kept.append(k)
    return [found[k] for k in kept]


def agreed(hues: NDArray[np.int64], lines: list[Contour], radius: float) -> NDArray[np.int64]:
    """Return the hue of each line [N] so that one which goes on in another has the same.

    That is the hue of most of their length. Lines that meet end to end go on where one is straight
    on from the other, or where there are only two and the corner is not sharp.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not lines:
        return hues
    pairs = [(0, 0)]
    for k, (points, _) in enumerate(lines):
        for way in (points, points[::-1]):
            far = [np.hypot(*(other - way[-1]).T) for other, _ in lines]
            near = [n for n, each in enumerate(far) if n != k and each.min() < TOUCH * radius]
            for n in near:
                at, last = int(far[n].argmin()), len(far[n]) - 1
                if ENDING <= at <= last - ENDING:
                    continue
                side = lines[n].points[[max(0, at - ENDING), min(last, at + ENDING)]]
                turn = STRAIGHT if len(near) > 1 else CORNER
                if _ahead(way, side)[0].max() > np.cos(np.radians(turn)):
                    pairs.append((k, n))
    links = coo_array((np.ones(len(pairs)), np.array(pairs).T), shape=(len(lines),) * 2)
    many, tube = connected_components(links, directed=False)
    votes = np.zeros((many, hues.max() + 1))
    np.add.at(votes, (tube, hues), [len(each.points) for each in lines])
    return np.asarray(votes.argmax(1)[tube])


def _ahead(points: Floats, goals: Floats) -> tuple[Floats, Floats]:
    """Return how much goals [N, 2] are ahead of the end of a line, as cosines, and how far: [N]."""
    way, gap = points[-1] - points[max(0, len(points) - ENDING)], goals - points[-1]
    far = np.hypot(*gap.T)
    return gap @ way / np.maximum(far * np.hypot(*way), 1e-9), far


def _beside(points: Floats, canvas: Canvas, light: Floats) -> Floats:
    """Return the mean colour, [3, 1], of the side of a line that differs more from the picture."""
    from scipy.ndimage import map_coordinates

    along = np.gradient(points, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    across *= BESIDE / np.maximum(np.hypot(*across.T), 1e-9)[:, None]
    sides = []
    for way in (-1, 1):
        place = ((points + way * across)[:, ::-1] + canvas.reach[::-1]) / canvas.pixel - 0.5
        sides.append([map_coordinates(each, place.T, order=1, mode="nearest") for each in light])
    colours = np.array(sides).mean(2)
    lab, mean = lab_of(colours.T), lab_of(light.mean((1, 2))[:, None])
    return np.asarray(colours[np.hypot(*(lab - mean)[..., 1:].T).argmax()][:, None])


def _likest(colours: Floats, tubes: Floats, light: Floats) -> NDArray[np.int64]:
    """Return the index of the tube whose hue is nearest to each of `colours` [3, N].

    Hues are told from most of the mean of the picture `light`, so that a warm one has cold tubes.
    """
    near, of, middle = (
        lab_of(each)[..., 1:] for each in (colours, tubes.T, light.mean((1, 2))[:, None])
    )
    of = of / np.maximum(np.hypot(*of.T), 1e-9)[:, None]
    return np.asarray(((near - WHITE * middle) @ of.T).argmax(1))
