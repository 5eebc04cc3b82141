"""`artgen looks`: a small picture in each look, side by side on one sheet."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

from artgen.base.errors import InputError, UsageError
from artgen.cli import _completion
from artgen.cli._flags import Common, argument, option
from artgen.cli._where import FilesOfLooks, Watching, Where
from artgen.recipe import Recipe

SIZE = 384
"""Long side of the pictures in pixels, large enough for marks of a few pixels."""


def looks(
    target: str = argument(
        "TARGET",
        "A picture, as for artgen fit. Default: sample:astronaut.",
        default="sample:astronaut",
        complete=_completion.targets,
    ),
    only: str | None = option(
        "NAME,NAME", "These looks alone. Default: all.", "--look", complete=_completion.looks
    ),
    size: int = option(
        "PX", "Long side of each picture in pixels.", min=16, max=4096, default=SIZE
    ),
    seed: int = option("N", "Seed of all pictures.", min=0, default=0),
    *,
    files: FilesOfLooks,
    watching: Watching,
    where: Where,
    common: Common,
) -> int:
    """Fit a picture in every look, small, and put all on one sheet with their commands.

    Examples:
        artgen looks photo.jpg
        artgen looks photo.jpg --look linocut,riso,watercolour -j 2
    """
    from artgen.cli._afterwards import notified
    from artgen.cli._pipes import STDIO, from_stdin
    from artgen.cli._recipe import plan_runs
    from artgen.cli._request import located
    from artgen.looks import apply_look, read_look
    from artgen.plan.early import check_files
    from artgen.recipe.settings import read_settings
    from artgen.targets import Source, file_safe

    registry = common.registry()
    every = map(registry.spelling, registry.entries("look"))
    source = str(from_stdin()) if target == STDIO else target
    output = {"video": False}
    more = [word for path in common.plugin or () for word in ("--plugin", str(path))]
    stem, below = files.name or Source.parse(source).file_stem, read_settings()[0].below
    runs = []
    for name in dict.fromkeys(every if only is None else map(str.strip, only.split(","))):
        # As those of `artgen fit --look`: pictures of another look are none of this one.
        search = tuple(dict.fromkeys((Path(name).parent, Path())))
        aimed = {"source": located(source, search)}
        base = {"seed": seed, "target": aimed, "output": output}
        data = apply_look(base, read_look(name, registry), None, registry).data
        data["target"]["size"] = size  # also of looks that are fitted larger
        # To draw thousands of marks takes longer than to place them.
        data["stage"] = [{"evaluations": 3, **stage} for stage in data.get("stage", [{}])]
        [run] = plan_runs(data, {}, (), f"{stem}-looks-{file_safe(data['look'])}")
        command = shlex.join(["artgen", "fit", target, "--look", name, *more])
        recipe = below(run.recipe, threads=not where.asked)
        asked = {**run.asked, "target": target, "command": command}
        runs.append(replace(run, recipe=recipe, asked=asked, search=search))
    if len({run.stem for run in runs}) < len(runs):
        raise UsageError("two looks have the same name", hint="leave one out, or rename its file")
    if len(runs) < 2:
        raise UsageError("a sheet needs two looks", hint="artgen fit --look makes one picture")
    check_files(runs[0].recipe, registry, runs[0].search)
    common.load("artgen.runs.runner", "the compiler")

    from artgen.cli._runs import Session
    from artgen.runs import read_target

    # Once: each of the looks would say the same.
    plain = Recipe().with_target(source=source, size=size)
    if registry.is_plain_folder(source) or read_target(plain, registry, (Path(),)).pixels is None:
        raise InputError(f"{target} is no picture", hint="give one, such as photo.jpg")
    files = replace(files, name=f"{stem}-looks")
    session = Session(registry, common, where, files, watching, None, ())
    return notified(watching.notify, lambda: session.run_batch(runs))
