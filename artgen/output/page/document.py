"""The HTML document of a page: words, policy, style, script and numbers in the templates here.

Everything that comes from a recipe is escaped by jinja2, or is JSON without a `<`. The policy
allows the script and style of the page, by their hashes, and pictures that the page itself makes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from artgen.base.plain import canonical
from artgen.output.templates import read_asset, render_page

_SCRIPTS = {
    "splats": ("numbers", "moments", "stage", "splats", "view", "page"),
    "field": ("numbers", "moments", "stage", "field", "view", "page"),
    "shapes": ("numbers", "moments", "shapes", "view", "page"),
    "own": ("numbers", "moments", "stage", "own", "view", "page"),
}
"""The files that make up the script, by what it draws."""


@dataclass(frozen=True)
class PageWords:
    """Title, description, facts in small type, and alternative text of a page."""

    title: str
    text: str
    facts: Sequence[str]
    alt: str


def render_document(kind: str, words: PageWords, *, film: bool, own: str = "", **data: str) -> str:
    """Render the page of a `kind` of drawing around its data, by their names in the template.

    `own` is the script of a family, for the kind of that name.
    """
    # In a function, so that its names are free.
    painter = f"const Painter = (() => {{\n{own}\nreturn Painter;\n}})();\n"
    parts = [
        painter if name == "own" else read_asset("artgen.output", f"{name}.js")
        for name in _SCRIPTS[kind]
    ]
    script = '"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n"
    style = "".join(read_asset("artgen.output", name) for name in ("base.css", "page.css"))
    return render_page("artgen.output", words=words, film=film, script=script, style=style, **data)


def plain_json(data: object) -> str:
    """Encode canonical JSON that is safe inside an HTML element."""
    text = canonical(data, allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
