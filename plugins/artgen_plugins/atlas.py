"""The film `atlas`: pictures of a codec on one sheet, each of which becomes its neighbour.

``atlas=4x3:9`` shows nine flat colours alone, learned from the sheet, with sharp borders;
``atlas=4x3:9:navy`` lays them on another ground, as ``atlas=4x3::navy`` does with all colours, and
``atlas=4x3:black,white`` shows these. ``atlas=4x3,0`` leaves no gap: pictures meet.

Each is decoded from the latent of a test picture. Where all kinds just fill the rows, each is shown
once and in order, ``7x4`` from A to Z. On other sheets a row begins one place after the row above,
so that kinds, which take turns, lie on diagonals. From time to time a wave goes over the sheet, in
which each becomes the next one of its row; after a round all are what they were.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter, maximum_filter, minimum_filter

from artgen import Drawing, Primitive
from artgen.animation import Form, Shot, eased
from artgen.errors import UsageError
from artgen.targets import learn_palette, parse_colour, parse_palette

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Whole = NDArray[np.int64]
Colour = tuple[float, float, float]

GRID = 12, 12
"""Columns and rows, unless given."""

GAP, RIM = 0.06, 0.05
"""Between pictures unless given, and the edge in which one goes over into paper, as shares of a
width."""

WAIT, LATE = 0.2, 0.4
"""Of the time of a change: how long all rest, and how much later the last column begins."""

SQUARES = 40
"""Pictures with fewer pixels across are enlarged as squares."""

CALM, FINE, FINER = 1.2, 90.0, 2.0
"""How far borders of flat colours are smoothed, in pixels of a decoded picture; the number of
pixels from which they are smoothed more; how much larger they are drawn than they are shown."""

NEAR, SURE = 4, 1e-5
"""A place belongs to each flat colour by this power of its distance; the least such power."""

FAINT, SEEN = 0.03, 0.08
"""How far colours are from a ground that is given, where they begin to be seen, and where they are
seen in full: codecs leave traces of other pictures."""

SOFT, CRISP = (0.5, 1.1), 4.0
"""How far pictures in all colours are smoothed where they are enlarged, in pixels; how much of
what a second smoothing takes is added."""

FULL = 0.75
"""The light of gray pictures that is shown as the last of the tones: strokes stay whole."""


Given = tuple[int, int, float, int | tuple[str, ...] | None, Colour | None]


def parse_grid(text: str) -> Given:
    """Columns, rows, gap, colours and ground of a text such as ``12x10,0:9:navy``.

    Raises UsageError.
    """
    size, colours, ground, *more = [*(text or f"{GRID[0]}x{GRID[1]}").split(":"), "", ""]
    found = re.fullmatch(r"(\d\d?)x(\d\d?)(?:,(0|0?\.\d+))?", size)
    grid = (int(found[1]), int(found[2])) if found else (0, 0)
    if found is None or min(grid) < 1 or any(more):
        raise UsageError(
            f"{text!r} is no grid",
            hint="write atlas=12x10: up to 99 columns and rows; atlas=12x10,0 without gaps",
        )
    asked = parse_palette(colours) if colours else None
    return *grid, float(found[3] or GAP), asked, parse_colour(ground) if ground else None


@dataclass(frozen=True)
class Flat:
    """A few colours [K, 3] that pictures are shown in, and those that they are `found` by.

    They and the pictures may be `gray`.
    """

    found: Floats
    shown: Floats
    gray: bool

    @classmethod
    def of(cls, pictures: Floats, asked: int | tuple[str, ...], ground: Colour | None) -> Flat:
        """Colours that are asked for, or learned from pictures [N, h, w, 3]; first the ground.

        Those that are given show the tones of gray pictures, from black to white.
        """
        levels = np.rint(255 * np.concatenate(pictures)).astype(np.uint8)
        names = learn_palette(levels, asked) if isinstance(asked, int) else asked
        found = np.array([parse_colour(each) for each in names], np.float32)
        shown, gray = found.copy(), not np.ptp(pictures, 3).any()
        if not isinstance(asked, int) and gray:
            found = np.linspace(0, FULL, len(names), dtype=np.float32)[:, None].repeat(3, 1)
        if ground:
            shown[0] = ground
        return cls(found, shown, gray and not np.ptp(found, 1).any())

    def draw(self, pictures: Floats, times: int) -> Pixels:
        """Pictures [N, h, w, 3] in these colours, `times` as large: each place has the nearest."""
        wide = max(CALM, pictures.shape[2] / FINE)
        gray, tones = self.gray, torch.from_numpy(self.found[:, :1, None])
        down, across = (torch.from_numpy(_softly(n, times, wide)) for n in pictures.shape[1:3])
        drawn = []
        for picture in pictures:
            planes = torch.tensor(picture[..., :1]) if gray else self._nearest(picture, wide)
            large = down @ planes.permute(2, 0, 1) @ across.T
            best = (large - tones).abs().argmin(0) if gray else large.argmax(0)
            drawn.append(best.numpy())
        return np.take(levels_of(self.shown), np.stack(drawn), axis=0)

    def _nearest(self, picture: Floats, wide: float) -> torch.Tensor:
        """How much each place is of each colour, [h, w, K]; what is thin of a mixture goes.

        Where two colours meet, the shares of a pixel say where in it.
        """
        soft = torch.from_numpy(gaussian_filter(picture, (wide / 2, wide / 2, 0), mode="nearest"))
        apart = torch.cdist(soft, torch.from_numpy(self.found)[None])
        shares = 1 / (apart**NEAR + SURE)
        return shares / shares.sum(2, keepdim=True)

    def trim(self, pictures: Floats) -> tuple[slice, slice]:
        """Rows and columns of pictures [N, h, w, 3] outside of which all are ground."""
        seen = (self.draw(pictures, 1) != levels_of(self.shown[0])).any((0, 3))
        lines = [np.flatnonzero(seen.any(axis)) for axis in (1, 0)]
        ends = [
            (each[0], each[-1] + 1) if len(each) else (0, n)
            for each, n in zip(lines, seen.shape, strict=True)
        ]
        return slice(*ends[0]), slice(*ends[1])


def _softly(count: int, times: int, wide: float) -> Floats:
    """Weights [count·times, count] that enlarge a line of pixels and smooth it, by a Gaussian."""
    apart = (np.arange(count * times)[:, None] + 0.5) / times - (np.arange(count) + 0.5)
    weights = np.exp(-((apart / wide) ** 2) / 2)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def _crisp(pictures: Floats, times: int) -> Pixels:
    """Pictures [N, h, w, 3] in all colours, `times` as large.

    They are sharpened, but stay within the values around each place, so that nothing rings. A
    pixel beyond all eight around it is noise of a network.
    """
    size = pictures.shape[1:3]
    fine, soft = ([torch.from_numpy(_softly(n, times, wide)) for n in size] for wide in SOFT)

    def enlarged(picture: Floats, by: list[torch.Tensor]) -> torch.Tensor:
        return by[0] @ torch.tensor(picture).permute(2, 0, 1) @ by[1].T

    ends = minimum_filter, maximum_filter
    around = np.ones((3, 3, 1), bool)
    around[1, 1] = False
    drawn = []
    for picture in pictures:
        each = picture.clip(*(end(picture, footprint=around) for end in ends))
        low, high = (end(each, (3, 3, 1)) for end in ends)
        large = enlarged(each, fine)
        sharp = large + CRISP * (large - enlarged(each, soft))
        sharp = sharp.clamp(enlarged(low, fine), enlarged(high, fine))
        drawn.append(levels_of(sharp.permute(1, 2, 0).numpy()))
    return np.stack(drawn)


def levels_of(colours: Floats) -> Pixels:
    """Colours of 0 to 1 as 0 to 255."""
    return np.rint(255 * colours.clip(0, 1).astype(np.float64)).astype(np.uint8)


def _places(columns: int, rows: int, kinds: int) -> tuple[Whole, Whole, Whole]:
    """Row and column of each picture on a sheet, and how many its row has.

    The last row may have fewer where each kind is shown once.
    """
    once = columns <= kinds and (rows - 1) * columns < kinds
    row, column = np.divmod(
        np.arange(min(kinds, columns * rows) if once else columns * rows), columns
    )
    return row, column, np.bincount(row)[row]


def _prepare(shot: Shot) -> Callable[[float], Pixels]:
    drawing, space = shot.art.drawing, shot.art.latent_space()
    columns, rows, apart, asked, ground = shot.given
    # `_check` has seen that it is a codec, whose drawings are of sets.
    count = len(getattr(drawing.subject, "labels", ()))
    places = [space.place(f"picture:{number}") for number in range(count)]
    labels = torch.tensor([each.label for each in places])
    latents = torch.stack([each.latent for each in places])
    paper = np.array(ground or drawing.background, np.float32)
    kinds = len(np.unique(labels.numpy()))
    row, column, wide = _places(columns, rows, kinds)
    turned = column + row * (len(row) > kinds)

    def decoded(share: float) -> Floats:
        """The pictures at a share of a round, 0 to 1: float32 [N, h, w, 3]."""
        station, since = divmod(share * columns, 1)
        way = eased((since - WAIT - LATE * column / columns) / (1 - WAIT - LATE))
        here, there = (
            torch.from_numpy(row * columns + (turned + np.minimum(int(station) + by, wide)) % wide)
            % len(latents)
            for by in (0, 1)
        )
        now = latents[here].lerp(latents[there], torch.from_numpy(way).float()[:, None])
        found = space.draw(now, labels[here]) / np.float32(255)
        if way.any():
            # A decoder that knows the kind cannot be told of one between two.
            part = way.astype(np.float32)[:, None, None, None]
            found = found + part * (space.draw(now, labels[there]) / np.float32(255) - found)
        return np.broadcast_to(found, (*found.shape[:3], 3))

    first = decoded(0)
    draw: Callable[[Floats, int], Pixels] = _crisp
    finer = 1.0
    if min(first.shape[1:3]) < SQUARES:
        draw, finer = lambda pictures, _: levels_of(pictures), 0.0
    trimmed = slice(None), slice(None)
    if asked is not None:
        flat = Flat.of(first, asked, ground)
        paper, draw, finer = flat.shown[0], flat.draw, FINER
        if apart:
            trimmed = flat.trim(first)
    down, across = (range(n)[each] for n, each in zip(first.shape[1:3], trimmed, strict=True))
    last: list[tuple[int, Floats, Pixels]] = []

    def enlarged(pictures: Floats, times: int) -> Pixels:
        """The pictures, as they are shown; those that rest are taken from the frame before."""
        moved = np.ones(len(pictures), bool)
        if last and last[-1][0] == times:
            _, before, drawn = last[-1]
            moved = (pictures != before).any((1, 2, 3))
        if moved.all():
            drawn = draw(pictures, times)
        elif moved.any():
            drawn = drawn.copy()
            drawn[moved] = draw(pictures[moved], times)
        last[:] = [(times, pictures, drawn)]
        return drawn

    def frame(share: float) -> Pixels:
        pictures = decoded(share)
        if asked is None and (apart or ground):
            height, width = pictures.shape[1:3]
            edge = [np.minimum(np.arange(n) + 0.5, n - 0.5 - np.arange(n)) for n in (height, width)]
            # Without gaps pictures meet, and only what is like the ground goes over into it.
            inside = (np.minimum(edge[0][:, None], edge[1]) / (RIM * width)).clip(not apart, 1)
            inside = inside[..., None].astype(np.float32)
            if ground:
                away = np.abs(pictures - paper).max(3, keepdims=True)
                inside = inside * eased((away - FAINT) / (SEEN - FAINT))
            pictures = paper + inside * (pictures - paper)
        canvas = shot.frame.canvas(len(across) * columns, len(down) * rows)
        times = max(1, round(finer * canvas.width / columns / len(across)))
        drawn = enlarged(pictures, times)
        drawn = drawn[
            :,
            times * down.start : times * down.stop,
            times * across.start : times * across.stop,
        ]
        _, height, width, _ = drawn.shape
        gap = round(apart * width)
        # The border is as wide as three gaps.
        offset = 3 * gap + gap // 2
        centred = (2 * column + columns - wide) * (width + gap) // 2
        corners = zip(row * (height + gap) + offset, centred + offset, strict=True)
        size = rows * (height + gap) + 6 * gap, columns * (width + gap) + 6 * gap, 3
        sheet = np.full(size, levels_of(paper))
        for each, (y, x) in zip(drawn, corners, strict=True):
            sheet[y : y + height, x : x + width] = each
        picture = Image.fromarray(sheet)
        canvas = shot.frame.canvas(picture.width, picture.height)
        if min(height, width) < SQUARES:
            times = -(-canvas.width // picture.width)
            larger = picture.width * times, picture.height * times
            picture = picture.resize(larger, Image.Resampling.NEAREST)
        return np.asarray(picture.resize((canvas.width, canvas.height), Image.Resampling.LANCZOS))

    return frame


def _check(primitive: Primitive, drawing: Drawing) -> None:
    if primitive.family != "codec":
        raise UsageError(f"{drawing.primitive} has no latents", hint="fit a codec, such as -p pca")


ATLAS = Form(_prepare, loops=True, still=True, check=_check, takes=parse_grid)
