"""Make the picture of prints: pip install pypdfium2, then python docs/images/prints.py."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image

from artgen.cli import main as artgen

THINGS = (
    ["poster", "sample:koi", "--title", "KOI", "--text", "a pond in autumn"],
    ["calendar", "sample:cat", "--year", "2027", "--title", "Chelsea"],
    ["postcards", "sample:coffee", "--title", "Coffee, with love"],
)
HIGH, GAP = 460, 12
"""Height of a page and distance of two, in pixels."""


def main() -> None:
    """Write prints.jpg beside this file: all pages, with their marks."""
    import pypdfium2

    pages = []
    with tempfile.TemporaryDirectory() as folder:
        for kind, *rest in THINGS:
            assert artgen(["make", kind, *rest, "--out", folder, "--name", kind, "-q"]) == 0
            document = pypdfium2.PdfDocument(Path(folder, kind, f"{kind}.pdf"))
            for page in document:
                large = page.render(scale=1400 / max(page.get_size())).to_pil()
                size = round(large.width * HIGH / large.height), HIGH
                pages.append(large.resize(size, Image.Resampling.LANCZOS))
    wide = sum(page.width + GAP for page in pages) - GAP
    sheet, x = Image.new("RGB", (wide, HIGH), "#8c8a86"), 0
    for page in pages:
        sheet.paste(page, (x, 0))
        x += page.width + GAP
    sheet.save(Path(__file__).with_name("prints.jpg"), quality=84)


if __name__ == "__main__":
    main()
