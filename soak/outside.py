"""Pushed from outside: signals in every phase, streams that nobody reads, numbers out of range.

Each case is a run in a process of its own. A phase is met exactly: the process sends itself the
signal as it calls the function that the phase begins with.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image

from soak._promise import Promise, Tally
from soak._runs import (
    arguments,
    in_processes,
    leave,
    run,
    same,
    save_photo,
    start,
    stopping,
    wait_for_stop,
    wrap,
)
from soak.kills import COMMANDS, CommandTrial

PHASES = {
    "loading": "artgen.runs.kinds.picture.run:PictureRun.prepare",
    "compiling": "artgen.runs.kinds.picture.run:choose_backend",
    "creation of the folder": "artgen.runs.files.folder:RunFolder.write_recipe",
    "rehearsal": "artgen.runs.loop.pace:_evaluate",
    "first step": "artgen.engines.gradient.engine:GradientEngine.advance",
    "checkpoint": "artgen.runs.files.folder:RunFolder.save_checkpoint",
    "export": "artgen.runs.runner:export",
    "publishing": "artgen.runs.files.folder:RunFolder.publish",
    "removal": "artgen.runs.files.folder:shutil.rmtree",
}
"""What a phase of a run begins with."""

COMMAND_PHASES = {
    "import": "artgen.registry._registry:Registry.__init__",
    "loading": {
        "render": "artgen.art:load",
        "morph": "artgen.art:load",
        "compare": "artgen.compare._comparison:_open",
        "gallery": "artgen.runs.kinds.picture.run:PictureRun.prepare",
    },
    "drawing": {
        "render": "artgen.art._art:Art.strips",
        "morph": "artgen.art._art:Art.frames",
        "compare": "artgen.families.shape.climb:ClimbEngine.advance",
        "gallery": "artgen.families.shape.climb:ClimbEngine.advance",
    },
    "export": "artgen.output.atomic:os.replace",
}
"""What a phase of the other commands begins with."""

SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGKILL)

STILL = 1.5
"""Seconds for which a process is stopped at least."""


def signals(tally: Tally, small: bool, command: str) -> None:
    """A signal at the beginning of every phase; then the run goes on to its end."""
    if command in COMMANDS:
        _signal_command(tally, small, command)
        return
    with _workshop() as (folder, photo):
        whole = folder / "whole"
        run(_line(command, photo, whole), folder)
        expected = _files(whole)
        chosen = SIGNALS[:1] if small else SIGNALS
        for number, (phase, where) in enumerate(PHASES.items()):
            for each in SIGNALS[3:] if small and phase == "removal" else chosen:
                out = folder / f"{number}-{each.name}"
                timed = ["--time", "1"] if phase == "rehearsal" else []
                line = _line(command, photo, out, *timed)
                code, printed = run(line, folder, _signalled, where, int(each))
                problems = [_ended(code, printed, each, out)]
                if code != 0:
                    again = command == "batch" or (out / "it.run" / "recipe.json").exists()
                    if again or not (out / "it.json").exists():
                        code, printed = run([*line, *(["--resume"] if again else [])], folder)
                    elif code == -signal.SIGKILL:  # everything was done
                        code = 0
                    left = [path.name for path in out.glob("*.run")] if command == "batch" else []
                    problems.append(f"{left} are left" if left else None)
                    problems.append(f"then exit {code}: {printed[-200:]}" if code else None)
                if phase != "rehearsal":  # where the clock decides how many steps there are
                    problems.append(same(_files(out), expected))
                tally.case(f"{command}, {each.name} at {phase}", *problems)


def _signal_command(tally: Tally, small: bool, command: str) -> None:
    """The same for a command that cannot be resumed: it is given again."""
    with _workshop() as (folder, _):
        trial = CommandTrial(command, folder)
        for phase, places in COMMAND_PHASES.items():
            where = places if isinstance(places, str) else places[command]
            for each in SIGNALS[1:2] if small else SIGNALS:
                line, out = trial.prepare(f"{phase}-{each.name}")
                code, printed = run(line, folder, _signalled, where, int(each))
                expected = -each if each == signal.SIGKILL else 130
                ended = None if code == expected else f"exit {code}: {printed[-200:]}"
                problems = [ended, *trial.damage(out, each)]
                code, printed = run(line, folder)
                problems.append(f"then exit {code}: {printed[-200:]}" if code else None)
                name = f"{command}, {each.name} at {phase}"
                tally.case(name, *problems, trial.difference(out))


def streams(tally: Tally, small: bool) -> None:
    """A batch of pictures with strange names, to streams that fail or know few letters."""
    names = ["a\N{GREEK SMALL LETTER ALPHA}.png", os.fsdecode(b"b\xff.png"), "c\N{SNOWMAN}.png"]
    with _workshop() as (folder, photo):
        for name in names:
            (folder / name).write_bytes(photo.read_bytes())
        lines = ["-n", "2", "--steps", "1", "--no-video", "--threads", "1"]
        targets = [str(folder / name) for name in names]
        kinds = (
            ["pipe", "full", "ascii"] if small else ["pipe", "full", "ascii", "latin-1", "closed"]
        )
        for number, kind in enumerate(kinds):
            for verbose in ([],) if small else ([], ["-q"], ["-v"], ["--json"]):
                out = folder / f"{number}{''.join(verbose)}"
                line = ["fit", *targets, *lines, *verbose, "--out", str(out)]
                process = start(_with_streams, line, kind)
                process.join()
                # Under -q there are no data that could be lost.
                expected = 6 if kind == "full" and verbose != ["-q"] else 0
                code, made = process.exitcode, len(list(out.glob("*.art")))
                tally.case(
                    f"{kind} {' '.join(verbose)}",
                    None if code == expected else f"exit {code}",
                    None if made == len(names) else f"{made} of {len(names)} are made",
                )


NOT_FINITE = ("nan", "inf", "-inf", "1e400", "-1e400")
OUT_OF_RANGE = ("-1", "-1e300", "1e300", "99999999999999999999")
GOOD = "1"
"""What every door lets in."""


def numbers(tally: Tally, small: bool) -> None:
    """Numbers that are not finite, become so when they are read, or are out of range."""
    chosen = [("reach", "rate", value) for value in (NOT_FINITE[:2] if small else NOT_FINITE)]
    out_of_range = OUT_OF_RANGE[1::2] if small else OUT_OF_RANGE
    chosen += [("hidden", "beta1", value) for value in out_of_range]
    chosen.append(("reach", "rate", GOOD))
    with _workshop() as (folder, photo):
        base = ["fit", str(photo), "-p", "mlp", "--set", "hidden=8", "--steps", "3", "--no-video"]
        made = folder / "made"
        run([*base, "--name", "it", "--out", str(made)], folder)
        for key, own, value in chosen:
            doors: dict[str, list[str]] = {
                "flag": [*base, "--set", f"{key}={value}"],
                "flag of an engine": [*base, "--set", f"engine.{own}={value}"],
                "flag of a budget": [*base, "--steps", value],
                "TOML": ["fit", "--recipe", str(_toml(folder, key, value))],
                "PNG": ["fit", "--recipe", str(_png(folder, made / "it.png", key, value))],
                "art": [
                    *("render", str(_art(folder, made / "it.art", key, value))),
                    *("-o", str(folder / "drawn.png")),
                ],
                "plugin": [
                    *("fit", str(photo), "--plugin", str(_plugin(folder, value)), "-p", "odd"),
                    *("--steps", "3", "--no-video"),
                ],
            }
            named = {"flag of an engine": own, "flag of a budget": "--steps", "plugin": "'size'"}
            for door, line in doors.items():
                out = folder / ("taken" if value == GOOD else "out")
                more = ["--out", str(out)] if line[0] == "fit" else []
                code, printed = run([*line, *more, "--overwrite"], folder)
                refused = 2 <= code <= 4 and named.get(door, key) in printed
                left = value != GOOD and out.exists() and any(out.iterdir())
                tally.case(
                    f"{key} = {value} by {door}",
                    None
                    if (code == 0 if value == GOOD else refused)
                    else f"exit {code}: {printed[-200:]}",
                    "something is left" if left else None,
                )


def stopped(tally: Tally, small: bool) -> None:
    """A process that SIGSTOP stopped during a step counts no second of that."""
    if not sys.platform.startswith("linux"):
        tally.skips.append("states of processes are read from /proc")
        return
    with _workshop() as (folder, photo):
        for number in range(1 if small else 6):
            out = folder / str(number)
            line = arguments("gradient", photo, out)
            began = time.perf_counter()
            process = start(stopping, line, folder, 10 + 8 * number)
            wait_for_stop(process)
            before = time.perf_counter() - began
            # Longer than all the rest takes, however busy the machine is.
            time.sleep(still := STILL + 5 * before)
            os.kill(process.pid or 0, signal.SIGCONT)
            process.join()
            seconds = json.loads((out / "it.json").read_text())["seconds"]
            problem = f"{seconds} s" if seconds >= still else None
            tally.case(f"stopped at step {10 + 8 * number}", problem)


def other_targets(tally: Tally, small: bool) -> None:
    """A killed run is resumed with another target, mask or drawing of the same name."""
    with _workshop() as (folder, photo):
        curve = ["-p", "mlp", "--set", "hidden=8", "--steps", "60"]
        masks = [folder / "one" / "mask.png", folder / "two" / "mask.png"]
        for level, mask in enumerate(masks, 1):
            mask.parent.mkdir()
            Image.new("L", (24, 16), 90 * level).save(mask)
        other = folder / "two" / photo.name
        Image.new("RGB", (24, 16), (1, 2, 3)).save(other)
        drawings = [folder / each / "start.art" for each in ("one", "two")]
        for seed, drawing in enumerate(drawings, 1):
            made = ["fit", str(photo), "-n", "8", "--steps", "2", "--seed", str(seed), "--no-video"]
            run([*made, "-q", "--out", str(drawing.parent), "--name", "start"], folder)
        starts = [[str(photo), "--init", str(drawing)] for drawing in drawings]
        cases = {
            "expression": (["curve:sin(x)/2", *curve], ["curve:7*x/2", *curve]),
            "points": (["points:spiral?n=60", *curve], ["points:two-moons?n=60", *curve]),
            "interval": (["curve:x*x?to=2", *curve], ["curve:x*x?to=3", *curve]),
            "picture": ([str(photo), "-n", "8"], [str(other), "-n", "8"]),
            "mask": ([str(photo), "--mask", str(masks[0])], [str(photo), "--mask", str(masks[1])]),
            "drawing": (starts[0], starts[1]),
        }
        for name, (first, second) in cases.items():
            out = folder / name
            rest = ["--name", "it", "--no-video", "--seed", "5", "--threads", "1", "-q"]
            rest += ["--checkpoint-every", "5", "--out", str(out)]
            where = "artgen.runs.runner:export"
            run(["fit", *first, *rest], folder, _signalled, where, int(signal.SIGKILL))
            code, printed = run(["fit", *second, *rest, "--resume"], folder)
            refused = None if code == 2 else f"exit {code}: {printed[-200:]}"
            code, printed = run(["fit", *first, *rest, "--resume"], folder)
            tally.case(name, refused, None if code == 0 else f"then exit {code}: {printed[-200:]}")


# ---- what they share -----------------------------------------------------------------------------


@contextmanager
def _workshop() -> Iterator[tuple[Path, Path]]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name), save_photo(Path(name))


def _line(command: str, photo: Path, out: Path, *more: str) -> list[str]:
    """A small run, or a batch of two."""
    line = arguments("gradient", photo, out, *more)
    return (
        [{"--seed": "--seeds", "5": "1,2"}.get(word, word) for word in line]
        if command == "batch"
        else line
    )


def _files(out: Path) -> dict[str, Any]:
    """The finished outputs, without what the clock says."""
    found: dict[str, Any] = {}
    for path in sorted(out.iterdir()) if out.exists() else ():
        if path.is_dir():
            continue
        found[path.name] = path.read_bytes()
        if path.suffix == ".json":
            summary = json.loads(found[path.name])
            found[path.name] = {k: v for k, v in summary.items() if "second" not in k}
    return found


def _ended(code: int, printed: str, sent: signal.Signals, out: Path) -> str | None:
    """What is wrong with the end of a run that heard a signal, or None."""
    if sent == signal.SIGKILL:
        return None if code == -sent else f"exit {code}"
    if code not in (0, 130) or "Traceback" in printed:
        return f"exit {code}: {printed[-200:]}"
    return None if list(out.glob("it*.art")) else "nothing is saved"


def _signalled(line: list[str], folder: Path, where: str, number: int) -> None:
    """In the new process: a signal at the first call of a function."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup it is ignored
    sent: list[int] = []

    def send(*given: Any) -> None:
        if not sent:
            sent.append(number)
            os.kill(os.getpid(), number)

    wrap(where, send)
    leave(line, folder)


