"""The film `jpeg`: a drawing wipes away the JPEG that takes as many bytes as its `.art` file.

Then both are magnified at a place of much detail, so that one sees what the bytes are worth there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from artgen.animation import Form, Shot, eased, encode_within
from artgen_plugins.films import place_of_detail

Pixels = NDArray[np.uint8]

ZOOM = 4.0
"""The largest magnification."""


def _frames(shot: Shot) -> Callable[[float], Pixels]:
    height, width = shot.still.shape[:2]
    canvas, limit = shot.art.drawing.canvas, len(shot.art.to_bytes())
    # The size at which it was fitted is that for which its bytes were spent.
    photo = Image.fromarray(shot.target).resize((canvas.width, canvas.height))
    # A drawing of a few parts takes less than any JPEG of its size.
    while (jpeg := encode_within(np.asarray(photo), "JPEG", limit)) is None:
        photo = photo.reduce(2)
    pair = Image.fromarray(shot.enlarged(ZOOM).show(shot.art.drawing)), Image.fromarray(jpeg.pixels)
    x, y = place_of_detail(shot.still, ZOOM)
    font = ImageFont.load_default(max(11, width // 40))
    words = f".art  {limit:,} bytes", f"JPEG  {jpeg.size:,} bytes"
    line = max(1, width // 400)

    def frame(share: float) -> Pixels:
        shown = ZOOM ** -float(eased(6 * (0.5 - abs(share - 0.5)) - 1))
        left, top = x * (1 - shown), y * (1 - shown)
        drawn, coded = (
            picture.resize(
                (width, height),
                Image.Resampling.BICUBIC,
                (
                    left * picture.width,
                    top * picture.height,
                    (left + shown) * picture.width,
                    (top + shown) * picture.height,
                ),
                3.0,
            )
            for picture in pair
        )
        # Both rest for a moment, each of the three times.
        place = round(width * min(1.0, max(0.0, 0.5 - 0.62 * math.cos(6 * math.pi * share))))
        coded.paste(drawn.crop((0, 0, place, height)), (0, 0))
        draw = ImageDraw.Draw(coded)
        if 0 < place < width:
            draw.rectangle((place - line, 0, place + line - 1, height), "white")
        edge = width // 50
        for text, at, anchor, seen in (
            (words[0], edge, "ls", place > width / 3),
            (words[1], width - edge, "rs", place < 2 * width / 3),
        ):
            if seen:
                draw.text(
                    (at, height - edge),
                    text,
                    "white",
                    font,
                    anchor,
                    stroke_width=max(1, width // 500),
                    stroke_fill="black",
                )
        return np.asarray(coded)

    return frame


JPEG = Form(_frames, photo=True, loops=True)
