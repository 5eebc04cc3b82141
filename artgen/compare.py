"""Several contestants on the same targets at an equal budget, beside JPEG, WebP and AVIF.

All pictures are judged alike: 8 bits per channel at the fitting size, drawn from the parameters as
they are saved, against the 8-bit target. A codec gets as many bytes as the parameters it stands
beside, and its whole file has to fit into them, headers included.

Of a set of pictures codecs of our own are compared: by what they store for a picture, the error
over the test pictures, and the rank at which singular values alone would have that error.
"""

from __future__ import annotations

import csv
import functools
import io
import statistics
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from artgen.errors import ArtgenError, InputError, Interrupted, PluginError, UsageError
from artgen.events import Event, Observer
from artgen.metrics import equivalent_rank, ms_ssim, psnr, rank_errors, ssim
from artgen.output import (
    WORST,
    atomic_path,
    atomic_write,
    available_codecs,
    contact_sheet,
    embers,
    encode_png,
    encode_within,
    error_map,
    probe_folder,
)
from artgen.recipe import Recipe, TargetTable
from artgen.registry import Registry
from artgen.resolve import load_primitive
from artgen.runner import read_target, run
from artgen.samples import kind_of
from artgen.targets import (
    PICTURE_SUFFIXES,
    SetTarget,
    Source,
    Target,
    picture_files,
)
from artgen.tasks import Executor, RunControl, SerialExecutor, Task, share_of_gpu

AVERAGED = (
    *("psnr", "ssim", "ms_ssim", "mse", "seconds", "steps", "parameters", "bytes", "bpp"),
    *("floats", "picture_bytes", "rank"),
)

FLOAT_BYTES = 4

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Contestant:
    """Who takes part: `name` as it was asked for, `stem` for its files, and its recipe.

    The recipe holds the budget; its target is replaced. `search` lists the folders in which its
    files are looked up.
    """

    name: str
    stem: str
    recipe: Recipe
    search: Sequence[Path] = (Path(),)


@dataclass(frozen=True)
class Row:
    """One contestant, or one codec, on one target; what does not apply or failed is None.

    `target` is as it was asked for, `bytes` are those of the parameters at their precision or of
    the codec's file, `limit` is what the codecs beside it may take, `art` is the file it is saved
    in. Of a set `floats` are stored for a picture, as `picture_bytes`, and `rank` is that of
    singular values with about the same error. With an `error` there are figures only where the best
    so far could be saved.
    """

    target: str
    contestant: str
    kind: Literal["fit", "codec"]
    primitive: str | None = None
    engine: str | None = None
    precision: str | None = None
    seed: int | None = None
    psnr: float | None = None
    ssim: float | None = None
    ms_ssim: float | None = None
    mse: float | None = None
    seconds: float | None = None
    steps: int | None = None
    stopped_by: str | None = None
    count: int | None = None
    parameters: int | None = None
    quality: int | None = None
    limit: int | None = None
    bytes: int | None = None
    file_bytes: int | None = None
    bpp: float | None = None
    floats: int | None = None
    picture_bytes: int | None = None
    rank: int | None = None
    art: str | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class Line:
    """A line of the table: mean and standard deviation over `targets` targets, by figure.

    Targets on which it failed are left out; `errors` tells why. A figure that one of the others
    does not have is None; so is the deviation, that of a sample, for fewer than two. A codec stands
    `beside` the contestants whose bytes it was given.
    """

    contestant: str
    beside: tuple[str, ...]
    targets: int
    mean: dict[str, float | None]
    sd: dict[str, float | None]
    errors: tuple[Exception, ...]


def of_sets(contestants: Iterable[Contestant], registry: Registry) -> bool:
    """Whether all contestants are codecs: then a folder is a set, not many targets."""
    kinds = set()
    for each in contestants:
        with suppress(PluginError):
            kinds.add(load_primitive(each.recipe, registry).targets)
    return kinds == {("set",)}


def find_targets(asked: Iterable[str], *, sets: bool = False) -> list[str]:
    """What was asked for, with the picture files of a folder in its place, unless it is a set.

    Raises InputError where a folder holds none.
    """
    if sets:
        return list(dict.fromkeys(asked))
    targets: list[str] = []
    for source in asked:
        folder = Path(source)
        if Source.parse(source).scheme is not None or not folder.is_dir():
            targets.append(source)
            continue
        found = picture_files(folder.iterdir())
        if not found:
            raise InputError(
                f"folder {source} holds no picture",
                hint=f"looked for {', '.join(PICTURE_SUFFIXES)}",
            )
        targets.extend(map(str, found))
    return list(dict.fromkeys(targets))


