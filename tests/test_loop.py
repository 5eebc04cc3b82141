"""The objects of the loop, each alone: agenda, time budget, recovery, recording, progress."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import recipe
from test_time_budget import Clock

from artgen.base.errors import Diverged, OutOfMemory
from artgen.engines import Problem
from artgen.engines.base import Engine
from artgen.events import FrameTaken, PreviewDrawn
from artgen.recipe import OutputTable, Recipe, Stage
from artgen.registry import Registry
from artgen.runs import Asked, Job, RunContext
from artgen.runs.files.folder import RunFolder
from artgen.runs.kinds.picture.run import PictureRun
from artgen.runs.loop.agenda import Agenda, Occasions, evaluation_steps, video_steps
from artgen.runs.loop.history import Snapshot
from artgen.runs.loop.pace import STRETCHES, Pace, Workload
from artgen.runs.loop.progress import Progress
from artgen.runs.loop.recording import Recording
from artgen.runs.loop.recovery import MEMORY_CUTS, RECOVERIES, TRIES, Recovery, at_lower_rates
from artgen.runs.loop.time_budget import OVERTIME, TimeBudget
from artgen.targets import image_from_array
from artgen.tasks import RunControl


class Still(Engine):
    """Counts its steps, and what it is asked for."""

    supports = ("replanning",)

    def __init__(self, drawing: object = None) -> None:
        self.shown, self.recovered, self.limits = drawing, list[float](), list[float]()

    def drawing(self, best: bool) -> object:
        return self.shown

    def recover(self, factor: float) -> None:
        self.recovered.append(factor)

    def limit_memory(self, share: float) -> None:
        self.limits.append(share)


def problem(total: int, *revisions: tuple[int, int]) -> Problem:
    return Problem(None, None, None, None, total, 0, revisions=list(revisions))


@pytest.fixture(scope="module")
def job() -> Job:
    picture = image_from_array(np.linspace(0, 1, 12 * 8 * 3).reshape(12, 8, 3))
    asked = recipe(Path("array"), {"steps": 40}, run={"backend": "eager"}, output={"history": 4})
    return PictureRun(Asked(asked, Registry(environ={}), target=picture)).prepare()


# ---- agenda --------------------------------------------------------------------------------------


def test_an_agenda_is_that_of_the_recipe() -> None:
    stage, output = Stage(steps=100, evaluations=3, stop=80), OutputTable(frames=4)
    occasions = Occasions(filming=True, keys=3)
    agenda = occasions.agenda(stage, output, Still(), problem(100))
    assert agenda == Agenda(80, {0, 50, 80}, set(video_steps(100, output)), agenda.keys)
    assert len(agenda.frames) == 4
    assert len(agenda.keys) == 3
    assert {0, 100} <= agenda.frames & agenda.keys
    without = Occasions(filming=False, keys=0).agenda(stage, output, Still(), problem(100))
    assert (without.evaluations, without.frames, without.keys) == ({0, 50, 80}, set(), set())


def test_an_agenda_is_stretched_with_its_schedule() -> None:
    # After 40 of 100 steps, 120 are left in place of 60.
    stage = Stage(steps=160, replanned=((40, 100),), evaluations=3)
    agenda = Occasions(False, 0).agenda(stage, OutputTable(), Still(), problem(100, (40, 160)))
    assert (agenda.end, sorted(agenda.evaluations)) == (160, [0, 60, 160])


def test_the_next_step_is_the_first_of_all() -> None:
    agenda = Agenda(30, {0, 20, 30}, {4}, {25})
    steps = [agenda.next_after(step, None) for step in (0, 4, 20, 25, 29)]
    assert steps == [4, 20, 25, 30, 30]
    assert [agenda.next_after(step, 10) for step in (4, 10, 29)] == [10, 20, 30]


def test_evaluations_are_spread_evenly() -> None:
    assert len(evaluation_steps(Stage(steps=900), Still(), 900)) == 31
    assert evaluation_steps(Stage(steps=900, evaluations=1), Still(), 900) == [900]
    assert evaluation_steps(Stage(steps=900, evaluations=3), Still(), 900) == [0, 450, 900]


# ---- time ----------------------------------------------------------------------------------------

PACE = Pace((1.0,) * STRETCHES, evaluation=0.0, frame=0.0, rehearsed=5.0)


def budget(**values: float) -> tuple[TimeBudget, list[str]]:
    said: list[str] = []
    return TimeBudget(Progress(**values), said.append), said


def test_time_becomes_steps() -> None:
    time_budget, _ = budget(offset=7)
    asked = Recipe(stage=(Stage(engine="still", time=65.0),))
    planned = time_budget.planned(asked, Still(), PACE, 65.0, Occasions(False, 0))
    assert (planned.stage[0].steps, planned.stage[0].time) == (60, None)
    assert time_budget.progress.stage_seconds == 5.0
    # Steps beside a time are a limit.
    few = asked.with_stage(0, steps=20)
    assert time_budget.planned(few, Still(), PACE, 65.0, Occasions(False, 0)).stage[0].steps == 20


def test_a_slow_machine_gets_fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, (time_budget, _) = Clock(monkeypatch), budget()
    engine, asked = Still(), Recipe(stage=(Stage(engine="still", time=65.0),))
    planned = time_budget.planned(asked, engine, PACE, 65.0, Occasions(False, 0))
    told, agenda = problem(60), Agenda(60, {0, 60}, set(), set())
    assert time_budget.revised(planned, engine, told, agenda) is None
    for _ in range(10):
        engine.step += 1
        time_budget.timed(lambda: clock.work(2.0), Workload((1.0,) + (0.0,) * (STRETCHES - 1)))
    revised = time_budget.revised(planned, engine, told, agenda)
    assert revised is not None
    stage = revised.stage[0]
    assert 25 <= (stage.steps or 0) <= 40
    assert stage.replanned == ((10, 60),)
    assert told.revisions == [(10, stage.steps)]
    # The next look comes later.
    assert time_budget.revised(revised, engine, told, agenda) is None


def test_a_stage_ends_long_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, (time_budget, said) = Clock(monkeypatch), budget(budget=10.0)
    for _ in range(12):
        assert time_budget.measured(lambda: clock.work(1.0)) == (None, 1.0)
    assert not time_budget.is_spent
    time_budget.timed(lambda: clock.work(10 * OVERTIME - 11.9))
    assert time_budget.is_spent
    seconds = time_budget.progress.seconds
    time_budget.timed(lambda: clock.wait(600.0))
    assert time_budget.progress.seconds == seconds
    assert said == ["the process was stopped for 600 s, which is not counted"]


# ---- recovery ------------------------------------------------------------------------------------


def failing(error: Exception, times: int) -> object:
    """Workload that raises the error so often, and then gives its number of calls."""
    calls = iter(range(times))

    def work(*_: object) -> str:
        for _ in calls:
            raise error
        return "done"

    return work


def test_what_diverges_goes_back_to_its_best(job: Job) -> None:
    said, engine, progress = list[str](), Still(job.start), Progress()
    recovery = Recovery(job, progress, said.append)
    work = failing(Diverged("the loss became NaN"), RECOVERIES + 1)
    assert [recovery.guarded(engine, work) for _ in range(RECOVERIES)] == [None] * RECOVERIES
    assert engine.recovered == [0.5] * RECOVERIES
    assert said[0] == "the loss became NaN: back to the best drawing, at half the learning rate"
    assert progress.recoveries == RECOVERIES
    with pytest.raises(Diverged):
        recovery.guarded(engine, work)
    assert recovery.guarded(engine, work) == "done"


def test_memory_is_asked_for_in_smaller_pieces(job: Job) -> None:
    said, engine = list[str](), Still()
    recovery = Recovery(job, Progress(), said.append)
    assert recovery.within_memory(engine, failing(OutOfMemory("full"), 3)) == "done"
    assert engine.limits == [0.5] * 3
    assert len(said) == 3
    another = Still()
    recovery.limit_memory(another)
    assert another.limits == [0.125]
    with pytest.raises(OutOfMemory):
        recovery.within_memory(engine, failing(OutOfMemory("full"), MEMORY_CUTS + 1))


def test_rates_are_halved_until_it_converges() -> None:
    tried, heard = list[int](), list[Diverged]()

    def work(halvings: int) -> str:
        tried.append(halvings)
        return failing_once_each()

    failing_once_each = failing(Diverged("no"), 2)
    assert at_lower_rates(work, diverged=heard.append) == "done"
    assert (tried, len(heard)) == ([0, 1, 2], 2)
    with pytest.raises(Diverged):
        at_lower_rates(failing(Diverged("no"), TRIES + 1))


# ---- recording -----------------------------------------------------------------------------------


@pytest.fixture
def recorded(job: Job, tmp_path: Path) -> tuple[Recording, list[object], Still]:
    events: list[object] = []
    control = RunControl()
    control.watched = True
    context = RunContext("it", events.append, control)
    progress = Progress(offset=100)
    folder = RunFolder(tmp_path)
    time_budget = TimeBudget(progress, context.notify)
    return Recording(job, folder, progress, time_budget, context), events, Still(job.start)


def test_frames_are_stored_by_their_steps(
    recorded: tuple[Recording, list[object], Still], tmp_path: Path
) -> None:
    recording, events, engine = recorded
    assert recording.occasions == Occasions(filming=True, keys=4)
    with recording.of_stage():
        for engine.step in range(4):
            recording.frame(engine, {0, 3})
    assert RunFolder(tmp_path).frames.steps() == [100, 103]
    assert [type(event) for event in events] == [FrameTaken, PreviewDrawn] * 2
    assert recording.time.progress.seconds > 0
    recording.drop_after(100)
    assert RunFolder(tmp_path).frames.steps() == [100]


def test_keys_become_a_film(recorded: tuple[Recording, list[object], Still], job: Job) -> None:
    recording, events, engine = recorded
    for engine.step in range(6):
        recording.keep(engine, {0, 2, 4})
    assert [key.step for key in recording.history.stored()] == [100, 102, 104]
    last = Snapshot(105, 0, job.start.tensors, None)
    film, light = recording.progress_of(last, job.start)
    assert (film.keyframes, light) == (4, None)
    # What is not finite is no key.
    engine.shown = job.start.detach()
    next(iter(engine.shown.tensors.values())).fill_(torch.nan)
    recording.keep(engine, {engine.step})
    assert len(recording.history.stored()) == 3
    assert events == []


def test_previews_are_for_those_who_watch(
    recorded: tuple[Recording, list[object], Still],
) -> None:
    recording, events, engine = recorded
    recording.context.control.watched = False
    recording.show(engine)
    assert events == []
    recording.context.control.watched = True
    recording.show(engine)
    assert [type(event) for event in events] == [PreviewDrawn]
    assert recording.time.progress.seconds == 0


# ---- progress ------------------------------------------------------------------------------------


def test_progress_is_stored_by_flat_names() -> None:
    shared = progress = Progress(stage=1, offset=40, seconds=3.0, stopped_by="plateau")
    progress.begin_stage(2, {"xy": torch.ones(2, 3)})
    assert (progress.stage, progress.offset, progress.seconds) == (2, 40, 3.0)
    assert progress.stopped_by == "steps"
    other = Progress()
    other.load_state_dict(progress.state_dict())
    assert torch.equal(other.start.pop("xy"), progress.start.pop("xy"))
    assert other == progress is shared
