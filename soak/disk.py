"""If the disk, the folder or memory fails, the run ends with a clear error and loses nothing."""

from __future__ import annotations

import errno
import os
import random
import re
import signal
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from soak._promise import Promise, Tally
from soak._runs import (
    allow_memory,
    arguments,
    contents,
    continued,
    copy_outputs,
    in_processes,
    leave,
    run,
    same,
    save_photo,
    start,
    stopping,
    unfinished,
    wait_for_stop,
)

NOBODY = 65534
"""The user that a process of the superuser becomes, for whom permissions count."""

ENGINE = "gradient"


def no_room(tally: Tally, small: bool) -> None:
    """Files may not grow beyond a limit, as on a full disk, at some size between none and all."""
    with _workshop() as (folder, photo, before, after):
        largest = max(len(data) for data in after.values() if isinstance(data, bytes))
        rng = random.Random("no room")
        for number in range(6 if small else 100):
            out = folder / str(number)
            copy_outputs(folder / "earlier", out)
            limit = rng.randrange(1, largest)
            line = arguments(ENGINE, photo, out, "--overwrite")
            code, printed = run(line, folder, _limited, limit)
            torn = unfinished(out, [before, after])
            run(continued(line, out), folder)
            tally.case(
                f"files of {limit} bytes at most",
                # What it says goes to a file as well, and may be cut short.
                _expected(code, printed, 6, "cannot " if limit > 1000 else ""),
                torn,
                same(contents(out), after),
            )


def no_permission(tally: Tally, small: bool) -> None:
    """Folders that may not be written to, names that are too long, files in the way."""
    with _workshop() as (folder, photo, _, _):
        os.chmod(folder, 0o755)
        closed, file = folder / "closed", folder / "file"
        closed.mkdir(mode=0o555)
        # Nobody may write here, so that it is the name that is refused.
        (folder / "long").mkdir()
        (folder / "long").chmod(0o777)
        file.write_text("in the way")
        places = {
            "a read-only folder": (closed, [], errno.EACCES),
            "a folder in a read-only folder": (closed / "new", [], errno.EACCES),
            "a file in place of the folder": (file, [], errno.ENOTDIR),
            "a path below a file": (file / "new", [], errno.ENOTDIR),
            "a name of 300 letters": (folder / "long", ["--name", "x" * 300], errno.ENAMETOOLONG),
            "a path of 5000 letters": (folder / "/".join(["x" * 99] * 50), [], errno.ENAMETOOLONG),
        }
        for name, (out, more, why) in places.items():
            # Nobody may read no cache of kernels, and would compile them anew.
            line = arguments(ENGINE, photo, out, "--backend", "eager", *more)
            code, printed = run(line, folder, _as_nobody)
            said = ("cannot", os.strerror(why))
            tally.case(name, *(_expected(code, printed, 6, each) for each in said))


def other_filesystem(tally: Tally, small: bool) -> None:
    """The outputs go to another file system than temporary files would."""
    shared = Path("/dev/shm")
    with _workshop() as (folder, photo, _, after):
        if not shared.is_dir() or shared.stat().st_dev == folder.stat().st_dev:
            tally.skips.append("there is no second file system")
            return
        with tempfile.TemporaryDirectory(dir=shared) as name:
            code, printed = run(arguments(ENGINE, photo, Path(name)), folder)
            tally.case(
                "another file system",
                _expected(code, printed, 0),
                same(contents(Path(name)), after),
            )