class Comparison:
    """A comparison of `contestants` on `targets`: `run` it once, then read its results.

    Writes `TARGET-compare.png` and a `TARGET-CONTESTANT.art` for each of them into `out`. `size` is
    the fitting size, `limit` the bytes that codecs get (None: as many as what they stand beside);
    contestants without a seed share `seed`, random where None.

    Raises UsageError where two results would be written to one file, or one exists already.
    """

    def __init__(
        self,
        contestants: Sequence[Contestant],
        targets: Sequence[str],
        registry: Registry,
        *,
        out: Path,
        size: int | None = None,
        limit: int | None = None,
        seed: int | None = None,
        overwrite: bool = False,
    ) -> None:
        self.contestants, self.targets, self.registry = contestants, targets, registry
        self.out, self.size, self.limit = out, size, limit
        self.seed = int(np.random.SeedSequence().generate_state(1)[0]) if seed is None else seed
        self.codecs = available_codecs()
        self.errors: dict[str, NDArray[np.float64]] = {}
        """Of singular values by their rank, for each set."""
        self.rows: list[Row] = []
        self.sheets: list[Path] = []
        self.failures: list[ArtgenError] = []
        """Why a sheet or a table could not be written."""
        owners: dict[str, str] = {}
        for source, path in self._planned():
            other = owners.setdefault(str(path).casefold(), source)
            if other != source:
                raise UsageError(
                    f"{other} and {source} would both be written to {path}",
                    hint="rename one of them, or compare them one by one",
                )
            if path.exists() and not overwrite:
                raise UsageError(f"{path} exists", hint="use --overwrite or another --out")

    def run(
        self,
        observers: Sequence[Observer] = (),
        control: RunControl | None = None,
        *,
        executor: Executor | None = None,
        plugins: Sequence[Path] = (),
        gpus: float | None = None,
    ) -> Iterator[Row]:
        """Go through all of them and yield the rows of a target as soon as all are there.

        `executor` carries out the fits, by default here, where a row comes as soon as it is there;
        `plugins` are the loose files of the registry, for other processes; `gpus` is what each fit
        takes of graphics processors. A failure ends in its row. An interruption ends the present
        runs, their best so far kept, and starts no other. Raises OutputError where nothing can be
        written to `out`, and what keeps the executor from its work.
        """
        control = control or RunControl()
        probe_folder(self.out)
        fits = [
            self._fit(source, each, tuple(plugins), gpus)
            for source in self.targets
            for each in self.contestants
        ]

        def observe(event: Event) -> None:
            for observer in observers:
                observer(event)

        here = executor is None or isinstance(executor, SerialExecutor)
        work = functools.partial(execute, registry=self.registry) if here else execute
        ended = (executor or SerialExecutor()).run(work, fits, observe, control)
        done: dict[str, Fitted | Exception] = {}
        waiting = deque(fits)
        for source in self.targets:
            shown: list[tuple[Row, Pixels]] = []
            for _ in self.contestants:
                fit = waiting.popleft()
                while fit.stem not in done:
                    task, result = next(ended, (fit, Interrupted("not started")))
                    done[task.stem] = result
                row, pixels = self._row(fit, done.pop(fit.stem))
                self.rows.append(row)
                if pixels is not None:
                    shown.append((row, pixels))
                yield row
            opened = self._opened(source) if shown else None
            for row, pixels in self._code(source, opened):
                self.rows.append(row)
                if pixels is not None:
                    shown.append((row, pixels))
                yield row
            if opened is not None:
                self._write_sheet(source, opened, shown)

    def table(self) -> list[Line]:
        """A line for each contestant; after those that take the same bytes, the codecs."""
        groups: dict[tuple[int | None, ...], list[str]] = {}
        of_contestant: dict[str, list[Row]] = {each.name: [] for each in self.contestants}
        of_codec: dict[tuple[str, int | None, str], Row] = {}
        for row in self.rows:
            if row.kind == "fit":
                of_contestant[row.contestant].append(row)
            else:
                of_codec[row.target, row.limit, row.contestant] = row
        for name, rows in of_contestant.items():
            groups.setdefault(tuple(row.limit for row in rows), []).append(name)
        lines = []
        for limits, names in groups.items():
            lines += [_line(name, of_contestant[name]) for name in names]
            for codec in self.codecs:
                keys = [(*where, codec) for where in zip(self.targets, limits, strict=False)]
                rows = [of_codec[key] for key in keys if key in of_codec]
                lines += [_line(codec, rows, beside=tuple(names))] if rows else []
        return lines

    def write_csv(self, file: Path) -> bool:
        """Write all rows as CSV; whether that worked, else there is another one of `failures`."""
        return self._write(file, _csv(self.rows))

    def _art(self, source: str, contestant: Contestant) -> Path:
        return self.out / f"{_stem(source)}-{contestant.stem}.art"

    def _sheet(self, source: str) -> Path:
        return self.out / f"{_stem(source)}-compare.png"

    def _planned(self) -> Iterator[tuple[str, Path]]:
        """Every file that may be written, with the target it belongs to."""
        for source in self.targets:
            yield source, self._sheet(source)
            for contestant in self.contestants:
                yield source, self._art(source, contestant)

    def _opened(self, source: str) -> Target:
        return _open(self.registry, source, self.size)

    def _fit(
        self, source: str, contestant: Contestant, plugins: tuple[Path, ...], gpus: float | None
    ) -> Fit:
        recipe = contestant.recipe
        target = TargetTable(source=source, size=self.size, background=recipe.target.background)
        recipe = recipe.aimed_at(target)
        if recipe.seed is None:
            recipe = recipe.with_seed(self.seed)
        return Fit(
            stem=self._art(source, contestant).stem,
            recipe=recipe,
            search=tuple(contestant.search),
            plugins=plugins,
            cpus=recipe.run.threads or 1,
            gpus=share_of_gpu(gpus, recipe.run.device),
            source=source,
            contestant=contestant.name,
        )

    def _row(self, fit: Fit, result: Fitted | Exception) -> tuple[Row, Pixels | None]:
        """Save what came of a fit, whatever that is."""
        row = Row(fit.source, fit.contestant, "fit", limit=self.limit)
        try:
            if isinstance(result, Exception):
                raise result
            figures, file = dict(result.figures), self.out / f"{fit.stem}.art"
            with atomic_path(file) as partial:
                partial.write_bytes(result.art)
            # A target that is no picture has figures of its own.
            limit, target = None, self._opened(fit.source)
            if target is not None and target.pixels is not None:
                limit = self.limit or figures["bytes"]
            elif isinstance(target, SetTarget):
                figures |= self._storage(figures, target)
            row = replace(row, **figures, limit=limit, art=str(file), error=result.error)
        except Exception as error:
            return replace(row, error=error), None
        return row, result.pixels

    def _storage(self, summary: Mapping[str, Any], target: SetTarget) -> dict[str, Any]:
        """What is stored for a picture, and the rank with about the same error."""
        if target.sha256 not in self.errors:
            self.errors[target.sha256] = rank_errors(target.test)
        rank = equivalent_rank(self.errors[target.sha256], summary["mse"])
        return {"picture_bytes": FLOAT_BYTES * summary["floats"], "rank": rank}

    def _code(self, source: str, target: Target | None) -> Iterator[tuple[Row, Pixels | None]]:
        """The target after each codec, for every number of bytes that was needed for it."""
        if target is None or target.pixels is None:
            return
        fitted = [row for row in self.rows if row.target == source and row.error is None]
        for limit in dict.fromkeys(row.limit for row in fitted if row.limit is not None):
            for codec in self.codecs:
                yield _coded(Row(source, codec, "codec", limit=limit), target.pixels, limit)

    def _write_sheet(
        self,
        source: str,
        target: Target,
        shown: Sequence[tuple[Row, Pixels]],
    ) -> None:
        file = self._sheet(source)
        if self._write(file, encode_png(_sheet(_stem(source), target.pixels, shown))):
            self.sheets.append(file)

    def _write(self, file: Path, data: bytes) -> bool:
        try:
            atomic_write(file, data)
        except ArtgenError as error:
            self.failures.append(error)
            return False
        return True