def _with_streams(line: list[str], kind: str) -> None:
    """In the new process: a command line whose streams are of a kind."""
    from artgen.cli import main

    encoding = kind if kind in ("ascii", "latin-1") else "utf-8"
    for number, name in ((1, "stdout"), (2, "stderr")):
        reading, writing = os.pipe()
        if kind == "pipe":
            os.close(reading)
        elif kind == "full":
            writing = os.open("/dev/full", os.O_WRONLY)
        elif kind != "closed":
            writing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(writing, number)
        stream = io.TextIOWrapper(os.fdopen(number, "wb"), encoding=encoding)
        setattr(sys, name, None if kind == "closed" else stream)
        setattr(sys, f"__{name}__", getattr(sys, name))
    os._exit(main(line))


def _toml(folder: Path, key: str, value: str) -> Path:
    path = folder / "odd.toml"
    text = f'[target]\nsource = "photo.png"\n[primitive]\nname = "mlp"\n{key} = {value}\n'
    path.write_text(text + "[[stage]]\nsteps = 3\n[output]\nvideo = false\n")
    return path


def _number(value: str) -> float:
    """A number as JSON reads it: Python's reader knows NaN and Infinity."""
    return int(value) if value.lstrip("-").isdigit() else float(value)


def _changed(recipe: dict[str, Any], key: str, value: str) -> dict[str, Any]:
    recipe["primitive"][key] = _number(value)
    return recipe


