"""Stained glass: a cartoon of numbered pieces in lead or copper foil, each of which can be cut.

Pieces follow the picture, with smaller ones in faces, and are joined until the smallest can be
held. Glass breaks where it is cut far inwards, so a piece with a deep inside corner is split along
a line to its nearest edge. Lines between pieces are smooth, and drawn once; a piece is what is
further from them than half of the lead's heart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from artgen import option
from artgen.errors import UsageError
from artgen.making import Made, Maker, Motif, Part, hex_colour, parse_colour
from artgen.targets import linear_to_srgb, srgb_to_linear
from artgen_makers.cutting import (
    Mask,
    Plan,
    Words,
    check_dxf,
    files,
    grid_of,
    in_svg,
    inner_first,
    opened,
    path_of,
    texts_of,
)
from artgen_makers.grids import Floats, choose, differences, grouped
from artgen_makers.guide import MARGIN, Guide, guides, wrapped
from artgen_makers.paint import fillable
from artgen_makers.pdf import Sheet, text_width
from artgen_makers.tones import blurred, focused
from artgen_plugins.regions import Labels, chains, cut, lab_of, means, rgb_of, separated, smoothed

COARSE, MOST_COARSE = 16.0, 800
"""Pixels across the smallest piece while pieces are shaped, and most along a side."""
FINE, MOST_FINE = 0.25, 4000
"""Least side in mm of the pixels by which outlines are found, and most of them along a side."""
FEWER = 3
"""Every so many of these pixels say whether a piece has a deep inside corner."""
MORE = 1.5
"""Regions for each piece that is asked for, since small ones are joined."""
INSIDE = 12.0
"""Radius in mm of the tightest inside curve that glass is cut to."""
WAVES = 4.0
"""Standard deviation in mm of what smooths the lines."""
BLUNT = 0.42
"""The radius of what sticks out of a piece, as a share of the largest circle in it."""
DEEP = 0.35
"""How deep a bay may be, in shares of its mouth."""
RAYS, TRIED = 32, 8
"""Directions of a split, and how many of the shortest are looked at closely."""
JEWEL, CONTRAST = 1.9, 1.35
"""How much more chroma and difference of lightness glass has than what it shows."""
SPARE = 5.0
"""What a piece of the sheet has around, to break along a line, in mm."""
LETTERS = 2.0, 6.0
"""Least and largest height of a number in mm."""
WIDEST = 1500
"""Most width of a panel, in mm."""
_PIXELS = 1500
DEEP_NOTE = (
    "inside corners that glass cannot be cut to stay in piece{} {}: saw them, draw one more lead "
    "to each, or use fewer --pieces, a larger --width or a smaller --least"
)


@dataclass(frozen=True)
class GlassOptions:
    """Options of stained glass; lengths are millimetres."""

    width: float = option(400.0, "width of the panel", low=80, high=WIDEST)
    pieces: int = option(120, "about how many pieces, before some are split", low=2, high=1000)
    least: float = option(12.0, "width of the smallest piece", low=5, high=200)
    narrow: float = option(6.0, "what is narrower than this goes: it cannot be ground", low=1)
    lead: float = option(4.5, "width of the lead, or of the solder, that is seen", low=1, high=30)
    heart: float = option(1.5, "distance of two pieces: copper foil takes 0.8", low=0.2, high=10)
    colours: int = option(14, "most colours of glass, which are chosen", low=1, high=40)
    glass: str = option("", "colours that there are, with commas; empty: those of the photo")
    dxf: bool = option(False, "write pieces.dxf too, with layers CUT and ENGRAVE")


class Piece(NamedTuple):
    """A piece: its outline [N, 2] and the middle of its widest place in mm, and the place's radius.

    `colour` is the index of its glass; `deep` is whether it has an inside corner that stays.
    """

    outline: Floats
    middle: tuple[float, float]
    radius: float
    colour: int
    deep: bool

    @property
    def area(self) -> float:
        """Square mm (the shoelace formula)."""
        x, y = self.outline.T
        return float(abs(x[:-1] @ y[1:] - x[1:] @ y[:-1]) / 2)

    @property
    def sheet(self) -> tuple[float, float]:
        """Sides in mm, the longer first, of the smallest rectangle from which it can be cut."""
        turns = np.radians(np.arange(0, 90, 2))
        ways = np.stack([np.cos(turns), np.sin(turns)])
        wide = np.ptp(self.outline @ ways, axis=0)
        high = np.ptp(self.outline @ np.stack([-ways[1], ways[0]]), axis=0)
        best = int((wide * high).argmin())
        low, long = sorted((wide[best], high[best]))
        return float(long) + 2 * SPARE, float(low) + 2 * SPARE


class Glass(Maker):
    """Pieces of glass in lead."""

    Options: ClassVar[type[Any]] = GlassOptions
    takes_photos = True

    def make(self, motif: Motif) -> Made:
        """Cut the picture into pieces, choose their glass, and draw the cartoon."""
        o = self.options
        size = o.width, o.width / motif.aspect
        self.check(size)
        places, lab = self.pieced(motif, size)
        if places.max() == 0:
            raise UsageError(
                f"{motif.name} gives one piece alone",
                hint="use a smaller --least, a larger --width, or another picture",
            )
        tones, glass = self.chosen(means(lab, places))
        lines = leads(places, size)
        pieces, picture = self.pieces(places, tones, lines, size, glass)
        return self.written(motif, pieces, lines, glass, picture, size)

    def pieced(self, motif: Motif, size: tuple[float, float]) -> tuple[Labels, Floats]:
        """Return the number of the piece at each pixel, and the Lab colours [height, width, 3]."""
        o = self.options
        unit = max(o.least / COARSE, max(size) / MOST_COARSE)
        columns, rows = grid_of(motif, size, unit)
        lab, weight = focused(motif.picture(columns, rows))
        places = cut(lab, weight, round(MORE * o.pieces))
        return self.shaped(places, lab, unit), lab

    def check(self, size: tuple[float, float]) -> None:
        """Raise UsageError for sizes that do not go together."""
        o = self.options
        check_dxf(asked=o.dxf)
        self.sold()
        if min(size) < 3 * o.least:
            raise UsageError(
                f"a panel of {size[0]:.0f} x {size[1]:.0f} mm has no room for pieces of "
                f"{o.least:g} mm",
                hint="use a larger --width or a smaller --least",
            )
        if not o.heart < o.lead < o.narrow <= o.least:
            raise UsageError(
                f"--heart {o.heart:g}, --lead {o.lead:g}, --narrow {o.narrow:g} and --least "
                f"{o.least:g} do not go together",
                hint="each has to be larger than the one before: leads cover what is as narrow",
            )
        mean = (size[0] * size[1] / o.pieces) ** 0.5
        if mean < o.least:
            wide = math.ceil(o.width * o.least / mean)
            raise UsageError(
                f"{o.pieces} pieces on {size[0]:.0f} x {size[1]:.0f} mm are {mean:.0f} mm wide, "
                f"and the smallest has {o.least:g} mm",
                hint="use "
                + f"a --width of {wide} mm, " * (wide <= WIDEST)
                + "fewer --pieces or a smaller --least",
            )

    def shaped(self, places: Labels, lab: Floats, unit: float) -> Labels:
        """Return places each of which is a piece of glass: wide enough, without deep corners."""
        o = self.options
        for sigma in (WAVES, WAVES, WAVES / 2):
            places = fillable(separated(places), means(lab, separated(places)), o.least / unit / 2)
            places = without_narrow(places, o.narrow / unit / 2)
            places = smoothed(places, sigma / unit)
        places = fillable(separated(places), means(lab, separated(places)), o.least / unit / 2)
        places = separated(places)
        limits = Limits(o.least / unit / 2, o.narrow / unit / 2, INSIDE / unit, self.hidden / unit)
        return split_deep(places, limits)

    def sold(self) -> list[Floats]:
        """Return the colours of the glass that there is. Raises UsageError."""
        return [np.array(parse_colour(e)) for e in self.options.glass.split(",") if e.strip()]

    @property
    def hidden(self) -> float:
        """How far the lead reaches over a piece, in mm."""
        return float(self.options.lead - self.options.heart) / 2

    def chosen(self, tones: Floats) -> tuple[Labels, list[Floats]]:
        """Return which glass each piece gets, of Lab colours [N, 3], and the colours of these."""
        o = self.options
        vivid = tones * [1, JEWEL, JEWEL]
        vivid[:, 0] = (55 + CONTRAST * (vivid[:, 0] - 55)).clip(8, 97)
        groups, weight = grouped(vivid)
        given = self.sold()
        sold = np.stack(given) if given else rgb_of(groups)
        cost = differences(groups, lab_of(sold.T)) ** 2
        kept = choose(cost, weight, min(o.colours, len(sold)))
        own = differences(vivid, lab_of(sold[kept].T)).argmin(1)
        used, own = np.unique(own, return_inverse=True)
        return own, [sold[kept[k]] for k in used]

    def pieces(
        self,
        places: Labels,
        own: Labels,
        lines: Sequence[Floats],
        size: tuple[float, float],
        glass: Sequence[Floats],
    ) -> tuple[list[Piece], NDArray[np.uint8]]:
        """Return the pieces from the top down, and the picture of the panel."""
        from skimage.measure import approximate_polygon, find_contours

        unit = max(FINE, max(size) / MOST_FINE)
        margin = self.options.lead / 2
        whole = size[0] + 2 * margin, size[1] + 2 * margin
        away = distances([line + margin for line in lines], whole, unit)
        areas, _ = ndimage.label(away > self.options.heart / 2)
        found, coarse = [], size[0] / places.shape[1]
        for number, box in enumerate(ndimage.find_objects(areas), 1):
            inside = np.where(areas[box] == number, away[box], 0)
            radius = float(inside.max())
            outer = min(box[0].start, box[1].start) == 0
            if outer or radius < self.options.narrow / 4:
                areas[box][areas[box] == number] = 0
                continue
            corner = np.array([box[1].start, box[0].start])
            y, x = np.unravel_index(int(inside.argmax()), inside.shape)
            rings = find_contours(np.pad(inside, 1), self.options.heart / 2)  # type: ignore[no-untyped-call]
            ring = max(rings, key=lambda each: float(np.ptp(each, axis=0).sum()))
            simple = approximate_polygon(ring, 0.25)  # type: ignore[no-untyped-call]
            outline = (simple[:, ::-1] - 0.5 + corner) * unit - margin
            middle = tuple((np.array([x, y]) + corner + 0.5) * unit - margin)
            row, column = (
                min(int(at / coarse), n - 1)
                for at, n in zip(middle[::-1], places.shape, strict=True)
            )
            limits = Limits(0, 0, INSIDE / unit / FEWER, self.hidden / unit / FEWER)
            deep = worst((areas[box] == number)[::FEWER, ::FEWER], limits)[0] > 1
            found.append(
                (number, Piece(outline, middle, radius, int(own[places[row, column]]), deep))
            )
        found.sort(
            key=lambda each: (round(each[1].middle[1] / self.options.least), each[1].middle[0])
        )
        colours = np.zeros((int(areas.max()) + 1, 3))
        for number, piece in found:
            colours[number] = glass[piece.colour]
        return [piece for _, piece in found], lit(areas, colours, away / self.options.lead * 2)

    def written(
        self,
        motif: Motif,
        pieces: Sequence[Piece],
        lines: Sequence[Floats],
        glass: Sequence[Floats],
        picture: NDArray[np.uint8],
        size: tuple[float, float],
    ) -> Made:
        """Return the cartoon, the pieces, the list of glass, the guide and the picture."""
        o = self.options
        names = [hex_colour(each) for each in glass]
        numbered = list(enumerate(pieces, 1))
        rows = [
            [k, p.colour + 1, names[p.colour], f"{p.area:.0f}", *(f"{s:.0f}" for s in p.sheet),
             "yes" if p.deep else ""]
            for k, p in numbered
        ]  # fmt: skip
        head = ["number", "glass", "colour", "square mm", "sheet long mm", "sheet short mm", "deep"]
        words = [_words(k, p) for k, p in numbered]
        plan = Plan(size, inner_first(p.outline for p in pieces), words, edge=False)
        written = {
            "cartoon.svg": _cartoon(motif, size, lines, words, o.lead).encode(),
            **files("pieces", plan, motif.origin, o.dxf),
            "glass.csv": motif.table(head, *rows),
        }
        parts = []
        for k, name in enumerate(names):
            own = [p for p in pieces if p.colour == k]
            area = sum(p.area for p in own) / 100
            parts.append(Part("glass", f"{k + 1}, {area:.0f} square cm", name, len(own)))
        length = sum(_length(line) for line in lines)
        around = sum(_length(p.outline) for p in pieces)
        parts.append(Part("lead or solder, one side", f"{o.lead:g} mm wide", "", 0, length))
        parts.append(Part("edges to grind, or copper foil", length=around))
        deep = [k for k, p in numbered if p.deep]
        notes = [DEEP_NOTE.format("s" * (len(deep) > 1), ", ".join(map(str, deep)))] if deep else []
        made = Made(written, parts, picture, notes)
        wide, high = size
        steps = [
            f"Print the cartoon twice at 100 %: the panel is {wide:.0f} x {high:.0f} mm to the "
            "middle of the outer lead. Lay one on the board. pieces.svg has each piece as it is "
            "cut, for pattern paper or a plotter.",
            f"Cut the {len(pieces)} pieces, a little outside of the line, and grind them to it. "
            f"Between two there are {o.heart:g} mm for the heart of the lead or the foil.",
            "Lay them on the cartoon, lead or foil them, and solder both sides. glass.csv says how "
            "large a piece of the sheet each needs.",
        ]
        steps += notes

        def draw(guide: Guide) -> None:
            sheet = Sheet(*size)
            for line in lines:
                sheet.line(line, o.lead, "#dddddd")
            for line in lines:
                sheet.line(line, 0.2)
            for (text, x, y, tall), piece in zip(words, pieces, strict=True):
                # Both lines are in the circle that fits into the piece.
                large, r = min(tall, 0.7 * piece.radius), piece.radius
                below = f"glass {piece.colour + 1}"
                small = min(0.55 * tall, 1.5 * r / text_width(below, 1))
                y = piece.middle[1] + 0.1 * large
                sheet.label(x, y, text, large, bold=True)
                sheet.label(x, y + 1.1 * small, below, small)
            guide.tiled("Cartoon", sheet)
            _lists(guide, pieces, names)

        return guides(motif, "stained glass", made, steps, draw, range(1, len(names) + 1), "pieces")


class Limits(NamedTuple):
    """What glass takes, in pixels: radii of the least circle and of what is narrow, the radius of
    the tightest inside curve, and how far leads hide what is missing."""

    least: float
    narrow: float
    inside: float
    hidden: float


def without_narrow(places: Labels, radius: float) -> Labels:
    """Give what no disk reaches inside of its place to the nearest place that it does.

    The disk has at least this radius in pixels, and grows with the place, so nothing sticks out.
    """
    kept = np.full(places.shape, -1)
    for number, box in enumerate(ndimage.find_objects(places + 1)):
        if box is not None:
            wide = tuple(slice(max(0, each.start - 1), each.stop + 1) for each in box)
            place = places[wide] == number
            widest = float(ndimage.distance_transform_edt(np.pad(place, 1)).max())
            kept[wide][opened(place, max(radius, BLUNT * widest))] = number
    if (kept < 0).all():
        return places
    return kept[nearest(kept < 0)]


def nearest(missing: Mask) -> tuple[Labels, ...]:
    """Return the row and the column of the pixel nearest to each that is not missing."""
    return tuple(
        ndimage.distance_transform_edt(missing, return_distances=False, return_indices=True)
    )


def worst(piece: Mask, limits: Limits) -> tuple[float, tuple[int, int]]:
    """Return how much too deep the deepest inside corner is, and its row and column.

    Glass is cut to it where that is at most 1. A place with a hole is too deep without an end, and
    the middle of the hole is returned.
    """
    from skimage.morphology import convex_hull_image

    pad = int(limits.inside) + 3
    shape = np.pad(piece, pad)
    around, count = ndimage.label(~shape, np.ones((3, 3)))
    if count > 1:
        inside = ndimage.distance_transform_edt(around > 1)
        row, column = np.unravel_index(int(inside.argmax()), shape.shape)
        return np.inf, (int(row) - pad, int(column) - pad)
    rim = shape & ndimage.binary_dilation(~shape)
    missed = (ndimage.distance_transform_edt(~opened(~shape, limits.inside)) - 1) * rim
    place = np.unravel_index(int(missed.argmax()), shape.shape)
    bad = float(missed[place]) / limits.hidden
    hull = convex_hull_image(shape)  # type: ignore[no-untyped-call]
    bays, count = ndimage.label(hull & ~shape)
    depth = ndimage.distance_transform_edt(hull)
    mouths = np.bincount(bays[ndimage.binary_dilation(~hull) & hull], minlength=count + 1)
    for bay in range(1, count + 1):
        own = np.where(bays == bay, depth, 0)
        deepest = float(own.max())
        ratio = deepest / max(DEEP * mouths[bay], 1)
        if deepest > 2 * limits.hidden and ratio > max(bad, 1):
            end = np.array(np.unravel_index(int(own.argmax()), own.shape))
            rims = np.argwhere(rim)
            place, bad = rims[((rims - end) ** 2).sum(1).argmin()], ratio
    return bad, (int(place[0]) - pad, int(place[1]) - pad)


def split_deep(places: Labels, limits: Limits) -> Labels:
    """Split places with deep inside corners, or holes, where both parts are wide enough."""
    places = places.copy()
    boxes = dict(enumerate(ndimage.find_objects(places + 1)))
    left = list(boxes)
    while left:
        number = left.pop()
        piece = places[boxes[number]] == number
        bad, place = worst(piece, limits)
        other = split(piece, place, bad, limits) if bad > 1 else None
        if other is not None:
            new = len(boxes)
            places[boxes[number]][other] = new
            boxes[new] = boxes[number]
            left += [number, new]
    return separated(places)


def split(piece: Mask, place: tuple[int, int], bad: float, limits: Limits) -> Mask | None:
    """Return the part on one side of the best line from a place to the edge; None without one."""
    choices = sorted(_rays(piece, place, bad == np.inf), key=lambda each: len(each[0]))
    possible = (_parts(piece, line, limits.least) for line in choices)
    best, found = np.inf, None
    for line, parts in islice(
        ((line, parts) for line, parts in zip(choices, possible, strict=True) if parts), TRIED
    ):
        thin = sum(float((each & ~opened(each, limits.narrow)).sum()) for each in parts)
        cost = len(line[0]) / limits.least + thin / limits.least**2
        cost += sum(min(worst(each, limits)[0], 3) for each in parts)
        if cost < best:
            best, found = cost, parts[1]
    return found


def _rays(piece: Mask, place: tuple[int, int], both: bool) -> Iterator[tuple[Labels, Labels]]:
    """Yield pixels of lines from a place to where they leave a piece; of a hole, on both sides."""
    from skimage.draw import line

    far = sum(piece.shape)
    for turn in range(RAYS):
        angle = np.pi * turn / RAYS * (1 if both else 2)
        ends = []
        for sign in (1, -1):
            way = sign * np.array([np.sin(angle), np.cos(angle)])
            steps = np.rint(np.array(place) + np.arange(far)[:, None] * way).astype(int)
            steps = steps[((steps >= 0) & (steps < piece.shape)).all(1)]
            inside = piece[tuple(steps.T)]
            entered = inside.argmax() if inside.any() else 0
            away = np.flatnonzero(~inside[entered:])
            ends.append(steps[min(entered + away[0] if len(away) else len(steps), len(steps) - 1)])
            if not both:
                ends.append(np.array(place))
                break
        yield line(*ends[0], *ends[1])  # type: ignore[no-untyped-call]


def _parts(piece: Mask, line: tuple[Labels, Labels], radius: float) -> tuple[Mask, Mask] | None:
    """Return the two parts on the sides of a line, if a circle of this radius fits into both."""
    apart = piece.copy()
    apart[line] = False
    areas, count = ndimage.label(apart)
    if count < 2:
        return None
    first, second = np.argsort(-np.bincount(areas.ravel())[1:], kind="stable")[:2] + 1
    areas = areas[nearest(~np.isin(areas, (first, second)))]
    parts = piece & (areas == first), piece & (areas == second)
    if min(ndimage.distance_transform_edt(np.pad(each, 1)).max() for each in parts) < radius:
        return None
    return parts


def leads(places: Labels, size: tuple[float, float]) -> list[Floats]:
    """Return the lines between places and around all, each once, smooth: x and y in mm [N, 2]."""
    from skimage.measure import approximate_polygon

    # Four places around: corners of the panel are ends of lines, and stay sharp.
    rows, columns = places.shape
    padded = np.pad(places, 1, constant_values=-1)
    padded[-1], padded[1:-1, 0], padded[1:-1, -1] = -2, -3, -4
    scale, found = np.array([size[0] / columns, size[1] / rows]), []
    for line in chains(padded):
        points = line[:, ::-1] - 1
        if (points > -0.5).all() and (points < [columns + 0.5, rows + 0.5]).all():
            even = smooth(points, WAVES * columns / size[0])
            found.append(approximate_polygon(even * scale, 0.05))  # type: ignore[no-untyped-call]
    return found


def smooth(points: Floats, sigma: float) -> Floats:
    """Return a line at even steps of a pixel, smooth also at its ends, which stay in place."""
    along = np.append(0, np.cumsum(np.hypot(*np.diff(points, axis=0).T)))
    steps = np.linspace(0, along[-1], max(2, round(along[-1]) + 1))
    even = np.stack([np.interp(steps, along, points[:, k]) for k in (0, 1)], 1)
    if np.allclose(even[0], even[-1]):
        return np.asarray(ndimage.gaussian_filter1d(even, sigma, axis=0, mode="wrap"))
    more = min(len(even) - 1, int(4 * sigma))
    before, after = 2 * even[0] - even[more:0:-1], 2 * even[-1] - even[-2 : -2 - more : -1]
    found: Floats = ndimage.gaussian_filter1d(np.concatenate([before, even, after]), sigma, axis=0)
    return found[more : more + len(even)]


def distances(lines: Sequence[Floats], size: tuple[float, float], unit: float) -> Floats:
    """Return the distance in mm of each pixel's middle, `unit` mm fine, to the nearest line."""
    wide, high = (round(side / unit) for side in size)
    points = []
    for line in lines:
        along = np.append(0, np.cumsum(np.hypot(*np.diff(line, axis=0).T)))
        steps = np.linspace(0, along[-1], int(along[-1] / unit * 2) + 2)
        points.append(np.stack([np.interp(steps, along, line[:, k]) for k in (0, 1)], 1) / unit)
    place = np.concatenate(points)
    column, row = (place.clip(0, [wide - 1e-6, high - 1e-6]).astype(int)).T
    x, y = np.full((high, wide), np.nan, np.float32), np.empty((high, wide), np.float32)
    x[row, column], y[row, column] = place.T
    near = nearest(np.isnan(x))
    down, right = np.mgrid[:high, :wide].astype(np.float32) + 0.5
    return np.asarray(unit * np.hypot(x[near] - right, y[near] - down))


