"""Ctrl-C saves what there is; what was saved can be made again, or the run go on to its end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers import PYTHON, recipe

from artgen.base.errors import Interrupted
from artgen.events import Advanced, Evaluated, Started
from artgen.output import read_recipe
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import Result, run
from artgen.tasks import RunControl, graceful_signals

SECOND_SIGNAL = """
import signal, sys
from pathlib import Path
from artgen.events import Advanced
from artgen.recipe import Recipe
from artgen.registry import Registry
from artgen.runs import run
from artgen.tasks import RunControl, graceful_signals

def watch(event):
    if isinstance(event, Advanced):
        print("advanced", flush=True)
        signal.raise_signal(signal.SIGTERM)
        assert control.stop_requested
        print("asked", flush=True)
        signal.raise_signal(signal.SIGTERM)
        print("still here", flush=True)

control = RunControl()
recipe = Recipe.from_toml(Path(sys.argv[1]))
with graceful_signals(control):
    run(recipe, Registry(environ={}), observers=[watch], control=control)
"""


def interrupt(
    number: signal.Signals, step: int, asked: Recipe, registry: Registry, out: Path, **more: object
) -> Result:
    """Run with a signal once `step` steps are done."""
    control = RunControl()

    def watch(event: object) -> None:
        if isinstance(event, Advanced) and event.step >= step and not control.stop_requested:
            signal.raise_signal(number)

    with graceful_signals(control):
        return run(asked, registry, out=out, observers=[watch], control=control, **more)


def stored(out: Path) -> dict[str, bytes]:
    return {p.suffix: p.read_bytes() for p in out.iterdir() if p.suffix in (".png", ".art")}


HANGUP = getattr(signal, "SIGHUP", signal.SIGTERM)


@pytest.fixture
def heard() -> Iterator[None]:
    """A closed terminal is heard, also where the tests run under nohup."""
    before = signal.signal(HANGUP, signal.SIG_DFL)
    yield
    signal.signal(HANGUP, before)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, HANGUP])
def test_the_first_signal_saves_everything(
    number: signal.Signals, photo: Path, tmp_path: Path, registry: Registry
) -> None:
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    asked = recipe(photo, {"steps": 400})
    out = tmp_path / "out"
    outcome = interrupt(number, 77, asked, registry, out)

    assert isinstance(outcome.error, Interrupted)
    assert outcome.error.exit_code == 130
    assert "--resume" in outcome.error.hint
    step = outcome.summary["steps"]
    assert 77 <= step < 400
    assert outcome.summary["stopped_by"] == "interrupted"
    stage = outcome.summary["recipe"]["stage"][0]
    assert (stage["steps"], stage["stop"]) == (400, step)
    names = {path.name for path in out.iterdir()}
    assert names == {f"photo-gaussian{end}" for end in (".png", ".mp4", ".art", ".json", ".run")}
    summary = json.loads((out / "photo-gaussian.json").read_text())
    assert summary["outputs"]["checkpoint"] == "photo-gaussian.run"
    assert json.loads(read_recipe(out / "photo-gaussian.mp4"))["stage"][0]["stop"] == step
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers


@pytest.mark.parametrize("step", [1, 50, 130])
def test_again_or_to_the_end(step: int, photo: Path, tmp_path: Path, registry: Registry) -> None:
    # 50 is a step at which the run judges anyway, the others are not.
    asked = recipe(photo, {"steps": 150})
    evaluated = []

    def watch(event: object) -> None:
        if isinstance(event, Evaluated):
            evaluated.append(event.step)

    run(asked, registry, out=tmp_path / "whole", observers=[watch])
    assert 50 in evaluated
    out = tmp_path / "out"
    outcome = interrupt(signal.SIGINT, step, asked, registry, out)
    made = stored(out)

    again = run(outcome.art.recipe, registry, out=tmp_path / "again", search=[tmp_path])
    assert stored(tmp_path / "again") == made != stored(tmp_path / "whole")
    assert again.error is None
    assert again.summary["steps"] == outcome.summary["steps"]

    started: list = []
    resumed = run(asked, registry, out=out, resume=True, observers=[started.append])
    [begin] = [event for event in started if isinstance(event, Started)]
    assert begin.step == outcome.summary["steps"] > 0
    assert stored(out) == stored(tmp_path / "whole")
    assert resumed.summary["stopped_by"] == "steps"
    assert not (out / "photo-gaussian.run").exists()


def test_interrupted_twice(photo: Path, tmp_path: Path, registry: Registry) -> None:
    asked = recipe(photo, {"steps": 200})
    run(asked, registry, out=tmp_path / "whole")
    out = tmp_path / "out"
    first = interrupt(signal.SIGINT, 30, asked, registry, out)
    second = interrupt(signal.SIGTERM, 100, asked, registry, out, resume=True)
    assert first.summary["steps"] < 100 <= second.summary["steps"] < 200
    run(second.art.recipe, registry, out=tmp_path / "again", search=[tmp_path])
    assert stored(out) == stored(tmp_path / "again")
    run(asked, registry, out=out, resume=True)
    assert stored(out) == stored(tmp_path / "whole")


@pytest.mark.parametrize("step", [20, 60])
def test_interrupted_in_one_of_two_stages(
    step: int, photo: Path, tmp_path: Path, registry: Registry
) -> None:
    asked = recipe(photo, {"steps": 40}, {"steps": 60, "loss": "l1"}, output={"video": False})
    run(asked, registry, out=tmp_path / "whole")
    out = tmp_path / "out"
    outcome = interrupt(signal.SIGINT, step, asked, registry, out)

    # The stages that were never reached are not part of what made this.
    assert len(outcome.art.recipe.stage) == (1 if step < 40 else 2)
    run(outcome.art.recipe, registry, out=tmp_path / "again", search=[tmp_path])
    assert stored(out) == stored(tmp_path / "again")
    run(asked, registry, out=out, resume=True)
    assert stored(out) == stored(tmp_path / "whole")


def test_the_chunk_is_finished(photo: Path, tmp_path: Path, registry: Registry) -> None:
    steps = []
    control = RunControl()

    def watch(event: object) -> None:
        if isinstance(event, Advanced):
            steps.append(event.step)
            if len(steps) == 3:
                control.request_stop()

    asked = recipe(photo, {"steps": 400})
    outcome = run(asked, registry, observers=[watch], control=control)
    assert outcome.summary["steps"] == steps[-1]
    assert len(steps) == 3
    # In memory there is nothing to resume.
    assert outcome.error.hint is None


def test_a_request_at_the_last_step_comes_too_late(photo: Path, registry: Registry) -> None:
    control = RunControl()

    def watch(event: object) -> None:
        if isinstance(event, Evaluated) and event.step == 20:
            control.request_stop()

    asked = recipe(photo, {"steps": 20})
    outcome = run(asked, registry, observers=[watch], control=control)
    assert (outcome.error, outcome.summary["stopped_by"]) == (None, "steps")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.usefixtures("heard")
def test_a_terminal_may_be_closed_more_than_once_and_nohup_is_respected() -> None:
    control = RunControl()
    with graceful_signals(control):
        for _ in range(3):
            signal.raise_signal(signal.SIGHUP)
    assert control.stop_requested
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    control = RunControl()
    with graceful_signals(control):
        signal.raise_signal(signal.SIGHUP)
    assert not control.stop_requested


@pytest.fixture
def python_hears_ctrl_c() -> Iterator[None]:
    """As in a terminal: what a shell starts in the background ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("python_hears_ctrl_c")
def test_the_second_ctrl_c_ends_at_once(photo: Path, tmp_path: Path, registry: Registry) -> None:
    events: list = []
    control = RunControl()

    def watch(event: object) -> None:
        events.append(event)
        if isinstance(event, Advanced):
            signal.raise_signal(signal.SIGINT)
            assert control.stop_requested
            signal.raise_signal(signal.SIGINT)

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt), graceful_signals(control):
        run(
            recipe(photo, {"steps": 400}),
            registry,
            out=out,
            observers=[watch],
            control=control,
        )
    assert isinstance(events[-1], Advanced)
    assert list(out.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_second_sigterm_ends_at_once(photo: Path, tmp_path: Path) -> None:
    path = tmp_path / "recipe.toml"
    path.write_text(recipe(photo, {"steps": 400}).to_toml())
    command = [*PYTHON, "-c", SECOND_SIGNAL, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGTERM, done.stderr
    assert done.stdout.split() == ["advanced", "asked"]


def test_signals_are_left_alone_outside_the_main_thread() -> None:
    before, inside = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with graceful_signals(RunControl()):
            inside.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert inside == [before]
