"""A step of a fit as data: every kernel of it, its buffers, and in which order kernels run.

`emit_step` prints the whole step of a fit by gradient descent for WebGPU: from raw parameters to
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

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from string import Template
from typing import Any, Literal, TypeAlias

from artgen.compiler.glsl_printer import literal
from artgen.compiler.ir import PIXEL, Component
from artgen.compiler.printer import Source, block
from artgen.compiler.record import OPTION, trace, trace_drawing
from artgen.compiler.schedule import needed
from artgen.compiler.wgsl_printer import (
    CELLS,
    KERNELS,
    LANES,
    SHARE,
    SIDE,
    SOFT_KERNELS,
    Access,
    Bindings,
    WgslPrinter,
    bind_kernels,
    declarations,
    emit_wgsl,
    emit_wgsl_over,
    read_wgsl,
)
from artgen.primitives import SHARPEST, Map, Splat

Expression: TypeAlias = "int | str | list[Any]"

Operation: TypeAlias = dict[str, Any]

WeightedLosses: TypeAlias = "Sequence[tuple[float, str]]"

MANY = 4
"""Splats are cut into shares as if each covered so many times its part of the picture.

The boxes are not known where workgroups are counted. Larger ones take longer, and those without a
share of pixels cost little.
"""

ROOM, ROOM_PER_SPLAT = 1 << 16, 16
"""Pairs of a splat and a tile that there is room for at first, under the blend over."""

BLOCK = 1024
"""Splats that a workgroup sorts at a time."""

UNBOUNDED = 3e38
"""Stands for infinity in `bounds`: WGSL promises nothing of infinity."""

SLACK = 0.01
"""In pixels: float32 must not lose one at the rim of a box; each one is tested again."""

PIXELS = SIDE * SIDE
"""Invocations per workgroup of kernels with a pixel per invocation."""

LOSSES: Mapping[str, tuple[str, str]] = {
    "mse": ("{e} * {e}", "2.0 * {e}"),
    "l1": ("abs({e})", "sign({e})"),
    "exponential": (
        "select(expm1_of(abs({e})), exp_of(20.0) * (abs({e}) - 19.0) - 1.0, abs({e}) >= 20.0)",
        "sign({e}) * exp_of(min(abs({e}), 20.0))",
    ),
}
"""Losses per pixel and channel and their derivatives, by the error `e` (see `artgen.losses`)."""

_MAPS: Mapping[str, tuple[str, str]] = {
    "identity": ("{r}", "1.0"),
    "exp": ("exp_of({r})", "exp_of({r})"),
    "softplus": (
        "select(log1p_of(exp_of({r})), {r}, {r} > 20.0)",
        "select(sigmoid_of({r}), 1.0, {r} > 20.0)",
    ),
    "sigmoid": ("sigmoid_of({r})", "sigmoid_of({r}) * (1.0 - sigmoid_of({r}))"),
    "tanh": ("tanh_of({r})", "(1.0 - tanh_of({r}) * tanh_of({r}))"),
    "reciprocal": ("(1.0 / {r})", "(-1.0 / ({r} * {r}))"),
}
"""The functions of a `Map` and their derivatives."""

_DECAY = {
    "adam": ("g += scene.decay * x;", ""),
    "adamw": ("x -= rate * scene.decay * x;", ""),
    "adamw-uncorrected": ("", "x -= rate * scene.decay * x;"),
}
"""Weight decay before and after the step of Adam."""

BINDINGS: Mapping[str, tuple[str, Access]] = {
    "size": ("Size", "uniform"),
    "scene": ("Scene", "uniform"),
    "raw": ("array<f32>", "storage"),
    "given": ("array<f32>", "storage"),
    "boxes": ("array<vec4u>", "storage"),
    "centres": ("array<f32>", "storage"),
    "lists": ("array<u32>", "storage"),
    "image": ("array<f32>", "read-only-storage"),
    "goal": ("array<f32>", "read-only-storage"),
    "weights": ("array<f32>", "read-only-storage"),
    "incoming": ("array<f32>", "storage"),
    "errors": ("array<f32>", "storage"),
    "gradients": ("array<f32>", "read-only-storage"),
    "moments": ("array<f32>", "storage"),
    "bounds": ("array<f32>", "read-only-storage"),
    "schedule": ("array<f32>", "read-only-storage"),
    "clock": ("array<u32>", "storage"),
    "report": ("array<f32>", "storage"),
    "pixels": ("array<u32>", "storage"),
    "picture": ("array<f32>", "storage"),
    "worth": ("array<f32>", "storage"),
    "table": ("array<f32>", "read-only-storage"),
    "state": ("array<f32>", "storage"),
    "order": ("array<u32>", "storage"),
    "histogram": ("array<u32>", "storage"),
}
"""The type and access of each buffer of ``step.wgsl``, in the order of their numbers."""

_PIXEL_SIDE = "(2.0 / scene.view.z)"
"""The side of a pixel in canvas units."""

_KERNELS: Mapping[str, tuple[str, ...]] = {
    "fill": ("size", "scene", "given", "centres", "lists", "table"),
    "locate": ("size", "scene", "raw", "given", "boxes"),
    "compare": ("size", "scene", "image", "goal", "weights", "incoming", "errors"),
    "advance": ("size", "scene", "raw", "gradients", "moments", "bounds", "schedule", "clock"),
    "tick": ("clock",),
    "reduce": ("size", "raw", "errors", "report"),
    "show": ("size", "scene", "image", "pixels"),
    "survey": ("size", "scene", "image", "weights", "incoming", "picture"),
    "weigh": ("size", "raw", "gradients", "worth"),
}
"""The entry points of ``step.wgsl`` and the buffers that each is bound to."""

_ORDER_KERNELS: Mapping[str, tuple[str, ...]] = {
    **_KERNELS,
    "locate": (*_KERNELS["locate"], "state", "order"),
    "compare": (*_KERNELS["compare"], "state"),
    "advance": (*_KERNELS["advance"], "state", "order"),
    "tick": (*_KERNELS["tick"], "state"),
    "reduce": (*_KERNELS["reduce"], "state"),
    "show": (*_KERNELS["show"], "state"),
    "survey": (*_KERNELS["survey"], "state"),
    "weigh": (*_KERNELS["weigh"], "state", "order"),
    "soften": ("size", "raw", "schedule", "clock", "state"),
    "sharpen": ("state",),
    "key": ("size", "raw", "order"),
    "count": ("size", "order", "histogram"),
    "scan": ("size", "order", "histogram"),
    "scatter": ("size", "order", "histogram"),
    "allot": ("size", "boxes", "lists", "state"),
}
"""Those of ``step.wgsl`` with ``order.wgsl``."""


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

    def to_json(self) -> str:
        """The program as JSON, with ``format`` 1: an object with the names of these fields."""
        return json.dumps({"format": 1, **asdict(self)}, separators=(",", ":"))


def evaluate(expression: Expression, symbols: Mapping[str, int]) -> int:
    """The value of an expression."""
    if isinstance(expression, int):
        return expression
    if isinstance(expression, str):
        return symbols[expression]
    operation, *arguments = expression
    a, b = (evaluate(argument, symbols) for argument in arguments)
    match operation:
        case "+":
            return a + b
        case "*":
            return a * b
        case "min":
            return min(a, b)
        case "max":
            return max(a, b)
        case "ceil":
            return -(-a // b)
    raise ValueError(f"unknown operation {operation!r}")


def emit_step(
    splat: Splat,
    loss: WeightedLosses = ((1.0, "mse"),),
    optimizer: str = "adam",
) -> Program:
    """Print a step that fits `splat` by a sum of `LOSSES`, each with a weight.

    `optimizer` is ``adam`` (weight decay as L2), ``adamw`` (decoupled) or ``adamw-uncorrected``,
    for which the first two numbers of ``schedule`` are 1. Raises NoStep for what
    has no kernels here: a weight outside the ellipses, visibility=buffer, other losses and
    optimizers; and Untraceable.
    """
    return emit_steps(splat, [loss], optimizer)[0]


def emit_steps(
    splat: Splat,
    losses: Sequence[WeightedLosses],
    optimizer: str = "adam",
    options: Collection[str] = (),
) -> list[Program]:
    """`emit_step` for each of `losses`.

    Each of `options`, names of options that are numbers, becomes a row of ``raw`` called
    ``option.NAME``. The driver fills it with the value, and its learning rate is 0.
    """
    blend = splat.blend
    for name in {name for loss in losses for _, name in loss} - LOSSES.keys():
        raise NoStep(f"the loss {name} has no kernel")
    if optimizer not in _DECAY:
        raise NoStep(f"the optimizer {optimizer} has no kernel")
    if splat.far:
        raise NoStep("the splats do not end")
    if splat.options.visibility == "buffer":
        raise NoStep("visibility=buffer has no kernel")
    ir, over = trace(splat, options), blend == "over"
    channels = 5 if over else 3 if blend in ("sum", "mean") else 4
    source = emit_wgsl_over(ir, soft=True) if over else emit_wgsl(ir, 0.0, channels)
    printed = _Step(splat, source, channels, options)
    step_kernels = bind_kernels(BINDINGS, _ORDER_KERNELS if over else _KERNELS)
    splat_kernels = SOFT_KERNELS if over else KERNELS
    kernels = {
        kernel: Kernel(module, bindings)
        for module, found in (("splats", splat_kernels), ("step", step_kernels))
        for kernel, bindings in found.items()
    }
    room: Expression = ["max", "R", ["+", ROOM, ["*", ROOM_PER_SPLAT, "N"]]]
    pairs: Expression = ["*", "N", ["*", ["ceil", "W", SIDE], ["ceil", "H", SIDE]]]
    symbols: dict[str, Expression] = {
        "parts": ["max", 1, ["min", _shares(1), _shares("N", MANY)]],
        "rows": ["min", pairs, room] if over else ["*", "N", "parts"],
        "cell": ["*", SIDE, ["ceil", ["max", "W", "H"], SIDE * CELLS]],
        "across": ["ceil", "W", "cell"],
        "down": ["ceil", "H", "cell"],
    }
    return [
        Program(
            blend=blend,
            loss=tuple(loss),
            optimizer=optimizer,
            parameters=tuple(Parameter(*row, printed.maps[row[0]]) for row in printed.rows),
            symbols=symbols,
            buffers=_buffers(source, channels, len(printed.rows), over, len(ir.table)),
            modules={"splats": source.text, "step": printed.text(loss, optimizer)},
            kernels=kernels,
            lists=_lists(over, len(ir.table)),
            table=tuple(ir.table.tolist()),
        )
        for loss in losses
    ]


class _Step:
    """The parts of ``step.wgsl`` that depend on the splat."""

    def __init__(
        self, splat: Splat, source: Source, channels: int, options: Collection[str]
    ) -> None:
        self.blend, self.source, self.channels = splat.blend, source, channels
        self.ir = trace_drawing(splat, options)
        self.rows: list[Component] = [row for row in self.ir.inputs if row != PIXEL]
        self.maps = {name: param.map for name, param in splat.parameters().items()}
        self.maps |= {OPTION + name: Map() for name in options}

    def text(self, loss: Sequence[tuple[float, str]], optimizer: str) -> str:
        """The module."""
        ir, rows = self.ir, self.rows
        names = {ir.inputs[row]: f"m{k}" for k, row in enumerate(rows)}
        if PIXEL in ir.inputs:
            names[ir.inputs[PIXEL]] = _PIXEL_SIDE
        printer = WgslPrinter(ir, names)
        along, across, angle = map(printer.number, ir.ellipse)
        exponents = [k for k, (name, _) in enumerate(rows) if self.maps[name].function == "exp"]
        over = self.blend == "over"
        return Template(read_wgsl("step")).substitute(
            more=self._order() if over else "",
            splat="order[size.count + k]" if over else "k",
            enough="state[2] == 0.0" if over else "true",
            lacking="state[2]" if over else "0.0",
            bindings=block(0, declarations(BINDINGS)),
            math=read_wgsl("math"),
            lanes=f"{LANES}u",
            pixels=f"{PIXELS}u",
            slack=repr(SLACK),
            halves=block(2, _halves()),
            columns=f"{len(rows)}u",
            row=self._schedule_row,
            exponents=" || ".join(f"row == {k}u" for k in exponents) or "false",
            looked_up=f"{len(ir.table)}u",
            given_row=f"{6 + self.channels + len(self.source.columns)}u",
            decay=_DECAY[optimizer][0],
            decay_after=_DECAY[optimizer][1],
            mapped=block(2, self._mapped()),
            ellipse=block(2, printer.assignments(needed(ir, ir.ellipse, False)) or ["// nothing"]),
            along=along,
            across=across,
            angle=angle,
            x=self._mapped_name("xy", 0),
            y=self._mapped_name("xy", 1),
            given=block(2, self._given()),
            picture=block(2, self._picture()),
            compare=block(4, self._picture() + self._compare(loss) + self._arrive()),
            survey=block(2, self._picture() + self._survey() + self._arrive()),
            weigh=block(2, self._weigh()),
            advance=block(2, self._advance()),
        )

    def _order(self) -> str:
        """The kernels that sort splats."""
        row = self.rows.index(("z", ()))
        return Template(read_wgsl("order")).substitute(
            lanes_wgsl=Template(read_wgsl("lanes")).substitute(pixels=f"{PIXELS}u"),
            lanes=f"{LANES}u",
            pixels=f"{PIXELS}u",
            side=f"{SIDE}u",
            block=f"{BLOCK}u",
            row=self._schedule_row,
            depth=block(2, self._mapped_row(row)),
            z=f"m{row}",
        )

    @property
    def _schedule_row(self) -> str:
        return f"{3 + len(self.rows)}u"

    def _mapped_name(self, name: str, *index: int) -> str:
        return f"m{self.rows.index((name, index))}"

    @property
    def _colours(self) -> list[str]:
        return [self._mapped_name("colour", c) for c in range(3)]

    def _mapped(self) -> list[str]:
        """Raw and mapped values of splat i, and its weight under the blend."""
        lines = [line for k in range(len(self.rows)) for line in self._mapped_row(k)]
        if self.blend == "depth":
            lines.append(f"let near = exp_of(-{self._mapped_name('z')});")
        if self.blend == "over":
            # As in `raster.splats`; the mean depth is a constant.
            z, opacity = self._mapped_name("z"), self._mapped_name("opacity")
            lines += [
                f"let sharpness = 1.0 / max(state[0], {SHARPEST});",
                f"let faded = exp_of((state[1] - {z}) * sharpness);",
                f"let near = select(0.0, {opacity} * faded, state[0] > 0.0);",
            ]
        return lines

    def _mapped_row(self, k: int) -> list[str]:
        to = self.maps[self.rows[k][0]]
        text = _MAPS[to.function][0].format(r=f"r{k}")
        text = _times(to.scale, text) + (f" + {literal(to.shift)}" if to.shift else "")
        return [f"let r{k} = raw[{k}u * size.count + i];", f"let m{k} = {text};"]

    def _given(self) -> list[str]:
        """The row of `given` of splat i."""
        values = [self._mapped_name("xy", 0), self._mapped_name("xy", 1)]
        values += ["c * u", "s * u", "-s * v", "c * v"]
        near = "near * " if self.blend == "depth" else ""
        values += [f"{near}{colour}" for colour in self._colours]
        if self.blend == "over":
            values.append(self._mapped_name("opacity"))
        values += {"normalized": ["1.0"], "depth": ["near"], "over": ["near"]}.get(self.blend, [])
        values += [
            _PIXEL_SIDE if column == PIXEL else f"m{self.rows.index(column)}"
            for column in self.source.columns
        ]
        width = len(values)
        return [f"given[k * {width}u + {n}u] = {value};" for n, value in enumerate(values)]

    def _picture(self) -> list[str]:
        """The colours q0, q1, q2 of a pixel."""
        planes, blend = range(9 if self.blend == "over" else self.channels), self.blend
        lines = [f"let t{c} = image[{c}u * plane + pixel];" for c in planes]
        if blend == "over":
            # The colours in order and those in none, both over the background.
            lines.append("let share = state[0] * (1.0 - t3) / (t8 + 1e-6);")
            text = "(1.0 - state[0]) * t{c} + share * t{b} + t3 * scene.background[{c}]"
        elif self.channels == 4:
            lines.append("let share = 1.0 / (t3 + scene.background.w);")
            text = "(t{c} + scene.background.w * scene.background[{c}]) * share"
        else:
            count = "f32(max(1u, size.count))" if blend == "mean" else "1.0"
            lines.append(f"let share = 1.0 / {count};")
            text = "scene.background[{c}] + share * t{c}"
        return lines + [f"let q{c} = {text.format(c=c, b=5 + c)};" for c in range(3)]

    def _compare(self, loss: Sequence[tuple[float, str]]) -> list[str]:
        """Loss, squared error, and the gradient d0, d1, d2 by the colours of a pixel."""
        lines = []
        for c in range(3):
            e = f"e{c}"
            value, slope = (
                " + ".join(_times(w, LOSSES[name][k].format(e=e)) for w, name in loss)
                for k in range(2)
            )
            lines += [
                f"let y{c} = goal[{c}u * plane + pixel];",
                f"let {e} = q{c} - y{c};",
                f"loss += {value};",
                f"let d{c} = weight * ({slope});",
                f"let b{c} = clamp(q{c}, 0.0, 1.0) - clamp(y{c}, 0.0, 1.0);",
                f"square += b{c} * b{c};",
            ]
        return lines

    def _arrive(self) -> list[str]:
        """The gradient by the features' sums."""
        values = [f"d{c} * share" for c in range(3)]
        if self.blend == "over":
            # By the colours and the light in order, then by colours and weights in none.
            through = [f"d{c} * (scene.background[{c}] - apart * t{5 + c})" for c in range(3)]
            total = " + ".join(f"d{c} * t{5 + c}" for c in range(3))
            ordered = [f"d{c} * (1.0 - state[0])" for c in range(3)]
            values = [*ordered, " + ".join(through), *values, f"-({total}) * share / (t8 + 1e-6)"]
        elif self.channels == 4:
            total = " + ".join(f"d{c} * q{c}" for c in range(3))
            values.append(f"-({total}) * share")
        lines = ["let apart = state[0] / (t8 + 1e-6);"] if self.blend == "over" else []
        return lines + [f"incoming[{n}u * plane + pixel] = {v};" for n, v in enumerate(values)]

    def _survey(self) -> list[str]:
        """The picture, and its sum as what is derived."""
        lines = [f"picture[{c}u * plane + pixel] = q{c};" for c in range(3)]
        return lines + [f"let d{c} = weights[pixel];" for c in range(3)]

    def _weigh(self) -> list[str]:
        """The magnitude of the colour that a splat adds."""
        terms = self._gradients()
        added = (f"({' + '.join(terms['colour', (c,)])}) * {self._colours[c]}" for c in range(3))
        return [f"worth[i] = length(vec3f({', '.join(added)}));"]

    def _gradients(self) -> dict[Component, list[str]]:
        """The gradient by each mapped value, as terms of a sum."""
        columns, width = self.source.columns, len(self.source.columns) + self.channels
        sums = [f"gradients[k * {width}u + {n}u]" for n in range(width)]
        features = sums[len(columns) :]
        terms: dict[Component, list[str]] = {row: [] for row in self.rows}
        for column, text in zip(columns, sums, strict=False):
            if column != PIXEL:
                terms[column].append(text)
        for c in range(3):
            near = "near * " if self.blend == "depth" else ""
            terms["colour", (c,)].append(near + features[c])
        if self.blend == "depth":
            products = [
                f"{f} * {m}" for f, m in zip(features, [*self._colours, "1.0"], strict=True)
            ]
            terms["z", ()].append(f"-near * ({' + '.join(products)})")
        if self.blend == "over":
            terms["opacity", ()] += [
                features[3],
                f"select(0.0, faded, state[0] > 0.0) * {features[4]}",
            ]
            terms["z", ()].append(f"-near * sharpness * {features[4]}")
        return terms

    def _advance(self) -> list[str]:
        """The step of each raw value."""
        lines, terms = [], self._gradients()
        for k, row in enumerate(self.rows):
            to = self.maps[row[0]]
            slope = _times(to.scale, _MAPS[to.function][1].format(r=f"r{k}"))
            total = " + ".join(terms[row]) or "0.0"
            step = f"stepped({k}u, {k}u * size.count + i, ({total}) * {slope});"
            # Without softness nothing depends on the depth but the order.
            fixed = self.blend == "over" and row == ("z", ())
            lines.append(f"if (state[0] > 0.0) {{ {step} }}" if fixed else step)
        return lines


