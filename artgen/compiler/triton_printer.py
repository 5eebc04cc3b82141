"""A traced footprint as the Python source of its Triton kernels.

The same four functions as for a CPU, see `numba_printer`; the legend of names there holds here too.
Per Triton program, `prepare` and `finish` take a block of splats. `forward` takes a tile of pixels
and looks up its splats in the lists of the cells around it. `backward` takes a splat, or a share of
its pixels, and sums in registers: nothing is written per pair of tile and splat, and the order of
the sums is always the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from artgen.compiler.ir import IR
from artgen.compiler.printer import KernelParts, Printer, Source, block
from artgen.primitives import HIDDEN, OPAQUE

SPLATS = 128
"""Splats per program of `prepare` and `finish`."""

MANY_CALLS, MANY_SUMS = 12, 40
"""With at least this many functions per pixel, or sums per splat, a program has 8 warps instead
of 4: a thread has one pixel instead of two, whose values fit into registers."""

_PLACE = "* width * height + place"
"""From the number of a plane of a picture to a pixel in it."""


class TritonPrinter(Printer):
    """Prints for Triton, whose own functions are in `tl`."""

    templates = {  # noqa: RUF012
        **Printer.templates,
        **{
            name: f"tl.{name}({{}})"
            for name in ("abs", "sqrt", "exp", "log", "sin", "cos", "erf", "floor")
        },
        # The interpreter cannot do & of a pixel's truth and a splat's, nor `not` of several.
        "and": "select({}, {}, False)",
        "or": "select({}, True, {})",
        "not": "select({}, False, True)",
        # Whatever a NaN becomes, what is read is inside.
        "fetch": "tl.load(T + tl.minimum(select({0} >= 0.0, {0}, 0.0), LAST).to(tl.int32))",
    }

    def constant(self, number: float) -> str:
        """Return a constant as a float32."""
        # Triton takes a literal for a float32 if it is a normal one, else for a float64.
        with np.errstate(over="ignore", under="ignore"):
            single = np.float32(number)
        if abs(single) < np.finfo(np.float32).tiny:
            return "0.0"
        return repr(float(single)) if math.isfinite(single) else f"float('{single}')"


def emit_triton(ir: IR, far: float, channels: int, side: int) -> Source:
    """Write the additive kernels for tiles of `side` × `side` pixels and `channels` features."""
    kernels = _Kernels(ir, far, channels, side)
    planes, sums = range(channels), kernels.sums
    reduce = f"tl.store(S + (part * count + i) * {sums} + {{0}}, tl.sum(s{{0}}))"
    return kernels.source(
        _SUM,
        clear=block(4, (f"a{c} = tl.zeros((PIXELS,), tl.float32)" for c in planes)),
        load_in_tile=block(16, kernels.load),
        forward=block(16, kernels.forward()),
        accumulate=block(16, (f"a{c} += w * {f}" for c, f in enumerate(kernels.features))),
        draw=block(4, (f"tl.store(out + {c} {_PLACE}, a{c}, live)" for c in planes)),
        load=block(4, kernels.load),
        zero=block(4, (f"s{k} = tl.zeros((PIXELS,), tl.float32)" for k in range(sums))),
        arriving=block(8, (f"a{c} = tl.load(grad + {c} {_PLACE}, live, 0.0)" for c in planes)),
        backward=block(8, kernels.backward_of_sum(kernels.masked, [f"a{c}" for c in planes])),
        add=block(
            8,
            kernels.terms("s{k} += {term}", (kernels.coloured(c, f"w * a{c}") for c in planes)),
        ),
        reduce=block(4, map(reduce.format, range(sums))),
    )


def emit_triton_over(ir: IR, side: int) -> Source:
    """Write the kernels that lay splats over one another, in order, the first one in front.

    As `numba_printer.emit_over`. `backward` takes a tile per program too, because
    the light behind a splat is found by going through the tile from the back; it leaves a row of
    sums per pair.
    """
    kernels = _Kernels(ir, 0.0, 4, side)
    arriving = [f"share * g{c}" for c in range(3)]
    features = [*map(kernels.coloured, range(3), arriving), "w * change"]
    reduce = f"tl.store(S + j * {kernels.sums} + {{k}}, tl.sum({{term}}))"
    return kernels.source(
        _OVER,
        opaque=repr(OPAQUE),
        hidden=repr(HIDDEN),
        tile=_TILE,
        splat=_SPLAT,
        load=block(8, kernels.load),
        forward=block(8, kernels.forward()),
        backward=block(8, kernels.backward_after_forward(arriving)),
        reduce=block(8, kernels.terms(reduce, features)),
        **kernels.colour,
    )


class _Kernels(KernelParts):
    """The parts that both kinds of kernels are printed from."""

    def __init__(self, ir: IR, far: float, channels: int, side: int) -> None:
        super().__init__(TritonPrinter, ir, channels, "p{}", "s{}")
        far_text = self.pixel.constant(far)
        self.sizes = {
            "side": side,
            "splats": SPLATS,
            "table": ", T" if len(ir.table) else "",
            "last": f"\nLAST = tl.constexpr({len(ir.table) - 1}.0)" if len(ir.table) else "",
            "forward_warps": self._warps(self.schedule.forward),
            "backward_warps": self._warps(self.schedule.backward, self.sums),
        }
        self.weight = self.pixel.number(ir.weight)
        self.masked = f"select(inside, {self.weight} - {far_text}, 0.0)"
        uniforms = self.schedule.uniforms
        self.uniform = f"U + i * {len(uniforms)} + {{}}"
        self.load = [
            self.pixel.loaded(n, f"tl.load({self.uniform.format(k)})")
            for k, n in enumerate(uniforms)
        ]
        self.load += [f"f{c} = tl.load(F + i * {channels} + {c})" for c in range(channels)]

    def _warps(self, numbers: Iterable[int], sums: int = 0) -> int:
        """The warps of a program that computes these values per pixel and sums so many of them."""
        arithmetic = Printer.templates.keys() - {"pow", "sqrt"}
        values = self.schedule.ir.values
        calls = sum(values[number].operation not in arithmetic for number in numbers)
        return 8 if calls >= MANY_CALLS or sums >= MANY_SUMS else 4

    def source(self, loops: str, **lines: str) -> Source:
        """The module with these loops over pixels."""
        schedule, splat, inputs = self.schedule, self.splat, range(len(self.columns))
        every = range(self.sums)
        store = [
            f"tl.store({self.uniform.format(k)}, {splat.number(n)}, live)"
            for k, n in enumerate(schedule.uniforms)
        ]
        collect = f"tl.load(S + (part * count + i) * {self.sums} + {{0}}, live, 0.0)"
        gradients = [
            f"tl.store(GP + i * {len(inputs)} + {k}, select(drawn, {text}, 0.0), live)"
            for k, text in enumerate(self.gradients)
        ]
        gradients += [
            f"tl.store(GF + i * {self.channels} + {c}, s{self.leaves + c}, live)"
            for c in range(self.channels)
        ]
        text = (_HEAD + loops + _FINISH).format(
            **self.sizes,
            weight=self.weight,
            masked=self.masked,
            parameters=block(
                4, (f"p{k} = tl.load(P + i * {len(inputs)} + {k}, live, 0.0)" for k in inputs)
            ),
            prepare=block(4, splat.assignments(schedule.prepare)),
            store=block(4, store),
            nothing=block(4, (f"s{k} = tl.zeros((SPLATS,), tl.float32)" for k in every)),
            collect=block(8, (f"s{k} += {collect.format(k)}" for k in every)),
            finish=block(4, splat.assignments(schedule.finish)),
            gradients=block(4, gradients),
            **lines,
        )
        return Source(text, self.columns, len(schedule.uniforms), self.leaves)


_HEAD = '''\
"""Kernels of one footprint, written by artgen; delete this folder whenever you like."""

import triton
import triton.language as tl

from artgen.compiler.triton_math import *

SIDE = tl.constexpr({side})
PIXELS = tl.constexpr({side} * {side})
SPLATS = tl.constexpr({splats}){last}
WARPS = {{"prepare": 4, "forward": {forward_warps}, "backward": {backward_warps}, "finish": 4}}


@triton.jit(do_not_specialize=["count"])
def prepare(P, U{table}, count):
    i = tl.program_id(0) * SPLATS + tl.arange(0, SPLATS)
    live = i < count
    {parameters}
    {prepare}
    {store}
'''

_SUM = """


