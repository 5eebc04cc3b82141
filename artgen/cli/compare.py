"""`artgen compare`: several primitives, engines or recipes at an equal budget, as a table."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from artgen.cli._flags import AsJson, PluginFiles, Quiet, Verbose, make_registry
from artgen.cli._where import AtATime, Gpus, On, Where

if TYPE_CHECKING:
    from artgen.compare import Comparison, Line, Row

__all__ = ["compare"]

_BUDGET, _FILES = "The same for all", "What to write"

_OF_PICTURES = {
    "psnr": ("PSNR", 2),
    "ssim": ("SSIM", 4),
    "ms_ssim": ("MS-SSIM", 4),
    "seconds": ("seconds", 1),
    "steps": ("steps", 0),
    "parameters": ("parameters", 0),
    "bytes": ("bytes", 0),
    "bpp": ("bpp", 3),
}
"""The columns of the table: their headings and decimals."""

_OF_SETS = {
    "mse": ("MSE", 5),
    "psnr": ("PSNR", 2),
    "rank": ("SVD rank", 0),
    "floats": ("floats each", 0),
    "picture_bytes": ("bytes each", 0),
    "parameters": ("parameters", 0),
    "bytes": ("bytes", 0),
    "steps": ("steps", 0),
    "seconds": ("seconds", 1),
}

_STORED = """SVD rank: of singular values of each picture alone that come nearest to the error
each: stored for a picture, as float32; bytes: of the parameters that all pictures share"""

_BYTES = """bytes: of the parameters, without the header of the .art file; of a codec's whole file,
headers included, at the largest quality whose file is no larger than what stands above it"""


def compare(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TARGET|DIR",
            help="Pictures to fit, or a folder of them; for codecs a set. "
            "Default: sample:astronaut, for codecs sample:digits.",
            show_default=False,
        ),
    ] = None,
    contestants: Annotated[
        list[str] | None,
        typer.Option(
            "--primitive",
            "-p",
            metavar="NAME[@ENGINE][:KEY=VALUE,...]",
            help="Who takes part, such as gaussian:count=500,blend=over or mlp@scratch; also a "
            "recipe file. Give one -p for each.",
        ),
    ] = None,
    time: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.01,
            help="Seconds of fitting each. Default: 10, unless --steps or --bytes is given; "
            "codecs then take their own number of steps.",
            rich_help_panel=_BUDGET,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Steps each; with --time, what comes first.",
            rich_help_panel=_BUDGET,
        ),
    ] = None,
    target_bytes: Annotated[
        int | None,
        typer.Option(
            "--bytes",
            metavar="N",
            min=1,
            help="As many parts as fit into so many bytes of parameters, at --precision.",
            rich_help_panel=_BUDGET,
        ),
    ] = None,
    precision: Annotated[
        Literal["fp32", "fp16", "int8"] | None,
        typer.Option(
            help="How parameters are stored; figures are measured after it. Default: fp32.",
            rich_help_panel=_BUDGET,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Repeat a comparison. Default: random, stored.",
            rich_help_panel=_BUDGET,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PX",
            min=1,
            max=65_536,
            help="Long side while fitting. Default: the picture's own, at most 768.",
            rich_help_panel=_BUDGET,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="auto, cpu, cuda, cuda:1 or mps. Default: auto, which is cuda, else cpu.",
            rich_help_panel=_BUDGET,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="CPU threads. Default: all; with -j or --on one for each fit.",
            rich_help_panel=_BUDGET,
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder to write to.", rich_help_panel=_FILES)
    ] = Path("artgen-out"),
    csv: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Every contestant and codec on every target, a line each.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace files that exist.", rich_help_panel=_FILES),
    ] = False,
    at_a_time: AtATime = None,
    on: On = None,
    gpus: Gpus = None,
    plugin: PluginFiles = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Fit the same pictures in several ways at an equal budget, beside JPEG, WebP and AVIF."""
    from artgen.errors import UsageError

    if not contestants:
        raise UsageError("there is nothing to compare", hint="give -p once or more: -p gaussian")
    if seed is not None and seed >= 2**63:
        raise UsageError(f"--seed {seed} is too large", hint="seeds are less than 2^63")
    if csv is not None and csv.exists() and not overwrite:
        raise UsageError(f"--csv {csv} exists", hint="use --overwrite or another name")
    where = Where(at_a_time, on, gpus)
    registry = make_registry(plugin, quiet=quiet)

    from artgen.cli._console import describe, print_error, print_json
    from artgen.cli._contestants import Budget, parse_contestants
    from artgen.cli._progress import progress
    from artgen.compare import Comparison, find_targets, of_sets
    from artgen.errors import Interrupted
    from artgen.runner import Interruption, graceful_signals

    if threads is None and where.asked:
        threads = 1
    run = {"precision": precision, "device": device, "threads": threads}
    budget = Budget(time, steps, target_bytes)
    sets = of_sets(parse_contestants(contestants, budget, seed, run), registry)
    if time is None and steps is None and target_bytes is None and not sets:
        budget = Budget(10.0, steps, target_bytes)
    comparison = Comparison(
        parse_contestants(contestants, budget, seed, run),
        find_targets(targets or ["sample:digits" if sets else "sample:astronaut"], sets=sets),
        registry,
        out=out,
        size=size,
        limit=target_bytes,
        seed=seed,
        overwrite=overwrite,
    )
    fits = len(comparison.contestants) * len(comparison.targets)
    recipes = [each.recipe for each in comparison.contestants]
    executor = where.executor(recipes, registry)
    errors: list[Exception] = []
    interruption = Interruption()
    with (
        graceful_signals(interruption),
        progress(registry, quiet=quiet, verbose=verbose, runs=fits) as stories,
    ):
        for row in comparison.run(
            stories, interruption, executor=executor, plugins=plugin or (), gpus=gpus
        ):
            if row.kind == "codec" or row.error is None:
                continue
            errors.append(row.error)
            # Whoever pressed Ctrl-C knows why it ended.
            if verbose or not isinstance(row.error, Interrupted):
                prefix = f"{row.target}: {row.contestant}: "
                print_error(row.error, verbose=verbose, where=prefix)
    written = csv if csv is not None and comparison.write_csv(csv) else None
    for failure in comparison.failures:
        print_error(failure, verbose=verbose)
        errors.append(failure)
    if as_json:
        print_json(
            {
                "budget": asdict(budget),
                "rows": [_row(row) for row in comparison.rows],
                "table": [_line(line) for line in comparison.table()],
                "sheets": [str(path) for path in comparison.sheets],
                "csv": None if written is None else str(written),
            }
        )
    else:
        _print_table(comparison)
        for path in (*comparison.sheets, *([written] if written else [])):
            print(path, flush=True)
    codes = [int(describe(error)["exit_code"]) for error in errors]
    return 130 if 130 in codes else next(iter(codes), 0)


