"""Forms of film: the target beside, views, a wipe, centres, depths, flying parts, a zoom and more.

Each is a function of a `Shot`. It returns a function from the share of the time, 0 to 1, to a
frame, and prepares before that what all frames share.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from artgen import Drawing, Primitive
from artgen.animation import (
    Form,
    Shot,
    beside,
    contact_sheet,
    eased,
    embers,
    seen,
    seen_pictures,
)
from artgen.editing import named
from artgen.errors import UsageError
from artgen.family import Appearance, appearance, building_order, hide, move
from artgen.losses import Sight
from artgen_plugins import _panels

Pixels = NDArray[np.uint8]
Frames = Callable[[float], Pixels]

HOLD = 0.2
"""The share of the time in which a form that ends shows its end."""

MOST, LARGEST = 8.0, 8192
"""The largest magnification; the longest side of the drawing that is magnified, in pixels."""

LOOK = 256
"""Long side of the picture in which the place to magnify is looked for, in pixels."""

PAPER = {"slats": (_panels.slats, 1.2), "fold": (_panels.fold, 1.4)}
"""Views of folded paper by their names, and the room that it takes on its way."""

BENT, WALL = 0.7, 0.93
"""How far folded paper is on its way in the first frame, and how bright the wall behind it is."""

FLIGHT = 0.45
"""The share of the time before the hold that one part flies."""

FAINT = 0.4
"""How much is seen of a part before it flies."""

SHEET = 10
"""Rows and columns of a sheet of generations, at most."""

FILLED, GROWN = 0.7, 0.2
"""The shares of the time in which a sheet fills, and in which its last tile grows."""

TOGETHER = 4096
"""Dots that are drawn at a time: each takes tens of kilobytes."""

GO = 0.2
"""The share of the time of a view in which the drawing goes over to it, and again back."""


def _side_by_side(shot: Shot) -> Frames:
    return shot.remembered(beside(shot))


def _pair(shot: Shot) -> Pixels:
    return beside(shot)(shot.art.drawing)


def _sheet(shot: Shot) -> Pixels:
    """The drawing and all its views, each as large as a frame."""
    shown = seen_pictures(shot.art, shot.view.show)
    cells = [(picture, named(how)) for how, picture in shown]
    return contact_sheet(cells, longest=max(shown[0][1].shape))


def _views(shot: Shot) -> Frames:
    """Rest at the drawing, go over to a view, rest, come back, and go on to the next one."""
    size = Image.fromarray(shot.still).size

    def on_canvas(picture: Image.Image) -> Pixels:
        return np.asarray(ImageOps.pad(picture, size, color=(14, 14, 16)))

    drawing, primitive = shot.art.drawing, shot.art.primitive()
    _, *shown = seen_pictures(shot.art, shot.view.show)
    sights = [Sight.of(how, shot.art.registry) for how, _ in shown]
    ends = [on_canvas(Image.fromarray(pixels)) for _, pixels in shown]

    def frame(share: float) -> Pixels:
        number, place = divmod(share * len(shown), 1)
        index = int(number) % len(shown)
        way = float(eased((0.5 - abs(place - 0.5)) / GO - 0.6))
        sight, still, end = sights[index], shot.still, ends[index]
        if sight.pose.ways and 0 < way < 1:
            still = shot.view.show(sight.pose.drawing(drawing, primitive, way))
            end = on_canvas(Image.fromarray(seen(sight.see, still)))
        if 0 < way < 1 and sight.moves:
            return on_canvas(Image.fromarray(seen(partial(sight.between, share=way), still)))
        return np.rint(still + way * (end - still.astype(np.float32))).astype(np.uint8)

    return frame


def _wipe(shot: Shot) -> Frames:
    photo, still = shot.target, shot.still
    return lambda share: wiped(photo, still, share)


def wiped(photo: Pixels, still: Pixels, share: float) -> Pixels:
    """The photo, which a line wipes away to show the still, and back. Both rest for a moment."""
    width = still.shape[1]
    line = max(1, width // 400)
    place = round(width * min(1.0, max(0.0, 0.5 - 0.62 * math.cos(2 * math.pi * share))))
    pixels = np.concatenate([still[:, :place], photo[:, place:]], axis=1)
    if 0 < place < width:
        pixels[:, max(0, place - line) : place + line] = 255
    return pixels


def _centres(shot: Shot) -> Frames:
    primitive = shot.art.primitive()
    placement = shot.view.placement
    radius = max(1.2, min(placement.picture.width, placement.picture.height) / 240)

    def draw(drawing: Drawing) -> Pixels:
        pixels = shot.view.show(drawing)
        places = _looks(primitive, drawing).places
        shorter = min(placement.whole.width, placement.whole.height)
        corner = np.array([placement.whole.width / 2, placement.whole.height / 2])
        offset = np.array([placement.left, placement.top])
        return _dotted(pixels, places * shorter / 2 + corner - offset, radius)

    return shot.remembered(draw)


def _dotted(pixels: Pixels, places: NDArray[np.float64], radius: float) -> Pixels:
    """Dots at `places` [N, 2], x and y in pixels, white with a dark rim, over a dimmed picture."""
    height, width = pixels.shape[:2]
    reach = math.ceil(1.6 * radius + 1)
    steps = np.arange(-reach, reach + 1)
    covers = np.zeros((2, height * width))
    levels = (1.6 * radius, 16.0), (radius, 250.0)
    for start in range(0, len(places), TOGETHER):
        near = np.nan_to_num(places[start : start + TOGETHER]).clip(-1e6, 1e6)
        columns = np.floor(near[:, 0, None]).astype(np.int64) + steps
        rows = np.floor(near[:, 1, None]).astype(np.int64) + steps
        across = (columns + 0.5 - near[:, :1])[:, None, :]
        apart = np.hypot(across, (rows + 0.5 - near[:, 1:])[:, :, None])
        inside = ((rows >= 0) & (rows < height))[:, :, None]
        inside = inside & ((columns >= 0) & (columns < width))[:, None, :]
        index = (rows[:, :, None] * width + columns[:, None, :])[inside]
        for cover, (size, _) in zip(covers, levels, strict=True):
            np.maximum.at(cover, index, np.clip(size + 0.5 - apart, 0, 1)[inside])
    result = np.multiply(pixels.reshape(-1, 3), 0.7, dtype=np.float64)
    for cover, (_, level) in zip(covers, levels, strict=True):
        result += cover[:, None] * (level - result)
    dotted: Pixels = np.rint(result).astype(np.uint8)
    return dotted.reshape(pixels.shape)


def _depth(shot: Shot) -> Frames:
    # Its colours are none of a palette.
    shot = replace(shot, art=replace(shot.art, recipe=shot.art.recipe.with_output(edges="smooth")))
    primitive, drawing = shot.art.primitive(), shot.art.drawing
    ranks = np.sort(_looks(primitive, drawing).height)
    black = (0.03, 0.03, 0.04)

    def draw(drawing: Drawing) -> Pixels:
        tensors, own = dict(drawing.tensors), _looks(primitive, drawing).height
        share = np.searchsorted(ranks, own) / max(1, len(ranks) - 1)
        colours = embers(0.12 + 0.88 * share[None].clip(0, 1))[0].T / 255
        tensors["colour"] = torch.from_numpy(colours).to(tensors["colour"])
        return shot.view.show(replace(drawing, tensors=tensors, background=black))

    return shot.remembered(draw)


def _fly_in(shot: Shot) -> Frames:
    primitive, drawing = shot.art.primitive(), shot.art.drawing
    tensors = dict(drawing.tensors)
    places = _looks(primitive, drawing).places
    rng = np.random.default_rng(0)
    away = 1.2 * np.array(drawing.canvas.reach) * rng.uniform(-1, 1, places.shape)
    hidden = hide(primitive, tensors)
    start = np.empty(len(places))
    start[building_order(primitive, drawing).numpy()] = np.linspace(0, 1 - FLIGHT, len(places))

    def frame(share: float) -> Pixels:
        way = eased((share / (1 - HOLD) - start) / FLIGHT)
        if way.min(initial=1) == 1:
            return shot.still
        # On straight ways all would meet in the middle; like this, their spread stays the same.
        turn = math.pi / 2 * way[:, None]
        by = torch.from_numpy((np.cos(turn) * away - (1 - np.sin(turn)) * places).T).float()
        # Where colours add up, parts on the way would outshine those that have arrived.
        shown = torch.from_numpy(FAINT + (1 - FAINT) * way).float()
        now = {name: hidden[name].lerp(own, shown.to(own)) for name, own in tensors.items()}
        return shot.view.show(replace(drawing, tensors=move(primitive, now, by)))

    return frame


def _looks(primitive: Primitive, drawing: Drawing) -> Appearance:
    """The appearance of the parts. Raises UsageError where there are none."""
    try:
        return appearance(primitive, dict(drawing.tensors))
    except UsageError:
        raise UsageError(
            f"{drawing.primitive} has no parts that a film could show",
            hint="use --film zoom, wipe or side-by-side",
        ) from None


def _check_depth(primitive: Primitive, drawing: Drawing) -> None:
    if _looks(primitive, drawing).layers is None or "colour" not in drawing.tensors:
        raise UsageError(
            f"parts of this {drawing.primitive} drawing have no depth",
            hint="splats of blend depth or over have one, and shapes",
        )


def _check_move(primitive: Primitive, drawing: Drawing) -> None:
    still = torch.zeros(2, len(_looks(primitive, drawing).places))
    move(primitive, dict(drawing.tensors), still)


def _zoom(shot: Shot) -> Frames:
    height, width = shot.still.shape[:2]
    most = min(MOST, max(1.0, LARGEST / max(height, width)))
    large = Image.fromarray(shot.enlarged(most).show(shot.art.drawing))
    place = place_of_detail(shot.still, most)

    def frame(share: float) -> Pixels:
        shown = most ** (0.5 * math.cos(2 * math.pi * share) - 0.5)
        return np.asarray(magnified(large, (width, height), place, shown))

    return frame


def magnified(
    large: Image.Image,
    size: tuple[int, int],
    place: tuple[float, float],
    shown: float,
    resample: Image.Resampling = Image.Resampling.LANCZOS,
) -> Image.Image:
    """The part around a place, as shares of width and height, of which a share is `shown`."""
    (x, y), (wide, high) = place, large.size
    left, top = x * (1 - shown), y * (1 - shown)
    corners = left * wide, top * high, (left + shown) * wide, (top + shown) * high
    return large.resize(size, resample, corners, 3.0)


def place_of_detail(pixels: Pixels, zoom: float) -> tuple[float, float]:
    """The place to magnify: a point of much detail, as shares of width and height."""
    from scipy.ndimage import gaussian_filter, gaussian_gradient_magnitude

    picture = Image.fromarray(pixels).convert("L")
    picture.thumbnail((LOOK, LOOK))
    detail = gaussian_gradient_magnitude(np.asarray(picture, np.float32), 2.0)
    return place_of_most(gaussian_filter(detail, max(detail.shape) / zoom / 2))


def place_of_most(plane: NDArray[Any]) -> tuple[float, float]:
    """Where most is, less of it far from the middle: as shares of width and height."""
    height, width = plane.shape
    rows, columns = np.indices(plane.shape)
    middle = np.hypot((rows + 0.5) / height - 0.5, (columns + 0.5) / width - 0.5)
    row, column = np.unravel_index(int((plane * (1 - middle)).argmax()), plane.shape)
    return (float(column) + 0.5) / width, (float(row) + 0.5) / height


def _generations(shot: Shot) -> Frames:
    art, progress = shot.art, shot.progress()
    still = Image.fromarray(shot.still)
    side = max(1, min(SHEET, math.isqrt(art.film.keyframes if art.film else SHEET**2)))
    number = side * side
    # The last one is the result, which a film holds.
    ends = 1 - HOLD
    if art.has_film:
        film = art.require_film()
        ends = film.scenes[-1].times[-1] / film.duration
    small = shot.enlarged(1.1 / side)
    sheet = Image.new("RGB", still.size, (14, 14, 16))
    gap = max(1, min(still.size) // (32 * side))
    filled = 0

    def box(index: int) -> NDArray[np.float64]:
        """Left, top, right and bottom."""
        place = np.array([index % side, index // side])
        corners = np.stack([place, place + 1]) * np.array(still.size) // side
        return np.concatenate([corners[0], corners[1] - gap])

    def paste(picture: Image.Image, onto: Image.Image, corners: NDArray[np.float64]) -> None:
        left, top, right, bottom = map(round, corners)
        onto.paste(picture.resize((max(1, right - left), max(1, bottom - top))), (left, top))

    def frame(share: float) -> Pixels:
        nonlocal filled
        while filled < min(number, math.ceil(share / FILLED * number + 1e-9)):
            now = Image.fromarray(small.show(progress(ends * filled / max(1, number - 1))))
            # All tiles go on together, and one after the other stops.
            for later in range(filled, number):
                paste(now, sheet, box(later))
            filled += 1
        picture = sheet.copy()
        if share > FILLED:
            last, whole = box(number - 1), np.array([0, 0, *still.size])
            paste(still, picture, last + eased((share - FILLED) / GROWN) * (whole - last))
        return np.array(picture)

    return frame


def _sway(shot: Shot) -> Frames:
    """From the first view past the flat paper to the second, and back; of one view, to and fro."""
    hows = [each for table in shot.art.recipe.view or () for each in table.how.split(",")]
    ways = [
        (*PAPER[name], rest)
        for name, _, rest in (map(str.strip, each.partition("=")) for each in hows)
        if name in PAPER
    ]
    if not ways:
        raise UsageError("this drawing is not folded", hint="fit it with --view slats or fold")

    def frame(share: float) -> Pixels:
        turn = math.sin(2 * math.pi * share + math.asin(BENT))
        if not ways[1:]:
            turn = 0.5 - 0.5 * math.cos(2 * math.pi * share + math.acos(1 - 2 * BENT))
        panels, room, value = ways[turn < 0]
        bent = partial(panels, value=value, share=abs(turn), room=room, ground=WALL)
        return seen(bent, shot.still)

    return frame


SIDE_BY_SIDE = Form(_side_by_side, photo=True, progress=True, still=_pair, pairs=True)
VIEWS = Form(_views, loops=True, still=_sheet, views=frozenset())
WIPE = Form(_wipe, photo=True, loops=True, page=lambda shot: (shot.target, shot.still))
CENTRES = Form(_centres, progress=True, check=_looks)
DEPTH = Form(_depth, progress=True, check=_check_depth)
FLY_IN = Form(_fly_in, check=_check_move)
ZOOM = Form(_zoom, loops=True)
GENERATIONS = Form(_generations)
SWAY = Form(_sway, loops=True, still=True, views=frozenset(PAPER))
