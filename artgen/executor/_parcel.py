"""A task and the files that it needs, as bytes: what travels to a machine that shares no disk.

The driver packs: it finds the target, the mask, the drawing to start from and loose plugins as a
run would. The worker unpacks them into a folder of its own and gets a task that means these copies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Generic, TypeAlias, TypeVar

from artgen.errors import ArtgenError, InputError
from artgen.recipe import FileReference, Recipe
from artgen.runner import Task, find_file
from artgen.targets import is_image_set, split_source

__all__ = ["Files", "Parcel", "Unpacked", "pack", "unpack"]

Held = TypeVar("Held")

Files: TypeAlias = dict[str, bytes]
"""Files by their relative names, with slashes."""

_OF_A_SET = "*-idx[13]-ubyte*"


@dataclass(frozen=True)
class Parcel(Generic[Held]):
    """`held` are `Files`, or what stands for them, by what they are: ``target``, ``plugin 0``.

    `names` says by the same keys what the user calls them.
    """

    task: Task
    held: Mapping[str, Held]
    names: Mapping[str, str]


def pack(task: Task, hold: Callable[[Path], Held]) -> Parcel[Held]:
    """Find the files that `task` needs; `hold` takes the path of a file or folder.

    Raises InputError where one is missing, unless the run goes on and has copies of its own.
    """
    held, names = dict[str, Held](), dict[str, str]()
    going_on = bool(task.left())
    for what, file in _files_of(Recipe.from_dict(task.recipe)):
        try:
            path = find_file(file.name, file.sha256, task.folders(what), what)
        except InputError:
            if going_on:
                continue
            raise
        held[what], names[what] = hold(path), file.name
    for number, plugin in enumerate(task.plugins):
        held[f"plugin {number}"], names[f"plugin {number}"] = hold(plugin), str(plugin)
    return Parcel(task, held, names)


def read(path: Path) -> Files:
    """The bytes of a file and of those that belong to it, or of all files in a folder.

    Raises InputError.
    """
    # What a set is called is the name of its folder, `.` included.
    base = path.name or path.resolve().name
    try:
        if path.is_dir():
            files = [file for file in path.rglob("*") if file.is_file()]
            names = {file: PurePosixPath(base, file.relative_to(path).as_posix()) for file in files}
        else:
            beside = path.parent.glob(_OF_A_SET) if is_image_set(path) else ()
            names = {file: PurePosixPath(file.name) for file in {path, *beside}}
        return {str(name): file.read_bytes() for file, name in names.items()}
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None


@dataclass(frozen=True)
class Unpacked:
    """The task as it is carried out; `said` finds the user's words for its paths."""

    task: Task
    said: Mapping[str, str]

    def as_said(self, error: Exception) -> Exception:
        """The error with paths as the user knows them."""
        if isinstance(error, ArtgenError):
            for path, name in self.said.items():
                error.message = error.message.replace(path, name)
                error.hint = error.hint and error.hint.replace(path, name)
        return error


def unpack(parcel: Parcel[Files], home: Path) -> Unpacked:
    """Write the files below the folder `home` and say so to the task, whose folder is there too."""
    said = dict[str, str]()
    recipe = dict[str, Any](parcel.task.recipe)
    plugins = []
    for what, files in parcel.held.items():
        place = home / what.replace(" ", "-")
        write(place, files)
        name = parcel.names[what]
        path = place / next(iter(files)).partition("/")[0]
        if what == "target":
            path = place / _base(name, files)
            recipe["target"] = {**recipe["target"], "source": str(path)}
        elif what == "mask":
            recipe["target"] = {**recipe["target"], "mask": _moved(recipe["target"]["mask"], path)}
        elif what == "init":
            recipe["init"] = _moved(recipe["init"], path)
        else:
            plugins.append(path)
        said[str(path)] = name
    folder = home / "work"
    folder.mkdir(exist_ok=True)
    return Unpacked(parcel.task.moved(recipe, tuple(plugins), folder), said)


def write(folder: Path, files: Files) -> None:
    """Write all of them below `folder`."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _files_of(recipe: Recipe) -> Iterator[tuple[str, FileReference]]:
    scheme, path = split_source(recipe.target.source)
    if scheme is None:
        yield "target", FileReference(name=path, sha256=recipe.target.sha256)
    if recipe.target.mask is not None:
        yield "mask", recipe.target.mask
    if recipe.init is not None:
        yield "init", recipe.init


def _base(name: str, files: Files) -> str:
    """What lies in the parcel under the last part of `name`: a file, or a folder."""
    roots = {file.partition("/")[0] for file in files}
    base = Path(name).name
    return base if base in roots else next(iter(sorted(roots)))


def _moved(reference: Any, path: Path) -> dict[str, Any]:
    """A reference to a file, which may be its name alone."""
    known = reference if isinstance(reference, dict) else {}
    return {**known, "name": str(path)}
