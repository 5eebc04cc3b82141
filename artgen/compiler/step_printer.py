"""Prints a step of a fit as a `Program`: kernels, buffers, and in which order kernels run."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, TypeAlias

from artgen.compiler.footprints import Footprint
from artgen.compiler.printer import KernelSource
from artgen.compiler.record import trace
from artgen.compiler.step_program import (
    Buffer,
    Expression,
    Kernel,
    NoStep,
    Operation,
    Parameter,
    Program,
)
from artgen.compiler.step_shader import BLOCK, DECAYS, LOSSES, StepShader
from artgen.compiler.wgsl_bindings import find_bindings
from artgen.compiler.wgsl_printer import (
    CELLS,
    LANES,
    PIXELS,
    SHARE,
    SIDE,
    emit_wgsl,
    emit_wgsl_over,
)

WeightedLosses: TypeAlias = "Sequence[tuple[float, str]]"

MANY = 4
"""Splats are cut into shares as if each covered so many times its part of the picture.

The boxes are not known where workgroups are counted. Larger ones take longer, and those without a
share of pixels cost little.
"""

ROOM, ROOM_PER_SPLAT = 1 << 16, 16
"""Pairs of a splat and a tile that there is room for at first, under the blend over."""


def emit_step(
    splat: Footprint,
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
    splat: Footprint,
    losses: Sequence[WeightedLosses],
    optimizer: str,
    options: Collection[str] = (),
) -> list[Program]:
    """`emit_step` for each of `losses`.

    Each of `options`, names of options that are numbers, becomes a row of ``raw`` called
    ``option.NAME``. The driver fills it with the value, and its learning rate is 0.
    """
    blend = splat.blend
    for name in (name for loss in losses for _, name in loss if name not in LOSSES):
        raise NoStep(f"the loss {name} has no kernel")
    if optimizer not in DECAYS:
        raise NoStep(f"the optimizer {optimizer} has no kernel")
    if splat.far:
        raise NoStep("the splats do not end")
    if splat.options.visibility == "buffer":
        raise NoStep("visibility=buffer has no kernel")
    ir, over = trace(splat, options), blend == "over"
    channels = 5 if over else 3 if blend in ("sum", "mean") else 4
    source = emit_wgsl_over(ir, soft=True) if over else emit_wgsl(ir, 0.0, channels)
    printed = StepShader(splat, source, channels, options)
    room: Expression = ["max", "R", ["+", ROOM, ["*", ROOM_PER_SPLAT, "N"]]]
    pairs: Expression = ["*", "N", ["*", ["ceil", "W", SIDE], ["ceil", "H", SIDE]]]
    symbols: dict[str, Expression] = {
        "parts": ["max", 1, ["min", _shares(1), _shares("N", MANY)]],
        "rows": ["min", pairs, room] if over else ["*", "N", "parts"],
        "cell": ["*", SIDE, ["ceil", ["max", "W", "H"], SIDE * CELLS]],
        "across": ["ceil", "W", "cell"],
        "down": ["ceil", "H", "cell"],
    }
    programs, drawing = [], _kernels("splats", source.text)
    for loss in losses:
        step = printed.text(loss, optimizer)
        program = Program(
            blend=blend,
            loss=tuple(loss),
            optimizer=optimizer,
            parameters=tuple(Parameter(*row, printed.maps[row[0]]) for row in printed.rows),
            symbols=symbols,
            buffers=_buffers(source, channels, len(printed.rows), over, len(ir.table)),
            modules={"splats": source.text, "step": step},
            kernels=drawing | _kernels("step", step),
            lists=_lists(over, len(ir.table)),
            table=tuple(ir.table.tolist()),
        )
        programs.append(program)
    return programs


def _kernels(module: str, text: str) -> dict[str, Kernel]:
    return {name: Kernel(module, bindings) for name, bindings in find_bindings(text).items()}


def _shares(count: Expression, times: int = 1) -> Expression:
    """Shares of a splat that covers this many times the picture divided by `count`."""
    return ["ceil", ["*", times, ["*", "W", "H"]], ["*", SHARE, ["max", 1, count]]]


def _buffers(
    source: KernelSource, channels: int, rows: int, over: bool, looked_up: int
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
