"""Triton kernels of grids of features and of small networks, all in float32.

A level of a grid has a row in `places`: along each axis its cells and the factor of the vertex,
then the first row of the level in the table, and whether vertices are hashed. Products of matrices
are sums of three in TF32, which on tensor cores are nearly as exact as float32.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _find_corner(positions, place, m, live, mask, CORNER: tl.constexpr, AXES: tl.constexpr):
    """The row and the weight of a corner of the cell around each position."""
    hashed = tl.load(place + 2 * AXES + 1) != 0
    row = tl.zeros_like(m).to(tl.int64)
    weight = tl.zeros_like(m).to(tl.float32) + 1
    for axis in tl.static_range(AXES):
        cells = tl.load(place + 2 * axis)
        scaled = tl.load(positions + m * AXES + axis, live, 0.0) * cells.to(tl.float32)
        low = tl.minimum(tl.maximum(tl.floor(scaled), 0.0), (cells - 1).to(tl.float32))
        share = scaled - low
        if CORNER >> axis & 1:
            weight *= share
        else:
            weight *= 1 - share
        part = (low.to(tl.int64) + (CORNER >> axis & 1)) * tl.load(place + 2 * axis + 1)
        row = tl.where(hashed, row ^ part, row + part)
    row = tl.where(hashed, row & mask, row)
    return tl.load(place + 2 * AXES) + row, weight


@triton.jit
def interpolate(
    positions,
    table,
    places,
    out,
    count,
    levels,
    mask,
    AXES: tl.constexpr,
    FEATURES: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    m, level = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), tl.program_id(1)
    k = tl.arange(0, WIDTH)[None, :]
    live = m < count
    there = live[:, None] & (k < FEATURES)
    total = tl.zeros((BLOCK, WIDTH), tl.float32)
    for corner in tl.static_range(1 << AXES):
        row, weight = _find_corner(
            positions, places + level * (2 * AXES + 2), m, live, mask, corner, AXES
        )
        total += weight[:, None] * tl.load(table + row[:, None] * FEATURES + k, there, 0.0)
    tl.store(out + (m[:, None] * levels + level) * FEATURES + k, total, there)


@triton.jit
def scatter(
    positions,
    places,
    incoming,
    scale,
    sums,
    count,
    levels,
    mask,
    AXES: tl.constexpr,
    FEATURES: tl.constexpr,
    WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
):
    m, level = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), tl.program_id(1)
    k = tl.arange(0, WIDTH)[None, :]
    live = m < count
    there = live[:, None] & (k < FEATURES)
    given = tl.load(incoming + (m[:, None] * levels + level) * FEATURES + k, there, 0.0)
    given *= tl.load(scale)
    for corner in tl.static_range(1 << AXES):
        row, weight = _find_corner(
            positions, places + level * (2 * AXES + 2), m, live, mask, corner, AXES
        )
        units = (weight[:, None] * given).to(tl.int64)
        tl.atomic_add(sums + row[:, None] * FEATURES + k, units, there, sem="relaxed")


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
