"""Reading any file ends soon, within a memory limit, with a result or an error.

The error is one that artgen raises on purpose. Every reader gets its own process with little
address space, so that a crash of a decoder is found out as well.
"""

from __future__ import annotations

import json
import math
import os
import random
import signal
import sys
import time
from pathlib import Path

from soak._hostile import changed, made, places
from soak._promise import Promise, Tally
from soak._readers import READERS, Reader, good_files
from soak._runs import allow_memory, in_processes, start, swift_folder

SECONDS = 30.0
"""What reading one file may take, in seconds of the processor: the longest footprint that a recipe
can ask for is compiled in 15. Judged in the full size alone: tests do not depend on the clock."""

MEMORY = 3 << 30
"""The bytes of address space that reading may take, beyond those that a process begins with."""

HANGS = 600
"""The seconds after which a file counts as one that is waited for."""

LONGEST = 3600
"""The seconds after which a process that reads counts as one that hangs."""


def hostile_files(tally: Tally, small: bool, name: str) -> None:
    """Good files cut short and changed at random, and those made to do harm."""
    with swift_folder() as folder:
        results = Path(folder) / "results.json"
        how = (30, math.inf) if small else (3000, SECONDS)
        process = start(_read_all, name, good_files(), Path(folder), results, *how)
        process.join(LONGEST)
        if process.is_alive():
            process.kill()
            process.join()
        found = json.loads(results.read_text()) if results.exists() else {}
        failures = [f"{name}: {each}" for each in found.get("failures", [])]
        if process.exitcode != 0:
            at = found.get("at", "the start")
            failures.append(f"{name}: the process ended with {process.exitcode} at {at}")
        tally.add(found.get("cases", 0), failures)


def _read_all(
    name: str,
    good: dict[str, list[bytes]],
    folder: Path,
    results: Path,
    changes: int,
    seconds: float,
) -> None:
    """In the new process: read the files of one kind and record failures."""
    reader, examples = READERS[name], good[name]
    for number, data in enumerate(examples):  # imports and compiles what is needed
        path = folder / f"good{number}{reader.suffix}"
        path.write_bytes(data)
        reader.read(path)
    harmful = [*made(name, good)]
    if sys.platform.startswith("linux"):
        allow_memory(MEMORY)
    signal.signal(signal.SIGALRM, _give_up)
    rng, failures, cases = random.Random(name), [], 0
    path = folder / f"file{reader.suffix}"

    def read(label: str) -> None:
        nonlocal cases
        results.write_text(json.dumps({"cases": cases, "failures": failures, "at": label}))
        signal.alarm(HANGS)
        problem = judged(reader, path, seconds)
        signal.alarm(0)
        cases += 1
        failures.extend([f"{label}: {problem}"] if problem else [])

    for label, data in (*harmful, *changed(examples, rng, changes)):
        path.write_bytes(data)
        read(label)
    path.unlink()
    for label, put in () if name in ("expression", "address") else places(path):
        put()
        read(f"{label} in place of the file")
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
    results.write_text(json.dumps({"cases": cases, "failures": failures}))
    os._exit(0)


class Hangs(BaseException):
    """Nothing that artgen would catch."""


def _give_up(number: int, frame: object) -> None:
    raise Hangs(f"nothing happened for {HANGS} s")


def judged(reader: Reader, path: Path, most: float = SECONDS) -> str | None:
    """The fault in how a file is read, or None; `most` seconds of the processor may be taken."""
    from artgen.base.errors import ArtgenError

    began = time.process_time()
    try:
        reader.read(path)
    except ArtgenError as error:
        if not 2 <= error.exit_code <= 6:
            return f"exit code {error.exit_code}: {error}"
        if len(str(error)) > 2000:
            return f"an error of {len(str(error))} characters"
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return f"{type(error).__name__}: {error}"[:300]
    seconds = time.process_time() - began
    return f"it took {seconds:.0f} s" if seconds > most else None


def read_trusting() -> None:
    """Numbers of tables are read without a look at what they are."""
    import artgen_plugins.table as table

    def row(cells: list[str], columns: int | None, where: str) -> list[float | str]:
        return [float(cells[0]), float(cells[1]), *cells[2:]]

    table._row = row


PROMISES = [
    Promise(
        "hostile-files",
        "Reading any file ends within seconds and within a limit of memory, with a result or with "
        "an error of artgen's own.",
        "Every accepted format: truncated, with flipped bits, with parts doubled or removed, absurd "
        "sizes, Exif and profiles, animations, bombs, files of other kinds, and pipes, devices, "
        "sockets, folders and links in place of a file; each reader in a process of its own with "
        "3 GiB to spare.",
        hostile_files,
        lambda: in_processes(read_trusting),
        "tables are read without checks",
        pieces=tuple(READERS),
        # One of each way to read. `no-code` reads most of these files for every kind, and its
        # process ends where a reader raises what it should not.
        small_pieces=(
            *("PNG", "GIF", "TIFF in bands", "table", "expression", "set as npz", "recipe"),
            *("recipe in an SVG", "art", "film", "font", "video", "checkpoint"),
        ),
        bug_piece="table",
    ),
]
