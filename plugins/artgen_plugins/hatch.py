"""Hatching: solid masses, bare paper, and strokes whose width is the tone in between.

The tones are stretched to paper and ink, and may be made relative to those around. Where they are
darkest ink is solid, where they are lightest the paper stays bare. Edges are made stronger by a
difference of Gaussians, so that also faint ones divide masses (Winnemöller, Kyprianidis and Olsen:
XDoG, 2012). Strokes follow a structure tensor at their own scale, and a fixed angle where the
picture has no direction.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from artgen import Canvas, Ink, Preset, ink, option
from artgen.ink import InkOptions
from artgen_plugins.regions import Floats, closest, lab_of, slopes

FINER = 0.33
"""The exponent of the weight of pixels in the distance of strokes: a third in the focus."""
LEAST, MOST = 0.16, 0.8
"""The share of the paper that strokes cover next to bare paper and next to solid ink."""
SPECK = 2.0
"""The least area of a mass or a gap, in squares of the distance of strokes."""
CLEAR, FINEST = 0.08, 0.6
"""How far tones of a mass or a gap are past its border somewhere, or it is left out; the distance
of strokes, next to the largest, where even small ones are not."""
CURVES = 0.42, 1.6
"""Least and largest exponent of the curve of tones whose median becomes a half."""
FOCUS, LIGHTER, PALE = 0.8, 0.3, 0.2
"""The share of the largest weight where a focus begins; the quantile of its lighter tones, and what
they become under lines that swell."""
RUBBED, FULL, ROUGH = 0.55, 1.4, 0.6
"""How dark ink is where it is rubbed; how much ink fills the deepest grain, and how much more than
its height covers a grain."""
AROUND, FLAT = 0.16, 0.02
"""The width of what is around a pixel, in shorter sides; the variance of tones that divides masses
from details."""
GRAIN = 0.0038
"""The distance of the grains of paper, in canvas units."""
CLUMPS, MOST_GRAINS = ((1, 1.0), (2, 0.6), (5, 0.35)), 8192
"""The sizes of clumps of grains, in grains, and how high they are; the most grains in a row."""
STEEP, REDS, DENSE = 0.75, 0.3, 1.5
"""Of lines that swell: how much steeper tones are, how much darker reds are than greens, and the
share of the paper for which there are strokes."""
HALF, HEM = 0.5, 0.9
"""The tone to which solid ink reaches on an edge where lines swell, and how far, in distances."""
STEPS, SHARE = 12.0, 0.25
"""How much colours change at least where a contour is drawn, in CIELAB over a distance; the most
that contours take of all strokes."""
CROSSING = 65.0
"""Degrees between the two layers of hatching."""


@dataclass(frozen=True)
class HatchOptions(InkOptions):
    """Options of a hatching."""

    bare: float = option(0.15, "tones below it leave the paper bare", low=0, high=1)
    solid: float = option(0.75, "tones above it are solid ink", low=0, high=1)
    middle: float = option(0.5, "share of ink at the median tone", low=0.05, high=0.9)
    local: float = option(0.0, "how much tones are relative to those around", low=0, high=1)
    loose: float = option(0.0, "how much detail is left out", low=0, high=1)
    crisp: float = option(1.5, "how much stronger edges are", low=0, high=10)
    speck: float = option(
        SPECK, "least area of a mass or a gap, in squares of the distance", low=0, high=1000
    )
    angle: float = option(35.0, "degrees where the picture has no direction", low=-180, high=180)
    bend: float = option(0.7, "how much strokes follow the contours", low=0, high=1)
    broad: float = option(
        1.0, "how broad the forms are that strokes follow, in distances", low=0.5, high=20
    )
    sink: float = option(0.0, "how far strokes go on in solid ink, in distances", low=0, high=20)
    cross: float = option(1.0, "tone from which strokes cross, where 1 is solid", low=0, high=1)
    length: float = option(30.0, "length of the longest stroke, in distances", low=2, high=1000)
    swell: bool = option(False, "lines run through and swell where it is dark, as in an engraving")
    outline: float = option(0.0, "width of the lines along contours, in distances", low=0, high=3)
    taper: float = option(3.0, "length in which a stroke gets thin at its ends", low=0.1, high=100)
    smudge: float = option(0.0, "how far ink is rubbed, of the shorter side", low=0, high=0.2)
    grain: float = option(0.0, "how much the paper's grain shows in the ink", low=0, high=1)


class Hatch(Ink):
    """Solid masses, bare paper, and tapered strokes in between."""

    Options: ClassVar[type[Any]] = HatchOptions
    separation = "tone"
    defaults = Preset(count=24000, background="#f6f1e7")

    def place(self, sheet: ink.Sheet) -> ink.Marks:
        """Draw masses and then strokes, of one ink after the other."""
        pixels, longest = sheet.amounts[0].size, max(sheet.amounts[0].shape)
        scale = np.sqrt((DENSE if self.options.swell else 1.0) * pixels / sheet.count)
        seed = int(sheet.rng.integers(2**31))
        outlines = self._outlines(sheet, scale)
        while True:
            marks = ink.joined(
                [
                    each
                    for k in range(len(self.inks))
                    for each in self._layers(sheet, k, scale, np.random.default_rng(seed + k))
                ]
                + [outlines]
            )
            # No distance leaves so few of a mass that fills the sheet.
            if len(marks) <= sheet.count or scale > longest:
                return marks.first(sheet.count)
            # Farther apart than the paper is large is all the same.
            scale = min(scale * max(1.03, np.sqrt(len(marks) / sheet.count)), 1.01 * longest)

    def settled(self, cover: NDArray[np.float32], canvas: Canvas) -> NDArray[np.float32]:
        """Rub the ink into the paper, which takes more of it where its grain is high."""
        from scipy.ndimage import gaussian_filter

        if self.options.smudge:
            wide = 2 * self.options.smudge / canvas.pixel
            soft = gaussian_filter(cover, (0, wide, wide), mode="nearest")
            cover = 1 - (1 - 0.85 * cover) * (1 - RUBBED * soft)
        if self.options.grain:
            taken = ((FULL * cover - tooth(canvas)) / ROUGH).clip(0, 1)
            cover = cover + self.options.grain * (taken - cover)
        return cover.astype(np.float32)

    def _layers(
        self, sheet: ink.Sheet, k: int, scale: float, rng: np.random.Generator
    ) -> list[ink.Marks]:
        """Return masses, strokes, and strokes across, of one ink, `scale` pixels apart."""
        from scipy.ndimage import distance_transform_edt

        o, pitch = self.options, spacing(sheet.weight, sheet.amounts[k].shape, scale)
        amount = sheet.amounts[k]
        if o.swell and sheet.target is not None:
            amount = amount + REDS * lab_of(sheet.target)[..., 1] / 100
        tone = stretched(amount, sheet.weight, o.middle, PALE if o.swell else 0.0)
        if o.loose:
            tone = abstracted(tone, pitch / pitch.mean(), o.loose)
        tone = strengthened(levelled(tone, o.middle, o.local), pitch, o.crisp)
        # What is in the focus, such as eyes, is small.
        broad = ((pitch / pitch.max() - FINEST) / (1 - FINEST)).clip(0, 1)
        least = pitch * (1 + broad * (np.sqrt(o.speck / SPECK) - 1))
        solid = without_specks(above(tone, o.solid), 2 * least if o.swell else least)
        bare = without_specks(~above(tone, o.bare), least)
        middle = ~solid & ~bare
        clear = inside_margin(self, tone.shape)
        solid &= clear
        share = ((tone - o.bare) / max(o.solid - o.bare, 1e-6)).clip(0, 1)
        field = np.where(solid, np.maximum(tone, o.solid + 0.02), np.minimum(tone, o.solid - 0.02))
        if o.swell:
            # The ends of lines would fray the edges of masses.
            away = distance_transform_edt(~solid) / pitch
            field = field + max(o.solid - HALF, 0.0) * (1 - away / HEM).clip(0) * clear
        layers = [filled(sheet, field, o.solid, max(1.0, scale / 8), k)]
        if o.swell:
            from artgen_plugins._burin import followed, sets_of_lines

            angle = followed(tone, pitch, np.radians(o.angle), o.bend, o.broad)
            cover = tone.clip(0, 1)
            cover = (cover + STEEP * (cover**2 * (3 - 2 * cover) - cover)) * clear
            how = o.bare, o.cross, o.taper
            return layers + sets_of_lines(sheet, k, cover, angle, pitch, *how, rng)
        angle = directions(tone, pitch, np.radians(o.angle), o.bend, o.broad)
        if o.sink:
            # The thin ends of strokes lie in the ink, where they leave no pale rim.
            middle |= solid & (distance_transform_edt(solid) < o.sink * pitch)
            tone = np.minimum(tone, o.solid)
        cover = LEAST + (MOST - LEAST) * share
        layers.append(self._strokes(sheet, k, angle, tone, middle & clear, pitch, cover, rng))
        if o.cross < 1:
            dark = middle & clear & (share > o.cross)
            cover = LEAST + (MOST - LEAST) * (share - o.cross) / (1 - o.cross)
            angle = angle + np.radians(CROSSING)
            layers.append(self._strokes(sheet, k, angle, tone, dark, pitch, cover, rng))
        return layers

    def _outlines(self, sheet: ink.Sheet, scale: float) -> ink.Marks:
        """Return the lines of the picture, wider where they are clearer and thin at their ends."""
        from scipy.ndimage import gaussian_filter, maximum_filter

        from artgen_plugins._burin import needed
        from artgen_plugins._contours import focused, pixels_of
        from artgen_plugins._flow import flow_lines
        from artgen_plugins.draft import parted, whole_lines

        o, unit, shape = self.options, sheet.canvas.pixel, sheet.amounts[0].shape
        if not o.outline or sheet.target is None:
            return ink.joined([])
        inner, pitch = focused(sheet.weight, shape), spacing(sheet.weight, shape, scale)
        parts = np.moveaxis(lab_of(sheet.target), -1, 0)
        changes = [each for part in parts for each in slopes(gaussian_filter(part, scale / 3))]
        steep = scale * maximum_filter(np.sqrt(sum(each**2 for each in changes)), int(scale) + 1)
        drawn = []
        lines = flow_lines(sheet.target, inner, sheet.canvas, 2 * scale * unit)
        for line in parted(lines, inside_margin(self, shape).astype(float), sheet.canvas, 0.0):
            place = pixels_of((line.points + sheet.canvas.reach)[:, ::-1] / unit, shape)
            if (np.median([line.contrast, steep[place] / STEPS], 1) < 1).any():
                continue
            order = np.arange(len(line.points))
            thin = np.minimum(1, 0.15 + np.minimum(order, order[::-1]) / (o.taper * scale))
            wide = o.outline * pitch[place] * (0.35 + 0.65 * (line.contrast / 2).clip(0, 1))
            radius = wide * thin * unit / 2
            one, apart = np.zeros(len(order), int), np.full(len(order), scale * unit)
            ends = needed(line.points, radius, one, apart)
            drawn.append(ink.polyline(line.points[ends], radius[ends]))
        # The clearest come first.
        return whole_lines(ink.joined([]), drawn, int(SHARE * sheet.count))

    def _strokes(
        self,
        sheet: ink.Sheet,
        k: int,
        angle: Floats,
        tone: Floats,
        allowed: NDArray[np.bool_],
        pitch: Floats,
        cover: Floats,
        rng: np.random.Generator,
    ) -> ink.Marks:
        """Return lines as wide as the share `cover` of their distance, thin at their ends."""
        from artgen_plugins._streams import STEP, streams

        places = np.stack(np.nonzero(allowed)[::-1], 1) + 0.5
        places = rng.permutation(places)[: 4 * sheet.count]
        points, starts = streams(angle, tone, allowed, pitch, places, self.options.length)
        if len(starts) < 2:
            return ink.joined([])
        row, column = points[:, 1].astype(int), points[:, 0].astype(int)
        order = np.arange(len(points)) - np.repeat(starts[:-1], np.diff(starts))
        left = np.repeat(np.diff(starts), np.diff(starts)) - 1 - order
        ends = np.minimum(order, left) * STEP
        thin = np.minimum(1, (0.25 + ends / self.options.taper))
        radius = pitch[row, column] * cover[row, column] / 2 * thin
        line = ink.polyline(to_canvas(sheet, points), radius * sheet.canvas.pixel, k)
        joins = np.ones(len(points), bool)
        joins[starts[1:-1]] = False
        return ink.Marks(line.strokes[joins[1:]], line.ink[joins[1:]])


def inside_margin(primitive: Ink, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return which pixels, [height, width], are not in the margin of a primitive."""
    border = np.ones((1, *shape))
    primitive.clear_margin(border)
    return np.asarray(border[0] > 0)


