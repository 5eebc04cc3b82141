"""Icons for pages and desktops: `.ico` files, which hold a drawing in several sizes."""

from __future__ import annotations

import io

from PIL import Image

from artgen import Art
from artgen.art import ExportRequest

SIDES = (16, 24, 32, 48, 64, 128, 256)
"""The sides of the pictures, in pixels; a format of 1985 has no larger ones."""


def export_ico(art: Art, request: ExportRequest) -> bytes:
    """Export an icon: the drawing at every side, centred on a transparent square.

    Small pictures average 4 x 4 samples per pixel. Raises UsageError for what an icon cannot be.
    """
    request.allow("transparent", "supersample")
    icons = []
    for side in SIDES:
        samples = max(request.supersample, 4 if side <= 48 else 1)
        pixels = art.render(side, transparent=request.transparent, supersample=samples)
        picture, icon = Image.fromarray(pixels), Image.new("RGBA", (side, side))
        icon.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
        icons.append(icon)
    file = io.BytesIO()
    icons[-1].save(file, "ICO", sizes=[icon.size for icon in icons], append_images=icons[:-1])
    return file.getvalue()
