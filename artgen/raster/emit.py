"""A traced footprint as the Python source of its kernels: sums, or splats over one another.

Four functions are written, all float32. What depends on the splat alone is computed once per splat,
in `prepare`; what depends on the pixel runs in one loop over the pixels of a tile, which the
compiler turns into vector instructions. Gradients are linear in what arrives, so `backward` sums
only their factors that depend on the pixel (the *leaves*), and `finish` does the rest once per
splat.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from artgen.primitives import HIDDEN, OPAQUE
from artgen.raster.plan import make_plan
from artgen.raster.program import Component, Program
from artgen.raster.writer import Writer, block

__all__ = ["Source", "emit", "emit_over"]


@dataclass(frozen=True)
class Source:
    """The text of the kernels and the layout of their arrays.

    `columns` are the parameter components in the order in which `prepare` and `finish` take them;
    `prepared` and `leaves` count the prepared values and the sums per splat.
    """

    text: str
    columns: tuple[Component, ...]
    prepared: int
    leaves: int


def emit(program: Program, far: float, channels: int, width: int, height: int) -> Source:
    """Write the additive kernels for tiles of `width` × `height` pixels and `channels` features."""
    writing = _Writing(program, far, channels, width, height)
    return writing.source(
        _SUM,
        accumulate=block(16, (f"{plane} += w * f{c}" for c, plane in enumerate(writing.planes))),
        incoming=" + ".join(f"f{c} * {plane}" for c, plane in enumerate(writing.planes)),
        backward=block(16, writing.pixel.assignments(writing.plan.backward)),
        add=writing.add(f"w * {plane}" for plane in writing.planes),
    )


def emit_over(program: Program, width: int, height: int) -> Source:
    """Write the kernels that lay splats over one another, in order, the first one in front.

    The features of a splat are its colour and its opacity; a picture is the colour and what is
    left of the light from behind. Where that has fallen below `HIDDEN`, nothing more is drawn.
    """
    writing = _Writing(program, 0.0, 4, width, height)
    forward = set(writing.plan.forward)
    # What arrives at the weight depends on the weight itself, which therefore comes first.
    backward = [number for number in writing.plan.backward if number not in forward]
    arriving = (f"share * {plane}" for plane in writing.planes[:3])
    return writing.source(
        _OVER,
        opaque=repr(OPAQUE),
        hidden=repr(HIDDEN),
        backward=block(16, writing.pixel.assignments(backward)),
        add=writing.add([*arriving, "w * change"]),
    )


class _Writing:
    """What both kinds of kernels are written from."""

    def __init__(
        self, program: Program, far: float, channels: int, width: int, height: int
    ) -> None:
        self.program, self.far, self.channels = program, far, channels
        self.width, self.height, self.pixels = width, height, width * height
        self.plan = plan = make_plan(program)
        self.columns, self.leaves = tuple(program.inputs), list(plan.leaves)
        self.pixel = Writer(plan.program)
        self.splat = Writer(
            plan.program,
            {number: f"P[i, {k}]" for k, number in enumerate(program.inputs.values())}
            | {number: f"L[i, {k}]" for k, number in enumerate(plan.leaves.values())},
        )
        self.planes = [f"A[k + u64({(2 + c) * self.pixels})]" for c in range(channels)]

    def add(self, features: Iterable[str]) -> str:
        """Lines that add up the leaves, and the gradients of the features."""
        number = self.pixel.number
        leaves = [f"select(inside, {number(leaf)}, f32(0))" for leaf in self.leaves]
        return block(16, (f"s{k} += {term}" for k, term in enumerate([*leaves, *features])))

    def source(self, loops: str, **lines: str) -> Source:
        """The module with these loops over pixels."""
        plan, pixel, splat = self.plan, self.pixel, self.splat
        every = range(len(self.leaves) + self.channels)
        gradients = (splat.number(plan.gradients[column]) for column in self.columns)
        first = 6 + self.channels
        text = (_HEAD + loops + _FINISH).format(
            pixels=self.pixels,
            width=self.width,
            # Of two rows, which fill a vector of 16 floats: a rest would be computed one by one.
            both=2 * self.width,
            height=self.height,
            channels=self.channels,
            prepare=block(8, splat.assignments(plan.prepare)),
            # One row per splat, because what is read together should lie together.
            store=block(
                8,
                [f"Q[i, {6 + c}] = F[i, {c}]" for c in range(self.channels)]
                + [f"Q[i, {k}] = {splat.number(n)}" for k, n in enumerate(plan.uniforms, first)],
            ),
            features=block(12, (f"f{c} = Q[i, {6 + c}]" for c in range(self.channels))),
            load=block(
                12, (pixel.loaded(n, f"Q[i, {k}]") for k, n in enumerate(plan.uniforms, first))
            ),
            forward=block(16, pixel.assignments(plan.forward)),
            weight=f"{pixel.number(self.program.weight)} - f32({float(self.far)!r})",
            zero=block(12, (f"s{k} = f32(0)" for k in every)),
            total=block(12, (f"S[j, {k}] = s{k}" for k in every)),
            finish=block(8, splat.assignments(plan.finish)),
            gradients=block(8, (f"G[i, {k}] = {text}" for k, text in enumerate(gradients))),
            **lines,
        )
        return Source(text, self.columns, first + len(plan.uniforms), len(self.leaves))


_HEAD = '''\
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
scene = (matrix, matrix, matrix)
tiles = (nb.int64[::1], nb.int32[::1], nb.uint8[:, ::1], nb.int64, nb.int64)


@nb.njit((matrix, matrix, matrix, matrix, matrix), **options)
def prepare(P, XY, E, F, Q):
    for i in range(P.shape[0]):
        {prepare}
        Q[i, 0], Q[i, 1] = XY[i, 0], XY[i, 1]
        Q[i, 2], Q[i, 3], Q[i, 4], Q[i, 5] = E[i, 0], E[i, 1], E[i, 2], E[i, 3]
        {store}
'''

_SUM = """


