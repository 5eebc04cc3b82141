"""Two pictures in one: a drawing beside its target or another drawing, or under a slider."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from artgen.animation.forms import beside, seen_pictures
from artgen.art import Art, ExportRequest
from artgen.editing import named
from artgen.exporters.films import shot_of
from artgen.exporters.requests import refuse
from artgen.exporters.words import words_of
from artgen.output import contact_sheet, encode_jpeg
from artgen.values.frame import Frame

SHARP = 1600
"""Long side of the pictures of a page in pixels, unless asked for: it shows them in a window."""


def views_sheet(art: Art, request: ExportRequest, what: str) -> NDArray[np.uint8]:
    """A sheet of the drawing and all its views, each as large as the request says.

    Raises UsageError.
    """
    refuse(replace(request, film=None), what)
    shot = shot_of(art, request, Frame.of(request.size), photo=False)
    seen = seen_pictures(art, shot.view.show)
    return contact_sheet([(each, named(how)) for how, each in seen], longest=max(seen[0][1].shape))


def side_by_side(art: Art, request: ExportRequest, what: str) -> NDArray[np.uint8]:
    """The drawing to the right of the photo or to the left of another: uint8 [height, width, 3].

    Raises UsageError.
    """
    refuse(replace(request, film=None), what)
    return beside(shot_of(art, request, Frame.of(request.size), photo=True))(art.drawing)


def slider(art: Art, request: ExportRequest) -> bytes:
    """A page on which a slider uncovers the drawing over the photo, with the recipe.

    Raises UsageError.
    """
    from artgen.output.page import plain_json
    from artgen.output.templates import read_asset, render_page

    refuse(replace(request, film=None), "HTML")
    frame = Frame.of(request.size)
    shot = shot_of(art, request, replace(frame, size=frame.size or SHARP), photo=True)
    height, width = shot.still.shape[:2]
    shown = (shot.target, shot.still)
    style = f":root {{ --aspect: {width / height:.6g}; }}\n" + "".join(
        read_asset("artgen.output", name) for name in ("base.css", "slider.css")
    )
    return render_page(
        "artgen.output",
        template="slider.html",
        words=words_of(art),
        style=style,
        script=read_asset("artgen.output", "slider.js"),
        recipe=plain_json(art.recipe.to_dict()),
        pictures=[base64.b64encode(encode_jpeg(each, 92)).decode("ascii") for each in shown],
        height=height,
        width=width,
    ).encode()
