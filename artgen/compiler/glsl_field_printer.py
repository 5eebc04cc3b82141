"""The layers of a field as the GLSL source of a shader, for WebGL 2 (OpenGL ES 3.00).

Vectors are stored in arrays of vec4, which are reused as soon as they are no longer read. Matrices,
biases and tables are stored one after the other in a texture of floats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from string import Template
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from artgen.compiler.elementary import called
from artgen.compiler.field_layers import LANES, Elementwise, FieldLayers, Grids, LayerStep, Product
from artgen.compiler.glsl_printer import GlslPrinter, literal
from artgen.compiler.grid_printer import emit_glsl_grids
from artgen.compiler.operands import Numbers
from artgen.compiler.printer import spelled
from artgen.compiler.templates import fill


@dataclass(frozen=True)
class Stored:
    """Numbers for the texture, from texel `first` on.

    A ``vector`` lies there as it is, four numbers to a texel, the last ones zero. Of a ``matrix``
    [n, k] a texel holds four rows of a column: those of the first four rows, k of them, come first.
    """

    kind: Literal["vector", "matrix"]
    first: int
    values: NDArray[np.float64]


_OPERATIONS = {
    **GlslPrinter.templates,
    "lt": "vec4(lessThan({}, {}))",
    "le": "vec4(lessThanEqual({}, {}))",
    "gt": "vec4(greaterThan({}, {}))",
    "ge": "vec4(greaterThanEqual({}, {}))",
    "eq": "vec4(equal({}, {}))",
    "ne": "vec4(notEqual({}, {}))",
    "and": "{} * {}",
    "or": "max({}, {})",
    "not": "1.0 - {}",
    "where": "mix({2}, {1}, notEqual({0}, vec4(0)))",
}
"""On vec4; truth is 1.0 and 0.0."""


@dataclass
class _Line:
    """Code that makes vector `output` of the vectors `inputs`, given the names of their arrays."""

    output: int
    size: int
    inputs: tuple[int, ...]
    code: str
    in_place: bool = False


class FieldShader:
    """The shader of a field with three outputs.

    `fragment` is its text, `stored` what its texture holds, and `texels` how many that are.
    """

    def __init__(self, layers: FieldLayers) -> None:
        self.layers = layers
        self.stored: list[Stored] = []
        self.texels = 0
        self._lines: list[_Line] = []
        self._functions: list[str] = []
        self._gathered: dict[bytes, int] = {}
        read = set(_vectors(layers.result))
        for vector, step in reversed(layers.steps.items()):
            if vector in read:
                operands = step.operands if isinstance(step, Elementwise) else (step.operand,)
                read.update(each for operand in operands for each in _vectors(operand))
        for vector, step in layers.steps.items():
            if vector in read:
                code, inputs = self._written(vector, step)
                size, in_place = layers.sizes[vector], isinstance(step, Elementwise)
                self._lines.append(_Line(vector, size, inputs, code, in_place))
        result = self._vector(layers.result)
        body, arrays = self._allocated(result)
        elementary = called(GlslPrinter, "\n".join(body))
        self.fragment = fill(
            "glsl/field.frag.glsl",
            elementary="".join(f"{f.text}FOUR_{f.arity}({f.name}_of)\n" for f in elementary),
            functions="\n".join(self._functions),
            body="\n".join(body),
            result=f"{arrays[result]}[0].xyz",
        )

    def _written(self, vector: int, step: LayerStep) -> tuple[str, tuple[int, ...]]:
        """The code of a step, and the vectors that it reads."""
        if isinstance(step, Elementwise):
            return self._elementwise(step)
        if isinstance(step, Product):
            return self._product(step)
        return self._grids(vector, step)

    def _elementwise(self, step: Elementwise) -> tuple[str, tuple[int, ...]]:
        operands = [self._operand(operand) for operand in step.operands]
        inputs = tuple(i for _, i in operands if i is not None)
        expression = spelled(_OPERATIONS, step.operation, [text for text, _ in operands])
        count = _fours(len(step.operands[0]))
        return f"for (int i = 0; i < {count}; i++) $out[i] = {expression};", inputs

    def _operand(self, elements: Numbers) -> tuple[str, int | None]:
        """Four elements from 4·i on as an expression, and the vector in which they lie."""
        known = self.layers.values(elements)
        if known is not None:
            if (known == known[0]).all():
                return f"vec4({literal(known[0])})", None
            return f"number({self._store('vector', known)} + i)", None
        vector = self._vector(elements)
        return f"$v{vector}[i]", vector

    def _vector(self, elements: Numbers) -> int:
        """The vector that has just these elements in its first places, made if there is none."""
        vector, first = divmod(int(elements[0]), LANES)
        run = vector * LANES + np.arange(len(elements))
        if first == 0 and vector not in self.layers.known and (elements == run).all():
            return vector
        key = elements.tobytes()
        if key not in self._gathered:
            self._gathered[key] = made = len(self.layers.sizes) + len(self._gathered)
            code, inputs = self._gather(elements)
            self._lines.append(_Line(made, len(elements), inputs, code))
        return self._gathered[key]

    def _gather(self, elements: Numbers) -> tuple[str, tuple[int, ...]]:
        """Code that collects elements from wherever they are."""
        known = self.layers.known
        groups: list[str | tuple[int, int]] = []
        padded = np.append(elements, [-1] * (-len(elements) % 4)).reshape(-1, 4)
        for i, four in enumerate(padded):
            vector, lane = divmod(int(four[0]), LANES)
            run = (four == four[0] + np.arange(4)).all()
            if run and lane % 4 == 0 and vector not in known:
                groups.append((vector, lane // 4 - i))
                continue
            parts = [self._element(int(each)) for each in four]
            groups.append(f"vec4({', '.join(parts)})")
        inputs = tuple(v for v in dict.fromkeys(_vectors(elements)) if v not in known)
        return " ".join(_loops(groups)), inputs

    def _element(self, element: int) -> str:
        if element < 0:
            return "0.0"
        vector, lane = divmod(element, LANES)
        if vector in self.layers.known:
            return literal(float(self.layers.known[vector][lane]))
        return f"$v{vector}[{lane // 4}].{'xyzw'[lane % 4]}"

    def _product(self, step: Product) -> tuple[str, tuple[int, ...]]:
        source = self._vector(step.operand)
        columns = step.weight.shape[1]
        first = self._store("matrix", step.weight)
        rest = [
            f"sum += number(at++) * $v{source}[{columns // 4}].{'xyzw'[k]};"
            for k in range(columns % 4)
        ]
        code = f"""\