def lit(areas: Labels, colours: Floats, away: Floats) -> NDArray[np.uint8]:
    """Show a panel before a bright sky: areas [height, width] of colours [N, 3], sRGB-encoded.

    `away` is the distance to the middle of a lead, whose edge is at 1.
    """
    from PIL import Image

    scale = _PIXELS / max(areas.shape)
    high, wide = (round(side * scale) for side in areas.shape)
    row, column = (((np.arange(n) + 0.5) / scale).astype(int) for n in (high, wide))
    own = areas[row][:, column]
    flat = Image.fromarray(away.astype(np.float32)).resize((wide, high), Image.Resampling.BOX)
    way = np.asarray(flat, np.float64)
    rng = np.random.default_rng(0)
    streaks = []
    for reach in ((2, 40), (40, 2), (12, 12), (4, 70)):
        noise = blurred(rng.standard_normal((high, wide)), reach)
        streaks.append(noise / noise.std())
    kind = rng.integers(0, 4, len(colours))
    streak = np.choose(kind[own], streaks)
    light = srgb_to_linear(colours.astype(np.float32)).astype(np.float64)[own]
    tint = 1 + 0.12 * rng.standard_normal(len(colours)).clip(-2, 2)[own]
    down, right = np.mgrid[-1 : 1 : high * 1j, -1 : 1 : wide * 1j]
    sky = 0.95 - 0.12 * (right**2 + down**2)
    through = light * (tint * (1 + 0.1 * streak) * sky)[..., None]
    edge = ((way - 1) * 0.5).clip(0, 1)
    through *= (0.72 + 0.28 * edge)[..., None]
    cover = (4 * (1 - way) + 0.5).clip(0, 1)[..., None]
    through = through * (1 - cover)
    through += 0.2 * np.stack([blurred(through[..., k], 0.012 * _PIXELS) for k in range(3)], 2)
    # Leads are round: light from the upper left shines along them.
    height = np.sqrt(1 - (way.clip(0, 1)) ** 2)
    dy, dx = np.gradient(ndimage.gaussian_filter(height, 1.0))
    shine = (0.5 * (dx + dy)).clip(0, 1) ** 1.2
    metal = 0.018 + 0.02 * height + 0.5 * shine
    shown = linear_to_srgb(
        (through * (1 - cover) + cover * metal[..., None]).clip(0, 1).astype(np.float32)
    )
    return np.rint(255 * shown).astype(np.uint8)


