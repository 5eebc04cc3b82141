"""Any command line and any recipe ends soon, with a documented exit code, and harms nothing.

Cases are made by a grammar (`soak._grammar`). Each runs in a fork of a process that has imported
everything, in a folder of its own.

    python -m soak.commands --seed 7 --cases 500             what fails, grouped
    python -m soak.commands --seed 7 --first 31 --cases 1    one case again, with what it prints
"""

from __future__ import annotations

import argparse
import atexit
import datetime
import errno
import gc
import importlib
import json
import os
import pickle
import pkgutil
import re
import shlex
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from soak._grammar import RECIPE, Case, Grammar, read_grammar
from soak._pool import State, look, make, make_pool, walk
from soak._promise import Promise, Tally
from soak._runs import allow_memory, in_processes, start, swift_folder
from tools.suite import count_processors

CASES = 20_000

SECONDS = 60
"""The seconds of the processor that a command may take."""

PATIENCE = 10.0
"""The seconds of the clock after which a command is interrupted, as by Ctrl-C, and again after twice
as many: one that makes a long film, or serves a page, is not at fault. The first ends it after its
step, which may take a minute (`string` with 2,000 nails), as it says; the second at once."""

HANGS = 300.0
"""The seconds of the clock after which one hangs: others may keep the machine busy."""

MEMORY = 4 << 30
"""The bytes that a command may take."""

LARGEST_FILE = 1 << 28
"""The bytes of the largest file that it may write: the folder lies in memory."""

_MOST = 4
"""Numbers of cases that a group of failures keeps."""

_PRINTED = "stdout", "stderr", "outside"
_ALLOWED = {0, 2, 3, 4, 5, 6, 7}
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""What a terminal may act on, or what turns the direction of a line."""


@dataclass(frozen=True)
class Ended:
    """How a command ended; `code` is negative for a signal."""

    code: int
    stdout: bytes = b""
    stderr: bytes = b""
    interrupted: bool = False
    hung: bool = False
    memory: int = 0
    outside: tuple[str, ...] = ()
    """What it tried to change outside of its folder."""


@dataclass
class Found:
    """What came of some cases: failures by their kind."""

    cases: int = 0
    codes: dict[str, int] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    tried: list[tuple[str, str]] = field(default_factory=list)
    """Options and keys, each with the kinds of its values."""
    last: str = ""

    def add(self, seed: int, number: int, case: Case, ended: Ended, problems: list[str]) -> None:
        """Count a case."""
        codes = ["interrupted" if ended.interrupted and ended.code == 130 else str(ended.code)]
        if b"not enough memory" in ended.stderr:
            codes.append("of these for memory")
        line = shlex.join(case.words).encode("unicode_escape").decode()
        more = f" with {case.recipe!r}" if RECIPE in case.words else ""
        groups = {
            kind_of(each): [f"seed {seed} case {number}: {each}: {line}{more}"] for each in problems
        }
        self.join(Found(1, dict.fromkeys(codes, 1), groups, dict.fromkeys(groups, 1)))

    def join(self, other: Found) -> None:
        """Count what another process found."""
        self.cases += other.cases
        self.codes = dict(Counter(self.codes) + Counter(other.codes))
        self.counts = dict(Counter(self.counts) + Counter(other.counts))
        for kind, examples in other.groups.items():
            self.groups[kind] = [*self.groups.get(kind, []), *examples][:_MOST]
        self.tried = sorted({*map(tuple, self.tried), *map(tuple, other.tried)})

    def failures(self) -> list[str]:
        """One line for each kind of failure."""
        return [f"{self.counts[kind]} times {self.groups[kind][0]}" for kind in self.groups]


def any_command(tally: Tally, small: bool) -> None:
    """Cases of a seed: of one that never changes in small size, else of the day's."""
    seed, cases = (1, 25) if small else (datetime.date.today().toordinal(), CASES)
    found = try_cases(
        seed, 0, cases, stop=tally.first_failure, processes=1 if small else count_processors()
    )
    tally.add(found.cases, found.failures())
    codes = ", ".join(f"{code}: {n}" for code, n in sorted(found.codes.items()))
    tally.measurements |= {
        "seed": str(seed),
        "options and keys": str(len({place for place, _ in found.tried})),
        "of these, with a kind of value": f"{len(found.tried):,}",
        "exit codes": codes,
    }


