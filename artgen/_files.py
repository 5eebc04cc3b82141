"""Reading files that anyone may have made: regular ones alone, and not more than so many bytes."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from artgen.errors import InputError

__all__ = ["check_regular", "read_regular"]

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
