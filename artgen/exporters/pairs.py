"""Two pictures on a page, on which a slider uncovers the second one over the first."""

from __future__ import annotations

import base64
from dataclasses import replace

from artgen.animation.forms import Form, form_page
from artgen.art import Art, ExportRequest
from artgen.exporters.films import shot_of
from artgen.exporters.requests import refuse
from artgen.exporters.walks import WALK_FPS
from artgen.exporters.words import words_of
from artgen.output import encode_jpeg
from artgen.values.frame import Frame

SHARP = 1600
"""Long side of the pictures of a page in pixels, unless asked for: it shows them in a window."""


def slider(art: Art, request: ExportRequest, film: str, form: Form) -> bytes:
    """A page with a slider between the two pictures of a form, with the recipe.

    Raises UsageError.
    """
    from artgen.output.page import plain_json
    from artgen.output.templates import read_asset, render_page

    refuse(replace(request, film=None), "HTML", samples=True)
    frame = Frame.of(request.size)
    shot = shot_of(art, request, replace(frame, size=frame.size or SHARP), form)
    shown = form_page(film, shot, WALK_FPS)
    height, width = shown[1].shape[:2]
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
