"""Canvas units: x right, y down, origin at the centre, the shorter side spans [-1, 1].

With m = min(width, height) the centre of pixel (row i, column j) is
x = (2j + 1 - width) / m and y = (2i + 1 - height) / m. Drawings use these units only, so they have
no resolution.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from artgen.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Canvas:
    """A pixel grid over canvas units; `width` and `height` are in pixels, at least 1."""

    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise UsageError(
                f"a canvas must be at least 1x1 pixels, got {self.width}x{self.height}"
            )

    @property
    def pixel(self) -> float:
        """The side of one pixel, in canvas units."""
        return 2.0 / min(self.width, self.height)

    @property
    def reach(self) -> tuple[float, float]:
        """The half width and half height in canvas units; the smaller of the two is 1."""
        shorter = min(self.width, self.height)
        return self.width / shorter, self.height / shorter

    @property
    def area(self) -> float:
        """The area in canvas units squared."""
        half_width, half_height = self.reach
        return 4.0 * half_width * half_height

    def scaled(self, long_side: int) -> Canvas:
        """Return the canvas of the same aspect ratio with `long_side` pixels on the longer side."""
        longer = max(self.width, self.height)
        return Canvas(
            max(1, round(self.width * long_side / longer)),
            max(1, round(self.height * long_side / longer)),
        )

    def pixel_centres(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return x of every column, float32 [width], and y of every row, float32 [height]."""
        import numpy as np

        shorter = min(self.width, self.height)
        x = (2 * np.arange(self.width, dtype=np.float64) + 1 - self.width) / shorter
        y = (2 * np.arange(self.height, dtype=np.float64) + 1 - self.height) / shorter
        return x.astype(np.float32), y.astype(np.float32)
