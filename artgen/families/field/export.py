"""Fields on a page: a shader written from the layers, with the weights as textures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from artgen.compiler.field_layers import trace_field
from artgen.compiler.glsl_field_printer import FieldShader, Stored
from artgen.compiler.record import Untraceable
from artgen.compiler.templates import read_template
from artgen.families.field.contract import Field
from artgen.film.scenes import Scene
from artgen.output.page.pack import Packer
from artgen.output.page.scenes import refused, scenes_of
from artgen.values.drawing import Drawing


@scenes_of.register(Field)
def _scenes(
    drawn: Field, drawing: Drawing, scenes: Sequence[Scene], packer: Packer
) -> dict[str, object]:
    if drawn.group is not None:
        raise refused(drawing, "a page does not fold positions")
    shader, packed = None, []
    for scene in scenes:
        keys: list[list[Stored]] = []
        for key in range(scene.keyframes):
            tensors = {name: tensor[key] for name, tensor in scene.tensors.items()}
            try:
                layers = trace_field(drawn, tensors)
            except Untraceable as error:
                raise refused(drawing, f"it has no shader: {error}") from None
            made = FieldShader(layers)
            shader = shader or made
            if made.fragment != shader.fragment:
                raise refused(drawing, "its shader differs between the keyframes of its film")
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
        packed.append({"count": 1, "stored": stored})
    assert shader is not None
    return {
        "kind": "field",
        "texels": shader.texels,
        "shaders": {"whole": read_template("glsl/picture.vert.glsl"), "fragment": shader.fragment},
        "scenes": packed,
    }
