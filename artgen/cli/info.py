"""`artgen info`: show how a file was made, with the recipe to make it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from artgen.base.errors import InputError, UsageError, reading
from artgen.cli._console import columns
from artgen.cli._flags import Common, argument, switch
from artgen.display import METRICS

_SUFFIXES = {
    "art": "art",
    "still": "png tif tiff jpg jpeg avif",
    "vectors": "svg eps",
    "page": "html pdf",
    "video": "mp4 webm gif webp apng",
    "summary": "json",
}
_KINDS = {f".{each}": kind for kind, suffixes in _SUFFIXES.items() for each in suffixes.split()}
_METRICS = (*METRICS, "loss", "bytes", "bpp", "stopped_by")
_FILM = "{duration:g} s at {fps:g} fps, scenes: {scenes}, keyframes: {keyframes}"


def info(
    file: Path = argument("FILE", f"A file that artgen wrote: {', '.join(_KINDS)}."),
    recipe_only: bool = switch(
        "Print only the recipe, as TOML for artgen fit --recipe.", "--recipe"
    ),
    origins: bool = switch(
        "With --recipe: say in a comment where each value comes from: a look, a preset, a default, "
        "or none of them."
    ),
    *,
    common: Common,
) -> None:
    """Show how a file was made, with its recipe.

    Examples:
        artgen info photo-gaussian.png
    """
    from artgen.output import read_recipe
    from artgen.recipe import Recipe

    if recipe_only and common.as_json:
        raise UsageError("--recipe and --json were both given", hint="leave one of them out")
    if origins and not recipe_only:
        raise UsageError("--origins needs --recipe", hint="add --recipe")
    recipe = Recipe.from_dict(json.loads(read_recipe(file)), where=str(file))
    if recipe_only and origins:
        from artgen.plan.origins import annotated, find_origins

        said = find_origins(recipe, {}, common.registry(), other="asked for, or chosen by the run")
        print(annotated(recipe, said), end="")
        return
    if recipe_only:
        print(recipe.to_toml(), end="")
        return
    kind = _KINDS[file.suffix.lower()]
    facts = {
        "file": file,
        "kind": kind,
        "file_bytes": file.stat().st_size,
        **dict.fromkeys(("artgen", "plugin", "metrics", "film", "history")),
        **_stored_facts(file, kind),
    }
    if facts["plugin"] is None and recipe.primitive.plugin is not None:
        facts["plugin"] = recipe.primitive.plugin.name
    rows = {
        **{key: value for key, value in facts.items() if key not in ("metrics", "film", "history")},
        "film": facts["film"] and _FILM.format(**facts["film"]),
        "history": facts["history"] and f"light, keyframes: {facts['history']}",
        "primitive": recipe.primitive.name,
        "count": recipe.primitive.count,
        "engine": ", ".join(stage.engine for stage in recipe.stage),
        "steps": ", ".join(str(stage.stop or stage.steps) for stage in recipe.stage),
        "seed": recipe.seed,
        "target": recipe.target.source,
        "size": recipe.target.size,
        **(facts["metrics"] or {}),
    }
    shown = columns((key, value) for key, value in rows.items() if value is not None)
    text = recipe.to_toml().removesuffix("\n")
    common.show({**facts, "recipe": recipe.to_dict()}, f"{shown}\n\n{text}")


def _stored_facts(file: Path, kind: str) -> dict[str, Any]:
    """Read what a file stores beside its recipe: metrics, plugin, version of artgen."""
    if kind == "art":
        from safetensors import SafetensorError, safe_open

        from artgen.output import art_header

        try:
            with reading(str(file)):
                # Its recipe was read from it before.
                header = art_header(file) or {}
                # Whether all tensors are there, which are not read.
                with safe_open(file, framework="numpy"):
                    pass
        except SafetensorError:
            raise InputError(f"{file} is damaged", hint="copy it again, or fit it again") from None
        plugin = _table(header.get("drawing")).get("plugin")
        return {
            "plugin": _plugin(_table(plugin)),
            "metrics": _metrics(header.get("metrics")),
            "film": _film(header.get("film")),
            "history": _table(header.get("history")).get("keyframes"),
        }
    if kind == "summary":
        summary = json.loads(file.read_bytes())
        facts = {"artgen": summary.get("artgen"), "metrics": _metrics(summary) or None}
        return {**facts, "kind": "shapes"} if summary.keys() & {"shapes", "tensors"} else facts
    return {}


def _metrics(data: object) -> dict[str, Any]:
    return {key: value for key in _METRICS if (value := _table(data).get(key)) is not None}


def _film(table: object) -> dict[str, Any] | None:
    """Summarise a film: duration and rate, and the numbers of scenes and keyframes."""
    film = _table(table)
    duration, fps, scenes = film.get("duration"), film.get("fps"), film.get("scenes")
    if not all(isinstance(each, int | float) and abs(each) < 1e9 for each in (duration, fps)):
        return None
    times = [_table(scene).get("times") for scene in scenes] if isinstance(scenes, list) else []
    keyframes = sum(len(each) for each in times if isinstance(each, list))
    return {"duration": duration, "fps": fps, "scenes": len(times), "keyframes": keyframes}


def _plugin(identity: dict[str, Any]) -> str | None:
    told = (str(identity[key]) for key in ("file", "name", "version") if identity.get(key))
    return " ".join(told) or None


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
