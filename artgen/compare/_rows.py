"""What a comparison fits, and its table: rows, their means by contestant and codec, and CSV."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Literal

from artgen.base.errors import ArtgenError
from artgen.recipe import Recipe

AVERAGED = (
    *("psnr", "ssim", "ms_ssim", "flip", "mse", "seconds", "steps", "parameters", "bytes", "bpp"),
    *("floats", "picture_bytes", "rank"),
)


@dataclass(frozen=True)
class Contestant:
    """A contestant: `name` as it was asked for, `stem` for its files, and its recipe.

    The recipe holds the budget; its target is replaced. `search` lists the folders in which its
    files are looked up, `file` is the one that it came from.
    """

    name: str
    stem: str
    recipe: Recipe
    search: Sequence[Path] = (Path(),)
    file: Path | None = None


@dataclass(frozen=True)
class Row:
    """One contestant, or one codec, on one target; what does not apply or failed is None.

    `target` is as it was asked for, `bytes` are those of the parameters at their precision or of
    the codec's file, `limit` is what the codecs beside it may take, `art` is the file it is saved
    in. Of a set `floats` are stored for a picture, as `picture_bytes`, and `rank` is that of
    singular values with about the same error. With an `error` there are metrics only where the best
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
    flip: float | None = None
    mse: float | None = None
    seconds: float | None = None
    decoding: float | None = None
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
    """A line of the table: mean and standard deviation over `targets` targets, by metric.

    Targets on which it failed are left out; `errors` says why. A metric that one of the others
    does not have is None; so is the deviation, that of a sample, for fewer than two. A codec stands
    `beside` the contestants whose bytes it was given, a contestant beside None.
    """

    contestant: str
    beside: tuple[str, ...] | None
    targets: int
    mean: dict[str, float | None]
    sd: dict[str, float | None]
    errors: tuple[Exception, ...]


def make_table(
    rows: Iterable[Row], contestants: Iterable[str], codecs: Sequence[str]
) -> list[Line]:
    """A line for each contestant; after those that take the same bytes, the codecs."""
    of_contestant: dict[str, list[Row]] = {name: [] for name in contestants}
    of_codec: dict[tuple[str, int | None, str], Row] = {}
    for row in rows:
        if row.kind == "fit":
            of_contestant[row.contestant].append(row)
        else:
            of_codec[row.target, row.limit, row.contestant] = row
    groups: dict[tuple[tuple[str, int | None], ...], list[str]] = {}
    for name, own in of_contestant.items():
        groups.setdefault(tuple((row.target, row.limit) for row in own), []).append(name)
    lines = []
    for limits, names in groups.items():
        lines += [_line(name, of_contestant[name]) for name in names]
        for codec in codecs:
            beside = [of_codec[*limit, codec] for limit in limits if (*limit, codec) in of_codec]
            lines += [_line(codec, beside, tuple(names))] if beside else []
    return lines


def to_csv(rows: Iterable[Row]) -> bytes:
    """The rows as a table with a heading, in UTF-8; an error is its message."""
    file = io.StringIO()
    writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        error = row.error.message if isinstance(row.error, ArtgenError) else row.error
        writer.writerow({**asdict(replace(row, error=None)), "error": error})
    return file.getvalue().encode("utf-8", "surrogateescape")


def _line(name: str, rows: Sequence[Row], beside: tuple[str, ...] | None = None) -> Line:
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