@nb.njit((*scene, picture, *tiles), **options)
def forward(Q, X, Y, out, offset, splat, reach, start, stop):
    columns = X.shape[0]
    A = np.empty({pixels} * (2 + {channels}), np.float32)
    for t in range(start, stop):
        for k in range({pixels}):
            A[k] = X[t % columns, k % {width}]
            A[k + {pixels}] = Y[t // columns, k // {width}]
        A[{pixels} * 2 :] = f32(0)
        for j in range(offset[t], offset[t + 1]):
            i = splat[j]
            cx, cy = Q[i, 0], Q[i, 1]
            e0, e1, e2, e3 = Q[i, 2], Q[i, 3], Q[i, 4], Q[i, 5]
            {features}
            {load}
            for k in range(u64(reach[j, 0]) * u64({both}), u64(reach[j, 1]) * u64({both})):
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
def backward(Q, X, Y, grad, offset, splat, reach, start, stop, S):
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
            cx, cy = Q[i, 0], Q[i, 1]
            e0, e1, e2, e3 = Q[i, 2], Q[i, 3], Q[i, 4], Q[i, 5]
            {features}
            {load}
            {zero}
            for k in range(u64(reach[j, 0]) * u64({both}), u64(reach[j, 1]) * u64({both})):
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
"""

_OVER = """

OPAQUE, HIDDEN = f32({opaque}), f32({hidden})


@nb.njit((*scene, picture, *tiles, matrix), **options)
def forward(Q, X, Y, out, offset, splat, reach, start, stop, end):
    columns = X.shape[0]
    # Positions, colours, the light that is left, and how many splats it took to hide the rest.
    A = np.empty({pixels} * 7, np.float32)
    for t in range(start, stop):
        for k in range({pixels}):
            A[k] = X[t % columns, k % {width}]
            A[k + {pixels}] = Y[t // columns, k // {width}]
        A[{pixels} * 2 : {pixels} * 5] = f32(0)
        A[{pixels} * 5 : {pixels} * 6] = f32(1)
        A[{pixels} * 6 :] = f32(0)
        for j in range(offset[t], offset[t + 1]):
            i = splat[j]
            cx, cy = Q[i, 0], Q[i, 1]
            e0, e1, e2, e3 = Q[i, 2], Q[i, 3], Q[i, 4], Q[i, 5]
            {features}
            {load}
            for k in range(u64(reach[j, 0]) * u64({both}), u64(reach[j, 1]) * u64({both})):
                dx = A[k] - cx
                dy = A[k + u64({pixels})] - cy
                eu = e0 * dx + e1 * dy
                ev = e2 * dx + e3 * dy
                inside = eu * eu + ev * ev <= f32(1)
                {forward}
                w = select(inside, {weight}, f32(0))
                light = A[k + u64({pixels} * 5)]
                visible = light >= HIDDEN
                number = A[k + u64({pixels} * 6)]
                A[k + u64({pixels} * 6)] = select(visible, f32(j + 1 - offset[t]), number)
                alpha = select(visible, min(max(f3 * w, f32(0)), OPAQUE), f32(0))
                share = light * alpha
                A[k + u64({pixels} * 2)] += share * f0
                A[k + u64({pixels} * 3)] += share * f1
                A[k + u64({pixels} * 4)] += share * f2
                A[k + u64({pixels} * 5)] = light * (f32(1) - alpha)
            if j % 4 == 3:
                clearest = f32(0)
                for k in range({pixels}):
                    clearest = max(clearest, A[k + {pixels} * 5])
                if clearest < HIDDEN:
                    break
        for k in range({pixels}):
            end[t, k] = A[k + {pixels} * 6]
        top, left = t // columns * {height}, t % columns * {width}
        for c in range(4):
            for q in range(min({height}, out.shape[1] - top)):
                for p in range(min({width}, out.shape[2] - left)):
                    out[c, top + q, left + p] = A[(2 + c) * {pixels} + q * {width} + p]


@nb.njit((*scene, picture, *tiles, matrix, matrix, picture), **options)
def backward(Q, X, Y, grad, offset, splat, reach, start, stop, S, end, image):
    columns = X.shape[0]
    # Positions, what arrives at the colours, the light that gets to a splat, what is behind it,
    # and how many splats are visible.
    A = np.empty({pixels} * 8, np.float32)
    for t in range(start, stop):
        for k in range({pixels}):
            A[k] = X[t % columns, k % {width}]
            A[k + {pixels}] = Y[t // columns, k // {width}]
        A[{pixels} * 2 :] = f32(0)
        top, left = t // columns * {height}, t % columns * {width}
        for q in range(min({height}, grad.shape[1] - top)):
            for p in range(min({width}, grad.shape[2] - left)):
                k = q * {width} + p
                for c in range(3):
                    A[(2 + c) * {pixels} + k] = grad[c, top + q, left + p]
                A[5 * {pixels} + k] = image[3, top + q, left + p]
                A[6 * {pixels} + k] = image[3, top + q, left + p] * grad[3, top + q, left + p]
        most = f32(0)
        for k in range({pixels}):
            A[7 * {pixels} + k] = end[t, k]
            most = max(most, end[t, k])
        last = offset[t] + np.int64(most)
        for j in range(last, offset[t + 1]):
            for k in range(S.shape[1]):
                S[j, k] = f32(0)
        for j in range(last - 1, offset[t] - 1, -1):
            i = splat[j]
            cx, cy = Q[i, 0], Q[i, 1]
            e0, e1, e2, e3 = Q[i, 2], Q[i, 3], Q[i, 4], Q[i, 5]
            {features}
            {load}
            {zero}
            for k in range(u64(reach[j, 0]) * u64({both}), u64(reach[j, 1]) * u64({both})):
                dx = A[k] - cx
                dy = A[k + u64({pixels})] - cy
                eu = e0 * dx + e1 * dy
                ev = e2 * dx + e3 * dy
                visible = f32(j - offset[t]) < A[k + u64({pixels} * 7)]
                inside = (eu * eu + ev * ev <= f32(1)) & visible
                {forward}
                w = select(inside, {weight}, f32(0))
                alpha = min(max(f3 * w, f32(0)), OPAQUE)
                clear = f32(1) / (f32(1) - alpha)
                light = A[k + u64({pixels} * 5)] * clear
                colour = f0 * A[k + u64({pixels} * 2)] + f1 * A[k + u64({pixels} * 3)]
                colour += f2 * A[k + u64({pixels} * 4)]
                behind = A[k + u64({pixels} * 6)]
                free = (f3 * w >= f32(0)) & (f3 * w <= OPAQUE)
                change = select(free, light * colour - behind * clear, f32(0))
                share = light * alpha
                A[k + u64({pixels} * 5)] = light
                A[k + u64({pixels} * 6)] = behind + share * colour
                g = f3 * change
                {backward}
                {add}
            {total}
"""

_FINISH = """


@nb.njit((matrix, matrix, matrix), **options)
def finish(P, L, G):
    for i in range(P.shape[0]):
        {finish}
        {gradients}
"""
