"""Payloads: a task and the bytes of its files, sent to a machine that shares no disk.

The driver finds the target, the files of the recipe and loose plugins as a run would.
The worker unpacks them into a folder of its own, and its task refers to these copies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Generic, TypeAlias, TypeVar

from artgen.base.errors import ArtgenError, InputError
from artgen.base.files import find_file, input_errors, numbered
from artgen.recipe import FileReference, Recipe
from artgen.targets import Source, files_beside
from artgen.tasks._task import Task

Held = TypeVar("Held")

Files: TypeAlias = dict[str, bytes]
"""Files by their relative names, with slashes."""


@dataclass(frozen=True)
class Payload(Generic[Held]):
    """A task with its files: `held` has `Files`, or references to them, by what they are.

    Keys are ``target``, ``film``, ``plugin 0`` and so on; `names` has the names that the user gave,
    by the same keys.
    """

    task: Task
    held: Mapping[str, Held]
    names: Mapping[str, str]


def pack(task: Task, hold: Callable[[Path], Held]) -> Payload[Held]:
    """Find the files that `task` needs; `hold` makes a reference of the path of a file or folder.

    Raises InputError where one is missing, unless the run is resumed and has copies.
    """
    found, resumed = dict[str, tuple[Path, str]](), bool(task.resume_files())
    for key, file in _files_of(task.recipe).items():
        what = key.partition(" ")[0]
        try:
            path = find_file(file.name, file.sha256, task.search_for(what), what)
        except InputError:
            # What follows the form of a film need not be a file; the form says what is wrong.
            if resumed or what == "film":
                continue
            raise
        if what != "film" or path.is_file():
            found[key] = path, file.name
    found |= {f"plugin {number}": (path, str(path)) for number, path in enumerate(task.plugins)}
    held = {key: hold(path) for key, (path, _) in found.items()}
    return Payload(task, held, {key: name for key, (_, name) in found.items()})


def read_files(path: Path) -> Files:
    """The bytes of a file and of those that belong to it, or of all files in a folder.

    Raises InputError.
    """
    # What a set is called is the name of its folder, `.` included.
    base = path.name or path.resolve().name
    with input_errors(str(path)):
        if path.is_dir():
            files = [file for file in path.rglob("*") if file.is_file()]
            names = {file: PurePosixPath(base, file.relative_to(path).as_posix()) for file in files}
        else:
            names = {file: PurePosixPath(file.name) for file in {path, *files_beside(path)}}
        return {str(name): file.read_bytes() for file, name in names.items()}


@dataclass(frozen=True)
class Unpacked:
    """A task with local paths; `said` has the names that the user gave, by these paths."""

    task: Task
    said: Mapping[str, str]

    def as_said(self, error: Exception) -> Exception:
        """The error with the names that the user gave in place of paths."""
        if isinstance(error, ArtgenError):
            for path, name in self.said.items():
                error.message = error.message.replace(path, name)
                error.hint = error.hint and error.hint.replace(path, name)
        return error


def unpack(payload: Payload[Files], home: Path) -> Unpacked:
    """Write the files below the folder `home`; the unpacked task refers to them."""
    said, recipe, plugins = dict[str, str](), payload.task.recipe, list[Path]()
    given = _files_of(recipe)
    moved = dict[FileReference, FileReference]()
    for what, files in payload.held.items():
        place = home / what.replace(" ", "-")
        store_files(place, files)
        name = payload.names[what]
        path = place / _base(name, files)
        if what == "target":
            source = Source.parse(recipe.target.source).at(path)
            recipe = recipe.with_target(source=str(source))
        elif what == "film":
            form = str(recipe.output.film).partition("=")[0]
            recipe = recipe.with_output(film=f"{form}={path}")
        elif what in given:
            moved[given[what]] = FileReference(name=str(path), sha256=given[what].sha256)
        else:
            plugins.append(path)
        said[str(path)] = name
    folder = home / "work"
    folder.mkdir(exist_ok=True)
    recipe = recipe.with_files(lambda file: moved.get(file, file))
    return Unpacked(payload.task.relocated(recipe, tuple(plugins), folder), said)


def store_files(folder: Path, files: Files) -> None:
    """Write all of them below `folder`."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _files_of(recipe: Recipe) -> dict[str, FileReference]:
    """How the recipe names the files in a payload, by their keys: what each is, and a number."""
    files, path = dict[str, FileReference](), Source.parse(recipe.target.source).path
    if path is not None:
        files["target"] = FileReference(name=path, sha256=recipe.target.sha256)
    if film := (recipe.output.film or "").partition("=")[2]:
        files["film"] = FileReference(name=film)
    for what, file in recipe.files:
        files[numbered(what, files.__contains__, " ")] = file
    return files


def _base(name: str, files: Files) -> str:
    """The entry of the payload under the last part of `name`: a file, or a folder."""
    roots = {file.partition("/")[0] for file in files}
    base = Path(name).name
    return base if base in roots else next(iter(sorted(roots)))
