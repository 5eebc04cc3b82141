"""`artgen compare`: several primitives, engines or recipes at an equal budget, as a table."""

from __future__ import annotations

import shlex
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import artgen.compare as comparisons
from artgen.base.errors import PluginError, UsageError
from artgen.cli._completion import primitives
from artgen.cli._completion import targets as complete_targets
from artgen.cli._console import INTERRUPTED, describe, exit_code, print_table
from artgen.cli._exports import check_file
from artgen.cli._flags import Common, Panel, argument, option
from artgen.cli._request import of_key
from artgen.cli._where import WhereAnew
from artgen.recipe import Precision, Recipe

if TYPE_CHECKING:
    from artgen.registry import Kind, Registry

_BUDGET, _FILES = Panel("Equal for all"), Panel("What to write")

_COLUMNS = {
    "mse": ("MSE", 5),
    "psnr": ("PSNR", 2),
    "ssim": ("SSIM", 4),
    "ms_ssim": ("MS-SSIM", 4),
    "flip": ("FLIP", 4),
    "rank": ("SVD rank", 0),
    "floats": ("floats each", 0),
    "picture_bytes": ("bytes each", 0),
    "seconds": ("seconds", 1),
    "steps": ("steps", 0),
    "parameters": ("parameters", 0),
    "bytes": ("bytes", 0),
    "bpp": ("bpp", 3),
}
"""The columns of the table: their headings and decimals."""

_OTHER_KINDS: Mapping[Kind, str] = {
    "look": "{0} is a look: write artgen fit --look {0}, and -p FILE.art for what it made",
    "engine": "{0} is an engine: write -p NAME@{0}",
    "loss": "{0} is a loss: write -p NAME:loss={0}",
}
"""How a contestant has what is no primitive."""

_OF_PICTURES = "psnr ssim ms_ssim flip seconds steps parameters bytes bpp"
_OF_SETS = "mse psnr rank floats picture_bytes parameters bytes steps seconds"

_WAYS = "encoding", "decoding"

_STORED = """SVD rank: of singular values of each picture alone that come nearest to the error
each: stored for a picture, as float32; bytes: of the parameters that all pictures share"""

_BYTES = """bytes: of the parameters, without the header of the .art file; of a codec's whole file,
headers included, at the largest quality whose file is no larger than what stands above it, or,
with --bytes, than that"""


