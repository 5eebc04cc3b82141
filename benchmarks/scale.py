"""What a picture of any size costs in tiles, and whether their seams show.

Gaussians, one for 100 pixels, tiles of 1024 pixels, one thread. The picture of the first tables is
a texture that is the same everywhere, plane waves of 12 to 80 pixels, in a tiled TIFF. Every row is
a process of its own, from reading the file to its still; the peak includes Python and torch.
`--long` adds 100 megapixels.

Seams are those of tiles of 256 pixels, with and without the joint pass, beside a fit of the whole
with as many steps: the PSNR within 8 pixels of the seams of the first pass, of those of the joint
pass, and elsewhere. With `--data DIR` photographs are two of Kodak's, else two samples.

Workers: wall seconds with tiles of 512 pixels. Results have the same bytes.
"""

from __future__ import annotations

import importlib.util
import itertools
import json
import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from artgen.losses.metrics import decibels
from artgen.output import encode_tiff_strips
from artgen.recipe import Recipe
from artgen.registry import default
from artgen.runs import run as fit
from artgen.runs.kinds.tiles.grid import make_grid
from artgen.targets import Source, TargetRequest, image_from_array
from artgen.targets.opening import open_source
from artgen.values.canvas import Canvas
from benchmarks._report import Sample, Table, figure, ratio
from benchmarks._settings import ROOT, Settings

PER_PART = 100
"""Pixels for each part."""
SIDE, SEAM_SIDE, MARGIN = 1024, 256, 64
"""Sides of tiles in the two tables, and what they are fitted to around them, in pixels."""
REACH = 8
"""Pixels on each side of a seam that count as near."""
WAVES = 24
ROUNDS = 3


def run(settings: Settings) -> Iterator[Table]:
    long = (100,) if settings.long else ()
    if settings.quick:
        yield costs((0.01,), 2)
    else:
        yield costs((1, 4, 16, 25, *long), 10)
        yield costs((25, *long), 100)

    side, tile, steps = (192, 64, 2) if settings.quick else (768, SEAM_SIDE, 150)
    targets = {"texture": np.concatenate(list(texture(side)))}
    for name in () if settings.quick else _photographs(settings.data):
        opened = open_source(Source.parse(name), default(), TargetRequest(size=side))
        targets[opened.name] = opened.pixels
    rows = []
    for name, pixels in targets.items():
        for how, passes in (("as a whole", None), ("no joint pass", 0), ("joint pass", 1)):
            values = seams(pixels, steps, tile, passes)
            rows.append((f"{name}, {how}", *(f"{value:.2f}" for value in values)))
    yield Table(f"Seams, dB, {steps} steps", ("", "seams", "joint seams", "elsewhere"), rows)
    if not settings.quick:
        yield compare_workers(13, 30)


def costs(sizes: Sequence[float], steps: int) -> Table:
    """One row per number of megapixels."""
    rows = []
    for megapixels in sizes:
        found = json.loads(
            subprocess.run(
                [sys.executable, "-m", "benchmarks.scale", str(megapixels), str(steps)],
                cwd=ROOT,
                stdout=subprocess.PIPE,
                check=True,
            ).stdout
        )
        seconds = found["seconds"]
        cells = (found["parts"] / 1000, seconds, seconds / megapixels, found["peak"])
        rows.append((f"{megapixels:g}", *map(figure, cells), f"{found['psnr']:.2f}"))
    columns = ("megapixels", "1000 parts", "CPU s", "CPU s per megapixel", "peak, MiB", "dB")
    return Table(f"{steps} steps for each tile", columns, rows)


def _photographs(folder: Path | None) -> list[str]:
    if folder is None:
        return ["sample:astronaut", "sample:coffee"]
    return [str(folder / f"kodim{number}.png") for number in (23, 13)]


def texture(side: int) -> Iterator[NDArray[np.uint8]]:
    """Strips, uint8 [256, side, 3], of a square whose statistics are the same everywhere."""
    rng = np.random.default_rng(0)
    length = np.exp(rng.uniform(np.log(12), np.log(80), (3, WAVES, 1)))
    angle, phase = rng.uniform(0, 2 * np.pi, (2, 3, WAVES, 1))
    across, down = 2 * np.pi * np.cos(angle) / length, 2 * np.pi * np.sin(angle) / length
    x = across * np.arange(side)
    for top in range(0, side, 256):
        y = down * np.arange(top, min(side, top + 256)) + phase
        # cos(x + y), as a product of matrices.
        waves = np.cos(y).swapaxes(1, 2) @ np.cos(x) - np.sin(y).swapaxes(1, 2) @ np.sin(x)
        strip = 127.5 + 45 * waves / math.sqrt(WAVES / 2)
        yield np.clip(strip, 0, 255).astype(np.uint8).transpose(1, 2, 0)


