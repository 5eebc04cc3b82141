"""Tasks are carried out wherever they are: all of them, in any order, whatever happens to one."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from artgen.base.errors import InputError, Interrupted, OutputError
from artgen.events import Advanced, Evaluated, Notice, PreviewDrawn, Started
from artgen.recipe import Recipe
from artgen.tasks import ProcessExecutor, RunControl, SerialExecutor, Task


def task(kind, value=0):
    return Task(f"{kind}-{value}", Recipe.from_dict({"primitive": {"name": kind, "value": value}}))


def work(task, observe, control):
    kind, value = task.recipe.primitive.name, task.recipe.primitive.options["value"]
    if kind == "raise":
        raise InputError(f"bad {value}", hint="another one")
    if kind == "bug":
        raise ZeroDivisionError(value)
    if kind == "odd":

        class Local(Exception):
            """Nobody else knows it."""

        raise Local("who am I")
    if kind == "die":
        os._exit(3)
    if kind == "tell":
        observe(Started(task.stem, 0, 9, {}, target=b"pixels"))
        for step in range(9):
            observe(Advanced(task.stem, step, 9, 0.1))
        observe(PreviewDrawn(task.stem, 9, b"pixels"))
        observe(Evaluated(task.stem, 9, 9, 0.5, 20.0, 0.1))
        observe(Notice(task.stem, "look"))
    if kind == "wait":
        # Until it is asked to stop, as a fit does that saves what it has.
        Path(value).touch()
        while not control.stop_requested:
            time.sleep(0.01)
        raise Interrupted("saved")
    return value * value, os.getpid()


def execute(executor, tasks, observe=lambda event: None, control=None):
    control = control or RunControl()
    return {task.stem: result for task, result in executor.run(work, tasks, observe, control)}


@pytest.mark.parametrize(
    "executor", [SerialExecutor(), ProcessExecutor(2)], ids=["here", "processes"]
)
def test_every_task_has_its_result_or_its_error(executor):
    tasks = [task("square", 2), task("raise", "luck"), task("square", 3), task("bug")]
    results = execute(executor, tasks)
    assert set(results) == {task.stem for task in tasks}
    assert [results[f"square-{value}"][0] for value in (2, 3)] == [4, 9]
    error = results["raise-luck"]
    assert isinstance(error, InputError)
    assert (error.message, error.hint) == ("bad luck", "another one")
    assert isinstance(results["bug-0"], ZeroDivisionError)


def test_processes_are_others_and_do_several_tasks():
    results = execute(ProcessExecutor(2), [task("square", value) for value in range(6)])
    pids = {pid for _, pid in results.values()}
    assert 1 <= len(pids) <= 2
    assert os.getpid() not in pids


def test_a_session_keeps_its_processes():
    executor = ProcessExecutor(1)
    with executor.session(work, tasks=1):
        first, second = (execute(executor, [task("square", 2)])["square-2"] for _ in range(2))
    assert first == second
    assert execute(executor, [task("square", 2)])["square-2"] != first


def test_a_session_takes_processes_that_were_started_before(monkeypatch):
    # A fork of tools/forks.py has another number than the process that asked for it.
    monkeypatch.setattr("multiprocessing.spawn._python_exe", os.fsencode(sys.executable))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    executor = ProcessExecutor(3)
    executor.start("artgen.tasks")
    first, second = (worker.process for worker in executor._idle)
    with executor.session(work, tasks=1):
        assert second.exitcode is not None
        found = execute(executor, [task("square", 2)])
    assert found["square-2"] == (4, first.pid)


def test_an_error_from_another_process_says_where_it_was_raised():
    results = execute(ProcessExecutor(1), [task("bug"), task("odd")])
    [note] = results["bug-0"].__notes__
    assert "raise ZeroDivisionError(value)" in note
    # Its class cannot be sent.
    assert results["odd-0"].message == "Local: who am I"


def test_a_process_that_dies_takes_its_own_task_only():
    results = execute(ProcessExecutor(1), [task("die"), task("square", 5), task("square", 6)])
    assert isinstance(results["die-0"], OutputError)
    assert "code 3" in results["die-0"].message
    # It may be one of a command that cannot resume.
    assert results["die-0"].hint == "it may have run out of memory: run fewer at a time"
    assert [results[f"square-{value}"][0] for value in (5, 6)] == [25, 36]


def test_events_come_from_other_processes_without_pictures_and_not_too_often():
    seen = []
    execute(ProcessExecutor(1), [task("tell")], seen.append)
    assert [type(event) for event in seen] == [Started, Advanced, Evaluated, Notice]
    assert seen[0].target is None


def test_here_begins_nothing_once_it_shall_stop():
    control = RunControl()
    done = []
    tasks = [task("square", 1), task("square", 2)]
    for each, _ in SerialExecutor().run(work, tasks, lambda event: None, control):
        done.append(each.stem)
        control.request_stop()
    assert done == ["square-1"]


def test_processes_are_asked_to_stop_and_what_was_not_begun_is_left_out(tmp_path):
    begun = tmp_path / "begun"

    class Once(RunControl):
        @property
        def stop_requested(self):
            return begun.exists()

    tasks = [task("wait", str(begun)), task("square", 2)]
    results = execute(ProcessExecutor(1), tasks, control=Once())
    assert list(results) == [tasks[0].stem]
    [result] = results.values()
    assert isinstance(result, Interrupted)
    assert result.message == "saved"


def test_any_kind_of_connection_will_do(monkeypatch):
    # On Windows it is none of the class that there is on other systems.
    monkeypatch.setattr("artgen.tasks._processes.Connection", type("Another", (), {}))
    [result] = execute(ProcessExecutor(1), [task("square", 3)]).values()
    assert result[0] == 9
