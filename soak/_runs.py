"""Small runs of every engine, each in its own process, and comparisons of their outputs.

Processes are forked from a server that has imported everything, so that one takes a fraction of a
second. What a process shall do is a function of a module, as `multiprocessing` demands.
"""

from __future__ import annotations

import functools
import importlib
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

__all__ = [
    "ENGINES",
    "allow_memory",
    "arguments",
    "contents",
    "continued",
    "copy_outputs",
    "fit",
    "in_processes",
    "leave",
    "run",
    "same",
    "save_photo",
    "start",
    "stopping",
    "swift_folder",
    "unfinished",
    "wait_for_stop",
    "wrap",
]

ENGINES: dict[str, list[str]] = {
    "gradient": ["-p", "gaussian", "-n", "8", "--steps", "60"],
    "gradient, random batches": ["-p", "mlp", "--set", "hidden=8", "--steps", "60"],
    "climb": ["-p", "triangle", "-n", "6", "--set", "engine.passes=1"],
    "climb, then gradient": ["-p", "triangle", "-n", "5", "--polish", "--set", "1.passes=0"],
    "genetic": ["-p", "triangle", "-e", "genetic", "-n", "6", "--steps", "12"],
    "genetic, partition": ["-p", "voronoi", "-n", "6", "--steps", "12"],
    "solve": ["-p", "pca", "--set", "rank=4"],
    "gradient, codec": [
        *("-p", "autoencoder", "--set", "latent=3", "--set", "width=0.2", "--steps", "20"),
    ],
    "scratch": ["-p", "mlp", "-e", "scratch", "--set", "hidden=8", "--steps", "60"],
    "gradient, mesh": ["-p", "mesh", "-n", "12", "--steps", "60"],
    "place": ["-p", "stipple", "-n", "30"],
    "a look": ["--look", "riso", "-n", "30"],
    "tiles": ["-p", "gaussian", "-n", "40", "--steps", "30", "--size", "64", "--tiles", "32"],
}
"""What to fit with each engine."""

_TARGETS = {
    "solve": "sample:digits?n=60",
    "gradient, codec": "sample:digits?n=60",
    "tiles": "sample:coffee",
}
"""What is fitted to, where that is not the photo."""

_CLOCKS = ("seconds", "total_seconds", "steps_per_second")


