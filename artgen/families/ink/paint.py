"""Draw inks by area, and separate pictures into inks.

The marks of an ink cover a share of each pixel. The colour of the pixel follows from these shares
as in the equations of Demichel and Neugebauer: inks are taken to overlap at random within a pixel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.families.ink.contract import Ink
from artgen.raster.painting import BLACK, Colour, paint
from artgen.raster.strokes import cover_strokes
from artgen.targets import linear_to_srgb, srgb_to_linear
from artgen.values.canvas import Canvas

Floats = NDArray[np.float64]

LUMA = np.array([0.2126, 0.7152, 0.0722])
"""Shares of red, green and blue in the luma (ITU-R BT.709)."""
ROUNDS = 40
"""Rounds of coordinate descent of a separation."""
DIM = 0.02
"""The light below which the eye sees no smaller differences."""
MEDIAN, CHROMA = 0.55, 0.5
"""The median of what is made brilliant, and how much more chroma that has."""


@paint.register(Ink)
def draw_inks(
    primitive: Ink,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    background: Colour = BLACK,
    **_: Any,
) -> Tensor:
    """Draw tensors over paper of the colour of the background: float32 [3, height, width]."""
    cover = primitive.settled(coverage(primitive, tensors, canvas), canvas)
    return torch.from_numpy(printed(cover, primitive, np.array(background, np.float32)))


def printed(cover: Any, primitive: Ink, paper: Any) -> Any:
    """Return the picture [3, ...] of paper [3] that inks cover by shares [inks, ...], sRGB."""
    if not primitive.options.optical:
        return mix(cover, primitive.inks, paper, primitive.options.overprint)
    inks, ground = (srgb_to_linear(each.astype(np.float64)) for each in (primitive.inks, paper))
    light = mix(cover, inks, ground, primitive.options.overprint)
    # Powers of doubles, rounded, are the same on all processors.
    return linear_to_srgb(light.clip(0, 1).astype(np.float64)).astype(cover.dtype)


def coverage(primitive: Ink, tensors: Mapping[str, Tensor], canvas: Canvas) -> NDArray[np.float32]:
    """Return the share of each pixel that each ink covers: float32 [inks, height, width]."""
    marks = primitive.unpack(tensors)
    order = np.argsort(marks.ink, kind="stable")
    starts = np.searchsorted(marks.ink[order], np.arange(len(primitive.inks) + 1))
    return cover_strokes(marks.strokes[order], starts, primitive.cap, canvas)


def mix(cover: Any, inks: Any, paper: Any, overprint: bool) -> Any:
    """Return the colours [3, ...] of paper [3] that `inks` [inks, 3] cover by shares [inks, ...].

    All are either light or encoded.
    """
    shape = (3, *(1,) * (cover.ndim - 1))
    picture = np.broadcast_to(paper.reshape(shape), (3, *cover.shape[1:])).astype(cover.dtype)
    for share_covered, ink in zip(cover, inks.astype(cover.dtype), strict=True):
        colour = ink.reshape(shape)
        below = picture * colour if overprint else colour
        picture = picture + share_covered * (below - picture)
    return picture


def separate(target: Tensor, primitive: Ink, paper: Colour) -> Floats:
    """Return the amounts of inks, float64 [inks, height, width] in 0 to 1, nearest to a target.

    `target` is [3, height, width]. The colour is linear in each amount alone, so coordinate descent
    on the squared error is exact in every coordinate. With the separation `nearest` the ink that
    looks most alike has amount 1, all others 0. With `tone` the luma alone counts. Optical ones mix
    as light does; of one ink the luminance counts. The option `contrast` equalises histograms of
    tiles of the target before (CLAHE; Zuiderveld 1994), and `brilliant` makes it lighter and more
    vivid.
    """
    goal, ground = target.detach().cpu().double().numpy(), np.array(paper, np.float64)
    if primitive.options.contrast:
        from skimage.exposure import equalize_adapthist

        equal = np.moveaxis(equalize_adapthist(np.moveaxis(goal.clip(0, 1), 0, 2)), 2, 0)
        goal = goal + primitive.options.contrast * (equal - goal)
    if primitive.options.brilliant:
        goal = brightened(goal.clip(0, 1), primitive.options.brilliant)
    amounts: Floats = np.zeros((len(primitive.inks), *goal.shape[1:]))
    if primitive.separation == "tone":
        luma = np.tensordot(LUMA, goal.clip(0, 1), 1)
        for k, ink in enumerate(primitive.inks):
            amounts[k] = luma if LUMA @ ink > LUMA @ ground else 1 - luma
        return amounts
    if primitive.separation == "nearest":
        from scipy.spatial import KDTree
        from skimage.color import rgb2lab

        pixels = rgb2lab(np.moveaxis(goal.clip(0, 1), 0, 2))
        nearest = KDTree(rgb2lab(primitive.inks)).query(pixels)[1]
        np.put_along_axis(amounts, nearest[None], 1.0, axis=0)
        return amounts
    inks, overprint, weight = primitive.inks, primitive.options.overprint, np.ones((3, 1, 1))
    if primitive.options.optical:
        goal, inks, ground = (
            srgb_to_linear(each).astype(np.float64) for each in (goal.clip(0, 1), inks, ground)
        )
        # One ink shows how light the picture is, and several its colours, as differently as light
        # is encoded: in the dark the eye sees smaller differences.
        weight = LUMA.reshape(3, 1, 1) if len(inks) == 1 else 1 / (goal + DIM)
    for _ in range(ROUNDS if len(amounts) > 1 else 1):
        for k in range(len(amounts)):
            amounts[k] = 0
            without = mix(amounts, inks, ground, overprint)
            amounts[k] = 1
            change = mix(amounts, inks, ground, overprint) - without
            scale = np.maximum((weight * change * change).sum(0), 1e-12)
            fit = (weight * (goal - without) * change).sum(0) / scale
            amounts[k] = fit.clip(0, 1)
    return amounts


def brightened(picture: Floats, share: float) -> Floats:
    """Return a picture [3, height, width] in 0 to 1 with tones up to paper, and more chroma.

    The median goes towards a middle tone, but that of a night stays dark.
    """
    luma = np.tensordot(LUMA, picture, 1)
    low, median, high = np.percentile(luma, [1, 50, 98])
    top = min(1.0, 0.4 + 0.8 * high)
    tone = (luma - low) * (top - 0.5 * low) / max(high - low, 0.2) + 0.5 * low
    middle = np.interp(median, [low, high], [0.5 * low, top]) if high > low else median
    lift = np.log(MEDIAN) / np.log(np.clip(middle, 0.05, 0.95))
    tone = tone.clip(0, 1) ** np.clip(lift, np.interp(middle, [0.15, 0.3], [1.0, 0.65]), 1.0)
    tone = luma + share * (tone - luma)
    chroma = (picture - luma) * (1 + CHROMA * share) * (tone / luma.clip(0.05)).clip(1, 2)
    found: Floats = (tone + chroma).clip(0, 1)
    return found
