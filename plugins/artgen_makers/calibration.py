"""Pens as they are: the layout of a sheet of swatches, and what a photo of it says of each pen.

The sheet has a mark in each corner, like those of QR codes, and a dot that says which is first.
Their middles undo the perspective (a homography). A smooth surface through what is bare paper
undoes the shade and the colour of the light. A patch then has the colour of the ink; lines have
their width from how much paper they hide, which blur does not change.
"""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from artgen.errors import UsageError
from artgen.making import hex_colour
from artgen.targets import TargetRequest, linear_to_srgb, open_image, srgb_to_linear

Floats = NDArray[np.float64]

BLOCK = (128.0, 180.0)
"""What is printed, in mm, in the middle of the paper; lengths below are from its corner."""
MARKS = ((10.0, 10.0), (118.0, 10.0), (118.0, 170.0), (10.0, 170.0))
"""Middles of the marks, clockwise from the first."""
CELL = 1.5
"""A seventh of a mark: a square of 3 cells, in a ring of 7 that is one wide."""
FIRST = (30.0, 10.0, 2.5)
"""Middle and radius of the dot beside the first mark."""
FIELDS = tuple((x, 24.0 + 22 * row) for row, x in product(range(6), (6.0, 68.0)))
"""The corner of the field of each pen."""
PATCH = (8.0, 1.0, 16.0, 13.0)
"""Corner and size of the patch in a field."""
LINES, APART = 6, 3.0
"""Lines in a field, and their distance."""
FROM, TO = 30.0, 52.0
"""Where lines begin and end in a field."""
SLACK = 2.5
"""How far what is drawn may lie beside its place."""
FINE = 12
"""Pixels in a millimetre of the sheet as it is seen from above."""
LONG = 3600
"""Long side of the photo that is looked at."""
BARE = 0.06
"""A patch that is so near to the paper is no ink, in shares of its light."""


class Pen(NamedTuple):
    """A pen: the number of its field from 1, ``#rrggbb`` on white paper, and width in mm."""

    field: int
    colour: str
    width: float


def read_pens(file: str) -> list[Pen]:
    """Return the pens of a photo of the sheet. Raises InputError, UsageError."""
    size = min(LONG, open_image(file).original_size)
    return pens_of(open_image(file, TargetRequest(size=size)).image.astype(np.float64), file)


def pens_of(photo: Floats, name: str = "the photo") -> list[Pen]:
    """Return the pens of a sheet in a photo, sRGB-encoded [height, width, 3], in 0..1.

    Raises UsageError where the sheet is not found, or nothing is drawn in it.
    """
    light = srgb_to_linear(photo.astype(np.float32)).astype(np.float64)
    seen = Seen(light, located(light.mean(2), name))
    paper = paper_light(seen)
    found = []
    for number, corner in enumerate(FIELDS, 1):
        x, y, wide, high = np.add(PATCH, (*corner, 0, 0))
        box = x + SLACK, y + SLACK, wide - 2 * SLACK, high - 2 * SLACK
        patch = seen.part(*box, FINE) / paper.part(*box, FINE)
        ink = np.median(patch.reshape(-1, 3), axis=0).clip(0, 1)
        if np.abs(1 - ink).max() < BARE:
            continue
        left = corner[0] + (FROM + TO) / 2 - 6
        box = left, corner[1] - SLACK, 12, (LINES - 1) * APART + 2 * SLACK
        lines = seen.part(*box, FINE) / paper.part(*box, FINE)
        hidden = ((1 - lines) @ (1 - ink) / ((1 - ink) @ (1 - ink))).mean(1)
        count = _lines(hidden)
        if count != LINES:
            raise UsageError(
                f"{name}: field {number} has {count} lines, not {LINES}",
                hint="draw all lines of each pen, and take a sharp photo from above",
            )
        width = float(hidden.sum()) / FINE / LINES
        colour = hex_colour(linear_to_srgb(ink.astype(np.float32)))
        found.append(Pen(number, colour, round(width, 3)))
    if not found:
        raise UsageError(f"{name}: nothing is drawn in the fields", hint="fill the patches first")
    return found


def located(gray: Floats, name: str = "the photo") -> Floats:
    """Return the homography [3, 3] from mm of the block to pixels (x, y) of a photo.

    Raises UsageError where the marks or the dot are not found.
    """
    places = marks_in(gray)
    if len(places) != 4:
        raise UsageError(
            f"{name}: {len(places)} of the 4 marks of the sheet are seen",
            hint="take a sharp photo of the whole sheet of artgen make swatches, from above",
        )
    middle = places.mean(0)
    around = np.argsort(np.arctan2(*(places - middle).T[::-1]))
    best, darkest = None, 0.5
    for turn in range(4):
        way = homography(np.array(MARKS), places[np.roll(around, turn)])
        dot = _values(gray, way, np.array([FIRST[:2]]))[0]
        ring = np.array([[FIRST[0] + s * 5, FIRST[1] + t * 4.5] for s, t in ((1, 1), (1, -1))])
        shade = dot / max(float(_values(gray, way, ring).mean()), 1e-6)
        if shade < darkest:
            best, darkest = way, shade
    if best is None:
        raise UsageError(
            f"{name}: the dot beside the first mark is not seen",
            hint="give a photo that is not mirrored, of a sheet by artgen make swatches",
        )
    return best


