"""Splats on a page: shaders written from the footprint, the most important splats first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from artgen.animation.film import Scene
from artgen.compiler.glsl_printer import emit_glsl, read_glsl
from artgen.compiler.record import Untraceable
from artgen.drawing import Drawing
from artgen.output.page._pack import Packer
from artgen.output.page._scenes import last_keys, refused, scenes_of
from artgen.primitives import Splat
from artgen.raster.importance import importance
from artgen.raster.tiles import find_extent

__all__: list[str] = []


@scenes_of.register(Splat)
def _splats(
    splat: Splat, drawing: Drawing, scenes: Sequence[Scene], packer: Packer
) -> dict[str, Any]:
    cells = splat.options.visibility_size if splat.options.visibility == "buffer" else 0
    try:
        shaders = emit_glsl(splat)
    except Untraceable as error:
        raise refused(drawing, f"its footprint has no shader: {error}") from None
    packed = []
    for scene in scenes:
        lasting = last_keys(drawing, scene)
        count = splat.count_of(lasting)
        drawn = find_extent(splat, lasting.tensors, count).radius.isfinite()
        energy = importance(lasting, splat).where(drawn, -1.0)
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

        packed.append(
            {
                "count": count,
                "columns": [row(name, *index) for name, index in shaders.columns],
                "xy": [row("xy", axis, exact=True) for axis in (0, 1)],
                "z": row("z", exact=True) if splat.blend == "over" else None,
            }
        )
        if cells:
            visible = scene.tensors["visibility"][..., order].flatten(1, 2).transpose(1, 2)
            packed[-1]["cells"] = packer.add(visible.numpy())
        if scene.lifespans is not None:
            packed[-1]["order"] = packer.add(order.numpy(), exact=True)
    return {
        "kind": "splats",
        "blend": splat.blend,
        "far": splat.far,
        "cells": cells,
        "texels": -(-len(shaders.columns) // 4),
        "table": packer.add_table(shaders.table) if len(shaders.table) else None,
        "shaders": {
            "vertex": shaders.vertex,
            "fragment": shaders.fragment,
            "whole": read_glsl("picture.vert"),
            "picture": shaders.picture,
        },
        "scenes": packed,
    }
