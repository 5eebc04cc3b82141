"""Grids of features, printed for each language: see `artgen.nn.grids`.

What all do is said once: how near a position is to each corner of its cell, and in which row of the
table the features of that corner are. Names in the text, along axis a: n0 cells, p0 the position
counted in cells, i0 the cell, u0 the place in it from 0 to 1. Corner c has the weight w0 and row0.
"""

from __future__ import annotations

import functools
from types import ModuleType
from typing import NamedTuple

from artgen.compiler import kernel_cache
from artgen.compiler.field_layers import PRIMES, Grids
from artgen.compiler.templates import fill


class _Language(NamedTuple):
    """How a language finds the cell along axis {a}, writes 1, and mixes a vertex into a hash.

    Kernels in a `template` read and change a feature of corner {c}.
    """

    cell: tuple[str, ...]
    one: str
    mixed: str = "({vertex} * {prime})"
    template: str = ""
    read: str = ""
    change: str = ""


_NUMBA = _Language(
    cell=(
        "n{a} = levels[level, {a}]",
        "p{a} = positions[m, {a}] * np.float32(n{a})",
        "i{a} = min(max(int(p{a}), 0), n{a} - 1)",
        "u{a} = p{a} - np.float32(i{a})",
    ),
    one="np.float32(1)",
    template="numba/grids.txt",
    read="w{c} * table[row{c}, k]",
    change="out[row{c}, k] += w{c} * g",
)

_TRITON = _Language(
    cell=(
        "n{a} = tl.load(place + {a})",
        "p{a} = tl.load(positions + m * {axes} + {a}, live, 0.0) * n{a}.to(tl.float32)",
        "i{a} = tl.minimum(tl.maximum(p{a}.to(tl.int64), 0), n{a} - 1)",
        "u{a} = p{a} - i{a}.to(tl.float32)",
    ),
    one="1.0",
    template="triton/grids.txt",
    read="w{c}[:, None] * tl.load(table + row{c}[:, None] * {features} + k, there, 0.0)",
    change="add(sums + row{c}[:, None] * {features} + k, w{c}[:, None] * given, there)",
)

_GLSL = _Language(
    cell=(
        "int n{a} = int(grid[{a}]);",
        "float p{a} = place[{a}] * grid[{a}];",
        "int i{a} = clamp(int(p{a}), 0, n{a} - 1);",
        "float u{a} = p{a} - float(i{a});",
    ),
    one="1.0",
    mixed="(uint{vertex} * {prime}u)",
)


def _corners(language: _Language, axes: int) -> list[tuple[str, str, str]]:
    """Of each corner of the cell: its weight, and its row of a level by the hash and without."""
    found = []
    for corner in range(2**axes):
        weights, mixed, flat = [], [], []
        for a in range(axes):
            far = corner >> a & 1
            vertex = f"(i{a} + {far})"
            weights.append(f"u{a}" if far else f"({language.one} - u{a})")
            mixed.append(language.mixed.format(vertex=vertex, prime=PRIMES[a]))
            flat.append(" * ".join([vertex, *(f"(n{b} + 1)" for b in range(a))]))
        found.append((" * ".join(weights), " ^ ".join(mixed), " + ".join(flat)))
    return found


def _cell(language: _Language, axes: int) -> list[str]:
    """Lines that find the cell of a position."""
    return [line.format(a=a, axes=axes) for a in range(axes) for line in language.cell]


def _place(language: _Language, axes: int) -> list[str]:
    """Lines that find the rows and weights of all corners, in Python."""
    weights, mixed, flat = zip(*_corners(language, axes), strict=True)
    return [
        *_cell(language, axes),
        *(f"w{c} = {weight}" for c, weight in enumerate(weights)),
        "if hashed:",
        *(f"    row{c} = first + (({row}) & (largest - 1))" for c, row in enumerate(mixed)),
        "else:",
        *(f"    row{c} = first + {row}" for c, row in enumerate(flat)),
    ]


@functools.cache
def _kernels(language: _Language, axes: int, features: int) -> ModuleType:
    corners = range(2**axes)
    source = fill(
        language.template,
        axes=str(axes),
        features=str(features),
        width=str(1 << (features - 1).bit_length()),
        place=_place(language, axes),
        interpolated=" + ".join(language.read.format(c=c, features=features) for c in corners),
        scattered=[language.change.format(c=c, features=features) for c in corners],
    )
    return kernel_cache.load(source, of="hash grids")


grid_kernels = functools.partial(_kernels, _NUMBA)
"""Compile the kernels for this number of axes and of features per level."""

cuda_grid_kernels = functools.partial(_kernels, _TRITON)
"""Load the Triton kernels for this number of axes and of features per level."""


def emit_glsl_grids(step: Grids, name: str, levels: int, table: int) -> str:
    """Write the function `name` of a shader, whose levels and table begin at these texels."""
    lines = []
    for weight, mixed, flat in _corners(_GLSL, 2):
        row = f"hashed ? int(({mixed}) & {step.largest - 1}u) : {flat}"
        lines.append(f"sum += {weight} * feature_{name}(first + ({row}), k);")
    return fill(
        "glsl/grids.glsl",
        name=name,
        features=str(step.table.shape[1]),
        levels=str(levels),
        table=str(4 * table),
        cell=_cell(_GLSL, 2),
        sum=lines,
    )
