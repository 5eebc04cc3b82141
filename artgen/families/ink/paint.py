"""Draw inks by area.

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
from artgen.ink import mix
from artgen.raster.painting import BLACK, paint
from artgen.raster.strokes import cover_strokes
from artgen.targets import linear_to_srgb, srgb_to_linear
from artgen.values.canvas import Canvas
from artgen.values.drawing import Colour


@paint.register(Ink)
def draw_inks(
    primitive: Ink,
    tensors: Mapping[str, Tensor],
    canvas: Canvas,
    background: Colour = BLACK,
    **_: object,
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