def try_cases(
    seed: int,
    first: int,
    cases: int,
    seconds: float = 0,
    *,
    stop: bool = False,
    processes: int = 1,
) -> Found:
    """Try the cases from the number `first` on, for some `seconds` if there are any.

    The first failure may `stop` the process that met it.
    """
    found = Found()
    with ExitStack() as stack:
        begun = []
        for part in range(min(processes, cases)):
            folder = Path(stack.enter_context(swift_folder()))
            numbers = range(first + part, first + cases, processes)
            begun.append((folder, start(_try_all, folder, seed, numbers, seconds, stop)))
        for folder, process in begun:
            process.join()
            results = folder / "results.json"
            part_found = Found(**json.loads(results.read_text())) if results.exists() else Found()
            if process.exitcode != 0:
                problem = f"the trial itself ended with {process.exitcode} after {part_found.last}"
                part_found.groups[problem], part_found.counts[problem] = [problem], 1
            found.join(part_found)
    return found


def _try_all(folder: Path, seed: int, numbers: range, seconds: float, stop: bool) -> None:
    """In a new process, without threads: fork one for the files, then one for each case."""
    from artgen.base.cache import cache_folder
    from artgen.cli._main import make_app

    cache = cache_folder("kernels")
    if cache is not None:
        os.environ["ARTGEN_CACHE"] = str(cache.parent.resolve())
    os.environ |= {"ARTGEN_CONFIG": "", "COLUMNS": "80", "BROWSER": "true"}
    os.environ["MPLCONFIGDIR"] = str(folder / "matplotlib")
    (folder / "matplotlib").mkdir()
    grammar, pool = _prepare(folder)
    _import_all()
    make_app()
    gc.collect()
    gc.freeze()
    found, seen, began = Found(), set[tuple[str, str]](), time.monotonic()
    for number in numbers:
        over = seconds and time.monotonic() - began > seconds
        if over or (stop and found.groups):
            break
        case = grammar.case(seed, number)
        found.last = f"seed {seed} case {number}: {shlex.join(case.words)[:2000]}"
        (folder / "results.json").write_text(json.dumps(asdict(found)))
        root = folder / str(number)
        ended = _run(case, root, pool)
        found.add(seed, number, case, ended, problems_of(case, ended, _changes(case, root, pool)))
        seen.update(case.tried)
        if len(numbers) == 1:
            _print(case, ended)
        shutil.rmtree(root, ignore_errors=True)
    found.tried = sorted(seen)
    (folder / "results.json").write_text(json.dumps(asdict(found)))
    os._exit(0)


def _import_all() -> None:
    """Import what cases would import one by one: not what is compiled, or needs a GPU or a cluster."""
    import artgen
    import artgen_plugins

    for package in (artgen, artgen_plugins):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not re.search(
                "kernels|_math|cuda|webgpu|triton|_ray|template|testing|__main__", each.name
            ):
                importlib.import_module(each.name)


def _prepare(folder: Path) -> tuple[Grammar, dict[str, State]]:
    """The grammar, and the files of each case; what makes them may start threads."""
    given = folder / "given"
    if (pid := os.fork()) == 0:
        try:
            (folder / "pool").mkdir()
            make_pool(folder / "pool")
            pool = {str(p.relative_to(folder / "pool")): look(p) for p in walk(folder / "pool")}
            files = [name for name, (what, _) in pool.items() if what == "file"]
            given.write_bytes(pickle.dumps((read_grammar(files), pool)))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if os.waitpid(pid, 0)[1] != 0:
        raise RuntimeError("the files could not be made")
    read: tuple[Grammar, dict[str, State]] = pickle.loads(given.read_bytes())
    return read


def _run(case: Case, root: Path, pool: dict[str, State]) -> Ended:
    """Run a case in a fork of this process."""
    for name in ("work", "home", "tmp"):
        (root / name).mkdir(parents=True)
    for name, state in pool.items():
        make(root / "work" / name, state)
    if case.recipe:
        (root / "work" / RECIPE).write_bytes(case.recipe)
    for name in _PRINTED:
        (root / name).touch()
    if (pid := os.fork()) == 0:
        try:
            _become(case, root)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(1)
    began, interrupts, hung = time.monotonic(), 0, False
    while True:
        done, status, usage = os.wait4(pid, os.WNOHANG)
        if done:
            break
        waited = time.monotonic() - began
        if interrupts < 2 and waited > PATIENCE * (interrupts + 1):
            os.kill(pid, signal.SIGINT)
            interrupts += 1
        if waited > HANGS:
            os.kill(pid, signal.SIGKILL)
            hung = True
        time.sleep(0.005)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)  # what it has started
    read = {name: (root / name).read_bytes() for name in _PRINTED}
    scale = 1 if sys.platform == "darwin" else 1024
    outside = tuple(dict.fromkeys(read["outside"].decode(errors="replace").splitlines()))
    code = os.waitstatus_to_exitcode(status)
    memory = usage.ru_maxrss * scale
    return Ended(code, read["stdout"], read["stderr"], interrupts > 0, hung, memory, outside)


