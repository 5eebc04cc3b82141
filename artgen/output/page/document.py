"""The HTML document of a page: words, policy, style, script and numbers in the templates here.

Everything that comes from a recipe is escaped by jinja2, or is JSON without a `<`. The policy
allows the script and style of the page, by their hashes, and pictures that the page itself makes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from artgen.film.scenes import Film
from artgen.output.page.pack import Packer
from artgen.output.page.scenes import describe
from artgen.output.svg.document import RECIPE_ID
from artgen.output.templates import policy_hash, read_asset, render_page
from artgen.primitives import Primitive
from artgen.values.drawing import Drawing

_SCRIPTS = {
    "splats": ("numbers", "moments", "stage", "splats", "view", "page"),
    "field": ("numbers", "moments", "stage", "field", "view", "page"),
    "shapes": ("numbers", "moments", "shapes", "view", "page"),
}
"""The files that make up the script, by what it draws."""


@dataclass(frozen=True)
class PageWords:
    """Title, description, facts in small type, and alternative text of a page."""

    title: str
    text: str
    facts: Sequence[str]
    alt: str


def encode_page(
    drawing: Drawing,
    primitive: Primitive,
    recipe_json: str,
    words: PageWords,
    poster: bytes,
    *,
    film: Film | None = None,
    saved_side: int = 2048,
) -> bytes:
    """Encode the HTML file of a drawing, or of its `film`.

    `poster` is a JPEG for browsers that cannot draw it. `saved_side` is the long side of the PNG
    that the page saves, in pixels. Raises UsageError if a page cannot draw it, InputError if its
    tensors do not belong to `primitive`, PluginError if a shape has no SVG element.
    """
    packer = Packer()
    described = describe(drawing, primitive, film, packer)
    piece = {
        **described,
        "title": words.title,
        "width": drawing.width,
        "height": drawing.height,
        "background": list(drawing.background),
        "backgroundWeight": drawing.background_weight,
        "savedSide": saved_side,
        "duration": 0.0 if film is None else film.duration,
        "rows": packer.table,
    }
    return render_document(
        described["kind"],
        words,
        film=film is not None,
        piece=plain_json(piece),
        recipe=plain_json(json.loads(recipe_json)),
        numbers=packer.text(),
        poster=base64.b64encode(poster).decode("ascii"),
    ).encode()


def render_document(kind: str, words: PageWords, *, film: bool, **data: str) -> str:
    """Render the page of a `kind` of drawing around its data, by their names in the template."""
    parts = [read_asset("artgen.output", f"{name}.js") for name in _SCRIPTS[kind]]
    script = '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"
    style = "".join(read_asset("artgen.output", name) for name in ("base.css", "page.css"))
    return render_page(
        "artgen.output",
        words=words,
        film=film,
        script=script,
        script_hash=policy_hash(script),
        style=style,
        style_hash=policy_hash(style),
        recipe_id=RECIPE_ID,
        **data,
    )


def plain_json(data: Any) -> str:
    """Encode canonical JSON that is safe inside an HTML element."""
    text = json.dumps(
        data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
