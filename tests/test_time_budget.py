"""`time`: rehearsals, the number of steps that fits, and its revisions while a fit runs.

No test reads a real clock: work is said to take time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from statistics import fmean

import pytest
from helpers import recipe

import artgen.runs.loop.stages
from artgen.engines import Problem
from artgen.engines.base import Engine
from artgen.engines.genetic.engine import GeneticEngine
from artgen.engines.gradient.engine import GradientEngine
from artgen.events import Evaluated, Event, FrameTaken, Notice
from artgen.plan import resolve
from artgen.recipe import Recipe
from artgen.recipe.layers import lay_over
from artgen.registry import Registry
from artgen.runs import run
from artgen.runs.job import Job
from artgen.runs.loop.pace import STRETCHES, Pace, Stopwatch, Workload, measure_pace
from artgen.values.canvas import Canvas


class Clock:
    """A clock that only moves when work is said to take time, on a processor or waiting."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = self.cpu = 0.0
        self.patch = monkeypatch
        monkeypatch.setattr("time.perf_counter", lambda: self.now)
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        monkeypatch.setattr("time.process_time", lambda: self.cpu)

    def work(self, seconds: float) -> None:
        self.now += seconds
        self.cpu += seconds

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def charge(
        self,
        engine: type[Engine],
        step: Callable[[Engine], float],
        evaluation: float = 0.0,
        frame: float = 0.0,
    ) -> None:
        """Let steps and evaluations of an engine, and frames, take these seconds."""
        advance, report, draw = engine.advance, engine.report, Job.draw

        def advanced(self_: Engine, steps: int) -> None:
            for _ in range(steps):
                self.work(step(self_))
                advance(self_, 1)

        def reported(self_: Engine) -> object:
            self.work(evaluation)
            return report(self_)

        def drawn(job: Job, drawing: object) -> object:
            self.work(frame)
            return draw(job, drawing)

        self.patch.setattr(engine, "advance", advanced)
        self.patch.setattr(engine, "report", reported)
        self.patch.setattr(Job, "draw", drawn)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def stored(folder: Path) -> dict[str, bytes]:
    """The bytes of the still and of the drawing."""
    return {
        path.suffix: path.read_bytes()
        for path in folder.iterdir()
        if path.suffix in (".png", ".art")
    }


def fitted(asked: Recipe, registry: Registry, out: Path) -> tuple[object, list[Event]]:
    events: list[Event] = []
    outcome = run(asked, registry, out=out, observers=[events.append])
    return outcome, events


STAGES = {
    "gradient": {"engine": "gradient", "start": 0.25, "soften": 0.3, "coarse": 0.2},
    "genetic": {"engine": "genetic", "population": 4, "elite": 2, "islands": 1},
}
ENGINES = {"gradient": GradientEngine, "genetic": GeneticEngine}


