"""Ten headline figures, measured again in ten minutes: which moved beyond their spread?

A figure moved if what is measured now and what RESULTS.md says, each from its least to its largest
value, have nothing in common, or if one median is more than 1.5 times the other: one slow
repetition makes a spread that holds anything. On a machine that others use, or another one, all
times move.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import codecs, commands, footprints, scaling, shapes, startup, video
from benchmarks._report import Sample, Table, figure
from benchmarks._scenes import make_scene, spacing
from benchmarks._settings import Settings
from tools.figures import cells, numbers_of

Place = tuple[str, str, str, str]
"""Section, table, row and column of RESULTS.md."""

FAR = 1.5
"""How many times its median a figure may be within its spread."""


def main(results: Path, *, quick: bool = False) -> int:
    """Print a line per figure. Return 1 if one moved or is not there, else 0."""
    known = {tuple(place): text for *place, text in cells(results.read_text(encoding="utf-8"))}
    moved = 0
    for place, now in measured(quick):
        then = numbers_of(known.get(place, ""))
        # A median with its spread, or a single value.
        low, high = (min(then), max(then)) if then else (0.0, -1.0)
        same = now.least <= high and low <= now.largest
        same &= not then or 1 / FAR <= now / then[0] <= FAR
        moved += not same
        verdict = "as before" if same else "moved" if then else "not in RESULTS.md"
        print(f"{verdict:18}{' | '.join(place)}: {figure(now)}, was {known.get(place, '-')}")
    return int(moved > 0)


def measured(quick: bool) -> Iterator[tuple[Place, Sample]]:
    """What is measured, and its values."""
    from artgen.registry import default

    rounds = 1 if quick else 5
    for line in startup.COMMANDS:
        yield (
            ("startup", "Start of the command line", f"`artgen {line}`", "seconds"),
            repeated(lambda line=line: startup.seconds(line), rounds),
        )
    what, line = next(iter(startup.FITS.items()))
    line = line.replace("--steps 100", "--steps 1 --size 32") if quick else line
    with tempfile.TemporaryDirectory() as folder:
        startup.waited(line, folder, folder)
        yield (
            ("startup", "Waiting", f"{what}, caches full", "done, s"),
            repeated(lambda: startup.waited(line, folder, folder)[1], rounds),
        )
    flags = ("--size", "32", "--steps", "2") if quick else ()
    command = ["sample:chelsea", "-p", "gaussian"]
    found = [commands.measured([*command, *flags]) for _ in range(min(3, rounds))]
    yield (
        ("commands", "Whole commands", " ".join(command), "PSNR, dB"),
        Sample(round(summary["psnr"], 1) for summary, *_ in found),
    )
    yield (
        ("commands", "Whole commands", " ".join(command), "peak, MiB"),
        Sample(peak for *_, peak in found),
    )
    yield from _of_table("scaling", _steps(quick), "1,000 splats", "1 thread, ms")
    gaussian = default().load("primitive", "gaussian")()
    scene = make_scene(gaussian, *((50, 48) if quick else (5_000, 512)), 4.0)
    yield from _of_table(
        "footprints", footprints.compare(scene, quick=True), "compiled", "with backward, ms"
    )
    evaluations = shapes.rates([("triangle", 16)], *((64, 500) if quick else (256, 20_000)))
    yield from _of_table("shapes", evaluations, "triangle, 16 px", "sums, 10⁶/CPU s")
    settings = Settings(quick=quick)
    for module, row, column in (
        (codecs, "lossy, 1 thread", "artgen, ms"),
        (video, "600 frames", "ms per frame"),
    ):
        table = next(iter(module.run(settings)))
        yield from _of_table(module.__name__.rpartition(".")[2], table, row, column)


def repeated(action: Callable[[], float], rounds: int) -> Sample:
    """The values of so many calls, after one that does not count."""
    action()
    return Sample(action() for _ in range(rounds))


def _steps(quick: bool) -> Table:
    from artgen.registry import default

    gaussian, side = default().load("primitive", "gaussian")(), 64 if quick else 512
    scenes = {"1,000 splats": make_scene(gaussian, 1_000, side, spacing(1_000, side))}
    return scaling.measure_steps(f"A step of a fit, {side}²", scenes, 2 if quick else 15)


def _of_table(section: str, table: Table, row: str, column: str) -> Iterator[tuple[Place, Sample]]:
    found = [values for name, *values in table.rows if name == row]
    if not found:
        raise ValueError(f"the benchmark {section} has no row {row!r} any more")
    text = found[0][list(table.columns).index(column) - 1]
    yield (section, table.title, row, column), Sample(numbers_of(text))