def two_at_once(tally: Tally, small: bool) -> None:
    """Two runs that would write the same files: one writes them, the other is refused with a reason."""
    if not sys.platform.startswith("linux"):
        tally.skips.append("states of processes are read from /proc")
        return
    more_flags: dict[str, list[list[str]]] = {
        "both new": [[], []],
        "the second overwrites": [[], ["--overwrite"]],
        "the second resumes": [[], ["--resume"]],
    }
    with _workshop() as (folder, photo, _, _):
        for number in range(1 if small else 10):
            for name, flags in more_flags.items():
                out = folder / f"{number} {name}"
                lines = [arguments(ENGINE, photo, out, *each) for each in flags]
                first = start(stopping, lines[0], folder, 20)
                wait_for_stop(first)
                code, printed = run(lines[1], folder)
                os.kill(first.pid, signal.SIGCONT)
                first.join()
                tally.case(
                    name,
                    _expected(code, printed, 2, "it.run"),
                    None if first.exitcode == 0 else f"the first ended with {first.exitcode}",
                    None if len(contents(out)) == 4 else "outputs are missing",
                )


def little_memory(tally: Tally, small: bool) -> None:
    """Address space runs out: the run continues in smaller pieces, or ends with a clear error."""
    if not sys.platform.startswith("linux"):
        tally.skips.append("limits of memory are those of Linux")
        return
    with _workshop() as (folder, photo, before, _):
        for number, mebibytes in enumerate(
            (0, 8, 30, 200) if small else (0, 2, 8, *range(20, 500, 20))
        ):
            out = folder / f"memory{number}"
            copy_outputs(folder / "earlier", out)
            line = arguments(
                ENGINE, photo, out, "--size", "512", "--backend", "eager", "-n", "2000",
                "--steps", "2", "--overwrite",
            )  # fmt: skip
            code, printed = run(line, folder, _short_of_memory, mebibytes << 20)
            clear = code == 0 or (code == 6 and "memory" in printed) or _aborted(code, printed)
            traceback = "Traceback" in printed
            after = contents(out)
            replaced = before.keys() <= after.keys()
            replaced &= all(after.get(suffix) != data for suffix, data in before.items())
            tally.case(
                f"{mebibytes} MiB more than at the start",
                None if clear and not traceback else f"exit {code}: {printed.strip()[-300:]}",
                same(after, before) if code else None if replaced else "outputs are missing",
            )


def after_the_fit(tally: Tally, small: bool) -> None:
    """One output after the other cannot be written; the run is resumed when all of them can."""
    with _workshop() as (folder, photo, _, _):
        for number, missing in enumerate((".png", ".json", ".mp4")):
            out, whole = folder / f"fails{number}", folder / f"whole{number}"
            more = ["--max-bytes", "10MB"] if missing == ".mp4" else []
            run(arguments(ENGINE, photo, whole, *more), folder)
            less = ["--max-bytes", "100"] if missing == ".mp4" else []
            line = arguments(ENGINE, photo, out, *less)
            code, printed = run(line, folder, _without, missing)
            found = contents(out)
            run([*arguments(ENGINE, photo, out, *more), "--resume"], folder)
            tally.case(
                f"no {missing[1:]}",
                _expected(code, printed, 6, "the drawing is saved in"),
                None if ".art" in found and missing not in found else f"there is {[*found]}",
                same(contents(out), contents(whole)),
            )


