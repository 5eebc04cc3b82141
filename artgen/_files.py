"""Find files, hash them, and read those that anyone may have made: regular and not too large."""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
from collections.abc import Callable, Sequence
from io import BufferedReader
from pathlib import Path

from artgen.errors import InputError

LARGEST = 2**30


def check_regular(path: str | os.PathLike[str], where: str) -> int:
    """The size of a regular file in bytes. Raises InputError naming `where`, or OSError.

    Opening a pipe would wait for its other end, perhaps for ever, and a device may have no end.
    """
    status = os.stat(path)
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{where} is a folder", hint="name a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{where} is a pipe, socket or device", hint="save it as a file first")
    return status.st_size


def open_regular(path: Path, where: str) -> BufferedReader:
    """A regular file that is not empty, opened for reading. Raises InputError naming `where`."""
    try:
        if not check_regular(path, where):
            raise InputError(f"{where} is empty", hint="save or copy it anew")
        return path.open("rb")
    except OSError as error:
        raise InputError(
            f"cannot read {where}: {error.strerror or error}",
            hint="check the path and its permissions",
        ) from None


def read_regular(path: str | os.PathLike[str], where: str, largest: int = LARGEST) -> bytes:
    """The content of a regular file of at most so many bytes. Raises InputError naming `where`."""
    try:
        if check_regular(path, where) > largest:
            size = f"{largest >> 30} GiB" if largest >= LARGEST else f"{largest >> 20} MiB"
            raise InputError(f"{where} is larger than {size}", hint="save a smaller copy")
        return Path(path).read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot read {where}: {error.strerror or error}",
            hint="check the path and its permissions",
        ) from None
    except ValueError as error:
        raise InputError(f"{where} is not a file name: {error}") from None


def find_file(name: str, sha256: str | None, search: Sequence[Path], what: str) -> Path:
    """The first of `search` that holds the file `name` with the hash `sha256` (None: any).

    An absolute path is used as it is. Raises InputError where there is none, or where none has the
    bytes that the recipe was made with; `what` names the file in messages.
    """
    path = Path(name)
    candidates = [path] if path.is_absolute() else [folder / path for folder in search]
    found = [candidate for candidate in candidates if candidate.exists()]
    if not found:
        places = ", ".join(dict.fromkeys(str(folder.absolute()) for folder in search))
        raise InputError(
            f"{what} {name} does not exist",
            hint="check the path" if path.is_absolute() else f"looked in {places}",
        )
    for candidate in found:
        if sha256 is None or not candidate.is_file() or file_hash(candidate, what) == sha256:
            return candidate
    raise InputError(
        f"{what} {found[0]} is not the file the recipe was made with: its SHA-256 differs",
        hint=f"give the {what} on the command line to use it anyway",
    )


def numbered(name: str, is_taken: Callable[[str], bool], mark: str = "_") -> str:
    """The first of `name`, `name_2`, `name_3` and so on that is not taken."""
    others = (f"{name}{mark}{number}" for number in itertools.count(2))
    return next(each for each in itertools.chain([name], others) if not is_taken(each))


def file_hash(path: Path, what: str) -> str:
    """The SHA-256 of a file's bytes, as hexadecimal text. Raises InputError."""
    try:
        check_regular(path, f"{what} {path}")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {what} {path}: {error.strerror}") from None