def swift_folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for files that are written many times a second: in memory where there is some."""
    shared = Path("/dev/shm")
    usable = shared.is_dir() and os.access(shared, os.W_OK)
    return tempfile.TemporaryDirectory(dir=shared if usable else None)


def save_photo(folder: Path) -> Path:
    """A picture of 24 × 16 pixels with a little of everything."""
    row, column = np.mgrid[0:16, 0:24]
    image = np.stack([column / 23, row / 15, (row + column) % 5 / 4], axis=2)
    path = folder / "photo.png"
    Image.fromarray((255 * image).astype(np.uint8)).save(path)
    return path


def arguments(engine: str, photo: Path, out: Path, *more: str) -> list[str]:
    """A command line of a small run with a short video."""
    fixed = ["--seed", "5", "--threads", "1"]
    # Of a fit in tiles there is no video.
    fixed += [] if engine == "tiles" else ["--video-seconds", "1", "--fps", "8"]
    often = ["--checkpoint-every", "10", "--name", "it", "--quiet"]
    target = _TARGETS.get(engine, str(photo))
    return ["fit", target, *ENGINES[engine], *fixed, *often, "--out", str(out), *more]


@functools.cache
def _server() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["soak._preloaded"])
    return context


_bug: Callable[[], None] | None = None


@contextmanager
def in_processes(bug: Callable[[], None]) -> Iterator[None]:
    """Every process started in this block first calls `bug`, a function of a module."""
    global _bug
    _bug = bug
    try:
        yield
    finally:
        _bug = None


def start(function: Callable[..., None], *given: Any) -> BaseProcess:
    """Call a function of a module in a process of its own."""
    process = _server().Process(target=_call, args=(_bug, function, given))
    process.start()
    return process


def _call(bug: Callable[[], None] | None, function: Callable[..., None], given: Any) -> None:
    if bug is not None:
        bug()
    function(*given)


def run(
    line: Sequence[str], folder: Path, function: Callable[..., None] | None = None, *more: object
) -> tuple[int, str]:
    """The exit code of a command line in a process of its own, and what it said.

    `function` prepares the process; it gets `more` and ends by calling `leave`.
    """
    errors = folder / "stderr.txt"
    errors.write_text("")
    errors.chmod(0o666)
    process = start(function or leave, line, folder, *more)
    process.join()
    return process.exitcode or 0, errors.read_text()


def leave(line: Sequence[str], folder: Path) -> None:
    """In a new process: a command line, and nothing after it."""
    code = fit(line, folder)
    sys.stderr.flush()
    os._exit(code)


def wrap(where: str, before: Callable[..., None]) -> None:
    """Call `before` with what a function is given, before each of its calls."""
    module, _, name = where.partition(":")
    owner: Any = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    wrapped = getattr(owner, last)

    def called(*given: Any, **named: Any) -> Any:
        before(*given)
        return wrapped(*given, **named)

    setattr(owner, last, called)


def stopping(line: Sequence[str], folder: Path, step: int) -> None:
    """In a new process: it stops itself in the chunk that begins at or after a step."""
    done: list[int] = []

    def stop(engine: Any, steps: int) -> None:
        if not done and engine.step >= step:
            done.append(step)
            os.kill(os.getpid(), signal.SIGSTOP)

    wrap("artgen.engines.gradient.engine:GradientEngine.advance", stop)
    leave(line, folder)


def wait_for_stop(process: BaseProcess) -> None:
    """Wait until a process has stopped itself, or is gone; Linux only."""
    state = Path(f"/proc/{process.pid}/stat")
    while process.is_alive():
        with suppress(OSError):
            if state.read_text().rpartition(")")[2].split()[0] == "T":
                return
        time.sleep(0.02)


def allow_memory(more: int) -> None:
    """Limit the address space to this many bytes more than now; Linux only."""
    import resource

    status = Path("/proc/self/status").read_text()
    size = int(status.split("VmSize:")[1].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size + more, size + more))


def copy_outputs(earlier: Path, out: Path) -> None:
    """Make `out` with the outputs of an earlier run."""
    out.mkdir()
    for path in earlier.iterdir():
        (out / path.name).write_bytes(path.read_bytes())


def continued(line: Sequence[str], out: Path) -> list[str]:
    """The command line that resumes, or starts again if there is nothing to resume."""
    # A folder gets its recipe last; without one artgen says that there is nothing to resume.
    if (out / "it.run" / "recipe.json").exists():
        return [*(word for word in line if word != "--overwrite"), "--resume"]
    return list(line)


def fit(line: Sequence[str], folder: Path) -> int:
    """Run a command line in this process, silently; its exit code."""
    from artgen.cli import main
    from artgen.runs import arithmetic

    # Which is faster depends on what else the machine does; runs that are compared use one.
    arithmetic.FASTER, arithmetic._TRIALS = float("inf"), 1
    if line[0] == "compare":
        # Its sheet shows seconds, which no two runs have in common.
        time.perf_counter = lambda: 0.0
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    with open(folder / "stderr.txt", "a") as errors:
        os.dup2(errors.fileno(), 2)
    return main(list(line))


def contents(out: Path) -> dict[str, Any]:
    """The finished outputs in a folder, without times."""
    found: dict[str, Any] = {}
    for path in sorted(out.glob("it.*")):
        if path.is_dir():
            continue
        data: Any = path.read_bytes()
        if path.suffix == ".json":
            data = {k: v for k, v in json.loads(data).items() if k not in _CLOCKS}
        found[path.suffix] = data
    return found


def same(one: dict[str, Any], two: dict[str, Any]) -> str | None:
    """The difference between two outputs, or None."""
    if one.keys() != two.keys():
        return f"there are {sorted(one)}, not {sorted(two)}"
    differing = [suffix for suffix in one if one[suffix] != two[suffix]]
    return f"{', '.join(differing)} differ" if differing else None


def unfinished(out: Path, allowed: Sequence[dict[str, Any]]) -> str | None:
    """Which file under a final name is neither that of an earlier nor that of a later run, or gone.

    The first of `allowed` are those of the earlier run.
    """
    found = contents(out)
    for suffix, data in found.items():
        if not any(each.get(suffix) == data for each in allowed):
            return f"it{suffix} is not whole"
    gone = sorted(allowed[0].keys() - found.keys())
    return f"it{gone[0]} is gone" if gone else None
