"""Make `making.jpg`: the finished thing of nine kinds, side by side.

artgen make string sample:cat && artgen make cross-stitch sample:cat --columns 110
artgen make beads sample:cat && artgen make bricks sample:coffee --columns 64
artgen make paint sample:coffee && artgen make paper sample:cat
artgen make filament sample:astronaut && artgen make lithophane sample:cat
artgen make embroidery sample:cat
python docs/images/making.py
"""

from pathlib import Path

from PIL import Image, ImageOps

THINGS = (
    *("cat-string", "cat-cross-stitch", "cat-embroidery"),
    *("cat-beads", "coffee-bricks", "coffee-paint"),
    *("cat-paper", "astronaut-filament", "cat-lithophane"),
)
COLUMNS = 3
WIDE, HIGH, GAP = 480, 320, 12


def main() -> None:
    """Read the pictures in `artgen-out`, and write the sheet beside this file."""
    sheet = Image.new("RGB", (COLUMNS * (WIDE + GAP) - GAP, 3 * (HIGH + GAP) - GAP), "#ffffff")
    for number, thing in enumerate(THINGS):
        with Image.open(f"artgen-out/{thing}/picture.png") as picture:
            middle = (0.5, 0.3 if thing.startswith("astronaut") else 0.42)
            shown = ImageOps.fit(picture.convert("RGB"), (WIDE, HIGH), centering=middle)
            if thing.endswith("string"):
                shown = ImageOps.pad(
                    picture.convert("RGB"), (WIDE, HIGH), color=picture.getpixel((0, 0))
                )
        row, column = divmod(number, COLUMNS)
        sheet.paste(shown, (column * (WIDE + GAP), row * (HIGH + GAP)))
    sheet.save(Path(__file__).with_name("making.jpg"), quality=85)


if __name__ == "__main__":
    main()
