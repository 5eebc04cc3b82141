"""A traced footprint as the WGSL source of its compute shaders, for WebGPU.

The same four kernels as for a CPU and `bin`, see `numba_printer`. `prepare` and `finish` take a
splat per invocation. `bin` lists the splats of each cell, which is a square of tiles, in their
order. `forward` takes a tile of pixels per workgroup, and looks through the list of its cell, 256
splats at a time. `backward` takes a splat, or a share of its pixels, per workgroup; of splats over
one another a tile, because the light behind a splat is found by going through the tile from the
back. It leaves a row of sums per pair of splat and tile. WebGPU has no atomic sums of floats; every
sum is taken in a fixed order, so the same device gives the same bits.

A runtime needs to know the arrays alone, which `wgsl_bindings` finds in the text:

========== ============================= =========================================================
size       7 u32                         see `Size` in ``splats.wgsl``
given      [N, 6 + C + D]                centre, frame (see `tiles.Extent`), features, parameters;
                                         then the table of constants that are looked up
boxes      [N, 4]                        left, right, top, bottom, as `tiles.find_boxes` gives them
centres    [width + height]              pixel centres of columns, then of rows, in canvas units
lists      [N + 1 + cells · (1 + N)]     where the rows of `sums` of each splat begin; then how many
                                         splats reach each cell; then which ones, N places for each
incoming   [C, rows, width]              the gradient by the picture of a strip
prepared   [N, `prepared`]               values per splat
image      [C, rows, width]              a strip; over adds a plane: the number of visible splats
sums       [rows, `leaves` + C]          of a share of a splat's pixels, or for over in a tile
gradients  [N, D + C]                    by parameters, then by features
state      [1]                           the softness, for the kernels of `emit_wgsl_over` with soft
========== ============================= =========================================================

Numbers are float32 where nothing else is said; `prepared` and `leaves` are those of `KernelSource`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from artgen.compiler.elementary import MARK, with_functions
from artgen.compiler.footprints import HIDDEN
from artgen.compiler.glsl_printer import GlslPrinter
from artgen.compiler.ir import IR
from artgen.compiler.printer import OWN, KernelParts, KernelSource, Parts
from artgen.compiler.templates import fill, read_template

SIDE = 16
"""The side of a tile in pixels; each is an invocation of `forward`."""

PIXELS = SIDE * SIDE
"""Invocations per workgroup of kernels with a pixel per invocation."""

CELLS = 8
"""The most cells along an axis. More make shorter lists, and each takes room for all splats."""

LANES = 64
"""Invocations per workgroup of the other kernels."""

SIZES = {"side": f"{SIDE}u", "pixels": f"{PIXELS}u", "lanes": f"{LANES}u"}
"""These numbers by their names in templates."""

SHARE = 16 * LANES
"""Pixels that a workgroup sums gradients over; larger splats are shared by several."""

PROGRAMS = 1 << 13
"""Workgroups that several per splat may add up to."""

SHARED = 2048
"""Numbers that a workgroup sums through its own memory at a time, half of what every device has."""


def emit_wgsl(ir: IR, far: float, channels: int) -> KernelSource:
    """Write the additive kernels for `channels` features."""
    kernels = _WgslKernels(ir, far, channels)
    planes = range(channels)
    weight = f"select(0.0, {kernels.weight}, inside)"
    kernels.parts |= kernels.of_sum(weight, [f"a{c}" for c in planes])
    kernels.parts |= {
        "clear": [f"var a{c} = 0.0;" for c in planes],
        "draw": [f"image[{c}u * plane + place] = a{c};" for c in planes],
        "visit_again": kernels.visit(),
        "arriving": [f"let a{c} = incoming[{c}u * plane + place];" for c in planes],
        **kernels.reduce(LANES),
    }
    return kernels.source("sum")


def emit_wgsl_over(ir: IR, *, soft: bool = False) -> KernelSource:
    """Write the kernels that lay splats over one another, in order, the first one in front.

    `soft` ones also add up the colours of all splats and 1, whatever their order, times a fifth
    feature. This feature is 0 unless the softness is positive, which is ``state[0]``.
    """
    kernels = _WgslKernels(ir, 0.0, 5 if soft else 4)
    arriving = [f"share * g{c}" for c in range(3)]
    sums = range(4 if soft else 0)
    colours, incoming = [*kernels.features[:3], "1.0"], ["let g = f3 * change;"]
    more = ["w * change"]
    if soft:
        arriving = [f"({arriving[c]} + f4 * w * u{c})" for c in range(3)]
        more += ["w * apart"]
        apart = " + ".join(f"u{c} * {colours[c]}" for c in sums)
        incoming = [f"let apart = {apart};", "let g = f3 * change + f4 * apart;"]
    features = [*map(kernels.coloured, range(3), arriving), *more]
    kernels.parts |= kernels.of_over(arriving)
    kernels.parts |= {
        "wanted": f"light >= {HIDDEN!r}" + " || state[0] > 0.0" * soft,
        "clear": [f"var b{c} = 0.0;" for c in sums],
        "accumulate": [f"b{c} += f4 * w * {colours[c]};" for c in sums],
        "draw": [f"image[{5 + c}u * plane + place] = b{c};" for c in sums],
        "visit_again": kernels.visit("live && " if soft else "live && i < number && "),
        "arriving": [
            f"let u{c} = select(0.0, incoming[{4 + c}u * plane + place], live);" for c in sums
        ],
        "incoming": incoming,
        "terms": kernels.terms("let s{k} = {term};", features),
        **kernels.reduce(PIXELS),
    }
    return kernels.source("over")


class WgslPrinter(GlslPrinter):
    """Writes values as lines of WGSL."""

    templates: ClassVar = {
        **GlslPrinter.templates,
        "exp": OWN["exp"],
        "log": OWN["log"],
        "where": "select({2}, {1}, {0})",
        "float": "f32({})",
        "whole": "i32({})",
        "bits": "bitcast<i32>({})",
        "float_of_bits": "bitcast<f32>({})",
        "is_infinite": "bitcast<u32>({}) == 0x7f800000u",
        "is_nan": "(bitcast<u32>({}) & 0x7fffffffu) > 0x7f800000u",
    }

    defined: ClassVar = "let {name} = {text};"
    parameter: ClassVar = "{}: f32"
    called: ClassVar = "fn {name}({given}) -> f32 {{\n  {body}\n}}\n"

    def constant(self, number: float) -> str:
        """Return a constant; WGSL has no literals of NaN and infinity."""
        if math.isfinite(number):
            return super().constant(number)
        return "nan()" if math.isnan(number) else "infinity()" if number > 0 else "(-infinity())"


class _WgslKernels(KernelParts):
    """The parts that both kinds of kernels are printed from."""

    def __init__(self, ir: IR, far: float, channels: int) -> None:
        super().__init__(WgslPrinter, ir, channels, "p{}", "s{}")
        weight = self.pixel.number(ir.weight)
        self.weight = f"{weight} - {self.pixel.constant(far)}" if far else weight
        self.row = 6 + channels + len(self.columns)
        splat, every, planes = self.splat, range(self.sums), range(channels)
        uniforms = list(enumerate(self.schedule.uniforms))
        uniform = f"prepared[i * {len(uniforms)}u + {{}}u]"
        gradients = [splat.where("drawn", text, "0.0") for text in self.gradients]
        gradients += [f"s{self.leaves + c}" for c in planes]
        place = f"size.count * {self.row}u + u32(max(place, 0.0))"
        fetch = f"fn fetch_of(place: f32) -> f32 {{ return given[{place}]; }}\n"
        self.load = [f"let f{c} = {self._given(6 + c)};" for c in planes]
        self.load += [self.pixel.loaded(n, uniform.format(k)) for k, n in uniforms]
        self.parts |= {
            **SIZES,
            "sums": f"{self.sums}u",
            "words": f"{PIXELS // 32}u",
            "lanes_wgsl": fill("wgsl/lanes.wgsl", **SIZES),
            "pixel": fill("wgsl/pixel.wgsl", **SIZES),
            "math": read_template("wgsl/math.wgsl") + MARK + fetch * (len(ir.table) > 0),
            "parameters": [
                f"let p{k} = {self._given(6 + channels + k)};" for k in range(len(self.columns))
            ],
            "store": [f"{uniform.format(k)} = {splat.number(n)};" for k, n in uniforms],
            "visit": self.visit(),
            "weight": self.weight,
            "zero": [f"var s{k} = 0.0;" for k in every],
            "collect": [f"s{k} += sums[slot * {self.sums}u + {k}u];" for k in every],
            "gradients": [
                f"gradients[i * {len(gradients)}u + {k}u] = {text};"
                for k, text in enumerate(gradients)
            ],
        }

    def source(self, loops: str) -> KernelSource:
        """The module with these loops over pixels."""
        tiles = (fill(f"wgsl/{name}.wgsl", **self.parts) for name in ("tile", loops))
        text = fill("wgsl/splats.wgsl", **self.parts, loops="\n".join(tiles))
        text = with_functions(WgslPrinter, text)
        return KernelSource(text, self.columns, len(self.schedule.uniforms), self.leaves)

    def visit(self, more: str = "") -> list[str]:
        """Return the lines that load splat i, and say whether the pixel is inside of it."""
        lines = [f"let dx = x - {self._given(0)};", f"let dy = y - {self._given(1)};"]
        for axis, k in (("eu", 2), ("ev", 4)):
            lines.append(f"let {axis} = {self._given(k)} * dx + {self._given(k + 1)} * dy;")
        return [*lines, f"let inside = {more}eu * eu + ev * ev <= 1.0;", *self.load]

    def reduce(self, lanes: int) -> Parts:
        """Return how a workgroup adds s0, s1, ... of all its lanes, to row `slot` of `sums`.

        Halves are added to halves, so the order is fixed; no loop, since llvmpipe, a driver that
        computes on the CPU, ends those of an invocation after 65,535 turns in all.
        """
        vectors = min(SHARED // 4 // lanes, -(-self.sums // 4))
        together = 4 * vectors
        lines = []
        names = [f"s{k}" for k in range(self.sums)] + ["0.0"] * (-self.sums % together)
        for first in range(0, self.sums, together):
            for q in range(vectors):
                four = ", ".join(names[first + 4 * q : first + 4 * q + 4])
                lines.append(f"partial[lane * {vectors}u + {q}u] = vec4f({four});")
            lines += [
                "add_up(lane);",
                f"if (lane < {min(together, self.sums - first)}u) {{",
                f"  sums[slot * {self.sums}u + {first}u + lane] = partial[lane / 4u][lane % 4u];",
                "}",
                "workgroupBarrier();",
            ]
        return {
            "partial": f"var<workgroup> partial: array<vec4f, {lanes * vectors}>;",
            "add_up": ["workgroupBarrier();", *add_halves(lanes, vectors)],
            "reduce": lines,
        }

    def _given(self, k: int) -> str:
        """Column k of splat i in `given`."""
        return f"given[i * {self.row}u + {k}u]"


def add_halves(lanes: int, vectors: int = 1) -> Iterator[str]:
    """Yield lines that add half of the lanes' ``partial`` to the other half, until one is left."""
    for half in (lanes >> k for k in range(1, lanes.bit_length())):
        yield f"if (lane < {half}u) {{"
        for q in range(vectors):
            to, of = (
                f"partial[{lane} * {vectors}u + {q}u]" for lane in ("lane", f"(lane + {half}u)")
            )
            yield f"  {to} += {of};"
        yield "}"
        yield "workgroupBarrier();"
