"""A clip's budget of time: how many steps its frames may take, from what a first few took."""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from artgen.base.errors import Diverged
from artgen.engines import Engine
from artgen.recipe import MOST_STEPS, ClipTable, Recipe
from artgen.runs.kind import Asked
from artgen.runs.kinds.clip.keyframes import Keyframe
from artgen.runs.kinds.clip.plan import following_steps
from artgen.runs.kinds.clip.scene import Follower
from artgen.runs.kinds.picture.run import PictureRun
from artgen.runs.loop.pace import Pace, Workload
from artgen.runs.loop.stages import Loop
from artgen.targets import ClipTarget, ImageTarget

MORE_STEPS = 8
"""Steps that a frame takes more than another one, to find out how long a step takes."""

PARTS = 2**40
"""The share of the first frames is a multiple of this part of the time."""


def with_steps(
    asked: Asked, clip: ClipTarget, scenes: Sequence[tuple[int, int]]
) -> tuple[Recipe, float]:
    """The recipe of a clip with steps in place of `time`, and the seconds that finding out took.

    Every stage has a `time`; together they are that of the clip. The frames that follow others take
    as many steps as their engine says for the steps of the first ones, unless the recipe says it.
    """
    recipe = asked.recipe
    first, *second = itertools.islice(clip.frames(), 2)
    plain = recipe.replace(clip=None).with_output(video=False, film=None)
    job = PictureRun(replace(asked, recipe=plain, target=first)).prepare()
    loop = Loop(job, asked.context)
    budget = sum(stage.time or 0.0 for stage in recipe.stage)
    paces: list[tuple[Pace, int]] = []
    for index, make in enumerate(job.plan.engines):
        engine: Engine = make()
        loop.progress.stage = index
        pace = loop.rehearse(engine, recipe.stage[index].time or budget)
        paces.append((pace, engine.report_pace().reports))
        loop.drawing = engine.drawing(best=False)
    base, step, spent = 0.0, 0.0, sum(pace.rehearsed for pace, _ in paces)
    if second:
        base, step, took = _following_pace(loop, asked, (first, second[0]))
        spent += took
    following = scenes[-1][1] - len(scenes)
    left = budget - spent

    def planned(share: float) -> Recipe:
        """The recipe where the first frames of scenes take this share of the time."""
        changed = recipe
        for index, (stage, (pace, reports)) in enumerate(zip(recipe.stage, paces, strict=True)):
            seconds = share * left * (stage.time or 0.0) / budget / len(scenes)
            evaluations = min(reports, pace.evaluations_in(seconds))
            steps = pace.steps_in(seconds, Workload(evaluations=evaluations, rounds=pace.rounds))
            steps = min(steps, stage.steps or MOST_STEPS)
            few = evaluations if evaluations < reports else None
            changed = changed.with_stage(index, steps=steps, time=None, evaluations=few)
        table = recipe.clip or ClipTable()
        plan = replace(job.plan, recipe=changed)
        most = changed.stage[-1].steps or 1
        steps = table.steps or min(most, following_steps(plan))
        # What frames that take more steps would cost is not known before.
        return changed.replace(clip=table.replace(steps=steps, stretch=1.0))

    def is_too_long(part: int) -> bool:
        share, table = part / PARTS, planned(part / PARTS).clip or ClipTable()
        return bool(share * left + following * (base + (table.steps or 1) * step) > left)

    return planned(bisect_left(range(1, PARTS), True, key=is_too_long) / PARTS), spent


def _following_pace(
    loop: Loop, asked: Asked, frames: tuple[ImageTarget, ImageTarget]
) -> tuple[float, float, float]:
    """Seconds of a frame that follows without its steps, of each step, and of finding out."""
    key, job = Keyframe(dict(loop.drawing.tensors)), loop.job
    (shown, frame), control = frames, asked.context.control

    def follow(steps: int) -> float:
        table = (asked.recipe.clip or ClipTable()).replace(steps=steps, stretch=1.0)
        plan = replace(job.plan, recipe=job.recipe.replace(clip=table))
        here = replace(job, plan=plan)
        follower = Follower(here, asked.registry, lambda: control.stop_requested)

        def work() -> None:
            with suppress(Diverged):
                follower.fit(1, key, None, shown, frame)

        return loop.time.watch.measure(work)[1]

    # What is done first includes compiling, and counts as much as the second time.
    first, short, long = follow(1), follow(1), follow(1 + MORE_STEPS)
    step = max(0.0, long - short) / MORE_STEPS
    return max(0.0, short - step), step, min(first, short) + short + long
