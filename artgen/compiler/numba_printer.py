"""A traced footprint as the Python source of its kernels: sums, or splats over one another.

Four functions are written, all float32. `prepare` computes once per splat what depends on the splat
alone. `forward` computes the rest in one loop over the pixels of a tile, which the compiler turns
into vector instructions. Gradients are linear in the incoming gradient, so `backward` sums only
their factors that depend on the pixel (the *leaves*), and `finish` does the rest once per splat.

Names in the kernels, for N splats, T tiles, J pairs of a tile and a splat, and C features:

    P   parameters and features [N, ≥ columns + C]
    Q   prepared values [N, prepared]        i     number of a splat
    T   constants that are looked up         j     number of a pair
    X   x of pixels [tile columns, width]    k     number of a pixel of the tile, or of a value
    Y   y of pixels [tile rows, height]      t     number of a tile
    S   sums per pair [J, sums]              c     number of a feature
    L   sums per splat [N, sums]             q, p  row and column of a pixel in the tile
    G   gradients [N, columns + C]           f0    first feature of the splat, and so on
    A   planes of the tile [planes, pixels]  s0    first sum of the pair, and so on
                                             v7    value 7 of the `IR`
                                             e0    first number of the inverse ellipse, and so on
                                             w, g  the weight, and the gradient that arrives at it
                                             h0    the gradient at the first colour, and so on
    (cx, cy) is the centre, (dx, dy) the offset from it, (eu, ev) the offset in half axes

A row of Q begins with the centre and the inverse ellipse, which `raster.common_kernels` write.
`offset` [T + 1] is where the pairs of each tile begin, `splat` [J] the splat of each pair, and
`reach` [J, 2] the first pair of rows that its ellipse touches in the tile, and the end of them.
"""

from __future__ import annotations

from dataclasses import replace

from artgen.compiler.ir import IR
from artgen.compiler.printer import KernelParts, Printer, Source, block
from artgen.primitives import HIDDEN, OPAQUE


def emit(ir: IR, far: float, channels: int, width: int, height: int) -> Source:
    """Write the additive kernels for tiles of `width` × `height` pixels and `channels` features."""
    kernels = _Kernels(ir, far, channels, width, height)
    features, planes, beside = kernels.features, kernels.planes, kernels.beside()
    accumulate = (f"{p} += w * {f}" for f, p in zip(features, planes, strict=True))
    if beside is not None and far == 0:
        incoming = " + ".join(f"{f} * {p}" for f, p in zip(features, planes, strict=True))
        added = kernels.terms("s{k} += {term}", (f"w * {p}" for p in planes), masked=False)
        source = kernels.source(
            _FORWARD + _KEPT,
            accumulate=block(16, accumulate),
            backward=block(16, [f"g = {incoming}", *beside]),
            add=block(16, added),
        )
        return replace(source, keeps=True)
    arriving = (kernels.coloured(c, f"w * {plane}") for c, plane in enumerate(planes))
    return kernels.source(
        _FORWARD + _SUM,
        accumulate=block(16, accumulate),
        backward=block(16, kernels.backward_of_sum(kernels.weight, planes)),
        add=block(16, kernels.terms("s{k} += {term}", arriving)),
    )


def emit_over(ir: IR, width: int, height: int) -> Source:
    """Write the kernels that lay splats over one another, in order, the first one in front.

    The features of a splat are its colour and its opacity; a picture is the colour and what is
    left of the light from behind. Where that has fallen below `HIDDEN`, nothing more is drawn.
    """
    kernels = _Kernels(ir, 0.0, 4, width, height)
    arriving = [f"share * {plane}" for plane in kernels.planes[:3]]
    return kernels.source(
        _OVER,
        opaque=repr(OPAQUE),
        hidden=repr(HIDDEN),
        **kernels.colour,
        # What arrives at the weight depends on the weight itself, which therefore comes first.
        backward=block(16, kernels.backward_after_forward(arriving)),
        add=block(
            16,
            kernels.terms(
                "s{k} += {term}", [*map(kernels.coloured, range(3), arriving), "w * change"]
            ),
        ),
    )


