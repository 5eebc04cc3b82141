"""The gain of crossover and climbing in the engine `genetic`, and a comparison with `climb`.

Fits with the defaults, and with single options changed. Budgets are CPU seconds of one thread,
without compiling; `climb` goes on refining until they are up or a pass gains nothing. `genetic`
needs its number of generations before, so that it keeps to them roughly: the table has what it
took. PSNR is that of the exported picture, the median over seeds, and in brackets the least and the
largest. `--long` gives five times the seconds.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import torch

from artgen import Canvas
from artgen.engines import Engine, Problem
from artgen.engines.genetic.engine import GeneticEngine
from artgen.losses.metrics import psnr
from artgen.output import to_pixels
from artgen.plan import resolve
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.values.drawing import Drawing
from benchmarks._measure import one_thread
from benchmarks._report import Table
from benchmarks._settings import Settings
from benchmarks.shapes import open_target

PICTURES = ("astronaut", "coffee", "chelsea")

CHUNK = 10
"""Steps between two looks at the clock."""

REHEARSAL = 0.2
"""The least share of the budget that the fit takes from which the number of generations follows.

A generation of a longer fit takes longer: half as long again with 3,000 of them as with 60.
"""

ENDLESS = {"passes": 10_000, "stall": 0.0}
"""Options of `climb` under which it does not stop by itself."""


def run(settings: Settings) -> Iterator[Table]:
    side, seconds = (48, 0.3) if settings.quick else (96, 10.0 if settings.long else 2.0)
    seeds = (0,) if settings.quick else range(5)
    fits: list[tuple[str, str, int, str, float, Mapping[str, Any]]] = [
        ("defaults", "triangle", 50, "genetic", seconds, {}),
        ("no crossover", "triangle", 50, "genetic", seconds, {"crossover": 0.0}),
        ("by range of the stack", "triangle", 50, "genetic", seconds, {"splice": 1.0}),
        ("one island", "triangle", 50, "genetic", seconds, {"islands": 1}),
        ("climb", "triangle", 50, "climb", seconds, ENDLESS),
        ("defaults", "voronoi", 100, "genetic", seconds, {}),
        ("no crossover", "voronoi", 100, "genetic", seconds, {"crossover": 0.0}),
    ]
    for picture in PICTURES[: 1 if settings.quick else None]:
        target = open_target(picture, side)
        rows = []
        for what, name, count, engine, budget, options in fits:
            results = [fit(target, name, count, engine, budget, seed, options) for seed in seeds]
            quality = [result[0] for result in results]
            spent = statistics.median(result[1] for result in results)
            steps = statistics.median(result[2] for result in results)
            middle = statistics.median(quality)
            rows.append(
                (
                    f"{count} {name}, {what}",
                    f"{middle:.2f} ({min(quality):.2f} to {max(quality):.2f})",
                    f"{spent:.1f}",
                    f"{steps:.0f}",
                )
            )
        columns = ("", "PSNR, dB", "CPU s", "steps")
        title = f"{picture}, long side {side}, {seconds:g} CPU s"
        yield Table(title, columns, rows, f"{len(seeds)} seeds.")


def fit(
    target: torch.Tensor,
    name: str,
    count: int,
    engine: str,
    budget: float,
    seed: int,
    options: Mapping[str, Any],
) -> tuple[float, float, int]:
    """PSNR of the still, CPU seconds and steps of one fit."""
    height, width = target.shape[1:]
    asked = Recipe.from_dict(
        {
            "primitive": {"name": name, "count": count},
            "stage": [{"engine": engine, **options}],
        }
    )
    plan = resolve(asked, default(), Canvas(width, height))
    primitive, stage = plan.primitive, plan.recipe.stage[0]
    tensors = {
        key: torch.zeros(primitive.tensor_shape(param, 0))
        for key, param in primitive.parameters().items()
    }
    mean = tuple(round(255 * value) / 255 for value in target.mean((1, 2)).tolist())
    problem = Problem(
        primitive=primitive,
        drawing=Drawing(name, primitive.option_values(), tensors, width, height, mean),
        target=target,
        loss=plan.losses[0],
        total_steps=stage.steps,
        seed=seed,
        count=count,
        options=stage.options,
    )
    with one_thread():
        return _within(plan.engines[0](), problem, budget)


def _within(searcher: Engine, problem: Problem, budget: float) -> tuple[float, float, int]:
    if isinstance(searcher, GeneticEngine):
        problem = replace(problem, total_steps=_generations(problem, budget))
        budget = math.inf
    seconds = _timed(searcher, problem, budget)
    searcher.report()
    still = to_pixels(draw(searcher.drawing(best=True), problem.primitive).permute(1, 2, 0).numpy())
    quality = psnr(still, to_pixels(problem.target.permute(1, 2, 0).numpy()))
    return quality, seconds, searcher.step


def _generations(problem: Problem, budget: float) -> int:
    """How many generations take the budget, by a shorter fit."""
    steps, spent = 20, 0.0
    while spent < REHEARSAL * budget:
        if spent:
            steps = round(steps * min(20.0, 1.1 * REHEARSAL * budget / spent)) + 1
        spent = _timed(GeneticEngine(), replace(problem, total_steps=steps), math.inf)
    return max(1, round(budget / spent * steps))


def _timed(searcher: Engine, problem: Problem, budget: float) -> float:
    """The CPU seconds of a fit, which ends when the budget is spent."""
    searcher.start(problem)  # compiles
    last = problem.total_steps if isinstance(searcher, GeneticEngine) else math.inf
    start = time.process_time()
    seconds = 0.0
    while seconds < budget and searcher.step < last and not getattr(searcher, "finished", False):
        searcher.advance(int(min(CHUNK, last - searcher.step)))
        seconds = time.process_time() - start
    return seconds
