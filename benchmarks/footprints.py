"""One scene drawn by every contender: milliseconds forward, and forward with backward.

An evaluation is one pixel inside one splat's ellipse; G/s are 10⁹ of them per second. Values are
medians of interleaved repetitions, without compiling, with finding out which splats touch which
tiles. Ratios are of forward with backward, memory is the growth of the process at its peak, and the
error is the largest of the picture's and the gradients', relative to `eager`. Beside another
device, the CPU has `compiled` and `eager` alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch import Tensor

from artgen.registry import default
from benchmarks._contenders import (
    CONTENDERS,
    Compiled,
    CompiledTorch,
    Contender,
    Eager,
    Unavailable,
)
from benchmarks._measure import interleaved, peak_memory
from benchmarks._report import Table, figure, ratio
from benchmarks._scenes import Scene, make_scene
from benchmarks._settings import Settings
from benchmarks.superellipse import Superellipse

COLUMNS = (
    "",
    "forward, ms",
    "with backward, ms",
    "G/s forward",
    "G/s with backward",
    "to compiled",
    "memory, MiB",
    "error",
)


def run(settings: Settings) -> Iterator[Table]:
    # Contenders add parts up; by default strokes hide what is behind them.
    options: dict[str, dict[str, Any]] = {"gaussian": {}, "fourier": {}, "stroke": {"blend": "sum"}}
    gaussian, fourier, stroke = (
        default().load("primitive", name)(given) for name, given in options.items()
    )
    small = settings.quick
    for splat, count, side, pixels in (
        (gaussian, 50 if small else 5_000, 48 if small else 512, 4.0),
        (fourier, 10 if small else 256, 32 if small else 256, None),
        (stroke, 10 if small else 256, 32 if small else 256, None),
        (Superellipse(), 10 if small else 256, 32 if small else 256, None),
    ):
        scene = make_scene(splat, count, side, pixels)
        yield compare(scene, settings.devices, quick=settings.quick)


def compare(scene: Scene, devices: Sequence[str] = ("cpu",), *, quick: bool = False) -> Table:
    """All contenders on one scene, on each of the devices."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # compilers talk
        present: dict[str, Contender] = {}
        absent: dict[str, str] = {}
        for device in devices:
            on_cpu = device == "cpu"
            kinds = (Compiled, Eager) if on_cpu and len(devices) > 1 else CONTENDERS
            here = _assemble(scene if on_cpu else scene.to(device), kinds, quick)
            suffix = "" if on_cpu else f", {device}"
            for all_, some in zip((present, absent), here, strict=True):
                all_ |= {name + suffix: each for name, each in some.items()}
    eager = Eager(scene)
    reference = [eager.forward(), *eager.gradients()]
    errors, memory = {}, {}
    for name, contender in present.items():
        memory[name], errors[name] = _examine(contender, reference)
    rounds = 2 if quick else 25
    forward = interleaved({n: each.forward for n, each in present.items()}, rounds=rounds)
    both = interleaved({n: each.gradients for n, each in present.items()}, rounds=rounds)
    covered = scene.covered()
    rows = [
        (
            name,
            figure(forward[name].times(1000)),
            figure(both[name].times(1000)),
            figure(covered / forward[name] / 1e9),
            figure(covered / both[name] / 1e9),
            ratio(both[name], both["compiled"]) if "compiled" in both else "-",
            figure(memory[name]),
            f"{errors[name]:.0e}" if errors[name] else "0",
        )
        for name in present
    ]
    size = f"{scene.canvas.width}x{scene.canvas.height}"
    title = f"{type(scene.splat).__name__}: {scene.count:,} splats, {size}, {covered:,} evaluations"
    return Table(title, COLUMNS, rows, "\n".join(f"{n}: {why}." for n, why in absent.items()))


def relative_error(mine: list[Tensor], theirs: list[Tensor]) -> float:
    """The largest difference in any tensor, relative to the tensor's largest value."""
    return max(
        float((a.to(b.device) - b).abs().max() / b.abs().max().clamp_min(1e-12))
        for a, b in zip(mine, theirs, strict=True)
    )


def _examine(contender: Contender, reference: list[Tensor]) -> tuple[float | None, float]:
    """Memory of forward and backward, and the error of picture and gradients."""
    made = [contender.forward()]
    memory = peak_memory(lambda: made.extend(contender.gradients()))
    on_cpu = contender.scene.device.type == "cpu"
    return memory if on_cpu else None, relative_error(made, reference)


def _assemble(
    scene: Scene, kinds: Sequence[Callable[[Scene], Contender]], quick: bool
) -> tuple[dict[str, Contender], dict[str, str]]:
    """Those of `kinds` that can draw the scene, and the others with the reason."""
    present, absent = {}, {}
    for make in kinds:
        try:
            if quick and make is CompiledTorch:
                raise Unavailable("compiling takes too long for --quick")
            present[make.name] = make(scene)
        except Unavailable as error:
            absent[make.name] = str(error)
    return present, absent
