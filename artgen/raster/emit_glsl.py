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

HANDED_ON = 56
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
    return _Writing(splat).shaders()


class _Writing:
    """What the shaders are written from.

    `each` writes what depends on the splat alone, of the components in its texels; `handed` are
    the numbers that its corners hand on to its pixels, by their names there.
    """

    def __init__(self, splat: Splat) -> None:
        self.splat, self.program = splat, trace_drawing(splat)
        program, weight = self.program, self.program.weight
        self.forward = needed(program, [weight], per_pixel=True)
        self.uniforms = uniforms_read(program, [*self.forward, weight])
        self.prepared = needed(program, [*self.uniforms, *program.ellipse], per_pixel=False)
        read = {*program.ellipse, *self.uniforms}
        for number in self.prepared:
            read |= {*program.values[number].arguments}
        own = [column for column, number in program.inputs.items() if number in read]
        features: list[Component] = [("colour", (k,)) for k in range(3)]
        features += [(name, ()) for name in _FEATURES.get(splat.blend, ())]
        self.columns = tuple(dict.fromkeys([*features, *own]))
        places = {program.inputs[column]: _place(self.columns.index(column)) for column in own}
        self.each = GlslWriter(program, places)
        self.features = dict(zip(_FEATURE_NAMES, _features(splat.blend, self.columns), strict=True))
        self.handed = {"place_x": "place.x", "place_y": "place.y"}
        self.handed |= {"e0": "c * along", "e1": "s * along"}
        self.handed |= {"e2": "-s * across", "e3": "c * across"}
        values = {f"v{number}": self.each.number(number) for number in self.uniforms}
        count = len(self.handed) + len(self.features) + len(values)
        self.anew = count > HANDED_ON
        if not self.anew:
            self.handed |= self.features | values

    def shaders(self) -> SplatShaders:
        """All of them."""
        ellipse = map(self.each.number, self.program.ellipse)
        packs = range(-(-len(self.handed) // 4))
        stored = zip(self._packed(), self.handed.values(), strict=True)
        lines = {
            "math": read_glsl("math"),
            "fetcher": Template(read_glsl("fetch")).substitute(texels=len(self._fetched())),
            "fetch": block(2, self._fetched()),
            "prepare": block(2, self.each.assignments(self.prepared) or ["// nothing"]),
            **dict(zip(("along", "across", "angle"), ellipse, strict=True)),
            "outputs": block(0, (f"flat out vec4 q{k};" for k in packs)),
            "inputs": block(0, (f"flat in vec4 q{k};" for k in packs)),
            "store": block(2, (f"{place} = {value};" for place, value in stored)),
            **self._pixel(),
            **_visibility(self.splat),
            "blend": _BLEND_OVER if self.splat.blend == "over" else _BLEND_SUM,
            "picture": _PICTURES[self.splat.blend],
        }
        vertex, fragment, picture = (
            Template(read_glsl(name)).substitute(lines)
            for name in ("splats.vert", "splats.frag", "picture.frag")
        )
        return SplatShaders(vertex, fragment, picture, self.columns)

    def _fetched(self) -> list[str]:
        """The lines that read all components of a splat."""
        return [f"vec4 d{t} = fetch(which, {t});" for t in range(-(-len(self.columns) // 4))]

    def _packed(self) -> list[str]:
        """Where what is handed on lies, four numbers together."""
        return [f"q{k // 4}.{'xyzw'[k % 4]}" for k in range(len(self.handed))]

    def _pixel(self) -> dict[str, str]:
        """What a pixel does: it takes, or computes anew, what it is given, and finds the weight."""
        program, far = self.program, self.splat.far
        pixel = self.each if self.anew else GlslWriter(program)
        known = {f"v{number}": number for number in self.uniforms}
        load = [
            pixel.loaded(known[name], place) if name in known else f"float {name} = {place};"
            for name, place in zip(self.handed, self._packed(), strict=True)
        ]
        if self.anew:
            load += [*self._fetched(), *self.each.assignments(self.prepared)]
            load += [f"float {name} = {value};" for name, value in self.features.items()]
        weight = pixel.number(program.weight)
        return {
            "load": block(2, load),
            "forward": block(2, pixel.assignments(self.forward) or ["// nothing"]),
            "weight": f"{weight} - {pixel.constant(far)}" if far else weight,
        }


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
