"""A traced footprint as the GLSL source of its shaders, for WebGL 2 (OpenGL ES 3.00).

One rectangle is drawn per splat. What depends on the splat alone is computed at the rectangle's
corners (`prepare`), what depends on the pixel inside of it, and the blending of the graphics card
adds up: weights times features in a picture of floats, from which `picture` makes colours. For
`over` it lays splats over one another, the farthest one first.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import ClassVar

import numpy as np

from artgen.compiler.elementary import MARK, with_functions
from artgen.compiler.footprints import OPAQUE, Footprint
from artgen.compiler.ir import PIXEL, Component
from artgen.compiler.printer import OWN, Parts, Printer
from artgen.compiler.record import trace_drawing
from artgen.compiler.schedule import needed, uniforms_read
from artgen.compiler.templates import fill, read_template

HANDED_ON = 56
"""Numbers that a vertex shader can pass on, on all devices."""

_PICTURES = {
    "sum": "background + everywhere + share * sum.rgb",
    "mean": "background + everywhere + share * sum.rgb",
    "normalized": "(sum.rgb + background_weight * background) / (sum.a + background_weight)",
    "depth": "(sum.rgb + background_weight * background) / (sum.a + background_weight)",
    "over": "sum.rgb + (1.0 - sum.a) * background",
}
_FILES = {
    "vertex": "splats.vert",
    "fragment": "splats.frag",
    "whole": "picture.vert",
    "picture": "picture.frag",
}
_FEATURES: dict[str, tuple[Component, ...]] = {"depth": (("z", ()),), "over": (("opacity", ()),)}
"""Parameters of a blend besides the colour."""


class SplatShaders:
    """The shaders of a splat. Raises Untraceable.

    Of the `texts`, ``vertex`` and ``fragment`` draw the splats, ``whole`` and ``picture`` a picture
    of their sums. They read `columns`, the parameter components of a splat, four to a texel, and
    `table`, constants, four to a texel too. `options`, names of options that are numbers, become
    columns called ``option.NAME``.

    `_each` writes what depends on the splat alone, of the components in its texels; `_handed` are
    the numbers that its corners hand on to its pixels, by their names there.
    """

    def __init__(self, splat: Footprint, options: Collection[str] = ()) -> None:
        self._splat, self._ir = splat, trace_drawing(splat, options)
        ir, self.table = self._ir, self._ir.table
        drawn = [ir.weight, *ir.colours]
        self._forward = needed(ir, drawn, per_pixel=True)
        self._uniforms = uniforms_read(ir, [*self._forward, *drawn])
        self._prepared = needed(ir, [*self._uniforms, *ir.ellipse], per_pixel=False)
        read = {*ir.ellipse, *self._uniforms}
        for number in self._prepared:
            read |= {*ir.values[number].arguments}
        given = {column: number for column, number in ir.inputs.items() if number in read}
        own = [column for column in given if column != PIXEL]
        colours: list[Component] = [("colour", (k,)) for k in range(3)]
        self.columns = tuple(dict.fromkeys([*colours, *_FEATURES.get(splat.blend, ()), *own]))
        places = {ir.inputs[column]: _place(self.columns.index(column)) for column in own}
        if PIXEL in given:
            places[given[PIXEL]] = "pixel"
        self._each = GlslPrinter(ir, places)
        self._features = {f"f{k}": text for k, text in enumerate(_features(splat.blend))}
        self._handed = {"place_x": "place.x", "place_y": "place.y"}
        self._handed |= {"e0": "c * along", "e1": "s * along"}
        self._handed |= {"e2": "-s * across", "e3": "c * across"}
        values = {f"v{number}": self._each.number(number) for number in self._uniforms}
        count = len(self._handed) + len(self._features) + len(values)
        self._anew = count > HANDED_ON
        if not self._anew:
            self._handed |= self._features | values
        self._packed = [f"q{k // 4}.{'xyzw'[k % 4]}" for k in range(len(self._handed))]
        """The places of the numbers that are handed on, four to a vector."""
        texels = range(-(-len(self.columns) // 4))
        self._fetched = [f"vec4 d{t} = fetch(which, {t});" for t in texels]
        """The lines that read all components of a splat."""
        ellipse = map(self._each.number, ir.ellipse)
        packs = range(-(-len(self._handed) // 4))
        stored = zip(self._packed, self._handed.values(), strict=True)
        parts: Parts = {
            "fetcher": fill("glsl/fetch.glsl", texels=str(len(self._fetched))),
            "fetch": self._fetched,
            "prepare": self._each.assignments(self._prepared),
            **dict(zip(("along", "across", "angle"), ellipse, strict=True)),
            "outputs": [f"flat out vec4 q{k};" for k in packs],
            "inputs": [f"flat in vec4 q{k};" for k in packs],
            "store": [f"{place} = {value};" for place, value in stored],
            **self._pixel(),
            **_visibility(splat),
            "pixel": "uniform float pixel;\n" if PIXEL in given else "",
            "helpers": MARK + (read_template("glsl/table.glsl") if len(ir.table) else ""),
            "picture": _PICTURES[splat.blend],
        }
        self.texts = {
            name: with_functions(GlslPrinter, fill(f"glsl/{file}.glsl", **parts))
            for name, file in _FILES.items()
        }

    def _pixel(self) -> Parts:
        """Return the code of a pixel: values per splat, loaded or computed, then what is drawn."""
        ir, far = self._ir, self._splat.far
        pixel = self._each if self._anew else GlslPrinter(ir)
        known = {f"v{number}": number for number in self._uniforms}
        load = [
            pixel.loaded(known[name], place) if name in known else f"float {name} = {place};"
            for name, place in zip(self._handed, self._packed, strict=True)
        ]
        if self._anew:
            load += [*self._fetched, *self._each.assignments(self._prepared)]
            load += [f"float {name} = {value};" for name, value in self._features.items()]
        weight = pixel.number(ir.weight)
        factors = [f" * {pixel.number(number)}" for number in ir.colours] or [""] * 3
        colour = ", ".join(f"f{c}{factor}" for c, factor in enumerate(factors))
        blend = _BLEND_OVER if self._splat.blend == "over" else _BLEND_SUM
        return {
            "blend": blend.format(colour=colour),
            "load": load,
            "forward": pixel.assignments(self._forward),
            "weight": f"{weight} - {pixel.constant(far)}" if far else weight,
        }


_BLEND_SUM = "colour = w * vec4({colour}, f3);"
_BLEND_OVER = f"""float alpha = clamp(f3 * w, 0.0, {OPAQUE!r});
colour = alpha * vec4({{colour}}, 1.0);"""


def _features(blend: str) -> list[str]:
    """Return the factors of the weight: three colours, and one for the weight or the opacity.

    Their columns are the first ones.
    """
    *colours, own = map(_place, range(4))
    if blend in ("sum", "mean"):
        return [*colours, "0.0"]
    if blend == "over":
        return [*colours, own]
    near = GlslPrinter.templates["exp"].format(f"-{own}") if blend == "depth" else "1.0"
    return [*(f"{near} * {colour}" for colour in colours), near]


def _visibility(splat: Footprint) -> dict[str, str]:
    """Return the filter of visibility=buffer, or nothing."""
    if splat.options.visibility != "buffer":
        return {"visibility": "", "seen": "// all of it is visible"}
    size = splat.options.visibility_size
    return {
        "visibility": fill("glsl/visible.glsl", size=str(size)),
        "seen": "w *= visible(centre + vec2(place_x + dx, place_y + dy));",
    }


def _place(number: int) -> str:
    """A component of the texels of a splat."""
    return f"d{number // 4}.{'xyzw'[number % 4]}"


class GlslPrinter(Printer):
    """Writes values as lines of GLSL, numbers as highp floats."""

    end: ClassVar = ";"
    defined: ClassVar = "{kind} {name} = {text};"
    parameter: ClassVar = "float {}"
    called: ClassVar = "float {name}({given}) {{\n  {body}\n}}\n"
    indent: ClassVar = "  "
    templates: ClassVar = {
        **Printer.templates,
        **OWN,
        "sqrt": "sqrt({})",
        "exp": "exp(clamp({}, -87.0, 88.0))",
        "log": "log({})",
        "sign": "sign({})",
        "and": "{} && {}",
        "or": "{} || {}",
        "not": "!{}",
        "where": "({} ? {} : {})",
        "minimum": "min({}, {})",
        "maximum": "max({}, {})",
        "fetch": "fetch_of({})",
        "fused": "{} * {} + {}",
        "float": "float({})",
        "whole": "int({})",
        "bits": "floatBitsToInt({})",
        "float_of_bits": "intBitsToFloat({})",
        "whole_add": "{} + {}",
        "whole_sub": "{} - {}",
        "whole_and": "{} & {}",
        "left": "{} << {}u",
        "right": "{} >> {}u",
    }

    def constant(self, number: float) -> str:
        """Return a constant."""
        return literal(number)


def literal(number: float) -> str:
    """Return a number as a GLSL literal."""
    with np.errstate(over="ignore", under="ignore"):
        single = np.float32(number)
    if np.isfinite(single):
        text = repr(float(str(single)))
        return f"({text})" if number < 0 else text
    bits = {True: "0x7fc00000u", False: "0x7f800000u"}[bool(np.isnan(single))]
    return f"(-uintBitsToFloat({bits}))" if single < 0 else f"uintBitsToFloat({bits})"
