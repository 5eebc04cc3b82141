"""Run the tests by groups of files, each group in a process of its own: `make test`.

Compilers never give back what a kernel took, so a process ends after some minutes. The files that
took longest when `tests/durations.json` was recorded come first, the very long ones in parts, and
the groups become smaller towards the end, so that no processor is left without work. Arguments go
to pytest; files among them are tried instead of all.

    python -m tools.suite [-j PROCESSES] [--record] [ARGUMENTS OF PYTEST]

It is the plugin of pytest as well (``-p tools.suite``) by which a process reports to this one.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

import pytest

from tools import forks


class Durations(TypedDict):
    """Seconds of all tests of a file, and of each that is slow."""

    seconds: float
    slow: dict[str, float]


TESTS = Path("tests")
DURATIONS = TESTS / "durations.json"
"""For each file the seconds of all its tests, and of each that is slow: `make durations`."""
EVERY_TEST = Path(".cache") / "durations.json"
"""Seconds of every test of the last run that named no file, longest first."""

SLOW = 0.1
"""Seconds from which a test is `slow`: tests/conftest.py marks those of the record."""
UNKNOWN: Durations = {"seconds": 10.0, "slow": {}}
"""What a file is thought to take before its first record."""
SHORTEST, LONGEST = 30.0, 180.0
"""Seconds that a group is to take: a process may take 3 GB."""
MEMORY = 3 * 2**30
"""Bytes that a process may take."""

Report = dict[str, Any]


# ---- in each process: a plugin of pytest ---------------------------------------------------------

_REPORT, _PART = "ARTGEN_SUITE_REPORT", "ARTGEN_SUITE_PART"
_seconds: Counter[str] = Counter()
_skips: Counter[str] = Counter()
_failed: dict[str, None] = {}
_counts: Counter[str] = Counter()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Keep this process's part of a long file; neighbours share fixtures and kernels."""
    part, parts = map(int, os.environ[_PART].split("/"))
    items[:] = items[len(items) * part // parts : len(items) * (part + 1) // parts]


def pytest_runtest_logreport(report: Any) -> None:
    """Note what a part of a test took, and how it ended."""
    _seconds[report.nodeid] += report.duration
    if report.failed:
        _failed[report.nodeid] = None
    elif report.skipped and isinstance(report.longrepr, tuple):
        _skips[report.longrepr[2].removeprefix("Skipped: ")] += 1
    elif report.when == "call":
        _counts["passed"] += 1


def pytest_collectreport(report: Any) -> None:
    """Note a file that cannot be imported, or is skipped whole."""
    if report.failed:
        _failed[report.nodeid] = None
    elif report.skipped:
        _skips[report.longrepr[2].removeprefix("Skipped: ")] += 1


def pytest_deselected(items: Sequence[Any]) -> None:
    """Count the tests of the night that are left out, in the first part of a file."""
    if os.environ[_PART].startswith("0/"):
        _counts["nightly"] += sum(item.get_closest_marker("nightly") is not None for item in items)


def pytest_sessionfinish() -> None:
    """Write the report."""
    report = {"seconds": _seconds, "skips": _skips, "failed": list(_failed), "counts": _counts}
    Path(os.environ[_REPORT]).write_text(json.dumps(report), encoding="utf-8")


# ---- in the process that starts them -------------------------------------------------------------


@dataclass(frozen=True)
class Part:
    """A file, or one of the parts of a long one, and the seconds that it is thought to take."""

    file: str
    seconds: float
    number: int = 0
    parts: int = 1


@dataclass
class Suite:
    """What is still to be tried, longest first, and what was found so far."""

    left: list[Part]
    jobs: int
    arguments: list[str]
    lock: threading.Lock = field(default_factory=threading.Lock)
    seconds: Counter[str] = field(default_factory=Counter)
    skips: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)

    def take(self) -> list[Part]:
        """Take the next group: files together, or a part of a long one."""
        with self.lock:
            left = sum(part.seconds for part in self.left)
            aim = min(max(left / (2 * self.jobs), SHORTEST), LONGEST)
            group: list[Part] = []
            while self.left and (
                not group
                or (
                    group[0].parts == self.left[0].parts == 1
                    and sum(part.seconds for part in [*group, self.left[0]]) <= aim
                )
            ):
                group.append(self.left.pop(0))
            return group

    def work(self) -> None:
        """Try group after group."""
        while group := self.take():
            try:
                self.try_group(group)
            except Exception as error:
                # It would end this thread alone, and nobody would miss the group.
                names = ", ".join(part.file for part in group)
                with self.lock:
                    self.failed.append(f"{names}: {type(error).__name__}: {error}")

    def try_group(self, group: list[Part]) -> None:
        """Try a group in a process of its own, add up its report and print how it ended."""
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.json"
            # Processes would write over each other's cache.
            plugins = ["-p", "no:cacheprovider", "-p", "tools.suite"]
            more = [
                "--continue-on-collection-errors",
                *self.arguments,
                *(part.file for part in group),
            ]
            done = subprocess.run(
                [*forks.python(), "-m", "pytest", *plugins, *more],
                env={
                    **os.environ,
                    _REPORT: str(path),
                    _PART: f"{group[0].number}/{group[0].parts}",
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            report: Report = json.loads(path.read_text()) if path.exists() else {}
        names = ", ".join(Path(part.file).stem.removeprefix("test_") for part in group)
        if group[0].parts > 1:
            names += f" ({group[0].number + 1} of {group[0].parts})"
        failed = report.get("failed", [])
        # 5: none was selected.
        if done.returncode not in (0, 5) and not failed:
            failed = [f"{names}: pytest ended with {done.returncode}"]
        with self.lock:
            self.seconds.update(report.get("seconds", {}))
            self.skips.update(report.get("skips", {}))
            self.counts.update(report.get("counts", {}))
            self.failed += failed
            passed = report.get("counts", {}).get("passed", 0)
            took = time.monotonic() - began
            print(f"{passed} passed, {len(failed)} failed in {took:.0f} s: {names}", flush=True)
            if failed:
                print(done.stdout, flush=True)


def count_processors() -> int:
    """Return how many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def limit_jobs(asked: int) -> int:
    """Return how many of the processes asked for this machine has the memory for."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return max(1, asked)
    return max(1, min(asked, memory // MEMORY))


def find_files(arguments: Sequence[str]) -> list[str]:
    """Return the files among the arguments; all files of tests where there is none."""
    given = [each for each in arguments if each.endswith(".py")]
    every = (path.as_posix() for path in TESTS.rglob("test_*.py") if "data" not in path.parts)
    ray = os.environ.get("ARTGEN_TEST_RAY")
    return given or sorted(file for file in every if ray or not file.startswith("tests/ray/"))


def cut(files: Sequence[str], quick: bool, jobs: int) -> list[Part]:
    """Return the files, longest first; those that take too long for one process in parts."""
    known = json.loads(DURATIONS.read_text(encoding="utf-8")) if DURATIONS.exists() else {}
    seconds = {}
    for file in files:
        durations: Durations = known.get(file, UNKNOWN)
        seconds[file] = durations["seconds"] - quick * sum(durations["slow"].values())
    # Of few files, one is not to keep a process busy when the others are done.
    longest = min(max(sum(seconds.values()) / jobs, SHORTEST), LONGEST)
    counts = {file: max(1, math.ceil(each / longest)) for file, each in seconds.items()}
    parts = [
        Part(file, each / counts[file], number, counts[file])
        for file, each in seconds.items()
        for number in range(counts[file])
    ]
    return sorted(parts, key=lambda part: -part.seconds)


def sum_up(seconds: dict[str, float]) -> dict[str, Durations]:
    """Return what each file took, from what each test took."""
    files: dict[str, Durations] = {}
    for test, took in sorted(seconds.items()):
        file, _, name = test.partition("::")
        durations = files.setdefault(file, {"seconds": 0.0, "slow": {}})
        durations["seconds"] = round(durations["seconds"] + took, 2)
        if took >= SLOW:
            durations["slow"][name] = round(took, 1)
    return files


def main(given: Sequence[str] | None = None) -> int:
    """Run the tests; 0 if none failed, and there was one."""
    parser = argparse.ArgumentParser(
        "python -m tools.suite", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("-j", type=int, default=count_processors(), help="processes at once")
    parser.add_argument("--record", action="store_true", help=f"write {DURATIONS} anew")
    options, arguments = parser.parse_known_args(given)
    if options.record and {"-m", "-k"} & set(arguments):
        parser.error("--record needs all tests of a file: leave -m and -k out")
    files = find_files(arguments)
    quick = any("not slow" in each for each in arguments)
    began = time.monotonic()
    jobs = limit_jobs(options.j)
    others = [each for each in arguments if each not in files]
    suite = Suite(cut(files, quick, jobs), jobs, others)
    workers = [threading.Thread(target=suite.work) for _ in range(suite.jobs)]
    # A server takes seconds to start, and saves three for every process.
    with nullcontext() if any(argument in files for argument in arguments) else forks.serving():
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    print_summary(suite, time.monotonic() - began)
    if not any(argument in files for argument in arguments):
        seconds = {name: round(took, 2) for name, took in suite.seconds.most_common()}
        EVERY_TEST.parent.mkdir(exist_ok=True)
        EVERY_TEST.write_text(json.dumps(seconds, indent=0), encoding="utf-8")
    if options.record:
        known = json.loads(DURATIONS.read_text(encoding="utf-8")) if DURATIONS.exists() else {}
        known |= sum_up(suite.seconds)
        rows = [f" {json.dumps(file)}: {json.dumps(known[file])}" for file in sorted(known)]
        DURATIONS.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
    if not (suite.counts["passed"] or suite.skips or suite.failed):
        print("no test was selected: look at the files, -k and -m", file=sys.stderr)
        return 1
    return bool(suite.failed)


def print_summary(suite: Suite, took: float) -> None:
    """Print what was skipped and why, what took longest, and what failed."""
    print("\nlongest:")
    for name, seconds in suite.seconds.most_common(10):
        print(f"  {seconds:6.1f} s  {name}")
    if suite.skips or suite.counts["nightly"]:
        print("skipped:")
        for reason, count in sorted(suite.skips.items()):
            print(f"  {count:6}  {reason}")
        if count := suite.counts["nightly"]:
            print(f"  {count:6}  left to the night: bash .ci/nightly")
    for name in suite.failed:
        print(f"FAILED {name}")
    minutes, seconds = divmod(round(took), 60)
    print(
        f"{suite.counts['passed']} passed, {len(suite.failed)} failed, {suite.skips.total()} "
        f"skipped in {minutes}:{seconds:02} with {suite.jobs} processes"
    )


if __name__ == "__main__":
    sys.exit(main())
