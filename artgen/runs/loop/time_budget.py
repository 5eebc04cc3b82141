"""The time of a fit: its seconds are counted, and a budget of them becomes a number of steps.

Only here does the clock decide what a fit computes: `time` is turned into steps before the first
one, and their number is revised on the way. The recipe gets both, as `steps` and `replanned`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from artgen.engines import Engine, Problem
from artgen.recipe import MOST_REVISIONS, MOST_STEPS, Recipe
from artgen.runs.loop.agenda import Agenda, Occasions, evaluation_steps, number_after
from artgen.runs.loop.pace import Budget, Pace, Stopwatch, T, Workload
from artgen.runs.loop.progress import Progress

OVERTIME = 1.25
"""A stage ends after so many times its budget, however many steps are left."""


class TimeBudget:
    """Counts the seconds of a fit in `progress`, and plans stages that have a `time`.

    `notify` hears of time in which the process was stopped.
    """

    def __init__(self, progress: Progress, notify: Callable[[str], None]) -> None:
        self.progress, self.notify = progress, notify
        self.watch = Stopwatch()
        self._budget: Budget | None = None
        self._most_steps = MOST_STEPS

    def begin_stage(self) -> None:
        """Forget the budget of the stage before."""
        self._budget = None

    @property
    def left(self) -> float:
        """Seconds of its budget that the stage has not used, which are for the next one."""
        return max(0.0, (self.progress.budget or 0.0) - self.progress.stage_seconds)

    def timed(self, work: Callable[[], T], expected: Workload | None = None) -> T:
        """Do `work` as a part of the run: its seconds are counted."""
        return self.measured(work, expected)[0]

    def measured(self, work: Callable[[], T], expected: Workload | None = None) -> tuple[T, float]:
        """Do `work` as a part of the run; its result and its seconds."""
        lost = self.watch.lost
        result, seconds = self.watch.measure(work)
        self._count(seconds)
        if self._budget is not None and expected is not None:
            self._budget.count(expected, seconds)
        if self.watch.lost > lost:
            still = self.watch.lost - lost
            self.notify(f"the process was stopped for {still:.0f} s, which is not counted")
        return result, seconds

    @property
    def is_spent(self) -> bool:
        """Whether the stage took far longer than its budget."""
        budget = self.progress.budget
        return budget is not None and self.progress.stage_seconds > OVERTIME * budget

    def planned(
        self, recipe: Recipe, engine: Engine, pace: Pace, budget: float, occasions: Occasions
    ) -> Recipe:
        """The recipe with steps in place of the `time` of the stage, which was rehearsed."""
        index, whole = self.progress.stage, pace.pictures
        self._count(pace.rehearsed)
        left = budget - pace.rehearsed
        pace = pace.sampled(budget)
        if pace.pictures < whole:
            recipe = recipe.with_stage(index, test_pictures=pace.pictures)
        most = pace.evaluations_in(budget)
        # Where there are fewer steps, there are no more evaluations or frames.
        rounds = Workload(rounds=pace.rounds)
        steps = pace.steps_in(left, rounds)
        if len(evaluation_steps(recipe.stage[index], engine, steps)) > most:
            recipe = recipe.with_stage(index, evaluations=most)
        if len(occasions.frame_steps(steps, recipe.output)) > pace.frames_in(left):
            recipe = recipe.with_output(frames=pace.frames_in(left))
        evaluations = len(evaluation_steps(recipe.stage[index], engine, steps))
        frames = len(occasions.frame_steps(steps, recipe.output))
        steps = pace.steps_in(left, replace(rounds, evaluations=evaluations, frames=frames))
        # Rounds seem dear in a rehearsal: a plan that is too short could not be revised in time.
        steps = max(steps, pace.steps_in(left / 2))
        self.progress.budget = budget
        self._most_steps = recipe.stage[index].steps or MOST_STEPS
        if "replanning" in engine.supports:
            self._budget = Budget(pace, budget)
        return recipe.with_stage(
            index, steps=min(steps, self._most_steps), time=None, replanned=None
        )

    def revised(
        self, recipe: Recipe, engine: Engine, problem: Problem, agenda: Agenda
    ) -> Recipe | None:
        """The recipe with another number of steps where the stage would not end with its time.

        None where it is to stay as it is. The engine is told, by its problem.
        """
        index, step, spent = self.progress.stage, engine.step, self.progress.stage_seconds
        if self._budget is None or step >= agenda.end or not self._budget.is_due(spent):
            return None
        stage = recipe.stage[index]
        total, before = stage.steps or 1, stage.replanned or ()
        other = Workload(
            evaluations=number_after(step, agenda.evaluations),
            frames=number_after(step, agenda.frames),
            rounds=number_after(step - 1, engine.rounds),
        )
        left = self._budget.revised(spent, total - step, other, problem.progress(step))
        steps = min(step + left, self._most_steps)
        if steps == total or len(before) == MOST_REVISIONS:
            return None
        problem.revisions.append((step, steps))
        return recipe.with_stage(index, steps=steps, replanned=(*before, (step, total)))

    def _count(self, seconds: float) -> None:
        self.progress.seconds += seconds
        self.progress.stage_seconds += seconds
