"""`artgen fit`: flags, a recipe under them, and the runs they ask for."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from artgen.cli import _completion
from artgen.cli._console import load_module, say
from artgen.cli._flags import Common, Framing, Panel, argument, parse_bytes
from artgen.cli._where import Files, Where
from artgen.errors import UsageError
from artgen.frame import is_focus, parse_frame, parse_pixels

if TYPE_CHECKING:
    from artgen.batch import Run
    from artgen.registry import Registry


_WHAT, _LONG, _JUDGE = Panel("What to make"), Panel("How long"), Panel("What to match")
_FILES, _SEE, _WHERE = Panel("What to write"), Panel("How to watch"), Panel("Where to run")
_CLIPS, _CODECS = Panel("Clips only"), Panel("Codecs only")


def fit(
    *,
    targets: list[str] | None = argument(
        "TARGET",
        "What to fit: pictures (files, http and https URLs, sample:NAME, or - for standard "
        "input); a clip (MP4, WebM, animated GIF, "
        "WebP or APNG, frames:FOLDER, sample:clip); a set of pictures (a folder, IDX, .npz, "
        "sample:digits); curve:EXPR, points:NAME, or a .csv of x,y or x,y,label. "
        "Default: sample:astronaut.",
        default=None,
        complete=_completion.targets,
    ),
    primitive: str | None = _WHAT.option(
        "NAME",
        "Kind of part, see artgen plugins list. Default: gaussian.",
        "--primitive",
        "-p",
        complete=_completion.names_of("primitive"),
    ),
    look: str | None = _WHAT.option(
        "NAME|FILE.toml",
        "Style of the whole picture, such as watercolour, linocut or neon: primitive, colours, "
        "paper and more, see artgen plugins list. Other flags override it.",
        complete=_completion.looks,
    ),
    count: str | None = _WHAT.option(
        "N|auto",
        "Number of parts. auto: add parts while they help, or until --target-psnr is "
        "reached. For a codec: size of the latent, or rank. Default: the primitive's.",
        "--count",
        "-n",
    ),
    target_bytes: int | None = _WHAT.option(
        "N", "Use as many parts as fit into an .art file of N bytes, at --precision.", min=1
    ),
    settings: list[str] | None = _WHAT.option(
        "KEY=VALUE",
        "Set an option of the primitive, preset=NAME, engine.KEY=VALUE (with several "
        "stages 1.KEY, 2.KEY), clip.KEY=VALUE or tiles.KEY=VALUE. Repeatable.",
        "--set",
        complete=_completion.settings,
    ),
    engine: str | None = _WHAT.option(
        "NAME,...",
        "Engine of each stage. Default: the first that the primitive names.",
        "--engine",
        "-e",
        complete=_completion.names_of("engine"),
    ),
    polish: bool = _WHAT.switch(
        "Add a second stage that refines shapes by gradient descent.", "--polish"
    ),
    seed: int | None = _WHAT.option(
        "N", "Random seed. The same seed repeats a run exactly. Default: random.", min=0
    ),
    seeds: str | None = _WHAT.option(
        "1..20", "Run once per seed, 1..20 or 1,4,7, and make a contact sheet."
    ),
    recipe: Path | None = _WHAT.option(
        "FILE",
        "Use a recipe: a .toml, or a .png, .svg, .html, .mp4, .art or .json that artgen "
        "wrote. Other flags override it.",
    ),
    init: Path | None = _WHAT.option(
        "FILE.art|FILE.svg",
        "Start from a saved drawing, with its primitive and options. "
        "Shapes can also start from splats, or from the filled paths of an SVG.",
    ),
    quality: Literal["draft", "good", "best"] | None = _LONG.option(
        None,
        "Effort, in place of --steps: draft takes about a fifth of the time, best about four "
        "times as long. Default: good.",
    ),
    steps: str | None = _LONG.option(
        "N,...", "Number of steps of each stage, or of the last. Default: the primitive's."
    ),
    time: str | None = _LONG.option(
        "SECONDS,...",
        "Run as many steps as fit into this time. With --steps: whichever ends first.",
    ),
    target_psnr: float | None = _LONG.option(
        "DB", "Stop the last stage at this PSNR.", min=1, max=100
    ),
    plateau: int | None = _LONG.option(
        "STEPS", "Stop the last stage after this many steps without improvement.", min=1
    ),
    size: str | None = _JUDGE.option(
        "PX|WxH",
        "Size of the target while fitting: its long side, or both sides, to which it is cropped. "
        "Default: its own, at most 768, or more for many parts.",
    ),
    loss: str | None = _JUDGE.option(
        "LOSS,...",
        "Loss of each stage, or of the last, such as l1+0.1*ssim or "
        "mse+0.3*texture:FILE. Default: mse.",
        complete=_completion.names_of("loss"),
    ),
    background: str | None = _JUDGE.option(
        "COLOUR",
        "Colour behind the parts and behind transparent pixels. Default: auto (black; for "
        "shapes the mean colour).",
    ),
    palette: str | None = _JUDGE.option(
        "COLOURS",
        "Limit shapes and background to these colours: '#e63946,teal', a name such as riso or "
        "viridis:5, a .gpl, a text file of #rrggbb lines, a PNG of few colours, or N colours "
        "learned from the picture.",
        complete=_completion.palettes,
    ),
    mask: Path | None = _JUDGE.option(
        "FILE", "Gray picture that weights each pixel: white counts fully, black not at all."
    ),
    focus: str | None = _JUDGE.option(
        "auto|X,Y,R|FILE",
        "Where detail matters most: auto for faces, or else what stands out; circles, as shares of "
        "width, height and shorter side, with ; between several; or a gray picture.",
    ),
    alpha_weight: bool = _JUDGE.switch(
        "Weight pixels by the alpha of the target.", "--alpha-weight"
    ),
    tiles: int | None = _JUDGE.option(
        "PX",
        "Fit a picture of any size in tiles with this side, at its own size by default: splats "
        "with blend=sum.",
        min=8,
        max=65_536,
    ),
    max_pixels: int | None = _JUDGE.option(
        "N", "Refuse larger pictures. Default: 64 million.", min=1
    ),
    framing: Framing,
    files: Files,
    outputs: list[Path] | None = _FILES.option(
        "FILE",
        "Also write the result to this file. The suffix chooses the format, as in artgen render; "
        "- is standard output. Repeatable.",
        "--output",
        "-o",
    ),
    still_size: str | None = _FILES.option(
        "PX|WxH|CM",
        "Size of the PNG: its long side, both sides, or a length such as 30cm. "
        "Default: that of --crop, else the fitting size.",
    ),
    transparent: bool = _FILES.switch("Leave the background out of the PNG.", "--transparent"),
    video: Path | None = _FILES.option(
        "FILE",
        "Video file: .mp4, .webm, .gif, .webp or .apng. In a batch: FILE-STEM. Default: STEM.mp4.",
    ),
    no_video: bool = _FILES.switch("Make no video.", "--no-video"),
    fps: int | None = _FILES.option("N", "Frames per second. Default: 30.", min=1, max=120),
    video_seconds: float | None = _FILES.option(
        "SECONDS", "Length of the video. Default: 10.", min=0.1, max=3600
    ),
    video_size: str | None = _FILES.option(
        "PX|WxH", "Size of the video: its long side, or both sides. Default: the fitting size."
    ),
    start: Literal["photo", "blank", "parts"] | None = _FILES.option(
        None,
        "What the video starts with: the target, the background alone, or parts, to show them "
        "appear in place of the progress. Default: the first step.",
    ),
    film: Literal["side-by-side", "wipe", "centres", "depth", "fly-in", "zoom", "generations"]
    | None = _FILES.option(
        None,
        "What the video shows in place of the progress, as in artgen render; see the guide to "
        "films.",
    ),
    end: Literal["photo", "hold"] | None = _FILES.option(
        None, "What the video ends with, after the result. Default: hold."
    ),
    loop: bool = _FILES.switch("Run the video backwards too.", "--loop"),
    max_bytes: str | None = _FILES.option(
        "SIZE", "Largest video file, such as 10MB; quality and size follow from it."
    ),
    walk: str | None = _CODECS.option(
        "WALK",
        "Show a walk through the latents instead of the progress, as in artgen render.",
    ),
    history: int | None = _FILES.option(
        "N",
        "Keep N drawings of each stage in the .art file, as a film for artgen render; 0: nothing. "
        "Default: a light history, about an eighth of the file.",
        min=0,
        max=1000,
    ),
    side_by_side: bool = _CLIPS.switch(
        "Also write STEM-side-by-side.mp4, the clip beside the drawing.", "--side-by-side"
    ),
    precision: Literal["fp32", "fp16", "int8"] | None = _FILES.option(
        None, "Number format of the parameters in the .art file. Default: fp32."
    ),
    live: bool = _SEE.switch(
        "Serve a local page that shows the run and can pause or stop it.", "--live"
    ),
    live_port: int | None = _SEE.option(
        "PORT", "With --live: serve the page on this port. Default: a free one.", min=1, max=65_535
    ),
    show: bool = _SEE.switch("Show the picture in the browser at the end.", "--open"),
    notify: str | None = _SEE.option(
        "COMMAND",
        "Run a shell command at the end; it finds the exit code in ARTGEN_EXIT_CODE.",
    ),
    dry_run: bool = _SEE.switch(
        "Write nothing: print the complete recipe as TOML, with estimates of time, memory and size "
        "as comments.",
        "--dry-run",
    ),
    watch: bool = _SEE.switch(
        "With --plugin: after every save of FILE.py, fit a small preview and show it on a "
        "live page. Writes no files. Ctrl-C ends it.",
        "--watch",
    ),
    device: str | None = _WHERE.option(
        "NAME",
        "auto, cpu, cuda, cuda:1, mps, webgpu or webgpu:1. Default: auto (cuda if there is one, "
        "else a GPU by webgpu, else cpu).",
        complete=_completion.devices,
    ),
    backend: Literal["auto", "compiled", "eager"] | None = _WHERE.option(
        None,
        "How parts are drawn: compiled, or eager by plain torch, which is slower. Default: auto.",
    ),
    threads: int | None = _WHERE.option(
        "N", "CPU threads per run. Default: all; with -j or --on: 1.", min=1
    ),
    where: Where,
    common: Common,
) -> int:
    """Fit parts to a picture, clip or set. Write STEM.png, .mp4, .art and .json."""
    from artgen.cli._recipe import (
        lay_over,
        parse_count,
        parse_seeds,
        parse_video,
        plan_runs,
        read_recipe_file,
        start_from,
    )
    from artgen.targets import parse_palette

    if seed is not None and seeds is not None:
        raise UsageError("--seed and --seeds were both given", hint="leave one of them out")
    if seed is not None and seed >= 2**63:
        raise UsageError(f"--seed {seed} is too large", hint="use 0 to 2^63 - 1")
    if outputs and (seeds is not None or len(targets or ()) > 1 or where.asked):
        raise UsageError(
            "-o works for a single run in this process",
            hint="leave out -j, --on, --seeds and other targets, or use --out DIR",
        )
    if files.overwrite and files.resume:
        raise UsageError("--overwrite and --resume were both given", hint="leave one of them out")
    if files.skip_existing and (files.overwrite or files.resume):
        other = "--overwrite" if files.overwrite else "--resume"
        raise UsageError(
            f"--skip-existing and {other} were both given", hint="leave one of them out"
        )
    if quality is not None and (steps is not None or time is not None):
        other = "--steps" if steps is not None else "--time"
        raise UsageError(f"--quality and {other} were both given", hint="leave one of them out")
    if video is not None and no_video:
        raise UsageError("--video and --no-video were both given", hint="leave one of them out")
    live = live or live_port is not None
    if where.asked and live:
        raise UsageError("--live shows runs of this process", hint="leave out -j and --on")
    if video is None and not no_video:
        from artgen.output import FORMATS

        video = next((file for file in outputs or () if file.suffix.lower() in FORMATS), None)
    many = parse_seeds(seeds) if seeds is not None else []
    # What is watched may be wrong at first: it is read later, again and again.
    registry = None if watch else common.registry()
    base = read_recipe_file(recipe, registry) if recipe is not None else {}
    if init is not None and init.suffix.lower() != ".svg":
        base = start_from(base, read_recipe_file(init), primitive)

    if look is not None:
        from artgen.looks import apply_look, read_look

        known = common.registry() if registry is None else registry
        base, left_out = apply_look(base, read_look(look, known), primitive, known)
        if left_out and not common.quiet:
            say(f"note: {primitive} has no {', '.join(left_out)}: the look {look} does without")

    asked = parse_frame(size, dpi=framing.dpi)
    frame = parse_frame(size, framing.crop, framing.crop_at, framing.border, framing.dpi)
    if still_size is None and framing.crop is not None and "x" in framing.crop:
        still_size = framing.crop

    # Files named by the recipe lie beside it, those named by flags where the user is.
    folders = [file.parent for file in (recipe, init) if file is not None]
    search = (*folders, Path())
    located = _absolute if folders else str
    data = lay_over(
        base,
        {
            "seed": seed,
            "init": {"name": located(str(init))} if init is not None else None,
            "target": {
                "size": asked.size,
                "aspect": frame.aspect and "{}:{}".format(*frame.aspect),
                "crop_at": framing.crop_at,
                "pad": frame.pad,
                "background": background,
                "palette": None if palette is None else parse_palette(palette),
                "mask": {"name": located(str(mask))} if mask is not None else None,
                "focus": focus and (focus if is_focus(focus) else located(focus)),
                "alpha_weight": alpha_weight or None,
                "max_pixels": max_pixels,
            },
            "primitive": {
                "name": primitive,
                "count": parse_count(count),
                "target_bytes": target_bytes,
            },
            "output": {
                "still_size": still_size
                and parse_pixels(still_size, framing.dpi, flag="--still-size"),
                "dpi": framing.dpi_of(still_size),
                "start": start,
                "film": film,
                "end": end,
                "loop": loop or None,
                "max_bytes": parse_bytes(max_bytes),
                "video_size": video_size and parse_pixels(video_size, flag="--video-size"),
                "transparent": transparent or None,
                "video": False if no_video else None if video is None else True,
                "video_format": parse_video(video),
                "fps": fps,
                "video_seconds": video_seconds,
                "walk": walk,
                "history": history,
            },
            "run": {
                "device": device,
                "backend": backend,
                "threads": threads,
                "precision": precision,
            },
            "clip": {"side_by_side": side_by_side or None},
            "tiles": {"side": tiles},
        },
        {
            "engine": engine,
            "polish": polish or None,
            "quality": quality,
            "steps": steps,
            "time": time,
            "loss": loss,
            "target_psnr": target_psnr,
            "plateau": plateau,
        },
        settings or (),
    )
    targets = _pictures_in_folders(targets or [], data, registry)
    sources = {target: _located(target, located) for target in targets}
    runs = plan_runs(data, sources, many, files.name)
    unused: dict[str, object]
    if registry is None:
        unused = {
            **{"--json": common.as_json, "--resume": files.resume, "--log": files.log},
            **{"--graph": files.graph, "-j": where.at_a_time, "--on": where.on},
            "--dry-run": dry_run,
        }
        return _watch(runs, search, common, unused, port=live_port or 0)
    if not files.resume:
        from artgen.cli._early import check_files, check_names, check_option_texts, check_options

        check_names(runs[0].recipe, registry)
        check_option_texts(runs[0].recipe, registry)
        if len(runs) == 1:
            check_files(runs[0].recipe, registry, search)
        if not where.asked:  # a process that only waits does without torch
            load_module("artgen.primitives", quiet=common.quiet)
            check_options(runs[0].recipe, registry)
    if not where.asked:
        load_module("artgen.runner._run", "the compiler", quiet=common.quiet)
    if polish:
        from artgen.resolve import check_polish

        check_polish(runs[0].recipe, registry)

    from artgen.cli._afterwards import notified
    from artgen.cli._runs import Session
    from artgen.settings import read_settings

    below = read_settings()[0].below
    runs = [replace(run, recipe=below(run.recipe, threads=not where.asked)) for run in runs]
    if dry_run:
        from artgen.cli._estimates import print_estimates

        unused = {
            **{"--resume": files.resume, "--skip-existing": files.skip_existing, "-o": outputs},
            **{"--log": files.log, "--graph": files.graph, "-j": where.at_a_time},
            **{"--on": where.on, "--live": live, "--open": show, "--notify": notify},
        }
        _refuse("--dry-run", unused, "it writes no files")
        print_estimates(runs, registry, search, common, files.out)
        return 0
    session = Session(
        registry,
        common,
        where,
        files,
        search,
        live,
        video,
        port=live_port or 0,
        show=show,
        outputs=outputs or (),
    )
    if len(runs) == 1 and not many:
        return notified(notify, lambda: session.run_one(runs[0]))
    return notified(notify, lambda: session.run_batch(runs))


def _pictures_in_folders(
    targets: list[str], data: Mapping[str, Any], registry: Registry | None
) -> list[str]:
    """The targets with the pictures of folders in their place, but for a primitive of sets.

    Raises InputError where a folder holds none.
    """
    if registry is None or not any(map(os.path.isdir, targets)):
        return targets
    from artgen.compare import find_targets
    from artgen.recipe import Recipe
    from artgen.resolve import load_primitive

    primitive = load_primitive(Recipe.from_request({**data, "target": {}}), registry)
    return find_targets(targets, sets="set" in primitive.targets)


def _watch(
    runs: Sequence[Run],
    search: Sequence[Path],
    common: Common,
    unused: Mapping[str, object],
    *,
    port: int,
) -> int:
    """Previews until the user ends them. Raises UsageError for a flag `unused` by them."""
    from artgen.cli._watching import watch_plugins

    _refuse("--watch", unused, "a preview writes no files")
    if len(runs) > 1:
        raise UsageError(f"--watch takes one target, not {len(runs)}", hint="leave out the others")
    return watch_plugins(runs[0].recipe, search, common, port=port)


def _refuse(flag: str, unused: Mapping[str, object], why: str) -> None:
    """Raise UsageError if one of the `unused` flags was given beside `flag`."""
    given = [other for other, value in unused.items() if value]
    if given:
        raise UsageError(
            f"{flag} and {given[0]} were both given", hint=f"leave one of them out: {why}"
        )


def _located(target: str, located: Callable[[str], str]) -> str:
    """The path or source of a target; standard input becomes a file."""
    from artgen.cli._pipes import STDIO, from_stdin

    return str(from_stdin()) if target == STDIO else located(target)


def _absolute(source: str) -> str:
    """The same place wherever it is looked up from; `sample:NAME` is no place."""
    from artgen.targets import Source

    parsed = Source.parse(source)
    return source if parsed.path is None else str(parsed.at(os.path.abspath(parsed.path)))
