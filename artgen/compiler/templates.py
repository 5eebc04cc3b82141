"""Templates of kernels and shaders: files in the folder of their language, with `$names` in them.

A name alone on a line is replaced by lines, which are indented as it is.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path
from string import Template

_ALONE = re.compile(r"^( *)\$(\w+)$", re.MULTILINE)

_NOTHING = {"numba": "pass", "triton": "pass", "wgsl": "// nothing", "glsl": "// nothing"}
"""What stands for no lines, by language."""


@functools.cache
def read_template(name: str) -> str:
    """Return the text of ``language/file``, such as ``glsl/picture.vert.glsl``.

    That of a family is in its folder, such as ``families/shape/numba/head.txt``.
    """
    home = Path(__file__).parents[1 if name.startswith("families/") else 0]
    return home.joinpath(name).read_text(encoding="utf-8")


def fill(name: str, /, **values: str | Iterable[str]) -> str:
    """Return the template ``language/file`` with texts, and lines, in place of their names."""
    nothing = _NOTHING[Path(name).parent.name]

    def lines(match: re.Match[str]) -> str:
        indent, value = match[1], values[match[2]]
        text = value if isinstance(value, str) else "\n".join(value) or nothing
        return re.sub("^(?=.)", indent, text.rstrip("\n"), flags=re.MULTILINE)

    text = _ALONE.sub(lines, read_template(name))
    return Template(text).substitute({k: v for k, v in values.items() if isinstance(v, str)})
