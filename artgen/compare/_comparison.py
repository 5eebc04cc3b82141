"""A comparison: contestants are fitted to the same targets, measured alike and saved."""

from __future__ import annotations

import functools
import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artgen.art import load
from artgen.base.errors import ArtgenError, InputError, Interrupted, UsageError
from artgen.base.seeds import new_seed
from artgen.compare._curve import Curve, curves_of
from artgen.compare._files import CURVE, file_of
from artgen.compare._rows import Contestant, Line, Row, make_table, to_csv
from artgen.compare._sheet import draw_sheet
from artgen.display.plots import plot_rates
from artgen.events import Observer
from artgen.losses.metrics import by_loss, equivalent_rank, ms_ssim, psnr, rank_errors, ssim
from artgen.output import atomic_write, available_codecs, encode_png, encode_within, probe_folder
from artgen.output.still import Pixels
from artgen.recipe import Recipe, TargetTable
from artgen.registry import Registry
from artgen.runs import Elsewhere, read_target, run
from artgen.targets import SetTarget, Target, stems_of
from artgen.tasks import RunControl, SerialExecutor, Task, share_of_gpu
from artgen.values.subject import kind_of

FLOAT_BYTES = 4


@dataclass(eq=False)
class Comparison:
    """A comparison of `contestants` on `targets`: `run` it once, then read its results.

    Writes `TARGET-compare.png` and a `TARGET-CONTESTANT.art` for each of them into `out`, with
    `curve` also `TARGET-curve.svg` for pictures. `size` is the fitting size, `limit` the bytes that
    codecs get (None: as many as what they stand beside); contestants without a seed share `seed`,
    random where None. Check their files with `check_files` first.
    """

    contestants: Sequence[Contestant]
    targets: Sequence[str]
    registry: Registry
    out: Path
    size: int | None = None
    limit: int | None = None
    seed: int | None = None
    curve: bool = False
    rows: list[Row] = field(default_factory=list, init=False)
    errors: dict[str, NDArray[np.float64]] = field(default_factory=dict, init=False)
    """Of singular values by their rank, for each set."""
    sheets: list[Path] = field(default_factory=list, init=False)
    curves: dict[str, list[Curve]] = field(default_factory=dict, init=False)
    """Of each target, where they were asked for."""
    plots: list[Path] = field(default_factory=list, init=False)
    failures: list[ArtgenError] = field(default_factory=list, init=False)
    """Why a sheet, a plot or a table could not be written."""

    def __post_init__(self) -> None:
        self.stems, self.codecs = stems_of(self.targets), available_codecs()
        self.seed = new_seed() if self.seed is None else self.seed

    def run(
        self,
        observe: Observer = lambda event: None,
        control: RunControl | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> Iterator[Row]:
        """Go through all of them and yield the rows of a target as soon as all are there.

        The fits are carried out `elsewhere`, by default here, where a row comes as soon as it is
        there. A failure ends in its row. An interruption ends the present runs, their best so far
        kept, and starts no other. Raises OutputError where nothing can be written to `out`, and
        what keeps the executor from its work.
        """
        control = control or RunControl()
        probe_folder(self.out)
        elsewhere = elsewhere or Elsewhere(SerialExecutor())
        pairs = itertools.product(self.targets, self.contestants)
        fits = [self._fit(source, each, elsewhere) for source, each in pairs]
        here = isinstance(elsewhere.executor, SerialExecutor)
        work = functools.partial(execute, registry=self.registry) if here else execute
        ended = elsewhere.executor.run(work, fits, observe, control)
        results = self._fitted(fits, ended)
        for source in self.targets:
            shown: list[tuple[Row, Pixels]] = []
            of_target = itertools.islice(results, len(self.contestants))
            for row, pixels in itertools.chain(of_target, self._coded(source)):
                self.rows.append(row)
                if pixels is not None:
                    shown.append((row, pixels))
                yield row
            if shown:
                stem = self.stems[source]
                sheet = draw_sheet(stem, self._open(source).pixels, shown)
                if self._write(file := file_of(self.out, stem, "compare.png"), encode_png(sheet)):
                    self.sheets.append(file)
                self._draw_curves(source)

    def table(self) -> list[Line]:
        """A line for each contestant; after those that take the same bytes, the codecs."""
        return make_table(self.rows, [each.name for each in self.contestants], self.codecs)

    def write_csv(self, file: Path) -> bool:
        """Write all rows as CSV; whether that worked, else there is another one of `failures`."""
        return self._write(file, to_csv(self.rows))

    def _open(self, source: str) -> Target:
        return _open(self.registry, source, self.size)

    def _fit(self, source: str, contestant: Contestant, elsewhere: Elsewhere) -> FitTask:
        recipe = contestant.recipe
        target = TargetTable(source=source, size=self.size, background=recipe.target.background)
        recipe = recipe.replace(target=target)
        if recipe.seed is None:
            recipe = recipe.replace(seed=self.seed)
        return FitTask(
            stem=file_of(self.out, self.stems[source], contestant.stem).name,
            recipe=recipe,
            search=tuple(contestant.search),
            plugins=tuple(elsewhere.plugins),
            cpus=recipe.run.threads or 1,
            gpus=share_of_gpu(elsewhere.gpus, recipe.run.device),
            source=source,
            contestant=contestant.name,
        )

    def _fitted(
        self, fits: Iterable[FitTask], ended: Iterator[tuple[FitTask, Fitted | Exception]]
    ) -> Iterator[tuple[Row, Pixels | None]]:
        """The results of `fits` in their order, each as soon as it and those before have ended."""
        done: dict[str, Fitted | Exception] = {}
        for fit in fits:
            while fit.stem not in done:
                task, result = next(ended, (fit, Interrupted("not started")))
                done[task.stem] = result
            yield self._row(fit, done.pop(fit.stem))

    def _row(self, fit: FitTask, result: Fitted | Exception) -> tuple[Row, Pixels | None]:
        """Save what came of a fit, whatever that is."""
        row = Row(fit.source, fit.contestant, "fit", limit=self.limit)
        try:
            if isinstance(result, Exception):
                raise result
            metrics, file = dict(result.metrics), self.out / f"{fit.stem}.art"
            atomic_write(file, result.art)
            # A target that is no picture has metrics of its own.
            limit, target = None, self._open(fit.source)
            if target.pixels is not None:
                limit = self.limit or metrics["bytes"]
            elif isinstance(target, SetTarget):
                if target.sha256 not in self.errors:
                    self.errors[target.sha256] = rank_errors(target.test)
                rank = equivalent_rank(self.errors[target.sha256], metrics["mse"])
                metrics |= {"picture_bytes": FLOAT_BYTES * metrics["floats"], "rank": rank}
            row = replace(row, **metrics, limit=limit, art=str(file), error=result.error)
        except Exception as error:
            return replace(row, error=error), None
        return row, result.pixels

    def _coded(self, source: str) -> Iterator[tuple[Row, Pixels | None]]:
        """The target after each codec, for every number of bytes that was needed for it."""
        fitted = [row for row in self.rows if row.target == source and row.error is None]
        for limit in dict.fromkeys(row.limit for row in fitted if row.limit is not None):
            goal = self._open(source).pixels
            if goal is None:
                return
            for codec in self.codecs:
                yield _coded(Row(source, codec, "codec", limit=limit), goal, limit, self.registry)

    def _draw_curves(self, source: str) -> None:
        goal = self._open(source).pixels
        if not self.curve or goal is None:
            return
        rows = [row for row in self.rows if row.target == source]
        self.curves[source] = curves_of(rows, goal, self.codecs)
        own, codecs = (
            {each.name: each.points for each in self.curves[source] if each.is_codec == codec}
            for codec in (False, True)
        )
        plot = plot_rates(self.stems[source], own, codecs)
        if self._write(file := file_of(self.out, self.stems[source], CURVE), plot):
            self.plots.append(file)

    def _write(self, file: Path, data: bytes) -> bool:
        try:
            atomic_write(file, data)
        except ArtgenError as error:
            self.failures.append(error)
            return False
        return True


@dataclass(frozen=True)
class FitTask(Task):
    """One contestant on one target, both as they were asked for."""

    source: str = ""
    contestant: str = ""

    def search_for(self, what: str) -> Sequence[Path]:
        """Targets are where the user is, other files may be beside the contestant's recipe."""
        return (Path(),) if what == "target" else self.search


@dataclass(frozen=True)
class Fitted:
    """The result of a fit: metrics of a row, uint8 [height, width, 3], and the `.art` file."""

    metrics: dict[str, Any]
    pixels: Pixels
    art: bytes
    error: Exception | None = None


def execute(
    fit: FitTask, observe: Observer, control: RunControl, registry: Registry | None = None
) -> Fitted:
    """Fit in memory and judge what would be saved. Raises ArtgenError.

    Without a `registry` there is a new one, with the plugins of `fit`.
    """
    registry = registry or Registry(files=fit.plugins)
    # All contestants get the same target, whatever lies behind it in their recipes.
    target = _open(registry, fit.recipe.target.source, fit.recipe.target.size)
    outcome = run(
        fit.recipe,
        registry,
        target=target,
        name=fit.stem,
        search=fit.search,
        observers=[observe],
        control=control,
    )
    art = outcome.art
    assert art is not None
    device, data = art.recipe.run.device, art.to_bytes()
    pixels = art.render(device=device)
    known = {each.name for each in fields(Row)} - {"target"}
    metrics = {key: value for key, value in outcome.summary.items() if key in known}
    if target.pixels is not None:
        metrics |= _picture_metrics(pixels, target.pixels, registry)
        metrics["decoding"] = _seconds_to_draw(data, registry, device)
    return Fitted(metrics, pixels, data, outcome.error)


def _seconds_to_draw(data: bytes, registry: Registry, device: str) -> float:
    """How long it takes from a file to its pixels, after all kernels have been compiled."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "drawing.art")
        file.write_bytes(data)
        began = time.perf_counter()
        load(file, registry=registry).render(device=device)
        return round(time.perf_counter() - began, 6)


@functools.lru_cache(maxsize=1)
def _open(registry: Registry, source: str, size: int | None) -> Target:
    asked = Recipe(target=TargetTable(source=source, size=size, background="black"))
    target = read_target(asked, registry, (Path(),)).still.flat()
    if kind_of(target.subject) not in ("image", "set"):
        raise UsageError(
            f"{source} is neither a picture nor a set of them",
            hint="compare with pictures, or use artgen fit",
        )
    return target


def _picture_metrics(pixels: Pixels, goal: Pixels, registry: Registry) -> dict[str, object]:
    structure, flip = (registry.load("loss", f"artgen/{name}") for name in ("ms-ssim", "flip"))
    measured = {
        "ssim": ssim(pixels, goal),
        "ms_ssim": ms_ssim(pixels, goal, structure),
        "flip": by_loss(flip, pixels, goal),
    }
    rounded = {key: value and round(value, 6) for key, value in measured.items()}
    return {"psnr": round(psnr(pixels, goal), 4), **rounded}


def _coded(row: Row, goal: Pixels, limit: int, registry: Registry) -> tuple[Row, Pixels | None]:
    """The row of one codec within `limit` bytes."""
    try:
        encoded = encode_within(goal, row.contestant, limit)
        if encoded is None:
            raise InputError(
                f"no {row.contestant} file of this picture takes {limit} bytes or less"
            )
    except Exception as error:
        return replace(row, error=error), None
    size, (height, width) = encoded.size, goal.shape[:2]
    bpp = round(8 * size / (width * height), 6)
    metrics = {
        **_picture_metrics(encoded.pixels, goal, registry),
        "seconds": round(encoded.encoding, 6),
        "decoding": round(encoded.decoding, 6),
        "bytes": size,
        "file_bytes": size,
        "bpp": bpp,
    }
    return replace(row, quality=encoded.quality, **metrics), encoded.pixels
