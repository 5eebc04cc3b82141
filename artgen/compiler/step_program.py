"""A step of a fit as data: every kernel of it, its buffers, and in which order kernels run.

`step_printer` prints the whole step of a fit by gradient descent for WebGPU: from raw parameters to
splats, to a picture, to the gradient of the loss, and back to the next raw parameters. Nothing is
read back between steps. A driver in any language needs no knowledge of splats, losses or Adam:

1. Choose `N` (splats), `W` and `H` (the picture in pixels), `S` (the most steps of a submission)
   and `R` (room for so many pairs of a splat and a tile, 0 at first; see ``report``). Evaluate
   ``symbols`` in their order, which adds names to these five.
2. Make each of ``buffers`` with ``numbers`` 32-bit numbers (an `Expression`), zeros at first. Fill
   the uniform buffers from their ``fields``: a value is an expression, or None where the driver
   knows it. Upload ``raw``, ``bounds``, ``goal``, ``weights``, and ``table`` if it has numbers.
3. Compile each of ``modules``, and make a pipeline of each of ``kernels`` with an explicit layout:
   group 0 has its ``bindings``, each with a number, a buffer and an access (the words of WebGPU's
   buffer binding types).
4. Run ``start`` once, and again after a change of N, W, H or the view.
5. To take n ≤ S steps: write n rows of ``schedule`` and 0 into ``clock``, and run ``step`` n times,
   all in one submission if it is short enough.
6. To evaluate: run ``evaluate`` and read ``report``. If the loss is the lowest so far, run
   ``keep``, which copies ``raw`` to ``best``.
7. To see the picture: run ``draw`` and show ``pixels``. It needs no buffer of the steps alone, so
   another set of buffers with the same ``raw`` draws at any size. To zoom, change the view.

8. To add parts: run ``survey``, and read ``picture`` and ``worth``.

A list is a sequence of operations: ``{"kernel": name, "groups": [x, y]}`` dispatches workgroups
(expressions), ``{"copy": [from, to]}`` copies a buffer to one of the same length. A dispatch of no
workgroups is left out.

An `Expression` is a whole number, a symbol, or a list ``[operation, a, b]``, whose operation is
``+``, ``*``, ``min``, ``max`` or ``ceil`` (a / b rounded up).

What the driver writes; P is the number of ``parameters``:

========== ================= =======================================================================
raw        f32 [P, N]        raw parameters; row p is ``parameters[p]``. Initial values are made by
                             the driver
bounds     f32 [P, 2]        the least and the largest raw value, ±3e38 where there is none
goal       f32 [3, H, W]     the target, sRGB-encoded, 1.0 = 255
weights    f32 [H, W]        weight of each pixel / (3 · the sum of all weights), so 1 / (3·W·H)
                             where all weigh the same
table      f32               the program's ``table``: constants that the footprint looks up
schedule   f32 [S, 3 + P]    for each step of a submission: 1 - beta1^t and sqrt(1 - beta2^t), where
                             t counts Adam's steps from 1; the softness of the blend over, see
                             `artgen.raster.paint`; then the learning rate of each row of ``raw``,
                             all factors of the fit's schedule included (0 freezes a row)
clock      u32 [2]           the row of ``schedule`` of the next step; counts up by itself. Then the
                             number of steps that were not taken, for want of room
moments    f32 [2, P, N]     Adam's running means of the gradient and of its square, zeros at first
size       u32, uniform      its fields have expressions
scene      f32, uniform      background (red, green, blue), its weight under blends that divide (see
                             `Drawing.background_weight`); the view; Adam's beta1, beta2, epsilon;
                             weight decay
========== ================= =======================================================================

The view is the part of the canvas that is drawn: along each axis, pixel = (coordinate · view_scale
+ view_shift) / 2, counted from the upper left corner. The whole canvas has view_shift = (W, H) and
view_scale = min(W, H). A zoom by z around a point c in canvas units has view_scale = z · min(W, H)
and view_shift = (W, H) - c · view_scale.

What the driver reads:

========== ================= =======================================================================
report     f32 [4]           the loss; the mean squared error of the picture as it would be shown,
                             in 0..1 (PSNR = -10·log10 of it); the number of parameters that are not
                             finite; the pairs that there are if there is no room for them, else 0
pixels     u32 [H, W]        colours of 8 bits: red in the lowest byte, then green, blue, 255
picture    f32 [3, H, W]     the picture, as the target is
worth      f32 [N]           the magnitude of the colour that each splat adds to the picture, times
                             the weights of its pixels
state      f32 [4]           under the blend over: the softness; the mean depth; the pairs that
                             there are if there is no room for them, else 0
raw, best  f32 [P, N]        raw parameters, present and best
========== ================= =======================================================================

Under the blend over, splats need more room as they become larger. Without enough, a step changes
nothing, and ``clock`` counts it as not taken. Then choose a larger R, continue in new buffers with
the same ``raw``, ``moments`` and ``best``, and take these steps once more.

A mapped value is ``shift + scale * function(raw)``, with the functions of `artgen.Param`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from artgen.compiler.wgsl_bindings import Bindings
from artgen.primitives import Map

Expression: TypeAlias = "int | str | list[Any]"

Operation: TypeAlias = dict[str, Any]

UNBOUNDED = 3e38
"""Stands for infinity in `bounds`: WGSL promises nothing of infinity."""


class NoStep(Exception):
    """A step that has no program; the message says what of it has none."""


@dataclass(frozen=True)
class Buffer:
    """A buffer of ``numbers`` 32-bit numbers; the `fields` of a uniform one, in their order."""

    usage: Literal["uniform", "storage"]
    type: Literal["f32", "u32"]
    numbers: Expression
    fields: tuple[tuple[str, Expression | None], ...] = ()


@dataclass(frozen=True)
class Kernel:
    """An entry point of a module; its name is that of the kernel."""

    module: str
    bindings: Bindings


@dataclass(frozen=True)
class Parameter:
    """A row of ``raw``: a component of a parameter, and its map."""

    name: str
    index: tuple[int, ...]
    map: Map


@dataclass(frozen=True)
class Program:
    """Everything that a driver needs; see the module."""

    blend: str
    loss: tuple[tuple[float, str], ...]
    optimizer: str
    parameters: tuple[Parameter, ...]
    symbols: Mapping[str, Expression]
    buffers: Mapping[str, Buffer]
    modules: Mapping[str, str]
    kernels: Mapping[str, Kernel]
    lists: Mapping[str, tuple[Operation, ...]]
    table: tuple[float, ...] = ()


def evaluate(expression: Expression, symbols: Mapping[str, int]) -> int:
    """The value of an expression."""
    if isinstance(expression, int):
        return expression
    if isinstance(expression, str):
        return symbols[expression]
    operation, a, b = expression
    return _OPERATIONS[operation](evaluate(a, symbols), evaluate(b, symbols))


_OPERATIONS: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "*": operator.mul,
    "min": min,
    "max": max,
    "ceil": lambda a, b: -(-a // b),
}