@triton.jit(do_not_specialize=["width", "height", "levels"])
def forward(XY, E, U, F, X, Y{table}, box, start, splat, out, width, height, levels):
    tiles = tl.cdiv(width, SIDE)
    left = tl.program_id(0) % tiles * SIDE
    top = tl.program_id(0) // tiles * SIDE
    k = tl.arange(0, PIXELS)
    column = left + k % SIDE
    row = top + k // SIDE
    live = (column < width) & (row < height)
    place = row * width + column
    x = tl.load(X + column, column < width, 0.0)
    y = tl.load(Y + row, row < height, 0.0)
    {clear}
    base = 0
    for level in range(levels):
        cell = SIDE << level
        cells = tl.cdiv(width, cell)
        here = base + top // cell * cells + left // cell
        base += cells * tl.cdiv(height, cell)
        for j in range(tl.load(start + here), tl.load(start + here + 1)):
            i = tl.load(splat + j)
            across = (tl.load(box + i * 4) < left + SIDE) & (tl.load(box + i * 4 + 1) > left)
            down = (tl.load(box + i * 4 + 2) < top + SIDE) & (tl.load(box + i * 4 + 3) > top)
            if across & down:
                dx = x - tl.load(XY + i * 2)
                dy = y - tl.load(XY + i * 2 + 1)
                eu = tl.load(E + i * 4) * dx + tl.load(E + i * 4 + 1) * dy
                ev = tl.load(E + i * 4 + 2) * dx + tl.load(E + i * 4 + 3) * dy
                inside = eu * eu + ev * ev <= 1.0
                {load_in_tile}
                {forward}
                w = {masked}
                {accumulate}
    {draw}


