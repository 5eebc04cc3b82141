"""Triton kernels of small networks, all in float32.

Products of matrices are sums of three in TF32, which on tensor cores are nearly as exact as
float32.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def forward(
    value,
    weights,
    biases,
    kept,
    out,
    count,
    inputs,
    outputs,
    LAYERS: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    m = (tl.program_id(0) * BLOCK + tl.arange(0, BLOCK))[:, None]
    k = tl.arange(0, WIDTH)[None, :]
    live = m < count
    h = tl.load(value + m * inputs + k, live & (k < inputs), 0.0)
    for layer in tl.static_range(LAYERS):
        tl.store(kept + (layer * count + m) * WIDTH + k, h, live)
        rows = tl.arange(0, WIDTH)[:, None]
        weight = tl.load(weights + layer * WIDTH * WIDTH + k * WIDTH + rows)
        h = tl.dot(h, weight, input_precision="tf32x3") + tl.load(biases + layer * WIDTH + k)
        if layer < LAYERS - 1:
            h = tl.maximum(h, 0.0)
    tl.store(out + m * outputs + k, h, live & (k < outputs))


@triton.jit
def backward(
    incoming,
    weights,
    kept,
    gradients,
    out,
    count,
    inputs,
    outputs,
    LAYERS: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    m = (tl.program_id(0) * BLOCK + tl.arange(0, BLOCK))[:, None]
    k = tl.arange(0, WIDTH)[None, :]
    live = m < count
    g = tl.load(incoming + m * outputs + k, live & (k < outputs), 0.0)
    for layer in tl.static_range(LAYERS - 1, -1, -1):
        tl.store(gradients + (layer * count + m) * WIDTH + k, g, live)
        rows = tl.arange(0, WIDTH)[:, None]
        weight = tl.load(weights + layer * WIDTH * WIDTH + rows * WIDTH + k)
        g = tl.dot(g, weight, input_precision="tf32x3")
        if layer > 0:
            h = tl.load(kept + (layer * count + m) * WIDTH + k, live, 0.0)
            g = tl.where(h > 0, g, 0.0)
    tl.store(out + m * inputs + k, g, live & (k < inputs))