class _Kernels(KernelParts):
    """The parts that both kinds of kernels are printed from."""

    def __init__(self, ir: IR, far: float, channels: int, width: int, height: int) -> None:
        super().__init__(Printer, ir, channels, "P[i, {}]", "L[i, {}]")
        pixels = width * height
        weight = f"{self.pixel.number(ir.weight)} - f32({float(far)!r})"
        # Of two rows, which fill a vector of 16 floats: a rest would be computed one by one.
        self.sizes = {"pixels": pixels, "width": width, "both": 2 * width, "height": height}
        self.weight = f"select(inside, {weight}, f32(0))"
        self.planes = [f"A[k + u64({(2 + c) * pixels})]" for c in range(channels)]

    def source(self, loops: str, **lines: str) -> Source:
        """The module with these loops over pixels."""
        schedule, channels, every = self.schedule, range(self.channels), range(self.sums)
        first = 6 + self.channels
        uniforms = list(enumerate(schedule.uniforms, first))
        # One row per splat, because what is read together should lie together.
        store = [f"Q[i, {6 + c}] = P[i, {len(self.columns) + c}]" for c in channels]
        store += [f"Q[i, {k}] = {self.splat.number(n)}" for k, n in uniforms]
        load = [f"f{c} = Q[i, {6 + c}]" for c in channels]
        load += [self.pixel.loaded(n, f"Q[i, {k}]") for k, n in uniforms]
        totals = [*self.gradients, *(f"L[i, {self.leaves + c}]" for c in channels)]
        gradients = (
            f"G[i, {k}] = select(touched[i] > 0, {n}, f32(0))" for k, n in enumerate(totals)
        )
        shared = {"channels": self.channels, "load": block(12, load), **self.sizes}
        shared |= dict.fromkeys(("table", "table_type", "fetch"), "")
        if len(schedule.ir.table):
            shared |= {"table": ", T", "table_type": ", nb.float32[::1]", "fetch": _FETCH}
        shared |= {name: text.format(**shared) for name, text in _SHARED.items()}
        text = (_HEAD + loops + _FINISH).format(
            **shared,
            prepare=block(8, self.splat.assignments(schedule.prepare)),
            store=block(8, store),
            forward=block(16, self.forward()),
            weight=self.weight,
            zero=block(12, (f"s{k} = f32(0)" for k in every)),
            total=block(12, (f"S[j, {k}] = s{k}" for k in every)),
            finish=block(8, self.splat.assignments(schedule.finish)),
            gradients=block(8, gradients),
            **lines,
        )
        return Source(text, self.columns, first + len(schedule.uniforms), self.leaves)


_HEAD = '''\
"""Kernels of one footprint, written by artgen; delete this folder whenever you like."""

import math

import numba as nb
import numpy as np

from artgen.compiler.jit import internal, options
from artgen.compiler.vector_math import *

f32 = np.float32
u64 = np.uint64  # unsigned indices are never counted from the end, so loops over them vectorise
NAN, INF = np.float32(np.nan), np.float32(np.inf)
options = {{**options, "fastmath": FASTMATH}}
matrix, picture = nb.float32[:, ::1], nb.float32[:, :, ::1]
positions = (matrix, matrix, matrix{table_type})
tiles = (nb.int64[::1], nb.int32[::1], nb.uint8[:, ::1], nb.int64, nb.int64){fetch}


@nb.njit((matrix, matrix{table_type}, nb.int64, nb.int64), **options)
def prepare(P, Q{table}, start, stop):
    for i in range(start, stop):
        {prepare}
        {store}
'''

_FETCH = """


@nb.njit(forceinline=True, **internal)
def fetch(T, place):
    # Whatever a NaN becomes, what is read is inside.
    return T[u64(min(max(np.int32(place), np.int32(0)), np.int32(T.size - 1)))]"""
"""How constants are looked up in the table T, for footprints that have one."""