def others_files(tally: Tally, small: bool) -> None:
    """Files, links, pipes and devices of the user are where outputs would go, with --overwrite."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        places = {
            "a photo in place of the still": (
                lambda out: save_photo(out).rename(out / "it.png"),
                2,
            ),
            "a file in the folder of the run": (_note, 2),
            "a picture among its frames": (_frame, 2),
            "a link in place of it": (lambda out: (out / "it.run").symlink_to(folder), 2),
            "a link in place of the still": (lambda out: (out / "it.png").symlink_to(photo), 2),
            "a folder in place of the still": (lambda out: (out / "it.png").mkdir(), 2),
            "a pipe in place of the still": (lambda out: os.mkfifo(out / "it.png"), 6),
            "a full device in place of the log": (_full, 6),
        }
        photo = save_photo(folder)
        for number, (what, (prepare, expected)) in enumerate(places.items()):
            out = folder / str(number)
            out.mkdir()
            prepare(out)
            before = _kinds(out)
            log = ["--log", str(out / "log")] if (out / "log").is_symlink() else []
            line = arguments(ENGINE, photo, out, "--overwrite", *log)
            code, printed = run(line, folder)
            after = _kinds(out)
            lost = [path for path, kind in before.items() if after.get(path) != kind]
            tally.case(
                what,
                _expected(code, printed, expected),
                f"{', '.join(lost)} changed" if lost else None,
            )


# ---- what they share -----------------------------------------------------------------------------


@contextmanager
def _workshop() -> Iterator[tuple[Path, Path, dict[str, Any], dict[str, Any]]]:
    """A folder, a photo in it, the outputs of an earlier run and those of one to come."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = save_photo(folder)
        for out, size in (("earlier", ["--size", "12"]), ("whole", [])):
            run(arguments(ENGINE, photo, folder / out, *size), folder)
        yield folder, photo, contents(folder / "earlier"), contents(folder / "whole")


def _note(out: Path) -> None:
    (out / "it.run").mkdir()
    (out / "it.run" / "notes.txt").write_text("mine")


def _frame(out: Path) -> None:
    (out / "it.run" / "frames").mkdir(parents=True)
    save_photo(out / "it.run" / "frames")


def _full(out: Path) -> None:
    (out / "log").symlink_to("/dev/full")


def _kinds(folder: Path) -> dict[str, Any]:
    """What every path in a folder is: a link, the bytes of a file, or the kind of anything else."""
    return {
        path.relative_to(folder).as_posix(): os.readlink(path)
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else stat.S_IFMT(path.stat().st_mode)
        for path in folder.rglob("*")
    }


def _expected(code: int, printed: str, expected: int, says: str = "") -> str | None:
    good = code == expected and says in printed and "Traceback" not in printed
    return None if good else f"exit {code} instead of {expected}: {printed.strip()[-300:]}"


def _limited(line: list[str], folder: Path, most_bytes: int) -> None:
    import resource

    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
    leave(line, folder)


def _without(line: list[str], folder: Path, suffix: str) -> None:
    """The disk is full for outputs with a suffix."""
    write = Path.write_bytes

    def write_bytes(path: Path, data: bytes) -> int:
        if path.suffix == suffix and path.parent.name == "outputs":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(path, data)

    Path.write_bytes = write_bytes  # type: ignore[method-assign]
    leave(line, folder)


def _as_nobody(line: list[str], folder: Path) -> None:
    if os.geteuid() == 0:
        os.setuid(NOBODY)
    leave(line, folder)


def _aborted(code: int, printed: str) -> bool:
    """Whether a library in Rust aborted the process, which Python cannot prevent."""
    return code == -signal.SIGABRT and bool(
        re.search(r"memory allocation of \d+ bytes failed", printed)
    )


def _short_of_memory(line: list[str], folder: Path, more: int) -> None:
    allow_memory(more)
    leave(line, folder)


# ---- bugs ----------------------------------------------------------------------------------------


def _in_place() -> None:
    """Files are written under their final names from the start."""
    from artgen.runs.files.folder import RunFolder

    @contextmanager
    def in_place(path: Path, *, durable: bool = True) -> Iterator[Path]:
        try:
            yield path
        except OSError as error:
            raise atomic._output_error(path, error) from error

    import artgen.output.atomic as atomic

    atomic.atomic_path = in_place
    RunFolder.stage_output = lambda self, path: path  # type: ignore[method-assign]
    RunFolder.publish = lambda self, paths: None  # type: ignore[method-assign]


def _no_errors() -> None:
    """What the system says of a folder is not translated."""
    import artgen.output.atomic as atomic

    def leave(path: Path, error: OSError) -> Exception:
        return error

    atomic._output_error = leave  # type: ignore[assignment]


def _no_lock() -> None:
    """Nobody is kept out of the folder of a run."""
    from artgen.runs.files.folder import RunFolder

    RunFolder.lock = lambda self: None  # type: ignore[method-assign]


