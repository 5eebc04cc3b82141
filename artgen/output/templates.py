"""HTML pages from the templates in the folders `page`: exported, live, of a gallery, of a sheet.

jinja2 escapes everything that comes from a recipe.
"""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from typing import Any

import jinja2

from artgen.output.svg.document import RECIPE_ID


def render_page(package: str, *, template: str = "page.html", **values: Any) -> str:
    """Fill in a `template` in `page/` of a package, which may include `base.css` of this folder.

    With a `script` or `style` among the values, `script_hash` and `style_hash` are those that a
    content security policy names; `recipe_id` is that of the element that holds the recipe.
    """
    parts = {"script", "style"} & values.keys()
    hashes = {f"{name}_hash": _policy_hash(values[name]) for name in parts}
    packages = dict.fromkeys((package, "artgen.output"))
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name, "page") for name in packages]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(template).render(hashes | values, recipe_id=RECIPE_ID)


def read_asset(package: str, name: str) -> str:
    """Read a file of the folder `page` of a package: a style sheet or a script."""
    return resources.files(package).joinpath("page", name).read_text(encoding="utf-8")


def _policy_hash(text: str) -> str:
    """Return the hash of a script or style as a content security policy writes it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
