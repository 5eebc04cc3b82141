"""Kernels written by hand, as a reference for the generated ones.

A Gaussian and a `Superellipse`, with derivatives worked out on paper, and the same means as the
generated ones: the same lists of splats for tiles of 8 × 32 pixels and of the rows they reach
there, float32, vectorised functions, sums per pair of tile and splat. Gradients leave a pixel as
the few sums they can be made of, and are finished once per splat.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numba as nb
import numpy as np
import torch
from torch import Tensor

from artgen import Canvas, Splat
from artgen.compiler.vector_math import FASTMATH, atan2, cos, exp, log, select, sigmoid, sin
from artgen.families.splat.cpu import TileGrid, Workspace
from artgen.families.splat.tiles import find_extent
from benchmarks.superellipse import EPSILON, WAVES

WIDTH, HEIGHT = 8, 32
PIXELS = WIDTH * HEIGHT
BOTH = np.uint64(2 * WIDTH)  # the pixels of two rows
f32 = np.float32
u64 = np.uint64  # loops over unsigned indices vectorise: they are never counted from the end

serial = nb.njit(cache=True, error_model="numpy", fastmath=FASTMATH)
parallel = nb.njit(cache=True, error_model="numpy", fastmath=FASTMATH, parallel=True)
inline = nb.njit(forceinline=True, error_model="numpy", fastmath=FASTMATH)


@dataclass(frozen=True)
class Kernels:
    """One footprint: its names of parameters, and functions of arrays.

    `prepare` makes what a pixel needs of a splat from its parameters, `finish` makes gradients of
    the parameters from the `sums` that `backward` takes over the pixels (three more are those of
    the colour).
    """

    names: tuple[str, ...]
    prepare: Callable[..., Any]
    forward: Callable[..., Any]
    backward: Callable[..., Any]
    finish: Callable[..., Any]
    sums: int


def paint_by_hand(
    kernels: Kernels, splat: Splat, tensors: Mapping[str, Tensor], canvas: Canvas
) -> Tensor:
    """The picture on black, float32 [3, height, width], differentiable in `tensors`."""
    extent = find_extent(splat, tensors)
    parameters = torch.cat([tensors[name].reshape(-1, len(extent.angle)) for name in kernels.names])
    return _Paint.apply(parameters, tensors["colour"], extent, kernels, canvas)


class _Paint(torch.autograd.Function):
    @staticmethod
    def forward(ctx, parameters, colour, extent, kernels, canvas):
        nb.set_num_threads(min(torch.get_num_threads(), nb.config.NUMBA_NUM_THREADS))
        P = parameters.detach().t().contiguous().numpy()
        F = colour.detach().t().contiguous().numpy()
        U = kernels.prepare(P)
        E, *tiles = list_by_hand(np.ascontiguousarray(P[:, :2]), extent, canvas)
        image = np.empty((3, canvas.height, canvas.width), f32)
        scene = (P, E, U, F, *tiles, f32(min(canvas.width, canvas.height)))
        kernels.forward(*scene, image)
        ctx.scene, ctx.kernels = scene, kernels
        return torch.from_numpy(image)

    @staticmethod
    def backward(ctx, incoming):
        P, _, U, _, _, index, *_ = ctx.scene
        pairs = np.empty((len(index), ctx.kernels.sums + 3), f32)
        ctx.kernels.backward(*ctx.scene, incoming.contiguous().numpy(), pairs)
        S = sum_by_hand(index, pairs, len(P))
        parameters = torch.from_numpy(ctx.kernels.finish(P, U, S))
        colour = torch.from_numpy(np.ascontiguousarray(S[:, ctx.kernels.sums :].T))
        return parameters.t(), colour, None, None, None


def list_by_hand(centres, extent, canvas):
    """Frames, where the splats of every tile start, the splats, and the rows they reach there."""
    rows = np.concatenate([centres, torch.stack(extent, dim=1).numpy()], axis=1)
    frame = np.empty((len(rows), 6), np.float32)
    given = rows, 0, 2, frame, [(0, len(rows))], Workspace()
    pairs = TileGrid(canvas).list_pairs(*given, lambda start, stop: None)
    return np.ascontiguousarray(frame[:, 2:]), pairs.offset, pairs.splat, pairs.reach


@serial
def sum_by_hand(index, pairs, count):
    """The pairs' contributions to every splat, in the order of the pairs."""
    S = np.zeros((count, pairs.shape[1]), f32)
    for j in range(len(index)):
        for k in range(pairs.shape[1]):
            S[index[j], k] += pairs[j, k]
    return S