def seams(pixels: NDArray[np.uint8], steps: int, side: int, passes: int | None) -> list[float]:
    """PSNR near the seams of a first pass, near those of a joint pass, and elsewhere."""
    height, width = pixels.shape[:2]
    count = height * width // PER_PART
    margin = MARGIN * side // SEAM_SIDE
    tiles = None if passes is None else {"side": side, "margin": margin, "passes": passes}
    asked = _recipe("array", count, steps) | {"tiles": tiles}
    request = TargetRequest(size=max(width, height))
    asked["target"]["size"] = request.size
    target = image_from_array(pixels, request)
    art = fit(Recipe.from_request(asked), default(), target=target).art
    assert art is not None
    squares = ((art.render() / 255.0 - pixels / 255.0) ** 2).mean(axis=2)
    near = []
    for shifted in (False, True):
        mask = np.zeros((height, width), bool)
        for tile in make_grid(Canvas(width, height), side, margin, shifted=shifted):
            left, top = tile.core.left, tile.core.top
            mask[:, max(0, left - REACH) : left + REACH] |= left > 0
            mask[max(0, top - REACH) : top + REACH] |= top > 0
        near.append(mask)
    areas = (*near, ~(near[0] | near[1]))
    return [decibels(float(squares[area].mean())) for area in areas]


def report(megapixels: float, steps: int) -> None:
    """Fit a texture of so many megapixels, and print what that took as JSON."""
    side = round(math.sqrt(megapixels * 1e6))
    count = max(1, side**2 // PER_PART)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "texture.tif"
        file.write_bytes(encode_tiff_strips(texture(side), side, "{}"))
        before = _seconds()
        asked = _recipe(str(file), count, steps) | {"tiles": {"side": SIDE, "margin": MARGIN}}
        asked["target"]["max_pixels"] = side**2
        result = fit(Recipe.from_request(asked), default(), out=folder)
    found = {"parts": count, "seconds": _seconds() - before, "psnr": result.summary["psnr"]}
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps(found | {"peak": used / 1024}))


def compare_workers(megapixels: float, steps: int) -> Table:
    """How long a fit takes with one worker and with two, each of one thread."""
    side = round(math.sqrt(megapixels * 1e6))
    ways = {"with -j": [], "with Ray": ["--on", "ray"]}
    if importlib.util.find_spec("ray") is None:
        ways.pop("with Ray")
    found = set()
    taken: dict[tuple[str, int], list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "texture.tif"
        file.write_bytes(encode_tiff_strips(texture(side), side, "{}"))
        asked = ["fit", file, "-n", side**2 // PER_PART, "--tiles", 512, "--steps", steps]
        asked += ["--seed", 1, "--threads", 1, "--no-video", "--name", "a", "--overwrite", "-q"]
        for _, way, workers in itertools.product(range(ROUNDS), ways, (1, 2)):
            words = [sys.executable, "-m", "artgen", *asked, "--out", name, *ways[way]]
            began = time.perf_counter()
            subprocess.run([*map(str, words), "-j", str(workers)], cwd=ROOT, check=True)
            taken.setdefault((way, workers), []).append(time.perf_counter() - began)
            found.add((Path(name) / "a.art").read_bytes())
    assert len(found) == 1, "the files differ"
    rows = [(f"{n}", *(figure(Sample(taken[way, n])) for way in ways)) for n in (1, 2)]
    rows.append(("speed-up", *(ratio(*(Sample(taken[way, n]) for n in (1, 2))) for way in ways)))
    columns = ("workers", *(f"{name}, s" for name in ways))
    note = f"Medians of {ROUNDS}, in turn."
    return Table(f"Workers, {megapixels:g} megapixels, {steps} steps", columns, rows, note)


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _recipe(source: str, count: int, steps: int) -> dict:
    return {
        "seed": 1,
        "target": {"source": source},
        "primitive": {"name": "gaussian", "count": count},
        "stage": [{"steps": steps}],
        "output": {"video": False, "history": 0},
        "run": {"threads": 1},
    }


if __name__ == "__main__":
    report(float(sys.argv[1]), int(sys.argv[2]))
