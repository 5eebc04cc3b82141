"""A small run and what it needs, for the tests that stop and resume one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from artgen.recipe import Recipe

__all__ = ["recipe", "save_photo"]


def save_photo(folder: Path) -> Path:
    """A picture of 24 × 16 pixels with a little of everything."""
    row, column = np.mgrid[0:16, 0:24]
    image = np.stack([column / 23, row / 15, (row + column) % 5 / 4], axis=2)
    path = folder / "photo.png"
    Image.fromarray((255 * image).astype(np.uint8)).save(path)
    return path


def recipe(source: Path, *stages: dict, **tables: dict) -> Recipe:
    """A small recipe: 8 splats and a video of 8 frames."""
    base = {
        "seed": 5,
        "target": {"source": str(source)},
        "primitive": {"name": "gaussian", "count": 8},
        "stage": list(stages),
        "output": {"fps": 8, "video_seconds": 1},
        "run": {"device": "cpu", "threads": 1},
    }
    return Recipe.from_dict(base).updated(tables)
