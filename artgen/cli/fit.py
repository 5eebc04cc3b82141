"""`artgen fit`: flags, a recipe under them, and the runs they ask for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from artgen.cli._flags import AsJson, PluginFiles, Quiet, Verbose, make_registry

if TYPE_CHECKING:
    from artgen.cli._runs import Job

__all__ = ["fit"]

_WHAT, _LONG, _JUDGE = "What to make", "How long", "What to match"
_FILES, _SEE, _WHERE = "What to write", "What to see meanwhile", "Where to run"


def fit(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="TARGET",
            help="What to fit: pictures (files or sample:NAME), curve:EXPR, points:NAME, "
            "FILE.csv of x,y or x,y,label, a set of pictures (a folder, IDX, .npz, "
            "sample:digits), or a clip (MP4, WebM, animated GIF or WebP, frames:FOLDER, "
            "sample:clip). Default: sample:astronaut.",
            show_default=False,
        ),
    ] = None,
    primitive: Annotated[
        str | None,
        typer.Option(
            "--primitive",
            "-p",
            metavar="NAME",
            help="The kind of part. Default: gaussian; see artgen plugins list.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    count: Annotated[
        str | None,
        typer.Option(
            "--count",
            "-n",
            metavar="N|auto",
            help="How many parts; auto adds them while they help, until --target-psnr is reached; "
            "of a codec, how many numbers or ranks. Default: the primitive's.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    target_bytes: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="As many parts as fit into so many bytes of parameters, at --precision.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="An option of the primitive, preset=NAME, engine.KEY=VALUE "
            "(1.KEY, 2.KEY with several stages), or clip.KEY=VALUE; may be repeated.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    engine: Annotated[
        str | None,
        typer.Option(
            "--engine",
            "-e",
            metavar="NAME,...",
            help="What searches, one name per stage. Default: the primitive's first.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    polish: Annotated[
        bool,
        typer.Option(
            "--polish",
            help="Then refine the shapes that were found by gradient descent: a second stage.",
            rich_help_panel=_WHAT,
        ),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Repeat a run exactly. Default: random, printed and stored.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(
            metavar="1..20",
            help="A run per seed, 1..20 or 1,4,7, and a contact sheet.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Start from a recipe: .toml, or a .png, .svg, .mp4, .art or .json that artgen "
            "wrote. Other flags are laid over it.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.art",
            help="Start from a saved drawing, with its primitive and options; "
            "shapes may also start from splats.",
            rich_help_panel=_WHAT,
        ),
    ] = None,
    steps: Annotated[
        str | None,
        typer.Option(
            metavar="N,...",
            help="Steps per stage, or of the last. Default: the primitive's.",
            rich_help_panel=_LONG,
        ),
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            metavar="SECONDS,...",
            help="As many steps as fit into this time; with --steps, what comes first.",
            rich_help_panel=_LONG,
        ),
    ] = None,
    target_psnr: Annotated[
        float | None,
        typer.Option(
            metavar="DB",
            min=1,
            max=100,
            help="Stop the last stage at this quality.",
            rich_help_panel=_LONG,
        ),
    ] = None,
    plateau: Annotated[
        int | None,
        typer.Option(
            metavar="STEPS",
            min=1,
            help="Stop the last stage after so many steps without gain.",
            rich_help_panel=_LONG,
        ),
    ] = None,
    size: Annotated[
        int | None,
        typer.Option(
            metavar="PX",
            min=1,
            max=65_536,
            help="Long side while fitting, of a picture or of those of a set. "
            "Default: its own, at most 768.",
            rich_help_panel=_JUDGE,
        ),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            metavar="LOSS,...",
            help="What is minimised per stage, or in the last, such as l1+0.1*ssim. Default: mse.",
            rich_help_panel=_JUDGE,
        ),
    ] = None,
    background: Annotated[
        str | None,
        typer.Option(
            metavar="COLOUR",
            help="Behind the parts and behind transparency. Default: auto, which is black, "
            "and for shapes the mean colour.",
            rich_help_panel=_JUDGE,
        ),
    ] = None,
    palette: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|N",
            help="The only colours of shapes and background: a .gpl, a text of #rrggbb lines, "
            "a PNG of few colours, or N colours learned from the picture.",
            rich_help_panel=_JUDGE,
        ),
    ] = None,
    mask: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A gray picture: how much each pixel counts.",
            rich_help_panel=_JUDGE,
        ),
    ] = None,
    alpha_weight: Annotated[
        bool,
        typer.Option(
            "--alpha-weight",
            help="Transparent pixels of the target count less.",
            rich_help_panel=_JUDGE,
        ),
    ] = False,
    max_pixels: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Refuse larger pictures. Default: 64 million.",
            rich_help_panel=_JUDGE,
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder to write to.", rich_help_panel=_FILES)
    ] = Path("artgen-out"),
    name: Annotated[
        str | None,
        typer.Option(
            metavar="STEM",
            help="Files are called STEM.png and so on. Default: target-primitive.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    still_size: Annotated[
        int | None,
        typer.Option(
            metavar="PX",
            min=1,
            max=65_536,
            help="Long side of the PNG. Default: the fitting size.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    transparent: Annotated[
        bool,
        typer.Option("--transparent", help="A PNG without the background.", rich_help_panel=_FILES),
    ] = False,
    video: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Where to write the video, as .mp4, .webm, .gif or .webp; in a batch FILE-STEM. "
            "Default: STEM.mp4.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    no_video: Annotated[
        bool, typer.Option("--no-video", help="Make no video.", rich_help_panel=_FILES)
    ] = False,
    fps: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=120,
            help="Frames per second. Default: 30.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    video_seconds: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            min=0.1,
            max=3600,
            help="Length of the video. Default: 10.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    side_by_side: Annotated[
        bool,
        typer.Option(
            "--side-by-side",
            help="Of a clip, also STEM-side-by-side.mp4: the clip beside the drawing.",
            rich_help_panel=_FILES,
        ),
    ] = False,
    history: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            max=1000,
            help="Keep N drawings of each stage in the .art file, as a film that artgen render "
            "draws at any size. Default: 0.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    precision: Annotated[
        Literal["fp32", "fp16", "int8"] | None,
        typer.Option(
            help="How the .art file stores parameters. Default: fp32.", rich_help_panel=_FILES
        ),
    ] = None,
    log: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.jsonl",
            help="A line of figures per evaluation; in a batch FILE-STEM.jsonl.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    graph: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.dot",
            help="The graph of the loss (-e scratch), and FILE.svg where Graphviz is installed; "
            "in a batch FILE-STEM.dot.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace files that exist.", rich_help_panel=_FILES),
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on with a run that was interrupted.", rich_help_panel=_FILES
        ),
    ] = False,
    checkpoint_every: Annotated[
        int | None,
        typer.Option(
            metavar="STEPS",
            min=1,
            help="When to save what --resume needs. Default: every 10 seconds.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="A page on this machine that shows the run, pauses and stops it.",
            rich_help_panel=_SEE,
        ),
    ] = False,
    watch: Annotated[
        bool,
        typer.Option(
            "--watch",
            help="With --plugin: fit a small preview after every save of FILE.py, on a live page; "
            "writes nothing. Ctrl-C ends it.",
            rich_help_panel=_SEE,
        ),
    ] = False,
    device: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="auto, cpu, cuda, cuda:1 or mps. Default: auto, which is cuda, else cpu.",
            rich_help_panel=_WHERE,
        ),
    ] = None,
    backend: Annotated[
        Literal["auto", "compiled", "eager"] | None,
        typer.Option(help="What evaluates footprints. Default: auto.", rich_help_panel=_WHERE),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="CPU threads. Default: all.", rich_help_panel=_WHERE),
    ] = None,
    processes: Annotated[
        int,
        typer.Option(
            "-j",
            metavar="N",
            min=1,
            max=256,
            help="So many scenes of a clip at a time, each in a process.",
            rich_help_panel=_WHERE,
        ),
    ] = 1,
    plugin: PluginFiles = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Draw pictures with a fixed number of parts: write STEM.png, .mp4, .art and .json."""
    from artgen.cli._recipe import (
        lay_over,
        parse_count,
        parse_palette,
        parse_seeds,
        parse_video,
        read_recipe_file,
        start_from,
    )
    from artgen.errors import UsageError

    if seed is not None and seeds is not None:
        raise UsageError("--seed and --seeds were both given", hint="leave one of them out")
    if seed is not None and seed >= 2**63:
        raise UsageError(f"--seed {seed} is too large", hint="seeds are less than 2^63")
    if overwrite and resume:
        raise UsageError("--overwrite and --resume were both given", hint="leave one of them out")
    if video is not None and no_video:
        raise UsageError("--video and --no-video were both given", hint="leave one of them out")
    many = parse_seeds(seeds) if seeds is not None else []
    base = read_recipe_file(recipe) if recipe is not None else {}
    if init is not None:
        base = start_from(base, read_recipe_file(init), primitive)
    # What is watched may be wrong at first: it is read later, again and again.
    registry = None if watch else make_registry(plugin, quiet=quiet)

    from artgen.cli._runs import Session, plan_jobs
    from artgen.recipe import Recipe
    from artgen.resolve import check_polish

    # Files named by the recipe lie beside it, those named by flags where the user is.
    folders = [file.parent for file in (recipe, init) if file is not None]
    located = _absolute if folders else str
    data = lay_over(
        base,
        {
            "seed": seed,
            "init": {"name": located(str(init))} if init is not None else None,
            "target": {
                "size": size,
                "background": background,
                "palette": parse_palette(palette),
                "mask": {"name": located(str(mask))} if mask is not None else None,
                "alpha_weight": alpha_weight or None,
                "max_pixels": max_pixels,
            },
            "primitive": {
                "name": primitive,
                "count": parse_count(count),
                "target_bytes": target_bytes,
            },
            "output": {
                "still_size": still_size,
                "transparent": transparent or None,
                "video": False if no_video else None if video is None else True,
                "video_format": parse_video(video),
                "fps": fps,
                "video_seconds": video_seconds,
                "history": history or None,
            },
            "run": {
                "device": device,
                "backend": backend,
                "threads": threads,
                "precision": precision,
            },
            "clip": {"side_by_side": side_by_side or None},
        },
        {
            "engine": engine,
            "polish": polish or None,
            "steps": steps,
            "time": time,
            "loss": loss,
            "target_psnr": target_psnr,
            "plateau": plateau,
        },
        settings or (),
    )
    if polish and registry is not None:
        check_polish(Recipe().updated(data), registry)
    jobs = plan_jobs(data, {target: located(target) for target in targets or ()}, many, name)
    if registry is None:
        return _watch(
            plugin or (),
            jobs,
            (*folders, Path()),
            {"--json": as_json, "--resume": resume, "--log": log, "--graph": graph},
            quiet=quiet,
            verbose=verbose,
        )
    session = Session(
        registry=registry,
        out=out,
        search=(*folders, Path()),
        overwrite=overwrite,
        resume=resume,
        checkpoint_every=checkpoint_every,
        log=log,
        graph=graph,
        live=live,
        video=video,
        processes=processes,
        plugins=tuple(plugin or ()),
        as_json=as_json,
        quiet=quiet,
        verbose=verbose,
    )
    if len(jobs) == 1 and not many:
        return session.run_one(jobs[0])
    return session.run_batch(jobs, name)


def _watch(
    plugins: Sequence[Path],
    jobs: Sequence[Job],
    search: Sequence[Path],
    flags: Mapping[str, object],
    *,
    quiet: bool,
    verbose: bool,
) -> int:
    """Previews until the user ends them. Raises UsageError for `flags` they have no use for."""
    from artgen.cli._watching import watch_plugins
    from artgen.errors import UsageError

    given = [flag for flag, value in flags.items() if value]
    if given:
        raise UsageError(f"--watch and {given[0]} were both given", hint="a preview writes nothing")
    if len(jobs) > 1:
        raise UsageError(f"--watch fits one thing, not {len(jobs)}", hint="name one target")
    return watch_plugins(plugins, jobs[0].asked, search, quiet=quiet, verbose=verbose)


def _absolute(source: str) -> str:
    """The same place wherever it is looked up from; `sample:NAME` is no place."""
    from artgen.targets import split_source

    scheme, path = split_source(source)
    return source if scheme else os.path.abspath(path)
