"""Is a piece up to date? Its key is a hash of all that its files depend on.

That is the resolved recipe (so a changed default counts), the bytes of its target and other files,
the plugins that take part, and `RENDER_SCHEMA`. Title and text are left out: a page takes them from
the recipe's file, and a better word is no reason to fit again.
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

from artgen.errors import ArtgenError, PluginError
from artgen.gallery._pieces import FILES, SUMMARY, Piece
from artgen.recipe import Recipe
from artgen.registry import Entry, Registry
from artgen.resolve import find_primitive, resolve
from artgen.runner import file_hash, find_file, read_target
from artgen.targets import split_source

__all__ = ["FAILURE", "RENDER_SCHEMA", "State", "examine", "folders_of", "hashes", "read_json"]

RENDER_SCHEMA = 2
"""Raise it where the same recipe gives another picture or video than before, or other files."""

FAILURE = "failed.json"
"""What is known of the last attempt, where that failed."""

_LARGEST = 16_000_000
_WORD = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class State:
    """How a piece stands: `reason` says why it is not ``current``.

    ``missing`` was never made, ``stale`` was made from something else, ``failed`` cannot be made.
    `key` is None where even that cannot be told.
    """

    piece: Piece
    status: Literal["current", "stale", "missing", "failed"]
    key: str | None = None
    reason: str | None = None
    error: ArtgenError | None = None


def examine(piece: Piece, registry: Registry) -> State:
    """Compare what was made with what would be made now. Never raises for a bad recipe."""
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
        return State(piece, "missing", key, "it was not made yet")
    if made.get("key") != key:
        return State(piece, "stale", key, "its recipe, target or plugins changed since it was made")
    recorded = made.get("files")
    present = [name for name in FILES if (piece.folder / name).is_file()]
    if recorded != hashes(piece.folder, present):
        return State(piece, "stale", key, "its files are not those that were made")
    return State(piece, "current", key)


def folders_of(piece: Piece) -> tuple[Path, ...]:
    """Where the files that its recipe speaks of are looked up."""
    return (piece.source.parent, Path())


def hashes(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of files, by their names."""
    return {name: file_hash(folder / name, "file") for name in names}


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a small file; None where there is none that can be read."""
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
        what: file_hash(find_file(file.name, file.sha256, search, what), what)
        for what, file in (("mask", recipe.target.mask), ("init", recipe.init))
        if file is not None
    }
    everything = {
        "render": RENDER_SCHEMA,
        "recipe": table,
        "target": target.sha256,
        "files": files,
        "plugins": [_fingerprint(entry, registry) for entry in _entries(plan.recipe, registry)],
    }
    return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()


def _entries(recipe: Recipe, registry: Registry) -> Iterator[Entry]:
    """What a resolved recipe takes from plugins; some of it may come twice."""
    scheme, _ = split_source(recipe.target.source)
    if scheme:
        yield registry.find("target", scheme)
    primitive = find_primitive(recipe, registry)
    yield from getattr(primitive, "members", (primitive,))
    losses = {entry.name: entry for entry in registry.entries("loss")}
    for stage in recipe.stage:
        yield registry.find("engine", stage.engine)
        yield from (losses[name] for name in _WORD.findall(stage.loss or "") if name in losses)


def _fingerprint(entry: Entry, registry: Registry) -> Mapping[str, Any]:
    """Who offers it, in which version, and the source that it is defined in."""
    try:
        source = inspect.getsourcefile(inspect.unwrap(entry.load()))
    except (TypeError, PluginError):
        source = None
    sha256 = file_hash(Path(source), "source") if source and Path(source).is_file() else None
    return {"name": entry.name, "plugin": registry.identity(entry), "sha256": sha256}
