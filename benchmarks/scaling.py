"""How the generated kernels scale: forward and backward of Gaussians, time per covered pixel.

Repetitions are interleaved; values are medians. Steps are those of a fit, with loss and Adam,
between rounds of growth; G/s are 10⁹ covered pixels per second.

The tables of many threads are no measurement of many threads: the work was done on one, an item at
a time, cut as for so many, and idle threads take the items in turn; see `_serial`. *Outside* is the
CPU time outside of what threads share. *Memory* is the speed-up that memory allows: all arrays of a
step written and read once, at the speed at which this machine copies on one thread. `--serial`
measures these tables alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

import artgen
from artgen import Drawing
from artgen.engines import Problem
from artgen.engines.gradient.engine import GradientEngine
from artgen.families.splat import cpu
from artgen.losses import Loss, Term, mse
from artgen.raster import choose_backend, tensor_device
from artgen.registry import default
from benchmarks._contenders import Compiled
from benchmarks._measure import interleaved, timed
from benchmarks._report import Table, figure, ratio
from benchmarks._scenes import Scene, make_scene, spacing
from benchmarks._serial import Rehearsal, rehearse
from benchmarks._settings import Settings

MANY = (1, 2, 8, 16, 32)
"""Numbers of threads that work is divided among."""

MANY_STEPS = 50
"""Steps that a device takes at once."""

_MODELLED = ("", "1 thread, ms", "outside", *(f"{n} threads" for n in MANY[1:]))

FITS: Mapping[str, dict[str, Any]] = {
    "gaussian": {"count": 2_000, "steps": 300},
    "triangle": {"count": 100},
    "blob": {"count": 60},
    "voronoi": {"count": 400, "steps": 200},
    "mesh": {"count": 400, "steps": 200},
    "mlp": {"steps": 200},
}
"""Whole fits whose CPU time outside of parallel parts is found, with stills and reports."""


def run(settings: Settings) -> Iterator[Table]:
    gaussian = default().load("primitive", "gaussian")()
    rounds = 2 if settings.quick else 15

    side, counts = (64, (10, 100)) if settings.quick else (512, (100, 1_000, 10_000, 100_000))
    scenes = {
        f"{count:,} splats": make_scene(gaussian, count, side, spacing(count, side))
        for count in counts
    }
    for share in (0.5, 1, 2):
        # As many covered pixels each time.
        count, pixels = int(share * counts[-1]), 3.0 / math.sqrt(share)
        scene = make_scene(gaussian, count, side, pixels)
        scenes[f"{count:,} splats of {pixels:.3g} px"] = scene
    if not settings.serial:
        for device in settings.devices:
            yield measure(f"Number of splats, constant coverage, {side}²", scenes, rounds, device)
        yield measure_steps(f"A step of a fit, {side}²", scenes, rounds)
        for device in settings.devices[1:]:
            yield measure_many_steps(f"A step of a fit, {side}², {device}", scenes, device, rounds)

        sides, many = ((32, 64), 50) if settings.quick else ((256, 512, 1024, 2048, 4096), 5_000)
        sizes = {f"{n}²": make_scene(gaussian, many, n, spacing(many, n)) for n in sides}
        for device in settings.devices:
            yield measure(f"Size of the picture, {many:,} splats", sizes, rounds, device)
        if len(settings.devices) > 1:
            return
        scene = make_scene(gaussian, many, side, 4.0)
        yield measure_threads(f"Threads, {many:,} splats, {side}²", scene, rounds)
    yield measure_serial(f"A step of a fit on many threads, {side}²", scenes, rounds)
    yield measure_fits("Whole fits on many threads", settings.quick)


def measure(title: str, scenes: Mapping[str, Scene], rounds: int, device: str = "cpu") -> Table:
    """One row per scene."""
    if device != "cpu":
        title = f"{title}, {device}"
        scenes = {name: scene.to(device) for name, scene in scenes.items()}
    actions = {name: Compiled(scene).gradients for name, scene in scenes.items()}
    seconds = interleaved(_warm(actions), rounds=rounds)
    rows = [
        (
            name,
            figure(seconds[name].times(1000)),
            figure(scene.covered() / 1e6),
            figure(1e9 * seconds[name] / scene.covered()),
        )
        for name, scene in scenes.items()
    ]
    return Table(title, ("", "ms", "10⁶ covered pixels", "ns per covered pixel"), rows)


def measure_threads(title: str, scene: Scene, rounds: int) -> Table:
    """One row per number of threads: one, two, and as many as torch would use."""
    usual, compiled = torch.get_num_threads(), Compiled(scene)

    def on(threads: int) -> Callable[[], None]:
        def action() -> None:
            torch.set_num_threads(threads)
            compiled.gradients()

        return action

    actions = {str(number): on(number) for number in sorted({1, min(2, usual), usual})}
    try:
        seconds = interleaved(_warm(actions), rounds=rounds)
    finally:
        torch.set_num_threads(usual)
    rows = [
        (
            name,
            figure(each.times(1000)),
            ratio(seconds["1"], each),
            figure(1e9 * each / scene.covered()),
        )
        for name, each in seconds.items()
    ]
    return Table(title, ("threads", "ms", "speed-up", "ns per covered pixel"), rows)


def measure_steps(title: str, scenes: Mapping[str, Scene], rounds: int) -> Table:
    """One row per scene: steps on one thread and on as many as torch would use."""
    usual, engines = torch.get_num_threads(), {n: _start(scene) for n, scene in scenes.items()}

    def step(name: str, threads: int) -> Callable[[], None]:
        def action() -> None:
            torch.set_num_threads(threads)
            engines[name].advance(1)

        return action

    actions = {f"{name}/{n}": step(name, n) for name in scenes for n in (1, usual)}
    try:
        seconds = interleaved(_warm(actions), rounds=rounds)
    finally:
        torch.set_num_threads(usual)
    rows = []
    for name, scene in scenes.items():
        one, all_, covered = seconds[f"{name}/1"], seconds[f"{name}/{usual}"], scene.covered()
        values = (covered / 1e6, one.times(1000), all_.times(1000), covered / all_ / 1e9)
        rows.append((name, *map(figure, values)))
    columns = ("", "10⁶ covered pixels", "1 thread, ms", f"{usual} of them, ms", "G/s")
    return Table(title, columns, rows)


def measure_many_steps(title: str, scenes: Mapping[str, Scene], device: str, rounds: int) -> Table:
    """One row per scene: a step on a device, of many that are asked for at once."""
    engines = {name: _start(scene, device) for name, scene in scenes.items()}

    def steps(engine: GradientEngine) -> None:
        engine.advance(MANY_STEPS)
        engine.descent.fetch()  # waits for WebGPU

    actions = {name: partial(steps, engine) for name, engine in engines.items()}
    seconds = interleaved(_warm(actions), rounds=rounds)
    rows = []
    for name, scene in scenes.items():
        one, covered = seconds[name].times(1 / MANY_STEPS), scene.covered()
        rows.append((name, *map(figure, (covered / 1e6, one.times(1000), covered / one / 1e9))))
    return Table(title, ("", "10⁶ covered pixels", "ms", "G/s"), rows)


def measure_serial(title: str, scenes: Mapping[str, Scene], rounds: int) -> Table:
    """One row per scene: the share of a step outside of parallel parts, and speed-ups."""
    usual, rows = torch.get_num_threads(), []
    speed = _copied_per_second()
    torch.set_num_threads(1)
    try:
        for name, scene in scenes.items():
            engine = _start(scene)
            engine.advance(2)
            found = [rehearse(partial(engine.advance, 1), n, rounds) for n in MANY]
            # Written once and read once.
            moved = 2 * _bytes_of(engine)
            limit = found[0].whole / (moved / speed)
            rows.append((name, *_modelled(found), figure(moved / 1e6), f"{figure(limit)}x"))
    finally:
        torch.set_num_threads(usual)
    return Table(title, (*_MODELLED, "MB", "memory"), rows)


def measure_fits(title: str, quick: bool) -> Table:
    """One row per fit of the astronaut, from the target to the drawing."""
    size, rows = 32 if quick else 256, []
    for name, options in list(FITS.items())[: 2 if quick else None]:
        few = dict.fromkeys(options, 10) if quick else options
        fit = partial(artgen.fit, "sample:astronaut", name, size=size, seed=1, threads=1, **few)
        fit()
        rows.append((f"{name}, {size}²", *_modelled([rehearse(fit, n) for n in MANY])))
    return Table(title, _MODELLED, rows)


def _modelled(found: Sequence[Rehearsal]) -> Sequence[str]:
    one = found[0]
    outside = f"{100 * one.serial / one.whole:.1f} %"
    return figure(1000 * one.whole), outside, *(f"{figure(each.speed_up)}x" for each in found[1:])


def _bytes_of(engine: GradientEngine) -> int:
    """The bytes of the arrays that a step of splats writes."""
    goal = engine.objective._goal(engine.step)  # type: ignore[attr-defined]
    arrays = cpu._workspaces[goal]._arrays.values()
    return sum(array.nbytes for array in arrays)


def _copied_per_second() -> float:
    """The bytes that one thread writes and reads in a second, of arrays that no cache holds."""
    source = np.ones(1 << 25)
    target = np.empty_like(source)
    seconds = min(timed(lambda: np.copyto(target, source)) for _ in range(5))
    return 2 * source.nbytes / seconds


def _start(scene: Scene, device: str = "cpu") -> GradientEngine:
    """A fit that starts from the splats of the scene."""
    canvas, tensors = scene.canvas, {name: t.detach() for name, t in scene.tensors.items()}
    drawing = Drawing("gaussian", scene.splat.option_values(), tensors, canvas.width, canvas.height)
    engine = GradientEngine()
    engine.start(
        Problem(
            scene.splat,
            drawing,
            scene.incoming.sigmoid(),
            Loss([Term(1.0, "mse", mse)]),
            total_steps=10**6,
            seed=1,
            backend=choose_backend(scene.splat, device),
            device=str(tensor_device(device)),
            # So small that the scene stays what it is.
            options={"rate": 1e-6},
        )
    )
    return engine


def _warm(actions: Mapping[str, Callable[[], object]]) -> Mapping[str, Callable[[], object]]:
    """The same actions, each run once."""
    for action in actions.values():
        action()
    return actions