def marks_in(gray: Floats) -> Floats:
    """Return the middles of marks: dark squares in dark rings, as (x, y) in pixels [N, 2]."""
    from scipy.ndimage import binary_fill_holes, find_objects, label, uniform_filter

    step = max(1, round(max(gray.shape) / 1800))
    high, wide = (side // step * step for side in gray.shape)
    small = gray[:high, :wide].reshape(high // step, step, wide // step, step).mean((1, 3))
    tone = np.sqrt(small.clip(0, None))
    around = uniform_filter(tone, max(tone.shape) // 4, mode="nearest")
    dark = tone < 0.72 * around
    areas, _ = label(dark, np.ones((3, 3)))
    sizes = np.bincount(areas.ravel())
    found: list[tuple[float, Floats]] = []
    for number, box in enumerate(find_objects(areas), 1):
        tall, broad = (each.stop - each.start for each in box)
        if min(tall, broad) < 12 or not 0.4 < tall / broad < 2.5 or tall * broad > dark.size / 16:
            continue
        ring = areas[box] == number
        filled = binary_fill_holes(ring)
        holes = filled & ~ring
        inner = areas[box] * (holes & dark[box])
        numbers = np.unique(inner[inner > 0])
        if len(numbers) != 1:
            continue
        # Of 49 cells a ring has 24, and the square 9.
        if not (0.35 < sizes[number] / filled.sum() < 0.65):
            continue
        square = inner > 0
        if not 0.08 < square.sum() / filled.sum() < 0.32:
            continue
        ys, xs = np.nonzero(filled)
        v, u = np.nonzero(square)
        if np.hypot(xs.mean() - u.mean(), ys.mean() - v.mean()) > 0.1 * max(tall, broad):
            continue
        weight = (around[box] - tone[box]).clip(0, None)[v, u]
        place = np.array([weight @ u, weight @ v]) / weight.sum() + (box[1].start, box[0].start)
        found.append((float(filled.sum()), (place + 0.5) * step - 0.5))
    # The four that are most alike in size; a sheet in perspective has marks of different ones.
    found.sort(key=lambda each: each[0])
    runs = [found[k : k + 4] for k in range(max(1, len(found) - 3))]
    alike = min(runs, key=lambda run: run[-1][0] / run[0][0] if run else 0)
    return np.array([place for _, place in alike]).reshape(-1, 2)


def homography(places: Floats, seen: Floats) -> Floats:
    """Return the map [3, 3] that takes four `places` [4, 2] to where they are `seen` [4, 2]."""
    rows = []
    for (x, y), (u, v) in zip(places, seen, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
    solved = np.linalg.lstsq(np.array(rows), seen.ravel(), rcond=None)[0]
    return np.append(solved, 1).reshape(3, 3)


def _values(plane: Floats, way: Floats, places: Floats) -> Floats:
    """Return what a plane of a photo shows at places in mm [N, 2]."""
    from scipy.ndimage import map_coordinates

    u, v, w = way @ np.concatenate([places, np.ones((len(places), 1))], 1).T
    return np.asarray(map_coordinates(plane, [v / w, u / w], order=1, mode="nearest"))


def _places(x: float, y: float, wide: float, high: float, fine: float) -> tuple[Floats, Floats]:
    """Return x and y in mm of a part of the sheet, `fine` pixels in a mm: [height, width] each."""
    v, u = (np.mgrid[: round(high * fine), : round(wide * fine)] + 0.5) / fine
    return u + x, v + y


class Seen(NamedTuple):
    """The light of a photo, [height, width, 3], and the homography from mm of the sheet."""

    light: Floats
    way: Floats

    def part(self, *box: float) -> Floats:
        """Return a part as it is seen from above: see `_places`."""
        u, v = _places(*box)
        places = np.stack([u.ravel(), v.ravel()], 1)
        planes = [_values(plane, self.way, places) for plane in np.moveaxis(self.light, 2, 0)]
        return np.stack(planes, 1).reshape(*u.shape, 3)


class Paper(NamedTuple):
    """The light that bare paper gives: a cubic surface in its logarithm, [10, 3]."""

    surface: Floats

    def part(self, *box: float) -> Floats:
        """Return that of a part: see `_places`."""
        return np.exp(_cubic(*_places(*box)) @ self.surface)


def paper_light(seen: Seen) -> Paper:
    """Fit the light of bare paper to squares of 2 mm.

    Those that are darker than the surface are not paper, and are left out of the next one.
    """
    wide, high = (round(side / 2) for side in BLOCK)
    fine = seen.part(0, 0, *BLOCK, 2.5)
    light = np.median(fine.reshape(high, 5, wide, 5, 3), axis=(1, 3))
    logarithm = np.log(light.clip(1e-4, None))
    terms = _cubic(*_places(0, 0, *BLOCK, 0.5))
    kept = np.ones(light.shape[:2], bool)
    for below in (0.0, 0.0, 0.02, 0.03, 0.03, 0.03):
        surface = np.linalg.lstsq(terms[kept], logarithm[kept], rcond=None)[0]
        kept = (logarithm - terms @ surface > -below).all(2)
    return Paper(surface)


def _cubic(x: Floats, y: Floats) -> Floats:
    """Return the terms of a cubic polynomial at places in mm: [..., 10]."""
    u, v = (2 * each / side - 1 for each, side in zip((x, y), BLOCK, strict=True))
    return np.stack([u**a * v**b for a in range(4) for b in range(4 - a)], -1)


def _lines(hidden: Floats) -> int:
    """Return how many lines a profile across them has."""
    dark = hidden > 0.35 * np.quantile(hidden, 0.97)
    return int(np.count_nonzero(np.diff(dark.astype(int), prepend=0) == 1))