@inline
def centres(X, Y, t, columns, width, height, shorter):
    """Fill in the positions of the pixels of tile `t`."""
    for k in range(PIXELS):
        X[k] = f32(2 * (t % columns * WIDTH + k % WIDTH) + 1 - width) / shorter
        Y[k] = f32(2 * (t // columns * HEIGHT + k // WIDTH) + 1 - height) / shorter


@inline
def within(dx, dy, e0, e1, e2, e3):
    """Whether an offset lies in the ellipse of a splat."""
    u, v = e0 * dx + e1 * dy, e2 * dx + e3 * dy
    return u * u + v * v <= f32(1)


@inline
def store(A, image, t, columns):
    """A tile's pixels [3, 256] into the picture, where they lie in it."""
    for q in range(min(HEIGHT, image.shape[1] - t // columns * HEIGHT)):
        for p in range(min(WIDTH, image.shape[2] - t % columns * WIDTH)):
            for c in range(3):
                y, x = t // columns * HEIGHT + q, t % columns * WIDTH + p
                image[c, y, x] = A[c, q * WIDTH + p]


@inline
def fetch(A, image, t, columns):
    """The opposite of `store`; zero outside the picture."""
    A[:] = 0
    for q in range(min(HEIGHT, image.shape[1] - t // columns * HEIGHT)):
        for p in range(min(WIDTH, image.shape[2] - t % columns * WIDTH)):
            for c in range(3):
                y, x = t // columns * HEIGHT + q, t % columns * WIDTH + p
                A[c, q * WIDTH + p] = image[c, y, x]


# The Gaussian: w = exp(a·dx² + b·dx·dy + c·dy²); P is x, y, scale 0, scale 1, angle.


@serial
def gaussian_prepare(P):
    U = np.empty((len(P), 3), f32)
    for i in range(len(P)):
        c, s = math.cos(P[i, 4]), math.sin(P[i, 4])
        p, q = f32(1) / (P[i, 2] * P[i, 2]), f32(1) / (P[i, 3] * P[i, 3])
        U[i, 0] = f32(-0.5) * (c * c * p + s * s * q)
        U[i, 1] = c * s * (q - p)
        U[i, 2] = f32(-0.5) * (s * s * p + c * c * q)
    return U


@parallel
def gaussian_forward(P, E, U, F, offset, index, reach, shorter, image):
    columns = -(-image.shape[2] // WIDTH)
    for t in nb.prange(len(offset) - 1):
        X, Y, A = np.empty(PIXELS, f32), np.empty(PIXELS, f32), np.zeros((3, PIXELS), f32)
        red, green, blue = A[0], A[1], A[2]
        centres(X, Y, t, columns, image.shape[2], image.shape[1], shorter)
        for j in range(offset[t], offset[t + 1]):
            i = index[j]
            x, y, e0, e1, e2, e3 = P[i, 0], P[i, 1], E[i, 0], E[i, 1], E[i, 2], E[i, 3]
            a, b, c = U[i, 0], U[i, 1], U[i, 2]
            fr, fg, fb = F[i, 0], F[i, 1], F[i, 2]
            for k in range(u64(reach[j, 0]) * BOTH, u64(reach[j, 1]) * BOTH):
                dx, dy = X[k] - x, Y[k] - y
                w = exp(a * dx * dx + (b * dx + c * dy) * dy)
                w = select(within(dx, dy, e0, e1, e2, e3), w, f32(0))
                red[k] += w * fr
                green[k] += w * fg
                blue[k] += w * fb
        store(A, image, t, columns)


@parallel
def gaussian_backward(P, E, U, F, offset, index, reach, shorter, incoming, pairs):
    columns = -(-incoming.shape[2] // WIDTH)
    for t in nb.prange(len(offset) - 1):
        X, Y, A = np.empty(PIXELS, f32), np.empty(PIXELS, f32), np.empty((3, PIXELS), f32)
        red, green, blue = A[0], A[1], A[2]
        centres(X, Y, t, columns, incoming.shape[2], incoming.shape[1], shorter)
        fetch(A, incoming, t, columns)
        for j in range(offset[t], offset[t + 1]):
            i = index[j]
            x, y, e0, e1, e2, e3 = P[i, 0], P[i, 1], E[i, 0], E[i, 1], E[i, 2], E[i, 3]
            a, b, c = U[i, 0], U[i, 1], U[i, 2]
            fr, fg, fb = F[i, 0], F[i, 1], F[i, 2]
            gx = gy = gxx = gxy = gyy = gr = gg = gb = f32(0)
            for k in range(u64(reach[j, 0]) * BOTH, u64(reach[j, 1]) * BOTH):
                dx, dy = X[k] - x, Y[k] - y
                w = exp(a * dx * dx + (b * dx + c * dy) * dy)
                w = select(within(dx, dy, e0, e1, e2, e3), w, f32(0))
                g = w * (red[k] * fr + green[k] * fg + blue[k] * fb)
                gx += g * dx
                gy += g * dy
                gxx += g * dx * dx
                gxy += g * dx * dy
                gyy += g * dy * dy
                gr += w * red[k]
                gg += w * green[k]
                gb += w * blue[k]
            pairs[j, 0], pairs[j, 1] = gx, gy
            pairs[j, 2], pairs[j, 3], pairs[j, 4] = gxx, gxy, gyy
            pairs[j, 5], pairs[j, 6], pairs[j, 7] = gr, gg, gb


@serial
def gaussian_finish(P, U, S):
    G = np.empty((len(P), 5), f32)
    for i in range(len(P)):
        a, b, c = U[i, 0], U[i, 1], U[i, 2]
        co, si = math.cos(P[i, 4]), math.sin(P[i, 4])
        p, q = f32(1) / (P[i, 2] * P[i, 2]), f32(1) / (P[i, 3] * P[i, 3])
        gxx, gxy, gyy = S[i, 2], S[i, 3], S[i, 4]
        G[i, 0] = -(f32(2) * a * S[i, 0] + b * S[i, 1])
        G[i, 1] = -(b * S[i, 0] + f32(2) * c * S[i, 1])
        G[i, 2] = (co * co * gxx + f32(2) * co * si * gxy + si * si * gyy) * p / P[i, 2]
        G[i, 3] = (si * si * gxx - f32(2) * co * si * gxy + co * co * gyy) * q / P[i, 3]
        G[i, 4] = (q - p) * (co * si * (gyy - gxx) + (co * co - si * si) * gxy)
    return G


GAUSSIAN = Kernels(
    ("xy", "scale", "angle"),
    gaussian_prepare,
    gaussian_forward,
    gaussian_backward,
    gaussian_finish,
    sums=5,
)

# The superellipse: P is x, y, scale 0, scale 1, angle, exponent, wave, phase, sharpness.


@serial
def superellipse_prepare(P):
    """u = U0·dx + U1·dy and v = U2·dx + U3·dy; then exponent, its inverse, and the rest of P."""
    U = np.empty((len(P), 9), f32)
    for i in range(len(P)):
        c, s = math.cos(P[i, 4]), math.sin(P[i, 4])
        U[i, 0], U[i, 1] = c / P[i, 2], s / P[i, 2]
        U[i, 2], U[i, 3] = -s / P[i, 3], c / P[i, 3]
        U[i, 4], U[i, 5] = P[i, 5], f32(1) / P[i, 5]
        U[i, 6], U[i, 7], U[i, 8] = P[i, 6], P[i, 7], P[i, 8]
    return U


@parallel
def superellipse_forward(P, E, U, F, offset, index, reach, shorter, image):
    columns = -(-image.shape[2] // WIDTH)
    for t in nb.prange(len(offset) - 1):
        X, Y, A = np.empty(PIXELS, f32), np.empty(PIXELS, f32), np.zeros((3, PIXELS), f32)
        red, green, blue = A[0], A[1], A[2]
        centres(X, Y, t, columns, image.shape[2], image.shape[1], shorter)
        for j in range(offset[t], offset[t + 1]):
            i = index[j]
            x, y, e0, e1, e2, e3 = P[i, 0], P[i, 1], E[i, 0], E[i, 1], E[i, 2], E[i, 3]
            ux, uy, vx, vy = U[i, 0], U[i, 1], U[i, 2], U[i, 3]
            n, m, wave, phase, h = U[i, 4], U[i, 5], U[i, 6], U[i, 7], U[i, 8]
            fr, fg, fb = F[i, 0], F[i, 1], F[i, 2]
            for k in range(u64(reach[j, 0]) * BOTH, u64(reach[j, 1]) * BOTH):
                dx, dy = X[k] - x, Y[k] - y
                u, v = ux * dx + uy * dy, vx * dx + vy * dy
                angle = f32(WAVES) * atan2(v, u + f32(EPSILON)) + phase
                powers = exp(n * log(abs(u) + f32(EPSILON))) + exp(n * log(abs(v) + f32(EPSILON)))
                w = sigmoid(h * (f32(1) + wave * sin(angle) - exp(m * log(powers))))
                w = select(within(dx, dy, e0, e1, e2, e3), w, f32(0))
                red[k] += w * fr
                green[k] += w * fg
                blue[k] += w * fb
        store(A, image, t, columns)


@parallel
def superellipse_backward(P, E, U, F, offset, index, reach, shorter, incoming, pairs):
    columns = -(-incoming.shape[2] // WIDTH)
    for t in nb.prange(len(offset) - 1):
        X, Y, A = np.empty(PIXELS, f32), np.empty(PIXELS, f32), np.empty((3, PIXELS), f32)
        red, green, blue = A[0], A[1], A[2]
        centres(X, Y, t, columns, incoming.shape[2], incoming.shape[1], shorter)
        fetch(A, incoming, t, columns)
        for j in range(offset[t], offset[t + 1]):
            i = index[j]
            x, y, e0, e1, e2, e3 = P[i, 0], P[i, 1], E[i, 0], E[i, 1], E[i, 2], E[i, 3]
            ux, uy, vx, vy = U[i, 0], U[i, 1], U[i, 2], U[i, 3]
            n, m, wave, phase, h = U[i, 4], U[i, 5], U[i, 6], U[i, 7], U[i, 8]
            fr, fg, fb = F[i, 0], F[i, 1], F[i, 2]
            gu = gv = guu = guv = gvu = gvv = gn = gs = gc = gh = gr = gg = gb = f32(0)
            for k in range(u64(reach[j, 0]) * BOTH, u64(reach[j, 1]) * BOTH):
                dx, dy = X[k] - x, Y[k] - y
                inside = within(dx, dy, e0, e1, e2, e3)
                u, v = ux * dx + uy * dy, vx * dx + vy * dy
                e = u + f32(EPSILON)
                angle = f32(WAVES) * atan2(v, e) + phase
                sine, cosine = sin(angle), cos(angle)
                log_u, log_v = log(abs(u) + f32(EPSILON)), log(abs(v) + f32(EPSILON))
                power_u, power_v = exp(n * log_u), exp(n * log_v)
                powers = power_u + power_v
                log_powers = log(powers)
                edge = exp(m * log_powers)
                height = f32(1) + wave * sine - edge
                w = select(inside, sigmoid(h * height), f32(0))
                g = w * (f32(1) - w) * (red[k] * fr + green[k] * fg + blue[k] * fb)
                # Derivatives of `height` by u and v: through the angle, and through the edge.
                turn = f32(WAVES) * wave * cosine / (e * e + v * v)
                share = edge / powers
                slope_u = share * power_u / (abs(u) + f32(EPSILON))
                slope_v = share * power_v / (abs(v) + f32(EPSILON))
                du = g * (-turn * v - select(u < f32(0), -slope_u, slope_u))
                dv = g * (turn * e - select(v < f32(0), -slope_v, slope_v))
                gu += du
                gv += dv
                guu += du * u
                guv += du * v
                gvu += dv * u
                gvv += dv * v
                gn += g * (edge * log_powers * m - share * (power_u * log_u + power_v * log_v))
                gs += g * sine
                gc += g * cosine
                gh += g * height
                gr += w * red[k]
                gg += w * green[k]
                gb += w * blue[k]
            pairs[j, 0], pairs[j, 1], pairs[j, 2], pairs[j, 3] = gu, gv, guu, guv
            pairs[j, 4], pairs[j, 5], pairs[j, 6], pairs[j, 7] = gvu, gvv, gn, gs
            pairs[j, 8], pairs[j, 9] = gc, gh
            pairs[j, 10], pairs[j, 11], pairs[j, 12] = gr, gg, gb


@serial
def superellipse_finish(P, U, S):
    G = np.empty((len(P), 9), f32)
    for i in range(len(P)):
        h, ratio = P[i, 8], P[i, 3] / P[i, 2]
        G[i, 0] = -h * (U[i, 0] * S[i, 0] + U[i, 2] * S[i, 1])
        G[i, 1] = -h * (U[i, 1] * S[i, 0] + U[i, 3] * S[i, 1])
        G[i, 2] = -h * S[i, 2] / P[i, 2]
        G[i, 3] = -h * S[i, 5] / P[i, 3]
        G[i, 4] = h * (S[i, 3] * ratio - S[i, 4] / ratio)
        G[i, 5] = h * S[i, 6] * U[i, 5]
        G[i, 6] = h * S[i, 7]
        G[i, 7] = h * P[i, 6] * S[i, 8]
        G[i, 8] = S[i, 9]
    return G


SUPERELLIPSE = Kernels(
    ("xy", "scale", "angle", "exponent", "wave", "phase", "sharpness"),
    superellipse_prepare,
    superellipse_forward,
    superellipse_backward,
    superellipse_finish,
    sums=10,
)
