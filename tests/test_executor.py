"""Tasks are carried out wherever they are: all of them, in any order, whatever happens to one."""

from __future__ import annotations

import os
import signal
import time

import pytest

from artgen.errors import InputError, Interrupted, OutputError
from artgen.executor import Here, Processes


def work(task):
    kind, value = task
    if kind == "raise":
        raise InputError(f"bad {value}", hint="another one")
    if kind == "die":
        os._exit(3)
    if kind == "wait":
        # Until it is told to stop, as a fit does that saves what it has.
        asked = []
        signal.signal(signal.SIGTERM, lambda *_: asked.append(True))
        open(value, "w").close()
        while not asked:
            time.sleep(0.01)
        raise Interrupted("saved")
    return value * value, os.getpid()


def never():
    return False


@pytest.mark.parametrize("executor", [Here(), Processes(2)], ids=["here", "processes"])
def test_every_task_has_its_result_or_its_error(executor):
    tasks = [("square", 2), ("raise", "luck"), ("square", 3), ("square", 4)]
    results = dict(executor.run(work, tasks, never))
    assert set(results) == set(tasks)
    assert [results["square", value][0] for value in (2, 3, 4)] == [4, 9, 16]
    error = results["raise", "luck"]
    assert isinstance(error, InputError)
    assert (error.message, error.hint) == ("bad luck", "another one")


def test_processes_are_others_and_do_several_tasks():
    tasks = [("square", value) for value in range(6)]
    pids = {result[1] for _, result in Processes(2).run(work, tasks, never)}
    assert 1 <= len(pids) <= 2
    assert os.getpid() not in pids


def test_a_process_that_dies_takes_its_own_task_only():
    tasks = [("die", 0), ("square", 5), ("square", 6)]
    results = dict(Processes(1).run(work, tasks, never))
    assert isinstance(results["die", 0], OutputError)
    assert "code 3" in results["die", 0].message
    assert [results["square", value][0] for value in (5, 6)] == [25, 36]


def test_here_begins_nothing_once_it_shall_stop():
    done = []
    for task, _ in Here().run(work, [("square", 1), ("square", 2)], lambda: bool(done)):
        done.append(task)
    assert done == [("square", 1)]


def test_processes_are_asked_to_stop_and_what_was_not_begun_is_left_out(tmp_path):
    begun = tmp_path / "begun"
    tasks = [("wait", str(begun)), ("square", 2)]
    results = dict(Processes(1).run(work, tasks, begun.exists))
    assert list(results) == tasks[:1]
    assert isinstance(results[tasks[0]], Interrupted)
    assert results[tasks[0]].message == "saved"


def test_any_kind_of_connection_will_do(monkeypatch):
    # On Windows it is none of the class that there is on other systems.
    monkeypatch.setattr("artgen.executor.Connection", type("Another", (), {}))
    assert [result[0] for _, result in Processes(1).run(work, [("square", 3)], never)] == [9]
