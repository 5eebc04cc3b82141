"""Draw inks by area, and separate pictures into inks.

The marks of an ink cover a share of each pixel. The colour of the pixel follows from these shares
as in the equations of Demichel and Neugebauer: inks are taken to overlap at random within a pixel.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.canvas import Canvas
from artgen.compiler import kernel_cache
from artgen.compiler.threads import share
from artgen.primitives import Ink
from artgen.raster._paint import BLACK, Colour, paint
from artgen.raster.spans import SAMPLE_ROWS, cut_rows, make_grid

Floats = NDArray[np.float64]

THROUGH, MOST_ROWS = 4, 64
"""Sample rows that cross the thinnest mark, and the most in a pixel."""
ROUNDS = 40
"""Rounds of coordinate descent of a separation."""


@paint.register(Ink)
def draw_inks(
    primitive: Ink,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    background: Colour = BLACK,
    **_: Any,
) -> Tensor:
    """Draw tensors over paper of the colour of the background: float32 [3, height, width]."""
    cover = coverage(primitive, tensors, canvas)
    return torch.from_numpy(mix(cover, primitive, np.array(background, np.float32)))


def coverage(primitive: Ink, tensors: Mapping[str, Tensor], canvas: Canvas) -> NDArray[np.float32]:
    """Return the share of each pixel that each ink covers: float32 [inks, height, width]."""
    marks = primitive.unpack(tensors)
    order = np.argsort(marks.ink, kind="stable")
    strokes = marks.strokes[order]
    picture = np.zeros((len(primitive.inks), canvas.height, canvas.width), np.float32)
    if len(strokes):
        quads = corners(strokes, primitive.cap)
        discs = np.ascontiguousarray(strokes[:, [0, 1, 4, 2, 3, 5]]).reshape(-1, 2, 3)
        if primitive.cap == "butt":
            discs[:, :, 2] = 0
        ends = np.concatenate(
            [quads[:, :, 1], discs[:, :, 1] - discs[:, :, 2], discs[:, :, 1] + discs[:, :, 2]], 1
        )
        heights = np.ascontiguousarray(np.stack([ends.min(1), ends.max(1)], 1))
        starts = np.searchsorted(marks.ink[order], np.arange(len(primitive.inks) + 1))
        thinnest = 2 * max(float(np.median(strokes[:, 4:].max(1))), 1e-9)
        rows = int(np.clip(np.ceil(THROUGH * canvas.pixel / thinnest), SAMPLE_ROWS, MOST_ROWS))
        arrays = (quads, discs, heights, starts, picture, make_grid(canvas, rows), rows)
        cover = _kernels().cover
        share(lambda rows: cover(*arrays, *rows), cut_rows(canvas.height))
    return picture


@functools.cache
def _kernels() -> ModuleType:
    text = kernel_cache.read_kernels("raster.ink_kernels")
    return kernel_cache.load(text, of="inks")


def corners(strokes: Floats, cap: str) -> Floats:
    """Return the four corners of the sides of strokes [N, 6]: float64 [N, 4, 2].

    The sides of a round stroke touch the circles at both ends.
    """
    begin, end, radii = strokes[:, :2], strokes[:, 2:4], strokes[:, 4:]
    along = end - begin
    length = np.hypot(along[:, 0], along[:, 1])
    along = along / np.maximum(length, 1e-12)[:, None]
    lean = np.zeros(len(strokes))
    if cap == "round":
        lean = ((radii[:, 0] - radii[:, 1]) / np.maximum(length, 1e-12)).clip(-1, 1)
    rise = np.sqrt(1 - lean * lean)[:, None]
    across = np.stack([-along[:, 1], along[:, 0]], 1) * rise
    lean = lean[:, None] * along
    first, second = radii[:, :1], radii[:, 1:]
    one, other = lean + across, lean - across
    sides = [begin + first * one, end + second * one, end + second * other, begin + first * other]
    found: Floats = np.ascontiguousarray(np.stack(sides, 1))
    return found


def mix(cover: Any, primitive: Ink, paper: Any) -> Any:
    """Return the colours [3, ...] of paper [3] that inks cover by shares [inks, ...]."""
    shape = (3, *(1,) * (cover.ndim - 1))
    picture = np.broadcast_to(paper.reshape(shape), (3, *cover.shape[1:])).astype(cover.dtype)
    for share_covered, ink in zip(cover, primitive.inks.astype(cover.dtype), strict=True):
        colour = ink.reshape(shape)
        printed = picture * colour if primitive.options.overprint else colour
        picture = picture + share_covered * (printed - picture)
    return picture


def separate(target: Tensor, primitive: Ink, paper: Colour) -> Floats:
    """Return the amounts of inks, float64 [inks, height, width] in 0 to 1, nearest to a target.

    `target` is [3, height, width]. The colour is linear in each amount alone, so coordinate descent
    on the squared error is exact in every coordinate.
    """
    goal, ground = target.detach().cpu().double().numpy(), np.array(paper, np.float64)
    amounts: Floats = np.zeros((len(primitive.inks), *goal.shape[1:]))
    for _ in range(ROUNDS if len(amounts) > 1 else 1):
        for k in range(len(amounts)):
            amounts[k] = 0
            without = mix(amounts, primitive, ground)
            amounts[k] = 1
            change = mix(amounts, primitive, ground) - without
            fit = ((goal - without) * change).sum(0) / np.maximum((change * change).sum(0), 1e-12)
            amounts[k] = fit.clip(0, 1)
    return amounts