def _become(case: Case, root: Path) -> None:
    """In the fork: the command, with nothing in reach but its folder."""
    import resource

    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    work = root / "work"
    os.chdir(work)
    with open(work / case.stdin if case.stdin else os.devnull, "rb") as file:
        os.dup2(file.fileno(), 0)
    for number, name in ((1, "stdout"), (2, "stderr")):
        with open(root / name, "wb") as file:
            os.dup2(file.fileno(), number)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    os.environ |= {"HOME": str(root / "home"), "TMPDIR": str(root / "tmp")}
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    tempfile.tempdir = None
    _without_others()
    if sys.platform.startswith("linux"):
        allow_memory(MEMORY)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _fence(root)
    from artgen.cli import main

    try:
        code = main(list(case.words))
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    with suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    os._exit(code)


def _without_others() -> None:
    """No browser, no package index, no cluster; and an error of artgen's own shows where it was."""
    import webbrowser

    import artgen.cli._console as console
    import artgen.registry._packages as packages

    def none(*given: object) -> Any:
        raise webbrowser.Error

    webbrowser.get = none
    packages._pip = lambda *given: None
    sys.modules["ray"] = None  # type: ignore[assignment]
    describe = console.describe

    def telling(error: Exception) -> dict[str, Any]:
        described = describe(error)
        if described["exit_code"] == 1:
            traceback.print_exception(error)
        return described

    console.describe = telling


_CHANGES = {"os.remove": 1, "os.rename": 2, "os.mkdir": 1, "os.rmdir": 1, "os.link": 2}
_CHANGES |= {"os.truncate": 1, "os.chmod": 1, "os.chown": 1, "os.symlink": 2}
_CACHES = "ARTGEN_CACHE", "MPLCONFIGDIR"
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def _fence(root: Path) -> None:
    """Refuse, and note, every change of a file outside of the folder and the cache."""
    inside = [str(root.resolve()), *(os.environ[name] for name in _CACHES if name in os.environ)]
    noted = os.open(root / "outside", os.O_WRONLY)

    def paths(event: str, given: tuple[Any, ...]) -> Sequence[Any]:
        if event == "open":
            return given[:1] if (given[2] or 0) & _WRITES else ()
        return given[: _CHANGES.get(event, 0)][event == "os.symlink" :]

    def watch(event: str, given: tuple[Any, ...]) -> None:
        for each in paths(event, given):
            if isinstance(each, int):
                continue
            path = os.path.abspath(os.fsdecode(each))
            path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
            if (
                path == os.devnull
                or "__pycache__" in path
                or any(f"{path}{os.sep}".startswith(f"{each}{os.sep}") for each in inside)
            ):
                continue
            os.write(noted, f"{event} {path}\n".encode(errors="replace"))
            raise PermissionError(errno.EACCES, "beyond the fence", path)

    sys.addaudithook(watch)


# ---- what is wrong -------------------------------------------------------------------------------


def _changes(case: Case, root: Path, pool: dict[str, State]) -> list[str]:
    """The files of the user that are others now, and what was left outside of the folder."""
    replaced = "--overwrite" in case.words or "--force" in case.words
    found = []
    for name, state in pool.items():
        now = look(root / "work" / name)
        if now == state:
            continue
        written_by_artgen = state[0] == "file" and b"artgen" in bytes(state[1])  # type: ignore[call-overload]
        if not (written_by_artgen and replaced):
            found.append(f"{name} was a {state[0]} and is {now[0]}")
    for path in walk(root):
        kept = path.name in (*_PRINTED, "home", "tmp", "work")
        if (path.parent == root and kept) or path.is_relative_to(root / "work"):
            continue
        if path.name.startswith("torchinductor_"):
            continue  # torch makes this folder, empty, when it draws on the device "meta"
        asked = any(word.endswith(path.name) for word in case.words)
        found += (
            [] if asked else [f"left something in {path.relative_to(root).parts[0]} ({path.name})"]
        )
    return found


def problems_of(case: Case, ended: Ended, changes: Sequence[str] = ()) -> list[str]:
    """What is wrong with how a case ended."""
    return [*_wrong(case, ended), *changes]


