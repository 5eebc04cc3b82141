"""A traced footprint as the Python source of its Triton kernels.

The same four functions as for a CPU, see `emit`: `prepare` and `finish` take a block of splats per
program. `forward` takes a tile of pixels per program and looks its splats up in the lists of the
cells around it. `backward` takes a splat per program instead, or a share of its pixels, and sums in
registers: nothing is written per pair of tile and splat, and the order of the sums is always the
same.
"""

from __future__ import annotations

import math

import numpy as np

from artgen.raster.emit import Source
from artgen.raster.plan import make_plan
from artgen.raster.program import Program
from artgen.raster.writer import Writer, block

__all__ = ["SPLATS", "emit_triton"]

SPLATS = 128
"""Splats per program of `prepare` and `finish`."""


def emit_triton(program: Program, far: float, channels: int, side: int) -> Source:
    """Write the kernels for tiles of `side` × `side` pixels and `channels` features."""
    plan = make_plan(program)
    columns, leaves, uniforms = tuple(program.inputs), list(plan.leaves), plan.uniforms
    pixel = _TritonWriter(plan.program)
    splat = _TritonWriter(
        plan.program,
        {number: f"p{k}" for k, number in enumerate(program.inputs.values())}
        | {number: f"s{k}" for k, number in enumerate(plan.leaves.values())},
    )
    inputs, sums = len(columns), len(leaves) + channels
    every, planes = range(sums), range(channels)
    # Addresses: rows of the arrays for splat i, and of the partial sums; planes of a picture.
    parameter, uniform, feature = f"i * {inputs}", f"i * {len(uniforms)}", f"i * {channels}"
    partial, plane = f"(part * count + i) * {sums}", "* width * height + place"
    load = [
        *(pixel.loaded(n, f"tl.load(U + {uniform} + {k})") for k, n in enumerate(uniforms)),
        *(f"f{c} = tl.load(F + {feature} + {c})" for c in planes),
    ]
    parameters = (f"p{k} = tl.load(P + {parameter} + {k}, live, 0.0)" for k in range(inputs))
    store = (
        f"tl.store(U + {uniform} + {k}, {splat.number(n)}, live)" for k, n in enumerate(uniforms)
    )
    add = [
        *(f"s{k} += select(inside, {pixel.number(n)}, 0.0)" for k, n in enumerate(leaves)),
        *(f"s{len(leaves) + c} += w * a{c}" for c in planes),
    ]
    gradients = [
        *(
            f"tl.store(GP + {parameter} + {k}, select(drawn, {splat.number(n)}, 0.0), live)"
            for k, n in enumerate(plan.gradients[column] for column in columns)
        ),
        *(f"tl.store(GF + {feature} + {c}, s{len(leaves) + c}, live)" for c in planes),
    ]
    text = _TEMPLATE.format(
        side=side,
        splats=SPLATS,
        far=pixel.constant(far),
        weight=pixel.number(plan.program.weight),
        parameters=block(4, parameters),
        prepare=block(4, splat.assignments(plan.prepare)),
        store=block(4, store),
        clear=block(4, (f"a{c} = tl.zeros((PIXELS,), tl.float32)" for c in planes)),
        load_in_tile=block(16, load),
        forward=block(16, pixel.assignments(plan.forward)),
        accumulate=block(16, (f"a{c} += w * f{c}" for c in planes)),
        draw=block(4, (f"tl.store(out + {c} {plane}, a{c}, live)" for c in planes)),
        load=block(4, load),
        zero=block(4, (f"s{k} = tl.zeros((PIXELS,), tl.float32)" for k in every)),
        arriving=block(8, (f"a{c} = tl.load(grad + {c} {plane}, live, 0.0)" for c in planes)),
        incoming=" + ".join(f"f{c} * a{c}" for c in planes),
        backward=block(8, pixel.assignments(plan.backward)),
        add=block(8, add),
        reduce=block(4, (f"tl.store(S + {partial} + {k}, tl.sum(s{k}))" for k in every)),
        nothing=block(4, (f"s{k} = tl.zeros((SPLATS,), tl.float32)" for k in every)),
        collect=block(8, (f"s{k} += tl.load(S + {partial} + {k}, live, 0.0)" for k in every)),
        finish=block(4, splat.assignments(plan.finish)),
        gradients=block(4, gradients),
    )
    return Source(text, columns, len(uniforms), len(leaves))


class _TritonWriter(Writer):
    templates = {  # noqa: RUF012
        **Writer.templates,
        "sqrt": "tl.sqrt({})",
        # The interpreter cannot do & of a pixel's truth and a splat's, nor `not` of several.
        "and": "select({}, {}, False)",
        "or": "select({}, True, {})",
        "not": "select({}, False, True)",
    }

    def constant(self, number: float) -> str:
        # Triton takes a literal for a float32 if it is a normal one, else for a float64.
        with np.errstate(over="ignore", under="ignore"):
            single = np.float32(number)
        if abs(single) < np.finfo(np.float32).tiny:
            return "0.0"
        return repr(float(single)) if math.isfinite(single) else f"float('{single}')"


_TEMPLATE = '''\
"""Kernels of one footprint, written by artgen; delete this folder whenever you like."""

import triton
import triton.language as tl

from artgen.raster.triton_math import *

SIDE = tl.constexpr({side})
PIXELS = tl.constexpr({side} * {side})
SPLATS = tl.constexpr({splats})


@triton.jit(do_not_specialize=["count"])
def prepare(P, U, count):
    i = tl.program_id(0) * SPLATS + tl.arange(0, SPLATS)
    live = i < count
    {parameters}
    {prepare}
    {store}


@triton.jit(do_not_specialize=["width", "height", "levels"])
def forward(XY, E, U, F, X, Y, box, start, splat, out, width, height, levels):
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
                w = select(inside, {weight} - {far}, 0.0)
                {accumulate}
    {draw}


@triton.jit(do_not_specialize=["width", "height", "count", "parts"])
def backward(XY, E, U, F, X, Y, box, grad, S, width, height, count, parts):
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
        g = {incoming}
        {backward}
        w = select(inside, {weight} - {far}, 0.0)
        {add}
    {reduce}


@triton.jit(do_not_specialize=["count", "parts"])
def finish(P, S, box, GP, GF, count, parts):
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
'''
