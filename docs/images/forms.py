"""Make the picture of the forms of film: python docs/images/forms.py."""

from __future__ import annotations

from pathlib import Path

from make import mosaic
from PIL import Image

import artgen
from artgen.animation.forms import Shot, find_form
from artgen.registry import default
from artgen.runs import open_photo
from artgen.values.frame import Frame

FORMS = ("side-by-side", "wipe", "centres", "depth", "fly-in", "zoom", "generations")
"""The forms that are shown, from top to bottom: those that need nothing but a drawing."""

SIDE, SHARES = 240, (0.06, 0.25, 0.42, 0.55, 0.86)
"""The long side of a frame in pixels, and the moments that are shown, as shares of the time."""


def main() -> None:
    """Write forms.jpg beside this file: a row of moments for each form."""
    art = artgen.fit("sample:coffee", "triangle", count=150, size=192, seed=1)
    photo = open_photo(art.recipe, default(), Path(), SIDE, flag="--film")
    stills = []
    for name in FORMS:
        frame = find_form(name, default()).prepare(Shot(art, Frame(SIDE), 8.0, photo))
        stills += [Image.fromarray(frame(share)) for share in SHARES]
    mosaic(stills, len(SHARES), 1000).save(Path(__file__).parent / "forms.jpg", quality=82)


if __name__ == "__main__":
    main()
