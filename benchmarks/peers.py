"""Triangles beside github.com/fogleman/primitive: whole commands with the defaults of both.

Both read the same picture of 256 pixels on its long side and write a PNG and an SVG of as many
triangles. PSNR is that of the PNG; in the second table resvg (package `resvg_py`) draws the SVG.
CPU seconds are those of the process with all its threads and its start, kernels compiled before.
`primitive` is looked for on the PATH (`go install github.com/fogleman/primitive@latest`); it takes
its seed from the clock. An SVG of artgen includes its recipe.
"""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image

from artgen.losses.metrics import psnr
from artgen.targets import TargetRequest, open_image
from artgen_plugins.samples.opener import open_sample
from benchmarks._report import Table, figure
from benchmarks._settings import ROOT, Settings

SAMPLES = ("sample:astronaut", "sample:coffee", "sample:chelsea")
COUNTS, SIDE = (100, 500), 256


@dataclass(frozen=True)
class Result:
    """PSNR of the PNG and of the SVG as drawn by resvg, bytes of the SVG, and CPU seconds."""

    png: float
    svg: float | None
    size: int
    seconds: float


def run(settings: Settings) -> Iterator[Table]:
    counts, side = ((4,), 48) if settings.quick else (COUNTS, SIDE)
    known = sorted(settings.data.glob("kodim*.png")) if settings.data else ()
    pictures = SAMPLES[:1] if settings.quick else (*SAMPLES, *map(str, known))
    theirs = shutil.which("primitive")
    tools = ("artgen", "primitive") if theirs else ("artgen",)
    if not settings.quick:
        measure("artgen", pictures[0], counts[0], side)  # compiles
    measured = {
        (tool, picture, count): measure(tool, picture, count, side)
        for picture in pictures
        for count in counts
        for tool in tools
    }
    for count in counts:
        rows = []
        for picture in pictures:
            each = [measured[tool, picture, count] for tool in tools]
            rows.append((Path(picture).stem.removeprefix("sample:"), *compared(each)))
        means = [mean([measured[tool, picture, count] for picture in pictures]) for tool in tools]
        rows.append(("mean", *compared(means)))
        what = ("gain, dB", "artgen, dB", "primitive, dB", "CPU, times less")
        columns = (*what, "artgen, CPU s", "primitive, CPU s")
        yield Table(f"{count} triangles, long side {side}", ("picture", *columns), rows)
    rows = []
    for count in counts:
        for tool in tools:
            each = mean([measured[tool, picture, count] for picture in pictures])
            svg = "-" if each.svg is None else f"{each.svg:.2f}"
            rows.append((f"{count}, {tool}", f"{each.png:.2f}", svg, f"{each.size / 1000:.1f}"))
    yield Table("Files, means", ("triangles", "PNG, dB", "SVG, dB", "SVG, kB"), rows)


def measure(tool: str, picture: str, count: int, side: int) -> Result:
    """Run a tool on a picture, and look at what it wrote."""
    request = TargetRequest(size=side)
    opened = (
        open_image(picture, request) if Path(picture).suffix else open_sample(picture[7:], request)
    )
    with TemporaryDirectory() as folder:
        source = Path(folder, "in.png")
        Image.fromarray(opened.pixels).save(source)
        if tool == "artgen":
            line = [sys.executable, "-m", "artgen", "fit", str(source), "-p", "triangle"]
            line += ["-n", str(count), "--size", str(side), "--seed", "0", "--no-video", "-q"]
            line += ["--out", folder, "--name", "out", "-o", str(Path(folder, "out.svg"))]
        else:
            line = [tool, "-i", str(source), "-m", "1", "-n", str(count)]
            line += ["-r", str(side), "-s", str(side)]
            line += [
                word for end in ("png", "svg") for word in ("-o", str(Path(folder, f"out.{end}")))
            ]
        seconds = cpu_seconds(line)
        pixels = np.asarray(Image.open(Path(folder, "out.png")).convert("RGB"))
        text = Path(folder, "out.svg").read_text(encoding="utf-8")
    height, width = opened.pixels.shape[:2]
    svg = None
    if importlib.util.find_spec("resvg_py"):
        import resvg_py

        drawn = resvg_py.svg_to_bytes(svg_string=text, width=width, height=height)
        svg = psnr(np.asarray(Image.open(io.BytesIO(bytes(drawn))).convert("RGB")), opened.pixels)
    return Result(psnr(pixels, opened.pixels), svg, len(text.encode()), seconds)


def cpu_seconds(line: list[str]) -> float:
    """Run a command in a process of its own, and return what it took of all processors."""
    with subprocess.Popen(line, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, line)
    return used.ru_utime + used.ru_stime


def mean(results: list[Result]) -> Result:
    """The means of all that was measured."""
    drawn = [each.svg for each in results if each.svg is not None]
    return Result(
        fmean(each.png for each in results),
        fmean(drawn) if drawn else None,
        round(fmean(each.size for each in results)),
        fmean(each.seconds for each in results),
    )


def compared(results: list[Result]) -> tuple[str, ...]:
    """The columns of a picture; those of the other tool are dashes where it is not there."""
    ours, *others = results
    if not others:
        return "-", f"{ours.png:.2f}", "-", "-", figure(ours.seconds), "-"
    return (
        f"{ours.png - others[0].png:.2f}",
        *(f"{each.png:.2f}" for each in results),
        f"{others[0].seconds / ours.seconds:.2f}",
        *(figure(each.seconds) for each in results),
    )
