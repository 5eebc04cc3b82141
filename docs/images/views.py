"""Make the picture of views: python docs/images/views.py."""

from __future__ import annotations

from pathlib import Path

from make import mosaic
from PIL import Image

from artgen.animation.forms import seen_pictures
from artgen.art import load
from artgen.cli import main as artgen

HERE = Path(__file__).parent
PIECES = "photographer-near-profile-far", "cat-in-red-glass"
SIDE = 480
"""The side of a picture in pixels."""


def main() -> None:
    """Write views.jpg beside this file: of each piece the drawing and its two views."""
    shown = []
    for slug in PIECES:
        recipe = HERE.parents[1] / "gallery" / "recipes" / f"{slug}.toml"
        flags = ["--name", slug, "--no-video", "--overwrite", "--quiet"]
        assert artgen(["fit", "--recipe", str(recipe), *flags]) == 0
        art = load(Path("artgen-out", f"{slug}.art"))
        shown += [Image.fromarray(pixels) for _, pixels in seen_pictures(art, art.render(SIDE))]
    mosaic(shown, 3, 1000).save(HERE / "views.jpg", quality=82)


if __name__ == "__main__":
    main()
