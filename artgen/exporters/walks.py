"""Walks through the latent space of a codec, as frames and as a strip; places in it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch

from artgen.art import Art, ExportRequest
from artgen.display.sheets import resized
from artgen.film.scenes import frame_count
from artgen.output import Pixels

WALK_FPS = 30
SECONDS = 8.0
"""Length of what is no film, unless asked for."""

_STRIP = 10, 4
"""Columns and rows of the strip that shows a walk as a still."""


def walk_frames(art: Art, request: ExportRequest) -> tuple[Iterator[Pixels], float]:
    """Return the pictures along a walk, and their rate per second. Raises UsageError."""
    canvas, space = art.picture_canvas(request.size), art.latent_space()
    fps, seconds = request.fps or WALK_FPS, (request.seconds or SECONDS) / request.speed
    pictures = space.draw(*space.walk(request.walk or "", frame_count(fps * seconds)))
    return (resized(picture, canvas, smooth=True) for picture in pictures), fps


def imagined(art: Art, request: ExportRequest) -> Pixels:
    """Draw a place in latent space, or rows of pictures along a walk: uint8 [h, w, 3].

    Raises UsageError.
    """
    canvas, space = art.picture_canvas(request.size), art.latent_space()
    if request.walk is None:
        place = space.place(request.latent or "mean")
        picture = space.draw(place.latent[None], torch.tensor([place.label]))[0]
        return resized(picture, canvas, smooth=True)
    columns, rows = _STRIP
    pictures = space.draw(*space.walk(request.walk, columns * rows))
    cell = canvas.scaled(max(1, max(canvas.width, canvas.height) // 4))
    lines = np.split(np.stack([resized(picture, cell, smooth=True) for picture in pictures]), rows)
    return np.concatenate([np.concatenate(list(line), axis=1) for line in lines])
