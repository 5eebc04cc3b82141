"""Make the pictures of views and of poses: python docs/images/views.py."""

from __future__ import annotations

from pathlib import Path

from make import mosaic
from PIL import Image

from artgen.animation.forms import seen_pictures
from artgen.art import Art, load
from artgen.cli import main as artgen
from artgen.losses import Sight

HERE = Path(__file__).parent
PIECES = "shadow-on-the-pavement", "horse-in-red-glass"
POSES = {"thought-of-a-horse": (0.0, 40.0, 90.0), "storm-that-was-a-horse": (0.0, 0.6, 1.0)}
"""The poses that are shown of each of these pieces."""
SIDE = 480
"""The side of a picture in pixels."""


def fitted(slug: str) -> Art:
    """Return a piece of the gallery, fitted."""
    recipe = HERE.parents[1] / "gallery" / "recipes" / f"{slug}.toml"
    flags = ["--name", slug, "--no-video", "--overwrite", "--quiet"]
    assert artgen(["fit", "--recipe", str(recipe), *flags]) == 0
    return load(Path("artgen-out", f"{slug}.art"))


def main() -> None:
    """Write views.jpg and poses.jpg beside this file, three pictures of each piece."""
    shown = []
    for art in map(fitted, PIECES):
        seen = seen_pictures(art, art.view(SIDE).show)
        shown += [Image.fromarray(pixels) for _, pixels in seen]
    mosaic(shown, 3, 1000).save(HERE / "views.jpg", quality=82)
    shown = []
    for slug, poses in POSES.items():
        art = fitted(slug)
        show = art.view(SIDE).show
        drawings = [
            Sight.of(f"pose={pose}").pose.drawing(art.drawing, art.primitive()) for pose in poses
        ]
        shown += [Image.fromarray(show(drawing)) for drawing in drawings]
    mosaic(shown, 3, 1000).save(HERE / "poses.jpg", quality=82)


if __name__ == "__main__":
    main()
