"""A run killed at any moment loses no earlier output and can be resumed to the same bytes.

A process that runs the command line kills itself before one of its operations on files, whose
number is drawn, or is killed by its parent after a part of the time that the run takes. So every
phase is met: start, step, checkpoint, frame, video, export, cleaning up.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from soak._promise import Promise, Tally
from soak._runs import (
    ENGINES,
    arguments,
    contents,
    continued,
    copy_outputs,
    fit,
    in_processes,
    same,
    save_photo,
    start,
    unfinished,
)

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
_WATCHED = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}


def killed_anywhere(tally: Tally, small: bool, engine: str) -> None:
    """A run is killed, its outputs are looked at, it is resumed, and compared with a whole one."""
    with tempfile.TemporaryDirectory() as name:
        _kill_one_engine(tally, engine, Path(name), 3 if small else 30)


def _kill_one_engine(tally: Tally, engine: str, folder: Path, kills: int) -> None:
    photo, rng = save_photo(folder), random.Random(engine)
    earlier, whole = folder / "earlier", folder / "whole"
    _run(arguments(engine, photo, earlier, "--size", "12"), folder)
    before = contents(earlier)
    began = time.perf_counter()
    operations = _run(arguments(engine, photo, whole), folder)
    seconds = time.perf_counter() - began
    after = contents(whole)
    for number in range(kills):
        signal_ = SIGNALS[number % len(SIGNALS)]
        out = folder / str(number)
        copy_outputs(earlier, out)
        line = arguments(engine, photo, out, "--overwrite")
        if number % 2:
            moment = rng.uniform(0.1, 1) * seconds
            _run_and_kill(line, folder, signal_, moment)
            told = f"{signal_.name} after {moment:.2f} s"
        else:
            moment = rng.randrange(1, operations)
            _run(line, folder, moment, int(signal_))
            told = f"{signal_.name} at operation {moment}"
        torn = unfinished(out, [before, after])
        interrupted = torn is not None and signal_ != signal.SIGKILL and _is_whole(out)
        _run(continued(line, out), folder)
        tally.case(f"{engine}, {told}", None if interrupted else torn, same(contents(out), after))


def _is_whole(out: Path) -> bool:
    """Whether an interrupted run saved its best so far: all outputs, which say so."""
    found = contents(out)
    return set(found) == {".png", ".mp4", ".art", ".json"} and (
        found[".json"]["stopped_by"] == "interrupted"
    )


def _run(line: list[str], folder: Path, die_at: int = 0, signal_: int = 0) -> int:
    """Run a command line to its end, or until it kills itself; how many operations it made."""
    count = folder / "operations.txt"
    process = start(_run_counting, line, folder, count, die_at, signal_)
    process.join()
    return int(count.read_text()) if process.exitcode == 0 else 0


def _run_and_kill(line: list[str], folder: Path, signal_: int, after: float) -> None:
    process = start(_run_counting, line, folder, folder / "operations.txt", 0, 0)
    time.sleep(after)
    if process.is_alive() and process.pid is not None:
        with suppress(ProcessLookupError):  # it may end in this very moment
            os.kill(process.pid, signal_)
    process.join()


def _run_counting(line: list[str], folder: Path, count: Path, die_at: int, signal_: int) -> None:
    """In the new process: count operations on files below `folder`, and die at one of them."""
    made = 0

    def watch(event: str, given: tuple[Any, ...]) -> None:
        nonlocal made
        if event in _WATCHED and str(folder) in str(given[0]):
            made += 1
            if made == die_at:
                os.kill(os.getpid(), signal_)

    sys.addaudithook(watch)
    code = fit(line, folder)
    count.write_text(str(made))
    sys.stderr.flush()
    os._exit(code)


def _forget_moments() -> None:
    """Checkpoints lose the moments of the optimizer."""
    from artgen.runner._folder import RunFolder

    save = RunFolder.save_checkpoint

    def forgetful(folder: RunFolder, state: dict[str, Any]) -> None:
        kept = {k: v * 0 if "moment" in k or "exp_avg" in k else v for k, v in state.items()}
        save(folder, kept)

    RunFolder.save_checkpoint = forgetful  # type: ignore[method-assign]


PROMISES = [
    Promise(
        "kills",
        "A killed run loses no earlier output and leaves no incomplete file under a final name. "
        "Resumed, it gives the bytes of an undisturbed run.",
        "SIGKILL, SIGTERM and SIGINT at random moments of every engine's run, by time and by the "
        "number of file operations; then outputs are compared byte for byte.",
        killed_anywhere,
        lambda: in_processes(_forget_moments),
        "checkpoints lose the moments of the gradients",
        pieces=tuple(ENGINES),
        bug_piece="gradient",
    )
]
