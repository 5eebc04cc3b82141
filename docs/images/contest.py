"""Make the picture of the candidates for the default: python docs/images/contest.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from make import GAP
from PIL import Image

import artgen

PHOTOGRAPHS = (
    ("astronaut", "retina"),
    ("cat", "hubble_deep_field"),
    ("coffee", "cell"),
    ("camera", "moon"),
    ("rocket", "brick"),
    ("coins", "immunohistochemistry"),
)
"""The subjects, two in a row."""
CANDIDATES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("gaussian", {}),
    ("mesh", {"count": 500}),
    ("triangle", {"count": 200, "focus": "auto"}),
    ("blob", {"count": 150, "focus": "auto"}),
    ("rotated_ellipse+bezier", {"count": 250, "focus": "auto"}),
    ("stroke", {"count": 400, "blend": "over"}),
)
FITTED, SIDE, APART = 192, 192, 24
"""The side of a fit and of a picture, and the gap between two subjects, in pixels."""


def main() -> None:
    """Write candidates.jpg beside this file: each subject in the six ways."""
    pitch = SIDE + GAP
    subject = len(CANDIDATES) * pitch + APART - GAP
    sheet = Image.new("RGB", (2 * subject - APART, len(PHOTOGRAPHS) * pitch - GAP), "white")
    for row, names in enumerate(PHOTOGRAPHS):
        for half, name in enumerate(names):
            for column, (primitive, options) in enumerate(CANDIDATES):
                size = {"size": FITTED, "crop": "1:1", "seed": 0}
                art = artgen.fit(f"sample:{name}", primitive, **size, **options)
                place = (half * subject + column * pitch, row * pitch)
                sheet.paste(Image.fromarray(art.render(SIDE)), place)
    sheet.save(Path(__file__).parent / "candidates.jpg", quality=82)


if __name__ == "__main__":
    main()
