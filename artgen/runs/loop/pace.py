"""`time`: how long steps, evaluations and frames take, and how many steps fit into a time."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TypeVar

from artgen.base.errors import Diverged
from artgen.engines import Engine
from artgen.values.drawing import Drawing

T = TypeVar("T")

FIRST_STEPS = 3
REHEARSAL_SHARE = 0.05
"""The part of a time budget that a rehearsal should take."""
LONGEST_REHEARSAL = 3.0
PATIENCE = 3.0
"""A rehearsal ends early after this many times what it should take."""
MOST_STEPS = 2000
STRETCHES = 10
"""Steps of one stretch of the schedule are taken to last equally long."""
STORING = 1.3
"""What storing a frame adds to painting it, as a factor."""
FRAME_SHARE = 0.25
"""The part of a time budget that frames may take."""
EVALUATION_SHARE = 0.05
"""The part of a time budget that evaluations may take."""
FEWEST_PICTURES = 10
"""The least test pictures of a sample."""
CHECK_SHARE = 0.02
"""The number of steps is checked each time that this part of the budget is used."""
TOLERANCE = 0.01
"""It is revised where the fit would end too early or too late by this part of the budget."""
MEMORY_SHARE = 0.2
"""What was measured longer ago than this part of the budget hardly counts any more."""
TRUST_SHARE = 0.05
"""The rehearsal counts as much as this part of the budget."""
LARGEST_CHANGE = 2.0
"""A revision changes the steps left by no larger factor; in the second half, fewer may be left."""
GAP = 1.0
"""Seconds in which a process may wait before it counts as stopped."""
GAP_FACTOR = 3.0
"""The same, in times of the longest work so far."""
GAP_CPU = 0.05
"""A process that was stopped used no more of that time on processors."""


class Stopwatch:
    """Measures how long work takes, without the time in which the process could not run.

    A process that was stopped (SIGSTOP), or that a full machine swapped out, waited far longer than
    any work before took, and used no processor meanwhile. `lost` counts the seconds left out.
    """

    def __init__(self) -> None:
        self.lost = 0.0
        self._longest: float | None = None

    def measure(self, work: Callable[[], T]) -> tuple[T, float]:
        """Do `work`; its result, and the seconds that count."""
        began, began_cpu = time.perf_counter(), time.process_time()
        result = work()
        took, used = time.perf_counter() - began, time.process_time() - began_cpu
        usual = took if self._longest is None else self._longest
        if took > GAP + GAP_FACTOR * usual and used < GAP_CPU * took:
            self.lost += took - used
            return result, used
        self._longest = max(usual, took)
        return result, took


@dataclass(frozen=True)
class Workload:
    """Workload to do: steps in each stretch of a schedule, evaluations, frames, rounds."""

    steps: Sequence[float] = ()
    evaluations: int = 0
    frames: int = 0
    rounds: int = 0


NOTHING = Workload()


@dataclass(frozen=True)
class Pace:
    """Seconds per step in each stretch of the schedule, per evaluation, frame and round."""

    steps: tuple[float, ...]
    evaluation: float
    frame: float
    round: float = 0.0
    """Seconds that a round takes beside its step."""
    rounds: int = 0
    """How many rounds a fit has."""
    rehearsed: float = 0.0
    """Seconds that it took to find out, without compiling."""
    pictures: int = 0
    """The test pictures that an evaluation looks at, of which a sample would do."""

    def seconds(self, work: Workload) -> float:
        """The seconds that `work` takes."""
        steps = sum(n * each for n, each in zip(work.steps, self.steps, strict=False))
        other = work.evaluations * self.evaluation + work.frames * self.frame
        return steps + other + work.rounds * self.round

    def frames_in(self, seconds: float) -> int:
        """The number of frames that fit into their share of `seconds`, at least first and last."""
        return max(2, int(FRAME_SHARE * seconds / self.frame)) if self.frame else 2

    def evaluations_in(self, seconds: float) -> int:
        """The number of evaluations that fit into their share of `seconds`, at least the last."""
        return max(1, int(EVALUATION_SHARE * seconds / max(self.evaluation, 1e-9)))

    def sampled(self, seconds: float) -> Pace:
        """The pace with as many test pictures as fit into the share of evaluations."""
        most = EVALUATION_SHARE * seconds / max(self.evaluation, 1e-9)
        if not self.pictures or most >= 1:
            return self
        pictures = min(self.pictures, max(FEWEST_PICTURES, int(most * self.pictures)))
        evaluation = self.evaluation * pictures / self.pictures
        return replace(self, evaluation=evaluation, pictures=pictures)

    def steps_in(self, seconds: float, other: Workload = NOTHING, *, progress: float = 0.0) -> int:
        """The number of steps after `progress` that fit into `seconds` beside `other` work."""
        left = seconds - self.seconds(other)
        step = self.seconds(Workload(stretches(progress, 1.0, 1)))
        return max(1, int(left / max(step, 1e-9)))


def stretches(begin: float, end: float, steps: int) -> list[float]:
    """The number of steps in each stretch, of `steps` between two shares of a schedule."""
    edges = [min(max(i / STRETCHES, begin), end) for i in range(STRETCHES + 1)]
    return [steps * (b - a) / max(end - begin, 1e-12) for a, b in itertools.pairwise(edges)]


class Budget:
    """Decides, while a fit runs, how many steps fit into its time: `pace` was rehearsed.

    What was done lately took `slowness` times as long as the pace says. What is left is taken to
    need that factor too, so errors of the rehearsal and another load are both made up for.
    """

    def __init__(self, pace: Pace, seconds: float) -> None:
        self.pace, self.seconds = pace, seconds
        self.expected = self.took = TRUST_SHARE * seconds
        self.checked = 0.0

    @property
    def slowness(self) -> float:
        """The factor by which the machine is slower than rehearsed."""
        return self.took / self.expected

    def count(self, work: Workload, seconds: float) -> None:
        """Take note that `work` took `seconds`."""
        kept = math.exp(-seconds / (MEMORY_SHARE * self.seconds))
        self.took = kept * self.took + seconds
        self.expected = kept * self.expected + self.pace.seconds(work)

    def is_due(self, spent: float) -> bool:
        """Whether enough of the budget was used since the last check."""
        due = spent - self.checked >= CHECK_SHARE * self.seconds
        if due:
            self.checked = spent
        return due

    def revised(self, spent: float, steps: int, other: Workload, progress: float) -> int:
        """The number of steps still to take where `steps` are left, after `spent` seconds.

        `steps` themselves where they end in time; `progress` is the share of the schedule that is
        done, and `other` is what else there is to do.
        """
        left = (self.seconds - spent) / self.slowness
        work = replace(other, steps=stretches(progress, 1.0, steps))
        off = self.slowness * (self.pace.seconds(work) - left)
        if abs(off) <= TOLERANCE * self.seconds:
            return steps
        fitting = self.pace.steps_in(left, other, progress=progress)
        # One slow moment must not end a fit early, nor hurry its schedule to the end.
        fewest = steps / LARGEST_CHANGE if spent < self.seconds / 2 else 1
        return round(min(max(fitting, fewest), steps * LARGEST_CHANGE))


def measure_pace(
    begin: Callable[[int], Engine],
    paint: Callable[[Drawing], object] | None,
    seconds: float,
    watch: Stopwatch,
    stop: Callable[[], bool] = lambda: False,
    *,
    passed: Callable[[Engine], None] | None = None,
    most: int | None = None,
) -> Pace:
    """Rehearse a fit of few steps: as parts are added, and grow, steps take longer.

    `begin` gives an engine started for this many steps; `paint` draws a frame, None where there is
    no video. Once `stop` says so, what was measured so far has to do. What is done for the first
    time includes compiling, and counts as much as the second time. A fit has at most `most` steps;
    `passed` is called before its first step and after every step, which does not count.
    """
    budget = min(LONGEST_REHEARSAL, REHEARSAL_SHARE * seconds)
    spent = 0.0

    def took(work: Callable[[], object]) -> float:
        return watch.measure(work)[1]

    def repeated(work: Callable[[], object], most: float = math.inf) -> float:
        """The seconds that `work` takes the second time; the first time where that took `most`."""
        nonlocal spent
        first = took(work)
        again = not stop() and first <= most
        each = min(first, took(work)) if again else first
        spent += (1 + again) * each
        return each

    def draw() -> None:
        if paint is not None:
            with suppress(Diverged):
                paint(engine.drawing(best=False))

    # Past the end of the schedule all parts are there.
    engine = begin(1)
    full = [took(lambda: engine.advance(1)) for _ in range(2)]
    while len(full) < 2 + FIRST_STEPS and sum(full[1:]) <= budget and not stop():
        full.append(took(lambda: engine.advance(1)))
    rough = fmean(full[2:] or full[1:])
    spent += rough * len(full)
    evaluation = repeated(lambda: _evaluate(engine), PATIENCE * budget)
    frame = repeated(draw) if paint else 0.0
    fitting = max(FIRST_STEPS, int(budget / max(rough, 1e-9)))
    steps = min(MOST_STEPS, most or MOST_STEPS, fitting)
    engine, began = watch.measure(lambda: begin(steps))
    spent += 2 * began
    begins = engine.rounds
    usual, rounds = [list[float]() for _ in range(STRETCHES)], list[float]()
    rehearsed = 0.0
    if passed:
        passed(engine)
    for step in range(steps):
        if stop() or rehearsed + rough > PATIENCE * budget:
            break
        each = took(lambda: engine.advance(1))
        rehearsed += each
        if passed:
            passed(engine)
        (rounds if step in begins else usual[step * STRETCHES // steps]).append(each)
    paces, pace = list[float](), rough
    # A stretch without a step is like the next one.
    for times in reversed(usual):
        pace = fmean(times) if times else pace
        paces.insert(0, pace)
    return Pace(
        tuple(paces),
        evaluation,
        STORING * frame,
        max(0.0, fmean(rounds) - fmean(paces)) if rounds else 0.0,
        len(begins),
        spent + rehearsed,
    )


def _evaluate(engine: Engine) -> None:
    """Judge; where a rehearsal diverges, the run will and is recovered then."""
    with suppress(Diverged):
        engine.report()