def _shares(count: Expression, times: int = 1) -> Expression:
    """Shares of a splat that covers this many times the picture divided by `count`."""
    return ["ceil", ["*", times, ["*", "W", "H"]], ["*", SHARE, ["max", 1, count]]]


def _times(factor: float, text: str) -> str:
    return text if factor == 1 else f"{literal(factor)} * ({text})"


def _halves() -> Iterable[str]:
    """Add the upper half of the lanes to the lower one, until one is left."""
    half = PIXELS // 2
    while half:
        yield f"if (lane < {half}u) {{ partial[lane] += partial[lane + {half}u]; }}"
        yield "workgroupBarrier();"
        half //= 2


def _buffers(
    source: Source, channels: int, rows: int, over: bool, looked_up: int
) -> dict[str, Buffer]:
    width = len(source.columns) + channels
    pixels: Expression = ["*", "W", "H"]

    def storage(numbers: Expression, kind: Literal["f32", "u32"] = "f32") -> Buffer:
        return Buffer("storage", kind, numbers)

    size: tuple[tuple[str, Expression | None], ...] = (
        *(("width", "W"), ("top", 0), ("height", "H")),
        *(("count", "N"), ("parts", "parts"), ("part", 0), ("cell", "cell")),
        ("rows", "rows"),
    )
    scene: tuple[tuple[str, Expression | None], ...] = (
        *(("red", None), ("green", None), ("blue", None), ("background_weight", None)),
        *(("view_shift_x", "W"), ("view_shift_y", "H"), ("view_scale", ["min", "W", "H"])),
        *(("beta1", None), ("beta2", None), ("epsilon", None), ("decay", None), ("unused", 0)),
    )
    planes, arriving = (9, 8) if over else (channels, channels)
    sorting = {
        "state": storage(4),
        "order": storage(["+", ["*", 4, "N"], 1], "u32"),
        "histogram": storage(["*", 256, ["ceil", "N", BLOCK]], "u32"),
    }
    return {
        **(sorting if over else {}),
        "size": Buffer("uniform", "u32", len(size), size),
        "scene": Buffer("uniform", "f32", len(scene), scene),
        "raw": storage(["*", rows, "N"]),
        "best": storage(["*", rows, "N"]),
        "moments": storage(["*", 2 * rows, "N"]),
        "bounds": storage(2 * rows),
        "schedule": storage(["*", 3 + rows, "S"]),
        "clock": storage(2, "u32"),
        "goal": storage(["*", 3, pixels]),
        "weights": storage(pixels),
        "centres": storage(["+", "W", "H"]),
        "lists": storage(
            ["+", ["+", "N", 1], ["*", ["*", "across", "down"], ["+", "N", 1]]], "u32"
        ),
        "given": storage(["+", ["*", 6 + width, "N"], looked_up]),
        "table": storage(looked_up),
        "boxes": storage(["*", 4, "N"], "u32"),
        "prepared": storage(["*", source.prepared, "N"]),
        "image": storage(["*", planes, pixels]),
        "incoming": storage(["*", arriving, pixels]),
        "errors": storage(["*", 2, ["ceil", pixels, PIXELS]]),
        "sums": storage(["*", source.leaves + channels, "rows"]),
        "gradients": storage(["*", width, "N"]),
        "report": storage(4),
        "pixels": storage(pixels, "u32"),
        "picture": storage(["*", 3, pixels]),
        "worth": storage("N"),
    }


