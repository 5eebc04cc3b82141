"""Find out whether a piece is up to date, by a key: a hash of everything its files depend on.

The key covers the resolved recipe (so a changed default counts), the bytes of its target and other
files, the plugins that it uses, and `RENDER_SCHEMA`. It leaves out title and text, which the page
reads from the recipe file, so that rewording them does not cause another fit.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from artgen.base.errors import ArtgenError, PluginError
from artgen.base.files import file_hash, find_file
from artgen.gallery._pieces import FILES, SUMMARY, Piece
from artgen.making import maker_of
from artgen.plan import find_primitive, resolve
from artgen.recipe import Recipe
from artgen.registry import Entry, Registry
from artgen.runs import read_target
from artgen.targets import Source, find_opener

RENDER_SCHEMA = 3
"""Increase it when the same recipe gives other pictures, videos or files than before."""

FAILURE = "failed.json"
"""The error of the last attempt, if it failed."""

_LARGEST = 16_000_000
_WORD = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class State:
    """The status of a piece, and the `reason` why it is not ``current``.

    ``missing``: never made; ``stale``: made from other inputs; ``failed``: cannot be made.
    `key` is None if it cannot be computed.
    """

    piece: Piece
    status: Literal["current", "stale", "missing", "failed"]
    key: str | None = None
    reason: str | None = None
    error: ArtgenError | None = None


def examine(piece: Piece, registry: Registry) -> State:
    """Compare the key and files of the last build with the current key.

    A bad recipe raises nothing: its state is ``failed``.
    """
    if piece.recipe is None:
        assert piece.error is not None
        return State(piece, "failed", reason=piece.error.message, error=piece.error)
    try:
        key = _key(piece.recipe, registry, folders_of(piece))
    except ArtgenError as error:
        return State(piece, "failed", reason=error.message, error=error)
    failure = read_json(piece.folder / FAILURE)
    if failure is not None and failure.get("key") == key:
        return State(piece, "failed", key, str(failure.get("message")))
    summary = read_json(piece.folder / SUMMARY)
    made = None if summary is None else summary.get("gallery")
    if not isinstance(made, dict):
        return State(piece, "missing", key, "not made yet")
    if made.get("key") != key:
        return State(piece, "stale", key, "its recipe, target or plugins have changed")
    recorded = made.get("files")
    present = [name for name in FILES if (piece.folder / name).is_file()]
    if recorded != hashes(piece.folder, present):
        return State(piece, "stale", key, "its files were changed or removed")
    return State(piece, "current", key)


def folders_of(piece: Piece) -> tuple[Path, ...]:
    """Return the folders in which files named by the recipe are looked up."""
    return (piece.source.parent, Path())


def hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """Return the SHA-256 of the named files, by name."""
    return {name: file_hash(folder / name, "file") for name in names}


def read_json(path: Path) -> dict[str, Any] | None:
    """Read the JSON object in a file of at most 16 MB; None if there is none."""
    try:
        if path.stat().st_size > _LARGEST:
            return None
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _key(recipe: Recipe, registry: Registry, search: Sequence[Path]) -> str:
    target = read_target(recipe, registry, search)
    plan = resolve(recipe, registry, target.canvas, target.subject)
    table = plan.recipe.to_dict()
    table.pop("piece", None)
    files = {
        what if what != "picture" else f"{what} {file.name}": file_hash(
            find_file(file.name, file.sha256, search, what), what
        )
        for what, file in recipe.files
    }
    everything = {
        "render": RENDER_SCHEMA,
        "recipe": table,
        "target": target.sha256,
        "files": files,
        "plugins": [_fingerprint(entry, registry) for entry in _entries(plan.recipe, registry)],
    }
    if (made := recipe.piece and recipe.piece.make) is not None:
        everything["make"] = made
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()


def _entries(recipe: Recipe, registry: Registry) -> Iterator[Entry]:
    """Yield the plugin entries that a resolved recipe uses, possibly with repetitions."""
    source = Source.parse(recipe.target.source)
    opener = find_opener(source, registry)
    # Keys of galleries that were made before files had openers stay as they are.
    if source.scheme or opener.plugin.origin != "built-in":
        yield opener
    primitive = find_primitive(recipe, registry)
    yield from getattr(primitive, "members", (primitive,))
    losses = {entry.name: entry for entry in registry.entries("loss")}
    for stage in recipe.stage:
        yield registry.find("engine", stage.engine)
        yield from (losses[name] for name in _WORD.findall(stage.loss or "") if name in losses)
    if recipe.piece is not None and recipe.piece.make is not None:
        yield maker_of(recipe.piece.make, registry)[0]


def _fingerprint(entry: Entry, registry: Registry) -> Mapping[str, Any]:
    """Return the plugin and version that offer an entry, and a hash of its source file."""
    try:
        source = inspect.getsourcefile(inspect.unwrap(entry.load()))
    except (TypeError, PluginError):
        source = None
    sha256 = file_hash(Path(source), "source") if source and Path(source).is_file() else None
    return {"name": entry.name, "plugin": registry.identity(entry), "sha256": sha256}
