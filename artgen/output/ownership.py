"""Which files may be written: new ones, and those that artgen wrote itself; never an input."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from artgen.base.errors import InputError, OutputError, UsageError

_HEAD = 2**16
_MARK = b"artgen"


def check_output(
    path: Path,
    *,
    overwrite: bool,
    option: str,
    flag: str = "--overwrite",
    inputs: Iterable[Path] = (),
    mark: bytes = _MARK,
) -> None:
    """Raise UsageError where something is at `path` that must not be replaced.

    That is a folder, a symbolic link, what is read (a file among `inputs`, or one in a folder among
    them), and what artgen did not write, see `is_own`; without `overwrite` any file. Pipes and
    devices stay what they are, and are written into. `option` and `flag` are what to change or add,
    for the hint. Raises OutputError for names that the system refuses.
    """
    try:
        path.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise OutputError.of(f"cannot write {path}", error) from None
    if any(_is_read(each, path) for each in inputs):
        problem = "cannot be both read and written"
    elif path.is_dir():
        problem = "is a folder"
    elif path.is_symlink() and (path.is_file() or not path.exists()):
        problem = "is a symbolic link"
    elif not path.is_file():
        return
    elif not overwrite:
        raise UsageError(f"{path} exists", hint=f"use {flag} or another {option}")
    elif not is_own(path, mark):
        problem = "was not written by artgen"
    else:
        return
    raise UsageError(f"{path} {problem}", hint=f"move it away, or use another {option}")


def is_own(path: Path, mark: bytes = _MARK) -> bool:
    """Whether artgen wrote a regular file: its first bytes hold `mark`, or it holds a recipe.

    An empty file counts too, and one of a format that holds no recipe, such as that of a plugin.
    """
    with suppress(OSError), path.open("rb") as file:
        head = file.read(_HEAD)
        if not head or mark in head:
            return True
    if mark != _MARK:
        return False
    from artgen.output.provenance import SUFFIXES, read_recipe

    try:
        return path.suffix.lower() not in SUFFIXES or bool(read_recipe(path))
    except InputError:
        return False


def remove_own(path: Path) -> None:
    """Delete a file that artgen wrote; anything else stays."""
    if path.is_file() and not path.is_symlink() and is_own(path):
        path.unlink()


def _is_read(source: Path, path: Path) -> bool:
    """Whether `path` is the file `source`, or lies in that folder."""
    with suppress(OSError, ValueError):
        return os.path.samefile(path.parent if source.is_dir() else path, source)
    return False
