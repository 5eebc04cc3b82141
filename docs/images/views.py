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
SHADOW = ["sample:brick", "--size", "448", "--crop", "4:5", "--view", "fine=0.006"]
SHADOW += ["--view", "blur=0.01:sample:profile?dark=#241a33&light=#ffcf8f"]
SHADOW += ["-n", "5000", "--steps", "400"]
HORSE = ["sample:horse?dark=#2a2a2a&light=#f6f6f6", "--background", "#f6f6f6", "--size", "256"]
HORSE += ["--view", "glass=cyan", "--view", "glass=red:sample:botanical?dark=#000000&light=#ffffff"]
HORSE += ["-p", "stamp", "--set", "stamp=leaf", "-n", "1100", "--steps", "220"]
FITS = {"shadow": SHADOW, "horse": HORSE}
"""Arguments of fits with views, by the names of their files."""
CLOUD = ["sample:horse?dark=#f6c56a&light=#0b1230&margin=0.06", "--background", "#0b1230"]
CLOUD += ["--size", "360", "--view", "plain"]
CLOUD += ["--view", "0.15*pose=90:sample:camera?dark=#f6c56a&light=#0b1230"]
CLOUD += ["-p", "cloud", "-n", "9000", "--set", "colour=#f6c56a", "--set", "size=0.0068"]
CLOUD += ["--steps", "110"]
PAPER = ["sample:heron", "--size", "256", "--view", "pose=1:sample:profile"]
PAPER += ["-p", "shard", "-n", "420", "--steps", "450"]
POSES = {"cloud": (CLOUD, (0.0, 40.0, 90.0)), "paper": (PAPER, (0.0, 0.6, 1.0))}
"""Arguments of fits, and the poses that are shown of each, by the names of their files."""
SIDE = 480
"""The side of a picture in pixels."""


def fitted(name: str, arguments: list[str]) -> Art:
    """Return what a fit with these arguments makes."""
    flags = ["--seed", "7", "--name", name, "--no-video", "--overwrite", "--quiet"]
    assert artgen(["fit", *arguments, *flags]) == 0
    return load(Path("artgen-out", f"{name}.art"))


def main() -> None:
    """Write views.jpg and poses.jpg beside this file, three pictures of each drawing."""
    shown = []
    for name, arguments in FITS.items():
        art = fitted(name, arguments)
        seen = seen_pictures(art, art.view(SIDE).show)
        shown += [Image.fromarray(pixels) for _, pixels in seen]
    mosaic(shown, 3, 1000).save(HERE / "views.jpg", quality=82)
    shown = []
    for name, (arguments, poses) in POSES.items():
        art = fitted(name, arguments)
        show = art.view(SIDE).show
        drawings = [
            Sight.of(f"pose={pose}").pose.drawing(art.drawing, art.primitive()) for pose in poses
        ]
        shown += [Image.fromarray(show(drawing)) for drawing in drawings]
    mosaic(shown, 3, 1000).save(HERE / "poses.jpg", quality=82)


if __name__ == "__main__":
    main()
