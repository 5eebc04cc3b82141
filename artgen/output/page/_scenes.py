"""What a page knows of a drawing and of its film: how to draw it, and rows of numbers per scene.

A drawing that does not move is a scene with one key. A row holds the values of one number of all
parts, key after key.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from artgen.drawing import Drawing
from artgen.errors import UsageError
from artgen.film import Film, Scene
from artgen.output.page._pack import Packer
from artgen.output.page._paths import Path, path_of
from artgen.output.shapes import place_shapes
from artgen.primitives import Field, Partition, Primitive, Shape, Splat
from artgen.raster.contributions import contributions
from artgen.raster.emit_glsl import emit_glsl, read_glsl
from artgen.raster.emit_glsl_field import Stored, emit_glsl_field
from artgen.raster.layers import trace_field
from artgen.raster.tiles import find_extent
from artgen.raster.trace import Untraceable

__all__ = ["describe"]

_HINT = "use -o FILE.png, which draws everything"
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def describe(
    drawing: Drawing, primitive: Primitive, film: Film | None, packer: Packer
) -> dict[str, Any]:
    """How to draw it, for the page's script; its numbers go into `packer`.

    Raises UsageError where a page cannot draw it, InputError where the tensors are not those of
    `primitive`.
    """
    if drawing.subject is not None or isinstance(primitive, Partition):
        what = "partition" if drawing.subject is None else drawing.subject.kind
        raise _refused(drawing, f"a page draws splats, fields and shapes of pictures, no {what}")
    primitive.check_tensors(drawing)
    still = Scene((0.0,), {name: tensor[None] for name, tensor in drawing.tensors.items()})
    scenes = (still,) if film is None else film.scenes
    if isinstance(primitive, Splat):
        described = _splats(drawing, primitive, scenes, packer)
    elif isinstance(primitive, Field):
        described = _field(drawing, primitive, scenes, packer)
    elif isinstance(primitive, Shape):
        described = _shapes(drawing, primitive, scenes, packer)
    else:
        raise _refused(drawing, f"a page draws no {primitive.family}")
    for scene, told in zip(scenes, described["scenes"], strict=True):
        told["times"] = list(scene.times)
        told["lives"] = None if scene.lives is None else _row(packer, scene.lives)
        ground = scene.background
        told["background"] = None if ground is None else _row(packer, ground)
    return described


def _refused(drawing: Drawing, reason: str) -> UsageError:
    return UsageError(f"{drawing.primitive} cannot be shown as a page: {reason}", hint=_HINT)


def _row(packer: Packer, values: Tensor) -> int:
    return packer.add(values.numpy(), exact=True)


def _splats(
    drawing: Drawing, splat: Splat, scenes: Sequence[Scene], packer: Packer
) -> dict[str, Any]:
    cells = splat.options.visibility_size if splat.options.visibility == "buffer" else 0
    try:
        shaders = emit_glsl(splat)
    except Untraceable as error:
        raise _refused(drawing, f"its footprint has no shader: {error}") from None
    told = []
    for scene in scenes:
        lasting = _lasting(drawing, scene)
        count = splat.count_of(lasting)
        drawn = find_extent(splat, lasting.tensors, count).radius.isfinite()
        energy = contributions(lasting, splat).where(drawn, -1.0)
        order = torch.argsort(energy, descending=True, stable=True)

        def row(
            name: str,
            *index: int,
            exact: bool = False,
            scene: Scene = scene,
            order: Tensor = order,
        ) -> int:
            values = scene.tensors[name]
            for number in index:
                values = values[:, number]
            return packer.add(values[..., order].numpy(), exact=exact)

        told.append(
            {
                "count": count,
                "columns": [row(name, *index) for name, index in shaders.columns],
                "xy": [row("xy", axis, exact=True) for axis in (0, 1)],
                "z": row("z", exact=True) if splat.blend == "over" else None,
            }
        )
        if cells:
            visible = scene.tensors["visibility"][..., order].flatten(1, 2).transpose(1, 2)
            told[-1]["cells"] = packer.add(visible.numpy())
        if scene.lives is not None:
            told[-1]["order"] = packer.add(order.numpy(), exact=True)
    return {
        "kind": "splats",
        "blend": splat.blend,
        "far": splat.far,
        "cells": cells,
        "texels": -(-len(shaders.columns) // 4),
        "shaders": {
            "vertex": shaders.vertex,
            "fragment": shaders.fragment,
            "whole": read_glsl("picture.vert"),
            "picture": shaders.picture,
        },
        "scenes": told,
    }


def _lasting(drawing: Drawing, scene: Scene) -> Drawing:
    """Every part as it is at its last key."""
    tensors = {name: tensor[-1] for name, tensor in scene.tensors.items()}
    if scene.lives is not None:
        last = scene.lives[1]
        tensors = {
            name: tensor.gather(0, last.expand(1, *tensor.shape[1:]))[0]
            for name, tensor in scene.tensors.items()
        }
    return replace(drawing, tensors=tensors)


def _field(
    drawing: Drawing, drawn: Field, scenes: Sequence[Scene], packer: Packer
) -> dict[str, Any]:
    shader, told = None, []
    for scene in scenes:
        keys: list[tuple[Stored, ...]] = []
        for key in range(scene.keys):
            tensors = {name: tensor[key] for name, tensor in scene.tensors.items()}
            try:
                layers = trace_field(drawn, tensors)
            except Untraceable as error:
                raise _refused(drawing, f"it has no shader: {error}") from None
            made = emit_glsl_field(layers)
            shader = shader or made
            if made.fragment != shader.fragment:
                raise _refused(drawing, "its shader is another one at every key of its film")
            keys.append(made.stored)
        stored = [
            {
                "kind": each[0].kind,
                "first": each[0].first,
                "shape": list(each[0].values.shape),
                "row": packer.add(np.stack([key.values for key in each])),
            }
            for each in zip(*keys, strict=True)
        ]
        told.append({"count": 1, "stored": stored})
    assert shader is not None
    return {
        "kind": "field",
        "texels": shader.texels,
        "shaders": {"whole": read_glsl("picture.vert"), "fragment": shader.fragment},
        "scenes": told,
    }


def _shapes(
    drawing: Drawing, shape: Shape, scenes: Sequence[Scene], packer: Packer
) -> dict[str, Any]:
    forms: dict[str, int] = {}
    told = []
    for scene in scenes:
        keys = [_paths(drawing, shape, scene, key) for key in range(scene.keys)]
        lasts = None if scene.lives is None else scene.lives[1].tolist()
        templates, numbers = _numbers([paths for paths, *_ in keys], lasts)
        colour = np.stack([colours for _, colours, _ in keys])
        alpha = np.stack([alphas for _, _, alphas in keys])
        strokes = np.array([[path.stroke or 0.0 for path in paths] for paths, *_ in keys])
        area = _areas(shape, _lasting(drawing, scene)) * alpha.max(0, initial=0.0)
        rank = np.empty(len(area))
        rank[np.argsort(-area, kind="stable")] = np.arange(len(area))
        told.append(
            {
                "count": len(area),
                "forms": [forms.setdefault(form, len(forms)) for form in templates],
                # The flags of an arc are numbers, too.
                "numbers": packer.add(numbers, exact=True),
                "colour": [packer.add(colour[..., k]) for k in range(3)],
                "alpha": packer.add(alpha),
                "stroke": packer.add(strokes, exact=True),
                "rank": packer.add(rank, exact=True),
            }
        )
    return {"kind": "shapes", "forms": list(forms), "scenes": told}


Floats = NDArray[np.float64]


def _paths(
    drawing: Drawing, shape: Shape, scene: Scene, key: int
) -> tuple[list[Path], Floats, Floats]:
    """Path, colour [N, 3] and opacity [N] of every shape at one key."""
    tensors = {name: tensor[key] for name, tensor in scene.tensors.items()}
    placed = place_shapes(replace(drawing, tensors=tensors), shape, "a page")
    nothing = Path("M0 0")
    colour = tensors["colour"].double().clamp(0, 1).t().reshape(-1, 3).numpy()
    alpha = np.array([each.alpha for each in placed])
    return [path_of(each) or nothing for each in placed], colour, alpha


def _numbers(keys: list[list[Path]], lasts: list[int] | None) -> tuple[list[str], Floats]:
    """Path data with its numbers left out, and the numbers of all paths, [keys, numbers].

    `lasts` are the last keys of all parts. Where a path has another form than at its last key, it
    has the numbers of that one, for it is not there.
    """
    forms, columns = [], []
    for i, paths in enumerate(zip(*keys, strict=True)):
        final = paths[-1 if lasts is None else lasts[i]]
        form = _NUMBER.sub("#", final.data)
        forms.append(form)
        last = [float(number) for number in _NUMBER.findall(final.data)]
        columns.append(
            [
                [float(number) for number in _NUMBER.findall(path.data)]
                if _NUMBER.sub("#", path.data) == form
                else last
                for path in paths
            ]
        )
    if not columns:
        return [], np.empty((len(keys), 0))
    return forms, np.concatenate([np.array(each) for each in columns], axis=1)


def _areas(shape: Shape, drawing: Drawing) -> Floats:
    """The area of every shape, in canvas units, by the polygon it is."""
    areas = []
    for placed in place_shapes(drawing, shape, "a page"):
        x, y = placed.outline().reshape(-1, 2).T
        areas.append(abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2)
    return np.array(areas)
