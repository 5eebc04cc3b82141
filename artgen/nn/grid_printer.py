"""Printed kernels of grids of features."""

from __future__ import annotations

import functools
from types import ModuleType

from artgen.compiler import kernel_cache
from artgen.compiler.field_layers import PRIMES
from artgen.compiler.printer import block

_SOURCE = """\
import numba as nb
import numpy as np

floats, whole = nb.float32[:, ::1], nb.int64[:, ::1]
OPTIONS = dict(cache=True, nogil=True, error_model="numpy", fastmath={{"contract"}})


@nb.njit((floats, floats, whole, nb.int64, floats, nb.int64, nb.int64), **OPTIONS)
def forward(positions, table, levels, largest, out, start, stop):
    for m in range(start, min(stop, len(positions))):
        for level in range(len(levels)):
            {place}
            for k in range({features}):
                out[m, {features} * level + k] = {interpolated}


@nb.njit((floats, whole, nb.int64, floats, floats, nb.int64), **OPTIONS)
def backward(positions, levels, largest, incoming, out, level):
    for m in range(len(positions)):
        {place_less}
        for k in range({features}):
            g = incoming[m, {features} * level + k]
            {scattered}
"""


@functools.cache
def grid_kernels(axes: int, features: int) -> ModuleType:
    """Compile the kernels for this number of axes and of features per level."""
    corners = range(2**axes)
    lines = _place(axes)
    return kernel_cache.load(
        _SOURCE.format(
            features=features,
            place=block(12, lines),
            place_less=block(8, lines),
            interpolated=" + ".join(f"w{c} * table[row{c}, k]" for c in corners),
            scattered=block(12, [f"out[row{c}, k] += w{c} * g" for c in corners]),
        ),
        of="hash grids",
    )


def _place(axes: int) -> list[str]:
    """Statements that find, for position m and `level`, the rows and weights of all corners."""
    lines = [f"first, hashed = levels[level, {axes}], levels[level, {axes + 1}]"]
    for a in range(axes):
        lines += [
            f"n{a} = levels[level, {a}]",
            f"p{a} = positions[m, {a}] * np.float32(n{a})",
            f"i{a} = min(max(int(p{a}), 0), n{a} - 1)",
            f"u{a} = p{a} - np.float32(i{a})",
        ]

    def places(corner: int) -> list[tuple[int, int]]:
        return [(axis, corner >> axis & 1) for axis in range(axes)]

    for corner in range(2**axes):
        weight = " * ".join(
            f"u{a}" if far else f"(np.float32(1) - u{a})" for a, far in places(corner)
        )
        lines.append(f"w{corner} = {weight}")
    lines.append("if hashed:")
    for corner in range(2**axes):
        mixed = " ^ ".join(f"((i{a} + {far}) * {PRIMES[a]})" for a, far in places(corner))
        lines.append(f"    row{corner} = first + (({mixed}) & (largest - 1))")
    lines.append("else:")
    lines.append("    s0 = 1")
    lines += [f"    s{a} = s{a - 1} * (n{a - 1} + 1)" for a in range(1, axes)]
    for corner in range(2**axes):
        flat = " + ".join(f"(i{a} + {far}) * s{a}" for a, far in places(corner))
        lines.append(f"    row{corner} = first + {flat}")
    return lines
