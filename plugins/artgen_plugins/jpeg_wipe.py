"""The film `jpeg`: a drawing wipes away the JPEG that takes as many bytes as its `.art` file.

Then both are magnified at a place of much detail, so that one sees what the bytes are worth there.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from artgen.animation import Form, Shot, eased, encode_within
from artgen_plugins.films import Pixels, magnified, place_of_detail, wiped

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
    pair = Image.fromarray(jpeg.pixels), Image.fromarray(shot.enlarged(ZOOM).show(shot.art.drawing))
    place, edge = place_of_detail(shot.still, ZOOM), width // 50
    words = (
        ((width - edge, height - edge), f"JPEG  {jpeg.size:,} bytes", "rs"),
        ((edge, height - edge), f".art  {limit:,} bytes", "ls"),
    )
    font, rim = ImageFont.load_default(max(11, width // 40)), max(1, width // 500)

    def frame(share: float) -> Pixels:
        shown = ZOOM ** -float(eased(6 * (0.5 - abs(share - 0.5)) - 1))
        pictures = []
        for picture, (at, text, anchor) in zip(pair, words, strict=True):
            seen = magnified(picture, (width, height), place, shown, Image.Resampling.BICUBIC)
            ImageDraw.Draw(seen).text(
                at, text, "white", font, anchor, stroke_width=rim, stroke_fill="black"
            )
            pictures.append(np.asarray(seen))
        return wiped(pictures[0], pictures[1], 3 * share)

    return frame


JPEG = Form(_frames, photo=True, loops=True)