@triton.jit(do_not_specialize=["width", "height", "count", "parts"])
def backward(XY, E, U, F, X, Y{table}, box, grad, S, width, height, count, parts):
    i = tl.program_id(0) // parts
    part = tl.program_id(0) % parts
    left = tl.load(box + i * 4)
    right = tl.load(box + i * 4 + 1)
    top = tl.load(box + i * 4 + 2)
    bottom = tl.load(box + i * 4 + 3)
    k = tl.arange(0, PIXELS)
    cx = tl.load(XY + i * 2)
    cy = tl.load(XY + i * 2 + 1)
    e0, e1 = tl.load(E + i * 4), tl.load(E + i * 4 + 1)
    e2, e3 = tl.load(E + i * 4 + 2), tl.load(E + i * 4 + 3)
    {load}
    {zero}
    tiles = tl.cdiv(right - left, SIDE)
    for tile in range(part, tiles * tl.cdiv(bottom - top, SIDE), parts):
        column = left + tile % tiles * SIDE + k % SIDE
        row = top + tile // tiles * SIDE + k // SIDE
        live = (column < right) & (row < bottom)
        place = row * width + column
        dx = tl.load(X + column, live, 0.0) - cx
        dy = tl.load(Y + row, live, 0.0) - cy
        eu = e0 * dx + e1 * dy
        ev = e2 * dx + e3 * dy
        inside = live & (eu * eu + ev * ev <= 1.0)
        {arriving}
        {backward}
        {add}
    {reduce}
"""

_TILE = """\
tile = tl.program_id(0)
    tiles = tl.cdiv(width, SIDE)
    k = tl.arange(0, PIXELS)
    column = tile % tiles * SIDE + k % SIDE
    row = tile // tiles * SIDE + k // SIDE
    live = (column < width) & (row < height)
    place = row * width + column
    x = tl.load(X + column, column < width, 0.0)
    y = tl.load(Y + row, row < height, 0.0)"""

_SPLAT = """\
i = tl.load(splat + j)
        dx = x - tl.load(XY + i * 2)
        dy = y - tl.load(XY + i * 2 + 1)
        eu = tl.load(E + i * 4) * dx + tl.load(E + i * 4 + 1) * dy
        ev = tl.load(E + i * 4 + 2) * dx + tl.load(E + i * 4 + 3) * dy"""

_OVER = """

