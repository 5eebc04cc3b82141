"""Splats that repeat pictures as elements of an SVG file: an image each, and a use per part."""

from __future__ import annotations

import base64
import io
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import torch
from numpy.typing import NDArray

from artgen.drawing import Drawing
from artgen.errors import UsageError
from artgen.output.parts import decimals
from artgen.primitives import OPAQUE, Params, Primitive, Splat


class SpriteElements(NamedTuple):
    """The parts of a drawing of sprites for an SVG file, from the farthest to the nearest."""

    definitions: list[ElementTree.Element]
    uses: list[ElementTree.Element]


def sprite_elements(drawing: Drawing, primitive: Primitive) -> SpriteElements | None:
    """Write the parts as pictures; None for other primitives than splats with `Splat.sprites`.

    A filter multiplies the colours of a picture by those of the part, and its alpha by the opacity.
    Raises UsageError for blends that SVG does not have.
    """
    if not isinstance(primitive, Splat) or type(primitive).sprites is Splat.sprites:
        return None
    primitive.check_tensors(drawing)
    tensors = drawing.tensors
    with torch.no_grad():
        sprites = primitive.sprites(Params(tensors))
    if sprites is None:
        return None
    if primitive.blend != "over" or primitive.options.visibility == "buffer":
        raise UsageError(
            f"SVG can only lay the parts of {drawing.primitive} over one another",
            hint="use -o FILE.png, or fit with --set blend=over and visibility=full",
        )
    digits = decimals(drawing.canvas) + 1
    which = sprites.which.long().tolist()
    axes = sprites.axes.permute(2, 1, 0).reshape(-1, 4)
    matrices = torch.cat([axes, tensors["xy"].T], dim=1).double()
    tints = torch.cat([tensors["colour"], tensors["opacity"].clamp(0, OPAQUE)[None]])
    # The farthest comes first; of equals the later one, as nearer ones are drawn later.
    order = torch.argsort(tensors["z"], stable=True).flip(0).tolist()
    finite = torch.isfinite(matrices).all(dim=1) & torch.isfinite(tints).all(dim=0)
    drawn = [i for i in order if finite[i]]
    definitions = [_image(k, sprites.pictures[k]) for k in sorted({which[i] for i in drawn})]
    filters: dict[tuple[float, ...], str] = {}
    uses = []
    for i in drawn:
        tint = tuple(round(value, 4) for value in tints[:, i].tolist())
        if tint not in filters:
            filters[tint] = f"t{len(filters)}"
            definitions.append(_filter(filters[tint], tint))
        matrix = " ".join(f"{value:.{digits}f}" for value in matrices[i].tolist())
        attributes = {
            "href": f"#s{which[i]}",
            "transform": f"matrix({matrix})",
            "filter": f"url(#{filters[tint]})",
        }
        uses.append(ElementTree.Element("use", attributes))
    return SpriteElements(definitions, uses)


def _image(number: int, picture: NDArray[np.float32]) -> ElementTree.Element:
    """A picture from -1 to 1 along both axes, as PNG."""
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(np.rint(picture.clip(0, 1) * 255).astype(np.uint8)).save(data, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
    size = {"x": "-1", "y": "-1", "width": "2", "height": "2"}
    return ElementTree.Element("image", {"id": f"s{number}", **size, "href": uri})


def _filter(name: str, factors: tuple[float, ...]) -> ElementTree.Element:
    """A filter that multiplies red, green, blue and alpha."""
    rows = [["0"] * 5 for _ in factors]
    for k, factor in enumerate(factors):
        rows[k][k] = f"{factor:g}"
    element = ElementTree.Element("filter", {"id": name, "color-interpolation-filters": "sRGB"})
    values = " ".join(" ".join(row) for row in rows)
    ElementTree.SubElement(element, "feColorMatrix", {"values": values})
    return element
