"""Make the tutorial's pictures by doing what it says: python docs/images/tutorial.py."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from pathlib import Path

import numpy as np
import torch
from make import FRAMES_PER_SECOND, preview
from PIL import Image

from artgen import Canvas, Drawing
from artgen.cli import main as artgen
from artgen.raster import draw
from artgen.registry import Registry

HERE = Path(__file__).parent
PAGE = HERE.parent / "tutorial.md"
BLOCK = re.compile(r"(?:^<!-- ([^\n]+) -->\n)?^```(python|bash)\n(.*?)^```$", re.M | re.S)
PART = 180
"""The side of the picture of a single part, in pixels."""
OF_A_PART = {
    "xy": [0.0, 0.0],
    "colour": [0.62, 0.75, 0.35],
    "size": [0.5, 0.25],
    "length": 0.75,
    "width": 0.3,
    "angle": -0.5,
}


def one_part(file: Path) -> Image.Image:
    """A single part of the primitive in `file` on black."""
    registry = Registry(files=[file])
    primitive = registry.load("primitive", "leaf")()
    tensors = {
        name: torch.tensor(OF_A_PART.get(name, 1.0))[..., None] for name in primitive.parameters()
    }
    drawing = Drawing("leaf", primitive.option_values(), tensors, PART, PART)
    pixels = draw(drawing, primitive, Canvas(PART, PART), supersample=2).clamp(0, 1)
    return Image.fromarray((255 * pixels.permute(1, 2, 0).numpy() + 0.5).astype(np.uint8))


def follow() -> list[Image.Image]:
    """Run the page in the current folder; pictures of a part of every version of its file.

    The leaf that is cut off is followed by one that is not, and has no vein yet.
    """
    parts = []
    for note, language, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if note.startswith("file: "):
            file = Path(note.removeprefix("file: "))
            file.write_text(text, encoding="utf-8")
            if "vein" in text:
                whole = Path("whole") / file
                whole.parent.mkdir()
                whole.write_text(text.replace("option(0.4", "option(0.0"), encoding="utf-8")
                parts.append(one_part(whole))
            parts.append(one_part(file))
        elif language == "bash" and not note.startswith("not run: "):
            for command in text.splitlines():
                artgen(shlex.split(command)[1:])
                if "plugins new leaf --file" in command:
                    parts.append(one_part(Path("leaf.py")))
    return parts


def picture(path: str, width: int) -> Image.Image:
    """A picture that the page made, `width` pixels wide."""
    image = Image.open(path).convert("RGB")
    return image.resize(
        (width, round(image.height * width / image.width)), Image.Resampling.LANCZOS
    )


def main() -> None:
    """Write the tutorial's pictures beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        parts = follow()
        sheet = Image.new("RGB", (PART * len(parts), PART))
        for number, part in enumerate(parts):
            sheet.paste(part, (PART * number, 0))
        sheet.save(HERE / "tutorial-parts.png", optimize=True)
        picture("artgen-out/ovals.png", 451).save(HERE / "tutorial-ovals.jpg", quality=85)
        picture("leaves.png", 720).save(HERE / "tutorial-leaves.jpg", quality=80)
        first, *others = preview(Path("artgen-out/chelsea-leaf.mp4"))
        first.save(
            HERE / "tutorial-leaves.webp",
            save_all=True,
            append_images=others,
            duration=round(1000 / FRAMES_PER_SECOND),
            loop=0,
            quality=60,
            method=6,
        )
        os.chdir(HERE)


if __name__ == "__main__":
    main()
