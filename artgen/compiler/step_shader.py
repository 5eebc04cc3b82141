"""The text of ``step.wgsl``: what a step of a fit computes besides the kernels of its splats.

From raw parameters to the rows of splats, from a picture to the gradient of its loss, and from
gradients by splats to the next raw parameters. Under the blend over, splats are also sorted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from artgen.compiler.elementary import MARK, with_functions
from artgen.compiler.footprints import SHARPEST, Footprint
from artgen.compiler.glsl_printer import literal
from artgen.compiler.ir import PIXEL, Component
from artgen.compiler.printer import KernelSource
from artgen.compiler.record import OPTION, trace_drawing
from artgen.compiler.schedule import needed
from artgen.compiler.templates import fill, read_template
from artgen.compiler.wgsl_printer import PIXELS, SIZES, WgslPrinter, add_halves
from artgen.primitives import Map

BLOCK = 1024
"""Splats that a workgroup sorts at a time."""

SLACK = 0.01
"""In pixels: float32 must not lose one at the rim of a box; each one is tested again."""

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

DECAYS = {
    "adam": {"decay": "g += scene.decay * x;", "decay_after": ""},
    "adamw": {"decay": "x -= rate * scene.decay * x;", "decay_after": ""},
    "adamw-uncorrected": {"decay": "", "decay_after": "x -= rate * scene.decay * x;"},
}
"""Weight decay before and after the step of Adam."""

_PIXEL_SIDE = "(2.0 / scene.view.z)"
"""The side of a pixel in canvas units."""


class StepShader:
    """The parts of ``step.wgsl`` that depend on the splat."""

    def __init__(
        self, splat: Footprint, source: KernelSource, channels: int, options: Collection[str]
    ) -> None:
        self.blend, self.source, self.channels = splat.blend, source, channels
        self.ir = trace_drawing(splat, options)
        self.rows: list[Component] = [row for row in self.ir.inputs if row != PIXEL]
        self.maps = {name: param.map for name, param in splat.parameters().items()}
        self.maps |= {OPTION + name: Map() for name in options}
        self._colours = [self._mapped_name("colour", c) for c in range(3)]
        self._near = "near * " if self.blend == "depth" else ""
        self._schedule_row = f"{3 + len(self.rows)}u"

    def text(self, loss: Sequence[tuple[float, str]], optimizer: str) -> str:
        """The module."""
        ir, rows = self.ir, self.rows
        names = {ir.inputs[row]: f"m{k}" for k, row in enumerate(rows)}
        if PIXEL in ir.inputs:
            names[ir.inputs[PIXEL]] = _PIXEL_SIDE
        printer = WgslPrinter(ir, names)
        exponents = [k for k, (name, _) in enumerate(rows) if self.maps[name].function == "exp"]
        over = self.blend == "over"
        text = fill(
            "wgsl/step.wgsl",
            more=self._order() if over else "",
            splat="order[size.count + k]" if over else "k",
            enough="state[2] == 0.0" if over else "true",
            lacking="state[2]" if over else "0.0",
            math=read_template("wgsl/math.wgsl") + MARK,
            **SIZES,
            slack=repr(SLACK),
            halves=add_halves(PIXELS),
            columns=f"{len(rows)}u",
            row=self._schedule_row,
            exponents=" || ".join(f"row == {k}u" for k in exponents) or "false",
            looked_up=f"{len(ir.table)}u",
            given_row=f"{6 + self.channels + len(self.source.columns)}u",
            **DECAYS[optimizer],
            mapped=self._mapped(),
            ellipse=printer.assignments(needed(ir, ir.ellipse, False)),
            **dict(zip(("along", "across", "angle"), map(printer.number, ir.ellipse), strict=True)),
            x=self._mapped_name("xy", 0),
            y=self._mapped_name("xy", 1),
            given=self._given(),
            picture=self._picture(),
            compare=self._picture() + self._compare(loss) + self._arrive(),
            survey=self._picture() + self._survey() + self._arrive(),
            weigh=self._weigh(),
            advance=self._advance(),
        )
        return with_functions(WgslPrinter, text)

    def _order(self) -> str:
        """The kernels that sort splats."""
        row = self.rows.index(("z", ()))
        return fill(
            "wgsl/order.wgsl",
            **SIZES,
            lanes_wgsl=fill("wgsl/lanes.wgsl", **SIZES),
            block=f"{BLOCK}u",
            row=self._schedule_row,
            depth=self._mapped_row(row),
            z=f"m{row}",
        )

    def _mapped_name(self, name: str, *index: int) -> str:
        return f"m{self.rows.index((name, index))}"

    def _mapped(self) -> list[str]:
        """Raw and mapped values of splat i, and its weight under the blend."""
        lines = [line for k in range(len(self.rows)) for line in self._mapped_row(k)]
        if self.blend == "depth":
            lines.append(f"let near = exp_of(-{self._mapped_name('z')});")
        if self.blend == "over":
            # As in `families.splat.paint`; the mean depth is a constant.
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
        values += [f"{self._near}{colour}" for colour in self._colours]
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
            terms["colour", (c,)].append(self._near + features[c])
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


def _times(factor: float, text: str) -> str:
    return text if factor == 1 else f"{literal(factor)} * ({text})"