for (int o = 0, at = {first}; o < {_fours(len(step.weight))}; o++) {{
  vec4 sum = vec4(0);
  for (int k = 0; k < {columns // 4}; k++, at += 4) {{
    vec4 a = $v{source}[k];
    sum += number(at) * a.x + number(at + 1) * a.y + number(at + 2) * a.z + number(at + 3) * a.w;
  }}
  {" ".join(rest)}
  $out[o] = sum;
}}"""
        return code, (source,)

    def _grids(self, vector: int, step: Grids) -> tuple[str, tuple[int, ...]]:
        source, features = self._vector(step.operand), step.table.shape[1]
        levels = self._store("vector", step.levels[:, :4].reshape(-1).astype(np.float64))
        table = self._store("vector", step.table.reshape(-1))
        name = f"grids_{vector}"
        self._functions.append(emit_glsl_grids(step, name, levels, table))
        lane = f"int f = l * {features} + k; $out[f / 4][f % 4] = {name}($v{source}[0].xy, l, k);"
        code = f"""\
for (int l = 0; l < {len(step.levels)}; l++) {{
  for (int k = 0; k < {features}; k++) {{ {lane} }}
}}"""
        return code, (source,)

    def _store(self, kind: Literal["vector", "matrix"], values: NDArray[np.float64]) -> int:
        """Put numbers into the texture, and say at which texel."""
        first = self.texels
        self.stored.append(Stored(kind, first, values))
        rows = values.shape[0]
        self.texels += _fours(rows) * (values.shape[1] if kind == "matrix" else 1)
        return first

    def _allocated(self, result: int) -> tuple[list[str], dict[int, str]]:
        """The code of all lines, with arrays in place of vectors."""
        last = {vector: k for k, line in enumerate(self._lines) for vector in line.inputs}
        last[result] = len(self._lines)
        arrays = {0: "position"}
        free: dict[int, list[str]] = defaultdict(list)
        body, declared = ["vec4 position[1];", "position[0] = vec4(x, y, 0, 0);"], 0
        sizes = {line.output: _fours(line.size) for line in self._lines}
        for k, line in enumerate(self._lines):
            size = sizes[line.output]
            dying = [v for v in dict.fromkeys(line.inputs) if v and last[v] == k]
            names = {f"v{v}": arrays[v] for v in line.inputs}
            # Others still read what they need while they write.
            for v in dying if line.in_place else ():
                free[sizes[v]].append(arrays[v])
            if free[size]:
                name = free[size].pop()
            else:
                name, declared = f"a{declared}", declared + 1
                body.append(f"vec4 {name}[{size}];")
            arrays[line.output] = name
            body.append(Template(line.code).substitute(names, out=name))
            for v in () if line.in_place else dying:
                free[sizes[v]].append(arrays[v])
        return body, arrays


def _loops(groups: list[str | tuple[int, int]]) -> Iterator[str]:
    """Assignments of groups of four: an expression each, or so far behind in a vector, in loops."""
    for group, run in groupby(range(len(groups)), key=groups.__getitem__):
        places = [*run]
        if isinstance(group, str):
            yield from (f"$out[{i}] = {group};" for i in places)
        else:
            vector, shift = group
            loop = f"for (int i = {places[0]}; i < {places[-1] + 1}; i++)"
            yield f"{loop} $out[i] = $v{vector}[i + {shift}];".replace("+ -", "- ")


def _fours(count: int) -> int:
    return -(-count // 4)


def _vectors(elements: Numbers) -> list[int]:
    return [int(vector) for vector in np.unique(elements // LANES)]