@pytest.mark.parametrize("name", STAGES)
@pytest.mark.parametrize(
    ("before", "after", "low", "high"),
    [(1.0, 1.0, 0.95, 1.05), (1.0, 2.0, 0.85, 1.15), (2.0, 1.0, 0.85, 1.15)],
)
def test_a_budget_is_used(
    name: str,
    before: float,
    after: float,
    low: float,
    high: float,
    photo: Path,
    tmp_path: Path,
    registry: Registry,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the load changes by two half-way, or parts grow more than in the rehearsal."""
    progress: list[float] = []

    def step(engine: Engine) -> float:
        progress.append(engine.problem.progress(engine.step + 1))
        grown = 1 + engine.step / 400
        return 0.05 * grown * (before if clock.now < 5.0 else after)

    clock.charge(ENGINES[name], step, evaluation=0.01, frame=0.02)
    primitive = {"name": "gaussian" if name == "gradient" else "triangle", "count": 8}
    if name == "gradient":
        primitive["blend"] = "over"
    stage = {**STAGES[name], "time": 10.0}
    outcome, _ = fitted(recipe(photo, stage, primitive=primitive), registry, tmp_path / "one")

    assert outcome.summary["stopped_by"] == "steps"
    assert low <= outcome.summary["seconds"] / 10.0 <= high
    # The schedule got to its end, in the steps that the recipe says.
    result = outcome.art.recipe.stage[0]
    assert progress[-1] == 1.0
    assert result.replanned
    assert outcome.summary["steps"] == result.steps != result.first_plan

    monkeypatch.undo()
    again = run(outcome.art.recipe, registry, out=tmp_path / "two", search=[tmp_path])
    assert stored(tmp_path / "one") == stored(tmp_path / "two")
    assert again.art.recipe == outcome.art.recipe


def test_a_killed_fit_is_resumed_with_its_revisions(
    photo: Path,
    tmp_path: Path,
    registry: Registry,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that came after the checkpoint too: nothing is measured again."""
    clock.charge(GradientEngine, lambda engine: 0.05 if clock.now < 2.0 else 0.1)

    def kill(event: Event) -> None:
        if isinstance(event, Evaluated) and clock.now > 4.0:
            raise KeyboardInterrupt

    asked = recipe(photo, {"time": 5.0})
    with pytest.raises(KeyboardInterrupt):
        run(asked, registry, out=tmp_path / "one", observers=[kill], checkpoint_every=10)
    written = json.loads((tmp_path / "one/photo-gaussian.run/recipe.json").read_text())["stage"][0]
    assert len(written["replanned"]) > 1
    monkeypatch.undo()
    # Without its time, which would be read from a real clock.
    again = recipe(photo, {})
    one = run(again, registry, out=tmp_path / "one", resume=True, search=[tmp_path])
    assert one.summary["steps"] == written["steps"]
    assert one.summary["recipe"]["stage"][0]["replanned"] == written["replanned"]
    run(one.art.recipe, registry, out=tmp_path / "two", search=[tmp_path])
    assert stored(tmp_path / "one") == stored(tmp_path / "two")


def test_time_becomes_steps(photo: Path, tmp_path: Path, registry: Registry, clock: Clock) -> None:
    clock.charge(GradientEngine, lambda engine: 0.01)
    one = run(recipe(photo, {"time": 0.4}), registry, out=tmp_path / "one")
    [stage] = one.summary["recipe"]["stage"]
    assert "time" not in stage
    # Of 40 steps the rehearsal took seven: four past the end of a schedule, and a short schedule.
    assert one.summary["steps"] == stage["steps"] == 33
    assert one.summary["seconds"] == pytest.approx(0.4)
    assert "replanned" not in stage


def test_frames_and_evaluations_are_fewer_where_they_are_dear(
    photo: Path, tmp_path: Path, registry: Registry, clock: Clock
) -> None:
    clock.charge(GradientEngine, lambda engine: 0.01, evaluation=0.03, frame=0.1 / 1.3)
    asked = recipe(photo, {"time": 3.0}, output={"fps": 30, "video_seconds": 10})
    outcome, events = fitted(asked, registry, tmp_path)
    frames = [event.step for event in events if isinstance(event, FrameTaken)]
    evaluated = [event.step for event in events if isinstance(event, Evaluated)]
    steps = outcome.summary["steps"]
    # 5 % of three seconds hold five evaluations, a quarter of what the rehearsal left six frames.
    assert outcome.art.recipe.stage[0].evaluations == len(evaluated) == 5
    assert outcome.art.recipe.output.frames == len(frames) == 6
    assert (evaluated[0], evaluated[-1], frames[0], frames[-1]) == (0, steps, 0, steps)
    assert outcome.summary["seconds"] == pytest.approx(3.0, rel=0.02)


def test_one_evaluation_is_at_the_end(
    photo: Path, tmp_path: Path, registry: Registry, clock: Clock
) -> None:
    clock.charge(GradientEngine, lambda engine: 0.01, evaluation=1.0)
    outcome, events = fitted(recipe(photo, {"time": 5.0}), registry, tmp_path)
    evaluated = [event.step for event in events if isinstance(event, Evaluated)]
    assert evaluated == [outcome.summary["steps"]]
    assert evaluated[0] > 200
    assert outcome.summary["seconds"] == pytest.approx(5.0, rel=0.02)


def test_test_pictures_that_take_longer_than_the_fit_are_sampled(
    tmp_path: Path, registry: Registry, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All were evaluated to find out how long that takes: ten seconds became sixteen, one step."""
    clock.charge(GradientEngine, lambda engine: 0.2)
    report = GradientEngine.report

    def reported(engine: GradientEngine) -> object:
        clock.work(0.04 * len(engine.problem.target))
        return report(engine)

    monkeypatch.setattr(GradientEngine, "report", reported)
    source = "sample:digits?n=720"
    asked = recipe(
        Path(source),
        {"engine": "gradient", "time": 30.0, "batch": 4},
        target={"source": source, "size": 8},
        primitive={"name": "autoencoder", "network": "dense", "latent": 2, "count": None},
        run={"device": "cpu", "threads": 1, "arithmetic": "fp32"},
        output={"video": False},
    )
    outcome, events = fitted(asked, registry, tmp_path / "one")
    stage = outcome.art.recipe.stage[0]
    # Of 120 pictures as many as take 1.5 seconds.
    assert stage.test_pictures == 37
    assert len([event for event in events if isinstance(event, Evaluated)]) == 1
    assert stage.steps > 100
    assert outcome.summary["seconds"] == pytest.approx(30, rel=0.05)

    monkeypatch.undo()
    run(outcome.art.recipe, registry, out=tmp_path / "two", search=[tmp_path])
    assert stored(tmp_path / "one") == stored(tmp_path / "two")


def test_one_time_is_that_of_all_stages(photo: Path, registry: Registry, clock: Clock) -> None:
    """It was that of the last stage, and the others took theirs as well."""
    clock.charge(GradientEngine, lambda engine: 0.1)
    flags = {"engine": "gradient,gradient", "time": "10"}
    asked = lay_over(recipe(photo, {"steps": 9}).to_dict(), {}, flags)
    assert run(Recipe.from_request(asked), registry).summary["seconds"] == pytest.approx(
        10, rel=0.05
    )


@pytest.mark.parametrize("early", [{"plateau": 1}, {"steps": 10}, {"target_psnr": 1.0}])
def test_what_a_stage_leaves_of_its_time_is_for_the_next(
    early: dict, photo: Path, registry: Registry, clock: Clock
) -> None:
    """A fit with `time` ended long before it where its first stage ended early."""
    clock.charge(GradientEngine, lambda engine: 0.01)
    stages = [{"time": 2.0, **early}, {"time": 2.0}]
    summary = run(recipe(photo, *stages, output={"video": False}), registry).summary
    # Its own time is that of 200 steps. When the first one stands still depends on the processor.
    assert summary["recipe"]["stage"][1]["steps"] > 210
    assert summary["seconds"] == pytest.approx(4.0, rel=0.05)


def test_time_and_steps_take_what_comes_first(
    photo: Path, registry: Registry, clock: Clock
) -> None:
    clock.charge(GradientEngine, lambda engine: 0.01 if clock.now < 1.5 else 0.001)
    outcome = run(recipe(photo, {"time": 3, "steps": 250}), registry)
    assert outcome.summary["steps"] == 250
    assert outcome.summary["seconds"] < 2.5


def test_a_fit_whose_engine_cannot_be_replanned_is_stopped(
    photo: Path,
    tmp_path: Path,
    registry: Registry,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(GradientEngine, "supports", ())
    clock.charge(GradientEngine, lambda engine: 0.01 if clock.now < 0.5 else 0.1)
    outcome = run(recipe(photo, {"time": 2.0}), registry, out=tmp_path / "one")
    stage = outcome.art.recipe.stage[0]
    assert outcome.summary["stopped_by"] == "time"
    assert outcome.summary["seconds"] == pytest.approx(1.25 * 2.0, rel=0.05)
    assert outcome.summary["steps"] == stage.stop < stage.steps
    assert stage.replanned is None
    run(outcome.art.recipe, registry, out=tmp_path / "two", search=[tmp_path])
    assert stored(tmp_path / "one") == stored(tmp_path / "two")


def test_revisions_never_change_what_was_before() -> None:
    def problem(*revisions: tuple[int, int]) -> Problem:
        return Problem(None, None, None, None, 1000, 1, revisions=list(revisions))

    plain, once = problem(), problem((500, 750))
    twice = problem((500, 750), (601, 2000))
    assert [plain.position(step) for step in (0, 7, 1000)] == [0, 7, 1000]
    assert [once.position(step) for step in (499, 500, 501, 750)] == [499, 500, 502, 1000]
    for before, after, end in ((plain, once, 500), (once, twice, 601)):
        steps = range(end + 1)
        assert [before.position(step) for step in steps] == [after.position(step) for step in steps]
        for position in range(1001):
            at = before.step_at(position)
            # What is due by then stays there, and what is not comes later.
            assert after.step_at(position) == at if at <= end else after.step_at(position) > end
    assert twice.step_at(1000) == 2000
    assert twice.progress(2000) == 1.0
    assert all(
        twice.position(twice.step_at(p)) >= p > twice.position(twice.step_at(p) - 1)
        for p in range(1, 1001)
    )


class Rehearsed:
    """An engine whose step number k of n takes `seconds(k, n)`; `rounds` of them take 2 more."""

    def __init__(
        self, clock: Clock, seconds: Callable[[int, int], float], rounds: float = 0.0
    ) -> None:
        self.clock, self.seconds, self.every = clock, seconds, rounds
        self.total, self.step = 0, 0

    def begin(self, steps: int) -> Rehearsed:
        self.total, self.step = steps, 0
        return self

    @property
    def rounds(self) -> list[int]:
        return [round(i * self.every * self.total) for i in range(1, 13)] if self.every else []

    def advance(self, steps: int) -> None:
        for _ in range(steps):
            self.clock.work(2.0 * (self.step in self.rounds))
            self.step += 1
            self.clock.work(self.seconds(self.step, self.total))

    def report(self) -> None:
        self.clock.work(0.5)

    def drawing(self, best: bool) -> None:
        """Nothing to see."""


def test_the_pace_is_that_of_the_whole_schedule(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Rehearsed(Clock(monkeypatch), lambda step, total: 0.01 * min(1.0, step / total))
    pace = measure_pace(engine.begin, None, 40.0, Stopwatch())
    # 5 % of 40 seconds hold 200 of the longest steps.
    assert engine.step == engine.total
    assert engine.total in (199, 200)
    assert pace.steps == pytest.approx([0.0005 + 0.001 * i for i in range(STRETCHES)], rel=0.1)
    assert (pace.evaluation, pace.frame, pace.round) == (pytest.approx(0.5), 0.0, 0.0)
    # The first evaluation counts too.
    assert pace.rehearsed == pytest.approx(1.0 + 5 * 0.01 + 2 * 0.5, rel=0.02)
    assert pace.steps_in(10.0, Workload(evaluations=10)) == pytest.approx(5.0 / 0.005, rel=0.02)
    # From the middle on, steps are slower.
    assert pace.steps_in(10.0, progress=0.5) == pytest.approx(10 / 0.0075, rel=0.02)


def test_the_slowest_tenth_of_the_steps_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Rehearsed(Clock(monkeypatch), lambda step, total: 0.1 if step % 10 == 9 else 0.01)
    pace = measure_pace(engine.begin, None, 400.0, Stopwatch())
    assert fmean(pace.steps) == pytest.approx(0.9 * 0.01 + 0.1 * 0.1, rel=0.05)


def test_rounds_are_as_many_in_a_long_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Rehearsed(Clock(monkeypatch), lambda step, total: 0.1, rounds=0.05)
    pace = measure_pace(engine.begin, None, 200.0, Stopwatch())
    assert engine.step < engine.total == 30  # It took long enough.
    assert pace.steps == pytest.approx([0.1] * STRETCHES)
    assert (pace.round, pace.rounds) == (pytest.approx(2.0), 12)
    assert pace.steps_in(124.01, Workload(rounds=12)) == 1000


def test_the_first_frame_is_not_what_a_frame_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, drawn = Clock(monkeypatch), []
    engine = Rehearsed(clock, lambda step, total: 0.01)

    def paint(drawing: object) -> None:
        clock.work(0.01 if drawn else 0.7)
        drawn.append(drawing)

    pace = measure_pace(engine.begin, paint, 5.0, Stopwatch())
    assert pace.frame == pytest.approx(1.3 * 0.01)
    assert pace.frames_in(5.0) == 96


def test_a_rehearsal_can_be_interrupted(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Rehearsed(Clock(monkeypatch), lambda step, total: 0.001)
    pace = measure_pace(engine.begin, None, 400.0, Stopwatch(), lambda: engine.step >= 7)
    assert (engine.step, engine.total) == (7, 2000)
    assert pace.steps == pytest.approx([0.001] * STRETCHES)


def test_a_rehearsal_is_a_part_of_the_time(
    photo: Path, registry: Registry, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.charge(GradientEngine, lambda engine: 1.0)
    pace = Pace((1.0,) * STRETCHES, evaluation=0.0, frame=0.0, rehearsed=40.0)
    monkeypatch.setattr(
        artgen.runs.loop.stages, "measure_pace", lambda begin, *_, **__: begin(1) and pace
    )
    outcome = run(recipe(photo, {"time": 60.0}), registry)
    assert outcome.summary["steps"] == 20
    assert outcome.summary["seconds"] == pytest.approx(60)


def test_time_in_which_a_process_was_stopped_does_not_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, watch = Clock(monkeypatch), Stopwatch()
    assert watch.measure(lambda: clock.work(0.05))[1] == pytest.approx(0.05)
    assert watch.measure(lambda: clock.wait(20.0))[1] == pytest.approx(0.0)
    assert watch.lost == pytest.approx(20.0)
    # What keeps a processor busy counts, and so does a short wait.
    assert watch.measure(lambda: clock.wait(0.9))[1] == pytest.approx(0.9)
    assert watch.measure(lambda: clock.work(20.0))[1] == pytest.approx(20.0)
    assert watch.lost == pytest.approx(20.0)


def test_a_stop_is_said(photo: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, notices = Clock(monkeypatch), []
    advance = GradientEngine.advance

    def slow(engine: GradientEngine, steps: int) -> None:
        clock.work(0.01 * steps)
        if engine.step == 10:
            clock.wait(30.0)
        advance(engine, steps)

    monkeypatch.setattr(GradientEngine, "advance", slow)

    def watch(event: object) -> None:
        if isinstance(event, Notice) and event.level == "warning":
            notices.append(event.message)

    asked = recipe(photo, {"steps": 20})
    outcome = run(asked, registry, observers=[watch])
    assert outcome.summary["seconds"] == pytest.approx(0.2)
    assert notices == ["the process was stopped for 30 s, which is not counted"]


def test_a_clip_uses_its_time(tmp_path: Path, registry: Registry, clock: Clock) -> None:
    """A first frame and some that follow share it; the recipe has numbers of steps instead."""
    clock.charge(GradientEngine, lambda engine: 0.05, evaluation=0.01, frame=0.02)
    asked = recipe(
        Path("sample:clip?n=8"),
        {"time": 12.0},
        target={"source": "sample:clip?n=8", "size": 16},
        run={"device": "cpu", "threads": 1, "backend": "eager"},
        output={"video": False, "fps": 30, "video_seconds": 10.0},
    )
    one = run(asked, registry)
    result = one.art.recipe
    assert one.summary["clip"]["scenes"] == 2
    assert one.summary["seconds"] == pytest.approx(12.0, rel=0.05)
    assert result.stage[0].time is None
    assert result.clip.steps == 10
    assert one.summary["steps"] == 2 * result.stage[0].steps + 6 * result.clip.steps

    def kill(event: Event) -> None:
        if isinstance(event, Evaluated) and event.step > result.stage[0].steps + 5:
            raise KeyboardInterrupt

    # Killed after a frame that follows, it is resumed with the steps it had.
    with pytest.raises(KeyboardInterrupt):
        run(asked, registry, out=tmp_path / "two", observers=[kill])
    resumed = run(asked, registry, out=tmp_path / "two", resume=True)
    run(resumed.art.recipe, registry, out=tmp_path / "three")
    assert stored(tmp_path / "two") == stored(tmp_path / "three")


def test_a_clip_without_enough_time_takes_a_step_per_frame(
    registry: Registry, clock: Clock
) -> None:
    clock.charge(GradientEngine, lambda engine: 1.0)
    asked = recipe(
        Path("sample:clip?n=4"),
        {"time": 2.0},
        target={"source": "sample:clip?n=4", "size": 16},
        run={"device": "cpu", "threads": 1, "backend": "eager"},
        output={"video": False, "fps": 30, "video_seconds": 10.0},
    )
    told: list[Event] = []
    result = run(asked, registry, observers=[told.append])
    assert (result.art.recipe.stage[0].steps, result.art.recipe.clip.steps) == (1, 1)
    assert result.art.recipe.clip.stretch == 1
    said = [each.message for each in told if isinstance(each, Notice)]
    assert len([each for each in said if "clip.stretch is 1" in each]) == 1


@pytest.mark.parametrize(("asked", "passes"), [({}, 10_000), ({"passes": 3}, 3)])
def test_a_search_with_a_budget_of_time_is_not_ended_by_its_passes(asked, passes):
    """`-p triangle --time 20` ended after three seconds, with the six passes of a fit without."""
    stage = [{"engine": "climb", "time": 20, **asked}]
    data = {"target": {"source": "sample:cat"}, "primitive": {"name": "triangle"}, "stage": stage}
    plan = resolve(Recipe.from_dict(data), Registry(environ={}), Canvas(8, 8))
    assert plan.recipe.stage[0].options["passes"] == passes