def cropped(primitive: Ink, sheet: ink.Sheet) -> ink.Sheet:
    """Return what of a sheet is not in the margin of a primitive, on a window of its canvas."""
    height, width = sheet.amounts.shape[1:]
    wide = int(inside_margin(primitive, (height, width)).any(1).argmax())
    box = np.s_[..., wide : height - wide, wide : width - wide]
    planes = {name: getattr(sheet, name) for name in ("amounts", "weight", "target")}
    planes = {name: plane[box] for name, plane in planes.items() if plane is not None}
    canvas = sheet.canvas.window(wide, wide, width - 2 * wide, height - 2 * wide)[0]
    return replace(sheet, canvas=canvas, **planes)


def tooth(canvas: Canvas, finer: float = 1.0) -> Floats:
    """Return the height of the paper at each pixel, [height, width] in 0 to 1, all as frequent.

    Grains lie in clumps of several sizes, as pulp settles: waves of one size alone look like worms.
    """
    from scipy.ndimage import map_coordinates

    # A strip repeats them: those of one row of pixels would take gigabytes.
    ranks = _grains(*(min(int(2 * reach / GRAIN) + 3, MOST_GRAINS) for reach in canvas.reach[::-1]))
    across, down = (
        (at + reach) * finer / GRAIN
        for at, reach in zip(canvas.pixel_centres(), canvas.reach, strict=True)
    )
    place = np.meshgrid(down, across, indexing="ij")
    return np.asarray(map_coordinates(ranks, place, order=1, mode="grid-wrap"))


