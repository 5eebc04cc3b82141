"""Find out whether a piece is up to date, by a key: a hash of everything its files depend on.

The key covers the resolved recipe (so a changed default counts), the bytes of its target and other
files, the plugins that it uses, and `RENDER_SCHEMA`. It leaves out title and text, which the page
reads from the recipe file, so that rewording them does not cause another fit.

Completing a recipe opens its target. That is left out where nothing has changed that the key
follows from: the recipe as it is written, its files, and all code (`_witness`).
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import inspect
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from artgen.base.errors import ArtgenError, PluginError
from artgen.base.files import file_hash, file_in, find_file
from artgen.gallery._pieces import FILES, SUMMARY, Piece
from artgen.plan.catalogue import READ, digest
from artgen.recipe import Recipe
from artgen.registry import KINDS, Entry, Registry
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
    `key` is None if it cannot be computed, or was not asked for; `witness` is equal where the key
    is, or None.
    """

    piece: Piece
    status: Literal["current", "stale", "missing", "failed"]
    key: str | None = None
    reason: str | None = None
    error: ArtgenError | None = None
    witness: str | None = None


def examine(piece: Piece, registry: Registry) -> State:
    """Compare the key and files of the last build with the current key.

    A bad recipe raises nothing: its state is ``failed``.
    """
    if piece.recipe is None:
        assert piece.error is not None
        return State(piece, "failed", reason=piece.error.message, error=piece.error)
    failure = read_json(piece.folder / FAILURE) or {}
    summary = read_json(piece.folder / SUMMARY) or {}
    made = summary.get("gallery")
    try:
        witness = _witness(piece.recipe, registry, folders_of(piece))
        notes = [each for each in (failure, made) if isinstance(each, dict) and witness]
        known = [each.get("key") for each in notes if each.get("witness") == witness]
        key = next((each for each in known if isinstance(each, str)), None)
        key = key or key_of(piece.recipe, registry, folders_of(piece))
    except ArtgenError as error:
        return State(piece, "failed", reason=error.message, error=error)
    state = functools.partial(State, piece, witness=witness, key=key)
    if failure.get("key") == key or (witness and failure.get("witness") == witness):
        return state("failed", reason=str(failure.get("message")))
    if not isinstance(made, dict):
        return state("missing", reason="not made yet")
    if made.get("key") != key:
        return state("stale", reason="its recipe, target or plugins have changed")
    recorded = made.get("files")
    present = [name for name in FILES if (piece.folder / name).is_file()]
    if recorded != hashes(piece.folder, present):
        return state("stale", reason="its files were changed or removed")
    return state("current")


def examine_to_make(piece: Piece, registry: Registry, force: bool) -> State:
    """Do the same before a build, without the key of a piece that is made whatever its key is.

    Whoever makes it opens its target anyway, and computes the key.
    """
    tried = any((piece.folder / name).exists() for name in (SUMMARY, FAILURE))
    if piece.recipe is not None and (force or not tried):
        with suppress(ArtgenError):
            if witness := _witness(piece.recipe, registry, folders_of(piece)):
                return State(piece, "missing", witness=witness)
    return examine(piece, registry)


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


def _witness(recipe: Recipe, registry: Registry, search: Sequence[Path]) -> str | None:
    """A hash of all that the key follows from. Raises InputError.

    None for a target that is no file and no sample, and where objects of Python were registered.
    """
    source = Source.parse(recipe.target.source)
    entries = [entry for kind in KINDS for entry in registry.entries(kind)]
    if any(entry.plugin.origin == "python" for entry in entries):
        return None
    if source.path is not None:
        path = find_file(source.path, recipe.target.sha256, search, "target")
        if path.is_dir():
            return None
        own = {"target": file_hash(path, "target")}
    elif source.scheme == "sample":
        own = {}
    else:
        return None
    table = recipe.to_dict()
    made = table.pop("piece", {}).get("make")
    own |= _files_of(recipe, search)
    places = (entry.spec.load for entry in entries)
    packages = {re.split(r"[.:]", place)[0] for place in places if isinstance(place, str)}
    plugins = [[entry.kind, entry.name, dict(entry.identity)] for entry in entries]
    code = _code(frozenset({"artgen", *packages}))
    everything = [RENDER_SCHEMA, table, made, own, plugins, code]
    return digest(everything)


@functools.lru_cache
def _code(packages: frozenset[str]) -> str:
    """A hash of the modules and tables of packages."""
    read = hashlib.sha256()
    for name in sorted(packages):
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            continue
        origin, whole = Path(found.origin), found.submodule_search_locations is not None
        for file in sorted(origin.parent.rglob("*") if whole else [origin]):
            if file.suffix in READ:
                read.update(file.read_bytes())
    return read.hexdigest()


def key_of(recipe: Recipe, registry: Registry, search: Sequence[Path]) -> str:
    """Compute the key of a recipe whose files are in the folders `search`. Raises ArtgenError."""
    from artgen.plan import resolve
    from artgen.runs import read_target

    target = read_target(recipe, registry, search)
    plan = resolve(recipe, registry, target.canvas, target.subject)
    table = plan.recipe.to_dict()
    table.pop("piece", None)
    everything = {
        "render": RENDER_SCHEMA,
        "recipe": table,
        "target": target.sha256,
        "files": _files_of(recipe, search),
        "plugins": [_fingerprint(entry, registry) for entry in _entries(plan.recipe, registry)],
    }
    if (made := recipe.piece and recipe.piece.make) is not None:
        everything["make"] = made
    return digest(everything)


def _files_of(recipe: Recipe, search: Sequence[Path]) -> dict[str, str]:
    """Return the hashes of the files that a recipe names, also for its film and what is made."""
    made = (recipe.piece and recipe.piece.make) or ""
    texts = (text.partition("=")[2] for text in (recipe.output.film or "", *made.split()))
    found = {text: file_in(text, search) for text in texts}
    hashed = {text: file_hash(file, "file") for text, file in found.items() if file is not None}
    for what, file in recipe.files:
        name = f"{what} {file.name}" if what == "picture" else what
        hashed[name] = file_hash(find_file(file.name, file.sha256, search, what), what)
    return hashed


def _entries(recipe: Recipe, registry: Registry) -> Iterator[Entry]:
    """Yield the plugin entries that a resolved recipe uses, possibly with repetitions."""
    from artgen.making import maker_of
    from artgen.plan import find_primitive

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


def _fingerprint(entry: Entry, registry: Registry) -> Mapping[str, object]:
    """Return the plugin and version that offer an entry, and a hash of its source file."""
    try:
        source = inspect.getsourcefile(inspect.unwrap(entry.load()))
    except (TypeError, PluginError):
        source = None
    sha256 = file_hash(Path(source), "source") if source and Path(source).is_file() else None
    return {"name": entry.name, "plugin": dict(entry.identity), "sha256": sha256}
