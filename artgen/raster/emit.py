"""A traced footprint as the Python source of its kernels.

Four functions are written, all float32. What depends on the splat alone is computed once per splat,
in `prepare`; what depends on the pixel runs in one loop over the pixels of a tile, which the
compiler turns into vector instructions. Gradients are linear in what arrives, so `backward` sums
only their factors that depend on the pixel (the *leaves*), and `finish` does the rest once per
splat.
"""

from __future__ import annotations

from dataclasses import dataclass

from artgen.raster.plan import make_plan
from artgen.raster.program import Component, Program
from artgen.raster.writer import Writer, block

__all__ = ["Source", "emit"]


@dataclass(frozen=True)
class Source:
    """The text of the kernels and the layout of their arrays.

    `columns` are the parameter components in the order in which `prepare` and `finish` take them;
    `uniforms` and `leaves` count the prepared values and the sums per splat.
    """

    text: str
    columns: tuple[Component, ...]
    uniforms: int
    leaves: int


def emit(program: Program, far: float, channels: int, width: int, height: int) -> Source:
    """Write the kernels for tiles of `width` × `height` pixels and `channels` features."""
    plan = make_plan(program)
    columns, leaves, uniforms = tuple(program.inputs), list(plan.leaves), plan.uniforms
    pixel = Writer(plan.program)
    splat = Writer(
        plan.program,
        {number: f"P[i, {k}]" for k, number in enumerate(program.inputs.values())}
        | {number: f"L[i, {k}]" for k, number in enumerate(plan.leaves.values())},
    )
    pixels = width * height
    planes = [f"A[k + u64({(2 + c) * pixels})]" for c in range(channels)]
    every = range(len(leaves) + channels)
    text = _TEMPLATE.format(
        pixels=pixels,
        width=width,
        height=height,
        channels=channels,
        prepare=block(8, splat.assignments(plan.prepare)),
        store=block(8, (f"U[i, {k}] = {splat.number(n)}" for k, n in enumerate(uniforms))),
        load=block(12, (pixel.loaded(n, f"U[i, {k}]") for k, n in enumerate(uniforms))),
        features=block(12, (f"f{c} = F[i, {c}]" for c in range(channels))),
        forward=block(16, pixel.assignments(plan.forward)),
        backward=block(16, pixel.assignments(plan.backward)),
        weight=f"{pixel.number(program.weight)} - f32({float(far)!r})",
        accumulate=block(16, (f"{plane} += w * f{c}" for c, plane in enumerate(planes))),
        incoming=" + ".join(f"f{c} * {plane}" for c, plane in enumerate(planes)),
        zero=block(12, (f"s{k} = f32(0)" for k in every)),
        add=block(
            16,
            [f"s{k} += select(inside, {pixel.number(n)}, f32(0))" for k, n in enumerate(leaves)]
            + [f"s{len(leaves) + c} += w * {plane}" for c, plane in enumerate(planes)],
        ),
        total=block(12, (f"S[j, {k}] = s{k}" for k in every)),
        finish=block(8, splat.assignments(plan.finish)),
        gradients=block(
            8, (f"G[i, {k}] = {splat.number(plan.gradients[c])}" for k, c in enumerate(columns))
        ),
    )
    return Source(text, columns, len(uniforms), len(leaves))


_TEMPLATE = '''\
"""Kernels of one footprint, written by artgen; delete this folder whenever you like."""

import math

import numba as nb
import numpy as np

from artgen.raster.vector_math import *
from artgen.raster.vector_math import FASTMATH

f32 = np.float32
u64 = np.uint64  # unsigned indices are never counted from the end, so loops over them vectorise
NAN, INF = np.float32(np.nan), np.float32(np.inf)
options = dict(fastmath=FASTMATH, error_model="numpy", cache=True, boundscheck=False, nogil=True)
matrix, picture = nb.float32[:, ::1], nb.float32[:, :, ::1]
scene = (matrix, matrix, matrix, matrix, matrix, matrix)
tiles = (nb.int64[::1], nb.int32[::1], nb.uint8[:, ::1], nb.int64, nb.int64)


@nb.njit((matrix, matrix), **options)
def prepare(P, U):
    for i in range(P.shape[0]):
        {prepare}
        {store}


@nb.njit((*scene, picture, *tiles), **options)
def forward(XY, E, U, F, X, Y, out, offset, splat, reach, start, stop):
    columns = X.shape[0]
    A = np.empty({pixels} * (2 + {channels}), np.float32)
    for t in range(start, stop):
        for k in range({pixels}):
            A[k] = X[t % columns, k % {width}]
            A[k + {pixels}] = Y[t // columns, k // {width}]
        A[{pixels} * 2 :] = f32(0)
        for j in range(offset[t], offset[t + 1]):
            i = splat[j]
            cx, cy = XY[i, 0], XY[i, 1]
            e0, e1, e2, e3 = E[i, 0], E[i, 1], E[i, 2], E[i, 3]
            {load}
            {features}
            for k in range(u64(reach[j, 0]) * u64({width}), u64(reach[j, 1]) * u64({width})):
                dx = A[k] - cx
                dy = A[k + u64({pixels})] - cy
                eu = e0 * dx + e1 * dy
                ev = e2 * dx + e3 * dy
                inside = eu * eu + ev * ev <= f32(1)
                {forward}
                w = select(inside, {weight}, f32(0))
                {accumulate}
        top, left = t // columns * {height}, t % columns * {width}
        for c in range({channels}):
            for q in range(min({height}, out.shape[1] - top)):
                for p in range(min({width}, out.shape[2] - left)):
                    out[c, top + q, left + p] = A[(2 + c) * {pixels} + q * {width} + p]


@nb.njit((*scene, picture, *tiles, matrix), **options)
def backward(XY, E, U, F, X, Y, grad, offset, splat, reach, start, stop, S):
    columns = X.shape[0]
    A = np.empty({pixels} * (2 + {channels}), np.float32)
    for t in range(start, stop):
        for k in range({pixels}):
            A[k] = X[t % columns, k % {width}]
            A[k + {pixels}] = Y[t // columns, k // {width}]
        A[{pixels} * 2 :] = f32(0)
        top, left = t // columns * {height}, t % columns * {width}
        for c in range({channels}):
            for q in range(min({height}, grad.shape[1] - top)):
                for p in range(min({width}, grad.shape[2] - left)):
                    A[(2 + c) * {pixels} + q * {width} + p] = grad[c, top + q, left + p]
        for j in range(offset[t], offset[t + 1]):
            i = splat[j]
            cx, cy = XY[i, 0], XY[i, 1]
            e0, e1, e2, e3 = E[i, 0], E[i, 1], E[i, 2], E[i, 3]
            {load}
            {features}
            {zero}
            for k in range(u64(reach[j, 0]) * u64({width}), u64(reach[j, 1]) * u64({width})):
                dx = A[k] - cx
                dy = A[k + u64({pixels})] - cy
                eu = e0 * dx + e1 * dy
                ev = e2 * dx + e3 * dy
                inside = eu * eu + ev * ev <= f32(1)
                g = {incoming}
                {backward}
                w = select(inside, {weight}, f32(0))
                {add}
            {total}


@nb.njit((matrix, matrix, matrix), **options)
def finish(P, L, G):
    for i in range(P.shape[0]):
        {finish}
        {gradients}
'''
