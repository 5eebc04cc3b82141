"""Splats for pens, sprites for SVG, and splats on a page.

A splat has no outline, so the line is taken on which it has fallen to half of its peak: that is an
ellipse for a Gaussian, a petal for a Fourier series. Sprites are an image for each picture and a
use for each part. A page draws splats with shaders, the most important first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from artgen.base.errors import UsageError
from artgen.base.waiting import report
from artgen.base.xml import Element, SubElement
from artgen.compiler.footprints import OPAQUE
from artgen.compiler.glsl_printer import SplatShaders
from artgen.compiler.record import Untraceable
from artgen.families.splat.contract import Splat
from artgen.families.splat.importance import importance
from artgen.families.splat.repeat import drawn_parts
from artgen.families.splat.tiles import find_extent
from artgen.film.scenes import Scene
from artgen.output.page.pack import Packer
from artgen.output.page.scenes import last_keys, refused, scenes_of
from artgen.output.parts import decimals
from artgen.output.parts.pens import Floats, PenPart, pen_parts
from artgen.output.svg.picture import SpriteElements, are_sprites, sprite_elements
from artgen.primitives import Params
from artgen.primitives.texture import picture_text
from artgen.values.drawing import Drawing

GRID = 65
"""A splat is looked at this many times across its ellipse."""
AT_ONCE = 1 << 20
"""Footprints are evaluated at this many places at a time."""
SMOOTH = 0.1
"""How far a simplified outline may be off, in cells of that grid."""


@pen_parts.register(Splat)
def _outlines(splat: Splat, drawing: Drawing) -> list[PenPart]:
    """The outlines of splats, with those in front, or else the smaller ones, on top."""
    splat, drawing = drawn_parts(splat, drawing)
    tensors = {name: tensor.double() for name, tensor in drawing.tensors.items()}
    own = {name: tensor for name, tensor in tensors.items() if name not in splat.framework_params}
    parts: list[PenPart] = []
    step = max(1, AT_ONCE // GRID**2)
    for first in range(0, splat.count_of(drawing), step):
        piece = {name: tensor[..., first : first + step] for name, tensor in own.items()}
        parts += _outlined(splat, Params(piece), tensors["xy"][:, first : first + step].numpy())
        report("finding the outlines of splats", done=len(parts))
    if splat.has_depth:
        depth = tensors["z"].numpy()
    else:
        depth = np.array([part.area for part in parts])
    return [parts[i] for i in np.argsort(-depth, kind="stable") if parts[i].rings]


def _outlined(splat: Splat, p: Params, xy: Floats) -> list[PenPart]:
    """The outlines of some splats with centres `xy` [2, N], in order."""
    from skimage.measure import approximate_polygon, find_contours

    count = xy.shape[1]
    with torch.no_grad():
        axes = [torch.as_tensor(each).double().expand(count) for each in splat.ellipse(p)]
        first, second, angle = (each[None] for each in axes)
        steps = torch.linspace(-1, 1, GRID, dtype=torch.float64)
        v, u = torch.cartesian_prod(steps, steps)[:, :, None].unbind(1)
        cosine, sine = angle.cos(), angle.sin()
        # The rows of the matrix from the unit disc to an ellipse.
        frames = torch.cat([cosine * first, -sine * second, sine * first, cosine * second])
        dx, dy = (frames[k] * u + frames[k + 1] * v for k in (0, 2))
        weight = (splat.footprint(dx, dy, p) - splat.far).expand(len(u), count)
        # Outside of its ellipse a splat is `far`; so every outline is closed.
        weights = torch.where(u * u + v * v < 1, weight, 0.0).reshape(GRID, GRID, count).numpy()
        spines = splat.spine(p)
    parts = []
    for i in range(count):
        here, peak = weights[:, :, i], weights[:, :, i].max()
        rings = []
        if np.isfinite(peak) and peak > 0:
            for contour in find_contours(here, peak / 2):  # type: ignore[no-untyped-call]
                corners = approximate_polygon(contour, SMOOTH)[:-1]  # type: ignore[no-untyped-call]
                if len(corners) > 2:
                    down, right = (2 * corners / (GRID - 1) - 1).T
                    a, b, c, d = frames[:, i].tolist()
                    rings.append(np.stack([a * right + b * down, c * right + d * down], 1))
        spine = None if spines is None else spines[:, :, i].numpy() + xy[:, i]
        parts.append(PenPart(tuple(ring + xy[:, i] for ring in rings), spine))
    return parts


@are_sprites.register(Splat)
def _are_sprites(primitive: Splat) -> bool:
    """Where `Splat.sprites` is answered."""
    return type(primitive).sprites is not Splat.sprites


@sprite_elements.register(Splat)
def _sprites(primitive: Splat, drawing: Drawing) -> SpriteElements | None:
    """Write parts with `Splat.sprites` as pictures.

    A filter multiplies the colours of a picture by those of the part, and its alpha by the opacity.
    """
    if not _are_sprites(primitive):
        return None
    primitive.check_tensors(drawing)
    primitive, drawing = drawn_parts(primitive, drawing)
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
        uses.append(Element("use", attributes))
    return SpriteElements(definitions, uses)


def _image(number: int, picture: NDArray[np.float32]) -> Element:
    """A picture from -1 to 1 along both axes, as PNG."""
    size = {"x": "-1", "y": "-1", "width": "2", "height": "2"}
    return Element("image", {"id": f"s{number}", **size, "href": picture_text(picture)})


def _filter(name: str, factors: tuple[float, ...]) -> Element:
    """A filter that multiplies red, green, blue and alpha."""
    rows = [["0"] * 5 for _ in factors]
    for k, factor in enumerate(factors):
        rows[k][k] = f"{factor:g}"
    element = Element("filter", {"id": name, "color-interpolation-filters": "sRGB"})
    values = " ".join(" ".join(row) for row in rows)
    SubElement(element, "feColorMatrix", {"values": values})
    return element


@scenes_of.register(Splat)
def _scenes(
    splat: Splat, drawing: Drawing, scenes: Sequence[Scene], packer: Packer
) -> dict[str, Any]:
    cells = splat.options.visibility_size if splat.options.visibility == "buffer" else 0
    if splat.group is not None:
        raise refused(drawing, "a page does not repeat its parts")
    try:
        shaders = SplatShaders(splat)
    except Untraceable as error:
        raise refused(drawing, f"its footprint has no shader: {error}") from None

    def pack(scene: Scene) -> dict[str, object]:
        lasting = last_keys(drawing, scene)
        drawn = find_extent(splat, lasting.tensors).radius.isfinite()
        energy = importance(lasting, splat).where(drawn, -1.0)
        order = torch.argsort(energy, descending=True, stable=True)

        def row(name: str, *index: int, exact: bool = False) -> int:
            place: tuple[slice | int, ...] = (slice(None), *index)
            return packer.add(scene.tensors[name][place][..., order].numpy(), exact=exact)

        packed: dict[str, object] = {
            "count": splat.count_of(lasting),
            "columns": [row(name, *index) for name, index in shaders.columns],
            "xy": [row("xy", axis, exact=True) for axis in (0, 1)],
            "z": row("z", exact=True) if splat.blend == "over" else None,
        }
        if cells:
            visible = scene.tensors["visibility"][..., order].flatten(1, 2).transpose(1, 2)
            packed["cells"] = packer.add(visible.numpy())
        if scene.lifespans is not None:
            packed["order"] = packer.add(order.numpy(), exact=True)
        return packed

    packed = [pack(scene) for scene in scenes]
    return {
        "kind": "splats",
        "blend": splat.blend,
        "far": splat.far,
        "cells": cells,
        "texels": -(-len(shaders.columns) // 4),
        "table": packer.add_table(shaders.table) if len(shaders.table) else None,
        "shaders": shaders.texts,
        "scenes": packed,
    }
