"""The studio as one HTML file: template, style, scripts, and compressed data.

The content security policy allows the page's own script and style, by their hashes, and pictures
that the page itself makes. It allows no connection, so nothing leaves the machine.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
from collections.abc import Sequence
from importlib import resources

from artgen.output import encode_jpeg, to_pixels
from artgen.output.page import PageWords, render_document
from artgen.output.templates import read_asset, render_page
from artgen.registry import Registry
from artgen.studio._kinds import describe_kind
from artgen.studio._styles import describe_styles
from artgen.targets import ImageTarget, Source, TargetRequest, open_source

SAMPLES = ("chelsea", "astronaut", "coffee", "rocket")
_SAMPLE_SIDE, _SAMPLE_QUALITY = 320, 72

_SCRIPTS = (
    *("philox", "start", "growth", "picture", "device", "fit", "show", "parts", "hand"),
    *("chart", "mask", "art", "save", "controls", "styles", "studio"),
)
"""The files that make up the script, in their order."""

_PAINTER = ("view", "moments", "stage", "splats")
"""Files of the HTML export that draw splats at any zoom."""


def build_studio(
    primitives: Sequence[str], registry: Registry, samples: Sequence[str] = SAMPLES
) -> bytes:
    """Write the studio's HTML file, with the splats `primitives` and sample pictures.

    Raises UsageError for a primitive that it cannot fit, PluginError.
    """
    described = [describe_kind(name, registry) for name in primitives]
    words = PageWords("@title@", "", ["@facts@"], "@alt@")
    names = ("piece", "recipe", "numbers", "poster")
    frame = render_document("splats", words, film=False, **{name: f"@{name}@" for name in names})
    kinds = {kind["name"]: kind for kind in described}
    styles = describe_styles(kinds, registry)
    data = {
        "kinds": kinds,
        "styles": styles,
        "samples": [_sample(name, registry) for name in samples],
        "frame": frame,
    }
    table: dict[str, int] = {}
    _shared(data, table)
    # The whole comes last.
    text = f"[{','.join(table)}]"
    script = f'"use strict";\n(() => {{\n{_painter()}\n{own_script()}}})();\n'
    style = read_asset("artgen.output", "base.css") + read_asset("artgen.studio", "page.css")
    film = resources.files("artgen.studio").joinpath("page", "film.webp").read_bytes()
    return render_page(
        "artgen.studio",
        script=script,
        style=style,
        ways=len(styles),
        film=base64.b64encode(film).decode("ascii"),
        data=base64.b64encode(_zipped(text.encode())).decode("ascii"),
    ).encode()


def own_script() -> str:
    """The scripts of the studio, as one."""
    return "\n".join(read_asset("artgen.studio", f"{name}.js") for name in _SCRIPTS)


def _painter() -> str:
    """The scripts of the HTML export as a function of what they find in the page otherwise."""
    parts = "\n".join(read_asset("artgen.output", f"{name}.js") for name in _PAINTER)
    return (
        "function openStage(piece, rowOf, canvas, change) {\n"
        f"{parts}\nreturn {{ Painter, view: new View(canvas, change) }};\n}}\n"
    )


_LONG = 40
"""Characters of JSON that are written once, however often they occur."""


def _shared(value: object, table: dict[str, int]) -> object:
    """Replace what is long by the number of its JSON in `table`: variants have most in common.

    A text of several lines becomes the list of their numbers. No option is called as the keys are.
    """
    if isinstance(value, str) and "\n" in value:
        lines = map(_json, value.split("\n"))
        value = {"lines#": [table.setdefault(line, len(table)) for line in lines]}
    elif isinstance(value, dict):
        value = {key: _shared(each, table) for key, each in value.items()}
    elif isinstance(value, list | tuple):
        value = [_shared(each, table) for each in value]
    text = _json(value)
    return {"same#": table.setdefault(text, len(table))} if len(text) > _LONG else value


_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def _zipped(data: bytes) -> bytes:
    """Compress without a time stamp, so that equal pages are equal bytes."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=9, mtime=0) as file:
        file.write(data)
    return stream.getvalue()


def _sample(name: str, registry: Registry) -> dict[str, str]:
    target = open_source(Source("sample", name), registry, TargetRequest(size=_SAMPLE_SIDE))
    assert isinstance(target, ImageTarget)
    jpeg = encode_jpeg(to_pixels(target.image), _SAMPLE_QUALITY, optimize=True)
    return {"name": f"sample:{name}", "data": base64.b64encode(jpeg).decode("ascii")}
