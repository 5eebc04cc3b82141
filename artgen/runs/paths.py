"""What the files of a run are called, and that none of them is there already."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from artgen.base.errors import UsageError
from artgen.recipe import Recipe
from artgen.registry import bare_name
from artgen.runs.folder import RunFolder
from artgen.targets import Source, file_safe, is_reserved

SUFFIXES = {"folder": ".run", "still": ".png", "art": ".art", "summary": ".json"}
_LOGS = ("log", "graph")
"""Kinds of files with flags of the same names."""


def default_stem(recipe: Recipe) -> str:
    """The name of the outputs unless another is asked for: target-primitive."""
    target = Source.parse(recipe.target.source).file_stem
    return f"{target}-{file_safe(bare_name(recipe.primitive.name))}"


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


def refuse_existing(paths: Mapping[str, Path]) -> None:
    """Raise UsageError for the first that is there: nothing is overwritten unless asked for."""
    for kind, path in paths.items():
        # A name that the system refuses is found out when the folder is probed.
        if not os.path.lexists(path):
            continue
        if kind == "folder":
            RunFolder(path).refuse_unfinished()
            continue
        others = f" or another --{kind}" if kind in _LOGS else ", another --name or another --out"
        raise UsageError(f"{path} exists", hint=f"use --overwrite{others}")
