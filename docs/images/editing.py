"""The picture of docs/editing.md: one drawing, and what edits make of it."""

from pathlib import Path

from PIL import Image

import artgen
from artgen.editing import split

SIDE, GAP = 330, 12


def main() -> None:
    """Fit, edit, and write the sheet."""
    art = artgen.fit("sample:astronaut", "triangle", count=150, size=200, seed=1)
    head = "0.45,0.22,0.2"
    arts = [
        art,
        artgen.edit(art, "recolour=#e0683c=#2f6fb5"),
        artgen.edit(art, "rotate=35"),
        artgen.edit(art, "delete@largest:40"),
        artgen.edit(art, f"scale=1.5@{head}", f"move=0.05,0.06@{head}"),
        max(split(art, 4).values(), key=lambda plate: len(plate.drawing.tensors["alpha"])),
    ]
    sheet = Image.new("RGB", (3 * SIDE + 2 * GAP, 2 * SIDE + GAP), "white")
    for number, each in enumerate(arts):
        place = (number % 3 * (SIDE + GAP), number // 3 * (SIDE + GAP))
        sheet.paste(Image.fromarray(each.render(SIDE)), place)
    sheet.save(Path(__file__).with_suffix(".jpg"), quality=82)


if __name__ == "__main__":
    main()