def _lists(over: bool, looked_up: int) -> dict[str, tuple[Operation, ...]]:
    def dispatch(kernel: str, x: Expression, y: Expression = 1) -> Operation:
        return {"kernel": kernel, "groups": [x, y]}

    def each(kernel: str, count: Expression, lanes: int = 1) -> Operation:
        """As many workgroups as it takes, in rows of the most there may be along an axis."""
        groups: Expression = ["ceil", count, lanes]
        return dispatch(kernel, ["min", groups, 65535], ["ceil", groups, 65535])

    pixels: Expression = ["*", "W", "H"]
    tiles: tuple[Expression, Expression] = (["ceil", "W", SIDE], ["ceil", "H", SIDE])
    blocks: Expression = ["ceil", "N", BLOCK]
    # Four times 8 bits.
    sort = (
        each("key", "N", LANES),
        *(dispatch("count", blocks), dispatch("scan", 1), dispatch("scatter", blocks)) * 4,
    )
    picture = (
        *(sort if over else ()),
        each("locate", "N", LANES),
        each("prepare", "N", LANES),
        dispatch("bin", "across", "down"),
        dispatch("forward", *tiles),
    )
    compare, survey = (each(kernel, pixels, PIXELS) for kernel in ("compare", "survey"))
    backward = (
        dispatch("backward", *tiles) if over else each("backward", ["*", "N", "parts"]),
        each("finish", "N", LANES),
    )
    soften, sharpen, allot = (
        (dispatch(kernel, 1),) if over else () for kernel in ("soften", "sharpen", "allot")
    )
    return {
        "start": (
            each("fill", ["max", looked_up, ["max", ["+", "W", "H"], ["+", "N", 1]]], LANES),
        ),
        "draw": (*sharpen, *picture, each("show", pixels, PIXELS)),
        "step": (
            *(*soften, *picture, compare, *allot, *backward),
            each("advance", "N", LANES),
            dispatch("tick", 1),
        ),
        "survey": (
            *(*sharpen, *picture, survey, *allot, *backward),
            each("weigh", "N", LANES),
        ),
        "evaluate": (*sharpen, *picture, compare, *allot, dispatch("reduce", 1)),
        "keep": ({"copy": ["raw", "best"]},),
    }
