"""How fast shapes are searched, and how good pictures of them get.

An evaluation is one candidate scored with its best colour. `sums` scores it from sums along rows,
as the engine `climb` does; `pixels` visits every pixel that it covers, as such tools usually do, in
one pass and in the same compiled loop. Seconds are CPU seconds of one thread, without compiling;
PSNR is that of the exported still. `peers` compares with another tool.

Names with a suffix are files of `--data`, others are samples; artgen reduces all.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from artgen import Canvas, Shape
from artgen.base.errors import InputError
from artgen.compiler import kernel_cache
from artgen.engines import Problem
from artgen.families.shape.climb import ClimbEngine
from artgen.families.shape.compositing import Compositing
from artgen.families.shape.spans import Stack
from artgen.losses.metrics import psnr
from artgen.output import to_pixels
from artgen.plan import resolve
from artgen.raster import draw
from artgen.recipe import Recipe
from artgen.registry import Registry, default
from artgen.targets import TargetRequest, open_image
from artgen.values.drawing import Drawing
from artgen_plugins.samples.opener import open_sample
from benchmarks._measure import one_thread
from benchmarks._report import Sample, Table, figure, ratio
from benchmarks._settings import Settings

LOOSE = Registry(files=[Path(__file__).with_name("_outlines.py")])

SCORERS = """
from artgen.compiler.jit import compiled

NO_PALETTE = np.zeros((0, 3))


@compiled
def all_by_sums(trace, tables, genes, sums, grid, alpha, palette, scratch):
    total = 0.0
    for i in range(len(genes)):
        total += score(
            trace, tables, np.int64(0), genes[i], sums, grid, alpha, alpha, palette, scratch
        )
    return total


@nb.njit((functions_type, nb.float64[:, ::1], planes, grid_type, nb.float64), **options)
def score_sums(functions, genes, sums, grid, alpha):
    scratch = make_scratch(sums.shape[0], functions.vertices, functions.crossings)
    trace, tables = functions.trace, functions.tables
    return all_by_sums(trace, tables, genes, sums, grid, alpha, NO_PALETTE, scratch)


@compiled
def all_by_pixels(trace, tables, genes, target, picture, grid, alpha, scratch):
    height = target.shape[1]
    total = 0.0
    for i in range(len(genes)):
        spans = call_trace(
            trace, np.int64(0), genes[i], tables, np.int64(0), height, grid, scratch[8]
        )
        s0 = s1 = s2 = q = np.float32(0)
        n = 0
        for span in range(spans):
            y = scratch[0][span]
            first, last = int(scratch[1][span] + 0.5), int(scratch[2][span] + 0.5)
            n += last - first
            for x in range(first, last):
                u0, u1, u2 = picture[0, y, x], picture[1, y, x], picture[2, y, x]
                e0, e1, e2 = target[0, y, x] - u0, target[1, y, x] - u1, target[2, y, x] - u2
                d0 = e0 + np.float32(alpha) * u0
                d1 = e1 + np.float32(alpha) * u1
                d2 = e2 + np.float32(alpha) * u2
                s0 += d0
                s1 += d1
                s2 += d2
                q += d0 * d0 + d1 * d1 + d2 * d2 - e0 * e0 - e1 * e1 - e2 * e2
        if n > 0:
            c0 = min(max(s0 / (alpha * n), 0.0), 1.0)
            c1 = min(max(s1 / (alpha * n), 0.0), 1.0)
            c2 = min(max(s2 / (alpha * n), 0.0), 1.0)
            total += q - 2 * alpha * (c0 * s0 + c1 * s1 + c2 * s2)
            total += n * alpha * alpha * (c0 * c0 + c1 * c1 + c2 * c2)
    return total


@nb.njit((functions_type, nb.float64[:, ::1], planes, planes, grid_type, nb.float64), **options)
def score_pixels(functions, genes, target, picture, grid, alpha):
    scratch = make_scratch(target.shape[1], functions.vertices, functions.crossings)
    trace, tables = functions.trace, functions.tables
    return all_by_pixels(trace, tables, genes, target, picture, grid, alpha, scratch)


@compiled
def all_rows(trace, tables, genes, height, grid, scratch):
    total = 0
    for i in range(len(genes)):
        spans = call_trace(
            trace, np.int64(0), genes[i], tables, np.int64(0), height, grid, scratch[8]
        )
        if spans > 0:
            total += scratch[0][spans - 1] - scratch[0][0] + 1
    return total


@nb.njit((functions_type, nb.float64[:, ::1], nb.int64, grid_type), **options)
def count_rows(functions, genes, height, grid):
    scratch = make_scratch(height, functions.vertices, functions.crossings)
    return all_rows(functions.trace, functions.tables, genes, height, grid, scratch)