_SHARED = {
    "tile": """\
across, down = X[t % columns], Y[t // columns]
        for q in range(u64({height})):
            for p in range(u64({width})):
                A[q * u64({width}) + p] = across[p]
                A[q * u64({width}) + p + u64({pixels})] = down[q]""",
    "visit": """\
i = splat[j]
            cx, cy = Q[i, 0], Q[i, 1]
            e0, e1, e2, e3 = Q[i, 2], Q[i, 3], Q[i, 4], Q[i, 5]
            {load}
            for k in range(u64(reach[j, 0]) * u64({both}), u64(reach[j, 1]) * u64({both})):
                dx = A[k] - cx
                dy = A[k + u64({pixels})] - cy
                eu = e0 * dx + e1 * dy
                ev = e2 * dx + e3 * dy""",
    "visit_again": """\
i = splat[j]
            cx, cy = Q[i, 0], Q[i, 1]
            {load}
            for k in range(u64(reach[j, 0]) * u64({both}), u64(reach[j, 1]) * u64({both})):
                dx = A[k] - cx
                dy = A[k + u64({pixels})] - cy""",
    "write": """\
top, left = t // columns * {height}, t % columns * {width}
        for c in range({channels}):
            for q in range(min({height}, out.shape[1] - top)):
                for p in range(min({width}, out.shape[2] - left)):
                    out[c, top + q, left + p] = A[(2 + c) * {pixels} + q * {width} + p]""",
}
"""What loops begin and end with: the pixels of tile t; pair j and a loop over its pixels; `out`."""

_FORWARD = """


@nb.njit((*positions, picture, *tiles), **options)
def forward(Q, X, Y{table}, out, offset, splat, reach, start, stop):
    columns = X.shape[0]
    A = np.empty({pixels} * (2 + {channels}), np.float32)
    for t in range(start, stop):
        {tile}
        A[{pixels} * 2 :] = f32(0)
        for j in range(offset[t], offset[t + 1]):
            {visit}
                inside = eu * eu + ev * ev <= f32(1)
                {forward}
                w = {weight}
                {accumulate}
        {write}
"""

_SUM = """


@nb.njit((*positions, picture, *tiles, matrix), **options)
def backward(Q, X, Y{table}, grad, offset, splat, reach, start, stop, S):
    columns = X.shape[0]
    A = np.empty({pixels} * (2 + {channels}), np.float32)
    for t in range(start, stop):
        {tile}
        A[{pixels} * 2 :] = f32(0)
        top, left = t // columns * {height}, t % columns * {width}
        for c in range({channels}):
            for q in range(min({height}, grad.shape[1] - top)):
                for p in range(min({width}, grad.shape[2] - left)):
                    A[(2 + c) * {pixels} + q * {width} + p] = grad[c, top + q, left + p]
        for j in range(offset[t], offset[t + 1]):
            {zero}
            {visit}
                inside = eu * eu + ev * ev <= f32(1)
                {backward}
                {add}
            {total}
"""

_KEPT = """


@nb.njit(
    (*positions, picture, *tiles, matrix, picture, nb.float32[::1], nb.float64[::1]), **options
)
def backward(Q, X, Y{table}, grad, offset, splat, reach, start, stop, S, goal, base, errors):
    columns = X.shape[0]
    A = np.empty({pixels} * (2 + {channels}), np.float32)
    most = 0
    for t in range(start, stop):
        pairs = 0
        for j in range(offset[t], offset[t + 1]):
            pairs += reach[j, 1] - reach[j, 0]
        most = max(most, pairs)
    W = np.empty(most * {both}, np.float32)
    for t in range(start, stop):
        {tile}
        A[{pixels} * 2 :] = f32(0)
        free = u64(0)
        for j in range(offset[t], offset[t + 1]):
            kept = free - u64(reach[j, 0]) * u64({both})
            free = kept + u64(reach[j, 1]) * u64({both})
            {visit}
                inside = eu * eu + ev * ev <= f32(1)
                {forward}
                w = {weight}
                W[k + kept] = w
                {accumulate}
        top, left = t // columns * {height}, t % columns * {width}
        error = 0.0
        for c in range(u64({channels} if len(goal) else 0)):
            for k in range(u64({pixels})):
                place, part = (c + u64(2)) * u64({pixels}) + k, goal[t, {channels}, k]
                difference = A[place] - goal[t, c, k] + base[c]
                arriving = select(part == f32(0), f32(0), difference * part)
                error += difference * arriving
                A[place] = arriving
        for q in range(0 if len(goal) else {height}):
            for p in range({width}):
                seen = top + q < grad.shape[1] and left + p < grad.shape[2]
                for c in range({channels}):
                    k = (2 + c) * {pixels} + q * {width} + p
                    A[k] = grad[c, top + q, left + p] if seen else f32(0)
        errors[t] = error
        free = u64(0)
        for j in range(offset[t], offset[t + 1]):
            kept = free - u64(reach[j, 0]) * u64({both})
            free = kept + u64(reach[j, 1]) * u64({both})
            {zero}
            {visit_again}
                w = W[k + kept]
                {backward}
                {add}
            {total}
"""
"""For footprints whose sums all have the weight as a factor: it is computed once and kept.

`grad` is what arrives at the picture. If there is a `goal` [T, C + 1, pixels], the pictures of the
tiles and a share of each pixel, this is the share times the difference from it, and `errors` [T]
are sums of that times the difference. `base` [C] is added to the picture first.
"""