def _elsewhere() -> None:
    """Outputs are written into the folder for temporary files and renamed from there."""
    import artgen.runs.files.folder as module
    from artgen.runs.files.folder import RunFolder

    module.errno = SimpleNamespace(EXDEV=-1)
    temporary = Path(tempfile.mkdtemp())
    keep = RunFolder.__init__

    def start_elsewhere(folder: RunFolder, path: Path) -> None:
        keep(folder, path)
        folder._outputs = temporary

    RunFolder.__init__ = start_elsewhere  # type: ignore[method-assign]


def _all_or_nothing() -> None:
    """What cannot be written ends the run before anything is in its place."""
    import artgen.runs.export as module

    def end(error: Exception, art: Path) -> Exception:
        raise error

    module._saved = end


def _all_own() -> None:
    """Whatever is there counts as written by artgen."""
    import artgen.output.ownership as ownership
    from artgen.runs.files.folder import RunFolder

    ownership.is_own = lambda path, mark=b"": True
    RunFolder.check_own = lambda self: None  # type: ignore[method-assign]
    RunFolder._others = lambda self: iter(())  # type: ignore[method-assign]


def _unguarded() -> None:
    """An allocation that fails is an error like any other."""
    import artgen.base.errors as errors
    import artgen.cli._console as console

    errors.is_out_of_memory = console.is_out_of_memory = lambda error: False


PROMISES = [
    Promise(
        "no-room",
        "When the disk is full, the run ends with exit code 6 and a message; earlier outputs stay. "
        "With free space again, `--resume` gives the bytes of an undisturbed run.",
        "The system limits the size of files to random numbers of bytes.",
        no_room,
        lambda: in_processes(_in_place),
        "outputs are written under their final names",
    ),
    Promise(
        "after-the-fit",
        "Whatever fails after the fit, the drawing is saved. The error says where, and `--resume` "
        "writes the rest.",
        "One output after the other does not fit on the disk, or into `--max-bytes`.",
        after_the_fit,
        lambda: in_processes(_all_or_nothing),
        "what cannot be written ends the run",
    ),
    Promise(
        "files-of-others",
        "With `--overwrite`, artgen replaces and removes files that it wrote, and nothing else. Pipes "
        "and devices are written into, links are not followed.",
        "Photos, notes, links, folders, a pipe and a full device where outputs and the folder of "
        "the run would be.",
        others_files,
        lambda: in_processes(_all_own),
        "every file counts as artgen's own",
    ),
    Promise(
        "no-permission",
        "A folder that cannot be written to is refused before the first step, with exit code 6.",
        "Read-only folders, files in place of folders, names and paths that are too long; the "
        "superuser drops its rights first.",
        no_permission,
        lambda: in_processes(_no_errors),
        "errors of the system are not translated",
    ),
    Promise(
        "other-filesystem",
        "Outputs can be on another file system.",
        "A folder in shared memory.",
        other_filesystem,
        lambda: in_processes(_elsewhere),
        "outputs are renamed from a folder for temporary files",
    ),
    Promise(
        "two-at-once",
        "Of two runs that would write the same files, only one does; the other ends with exit code 2.",
        "A second run is started while the first one writes checkpoints: without options, with "
        "`--overwrite` and with `--resume`.",
        two_at_once,
        lambda: in_processes(_no_lock),
        "the folder of a run is not locked",
    ),
    Promise(
        "little-memory",
        "When memory runs out, artgen continues in smaller pieces, or ends with exit code 6 and "
        "says what to change. With almost none left, a library may abort the process (`memory "
        "allocation of N bytes failed`). Earlier outputs stay.",
        "The system limits the address space to a few mebibytes more than at the start.",
        little_memory,
        lambda: in_processes(_unguarded),
        "a failed allocation is not recognised",
    ),
]