def compare(
    targets: list[str] | None = argument(
        "TARGET|DIR",
        "Pictures to fit, or a folder of them; for codecs a set of pictures. "
        "Default: sample:astronaut, for codecs sample:digits.",
        default=None,
        complete=complete_targets,
    ),
    contestants: list[str] | None = option(
        "NAME[@ENGINE][:KEY=VALUE,...]",
        "A contestant, such as gaussian:count=500,blend=over, mlp@scratch or a recipe "
        "file. Repeatable.",
        "--primitive",
        "-p",
        complete=primitives,
    ),
    time: float | None = _BUDGET.option(
        "SECONDS",
        "Seconds of fitting for each. Default: 10, unless --steps or --bytes is given; "
        "for codecs their own number of steps.",
        min=0.01,
    ),
    steps: int | None = _BUDGET.option(
        "N", "Steps for each. With --time: whichever ends first.", min=1
    ),
    target_bytes: int | None = _BUDGET.option(
        "N",
        "Use as many parts as fit into N bytes of parameters, at --precision.",
        "--bytes",
        min=1,
    ),
    precision: Precision | None = _BUDGET.option(
        None, "Number format of the parameters; metrics are measured after it. Default: fp32."
    ),
    seed: int | None = _BUDGET.option(
        "N", "Random seed. The same seed repeats a comparison. Default: random.", min=0
    ),
    size: int | None = _BUDGET.option(
        "PX", "Long side while fitting. Default: the picture's own, at most 768.", min=1, max=65_536
    ),
    device: str | None = of_key("device", _BUDGET),
    threads: int | None = _BUDGET.option(
        "N", "CPU threads per fit. Default: all; with -j or --on: 1.", min=1
    ),
    out: Path = _FILES.option("DIR", "Output folder.", default=Path("artgen-out")),
    csv: Path | None = _FILES.option(
        "FILE", "Write a CSV file: one line for each contestant and codec on each target."
    ),
    curve: bool = _FILES.switch(
        "Plot PSNR over bits per pixel beside whole curves of the codecs, and print the bits at "
        "equal PSNR. Contestants of one primitive are one curve."
    ),
    overwrite: bool = _FILES.switch("Replace files that exist."),
    *,
    where: WhereAnew,
    common: Common,
) -> int:
    """Compare ways to fit a picture at an equal budget, beside codecs such as JPEG and AVIF.

    Examples:
        artgen compare photo.jpg -p gaussian:count=500 -p triangle@climb --time 10
    """
    if not contestants:
        shown = shlex.join(targets or ["sample:astronaut"])
        raise UsageError(
            "there is nothing to compare: no -p says what to fit",
            hint=f"for example `artgen compare {shown} -p gaussian -p triangle`",
        )
    if csv is not None:
        mark = b"target,contestant,kind"
        check_file(csv, overwrite=overwrite, option="--csv", out=out, mark=mark)
    registry = common.registry()

    from artgen.cli._contestants import Limits, parse_contestants
    from artgen.plan.catalogue import known_facts
    from artgen.plan.early import check_asked, check_files
    from artgen.plan.names import find_primitive
    from artgen.targets import find_targets

    if threads is None and where.asked:
        threads = 1
    run = {"precision": precision, "device": device, "threads": threads}
    budget = Limits(time, steps, target_bytes)
    asked = parse_contestants(contestants, budget, seed, run, registry)
    for each in asked:
        try:
            check_asked(each.recipe, registry)
        except PluginError as error:
            raise _as_contestant(error, each.recipe.primitive.name, registry) from None

    if any(known_facts(find_primitive(each.recipe, registry)) is None for each in asked):
        common.load("artgen.primitives")
    sets = comparisons.of_sets(asked, registry)
    if curve and sets:
        raise UsageError("--curve is for pictures, and codecs take sets", hint="leave it out")
    usual = ["sample:digits" if sets else "sample:astronaut"]
    targets = find_targets(targets or usual, registry, sets=sets)
    if len(targets) == 1:
        # What every fit would raise some seconds later.
        check_files(Recipe().with_target(source=targets[0]), registry, (Path(),))
    comparisons.check_files(asked, targets, out, curve=curve, overwrite=overwrite)

    common.load("artgen.compare._comparison")

    from artgen.cli._progress import progress
    from artgen.recipe.settings import read_settings
    from artgen.tasks import RunControl, graceful_signals

    if time is None and steps is None and target_bytes is None and not sets:
        budget = Limits(10.0, steps, target_bytes)
    settings, _ = read_settings()
    comparison = comparisons.Comparison(
        [
            replace(each, recipe=settings.below(each.recipe, threads=not where.asked))
            for each in parse_contestants(contestants, budget, seed, run, registry, targets)
        ],
        targets,
        registry,
        out=out,
        size=size,
        limit=target_bytes,
        seed=seed,
        curve=curve,
    )
    fits = len(comparison.contestants) * len(comparison.targets)
    recipes = [each.recipe for each in comparison.contestants]
    elsewhere = where.elsewhere(recipes, registry, common)
    stems = {each.name: each.stem for each in comparison.contestants}
    errors: list[Exception] = []
    control = RunControl()
    with (
        graceful_signals(control, answer="" if common.quiet else INTERRUPTED),
        progress(registry, common, runs=fits) as story,
    ):
        for row in comparison.run(story, control, elsewhere):
            if row.kind == "codec" or row.error is None:
                continue
            story.ended(f"{comparison.stems[row.target]}-{stems[row.contestant]}")
            errors.append(row.error)
            common.fail(row.error, where=f"{row.target}: {row.contestant}: ")
    written = csv if csv is not None and comparison.write_csv(csv) else None
    for failure in comparison.failures:
        common.fail(failure)
        errors.append(failure)
    if not common.as_json:
        _print_table(comparison)
        _print_bits(comparison.curves)
    data = {
        "budget": budget,
        "rows": comparison.rows,
        "table": comparison.table(),
        "curves": {target: _curves(found) for target, found in comparison.curves.items()},
        "sheets": comparison.sheets,
        "plots": comparison.plots,
        "csv": written,
    }
    files = *comparison.sheets, *comparison.plots, *filter(None, [written])
    common.answer(data, *files, errors=errors)
    return exit_code(errors)