def _png(folder: Path, still: Path, key: str, value: str) -> Path:
    from artgen.output import encode_png, read_recipe

    path = folder / "odd.png"
    recipe = json.dumps(_changed(json.loads(read_recipe(still)), key, value))
    with Image.open(still) as picture:
        import numpy as np

        path.write_bytes(encode_png(np.asarray(picture.convert("RGB")), recipe))
    return path


def _art(folder: Path, art: Path, key: str, value: str) -> Path:
    from safetensors.torch import load, save

    data = art.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["artgen"])
    header["recipe"] = _changed(header["recipe"], key, value)
    header["drawing"]["options"][key] = _number(value)
    path = folder / "odd.art"
    path.write_bytes(save(load(data), metadata={"artgen": json.dumps(header)}))
    return path


def _plugin(folder: Path, value: str) -> Path:
    path = folder / "odd.py"
    path.write_text(
        "from dataclasses import dataclass\nfrom artgen import Param, Splat, init, option\n\n"
        "@dataclass(frozen=True)\nclass Choice:\n"
        f'    size: float = option(float("{value}"), "size", low=0.01, high=1.0)\n\n'
        "class Odd(Splat):\n    Options = Choice\n"
        '    params = {"size": Param(init=init.constant(0.4), map="exp")}\n'
        "    def footprint(self, dx, dy, p):\n        return dx * p.size\n"
        "    def radius(self, p):\n        return p.size\n"
    )
    return path


