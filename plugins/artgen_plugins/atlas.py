"""The film `atlas`: pictures of a codec on one sheet, each of which becomes its neighbour.

Each is decoded from the latent of a test picture. A row begins one place after the row above, so
that kinds, which take turns, lie on diagonals. From time to time a wave goes over the sheet, in
which each becomes the next one of its row; after a round all are what they were.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from artgen import Drawing, Primitive
from artgen.animation import Form, Shot, eased
from artgen.errors import UsageError

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

GRID = 12, 12
"""Columns and rows, unless given."""

GAP, RIM = 0.06, 0.05
"""Between pictures, and the edge in which a picture goes over into paper, as shares of a width."""

WAIT, LATE = 0.2, 0.4
"""Of the time of a change: how long all rest, and how much later the last column begins."""

SQUARES = 40
"""Pictures with fewer pixels across are enlarged as squares."""


def parse_grid(text: str) -> tuple[int, int]:
    """Columns and rows of a text such as ``12x10``. Raises UsageError."""
    found = re.fullmatch(r"(\d\d?)x(\d\d?)", text or f"{GRID[0]}x{GRID[1]}")
    grid = (int(found[1]), int(found[2])) if found else (0, 0)
    if min(grid) < 1:
        raise UsageError(f"{text!r} is no grid", hint="write atlas=12x10: columns and rows")
    return grid


def _prepare(shot: Shot) -> Callable[[float], Pixels]:
    drawing, space = shot.art.drawing, shot.art.latent_space()
    columns, rows = shot.given
    row, column = (each.ravel() for each in np.indices((rows, columns)))
    # `_check` has seen that it is a codec, whose drawings are of sets.
    count = len(getattr(drawing.subject, "labels", ()))
    places = [space.place(f"picture:{number}") for number in range(count)]
    labels = torch.tensor([each.label for each in places])
    latents = torch.stack([each.latent for each in places])
    paper = np.array(drawing.background, np.float32)

    def decoded(share: float) -> Floats:
        """The pictures at a share of a round, 0 to 1: float32 [N, h, w, 3]."""
        station, since = divmod(share * columns, 1)
        way = eased((since - WAIT - LATE * column / columns) / (1 - WAIT - LATE))
        here, there = (
            torch.from_numpy(row * columns + (column + row + int(station) + by) % columns)
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

    def frame(share: float) -> Pixels:
        pictures = decoded(share)
        _, height, width, _ = pictures.shape
        gap = round(GAP * width)
        edge = [np.minimum(np.arange(n) + 0.5, n - 0.5 - np.arange(n)) for n in (height, width)]
        inside = (np.minimum(edge[0][:, None], edge[1]) / (RIM * width)).clip(0, 1)
        pictures = paper + inside[..., None].astype(np.float32) * (pictures - paper)
        # The border is as wide as three gaps.
        offset = 3 * gap + gap // 2
        corners = zip(row * (height + gap) + offset, column * (width + gap) + offset, strict=True)
        sheet = np.empty((rows * (height + gap) + 6 * gap, columns * (width + gap) + 6 * gap, 3))
        sheet[:] = paper
        for each, (down, across) in zip(pictures, corners, strict=True):
            sheet[down : down + height, across : across + width] = each
        picture = Image.fromarray(np.rint(255 * sheet.clip(0, 1)).astype(np.uint8))
        canvas = shot.frame.canvas(picture.width, picture.height)
        if min(height, width) < SQUARES:
            times = -(-canvas.width // picture.width)
            size = picture.width * times, picture.height * times
            picture = picture.resize(size, Image.Resampling.NEAREST)
        return np.asarray(picture.resize((canvas.width, canvas.height), Image.Resampling.LANCZOS))

    return frame


def _check(primitive: Primitive, drawing: Drawing) -> None:
    if primitive.family != "codec":
        raise UsageError(f"{drawing.primitive} has no latents", hint="fit a codec, such as -p pca")


ATLAS = Form(_prepare, loops=True, still=True, check=_check, takes=parse_grid)
