"""Sheets of pictures of a set: each original above its reconstruction by a codec."""

from __future__ import annotations

import numpy as np

from artgen.output.still import Pixels, to_pixels
from artgen.values.canvas import Canvas
from artgen.values.subject import ImageSet

SMOOTH_FROM = 40
"""The shorter side, in pixels, from which pictures are enlarged smoothly: fewer show as squares."""


class PairSheet:
    """Plotter of sheets of `subject` on `canvas`; `paper` is the colour between the pictures."""

    def __init__(
        self, canvas: Canvas, paper: tuple[float, float, float], subject: ImageSet
    ) -> None:
        self.subject = subject
        across, down = subject.extent
        self.scale = canvas.width / across, canvas.height / down
        colour = to_pixels(np.array(paper)[None, None])
        self.page = np.broadcast_to(colour, (canvas.height, canvas.width, 3)).copy()
        for number, picture in enumerate(subject.pictures[: subject.shown]):
            self._place(self.page, picture, number, 0)

    def draw(self, pictures: Pixels) -> Pixels:
        """Draw `pictures` [N, h, w, 1 or 3] below the originals; uint8 [height, width, 3]."""
        page = self.page.copy()
        for number, picture in enumerate(pictures):
            self._place(page, picture, number, 1)
        return page

    def _place(self, page: Pixels, picture: Pixels, number: int, below: int) -> None:
        """Paste a picture of a pair: the upper one with `below` = 0, else the lower."""
        row, column = divmod(number, self.subject.columns)
        (height, width), gap = picture.shape[:2], self.subject.gap
        left = gap + column * (width + gap)
        top = gap + row * (2 * height + gap / 3 + gap) + below * (height + gap / 3)
        x, right = (round(place * self.scale[0]) for place in (left, left + width))
        y, bottom = (round(place * self.scale[1]) for place in (top, top + height))
        if right > x and bottom > y:
            smooth = min(height, width) >= SMOOTH_FROM
            page[y:bottom, x:right] = resized(picture, Canvas(right - x, bottom - y), smooth=smooth)


def resized(picture: Pixels, canvas: Canvas, *, smooth: bool = False) -> Pixels:
    """Resize a picture [h, w, 1 or 3] to uint8 [height, width, 3].

    Enlarged, its pixels become squares or, with `smooth`, are interpolated. Reduced, they are
    averaged.
    """
    from PIL import Image

    way = Image.Resampling.NEAREST
    if canvas.width < picture.shape[1] or canvas.height < picture.shape[0]:
        way = Image.Resampling.BOX
    elif smooth:
        way = Image.Resampling.LANCZOS
    image = Image.fromarray(as_rgb(picture))
    return np.asarray(image.resize((canvas.width, canvas.height), way))


def as_rgb(picture: Pixels) -> Pixels:
    """Convert a grey picture [..., 1] or an RGB one [..., 3] to RGB."""
    return np.ascontiguousarray(np.broadcast_to(picture, (*picture.shape[:-1], 3)))