# ---- bugs ----------------------------------------------------------------------------------------


def _deaf() -> None:
    """A closed terminal is not heard."""
    import artgen.tasks._control as control

    control._requests = lambda: [signal.SIGINT, signal.SIGTERM]


def _unguarded() -> None:
    """Streams are as Python makes them."""
    import artgen.cli._main as main

    main.guard_streams = lambda: None


def _any_number() -> None:
    """NaN and infinity are numbers like others."""
    import artgen.base.options
    import artgen.recipe

    def nothing(value: object, path: str = "") -> Iterator[tuple[str, float]]:
        return iter(())

    artgen.base.options.not_finite = artgen.recipe.not_finite = nothing


def _trusting() -> None:
    """All time counts, whatever happened in it."""
    import artgen.runs.loop.pace as timing

    timing.GAP = float("inf")


def _by_name() -> None:
    """A target of the same name is the same."""
    import artgen.runs.agreement as resume

    def ignore(*_: object) -> None:
        """Compare nothing."""

    resume._check_target = resume._check_file = ignore


PROMISES = [
    Promise(
        "signals",
        "In every phase of a run, SIGINT, SIGTERM and SIGHUP save the best; `--resume` continues "
        "after these and after SIGKILL, to the bytes of an undisturbed run. In every phase of the "
        "other commands they end it with exit code 130 and leave every file as it was or complete.",
        "A signal as a phase begins: loading, compiling, creation of the folder, rehearsal, first "
        "step, checkpoint, export, publishing, removal, for one run and for a batch; import, "
        "loading, drawing and export for `render`, `morph`, `compare` and `gallery build`.",
        signals,
        lambda: in_processes(_deaf),
        "SIGHUP is not heard",
        pieces=("fit", "batch", *COMMANDS),
        small_pieces=("fit", "render"),
        bug_piece="fit",
    ),
    Promise(
        "streams",
        "Output never stops work: all runs of a batch are done, whoever reads.",
        "Closed pipes, closed streams, full disks, and encodings that lack the letters of names.",
        streams,
        lambda: in_processes(_unguarded),
        "streams are not guarded",
    ),
    Promise(
        "out-of-range",
        "Numbers that are NaN, infinite, too large for a float or out of range are refused, whatever "
        "door they come by.",
        "Options and budgets in flags, TOML, the recipe in a PNG, an `.art` file and a plugin.",
        numbers,
        lambda: in_processes(_any_number),
        "numbers are not checked to be finite",
    ),
    Promise(
        "stopped",
        "Time in which a process was stopped does not count as time of the run.",
        "SIGSTOP during a step, for longer than all the rest takes.",
        stopped,
        lambda: in_processes(_trusting),
        "all time counts",
    ),
    Promise(
        "other-targets",
        "`--resume` refuses another target, mask or drawing under the same name.",
        "Killed runs are resumed with other expressions, intervals, samples, pictures and masks.",
        other_targets,
        lambda: in_processes(_by_name),
        "contents are not compared",
    ),
]
