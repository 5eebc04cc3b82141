"""The estimate of a fit: every stage is rehearsed for some seconds, and none is run."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from dataclasses import replace
from statistics import fmean

from artgen.base.errors import Diverged
from artgen.engines import Engine
from artgen.output import FrameStore
from artgen.runs.job import Fitted
from artgen.runs.loop.agenda import Occasions, evaluation_steps
from artgen.runs.loop.pace import Workload, stretches
from artgen.runs.loop.progress import Progress
from artgen.runs.loop.stages import Loop

ESTIMATED_AS = 60.0
"""To estimate a stage, it is rehearsed as for a budget of this many seconds."""
FRAMES_ESTIMATED, FEWEST_ESTIMATED = 10.0, 6
"""Frames of the rehearsal of a stage take about this many seconds at most, but there are this many.
With 3 of them, videos of siren, voronoi and gaussian had 0.43, 0.69 and 0.63 times the bytes of one
with 200; with 6 of them 0.99, 0.81 and 1.37."""


def rehearse(loop: Loop, frames: FrameStore) -> tuple[Fitted, float]:
    """Rehearse every stage: what came of it, with the seconds of a fit where none stops early.

    The second value is how much longer work took when it was done for the first time. A stage is
    rehearsed from where the rehearsal of the stage before ended. The `frames` of the rehearsal are
    kept for a video. Afterwards the loop cannot be run any more.
    """
    job, recipe = loop.job, loop.recipe
    occasions = Occasions(loop.recording.makes_frames, loop.recording.occasions.keys)
    seconds = first = 0.0
    offset, drawn = 0, list[float]()

    def passed(engine: Engine) -> None:
        steps = occasions.frame_steps(loop.problem.total_steps, recipe.output)
        if engine.step not in steps:
            return
        # Where a frame takes longer, there are fewer of them.
        index, every = steps.index(engine.step), max(1, len(steps) // FEWEST_ESTIMATED)
        if index % every == 0 or sum(drawn) <= FRAMES_ESTIMATED * index / len(steps):
            began = time.perf_counter()
            with suppress(Diverged):
                frames.add(offset + engine.step, job.draw_frame(engine.drawing(best=False)))
            drawn.append(time.perf_counter() - began)

    for index, stage in enumerate(recipe.stage):
        loop.progress.become(Progress(stage=index))
        drawn.clear()
        engine: Engine = job.plan.engines[index]()
        limit = math.inf if stage.time is None else stage.time
        began = time.perf_counter()
        pace = loop.rehearse(engine, min(limit, ESTIMATED_AS), passed=passed, most=stage.steps)
        first += max(0.0, time.perf_counter() - began - pace.rehearsed - sum(drawn))
        # The first one may have to compile.
        pace = replace(pace, frame=fmean(drawn[1:] or drawn or [0.0]))
        if stage.steps is not None:
            work = Workload(
                stretches(0.0, 1.0, stage.steps),
                evaluations=len(evaluation_steps(stage, engine, stage.steps)),
                frames=len(occasions.frame_steps(stage.steps, recipe.output)),
                rounds=pace.rounds,
            )
            limit = min(limit, pace.seconds(work))
        seconds += limit
        loop.drawing = engine.drawing(best=False)
        offset += engine.step
    return Fitted(job, recipe, loop.drawing, offset, seconds), first