OPAQUE, HIDDEN = tl.constexpr({opaque}), tl.constexpr({hidden})


@triton.jit(do_not_specialize=["width", "height"])
def forward(XY, E, U, F, X, Y{table}, start, splat, out, end, width, height):
    {tile}
    a0 = tl.zeros((PIXELS,), tl.float32)
    a1 = tl.zeros((PIXELS,), tl.float32)
    a2 = tl.zeros((PIXELS,), tl.float32)
    # No light needs to get through where there is no pixel.
    light = select(live, tl.full((PIXELS,), 1.0, tl.float32), 0.0)
    number = tl.zeros((PIXELS,), tl.int32)
    first = tl.load(start + tile)
    last = tl.load(start + tile + 1)
    j = first
    while j < last:
        {splat}
        inside = eu * eu + ev * ev <= 1.0
        {load}
        {forward}
        w = select(inside, {weight}, 0.0)
        visible = light >= HIDDEN
        number = tl.where(visible, j + 1 - first, number)
        alpha = select(visible, tl.minimum(tl.maximum(f3 * w, 0.0), OPAQUE), 0.0)
        share = light * alpha
        a0 += share * {red}
        a1 += share * {green}
        a2 += share * {blue}
        light = light * (1.0 - alpha)
        j = tl.where(tl.max(light) < HIDDEN, last, j + 1)
    tl.store(out + place, a0, live)
    tl.store(out + width * height + place, a1, live)
    tl.store(out + 2 * width * height + place, a2, live)
    tl.store(out + 3 * width * height + place, light, live)
    tl.store(end + tile * PIXELS + k, number)


@triton.jit(do_not_specialize=["width", "height"])
def backward(XY, E, U, F, X, Y{table}, start, splat, image, end, grad, S, width, height):
    {tile}
    g0 = tl.load(grad + place, live, 0.0)
    g1 = tl.load(grad + width * height + place, live, 0.0)
    g2 = tl.load(grad + 2 * width * height + place, live, 0.0)
    light = tl.load(image + 3 * width * height + place, live, 0.0)
    behind = light * tl.load(grad + 3 * width * height + place, live, 0.0)
    number = tl.load(end + tile * PIXELS + k)
    first = tl.load(start + tile)
    j = first + tl.max(number) - 1
    while j >= first:
        {splat}
        inside = live & (j - first < number) & (eu * eu + ev * ev <= 1.0)
        {load}
        {forward}
        w = select(inside, {weight}, 0.0)
        alpha = tl.minimum(tl.maximum(f3 * w, 0.0), OPAQUE)
        clear = 1.0 / (1.0 - alpha)
        light = light * clear
        colour = {red} * g0 + {green} * g1 + {blue} * g2
        free = (f3 * w >= 0.0) & (f3 * w <= OPAQUE)
        change = select(free, light * colour - behind * clear, 0.0)
        share = light * alpha
        behind += share * colour
        g = f3 * change
        {backward}
        {reduce}
        j -= 1
"""

_FINISH = """


@triton.jit(do_not_specialize=["count", "parts"])
def finish(P, S, box{table}, GP, GF, count, parts):
    i = tl.program_id(0) * SPLATS + tl.arange(0, SPLATS)
    live = i < count
    {parameters}
    {nothing}
    for part in range(parts):
        {collect}
    # Parameters that cannot be drawn may not even be finite; their gradient is.
    drawn = tl.load(box + i * 4, live, 0) < tl.load(box + i * 4 + 1, live, 0)
    drawn &= tl.load(box + i * 4 + 2, live, 0) < tl.load(box + i * 4 + 3, live, 0)
    {finish}
    {gradients}
"""
