"""Readers under a fuzzer, which watches the branches that a file reaches and makes new ones.

`python -m soak.fuzz NAME SECONDS FOLDER` is the process in which that happens. It ends with 0 after
this many seconds of the processor, and leaves in the folder how many files it tried, and those for
which something was wrong.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from soak._promise import Promise, Tally
from soak._readers import READERS
from soak._runs import swift_folder
from soak.files import HANGS, judged, read_trusting

SECONDS = 600
"""For how long a reader is fuzzed in full size, in seconds of the processor."""

KEPT = Path("build") / "soak"
"""Where the files go that were read badly."""

MOST_FINDINGS = 20

_ROOT = Path(__file__).parents[1]


def fuzzed_files(tally: Tally, small: bool, name: str) -> None:
    """One reader, with files that a fuzzer makes to reach every line."""
    if importlib.util.find_spec("atheris") is None:
        tally.skips.append("atheris is not installed")
        return
    seconds = 2 if small else SECONDS
    with swift_folder() as given:
        folder = Path(given)
        line = [sys.executable, "-m", "soak.fuzz", name, str(seconds), given]
        with (folder / "printed.txt").open("w") as printed:
            code: object
            try:
                # The processor may be shared by others.
                done = subprocess.run(
                    line, stdout=printed, stderr=printed, cwd=_ROOT, timeout=600 + 20 * seconds
                )
                code = done.returncode
            except subprocess.TimeoutExpired:
                code = "no end"
        _count(tally, name, folder, code)
    if tally.cases and not tally.failures:
        tally.measurements["CPU seconds"] = str(seconds)


def _count(tally: Tally, name: str, folder: Path, code: object) -> None:
    """Add the results of the process, and keep the files that failed."""
    printed = (folder / "printed.txt").read_text(encoding="utf-8", errors="replace")
    tried = folder / "tried.json"
    found = json.loads(tried.read_text()) if tried.exists() else {"files": 0, "problems": []}
    problems: list[str] = found["problems"]
    if not found["files"]:
        problems.append("no file was tried")
    if code != 0:
        problems.append(f"the process ended with {code}: {printed[-600:]}")
    bad = [each for each in folder.iterdir() if re.match("found|crash|timeout|oom|slow", each.name)]
    if bad:
        KEPT.mkdir(parents=True, exist_ok=True)
    for path in sorted(bad):
        kept = KEPT / f"{name.replace(' ', '-')}-{path.name}"
        shutil.copyfile(path, kept)
        problems.append(f"kept as {kept}")
    if reached := re.findall(r"\bcov: (\d+)", printed):
        tally.measurements["branches"] = reached[-1]
    tally.add(max(1, found["files"]), [f"{name}: {problem}" for problem in problems])


def main() -> None:
    """In the process of its own."""
    import atheris

    name, seconds, folder = sys.argv[1], float(sys.argv[2]), Path(sys.argv[3])
    reader = READERS[name]
    path = folder / f"file{reader.suffix}"
    examples = folder / "examples"
    examples.mkdir()
    with atheris.instrument_imports(include=["artgen"], exclude=_compiled()):
        for number, data in enumerate(reader.examples()):
            (examples / str(number)).write_bytes(data)
            path.write_bytes(data)
            reader.read(path)  # imports all that reading takes
    if os.environ.get("ARTGEN_SOAK_TRUSTING"):
        read_trusting()
    problems: list[str] = []
    kinds: set[str] = set()
    files, began = 0, time.process_time()

    def note() -> None:
        (folder / "tried.json").write_text(json.dumps({"files": files, "problems": problems}))

    def try_one(data: bytes) -> None:
        nonlocal files
        files += 1
        path.write_bytes(data)
        problem = judged(reader, path)
        if problem and (kind := re.sub(r"\W*\d+\W*|'.*", " ", problem)[:60]) not in kinds:
            kinds.add(kind)
            (folder / f"found-{len(kinds)}").write_bytes(data)
            problems.append(f"{problem} for {data[:100]!r}")
            note()
        over = time.process_time() - began > seconds
        if over or len(kinds) >= MOST_FINDINGS:
            note()
            sys.stderr.flush()
            os._exit(0)
        if files % 1000 == 0:
            note()

    # How long a file takes is judged by the processor's time, not by the clock.
    waits = [f"-timeout={HANGS}", f"-report_slow_units={HANGS}"]
    limits = [*waits, "-max_len=20000", "-rss_limit_mb=4000"]
    atheris.Setup([sys.argv[0], *limits, f"-artifact_prefix={folder}/", str(examples)], try_one)
    atheris.Fuzz()


def _compiled() -> list[str]:
    """The modules that numba compiles: it cannot compile instrumented code."""
    return [
        ".".join(path.relative_to(_ROOT).with_suffix("").parts)
        for path in (_ROOT / "artgen").rglob("*.py")
        if re.search("_kernels$|_math$", path.stem)
    ]


@contextmanager
def _trusting() -> Iterator[None]:
    """Tables are read without checks in the process of the fuzzer."""
    os.environ["ARTGEN_SOAK_TRUSTING"] = "1"
    try:
        yield
    finally:
        del os.environ["ARTGEN_SOAK_TRUSTING"]


PROMISES = [
    Promise(
        "fuzzed-files",
        "The same for files made by a fuzzer.",
        "Coverage-guided fuzzing of every reader with atheris, if installed.",
        fuzzed_files,
        _trusting,
        "tables are read without checks",
        pieces=tuple(READERS),
        bug_piece="table",
        small_pieces=("table",),
    ),
]

if __name__ == "__main__":
    main()
