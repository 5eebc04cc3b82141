"""Make the small picture of each primitive in docs/primitives.md: python docs/images/parts.py"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

from artgen.cli import main

HERE = Path(__file__).parent / "parts"
PHOTOGRAPH, SET = "sample:cat --crop 1:1 --size 192", "sample:digits?n=600"
FITS = {
    "gaussian": "-n 80 --steps 300",
    "diagram": "-n 45 --steps 400",
    "fourier": "-n 60 --steps 200",
    "stroke": "-n 120 --steps 300",
    "stamp": "-n 200 --steps 150",
    "cloud": "-n 2500 --steps 300",
    "shard": "-n 90 --steps 250",
    "triangle": "-n 80",
    "rectangle": "-n 70",
    "square": "-n 120",
    "rotated_rectangle": "-n 60",
    "ellipse": "-n 80",
    "rotated_ellipse": "-n 60",
    "circle": "-n 120",
    "polygon": "-n 50",
    "blob": "-n 40",
    "glyph": "-n 90 --set text=ARTGEN",
    "bezier": "-n 100",
    "brush": "-n 120",
    "line": "-n 120",
    "voronoi": "-n 250 --set edge_width=0.008",
    "stipple": "-n 2500",
    "hatch": "-n 6000",
    "mosaic": "-n 1400 --palette 16 --background #8a7a66",
    "halftone": "-n 7000 --set preset=cmyk",
    "string": "-n 2500",
    "path": "-n 5000",
    "poem": "-n 9000 --set text=ARTGEN",
    "foils": "-n 3000 --view pose=1:sample:koi --view pose=-1:sample:dunes",
    "panes": "--set panes=70",
    "wash": "",
    "papercut": "",
    "charcoal": "",
    "tube": "-n 9000 --background #07050f",
    "draft": "--background #1a4f9c",
    "mesh": "-n 120",
    "mlp": "--steps 400",
    "siren": "--set preset=small --steps 60",
    "fourier_features": "--set preset=small --set sigma=4 --steps 500",
    "hashgrid": "--set preset=small --steps 40",
    "latents": "--set rate=0.4 --steps 400",
    "autoencoder": "-n 8 --set width=0.3 --steps 400",
    "conditional": "-n 4 --set width=0.3 --steps 400",
    "vae": "-n 4 --set network=dense --steps 600",
    "pca": "-n 8",
    "svd": "-n 2",
}
"""How each is fitted: few parts, so that they can be seen."""
OTHER = {"cloud": "sample:profile --crop 1:1 --size 192"}
"""What is shown instead of the photograph: dots of one gray need a dark thing on light."""
CODECS = ("autoencoder", "conditional", "vae", "pca", "svd")
DRAWN, SIDE = 960, 160
"""Sides in pixels: drawn large, and averaged."""


def make(name: str) -> None:
    """Write parts/NAME.webp beside this file."""
    target = SET if name in CODECS else OTHER.get(name, PHOTOGRAPH)
    with tempfile.TemporaryDirectory() as folder:
        line = f"fit {target} -p {name} {FITS[name]} --seed 1 --no-video -q --name it"
        line += f" --out {folder}"
        drawn = f"render {folder}/it.art -o {folder}/it.png --size {DRAWN} --overwrite -q"
        if main(line.split()) or main(drawn.split()):
            sys.exit(f"{name} failed")
        with Image.open(Path(folder, "it.png")) as still:
            side = min(still.size) // (2 if name in CODECS else 1)
            square = still.convert("RGB").crop((0, 0, side, side))
            square.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(
                HERE / f"{name}.webp", quality=80, method=6
            )


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for each in sys.argv[1:] or FITS:
        make(each)
