"""Still water: what stands above the shore, upside down, drawn out and rippled."""

from __future__ import annotations

import numpy as np

from ._plate import Colours, Plate, over, sampled, smooth


def mirrored(
    plate: Plate,
    picture: Colours,
    shore: float,
    stream: int,
    *,
    tint: str,
    share: float,
    ripple: float,
) -> Colours:
    """`picture` with all below y = `shore` replaced by water that mirrors what is above.

    Waves shift the mirrored rows by `ripple` at the bottom edge, less towards the shore; `tint`
    is the water's own colour, laid over by `share`, more where one looks down on it.
    """
    below = plate.y > shore
    depth = np.maximum(plate.y - shore, 0)
    near = depth / (plate.bottom - shore)
    # Seen at a low angle, waves are long to the side and shrink to lines at the shore.
    distance = 1 / (depth + 0.06)
    wave = plate.noise(plate.x * distance * 0.55, 4.5 * distance, stream, 4, 0.6)
    lean = plate.noise(plate.x * 2, plate.y * 40, stream + 100, 2)
    away = shore - depth * 0.94 + ripple * (0.2 + 2.2 * near) * wave
    row, column = plate.place(plate.x + 0.3 * ripple * lean, away)
    top = int(plate.place(0, shore)[0])
    image = sampled(picture, np.clip(row, 0, top), column)
    glint = smooth(0.2, 1.3, -wave) * 0.12
    water = over(over(image, tint, share * (0.45 + 0.9 * near)), "#ffffff", glint * (1 - share))
    return np.where(below[..., None], water, picture)
