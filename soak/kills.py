"""A run killed at any moment loses no earlier output and can be resumed to the same bytes.

A process that runs the command line kills itself before one of its operations on files, whose
number is drawn, or is killed by its parent after a part of the time that the run takes. So every
phase is met: start, step, checkpoint, frame, video, export, cleaning up.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from PIL import Image

from artgen import ArtgenError, load
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
            label = f"{signal_.name} after {moment:.2f} s"
        else:
            moment = rng.randrange(1, operations)
            _run(line, folder, moment, int(signal_))
            label = f"{signal_.name} at operation {moment}"
        torn = unfinished(out, [before, after])
        interrupted = torn is not None and signal_ != signal.SIGKILL and _is_whole(out, after)
        _run(continued(line, out), folder)
        tally.case(f"{engine}, {label}", None if interrupted else torn, same(contents(out), after))


COMMANDS = ("render", "morph", "compare", "gallery")
"""The other commands that write files."""


def other_commands_killed(tally: Tally, small: bool, command: str) -> None:
    """A command is killed, the files are looked at, and the command is given again."""
    with tempfile.TemporaryDirectory() as name:
        _kill_one_command(tally, command, Path(name), 3 if small else 30)


def _kill_one_command(tally: Tally, command: str, folder: Path, kills: int) -> None:
    rng, trial = random.Random(command), CommandTrial(command, folder)
    tally.case(f"{command}, undisturbed", None if trial.operations else "it fails")
    operations = max(1, trial.operations)
    for number in range(kills):
        signal_ = SIGNALS[number % len(SIGNALS)]
        line, out = trial.prepare(f"out{number}")
        if number % 2:
            moment = rng.uniform(0.02, 1) * trial.seconds
            _run_and_kill(line, folder, signal_, moment)
            label = f"{signal_.name} after {moment:.2f} s"
        else:
            # Most files are written at the end: the last operation but one, the last, and so on.
            moment = max(1, operations - (number // 2 ^ 1) % operations)
            _run(line, folder, moment, int(signal_))
            label = f"{signal_.name} at operation {moment} of {operations}"
        problems = trial.damage(out, signal_)
        _run(line, folder)
        tally.case(f"{command}, {label}", *problems, trial.difference(out))


class CommandTrial:
    """A command that writes over the files of an earlier one, both of them done once undisturbed.

    `operations` on files and `seconds` are what that took; 0 operations: it failed.
    """

    def __init__(self, command: str, folder: Path) -> None:
        self.command, self.folder = command, folder
        photo = save_photo(folder)
        for number in (1, 2):
            line = ["fit", str(photo), "-p", "triangle", "-n", "4", "--steps", "4", "--no-video"]
            line += ["--seed", str(number), "--name", str(number), "--out", str(folder), "--quiet"]
            _run(line, folder)
        self.earlier, whole = folder / "earlier", folder / "whole"
        _run(_line_of(command, folder, self.earlier, 1), folder)
        self.before = _files(self.earlier)
        shutil.copytree(self.earlier, whole)
        began = time.perf_counter()
        operations = _run(_line_of(command, folder, whole, 2), folder)
        self.seconds = time.perf_counter() - began
        self.after = _files(whole)
        self.operations = operations if self.after else 0

    def prepare(self, name: str) -> tuple[list[str], Path]:
        """Copy the earlier files to a folder of this name; a command line that overwrites them."""
        out = self.folder / name
        shutil.copytree(self.earlier, out)
        return _line_of(self.command, self.folder, out, 2), out

    def damage(self, out: Path, sent: signal.Signals) -> list[str | None]:
        """Find what a command that this signal ended left torn, or left over."""
        before, after, found = self.before, self.after, _files(out)
        torn = [name for name in after if found.get(name) not in (before.get(name), after[name])]
        left: list[str] = []
        if sent != signal.SIGKILL:
            # A comparison that is interrupted saves the best so far, and a sheet of what is done.
            torn = [name for name in torn if not _is_readable(out / name)]
            left = [path.name for path in out.rglob("*.part-*")]
        return [
            f"{', '.join(torn)} not whole" if torn else None,
            f"{', '.join(left)} left" if left else None,
        ]

    def difference(self, out: Path) -> str | None:
        """Compare the files of a command that was given again with undisturbed ones."""
        return None if _files(out) == self.after else "given again, it makes other files"


def _line_of(command: str, folder: Path, out: Path, number: int) -> list[str]:
    """A command line that writes into `out`; its outputs depend on `number`."""
    out.mkdir(exist_ok=True)
    art, other = str(folder / f"{number}.art"), str(folder / f"{3 - number}.art")
    files = [word for suffix in ("png", "svg", "pdf") for word in ("-o", str(out / f"it.{suffix}"))]
    size = str(48 * number)
    if command == "render":
        return ["render", art, *files, "--size", size, "--overwrite", "--quiet"]
    if command == "morph":
        video = ["-o", str(out / "it.mp4"), "-o", str(out / "it.art"), "--seconds", "0.5"]
        return ["morph", art, other, *video, "--size", size, "--fps", "8", "--overwrite", "--quiet"]
    if command == "compare":
        fits = ["-p", "triangle:count=3", "-p", "circle:count=3", "--steps", "3", "--size", "12"]
        line = ["compare", str(folder / "photo.png"), *fits, "--seed", str(number)]
        return [*line, "--threads", "1", "--out", str(out), "--overwrite", "--quiet"]
    recipes = out / "recipes"
    recipes.mkdir(exist_ok=True)
    save_photo(recipes)
    for seed in (number, number + 2):
        (recipes / f"piece{seed}.toml").write_text(
            f'seed = {seed}\n[target]\nsource = "photo.png"\n[primitive]\nname = "triangle"\n'
            f"count = 4\n[[stage]]\nsteps = 4\n[output]\nfps = 8\nvideo_seconds = 1.0\n"
        )
    return ["gallery", "build", str(out), "--quick", "--quiet"]


def _files(out: Path) -> dict[str, bytes]:
    """The pictures, films and pages below a folder; other files hold times."""
    kept = (".png", ".svg", ".pdf", ".mp4", ".art")
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.suffix in kept
        and not path.name.startswith(".")
        and not any(part == "unfinished" or part.endswith(".run") for part in path.parts)
    }


def _is_readable(path: Path) -> bool:
    """Whether a file is a whole picture or drawing."""
    try:
        if path.suffix == ".art":
            load(path)
        else:
            with Image.open(path) as picture:
                picture.load()
    except (ArtgenError, OSError, SyntaxError):
        return False
    return True


def _write_in_place() -> None:
    """Outputs are written under their final names."""
    from contextlib import contextmanager

    import artgen.output.atomic as atomic

    @contextmanager
    def in_place(path: Path, *, durable: bool = True) -> Any:
        path.write_bytes(b"")
        yield path

    atomic.atomic_path = in_place  # type: ignore[assignment]


def _is_whole(out: Path, after: dict[str, Any]) -> bool:
    """Whether an interrupted run saved its best so far: all outputs, which say so."""
    found = contents(out)
    return set(found) == set(after) and found[".json"]["stopped_by"] == "interrupted"


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
    from artgen.runs.files.folder import RunFolder

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
        # The tests of the engines resume killed runs too.
        small_pieces=("gradient, random batches", "climb, then gradient", "gradient, codec"),
        bug_piece="gradient",
    ),
    Promise(
        "kills-of-commands",
        "`render`, `morph`, `compare` and `gallery build` that are killed leave every file as it was "
        "or complete. Ended by SIGTERM or SIGINT they leave no temporary file, and a comparison "
        "shows what was done. Given again, they make the files of an undisturbed command.",
        "SIGKILL, SIGTERM and SIGINT at random times, and at each of the last file operations; then "
        "files are compared byte for byte.",
        other_commands_killed,
        lambda: in_processes(_write_in_place),
        "outputs are written under their final names",
        pieces=COMMANDS,
        small_pieces=("compare", "gallery"),
        bug_piece="render",
    ),
]
