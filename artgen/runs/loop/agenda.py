"""The agenda of a stage: the steps at which something happens, fixed by the recipe alone.

So the size of a chunk, a checkpoint or the clock never change what is evaluated or shown.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from artgen.engines import Engine, Problem
from artgen.output import frame_steps
from artgen.recipe import OutputTable, Stage
from artgen.runs.job import HOLD_SECONDS
from artgen.runs.loop.pace import Workload, stretches


@dataclass(frozen=True)
class Agenda:
    """The last step of a stage, and the steps at which something happens."""

    end: int
    evaluations: set[int]
    frames: set[int]
    keys: set[int]

    def next_after(self, step: int, checkpoint_every: int | None) -> int:
        """The next step at which something happens, or a checkpoint is due."""
        steps = self.evaluations | self.frames | self.keys
        after = min(each for each in (*steps, self.end) if each > step)
        if checkpoint_every:
            after = min(after, (step // checkpoint_every + 1) * checkpoint_every)
        return after


@dataclass(frozen=True)
class Occasions:
    """What a run takes note of on its way: frames of a video if `filming`, and `keys` a stage."""

    filming: bool
    keys: int

    def agenda(self, stage: Stage, output: OutputTable, engine: Engine, problem: Problem) -> Agenda:
        """What happens at which step, as the stage is planned now."""
        planned, at, total = stage.first_plan, problem.step_at, stage.steps or 1
        end = total if stage.stop is None else min(stage.stop, total)
        evaluations = map(at, evaluation_steps(stage, engine, planned))
        return Agenda(
            end,
            {step for step in evaluations if step < end} | {end},
            set(map(at, self.frame_steps(planned, output))),
            set(map(at, thinned(planned, self.keys) if self.keys else ())),
        )

    def frame_steps(self, total: int, output: OutputTable) -> Sequence[int]:
        """When frames are taken of a stage of `total` steps."""
        return video_steps(total, output) if self.filming else []


def evaluation_steps(stage: Stage, engine: Engine, total: int) -> Sequence[int]:
    """When a stage of `total` steps is evaluated."""
    pace, most = engine.report_pace(), stage.evaluations
    every = max(1, min(total // pace.reports, pace.steps or total))
    if most is not None:
        every = max(every, -(-total // max(1, most - 1)))
    return [total] if most == 1 else [*range(0, total, every), total]


def work_between(begin: int, end: int, engine: Engine, problem: Problem) -> Workload:
    """The work of the steps from `begin` to `end`."""
    shares = problem.progress(begin), problem.progress(end)
    rounds = number_after(begin - 1, engine.rounds, end)
    return Workload(stretches(*shares, end - begin), rounds=rounds)


def number_after(step: int, steps: Collection[int], end: float = math.inf) -> int:
    """How many of the `steps` lie after `step`, and before `end`."""
    return sum(step < each < end for each in steps)


def video_steps(total: int, output: OutputTable) -> list[int]:
    """The steps of a stage of `total` steps that have a frame, thinned where fewer are allowed."""
    if output.frames:
        return thinned(total, output.frames)
    shown = output.video_seconds - min(HOLD_SECONDS, output.video_seconds / 2)
    # Where a video moves for longer than a second, its pictures fade into each other.
    enough = max(2, 2 * round(min(shown, 1) * output.fps), round(shown * output.fps * 2 / 3))
    return thinned(total, enough, early=enough // 2 if shown > 1 else 0)


def thinned(total: int, allowed: int, early: int = 0) -> list[int]:
    """The steps of the frames of a stage, or this many: the `early` ones, and the others evenly.

    Thinned before the first rather than on the way, so that a resumed run has the same.
    """
    steps = frame_steps(total)
    if len(steps) <= allowed:
        return steps
    last, left = len(steps) - 1 - early, allowed - early
    later = [steps[early + round(i * last / max(1, left - 1))] for i in range(left)]
    return [*steps[:early], *later]