def _words(number: int, piece: Piece) -> Words:
    high = float(np.clip(0.8 * piece.radius, *LETTERS))
    return Words(str(number), piece.middle[0], piece.middle[1] + 0.36 * high, high)


def _length(line: Floats) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _cartoon(
    motif: Motif,
    size: tuple[float, float],
    lines: Sequence[Floats],
    words: Sequence[Words],
    lead: float,
) -> str:
    """Return each line once, as wide as the lead, and the numbers, in millimetres."""
    paths, texts = "\n".join(map(path_of, lines)), texts_of(words)
    shown = (
        f'<g fill="none" stroke="#000" stroke-width="{lead:g}" stroke-linecap="round" '
        f'stroke-linejoin="round">\n{paths}\n</g>\n'
        f'<g font-family="sans-serif" text-anchor="middle">\n{texts}\n</g>'
    )
    return in_svg(size, lead / 2, motif.origin, shown)


def _lists(guide: Guide, pieces: Sequence[Piece], names: Sequence[str]) -> None:
    """Add pages that say which pieces each glass has."""
    y = math.inf
    for k, name in enumerate(names):
        own = ", ".join(str(n) for n, p in enumerate(pieces, 1) if p.colour == k)
        for number, line in enumerate(wrapped(own, guide.width - 16, 3.6)):
            if y > guide.paper[1] - MARGIN - 8:
                sheet, y = guide.page("Pieces by glass"), MARGIN + 16
            if number == 0:
                sheet.box(MARGIN, y - 3.6, 8, 4.4, fill=name)
                sheet.text(MARGIN + 11, y, f"{k + 1}", 3.6, bold=True)
            sheet.text(MARGIN + 18, y, line, 3.6)
            y += 5
        y += 2
