"""How the generated kernels scale: forward and backward of Gaussians, time per covered pixel.

Repetitions are interleaved; values are medians. Steps are those of a fit, with loss and Adam,
between rounds of growth; G/s are 10⁹ covered pixels per second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import torch

from artgen import Drawing
from artgen.engines import Problem
from artgen.engines.gradient.engine import GradientEngine
from artgen.losses import Loss, Term, mse
from artgen.raster import choose_backend
from artgen.registry import default
from benchmarks._contenders import Compiled
from benchmarks._measure import interleaved
from benchmarks._report import Table, figure, ratio
from benchmarks._scenes import Scene, make_scene, spacing
from benchmarks._settings import Settings


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
    for device in settings.devices:
        yield measure(f"Number of splats, constant coverage, {side}²", scenes, rounds, device)
    yield measure_steps(f"A step of a fit, {side}²", scenes, rounds)

    sides, count = ((32, 64), 50) if settings.quick else ((256, 512, 1024, 2048, 4096), 5_000)
    scenes = {f"{side}²": make_scene(gaussian, count, side, spacing(count, side)) for side in sides}
    for device in settings.devices:
        yield measure(f"Size of the picture, {count:,} splats", scenes, rounds, device)

    scene = make_scene(gaussian, count, side, 4.0)
    yield measure_threads(f"Threads, {count:,} splats, {side}²", scene, rounds)


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


def _start(scene: Scene) -> GradientEngine:
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
            backend=choose_backend(scene.splat),
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
