"""Canvas units: x right, y down, origin at the centre, the shorter side spans [-1, 1].

With m = min(width, height) the centre of pixel (row i, column j) is
x = (2j + 1 - width) / m and y = (2i + 1 - height) / m. Drawings use these units only, so they have
no resolution.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from artgen.base.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGE = 2**24
"""Pictures of more pixels are read, kept, drawn and written strip by strip."""


@dataclass(frozen=True)
class Canvas:
    """A pixel grid over canvas units; `width` and `height` are in pixels, at least 1.

    `span` is the number of pixels from -1 to 1: the shorter side, or for a window of a larger
    canvas the shorter side of that one. The origin is the centre in either case.
    """

    width: int
    height: int
    span: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise UsageError(
                f"a canvas must be at least 1x1 pixels, got {self.width}x{self.height}"
            )
        if not self.span:
            object.__setattr__(self, "span", min(self.width, self.height))

    @property
    def pixel(self) -> float:
        """The side of one pixel, in canvas units."""
        return 2.0 / self.span

    @property
    def reach(self) -> tuple[float, float]:
        """The half width and half height in canvas units; the smaller is 1 but for a window."""
        return self.width / self.span, self.height / self.span

    @property
    def area(self) -> float:
        """The area in canvas units squared."""
        half_width, half_height = self.reach
        return 4.0 * half_width * half_height

    def scaled(self, long_side: int) -> Canvas:
        """Return the canvas of the same aspect ratio with `long_side` pixels on the longer side."""
        sides = self.width, self.height
        return Canvas(*(max(1, round(side * long_side / max(sides))) for side in sides))

    def enlarged(self, factor: int) -> Canvas:
        """Return the same part of the plane on a grid that is `factor` times as fine."""
        return Canvas(self.width * factor, self.height * factor, self.span * factor)

    def window(
        self, left: int, top: int, width: int, height: int
    ) -> tuple[Canvas, tuple[float, float]]:
        """Return a canvas of some of the pixels, and its centre on this one in canvas units.

        `left` and `top` are the column and the row of its first pixel.
        """
        x = (2 * left + width - self.width) / self.span
        y = (2 * top + height - self.height) / self.span
        return Canvas(width, height, self.span), (x, y)

    def pixel_centres(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return x of every column, float32 [width], and y of every row, float32 [height]."""
        import numpy as np

        x = (2 * np.arange(self.width, dtype=np.float64) + 1 - self.width) / self.span
        y = (2 * np.arange(self.height, dtype=np.float64) + 1 - self.height) / self.span
        return x.astype(np.float32), y.astype(np.float32)
