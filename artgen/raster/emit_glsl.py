"""A traced footprint as the GLSL source of its shaders, for WebGL 2 (OpenGL ES 3.00).

One rectangle is drawn per splat. What depends on the splat alone is computed at the rectangle's
corners (`prepare`), what depends on the pixel inside of it, and the blending of the graphics card
adds up: weights times features in a picture of floats, from which `picture` makes colours. For
`over` it lays splats over one another, the farthest one first.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import ClassVar

import numpy as np

from artgen.primitives import OPAQUE, Splat
from artgen.raster.plan import needed, uniforms_read
from artgen.raster.program import Component
from artgen.raster.trace import trace_drawing
from artgen.raster.writer import Writer, block

__all__ = ["SplatShaders", "emit_glsl", "literal", "read_glsl"]

HANDED_ON = 60
"""So many numbers a vertex shader can hand on, everywhere."""

_PICTURES = {
    "sum": "background + everywhere + share * sum.rgb",
    "mean": "background + everywhere + share * sum.rgb",
    "normalized": "(sum.rgb + background_weight * background) / (sum.a + background_weight)",
    "depth": "(sum.rgb + background_weight * background) / (sum.a + background_weight)",
    "over": "sum.rgb + (1.0 - sum.a) * background",
}
_FEATURES: dict[str, tuple[str, ...]] = {"depth": ("z",), "over": ("opacity",)}
"""What a blend needs beside the colour."""


@dataclass(frozen=True)
class SplatShaders:
    """The text of the shaders, and what they read.

    `columns` are the parameter components of a splat, four to a texel.
    """

    vertex: str
    fragment: str
    picture: str
    columns: tuple[Component, ...]


def emit_glsl(splat: Splat) -> SplatShaders:
    """Write the shaders of `splat`. Raises Untraceable."""
    program = trace_drawing(splat)
    uniforms = uniforms_read(program, [*needed(program, [program.weight], True), program.weight])
    prepared = needed(program, [*uniforms, *program.ellipse], per_pixel=False)
    features: list[Component] = [("colour", (k,)) for k in range(3)]
    features += [(name, ()) for name in _FEATURES.get(splat.blend, ())]
    read = {
        *program.ellipse,
        *uniforms,
        *(a for n in prepared for a in program.values[n].arguments),
    }
    own = [column for column, number in program.inputs.items() if number in read]
    columns = tuple(dict.fromkeys([*features, *own]))

    each = GlslWriter(program, {program.inputs[c]: _place(columns.index(c)) for c in own})
    splat_values = {
        **dict(zip(_FEATURE_NAMES, _features(splat.blend, columns), strict=True)),
        **{f"v{number}": each.number(number) for number in uniforms},
    }
    frame = {"place_x": "place.x", "place_y": "place.y"}
    frame |= {"e0": "c * along", "e1": "s * along", "e2": "-s * across", "e3": "c * across"}
    fetch = [f"vec4 d{t} = fetch(which, {t});" for t in range(-(-len(columns) // 4))]
    prepare = each.assignments(prepared)
    if len(frame) + len(splat_values) <= HANDED_ON:
        pixel = GlslWriter(program)
        handed, again = {**frame, **splat_values}, []
    else:
        # Then every pixel computes them anew.
        pixel, handed = each, frame
        again = [*fetch, *prepare]
        again += [f"float {name} = {splat_values[name]};" for name in _FEATURE_NAMES]
    known = {} if again else {f"v{number}": number for number in uniforms}
    places = {name: f"q{k // 4}.{'xyzw'[k % 4]}" for k, name in enumerate(handed)}
    packs = range(-(-len(handed) // 4))
    load = [
        pixel.loaded(known[name], place) if name in known else f"float {name} = {place};"
        for name, place in places.items()
    ]
    forward = pixel.assignments(needed(program, [program.weight], per_pixel=True))
    weight = pixel.number(program.weight)
    lines = {
        "math": read_glsl("math"),
        "fetcher": Template(read_glsl("fetch")).substitute(texels=len(fetch)),
        "fetch": block(2, fetch),
        "prepare": block(2, prepare or ["// nothing"]),
        **dict(zip(("along", "across", "angle"), map(each.number, program.ellipse), strict=True)),
        "outputs": block(0, (f"flat out vec4 q{k};" for k in packs)),
        "inputs": block(0, (f"flat in vec4 q{k};" for k in packs)),
        "store": block(2, (f"{place} = {handed[name]};" for name, place in places.items())),
        "load": block(2, [*load, *again]),
        "forward": block(2, forward or ["// nothing"]),
        "weight": f"{weight} - {pixel.constant(splat.far)}" if splat.far else weight,
        **_visibility(splat),
        "blend": _BLEND_OVER if splat.blend == "over" else _BLEND_SUM,
        "picture": _PICTURES[splat.blend],
    }
    return SplatShaders(
        Template(read_glsl("splats.vert")).substitute(lines),
        Template(read_glsl("splats.frag")).substitute(lines),
        Template(read_glsl("picture.frag")).substitute(lines),
        columns,
    )


_FEATURE_NAMES = ("f0", "f1", "f2", "f3")
_BLEND_SUM = "colour = w * vec4(f0, f1, f2, f3);"
_BLEND_OVER = f"""float alpha = clamp(f3 * w, 0.0, {OPAQUE!r});
  colour = alpha * vec4(f0, f1, f2, 1.0);"""


def _features(blend: str, columns: Sequence[Component]) -> list[str]:
    """What the weight is multiplied by: three colours, and the weight itself or the opacity."""
    colours = [_place(columns.index(("colour", (k,)))) for k in range(3)]
    if blend in ("sum", "mean"):
        return [*colours, "0.0"]
    if blend == "over":
        return [*colours, _place(columns.index(("opacity", ())))]
    near = f"exp_of(-{_place(columns.index(('z', ())))})" if blend == "depth" else "1.0"
    return [*(f"{near} * {colour}" for colour in colours), near]


def _visibility(splat: Splat) -> dict[str, str]:
    """The filter of visibility=buffer, or nothing."""
    if splat.options.visibility != "buffer":
        return {"visibility": "", "seen": "// all of it is visible"}
    size = splat.options.visibility_size
    return {
        "visibility": Template(read_glsl("visible")).substitute(size=size),
        "seen": "w *= visible(centre + vec2(place_x + dx, place_y + dy));",
    }


def _place(number: int) -> str:
    """A component of the texels of a splat."""
    return f"d{number // 4}.{'xyzw'[number % 4]}"


class GlslWriter(Writer):
    """Writes values as lines of GLSL, numbers as highp floats."""

    templates: ClassVar = {
        **Writer.templates,
        **{
            operation: f"{operation}_of({{}})"
            for operation in ("exp", "expm1", "log1p", "sin", "cos", "tan", "atan")
        },
        **{operation: f"{operation}_of({{}})" for operation in ("tanh", "sigmoid", "erf")},
        "sqrt": "sqrt({})",
        "and": "{} && {}",
        "or": "{} || {}",
        "not": "!{}",
        "atan2": "atan2_of({}, {})",
        "pow": "power_of({}, {})",
        "minimum": "min({}, {})",
        "maximum": "max({}, {})",
    }

    def assignments(self, numbers: Iterable[int]) -> list[str]:
        """One line per value, with its type."""
        return [f"{self._type(n)} v{n} = {self._expression(n)};" for n in numbers]

    def loaded(self, number: int, place: str) -> str:
        """The line that takes a value back from where `number` stored it."""
        return f"{self._type(number)} {super().loaded(number, place)};"

    def constant(self, number: float) -> str:
        """A number known now."""
        return literal(number)

    def _type(self, number: int) -> str:
        return "bool" if self.is_truth(number) else "float"


def literal(number: float) -> str:
    """A number as GLSL spells it."""
    with np.errstate(over="ignore", under="ignore"):
        single = np.float32(number)
    if np.isfinite(single):
        text = repr(float(str(single)))
        return f"({text})" if number < 0 else text
    bits = {True: "0x7fc00000u", False: "0x7f800000u"}[bool(np.isnan(single))]
    return f"(-uintBitsToFloat({bits}))" if single < 0 else f"uintBitsToFloat({bits})"


@functools.cache
def read_glsl(name: str) -> str:
    """The text of `name`.glsl, beside this file."""
    return Path(__file__).with_name("glsl").joinpath(f"{name}.glsl").read_text(encoding="utf-8")
