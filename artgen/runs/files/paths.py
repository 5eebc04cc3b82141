"""What the files of a run are called, and that none of them replaces what it must not."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from artgen.base.errors import UsageError
from artgen.output import check_output
from artgen.recipe import Recipe
from artgen.registry import bare_name
from artgen.runs.files.folder import RunFolder
from artgen.targets import Source, file_safe, is_reserved

SUFFIXES = {"folder": ".run", "still": ".png", "art": ".art", "summary": ".json"}


def default_stem(recipe: Recipe, target: str | None = None) -> str:
    """The name of the outputs unless another is asked for: target-look or target-primitive."""
    return f"{target or Source.parse(recipe.target.source).file_stem}-{style_name(recipe)}"


def style_name(recipe: Recipe) -> str:
    """The name of the look, or of the primitive, as files are called by it."""
    return file_safe(recipe.look or bare_name(recipe.primitive.name))


def output_paths(
    out: Path, stem: str, recipe: Recipe | None = None, video: Path | None = None
) -> dict[str, Path]:
    """The paths of the outputs of the run called `stem`, and of its run folder.

    `recipe` says what kind of video there is (default: MP4) and whether a clip is shown beside it;
    `video` names another file for it.
    """
    odd = re.search(r"^[.\s]|\s$|[\x00-\x1f\x7f-\x9f/\\:]", stem)
    if not stem or odd or is_reserved(stem):
        raise UsageError(f"{stem!r} is not a valid file name", hint="use a plain --name")
    paths = {kind: out / f"{stem}{suffix}" for kind, suffix in SUFFIXES.items()}
    recipe = recipe or Recipe()
    paths["video"] = shown = video or out / f"{stem}.{recipe.output.video_format}"
    if recipe.clip is not None and recipe.clip.side_by_side:
        paths["side_by_side"] = shown.with_stem(f"{shown.stem}-side-by-side")
    return paths


def check_outputs(
    paths: Mapping[str, Path],
    recipe: Recipe,
    search: Sequence[Path],
    *,
    overwrite: bool = False,
    resume: bool = False,
    exports: Sequence[Path] = (),
) -> None:
    """Raise UsageError for the first of the `paths` that must not be written, see `check_output`.

    The inputs are the files that `recipe` names, in the folders `search`. A run that is resumed may
    replace what it wrote before. No two may be one file, nor one of them a file of `exports`.
    """
    inputs, known = named_files(recipe, search), dict[str, str]()
    flags = [(kind, f"--{kind}", path) for kind, path in paths.items()]
    for kind, flag, path in (*flags, *(("export", "-o", path) for path in exports)):
        if (other := known.setdefault(os.path.realpath(path), kind)) != kind:
            named = f"{flag} {path}"
            raise UsageError(f"{named} is also the {other} of the run", hint="name another file")
    for kind, path in paths.items():
        if kind != "folder":
            option = f"--{kind}" if kind in ("log", "graph") else "--name or --out"
            check_output(path, overwrite=overwrite or resume, option=option, inputs=inputs)
        elif overwrite:
            RunFolder(path).check_own()
        elif not resume:
            RunFolder(path).refuse_unfinished()


def claim_file(file: str, owner: str, owners: dict[str, str], hint: str) -> None:
    """Raise UsageError where another of the `owners` would write a file of this name."""
    other = owners.setdefault(file.casefold(), owner)
    if other != owner:
        raise UsageError(f"{other} and {owner} would both be written to {file}", hint=hint)


def named_files(recipe: Recipe, search: Sequence[Path]) -> list[Path]:
    """Where the files and folders that `recipe` names may be: its target, its mask and so on."""
    film = (recipe.output.film or "").partition("=")[2]
    names = [Source.parse(recipe.target.source).path, *(file.name for _, file in recipe.files)]
    return [folder / name for name in (*names, film) if name for folder in search]