"""


def run(settings: Settings) -> Iterator[Table]:
    side = 64 if settings.quick else 256
    kinds = [("triangle", reach) for reach in (8, 16, 32, 64)]
    kinds += [(n, 32) for n in ("rotated_ellipse", "polygon", "bezier", "star", "heart")]
    if settings.quick:
        yield rates([kinds[0], kinds[-1]], side, 500)
    else:
        yield rates(kinds, side, 20_000)

    counts = (5, 10) if settings.quick else (50, 100, 200, 500)
    mixture = "triangle*3+rotated_ellipse+rotated_rectangle"
    fits = [("triangle", count) for count in counts]
    fits += [] if settings.quick else [(mixture, counts[-1])]
    rows = []
    for picture in pictures(settings.data):
        for name, count in fits:
            seeds = (0,) if settings.quick else (0, 1, 2)
            results = [fit(picture, side, name, count, seed) for seed in seeds]
            figures = zip(*results, strict=True)
            quality, seconds, evaluations = map(Sample, figures)
            rows.append(
                (
                    f"{count} {name}, {Path(picture).name}",
                    figure(quality, 4),
                    figure(seconds),
                    figure(evaluations / seconds / 1e6),
                )
            )
    columns = ("", "PSNR, dB", "CPU s", "10⁶ evaluations per CPU s")
    yield Table(f"Fits with the defaults, long side {side}", columns, rows, "Medians over seeds.")


def pictures(folder: Path | None) -> list[str]:
    """The astronaut, or every picture in a folder."""
    if folder is None:
        return ["astronaut"]
    found = [str(path) for path in sorted(folder.iterdir()) if path.suffix in (".png", ".jpg")]
    if not found:
        raise InputError(f"--data {folder} holds no picture", hint="PNG and JPEG files count")
    return found


def open_target(picture: str, side: int) -> torch.Tensor:
    request = TargetRequest(size=side)
    opened = open_image(picture, request) if Path(picture).suffix else open_sample(picture, request)
    return torch.from_numpy(opened.pixels.astype(np.float32) / 255).permute(2, 0, 1).contiguous()


def rates(kinds: list[tuple[str, int]], side: int, number: int) -> Table:
    """Random candidates of this size in pixels, scored in both ways."""
    rows: list[tuple[str, ...]] = []
    triangles: dict[int, float] = {}
    for name, reach in kinds:
        sums, pixels, covered = score(name, reach, side, number)
        each = covered / sums
        if name == "triangle":
            triangles[reach] = each
        rows.append(
            (
                f"{name}, {reach} px",
                figure(number / sums / 1e6),
                figure(number / pixels / 1e6),
                ratio(pixels, sums),
                figure(covered / number),
                f"{each / triangles[reach]:.2f}" if reach in triangles else "-",
            )
        )
    columns = (
        *("reach", "sums, 10⁶/CPU s", "pixels, 10⁶/CPU s", "ratio"),
        *("rows each", "rows/CPU s, of a triangle's"),
    )
    note = "`star` and `heart` are outlines in a loose file; the last column is for the same reach."
    return Table(f"Evaluations, {side}²", columns, rows, note)


def score(name: str, reach: int, side: int, number: int) -> tuple[float, float, int]:
    """The median CPU seconds from sums, and from pixels, and the rows of all candidates."""
    alpha = 0.75
    shape = LOOSE.load("primitive", name)()
    climb = kernel_cache.read_kernels("families.shape.climb_kernels")
    kernels = kernel_cache.load(f"SEARCHED = False\n{climb}{SCORERS}", of="the benchmark")
    target, weight = open_target("astronaut", side).numpy(), np.ones((side, side), np.float32)
    layers = Compositing(shape, target, weight, (0.5, 0.5, 0.5), (alpha, alpha))
    layers.go_to(Stack.empty(shape), 0)
    layers.add_up(1)
    functions, genes = layers.functions, candidates(shape, number, reach * Canvas(side, side).pixel)
    sums, pixels = [], []
    for _ in range(5):
        sums.append(cpu(kernels.score_sums, functions, genes, layers.sums, layers.grid, alpha))
        goal = (target, layers.below, layers.grid, alpha)
        pixels.append(cpu(kernels.score_pixels, functions, genes, *goal))
    rows = kernels.count_rows(functions, genes, side, layers.grid)
    return statistics.median(sums), statistics.median(pixels), rows


def candidates(shape: Shape, number: int, size: float) -> np.ndarray:
    rng = np.random.default_rng(0)
    genes = np.zeros((number, shape.genes))
    for row in genes:
        shape.random(row, rng, *rng.uniform(-1, 1, 2), size)
        while not shape.valid(row):
            shape.random(row, rng, *rng.uniform(-1, 1, 2), size)
    return genes


def cpu(action: Callable[..., object], *arguments: object) -> float:
    start = time.process_time()
    action(*arguments)
    return time.process_time() - start


def fit(picture: str, side: int, name: str, count: int, seed: int) -> tuple[float, float, int]:
    """PSNR of the still, CPU seconds and evaluations of one fit with the defaults."""
    target = open_target(picture, side)
    height, width = target.shape[1:]
    asked = Recipe.from_dict({"primitive": {"name": name, "count": count}})
    plan = resolve(asked, default(), Canvas(width, height))
    shape, stage = plan.primitive, plan.recipe.stage[0]
    tensors = {
        key: torch.zeros(shape.tensor_shape(param, 0)) for key, param in shape.parameters().items()
    }
    mean = tuple(round(255 * value) / 255 for value in target.mean((1, 2)).tolist())
    problem = Problem(
        primitive=shape,
        drawing=Drawing(name, shape.option_values(), tensors, width, height, mean),
        target=target,
        loss=plan.losses[0],
        total_steps=stage.steps,
        seed=seed,
        count=count,
        options=stage.options,
    )
    engine = ClimbEngine()
    with one_thread():
        engine.start(problem)  # compiles
        start = time.process_time()
        while not engine.finished:
            engine.advance(25)
            engine.report()
        seconds = time.process_time() - start
    still = to_pixels(draw(engine.drawing(best=True), shape).permute(1, 2, 0).numpy())
    quality = psnr(still, to_pixels(target.permute(1, 2, 0).numpy()))
    return quality, seconds, engine.scored
