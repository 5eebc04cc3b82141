"""Make the sheets of docs/looks.md, a look on six pictures: python docs/images/looks.py [NAME …]"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

from artgen.cli import main
from artgen.registry import Registry

HERE = Path(__file__).parent / "looks"
PICTURES = ("astronaut", "cat", "camera", "coffee", "rocket", "lake")
"""A portrait, an animal, a man in a landscape, a still life, a launch at night and a drawn lake."""
HEIGHT, GAP = 220, 5


def sheet(name: str, folder: Path) -> Image.Image:
    """All pictures in a look with its defaults, of one height, in a row."""
    stills = []
    for picture in PICTURES:
        flags = ["--seed", "1", "--still-size", "800", "--no-video", "--quiet", "--overwrite"]
        target = ["fit", f"sample:{picture}", "--look", name]
        output = ["--out", str(folder), "--name", f"{name}-{picture}"]
        if main([*target, *flags, *output]):
            sys.exit(f"{name} failed")
        still = Image.open(folder / f"{name}-{picture}.png").convert("RGB")
        wide = round(HEIGHT * still.width / still.height)
        stills.append(still.resize((wide, HEIGHT), Image.Resampling.LANCZOS))
    row = Image.new("RGB", (sum(each.width + GAP for each in stills) - GAP, HEIGHT), "white")
    left = 0
    for still in stills:
        row.paste(still, (left, 0))
        left += still.width + GAP
    return row


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as where:
        looks = [entry.name for entry in Registry(environ={}).entries("look")]
        for look in sys.argv[1:] or looks:
            sheet(look, Path(where)).save(HERE / f"{look}.webp", quality=80, method=6)