@lru_cache(maxsize=4)
def _grains(rows: int, columns: int) -> Floats:
    """Return the heights of grains of paper; the same for every size and frame of a drawing."""
    from scipy.ndimage import gaussian_filter, zoom

    shape = rows, columns
    rng, rough = np.random.default_rng(0), np.zeros(shape)
    for size, share in CLUMPS:
        small = gaussian_filter(rng.random([-(-side // size) + 1 for side in shape]), 0.7)
        wide = zoom(small, size, order=1)[:rows, :columns]
        rough += share * (wide - wide.mean()) / wide.std()
    ranks: Floats = np.argsort(np.argsort(rough, axis=None)).reshape(shape) / rough.size
    ranks.flags.writeable = False
    return ranks


def to_canvas(sheet: ink.Sheet, points: Floats) -> Floats:
    """Return points [N, 2], x and y in pixels from the corner, in canvas units."""
    return np.asarray(points * sheet.canvas.pixel - np.array(sheet.canvas.reach))


def stretched(
    amount: Floats, weight: Floats | None, middle: float = 0.5, pale: float = 0.0
) -> Floats:
    """Return amounts with the least at 0, the median near `middle`, and the largest at 1.

    Pixels of a larger weight count more. What has nearly the most, such as faces, has a curve of
    its own, where the lighter of its tones become `pale`, unless that is 0: else a pale face before
    a dark ground is bare paper. A picture of one tone stays as it is.
    """
    found = _curved(amount, weight, 0.5, middle)
    near = closest(weight, FOCUS) if pale and weight is not None else None
    if near is None:
        return found
    return np.asarray(found + near * (_curved(amount, near, LIGHTER, pale) - found))


def _curved(amount: Floats, weight: Floats | None, share: float, middle: float) -> Floats:
    """Return amounts whose quantile `share` is near `middle`."""
    order = np.argsort(amount, axis=None)
    counted = np.cumsum(np.ones(amount.size) if weight is None else weight.ravel()[order])
    places = np.searchsorted(counted, counted[-1] * np.array([0.02, share, 0.98]))
    low, level, high = amount.ravel()[order[places]]
    if high - low < 0.2:
        return amount
    level = np.clip((level - low) / (high - low), 0.01, 0.99)
    curve = np.clip(np.log(0.5) / np.log(level), *CURVES) * (np.log(middle) / np.log(0.5))
    return np.asarray(((amount - low) / (high - low)).clip(0, 1) ** curve)


def guided(tone: Floats, blur: Any, edge: Floats | float, least: float = 0.0) -> Floats:
    """Return tones through a blur that ends at edges, where their variance is more than `edge`.

    The guided filter of He, Sun and Tang (2010), with the tones as their own guide. `least` keeps
    an `edge` of 0 from dividing by 0.
    """
    mean = blur(tone)
    variance = blur(tone**2) - mean**2
    slope = variance / (variance + edge + least)
    return np.asarray(blur(slope) * tone + blur((1 - slope) * mean))


def levelled(tone: Floats, middle: float, local: float) -> Floats:
    """Return tones whose masses are nearer to `middle` by a share `local`, and details stronger.

    Masses end at edges, so nothing has a halo.
    """
    from scipy.ndimage import uniform_filter

    if not local:
        return tone
    wide = max(3, round(AROUND * min(tone.shape)))
    base = guided(tone, partial(uniform_filter, size=wide, mode="nearest"), FLAT)
    return np.asarray(tone + local * (tone - 2 * base + middle))


def abstracted(tone: Floats, pitch: Floats, loose: float) -> Floats:
    """Return tones without details, whose edges stay: less where `pitch` is less than 1.

    A guided filter, in rounds, of two widths.
    """
    from scipy.ndimage import gaussian_filter

    side, found = min(tone.shape), []
    for share in (1.0, 0.3) if pitch.min() < 0.9 else (1.0,):
        smooth, wide = tone, max(0.7, share * (0.002 + 0.02 * loose) * side)
        blur = partial(gaussian_filter, sigma=wide, mode="nearest")
        for _ in range(3):
            smooth = guided(smooth, blur, 0.004 * loose * pitch**2, 1e-9)
        found.append(smooth)
    if len(found) == 1:
        return found[0]
    coarse = ((pitch - 0.4) / 0.6).clip(0, 1)
    return found[1] + coarse * (found[0] - found[1])


def spacing(
    weight: Floats | None, shape: tuple[int, ...], scale: float, power: float = FINER
) -> Floats:
    """Return the distance of strokes in pixels, smaller where pixels count more.

    There are as many strokes as with the distance `scale` everywhere.
    """
    if weight is None:
        return np.full(shape, max(scale, 0.6))
    finer = np.maximum(weight, 0.05) ** power
    found: Floats = scale * np.sqrt(np.mean(finer**2)) / finer
    # Distances are kept at half a pixel: lines that are closer would never block one another.
    return found.clip(0.6)


def softened(picture: Floats, sigma: float) -> Floats:
    """Return a picture through a Gaussian of `sigma` pixels; what is beyond an edge is like it."""
    from scipy.ndimage import gaussian_filter
    from scipy.special import ndtr

    if sigma < max(picture.shape):
        return np.asarray(gaussian_filter(picture, sigma, mode="nearest"))
    # A kernel would be larger than the picture: the shares that its pixels have are few.
    for many in picture.shape:
        ends = np.r_[-np.inf, np.arange(0.5, many - 1), np.inf]
        picture = (np.diff(ndtr((ends - np.arange(many)[:, None]) / sigma)) @ picture).T
    return picture.copy()


def blurred(picture: Floats, pitch: Floats, share: float) -> Floats:
    """Return a picture smoothed over a share of the distance of strokes, in several steps."""
    levels = np.geomspace(pitch.min(), pitch.max(), 4) if np.ptp(pitch) > 0.1 else pitch[0, :1]
    smooth = [softened(picture, max(0.3, share * level)) for level in levels]
    if len(smooth) == 1:
        return smooth[0]
    place = np.interp(pitch, levels, np.arange(len(levels)))
    low = np.minimum(place.astype(int), len(levels) - 2)
    stack, part = np.stack(smooth), place - low
    first, second = (np.take_along_axis(stack, (low + n)[None], 0)[0] for n in (0, 1))
    return np.asarray(first + part * (second - first))


def strengthened(tone: Floats, pitch: Floats, crisp: float) -> Floats:
    """Return a smooth tone whose edges are stronger by a difference of Gaussians."""
    fine = blurred(tone, pitch, 0.25)
    return fine + crisp * (fine - blurred(tone, pitch, 1.2))


def without_specks(mask: NDArray[np.bool_], pitch: Floats) -> NDArray[np.bool_]:
    """Return a mask without pieces and without holes that are smaller than a few strokes."""
    from scipy.ndimage import label

    for value in (True, False):
        pieces, _ = label(mask == value)
        large = np.bincount(pieces.ravel(), (1 / pitch**2).ravel()) > SPECK
        mask = np.where(pieces > 0, large[pieces] == value, mask)
    return mask


def above(tone: Floats, level: float) -> NDArray[np.bool_]:
    """Return where tones are above a level, but for parts of either side hardly past it.

    These are of the other side, if there is one.
    """
    from skimage.filters import apply_hysteresis_threshold as parts_past

    masses = tone > level
    if masses.all() or not masses.any():
        return masses
    higher = parts_past(tone, level, level + CLEAR)  # type: ignore[no-untyped-call]
    lower = parts_past(-tone, -level, CLEAR - level)  # type: ignore[no-untyped-call]
    return np.asarray(np.where(masses, higher, ~lower))


def directions(
    tone: Floats, pitch: Floats, angle: float | Floats, bend: float, broad: float = 1.0
) -> Floats:
    """Return the angle of strokes: along contours where there are any, else the given one.

    What is less than about `broad` distances of strokes wide turns none.
    """
    from scipy.ndimage import sobel

    smooth = blurred(tone, pitch, 0.8 * broad)
    across, down = (sobel(smooth, axis) * pitch / 8 for axis in (1, 0))
    cosine, sine, size = (
        blurred(part, pitch, 2.0 * broad)
        for part in (down**2 - across**2, -2 * across * down, across**2 + down**2)
    )
    length = np.hypot(cosine, sine) + 1e-12
    firm = bend * (length / (size + 1e-12)) * size / (size + 0.001)
    cosine = firm * cosine / length + (1 - firm) * np.cos(2 * angle)
    sine = firm * sine / length - (1 - firm) * np.sin(2 * angle)
    return np.arctan2(blurred(sine, pitch, broad), blurred(cosine, pitch, broad)) / 2


def filled(
    sheet: ink.Sheet, field: Floats, level: float, apart: float, k: int, off: float = 0.12
) -> ink.Marks:
    """Return outlines and rows of strokes that fill where a field is above a level.

    Strokes are `apart` pixels from one another, and half as wide again. Outlines are at most `off`
    pixels from where they should be.
    """
    from skimage.measure import approximate_polygon, find_contours

    radius = 0.75 * apart
    smooth = blurred(field, np.full(field.shape, 1.0), 0.7)
    change = np.hypot(*np.gradient(np.pad(smooth, 1, mode="edge")))[1:-1, 1:-1]
    # The middle of the outline lies as far inside as it is wide.
    inner = np.pad(smooth - radius * np.minimum(change, 0.2), 1, constant_values=level - 1)
    unit, layers = sheet.canvas.pixel, []
    for ring in find_contours(inner, level):  # type: ignore[no-untyped-call]
        points = approximate_polygon(ring, off)[:, ::-1] - 0.5  # type: ignore[no-untyped-call]
        layers.append(ink.polyline(to_canvas(sheet, points), radius * unit, k))
    rows = np.arange(0.5, field.shape[0], apart)
    inside = np.pad(inner[rows.astype(int) + 1] > level, ((0, 0), (1, 1)))
    change = np.diff(inside.astype(np.int8), axis=1)
    row, begin = np.nonzero(change == 1)
    end = np.nonzero(change == -1)[1]
    height = rows[row]
    ends = np.stack([begin - 0.5, height, end - 1.5, height], 1).reshape(-1, 2)
    lines = to_canvas(sheet, ends).reshape(-1, 4)
    strokes = np.concatenate([lines, np.full((len(lines), 2), radius * unit)], 1)
    layers.append(ink.Marks(strokes, np.full(len(strokes), k)))
    return ink.joined(layers)
