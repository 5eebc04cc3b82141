"""`artgen fit`: flags, a recipe under them, and the runs they ask for."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from artgen.base.errors import UsageError
from artgen.cli import _completion
from artgen.cli._console import say
from artgen.cli._flags import Common, Framing, argument
from artgen.cli._request import USUAL_LOOK, Request, is_picture
from artgen.cli._where import Files, Trying, Where
from artgen.recipe import Recipe
from artgen.recipe.layers import Laid, lay_over, leaves, start_from

if TYPE_CHECKING:
    from artgen.registry import Registry
    from artgen.runs.task import Run


def fit(
    *,
    targets: list[str] | None = argument(
        "TARGET",
        "What to fit: pictures (files, http and https URLs, sample:NAME, blank:WxH, or - for "
        "standard input); a clip (MP4, WebM, animated GIF, "
        "WebP or APNG, frames:FOLDER, sample:clip); a set of pictures (a folder, IDX, .npz, "
        "sample:digits); curve:EXPR, points:NAME, or a .csv of x,y or x,y,label. "
        "Default: sample:astronaut.",
        default=None,
        complete=_completion.targets,
    ),
    request: Request,
    framing: Framing,
    files: Files,
    watching: Trying,
    where: Where,
    common: Common,
) -> int:
    """Fit parts to a picture, clip or set. Write STEM.png, .mp4, .art and .json.

    Examples:
        artgen fit photo.jpg
        artgen fit photo.jpg --look watercolour
        artgen fit photo.jpg -p triangle -n 200 --seed 7
        artgen fit *.jpg -p circle --palette 6 -j 4
        artgen fit --recipe artgen-out/photo-single-line.png --out again
    """
    from artgen.cli._exports import check_film, check_film_files, check_parts
    from artgen.cli._recipe import plan_runs
    from artgen.plan.early import check_asked, check_options
    from artgen.recipe.texts import parse_seeds
    from artgen.runs import default_stem, output_paths, with_film_file

    _check_together(request, files, watching, where)
    folders = [each for each in map(Path, targets or ()) if each.suffix == ".run"]
    if files.resume and folders:
        hint = f"write --resume --out {folders[0].parent} --name {folders[0].stem}"
        raise UsageError(f"--resume takes no folder, and {folders[0]} is no target", hint=hint)
    # What is watched may be wrong at first: it is read later, again and again.
    registry = None if watching.watch else common.registry()
    many = parse_seeds(request.seeds) if request.seeds is not None else []
    # A run that is resumed by its name has what it was begun with; of a batch some did not begin.
    named = files.resume and files.name and not many
    plain = None if registry is None or named else targets or []
    search = request.search
    sources: dict[str, str] = {}
    say_once = functools.cache(say)
    # A run may have been begun with flags that are left out when it is resumed.
    for usual in (plain, None, plain) if files.resume and plain is not None else (plain,):
        laid = _lay_over(request, framing, registry, common, usual, targets or [], say_once)
        data, silent = laid.data, request.look or request.recipe or files.resume or common.quiet
        if data.get("look") == USUAL_LOOK and not silent:
            say(
                f"look: {USUAL_LOOK}, because none was asked for (-p gaussian for soft spots; "
                "artgen looks for a sheet of all)"
            )
        targets = _pictures_in_folders(targets or [], data, registry)
        # Standard input can be read once.
        sources = {target: sources.get(target) or request.source(target) for target in targets}
        name = request.made_again(targets) if files.name is None else files.name
        runs = plan_runs(data, sources, many, name)
        if any(os.path.lexists(files.out / f"{run.stem}.run") for run in runs):
            break
    one = len(runs) == 1 and not many
    apart = [run.stem for run in runs if not run.stem.startswith(default_stem(run.recipe))]
    if apart and len(sources) > 1 and not common.quiet:
        say(f"note: outputs of pictures of one name are told apart, such as {apart[0]}.png")
    if request.outputs and (where.asked or not one):
        raise UsageError(
            "-o works for a single run in this process",
            hint="leave out -j, --on, --seeds and other targets, or use --out DIR",
        )
    first = runs[0].recipe
    check_film(first.output.film, **{"video-seconds": request.given("video_seconds")})
    if registry is None:
        return _watch(runs, search, request, common, files, watching, where)
    if not files.resume:
        frames = map(first.framed, (first.output.still_size, first.output.video_size))
        framing.check(first.target.aspect or any(frame.aspect for frame in frames))
        if first.tiles and first.output.film is None and first.output.start != "parts":
            _refuse("--tiles", request.of_videos(), "--start parts shows how their parts appear")
        # What the first run would raise some seconds later.
        check_asked(first, registry, search if len(runs) == 1 else None)
    if one and not watching.dry_run:
        _check_outputs(runs[0], registry, request, files, common)
    if not where.asked:  # a process that only waits does without torch
        common.load("artgen.primitives")
        if not files.resume:
            check_options(first, registry, load=True)
            asked = with_film_file(first, search)
            check_parts(request.outputs or (), asked, registry)
            if (film := asked.output.film) is not None:
                paths = (output_paths(files.out, run.stem, first) for run in runs)
                videos = [request.film_file or each["video"] for each in paths]
                check_film_files(film, (*videos, *(request.outputs or ())), registry)
        if request.no_video and (film := request.given("film")) is not None:
            from artgen.animation.forms import find_form

            if find_form(film, registry).still is not True:
                _refuse("--no-video", {"--film": film})
        common.load("artgen.runs.runner", "the compiler")
    if request.polish:
        from artgen.plan import find_names

        find_names(first, registry).check_polish()

    from artgen.recipe.settings import read_settings

    below = read_settings()[0].below
    threads = not where.asked
    runs = [replace(run, recipe=below(run.recipe, threads=threads), search=search) for run in runs]

    from artgen.cli._runs import Session

    shown = request.film_file, request.outputs or ()
    session = Session(registry, common, where, files, watching, *shown)
    if watching.dry_run:
        from artgen.cli._estimates import print_estimates

        unused = {
            **{"--resume": files.resume, "--skip-existing": files.skip_existing},
            **{"-o": request.outputs, "--log": files.log, "--graph": files.graph},
            **{"-j": where.at_a_time, "--on": where.on, "--live": watching.page},
            **{"--open": watching.show, "--notify": watching.notify},
        }
        _refuse("--dry-run", unused, "it writes no files")
        told = _origins(laid, first, runs[0].recipe) if watching.origins else None
        placed = [session.placed(run, many=not one) for run in runs]
        print_estimates(placed, registry, common, told)
        return 0

    from artgen.cli._afterwards import notified

    if one:
        return notified(watching.notify, lambda: session.run_one(runs[0]))
    return notified(watching.notify, lambda: session.run_batch(runs))


def _check_together(request: Request, files: Files, watching: Trying, where: Where) -> None:
    """Raise UsageError for flags that do not go together."""
    if (request.given("seed") or 0) >= 2**63:
        raise UsageError(f"--seed {request.given('seed')} is too large", hint="use 0 to 2^63 - 1")
    once = {"--overwrite": files.overwrite, "--resume": files.resume}
    # The film in the .art file, a light one by default, is as long as a video of that rate.
    filmed = () if request.given("history") == 0 else ("--fps", "--video-seconds")
    videos = {flag: given for flag, given in request.of_videos().items() if flag not in filmed}
    budgets = {"--steps": request.given("steps"), "--time": request.given("time")}
    for flag, given, others in (
        ("--seed", request.given("seed") is not None, {"--seeds": request.seeds is not None}),
        ("--overwrite", files.overwrite, {"--resume": files.resume}),
        ("--skip-existing", files.skip_existing, once),
        ("--quality", request.given("quality"), budgets),
        ("--video", request.video, {"--no-video": request.no_video}),
        ("--no-video", request.no_video, videos),
    ):
        if given:
            _refuse(flag, others)
    if watching.origins and not watching.dry_run:
        raise UsageError("--origins needs --dry-run", hint="add --dry-run")
    if where.asked and watching.page:
        raise UsageError("--live shows runs of this process", hint="leave out -j and --on")


def _lay_over(
    request: Request,
    framing: Framing,
    registry: Registry | None,
    common: Common,
    plain: list[str] | None,
    targets: list[str],
    say: Callable[[str], object],
) -> Laid:
    """The data of the recipe: the flags over the look, over the file, over the drawing to start.

    Targets that are `plain` have the usual look where no flag says how they are drawn, and all are
    pictures, which may mean to open them. What there is to say goes to `say`.
    """
    from artgen.cli._recipe import read_recipe_file

    primitive, init, look = request.given("primitive"), request.given("init"), request.look
    laid, tables = Laid(), request.tables(framing)
    how = request.says_how(tables)
    told = how and (not plain or primitive or init or request.recipe or common.quiet)
    usual = plain is not None and look is None and not told
    if usual and registry is not None and all(is_picture(each, registry) for each in plain or ()):
        if how:
            say(f"primitive: gaussian, since flags say how (add --look {USUAL_LOOK} for a line)")
        else:
            look = USUAL_LOOK
    if request.recipe is not None:
        anew = {*filter(request.given, ("quality", "time", "count", "target_bytes"))}
        data = read_recipe_file(request.recipe, registry, anew=anew, targets=targets)
        laid, said = laid.then("recipe", data), data.get("look")
        if said and look is None and "primitive" not in data and not common.quiet:
            say(f"warning: the key look of {request.recipe} says nothing alone: add --look {said}")
    if init is not None and init.suffix.lower() != ".svg":
        art = read_recipe_file(init, targets=targets)
        laid = laid.then("--init", start_from(laid.data, art, primitive))
    if look is not None:
        from artgen.looks import apply_look, read_look

        known = common.registry() if registry is None else registry
        style = read_look(look, known)
        data, left_out = apply_look(laid.data, style, primitive, known)
        laid = laid.then(f"look {style.name}", data, style.data)
        if left_out and not common.quiet:
            say(f"note: {look} does without {', '.join(left_out)}, which {primitive} does not take")
    if request.is_printed and not common.quiet:
        say(
            f"note: {request.given('size')} is the size of the PNG; the fit has as many pixels as "
            "without it (to set them too: --size 768, and --still-size for the PNG)"
        )
    data = lay_over(laid.data, tables, request.stages(), request.set_options)
    return laid.then("flag", data, tables)


def _origins(laid: Laid, asked: Recipe, begun: Recipe) -> dict[str, str]:
    """The origins of the values that were `asked` for, and of those that the settings added."""
    own = laid.then("flag", asked.requested())
    before, now = leaves(asked.to_dict()), leaves(begun.to_dict())
    return own.origins | {path: "settings" for path in now if now[path] != before.get(path)}


def _check_outputs(
    run: Run, registry: Registry, request: Request, files: Files, common: Common
) -> None:
    """Raise UsageError where what the only run would replace must stay, before torch is loaded.

    Raises OutputError where there is no folder for a file of `-o`.
    """
    from artgen.cli._exports import check_files
    from artgen.runs import check_outputs, named_files, output_paths

    search = request.search
    given = {"overwrite": files.overwrite or files.resume, "as_json": common.as_json}
    check_files(request.outputs or (), registry, inputs=named_files(run.recipe, search), **given)
    if not files.skip_existing:
        logs = {"log": files.log, "graph": files.graph}
        paths = output_paths(files.out, run.stem, run.recipe, request.film_file)
        # With the suffix of one of these, the same is written.
        own = {os.path.realpath(paths[kind]) for kind in ("art", "still", "video")}
        paths |= {kind: path for kind, path in logs.items() if path}
        exports = [file for file in request.outputs or () if os.path.realpath(file) not in own]
        how = {"overwrite": files.overwrite, "resume": files.resume}
        check_outputs(paths, run.recipe, search, exports=exports, **how)


def _pictures_in_folders(
    targets: list[str], data: Mapping[str, object], registry: Registry | None
) -> list[str]:
    """The targets with the pictures of folders in their place, but for a primitive of sets.

    Raises InputError where a folder holds none.
    """
    if registry is None or not any(map(os.path.isdir, targets)):
        return targets
    from artgen.plan import find_names
    from artgen.targets import find_targets

    named = find_names(Recipe.from_request({**data, "target": {}}), registry)
    return find_targets(targets, registry, sets="set" in named.primitive.targets)


def _watch(
    runs: Sequence[Run],
    search: Sequence[Path],
    request: Request,
    common: Common,
    files: Files,
    watching: Trying,
    where: Where,
) -> int:
    """Previews until the user ends them. Raises UsageError for a flag that they cannot have."""
    from artgen.cli._watching import watch_plugins

    unused = {
        **{"--json": common.as_json, "--resume": files.resume, "--log": files.log},
        **{"--graph": files.graph, "-j": where.at_a_time, "--on": where.on},
        **{"--dry-run": watching.dry_run, "--open": watching.show, "--notify": watching.notify},
        **{"-o": request.outputs, "--video": request.video},
    }
    _refuse("--watch", unused, "a preview writes no files")
    if len(runs) > 1:
        raise UsageError(f"--watch takes one target, not {len(runs)}", hint="leave out the others")
    return watch_plugins(runs[0].recipe, search, common, port=watching.live_port or 0)


def _refuse(flag: str, unused: Mapping[str, object], why: str | None = None) -> None:
    """Raise UsageError if one of the `unused` flags was given beside `flag`."""
    given = [other for other, value in unused.items() if value]
    if given:
        raise UsageError(
            f"{flag} and {given[0]} were both given",
            hint="leave one of them out" + (f": {why}" if why else ""),
        )
