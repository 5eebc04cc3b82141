"""The sample rows of a canvas, along which parts with hard edges are drawn by exact area."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from artgen.compiler.threads import share
from artgen.values.canvas import Canvas

SAMPLE_ROWS = 8
"""Sample rows per pixel of a drawing."""

STRIP = 16
"""Rows of pixels per strip, where results depend on the strips."""

Grid: TypeAlias = tuple[float, float, float, float, float]
"""The height of the first sample row, from row to row, the left edge, the pixels per unit of the
canvas, and the width in pixels."""


def cut_rows(height: int) -> list[tuple[int, int]]:
    """Cut the rows of a picture into pieces that threads take in turn: (first, after the last)."""
    cuts = np.linspace(0, height, 4 * torch.get_num_threads() + 1).astype(int)
    return list(pairwise(cuts.tolist()))


def cut_strips(height: int, rows: int = STRIP) -> list[tuple[int, int]]:
    """Cut the rows of a picture into strips, for any number of threads: (first, after the last)."""
    return list(pairwise([*range(0, height, rows), height]))


def make_grid(canvas: Canvas, sample_rows: float) -> Grid:
    """The sample rows of a canvas, `sample_rows` per row of pixels, which may be less than one."""
    half_width, half_height = canvas.reach
    pitch = canvas.pixel / sample_rows
    return (pitch / 2 - half_height, pitch, -half_width, 1 / canvas.pixel, float(canvas.width))


def as_ground(background: ArrayLike) -> NDArray[np.float32]:
    """Return a colour or a picture as what parts are drawn over: [channels, height, width]."""
    ground = np.asarray(background, np.float32)
    return ground[:, None, None] if ground.ndim == 1 else ground


def draw_rows(
    kernel: Callable[..., object], parts: tuple[object, ...], background: ArrayLike, canvas: Canvas
) -> Tensor:
    """Draw parts over a colour or a picture: float32 [channels, height, width].

    ``kernel(*parts, picture, grid, sample_rows, first, last)`` draws the rows of pixels from
    `first` to before `last`. A fourth channel, over 0, is alpha: the kernel leaves colours that are
    multiplied by it, and the result has them not multiplied.
    """
    ground = as_ground(background)
    picture = np.empty((len(ground), canvas.height, canvas.width), np.float32)
    picture[:] = ground
    given = (*parts, picture, make_grid(canvas, SAMPLE_ROWS), SAMPLE_ROWS)
    share(lambda rows: kernel(*given, *rows), cut_rows(canvas.height))
    if len(picture) == 4:
        picture[:3] /= np.maximum(picture[3], 1e-6)
    return torch.from_numpy(picture)