def _as_contestant(error: PluginError, name: str, registry: Registry) -> PluginError:
    """The error with a hint how `-p` takes what is called `name`, if it is of another kind."""
    for kind, how in _OTHER_KINDS.items():
        if any(entry.name == name for entry in registry.entries(kind)):
            return PluginError(error.message, hint=how.format(name))
    return error


def _curves(curves: Sequence[comparisons.Curve]) -> list[dict[str, Any]]:
    """The curves as data, each with its bits beside those of the codecs, in percent."""
    return [{**vars(curve), "bits": _bits(curve, curves)} for curve in curves]


def _bits(curve: comparisons.Curve, curves: Sequence[comparisons.Curve]) -> dict[str, float | None]:
    others = (other for other in curves if other.is_codec and other is not curve)
    return {other.name: comparisons.bjontegaard(other.points, curve.points) for other in others}


def _print_bits(found: Mapping[str, Sequence[comparisons.Curve]]) -> None:
    """How many more bits the curves of each target take than the codecs (Bjøntegaard)."""
    from artgen.output import available_codecs
    from artgen.targets import stems_of

    stems = stems_of(found)
    rows: dict[str, list[list[float | None]]] = {}
    lines: list[list[str]] = []
    for target, curves in found.items():
        for curve in curves:
            if not curve.is_codec:
                bits = list(map(_bits(curve, curves).get, available_codecs()))
                rows.setdefault(curve.name, []).append(bits)
                lines.append([curve.name, stems[target], *map(_percent, bits)])
    if not lines:
        return
    if len(found) > 1:
        for name, every in rows.items():
            means = [None if None in c else statistics.fmean(c) for c in zip(*every, strict=True)]
            lines.append([name, "mean", *map(_percent, means)])
    print_table(["bits at equal PSNR", "", *available_codecs()], lines)
    print()
    times: dict[str, list[comparisons.Curve]] = {}
    for curve in chain.from_iterable(found.values()):
        times.setdefault(curve.name, []).append(curve)
    lines = []
    for name, curves in times.items():
        seconds = (statistics.fmean(getattr(curve, what) for curve in curves) for what in _WAYS)
        lines.append([name, *(f"{each:.3g}" for each in seconds)])
    print_table(["seconds for a picture", *_WAYS], lines)
    print("", flush=True)


def _percent(more: float | None) -> str:
    return "-" if more is None else f"{more:+.1f} %"


def _print_table(comparison: comparisons.Comparison) -> None:
    """The table on stdout, and what its bytes are."""
    several = len(comparison.targets) > 1
    lines = comparison.table()
    sets = any(line.mean["floats"] is not None for line in lines)
    metrics = {key: _COLUMNS[key] for key in (_OF_SETS if sets else _OF_PICTURES).split()}
    heading = ["", *(["targets"] if several else []), *(name for name, _ in metrics.values())]
    rows = [_cells(line, several, metrics) for line in lines]
    if any(line.errors for line in lines):
        heading.append("")
        rows = [[*row, _note(line, several)] for row, line in zip(rows, lines, strict=True)]
    print_table(heading, rows)
    if any(line.targets for line in lines):
        print(f"\n{_STORED if sets else _BYTES}\n", flush=True)


def _cells(line: comparisons.Line, several: bool, metrics: dict[str, tuple[str, int]]) -> list[str]:
    name = f"  {line.contestant}" if line.beside else line.contestant
    counted = [str(line.targets)] if several else []
    return [name, *counted, *(_metric(line, key, digits) for key, (_, digits) in metrics.items())]


def _note(line: comparisons.Line, several: bool) -> str:
    """Why there are no metrics, or not of all targets."""
    if not line.errors:
        return ""
    message = str(describe(line.errors[0])["message"])
    return f"{len(line.errors)} failed: {message}" if several else message


def _metric(line: comparisons.Line, key: str, decimals: int) -> str:
    mean, sd = line.mean[key], line.sd[key]
    if mean is None:
        return "-"
    text = f"{mean:,.{decimals}f}"
    deviation = f"{sd or 0:,.{decimals}f}"
    # Where all are the same there is nothing to say.
    return text if float(deviation.replace(",", "")) == 0 else f"{text} ± {deviation}"