def _wrong(case: Case, ended: Ended) -> Iterator[str]:
    stderr = ended.stderr.decode("utf-8", "surrogateescape")
    stdout = ended.stdout.decode("utf-8", "surrogateescape")
    verbose = not {"-v", "--verbose"}.isdisjoint(case.words)
    if ended.hung:
        yield "hangs"
    elif ended.code == -signal.SIGXCPU:
        yield f"takes more than {SECONDS} s of the processor"
    elif ended.code == 1:
        yield f"exit 1: {_raised(stderr)}"
    elif ended.code not in _ALLOWED and not (ended.code == 130 and ended.interrupted):
        yield f"ended with {ended.code}: {stderr[-200:]}"
    elif "Traceback (most recent call last)" in stderr and not (verbose or ended.interrupted):
        yield f"a traceback: {_raised(stderr)}"
    elif found := re.search(r"unexpected \w+: .*", stderr):
        yield f"unexpected: {found[0]}"
    elif 2 <= ended.code <= 7 and not (stderr or stdout):
        yield f"says nothing of its exit code {ended.code}"
    if ended.memory > MEMORY:
        yield f"takes {ended.memory >> 20} MiB"
    yield from (f"changes what is outside: {each}" for each in ended.outside[:3])
    printed = _NO_JSON & set(case.words)
    if "--json" in case.words and not printed and ended.code in _ALLOWED:
        try:
            json.loads(stdout)
        except ValueError:
            yield f"--json printed {stdout[:80]!r}"
    if any(map(_is_output, case.words)):
        stdout = ""  # a picture
    # What a shell says of the user's own command for --notify is not printed by artgen.
    stderr = re.sub(r"^/bin/sh: .*\n", "", stderr, flags=re.MULTILINE)
    for name, text in (("stderr", stderr), ("stdout", stdout)):
        if raw := _CONTROL.search(text):
            around = text[max(0, raw.start() - 60) : raw.end() + 30]
            yield f"control character in {name}: {around.encode('unicode_escape').decode()}"


_NO_JSON = {"-", "--help", "-h", "--help-all", "--version", "--man", "--"}
"""Words with which stdout is no JSON."""


def _is_output(word: str) -> bool:
    return word == "-" or word.endswith("=-") or word.startswith("-.")


def _raised(stderr: str) -> str:
    """The last error of a traceback and where in artgen it was raised."""
    places = re.findall(r'File "[^"]*?(artgen(?:_plugins)?/[^"]+)", line \d+, in (\S+)', stderr)
    where = " in ".join(reversed(places[-1])) if places else "?"
    errors = re.findall(r"^(?:\w+\.)*\w*(?:Error|Exception|Warning|Interrupt)\b.*", stderr, re.M)
    return f"{errors[-1][:200] if errors else stderr[-200:]} in {where}"


def kind_of(problem: str) -> str:
    """A failure without what differs from case to case: numbers, quoted texts, paths."""
    place = re.search(r" in \S+ in (?:artgen\S+|\?)$", problem)
    if place:
        return ":".join(problem.split(":")[:2]) + place[0]
    text = re.sub(r"""\(.*\)|(['"`]).*?\1|\S*[/.]\S*\.\w+|0x[0-9a-f]+""", "_", problem)
    text = re.sub(r"\d+(?:\.\d+)?", "N", text)
    return text[:90]


def _print(case: Case, ended: Ended) -> None:
    """All that there is to see of one case."""
    print(shlex.join(case.words), case.recipe.decode("utf-8", "replace"), sep="\n", flush=True)
    for text in (ended.stdout[:3000], ended.stderr[-6000:]):
        print(text.decode("utf-8", "backslashreplace"), flush=True)
    print(f"exit code {ended.code}, {ended.memory >> 20} MiB", flush=True)


# ---- bug -----------------------------------------------------------------------------------------


def _unconverted() -> None:
    """Errors of typer's parser stay what they are."""
    import artgen.cli._main as cli

    cli._usage_error = lambda error, arguments: error  # type: ignore[assignment,return-value]


PROMISES = [
    Promise(
        "any-command",
        "Every command line and every recipe ends within a minute of the processor and 4 GiB, or "
        "hears a second Ctrl-C, with a documented exit code other than 1. It changes no file of the user, "
        "leaves nothing outside of its folder, and prints no control characters.",
        "A grammar, read from the commands, the keys of recipes and the options of plugins, gives "
        "each option and key values of each kind (fitting, at bounds, empty, huge, not finite, with "
        "units, control characters, lists, tables, URLs, files of every format, damaged ones, pipes, "
        "devices, links), alone, in pairs and in threes.",
        any_command,
        lambda: in_processes(_unconverted),
        "errors of the parser are not converted",
    ),
]


def main() -> int:
    """Try some cases, and print what failed."""
    from soak import commands  # what processes are started with must be found by its name

    parser = argparse.ArgumentParser("python -m soak.commands")
    for name, default in (
        ("seed", 1),
        ("first", 0),
        ("cases", CASES),
        ("seconds", 0),
        ("processes", 1),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = vars(parser.parse_args())
    found = commands.try_cases(**asked)
    print(f"{found.cases} cases, {found.codes}")
    for kind in sorted(found.groups, key=lambda kind: -found.counts[kind]):
        print(f"\n{found.counts[kind]} times {kind}", *found.groups[kind], sep="\n  ")
    return bool(found.groups)


if __name__ == "__main__":
    sys.exit(main())