def _row(row: Row) -> dict[str, Any]:
    from artgen.cli._console import describe

    plain = asdict(replace(row, error=None))
    return {**plain, "error": None if row.error is None else describe(row.error)}


def _line(line: Line) -> dict[str, Any]:
    from artgen.cli._console import describe

    plain = asdict(replace(line, errors=()))
    beside = list(line.beside) if line.beside else None
    return {**plain, "beside": beside, "errors": [describe(error) for error in line.errors]}


def _print_table(comparison: Comparison) -> None:
    """The table on stdout, and what its bytes are."""
    from artgen.cli._console import print_table

    several = len(comparison.targets) > 1
    lines = comparison.table()
    sets = any(line.mean["floats"] is not None for line in lines)
    figures = _OF_SETS if sets else _OF_PICTURES
    heading = ["", *(["targets"] if several else []), *(name for name, _ in figures.values())]
    rows = [_cells(line, several, figures) for line in lines]
    if any(line.errors for line in lines):
        heading.append("")
        rows = [[*row, _note(line, several)] for row, line in zip(rows, lines, strict=True)]
    print_table(heading, rows)
    if any(line.targets for line in lines):
        print(f"\n{_STORED if sets else _BYTES}\n", flush=True)


def _cells(line: Line, several: bool, figures: dict[str, tuple[str, int]]) -> list[str]:
    name = f"  {line.contestant}" if line.beside else line.contestant
    counted = [str(line.targets)] if several else []
    return [name, *counted, *(_figure(line, key, digits) for key, (_, digits) in figures.items())]


def _note(line: Line, several: bool) -> str:
    """Why there are no figures, or not of all targets."""
    from artgen.cli._console import describe

    if not line.errors:
        return ""
    message = str(describe(line.errors[0])["message"])
    return f"{len(line.errors)} failed: {message}" if several else message


def _figure(line: Line, key: str, decimals: int) -> str:
    mean, sd = line.mean[key], line.sd[key]
    if mean is None:
        return "-"
    text = f"{mean:,.{decimals}f}"
    deviation = f"{sd or 0:,.{decimals}f}"
    # Where all are the same there is nothing to say.
    return text if float(deviation.replace(",", "")) == 0 else f"{text} ± {deviation}"
