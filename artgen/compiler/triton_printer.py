"""A traced footprint as the Python source of its Triton kernels.

The same four functions as for a CPU, see `numba_printer`; the legend of names there holds here too.
Per Triton program, `prepare` and `finish` take a block of splats. `forward` takes a tile of pixels
and looks up its splats in the lists of the cells around it. `backward` takes a splat, or a share of
its pixels, and sums in registers: nothing is written per pair of tile and splat, and the order of
the sums is always the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from artgen.compiler.elementary import MARK, with_functions
from artgen.compiler.ir import IR
from artgen.compiler.printer import OWN, KernelParts, KernelSource, Printer
from artgen.compiler.templates import fill, read_template

SPLATS = 128
"""Splats per program of `prepare` and `finish`."""

MANY_CALLS, MANY_SUMS = 12, 40
"""With at least this many functions per pixel, or sums per splat, a program has 8 warps instead
of 4: a thread has one pixel instead of two, whose values fit into registers."""

_PLACE = "* width * height + place"
"""From the number of a plane of a picture to a pixel in it."""


class TritonPrinter(Printer):
    """Prints for Triton, whose own functions are in `tl`."""

    templates = {  # noqa: RUF012
        **Printer.templates,
        **OWN,
        **{
            name: f"tl.{name}({{}})"
            for name in ("abs", "sqrt", "exp", "log", "sin", "cos", "erf", "floor")
        },
        "tan": "tl.sin({0}) / tl.cos({0})",
        "trunc": "tl.where({0} < 0, -tl.floor(-{0}), tl.floor({0}))",
        "minimum": "tl.minimum({}, {}, propagate_nan=tl.PropagateNan.ALL)",
        "maximum": "tl.maximum({}, {}, propagate_nan=tl.PropagateNan.ALL)",
        "where": "tl.where({}, {}, {})",
        # The interpreter cannot do & of a pixel's truth and a splat's, nor `not` of several.
        "and": "tl.where({}, {}, False)",
        "or": "tl.where({}, True, {})",
        "not": "tl.where({}, False, True)",
        # Whatever a NaN becomes, what is read is inside.
        "fetch": "tl.load(T + tl.minimum(tl.where({0} >= 0.0, {0}, 0.0), LAST).to(tl.int32))",
    }

    called = "\n\n@triton.jit\ndef {name}({given}):\n    {body}\n"

    def constant(self, number: float) -> str:
        """Return a constant as a float32."""
        # Triton takes a literal for a float32 if it is a normal one, else for a float64.
        with np.errstate(over="ignore", under="ignore"):
            single = np.float32(number)
        if abs(single) < np.finfo(np.float32).tiny:
            return "0.0"
        return repr(float(single)) if math.isfinite(single) else f"float('{single}')"


def emit_triton(ir: IR, far: float, channels: int, side: int) -> KernelSource:
    """Write the additive kernels for tiles of `side` × `side` pixels and `channels` features."""
    kernels = _TritonKernels(ir, far, channels, side)
    planes, sums = range(channels), range(kernels.sums)
    place = f"(part * count + i) * {kernels.sums}"
    kernels.parts |= kernels.of_sum(kernels.masked, [f"a{c}" for c in planes])
    kernels.parts |= {
        "clear": [f"a{c} = tl.zeros((PIXELS,), tl.float32)" for c in planes],
        "draw": [f"tl.store(out + {c} {_PLACE}, a{c}, live)" for c in planes],
        "zero": [f"s{k} = tl.zeros((PIXELS,), tl.float32)" for k in sums],
        "arriving": [f"a{c} = tl.load(grad + {c} {_PLACE}, live, 0.0)" for c in planes],
        "reduce": [f"tl.store(S + {place} + {k}, tl.sum(s{k}))" for k in sums],
    }
    return kernels.source("sum")


def emit_triton_over(ir: IR, side: int) -> KernelSource:
    """Write the kernels that lay splats over one another, in order, the first one in front.

    As `numba_printer.emit_over`. `backward` takes a tile per program too, because
    the light behind a splat is found by going through the tile from the back; it leaves a row of
    sums per pair.
    """
    kernels = _TritonKernels(ir, 0.0, 4, side)
    arriving = [f"share * g{c}" for c in range(3)]
    features = [*map(kernels.coloured, range(3), arriving), "w * change"]
    reduce = f"tl.store(S + j * {kernels.sums} + {{k}}, tl.sum({{term}}))"
    kernels.parts |= kernels.of_over(arriving)
    kernels.parts |= {
        "tile": read_template("triton/tile.txt"),
        "splat": read_template("triton/splat.txt"),
        "reduce": kernels.terms(reduce, features),
    }
    return kernels.source("over")


class _TritonKernels(KernelParts):
    """The parts that both kinds of kernels are printed from."""

    def __init__(self, ir: IR, far: float, channels: int, side: int) -> None:
        super().__init__(TritonPrinter, ir, channels, "p{}", "s{}")
        schedule, table, columns = self.schedule, len(ir.table), len(self.columns)
        sums, planes = range(self.sums), range(channels)
        uniforms = list(enumerate(schedule.uniforms))
        uniform = f"U + i * {len(uniforms)}"
        collect = f"tl.load(S + (part * count + i) * {self.sums}"
        gradients = [
            f"tl.store(GP + i * {columns} + {k}, tl.where(drawn, {text}, 0.0), live)"
            for k, text in enumerate(self.gradients)
        ]
        weight, far_text = self.pixel.number(ir.weight), self.pixel.constant(far)
        self.masked = f"tl.where(inside, {weight} - {far_text}, 0.0)"
        self.parts |= {
            "side": str(side),
            "splats": str(SPLATS),
            "table": ", T" if table else "",
            "last": f"\nLAST = tl.constexpr({table - 1}.0)" if table else "",
            "forward_warps": str(self._warps(schedule.forward)),
            "backward_warps": str(self._warps(schedule.backward, self.sums)),
            "elementary": MARK,
            "weight": weight,
            "masked": self.masked,
            "parameters": [
                f"p{k} = tl.load(P + i * {columns} + {k}, live, 0.0)" for k in range(columns)
            ],
            "load": [
                *(self.pixel.loaded(n, f"tl.load({uniform} + {k})") for k, n in uniforms),
                *(f"f{c} = tl.load(F + i * {channels} + {c})" for c in planes),
            ],
            "store": [
                f"tl.store({uniform} + {k}, {self.splat.number(n)}, live)" for k, n in uniforms
            ],
            "nothing": [f"s{k} = tl.zeros((SPLATS,), tl.float32)" for k in sums],
            "collect": [f"s{k} += {collect} + {k}, live, 0.0)" for k in sums],
            "gradients": [
                *gradients,
                *(f"tl.store(GF + i * {channels} + {c}, s{self.leaves + c}, live)" for c in planes),
            ],
        }

    def _warps(self, numbers: Iterable[int], sums: int = 0) -> int:
        """The warps of a program that computes these values per pixel and sums so many of them."""
        arithmetic = Printer.templates.keys() - {"pow", "sqrt"}
        values = self.schedule.ir.values
        calls = sum(values[number].operation not in arithmetic for number in numbers)
        return 8 if calls >= MANY_CALLS or sums >= MANY_SUMS else 4

    def source(self, loops: str) -> KernelSource:
        """The module with these loops over pixels."""
        texts = (fill(f"triton/{name}.txt", **self.parts) for name in ("head", loops, "finish"))
        text = with_functions(TritonPrinter, "\n\n\n".join(texts))
        return KernelSource(text, self.columns, len(self.schedule.uniforms), self.leaves)