_OVER = """

OPAQUE, HIDDEN = f32({opaque}), f32({hidden})


@nb.njit((*positions, picture, *tiles, matrix), **options)
def forward(Q, X, Y{table}, out, offset, splat, reach, start, stop, end):
    columns = X.shape[0]
    # Positions, colours, the light that is left, and how many splats it took to hide the rest.
    A = np.empty({pixels} * 7, np.float32)
    for t in range(start, stop):
        {tile}
        A[{pixels} * 2 : {pixels} * 5] = f32(0)
        A[{pixels} * 5 : {pixels} * 6] = f32(1)
        A[{pixels} * 6 :] = f32(0)
        for j in range(offset[t], offset[t + 1]):
            {visit}
                inside = eu * eu + ev * ev <= f32(1)
                {forward}
                w = {weight}
                light = A[k + u64({pixels} * 5)]
                visible = light >= HIDDEN
                number = A[k + u64({pixels} * 6)]
                A[k + u64({pixels} * 6)] = select(visible, f32(j + 1 - offset[t]), number)
                alpha = select(visible, min(max(f3 * w, f32(0)), OPAQUE), f32(0))
                share = light * alpha
                A[k + u64({pixels} * 2)] += share * {red}
                A[k + u64({pixels} * 3)] += share * {green}
                A[k + u64({pixels} * 4)] += share * {blue}
                A[k + u64({pixels} * 5)] = light * (f32(1) - alpha)
            if j % 4 == 3:
                clearest = f32(0)
                for k in range({pixels}):
                    clearest = max(clearest, A[k + {pixels} * 5])
                if clearest < HIDDEN:
                    break
        for k in range({pixels}):
            end[t, k] = A[k + {pixels} * 6]
        {write}


@nb.njit((*positions, picture, *tiles, matrix, matrix, picture), **options)
def backward(Q, X, Y{table}, grad, offset, splat, reach, start, stop, S, end, image):
    columns = X.shape[0]
    # Positions, what arrives at the colours, the light that gets to a splat, what is behind it,
    # and how many splats are visible.
    A = np.empty({pixels} * 8, np.float32)
    for t in range(start, stop):
        {tile}
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
            {zero}
            {visit}
                visible = f32(j - offset[t]) < A[k + u64({pixels} * 7)]
                inside = (eu * eu + ev * ev <= f32(1)) & visible
                {forward}
                w = {weight}
                alpha = min(max(f3 * w, f32(0)), OPAQUE)
                clear = f32(1) / (f32(1) - alpha)
                light = A[k + u64({pixels} * 5)] * clear
                colour = {red} * A[k + u64({pixels} * 2)] + {green} * A[k + u64({pixels} * 3)]
                colour += {blue} * A[k + u64({pixels} * 4)]
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


@nb.njit((matrix, matrix, nb.int32[::1], matrix{table_type}, nb.int64, nb.int64), **options)
def finish(P, L, touched, G{table}, start, stop):
    # Splats that touch no tile have gradient 0, even where a factor is not finite.
    for i in range(start, stop):
        {finish}
        {gradients}
"""
