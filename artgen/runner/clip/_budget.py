"""A clip's budget of time: how many steps its frames may take, from what a first few took."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from artgen.engines import Engine
from artgen.engines.protocols import report_pace
from artgen.errors import Diverged
from artgen.recipe import MOST_STEPS, ClipTable, Recipe
from artgen.registry import Registry
from artgen.runner._context import RunContext
from artgen.runner._fit import Fit
from artgen.runner._prepare import prepare
from artgen.runner._timing import Pace
from artgen.runner.clip._keyframes import Keyframe
from artgen.runner.clip._plan import following_steps
from artgen.runner.clip._scene import Follower
from artgen.targets import ClipTarget, ImageTarget
from artgen.tasks import RunControl

MORE_STEPS = 8
"""Steps that a frame takes more than another one, to find out how long a step takes."""

BISECTIONS = 40


def with_steps(
    recipe: Recipe,
    clip: ClipTarget,
    scenes: Sequence[tuple[int, int]],
    registry: Registry,
    *,
    search: Sequence[Path],
    threads: int,
    control: RunControl,
) -> tuple[Recipe, float]:
    """The recipe of a clip with steps in place of `time`, and the seconds that finding out took.

    Every stage has a `time`; together they are that of the clip. The frames that follow others take
    as many steps as their engine says for the steps of the first ones, unless the recipe says it.
    """
    first, *second = itertools.islice(clip.frames(), 2)
    plain = recipe.with_clip(None).with_output(video=False)
    job = prepare(plain, registry, target=first, search=search, threads=threads)
    fit = Fit(RunContext(job, control=control))
    budget = sum(stage.time or 0.0 for stage in recipe.stage)
    paces: list[tuple[Pace, int]] = []
    for index, make in enumerate(job.plan.engines):
        engine: Engine = make()
        fit.progress.stage = index
        pace = fit.rehearse(engine, recipe.stage[index].time or budget)
        paces.append((pace, report_pace(engine).reports))
        fit.drawing = engine.drawing(best=False)
    base, step, spent = 0.0, 0.0, sum(pace.rehearsed for pace, _ in paces)
    if second:
        base, step, took = _following_pace(fit, recipe, registry, (first, second[0]), control)
        spent += took
    following = scenes[-1][1] - len(scenes)
    left = budget - spent

    def planned(share: float) -> Recipe:
        """The recipe where the first frames of scenes take this share of the time."""
        changed = recipe
        for index, (stage, (pace, reports)) in enumerate(zip(recipe.stage, paces, strict=True)):
            seconds = share * left * (stage.time or 0.0) / budget / len(scenes)
            evaluations = min(reports, pace.evaluations_in(seconds))
            steps = pace.steps_in(seconds, evaluations=evaluations, rounds=pace.rounds)
            steps = min(steps, stage.steps or MOST_STEPS)
            few = evaluations if evaluations < reports else None
            changed = changed.with_stage(index, steps=steps, time=None, evaluations=few)
        table = recipe.clip or ClipTable()
        plan = replace(job.plan, recipe=changed)
        most = changed.stage[-1].steps or 1
        steps = table.steps or min(most, following_steps(plan))
        return changed.with_clip(table.model_copy(update={"steps": steps}))

    def fits(share: float) -> bool:
        table = planned(share).clip
        assert table is not None
        return bool(share * left + following * (base + (table.steps or 1) * step) <= left)

    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return planned(low), spent


def _following_pace(
    fit: Fit,
    recipe: Recipe,
    registry: Registry,
    frames: tuple[ImageTarget, ImageTarget],
    control: RunControl,
) -> tuple[float, float, float]:
    """Seconds of a frame that follows without its steps, of each step, and of finding out."""
    key = Keyframe(dict(fit.drawing.tensors))
    shown, frame = frames

    def follow(steps: int) -> float:
        table = (recipe.clip or ClipTable()).model_copy(update={"steps": steps})
        plan = replace(fit.job.plan, recipe=fit.job.recipe.with_clip(table))
        follower = Follower(replace(fit.job, plan=plan), registry)

        def work() -> None:
            with suppress(Diverged):
                follower.fit(1, key, None, shown, frame, lambda: control.stop_requested)

        return fit.watch.measure(work)[1]

    # What is done first includes compiling, and counts as much as the second time.
    first, short, long = follow(1), follow(1), follow(1 + MORE_STEPS)
    step = max(0.0, long - short) / MORE_STEPS
    return max(0.0, short - step), step, min(first, short) + short + long