@dataclass(frozen=True)
class Fit(Task):
    """One contestant on one target, both as they were asked for."""

    source: str = ""
    contestant: str = ""

    def search_for(self, what: str) -> Sequence[Path]:
        """Targets are where the user is, other files may be beside the contestant's recipe."""
        return (Path(),) if what == "target" else self.search


@dataclass(frozen=True)
class Fitted:
    """What came of it: figures of a row, uint8 [height, width, 3], and the `.art` file."""

    figures: dict[str, Any]
    pixels: Pixels
    art: bytes
    error: Exception | None = None


def execute(
    fit: Fit, observe: Observer, control: RunControl, registry: Registry | None = None
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
    pixels = art.render(device=art.recipe.run.device)
    known = {field.name for field in fields(Row)} - {"target"}
    figures = {key: value for key, value in outcome.summary.items() if key in known}
    if target.pixels is not None:
        figures |= _figures(pixels, target.pixels)
    return Fitted(figures, pixels, art.to_bytes(), outcome.error)


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


def _csv(rows: Iterable[Row]) -> bytes:
    """The rows as a table with a heading, in UTF-8; an error is its message."""
    file = io.StringIO()
    writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        error = row.error.message if isinstance(row.error, ArtgenError) else row.error
        writer.writerow({**asdict(replace(row, error=None)), "error": error})
    return file.getvalue().encode("utf-8", "surrogateescape")


def _stem(source: str) -> str:
    """What the files of a target begin with."""
    return Source.parse(source).file_stem


def _figures(pixels: Pixels, goal: Pixels) -> dict[str, Any]:
    similarities = {"ssim": ssim(pixels, goal), "ms_ssim": ms_ssim(pixels, goal)}
    rounded = {key: value and round(value, 6) for key, value in similarities.items()}
    return {"psnr": round(psnr(pixels, goal), 4), **rounded}


def _coded(row: Row, goal: Pixels, limit: int) -> tuple[Row, Pixels | None]:
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
    figures = {**_figures(encoded.pixels, goal), "bytes": size, "file_bytes": size, "bpp": bpp}
    return replace(row, quality=encoded.quality, **figures), encoded.pixels


def _line(name: str, rows: Sequence[Row], beside: tuple[str, ...] = ()) -> Line:
    good = [row for row in rows if row.error is None]
    mean: dict[str, float | None] = {}
    sd: dict[str, float | None] = {}
    for key in AVERAGED:
        values = [value for row in good if (value := getattr(row, key)) is not None]
        # Of some of the targets only, it would look better or worse than its neighbours'.
        complete = len(values) == len(good) > 0
        mean[key] = statistics.fmean(values) if complete else None
        sd[key] = statistics.stdev(values) if complete and len(values) > 1 else None
    errors = tuple(row.error for row in rows if row.error is not None)
    return Line(name, beside, len(good), mean, sd, errors)


# ---- the contact sheet ---------------------------------------------------------------------------

_NARROWEST = 320
"""Smaller pictures are enlarged by a whole factor, so that captions find room."""
_LONGEST = 760
_DARK = (14, 14, 16)


def _sheet(name: str, goal: Pixels | None, shown: Sequence[tuple[Row, Pixels]]) -> Pixels:
    """All results beside the target, each over the map of its errors; same bytes, same line."""
    lines: dict[int | None, list[tuple[Pixels, str]]] = {}
    for row, pixels in shown:
        cell = pixels if goal is None else _stacked(pixels, error_map(pixels, goal))
        lines.setdefault(row.limit, []).append((_enlarged(cell), _caption(row)))
    first: list[tuple[Pixels, str]] = []
    if goal is not None:
        height, width = goal.shape[:2]
        caption = f"{name}\n{width}x{height}\nerrors: 0 to {WORST} of 255 and more"
        first = [(_enlarged(_stacked(goal, _scale(height, width))), caption)]
    if len(lines) == 1:
        return contact_sheet([*first, *next(iter(lines.values()))], longest=_LONGEST)
    columns = len(first) + max(map(len, lines.values()))
    blank = (np.full((1, 1, 3), _DARK, np.uint8), "")
    cells = []
    for line in lines.values():
        cells += [*first, *line, *[blank] * (columns - len(first) - len(line))]
    return contact_sheet(cells, columns=columns, longest=_LONGEST)


def _caption(row: Row) -> str:
    name = row.contestant
    if row.quality is not None:
        name += f", quality {row.quality}"
    elif row.error is not None:
        name += f", {row.stopped_by}"
    figures = [
        None if row.psnr is None else f"{row.psnr:.2f} dB",
        None if row.ssim is None else f"SSIM {row.ssim:.3f}",
        None if row.ms_ssim is None else f"MS-SSIM {row.ms_ssim:.3f}",
        None if row.mse is None else f"mse {row.mse:.3g}",
        None if row.rank is None else f"as rank {row.rank}",
    ]
    cost = [
        f"{row.bytes:,} bytes" if row.floats is None else f"{row.floats:,} floats per picture",
        None if row.bpp is None else f"{row.bpp:.2f} bpp",
        None if row.seconds is None else f"{row.seconds:.1f} s",
    ]
    return "\n".join([name, *(" · ".join(filter(None, part)) for part in (figures, cost))])


def _scale(height: int, width: int) -> Pixels:
    """What the colours of the error maps mean, at the size of one: a strip from 0 to 1."""
    picture = np.full((height, width, 3), _DARK, np.uint8)
    strip = max(1, height // 24)
    picture[-strip:] = embers(np.linspace(0, 1, width)[None])
    return picture


def _stacked(above: Pixels, below: Pixels) -> Pixels:
    gap = np.full((max(1, above.shape[1] // 64), above.shape[1], 3), _DARK, np.uint8)
    return np.concatenate([above, gap, below])


def _enlarged(picture: Pixels) -> Pixels:
    factor = -(-_NARROWEST // picture.shape[1])
    return picture.repeat(factor, 0).repeat(factor, 1)
