"""Make `making.jpg`: the finished thing of four kinds, side by side.

artgen make string sample:cat && artgen make cross-stitch sample:cat --columns 110
artgen make beads sample:cat && artgen make bricks sample:coffee --columns 64
python docs/images/making.py
"""

from pathlib import Path

from PIL import Image, ImageOps

THINGS = ("cat-string", "cat-cross-stitch", "cat-beads", "coffee-bricks")
WIDE, HIGH, GAP = 690, 460, 12


def main() -> None:
    """Read the pictures in `artgen-out`, and write the sheet beside this file."""
    sheet = Image.new("RGB", (2 * WIDE + GAP, 2 * HIGH + GAP), "#ffffff")
    for number, thing in enumerate(THINGS):
        with Image.open(f"artgen-out/{thing}/picture.png") as picture:
            middle = (0.5, 0.42)
            shown = ImageOps.fit(picture.convert("RGB"), (WIDE, HIGH), centering=middle)
            if thing.endswith("string"):
                shown = ImageOps.pad(
                    picture.convert("RGB"), (WIDE, HIGH), color=picture.getpixel((0, 0))
                )
        row, column = divmod(number, 2)
        sheet.paste(shown, (column * (WIDE + GAP), row * (HIGH + GAP)))
    sheet.save(Path(__file__).with_name("making.jpg"), quality=85)


if __name__ == "__main__":
    main()
