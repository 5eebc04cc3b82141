"""Draw in a few colours alone: each pixel has the colour that covers most of it.

A palette is drawn in codes in place of its colours: 0 or 1 for each of some planes. As a drawing is
linear in its colours, a plane then holds the share of a pixel that colours with a 1 cover. So
borders between two colours never look like a third one that lies between them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from artgen.ink import InkOptions
from artgen.output.still import Pixels, to_pixels
from artgen.primitives import EdgeOptions, Primitive, edge_style
from artgen.raster import draw
from artgen.targets import hex_colour, parse_colour
from artgen.values.canvas import Canvas
from artgen.values.drawing import Drawing

_FEW = 9
"""Colours that have a plane each."""


def draw_flat(
    drawing: Drawing,
    primitive: Primitive,
    canvas: Canvas,
    colours: Sequence[str],
    *,
    transparent: bool = False,
    **how: Any,
) -> Pixels:
    """Draw pixels of `colours`, ``#rrggbb``: uint8 [height, width, 3], 4 channels if `transparent`.

    The background and lines between parts keep colours of their own. Parts have the nearest colour,
    inks cover one another, and a pixel is transparent where more than half of it is; `how` is that
    of `draw`. Raises as `draw` does, and Diverged.
    """
    own = [] if transparent else [hex_colour(drawing.background)]
    if edge_style(primitive) is not None:
        own.append(hex_colour(parse_colour(primitive.options.edge_colour)))
    table = list(dict.fromkeys([*colours, *own]))
    codes, planes = _codes(len(table)), []
    for some in np.split(codes, codes.shape[1] // 3, axis=1):
        coded = _recoloured(drawing, primitive, table, some)
        picture = draw(*coded, canvas, transparent=transparent, **how)
        planes.append(to_pixels(picture.permute(1, 2, 0).numpy()))
    shares = np.concatenate([plane[:, :, :3] for plane in planes], 2).transpose(2, 0, 1)
    best = np.zeros(shares.shape[1:], np.uint16)
    index = np.zeros(shares.shape[1:], np.int16)
    for k, code in enumerate(codes):
        share = shares[code == 1].sum(0, dtype=np.uint16)
        index[share > best] = k
        best = np.maximum(best, share)
    pixels = np.array([list(bytes.fromhex(each[1:])) for each in table], np.uint8)[index]
    if not transparent:
        return pixels
    alpha = np.where(planes[0][:, :, 3:] > 127, np.uint8(255), np.uint8(0))
    return np.concatenate([pixels * (alpha == 255), alpha], axis=2)


def _codes(count: int) -> NDArray[np.int64]:
    """Return a code for each of `count` colours, 0 or 1: [count, planes], in threes.

    Many colours have three digits, of which two others share one at most: so in a mixture of two
    the larger share is nearest to its own code.
    """
    if count <= _FEW:
        return np.eye(count, 3 * math.ceil(count / 3), dtype=np.int64)
    base = math.isqrt(count - 1) + 1
    high, low = np.divmod(np.arange(count), base)
    digits = (high, low, (high + low) % base)
    return np.concatenate([np.eye(base, dtype=np.int64)[digit] for digit in digits], 1)


def _recoloured(
    drawing: Drawing, primitive: Primitive, table: Sequence[str], code: NDArray[np.int64]
) -> tuple[Drawing, Primitive]:
    """Return the drawing with `code` [K, 3] in place of the colours of the `table`."""
    levels = torch.tensor([parse_colour(each) for each in table])
    values = torch.from_numpy(code).float()

    def near(colours: torch.Tensor) -> torch.Tensor:
        """The codes [N, 3] of the colours [N, 3]."""
        return values[torch.cdist(colours.cpu(), levels).argmin(1)]

    tensors = dict(drawing.tensors)
    if "colour" in tensors:
        colour = tensors["colour"]
        rows = colour.reshape(len(colour) // 3, 3, colour.shape[1]).transpose(1, 2)
        shown = rows.mean(2, keepdim=True) >= primitive.clear / 2
        rows = torch.where(shown, near(rows.reshape(-1, 3)).reshape(rows.shape), rows)
        tensors["colour"] = rows.transpose(1, 2).reshape(colour.shape).contiguous()
    ground = near(torch.tensor([drawing.background]))[0].tolist()
    drawing = replace(drawing, tensors=tensors, background=tuple(ground))
    options: dict[str, Any] = {}

    def coded(names: str) -> Iterator[str]:
        for name in names.split(","):
            yield hex_colour(near(torch.tensor([parse_colour(name.strip())]))[0].tolist())

    if isinstance(primitive.options, EdgeOptions):
        options = {"edge_colour": next(coded(primitive.options.edge_colour))}
    if isinstance(primitive.options, InkOptions):
        options = {"inks": ",".join(coded(primitive.options.inks)), "overprint": False}
    if options:
        primitive = copy.copy(primitive)
        primitive.options = replace(primitive.options, **options)
        primitive.take_options()
    return drawing, primitive
